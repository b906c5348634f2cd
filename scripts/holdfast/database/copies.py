"""Copies of a database, page by page, and the checks that a copy is sound."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

from holdfast import files
from holdfast.database.connections import exclusive, finished, read_only
from holdfast.database.library import (
    DEFAULT_WAIT_SECONDS,
    Connection,
    OperationalError,
    is_missing,
    locked,
    quote_identifier,
    sqlite3,
    translated_errors,
)
from holdfast.errors import DatabaseDamaged


def copy_pages(connection: Connection, target: Path) -> None:
    """Copy the moment that a connection of `read_only` sees, page by page, into an empty file."""
    with translated_errors(target), contextlib.closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)


def copy_database(source: Path, target: Path, wait_seconds: float = DEFAULT_WAIT_SECONDS) -> None:
    """
    Copy a live database page by page, with the commits still in its write-ahead log.

    Raises: as `read_only`; WriteFailed when `target` exists or cannot be written.
    Source: https://www.sqlite.org/backup.html
    """
    files.make_folder(target.parent)
    deadline = time.monotonic() + wait_seconds

    def give_up_when_late(status: int, _remaining: int, _total: int) -> None:
        # Past the connection's timeout backup() does not fail: it retries a lock for ever.
        if status in (5, 6) and time.monotonic() > deadline:  # SQLITE_BUSY, SQLITE_LOCKED
            raise locked(source, wait_seconds)

    with files.new_file(target.parent) as (file, partial):
        with read_only(source, wait_seconds) as live, translated_errors(target):
            with contextlib.closing(sqlite3.connect(partial)) as copy:
                live.backup(copy, progress=give_up_when_late)
                complain_of_damage(copy, source)
        with files.translated_errors(target):
            files.fsync_file(file)
        files.publish(partial, [target])


@contextlib.contextmanager
def set_aside(
    path: Path, kept: Path, wait_seconds: float = DEFAULT_WAIT_SECONDS
) -> Iterator[Connection]:
    """
    Copy a live database to `kept`, and keep all others out of it for as long as this lasts.

    What was in its log is in the database itself, with no log beside it.

    Raises: DatabaseLocked while another connection reads or writes; then nothing has changed.
    """
    files.make_folder(kept.parent)
    with translated_errors(path, wait_seconds), exclusive(path, wait_seconds) as live:
        with files.new_file(kept.parent) as (file, partial):
            with contextlib.closing(sqlite3.connect(partial)) as copy:
                live.backup(copy)
            files.fsync_file(file)
            files.publish(partial, [kept])
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield live


def converge(
    path: Path, source: Path, kept: Path, wait_seconds: float = DEFAULT_WAIT_SECONDS
) -> None:
    """
    Give a live database the content of another, after copying what it has to `kept`.

    Its file stays the same one, so that a program that has it open, but is not reading, sees
    the new content: a file put in its place would leave that program with the old one.

    Raises: as `set_aside`.
    Source: https://www.sqlite.org/backup.html
    """
    with set_aside(path, kept, wait_seconds) as live, finished(source) as wanted:
        wanted.backup(live)
        complain_of_damage(live, path)


def complain_of_damage(
    connection: Connection, path: Path, *, thorough: bool = False
) -> tuple[str, ...]:
    """
    Raise DatabaseDamaged unless SQLite's quick, or its thorough, check finds the database sound.

    Returns: what the check found that is no damage, such as values that break a rule of the
        schema, and what it could not look at, such as an index by an unknown collation.
    """
    check = "integrity_check" if thorough else "quick_check"
    try:
        found = _found(connection, f"PRAGMA {check}(20)")
    except OperationalError as error:
        if not is_missing(error):
            raise
        found = [text for name in _table_names(connection) for text in _checked(connection, name)]
    damage = [text for text in found if not _IS_NO_DAMAGE.match(text)]
    if damage:
        raise DatabaseDamaged(
            f"{path} is damaged: {'; '.join(damage[:3])}",
            hint="Keep the file as it is. Restore the last good backup, or try sqlite3's .recover.",
        )
    return tuple(found)


def _table_names(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return [name for (name,) in rows]


def _checked(connection: Connection, table: str) -> list[str]:
    try:
        return _found(connection, f"PRAGMA quick_check({quote_identifier(table)})")
    except OperationalError as error:
        if not is_missing(error):
            raise
        return [f"{table} cannot be checked here: {error}"]


def _found(connection: Connection, check: str) -> list[str]:
    return [text for (text,) in connection.execute(check) if text != "ok"]


# Rows that break a rule of the schema, and full-text indexes that lag behind their table, can be
# read and kept as they are; all else that a check finds is damage to the file.
_IS_NO_DAMAGE = re.compile(
    r"(NULL|TEXT|NUMERIC|non-\w+) value in |CHECK constraint failed in |malformed inverted index"
    r"|unable to validate the inverted index|.* cannot be checked here: "
)
