"""Carries out the plan of an import: copy, change, check, commit."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from msgspec.structs import replace

from holdfast import database, files
from holdfast.database import Connection, quote_identifier
from holdfast.definitions import column_clauses
from holdfast.errors import HoldfastError, ImportRefused, WriteFailed
from holdfast.model import Column, SchemaEntry, folded
from holdfast.operations.context import Progress
from holdfast.operations.import_basis import plan_changed
from holdfast.operations.import_job import ImportJob
from holdfast.operations.import_plan import broken_error
from holdfast.operations.import_space import has_rows
from holdfast.operations.restore_points import take_restore_point
from holdfast.outcomes import ImportReport, Plan, TablePlan
from holdfast.profiles import ImportFacts, activity_row
from holdfast.schema import affinity_of, broken_references
from holdfast.staged import StagedTable
from holdfast.works import Work, find_work, is_settled
from holdfast.writing import (
    Written,
    raise_sequences,
    rebuild_indexes,
    touch_indexed,
    triggers_set_aside,
    write_rows,
)


def carry_out(job: ImportJob, report: ImportReport) -> ImportReport:
    """
    Do what was planned, in the transaction that is open, and commit it.

    Raises: PlanChanged, ImportRefused, WriteFailed; then nothing has been changed.
    """
    plan, wanted = report.plan, job.options.confirm
    if wanted is not None and not job.options.yes and wanted != plan.plan_id:
        raise plan_changed(job, report, wanted)
    if plan.short_of_space:
        raise WriteFailed(
            plan.short_of_space,
            hint="Nothing was changed. Free some space, or keep the backups on another disk with"
            " `output` in backup.yaml.",
        )
    # Nobody else can change the database now: the copy is what it is before we do.
    restore_point = None
    if has_rows(job):
        restore_point = take_restore_point(
            job.context, job.target.chosen.path, "import", job.options.wait_seconds
        )
    try:
        _change(job, plan, restore_point)
    except BaseException:
        if restore_point:
            files.remove(restore_point)  # of a change that did not happen
        raise
    # When this fails, nobody knows what of it is on the disk: then the restore point stays.
    database.commit(job.connection)
    return replace(report, outcome="done", restore_point=restore_point)


def _change(job: ImportJob, plan: Plan, restore_point: Path | None) -> None:
    connection, schema = job.connection, job.target.schema
    names = [work.table.target.name for work in job.works]
    # The log of the tool, too, is written while no trigger fires.
    with triggers_set_aside(connection, schema, names):
        for work in job.works:
            _make_room(job, work.table)
        for work, expected in zip(job.works, plan.tables, strict=True):
            job.context.progress(Progress("changing", work.table.target.name))
            _write(job, work, expected)
            touch_indexed(connection, schema, work, names)
        job.context.progress(Progress("checking"))
        raise_sequences(connection, schema, job.staging.contents.trailer.sequences, names)
        rebuild_indexes(connection, schema, names)
        found = _newly_broken(connection, restore_point).items()
        if found:
            raise broken_error(tuple(f"{count:,} of {of} to {to}" for (of, to), count in found))
        _complain_of_difference(job, plan)
        _log(job, plan)


def _newly_broken(connection: Connection, restore_point: Path | None) -> Counter[tuple[str, str]]:
    """Count the rows that refer to nothing beyond those that did before; the copy has these."""
    found = broken_references(connection)
    if found and restore_point:
        with database.finished(restore_point) as before:
            return found - broken_references(before, {name for name, _ in found})
    return found


def _make_room(job: ImportJob, table: StagedTable) -> None:
    """Make a table or columns that the database lacks, and that are to be made."""
    if table.is_new:
        for entry in _entries_of(job, table):
            database.run_definition(job.connection, entry.sql)
    for column in table.added:
        job.connection.execute(
            f"ALTER TABLE {table.target_quoted} ADD COLUMN"
            f" {quote_identifier(column.name)} {_type_of(column)}{_rest_of(job, table, column)}"
        )


def _type_of(column: Column) -> str:
    """Return a column's type as it was written, unless it is more than a type."""
    if re.fullmatch(r"[\w ]*(\([\d, +-]+\))?", column.declared_type):
        return column.declared_type
    return affinity_of(column.declared_type, is_strict=False)


