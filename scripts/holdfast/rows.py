"""A table's rows, in batches, in the order of their key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from holdfast.cells import InvalidText
from holdfast.database import Connection, is_invalid_text, quote_identifier, text_as
from holdfast.model import Layout, Table, folded

MOST_COLUMNS = 2000  # of a result in SQLite: a table that has as many leaves its rowid no room
BATCH_ROWS = 200  # measured: 100 to 400 is fastest, and larger batches only take more memory
_BATCH_BYTES = 256 * 1024  # of rows as they are written
_FIRST_ROWS = 10  # at a time, until it is known how large they are


def layout_of(table: Table) -> Layout:
    """
    Say how a table's rows are written: its stored columns, the rowid first where it is no column.

    The rowid's key is `$rowid`, with as many dollar signs as it takes to differ from a column.
    """
    if table.rowid_name is None or len(table.columns) >= MOST_COLUMNS:
        return Layout(columns=table.column_names, key=table.primary_key)
    rowid = "$rowid"
    while folded(rowid) in map(folded, table.column_names):
        rowid = f"${rowid}"
    return Layout(
        columns=(rowid, *table.column_names), key=(*table.primary_key, rowid), rowid=rowid
    )


def as_laid_out(table: Table, layout: Layout) -> Table:
    """Return a table without the columns that a backup of it lacks."""
    kept = set(map(folded, layout.columns))
    columns = tuple(column for column in table.columns if folded(column.name) in kept)
    return replace(table, columns=columns)


class Part(Struct, frozen=True):
    """Some of a table's rows, which follow each other in the order of its key."""

    condition: str = ""  # SQL
    parameters: tuple[int, ...] = ()
    most_rows: int = -1  # any number


ALL = Part()


class Pace:
    """How many rows are read at a time: as many as are quickest, but fewer of large ones."""

    def __init__(self) -> None:
        self.rows = _FIRST_ROWS

    def follow(self, row_count: int, byte_count: int) -> None:
        """Take note of how large some rows were."""
        self.rows = max(1, min(BATCH_ROWS, _BATCH_BYTES * row_count // max(1, byte_count)))


def read_batches(
    connection: Connection, table: Table, part: Part = ALL, pace: Pace | None = None
) -> Iterator[list[tuple[Any, ...]]]:
    """
    Yield the rows of a table, or of its excerpt, in lists; cells are in the order of its layout.

    Text that is not valid UTF-8 comes as InvalidText. The connection must be inside one read
    transaction, and used for nothing else that reads text meanwhile.
    """
    encoding = connection.execute("PRAGMA main.encoding").fetchone()[0]
    if encoding != "UTF-8":
        yield from _read_utf16(connection, table, encoding)
        return
    query, done, pace = _query(table, part), 0, pace or Pace()
    try:
        cursor = connection.execute(f"{query} LIMIT ?", [*part.parameters, part.most_rows])
        while batch := cursor.fetchmany(pace.rows):
            yield batch
            done += len(batch)
    except Exception as error:
        if not is_invalid_text(error):
            raise
    else:
        return
    rest = (part.most_rows - done, done)  # any negative number of rows means all
    with text_as(connection, _text_or_bytes):
        cursor = connection.execute(f"{query} LIMIT ? OFFSET ?", [*part.parameters, *rest])
        while batch := cursor.fetchmany(pace.rows):
            yield batch


def _read_utf16(
    connection: Connection, table: Table, encoding: str
) -> Iterator[list[tuple[Any, ...]]]:
    """
    Yield all rows of a database in UTF-16, whose text is taken as the bytes it is.

    SQLite would turn a surrogate without its other half, and what follows, into other text.
    """
    names = layout_of(table).columns
    rows = connection.execute(_query(table, as_bytes=True))
    while batch := rows.fetchmany(BATCH_ROWS):
        yield [
            tuple(
                _text_of_utf16(value, encoding) if kind == "text" else value
                for kind, value in zip(row[: len(names)], row[len(names) :], strict=True)
            )
            for row in batch
        ]


def _text_of_utf16(value: bytes, encoding: str) -> str | InvalidText:
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        return InvalidText(value.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass"))


def _query(table: Table, part: Part = ALL, *, as_bytes: bool = False) -> str:
    values = table.excerpt.values
    names = [values.get(name, quote_identifier(name)) for name in table.column_names]
    # The declared collation may call different keys equal, and may not be known here.
    order = [f"{quote_identifier(name)} COLLATE BINARY" for name in table.primary_key]
    if table.rowid_name is not None:
        order.append(table.rowid_name)
    if table.rowid_name is not None and layout_of(table).rowid is not None:
        names.insert(0, table.rowid_name)
    if as_bytes:  # types first, then values
        kinds = [f"typeof({name})" for name in names]
        cells = [f"iif(typeof({name}) = 'text', CAST({name} AS BLOB), {name})" for name in names]
        names = [*kinds, *cells]
    query = f"SELECT {', '.join(names)} FROM main.{quote_identifier(table.name)}"
    conditions = [f"({each})" for each in (table.excerpt.condition, part.condition) if each]
    query += f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{query} ORDER BY {', '.join(order)}" if order else query


def _text_or_bytes(value: bytes) -> str | InvalidText:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return InvalidText(value)
