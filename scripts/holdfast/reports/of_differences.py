"""What has changed from one side to another, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from holdfast.comparing.differences import Change, DiffReport, RowDifference, TableDifference
from holdfast.comparing.syncing import Sync
from holdfast.reports.words import counted, value_lines

_NAMED_DEFINITIONS = 8


def diff_lines(report: DiffReport) -> Iterator[str]:
    """Yield the lines of a report."""
    if report.same:
        rows = counted(sum(table.same for table in report.tables), "row")
        yield f"No differences: {counted(len(report.tables), 'table')}, {rows} are the same."
    else:
        yield f"From {report.first.path} to {report.second.path}:"
        yield from (f"  {line}" for line in _differences(report))
    if report.sync:
        yield f"Sync: {report.sync}, {_SYNC[report.sync]}."
    for part in report.parts:
        yield f"Compared alone: {part}."
    for skipped in report.not_compared:
        yield f"Not compared: {skipped.table} ({skipped.reason})."
    for side in (report.first, report.second):
        if not side.is_proven:
            yield f"{side.path.name} holds no counts and digests: nothing proves that it is whole."


_SYNC = {
    Sync.NONE: "backup and database are the same",
    Sync.IMPORTED: "the backup alone has changed since; an import is due",
    Sync.EXPORTED: "the database alone has changed since; an export is due",
    Sync.DIVERGED: "both have changed, or it is not known when they were the same",
}


def _differences(report: DiffReport) -> Iterator[str]:
    differing = [table for table in report.tables if not table.is_same]
    for table in differing:
        yield f"{table.name}: {', '.join(_table_changes(table))}"
        for row in table.rows:
            yield f"  {_row_text(row)}"
            yield from (f"      {line}" for line in value_lines(row.values, row.more_values))
        if table.rows and len(table.rows) < table.row_count:
            yield f"  and {counted(table.row_count - len(table.rows), 'row')} more"
    for name, count in report.added_tables.items():
        yield f"{name}: a new table, {counted(count, 'row')}"
    for name, count in report.removed_tables.items():
        yield f"{name}: the table is gone, {counted(count, 'row')}"
    if len(differing) < len(report.tables):
        yield f"{counted(len(report.tables) - len(differing), 'table')}: the same"
    if report.schema:
        named = [f"{each.type} {each.name} {each.change}" for each in report.schema]
        more = [f"and {len(named) - _NAMED_DEFINITIONS} more"] * (len(named) > _NAMED_DEFINITIONS)
        yield f"{counted(len(named), 'definition')}: {', '.join(named[:_NAMED_DEFINITIONS] + more)}"
    for name, (old, new) in report.numbers.items():
        yield f"{name}: {old}, then {new}"


def _table_changes(table: TableDifference) -> Iterator[str]:
    counts = {"added": table.added, "removed": table.removed, "changed": table.changed}
    yield from (f"{count:,} {word}" for word, count in counts.items() if count)
    columns = {"new": table.added_columns, "gone": table.removed_columns}
    yield from (f"columns {word}: {', '.join(names)}" for word, names in columns.items() if names)


_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


def _row_text(row: RowDifference) -> str:
    # As JSON a value has one line, whatever is in it.
    cells = (f"{name}={_short_json(cell)}" for name, cell in row.key.items())
    key = ", ".join(cells) or "a row without a key"
    return f"{_SIGNS[row.change]} {key}" + (f": {', '.join(row.columns)}" if row.columns else "")


def _short_json(cell: object) -> str:
    text_of_it = msgspec.json.encode(cell).decode()
    return text_of_it if len(text_of_it) <= _KEY_LENGTH else f"{text_of_it[:_KEY_LENGTH]}..."


_KEY_LENGTH = 60  # characters of a key's cell
