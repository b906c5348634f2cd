"""The JSON document: what any JSON program finds in it, line by line."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from msgspec.structs import replace

from holdfast.errors import BackupDamaged, NotABackup
from holdfast.formats import glance, json_document, open_backup
from holdfast.model import Trailer
from tests.formats.conftest import SMALL, read_back, write_backup


@pytest.fixture
def variant():
    """The plain document."""
    return (json_document.FORMAT, "none")


@pytest.fixture
def document(write):
    """The lines of a small backup."""

    def make(sql=SMALL, **changes):
        backup = write(sql, **changes)
        return backup, backup.path.read_bytes().splitlines(keepends=True)

    return make


@pytest.fixture
def pretty(make_database, tmp_path):
    """Write a backup with one column a line."""

    def make(sql=SMALL):
        form = replace(json_document.FORMAT, write=json_document.write_pretty)
        source = make_database(sql, "pretty.db")
        return write_backup(source, tmp_path / "pretty.json", (form, "none"))

    return make


def sealed(lines):
    """Join lines, and seal anew those that are no rows."""
    framing = [line for line in lines[:-1] if lines.index(line) == 0 or line[:1] != b"{"]
    in_schema = [line for line in lines[1:-1] if line.startswith(b'{"type":"')]
    kept = [line for line in lines[:-1] if line in framing or line in in_schema]
    seal = hashlib.sha256(b"".join(kept)).hexdigest().encode()
    return b"".join([*lines[:-1], b'"seal":"' + seal + b'"}\n'])


def test_any_json_program_reads_it(document):
    backup, _ = document()
    found = json.loads(backup.path.read_bytes())
    assert list(found) == [
        *("format", "version", "backup_date", "exported_by", "generator", "type", "groups"),
        *("skipped_tables", "database", "schema", "layout", "tables"),
        *("sequences", "counts", "digests", "seal"),
    ]
    assert (found["format"], found["version"]) == ("holdfast", "1.0")
    assert found["tables"] == {
        "contacts": [
            {"id": 1, "name": "Ann", "photo": {"$base64": True, "encoded": "AP8="}},
            {"id": 2, "name": "Bøb", "photo": None},
        ],
        "empty": [],
        "tags": [{"$rowid": 1, "name": "new"}],
    }
    assert found["counts"] == {"contacts": 2, "empty": 0, "tags": 1}
    assert found["sequences"] == {"contacts": 2}


def test_a_row_is_a_line(document):
    _, lines = document()
    start = lines.index(b'"tables":{\n')
    assert lines[start : start + 9] == [
        b'"tables":{\n',
        b'"contacts":[\n',
        b'{"id":1,"name":"Ann","photo":{"$base64":true,"encoded":"AP8="}},\n',
        '{"id":2,"name":"Bøb","photo":null}\n'.encode(),
        b"],\n",
        b'"empty":[\n',
        b"],\n",
        b'"tags":[\n',
        b'{"$rowid":1,"name":"new"}\n',
    ]


def test_an_empty_database_is_json_too(document):
    backup, lines = document("CREATE TABLE t (x); DROP TABLE t;")
    assert json.loads(backup.path.read_bytes())["tables"] == {}
    assert b'"tables":{\n' in lines


def test_the_seal_is_the_hash_of_all_lines_that_are_no_rows(document):
    backup, lines = document()
    assert sealed(lines) == backup.path.read_bytes()


def test_a_key_that_a_later_version_adds_to_the_header_is_passed_over_and_named(document):
    backup, lines = document()
    lines.insert(3, b'"compression":"none",\n')
    backup.path.write_bytes(sealed(lines))
    contents = open_backup(backup.path).contents()
    assert contents.header.unknown_keys == ("compression",)
    assert contents.row_count == 3


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (rb'"counts":{"contacts":2', rb'"counts":{"contacts":3'),
        (rb'"counts":{"contacts":2,', rb'"counts":{'),
        (rb'"digests":{"contacts":"..', rb'"digests":{"contacts":"00'),
        (rb'"empty":0', rb'"empty":0,"more":0'),
        (rb'"empty":\[\n\],\n', rb""),
        (rb'"empty":\[\n\],\n', rb'"empty":[\n],\n"empty":[\n],\n'),
        (rb'"empty":\[\n\],\n"tags":\[\n({.*}\n)\]', rb'"tags":[\n\1],\n"empty":[\n]'),
        (rb'{"id":1', rb'{"id":3'),
        (rb'("photo":null})\n', rb'\1,\n'),
        (rb'(encoded":"AP8="}}),\n', rb"\1\n"),
        (rb'"backup_date":"[^"]*"', rb'"backup_date":7'),
        (rb'"layout":{', rb'"layouts":{'),
        (rb'"counts":', rb'"count":'),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_though_its_seal_holds(document, was, becomes):
    backup, _ = document()
    text = backup.path.read_bytes()
    assert len(re.findall(was, text)) == 1
    backup.path.write_bytes(sealed(re.sub(was, becomes, text).splitlines(keepends=True)))
    with pytest.raises(BackupDamaged):
        open_backup(backup.path).contents()


def test_a_file_whose_line_ends_became_those_of_windows_is_refused(document):
    backup, _ = document()
    backup.path.write_bytes(backup.path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises((BackupDamaged, NotABackup)):
        open_backup(backup.path).contents()


# Pretty


def test_pretty_has_a_column_a_line(pretty):
    text = pretty().path.read_text("utf-8")
    assert (
        '"contacts":[\n{\n  "id": 1,\n  "name": "Ann",\n  "photo": {\n    "$base64": true,\n'
        '    "encoded": "AP8="\n  }\n},\n{\n  "id": 2,\n  "name": "Bøb",\n  "photo": null\n}\n],\n'
        '"empty":[\n],\n"tags":[\n{\n  "$rowid": 1,\n  "name": "new"\n}\n]\n},\n'
    ) in text


def test_pretty_and_plain_hold_the_same(document, pretty):
    plain, _ = document()
    spread = pretty()
    assert read_back(spread.path) == read_back(plain.path)
    texts = [backup.path.read_bytes() for backup in (spread, plain)]
    assert texts[0] != texts[1]
    assert json.loads(texts[0]) == json.loads(texts[1])


def test_pretty_takes_values_that_look_like_its_own_lines(pretty):
    backup = pretty(
        "CREATE TABLE t (x, y); INSERT INTO t VALUES ('},' || char(10) || '{', ']'),"
        " (']' || char(10), '  \"y\": 1,'), (x'0a', CAST(x'ff' AS TEXT)), (9e999, -0.0),"
        " ('{', '}');"
        "CREATE TABLE u (x INTEGER PRIMARY KEY); INSERT INTO u VALUES (1);"
    )
    assert read_back(backup.path) == backup.parts


def test_pretty_rows_that_were_spread_otherwise_are_damage(pretty):
    backup = pretty()
    text = backup.path.read_bytes()
    backup.path.write_bytes(text.replace(b'  "id": 1', b'    "id": 1'))
    with pytest.raises(BackupDamaged):
        open_backup(backup.path).contents()


# A glance


def test_a_glance_finds_date_and_count_without_reading_the_rows(document):
    backup, lines = document()
    start = lines.index(b'"contacts":[\n')
    lines[start + 1 : start + 3] = [b"nonsense\n"]
    backup.path.write_bytes(b"".join(lines))
    assert glance(backup.path).backup_date == "2026-11-20T14:22:33Z"
    assert glance(backup.path).row_count == 3


def test_a_glance_at_a_cut_backup_finds_no_count(document):
    backup, lines = document()
    backup.path.write_bytes(b"".join(lines[: lines.index(b'"tables":{\n')]))
    assert glance(backup.path).backup_date == "2026-11-20T14:22:33Z"
    assert glance(backup.path).row_count is None


def test_a_glance_is_not_misled_by_a_value_that_looks_like_a_trailer(document):
    backup, _ = document(
        'CREATE TABLE t (x); INSERT INTO t VALUES (char(10) || \'"counts":{"t":99},\' || char(10))'
    )
    assert glance(backup.path).row_count == 1


def test_the_trailer_of_a_backup_is_what_was_written(document):
    backup, _ = document()
    trailer = read_back(backup.path)[-1]
    assert isinstance(trailer, Trailer)
    assert trailer.digests["empty"] == hashlib.sha256().hexdigest()


def test_a_header_without_a_version_is_damage(document):
    backup, lines = document()
    lines[0] = lines[0].replace(b',"version":"1.0"', b"")
    backup.path.write_bytes(b"".join(lines))
    with pytest.raises(BackupDamaged, match=f"{backup.path}: the version .* cannot be read"):
        open_backup(backup.path).contents()
