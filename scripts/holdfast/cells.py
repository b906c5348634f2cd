"""
One SQLite value and one JSON value, each turned into the other without loss.

NULL, INTEGER, REAL and TEXT are themselves. What JSON cannot say is an object, which no
SQLite value is, so nothing needs escaping:

    BLOB                        {"$base64": true, "encoded": "<base64>"}
    +Infinity, -Infinity        {"$real": "inf"}, {"$real": "-inf"}
    TEXT that is not UTF-8      {"$text": "<base64 of its bytes>"}

Source: sqlite-utils and Datasette write BLOBs this way; the other two are our own.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from itertools import chain, starmap
from typing import Any

import msgspec

Cell = None | int | float | str | bytes

_AS_THEY_ARE = frozenset({type(None), int, str})
_NUMBERS = frozenset({type(None), int, float})


class InvalidText(bytes):
    """The bytes of a TEXT value that is not valid UTF-8, as SQLite gives them in UTF-8."""


def encode_cell(value: Any) -> Any:
    """Turn what SQLite gave into what JSON can hold."""
    if isinstance(value, InvalidText):
        return {"$text": base64.b64encode(value).decode("ascii")}
    if isinstance(value, bytes):
        return {"$base64": True, "encoded": base64.b64encode(value).decode("ascii")}
    if isinstance(value, float) and math.isinf(value):
        return {"$real": "inf" if value > 0 else "-inf"}
    return value


def decode_cell(value: Any) -> Cell:
    """
    Turn what JSON held back into what SQLite stores.

    Raises: ValueError for an object or a list that stands for no SQLite value, and for an
        integer beyond 64 bits.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"the integer {value} does not fit in 64 bits")
    if isinstance(value, dict):
        return _decode_object(value)
    if isinstance(value, list):
        raise ValueError("a list is no SQLite value")
    return value  # type: ignore[no-any-return]  # None, int, float or str


def _decode_object(value: dict[str, Any]) -> Cell:
    match value:
        case {"$base64": True, "encoded": str(encoded)} if len(value) == 2:
            return _bytes_of(encoded)
        case {"$text": str(encoded)} if len(value) == 1:
            return InvalidText(_bytes_of(encoded))
        case {"$real": "inf" | "-inf" as sign} if len(value) == 1:
            return float(sign)
    raise ValueError(f"an object with the keys {', '.join(map(repr, value))} is no SQLite value")


def _bytes_of(encoded: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError as error:
        raise ValueError(f"not base64: {error}") from error


class RowWriter:
    """Writes the rows of one table as lines of JSON: `{"id":1,"name":"Ann"}`."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._row = _row_class(columns)
        self._encoder = msgspec.json.Encoder()

    def lines(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Return one line a row, each ended by a newline."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        odd = [position for position, column in enumerate(columns) if not _is_plain(column)]
        if odd:
            for position in odd:
                columns[position] = tuple(map(_as_json, columns[position]))
            rows = list(zip(*columns, strict=True))
        if self._row is None:
            return self._encoder.encode_lines([self._object(row) for row in rows])
        return self._encoder.encode_lines(list(starmap(self._row, rows)))

    def _object(self, row: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self._columns, row, strict=True))


class RowReader:
    """Reads lines of JSON back into the rows that RowWriter took."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        row = _row_class(columns)
        self._decoder = msgspec.json.Decoder(row or dict[str, Any])
        self._values: Callable[[Any], tuple[Any, ...]] = (
            msgspec.structs.astuple if row else self._values_of
        )

    def rows(self, lines: bytes) -> list[tuple[Cell, ...]]:
        """
        Return the rows of whole lines.

        Raises: ValueError for a line that is not JSON, lacks a column, has one too many, or
            holds what is no SQLite value.
        """
        rows = list(map(self._values, self._decoder.decode_lines(lines)))
        types = set(map(type, chain.from_iterable(rows)))
        if not types <= _AS_THEY_ARE | {float} or int in types:
            columns = list(zip(*rows, strict=True))
            odd = [position for position, column in enumerate(columns) if not _is_read(column)]
            for position in odd:
                columns[position] = tuple(map(decode_cell, columns[position]))
            rows = list(zip(*columns, strict=True)) if odd else rows
        return rows

    def _values_of(self, row: dict[str, Any]) -> tuple[Any, ...]:
        if row.keys() != set(self._columns):
            raise ValueError(f"a row has the columns {', '.join(row)}")
        return tuple(row[name] for name in self._columns)


def _is_plain(column: Sequence[Any]) -> bool:
    """Tell whether msgspec writes a column as we do; infinities and bytes it does not, silently."""
    types = set(map(type, column))
    # A finite sum has no infinity in it, and is there sooner than each value is looked at.
    return types <= _AS_THEY_ARE or (types <= _NUMBERS and math.isfinite(sum(filter(None, column))))


def _as_json(value: Any) -> Any:
    """Do as `encode_cell`, with BLOBs in the form that is quickest to write."""
    if type(value) is bytes:
        encoded = binascii.b2a_base64(value, newline=False)
        return msgspec.Raw(b'{"$base64":true,"encoded":"' + encoded + b'"}')
    return encode_cell(value)


def _is_read(column: Sequence[Any]) -> bool:
    """Tell whether a column came out of JSON as what SQLite stores."""
    types = set(map(type, column))
    if int not in types:
        return types <= _AS_THEY_ARE | {float}
    numbers = [value for value in column if value is not None]
    return types <= _NUMBERS and min(numbers) >= -(2**63) and max(numbers) < 2**63


def _row_class(columns: Sequence[str]) -> type[msgspec.Struct] | None:
    """
    Make the class whose JSON form has just these keys, in this order.

    Returns: None for names that msgspec does not take (quotes, backslashes, controls).
    """
    fields = [(f"c{position}", Any) for position in range(len(columns))]
    names = {f"c{position}": name for position, name in enumerate(columns)}
    try:
        return msgspec.defstruct("Row", fields, rename=names, gc=False, forbid_unknown_fields=True)
    except ValueError:
        return None
