"""
Compares two sides, each a backup or a database: table by table, row by row, in one pass.

Rows come in the order of their key, so both sides are merged as they pass, and memory stays
the same however many there are. Rows that come in another order are put in order in a scratch
database first: at once where the layout says so; where it turns out on the way, as text of
UTF-16 databases has another order, both sides are read again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

from msgspec import Struct

from holdfast import database, files
from holdfast.cells import Cell, shown_cell
from holdfast.comparing.differences import Change, RowDifference, TableDifference
from holdfast.comparing.matching import MatchedTable, Row, match_tables, rank
from holdfast.database import Connection
from holdfast.errors import BackupDamaged
from holdfast.formats.interface import Part, TableStart
from holdfast.model import Header, ShownValue, Trailer, folded


class Side(Struct, frozen=True):
    """One of the two that are compared."""

    path: Path
    parts: Callable[[], Generator[Part]]  # from the start, each time it is called


class Comparison(Struct, frozen=True):
    """What was found once both sides were read to their ends, and so were proven."""

    headers: tuple[Header, Header]
    trailers: tuple[Trailer, Trailer]
    tables: tuple[TableDifference, ...]  # those of both sides


class Listing(Struct, frozen=True):
    """What is named of the rows that differ."""

    rows: int = 0  # of how many rows of a table the keys
    values: int = 0  # of how many columns of each the values
    # Tables with their secrets, as one side has them: they are not shown of either.
    secrets: Callable[[Path, Header], Iterable[tuple[str, Iterable[str]]]] = lambda *_: ()


NOTHING_LISTED = Listing()


def compare(
    first: Side, second: Side, *, only: Collection[str] = (), listing: Listing = NOTHING_LISTED
) -> Comparison:
    """
    Find what has changed from the first side to the second.

    Args: only: names of tables; all others are passed over. Empty: all tables.

    Raises: BackupDamaged and DatabaseError and their kin; UsageError for a name in `only` that
        neither side has.
    """
    try:
        return _compare(first, second, only, listing, trusting=True)
    except _OutOfOrderError:
        pass  # the second attempt waits until the first has closed what it opened
    return _compare(first, second, only, listing, trusting=False)


class _OutOfOrderError(Exception):
    """Rows that were taken to be in the order of their keys are not."""


def _compare(
    first: Side, second: Side, only: Collection[str], listing: Listing, *, trusting: bool
) -> Comparison:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(files.scratch_folder())
        scratch = stack.enter_context(database.scratch(folder / "sorted.db"))
        scratch.execute("BEGIN")
        # Closed whatever happens: a side may have a database open, and a folder beside it.
        parts = [stack.enter_context(contextlib.closing(side.parts())) for side in (first, second)]
        a, b = (
            _Stream(side.path, each, scratch, trusting=trusting)
            for side, each in zip((first, second), parts, strict=True)
        )
        secrets: dict[str, list[str]] = {}
        for side, stream in ((first, a), (second, b)):
            for table, names in listing.secrets(side.path, stream.header):
                secrets.setdefault(folded(table), []).extend(names)
        pairs = match_tables(a.header.layout, b.header.layout, only, secrets)
        a.wanted = {ours.name: ours for ours, _ in pairs}
        b.wanted = {theirs.name: theirs for _, theirs in pairs}
        tables = [_merge(a.cursor(ours), b.cursor(theirs), listing) for ours, theirs in pairs]
        return Comparison((a.header, b.header), (a.finish(), b.finish()), tuple(tables))


class _Stream:
    """One side as it passes: a header, then table after table, and no way back."""

    def __init__(
        self, path: Path, parts: Iterator[Part], scratch: Connection, *, trusting: bool
    ) -> None:
        self.wanted: dict[str, MatchedTable] = {}
        self._path = path
        self._parts = parts
        self._scratch = scratch
        self._trusting = trusting  # that rows are in the order that the layout gives
        self._sorted: dict[str, Iterator[bytes]] = {}  # the lines of tables that have passed
        self._trailer: Trailer | None = None
        header = next(self._parts)
        assert isinstance(header, Header)  # as every reader's first part is
        self.header = header
        self._ahead = next(self._parts, None)

    def cursor(self, table: MatchedTable) -> _Cursor:
        """Go through a table's rows; wanted tables that come before it are put aside."""
        while table.name not in self._sorted and (name := self._next_table()) is not None:
            passing = self.wanted.get(name)
            if passing is table and table.is_in_order and self._trusting:
                return _Cursor(chain.from_iterable(self._batches()), table, self._path)
            if passing:
                self._sorted[name] = self._sort(passing)
        # A table that never came is missed when the stream is proven, at its end.
        return _Cursor(self._sorted.pop(table.name, iter(())), table, self._path)

    def finish(self) -> Trailer:
        """Read to the end, which proves all that came before it."""
        while self._next_table() is not None:
            pass
        assert self._trailer  # or the reader had complained
        return self._trailer

    def _next_table(self) -> str | None:
        while (part := self._take()) is not None:
            if isinstance(part, TableStart):
                return part.name
            if isinstance(part, Trailer):
                self._trailer = part
        return None

    def _batches(self) -> Iterator[list[bytes]]:
        while isinstance(self._ahead, bytes):
            yield BytesIO(self._ahead).readlines()  # which is quicker than to split them
            self._take()

    def _take(self) -> Part | None:
        part, self._ahead = self._ahead, next(self._parts, None)
        return part

    def _sort(self, table: MatchedTable) -> Iterator[bytes]:
        """Read a table to its end, and return its lines in the order of their keys."""
        (number,) = self._scratch.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        name = f"sorted{number}"
        keys = ", ".join(f"k{place}" for place in range(len(table.match.key) + 1))
        self._scratch.execute(f"CREATE TABLE {name} ({keys}, line)")
        # ORDER BY alone may sort in memory: builds of SQLite differ (TEMP_STORE).
        self._scratch.execute(f"CREATE INDEX {name}_keys ON {name} ({keys})")
        for lines in self._batches():
            rows = map(table.match.key_of, _rows(table, lines, self._path))
            keyed = [(*key, line) for key, line in zip(rows, lines, strict=True)]
            database.insert_rows(self._scratch, f"INSERT INTO {name} VALUES ", keyed)
        found = self._scratch.execute(
            f"SELECT line FROM {name} INDEXED BY {name}_keys ORDER BY {keys}"
        )
        return (line for (line,) in found)


