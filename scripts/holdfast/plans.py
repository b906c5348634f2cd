"""What an import would do, in numbers, examples and rows, without doing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from holdfast.cells import differ, shown_cell
from holdfast.database import Connection, quote_identifier, text_as
from holdfast.equality import is_equal, same_key, stored_value
from holdfast.model import ShownValue, folded
from holdfast.naming import EXAMPLES, key_columns, shown_key
from holdfast.outcomes import PlannedRow, TablePlan
from holdfast.redaction import Secrets, marker, secret_name, secrets_in
from holdfast.staged import StagedTable
from holdfast.uniques import find_collisions
from holdfast.works import Action, ConflictMode, Work, changes, gone_condition, work_rows


def plan_table(connection: Connection, work: Work) -> TablePlan:
    """Count what an import would do to one table; marks the rows that hand on a UNIQUE value."""
    table = work.table
    (rows,) = connection.execute(f"SELECT count(*) FROM {table.quoted}").fetchone()
    rows += table.sifted.same if table.sifted else 0
    actions = dict(connection.execute(f"SELECT action, count(*) FROM {work.name} GROUP BY action"))
    count = {action: actions.get(action, 0) for action in Action}
    removed = 0
    if work.mode is ConflictMode.CLEAR and not table.is_new:
        (removed,) = connection.execute(f"SELECT count(*) FROM {work.gone}").fetchone()
    with text_as(connection, lambda text: text.decode("utf-8", "replace")):  # to be shown
        if work.mode is ConflictMode.FAIL and table.key and not table.is_new:
            return _plan_of_fail(connection, work, count[Action.INSERT])
        undecided = _keys_of(connection, work, Action.UNDECIDED)
        collisions = find_collisions(connection, work)
    return TablePlan(
        name=table.target.name,
        is_new=table.is_new,
        inserted=count[Action.INSERT],
        overwritten=count[Action.CHANGE],
        unchanged=rows - sum(count.values()),
        kept=count[Action.KEEP],
        stale=count[Action.STALE],
        removed=removed,
        conflicts=count[Action.UNDECIDED] + collisions.count,
        examples=undecided,
        collisions=collisions.count,
        collided=collisions.examples,
        columns=_differing_columns(connection, work) if count[Action.CHANGE] else {},
    )


def _plan_of_fail(connection: Connection, work: Work, inserted: int) -> TablePlan:
    """Count every row whose key is taken, and every unique value that another row has."""
    table = work.table
    (taken,) = connection.execute(
        f"SELECT count(*) FROM {table.quoted} AS s"
        f" WHERE EXISTS (SELECT 1 FROM {table.target_quoted} AS m WHERE {same_key(table)})"
    ).fetchone()
    collisions = find_collisions(connection, work)
    return TablePlan(
        name=table.target.name,
        inserted=inserted,
        conflicts=taken + collisions.count,
        examples=_taken_keys(connection, work),
        collisions=collisions.count,
        collided=collisions.examples,
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
        f"SELECT {key_columns(table)} FROM {table.quoted} AS s"
        f" WHERE EXISTS (SELECT 1 FROM {table.target_quoted} AS m WHERE {same_key(table)})"
        f" ORDER BY s.{quote_identifier(table.numbered)} LIMIT {EXAMPLES}"
    )
    return tuple(map(shown_key, rows))


def _keys_of(connection: Connection, work: Work, action: Action) -> tuple[str, ...]:
    rows = connection.execute(
        f"SELECT {key_columns(work.table)} FROM {work_rows(work)}"
        f" WHERE w.action = {action:d} ORDER BY w.row LIMIT {EXAMPLES}"
    )
    return tuple(map(shown_key, rows))


class Showing(Struct, frozen=True):
    """What is shown of the rows of one table."""

    secrets: tuple[str, ...]  # nothing of these
    values: int = 0  # of how many rows that are written, what they hold
    columns: int = 0  # of each of these


def planned_rows(connection: Connection, work: Work, showing: Showing) -> Iterator[PlannedRow]:
    """Yield every row that an import would write, keep or remove, by its key."""
    table = work.table
    hidden = _hidden(table, showing.secrets)

    def shown_key_of(key: Sequence[Any]) -> str:
        return shown_key(
            marker(0) if place in hidden and value else value for place, value in enumerate(key)
        )

    with text_as(connection, lambda text: text.decode("utf-8", "replace")):
        row = quote_identifier(table.numbered)
        values = _values(connection, work, showing) if showing.values else iter(())
        for action, *keys in connection.execute(
            f"SELECT w.action, {key_columns(table)}, {key_columns(table, 'o')}"
            f" FROM {work_rows(work)} JOIN {table.original} AS o ON o.{row} = w.row ORDER BY w.row"
        ):
            key, was = (
                shown_key_of(half) for half in (keys[: len(keys) // 2], keys[len(keys) // 2 :])
            )
            shown = key if key == was else f"{was} -> {key}"
            yield PlannedRow(
                table.target.name, Action(action).name.lower(), shown, *next(values, ())
            )
        if work.mode is ConflictMode.CLEAR and not table.is_new:
            for key in connection.execute(
                f"SELECT {key_columns(table, 'm')} FROM {table.target_quoted} AS m"
                f" WHERE {gone_condition(work)}"
            ):
                yield PlannedRow(table.target.name, "remove", shown_key_of(key))


def _hidden(table: StagedTable, secrets: Iterable[str]) -> set[int]:
    """Find what of a row's key may be a secret, by its place in the key."""
    names = table.target.primary_key if table.key else table.columns
    columns = {folded(secret_name(each).column) for each in secrets}
    return {place for place, name in enumerate(names) if folded(name) in columns}


