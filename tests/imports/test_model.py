"""Whatever a database holds and whatever became of it since: an import does what a model says."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from holdfast.cells import Cell
from holdfast.errors import ImportConflict, ImportRefused
from holdfast.operations.context import Context
from holdfast.places import Home
from holdfast.works import ConflictMode
from tests.conftest import NOW, connected, everything, run_sql
from tests.imports.conftest import MODES, Tool

SCHEMA = """
CREATE TABLE p (id INTEGER PRIMARY KEY, mail UNIQUE, v, updated_at);
CREATE TABLE c (id TEXT PRIMARY KEY, p REFERENCES p ON DELETE CASCADE, v, updated_at);
CREATE TABLE d (a, b, v, updated_at, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE k (v, p REFERENCES p);
CREATE TABLE s (id INTEGER PRIMARY KEY, up REFERENCES s ON DELETE SET NULL, v, updated_at);
"""
KEYS = {"p": 1, "c": 1, "d": 2, "k": 0, "s": 1}  # columns of the key; 0: all of them
WIDTHS = {"p": 4, "c": 4, "d": 4, "k": 2, "s": 4}

Row = tuple[Cell, ...]
Key = tuple[Cell, ...]
Content = dict[str, Counter[Row]]  # the rows of each table, as often as they are there

VALUES = st.sampled_from([None, 0, 1, 0.5, -1.5, "", "a", "A", b"", b"a"])
TIMES = st.sampled_from(
    [1795168801, 1795168802, None, "2026-11-20 10:00:00", "2026-11-20T10:00:01Z"]
)
PARENTS = st.sampled_from([None, 1, 2, 3, 4])
ROWS: dict[str, st.SearchStrategy[Any]] = {
    "p": st.tuples(st.integers(1, 4), st.sampled_from([None, "a", "b", "c"]), VALUES, TIMES),
    "c": st.tuples(st.sampled_from(["", "a", "B", "ü"]), PARENTS, VALUES, TIMES),
    "d": st.tuples(st.integers(1, 2), st.sampled_from(["x", "y", b"x"]), VALUES, TIMES),
    "k": st.tuples(VALUES, PARENTS),
    "s": st.tuples(st.integers(1, 4), PARENTS, VALUES, TIMES),
}


@dataclass(frozen=True)
class Case:
    """A database as it was backed up, and as it is now."""

    was: Content
    now: Content


@st.composite
def cases(draw: st.DrawFn) -> Case:
    was, now = {}, {}
    for name, row in ROWS.items():
        rows = draw(st.lists(row, max_size=5))
        # Most rows stay as they are; some go, some change, some are added.
        stay = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
        added = draw(st.lists(row, max_size=3))
        was[name] = sound(name, rows)
        kept = [row for row, stays in zip(rows, stay, strict=True) if stays]
        now[name] = sound(name, [*kept, *added])
    return Case(was, now)


def sound(name: str, rows: list[Row]) -> Counter[Row]:
    """Of rows of one key, or one unique value, take the last."""
    if not KEYS[name]:
        return Counter(rows)
    found = {key_of(name, row): row for row in rows}
    if name == "p":
        mails = {row[1]: key for key, row in found.items() if row[1] is not None}
        found = {k: row for k, row in found.items() if row[1] is None or mails[row[1]] == k}
    return Counter(found.values())


def key_of(name: str, row: Row) -> Key:
    return row[: KEYS[name]]


# The model


@dataclass(frozen=True)
class Promise:
    """What an import must come to."""

    rows: Content
    conflicts: bool  # it must be refused as a conflict
    breaks: bool  # it must be refused for a reference


def promised(case: Case, mode: ConflictMode) -> Promise:
    """Say what each mode promises, from nothing but the rows before."""
    after: Content = {}
    conflicts = False
    for name, width in KEYS.items():
        was, now = case.was[name], case.now[name]
        if not width:
            after[name] = was if mode is ConflictMode.CLEAR else was | now
            continue
        theirs = {key_of(name, row): row for row in was}
        ours = {key_of(name, row): row for row in now}
        result = {} if mode is ConflictMode.CLEAR else dict(ours)
        written = {}
        for key, row in theirs.items():
            if key not in ours:
                written[key] = row
            elif mode is ConflictMode.FAIL:
                conflicts = True
            elif same(row, ours[key]):
                result[key] = ours[key]
            elif mode in (ConflictMode.OVERWRITE, ConflictMode.CLEAR):
                written[key] = row
            elif mode is ConflictMode.NEWER:
                later = which_is_later(row[-1], ours[key][-1])
                conflicts |= later is None
                if later == "theirs":
                    written[key] = row
        result |= written
        after[name] = Counter(result.values())
        if name == "p":
            mails = Counter(row[1] for row in result.values() if row[1] is not None)
            conflicts |= any(count > 1 for count in mails.values())
    return Promise(after, conflicts, bool(broken(after) - broken(case.now)))


def same(one: Row, other: Row) -> bool:
    return one == other and list(map(type, one)) == list(map(type, other))


def which_is_later(theirs: Cell, ours: Cell) -> str | None:
    kinds = {type(theirs), type(ours)}
    if kinds == {int} and theirs != ours:
        return "theirs" if theirs > ours else "ours"  # type: ignore[operator]
    if kinds == {str} and theirs != ours:  # of the two there are, this one is the later
        return "theirs" if str(theirs).endswith("Z") else "ours"
    return None


def broken(content: Content) -> Counter[tuple[str, Row]]:
    """Count rows that refer to nothing: who they are, and what they refer to."""
    parents = {row[0] for row in content["p"]} | {None}
    found: Counter[tuple[str, Row]] = Counter()
    for name, of in (("c", parents), ("s", {row[0] for row in content["s"]} | {None})):
        for row in content[name]:
            if row[1] not in of:
                found[name, row[:2]] += 1
    for row, count in content["k"].items():
        if row[1] not in parents:
            found["k", (typed(row[0]), row[1])] += count
    return found


def typed(value: Cell) -> str:
    return repr(value)


def differences(before: Content, after: Content) -> dict[str, tuple[int, int, int]]:
    """Count the rows that were really inserted, overwritten and removed."""
    found = {}
    for name, width in KEYS.items():
        gone, new = exact(before[name]), exact(after[name])
        gone, new = gone - new, new - gone
        changed = 0
        if width:
            changed = len({row[:width] for row in gone} & {row[:width] for row in new})
        found[name] = (new.total() - changed, changed, gone.total() - changed)
    return found


def exact(rows: Counter[Row]) -> Counter[tuple[str, ...]]:
    """Rows by the type and form of their values: to Python 1 and 1.0 are one."""
    found: Counter[tuple[str, ...]] = Counter()
    for row, count in rows.items():
        found[tuple(map(repr, row))] += count
    return found


# The database


def content_of(path: Path) -> Content:
    with connected(path) as connection:
        return {name: Counter(connection.execute(f"SELECT * FROM {name}")) for name in KEYS}


def fill(path: Path, content: Content) -> None:
    with connected(path) as connection:
        connection.execute("BEGIN")
        for name, found in content.items():
            connection.execute(f"DELETE FROM {name}")
            marks = ", ".join("?" * WIDTHS[name])
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", list(found.elements()))
        connection.execute("COMMIT")


@contextlib.contextmanager
def scratch_tool(case: Case) -> Iterator[Tool]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def make(sql: str) -> Path:
            path = folder / "tool.db"
            run_sql(path, sql)
            fill(path, case.was)
            return path

        context = Context(
            home=Home(folder / "home"),
            environment={},
            user_home=folder,
            platform="linux",
            actor="ann@laptop",
            now=NOW,
        )
        tool = Tool(make, context).backed_up(SCHEMA)
        fill(tool.path, case.now)
        yield tool


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(case=cases(), mode=st.sampled_from(MODES))
def test_an_import_does_what_its_mode_promises(case: Case, mode: ConflictMode) -> None:
    promise = promised(case, mode)
    with scratch_tool(case) as tool:
        before = everything(tool.path)
        plan = tool.imported(mode, yes=False, dry_run=True).plan
        assert everything(tool.path) == before
        try:
            report = tool.imported(mode)
        except ImportConflict:
            note(f"a conflict: {plan}")
            assert promise.conflicts
            assert plan.conflict_count
            assert everything(tool.path) == before
            return
        except ImportRefused:
            note(f"broken references: {plan}")
            assert promise.breaks and not promise.conflicts
            assert plan.broken
            assert everything(tool.path) == before
            return
        assert not promise.conflicts and not promise.breaks
        now = content_of(tool.path)
        assert {name: exact(rows) for name, rows in now.items()} == {
            name: exact(rows) for name, rows in promise.rows.items()
        }
        counts = {
            each.name: (each.inserted, each.overwritten, each.removed)
            for each in report.plan.tables
        }
        assert counts == differences(case.now, promise.rows)
        assert report.plan.tables == plan.tables
        if report.outcome == "done" and any(case.now.values()):
            assert report.restore_point is not None
            assert everything(report.restore_point) == before
        else:
            assert report.restore_point is None
        if report.outcome == "nothing to do":
            assert everything(tool.path) == before
        if mode is not ConflictMode.FAIL:
            assert tool.imported(mode).outcome == "nothing to do"
