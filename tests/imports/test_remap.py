"""Two machines' databases become one: rows come in as new, and what they refer to follows."""

from __future__ import annotations

import pytest

from holdfast.errors import ImportConflict, ImportRefused, PlanChanged
from holdfast.operations.undo_change import UndoOptions, undo_change
from tests.conftest import run_sql
from tests.imports.conftest import REMAP, again, written

CRM = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT);"
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT UNIQUE);"
    "CREATE TABLE tagged (tag INTEGER REFERENCES tags, person INTEGER REFERENCES people"
    " ON DELETE CASCADE, PRIMARY KEY (tag, person));"
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES people (id),"
    " text);"
)


def test_rows_of_two_machines_stand_side_by_side_and_keep_their_children(machines):
    tool = machines.meet(
        CRM,
        "INSERT INTO people VALUES (1, 'bob@x', 'Bob'), (2, 'ann@x', 'Ann B.');"
        "INSERT INTO tags VALUES (1, 'vip'), (2, 'new');"
        "INSERT INTO tagged VALUES (1, 1), (2, 1), (1, 2);"
        "INSERT INTO notes VALUES (1, 1, 'of bob'), (2, 2, 'of ann'), (3, 2, 'of ann');",
        "INSERT INTO people VALUES (1, 'ann@x', 'Ann'), (5, 'cy@x', 'Cy');"
        "INSERT INTO tags VALUES (2, 'vip'); INSERT INTO tagged VALUES (2, 1);"
        "INSERT INTO notes VALUES (1, 5, 'of cy');",
    )
    report = tool.imported(REMAP)
    assert tool.rows("SELECT * FROM people") == [
        (1, "ann@x", "Ann B."),
        (5, "cy@x", "Cy"),
        (6, "bob@x", "Bob"),
    ]
    assert tool.rows("SELECT * FROM tags") == [(2, "vip"), (3, "new")]
    assert tool.rows("SELECT * FROM tagged ORDER BY 1, 2") == [(2, 1), (2, 6), (3, 6)]
    assert tool.rows("SELECT * FROM notes") == [
        (1, 5, "of cy"),
        (2, 6, "of bob"),
        (3, 1, "of ann"),
        (4, 1, "of ann"),
    ]
    assert written(report) == {
        "people": (1, 1, 0),
        "tags": (1, 0, 0),
        "tagged": (2, 0, 0),
        "notes": (3, 0, 0),
    }
    again(tool)


def test_an_undo_takes_the_new_rows_out_again(machines):
    tool = machines.meet(
        CRM, "INSERT INTO people VALUES (1, 'a', 'A');", "INSERT INTO people VALUES (1, 'b', 'B');"
    )
    before = tool.everything()
    tool.imported(REMAP)
    assert len(tool.rows("SELECT * FROM people")) == 2
    undo_change(machines.context, UndoOptions(database=str(tool.path), yes=True))
    assert tool.everything() == before


def test_the_plan_that_was_shown_is_the_one_that_is_confirmed(machines):
    tool = machines.meet(
        CRM,
        "INSERT INTO people VALUES (1, 'a', 'A'); INSERT INTO notes VALUES (1, 1, 'x');",
        "INSERT INTO people VALUES (1, 'b', 'B');",
    )
    plan = tool.imported(REMAP, yes=False, rows=True).plan
    assert [(row.table, row.action, row.key) for row in plan.rows or ()] == [
        ("people", "insert", "1 -> 2"),
        ("notes", "insert", "1"),
    ]
    tool.imported(REMAP, yes=False, confirm=plan.plan_id)
    assert tool.rows("SELECT * FROM notes") == [(1, 2, "x")]


