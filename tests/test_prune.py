"""A prune removes what its plan shows, one by one, and leaves everything else."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast import files
from holdfast.cli import main
from holdfast.errors import (
    BackupNotFound,
    DatabaseError,
    PlanChanged,
    StoreFailed,
    StoreRefused,
    UsageError,
)
from holdfast.operations.context import Context, name_of_database
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.prune_backups import PruneOptions, prune_backups
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.profiles import KeepRules
from holdfast.pruned import PruneReport
from holdfast.stores import StoredBackup
from tests.conftest import NOW, MakeContext, MakeDatabase, rows, run_sql
from tests.running import files_in, limited_to, run

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, body); INSERT INTO notes VALUES (1, 'old');
CREATE TABLE tags (name);
"""
LAST = KeepRules(last=1)


class Shelf:
    """A home with a database, whose backups are made at given ages and pruned at NOW."""

    def __init__(self, context: MakeContext, path: Path) -> None:
        self.make_context = context
        self.path = path
        self.folder = context().output

    def settings(self, text: str) -> None:
        home = self.make_context().home.path
        home.mkdir(exist_ok=True)
        (home / "backup.yaml").write_text(text, encoding="utf-8")

    def export(self, days: float = 0, **options: Any) -> str:
        """Make a backup that is so many days old; its name."""
        context = self.make_context(now=NOW - timedelta(days=days))
        wanted: dict[str, Any] = {"database": str(self.path)} | options
        made = export_backup(context, ExportOptions(**wanted)).path
        assert made
        return made.name

    def prune(self, *, now: datetime = NOW, **options: Any) -> PruneReport:
        return prune_backups(self.make_context(now=now), PruneOptions(**options))

    def names(self) -> set[str]:
        return {path.name for path in self.folder.glob("*") if path.name != "history.db"}


@pytest.fixture
def shelf(context: MakeContext, make_database: MakeDatabase) -> Shelf:
    return Shelf(context, make_database(NOTES))


def fates(report: PruneReport) -> dict[str, tuple[str, ...]]:
    return {
        each.name: (each.fate, *each.reasons) for place in report.places for each in place.backups
    }


# The plan


def test_without_a_yes_the_plan_is_shown_and_nothing_goes(shelf):
    names = {shelf.export(days) for days in (0, 1, 2)}
    for options in ({}, {"dry_run": True}, {"dry_run": True, "yes": True}):
        report = shelf.prune(keep=LAST, **options)
        assert report.outcome == ("rehearsed" if options else "planned")
        assert fates(report) == {
            "backup-2026-11-20.json": ("kept", "last", "last verified"),
            "backup-2026-11-19.json": ("removed",),
            "backup-2026-11-18.json": ("removed",),
        }
        assert shelf.names() == names


def test_what_the_plan_names_goes_once_it_is_confirmed_and_the_rest_stays(shelf):
    for days in (0, 1, 2):
        shelf.export(days)
    before = files_in(shelf.folder)
    plan = shelf.prune(keep=KeepRules(last=1, within="1d"))
    assert plan.confirmed_by == (
        *("--keep-last", "1", "--keep-within", "1d", "--confirm", plan.plan_id),
    )
    done = shelf.prune(keep=KeepRules(last=1, within="1d"), confirm=plan.plan_id)
    assert done.outcome == "done" and not done.warnings
    assert shelf.names() == {"backup-2026-11-20.json"}
    assert (shelf.folder / "backup-2026-11-20.json").read_bytes() == before[
        "backup-2026-11-20.json"
    ]
    again = shelf.prune(keep=LAST, yes=True)
    assert again.outcome == "nothing to do"


def test_a_backup_that_came_since_and_changes_nothing_of_it_leaves_the_plan_as_it_is(shelf):
    for days in (1, 2):
        shelf.export(days)
    shelf.export(0.5, format="jsonl")
    plan = shelf.prune(keep=KeepRules(daily=1))
    shelf.settings("keep: {yearly: 1}")  # which the command line overrides
    shelf.export(0.5, tables=("notes",))
    assert shelf.prune(keep=KeepRules(daily=1), confirm=plan.plan_id).outcome == "done"


