"""What a database is besides its tables, and how it lies on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from holdfast.database import quote_identifier
from tests.conftest import connected
from tests.fidelity.hazard import Hazard

# Leaves the process without closing: what it committed stays in the log.
_CRASH = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = wal")
connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
connection.execute("INSERT INTO t VALUES (1, 'in the database')")
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("INSERT INTO t VALUES (2, 'in the log')")
connection.execute("CREATE TABLE later (x)")
connection.execute("INSERT INTO later VALUES ('in the log alone')")
os._exit(0)
"""


def _crashed(path: Path) -> None:
    subprocess.run([sys.executable, "-c", _CRASH, path], check=True)
    assert path.with_name(path.name + "-wal").stat().st_size > 0


# More than a process may commonly have files open, and than older SQLites take as parameters.
_MANY_TABLES = 1100
# More than is written between two syncs.
_LARGE_BYTES = 40 * 1024 * 1024


def _many_tables(path: Path) -> None:
    with connected(path) as connection:
        connection.execute("BEGIN")
        for number in range(_MANY_TABLES):
            connection.execute(f"CREATE TABLE {quote_identifier(f'table {number}')} (x, y)")
            connection.execute(
                f"INSERT INTO {quote_identifier(f'table {number}')} VALUES (1, ?)", [number]
            )
        connection.execute("COMMIT")


def _large_values(path: Path) -> None:
    with connected(path) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
        connection.execute("INSERT INTO t VALUES (1, zeroblob(?))", [_LARGE_BYTES])
        connection.execute("INSERT INTO t VALUES (2, ?)", ['é"\n\\x' * (_LARGE_BYTES // 60)])


_TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a');"

FILES = (
    Hazard("rows are only in the write-ahead log", _crashed),
    Hazard(
        "there is no table at all",
        "PRAGMA user_version = 3; CREATE TABLE t (x); DROP TABLE t;",
    ),
    Hazard("tables are empty", "CREATE TABLE t (x); CREATE TABLE u (id INTEGER PRIMARY KEY, y);"),
    Hazard("pages are of 512 bytes", f"PRAGMA page_size = 512; {_TABLE}"),
    Hazard("pages are of 65,536 bytes", f"PRAGMA page_size = 65536; {_TABLE}"),
    Hazard("free pages are given back at once", f"PRAGMA auto_vacuum = FULL; {_TABLE}"),
    Hazard("free pages are given back on request", f"PRAGMA auto_vacuum = INCREMENTAL; {_TABLE}"),
    Hazard(
        "user_version and application_id are set",
        f"PRAGMA user_version = 2147483647; PRAGMA application_id = 252006674; {_TABLE}",
    ),
    Hazard(
        "user_version and application_id are negative",
        f"PRAGMA user_version = -5; PRAGMA application_id = -2147483648; {_TABLE}",
    ),
    Hazard("changes go to a write-ahead log", f"PRAGMA journal_mode = wal; {_TABLE}"),
    Hazard("there are 1,100 tables", _many_tables, is_slow=True),
    Hazard("a value is of 40 MB", _large_values, is_slow=True),
)
