"""What is wrong with the schedule: it failed, did not run, is gone, or a store takes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from holdfast.concerns import Concern, Kind, ScheduleState, Trouble
from holdfast.errors import ScheduleFailed
from holdfast.operations.context import Context
from holdfast.operations.schedule_record import DONE, STARTED, Installed, installed
from holdfast.schedulers.calendar import latest
from holdfast.schedulers.interface import Machine, Scheduler
from holdfast.schedulers.launching import LAUNCHER, job_name, lost_script
from holdfast.schedulers.registry import SCHEDULERS
from holdfast.times import ago, moment, utc_text

# Of a run that is late, and of one that is still at it.
_PATIENCE = timedelta(hours=6)


def schedule_concerns(context: Context, state: ScheduleState | None) -> Iterator[Concern]:
    """Yield what is wrong with a schedule that was installed, each with what to do."""
    return (each.concern for each in schedule_troubles(context, state))


def schedule_troubles(context: Context, state: ScheduleState | None) -> Iterator[Trouble]:
    """Yield the same with what to do apart."""
    found = installed(context.history) if state else None
    if state is None or found is None:
        return
    yield from _of_last_run(context, state)
    if gone := _gone(context, found):
        again = f"Install it again: schedule install {' '.join(found.calendar.options)}"
        yield Trouble(Kind.SCHEDULE_GONE, gone, again)
    elif missed := _missed(context, state, found):
        yield Trouble(
            Kind.SCHEDULE_MISSED,
            missed,
            "Run it now with schedule run. Was the machine off, or nobody logged in?",
        )


def _of_last_run(context: Context, state: ScheduleState) -> Iterator[Trouble]:
    began = moment(state.last_run_at)
    if began is None or state.last_outcome == DONE:
        return
    if state.last_outcome != STARTED:
        yield Trouble(
            Kind.SCHEDULE_FAILED,
            f"the {state.adjective} backup last ran {_ago(context, state.last_run_at)}, and"
            f" failed: {state.last_message}",
            state.last_hint,
        )
    elif context.now - began > _PATIENCE:
        yield Trouble(
            Kind.SCHEDULE_FAILED,
            f"the {state.adjective} backup that began {_ago(context, state.last_run_at)} never"
            " ended: it was stopped",
            "Run it now with schedule run.",
        )


def _ago(context: Context, at: str) -> str:
    then = moment(at)
    return ago((context.now - then).total_seconds()) if then else "some time ago"


def places(context: Context) -> list[Scheduler]:
    """Return the schedulers that hold this home's job: one, unless it was put there by hand."""
    return [each for each in SCHEDULERS.values() if _holds(context, each)]


def _holds(context: Context, scheduler: Scheduler) -> bool:
    try:
        return scheduler.is_installed(job_name(context.home.path), machine_of(context))
    except ScheduleFailed:  # one that we may not use holds nothing of ours
        return False


def machine_of(context: Context) -> Machine:
    """Return whose schedulers are meant."""
    return Machine(context.environment, context.user_home, context.platform)


def _gone(context: Context, found: Installed) -> str:
    """Say why the scheduler will not start it again; "" when it will, as far as is known."""
    scheduler = SCHEDULERS.get(found.scheduler)
    if scheduler and not _holds(context, scheduler):
        return f"the schedule is gone from {found.scheduler}"
    paths = [Path(each) for each in found.command if Path(each).is_absolute()]
    missing = [path for path in paths if not path.exists()]
    missing += [lost for path in paths if path.name == LAUNCHER and (lost := lost_script(path))]
    return f"the schedule starts {missing[0]}, which is gone" if missing else ""


def _missed(context: Context, state: ScheduleState, found: Installed) -> str:
    due = latest(found.calendar, context.now - _PATIENCE)
    last = moment(state.last_run_at)
    began = max(found.at, last) if last else found.at
    if began >= due:
        return ""
    ran = f"last ran {_ago(context, state.last_run_at)}" if last else "has never run"
    return f"the {state.adjective} backup was due {_ago(context, utc_text(due))}, and {ran}"
