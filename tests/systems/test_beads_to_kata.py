"""Issues of Beads in a kata database: what `kata import --source-format beads` does, and more."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import BackupDamaged, HoldfastError, ImportRefused, PlanChanged, UsageError
from holdfast.operations.import_job import stage
from holdfast.operations.undo_change import UndoOptions, undo_change
from holdfast.outcomes import ImportReport
from holdfast.works import ConflictMode
from tests import running
from tests.conftest import MakeContext, everything, rows, run_sql
from tests.systems import beads, kata
from tests.systems.conftest import Desk

HOME = "INSERT INTO projects VALUES (3, '{}', 'home', '{{}}', '2026-11-20T12:00:00.000Z', NULL);"
NEW = {"id": "bd-9", "title": "New", "status": "open", "priority": 2, "issue_type": "task"}
TIMES = {"created_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T12:00:00Z"}


class Tracker:
    """A file of Beads, and the kata database that its issues come into."""

    def __init__(self, desk: Desk, file: Path, target: Path) -> None:
        self.desk = desk
        self.file = file
        self.target = target

    def issues(self, *issues: dict[str, Any]) -> Tracker:
        """Write the file anew, with these issues alone."""
        lines = [json.dumps(NEW | TIMES | issue, ensure_ascii=False) for issue in issues]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self

    def imported(self, **options: Any) -> ImportReport:
        return self.desk.imported(self.file, self.target, **({"source": "beads"} | options))

    def refused(self, error: type[HoldfastError], match: str, **options: Any) -> None:
        before = everything(self.target)
        with pytest.raises(error, match=match) as caught:
            self.imported(**options)
        assert caught.value.hint
        assert everything(self.target) == before

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.target, query)

    def one(self, column: str, issue: str = "bd-9") -> Any:
        (found,) = self.rows(
            f"SELECT i.{column} FROM issues AS i JOIN import_mappings AS m ON m.issue_id = i.id"
            f" WHERE m.object_type = 'issue' AND m.external_id = '{issue}'"
        )
        return found[0]


@pytest.fixture
def tracker(tmp_path: Path, desk: Desk) -> Tracker:
    source = beads.make(tmp_path / "beads.db")
    target = kata.make(tmp_path / "kata.db", kata.EMPTY + HOME.format(kata.uid("HOME")))
    return Tracker(desk, beads.export(source, tmp_path / ".beads" / "issues.jsonl"), target)


# What comes of an issue


def test_the_report_counts_as_kata_does(tracker: Tracker) -> None:
    report = tracker.imported()
    assert report.issues == {
        "created": 3,
        "updated": 0,
        "unchanged": 0,
        "comments": 2,
        "links": 2,
    }
    assert "records of Beads that are no issues are left out: 1 deleted." in report.warnings


def test_each_issue_has_its_fields_labels_comments_and_links(tracker: Tracker) -> None:
    tracker.imported()
    columns = "title, status, closed_reason, owner, author, priority, created_at, closed_at"
    noon = "2026-11-20T11:00:00.123Z"
    assert tracker.rows(f"SELECT {columns} FROM issues ORDER BY title") == [
        ("Fix the roof", "open", None, "ann", "bøb", 0, noon, None),
        ("Measure", "open", None, None, "ann@laptop", 2, noon, None),
        ("Order tiles", "closed", "wontfix", None, "ann", 4, noon, noon),
    ]
    assert tracker.rows(
        "SELECT title, label FROM issue_labels JOIN issues ON id = issue_id ORDER BY 1, 2"
    ) == [
        ("Fix the roof", "beads-id:bd-1"),
        ("Fix the roof", "beads-status:in_progress"),
        ("Fix the roof", "house"),
        ("Fix the roof", "urgent"),
        ("Measure", "beads-id:bd-1.1"),
        ("Measure", "beads-status:open"),
        ("Order tiles", "-r--mail"),
        ("Order tiles", "beads-id:bd-2"),
        ("Order tiles", "beads-status:closed"),
    ]
    assert tracker.rows("SELECT author, body, created_at FROM comments ORDER BY body") == [
        ("ann", "ladder needed", noon),
        ("bøb", "ordered", noon),
    ]
    assert tracker.rows(
        "SELECT a.title, type, b.title FROM links JOIN issues AS a ON a.id = from_issue_id"
        " JOIN issues AS b ON b.id = to_issue_id ORDER BY 1"
    ) == [("Fix the roof", "blocks", "Measure"), ("Order tiles", "blocks", "Fix the roof")]


def test_what_kata_has_no_column_for_is_kept_in_the_footer(tracker: Tracker) -> None:
    tracker.imported()
    assert tracker.one("body", "bd-1") == (
        "before the\nrain ☂\n\n"
        "Imported from Beads\n"
        "beads_id: bd-1\n"
        "beads_type: bug\n"
        "beads_original_labels: House, urgent\n"
        "beads_created_at: 2026-11-20T12:00:00.123456789+01:00\n"
        "beads_updated_at: 2026-11-20T12:00:00.123456789+01:00\n"
        "beads_comment_count: 2\n"
        "beads_design: tiles\n"
        "beads_due_at: 2026-11-20T12:00:00.123456789+01:00\n"
        "beads_estimated_minutes: 90\n"
        "beads_external_ref: gh-9\n"
        'beads_metadata: {"a": [1.5, "é"]}'
    )
    assert "beads_parent: bd-1" in tracker.one("body", "bd-1.1")
    assert "beads_notes: by post" in tracker.one("body", "bd-2")
    assert "beads_close_reason: wontfix" in tracker.one("body", "bd-2")


def test_text_of_several_lines_stays_one_entry_of_the_footer(tracker: Tracker) -> None:
    tracker.issues({"acceptance_criteria": "dry\n- inside\nbeads_id: bd-0"}).imported()
    text = "beads_acceptance_criteria: dry\n  - inside\n  beads_id: bd-0\n"
    assert text in f"{tracker.one('body')}\n"


@pytest.mark.parametrize(
    "word", ["open", "in_progress", "blocked", "ready", "triage", "todo", "doing", "unknown", "x"]
)
def test_these_statuses_are_open(tracker: Tracker, word: str) -> None:
    tracker.issues({"status": word, "closed_at": None}).imported()
    assert tracker.one("status") == "open"
    assert (f"beads-status:{word}",) in tracker.rows("SELECT label FROM issue_labels")


@pytest.mark.parametrize("word", ["closed", "done", "merged", "wontfix", "duplicate", "resolved"])
def test_these_statuses_are_closed_and_closed_when_they_changed_last(
    tracker: Tracker, word: str
) -> None:
    tracker.issues({"status": word}).imported()
    assert (tracker.one("status"), tracker.one("closed_reason")) == ("closed", "done")
    assert tracker.one("closed_at") == "2026-11-20T12:00:00.000Z"


@pytest.mark.parametrize(
    ("reason", "stored"),
    [("duplicate", "duplicate"), ("wontfix", "wontfix"), ("fixed in 3f9a", "done")],
)
def test_a_reason_to_close_is_one_of_three(tracker: Tracker, reason: str, stored: str) -> None:
    tracker.issues({"status": "closed", "close_reason": reason}).imported()
    assert tracker.one("closed_reason") == stored
    assert f"beads_close_reason: {reason}" in tracker.one("body")


@pytest.mark.parametrize(("priority", "stored"), [(0, 0), (4, 4), (5, None), (None, None)])
def test_a_priority_beyond_four_is_dropped_and_kept_in_the_footer(
    tracker: Tracker, priority: int | None, stored: int | None
) -> None:
    tracker.issues({"priority": priority}).imported()
    assert tracker.one("priority") == stored
    assert ("beads_priority: 5" in tracker.one("body")) == (priority == 5)


@pytest.mark.parametrize(
    ("label", "stored"),
    [
        ("Needs Review!", "needs-review-"),
        ("a.b_c:d-e", "a.b_c:d-e"),
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 55 + "-" + "78c741dd"),
    ],
)
def test_a_label_is_written_with_what_kata_takes(tracker: Tracker, label: str, stored: str) -> None:
    tracker.issues({"labels": [label]}).imported()
    labels = [name for (name,) in tracker.rows("SELECT label FROM issue_labels")]
    assert stored in labels
    assert max(map(len, labels)) <= 64


def test_labels_that_become_the_same_are_one(tracker: Tracker) -> None:
    tracker.issues({"labels": ["UI", "ui", "Ui"]}).imported()
    assert tracker.rows("SELECT count(*) FROM issue_labels WHERE label = 'ui'") == [(1,)]


def test_an_owner_goes_before_an_assignee_who_is_kept(tracker: Tracker) -> None:
    tracker.issues({"owner": "ann", "assignee": "bøb"}).imported()
    assert tracker.one("owner") == "ann"
    assert "beads_assignee: bøb" in tracker.one("body")


@pytest.mark.parametrize("number", [7, "c-7"])
@pytest.mark.parametrize("key", ["text", "body"])
def test_a_comment_has_any_kind_of_number_and_text_or_body(
    tracker: Tracker, number: object, key: str
) -> None:
    tracker.issues({"comments": [{"id": number, key: "hello", "author": "eve"}]}).imported()
    assert tracker.rows("SELECT author, body FROM comments") == [("eve", "hello")]


# The same again, and later


def test_the_same_issues_again_change_nothing(tracker: Tracker) -> None:
    tracker.imported()
    before = everything(tracker.target)
    report = tracker.imported()
    assert report.outcome == "nothing to do"
    assert report.issues == {
        "created": 0,
        "updated": 0,
        "unchanged": 3,
        "comments": 0,
        "links": 0,
    }
    assert everything(tracker.target) == before


def test_an_issue_that_beads_changed_is_updated_and_keeps_its_uid(tracker: Tracker) -> None:
    tracker.issues({}, {"id": "bd-10"}).imported()
    uid = tracker.one("uid")
    later = {"title": "Newer", "updated_at": "2026-11-21T12:00:00Z"}
    comment = {"id": 1, "author": "eve", "text": "seen", "created_at": TIMES["created_at"]}
    report = tracker.issues(later | {"comments": [comment]}, {"id": "bd-10"}).imported()
    assert report.issues == {
        "created": 0,
        "updated": 1,
        "unchanged": 1,
        "comments": 1,
        "links": 0,
    }
    assert (tracker.one("title"), tracker.one("uid")) == ("Newer", uid)
    assert tracker.imported().outcome == "nothing to do"


def test_what_was_changed_in_kata_stays_until_beads_changes_it(tracker: Tracker) -> None:
    tracker.issues({"labels": ["a"]}).imported()
    run_sql(
        tracker.target,
        "UPDATE issues SET title = 'Mine'; DELETE FROM issue_labels WHERE label = 'a'",
    )
    assert tracker.imported().outcome == "nothing to do"
    assert tracker.one("title") == "Mine"


def test_an_issue_that_was_deleted_in_kata_stays_deleted(tracker: Tracker) -> None:
    tracker.issues({}).imported()
    run_sql(tracker.target, "UPDATE issues SET deleted_at = 'now'")
    tracker.issues({"title": "Again", "updated_at": "2026-11-21T12:00:00Z"}).imported()
    assert (tracker.one("title"), tracker.one("deleted_at")) == ("New", "now")


def test_issues_that_kata_itself_imported_are_known_by_its_mappings(tracker: Tracker) -> None:
    own = kata.uid("0WN9")
    run_sql(
        tracker.target,
        "INSERT INTO issues (id, uid, project_id, short_id, title, author, created_at, updated_at)"
        f" VALUES (5, '{own}', 3, '0wn9', 'Old', 'a', 'c', 'u');"
        "INSERT INTO import_mappings VALUES (1, 'beads', 'bd-9', 'issue', 3, 5, NULL,"
        " '2026-11-19T12:00:00.000Z', 'then')",
    )
    report = tracker.issues({}).imported()
    assert (report.issues["created"], report.issues["updated"]) == (0, 1)
    assert (tracker.one("uid"), tracker.one("title")) == (own, "New")
    assert tracker.rows("SELECT id, imported_at FROM import_mappings") == [(1, "then")]


def test_other_issues_of_the_project_and_their_short_ids_stay(tracker: Tracker) -> None:
    tracker.issues({}).imported()
    short_id = tracker.one("short_id")
    assert len(short_id) == 4
    uid = tracker.one("uid")
    # The next database has that short id already: the new issue gets a longer one.
    other = kata.make(tracker.desk.folder / "other.db", kata.EMPTY + HOME.format(kata.uid("HOME")))
    taken = "0" * 22 + short_id.upper()
    run_sql(
        other,
        "INSERT INTO issues (uid, project_id, short_id, title, author, created_at, updated_at)"
        f" VALUES ('{taken}', 3, '{short_id}', 'First', 'a', 'c', 'u')",
    )
    second = Tracker(tracker.desk, tracker.file, other)
    second.imported()
    assert second.one("uid") == uid
    assert second.one("short_id") == uid[-5:].lower()
    assert second.rows(f"SELECT title FROM issues WHERE short_id = '{short_id}'") == [("First",)]


def test_imported_issues_are_found_by_the_search_of_kata(tracker: Tracker) -> None:
    tracker.imported()
    found = "SELECT rowid FROM issues_fts WHERE issues_fts MATCH '{}'"
    roof = [(tracker.one("id", "bd-1"),)]
    assert tracker.rows(found.format("roof")) == roof
    assert tracker.rows(found.format("ladder")) == roof


def test_an_import_of_issues_can_be_undone(tracker: Tracker, context: MakeContext) -> None:
    before = everything(tracker.target)
    tracker.imported()
    options = UndoOptions(database=str(tracker.target), yes=True)
    undo_change(context(), options)
    assert everything(tracker.target) == before


# What is refused, whole


@pytest.mark.parametrize(
    ("issue", "error", "match"),
    [
        ({"title": ""}, BackupDamaged, "bd-9 of Beads has no title"),
        (
            {"dependencies": [{"issue_id": "bd-9", "depends_on_id": "bd-77", "type": "related"}]},
            ImportRefused,
            "bd-9 depends on bd-77",
        ),
        ({"dependencies": [{"issue_id": "bd-9"}]}, BackupDamaged, "names no issue"),
        ({"id": "bd-8"}, BackupDamaged, "names the issue bd-8 twice"),
    ],
)
def test_one_issue_that_cannot_be_taken_stops_all(
    tracker: Tracker, issue: dict[str, Any], error: type[HoldfastError], match: str
) -> None:
    tracker.issues({"id": "bd-8"}, issue).refused(error, match)


def test_a_dependency_on_a_deleted_issue_is_left_out(tracker: Tracker) -> None:
    gone = {"depends_on_id": "bd-8", "type": "blocks"}
    tracker.issues({"dependencies": [gone]}, {"id": "bd-8", "status": "tombstone"})
    assert tracker.imported().issues["links"] == 0


def test_a_file_that_is_cut_inside_a_line_changes_nothing(tracker: Tracker) -> None:
    tracker.file.write_bytes(tracker.file.read_bytes()[:-9])
    tracker.refused(BackupDamaged, r"issues\.jsonl: line 4 is cut short")


def test_a_database_without_a_project_says_how_to_get_one(tracker: Tracker) -> None:
    run_sql(tracker.target, "DELETE FROM projects")
    with pytest.raises(ImportRefused, match="no project") as caught:
        tracker.imported()
    assert caught.value.hint == "Run kata init in it first."


def test_with_several_projects_one_must_be_named(tracker: Tracker) -> None:
    run_sql(tracker.target, HOME.format(kata.uid("W0RK")).replace("3,", "4,").replace("home", "w"))
    tracker.issues({})
    tracker.refused(UsageError, "there are several projects")
    tracker.refused(UsageError, "no project 'x'", project="x")
    tracker.imported(project="w")
    assert tracker.one("project_id") == 4


def test_no_mode_goes_with_issues_least_of_all_one_that_removes_the_others(
    tracker: Tracker,
) -> None:
    tracker.refused(UsageError, "--mode clear does not go with", mode=ConflictMode.CLEAR)
    tracker.refused(UsageError, "--project goes with --from", source="", project="home")


def test_a_number_that_another_program_takes_meanwhile_is_not_overwritten(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stage_late(*arguments: Any) -> Any:
        run_sql(
            tracker.target,
            "INSERT INTO issues (uid, project_id, short_id, title, author, created_at, updated_at)"
            f" VALUES ('{kata.uid('QU1CK')}', 3, '1ck', 'Quick', 'a', 'c', 'u')",
        )
        return stage(*arguments)

    monkeypatch.setattr("holdfast.operations.import_ready.stage", stage_late)
    with pytest.raises(PlanChanged):
        tracker.issues({}).imported()
    monkeypatch.undo()
    tracker.imported()
    assert tracker.rows("SELECT title FROM issues ORDER BY id") == [("Quick",), ("New",)]


def test_issues_of_beads_do_not_come_into_another_tools_database(tracker: Tracker) -> None:
    target = beads.make(tracker.desk.folder / "other.db")
    Tracker(tracker.desk, tracker.file, target).refused(ImportRefused, "has no table")


# Asking bd

FAKE_BD = """#!/bin/sh
echo "$@" >> "{calls}"
case "$*" in
  "export --no-memories") {export} ;;
  "export") cat "{file}" ;;
  "comments bd-9 --json") {comments} ;;
  *) echo "Error: unexpected $*" >&2; exit 9 ;;
