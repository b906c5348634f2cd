"""What an import plans and writes: every row of the backup is back, and no other is touched."""

from __future__ import annotations

import json
import re

import pytest

from holdfast.errors import HoldfastError, ImportConflict, ImportRefused, PlanChanged
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.works import ConflictMode
from tests.conftest import everything, rows, run_sql, stored

MODES = list(ConflictMode)


@pytest.fixture
def tool(make_database, context):
    """A database that is backed up, changed, and imported into."""
    return Tool(make_database, context())


class Tool:
    def __init__(self, make_database, context):
        self.make_database = make_database
        self.context = context

    def backed_up(self, sql, change=""):
        """Make the database, back it up, and change it."""
        self.path = self.make_database(sql)
        options = ExportOptions(database=str(self.path))
        self.backup = export_backup(self.context, options).path
        self.original = stored(self.path, "t") if " t (" in sql else []
        run_sql(self.path, change)
        return self

    def imported(self, mode=ConflictMode.OVERWRITE, **options):
        options = {"yes": True} | options
        return import_backup(
            self.context,
            ImportOptions(backup=str(self.backup), database=str(self.path), mode=mode, **options),
        )

    def rows(self, query="SELECT * FROM t ORDER BY 1, 2"):
        return rows(self.path, query)

    def stored(self, table="t", **options):
        return stored(self.path, table, **options)


def counts(report):
    """The plan in short: inserted, overwritten, unchanged, kept and conflicts by table."""
    return {
        table.name: (
            table.inserted,
            table.overwritten,
            table.unchanged,
            table.kept,
            table.conflicts,
        )
        for table in report.plan.tables
    }


FOUR = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
    "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');"
)
FOUR_CHANGED = (
    "DELETE FROM t WHERE id = 1; UPDATE t SET x = 'mine' WHERE id = 2;"
    "INSERT INTO t VALUES (9, 'added');"
)


# Modes and counts


def test_overwrite_brings_every_row_of_the_backup_back(tool):
    report = tool.backed_up(FOUR, FOUR_CHANGED).imported()
    assert counts(report) == {"t": (1, 1, 2, 0, 0)}
    assert tool.rows() == [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (9, "added")]
    assert report.outcome == "done"


def test_merge_adds_what_is_gone_and_leaves_what_is_there(tool):
    report = tool.backed_up(FOUR, FOUR_CHANGED).imported(ConflictMode.MERGE)
    assert counts(report) == {"t": (1, 0, 2, 1, 0)}
    assert tool.rows() == [(1, "a"), (2, "mine"), (3, "c"), (4, "d"), (9, "added")]


def test_fail_imports_nothing_when_any_key_is_taken(tool):
    before = everything(tool.backed_up(FOUR, FOUR_CHANGED).path)
    with pytest.raises(ImportConflict, match=r"t: 3 \(2, 3, 4\)"):
        tool.imported(ConflictMode.FAIL)
    assert everything(tool.path) == before


def test_fail_imports_all_when_no_key_is_taken(tool):
    report = tool.backed_up(FOUR, "DELETE FROM t").imported(ConflictMode.FAIL)
    assert counts(report) == {"t": (4, 0, 0, 0, 0)}
    assert tool.rows() == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


@pytest.mark.parametrize("mode", [ConflictMode.OVERWRITE, ConflictMode.MERGE])
def test_a_second_import_has_nothing_to_do_and_changes_nothing(tool, mode):
    tool.backed_up(FOUR, "DELETE FROM t WHERE id > 2").imported(mode)
    before = everything(tool.path)
    report = tool.imported(mode)
    assert report.outcome == "nothing to do"
    assert report.restore_point is None
    assert counts(report) == {"t": (0, 0, 4, 0, 0)}
    assert everything(tool.path) == before


def test_a_column_that_the_backup_lacks_keeps_its_value(tool):
    tool.backed_up(FOUR, "ALTER TABLE t ADD y DEFAULT 'new'; UPDATE t SET x = 0, y = 'kept';")
    assert counts(tool.imported()) == {"t": (0, 4, 0, 0, 0)}
    assert tool.rows("SELECT x, y FROM t WHERE id = 1") == [("a", "kept")]


