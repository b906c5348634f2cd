"""A database that has moved on since the backup, or that the backup is ahead of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast.errors import HoldfastError, ImportConflict, ImportRefused, PlanChanged
from holdfast.works import ConflictMode
from tests.conftest import everything, run_sql
from tests.imports.conftest import MODES, WRITING_MODES, written
from tests.running import make_database, reported, rows, run

TWO = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
    "CREATE TABLE u (id TEXT PRIMARY KEY, t REFERENCES t, y) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX u_y ON u (y); CREATE INDEX u_t ON u (t, lower(y)) WHERE y IS NOT NULL;"
    "INSERT INTO u VALUES ('k', 1, 'one'), ('l', 2, NULL);"
)


def skipped(report):
    return {each.table: each.reason for each in report.plan.skipped}


# Tables that the database lacks


@pytest.mark.parametrize("mode", MODES)
def test_a_table_that_the_database_lacks_is_skipped_with_the_reason(tool, mode):
    tool.backed_up(TWO, "DROP TABLE u; DELETE FROM t;")
    report = tool.imported(mode)
    assert skipped(report) == {"u": "the database has no such table; --create-missing makes it"}
    assert written(report) == {"t": (2, 0, 0)}
    assert tool.rows("SELECT name FROM sqlite_schema WHERE tbl_name = 'u'") == []


@pytest.mark.parametrize("mode", MODES)
def test_a_missing_table_is_made_with_its_indexes_and_rows(tool, mode):
    before = tool.backed_up(TWO).everything()
    run_sql(tool.path, "DROP TABLE u; DELETE FROM t;")
    report = tool.imported(mode, create_missing=True)
    assert written(report) == {"t": (2, 0, 0), "u": (2, 0, 0)}
    assert [(table.name, table.is_new) for table in report.plan.tables] == [
        ("t", False),
        ("u", True),
    ]
    assert tool.everything() == before


MISSING = {
    "a key": "CREATE TABLE n (id INTEGER PRIMARY KEY, x); INSERT INTO n VALUES (7, 'a');",
    "AUTOINCREMENT": "CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
    "INSERT INTO n VALUES (7, 'a'), (9, 'gone'); DELETE FROM n WHERE id = 9;",
    "no key": "CREATE TABLE n (x); INSERT INTO n (rowid, x) VALUES (5, 1), (9, 1), (7, NULL);",
    "NULL keys": "CREATE TABLE n (id TEXT PRIMARY KEY); INSERT INTO n VALUES (NULL), (NULL);",
    "generated": "CREATE TABLE n (id TEXT PRIMARY KEY, g TEXT AS (id || id) STORED) STRICT;"
    "INSERT INTO n VALUES ('a');",
    "no rows": "CREATE TABLE n (id INTEGER PRIMARY KEY);",
    "a hard name": 'CREATE TABLE "it\'s ""n""" (id INTEGER PRIMARY KEY);'
    'INSERT INTO "it\'s ""n""" VALUES (1);',
    "an R*Tree": "CREATE VIRTUAL TABLE n USING rtree (id, a, b); INSERT INTO n VALUES (1, 2, 3);",
    "full text": "CREATE VIRTUAL TABLE n USING fts5 (x); INSERT INTO n VALUES ('words');",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sql", MISSING.values(), ids=MISSING)
def test_a_missing_table_of_any_kind_is_made_as_it_was(tool, sql, mode):
    before = tool.backed_up(sql + "CREATE TABLE t (x);").everything()
    name = '"it\'s ""n"""' if "it's" in sql else "n"
    run_sql(tool.path, f"DROP TABLE {name}")
    tool.imported(mode, create_missing=True)
    after = tool.everything()
    assert sorted(map(str, after.pop("schema"))) == sorted(map(str, before.pop("schema")))
    assert after == before
    if mode is not ConflictMode.FAIL:
        assert tool.imported(mode, create_missing=True).outcome == "nothing to do"


