"""The tables of the history, and how the file of an earlier version or of another place is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from holdfast import database, files

SCHEMA = """
CREATE TABLE backups (
    path TEXT PRIMARY KEY,     -- absolute
    database TEXT NOT NULL,    -- the path it was read from, absolute
    created_at TEXT NOT NULL,  -- UTC, ISO 8601
    bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,  -- with bytes, tells whether the file is still the same
    row_count INTEGER NOT NULL,
    counts TEXT NOT NULL,      -- JSON: rows by table
    verified TEXT NOT NULL,    -- what was proven of it: '' or the name of a rung
    verified_at TEXT NOT NULL,
    part TEXT NOT NULL,        -- which part of the database it holds; '': all
    sha256 TEXT NOT NULL DEFAULT ''  -- of the file; '': not known
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,          -- UTC, ISO 8601
    operation TEXT NOT NULL,   -- export, import, ...
    outcome TEXT NOT NULL,     -- done, or the name of the error
    database TEXT NOT NULL,
    backup TEXT NOT NULL,
    details TEXT NOT NULL      -- JSON
);
CREATE TABLE restore_points (
    path TEXT PRIMARY KEY,     -- absolute, with what is not plain percent-encoded
    database TEXT NOT NULL,    -- what it is a copy of, absolute
    taken_at TEXT NOT NULL,    -- UTC, ISO 8601
    reason TEXT NOT NULL       -- the operation that it was taken before
);
CREATE INDEX backups_by_database ON backups (database, created_at);
"""
# Added to the file of an earlier version when it is written to.
_LATER_SCHEMA = """
CREATE TABLE IF NOT EXISTS copies (
    place TEXT PRIMARY KEY,    -- STORE:NAME
    store TEXT NOT NULL,       -- its name in backup.yaml
    name TEXT NOT NULL,        -- what the backup is called there
    backup TEXT NOT NULL,      -- the local file that was put there, absolute; '': not known
    bytes INTEGER NOT NULL,    -- that it takes there
    stored_at TEXT NOT NULL,   -- UTC, ISO 8601
    verified TEXT NOT NULL,    -- what was proven of it: '' or the name of a rung
    verified_at TEXT NOT NULL,
    part TEXT NOT NULL         -- which part of the database it holds; '': all
);
CREATE TABLE IF NOT EXISTS visits (
    store TEXT PRIMARY KEY,
    reached_at TEXT NOT NULL,    -- when it last did what it was asked; '': never
    failing_since TEXT NOT NULL, -- when it first did not, since then; '': it does
    problem TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS folders (
    name TEXT PRIMARY KEY,     -- output, home, user_home
    path TEXT NOT NULL         -- absolute, when this file was last written to
);
CREATE INDEX IF NOT EXISTS events_by_operation ON events (operation, id);
"""
LATER_COLUMNS = ("part", "sha256")  # of backups
_PATHS = (
    ("backups", "path"),
    ("backups", "database"),
    ("copies", "backup"),
    ("events", "backup"),
    ("events", "database"),
    ("restore_points", "database"),
)


def folders_of(output: Path, around: Mapping[str, Path]) -> dict[str, str]:
    """
    Return the folders whose paths follow when they are moved, the innermost first.

    Args:
        output: where the file lies.
        around: others by name, the inner first; one that does not hold those before is left out,
            as who else uses that output has others.
    """
    found, inner = {"output": files.text_of(output)}, files.resolved(output)
    for name, path in around.items():
        outer = files.resolved(path)
        if not inner.is_relative_to(outer):
            break
        found[name] = files.text_of(outer)
        inner = outer
    return found


def has_moved(connection: database.Connection, folders: Mapping[str, str]) -> bool:
    """Tell whether the file lies elsewhere than when it was last written to."""
    return bool(_moves(_recorded(connection), folders))


def missing_columns(connection: database.Connection) -> list[str]:
    """Return the columns of backups that the file of an earlier version lacks."""
    found = connection.execute("SELECT name FROM pragma_table_info('backups')").fetchall()
    return [name for name in LATER_COLUMNS if (name,) not in found]


def bring_up(connection: database.Connection, folders: Mapping[str, str]) -> None:
    """Add what the file of an earlier version lacks; where the folders have moved, so do paths."""
    for statement in filter(str.strip, _LATER_SCHEMA.split(";\n")):
        connection.execute(statement)
    for name in missing_columns(connection):
        connection.execute(f"ALTER TABLE backups ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
    before = _recorded(connection)
    moves = _moves(before, folders)
    if moves:
        for table, column in _PATHS:
            _move(connection, table, column, moves, os.sep)
        quoted = {_quoted(old): _quoted(new) for old, new in moves.items()}
        _move(connection, "restore_points", "path", quoted, _quoted(os.sep))
    for name, path in folders.items():
        if moves or name not in before:
            database.upsert_row(connection, "folders", {"name": name, "path": path}, key="name")


def _quoted(path: str) -> str:
    return quote(os.fsencode(path))


def _recorded(connection: database.Connection) -> dict[str, str]:
    is_there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'folders'").fetchone()
    return dict(connection.execute("SELECT name, path FROM folders")) if is_there else {}


def _moves(before: Mapping[str, str], folders: Mapping[str, str]) -> dict[str, str]:
    """Return where folders lie now by where they lay; none moves without what lies in it."""
    found = {}
    for name, path in folders.items():
        if before.get(name, path) == path:
            break
        found[before[name]] = path
    return found


def _move(
    connection: database.Connection, table: str, column: str, moves: Mapping[str, str], between: str
) -> None:
    """Write the paths below folders anew, each by the first folder that it is below."""
    cases = f" WHEN substr({column}, 1, ?) = ? THEN ? || substr({column}, ?)" * len(moves)
    values = [
        value
        for old, new in moves.items()
        for value in (len(old + between), old + between, new, len(old) + 1)
    ]
    # What is on record of the new place already is of what lies there.
    connection.execute(
        f"UPDATE OR IGNORE {table} SET {column} = CASE{cases} ELSE {column} END", values
    )
