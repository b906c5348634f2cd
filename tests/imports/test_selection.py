"""An import of some groups, or of single rows with what belongs to them."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.errors import ImportRefused, UsageError
from holdfast.works import ConflictMode
from tests.imports.conftest import written

# Teams have people; people have a boss, and belong to projects; tasks belong to both.
SCHEMA = """
CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE people (
    id INTEGER PRIMARY KEY, name TEXT, team INTEGER REFERENCES teams,
    boss INTEGER REFERENCES people
);
CREATE TABLE projects (code TEXT, year INTEGER, title TEXT, PRIMARY KEY (code, year));
CREATE TABLE tasks (
    id TEXT PRIMARY KEY, person INTEGER REFERENCES people, code TEXT, year INTEGER,
    FOREIGN KEY (code, year) REFERENCES projects
);
CREATE TABLE labels (task TEXT NOT NULL REFERENCES tasks, label TEXT, PRIMARY KEY (task, label));
INSERT INTO teams VALUES (1, 'north'), (2, 'south'), (3, 'east');
INSERT INTO people VALUES (1, 'Ann', 1, NULL), (2, 'Bob', 2, 1), (3, 'Cai', 1, 2), (4, 'Di', 3, 4);
INSERT INTO projects VALUES ('a', 2025, 'A'), ('a', 2026, 'A again'), ('b', 2026, 'B');
INSERT INTO tasks VALUES ('t/1', 3, 'a', 2026), ('t,2', 2, 'b', 2026), ('t3', 4, 'a', 2025);
INSERT INTO labels VALUES ('t/1', 'red'), ('t/1', 'blue'), ('t,2', 'red'), ('t3', 'red');
"""
GONE = (
    "DELETE FROM labels; DELETE FROM tasks; DELETE FROM projects; DELETE FROM people;"
    "DELETE FROM teams;"
)


@pytest.mark.parametrize(
    ("keys", "children", "expected"),
    [
        (["teams:1"], False, {"teams": 1}),
        (["people:3"], False, {"people": 3, "teams": 2}),
        (["people:3", "people:3,4"], False, {"people": 4, "teams": 3}),
        (["people:4"], True, {"people": 1, "teams": 1, "tasks": 1, "labels": 1, "projects": 1}),
        (["people:1"], True, {"people": 3, "teams": 2, "tasks": 2, "labels": 3, "projects": 2}),
        (["projects:a/2026"], False, {"projects": 1}),
        (["PROJECTS:a/2025,b/2026"], False, {"projects": 2}),
        (
            ["projects:a/2025"],
            True,
            {"projects": 1, "tasks": 1, "labels": 1, "people": 1, "teams": 1},
        ),
        (["tasks:t/1"], False, {"tasks": 1, "people": 3, "teams": 2, "projects": 1}),
        ([r"tasks:t\,2"], False, {"tasks": 1, "people": 2, "teams": 2, "projects": 1}),
        (
            [r"labels:t\/1/blue"],
            False,
            {"labels": 1, "tasks": 1, "people": 3, "teams": 2, "projects": 1},
        ),
    ],
)
def test_a_key_brings_its_row_and_what_it_needs_and_with_children_what_needs_it(
    tool, keys, children, expected
):
    tool.backed_up(SCHEMA, GONE)
    report = tool.imported(keys=tuple(keys), children=children)
    found = {name: inserted for name, (inserted, _, _) in written(report).items()}
    assert found == expected
    assert tool.rows("PRAGMA foreign_key_check") == []


def test_a_selection_by_key_changes_no_other_row_and_names_no_other_table(tool):
    tool.backed_up(SCHEMA, "UPDATE people SET name = 'X'; UPDATE teams SET name = 'Y'")
    report = tool.imported(keys=("people:2",))
    assert written(report) == {"people": (0, 2, 0), "teams": (0, 2, 0)}
    assert [table.name for table in report.plan.tables] == ["teams", "people"]
    assert report.plan.skipped == ()
    assert tool.rows("SELECT name FROM people ORDER BY id") == [
        ("Ann",),
        ("Bob",),
        ("X",),
        ("X",),
    ]


def test_tables_that_refer_to_each_other_in_a_circle_come_whole(tool):
    tool.backed_up(
        "CREATE TABLE talks (id INTEGER PRIMARY KEY, start INTEGER REFERENCES messages);"
        "CREATE TABLE messages (id INTEGER PRIMARY KEY, talk INTEGER NOT NULL REFERENCES talks,"
        " reply INTEGER REFERENCES messages);"
        "INSERT INTO talks VALUES (1, NULL), (2, 1), (3, NULL);"
        "INSERT INTO messages VALUES (1, 1, NULL), (2, 2, 1), (3, 2, 2), (4, 3, NULL);",
        "DELETE FROM messages; DELETE FROM talks;",
    )
    assert written(tool.imported(keys=("talks:2",))) == {
        "talks": (2, 0, 0),
        "messages": (1, 0, 0),
    }
    assert tool.rows("SELECT id FROM messages") == [(1,)]
    assert written(tool.imported(keys=("talks:1",), children=True)) == {"messages": (2, 0, 0)}
    assert tool.rows("SELECT id FROM messages") == [(1,), (2,), (3,)]


def test_a_long_chain_of_replies_is_followed_to_its_end(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t);"
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO t SELECT i, nullif(i - 1, 0) FROM n; INSERT INTO t VALUES (9999, NULL);",
        "DELETE FROM t",
    )
    assert written(tool.imported(keys=("t:2000",))) == {"t": (2000, 0, 0)}


@pytest.mark.parametrize(
    ("ddl", "key"),
    [
        ("id PRIMARY KEY", "7"),
        ("id TEXT PRIMARY KEY COLLATE NOCASE", "7"),
        ("id REAL PRIMARY KEY", "7.0"),
        ("id TEXT", "2"),  # no key but the rowid
    ],
)
def test_a_key_of_any_type_is_found_by_its_text(tool, ddl, key):
    tool.backed_up(
        f"CREATE TABLE t ({ddl}, v); INSERT INTO t VALUES (6, 'six'), (7, 'seven')", "DELETE FROM t"
    )
    tool.imported(keys=(f"t:{key}",))
    assert tool.rows("SELECT v FROM t") == [("seven",)]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("teams:1,9", "the backup has no row 9 in teams"),
        ("nowhere:1", "the backup brings no table nowhere"),
        ("teams", "the backup brings no table teams"),
        ("projects:a", "projects has a key of 2 columns, not of 1"),
        ("projects:a/2026/x", "projects has a key of 2 columns, not of 3"),
    ],
)
def test_a_key_that_the_backup_lacks_is_named(tool, keys, message):
    tool.backed_up(SCHEMA, GONE)
    error = tool.refused(UsageError, message, keys=(keys,))
    assert error.hint


def test_a_selection_by_key_cannot_clear(tool):
    tool.backed_up(SCHEMA)
    tool.refused(UsageError, "--mode clear removes", ConflictMode.CLEAR, keys=("teams:1",))


def test_children_without_keys_are_refused(tool):
    tool.backed_up(SCHEMA)
    tool.refused(UsageError, "--children goes with --keys", children=True)


def test_what_a_row_needs_and_no_table_was_asked_for_is_missed(tool):
    tool.backed_up(SCHEMA, GONE)
    tool.refused(ImportRefused, "1 of people to teams", keys=("people:4",), tables=("people",))


@pytest.mark.parametrize("mode", [ConflictMode.MERGE, ConflictMode.FAIL])
def test_the_modes_hold_for_selected_rows(tool, mode):
    tool.backed_up(
        SCHEMA, "UPDATE people SET name = 'X' WHERE id < 3; DELETE FROM people WHERE id = 3"
    )
    planned = tool.planned(mode, keys=("people:3",))
    assert planned["people"].inserted == 1
    if mode is ConflictMode.MERGE:
        assert planned["people"].kept == 2
    else:
        assert planned["people"].conflicts == 2


def test_the_plan_that_is_confirmed_is_that_of_the_same_keys(tool):
    tool.backed_up(SCHEMA, GONE)
    options: dict[str, Any] = {"keys": ("people:3", "teams:3"), "children": True}
    report = tool.imported(yes=False, **options)
    words = report.confirmed_by
    assert words[words.index("--keys") :][:5] == (
        "--keys", "people:3", "--keys", "teams:3", "--children",
    )  # fmt: skip
    others: list[dict[str, Any]] = [
        {},
        {"keys": ("people:3", "teams:3")},
        {"keys": ("people:3",), "children": True},
    ]
    ids = {tool.imported(yes=False, **other).plan.plan_id for other in others}
    assert report.plan.plan_id not in ids
    assert tool.imported(yes=False, confirm=report.plan.plan_id, **options).outcome == "done"


PROFILE = """
name: team
title: Team
recognise: [teams, people]
groups:
  staff: {tables: [teams, people, holidays]}
  work: {tables: [projects, tasks, labels]}
