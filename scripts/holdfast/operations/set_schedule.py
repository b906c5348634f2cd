"""Install, show and remove the schedule of this home in the system's own scheduler."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from holdfast.errors import DatabaseNotFound, HoldfastError, PlanChanged
from holdfast.operations.context import Context, choose_database
from holdfast.operations.plan_ids import plan_id_of
from holdfast.operations.schedule_concerns import machine_of, places, schedule_concerns
from holdfast.operations.schedule_record import (
    installed,
    remember_install,
    remember_removal,
    schedule_state,
)
from holdfast.schedulers.calendar import Calendar, coming
from holdfast.schedulers.interface import Job, Scheduler
from holdfast.schedulers.launching import LAUNCHER, Launch, job_name, launch
from holdfast.schedulers.outcomes import ScheduleReport
from holdfast.schedulers.own_files import drop, put
from holdfast.schedulers.registry import choose_scheduler
from holdfast.times import utc_text


class ScheduleOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a schedule."""

    action: str  # install, show, status, remove
    python: str  # the interpreter that is to run, an absolute path
    calendar: Calendar | None = None  # None: the one that is installed, else the usual one
    scheduler: str | None = None  # None: the one that the system has
    yes: bool = False
    confirm: str | None = None
    dry_run: bool = False


def set_schedule(context: Context, options: ScheduleOptions) -> ScheduleReport:
    """
    Show what a schedule would be; install it once that is agreed to; or take it away.

    Raises: ScheduleFailed, having changed nothing, when the system refuses; PlanChanged.
    """
    if options.action == "remove":
        return _remove(context, options)
    if options.action == "status":
        return _status(context, options)
    scheduler = choose_scheduler(machine_of(context), options.scheduler)
    job, launched = _job(context, options)
    report = _describe(context, options, scheduler, job, launched)
    if options.action == "show" or options.dry_run:
        return report
    if not (options.yes or options.confirm):
        return replace(report, confirmed_by=_arguments(options, job, report.plan_id))
    if not options.yes and options.confirm != report.plan_id:
        raise PlanChanged(
            f"what would be installed is no longer the plan {options.confirm}",
            hint="Run schedule install again without --confirm, and look at the new plan.",
        )
    return _install(context, report, scheduler, job, launched)


def _job(context: Context, options: ScheduleOptions) -> tuple[Job, Launch]:
    calendar = options.calendar or _known_calendar(context)
    launched = launch(context.home.path, options.python)
    first_at = coming(calendar, context.now).astimezone()
    return Job(job_name(context.home.path), calendar, launched.command, first_at), launched


def _known_calendar(context: Context) -> Calendar:
    found = None
    with contextlib.suppress(HoldfastError):
        found = installed(context.history)
    return found.calendar if found else Calendar()


def _describe(
    context: Context,
    options: ScheduleOptions,
    scheduler: Scheduler,
    job: Job,
    launched: Launch,
) -> ScheduleReport:
    texts = dict(scheduler.texts(job, machine_of(context)))
    if launched.launcher:
        texts[str(launched.launcher)] = launched.launcher_text
    plan_id = plan_id_of([scheduler.name, job.calendar.options, job.command])
    outcome = "shown" if options.action == "show" else "planned"
    return ScheduleReport(
        action=options.action,
        outcome="rehearsed" if options.dry_run and outcome == "planned" else outcome,
        scheduler=scheduler.name,
        title=scheduler.title,
        calendar=str(job.calendar),
        command=job.command,
        texts=texts,
        next_at=utc_text(coming(job.calendar, context.now)),
        is_installed=bool(places(context)),
        plan_id=plan_id,
        advice=scheduler.advice(machine_of(context)),
    )


def _arguments(options: ScheduleOptions, job: Job, plan_id: str) -> tuple[str, ...]:
    """Name the arguments that carry out just this plan."""
    named = ("--with", options.scheduler) if options.scheduler else ()
    return (*job.calendar.options, *named, "--confirm", plan_id)


def _install(
    context: Context,
    report: ScheduleReport,
    scheduler: Scheduler,
    job: Job,
    launched: Launch,
) -> ScheduleReport:
    machine = machine_of(context)
    with put({launched.launcher: launched.launcher_text} if launched.launcher else {}):
        scheduler.install(job, machine)
    for other in places(context):
        if other.name != scheduler.name:
            other.remove(job.name, machine)
    warnings = tuple(_nothing_to_do(context))
    done = replace(report, outcome="done", is_installed=True, warnings=warnings)
    try:
        remember_install(context, scheduler.name, job.calendar, job.command)
    except HoldfastError as error:
        warning = f"the schedule is installed, but that could not be recorded: {error}"
        return replace(done, warnings=(*warnings, warning))
    return replace(done, state=schedule_state(context))


def _nothing_to_do(context: Context) -> Iterator[str]:
    """Say that a run would fail, where no database is named and none is found."""
    try:
        if not context.settings.databases:
            choose_database(context)
    except DatabaseNotFound:
        yield (
            "a run would find no database to back up. Name yours in"
            f" {context.home.path / 'backup.yaml'}, as in databases: {{notes: ~/notes.db}}"
        )


def _remove(context: Context, options: ScheduleOptions) -> ScheduleReport:
    found = places(context)
    for scheduler in found:
        scheduler.remove(job_name(context.home.path), machine_of(context))
    drop(context.home.path / LAUNCHER)
    report = _plain(options, found)
    try:
        if found or installed(context.history):
            remember_removal(context)
    except HoldfastError as error:
        warning = f"the schedule is removed, but that could not be recorded: {error}"
        return replace(report, warnings=(warning,))
    return report


def _plain(options: ScheduleOptions, found: list[Scheduler]) -> ScheduleReport:
    removed = options.action == "remove"
    return ScheduleReport(
        action=options.action,
        outcome="done" if found and removed else "nothing to do" if removed else "shown",
        scheduler=", ".join(each.name for each in found),
        title=" and ".join(each.title for each in found),
        calendar="",
        command=(),
        texts={},
        next_at="",
        is_installed=bool(found) and not removed,
    )


def _status(context: Context, options: ScheduleOptions) -> ScheduleReport:
    report = _plain(options, places(context))
    state = schedule_state(context)
    if state:
        report = replace(report, calendar=state.calendar, next_at=state.next_at, state=state)
    return replace(report, warnings=tuple(each.text for each in schedule_concerns(context, state)))
