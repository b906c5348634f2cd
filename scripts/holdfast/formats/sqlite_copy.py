"""
A page-for-page copy of the database, with a manifest beside it that proves it.

The copy is made by SQLite's online backup, so that two copies of a database share almost all
their pages. `backup-2026-11-20.db.manifest.json` holds the header and the trailer that other
formats have in themselves, the SHA-256 of the copy as it is stored, and a seal:

    {"header":{...},
    "trailer":{...},
    "file":{"sha256":"...","bytes":...},
    "seal":"<SHA-256 of all lines above>"}

A SQLite file without a manifest can be read too; nothing proves that it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast import database, files
from holdfast.digest import Digest, read_lines
from holdfast.formats.compression import is_compressed, plain
from holdfast.formats.interface import (
    NAME,
    VERSION,
    BackupFormat,
    Content,
    Glance,
    Part,
    TableStart,
    Target,
    damaged,
    decode,
    decode_header,
    header_items,
)
from holdfast.formats.sealed import is_sealed, sealed
from holdfast.model import Header, Schema, Trailer
from holdfast.rows import layout_of
from holdfast.schema import read_facts, read_schema

MANIFEST_SUFFIX = ".manifest.json"
_SQLITE_HEADER = b"SQLite format 3\x00"


class StoredFile(Struct, frozen=True):
    """The copy as it lies on disk, compressed or not."""

    sha256: str  # lower-case hex
    bytes: int


class Proof(Struct, frozen=True):
    """What a manifest says."""

    header: msgspec.Raw
    trailer: msgspec.Raw
    file: StoredFile

    def text(self) -> bytes:
        """Return the manifest, sealed."""
        parts = (bytes(self.header), bytes(self.trailer), msgspec.json.encode(self.file))
        return sealed(b'{"header":%b,\n"trailer":%b,\n"file":%b,\n' % parts)


def write(target: Target, content: Content) -> None:
    """Copy the pages, and hash the rows of the same moment."""
    assert target.path is not None  # SQLite writes to files alone
    database.copy_pages(content.connection, target.path)
    for _, batches in content.tables:
        for _ in batches:
            pass


def manifest(stored: Path, content: Content) -> bytes:
    """Write what proves a copy that is stored in a file."""
    return Proof(
        header=msgspec.Raw(msgspec.json.encode(header_items(content.header))),
        trailer=msgspec.Raw(msgspec.json.encode(content.trailer())),
        file=StoredFile(files.sha256_of(stored), stored.stat().st_size),
    ).text()


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a copy that has its manifest."""
    header, trailer = _check(path)
    yield header
    with _opened(path) as connection:
        tables = {table.name: table for table in read_schema(connection).tables}
        for name in header.layout:
            if name not in tables:
                raise damaged(f"{name} is not in it")
            yield TableStart(name)
            yield from read_lines(connection, tables[name])
    yield trailer


def place(path: Path, target: Path) -> tuple[Header, Trailer]:
    """Put the database itself at `target`, an empty file; it is the copy, byte for byte."""
    if is_compressed(path):
        header, trailer = _check(path)
        with plain(path) as source:
            files.fill(target, source)
        return header, trailer
    proof, digest = read_proof(path), hashlib.sha256()
    with path.open("rb") as source:
        files.fill(target, source, digest)
    complain_unless(proof, path.stat().st_size, digest.hexdigest())
    return _contents(proof)


def _check(path: Path) -> tuple[Header, Trailer]:
    """Read the manifest, and complain unless it is whole and the copy is the one it names."""
    proof = read_proof(path)
    complain_unless(proof, path.stat().st_size, files.sha256_of(path))
    return _contents(proof)


def _contents(proof: Proof) -> tuple[Header, Trailer]:
    return decode_header(bytes(proof.header)), decode(proof.trailer, Trailer)


def read_proof(path: Path) -> Proof:
    """Read the manifest of a copy; BackupDamaged when it is not what was written."""
    text = _manifest_of(path).read_bytes()
    if not is_sealed(text):
        raise damaged("its manifest is not what was written")
    return decode(text, Proof)


def complain_unless(proof: Proof, size: int, sha256: str) -> None:
    """Raise BackupDamaged unless a file of so many bytes and this SHA-256 is the one proven."""
    if size < proof.file.bytes:
        raise damaged(f"it ends early, at byte {size:,} of {proof.file.bytes:,}")
    if (size, sha256) != (proof.file.bytes, proof.file.sha256):
        raise damaged("the file is not the one that was written")


def _manifest_of(path: Path) -> Path:
    return path.with_name(path.name + MANIFEST_SUFFIX)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[database.Connection]:
    """Open a copy where it lies, or a decompressed one of it in a scratch folder."""
    with plain(path) as source, files.scratch_folder() as folder:
        if is_compressed(path):
            path = folder / "copy.db"
            files.fill(path, source)
        with database.finished(path, "it") as connection:
            yield connection


def _glance(path: Path) -> Glance:
    with contextlib.suppress(OSError):
        return glance_at(_manifest_of(path).read_bytes())
    return Glance(None, None)


def glance_at(text: bytes) -> Glance:
    """Say what a manifest says of its copy."""
    document = decode(text, dict[str, msgspec.Raw])
    header = decode(document.get("header", b"{}"), dict[str, object])
    trailer = decode(document.get("trailer", b"{}"), Trailer)
    return Glance(str(header.get("backup_date", "")) or None, sum(trailer.counts.values()))


def _recognise(path: Path, start: bytes) -> bool:
    return start.startswith(_SQLITE_HEADER) and _manifest_of(path).is_file()


FORMAT = BackupFormat(
    name="sqlite",
    title="a page copy by Holdfast",
    suffix=".db",
    recognise=_recognise,
    read=read,
    write=write,
    glance=_glance,
    is_stream=False,
    manifest_suffix=MANIFEST_SUFFIX,
    manifest=manifest,
    place=place,
)


def read_any(path: Path) -> Iterator[Part]:
    """Yield the parts of a SQLite file, which has no manifest."""
    with _opened(path) as connection:
        yield from parts_of(connection, path.name)


def parts_of(
    connection: database.Connection, name: str, taken: Schema | None = None
) -> Iterator[Part]:
    """
    Yield what a backup of a database would hold, under a name, of the moment that is seen.

    Args: taken: the schema, with the tables that are wanted, as they are to be read; None: all.
    """
    schema = taken or read_schema(connection)
    yield Header(
        format=NAME,
        version=VERSION,
        type="full",
        groups=(),
        skipped_tables=(),
        database=read_facts(connection, name),
        schema=schema.entries,
        layout={table.name: layout_of(table) for table in schema.tables},
    )
    digests = {table.name: Digest() for table in schema.tables}
    for table in schema.tables:
        yield TableStart(table.name)
        yield from digests[table.name].watch(read_lines(connection, table))
    yield Trailer(
        sequences=schema.sequences,
        counts={name: digest.row_count for name, digest in digests.items()},
        digests={name: digest.hex() for name, digest in digests.items()},
    )


ANY_SQLITE = BackupFormat(
    name="sqlite_file",
    title="any SQLite file",
    suffix=".db",
    recognise=lambda _, start: start.startswith(_SQLITE_HEADER),
    read=read_any,
    proves=False,
    is_stream=False,
)