def test_a_column_that_the_backup_lacks_gets_its_default_in_new_rows(tool):
    tool.backed_up(FOUR, "ALTER TABLE t ADD y NOT NULL DEFAULT 'new'; DELETE FROM t;")
    tool.imported()
    assert tool.rows("SELECT x, y FROM t WHERE id = 1") == [("a", "new")]


def test_a_column_that_the_database_lacks_is_refused(tool):
    before = everything(tool.backed_up(FOUR, "ALTER TABLE t DROP x").path)
    with pytest.raises(ImportRefused, match="x"):
        tool.imported()
    assert everything(tool.path) == before


def test_columns_in_another_order_and_case_find_each_other(tool):
    tool.backed_up(
        FOUR,
        "DROP TABLE t; CREATE TABLE T (X, ID INTEGER PRIMARY KEY); INSERT INTO T VALUES (0, 1)",
    )
    assert counts(tool.imported()) == {"T": (3, 1, 0, 0, 0)}
    assert tool.rows("SELECT ID, X FROM t") == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


def test_a_table_that_the_database_lacks_is_skipped_and_named(tool):
    tool.backed_up(FOUR + "CREATE TABLE gone (x);", "DROP TABLE gone; DELETE FROM t WHERE id = 1;")
    report = tool.imported()
    assert [each.table for each in report.plan.skipped] == ["gone"]
    assert counts(report) == {"t": (1, 0, 3, 0, 0)}


# Keys


def test_a_key_of_several_columns_is_one_key(tool):
    tool.backed_up(
        "CREATE TABLE t (a, b, x, PRIMARY KEY (b, a)) WITHOUT ROWID;"
        "INSERT INTO t VALUES (1, 1, 'a'), (1, 2, 'b'), (2, 1, 'c');",
        "DELETE FROM t WHERE a = 1 AND b = 2; UPDATE t SET x = 'mine' WHERE a = 2;",
    )
    assert counts(tool.imported()) == {"t": (1, 1, 1, 0, 0)}
    assert tool.rows() == [(1, 1, "a"), (1, 2, "b"), (2, 1, "c")]


def test_a_table_that_is_all_key_has_nothing_to_overwrite(tool):
    tool.backed_up(
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, 1), (1, 2);",
        "DELETE FROM t WHERE b = 2",
    )
    assert counts(tool.imported()) == {"t": (1, 0, 1, 0, 0)}


def test_rows_without_a_key_are_as_many_as_in_the_backup_or_more(tool):
    tool.backed_up(
        "CREATE TABLE t (x, y); INSERT INTO t VALUES (1, 'a'), (1, 'a'), (1, 'a'), (2, 'b'),"
        " (NULL, NULL), (NULL, NULL);",
        "DELETE FROM t WHERE rowid IN (1, 2, 4, 6); INSERT INTO t VALUES (3, 'mine'), (2, 'B');",
    )
    assert counts(tool.imported()) == {"t": (4, 0, 2, 0, 0)}
    assert tool.rows("SELECT x, y FROM t ORDER BY x, y") == [
        *[(None, None)] * 2,
        *[(1, "a")] * 3,
        (2, "B"),
        (2, "b"),
        (3, "mine"),
    ]


def test_rows_without_a_key_that_are_more_than_in_the_backup_stay(tool):
    tool.backed_up("CREATE TABLE t (x); INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1), (1)")
    assert counts(tool.imported()) == {"t": (0, 0, 1, 0, 0)}
    assert tool.rows("SELECT count(*) FROM t") == [(3,)]


def test_rows_without_a_key_conflict_with_nothing(tool):
    tool.backed_up("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2)", "DELETE FROM t")
    assert counts(tool.imported(ConflictMode.FAIL)) == {"t": (2, 0, 0, 0, 0)}


