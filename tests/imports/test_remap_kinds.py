"""Columns that refer to another table in each row: what they refer to follows, and it alone."""

from __future__ import annotations

import pytest

from holdfast.errors import ImportConflict, ImportRefused
from holdfast.operations.undo_change import UndoOptions, undo_change
from tests.conftest import run_sql
from tests.imports.conftest import REMAP, Machines, Tool, again, written

PROFILE = """
name: tool
title: Tool
recognise: [people, works]
references:
  - {table: &all [log, tagged, pins, slots, parts], columns: [of_id], where: {kind: person},
     parent: people, parent_columns: [id]}
  - {table: *all, columns: [of_id], where: {kind: [work, opus]}, parent: works,
     parent_columns: [id]}
  - {table: *all, columns: [of_id], where: {kind: entry}, parent: log, parent_columns: [id]}
"""
SCHEMA = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name UNIQUE);"
    "CREATE TABLE works (id INTEGER PRIMARY KEY AUTOINCREMENT, title UNIQUE);"
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name UNIQUE);"
    "CREATE TABLE log (id INTEGER PRIMARY KEY, kind TEXT, of_id, text);"
    "CREATE TABLE tagged (kind TEXT, of_id INTEGER, tag INTEGER REFERENCES tags,"
    " PRIMARY KEY (kind, of_id, tag));"
    "CREATE TABLE pins (id INTEGER PRIMARY KEY, kind, of_id INTEGER, x, UNIQUE (kind, of_id));"
    "CREATE TABLE slots (kind, of_id INTEGER, x, PRIMARY KEY (kind, of_id)) WITHOUT ROWID;"
)
# The same numbers on both sides, for other rows.
THERE = (
    "INSERT INTO people VALUES (1, 'bob'), (2, 'ann'); INSERT INTO works VALUES (1, 'new'), (2,"
    " 'both'); INSERT INTO tags VALUES (1, 'red');"
)
HERE = (
    "INSERT INTO people VALUES (1, 'ann'), (2, 'cy'); INSERT INTO works VALUES (1, 'both'), (2,"
    " 'mine'); INSERT INTO tags VALUES (1, 'blue');"
)
# What they come to: people ann 1, cy 2, bob 3; works both 1, mine 2, new 3; tags blue 1, red 2.


def meet(machines: Machines, there: str, here: str = "") -> Tool:
    return machines.meet(SCHEMA, THERE + there, HERE + here, PROFILE)


def test_each_row_goes_on_to_refer_to_the_row_of_its_kind(machines):
    tool = meet(
        machines,
        "INSERT INTO log VALUES (1, 'person', 1, 'bob'), (2, 'work', 1, 'new'), (3, 'opus', 2,"
        " 'both'), (4, 'person', 2, 'ann'), (5, 'person', NULL, 'nobody'), (6, 'Person', 'x', '?');"
        "INSERT INTO tagged VALUES ('person', 1, 1), ('work', 1, 1), ('work', 2, 1);",
        "INSERT INTO log VALUES (1, 'person', 2, 'cy'), (2, 'work', 1, 'both');"
        "INSERT INTO tagged VALUES ('person', 1, 1);",
    )
    report = tool.imported(REMAP)
    assert report.warnings == ()
    assert tool.rows("SELECT * FROM log WHERE id > 2") == [
        (3, "person", 3, "bob"),
        (4, "work", 3, "new"),
        (5, "opus", 1, "both"),
        (6, "person", 1, "ann"),
        (7, "person", None, "nobody"),
        (8, "Person", "x", "?"),
    ]
    assert tool.rows("SELECT * FROM tagged ORDER BY 1, 2, 3") == [
        ("person", 1, 1),
        ("person", 3, 2),
        ("work", 1, 2),
        ("work", 3, 2),
    ]
    again(tool)


def test_an_undo_takes_them_out_again(machines):
    tool = meet(machines, "INSERT INTO log VALUES (1, 'person', 1, 'bob');")
    before = tool.everything()
    tool.imported(REMAP)
    assert tool.rows("SELECT of_id FROM log") == [(3,)]
    undo_change(machines.context, UndoOptions(database=str(tool.path), yes=True))
    assert tool.everything() == before


