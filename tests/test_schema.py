"""What is read of a database's schema: keys, rowids, references, and the order they ask for."""

from __future__ import annotations

import pytest

from holdfast import database, model
from holdfast.errors import DatabaseError
from holdfast.model import Column, ForeignKey, Rows, SchemaEntry, Table, UniqueIndex, VirtualTable
from holdfast.schema import broken_references, dependency_order, read_facts, read_schema
from tests.conftest import run_sql


@pytest.fixture
def schema_of(make_database):
    """Read the schema of a database that some SQL makes."""

    def read(sql):
        with database.read_only(make_database(sql)) as connection:
            return read_schema(connection)

    return read


@pytest.fixture
def table_of(schema_of):
    """Read the only table that some SQL makes."""

    def read(sql):
        (table,) = schema_of(sql).tables
        return table

    return read


# Keys and rowids


@pytest.mark.parametrize(
    ("definition", "key", "rowid_name"),
    [
        ("(id INTEGER PRIMARY KEY, x)", ("id",), None),
        ("(id INTEGER PRIMARY KEY AUTOINCREMENT, x)", ("id",), None),
        ("(id integer, x, PRIMARY KEY (id DESC))", ("id",), None),
        ("(id INTEGER PRIMARY KEY DESC, x)", ("id",), "rowid"),
        ("(id INT PRIMARY KEY, x)", ("id",), "rowid"),
        ("(id BIGINT PRIMARY KEY, x)", ("id",), "rowid"),
        ("(id TEXT PRIMARY KEY, x)", ("id",), "rowid"),
        ("(id PRIMARY KEY)", ("id",), "rowid"),
        ("(a, b, c, PRIMARY KEY (c, a))", ("c", "a"), "rowid"),
        ("(a, b)", (), "rowid"),
        ("(a UNIQUE NOT NULL)", (), "rowid"),
        ("(id TEXT PRIMARY KEY, x) WITHOUT ROWID", ("id",), None),
        ("(id INTEGER PRIMARY KEY, x) WITHOUT ROWID", ("id",), None),
        ("(a, b, PRIMARY KEY (b, a)) WITHOUT ROWID", ("b", "a"), None),
        ("(rowid, x)", (), "_rowid_"),
        ("(ROWID, _RowId_, x)", (), "oid"),
        ("(rowid, _rowid_, oid)", (), None),
        ("(rowid INTEGER PRIMARY KEY)", ("rowid",), None),
        ("(rowid TEXT PRIMARY KEY)", ("rowid",), "_rowid_"),
        ("(x, rowid AS (x + 1))", (), "_rowid_"),
    ],
)
def test_a_table_has_its_key_and_a_rowid_unless_the_key_is_it(
    table_of, definition, key, rowid_name
):
    table = table_of(f"CREATE TABLE t {definition}")
    assert (table.primary_key, table.rowid_name) == (key, rowid_name)


def test_the_name_found_for_the_rowid_is_the_rowid(make_database):
    path = make_database("CREATE TABLE t (rowid, _rowid_); INSERT INTO t (oid) VALUES (42)")
    with database.read_only(path) as connection:
        (table,) = read_schema(connection).tables
        assert connection.execute(f"SELECT {table.rowid_name} FROM t").fetchone() == (42,)


# Columns


def test_columns_come_as_they_were_declared(table_of):
    table = table_of(
        'CREATE TABLE t (id INTEGER PRIMARY KEY, "a b" VARCHAR(10) NOT NULL,'
        " untyped, n NUMERIC NOT NULL DEFAULT 0, d TEXT DEFAULT NULL)"
    )
    assert table.columns == (
        Column("id", "INTEGER", not_null=False, has_default=False),
        Column("a b", "VARCHAR(10)", not_null=True, has_default=False),
        Column("untyped", "", not_null=False, has_default=False),
        Column("n", "NUMERIC", not_null=True, has_default=True, default="0"),
        Column("d", "TEXT", not_null=False, has_default=True, default="NULL"),
    )