def test_a_plan_that_no_longer_holds_is_refused_and_the_new_one_shown(shelf):
    for days in (1, 2):
        shelf.export(days)
    plan = shelf.prune(keep=LAST)
    shelf.export(0)
    with pytest.raises(PlanChanged, match=f"no longer the plan {plan.plan_id}") as refused:
        shelf.prune(keep=LAST, confirm=plan.plan_id)
    assert isinstance(refused.value.report, PruneReport)
    assert len(refused.value.report.of("removed")) == 2
    assert len(shelf.names()) == 3


def test_a_backup_that_was_deleted_by_hand_since_is_a_plan_that_no_longer_holds(shelf):
    for days in (0, 1, 2):
        shelf.export(days)
    plan = shelf.prune(keep=LAST)
    (shelf.folder / "backup-2026-11-18.json").unlink()
    with pytest.raises(PlanChanged):
        shelf.prune(keep=LAST, confirm=plan.plan_id)
    assert len(shelf.names()) == 2


# Which rules


def test_without_rules_nothing_goes(shelf):
    names = {shelf.export(days) for days in range(3)}
    report = shelf.prune(yes=True)
    assert report.outcome == "no rules"
    assert shelf.names() == names


def test_where_there_is_no_backup_there_is_nothing_to_remove(shelf):
    assert shelf.prune(keep=LAST, yes=True).outcome == "nothing to do"
    assert not shelf.folder.exists()


def test_the_rules_of_a_database_come_before_those_of_all(shelf, make_database, context):
    other = make_database(NOTES, "other.db")
    exempt = make_database(NOTES, "exempt.db")
    for path in (shelf.path, other, exempt):
        for days in (0, 1, 2):
            shelf.export(days, database=str(path))
    shelf.settings(f"""
        databases:
          tool: {{path: {shelf.path}, keep: {{last: 2}}}}
          other: {other}
          exempt: {{path: {exempt}, keep: {{}}}}
        keep: {{last: 1}}
    """)
    report = shelf.prune()
    removed = [each.database for each in report.of("removed")]
    assert sorted(removed) == sorted([str(shelf.path), str(other), str(other)])
    assert {reason for each in report.of("kept") for reason in each.reasons} == {
        *("last", "last verified", "no rule")
    }
    of_one = shelf.prune(database="other", yes=True)
    assert {each.database for place in of_one.places for each in place.backups} == {str(other)}
    assert len(shelf.names()) == 7


def test_backups_of_a_database_that_is_gone_are_pruned_and_its_last_one_stays(shelf):
    shelf.export(0, verify=False)
    shelf.export(1)
    shelf.export(2)
    shelf.path.unlink()
    shelf.prune(keep=LAST, yes=True, database=str(shelf.path))
    assert shelf.names() == {"backup-2026-11-20.json", "backup-2026-11-19.json"}


# What stays


def test_parts_and_what_is_redacted_do_not_push_out_the_whole(shelf, context):
    profiles = context().home.profiles
    profiles.mkdir(parents=True)
    (profiles / "tool.yaml").write_text(
        "name: tool\ntitle: Tool\nrecognise: [notes]\nsecrets: {notes: [body]}\n",
        encoding="utf-8",
    )
    shelf.export(3)
    shelf.export(2, redact=True)
    shelf.export(1, tables=("notes",))
    report = shelf.prune(keep=LAST)
    assert report.outcome == "nothing to do"
    kinds = {each.kind for place in report.places for each in place.backups}
    assert kinds == {"", "redacted", "tables notes"}


def test_the_newest_one_from_before_most_rows_went_stays(shelf):
    run_sql(shelf.path, "INSERT INTO notes (body) VALUES ('a'), ('b'), ('c')")
    shelf.export(4)
    shelf.export(3)
    run_sql(shelf.path, "DELETE FROM notes WHERE id > 1")
    shelf.export(1)
    shelf.export(0)
    report = shelf.prune(keep=LAST, yes=True)
    assert shelf.names() == {"backup-2026-11-20.json", "backup-2026-11-17.json"}
    assert fates(report)["backup-2026-11-17.json"] == (
        *("kept", "over twice the rows of the newest"),
    )


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b'"old"') + 1] ^= 1
    path.write_bytes(content)


