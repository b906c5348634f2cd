"""What has changed between two backups or databases: exact counts, and never half of the truth."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast import database, reports
from holdfast.cells import InvalidText
from holdfast.comparing.differences import Change, TableDifference
from holdfast.comparing.merging import Side, compare
from holdfast.errors import (
    BackupDamaged,
    BackupNotFound,
    DatabaseDamaged,
    DatabaseNotFound,
    HoldfastError,
    NotABackup,
    UsageError,
)
from holdfast.formats import FORMATS, open_backup
from holdfast.formats.interface import TableStart
from holdfast.model import ShownCell
from holdfast.operations import diff_backups as operation
from holdfast.operations.diff_backups import DiffOptions, diff_backups
from holdfast.operations.export_backup import ExportOptions, export_backup
from tests import running
from tests.conftest import connected, rows, run_sql
from tests.strategies import INTEGERS, REALS, TEXTS, VALUES, exact

WRITTEN = [form.name for form in FORMATS.values() if form.write]
CONTACTS = """
CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB);
INSERT INTO contacts VALUES
    (1, 'Ann', 1.0, NULL), (2, 'Bøb', -0.0, x'00ff'), (3, '', NULL, x''), (9, NULL, 9e999, NULL);
CREATE TABLE tags (name TEXT PRIMARY KEY, weight);
INSERT INTO tags VALUES ('new', 1), ('é', 2), ('z', 3), ('👩', 4), ('﷽', 5);
CREATE TABLE log (line); INSERT INTO log VALUES ('a'), ('a'), ('b');
CREATE TABLE pairs (a, b TEXT, c, PRIMARY KEY (b, a)) WITHOUT ROWID;
INSERT INTO pairs VALUES (1, 'x', 0), (2, 'X', 0), (x'01', 'x', 0);
CREATE TABLE empty (x);
"""


@pytest.fixture
def diff(context):
    """Compare two sides named as on the command line."""

    def compare_them(first, second="live", *tables, **options):
        sides = DiffOptions(first=str(first), second=str(second), tables=tables)
        return diff_backups(context(), replace(sides, **options))

    return compare_them


@pytest.fixture
def backup(context, tmp_path):
    """Export a database."""

    def export(source, name="backup.json", **options):
        output = tmp_path / name
        export_backup(context(), ExportOptions(database=str(source), output=output, **options))
        return output

    return export


@pytest.fixture
def old_and_new(make_database):
    """Two databases: one made of some SQL, and one on which more SQL was run."""

    def make(sql, changes="", *, encodings=("UTF-8", "UTF-8")):
        paths = []
        for name, encoding, more in zip(("old", "new"), encodings, ("", changes), strict=True):
            start = f"PRAGMA encoding = '{encoding}';"
            paths.append(make_database(start + sql + ";" + more, f"{name}.db"))
        return paths

    return make


def counts(table: TableDifference) -> tuple[int, int, int]:
    return table.added, table.removed, table.changed


def changed(report):
    """The counts of the tables with rows that differ."""
    return {table.name: counts(table) for table in report.tables if any(counts(table))}


def listed(report, name):
    """The rows that are listed of a table: what happened, the key's values, and the columns."""
    [table] = [table for table in report.tables if table.name == name]
    return [(str(row.change), *row.key.values(), *row.columns) for row in table.rows]


# No differences


@pytest.mark.parametrize("name", WRITTEN)
def test_a_backup_in_any_format_is_the_same_as_its_database(diff, backup, make_database, name):
    source = make_database(CONTACTS)
    made = backup(source, "made" + FORMATS[name].suffix, format=name)
    for sides in ((made, source), (source, made), (made, made)):
        report = diff(*sides)
        assert report.same
        assert reports.text(report) == "No differences: 5 tables, 15 rows are the same."
    assert (report.first.kind, report.first.is_proven) == ("backup", True)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_backup_in_any_format_shows_what_has_changed_since(diff, backup, make_database, name):
    source = make_database(CONTACTS)
    made = backup(source, "made" + FORMATS[name].suffix, format=name)
    run_sql(
        source,
        "DELETE FROM contacts WHERE id = 1; UPDATE contacts SET name = 'Bob' WHERE id = 2;"
        "INSERT INTO contacts (id) VALUES (-7), (5), (6); INSERT INTO tags VALUES ('ñ', 0);"
        "DELETE FROM log WHERE line = 'b'; UPDATE pairs SET c = NULL WHERE a = 2;",
    )
    there, back = diff(made, source), diff(source, made)
    assert changed(there) == {
        "contacts": (3, 1, 1),
        "tags": (1, 0, 0),
        "log": (0, 1, 0),
        "pairs": (0, 0, 1),
    }
    assert changed(back) == {
        "contacts": (1, 3, 1),
        "tags": (0, 1, 0),
        "log": (1, 0, 0),
        "pairs": (0, 0, 1),
    }


def test_compression_spread_rows_and_origin_make_no_difference(diff, backup, make_database):
    source = make_database(CONTACTS)
    plain = backup(source)
    assert diff(plain, backup(source, "a.json", pretty=True)).same
    assert diff(plain, backup(source, "b.json.zst", compression="zstd")).same
    assert diff(plain, backup(source, "c.jsonl", format="jsonl", reproducible=True)).same