def test_a_plan_whose_new_numbers_would_be_others_is_no_longer_that_plan(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
    tool = machines.meet(schema, "INSERT INTO t VALUES (1, 'b');", "INSERT INTO t VALUES (1, 'a');")
    plan = tool.imported(REMAP, yes=False).plan
    run_sql(tool.path, "INSERT INTO t VALUES (9, 'c'); DELETE FROM t WHERE id = 9;")
    tool.refused(PlanChanged, plan.plan_id, REMAP, yes=False, confirm=plan.plan_id)


def test_into_an_empty_database_rows_come_as_they_are_and_so_do_the_marks(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
    there = "INSERT INTO t VALUES (7, 'a'), (90, 'gone'); DELETE FROM t WHERE id = 90;"
    tool = machines.meet(schema, there, "")
    tool.imported(REMAP)
    assert tool.rows() == [(7, "a")]
    assert tool.rows("SELECT seq FROM sqlite_sequence") == [(90,)]
    again(tool)


def test_a_backup_comes_home_to_its_own_database_without_a_change(tool):
    tool.backed_up(
        CRM + "INSERT INTO people VALUES (3, NULL, 'A'), (4, NULL, 'A');"
        "INSERT INTO notes VALUES (1, 3, 'x'), (2, 4, 'x'), (3, 4, 'x');"
    )
    assert tool.imported(REMAP).outcome == "nothing to do"


def test_a_fresh_number_was_never_used_before(machines):
    schema = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, t REFERENCES t);"
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x); CREATE TABLE d (p REFERENCES p);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'there'); INSERT INTO p VALUES (1, 'there');",
        "INSERT INTO t VALUES (1, 'here'), (40, 'gone'); DELETE FROM t WHERE id = 40;"
        "INSERT INTO p VALUES (1, 'here'); INSERT INTO d VALUES (2);",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM t") == [(1, "here"), (41, "there")]
    # 2 is what a child refers to whose parent was lost: a stranger must not come by it.
    assert tool.rows("SELECT * FROM p") == [(1, "here"), (3, "there")]


def test_no_number_left_is_said_and_nothing_is_done(machines):
    tool = machines.meet(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x);",
        "INSERT INTO t VALUES (1, 'a'), (2, 'b');",
        f"INSERT INTO t VALUES ({2**63 - 2}, 'last but one');",
    )
    error = tool.refused(ImportRefused, "t has no 2 numbers left", REMAP)
    assert error.hint


def test_a_tree_comes_in_level_by_level_with_its_own_branches(machines):
    schema = (
        "CREATE TABLE f (id INTEGER PRIMARY KEY, up INTEGER REFERENCES f, name TEXT,"
        " UNIQUE (up, name));"
    )
    tool = machines.meet(
        schema,
        # Children before their parents; one branch is known, the same names are elsewhere too.
        "INSERT INTO f VALUES (1, 9, 'a'), (2, 1, 'a'), (3, 2, 'b'), (9, NULL, 'root');",
        "INSERT INTO f VALUES (1, NULL, 'root'), (2, 1, 'a'), (3, 1, 'b'), (9, 3, 'a');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM f") == [
        (1, None, "root"),
        (2, 1, "a"),
        (3, 1, "b"),
        (9, 3, "a"),
        (10, 2, "a"),
        (11, 10, "b"),
    ]
    again(tool)


def test_rows_that_refer_to_each_other_in_a_circle_come_in_once(machines):
    schema = (
        "CREATE TABLE talks (id INTEGER PRIMARY KEY, title, last INTEGER REFERENCES messages);"
        "CREATE TABLE messages (id INTEGER PRIMARY KEY, talk INTEGER NOT NULL REFERENCES talks,"
        " reply_to INTEGER REFERENCES messages, text);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO talks VALUES (1, 'one', 3), (2, 'two', NULL);"
        "INSERT INTO messages VALUES (1, 1, NULL, 'hi'), (2, 1, 1, 'ho'), (3, 1, 2, 'hi');",
        "INSERT INTO talks VALUES (1, 'mine', 1); INSERT INTO messages VALUES (1, 1, NULL, 'hi');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM talks") == [(1, "mine", 1), (2, "one", 4), (3, "two", None)]
    assert tool.rows("SELECT * FROM messages") == [
        (1, 1, None, "hi"),
        (2, 2, None, "hi"),
        (3, 2, 2, "ho"),
        (4, 2, 3, "hi"),
    ]
    again(tool)


def test_a_row_that_refers_to_itself_still_does(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, me INTEGER REFERENCES t, x);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 1, 'own'), (2, 3, 'two'), (3, 2, 'three'), (4, 3, 'tail');",
        "INSERT INTO t VALUES (1, NULL, 'here');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM t") == [
        (1, None, "here"),
        (2, 2, "own"),
        (3, 4, "two"),
        (4, 3, "three"),
        (5, 4, "tail"),
    ]
    again(tool)