def test_text_that_is_the_number_of_a_row_follows_it_as_text(machines):
    schema = SCHEMA.replace("of_id, text", "of_id TEXT, text")
    there = THERE + "INSERT INTO log VALUES (1, 'person', '1', 'bob'), (2, 'else', 'one', '');"
    tool = machines.meet(schema, there, HERE, PROFILE)
    tool.imported(REMAP)
    assert tool.rows("SELECT of_id, typeof(of_id) FROM log") == [("3", "text"), ("one", "text")]
    again(tool)


def test_a_number_of_a_kind_that_nothing_declares_is_warned_of_and_0_is_not(machines):
    tool = meet(
        machines,
        "INSERT INTO log VALUES (1, 'system', 0, ''), (2, 'person', 1, '');"
        "INSERT INTO tagged VALUES ('room', 7, 1);",
    )
    [warning] = tool.imported(REMAP).warnings
    assert warning.startswith("tagged.of_id: numbers that may refer to rows")
    assert tool.rows("SELECT of_id FROM log") == [(0,), (3,)]
    assert tool.rows("SELECT of_id FROM tagged") == [(7,)]


def test_without_the_column_of_kinds_no_number_is_taken_for_a_reference(machines):
    tool = meet(machines, "ALTER TABLE log DROP COLUMN kind; INSERT INTO log VALUES (1, 1, 'x');")
    [warning] = tool.imported(REMAP).warnings
    assert warning.startswith("log.of_id: numbers that may refer to rows")
    assert tool.rows("SELECT * FROM log") == [(1, None, 1, "x")]


def test_what_must_be_unique_names_a_row_where_its_number_is_of_a_declared_kind(machines):
    tool = meet(
        machines,
        "INSERT INTO pins VALUES (1, 'person', 2, 'there'), (2, 'room', 'x', 'there');",
        "INSERT INTO pins VALUES (1, 'person', 2, 'cy'), (2, 'person', 1, 'here'), (3, 'room', 'x',"
        " 'here');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM pins") == [
        (1, "person", 2, "cy"),
        (2, "person", 1, "there"),
        (3, "room", "x", "there"),
    ]
    again(tool)


def test_a_key_of_a_kind_and_a_number_names_the_row_of_the_row_that_it_refers_to(machines):
    tool = meet(
        machines,
        "INSERT INTO slots VALUES ('person', 2, 'there'), ('person', 1, 'there');",
        "INSERT INTO slots VALUES ('person', 1, 'ann'), ('person', 2, 'cy');",
    )
    assert written(tool.imported(REMAP))["slots"] == (1, 1, 0)
    assert tool.rows("SELECT * FROM slots") == [
        ("person", 1, "there"),
        ("person", 2, "cy"),
        ("person", 3, "there"),
    ]
    again(tool)


@pytest.mark.parametrize(
    ("table", "match"),
    [("pins (kind, of_id, x)", "pins.kind, of_id = room,5"), ("slots", "a number in their key")],
)
def test_a_number_of_another_kind_names_no_row(machines, table, match):
    insert = f"INSERT INTO {table} VALUES ('room', 5, '"
    tool = meet(machines, f"{insert}there');", f"{insert}here');")
    tool.refused(ImportConflict, match, REMAP)
    run_sql(tool.path, f"UPDATE {table.split()[0]} SET x = 'there'")
    assert tool.imported(REMAP).outcome == "done"
    again(tool)


def test_a_new_number_is_none_that_a_row_of_that_kind_refers_to_though_it_is_gone(machines):
    tool = meet(
        machines,
        "",
        "INSERT INTO log VALUES (1, 'person', 3, ''), (2, 'person', '5', ''), (3, 'person', '7x',"
        " ''), (4, 'work', 90, ''), (5, 'room', 800, '');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM people WHERE name = 'bob'") == [(6, "bob")]
    assert tool.rows("SELECT * FROM works WHERE title = 'new'") == [(91, "new")]


