"""
Carries out a plan inside the transaction that is open.

Rows that are there are changed by UPDATE, others added by INSERT: never by REPLACE, which deletes
the old row and, through ON DELETE CASCADE, its children (sqlite.org/lang_conflict.html). Nor by
INSERT with ON CONFLICT: that holds a row to the rules with the defaults of what the backup lacks.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from holdfast.database import Connection, quote_identifier
from holdfast.equality import key_parts, same_key
from holdfast.errors import HoldfastError
from holdfast.model import Rows, Schema, SchemaEntry, folded
from holdfast.schema import fills, has_feeding_trigger, writes_to
from holdfast.staged import StagedTable, free_name
from holdfast.works import Action, ConflictMode, Work, changes, gone_condition, work_rows

MOST_TERMS = 2000  # that SQLite takes in one statement


class Written(Struct, frozen=True):
    """Rows of one table that an import really wrote or removed."""

    inserted: int = 0
    overwritten: int = 0
    removed: int = 0


def write_rows(connection: Connection, work: Work) -> Written:
    """
    Do to one table what was planned for it.

    Rows that hand on a UNIQUE value are taken out before others get theirs, and put back as they
    should be: in no order of changes would the values of two rows that swapped them fit.
    """
    removed = 0
    if work.mode is ConflictMode.CLEAR and not work.table.is_new:
        where = gone_condition(work)
        removed = _written(
            connection, work, f"DELETE FROM {work.table.target_quoted} AS m WHERE {where}"
        )
    overwritten = 0
    if work.table.key and not work.table.is_new:
        hands_on = f"EXISTS (SELECT 1 FROM {work.name} WHERE hands_on)"
        (is_handed_on,) = connection.execute(f"SELECT {hands_on}").fetchone()
        if is_handed_on:
            _take_out(connection, work)
        overwritten = _change(connection, work)
        if is_handed_on:
            overwritten += _put_back(connection, work)
    return Written(_insert_all(connection, work), overwritten, removed)


def _insert_all(connection: Connection, work: Work) -> int:
    table = work.table
    if not (table.target.rowid_name and table.has_rowid) or len(table.columns) >= MOST_TERMS:
        return _insert(connection, work, with_rowid=False)
    # A row keeps its rowid where that is free. These go first: a rowid that SQLite picks for
    # another row could be one that is still to come.
    connection.execute(
        f"UPDATE {work.name} SET keeps_rowid = TRUE WHERE action = {Action.INSERT:d}"
        f" AND row NOT IN (SELECT {table.target.rowid_name} FROM {table.target_quoted})"
    )
    return _insert(connection, work, with_rowid=True) + _insert(connection, work, with_rowid=False)


def _insert(connection: Connection, work: Work, *, with_rowid: bool) -> int:
    table = work.table
    targets = list(map(quote_identifier, table.columns))
    sources = [f"s.{name}" for name in targets]
    if with_rowid:
        targets.insert(0, str(table.target.rowid_name))
        sources.insert(0, "w.row")
    # ORDER BY would be one term too many for the widest tables.
    return _written(
        connection,
        work,
        f"INSERT INTO {table.target_quoted} ({', '.join(targets)})"
        f" SELECT {', '.join(sources)} FROM {work_rows(work)}"
        f" WHERE w.action = {Action.INSERT:d} AND w.keeps_rowid = {with_rowid}",
    )


def _change(connection: Connection, work: Work) -> int:
    table = work.table
    if table.target.is_virtual:  # virtual tables know no UPDATE with FROM
        return _change_virtual(connection, work)
    key = [there for _, there in table.key]
    # Integers that are equal are the same; keys of other kinds may be equal in another form.
    names = [
        name
        for name in table.columns
        if quote_identifier(name) not in key or table.affinity(name) != "INTEGER"
    ]
    count = 0
    for start in range(0, len(names), MOST_TERMS // 2):
        values = (
            f"{quote_identifier(name)} = {_merged(table, name, 'm')}"
            for name in names[start : start + MOST_TERMS // 2]
        )
        count = _written(
            connection,
            work,
            f"UPDATE {table.target_quoted} AS m SET {', '.join(values)} FROM {table.quoted} AS s"
            f" WHERE s.{quote_identifier(table.numbered)} IN (SELECT row FROM {work.name}"
            f" WHERE {changes()} AND NOT hands_on) AND {same_key(table)}",
        )
    return count


def _merged(table: StagedTable, column: str, stored: str) -> str:
    name = quote_identifier(column)
    return table.value(column, f"s.{name}", f"{stored}.{name}")


def _lacking(table: StagedTable) -> list[str]:
    """Name the stored columns that the backup lacks, or may not have as they were."""
    columns = (*table.target.column_names, *(column.name for column in table.added))
    return [name for name in columns if name not in table.columns or name in table.vague]


def _take_out(connection: Connection, work: Work) -> None:
    """Remove the rows that hand on a UNIQUE value; what the backup lacks of them is kept aside."""
    table = work.table
    kept = [f"m.{quote_identifier(name)}" for name in _lacking(table)]
    row, rowid = _aside_columns(table)
    kept.append(f"w.row AS {row}")
    if table.target.rowid_name:
        kept.append(f"m.{table.target.rowid_name} AS {rowid}")
    handing_on = f"w.{changes()} AND w.hands_on"
    connection.execute(
        f"CREATE TABLE {_aside(work)} AS SELECT {', '.join(kept)} FROM {work_rows(work)}"
        f" JOIN {table.target_quoted} AS m ON {same_key(table)} WHERE {handing_on}"
    )
    theirs = ", ".join(f"s.{here}" for here, _ in table.key)
    _written(
        connection,
        work,
        f"DELETE FROM {table.target_quoted} AS m WHERE ({', '.join(key_parts(table))})"
        f" IN (SELECT {theirs} FROM {work_rows(work)} WHERE {handing_on})",
    )


def _put_back(connection: Connection, work: Work) -> int:
    table = work.table
    here = list(map(quote_identifier, table.columns))
    lacking = [quote_identifier(name) for name in _lacking(table) if name not in table.vague]
    row, rowid = _aside_columns(table)
    targets, sources = [*here, *lacking], [_merged(table, name, "k") for name in table.columns]
    sources += [f"k.{name}" for name in lacking]
    if table.target.rowid_name:
        targets.append(table.target.rowid_name)
        sources.append(f"k.{rowid}")
    return _written(
        connection,
        work,
        f"INSERT INTO {table.target_quoted} ({', '.join(targets)}) SELECT {', '.join(sources)}"
        f" FROM {_aside(work)} AS k JOIN {table.quoted} AS s"
        f" ON s.{quote_identifier(table.numbered)} = k.{row} ORDER BY k.{row}",
    )


def _aside_columns(table: StagedTable) -> tuple[str, str]:
    """Name the columns for a row's number and its rowid, beside those that the backup lacks."""
    taken = set(map(folded, _lacking(table)))
    return quote_identifier(free_name("$row", taken)), quote_identifier(free_name("$id", taken))


