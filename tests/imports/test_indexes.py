"""After an import a full-text or spatial index finds exactly what its table holds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from holdfast.errors import ImportConflict
from holdfast.works import ConflictMode
from tests.conftest import run_sql, stored
from tests.imports.conftest import WRITING_MODES, written

WRITING_NOTES = [ConflictMode.OVERWRITE, ConflictMode.MERGE, ConflictMode.CLEAR]
NOTES = "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, updated_at INT);"
ROWS = "INSERT INTO t VALUES (1, 'lost', 5), (2, 'old', 5), (3, 'same', 5), (4, 'stays', 5);"
CHANGED = (
    "DELETE FROM t WHERE id = 1; UPDATE t SET x = 'new', updated_at = 4 WHERE id = 2;"
    "INSERT INTO t VALUES (9, 'added', 5);"
)
WORDS = ("lost", "old", "same", "stays", "new", "added")


def upkeep(insert, delete):
    """The three triggers that keep an index up, of what adds a row to it and what removes one."""
    return (
        f"CREATE TRIGGER a AFTER INSERT ON t BEGIN {insert} END;"
        f"CREATE TRIGGER d AFTER DELETE ON t BEGIN {delete} END;"
        f"CREATE TRIGGER u AFTER UPDATE ON t BEGIN {delete} {insert} END;"
    )


FTS5_UPKEEP = upkeep(
    "INSERT INTO i (rowid, x) VALUES (new.{id}, new.x);",
    "INSERT INTO i (i, rowid, x) VALUES ('delete', old.{id}, old.x);",
)
PLAIN_UPKEEP = upkeep(
    "INSERT INTO i (rowid, x) VALUES (new.{id}, new.x);", "DELETE FROM i WHERE rowid = old.{id};"
)
FTS4_UPKEEP = (
    "CREATE TRIGGER bu BEFORE UPDATE ON t BEGIN DELETE FROM i WHERE docid = old.{id}; END;"
    "CREATE TRIGGER bd BEFORE DELETE ON t BEGIN DELETE FROM i WHERE docid = old.{id}; END;"
    "CREATE TRIGGER au AFTER UPDATE ON t BEGIN"
    " INSERT INTO i (docid, x) VALUES (new.{id}, new.x); END;"
    "CREATE TRIGGER ai AFTER INSERT ON t BEGIN"
    " INSERT INTO i (docid, x) VALUES (new.{id}, new.x); END;"
)


@dataclass(frozen=True)
class Index:
    """A full-text index of the table t."""

    sql: str
    upkeep: str = ""
    fill: str = ""  # without triggers: how the tool brings it up to date
    check: str = ""


FTS5_CHECK = "INSERT INTO i (i, rank) VALUES ('integrity-check', 1)"
FTS5_OWN_CHECK = "INSERT INTO i (i) VALUES ('integrity-check')"
REBUILD = "INSERT INTO i (i) VALUES ('rebuild');"
REFILL = "DELETE FROM i; INSERT INTO i (rowid, x) SELECT {id}, x FROM t;"
INDEXES = {
    "FTS5, external, triggers": Index(
        "CREATE VIRTUAL TABLE i USING fts5 (x, content=t, content_rowid={id});",
        FTS5_UPKEEP,
        check=FTS5_CHECK,
    ),
    "FTS5, external": Index(
        "CREATE VIRTUAL TABLE i USING fts5 (x, content=t, content_rowid={id});",
        fill=REBUILD,
        check=FTS5_CHECK,
    ),
    "FTS5, external, a trigger for new rows alone": Index(
        "CREATE VIRTUAL TABLE i USING fts5 (x, content=t, content_rowid={id});",
        "CREATE TRIGGER a AFTER INSERT ON t BEGIN"
        " INSERT INTO i (rowid, x) VALUES (new.{id}, new.x); END;",
        fill=REBUILD,
        check=FTS5_CHECK,
    ),
    "FTS5, external, of a view": Index(
        "CREATE VIEW v AS SELECT {id} AS r, x FROM t;"
        "CREATE VIRTUAL TABLE i USING fts5 (x, content=v, content_rowid=r);",
        fill=REBUILD,
        check=FTS5_CHECK,
    ),
    "FTS5, own, triggers": Index(
        "CREATE VIRTUAL TABLE i USING fts5 (x);", PLAIN_UPKEEP, check=FTS5_OWN_CHECK
    ),
    "FTS5, own": Index("CREATE VIRTUAL TABLE i USING fts5 (x);", fill=REFILL, check=FTS5_OWN_CHECK),
    "FTS5, contentless, triggers": Index(
        "CREATE VIRTUAL TABLE i USING fts5 (x, content='');", FTS5_UPKEEP, check=FTS5_OWN_CHECK
    ),
    "FTS5, contentless_delete, triggers": Index(
        "CREATE VIRTUAL TABLE i USING fts5 (x, content='', contentless_delete=1);",
        PLAIN_UPKEEP,
        check=FTS5_OWN_CHECK,
    ),
    "FTS4, own, triggers": Index(
        "CREATE VIRTUAL TABLE i USING fts4 (x);", FTS4_UPKEEP, check=FTS5_OWN_CHECK
    ),
    "FTS4, own": Index(
        "CREATE VIRTUAL TABLE i USING fts4 (x);",
        fill=REFILL.replace("rowid", "docid"),
        check=FTS5_OWN_CHECK,
    ),
    "FTS4, external": Index(
        "CREATE VIRTUAL TABLE i USING fts4 (content=t, x);", fill=REBUILD, check=FTS5_OWN_CHECK
    ),
    "FTS4, external, triggers": Index(
        "CREATE VIRTUAL TABLE i USING fts4 (content=t, x);", FTS4_UPKEEP, check=FTS5_OWN_CHECK
    ),
    "FTS3, own, triggers": Index("CREATE VIRTUAL TABLE i USING fts3 (x);", FTS4_UPKEEP),
}
KEPT_UP = {name: index for name, index in INDEXES.items() if index.upkeep and not index.fill}


def finds_what_is_there(tool, key="id"):
    """Every word is found in just the rows of t that hold it."""
    for word in WORDS:
        found = tool.rows(f"SELECT rowid FROM i WHERE i MATCH '{word}' ORDER BY rowid")
        there = tool.rows(f"SELECT {key} FROM t WHERE x = '{word}' ORDER BY {key}")
        assert (word, found) == (word, there)
    return True


ALL = [
    pytest.param(index, mode, id=f"{name}-{mode}")
    for name, index in INDEXES.items()
    for mode in WRITING_MODES
    if not (mode is ConflictMode.NEWER and "DELETE FROM i" in index.fill)  # rows without a time
]


@pytest.mark.parametrize(("index", "mode"), ALL)
def test_an_index_finds_exactly_what_its_table_holds(tool, index, mode):
    sql, triggers, fill = (
        text.replace("{id}", "id") for text in (index.sql, index.upkeep, index.fill)
    )
    tool.backed_up(NOTES + sql + triggers + ROWS + fill, CHANGED + fill)
    assert finds_what_is_there(tool)
    tool.imported(mode)
    expected = {
        ConflictMode.MERGE: ["lost", "new", "same", "stays", "added"],
        ConflictMode.CLEAR: ["lost", "old", "same", "stays"],
    }.get(mode, ["lost", "old", "same", "stays", "added"])
    assert [x for (x,) in tool.rows("SELECT x FROM t ORDER BY id")] == expected
    assert finds_what_is_there(tool)
    if index.check:
        run_sql(tool.path, index.check)
    assert tool.imported(mode).outcome == "nothing to do"


@pytest.mark.parametrize("mode", WRITING_MODES)
@pytest.mark.parametrize("index", KEPT_UP.values(), ids=KEPT_UP)
@pytest.mark.parametrize("key", ["TEXT PRIMARY KEY", "INT"], ids=["TEXT key", "no key"])
def test_an_index_by_rowid_follows_rows_whose_rowid_another_row_has_taken(tool, key, index, mode):
    sql, triggers = (text.replace("{id}", "rowid") for text in (index.sql, index.upkeep))
    tool.backed_up(
        f"CREATE TABLE t (id {key}, x TEXT, updated_at INT);" + sql + triggers + ROWS,
        # Row 9 gets the rowid that row 4 had.
        "DELETE FROM t WHERE id = 4; INSERT INTO t VALUES (9, 'added', 5);",
    )
    assert finds_what_is_there(tool, "rowid")
    tool.imported(mode)
    added = [] if mode is ConflictMode.CLEAR else ["added"]
    assert [x for (x,) in tool.rows("SELECT x FROM t ORDER BY x")] == sorted(
        ["lost", "old", "same", "stays", *added]
    )
    assert finds_what_is_there(tool, "rowid")
    if index.check:
        run_sql(tool.path, index.check)


def test_an_index_of_its_own_comes_back_row_by_row(tool):
    tool.backed_up(
        "CREATE VIRTUAL TABLE i USING fts5 (title, body);"
        "INSERT INTO i (rowid, title, body) VALUES (1, 'lost', 'a'),"
        " (5, 'old', 'b'), (9, 'c', NULL);",
        "DELETE FROM i WHERE rowid = 1; UPDATE i SET title = 'new' WHERE rowid = 5;"
        "INSERT INTO i (rowid, title) VALUES (20, 'added');",
    )
    report = tool.imported()
    assert written(report) == {"i": (1, 1, 0)}
    assert tool.rows("SELECT rowid, * FROM i ORDER BY rowid") == [
        (1, "lost", "a"),
        (5, "old", "b"),
        (9, "c", None),
        (20, "added", None),
    ]
    find = "SELECT rowid FROM i WHERE i MATCH "
    assert [tool.rows(f"{find}'{word}'") for word in ("lost", "old", "new", "added")] == [
        [(1,)],
        [(5,)],
        [],
        [(20,)],
    ]
    run_sql(tool.path, FTS5_OWN_CHECK)


@pytest.mark.parametrize("index", KEPT_UP.values(), ids=KEPT_UP)
def test_an_index_kept_up_by_triggers_follows_a_table_that_is_imported_alone(tool, index):
    sql, triggers = (text.replace("{id}", "id") for text in (index.sql, index.upkeep))
    tool.backed_up(NOTES + sql + triggers + ROWS, CHANGED)
    tool.imported(tables=("t",))
    assert finds_what_is_there(tool)
    assert [x for (x,) in tool.rows("SELECT x FROM t ORDER BY id")][:2] == ["lost", "old"]


def test_an_index_that_knows_no_times_is_undecided_when_nothing_but_its_tool_fills_it(tool):
    tool.backed_up(
        "CREATE VIRTUAL TABLE i USING fts5 (x); INSERT INTO i VALUES ('a');", "UPDATE i SET x = 'b'"
    )
    tool.refused(ImportConflict, r"i: 1 \(1\)", ConflictMode.NEWER)


def test_the_name_of_an_index_in_a_trigger_does_not_make_it_fire(tool):
    tool.backed_up(
        NOTES + "CREATE TABLE log (what); CREATE VIRTUAL TABLE search USING fts5 (x, content=t,"
        " content_rowid=id);"
        "CREATE TRIGGER told AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('search again'); END;"
        "CREATE TRIGGER counted AFTER UPDATE ON t BEGIN"
        " INSERT INTO log SELECT count(*) FROM search; END;" + ROWS,
        CHANGED + "DELETE FROM log;",
    )
    tool.imported(tables=("t",))
    assert tool.rows("SELECT * FROM log") == []
    assert tool.rows("SELECT rowid FROM search WHERE search MATCH 'lost'") == [(1,)]


def test_a_trigger_that_keeps_up_an_index_of_a_table_writes_nowhere_else(tool):
    tool.backed_up(
        NOTES + "CREATE TABLE log (what);"
        "CREATE VIRTUAL TABLE i USING fts5 (x, content=t, content_rowid=id);"
        + FTS5_UPKEEP.replace("{id}", "id").replace("END;", "INSERT INTO log VALUES ('hm'); END;")
        + ROWS,
        CHANGED + "DELETE FROM log;",
    )
    tool.imported(tables=("t",))
    assert tool.rows("SELECT * FROM log") == []
    assert finds_what_is_there(tool)


TRIGGERS = (
    "CREATE TABLE log (what); CREATE VIEW v AS SELECT * FROM t;"
    "create  trigger  \"told 'it'\"\nafter insert on t /* ; */ begin"
    " insert into log values (1);end;"
    "CREATE TRIGGER IF NOT EXISTS main.[changed] BEFORE UPDATE OF x ON t WHEN new.x <> old.x BEGIN"
    " SELECT RAISE(ABORT, 'never'); END;"
    "CREATE TRIGGER gone AFTER DELETE ON t FOR EACH ROW BEGIN DELETE FROM log; END;"
    "CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN"
    " INSERT INTO t VALUES (new.id, new.x, 0); END;"
    "CREATE TRIGGER elsewhere AFTER INSERT ON log BEGIN INSERT INTO nowhere VALUES (1); END;"
)


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_triggers_do_not_fire_and_come_back_word_for_word(tool, mode):
    tool.backed_up(NOTES + ROWS, CHANGED + TRIGGERS)
    query = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
    before = tool.rows(query)
    assert len(before) == 5
    tool.imported(mode)
    assert tool.rows(query) == before
    assert tool.rows("SELECT * FROM log") == []
    run_sql(tool.path, "DROP TRIGGER elsewhere; INSERT INTO v VALUES (77, 'through', 0)")
    assert tool.rows("SELECT id FROM t WHERE x = 'through'") == [(77,)]
    assert tool.rows("SELECT * FROM log") == [(1,)]


# Spatial


PLACES = "CREATE TABLE t (id INTEGER PRIMARY KEY, x0, x1, updated_at);"
BOXES = {
    "rtree": "CREATE VIRTUAL TABLE b USING rtree (id, x0, x1);",
    "rtree_i32": "CREATE VIRTUAL TABLE b USING rtree_i32 (id, x0, x1);",
}
BOX_UPKEEP = upkeep(
    "INSERT INTO b VALUES (new.id, new.x0, new.x1);", "DELETE FROM b WHERE id = old.id;"
)
BOX_ROWS = "INSERT INTO t VALUES (1, 1, 2, 5), (2, 20, 30, 5), (3, 3, 4, 5);"
BOX_CHANGED = (
    "DELETE FROM t WHERE id = 1; UPDATE t SET x0 = 40, x1 = 50, updated_at = 4 WHERE id = 2;"
    "INSERT INTO t VALUES (9, 9, 10, 5);"
)


def boxes_agree(tool):
    assert tool.rows("SELECT rtreecheck('b')") == [("ok",)]
    assert tool.rows("SELECT id, x0, x1 FROM b ORDER BY id") == tool.rows(
        "SELECT id, x0, x1 FROM t ORDER BY id"
    )
    return True


@pytest.mark.parametrize("mode", WRITING_MODES)
@pytest.mark.parametrize("module", BOXES)
def test_boxes_that_triggers_keep_are_those_of_their_table(tool, module, mode):
    tool.backed_up(PLACES + BOXES[module] + BOX_UPKEEP + BOX_ROWS, BOX_CHANGED)
    tool.imported(mode)
    assert boxes_agree(tool)
    inside = {ConflictMode.MERGE: [(1,), (3,)], ConflictMode.CLEAR: [(1,), (2,), (3,)]}
    assert tool.rows("SELECT id FROM b WHERE x0 >= 1 AND x1 <= 30 AND id < 9 ORDER BY id") == (
        inside.get(mode, [(1,), (2,), (3,)])
    )


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_boxes_that_triggers_keep_follow_a_table_that_is_imported_alone(tool, mode):
    tool.backed_up(PLACES + BOXES["rtree"] + BOX_UPKEEP + BOX_ROWS, BOX_CHANGED)
    tool.imported(mode, tables=("t",))
    assert boxes_agree(tool)


@pytest.mark.parametrize("module", BOXES)
@pytest.mark.parametrize("mode", WRITING_NOTES)
def test_boxes_of_their_own_are_inserted_changed_and_removed(tool, module, mode):
    tool.backed_up(
        BOXES[module] + "INSERT INTO b VALUES (1, 1, 2), (2, 20, 30), (3, 3, 4);",
        "DELETE FROM b WHERE id = 1; UPDATE b SET x0 = 40, x1 = 50 WHERE id = 2;"
        "INSERT INTO b VALUES (9, 9, 10);",
    )
    report = tool.imported(mode)
    expected = {
        ConflictMode.OVERWRITE: [(1, 1, 2), (2, 20, 30), (3, 3, 4), (9, 9, 10)],
        ConflictMode.MERGE: [(1, 1, 2), (2, 40, 50), (3, 3, 4), (9, 9, 10)],
        ConflictMode.CLEAR: [(1, 1, 2), (2, 20, 30), (3, 3, 4)],
    }[mode]
    counts = {"overwrite": (1, 1, 0), "merge": (1, 0, 0), "clear": (1, 1, 1)}
    assert written(report) == {"b": counts[mode]}
    assert tool.rows("SELECT id, x0, x1 FROM b ORDER BY id") == expected
    assert tool.rows("SELECT rtreecheck('b')") == [("ok",)]
    assert tool.imported(mode).outcome == "nothing to do"


def test_boxes_with_numbers_of_little_precision_and_columns_beside_come_back(tool):
    tool.backed_up(
        "CREATE VIRTUAL TABLE b USING rtree (id, x0, x1, y0, y1, +name TEXT, +data);"
        "INSERT INTO b VALUES (1, 0.1, 0.3, -1e10, 1e-10, 'a', x'00ff'), (2, 0, 0, 0, 0, NULL, 1);",
        "UPDATE b SET x0 = 0, name = 'mine' WHERE id = 1; DELETE FROM b WHERE id = 2;",
    )
    original = [(1, "a", b"\x00\xff"), (2, None, 1)]
    assert written(tool.imported()) == {"b": (1, 1, 0)}
    assert tool.rows("SELECT id, name, data FROM b ORDER BY id") == original
    assert tool.rows("SELECT id FROM b WHERE x0 > 0.09 AND x0 <= 0.1") == [(1,)]
    assert tool.imported().outcome == "nothing to do"


def test_rows_that_only_an_index_holds_and_that_no_trigger_fills_are_warned_of(tool):
    tool.backed_up(
        NOTES
        + "CREATE VIRTUAL TABLE i USING fts5 (x, content='', contentless_delete=1);"
        + ROWS
        + REFILL.replace("{id}", "id"),
        CHANGED,
    )
    report = tool.imported()
    told = [*report.warnings, *(each.table for each in report.plan.skipped)]
    assert any("i" in words.split() for words in told)


def test_a_virtual_table_of_another_kind_does_not_stand_in_the_way(tool):
    tool.backed_up(
        NOTES + "CREATE VIRTUAL TABLE i USING fts5 (x, content=t, content_rowid=id);"
        "CREATE VIRTUAL TABLE terms USING fts5vocab (i, row);" + ROWS + REBUILD,
        CHANGED,
    )
    tool.imported()
    words = tool.rows("SELECT term FROM terms ORDER BY term")
    assert words == [("added",), ("lost",), ("old",), ("same",), ("stays",)]
    assert len(stored(tool.path, "t")) == 5
