"""The doctor: what will go wrong one day is found and told, and nothing is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast import database, disks
from holdfast.operations.doctor import DoctorOptions, examine
from holdfast.reports import exit_code, text
from tests.conftest import connected, run_sql
from tests.running import run

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and paths of POSIX")


@pytest.fixture
def machine(context, tmp_path, monkeypatch):
    """A context with one sound database of its own, and backups where nobody sweeps."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "scratch"))
    here = context()
    here.home.data.mkdir(parents=True)
    run_sql(here.home.data / "notes.db", "CREATE TABLE notes (a); INSERT INTO notes VALUES (1);")
    (here.home.data / "notes.db").chmod(0o600)
    here.output.mkdir(mode=0o700)
    return here


def found(context, **options):
    """What was found, by what it is about, without the path."""
    findings = examine(context, DoctorOptions(**options)).findings
    return {each.about.partition(" ")[0]: each.what for each in findings}


def test_where_all_is_well_there_is_nothing_to_do(machine):
    report = examine(machine, DoctorOptions())
    assert report.findings == ()
    assert exit_code(report) == 0
    assert text(report).startswith("Looked at 1 database and ")
    assert "nothing to do" in text(report)


def test_damage_is_found_and_every_finding_says_why_and_what_to_do(machine):
    path = machine.home.data / "notes.db"
    run_sql(path, "CREATE TABLE pages AS SELECT randomblob(900) FROM notes a, notes b")
    with path.open("r+b") as file:
        file.seek(36)  # the number of free pages
        file.write(bytes([0, 0, 0, 5]))
    report = examine(machine, DoctorOptions())
    assert "SQLite finds it damaged" in text(report)
    assert exit_code(report) == 3
    assert all(each.why and each.advice for each in report.findings)


def test_a_file_that_is_no_database_is_said_to_be_unreadable(machine):
    (machine.home.data / "notes.db").write_bytes(b"nothing" * 1000)
    assert found(machine)["notes"].startswith("it cannot be read: ")


def test_a_check_that_takes_too_long_is_ended_and_told(machine, monkeypatch):
    run_sql(
        machine.home.data / "notes.db",
        "CREATE TABLE big (a, b UNIQUE); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL"
        " SELECT i + 1 FROM n LIMIT 5000) INSERT INTO big SELECT i, randomblob(20) FROM n",
    )

    class Impatient:
        """A timer that is over as soon as SQLite works."""

        def __init__(self, _seconds, interrupt):
            connection = interrupt.__self__
            connection.set_progress_handler(interrupt, 10)

        def start(self):
            pass

        cancel = join = start

    monkeypatch.setattr("threading.Timer", Impatient)
    assert found(machine)["notes"] == "the check was not over after 10 seconds"


@posix
def test_a_database_on_a_network_disk_is_found(machine, monkeypatch):
    monkeypatch.setattr(disks, "network_of", lambda _path: "nfs4")
    run_sql(machine.home.data / "notes.db", "PRAGMA journal_mode = wal")
    report = examine(machine, DoctorOptions())
    assert "it lies on a network disk (nfs4)" in text(report)
    assert "in WAL mode, two machines see different content" in text(report)


@posix
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/notes.db", ""),
        ("/mnt/nas/notes.db", "nfs4"),
        ("/mnt/nas/local disk/notes.db", ""),
        ("/mnt/nasty/notes.db", ""),
        ("/media/a b/notes.db", "cifs"),
        ("/home/me/far/notes.db", "fuse.sshfs"),
    ],
)
def test_the_disk_of_a_path_is_that_of_the_deepest_mount_above_it(tmp_path, path, kind):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\nnas:/x /mnt/nas nfs4 rw 0 0\n"
        "/dev/sdb1 /mnt/nas/local\\040disk ext4 rw 0 0\n//pc/b /media/a\\040b cifs rw 0 0\n"
        "me@far:/ /home/me/far fuse.sshfs rw 0 0\nbroken\n"
    )
    assert disks.network_of(Path(path), mounts) == kind
    assert disks.network_of(Path(path), tmp_path / "none") == ""


@posix
@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/home/me/notes.db", ""),
        ("/home/me/Dropbox/notes.db", "Dropbox"),
        ("/home/me/Dropbox (Work)/a/notes.db", "Dropbox"),
        ("/home/me/OneDrive - Firm/notes.db", "OneDrive"),
        ("/Users/me/Library/Mobile Documents/x/notes.db", "iCloud Drive"),
        ("/Users/me/Library/CloudStorage/GoogleDrive-me/My Drive/n.db", "Google Drive"),
        ("/home/me/Dropbox", ""),
        ("/home/me/Dropboxes/notes.db", ""),
    ],
)
def test_a_folder_that_is_copied_elsewhere_is_known_by_its_name(path, service):
    assert disks.synced_by(Path(path)) == service


