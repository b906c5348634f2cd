"""A diff and a verify of a backup that holds a part compare with the same part of the database."""

from __future__ import annotations

import pytest

from holdfast.operations.diff_backups import DiffOptions, diff_backups
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.reports import text
from tests.conftest import run_sql

PARTS = [
    ([], {}),
    (["all"], {}),
    (["tasks"], {}),
    ([], {"tables": ("tags", "roster")}),
    (["all"], {"scope": ("project=Planning",)}),
    (["boards", "shared"], {}),
]


def compared(board, report, **wanted):
    options = DiffOptions(first=str(report.path), database=str(board.path), **wanted)
    return diff_backups(board.context, options)


def differing(board, report):
    options = VerifyOptions(
        backups=(str(report.path),), database=str(board.path), against=True, quick=True
    )
    [found] = verify_backups(board.context, options).backups
    return found.differing


@pytest.mark.parametrize(("words", "options"), PARTS)
def test_a_part_is_the_same_as_that_part_of_its_database(board, words, options):
    report = board.exported(*words, **options)
    found = compared(board, report)
    assert found.same, found
    assert differing(board, report) == ()


@pytest.mark.parametrize(("words", "options"), PARTS)
def test_changes_elsewhere_are_no_differences(board, words, options):
    report = board.exported(*words, **options)
    run_sql(
        board.path,
        "INSERT INTO tags VALUES (9, 'test-y'); UPDATE tasks SET session = 'other';"
        "INSERT INTO types VALUES ('new', 1);",
    )
    assert compared(board, report).same
    assert differing(board, report) == ()


def test_changes_in_the_part_are_found(board):
    report = board.exported(scope=("project=Planning",))
    run_sql(board.path, "UPDATE tasks SET type = 'other' WHERE id IN (1, 3)")
    found = compared(board, report)
    changes = {each.name: (each.added, each.removed, each.changed) for each in found.tables}
    assert changes["tasks"] == (0, 0, 1)
    assert changes["types"] == (1, 1, 0)  # what task 1 needs is another one
    assert [each.name for each in found.tables if not each.is_same] == ["tasks", "types"]
    assert differing(board, report) == ("tasks", "types")
    assert "Compared alone: project=Planning." in text(found)


def test_a_scope_that_is_gone_since_has_lost_its_rows(board):
    report = board.exported("projects", scope=("project=Garden",))
    run_sql(board.path, "UPDATE projects SET name = 'Park' WHERE id = 2")
    found = compared(board, report)
    assert found.removed_tables == {"projects": 1}
    assert differing(board, report) == ("projects",)


def test_tables_that_a_backup_leaves_out_are_not_called_new(board):
    found = compared(board, board.exported("tags"))
    assert (found.added_tables, found.removed_tables) == ({}, {})
