"""Rows that both sides have just so are not staged: nothing else of an import changes for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import astuple, replace

from holdfast import readers
from holdfast.database import Connection
from holdfast.errors import BackupDamaged, HoldfastError
from holdfast.formats import open_backup
from holdfast.formats.foreign import header_of, parts_of
from holdfast.formats.interface import BackupFormat, BackupReader
from holdfast.model import Layout
from holdfast.operations import import_ready
from holdfast.operations.import_choice import chosen_for
from holdfast.operations.import_job import ImportOptions, describe_target, opened
from holdfast.operations.import_plan import plan_import
from holdfast.operations.import_ready import Import
from holdfast.outcomes import Plan
from holdfast.sifting import Sieve
from holdfast.uniques import Collisions
from holdfast.works import ConflictMode
from tests.conftest import run_sql
from tests.imports.conftest import Tool, written

HUNDRED = (
    "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 100)"
    " INSERT INTO t SELECT {}, 'row ' || x FROM n;"
)
SIFTED = {
    "INTEGER": "CREATE TABLE t (id INTEGER PRIMARY KEY, x);" + HUNDRED.format("x"),
    "negative": "CREATE TABLE t (id INTEGER PRIMARY KEY, x);" + HUNDRED.format("50 - x"),
    "TEXT": "CREATE TABLE t (id TEXT PRIMARY KEY, x);" + HUNDRED.format("char(200 - x)"),
    "mixed": "CREATE TABLE t (id PRIMARY KEY, x);"
    + HUNDRED.format(
        "CASE x % 4 WHEN 0 THEN x WHEN 1 THEN x + 0.5 WHEN 2 THEN 't' || x ELSE CAST(x AS BLOB) END"
    ),
    "WITHOUT ROWID": "CREATE TABLE t (id TEXT PRIMARY KEY, x) WITHOUT ROWID;"
    + HUNDRED.format("'k' || x"),
    "composite": "CREATE TABLE t (id, x, PRIMARY KEY (x, id));" + HUNDRED.format("x % 7"),
    "odd name": 'CREATE TABLE t ("a""b" INTEGER PRIMARY KEY, id, x);' + HUNDRED.format("x, x"),
}
WHOLE = {
    "no key": "CREATE TABLE t (id, x);" + HUNDRED.format("x"),
    "NOCASE": "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, x);"
    + HUNDRED.format("'k' || x"),
    "key that is NULL": "CREATE TABLE t (id TEXT PRIMARY KEY, x); INSERT INTO t VALUES (NULL, 1);"
    + HUNDRED.format("x"),
    "UTF-16": "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
    + HUNDRED.format("x"),
    "column added": "CREATE TABLE t (id INTEGER PRIMARY KEY, x);" + HUNDRED.format("x"),
    "index that a trigger keeps up": "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
    "CREATE VIRTUAL TABLE found USING fts5 (x); CREATE TRIGGER filled AFTER INSERT ON t BEGIN"
    " INSERT INTO found (rowid, x) VALUES (new.id, new.x); END;" + HUNDRED.format("x"),
}
# Of the hundred, four are not there just so.
CHANGED = (
    "UPDATE t SET x = 'mine' WHERE x = 'row 20'; DELETE FROM t WHERE x IN ('row 1', 'row 50',"
    " 'row 100'); INSERT INTO t (id, x) VALUES (-1000, 'added');"
)
SIFTING_MODES = (ConflictMode.OVERWRITE, ConflictMode.MERGE, ConflictMode.NEWER)


def prepared(tool: Tool, reader: BackupReader | None = None, **options: Any) -> Import:
    wanted = ImportOptions(backup=str(tool.backup), database=str(tool.path), **options)
    with chosen_for(tool._context, wanted) as (found, chosen):
        target = describe_target(tool._context, wanted, chosen)
    reader = reader or open_backup(found.path)
    return Import(tool._context, wanted, found.path, target, reader)


def staged_count(tool: Tool, **options: Any) -> int:
    with prepared(tool, **options).ready() as job:
        (count,) = job.connection.execute("SELECT count(*) FROM staged.t").fetchone()
        return int(count)


@pytest.mark.parametrize("sql", SIFTED.values(), ids=SIFTED)
def test_only_rows_that_differ_are_staged(tool, sql):
    tool.backed_up(sql, CHANGED)
    assert {staged_count(tool, mode=mode) for mode in SIFTING_MODES} == {4}


@pytest.mark.parametrize("sql", WHOLE.values(), ids=WHOLE)
def test_all_rows_are_staged_where_equal_lines_would_not_do(tool, sql):
    change = "ALTER TABLE t ADD COLUMN y;" if sql == WHOLE["column added"] else ""
    tool.backed_up(sql, change + CHANGED)
    with prepared(tool).ready() as job:
        assert [work.table.sifted for work in job.works] == [None]
    assert staged_count(tool) >= 100


@pytest.mark.parametrize("mode", [ConflictMode.CLEAR, ConflictMode.FAIL, ConflictMode.REMAP])
def test_all_rows_are_staged_for_a_mode_that_asks_for_more_than_those_that_differ(tool, mode):
    tool.backed_up(SIFTED["INTEGER"], CHANGED)
    assert staged_count(tool, mode=mode) == 100


@pytest.mark.parametrize("sql", SIFTED.values(), ids=SIFTED)
def test_the_plan_and_its_id_are_as_if_all_rows_had_been_staged(tool, sql, monkeypatch):
    tool.backed_up(sql, CHANGED)

    def plans() -> list[Plan]:
        return [
            replace(tool.imported(mode, yes=False, dry_run=True, rows=True).plan, free_bytes=0)
            for mode in SIFTING_MODES
        ]

    sifted = plans()
    monkeypatch.setattr(import_ready, "_SIFTING", ())
    assert plans() == sifted
    assert all(len(plan.plan_id) == 12 and plan.rows for plan in sifted)


# Several tables, some of which are sifted

MANY = (
    "CREATE TABLE a (id INTEGER PRIMARY KEY, x); CREATE TABLE b (x);"
    "CREATE TABLE c (id TEXT PRIMARY KEY, x REAL); CREATE TABLE d (id INTEGER PRIMARY KEY, x);"
    "INSERT INTO a VALUES (1, 'one'), (2, CAST(x'ff41' AS TEXT)), (3, x'00'), (4, 9e999);"
    "INSERT INTO b VALUES (1), (1);"
    "INSERT INTO c VALUES ('x', -0.0), ('y', 1.5), ('', NULL), ('z', 2.5);"
)


def test_what_the_database_has_beyond_the_backup_is_passed_over_table_by_table(tool, monkeypatch):
    """By readers in other processes, too, which hand the tables over one after the other."""
    monkeypatch.setattr(readers, "_WORTH_IT_BYTES", 0)
    tool.backed_up(
        MANY,
        "INSERT INTO a VALUES (0, 'mine'), (9, 'mine'); UPDATE a SET x = 1 WHERE id = 2;"
        "INSERT INTO b VALUES (2); DELETE FROM c WHERE id = 'y'; INSERT INTO d VALUES (5, 'mine');",
    )
    report = tool.imported()
    assert written(report) == {"a": (0, 1, 0), "c": (1, 0, 0)}
    assert {each.name: each.unchanged for each in report.plan.tables} == {
        "a": 3,
        "b": 2,
        "c": 3,
        "d": 0,
    }
    assert tool.rows("SELECT id, CAST(x AS BLOB) FROM a WHERE id IN (0, 2, 9)") == [
        (0, b"mine"),
        (2, b"\xffA"),
        (9, b"mine"),
    ]
    assert tool.imported().outcome == "nothing to do"


def test_a_row_that_stays_out_of_an_import_is_not_counted_though_it_is_there_just_so(tool):
    """The time of the last backup is the database's own."""
    tool.backed_up(
        "CREATE TABLE contacts (id INTEGER PRIMARY KEY); CREATE TABLE activity_log (id INTEGER);"
        "CREATE TABLE soy_meta (key TEXT PRIMARY KEY, value TEXT);"
        "INSERT INTO soy_meta VALUES ('last_backup_at', 'long ago'), ('schema_version', '23');",
        "UPDATE soy_meta SET value = 'long ago' WHERE key = 'last_backup_at'",
    )
    assert tool.planned()["soy_meta"].unchanged == 1


