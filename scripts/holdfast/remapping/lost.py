"""References by number to rows that do not come along: here, that number is another row's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from holdfast.database import Connection, quote_identifier
from holdfast.equality import all_of
from holdfast.errors import ImportRefused
from holdfast.model import ForeignKey, folded
from holdfast.remapping.copies import Copy, staged_names
from holdfast.schema import applies


def leave_out_lost(
    connection: Connection,
    copies: Mapping[str, Copy],
    by_number: Mapping[str, Sequence[ForeignKey]],
) -> Iterator[str]:
    """
    Leave out what refers to nothing and would refer to another row here; say how much that is.

    This is for references that a profile declares, and rows that refer to such rows.

    Args: by_number: the references by number, by table.
    Raises: ImportRefused where the database itself minds, or a table does not come along.
    """
    for name, copy in copies.items():
        for key in by_number[name]:
            _look_for_lost(connection, copies, copy, key)
    while _spread(connection, copies):
        pass
    for copy in copies.values():
        (count,) = connection.execute(f"SELECT count(*) FROM {copy.ready}").fetchone()
        if count:
            _leave_out(connection, copy)
            yield (
                f"{count:,} rows of {copy.table.target.name} are left out: they refer by number, or"
                " through others, to rows that the backup lacks, and that are other rows here."
            )


def _look_for_lost(
    connection: Connection, copies: Mapping[str, Copy], copy: Copy, key: ForeignKey
) -> None:
    names = list(map(quote_identifier, staged_names(copy.table, key.columns)))
    table = copy.table.target.name
    is_own_key = folded(key.parent) == folded(table) and key.columns == key.parent_columns
    if not names or is_own_key:
        return
    conditions = [f"s.{name} IS NOT NULL" for name in names] + [applies(key, "s")]
    linked = next((each.name for each in copy.links if each.key == key), "")
    if linked:
        conditions.append(f"s.{copy.row} NOT IN (SELECT row FROM {linked})")
    is_minded = not (linked and key.is_declared)
    if not is_minded:
        conditions.append(_is_anothers(copies[folded(key.parent)], key, names))
    lost = f"FROM {copy.table.quoted} AS s WHERE {all_of(conditions)}"
    if not is_minded:
        connection.execute(f"INSERT OR IGNORE INTO {copy.ready} SELECT s.{copy.row} {lost}")
        return
    (count,) = connection.execute(f"SELECT count(*) {lost}").fetchone()
    if count:
        raise ImportRefused(
            f"{count:,} rows of {table} refer by number to rows of {key.parent} that are not"
            " imported, and may be other rows here",
            hint=f"Nothing was changed. Import {key.parent} as well, or without --mode remap.",
        )


def _is_anothers(parent: Copy, key: ForeignKey, names: Sequence[str]) -> str:
    """Say that what a row `s` refers to is there in this database, or is yet to come."""
    if parent.last_number is None:
        return "FALSE"
    pairs = list(zip(names, key.parent_columns, strict=True))
    same = all_of([f"m.{quote_identifier(there)} = s.{here}" for here, there in pairs])
    number = next(here for here, there in pairs if folded(there) == folded(parent.number))
    return (
        f"(CAST(s.{number} AS INTEGER) > {parent.last_number} OR EXISTS"
        f" (SELECT 1 FROM {parent.table.target_quoted} AS m WHERE {same}))"
    )


def _spread(connection: Connection, copies: Mapping[str, Copy]) -> bool:
    """Note the rows that refer to noted ones; tell of any that was not."""
    found = [
        connection.execute(
            f"INSERT OR IGNORE INTO {copy.ready} SELECT row FROM {each.name}"
            f" WHERE parent IN (SELECT row FROM {copies[each.parent].ready})"
        ).rowcount
        for copy in copies.values()
        for each in copy.links
    ]
    return any(count > 0 for count in found)


def _leave_out(connection: Connection, copy: Copy) -> None:
    rows = [(copy.table.quoted, copy.row), *((each.name, "row") for each in copy.links)]
    for name, row in [*rows, (copy.ready, "row")]:
        connection.execute(f"DELETE FROM {name} WHERE {row} IN (SELECT row FROM {copy.ready})")
