"""The doctor on what makes backups and keeps them: folders, schedule, stores, keys."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast import encryption
from holdfast.encryption import passphrases
from holdfast.operations.context import Context
from holdfast.operations.discover import DiscoverOptions, discover
from holdfast.operations.doctor import DoctorOptions, examine
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.keys import create_key
from holdfast.operations.schedule_record import remember_install, remember_run
from holdfast.reports import exit_code, text
from holdfast.schedulers.calendar import Calendar
from holdfast.schedulers.cron import CRON
from holdfast.schedulers.interface import Job, Machine
from holdfast.schedulers.launching import LAUNCHER, job_name, launch
from tests.conftest import NOW, run_sql
from tests.running import run
from tests.schedulers.conftest import CRONTAB, put_program

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
NIGHTLY = Calendar("day", 3, 0)
ELSEWHERE = "copied_elsewhere: true\ndatabases: {notes: data/notes.db}\n"


@pytest.fixture
def machine(context, tmp_path, monkeypatch) -> Context:
    """A context with one database in its settings, a crontab, and nothing to be found."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "scratch"))
    monkeypatch.setattr(passphrases, "WORK_FACTOR", 8)
    here = context()
    here.home.data.mkdir(parents=True)
    run_sql(here.home.data / "notes.db", "CREATE TABLE notes (a); INSERT INTO notes VALUES (1);")
    (here.home.data / "notes.db").chmod(0o600)
    here.output.mkdir(mode=0o700)
    (here.home.path / "backup.yaml").write_text(ELSEWHERE)
    (tmp_path / "spool").mkdir()
    put_program(tmp_path / "bin", "crontab", CRONTAB.format(spool=tmp_path / "spool"))
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    made: Context = replace(here, environment={"PATH": path})
    assert examine(made, DoctorOptions()).findings == ()
    return made


def settings(machine: Context, more: str, kept: str = ELSEWHERE) -> Context:
    """The same home with more in its settings."""
    (machine.home.path / "backup.yaml").write_text(f"{kept}{more}\n")
    return replace(machine)


def found(here: Context) -> list[tuple[str, str]]:
    """What was found, and about what; each with a reason and something to do."""
    report = examine(here, DoctorOptions())
    assert exit_code(report) == (3 if report.findings else 0)
    assert all(each.why and each.advice for each in report.findings)
    return [(each.about, each.what) for each in report.findings]


def advice(here: Context) -> list[str]:
    return [each.advice for each in examine(here, DoctorOptions()).findings]


# Folders


def test_an_output_folder_that_cannot_be_looked_into_is_a_finding_and_ends_nothing(machine):
    long = "x" * 300  # which no system takes as a name
    here = settings(machine, f"output: {long}")
    path = here.home.path / long
    assert found(here) == [
        (f"the backups ({path})", "the folder cannot be looked into: File name too long")
    ]
    report = discover(here, DiscoverOptions())
    assert [each.row_count for each in report.databases] == [1]
    assert "never backed up" not in text(report)
    assert text(report).startswith("1 database found (looked for those of ")
    assert report.warnings[0].startswith(
        f"which of them are backed up is not known: cannot read {path}/history.db: "
    )


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may do all")
@pytest.mark.parametrize("mode", [0o000, 0o300])
def test_an_output_folder_of_somebody_else_is_a_finding(machine, mode):
    export_backup(machine, ExportOptions())
    machine.output.chmod(mode)
    try:
        assert found(machine)[0] == (
            f"the backups ({machine.output})",
            "the folder cannot be looked into: Permission denied",
        )
        assert run(machine.home.path, "discover").stdout
    finally:
        machine.output.chmod(0o700)


def test_a_file_in_the_place_of_the_output_folder_is_found(machine):
    machine.output.rmdir()
    machine.output.write_text("")
    assert found(machine) == [(f"the backups ({machine.output})", "it is not a folder")]


@posix
@pytest.mark.parametrize("installs", [".gemini/extensions", ".codex/plugins"])
def test_backups_where_any_assistant_installs_are_found(machine, tmp_path, installs):
    folder = tmp_path / installs / "holdfast"
    folder.mkdir(parents=True, mode=0o700)
    here = settings(machine, f"output: '{folder}'")
    assert found(here) == [(f"the backups ({folder})", f"they lie in {folder}")]


def test_a_store_in_a_folder_that_others_empty_is_found(machine, tmp_path):
    store = tmp_path / "user" / ".cache" / "store"
    store.mkdir(parents=True)
    here = settings(machine, f"stores: {{near: '{store}'}}")
    assert found(here) == [(f"the store near ({store})", f"it lies in {store.parent}")]


def test_a_history_that_cannot_be_read_is_found(machine):
    (machine.output / "history.db").write_bytes(b"Dear diary\n" * 1000)
    [(about, what)] = found(machine)
    assert about == f"the history ({machine.output}/history.db)"
    assert what.endswith("history.db is not a SQLite database, or is encrypted")


