"""Which row of the database a staged row is: the one of its name, or else of the same content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from holdfast.database import Connection, quote_identifier, text_as
from holdfast.equality import all_of, is_equal, stored_value, whole_value
from holdfast.errors import ImportConflict
from holdfast.naming import EXAMPLES, shown_key
from holdfast.remapping.copies import Copy
from holdfast.remapping.names import Name, is_worldwide


def decide(connection: Connection, copy: Copy, number: int, inner: frozenset[str]) -> None:
    """
    Match the rows that are ready to rows of the database; those without a match are new.

    Args:
        number: of the round.
        inner: columns that refer to rows which are decided in rounds, too.
    """
    if copy.can_match:
        match_by_names(connection, copy, copy.names)
        if copy.number:
            _match_by_content(connection, copy, inner)
    record(connection, copy, number)


def match_by_names(connection: Connection, copy: Copy, names: Iterable[Name]) -> None:
    """Match the rows that are ready by names, the first of them first."""
    for name in names:
        _match_by_name(connection, copy, name)


def record(
    connection: Connection, copy: Copy, number: int, unknown: frozenset[str] = frozenset()
) -> None:
    """
    Note what became of the rows that are ready, and put matched ones under the key of their match.

    Args:
        number: of the round.
        unknown: columns whose references are not rewritten yet.
    """
    connection.execute(
        f"INSERT INTO {copy.fate} SELECT row, {number}, row NOT IN (SELECT row FROM {copy.match})"
        f" FROM {copy.ready}"
    )
    if copy.can_match:
        _complain_of_moves(connection, copy, unknown)
        _take_keys(connection, copy)


def complain_of_ambiguity(connection: Connection, copy: Copy) -> None:
    """
    Complain of rows that cannot be told apart, once all are decided.

    Raises: ImportConflict.
    """
    if copy.can_match:
        for name in copy.names:
            _complain_of_twins(connection, copy, name)
        _complain_of_matches(connection, copy)
        _complain_of_taken_keys(connection, copy)
        _complain_of_numbers(connection, copy)


def is_named(names: Iterable[Name]) -> str:
    """Select the copied rows `s` that have a name."""
    conditions = [f"({_has_name(name)})" for name in names]
    return f"({' OR '.join(conditions)})" if conditions else "FALSE"


def _has_name(name: Name) -> str:
    columns = [f"s.{quote_identifier(column)}" for column in name.columns]
    if name.is_text_key:
        return f"typeof({columns[0]}) NOT IN ('integer', 'null')"
    if name.may_have_nulls:
        return f"coalesce({', '.join(columns)}, NULL) IS NOT NULL"
    absent = [f"s.{quote_identifier(column)} IS NULL" for column in name.instead_of]
    told = [
        f"(typeof(s.{quote_identifier(column)}) <> 'integer' OR {refers})"
        for column, refers in name.countable
    ]
    return all_of([*(f"{column} IS NOT NULL" for column in columns), *absent, *told])


def _unmatched(copy: Copy) -> str:
    """Join the rows that are ready with the copied rows `s`, without those that have a match."""
    return (
        f"{copy.ready} AS r CROSS JOIN {copy.table.quoted} AS s ON s.{copy.row} = r.row"
        f" AND r.row NOT IN (SELECT row FROM {copy.match})"
    )


def _stored_key(copy: Copy) -> str:
    return ", ".join(f"m.{name}" for name in copy.key)


def _match_by_name(connection: Connection, copy: Copy, name: Name) -> None:
    equals = "IS" if name.may_have_nulls else "="
    columns = list(map(quote_identifier, name.columns))
    same = all_of([f"m.{column} {equals} s.{column}" for column in columns])
    known = all_of([f"m.{key} IS NOT NULL" for key in copy.key])
    against = [] if name.is_certain else _worldwide(copy)
    agree = all_of([f"(m.{each} = s.{each}) IS NOT FALSE" for each in against])
    connection.execute(
        f"INSERT INTO {copy.match} SELECT r.row, {_stored_key(copy)} FROM {_unmatched(copy)}"
        f" JOIN {copy.table.target_quoted} AS m ON {same}"
        f" WHERE {_has_name(name)} AND {known} AND {agree}"
    )


def _worldwide(copy: Copy) -> list[str]:
    return [quote_identifier(name) for name in copy.table.columns if is_worldwide([name])]


def _match_by_content(connection: Connection, copy: Copy, inner: frozenset[str]) -> None:
    """Match rows without a name to rows that have all the same values, as often as they occur."""
    key, table = quote_identifier(copy.number), copy.table
    telling = set(table.columns) - table.vague - {copy.number}
    columns = [each for each in table.columns if each in telling]
    unnamed = f"{_unmatched(copy)} WHERE NOT {is_named(copy.names)}"
    # The plus takes the type of the key away, which the index of the matches has not.
    taken = f"SELECT 1 FROM {copy.match} AS x WHERE x.k0 = +m.{key}"
    free = f"m.{key} IS NOT NULL AND NOT EXISTS ({taken})"
    near = _near(connection, copy, sorted(inner))
    here = whole_value(f"s.{quote_identifier(name)}" for name in columns)
    there = whole_value(stored_value(table, name, "m") for name in columns)
    connection.execute(
        f"INSERT INTO {copy.match} SELECT max(here), max(there) FROM ("
        "SELECT *, row_number() OVER (PARTITION BY there IS NULL, value"
        " ORDER BY coalesce(here, there)) AS nth FROM ("
        f"SELECT r.row AS here, NULL AS there, {here} AS value FROM {unnamed}"
        f" UNION ALL SELECT NULL, m.{key}, {there}"
        f" FROM {table.target_quoted} AS m WHERE {free} AND {near}"
        ")) GROUP BY nth, value HAVING count(*) = 2"
    )


def _near(connection: Connection, copy: Copy, inner: Sequence[str]) -> str:
    """Select the stored rows that refer to what the rows that are ready do: one level of a tree."""
    ready = f"{copy.ready} AS r CROSS JOIN {copy.table.quoted} AS s ON s.{copy.row} = r.row"
    for name in map(quote_identifier, inner):
        none = f"SELECT 1 FROM {ready} WHERE s.{name} IS NULL LIMIT 1"
        if not connection.execute(none).fetchone():
            return f"m.{name} IN (SELECT s.{name} FROM {ready})"
    return "TRUE"


def _take_keys(connection: Connection, copy: Copy) -> None:
    """Put matched rows under the key of their match; the numbers of new ones are still to come."""
    pairs = zip(copy.key, copy.matched_key("x"), strict=True)
    connection.execute(
        f"UPDATE {copy.table.quoted} AS s SET {', '.join(f'{a} = {b}' for a, b in pairs)}"
        f" FROM {copy.match} AS x WHERE x.row = s.{copy.row}"
        f" AND s.{copy.row} IN (SELECT row FROM {copy.ready})"
    )
    if copy.number and copy.last_number is not None:
        number = quote_identifier(copy.number)
        # Until all are known: a value that is equal to nothing that a database holds.
        connection.execute(
            f"UPDATE {copy.table.quoted} AS s"
            f" SET {number} = CAST('new row ' || s.{copy.row} AS BLOB)"
            f" FROM {copy.fate} AS f WHERE f.row = s.{copy.row} AND f.is_new"
            f" AND s.{copy.row} IN (SELECT row FROM {copy.ready})"
            f" AND typeof(s.{number}) = 'integer'"
        )


# What cannot be told


def _complain_of_twins(connection: Connection, copy: Copy, name: Name) -> None:
    """Complain of rows of the backup that a profile's natural key cannot tell apart."""
    if not name.may_have_nulls:
        return
    columns = ", ".join(f"s.{quote_identifier(column)}" for column in name.columns)
    _complain(
        connection,
        copy,
        f"SELECT {columns} FROM {copy.table.quoted} AS s WHERE {_has_name(name)}"
        f" GROUP BY {columns} HAVING count(*) > 1",
        f"rows of the backup with one and the same {', '.join(name.columns)}",
    )


