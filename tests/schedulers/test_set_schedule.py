"""A schedule is shown, installed once, found again and taken away without a trace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast.errors import PlanChanged, ScheduleFailed
from holdfast.operations.context import Context
from holdfast.operations.set_schedule import ScheduleOptions, set_schedule
from holdfast.places import Home
from holdfast.reports import text
from holdfast.schedulers.calendar import read_calendar
from holdfast.schedulers.interface import Machine
from holdfast.schedulers.launching import launch
from holdfast.schedulers.outcomes import ScheduleReport
from tests.conftest import NOW
from tests.running import files_in, needs, reported, run
from tests.schedulers.conftest import put_program


@pytest.fixture
def here(tmp_path: Path, machine: Machine) -> Context:
    return Context(
        home=Home(tmp_path / "home"),
        environment=machine.environment,
        user_home=machine.user_home,
        platform=machine.platform,
        actor="ann@laptop",
        now=NOW,
    )


def asked(here: Context, action: str, **options: Any) -> ScheduleReport:
    return set_schedule(here, ScheduleOptions(action=action, python=sys.executable, **options))


def all_files(here: Context, spool: Path) -> dict[str, bytes]:
    """All that a schedule leaves in the scheduler's folders; not the history."""
    found = {**files_in(here.user_home), **files_in(spool)} if here.user_home.exists() else {}
    found = found or files_in(spool)
    return {name: text for name, text in found.items() if name != "systemctl.log"}


EVERY_SCHEDULER = pytest.mark.parametrize("scheduler", ["systemd", "cron"])


@EVERY_SCHEDULER
def test_without_a_yes_it_is_shown_and_nothing_is_written(here, spool, scheduler):
    report = asked(here, "install", scheduler=scheduler)
    assert report.outcome == "planned"
    assert "schedule.py" in "".join(report.texts.values())
    assert str(here.home.path) in "".join(report.texts.values())
    assert report.confirmed_by == (
        *("--every", "day", "--at", "03:00", "--with", scheduler),
        *("--confirm", report.plan_id),
    )
    assert all_files(here, spool) == {}
    assert not here.home.path.exists()


def test_who_installs_it_hears_that_a_run_would_find_no_database(here):
    (warning,) = asked(here, "install", scheduler="cron", yes=True).warnings
    settings = here.home.path / "backup.yaml"
    assert warning.startswith("a run would find no database to back up. Name yours in ")
    settings.write_text(warning.partition(", as in ")[2])  # as it says, it is valid
    assert asked(replace(here), "install", scheduler="cron", yes=True).warnings == ()


@EVERY_SCHEDULER
def test_the_plan_that_was_shown_is_installed_and_found_again(here, spool, scheduler):
    shown = asked(here, "install", scheduler=scheduler)
    done = asked(here, "install", scheduler=scheduler, confirm=shown.plan_id)
    assert (done.outcome, done.is_installed) == ("done", True)
    written = all_files(here, spool)
    for written_text in shown.texts.values():
        assert any(written_text.encode() in content for content in written.values())
    status = asked(here, "status")
    assert status.is_installed and status.warnings == ()
    assert status.state
    assert status.state.calendar == "every day at 03:00"
    assert status.state.scheduler == scheduler


def test_another_plan_than_the_one_that_was_shown_is_refused(here, spool):
    shown = asked(here, "install")
    with pytest.raises(PlanChanged):
        asked(here, "install", confirm=shown.plan_id, calendar=read_calendar("week"))
    assert all_files(here, spool) == {}


@EVERY_SCHEDULER
def test_installed_twice_it_is_there_once_with_the_newer_time(here, spool, scheduler):
    asked(here, "install", yes=True, scheduler=scheduler)
    once = set(all_files(here, spool))
    asked(here, "install", yes=True, scheduler=scheduler, calendar=read_calendar("day", "04:30"))
    assert set(all_files(here, spool)) == once
    text = b"".join(all_files(here, spool).values()).decode()
    assert "04:30" in text and "03:00" not in text
    assert asked(here, "status").calendar == "every day at 04:30"


@EVERY_SCHEDULER
def test_removed_it_leaves_nothing(here, spool, scheduler):
    asked(here, "install", yes=True, scheduler=scheduler)
    assert asked(here, "remove").outcome == "done"
    assert all_files(here, spool) == {}
    assert asked(here, "status").state is None
    assert asked(here, "remove").outcome == "nothing to do"


def test_another_scheduler_takes_the_place_of_the_first(here, spool):
    asked(here, "install", yes=True, scheduler="systemd")
    asked(here, "install", yes=True, scheduler="cron")
    assert list(all_files(here, spool)) == ["tab"]