def test_rows_without_a_name_are_told_by_all_they_hold_as_often_as_they_occur(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, x, y); CREATE TABLE k (x, t REFERENCES t);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 1, NULL), (2, 1, NULL), (3, 1.0, NULL), (4, 'é', x'00');"
        "INSERT INTO k VALUES (1, 2), (1, 2), (1, 4);",
        "INSERT INTO t VALUES (7, 1, NULL), (8, 'é', x'00'); INSERT INTO k VALUES (1, 8), (2, 7);",
    )
    report = tool.imported(REMAP)
    assert written(report) == {"t": (2, 0, 0), "k": (2, 0, 0)}
    assert tool.rows("SELECT id, x, typeof(x) FROM t") == [
        (7, 1, "integer"),
        (8, "é", "text"),
        (9, 1, "integer"),
        (10, 1.0, "real"),
    ]
    assert tool.rows("SELECT x, t FROM k ORDER BY 1, 2") == [(1, 8), (1, 9), (1, 9), (2, 7)]
    again(tool)


@pytest.mark.parametrize("table", ["", "WITHOUT ROWID", "STRICT"])
def test_a_text_key_is_the_same_everywhere(machines, table):
    schema = (
        f"CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, x TEXT) {table};"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, t TEXT REFERENCES t);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES ('task-1a', 'there'), ('task-2b', 'new');"
        "INSERT INTO c VALUES (1, 'task-2b');",
        "INSERT INTO t VALUES ('task-1a', 'here'); INSERT INTO c VALUES (1, 'task-1a');",
    )
    tool.imported(REMAP)
    assert tool.rows() == [("task-1a", "there"), ("task-2b", "new")]
    assert tool.rows("SELECT * FROM c") == [(1, "task-1a"), (2, "task-2b")]
    again(tool)


def test_a_row_of_another_text_key_is_known_by_its_unique_name_and_its_children_follow(machines):
    schema = (
        "CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT UNIQUE COLLATE NOCASE);"
        "CREATE TABLE t (tag TEXT REFERENCES tags, x);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO tags VALUES ('01THERE', 'URGENT'); INSERT INTO t VALUES ('01THERE', 1);",
        "INSERT INTO tags VALUES ('01HERE', 'urgent');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM tags") == [("01HERE", "URGENT")]
    assert tool.rows("SELECT * FROM t") == [("01HERE", 1)]
    again(tool)


def test_composite_keys_follow_and_several_references_may_share_a_column(machines):
    schema = (
        "CREATE TABLE o (id INTEGER PRIMARY KEY, name UNIQUE);"
        "CREATE TABLE a (o INTEGER REFERENCES o, n INTEGER, x, PRIMARY KEY (o, n)) WITHOUT ROWID;"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, o INTEGER REFERENCES o, from_n, to_n, UNIQUE (o,"
        " id), FOREIGN KEY (o, from_n) REFERENCES a (o, n), FOREIGN KEY (o, to_n) REFERENCES a);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO o VALUES (1, 'new'), (2, 'known');"
        "INSERT INTO a VALUES (1, 1, 'x'), (1, 2, 'x'), (2, 1, 'changed');"
        "INSERT INTO b VALUES (1, 1, 1, 2), (2, 2, 1, 1);",
        "INSERT INTO o VALUES (1, 'known'); INSERT INTO a VALUES (1, 1, 'was'), (1, 2, 'here');"
        "INSERT INTO b VALUES (1, 1, 2, NULL);",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM a ORDER BY 1, 2") == [
        (1, 1, "changed"),
        (1, 2, "here"),
        (2, 1, "x"),
        (2, 2, "x"),
    ]
    assert tool.rows("SELECT * FROM b") == [(1, 1, 2, None), (2, 2, 1, 2), (3, 1, 1, 1)]
    again(tool)


def test_a_row_that_extends_another_follows_it(machines):
    schema = (
        "CREATE TABLE p (id INTEGER PRIMARY KEY, mail UNIQUE);"
        "CREATE TABLE details (p INTEGER PRIMARY KEY REFERENCES p, x);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO p VALUES (1, 'b'), (2, 'a'); INSERT INTO details VALUES (1, 'b'), (2, 'a');",
        "INSERT INTO p VALUES (1, 'a'), (2, 'c'); INSERT INTO details VALUES (1, '?'), (2, 'c');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM details") == [(1, "a"), (2, "c"), (3, "b")]
    again(tool)


def test_references_to_unique_columns_stay_with_their_rows(machines):
    schema = (
        "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, code TEXT REFERENCES p (code));"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO p VALUES (1, 'b'); INSERT INTO c VALUES (1, 'b');",
        "INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 'a');",
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM c") == [(1, "a"), (2, "b")]
    again(tool)


@pytest.mark.parametrize("column", ["uid TEXT UNIQUE", "UUID UNIQUE", "guid", "ulid TEXT"])
def test_rows_of_two_worldwide_ids_are_two_rows_though_another_value_collides(machines, column):
    schema = f"CREATE TABLE t (id INTEGER PRIMARY KEY, short UNIQUE, {column}, x);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'x7', 'B', 'b');",
        "INSERT INTO t VALUES (1, 'x7', 'A', 'a');",
    )
    tool.refused(ImportConflict, "t.short = x7", REMAP)


@pytest.mark.parametrize("index", ["state) WHERE state = 'open'", "lower(state)"])
def test_a_unique_index_of_some_rows_or_of_an_expression_names_no_row(machines, index):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, state, x); CREATE UNIQUE INDEX i ON t ("
    schema += index + (");" if "lower" in index else ";")
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'open', 'there');",
        "INSERT INTO t VALUES (1, 'open', 'here');",
    )
    tool.refused(ImportConflict, "index i of t .* = open", REMAP)