def test_a_plan_names_rows_of_a_missing_table_that_would_refer_to_nothing(tool):
    tool.backed_up(TWO, "DROP TABLE u; DELETE FROM t WHERE id = 1;")
    options = {"create_missing": True, "tables": ("u",)}
    report = tool.imported(yes=False, dry_run=True, **options)
    assert report.plan.broken == ("1 of u to t",)
    tool.refused(ImportRefused, "1 of u to t", **options)


def test_a_plan_names_rows_whose_parents_table_is_not_there(tool):
    tool.backed_up(TWO, "DROP TABLE t; DELETE FROM u;")
    report = tool.imported(yes=False, dry_run=True)
    assert report.plan.broken == ("2 of u to t",)
    tool.refused(ImportRefused, "2 of u to t")


def test_parents_that_are_made_anew_are_there_for_the_rows_that_refer_to_them(tool):
    tool.backed_up(TWO, "DROP TABLE t; DELETE FROM u;")
    tool.imported(create_missing=True)
    assert tool.rows("PRAGMA foreign_key_check") == []
    assert tool.rows("SELECT * FROM u") == [("k", 1, "one"), ("l", 2, None)]


@pytest.mark.parametrize(
    "there", ["CREATE VIEW u AS SELECT * FROM t;", "CREATE INDEX u_y ON t (x);"]
)
def test_a_missing_table_whose_name_or_index_is_taken_is_refused(tool, there):
    tool.backed_up(TWO, "DROP TABLE u;" + there)
    tool.refused(ImportRefused, r"\bu", create_missing=True)


# Columns that the database lacks


MORE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, x, y TEXT);"
    "INSERT INTO t VALUES (1, 'a', 'one'), (2, 'b', NULL);"
)
LACKS = "ALTER TABLE t DROP y; DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (9, 'added');"


@pytest.mark.parametrize("mode", MODES)
def test_a_column_that_the_database_lacks_is_refused_with_what_would_help(tool, mode):
    error = tool.backed_up(MORE, LACKS).refused(ImportRefused, "t has no column y", mode)
    assert "--add-columns" in error.hint and "--drop-unknown" in error.hint


@pytest.mark.parametrize("mode", ["merge", "overwrite", "clear"])
def test_a_column_that_the_database_lacks_can_be_left_out(tool, mode):
    report = tool.backed_up(MORE, LACKS).imported(ConflictMode(mode), drop_unknown=True)
    assert written(report) == {"t": (1, 0, int(mode == "clear"))}
    assert tool.rows()[:2] == [(1, "a"), (2, "b")]
    assert any("t: y left out" in warning for warning in report.warnings)


@pytest.mark.parametrize("mode", ["merge", "overwrite", "clear"])
def test_a_column_that_the_database_lacks_can_be_added(tool, mode):
    tool.backed_up(MORE, LACKS + "UPDATE t SET x = 'b' WHERE id = 2")
    report = tool.imported(ConflictMode(mode), add_columns=True)
    added = [] if mode == "clear" else [(9, "added", None)]
    assert tool.rows() == [(1, "a", "one"), (2, "b", None), *added]
    assert written(report) == {"t": (1, 0, int(mode == "clear"))}
    assert tool.rows("SELECT name, type FROM pragma_table_info('t')")[-1] == ("y", "TEXT")
    assert tool.imported(ConflictMode(mode), add_columns=True).outcome == "nothing to do"


def test_values_of_an_added_column_reach_the_rows_that_are_there(tool):
    tool.backed_up(MORE, "ALTER TABLE t DROP y")
    assert written(tool.imported(add_columns=True)) == {"t": (0, 1, 0)}
    assert tool.rows() == [(1, "a", "one"), (2, "b", None)]


def test_merge_leaves_an_added_column_empty_in_rows_that_are_there(tool):
    tool.backed_up(MORE, "ALTER TABLE t DROP y; DELETE FROM t WHERE id = 2;")
    tool.imported(ConflictMode.MERGE, add_columns=True)
    assert tool.rows() == [(1, "a", None), (2, "b", None)]


