"""An export of groups and tables: which come, which do not, and what the backup says of it."""

from __future__ import annotations

import pytest

from holdfast.errors import UsageError
from holdfast.model import SkippedTable
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.shelf import find_backup
from holdfast.reports import text
from tests.conftest import run_sql

USUAL = ["boards", "deps", "projects", "tags", "task_tags", "tasks", "types"]
OF_TASKS = ["deps", "task_tags", "tasks"]
UNNAMED = "taken only when its group is named: memory"


@pytest.mark.parametrize(
    ("words", "options", "tables"),
    [
        ([], {}, USUAL),
        (["all"], {}, sorted([*USUAL, "memory"])),
        (["tasks"], {}, OF_TASKS),
        (["memory", "tasks"], {}, ["deps", "memory", "task_tags", "tasks"]),
        ([], {"groups": ("tasks",)}, OF_TASKS),
        ([], {"tables": ("ROSTER", "tags")}, ["roster", "tags"]),
        (["tags"], {"tables": ("roster",)}, ["roster", "tags"]),
        (["all"], {"tables": ("roster",)}, sorted([*USUAL, "memory", "roster"])),
    ],
)
def test_groups_and_tables_say_what_a_backup_holds(board, words, options, tables):
    assert sorted(board.document(*words, **options)["tables"]) == tables


def test_a_backup_of_groups_says_that_it_is_partial_and_what_it_lacks(board):
    document = board.document("tasks", tables=("tags",))
    assert document["type"] == "partial"
    assert document["groups"] == ["tasks"]
    assert document["choice"] == {
        "profile": "board",
        "groups": ["tasks"],
        "tables": ["tags"],
        "scope": [],
    }
    reasons = {each["table"]: each["reason"] for each in document["skipped_tables"]}
    assert reasons == {
        "boards": "not asked for",
        "memory": "not asked for",
        "projects": "not asked for",
        "roster": "paths of this machine",
        "types": "not asked for",
    }


@pytest.mark.parametrize("words", [[], ["all"]])
def test_a_backup_is_full_when_only_the_profile_leaves_something_out(board, words):
    document = board.document(*words)
    assert (document["type"], document["groups"]) == ("full", [])
    skipped = {each["table"]: each["reason"] for each in document["skipped_tables"]}
    assert skipped == {"roster": "paths of this machine"} | ({} if words else {"memory": UNNAMED})


def test_a_database_without_rules_says_nothing_of_choices(board):
    board.set_profile(
        "name: board\ntitle: B\nrecognise: [projects]\ngroups: {a: {tables: [tags]}}\n"
    )
    assert not {"choice", "left_out", "redacted"} & board.document().keys()


def test_an_unknown_group_is_passed_over_with_a_warning(board):
    report = board.exported("tsks", groups=("tags",))
    assert list(report.counts) == ["tags"]
    assert report.warnings == (
        "there is no group tsks; it was left out. The groups are boards, tasks, tags, projects,"
        " memory.",
    )


def test_without_any_known_group_nothing_is_done(board):
    with pytest.raises(UsageError, match="there is no group x, y: nothing was done"):
        board.exported("x", "y")
    assert not list(board.context.output.glob("*"))


def test_a_table_that_is_not_there_is_an_error_that_names_near_ones(board):
    with pytest.raises(UsageError, match="the database has no table tsks") as caught:
        board.exported(tables=("tsks",))
    assert caught.value.hint == "Did you mean tasks or task_tags or tags?"


def test_a_page_copy_cannot_leave_anything_out(board):
    with pytest.raises(UsageError, match="copies the pages of all tables"):
        board.exported("tasks", format="sqlite")
    assert "roster" in board.exported(format="sqlite").counts


@pytest.mark.parametrize("form", ["json", "jsonl", "folder", "zip"])
def test_every_format_says_that_it_is_partial(board, form):
    report = board.exported("tasks", format=form)
    [found] = report_status(board.context, StatusOptions(database=str(board.path))).backups
    assert found.part == "groups tasks"
    # A file that is not on record says less of itself.
    board.context.history.path.unlink()
    [found] = report_status(board.context, StatusOptions(database=str(board.path))).backups
    assert (found.path, found.part) == (report.path, "a part")


def test_a_part_is_no_backup_of_the_database_and_not_the_latest_one(board):
    full = board.exported()
    part = board.exported("tasks")
    assert find_backup(board.context, "latest") == full.path
    full.path.unlink()
    assert find_backup(board.context, "latest") == part.path
    status = report_status(board.context, StatusOptions(database=str(board.path)))
    assert status.last_backup_at is None
    assert "partial (groups tasks)" in text(status)
    command = f"export --db {board.path}"
    assert f"there is no backup of this database. Make one with {command}." in status.warnings


def test_a_part_is_compared_with_the_last_backup_of_the_same_part(board):
    board.exported()
    assert board.exported("tags").warnings == ()
    assert board.exported(scope=("project=Garden",)).warnings == ()
    assert board.exported("all").warnings == ()
    assert board.exported().warnings == ()
    run_sql(board.path, "DELETE FROM tags")
    for words in ([], ["tags"]):
        [warning] = board.exported(*words).warnings
        assert "tags" in warning
        assert "lost all rows" in warning
    assert board.exported("projects").warnings == ()


def test_a_part_restores_with_the_other_tables_empty(board):
    target, report = board.restored(board.exported("tags"))
    assert board.rows("SELECT name FROM tags", target) == [("red",), ("blue",)]
    assert board.rows("SELECT * FROM projects", target) == []
    assert report.part == "groups tags"
    assert SkippedTable("projects", "not asked for") in report.skipped_tables
    assert "The backup held a part of its database: groups tags." in text(report)


def test_the_report_names_what_is_left_out_once_for_each_reason(board):
    lines = text(board.exported("tags", "projects")).splitlines()
    assert lines[2:] == [
        "This is a part of it: groups tags, projects.",
        "Left out: boards, deps, memory, task_tags, tasks, types, not asked for.",
        "Left out: roster, paths of this machine.",
        "Rows left out: 1 of tags.",
    ]