def _rest_of(job: ImportJob, table: StagedTable, column: Column) -> str:
    """Return the default and the collation of a column that is added."""
    words = [f"DEFAULT {column.default}"] if column.has_default else []
    words += ["NOT NULL"] if column.not_null else []
    for entry in _entries_of(job, table):
        if entry.type == "table":
            words.append(column_clauses(entry.sql)[folded(column.name)].collation)
    return "".join(f" {word}" for word in words if word)


def _entries_of(job: ImportJob, table: StagedTable) -> list[SchemaEntry]:
    """Return the backup's statements that make a table and its indexes."""
    entries = job.staging.contents.header.schema
    return [
        entry
        for entry in entries
        if folded(entry.table) == folded(table.target.name) and entry.type in ("table", "index")
    ]


def _write(job: ImportJob, work: Work, expected: TablePlan) -> None:
    try:
        written = write_rows(job.connection, work)
    except (database.IntegrityError, database.OperationalError) as error:
        if not database.is_refusal(error):
            raise
        raise ImportRefused(
            f"a row does not fit into {expected.name}: {error}",
            hint="Nothing was changed. The database has a rule that the backup's rows break. Import"
            " the other tables with --tables; restore makes a database of all of the backup.",
        ) from error
    planned = Written(expected.inserted, expected.overwritten, expected.removed)
    if written != planned:
        raise HoldfastError(
            f"{expected.name}: {written} was done, and {planned} was planned",
            hint="Nothing was changed. Please report this.",
        )


def _complain_of_difference(job: ImportJob, plan: Plan) -> None:
    """
    Compare again: after an import nothing of the backup may be left to be written.

    The rows that were passed over as equal are so still: no more rows were changed than were
    planned to, each of these is as it should be now and was not before, and none is gone.
    """
    for number, (work, planned) in enumerate(
        zip(job.works, plan.tables, strict=True), start=len(job.works)
    ):
        table = work.table
        there = replace(table.target, columns=(*table.target.columns, *table.added))
        settled = replace(table, target=there, added=(), is_new=False)
        again = find_work(job.connection, settled, number, work.mode, work.changed_at)
        if not is_settled(job.connection, again) or _row_is_gone(job, table, planned):
            raise HoldfastError(
                f"{table.target.name} is not as the backup has it after the import",
                hint="Nothing was changed. Please report this with the backup's schema.",
            )


def _row_is_gone(job: ImportJob, table: StagedTable, planned: TablePlan) -> bool:
    """Tell whether a rule of the target, as ON CONFLICT REPLACE, took rows that were not staged."""
    if not table.sifted:
        return False
    (count,) = job.connection.execute(f"SELECT count(*) FROM {table.target_quoted}").fetchone()
    return bool(count != table.sifted.stored + planned.inserted)


def _log(job: ImportJob, plan: Plan) -> None:
    """Tell the tool's own log, inside the same transaction."""
    profile = job.target.profile
    if not (profile and profile.activity and job.target.schema.table(profile.activity.table)):
        return
    written = written_counts(plan)
    details = {
        "source": job.backup.name,
        "mode": job.options.mode,
        "tables_imported": len(written),
        "tables": written,
        "skipped_tables": [skipped.table for skipped in plan.skipped],
        "backup_date": job.staging.contents.header.backup_date,
        "backup_version": job.staging.contents.header.version,
    }
    header, given = job.staging.contents.header, job.options.backup
    rows = {name: each["inserted"] + each["overwritten"] for name, each in written.items()}
    facts = ImportFacts(
        source=given if files.user_path(given).exists() else str(job.backup),
        details=json.dumps(details, ensure_ascii=False),
        actor=job.context.actor,
        mode=job.options.mode,
        time=job.context.timestamp,
        tables=rows,
        total_rows=sum(rows.values()),
        skipped_tables=tuple(skipped.table for skipped in plan.skipped),
        source_version=header.version,
        source_date=header.backup_date,
    )
    row = activity_row(profile.activity, facts)
    database.insert_row(job.connection, profile.activity.table, row)


def written_counts(plan: Plan) -> dict[str, dict[str, int]]:
    """Count the rows that an import wrote or removed, by table and by what was done."""
    return {
        table.name: {
            "inserted": table.inserted,
            "overwritten": table.overwritten,
            **({"removed": table.removed} if table.removed else {}),
        }
        for table in plan.tables
        if table.inserted or table.overwritten or table.removed
    }
