"""What a status warns of besides age: whether the backups could be trusted when needed."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast import disks
from holdfast.errors import DatabaseNotFound
from holdfast.known import KnownCopy
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.schedule_record import remember_install, remember_removal, remember_run
from holdfast.operations.stored import at_hand
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.outcomes import StatusReport
from holdfast.reports import json_text, text
from holdfast.schedulers.calendar import Calendar, latest
from tests.conftest import NOW, run_sql
from tests.running import make_database
from tests.schedulers.conftest import CRONTAB, put_program

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (1), (2), (3), (4), (5);
CREATE TABLE tags (id INTEGER PRIMARY KEY); INSERT INTO tags VALUES (1);
"""
NIGHTLY = Calendar("day", 3, 0)


@pytest.fixture
def here(context, tmp_path) -> Context:
    """A home whose database has a backup, and that something else copies elsewhere."""
    home = tmp_path / "home"
    make_database(home / "data" / "notes.db", NOTES)
    (home / "backup.yaml").write_text("copied_elsewhere: true\n")
    (tmp_path / "spool").mkdir()
    put_program(tmp_path / "bin", "crontab", CRONTAB.format(spool=tmp_path / "spool"))
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    made: Context = replace(context(), environment={"PATH": path})
    export_backup(made, ExportOptions())
    return made


def at(here: Context, now: datetime) -> Context:
    """The same home at another time, and with the settings that it has by then."""
    return Context(here.home, here.environment, here.user_home, here.platform, here.actor, now)


def status(here: Context) -> StatusReport:
    return report_status(here, StatusOptions(max_age_seconds=1e9))


def found(here: Context) -> dict[str, str]:
    """What the status warns of: texts by kind."""
    report = status(here)
    assert report.warnings == tuple(each.text for each in report.concerns)
    return {each.kind: each.text for each in report.concerns}


def installed(here: Context, command: tuple[str, ...] = ("/bin/sh",)) -> None:
    """As the history has it, and as the crontab does."""
    remember_install(here, "cron", NIGHTLY, command)
    from holdfast.schedulers.cron import CRON
    from holdfast.schedulers.interface import Job, Machine
    from holdfast.schedulers.launching import job_name

    job = Job(job_name(here.home.path), NIGHTLY, command, NOW)
    CRON.install(job, Machine(here.environment, here.user_home, here.platform))


def test_where_all_is_well_nothing_is_said(here):
    assert found(here) == {}
    installed(here)
    assert found(here) == {}


# The backups themselves


def test_backups_of_which_none_was_ever_verified_are_named(here):
    for path in here.output.glob("backup-*"):
        path.unlink()
    export_backup(here, ExportOptions(verify=False))
    assert found(here) == {
        "unverified": "no backup of this database was ever verified here. Prove the last one:"
        " verify backup-2026-11-20.json"
    }


def test_a_backup_that_changed_since_it_was_verified_makes_nobody_safe(here):
    [old] = here.output.glob("backup-*.json")
    later = at(here, NOW + timedelta(days=1))
    for name in (old.name, "backup-2026-11-21.json"):
        if name != old.name:
            export_backup(later, ExportOptions())
        path = here.output / name
        path.write_bytes(path.read_bytes().replace(b'"id":1', b'"id":7'))
        expected = f"{name} has changed since it was verified: run verify {name}"
        if name != old.name:
            expected = (
                f"2 backups, {name} the newest of them, have changed since they were verified:"
                f" run verify {name} {old.name}"
            )
        assert found(later) == {"changed": expected}
        [state] = status(later).databases
        assert (state.state, state.text) == (
            "failing",
            "its newest backup has changed since it was verified",
        )
        assert "changed since it was verified\n" in text(status(later))
    export_backup(at(here, NOW + timedelta(days=2)), ExportOptions())
    assert found(later) == {}  # a later one is as it was


def test_a_backup_that_was_written_over_has_changed_however_late_it_was(here):
    later = at(here, NOW + timedelta(days=1))
    export_backup(later, ExportOptions())
    path = here.output / "backup-2026-11-21.json"
    path.write_text("gone")  # tells no date of its own, so it is listed last
    assert found(later)["changed"].endswith(f"run verify {path.name}")
    path.unlink()
    assert found(later) == {}


