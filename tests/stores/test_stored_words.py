"""STORE:WANTED: a backup in a store serves every verb like a file that lies here."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.errors import BackupAmbiguous, BackupNotFound, NotABackup
from holdfast.operations.context import Context
from holdfast.operations.diff_backups import DiffOptions, diff_backups
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.stored import at_hand, find_stored
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.reports import text
from tests.conftest import NOW, MakeContext, rows, run_sql
from tests.running import make_database

CRM = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO notes VALUES (1, 'a')"
SETTINGS = """
databases: {crm: data/crm.db, work: data/work.db}
stores: {disk: ../disk}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in ("crm", "work"):
        make_database(home / "data" / f"{name}.db", CRM)
    (home / "backup.yaml").write_text(SETTINGS)
    (home / "owner").write_text("laptop-1f3a\n")
    return home


def exported(context: Context, database: str = "crm", **options) -> Path:
    wanted = {"database": database, "stores": ("disk",), "format": "jsonl"} | options
    report = export_backup(context, ExportOptions(**wanted))
    assert report.path and [each.problem for each in report.copies] == [""] * len(report.copies)
    return report.path


def found(context: Context, wanted: str) -> str:
    return find_stored(context, context.store("disk"), wanted).name


def test_a_backup_is_found_by_day_moment_name_and_the_name_of_its_database(
    context: MakeContext, home: Path
) -> None:
    early, late = context(now=NOW - timedelta(days=1)), context()
    for each in (early, late):
        exported(each, "crm")
    exported(late, "work")
    old, new = (f"laptop-1f3a/backup-crm-2026-11-{day}T142233Z.jsonl" for day in (19, 20))
    for wanted in ("2026-11-19", "2026-11-19T142233Z", "crm-2026-11-19", old, old[12:]):
        assert found(late, wanted) == old
    assert {found(late, wanted) for wanted in ("crm", "crm-latest", "crm-2026-11-20")} == {new}
    with pytest.raises(BackupAmbiguous, match=f"disk:latest could be any of disk:{new}, disk:lap"):
        found(late, "latest")
    with pytest.raises(BackupAmbiguous):
        found(late, "2026-11-20")
    with pytest.raises(BackupNotFound, match="no backup '2026-11-18' in disk") as caught:
        found(late, "2026-11-18")
    assert "The newest there: disk:laptop-1f3a/backup-" in caught.value.hint


def test_a_name_of_no_store_is_answered_with_where_stores_are_named(
    context: MakeContext, home: Path
) -> None:
    with pytest.raises(BackupNotFound, match="no backup 'cloud:latest' in ") as caught:
        with at_hand(context(), "cloud:latest"):
            pass
    assert caught.value.hint.endswith("If cloud is a store, name it in backup.yaml first.")


def test_the_own_backup_is_meant_before_that_of_another_machine(
    context: MakeContext, home: Path
) -> None:
    ours = context()
    exported(ours)
    (home / "owner").write_text("desk-77b0\n")
    theirs = context(now=NOW + timedelta(hours=1))
    exported(theirs)
    assert found(ours, "latest").startswith("laptop-1f3a/")
    assert found(theirs, "latest").startswith("desk-77b0/")
    (home / "owner").write_text("new-0000\n")  # as after the loss of a machine
    with pytest.raises(BackupAmbiguous, match=r"desk-77b0.*laptop-1f3a"):
        found(context(), "latest")


def test_latest_means_the_whole_database_before_a_part_of_it(
    context: MakeContext, home: Path
) -> None:
    run_sql(home / "data" / "crm.db", "CREATE TABLE tags (id)")
    exported(context())
    exported(context(now=NOW + timedelta(hours=1)), tables=("tags",))
    assert found(context(), "latest").endswith("backup-crm-2026-11-20T142233Z.jsonl")


