"""SQL that compares a staged row `s` with a stored one `m`: by key, and to the last bit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from holdfast.database import quote_identifier
from holdfast.staged import StagedTable


def all_of(conditions: Sequence[str]) -> str:
    """Join conditions by AND."""
    return _joined(conditions, " AND ") if conditions else "TRUE"


def _joined(parts: Sequence[str], operator: str) -> str:
    """Join expressions as a tree: SQLite takes none deeper than 1,000."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_joined(parts[:half], operator)}{operator}{_joined(parts[half:], operator)})"


def same_key(table: StagedTable, stored: str = "m") -> str:
    """Compare the keys of a stored row and a staged row `s` as the database's index does."""
    pairs = zip(table.key, table.key_collations, strict=True)
    return all_of([f"{stored}.{there} = s.{here}{collate}" for (here, there), collate in pairs])


def key_parts(table: StagedTable, stored: str = "m") -> list[str]:
    """Name the parts of a stored row's key, to be compared as the database's index does."""
    pairs = zip(table.key, table.key_collations, strict=True)
    return [f"{stored}.{there}{collate}" for (_, there), collate in pairs]


def whole_key(table: StagedTable, alias: str = "", *, in_target: bool = False) -> str:
    """Select the rows that have a key, no part of which is NULL."""
    parts = [f"{alias}{pair[in_target]} IS NOT NULL" for pair in table.key]
    return all_of(parts) if parts else "FALSE"


def is_equal(table: StagedTable, column: str) -> str:
    """Compare a staged value with the stored one: value and type, whatever the collation."""
    there = stored_value(table, column, "m")
    here = table.value(column, f"s.{quote_identifier(column)}", there)
    equal = f"{here} IS {there} COLLATE BINARY"
    if table.affinity(column) != "BLOB":
        return equal
    # Only a column without affinity keeps 1 apart from 1.0, and 0.0 from -0.0.
    zero = f"({_sign_of_zero(here)} IS {_sign_of_zero(there)})"
    return f"({equal} AND typeof({here}) = typeof({there}) AND {zero})"


def stored_value(table: StagedTable, column: str, stored: str) -> str:
    """Name the value of a stored row; a column that is to be added will hold its default."""
    name = quote_identifier(column)
    if column in [each.name for each in table.added]:
        return f"(SELECT {name} FROM {table.defaults_quoted})"
    return f"{stored}.{name}"


def _sign_of_zero(value: str) -> str:
    return (
        f"(CASE WHEN {value} = 0 AND typeof({value}) = 'real' THEN is_negative_zero({value}) END)"
    )


def whole_value(values: Iterable[str]) -> str:
    """
    Write values into one text: equal texts, equal values, to the last bit.

    It stands for them where SQLite takes no more than 2,000 terms.
    """
    # 21 digits tell any two REALs apart, but for 0.0 and -0.0; their text as such has fewer.
    parts = [
        f"typeof({value}) || hex(CASE typeof({value}) WHEN 'real' THEN printf('%!.20e', {value})"
        f" || coalesce({_sign_of_zero(value)}, '') ELSE {value} END)"
        for value in values
    ]
    return _joined(parts, " || ") if parts else "''"