def test_one_row_that_two_constraints_give_two_matches_is_a_conflict(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, email UNIQUE, slug UNIQUE);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (9, 'a@x', 'b');",
        "INSERT INTO t VALUES (1, 'a@x', 'a'), (2, 'b@x', 'b');",
    )
    tool.refused(ImportConflict, "t.slug = b", REMAP)


def test_two_rows_that_match_one_row_are_a_conflict(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, email UNIQUE, slug UNIQUE);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (8, 'a@x', NULL), (9, NULL, 'a');",
        "INSERT INTO t VALUES (1, 'a@x', 'a');",
    )
    tool.refused(ImportConflict, "database that several rows of the backup match: 1", REMAP)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ("id INTEGER PRIMARY KEY, kind, n INTEGER UNIQUE, x", "t.n = 1"),
        ("id INTEGER PRIMARY KEY, kind, n INTEGER, x, UNIQUE (kind, n)", "t.kind, n = note,1"),
        ("id INTEGER, kind, n INTEGER, x, PRIMARY KEY (kind, n)", "a number in their key.*note,1"),
    ],
)
def test_a_number_that_is_unique_on_each_machine_names_no_row(machines, columns, match):
    schema = f"CREATE TABLE t ({columns});"
    here = "INSERT INTO t VALUES (1, 'note', 1, 'here');"
    tool = machines.meet(schema, "INSERT INTO t VALUES (1, 'note', 1, 'there');", here)
    error = tool.refused(ImportConflict, match, REMAP)
    assert "natural_keys" in error.hint
    run_sql(tool.path, "UPDATE t SET x = 'there', id = 1;")
    assert tool.imported(REMAP).outcome == "nothing to do"


def test_a_number_names_a_row_beside_the_row_that_it_belongs_to_in_a_key_alone(machines):
    schema = (
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name UNIQUE);"
        "CREATE TABLE t (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p, n, x, UNIQUE (p, n));"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO p VALUES (1, 'a'); INSERT INTO t VALUES (1, 1, 1, 'there'), (2, 1, 'b', 'b');",
        "INSERT INTO p VALUES (5, 'a'); INSERT INTO t VALUES (1, 5, 1, 'here'), (2, 5, 'b', 'c');",
    )
    tool.refused(ImportConflict, "t.p, n = 5,1: row 1 of the backup, row 1", REMAP)
    run_sql(tool.path, "UPDATE t SET n = 9 WHERE id = 1;")
    assert written(tool.imported(REMAP)) == {"t": (1, 1, 0)}
    again(tool)


