"""
Values that must be unique: which rows would have the same, and which hand one on to another.

SQLite itself evaluates what each index holds: the rows to be written are put into a scratch table
with the columns of their target, and its terms and conditions are asked of both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from holdfast.database import Connection, quote_identifier
from holdfast.definitions import (
    ColumnClauses,
    column_clauses,
    default_clause,
    index_parts,
    names_in,
)
from holdfast.equality import all_of, same_key
from holdfast.model import folded
from holdfast.naming import EXAMPLES, key_columns, shown_key, staged_key
from holdfast.schema import affinity_of, collations_of
from holdfast.staged import StagedTable, free_name
from holdfast.works import WRITTEN, Action, Work, changes, gone_condition, identity_of, work_rows


class Collisions(Struct, frozen=True):
    """Rows of the backup that cannot be written: another row has a value that must be unique."""

    count: int
    examples: tuple[str, ...]  # the constraint, the values, and the rows on both sides


class _Unique(Struct, frozen=True):
    """A UNIQUE constraint or index of the target."""

    label: str
    terms: tuple[str, ...]  # SQL on the table's own columns
    collations: tuple[str, ...]
    condition: str  # SQL; only rows that meet it are in the index


def find_collisions(connection: Connection, work: Work) -> Collisions:
    """
    Find rows to be written whose UNIQUE values another row has, and will still have.

    Rows that have such a value now, and will not, are marked in the work table: they hand it on.
    """
    table = work.table
    count, examples = _rows_of_one_key(connection, table)
    if not (table.is_new or table.target.is_virtual or not _writes(connection, work)):
        for number, unique in enumerate(_read_uniques(connection, table.target.name)):
            scratch = _Scratch(connection, work, unique, number)
            scratch.mark_handed_on()
            for found, texts in (scratch.with_stored_rows(), scratch.among_themselves()):
                count += found
                examples += texts
    return Collisions(count, tuple(examples[:EXAMPLES]))


def _writes(connection: Connection, work: Work) -> bool:
    (writes,) = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM {work.name} WHERE {WRITTEN})"
    ).fetchone()
    return bool(writes)


def _rows_of_one_key(connection: Connection, table: StagedTable) -> tuple[int, list[str]]:
    """Find rows of the backup that are one row by the key as the target compares it."""
    if not table.key:
        return 0, []
    here = [f"s.{here}" for here, _ in table.key]
    keys = [f"{name}{by}" for name, by in zip(here, table.key_collations, strict=True)]
    number = f"s.{quote_identifier(table.numbered)}"
    query = (
        f"SELECT min({number}) AS a, max({number}) AS b, count(*) - 1 AS n FROM {table.quoted} AS s"
        f" WHERE {all_of([f'{name} IS NOT NULL' for name in here])}"
        f" GROUP BY {', '.join(keys)} HAVING count(*) > 1"
    )
    (count,) = connection.execute(f"SELECT sum(n) FROM ({query})").fetchone()
    label = f"{table.target.name}.{', '.join(name for name in table.target.primary_key)}"
    examples = [
        f"{label}: rows {staged_key(connection, table, a)} and {staged_key(connection, table, b)}"
        " of the backup are one row here"
        for a, b, _ in connection.execute(f"{query} LIMIT {EXAMPLES}").fetchall()
    ]
    return count or 0, examples


def _read_uniques(connection: Connection, table: str) -> Iterator[_Unique]:
    indexes = connection.execute(f"PRAGMA main.index_list({quote_identifier(table)})").fetchall()
    for _, name, is_unique, origin, _ in indexes:
        if not is_unique or origin == "pk":
            continue
        found = connection.execute(
            "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = ?", [name]
        ).fetchone()
        written, condition = index_parts(found[0] or "")
        columns = connection.execute(
            f"PRAGMA main.index_info({quote_identifier(name)})"
        ).fetchall()  # position, number, name; None stands for an expression
        terms = [
            f"({written[position]})" if column is None else quote_identifier(column)
            for position, _, column in columns
        ]
        is_plain = not condition and all(column is not None for *_, column in columns)
        names = ", ".join(column or written[position] for position, _, column in columns)
        where = f" where {condition}" if condition else ""
        yield _Unique(
            f"{table}.{names}" if is_plain else f"index {name} of {table} ({names}{where})",
            tuple(terms),
            tuple(collations_of(connection, name)),
            condition,
        )


class _Scratch:
    """The rows to be written, with what one index takes of them."""

    def __init__(self, connection: Connection, work: Work, unique: _Unique, number: int) -> None:
        self._connection = connection
        self._work = work
        self._unique = unique
        self._table = work.table
        self._own_name = quote_identifier(self._table.target.name)
        columns = self._needed_columns()
        self._row = quote_identifier(free_name("$row", set(columns)))
        self._identity = [
            quote_identifier(free_name(f"$k{n}", set(columns)))
            for n, _ in enumerate(identity_of(self._table))
        ]
        self._name = f'temp."$unique{work.number}.{number}"'
        definitions = [f"{self._row} INTEGER PRIMARY KEY", *self._identity, *columns.values()]
        connection.execute(f"CREATE TABLE {self._name} ({', '.join(definitions)})")
        self._fill(columns)

    def _needed_columns(self) -> dict[str, str]:
        """Define the columns that the index looks at, as the target does, by folded name."""
        name = self._table.target.name
        (sql,) = self._connection.execute(
            "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?", [name]
        ).fetchone()
        clauses = column_clauses(sql)
        rows = self._connection.execute(f"PRAGMA main.table_xinfo({quote_identifier(name)})")
        known = {folded(row[1]): row for row in rows.fetchall()}
        wanted = names_in(" ".join([*self._unique.terms, self._unique.condition])) & known.keys()
        while True:  # a generated column needs those that it is made of
            more = {n for each in wanted for n in names_in(clauses[each].generated)}
            if more & known.keys() <= wanted:
                break
            wanted |= more & known.keys()
        return {
            each: _definition(row[1], row[2], row[4], clauses[each])
            for each, row in known.items()
            if each in wanted
        }

    def _fill(self, needed: Collection[str]) -> None:
        table = self._table
        here = {folded(name) for name in table.columns}
        names = [name for name in table.target.column_names if folded(name) in needed]
        given = [name for name in names if folded(name) in here]
        # What the backup lacks of a new row is its default.
        self._add(Action.INSERT, given, [f"s.{quote_identifier(name)}" for name in given])
        if table.key:
            values = [f"{'s' if name in given else 'm'}.{quote_identifier(name)}" for name in names]
            stored = f" JOIN {table.target_quoted} AS m ON {same_key(table)}"
            self._add(Action.CHANGE, names, values, identity_of(table), stored)

    def _add(
        self,
        action: Action,
        names: Iterable[str],
        values: Iterable[str],
        identity: Sequence[str] = (),
        stored: str = "",
    ) -> None:
        columns = [self._row, *map(quote_identifier, names)]
        columns += self._identity if identity else []
        self._connection.execute(
            f"INSERT INTO {self._name} ({', '.join(columns)})"
            f" SELECT {', '.join(['w.row', *values, *identity])} FROM {work_rows(self._work)}"
            f"{stored} WHERE w.action = {action:d}"
        )

    @property
    def _terms(self) -> str:
        return ", ".join(f"{term} AS u{n}" for n, term in enumerate(self._unique.terms))

    @property
    def _written_rows(self) -> str:
        """Select what the index takes of the rows to be written."""
        identity = ", ".join(f"{name} AS k{n}" for n, name in enumerate(self._identity))
        # The table has its own name here, and its columns theirs: the index names them so.
        return (
            f"SELECT {self._row} AS row, {identity}, {self._terms}"
            f" FROM {self._name} AS {self._own_name} WHERE {self._condition}"
        )

    @property
    def _stored_rows(self) -> str:
        """Select what the index has of the rows that stay."""
        names = identity_of(self._table, self._own_name)
        identity = ", ".join(f"{name} AS k{n}" for n, name in enumerate(names))
        return (
            f"SELECT {identity}, {self._terms} FROM {self._table.target_quoted} AS {self._own_name}"
            f" WHERE {self._condition} AND NOT ({gone_condition(self._work, self._own_name)})"
        )

    @property
    def _condition(self) -> str:
        return f"({self._unique.condition})" if self._unique.condition else "TRUE"

    @property
    def _pairs(self) -> str:
        """Join each row to be written with the stored rows that have its values."""
        equal = all_of(
            [
                f"f.u{n} = m.u{n} COLLATE {quote_identifier(collation)}"
                for n, collation in enumerate(self._unique.collations)
            ]
        )
        other = all_of([f"f.k{n} IS m.k{n} COLLATE BINARY" for n, _ in enumerate(self._identity)])
        return (
            f"({self._written_rows}) AS f CROSS JOIN ({self._stored_rows}) AS m ON {equal}"
            f" WHERE NOT ({other})"
        )

    @property
    def _is_changed(self) -> str:
        """Select the stored rows that are to be changed themselves."""
        stored = ", ".join(f"m.k{n} COLLATE BINARY" for n, _ in enumerate(self._identity))
        return (
            f"({stored}) IN (SELECT {', '.join(self._identity)} FROM {self._name}"
            f" WHERE {self._identity[0]} IS NOT NULL)"
        )

    def mark_handed_on(self) -> None:
        """Mark the rows whose values now are those of another row to be written."""
        stored = ", ".join(f"m.k{n} COLLATE BINARY" for n, _ in enumerate(self._identity))
        names = ", ".join(self._identity)
        self._connection.execute(
            f"UPDATE {self._work.name} SET hands_on = TRUE WHERE {changes()} AND row IN"
            f" (SELECT {self._row} FROM {self._name} WHERE ({names}) IN"
            f" (SELECT {stored} FROM {self._pairs}))"
        )

    def with_stored_rows(self) -> tuple[int, list[str]]:
        """Count the rows whose values a stored row keeps, and describe some."""
        found = f"FROM {self._pairs} AND NOT ({self._is_changed})"
        (count,) = self._connection.execute(f"SELECT count(DISTINCT f.row) {found}").fetchone()
        if not count:
            return 0, []
        identity = [f"m.k{n}" for n, _ in enumerate(self._identity)]
        values = [f"f.u{n}" for n, _ in enumerate(self._unique.terms)]
        rows = self._connection.execute(
            f"SELECT f.row, {', '.join(identity + values)} {found} ORDER BY f.row LIMIT {EXAMPLES}"
        ).fetchall()
        return count, [
            f"{self._unique.label} = {shown_key(row[1 + len(identity) :])}:"
            f" row {staged_key(self._connection, self._table, row[0])} of the backup,"
            f" row {self._stored_key(row[1 : 1 + len(identity)])} of the database"
            for row in rows
        ]

    def among_themselves(self) -> tuple[int, list[str]]:
        """Count the rows that would have the values of another one of the backup."""
        values = [f"u{n}" for n, _ in enumerate(self._unique.terms)]
        pairs = zip(values, self._unique.collations, strict=True)
        query = (
            f"SELECT min(row), max(row), count(*) - 1 AS more, {', '.join(values)}"
            f" FROM ({self._written_rows})"
            f" WHERE {all_of([f'{value} IS NOT NULL' for value in values])}"
            f" GROUP BY {', '.join(f'{each} COLLATE {quote_identifier(by)}' for each, by in pairs)}"
            " HAVING count(*) > 1"
        )
        (count,) = self._connection.execute(f"SELECT sum(more) FROM ({query})").fetchone()
        return count or 0, [
            f"{self._unique.label} = {shown_key(row[3:])}:"
            f" rows {staged_key(self._connection, self._table, row[0])} and"
            f" {staged_key(self._connection, self._table, row[1])} of the backup"
            for row in self._connection.execute(f"{query} LIMIT {EXAMPLES}").fetchall()
        ]

    def _stored_key(self, identity: tuple[object, ...]) -> str:
        table = self._table
        is_this = all_of([f"{name} IS ?" for name in identity_of(table)])
        query = f"SELECT {key_columns(table, 'm')} FROM {table.target_quoted} AS m"
        row = self._connection.execute(f"{query} WHERE {is_this}", identity).fetchone()
        return shown_key(row or identity)


def _definition(name: str, declared: str, default: str | None, clauses: ColumnClauses) -> str:
    words = [quote_identifier(name), affinity_of(declared, is_strict=False), clauses.collation]
    words += [default_clause(default)] if default is not None else []
    return " ".join(filter(None, [*words, clauses.generated]))
