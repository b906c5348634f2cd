"""
Secrets in rows: found, counted, and replaced by a marker; and put back from what a row holds.

A secret is a value that is neither NULL nor empty. In JSON, only the text of the secret itself is
replaced: all else stays as it was written, to the last space. A value that should be JSON and
cannot be read as such is a secret as a whole, as nothing tells what it holds.

Where secrets are is said by names: `token` is a column, `config.key` a key in a column of JSON,
`value[name=*_key]` the column `value` in the rows whose `name` is such.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model import folded

MARKER_START = "[redacted by holdfast "
# The number tells markers apart, where values must be unique.
_MARKER = re.compile(re.escape(MARKER_START) + r"\d+\]")
_JSON = json.JSONDecoder(strict=False)  # SQLite, too, takes a newline within a text
_SPACE = re.compile(r"[ \t\n\r]*")
_NAME = re.compile(r"(?s)([^.]*?)(?:\[([^\]=]+)=([^\]]*)\])?(?:\.(.*))?")
Keys = tuple[str, ...]
Span = tuple[int, int]  # where a value stands in a JSON text
_ALL_BELOW = ("**",)


class SecretName(Struct, frozen=True):
    """Where a secret is, taken apart: `column[row_column=row_value].path`."""

    column: str
    row_column: str = ""  # "": it is one in every row
    row_value: str = ""  # * stands for any characters
    path: str = ""  # of the keys in JSON; "": the value itself is the secret

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, self.row_column) if self.row_column else (self.column,)

    def __str__(self) -> str:
        rows = f"[{self.row_column}={self.row_value}]" if self.row_column else ""
        return self.column + rows + ("." + self.path if self.path else "")


def marker(number: int) -> str:
    """Return what stands in the place of a secret."""
    return f"{MARKER_START}{number}]"


def secret_name(text: str) -> SecretName:
    """Take the name of a secret apart."""
    found = _NAME.fullmatch(text)
    assert found  # whatever it is, it has a first part
    return SecretName(*(part or "" for part in found.groups()))


def is_known_to_version_1(redacted: Mapping[str, Iterable[str]]) -> bool:
    """Tell whether readers of version 1 of the format put such secrets back, by table."""
    names = [secret_name(secret) for secrets in redacted.values() for secret in secrets]
    return not any(name.row_column or name.path for name in names)


def secrets_in(columns: Iterable[str], secrets: Iterable[str]) -> tuple[str, ...]:
    """Name the secrets that a table with such columns can hold, in its own spelling."""
    known = {folded(column): column for column in columns}
    names = [
        name for name in map(secret_name, secrets) if set(map(folded, name.columns)) <= set(known)
    ]
    return tuple(
        str(
            replace(
                name,
                column=known[folded(name.column)],
                row_column=known.get(folded(name.row_column), ""),
            )
        )
        for name in names
    )


class Secrets:
    """Watches the rows of one table as they pass, and counts the secrets; may replace them."""

    def __init__(
        self,
        columns: Sequence[str],
        secrets: Sequence[str],
        *,
        redact: bool,
        numbered: bool = True,
    ) -> None:
        """
        Watch some columns.

        Args:
            columns: the keys of each row, in order.
            secrets: the names of those to watch for, of columns that are there.
            numbered: each marker differs; if not, all are one, those too that are there already,
                so that rows are equal that differ in secrets alone.
        """
        self.counts = dict.fromkeys(secrets, 0)  # rows that hold one
        self._redact = redact
        self._numbered = numbered
        self._number = 0
        self._places = [
            (
                secret,
                columns.index(name.column),
                tuple(filter(None, name.path.split("."))),
                columns.index(name.row_column) if name.row_column else None,
                name.row_value,
            )
            for secret, name in zip(secrets, map(secret_name, secrets), strict=True)
        ]

    def rows(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Pass rows on."""
        return [self._row(row) for row in rows]

    def _row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        cells = list(row)
        for secret, place, path, row_place, row_value in self._places:
            if row_place is not None and not _fits(row_value, _shown(row[row_place])):
                continue
            new, is_secret = self._replaced(cells[place], path)
            self.counts[secret] += is_secret
            if self._redact:
                cells[place] = new
        return tuple(cells)

    def _replaced(self, cell: Any, path: Keys) -> tuple[Any, bool]:
        """
        Return a cell without its secrets, and whether it held one.

        A marker that is there already is none, and gets a number of its own.
        """
        if _is_empty(cell):
            return cell, False
        text = _json_text(cell) if path else None
        if text is None:
            return self._marker(), not _is_marker(cell)
        found = {span: _plain(text[slice(*span)]) for _, span in _found(text, path)}
        secrets = {span: value for span, value in found.items() if not _is_empty(value)}
        if not secrets:
            return cell, False
        new = _with(text, {span: json.dumps(self._marker()) for span in secrets})
        return new, not all(map(_is_marker, secrets.values()))

    def _marker(self) -> str:
        self._number += self._numbered
        return marker(self._number)