def test_two_databases_without_tables_are_the_same(diff, old_and_new):
    report = diff(*old_and_new("CREATE TABLE t (x); DROP TABLE t"))
    assert reports.text(report) == "No differences: 0 tables, 0 rows are the same."


def test_the_same_file_twice_is_read_twice(diff, make_database):
    source = make_database(CONTACTS)
    assert diff(source, source).same


# What counts as a change


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1", "1.0"),
        ("0.0", "-0.0"),
        ("'a'", "x'61'"),
        ("NULL", "''"),
        ("''", "x''"),
        ("NULL", "0"),
        ("1", "'1'"),
        ("9007199254740993", "9007199254740992"),
        ("9007199254740992", "9007199254740992.0"),
        ("9e999", "-9e999"),
        ("9e999", "'inf'"),
        ("'a'", "'a' || char(0)"),
        ("'é'", "'e' || char(769)"),
        ("CAST(x'ff' AS TEXT)", "x'ff'"),
        ("CAST(x'ff' AS TEXT)", "CAST(x'fe' AS TEXT)"),
        ("'A'", "'a'"),
    ],
)
def test_every_difference_of_value_or_type_is_a_change(diff, old_and_new, old, new):
    report = diff(
        *old_and_new(
            f"CREATE TABLE t (id INTEGER PRIMARY KEY, x COLLATE NOCASE, y);"
            f"INSERT INTO t VALUES (1, {old}, 0), (2, 0, 0)",
            f"UPDATE t SET x = {new} WHERE id = 1",
        ),
        rows=True,
    )
    assert listed(report, "t") == [("changed", 1, "x")]
    assert report.tables[0].same == 1


def test_a_key_that_only_changes_its_type_is_the_same_key(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (k PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t VALUES (1, 0), (2, 0)",
            "UPDATE t SET k = 1.0 WHERE k = 1",
        ),
        rows=True,
    )
    assert listed(report, "t") == [("changed", 1, "k")]


def test_numbers_in_keys_are_compared_whole(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (k PRIMARY KEY) WITHOUT ROWID;"
            "INSERT INTO t VALUES (9007199254740993), (9007199254740992.0), (-1), (0.5), (1e300)",
            "DELETE FROM t WHERE k = 9007199254740993;"
            "INSERT INTO t VALUES (9007199254740994), (9007199254740991), (9e999), (-9e999)",
        )
    )
    assert changed(report) == {"t": (4, 1, 0)}


NAMES = ["", "B", "a", "b", "é", "e\u0301", "z", "﷽", "ﬁ", "😀", "👩‍👩‍👧", "a\0b", "Ā", "ÿ"]
NAMED = "CREATE TABLE t (k TEXT PRIMARY KEY, x); INSERT INTO t (k) VALUES " + ", ".join(
    "('" + name.replace("\0", "' || char(0) || '") + "')" for name in NAMES
)
RENAMED = "DELETE FROM t WHERE k IN ('z', 'ﬁ'); INSERT INTO t (k) VALUES ('😁'), ('É')"
NAMES_LISTED = [("removed", "z"), ("added", "É"), ("removed", "ﬁ"), ("added", "😁")]


def test_text_keys_come_in_the_order_of_their_bytes(diff, old_and_new):
    report = diff(*old_and_new(NAMED, RENAMED), rows=True)
    assert listed(report, "t") == NAMES_LISTED
    assert report.tables[0].same == len(NAMES) - 2


@pytest.mark.parametrize("second", ["UTF-8", "UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("first", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_databases_of_other_encodings_are_compared_as_text(diff, old_and_new, first, second):
    databases = old_and_new(NAMED, encodings=(first, second))
    assert diff(*databases).same
    run_sql(databases[1], f"{RENAMED}; UPDATE t SET x = 0 WHERE k = ''")
    report = diff(*databases, rows=True)
    assert changed(report) == {"t": (2, 2, 1)}
    assert sorted(listed(report, "t")) == sorted([("changed", "", "x"), *NAMES_LISTED])


def test_half_a_character_in_a_database_of_utf16_is_found(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (k PRIMARY KEY, x); INSERT INTO t VALUES"
            " (CAST(x'3dd8' AS TEXT), 1), ('😀', 2), (CAST(x'610000dc' AS TEXT), 3), ('a', 4)",
            "UPDATE t SET x = 5 WHERE x IN (1, 3)",
            encodings=("UTF-16le", "UTF-16le"),
        )
    )
    assert changed(report) == {"t": (0, 0, 2)}


def test_a_key_with_a_collation_of_its_own_is_told_apart_by_its_bytes(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID;"
            "INSERT INTO t VALUES ('a'), ('B'), ('c')",
            "UPDATE t SET k = 'b' WHERE k = 'B'",
        ),
        rows=True,
    )
    assert listed(report, "t") == [("removed", "B"), ("added", "b")]


def test_rows_whose_key_holds_null_are_told_apart_by_their_rowids(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (a, b, x, PRIMARY KEY (a, b)); INSERT INTO t (rowid, a, b, x) VALUES"
            " (1, NULL, NULL, 0), (2, NULL, NULL, 0), (3, 1, NULL, 0), (4, NULL, 1, 0),"
            " (5, 1, 1, 0)",
            "DELETE FROM t WHERE rowid = 1; UPDATE t SET x = 1 WHERE rowid IN (3, 5);"
            "INSERT INTO t VALUES (NULL, 1, 0)",
        ),
        rows=True,
    )
    assert listed(report, "t") == [
        ("removed", None, None, 1),
        ("added", None, 1, 6),
        ("changed", 1, None, 3, "x"),
        ("changed", 1, 1, "x"),
    ]


