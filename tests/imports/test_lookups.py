"""No row is looked for by reading a whole table: keys and references are found by index."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from holdfast import files
from holdfast.formats import open_backup
from holdfast.operations.import_change import carry_out
from holdfast.operations.import_choice import chosen_for
from holdfast.operations.import_job import (
    ImportJob,
    ImportOptions,
    describe_target,
    find_works,
    opened,
    stage,
)
from holdfast.operations.import_plan import plan_import
from holdfast.works import ConflictMode
from tests.imports.conftest import MODES

KEYED = {
    "INTEGER": "CREATE TABLE t (id INTEGER PRIMARY KEY, x, updated_at);",
    "TEXT": "CREATE TABLE t (id TEXT PRIMARY KEY, x, updated_at);",
    "NOCASE": "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, x, updated_at);",
    "untyped": "CREATE TABLE t (id PRIMARY KEY, x, updated_at);",
    "composite": "CREATE TABLE t (id INT, x TEXT, updated_at, PRIMARY KEY (x, id));",
    "WITHOUT ROWID": "CREATE TABLE t (id TEXT PRIMARY KEY, x, updated_at) WITHOUT ROWID;",
    "composite WITHOUT ROWID": "CREATE TABLE t (id, x, updated_at,"
    " PRIMARY KEY (id, x)) WITHOUT ROWID;",
}
REFERRING = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE);"
    "CREATE TABLE c (id TEXT PRIMARY KEY, p REFERENCES p, code REFERENCES p (code));"
    "CREATE INDEX c_p ON c (p); CREATE INDEX c_code ON c (code);"
)
ROWS = "INSERT INTO t VALUES (1, 'a', 5), (2, 'b', 5), (3, 'c', 5);"
CHANGED = (
    "DELETE FROM t WHERE x = 'a'; UPDATE t SET updated_at = 4 WHERE x = 'b';"
    "INSERT INTO t VALUES (9, 'added', 5);"
)
REFERRING_ROWS = (
    "INSERT INTO p VALUES (1, 'one'), (2, 'two'); INSERT INTO c VALUES ('k', 1, 'one');"
)
# The steps that read a table of rows: staged (s, p), the target's (m, c), or one by its name.
_READ = re.compile(r"(SCAN|SEARCH) (\w+|\$\w+)(.*)")


def plans_of(tool, mode, monkeypatch):
    """
    Import, and return how SQLite found the rows for each statement: (statement, steps).

    A step is its number, that of the step it belongs to, and SQLite's own words for it.
    """
    options = ImportOptions(
        backup=str(tool.backup), database=str(tool.path), mode=mode, confirm="any"
    )
    statements: list[str] = []
    chosen_backup = chosen_for(tool._context, options)
    with files.scratch_folder() as folder, chosen_backup as (found, chosen):
        path = found.path
        target = describe_target(tool._context, options, chosen)
        staging = stage(options, open_backup(path), target, folder)
        with opened(target, staging, options) as connection:
            connection.set_trace_callback(statements.append)
            works = find_works(connection, options, target, staging)
            job = ImportJob(tool._context, options, path, target, staging, connection, works)
            report = plan_import(job)
            agreed = ImportOptions(
                backup=options.backup, database=options.database, mode=mode, yes=True
            )
            if not report.plan.conflict_count:
                monkeypatch.setattr("holdfast.database.commit", lambda _: None)
                carry_out(
                    ImportJob(tool._context, agreed, path, target, staging, connection, works),
                    report,
                )
            connection.set_trace_callback(None)
            return [(each, explained(connection, each)) for each in map(bare, statements) if each]


def bare(statement):
    """The part of a statement that finds rows; "" for one that finds none."""
    statement = re.sub(r"(?s)^CREATE TABLE \S+ AS ", "", statement)
    known = re.match(r"(SELECT|INSERT INTO|UPDATE|DELETE|WITH)\b", statement)
    return statement if known and "VALUES" not in statement else ""


def explained(connection, statement):
    return [
        (number, parent, detail)
        for number, parent, _, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]


def repeated_scans(steps):
    """The tables that are read whole for each row of another."""
    by_number = {number: (parent, detail) for number, parent, detail in steps}
    found: list[str] = []
    seen: dict[int, int] = defaultdict(int)
    for _, parent, detail in steps:
        match = _READ.match(detail)
        if not match or "VIRTUAL TABLE" in detail:
            continue
        nested = seen[parent] > 0
        # A subquery that is not correlated is run once.
        within = ""
        above = parent
        while above in by_number and "SUBQUERY" not in within:
            above, within = by_number[above]
        correlated = within.startswith("CORRELATED")
        if match[1] == "SCAN" and (nested or correlated):
            found.append(detail)
        seen[parent] += 1
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("table", KEYED.values(), ids=KEYED)
def test_rows_with_a_key_are_looked_for_by_it(tool, table, mode, monkeypatch):
    change = "DELETE FROM t" if mode is ConflictMode.FAIL else CHANGED
    tool.backed_up(table + ROWS, change)
    plans = plans_of(tool, mode, monkeypatch)
    assert len(plans) > 5
    assert any("SEARCH m USING" in detail for _, steps in plans for *_, detail in steps)
    slow = {each: repeated_scans(steps) for each, steps in plans if repeated_scans(steps)}
    assert slow == {}


@pytest.mark.parametrize("mode", MODES)
def test_what_rows_refer_to_is_looked_for_by_an_index(tool, mode, monkeypatch):
    tool.backed_up(
        REFERRING + REFERRING_ROWS,
        "DELETE FROM c; DELETE FROM p;"
        + ("" if mode is ConflictMode.FAIL else "INSERT INTO p VALUES (3, 'x');"),
    )
    plans = plans_of(tool, mode, monkeypatch)
    slow = {each: repeated_scans(steps) for each, steps in plans if repeated_scans(steps)}
    assert slow == {}
