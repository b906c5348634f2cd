"""Values that must be unique, and other rules of the database: kept, or refused whole."""

from __future__ import annotations

import pytest

from holdfast.errors import ImportConflict, ImportRefused
from holdfast.works import ConflictMode
from tests.imports.conftest import MODES, WRITING_MODES, written

MAIL = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT, tenant INT, updated_at INT{});{}"
    "INSERT INTO t VALUES (1, 'ann@x', 7, 5), (2, 'bob@x', 7, 5);"
)
# Row 1 has gone, and its address belongs to row 9.
TAKEN = "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (9, 'ann@x', 7, 4);"
SECONDARY = {
    "UNIQUE": (", UNIQUE (mail)", "", r"t\.mail = ann@x"),
    "of two columns": (", UNIQUE (tenant, mail)", "", r"t\.tenant, mail = 7,ann@x"),
    "an index": ("", "CREATE UNIQUE INDEX i ON t (mail);", r"t\.mail = ann@x"),
}


@pytest.mark.parametrize("mode", [mode for mode in WRITING_MODES if mode is not ConflictMode.CLEAR])
@pytest.mark.parametrize(("end", "index", "shown"), SECONDARY.values(), ids=SECONDARY)
def test_a_unique_value_of_another_row_is_a_conflict_with_its_values(tool, end, index, shown, mode):
    tool.backed_up(MAIL.format(end, index), TAKEN)
    plan = tool.planned(mode)["t"]
    assert plan.conflicts == 1
    error = tool.refused(ImportConflict, shown, mode)
    assert error.exit_code == 21 and error.hint


def test_fail_too_calls_a_unique_value_of_another_row_a_conflict(tool):
    tool.backed_up(
        MAIL.format(", UNIQUE (mail)", ""), "DELETE FROM t; INSERT INTO t VALUES (9, 'ann@x', 7, 4)"
    )
    assert tool.planned(ConflictMode.FAIL)["t"].conflicts == 1
    tool.refused(ImportConflict, r"t\.mail = ann@x", ConflictMode.FAIL)


def test_clear_takes_a_unique_value_back_from_a_row_that_goes(tool):
    tool.backed_up(MAIL.format(", UNIQUE (mail)", ""), TAKEN)
    assert written(tool.imported(ConflictMode.CLEAR)) == {"t": (1, 0, 1)}
    assert tool.rows("SELECT id, mail FROM t") == [(1, "ann@x"), (2, "bob@x")]


SWAP = (
    "UPDATE t SET mail = '', updated_at = 4 WHERE id = 1;"
    "UPDATE t SET mail = 'ann@x', updated_at = 4 WHERE id = 2;"
    "UPDATE t SET mail = 'bob@x' WHERE id = 1;"
)
CHAIN = (
    "UPDATE t SET mail = 'new@x', updated_at = 4 WHERE id = 1;"
    "UPDATE t SET mail = 'ann@x', updated_at = 4 WHERE id = 2;"
)


@pytest.mark.parametrize("change", [SWAP, CHAIN], ids=["swap", "chain"])
@pytest.mark.parametrize("mode", ["overwrite", "clear", "newer"])
def test_rows_that_handed_on_a_unique_value_all_come_back(tool, change, mode):
    tool.backed_up(MAIL.format(", UNIQUE (mail)", ""), change)
    assert written(tool.imported(ConflictMode(mode))) == {"t": (0, 2, 0)}
    assert tool.rows("SELECT id, mail FROM t") == [(1, "ann@x"), (2, "bob@x")]


def test_an_index_of_another_collation_conflicts_as_it_compares(tool):
    tool.backed_up(
        MAIL.format("", "CREATE UNIQUE INDEX i ON t (mail COLLATE NOCASE);"),
        "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (9, 'ANN@X', 7, 4);",
    )
    tool.refused(ImportConflict, r"t\.mail = ann@x")


def test_an_index_that_minds_case_is_no_conflict_over_case(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT COLLATE NOCASE);"
        "CREATE UNIQUE INDEX i ON t (mail COLLATE BINARY);"
        "INSERT INTO t VALUES (1, 'ann'), (2, 'ANN');",
        "DELETE FROM t WHERE id = 1",
    )
    assert written(tool.imported()) == {"t": (1, 0, 0)}


def test_a_key_of_another_collation_is_the_row_that_it_says(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT, x, PRIMARY KEY (id COLLATE NOCASE));"
        "INSERT INTO t VALUES ('ann', 1);",
        "UPDATE t SET id = 'ANN', x = 2",
    )
    assert written(tool.imported()) == {"t": (0, 1, 0)}
    assert tool.rows() == [("ann", 1)]


# An index by its SQL, and what a conflict calls it, with the value.
CONDITIONAL = {
    "partial": (
        "CREATE UNIQUE INDEX i ON t (mail) WHERE tenant = 7;",
        "index i of t (mail where tenant = 7) = ann@x",
    ),
    "expression": (
        "CREATE UNIQUE INDEX i ON t (lower(mail));",
        "index i of t (lower(mail)) = ann@x",
    ),
    "partial expression": (
        "CREATE UNIQUE INDEX i ON t (upper(mail), tenant DESC) WHERE tenant > 0;",
        "index i of t (upper(mail), tenant where tenant > 0) = ANN@X,7",
    ),
    "hard to read": (
        'create unique index\nmain."i "" (" on[t]( -- (a\n"mail" || \',)\' COLLATE nocase asc'
        " /* ) */, (tenant)) where (mail IS NOT 'where') AND ([tenant] in (6, 7));",
        'index i " ( of t ("mail" || \',)\' COLLATE nocase, tenant'
        " where (mail IS NOT 'where') AND ([tenant] in (6, 7))) = ann@x,),7",
    ),
}


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode is not ConflictMode.CLEAR])
@pytest.mark.parametrize(("index", "shown"), CONDITIONAL.values(), ids=CONDITIONAL)
def test_a_conflict_over_some_rows_or_an_expression_names_the_index_and_both_rows(
    tool, index, shown, mode
):
    change = TAKEN.replace("WHERE id = 1", "") if mode is ConflictMode.FAIL else TAKEN
    tool.backed_up(MAIL.format("", index), change)
    error = tool.refused(ImportConflict, "t: 1 ", mode)
    assert f"({shown}: row 1 of the backup, row 9 of the database)" in str(error)
    assert error.hint


