"""Each mode keeps its promise for every kind of table, and a second import changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from holdfast.errors import ImportConflict
from holdfast.works import ConflictMode
from tests.conftest import everything, run_sql, stored
from tests.imports.conftest import MODES, WRITING_MODES, written


@dataclass(frozen=True)
class Kind:
    """A kind of table: how it is keyed, and the values of its key columns by a row's number."""

    columns: str  # those of the key, each with a comma after it
    names: str
    keys: dict[int, str]
    end: str = ""  # constraints
    options: str = ""  # after the closing bracket
    value: str = "v TEXT"


INTEGERS = {n: str(n) for n in (1, 2, 3, 4, 9)}
TEXTS = {1: "'a'", 2: "'B'", 3: "'ü'", 4: "''", 9: "'z'"}
PAIRS = {1: "1, 'x'", 2: "1, 'y'", 3: "2, 'x'", 4: "2, 'y'", 9: "3, 'x'"}
KINDS = {
    "an INTEGER key": Kind("id INTEGER PRIMARY KEY,", "id", INTEGERS),
    "an AUTOINCREMENT key": Kind("id INTEGER PRIMARY KEY AUTOINCREMENT,", "id", INTEGERS),
    "an INT key": Kind("id INT PRIMARY KEY,", "id", INTEGERS),
    "a DESC key": Kind("id INTEGER PRIMARY KEY DESC,", "id", INTEGERS),
    "a TEXT key": Kind("id TEXT PRIMARY KEY,", "id", TEXTS),
    "a NOCASE key": Kind("id TEXT COLLATE NOCASE PRIMARY KEY,", "id", TEXTS),
    "a REAL key": Kind(
        "id REAL PRIMARY KEY,",
        "id",
        {1: "0.5", 2: "1", 3: "9e999", 4: "5e-324", 9: "0.1"},
    ),
    "a BLOB key": Kind(
        "id BLOB PRIMARY KEY,",
        "id",
        {1: "x''", 2: "x'00'", 3: "x'ff'", 4: "'a'", 9: "x'0000'"},
    ),
    "an untyped key": Kind(
        "id PRIMARY KEY,", "id", {1: "1", 2: "'1'", 3: "x'31'", 4: "1.5", 9: "'a'"}
    ),
    "a composite key": Kind("a INTEGER, b TEXT,", "a, b", PAIRS, ", PRIMARY KEY (b, a)"),
    "WITHOUT ROWID": Kind("id TEXT PRIMARY KEY,", "id", TEXTS, options="WITHOUT ROWID"),
    "a composite key WITHOUT ROWID": Kind(
        "a INTEGER, b TEXT,", "a, b", PAIRS, ", PRIMARY KEY (a, b)", "WITHOUT ROWID"
    ),
    "STRICT": Kind("id INTEGER PRIMARY KEY,", "id", INTEGERS, options="STRICT"),
    "STRICT with an ANY key": Kind(
        "id ANY PRIMARY KEY,",
        "id",
        {1: "1", 2: "'1'", 3: "x'31'", 4: "1.5", 9: "'a'"},
        options="STRICT, WITHOUT ROWID",
    ),
    "generated columns": Kind(
        "id INTEGER PRIMARY KEY, s AS (v || id) STORED, g AS (id + 1) UNIQUE,", "id", INTEGERS
    ),
    "a self reference": Kind(
        "id INTEGER PRIMARY KEY, up INTEGER REFERENCES t ON DELETE CASCADE,",
        "id, up",
        {1: "1, 2", 2: "2, 1", 3: "3, 3", 4: "4, NULL", 9: "9, 4"},
    ),
    "CHECK and NOT NULL": Kind(
        "id INTEGER PRIMARY KEY,", "id", INTEGERS, value="v TEXT NOT NULL CHECK (length(v) > 0)"
    ),
    "a secondary UNIQUE": Kind(
        "id INTEGER PRIMARY KEY, mail TEXT UNIQUE,",
        "id, mail",
        {1: "1, 'a'", 2: "2, 'b'", 3: "3, NULL", 4: "4, NULL", 9: "9, 'z'"},
    ),
}
VALUES = {1: "a", 2: "b", 3: "c", 4: "d"}
CHANGED_AT = "2026-11-20 10:00:00"


def schema(kind: Kind) -> str:
    """A table of a kind, and four rows of it; n is the number of a row."""
    rows = ", ".join(
        f"({n}, {kind.keys[n]}, '{value}', '{CHANGED_AT}')" for n, value in VALUES.items()
    )
    return (
        f"CREATE TABLE t (n INT, {kind.columns} {kind.value}, updated_at TEXT{kind.end})"
        f" {kind.options}; INSERT INTO t (n, {kind.names}, v, updated_at) VALUES {rows};"
    )