def unredacted(backup: Any, stored: Any, *paths: str) -> Any:
    """
    Return what a row that is there is to hold, where the backup has markers for secrets.

    In JSON each marker gives way to what the stored value has in its place; if it has nothing
    there, or two that cannot be told apart, all of it stays.

    Args: paths: of the keys in JSON, with dots between; "": the value itself is the secret.
    Returns: None when what is stored stays as it is.
    """
    if _is_marker(backup):
        return None
    new: dict[Span, str] = {}
    there = _json_text(stored)
    for path in (tuple(path.split(".")) for path in paths if path):
        stored_places = list(_found(there, path)) if there else []
        theirs = dict(stored_places)
        for place, span in _found(_json_text(backup), path):
            if _is_marker(_plain(backup[slice(*span)])):
                if there is None or place not in theirs or len(theirs) < len(stored_places):
                    return None
                new[span] = there[slice(*theirs[place])]
    return _with(backup, new) if new else backup


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", b"", [], {})


def _is_marker(value: Any) -> bool:
    return isinstance(value, str) and _MARKER.fullmatch(value) is not None


def _plain(text: str) -> Any:
    return _JSON.decode(text)


def _with(text: str, new: Mapping[Span, str]) -> str:
    for (start, end), value in sorted(new.items(), reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _json_text(cell: Any) -> str | None:
    """Return the JSON that a cell is, as text; None when it cannot be read as such."""
    if isinstance(cell, int | float):  # what a column of numbers makes of the text of one
        return json.dumps(cell)
    try:
        _plain(cell)
    except (TypeError, ValueError, RecursionError):
        return None
    return cell if isinstance(cell, str) else None


def _found(text: str | None, path: Keys) -> Iterator[tuple[tuple[object, ...], Span]]:
    """Yield where the values of a path are: their place in the document, and in its text."""
    if text is not None:
        yield from _in_value(text, _after_space(text, 0), path, ())


def _in_value(
    text: str, start: int, path: Keys, place: tuple[object, ...]
) -> Iterator[tuple[tuple[object, ...], Span]]:
    is_all_below = path == _ALL_BELOW
    if not path:
        yield place, (start, _JSON.raw_decode(text, start)[1])
    elif text[start] == "{":
        for key, value in _members(text, start):
            if is_all_below or _fits(path[0], key):
                yield from _in_value(text, value, path if is_all_below else path[1:], (*place, key))
    elif text[start] == "[":
        items = list(_items(text, start))
        for number, value in enumerate(items):
            name = _name(text, value, number, len(items))
            yield from _in_value(text, value, path, (*place, name))
    elif is_all_below and text[start] not in "tfn":  # true, false and null give nothing away
        yield place, (start, _JSON.raw_decode(text, start)[1])


def _shown(value: Any) -> str:
    if isinstance(value, bytes):  # invalid text, too
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _fits(pattern: str, text: str) -> bool:
    return pattern == text or ("*" in pattern and _compiled(pattern).fullmatch(text) is not None)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def _name(text: str, start: int, number: int, count: int) -> object:
    """
    Tell an item of a list apart by its name or id, so that another order mixes nothing up.

    A mere value is told by its place, in a list that is as long.
    """
    item = _JSON.raw_decode(text, start)[0]
    if not isinstance(item, dict | list):
        return number, count
    for key in ("id", "name", "url", "key"):
        if isinstance(item, dict) and isinstance(item.get(key), str | int):
            return key, item[key]
    return number


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Yield the keys of an object, and where their values start."""
    place = _after_space(text, start + 1)
    while text[place] != "}":
        key, place = _JSON.raw_decode(text, place)
        value = _after_space(text, _after_space(text, place) + 1)
        yield key, value
        place = _after_comma(text, value)


def _items(text: str, start: int) -> Iterator[int]:
    place = _after_space(text, start + 1)
    while text[place] != "]":
        yield place
        place = _after_comma(text, place)


def _after_comma(text: str, value: int) -> int:
    """Find what follows a value: the next one, or what closes the object or list."""
    place = _after_space(text, _JSON.raw_decode(text, value)[1])
    return _after_space(text, place + 1) if text[place] == "," else place


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
