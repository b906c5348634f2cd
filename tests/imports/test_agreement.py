"""What a person agrees to: a plan that holds, with room on the disk, and what is remembered."""

from __future__ import annotations

import json

import pytest

from holdfast.errors import ImportConflict, ImportRefused, PlanChanged, WriteFailed
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.outcomes import ImportReport
from holdfast.works import ConflictMode
from tests.conftest import everything, rows, run_sql
from tests.imports.conftest import written
from tests.running import make_database, run

THREE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
    "CREATE TABLE u (id INTEGER PRIMARY KEY, x); INSERT INTO u VALUES (1, 'a');"
    "CREATE TABLE v (id INTEGER PRIMARY KEY, x);"
)
CHANGED = "DELETE FROM t WHERE id = 1;"


# A plan that no longer holds


def other_backup(tool, context):
    run_sql(tool.path, "INSERT INTO v VALUES (5, 'x')")
    options = ExportOptions(database=str(tool.path), output=tool.path.with_name("other.json"))
    tool.backup = export_backup(context(), options).path
    run_sql(tool.path, "DELETE FROM v")
    return {}


def other_rows(tool, _):
    run_sql(tool.path, "UPDATE u SET x = 'mine'; INSERT INTO t VALUES (7, 'mine')")
    return {}


CHANGES = {
    "backup": (other_backup, "the backup is another one"),
    "rows": (other_rows, "the database has changed since, in t, u"),
    "options": (
        lambda *_: {"drop_unknown": True, "tables": ("t",)},
        "other options were given (--tables, --drop-unknown)",
    ),
    "mode and rows": (
        lambda tool, context: other_rows(tool, context) | {"mode": ConflictMode.MERGE},
        "other options were given (--mode); the database has changed since, in t, u",
    ),
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
def test_a_plan_that_no_longer_holds_says_what_has_changed_and_what_the_plan_is(
    tool, context, change, reason
):
    tool.backed_up(THREE, CHANGED)
    plan_id = tool.imported(yes=False).plan.plan_id
    options = change(tool, context)
    before = everything(tool.path)
    with pytest.raises(PlanChanged) as caught:
        tool.imported(yes=False, confirm=plan_id, **options)
    assert str(caught.value) == f"what would happen is no longer the plan {plan_id}: {reason}"
    assert everything(tool.path) == before
    report = caught.value.report
    assert isinstance(report, ImportReport)
    assert report.outcome == "planned"
    done = tool.imported(yes=False, confirm=report.plan.plan_id, **options)
    assert (done.outcome, done.plan.tables) == ("done", report.plan.tables)


def test_a_plan_that_nobody_was_shown_is_not_on_record(tool):
    tool.backed_up(THREE, CHANGED)
    with pytest.raises(PlanChanged, match="no plan of that id is on record"):
        tool.imported(yes=False, confirm="0123456789ab")


def test_the_new_plan_is_on_stdout_and_the_reason_on_stderr(tmp_path):
    home = tmp_path / "home"
    database = make_database(tmp_path / "tool.db", THREE)
    run(home, "export", "--db", database)
    make_database(database, CHANGED)
    words = ["import", "latest", "--db", str(database)]
    planned = json.loads(run(home, *words, "--json", exit_code=4).stdout)
    make_database(database, "UPDATE u SET x = 'mine'")
    confirm = ["--confirm", planned["plan"]["plan_id"]]
    done = run(home, *words, *confirm, "--json", exit_code=23)
    report, error = json.loads(done.stdout), json.loads(done.stderr)
    assert (report["outcome"], error["error"], error["exit_code"]) == ("planned", "PlanChanged", 23)
    assert error["message"].endswith("the database has changed since, in u")
    text = run(home, *words, *confirm, exit_code=23).stdout
    assert text.startswith("Plan: import backup-")
    assert text.endswith(f"--confirm {report['plan']['plan_id']}\n")
    run(home, "import", *report["confirmed_by"])
    assert rows(database, "SELECT x FROM u") == [("a",)]


# Keys that are taken


def test_fail_names_each_table_the_first_keys_and_the_modes_that_would_do(tool):
    tool.backed_up(
        "CREATE TABLE t (a, b, x, updated_at, PRIMARY KEY (a, b));"
        "INSERT INTO t VALUES (1, 'x', 1, 1), (1, 'y', 1, 1), (2, 'x', 1, 1);"
        "CREATE TABLE u (id INTEGER PRIMARY KEY); INSERT INTO u VALUES (1), (2), (3), (4), (5),"
        " (6);",
        "UPDATE t SET x = 2, updated_at = 2; DELETE FROM t WHERE a = 2;",
    )
    error = tool.refused(ImportConflict, "already there", ConflictMode.FAIL)
    assert str(error) == ("rows that are already there: t: 2 (1,x, 1,y); u: 6 (1, 2, 3, 4, 5, ...)")
    for way in ("merge", "overwrite", "newer"):
        assert f"--mode {way} " in error.hint


def test_fail_does_not_name_newer_where_no_time_would_decide(tool):
    tool.backed_up(THREE, "UPDATE t SET x = 'mine'")
    error = tool.refused(ImportConflict, "already there", ConflictMode.FAIL)
    assert "--mode merge " in error.hint and "newer" not in error.hint


# Room on the disk, and the copy


def test_too_little_room_is_said_in_the_plan_and_refused_before_anything_changes(tool, monkeypatch):
    tool.backed_up(THREE, CHANGED)
    monkeypatch.setattr("holdfast.disks.free_bytes", lambda _: 1000)
    plan = tool.imported(yes=False).plan
    assert plan.short_of_space.startswith(f"the disk of {tool.path.parent} has 1,000 bytes free")
    error = tool.refused(WriteFailed, "1,000 bytes free, and the import needs up to")
    assert "Nothing was changed" in error.hint
    assert not list(tool.path.parent.rglob("restore-points/*"))


def test_room_that_is_there_is_no_matter(tool):
    assert tool.backed_up(THREE, CHANGED).imported(yes=False).plan.short_of_space == ""


@pytest.mark.parametrize(
    ("change", "has_copy"),
    [("DELETE FROM t; DELETE FROM u;", False), ("DELETE FROM t", True)],
    ids=["empty", "one row"],
)
def test_only_an_empty_database_is_not_copied_before(tool, change, has_copy):
    report = tool.backed_up(THREE, change).imported()
    assert report.outcome == "done"
    assert (report.restore_point is not None) is has_copy


# What is remembered


def test_the_history_tells_who_did_what_when_under_which_plan(tool, context):
    tool.backed_up(THREE, CHANGED)
    plan_id = tool.imported(yes=False).plan.plan_id
    done = tool.imported(yes=False, confirm=plan_id)
    run_sql(tool.path, "DROP TABLE u; CREATE TABLE u (id INTEGER PRIMARY KEY, x CHECK (x <> 'a'))")
    planned = tool.imported(yes=False).plan.plan_id
    with pytest.raises(ImportRefused, match="does not fit into u") as caught:
        tool.imported(yes=False, confirm=planned)
    assert "the other tables with --tables" in caught.value.hint
    events = rows(
        context().history.path,
        "SELECT at, outcome, database, backup, details FROM events WHERE operation = 'import'"
        " AND outcome <> 'planned'",
    )
    assert [event[:4] for event in events] == [
        ("2026-11-20T14:22:33Z", outcome, str(tool.path), str(tool.backup))
        for outcome in ("done", "ImportRefused")
    ]
    first, second = (json.loads(str(event[4])) for event in events)
    assert first.pop("digests").keys() == {"t", "u", "v"}
    assert first == {
        "by": "ann@laptop",
        "mode": "overwrite",
        "backup_date": "2026-11-20T14:22:33Z",
        "tables": {"t": {"inserted": 1, "overwritten": 0}},
        "restore_point": str(done.restore_point),
        "plan_id": plan_id,
    }
    assert second["message"].startswith("a row does not fit into u")
    assert (second["by"], second["mode"], second["plan_id"]) == ("ann@laptop", "overwrite", planned)
    assert written(done) == {"t": (1, 0, 0)}
