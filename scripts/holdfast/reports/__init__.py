"""Reports as a few lines for people, and as one JSON object for programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from holdfast.comparing.differences import DiffReport
from holdfast.comparing.syncing import Sync
from holdfast.copies import SyncReport
from holdfast.errors import CONFIRMATION_NEEDED, DONE, DONE_WITH_WARNINGS, HoldfastError
from holdfast.files import text_of
from holdfast.found import DiscoverReport, DoctorReport
from holdfast.outcomes import (
    ExportAllReport,
    ExportReport,
    ImportReport,
    KeyReport,
    KeysReport,
    RestoreReport,
    ServeReport,
    StatusReport,
    UndoReport,
    VerifyReport,
)
from holdfast.pruned import PruneReport
from holdfast.reports.of_backups import (
    export_all_lines,
    export_lines,
    restore_lines,
    status_lines,
    verify_lines,
)
from holdfast.reports.of_changes import import_lines, undo_lines
from holdfast.reports.of_databases import discover_lines, doctor_lines
from holdfast.reports.of_differences import diff_lines
from holdfast.reports.of_keys import key_lines, keys_lines
from holdfast.reports.of_prunes import prune_lines
from holdfast.reports.of_schedules import run_lines, schedule_lines
from holdfast.reports.of_servers import serve_lines
from holdfast.reports.of_stores import sync_lines
from holdfast.schedulers.outcomes import RunReport, ScheduleReport

Report = (
    DiffReport
    | DiscoverReport
    | DoctorReport
    | ExportAllReport
    | ExportReport
    | ImportReport
    | KeyReport
    | KeysReport
    | PruneReport
    | RestoreReport
    | RunReport
    | ScheduleReport
    | ServeReport
    | StatusReport
    | SyncReport
    | UndoReport
    | VerifyReport
)


def exit_code(report: Report) -> int:
    """Say which exit code a report calls for."""
    if (
        isinstance(report, ImportReport | PruneReport | ScheduleReport | UndoReport)
        and report.outcome == "planned"
    ):
        return CONFIRMATION_NEEDED
    if isinstance(report, VerifyReport):
        failed = (each.exit_code for each in report.backups if each.exit_code)
        return next(failed, DONE_WITH_WARNINGS if report.warnings else DONE)
    if isinstance(report, DiffReport) and (
        (report.tells_by_exit_code and not report.same) or report.sync is Sync.DIVERGED
    ):
        return DONE_WITH_WARNINGS
    if isinstance(report, ExportReport):
        failed = (each.exit_code for each in report.copies if each.exit_code)
        return next(failed, DONE_WITH_WARNINGS if report.warnings else DONE)
    if isinstance(report, SyncReport):
        codes = [
            code
            for store in report.stores
            for code in (store.exit_code, *(copy.exit_code for copy in store.copies))
        ]
        return next(filter(None, codes), DONE)
    if isinstance(report, ExportAllReport):
        codes = [
            each.exit_code or (exit_code(each.report) if each.report else DONE)
            for each in report.databases
        ]
        failed = (code for code in codes if code not in (DONE, DONE_WITH_WARNINGS))
        return next(failed, max(codes, default=DONE))
    if isinstance(report, DoctorReport) and report.findings:
        return DONE_WITH_WARNINGS
    if isinstance(report, RunReport) and report.exit_code:
        return report.exit_code
    return DONE_WITH_WARNINGS if report.warnings else DONE


def json_text(report: Report) -> str:
    """Write a report as one JSON object."""
    return plain_json(report)


def plain_json(record: object) -> str:
    """Write a record as one JSON object, as reports are written."""
    return msgspec.json.encode(record, enc_hook=_plain).decode()


def error_json(error: HoldfastError) -> str:
    """Write an error as one JSON object."""
    fields = {
        "error": type(error).__name__,
        "message": str(error),
        "hint": error.hint,
        "exit_code": error.exit_code,
    }
    return msgspec.json.encode(fields).decode()


def error_text(error: HoldfastError) -> str:
    """Write an error for people: what is wrong, and what to do."""
    return _in_lines([f"Error: {error}.", *([error.hint] if error.hint else [])])


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return text_of(value)
    raise TypeError(f"{type(value).__name__} is in no report")


def text(report: Report) -> str:
    """Write a report for people: short enough to be relayed in a chat."""
    warnings = [f"Warning: {warning}" for warning in report.warnings]
    lines = [*_LINES[type(report)](report), *warnings]
    return _in_lines(lines)


def _in_lines(lines: Iterable[str]) -> str:
    # What comes from a database, a backup or a name cannot move the cursor, or pose as our line.
    return "\n".join(_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line) for line in lines)


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def quiet_text(report: Report) -> str:
    """
    Write only what a script needs of a report.

    Returns: of an export the path of the backup; of an import the id of the plan that waits to be
        confirmed, or the path of the copy that was taken before; "" when there is none. Of a
        scheduled run everything, when not all went well.
    """
    if isinstance(report, ExportReport):
        return str(report.path or "")
    if isinstance(report, ExportAllReport):
        return "\n".join(str(each.report.path) for each in report.databases if each.report)
    if isinstance(report, ImportReport):
        waits = report.outcome in ("planned", "rehearsed")
        return report.plan.plan_id if waits else str(report.restore_point or "")
    if isinstance(report, RunReport):
        return text(report) if exit_code(report) else ""
    return text(report)


_LINES: dict[type, Callable[[Any], Iterator[str]]] = {
    DiffReport: diff_lines,
    DiscoverReport: discover_lines,
    DoctorReport: doctor_lines,
    ExportAllReport: export_all_lines,
    ExportReport: export_lines,
    ImportReport: import_lines,
    KeyReport: key_lines,
    KeysReport: keys_lines,
    PruneReport: prune_lines,
    RestoreReport: restore_lines,
    RunReport: run_lines,
    ScheduleReport: schedule_lines,
    ServeReport: serve_lines,
    StatusReport: status_lines,
    SyncReport: sync_lines,
    UndoReport: undo_lines,
    VerifyReport: verify_lines,
}
