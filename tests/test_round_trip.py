"""Whatever a database holds: what was in the backup is back after an import, value and type."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from holdfast import database
from holdfast.cells import Cell
from holdfast.database import quote_identifier
from holdfast.errors import ImportConflict
from holdfast.formats import WRITABLE
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.places import Home
from tests.conftest import NOW, connected, everything, stored
from tests.strategies import VALUES

NAMES = st.sampled_from(
    [
        *("id", "x", "name", "rowid", "_rowid_", "oid", "$rowid", "$row", "order", "a b", 'q"q'),
        *("a.b", "Ä", "日本", "it's", "[x]", "tables", "seal", "s", "m", "w", "row", "c0", ""),
        *("main", "staged", "nth", "stored"),
    ]
)
TYPES = st.sampled_from(
    ["", "INTEGER", "INT", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(9)", "DATETIME", "FLOATING"]
)
STRICT_TYPES = st.sampled_from(["INTEGER", "INT", "TEXT", "REAL", "BLOB", "ANY"])
COLLATIONS = st.sampled_from(["", "", "", " COLLATE NOCASE", " COLLATE RTRIM"])
OTHERS = st.sampled_from(["", "", " DEFAULT 7", " NOT NULL", " NOT NULL DEFAULT 'none'", " UNIQUE"])


@dataclass(frozen=True)
class MadeTable:
    """A made-up table."""

    name: str
    sql: str
    columns: list[str]
    rows: list[list[Cell]]


@st.composite
def tables(draw, name):
    """Make up a table and the rows that a program tries to put into it."""
    columns = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.lower))
    key = draw(st.sampled_from(["none", "rowid", "rowid", "one", "all", "first two"]))
    strict = draw(st.booleans())
    without_rowid = key not in ("none", "rowid") and draw(st.booleans())
    types = STRICT_TYPES if strict else TYPES
    definitions = [
        quote_identifier(column) + f" {draw(types)}{draw(COLLATIONS)}{draw(OTHERS)}"
        for column in columns
    ]
    keys = {"one": columns[:1], "all": columns, "first two": columns[:2]}.get(key, [])
    if key == "rowid":
        more = draw(st.sampled_from(["", " AUTOINCREMENT"]))
        definitions[0] = f"{quote_identifier(columns[0])} INTEGER PRIMARY KEY{more}"
    elif keys:
        definitions.append(f"PRIMARY KEY ({', '.join(map(quote_identifier, keys))})")
    options = [word for word, on in (("WITHOUT ROWID", without_rowid), ("STRICT", strict)) if on]
    sql = f"CREATE TABLE {quote_identifier(name)} ({', '.join(definitions)}) {', '.join(options)}"
    row = st.lists(VALUES, min_size=len(columns), max_size=len(columns))
    return MadeTable(name, sql, columns, draw(st.lists(row, max_size=5)))


@st.composite
def databases(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=str.lower))
    return [draw(tables(f"t {name}" if draw(st.booleans()) else name)) for name in names]


CHANGES = st.sampled_from(["keep", "delete", "delete all", "null", "zero"])


def fill(path: Path, made: list[MadeTable]) -> None:
    """Make the tables, with those of their rows that SQLite takes."""
    with connected(path) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        for table in made:
            connection.execute(table.sql)
            columns = ", ".join(map(quote_identifier, table.columns))
            insert = f"INSERT OR IGNORE INTO {quote_identifier(table.name)} ({columns}) VALUES "
            for row in table.rows:
                with contextlib.suppress(database.IntegrityError):
                    database.insert_rows(connection, insert, [row])


def change(path: Path, made: list[MadeTable], changes: list[str]) -> None:
    """Change and delete rows, as a program does after its backup."""
    with connected(path) as connection:
        for table, what in zip(made, changes, strict=False):
            name = quote_identifier(table.name)
            last = quote_identifier(table.columns[-1])
            if what == "delete":
                first = quote_identifier(table.columns[0])
                connection.execute(f"DELETE FROM {name} WHERE typeof({first}) <> 'text'")
            elif what == "delete all":
                connection.execute(f"DELETE FROM {name}")
            elif what in ("null", "zero"):
                value = "NULL" if what == "null" else "0"
                with contextlib.suppress(database.IntegrityError):
                    connection.execute(f"UPDATE OR IGNORE {name} SET {last} = {value}")


def context_in(folder: Path) -> Context:
    return Context(Home(folder / "home"), {}, folder, "linux", "ann@laptop", NOW)


def round_trip(folder: Path, made: list[MadeTable], changes: list[str], form: str) -> None:
    path = folder / "tool.db"
    fill(path, made)
    before = {table.name: stored(path, table.name) for table in made}
    whole = everything(path)
    context = context_in(folder)
    backup = export_backup(context, ExportOptions(database=str(path), format=form)).path
    assert everything(path) == whole
    change(path, made, changes)
    changed = {table.name: stored(path, table.name) for table in made}
    whole = everything(path)
    try:
        report = import_backup(
            context, ImportOptions(backup=str(backup), database=str(path), yes=True)
        )
    except ImportConflict:
        assert any(" UNIQUE" in table.sql for table in made)
        assert everything(path) == whole
        return
    for table in made:
        now = stored(path, table.name)
        missing = list(before[table.name])
        for row in now:
            if row in missing:
                missing.remove(row)
        assert missing == [], f"not back in {table.name}"
        assert len(now) >= len(changed[table.name])
    written = {each.name: each.inserted + each.overwritten for each in report.plan.tables}
    same = [name for name in before if before[name] == changed[name]]
    assert [written[name] for name in same] == [0] * len(same)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(databases(), st.lists(CHANGES, min_size=3, max_size=3), st.sampled_from(WRITABLE))
def test_what_was_in_the_backup_is_back_after_an_import(made, changes, form):
    try_it(made, changes, form)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(databases(), st.lists(CHANGES, min_size=3, max_size=3), st.sampled_from(WRITABLE))
def test_what_was_in_the_backup_is_back_after_an_import_of_many_more(made, changes, form):
    try_it(made, changes, form)


def try_it(made, changes, form):
    note("; ".join(table.sql for table in made))
    with tempfile.TemporaryDirectory() as folder:
        round_trip(Path(folder), made, changes, form)
