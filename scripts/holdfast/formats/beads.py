"""
Files of Beads: one issue a line, with its labels, dependencies and comments inside.

    {"id":"bd-1","title":"...","labels":["a"],"dependencies":[{...}],"comments":[{...}]}
    {"_type":"memory","key":"...","value":"..."}             later versions, and "issue" so
    {"id":"bd-2","_deleted":true,"_deleted_at":"..."}        older versions, for an issue that went

What is nested goes into tables of its own, so a file is read once for each. Fields that are
empty are left out of a file, and come back as empty. The number of a comment is that of one
machine, and another comment's on the next: a comment is known by all it says instead.
Source: https://github.com/gastownhall/beads, internal/types and internal/storage/sqlite, v0.49
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from holdfast.formats.compression import plain
from holdfast.formats.foreign import header_of, parts_of, stored_values
from holdfast.formats.interface import BackupFormat, Part, damaged

NAME = "beads"

_NESTED = ("labels", "dependencies", "comments")
_TEXTS = ("description", "design", "acceptance_criteria", "notes")  # that every issue has
_EMPTY = {
    **dict.fromkeys((*_TEXTS, "created_by"), ""),
    **dict.fromkeys(("owner", "close_reason", "closed_by_session", "deleted_by"), ""),
    **dict.fromkeys(("delete_reason", "original_type", "sender", "mol_type"), ""),
    **dict.fromkeys(("source_system", "event_kind", "actor", "target", "payload"), ""),
    **dict.fromkeys(("compaction_level", "ephemeral", "pinned", "is_template", "crystallizes"), 0),
    "metadata": "{}",
    "status": "open",
    "priority": 0,
    "issue_type": "task",
}
_JSON_COLUMNS = frozenset({"metadata"})


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a file; see `BackupFormat.read`."""
    columns: dict[str, dict[str, None]] = {
        "issues": dict.fromkeys(("id", *_TEXTS)),
        "labels": {"issue_id": None, "label": None},
        "dependencies": {"issue_id": None, "depends_on_id": None},
        "comments": {"issue_id": None},
    }
    deleted = []
    for number, line in _lines(path):
        record = _record(line, number)
        if record.get("_deleted"):
            deleted.append(str(record.get("id")))
        for table, row in _rows_of(record, line):
            columns.setdefault(table, {}).update(dict.fromkeys(row))
    header = header_of("beads", columns, notes=list(_notes(deleted)))
    empty = {name: _EMPTY[name] for name in columns["issues"] if name in _EMPTY}
    tables = ((table, _rows(path, table, empty)) for table in columns)
    yield from parts_of(header, tables)


def records(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield what each line that is not blank says; BackupDamaged for one that is no object."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _record(line, number)


def kind_of(record: dict[str, Any]) -> str:
    """Tell what a record is: issue, deleted (a marker of an issue that went), memory, ..."""
    if record.get("_deleted"):
        return "deleted"
    return str(record.get("_type", "issue"))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with plain(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def _record(line: bytes, number: int) -> dict[str, Any]:
    try:
        record = msgspec.json.decode(line, type=dict[str, Any])
    except ValueError as error:
        raise damaged(f"line {number} is cut short, or is no record of Beads: {error}") from error
    if kind_of(record) != "memory" and not isinstance(record.get("id"), str):
        raise damaged(f"line {number} is a record without an id")
    if any(not isinstance(record.get(name) or [], list) for name in _NESTED):
        raise damaged(f"line {number} has other labels, dependencies or comments than lists")
    return record


def _rows(path: Path, table: str, empty: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for number, line in _lines(path):
        for name, row in _rows_of(_record(line, number), line):
            if name == table:
                yield {**empty, **row} if table == "issues" else row


def _rows_of(record: dict[str, Any], line: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows that one record stands for, each with its table."""
    kind = kind_of(record)
    if kind == "deleted":
        return
    values = stored_values(line, _JSON_COLUMNS & record.keys())
    values.pop("_type", None)
    if kind != "issue":
        yield _TABLES.get(kind, kind), values
        return
    yield "issues", {name: value for name, value in values.items() if name not in _NESTED}
    issue = record["id"]
    for label in record.get("labels") or ():
        yield "labels", {"issue_id": issue, "label": label}
    for table in ("dependencies", "comments"):
        for each in record.get(table) or ():
            if not isinstance(each, dict):
                raise damaged(f"{issue} has other {table} than objects")
            row = stored_values(msgspec.json.encode(each))
            if table == "comments":
                row.pop("id", None)
            yield table, {"issue_id": issue} | row


_TABLES = {"memory": "memories"}


def _notes(deleted: list[str]) -> Iterator[str]:
    if deleted:
        named = ", ".join(deleted[:5]) + (", ..." if len(deleted) > 5 else "")
        yield (
            f"{len(deleted):,} records say that an issue was deleted ({named}): an import deletes"
            " none; if they are there, delete them with bd."
        )


def _recognise(_: Path, start: bytes) -> bool:
    first = start.lstrip().partition(b"\n")[0]
    if re.match(rb'\{\s*"_type"\s*:\s*"(issue|memory)"', first):
        return True
    return (
        re.match(rb'\{\s*"id"\s*:\s*"', first) is not None
        and re.search(rb'"(title|_deleted)"\s*:', first) is not None
    )


FORMAT = BackupFormat(
    name=NAME,
    title="Beads' JSON Lines",
    suffix=".jsonl",
    recognise=_recognise,
    read=read,
    proves=False,
    tool=NAME,
)
