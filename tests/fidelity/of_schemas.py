"""What a schema says besides its tables: references, indexes, views, triggers."""

from __future__ import annotations

from holdfast.database import Connection
from tests.fidelity.hazard import Hazard, Loss


def _give_collation(connection: Connection) -> None:
    def compare(a: str, b: str) -> int:
        return (a[::-1] > b[::-1]) - (a[::-1] < b[::-1])

    connection.create_collation("backwards", compare)


def _give_function(connection: Connection) -> None:
    connection.create_function("twice", 1, lambda value: value * 2, deterministic=True)


SCHEMAS = (
    Hazard(
        "foreign keys refer to UNIQUE columns, several columns, their own table, and in a circle",
        "CREATE TABLE codes (id INTEGER PRIMARY KEY, code TEXT UNIQUE, a, b, UNIQUE (a, b));"
        "CREATE TABLE uses (code TEXT REFERENCES codes (code) ON UPDATE CASCADE ON DELETE SET NULL,"
        " a, b, FOREIGN KEY (a, b) REFERENCES codes (a, b) ON DELETE CASCADE);"
        "CREATE TABLE tree (id INTEGER PRIMARY KEY, parent REFERENCES tree ON DELETE CASCADE);"
        "CREATE TABLE aaa (id INTEGER PRIMARY KEY, b REFERENCES bbb DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TABLE bbb (id INTEGER PRIMARY KEY, a NOT NULL REFERENCES aaa);"
        "INSERT INTO codes VALUES (1, 'x', 1, 2), (2, 'y', NULL, 2); INSERT INTO uses VALUES"
        " ('x', 1, 2), (NULL, NULL, 5); INSERT INTO tree VALUES (1, 3), (3, 3), (2, 1);"
        "INSERT INTO aaa VALUES (1, 1), (2, NULL); INSERT INTO bbb VALUES (1, 1);",
    ),
    Hazard(
        "rows break a foreign key already",
        "CREATE TABLE parents (id INTEGER PRIMARY KEY); INSERT INTO parents VALUES (1);"
        "CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents"
        " ON DELETE CASCADE); INSERT INTO children VALUES (1, 1), (2, 77), (3, 78);",
        broken_references=2,
    ),
    Hazard(
        "a foreign key refers to a table that is not there",
        "CREATE TABLE children (id INTEGER PRIMARY KEY, parent REFERENCES gone (id));"
        "INSERT INTO children VALUES (1, NULL), (2, 5);",
        broken_references=1,
    ),
    Hazard(
        "a foreign key refers to a column that is not UNIQUE",
        "CREATE TABLE parents (name); INSERT INTO parents VALUES ('a'), ('a');"
        "CREATE TABLE children (name REFERENCES parents (name));"
        "INSERT INTO children VALUES ('a'), ('nobody');",
    ),
    Hazard(
        "rows break a CHECK already",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, age CHECK (age >= 0), CHECK (id < 100));"
        "PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (1, -5), (200, 3), (3, 4);",
    ),
    Hazard(
        "indexes are partial, of expressions, NOCASE and DESC",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b); INSERT INTO t VALUES (1, 'x', 1),"
        " (2, 'X', NULL), (3, 'y ', 3); CREATE INDEX part ON t (a) WHERE b IS NOT NULL;"
        "CREATE UNIQUE INDEX only_once ON t (b) WHERE b > 0;"
        "CREATE INDEX low ON t (lower(a), b + 1);"
        "CREATE INDEX folded ON t (a COLLATE NOCASE DESC, b DESC, a COLLATE RTRIM);"
        "CREATE UNIQUE INDEX both ON t (a, b);",
    ),
    Hazard(
        "statistics tell the planner what is in the tables",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE INDEX i ON t (a, b);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        " INSERT INTO t SELECT i, i % 7, i FROM n; ANALYZE;"
        "INSERT INTO sqlite_stat1 VALUES ('gone', 'gone_i', '5 1');"
        "INSERT INTO t VALUES (1000, 'newer', NULL);",
        questions=("EXPLAIN QUERY PLAN SELECT * FROM t WHERE a = 1 AND b = 2",),
    ),
    Hazard(
        "views build on views, rename columns, and refer to what is not there",
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2);"
        "CREATE VIEW v (x, y) AS SELECT b, a FROM t;"
        "CREATE VIEW aa AS SELECT x FROM v WHERE y; CREATE VIEW broken AS SELECT * FROM gone;"
        "CREATE VIEW also AS SELECT missing_function(a), gone.c FROM t;",
        questions=("SELECT * FROM v", "SELECT * FROM aa"),
    ),
    Hazard(
        "triggers write elsewhere, refuse rows, and stand in for a view",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE TABLE log (what);"
        "CREATE TABLE sums (n);"
        "INSERT INTO sums VALUES (0); CREATE VIEW v AS SELECT * FROM t;"
        "CREATE TRIGGER count_up AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.x);"
        " UPDATE sums SET n = n + 1; END; INSERT INTO t VALUES (1, 'a'), (2, 'b');"
        "CREATE TRIGGER no_more BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'no more'); END;"
        "CREATE TRIGGER skip BEFORE INSERT ON log BEGIN SELECT RAISE(IGNORE); END;"
        "CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.id,"
        " new.x); END;"
        "CREATE TRIGGER nowhere AFTER UPDATE OF x ON t BEGIN DELETE FROM gone WHERE y = old.x;"
        "END;",
    ),
    Hazard(
        "statements end with a comment, or hold comments with semicolons and quotes",
        'CREATE TABLE t (a -- it\'s the first; really\n, b /* "second" */) -- last of t\n;'
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; -- ; END;\n SELECT ';'; END -- of r\n;"
        "CREATE VIEW v AS SELECT a FROM t -- of v\n; CREATE INDEX i ON t (a) -- of i\n;"
        "INSERT INTO t VALUES (1, 2);",
    ),
    Hazard(
        "tables were made AS a SELECT, IF NOT EXISTS, and in odd spacing",
        "CREATE TABLE t (a INT, b VARCHAR(5), c); INSERT INTO t VALUES (1, 'x', NULL);"
        'CREATE TABLE copy AS SELECT a, b AS "the b", c, a + 1 AS sum FROM t;'
        "CREATE\tTABLE\nIF NOT EXISTS   main.odd\n(\n  x\tINT ,\n\n  y  )  ;"
        "INSERT INTO odd VALUES (1, 2);",
    ),
    Hazard(
        "defaults are expressions, quoted text, BLOBs and moments",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT (1 + abs(-2)), b DEFAULT 'it''s',"
        " c DEFAULT x'00ff', d DEFAULT CURRENT_TIMESTAMP, e DEFAULT (datetime('now')),"
        " f DEFAULT -1,"
        " g DEFAULT 1e999, h TEXT NOT NULL DEFAULT '', i UNIQUE ON CONFLICT REPLACE,"
        " j NOT NULL ON CONFLICT IGNORE DEFAULT (random()));"
        "INSERT INTO t (id, d, e, j) VALUES (1, 'then', 'then', 1);",
        questions=("SELECT name, dflt_value FROM pragma_table_info('t')",),
    ),
    Hazard(
        "text in a statement stands in double quotes",
        'CREATE TABLE t (a DEFAULT "none", b CHECK (b <> "never"));'
        "INSERT INTO t (b) VALUES ('x');",
    ),
    Hazard(
        "columns are compared by NOCASE and RTRIM",
        "CREATE TABLE t (a TEXT COLLATE NOCASE PRIMARY KEY, b TEXT COLLATE RTRIM UNIQUE,"
        " c COLLATE BINARY);"
        "INSERT INTO t VALUES ('Ann', 'x ', 'A'), ('bob', 'y', 'a');"
        "CREATE INDEX i ON t (c COLLATE NOCASE);",
        questions=("SELECT a FROM t WHERE a = 'ANN'", "SELECT b FROM t WHERE b = 'x'"),
    ),
    Hazard(
        "a column is compared by a collation of the owner's program",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT COLLATE backwards);"
        "INSERT INTO t VALUES (1, 'ab'), (2, 'ba');",
        prepare=_give_collation,
        loss=Loss("backwards", is_refused=True),
        blind={"sqldiff": "it does not know the collation either"},
    ),
    Hazard(
        "an index is sorted by a collation of the owner's program",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT COLLATE backwards);"
        "INSERT INTO t VALUES (1, 'ab'), (2, 'ba'); CREATE INDEX i ON t (x);",
        questions=("SELECT x FROM t WHERE x > 'aa' ORDER BY x",),
        prepare=_give_collation,
        loss=Loss("backwards", is_refused=True),
        blind={"sqldiff": "it does not know the collation either"},
    ),
    Hazard(
        "a CHECK and a generated column call a function of the owner's program",
        "CREATE TABLE t (x CHECK (twice(x) < 100), y AS (twice(x)), z AS (twice(x)) STORED);"
        "INSERT INTO t (x) VALUES (1), (2);",
        prepare=_give_function,
        loss=Loss("twice", is_refused=True),
    ),
    Hazard(
        "an index is of a function of the owner's program",
        "CREATE TABLE t (x); INSERT INTO t VALUES (1), (2); CREATE INDEX i ON t (twice(x));",
        prepare=_give_function,
        loss=Loss("twice", is_refused=True),
    ),
)
