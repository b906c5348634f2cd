"""
A task of the Windows Task Scheduler, which starts what was missed as soon as it can.

The elements come in the order in which Windows itself writes them out.

Source: learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast import files
from holdfast.errors import ScheduleFailed
from holdfast.programs import windows_command_line
from holdfast.schedulers.calendar import DAY_NAMES
from holdfast.schedulers.interface import Job, Machine, Scheduler, complain_of_words, tell

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


def task(job: Job) -> str:
    """
    Write a job as the XML of a task.

    Raises: ScheduleFailed for a path in which Windows would put the value of a variable.
    """
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    complain_of_words(job.command)
    if any(word.count("%") > 1 for word in job.command):
        raise ScheduleFailed(
            "a path has several % in it, which Windows takes for a variable",
            hint="Move Holdfast or its home to a folder with a plain name.",
        )
    root = Element("Task", {"version": "1.2", "xmlns": _NAMESPACE})
    about = SubElement(root, "RegistrationInfo")
    SubElement(about, "Description").text = f"Holdfast: back up the databases {job.calendar}"
    SubElement(root, "Triggers").append(_trigger(job))
    principal = SubElement(SubElement(root, "Principals"), "Principal", {"id": "Author"})
    SubElement(principal, "LogonType").text = "InteractiveToken"
    SubElement(principal, "RunLevel").text = "LeastPrivilege"
    settings = SubElement(root, "Settings")
    SubElement(settings, "MultipleInstancesPolicy").text = "IgnoreNew"
    SubElement(settings, "DisallowStartIfOnBatteries").text = "false"
    SubElement(settings, "StopIfGoingOnBatteries").text = "false"
    SubElement(settings, "StartWhenAvailable").text = "true"
    SubElement(settings, "Enabled").text = "true"
    action = SubElement(SubElement(root, "Actions", {"Context": "Author"}), "Exec")
    SubElement(action, "Command").text = job.command[0]
    SubElement(action, "Arguments").text = windows_command_line(job.command[1:])
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{tostring(root, encoding="unicode")}\n'


def _trigger(job: Job) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    calendar = job.calendar
    trigger = Element("TimeTrigger" if calendar.every == "hour" else "CalendarTrigger")
    if calendar.every == "hour":
        SubElement(SubElement(trigger, "Repetition"), "Interval").text = "PT1H"
    SubElement(trigger, "StartBoundary").text = f"{job.first_at:%Y-%m-%dT%H:%M:%S}"
    SubElement(trigger, "Enabled").text = "true"
    if calendar.every == "day":
        SubElement(SubElement(trigger, "ScheduleByDay"), "DaysInterval").text = "1"
    elif calendar.every == "week":
        by_week = SubElement(trigger, "ScheduleByWeek")
        SubElement(SubElement(by_week, "DaysOfWeek"), DAY_NAMES[calendar.weekday])
        SubElement(by_week, "WeeksInterval").text = "1"
    elif calendar.every == "month":
        by_month = SubElement(trigger, "ScheduleByMonth")
        SubElement(SubElement(by_month, "DaysOfMonth"), "Day").text = str(calendar.day)
        months = SubElement(by_month, "Months")
        for month in _MONTHS:
            SubElement(months, month)
    return trigger


def _texts(job: Job, machine: Machine) -> dict[str, str]:
    del machine
    return {f"task {job.name}": task(job)}


def _is_here(machine: Machine) -> bool:
    return machine.platform == "win32"


def _install(job: Job, machine: Machine) -> None:
    with files.scratch_folder() as folder:
        path = folder / "task.xml"
        with files.create(path) as file:
            file.write(task(job).encode("utf-16"))
        _schtasks(machine, "/Create", "/TN", job.name, "/XML", str(path), "/F")


def _is_installed(name: str, machine: Machine) -> bool:
    if not _is_here(machine):
        return False
    try:
        _schtasks(machine, "/Query", "/TN", name)
    except ScheduleFailed:
        return False
    return True


def _remove(name: str, machine: Machine) -> None:
    _schtasks(machine, "/Delete", "/TN", name, "/F")


def _schtasks(machine: Machine, *words: str) -> None:
    hint = "Run schtasks yourself to see what it says."
    tell(["schtasks", *words], machine.environment, "Windows", hint)


WINDOWS = Scheduler("windows", "a Windows task", _is_here, _texts, _install, _is_installed, _remove)
