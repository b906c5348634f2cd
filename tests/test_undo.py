"""An undo gives back the database row for row, in its own file, and can itself be undone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast import database
from holdfast.errors import (
    BackupNotFound,
    DatabaseDamaged,
    DatabaseNotFound,
    HoldfastError,
    NotADatabase,
    PlanChanged,
    RestoreRefused,
)
from holdfast.model import RestorePoint
from holdfast.operations.restore_points import record_restore_point, remove_outdated
from holdfast.operations.undo_change import UndoOptions, undo_change
from holdfast.outcomes import UndoReport
from holdfast.works import ConflictMode
from tests.conftest import NOW, MakeContext, MakeDatabase, everything, rows, run_sql
from tests.imports.conftest import WRITING_MODES, Tool

PARENTS = """
CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, mail TEXT UNIQUE, x, updated_at);
CREATE TABLE c (id TEXT PRIMARY KEY, p REFERENCES p ON DELETE CASCADE);
CREATE TABLE k (v);
CREATE VIRTUAL TABLE f USING fts5 (v);
CREATE TRIGGER count AFTER INSERT ON p BEGIN INSERT INTO k VALUES ('trigger'); END;
INSERT INTO p VALUES (1, 'a', 'old', 1), (2, 'b', 'old', 1);
INSERT INTO c VALUES ('one', 1); INSERT INTO k VALUES (1.0); INSERT INTO f VALUES ('words');
"""
# A day's work that an import would overwrite, add to, or remove.
WORK = """
DELETE FROM c; UPDATE p SET x = 'new', updated_at = 0 WHERE id = 1; DELETE FROM p WHERE id = 2;
INSERT INTO p VALUES (7, 'g', 'mine', 1); INSERT INTO k VALUES (-0.0);
INSERT INTO f VALUES ('more');
"""
LATER = NOW + timedelta(hours=1)


class Undo:
    """An imported database, and undos of it at a given time."""

    def __init__(self, tool: Tool, context: MakeContext) -> None:
        self.tool = tool
        self.context = context

    def __call__(self, point: str = "latest", *, now: Any = LATER, **options: Any) -> UndoReport:
        agreed: dict[str, Any] = options or {"yes": True}
        wanted = UndoOptions(point=point, database=str(self.tool.path), **agreed)
        return undo_change(self.context(now=now), wanted)

    def points(self) -> list[str]:
        return [point.path.stem for point in self(list_only=True).points]

    def refused(self, error: type[HoldfastError], match: str, *words: Any, **options: Any) -> None:
        """Undo, which must end in just this error, and must leave all as it is."""
        before, points = everything(self.tool.path), self.points()
        with pytest.raises(error, match=match) as caught:
            self(*words, **options)
        assert type(caught.value) is error and caught.value.hint
        assert everything(self.tool.path) == before
        assert self.points() == points


@pytest.fixture
def undo(request: Any, make_database: MakeDatabase, context: MakeContext) -> Undo:
    """A database after a day's work, with a backup of the day before."""
    journal = f"PRAGMA journal_mode = {getattr(request, 'param', 'wal')};"
    return Undo(Tool(make_database, context()).backed_up(journal + PARENTS, WORK), context)


in_both_journal_modes = pytest.mark.parametrize("undo", ["delete", "wal"], indirect=True)


@in_both_journal_modes
@pytest.mark.parametrize("mode", WRITING_MODES)
def test_an_undo_of_each_mode_gives_back_every_row_and_an_undo_of_that_takes_it_again(undo, mode):
    path = undo.tool.path
    before, file = everything(path), path.stat().st_ino
    undo.tool.imported(mode)
    after = everything(path)
    assert after != before
    done = undo()
    assert done.outcome == "done"
    assert everything(path) == before
    assert everything(done.restore_point) == after
    undo()
    assert everything(path) == after
    assert undo("tool-2026-11-20T142233Z").outcome == "done"
    assert everything(path) == before
    assert path.stat().st_ino == file
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_an_undo_that_names_no_database_is_of_the_one_that_was_changed_last(undo, context):
    usual = context().home.data / "usual.db"  # which comes first for all other verbs
    usual.parent.mkdir(parents=True, exist_ok=True)
    run_sql(usual, "CREATE TABLE t (x)")
    before = everything(undo.tool.path)
    undo.tool.imported(ConflictMode.CLEAR)
    planned = undo_change(context(now=LATER), UndoOptions())
    assert planned.database.path == undo.tool.path
    agreed = UndoOptions(point=planned.confirmed_by[0], confirm=planned.plan_id)
    assert undo_change(context(now=LATER), agreed).outcome == "done"
    assert everything(undo.tool.path) == before
    with pytest.raises(BackupNotFound, match=r"no restore point of .*usual\.db") as refused:
        undo_change(context(), UndoOptions(database=str(usual)))
    assert "latest" not in refused.value.hint  # of which there is none


