"""A scheduled run: every database once, alone, on record, and told to who asked for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.errors import AlreadyRunning
from holdfast.locks import alone
from holdfast.operations.context import Context
from holdfast.operations.run_schedule import LOCK, RunOptions, run_schedule
from holdfast.operations.schedule_record import remember_install, remember_run
from holdfast.reports import exit_code
from holdfast.schedulers.calendar import Calendar, latest
from tests.conftest import NOW, connected
from tests.running import environment, limited_to, make_database, rows, run, start

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (1), (2), (3);"
Settings = Callable[..., Context]


@pytest.fixture
def here(context, tmp_path) -> Settings:
    """Make a home with two databases and these further settings."""
    home = tmp_path / "home"

    def make(more: str = "", now: datetime = NOW) -> Context:
        home.mkdir(exist_ok=True)
        for name in ("crm", "work"):
            if not (home / f"{name}.db").exists():
                make_database(home / f"{name}.db", NOTES)
        text = f"databases: {{crm: crm.db, work: work.db}}\n{more}"
        (home / "backup.yaml").write_text(text)
        made: Context = context(now=now)
        return replace(made, environment=environment(home))

    return make


def events(here: Context) -> list[tuple[str, dict]]:
    found = rows(
        here.output / "history.db",
        "SELECT outcome, details FROM events WHERE operation = 'schedule' ORDER BY id",
    )
    return [(outcome, json.loads(details)) for outcome, details in found]


def test_every_database_is_backed_up_and_the_run_is_on_record(here):
    at = here()
    report = run_schedule(at, RunOptions())
    assert (report.outcome, exit_code(report)) == ("done", 0)
    assert [each.database for each in report.backups] == ["crm", "work"]
    assert all(each.backup and each.backup.is_file() for each in report.backups)
    (started, _), (outcome, details) = events(at)
    assert (started, outcome) == ("started", "done")
    assert details["databases"]["work"]["outcome"] == "done"
    assert details["databases"]["work"]["backup"] == str(report.backups[1].backup)
    assert (details["by"], details["message"]) == ("ann@laptop", "")


def test_afterwards_goes_what_no_rule_keeps_unless_that_is_switched_off(here):
    for more, removed, left in (
        ("", 0, 2),
        ("keep: {last: 1}\nschedule: {prune: false}\n", 0, 4),
        ("keep: {last: 1}\n", 3, 2),
    ):
        at = here(more, now=NOW + timedelta(hours=left + removed))
        report = run_schedule(at, RunOptions())
        assert report.outcome == "done"
        assert [each.removed for each in report.backups] == [removed - 1 if removed else 0] * 2
        assert len(list(at.output.glob("backup-*.json"))) == left


def test_what_fails_with_one_database_keeps_no_other_from_being_backed_up(here):
    at = here()
    (at.home.path / "crm.db").write_bytes(b"Dear diary\n" * 1000)
    report = run_schedule(at, RunOptions())
    assert [bool(each.backup) for each in report.backups] == [False, True]
    assert (report.outcome, exit_code(report)) == ("NotADatabase", 11)
    outcome, details = events(at)[-1]
    assert outcome == "NotADatabase"
    assert details["message"].startswith(f"crm: {at.home.path}/crm.db is not a SQLite database")
    assert details["databases"]["work"]["outcome"] == "done"


def test_without_settings_the_database_that_is_found_is_backed_up(context, tmp_path):
    make_database(tmp_path / "home" / "data" / "notes.db", NOTES)
    report = run_schedule(context(), RunOptions())
    assert [each.database for each in report.backups] == [f"{tmp_path}/home/data/notes.db"]


def test_with_nothing_to_back_up_the_run_fails_and_is_on_record(context):
    report = run_schedule(context(), RunOptions())
    assert (report.outcome, exit_code(report)) == ("DatabaseNotFound", 10)
    assert events(context())[-1][0] == "DatabaseNotFound"


# Stores


def test_backups_go_into_every_store_or_those_that_the_schedule_names(here, tmp_path):
    stores = f"stores: {{near: {tmp_path}/near, far: {tmp_path}/far}}\n"
    run_schedule(here(stores), RunOptions())
    assert len(list((tmp_path / "near").rglob("backup-*"))) == 2
    assert len(list((tmp_path / "far").rglob("backup-*"))) == 2
    later = here(f"{stores}schedule: {{stores: [far]}}\n", NOW + timedelta(days=1))
    run_schedule(later, RunOptions())
    assert len(list((tmp_path / "near").rglob("backup-*"))) == 2
    assert len(list((tmp_path / "far").rglob("backup-*"))) == 4


def test_since_when_a_store_takes_nothing_is_remembered_until_it_takes_one(here, tmp_path):
    stores = f"stores: {{cloud: {tmp_path}/cloud}}\n"
    (tmp_path / "cloud").write_text("in the way")
    for day in range(3):
        at = here(stores, NOW + timedelta(days=day))
        report = run_schedule(at, RunOptions())
        assert all(each.backup for each in report.backups)
        assert exit_code(report) == 31
        assert report.outcome == "StoreFailed"
        [visit] = at.history.visits()
        assert (visit.store, visit.failing_since) == ("cloud", "2026-11-20T14:22:33Z")
        assert events(at)[-1][1]["message"].startswith("cloud: ")
    (tmp_path / "cloud").unlink()
    report = run_schedule(here(stores, NOW + timedelta(days=3)), RunOptions())
    assert report.outcome == "done"
    assert at.history.visits()[0].failing_since == ""


def test_a_store_that_no_setting_knows_fails_the_run_and_not_the_backups(here):
    report = run_schedule(here("schedule: {stores: [clowd]}\n"), RunOptions())
    assert (report.outcome, exit_code(report)) == ("SettingsError", 20)
    assert "clowd" in report.problem
    assert all(each.backup for each in report.backups)


# Due


def test_a_run_that_is_not_due_does_nothing(here):
    at = here()
    options = RunOptions(if_due=True, calendar=Calendar("day", 3, 0))
    assert run_schedule(at, options).outcome == "done"
    again = run_schedule(here(now=NOW + timedelta(minutes=5)), options)
    assert (again.outcome, exit_code(again), again.backups) == ("not due", 0, ())
    assert len(events(at)) == 2
    assert run_schedule(here(now=NOW + timedelta(days=1)), options).outcome == "done"


def test_a_schedule_that_was_just_installed_waits_for_its_time(here):
    at = here()
    calendar = Calendar("day", 3, 0)
    remember_install(at, "cron", calendar, ("/usr/bin/python3",))
    options = RunOptions(if_due=True, calendar=calendar)
    assert run_schedule(at, options).outcome == "not due"
    first = latest(calendar, NOW + timedelta(days=1))
    assert run_schedule(here(now=first), options).outcome == "done"


def test_a_run_that_was_killed_is_made_up_for(here):
    remember_run(here(), "started", {})
    options = RunOptions(if_due=True, calendar=Calendar("day", 3, 0))
    assert run_schedule(here(), options).outcome == "done"


def test_a_clock_that_was_set_back_keeps_no_run_from_being_made(here):
    options = RunOptions(if_due=True, calendar=Calendar("day", 3, 0))
    run_schedule(here(now=NOW + timedelta(days=4000)), options)
    assert run_schedule(here(now=NOW), options).outcome == "done"
    assert run_schedule(here(now=NOW + timedelta(minutes=1)), options).outcome == "not due"
    assert run_schedule(here(now=NOW + timedelta(days=1)), options).outcome == "done"


def test_a_history_that_cannot_be_read_keeps_no_run_from_being_made(here):
    at = here()
    at.output.mkdir()
    (at.output / "history.db").write_bytes(b"Dear diary\n" * 1000)
    options = RunOptions(if_due=True, calendar=Calendar("day", 3, 0))
    report = run_schedule(at, options)
    assert [bool(each.backup) for each in report.backups] == [True, True]
    assert any("could not be recorded" in warning for warning in report.warnings)


# The lock


def test_a_second_run_says_that_there_is_one_and_backs_nothing_up(here):
    at = here()
    with alone(at.home.path / LOCK, "a scheduled backup"):
        with pytest.raises(AlreadyRunning):
            run_schedule(at, RunOptions())
    assert not at.output.exists()
    assert run_schedule(at, RunOptions()).outcome == "done"


HOLD = """
import sys, time
from pathlib import Path
from holdfast.locks import alone
with alone(Path(sys.argv[1]), "a scheduled backup"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_lock_of_a_process_that_was_killed_is_free_by_itself(here, tmp_path):
    at = here()
    scripts = str(Path(__file__).parents[2] / "scripts")
    search = os.pathsep.join([scripts, os.environ.get("PYTHONPATH", "")])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, at.home.path / LOCK],
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=search),
    )
    with holder:
        try:
            assert holder.stdout and holder.stdout.readline() == b"held\n"
            done = run(at.home.path, "schedule", "run", exit_code=35)
            assert "another process is at it: a scheduled backup" in done.stderr
        finally:
            holder.kill()
    assert run_schedule(at, RunOptions()).outcome == "done"


