"""
The rows of a staged backup that differ from the database they are meant for, and how.

A row of the backup is the same row as one of the database when their primary keys are equal.
Rows without a key, and rows whose key holds NULL, are told apart by all of their columns: those
that the database lacks are added, as often as the backup has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from holdfast.database import Connection, quote_identifier
from holdfast.model import folded
from holdfast.staging import StagedTable, free_name


class ConflictMode(StrEnum):
    """What an import does with a row whose key is taken."""

    OVERWRITE = "overwrite"  # the row of the backup wins; columns it lacks keep their value
    MERGE = "merge"  # the row of the database stays as it is
    FAIL = "fail"  # nothing at all is imported
    CLEAR = "clear"  # as overwrite; and rows that the backup does not have are removed
    NEWER = "newer"  # the row that was changed later wins


class Action(IntEnum):
    """What becomes of one staged row."""

    INSERT = 1
    CHANGE = 2
    KEEP = 3  # the database's row stays
    STALE = 4  # the same, as it is the later one
    UNDECIDED = 5  # neither is known to be the later one


# Columns that tools keep the time of a row's last change in, where no profile says which.
_CHANGED_AT = (
    "updated_at",
    "modified_at",
    "last_modified",
    "last_updated",
    "changed_at",
    "updated",
    "modified",
    "updatedat",
    "modifiedat",
    "mtime",
)


@dataclass(frozen=True, slots=True)
class Work:
    """
    What is to be done to one table, kept in temporary tables.

    They are not in the staged database: that would have to be written at the commit, and could
    fail when the database itself is committed already.
    """

    table: StagedTable
    mode: ConflictMode
    name: str  # qualified and quoted; columns: row (the staged row's number), action, keeps_rowid
    gone: str  # the same for rows to remove; columns as the target's key, or its rowid


def find_work(connection: Connection, table: StagedTable, number: int, mode: ConflictMode) -> Work:
    """List the staged rows that the database lacks, or has with other values."""
    work = Work(table, mode, f'temp."$work{number}"', f'temp."$gone{number}"')
    connection.execute(
        f"CREATE TABLE {work.name}"
        " (row INTEGER PRIMARY KEY, action INTEGER, keeps_rowid INTEGER DEFAULT FALSE)"
    )
    insert = f"INSERT INTO {work.name} (row, action)"
    if table.is_new:
        row = quote_identifier(table.numbered)
        connection.execute(f"{insert} SELECT {row}, {Action.INSERT:d} FROM {table.quoted}")
        return work
    if table.key:
        connection.execute(f"{insert} {_keyed_work(table)}")
    if not table.key or table.key_may_be_null:
        connection.execute(f"{insert} {_keyless_work(table)}")
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
        f" ON {same_key(table)} WHERE {_whole_key(table, 's.')}"
        f" AND ({first} IS NULL OR NOT ({equal}))"
    )


def all_of(conditions: Sequence[str]) -> str:
    """Join conditions by AND, as a tree: SQLite takes no expression deeper than 1,000."""
    if len(conditions) < 2:
        return conditions[0] if conditions else "TRUE"
    half = len(conditions) // 2
    return f"({all_of(conditions[:half])} AND {all_of(conditions[half:])})"


def same_key(table: StagedTable) -> str:
    """Compare the keys of a stored row `m` and a staged row `s` as the database's index does."""
    return all_of([f"m.{there} = s.{here}" for here, there in table.key])


def same_values(columns: Sequence[str], other: Sequence[str] = ()) -> str:
    """Compare columns of a stored row `m` with those of a staged row `s`."""
    pairs = zip(columns, other or columns, strict=True)
    return all_of([f"m.{quote_identifier(b)} = s.{quote_identifier(a)}" for a, b in pairs])


def _whole_key(table: StagedTable, alias: str = "", *, in_target: bool = False) -> str:
    parts = [f"{alias}{pair[in_target]} IS NOT NULL" for pair in table.key]
    return all_of(parts) if parts else "FALSE"


def is_equal(table: StagedTable, column: str) -> str:
    """Compare a staged value with the stored one: value and type, whatever the collation."""
    name = quote_identifier(column)
    if column in [each.name for each in table.added]:
        return f"s.{name} IS NULL"  # which is what a column holds once it is added
    equal = f"s.{name} IS m.{name} COLLATE BINARY"
    if table.affinity(column) != "BLOB":
        return equal
    # Only a column without affinity keeps 1 apart from 1.0, and 0.0 from -0.0.
    zero = f"({_sign_of_zero('s.' + name)} IS {_sign_of_zero('m.' + name)})"
    return f"({equal} AND typeof(s.{name}) = typeof(m.{name}) AND {zero})"


def _sign_of_zero(value: str) -> str:
    return (
        f"(CASE WHEN {value} = 0 AND typeof({value}) = 'real' THEN is_negative_zero({value}) END)"
    )


