"""Newer: the row that was changed later wins, and what cannot be decided is said."""

from __future__ import annotations

import pytest

from holdfast.errors import ImportConflict
from holdfast.works import ConflictMode
from tests.imports.conftest import written

TABLE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, x, {column} {declared});"
    "INSERT INTO t VALUES (1, 'file', {file}), (2, 'same', {file});"
)


def backed_up(tool, file, here, *, column="updated_at", declared=""):
    """A row that differs, with one time in the file and another in the database."""
    sql = TABLE.format(column=column, declared=declared, file=file)
    return tool.backed_up(sql, f"UPDATE t SET x = 'here', {column} = {here} WHERE id = 1")


# Each pair: the earlier time, the later one.
PAIRS = {
    "days": ("'2026-11-19'", "'2026-11-20'"),
    "a day and a moment of it": ("'2026-11-20'", "'2026-11-20 00:00:01'"),
    "a space": ("'2026-11-20 09:59:59'", "'2026-11-20 10:00:00'"),
    "a T": ("'2026-11-20T09:59:59'", "'2026-11-20T10:00:00'"),
    "a space, then a T": ("'2026-11-20 10:00:00'", "'2026-11-20T10:00:01'"),
    "a T, then a space": ("'2026-11-20T10:00:00'", "'2026-11-20 10:00:01'"),
    "Z": ("'2026-11-20T10:00:00Z'", "'2026-11-20T10:00:01Z'"),
    "none, then Z": ("'2026-11-20 10:00:00'", "'2026-11-20T10:00:01Z'"),
    "offsets": ("'2026-11-20T12:00:00+02:00'", "'2026-11-20T11:00:00+00:00'"),
    "an offset, then Z": ("'2026-11-20T12:00:00+02:00'", "'2026-11-20T10:00:01Z'"),
    "offsets of another day": ("'2026-11-21T01:00:00+05:00'", "'2026-11-20T20:00:01+00:00'"),
    "milliseconds": ("'2026-11-20 10:00:00.123'", "'2026-11-20 10:00:00.124'"),
    "microseconds": ("'2026-11-20T10:00:00.123456'", "'2026-11-20T10:00:00.123457'"),
    "microseconds, Z": ("'2026-11-20T10:00:00.000001Z'", "'2026-11-20T10:00:00.000002Z'"),
    "microseconds, offset": (
        "'2026-11-20T10:00:00.123456+00:00'",
        "'2026-11-20T10:00:00.123457+00:00'",
    ),
    "microseconds, two offsets": (
        "'2026-11-20T12:00:00.500000+02:00'",
        "'2026-11-20T10:00:00.600000+00:00'",
    ),
    "microseconds around a second": (
        "'2026-11-20 10:00:00.999600'",
        "'2026-11-20 10:00:01.000000'",
    ),
    "microseconds around a millisecond": (
        "'2026-11-20 10:00:00.000999'",
        "'2026-11-20 10:00:00.001000'",
    ),
    "microseconds or not": ("'2026-11-20T10:00:00'", "'2026-11-20T10:00:00.500000'"),
    "seconds of the epoch": ("1795168800", "1795168801"),
    "milliseconds of the epoch": ("1795168800000", "1795168800001"),
    "nanoseconds of the epoch": ("1795168800000000000", "1795168800000000001"),
    "a fraction of the epoch": ("1795168800.25", "1795168800.5"),
    "whole and fraction": ("1795168800", "1795168800.5"),
}


@pytest.mark.parametrize(("earlier", "later"), PAIRS.values(), ids=PAIRS)
def test_the_later_row_wins_when_the_file_has_it(tool, earlier, later):
    report = backed_up(tool, later, earlier).imported(ConflictMode.NEWER)
    assert written(report) == {"t": (0, 1, 0)}
    assert report.plan.tables[0].stale == 0
    assert tool.rows("SELECT x FROM t ORDER BY id") == [("file",), ("same",)]
    assert tool.imported(ConflictMode.NEWER).outcome == "nothing to do"


@pytest.mark.parametrize(("earlier", "later"), PAIRS.values(), ids=PAIRS)
def test_a_row_that_was_changed_later_stays_and_is_counted(tool, earlier, later):
    before = backed_up(tool, earlier, later).everything()
    report = tool.imported(ConflictMode.NEWER)
    assert (report.outcome, report.plan.tables[0].stale) == ("nothing to do", 1)
    assert report.plan.tables[0].unchanged == 1
    assert tool.everything() == before


@pytest.mark.parametrize(
    "column",
    [
        "updated_at",
        "modified_at",
        "last_modified",
        "last_updated",
        "changed_at",
        "updated",
        "modified",
        "updatedAt",
        "modifiedAt",
        "mtime",
        "UPDATED_AT",
    ],
)
def test_the_time_of_the_last_change_has_many_names(tool, column):
    report = backed_up(tool, "5", "4", column=column).imported(ConflictMode.NEWER)
    assert written(report) == {"t": (0, 1, 0)}


