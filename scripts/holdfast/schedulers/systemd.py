"""
A timer of systemd that belongs to the user: a unit that says what runs, and one that says when.

Source: systemd.service(5), systemd.timer(5), systemd.syntax(7), systemd.time(7)
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from holdfast import files
from holdfast.errors import ScheduleFailed
from holdfast.programs import find_program
from holdfast.schedulers.calendar import WEEKDAYS, Calendar
from holdfast.schedulers.interface import Job, Machine, Scheduler, complain_of_words, tell
from holdfast.schedulers.own_files import drop, put

_LINGER = Path("/var/lib/systemd/linger")

# `env` starts the command: systemd expands no `$$` in the name of the program itself.
_SERVICE = """\
# Written by Holdfast; `schedule install` writes it anew, `schedule remove` deletes it.
[Unit]
Description=Holdfast: back up the databases

[Service]
Type=oneshot
Nice=10
ExecStart=/usr/bin/env {command}
"""
_TIMER = """\
# Written by Holdfast; `schedule install` writes it anew, `schedule remove` deletes it.
[Unit]
Description=Holdfast: back up the databases {calendar}

[Timer]
OnCalendar={moments}
Persistent=true

[Install]
WantedBy=timers.target
"""


def quoted(word: str) -> str:
    """Write one word of a command as systemd reads it back."""
    for letter in ("\\", '"'):
        word = word.replace(letter, f"\\{letter}")
    return f'"{word.replace("%", "%%").replace("$", "$$")}"'


def on_calendar(calendar: Calendar) -> str:
    """Write a calendar as OnCalendar= takes it."""
    day = f"{calendar.day:02}" if calendar.every == "month" else "*"
    hour = "*" if calendar.every == "hour" else f"{calendar.hour:02}"
    weekday = f"{WEEKDAYS[calendar.weekday]} " if calendar.every == "week" else ""
    return f"{weekday}*-*-{day} {hour}:{calendar.minute:02}:00"


def _texts(job: Job, machine: Machine) -> dict[str, str]:
    complain_of_words(job.command)
    service, timer = _paths(job.name, machine)
    return {
        str(service): _SERVICE.format(command=" ".join(map(quoted, job.command))),
        str(timer): _TIMER.format(calendar=job.calendar, moments=on_calendar(job.calendar)),
    }


def _paths(name: str, machine: Machine) -> tuple[Path, Path]:
    folder = _folder(machine.environment, "XDG_CONFIG_HOME", machine.user_home / ".config")
    units = folder / "systemd" / "user"
    return units / f"{name}.service", units / f"{name}.timer"


def _folder(environment: Mapping[str, str], variable: str, usual: Path) -> Path:
    named = Path(environment.get(variable, ""))
    return named if named.is_absolute() else usual


def _is_here(machine: Machine) -> bool:
    if not find_program("systemctl", machine.environment):
        return False
    try:
        # Without a manager of the user's, as in a container, it cannot say its version.
        _systemctl(machine, "show", "--property=Version")
    except ScheduleFailed:
        return False
    return True


def _install(job: Job, machine: Machine) -> None:
    contents = {Path(path): text for path, text in _texts(job, machine).items()}
    with put(contents):
        _systemctl(machine, "daemon-reload")
        _systemctl(machine, "enable", f"{job.name}.timer")
        # One that runs already would go on with its old moments.
        _systemctl(machine, "restart", f"{job.name}.timer")


def _is_installed(name: str, machine: Machine) -> bool:
    service, timer = _paths(name, machine)
    wanted = timer.parent / "timers.target.wants" / timer.name
    return service.is_file() and timer.is_file() and wanted.is_symlink()


def _remove(name: str, machine: Machine) -> None:
    service, timer = _paths(name, machine)
    with contextlib.suppress(ScheduleFailed):  # it may have gone in part already
        _systemctl(machine, "disable", "--now", timer.name)
    drop(service, timer)
    data = _folder(machine.environment, "XDG_DATA_HOME", machine.user_home / ".local" / "share")
    # When it last ran, which would start one that is installed again at once.
    files.remove(data / "systemd" / "timers" / f"stamp-{timer.name}")
    with contextlib.suppress(ScheduleFailed):
        _systemctl(machine, "daemon-reload")


def _systemctl(machine: Machine, *words: str) -> None:
    hint = "Log in as the user themselves, or choose --with cron."
    tell(["systemctl", "--user", *words], machine.environment, "systemd", hint)


def _advice(machine: Machine) -> tuple[str, ...]:
    user = machine.environment.get("USER", "")
    with contextlib.suppress(OSError):
        if user and (_LINGER / user).exists():
            return ()
    return ("It runs while you are logged in; `loginctl enable-linger` lets it run at any time.",)


SYSTEMD = Scheduler(
    "systemd",
    "a systemd user timer",
    _is_here,
    _texts,
    _install,
    _is_installed,
    _remove,
    _advice,
)
