"""Opening a database: for reading one moment, for one change, or as a file of our own."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from holdfast import files
from holdfast.database.library import (
    DEFAULT_WAIT_SECONDS,
    Connection,
    OperationalError,
    is_locked,
    locked,
    no_harm,
    quote_identifier,
    sqlite3,
    translated_errors,
)
from holdfast.errors import DatabaseNotFound, NotADatabase
from holdfast.redaction import unredacted

_POLL_SECONDS = 0.02


def require_database(path: Path) -> None:
    """
    Complain unless there is a file that may be a database.

    The file is not opened: closing it would drop the locks of a connection to it in this
    process (sqlite.org/howtocorrupt.html, 2.2).
    """
    with files.reading(path):
        is_there = path.exists()
    if not is_there:
        raise DatabaseNotFound(f"no database at {path}", hint="Give its path with --db PATH.")
    if not path.is_file():
        raise NotADatabase(f"{path} is not a file", hint="Give the database file itself.")
    if path.stat().st_size == 0:
        raise NotADatabase(
            f"{path} is empty (0 bytes)", hint="If it held data, restore the last backup of it."
        )


@contextlib.contextmanager
def read_only(
    path: Path, wait_seconds: float = DEFAULT_WAIT_SECONDS, *, attach: Mapping[str, Path] = {}
) -> Iterator[Connection]:
    """
    Yield a connection inside one read transaction: all that it sees is of one moment.

    Writers go on meanwhile; rows that are still in the write-ahead log are seen; the database
    and its log are not touched, but for what an interrupted transaction left to be undone.

    Args:
        attach: scratch databases by the name they get; these may be written to.

    Raises: DatabaseNotFound, NotADatabase, DatabaseDamaged, DatabaseLocked, DatabaseError.
    Source: https://www.sqlite.org/isolation.html
    """
    require_database(path)
    # With a log beside it, the last connection that may write would fold that into the database
    # as it closes. Without one, a connection that may write leaves nothing behind, and can undo
    # what a crash left in a rollback journal; query_only keeps it from writing more than that.
    mode = "ro" if path.with_name(path.name + "-wal").exists() else "rw"
    with translated_errors(path, wait_seconds):
        with _connected(path, mode, wait_seconds, attach) as connection:
            if not attach:
                connection.execute("PRAGMA query_only = ON")
            # BEGIN alone takes no snapshot: the first read does.
            connection.execute("BEGIN")
            _patiently(connection, "SELECT count(*) FROM sqlite_schema", path, wait_seconds)
            yield connection
            connection.execute("ROLLBACK")


def let_go(connection: Connection) -> None:
    """Let a connection of `read_only` hold nothing any more, until `see_now` is called."""
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")  # takes no snapshot, and no lock


def see_now(connection: Connection) -> int:
    """
    Let a connection of `read_only` see the database as it is now, if no lock prevents it.

    Returns: a number that differs from that of a moment before if anybody has committed since.
    """
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    return moment_of(connection)


def moment_of(connection: Connection) -> int:
    """Return what `see_now` has returned, for the moment that a connection sees."""
    (moment,) = connection.execute("PRAGMA data_version").fetchone()
    return int(moment)


@contextlib.contextmanager
def for_change(
    path: Path, wait_seconds: float = DEFAULT_WAIT_SECONDS, *, attach: Mapping[str, Path] = {}
) -> Iterator[Connection]:
    """
    Yield a connection inside one write transaction, rolled back unless `commit` is called.

    Foreign keys are not enforced, so rows may come in any order, no change reaches rows that
    nobody named, and references that are broken already do no harm: whoever changes rows looks
    for references that broke.

    Raises: as `read_only`.
    """
    require_database(path)
    with translated_errors(path, wait_seconds):
        with _connected(path, "rw", wait_seconds, attach) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")  # inside a transaction it has no effect
            _patiently(connection, "BEGIN IMMEDIATE", path, wait_seconds)
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def commit(connection: Connection) -> None:
    """End the write transaction of `for_change`, keeping what it did."""
    with uncancelled():
        connection.execute("COMMIT")


@contextlib.contextmanager
def uncancelled() -> Iterator[None]:
    """
    Hear no Ctrl-C, nor anything else that ends a program, while this lasts.

    SQLite would finish all the same what it is at, and only then would Python say that it was
    cancelled: of a change that is done.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone hears it
        yield
        return
    ending = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ending if number}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def text_as(connection: Connection, factory: Callable[[bytes], object]) -> Iterator[None]:
    """While this lasts, text comes from the connection through `factory`, as UTF-8."""
    connection.text_factory = factory
    try:
        yield
    finally:
        connection.text_factory = str


