"""Backups in every format, made of real databases and taken apart again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast import database
from holdfast.digest import digest_of, read_lines
from holdfast.formats import FORMATS, json_document, open_backup
from holdfast.formats.compression import compressing
from holdfast.formats.interface import (
    NAME,
    VERSION,
    BackupFormat,
    Content,
    Part,
    TableStart,
    Target,
)
from holdfast.model import Header, SkippedTable, Trailer
from holdfast.rows import layout_of
from holdfast.schema import read_facts, read_schema
from tests.conftest import MakeDatabase

SMALL = (
    "CREATE TABLE contacts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, photo BLOB);"
    "INSERT INTO contacts VALUES (1, 'Ann', x'00ff'), (2, 'Bøb', NULL);"
    "CREATE TABLE tags (name); INSERT INTO tags VALUES ('new'); CREATE TABLE empty (x);"
)


@dataclasses.dataclass(frozen=True)
class Backup:
    """A backup as it was written, and the parts that were to be written."""

    path: Path
    parts: list[Part]

    def files(self) -> list[Path]:
        """Return its files: itself and its manifest, or all that a folder holds."""
        if self.path.is_dir():
            return sorted(path for path in self.path.rglob("*") if path.is_file())
        return sorted(self.path.parent.glob(f"{self.path.name}*"))

    def moved(self, path: Path) -> Backup:
        """Give it another name, and its manifest too."""
        for part in [self.path] if self.path.is_dir() else self.files():
            part.rename(path.with_name(path.name + part.name.removeprefix(self.path.name)))
        return Backup(path, self.parts)


WriteBackup = Callable[..., Backup]


def variants() -> dict[str, tuple[BackupFormat, str]]:
    """Return each format that is written, with each compression that it can have."""
    found = {}
    for name, form in FORMATS.items():
        for compression in ("none",) if name == "zip" else ("none", "zstd", "gzip"):
            if form.write:
                label = name if compression == "none" else f"{name} {compression}"
                found[label] = (form, compression)
    pretty = replace(json_document.FORMAT, write=json_document.write_pretty)
    return found | {"json pretty": (pretty, "none")}


@pytest.fixture(params=[pytest.param(value, id=name) for name, value in variants().items()])
def variant(request: pytest.FixtureRequest) -> tuple[BackupFormat, str]:
    """Every way to write a backup in turn: each must pass every test that asks for one."""
    found: tuple[BackupFormat, str] = request.param
    return found


@pytest.fixture
def write(
    tmp_path: Path, make_database: MakeDatabase, variant: tuple[BackupFormat, str]
) -> WriteBackup:
    """Write a backup of the database that some SQL makes."""

    def write_it(sql: str, **changes: object) -> Backup:
        (tmp_path / "made").mkdir()
        return write_backup(make_database(sql), tmp_path / "made" / "backup", variant, **changes)

    return write_it


def write_backup(
    source: Path, path: Path, variant: tuple[BackupFormat, str], **changes: object
) -> Backup:
    """Write a backup of a database; `changes` are facts of its header."""
    form, compression = variant
    assert form.write
    with database.read_only(source) as connection:
        schema = read_schema(connection)
        header = Header(
            format=NAME,
            version=VERSION,
            backup_date="2026-11-20T14:22:33Z",
            exported_by="ann@laptop",
            generator="holdfast 0.1.0",
            type="full",
            groups=(),
            skipped_tables=tuple(
                SkippedTable(table.name, "a virtual table") for table in schema.virtual_tables
            ),
            database=read_facts(connection, "tool.db"),
            schema=schema.entries,
            layout={table.name: layout_of(table) for table in schema.tables},
        )
        header = replace(header, **changes)
        digests = {table.name: digest_of(connection, table) for table in schema.tables}
        trailer = Trailer(
            sequences=schema.sequences,
            counts={name: digest.row_count for name, digest in digests.items()},
            digests={name: digest.hex() for name, digest in digests.items()},
        )
        lines = {table.name: list(read_lines(connection, table)) for table in schema.tables}
        content = Content(header, lines.items(), lambda: trailer, connection)
        if form.is_folder:
            path.mkdir()
            form.write(Target(path=path, compression=compression), content)
        elif form.is_stream:
            with path.open("wb") as file, compressing(file, compression) as stream:
                form.write(Target(stream, path), content)
        else:
            raw = path.with_name("raw")
            with raw.open("w+b") as whole:
                form.write(Target(whole, raw), content)
            with path.open("wb") as file, compressing(file, compression) as stream:
                stream.write(raw.read_bytes())
            raw.unlink()
        if form.manifest:
            proof = path.with_name(path.name + form.manifest_suffix)
            proof.write_bytes(form.manifest(path, content))
    parts: list[Part] = [header]
    for name, batches in lines.items():
        parts += [TableStart(name), *batches]
    return Backup(path, merged([*parts, trailer]))


def merged(parts: list[Part]) -> list[Part]:
    """Join the bytes of each table: how many come at a time is the reader's own affair."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += part
        elif part != b"":
            found.append(part)
    return found


def read_back(path: Path) -> list[Part]:
    return merged(list(open_backup(path).parts()))