def test_backups_on_the_disk_of_the_database_alone_are_found_once_there_are_some(machine):
    here = settings(machine, "", kept="")
    assert found(here) == []  # a database that nobody backs up is the business of discover
    export_backup(here, ExportOptions())
    assert found(here) == [
        (f"the backups ({here.output})", "they are only on the disk of notes"),
    ]


# The schedule


def installed(here: Context, command: tuple[str, ...] = ("/bin/sh",), *, known: bool = True):
    if known:
        remember_install(here, "cron", NIGHTLY, command)
    job = Job(job_name(here.home.path), NIGHTLY, command, NOW)
    CRON.install(job, Machine(here.environment, here.user_home, here.platform))


def test_a_schedule_in_the_settings_that_no_scheduler_has_is_found(machine):
    here = settings(machine, "schedule: {prune: false}")
    assert found(here) == [
        (
            "the schedule",
            "backup.yaml says what a scheduled run is to do, and no scheduler starts one",
        )
    ]
    installed(here)
    assert found(here) == []


def test_a_schedule_that_the_history_does_not_know_of_is_found(machine):
    installed(machine, known=False)
    assert found(machine) == [
        ("the schedule", "a line for cron starts backups, which the history does not know of")
    ]


def test_a_schedule_that_fails_or_is_late_is_found_with_what_to_do(machine):
    installed(machine)
    failed = {"message": "cannot write x: disk full", "hint": "Free some space."}
    remember_run(replace(machine, now=NOW + timedelta(hours=13)), "WriteFailed", failed)
    late = replace(machine, now=NOW + timedelta(days=3))
    assert [about for about, _ in found(late)] == ["the schedule", "the schedule"]
    assert found(late)[0][1].endswith(", and failed: cannot write x: disk full")
    assert " backup was due " in found(late)[1][1]
    assert advice(late) == [
        "Free some space.",
        "Run it now with schedule run. Was the machine off, or nobody logged in?",
    ]
    assert "    What to do: Free some space.\n" in text(examine(late, DoctorOptions()))


@pytest.mark.parametrize("lost", ["python", "script"])
def test_a_schedule_whose_python_or_script_is_gone_is_found(machine, tmp_path, lost):
    paths = {name: tmp_path / name for name in ("python", "script")}
    for path in paths.values():
        path.touch()
    installed(machine, (*map(str, paths.values()), "run"))
    assert found(machine) == []
    paths[lost].unlink()
    assert found(machine) == [("the schedule", f"the schedule starts {paths[lost]}, which is gone")]
    assert advice(machine) == ["Install it again: schedule install --every day --at 03:00"]


def test_a_launcher_whose_plugin_is_gone_is_found_unless_an_update_brought_another(
    machine, tmp_path
):
    script = tmp_path / "plugin" / "0.1.0" / "scripts" / "schedule.py"
    script.parent.mkdir(parents=True)
    script.touch()
    launched = launch(machine.home.path, "/bin/sh", script)
    (machine.home.path / LAUNCHER).write_text(launched.launcher_text)
    installed(machine, launched.command)
    assert found(machine) == []
    script.unlink()
    assert found(machine) == [("the schedule", f"the schedule starts {script}, which is gone")]
    later = tmp_path / "plugin" / "0.2.0" / "scripts" / "schedule.py"
    later.parent.mkdir(parents=True)
    later.touch()
    assert found(machine) == []


# Stores


def test_a_store_that_is_not_reached_is_found_with_since_when(machine, tmp_path):
    here = settings(machine, f"stores: {{usb: '{tmp_path}/gone/store'}}")
    here.history.record_visit("usb", "2026-11-20T12:00:00Z", "it was full")
    assert found(here) == [
        (
            "the stores",
            f"the store usb fails since 2026-11-20T12:00:00Z: {tmp_path}/gone is not there",
        )
    ]


def test_a_store_whose_settings_are_wrong_is_found_with_the_key(machine):
    here = settings(machine, "stores: {cloud: {url: 's3://bucket', options: {secret_key: abc}}}")
    (here.home.path / "backup.yaml").chmod(0o600)
    assert found(here) == [
        (
            "the stores",
            "the store cloud fails: backup.yaml: stores.cloud.options.secret_key: credentials do"
            " not belong there",
        )
    ]


def test_stores_that_all_lie_on_the_disk_of_the_database_are_found(machine, tmp_path):
    near = f"stores: {{near: '{tmp_path}/near', git: 'git:{tmp_path}/repo'}}"
    (tmp_path / "near").mkdir()
    here = settings(machine, near, kept="databases: {notes: data/notes.db}\n")
    what = "it lies on the disk of notes, and no store lies elsewhere"
    assert found(here) == [
        (f"the store near ({tmp_path}/near)", what),
        (f"the store git ({tmp_path}/repo)", what),
    ]
    assert found(settings(machine, near)) == []


def test_of_a_store_whose_disk_is_not_connected_it_is_not_known_on_which_disk_it_lies(
    machine, tmp_path
):
    usb = f"stores: {{usb: '{tmp_path}/gone/store'}}"
    here = settings(machine, usb, kept="databases: {notes: data/notes.db}\n")
    assert [about for about, _ in found(here)] == ["the stores"]


