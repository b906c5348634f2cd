"""
What readers of other programs' files share.

Such files hold rows, and neither a schema nor digests: what they claim is taken as it is, and
the digests of their rows are those of what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from holdfast.cells import RowWriter
from holdfast.digest import Digest
from holdfast.formats.interface import Part, TableStart
from holdfast.model import DatabaseFacts, Header, Layout, Trailer
from holdfast.rows import BATCH_ROWS


def header_of(
    program: str,
    columns: Mapping[str, Iterable[str]],
    *,
    version: str = "",
    backup_date: str = "",
    notes: Sequence[str] = (),
) -> Header:
    """Describe a file by the columns of its tables, in the order in which they come."""
    return Header(
        format=program,
        version=version,
        backup_date=backup_date,
        exported_by="",
        generator=program,
        type="full",
        groups=(),
        skipped_tables=(),
        database=DatabaseFacts("", 0, 0, "UTF-8", 4096, 0, "wal"),
        schema=(),
        layout={table: Layout(tuple(names), ()) for table, names in columns.items()},
        notes=tuple(notes),
    )


def parts_of(
    header: Header,
    tables: Iterable[tuple[str, Iterable[Mapping[str, Any]]]],
    *,
    sequences: Mapping[str, int] | None = None,
) -> Iterator[Part]:
    """
    Yield the parts of a backup whose rows come as values by column.

    Args: tables: those of the header's layout, in its order. A column that a row lacks is NULL.
    """
    yield header
    digests: dict[str, Digest] = {}
    for table, rows in tables:
        yield TableStart(table)
        digests[table] = Digest()
        columns = header.layout[table].columns
        writer, cells = RowWriter(columns), ([row.get(name) for name in columns] for row in rows)
        while batch := list(islice(cells, BATCH_ROWS)):
            lines = writer.lines(batch)
            digests[table].update(lines)
            yield lines
    yield Trailer(
        sequences=sequences or {},
        counts={table: digest.row_count for table, digest in digests.items()},
        digests={table: digest.hex() for table, digest in digests.items()},
    )


def stored_values(
    text: bytes,
    json_columns: Collection[str] = (),
    text_of: Callable[[bytes], str] = bytes.decode,
) -> dict[str, Any]:
    """
    Read a JSON object as a row: what no cell can hold becomes JSON text.

    Args:
        json_columns: whose values are JSON text whatever they are.
        text_of: makes that text of the value as it was written; as it is, when left out.

    Raises: ValueError for what is no JSON object.
    """
    values = msgspec.json.decode(text, type=dict[str, Any])
    nested = [
        name
        for name, value in values.items()
        if isinstance(value, dict | list) or name in json_columns
    ]
    if nested:
        raw = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        values |= {name: text_of(bytes(raw[name])) for name in nested}
    return values
