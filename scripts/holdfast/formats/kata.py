"""
Files of `kata export`: one record a line, `{"kind": "issue", "data": {"id": 1, ...}}`.

The kinds come in a fixed order, each the rows of one table, and last the AUTOINCREMENT marks.
JSON columns stand in them as JSON, and are stored as the text they have there. What kata adds
later is read too: a kind that is not known is taken for a table of its name, and a field for a
column, so that an import says what the database has no place for.

A file is read twice, as the columns of a table are only known once all its rows have passed.
Source: https://github.com/kenn-io/kata, internal/jsonl, at schema version 33
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from holdfast.errors import BackupTooNew, NotABackup
from holdfast.formats.compression import plain
from holdfast.formats.foreign import header_of, parts_of, stored_values
from holdfast.formats.interface import BackupFormat, Part, damaged

NAME = "kata"
VERSION = 33  # the latest that is known here

TABLES = {
    "meta": "meta",
    "project": "projects",
    "project_alias": "project_aliases",
    "issue_sync_binding": "issue_sync_bindings",
    "issue_sync_status": "issue_sync_status",
    "recurrence": "recurrences",
    "issue": "issues",
    "issue_embedding": "issue_embeddings",
    "comment": "comments",
    "issue_label": "issue_labels",
    "link": "links",
    "import_mapping": "import_mappings",
    "external_field_mapping": "external_field_mappings",
    "external_root_binding": "external_root_bindings",
    "external_field_state": "external_field_states",
    "federation_binding": "federation_bindings",
    "federation_sync_status": "federation_sync_status",
    "federation_quarantine": "federation_quarantine",
    "federation_enrollment": "federation_enrollments",
    "issue_claim": "issue_claims",
    "pending_claim_request": "pending_claim_requests",
    "cron_job": "cron_jobs",
    "cron_workflow": "cron_workflows",
    "cron_run": "cron_runs",
    "event": "events",
    "purge_log": "purge_log",
    "project_purge_log": "project_purge_log",
}
_MARK = "sqlite_sequence"
_RANKS = {kind: rank for rank, kind in enumerate([*TABLES, _MARK])}
_LEGACY = {"github_sync_binding": "issue_sync_binding"}
_JSON_COLUMNS = frozenset({"metadata", "payload", "template_labels", "config"})
# Each has an AUTOINCREMENT mark as soon as it has had a row, and kata writes the marks last.
_MARKED = ("projects", "issues", "comments", "links", "events")
# A file of one project may refer to issues of others, by numbers that mean nothing elsewhere.
_PEERS = {"links": ("from_issue_id", "to_issue_id"), "events": ("issue_id", "related_issue_id")}
# What would begin to work for another machine: it waits until a person turns it on again.
_AT_REST = {
    "issue_sync_bindings": {"enabled": False},
    "external_root_bindings": {"paused": True},
}


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a file; see `BackupFormat.read`."""
    survey = _survey(path)
    header = header_of(
        "kata", survey.columns, version=str(survey.version), notes=list(_notes(survey))
    )
    records = ((table, row) for table, row in _records(path) if table != _MARK)
    tables = (
        (table, _rows(table, map(itemgetter(1), group), survey.issues))
        for table, group in groupby(records, key=itemgetter(0))
    )
    yield from parts_of(header, tables, sequences=survey.marks)


