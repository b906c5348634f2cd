"""Copies of a database, page by page, and the checks that a copy is sound."""

from __future__ import annotations

import contextlib
import functools
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from holdfast import files
from holdfast.database.connections import finished, read_only, uncancelled
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
from holdfast.errors import DatabaseDamaged, DatabaseLocked


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
                with files.put_on_disk_meanwhile(partial):
                    live.backup(copy, progress=give_up_when_late)
                complain_of_damage(copy, source)
        with files.translated_errors(target):
            files.fsync_file(file)
        files.publish(partial, [target])


def copy_aside(live: Connection, path: Path, kept: Path) -> None:
    """
    Copy the database of a connection of `exclusive` to `kept`, and check the copy.

    Afterwards all of it is in the file itself, with nothing in a log beside it.

    Raises: DatabaseDamaged; WriteFailed when `kept` exists or cannot be written.
    """
    with files.new_file(kept.parent) as (file, partial):
        with contextlib.closing(sqlite3.connect(partial)) as copy:
            live.backup(copy)
            complain_of_damage(copy, path)
        files.fsync_file(file)
        files.publish(partial, [kept])
    live.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def converge(live: Connection, path: Path, source: Path) -> None:
    """
    Give the database of a connection of `exclusive` the content of another, in one transaction.

    Its file stays the same one, so that a program that has it open, but is not reading, sees
    the new content: a file put in its place would leave that program with the old one.

    Raises: DatabaseError and its kin; WriteFailed; DatabaseDamaged after the change.
    Source: https://www.sqlite.org/backup.html
    """
    with finished(source) as wanted, translated_errors(path):
        if _page_size(wanted) != _page_size(live):
            live.execute("PRAGMA journal_mode = DELETE")  # a log holds pages of one size
        with uncancelled():
            wanted.backup(live)
        complain_of_damage(live, path)


def _page_size(connection: Connection) -> int:
    return int(connection.execute("PRAGMA page_size").fetchone()[0])


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


@contextlib.contextmanager
def looking_for_damage(
    connection: Connection, path: Path, *, beside: bool
) -> Iterator[Callable[[], tuple[str, ...]]]:
    """
    Yield what does as `complain_of_damage`, for a caller who has other things to do meanwhile.

    What it found once, it returns after the block, too.

    Args: beside: a thread looks, through a connection of its own, which may see a later moment.
    """
    if not beside:
        notes = complain_of_damage(connection, path)
        yield lambda: notes
        return
    is_over = threading.Event()

    def look() -> tuple[str, ...]:
        with read_only(path, _BESIDE_SECONDS) as own:
            own.set_progress_handler(is_over.is_set, _PROGRESS_STEPS)
            return complain_of_damage(own, path)

    with ThreadPoolExecutor(1) as thread:
        looked = thread.submit(look)

        @functools.cache
        def found() -> tuple[str, ...]:
            try:
                return looked.result()
            except DatabaseLocked:  # a writer waits for `connection`: nobody else gets in
                return complain_of_damage(connection, path)

        try:
            yield found
        finally:
            is_over.set()


_BESIDE_SECONDS = 1.0
_PROGRESS_STEPS = 100_000  # of SQLite's machine: a fraction of a second


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