@pytest.mark.parametrize("mode", ["merge", "overwrite", "clear", "newer", "fail"])
def test_a_column_can_be_added_to_a_table_without_a_key(tool, mode):
    tool.backed_up(
        "CREATE TABLE t (x, y); INSERT INTO t VALUES (1, NULL), (1, NULL), (2, 'two'), (3, 'y');",
        "ALTER TABLE t DROP y; DELETE FROM t WHERE x > 1;",
    )
    report = tool.imported(ConflictMode(mode), add_columns=True)
    assert written(report) == {"t": (2, 0, 0)}
    assert tool.rows() == [(1, None), (1, None), (2, "two"), (3, "y")]


def test_a_column_can_be_added_where_keys_are_null(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, y); INSERT INTO t VALUES (NULL, NULL), ('a', 'y');",
        "ALTER TABLE t DROP y",
    )
    assert written(tool.imported(add_columns=True)) == {"t": (0, 1, 0)}
    assert tool.rows() == [(None, None), ("a", "y")]


def test_a_time_that_is_only_just_added_decides_nothing(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x, updated_at); INSERT INTO t VALUES (1, 'a', 5);",
        "ALTER TABLE t DROP updated_at; UPDATE t SET x = 'mine';",
    )
    tool.refused(ImportConflict, r"t: 1 \(1\)", ConflictMode.NEWER, add_columns=True)


def test_an_added_column_has_the_default_that_it_had(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
        "ALTER TABLE t ADD y TEXT NOT NULL DEFAULT 'new';"
        "INSERT INTO t VALUES (1, 'a', 'one');",
        "ALTER TABLE t DROP y; INSERT INTO t VALUES (9, 'added');",
    )
    tool.imported(add_columns=True)
    run_sql(tool.path, "INSERT INTO t (id) VALUES (10)")
    assert tool.rows("SELECT id, y FROM t") == [(1, "one"), (9, "new"), (10, "new")]


def test_a_column_can_be_added_to_a_strict_table(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, y ANY) STRICT; INSERT INTO t VALUES (1, x'00');",
        "ALTER TABLE t DROP y",
    )
    tool.imported(add_columns=True)
    assert tool.rows() == [(1, b"\x00")]


# Columns that the file lacks


def test_overwrite_keeps_what_a_column_holds_that_the_file_lacks(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a'), (2, 'b');",
        "ALTER TABLE t ADD y TEXT NOT NULL DEFAULT 'new'; UPDATE t SET y = 'kept', x = 'mine'"
        " WHERE id = 1; DELETE FROM t WHERE id = 2;",
    )
    assert written(tool.imported()) == {"t": (1, 1, 0)}
    assert tool.rows() == [(1, "a", "kept"), (2, "b", "new")]


@pytest.mark.parametrize(
    "rule",
    ["DEFAULT 0 CHECK (y > x)", "DEFAULT 0 CHECK (x IS NULL OR y <> 0)", "CHECK (y IS NOT NULL)"],
)
def test_overwrite_holds_a_rule_over_a_column_that_the_file_lacks_to_what_it_keeps(tool, rule):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x INT); INSERT INTO t VALUES (1, 7);",
        f"DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x INT, y INT {rule});"
        "INSERT INTO t VALUES (1, 5, 10);",
    )
    assert written(tool.imported()) == {"t": (0, 1, 0)}
    assert tool.rows() == [(1, 7, 10)]


def test_overwrite_keeps_a_unique_default_out_of_the_way_of_rows_that_only_change(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a'), (2, 'b');",
        "ALTER TABLE t ADD y DEFAULT 0; UPDATE t SET y = id - 1, x = 'mine';"
        "CREATE UNIQUE INDEX i ON t (y);",
    )
    assert written(tool.imported()) == {"t": (0, 2, 0)}
    assert tool.rows() == [(1, "a", 0), (2, "b", 1)]


