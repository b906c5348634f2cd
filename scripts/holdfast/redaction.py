"""
Secrets in rows: found, counted, and replaced by a marker; and put back from what a row holds.

A secret is a value that is neither NULL nor empty. In JSON, only the text of the secret itself is
replaced: all else stays as it was written, to the last space.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MARKER_START = "[redacted by holdfast "
# The number tells markers apart, where values must be unique.
_MARKER = re.compile(re.escape(MARKER_START) + r"\d+\]")
_JSON = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
Keys = tuple[str, ...]
Span = tuple[int, int]  # where a value stands in a JSON text


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
            secrets: columns, and keys in columns of JSON with dots between; * is any key.
            numbered: each marker differs; if not, all are one, those too that are there already,
                so that rows are equal that differ in secrets alone.
        """
        self.counts = dict.fromkeys(secrets, 0)  # rows that hold one
        self._redact = redact
        self._numbered = numbered
        self._number = 0
        self._places = [
            (secret, columns.index(column), tuple(filter(None, path.split("."))))
            for secret in secrets
            for column, _, path in [secret.partition(".")]
        ]

    def rows(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Pass rows on."""
        return [self._row(row) for row in rows]

    def _row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        cells = list(row)
        for secret, place, path in self._places:
            redacted = self._replaced(cells[place], path)
            if redacted is not None:
                self.counts[secret] += 1
                cells[place] = redacted if self._redact else cells[place]
        return tuple(cells)

    def _replaced(self, cell: Any, path: Keys) -> str | None:
        """Return a cell without its secrets; None when it holds none."""
        if not path:
            return self._marker() if self._is_secret(cell) else None
        spans = [
            span for _, span in _found(cell, path) if self._is_secret(_plain(cell[slice(*span)]))
        ]
        return _with(cell, {span: json.dumps(self._marker()) for span in spans}) if spans else None

    def _is_secret(self, value: Any) -> bool:
        is_empty = value is None or value in ("", b"", [], {})
        return not is_empty and not (self._numbered and _is_marker(value))

    def _marker(self) -> str:
        self._number += self._numbered
        return f"{MARKER_START}{self._number}]"


def unredacted(backup: Any, stored: Any, *paths: str) -> Any:
    """
    Return what a row that is there is to hold, where the backup has markers for secrets.

    In JSON each marker gives way to what the stored value has in its place; if it has nothing
    there, all of it stays.

    Args: paths: of the keys in JSON, with dots between; "": the value itself is the secret.
    """
    if "" in paths and _is_marker(backup):
        return stored
    new: dict[Span, str] = {}
    for path in filter(None, paths):
        theirs = dict(_found(stored, tuple(path.split("."))))
        for place, span in _found(backup, tuple(path.split("."))):
            if _is_marker(_plain(backup[slice(*span)])):
                if place not in theirs:
                    return stored
                new[span] = stored[slice(*theirs[place])]
    return _with(backup, new) if new else backup


def _is_marker(value: Any) -> bool:
    return isinstance(value, str) and _MARKER.fullmatch(value) is not None


def _plain(text: str) -> Any:
    return _JSON.decode(text)


def _with(text: str, new: Mapping[Span, str]) -> str:
    for (start, end), value in sorted(new.items(), reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _found(cell: Any, path: Keys) -> Iterator[tuple[tuple[object, ...], Span]]:
    """Yield where the values of a path are: their place in the document, and in its text."""
    if not isinstance(cell, str):
        return
    try:
        _plain(cell)  # what is no JSON holds no keys
    except (ValueError, RecursionError):
        return
    yield from _in_value(cell, _after_space(cell, 0), path, ())


def _in_value(
    text: str, start: int, path: Keys, place: tuple[object, ...]
) -> Iterator[tuple[tuple[object, ...], Span]]:
    if not path:
        yield place, (start, _JSON.raw_decode(text, start)[1])
    elif text[start] == "{":
        for key, value in _members(text, start):
            if path[0] in (key, "*"):
                yield from _in_value(text, value, path[1:], (*place, key))
    elif text[start] == "[":
        for number, value in enumerate(_items(text, start)):
            yield from _in_value(text, value, path, (*place, _name(text, value, number)))


def _name(text: str, start: int, number: int) -> object:
    """Tell an item of a list apart by its name or id, so that another order mixes nothing up."""
    item = _JSON.raw_decode(text, start)[0]
    for key in ("id", "name", "key"):
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
