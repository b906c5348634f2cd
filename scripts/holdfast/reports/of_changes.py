"""Imports and undos, planned or done, in lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from holdfast.outcomes import (
    ImportReport,
    Plan,
    TablePlan,
    UndoneTable,
    UndoReport,
)
from holdfast.reports.words import counted, name_of, tables_by_reason, value_lines

_IMPORTED = {
    "planned": "Plan: import",
    "rehearsed": "Rehearsal, nothing is changed: import",
    "done": "Imported",
    "nothing to do": "The database has all of",
}


def import_lines(report: ImportReport) -> Iterator[str]:
    """Yield the lines of a report."""
    proof = "proven whole" if report.is_proven else "not proven"
    first = _IMPORTED[report.outcome]
    if report.outcome == "nothing to do" and report.warnings:
        first = "In the tables that are there, the database has all of"
    into = f" into {report.database.path}, mode {report.mode}."
    if report.outcome == "nothing to do":
        into = f" already: {report.database.path} was not changed."
    facts = [report.backup_date, counted(report.row_count, "row"), proof]
    yield f"{first} {name_of(report.backup)} ({', '.join(filter(None, facts))}){into}"
    yield from _backup_notes(report)
    plan = report.plan
    busy = [table for table in plan.tables if _says_more_than_unchanged(table)]
    for table in busy:
        yield f"  {table.name}: {', '.join(_table_facts(table))}"
    if len(busy) < len(plan.tables):
        yield f"  {counted(len(plan.tables) - len(busy), 'table')}: nothing to change"
    for row in plan.rows or ():
        yield f"    {row.table} {row.key}: {row.action}"
        yield from (f"        {line}" for line in value_lines(row.values, row.more_values))
    for reason, names in tables_by_reason(plan.skipped).items():
        yield f"Skipped: {', '.join(names)} ({reason})."
    if report.restore_point:
        yield f"Before the change, the database was copied to {report.restore_point}"
    if report.outcome in ("planned", "rehearsed"):
        yield from _plan_notes(plan)
    if report.outcome == "planned":
        yield "Nothing has been changed. If this is what you want:"
        yield f"  import {shlex.join(report.confirmed_by)}"


def _backup_notes(report: ImportReport) -> Iterator[str]:
    if report.others:
        names = ", ".join(report.others)
        yield f"It is the first database of backup.yaml; --db NAME takes another: {names}."
    if report.issues:
        counts = ", ".join(f"{word} {count:,}" for word, count in report.issues.items())
        yield f"Issues of Beads: {counts}."
    if report.recognised:
        yield f"The file is {report.recognised}."
    if report.part:
        yield f"The backup holds a part of its database: {report.part}."
    if report.redacted:
        yield (
            f"Secrets were replaced when the backup was made: {', '.join(report.redacted)}."
            " Rows that are there keep theirs; new ones have a marker."
        )


def _says_more_than_unchanged(table: TablePlan) -> bool:
    return bool(
        table.is_new
        or table.inserted
        or table.overwritten
        or table.removed
        or table.kept
        or table.stale
        or table.conflicts
    )


def _plan_notes(plan: Plan) -> Iterator[str]:
    if plan.broken:
        yield f"References that would break: {'; '.join(plan.broken)}."
    if plan.triggers:
        yield f"Triggers that will not fire: {', '.join(plan.triggers)}."
    if plan.short_of_space:
        yield f"Too little room: {plan.short_of_space}."
    if plan.holders:
        yield f"The database is open in {', '.join(plan.holders)}."


def _table_facts(table: TablePlan) -> Iterator[str]:
    if table.is_new:
        yield "a new table"
    facts = {
        "inserted": table.inserted,
        "overwritten": table.overwritten,
        "removed": table.removed,
        "unchanged": table.unchanged,
        "kept as they are": table.kept,
        "kept, being newer": table.stale,
    }
    for word, count in facts.items():
        if count:
            named = word == "overwritten" and table.columns
            columns = f" (in {', '.join(table.columns)})" if named else ""
            yield f"{count:,} {word}{columns}"
    if table.conflicts:
        shown = (*table.examples, *table.collided)
        yield f"{table.conflicts:,} in conflict ({'; '.join(shown)})"


def undo_lines(report: UndoReport) -> Iterator[str]:
    """Yield the lines of a report."""
    if report.point is None:
        yield f"{counted(len(report.points), 'restore point')} of {report.database.path}."
        for point in report.points:
            yield f"  {point.path.stem}: before {_an(point.reason)}, {point.taken_at}"
        return
    of = f"{report.point.path.stem} (before {_an(report.point.reason)}, {report.point.taken_at})"
    if report.outcome == "nothing to do":
        yield f"{report.database.path} is as it was at {of} already."
        return
    done = report.outcome == "done"
    yield f"{'Gone' if done else 'Plan: go'} back to {of} in {report.database.path}."
    for table in report.tables:
        yield f"  {table.name}: {', '.join(_undone_facts(table))}"
    for change in report.other_changes:
        yield f"  {change}"
    if report.restore_point:
        yield f"Before that, the database was copied to {report.restore_point}"
    if report.outcome == "planned":
        yield "Nothing has been changed. If this is what you want:"
        yield f"  undo {shlex.join(report.confirmed_by)}"


def _an(operation: str) -> str:
    return f"{'an' if operation[:1] in 'aeiou' else 'a'} {operation}"


def _undone_facts(table: UndoneTable) -> Iterator[str]:
    if table.brought_back:
        yield f"{counted(table.brought_back, 'row')} brought back"
    if table.taken_out:
        yield f"{counted(table.taken_out, 'row')} taken out"
    if table.changed:
        yield f"{counted(table.changed, 'row')} changed back"
