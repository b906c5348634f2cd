"""Rows that refer to each other: nothing cascades, and no reference is broken."""

from __future__ import annotations

import pytest

from holdfast.errors import ImportRefused
from holdfast.works import ConflictMode
from tests.imports.conftest import MODES, WRITING_MODES, written


@pytest.mark.parametrize("mode", WRITING_MODES)
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "RESTRICT", "SET DEFAULT", "NO ACTION"])
def test_the_children_of_a_row_survive_its_import(tool, action, mode):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE, x, updated_at);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER NOT NULL DEFAULT 0"
        f" REFERENCES p ON DELETE {action} ON UPDATE {action});"
        "CREATE TABLE u (id INTEGER PRIMARY KEY,"
        f" code TEXT REFERENCES p (code) ON DELETE {action} ON UPDATE {action});"
        "INSERT INTO p VALUES (1, 'one', 'old', 2); INSERT INTO c VALUES (1, 1);"
        "INSERT INTO u VALUES (1, 'one');",
        "UPDATE p SET x = 'new', updated_at = 1; DELETE FROM c WHERE id = 1;",
    )
    tool.imported(mode)
    x = "new" if mode is ConflictMode.MERGE else "old"
    assert tool.rows("SELECT code, x FROM p") == [("one", x)]
    assert tool.rows("SELECT * FROM c") == [(1, 1)]
    assert tool.rows("SELECT * FROM u") == [(1, "one")]


@pytest.mark.parametrize("mode", MODES)
def test_two_tables_that_refer_to_each_other_come_back(tool, mode):
    tool.backed_up(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b NOT NULL REFERENCES b);"
        "CREATE TABLE b (id TEXT PRIMARY KEY, a REFERENCES a);"
        "INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES ('x', 2), ('y', NULL);",
        "DELETE FROM a; DELETE FROM b;",
    )
    assert written(tool.imported(mode)) == {"a": (2, 0, 0), "b": (2, 0, 0)}
    assert tool.rows("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "RESTRICT"])
def test_clear_never_removes_a_row_that_a_table_outside_the_file_refers_to(tool, action):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);",
        "INSERT INTO p VALUES (2), (3); CREATE TABLE c (id INTEGER PRIMARY KEY,"
        f" p REFERENCES p ON DELETE {action}); INSERT INTO c VALUES (1, 1), (2, 2), (3, 2);",
    )
    report = tool.imported(ConflictMode.CLEAR, yes=False, dry_run=True)
    assert report.plan.broken == ("2 of c to p",)
    error = tool.refused(ImportRefused, "2 of c to p", ConflictMode.CLEAR)
    assert error.hint


def test_clear_of_some_tables_spares_rows_that_others_refer_to(tool):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p);",
        "INSERT INTO p VALUES (2); INSERT INTO c VALUES (1, 2);",
    )
    tool.refused(ImportRefused, "1 of c to p", ConflictMode.CLEAR, tables=("p",))
    tool.imported(ConflictMode.CLEAR)
    assert tool.rows("SELECT * FROM p") == [(1,)]
    assert tool.rows("SELECT * FROM c") == []


@pytest.mark.parametrize("key", ["INTEGER PRIMARY KEY", "TEXT PRIMARY KEY", ""])
def test_clear_removes_a_row_together_with_those_that_refer_to_it(tool, key):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        f"CREATE TABLE t (id {key}, p REFERENCES p);"
        "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1, 1);",
        "INSERT INTO p VALUES (2); INSERT INTO t VALUES (2, 2);",
    )
    assert written(tool.imported(ConflictMode.CLEAR)) == {"p": (0, 0, 1), "t": (0, 0, 1)}
    assert tool.rows("SELECT * FROM p") == [(1,)]
    assert tool.rows("SELECT p FROM t") == [(1,)]


def test_clear_leaves_tables_alone_that_are_not_in_the_file(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);",
        "DELETE FROM t; CREATE TABLE mine (x); INSERT INTO mine VALUES ('kept'), ('kept');",
    )
    tool.imported(ConflictMode.CLEAR)
    assert tool.rows("SELECT id FROM t") == [(1,)]
    assert tool.rows("SELECT x FROM mine") == [("kept",), ("kept",)]