def _complain_of_matches(connection: Connection, copy: Copy) -> None:
    keys = ", ".join(copy.matched_key("x"))
    shown = _shown(copy)
    _complain(
        connection,
        copy,
        f"SELECT {shown} FROM {copy.match} AS x JOIN {copy.table.original} AS o"
        f" ON o.{copy.row} = x.row GROUP BY x.row HAVING count(*) > 1",
        "rows of the backup that match several rows of the database",
    )
    _complain(
        connection,
        copy,
        f"SELECT {keys} FROM {copy.match} AS x GROUP BY {keys} HAVING count(*) > 1",
        "rows of the database that several rows of the backup match",
    )


def _complain_of_moves(connection: Connection, copy: Copy, unknown: frozenset[str]) -> None:
    """Complain of rows whose key refers to something else than that of their match."""
    linked = {column for each in copy.links for column in each.columns} - unknown
    moved = [
        f"({copy.refers_by(name)} AND s.{quote_identifier(name)} IS NOT x.k{position})"
        for position, name in enumerate(copy.table.target.primary_key)
        if name in linked
    ]
    if not moved:
        return
    keys = ", ".join(copy.matched_key("x"))
    _complain(
        connection,
        copy,
        f"SELECT {keys} FROM {copy.ready} AS r CROSS JOIN {copy.match} AS x ON x.row = r.row"
        f" JOIN {copy.table.quoted} AS s ON s.{copy.row} = r.row WHERE TRUE"
        f" AND ({' OR '.join(moved)})",
        "rows that belong to another row in the backup, by a key that cannot change",
    )