def test_without_a_yes_the_plan_is_shown_and_nothing_changes(undo):
    undo.tool.imported(ConflictMode.CLEAR)
    after = everything(undo.tool.path)
    for options in ({"yes": False}, {"dry_run": True}, {"dry_run": True, "yes": True}):
        report = undo(**options)
        assert report.outcome == ("rehearsed" if "dry_run" in options else "planned")
        found = {
            each.name: (each.brought_back, each.taken_out, each.changed) for each in report.tables
        }
        assert found["p"] == (1, 1, 1)
        assert found["c"] == (0, 1, 0)
        assert everything(undo.tool.path) == after
    assert undo.points() == ["tool-2026-11-20T142233Z"]


def test_a_plan_that_is_confirmed_is_carried_out(undo):
    before = everything(undo.tool.path)
    undo.tool.imported()
    plan = undo(yes=False)
    assert plan.confirmed_by[-2:] == ("--confirm", plan.plan_id)
    assert undo(plan.confirmed_by[0], confirm=plan.plan_id).tables == plan.tables
    assert everything(undo.tool.path) == before


def test_a_database_that_changed_since_the_plan_was_shown_is_not_undone(undo):
    undo.tool.imported()
    plan_id = undo(yes=False).plan_id
    run_sql(undo.tool.path, "INSERT INTO k VALUES ('since')")
    undo.refused(PlanChanged, f"no longer the plan {plan_id}", confirm=plan_id)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_rows_written_while_the_plan_is_made_are_not_lost(undo, monkeypatch, is_confirmed):
    undo.tool.imported()
    options = {"confirm": undo(yes=False).plan_id} if is_confirmed else {}
    lock = database.exclusive

    def meanwhile(*words):
        run_sql(undo.tool.path, "INSERT INTO k VALUES ('since')")
        return lock(*words)

    monkeypatch.setattr(database, "exclusive", meanwhile)
    with pytest.raises(PlanChanged):
        undo(**options)
    assert ("since",) in rows(undo.tool.path, "SELECT v FROM k")
    assert len(undo.points()) == 1


def test_where_nothing_has_changed_there_is_nothing_to_undo(undo):
    undo.tool.imported()
    undo()
    assert undo("tool-2026-11-20T142233Z").outcome == "nothing to do"
    assert len(undo.points()) == 2


def test_tables_and_triggers_made_since_go_and_those_dropped_come_back(undo):
    before = everything(undo.tool.path)
    undo.tool.imported()
    run_sql(
        undo.tool.path,
        "DROP TRIGGER count; CREATE TABLE new (x); DROP TABLE c; ALTER TABLE k ADD COLUMN w;",
    )
    assert {"the table new goes", "the table c comes back"} <= set(undo(yes=False).other_changes)
    undo()
    assert everything(undo.tool.path) == before


@in_both_journal_modes
def test_a_database_whose_pages_have_another_size_since_is_undone(undo):
    before = everything(undo.tool.path)
    (journal_mode,) = rows(undo.tool.path, "PRAGMA journal_mode")
    undo.tool.imported()
    run_sql(
        undo.tool.path,
        "PRAGMA journal_mode = delete; PRAGMA page_size = 8192; VACUUM;"
        f"PRAGMA journal_mode = {journal_mode[0]};",
    )
    undo()
    assert everything(undo.tool.path) == before
    assert rows(undo.tool.path, "PRAGMA page_size") == [(4096,)]
    assert rows(undo.tool.path, "PRAGMA journal_mode") == [journal_mode]


# Restore points that are no good


@pytest.mark.parametrize("wanted", ["latest", "tool-2026-11-20T142233Z", "/nowhere.db", ""])
def test_a_restore_point_that_is_not_there_is_not_found(undo, wanted):
    undo.tool.imported()
    undo(list_only=True).points[0].path.unlink()
    undo.refused(BackupNotFound, "^there is no restore point of ", wanted)
    with pytest.raises(BackupNotFound) as refused:
        undo(wanted)
    assert refused.value.hint.endswith(f": import latest --mode clear --db {undo.tool.path}")


def test_a_restore_point_that_is_none_of_those_there_is_quoted_as_it_was_typed(undo):
    undo.tool.imported()
    undo.refused(BackupNotFound, "no restore point 'tool-1999' of", "tool-1999")


UNUSABLE = {
    "there is no such database": (lambda path: path.unlink(), DatabaseNotFound, ""),
    "a text": (lambda path: path.write_text("Dear diary " * 500), NotADatabase, " --force"),
    "nothing": (lambda path: path.write_bytes(b""), NotADatabase, " --force"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), NotADatabase, ""),
    "cut": (lambda path: os.truncate(path, 5000), DatabaseDamaged, " --force"),
}