esac
"""
COMMENTS = (
    """echo '[{"id": 1, "author": "eve", "text": "seen", "created_at": "2026-11-20T12:00:00Z"}]'"""
)


@pytest.fixture
def beads_folder(tracker: Tracker) -> Path:
    """The folder of a repository that has .beads."""
    tracker.issues({})
    return tracker.file.parent.parent


def with_bd(
    folder: Path, tracker: Tracker, *, export: str = "", comments: str = COMMENTS
) -> dict[str, Any]:
    """Put a `bd` of our own on the PATH, as options of running.run."""
    program = folder / "bin" / "bd"
    program.parent.mkdir()
    text = FAKE_BD.format(
        calls=folder / "calls",
        file=tracker.file,
        export=export or f'cat "{tracker.file}"',
        comments=comments,
    )
    program.write_text(text, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = running.environment(folder / "home")
    environment["PATH"] = os.pathsep.join([str(program.parent), environment["PATH"]])
    return {"cwd": folder, "env": environment}


def test_bd_is_asked_for_its_issues_and_the_comments_of_each(
    tracker: Tracker, beads_folder: Path
) -> None:
    options = with_bd(beads_folder, tracker)
    words = ("--from", "beads", "--db", str(tracker.target), "--yes")
    report = running.reported(beads_folder / "home", "import", *words, **options)
    assert report["issues"]["created"] == 1
    assert report["issues"]["comments"] == 1
    calls = (beads_folder / "calls").read_text().splitlines()
    assert calls == ["export --no-memories", "comments bd-9 --json"]


def test_the_plan_is_shown_and_carried_out_once_it_is_confirmed(
    tracker: Tracker, beads_folder: Path
) -> None:
    options = with_bd(beads_folder, tracker)
    home = beads_folder / "home"
    words = ("--from", "beads", "--db", str(tracker.target))
    before = everything(tracker.target)
    shown = running.run(home, "import", *words, exit_code=4, **options).stdout
    assert everything(tracker.target) == before
    assert "Issues of Beads: created 1, updated 0, unchanged 0, comments 1, links 0." in shown
    (line,) = [each for each in shown.splitlines() if each.startswith("  import ")]
    confirm = line.split()[1:]
    assert confirm[:2] == ["--from", "beads"]
    done = running.run(home, "import", *confirm, **options).stdout
    assert "Issues of Beads: created 1" in done
    assert tracker.one("title") == "New"


def test_an_older_bd_that_knows_no_memories_is_asked_without(
    tracker: Tracker, beads_folder: Path
) -> None:
    complain = 'echo "Error: unknown flag: --no-memories" >&2; exit 1'
    options = with_bd(beads_folder, tracker, export=complain)
    words = ("--from", "beads", "--db", str(tracker.target), "--yes")
    running.run(beads_folder / "home", "import", *words, **options)
    assert tracker.one("title") == "New"


@pytest.mark.parametrize(
    ("fake", "exit_code", "said"),
    [
        (
            {"export": 'echo "Error: no database" >&2; exit 1'},
            29,
            "exit code 1: Error: no database",
        ),
        ({"export": "echo hello"}, 17, "what bd export prints cannot be read: line 1"),
        ({"export": """echo '{"id":"--help","title":"x"}'"""}, 17, "'--help' is no id"),
        ({"comments": "echo nonsense"}, 17, "what bd comments bd-9 prints cannot be read"),
        ({"comments": "exit 5"}, 29, "ended with exit code 5"),
    ],
)
def test_a_bd_that_fails_or_prints_something_else_changes_nothing(
    tracker: Tracker, beads_folder: Path, fake: dict[str, str], exit_code: int, said: str
) -> None:
    options = with_bd(beads_folder, tracker, **fake)
    before = everything(tracker.target)
    words = ("--from", "beads", "--db", str(tracker.target), "--yes")
    done = running.run(beads_folder / "home", "import", *words, exit_code=exit_code, **options)
    assert said in done.stderr
    assert everything(tracker.target) == before


def test_without_bd_the_file_of_the_current_folder_is_read(
    tracker: Tracker, beads_folder: Path
) -> None:
    words = ("--from", "beads", "--db", str(tracker.target), "--yes")
    running.run(beads_folder / "home", "import", *words, exit_code=3, cwd=beads_folder)
    assert tracker.one("title") == "New"


def test_an_import_of_nothing_is_a_wrong_usage(tmp_path: Path) -> None:
    done = running.run(tmp_path / "home", "import", "--yes", exit_code=2)
    assert "name the backup to import" in done.stderr


def test_without_bd_and_file_it_is_said_what_to_do(tracker: Tracker, tmp_path: Path) -> None:
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    words = ("--from", "beads", "--db", str(tracker.target))
    done = running.run(tmp_path / "home", "import", *words, exit_code=14, cwd=empty)
    assert "no program bd on the PATH" in done.stderr
