"""What plans and errors call a row: its key, or else the first that it holds."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.database import Connection, quote_identifier
from holdfast.staged import StagedTable

EXAMPLES = 5  # rows that are named of each kind of conflict


def key_columns(table: StagedTable, alias: str = "s") -> str:
    """
    Name the columns that a row is called by: its key, or else the first it has.

    Args: alias: `m` for a row of the database, any other for one of the backup.
    """
    names = [there if alias == "m" else here for here, there in table.key]
    names = names or list(map(quote_identifier, table.columns[:4]))
    return ", ".join(f"{alias}.{name}" for name in names)


def staged_key(connection: Connection, table: StagedTable, row: int) -> str:
    """Say what a staged row is called in the backup."""
    query = f"SELECT {key_columns(table)} FROM {table.original} AS s"
    number = f"s.{quote_identifier(table.numbered)}"
    return shown_key(connection.execute(f"{query} WHERE {number} = ?", [row]).fetchone())


def shown_key(values: Iterable[object]) -> str:
    """Write a key for people: its parts joined by commas, each cut to 40 characters."""
    return ",".join(str(value)[:40] for value in values)
