"""Go back to a restore point: the live database takes on its pages, in one transaction."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import database, files, programs
from holdfast.comparing.differences import DiffReport
from holdfast.database import DEFAULT_WAIT_SECONDS, Connection
from holdfast.digest import digest_of
from holdfast.errors import (
    BackupNotFound,
    DatabaseDamaged,
    DatabaseLocked,
    DatabaseNotFound,
    HoldfastError,
    NotADatabase,
    PlanChanged,
    RestoreRefused,
)
from holdfast.model import ChosenDatabase, RestorePoint
from holdfast.operations.context import Context, choose_database
from holdfast.operations.diff_backups import LIVE, DiffOptions, diff_backups
from holdfast.operations.plan_ids import plan_id_of
from holdfast.operations.restore_points import (
    free_restore_point,
    record_restore_point,
    remove_outdated,
)
from holdfast.operations.shelf import find_backup, restore_command
from holdfast.operations.stored import LATEST
from holdfast.outcomes import UndoneTable, UndoReport
from holdfast.schema import read_schema


class UndoOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of an undo."""

    point: str = "latest"  # or the name of a restore point
    list_only: bool = False
    database: str | None = None
    sample: bool = False
    dry_run: bool = False
    yes: bool = False
    confirm: str | None = None
    wait_seconds: float = DEFAULT_WAIT_SECONDS


def undo_change(context: Context, options: UndoOptions) -> UndoReport:
    """
    Plan to go back to a restore point and, once that is agreed to, do it whole or not at all.

    The database's file stays the same one: its content is replaced in one transaction, after a
    restore point of its own was taken, so that an undo can be undone.

    Raises: BackupNotFound; PlanChanged; RestoreRefused while another program uses the database.
    """
    chosen = _chosen(context, options)
    try:
        return _undo(context, options, chosen)
    except HoldfastError as error:
        if options.yes or options.confirm:
            _remember_failure(context, chosen, options, error)
        raise


def _chosen(context: Context, options: UndoOptions) -> ChosenDatabase:
    """Choose the database that is named, else that of the restore point, else the usual one."""
    if options.database is None and not options.sample:
        for point in context.history.restore_points():
            if _is_meant(options.point, point):
                return ChosenDatabase(point.database, "the restore point is of it")
    return choose_database(context, options.database, sample=options.sample)


def _is_meant(wanted: str, point: RestorePoint) -> bool:
    return wanted in ("latest", point.path.name, point.path.stem, str(point.path))


def _undo(context: Context, options: UndoOptions, chosen: ChosenDatabase) -> UndoReport:
    points = tuple(context.history.restore_points(chosen.path))
    report = UndoReport(chosen, points, None, (), (), "", "listed", None)
    if options.list_only:
        return report
    point = _find(context, options, chosen, points)
    report = _plan(context, options, replace(report, point=point), point)
    if report.outcome != "planned" or not (options.yes or options.confirm):
        return report
    if not options.yes and options.confirm != report.plan_id:
        raise _plan_changed(options.confirm)
    path = _go_back(context, options, report, point)
    warnings = tuple(_remember(context, chosen, point, path))
    return replace(report, outcome="done", restore_point=path, warnings=warnings)


def _find(
    context: Context,
    options: UndoOptions,
    chosen: ChosenDatabase,
    points: tuple[RestorePoint, ...],
) -> RestorePoint:
    wanted = options.point
    for point in points:
        if _is_meant(wanted, point):
            return point
    with _live(options, chosen, None):  # or that it cannot be read is what the person must know
        pass
    if points:
        raise BackupNotFound(
            f"no restore point {wanted!r} of {chosen.path}", hint="undo --list names them."
        )
    raise BackupNotFound(
        f"there is no restore point of {chosen.path}",
        hint="An import, undo or restore takes one before it changes a database."
        + _way_back(context, options, chosen),
    )


def _way_back(context: Context, options: UndoOptions, chosen: ChosenDatabase) -> str:
    """Name the command that goes back to the latest backup, where there is one."""
    try:
        find_backup(context, LATEST, chosen)
    except BackupNotFound:
        return ""
    command = shlex.join(["import", LATEST, "--mode", "clear", *_database_words(options, chosen)])
    return f" To go back to the latest backup: {command}"


@contextlib.contextmanager
def _live(
    options: UndoOptions, chosen: ChosenDatabase, point: RestorePoint | None
) -> Iterator[Connection]:
    """Yield a connection that reads the database; where it is beyond that, point to restore."""
    try:
        with database.read_only(chosen.path, options.wait_seconds) as live:
            yield live
    except (DatabaseNotFound, NotADatabase, DatabaseDamaged) as error:
        source = point.path if point else Path("latest")
        raise type(error)(
            str(error),
            hint="An undo changes a database that can be read. To bring this one back:"
            f" {restore_command(source, chosen.path)}",
        ) from error


