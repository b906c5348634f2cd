"""The status of several databases: one line over all, and how each stands, for programs too."""

from __future__ import annotations

import contextlib
import json
import shutil
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from holdfast.concerns import DatabaseState
from holdfast.errors import DatabaseNotFound
from holdfast.history import History
from holdfast.known import KnownBackup
from holdfast.operations import shelf
from holdfast.operations.context import Context, choose_database
from holdfast.operations.export_all import export_all
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.safety import (
    MAX_AGE_SECONDS,
    look_at_shelf,
    state_of,
    states_of_all,
)
from holdfast.operations.schedule_record import remember_install, remember_run
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.reports import exit_code, json_text, text
from holdfast.schedulers.calendar import Calendar
from tests.conftest import NOW, connected
from tests.running import make_database, reported, run

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (1), (2), (3);"
SOY = (
    "CREATE TABLE contacts (id INTEGER PRIMARY KEY); CREATE TABLE activity_log (id INTEGER);"
    " CREATE TABLE soy_meta (key TEXT PRIMARY KEY, value TEXT);"
)


def configured(here: Context, *names: str) -> Context:
    """The same home with some databases of these names, which are there, in its settings."""
    first = here.home.data / f"{names[0]}.db"
    if not first.exists():
        make_database(first, NOTES)
    for name in names:
        if not (here.home.data / f"{name}.db").exists():
            shutil.copyfile(first, here.home.data / f"{name}.db")  # quicker than to make it
    lines = "".join(f"  {name}: data/{name}.db\n" for name in names)
    (here.home.path / "backup.yaml").write_text(f"copied_elsewhere: true\ndatabases:\n{lines}")
    return replace(here)


def at(here: Context, **later: float) -> Context:
    return replace(here, now=here.now + timedelta(**later))


def first_line(here: Context) -> str:
    return text(report_status(here, StatusOptions())).splitlines()[0]


def database_states(here: Context) -> tuple[DatabaseState, ...]:
    """Say how each database of backup.yaml stands; where none is named, the usual one."""
    look = look_at_shelf(here)
    if here.settings.databases:
        return states_of_all(here, look, MAX_AGE_SECONDS)
    try:
        return (state_of(here, look, choose_database(here), MAX_AGE_SECONDS),)
    except DatabaseNotFound:
        return ()


def states(here: Context) -> dict[str, tuple[str, str]]:
    return {each.name: (each.state, each.text) for each in database_states(here)}


@pytest.fixture
def five(context) -> Context:
    """Five databases, each with a backup."""
    here = configured(context(), "crm", "notes", "work", "chat", "tasks")
    export_all(here, ExportOptions())
    return here


def test_where_all_are_safe_the_first_line_says_so_and_how_old_the_last_backup_is(five):
    report = report_status(at(five, hours=3), StatusOptions())
    lines = text(report).splitlines()
    assert lines[0] == "5 databases are safe; the last backup is 3 hours old."
    assert lines[1] == (
        "  crm: backed up 3 hours ago, 1 backup file, the newest backup-crm-2026-11-20.json"
    )
    assert [line.partition(":")[0].strip() for line in lines[1:6]] == [
        *("crm", "notes", "work", "chat", "tasks")
    ]
    assert lines[6:8] == ["The backups of one: status --db NAME.", f"Folder: {five.output}"]
    assert (report.warnings, exit_code(report)) == ((), 0)


def test_where_some_are_not_the_first_line_names_these_with_why(five):
    late = at(five, days=12)
    for name in ("crm", "work", "chat"):
        export_backup(late, ExportOptions(database=name))
    (five.home.data / "tasks.db").unlink()
    assert first_line(late) == (
        "3 of 5 databases are safe; notes: last backup 12 days old,"
        f" tasks: no database at {five.home.data}/tasks.db."
    )
    report = report_status(late, StatusOptions())
    assert exit_code(report) == 3
    assert [each.kind for each in report.concerns] == ["stale", "database", "stale"]
    assert report.warnings[0] == "notes: no backup in the last 2 days. Make one with /backup."


def test_backups_of_different_ages_are_not_all_called_as_old_as_the_newest(five):
    export_backup(at(five, hours=30), ExportOptions(database="crm"))
    assert first_line(at(five, hours=32)) == (
        "5 databases are safe; the last backup of each is 2 hours to 1 day old."
    )


