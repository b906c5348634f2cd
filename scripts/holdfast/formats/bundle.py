"""
A bundle: one backup in many files, which a folder and a zip hold alike.

    RESTORE.md             for a person who has nothing but this bundle
    restore.py             rebuilds the database with Python alone
    schema.sql             the CREATE statements, for people and for other tools
    tables/contacts.jsonl  the rows of one table, a line each
    metadata.json          header and trailer, and the SHA-256 of every other file as it is stored

The last line of metadata.json is a seal, the SHA-256 of all that stands before it in the file.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import msgspec
from msgspec import Struct

from holdfast.formats.compression import SUFFIXES, compressing
from holdfast.formats.interface import (
    Content,
    Glance,
    Part,
    TableStart,
    damaged,
    decode,
    decode_header,
    header_items,
)
from holdfast.formats.lines import BLOCK_BYTES, LineFile
from holdfast.formats.sealed import SealedWriter, is_sealed, sealed
from holdfast.model import Header, Trailer

METADATA = "metadata.json"
FIRST_FILE = "RESTORE.md"
PROGRAM = "restore.py"
SCHEMA = "schema.sql"
METADATA_START = b'{\n  "format": "holdfast"'
_TABLES = "tables/"
_SEAL = b'  "seal": "%s"}\n'
_OWN_KEYS = ("name", "summary", "includes", "files", "sequences", "counts", "digests", "seal")
_FILES = Path(__file__).parent / "bundle_files"

Create = Callable[[str], AbstractContextManager[IO[bytes]]]
Open = Callable[[str], AbstractContextManager[IO[bytes]]]


class Members(Struct, frozen=True):
    """The files of a bundle, wherever they lie; names are relative POSIX paths."""

    names: Sequence[str]
    stored: Open  # opens a file as it lies there
    plain: Open  # opens a file, decompressed


class _File(Struct, frozen=True):
    """What metadata.json says of one file."""

    sha256: str  # as it is stored
    table: str | None = None  # whose rows it holds


def write_bundle(content: Content, create: Create, compression: str = "none") -> None:
    """
    Write all files of a bundle, metadata.json last.

    Args:
        create: makes the file of a name, which is open until the end of its block.
        compression: of the files of tables.
    """
    header = content.header
    written: dict[str, dict[str, str]] = {}
    for name, text in (
        (FIRST_FILE, (_FILES / FIRST_FILE).read_bytes()),
        (PROGRAM, (_FILES / PROGRAM).read_bytes()),
        (SCHEMA, schema_sql(header).encode()),
    ):
        written[name] = {"sha256": _write_file(create, name, [text])}
    names = file_names(header.layout)
    for table, batches in content.tables:
        name = f"{_TABLES}{names[table]}.jsonl{SUFFIXES[compression]}"
        written[name] = {
            "table": table,
            "sha256": _write_file(create, name, batches, compression),
        }
    _write_file(create, METADATA, [_metadata(header, content.trailer(), written)])


def _write_file(
    create: Create, name: str, blocks: Iterable[bytes], compression: str = "none"
) -> str:
    with create(name) as file:
        stored = SealedWriter(cast(BinaryIO, file))
        with compressing(cast(BinaryIO, stored), compression) as out:
            out.write(b"")  # or an empty table would be no whole file of zstd
            for block in blocks:
                out.write(block)
    return stored.seal().decode()


def _metadata(header: Header, trailer: Trailer, written: dict[str, dict[str, str]]) -> bytes:
    items = header_items(header)
    schema, layout = items.pop("schema"), items.pop("layout")
    items |= {
        "name": Path(header.database.name).stem,
        "summary": {"tables": len(header.layout), "rows": sum(trailer.counts.values())},
        "includes": list(header.layout),
        "schema": schema,
        "layout": layout,
        "files": written,
    }
    items |= msgspec.to_builtins(trailer)
    text = msgspec.json.format(msgspec.json.encode(items), indent=2)
    return sealed(text.removesuffix(b"\n}") + b",\n", _SEAL)


def schema_sql(header: Header) -> str:
    """Return the statements that make the schema, as the sqlite3 shell runs them."""
    return "".join(
        # A comment may be the end of a statement: the semicolon must not become part of it.
        entry.sql + ("\n;\n" if "--" in entry.sql.rpartition("\n")[2] else ";\n")
        for entry in header.schema
    )


_PORTABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
# Windows opens a device whatever the suffix: NUL.jsonl is NUL.
_DEVICE = re.compile(r"(?i)con|prn|aux|nul|(com|lpt)[0-9]")


def file_names(tables: Iterable[str]) -> dict[str, str]:
    """
    Give each table a file name of its own that any file system takes, the same every time.

    A name that had to be changed ends with a part of its hash. No two are equal, not even
    where upper and lower case are the same.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for table in tables:
        name = next(name for name in _candidates(table) if name.lower() not in taken)
        taken.add(name.lower())
        names[table] = name
    return names


