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
import contextlib
import math
from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from holdfast.model import ShownCell

Cell = None | int | float | str | bytes

_AS_THEY_ARE = frozenset({type(None), int, str})
_NUMBERS = frozenset({type(None), int, float})
_STORED = _AS_THEY_ARE | _NUMBERS


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


def shown_cell(value: Cell) -> ShownCell:
    """Say what a value is, in no more than a person reads of it."""
    match value:
        case None:
            return ShownCell("null", "")
        case InvalidText():
            return _shown_text(value.decode("utf-8", "replace"))
        case bytes():
            return ShownCell("blob", "", len(value))
        case str():
            return _shown_text(value)
    return ShownCell("real" if isinstance(value, float) else "integer", str(value))


def _shown_text(text: str) -> ShownCell:
    return ShownCell("text", text[:_SHOWN_LENGTH], max(len(text) - _SHOWN_LENGTH, 0))


_SHOWN_LENGTH = 200
VALUED_ROWS = 200  # of one table, whose values are shown
VALUED_COLUMNS = 20  # of one row


def differ(old: Cell, new: Cell) -> bool:
    """Tell whether two values differ, in type too."""
    # 0.0 and -0.0 are of one type, and equal.
    return type(old) is not type(new) or old != new or (old == 0 and str(old) != str(new))


class _Tagged(Struct, gc=False, forbid_unknown_fields=True):
    """An object that stands for what JSON cannot say: msgspec does the base64, in C."""

    is_base64: bool | UnsetType = msgspec.field(name="$base64", default=UNSET)
    encoded: bytes | UnsetType = UNSET
    text: bytes | UnsetType = msgspec.field(name="$text", default=UNSET)
    real: str | UnsetType = msgspec.field(name="$real", default=UNSET)


# What msgspec reads at once as what SQLite stores; and all that may be in a row.
_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_PLAIN: Any = None | _Integer | float | str
_ANY: Any = _PLAIN | bool | _Tagged


def _as_stored(value: Any) -> Cell:
    """Turn what is in a row into what SQLite stores; ValueError for an object that is nothing."""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, _Tagged):
        return value  # type: ignore[no-any-return]  # None, int, float or str
    match msgspec.structs.astuple(value):
        case (True, bytes(blob), UnsetType(), UnsetType()):
            return blob
        case (UnsetType(), UnsetType(), bytes(text), UnsetType()):
            return InvalidText(text)
        case (UnsetType(), UnsetType(), UnsetType(), "inf" | "-inf" as sign):
            return float(sign)
    names = ", ".join(map(repr, msgspec.to_builtins(value)))
    raise ValueError(f"an object with the keys {names} is no SQLite value")


class RowWriter:
    """Writes the rows of one table as lines of JSON: `{"id":1,"name":"Ann"}`."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._row = _row_class(columns, Any)
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
        self._values: Callable[[Any], tuple[Any, ...]] = msgspec.structs.astuple
        if _row_class(columns, Any) is None:
            self._values = self._values_of
        self._decoder = self._decoder_of(_PLAIN)
        self._all_plain = True

    def rows(self, lines: bytes) -> list[tuple[Cell, ...]]:
        """
        Return the rows of whole lines.

        Raises: ValueError for a line that is not JSON, lacks a column, has one too many, or
            holds what is no SQLite value.
        """
        if self._all_plain:
            try:
                return list(map(self._values, self._decoder.decode_lines(lines)))
            except msgspec.ValidationError:  # mostly because there is an object in a row
                self._all_plain = False
                self._decoder = self._decoder_of(_ANY)
        rows = list(map(self._values, self._decoder.decode_lines(lines)))
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        odd = [n for n, column in enumerate(columns) if not set(map(type, column)) <= _STORED]
        for position in odd:
            columns[position] = tuple(map(_as_stored, columns[position]))
        return list(zip(*columns, strict=True)) if odd else rows

    def _decoder_of(self, kind: Any) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(_row_class(self._columns, kind) or dict[str, kind])

    def _values_of(self, row: dict[str, Any]) -> tuple[Any, ...]:
        if row.keys() != set(self._columns):
            raise ValueError(f"a row has the columns {', '.join(row)}")
        return tuple(row[name] for name in self._columns)


class KeyReader:
    """Reads some columns of a line of JSON, and passes over the others."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        row = _row_class(columns, _ANY, only=False)
        self._decoder = msgspec.json.Decoder(row or dict[str, _ANY])
        self._values: Callable[[Any], tuple[Any, ...]] = (
            msgspec.structs.astuple if row else self._values_of
        )

    def cells(self, line: bytes) -> tuple[Cell, ...]:
        """
        Return the cells of a line in these columns.

        Raises: ValueError for a line that is not JSON, lacks one of the columns, or holds there
            what is no SQLite value.
        """
        return tuple(map(_as_stored, self._values(self._decoder.decode(line))))

    def _values_of(self, row: dict[str, Any]) -> tuple[Any, ...]:
        if not row.keys() >= set(self._columns):
            raise ValueError(f"a row has the columns {', '.join(row)}")
        return tuple(row[name] for name in self._columns)


def _is_plain(column: Sequence[Any]) -> bool:
    """Tell whether msgspec writes a column as we do; infinities and bytes it does not, silently."""
    with contextlib.suppress(TypeError):  # no numbers, or not all of them
        # A finite sum has no infinity in it, and is there sooner than each value is looked at.
        return math.isfinite(sum(column))
    types = set(map(type, column))
    return types <= _AS_THEY_ARE or (types <= _NUMBERS and math.isfinite(sum(filter(None, column))))


def _as_json(value: Any) -> Any:
    """Do as `encode_cell`, with BLOBs in the form that is quickest to write."""
    return _Tagged(is_base64=True, encoded=value) if type(value) is bytes else encode_cell(value)


def _row_class(columns: Sequence[str], kind: Any, *, only: bool = True) -> type[Struct] | None:
    """
    Make the class whose JSON form has these keys, in this order, with values of a kind.

    Args: only: it takes no others.
    Returns: None for names that msgspec does not take (quotes, backslashes, controls).
    """
    fields = [(f"c{position}", kind) for position in range(len(columns))]
    names = {f"c{position}": name for position, name in enumerate(columns)}
    try:
        return msgspec.defstruct("Row", fields, rename=names, gc=False, forbid_unknown_fields=only)
    except ValueError:
        return None