def _aside(work: Work) -> str:
    return f'temp."$aside{work.number}"'


def _change_virtual(connection: Connection, work: Work) -> int:
    """Take rows out of a full-text or spatial table, and put them in again as they should be."""
    table = work.table
    [(here, there)] = table.key
    changed = f"{work_rows(work)} WHERE w.action = {Action.CHANGE:d}"
    connection.execute(
        f"DELETE FROM {table.target_quoted} WHERE {there} IN (SELECT s.{here} FROM {changed})"
    )
    names = list(map(quote_identifier, table.columns))
    targets = [there, *names] if there not in names else names
    sources = [
        f"s.{here}" if name == there and there not in names else f"s.{name}" for name in targets
    ]
    return _written(
        connection,
        work,
        f"INSERT INTO {table.target_quoted} ({', '.join(targets)})"
        f" SELECT {', '.join(sources)} FROM {changed}",
    )


def _written(connection: Connection, work: Work, statement: str) -> int:
    """Run a statement that changes the target, and return how many rows it changed itself."""
    before = connection.total_changes
    count = max(0, int(connection.execute(statement).rowcount))
    if work.table.sifted and connection.total_changes - before != count:
        raise HoldfastError(
            f"{work.table.target.name}: to write its rows changed others",
            hint="Nothing was changed. Please report this with the backup's schema.",
        )
    return count