def _keyless_rows(table: StagedTable, row_of_target: str) -> str:
    """
    Number the rows without a whole key among their equals, stored ones and staged ones apart.

    Columns of the result: row, is_staged, nth (1 for the first of equal rows on its side), and
    other_side (how many equal rows the other side has).
    """
    names = [quote_identifier(name) for name in table.columns]
    value = ", ".join(
        f"{name} COLLATE BINARY, typeof({name}), {_sign_of_zero(name)}" for name in names
    )
    taken = {folded(name) for name in table.columns}
    columns, row = ", ".join(names), quote_identifier(free_name("$row", taken))
    added = {quote_identifier(column.name) for column in table.added}
    stored = ", ".join(f"NULL AS {name}" if name in added else name for name in names)
    staged = quote_identifier(free_name("$staged", taken))
    here, there = _whole_key(table), _whole_key(table, in_target=True)
    return (
        f"SELECT {row} AS row, {staged} AS is_staged,"
        f" row_number() OVER (PARTITION BY {staged}, {value} ORDER BY {row}) AS nth,"
        f" count(*) FILTER (WHERE NOT {staged}) OVER (PARTITION BY {value}) AS stored,"
        f" count(*) FILTER (WHERE {staged}) OVER (PARTITION BY {value}) AS new"
        f" FROM (SELECT {quote_identifier(table.numbered)} AS {row}, TRUE AS {staged}, {columns}"
        f" FROM {table.quoted} WHERE NOT ({here})"
        f" UNION ALL SELECT {row_of_target}, FALSE, {stored}"
        f" FROM {table.target_quoted} WHERE NOT ({there}))"
    )


def _keyless_work(table: StagedTable) -> str:
    """Select the rows without a whole key that the database has less often."""
    rows = _keyless_rows(table, "NULL")
    return f"SELECT row, {Action.INSERT:d} FROM ({rows}) WHERE is_staged AND nth > stored"


def _decide_by_time(connection: Connection, work: Work) -> None:
    """Let the row win that was changed later, where a column says when that was."""
    table = work.table
    stored = table.target.column_names  # one that is only just added decides nothing
    known = {folded(name): name for name in table.columns if name in stored}
    column = next((known[name] for name in _CHANGED_AT if name in known), None)
    decided = f"{Action.UNDECIDED:d}"
    if column:
        here, there = f"s.{quote_identifier(column)}", f"m.{quote_identifier(column)}"
        decided = (
            f"CASE WHEN {_is_later(here, there)} THEN {Action.CHANGE:d}"
            f" WHEN {_is_later(there, here)} THEN {Action.STALE:d}"
            f" ELSE {Action.UNDECIDED:d} END"
        )
    connection.execute(
        f"UPDATE {work.name} SET action = (SELECT {decided} FROM {table.quoted} AS s"
        f" JOIN {table.target_quoted} AS m ON {same_key(table)}"
        f" WHERE s.{quote_identifier(table.numbered)} = row) WHERE {changes()}"
    )


def _is_later(one: str, other: str) -> str:
    """Compare two times: numbers as they are, text by the moment it names."""
    numbers = f"(typeof({one}) IN ('integer', 'real') AND typeof({other}) IN ('integer', 'real'))"
    texts = f"(typeof({one}) = 'text' AND typeof({other}) = 'text')"
    # julianday() tells moments apart to the millisecond; text of one form and one zone goes on.
    later = (
        f"(julianday({one}) > julianday({other}) OR (julianday({one}) = julianday({other})"
        f" AND length({one}) = length({other})"
        f" AND ltrim(substr({one}, 20), '.0123456789') = ltrim(substr({other}, 20), '.0123456789')"
        f" AND substr({one}, 20) > substr({other}, 20)))"
    )
    return f"CASE WHEN {numbers} THEN {one} > {other} WHEN {texts} THEN {later} END"


def _identity(table: StagedTable) -> list[str]:
    """Name what tells any two stored rows apart: the rowid, or the key where there is none."""
    if table.target.rowid_name:
        return [table.target.rowid_name]
    return list(map(quote_identifier, table.target.primary_key or table.target.column_names))


def _find_gone(connection: Connection, work: Work) -> None:
    """List the rows of the database that the backup does not have."""
    table = work.table
    names = _identity(table)
    columns = ", ".join(f"m.{name} AS k{n}" for n, name in enumerate(names))
    whole_key = _whole_key(table, "m.", in_target=True)
    # NOT IN a list that does not depend on the row is looked up, where NOT EXISTS would search.
    staged = (
        f"SELECT {', '.join(f's.{here}' for here, _ in table.key)} FROM {table.quoted} AS s"
        f" WHERE {_whole_key(table, 's.')}"
    )
    missing = f"({', '.join(f'm.{there}' for _, there in table.key)}) NOT IN ({staged})"
    connection.execute(
        f"CREATE TABLE {work.gone} AS SELECT {columns} FROM {table.target_quoted} AS m"
        f" WHERE {whole_key}" + (f" AND {missing}" if table.key else "")
    )
    if not table.key or table.key_may_be_null:
        rows = _keyless_rows(table, names[0])
        connection.execute(
            f"INSERT INTO {work.gone} SELECT row FROM ({rows}) WHERE NOT is_staged AND nth > new"
        )


def gone_condition(work: Work) -> str:
    """Select the stored rows `m` that are to be removed."""
    if work.mode is not ConflictMode.CLEAR or work.table.is_new:
        return "FALSE"
    names = _identity(work.table)
    mine = ", ".join(f"m.{name}" for name in names)
    theirs = ", ".join(f"k{n}" for n in range(len(names)))
    return f"({mine}) IN (SELECT {theirs} FROM {work.gone})"


def work_rows(work: Work) -> str:
    """Join a work table `w` with the staged rows `s` that it lists."""
    table = work.table
    return (
        f"{work.name} AS w JOIN {table.quoted} AS s ON s.{quote_identifier(table.numbered)} = w.row"
    )
