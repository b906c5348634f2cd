"""Takes single rows of a backup by their keys, with what they need or what depends on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from holdfast import database
from holdfast.database import Connection, quote_identifier
from holdfast.errors import UsageError
from holdfast.model import folded
from holdfast.selection import Graph, Selection, Source
from holdfast.staged import StagedTable
from holdfast.staging import Staging


def select_keys(staging: Staging, words: Sequence[str], *, with_children: bool) -> None:
    """
    Leave only the rows of some keys staged, and the rows of the backup that these refer to.

    Args:
        words: each a table, a colon and keys with commas between; the parts of a composite key
            have slashes between; a backslash takes a comma or a slash as it is.
        with_children: rows that refer to one of them come along, too, with what these need.

    Raises: UsageError for a table or a key that the backup lacks.
    """
    tables = {folded(table.target.name): table for table in staging.tables}
    with database.scratch(staging.path) as connection:
        graph = Graph(connection, map(_source, tables.values()))
        selection = Selection(graph)
        for word in words:
            table, keys = _parsed(word, tables.values())
            for key in keys:
                _pick(selection, table, key)
        if with_children:
            selection.add_dependents()
        selection.add_needed()
        kept = set(selection.names)
        _leave_out_others(connection, selection, staging.tables)
    staging.tables = [table for name, table in tables.items() if name in kept]
    staging.skipped = []  # what else the backup has was not asked for


def _source(table: StagedTable) -> Source:
    return Source(
        table=table.target,
        quoted=f"main.{quote_identifier(table.target.name)}",
        identity=(quote_identifier(table.numbered),),
        columns=frozenset(map(folded, table.columns)),
    )


def _leave_out_others(
    connection: Connection, selection: Selection, tables: Sequence[StagedTable]
) -> None:
    for table in tables:
        kept = selection.holds(table.target.name, "t.")
        name = quote_identifier(table.target.name)
        connection.execute(f"DELETE FROM main.{name} AS t WHERE NOT ({kept})")


def _parsed(word: str, tables: Iterable[StagedTable]) -> tuple[StagedTable, list[str]]:
    # A table's name may have a colon itself; the longest that fits is meant.
    fitting = [
        table for table in tables if folded(word).startswith(f"{folded(table.target.name)}:")
    ]
    if not fitting:
        raise UsageError(
            f"--keys {word}: the backup brings no table {word.partition(':')[0]}",
            hint="Write a table, a colon and keys, such as --keys contacts:12,15.",
        )
    table = max(fitting, key=lambda each: len(each.target.name))
    return table, _split(word[len(table.target.name) + 1 :], ",")


def _split(text: str, separator: str) -> list[str]:
    """Split a text where no backslash stands before the separator."""
    return re.split(rf"(?<!\\){re.escape(separator)}", text)


def _pick(selection: Selection, table: StagedTable, key: str) -> None:
    names = [here for here, _ in table.key]
    if not names and table.has_rowid:
        names = [quote_identifier(table.numbered)]
    parts = _split(key, "/") if len(names) > 1 else [key]
    if not names or len(parts) != len(names):
        raise UsageError(
            f"{table.target.name} has "
            + (f"a key of {len(names)} columns, not of {len(parts)}" if names else "no key"),
            hint="Write the parts of a composite key with slashes between: --keys tags:7/blue.",
        )
    # A number that is asked for is text here: a column without a type would not know it.
    condition = " AND ".join(f"(t.{name} = ? OR CAST(t.{name} AS TEXT) = ?)" for name in names)
    values = [value for part in parts for value in [re.sub(r"\\([,/])", r"\1", part)] * 2]
    if not selection.add(table.target.name, condition, values):
        raise UsageError(
            f"the backup has no row {key} in {table.target.name}",
            hint="diff --rows, or import --rows, names the keys that there are.",
        )
