"""An export of one project, board or agent: what belongs to it, what it needs, and no more."""

from __future__ import annotations

import pytest

from holdfast.errors import UsageError
from tests.conftest import run_sql


def test_a_scope_holds_what_belongs_to_it_and_what_that_needs_and_no_link_outside(board):
    document = board.document("all", scope=("project=Planning",))
    tables = document["tables"]
    assert tables["projects"] == [{"id": 1, "name": "Planning"}]
    assert tables["tasks"] == [
        {"id": 1, "project": 1, "board": 1, "type": "own", "up": None},
        {"id": 2, "project": 1, "board": None, "type": "bug", "up": 1},
        {"id": 4, "project": 1, "board": 3, "type": None, "up": None},
    ]
    assert [row["id"] for row in tables["boards"]] == [1, 3]
    assert [row["id"] for row in tables["types"]] == ["own"]
    assert [(row["task"], row["needs"]) for row in tables["deps"]] == [(1, 2), (4, 1)]
    assert [row["id"] for row in tables["tags"]] == [1]
    assert [(row["task"], row["tag"]) for row in tables["task_tags"]] == [(1, 1)]
    assert [row["text"] for row in tables["memory"]] == ["a"]
    assert document["left_out"] == {
        "rows": {"task_tags": 1},
        "links": {"deps": 2},
        "references": {"tasks.board": 1, "tasks.up": 1},
        "columns": {"tasks": ["session"]},
    }
    assert document["choice"]["scope"] == ["project=Planning"]
    assert document["type"] == "partial"


@pytest.mark.parametrize(
    ("words", "scope", "expected"),
    [
        ([], ("board=shared",), {"boards": [3], "tasks": [4], "projects": [1]}),
        (["boards"], ("board=shared",), {"boards": [3]}),
        (["boards", "shared"], (), {"boards": [3]}),
        (["boards", "tasks", "G board"], (), {"boards": [2], "tasks": [2, 3, 4]}),
        (["projects", "Garden"], (), {"projects": [2]}),
        (["tasks"], ("project-id=2",), {"projects": [2], "tasks": [3]}),
        ([], ("project=Planning", "project-id=2"), {"projects": [1, 2], "tasks": [1, 2, 3, 4]}),
    ],
)
def test_a_scope_is_named_by_word_by_option_or_by_id(board, words, scope, expected):
    keys = board.keys(*words, scope=scope)
    assert {name: keys.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("words", "scope", "message", "hint"),
    [
        ([], ("project=Plannig",), "there is no project Plannig", "Did you mean Planning?"),
        (["boards", "x"], (), "there is no board x", "Did you mean G board or P board or shared?"),
        ([], ("project-id=7",), "there is no project 7", "Did you mean 1 or 2?"),
        ([], ("agent=Ann",), "there is no agent", "There is project, board."),
        ([], ("project=Garden", "board=shared"), "board and project cannot", "Name things of one"),
    ],
)
def test_a_scope_that_is_not_there_is_an_error_that_names_near_ones(
    board, words, scope, message, hint
):
    with pytest.raises(UsageError, match=message) as caught:
        board.exported(*words, scope=scope)
    assert hint in caught.value.hint
    assert not list(board.context.output.glob("*"))


def test_a_name_of_several_rows_asks_for_an_id(board):
    run_sql(board.path, "UPDATE boards SET name = 'shared' WHERE id = 2")
    with pytest.raises(UsageError, match="several are called shared") as caught:
        board.exported(scope=("board=shared",))
    assert caught.value.hint == "Use --board-id, with one of 2, 3."
    assert board.keys(scope=("board-id=3",))["boards"] == [3]


def test_a_database_without_a_profile_has_no_scopes(board, make_database):
    board.path = make_database("CREATE TABLE t (x)", "plain.db")
    with pytest.raises(UsageError, match="there is no project that this database"):
        board.exported(scope=("project=Planning",))


def test_the_rows_of_a_link_that_is_left_out_go_with_it(board):
    run_sql(
        board.path,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, needs INTEGER NOT NULL,"
        " FOREIGN KEY (task, needs) REFERENCES deps);"
        "CREATE TABLE seen (note INTEGER REFERENCES notes, by TEXT);"
        "INSERT INTO notes VALUES (1, 1, 2), (2, 2, 3);"
        "INSERT INTO seen VALUES (1, 'ann'), (2, 'bob');",
    )
    document = board.document(scope=("project=Planning",))
    assert [row["id"] for row in document["tables"]["notes"]] == [1]
    seen = [(row["note"], row["by"]) for row in document["tables"]["seen"]]
    assert seen == [(1, "ann"), (None, "bob")]
    assert document["left_out"]["links"] == {"deps": 2, "notes": 1}


@pytest.mark.parametrize("project", ["Planning", "Garden"])
def test_a_scope_goes_into_an_empty_database_without_a_broken_reference(board, project):
    run_sql(board.path, "UPDATE types SET builtin = 0")
    report = board.exported("all", scope=(f"project={project}",))
    target = board.empty()
    assert board.imported(report, target).outcome == "done"
    assert board.rows("PRAGMA foreign_key_check", target) == []
    assert board.rows("SELECT name FROM projects", target) == [(project,)]
    restored, _ = board.restored(report)
    assert board.rows("PRAGMA foreign_key_check", restored) == []
