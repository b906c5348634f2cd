"""
Files of Genie: version 4's exports, and version 5's snapshots of a repository's database.

    {"version":"1.0","exportedAt":"...",...,"data":{"boards":[{...}],...}}      version 4
    {"schemaVersion":1,"meta":[...],"boards":[...],"tasks":[...],...}           version 5

Both hold rows as they are in the database. Neither has counts or digests.
Source: https://github.com/automagik-dev/genie, src/lib/export-format.ts at v4.260328.2, and the
task export of v5.260816.2
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from holdfast.formats import documents
from holdfast.formats.foreign import header_of, parts_of
from holdfast.formats.interface import BackupFormat, Part
from holdfast.model import SkippedTable

_EXPORT_VERSION = "1.0"
_SNAPSHOT_VERSION = "1"

_EXPORT_KEYS = (
    *("version", "exportedAt", "exportedBy", "genieVersion"),
    *("type", "groups", "skippedTables", "data"),
)
_SNAPSHOT_TABLES = (
    *("meta", "boards", "tasks", "task_dependencies"),
    *("stage_log", "task_events", "wish_groups", "hire_roster"),
)


def read_export(path: Path) -> Iterator[Part]:
    """Yield the parts of an export of version 4; see `BackupFormat.read`."""
    document = documents.read_document(path)
    version = documents.needed(document, "version", str)
    documents.complain_of_version(version, _EXPORT_VERSION, "Genie 4")
    data = documents.needed(document, "data", dict[str, msgspec.Raw])
    tables = {name: documents.objects(rows, f"data.{name}") for name, rows in data.items()}
    genie = documents.value_of(document, "genieVersion", str, "4")
    header = replace(
        header_of(
            f"Genie {genie}",
            documents.columns_of(tables, _row),
            version=version,
            backup_date=documents.needed(document, "exportedAt", str),
            notes=documents.unread(document, _EXPORT_KEYS),
        ),
        type=documents.value_of(document, "type", str, "full"),
        groups=documents.value_of(document, "groups", tuple[str, ...], ()),
        exported_by=documents.value_of(document, "exportedBy", str, ""),
        skipped_tables=tuple(
            SkippedTable(name, "Genie did not find it when it made the file")
            for name in documents.value_of(document, "skippedTables", list[str], [])
        ),
    )
    yield from parts_of(header, documents.rows_of(tables, _row))


def read_snapshot(path: Path) -> Iterator[Part]:
    """Yield the parts of a snapshot of version 5; see `BackupFormat.read`."""
    document = documents.read_document(path)
    version = str(documents.needed(document, "schemaVersion", int))
    documents.complain_of_version(version, _SNAPSHOT_VERSION, "Genie 5")
    rest = {name: value for name, value in document.items() if name != "schemaVersion"}
    # A table of a later version is read like any other: the import says that it has no place.
    more = (name for name, value in rest.items() if documents.starts(value, b"["))
    names = dict.fromkeys([*_SNAPSHOT_TABLES, *more])
    tables = {name: documents.objects(rest.get(name), f"{name} table") for name in names}
    header = header_of(
        "Genie 5",
        documents.columns_of(tables, _row),
        version=version,
        notes=documents.unread(rest, tables),
    )
    yield from parts_of(header, documents.rows_of(tables, _row))


def _row(_: str, text: msgspec.Raw) -> dict[str, Any]:
    return documents.row_of(text)


EXPORT = BackupFormat(
    name="genie_v4",
    title="an export of Genie 4",
    suffix=".json",
    recognise=documents.recogniser(_EXPORT_KEYS, ("version", "exportedAt", "data")),
    read=read_export,
    proves=False,
    tool="genie_v4",
)
SNAPSHOT = BackupFormat(
    name="genie",
    title="a snapshot of Genie 5",
    suffix=".json",
    recognise=documents.recogniser(
        ("schemaVersion", *_SNAPSHOT_TABLES),
        ("schemaVersion", "boards"),
        ("schemaVersion", "tasks"),
    ),
    read=read_snapshot,
    proves=False,
    tool="genie",
)
