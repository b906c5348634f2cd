"""
Files of other programs that are one JSON document, which is held as its text alone.

The rows are made from that text one at a time, twice: for the names of their columns, which come
before all rows, and for their values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from holdfast.errors import BackupTooNew, NotABackup
from holdfast.formats.compression import plain
from holdfast.formats.foreign import stored_values
from holdfast.formats.interface import damaged

# An object whose values are still the text that they were written as.
Document = Mapping[str, msgspec.Raw]
ToRow = Callable[[str, msgspec.Raw], dict[str, Any]]  # a table's name and one of its rows

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"\s*:?|[][{}]', re.DOTALL)


def first_keys(start: bytes) -> list[str]:
    """Name the keys of a JSON object that are seen whole at its start, at its top level."""
    keys, depth = [], 0
    text = start.removeprefix(_BYTE_ORDER_MARK).lstrip()
    for found in _TOKEN.finditer(text if text.startswith(b"{") else b""):
        token = found[0]
        if token in b"{[":
            depth += 1
        elif token in b"}]":
            depth -= 1
        elif depth == 1 and token.endswith(b":"):
            keys.append(token.rstrip(b": \t\r\n")[1:-1].decode("utf-8", "replace"))
    return keys


def recogniser(own: Collection[str], *sets: Collection[str]) -> Callable[[Path, bytes], bool]:
    """
    Make what tells a document by its keys, in whatever order they come.

    Args:
        own: the keys that it may begin with; only then is more of it read than its start.
        sets: it has all the keys of one of these.
    """

    def fits(keys: Collection[str]) -> bool:
        return any(set(wanted) <= set(keys) for wanted in sets)

    def recognise(path: Path, start: bytes) -> bool:
        keys = first_keys(start)
        if fits(keys):
            return True
        if not keys or keys[0] not in own or path.is_dir():
            return False
        try:
            return fits(read_document(path))
        except NotABackup:
            return False

    return recognise


def read_document(path: Path) -> Document:
    """Read a file as one JSON object; NotABackup when it is none, or not whole."""
    with plain(path) as file:
        return parse_document(file.read())


def parse_document(text: bytes | msgspec.Raw) -> Document:
    """Read a text as one JSON object; NotABackup when it is none, or not whole."""
    try:
        if not isinstance(text, msgspec.Raw):
            text = text.removeprefix(_BYTE_ORDER_MARK)
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError) as error:
        raise NotABackup(
            f"it is not a whole JSON document: {error}",
            hint="The file may be cut short. Use another one.",
        ) from error


def value_of(document: Document, key: str, kind: type, default: Any = None) -> Any:
    """
    Read one value of an object.

    Returns: `default` when there is no such key.
    Raises: NotABackup for a value of another kind.
    """
    if key not in document:
        return default
    try:
        return msgspec.json.decode(document[key], type=kind)
    except ValueError as error:
        raise _invalid(f"{key} field") from error


def needed(document: Document, key: str, kind: type) -> Any:
    """Read one value of an object that must be there; NotABackup when it is not."""
    if key not in document:
        raise _invalid(f"{key} field")
    return value_of(document, key, kind)


def objects(text: msgspec.Raw | None, name: str) -> list[msgspec.Raw]:
    """Read a list of rows; NotABackup when it is missing, or is not a list of objects."""
    try:
        found = msgspec.json.decode(text or b"", type=list[msgspec.Raw])
    except ValueError as error:
        raise _invalid(f"{name} array") from error
    if not all(starts(each, b"{") for each in found):
        raise _invalid(f"{name} array: it holds what is no object")
    return found


def _invalid(what: str) -> NotABackup:
    return NotABackup(f"missing or invalid {what}", hint="Use another file.")


def starts(text: msgspec.Raw, character: bytes) -> bool:
    """Tell by its first character what kind of value a text is, without reading it."""
    return bytes(memoryview(text)[:1]) == character


def unread(document: Document, known: Collection[str]) -> tuple[str, ...]:
    """Name the keys of a document for which no table has a place: nothing is lost in silence."""
    names = [name for name in document if name not in known]
    if not names:
        return ()
    return (
        f"{', '.join(names)}: this is in the file, and not imported; no table is known for it.",
    )


def complain_of_version(found: str, known: str, program: str) -> None:
    """Raise unless a file's version is one that is read: BackupTooNew for a later major one."""
    major = re.fullmatch(r"(\d{1,9})(\.\d+)*", found)
    if major is None or int(major[1]) < int(known.partition(".")[0]):
        raise NotABackup(
            f"missing or invalid version field: {found!r} (expected {known})",
            hint="Use another file.",
        )
    if int(major[1]) > int(known.partition(".")[0]):
        raise BackupTooNew(
            f"it has version {found!r}; this program reads those of {program} up to {known}",
            hint="Update Holdfast, then try again.",
        )


def complain_of_counts(stated: Mapping[str, object], counts: Mapping[str, int]) -> None:
    """Raise BackupDamaged when a file says that it holds other numbers of rows than it does."""
    for name, count in stated.items():
        if name in counts and count != counts[name]:
            raise damaged(f"it says that it holds {count} {name}, and holds {counts[name]}")


def row_of(
    text: msgspec.Raw,
    json_columns: Collection[str] = (),
    as_text: Callable[[bytes], str] = lambda value: msgspec.json.format(value, indent=-1).decode(),
) -> dict[str, Any]:
    """
    Read an object as a row, what no cell can hold as JSON text.

    Args:
        json_columns: that hold JSON text also for values that a cell could hold; not for null.
        as_text: makes that text; without needless space, as JavaScript does, when left out.
    """
    columns = set(json_columns)
    if columns:
        columns -= {key for key, value in parse_document(text).items() if bytes(value) == b"null"}
    return stored_values(bytes(text), columns, as_text)


def columns_of(tables: Mapping[str, Sequence[msgspec.Raw]], to_row: ToRow) -> dict[str, list[str]]:
    """Name the columns of each table: all those that any of its rows has."""
    return {
        table: list(dict.fromkeys(name for text in texts for name in to_row(table, text)))
        for table, texts in tables.items()
    }


def rows_of(
    tables: Mapping[str, Sequence[msgspec.Raw]], to_row: ToRow
) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """Yield each table with its rows, each made as it is asked for."""
    for table, texts in tables.items():
        yield table, (to_row(table, text) for text in texts)