def test_generated_columns_are_left_out(table_of):
    table = table_of(
        "CREATE TABLE t (a, b AS (a + 1) STORED, c INT GENERATED ALWAYS AS (a * 2) VIRTUAL, d)"
    )
    assert table.column_names == ("a", "d")


def test_a_column_added_later_comes_last(table_of):
    table = table_of("CREATE TABLE t (a, g AS (a)); ALTER TABLE t ADD b NOT NULL DEFAULT 1;")
    assert table.columns[1] == Column("b", "", not_null=True, has_default=True, default="1")
    assert table.column_names == ("a", "b")


@pytest.mark.parametrize(
    ("definition", "is_strict"),
    [("(a INT) STRICT", True), ("(a INT PRIMARY KEY) WITHOUT ROWID, STRICT", True), ("(a)", False)],
)
def test_a_strict_table_is_known(table_of, definition, is_strict):
    assert table_of(f"CREATE TABLE t {definition}").is_strict is is_strict


ODD_NAMES = [
    'a"b',
    "a'b",
    "a.b",
    "select",
    "[x]",
    "`",
    "täglich",
    "日本",
    " ",
    "",
    "%",
    "a;--",
    "\n",
]


def test_tables_columns_and_indexes_may_have_any_name(schema_of):
    quoted = [(name, database.quote_identifier(name)) for name in ODD_NAMES]
    schema = schema_of(
        "".join(
            f"CREATE TABLE {sql} ({sql} TEXT PRIMARY KEY, other REFERENCES {sql} ({sql}));"
            f"CREATE UNIQUE INDEX {database.quote_identifier('i' + name)} ON {sql} (other, {sql});"
            for name, sql in quoted
        )
    )
    assert [table.name for table in schema.tables] == sorted(ODD_NAMES)
    for table in schema.tables:
        name = table.name
        assert table.column_names == (name, "other")
        assert table.primary_key == (name,)
        assert table.foreign_keys == (ForeignKey(("other",), name, (name,)),)
        assert table.unique_indexes == (UniqueIndex("i" + name, ("other", name)),)


# Indexes and references


def test_unique_constraints_and_indexes_count_unless_partial_or_of_expressions(table_of):
    table = table_of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b, c, UNIQUE (b, c));"
        "CREATE UNIQUE INDEX whole ON t (c COLLATE NOCASE);"
        "CREATE UNIQUE INDEX part ON t (b) WHERE c IS NULL;"
        "CREATE UNIQUE INDEX expression ON t (lower(b));"
        "CREATE INDEX plain ON t (a);"
    )
    assert {index.columns for index in table.unique_indexes} == {("a",), ("b", "c"), ("c",)}
    assert UniqueIndex("whole", ("c",)) in table.unique_indexes
    assert len(table.unique_indexes) == 3


def test_references_come_with_their_columns_in_order(schema_of):
    schema = schema_of(
        "CREATE TABLE p (a, b, c UNIQUE, PRIMARY KEY (a, b));"
        "CREATE TABLE c (x REFERENCES p (c), y, z,"
        " FOREIGN KEY (y, z) REFERENCES p, FOREIGN KEY (z, y) REFERENCES P (b, a));"
    )
    child = schema.table("C")
    assert child is not None
    assert set(child.foreign_keys) == {
        ForeignKey(("x",), "p", ("c",)),
        ForeignKey(("y", "z"), "p", ()),
        ForeignKey(("z", "y"), "P", ("b", "a")),
    }


# What is no table


def test_views_are_no_tables(schema_of):
    schema = schema_of("CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t")
    assert [table.name for table in schema.tables] == ["t"]


