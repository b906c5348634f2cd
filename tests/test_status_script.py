"""The status script: whether you are safe, in one line, and nothing touched to say it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import connected
from tests.running import files_in, make_database, reported, rows, run

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (1), (2), (3);"
SOFTWARE_OF_YOU = """
CREATE TABLE contacts (id INTEGER PRIMARY KEY);
CREATE TABLE activity_log (id INTEGER PRIMARY KEY);
CREATE TABLE soy_meta (key TEXT PRIMARY KEY, value TEXT);
"""


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def notes(home):
    """A database where it is found without being named, whose backups are copied elsewhere."""
    path = make_database(home / "data" / "notes.db", NOTES)
    (home / "backup.yaml").write_text("copied_elsewhere: true\n")
    return path


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The text of a backup of the notes."""
    folder = tmp_path_factory.mktemp("document")
    database = make_database(folder / "notes.db", NOTES)
    return run(folder / "home", "export", "--db", database, "--output", "-").stdout


@pytest.fixture
def aged(home, document):
    """Put a backup on the shelf that is so many days old, and no record of it."""

    def put(days):
        made = datetime.now(UTC) - timedelta(days=days, minutes=1)
        path = home / "output" / f"backup-{made:%Y-%m-%d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        stamp = f'"backup_date":"{made:%Y-%m-%dT%H:%M:%SZ}"'
        path.write_text(re.sub(r'"backup_date":"[^"]*"', stamp, document))
        return path

    return put


def kinds(home, *arguments):
    """What the status warns of, by kind."""
    return [each["kind"] for each in reported(home, "status", *arguments, exit_code=3)["concerns"]]


def sqlite_line(printed):
    return re.search(r"(?m)^SQLite (\d+\.\d+\.\d+)\.$", printed)


def soon(text: str) -> str:
    """What is a few seconds old on a slow machine is just as new."""
    return re.sub(r"\b\d+ seconds ago", "just now", text)


def test_with_nothing_yet_it_says_so_and_what_to_do(home):
    done = run(home, "status", exit_code=3)
    assert done.stdout == (
        "Last backup: never. 0 backup files found.\n"
        f"Folder: {home}/output\n"
        f"{sqlite_line(done.stdout)[0]}\n"
        "Warning: there is no backup, and no database was found to make one of."
        " Name one with --db PATH, or see with discover what there is.\n"
    )
    assert not home.exists()


def test_after_an_export_you_are_safe(home, notes):
    run(home, "export")
    done = run(home, "status")
    [backup] = (home / "output").glob("backup-*")
    size = backup.stat().st_size
    lines = soon(done.stdout).splitlines()
    assert lines[0] == "Last backup: just now. 1 backup file found."
    assert lines[1].startswith(f"  {backup.name}: {size} bytes, just now, 3 rows, verified")
    assert lines[2:4] == [
        f"Folder: {home}/output",
        f"Database: {notes} (it lies in the data folder).",
    ]
    assert len(lines) == 5 and sqlite_line(done.stdout)


def test_the_sqlite_version_is_the_one_that_runs(home):
    name = "pysqlite3" if importlib.util.find_spec("pysqlite3") else "sqlite3"
    version = importlib.import_module(name).sqlite_version
    assert reported(home, "status", exit_code=3)["sqlite_version"] == version


def test_of_a_database_that_is_not_the_usual_one_it_says_the_command_that_backs_it_up(home, notes):
    other = make_database(home.parent / "my other.db", "CREATE TABLE t (x)")
    done = run(home, "import", "latest", "--db", other, exit_code=14)
    assert done.stderr.startswith(f"Error: no backup 'latest' of {other} in ")
    done = run(home, "status", "--db", other, exit_code=3)
    verb, *words = shlex.split(done.stdout.rstrip().rpartition("Make one with ")[2].rstrip("."))
    run(home, verb, *words)
    assert reported(home, "status", "--db", other)["last_backup_at"]


def test_a_backup_of_three_days_ago_is_too_old_by_itself(home, notes, aged):
    path = aged(3)
    done = run(home, "status", exit_code=3)
    lines = done.stdout.splitlines()
    assert lines[0] == "Last backup: 3 days ago. 1 backup file found."
    assert lines[1].startswith(f"  {path.name}: ")
    assert lines[1].endswith(" bytes, 3 days ago, 3 rows, not verified here")
    assert lines[-1] == "Warning: no backup in the last 2 days. Make one with /backup."


@pytest.mark.parametrize(
    ("age", "stale"), [("71h", True), ("73h", False), ("7d", False), ("259000", True)]
)
def test_how_old_is_too_old_can_be_said(home, notes, aged, age, stale):
    aged(3)
    assert ("stale" in kinds(home, "--max-age", age)) == stale


