"""
The parts of a backup, with its rows as SQLite takes them.

To read, prove and decode rows takes about as long as to put them into a database, and to read
them there as long as to make its indexes. So another process does the one while this one does the
other, when the backup is large.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast import files
from holdfast.cells import Cell, RowReader
from holdfast.errors import HoldfastError, ReadFailed
from holdfast.formats import FORMATS
from holdfast.formats.interface import BackupReader, TableStart
from holdfast.helpers import Helper, core_count
from holdfast.model import Header, Layout, Trailer
from holdfast.proof import digests_of

if TYPE_CHECKING:
    from holdfast.helpers import Pipe

_WORTH_IT_BYTES = 64 * 1024 * 1024  # what is read while a process starts

_END_SECONDS = 2.0
_READY = "ready"

# As the parts that a reader yields, with rows in the place of their lines.
Part = Header | TableStart | list[tuple[Cell, ...]] | Trailer


def read_rows(reader: BackupReader) -> Iterator[Part]:
    """
    Yield the parts of a backup in order, their rows decoded.

    Raises: as `BackupReader.parts`; BackupDamaged for a row that cannot be read.
    """
    layout: dict[str, Layout] = {}
    rows = RowReader(())
    for part in reader.parts():
        if isinstance(part, Header):
            layout = dict(part.layout)
        elif isinstance(part, TableStart):
            if part.name not in layout:
                raise reader.damaged(f"its header does not name {part.name}")
            rows = RowReader(layout[part.name].columns)
        elif isinstance(part, bytes):
            try:
                yield rows.rows(part)
            except ValueError as error:
                raise reader.damaged(f"a row cannot be read: {error}") from error
            continue
        yield part


@contextlib.contextmanager
def reading_ahead(reader: BackupReader) -> Iterator[Ahead]:
    """
    Yield the parts of a backup, which another process may have begun to read.

    It is ended with the block.
    """
    other = None
    if _is_worth_it(reader):
        with contextlib.suppress(OSError):  # the system refuses to start one
            other = _Other(reader)
    try:
        yield Ahead(reader, other)
    finally:
        if other:
            other.end()


def _is_worth_it(reader: BackupReader) -> bool:
    # What is encrypted has a format of its own, and keys that are told to nobody else.
    is_open = FORMATS.get(reader.format.name) is reader.format
    return is_open and core_count() > 1 and files.size_of(reader.path) >= _WORTH_IT_BYTES


class Ahead:
    """The parts of a backup, and whoever else has read them and may prove what came of them."""

    def __init__(self, reader: BackupReader, other: _Other | None) -> None:
        self._reader = reader
        self._other = other

    def parts(self) -> Iterator[Part]:
        """Yield what `read_rows` does; to be asked for once."""
        if self._other is None:
            return read_rows(self._reader)
        return _watched(self._other.parts(), self._reader)

    def begin_proof(self, path: Path) -> None:
        """
        Let the other process, if there is one, hash the tables of the database at `path`.

        It must have all rows, and none of their pages may be changed any more.
        """
        if self._other:
            self._other.begin_proof(path)

    def digests(self) -> Mapping[str, str] | None:
        """Wait for the digests of all tables; None where nobody was told to take them."""
        return self._other.digests() if self._other else None


def _watched(parts: Iterator[Part], reader: BackupReader) -> Iterator[Part]:
    """Pass on what another process reads, and tell of it as the reader here would."""
    name, count = "", 0
    for part in parts:
        if isinstance(part, TableStart):
            name, count = part.name, 0
        elif isinstance(part, list) and reader.watch:
            count += len(part)
            reader.watch(name, count)
        yield part


class _Other:
    """Another process that reads a backup, as it looks from here."""

    def __init__(self, reader: BackupReader) -> None:
        self._path = reader.path
        self._helper = Helper()
        self._helper.begin(_help, reader.path, reader.format.name)
        self._has_read = False
        self._is_proving = False

    def parts(self) -> Iterator[Part]:
        while (part := self._receive()) is not None:
            yield part
        self._has_read = True

    def begin_proof(self, path: Path) -> None:
        self._helper.pipe.send(path)
        self._receive()  # it sees the database now
        self._is_proving = True

    def digests(self) -> Mapping[str, str] | None:
        return self._receive() if self._is_proving else None

    def _receive(self) -> Any:
        try:
            part = self._helper.pipe.recv()
        except (EOFError, OSError) as error:
            raise ReadFailed(
                f"the process that read {self._path} was ended",
                hint="Nothing was left behind. Try again.",
            ) from error
        if isinstance(part, HoldfastError):
            raise part
        return part

    def end(self) -> None:
        # What it decompressed it has to remove, as it does of itself when it cannot send any more.
        self._helper.end(0 if self._has_read else _END_SECONDS)


def _help(pipe: Pipe, _: object, path: Path, name: str) -> None:
    """Do what the other process does."""
    with contextlib.suppress(KeyboardInterrupt):  # nobody wants it any more
        # A compressed page file is decompressed into a scratch folder, which is to go, too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            header, trailer = _send(pipe, BackupReader(path, FORMATS[name]))
            # What was decompressed is gone: to be ended at once does no harm any more.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            with digests_of(pipe.recv(), header, trailer, jobs=1) as digests:
                pipe.send(_READY)
                pipe.send(digests())
        except HoldfastError as error:
            pipe.send(error)
        finally:  # what it ends anyhow must not be heard while Python shuts down
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _send(pipe: Pipe, reader: BackupReader) -> tuple[Header, Trailer]:
    frame: list[Header | Trailer] = []
    for part in read_rows(reader):
        if isinstance(part, Header | Trailer):
            frame.append(part)
        pipe.send(part)
    pipe.send(None)  # the trailer is sent before all is proven
    header, trailer = frame
    assert isinstance(header, Header) and isinstance(trailer, Trailer)
    return header, trailer