def test_rows_whose_text_key_is_null_come_back_as_often_as_they_were(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, x);"
        "INSERT INTO t VALUES (NULL, 1), (NULL, 1), (NULL, 2), ('a', 1);",
        "DELETE FROM t WHERE rowid IN (1, 3); UPDATE t SET x = 9 WHERE id = 'a';",
    )
    assert counts(tool.imported()) == {"t": (2, 1, 1, 0, 0)}
    assert tool.rows() == [(None, 1), (None, 1), (None, 2), ("a", 1)]


def test_null_in_a_part_of_a_key_is_no_whole_key(tool):
    tool.backed_up(
        "CREATE TABLE t (a, b, x, PRIMARY KEY (a, b));"
        "INSERT INTO t VALUES (1, NULL, 'a'), (1, NULL, 'a'), (1, 1, 'b');",
        "DELETE FROM t WHERE rowid = 1",
    )
    assert counts(tool.imported()) == {"t": (1, 0, 2, 0, 0)}
    assert tool.rows("SELECT count(*) FROM t") == [(3,)]


def test_a_row_keeps_its_rowid_where_that_is_free(tool):
    tool.backed_up(
        "CREATE TABLE t (x); INSERT INTO t (rowid, x) VALUES (7, 'a'), (3, 'b'), (-2, 'c');"
        "CREATE TABLE u (id TEXT PRIMARY KEY); INSERT INTO u (rowid, id) VALUES (40, 'k');",
        "DELETE FROM t; DELETE FROM u; INSERT INTO t (rowid, x) VALUES (3, 'mine');",
    )
    tool.imported()
    assert set(tool.rows("SELECT rowid, x FROM t")) >= {(7, "a"), (3, "mine"), (-2, "c")}
    assert tool.rows("SELECT x FROM t WHERE rowid NOT IN (7, 3, -2)") == [("b",)]
    assert tool.rows("SELECT rowid, id FROM u") == [(40, "k")]


def test_a_new_rowid_never_takes_one_that_is_still_to_come(tool):
    tool.backed_up(
        "CREATE TABLE t (x); INSERT INTO t (rowid, x) VALUES (1, 'a'), (2, 'b'), (3, 'c');",
        "DELETE FROM t; INSERT INTO t (rowid, x) VALUES (1, 'mine');",
    )
    tool.imported()
    found = dict(tool.rows("SELECT x, rowid FROM t"))
    assert (found["mine"], found["b"], found["c"]) == (1, 2, 3)
    assert found["a"] not in (1, 2, 3)


def test_a_table_whose_columns_hide_the_rowid_is_imported(tool):
    tool.backed_up(
        "CREATE TABLE t (rowid, _rowid_, oid); INSERT INTO t VALUES (1, 2, 3), (1, 2, 3);",
        "DELETE FROM t",
    )
    assert counts(tool.imported()) == {"t": (2, 0, 0, 0, 0)}
    assert tool.rows("SELECT * FROM t") == [(1, 2, 3)] * 2


@pytest.mark.parametrize(
    "name",
    ["row", "nth", "stored", "$row", "$rowid", "s", "m", "w", "is_new", "rowid", "keeps_rowid"],
)
@pytest.mark.parametrize("definition", ["{}", "{} TEXT PRIMARY KEY", "id PRIMARY KEY, {}"])
def test_a_column_may_be_called_like_anything_that_an_import_uses(tool, name, definition):
    column = definition.format(f'"{name}"')
    tool.backed_up(
        f"CREATE TABLE t (a, {column}); INSERT INTO t (a, \"{name}\") VALUES (1, 'x'), (2, 'y');"
        + ("UPDATE t SET id = a" if "id " in column else ""),
        "DELETE FROM t WHERE a = 1",
    )
    assert counts(tool.imported()) == {"t": (1, 0, 1, 0, 0)}
    assert tool.stored() == tool.original
    assert tool.imported().outcome == "nothing to do"