def test_virtual_tables_say_where_their_rows_come_from(schema_of):
    schema = schema_of(
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, body);"
        'CREATE VIRTUAL TABLE "full text" USING FTS5(body, content=docs);'
        "CREATE VIRTUAL TABLE IF NOT EXISTS boxes USING 'rtree'(id, low, high);"
        "CREATE VIRTUAL TABLE old using fts4 (body);"
        "CREATE VIRTUAL TABLE filled USING fts5(body, content='');"
        "CREATE VIRTUAL TABLE words USING fts5vocab(old, row);"
        "CREATE TABLE virtual_table (using_it);"
    )
    found = [(each.name, each.module, each.rows, each.content) for each in schema.virtual_tables]
    assert found == [
        ("full text", "fts5", Rows.REBUILT, "docs"),
        ("boxes", "rtree", Rows.OWN, ""),
        ("old", "fts4", Rows.OWN, ""),
        ("filled", "fts5", Rows.REFILLED, ""),
        ("words", "fts5vocab", Rows.DERIVED, ""),
    ]


def test_a_virtual_table_is_a_table_when_its_rows_are_its_own_and_its_shadows_are_none(schema_of):
    schema = schema_of(
        "CREATE TABLE docs (body); CREATE VIRTUAL TABLE search USING fts5(body, content=docs);"
        "CREATE VIRTUAL TABLE boxes USING rtree(id, low, high);"
        "CREATE VIRTUAL TABLE old USING fts4(body);"
    )
    assert [table.name for table in schema.tables] == ["boxes", "docs", "old"]
    found = {table.name: (table.primary_key, table.rowid_name) for table in schema.tables}
    assert found["boxes"] == (("id",), None)
    assert found["old"] == ((), "rowid")
    assert {entry.name for entry in schema.entries} == {"docs", "search", "boxes", "old"}


def test_a_virtual_table_whose_name_holds_using_keeps_its_module(schema_of):
    schema = schema_of('CREATE VIRTUAL TABLE "notes using tags" USING fts5(body)')
    (table,) = schema.virtual_tables
    assert (table.name, table.module, table.rows) == ("notes using tags", "fts5", Rows.OWN)


def test_a_virtual_table_after_a_comment_is_found(schema_of):
    schema = schema_of("CREATE /* quick */ VIRTUAL -- search\n TABLE t USING fts5(body)")
    shadows = frozenset({"t_data", "t_idx", "t_content", "t_docsize", "t_config"})
    assert schema.virtual_tables == (VirtualTable("t", "fts5", Rows.OWN, shadows=shadows),)


def test_statistics_are_a_table_and_sequences_are_none(schema_of):
    schema = schema_of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE INDEX i ON t (x);"
        "INSERT INTO t VALUES (7, 1); DELETE FROM t; INSERT INTO t VALUES (3, 1); ANALYZE;"
        "CREATE TABLE empty (id INTEGER PRIMARY KEY AUTOINCREMENT);"
    )
    assert "sqlite_sequence" not in [table.name for table in schema.tables]
    assert "sqlite_stat1" in [table.name for table in schema.tables]
    assert schema.sequences == {"t": 7}


def test_an_empty_database_has_no_tables(schema_of):
    schema = schema_of("CREATE TABLE t (a); DROP TABLE t;")
    assert (schema.tables, schema.entries, dict(schema.sequences)) == ((), (), {})


def test_every_statement_comes_in_its_own_words_and_in_order(schema_of):
    schema = schema_of(
        "create table  t(a unique /* why */);CREATE INDEX z ON t(a);"
        "CREATE VIEW v AS SELECT 1; CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END;"
    )
    assert schema.entries == (
        SchemaEntry("table", "t", "t", "CREATE TABLE t(a unique /* why */)"),
        SchemaEntry("index", "z", "t", "CREATE INDEX z ON t(a)"),
        SchemaEntry("view", "v", "v", "CREATE VIEW v AS SELECT 1"),
        SchemaEntry("trigger", "a", "t", "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END"),
    )


def test_a_table_is_found_whatever_the_case_of_its_name(schema_of):
    schema = schema_of("CREATE TABLE Contacts (a)")
    found = schema.table("cONTACTS")
    assert found is not None and found.name == "Contacts"
    assert schema.table("contact") is None