def test_two_homes_have_a_schedule_each(here, spool, tmp_path):
    asked(here, "install", yes=True, scheduler="cron")
    other = Context(
        home=Home(tmp_path / "other"),
        environment=here.environment,
        user_home=here.user_home,
        platform=here.platform,
        actor=here.actor,
        now=NOW,
    )
    asked(other, "install", yes=True, scheduler="cron")
    assert (spool / "tab").read_text().count("schedule.py") == 2
    asked(here, "remove")
    assert str(other.home.path) in (spool / "tab").read_text()


def test_the_crontab_of_the_person_stays_as_it_was(here, spool):
    theirs = b"MAILTO=ann\n# caf\xe9\n5 4 * * * true\n"
    (spool / "tab").write_bytes(theirs)
    asked(here, "install", yes=True, scheduler="cron")
    assert (spool / "tab").read_bytes().startswith(theirs)
    asked(here, "remove")
    assert (spool / "tab").read_bytes() == theirs


def test_a_crontab_that_cannot_be_read_is_not_taken_for_an_empty_one(here, spool, tmp_path):
    put_program(tmp_path / "bin", "crontab", "#!/bin/sh\necho 'you are not allowed' >&2; exit 1")
    with pytest.raises(ScheduleFailed, match="you are not allowed"):
        asked(here, "install", yes=True, scheduler="cron")
    assert all_files(here, spool) == {}


def test_what_systemd_refuses_leaves_what_was_there(here, spool, tmp_path):
    asked(here, "install", yes=True, scheduler="systemd")
    before = all_files(here, spool)
    text = '#!/bin/sh\ncase "$2" in restart) echo "no such unit" >&2; exit 5;; esac\n'
    put_program(tmp_path / "bin", "systemctl", text)
    with pytest.raises(ScheduleFailed, match="no such unit"):
        asked(here, "install", yes=True, scheduler="systemd", calendar=read_calendar("week"))
    assert all_files(here, spool) == before


def test_a_unit_of_somebody_else_under_this_name_is_not_touched(here, spool):
    [service, _] = asked(here, "show", scheduler="systemd").texts
    Path(service).parent.mkdir(parents=True)
    Path(service).write_text("[Service]\nExecStart=/bin/true\n")
    with pytest.raises(ScheduleFailed, match="is there, and not Holdfast's"):
        asked(here, "install", yes=True, scheduler="systemd")
    assert Path(service).read_text() == "[Service]\nExecStart=/bin/true\n"


def test_the_first_scheduler_that_the_system_has_is_taken(here, tmp_path):
    assert asked(here, "show").scheduler == "systemd"
    put_program(tmp_path / "bin", "systemctl", "#!/bin/sh\nexit 1\n")  # no manager of the user's
    assert asked(here, "show").scheduler == "cron"


def test_without_any_scheduler_it_says_so_and_still_shows_what_one_would_be_told(here, tmp_path):
    bare = Context(
        home=here.home,
        environment={"PATH": str(tmp_path / "empty")},
        user_home=here.user_home,
        platform="linux",
        actor=here.actor,
        now=NOW,
    )
    with pytest.raises(ScheduleFailed, match="neither systemd"):
        asked(bare, "install", yes=True)
    for name in ("systemd", "cron", "launchd", "windows"):
        shown = asked(bare, "show", scheduler=name)
        assert shown.texts and r"\x09" not in text(shown)  # as a tab is printed


@needs("crontab")
@needs("unshare")
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="mounts need root")
def test_debians_own_crontab_takes_the_line_and_gives_all_of_it_back(here, tmp_path):
    spool = tmp_path / "crontabs"
    spool.mkdir()
    real = shutil.which("crontab")
    # Its spool is mounted away: the machine's own crontabs stay as they are.
    mounted = f"mount --bind {spool} /var/spool/cron/crontabs && exec {real}"
    put_program(
        tmp_path / "bin", "crontab", f'#!/bin/sh\nexec unshare -m sh -c \'{mounted} "$@"\' x "$@"\n'
    )
    theirs = b"5 4 * * * true\n# caf\xe9\n"
    (tmp_path / "theirs").write_bytes(theirs)
    subprocess.run([tmp_path / "bin" / "crontab", tmp_path / "theirs"], check=True)
    asked(here, "install", yes=True, scheduler="cron")
    asked(here, "install", yes=True, scheduler="cron")
    listed = subprocess.run([tmp_path / "bin" / "crontab", "-l"], capture_output=True).stdout
    assert listed.startswith(theirs) and listed.count(b"schedule.py") == 1
    asked(here, "remove")
    listed = subprocess.run([tmp_path / "bin" / "crontab", "-l"], capture_output=True).stdout
    assert listed == theirs


