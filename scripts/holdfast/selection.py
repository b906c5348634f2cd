"""
Rows that are picked out of tables along their references: what depends on them, what they need.

The tables may be the database's own or staged beside it; what is picked is kept in tables of a
scratch schema, so memory does not grow with the number of rows. A reference is looked up once,
by a join as SQLite itself would compare: composite keys, self references and circles of tables
are followed like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from holdfast.database import Connection, quote_identifier
from holdfast.model import ForeignKey, Table, folded
from holdfast.schema import references

Reference = tuple[str, ForeignKey]  # the table that has it, and the columns it refers to named


@dataclass(frozen=True, slots=True)
class Source:
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
            if set(map(folded, key.columns)) <= self.sources[folded(name)].columns
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
                f" JOIN {parent.quoted} AS p ON {same}"
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

    def holds(self, name: str, alias: str) -> str:
        """Return the condition that a row is picked, by the SQL names of what identifies it."""
        identity = self.graph.sources[folded(name)].identity
        return self._holds(name, [f"{alias}.{column}" for column in identity])

    def count(self, name: str) -> int:
        """Count the picked rows of a table."""
        if folded(name) not in self._tables:
            return 0
        query = f"SELECT count(*) FROM {self._tables[folded(name)]}"
        return int(self.graph.connection.execute(query).fetchone()[0])

    def add_dependents(self, follows: Callable[[Reference], bool] = lambda _: True) -> None:
        """Pick what refers to picked rows, and what refers to that, to the end."""
        self._grow(follows, "p", "c")

    def add_needed(self, follows: Callable[[Reference], bool] = lambda _: True) -> None:
        """Pick what picked rows refer to, and what that refers to, to the end."""
        self._grow(follows, "c", "p")

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
        found = _numbered(f"e.{there}", self.graph.sources[ends[there]].identity)
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

    def _holds(self, name: str, identity: Sequence[str]) -> str:
        if folded(name) not in self._tables:
            return "FALSE"
        keys = _numbered("k", identity)
        return f"({', '.join(identity)}) IN (SELECT {keys} FROM {self._tables[folded(name)]})"


def _numbered(letter: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{letter}{n}" for n in range(len(columns)))