def test_a_backup_of_another_database_that_changed_is_no_concern_of_this_one(here, tmp_path):
    make_database(tmp_path / "other.db", NOTES)
    later = at(here, NOW + timedelta(days=1))
    export_backup(later, ExportOptions(database=str(tmp_path / "other.db")))
    path = here.output / "backup-2026-11-21.json"
    path.write_bytes(path.read_bytes().replace(b'"id":1', b'"id":7'))
    assert found(later) == {}


def test_a_newest_backup_that_is_damaged_is_warned_of_and_counts_as_none(here):
    later = at(here, NOW + timedelta(days=9))
    export_backup(later, ExportOptions())
    bad = here.output / "backup-2026-11-29.json"
    bad.write_text(bad.read_text().replace('"id":1', '"id":7'))
    verify_backups(later, VerifyOptions(backups=("latest",)))
    report = status(later)
    assert report.last_backup_at == "2026-11-20T14:22:33Z"
    assert found(later) == {
        "damaged": "backup-2026-11-29.json, the newest backup, is damaged; the newest one besides"
        " is backup-2026-11-20.json."
    }
    (here.output / "backup-2026-11-20.json").unlink()
    assert found(later) == {
        "damaged": "backup-2026-11-29.json, the newest backup, is damaged; there is no other.",
        "stale": "there is no backup of this database. Make one with /backup.",
    }


def test_a_backup_that_a_wrong_clock_dated_ahead_does_not_count_until_then(here):
    export_backup(at(here, NOW + timedelta(days=900)), ExportOptions())
    late = at(here, NOW + timedelta(days=5))
    report = report_status(late, StatusOptions())
    assert report.last_backup_at == "2026-11-20T14:22:33Z"
    assert [each.text for each in report.concerns] == [
        "no backup in the last 2 days. Make one with /backup."
    ]
    assert "\n  backup-2029-05-08.json: " in text(report)
    assert ", in the future, 6 rows, verified" in text(report)


@pytest.mark.parametrize("store", ["", "disk:"])
def test_a_backup_that_a_wrong_clock_dated_ahead_is_not_the_latest(here, store):
    (here.home.path / "backup.yaml").write_text("stores: {disk: ../disk}\n")
    here = at(here, NOW)
    for moment in (NOW + timedelta(days=900), NOW + timedelta(hours=20), NOW):
        export_backup(at(here, moment), ExportOptions(stores=("disk",)))
    with at_hand(here, f"{store}latest") as found:
        assert "2026-11-21" in found.shown.name  # by no more than clocks and places differ
    with at_hand(here, "2029-05-08") as found:
        assert found.shown.name == "backup-2029-05-08.json"


def test_a_database_that_nobody_named_and_that_has_gone_is_missed(here):
    path = here.home.data / "notes.db"
    path.unlink()
    backup = here.output / "backup-2026-11-20.json"
    assert found(here) == {
        "database": f"there is no database at {path}."
        f" To bring it back: restore {backup} --to {path}"
    }


def configured(here: Context, *names: str) -> Context:
    lines = "".join(f"  {name}: data/{name}.db\n" for name in names)
    (here.home.path / "backup.yaml").write_text(f"copied_elsewhere: true\ndatabases:\n{lines}")
    return at(here, NOW)


def test_the_first_of_the_settings_is_missed_although_others_are_backed_up(here):
    both = configured(here, "gone", "notes")
    with pytest.raises(DatabaseNotFound) as caught:
        export_backup(both, ExportOptions())
    assert caught.value.hint.startswith("If it is lost, status says how it comes back")
    assert found(both) == {
        "database": f"gone: there is no database at {here.home.data}/gone.db."
        " Correct its path in backup.yaml.",
        "stale": "gone: there is no backup of this database.",
    }


def test_each_other_database_of_the_settings_without_a_recent_backup_has_a_line(here):
    make_database(here.home.data / "work.db", NOTES)
    early = configured(here, "notes", "work", "old", "lost")
    for name in ("old", "lost"):
        make_database(here.home.data / f"{name}.db", NOTES)
        export_backup(early, ExportOptions(database=name))
    (here.home.data / "lost.db").unlink()
    late = at(here, NOW + timedelta(days=3))
    export_backup(late, ExportOptions(database="notes"))
    options = StatusOptions()
    assert [each.text for each in report_status(late, options).concerns] == [
        "work: there is no backup of this database. Make one with /backup.",
        "old: no backup in the last 2 days. Make one with /backup.",
        f"lost: there is no database at {here.home.data}/lost.db. To bring it back: restore"
        f" {here.output}/backup-lost-2026-11-20.json --to {here.home.data}/lost.db",
        "lost: no backup in the last 2 days.",
    ]
    assert report_status(late, StatusOptions(database="notes")).concerns == ()