def test_who_names_a_database_hears_of_that_alone(five):
    (five.home.data / "notes.db").unlink()
    report = report_status(at(five, hours=1), StatusOptions(database="crm"))
    assert text(report).startswith("Last backup: 60 minutes ago. 1 backup file found.\n")
    assert [each.name for each in report.databases] == ["crm"]
    assert report.warnings == ()


def test_one_that_cannot_be_looked_at_is_said_to_and_no_other_goes_unmentioned(five):
    name = "n" * 300  # longer than the system looks at, as in a folder that may not be entered
    unseen = five.home.data / name
    (known,) = (each for each in five.known_backups() if "-crm-" in each.path)
    five.history.record_backup(replace(known, database=str(unseen)))
    settings = five.home.path / "backup.yaml"
    settings.write_text(settings.read_text().replace("data/crm.db", f"data/{name}"))
    report = report_status(replace(five), StatusOptions())
    assert [each.state for each in report.databases] == ["failing", *["safe"] * 4]
    assert report.warnings == (
        f"crm: cannot read {unseen}: File name too long."
        " Check that you may read it and the folders above it; if so, see to the disk.",
    )


def test_json_has_the_state_of_each(five):
    make_database(five.home.data / "crm.db", SOY)
    report = json.loads(json_text(report_status(at(five, hours=3), StatusOptions())))
    assert (report["database"], report["last_backup_at"]) == (None, "2026-11-20T14:22:33Z")
    assert report["age_seconds"] == 3 * 3600
    crm = report["databases"][0]
    size = (five.home.data / "crm.db").stat().st_size
    assert crm == {
        "name": "crm",
        "path": f"{five.home.data}/crm.db",
        "tool": "Software of You",
        "profile": "soy",
        "bytes": size,
        "state": "safe",
        "text": "backed up 3 hours ago",
        "last_backup_at": "2026-11-20T14:22:33Z",
        "newest_backup": "backup-crm-2026-11-20.json",
        "backup_count": 1,
        "warnings": [],
        "concerns": [],
    }


def test_each_way_to_be_unsafe_has_a_state_of_its_own(five):
    make_database(five.home.data / "new.db", NOTES)
    here = at(configured(five, "crm", "notes", "work", "chat", "new"), days=3)
    export_backup(here, ExportOptions(database="crm"))
    export_backup(here, ExportOptions(database="notes"))
    bad = here.output / "backup-notes-2026-11-23.json"
    bad.write_text(bad.read_text().replace('"id":1', '"id":7'))
    verify_backups(here, VerifyOptions(backups=(str(bad),)))
    (here.home.data / "work.db").write_text("Dear diary")
    assert states(here) == {
        "crm": ("safe", "backed up just now"),
        "notes": ("failing", "its newest backup is damaged"),
        "work": (
            "failing",
            f"{here.home.data}/work.db is not a SQLite database, or is encrypted",
        ),
        "chat": ("stale", "last backup 3 days old"),
        "new": ("never", "never backed up"),
    }
    for path in here.output.glob("backup-notes-2026-11-20.json"):
        path.unlink()
    assert states(here)["notes"] == ("failing", "its backups are damaged")


def test_a_database_that_the_last_scheduled_run_could_not_back_up_fails_until_it_is(five):
    remember_install(five, "cron", Calendar("day", 3, 0), ("/bin/sh",))
    night = at(five, hours=13)
    failed = {"outcome": "WriteFailed", "message": "cannot write x: disk full"}
    done = {"outcome": "done", "message": ""}
    remember_run(night, "started", {})
    remember_run(night, "WriteFailed", {"databases": {"crm": done, "work": failed}})
    assert states(at(night, hours=1))["work"] == (
        "failing",
        "the last scheduled backup failed: cannot write x: disk full",
    )
    assert states(at(night, hours=1))["crm"][0] == "safe"
    export_backup(at(night, hours=2), ExportOptions(database="work"))
    assert states(at(night, hours=3))["work"] == ("safe", "backed up 60 minutes ago")


