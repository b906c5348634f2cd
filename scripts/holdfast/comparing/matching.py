"""
Which tables, columns and rows of two sides are the same ones.

Names are the same when SQLite calls them the same, whatever their case. A row is the same row
when its primary key is equal; where there is none, or it holds NULL, when its rowid is; where a
side has no rowids, when all of the row is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from holdfast.cells import Cell, InvalidText, RowReader, RowWriter, differ, encode_cell
from holdfast.errors import UsageError
from holdfast.model import Layout, folded
from holdfast.redaction import Secrets, secrets_in

Row = tuple[Cell, ...]
SecretNames = Mapping[str, Iterable[str]]  # by table, folded


class Match:
    """How the rows of a table are told apart, which is the same for both sides."""

    def __init__(self, columns: tuple[str | None, ...], key: tuple[str, ...]) -> None:
        self.columns = columns  # those that both sides have, folded; None is the rowid
        self.key = key
        self._places = [columns.index(column) for column in key]
        self._rowid = columns.index(None) if None in columns else None
        self._writer = RowWriter([str(place) for place in range(len(columns))])

    def key_of(self, row: Row) -> Row:
        """Return a row's primary key, and one cell more: what else it takes to tell it apart."""
        key = tuple(row[place] for place in self._places)
        if key and None not in key:
            return (*key, None)
        if self._rowid is not None:
            return (*key, row[self._rowid])
        return (*key, self._writer.lines([row]))


class MatchedTable:
    """A table that both sides have, as one of them has it."""

    def __init__(
        self, name: str, layout: Layout, match: Match, secrets: Iterable[str] = ()
    ) -> None:
        columns, order = _folded(layout, layout.columns), _folded(layout, layout.key)
        self.name = name
        self.match = match
        # So the layout says; the rows themselves may not keep to it.
        self.is_in_order = order in (match.key, (*match.key, None))
        self._names = dict(zip(columns, layout.columns, strict=True))
        self._picks = [columns.index(column) for column in match.columns]
        self._reader = RowReader(layout.columns)
        found = secrets_in(layout.columns, secrets)
        self._secrets = Secrets(layout.columns, found, redact=True, numbered=False)

    def rows(self, lines: list[bytes]) -> list[Row]:
        """Return the shared columns of some lines; ValueError for a line that is no row."""
        rows = self._reader.rows(b"".join(lines))
        if len(rows) != len(lines):
            raise ValueError("a line is empty")
        return [tuple(row[pick] for pick in self._picks) for row in rows]

    def shown(self, line: bytes) -> dict[str | None, Cell]:
        """Return all of a row, without its secrets."""
        [row] = self._secrets.rows(self._reader.rows(line))
        return dict(zip(self._names, row, strict=True))

    def shown_key(self, cells: Mapping[str | None, Cell]) -> dict[str, Any]:
        """Return what tells a row apart, by name; nothing where it takes all of the row."""
        *key, last = self.match.key_of(tuple(cells[column] for column in self.match.columns))
        shown = zip((self._names[column] for column in self.match.key), key, strict=True)
        rowid = {self._names[None]: last} if isinstance(last, int) else {}
        return {name: encode_cell(cell) for name, cell in shown} | rowid

    def changed_columns(self, old: Row, new: Row) -> tuple[str | None, ...]:
        """Find the columns in which the same row differs, in value or in type."""
        cells = zip(self.match.columns, old, new, strict=True)
        return tuple(column for column, a, b in cells if differ(a, b))

    def columns_beyond_key(self) -> tuple[str | None, ...]:
        """Return the columns that do not tell a row apart."""
        return tuple(each for each in self._names if each and each not in self.match.key)

    def name_of(self, column: str | None) -> str:
        """Return a column's name in this side's own spelling."""
        return self._names[column]

    def columns_beyond(self, other: MatchedTable) -> tuple[str, ...]:
        """Name the columns that the other side lacks."""
        names = self._names.items()
        return tuple(name for column, name in names if column and column not in other._names)


def match_tables(
    ours: Mapping[str, Layout],
    theirs: Mapping[str, Layout],
    only: Collection[str],
    secrets: SecretNames,
) -> list[tuple[MatchedTable, MatchedTable]]:
    """
    Find the tables that two sides share, in our order.

    Args:
        only: names of tables; all others are passed over. Empty: all tables.
        secrets: which are not shown.

    Raises: UsageError for a name in `only` that neither side has.
    """
    names = {folded(name): name for name in theirs}
    known = names | {folded(name): name for name in ours}
    for name in only:
        if folded(name) not in known:
            raise UsageError(
                f"neither side has a table {name}",
                hint=f"There are {', '.join(sorted(known.values())) or 'none'}.",
            )
    wanted = names.keys() & (set(map(folded, only)) or known.keys())
    found = [(name, names[folded(name)]) for name in ours if folded(name) in wanted]
    return [
        _matched(mine, ours[mine], other, theirs[other], secrets.get(folded(mine), ()))
        for mine, other in found
    ]


def _matched(
    name: str, ours: Layout, their_name: str, theirs: Layout, secrets: Iterable[str]
) -> tuple[MatchedTable, MatchedTable]:
    there = _folded(theirs, theirs.columns)
    columns = tuple(column for column in _folded(ours, ours.columns) if column in there)
    keys = [tuple(filter(None, _folded(layout, layout.key))) for layout in (ours, theirs)]
    match = Match(columns, next((key for key in keys if key and set(key) <= set(columns)), ()))
    return (
        MatchedTable(name, ours, match, secrets),
        MatchedTable(their_name, theirs, match, secrets),
    )


def _folded(layout: Layout, names: tuple[str, ...]) -> tuple[str | None, ...]:
    return tuple(None if name == layout.rowid else folded(name) for name in names)


def rank(row: Row) -> tuple[tuple[int, Any], ...]:
    """Return what puts cells in order as SQLite does, in UTF-8 and with COLLATE BINARY."""
    return tuple(map(_rank, row))


def _rank(cell: Cell) -> tuple[int, Any]:
    match cell:
        case None:
            return 0, 0
        case str():
            return 2, cell.encode()
        case InvalidText():
            return 2, bytes(cell)
        case bytes():
            return 3, cell
    return 1, cell