@pytest.mark.parametrize("name", ["staged", "main", "temp", "$work0", "s", "m", "w"])
def test_a_table_may_be_called_like_anything_that_an_import_uses(tool, name):
    tool.backed_up(
        f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY, x); INSERT INTO "{name}" VALUES (1, 2);',
        f'DELETE FROM "{name}"',
    )
    assert counts(tool.imported()) == {name: (1, 0, 0, 0, 0)}


# Values


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("1", "1.0"),
        ("1.0", "1"),
        ("1", "'1'"),
        ("'1'", "x'31'"),
        ("-0.0", "0.0"),
        ("0.0", "-0.0"),
        ("0", "-0.0"),
        ("0.0", "0"),
        ("NULL", "''"),
        ("''", "x''"),
        ("'abc'", "'ABC'"),
        ("'a'", "'a '"),
        ("9e999", "1.7976931348623157e308"),
        ("9007199254740993", "9007199254740992"),
        ("9007199254740993", "9007199254740992.0"),
        ("9223372036854775807", "9223372036854775808.0"),
        ("CAST(x'ff' AS TEXT)", "x'ff'"),
        ("'a' || char(0) || 'b'", "'a'"),
        ("0.1", "0.10000000000000002"),
    ],
)
@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "keyless"])
def test_values_that_differ_in_type_or_form_are_different(tool, was, becomes, keyed):
    key = "id INTEGER PRIMARY KEY" if keyed else "id"
    tool.backed_up(
        f"CREATE TABLE t ({key}, x); INSERT INTO t VALUES (1, {was})", f"UPDATE t SET x = {becomes}"
    )
    expected = (0, 1, 0, 0, 0) if keyed else (1, 0, 0, 0, 0)
    assert counts(tool.imported()) == {"t": expected}
    assert [row for row in tool.stored() if row in tool.original] == tool.original
    assert len(tool.stored()) == (1 if keyed else 2)


@pytest.mark.parametrize("declared", ["TEXT", "", "VARCHAR(9)"])
def test_case_is_a_difference_whatever_the_collation(tool, declared):
    tool.backed_up(
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, x {declared} COLLATE NOCASE);"
        "INSERT INTO t VALUES (1, 'abc'), (2, 'same')",
        "UPDATE t SET x = 'ABC' WHERE id = 1",
    )
    assert counts(tool.imported()) == {"t": (0, 1, 1, 0, 0)}
    assert tool.rows() == [(1, "abc"), (2, "same")]


def test_a_key_that_differs_only_in_case_is_the_row_that_its_collation_says(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, x); INSERT INTO t VALUES ('ann', 1);",
        "UPDATE t SET id = 'ANN', x = 2",
    )
    tool.imported()
    assert tool.rows("SELECT lower(id), x FROM t") == [("ann", 1)]


def test_an_overwritten_key_has_the_form_that_the_backup_has(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, x); INSERT INTO t VALUES ('ann', 1);",
        "UPDATE t SET id = 'ANN'",
    )
    assert counts(tool.imported()) == {"t": (0, 1, 0, 0, 0)}
    assert tool.rows() == [("ann", 1)]


def test_an_untyped_key_of_1_and_of_1_point_0_is_one_key_in_the_backups_form(tool):
    tool.backed_up(
        "CREATE TABLE t (id PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t VALUES (1, 'a');",
        "UPDATE t SET id = 1.0",
    )
    tool.imported()
    assert tool.stored() == [("b'integer'", "1", "b'text'", "b'a'")]


def test_generated_columns_are_computed_anew(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b AS (a * 2) STORED, c AS (a + 1));"
        "INSERT INTO t VALUES (1, 10), (2, 20);",
        "DELETE FROM t WHERE id = 1; UPDATE t SET a = 0 WHERE id = 2;",
    )
    tool.imported()
    assert tool.rows() == [(1, 10, 20, 11), (2, 20, 40, 21)]


# References