def test_an_export_of_one_database_names_those_of_the_settings_that_it_left_out(here):
    make_database(here.home.data / "work.db", NOTES)
    both = configured(here, "notes", "work")
    report = export_backup(both, ExportOptions())
    assert "\nNot backed up: work. A plain export takes every database.\n" in text(report) + "\n"
    assert export_backup(both, ExportOptions(database="notes")).others == ()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM tags", "since the backup of 2026-11-20T14:22:33Z, tags lost all rows. Keep "),
        (
            "DELETE FROM notes WHERE id > 1",
            "the backup of 2026-11-20T14:22:33Z had 6 rows, this one 2. Keep ",
        ),
    ],
)
def test_a_newest_backup_that_lost_rows_is_warned_of_until_there_is_another(here, sql, said):
    run_sql(here.home.data / "notes.db", sql)
    later = at(here, NOW + timedelta(hours=1))
    report = export_backup(later, ExportOptions())
    assert found(later) == {"shrunk": report.warnings[0]}
    assert report.warnings[0].startswith(said)
    last = at(here, NOW + timedelta(hours=2))
    export_backup(last, ExportOptions())
    assert found(last) == {}


def test_backups_on_the_disk_of_the_database_alone_are_warned_of(here, tmp_path):
    settings = here.home.path / "backup.yaml"
    said = "the backups are only on the disk of the database: "
    settings.write_text("")
    assert found(at(here, NOW))["one_disk"].startswith(f"{said}there is no store.")
    settings.write_text(f"stores: {{near: {tmp_path}/near, git: 'git:{tmp_path}/repo'}}\n")
    assert found(at(here, NOW))["one_disk"].startswith(f"{said}every store is on it, too.")


def test_a_store_elsewhere_helps_once_it_has_a_copy(here, monkeypatch):
    monkeypatch.setattr("holdfast.operations.report_status.look_at_stores", lambda _context: ())
    settings = here.home.path / "backup.yaml"
    settings.write_text("stores: {cloud: 's3://bucket/backups'}\n")
    now = at(here, NOW)
    assert found(now)["one_disk"] == (
        "the backups are only on the disk of the database: none is in cloud yet. Put one there"
        " with export --to cloud."
    )
    [backup] = map(str, here.output.glob("backup-*"))
    now.history.record_copy(KnownCopy("cloud", "x", "/other", 1, NOW.isoformat(), "", ""))
    assert "one_disk" in found(now)
    now.history.record_copy(KnownCopy("cloud", "y", backup, 1, NOW.isoformat(), "", ""))
    assert found(now) == {}


@pytest.mark.skipif(
    not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == Path("/tmp").stat().st_dev,
    reason="there is no other disk here",
)
def test_a_folder_on_another_disk_is_another_disk(here):
    # The tests' own files may lie on either.
    places = [Path("/dev/shm"), Path("/var/tmp")]
    other = next(place for place in places if not disks.is_on_one_disk(place, here.home.path))
    (here.home.path / "backup.yaml").write_text(f"stores: {{usb: {other}/holdfast-none/x}}\n")
    assert "none is in usb yet" in found(at(here, NOW))["one_disk"]
    (here.home.path / "backup.yaml").write_text(f"output: {other}\n")
    assert "one_disk" not in found(at(here, NOW))


# The schedule


def test_a_run_that_failed_is_said_with_when_and_why(here):
    installed(here)
    remember_run(at(here, NOW + timedelta(hours=13)), "started", {})
    details = {"message": "crm: cannot write x: disk full", "hint": "Free some space."}
    remember_run(at(here, NOW + timedelta(hours=13)), "WriteFailed", details)
    later = at(here, NOW + timedelta(hours=13, days=3))
    assert found(later)["schedule_failed"] == (
        "the nightly backup last ran 3 days ago, and failed: crm: cannot write x: disk full."
        " Free some space."
    )
    fields = json.loads(json_text(status(later)))["schedule"]
    assert (fields["last_outcome"], fields["last_message"]) == (
        "WriteFailed",
        "crm: cannot write x: disk full",
    )
    assert "\nSchedule: every day at 03:00 (cron); last run " in text(status(later))
    remember_run(later, "done", {})
    assert found(later) == {}


