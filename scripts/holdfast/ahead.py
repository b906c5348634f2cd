"""
The parts of a backup, with its rows as SQLite takes them.

To read, prove and decode rows takes about as long as to put them into a database. So another
process does the one while this one does the other, when the backup is large.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from holdfast import files
from holdfast.cells import Cell, RowReader
from holdfast.errors import HoldfastError, ReadFailed
from holdfast.formats import FORMATS
from holdfast.formats.interface import BackupReader, TableStart
from holdfast.model import Header, Layout, Trailer
from holdfast.readers import core_count, no_interrupts

_WORTH_IT_BYTES = 64 * 1024 * 1024  # what is read while a process starts

_END_SECONDS = 2.0

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
def reading_ahead(reader: BackupReader) -> Iterator[Iterator[Part]]:
    """
    Yield what `read_rows` does, which another process may have begun to read.

    It does nothing else than that, and is ended with the block.
    """
    if not _is_worth_it(reader):
        yield read_rows(reader)
        return
    context = multiprocessing.get_context("spawn")
    pipe, its_pipe = context.Pipe()
    process = context.Process(
        target=_send, args=(its_pipe, reader.path, reader.format.name), daemon=True
    )
    try:
        with its_pipe, no_interrupts():
            process.start()
    except OSError:  # the system refuses to start one
        pipe.close()
        yield read_rows(reader)
        return
    try:
        yield _received(pipe, reader.path)
    finally:
        pipe.close()
        process.join(_END_SECONDS)  # as it does of itself when it has something to send
        process.terminate()  # it only reads
        process.join()


def _is_worth_it(reader: BackupReader) -> bool:
    # What is encrypted has a format of its own, and keys that are told to nobody else.
    is_open = FORMATS.get(reader.format.name) is reader.format
    return is_open and core_count() > 1 and files.size_of(reader.path) >= _WORTH_IT_BYTES


def _received(pipe: Pipe, path: Path) -> Iterator[Part]:
    while True:
        try:
            part: Part | HoldfastError | None = pipe.recv()
        except (EOFError, OSError) as error:
            raise ReadFailed(
                f"the process that read {path} was ended",
                hint="Nothing was left behind. Try again.",
            ) from error
        if part is None:
            return
        if isinstance(part, HoldfastError):
            raise part
        yield part


def _send(pipe: Pipe, path: Path, name: str) -> None:
    """Do what the other process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody listens any more, or wants to.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        # A compressed page file is decompressed into a scratch folder, which is to go, too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            for part in read_rows(BackupReader(path, FORMATS[name])):
                pipe.send(part)
            pipe.send(None)  # the trailer is sent before all is proven
        except HoldfastError as error:
            pipe.send(error)
        finally:  # what it ends anyhow must not be heard while Python shuts down
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