def test_what_refers_to_one_of_two_rows_is_whole_while_the_other_is_there_just_so(tool):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, code);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, code REFERENCES p (code));"
        "INSERT INTO p VALUES (1, 'b'), (2, 'a');",
        "UPDATE p SET code = 'a' WHERE id = 1; INSERT INTO c VALUES (1, 'a');",
    )
    assert written(tool.imported()) == {"p": (0, 1, 0)}


# The moment at which rows were seen to be equal


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
@pytest.mark.parametrize("options", [{"yes": True}, {"yes": False, "dry_run": True}])
def test_a_row_that_somebody_changes_after_it_was_passed_over_is_not_missed(
    tool, journal_mode, options, monkeypatch
):
    tool.backed_up(f"PRAGMA journal_mode = {journal_mode};" + SIFTED["INTEGER"], CHANGED)
    changes = ["UPDATE t SET x = 'changed meanwhile' WHERE id = 30"]

    def opened_late(*arguments):
        while changes:
            run_sql(tool.path, changes.pop())
        return opened(*arguments)

    monkeypatch.setattr(import_ready, "opened", opened_late)
    report = tool.imported(**options)
    assert written(report) == {"t": (3, 2, 0)}
    if options["yes"]:
        assert tool.rows("SELECT x FROM t WHERE id IN (20, 30)") == [("row 20",), ("row 30",)]


