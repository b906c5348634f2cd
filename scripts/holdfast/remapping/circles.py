"""
Rows on circles of references: which rows of the database are they, with all that they lead to.

Two rows look alike when their own values are equal, and the rows that they refer to look alike.
They are told apart round by round: by their values, by those of what they refer to, and so on,
until another round tells no more of them apart. Of rows that look alike, one is taken for another
where all that it leads to can be, each row for one of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from holdfast.database import Connection, quote_identifier
from holdfast.equality import all_of, stored_value, whole_value
from holdfast.remapping.copies import Copy, Link
from holdfast.schema import applies

Node = TypeVar("Node")

_NODES = 'temp."$node"'  # id, kind (a table's place), row (of a staged one), k0, ... (else), look
_EDGES = 'temp."$edge"'  # node, place (which of its references), parent


def match_circles(
    connection: Connection,
    group: Mapping[str, Copy],
    inner: Mapping[str, Sequence[Link]],
    rows: Mapping[str, set[int]],
) -> None:
    """
    Match rows on circles to rows of the database that are the same, with all they lead to.

    Args:
        inner: the references within the group, by table; those to rows that are decided are
            rewritten already.
        rows: those on circles, by table.
    """
    looks = _Looks(connection, group, inner, rows)
    pairs = list(_Pairing(*looks.graph()).pairs().items())
    for name, kind in looks.kinds.items():
        copy = group[name]
        keys = ", ".join(f"t.k{n}" for n, _ in enumerate(copy.key))
        connection.executemany(
            f"INSERT INTO {copy.match} SELECT s.row, {keys} FROM {_NODES} AS s"
            f" CROSS JOIN {_NODES} AS t WHERE s.id = ? AND t.id = ? AND s.kind = {kind}",
            pairs,
        )


def on_circles(parents: Mapping[Node, Sequence[Node]]) -> set[Node]:
    """Return the nodes of a graph that are on a circle, or between two; all have parents."""
    children = Counter(parent for found in parents.values() for parent in found)
    left = dict(parents)
    ends = [node for node in left if not children[node]]
    while ends:
        for parent in left.pop(ends.pop()):
            children[parent] -= 1
            if not children[parent] and parent in left:
                ends.append(parent)
    return set(left)


class _Pairing:
    """Pairs of rows that look alike, such that what they refer to are pairs, too."""

    def __init__(
        self,
        looks: Mapping[int, int],
        candidates: Mapping[int, Sequence[int]],
        parents: Mapping[int, Mapping[int, int]],
    ) -> None:
        """
        Take a graph, by the nodes' numbers.

        Args:
            looks: of staged rows.
            candidates: stored rows, by what they look like.
            parents: what a row refers to, by the reference's place.
        """
        self._looks = looks
        self._parents = parents
        stored = [node for nodes in candidates.values() for node in nodes]
        circle = on_circles({node: list(parents[node].values()) for node in stored})
        # Those on circles first, as the staged rows are: where all are there, each is the nth.
        self._candidates = {
            look: sorted(nodes, key=lambda node: (node not in circle, node))
            for look, nodes in candidates.items()
        }
        self._place: dict[int, int] = {}
        counts: Counter[int] = Counter()
        for node in sorted(looks):
            self._place[node] = counts[looks[node]]
            counts[looks[node]] += 1
        self._pairs: dict[int, int] = {}
        self._taken: set[int] = set()

    def pairs(self) -> dict[int, int]:
        """Return stored rows by the staged rows that they are."""
        for node in self._leading_first():
            if node not in self._pairs:
                found = next(
                    filter(None, (self._led_to(node, each) for each in self._tries(node))), {}
                )
                self._pairs |= found
                self._taken.update(found.values())
        return self._pairs

    def _tries(self, node: int) -> Iterator[int]:
        """Yield the stored rows that a staged one may be, its own place among its likes first."""
        candidates = self._candidates.get(self._looks[node], ())
        place = self._place[node]
        yield from candidates[place:]
        yield from candidates[:place]

    def _leading_first(self) -> list[int]:
        """Order rows: of each circle one comes before all rows that the circle leads to."""
        order: list[int] = []
        seen = set()
        for start in sorted(self._looks, reverse=True):
            waiting = [(start, False)]
            while waiting:
                node, is_left = waiting.pop()
                if is_left:
                    order.append(node)
                elif node not in seen:
                    seen.add(node)
                    waiting.append((node, True))
                    waiting.extend((parent, False) for parent in self._parents[node].values())
        return order[::-1]

    def _led_to(self, staged: int, stored: int) -> dict[int, int]:
        """Pair two rows and all that they lead to; empty where that cannot be."""
        found: dict[int, int] = {}
        taken: set[int] = set()
        waiting = [(staged, stored)]
        while waiting:
            one, other = waiting.pop()
            known = self._pairs.get(one, found.get(one))
            if known == other:
                continue
            if known is not None or other in self._taken or other in taken:
                return {}
            found[one] = other
            taken.add(other)
            parents = self._parents[other]
            waiting += [(parent, parents[place]) for place, parent in self._parents[one].items()]
        return found


class _Looks:
    """The looks of rows on circles, and of the rows of the database that may be these."""

    def __init__(
        self,
        connection: Connection,
        group: Mapping[str, Copy],
        inner: Mapping[str, Sequence[Link]],
        rows: Mapping[str, set[int]],
    ) -> None:
        self._connection = connection
        self._group = group
        self._inner = inner
        self.kinds = {name: kind for kind, name in enumerate(rows)}
        self._make_tables()
        for name in rows:
            self._add_staged(name, rows[name])
        for name in rows:
            self._add_stored(name)
        for name in rows:
            for place, link in enumerate(inner[name]):
                self._link_staged(name, place, link)
                self._link_stored(name, place, link)
        self._tell_apart()

    def graph(
        self,
    ) -> tuple[dict[int, int], dict[int, list[int]], Mapping[int, Mapping[int, int]]]:
        """Return the looks of staged rows, stored rows by look, and what they refer to."""
        looks: dict[int, int] = {}
        candidates: dict[int, list[int]] = defaultdict(list)
        for node, look, is_stored in self._connection.execute(
            f"SELECT id, look, row IS NULL FROM {_NODES} ORDER BY id"
        ):
            if is_stored:
                candidates[look].append(node)
            else:
                looks[node] = look
        parents: dict[int, dict[int, int]] = defaultdict(dict)
        for node, place, parent in self._connection.execute(f"SELECT * FROM {_EDGES}"):
            parents[node][place] = parent
        return looks, candidates, parents

    def _make_tables(self) -> None:
        width = max(len(self._group[name].key) for name in self.kinds)
        self._connection.execute(f"DROP TABLE IF EXISTS {_NODES}")
        self._connection.execute(f"DROP TABLE IF EXISTS {_EDGES}")
        self._connection.execute(
            f"CREATE TABLE {_NODES} (id INTEGER PRIMARY KEY, kind INTEGER, row INTEGER, look"
            + "".join(f", k{n}" for n in range(width))
            + ")"
        )
        for columns in ("kind, row", "kind, k0", "look"):
            index = f'temp."$node by {columns}"'
            self._connection.execute(f'CREATE INDEX {index} ON "$node" ({columns})')
        self._connection.execute(
            f"CREATE TABLE {_EDGES} (node INTEGER, place INTEGER, parent INTEGER,"
            " PRIMARY KEY (node, place)) WITHOUT ROWID"
        )

    def _add_staged(self, name: str, rows: set[int]) -> None:
        copy = self._group[name]
        waits = {
            link: f"EXISTS (SELECT 1 FROM {link.name} AS l WHERE l.row = s.{copy.row}"
            f" AND l.parent NOT IN (SELECT row FROM {self._group[link.parent].fate}))"
            for link in self._inner[name]
        }
        look = " || ".join(self._look(name, "s", waits))
        self._connection.executemany(
            f"INSERT INTO {_NODES} (kind, row, look) SELECT {self.kinds[name]}, s.{copy.row},"
            f" {look} FROM {copy.table.quoted} AS s WHERE s.{copy.row} = ?",
            [(row,) for row in sorted(rows)],
        )

    def _add_stored(self, name: str) -> None:
        copy = self._group[name]
        if not copy.can_match:
            return
        waits = {
            link: _waits_in_target(link, self._group[link.parent]) for link in self._inner[name]
        }
        look = " || ".join(self._look(name, "m", waits))
        keys = ", ".join(f"k{n}" for n, _ in enumerate(copy.key))
        self._connection.execute(
            f"INSERT INTO {_NODES} (kind, look, {keys}) SELECT {self.kinds[name]}, x.* FROM"
            f" (SELECT {look} AS look, {', '.join(f'm.{key}' for key in copy.key)}"
            f" FROM {copy.table.target_quoted} AS m WHERE NOT {_is_matched(copy, 'm')}) AS x"
            f" WHERE x.look IN (SELECT look FROM {_NODES} WHERE row IS NOT NULL)"
        )

    def _look(self, name: str, alias: str, waits: Mapping[Link, str]) -> Iterator[str]:
        """Yield SQL for a row's first look: what it holds, and refers to as far as is known."""
        table, inner = self._group[name].table, self._inner[name]
        untold = {column for link in inner for column in link.columns}
        untold |= table.vague | {self._group[name].number}

        def value(column: str) -> str:
            stored = stored_value(table, column, "m")
            return stored if alias == "m" else f"s.{quote_identifier(column)}"

        yield f"'{self.kinds[name]} '"
        yield whole_value(value(column) for column in table.columns if column not in untold)
        for columns in dict.fromkeys(link.columns for link in inner):
            known = whole_value(map(value, columns))
            waiting = " OR ".join(waits[link] for link in inner if link.columns == columns)
            yield f"CASE WHEN {waiting} THEN ' refers' ELSE ' ' || {known} END"

    def _link_staged(self, name: str, place: int, link: Link) -> None:
        self._connection.execute(
            f"INSERT INTO {_EDGES} SELECT n.id, {place}, p.id FROM {_NODES} AS n"
            f" JOIN {link.name} AS l ON l.row = n.row"
            f" JOIN {_NODES} AS p ON p.kind = {self.kinds.get(link.parent, -1)}"
            f" AND p.row = l.parent WHERE n.kind = {self.kinds[name]}"
        )

    def _link_stored(self, name: str, place: int, link: Link) -> None:
        copy, parent = self._group[name], self._group[link.parent]
        if not (copy.can_match and parent.can_match and link.parent in self.kinds):
            return
        self._connection.execute(
            f"INSERT INTO {_EDGES} SELECT n.id, {place}, q.id FROM {_NODES} AS n"
            f" CROSS JOIN {copy.table.target_quoted} AS m ON {_has_key(copy, 'm.', 'n')}"
            f" CROSS JOIN {parent.table.target_quoted} AS p ON {_refers(link)}"
            f" CROSS JOIN {_NODES} AS q ON q.kind = {self.kinds[link.parent]} AND q.row IS NULL"
            f" AND {_has_key(parent, '+p.', 'q')}"
            f" WHERE n.kind = {self.kinds[name]} AND n.row IS NULL"
        )

    def _tell_apart(self) -> None:
        around = "NULL"  # at first, only long looks become short ones
        count = -1
        while True:
            self._connection.execute(
                f"UPDATE {_NODES} AS o SET look = x.look FROM (SELECT id,"
                f" dense_rank() OVER (ORDER BY n.look, {around}) AS look"
                f" FROM {_NODES} AS n) AS x WHERE x.id = o.id"
            )
            (found,) = self._connection.execute(f"SELECT max(look) FROM {_NODES}").fetchone()
            if found == count:
                return
            count = found
            around = (
                "(SELECT group_concat(place || ' ' || look) FROM (SELECT e.place, p.look"
                f" FROM {_EDGES} AS e JOIN {_NODES} AS p ON p.id = e.parent"
                " WHERE e.node = n.id ORDER BY e.place))"
            )


def _waits_in_target(link: Link, parent: Copy) -> str:
    """Say that a stored row refers to one that nothing matches so far."""
    if not parent.can_match:
        return "FALSE"
    return (
        f"EXISTS (SELECT 1 FROM {parent.table.target_quoted} AS p"
        f" WHERE {_refers(link)} AND NOT {_is_matched(parent, 'p')})"
    )


def _refers(link: Link) -> str:
    pairs = zip(link.columns, link.parent_columns, strict=True)
    same = [f"p.{quote_identifier(b)} = m.{quote_identifier(a)}" for a, b in pairs]
    return all_of([*same, applies(link.key, "m")])


def _has_key(copy: Copy, stored: str, other: str) -> str:
    # A plus takes the type of the key away, which the indexes of our own tables have not.
    return all_of([f"{other}.k{n} = {stored}{key}" for n, key in enumerate(copy.key)])


def _is_matched(copy: Copy, stored: str) -> str:
    return f"EXISTS (SELECT 1 FROM {copy.match} AS x WHERE {_has_key(copy, f'+{stored}.', 'x')})"
