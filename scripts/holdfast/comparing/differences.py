"""The records that say what has changed from one side to the other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from holdfast.comparing.syncing import Sync
from holdfast.model import ShownValue, SkippedTable


class Change(StrEnum):
    """What has happened to something on the way from the first side to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class RowDifference(Struct, frozen=True):
    """A row that has changed; a secret has a marker in its place."""

    change: Change
    key: Mapping[str, Any]  # by column, as a backup writes cells; empty: no key tells it apart
    columns: tuple[str, ...] = ()  # that differ in a changed row
    # Of a changed row those that differ, of another all but the key; the first, and if asked for.
    values: tuple[ShownValue, ...] = ()
    more_values: int = 0  # how many others there are


class TableDifference(Struct, frozen=True):
    """What has changed in a table that both sides have, in rows and in columns."""

    name: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0
    added_columns: tuple[str, ...] = ()  # no row counts as changed for them
    removed_columns: tuple[str, ...] = ()
    rows: tuple[RowDifference, ...] = ()  # as many as were asked for

    @property
    def is_same(self) -> bool:
        return not (self.row_count or self.added_columns or self.removed_columns)

    @property
    def row_count(self) -> int:
        """How many rows differ."""
        return self.added + self.removed + self.changed


class SchemaDifference(Struct, frozen=True):
    """A table, index, view or trigger whose definition has changed."""

    change: Change
    type: str
    name: str


class ComparedSide(Struct, frozen=True):
    """One of the two that were compared."""

    path: Path
    kind: str  # backup, database
    date: str  # of the backup, UTC, ISO 8601; "" when it says none, and for a database
    is_proven: bool  # counts and digests are there and hold; a database has SQLite's own check


class DiffReport(Struct, frozen=True):
    """What has changed from the first side to the second."""

    first: ComparedSide
    second: ComparedSide
    same: bool  # nothing that was compared differs
    tables: tuple[TableDifference, ...]  # that both sides have
    added_tables: Mapping[str, int]  # with their rows
    removed_tables: Mapping[str, int]
    schema: tuple[SchemaDifference, ...]
    # user_version, application_id, AUTOINCREMENT of tables: where they differ, both.
    numbers: Mapping[str, tuple[int | None, int | None]]
    not_compared: tuple[SkippedTable, ...]  # tables that one side leaves out
    parts: tuple[str, ...] = ()  # which part of its database a side holds, where not all
    tells_by_exit_code: bool = False
    sync: Sync | None = None  # None: not asked for
    warnings: tuple[str, ...] = ()
