"""What a plan shows of the rows that would be written: what they hold now, and then."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.cells import shown_cell
from holdfast.model import ShownCell, ShownValue
from holdfast.operations import import_plan
from holdfast.outcomes import ImportReport
from holdfast.reports import text
from holdfast.works import ConflictMode
from tests.conftest import rows, run_sql
from tests.imports.conftest import WRITING_MODES, Tool

NOTES = """
CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT, size, at TEXT);
INSERT INTO t VALUES (1, 'milk', 1, NULL), (2, 'a boat', 2, 'noon'), (3, 'later', 3, x'00');
CREATE TABLE log (line TEXT, photo BLOB);
INSERT INTO log VALUES ('a', x'0102'), ('b', NULL);
"""
CHANGE = """
UPDATE t SET body = 'silk', size = '1' WHERE id = 1; DELETE FROM t WHERE id = 2;
INSERT INTO t VALUES (9, 'new', 9, NULL); DELETE FROM log WHERE line = 'a';
"""


def shown(report: ImportReport) -> list[tuple[Any, ...]]:
    """The rows of a plan with their values, each as its text before and after."""
    return [
        (row.table, row.key, row.action, *map(texts, row.values)) for row in report.plan.rows or ()
    ]


def texts(value: ShownValue) -> tuple[str, str | None, str | None]:
    old, new = (each.text if each else None for each in (value.old, value.new))
    return value.column, old, new


def test_of_a_row_that_is_overwritten_the_columns_that_differ_are_shown_and_of_a_new_one_all(
    tool: Tool,
) -> None:
    report = tool.backed_up(NOTES, CHANGE).imported(yes=False, values=True)
    assert shown(report) == [
        ("log", "a,b'\\x01\\x02'", "insert", ("line", None, "a"), ("photo", None, "")),
        ("t", "1", "change", ("body", "silk", "milk"), ("size", "1", "1")),
        ("t", "2", "insert", ("body", None, "a boat"), ("size", None, "2"), ("at", None, "noon")),
    ]
    lines = text(report).splitlines()
    start = lines.index("    t 1: change")
    assert lines[start : start + 3] == [
        "    t 1: change",
        '        body: "silk" -> "milk"',
        '        size: "1" -> 1',
    ]
    assert "        photo: 2 bytes" in lines
    assert shown(tool.imported(yes=False, rows=True)) == [each[:3] for each in shown(report)]


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_what_is_shown_is_what_is_written(tool: Tool, mode: ConflictMode) -> None:
    change = CHANGE + "UPDATE t SET at = 'x' WHERE id = 1"  # the later one, for newer
    tool.backed_up(NOTES, change)
    if mode is ConflictMode.NEWER:
        run_sql(tool.path, "DELETE FROM t WHERE id = 1")
    before = {row[0]: row for row in tool.rows()}
    report = tool.imported(mode, yes=False, dry_run=True, values=True)
    tool.imported(mode)
    after = {row[0]: row for row in tool.rows()}
    names = ("id", "body", "size", "at")
    found = 0
    for row in report.plan.rows or ():
        for value in row.values if row.table == "t" else ():
            place, number = names.index(value.column), int(row.key)
            assert value.new == shown_cell(after[number][place])  # type: ignore[arg-type]
            old = before.get(number)
            assert value.old == (shown_cell(old[place]) if old else None)  # type: ignore[arg-type]
            found += 1
    assert found >= 3


def test_rows_that_stay_as_they_are_have_no_values(tool: Tool) -> None:
    report = tool.backed_up(NOTES, CHANGE).imported(
        ConflictMode.MERGE, yes=False, dry_run=True, values=True
    )
    assert ("t", "1", "keep") in shown(report)


def test_a_table_that_is_made_and_a_column_that_is_added_are_shown_too(tool: Tool) -> None:
    tool.backed_up(NOTES, "DROP TABLE log; ALTER TABLE t DROP COLUMN size")
    report = tool.imported(
        yes=False, dry_run=True, values=True, create_missing=True, add_columns=True
    )
    assert ("log", "b,None", "insert", ("line", None, "b"), ("photo", None, "")) in shown(report)
    assert ("t", "1", "change", ("size", "", "1")) in shown(report)


def test_of_very_many_rows_and_columns_the_first_are_shown(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_plan, "VALUED_ROWS", 2)
    columns = ", ".join(f"c{number}" for number in range(1_999))
    tool.backed_up(
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns});"
        "INSERT INTO t (id, c0, c1998) VALUES (1, 'x', 'y'), (2, 'x', 'y'), (3, 'x', 'y')",
        "UPDATE t SET c0 = NULL, c1998 = NULL WHERE id = 1; DELETE FROM t WHERE id > 1",
    )
    first, second, third = tool.imported(yes=False, values=True).plan.rows or ()
    assert [value.column for value in first.values] == ["c0", "c1998"]
    assert (len(second.values), second.more_values) == (20, 1_979)
    assert (third.values, third.more_values) == ((), 0)


def test_a_long_text_is_cut(tool: Tool) -> None:
    tool.backed_up(NOTES, "UPDATE t SET body = printf('%.*c', 500, 'x') WHERE id = 1")
    (row,) = tool.imported(yes=False, values=True).plan.rows or ()
    assert row.values[0].old == ShownCell("text", "x" * 200, 300)
    assert rows(tool.path, "SELECT length(body) FROM t WHERE id = 1") == [(500,)]