def _rows(
    table: str, rows: Iterable[dict[str, Any]], issues: set[object]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table as they are to come in."""
    for row in rows:
        absent = _absent(table, row, issues)
        if not (absent and table == "links"):
            yield _at_rest(table, row) | dict.fromkeys(absent)


def _absent(table: str, row: dict[str, Any], issues: set[object]) -> list[str]:
    """Name the columns that refer to issues which the file does not have: of other projects."""
    return [name for name in _PEERS.get(table, ()) if row.get(name) not in issues]


class _Record(Struct, forbid_unknown_fields=True):
    kind: str
    data: msgspec.Raw


class _Survey(Struct):
    """What a first pass finds in a file."""

    version: int = 0
    columns: dict[str, dict[str, None]] = field(default_factory=dict)  # by table
    highest: dict[str, int] = field(default_factory=dict)  # id by table
    marks: dict[str, int] = field(default_factory=dict)
    woken: dict[str, int] = field(default_factory=dict)  # rows that are not at rest, by table
    issues: set[object] = field(default_factory=lambda: {None})  # ids; None refers to none
    apart: dict[str, int] = field(default_factory=dict)  # rows that refer to other issues


def _survey(path: Path) -> _Survey:
    survey = _Survey()
    for table, row in _records(path):
        if table == _MARK:
            survey.marks[str(row.get("name"))] = _whole_number(row.get("seq"))
            continue
        survey.columns.setdefault(table, {}).update(dict.fromkeys(row))
        if table in _MARKED:
            number = _whole_number(row.get("id"))
            survey.highest[table] = max(survey.highest.get(table, number), number)
        if table == "issues":
            survey.issues.add(row["id"])
        if row != _at_rest(table, row):
            survey.woken[table] = survey.woken.get(table, 0) + 1
        if _absent(table, row, survey.issues):
            survey.apart[table] = survey.apart.get(table, 0) + 1
    survey.version = _version(path)
    for table, number in survey.highest.items():
        if survey.marks and survey.marks.get(table, -1) < number:
            raise damaged(f"its end, where the mark of {table} stood, is missing or changed")
    return survey


def _version(path: Path) -> int:
    """Read the version that a file begins with."""
    with plain(path) as file:
        first = next(filter(None, map(bytes.strip, file)), b"")
    record = _record(first, 1)
    data = stored_values(record.data)
    if record.kind != "meta" or data.get("key") != "export_version":
        raise NotABackup("it does not begin with kata's export_version", hint="Use another file.")
    text = str(data.get("value"))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise NotABackup(f"its export_version is {text!r}, no number", hint="Use another file.")
    if int(text) > VERSION:
        raise BackupTooNew(
            f"{path} has export_version {text}; this program reads those of kata up to {VERSION}",
            hint="Update Holdfast, then try again.",
        )
    return int(text)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the table and the values of each record but the first, in kata's order of kinds."""
    _version(path)
    rank, is_first = 0, True
    with plain(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            record = _record(line, number)
            kind = _LEGACY.get(record.kind, record.kind)
            if _RANKS.get(kind, rank) < rank:
                raise damaged(f"line {number}: {kind} comes after a kind that must follow it")
            rank = _RANKS.get(kind, rank)
            if not is_first:
                yield TABLES.get(kind, kind), stored_values(record.data, _JSON_COLUMNS)
            is_first = False


def _record(line: bytes, number: int) -> _Record:
    try:
        return msgspec.json.decode(line, type=_Record)
    except ValueError as error:
        raise damaged(f"line {number} is cut short, or is no record of kata: {error}") from error


def _whole_number(value: object) -> int:
    if not isinstance(value, int):
        raise damaged(f"{value!r} stands where a number belongs")
    return value


def _at_rest(table: str, row: dict[str, Any]) -> dict[str, Any]:
    still = {name: value for name, value in _AT_REST.get(table, {}).items() if name in row}
    return row | still if still else row


def _notes(survey: _Survey) -> Iterator[str]:
    if survey.highest and not survey.marks:
        yield "it ends without the sqlite_sequence records that kata writes last: it may be cut."
    for table, count in survey.apart.items():
        what = "are left out" if table == "links" else "come in without them"
        yield f"{count:,} of {table} refer to issues that the file does not have, and {what}."
    for table, count in survey.woken.items():
        yield f"{count:,} of {table} come in at rest, until you turn them on again in kata."


def _recognise(_: Path, start: bytes) -> bool:
    return re.match(rb'\s*\{\s*"kind"\s*:\s*"meta"\s*,\s*"data"\s*:', start) is not None


FORMAT = BackupFormat(
    name=NAME,
    title="kata's JSON Lines",
    suffix=".jsonl",
    recognise=_recognise,
    read=read,
    proves=False,
    tool=NAME,
)