def test_entries_about_each_other_in_a_circle_come_in_once(machines):
    entries = "(1, 'entry', 2, 'a'), (2, 'entry', 1, 'b'), (3, 'entry', 2, 'c'),"
    tool = meet(
        machines,
        f"INSERT INTO log VALUES {entries} (4, 'person', 1, 'd'), (5, 'entry', 4, 'e'),"
        " (6, 'entry', 6, 'own');",
        "INSERT INTO log VALUES (1, 'person', 1, 'ann'), (2, 'entry', 1, 'of ann');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM log WHERE id > 2") == [
        (3, "entry", 4, "a"),
        (4, "entry", 3, "b"),
        (5, "entry", 4, "c"),
        (6, "person", 3, "d"),
        (7, "entry", 6, "e"),
        (8, "entry", 8, "own"),
    ]
    again(tool)


def test_a_circle_through_a_table_with_rows_of_several_kinds_is_found_again(machines):
    # A row of the circle beside one that has the same number for another kind.
    schema = SCHEMA.replace("title UNIQUE", "title, log INTEGER REFERENCES log")
    tool = machines.meet(
        schema,
        "INSERT INTO works VALUES (1, 'a', 1), (2, 'b', 2); INSERT INTO people VALUES (1, 'bob');"
        "INSERT INTO log VALUES (1, 'work', 1, 'x'), (2, 'work', 2, 'x'), (3, 'person', 1, 'x');",
        "INSERT INTO works VALUES (1, 'z', NULL); INSERT INTO people VALUES (1, 'ann');"
        "INSERT INTO log VALUES (1, 'person', 1, 'x');",
        PROFILE,
    )
    assert written(tool.imported(REMAP)) == {
        "people": (1, 0, 0),
        "works": (2, 0, 0),
        "log": (3, 0, 0),
    }
    assert tool.rows("SELECT id, log FROM works") == [(1, None), (2, 2), (3, 3)]
    assert tool.rows("SELECT id, kind, of_id FROM log WHERE id > 1") == [
        (2, "work", 2),
        (3, "work", 3),
        (4, "person", 2),
    ]
    again(tool)


# References that lead nowhere


GONE = (
    "INSERT INTO log VALUES (1, 'person', 2, 'of ann'), (2, 'person', 9, 'gone'), (3, 'person', 1,"
    " 'of one who is gone'), (4, 'entry', 3, 'about that'), (5, 'work', 7, 'gone');"
    "DELETE FROM people WHERE id = 1;"
)


def test_what_leads_nowhere_is_left_out_where_its_number_is_or_may_become_another_row(machines):
    tool = meet(machines, GONE, "INSERT INTO works VALUES (8, 'last');")
    report = tool.imported(REMAP)
    # Person 1 is Ann here, and 9 is yet to come; work 7 was here, and never will be again.
    assert tool.rows("SELECT kind, of_id, text FROM log") == [
        ("person", 1, "of ann"),
        ("work", 7, "gone"),
    ]
    assert report.warnings == (
        "3 rows of log are left out: they refer by number, or through others, to rows that the"
        " backup lacks, and that are other rows here.",
        "1 of log to works: what these rows refer to is not there. The database does not mind.",
    )
    again(tool)


def test_what_leads_nowhere_comes_along_into_an_empty_database_and_home(machines):
    tool = machines.meet(SCHEMA, THERE + GONE, "", PROFILE)
    assert written(tool.imported(REMAP))["log"] == (5, 0, 0)
    assert tool.rows("SELECT id, of_id FROM log") == [(1, 2), (2, 9), (3, 1), (4, 3), (5, 7)]
    again(tool)


def test_rows_whose_tables_do_not_come_along_are_refused(machines):
    tool = meet(machines, "INSERT INTO log VALUES (1, 'person', 1, 'x'), (2, 'work', 2, 'x');")
    tool.refused(ImportRefused, "1 rows of log refer by number.*people", REMAP, tables=("log",))
    tables = ("log", "people")
    tool.refused(ImportRefused, "1 rows of log refer by number.*works", REMAP, tables=tables)
    tool.imported(REMAP, tables=(*tables, "works"))
    assert tool.rows("SELECT of_id FROM log") == [(3,), (1,)]
