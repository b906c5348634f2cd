"""`sync`: what a store lacks of the output folder is put there, and nothing else happens."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.errors import StoreRefused
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.prune_backups import PruneOptions, prune_backups
from holdfast.operations.sync_stores import SyncOptions, sync_stores
from holdfast.reports import exit_code, text
from tests.conftest import NOW, MakeContext, run_sql
from tests.running import files_in, make_database, run
from tests.stores.servers import BUCKET, S3Server, wire_to

DAYS = [NOW + timedelta(days=number) for number in range(3)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    make_database(home / "data" / "crm.db", "CREATE TABLE notes (id); INSERT INTO notes VALUES (1)")
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db}\nstores: {disk: ../disk, usb: ../usb/disk}\n"
    )
    (home).joinpath("owner").write_text("laptop-1f3a\n")
    return home


def exported(context: Context, **options) -> Path:
    path = export_backup(context, ExportOptions(**options)).path
    assert path
    return path


def test_each_store_gets_what_it_lacks_and_is_level_then(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "usb").mkdir()
    exported(context(now=DAYS[0]), stores=("disk",))
    exported(context(now=DAYS[1]))
    report = sync_stores(context(now=DAYS[2]), SyncOptions())
    disk, usb = report.stores
    new = "laptop-1f3a/backup-crm-2026-11-21T142233Z.json"
    assert (disk.there_count, [each.name for each in disk.copies]) == (1, [new])
    assert (usb.there_count, len(usb.copies)) == (0, 2)
    assert set(files_in(tmp_path / "disk")) == set(files_in(tmp_path / "usb" / "disk"))
    again = sync_stores(context(now=DAYS[2]), SyncOptions())
    assert [(each.there_count, each.copies) for each in again.stores] == [(2, ()), (2, ())]
    assert text(again) == "disk is level: 2 backups.\nusb is level: 2 backups."


def test_what_the_rules_of_a_store_do_not_keep_is_not_put_there_again(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db}\nstores: {disk: {url: ../disk, keep: {last: 1}}}\n"
    )
    for day in DAYS:
        exported(context(now=day))
    (synced,) = sync_stores(context(now=DAYS[2]), SyncOptions()).stores
    assert [each.name for each in synced.copies] == [
        "laptop-1f3a/backup-crm-2026-11-22T142233Z.json"
    ]
    prune_backups(context(now=DAYS[2]), PruneOptions(stores=("disk",), yes=True))
    again = sync_stores(context(now=DAYS[2]), SyncOptions())
    assert again.stores[0].copies == ()
    assert len(files_in(tmp_path / "disk")) == 1


def test_a_rehearsal_says_what_would_be_put_and_puts_nothing(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    path = exported(context())
    report = sync_stores(context(), SyncOptions(stores=("disk",), dry_run=True))
    assert text(report).splitlines() == [
        f"disk has 0 backups, and would get 1 more ({path.stat().st_size} bytes).",
        "  backup-2026-11-20.json",
    ]
    assert exit_code(report) == 0 and not (tmp_path / "disk").exists()


def test_a_store_that_is_not_there_hinders_no_other(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    exported(context())
    report = sync_stores(context(), SyncOptions())
    assert exit_code(report) == 31
    assert len(files_in(tmp_path / "disk")) == 1
    assert "usb was not reached: " in text(report) and "is not there." in text(report)


def test_a_backup_that_was_deleted_by_hand_comes_back(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    exported(context(), stores=("disk",))
    (gone,) = (tmp_path / "disk" / "laptop-1f3a").iterdir()
    gone.unlink()
    sync_stores(context(), SyncOptions(stores=("disk",)))
    assert gone.is_file()


def test_what_a_lost_history_no_longer_knows_is_told_by_its_name(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    exported(context(), stores=("disk",))
    run_sql(home / "data" / "crm.db", "INSERT INTO notes VALUES (2)")
    exported(context(), stores=("disk",))  # within the same second
    before = files_in(tmp_path / "disk")
    assert len(before) == 2
    with context().history._for_change() as connection:
        connection.execute("DELETE FROM copies")
    (disk,) = sync_stores(context(), SyncOptions(stores=("disk",))).stores
    assert (disk.there_count, disk.copies, files_in(tmp_path / "disk")) == (2, (), before)


def test_what_another_machine_put_there_is_not_taken_for_ours(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    exported(context(), stores=("disk",))
    (home / "owner").write_text("desk-77b0\n")
    (disk,) = sync_stores(context(), SyncOptions(stores=("disk",))).stores
    assert [each.name for each in disk.copies] == ["desk-77b0/backup-crm-2026-11-20T142233Z.json"]


def test_a_git_repository_gets_what_is_newer_than_its_last_commit_and_never_goes_back(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db}\nstores: {rows: 'git:../rows'}\n"
    )
    for number, day in enumerate(DAYS):
        run_sql(home / "data" / "crm.db", f"INSERT INTO notes VALUES ({number})")
        exported(context(now=day))
    here = replace(context(now=DAYS[2]), environment=os.environ)
    (first,) = sync_stores(here, SyncOptions()).stores
    assert [each.problem for each in first.copies] == ["", "", ""]
    (second,) = sync_stores(here, SyncOptions()).stores
    assert (second.there_count, second.copies) == (3, ())
    old = here.output / "backup-2026-11-20.json"
    with pytest.raises(StoreRefused, match="has a later backup of crm"):
        here.store("rows").put(old, "crm", "2026-11-20T14:22:33Z")


def test_damaged_backups_and_such_of_unknown_databases_are_passed_by_with_the_reason(
    context: MakeContext, home: Path
) -> None:
    path = exported(context())
    foreign = context().output / "backup-2026-11-19.json"
    foreign.write_bytes(path.read_bytes())
    known = context().history.backups()[0]
    context().history.record_backup(replace(known, verified="damaged"))
    report = sync_stores(context(), SyncOptions(stores=("disk",)))
    assert sorted(each.reason for each in report.passed) == [
        "it is damaged",
        "it is not on record here of which database it is",
    ]
    assert report.stores[0].copies == ()


def test_after_a_connection_that_was_cut_in_mid_upload_a_sync_puts_what_is_missing(
    context: MakeContext, home: Path, s3: S3Server, s3_settings
) -> None:
    rows = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 20)"
    make_database(
        home / "data" / "crm.db", f"{rows} INSERT INTO notes SELECT hex(randomblob(500000)) FROM n"
    )
    with wire_to(s3) as wire:
        (home / "backup.yaml").write_text(
            "databases: {crm: data/crm.db}\n"
            f"stores: {{cloud: {{url: '{s3_settings.url}', options: {{region: us-east-1,"
            f" endpoint: '{wire.endpoint}'}}}}}}\n"
        )
        wire.bytes_left = 9_000_000  # of 20 MB: in the second of its parts, and for good
        report = export_backup(context(), ExportOptions(stores=("cloud",)))
        (copy,) = report.copies
        assert report.path and report.path.is_file()
        assert wire.cut_count > 0
        assert (copy.exit_code, copy.problem) == (
            31,
            f"s3://{BUCKET}/{s3_settings.url.rpartition('/')[2]}: the connection was cut",
        )
        wire.bytes_left = None
        cloud = context().store("cloud")
        assert list(cloud.backups()) == []  # half an upload is nothing
        (synced,) = sync_stores(context(), SyncOptions()).stores
        assert [each.problem for each in synced.copies] == [""]
        assert [each.bytes for each in cloud.backups()] == [report.path.stat().st_size]
    (visit,) = context().history.visits()
    assert (visit.failing_since, visit.problem) == ("", "")


def test_the_script_says_what_it_did(home: Path) -> None:
    run(home, "export")
    done = run(home, "sync", "disk")
    assert done.stdout.startswith("disk had 0 backups, and got 1 of 1 that it lacked.\n  In disk: ")
    assert run(home, "sync", "cloud", exit_code=2).stderr.startswith("Error: there is no store")


def test_without_a_store_the_line_that_names_one_is_shown_and_works(home: Path) -> None:
    settings = home / "backup.yaml"
    settings.unlink()
    said = [
        run(home, *words, exit_code=2).stderr
        for words in (["sync"], ["sync", "disk"], ["export", "--sample", "--to", "disk"])
    ]
    for each in said:
        assert each.partition("\n")[2].startswith(f"Name one in {settings}, with a line such as ")
    settings.write_text(said[0].partition(" such as ")[2].replace("/media/usb", str(home.parent)))
    run(home, "export", "--to", "disk")
    assert (home.parent / "backups").is_dir()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB, where this user may mount one."""
    disk = tmp_path / "usb"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "holdfast-test", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_leaves_what_is_there_and_nothing_half(
    context: MakeContext, home: Path, full_disk: Path
) -> None:
    exported(context(now=DAYS[0]), stores=("usb",))
    before = files_in(full_disk)
    run_sql(home / "data" / "crm.db", "INSERT INTO notes VALUES (hex(randomblob(50000)))")
    report = export_backup(context(now=DAYS[1]), ExportOptions(stores=("usb",)))
    assert report.path and report.path.is_file()
    assert [each.exit_code for each in report.copies] == [31]
    assert "No space left on device" in report.copies[0].problem
    assert files_in(full_disk) == before