@pytest.mark.parametrize("mode", WRITING_MODES)
@pytest.mark.parametrize(("index", "_"), CONDITIONAL.values(), ids=CONDITIONAL)
def test_an_index_over_some_rows_or_an_expression_lets_pass_what_fits(tool, index, _, mode):
    tool.backed_up(MAIL.format("", index), "DELETE FROM t WHERE id = 1")
    assert written(tool.imported(mode)) == {"t": (1, 0, 0)}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "rule", ["CHECK (x <> 'no')", "NOT NULL", "CHECK (typeof(x) = 'integer')", "AS (id) STORED"]
)
def test_a_row_that_breaks_a_rule_of_the_database_refuses_all(tool, rule, mode):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'no'), (2, NULL);",
        f"DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, x {rule});",
    )
    tool.refused(ImportRefused, r"\bt\b", mode)


# Rows that hand on a unique value


KEPT_VALUES = {
    "UNIQUE": ("mail TEXT NOT NULL CHECK (mail LIKE '%@x') UNIQUE", ""),
    "of two columns": ("mail TEXT NOT NULL, UNIQUE (tenant, mail)", ""),
    "an expression": ("mail TEXT NOT NULL", "CREATE UNIQUE INDEX i ON t (upper(mail));"),
    "some rows": ("mail TEXT NOT NULL", "CREATE UNIQUE INDEX i ON t (mail) WHERE tenant > 0;"),
    "a generated column": (
        "mail TEXT NOT NULL, low AS (lower(mail) || tenant) UNIQUE",
        "",
    ),
    "NOCASE": ("mail TEXT COLLATE NOCASE NOT NULL UNIQUE", ""),
}
KEYS = {
    "a rowid key": ("id INTEGER PRIMARY KEY", ""),
    "a TEXT key": ("id TEXT PRIMARY KEY", ""),
    "no rowid": ("id TEXT PRIMARY KEY", "WITHOUT ROWID"),
}


@pytest.mark.parametrize(("key", "end"), KEYS.values(), ids=KEYS)
@pytest.mark.parametrize(("columns", "index"), KEPT_VALUES.values(), ids=KEPT_VALUES)
def test_a_swap_leaves_rowids_children_and_what_the_file_lacks(tool, columns, index, key, end):
    tool.backed_up(
        f"CREATE TABLE t ({key}, tenant INT DEFAULT 7, {columns}) {end};{index}"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE);"
        "INSERT INTO t (id, mail) VALUES ('1', 'ann@x'), ('2', 'bob@x'), ('3', 'cai@x');"
        "INSERT INTO c SELECT id, id FROM t;",
        "UPDATE t SET mail = 'tmp@x' WHERE id = '1'; UPDATE t SET mail = 'ANN@x' WHERE id = '2';"
        "UPDATE t SET mail = 'bob@x' WHERE id = '1'; ALTER TABLE t ADD note DEFAULT 'none';"
        "UPDATE t SET note = 'of ' || id;",
    )
    rowids = "SELECT id FROM t ORDER BY id" if end else "SELECT rowid, id FROM t ORDER BY rowid"
    before = tool.rows(rowids)
    assert written(tool.imported()) == {"t": (0, 2, 0)}
    assert tool.rows("SELECT mail, note FROM t ORDER BY id") == [
        ("ann@x", "of 1"),
        ("bob@x", "of 2"),
        ("cai@x", "of 3"),
    ]
    assert tool.rows(rowids) == before
    assert len(tool.rows("SELECT * FROM c")) == 3
    assert tool.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_new_row_takes_the_value_that_a_row_gives_up(tool):
    tool.backed_up(
        MAIL.format(", UNIQUE (mail)", ""),
        "DELETE FROM t WHERE id = 1; UPDATE t SET mail = 'ann@x' WHERE id = 2;",
    )
    assert written(tool.imported()) == {"t": (1, 1, 0)}
    assert tool.rows("SELECT id, mail FROM t") == [(1, "ann@x"), (2, "bob@x")]


def test_a_default_that_another_row_has_is_a_conflict(tool):
    tool.backed_up(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a'), (2, 'b');",
        "DELETE FROM t WHERE id = 1; ALTER TABLE t ADD y DEFAULT 'one';"
        "CREATE UNIQUE INDEX i ON t (y);",
    )
    tool.refused(ImportConflict, r"t\.y = one: row 1 of the backup, row 2 of the database")


def test_rows_of_the_file_that_are_one_row_here_are_named(tool):
    tool.backed_up(
        "CREATE TABLE t (id TEXT PRIMARY KEY, x); INSERT INTO t VALUES ('a', 1), ('A', 2);",
        "DROP TABLE t; CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, x);",
    )
    tool.refused(ImportConflict, r"t\.id: rows a and A of the backup are one row here")
