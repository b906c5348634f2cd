"""A table's rows: all of them, each value as it is stored, always in the same order."""

from __future__ import annotations

import pytest

from holdfast import database
from holdfast.cells import InvalidText
from holdfast.model import Layout
from holdfast.rows import layout_of, read_batches
from holdfast.schema import read_schema
from tests.strategies import exact


@pytest.fixture
def read(make_database):
    """Read the only table that some SQL makes."""

    def read_all(sql):
        with database.read_only(make_database(sql)) as connection:
            (table,) = read_schema(connection).tables
            return [row for batch in read_batches(connection, table) for row in batch]

    return read_all


@pytest.fixture
def layout(make_database):
    """The layout of the only table that some SQL makes."""

    def make(sql):
        with database.read_only(make_database(sql)) as connection:
            (table,) = read_schema(connection).tables
            return layout_of(table)

    return make


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("(id INTEGER PRIMARY KEY, x)", Layout(("id", "x"), ("id",))),
        ("(a, b, PRIMARY KEY (b, a)) WITHOUT ROWID", Layout(("a", "b"), ("b", "a"))),
        ("(id TEXT PRIMARY KEY)", Layout(("$rowid", "id"), ("id", "$rowid"), "$rowid")),
        ("(x)", Layout(("$rowid", "x"), ("$rowid",), "$rowid")),
        ('("$RowId")', Layout(("$$rowid", "$RowId"), ("$$rowid",), "$$rowid")),
        (
            '("$rowid", "$$rowid")',
            Layout(("$$$rowid", "$rowid", "$$rowid"), ("$$$rowid",), "$$$rowid"),
        ),
        ("(rowid, _rowid_, oid)", Layout(("rowid", "_rowid_", "oid"), ())),
        ("(a, b AS (a) STORED)", Layout(("$rowid", "a"), ("$rowid",), "$rowid")),
    ],
)
def test_a_row_has_its_columns_and_the_rowid_where_it_is_no_column(layout, definition, expected):
    assert layout(f"CREATE TABLE t {definition}") == expected


@pytest.mark.parametrize("collation", ["BINARY", "NOCASE", "RTRIM"])
def test_text_keys_come_in_the_order_of_their_bytes_whatever_the_collation(read, collation):
    rows = read(
        f"CREATE TABLE t (id TEXT COLLATE {collation} PRIMARY KEY) WITHOUT ROWID;"
        "INSERT INTO t VALUES ('b'), ('B '), ('é'), ('a'), ('Z'), ('10'), ('9'), ('');"
    )
    assert rows == [("",), ("10",), ("9",), ("B ",), ("Z",), ("a",), ("b",), ("é",)]


def test_integer_keys_come_in_the_order_of_numbers(read):
    rows = read(
        "CREATE TABLE t (id INTEGER PRIMARY KEY);"
        "INSERT INTO t VALUES (10), (9), (-9223372036854775808), (9223372036854775807), (0);"
    )
    assert rows == [(-(2**63),), (0,), (9,), (10,), (2**63 - 1,)]


def test_keys_of_several_columns_come_in_the_order_of_the_key(read):
    rows = read(
        "CREATE TABLE t (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID;"
        "INSERT INTO t VALUES (1, 'y'), (2, 'x'), (1, 'x'), (0, 'z');"
    )
    assert rows == [(1, "x"), (2, "x"), (1, "y"), (0, "z")]


def test_keys_of_mixed_types_and_null_come_as_sqlite_orders_them(read):
    rows = read(
        "CREATE TABLE t (id PRIMARY KEY);"
        "INSERT INTO t (rowid, id) VALUES (9, NULL), (3, x'00'), (4, 'a'), (5, 2.5), (6, 1),"
        " (2, NULL), (7, '');"
    )
    assert rows == [(2, None), (9, None), (6, 1), (5, 2.5), (7, ""), (4, "a"), (3, b"\0")]


