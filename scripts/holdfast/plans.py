"""What an import would do, in numbers, examples and rows, without doing it."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.database import Connection, quote_identifier, text_as
from holdfast.equality import is_equal, same_key
from holdfast.naming import EXAMPLES, key_columns, shown_key
from holdfast.outcomes import PlannedRow, TablePlan
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


def planned_rows(connection: Connection, work: Work) -> Iterator[PlannedRow]:
    """Yield every row that an import would write, keep or remove, by its key."""
    table = work.table
    with text_as(connection, lambda text: text.decode("utf-8", "replace")):
        row = quote_identifier(table.numbered)
        for action, *keys in connection.execute(
            f"SELECT w.action, {key_columns(table)}, {key_columns(table, 'o')}"
            f" FROM {work_rows(work)} JOIN {table.original} AS o ON o.{row} = w.row ORDER BY w.row"
        ):
            key, was = (
                shown_key(half) for half in (keys[: len(keys) // 2], keys[len(keys) // 2 :])
            )
            shown = key if key == was else f"{was} -> {key}"
            yield PlannedRow(table.target.name, Action(action).name.lower(), shown)
        if work.mode is ConflictMode.CLEAR and not table.is_new:
            for key in connection.execute(
                f"SELECT {key_columns(table, 'm')} FROM {table.target_quoted} AS m"
                f" WHERE {gone_condition(work)}"
            ):
                yield PlannedRow(table.target.name, "remove", shown_key(key))