PROFILE = """
name: tool
title: Tool
recognise: [issues, tags]
natural_keys:
  issues: [uid]
  TAGS: [name]
  schema_version: [version]
"""
TRACKER = (
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE issues (id INTEGER PRIMARY KEY, uid TEXT, short UNIQUE, tag INTEGER"
    " REFERENCES tags, parent INTEGER REFERENCES issues);"
    "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, at);"
)


def test_a_profile_names_rows_where_the_schema_does_not(machines):
    tool = machines.meet(
        TRACKER,
        "INSERT INTO tags VALUES (1, 'x'), (2, 'y');"
        "INSERT INTO issues VALUES (1, 'A', 1, 2, NULL), (2, 'B', 2, 1, 1);"
        "INSERT INTO schema_version VALUES (1, 'then'), (2, 'then');",
        "INSERT INTO tags VALUES (1, 'y');"
        "INSERT INTO issues VALUES (1, 'Z', 9, 1, NULL), (2, 'A', 1, NULL, NULL);"
        "INSERT INTO schema_version VALUES (1, 'then');",
        PROFILE,
    )
    tool.imported(REMAP)
    assert tool.rows("SELECT * FROM tags") == [(1, "y"), (2, "x")]
    assert tool.rows("SELECT * FROM issues") == [
        (1, "Z", 9, 1, None),
        (2, "A", 1, 1, None),
        (3, "B", 2, 2, 2),
    ]
    assert tool.rows("SELECT * FROM schema_version") == [(1, "then"), (2, "then")]
    again(tool)


@pytest.mark.parametrize(
    ("there", "here", "match"),
    [
        ("(1, 'x'), (2, 'x')", "(1, 'z')", "backup with one and the same name: x"),
        ("(5, 'x')", "(1, 'x'), (2, 'x')", "match several rows of the database: 5"),
    ],
)
def test_a_natural_key_that_names_two_rows_is_a_conflict(machines, there, here, match):
    tool = machines.meet(
        TRACKER,
        f"INSERT INTO tags VALUES {there};",
        f"INSERT INTO tags VALUES {here};",
        PROFILE,
    )
    error = tool.refused(ImportConflict, match, REMAP)
    assert "natural_keys" in error.hint


def test_a_reference_by_number_to_rows_that_do_not_come_along_is_refused(machines):
    tool = machines.meet(
        CRM,
        "INSERT INTO people VALUES (1, 'a', 'A'); INSERT INTO notes VALUES (1, 1, 'x');",
        "INSERT INTO people VALUES (1, 'b', 'B');",
    )
    tool.refused(ImportRefused, "1 rows of notes refer by number", REMAP, tables=("notes",))
    # That one is broken in the backup itself: here it would be somebody else's.
    tool = machines.meet(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p);",
        "INSERT INTO c VALUES (1);",
        "INSERT INTO p VALUES (1);",
    )
    tool.refused(ImportRefused, "1 rows of c refer by number", REMAP)


def test_numbers_that_nothing_declares_as_references_are_warned_of(machines):
    schema = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
        "CREATE TABLE log (id INTEGER PRIMARY KEY, entity_type, entity_id INTEGER, ownerId, rapid);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'a'); INSERT INTO log VALUES (1, 't', 1, 2, 3);",
        "INSERT INTO t VALUES (1, 'b');",
    )
    [warning] = tool.imported(REMAP).warnings
    assert warning.startswith("log.entity_id, ownerId: numbers that may refer to rows")
    assert warning.endswith("may mean other rows here.")
    assert tool.imported(REMAP).outcome == "nothing to do"


@pytest.mark.parametrize(("target_id", "warnings"), [("1", 1), ("2", 0), ("01", 0), ("x", 0)])
def test_text_that_is_the_number_which_a_row_had_is_warned_of_and_no_other(
    machines, target_id, warnings
):
    tool = machines.meet(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
        "CREATE TABLE log (uid TEXT PRIMARY KEY, target_id TEXT);",
        f"INSERT INTO t VALUES (1, 'a'); INSERT INTO log VALUES ('u', '{target_id}');",
        "INSERT INTO t VALUES (1, 'b');",
    )
    assert len(tool.imported(REMAP).warnings) == warnings


def test_full_text_indexes_find_new_rows_under_their_new_numbers(machines):
    schema = (
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text);"
        "CREATE VIRTUAL TABLE outer_index USING fts5 (text, content=notes, content_rowid=id);"
        "CREATE TABLE plain (text);"
        "CREATE VIRTUAL TABLE plain_index USING fts5 (text, content=plain);"
        "CREATE VIRTUAL TABLE filled USING fts5 (text, content='');"
        "CREATE TRIGGER fill AFTER INSERT ON notes BEGIN"
        " INSERT INTO filled (rowid, text) VALUES (new.id, new.text);"
        " INSERT INTO outer_index (rowid, text) VALUES (new.id, new.text); END;"
        "CREATE TRIGGER fill_plain AFTER INSERT ON plain BEGIN"
        " INSERT INTO plain_index (rowid, text) VALUES (new.rowid, new.text); END;"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO notes VALUES (1, 'there'); INSERT INTO plain VALUES ('there');",
        "INSERT INTO notes VALUES (1, 'here'); INSERT INTO plain VALUES ('here');",
    )
    tool.imported(REMAP)
    for index in ("outer_index", "filled", "plain_index"):
        assert tool.rows(f"SELECT rowid FROM {index} WHERE {index} MATCH 'there'") == [(2,)]
        assert tool.rows(f"SELECT rowid FROM {index} WHERE {index} MATCH 'here'") == [(1,)]
    assert tool.rows("SELECT rowid FROM plain WHERE text = 'there'") == [(2,)]