def test_clear_with_an_empty_table_in_the_file_empties_the_table(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE k (x); CREATE TABLE w"
        " (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;",
        "INSERT INTO t VALUES (1), (2); INSERT INTO k VALUES (1), (1);INSERT INTO w VALUES (1, 2);",
    )
    report = tool.imported(ConflictMode.CLEAR)
    assert written(report) == {"t": (0, 0, 2), "k": (0, 0, 2), "w": (0, 0, 1)}
    assert [tool.rows(f"SELECT count(*) FROM {name}") for name in "tkw"] == [[(0,)]] * 3


def test_a_clear_that_fails_midway_leaves_everything_as_it_was(tool):
    tool.backed_up(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1);"
        "CREATE TABLE z (id INTEGER PRIMARY KEY, x); INSERT INTO z VALUES (1, 'no');",
        "INSERT INTO a VALUES (2); DROP TABLE z;"
        "CREATE TABLE z (id INTEGER PRIMARY KEY, x CHECK (x <> 'no'));"
        "INSERT INTO z VALUES (2, 2);",
    )
    tool.refused(ImportRefused, "z: CHECK", ConflictMode.CLEAR)


def test_clear_names_the_rows_that_it_removes_by_their_key(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, x); INSERT INTO t VALUES ('ann', 1);",
        "INSERT INTO t VALUES ('bob', 2)",
    )
    report = tool.imported(ConflictMode.CLEAR, yes=False, rows=True)
    assert report.plan.rows is not None
    assert [(row.action, row.key) for row in report.plan.rows] == [("remove", "bob")]


# What a reference needs, and a plan must say


CODES = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE);"
    "CREATE TABLE c (id INTEGER PRIMARY KEY, code TEXT REFERENCES p (code));"
)


def test_a_plan_names_children_that_an_overwritten_code_would_leave_behind(tool):
    tool.backed_up(
        CODES + "INSERT INTO p VALUES (1, 'old');",
        "UPDATE p SET code = 'new'; INSERT INTO c VALUES (1, 'new');",
    )
    report = tool.imported(yes=False, dry_run=True)
    assert report.plan.broken == ("1 of c to p",)
    tool.refused(ImportRefused, "1 of c to p")


def test_a_plan_of_a_merge_names_children_whose_parent_it_does_not_bring(tool):
    tool.backed_up(
        CODES + "INSERT INTO p VALUES (1, 'old'); INSERT INTO c VALUES (1, 'old');",
        "DELETE FROM c; UPDATE p SET code = 'new';",
    )
    report = tool.imported(ConflictMode.MERGE, yes=False, dry_run=True)
    assert report.plan.broken == ("1 of c to p",)
    tool.refused(ImportRefused, "1 of c to p", ConflictMode.MERGE)


def test_a_plan_of_a_clear_names_children_that_a_broken_backup_leaves_behind(tool):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY,"
        " p REFERENCES p); INSERT INTO c VALUES (1, 99);",
        "INSERT INTO p VALUES (99);",
    )
    report = tool.imported(ConflictMode.CLEAR, yes=False, dry_run=True)
    assert report.plan.broken == ("1 of c to p",)
    tool.refused(ImportRefused, "1 of c to p", ConflictMode.CLEAR)


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_reference_that_sqlite_could_never_check_does_not_stand_in_the_way(tool, mode):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x); CREATE TABLE c (id INTEGER PRIMARY KEY,"
        " p REFERENCES p (x)); INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 'a');",
        "DELETE FROM c",
    )
    assert written(tool.imported(mode)) == {"c": (1, 0, 0)}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "key", ["id TEXT COLLATE NOCASE PRIMARY KEY", "id TEXT COLLATE NOCASE UNIQUE"]
)
def test_a_reference_is_as_whole_as_the_collation_of_what_it_refers_to_says(tool, key, mode):
    tool.backed_up(
        f"CREATE TABLE p ({key}); CREATE TABLE c (id INTEGER PRIMARY KEY, p TEXT"
        " REFERENCES p (id));"
        "INSERT INTO p VALUES ('ann'); INSERT INTO c VALUES (1, 'ANN');",
        "DELETE FROM c; DELETE FROM p;",
    )
    assert tool.rows("PRAGMA foreign_key_check") == []
    assert written(tool.imported(mode)) == {"p": (1, 0, 0), "c": (1, 0, 0)}