@pytest.mark.parametrize("undo", ["delete"], indirect=True)
@pytest.mark.parametrize("has_point", [True, False])
@pytest.mark.parametrize(("spoil", "error", "force"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_longer_a_database_is_not_undone_but_restored(
    undo, spoil, error, force, has_point
):
    if has_point:
        undo.tool.imported()
    path = undo.tool.path
    point = undo(list_only=True).points[0].path if has_point else "latest"
    spoil(path)
    with pytest.raises(error, match=str(path)) as refused:
        undo()
    assert refused.value.hint == (
        "An undo changes a database that can be read. To bring this one back:"
        f" restore {point} --to {path}{force}"
    )


DAMAGE = {
    "a page": lambda data: data[: 4096 * 2] + b"\xff" * 4096 + data[4096 * 3 :],
    "cut": lambda data: data[: len(data) // 2],
    "text": lambda _: b"This was a database once. " * 500,
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("spoil", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_restore_point_is_refused_before_anything_is_touched(undo, spoil):
    undo.tool.imported()
    point: Path = undo(list_only=True).points[0].path
    point.write_bytes(spoil(point.read_bytes()))
    before = everything(undo.tool.path)
    with pytest.raises(HoldfastError) as refused:
        undo()
    assert refused.value.exit_code in (11, 12, 17) and refused.value.hint
    assert everything(undo.tool.path) == before
    assert len(undo.points()) == 1


def test_a_restore_point_with_a_damaged_index_is_refused(undo):
    """The rows of it can all be read: a comparison of rows would not see it."""
    undo.tool.imported()
    point = undo(list_only=True).points[0].path
    [(root,)] = rows(point, "SELECT rootpage FROM sqlite_schema WHERE name LIKE '%auto%p_1'")
    data = bytearray(point.read_bytes())
    assert isinstance(root, int)
    data[(root - 1) * 4096 + 3 : (root - 1) * 4096 + 5] = b"\0\0"  # the index has no entries
    point.write_bytes(data)
    undo.refused(DatabaseDamaged, point.name)


# While others are at work

READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2].split(";"):
    connection.execute(statement).fetchone()
print("open", flush=True)
sys.stdin.readline()
print(connection.execute("SELECT x FROM p WHERE id = 1").fetchone()[0], flush=True)
"""


@in_both_journal_modes
@pytest.mark.parametrize("statements", ["SELECT * FROM p", "BEGIN;SELECT * FROM p"])
def test_a_program_that_has_it_open_sees_what_comes_back_or_the_undo_is_refused(undo, statements):
    undo.tool.imported()
    path = undo.tool.path
    file = path.stat().st_ino
    is_wal = rows(path, "PRAGMA journal_mode") == [("wal",)]
    command = [sys.executable, "-c", READER, path, statements]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as reader:
        assert reader.stdout and reader.stdout.readline() == "open\n"
        if is_wal or "BEGIN" in statements:
            undo.refused(RestoreRefused, rf"process {reader.pid}", yes=True, wait_seconds=0.1)
            expected = "old"
        else:
            undo()
            expected = "new"
        assert reader.communicate("go on\n")[0] == f"{expected}\n"
    assert path.stat().st_ino == file


# What is known of it


def test_an_undo_and_one_that_was_refused_are_in_the_history(undo):
    undo.tool.imported()
    undo()
    with pytest.raises(BackupNotFound):
        undo("none")
    found = rows(
        undo.context().history.path,
        "SELECT outcome, details ->> 'by' FROM events WHERE operation = 'undo' ORDER BY id",
    )
    assert found == [("done", "ann@laptop"), ("BackupNotFound", "ann@laptop")]


# How long they stay


@pytest.mark.parametrize(
    ("days", "kept"),
    [
        ([0] * 14, 14),
        ([8] * 14, 10),
        ([8] * 9 + [6] * 5, 10),
        ([8] * 5 + [6] * 12, 12),
        ([8] * 20 + [0], 10),
    ],
)
def test_the_last_ten_and_those_of_the_last_seven_days_stay(context, tmp_path, days, kept):
    source, other = tmp_path / "tool.db", tmp_path / "other.db"
    points = [tmp_path / f"{number}.db" for number in range(len(days))]
    for point, age in zip(points, days, strict=True):
        point.touch()
        then = context(now=NOW - timedelta(days=age))
        record_restore_point(then, source, point, "import")
    remove_outdated(context(), other)
    assert all(point.exists() for point in points)
    remove_outdated(context(), source)
    assert [point for point in points if point.exists()] == points[-kept:]


def test_the_restore_point_that_is_gone_back_to_outlives_its_time(undo):
    first = everything(undo.tool.path)
    undo.tool._context = undo.context(now=NOW - timedelta(days=9))
    undo.tool.imported()
    then = undo.tool._context.timestamp
    for number in range(9):
        point = undo.context().output / f"{number}.db"
        point.touch()
        undo.context().history.record_restore_point(
            RestorePoint(point, undo.tool.path, then, "import")
        )
    oldest = undo.points()[-1]
    assert undo(oldest).outcome == "done"
    assert everything(undo.tool.path) == first
    assert oldest not in undo.points()  # and then it goes
