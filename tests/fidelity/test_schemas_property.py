"""Whatever schema a program makes up, and whatever it puts in: what is restored is equal."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from holdfast import database
from holdfast.cells import Cell, InvalidText
from holdfast.database import quote_identifier
from holdfast.formats import WRITABLE
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.places import Home
from tests.conftest import NOW, connected
from tests.fidelity.portrait import portrait
from tests.strategies import VALUES

NAMES = st.sampled_from(
    ["id", "x", "name", "rowid", "_rowid_", "oid", "$rowid", "$$rowid", "select", "a b", "tables"]
) | st.sampled_from(
    ["seal", "main", "a/b", 'q"q', "a.b", "Ä", "日本", "it's", "[x]", "new\nline", "", "👩‍👩‍👧"]
)
TYPES = st.sampled_from(
    ["", "INTEGER", "INT", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(9)", "DATETIME", "ANY"]
)
STRICT_TYPES = st.sampled_from(["INTEGER", "INT", "TEXT", "REAL", "BLOB", "ANY"])
COLLATIONS = st.sampled_from(["", "", "", " COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"])
RULES = st.sampled_from(["", "", "", " NOT NULL", " UNIQUE"]) | st.sampled_from(
    [" DEFAULT 7", " DEFAULT (random())", " DEFAULT x'00'", " UNIQUE ON CONFLICT REPLACE", ""]
)
EXPRESSIONS = ["length({})", "{} || 'x'", "typeof({})", "quote({})", "{} + 1", "CAST({} AS BLOB)"]
KEYS = st.sampled_from(["none", "rowid", "descending rowid", "autoincrement", "one", "two", "all"])


@dataclass
class Made:
    """A database that was made up."""

    pragmas: list[str]
    statements: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[str], list[Cell]]] = field(default_factory=list)  # table, columns


@st.composite
def tables(draw, made, name, others):
    """Make up a table, and the rows that a program tries to put into it."""
    columns = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.lower))
    quoted = list(map(quote_identifier, columns))
    key, is_strict = draw(KEYS), draw(st.integers(1, 5)) == 5
    types = STRICT_TYPES if is_strict else TYPES
    parts = [f"{column} {draw(types)}{draw(COLLATIONS)}{draw(RULES)}" for column in quoted]
    if "rowid" in key or key == "autoincrement":
        more = {"rowid": "", "descending rowid": " DESC", "autoincrement": " AUTOINCREMENT"}[key]
        parts[0] = f"{quoted[0]} INTEGER PRIMARY KEY{more}"
    elif key != "none":
        keys = quoted[: {"one": 1, "two": 2, "all": 4}[key]]
        order = draw(st.sampled_from(["", " DESC", " COLLATE NOCASE"]))
        parts.append(f"PRIMARY KEY ({', '.join(f'{column}{order}' for column in keys)})")
    generated = draw(st.lists(st.sampled_from(EXPRESSIONS), max_size=2))
    for number, expression in enumerate(generated):
        kind = draw(st.sampled_from(["STORED", "VIRTUAL"]))
        column = (
            f"g{number} {'ANY' if is_strict else ''} AS ({expression.format(quoted[0])}) {kind}"
        )
        parts.insert(draw(st.integers(0, 1)) and len(columns), column)
    if draw(st.booleans()):
        parent = quote_identifier(draw(st.sampled_from([*others, name])))
        deferred = draw(
            st.sampled_from(["", " DEFERRABLE INITIALLY DEFERRED", " ON DELETE CASCADE"])
        )
        parts.append(f"FOREIGN KEY ({quoted[-1]}) REFERENCES {parent} ({quoted[0]}){deferred}")
    if draw(st.booleans()):
        parts.append(f"CHECK ({quoted[-1]} IS NOT 77 AND typeof({quoted[0]}) <> 'blob')")
    words = [word for word in ("STRICT" if is_strict else "", draw(WITHOUT_ROWID)) if word]
    made.statements.append(
        f"CREATE TABLE {quote_identifier(name)} ({', '.join(parts)}) {', '.join(words)}"
    )
    row = st.lists(VALUES, min_size=len(columns), max_size=len(columns))
    made.rows += [(name, columns, cells) for cells in draw(st.lists(row, max_size=5))]
    return columns


WITHOUT_ROWID = st.sampled_from(["", "", "WITHOUT ROWID"])


@st.composite
def extras(draw, made, tables_made):
    """Make up indexes, views and triggers."""
    kinds = st.sampled_from(["index", "unique index", "expression", "partial", "view", "trigger"])
    for number, kind in enumerate(draw(st.lists(kinds, max_size=6))):
        table, columns = draw(st.sampled_from(tables_made))
        name, first = quote_identifier(table), quote_identifier(draw(st.sampled_from(columns)))
        other = quote_identifier(draw(st.sampled_from(tables_made))[0])
        made.statements.append(
            {
                "index": f"CREATE INDEX i{number} ON {name} ({first} COLLATE NOCASE DESC)",
                "unique index": f"CREATE UNIQUE INDEX i{number} ON {name} ({first}, 1)",
                "expression": f"CREATE INDEX i{number} ON {name} (typeof({first}), lower({first}))",
                "partial": f"CREATE INDEX i{number} ON {name} ({first}) WHERE {first} IS NOT NULL",
                "view": f"CREATE VIEW v{number} (a, b) AS SELECT {first}, 1 FROM {name} -- seen\n",
                "trigger": f"CREATE TRIGGER r{number} AFTER INSERT ON {name} BEGIN"
                f" DELETE FROM {other}; INSERT INTO gone VALUES (';'); END -- later",
            }[kind]
        )


@st.composite
def databases(draw):
    """Make up a whole database."""
    made = Made(
        [
            f"encoding = '{draw(st.sampled_from(['UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be']))}'",
            f"page_size = {draw(st.sampled_from([512, 4096, 65536]))}",
            f"auto_vacuum = {draw(st.sampled_from([0, 1, 2]))}",
            f"user_version = {draw(st.integers(-(2**31), 2**31 - 1))}",
            f"application_id = {draw(st.integers(-(2**31), 2**31 - 1))}",
            f"journal_mode = {draw(st.sampled_from(['delete', 'wal']))}",
            f"ignore_check_constraints = {draw(st.booleans())}",
        ]
    )
    names = draw(st.lists(NAMES, max_size=4, unique_by=str.lower))
    found = [(name, draw(tables(made, name, names))) for name in names]
    if found:
        draw(extras(made, found))
    return made


def fill(path: Path, made: Made) -> None:
    """Make the database, with all that SQLite takes of what was made up."""
    refusals = (database.OperationalError, database.IntegrityError)
    with connected(path) as connection:
        for pragma in made.pragmas:
            connection.execute(f"PRAGMA {pragma}")
        is_utf8 = connection.execute("PRAGMA encoding").fetchone() == ("UTF-8",)
        connection.execute("CREATE TABLE always (x)")
        for statement in made.statements:
            if not statement.startswith("CREATE TRIGGER"):
                with contextlib.suppress(*refusals):
                    connection.execute(statement)
        for table, columns, cells in made.rows:
            marks = ["CAST(? AS TEXT)" if type(cell) is InvalidText else "?" for cell in cells]
            if is_utf8 or "?" * len(cells) == "".join(marks):
                with contextlib.suppress(*refusals):
                    into = (
                        f"{quote_identifier(table)} ({', '.join(map(quote_identifier, columns))})"
                    )
                    connection.execute(
                        f"INSERT INTO {into} VALUES ({', '.join(marks)})",
                        [bytes(cell) if type(cell) is InvalidText else cell for cell in cells],
                    )
        for table, columns, _ in made.rows[::3]:
            first = quote_identifier(columns[0])
            with contextlib.suppress(*refusals):
                connection.execute(
                    f"DELETE FROM {quote_identifier(table)} WHERE typeof({first}) = 'integer'"
                )
        for statement in made.statements:
            if statement.startswith("CREATE TRIGGER"):
                with contextlib.suppress(*refusals):
                    connection.execute(statement)


def there_and_back(made: Made, form: str) -> None:
    note("\n".join(made.statements))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, target = folder / "tool.db", folder / "new.db"
        fill(source, made)
        before = portrait(source)
        context = Context(Home(folder / "home"), {}, folder, "linux", "ann@laptop", NOW)
        backup = export_backup(context, ExportOptions(database=str(source), format=form)).path
        assert portrait(source) == before
        restore_backup(context, RestoreOptions(backup=str(backup), target=target))
        assert portrait(target) == before


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(databases(), st.sampled_from(WRITABLE))
def test_any_database_comes_back_equal(made, form):
    there_and_back(made, form)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(databases(), st.sampled_from(WRITABLE))
def test_any_of_many_more_databases_comes_back_equal(made, form):
    there_and_back(made, form)
