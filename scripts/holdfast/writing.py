"""
Carries out a plan inside the transaction that is open.

Rows that are there are changed by a real upsert, never by REPLACE: that deletes the old row
and, through ON DELETE CASCADE, its children (sqlite.org/lang_conflict.html).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from holdfast.database import Connection, quote_identifier
from holdfast.model import Rows, Schema, folded
from holdfast.schema import writes_to
from holdfast.works import Action, ConflictMode, Work, gone_condition, work_rows


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of one table that an import really wrote or removed."""

    inserted: int = 0
    overwritten: int = 0
    removed: int = 0


def write_rows(connection: Connection, work: Work) -> Written:
    """Do to one table what was planned for it."""
    removed = 0
    if work.mode is ConflictMode.CLEAR and not work.table.is_new:
        removed = _written(
            connection, f"DELETE FROM {work.table.target_quoted} AS m WHERE {gone_condition(work)}"
        )
    overwritten = _change(connection, work) if work.table.key else 0
    return Written(_insert_all(connection, work), overwritten, removed)


def _insert_all(connection: Connection, work: Work) -> int:
    table = work.table
    if not (table.target.rowid_name and table.has_rowid):
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
    return _written(
        connection,
        f"INSERT INTO {table.target_quoted} ({', '.join(targets)})"
        f" SELECT {', '.join(sources)} FROM {work_rows(work)}"
        f" WHERE w.action = {Action.INSERT:d} AND w.keeps_rowid = {with_rowid} ORDER BY w.row",
    )


def _change(connection: Connection, work: Work) -> int:
    table = work.table
    if table.target.is_virtual:  # virtual tables know no upsert
        return _change_virtual(connection, work)
    names = list(map(quote_identifier, table.columns))
    key = [there for _, there in table.key]
    # Integers that are equal are the same; keys of other kinds may be equal in another form.
    values = [
        f"{quote_identifier(name)} = excluded.{quote_identifier(name)}"
        for name in table.columns
        if quote_identifier(name) not in key or table.affinity(name) != "INTEGER"
    ]
    if not values:  # nothing but a key of integers: no row can differ
        return 0
    return _written(
        connection,
        f"INSERT INTO {table.target_quoted} ({', '.join(names)})"
        f" SELECT {', '.join(f's.{name}' for name in names)} FROM {work_rows(work)}"
        f" WHERE w.action = {Action.CHANGE:d} ORDER BY w.row"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(values)}",
    )


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
        f"INSERT INTO {table.target_quoted} ({', '.join(targets)})"
        f" SELECT {', '.join(sources)} FROM {changed}",
    )


def _written(connection: Connection, statement: str) -> int:
    return max(0, int(connection.execute(statement).rowcount))


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
    imported = {folded(name) for name in staged}
    kept_up = [
        table.name
        for table in schema.virtual_tables
        if table.rows in (Rows.OWN, Rows.REFILLED) and folded(table.name) not in imported
    ]
    aside = [
        entry
        for entry in schema.entries
        if entry.type == "trigger" and not any(writes_to(entry.sql, name) for name in kept_up)
    ]
    for entry in aside:
        connection.execute(f"DROP TRIGGER main.{quote_identifier(entry.name)}")
    yield tuple(entry.name for entry in aside)
    for entry in aside:
        connection.execute(entry.sql)


def rebuild_indexes(connection: Connection, schema: Schema, written: Iterable[str]) -> None:
    """Make the full-text indexes anew whose table was written, or that index a view."""
    changed = {folded(name) for name in written}
    untouched = {folded(table.name) for table in schema.tables} - changed
    for table in schema.virtual_tables:
        if table.rows is Rows.REBUILT and folded(table.content) not in untouched:
            name = quote_identifier(table.name)
            connection.execute(f"INSERT INTO main.{name} ({name}) VALUES ('rebuild')")
