"""Decides rows in the order of their references: parents first, level by level, circles last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from holdfast.database import Connection
from holdfast.remapping.circles import match_circles, on_circles
from holdfast.remapping.copies import Copy, Link, follow
from holdfast.remapping.matching import (
    complain_of_ambiguity,
    decide,
    is_named,
    match_by_names,
    record,
)
from holdfast.remapping.numbers import give_numbers


def groups_of(copies: Mapping[str, Copy]) -> list[list[str]]:
    """Put tables that refer to each other in a circle together, and parents before children."""
    reached = {name: _reached(copies, name) for name in copies}
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    # What a table of a later group reaches includes what the earlier ones reach, and more.
    for name in sorted(copies, key=lambda name: len(reached[name])):
        circle = frozenset(other for other in reached[name] if name in reached[other])
        found[circle].append(name)
    return list(found.values())


def _reached(copies: Mapping[str, Copy], name: str) -> set[str]:
    reached, waiting = {name}, [name]
    while waiting:
        parents = {each.parent for each in copies[waiting.pop()].links} - reached
        reached |= parents
        waiting.extend(parents)
    return reached


def settle(connection: Connection, copies: Mapping[str, Copy], group: Sequence[str]) -> None:
    """
    Give all rows of some tables the keys that they will have, and rewrite their references.

    Raises: ImportConflict for rows that cannot be told; ImportRefused when numbers run out.
    """
    rounds = _Rounds(connection, copies, group)
    for name in group:
        copy = copies[name]
        outer = [each for each in copy.links if each.parent not in group]
        follow(connection, copy, outer, copies, "TRUE")
    rounds.decide_all()
    for name in group:
        complain_of_ambiguity(connection, copies[name])
        give_numbers(connection, copies[name])
    for name in group:
        rounds.follow_inner(name)


class _Rounds:
    """The rows of some tables that refer to each other, decided round by round."""

    def __init__(
        self, connection: Connection, copies: Mapping[str, Copy], group: Sequence[str]
    ) -> None:
        self._connection = connection
        self._copies = copies
        self._group = {name: copies[name] for name in group}
        self._inner = {
            name: [each for each in copy.links if each.parent in self._group]
            for name, copy in self._group.items()
        }
        self._number = 0

    def decide_all(self) -> None:
        for name, copy in self._group.items():
            self._collect(copy, self._first(name, copy))
        while self._decide_ready() or self._decide_circles():
            self._number += 1
            for name, copy in self._group.items():
                self._collect(copy, self._next(name, copy))

    def follow_inner(self, name: str) -> None:
        """Rewrite the references within the group; a match keeps the key that it has here."""
        copy = self._group[name]
        key = set(copy.table.target.primary_key)
        for each in self._inner[name]:
            is_key = bool(key & set(each.columns)) and copy.can_match
            new = (
                f"c.{copy.row} IN (SELECT row FROM {copy.fate} WHERE is_new)" if is_key else "TRUE"
            )
            follow(self._connection, copy, [each], self._copies, new)

    def _collect(self, copy: Copy, query: str) -> None:
        self._connection.execute(f"DELETE FROM {copy.ready}")
        self._connection.execute(f"INSERT OR IGNORE INTO {copy.ready} {query}")

    def _decide_ready(self) -> bool:
        """Decide what is ready in each table; the others of the group learn of it next round."""
        found = False
        for name, copy in self._group.items():
            if self._is_any_ready(copy):
                rows = f"c.{copy.row} IN (SELECT row FROM {copy.ready})"
                follow(self._connection, copy, self._inner[name], self._copies, rows)
                decide(self._connection, copy, self._number, self._inner_columns(name))
                found = True
        return found

    def _first(self, name: str, copy: Copy) -> str:
        """Select the rows that need not wait for others to be told."""
        links = self._inner[name]
        free = not any(self._inner_columns(name) & set(each.columns) for each in copy.names)
        named = is_named(copy.names) if free else "FALSE"
        if not copy.can_match:
            named = "TRUE"  # they are not compared with anything
        return (
            f"SELECT s.{copy.row} FROM {copy.table.quoted} AS s"
            f" WHERE {named} OR NOT ({self._waits(links, f's.{copy.row}')})"
        )

    def _next(self, name: str, copy: Copy) -> str:
        """Select the rows whose last parent was decided in the round before."""
        links = self._inner[name]
        just = " UNION ".join(
            f"SELECT l.row FROM {self._group[each.parent].fate} AS f JOIN {each.name} AS l"
            f" ON l.parent = f.row WHERE f.round = {self._number - 1}"
            for each in links
        )
        if not links:
            return "SELECT 1 WHERE FALSE"
        return (
            f"SELECT row FROM ({just}) AS j WHERE row NOT IN (SELECT row FROM {copy.fate})"
            f" AND NOT ({self._waits(links, 'j.row')})"
        )

    def _inner_columns(self, name: str) -> frozenset[str]:
        return frozenset(column for each in self._inner[name] for column in each.columns)

    def _waits(self, links: Sequence[Link], row: str) -> str:
        """Say that a row refers to one that is not decided."""
        waiting = [
            f"EXISTS (SELECT 1 FROM {each.name} AS l WHERE l.row = {row}"
            f" AND l.parent NOT IN (SELECT row FROM {self._group[each.parent].fate}))"
            for each in links
        ]
        return " OR ".join(waiting) or "FALSE"

    def _decide_circles(self) -> bool:
        """Decide rows that refer to each other in a circle: by name, or else by all of that."""
        rows = self._rows_on_circles()
        if rows and not self._decide_named(rows):
            for name in rows:
                self._follow_decided(name)
            match_circles(self._connection, self._group, self._inner, rows)
            for name in rows:
                self._take(self._group[name], rows[name])
                record(self._connection, self._group[name], self._number, self._inner_columns(name))
        return bool(rows)

    def _decide_named(self, rows: Mapping[str, set[int]]) -> bool:
        """Decide those of some rows that have a name without what they refer to in the group."""
        found = False
        for name in rows:
            copy, inner = self._group[name], self._inner_columns(name)
            names = [each for each in copy.names if not inner & set(each.columns)]
            self._take(copy, rows[name])
            self._connection.execute(
                f"DELETE FROM {copy.ready} WHERE row NOT IN (SELECT s.{copy.row}"
                f" FROM {copy.table.quoted} AS s WHERE {is_named(names)})"
            )
            if self._is_any_ready(copy):
                match_by_names(self._connection, copy, names)
                record(self._connection, copy, self._number, inner)
                found = True
        return found

    def _take(self, copy: Copy, rows: set[int]) -> None:
        self._connection.execute(f"DELETE FROM {copy.ready}")
        self._connection.executemany(
            f"INSERT INTO {copy.ready} VALUES (?)", [(row,) for row in sorted(rows)]
        )

    def _is_any_ready(self, copy: Copy) -> bool:
        return bool(self._connection.execute(f"SELECT 1 FROM {copy.ready} LIMIT 1").fetchone())

    def _follow_decided(self, name: str) -> None:
        """Rewrite the references of undecided rows to decided ones."""
        copy = self._group[name]
        for link in self._inner[name]:
            fate = self._group[link.parent].fate
            rows = (
                f"c.{copy.row} NOT IN (SELECT row FROM {copy.fate})"
                f" AND l.parent IN (SELECT row FROM {fate})"
            )
            follow(self._connection, copy, [link], self._copies, rows)

    def _rows_on_circles(self) -> dict[str, set[int]]:
        """Return the undecided rows that are on a circle, or between two, by table."""
        parents: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
        for name, copy in self._group.items():
            for each in self._inner[name]:
                fate = self._group[each.parent].fate
                for row, parent in self._connection.execute(
                    f"SELECT row, parent FROM {each.name} WHERE row NOT IN"
                    f" (SELECT row FROM {copy.fate}) AND parent NOT IN (SELECT row FROM {fate})"
                ):
                    parents[name, row].append((each.parent, parent))
        found: dict[str, set[int]] = defaultdict(set)
        for name, row in on_circles(parents):
            found[name].add(row)
        return found
