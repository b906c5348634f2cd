"""Whatever two machines hold: the rows of both are there, and refer to what they referred to."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.places import Home
from holdfast.works import ConflictMode
from tests.conftest import NOW, connected, everything, run_sql

SCHEMA = """
CREATE TABLE parents (id INTEGER PRIMARY KEY, uid TEXT UNIQUE, v);
CREATE TABLE tags (id TEXT PRIMARY KEY);
CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents,
  up INTEGER REFERENCES children, v);
CREATE TABLE tagged (tag TEXT REFERENCES tags, child INTEGER REFERENCES children,
  PRIMARY KEY (tag, child)) WITHOUT ROWID;
CREATE TABLE loose (parent INTEGER REFERENCES parents, v);
CREATE TABLE marks (id INTEGER PRIMARY KEY, kind TEXT, of_id INTEGER NOT NULL, v);
"""
PROFILE = """
name: family
title: Family
recognise: [parents, children, marks]
references:
  - {table: marks, columns: [of_id], parent: parents, parent_columns: [id], where: {kind: parent}}
  - {table: marks, columns: [of_id], parent: children, parent_columns: [id], where: {kind: child}}
"""


class Content(NamedTuple):
    """The rows of a database."""

    parents: dict[int, tuple[str | None, int]]  # uid, v
    tags: set[str]
    children: dict[int, tuple[int | None, int | None, int]]  # parent, up, v
    tagged: set[tuple[str, int]]
    loose: list[tuple[int | None, int]]
    marks: dict[int, tuple[str, int, int]]  # kind, what it is of, v


SMALL = st.integers(0, 1)
NUMBERS = st.integers(1, 6)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    uids = st.sampled_from([None, "a", "b", "c"])
    drawn = draw(st.dictionaries(NUMBERS, st.tuples(uids, SMALL), max_size=4))
    parents: dict[int, tuple[str | None, int]] = {}
    for key, (uid, v) in drawn.items():  # a uid names one row
        taken = {known for known, _ in parents.values()}
        parents[key] = (None if uid in taken else uid, v)
    tags = draw(st.sets(st.sampled_from(["x", "y"])))
    parent = st.sampled_from([None, *parents])
    keys = draw(st.sets(NUMBERS, max_size=5))
    up = st.sampled_from([None, *sorted(keys)])
    # A row may come before the one it refers to, but no row is above itself.
    children = {key: draw(st.tuples(parent, up, SMALL)) for key in keys}
    order = draw(st.permutations(sorted(keys)))
    for key, (owner, above, v) in children.items():
        if above is not None and order.index(above) >= order.index(key):
            children[key] = (owner, None, v)
    tagged = set()
    if tags and children:
        pair = st.tuples(st.sampled_from(sorted(tags)), st.sampled_from(sorted(children)))
        tagged = draw(st.sets(pair, max_size=4))
    loose = draw(st.lists(st.tuples(parent, SMALL), max_size=3))
    of_some = [("parent", key) for key in parents] + [("child", key) for key in sorted(keys)]
    mark = st.sampled_from([*of_some, ("none", 0)])
    drawn_marks = draw(st.dictionaries(NUMBERS, st.tuples(mark, SMALL), max_size=4))
    marks = {key: (*of, v) for key, (of, v) in drawn_marks.items()}
    return Content(parents, tags, children, tagged, loose, marks)


def fill(path: Path, content: Content) -> None:
    with connected(path) as connection:
        connection.execute("BEGIN")
        parents = [(key, *row) for key, row in content.parents.items()]
        connection.executemany("INSERT INTO parents VALUES (?, ?, ?)", parents)
        connection.executemany("INSERT INTO tags VALUES (?)", [(tag,) for tag in content.tags])
        children = [(key, *row) for key, row in content.children.items()]
        connection.executemany("INSERT INTO children VALUES (?, ?, ?, ?)", children)
        connection.executemany("INSERT INTO tagged VALUES (?, ?)", sorted(content.tagged))
        connection.executemany("INSERT INTO loose VALUES (?, ?)", content.loose)
        marks = [(key, *row) for key, row in content.marks.items()]
        connection.executemany("INSERT INTO marks VALUES (?, ?, ?, ?)", marks)
        connection.execute("COMMIT")


def read(path: Path) -> Content:
    with connected(path) as connection:
        return Content(
            parents={key: (uid, v) for key, uid, v in connection.execute("SELECT * FROM parents")},
            tags={tag for (tag,) in connection.execute("SELECT id FROM tags")},
            children={
                key: (parent, up, v)
                for key, parent, up, v in connection.execute("SELECT * FROM children")
            },
            tagged=set(connection.execute("SELECT * FROM tagged")),
            loose=list(connection.execute("SELECT * FROM loose")),
            marks={key: tuple(row) for key, *row in connection.execute("SELECT * FROM marks")},
        )


# What a row is, without the numbers: the same on both machines, or another row.


def parent_name(content: Content, key: int | None) -> object:
    if key is None:
        return None
    uid, v = content.parents[key]
    return uid or ("no uid", v)


def child_name(content: Content, key: int | None) -> object:
    if key is None:
        return None
    parent, up, v = content.children[key]
    return parent_name(content, parent), child_name(content, up), v


def tagged_names(content: Content) -> set[tuple[str, object]]:
    return {(tag, child_name(content, child)) for tag, child in content.tagged}


def mark_name(content: Content, key: int) -> object:
    kind, of, v = content.marks[key]
    name = {"parent": parent_name, "child": child_name}.get(kind)
    return kind, name(content, of) if name else of, v


def portrait(content: Content) -> dict[str, Counter[object]]:
    """Count the rows of each table by what they are and what they refer to."""
    return {
        "parents": Counter(parent_name(content, key) for key in content.parents),
        "tags": Counter(content.tags),
        "children": Counter(child_name(content, key) for key in content.children),
        "loose": Counter((parent_name(content, parent), v) for parent, v in content.loose),
        "marks": Counter(mark_name(content, key) for key in content.marks),
    }


@contextlib.contextmanager
def two_databases(profile: str) -> Iterator[tuple[Context, Path, Path]]:
    """Name two databases that are to be made: of another machine, and of this one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "home" / "profiles").mkdir(parents=True)
        (folder / "home" / "profiles" / "family.yaml").write_text(profile, encoding="utf-8")
        context = Context(
            home=Home(folder / "home"),
            environment={},
            user_home=folder,
            platform="linux",
            actor="ann@laptop",
            now=NOW,
        )
        yield context, folder / "there.db", folder / "here.db"


