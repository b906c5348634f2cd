"""A table's rows in parts of about one size, for several readers that take them in turn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from holdfast.database import Connection, quote_identifier
from holdfast.digest import read_lines
from holdfast.model import Table
from holdfast.rows import ALL, Part

_MOST_ROWS = 20_000
_SAMPLE = Part(most_rows=20)
_NEAR_ROWS = 32  # that are counted to see how close to each other rowids are
_HIGHEST_ROWID = 2**63 - 1


class Share(Struct, frozen=True):
    """What one of several readers takes of each table: the first part is that of number 0."""

    number: int
    readers: int
    part_bytes: int = 1024 * 1024  # of rows as they are written, about


def read_share(connection: Connection, table: Table, share: Share) -> Iterator[Iterator[bytes]]:
    """
    Yield the lines of each part of a table that falls to a reader.

    Each reader finds for itself where parts begin, so all must see the same moment. A table that
    cannot be cut is one part, the first.
    """
    cut = _cut(connection, table)
    if cut is None:
        if share.number == 0:
            yield read_lines(connection, table)
        return
    rows = _rows_of_a_part(connection, table, share.part_bytes)
    for part in itertools.islice(cut.parts(connection, rows), share.number, None, share.readers):
        yield read_lines(connection, table, part=part)


class _Cut(Struct, frozen=True):
    """Finds rows by the rowid of another, which any value of the key may have."""

    table: str  # SQL, as all of these
    rowid: str
    key: str  # what puts the rows in order

    def parts(self, connection: Connection, rows: int) -> Iterator[Part]:
        """Yield parts of so many rows each; by the rowid, of about so many."""
        start = self.rowid_of(connection, ALL, 0)
        while start is not None:
            rest = self.onward(start)
            if self.key != self.rowid:
                yield replace(rest, most_rows=rows)
                start = self.rowid_of(connection, rest, rows)
                continue
            # To count all rows, each reader would have to look at all pages.
            near = self.rowid_of(connection, rest, _NEAR_ROWS)
            end = None if near is None else start + (near - start) * rows // _NEAR_ROWS
            if end is None or end > _HIGHEST_ROWID:
                yield rest
                return
            yield Part(f"{rest.condition} AND {self.rowid} < ?", (start, end))
            start = self.rowid_of(connection, self.onward(end), 0)

    def onward(self, rowid: int) -> Part:
        """Return a row and all that follow it."""
        if self.key == self.rowid:
            return Part(f"{self.rowid} >= ?", (rowid,))
        key_of_row = f"SELECT {self.key} FROM {self.table} WHERE {self.rowid} = ?"
        return Part(f"{self.key} >= ({key_of_row})", (rowid,))

    def rowid_of(self, connection: Connection, part: Part, before: int) -> int | None:
        """Return the rowid of the row of a part that has so many before it, if there is one."""
        found = connection.execute(self.query_of(part), [*part.parameters, before]).fetchone()
        return found and int(found[0])

    def query_of(self, part: Part) -> str:
        """Write the query for the rowid of a row of a part, by the number of rows before it."""
        where = f"WHERE {part.condition}" if part.condition else ""
        return f"SELECT {self.rowid} FROM {self.table} {where} ORDER BY {self.key} LIMIT 1 OFFSET ?"


def _cut(connection: Connection, table: Table) -> _Cut | None:
    """Find how a table is cut; None where that would take a sort, or a key may be NULL."""
    name = f"main.{quote_identifier(table.name)}"
    keys = [quote_identifier(column) for column in table.primary_key]
    (without_rowid,) = connection.execute(
        "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", [table.name]
    ).fetchone()
    rowid = table.rowid_name or "".join(keys)
    if without_rowid or table.is_virtual or not rowid or len(keys) > 1:
        return None
    if rowid in keys or not keys:
        return _Cut(name, rowid, rowid)
    cut = _Cut(name, rowid, f"{keys[0]} COLLATE BINARY")
    plan = connection.execute(f"EXPLAIN QUERY PLAN {cut.query_of(cut.onward(0))}", [0, 0])
    steps = [step for *_, step in plan.fetchall()]
    if not steps[0].startswith("SEARCH") or any("TEMP B-TREE" in step for step in steps):
        return None
    nulls = connection.execute(f"SELECT 1 FROM {name} WHERE {keys[0]} IS NULL LIMIT 1")
    return None if nulls.fetchone() else cut


def _rows_of_a_part(connection: Connection, table: Table, part_bytes: int) -> int:
    sample = list(read_lines(connection, table, part=_SAMPLE))
    rows = sum(lines.count(b"\n") for lines in sample)
    return max(1, min(_MOST_ROWS, part_bytes * rows // max(1, sum(map(len, sample)))))