def _rows(table: MatchedTable, lines: list[bytes], path: Path) -> list[Row]:
    try:
        return table.rows(lines)
    except ValueError as error:
        raise BackupDamaged(
            f"{path}: a row of {table.name} cannot be read: {error}",
            hint="Use another backup: see status.",
        ) from error


class _Cursor:
    """One row of a table after the other, each taken apart only when it is asked for."""

    def __init__(self, lines: Iterator[bytes], table: MatchedTable, path: Path) -> None:
        self.table = table
        self._lines = lines
        self._path = path
        self._last: tuple[tuple[int, Any], ...] = ()
        self.advance()

    def advance(self) -> None:
        """Go to the next row; after the last one, `line` is None."""
        self.line = next(self._lines, None)
        self._row: Row | None = None
        self._rank: tuple[tuple[int, Any], ...] | None = _END if self.line is None else None

    @property
    def row(self) -> Row:
        """The columns that both sides have."""
        if self._row is None:
            assert self.line is not None
            [self._row] = _rows(self.table, [self.line], self._path)
        return self._row

    @property
    def shown(self) -> dict[str | None, Cell]:
        """All columns, without secrets."""
        assert self.line is not None
        return self.table.shown(self.line)

    @property
    def rank(self) -> tuple[tuple[int, Any], ...]:
        """What puts this row before or after others; the end comes last."""
        if self._rank is None:
            self._rank = rank(self.table.match.key_of(self.row))
            # Rows that are paired line by line need no order. All others come by here, and
            # where they are in order on both sides, none can have its like behind the other.
            if self._rank < self._last:
                raise _OutOfOrderError
            self._last = self._rank
        return self._rank


_END = ((9, 0),)


def _merge(a: _Cursor, b: _Cursor, listing: Listing) -> TableDifference:
    counts = dict.fromkeys(Change, 0)
    rows: list[RowDifference] = []
    same = 0
    while a.line is not None or b.line is not None:
        step = 0
        columns: tuple[str | None, ...] = ()
        if a.line != b.line:  # most lines are equal, and need not be taken apart
            step = (a.rank > b.rank) - (a.rank < b.rank)
            columns = () if step else a.table.changed_columns(a.row, b.row)
        if step or columns:
            change = (Change.REMOVED, Change.CHANGED, Change.ADDED)[step + 1]
            counts[change] += 1
            if len(rows) < listing.rows:
                rows.append(_difference(change, a, b, columns, listing.values))
        else:
            same += 1
        if step <= 0:
            a.advance()
        if step >= 0:
            b.advance()
    return TableDifference(
        name=a.table.name,
        added=counts[Change.ADDED],
        removed=counts[Change.REMOVED],
        changed=counts[Change.CHANGED],
        same=same,
        added_columns=b.table.columns_beyond(a.table),
        removed_columns=a.table.columns_beyond(b.table),
        rows=tuple(rows),
    )


def _difference(
    change: Change, a: _Cursor, b: _Cursor, columns: tuple[str | None, ...], values: int
) -> RowDifference:
    table = b.table if change is Change.ADDED else a.table
    old = None if change is Change.ADDED else a.shown
    new = None if change is Change.REMOVED else b.shown
    key = table.shown_key(old or new or {})
    names = tuple(map(table.name_of, columns))
    if not values:
        return RowDifference(change, key, names)
    columns = columns or table.columns_beyond_key()
    shown = tuple(
        ShownValue(
            table.name_of(each),
            old=shown_cell(old[each]) if old else None,
            new=shown_cell(new[each]) if new else None,
        )
        for each in columns[:values]
    )
    return RowDifference(change, key, names, shown, len(columns) - len(shown))