def test_a_run_that_was_stopped_is_said_once_it_cannot_be_at_it_any_more(here):
    installed(here)
    remember_run(here, "started", {})
    assert found(at(here, NOW + timedelta(hours=5))) == {}
    assert found(at(here, NOW + timedelta(hours=7)))["schedule_failed"] == (
        "the nightly backup that began 7 hours ago never ended: it was stopped. Run it now with"
        " schedule run."
    )


def test_a_run_that_was_missed_is_said_some_hours_later(here):
    installed(here)
    due = latest(NIGHTLY, NOW + timedelta(days=1))
    assert found(at(here, due + timedelta(hours=5))) == {}
    assert found(at(here, due + timedelta(hours=7)))["schedule_missed"] == (
        "the nightly backup was due 7 hours ago, and has never run. Run it now with schedule run."
        " Was the machine off, or nobody logged in?"
    )
    remember_run(at(here, due), "done", {})
    assert found(at(here, due + timedelta(hours=7))) == {}
    late = found(at(here, due + timedelta(days=3, hours=7)))["schedule_missed"]
    assert late.startswith("the nightly backup was due 7 hours ago, and last ran 3 days ago.")


def test_a_schedule_that_the_system_no_longer_has_is_gone(here, tmp_path):
    installed(here)
    (tmp_path / "spool" / "tab").write_text("5 4 * * * true\n")
    gone = {
        "schedule_gone": "the schedule is gone from cron. Install it again: schedule install"
        " --every day --at 03:00"
    }
    assert found(here) == gone
    (tmp_path / "bin" / "crontab").unlink()
    assert found(replace(here, environment={"PATH": str(tmp_path / "bin")})) == gone
    remember_removal(here)
    assert found(here) == {}


def test_a_schedule_that_starts_what_is_no_longer_there_says_how_to_mend_it(here, tmp_path):
    script = tmp_path / "0.1.0" / "schedule.py"
    script.parent.mkdir()
    script.touch()
    installed(here, ("/bin/sh", str(script), "run", "--home", str(here.home.path)))
    assert found(here) == {}
    script.unlink()
    assert found(here) == {
        "schedule_gone": f"the schedule starts {script}, which is gone. Install it again:"
        " schedule install --every day --at 03:00"
    }


def test_a_store_that_fails_is_named_with_since_when_and_why(here, tmp_path):
    (here.home.path / "backup.yaml").write_text(
        f"copied_elsewhere: true\nstores: {{cloud: '{tmp_path}/away/store'}}\n"
    )
    now = at(here, NOW)
    now.history.record_visit("cloud", "2026-11-20T15:00:00Z", "no route to it")
    now.history.record_visit("cloud", "2026-11-21T15:00:00Z", "it answers 500")
    now.history.record_visit("gone", "2026-11-21T15:00:00Z", "no setting names it any more")
    assert found(now) == {
        "store_unreachable": "the store cloud fails since 2026-11-20T15:00:00Z:"
        f" {tmp_path}/away is not there. Check that its disk is connected; or make that folder,"
        " if it is a new place."
    }
    (tmp_path / "away" / "store").mkdir(parents=True)
    assert found(now) == {
        "store_unreachable": "the store cloud has failed since 2026-11-20T15:00:00Z: it answers"
        " 500. It can be listed now; put the backups there with sync cloud."
    }
    now.history.record_visit("cloud", "2026-11-22T15:00:00Z")
    assert found(now) == {}


def test_a_later_versions_record_is_no_reason_to_fail(here):
    installed(here)
    here.history.record_event(
        at=here.timestamp,
        operation="set-schedule",
        outcome="installed",
        database_path=Path(),
        backup=Path(),
        details={"calendar": ["--every", "fortnight"]},
    )
    assert status(here).schedule is None


def test_a_history_of_before_there_were_schedules_gets_what_it_lacks(here):
    run_sql(here.output / "history.db", "DROP INDEX events_by_operation")
    assert status(here).schedule is None
    installed(here)
    state = status(here).schedule
    assert state and state.calendar == "every day at 03:00"
