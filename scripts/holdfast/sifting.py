"""
The rows of a backup that a database does not have just so.

Both sides come as lines in the order of their keys and are merged as they pass. Lines that are
equal to the last byte are rows that are equal, and are not even parsed: only the others have to
be staged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO

from msgspec.structs import replace

from holdfast.cells import KeyReader
from holdfast.comparing.matching import rank
from holdfast.database import Connection, quote_identifier
from holdfast.digest import Digest
from holdfast.model import Layout
from holdfast.readers import Readers
from holdfast.rows import layout_of
from holdfast.staged import Sifted, StagedTable

_MOST_COLUMNS = 1000  # that one statement changes: more are not proven by the number of rows


class Sifter:
    """One moment of a database, which the rows of a backup are sifted by."""

    def __init__(self, connection: Connection, readers: Readers, *, hashing: bool) -> None:
        """
        Args:
            connection: of `read_only`, that sees the moment that the readers see.
            hashing: the digests of the database's tables are wanted.
        """
        self._connection = connection
        self._readers = readers
        self._hashing = hashing
        self._tables: dict[str, StagedTable] = {}  # by their names in the backup
        self._sieves: dict[str, Sieve] = {}

    def begin(self, staged: Mapping[str, StagedTable], layouts: Mapping[str, Layout]) -> None:
        """Choose the tables that can be sifted among those of a backup, in its order."""
        self._tables = {
            name: staged[name]
            for name, layout in layouts.items()
            if name in staged and _can_be_sifted(self._connection, staged[name], layout)
        }
        self._readers.start(table.target for table in self._tables.values())

    def sieve(self, name: str) -> Sieve | None:
        """Return what sifts the table of the backup that comes now; None where that cannot be."""
        self._end_last()
        if name not in self._tables:
            return None
        table = self._tables[name].target
        lines, digest = self._readers.lines(table), Digest() if self._hashing else None
        self._sieves[name] = Sieve(table.primary_key, lines, digest)
        return self._sieves[name]

    def finish(self, staged: Mapping[str, StagedTable]) -> list[StagedTable]:
        """Return all tables that were staged, with what was found of those that were sifted."""
        self._end_last()
        return [
            replace(table, sifted=self._sieves[name].found) if name in self._sieves else table
            for name, table in staged.items()
        ]

    def _end_last(self) -> None:
        if self._sieves:  # the last one alone can have lines of the database left
            next(reversed(self._sieves.values())).end()


def _can_be_sifted(connection: Connection, table: StagedTable, layout: Layout) -> bool:
    """
    Tell whether rows that are equal have equal lines, on both sides in the same order.

    No row there may lack its key: such rows are told apart by all they hold, and counted.
    """
    target = table.target
    return bool(
        table.key
        and not (table.is_new or table.added or target.is_virtual)
        and layout == layout_of(target)
        and len(layout.columns) <= _MOST_COLUMNS
        # In another order than that of its index, a table would be sorted in memory.
        and set(target.key_collations) <= {"BINARY"}
        and not (table.key_may_be_null and _lacks_keys(connection, table))
    )


def _lacks_keys(connection: Connection, table: StagedTable) -> bool:
    condition = " OR ".join(
        f"{quote_identifier(name)} IS NULL" for name in table.target.primary_key
    )
    found = connection.execute(f"SELECT 1 FROM {table.target_quoted} WHERE {condition} LIMIT 1")
    return found.fetchone() is not None


class Sieve:
    """Passes over the lines of one table that the database has, too."""

    def __init__(self, key: Sequence[str], lines: Iterable[bytes], digest: Digest | None) -> None:
        """
        Args:
            lines: of the database, many at a time, in the order of the key.
            digest: takes these lines.
        """
        self._keys = KeyReader(key)
        self._digest = digest
        self._stored = self._same = self._new = 0
        self._others = self._each(lines)
        self._other = next(self._others, None)

    def differing(self, lines: bytes) -> bytes:
        """
        Return those of some whole lines that the database lacks, or has otherwise.

        Raises: ValueError for a line whose key cannot be read.
        """
        found = []
        for line in BytesIO(lines).readlines():  # which is quicker than to split them
            # Most lines are equal.
            while line != self._other and (step := self._order(line)) > 0:
                self._other = next(self._others, None)
            if line == self._other:
                self._same += 1
                self._other = next(self._others, None)
                continue
            found.append(line)
            if step == 0:
                self._other = next(self._others, None)
            else:
                self._new += 1
        return b"".join(found)

    def end(self) -> None:
        """Read what the database has beyond the backup."""
        self._other = None
        for _ in self._others:
            pass

    @property
    def found(self) -> Sifted:
        """What there was on both sides, once all of it has passed."""
        digest = self._digest.hex() if self._digest else ""
        return Sifted(stored=self._stored, same=self._same, new=self._new, digest=digest)

    def _each(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            if self._digest:
                self._digest.update(block)
            lines = BytesIO(block).readlines()
            self._stored += len(lines)
            yield from lines

    def _order(self, line: bytes) -> int:
        """Say whether a line comes before the next of the database, -1, for it, 0, or after it."""
        if self._other is None:
            return -1
        mine, other = self._keys.cells(line), self._keys.cells(self._other)
        if mine == other:
            return 0
        return 1 if rank(mine) > rank(other) else -1