def test_rows_without_a_key_come_in_the_order_of_their_rowid(read):
    rows = read(
        "CREATE TABLE t (x); INSERT INTO t (rowid, x) VALUES (5, 'a'), (-1, 'b'), (2, 'a');"
    )
    assert rows == [(-1, "b"), (2, "a"), (5, "a")]


def test_columns_that_hide_the_rowid_are_read_as_columns(read):
    rows = read(
        "CREATE TABLE t (rowid, oid); INSERT INTO t (_rowid_, rowid, oid) VALUES (7, 'a', 'b');"
    )
    assert rows == [(7, "a", "b")]


def test_rows_of_a_table_whose_every_name_of_the_rowid_is_a_column_come_too(read):
    rows = read("CREATE TABLE t (rowid, _rowid_, oid); INSERT INTO t VALUES (3, 2, 1), (0, 0, 0);")
    assert sorted(rows) == [(0, 0, 0), (3, 2, 1)]


def test_every_value_is_read_with_its_own_type_whatever_the_column_says(read):
    rows = read(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, x);"
        "INSERT INTO t VALUES (1, 'text', 1), (2, x'ff', 1.0), (3, 1.5, '1'), (4, NULL, -0.0),"
        " (5, 7, 9e999), (6, '8', '');"
    )
    assert [tuple(map(exact, row[1:])) for row in rows] == [
        ((str, "'text'"), (int, "1")),
        ((bytes, r"b'\xff'"), (float, "1.0")),
        ((float, "1.5"), (str, "'1'")),
        ((type(None), "None"), (float, "-0.0")),
        ((int, "7"), (float, "inf")),
        ((int, "8"), (str, "''")),
    ]


@pytest.mark.parametrize("position", [1, 99, 100, 101, 250])
def test_text_that_is_not_utf8_does_not_disturb_the_rows_around_it(read, position):
    rows = read(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 250)"
        " INSERT INTO t SELECT x, 'row ' || x FROM n;"
        f"UPDATE t SET x = CAST(x'61ff' AS TEXT) WHERE id = {position};"
    )
    assert [row[0] for row in rows] == list(range(1, 251))
    odd = rows.pop(position - 1)
    assert exact(odd[1]) == exact(InvalidText(b"a\xff"))
    assert all(row[1] == f"row {row[0]}" for row in rows)


def test_text_that_is_not_utf8_keeps_its_place_in_a_key_and_in_columns_beside_it(read):
    rows = read(
        "CREATE TABLE t (id TEXT PRIMARY KEY, x) WITHOUT ROWID;"
        "INSERT INTO t VALUES ('b', x'00ff'), (CAST(x'ff' AS TEXT), 'fine'), ('a', 1.0);"
    )
    assert [tuple(map(exact, row)) for row in rows] == [
        (exact("a"), exact(1.0)),
        (exact("b"), exact(b"\x00\xff")),
        (exact(InvalidText(b"\xff")), exact("fine")),
    ]


def test_after_odd_text_the_next_table_is_read_as_ever(make_database):
    path = make_database(
        "CREATE TABLE a (x); INSERT INTO a VALUES (CAST(x'ff' AS TEXT));"
        "CREATE TABLE b (x); INSERT INTO b VALUES ('fine');"
    )
    with database.read_only(path) as connection:
        found = [list(read_batches(connection, table)) for table in read_schema(connection).tables]
    assert exact(found[1][0][0][1]) == (str, "'fine'")


def test_many_rows_come_in_batches(make_database):
    path = make_database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY);"
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1001)"
        " INSERT INTO t SELECT x FROM n;"
    )
    with database.read_only(path) as connection:
        batches = list(read_batches(connection, read_schema(connection).tables[0]))
    assert len(batches) > 5
    assert [row for batch in batches for row in batch] == [(n,) for n in range(1, 1002)]


def test_a_table_in_utf16_is_read_as_any_other(read):
    rows = read(
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id TEXT PRIMARY KEY) WITHOUT ROWID;"
        "INSERT INTO t VALUES ('é'), ('👩'), ('a' || char(0) || 'b'), ('');"
    )
    assert sorted(rows) == [("",), ("a\0b",), ("é",), ("👩",)]