def test_the_children_of_an_overwritten_row_stay(tool):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE);"
        "INSERT INTO p VALUES (1, 'old'); INSERT INTO c VALUES (1, 1);",
        "UPDATE p SET x = 'new'; INSERT INTO c VALUES (2, 1);",
    )
    assert counts(tool.imported()) == {"p": (0, 1, 0, 0, 0), "c": (0, 0, 1, 0, 0)}
    assert tool.rows("SELECT * FROM c") == [(1, 1), (2, 1)]
    assert tool.rows("SELECT * FROM p") == [(1, "old")]


def test_rows_that_refer_to_each_other_come_back_in_any_order(tool):
    tool.backed_up(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b, self REFERENCES a);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a NOT NULL);"
        "INSERT INTO a VALUES (1, 1, 2), (2, NULL, 1); INSERT INTO b VALUES (1, 2);",
        "DELETE FROM a; DELETE FROM b;",
    )
    assert counts(tool.imported()) == {"a": (2, 0, 0, 0, 0), "b": (1, 0, 0, 0, 0)}


def test_references_that_are_broken_already_stay_as_they_are(tool):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p"
        " REFERENCES p, x); INSERT INTO c VALUES (1, 99, 'a'), (2, NULL, 'b');",
        "UPDATE c SET x = 'mine'",
    )
    assert counts(tool.imported())["c"] == (0, 2, 0, 0, 0)
    assert tool.rows("SELECT * FROM c") == [(1, 99, "a"), (2, None, "b")]


def test_an_import_that_would_break_a_reference_is_refused_whole(tool):
    tool.backed_up(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p);"
        "INSERT INTO c VALUES (1, 99);",
        "DELETE FROM c",
    )
    before = everything(tool.path)
    with pytest.raises(ImportRefused, match=r"c to p|FOREIGN KEY"):
        tool.imported()
    assert everything(tool.path) == before


# UNIQUE


UNIQUE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, x);"
    "INSERT INTO t VALUES (1, 'ann@x', 'a'), (2, 'bob@x', 'b');"
)


@pytest.mark.parametrize("mode", [ConflictMode.OVERWRITE, ConflictMode.MERGE])
def test_a_unique_value_that_belongs_to_another_row_is_shown_and_refused(tool, mode):
    tool.backed_up(UNIQUE, "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (9, 'ann@x', 'mine');")
    before = everything(tool.path)
    plan = tool.imported(mode, yes=False, dry_run=True)
    assert counts(plan)["t"][4] == 1
    with pytest.raises(ImportConflict, match=r"t\.mail = ann@x") as caught:
        tool.imported(mode)
    assert caught.value.hint
    assert everything(tool.path) == before


def test_a_conflict_over_text_that_is_not_utf8_can_be_shown(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, mail UNIQUE);"
        "INSERT INTO t VALUES (CAST(x'ff' AS TEXT), CAST(x'61ff' AS TEXT));",
        "UPDATE t SET id = 'other'",
    )
    with pytest.raises(ImportConflict, match=r"t\.mail = "):
        tool.imported()
    run_sql(tool.path, "UPDATE t SET id = CAST(x'ff' AS TEXT)")
    with pytest.raises(ImportConflict, match=r"t: 1 \("):
        tool.imported(ConflictMode.FAIL)


def test_a_unique_value_of_a_row_whose_key_is_null_is_shown_too(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, mail UNIQUE, x); INSERT INTO t VALUES (NULL, 1, 'a')",
        "UPDATE t SET x = 'mine'",
    )
    with pytest.raises(ImportConflict, match=r"t\.mail = 1"):
        tool.imported()


def test_a_merge_does_not_trip_over_rows_that_it_leaves_alone(tool):
    tool.backed_up(
        UNIQUE,
        "UPDATE t SET mail = 'other@x' WHERE id = 1; UPDATE t SET mail = 'ann@x' WHERE id = 2",
    )
    report = tool.imported(ConflictMode.MERGE)
    assert counts(report) == {"t": (0, 0, 0, 2, 0)}