def test_a_program_that_waits_to_write_gets_its_turn_before_the_plan_is_made(tool, monkeypatch):
    """Who has read, and waits for the lock, would keep it waiting; and it keeps the lock."""
    tool.backed_up(SIFTED["INTEGER"], CHANGED)
    # Of the same library: locks of another one in this process would not be seen.
    writer = Connection(os.fspath(tool.path), isolation_level=None, timeout=0)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE t SET x = 'theirs' WHERE id = 40")

    def opened_late(*arguments):
        if writer.in_transaction:
            writer.execute("COMMIT")  # or the database is locked
        return opened(*arguments)

    monkeypatch.setattr(import_ready, "opened", opened_late)
    assert written(tool.imported()) == {"t": (3, 2, 0)}
    writer.close()


# Backups that are not as an export makes them


def handmade(tool: Tool, rows: list[dict[str, Any]]) -> BackupReader:
    """A reader of rows that come in this order, whatever their layout says of it."""
    header = replace(
        header_of("handmade", {}), layout={"t": Layout(columns=("id", "x"), key=("id",))}
    )
    form = BackupFormat(
        name="handmade",
        title="rows made by hand",
        suffix="",
        recognise=lambda _path, _start: False,
        read=lambda _path: parts_of(header, [("t", rows)]),
    )
    return BackupReader(tool.backup, form)


def test_a_key_that_comes_twice_is_a_conflict_though_one_of_its_rows_is_there_just_so(tool):
    tool.backed_up(SIFTED["INTEGER"])
    rows = [{"id": 1, "x": "row 1"}, {"id": 1, "x": "other"}, {"id": 2, "x": "row 2"}]
    with prepared(tool, handmade(tool, rows)).ready() as job:
        [table] = plan_import(job).plan.tables
    assert table.collided == ("t.id: rows 1 and 1 of the backup are one row here",)


def test_rows_in_another_order_than_the_layout_says_are_still_told_by_their_keys(tool):
    tool.backed_up(SIFTED["INTEGER"])
    rows = [{"id": n, "x": f"row {n}"} for n in (7, 100, 3, 2, 500)]
    with prepared(tool, handmade(tool, rows)).ready() as job:
        [table] = plan_import(job).plan.tables
    assert (table.inserted, table.overwritten, table.unchanged) == (1, 0, 4)


@pytest.mark.parametrize("line", [b"{}", b'{"id":2', b'{"id":[2],"x":"row 2"}'])
def test_a_line_that_is_no_row_is_damage_here_too(tool, line):
    tool.backed_up(SIFTED["INTEGER"])
    reader = handmade(tool, [{"id": 1, "x": "row 1"}, {"id": 2, "x": "row 2"}])
    good = reader.format.read

    def bad(path: Path):
        for part in good(path):
            yield part.replace(b'{"id":2,"x":"row 2"}', line) if isinstance(part, bytes) else part

    reader.format = replace(reader.format, read=bad)
    with (
        pytest.raises(BackupDamaged, match="a row of t cannot be read"),
        prepared(tool, reader).ready(),
    ):
        pass


# The proof that rows which were passed over are still as they were


def test_an_import_whose_statements_change_other_rows_is_undone(tool, monkeypatch):
    monkeypatch.setattr(import_ready, "keeps_triggers", lambda _schema: False)
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE VIRTUAL TABLE found USING fts5 (x);"
        "CREATE TRIGGER filled AFTER UPDATE ON t BEGIN"
        " INSERT INTO found (rowid, x) VALUES (new.id + 100, new.x);"
        " UPDATE t SET x = 'by the trigger' WHERE id = 2; END;"
        "INSERT INTO t VALUES (1, 'a'), (2, 'b');",
        "DROP TRIGGER filled; UPDATE t SET x = 'mine' WHERE id = 1;"
        "CREATE TRIGGER filled AFTER UPDATE ON t BEGIN"
        " INSERT INTO found (rowid, x) VALUES (new.id + 100, new.x);"
        " UPDATE t SET x = 'by the trigger' WHERE id = 2; END;",
    )
    tool.refused(HoldfastError, "t: to write its rows changed others", tables=("t",))


def test_an_import_that_a_rule_of_the_database_takes_a_row_for_is_undone(tool, monkeypatch):
    monkeypatch.setattr("holdfast.plans.find_collisions", lambda *_: Collisions(0, ()))
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x UNIQUE ON CONFLICT REPLACE);"
        "INSERT INTO t VALUES (1, 'a'), (2, 'b');",
        "DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (9, 'b');",
    )
    tool.refused(HoldfastError, "t is not as the backup has it after the import")


# Lines alone


def test_what_is_found_counts_equal_new_and_stored_rows():
    there = [b'{"id":1}\n{"id":2}\n', b'{"id":4,"x":0}\n{"id":6}\n']
    sieve = Sieve(["id"], there, None)
    assert sieve.differing(b'{"id":0}\n{"id":2}\n{"id":3}\n') == b'{"id":0}\n{"id":3}\n'
    assert sieve.differing(b'{"id":4,"x":1}\n{"id":5}\n') == b'{"id":4,"x":1}\n{"id":5}\n'
    sieve.end()
    assert astuple(sieve.found) == (4, 1, 3, "")
