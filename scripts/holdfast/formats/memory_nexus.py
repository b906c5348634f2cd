"""
Files of the memory CLI (memory-nexus): one JSON document, a list for each kind of thing.

    {"version":"1.0","exportedAt":"...","stats":{...},"sessions":[{"projectName":...},...],...}

Names are in camelCase where the tables have snake_case. Its numbers of messages and links are
not in the file; `stats` has the lengths of the lists. Topics, and when a session was written
down, are not in it either: an import leaves those of the database as they are.
Source: https://github.com/chudeemeke/memory-nexus, src/application/services/export-service.ts
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from holdfast.formats import documents
from holdfast.formats.foreign import header_of, parts_of
from holdfast.formats.interface import BackupFormat, Part

NAME = "memory_nexus"

_VERSION = "1.0"
_TABLES = {
    "sessions": "sessions",
    "messages": "messages_meta",
    "toolUses": "tool_uses",
    "entities": "entities",
    "links": "links",
    "sessionEntities": "session_entities",
    "entityLinks": "entity_links",
    "extractionStates": "extraction_state",
}
_NEEDED = ("sessions", "messages", "toolUses", "entities", "links")
_FRAME = ("version", "exportedAt", "stats")


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a file; see `BackupFormat.read`."""
    document = documents.read_document(path)
    version = documents.needed(document, "version", str)
    documents.complain_of_version(version, _VERSION, "the memory CLI")
    lists = {
        name: documents.objects(document.get(name), name)
        for name in _TABLES
        if name in document or name in _NEEDED
    }
    stated = documents.needed(document, "stats", dict[str, Any])
    documents.complain_of_counts(stated, {name: len(rows) for name, rows in lists.items()})
    tables = {_TABLES[name]: rows for name, rows in lists.items()}
    header = header_of(
        "memory-nexus",
        documents.columns_of(tables, _row),
        version=version,
        backup_date=documents.value_of(document, "exportedAt", str, ""),
        notes=documents.unread(document, (*_FRAME, *_TABLES)),
    )
    yield from parts_of(header, documents.rows_of(tables, _row))


def _row(_: str, text: msgspec.Raw) -> dict[str, Any]:
    return {_snake_case(name): value for name, value in documents.row_of(text).items()}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)


FORMAT = BackupFormat(
    name=NAME,
    title="an export of the memory CLI",
    suffix=".json",
    recognise=documents.recogniser(
        (*_FRAME, *_TABLES),
        *(("version", "stats", name) for name in _NEEDED),
        *(("version", "exportedAt", name) for name in _NEEDED),
        ("version", "exportedAt", "stats"),
    ),
    read=read,
    proves=False,
    tool=NAME,
)