def test_an_index_whose_numbers_stand_for_other_rows_is_left_out_and_named(machines):
    schema = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
        "CREATE VIRTUAL TABLE area USING rtree (id, a, b);"
    )
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'there'); INSERT INTO area VALUES (1, 0, 1);",
        "INSERT INTO t VALUES (1, 'here'); INSERT INTO area VALUES (1, 5, 6);",
    )
    report = tool.imported(REMAP)
    assert [skipped.table for skipped in report.plan.skipped] == ["area"]
    assert tool.rows("SELECT * FROM area") == [(1, 5.0, 6.0)]


def test_tables_and_columns_that_are_missing_here_come_along(machines):
    tool = machines.meet(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x);",
        "ALTER TABLE p ADD COLUMN y; CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p);"
        "INSERT INTO p VALUES (1, 'there', NULL), (2, 'both', 2); INSERT INTO c VALUES (4, 1);",
        "INSERT INTO p VALUES (1, 'here'), (2, 'there');",
    )
    tool.imported(REMAP, create_missing=True, add_columns=True)
    assert tool.rows("SELECT * FROM p") == [(1, "here", None), (2, "there", None), (3, "both", 2)]
    assert tool.rows("SELECT * FROM c") == [(4, 2)]
    again(tool)


TALKS = (
    "CREATE TABLE talks (id INTEGER PRIMARY KEY, title, last INTEGER REFERENCES messages);"
    "CREATE TABLE messages (id INTEGER PRIMARY KEY, talk INTEGER NOT NULL REFERENCES talks, text);"
)


def test_rows_of_a_circle_are_not_taken_for_others_that_only_look_like_them(machines):
    tool = machines.meet(
        TALKS,
        "INSERT INTO talks VALUES (1, 'new', 1), (2, 'new', 2), (3, 'new', 3);"
        "INSERT INTO messages VALUES (1, 1, 'theirs'), (2, 2, 'both'), (3, 3, 'theirs');",
        "INSERT INTO talks VALUES (1, 'new', 1), (2, 'new', 2), (3, 'new', NULL);"
        "INSERT INTO messages VALUES (1, 1, 'mine'), (2, 2, 'both');",
    )
    assert written(tool.imported(REMAP)) == {"talks": (2, 0, 0), "messages": (2, 0, 0)}
    assert tool.rows("SELECT * FROM talks") == [
        (1, "new", 1),
        (2, "new", 2),
        (3, "new", None),
        (4, "new", 3),
        (5, "new", 4),
    ]
    assert tool.rows("SELECT * FROM messages") == [
        (1, 1, "mine"),
        (2, 2, "both"),
        (3, 4, "theirs"),
        (4, 5, "theirs"),
    ]
    again(tool)


def test_circles_within_one_table_that_look_alike_stay_apart(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, x, next INTEGER REFERENCES t);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'a', 2), (2, 'a', 1), (3, 'a', 4), (4, 'a', 3);",
        "INSERT INTO t VALUES (1, 'a', 3), (2, 'b', NULL), (3, 'a', 1);",
    )
    assert written(tool.imported(REMAP)) == {"t": (2, 0, 0)}
    assert tool.rows() == [(1, "a", 3), (2, "b", None), (3, "a", 1), (4, "a", 5), (5, "a", 4)]
    again(tool)


def test_rows_that_lead_to_a_circle_find_it_again(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, x, next INTEGER REFERENCES t);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'a', 4), (2, 'a', 5), (4, 'a', 5), (5, 'a', 4), (6, 'a', 6);",
        "INSERT INTO t VALUES (1, 'b', NULL);",
    )
    assert written(tool.imported(REMAP)) == {"t": (5, 0, 0)}
    again(tool)


def test_a_circle_that_ends_elsewhere_is_another_circle(machines):
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, x, next INTEGER REFERENCES t);"
    tool = machines.meet(
        schema,
        "INSERT INTO t VALUES (1, 'a', 2), (2, 'a', 3), (3, 'b', 1);",
        "INSERT INTO t VALUES (1, 'a', 2), (2, 'a', 3), (3, 'c', 1);",
    )
    assert written(tool.imported(REMAP)) == {"t": (3, 0, 0)}
    assert tool.rows("SELECT id, next FROM t WHERE id > 3") == [(4, 5), (5, 6), (6, 4)]
    again(tool)