def test_a_damaged_backup_is_not_counted_and_goes_when_a_newer_one_is_verified(shelf, context):
    for days in range(4):
        shelf.export(days)
    for day in (20, 18):
        damage(shelf.folder / f"backup-2026-11-{day}.json")
    verify_backups(context(), VerifyOptions(backups=("all",), quick=True))
    report = shelf.prune(keep=LAST, yes=True)
    assert fates(report) == {
        "backup-2026-11-20.json": ("kept", "damaged, but none that is verified is newer"),
        "backup-2026-11-19.json": ("kept", "last", "last verified"),
        "backup-2026-11-18.json": ("removed", "damaged, and a newer one is verified"),
        "backup-2026-11-17.json": ("removed",),
    }
    assert shelf.names() == {"backup-2026-11-20.json", "backup-2026-11-19.json"}


def test_files_that_are_not_ours_are_left_alone_whatever_they_are_called(shelf):
    shelf.export(0)
    old = shelf.folder / shelf.export(1)
    changed = shelf.folder / shelf.export(2)
    shutil.copy(old, shelf.folder / "backup-2020-01-01.json")  # on record nowhere
    (shelf.folder / "backup-2020-01-02.json").write_text("Dear diary")
    (shelf.folder / "backup-2020-01-03").mkdir()
    (shelf.folder / "backup-2026-11-19.json.orig").write_text("mine")
    (shelf.folder / "notes.json").write_text("mine")
    changed.write_bytes(changed.read_bytes() + b"\n")
    before = files_in(shelf.folder)
    report = shelf.prune(keep=LAST, yes=True)
    assert {each.name for each in report.of("removed")} == {old.name}
    left = {each.name for each in report.of("not ours")}
    assert left == {changed.name, *(f"backup-2020-01-0{day}.json" for day in (1, 2))} | {
        "backup-2020-01-03"
    }
    after = files_in(shelf.folder)
    assert before.keys() - after.keys() == {old.name}
    assert (shelf.folder / "backup-2020-01-03").is_dir()


def test_a_clock_that_was_wrong_makes_nothing_go(shelf):
    for days in (0, 1):
        shelf.export(days)
    ahead = shelf.export(-3000)
    report = shelf.prune(keep=KeepRules(within="30d"), yes=True)
    assert report.outcome == "nothing to do"
    assert fates(report)[ahead] == ("kept", "dated in the future")
    early = shelf.prune(keep=LAST, yes=True, now=NOW - timedelta(days=3000))
    assert early.outcome == "nothing to do"


# Every format goes whole


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_page_copy_goes_with_its_manifest_and_a_folder_with_all_in_it(shelf, compression):
    for form in ("sqlite", "folder"):
        for days in (1, 2):
            shelf.export(days, format=form, compression=compression)
    newest = shelf.export(0)
    assert len(shelf.names()) == 7
    report = shelf.prune(keep=LAST, yes=True)
    assert len(report.of("removed")) == 4 and not report.warnings
    assert shelf.names() == {newest}


def test_a_manifest_of_a_backup_that_stays_stays(shelf):
    shelf.export(1, format="sqlite")
    shelf.export(0, format="sqlite")
    shelf.prune(keep=LAST, yes=True)
    assert shelf.names() == {"backup-2026-11-20.db", "backup-2026-11-20.db.manifest.json"}


# What goes wrong


