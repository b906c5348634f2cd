"""Bring a backup's rows into a database: prove, plan, confirm, copy, change, check, commit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from holdfast import files
from holdfast.errors import DatabaseNotFound, HoldfastError, PlanChanged, UsageError
from holdfast.model import ChosenDatabase
from holdfast.operations.context import Context, Progress
from holdfast.operations.import_basis import remember_plan
from holdfast.operations.import_change import carry_out, written_counts
from holdfast.operations.import_choice import chosen_for, is_latest
from holdfast.operations.import_job import ImportOptions, describe_target, open_source
from holdfast.operations.import_plan import complain_of_plan, plan_import
from holdfast.operations.import_ready import Import
from holdfast.operations.shelf import restore_command
from holdfast.operations.stored import AtHand
from holdfast.outcomes import ImportReport
from holdfast.works import ConflictMode


def import_backup(context: Context, options: ImportOptions) -> ImportReport:
    """
    Plan an import and, once it is agreed to, carry it out whole or not at all.

    Nothing is changed before the backup is proven, the plan is agreed to, and a copy of the
    database is taken. Rows that were added since the backup stay, unless the mode is clear.

    Raises: BackupError and its kin; DatabaseError and its kin; ImportConflict; ImportRefused;
        PlanChanged when the plan is no longer the one that was confirmed.
    """
    _complain_of_options(options)
    with chosen_for(context, options) as (found, chosen):
        return _import_found(context, options, found, chosen)


def _import_found(
    context: Context, options: ImportOptions, found: AtHand, chosen: ChosenDatabase
) -> ImportReport:
    try:
        report, digests = _import(context, options, found, chosen)
        report = replace(report, others=_others(context, options))
    except HoldfastError as error:
        if options.is_agreed:
            _remember_failure(context, options, found.shown, chosen, error)
        if isinstance(error, PlanChanged) and isinstance(error.report, ImportReport):
            remember_plan(context, error.report)
        raise
    if report.outcome == "planned":
        remember_plan(context, report)
    if report.outcome == "done":
        of_all = {} if options.names_some else {"digests": digests}
        report = replace(report, warnings=(*report.warnings, *_remember(context, report, of_all)))
    return report


def _others(context: Context, options: ImportOptions) -> tuple[str, ...]:
    """Name the databases of backup.yaml whose latest backup a person may have meant."""
    is_named = options.database is not None or options.sample
    return () if is_named or not is_latest(options) else tuple(context.settings.databases)[1:]


def _complain_of_options(options: ImportOptions) -> None:
    if options.source and options.mode is not ConflictMode.OVERWRITE:
        raise UsageError(
            f"--mode {options.mode} does not go with --from {options.source}",
            hint="Leave --mode out: issues that Beads has not changed since stay as they are.",
        )
    if options.project and not options.source:
        raise UsageError("--project goes with --from", hint="Leave it out.")
    if options.children and not options.keys:
        raise UsageError("--children goes with --keys", hint="Name rows, as --keys contacts:12.")
    if options.keys and options.mode is ConflictMode.CLEAR:
        raise UsageError(
            "--mode clear removes what the backup lacks, and --keys takes single rows",
            hint="Use --mode overwrite: it changes these rows alone.",
        )


def _import(
    context: Context, options: ImportOptions, found: AtHand, chosen: ChosenDatabase
) -> tuple[ImportReport, Mapping[str, str]]:
    """Import, and return what there is to report, and the digests of the backup's tables."""
    try:
        target = describe_target(context, options, chosen)
    except DatabaseNotFound as error:
        if options.source:
            raise
        raise DatabaseNotFound(
            str(error),
            hint="An import needs a database to bring rows into. To make this one anew:"
            f" {restore_command(found.shown, chosen.path)}",
        ) from error
    with (
        open_source(context, options, found.path, target) as reader,
        Import(context, options, found.shown, target, reader).ready() as job,
    ):
        context.progress(Progress("planning"))
        report = plan_import(job)
        complain_of_plan(job, report.plan)
        if options.is_agreed and report.outcome == "planned":
            report = carry_out(job, report)
    return report, job.staging.contents.trailer.digests


def _remember(context: Context, report: ImportReport, more: Mapping[str, object]) -> Iterator[str]:
    try:
        context.history.record_event(
            at=context.timestamp,
            operation="import",
            outcome="done",
            database_path=report.database.path,
            backup=report.backup,
            details={
                "by": context.actor,
                "mode": report.mode,
                "backup_date": report.backup_date,
                "tables": written_counts(report.plan),
                "restore_point": files.text_of(report.restore_point)
                if report.restore_point
                else "",
                "plan_id": report.plan.plan_id,
                **more,
            },
        )
    except HoldfastError as error:
        yield f"the import is done, but could not be recorded: {error}"


def _remember_failure(
    context: Context,
    options: ImportOptions,
    path: Path,
    chosen: ChosenDatabase,
    error: HoldfastError,
) -> None:
    with contextlib.suppress(HoldfastError):  # the failure itself is what the person must see
        context.history.record_event(
            at=context.timestamp,
            operation="import",
            outcome=type(error).__name__,
            database_path=chosen.path,
            backup=path,
            details={
                "by": context.actor,
                "mode": options.mode,
                "plan_id": options.confirm or "",
                "message": str(error),
            },
        )
