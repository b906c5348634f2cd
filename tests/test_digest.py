"""A table's digest: the same for the same content, wherever and however it is stored."""

from __future__ import annotations

import hashlib

import pytest

from holdfast import database
from holdfast.digest import Digest, digest_of, read_lines
from holdfast.schema import read_schema
from tests.conftest import run_sql


def digest(path, table="t"):
    with database.read_only(path) as connection:
        found = read_schema(connection).table(table)
        assert found is not None
        return digest_of(connection, found).hex()


def test_the_digest_is_sha256_over_the_lines_of_the_rows(make_database):
    path = make_database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name, data BLOB);"
        "INSERT INTO t VALUES (2, 'Bob', x'00'), (1, 'Ann', NULL);"
    )
    lines = (
        b'{"id":1,"name":"Ann","data":null}\n'
        b'{"id":2,"name":"Bob","data":{"$base64":true,"encoded":"AA=="}}\n'
    )
    with database.read_only(path) as connection:
        (table,) = read_schema(connection).tables
        assert b"".join(read_lines(connection, table)) == lines
        found = digest_of(connection, table)
    assert found.hex() == hashlib.sha256(lines).hexdigest()
    assert found.row_count == 2


def test_an_empty_table_has_the_digest_of_nothing(make_database):
    assert digest(make_database("CREATE TABLE t (x)")) == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


ROWS = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
    " INSERT INTO t SELECT i, hex(i * 7919) FROM n;"
    "DELETE FROM t WHERE id % 3 = 0;"
)


@pytest.mark.parametrize(
    "change",
    [
        "VACUUM;",
        "PRAGMA page_size = 512; VACUUM;",
        "PRAGMA journal_mode = wal; INSERT INTO t VALUES (999, 'x'); DELETE FROM t WHERE id = 999;",
        "CREATE INDEX i ON t (x);",
        "CREATE TABLE u AS SELECT * FROM t; DELETE FROM t; INSERT INTO t SELECT * FROM u"
        " ORDER BY x; DROP TABLE u;",
        "REINDEX; ANALYZE;",
    ],
)
def test_the_digest_stays_when_only_the_storage_changes(make_database, change):
    path = make_database(ROWS)
    before = digest(path)
    run_sql(path, change)
    assert digest(path) == before


def test_the_same_rows_in_another_file_and_another_encoding_have_the_same_digest(make_database):
    first = make_database(ROWS, "first.db")
    second = make_database(
        "PRAGMA encoding = 'UTF-16be'; PRAGMA page_size = 1024; CREATE TABLE other (x);"
        + ROWS.replace("TABLE t (id INTEGER PRIMARY KEY, x TEXT)", 'TABLE T ("id" INTEGER, "x"'
        " VARCHAR, PRIMARY KEY (id))"),
        "second.db",
    )  # fmt: skip
    assert digest(first) == digest(second)


@pytest.mark.parametrize(
    "values",
    ["1", "1.0", "'1'", "x'31'", "NULL", "''", "x''", "0.0", "-0.0", "CAST(x'31ff' AS TEXT)"],
)
def test_values_that_differ_only_in_type_or_sign_have_different_digests(make_database, values):
    def of(value):
        return digest(
            make_database(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
                f"INSERT INTO t VALUES (1, {value})"
            )
        )

    others = ["1", "1.0", "'1'", "x'31'", "NULL", "''", "x''", "0.0", "-0.0", "'null'"]
    mine = of(values)
    assert all(of(other) != mine for other in others if other != values)


def test_a_row_more_or_in_another_column_changes_the_digest(make_database):
    path = make_database("CREATE TABLE t (id INTEGER PRIMARY KEY, x, y)")
    seen = [digest(path)]
    for change in ("INSERT INTO t VALUES (1, 2, NULL)", "UPDATE t SET x = NULL, y = 2"):
        run_sql(path, change)
        seen.append(digest(path))
    assert len(set(seen)) == 3


def test_a_row_that_keeps_its_values_under_another_rowid_is_another_row(make_database):
    path = make_database("CREATE TABLE t (x); INSERT INTO t (rowid, x) VALUES (1, 'a')")
    before = digest(path)
    run_sql(path, "UPDATE t SET rowid = 2")
    assert digest(path) != before


def test_lines_that_pass_are_counted_and_hashed():
    passed = Digest()
    assert list(passed.watch([b"{}\n{}\n", b"", b"{}\n"])) == [b"{}\n{}\n", b"", b"{}\n"]
    assert passed.row_count == 3
    assert passed.hex() == hashlib.sha256(b"{}\n{}\n{}\n").hexdigest()
