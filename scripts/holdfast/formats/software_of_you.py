"""
Software of You's own files: `{"backup_date": ..., "tables": {"contacts": [{...}, ...], ...}}`.

They hold neither counts nor digests, so nothing can prove them whole. BLOBs and odd text were
lost when they were written. Rows of one table may name different columns; a column that some
rows lack is read as NULL for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from holdfast.errors import NotABackup
from holdfast.formats.compression import plain
from holdfast.formats.foreign import header_of, parts_of
from holdfast.formats.interface import BackupFormat, Part, damaged

NAME = "software_of_you"


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a file; all of it is held in memory, as it may be in any layout."""
    with plain(path) as file:
        document = _document(file.read())
    columns = {name: _columns(name, rows) for name, rows in document.tables.items()}
    header = header_of("Software of You", columns, backup_date=document.backup_date)
    yield from parts_of(header, document.tables.items())


class _Document(Struct):
    backup_date: str
    tables: dict[str, Any]
    seal: str | None = None  # only our own files have one


# sqlite3 -json writes infinity as 1e999, which msgspec by itself refuses.
_DECODER = msgspec.json.Decoder(_Document, float_hook=float)


def _document(text: bytes) -> _Document:
    try:
        document = _DECODER.decode(text.removeprefix(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:
        raise NotABackup(
            f"it is not a whole file of Software of You: {error}",
            hint="The file may be cut short. Use another one.",
        ) from error
    if document.seal is not None:
        raise damaged("it is a file of Holdfast whose start was changed")
    return document


def _columns(name: str, rows: object) -> tuple[str, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise NotABackup(f"tables.{name} is not a list of rows", hint="Use another file.")
    return tuple(dict.fromkeys(key for row in rows for key in row))


def _recognise(_: Path, start: bytes) -> bool:
    return re.match(_START, start.removeprefix(_BYTE_ORDER_MARK)) is not None


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_START = rb'\s*\{\s*"(backup_date|tables)"\s*:'


FORMAT = BackupFormat(
    name=NAME,
    title="a backup of Software of You",
    suffix=".json",
    recognise=_recognise,
    read=read,
    proves=False,
)