def _plan(
    context: Context, options: UndoOptions, report: UndoReport, point: RestorePoint
) -> UndoReport:
    """Compare the database with the restore point, from what is to what would be."""
    with database.finished(point.path) as copy:
        database.complain_of_damage(copy, point.path)
    # The id first: what changes while the two are compared is seen when it is looked at again.
    with _live(options, report.database, point) as live:
        plan_id = _plan_id(live, point)
    found = diff_backups(
        context,
        DiffOptions(
            first=LIVE,
            second=str(point.path),
            database=str(report.database.path),
            wait_seconds=options.wait_seconds,
        ),
    )
    tables = tuple(
        UndoneTable(table.name, table.added, table.removed, table.changed)
        for table in found.tables
        if table.row_count
    )
    outcome = "nothing to do" if found.same else "rehearsed" if options.dry_run else "planned"
    return replace(
        report,
        tables=tables,
        other_changes=tuple(_other_changes(found)),
        plan_id=plan_id,
        confirmed_by=_arguments(report, options, point, plan_id),
        outcome=outcome,
    )


def _arguments(
    report: UndoReport, options: UndoOptions, point: RestorePoint, plan_id: str
) -> tuple[str, ...]:
    """Name the arguments that carry out just this plan."""
    of = _database_words(options, report.database)
    return (point.path.stem, *of, "--confirm", plan_id)


def _database_words(options: UndoOptions, chosen: ChosenDatabase) -> tuple[str, ...]:
    """Name the database in a command, where it was named in this one."""
    if options.sample:
        return ("--sample",)
    return () if options.database is None else ("--db", str(chosen.path))


def _other_changes(found: DiffReport) -> Iterator[str]:
    for name in found.added_tables:
        yield f"the table {name} comes back"
    for name in found.removed_tables:
        yield f"the table {name} goes"
    for entry in found.schema:
        yield f"the {entry.type} {entry.name} is {entry.change}"
    yield from (f"{name} changes" for name in found.numbers)


def _plan_id(live: Connection, point: RestorePoint) -> str:
    """Hash what the plan rests on: the restore point, and all rows of the database."""
    rows = {table.name: digest_of(live, table).hex() for table in read_schema(live).tables}
    return plan_id_of([files.sha256_of(point.path), rows])


def _plan_changed(wanted: str | None) -> PlanChanged:
    return PlanChanged(
        "what would happen is no longer "
        + (f"the plan {wanted}" if wanted else "what was planned"),
        hint="Run undo again without --confirm, and look at the new plan.",
    )


def _go_back(
    context: Context, options: UndoOptions, report: UndoReport, point: RestorePoint
) -> Path:
    """Carry the plan out, if it is still the same once nobody else can change the database."""
    path = report.database.path
    kept = free_restore_point(context, path)
    try:
        with database.exclusive(path, options.wait_seconds) as live:
            if _plan_id(live, point) != report.plan_id:
                raise _plan_changed(options.confirm)
            database.copy_aside(live, path, kept)
            record_restore_point(context, path, kept, "undo")
            database.converge(live, path, point.path)
    except DatabaseLocked as error:
        users = ", ".join(programs.holders([path, *database.sidecars(path)])) or "another program"
        raise RestoreRefused(
            f"{path} is in use by {users}",
            hint="Close it, then undo again. Nothing was changed.",
        ) from error
    remove_outdated(context, path)
    return kept


def _remember(
    context: Context, chosen: ChosenDatabase, point: RestorePoint, kept: Path
) -> Iterator[str]:
    try:
        context.history.record_event(
            at=context.timestamp,
            operation="undo",
            outcome="done",
            database_path=chosen.path,
            backup=point.path,
            details={"by": context.actor, "restore_point": files.text_of(kept)},
        )
    except HoldfastError as error:
        yield f"the database is as it was, but that could not be recorded: {error}"


def _remember_failure(
    context: Context, chosen: ChosenDatabase, options: UndoOptions, error: HoldfastError
) -> None:
    with contextlib.suppress(HoldfastError):  # the failure itself is what the person must see
        context.history.record_event(
            at=context.timestamp,
            operation="undo",
            outcome=type(error).__name__,
            database_path=chosen.path,
            backup=Path(options.point),
            details={"by": context.actor, "message": str(error)},
        )