@contextlib.contextmanager
def machines(there: Content, here: Content) -> Iterator[tuple[Context, Path, Path]]:
    with two_databases(PROFILE) as (context, other, path):
        for each, content in ((other, there), (path, here)):
            run_sql(each, SCHEMA)
            fill(each, content)
        yield context, other, path


@pytest.mark.slow
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(there=contents(), here=contents())
def test_the_rows_of_both_machines_are_there_and_refer_to_what_they_did(
    there: Content, here: Content
) -> None:
    with machines(there, here) as (context, other, path):
        backup = export_backup(context, ExportOptions(database=str(other))).path
        options = ImportOptions(
            backup=str(backup), database=str(path), mode=ConflictMode.REMAP, yes=True
        )
        import_backup(context, options)
        now = read(path)
        # Rows that are the same on both count as often as on the side that has more of them.
        wanted, mine = portrait(there), portrait(here)
        assert portrait(now) == {table: wanted[table] | mine[table] for table in wanted}
        assert tagged_names(now) == tagged_names(there) | tagged_names(here)
        # What was here has its numbers still, and its values, unless a uid is the backup's too.
        theirs = {uid: v for uid, v in there.parents.values() if uid}
        for key, (uid, v) in here.parents.items():
            assert now.parents[key] == (uid, theirs.get(uid, v) if uid else v)
        assert here.children.items() <= now.children.items()
        assert here.tagged <= now.tagged
        assert here.marks.items() <= now.marks.items()
        with connected(path) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        before = everything(path)
        assert import_backup(context, options).outcome == "nothing to do"
        assert everything(path) == before
