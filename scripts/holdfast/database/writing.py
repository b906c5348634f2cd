"""Putting rows into a database, and making a new one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from holdfast import files
from holdfast.cells import Cell, InvalidText
from holdfast.database.library import Connection, quote_identifier, sqlite3, translated_errors
from holdfast.errors import DatabaseDamaged


def insert_rows(connection: Connection, insert: str, rows: Sequence[Sequence[Cell]]) -> None:
    """
    Add rows with what follows `INSERT INTO ... VALUES `.

    Text that is not valid UTF-8 cannot be bound as text; it goes in as bytes, and is cast.
    """
    if not rows:
        return
    plain = rows
    if InvalidText in set(map(type, chain.from_iterable(rows))):
        plain = [row for row in rows if InvalidText not in map(type, row)]
    connection.executemany(f"{insert}({', '.join('?' * len(rows[0]))})", plain)
    if plain is rows:
        return
    encoding = connection.execute("PRAGMA main.encoding").fetchone()[0]
    for row in rows:
        if InvalidText in map(type, row):
            marks = ("CAST(? AS TEXT)" if type(cell) is InvalidText else "?" for cell in row)
            cells = [_in_encoding(cell, encoding) for cell in row]
            connection.execute(f"{insert}({', '.join(marks)})", cells)


def _in_encoding(cell: Cell, encoding: str) -> Cell:
    """Turn the bytes of odd text, as SQLite gives them in UTF-8, into those of an encoding."""
    if type(cell) is InvalidText and encoding != "UTF-8":
        # All that is odd in a UTF-16 database is a surrogate without its other half.
        return cell.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass")
    return cell


def run_definition(connection: Connection, sql: str) -> None:
    """
    Run a statement of a schema that came from a file, and nothing else that the file may hold.

    Raises: DatabaseDamaged for a statement that makes no table, index, view or trigger.
    """
    if not _DEFINITION.match(sql):
        raise DatabaseDamaged(
            f"a schema holds what defines nothing: {sql[:60]!r}",
            hint="The backup was made to do harm, or is damaged. Do not use it.",
        )
    connection.execute(sql)


_DEFINITION = re.compile(r"(?i)create\s+(unique\s+|virtual\s+)?(table|index|view|trigger)\b")


def create_database(
    path: Path,
    *,
    schema_sql: str,
    tables: Iterable[tuple[str, Iterable[Mapping[str, Any]]]],
    journal_mode: str = "wal",
) -> None:
    """
    Make a new database of the given schema and rows; it appears whole or not at all.

    Raises: WriteFailed when `path` exists.
    """
    with files.new_file(path.parent) as (_, partial):
        with translated_errors(path), contextlib.closing(sqlite3.connect(partial)) as connection:
            connection.executescript(schema_sql)
            for name, rows in tables:
                import sqlite_utils  # takes 60 ms, and most new databases have no rows yet

                sqlite_utils.Database(connection).table(name).insert_all(map(dict, rows))
            connection.commit()
            connection.execute(f"PRAGMA journal_mode = {journal_mode}")
        files.publish(partial, [path])


def insert_row(connection: Connection, table: str, row: Mapping[str, Cell]) -> None:
    """Add one row, inside the transaction that is open."""
    connection.execute(_insert(table, row), list(row.values()))


def upsert_row(connection: Connection, table: str, row: Mapping[str, Cell], key: str) -> None:
    """Add one row, or change the row that has its key; inside the transaction that is open."""
    names = [quote_identifier(name) for name in row if name != key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    on_conflict = f"ON CONFLICT ({quote_identifier(key)}) DO UPDATE SET {changes}"
    connection.execute(f"{_insert(table, row)} {on_conflict}", list(row.values()))


def _insert(table: str, row: Mapping[str, Cell]) -> str:
    names, marks = ", ".join(map(quote_identifier, row)), ", ".join("?" * len(row))
    return f"INSERT INTO {quote_identifier(table)} ({names}) VALUES ({marks})"
