"""One SQLite value as JSON: it comes back with its value and its type, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.cells import InvalidText, RowReader, RowWriter, encode_cell
from tests.strategies import VALUES, exact


def there_and_back(columns, rows):
    return RowReader(columns).rows(RowWriter(columns).lines(rows))


@settings(deadline=None)
@given(VALUES)
@example(InvalidText(b"\xff"))
@example(float("-inf"))
def test_every_value_comes_back_with_its_type(value):
    line = json.dumps({"x": encode_cell(value)}, allow_nan=False) + "\n"
    assert [exact(*row) for row in RowReader(["x"]).rows(line.encode())] == [exact(value)]


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1))
def test_rows_come_back_with_the_type_of_each_value(rows):
    found = there_and_back(["id", "value"], rows)
    assert [tuple(map(exact, row)) for row in found] == [tuple(map(exact, row)) for row in rows]


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1))
def test_each_row_is_one_line_that_any_json_program_reads(rows):
    lines = RowWriter(["id", "value"]).lines(rows)
    assert lines.endswith(b"\n") and lines.count(b"\n") == len(rows)
    for line in lines.splitlines():
        assert list(json.loads(line)) == ["id", "value"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (-(2**63), "-9223372036854775808"),
        (2**53 + 1, "9007199254740993"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (5e-324, "5e-324"),
        (0.30000000000000004, "0.30000000000000004"),
        (float("inf"), '{"$real":"inf"}'),
        (float("-inf"), '{"$real":"-inf"}'),
        ("a\0\u2028é", '"a\\u0000\u2028é"'),
        (b"", '{"$base64":true,"encoded":""}'),
        (b"\x00\xff", '{"$base64":true,"encoded":"AP8="}'),
        (InvalidText(b"\xff"), '{"$text":"/w=="}'),
    ],
)
def test_a_value_is_written_in_one_documented_way(value, text):
    assert RowWriter(["x"]).lines([(value,)]).decode() == f'{{"x":{text}}}\n'


@pytest.mark.parametrize(
    "text", ['{"$base64": true, "encoded": "AP8="}', '{"$real": "inf"}', "$rowid", "null", "1"]
)
def test_text_that_looks_like_something_else_stays_text(text):
    assert there_and_back(["x"], [(text,)]) == [(text,)]


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        "[]",
        "[1]",
        '{"$real":"nan"}',
        '{"$real":"inf","more":1}',
        '{"$real":1}',
        '{"$base64":true}',
        '{"$base64":1,"encoded":"AP8="}',
        '{"$base64":true,"encoded":"AP8"}',
        '{"$base64":true,"encoded":"A P8="}',
        '{"$base64":true,"encoded":7}',
        '{"$base64":true,"encoded":"AP8=","more":1}',
        '{"$text":"é"}',
        '{"$text":null}',
        '{"$other":"AP8="}',
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e400",
        "NaN",
        "Infinity",
    ],
)
def test_what_no_sqlite_value_is_written_as_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 - whichever kind of it
        RowReader(["x"]).rows(f'{{"x":{value}}}\n'.encode())


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b'{"a":1}\n',
        b'{"a":1,"b":2,"c":3}\n',
        b'{"a":1,"B":2}\n',
        b'{"a":1,"b":2\n',
        b"[1,2]\n",
        b"null\n",
        b'{"a":1,"b":"\xff"}\n',
    ],
)
@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", '"')], ids=["plain", "odd"])
def test_a_line_that_is_not_a_row_of_the_table_is_refused(line, names):
    reader = RowReader(names)
    with pytest.raises(ValueError):  # noqa: PT011
        reader.rows(line)


def test_true_and_false_of_foreign_files_are_1_and_0_as_sqlite_has_them():
    assert [exact(value) for value in RowReader(["a", "b"]).rows(b'{"a":true,"b":false}\n')[0]] == [
        (int, "1"),
        (int, "0"),
    ]


NAMES = [
    'a"b',
    "back\\slash",
    "tab\t",
    "\x01",
    "\n",
    "",
    "c1",
    "c0",
    "naïve",
    "🙂",
    "$rowid",
    "a.b",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_may_have_any_name(name):
    line = RowWriter([name, "other"]).lines([(1, b"x")])
    assert json.loads(line) == {name: 1, "other": {"$base64": True, "encoded": "eA=="}}
    assert RowReader([name, "other"]).rows(line) == [(1, b"x")]


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=6, unique=True))
def test_columns_keep_their_names_and_their_order(names):
    row = tuple(range(len(names)))
    line = RowWriter(names).lines([row])
    assert list(json.loads(line).items()) == list(zip(names, row, strict=True))
    assert RowReader(names).rows(line) == [row]


def test_a_table_may_have_2000_columns():
    names = [f"column {number}" for number in range(2000)]
    row = tuple(range(2000))
    assert there_and_back(names, [row, row]) == [row, row]


def test_no_rows_are_no_lines():
    assert RowWriter(["x"]).lines([]) == b""
    assert RowReader(["x"]).rows(b"") == []