def _patiently(connection: Connection, statement: str, path: Path, wait_seconds: float) -> None:
    """Run a statement that a lock may hold up; SQLite's own waiting would not hear Ctrl-C."""
    deadline = time.monotonic() + wait_seconds
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute(statement).fetchall()
            break
        except OperationalError as error:
            if not is_locked(error):
                raise
            if time.monotonic() > deadline:
                raise locked(path, wait_seconds) from error
            time.sleep(_POLL_SECONDS)
    connection.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[Connection]:
    """Yield a connection to a new database that nothing is lost with; no transaction is open."""
    with translated_errors(path), contextlib.closing(sqlite3.connect(path)) as connection:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.set_authorizer(no_harm)
        yield connection


@contextlib.contextmanager
def building(path: Path) -> Iterator[Connection]:
    """
    Yield a connection to an empty file that becomes a database; `files.fsync_path` is left to do.

    No other file can be reached through it, whatever statements a backup holds.
    """
    with scratch(path) as connection:
        connection.execute("PRAGMA journal_mode = MEMORY")  # a failed CREATE is to be undone
        yield connection


@contextlib.contextmanager
def finished(path: Path, called: str = "") -> Iterator[Connection]:
    """
    Yield a connection to a database that nobody will ever change: a backup.

    Nothing appears beside it, as it would for one in WAL mode that is opened the usual way. Any
    thread may use the connection.

    Args: called: what errors call it, where they are to have its path from elsewhere.
    """
    with (
        translated_errors(called or path),
        contextlib.closing(_open(path, "ro&immutable=1", of_one_thread=False)) as connection,
    ):
        yield connection


@contextlib.contextmanager
def exclusive(path: Path, wait_seconds: float = DEFAULT_WAIT_SECONDS) -> Iterator[Connection]:
    """
    Yield a connection that keeps all others out, outside any transaction.

    Raises: DatabaseLocked while another connection reads or writes; otherwise as `read_only`.
    """
    require_database(path)
    with translated_errors(path, wait_seconds):
        with _connected(path, "rw", wait_seconds, {}) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            _patiently(connection, "BEGIN EXCLUSIVE", path, wait_seconds)
            connection.execute("COMMIT")  # the lock stays
            yield connection


def set_journal_mode(path: Path, mode: str) -> None:
    """Set how a database that nobody has open keeps its journal."""
    with translated_errors(path), contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")


def _open(
    path: Path, mode: str, wait_seconds: float = 0.0, *, of_one_thread: bool = True
) -> Connection:
    address = quote(os.fsencode(path.absolute()))
    return sqlite3.connect(
        f"file:{address}?mode={mode}",
        uri=True,
        timeout=wait_seconds,
        isolation_level=None,
        check_same_thread=of_one_thread,
    )


@contextlib.contextmanager
def _connected(
    path: Path, mode: str, wait_seconds: float, attach: Mapping[str, Path]
) -> Iterator[Connection]:
    with contextlib.closing(_open(path, mode, wait_seconds)) as connection:
        connection.create_function("is_negative_zero", 1, _is_negative_zero, deterministic=True)
        connection.create_function("unredacted", -1, unredacted, deterministic=True)
        if attach:  # which reads the schema of all databases, and waits for a lock deaf to Ctrl-C
            _patiently(connection, "SELECT count(*) FROM sqlite_schema", path, wait_seconds)
        for name, file in attach.items():
            connection.execute("ATTACH ? AS " + quote_identifier(name), [os.fspath(file)])
            connection.execute(f"PRAGMA {quote_identifier(name)}.journal_mode = OFF")
            connection.execute(f"PRAGMA {quote_identifier(name)}.synchronous = OFF")
        yield connection


def _is_negative_zero(value: object) -> bool:
    return type(value) is float and value == 0 and math.copysign(1, value) < 0