def test_the_newest_counts_and_comes_first(home, notes, aged):
    paths = [aged(days) for days in (3, 1, 40)]
    report = reported(home, "status", exit_code=3)
    assert report["age_seconds"] // 3600 == 24
    assert [each["path"] for each in report["backups"]] == [
        str(paths[1]),
        str(paths[0]),
        str(paths[2]),
    ]


def test_the_time_that_the_tool_keeps_is_believed_without_a_file(home):
    made = datetime.now(UTC) - timedelta(days=3, minutes=1)
    make_database(
        home / "data" / "soy.db",
        f"{SOFTWARE_OF_YOU}"
        f"INSERT INTO soy_meta VALUES ('last_backup_at', '{made:%Y-%m-%d %H:%M:%S}')",
    )
    done = run(home, "status", exit_code=3)
    assert done.stdout.startswith("Last backup: 3 days ago. 0 backup files found.\n")


def test_a_copy_of_a_database_is_not_called_safe_for_the_time_that_it_brought_along(home):
    make_database(
        home / "data" / "soy.db",
        f"{SOFTWARE_OF_YOU} INSERT INTO soy_meta VALUES ('last_backup_at', datetime())",
    )
    lines = run(home, "status", exit_code=3).stdout.splitlines()
    assert soon(lines[0]).startswith("Last backup: just now. 0 backup files found")
    assert lines[-1] == (
        f"Warning: only the database itself says that it was backed up: {home}/output holds no"
        " whole backup of it. Make one with /backup."
    )


def test_a_backup_of_another_database_makes_this_one_no_safer(home, notes, tmp_path):
    run(home, "export", "--db", make_database(tmp_path / "other.db", NOTES))
    done = run(home, "status", exit_code=3)
    assert done.stdout.startswith("Last backup: never. 1 backup file found.\n")
    other = run(home, "status", "--db", tmp_path / "other.db").stdout
    assert soon(other).startswith("Last backup: just now. 1 backup file found.\n")


def test_a_file_that_changed_after_it_was_verified_is_not_called_verified(home, notes):
    run(home, "export")
    [backup] = (home / "output").glob("backup-*")
    with backup.open("ab") as file:
        file.write(b" ")
    lines = run(home, "status", exit_code=3).stdout.splitlines()
    assert lines[1].endswith(", changed since it was verified")
    assert lines[-1] == (
        f"Warning: {backup.name} has changed since it was verified: run verify {backup.name}"
    )


def test_what_lies_beside_the_backups_is_not_counted(home, notes, aged):
    aged(1)
    for name in (".partial-abc", "backup-latest.txt", "notes.json", "backup-2026-1-1.json"):
        (home / "output" / name).write_text("no backup")
    assert len(reported(home, "status", exit_code=3)["backups"]) == 1


@pytest.mark.parametrize("content", [b"", b"no backup", b"\0" * 5000])
def test_a_file_with_a_backups_name_and_no_backup_in_it_is_listed_as_it_is(home, notes, content):
    path = home / "output" / "backup-2026-01-01.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    [found] = reported(home, "status", exit_code=3)["backups"]
    assert found == {
        "path": str(path),
        "bytes": len(content),
        "created_at": None,
        "row_count": None,
        "verified": "",
        "verified_at": "",
        "part": "",
        "database": "",
        "opening": "",
        "is_changed": False,
        "is_unsure": False,
    }


def test_json_is_one_object_that_says_it_all(home, notes):
    made = reported(home, "export")
    report = reported(home, "status")
    [backup] = report["backups"]
    assert report["database"] == {"path": str(notes), "reason": "it lies in the data folder"}
    assert report["last_backup_at"] == backup["created_at"]
    assert 0 <= report["age_seconds"] < 60
    assert datetime.fromisoformat(report["checked_at"]).tzinfo == UTC
    assert report["folder"] == str(home / "output")
    assert (report["warnings"], report["concerns"], report["schedule"]) == ([], [], None)
    del backup["created_at"]
    assert backup == {
        "path": made["path"],
        "bytes": made["bytes"],
        "row_count": 3,
        "verified": "contents",
        "verified_at": report["last_backup_at"],
        "part": "",
        "database": str(notes),
        "opening": "",
        "is_changed": False,
        "is_unsure": False,
    }


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_it_only_reads(home, notes, journal_mode):
    make_database(notes, f"{SOFTWARE_OF_YOU} PRAGMA journal_mode = {journal_mode}")
    run(home, "export")
    before = files_in(home), changed_at(home)
    run(home, "status")
    run(home, "status", "--json")
    assert sorted(files_in(home)) == sorted(before[0])
    assert (files_in(home), changed_at(home)) == before


def changed_at(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in files}