def changes(kind: Kind) -> str:
    """Row 1 is gone, 2 changed later, 3 changed to an earlier one, 9 is added."""
    return (
        "DELETE FROM t WHERE n = 1;"
        "UPDATE t SET v = 'later', updated_at = '2026-11-20 10:00:01' WHERE n = 2;"
        "UPDATE t SET v = 'earlier', updated_at = '2026-11-20 09:59:59' WHERE n = 3;"
        f"INSERT INTO t (n, {kind.names}, v, updated_at)"
        f" VALUES (9, {kind.keys[9]}, 'added', '{CHANGED_AT}');"
    )


PROMISED = {
    ConflictMode.MERGE: {1: "a", 2: "later", 3: "earlier", 4: "d", 9: "added"},
    ConflictMode.OVERWRITE: {1: "a", 2: "b", 3: "c", 4: "d", 9: "added"},
    ConflictMode.CLEAR: {1: "a", 2: "b", 3: "c", 4: "d"},
    ConflictMode.NEWER: {1: "a", 2: "later", 3: "c", 4: "d", 9: "added"},
}
WRITTEN = {
    ConflictMode.MERGE: (1, 0, 0),
    ConflictMode.OVERWRITE: (1, 2, 0),
    ConflictMode.CLEAR: (1, 2, 1),
    ConflictMode.NEWER: (1, 1, 0),
}


@pytest.mark.parametrize("mode", WRITING_MODES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_mode_does_what_it_promises_and_a_second_import_nothing(tool, kind, mode):
    tool.backed_up(schema(kind), changes(kind))
    report = tool.imported(mode)
    assert dict(tool.rows("SELECT n, v FROM t")) == PROMISED[mode]
    assert len(tool.rows()) == len(PROMISED[mode])
    assert written(report) == {"t": WRITTEN[mode]}
    assert tool.rows("PRAGMA integrity_check") == [("ok",)]
    before = tool.everything()
    again = tool.imported(mode)
    assert (again.outcome, again.restore_point) == ("nothing to do", None)
    assert tool.everything() == before


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_fail_changes_nothing_where_a_key_is_taken(tool, kind):
    tool.backed_up(schema(kind), changes(kind))
    tool.refused(ImportConflict, r"t: 3 \(", ConflictMode.FAIL)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_fail_brings_all_back_where_no_key_is_taken(tool, kind):
    original = stored(tool.backed_up(schema(kind)).path, "t")
    run_sql(tool.path, "DELETE FROM t")
    assert written(tool.imported(ConflictMode.FAIL)) == {"t": (4, 0, 0)}
    assert stored(tool.path, "t") == original


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_clear_leaves_the_rows_of_the_file_and_no_others_byte_for_byte(tool, kind):
    original = stored(tool.backed_up(schema(kind)).path, "t")
    run_sql(tool.path, changes(kind))
    tool.imported(ConflictMode.CLEAR)
    assert stored(tool.path, "t") == original


@pytest.mark.parametrize("mode", MODES)
def test_fail_looks_at_all_tables_and_the_others_at_each_on_its_own(tool, mode):
    tool.backed_up(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, x); CREATE TABLE z (id INTEGER PRIMARY KEY, x);"
        "INSERT INTO a VALUES (1, 'a'); INSERT INTO z VALUES (1, 'z');",
        "DELETE FROM a",
    )
    if mode is ConflictMode.FAIL:
        tool.refused(ImportConflict, r"z: 1 \(1\)", mode)
    else:
        assert written(tool.imported(mode)) == {"a": (1, 0, 0)}


# Rows without a key


NO_KEY = (
    "CREATE TABLE t (n, v); INSERT INTO t VALUES (1, 'a'), (1, 'a'), (1, 'a'), (2, NULL),"
    " (2, NULL);"
)
NO_KEY_CHANGED = (
    "DELETE FROM t WHERE rowid IN (1, 2, 5); INSERT INTO t VALUES (9, 'added'), (9, 'added');"
)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode is not ConflictMode.CLEAR])
def test_rows_without_a_key_come_back_as_often_as_they_were(tool, mode):
    tool.backed_up(NO_KEY, NO_KEY_CHANGED)
    assert written(tool.imported(mode)) == {"t": (3, 0, 0)}
    back = [(1, "a")] * 3 + [(2, None)] * 2
    assert tool.rows() == [*back, *[(9, "added")] * 2]
    assert tool.imported(mode).outcome == "nothing to do"


def test_clear_removes_just_the_rows_without_a_key_that_are_too_many(tool):
    tool.backed_up(
        NO_KEY,
        "INSERT INTO t VALUES (1, 'a'), (2, NULL), (2, NULL), (2, ''), (9, 'added');"
        "DELETE FROM t WHERE rowid = 1;",
    )
    assert written(tool.imported(ConflictMode.CLEAR)) == {"t": (0, 0, 4)}
    assert tool.rows() == [(1, "a")] * 3 + [(2, None)] * 2
    assert tool.imported(ConflictMode.CLEAR).outcome == "nothing to do"