def test_one_that_cannot_be_removed_is_named_and_the_others_go(shelf, monkeypatch):
    for days in range(4):
        shelf.export(days)
    remove = files.remove_whole

    def refuse(path: Path) -> None:
        if path.name == "backup-2026-11-18.json":
            monkeypatch.setattr(Path, "unlink", no_permission)
        try:
            remove(path)
        finally:
            monkeypatch.setattr(Path, "unlink", unlink)

    unlink = Path.unlink

    def no_permission(*_words: Any, **_options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "remove_whole", refuse)
    report = shelf.prune(keep=LAST, yes=True)
    assert report.outcome == "done"
    [failed] = report.of("failed")
    path = shelf.folder / "backup-2026-11-18.json"
    assert failed.reasons == (f"cannot delete {path}: Permission denied",)
    [warning] = report.warnings
    assert warning.startswith(f"cannot delete {path}: Permission denied. Check that")
    assert shelf.names() == {"backup-2026-11-20.json", "backup-2026-11-18.json"}
    [(outcome, details)] = rows(
        shelf.folder / "history.db",
        "SELECT outcome, details FROM events WHERE operation = 'prune'",
    )
    assert outcome == "WriteFailed"
    assert json.loads(str(details))["removed"] == [
        *("backup-2026-11-19.json", "backup-2026-11-17.json"),
    ]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_keeps_all_and_says_so(shelf):
    for days in range(3):
        shelf.export(days)
    names = shelf.names()
    shelf.folder.chmod(0o500)
    try:
        report = shelf.prune(keep=LAST, yes=True)
    finally:
        shelf.folder.chmod(0o700)
    assert len(report.of("failed")) == 2 and report.warnings
    assert shelf.names() == names


@pytest.mark.skipif(os.name == "nt", reason="Windows sets no such limit")
def test_a_disk_that_is_full_does_not_hinder_a_prune(shelf, context):
    for years in (5, 6, 7):
        shelf.export(years * 366)
    home = context().home.path
    words = ["--keep-last", "1", "--yes"]
    done = run(home, "prune", *words, exit_code=3, preexec_fn=limited_to(1))
    assert len(shelf.names()) == 1
    assert "Warning: backups were removed, but that could not be recorded: " in done.stdout


