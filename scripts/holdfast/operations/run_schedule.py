"""What a scheduler starts: every database is backed up, and who asked for it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from holdfast import files
from holdfast.errors import HoldfastError, SettingsError, error_class
from holdfast.locks import alone
from holdfast.operations.context import Context
from holdfast.operations.export_all import export_all
from holdfast.operations.export_job import ExportOptions
from holdfast.operations.keeping import usual_format
from holdfast.operations.prune_backups import prune_after_all
from holdfast.operations.schedule_notices import tell
from holdfast.operations.schedule_record import (
    DONE,
    STARTED,
    installed,
    last_look,
    remember_run,
)
from holdfast.outcomes import ExportedDatabase
from holdfast.schedulers.calendar import Calendar, coming, is_due
from holdfast.schedulers.outcomes import RunReport, ScheduledBackup
from holdfast.times import utc_text

LOCK = "scheduled-run.lock"  # in the home
_NOT_DUE = "not due"


class RunOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a scheduled run."""

    if_due: bool = False
    calendar: Calendar | None = None  # by which it is due; None: that of the installed schedule


def run_schedule(context: Context, options: RunOptions) -> RunReport:
    """
    Back up every database of the settings, into their stores, too, and put it on record.

    What fails with one database is in the report, and the others are still backed up. Then the
    addresses and commands of the settings are told.

    Raises: AlreadyRunning; SettingsError.
    """
    with alone(context.home.path / LOCK, "a scheduled backup"):
        if options.if_due and (waiting := _not_due(context, options)):
            return waiting
        report = _run(context)
    told = tuple(tell(context, report))
    return replace(report, warnings=(*report.warnings, *told))


def _not_due(context: Context, options: RunOptions) -> RunReport | None:
    """Return a report that says when the next run is due; None when it is due now."""
    try:
        last = last_look(context.history)
        known = installed(context.history)
    except HoldfastError:  # what cannot be known must not keep a backup from being made
        return None
    calendar = options.calendar or (known.calendar if known else Calendar())
    if is_due(calendar, last, context.now):
        return None
    return RunReport(_NOT_DUE, context.timestamp, next_at=utc_text(coming(calendar, context.now)))


def _run(context: Context) -> RunReport:
    began = time.monotonic()
    for _ in _noted(context, STARTED, {}):  # the end will say it, if there is still a reason
        pass
    stores, problems = _stores(context)
    made = export_all(context, ExportOptions(stores=stores, format=usual_format(context, stores)))
    if context.settings.schedule.prune and context.settings.has_keep_rules:
        made = prune_after_all(context, made)
    backups = tuple(map(_backup, made.databases))
    first = [*problems, *_problems(backups), _Problem(DONE)][0]
    report = RunReport(
        outcome=first.error,
        started_at=context.timestamp,
        backups=backups,
        problem=first.text,
        hint=first.hint,
        exit_code=first.exit_code,
        warnings=tuple(_warnings(made.databases)),
    )
    details = _details(report) | {"seconds": round(time.monotonic() - began, 3)}
    noted = tuple(_noted(context, report.outcome, details))
    return replace(report, warnings=(*report.warnings, *noted))


class _Problem(Struct, frozen=True):
    error: str
    text: str = ""
    hint: str = ""
    exit_code: int = 0


def _stores(context: Context) -> tuple[tuple[str, ...], list[_Problem]]:
    """Return the stores to copy to; a name that is none is a problem, and no reason to stop."""
    configured = context.settings.stores
    wanted = context.settings.schedule.stores or tuple(configured)
    unknown = [name for name in wanted if name not in configured]
    text = f"schedule.stores: there is no store {', '.join(unknown)}"
    hint = "Name the stores in backup.yaml, as in docs/settings.md."
    problem = _Problem(SettingsError.__name__, text, hint, SettingsError.exit_code)
    return tuple(name for name in wanted if name in configured), [problem] if unknown else []


def _backup(made: ExportedDatabase) -> ScheduledBackup:
    if made.report:
        called = made.name or str(made.report.database.path)
        pruned = made.report.pruned
        return ScheduledBackup(
            called,
            made.report.path,
            copies=made.report.copies,
            removed=len(pruned.of("removed")) if pruned else 0,
        )
    return ScheduledBackup(
        database=made.name,
        backup=None,
        error=error_class(made.exit_code).__name__,
        problem=made.problem,
        hint=made.hint,
        exit_code=made.exit_code,
    )


def _warnings(databases: tuple[ExportedDatabase, ...]) -> Iterator[str]:
    for each in databases:
        for warning in each.report.warnings if each.report else ():
            yield f"{each.name}: {warning}" if each.name else warning


def _problems(backups: tuple[ScheduledBackup, ...]) -> Iterator[_Problem]:
    """Yield all that went wrong with backups: databases first, for a copy needs a backup."""
    for each in backups:
        if each.error:
            text = f"{each.database}: {each.problem}" if each.database else each.problem
            yield _Problem(each.error, text, each.hint, each.exit_code)
    for copy in (copy for each in backups for copy in each.copies):
        if copy.problem:
            error = error_class(copy.exit_code).__name__
            yield _Problem(error, f"{copy.store}: {copy.problem}", copy.hint, copy.exit_code)


def _details(report: RunReport) -> dict[str, Any]:
    """Return what the history keeps of a run."""
    return {
        "message": report.problem,
        "hint": report.hint,
        "databases": {
            each.database: {
                "outcome": each.error or DONE,
                "backup": files.text_of(each.backup),
                "message": each.problem,
                "copies": {copy.store: copy.name for copy in each.copies if copy.name},
            }
            for each in report.backups
        },
    }


def _noted(context: Context, outcome: str, details: dict[str, Any]) -> Iterator[str]:
    try:
        remember_run(context, outcome, details)
    except HoldfastError as error:
        yield f"the run could not be recorded, so status does not know of it: {error}"