# The launcher


def test_a_checkout_is_started_where_it_is(tmp_path):
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    script = tmp_path / "clone" / "scripts" / "schedule.py"
    script.parent.mkdir()
    script.touch()
    found = launch(tmp_path / "home", "/usr/bin/python3", script)
    assert found.command == ("/usr/bin/python3", str(script), "run", "--home", f"{tmp_path}/home")
    assert found.launcher is None


def test_what_codex_installed_with_its_git_is_started_by_the_launcher(tmp_path):
    version = tmp_path / "codex" / "plugins" / "cache" / "holdfast" / "backup" / "0.1.0"
    script = version / "scripts" / "schedule.py"
    script.parent.mkdir(parents=True)
    script.touch()
    (version / ".git").mkdir()
    found = launch(tmp_path / "home", "/usr/bin/python3", script)
    assert found.launcher == tmp_path / "home" / "scheduled-backup.py"
    assert str(script) not in found.command


def test_a_library_without_scripts_is_started_as_a_module(tmp_path):
    found = launch(tmp_path, "/usr/bin/python3", tmp_path / "none.py")
    assert found.command[:4] == ("/usr/bin/python3", "-m", "holdfast.cli", "schedule")


def test_the_launcher_of_a_plugin_finds_it_after_an_update(tmp_path, capsys):
    name = 'it\'s "quoted" é\\'
    old, new = (tmp_path / name / each / "scripts" / "schedule.py" for each in ("0.1.0", "0.2.0"))
    for path in (old, new):
        path.parent.mkdir(parents=True)
        (path.parent / "beside.py").write_text(f"FOUND = {path.parents[1].name!r}\n")
        path.write_text("import sys, beside\nprint(beside.FOUND, sys.argv[1:])\n")
    found = launch(tmp_path / "home", sys.executable, old)
    launcher = tmp_path / "home" / "scheduled-backup.py"
    assert found.launcher == launcher
    launcher.parent.mkdir()
    launcher.write_text(found.launcher_text)

    def started() -> str:
        done = subprocess.run(found.command, capture_output=True, encoding="utf-8")
        return done.stdout + done.stderr

    arguments = f"['run', '--home', '{tmp_path}/home']"
    assert started() == f"0.1.0 {arguments}\n"
    shutil.rmtree(old.parents[1])
    assert started() == f"0.2.0 {arguments}\n"
    shutil.rmtree(new.parents[1])
    assert started().startswith("Holdfast is no longer at ")


# The script


def test_the_script_shows_the_plan_waits_and_installs_just_that(tmp_path, here, spool, monkeypatch):
    monkeypatch.setenv("PATH", here.environment["PATH"])
    home = tmp_path / "home"
    home.mkdir()
    (home / "backup.yaml").write_text("databases: {notes: notes.db}\n")
    plan = run(home, "schedule", "install", "--with", "cron", exit_code=4).stdout
    assert plan.startswith("Plan: backups every day at 03:00, by a line for cron.\ncrontab:\n  # ")
    [confirmed] = re.findall(r"^  schedule (install .*)$", plan, re.MULTILINE)
    done = run(home, "schedule", *confirmed.split())
    assert done.stdout.startswith("Installed: backups every day at 03:00, by a line for cron.\n")
    line = next(each for each in (spool / "tab").read_text().splitlines() if "schedule.py" in each)
    status = run(home, "schedule", "status").stdout.splitlines()
    assert status[0] == "Schedule: every day at 03:00 (cron); it has not run yet."
    # What the line says is what runs: not before its time.
    command = line.split(" ", 5)[5].replace(" --quiet", "")
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert said.stdout.startswith("Not due before "), said.stderr
    assert run(home, "schedule", "remove").stdout == "Removed: a line for cron.\n"
    assert not (spool / "tab").exists()


def test_the_scripts_json_has_it_all_in_fields(tmp_path):
    report = reported(
        tmp_path / "home", "schedule", "show", "--with", "windows", "--every", "week", "--on", "fri"
    )
    assert (report["scheduler"], report["calendar"]) == ("windows", "every Friday at 03:00")
    [text] = report["texts"].values()
    assert "<Friday />" in text


@pytest.mark.parametrize(
    "words",
    [["install", "--every", "year"], ["install", "--at", "25:00"], ["status", "--if-due"], []],
)
def test_the_script_refuses_words_that_mean_nothing(tmp_path, words):
    run(tmp_path / "home", "schedule", *words, exit_code=2)
