"""All that can be seen of a database through SQL, in a form that tells types and bytes apart."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from holdfast.database import Connection, OperationalError, quote_identifier
from tests.conftest import connected

PRAGMAS = ("user_version", "application_id", "encoding", "page_size", "auto_vacuum", "journal_mode")
_ROWID_NAMES = ("rowid", "_rowid_", "oid")
_COLUMNS_AT_ONCE = 500  # a result may have 2,000 columns, and each takes two
_LONG_BYTES = 1_000_000

Portrait = dict[str, Any]
Prepare = Callable[[Connection], None]


def portrait(path: Path, prepare: Prepare = lambda _: None) -> Portrait:
    """
    Describe a database: its schema, its rows with types, rowids and raw text, and its pragmas.

    What a virtual table keeps in tables of its own is left out: the table stands for it.
    """
    with _looking_at(path, prepare) as connection:
        query = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
        entries = connection.execute(query).fetchall()
        parts = set(_parts(entries))
        found: Portrait = {
            "damage": _damage(connection),
            "schema": sorted(repr(entry) for entry in entries if entry[2] not in parts),
            "broken references": _broken_references(connection),
            **{word: connection.execute(f"PRAGMA main.{word}").fetchone()[0] for word in PRAGMAS},
        }
        for kind, name, _, sql in entries:
            if kind == b"table" and name not in parts:
                is_virtual = sql[:14].upper() == b"CREATE VIRTUAL"
                shown = name.decode("utf-8", "backslashreplace")
                found[f"rows of {shown}"] = _rows(connection, name.decode(), is_virtual=is_virtual)
    return found


def answers(path: Path, questions: tuple[str, ...], prepare: Prepare = lambda _: None) -> list[Any]:
    """Ask a database, and return all answers."""
    with _looking_at(path, prepare) as connection:
        return [connection.execute(question).fetchall() for question in questions]


@contextlib.contextmanager
def _looking_at(path: Path, prepare: Prepare) -> Iterator[Connection]:
    with connected(path) as connection:
        prepare(connection)
        connection.text_factory = bytes
        yield connection


def _parts(entries: list[tuple[bytes, ...]]) -> Iterator[bytes]:
    """Yield the tables that come into being with a virtual table, found by making one like it."""
    for kind, name, _, sql in entries:
        if kind == b"table" and sql[:14].upper() == b"CREATE VIRTUAL":
            with contextlib.closing(Connection(":memory:")) as connection:
                with contextlib.suppress(OperationalError):  # what it needs is not here
                    connection.execute(sql.decode())
                    made = connection.execute("SELECT name FROM sqlite_schema").fetchall()
                    yield from ({each.encode() for (each,) in made} - {name})


def _broken_references(connection: Connection) -> object:
    try:
        return sorted(map(repr, connection.execute("PRAGMA foreign_key_check")))
    except OperationalError as error:  # what a key refers to is not UNIQUE
        return str(error)


def _rows(connection: Connection, table: str, *, is_virtual: bool) -> object:
    name = quote_identifier(table)
    try:
        facts = connection.execute(f"PRAGMA main.table_xinfo({name})").fetchall()
        columns = [row[1].decode() for row in facts if row[6] != 1]  # 1: hidden, a function's input
        names = list(map(quote_identifier, columns))
        taken = {column.lower() for column in columns}
        free = [each for each in _ROWID_NAMES if each not in taken and table != "sqlite_sequence"]
        for rowid in free[:1]:
            with contextlib.suppress(OperationalError):  # it is WITHOUT ROWID
                connection.execute(f"SELECT {rowid} FROM {name} LIMIT 0")
                names.append(rowid)
        blocks = [
            connection.execute(_query(name, names[start : start + _COLUMNS_AT_ONCE], is_virtual))
            for start in range(0, len(names), _COLUMNS_AT_ONCE)
        ]
        rows = [repr([*map(_shown, chain(*row))]) for row in zip(*blocks, strict=True)]
    except OperationalError as error:
        return str(error)
    # Neither has an order of its own.
    return sorted(rows) if is_virtual or table == "sqlite_sequence" else rows


def _shown(value: object) -> object:
    if isinstance(value, bytes) and len(value) > _LONG_BYTES:
        return hashlib.sha256(value).digest()
    return value


def _query(table: str, names: list[str], is_virtual: bool) -> str:
    values = (
        f"typeof({name}), CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) ELSE {name} END"
        for name in names
    )
    order = "" if is_virtual else " NOT INDEXED"  # as they are stored
    return f"SELECT {', '.join(values)} FROM main.{table}{order}"


def _damage(connection: Connection) -> object:
    """What SQLite's check finds; a tokenizer that is not here keeps it from looking."""
    try:
        return connection.execute("PRAGMA integrity_check").fetchall()
    except OperationalError as error:
        return str(error)