def test_a_row_with_a_key_is_the_same_row_under_another_rowid(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (k TEXT PRIMARY KEY); INSERT INTO t VALUES ('a'), ('b')",
            "UPDATE t SET rowid = 7 WHERE k = 'a'",
        ),
        rows=True,
    )
    assert listed(report, "t") == [("changed", "a", "$rowid")]


def test_rows_without_a_key_are_told_apart_by_their_rowids(diff, old_and_new):
    report = diff(
        *old_and_new(
            'CREATE TABLE t (x, "$rowid"); INSERT INTO t (rowid, x) VALUES (-5, 0), (1, 0), (2, 0)',
            "DELETE FROM t WHERE rowid = -5; INSERT INTO t (rowid, x) VALUES (9, 0);"
            "UPDATE t SET x = 1 WHERE rowid = 2",
        ),
        rows=True,
    )
    assert listed(report, "t") == [("removed", -5), ("changed", 2, "x"), ("added", 9)]
    assert list(report.tables[0].rows[0].key) == ["$$rowid"]


# Tables and columns that only one side has, and keys that differ


def test_tables_of_only_one_side_are_named_with_their_rows(diff, old_and_new):
    old, new = old_and_new(
        "CREATE TABLE both (x); CREATE TABLE gone (x); INSERT INTO gone VALUES (1), (2)",
        "DROP TABLE gone; CREATE TABLE more (x); INSERT INTO more VALUES (1)",
    )
    report = diff(old, new)
    assert (report.added_tables, report.removed_tables) == ({"more": 1}, {"gone": 2})
    assert not report.same
    assert reports.text(report).splitlines() == [
        f"From {old} to {new}:",
        "  more: a new table, 1 row",
        "  gone: the table is gone, 2 rows",
        "  1 table: the same",
    ]


def test_columns_of_only_one_side_are_named_and_change_no_row(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);"
            "INSERT INTO t VALUES (1, 2, 3), (2, 0, 0)",
            "ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN c DEFAULT 5;"
            "UPDATE t SET b = 0 WHERE id = 1",
        )
    )
    [table] = report.tables
    assert (table.added_columns, table.removed_columns) == (("c",), ("a",))
    assert (counts(table), table.same) == ((0, 0, 1), 1)
    assert "  t: 1 changed, columns new: c, columns gone: a" in reports.text(report).splitlines()


def test_new_columns_alone_are_a_difference(diff, old_and_new):
    report = diff(*old_and_new("CREATE TABLE t (a)", "ALTER TABLE t ADD COLUMN b"))
    assert not report.same


def test_columns_in_another_order_change_no_row(diff, old_and_new):
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, {}); INSERT INTO t (id, a, b) VALUES (1, 2, 3)"
    old, new = old_and_new(table.format("a, b"), "DROP TABLE t;" + table.format("B, A"))
    report = diff(old, new)
    assert changed(report) == {}
    assert report.tables[0].same == 1


def test_names_that_differ_only_in_their_case_are_the_same_names(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE a (x); CREATE TABLE Z (x); CREATE TABLE Éa (x); INSERT INTO Z VALUES (1)",
            "ALTER TABLE Z RENAME TO zz; ALTER TABLE zz RENAME TO z; ALTER TABLE z RENAME x TO X;"
            "ALTER TABLE Éa RENAME TO éa; INSERT INTO z VALUES (2); INSERT INTO a VALUES (1)",
        ),
        rows=True,
    )
    assert changed(report) == {"Z": (1, 0, 0), "a": (1, 0, 0)}
    assert report.tables[0].removed_columns == ()
    assert (report.removed_tables, report.added_tables) == ({"Éa": 0}, {"éa": 0})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("x INTEGER PRIMARY KEY, y", "x, y", (1, 1, 1)),
        ("x, y", "x INTEGER PRIMARY KEY, y", (1, 1, 1)),
        ("x INTEGER PRIMARY KEY, y", "x INTEGER, y TEXT PRIMARY KEY", (1, 1, 1)),
        ("x, y, z INTEGER PRIMARY KEY", "x, y", (2, 2, 0)),
    ],
)
def test_a_table_whose_key_was_changed_is_compared_by_the_old_one_or_the_new(
    diff, old_and_new, old, new, expected
):
    report = diff(
        *old_and_new(
            f"CREATE TABLE t ({old}); INSERT INTO t (x, y) VALUES (30, 'a'), (10, 'b'), (20, 'c')",
            f"DROP TABLE t; CREATE TABLE t ({new});"
            "INSERT INTO t (x, y) VALUES (20, 'c'), (30, 'd'), (40, 'a')",
        )
    )
    assert changed(report) == {"t": expected}


# Definitions, and numbers of the database