def test_two_rows_that_swapped_a_unique_value_are_never_left_half_swapped(tool):
    tool.backed_up(
        UNIQUE,
        "UPDATE t SET mail = 'x' WHERE id = 1; UPDATE t SET mail = 'ann@x' WHERE id = 2;"
        "UPDATE t SET mail = 'bob@x' WHERE id = 1;",
    )
    before = everything(tool.path)
    try:
        tool.imported()
    except (ImportConflict, ImportRefused):
        assert everything(tool.path) == before
    else:
        assert tool.rows("SELECT id, mail FROM t") == [(1, "ann@x"), (2, "bob@x")]


@pytest.mark.parametrize(
    "index",
    [
        "CREATE UNIQUE INDEX i ON t (lower(mail))",
        "CREATE UNIQUE INDEX i ON t (mail) WHERE x IS NOT NULL",
    ],
)
def test_a_unique_index_that_cannot_be_foreseen_refuses_the_whole_import(tool, index):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, mail, x);"
        f"{index}; INSERT INTO t VALUES (1, 'ann@x', 'a'), (2, 'bob@x', 'b');",
        "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (9, 'ann@x', 'mine');",
    )
    before = everything(tool.path)
    with pytest.raises((ImportConflict, ImportRefused)):
        tool.imported()
    assert everything(tool.path) == before


def test_null_is_unique_as_often_as_it_comes(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, mail UNIQUE); INSERT INTO t VALUES (1, NULL)",
        "DELETE FROM t; INSERT INTO t VALUES (2, NULL)",
    )
    assert counts(tool.imported()) == {"t": (1, 0, 0, 0, 0)}


def test_a_row_that_a_rule_of_the_database_forbids_refuses_the_whole_import(tool):
    tool.backed_up(
        FOUR, "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x CHECK (x <> 'c'))"
    )
    with pytest.raises(ImportRefused, match="CHECK"):
        tool.imported()
    assert tool.rows() == []


# Triggers and sequences


TRIGGERS = (
    FOUR + "CREATE TABLE log (id INTEGER PRIMARY KEY, what);"
    "create trigger  added after INSERT on t begin INSERT INTO log (what) VALUES ('added');end;"
    "CREATE TRIGGER \"changed 'it'\" BEFORE UPDATE OF x ON t WHEN new.x <> old.x /* why; */ BEGIN"
    " INSERT INTO log (what) VALUES ('changed'); SELECT RAISE(ABORT, 'never'); END;"
)


def test_triggers_do_not_fire_and_are_there_afterwards_word_for_word(tool):
    tool.backed_up(TRIGGERS, "DELETE FROM t WHERE id = 1;")
    run_sql(
        tool.path,
        "DROP TRIGGER \"changed 'it'\"; UPDATE t SET x = 'mine' WHERE id = 2;"
        + TRIGGERS[TRIGGERS.index("CREATE TRIGGER") :],
    )
    query = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
    triggers = tool.rows(query)
    assert len(triggers) == 2
    logged = tool.rows("SELECT count(*) FROM log")
    assert counts(tool.imported())["t"] == (1, 1, 2, 0, 0)
    assert tool.rows("SELECT count(*) FROM log") == logged
    assert tool.rows(query) == triggers


def test_triggers_are_there_after_an_import_that_failed(tool):
    tool.backed_up(
        TRIGGERS,
        "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x CHECK (x <> 'c'));"
        + TRIGGERS[TRIGGERS.index("create trigger") :],
    )
    before = everything(tool.path)
    with pytest.raises(ImportRefused):
        tool.imported()
    assert everything(tool.path) == before


def test_triggers_of_views_are_kept(tool):
    tool.backed_up(
        FOUR + "CREATE VIEW v AS SELECT * FROM t;"
        "CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.id, new.x); END;",
        "DELETE FROM t",
    )
    tool.imported()
    run_sql(tool.path, "INSERT INTO v VALUES (77, 'through the view')")
    assert (77, "through the view") in tool.rows()