@pytest.mark.parametrize("mode", MODES)
def test_a_column_that_the_file_lacks_and_that_must_not_be_empty_is_refused(tool, mode):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a');",
        "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x, y NOT NULL)",
    )
    tool.refused(ImportRefused, r"t\.y must not be empty", mode)


def test_a_key_that_the_file_lacks_is_given_by_sqlite(tool):
    tool.backed_up(
        "CREATE TABLE t (x, y); INSERT INTO t VALUES ('a', 1), ('b', 2);",
        "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x, y);"
        "INSERT INTO t VALUES (1, 'a', 1);",
    )
    assert written(tool.imported()) == {"t": (1, 0, 0)}
    assert tool.rows("SELECT x, y FROM t ORDER BY x") == [("a", 1), ("b", 2)]


# Types, keys and rules that have changed


def test_a_type_that_has_changed_is_warned_of(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER, y TEXT);INSERT INTO t VALUES (1, 2, 3)",
        "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, y VARCHAR(9))",
    )
    report = tool.imported()
    assert report.warnings == (
        "t.x was INTEGER in the backup and is TEXT here: values may take another form.",
    )
    assert tool.rows() == [(1, "2", "3")]
    assert tool.imported().outcome == "nothing to do"


@pytest.mark.parametrize("mode", [ConflictMode.OVERWRITE, ConflictMode.CLEAR])
@pytest.mark.parametrize(
    "key", ["id INTEGER PRIMARY KEY, x", "id TEXT COLLATE NOCASE PRIMARY KEY, x"]
)
def test_rows_of_the_file_that_are_one_row_here_are_refused(tool, key, mode):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, x); INSERT INTO t VALUES ('1', 'a'), ('01', 'b'),"
        " ('10', 'c'), ('1e1', 'd');"
        if "INTEGER" in key
        else "CREATE TABLE t (id TEXT PRIMARY KEY, x); INSERT INTO t VALUES ('a', 1), ('A', 2);",
        f"DROP TABLE t; CREATE TABLE t ({key}); INSERT INTO t VALUES"
        + (" (1, 'mine');" if "INTEGER" in key else " ('a', 'mine');"),
    )
    with pytest.raises((ImportRefused, ImportConflict)):
        tool.imported(mode)
    assert tool.rows("SELECT x FROM t") == [("mine",)]


