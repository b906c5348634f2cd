"""What Holdfast did, and what it knows of each backup: a small database beside the backups."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
from msgspec.structs import asdict, replace

from holdfast import database, files, history_file
from holdfast.errors import (
    DatabaseDamaged,
    DatabaseError,
    HoldfastError,
    NotADatabase,
    WriteFailed,
)
from holdfast.known import Entry, Event, KnownBackup, KnownCopy, KnownStore, Made
from holdfast.model import RestorePoint

FILE_NAME = "history.db"
# Its user_version. Tables and columns that come are passed over by an earlier Holdfast; what would
# lead it wrong needs the next number here, and is then left alone by it.
_VERSION = 0
_ANEW = (
    "Move it away: a new history begins with the next backup. The backups stay as good as they are."
)


class History:
    """The history beside the backups in `folder`; made when first written to."""

    def __init__(
        self,
        folder: Path,
        wait_seconds: float = database.DEFAULT_WAIT_SECONDS,
        around: Mapping[str, Path] | None = None,
    ) -> None:
        """
        Args:
            wait_seconds: for a lock, when it is read.
            around: folders by name, as `history_file.folders_of` takes them.
        """
        self.path = folder / FILE_NAME
        self._wait_seconds = wait_seconds
        self._folders = history_file.folders_of(folder, around or {})
        self._is_settled = False

    def backups(self) -> list[KnownBackup]:
        """Return every backup on record, the newest first."""
        if not self._is_there():
            return []
        with self._for_reading() as connection:
            missing = history_file.missing_columns(connection)
            later = ("''" if name in missing else name for name in history_file.LATER_COLUMNS)
            rows = connection.execute(
                "SELECT path, database, created_at, bytes, modified_ns, row_count, counts,"
                f" verified, verified_at, {', '.join(later)} FROM backups"
                " ORDER BY created_at DESC, rowid DESC"
            ).fetchall()
        try:
            return [
                replace(KnownBackup(*row), counts=msgspec.json.decode(row[6], type=dict[str, int]))
                for row in rows
            ]
        except ValueError as error:
            raise self._changed_by_another(error) from error

    def made(self) -> list[Made]:
        """Return every export that was recorded with what it made, the first one first."""
        if not self._is_there():
            return []
        facts = ("part", "redacted", "verified", "rows")
        values = ", ".join(f"json_extract(details, '$.{name}')" for name in facts)
        with self._for_reading() as connection:
            rows = connection.execute(
                f"SELECT database, backup, at, {values} FROM events WHERE operation = 'export'"
                " AND outcome = 'done' AND json_extract(details, '$.part') NOTNULL ORDER BY id"
            ).fetchall()
        return [replace(Made(*row), is_redacted=bool(row[4])) for row in rows]

    def record_backup(self, backup: KnownBackup) -> None:
        """Remember a backup; one of the same path is replaced, for the file was."""
        row = asdict(backup) | {"counts": json.dumps(backup.counts)}
        with self._for_change() as connection:
            database.upsert_row(connection, "backups", row, key="path")

    def copies(self) -> list[KnownCopy]:
        """Return every backup in a store that is on record, the last that was put first."""
        rows = self._rows_of_stores(
            "copies", "store, name, backup, bytes, stored_at, verified, verified_at, part"
        )
        return [KnownCopy(*row) for row in rows]

    def record_copy(self, copy: KnownCopy) -> None:
        """Remember a backup in a store; what was known of it before is replaced."""
        row = asdict(copy) | {"place": f"{copy.store}:{copy.name}"}
        with self._for_change() as connection:
            database.upsert_row(connection, "copies", row, key="place")

    def forget_copies(self, store: str, names: Iterable[str]) -> None:
        """Forget backups that are no longer in a store."""
        with self._for_change() as connection:
            connection.executemany(
                "DELETE FROM copies WHERE store = ? AND name = ?",
                [(store, name) for name in names],
            )

    def visits(self) -> list[KnownStore]:
        """Return what is known of each store that was ever asked for something."""
        rows = self._rows_of_stores("visits", "store, reached_at, failing_since, problem")
        return [KnownStore(*row) for row in rows]

    def record_visit(self, store: str, at: str, problem: str = "") -> None:
        """Remember that a store did what it was asked, or why not."""
        before = {each.store: each for each in self.visits()}.get(store, KnownStore(store))
        now = KnownStore(store, at)
        if problem:
            now = KnownStore(store, before.reached_at, before.failing_since or at, problem)
        with self._for_change() as connection:
            database.upsert_row(connection, "visits", asdict(now), key="store")

    def _rows_of_stores(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        if not self._is_there():
            return []
        with self._for_reading() as connection:
            is_there = connection.execute(
                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", [table]
            ).fetchone()
            if not is_there:  # the file of an earlier version
                return []
            return connection.execute(
                f"SELECT {columns} FROM {table} ORDER BY rowid DESC"
            ).fetchall()

    def restore_points(self, database_path: Path | None = None) -> list[RestorePoint]:
        """Return the restore points of a database, or of any, that are there; the newest first."""
        if not self._is_there():
            return []
        with self._for_reading() as connection:
            rows = connection.execute(
                "SELECT path, database, taken_at, reason FROM restore_points"
                " WHERE database = ?1 OR ?1 ISNULL ORDER BY rowid DESC",
                [files.text_of(database_path) if database_path else None],
            ).fetchall()
        points = [
            RestorePoint(Path(os.fsdecode(unquote_to_bytes(path))), Path(of), *rest)
            for path, of, *rest in rows
        ]
        return [point for point in points if point.path.is_file()]

    def record_restore_point(self, point: RestorePoint) -> None:
        """Remember a restore point."""
        row = {
            "path": quote(os.fsencode(point.path)),  # any name comes back from this
            "database": files.text_of(point.database),
            "taken_at": point.taken_at,
            "reason": point.reason,
        }
        with self._for_change() as connection:
            database.insert_row(connection, "restore_points", row)

    def record_event(
        self,
        *,
        at: str,
        operation: str,
        outcome: str,
        database_path: Path,
        backup: Path,
        details: Mapping[str, Any],
    ) -> None:
        """Remember what an operation did."""
        row = {
            "at": at,
            "operation": operation,
            "outcome": outcome,
            "database": files.text_of(database_path),
            "backup": files.text_of(backup),
            "details": json.dumps(details, ensure_ascii=False),
        }
        with self._for_change() as connection:
            database.insert_row(connection, "events", row)

    def events(self, operation: str, count: int) -> list[Event]:
        """Return the last events of an operation, the latest first: in the order they came in."""
        found = self._entries("operation = ?", [operation], count)
        return [Event(each.at, each.outcome, each.details) for each in found]

    def entries(self, count: int, database_path: Path | None = None) -> list[Entry]:
        """Return the last events, of one database or of all, the latest first."""
        if database_path is None:
            return self._entries("1", [], count)
        return self._entries("database = ?", [files.text_of(database_path)], count)

    def _entries(self, where: str, values: list[str], count: int) -> list[Entry]:
        if not self._is_there():
            return []
        with self._for_reading() as connection:
            rows = connection.execute(
                "SELECT id, at, operation, outcome, database, backup, details FROM events"
                f" WHERE {where} ORDER BY id DESC LIMIT ?",
                [*values, count],
            ).fetchall()
        try:
            return [
                replace(Entry(*row), details=msgspec.json.decode(row[6], type=dict[str, Any]))
                for row in rows
            ]
        except ValueError as error:
            raise self._changed_by_another(error) from error

    def plan_basis(self, plan_id: str) -> dict[str, Any] | None:
        """Return what a plan rested on when it was shown; None when it is not on record."""
        return self._last_detail(
            "rests_on",
            "operation = 'import' AND outcome = 'planned'"
            " AND json_extract(details, '$.plan_id') = ?",
            [plan_id],
        )

    def last_digests(self, database_path: Path, backup: Path) -> dict[str, str] | None:
        """Return the tables' digests in a backup when it last went out of, or into, a database."""
        return self._last_detail(
            "digests",
            "database = ? AND backup = ? AND outcome = 'done'"
            " AND json_extract(details, '$.digests') NOTNULL",
            [files.text_of(database_path), files.text_of(backup)],
        )

    def export_detail(self, name: str, database_path: Path, backup: Path) -> dict[str, Any] | None:
        """Return one of the details of the export that made a backup; None when it has none."""
        return self._last_detail(
            name,
            "operation = 'export' AND database = ? AND backup = ?",
            [files.text_of(database_path), files.text_of(backup)],
        )

    def _last_detail(self, name: str, where: str, values: list[str]) -> dict[str, Any] | None:
        """Return one of the details of the last event of a kind; None when it is not on record."""
        if not self._is_there():
            return None
        with self._for_reading() as connection:
            row = connection.execute(
                f"SELECT details FROM events WHERE {where} ORDER BY id DESC LIMIT 1", values
            ).fetchone()
        try:
            details = msgspec.json.decode(row[0], type=dict[str, Any]) if row else {}
            return msgspec.convert(details.get(name), dict[str, Any] | None)
        except ValueError:  # another program wrote it
            return None

    def _is_there(self) -> bool:
        with files.reading(self.path):  # a folder that may not be looked into
            return self.path.is_file()

    def _changed_by_another(self, error: ValueError) -> DatabaseDamaged:
        return DatabaseDamaged(
            f"{self.path} was changed by another program: {error}",
            hint=_ANEW,
        )

    @contextlib.contextmanager
    def _for_reading(self) -> Iterator[database.Connection]:
        with (
            self._with_its_own_hint(),
            database.read_only(self.path, self._wait_seconds) as connection,
        ):
            self._complain_of_version(connection)
            if self._is_settled or not history_file.has_moved(connection, self._folders):
                self._is_settled = True
                yield connection
                return
        self._is_settled = True
        with contextlib.suppress(HoldfastError), self._for_change(self._wait_seconds):
            pass  # or it is read with the paths that it has
        with self._for_reading() as connection:
            yield connection

    def _complain_of_version(self, connection: database.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise DatabaseError(
                f"{self.path} was written by a later version of Holdfast",
                hint="Update Holdfast. The history and the backups are as they were.",
            )

    @contextlib.contextmanager
    def _with_its_own_hint(self) -> Iterator[None]:
        """Where SQLite finds no sound database, --db is no help: nobody chose this file."""
        try:
            yield
        except (NotADatabase, DatabaseDamaged) as error:
            raise type(error)(str(error), hint=_ANEW) from error

    @contextlib.contextmanager
    def _for_change(
        self, wait_seconds: float = database.DEFAULT_WAIT_SECONDS
    ) -> Iterator[database.Connection]:
        if not self._is_there():
            # Another process may make it at the same time: whoever comes first is right.
            with contextlib.suppress(WriteFailed):
                database.create_database(
                    self.path, schema_sql=history_file.SCHEMA, tables=(), journal_mode="delete"
                )
        with self._with_its_own_hint(), database.for_change(self.path, wait_seconds) as connection:
            self._complain_of_version(connection)
            # A file that another program made has no such tables, and gets none.
            for table in ("backups", "events", "restore_points"):
                connection.execute(f"SELECT 1 FROM {table} LIMIT 0")
            history_file.bring_up(connection, self._folders)
            yield connection
            database.commit(connection)
