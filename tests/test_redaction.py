"""Secrets are found, replaced and put back, and all else stays as it was written."""

from __future__ import annotations

import pytest

from holdfast.cells import InvalidText
from holdfast.redaction import Secrets, is_known_to_version_1, secrets_in, unredacted

M1, M2 = "[redacted by holdfast 1]", "[redacted by holdfast 2]"


def redacted(cell, secret="c", **options):
    secrets = Secrets(["id", "c"], [secret], redact=True, **options)
    [(_, found)] = secrets.rows([(1, cell)])
    return found, secrets.counts[secret]


@pytest.mark.parametrize("cell", ["s3cret", " ", 0, 1.5, b"\0", "null"])
def test_a_value_is_a_secret(cell):
    assert redacted(cell) == (M1, 1)


@pytest.mark.parametrize("cell", [None, "", b"", M1])
def test_nothing_is_no_secret(cell):
    assert redacted(cell) == (cell, 0)


@pytest.mark.parametrize(
    ("cell", "secret", "found"),
    [
        ('{"key" : "x", "n":1.50}', "c.key", f'{{"key" : "{M1}", "n":1.50}}'),
        ('{"a": {"key": {"x": 1}}}', "c.a.key", f'{{"a": {{"key": "{M1}"}}}}'),
        ('[{"k":"a"},{"k":"b"},{}]', "c.k", f'[{{"k":"{M1}"}},{{"k":"{M2}"}},{{}}]'),
        ('{"l":[[{"k":1}]]}', "c.l.k", f'{{"l":[[{{"k":"{M1}"}}]]}}'),
        ('{"\\u006bey":"a","key":"b"}', "c.key", f'{{"\\u006bey":"{M1}","key":"{M2}"}}'),
    ],
)
def test_in_json_the_secret_alone_is_replaced(cell, secret, found):
    assert redacted(cell, secret) == (found, 1)


@pytest.mark.parametrize(
    "cell",
    [
        *(None, 7, 1.5, "", b"", '{"key":""}', '{"key":null}', '{"key":[]}', '"key"', "[1]"),
        *('{"a\nb":1}', f'{{"key":"{M1}"}}'),
    ],
)
def test_what_holds_no_key_is_left_as_it_is(cell):
    assert redacted(cell, "c.key") == (cell, 0)


@pytest.mark.parametrize("secret", ["c.key", "c.**"])
@pytest.mark.parametrize(
    "cell",
    [
        *("no json", '{"key":"x"} y', '{"key":"x"', "{key:'x'}", '\ufeff{"key":"x"}'),
        *(b'{"key":"x"}', b"\x47key\x17x", InvalidText(b'{"key":"\xff"}')),
        *("[" * 100_000, f'{{"key":"x","n":{"1" * 5_000}}}'),
    ],
    ids=range(10),
)
def test_what_cannot_be_looked_into_is_a_secret_as_a_whole(cell, secret):
    assert redacted(cell, secret) == (M1, 1)
    assert redacted(M1, secret) == (M1, 0)


def test_a_marker_that_is_there_is_no_secret_and_is_unlike_those_that_follow():
    secrets = Secrets(["c"], ["c"], redact=True)
    assert secrets.rows([("x",), (M1,), (M1,)]) == [(M1,), (M2,), ("[redacted by holdfast 3]",)]
    assert secrets.counts == {"c": 1}
    secrets = Secrets(["c"], ["c.k"], redact=True)
    assert secrets.rows([('{"k":"x"}',), (f'{{"k":"{M1}"}}',)]) == [
        (f'{{"k":"{M1}"}}',),
        (f'{{"k":"{M2}"}}',),
    ]
    assert secrets.counts == {"c.k": 1}


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *[("a.key", True), ("*.key", True), ("*", True), ("a*y", True), ("*key*", True)],
        *[("a", False), ("a.ke", False), ("*.keys", False), ("a?key", False), ("A.key", False)],
    ],
)
def test_it_is_a_secret_in_the_rows_that_are_named_alone(name, is_one):
    secrets = Secrets(["id", "c"], [f"c[id={name}]"], redact=True)
    rows = [("a.key", "x"), ("b", None), (None, "y"), ("a.key", "")]
    shown = [("a.key", M1 if is_one else "x"), *rows[1:]]
    if name == "*":
        shown[2] = (None, M2)
    assert secrets.rows(rows) == shown
    assert secrets.counts[f"c[id={name}]"] == (2 if name == "*" else is_one)


def test_what_is_in_other_rows_and_other_keys_is_left():
    secrets = Secrets(["c", "id"], ["c[id=a].b"], redact=True)
    assert secrets.rows([('{"b":"x","d":"y"}', "a"), ('{"b":"x"}', "b"), ('{"b":"x"}', 7)]) == [
        (f'{{"b":"{M1}","d":"y"}}', "a"),
        ('{"b":"x"}', "b"),
        ('{"b":"x"}', 7),
    ]


def test_the_row_is_told_by_what_was_there_where_that_is_a_secret_itself():
    secrets = Secrets(["id", "c"], ["id", "c[id=a]"], redact=True)
    assert secrets.rows([("a", "x")]) == [(M1, M2)]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('"sk"', f'"{M1}"'),
        ('["a" ,"", "b"]', f'["{M1}" ,"", "{M2}"]'),
        ('{"a": {"b": [1, true, null]}}', f'{{"a": {{"b": ["{M1}", true, null]}}}}'),
        ('[{"id":"i","k":-1.5}]', f'[{{"id":"{M1}","k":"{M2}"}}]'),
        *((cell, f'"{M1}"') for cell in (12, -1.5, "12")),
        *((cell, cell) for cell in ("true", "null", '""', "[]", "{}", None)),
    ],
)
def test_of_all_in_json_texts_and_numbers_alone_are_replaced(cell, found):
    assert redacted(cell, "c.**") == (found, int(cell != found))