def _candidates(table: str) -> Iterator[str]:
    if _PORTABLE.fullmatch(table) and not _DEVICE.fullmatch(table):
        yield table
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", table)[:50].lstrip("-") or "table"
    for again in itertools.count():
        digest = hashlib.sha256((table + "\0" * again).encode())
        yield f"{stem}-{digest.hexdigest()[:10]}"


def read_bundle(members: Members) -> Iterator[Part]:
    """Yield the parts of a backup, once all its files are what metadata.json says."""
    items, header = _read_metadata(members)
    files = decode(msgspec.json.encode(items["files"]), dict[str, _File])
    _complain_of_strays(members.names, files)
    for name, file in files.items():
        if _hash_of(members, name) != file.sha256:
            raise damaged(f"{name} is not as it was written")
    yield header
    by_table = {file.table: name for name, file in files.items()}
    for table in header.layout:
        if table not in by_table:
            raise damaged(f"no file of it holds the table {table}")
        yield TableStart(table)
        yield from _read_rows(members, by_table[table])
    yield decode(msgspec.json.encode({key: items[key] for key in _TRAILER_KEYS}), Trailer)


_TRAILER_KEYS = ("sequences", "counts", "digests")


def _read_metadata(members: Members) -> tuple[dict[str, Any], Header]:
    """Return the items that are the bundle's own, and the header."""
    if METADATA not in members.names:
        raise damaged(f"{METADATA} is missing")
    with members.stored(METADATA) as file:
        text = file.read()
    if not text.endswith(_SEAL[-3:]):
        raise damaged(f"{METADATA} ends early, at byte {len(text):,}")
    found = decode(text, dict[str, Any])
    items = {key: found.pop(key, None) for key in _OWN_KEYS}
    header = decode_header(msgspec.json.encode(found))
    if not is_sealed(text, _SEAL):
        raise damaged(f"the last line of {METADATA} is not the seal of what stands before it")
    return items, header


def _complain_of_strays(names: Sequence[str], files: Iterable[str]) -> None:
    expected = {METADATA, *files}
    if missing := sorted(expected - set(names)):
        raise damaged(f"{', '.join(missing)} is missing")
    if strays := sorted(set(names) - expected):
        raise damaged(f"{', '.join(strays)} is not part of it")


def _hash_of(members: Members, name: str) -> str:
    digest = hashlib.sha256()
    with members.stored(name) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _read_rows(members: Members, name: str) -> Iterator[bytes]:
    with members.plain(name) as file:
        lines = LineFile(cast(BinaryIO, file))
        yield from lines.rows()
        if lines.line():
            raise damaged(f"{name} holds a line that is no row")


def glance_at(members: Members) -> Glance:
    """Say what metadata.json claims of the backup."""
    items, header = _read_metadata(members)
    trailer = decode(msgspec.json.encode({key: items[key] for key in _TRAILER_KEYS}), Trailer)
    rows = sum(trailer.counts.values())
    return Glance(header.backup_date or None, rows, header.type == "partial")