def test_definitions_that_differ_are_counted_and_named(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (a, b); CREATE INDEX i ON t (a); CREATE INDEX j ON t (b);"
            "CREATE VIEW v AS SELECT a FROM t; CREATE TABLE only_old (x);"
            "CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 1; END;",
            "DROP INDEX i; DROP VIEW v; CREATE VIEW v AS SELECT b FROM t; DROP TRIGGER r;"
            "CREATE UNIQUE INDEX k ON t (a, b); DROP TABLE only_old; CREATE TABLE only_new (x);"
            "DROP TABLE t; CREATE TABLE t (a, b DEFAULT 1); CREATE INDEX j ON t (b);",
        )
    )
    assert [(each.type, each.name, str(each.change)) for each in report.schema] == [
        ("index", "i", "removed"),
        ("table", "t", "changed"),
        ("trigger", "r", "removed"),
        ("view", "v", "changed"),
    ]
    assert (
        "  4 definitions: index i removed, table t changed, trigger r removed, view v changed"
        in reports.text(report).splitlines()
    )


def test_a_new_index_alone_is_a_difference(diff, old_and_new):
    report = diff(*old_and_new("CREATE TABLE t (a)", "CREATE INDEX i ON t (a)"))
    assert not report.same
    assert reports.text(report).splitlines()[1:] == [
        "  1 table: the same",
        "  1 definition: index i added",
    ]


def test_numbers_of_the_database_that_differ_are_named(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE u (x);"
            "PRAGMA user_version = 3; INSERT INTO t VALUES (4)",
            "PRAGMA user_version = 4; PRAGMA application_id = 9;"
            "INSERT INTO t VALUES (8); DELETE FROM t WHERE id = 8",
        )
    )
    assert changed(report) == {}
    assert report.numbers == {
        "user_version": (3, 4),
        "application_id": (0, 9),
        "AUTOINCREMENT of t": (4, 8),
    }
    assert "  user_version: 3, then 4" in reports.text(report).splitlines()


def test_how_pages_lie_in_the_file_makes_no_difference(diff, make_database):
    old = make_database(CONTACTS, "old.db")
    new = make_database(
        "PRAGMA page_size = 512; PRAGMA auto_vacuum = 1; PRAGMA journal_mode = wal;" + CONTACTS,
        "new.db",
    )
    assert diff(old, new).same


# What is asked for


def test_only_the_tables_that_are_named_are_compared(diff, old_and_new):
    databases = old_and_new(
        CONTACTS + "CREATE TABLE gone (x); PRAGMA user_version = 1;",
        "DELETE FROM log; DELETE FROM tags; DROP TABLE gone; CREATE TABLE more (x);"
        "CREATE INDEX by_name ON contacts (name); CREATE VIEW v AS SELECT 1;"
        "PRAGMA user_version = 2",
    )
    assert changed(diff(*databases, "LOG")) == {"log": (0, 3, 0)}
    assert diff(*databases, "pairs").same
    both = diff(*databases, "pairs", "contacts", "more")
    assert [table.name for table in both.tables] == ["contacts", "pairs"]
    assert [each.name for each in both.schema] == ["by_name"]
    assert (both.added_tables, both.removed_tables, both.numbers) == ({"more": 0}, {}, {})


def test_a_table_that_neither_side_has_is_wrong_usage(diff, make_database):
    source = make_database(CONTACTS)
    with pytest.raises(UsageError, match=r"neither side has a table contact$") as caught:
        diff(source, source, "contact")
    assert caught.value.hint == "There are contacts, empty, log, pairs, tags."


def test_rows_are_listed_by_their_keys_and_no_other_value_is_shown(diff, old_and_new):
    databases = old_and_new(
        CONTACTS,
        "UPDATE contacts SET name = 'SECRET', score = 5 WHERE id = 2; DELETE FROM pairs;"
        "INSERT INTO contacts VALUES (4, 'SECRET', 0, NULL);"
        "INSERT INTO tags VALUES ('a' || char(10) || 'b', 0); DELETE FROM log WHERE rowid = 2",
    )
    report = diff(*databases, rows=True)
    assert listed(report, "contacts") == [("changed", 2, "name", "score"), ("added", 4)]
    text = reports.text(report)
    assert "SECRET" not in text + reports.json_text(report)
    assert text.splitlines()[1:] == [
        "  contacts: 1 added, 1 changed",
        "    ~ id=2: name, score",
        "    + id=4",
        "  log: 1 removed",
        "    - $rowid=2",
        "  pairs: 3 removed",
        '    - b="X", a=2',
        '    - b="x", a=1',
        '    - b="x", a={"$base64":true,"encoded":"AQ=="}',
        "  tags: 1 added",
        '    + name="a\\nb"',
        "  1 table: the same",
    ]
    assert all(table.rows == () for table in diff(*databases).tables)


def test_a_long_key_is_cut_for_people_and_whole_for_programs(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE TABLE t (k TEXT PRIMARY KEY)",
            "INSERT INTO t VALUES (printf('%.*c', 500, 'x'))",
        ),
        rows=True,
    )
    assert f'    + k="{"x" * 59}...' in reports.text(report).splitlines()
    document = json.loads(reports.json_text(report))
    assert document["tables"][0]["rows"] == [
        {
            "change": "added",
            "key": {"k": "x" * 500},
            "columns": [],
            "values": [],
            "more_values": 0,
        }
    ]


def test_of_very_many_rows_the_first_are_listed_and_all_are_counted(diff, old_and_new, monkeypatch):
    monkeypatch.setattr(operation, "LISTED_ROWS", 3)
    databases = old_and_new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3), (4), (5)"
    )
    report = diff(*databases, rows=True)
    assert listed(report, "t") == [("added", 1), ("added", 2), ("added", 3)]
    assert reports.text(report).splitlines()[1:] == [
        "  t: 5 added",
        *("    + id=1", "    + id=2", "    + id=3"),
        "    and 2 rows more",
    ]


