"""What an import would do, in numbers, examples and rows, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.database import Connection, quote_identifier, text_as
from holdfast.model import ForeignKey, UniqueIndex, folded
from holdfast.outcomes import PlannedRow, TablePlan
from holdfast.staging import StagedTable
from holdfast.works import (
    Action,
    ConflictMode,
    Work,
    all_of,
    changes,
    gone_condition,
    is_equal,
    same_key,
    same_values,
    work_rows,
)

EXAMPLES = 5  # keys shown of each kind of conflict


def plan_table(connection: Connection, work: Work) -> TablePlan:
    """Count what an import would do to one table."""
    table = work.table
    (staged,) = connection.execute(f"SELECT count(*) FROM {table.quoted}").fetchone()
    actions = dict(connection.execute(f"SELECT action, count(*) FROM {work.name} GROUP BY action"))
    count = {action: actions.get(action, 0) for action in Action}
    removed = 0
    if work.mode is ConflictMode.CLEAR and not table.is_new:
        (removed,) = connection.execute(f"SELECT count(*) FROM {work.gone}").fetchone()
    with text_as(connection, lambda text: text.decode("utf-8", "replace")):  # to be shown
        if work.mode is ConflictMode.FAIL and table.key and not table.is_new:
            return _plan_of_fail(connection, work, count[Action.INSERT])
        undecided = _keys_of(connection, work, Action.UNDECIDED)
        conflicts, examples = _unique_conflicts(connection, work)
    return TablePlan(
        name=table.target.name,
        is_new=table.is_new,
        inserted=count[Action.INSERT],
        overwritten=count[Action.CHANGE],
        unchanged=staged - sum(count.values()),
        kept=count[Action.KEEP],
        stale=count[Action.STALE],
        removed=removed,
        conflicts=conflicts + count[Action.UNDECIDED],
        examples=(*undecided, *examples)[:EXAMPLES],
        columns=_differing_columns(connection, work) if count[Action.CHANGE] else {},
    )


def _plan_of_fail(connection: Connection, work: Work, inserted: int) -> TablePlan:
    """Count every row whose key is taken, and every unique value that another row has."""
    table = work.table
    (taken,) = connection.execute(
        f"SELECT count(*) FROM {table.quoted} AS s"
        f" WHERE EXISTS (SELECT 1 FROM {table.target_quoted} AS m WHERE {same_key(table)})"
    ).fetchone()
    conflicts, examples = _unique_conflicts(connection, work)
    return TablePlan(
        name=table.target.name,
        inserted=inserted,
        conflicts=taken + conflicts,
        examples=(*_taken_keys(connection, work), *examples)[:EXAMPLES],
    )


def _differing_columns(connection: Connection, work: Work) -> dict[str, int]:
    """Count the rows to be overwritten by the columns in which they really differ."""
    table = work.table
    found: dict[str, int] = {}
    for start in range(0, len(table.columns), _COLUMNS_AT_ONCE):
        names = table.columns[start : start + _COLUMNS_AT_ONCE]
        counts = [f"count(*) FILTER (WHERE NOT ({is_equal(table, name)}))" for name in names]
        row = connection.execute(
            f"SELECT {', '.join(counts)} FROM {work_rows(work)}"
            f" JOIN {table.target_quoted} AS m ON {same_key(table)} WHERE w.{changes()}"
        ).fetchone()
        found |= {name: count for name, count in zip(names, row, strict=True) if count}
    return found


_COLUMNS_AT_ONCE = 500  # SQLite takes no more than 2,000 terms


def _taken_keys(connection: Connection, work: Work) -> tuple[str, ...]:
    table = work.table
    rows = connection.execute(
        f"SELECT {_key_columns(table)} FROM {table.quoted} AS s"
        f" WHERE EXISTS (SELECT 1 FROM {table.target_quoted} AS m WHERE {same_key(table)})"
        f" ORDER BY s.{quote_identifier(table.numbered)} LIMIT {EXAMPLES}"
    )
    return tuple(map(shown_key, rows))


def _key_columns(table: StagedTable) -> str:
    """Name the staged columns that a row is called by: its key, or else all it has."""
    names = [here for here, _ in table.key] or list(map(quote_identifier, table.columns[:4]))
    return ", ".join(f"s.{name}" for name in names)


def _keys_of(connection: Connection, work: Work, action: Action) -> tuple[str, ...]:
    rows = connection.execute(
        f"SELECT {_key_columns(work.table)} FROM {work_rows(work)}"
        f" WHERE w.action = {action:d} ORDER BY w.row LIMIT {EXAMPLES}"
    )
    return tuple(map(shown_key, rows))


def planned_rows(connection: Connection, work: Work) -> Iterator[PlannedRow]:
    """Yield every row that an import would write, keep or remove, by its key."""
    table = work.table
    with text_as(connection, lambda text: text.decode("utf-8", "replace")):
        for action, *key in connection.execute(
            f"SELECT w.action, {_key_columns(table)} FROM {work_rows(work)} ORDER BY w.row"
        ):
            yield PlannedRow(table.target.name, Action(action).name.lower(), shown_key(key))
        if work.mode is ConflictMode.CLEAR and not table.is_new:
            for key in connection.execute(f"SELECT * FROM {work.gone}"):
                yield PlannedRow(table.target.name, "remove", shown_key(key))


def _unique_conflicts(connection: Connection, work: Work) -> tuple[int, tuple[str, ...]]:
    """Find rows to be written whose UNIQUE columns have the values of another row."""
    table = work.table
    total, examples = 0, []
    for index in () if table.is_new else table.target.unique_indexes:
        if not set(index.columns) <= set(table.columns):
            continue
        rows = connection.execute(_unique_query(work, index)).fetchall()
        total += len(rows)
        where = f"{table.target.name}.{', '.join(index.columns)}"
        examples += [f"{where} = {shown_key(row)}" for row in rows[:EXAMPLES]]
    return total, tuple(examples[:EXAMPLES])


def _unique_query(work: Work, index: UniqueIndex) -> str:
    table = work.table
    other_row = f"({same_key(table)}) IS NOT TRUE" if table.key else "TRUE"
    names = ", ".join(f"s.{quote_identifier(name)}" for name in index.columns)
    return (
        f"SELECT {names} FROM {work_rows(work)}"
        f" JOIN {table.target_quoted} AS m ON {same_values(index.columns)}"
        f" WHERE {other_row} AND w.action IN ({Action.INSERT:d}, {Action.CHANGE:d})"
        f" AND NOT ({gone_condition(work)}) ORDER BY w.row"
    )


def find_broken(
    connection: Connection, works: Sequence[Work], references: Sequence[tuple[str, ForeignKey]]
) -> Iterator[str]:
    """
    Say which references an import would break: rows it writes, and rows that it leaves alone.

    Args:
        references: every foreign key of the database by the table that has it, with the
            parent's columns named.
    """
    by_name = {folded(work.table.target.name): work for work in works}
    for name, key in references:
        child, parent = by_name.get(folded(name)), by_name.get(folded(key.parent))
        count = 0
        if child and set(key.columns) <= set(child.table.columns):
            count += _count(connection, _written_without_parent(child, key, parent))
        if parent and parent.mode is ConflictMode.CLEAR:
            count += _count(connection, _left_without_parent(name, key, parent, child))
        if count:
            yield f"{count:,} of {name} to {key.parent}"


def _count(connection: Connection, query: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {query}").fetchone()[0])


def _written_without_parent(child: Work, key: ForeignKey, parent: Work | None) -> str:
    here = [f"s.{quote_identifier(name)}" for name in key.columns]
    stored = all_of(
        [f"m.{quote_identifier(b)} = {a}" for a, b in zip(here, key.parent_columns, strict=True)]
    )
    stays = f"NOT ({gone_condition(parent)})" if parent else "TRUE"
    not_stored = (
        f"NOT EXISTS (SELECT 1 FROM main.{quote_identifier(key.parent)} AS m"
        f" WHERE {stored} AND {stays})"
    )
    if parent and parent.table.is_new:
        not_stored = "TRUE"
    return (
        f"{work_rows(child)} WHERE w.action IN ({Action.INSERT:d}, {Action.CHANGE:d})"
        f" AND {all_of([f'{name} IS NOT NULL' for name in here])}"
        f" AND {not_stored} AND {_not_staged(key, here, parent)}"
        f" AND {_is_changed(child, key)}"
    )


def _is_changed(child: Work, key: ForeignKey) -> str:
    """Pass over a row that refers to the same as it does already, broken or not."""
    if child.table.is_new or not child.table.key:
        return "TRUE"
    same = all_of([is_equal(child.table, name) for name in key.columns])
    return (
        f"NOT EXISTS (SELECT 1 FROM {child.table.target_quoted} AS m"
        f" WHERE {same_key(child.table)} AND {same})"
    )


def _left_without_parent(name: str, key: ForeignKey, parent: Work, child: Work | None) -> str:
    mine = [f"c.{quote_identifier(column)}" for column in key.columns]
    gone = all_of(
        [f"m.{quote_identifier(b)} = {a}" for a, b in zip(mine, key.parent_columns, strict=True)]
    )
    # A row that the import itself removes or writes needs no parent, or was looked at above.
    untouched = "TRUE"
    if child and child.table.key and not child.table.is_new:
        theirs = ", ".join(f"s.{here}" for here, _ in child.table.key)
        mine_too = ", ".join(f"c.{there}" for _, there in child.table.key)
        untouched = (
            f"({mine_too}) NOT IN (SELECT {theirs} FROM {work_rows(child)}"
            f" WHERE w.action IN ({Action.INSERT:d}, {Action.CHANGE:d}))"
        )
    if child and child.mode is ConflictMode.CLEAR and not child.table.is_new:
        untouched += f" AND NOT ({gone_condition(child).replace('m.', 'c.')})"
    return (
        f"main.{quote_identifier(name)} AS c WHERE {untouched}"
        f" AND EXISTS (SELECT 1 FROM {parent.table.target_quoted} AS m"
        f" WHERE {gone} AND {gone_condition(parent)})"
        f" AND {_not_staged(key, mine, parent)}"
    )


def _not_staged(key: ForeignKey, values: Sequence[str], parent: Work | None) -> str:
    """Say that the backup does not bring the row that is referred to."""
    if parent is None or not set(key.parent_columns) <= set(parent.table.columns):
        return "TRUE"
    # Whether case matters is known to the stored parent alone: what is let through here, and
    # is broken all the same, is found before the commit.
    loose = [f"{value} COLLATE NOCASE" for value in values]
    names = ", ".join(f"p.{quote_identifier(b)}" for b in key.parent_columns)
    whole = all_of([f"p.{quote_identifier(b)} IS NOT NULL" for b in key.parent_columns])
    number = quote_identifier(parent.table.numbered)
    return (
        f"({', '.join(loose)}) NOT IN (SELECT {names} FROM {parent.table.quoted} AS p"
        f" WHERE {whole} AND p.{number} NOT IN (SELECT row FROM {parent.name} WHERE action IN"
        f" ({Action.KEEP:d}, {Action.STALE:d})))"
    )


def shown_key(values: Sequence[object]) -> str:
    """Write a key for people: its parts joined by commas, each cut to 40 characters."""
    return ",".join(str(value)[:40] for value in values)