@pytest.mark.parametrize("name", ["search", "notes using tags"])
def test_a_full_text_index_finds_what_was_imported(tool, name):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
        f'CREATE VIRTUAL TABLE "{name}" USING fts5(x, content=t, content_rowid=id);'
        f'CREATE TRIGGER a AFTER INSERT ON t BEGIN INSERT INTO "{name}" (rowid, x)'
        " VALUES (new.id, new.x); END;"
        f'CREATE TRIGGER d AFTER DELETE ON t BEGIN INSERT INTO "{name}" ("{name}", rowid, x)'
        " VALUES ('delete', old.id, old.x); END;"
        f'CREATE TRIGGER u AFTER UPDATE ON t BEGIN INSERT INTO "{name}" ("{name}", rowid, x)'
        f" VALUES ('delete', old.id, old.x); INSERT INTO \"{name}\" (rowid, x)"
        " VALUES (new.id, new.x); END;"
        "INSERT INTO t VALUES (1, 'lost words'), (2, 'old words');",
        "DELETE FROM t WHERE id = 1; UPDATE t SET x = 'new words' WHERE id = 2;",
    )
    tool.imported()
    find = f'SELECT rowid FROM "{name}" WHERE "{name}" MATCH '
    assert tool.rows(find + "'lost'") == [(1,)]
    assert tool.rows(find + "'old'") == [(2,)]
    assert tool.rows(find + "'new'") == []
    run_sql(tool.path, f'INSERT INTO "{name}" ("{name}") VALUES (\'integrity-check\')')


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DELETE FROM t; DELETE FROM sqlite_sequence", 50),
        ("UPDATE sqlite_sequence SET seq = 3", 50),
        ("INSERT INTO t VALUES (80, 'new')", 80),
        ("UPDATE sqlite_sequence SET seq = 70", 70),
        ("DELETE FROM t", 50),
    ],
)
def test_ids_that_were_given_once_are_never_given_again(tool, change, expected):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
        "INSERT INTO t VALUES (1, 'a'), (50, 'deleted'); DELETE FROM t WHERE id = 50;",
        change + "; UPDATE t SET x = 'mine' WHERE id = 1",
    )
    tool.imported()
    assert tool.rows("SELECT seq FROM sqlite_sequence WHERE name = 't'") == [(expected,)]


def test_the_mark_of_given_ids_comes_back_for_a_table_of_which_no_row_does(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE u (x);"
        "INSERT INTO t VALUES (50, 'deleted'); DELETE FROM t; INSERT INTO u VALUES (1);",
        "DELETE FROM sqlite_sequence; DELETE FROM u;",
    )
    tool.imported()
    run_sql(tool.path, "INSERT INTO t (x) VALUES ('next')")
    assert tool.rows("SELECT id FROM t") == [(51,)]


# Agreement


def test_nothing_is_changed_until_the_plan_is_agreed_to(tool):
    before = everything(tool.backed_up(FOUR, FOUR_CHANGED).path)
    plan = tool.imported(yes=False)
    assert plan.outcome == "planned"
    assert counts(plan) == {"t": (1, 1, 2, 0, 0)}
    assert everything(tool.path) == before
    done = tool.imported(yes=False, confirm=plan.plan.plan_id)
    assert done.outcome == "done"
    assert counts(done) == counts(plan)


def test_a_rehearsal_changes_nothing_even_with_yes(tool):
    before = everything(tool.backed_up(FOUR, FOUR_CHANGED).path)
    assert tool.imported(dry_run=True).outcome == "rehearsed"
    assert everything(tool.path) == before


@pytest.mark.parametrize(
    "meanwhile",
    [
        "UPDATE t SET x = 'meanwhile' WHERE id = 3",
        "INSERT INTO t VALUES (10, 'meanwhile')",
        "DELETE FROM t WHERE id = 4",
    ],
)
def test_a_plan_that_is_no_longer_what_was_confirmed_is_refused(tool, meanwhile):
    tool.backed_up(FOUR, FOUR_CHANGED)
    plan_id = tool.imported(yes=False).plan.plan_id
    run_sql(tool.path, meanwhile)
    before = everything(tool.path)
    with pytest.raises(PlanChanged):
        tool.imported(yes=False, confirm=plan_id)
    assert everything(tool.path) == before


