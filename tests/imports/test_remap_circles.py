"""Whatever circles two machines hold: each is there once, and none is taken for another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.works import ConflictMode
from tests.conftest import connected, everything, run_sql
from tests.imports.test_remap_property import two_databases

SCHEMA = """
CREATE TABLE talks (id INTEGER PRIMARY KEY, last INTEGER REFERENCES messages, v);
CREATE TABLE messages (id INTEGER PRIMARY KEY, talk INTEGER REFERENCES talks,
  reply_to INTEGER REFERENCES messages, about INTEGER, v);
"""
PROFILE = """
name: family
title: Family
recognise: [talks, messages]
references:
  - {table: messages, columns: [about], parent: talks, parent_columns: [id], where: {v: 0}}
  - {table: messages, columns: [about], parent: messages, parent_columns: [id], where: {v: 1}}
"""
Row = tuple[int | None, ...]  # references first, then a value
Content = dict[str, dict[int, Row]]  # rows by their numbers
REFERENCES = {"talks": ("messages",), "messages": ("talks", "messages", "either")}
EITHER = ("talks", "messages")  # what `about` refers to, by v


def parents_of(table: str, row: Row) -> list[str]:
    """Name the tables that the references of a row are to, in their order."""
    either = EITHER[row[-1] or 0]
    return [either if parent == "either" else parent for parent in REFERENCES[table]]


@st.composite
def contents(draw: st.DrawFn) -> Content:
    numbers = {
        table: draw(st.sets(st.integers(1, 6), min_size=1, max_size=4)) for table in REFERENCES
    }
    content: Content = {}
    for table in REFERENCES:
        content[table] = {}
        for number in sorted(numbers[table]):
            v = draw(st.integers(0, 1))
            parents = parents_of(table, (v,))
            refers = (st.sampled_from([None, *sorted(numbers[parent])]) for parent in parents)
            content[table][number] = (*draw(st.tuples(*refers)), v)
    return content


def fill(path: Path, content: Content) -> None:
    with connected(path) as connection:
        connection.execute("BEGIN")
        for table, found in content.items():
            marks = ", ?" * (len(REFERENCES[table]) + 1)
            connection.executemany(
                f"INSERT INTO {table} VALUES (?{marks})",
                [(key, *row) for key, row in found.items()],
            )
        connection.execute("COMMIT")


def read(path: Path) -> Content:
    with connected(path) as connection:
        return {
            table: {key: tuple(row) for key, *row in connection.execute(f"SELECT * FROM {table}")}
            for table in REFERENCES
        }


def looks(contents: list[Content]) -> list[Counter[str]]:
    """Count the rows of each content by what they are, and all that they lead to."""
    rows = {
        (side, table, key): row
        for side, content in enumerate(contents)
        for table, found in content.items()
        for key, row in found.items()
    }
    look = {node: f"{node[1]} {row[-1]}" for node, row in rows.items()}
    while True:
        led_to = {
            node: [look[node]]
            + [
                look.get((node[0], parent, number or 0), "")
                for parent, number in zip(parents_of(node[1], rows[node]), rows[node], strict=False)
            ]
            for node in rows
        }
        known = sorted(set(map(str, led_to.values())))
        count = len(set(look.values()))
        look = {node: str(known.index(str(led_to[node]))) for node in rows}
        if len(known) == count:
            break
    return [
        Counter(value for (of, *_), value in look.items() if of == side)
        for side in range(len(contents))
    ]


@pytest.mark.slow
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(there=contents(), here=st.none() | contents())
def test_circles_of_both_machines_are_there_once_and_as_they_were(
    there: Content, here: Content | None
) -> None:
    here = here or there
    with two_databases(PROFILE) as (context, other, path):
        for each, content in ((other, there), (path, here)):
            run_sql(each, SCHEMA)
            fill(each, content)
        backup = export_backup(context, ExportOptions(database=str(other))).path
        options = ImportOptions(
            backup=str(backup), database=str(path), mode=ConflictMode.REMAP, yes=True
        )
        import_backup(context, options)
        now = read(path)
        assert all(here[table].items() <= now[table].items() for table in here)
        theirs, mine, both = looks([there, here, now])
        assert both.keys() == theirs.keys() | mine.keys()
        assert theirs | mine <= both
        before = everything(path)
        assert import_backup(context, options).outcome == "nothing to do"
        assert everything(path) == before