def test_of_two_runs_at_once_one_makes_the_backups_and_the_other_says_so(here):
    at = here()
    with connected(at.home.path / "crm.db") as writer:
        writer.execute("BEGIN EXCLUSIVE")  # the first run waits for this
        first = start(at.home.path, "schedule", "run")
        while not (at.output / "history.db").exists() or not events(at):
            assert first.poll() is None, first.communicate()
            time.sleep(0.02)
        second = run(at.home.path, "schedule", "run", exit_code=35)
        writer.execute("ROLLBACK")
    out, said = first.communicate(timeout=60)
    assert first.returncode == 0, said
    assert out.startswith(b"Scheduled run: 2 databases backed up, 0 failed.")
    assert second.stdout == ""
    assert [outcome for outcome, _ in events(at)] == ["started", "done"]


# Told


FACTS = (
    "HOLDFAST_OUTCOME",
    "HOLDFAST_MESSAGE",
    "HOLDFAST_HOME",
    "HOLDFAST_REPORT",
)


def teller(tmp_path: Path, name: str) -> str:
    """The words of a command that writes down the facts it is told, as YAML has a list."""
    program = tmp_path / f"{name}.py"
    program.write_text(
        "import json, os, sys\n"
        f"facts = [os.environ[name] for name in {FACTS!r}]\n"
        f"open({str(tmp_path / name)!r}, 'a').write(json.dumps(facts + sys.argv[1:]) + '\\n')\n"
    )
    return json.dumps([sys.executable, str(program), "two words", "two words"])


