"""The one SQLite library of this process, and how its errors become ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import (
    DatabaseDamaged,
    DatabaseError,
    DatabaseLocked,
    NotADatabase,
    WriteFailed,
)
from holdfast.model import folded

if TYPE_CHECKING:
    import sqlite3 as sqlite3  # noqa: PLC0414 - which exports it to the other modules here
else:
    try:  # the choice that sqlite-utils makes too
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

Connection = sqlite3.Connection
IntegrityError = sqlite3.IntegrityError
OperationalError = sqlite3.OperationalError
SQLITE_VERSION: tuple[int, ...] = sqlite3.sqlite_version_info
FIRST_SOUND_SQLITE = (3, 51, 3)  # earlier ones can corrupt a database when its log is reset
DEFAULT_WAIT_SECONDS = 30.0

# For a value of these types, the driver looks for how to adapt it each time, and finds nothing.
sqlite3.register_adapter(type(None), lambda value: value)
sqlite3.register_adapter(bytes, lambda value: value)


def sqlite_version() -> str:
    """Return the version of the SQLite that runs."""
    return ".".join(map(str, SQLITE_VERSION))


def quote_identifier(name: str) -> str:
    """Quote a table's or column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Quote a text for SQL, where it cannot be passed as a value."""
    return "'" + text.replace("'", "''") + "'"


@contextlib.contextmanager
def translated_errors(
    path: Path | str, wait_seconds: float = DEFAULT_WAIT_SECONDS
) -> Iterator[None]:
    """Turn SQLite's errors on the database `path`, or what it is called, into ours."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise _translated(error, path, wait_seconds) from error


def _translated(error: Exception, path: Path | str, wait_seconds: float) -> Exception:
    text = str(error)
    if is_locked(error):
        return locked(path, wait_seconds)
    if "not a database" in text:
        return NotADatabase(
            f"{path} is not a SQLite database, or is encrypted",
            hint="Give the database file itself with --db PATH.",
        )
    if "malformed" in text:
        return DatabaseDamaged(
            f"{path} is damaged: {text}",
            hint="Keep the file as it is. Restore the last good backup, or try sqlite3's .recover.",
        )
    if "is full" in text or "I/O error" in text:
        return WriteFailed(
            f"the disk of {path} is full, or failing: {text}",
            hint="Free some space, or see to the disk, then try again.",
        )
    if "unable to open" in text or "readonly" in text:
        return DatabaseError(
            f"{path} cannot be opened: {text}",
            hint="Check that you may read the file and write to its folder: SQLite needs both.",
        )
    return DatabaseError(f"{path}: {text}", hint="Nothing was changed.")


def is_refusal(error: Exception) -> bool:
    """Tell whether SQLite refused a row, rather than failed to write it."""
    if isinstance(error, sqlite3.OperationalError):
        return not any(word in str(error) for word in ("locked", "is full", "I/O error", "open"))
    return isinstance(error, sqlite3.IntegrityError)


def is_locked(error: Exception) -> bool:
    """Tell whether something failed only because another connection holds a lock."""
    return "locked" in str(error)


def locked(path: Path | str, wait_seconds: float) -> DatabaseLocked:
    """Make the error for a lock that lasted longer than we were told to wait."""
    return DatabaseLocked(
        f"{path} stayed locked for {wait_seconds:g} seconds",
        hint="Close the program that is writing to it, or wait longer with --wait SECONDS.",
    )


def is_interrupted(error: Exception) -> bool:
    """Tell whether a statement was ended by `interrupt`."""
    return str(error) == "interrupted"


def is_invalid_text(error: Exception) -> bool:
    """Tell whether reading failed only because some TEXT is not valid UTF-8."""
    return isinstance(error, sqlite3.OperationalError) and "Could not decode to UTF-8" in str(error)


def shadow_tables(sql: str) -> list[str] | None:
    """
    Name the tables that SQLite makes for a virtual table, by making it where it harms nobody.

    Returns: None when it cannot be made, as without its module.
    """
    content = re.search(r"""(?i)content\s*=\s*["'\[]?(\w+)""", sql)
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        try:
            if content:  # FTS4 looks at the table that it indexes
                connection.execute(f"CREATE TABLE {quote_identifier(content[1])} (x)")
            connection.execute(sql)
        except sqlite3.Error:
            return None
        rows = connection.execute("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
        # The table that is indexed may itself be called as a shadow table would be.
        return [name for (name,) in rows if not content or folded(name) != folded(content[1])]


def no_harm(action: int, *_: object) -> int:
    """
    Deny what a backup's definitions must not do: reach another file, or go on for ever.

    For `set_authorizer`, where statements are not our own.
    """
    return sqlite3.SQLITE_DENY if action in (_ATTACH, _RECURSIVE) else sqlite3.SQLITE_OK


_ATTACH, _RECURSIVE = 24, 33  # SQLITE_ATTACH, SQLITE_RECURSIVE


def unmakeable(definitions: Iterable[str]) -> list[str]:
    """Say which definitions SQLite here cannot make, for want of a function or a collation."""
    complaints = []
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.set_authorizer(no_harm)
        for sql in definitions:
            try:
                connection.execute(sql)
            except sqlite3.Error as error:
                if re.search("no such (collation|function)|unknown function", str(error)):
                    complaints.append(str(error))
    return complaints


def is_missing(error: Exception) -> bool:
    """Tell whether a module, tokenizer, function or collation is not here, and nothing is wrong."""
    words = ("no such", "unknown tokenizer", "unknown function", "SQL logic error")
    return isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in words)


def is_readable(connection: Connection, table: str) -> bool:
    """Tell whether a table can be read, which a virtual one without its module cannot."""
    try:
        connection.execute(f"SELECT * FROM main.{quote_identifier(table)} LIMIT 0").fetchall()
    except sqlite3.OperationalError as error:
        if is_missing(error):
            return False
        raise
    return True