def _values(
    connection: Connection, work: Work, showing: Showing
) -> Iterator[tuple[tuple[ShownValue, ...], int]]:
    """Yield what each row holds and would hold, and of how many columns more it is not said."""
    table = work.table
    secrets = Secrets(
        table.columns, secrets_in(table.columns, showing.secrets), redact=True, numbered=False
    )
    is_known = table.key and not table.is_new
    there = f" LEFT JOIN {table.target_quoted} AS m ON {same_key(table)}" if is_known else ""
    stored = [stored_value(table, name, "m") if is_known else "NULL" for name in table.columns]
    written = [_written(table, name, old) for name, old in zip(table.columns, stored, strict=True)]
    # Each with a query of its own, as both have as many columns as SQLite takes; and one row after
    # the other, as a value may be large.
    actions, olds, news = (
        connection.execute(
            f"SELECT {', '.join(values)} FROM {work_rows(work)}{there} ORDER BY w.row LIMIT ?",
            [showing.values],
        )
        for values in (["w.action"], stored, written)
    )
    for (action,), *rows in zip(actions, olds, news, strict=True):
        found: list[ShownValue] = []
        shown = zip(*rows, *secrets.rows(rows), strict=True)
        for name, (old, new, shown_old, shown_new) in zip(table.columns, shown, strict=True):
            if action == Action.CHANGE and differ(old, new):
                found.append(ShownValue(name, shown_cell(shown_old), shown_cell(shown_new)))
            elif action == Action.INSERT and name not in table.target.primary_key:
                found.append(ShownValue(name, None, shown_cell(shown_new)))
        yield tuple(found[: showing.columns]), max(len(found) - showing.columns, 0)


def _written(table: StagedTable, name: str, stored: str) -> str:
    """Return SQL for what a row is to hold: a new one has what the backup has."""
    here = f"s.{quote_identifier(name)}"
    if name not in table.vague:
        return here
    value = table.value(name, here, stored)
    return f"CASE WHEN w.action = {Action.INSERT:d} THEN {here} ELSE {value} END"
