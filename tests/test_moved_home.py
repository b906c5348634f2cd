"""A home that was copied or moved: its history, its backups and its databases go on there."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.history import History
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.prune_backups import PruneOptions, prune_backups
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.sync_stores import SyncOptions, sync_stores
from holdfast.operations.undo_change import UndoOptions, undo_change
from holdfast.places import Home
from holdfast.profiles import KeepRules
from tests.conftest import NOW, MakeContext, connected, rows, run_sql
from tests.running import make_database

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body); INSERT INTO notes VALUES (1, 'before')"


@pytest.fixture
def ann(context: MakeContext, tmp_path: Path) -> Context:
    """A home in that of its user, with a database in it and one beside, and two backups of each."""
    user = tmp_path / "ann's %"
    make_database(user / "holdfast" / "data" / "notes.db", NOTES)
    make_database(user / "app" / "work.db", NOTES)
    (user / "holdfast" / "backup.yaml").write_text(
        "copied_elsewhere: true\nstores: {disk: disk}\n"
        "databases: {notes: data/notes.db, work: ../app/work.db}\n"
    )
    here = replace(context(home=user / "holdfast"), user_home=user)
    for hours in (1, 0):
        for name in ("notes", "work"):
            then = at(here, user, hours=hours)
            export_backup(then, ExportOptions(database=name, stores=("disk",)))
    return here


def at(here: Context, user: Path, *, hours: float = 0) -> Context:
    """What somebody has whose home is at another place, and some hours ago."""
    home = Home(user / "holdfast")
    now = NOW - timedelta(hours=hours)
    return Context(home, here.environment, user, here.platform, here.actor, now)


def copied(here: Context, user: Path) -> Context:
    """Copy all that a user has, without times, to where another user has it."""
    shutil.copytree(here.user_home, user, copy_function=shutil.copyfile)
    return at(here, user)


def test_what_was_copied_goes_on_as_it_was_and_what_it_was_copied_from_too(ann, tmp_path):
    before = report_status(ann, StatusOptions())
    assert [each.state for each in before.databases] == ["safe", "safe"]
    bob = copied(ann, tmp_path / "bob")
    for here in (bob, ann, bob):
        report = report_status(at(here, here.user_home), StatusOptions())
        assert report.concerns == ()
        assert [(each.state, each.backup_count) for each in report.databases] == [("safe", 2)] * 2
        assert {each.path.parent for each in report.backups} == {here.output}
        assert {each.verified for each in report.backups} == {"contents"}
        assert {each.database for each in report.backups} == {
            str(here.home.data / "notes.db"),
            str(here.user_home / "app" / "work.db"),
        }


def test_a_prune_there_removes_what_it_would_have_removed_before_and_only_there(ann, tmp_path):
    bob = copied(ann, tmp_path / "bob")
    prune_backups(bob, PruneOptions(here=True, keep=KeepRules(last=1), yes=True))
    assert sorted(path.name for path in bob.output.glob("backup-*")) == [
        "backup-notes-2026-11-20T142233Z.json",
        "backup-work-2026-11-20T142233Z.json",
    ]
    assert len(list(ann.output.glob("backup-*"))) == 4


def test_what_stores_have_of_it_is_known_there_and_not_put_again(ann, tmp_path):
    bob = copied(ann, tmp_path / "bob")
    [synced] = sync_stores(bob, SyncOptions()).stores
    assert (synced.there_count, synced.copies) == (4, ())
    assert {str(Path(each.backup).parent) for each in bob.known_copies()} == {str(bob.output)}


def test_a_database_that_did_not_come_along_is_missed_and_comes_back(ann, tmp_path):
    bob = copied(ann, tmp_path / "bob")
    lost = bob.home.data / "notes.db"
    lost.unlink()
    state, _ = report_status(bob, StatusOptions()).databases
    assert state.state == "failing"
    backup = bob.output / "backup-notes-2026-11-20T142233Z.json"
    assert f"To bring it back: restore {backup} --to {lost}" in state.warnings[0]
    restore_backup(bob, RestoreOptions(backup=backup.name, target=lost))
    assert rows(lost, "SELECT body FROM notes") == [("before",)]


def test_a_change_can_still_be_undone_there(ann, tmp_path):
    run_sql(ann.home.data / "notes.db", "UPDATE notes SET body = 'later'")
    import_backup(ann, ImportOptions(backup="latest", database="notes", yes=True))
    bob = copied(ann, tmp_path / "bob")
    undo_change(bob, UndoOptions(database="notes", yes=True))
    assert rows(bob.home.data / "notes.db", "SELECT body FROM notes") == [("later",)]
    assert rows(ann.home.data / "notes.db", "SELECT body FROM notes") == [("before",)]


def test_one_changed_byte_is_seen_there_too(ann, tmp_path):
    bob = copied(ann, tmp_path / "bob")
    path = bob.output / "backup-notes-2026-11-20T142233Z.json"
    path.write_bytes(path.read_bytes().replace(b"before", b"beware"))
    states = report_status(bob, StatusOptions()).databases
    assert [each.state for each in states] == ["failing", "safe"]


def test_where_the_history_cannot_be_written_now_it_is_read_as_it_is(ann, tmp_path):
    bob = copied(ann, tmp_path / "bob")
    with connected(bob.history.path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        report = report_status(bob, StatusOptions())
        assert {each.verified for each in report.backups} == {""}
    assert {each.verified for each in report_status(bob, StatusOptions()).backups} == {"contents"}


# What stays as it is


def records(folder: Path, **around: Path) -> set[tuple[str, str]]:
    """What is on record of backups for somebody with these folders: files and databases."""
    return {(each.path, each.database) for each in History(folder, around=around).backups()}


def test_of_an_output_that_two_homes_share_no_record_moves_with_the_home(ann, tmp_path):
    shared = tmp_path / "shared"
    shutil.copytree(ann.output, shared)
    with_ann = records(shared, home=ann.home.path, user_home=ann.user_home)
    assert {str(Path(path).parent) for path, _ in with_ann} == {str(shared)}  # which lay elsewhere
    other = tmp_path / "other"
    assert records(shared, home=other, user_home=tmp_path) == with_ann
    moved = shared.rename(tmp_path / "mounted elsewhere")
    assert {name for _, name in records(moved, home=other, user_home=tmp_path)} == {
        name for _, name in with_ann
    }


def test_who_else_uses_a_home_moves_nothing(ann, tmp_path):
    before = records(ann.output, home=ann.home.path, user_home=ann.user_home)
    assert records(ann.output, home=ann.home.path, user_home=tmp_path / "root") == before
    assert records(ann.output, home=ann.home.path, user_home=ann.user_home) == before


def test_a_folder_whose_name_only_begins_alike_has_not_moved(ann, tmp_path):
    like = f"{ann.output}-old/backup-2026-01-01.json"
    run_sql(
        ann.history.path,
        f"UPDATE backups SET path = '{like.replace(chr(39), chr(39) * 2)}' WHERE rowid = 1",
    )
    bob = copied(ann, tmp_path / "bob")
    moved = str(bob.home.path / "output-old" / "backup-2026-01-01.json")
    assert {each.path for each in bob.known_backups()} >= {moved}  # with the home, and whole


def test_the_file_of_before_folders_were_noted_goes_on_where_it_is(ann, tmp_path):
    run_sql(ann.history.path, "DROP TABLE folders")
    before = {each.path for each in ann.known_backups()}
    bob = copied(ann, tmp_path / "bob")
    assert {each.path for each in bob.known_backups()} == before
    export_backup(bob, ExportOptions(database="notes"))
    bert = copied(bob, tmp_path / "bert")
    assert str(bert.output) in {str(Path(each.path).parent) for each in bert.known_backups()}