def test_a_database_in_a_synced_folder_is_found(machine, tmp_path):
    synced = tmp_path / "Dropbox"
    synced.mkdir()
    run_sql(synced / "x.db", "CREATE TABLE x (a);")
    (machine.home.path / "backup.yaml").write_text(f"databases:\n  x: '{synced}/x.db'\n")
    assert found(replace(machine))["x"] == "it lies in a folder that Dropbox copies"


def test_a_log_that_has_grown_is_found_with_its_bytes(machine, monkeypatch):
    monkeypatch.setattr("holdfast.operations.doctor._LARGE_LOG_BYTES", 1000)
    path = machine.home.data / "notes.db"
    run_sql(path, "PRAGMA journal_mode = wal")
    with connected(path) as writer, connected(path) as reader:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        reader.execute("BEGIN").execute("SELECT * FROM notes").fetchall()
        for _ in range(30):
            writer.execute("UPDATE notes SET a = a + 1")
        size = path.with_name("notes.db-wal").stat().st_size
        assert size > 100_000
        assert found(machine)["notes"] == f"its write-ahead log has {size:,} bytes"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_the_script_names_the_program_whose_reading_lets_a_log_grow(machine):
    path = machine.home.data / "notes.db"
    run_sql(path, "PRAGMA journal_mode = wal")
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdin and reader.stdout
        assert reader.stdout.readline() == b"reading\n"
        subprocess.run([sys.executable, "-c", WRITER, str(path)], check=True)
        size = path.with_name("notes.db-wal").stat().st_size
        said = " ".join(run(machine.home.path, "doctor", exit_code=3).stdout.split())
        reader.stdin.close()
    program = f"{Path(sys.executable).name} (process {reader.pid})"
    assert f"its write-ahead log has {size:,} bytes" in said
    assert f"close {program}, or let it end a reading that hangs" in said


READER = """
import sqlite3, sys
reader = sqlite3.connect(sys.argv[1], isolation_level=None)
reader.execute("BEGIN")
reader.execute("SELECT * FROM notes").fetchall()
print("reading", flush=True)
sys.stdin.read()
"""
WRITER = """
import sqlite3, sys
writer = sqlite3.connect(sys.argv[1], isolation_level=None)
for _ in range(65):
    writer.execute("UPDATE notes SET a = randomblob(1 << 20)")
"""


def test_unused_pages_are_found_where_they_are_many(machine, monkeypatch):
    path = machine.home.data / "notes.db"
    run_sql(path, "CREATE TABLE big AS SELECT randomblob(400000) AS b; DROP TABLE big")
    assert found(machine) == {}  # so few are not worth a word
    monkeypatch.setattr("holdfast.operations.doctor._FREE_BYTES", 100_000)
    assert found(machine)["notes"].endswith(" bytes are unused")


@posix
def test_secrets_that_others_may_read_are_found(machine):
    machine.home.profiles.mkdir()
    (machine.home.profiles / "n.yaml").write_text(
        "name: n\ntitle: N\nrecognise: [notes]\nsecrets: {notes: [a]}\n"
    )
    path = next(machine.home.data.iterdir())
    path.chmod(0o644)
    assert found(machine)["n"] == "others may read it (mode 0644), and it holds notes.a"
    path.chmod(0o600)
    assert found(replace(machine)) == {}


@posix
@pytest.mark.parametrize("folder", ["scratch/b", "user/.claude/plugins/b", "user/.cache/b"])
def test_backups_where_others_delete_are_found(machine, tmp_path, folder):
    (machine.home.path / "backup.yaml").write_text(f"output: '{tmp_path / folder}'\n")
    (tmp_path / folder).mkdir(parents=True, mode=0o700)
    expected = str((tmp_path / folder).parent)
    assert found(replace(machine))["the"] == f"they lie in {expected}"


def test_backups_in_the_plugins_own_folder_are_found(machine):
    plugin = str(machine.home.path)
    assert found(replace(machine, environment={"CLAUDE_PLUGIN_DATA": plugin}))["the"] == (
        f"they lie in {plugin}"
    )


@posix
def test_a_folder_of_backups_that_others_may_look_into_is_found(machine):
    machine.output.chmod(0o755)
    assert found(machine)["the"] == "others may look into the folder (mode 0755)"


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may do all")
def test_a_database_that_may_not_be_written_is_found(machine):
    (machine.home.data / "notes.db").chmod(0o400)
    assert found(machine)["notes"] == "you may not write to it, or to its folder"


def test_an_old_sqlite_is_found(machine, monkeypatch):
    monkeypatch.setattr(database, "SQLITE_VERSION", (3, 40, 1))
    assert found(machine)["SQLite"] == "it is older than 3.51.3"


def test_the_script_changes_nothing(machine, tmp_path):
    before = {path: path.read_bytes() for path in machine.home.path.rglob("*") if path.is_file()}
    assert "nothing to do" in run(machine.home.path, "doctor").stdout
    after = {path: path.read_bytes() for path in machine.home.path.rglob("*") if path.is_file()}
    assert after == before