def test_with_values_it_is_shown_what_a_row_holds_on_either_side(diff, old_and_new):
    databases = old_and_new(
        CONTACTS,
        "UPDATE contacts SET name = 'Bo' || char(10), score = 5, photo = NULL WHERE id = 2;"
        "DELETE FROM contacts WHERE id = 9; DELETE FROM log WHERE rowid = 2;"
        "INSERT INTO tags VALUES ('new one', printf('%.*c', 500, 'x'));"
        "UPDATE tags SET weight = '1' WHERE name = 'new'",
    )
    report = diff(*databases, values=True)
    assert reports.text(report).splitlines()[1:] == [
        "  contacts: 1 removed, 1 changed",
        "    ~ id=2: name, score, photo",
        '        name: "Bøb" -> "Bo\\n"',
        "        score: 0.0 -> 5.0",
        "        photo: 2 bytes -> null",
        "    - id=9",
        "        name: null",
        "        score: inf",
        "        photo: null",
        "  log: 1 removed",
        "    - $rowid=2",
        '        line: "a"',
        "  tags: 1 added, 1 changed",
        '    ~ name="new": weight',
        '        weight: 1 -> "1"',
        '    + name="new one"',
        f'        weight: "{"x" * 200}"... and 300 characters more',
        "  2 tables: the same",
    ]
    [photo] = [value for value in report.tables[0].rows[0].values if value.column == "photo"]
    assert (photo.old, photo.new) == (ShownCell("blob", "", 2), ShownCell("null", ""))
    [name, *_] = report.tables[0].rows[1].values
    assert (name.old, name.new) == (ShownCell("null", ""), None)


def test_a_column_that_only_one_side_has_is_among_the_values_of_its_rows(diff, old_and_new):
    databases = old_and_new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'x')",
        "ALTER TABLE t ADD COLUMN B; UPDATE t SET a = 'y', B = 'z'; INSERT INTO t VALUES (2, 3, 4)",
    )
    [table] = diff(*databases, values=True).tables
    shown = [[(value.column, value.new.text) for value in row.values] for row in table.rows]
    assert shown == [[("a", "y")], [("a", "3"), ("B", "4")]]


def test_of_very_many_values_the_first_are_shown_and_all_are_counted(
    diff, old_and_new, monkeypatch
):
    monkeypatch.setattr(operation, "VALUED_ROWS", 1)
    columns = ", ".join(f"c{number}" for number in range(23))
    databases = old_and_new(
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})", "INSERT INTO t (id) VALUES (1), (2)"
    )
    report = diff(*databases, values=True)
    assert reports.text(report).splitlines()[1:] == [
        "  t: 2 added",
        "    + id=1",
        *(f"        c{number}: null" for number in range(20)),
        "        and 3 columns more",
        "    and 1 row more",
    ]


def test_only_who_asks_for_it_gets_another_exit_code(diff, old_and_new):
    old, new = old_and_new(CONTACTS, "DELETE FROM log")
    assert reports.exit_code(diff(old, new)) == 0
    assert reports.exit_code(diff(old, new, exit_code=True)) == 3
    assert reports.exit_code(diff(old, old, exit_code=True)) == 0


# Which two


def test_live_is_the_database_that_is_named_and_latest_its_latest_backup(
    diff, context, make_database
):
    mine, other = make_database(CONTACTS, "mine.db"), make_database("CREATE TABLE t (x)", "o.db")
    for source in (mine, other):
        export_backup(context(), ExportOptions(database=str(source)))
    report = diff("latest", "live", database=str(mine))
    assert report.same
    assert (report.first.kind, report.second.kind) == ("backup", "database")
    assert (report.first.date, report.second.path) == ("2026-11-20T14:22:33Z", mine)
    assert diff("live", "backup-2026-11-20", database=str(mine)).same
    assert not diff("latest", mine, database=str(other)).same


def test_live_is_the_database_in_the_usual_place(diff, context):
    source = context().home.data / "soy.db"
    source.parent.mkdir(parents=True)
    run_sql(source, CONTACTS)
    assert diff("live", source).same
    export_backup(context(), ExportOptions())
    assert diff("latest").same


def test_without_a_database_there_is_no_live_one(diff, backup, make_database):
    made = backup(make_database(CONTACTS))
    with pytest.raises(DatabaseNotFound):
        diff(made, "live")
    assert diff(made, made).same


@pytest.mark.parametrize("word", ["2026-11-19", "latest", "none.json"])
def test_what_is_not_there_is_not_found(diff, make_database, word):
    with pytest.raises(BackupNotFound):
        diff(make_database(CONTACTS), word)


@pytest.mark.parametrize("content", [b"", b"Dear diary\n" * 1000, b"{}"])
def test_what_is_neither_backup_nor_database_is_refused(diff, make_database, tmp_path, content):
    (tmp_path / "diary.json").write_bytes(content)
    with pytest.raises(NotABackup):
        diff(make_database(CONTACTS), tmp_path / "diary.json")


def test_rows_that_are_still_in_the_write_ahead_log_are_seen(diff, backup, make_database):
    source = make_database("PRAGMA journal_mode = wal;" + CONTACTS)
    made = backup(source)
    with connected(source) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("INSERT INTO log VALUES ('c')")
        assert changed(diff(made, source)) == {"log": (1, 0, 0)}