DAMAGE = {
    "is not a SQLite database, or is encrypted": lambda path: path.write_bytes(b"Diary\n" * 1000),
    "is damaged: database disk image is malformed": lambda path: os.truncate(path, 5000),
    "is empty (0 bytes)": lambda path: path.write_bytes(b""),
    "is not a file": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize(("said", "damage"), DAMAGE.items(), ids=DAMAGE)
def test_it_needs_no_sound_database_and_says_how_to_bring_it_back(home, notes, said, damage):
    make_database(notes, "CREATE TABLE pages AS SELECT randomblob(3000) FROM notes, notes AS b")
    run(home, "export", "--db", notes)
    [backup] = (home / "output").glob("backup-*")
    damage(notes)
    done = run(home, "status", "--db", notes, exit_code=3)
    assert soon(done.stdout).startswith("Last backup: just now. 1 backup file found.\n")
    force = " --force" if notes.is_file() else ""
    assert done.stdout.splitlines()[5:] == [
        f"Warning: {notes} {said}. To bring it back: restore {backup} --to {notes}{force}"
    ]


def test_what_was_never_backed_up_and_cannot_be_now_is_said_to_be_both(home, tmp_path):
    (tmp_path / "notes.db").write_text("Dear diary")
    done = run(home, "status", "--db", tmp_path / "notes.db", exit_code=3)
    assert done.stdout.splitlines()[-2:] == [
        f"Warning: {tmp_path}/notes.db is not a SQLite database, or is encrypted."
        " Give the database file itself with --db PATH.",
        "Warning: there is no backup of this database.",
    ]


def test_a_backup_that_was_found_damaged_is_not_recommended(home, notes):
    run(home, "export", "--db", notes)
    [good] = (home / "output").glob("*.json")
    run(home, "export", "--db", notes, "--format", "jsonl")
    [bad] = (home / "output").glob("*.jsonl")
    os.truncate(bad, 200)
    run(home, "verify", bad, exit_code=16)
    os.truncate(notes, 0)
    warning, newest = reported(home, "status", "--db", notes, exit_code=3)["warnings"]
    assert (
        newest
        == f"{bad.name}, the newest backup, is damaged; the newest one besides is {good.name}."
    )
    assert warning.endswith(f"To bring it back: restore {good} --to {notes} --force")


@pytest.mark.parametrize("damage", [b"", b"Dear diary\n" * 1000, None])
def test_a_damaged_history_is_a_warning_and_the_backups_are_still_listed(home, notes, damage):
    run(home, "export")
    history = home / "output" / "history.db"
    if damage is None:
        os.truncate(history, 8192)
    else:
        history.write_bytes(damage)
    done = run(home, "status", exit_code=3)
    lines = soon(done.stdout).splitlines()
    assert lines[0] == "Last backup: just now. 1 backup file found."
    assert lines[1].endswith(", 3 rows, not verified here")
    assert lines[-1].startswith(
        "Warning: the history cannot be read, so no backup is known to be verified: "
    )
    assert ". Move it away: a new history begins with the next backup. " in lines[-1]


def test_a_history_that_is_locked_is_not_waited_for_long(home, notes):
    run(home, "export")
    with connected(home / "output" / "history.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        # Its several looks would each take half a minute.
        shown = run(home, "status", exit_code=3, timeout=25).stdout
    assert "not verified here" in shown
    assert "history.db stayed locked for 0.2 seconds" in shown


def test_a_history_that_was_deleted_begins_anew(home, notes):
    run(home, "export")
    (home / "output" / "history.db").unlink()
    assert "not verified here" in run(home, "status", exit_code=3).stdout
    run(home, "export")
    report = reported(home, "status")
    assert sorted(each["verified"] for each in report["backups"]) == ["", "contents"]


def test_the_history_tells_what_was_done(home, notes):
    run(home, "export")
    make_database(notes, "DELETE FROM notes")
    run(home, "import", "latest", "--yes")
    assert rows(
        home / "output" / "history.db",
        "SELECT operation, outcome, database, json_extract(details, '$.tables.notes.inserted')"
        " FROM events ORDER BY id",
    ) == [("export", "done", str(notes), None), ("import", "done", str(notes), 3)]


def test_the_settings_say_where_backups_are_kept(home, notes, tmp_path):
    (home / "backup.yaml").write_text(f"output: {tmp_path}/kept\ncopied_elsewhere: true\n")
    made = reported(home, "export")["path"]
    assert made.startswith(f"{tmp_path}/kept/backup-")
    assert reported(home, "status")["folder"] == f"{tmp_path}/kept"
    assert not (home / "output").exists()


def test_a_database_that_is_gone_is_said_to_be(home, tmp_path):
    gone = tmp_path / "gone.db"
    make_database(gone, "CREATE TABLE t (x)")
    run(home, "export", "--db", gone)
    gone.unlink()
    done = run(home, "status", "--db", gone, exit_code=3)
    assert f"Warning: there is no database at {gone}. To bring it back: " in done.stdout
