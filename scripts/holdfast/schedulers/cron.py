"""
A line of the user's crontab.

cron makes up for nothing that was missed. So the line starts the job every hour, at the minute
that was asked for, and the job looks itself whether it is due.

Source: crontab(5), crontab(1)
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from holdfast import files
from holdfast.errors import ScheduleFailed
from holdfast.programs import find_program
from holdfast.schedulers.interface import Job, Machine, Scheduler, complain_of_words, tell

_LONGEST_LINE = 990  # bytes; Debian's cron passes by a command from 1000 on
_BEGIN = "# {}: written by Holdfast; `schedule remove` deletes these three lines."
_END = "# {}: end"
_NONE = re.compile(r"no crontab for|No such file", re.IGNORECASE)


def line(job: Job) -> str:
    """
    Write a job as a line that cron hands to a shell, which reads each word back as it is.

    Raises: ScheduleFailed for what not every cron reads in the same way.
    """
    complain_of_words(job.checking_command)
    command = " ".join(map(shlex.quote, job.checking_command))
    if "\\" in command:
        raise ScheduleFailed(
            "a path has a backslash in it, which crons read in several ways",
            hint="Move Holdfast or its home to a folder with a plain name.",
        )
    text = f"{job.calendar.minute} * * * * " + command.replace("%", r"\%")
    if len(text.encode()) > _LONGEST_LINE:
        raise ScheduleFailed(
            "the paths are too long for a line of cron",
            hint="Move Holdfast or its home to a folder with a shorter name.",
        )
    return text


def with_job(crontab: str, job: Job) -> str:
    """Return a crontab that holds the job once; its other lines are as they were."""
    others = without_job(crontab, job.name)
    gap = "\n" if others and not others.endswith("\n") else ""
    block = (_BEGIN.format(job.name), line(job), _END.format(job.name))
    return others + gap + "".join(f"{each}\n" for each in block)


def without_job(crontab: str, name: str) -> str:
    """
    Return a crontab that lacks the job; its other lines are as they were.

    Raises: ScheduleFailed when the lines of the job were changed by hand.
    """
    lines = crontab.split("\n")
    begin, end = _BEGIN.format(name), _END.format(name)
    if begin not in lines and end not in lines:
        return crontab
    if lines.count(begin) == lines.count(end) == 1:
        first, last = lines.index(begin), lines.index(end)
        if last == first + 2:
            return "\n".join(lines[:first] + lines[last + 1 :])
    raise ScheduleFailed(
        f"the lines of {name} in the crontab were changed by hand",
        hint="Delete them with crontab -e, then try again.",
    )


def _texts(job: Job, machine: Machine) -> Mapping[str, str]:
    del machine
    return {"crontab": f"{_BEGIN.format(job.name)}\n{line(job)}\n{_END.format(job.name)}\n"}


def _is_here(machine: Machine) -> bool:
    return find_program("crontab", machine.environment) is not None


def _install(job: Job, machine: Machine) -> None:
    _write(with_job(_read(machine), job), machine)


def _is_installed(name: str, machine: Machine) -> bool:
    return _is_here(machine) and _BEGIN.format(name) in _read(machine).split("\n")


def _remove(name: str, machine: Machine) -> None:
    crontab = _read(machine)
    rest = without_job(crontab, name)
    if rest != crontab and not rest.strip():
        _crontab(machine, "-r")  # it held nothing but the job
    elif rest != crontab:
        _write(rest, machine)


def _read(machine: Machine) -> str:
    try:
        # Whatever its encoding, the lines of others go back as they came.
        return _crontab(machine, "-l").decode("utf-8", "surrogateescape")
    except ScheduleFailed as error:
        # Only that there is none: another failure must not end in an empty crontab.
        if _NONE.search(str(error)):
            return ""
        raise


def _write(crontab: str, machine: Machine) -> None:
    with files.scratch_folder() as folder:
        path = folder / "crontab"
        with files.create(path) as file:
            file.write(crontab.encode("utf-8", "surrogateescape"))
        _crontab(machine, str(path))


def _crontab(machine: Machine, *words: str) -> bytes:
    environment = {**machine.environment, "LC_ALL": "C"}
    hint = "Run crontab -l yourself to see what it says."
    return tell(["crontab", *words], environment, "cron", hint)


CRON = Scheduler("cron", "a line for cron", _is_here, _texts, _install, _is_installed, _remove)
