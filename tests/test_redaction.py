"""Secrets are found, replaced and put back, and all else stays as it was written."""

from __future__ import annotations

import pytest

from holdfast.redaction import Secrets, unredacted

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
        *(None, 7, b"{}", "", "no json", '{"key":""}', '{"key":null}', '{"key":[]}', '"key"'),
        *("[1]", "[" * 100_000, '{"key":"x"} y', f'{{"key":"{M1}"}}'),
    ],
    ids=range(13),
)
def test_what_holds_no_key_is_left_as_it_is(cell):
    assert redacted(cell, "c.key") == (cell, 0)


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
        (
            f'{{"a":"{M1}","b":{{"c":"{M2}"}}}}',
            '{"a":"x","b":{"c":"y"}}',
            ["a", "b.c"],
            '{"a":"x","b":{"c":"y"}}',
        ),
    ],
)
def test_a_marker_gives_way_to_what_is_stored(backup, stored, paths, expected):
    assert unredacted(backup, stored, *paths) == expected
