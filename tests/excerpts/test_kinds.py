"""References of some rows alone, in scopes and rules: what a row of its kind refers to, no more."""

from __future__ import annotations

import pytest

from tests.conftest import run_sql
from tests.excerpts.conftest import PROFILE as BOARD
from tests.excerpts.conftest import Board

NOTES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, level INTEGER, of_id INTEGER"
    " {}, text);"
    # Projects are 1 Planning and 2 Garden; tasks 1, 2 and 4 are of Planning, 3 is of Garden.
    "INSERT INTO notes VALUES (1, 'project', 1, 1, ''), (2, 'project', 1, 2, ''),"
    " (3, 'task', 1, 3, ''), (4, 'task', 2, 4, ''), (5, 'task', 3, 1, 'of another level'),"
    " (6, 'Project', 1, 1, 'of another kind'), (7, 'task', 1, 90, 'of one who is gone');"
    "UPDATE tasks SET up = NULL WHERE id = 4;"
)
PROFILE = BOARD.replace(
    "references:\n",
    """references:
  - {table: notes, columns: [of_id], parent: projects, parent_columns: [id], where: {KIND: project}}
  - {table: [notes, absent], columns: [OF_ID], parent: tasks, parent_columns: [id],
     where: {kind: [task, job], level: [1, 2]}}
""",
)


@pytest.fixture(params=["NOT NULL", ""])
def noted(board: Board, request: pytest.FixtureRequest) -> Board:
    """The board with notes on projects and tasks, whose reference may or may not be NULL."""
    run_sql(board.path, NOTES.format(request.param))
    board.set_profile(PROFILE)
    return board


@pytest.fixture
def nullable(board: Board) -> Board:
    run_sql(board.path, NOTES.format(""))
    board.set_profile(PROFILE)
    return board


def test_a_full_export_takes_them_all(noted):
    assert noted.keys()["notes"] == [1, 2, 3, 4, 5, 6, 7]


def test_a_scope_takes_those_of_its_own_rows_and_of_no_others(noted):
    assert noted.keys(scope=("project=Planning",))["notes"] == [1, 4]
    assert noted.keys(scope=("project=Garden",))["notes"] == [2, 3]


def test_what_a_scope_leaves_out_is_a_link_where_it_must_refer(noted):
    # Row 3 is of Garden, and belongs to Planning as well.
    run_sql(noted.path, "ALTER TABLE notes ADD COLUMN project INTEGER REFERENCES projects")
    run_sql(noted.path, "UPDATE notes SET project = 1 WHERE id = 3")
    document = noted.document(scope=("project=Planning",))
    found = [(row["id"], row["of_id"]) for row in document["tables"]["notes"]]
    if document["left_out"]["links"].get("notes"):
        assert found == [(1, 1), (4, 4)]
    else:
        assert found == [(1, 1), (3, None), (4, 4)]
        assert document["left_out"]["references"]["notes.of_id"] == 1


@pytest.mark.parametrize(
    ("rule", "notes", "cut"),
    [
        ("id = 3", [1, 2, 4, 5, 6, 7], []),
        ("{where: id = 3, referring: null}", [1, 2, 3, 4, 5, 6, 7], [3]),
        ("{where: id = 3, referring: keep}", [1, 2, 3, 4, 5, 6, 7], []),
    ],
)
def test_rows_that_refer_to_an_excluded_one_follow_its_rule(nullable, rule, notes, cut):
    nullable.set_profile(PROFILE.replace("exclude_rows:\n", f"exclude_rows:\n  tasks: {rule}\n"))
    document = nullable.document("all")
    assert [row["id"] for row in document["tables"]["notes"]] == notes
    assert [row["id"] for row in document["tables"]["notes"] if row["of_id"] is None] == cut


def test_what_a_row_of_such_a_kind_refers_to_is_included(nullable):
    rule = "  projects: {where: id > 0, referring: include}\n"
    nullable.set_profile(PROFILE.replace("exclude_rows:\n", f"exclude_rows:\n{rule}"))
    sql = "DELETE FROM deps; DELETE FROM task_tags; DELETE FROM tasks; DELETE FROM boards;"
    run_sql(nullable.path, sql + "DELETE FROM memory; DELETE FROM notes WHERE id = 2")
    assert nullable.keys("all")["projects"] == [1]
    run_sql(nullable.path, "DELETE FROM notes WHERE id = 1")
    assert nullable.keys("all")["projects"] == []