def test_a_strict_table_refuses_a_value_of_another_type(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'text');",
        "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x INT) STRICT",
    )
    tool.refused(ImportRefused, "fit into t")


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_table_that_is_no_longer_autoincrement_takes_its_rows(tool, mode):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO t VALUES (5, 'a');"
    )
    tool.path.unlink()
    run_sql(tool.path, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
    tool.imported(mode)
    assert tool.rows() == [(5, "a")]


def test_a_table_whose_name_has_another_case_keeps_the_mark_of_its_ids(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
        "INSERT INTO t VALUES (1, 'a'), (50, 'gone'); DELETE FROM t WHERE id = 50;",
        "DROP TABLE t; CREATE TABLE T (id INTEGER PRIMARY KEY AUTOINCREMENT, x);",
    )
    tool.imported()
    assert tool.rows("SELECT seq FROM sqlite_sequence WHERE name = 'T'") == [(50,)]


# Some tables alone


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_only_the_tables_that_were_asked_for_are_touched(tool, mode):
    tool.backed_up(TWO, "DELETE FROM u; UPDATE t SET x = 'mine'; INSERT INTO t VALUES (9, 0);")
    before = tool.rows()
    report = tool.imported(mode, tables=("u",))
    assert skipped(report) == {"t": "not asked for"}
    assert written(report) == {"u": (2, 0, 0)}
    assert tool.rows() == before


def test_tables_are_asked_for_in_any_case(tool):
    tool.backed_up(TWO, "DELETE FROM u")
    assert written(tool.imported(tables=("U",))) == {"u": (2, 0, 0)}


def test_a_table_that_nobody_has_cannot_be_asked_for(tool):
    tool.backed_up(TWO, "DELETE FROM u")
    before = tool.everything()
    with pytest.raises(HoldfastError, match="nowhere"):
        tool.imported(tables=("u", "nowhere"))
    assert tool.everything() == before


# Plans and their ids


def test_a_plan_is_agreed_to_for_its_options_alone(tool):
    tool.backed_up(MORE + "CREATE TABLE n (id INTEGER PRIMARY KEY);", LACKS + "DROP TABLE n;")
    choices: list[dict[str, Any]] = [
        {"drop_unknown": True},
        {"add_columns": True},
        {"drop_unknown": True, "create_missing": True},
        {"drop_unknown": True, "tables": ("t",)},
        {"drop_unknown": True, "mode": ConflictMode.MERGE},
        {"drop_unknown": True, "mode": ConflictMode.CLEAR},
    ]
    ids = [tool.imported(yes=False, **choice).plan.plan_id for choice in choices]
    assert len(set(ids)) == len(choices)
    before = tool.everything()
    for plan_id in ids[1:]:
        with pytest.raises(PlanChanged):
            tool.imported(yes=False, confirm=plan_id, **choices[0])
    assert tool.everything() == before


def test_a_plan_over_a_file_without_digests_is_no_longer_the_same_when_a_row_is(tool, tmp_path):
    tool.backed_up("CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a');")
    tool.backup = tmp_path / "foreign.json"

    def write(value):
        tables = {"t": [{"id": 1, "x": value}]}
        tool.backup.write_text(json.dumps({"backup_date": "2026-03-04", "tables": tables}), "utf-8")

    write("shown")
    plan_id = tool.imported(yes=False).plan.plan_id
    write("never shown")
    with pytest.raises(PlanChanged):
        tool.imported(yes=False, confirm=plan_id)
    assert tool.rows() == [(1, "a")]


def test_a_plan_is_no_longer_the_same_when_a_table_has_another_column(tool):
    tool.backed_up(TWO, "DELETE FROM t WHERE id = 1; DELETE FROM u WHERE id = 'k';")
    plan_id = tool.imported(yes=False).plan.plan_id
    run_sql(tool.path, "ALTER TABLE t ADD z DEFAULT 'new'")
    before = everything(tool.path)
    with pytest.raises(PlanChanged):
        tool.imported(yes=False, confirm=plan_id)
    assert everything(tool.path) == before


OPTIONS = {
    "mode": ["--mode", "clear", "--drop-unknown"],
    "tables": ["--tables", "t,odd name", "--drop-unknown"],
    "create": ["--create-missing", "--add-columns"],
    "merge": ["--merge", "--drop-unknown", "--create-missing"],
}


@pytest.mark.parametrize("words", OPTIONS.values(), ids=OPTIONS)
def test_the_command_line_that_is_shown_carries_out_the_plan(tmp_path, words):
    home = tmp_path / "home"
    database = make_database(
        tmp_path / "tool.db",
        MORE + 'CREATE TABLE n (id INTEGER PRIMARY KEY); CREATE TABLE "odd name" (x);'
        "INSERT INTO n VALUES (5);",
    )
    run(home, "export", "--db", database)
    make_database(database, "DROP TABLE n; ALTER TABLE t DROP y; DELETE FROM t WHERE id = 1;")
    # Columns that are left out are warned of.
    planned = reported(home, "import", "latest", "--db", database, *words, exit_code=4)
    assert planned["outcome"] == "planned"
    assert rows(database, "SELECT id FROM t") == [(2,)]
    code = 3 if "--drop-unknown" in words else 0
    done = reported(home, "import", *planned["confirmed_by"], exit_code=code)
    assert done["outcome"] == "done"
    assert done["plan"]["tables"] == planned["plan"]["tables"]
    assert rows(database, "SELECT id, x FROM t") == [(1, "a"), (2, "b")]
    made = [("n",)] if "--create-missing" in words else []
    assert rows(database, "SELECT name FROM sqlite_schema WHERE name = 'n'") == made
