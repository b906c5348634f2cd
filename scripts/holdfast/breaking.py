"""References that an import would break."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.database import Connection, quote_identifier
from holdfast.equality import all_of, is_equal, same_key
from holdfast.model import ForeignKey, folded
from holdfast.schema import applies
from holdfast.works import WRITTEN, Action, Work, changes, gone_condition, identity_of, work_rows


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
        if child and set(key.read_columns) <= set(child.table.columns):
            count += _count(connection, _written_without_parent(child, key, parent))
        if parent and _leaves(parent, key) != "FALSE" and not (child and child.table.is_new):
            count += _count(connection, _left_without_parent(name, key, parent, child))
        if count:
            yield f"{count:,} of {name} to {key.parent}"


def _count(connection: Connection, query: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {query}").fetchone()[0])


def _written_without_parent(child: Work, key: ForeignKey, parent: Work | None) -> str:
    here = [f"s.{quote_identifier(name)}" for name in key.columns]
    not_there = "TRUE"
    if key.parent_columns and not (parent and parent.table.is_new):
        stays = f"NOT ({_leaves(parent, key)})" if parent else "TRUE"
        not_there = (
            f"NOT EXISTS (SELECT 1 FROM main.{quote_identifier(key.parent)} AS m"
            f" WHERE {_refers(key, here)} AND {stays})"
        )
    return (
        f"{work_rows(child)} WHERE w.{WRITTEN} AND {applies(key, 's')}"
        f" AND {all_of([f'{name} IS NOT NULL' for name in here])}"
        f" AND {not_there} AND {_not_staged(key, here, parent)}"
        f" AND {_is_changed(child, key)}"
    )


def _refers(key: ForeignKey, values: Sequence[str]) -> str:
    """Compare what refers with a stored row `m`, as the index of that compares."""
    pairs = zip(values, key.parent_columns, strict=True)
    return all_of([f"m.{quote_identifier(column)} = {value}" for value, column in pairs])


def _leaves(parent: Work, key: ForeignKey) -> str:
    """Select the stored rows `m` that go, or get other values in what others refer to."""
    gone, table = gone_condition(parent), parent.table
    by_key = {there for _, there in table.key}
    referred = [quote_identifier(name) for name in key.parent_columns]
    if (
        not table.key
        or set(referred) <= by_key
        or not set(key.parent_columns) <= set(table.columns)
    ):
        return gone
    return f"({gone} OR ({', '.join(identity_of(table))}) IN ({_rewritten(parent, referred)}))"


def _rewritten(work: Work, columns: Sequence[str]) -> str:
    """Select the identity of the stored rows whose values in some columns are to change."""
    same = all_of([f"s.{name} IS o.{name} COLLATE BINARY" for name in columns])
    return (
        f"SELECT {', '.join(identity_of(work.table, 'o'))} FROM {work_rows(work)}"
        f" JOIN {work.table.target_quoted} AS o ON {same_key(work.table, 'o')}"
        f" WHERE w.{changes()} AND NOT ({same})"
    )


def _is_changed(child: Work, key: ForeignKey) -> str:
    """Pass over a row that refers to the same as it does already, broken or not."""
    if child.table.is_new or not child.table.key:
        return "TRUE"
    same = all_of([is_equal(child.table, name) for name in key.read_columns])
    return (
        f"NOT EXISTS (SELECT 1 FROM {child.table.target_quoted} AS m"
        f" WHERE {same_key(child.table)} AND {same})"
    )


def _left_without_parent(name: str, key: ForeignKey, parent: Work, child: Work | None) -> str:
    mine = [f"c.{quote_identifier(column)}" for column in key.columns]
    stays = "TRUE"
    if child:
        stays = f"NOT ({gone_condition(child, 'c')})"
        if child.table.key and set(key.read_columns) <= set(child.table.columns):
            # What a row refers to from now on was looked at above.
            rewritten = _rewritten(child, list(map(quote_identifier, key.read_columns)))
            stays += f" AND ({', '.join(identity_of(child.table, 'c'))}) NOT IN ({rewritten})"
    referred = f"SELECT 1 FROM {parent.table.target_quoted} AS m WHERE {_refers(key, mine)}"
    leaves = _leaves(parent, key)
    return (
        f"main.{quote_identifier(name)} AS c WHERE {stays} AND {applies(key, 'c')}"
        f" AND EXISTS ({referred} AND {leaves}) AND NOT EXISTS ({referred} AND NOT {leaves})"
        f" AND {_not_staged(key, mine, parent)}"
    )


def _not_staged(key: ForeignKey, values: Sequence[str], parent: Work | None) -> str:
    """Say that the backup does not bring the row that is referred to."""
    if (
        parent is None
        or not key.parent_columns
        or not set(key.parent_columns) <= set(parent.table.columns)
    ):
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
