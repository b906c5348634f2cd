"""References of some rows alone, in an import: by keys, by their order, in what a plan warns of."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.works import ConflictMode
from tests.imports.conftest import WRITING_MODES, Tool, written

PROFILE = """
name: tool
title: Tool
recognise: [projects, tasks]
references:
  - {table: notes, columns: [of_id], parent: projects, parent_columns: [id], where: {KIND: project}}
  - {table: [notes, absent], columns: [OF_ID], parent: tasks, parent_columns: [id],
     where: {kind: [task, job], level: [1, 2]}}
  - {table: notes, columns: [of_id], parent: tasks, parent_columns: [id], where: {absent: x}}
"""
SCHEMA = (
    "CREATE TABLE projects (id INTEGER PRIMARY KEY, name);"
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, name);"
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, level INTEGER, of_id INTEGER,"
    " text);"
)
NOTES = (
    "INSERT INTO notes VALUES (1, 'project', 1, 1, ''), (2, 'project', 1, 2, ''), (3, 'task', 1, 3,"
    " ''), (4, 'task', 2, 4, ''), (5, 'task', 3, 1, ''), (6, 'Project', 1, 1, ''), (7, 'task', 1,"
    " 90, ''), (8, 'job', 1, 3, '');"
)
WARNING = "what these rows refer to is not there. The database does not mind."


@pytest.fixture
def plain(tool: Tool, tmp_path: Path) -> Tool:
    folder = tmp_path / "home" / "profiles"
    folder.mkdir(parents=True)
    (folder / "tool.yaml").write_text(PROFILE, encoding="utf-8")
    return tool


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_plan_warns_of_rows_whose_kind_leads_nowhere_and_of_no_others(plain, mode):
    plain.backed_up(
        SCHEMA + "INSERT INTO projects VALUES (1, 'a'); INSERT INTO notes VALUES"
        " (1, 'project', 1, 1, ''), (2, 'task', 1, 1, ''), (3, 'task', 1, 2, ''),"
        " (4, 'task', 9, 1, ''), (5, 'x', 1, 1, ''), (6, 'task', 1, NULL, '');",
        "DELETE FROM notes",
    )
    report = plain.imported(mode, yes=False)
    assert report.plan.broken == ()
    assert report.warnings == (f"2 of notes to tasks: {WARNING}",)
    plain.imported(mode)
    assert plain.imported(mode, yes=False).warnings == ()


def test_a_row_whose_kind_alone_changes_refers_to_something_else(plain):
    plain.backed_up(
        SCHEMA + "INSERT INTO projects VALUES (1, 'a'); INSERT INTO notes VALUES"
        " (1, 'task', 1, 1, ''), (2, 'project', 1, 1, ''), (3, 'task', 1, 3, '');",
        "UPDATE notes SET kind = 'project' WHERE id = 1; UPDATE notes SET kind = 'task', of_id = 3"
        " WHERE id = 2; UPDATE notes SET text = 'x' WHERE id = 3",
    )
    # The third led nowhere before, and still does.
    assert plain.imported(yes=False).warnings == (f"1 of notes to tasks: {WARNING}",)


def test_clear_warns_of_rows_left_behind_by_what_it_removes(plain):
    plain.backed_up(
        SCHEMA + "INSERT INTO projects VALUES (1, 'a'); INSERT INTO tasks VALUES (1, 'a');",
        "INSERT INTO projects VALUES (2, 'b'); INSERT INTO tasks VALUES (2, 'b');"
        "INSERT INTO notes VALUES (1, 'project', 1, 2, ''), (2, 'project', 1, 1, ''), (3, 'task',"
        " 9, 2, '');",
    )
    report = plain.imported(ConflictMode.CLEAR, yes=False, tables=("projects", "tasks"))
    assert report.warnings == (f"1 of notes to projects: {WARNING}",)
    whole = plain.imported(ConflictMode.CLEAR)
    assert whole.warnings == ()
    assert written(whole)["notes"] == (0, 0, 3)


def test_clear_does_not_warn_of_a_row_that_is_of_another_kind_from_now_on(plain):
    plain.backed_up(
        SCHEMA + "INSERT INTO projects VALUES (2, 'b'); INSERT INTO notes VALUES"
        " (1, 'project', 1, 2, '');",
        "INSERT INTO tasks VALUES (2, 'b'); UPDATE notes SET kind = 'task'",
    )
    assert plain.imported(ConflictMode.CLEAR).warnings == ()
    assert plain.rows("SELECT kind FROM notes") == [("project",)]


def test_rows_are_written_after_those_of_every_kind_that_they_refer_to(plain):
    plain.backed_up(SCHEMA)
    order = [table.name for table in plain.imported(yes=False).plan.tables]
    assert order.index("notes") > max(order.index("projects"), order.index("tasks"))


@pytest.mark.parametrize(
    ("keys", "children", "expected"),
    [
        ("notes:2", False, {"notes": 1, "projects": 1}),
        ("notes:4", False, {"notes": 1, "tasks": 1}),
        ("notes:5,6,7", False, {"notes": 3}),
        ("projects:2", True, {"projects": 1, "notes": 1}),
        ("tasks:3", True, {"tasks": 1, "notes": 2}),
    ],
)
def test_keys_bring_what_a_row_of_its_kind_refers_to_and_what_refers_to_it(
    plain, keys, children, expected
):
    plain.backed_up(
        SCHEMA
        + NOTES
        + "INSERT INTO projects VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');"
        + "INSERT INTO tasks VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');",
        "DELETE FROM notes; DELETE FROM projects; DELETE FROM tasks;",
    )
    found = written(plain.imported(keys=(keys,), children=children))
    assert {name: inserted for name, (inserted, _, _) in found.items()} == expected


def test_a_kind_in_a_column_that_ignores_case_is_still_told_by_its_case(plain):
    plain.backed_up(
        SCHEMA.replace("kind TEXT NOT NULL", "kind TEXT NOT NULL COLLATE NOCASE")
        + "INSERT INTO notes VALUES (1, 'task', 1, 1, ''), (2, 'TASK', 1, 1, '');",
        "DELETE FROM notes; INSERT INTO tasks VALUES (7, 'a'); INSERT INTO notes VALUES"
        " (3, 'task', 1, 7, ''), (4, 'TASK', 1, 7, '');",
    )
    warnings = (f"1 of notes to tasks: {WARNING}",)
    assert plain.imported(yes=False).warnings == warnings
    assert plain.imported(ConflictMode.CLEAR, yes=False, tables=("tasks",)).warnings == warnings