def test_a_table_is_found_without_a_look_at_the_others(schema_of, monkeypatch):
    schema = schema_of("".join(f"CREATE TABLE t{number} (a);" for number in range(20)))
    assert schema.table("t3") == schema.tables[13]  # t0, t1, t10 ... t19, t2, t3
    looked_at = []

    def folded(name):
        looked_at.append(name)
        return name

    monkeypatch.setattr(model, "folded", folded)
    found = schema.table("t7")
    assert found is not None and found.name == "t7"
    assert looked_at == ["t7"]


def test_facts_of_a_database_are_read(make_database):
    path = make_database(
        "PRAGMA page_size = 8192; PRAGMA auto_vacuum = 1; PRAGMA encoding = 'UTF-16be';"
        "PRAGMA user_version = -7; PRAGMA application_id = 252006674; CREATE TABLE t (a);"
        "PRAGMA journal_mode = wal;"
    )
    with database.read_only(path) as connection:
        facts = read_facts(connection, "tool.db")
    assert (facts.name, facts.user_version, facts.application_id) == ("tool.db", -7, 252006674)
    assert (facts.encoding, facts.page_size, facts.auto_vacuum) == ("UTF-16be", 8192, 1)
    assert facts.journal_mode == "wal"


# Order


def table(name: str, *parents: str) -> Table:
    keys = tuple(ForeignKey(("x",), parent, ()) for parent in parents)
    return Table(name, (), (), "rowid", foreign_keys=keys)


@pytest.mark.parametrize(
    ("tables", "first", "expected"),
    [
        ([table("a"), table("b")], [], "a b"),
        ([table("a", "b"), table("b", "c"), table("c")], [], "c b a"),
        ([table("a", "B"), table("b")], [], "b a"),
        ([table("a", "a"), table("b", "a")], [], "a b"),
        ([table("a", "missing")], [], "a"),
        ([table("a", "b"), table("b", "a"), table("c", "a"), table("d")], [], "d a b c"),
        ([table("a", "b"), table("b")], ["A"], "a b"),
        ([table("a"), table("b"), table("c")], ["c", "gone", "b"], "c b a"),
        ([], ["a"], ""),
    ],
)
def test_parents_come_before_the_tables_that_refer_to_them(tables, first, expected):
    assert " ".join(each.name for each in dependency_order(tables, first)) == expected


def test_a_table_named_twice_to_come_first_comes_once():
    assert [each.name for each in dependency_order([table("a"), table("b")], ["b", "B"])] == [
        "b",
        "a",
    ]


def test_a_definition_that_is_not_utf8_is_refused_and_not_changed_silently(tmp_path):
    path = tmp_path / "tool.db"
    run_sql(
        path,
        "CREATE TABLE t (x DEFAULT 'caf?'); PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = CAST(CAST(replace(sql, '?''', '') AS BLOB) || x'e927'"
        " || ')' AS TEXT);",
    )
    with (
        database.read_only(path) as connection,
        pytest.raises(DatabaseError, match="not UTF-8"),
    ):
        read_schema(connection)


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        (None, {("notes", "people"): 2, ("tags", "notes"): 1, ("tags", "gone"): 1}),
        (["notes"], {("notes", "people"): 2}),
        (["people", "not a table", "tags"], {("tags", "notes"): 1, ("tags", "gone"): 1}),
        ([], {}),
    ],
)
def test_broken_references_are_counted_of_all_tables_or_of_those_named(
    make_database, tables, found
):
    path = make_database(
        "CREATE TABLE people (id INTEGER PRIMARY KEY);"
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, of INTEGER REFERENCES people (id));"
        "CREATE TABLE tags (note INTEGER REFERENCES notes (id), of INTEGER REFERENCES gone (id));"
        "INSERT INTO notes VALUES (1, 5), (2, NULL), (3, 5);"
        "INSERT INTO tags VALUES (9, 1), (1, NULL);"
    )
    with database.read_only(path) as connection:
        assert broken_references(connection, tables) == found