def _complain_of_taken_keys(connection: Connection, copy: Copy) -> None:
    if copy.number:  # a key that is no number is a name: its row would be a match
        return
    same = all_of([f"m.{key} = s.{key}" for key in copy.key])
    keys = ", ".join(f"s.{key}" for key in copy.key)
    _complain(
        connection,
        copy,
        f"SELECT {keys} FROM {copy.fate} AS f JOIN {copy.table.quoted} AS s"
        f" ON s.{copy.row} = f.row JOIN {copy.table.target_quoted} AS m ON {same}"
        " WHERE f.is_new",
        "keys that another row of the database has",
    )


def _complain_of_numbers(connection: Connection, copy: Copy) -> None:
    """Complain of rows that differ under a key with a number in it that nothing ties to a row."""
    is_natural = any(name.may_have_nulls for name in copy.names)
    if copy.number or is_natural:
        return
    tied = " OR ".join(map(copy.refers_by, copy.table.target.primary_key))
    same = all_of(
        [f"({copy.refers_by(name)} OR {is_equal(copy.table, name)})" for name in copy.table.columns]
    )
    key = all_of([f"m.{name} = s.{name}" for name in copy.key])
    number = " OR ".join(f"typeof(s.{name}) = 'integer'" for name in copy.key)
    keys = ", ".join(f"s.{name}" for name in copy.key)
    _complain(
        connection,
        copy,
        f"SELECT {keys} FROM {copy.match} AS x JOIN {copy.table.quoted} AS s"
        f" ON s.{copy.row} = x.row JOIN {copy.table.target_quoted} AS m ON {key}"
        f" WHERE NOT ({tied}) AND ({number}) AND NOT ({same})",
        "rows that differ, and may be others, as a number in their key names them",
    )


def _shown(copy: Copy) -> str:
    return ", ".join(f"o.{key}" for key in copy.key)


def _complain(connection: Connection, copy: Copy, query: str, what: str) -> None:
    with text_as(connection, lambda text: text.decode("utf-8", "replace")):
        found = connection.execute(f"{query} LIMIT {EXAMPLES + 1}").fetchall()
    if found:
        examples = [shown_key(row) for row in found[:EXAMPLES]]
        more = ", ..." if len(found) > EXAMPLES else ""
        raise ImportConflict(
            f"{copy.table.target.name}: {what}: {'; '.join(examples)}{more}",
            hint="Nothing was changed. Change those rows in the database; or say in the profile's"
            " natural_keys which columns name a row.",
        )
