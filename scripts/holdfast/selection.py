"""
Rows that are picked out of tables along their references: what depends on them, what they need.

The tables may be the database's own or staged beside it; what is picked is kept in tables of a
scratch schema, so memory does not grow with the number of rows. A reference is looked up once,
by a join as SQLite itself would compare: composite keys, self references and circles of tables
are followed like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from holdfast.database import Connection, quote_identifier
from holdfast.model import ForeignKey, Table, folded
from holdfast.schema import applies, references

Reference = tuple[str, ForeignKey]  # the table that has it, and the columns it refers to named


class Source(Struct, frozen=True):
    """A table that rows are picked from."""

    table: Table
    quoted: str  # qualified with its schema
    identity: tuple[str, ...]  # the SQL names of what tells any two of its rows apart
    columns: frozenset[str]  # folded; a reference by another column cannot be followed


class Graph:
    """Tables and the references between them, where both ends are at hand."""

    def __init__(
        self, connection: Connection, sources: Iterable[Source], scratch: str = "temp"
    ) -> None:
        self.connection = connection
        self.scratch = scratch
        self.sources = {folded(source.table.name): source for source in sources}
        self.references = [
            (name, key)
            for name, key in references([source.table for source in self.sources.values()])
            if set(map(folded, key.read_columns)) <= self.sources[folded(name)].columns
            and set(map(folded, key.parent_columns)) <= self.sources[folded(key.parent)].columns
        ]
        self._edges: dict[int, str] = {}
        self._made = 0

    def new_table(self, columns: str) -> str:
        """Make a table in the scratch schema, and return its qualified name."""
        self._made += 1
        name = f'{quote_identifier(self.scratch)}."$selection{self._made}"'
        self.connection.execute(f"CREATE TABLE {name} {columns}")
        return name

    def edges(self, number: int) -> str:
        """
        Name the table of pairs that a reference makes: c0, ... of a row, p0, ... of its parent.

        Args: number: the reference's place in `references`.
        """
        if number not in self._edges:
            name, key = self.references[number]
            child, parent = self.sources[folded(name)], self.sources[folded(key.parent)]
            # The parent stands first: its collation decides, as in SQLite's own check.
            same = " AND ".join(
                f"p.{quote_identifier(there)} = c.{quote_identifier(here)}"
                for here, there in zip(key.columns, key.parent_columns, strict=True)
            )
            ends = [f"c.{column} AS c{n}" for n, column in enumerate(child.identity)]
            ends += [f"p.{column} AS p{n}" for n, column in enumerate(parent.identity)]
            table = self.new_table(
                f"AS SELECT {', '.join(ends)} FROM {child.quoted} AS c"
                f" JOIN {parent.quoted} AS p ON {same} AND {applies(key, 'c')}"
            )
            for end, columns in (("c", child.identity), ("p", parent.identity)):
                schema, _, bare = table.rpartition(".")
                self.connection.execute(
                    f'CREATE INDEX {schema}.{bare[:-1]} by {end}"'
                    f" ON {bare} ({_numbered(end, columns)})"
                )
            self._edges[number] = table
        return self._edges[number]


class Selection:
    """Some rows of each table of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._tables: dict[str, str] = {}
        self._round = 0
        self._avoided: Sequence[Selection] = ()

    @property
    def names(self) -> list[str]:
        """The folded names of the tables of which a row was picked, or was looked for."""
        return list(self._tables)

    def add(self, name: str, condition: str, values: Sequence[object] = ()) -> bool:
        """Pick the rows `t` of a table that a condition holds for; tell whether there is any."""
        source = self.graph.sources[folded(name)]
        chosen = ", ".join(f"t.{column}" for column in source.identity)
        found = f"FROM {source.quoted} AS t WHERE {condition}"
        self._insert(name, f"SELECT {chosen}, {self._round} {found}", values)
        query = f"SELECT EXISTS (SELECT 1 {found})"
        return bool(self.graph.connection.execute(query, values).fetchone()[0])

    def add_referring(
        self, number: int, parents: Selection, *, among: Selection | None = None
    ) -> None:
        """
        Pick the rows that refer by one reference to rows of another selection.

        Args:
            number: the reference's place in the graph.
            among: only rows that this has, too.
        """
        name, key = self.graph.references[number]
        if not parents.count(key.parent):
            return
        ends = _numbered("e.c", self.graph.sources[folded(name)].identity)
        also = among.holds(name, "e.c", numbered=True) if among else "TRUE"
        self._insert(
            name,
            f"SELECT DISTINCT {ends}, {self._round} FROM {self.graph.edges(number)} AS e"
            f" WHERE {parents.holds(key.parent, 'e.p', numbered=True)} AND {also}",
        )

    def remove(self, others: Selection) -> None:
        """Drop all rows that another selection has."""
        for name, table in self._tables.items():
            theirs = others.holds(name, "k", numbered=True)
            self.graph.connection.execute(f"DELETE FROM {table} WHERE {theirs}")

    def holds(self, name: str, prefix: str = "", *, numbered: bool = False) -> str:
        """
        Return the condition that a row of a table is picked.

        Args:
            prefix: what stands before the names of the columns that identify the row: `t.`
            numbered: these are not the table's own, but the prefix with numbers from 0 on.
        """
        if folded(name) not in self._tables:
            return "FALSE"
        identity = self.graph.sources[folded(name)].identity
        keys = _numbered("k", identity)
        names = ", ".join(f"{prefix}{n if numbered else each}" for n, each in enumerate(identity))
        return f"({names}) IN (SELECT {keys} FROM {self._tables[folded(name)]})"

    def counts(self, among: Selection | None = None) -> dict[str, int]:
        """Count the picked rows by table, where there are any; those that `among` has, too."""
        found = {
            self.graph.sources[name].table.name: self.count(name, among)
            for name in sorted(self._tables)
        }
        return {name: count for name, count in found.items() if count}

    def count(self, name: str, among: Selection | None = None) -> int:
        """Count the picked rows of a table; those that `among` has, too."""
        if folded(name) not in self._tables:
            return 0
        query = f"SELECT count(*) FROM {self._tables[folded(name)]}"
        if among:
            query += f" WHERE {among.holds(name, 'k', numbered=True)}"
        return int(self.graph.connection.execute(query).fetchone()[0])

    def add_dependents(self, follows: Callable[[Reference], bool] = lambda _: True) -> None:
        """Pick what refers to picked rows, and what refers to that, to the end."""
        self._grow(follows, "p", "c")

    def add_needed(self, avoiding: Sequence[Selection] = ()) -> None:
        """Pick what picked rows refer to, and what that refers to, but what others have picked."""
        self._avoided = avoiding
        self._grow(lambda _: True, "c", "p")

    def _grow(self, follows: Callable[[Reference], bool], here: str, there: str) -> None:
        followed = [
            (number, {"c": folded(name), "p": folded(key.parent)})
            for number, (name, key) in enumerate(self.graph.references)
            if follows((name, key))
        ]
        fresh, rows = set(self._tables), "TRUE"
        while fresh:
            self._round += 1
            reached = set()
            for number, ends in followed:
                if ends[here] in fresh and self._follow(number, ends, (here, there), rows):
                    reached.add(ends[there])
            fresh, rows = reached, f"f.round = {self._round}"

    def _follow(self, number: int, ends: dict[str, str], way: tuple[str, str], rows: str) -> int:
        here, there = way
        start = self.graph.sources[ends[here]].identity
        same = " AND ".join(f"e.{here}{n} = f.k{n}" for n in range(len(start)))
        goal = self.graph.sources[ends[there]].identity
        found = _numbered(f"e.{there}", goal)
        for others in self._avoided:
            rows += f" AND NOT ({others.holds(ends[there], f'e.{there}', numbered=True)})"
        return self._insert(
            ends[there],
            f"SELECT DISTINCT {found}, {self._round} FROM {self._tables[ends[here]]} AS f"
            f" JOIN {self.graph.edges(number)} AS e ON {same} WHERE {rows}",
        )

    def _insert(self, name: str, query: str, values: Sequence[object] = ()) -> int:
        name = folded(name)
        if name not in self._tables:
            keys = _numbered("k", self.graph.sources[name].identity)
            self._tables[name] = self.graph.new_table(
                f"({keys}, round, PRIMARY KEY ({keys})) WITHOUT ROWID"
            )
        cursor = self.graph.connection.execute(
            f"INSERT OR IGNORE INTO {self._tables[name]} {query}", values
        )
        return max(0, int(cursor.rowcount))


def _numbered(letter: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{letter}{n}" for n in range(len(columns)))