@posix
def test_credentials_that_others_may_read_are_found(machine, tmp_path, monkeypatch):
    monkeypatch.setattr("holdfast.operations.doctor_stores.look_at_stores", lambda _context: ())
    keys = tmp_path / "user" / "aws"
    keys.parent.mkdir()
    keys.write_text("[default]\n")
    keys.chmod(0o644)
    here = settings(
        machine,
        "stores: {cloud: 's3://bucket/backups', far: 'gs://bucket'}\n"
        "schedule: {ping_success: 'https://hc-ping.com/abc'}",
    )
    installed(here)
    (here.home.path / "backup.yaml").chmod(0o644)
    here = replace(
        here,
        environment={
            **here.environment,
            "AWS_SHARED_CREDENTIALS_FILE": str(keys),
            "GOOGLE_APPLICATION_CREDENTIALS": str(keys),
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
        },
    )
    assert found(here) == [
        (
            f"the credentials ({here.home.path}/backup.yaml)",
            "others may read the file, and it holds schedule.ping_success",
        ),
        (f"the credentials ({keys})", "others may read the file, and it logs in to cloud, far"),
    ]
    assert advice(here)[1] == f"chmod 600 {keys}"
    keys.chmod(0o600)
    (here.home.path / "backup.yaml").chmod(0o600)
    assert found(here) == []


# Keys


def test_with_its_key_at_hand_nothing_is_found(machine):
    report = create_key(machine)
    here = settings(machine, "\n".join(report.settings))
    export_backup(here, ExportOptions(encrypt=True))
    assert found(here) == []


def test_encrypted_backups_that_no_key_opens_are_found(machine, tmp_path):
    report = create_key(machine)
    here = settings(machine, "\n".join(report.settings))
    export_backup(here, ExportOptions(encrypt=True))
    export_backup(here, ExportOptions())
    report.path.rename(tmp_path / "moved.txt")
    assert found(replace(here)) == [
        (
            "the keys",
            "no key at hand belongs to any of encryption.recipients in backup.yaml",
        ),
        (
            "the keys",
            "no key at hand opens 1 of 1 encrypted backups, such as backup-2026-11-20.json.age",
        ),
    ]


def test_a_key_file_that_is_gone_and_a_recipient_that_is_none_are_found(machine, tmp_path):
    gone = tmp_path / "gone.txt"
    here = settings(machine, f"encryption: {{recipients: [age1nonsense], identities: ['{gone}']}}")
    assert found(here) == [
        ("the keys", f"{gone}: No such file or directory"),
        (
            "the keys",
            "backup.yaml: encryption.recipients: age1nonsense is not a public key, such as age1...",
        ),
    ]


@posix
def test_a_key_among_the_backups_and_one_that_others_may_read_are_found(machine, tmp_path):
    secret, _ = encryption.new_identity()
    keys = [machine.output / "key.txt", tmp_path / "store" / "key.txt"]
    for key in keys:
        key.parent.mkdir(exist_ok=True)
        key.write_text(secret)
        key.chmod(0o600)
    keys[1].chmod(0o644)
    here = settings(
        machine,
        f"encryption: {{identities: ['{keys[0]}', '{keys[1]}']}}\n"
        f"stores: {{near: '{tmp_path}/store'}}",
    )
    assert found(here) == [
        (
            "the keys",
            f"{keys[0]} lies among the backups that it opens, in {machine.output}",
        ),
        ("the keys", f"others may read {keys[1]}"),
        ("the keys", f"{keys[1]} lies among the backups that it opens, in {tmp_path}/store"),
    ]


def test_a_passphrase_file_that_is_missing_and_a_passphrase_that_is_another_are_found(
    machine, tmp_path
):
    phrase = tmp_path / "phrase"
    here = settings(machine, f"encryption: {{passphrase_file: '{phrase}'}}")
    assert found(here) == [
        ("the keys", f"there is no passphrase: {phrase}: No such file or directory")
    ]
    phrase.write_text("correct horse\n")
    phrase.chmod(0o600)
    here = replace(here)
    export_backup(here, ExportOptions(encrypt=True))
    assert found(here) == []
    phrase.write_text("battery staple\n")
    assert found(replace(here)) == [
        (
            "the keys",
            "no key at hand opens 1 of 1 encrypted backups, such as backup-2026-11-20.json.age",
        )
    ]


def test_the_script_finds_them_all_and_changes_nothing(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "backup.yaml").write_text(
        "encryption: {passphrase_file: gone}\nstores: {usb: ../gone/store}\n"
        "schedule: {stores: [usb]}\n"
    )
    before = sorted(Path(home).rglob("*"))
    shown = run(home, "doctor", exit_code=3).stdout
    for about in ("the schedule: ", "the stores: ", "the keys: "):
        assert f"\n  {about}" in shown
    assert sorted(Path(home).rglob("*")) == before