def test_an_asterisk_within_a_key_is_any_characters():
    cell = '{"a_key":"x","key":"y","a_keys":"z","b":{"b_key":["v"]}}'
    expected = f'{{"a_key":"{M1}","key":"y","a_keys":"z","b":{{"b_key":["v"]}}}}'
    assert redacted(cell, "c.*_key.**") == (expected, 1)
    expected = f'{{"a_key":"x","key":"y","a_keys":"z","b":{{"b_key":["{M1}"]}}}}'
    assert redacted(cell, "c.*.*_key.**") == (expected, 1)


def test_names_take_the_spelling_of_the_columns_that_are_there():
    names = ["", ".x", "[key=a]", "a[b]", "VALUE[Key=Aa].Bb", "value[none=a]", "none[key=a]"]
    names += ["Value.x"]
    assert secrets_in(["key", "value"], names) == ("value[key=Aa].Bb", "value.x")


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        *[("token", True), ("c.a.b", False), ("c.*.b", False)],
        *[("c[a=b]", False), ("c[a=b].d", False), ("c.**", False), ("c.a*.b", False)],
    ],
)
def test_a_name_that_older_readers_do_not_know_is_told(name, is_known):
    assert is_known_to_version_1({"t": ("token",), "u": ("x", name)}) is is_known


def test_secrets_are_counted_and_left_when_they_are_not_to_be_replaced():
    secrets = Secrets(["c"], ["c"], redact=False)
    assert secrets.rows([("x",), (None,), ("y",)]) == [("x",), (None,), ("y",)]
    assert secrets.counts == {"c": 2}


def test_without_numbers_all_secrets_and_markers_are_alike():
    found = {redacted(cell, numbered=False)[0] for cell in ("x", "y", M1, M2)}
    assert found == {"[redacted by holdfast 0]"}


@pytest.mark.parametrize(
    ("backup", "stored", "paths", "expected"),
    [
        (M1, "living", [""], "living"),
        (M1, None, [""], None),
        ("new", "living", [""], "new"),
        (f'{{"k":"{M1}","n":2}}', '{"n":1, "k": "x"}', ["k"], '{"k":"x","n":2}'),
        (f'{{"k":"{M1}"}}', '{"other": 1}', ["k"], '{"other": 1}'),
        (f'{{"k":"{M1}"}}', None, ["k"], None),
        (f'{{"k":"{M1}"}}', "no json", ["k"], "no json"),
        ('{"k":"new"}', '{"k":"old"}', ["k"], '{"k":"new"}'),
        # Items in another order, told apart by their names.
        (
            f'[{{"name":"a","k":"{M1}"}},{{"name":"b","k":"{M2}"}}]',
            '[{"name":"b","k":"B"},{"name":"a","k":"A"}]',
            ["k"],
            '[{"name":"a","k":"A"},{"name":"b","k":"B"}]',
        ),
        # Told apart by their addresses, also where the key is a secret that may have changed.
        (
            f'[{{"url":"a","key":"{M1}"}},{{"url":"b","key":"{M2}"}}]',
            '[{"url":"b","key":"B"},{"url":"a","key":"A"}]',
            ["key"],
            '[{"url":"a","key":"A"},{"url":"b","key":"B"}]',
        ),
        # Not to be told apart: neither may get the other's.
        (
            f'[{{"name":"a","k":"{M1}"}},{{"name":"b"}}]',
            '[{"name":"a","k":"A"},{"name":"a","k":"B"}]',
            ["k"],
            '[{"name":"a","k":"A"},{"name":"a","k":"B"}]',
        ),
        (f'"{M1}"', '"living"', ["**"], '"living"'),
        (f'"{M1}"', '""', ["**"], '""'),
        (f'"{M1}"', "null", ["**"], "null"),
        (f'"{M1}"', 12, ["**"], "12"),
        (f'{{"k":"{M1}"}}', b"{}", ["k"], b"{}"),
        (M1, "no json", ["k"], "no json"),
        (M1, None, ["k"], None),
        ('"new"', '"living"', ["**"], '"new"'),
        (f'["{M1}","{M2}"]', '["a", "b"]', ["**"], '["a","b"]'),
        (f'["{M1}","{M2}"]', '["a", "b", "c"]', ["**"], '["a", "b", "c"]'),
        (f'["{M1}","{M2}"]', '["a"]', ["**"], '["a"]'),
        (f'["{M1}"]', '"a"', ["**"], '"a"'),
        (
            f'{{"h":{{"A":"{M1}"}},"n":2}}',
            '{"n":1,"h":{"A":"x"}}',
            ["h.**"],
            '{"h":{"A":"x"},"n":2}',
        ),
        (f'{{"h":{{"A":"{M1}"}},"n":2}}', '{"n":1,"h":"x"}', ["h.**"], '{"n":1,"h":"x"}'),
        (M1, "living", ["**", ""], "living"),
        (
            f'{{"a":"{M1}","b":{{"c":"{M2}"}}}}',
            '{"a":"x","b":{"c":"y"}}',
            ["a", "b.c"],
            '{"a":"x","b":{"c":"y"}}',
        ),
    ],
)
def test_a_marker_gives_way_to_what_is_stored(backup, stored, paths, expected):
    found = unredacted(backup, stored, *paths)
    assert (stored if found is None else found) == expected