def test_a_backup_that_is_not_on_record_counts_for_the_database_in_its_name(five):
    (five.output / "history.db").unlink()
    export_backup(five, ExportOptions(sample=True))
    report = report_status(five, StatusOptions())
    assert {each.state for each in report.databases} == {"safe"}
    assert "\n  1 backup file of other databases.\n" in text(report)
    (five.output / "backup-work-2026-11-20.json").unlink()
    assert states(five)["work"] == ("never", "never backed up")


def test_the_same_warning_for_many_is_one_line(context):
    names = [f"db{number}" for number in range(8)]
    here = configured(context(), *names)
    report = report_status(here, StatusOptions())
    assert report.warnings == (
        "db0, db1, db2, db3, db4 and 3 more: there is no backup of this database. Make one with"
        " /backup.",
    )
    assert text(report).startswith(
        "0 of 8 databases are safe; db0: never backed up, db1: never backed up, db2: never backed"
        " up, db3: never backed up, db4: never backed up, and 3 more.\n"
    )


def test_where_none_is_named_in_the_settings_the_state_is_that_of_the_usual_one(context):
    here = context()
    assert database_states(here) == ()
    make_database(here.home.data / "notes.db", NOTES)
    export_backup(here, ExportOptions())
    [state] = database_states(at(here, hours=3))
    assert (state.name, state.path) == ("", here.home.data / "notes.db")
    assert (state.state, state.text) == ("safe", "backed up 3 hours ago")
    assert [each.kind for each in state.concerns] == ["one_disk"]


def test_databases_that_others_have_locked_are_not_waited_for_one_after_the_other(five):
    began = datetime.now()  # noqa: DTZ005 - only the time between two looks counts
    with contextlib.ExitStack() as stack:
        for name in ("crm", "notes", "work", "chat", "tasks"):
            connection = stack.enter_context(connected(five.home.data / f"{name}.db"))
            connection.execute("BEGIN EXCLUSIVE")
        assert {state for state, _ in states(five).values()} == {"safe"}
    assert (datetime.now() - began).total_seconds() < 5  # noqa: DTZ005


def test_many_databases_with_many_backups_read_no_backup_and_the_history_once(context, monkeypatch):
    names = [f"db{number}" for number in range(20)]
    here = configured(context(), *names)
    here.output.mkdir()
    for number in range(20):
        day = NOW - timedelta(days=number)
        for name in names:
            path = here.output / f"backup-{name}-{day:%Y-%m-%d}.json"
            path.write_bytes(b"{")
    with connected(export_one(here).history.path) as connection, connection:
        connection.executemany(
            "INSERT OR IGNORE INTO backups VALUES (?, ?, ?, 1, ?, 3, '{}', 'contents', '', '', '')",
            [
                (
                    str(path),
                    f"{here.home.data}/{path.name.split('-')[1]}.db",
                    f"{path.name[-15:-5]}T14:22:33Z",
                    path.stat().st_mtime_ns,
                )
                for path in here.output.glob("backup-*")
            ],
        )
    looks: list[object] = []

    def noted(self: History) -> list[KnownBackup]:
        looks.append(self)
        return read(self)

    read = History.backups
    monkeypatch.setattr(History, "backups", noted)
    monkeypatch.setattr(shelf, "glance", lambda path, _keys: looks.append(path))
    found = database_states(here)
    assert len(looks) == 1
    assert {(each.state, each.backup_count) for each in found} == {("safe", 20)}


def export_one(here: Context) -> Context:
    """Make a history, with a backup that lies elsewhere in it."""
    export_backup(here, ExportOptions(sample=True, output=here.home.path / "elsewhere.json"))
    return here


def test_the_script_says_it_in_one_line_and_in_its_exit_code(tmp_path):
    home = tmp_path / "home"
    for name in ("crm", "notes"):
        make_database(home / "data" / f"{name}.db", NOTES)
    (home / "backup.yaml").write_text(
        "copied_elsewhere: true\ndatabases: {crm: data/crm.db, notes: data/notes.db}\n"
    )
    run(home, "export", "--all")
    assert run(home, "status").stdout.startswith(
        "2 databases are safe; the last backup is under a minute old.\n"
    )
    (home / "data" / "notes.db").unlink()
    shown = run(home, "status", exit_code=3).stdout
    assert shown.startswith("1 of 2 databases is safe; notes: no database at ")
    report = reported(home, "status", exit_code=3)
    assert [each["state"] for each in report["databases"]] == ["safe", "failing"]
