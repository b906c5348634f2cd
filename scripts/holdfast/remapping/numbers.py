"""Numbers that no row of the database has, or ever had as far as it knows."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.database import Connection, quote_identifier
from holdfast.errors import ImportRefused
from holdfast.model import ForeignKey, Table, folded
from holdfast.remapping.copies import Copy
from holdfast.schema import applies

_LARGEST = 2**63 - 1


def last_number(
    connection: Connection,
    table: Table,
    column: str,
    mark: int | None,
    references: Sequence[tuple[str, ForeignKey]],
) -> int | None:
    """
    Return the highest number that a table has used; None for a table that never had rows.

    A number that some row refers to counts as used, though its row is gone: a new row must not
    come by the children of a lost one.

    Args: mark: the table's AUTOINCREMENT mark.
    """
    own = quote_identifier(column)
    used = [_highest(connection, table.name, own, f"typeof({own}) = 'integer'"), mark]
    for child, key in references:
        if folded(key.parent) == folded(table.name):
            pairs = zip(key.columns, key.parent_columns, strict=True)
            used += [
                _highest(connection, child, here, f"{_is_number(here)} AND {applies(key, 't')}")
                for here, there in ((quote_identifier(name), parent) for name, parent in pairs)
                if folded(there) == folded(column)
            ]
    known = [number for number in used if number is not None]
    return max(0, *known) if known else None


def _is_number(column: str) -> str:
    """Say that a value is an integer, or the text of one."""
    return f"CAST({column} AS TEXT) = CAST(CAST({column} AS INTEGER) AS TEXT)"


def _highest(connection: Connection, table: str, column: str, condition: str) -> int | None:
    (number,) = connection.execute(
        f"SELECT max(CAST({column} AS INTEGER)) FROM main.{quote_identifier(table)} AS t"
        f" WHERE {condition}"
    ).fetchone()
    return None if number is None else int(number)


def give_numbers(connection: Connection, copy: Copy) -> None:
    """
    Number the new rows of a table, in the order that the backup has them in.

    Raises: ImportRefused when there are not enough numbers left.
    """
    if not copy.number or copy.last_number is None:
        return
    number, row = quote_identifier(copy.number), copy.row
    new = (
        f"SELECT f.row, row_number() OVER (ORDER BY f.row) AS nth FROM {copy.fate} AS f"
        f" JOIN {copy.table.original} AS o ON o.{row} = f.row"
        f" WHERE f.is_new AND typeof(o.{number}) = 'integer'"
    )
    (count,) = connection.execute(f"SELECT count(*) FROM ({new})").fetchone()
    if copy.last_number + count > _LARGEST:
        raise ImportRefused(
            f"{copy.table.target.name} has no {count:,} numbers left above {copy.last_number}, the"
            " highest in use",
            hint="Nothing was changed. Give the row with the highest number another one.",
        )
    connection.execute(
        f"UPDATE {copy.table.quoted} AS s SET {number} = {copy.last_number} + x.nth"
        f" FROM ({new}) AS x WHERE x.row = s.{row}"
    )
