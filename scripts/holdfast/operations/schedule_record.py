"""What the history knows of the schedule: when it was installed, and how its runs ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from holdfast.concerns import ScheduleState
from holdfast.errors import UsageError
from holdfast.history import History
from holdfast.known import Event
from holdfast.operations.context import Context
from holdfast.schedulers.calendar import Calendar, coming, read_calendar
from holdfast.times import moment, utc_text

RUN = "schedule"  # the operation of each run, in the history
_SETTING = "set-schedule"  # and of each install and remove
STARTED = "started"
DONE = "done"
_INSTALLED = "installed"
_REMOVED = "removed"
_NOWHERE = Path()
_RUNS = 40  # that are looked back at; two events each


class Installed(Struct, frozen=True):
    """A schedule as it was installed."""

    at: datetime
    scheduler: str
    calendar: Calendar
    command: tuple[str, ...]


def installed(history: History) -> Installed | None:
    """Return the schedule that was installed last, and not removed since."""
    for event in history.events(_SETTING, 1):
        at = moment(event.at)
        if event.outcome == _INSTALLED and at:
            return _installed(at, event.details)
    return None


def _installed(at: datetime, details: Mapping[str, Any]) -> Installed | None:
    options = [str(each) for each in details.get("calendar", ())]
    try:
        chosen = dict(zip(options[::2], options[1::2], strict=True))
        calendar = read_calendar(
            chosen.get("--every", ""), chosen.get("--at", ""), chosen.get("--on", "")
        )
    except (UsageError, ValueError):  # a later version wrote it
        return None
    command = tuple(str(each) for each in details.get("command", ()))
    return Installed(at, str(details.get("scheduler", "")), calendar, command)


def last_look(history: History) -> datetime | None:
    """Return when the last run began that came to an end, or the schedule was installed."""
    times = [_time(each) for each in _finished(history.events(RUN, _RUNS))[:1]]
    times += [_time(each) for each in history.events(_SETTING, 1)]
    return max((each for each in times if each), default=None)


def _time(event: Event) -> datetime | None:
    return moment(event.at)


def _finished(events: Sequence[Event]) -> list[Event]:
    return [each for each in events if each.outcome != STARTED]


def failures_of_last_run(history: History) -> dict[str, str]:
    """Return why the last run could not back up each database that it could not, by its name."""
    for event in _finished(history.events(RUN, 2)):
        found = event.details.get("databases")
        if isinstance(found, dict):
            return {
                str(name): str(each.get("message", ""))
                for name, each in found.items()
                if isinstance(each, dict) and each.get("outcome") != DONE
            }
    return {}


def schedule_state(context: Context) -> ScheduleState | None:
    """Return what the history knows of the schedule that is installed; None when there is none."""
    found = installed(context.history)
    if found is None:
        return None
    events = context.history.events(RUN, _RUNS)
    # One that began and did not end counts, when it is the last.
    last = events[0] if events else None
    details = last.details if last else {}
    return ScheduleState(
        scheduler=found.scheduler,
        every=found.calendar.every,
        calendar=str(found.calendar),
        adjective=found.calendar.adjective,
        installed_at=utc_text(found.at),
        next_at=utc_text(coming(found.calendar, context.now)),
        last_run_at=last.at if last else "",
        last_outcome=last.outcome if last else "",
        last_message=str(details.get("message", "")),
        last_hint=str(details.get("hint", "")),
    )


def remember_install(
    context: Context, scheduler: str, calendar: Calendar, command: Sequence[str]
) -> None:
    """Put on record that a schedule was installed."""
    details = {
        "by": context.actor,
        "scheduler": scheduler,
        "calendar": list(calendar.options),
        "command": list(command),
    }
    _record(context, _SETTING, _INSTALLED, details)


def remember_removal(context: Context) -> None:
    """Put on record that the schedule was removed."""
    _record(context, _SETTING, _REMOVED, {"by": context.actor})


def remember_run(context: Context, outcome: str, details: Mapping[str, Any]) -> None:
    """Put on record that a run began, or how it ended."""
    _record(context, RUN, outcome, {"by": context.actor, **details})


def _record(context: Context, operation: str, outcome: str, details: Mapping[str, Any]) -> None:
    context.history.record_event(
        at=context.timestamp,
        operation=operation,
        outcome=outcome,
        database_path=_NOWHERE,
        backup=_NOWHERE,
        details=details,
    )
