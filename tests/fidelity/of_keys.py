"""Tables, and what tells their rows apart."""

from __future__ import annotations

from pathlib import Path

from holdfast.database import quote_identifier
from tests.conftest import connected
from tests.fidelity.hazard import Hazard, Loss

_WIDE = 2000  # the most columns that SQLite allows a table


def _wide(path: Path, key: str) -> None:
    names = [f"column {number}" for number in range(_WIDE)]
    columns = ", ".join(map(quote_identifier, names))
    with connected(path) as connection:
        first = quote_identifier(names[0])
        connection.execute(f"CREATE TABLE wide ({columns.replace(first, f'{first} {key}', 1)})")
        for row in (range(_WIDE), range(1, _WIDE + 1)):
            marks = ", ".join("?" * _WIDE)
            connection.execute(f"INSERT INTO wide VALUES ({marks})", list(row))


def _wide_with_key(path: Path) -> None:
    _wide(path, "INTEGER PRIMARY KEY")


def _wide_without_key(path: Path) -> None:
    _wide(path, "")


_ODD_MARKS = "INSERT INTO sqlite_sequence VALUES "

KEYS = (
    Hazard(
        "a table has no key, and its rowids have gaps",
        "CREATE TABLE t (x); INSERT INTO t (rowid, x) VALUES (5, 'a'), (-7, 'b'), (0, NULL),"
        " (9223372036854775807, 'c'), (-9223372036854775808, 'd');",
    ),
    Hazard(
        "a table without a key has equal rows",
        "CREATE TABLE t (x, y); INSERT INTO t VALUES (1, 'a'), (1, 'a'), (1, 'a'), (NULL, NULL),"
        " (NULL, NULL); DELETE FROM t WHERE rowid = 2;",
    ),
    Hazard(
        "AUTOINCREMENT has counted further than the rows that are left",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
        "INSERT INTO t VALUES (1, 'a'), (99, 'b'); DELETE FROM t WHERE id = 99;",
        questions=("SELECT seq FROM sqlite_sequence",),
    ),
    Hazard(
        "AUTOINCREMENT has counted in a table that is empty now",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (7);"
        "DELETE FROM t; CREATE TABLE never (id INTEGER PRIMARY KEY AUTOINCREMENT);",
    ),
    Hazard(
        "the count of AUTOINCREMENT was set back by hand",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (7);"
        "CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO u VALUES (3);"
        "UPDATE sqlite_sequence SET seq = 2 WHERE name = 't';"
        "DELETE FROM sqlite_sequence WHERE name = 'u';",
    ),
    Hazard(
        "the counts of AUTOINCREMENT were all deleted by hand",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (7);"
        "DELETE FROM sqlite_sequence;",
    ),
    Hazard(
        "sqlite_sequence names a table that is not there",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (7);"
        f"{_ODD_MARKS} ('gone', 5), ('sqlite_sequence', 1);",
        blind={"sqldiff": "it takes the order of rows in sqlite_sequence for content"},
    ),
    Hazard(
        "sqlite_sequence outlived the tables with AUTOINCREMENT",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE t;"
        f"CREATE TABLE plain (x); {_ODD_MARKS} ('plain', 5);",
    ),
    Hazard(
        "sqlite_sequence holds what no program should write there",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (7);"
        f"{_ODD_MARKS} ('t', 9), (NULL, 1), ('u', 'many'), ('v', NULL);",
        loss=Loss("sqlite_sequence", tables=("sqlite_sequence",)),
    ),
    Hazard(
        "keys are composite, TEXT, BLOB or REAL",
        "CREATE TABLE pairs (a, b TEXT, c, PRIMARY KEY (c, a));"
        "CREATE TABLE texts (k TEXT PRIMARY KEY);"
        "CREATE TABLE blobs (k BLOB PRIMARY KEY, x); CREATE TABLE reals (k REAL PRIMARY KEY);"
        "INSERT INTO pairs (rowid, a, b, c) VALUES (9, 1, 'x', 2), (3, 2, 'y', 1), (6, 1, 'z', 1);"
        "INSERT INTO texts VALUES ('b'), (''), ('B'), ('a');"
        "INSERT INTO reals VALUES (1.5), (-0.5), (1);"
        "INSERT INTO blobs VALUES (x'00', 1), (x'', 2), ('', 3), (0, 4), (x'ff', 5);",
    ),
    Hazard(
        "a key is NULL, more than once",
        "CREATE TABLE t (k TEXT PRIMARY KEY, x); CREATE TABLE u (a, b, PRIMARY KEY (a, b));"
        "INSERT INTO t VALUES (NULL, 1), (NULL, 1), ('a', 2); INSERT INTO u VALUES (NULL, NULL),"
        " (NULL, NULL), (1, NULL), (1, NULL);",
    ),
    Hazard(
        "an INTEGER PRIMARY KEY is DESC, or an INT, so that it is not the rowid",
        "CREATE TABLE t (id INTEGER PRIMARY KEY DESC, x); CREATE TABLE u (id INT PRIMARY KEY, x);"
        "INSERT INTO t (rowid, id, x) VALUES (5, 1, 'a'), (6, NULL, 'b'), (2, 7, 'c');"
        "INSERT INTO u (rowid, id, x) VALUES (5, 'text', 'a'), (6, NULL, 'b'), (2, 7, 'c');",
    ),
    Hazard(
        "a table WITHOUT ROWID has keys that are NOCASE and DESC",
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b, c, PRIMARY KEY (b DESC, a)) WITHOUT ROWID;"
        "INSERT INTO t VALUES ('x', 1, 'p'), ('Y', 1, NULL), ('a', 2, x''), ('B', 'z', 1.5);"
        "CREATE TABLE u (a TEXT PRIMARY KEY COLLATE RTRIM, b UNIQUE) WITHOUT ROWID;"
        "INSERT INTO u VALUES ('a  ', 1), ('b', 2);",
    ),
    Hazard(
        "a table is STRICT, with a column of ANY type",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, r REAL, s TEXT, b BLOB, x ANY) STRICT;"
        "INSERT INTO t VALUES (1, 2, 3, '007', x'', '007'), (2, NULL, 1e300, '', x'00', 7),"
        " (3, 1, 1.0, 'x', x'ff', 7.0), (4, 0, 0, '1.0', NULL, x'37');"
        "CREATE TABLE u (k ANY PRIMARY KEY) STRICT, WITHOUT ROWID;"
        "INSERT INTO u VALUES (1), ('1'), (x'31'), (1.5);",
    ),
    Hazard(
        "columns are generated, stored and virtual",
        "CREATE TABLE t (a AS (b + 1), b INTEGER, c TEXT AS (b || '-' || a) STORED,"
        " d REAL AS (b) STORED,"
        " e AS (CAST(d AS BLOB)), UNIQUE (c), CHECK (a > 0)); CREATE INDEX i ON t (a, c);"
        "INSERT INTO t (b) VALUES (1), (7), (NULL);"
        "CREATE TABLE u (k TEXT PRIMARY KEY, l AS (length(k)) STORED NOT NULL) STRICT,"
        " WITHOUT ROWID;".replace("l AS", "l INTEGER AS")
        + "INSERT INTO u (k) VALUES ('abc'), ('');",
    ),
    Hazard(
        "a generated column refers to another table",
        "CREATE TABLE parents (id INTEGER PRIMARY KEY); INSERT INTO parents VALUES (2);"
        "CREATE TABLE t (a INTEGER, b INTEGER AS (a + 1) STORED REFERENCES parents (id));"
        "INSERT INTO t VALUES (1), (5);",
        broken_references=1,
    ),
    Hazard(
        "a column is called rowid",
        "CREATE TABLE t (rowid TEXT, x); INSERT INTO t (_rowid_, rowid, x) VALUES (9, 'a', 1),"
        " (4, 'b', 2);"
        "CREATE TABLE u (rowid INTEGER PRIMARY KEY, oid TEXT); INSERT INTO u VALUES (5, 'x');"
        'CREATE TABLE v (x, "$rowid" INTEGER); INSERT INTO v (rowid, x, "$rowid") VALUES (8,'
        " 'a', 1);"
        "CREATE TABLE w (rowid INTEGER, oid TEXT, x TEXT PRIMARY KEY);"
        "INSERT INTO w (_rowid_, rowid, oid, x) VALUES (3, 30, 'y', 'x');",
    ),
    Hazard(
        "columns are called by all names of the rowid",
        "CREATE TABLE t (rowid, _rowid_, oid); INSERT INTO t VALUES ('b', 2, NULL), ('a', 1,"
        " x'00');"
        "CREATE TABLE u (ROWID TEXT PRIMARY KEY, _rowid_, OID) WITHOUT ROWID;"
        "INSERT INTO u VALUES ('b', 2, NULL), ('a', 1, x'00');",
        blind={"sqldiff": "it finds nothing to tell the rows apart by"},
    ),
    Hazard("a table has 2,000 columns", _wide_with_key, blind={"sqldiff": "its query is too wide"}),
    Hazard(
        "a table has 2,000 columns and no key",
        _wide_without_key,
        blind={"sqldiff": "its query is too wide"},
    ),
    Hazard(
        "rows are older than the last columns of their table",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, gone, x);"
        "INSERT INTO t VALUES (1, 2, 3), (2, 3, 4);"
        "ALTER TABLE t ADD COLUMN y TEXT DEFAULT 5; ALTER TABLE t ADD COLUMN z REAL DEFAULT 1;"
        "ALTER TABLE t ADD COLUMN w NOT NULL DEFAULT 'none'; ALTER TABLE t ADD COLUMN v AS (x * 2);"
        'ALTER TABLE t DROP COLUMN gone; ALTER TABLE t RENAME COLUMN x TO "old x";'
        'ALTER TABLE t RENAME TO "t 2"; INSERT INTO "t 2" (id) VALUES (3);',
    ),
)
