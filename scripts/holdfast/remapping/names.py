"""What tells on every machine which row is meant: keys that are no mere numbers, UNIQUE columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from holdfast.model import ForeignKey, Table, folded
from holdfast.schema import applies
from holdfast.staged import StagedTable

# Columns made to be unlike on every machine: rows that differ in one are never the same row.
_WORLDWIDE = ("uid", "uuid", "guid", "ulid")

NEVER = "FALSE"  # the condition of a column that is no reference


class Name(Struct, frozen=True):
    """Columns whose values say which row is meant."""

    columns: tuple[str, ...]
    may_have_nulls: bool = False  # NULL is equal to NULL, as long as one column has a value
    is_certain: bool = False  # no other name counts against it
    is_text_key: bool = False  # of a row whose key is not a number
    instead_of: tuple[str, ...] = ()  # counts only for rows where all these are NULL
    # Columns, each with the condition that it refers to a row. An integer that does not is a
    # mere number, such as a counter, and names no row.
    countable: tuple[tuple[str, str], ...] = ()


def own_number(table: Table, references: Iterable[ForeignKey], natural: Sequence[str]) -> str:
    """
    Name the column whose numbers mean nothing but this row in this database; "" for none.

    A key that refers to another table, or has several columns, says more than that.
    """
    if len(table.primary_key) != 1 or table.is_virtual:
        return ""
    (key,) = table.primary_key
    refers = any(folded(key) in map(folded, each.columns) for each in references)
    return "" if refers or folded(key) in map(folded, natural) else key


def natural_key(table: Table, natural_keys: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns that a profile names rows of a table by, where the table has them all."""
    wanted = {folded(name): columns for name, columns in natural_keys.items()}
    known = {folded(column): column for column in table.column_names}
    columns = tuple(map(folded, wanted.get(folded(table.name), ())))
    return tuple(known[name] for name in columns) if set(columns) <= known.keys() else ()


def names_of(
    table: StagedTable, number: str, natural: Sequence[str], references: Iterable[ForeignKey]
) -> tuple[Name, ...]:
    """List the names of a table's rows, the one that counts most first."""
    target, references = table.target, tuple(references)
    found = [Name((number,), is_certain=True, is_text_key=True)] if number else []
    key = () if number else target.primary_key
    if natural:
        found.append(Name(tuple(natural), may_have_nulls=True, is_certain=True))
        if key and set(key) != set(natural):
            found.append(Name(key, instead_of=tuple(natural)))
    else:
        unique = sorted(
            (index.columns for index in target.unique_indexes),
            key=lambda columns: (not is_worldwide(columns), len(columns), columns),
        )
        worldwide = [columns for columns in unique if is_worldwide(columns)]
        keys = [key] if key else []
        ordered = dict.fromkeys([*worldwide, *keys, *unique])
        found += [
            Name(each, is_certain=is_worldwide(each), countable=_countable(each, key, references))
            for each in ordered
        ]
    there = set(table.columns) - {column.name for column in table.added} - table.redacted.keys()
    return tuple(
        name
        for name in found
        if set(name.columns) <= there and (name.is_text_key or number not in name.columns)
    )


def _countable(
    columns: tuple[str, ...], key: tuple[str, ...], references: Sequence[ForeignKey]
) -> tuple[tuple[str, str], ...]:
    """Return the columns of a UNIQUE constraint, with what ties them to a row of another table."""
    if columns == key or is_worldwide(columns):
        return ()
    return tuple((column, refers_by(column, references)) for column in columns)


def refers_by(column: str, references: Iterable[ForeignKey]) -> str:
    """Write the condition that a staged row `s` refers to another by a column."""
    found = [applies(key, "s") for key in references if folded(column) in map(folded, key.columns)]
    return "TRUE" if "TRUE" in found else f"({' OR '.join(found)})" if found else NEVER


def is_worldwide(columns: Sequence[str]) -> bool:
    """Tell whether columns were made to be unlike on every machine."""
    return len(columns) == 1 and folded(columns[0]) in _WORLDWIDE