skip_on_import: {projects: kept elsewhere}
"""


@pytest.fixture
def team(tool, tmp_path):
    folder = tmp_path / "home" / "profiles"
    folder.mkdir(parents=True)
    (folder / "team.yaml").write_text(PROFILE)
    return tool.backed_up(SCHEMA, GONE)


def test_groups_bring_their_tables_alone(team):
    report = team.imported(groups=("staff",))
    assert written(report) == {"teams": (3, 0, 0), "people": (4, 0, 0)}
    assert report.warnings == ()


def test_a_table_that_a_group_names_is_still_skipped_where_the_profile_says_so(team):
    report = team.imported(groups=("staff", "work"), yes=False, dry_run=True)
    assert "projects" not in {table.name for table in report.plan.tables}
    assert ("projects", "kept elsewhere") in {(s.table, s.reason) for s in report.plan.skipped}


def test_an_unknown_group_is_passed_over_with_a_warning(team):
    report = team.imported(groups=("staff", "wrk"))
    assert set(written(report)) == {"teams", "people"}
    assert report.warnings == (
        "there is no group wrk; it was left out. The groups are staff, work.",
    )


def test_without_any_known_group_nothing_is_done(team):
    error = team.refused(UsageError, "there is no group x, y: nothing was done", groups=("x", "y"))
    assert error.hint == "The groups are staff, work."


def test_groups_and_tables_add_up(team):
    report = team.imported(groups=("staff",), tables=("projects",))
    assert written(report) == {"teams": (3, 0, 0), "people": (4, 0, 0), "projects": (3, 0, 0)}


def test_the_plan_names_the_groups_it_was_made_for(team):
    report = team.imported(yes=False, groups=("staff",))
    assert report.confirmed_by[-4:-2] == ("--groups", "staff")
    assert (
        team.imported(yes=False, groups=("staff",), confirm=report.plan.plan_id).outcome == "done"
    )
