"""
The rows of a staged backup that differ from the database they are meant for, and how.

A row of the backup is the same row as one of the database when their primary keys are equal.
Rows without a key, and rows whose key holds NULL, are told apart by all of their columns: those
that the database lacks are added, as often as the backup has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from msgspec import Struct

from holdfast.database import Connection, quote_identifier
from holdfast.equality import (
    all_of,
    is_equal,
    key_parts,
    same_key,
    stored_value,
    whole_key,
    whole_value,
)
from holdfast.recency import is_later, time_column
from holdfast.staged import StagedTable


class ConflictMode(StrEnum):
    """What an import does with a row whose key is taken."""

    OVERWRITE = "overwrite"  # the row of the backup wins; columns it lacks keep their value
    MERGE = "merge"  # the row of the database stays as it is
    FAIL = "fail"  # nothing at all is imported
    CLEAR = "clear"  # as overwrite; and rows that the backup does not have are removed
    NEWER = "newer"  # the row that was changed later wins
    REMAP = "remap"  # rows come in as new, under keys of their own, unless a name matches them


class Action(IntEnum):
    """What becomes of one staged row."""

    INSERT = 1
    CHANGE = 2
    KEEP = 3  # the database's row stays
    STALE = 4  # the same, as it is the later one
    UNDECIDED = 5  # neither is known to be the later one


WRITTEN = f"action IN ({Action.INSERT:d}, {Action.CHANGE:d})"


class Work(Struct, frozen=True):
    """
    What is to be done to one table, kept in temporary tables.

    They are not in the staged database: that would have to be written at the commit, and could
    fail when the database itself is committed already.
    """

    table: StagedTable
    mode: ConflictMode
    number: int  # tells the temporary tables of one from those of another
    changed_at: tuple[str, ...] = ()  # columns that hold the time of a row's last change

    @property
    def name(self) -> str:
        """Name the table of staged rows: row (its number), action, keeps_rowid, hands_on."""
        return f'temp."$work{self.number}"'

    @property
    def gone(self) -> str:
        """Name the table of stored rows to remove; its columns k0, k1, ... are their identity."""
        return f'temp."$gone{self.number}"'


def find_work(
    connection: Connection,
    table: StagedTable,
    number: int,
    mode: ConflictMode,
    changed_at: Iterable[str] = (),
) -> Work:
    """
    List the staged rows that the database lacks, or has with other values.

    Args:
        changed_at: names of columns that hold the time of a row's last change, for the mode
            newer; the first that a table has counts, then the usual names.
    """
    work = Work(table, mode, number, tuple(changed_at))
    connection.execute(
        f"CREATE TABLE {work.name} (row INTEGER PRIMARY KEY, action INTEGER,"
        " keeps_rowid INTEGER DEFAULT FALSE, hands_on INTEGER DEFAULT FALSE)"
    )
    insert = f"INSERT INTO {work.name} (row, action)"
    if table.is_new:
        row = quote_identifier(table.numbered)
        connection.execute(f"{insert} SELECT {row}, {Action.INSERT:d} FROM {table.quoted}")
        return work
    if table.key:
        connection.execute(f"{insert} {_keyed_work(table)}")
    if not table.key or table.key_may_be_null:
        connection.execute(f"{insert} {_keyless_work(work)}")
    if mode is ConflictMode.MERGE:
        connection.execute(f"UPDATE {work.name} SET action = {Action.KEEP:d} WHERE {changes()}")
    elif mode is ConflictMode.NEWER:
        _decide_by_time(connection, work)
    elif mode is ConflictMode.CLEAR:
        _find_gone(connection, work)
    return work


def changes() -> str:
    """Select the rows of a work table that change what is there."""
    return f"action = {Action.CHANGE:d}"


def _keyed_work(table: StagedTable) -> str:
    """Select the rows with a whole key that are new, or differ from the row of their key."""
    first = f"m.{table.key[0][1]}"
    # Of the key too: what a collation or a type calls equal may still have another form.
    equal = all_of([is_equal(table, name) for name in table.columns])
    action = f"CASE WHEN {first} IS NULL THEN {Action.INSERT:d} ELSE {Action.CHANGE:d} END"
    return (
        f"SELECT s.{quote_identifier(table.numbered)}, {action}"
        f" FROM {table.quoted} AS s LEFT JOIN {table.target_quoted} AS m"
        f" ON {same_key(table)} WHERE {whole_key(table, 's.')}"
        f" AND ({first} IS NULL OR NOT ({equal}))"
    )


def _keyless_rows(work: Work) -> str:
    """
    Number the rows without a whole key among their equals, stored ones and staged ones apart.

    Columns of the result: row (of a stored one: its identity), is_staged, nth (1 for the first of
    equal rows on its side), and stored and new: how many equal rows each side has.
    """
    table = work.table
    # What the backup may not have as it was tells no row apart.
    names = [name for name in table.columns if name not in table.vague] or table.columns
    staged = whole_value(f"s.{quote_identifier(name)}" for name in names)
    stored = whole_value(stored_value(table, name, "m") for name in names)
    identity = identity_of(table)[0]
    here, there = whole_key(table, "s."), whole_key(table, "m.", in_target=True)
    return (
        "SELECT row, is_staged,"
        " row_number() OVER (PARTITION BY is_staged, value ORDER BY row) AS nth,"
        " count(*) FILTER (WHERE NOT is_staged) OVER (PARTITION BY value) AS stored,"
        " count(*) FILTER (WHERE is_staged) OVER (PARTITION BY value) AS new"
        f" FROM (SELECT s.{quote_identifier(table.numbered)} AS row, TRUE AS is_staged,"
        f" {staged} AS value FROM {table.quoted} AS s WHERE NOT ({here})"
        f" UNION ALL SELECT {identity}, FALSE, {stored}"
        f" FROM {table.target_quoted} AS m WHERE NOT ({there}))"
    )


def _keyless_work(work: Work) -> str:
    """Select the rows without a whole key that the database has less often."""
    stays = "stored"
    if work.mode is ConflictMode.CLEAR and not _tells_equals_apart(work.table):
        stays = "iif(stored > new, 0, stored)"  # all of them go, as no few of them can
    rows = _keyless_rows(work)
    return f"SELECT row, {Action.INSERT:d} FROM ({rows}) WHERE is_staged AND nth > {stays}"


def _decide_by_time(connection: Connection, work: Work) -> None:
    """Let the row win that was changed later, where a column says when that was."""
    table = work.table
    connection.execute(
        f"UPDATE {work.name} SET action = (SELECT {_decision(work)} FROM {table.quoted} AS s"
        f" JOIN {table.target_quoted} AS m ON {same_key(table)}"
        f" WHERE s.{quote_identifier(table.numbered)} = row) WHERE {changes()}"
    )


def _decision(work: Work) -> str:
    """Choose the action for a staged row and the stored one that differs, by their times."""
    stored = work.table.target.column_names  # one that is only just added decides nothing
    columns = (name for name in work.table.columns if name in stored)
    column = time_column(columns, work.changed_at)
    if column is None:
        return f"{Action.UNDECIDED:d}"
    here, there = f"s.{quote_identifier(column)}", f"m.{quote_identifier(column)}"
    return (
        f"CASE WHEN {is_later(here, there)} THEN {Action.CHANGE:d}"
        f" WHEN {is_later(there, here)} THEN {Action.STALE:d} ELSE {Action.UNDECIDED:d} END"
    )


def time_decides(connection: Connection, work: Work) -> bool:
    """Tell whether every row that differs is known to be later or earlier than the stored one."""
    table = work.table
    (undecided,) = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM {work_rows(work)}"
        f" JOIN {table.target_quoted} AS m ON {same_key(table)}"
        f" WHERE w.{changes()} AND {_decision(work)} = {Action.UNDECIDED:d})"
    ).fetchone()
    return not undecided


def is_settled(connection: Connection, work: Work) -> bool:
    """Tell whether there is nothing to be written or removed."""
    found = [f"EXISTS (SELECT 1 FROM {work.name} WHERE {WRITTEN})"]
    if work.mode is ConflictMode.CLEAR and not work.table.is_new:
        found.append(f"EXISTS (SELECT 1 FROM {work.gone})")
    (left,) = connection.execute(f"SELECT {' OR '.join(found)}").fetchone()
    return not left


def identity_of(table: StagedTable, stored: str = "m") -> list[str]:
    """Return what tells any two stored rows apart: the rowid or the key, or else all they hold."""
    if table.target.rowid_name:
        return [f"{stored}.{table.target.rowid_name}"]
    if table.key:
        return key_parts(table, stored)
    names = table.target.primary_key or table.columns
    return [whole_value(f"{stored}.{quote_identifier(name)}" for name in names)]


def _tells_equals_apart(table: StagedTable) -> bool:
    """Tell whether rows that are equal have an identity, as they have when SQL has their rowid."""
    return bool(table.target.rowid_name or table.target.primary_key)


def _find_gone(connection: Connection, work: Work) -> None:
    """List the rows of the database that the backup does not have."""
    table = work.table
    columns = ", ".join(f"{each} AS k{n}" for n, each in enumerate(identity_of(table)))
    has_key = whole_key(table, "m.", in_target=True)
    # NOT IN a list that does not depend on the row is looked up, where NOT EXISTS would search.
    staged = (
        f"SELECT {', '.join(f's.{here}' for here, _ in table.key)} FROM {table.quoted} AS s"
        f" WHERE {whole_key(table, 's.')}"
    )
    missing = f"({', '.join(key_parts(table))}) NOT IN ({staged})"
    connection.execute(
        f"CREATE TABLE {work.gone} AS SELECT {columns} FROM {table.target_quoted} AS m"
        f" WHERE {has_key}"
        + (f" AND {missing}" if table.key else "")
        + (f" AND ({table.spared}) IS NOT TRUE" if table.spared else "")
    )
    if not table.key or table.key_may_be_null:
        too_many = "nth > new" if _tells_equals_apart(table) else "stored > new"
        connection.execute(
            f"INSERT INTO {work.gone} SELECT row FROM ({_keyless_rows(work)})"
            f" WHERE NOT is_staged AND {too_many}"
        )


def gone_condition(work: Work, stored: str = "m") -> str:
    """Select the stored rows that are to be removed."""
    if work.mode is not ConflictMode.CLEAR or work.table.is_new:
        return "FALSE"
    mine = identity_of(work.table, stored)
    theirs = ", ".join(f"k{n}" for n in range(len(mine)))
    return f"({', '.join(mine)}) IN (SELECT {theirs} FROM {work.gone})"


def work_rows(work: Work) -> str:
    """Join a work table `w` with the staged rows `s` that it lists, in the order of these."""
    table = work.table
    return (
        f"{work.name} AS w CROSS JOIN {table.quoted} AS s"
        f" ON s.{quote_identifier(table.numbered)} = w.row"
    )