@pytest.mark.skipif(os.name == "nt", reason="folders have no such mode there")
def test_a_store_that_may_only_be_read_is_listed_and_says_why_it_takes_nothing(
    context: MakeContext, home: Path, full_disk: Path
) -> None:
    exported(context(now=DAYS[0]), stores=("usb",))
    subprocess.run(["mount", "-o", "remount,ro", str(full_disk)], check=True)
    exported(context(now=DAYS[1]))
    (synced,) = sync_stores(context(now=DAYS[1]), SyncOptions(stores=("usb",))).stores
    assert synced.there_count == 1
    assert [each.exit_code for each in synced.copies] == [31]
    assert "Read-only file system" in synced.copies[0].problem


def test_a_rehearsal_says_what_a_store_would_not_take_for_want_of_a_key(
    context: MakeContext, home: Path
) -> None:
    made = exported(context())
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db}\n"
        "stores: {disk: ../disk, clear: {url: ../c, encrypt: false}}\n"
        "encryption: {recipients: [age1nonsense]}\n"
    )
    report = sync_stores(context(), SyncOptions(dry_run=True))
    disk, clear = (store.copies for store in report.stores)
    assert (disk[0].exit_code, clear[0].problem) == (20, "")
    assert exit_code(report) == 20
    size = f"{made.stat().st_size} bytes"
    assert text(report) == (
        "disk has 0 backups, and would get none of those that it lacks.\n"
        f"  NOT {made.name}: backup.yaml: encryption.recipients: age1nonsense is not a public key,"
        " such as age1....\n"
        "    Make a key with the verb keys, or age-keygen.\n"
        f"clear has 0 backups, and would get 1 more ({size}).\n"
        f"  {made.name}"
    )
    done = sync_stores(context(), SyncOptions(stores=("disk",)))
    assert done.stores[0].copies[0].problem == disk[0].problem


def test_a_rehearsal_says_what_would_be_kept_out_for_its_secrets(
    context: MakeContext, home: Path
) -> None:
    (home / "profiles").mkdir()
    (home / "profiles" / "n.yaml").write_text(
        "name: n\ntitle: N\nrecognise: [notes]\nsecrets: {notes: [id]}\n"
    )
    exported(context())
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db}\nstores: {far: {url: ../far, off_site: true}}\n"
    )
    report = sync_stores(context(), SyncOptions(dry_run=True))
    [copy] = report.stores[0].copies
    assert copy.exit_code == StoreRefused.exit_code
    assert copy.problem == "far is away from here, and the backup holds notes.id in clear"


def test_a_rehearsal_without_the_passphrase_that_a_store_needs_says_so(
    context: MakeContext, home: Path
) -> None:
    exported(context())
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db}\nstores: {disk: ../disk}\n"
        "encryption: {passphrase_file: gone}\n"
    )
    report = sync_stores(context(), SyncOptions(dry_run=True))
    assert report.stores[0].copies[0].problem == (
        f"backup.yaml: encryption.passphrase_file: {home}/gone: No such file or directory"
    )
