"""The parts of CREATE statements, however they are written."""

from __future__ import annotations

import pytest

from holdfast.definitions import (
    ColumnClauses,
    column_clauses,
    default_clause,
    index_parts,
    is_constant,
    names_in,
)

INDEXES = {
    "CREATE INDEX i ON t (a, b DESC)": (("a", "b"), ""),
    "CREATE INDEX i ON t(lower(a), b COLLATE NOCASE ASC)WHERE a>0": (
        ("lower(a)", "b COLLATE NOCASE"),
        "a>0",
    ),
    'CREATE INDEX "(i" ON [t(] -- (x\n("a,""b", (a + (b)) /* , */)': (
        ('"a,""b"', "(a + (b))"),
        "",
    ),
    "CREATE INDEX i ON t (a || ')' || x'29', iif(a, b, 'it''s'))\nwhere b IN (1, ')')": (
        ("a || ')' || x'29'", "iif(a, b, 'it''s')"),
        "b IN (1, ')')",
    ),
    "CREATE INDEX i ON `t``` (`desc` DESC, ascending)": (("`desc`", "ascending"), ""),
    "": (("",), ""),
}


@pytest.mark.parametrize(("sql", "parts"), INDEXES.items())
def test_an_index_is_parted_into_its_terms_and_its_condition(sql, parts):
    assert index_parts(sql) == parts


def test_the_clauses_of_columns_are_found_among_all_others():
    sql = """CREATE TABLE "t (" (
        id INTEGER PRIMARY KEY, -- the key, COLLATE nothing
        "a b" TEXT NOT NULL DEFAULT ('AS (' || 'x') collate "no case" CHECK ("a b" > ''),
        [g] GENERATED ALWAYS AS (id + (1)) STORED UNIQUE, h int as (g), Ü,
        CONSTRAINT named CHECK (id > 0), PRIMARY KEY (id), unique (h COLLATE NOCASE)
    ) STRICT"""
    assert column_clauses(sql) == {
        "id": ColumnClauses(),
        "a b": ColumnClauses(collation='collate "no case"'),
        "g": ColumnClauses(generated="AS (id + (1))"),
        "h": ColumnClauses(generated="as (g)"),
        "Ü": ColumnClauses(),
    }


def test_the_names_in_an_expression_are_not_those_in_its_text():
    assert names_in("lower(\"A b\") || 'c' /* d */ > [E]") == {"lower", "a b", "e"}


@pytest.mark.parametrize("sql", ["0", "-1.5e3", "+ 7", "0x1F", "'it''s'", "x'00ff'", "TRUE", ".5"])
def test_one_value_is_constant(sql):
    assert is_constant(sql)
    assert default_clause(sql) == f"DEFAULT {sql}"


@pytest.mark.parametrize("sql", ["", "1 + 2", "lower('A')", "CURRENT_TIMESTAMP", "'a' || 'b'"])
def test_what_has_to_be_computed_is_not_constant(sql):
    assert not is_constant(sql)


def test_a_default_that_is_computed_gets_its_brackets_back():
    assert default_clause("1 + 2") == "DEFAULT (1 + 2)"
    assert default_clause("CURRENT_TIMESTAMP") == "DEFAULT CURRENT_TIMESTAMP"
