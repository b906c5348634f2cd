"""Delete one backup of the output folder: say what remains, confirm, remove, record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import files
from holdfast.errors import HoldfastError, PlanChanged
from holdfast.model import DAMAGED
from holdfast.operations.context import Context
from holdfast.operations.plan_ids import plan_id_of
from holdfast.operations.shelf import backups_on_file, remove_backup
from holdfast.outcomes import BackupOnFile
from holdfast.pruned import DeleteReport, RemainingBackup


class DeleteOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a deletion."""

    backup: BackupOnFile
    confirm: str | None = None  # the id of the plan that the person has agreed to


def delete_backup(context: Context, options: DeleteOptions) -> DeleteReport:
    """
    Say what remains without a backup of the output folder, and delete it once agreed to.

    What stores have of it stays there.

    Raises: PlanChanged when file or remainder are no longer those of the plan; WriteFailed.
    """
    backup = options.backup
    remaining = tuple(_remaining(context, backup))
    report = DeleteReport(
        path=backup.path,
        database=backup.database,
        bytes=backup.bytes,
        remaining=remaining,
        plan_id=_plan_id(backup, remaining),
        outcome="planned",
        warnings=tuple(_warnings(backup, remaining)),
    )
    if options.confirm is None:
        return report
    if options.confirm != report.plan_id:
        raise PlanChanged(
            f"what would be deleted, or remain, is no longer the plan {options.confirm}",
            hint="The new plan is shown: confirm that, if it is what you want.",
            report=report,
        )
    remove_backup(backup.path)
    return replace(report, outcome="done", warnings=tuple(_remember(context, report)))


def _remaining(context: Context, backup: BackupOnFile) -> Iterator[RemainingBackup]:
    for each in backups_on_file(context):
        if each.path != backup.path and each.database == backup.database:
            yield RemainingBackup(
                "", each.path.name, each.created_at, each.bytes, each.verified, each.part
            )
    made = {each.path: each for each in context.known_backups()}
    for copy in context.known_copies():
        of = made.get(copy.backup)
        if of and of.database == backup.database:
            yield RemainingBackup(
                copy.store, copy.name, of.created_at, copy.bytes, copy.verified, copy.part
            )


def _warnings(backup: BackupOnFile, remaining: tuple[RemainingBackup, ...]) -> Iterator[str]:
    sound = [each for each in remaining if each.verified != DAMAGED and not each.part]
    if not remaining:
        yield "nothing remains of this database: this is its only backup."
    elif not sound and not backup.part:
        yield "no whole backup of this database remains."
    elif not any(each.verified for each in sound) and backup.verified not in ("", DAMAGED):
        yield "no backup of this database that was verified remains."
    if remaining and all(each.place for each in sound):
        yield "what remains is in stores alone."


def _plan_id(backup: BackupOnFile, remaining: tuple[RemainingBackup, ...]) -> str:
    """Hash the file as it is and the names of what remains: a plan holds as long as these do."""
    names = sorted(f"{each.place}:{each.name}" for each in remaining)
    return plan_id_of([str(backup.path), backup.bytes, files.modified_ns(backup.path), names])


def _remember(context: Context, report: DeleteReport) -> Iterator[str]:
    try:
        context.history.record_event(
            at=context.timestamp,
            operation="delete",
            outcome="done",
            database_path=Path(report.database),
            backup=report.path,
            details={"by": context.actor, "bytes": report.bytes, "plan_id": report.plan_id},
        )
    except HoldfastError as error:
        yield f"the backup was deleted, but that could not be recorded: {error}"
