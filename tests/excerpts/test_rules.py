"""Rows, columns and tables that a profile leaves out of every export."""

from __future__ import annotations

import pytest

from holdfast.errors import ProfileError
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from tests.conftest import run_sql
from tests.excerpts.conftest import PROFILE


def test_excluded_rows_take_along_those_that_refer_to_them(board):
    document = board.document()
    assert [row["name"] for row in document["tables"]["tags"]] == ["red", "blue"]
    assert [(row["task"], row["tag"]) for row in document["tables"]["task_tags"]] == [
        (1, 1),
        (3, 1),
        (3, 3),
    ]
    assert document["left_out"]["rows"] == {"tags": 1, "task_tags": 1, "types": 1}


def test_with_keep_the_rows_that_refer_stay_as_they_are(board):
    document = board.document()
    assert [row["id"] for row in document["tables"]["types"]] == ["other", "own"]
    assert [row["type"] for row in document["tables"]["tasks"]] == ["own", "bug", "other", None]


def test_with_include_what_is_referred_to_is_taken_and_the_rest_is_left_out(board):
    board.set_profile(PROFILE.replace("referring: keep", "referring: include"))
    run_sql(board.path, "INSERT INTO types VALUES ('unused', 1)")
    document = board.document()
    assert [row["id"] for row in document["tables"]["types"]] == ["bug", "other", "own"]
    assert [row["type"] for row in document["tables"]["tasks"]] == ["own", "bug", "other", None]
    assert document["left_out"]["rows"]["types"] == 1


@pytest.mark.parametrize("word", ["null", "'null'"])
def test_with_null_the_references_become_empty_where_they_may(board, word):
    board.set_profile(PROFILE.replace("referring: keep", f"referring: {word}"))
    document = board.document()
    assert [row["type"] for row in document["tables"]["tasks"]] == ["own", None, "other", None]
    assert document["left_out"]["references"] == {"tasks.type": 1}


def test_with_null_a_row_that_must_refer_is_left_out_as_well(board):
    rule = "projects: {where: id = 2, referring: null}"
    board.set_profile(PROFILE.replace("exclude_rows:\n", f"exclude_rows:\n  {rule}\n"))
    keys = board.keys("all")
    assert keys["projects"] == [1]
    assert keys["tasks"] == [1, 2, 4]
    assert keys["deps"] == [1, 4]
    document = board.document("all")
    assert [row["project"] for row in document["tables"]["boards"]] == [1, None, None]
    # The name of a project that a memory refers to is declared by the profile alone.
    assert [row["project"] for row in document["tables"]["memory"]] == ["Planning", None, "Gone"]
    assert document["left_out"]["references"] == {
        "boards.project": 1,
        "memory.project": 1,
        "tasks.up": 1,
    }


def test_a_rule_may_be_a_condition_alone_and_excludes(board):
    board.set_profile(PROFILE.replace("{where: builtin, referring: keep}", "builtin"))
    assert board.keys()["tasks"] == [1, 3, 4]


def test_excluded_columns_are_not_in_the_backup(board):
    document = board.document()
    assert document["layout"]["tasks"]["columns"] == ["id", "project", "board", "type", "up"]
    assert document["left_out"]["columns"] == {"tasks": ["session"]}


@pytest.mark.parametrize("form", ["json", "jsonl", "folder", "zip"])
def test_what_is_left_over_restores_equal_and_sound(board, form):
    report = board.exported(format=form)
    target, restored = board.restored(report)
    assert board.rows("SELECT id, session FROM tasks WHERE session", target) == []
    assert board.rows("SELECT count(*) FROM task_tags", target) == [(3,)]
    assert restored.left_out.columns == {"tasks": ("session",)}
    [found] = verify_backups(board.context, VerifyOptions(backups=(str(report.path),))).backups
    assert found.problem == ""
    assert found.rungs[-1] == "sound"


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_rules_hold_in_every_encoding(make_database, board, encoding):
    board.path.unlink()
    make_database(
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE projects (id TEXT PRIMARY KEY, name TEXT);"
        "CREATE TABLE tasks (id TEXT PRIMARY KEY, project TEXT REFERENCES projects)"
        " WITHOUT ROWID; CREATE TABLE tags (id, name);"
        "INSERT INTO projects VALUES ('ü', 'Grün'), ('b', 'Blau');"
        "INSERT INTO tasks VALUES ('1', 'ü'), ('2', 'b'); INSERT INTO tags VALUES (1, 'test-ü');",
        "board.db",
    )
    board.set_profile(
        PROFILE.replace("tags: {where", "projects: {where: name = 'Grün', referring: null}\n"
                        "  tags: {where").replace("exclude_columns: {tasks: [session, gone]}", "")
    )  # fmt: skip
    tables = board.document()["tables"]
    assert [row["id"] for row in tables["projects"]] == ["b"]
    assert [(row["id"], row["project"]) for row in tables["tasks"]] == [("1", None), ("2", "b")]
    assert tables["tags"] == []


def test_odd_text_passes_through_rules_unchanged(board):
    run_sql(board.path, "UPDATE boards SET name = CAST(x'ff41' AS TEXT) WHERE id = 2")
    board.set_profile(PROFILE.replace("exclude_rows:\n", "exclude_rows:\n  boards: id = 1\n"))
    names = [row["name"] for row in board.document()["tables"]["boards"]]
    assert names == [{"$text": "/0E="}, "shared"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("where: builtin,", "where: builtn,", "exclude_rows.types.where: no such column: builtn"),
        ("where: builtin,", "where: 'builtin; x',", "exclude_rows.types.where"),
        ("[session, gone]", "[id]", "exclude_columns.tasks: no row comes back without id"),
        (
            "[session, gone]",
            "[project]",
            "exclude_columns.tasks: no row comes back without project",
        ),
    ],
)
def test_a_rule_that_cannot_be_kept_is_an_error_that_names_it(board, old, new, message):
    board.set_profile(PROFILE.replace(old, new))
    with pytest.raises(ProfileError, match=message) as caught:
        board.exported()
    assert caught.value.hint


def test_an_export_changes_nothing_and_leaves_nothing_beside_the_database(board):
    before = board.path.read_bytes()
    board.exported(scope=("project=Planning",))
    assert board.path.read_bytes() == before
    assert [path.name for path in board.path.parent.glob("board.db*")] == ["board.db"]
