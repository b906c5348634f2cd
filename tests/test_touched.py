"""Backups whose files have another time than on record, as a copy or a checkout gives them."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.model import ChosenDatabase
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.prune_backups import PruneOptions, prune_backups
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.shelf import backups_on_file, find_backup
from holdfast.operations.sync_stores import SyncOptions, sync_stores
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.profiles import KeepRules
from holdfast.reports import text
from tests.conftest import NOW, MakeContext, MakeDatabase, run_sql

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body); INSERT INTO notes VALUES (1, 'before')"
UNSURE = (
    "backup-2026-11-20.json has another time than when it was verified, as after a copy, and may"
    " have changed: run verify {}"
)


@pytest.fixture
def here(context: MakeContext, make_database: MakeDatabase) -> Context:
    """A home with one setting: the only database, of which there is no backup yet."""
    path = make_database(NOTES)
    made = context()
    made.home.path.mkdir()
    (made.home.path / "backup.yaml").write_text(
        f"copied_elsewhere: true\ndatabases: {{notes: '{path}'}}\n"
    )
    return made


def export(here: Context, days: float = 0, **options: Any) -> Path:
    """Make a backup that is so many days old."""
    made = export_backup(at(here, NOW - timedelta(days=days)), ExportOptions(**options)).path
    assert made
    return made


def at(here: Context, now: datetime) -> Context:
    """The same home at another time, and with the settings that it has by then."""
    return Context(here.home, here.environment, here.user_home, here.platform, here.actor, now)


def touch(*paths: Path) -> None:
    """Set other times, as a copy does that keeps none."""
    for path in paths:
        for each in (path, *(path.rglob("*") if path.is_dir() else ())):
            os.utime(each, (1, 1))


def spoil(path: Path) -> None:
    """Change one byte, and no size."""
    content = path.read_bytes()
    assert b"before" in content
    path.write_bytes(content.replace(b"before", b"beware"))


def state(here: Context) -> tuple[str, dict[str, str]]:
    """How the database stands, and what is warned of: texts by kind."""
    report = report_status(here, StatusOptions(max_age_seconds=1e9))
    [found] = report.databases
    return found.state, {each.kind: each.text for each in report.concerns}


def proven(here: Context) -> dict[str, str]:
    return {each.path.name: each.verified for each in backups_on_file(here)}


@pytest.mark.parametrize("form", ["json", "folder", "zip", "sqlite"])
def test_what_only_has_another_time_is_as_verified_as_it_was(here, form):
    path = export(here, format=form)
    before = report_status(here, StatusOptions())
    touch(path)
    assert report_status(here, StatusOptions()) == before
    assert state(here) == ("safe", {})
    assert ", verified (" in text(before)


def test_all_backups_that_were_copied_without_their_times_are_as_they_were(here):
    made = {export(here, days).name for days in range(5)}
    away = here.home.path.with_name("away")
    here.home.path.rename(away)
    shutil.copytree(away, here.home.path, copy_function=shutil.copyfile)
    assert proven(here) == dict.fromkeys(made, "contents")
    assert state(here) == ("safe", {})


def test_one_changed_byte_is_never_called_verified_whatever_the_time(here):
    path = export(here)
    spoil(path)
    assert proven(here) == {path.name: ""}
    warned = {"changed": f"{path.name} has changed since it was verified: run verify {path.name}"}
    assert state(here) == ("failing", warned)
    touch(path)
    assert state(here) == ("failing", warned)


def test_a_changed_byte_and_another_name_in_a_folder_are_seen(here):
    folder = export(here, format="folder")
    [table] = (folder / "tables").iterdir()
    table.rename(table.with_name("n0tes.jsonl"))
    assert state(here)[0] == "failing"
    table.with_name("n0tes.jsonl").rename(table)
    touch(folder)
    assert state(here)[0] == "safe"
    spoil(table)
    assert proven(here) == {folder.name: ""}
    assert state(here)[0] == "failing"


@pytest.mark.parametrize("litter", [".DS_Store", "tables/Thumbs.db", ".git/config"])
def test_what_systems_and_git_leave_in_a_folder_is_no_change_of_it(here, litter):
    folder = export(here, format="folder")
    (folder / ".git").mkdir()
    (folder / litter).write_bytes(b"of no backup")
    assert proven(here) != {folder.name: ""}
    assert state(here) == ("safe", {})


def test_a_file_of_another_size_has_changed(here):
    path = export(here)
    path.write_bytes(path.read_bytes() + b"\n")
    touch(path)
    assert list(state(here)[1]) == ["changed"]
    assert proven(here) == {path.name: ""}


def test_of_what_an_earlier_holdfast_recorded_nobody_can_tell_and_verify_does(here):
    path = export(here)
    run_sql(here.history.path, "UPDATE backups SET sha256 = ''")
    assert state(here) == ("safe", {})
    touch(path)
    assert proven(here) == {path.name: ""}
    assert state(here) == ("safe", {"unverified": UNSURE.format(path.name)})
    assert ", to be verified again\n" in text(report_status(here, StatusOptions()))
    verify_backups(here, VerifyOptions(backups=(path.name,)))
    touch(path)
    assert state(here) == ("safe", {})


def test_one_that_changed_is_told_from_others_of_which_nobody_knows(here):
    old, new = export(here, 1), export(here)
    run_sql(here.history.path, "UPDATE backups SET sha256 = ''")
    touch(old, new)
    assert state(here) == ("safe", {"unverified": UNSURE.format(f"{new.name} {old.name}")})
    old.write_bytes(b"gone")
    assert state(here) == (
        "failing",
        {
            "unverified": UNSURE.format(new.name),
            "changed": f"{old.name} has changed since it was verified: run verify {old.name}",
        },
    )


def test_a_status_reads_no_more_than_it_has_time_for_and_the_newest_first(here, monkeypatch):
    oldest, old, new = (export(here, days) for days in (2, 1, 0))
    touch(oldest, old, new)
    monkeypatch.setattr("holdfast.operations.shelf.HASHED_BYTES", 2 * new.stat().st_size)
    assert proven(here) == {new.name: "contents", old.name: "contents", oldest.name: ""}
    assert state(here) == ("safe", {})
    monkeypatch.setattr("holdfast.operations.shelf.HASHED_BYTES", new.stat().st_size - 1)
    assert set(proven(here).values()) == {""}
    assert state(here)[0] == "safe"


def test_what_is_too_large_to_be_hashed_is_known_by_its_time_alone(here, monkeypatch):
    monkeypatch.setattr("holdfast.known.HASHED_BYTES", 10)
    path = export(here)
    assert state(here) == ("safe", {})
    touch(path)
    assert state(here) == ("safe", {"unverified": UNSURE.format(path.name)})


def test_one_that_is_asked_for_again_and_again_is_read_once(here, monkeypatch):
    path = export(here)
    touch(path)
    assert proven(here) == {path.name: "contents"}
    monkeypatch.setattr("holdfast.files.sha256_of", lambda _path: pytest.fail("it is read again"))
    assert proven(here) == {path.name: "contents"}


def test_a_file_that_may_not_be_read_is_not_known_to_be_the_same(here, monkeypatch):
    def refuse(path: Path) -> str:
        raise PermissionError(path)

    touch(export(here))
    monkeypatch.setattr("holdfast.files.sha256_of", refuse)  # root may read everything
    assert list(state(here)[1]) == ["unverified"]


def test_a_quick_look_at_one_with_another_time_keeps_what_was_proven_and_notes_the_time(here):
    path = export(here)
    verify_backups(here, VerifyOptions(backups=(path.name,)))
    touch(path)
    verify_backups(here, VerifyOptions(backups=(path.name,), quick=True))
    [known] = here.known_backups()
    assert (known.verified, known.modified_ns) == ("sound", 10**9)
    spoil(path)
    verify_backups(here, VerifyOptions(backups=(path.name,), quick=True))
    assert proven(here) == {path.name: "damaged"}
    os.utime(path, (2, 2))  # and stays damaged
    assert proven(here) == {path.name: "damaged"}


# What rests on it


def test_a_prune_counts_and_removes_what_only_has_another_time(here):
    paths = [export(here, days) for days in (0, 1, 2)]
    touch(*paths)
    report = prune_backups(here, PruneOptions(keep=KeepRules(last=1), yes=True))
    assert not report.warnings
    assert [path.exists() for path in paths] == [True, False, False]


def test_a_prune_neither_counts_nor_removes_what_changed_or_may_have(here):
    new, middle, old = (export(here, days) for days in (0, 1, 2))
    spoil(new)  # is not the verified one that stays
    spoil(old)
    touch(new, middle, old)
    report = prune_backups(here, PruneOptions(keep=KeepRules(last=1), yes=True))
    fates = {each.name: each.fate for place in report.places for each in place.backups}
    assert fates == {new.name: "not ours", middle.name: "kept", old.name: "not ours"}
    run_sql(here.history.path, "UPDATE backups SET sha256 = ''")
    touch(export(here, 3), export(here, 4))
    run_sql(here.history.path, "UPDATE backups SET sha256 = ''")
    report = prune_backups(here, PruneOptions(keep=KeepRules(last=1), yes=True))
    assert {each.fate for place in report.places for each in place.backups} == {"not ours"}
    assert len(backups_on_file(here)) == 5


def test_latest_is_still_the_latest_of_its_database(here, make_database):
    other = make_database(NOTES, "other.db")
    export(here, 1)
    newer = export(here, database=str(other))
    touch(newer)
    [of_it, of_other] = [each.database for each in reversed(backups_on_file(here))]
    assert (Path(of_it).name, of_other) == ("tool.db", str(other))
    notes = ChosenDatabase(Path(of_it), "")
    assert find_backup(here, "latest", notes).name == "backup-2026-11-19.json"


@pytest.mark.parametrize("is_spoilt", [False, True])
def test_a_sync_puts_what_is_still_what_was_verified_and_nothing_else(here, tmp_path, is_spoilt):
    path = export(here)
    touch(path)
    with (here.home.path / "backup.yaml").open("a") as file:
        file.write(f"stores: {{disk: '{tmp_path}/disk'}}\n")
    if is_spoilt:
        spoil(path)
    again = at(here, NOW)
    sync_stores(again, SyncOptions(stores=("disk",)))
    verified = [each.verified for each in again.known_copies()]
    assert verified == ([] if is_spoilt else ["contents"])