def raise_sequences(
    connection: Connection, schema: Schema, sequences: Mapping[str, int], tables: Iterable[str]
) -> None:
    """Take AUTOINCREMENT on from the backup's mark where that is higher; it never goes down."""
    if not schema.has_sequences:
        return
    marks = {folded(name): mark for name, mark in sequences.items()}
    for table in tables:
        if folded(table) in marks:
            connection.execute(
                "UPDATE sqlite_sequence SET seq = ? WHERE name = ? AND seq < ?",
                [marks[folded(table)], table, marks[folded(table)]],
            )


@contextlib.contextmanager
def triggers_set_aside(
    connection: Connection, schema: Schema, staged: Iterable[str]
) -> Iterator[tuple[str, ...]]:
    """
    Drop the triggers for as long as this lasts, and make them again from their own text.

    Those that fill a full-text or spatial table stay, unless its rows are imported themselves, or
    it can be made anew from the table that it indexes.

    Args: staged: the tables whose rows are imported.
    Yields: the names of the triggers that were dropped.
    """
    kept_up = _kept_up(schema, staged)
    aside = [entry for entry in _triggers(schema) if not _keeps_up(entry, kept_up)]
    for entry in aside:
        connection.execute(f"DROP TRIGGER main.{quote_identifier(entry.name)}")
    yield tuple(entry.name for entry in aside)
    for entry in aside:
        connection.execute(entry.sql)


def keeps_triggers(schema: Schema) -> bool:
    """Tell whether there are triggers that may stay: those that keep up an index."""
    kept_up = _kept_up(schema, ())
    return any(_keeps_up(entry, kept_up) for entry in _triggers(schema))


def _triggers(schema: Schema) -> list[SchemaEntry]:
    return [entry for entry in schema.entries if entry.type == "trigger"]


def _keeps_up(trigger: SchemaEntry, indexes: Iterable[str]) -> bool:
    return any(writes_to(trigger.sql, name) for name in indexes)


def _kept_up(schema: Schema, staged: Iterable[str]) -> list[str]:
    """Name the indexes that triggers keep up during an import: their own rows are not imported."""
    imported = {folded(name) for name in staged}
    return [
        table.name
        for table in schema.virtual_tables
        if table.rows in (Rows.OWN, Rows.REFILLED) and folded(table.name) not in imported
    ]


def touch_indexed(
    connection: Connection, schema: Schema, work: Work, staged: Iterable[str]
) -> None:
    """
    Put rows that came in into indexes that a trigger fills only when a row is changed.

    Args: staged: the tables whose rows are imported.
    """
    table = work.table
    for index in _kept_up(schema, staged) if table.key else ():
        if has_feeding_trigger(schema, index):
            continue
        for entry in schema.entries:
            of = re.search(r"(?is)\bupdate(?:\s+of\s+(.+?))?\s+on\b", entry.sql)
            mine = entry.type == "trigger" and folded(entry.table) == folded(table.target.name)
            if mine and of and fills(entry.sql, index):
                column = of[1].partition(",")[0] if of[1] else quote_identifier(table.columns[0])
                connection.execute(
                    f"UPDATE {table.target_quoted} AS m SET {column} = {column} WHERE EXISTS"
                    f" (SELECT 1 FROM {work_rows(work)} WHERE w.action = {Action.INSERT:d}"
                    f" AND {same_key(table)})"
                )


def rebuild_indexes(connection: Connection, schema: Schema, written: Iterable[str]) -> None:
    """Make the full-text indexes anew whose table was written, or that index a view."""
    changed = {folded(name) for name in written}
    untouched = {folded(table.name) for table in schema.tables} - changed
    for table in schema.virtual_tables:
        if table.rows is Rows.REBUILT and folded(table.content) not in untouched:
            name = quote_identifier(table.name)
            connection.execute(f"INSERT INTO main.{name} ({name}) VALUES ('rebuild')")