def test_a_history_that_cannot_be_read_is_no_reason_to_remove_anything(shelf):
    names = {shelf.export(days) for days in range(3)}
    (shelf.folder / "history.db").write_bytes(b"Dear diary " * 500)
    with pytest.raises(DatabaseError):
        shelf.prune(keep=LAST, yes=True)
    assert shelf.names() == names


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let something happen once, between the plan and the first removal."""
    remove = files.remove_whole

    def after_that(path: Path) -> None:
        monkeypatch.setattr(files, "remove_whole", remove)
        happens()
        remove(path)

    monkeypatch.setattr(files, "remove_whole", after_that)


def test_what_is_deleted_by_hand_in_the_middle_is_as_good_as_removed(shelf, monkeypatch):
    for days in range(4):
        shelf.export(days)
    meanwhile(monkeypatch, (shelf.folder / "backup-2026-11-18.json").unlink)
    report = shelf.prune(keep=LAST, yes=True)
    assert not report.warnings
    assert shelf.names() == {"backup-2026-11-20.json"}


def test_where_the_one_that_was_to_stay_goes_in_the_middle_nothing_more_is_removed(
    shelf, monkeypatch
):
    for days in range(4):
        shelf.export(days)
    meanwhile(monkeypatch, (shelf.folder / "backup-2026-11-20.json").unlink)
    report = shelf.prune(keep=LAST, yes=True)
    assert len(report.of("removed")) == 1
    assert "backup-2026-11-20.json, which was to stay, has gone meanwhile" in report.warnings[0]
    assert len(shelf.names()) == 2


def test_what_changes_in_the_middle_is_not_removed(shelf, monkeypatch):
    for days in range(3):
        shelf.export(days)
    oldest = shelf.folder / "backup-2026-11-18.json"
    meanwhile(monkeypatch, lambda: oldest.write_text("mine"))
    report = shelf.prune(keep=LAST, yes=True)
    assert [each.name for each in report.of("failed")] == [oldest.name]
    assert oldest.read_text() == "mine"


def test_two_prunes_at_once_both_succeed_and_remove_the_same(shelf, monkeypatch):
    for days in range(5):
        shelf.export(days)
    reports: list[PruneReport] = []
    meanwhile(monkeypatch, lambda: reports.append(shelf.prune(keep=LAST, yes=True)))
    reports.append(shelf.prune(keep=LAST, yes=True))
    assert [(len(each.of("removed")), each.warnings) for each in reports] == [(4, ()), (4, ())]
    assert shelf.names() == {"backup-2026-11-20.json"}


def test_a_backup_that_vanishes_while_the_shelf_is_read_is_passed_by(shelf, monkeypatch):
    for days in range(3):
        shelf.export(days)
    size_of = files.size_of
    gone = shelf.folder / "backup-2026-11-19.json"

    def vanishing(path: Path) -> int:
        gone.unlink(missing_ok=True)
        return size_of(path)

    monkeypatch.setattr(files, "size_of", vanishing)
    assert gone.name not in fates(shelf.prune(keep=LAST))


def test_the_removal_of_a_folder_that_is_cut_short_leaves_no_half_a_backup(shelf, monkeypatch):
    shelf.export(1, format="folder")
    shelf.export(0)

    def killed(*_words: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        shelf.prune(keep=LAST, yes=True)
    left = shelf.names() - {"backup-2026-11-20.json"}
    assert all(name.startswith(files.PARTIAL_PREFIX) for name in left)
    shelf.prune(keep=LAST)


# Stores


@pytest.fixture
def stored(shelf: Shelf, tmp_path: Path) -> Shelf:
    shelf.settings(f"""
        databases: {{tool: {{path: {shelf.path}, keep: {{last: 2}}}}}}
        stores:
          cloud: {tmp_path / "cloud"}
          disk: {{url: {tmp_path / "disk"}, keep: {{last: 1}}}}
    """)
    for days in (0, 1, 2):
        shelf.export(days, stores=("all",))
    return shelf


def in_store(tmp_path: Path, store: str) -> set[str]:
    return {path.name for path in (tmp_path / store).rglob("backup-*")}


def test_the_rules_of_a_store_come_before_those_of_the_database(stored, tmp_path):
    report = stored.prune()
    assert [(place.store, len(place.backups)) for place in report.places] == [
        *(("", 3), ("cloud", 3), ("disk", 3)),
    ]
    done = stored.prune(confirm=report.plan_id)
    assert len(done.of("removed")) == 4 and not done.warnings
    assert len(stored.names()) == 2
    assert in_store(tmp_path, "cloud") == {
        *("backup-tool-2026-11-20T142233Z.json", "backup-tool-2026-11-19T142233Z.json"),
    }
    assert in_store(tmp_path, "disk") == {"backup-tool-2026-11-20T142233Z.json"}


def test_a_prune_keeps_to_the_places_that_are_named(stored, tmp_path):
    assert [place.store for place in stored.prune(stores=("disk",)).places] == ["disk"]
    assert [place.store for place in stored.prune(here=True).places] == [""]
    both = stored.prune(here=True, stores=("cloud",))
    assert both.confirmed_by[:3] == ("--here", "--store", "cloud")
    with pytest.raises(UsageError, match="there is no store tape"):
        stored.prune(stores=("tape",))


def test_what_another_machine_put_into_a_store_stays(stored, tmp_path):
    (own,) = (tmp_path / "disk").iterdir()
    shutil.copytree(own, tmp_path / "disk" / "desk-2b4c")
    report = stored.prune(stores=("disk",), yes=True)
    assert {each.reasons for each in report.of("not ours")} == {("of desk-2b4c",)}
    assert len(list((tmp_path / "disk" / "desk-2b4c").iterdir())) == 3
    assert len(list(own.iterdir())) == 1


def test_what_a_store_has_of_before_the_history_stays(stored, tmp_path):
    (stored.folder / "history.db").unlink()
    report = stored.prune(stores=("disk",), yes=True)
    assert len(report.of("not ours")) == 3
    assert len(in_store(tmp_path, "disk")) == 3


def test_a_damaged_copy_in_a_store_is_not_counted_and_what_goes_is_forgotten(stored):
    history = stored.make_context().history
    newest, *_, oldest = sorted(
        (each for each in history.copies() if each.store == "disk"),
        key=lambda each: each.name,
        reverse=True,
    )
    for each in (newest, oldest):
        history.record_copy(replace(each, verified="damaged"))
    report = stored.prune(stores=("disk",), yes=True)
    assert fates(report) == {
        newest.name: ("kept", "damaged, but none that is verified is newer"),
        newest.name.replace("20T", "19T"): ("kept", "last", "last verified"),
        oldest.name: ("removed", "damaged, and a newer one is verified"),
    }
    assert len([each for each in history.copies() if each.store == "disk"]) == 2


def test_parts_in_a_store_are_counted_apart_although_their_names_do_not_tell(stored, tmp_path):
    later = stored.make_context(now=NOW + timedelta(hours=1))
    export_backup(
        later,
        ExportOptions(database=str(stored.path), tables=("notes",), stores=("disk",)),
    )
    report = stored.prune(stores=("disk",), yes=True, now=NOW + timedelta(days=1))
    assert [(each.kind, each.reasons) for each in report.of("kept")] == [
        ("", ("last", "last verified")),
        ("tables notes", ("last", "last verified")),
    ]
    assert len(in_store(tmp_path, "disk")) == 2


def test_a_local_name_that_is_used_again_takes_nothing_from_what_is_known_of_a_store(
    stored, tmp_path
):
    for days in (0, 1, 2):
        (stored.folder / f"backup-2026-11-{20 - days}.json").unlink()
    stored.export(0, database=str(stored.path))
    assert len(stored.prune(stores=("disk",), yes=True).of("removed")) == 2


@dataclass
class Tape:
    """A store that lists what it is given, and fails as it is told."""

    found: Sequence[StoredBackup]
    name: str = "disk"
    location: str = "tape://1"
    is_off_site: bool = False
    jammed: tuple[str, ...] = ()
    is_unplugged: bool = False

    def backups(self) -> Iterator[StoredBackup]:
        if self.is_unplugged:
            raise StoreFailed("the tape is not there", hint="Put it in.")
        yield from self.found

    def delete(self, backups: Sequence[StoredBackup]) -> None:
        for each in backups:
            if any(word in each.name for word in self.jammed):
                raise StoreRefused(f"{each.name} is stuck", hint="Pull.")
        self.found = [each for each in self.found if each not in backups]


@pytest.fixture
def tape(stored: Shelf, monkeypatch: pytest.MonkeyPatch) -> Tape:
    store = stored.make_context().store("disk")
    tape = Tape(list(store.backups()))
    monkeypatch.setattr(Context, "store", lambda _, name: replace_name(tape, name))
    return tape


def replace_name(tape: Tape, name: str) -> Tape:
    tape.name = name
    return tape


def test_a_store_that_fails_with_one_backup_removes_the_others(stored, tape):
    tape.jammed = ("2026-11-19",)
    report = stored.prune(stores=("disk",), yes=True)
    assert [each.created_at for each in report.of("failed")] == ["2026-11-19T14:22:33Z"]
    assert [each.created_at for each in report.of("removed")] == ["2026-11-18T14:22:33Z"]
    assert len(tape.found) == 2 and len(report.warnings) == 1


def test_a_store_that_cannot_be_reached_is_said_and_the_folder_is_pruned(stored, tape):
    tape.is_unplugged = True
    report = stored.prune(yes=True)
    assert len(stored.names()) == 2
    assert report.warnings == (
        *("nothing is removed from tape://1: the tape is not there. Put it in.",) * 2,
    )
    with pytest.raises(StoreFailed, match="the tape is not there"):
        stored.prune(stores=("disk",), yes=True)


def test_a_store_whose_kept_backup_goes_in_the_middle_loses_nothing_more(stored, tape, monkeypatch):
    context = stored.make_context()
    listed = list(tape.found)
    listings = iter([listed, listed[:-1] if "11-20" in listed[-1].name else listed[1:]])
    monkeypatch.setattr(tape, "backups", lambda: iter(next(listings)))
    report = prune_backups(context, PruneOptions(stores=("disk",), yes=True))
    assert len(report.of("failed")) == 2
    assert len(tape.found) == 3


# The script


@pytest.fixture
def script(
    shelf: Shelf,
    context: MakeContext,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """Run the command line in this process: exit code, what it printed, and the error."""
    later = context(now=NOW + timedelta(hours=1))
    monkeypatch.setattr("holdfast.cli.run._context", lambda *_: later)

    def ran(*words: str) -> tuple[int, str, str]:
        code = main(["prune", *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ran


def test_the_report_names_each_backup_with_the_reason_that_keeps_it(shelf, script):
    for days in (0, 1):
        shelf.export(days)
    code, printed, _ = script("--keep-last", "1")
    plan_id = printed.split()[-1]
    assert (code, re.sub(r"\b1\.\d kB", "1 kB", printed)) == (
        4,
        "Plan: remove 1 of 2 backups, 1 kB.\n"
        f"{shelf.folder}, of {shelf.path}:\n"
        "  keep backup-2026-11-20.json: last, last verified\n"
        "  remove backup-2026-11-19.json: 1 kB\n"
        "Nothing has been removed. If this is what you want:\n"
        f"  prune --keep-last 1 --confirm {plan_id}\n",
    )
    code, printed, error = script("--keep-last", "1", "--confirm", "0" * 12)
    assert code == 23 and printed.startswith("Plan: remove 1 of 2") and "no longer" in error
    code, printed, _ = script("--keep-last", "1", "--confirm", plan_id)
    assert code == 0 and printed.startswith("Removed 1 of 2 backups, 1.")
    code, printed, _ = script("--keep-last", "1", "--yes")
    assert (code, printed.splitlines()[0]) == (0, "Nothing to remove, 1 backup stays.")


def test_the_report_is_json_when_asked_for(shelf, script):
    for days in (0, 1):
        shelf.export(days)
    code, printed, _ = script("--keep-last", "1", "--json", "--dry-run")
    report = json.loads(printed)
    assert (code, report["outcome"]) == (0, "rehearsed")
    [place] = report["places"]
    assert [(each["fate"], each["reasons"]) for each in place["backups"]] == [
        ("kept", ["last", "last verified"]),
        ("removed", []),
    ]


def test_without_rules_the_report_says_how_to_give_some(shelf, script):
    shelf.export(0)
    assert script("--yes")[:2] == (
        0,
        "No rule says what is kept, so all stay: 1 backup. Set keep in backup.yaml, or give rules"
        " such as --keep-daily 7 --keep-weekly 4.\n",
    )


def test_a_prune_that_could_not_do_all_ends_with_3(shelf, script, monkeypatch):
    for days in (0, 1):
        shelf.export(days)

    def refuse(path: Path) -> None:
        raise BackupNotFound(f"{path} is stuck", hint="Pull.")

    monkeypatch.setattr(files, "remove_whole", refuse)
    code, printed, _ = script("--keep-last", "1", "--yes")
    assert code == 3
    assert f"  FAILED backup-2026-11-19.json: {shelf.folder}/backup-2026-11-19.json" in printed
    assert "Warning: " in printed


def test_an_export_prunes_its_database_in_the_places_that_the_backup_went_to(
    stored, script, tmp_path, make_database, capsys
):
    other = make_database(NOTES, "other.db")
    for days in (0.2, 0.1):
        stored.export(days, database=str(other))
    code = main(["export", "--db", "tool", "--to", "disk", "--prune"])
    printed = capsys.readouterr().out
    assert code == 0 and re.search(r"^Removed 5 of 8 backups, \d.* kB\.$", printed, re.MULTILINE)
    assert len(in_store(tmp_path, "disk")) == 1
    assert len(in_store(tmp_path, "cloud")) == 3
    assert len(stored.names()) == 4


def test_an_export_of_all_databases_prunes_each(stored, script, capsys):
    assert main(["export", "--all", "--to", "disk", "--prune"]) == 0
    assert "Removed 5 of 8 backups, " in capsys.readouterr().out
    assert len(stored.names()) == 2


def test_an_export_whose_prune_fails_has_made_its_backup_and_says_so(
    stored, script, capsys, monkeypatch
):
    def broken(_: Any) -> None:
        raise DatabaseError("the history is damaged", hint="Move it away.")

    monkeypatch.setattr("holdfast.history.History.made", broken)
    assert main(["export", "--db", "tool", "--prune"]) == 3
    printed = capsys.readouterr().out
    assert printed.startswith("Backup saved: ")
    assert (
        "Warning: the backup was made, but nothing was removed: the history is damaged."
        " Move it away." in printed
    )
    assert len(stored.names()) == 4


def test_a_backup_that_goes_to_standard_output_is_no_reason_to_prune(stored, script, capsys):
    assert main(["export", "--db", "tool", "--prune", "--output", "-"]) == 2
    assert len(stored.names()) == 3


@pytest.mark.parametrize(
    "words",
    [
        ["--keep-last", "-1"],
        ["--keep-daily", "0"],
        ["--keep-weekly", "many"],
        ["--keep-within", "3 weeks"],
        ["--keep-within", ""],
        ["--keep-within", "1d1y"],
        ["--yes", "--dry-run"],
        ["--keep-tags", "1"],
        ["--store", "nowhere"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_refused(shelf, script, words):
    shelf.export(1)
    shelf.export(0)
    code, _, error = script(*words)
    assert code == 2 and "Error: " in error
    assert len(shelf.names()) == 2


def test_the_context_has_a_name_for_each_database(shelf, context):
    assert name_of_database(context(), shelf.path).startswith("tool-")
    assert replace(context(), actor="ann@desk").owner.startswith("desk-")


# Stores that keep otherwise


def test_a_git_repository_is_left_out_as_it_keeps_all(shelf: Shelf, tmp_path: Path):
    shelf.settings(
        f"keep: {{last: 1}}\nstores: {{repo: 'git:{tmp_path}/repo', disk: '{tmp_path}/disk'}}\n"
    )
    shelf.export(days=2, stores=("repo", "disk"))
    shelf.export(days=1, stores=("repo", "disk"))
    report = shelf.prune(yes=True)
    assert [place.store for place in report.places] == ["", "disk"]
    assert [len(place.backups) for place in report.places] == [2, 2]
    assert report.warnings == ()
    assert [place.store for place in shelf.prune(stores=("all",)).places] == ["disk"]


def test_a_git_repository_that_is_named_is_refused_before_a_plan_is_shown(
    shelf: Shelf, tmp_path: Path
):
    shelf.settings(f"keep: {{last: 1}}\nstores: {{repo: 'git:{tmp_path}/repo'}}\n")
    for days in (2, 1):
        shelf.export(days=days, stores=("repo",))
    with pytest.raises(UsageError, match="a git repository keeps what was committed"):
        shelf.prune(stores=("repo",))


def test_a_prune_gives_back_the_space_of_pages_that_went_before(
    shelf: Shelf, tmp_path: Path, context: MakeContext
):
    shelf.settings(
        f"keep: {{last: 1}}\nstores: {{pages: {{url: '{tmp_path}/pages', layout: pages}}}}\n"
    )
    run_sql(shelf.path, "CREATE TABLE big AS SELECT randomblob(300000) AS b")
    shelf.export(days=2, stores=("pages",), format="sqlite")
    run_sql(shelf.path, "UPDATE big SET b = randomblob(300000)")
    shelf.export(days=1, stores=("pages",), format="sqlite")
    both = sum(map(len, files_in(tmp_path / "pages").values()))
    shelf.prune(stores=("pages",), yes=True)
    # What is half a day old is marked, and goes after half a day more, by the clock of the disk.
    for _ in range(2):
        for path in (tmp_path / "pages").rglob("*"):
            os.utime(path, (1, 1))
        assert shelf.prune(stores=("pages",), yes=True).outcome == "nothing to do"
    one = sum(map(len, files_in(tmp_path / "pages").values()))
    assert one < both - 250_000