def test_clear_tells_values_without_a_key_apart_by_type(tool):
    tool.backed_up(
        "CREATE TABLE t (v); INSERT INTO t VALUES (1), (0.0), ('a'), (NULL), (x'');",
        "INSERT INTO t VALUES (1.0), (-0.0), ('A'), (''), (x'00'), ('1');",
    )
    assert written(tool.imported(ConflictMode.CLEAR)) == {"t": (0, 0, 6)}
    assert stored(tool.path, "t") == [
        ("b'blob'", "b''"),
        ("b'integer'", "1"),
        ("b'null'", "None"),
        ("b'real'", "0.0"),
        ("b'text'", "b'a'"),
    ]


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_rows_without_a_key_whose_columns_hide_the_rowid_follow_the_mode(tool, mode):
    tool.backed_up(
        "CREATE TABLE t (rowid, _rowid_, oid); INSERT INTO t VALUES (1, 2, 3), (1, 2, 3);",
        "DELETE FROM t; INSERT INTO t VALUES (1, 2, 3), (9, 9, 9);",
    )
    tool.imported(mode)
    added = [] if mode is ConflictMode.CLEAR else [(9, 9, 9)]
    assert tool.rows() == [(1, 2, 3), (1, 2, 3), *added]


NULL_KEYS = (
    "CREATE TABLE t (id TEXT PRIMARY KEY, v, updated_at);"
    "INSERT INTO t VALUES (NULL, 'a', 1), (NULL, 'a', 1), (NULL, 'b', 1), ('k', 'c', 1);"
)


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_rows_whose_key_is_null_are_told_apart_by_all_they_hold(tool, mode):
    tool.backed_up(
        NULL_KEYS, "DELETE FROM t WHERE rowid IN (1, 3); INSERT INTO t VALUES (NULL, 'added', 1)"
    )
    removed = int(mode is ConflictMode.CLEAR)
    assert written(tool.imported(mode)) == {"t": (2, 0, removed)}
    added = [] if removed else ["added"]
    keyless = ["a", "a", "b", *added]
    assert tool.rows("SELECT id, v FROM t ORDER BY id, v") == [
        *[(None, v) for v in sorted(keyless)],
        ("k", "c"),
    ]
    assert tool.imported(mode).outcome == "nothing to do"


def test_a_null_key_is_never_taken(tool):
    tool.backed_up(NULL_KEYS, "DELETE FROM t WHERE id = 'k'")
    assert written(tool.imported(ConflictMode.FAIL)) == {"t": (1, 0, 0)}


# Wide tables


@pytest.mark.parametrize("mode", WRITING_MODES)
@pytest.mark.parametrize("key", ["INTEGER PRIMARY KEY", "TEXT PRIMARY KEY", ""])
@pytest.mark.parametrize("width", [700, 2000])
def test_a_table_of_up_to_2000_columns_follows_the_mode(tool, width, key, mode):
    columns = ", ".join(f"c{number}" for number in range(width - 2))
    values = ", ".join(["'x'"] * (width - 2))
    tool.backed_up(
        f"CREATE TABLE t (id {key}, updated_at, {columns});"
        f"INSERT INTO t VALUES ('1', 5, {values}), ('2', 5, {values});",
        f"DELETE FROM t WHERE id = '1'; UPDATE t SET c{width - 3} = 'mine', updated_at = 4;"
        f"INSERT INTO t VALUES ('3', 5, {values});",
    )
    tool.imported(mode)
    found = {
        str(a): b for a, b in tool.rows(f"SELECT id, c{width - 3} FROM t WHERE updated_at = 5")
    }
    expected = {"1": "x", "2": "x", "3": "x"}
    if mode is ConflictMode.CLEAR:
        del expected["3"]
    if mode is ConflictMode.MERGE and key:
        del expected["2"]
    assert found == expected


# A merge, and a plan


@pytest.mark.parametrize("key", ["INTEGER PRIMARY KEY", "TEXT PRIMARY KEY", "PRIMARY KEY", "NUM"])
def test_merge_never_changes_a_row_that_is_there(tool, key):
    values = "(1, 'a'), (2, 'b'), (3, 'c')"
    tool.backed_up(
        f"CREATE TABLE t (id {key}, x COLLATE NOCASE); INSERT INTO t VALUES {values};",
        "DELETE FROM t WHERE id = 1; UPDATE t SET x = 'B' WHERE id = 2;"
        "UPDATE t SET x = NULL WHERE id = 3; INSERT INTO t VALUES (9, 'added');",
    )
    before = stored(tool.path, "t")
    tool.imported(ConflictMode.MERGE)
    assert [row for row in stored(tool.path, "t") if row in before] == before


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_plan_that_is_confirmed_is_carried_out_as_it_was_shown(tool, mode):
    kind = KINDS["a TEXT key"]
    tool.backed_up(schema(kind), changes(kind))
    before = everything(tool.path)
    plan = tool.imported(mode, yes=False)
    assert everything(tool.path) == before
    done = tool.imported(mode, yes=False, confirm=plan.plan.plan_id)
    assert done.plan.tables == plan.plan.tables
    assert dict(tool.rows("SELECT n, v FROM t")) == PROMISED[mode]
    assert done.restore_point is not None
    assert everything(done.restore_point) == before