def told(tmp_path: Path, name: str) -> list[list[str]]:
    path = tmp_path / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_who_is_named_for_it_is_told_of_success_and_of_failure(here, tmp_path):
    commands = (
        f"schedule:\n  on_success: {teller(tmp_path, 'good')}\n"
        f"  on_failure: {teller(tmp_path, 'bad')}\n"
    )
    at = here(commands)
    run_schedule(at, RunOptions())
    [[outcome, message, home, report, *words]] = told(tmp_path, "good")
    assert (outcome, message, home) == ("done", "", str(at.home.path))
    assert words == ["two words", "two words"]
    assert [each["database"] for each in json.loads(report)["backups"]] == ["crm", "work"]
    assert told(tmp_path, "bad") == []

    (at.home.path / "crm.db").write_bytes(b"")
    run_schedule(here(commands, NOW + timedelta(days=1)), RunOptions())
    [[outcome, message, _, report, *_]] = told(tmp_path, "bad")
    assert outcome == "NotADatabase"
    assert message == f"crm: {at.home.path}/crm.db is empty (0 bytes)"
    assert json.loads(report)["backups"][0]["error"] == "NotADatabase"
    assert len(told(tmp_path, "good")) == 1


def test_a_command_or_an_address_that_fails_is_a_warning_alone(here):
    at = here(
        "schedule:\n  on_success: [/no/such/program]\n  ping_success: http://127.0.0.1:1/secret\n"
    )
    report = run_schedule(at, RunOptions())
    assert (report.outcome, exit_code(report)) == ("done", 3)
    assert [warning.partition(":")[0] for warning in report.warnings] == [
        "127.0.0.1 could not be pinged",
        "/no/such/program cannot be started",
    ]
    assert "secret" not in str(report.warnings)
    assert events(at)[-1][0] == "done"


def test_a_full_disk_fails_the_run_says_so_in_status_and_runs_the_command(here, tmp_path):
    now = datetime.now(UTC)
    at = here(f"schedule:\n  on_failure: {teller(tmp_path, 'bad')}\n", now)
    remember_install(
        replace(at, now=now - timedelta(days=2)), "cron", Calendar("hour"), ("/usr/bin/env",)
    )
    make_database(
        at.home.path / "crm.db",
        "CREATE TABLE filler AS WITH RECURSIVE n (i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000) SELECT i, hex(zeroblob(50)) FROM n",
    )
    done = run(at.home.path, "schedule", "run", exit_code=24, preexec_fn=limited_to(100_000))
    assert "1 database backed up, 1 failed" in done.stdout
    [[outcome, message, *_]] = told(tmp_path, "bad")
    assert outcome == "WriteFailed"
    assert "File too large" in message
    said = run(at.home.path, "status", exit_code=3).stdout
    assert "Warning: the hourly backup last ran " in said
    assert ", and failed: crm: cannot write " in said
    assert not list(at.output.glob(".partial-*"))


def test_quiet_prints_only_what_is_wrong(here):
    home = here().home.path
    assert run(home, "schedule", "run", "--quiet").stdout == ""
    (home / "work.db").unlink()
    done = run(home, "schedule", "run", "--quiet", exit_code=10)
    assert "work: no database at" in done.stdout


def test_a_run_for_another_home_than_the_variable_names_works_on_that(here, tmp_path):
    home = here().home.path
    run(tmp_path / "elsewhere", "schedule", "run", "--home", home)
    assert len(list((home / "output").glob("backup-*"))) == 2
    assert not (tmp_path / "elsewhere").exists()


def test_the_seconds_of_a_run_are_on_record(here):
    began = time.monotonic()
    at = here()
    run_schedule(at, RunOptions())
    assert 0 < events(at)[-1][1]["seconds"] <= time.monotonic() - began
