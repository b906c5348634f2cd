"""Copies of the staged rows, in which keys and references are rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from holdfast.database import Connection, quote_identifier
from holdfast.equality import all_of
from holdfast.model import ForeignKey, folded
from holdfast.remapping.names import Name, names_of, own_number, refers_by
from holdfast.schema import applies
from holdfast.staged import StagedTable, definition_of


class Link(Struct, frozen=True):
    """A reference between staged rows, by their numbers, which nothing changes."""

    key: ForeignKey
    parent: str  # folded
    columns: tuple[str, ...]  # of the child, by the names they are staged under
    parent_columns: tuple[str, ...]
    name: str  # qualified and quoted; columns: row, parent


class Copy(Struct):
    """
    One staged table under way to its new keys.

    Everything is in temporary tables: the scratch database, which is attached, would have to be
    written at the commit of the import, and could fail when the database is committed already.
    """

    table: StagedTable  # its rows are the copy
    number: str  # the column whose numbers are given anew; "" for none
    names: tuple[Name, ...]
    fate: str  # qualified and quoted; columns: row, round (when it was decided), is_new
    match: str  # the same; columns: row, and the matched row's key as k0, k1, ...
    ready: str  # the same; the rows to be decided now
    links: list[Link] = field(default_factory=list)
    last_number: int | None = None  # that the database has used; None: none, all are kept

    @property
    def row(self) -> str:
        return quote_identifier(self.table.numbered)

    @property
    def key(self) -> list[str]:
        return list(map(quote_identifier, self.table.target.primary_key))

    @property
    def can_match(self) -> bool:
        """The database may have some of the rows already, and they have a key to be known by."""
        return not self.table.is_new and bool(self.table.key) and not self.table.target.is_virtual

    def refers_by(self, column: str) -> str:
        """Write the condition that a copied row `s` may refer to another copied one by a column."""
        return refers_by(column, [each.key for each in self.links])

    def matched_key(self, alias: str) -> list[str]:
        return [f"{alias}.k{position}" for position in range(len(self.key))]


def make_copy(
    connection: Connection,
    table: StagedTable,
    position: int,
    references: Sequence[ForeignKey],
    natural: Sequence[str],
) -> Copy:
    """Copy the rows of a staged table, and make what notes how they are decided."""
    number = own_number(table.target, references, natural)
    if number not in table.columns:
        number = ""

    def name(word: str) -> str:
        return f'temp."${word}{position}"'

    copied = replace(table, copy=name("remapped"))
    copy = Copy(
        table=copied,
        number=number,
        names=names_of(table, number, natural, references),
        fate=name("fate"),
        match=name("match"),
        ready=name("ready"),
    )
    columns = ", ".join([copy.row, *map(quote_identifier, table.columns)])
    connection.execute(f"CREATE TABLE {copied.quoted} {definition_of(table)}")
    connection.execute(
        f"INSERT INTO {copied.quoted} ({columns}) SELECT {columns} FROM {table.original}"
    )
    connection.execute(f"CREATE TABLE {copy.fate} (row INTEGER PRIMARY KEY, round, is_new)")
    connection.execute(f'CREATE INDEX temp."$fate_round{position}" ON "$fate{position}" (round)')
    keys = "".join(f", k{n}" for n in range(len(copy.key)))
    # Without their types, which are those of what they are compared with, no index would serve.
    connection.execute(f"CREATE TABLE {copy.match} (row INTEGER NOT NULL{keys})")
    connection.execute(f'CREATE INDEX temp."$match_row{position}" ON "$match{position}" (row)')
    if keys:
        connection.execute(f'CREATE INDEX temp."$match_key{position}" ON "$match{position}" (k0)')
    connection.execute(f"CREATE TABLE {copy.ready} (row INTEGER PRIMARY KEY)")
    return copy


def link(
    connection: Connection,
    copies: Mapping[str, Copy],
    child: Copy,
    references: Sequence[ForeignKey],
) -> None:
    """Note which staged rows the rows of a table refer to."""
    for number, key in enumerate(references):
        parent = copies.get(folded(key.parent))
        if parent is None:
            continue
        columns = staged_names(child.table, key.columns)
        parent_columns = staged_names(parent.table, key.parent_columns)
        # A row that refers to itself by its own key follows that anyway.
        if not columns or not parent_columns or (child is parent and columns == parent_columns):
            continue
        plain = f"$link{number}_of_{child.fate.partition('$fate')[2].rstrip(chr(34))}"
        name = f'temp."{plain}"'
        connection.execute(f"CREATE TABLE {name} (row INTEGER PRIMARY KEY, parent INTEGER)")
        pairs = zip(columns, parent_columns, strict=True)
        same = [f"p.{quote_identifier(b)} = c.{quote_identifier(a)}" for a, b in pairs]
        connection.execute(
            f"INSERT OR IGNORE INTO {name} SELECT c.{child.row}, p.{parent.row}"
            f" FROM {child.table.original} AS c JOIN {parent.table.original} AS p"
            f" ON {all_of([*same, applies(key, 'c')])}"
        )
        connection.execute(f'CREATE INDEX temp."{plain}_parent" ON "{plain}" (parent)')
        child.links.append(Link(key, folded(key.parent), columns, parent_columns, name))


def staged_names(table: StagedTable, names: Iterable[str]) -> tuple[str, ...]:
    """Return columns by the names that they are staged under; empty when one is not staged."""
    known = {folded(column): column for column in table.columns}
    wanted = list(map(folded, names))
    return tuple(known[name] for name in wanted) if set(wanted) <= known.keys() else ()


def follow(
    connection: Connection,
    child: Copy,
    links: Iterable[Link],
    parents: Mapping[str, Copy],
    rows: str,
) -> None:
    """
    Write into rows what the rows they refer to are called by.

    Args: rows: a condition on the child's rows `c`.
    """
    for each in links:
        parent = parents[each.parent]
        pairs = zip(each.columns, each.parent_columns, strict=True)
        values = ", ".join(f"{quote_identifier(a)} = p.{quote_identifier(b)}" for a, b in pairs)
        connection.execute(
            f"UPDATE {child.table.quoted} AS c SET {values} FROM {each.name} AS l"
            f" JOIN {parent.table.quoted} AS p ON p.{parent.row} = l.parent"
            f" WHERE c.{child.row} = l.row AND {rows}"
        )