def test_a_writer_goes_on_meanwhile_and_is_not_seen(make_database, context):
    source = make_database("PRAGMA journal_mode = wal;" + CONTACTS)

    def parts():
        for part in operation._database_parts(context(), source, 1, None):
            if isinstance(part, TableStart) and part.name == "contacts":
                run_sql(source, "DELETE FROM tags; DROP TABLE pairs")
            yield part

    unchanged = make_database(CONTACTS, "unchanged.db")
    found = compare(
        Side(unchanged, lambda: operation._database_parts(context(), unchanged, 1, None)),
        Side(source, parts),
    )
    assert [table.same for table in found.tables] == [4, 0, 3, 3, 5]
    assert rows(source, "SELECT * FROM tags") == []


def test_it_changes_neither_side(diff, backup, make_database, tmp_path):
    source = make_database("PRAGMA journal_mode = wal;" + CONTACTS)
    made = backup(source)
    run_sql(source, "DELETE FROM log")
    before = running.files_in(tmp_path)
    diff(made, source)
    assert running.files_in(tmp_path) == before


# Damage


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The text of a backup, and its database."""
    folder = tmp_path_factory.mktemp("sound")
    source = running.make_database(folder / "tool.db", CONTACTS)
    return source, running.run(folder / "home", "export", "--db", source, "--output", "-").stdout


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_backup_is_never_compared(diff, sound, tmp_path, seed):
    source, text = sound
    content = bytearray(text.encode())
    place = random.Random(seed).randrange(len(content))
    if seed % 2:
        content[place] ^= 1 << seed % 8
    else:
        del content[place:]
    (tmp_path / "damaged.json").write_bytes(content)
    for sides in ((tmp_path / "damaged.json", source), (source, tmp_path / "damaged.json")):
        with pytest.raises(HoldfastError) as caught:
            diff(*sides)
        assert caught.type.__name__ in ("BackupDamaged", "NotABackup", "BackupTooNew")
        assert "damaged.json" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "damage"),
    [
        ('{"$rowid":2,"line":"a"}', '{"$rowid":0,"line":"a"}'),
        ('{"$rowid":2,"line":"a"}', '{"$rowid":2,"line":[]}'),
        ('{"$rowid":2,"line":"a"}', '{"$rowid":2}'),
        ('{"$rowid":2,"line":"a"}', '{"$rowid":"2","line":"a"}'),
        ('{"$rowid":2,"line":"a"}', '{"$rowid":2,"line":99999999999999999999}'),
        ('{"$rowid":2,"line":"a"}', "{nonsense}"),
        ('"layout":{', '"layout":{"ghost":{"columns":["x"],"key":[],"rowid":null},'),
    ],
)
def test_a_changed_row_is_damage_however_it_looks(diff, sound, tmp_path, row, damage):
    source, text = sound
    assert text.count(row) == 1
    (tmp_path / "damaged.json").write_text(text.replace(row, damage))
    for sides in ((tmp_path / "damaged.json", source), (source, tmp_path / "damaged.json")):
        with pytest.raises(BackupDamaged, match=r"damaged\.json"):
            diff(*sides)


def test_a_table_that_is_not_asked_for_is_proven_all_the_same(diff, sound, tmp_path):
    source, text = sound
    (tmp_path / "damaged.json").write_text(text.replace('"line":"b"', '"line":"c"'))
    with pytest.raises(BackupDamaged):
        diff(source, tmp_path / "damaged.json", "contacts")


@pytest.mark.parametrize("damaged", ["t", "i"])
def test_a_damaged_database_is_never_compared(diff, make_database, damaged):
    source = make_database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE INDEX i ON t (x);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        " INSERT INTO t SELECT i, randomblob(500) FROM n"
    )
    [(page,)] = rows(source, f"SELECT rootpage FROM sqlite_schema WHERE name = '{damaged}'")
    with source.open("r+b") as file:
        file.seek(4096 * (int(str(page)) - 1))
        file.write(os.urandom(4096))
    sound = make_database(CONTACTS, "sound.db")
    for sides in ((sound, source), (source, sound)):
        with pytest.raises(DatabaseDamaged, match=r"tool\.db"):
            diff(*sides)


# Files of others


@pytest.fixture
def plain_file(tmp_path):
    """Write a file as Software of You does: rows in any order, with neither keys nor proof."""

    def write(tables, name="theirs.json"):
        document = {"backup_date": "2026-11-20", "tables": tables}
        (tmp_path / name).write_text(json.dumps(document))
        return tmp_path / name

    return write


def test_a_plain_file_is_compared_by_the_keys_of_the_other_side(
    diff, backup, make_database, plain_file
):
    source = make_database(
        "CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT, active INTEGER);"
        "INSERT INTO contacts VALUES (1, 'Ann', 1), (2, 'Bob', 1), (3, 'Cai', 1);"
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value);"
        "INSERT INTO meta VALUES ('z', 1), ('a', 2);"
        "CREATE TABLE log (line); INSERT INTO log VALUES ('a'), ('b'), ('a');"
        "CREATE INDEX i ON log (line); PRAGMA user_version = 5"
    )
    theirs = plain_file(
        {
            "meta": [{"value": 2, "key": "a"}, {"key": "z", "value": 1}],
            "log": [{"line": "b"}, {"line": "a"}, {"line": "c"}],
            "contacts": [
                {"id": 3, "name": "Cai", "active": True},
                {"id": 2, "name": "Bo", "active": True},
                {"id": 9, "name": "Dee", "active": False},
            ],
        }
    )
    for ours in (source, backup(source)):
        report = diff(theirs, ours, rows=True)
        assert changed(report) == {"contacts": (1, 1, 1), "log": (1, 1, 0)}
        assert listed(report, "contacts") == [("added", 1), ("changed", 2, "name"), ("removed", 9)]
        assert (report.schema, report.numbers) == ((), {})
        assert not report.first.is_proven and report.second.is_proven
        assert reports.text(report).splitlines()[1:] == [
            "  log: 1 added, 1 removed",
            "    + a row without a key",
            "    - a row without a key",
            "  contacts: 1 added, 1 removed, 1 changed",
            "    + id=1",
            "    ~ id=2: name",
            "    - id=9",
            "  1 table: the same",
            "theirs.json holds no counts and digests: nothing proves that it is whole.",
        ]
        assert changed(diff(ours, theirs)) == {"contacts": (1, 1, 1), "log": (1, 1, 0)}


def test_a_table_that_one_side_leaves_out_is_not_called_gone(diff, make_database, backup):
    source = make_database(
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, body);"
        "CREATE VIRTUAL TABLE search USING fts5(body, content=docs, content_rowid=id);"
    )
    made = backup(source)
    assert [each.table for each in open_backup(made).contents().header.skipped_tables] == ["search"]
    run_sql(source, "DROP TABLE search; CREATE TABLE search (body); INSERT INTO search VALUES (1)")
    report = diff(made, source)
    assert [each.table for each in report.not_compared] == ["search"]
    assert report.added_tables == {}
    assert "Not compared: search (" in reports.text(report)


def test_full_text_tables_and_trees_are_compared(diff, old_and_new):
    report = diff(
        *old_and_new(
            "CREATE VIRTUAL TABLE notes USING fts5(body);"
            "INSERT INTO notes VALUES ('one'), ('two');"
            "CREATE VIRTUAL TABLE boxes USING rtree(id, low, high);"
            "INSERT INTO boxes VALUES (1, 0, 1), (2, 0, 1)",
            "UPDATE notes SET body = 'three' WHERE rowid = 2; DELETE FROM boxes WHERE id = 1",
        )
    )
    assert changed(report) == {"boxes": (0, 1, 0), "notes": (0, 0, 1)}


# Against a model

ENCODINGS = st.sampled_from(["UTF-8", "UTF-16le", "UTF-16be"])
KEYS = st.text(max_size=3) | TEXTS | st.integers(-9, 9) | INTEGERS | REALS | st.binary(max_size=2)
STATES = st.sampled_from(["same", "same", "changed", "added", "removed"])
some_examples = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def identity(key):
    """What tells keys apart: numbers by their value, whatever their type; all else by both."""
    if isinstance(key, str):  # SQLite has but one of these three in UTF-16
        key = key.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    return ("number" if isinstance(key, int | float) else type(key), key)


def fill(path: Path, encoding: str, found: list[tuple]) -> None:
    with connected(path) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE t (k PRIMARY KEY, v) WITHOUT ROWID")
        database.insert_rows(connection, "INSERT INTO t VALUES ", found)
        connection.execute("COMMIT")


def as_dictionary(path: Path) -> dict[tuple, str]:
    """Every row by its key, as SQLite gives it: types apart, text as its bytes in UTF-8."""
    with connected(path) as connection:
        connection.text_factory = bytes
        found = connection.execute("SELECT typeof(k), k, typeof(v), v FROM t").fetchall()
    return {
        ("number" if kind in (b"integer", b"real") else kind, key): repr((kind, key, *value))
        for kind, key, *value in found
    }


@some_examples
@given(
    cases=st.lists(
        st.tuples(KEYS, STATES, VALUES, VALUES), unique_by=lambda each: identity(each[0])
    ),
    encodings=st.tuples(ENCODINGS, ENCODINGS),
)
def test_the_counts_are_those_of_two_dictionaries(diff, tmp_path_factory, cases, encodings):
    if encodings != ("UTF-8", "UTF-8"):  # which alone can hold any bytes as text
        cases = [each for each in cases if InvalidText not in map(type, each)]
    folder = tmp_path_factory.mktemp("model")
    old = [(key, value) for key, state, value, _ in cases if state != "added"]
    new = [
        (key, other if state == "changed" else value)
        for key, state, value, other in cases
        if state != "removed"
    ]
    paths = folder / "old.db", folder / "new.db"
    for path, encoding, found in zip(paths, encodings, (old, new), strict=True):
        fill(path, encoding, found)
    before, after = map(as_dictionary, paths)
    shared = before.keys() & after.keys()
    differing = {key for key in shared if before[key] != after[key]}
    report = diff(*paths, rows=True)
    [table] = report.tables
    assert counts(table) == (
        len(after.keys() - shared),
        len(before.keys() - shared),
        len(differing),
    )
    assert table.same == len(shared - differing)
    assert Counter(row.change for row in table.rows) == Counter(
        {Change.ADDED: table.added, Change.REMOVED: table.removed, Change.CHANGED: table.changed}
    )
    assert report.same == (before == after)


CELLS = (
    st.none() | st.integers(-2, 2) | st.sampled_from([0.0, -0.0, 1.0, 0.5]) | st.text(max_size=1)
)
ROWS = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12)


@some_examples
@given(old=ROWS, new=ROWS)
def test_rows_that_nothing_but_themselves_tells_apart_are_counted(diff, plain_file, old, new):
    before, after = (Counter(tuple(map(exact, row)) for row in side) for side in (old, new))
    paths = [
        plain_file({"t": [dict(zip("ab", row, strict=True)) for row in side]}, name)
        for name, side in (("old.json", old), ("new.json", new))
    ]
    report = diff(*paths)
    [table] = report.tables
    assert counts(table) == ((after - before).total(), (before - after).total(), 0)
    assert table.same == (before & after).total()


# The script, and its memory


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_the_script_says_what_has_changed_since_the_latest_backup(home):
    source = running.make_database(home / "data" / "tool.db", CONTACTS)
    made = running.reported(home, "export")["path"]
    assert running.run(home, "diff", "latest").stdout == (
        "No differences: 5 tables, 15 rows are the same.\n"
    )
    running.make_database(source, "DELETE FROM log; INSERT INTO contacts (id) VALUES (5)")
    assert running.run(home, "diff", "latest").stdout == (
        f"From {made} to {source}:\n  contacts: 1 added\n  log: 3 removed\n  3 tables: the same\n"
    )
    done = running.run(
        home, "diff", "live", "latest", "--rows", "--table", "contacts", "--table", "pairs"
    )
    assert done.stdout.splitlines()[1:] == [
        "  contacts: 1 removed",
        "    - id=5",
        "  1 table: the same",
    ]
    running.run(home, "diff", "latest", "--exit-code", exit_code=3)
    running.run(home, "diff", "latest", "--exit-code", "--table", "pairs")


def test_the_json_says_whether_the_two_are_the_same_and_what_differs(home):
    source = running.make_database(home / "data" / "tool.db", CONTACTS)
    made = running.reported(home, "export")["path"]
    assert running.reported(home, "diff", "latest")["same"] is True
    running.make_database(source, "UPDATE pairs SET c = 1 WHERE b = 'x' AND a = x'01'")
    report = running.reported(home, "diff", made, source, "--rows", "--table", "pairs")
    assert report == {
        "first": {
            "path": made,
            "kind": "backup",
            "date": report["first"]["date"],
            "is_proven": True,
        },
        "second": {"path": str(source), "kind": "database", "date": "", "is_proven": True},
        "same": False,
        "tables": [
            {
                "name": "pairs",
                "added": 0,
                "removed": 0,
                "changed": 1,
                "same": 2,
                "added_columns": [],
                "removed_columns": [],
                "rows": [
                    {
                        "change": "changed",
                        "key": {"b": "x", "a": {"$base64": True, "encoded": "AQ=="}},
                        "columns": ["c"],
                        "values": [],
                        "more_values": 0,
                    }
                ],
            }
        ],
        "added_tables": {},
        "removed_tables": {},
        "schema": [],
        "numbers": {},
        "not_compared": [],
        "parts": [],
        "sync": None,
        "tells_by_exit_code": False,
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("words", "exit_code"), [([], 2), (["a", "b", "c"], 2), (["latest"], 10), (["2026-11-19"], 10)]
)
def test_the_script_says_what_is_wrong(home, words, exit_code):
    done = running.run(home, "diff", *words, exit_code=exit_code)
    assert done.stdout == "" and done.stderr.startswith("Error: ")


def test_the_help_says_what_the_exit_code_tells(home):
    assert (
        "The exit code is 0 whether they differ or not"
        in running.run(home, "diff", "--help").stdout
    )


MANY = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
    INSERT INTO t SELECT {key}, i, printf('%.*c', 300, 'x') FROM n;
"""
PEAK = """
import pathlib, re, sys
from holdfast import cli
cli.main(["diff", *sys.argv[1:]])
print(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from Linux")
@pytest.mark.parametrize(
    ("encoding", "key"),
    [("UTF-8", "i"), ("UTF-16le", "char(200 + i % 400) || i")],
    ids=["in order", "put in order first"],
)
def test_memory_does_not_grow_with_the_rows(home, tmp_path, encoding, key):
    peaks = []
    for number in (1000, 60_000):
        sides = []
        for name, change in (("old", ""), ("new", "UPDATE t SET x = -x WHERE x % 2 = 0")):
            path = tmp_path / f"{name}{number}.db"
            create = f"PRAGMA encoding = '{encoding}'; CREATE TABLE t (k PRIMARY KEY, x, y);"
            sides.append(
                running.make_database(path, create + MANY.format(rows=number, key=key) + change)
            )
        environment = running.environment(home)
        folders = [str(running.SCRIPTS), environment.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *map(str, sides)],
            env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, folders))},
            capture_output=True,
            encoding="utf-8",
        )
        lines = done.stdout.splitlines()
        assert lines[1] == f"  t: {number // 2:,} changed", done.stderr
        peaks.append(int(lines[-1]))
    assert peaks[1] - peaks[0] < 8_000  # kB; the rows are ten times as much


def test_the_time_of_the_last_backup_that_an_export_notes_is_no_difference(tmp_path):
    home = tmp_path / "home"
    running.run(home, "export", "--sample")
    running.run(home, "export", "--sample")
    done = running.run(home, "diff", "latest", "live", "--sample")
    assert done.stdout == "No differences: 22 tables, 5,000 rows are the same.\n"
