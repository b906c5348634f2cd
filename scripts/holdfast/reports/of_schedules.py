"""Schedules and their runs, in lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from holdfast.concerns import ScheduleState
from holdfast.errors import SettingsError
from holdfast.reports.words import counted
from holdfast.schedulers.outcomes import RunReport, ScheduleReport
from holdfast.times import local_text


def schedule_lines(report: ScheduleReport) -> Iterator[str]:
    """Yield the lines of a report."""
    if report.action == "remove":
        gone = report.outcome == "done"
        yield f"Removed: {report.title}." if gone else "There is no schedule to remove."
        return
    if report.action == "status":
        yield from _status_lines(report)
        return
    if report.outcome == "done":
        yield f"Installed: backups {report.calendar}, by {report.title}."
        yield f"First run: {local_text(report.next_at)}."
        yield from report.advice
        return
    what = "Plan" if report.action == "install" else "To set by hand"
    yield f"{what}: backups {report.calendar}, by {report.title}."
    for where, text in report.texts.items():
        yield f"{where}:"
        # A tab would be shown as \x09, and could not be set by hand.
        yield from (f"  {line.expandtabs(2)}" for line in text.splitlines())
    yield from report.advice
    if report.outcome == "planned":
        yield "Nothing has been changed. If this is what you want:"
        yield f"  schedule install {shlex.join(report.confirmed_by)}"


def _status_lines(report: ScheduleReport) -> Iterator[str]:
    if not report.is_installed:
        yield "No schedule is installed."
    elif report.state is None:
        yield f"A schedule is installed: {report.title}. The history does not know it."
    else:
        yield schedule_line(report.state)
        yield f"Next run: {local_text(report.next_at)}."


def schedule_line(state: ScheduleState) -> str:
    """Say in one line when backups are made by themselves, and how it went last."""
    ran = "it has not run yet"
    if state.last_run_at:
        how = {"done": "done", "started": "not ended"}.get(state.last_outcome, "FAILED")
        ran = f"last run {local_text(state.last_run_at)}: {how}"
    return f"Schedule: {state.calendar} ({state.scheduler}); {ran}."


def run_lines(report: RunReport) -> Iterator[str]:
    """Yield the lines of a report."""
    if report.outcome == "not due":
        yield f"Not due before {local_text(report.next_at)}."
        return
    failed = sum(1 for each in report.backups if each.error)
    made = counted(len(report.backups) - failed, "database")
    yield f"Scheduled run: {made} backed up, {failed} failed."
    for each in report.backups:
        if each.backup:
            gone = f" ({counted(each.removed, 'older backup')} removed)" if each.removed else ""
            yield f"  {each.database}: {each.backup}{gone}"
        for copy in each.copies:
            yield f"    {copy.store}: {copy.name or f'FAILED: {copy.problem}. {copy.hint}'}"
        if each.problem:
            yield f"  {each.database or 'FAILED'}: {each.problem}. {each.hint}"
    if report.exit_code and report.outcome == SettingsError.__name__:
        yield f"{report.problem}. {report.hint}"