def test_a_database_is_restored_from_a_store_when_nothing_of_it_is_left_here(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    exported(context(), format="sqlite")
    for path in home.rglob("*.*"):
        path.unlink() if path.is_file() else None
    (home / "backup.yaml").write_text(SETTINGS)
    target = tmp_path / "back.db"
    report = restore_backup(context(), RestoreOptions(backup="disk:latest", target=target))
    assert rows(target, "SELECT * FROM notes") == [(1, "a")]
    assert report.is_proven
    assert str(report.backup) == "disk:laptop-1f3a/backup-crm-2026-11-20T142233Z.db.tar"


def test_a_restore_says_from_which_store_and_of_when_in_git_too(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    (home / "backup.yaml").write_text(SETTINGS.replace("../disk", "git:../disk"))
    here = replace(context(), environment=os.environ)
    exported(here)
    options = RestoreOptions(backup="disk:crm", target=tmp_path / "new.db")
    assert text(restore_backup(here, options)).splitlines()[-1] == (
        "From disk:laptop-1f3a/backup-crm-2026-11-20T142233Z.jsonl of 2026-11-20T14:22:33Z."
    )


def test_what_was_fetched_is_gone_afterwards(
    context: MakeContext, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(context())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with at_hand(context(), "disk:latest") as backup:
        assert backup.path.is_relative_to(scratch)
    assert list(scratch.iterdir()) == []


def test_a_file_whose_name_looks_like_a_store_is_that_file(
    context: MakeContext, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = exported(context())
    monkeypatch.chdir(tmp_path)
    backup.rename(tmp_path / "disk:latest")
    with at_hand(context(), "disk:latest") as at:
        assert at.path == tmp_path / "disk:latest"


def test_an_import_from_a_store_goes_into_the_database_of_that_name(
    context: MakeContext, home: Path
) -> None:
    exported(context(), "work")
    work = home / "data" / "work.db"
    run_sql(work, "UPDATE notes SET text = 'changed'")
    options = ImportOptions(backup="disk:work")
    planned = import_backup(context(), options)
    assert planned.database.path == work
    assert planned.confirmed_by[0] == "disk:laptop-1f3a/backup-work-2026-11-20T142233Z.jsonl"
    agreed = replace(options, backup=planned.confirmed_by[0], confirm=planned.plan.plan_id)
    done = import_backup(context(), agreed)
    assert (done.outcome, rows(work, "SELECT text FROM notes")) == ("done", [("a",)])


def test_a_diff_reads_both_sides_wherever_they_are(context: MakeContext, home: Path) -> None:
    exported(context())
    run_sql(home / "data" / "crm.db", "INSERT INTO notes VALUES (2, 'b')")
    later = context(now=NOW + timedelta(days=1))
    exported(later)
    report = diff_backups(later, DiffOptions(first="disk:2026-11-20", second="disk:2026-11-21"))
    assert [each.added for each in report.tables] == [1]
    assert str(report.first.path) == "disk:laptop-1f3a/backup-crm-2026-11-20T142233Z.jsonl"
    live = diff_backups(later, DiffOptions(first="disk:2026-11-21", database="crm"))
    assert live.same and live.second.kind == "database"


def test_a_backup_in_a_store_is_proven_and_that_is_remembered(
    context: MakeContext, home: Path
) -> None:
    exported(context())
    assert [each.verified for each in context().history.copies()] == ["contents"]
    report = verify_backups(context(), VerifyOptions(backups=("disk:latest",)))
    (backup,) = report.backups
    assert str(backup.path) == "disk:laptop-1f3a/backup-crm-2026-11-20T142233Z.jsonl"
    assert [each.verified for each in context().history.copies()] == ["sound"]
    local = [each for each in context().history.backups() if "scratch" in each.path]
    assert local == []  # nothing that was fetched is taken for a backup of this machine


def test_all_backups_of_a_store_are_proven_and_a_damaged_one_hinders_no_other(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    exported(context())
    exported(context(now=NOW + timedelta(days=1)))
    damaged = tmp_path / "disk/laptop-1f3a/backup-crm-2026-11-20T142233Z.jsonl"
    damaged.write_bytes(damaged.read_bytes().replace(b'"a"', b'"z"'))
    report = verify_backups(context(), VerifyOptions(backups=("disk:all",), quick=True))
    assert [each.exit_code for each in report.backups] == [16, 0]
    assert [each.verified for each in context().history.copies()] == ["contents", "damaged"]


def test_what_is_wrong_with_a_backup_is_said_of_its_name_in_the_store_not_of_where_it_lay(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    name = "disk:laptop-1f3a/backup-crm-2026-11-20T142233Z.jsonl"
    exported(context())
    (tmp_path / "disk" / name.partition(":")[2]).write_bytes(b"")
    (backup,) = verify_backups(context(), VerifyOptions(backups=("disk:latest",))).backups
    assert backup.problem.startswith(f"{name} is empty")
    with pytest.raises(NotABackup, match=f"^{name} is empty"):
        restore_backup(context(), RestoreOptions(backup="disk:latest", target=tmp_path / "x.db"))


def test_backups_of_two_machines_are_told_apart_by_a_verification(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    exported(context())
    shutil.copytree(tmp_path / "disk" / "laptop-1f3a", tmp_path / "disk" / "desk-77b0")
    said = text(verify_backups(context(), VerifyOptions(backups=("disk:all",), quick=True)))
    assert sorted(line.partition(": ")[0] for line in said.splitlines()) == [
        "disk:desk-77b0/backup-crm-2026-11-20T142233Z.jsonl",
        "disk:laptop-1f3a/backup-crm-2026-11-20T142233Z.jsonl",
    ]


def test_a_store_that_is_not_there_is_a_failed_proof_and_no_crash(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk").write_text("a file where the folder should be")
    (backup,) = verify_backups(context(), VerifyOptions(backups=("disk:latest",))).backups
    assert (str(backup.path), backup.exit_code) == ("disk:latest", 31)
    assert backup.hint and os.fspath(tmp_path / "disk") in backup.problem.replace("/home/..", "")