@pytest.mark.parametrize("declared", ["TEXT", "DATETIME", "TIMESTAMP", "INTEGER", "REAL"])
def test_the_declared_type_of_the_time_does_not_matter(tool, declared):
    backed_up(tool, "'2026-11-20 10:00:01'", "'2026-11-20 10:00:00'", declared=declared)
    assert written(tool.imported(ConflictMode.NEWER)) == {"t": (0, 1, 0)}


UNDECIDED = {
    "NULL in the file": ("NULL", "'2026-11-20'"),
    "NULL in the database": ("'2026-11-20'", "NULL"),
    "NULL in both": ("NULL", "NULL"),
    "text and an epoch": ("'2026-11-20 10:00:00'", "1795168801"),
    "an epoch and text": ("1795168800", "'2026-11-20 10:00:01'"),
    "text and a small number": ("'2026-11-20 10:00:00'", "5"),
    "a small number and text": ("5", "'2026-11-20 10:00:00'"),
    "no time at all": ("'today'", "'yesterday'"),
    "no text": ("x'31'", "x'32'"),
    "one moment": ("'2026-11-20 10:00:00'", "'2026-11-20 10:00:00'"),
    "one moment in two forms": ("'2026-11-20 10:00:00'", "'2026-11-20T10:00:00Z'"),
    "one moment in two zones": ("'2026-11-20T12:00:00+02:00'", "'2026-11-20T11:00:00+01:00'"),
    "one microsecond in two zones": (
        "'2026-11-20T12:00:00.123456+02:00'",
        "'2026-11-20T11:00:00.123456+01:00'",
    ),
    "one epoch": ("1795168800", "1795168800"),
}


@pytest.mark.parametrize(("file", "here"), UNDECIDED.values(), ids=UNDECIDED)
def test_rows_that_no_time_tells_apart_are_a_conflict(tool, file, here):
    plan = backed_up(tool, file, here).planned(ConflictMode.NEWER)["t"]
    assert (plan.conflicts, plan.examples, plan.stale) == (1, ("1",), 0)
    error = tool.refused(ImportConflict, r"t: 1 \(1\)", ConflictMode.NEWER)
    assert error.exit_code == 21
    assert "--mode merge" in error.hint and "--mode overwrite" in error.hint


def test_rows_that_differ_in_a_table_without_a_time_are_a_conflict(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, x); INSERT INTO t VALUES ('ann', 1), ('bob', 2);",
        "UPDATE t SET x = 9; DELETE FROM t WHERE id = 'bob';",
    )
    tool.refused(ImportConflict, r"t: 1 \(ann\)", ConflictMode.NEWER)


def test_rows_that_are_new_or_equal_need_no_time(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, x); INSERT INTO t VALUES ('ann', 1), ('bob', 2);",
        "DELETE FROM t WHERE id = 'bob'; INSERT INTO t VALUES ('cai', 3);",
    )
    assert written(tool.imported(ConflictMode.NEWER)) == {"t": (1, 0, 0)}


def test_a_unique_value_of_another_row_is_not_taken_for_a_question_of_time(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, mail UNIQUE, updated_at);"
        "INSERT INTO t VALUES (1, 'ann@x', 1);",
        "DELETE FROM t; INSERT INTO t VALUES (9, 'ann@x', 1);",
    )
    tool.refused(ImportConflict, r"must be unique.*t\.mail = ann@x", ConflictMode.NEWER)


PROFILE = 'name: tool\ntitle: Tool\nrecognise: [t, own]\nchanged_at: [Synced, "it\'s when"]\n'


@pytest.mark.parametrize(
    ("columns", "decides"),
    [("updated_at, synced", "synced"), ('"it\'s when", mtime', "it's when"), ("x, mtime", "mtime")],
)
def test_a_profile_says_which_column_has_the_time_and_the_usual_names_come_after(
    tool, context, columns, decides
):
    folder = context().home.profiles
    folder.mkdir(parents=True)
    (folder / "tool.yaml").write_text(PROFILE, encoding="utf-8")
    tool.backed_up(
        f"CREATE TABLE own (id); CREATE TABLE t (id INTEGER PRIMARY KEY, v, {columns});"
        "INSERT INTO t VALUES (1, 'file', 5, 5);",
        f"UPDATE t SET v = 'here'; UPDATE t SET \"{decides}\" = 4;",
    )
    assert written(tool.imported(ConflictMode.NEWER)) == {"t": (0, 1, 0)}
    assert tool.rows("SELECT v FROM t") == [("file",)]
