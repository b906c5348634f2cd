"""What every format of a backup is: a header, tables of lines, and a trailer that proves them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from holdfast import files
from holdfast.database import Connection
from holdfast.digest import Digest
from holdfast.errors import BackupDamaged, BackupTooNew, DatabaseError, KeyNotAtHand, NotABackup
from holdfast.model import Contents, Header, Trailer

NAME = "holdfast"
VERSION = "1.0"
# Of a backup with secrets under names that a reader of 1.0 would not put back.
VERSION_OF_NEW_NAMES = "2.0"
_MAJORS = {"1", "2"}

T = TypeVar("T")


class TableStart(Struct, frozen=True):
    """The lines that follow are rows of this table."""

    name: str


# What a reader yields, in this order: a Header; for each table of its layout, in its order, a
# TableStart and any number of `bytes` (whole lines of rows, as RowWriter makes them); a Trailer.
Part = Header | TableStart | bytes | Trailer


class Content(Struct, frozen=True):
    """What is to be written: one moment of a database."""

    header: Header
    tables: Iterable[tuple[str, Iterable[bytes]]]  # to be gone through once, in order
    trailer: Callable[[], Trailer]  # to be asked for once all lines have passed
    connection: Connection  # to the same moment, for formats that copy pages


class Target(Struct, frozen=True):
    """Where a backup is written: a file that is open, or a folder that is there and empty."""

    file: BinaryIO | None = None
    path: Path | None = None  # of the file or folder; None for standard output
    compression: str = "none"  # of the files in a folder; a stream comes compressed already

    @property
    def stream(self) -> BinaryIO:
        assert self.file is not None  # only a folder has none
        return self.file


class Glance(Struct, frozen=True):
    """What a backup says of itself, not proven, found without reading all of it."""

    backup_date: str | None
    row_count: int | None
    is_partial: bool = False


class BackupFormat(Struct, frozen=True):
    """One way that a backup lies in a file or a folder."""

    name: str
    title: str  # for people
    suffix: str  # "" for a folder
    # Tells by the path and the first 4096 bytes, decompressed; b"" for a folder.
    recognise: Callable[[Path, bytes], bool]
    # Yields the parts; BackupDamaged as soon as something is not as it was written.
    read: Callable[[Path], Iterator[Part]]
    # The same from an open file, for one that is read while it is still being written.
    read_stream: Callable[[BinaryIO], Iterator[Part]] | None = None
    write: Callable[[Target, Content], None] | None = None  # None: the format is only read
    glance: Callable[[Path], Glance] | None = None
    proves: bool = True  # its files hold counts and digests of their own
    tool: str = ""  # the profile of the databases that its files are of; "": of any
    is_stream: bool = True  # it is one file, written from its start to its end
    is_folder: bool = False
    # What proves a file that cannot hold its own proof, and lies beside it: the manifest of what
    # is stored in a file. Asked for after `write`.
    manifest_suffix: str = ""
    manifest: Callable[[Path, Content], bytes] | None = None
    # Puts the database itself into an empty file, for a backup that is one.
    place: Callable[[Path, Path], tuple[Header, Trailer]] | None = None

    @property
    def is_several(self) -> bool:
        """Whether a backup is more than one file."""
        return self.is_folder or self.manifest_suffix != ""


class BackupReader:
    """
    Reads one backup from its start to its end, proving it on the way.

    It may be read several times. As a context manager it lets go of what it needs for that.
    """

    def __init__(
        self,
        path: Path,
        form: BackupFormat,
        stream: BinaryIO | None = None,
        needs: AbstractContextManager[object] | None = None,
    ) -> None:
        """
        Args:
            stream: the open file to read, instead of the one at `path`; it is read once.
            needs: is entered and left with this.
        """
        self.path = path
        self.format = form
        # Told, for each block of rows, of which table it was and how many rows of it there were.
        self.watch: Callable[[str, int], None] | None = None
        self._stream = stream
        self._needs = needs or contextlib.nullcontext()

    def __enter__(self) -> Self:
        self._needs.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._needs.__exit__(None, None, None)

    def parts(self) -> Iterator[Part]:
        """
        Yield the parts in order; what came before an error is not to be trusted.

        Raises: BackupDamaged when the backup is cut short, or its tables, counts or digests are
            not those that it names; NotABackup; BackupTooNew; ReadFailed.
        """
        try:
            with files.reading(self.path):
                yield from _proven(self._read(), self.watch)
        except (BackupDamaged, NotABackup, BackupTooNew, KeyNotAtHand) as error:
            raise type(error)(f"{self.path}: {error}", hint=error.hint) from error
        except DatabaseError as error:  # of a backup that is a database
            raise self.damaged(str(error)) from error

    def _read(self) -> Iterator[Part]:
        if self._stream is None:
            return self.format.read(self.path)
        assert self.format.read_stream is not None  # who gives a stream has looked
        return self.format.read_stream(self._stream)

    def damaged(self, what: str) -> BackupDamaged:
        """Make the error for a part of this backup that cannot be what was written."""
        error = damaged(what)
        return BackupDamaged(f"{self.path}: {error}", hint=error.hint)

    def contents(self) -> Contents:
        """Read the whole backup and say what it holds."""
        header: Header | None = None
        trailer: Trailer | None = None
        for part in self.parts():
            if isinstance(part, Header):
                header = part
            elif isinstance(part, Trailer):
                trailer = part
        assert header and trailer  # or `parts` had complained
        return Contents(header, trailer, self.format.proves, warnings_of(header))


def _proven(parts: Iterator[Part], watch: Callable[[str, int], None] | None) -> Iterator[Part]:
    digests: dict[str, Digest] = {}
    names: list[str] = []
    digest = Digest()
    name = ""
    trailer: Trailer | None = None
    for part in parts:
        if isinstance(part, Header):
            names = list(part.layout)
        elif isinstance(part, TableStart):
            if part.name in digests:
                raise damaged(f"it holds {part.name} twice")
            name = part.name
            digest = digests[name] = Digest()
        elif isinstance(part, bytes):
            digest.update(part)
            if watch:
                watch(name, digest.row_count)
        else:
            trailer = part
        yield part
    if trailer is None:
        raise damaged("it ends early")
    _complain_of_difference(digests, names, trailer)


def _complain_of_difference(
    digests: Mapping[str, Digest], names: list[str], trailer: Trailer
) -> None:
    if list(digests) != names:
        raise damaged("its tables are not those that its header names")
    counts = {name: digest.row_count for name, digest in digests.items()}
    for name, count in counts.items():
        if trailer.counts.get(name) != count:
            raise damaged(f"{name} has {count} rows where {trailer.counts.get(name)} were written")
        if trailer.digests.get(name) != digests[name].hex():
            raise damaged(f"the rows of {name} are not those that were written")
    if set(trailer.counts) != set(counts) or set(trailer.digests) != set(counts):
        raise damaged("its counts name tables that it does not hold")


def warnings_of(header: Header) -> tuple[str, ...]:
    """Pass on what the reader noted, and name what a later minor version wrote."""
    if not header.unknown_keys:
        return header.notes
    return (
        *header.notes,
        f"version {header.version} of the format wrote {', '.join(header.unknown_keys)}, which"
        " this program does not know; all else was read.",
    )


def damaged(what: str) -> BackupDamaged:
    """Make the error for a backup that is not what was written."""
    return BackupDamaged(what, hint="Use another backup: see status.")


def decode_header(text: bytes) -> Header:
    """
    Read a header from its JSON.

    Raises: BackupTooNew for a later major version; BackupDamaged.
    """
    version = decode(text, dict[str, object]).get("version")
    if not isinstance(version, str) or not re.fullmatch(r"\d+\.\d+", version):
        raise damaged(f"the version of its format cannot be read: {version!r}")
    if version.partition(".")[0] not in _MAJORS:
        raise BackupTooNew(
            f"it has version {version} of the format; this program reads {VERSION} and"
            f" {VERSION_OF_NEW_NAMES}",
            hint="Update Holdfast, then try again.",
        )
    header = decode(text, Header)
    unknown = decode(text, dict[str, object]).keys() - set(_ORDER)
    return replace(header, unknown_keys=tuple(sorted(unknown)), notes=())


def decode(text: bytes, shape: type[T]) -> T:
    """Read what frames the rows from its JSON; BackupDamaged when it is not of that shape."""
    try:
        return msgspec.json.decode(text, type=shape)
    except ValueError as error:
        raise damaged(f"what frames its rows cannot be read: {error}") from error


def header_items(header: Header) -> dict[str, object]:
    """
    Return what a header holds by name, in the order in which it is written.

    What a reproducible backup does not say, and settings where there are none, are left out.
    """
    items: dict[str, object] = msgspec.to_builtins(header)
    return {name: items[name] for name in _ORDER if items[name] or name not in _OPTIONAL}


_VOLATILE = ("backup_date", "exported_by", "generator")
_OPTIONAL = (*_VOLATILE, "choice", "left_out", "redacted", "settings")
_ORDER = (
    "format",
    "version",
    *_VOLATILE,
    "type",
    "groups",
    "skipped_tables",
    "choice",
    "left_out",
    "redacted",
    "database",
    "settings",
    "schema",
    "layout",
)