def test_a_plan_is_agreed_to_for_one_mode_alone(tool):
    tool.backed_up(FOUR, FOUR_CHANGED)
    plan_id = tool.imported(ConflictMode.MERGE, yes=False).plan.plan_id
    with pytest.raises(PlanChanged):
        tool.imported(ConflictMode.OVERWRITE, yes=False, confirm=plan_id)


def test_the_restore_point_is_the_database_before_the_import(tool):
    before = everything(tool.backed_up(FOUR, FOUR_CHANGED).path)
    restore_point = tool.imported().restore_point
    assert restore_point is not None
    assert everything(restore_point) == before


def test_an_import_that_fails_midway_leaves_every_table_as_it_was(tool):
    tool.backed_up(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE z (id INTEGER PRIMARY KEY, x);"
        "INSERT INTO a VALUES (1); INSERT INTO z VALUES (1, 'wrong');",
        "DELETE FROM a; DROP TABLE z;"
        "CREATE TABLE z (id INTEGER PRIMARY KEY, x CHECK (x <> 'wrong'));",
    )
    before = everything(tool.path)
    with pytest.raises(HoldfastError):
        tool.imported()
    assert everything(tool.path) == before


def test_a_damaged_backup_changes_nothing(tool):
    tool.backed_up(FOUR, FOUR_CHANGED)
    before = everything(tool.path)
    text = tool.backup.read_bytes()
    tool.backup.write_bytes(re.sub(rb'"x":"c"', b'"x":"C"', text))
    with pytest.raises(HoldfastError) as caught:
        tool.imported()
    assert caught.value.exit_code == 16
    assert everything(tool.path) == before


def test_a_document_that_names_the_same_row_twice_cannot_be_told_apart(tool, tmp_path):
    tool.backed_up(FOUR, "DELETE FROM t")
    tool.backup = tmp_path / "foreign.json"
    found = [{"id": 1, "x": "first"}, {"id": 1, "x": "second"}]
    tool.backup.write_text(json.dumps({"backup_date": "x", "tables": {"t": found}}), "utf-8")
    with pytest.raises((ImportConflict, ImportRefused)):
        tool.imported()
    assert tool.rows() == []


def test_statistics_are_left_to_sqlite(tool):
    tool.backed_up(
        FOUR + "CREATE INDEX i ON t (x); ANALYZE;", "DELETE FROM t; DELETE FROM sqlite_stat1;"
    )
    report = tool.imported()
    assert list(counts(report)) == ["t"]
    assert "sqlite_stat1" in [each.table for each in report.plan.skipped]
    assert tool.rows("SELECT count(*) FROM sqlite_stat1") == [(0,)]


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode is not ConflictMode.CLEAR])
def test_an_empty_backup_changes_nothing(tool, mode):
    tool.backed_up("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    assert tool.imported(mode).outcome == "nothing to do"
    assert tool.rows("SELECT * FROM t") == [(1,)]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_text_comes_back_in_every_encoding(tool, encoding):
    tool.backed_up(
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE t (id TEXT PRIMARY KEY, x);"
        "INSERT INTO t VALUES ('é', '👩'), ('z', 'a' || char(0) || 'b'), ('', x'ff');",
        "DELETE FROM t WHERE id = 'é'; UPDATE t SET x = '' WHERE id = 'z';",
    )
    assert counts(tool.imported()) == {"t": (1, 1, 1, 0, 0)}
    assert tool.rows() == [("", b"\xff"), ("z", "a\0b"), ("é", "👩")]


def test_half_a_surrogate_pair_in_utf16_comes_back(tool):
    tool.backed_up(
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, x);"
        "INSERT INTO t VALUES (1, CAST(x'610000d8' AS TEXT)), (2, CAST(x'00dc6100' AS TEXT));",
        "DELETE FROM t",
    )
    assert counts(tool.imported()) == {"t": (2, 0, 0, 0, 0)}
    assert tool.stored() == tool.original
    assert tool.imported().outcome == "nothing to do"
