"""
An agent of launchd, as macOS has it.

launchd makes up for what was missed in sleep, not for what was missed while the machine was off:
so the job is also started at each login, and looks itself whether it is due.

Source: launchd.plist(5), launchctl(1)
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from holdfast.errors import ScheduleFailed
from holdfast.schedulers.calendar import Calendar
from holdfast.schedulers.interface import Job, Machine, Scheduler, complain_of_words, tell
from holdfast.schedulers.own_files import drop, put


def interval(calendar: Calendar) -> dict[str, int]:
    """Write a calendar as StartCalendarInterval takes it: what is left out may be anything."""
    moment = {"Minute": calendar.minute}
    if calendar.every != "hour":
        moment["Hour"] = calendar.hour
    if calendar.every == "week":
        moment["Weekday"] = (calendar.weekday + 1) % 7  # 0 is Sunday
    if calendar.every == "month":
        moment["Day"] = calendar.day
    return moment


def _texts(job: Job, machine: Machine) -> dict[str, str]:
    import plistlib

    complain_of_words(job.command)
    properties = {
        "Label": job.name,
        "ProgramArguments": list(job.checking_command),
        "StartCalendarInterval": interval(job.calendar),
        "RunAtLoad": True,
        "ProcessType": "Background",
    }
    text = plistlib.dumps(properties, sort_keys=False).decode()
    return {str(_path(job.name, machine)): text}


def _path(name: str, machine: Machine) -> Path:
    return machine.user_home / "Library" / "LaunchAgents" / f"{name}.plist"


def _is_here(machine: Machine) -> bool:
    return machine.platform == "darwin"


def _install(job: Job, machine: Machine) -> None:
    path = _path(job.name, machine)
    with put({path: _texts(job, machine)[str(path)]}):
        with contextlib.suppress(ScheduleFailed):  # there may be no older one
            _launchctl(machine, "bootout", f"{_domain()}/{job.name}")
        _launchctl(machine, "bootstrap", _domain(), str(path))


def _is_installed(name: str, machine: Machine) -> bool:
    return _is_here(machine) and _path(name, machine).is_file()


def _remove(name: str, machine: Machine) -> None:
    with contextlib.suppress(ScheduleFailed):  # it may have gone in part already
        _launchctl(machine, "bootout", f"{_domain()}/{name}")
    drop(_path(name, machine))


def _domain() -> str:
    return f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"


def _launchctl(machine: Machine, *words: str) -> None:
    hint = "Log in at the machine itself, or choose --with cron."
    tell(["launchctl", *words], machine.environment, "launchd", hint)


LAUNCHD = Scheduler(
    "launchd", "a launchd agent", _is_here, _texts, _install, _is_installed, _remove
)
