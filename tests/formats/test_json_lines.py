"""JSON Lines: one record a line, for line-based tools."""

from __future__ import annotations

import hashlib
import json

import pytest

from holdfast.errors import BackupDamaged
from holdfast.formats import glance, json_lines, open_backup
from tests.formats.conftest import SMALL


@pytest.fixture
def variant():
    """JSON Lines alone."""
    return (json_lines.FORMAT, "none")


@pytest.fixture
def lines(write):
    """The path of a small backup, and its lines."""
    backup = write(SMALL)
    return backup.path, backup.path.read_bytes().splitlines(keepends=True)


def sealed(lines):
    framing = [line for line in lines[:-1] if line[:1] == b"["]
    seal = hashlib.sha256(b"".join([lines[0], *framing])).hexdigest()
    return b"".join([*lines[:-1], f'["seal","{seal}"]\n'.encode()])


def test_every_line_is_json_and_rows_alone_are_objects_after_the_first(lines):
    records = [json.loads(line) for line in lines[1]]
    assert records[0]["format"] == "holdfast"
    assert [record for record in records[1:] if isinstance(record, dict)] == [
        {"id": 1, "name": "Ann", "photo": {"$base64": True, "encoded": "AP8="}},
        {"id": 2, "name": "Bøb", "photo": None},
        {"$rowid": 1, "name": "new"},
    ]
    kinds = [record[0] for record in records if isinstance(record, list)]
    assert list(dict.fromkeys(kinds)) == ["schema", "layout", "table", "end", "seal"]
    assert kinds == sorted(kinds, key=["schema", "layout", "table", "end", "seal"].index)


def test_the_seal_is_the_hash_of_all_lines_that_are_no_rows(lines):
    path, text = lines
    assert sealed(text) == path.read_bytes()


def test_a_glance_finds_date_and_count(lines):
    assert glance(lines[0]).backup_date == "2026-11-20T14:22:33Z"
    assert glance(lines[0]).row_count == 3


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'["table","tags"]', b'["table","empty"]'),
        (b'["table","tags"]', b'["table",7]'),
        (b'["table","tags"]', b'["seal","tags"]'),
        (b'["table","tags"]', b"[]"),
        (b'["table","empty"]\n', b""),
        (b'"counts":{"contacts":2', b'"counts":{"contacts":1'),
        (b'["end",{', b'["end",{"more":1,'),
        (b'["layout","empty",{', b'["layout","empty",["'),
        (b'["layout","empty",{"', b'["layout","empty",{"other":1,"x'),
        (b'["layout","empty"', b'["layout",{}'),
        (b'["layout","empty"', b'["layout",[]'),
        (b'["schema",{"type":"table"', b'["schema",{"type":7'),
    ],
)
def test_what_contradicts_itself_is_refused_though_its_seal_holds(lines, was, becomes):
    path, _ = lines
    text = path.read_bytes()
    assert was in text
    path.write_bytes(sealed(text.replace(was, becomes, 1).splitlines(keepends=True)))
    if becomes == b'["end",{"more":1,':
        assert open_backup(path).contents().row_count == 3  # a key of a later minor version
        return
    with pytest.raises(BackupDamaged):
        open_backup(path).contents()
