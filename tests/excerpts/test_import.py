"""What a backup of a part does to a database that holds more, and what it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.errors import ImportRefused
from holdfast.works import ConflictMode
from tests.conftest import everything, run_sql
from tests.excerpts.conftest import PROFILE
from tests.imports.conftest import written


@pytest.mark.parametrize("mode", [ConflictMode.OVERWRITE, ConflictMode.MERGE, ConflictMode.CLEAR])
@pytest.mark.parametrize("words", [[], ["all"]])
def test_a_full_backup_changes_nothing_in_its_own_database(board, mode, words):
    board.set_profile(
        PROFILE.replace("{where: \"name LIKE 'test-%'\"}", "{where: id = 2, referring: keep}")
    )
    report = board.exported(*words)
    before = everything(board.path)
    assert board.imported(report, board.path, mode=mode).outcome == "nothing to do"
    assert everything(board.path) == before


def test_a_cut_reference_does_not_overwrite_the_one_that_is_there(board):
    report = board.exported(scope=("project=Planning",))
    run_sql(board.path, "UPDATE tasks SET type = 'other' WHERE id = 4")
    assert written(board.imported(report, board.path)) == {"tasks": (0, 1, 0)}
    assert board.rows("SELECT id, board, up, type, session FROM tasks") == [
        (1, 1, None, "own", "s"),
        (2, 2, 1, "bug", "s"),
        (3, 2, None, "other", None),
        (4, 3, 3, None, None),
    ]


def test_what_is_not_cut_of_such_a_column_is_brought_back(board):
    report = board.exported(scope=("project=Planning",))
    run_sql(board.path, "UPDATE tasks SET up = NULL WHERE id = 2")
    board.imported(report, board.path)
    assert board.rows("SELECT up FROM tasks WHERE id = 2") == [(1,)]


def test_a_scope_goes_into_a_database_that_holds_others_and_leaves_these(board):
    report = board.exported("all", scope=("project=Garden",))
    target = board.empty(
        "INSERT INTO projects VALUES (7, 'House'); INSERT INTO types VALUES ('own', 0);"
        "INSERT INTO tasks VALUES (9, 7, NULL, 'own', NULL, 'x');"
    )
    board.imported(report, target)
    assert board.rows("SELECT id, project FROM tasks", target) == [(3, 2), (9, 7)]
    assert board.rows("PRAGMA foreign_key_check", target) == []
    again = board.imported(report, target)
    assert again.outcome == "nothing to do"


def test_clear_is_refused_for_a_scope(board):
    report = board.exported(scope=("project=Garden",))
    before = everything(board.path)
    with pytest.raises(ImportRefused, match="holds only project=Garden: to clear would remove"):
        board.imported(report, board.path, mode=ConflictMode.CLEAR)
    assert everything(board.path) == before


def test_clear_spares_rows_that_no_backup_holds(board):
    report = board.exported("tags", "boards")
    run_sql(board.path, "INSERT INTO tags VALUES (9, 'new')")
    assert written(board.imported(report, board.path, mode=ConflictMode.CLEAR)) == {
        "tags": (0, 0, 1)
    }
    assert board.rows("SELECT name FROM tags") == [("red",), ("test-x",), ("blue",)]
    assert board.rows("SELECT count(*) FROM types") == [(3,)]


def test_the_plan_says_that_the_backup_is_partial(board):
    report = board.imported(board.exported("tags"), board.path)
    assert report.part == "groups tags"


# References that the profile declares.


def test_a_declared_reference_is_followed_by_keys(board):
    report = board.exported("all")
    target = board.empty()
    board.imported(report, target, keys=("memory:2",))
    assert board.rows("SELECT name FROM projects", target) == [("Garden",)]
    run_sql(target, "DELETE FROM memory; DELETE FROM projects")
    board.imported(
        report, target, keys=("projects:1",), children=True, tables=("projects", "memory")
    )
    assert board.rows("SELECT id FROM memory", target) == [(1,)]


def test_a_declared_reference_that_leads_nowhere_is_a_warning_of_the_plan(board):
    report = board.exported("all")
    target = board.empty("INSERT INTO types VALUES ('bug', 1)")
    planned = board.imported(report, target, tables=("memory",), yes=False)
    assert planned.outcome == "planned"
    assert planned.warnings == (
        "3 of memory to projects: what these rows refer to is not there. The database does not"
        " mind.",
    )
    whole = board.imported(report, target, yes=False)
    assert whole.warnings[0].startswith("1 of memory to projects")


# The row that the tool's own log gets.

AUDIT = """
activity:
  table: audit
  values:
    kind: import
    entity: "{source}"
    about: "{total_rows} rows: {tables}"
    details:
      mode: "{mode}"
      tables: "{tables}"
      totalRows: "{total_rows}"
      skippedTables: "{skipped_tables}"
      sourceVersion: "{source_version}"
      sourceDate: "{source_date}"
      by: "by {actor}"
      n: 3
"""


def test_a_log_gets_its_row_with_json_of_its_own_shape(board, monkeypatch):
    board.set_profile(PROFILE + AUDIT + "skip_on_import: {types: made by the tool}\n")
    report = board.exported()
    run_sql(
        board.path,
        "CREATE TABLE audit (kind, entity, about, details);"
        "DELETE FROM tags WHERE id = 1; UPDATE boards SET name = 'X' WHERE id < 3",
    )
    monkeypatch.chdir(report.path.parent)
    board.imported(replace(report, path=Path(report.path.name)), board.path)
    [(kind, entity, about, details)] = board.rows("SELECT * FROM audit")
    assert (kind, entity) == ("import", "backup-2026-11-20.json")
    assert about == '3 rows: {"tags": 1, "boards": 2}'
    assert json.loads(str(details)) == {
        "mode": "overwrite",
        "tables": {"boards": 2, "tags": 1},
        "totalRows": 3,
        "skippedTables": ["types"],
        "sourceVersion": "1.0",
        "sourceDate": "2026-11-20T14:22:33Z",
        "by": "by ann@laptop",
        "n": 3,
    }
