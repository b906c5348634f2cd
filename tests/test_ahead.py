"""A backup that another process reads: the same parts, the same complaints, and an end."""

from __future__ import annotations

import gzip
import hashlib
import multiprocessing
import os
import tempfile
import threading

import pytest
from msgspec.structs import replace

from holdfast import ahead, files
from holdfast.ahead import Ahead, read_rows, reading_ahead
from holdfast.errors import BackupDamaged, ReadFailed
from holdfast.formats import open_backup
from holdfast.formats.interface import BackupReader
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.rebuild import _Loader, rebuild
from tests.conftest import rows
from tests.strategies import exact

# The triggers of an index that keeps no text have the parts read twice.
NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, body, extra);
CREATE VIRTUAL TABLE found USING fts5(body, content='');
CREATE TRIGGER fill AFTER INSERT ON notes BEGIN
  INSERT INTO found (rowid, body) VALUES (new.id, new.body);
END;
INSERT INTO notes VALUES (1, 'Ann', NULL), (2, x'00ff', 9e999), (3, CAST(x'ff' AS TEXT), -0.0),
  (4, '', x''), (5, 'é🙂', -9223372036854775808);
"""


@pytest.fixture(autouse=True)
def any_size_is_worth_it(monkeypatch):
    monkeypatch.setattr(ahead, "_WORTH_IT_BYTES", 0)
    monkeypatch.setattr(ahead, "core_count", lambda: 2)


@pytest.fixture
def backup(context, make_database, tmp_path):
    def made(form="jsonl"):
        options = ExportOptions(
            database=str(make_database(NOTES)), format=form, output=tmp_path / "backup"
        )
        export_backup(context(), options)
        return open_backup(tmp_path / "backup")

    return made


def told_apart(parts):
    return [
        [tuple(map(exact, row)) for row in part] if isinstance(part, list) else part
        for part in parts
    ]


@pytest.mark.parametrize("form", ["json", "jsonl", "folder"])
def test_the_parts_that_another_process_reads_are_the_same(backup, form):
    reader = backup(form)
    with reading_ahead(reader) as other:
        parts = other.parts()
        first = next(parts)
        assert len(multiprocessing.active_children()) == 1
        found = [first, *parts]
    assert told_apart(found) == told_apart(read_rows(reader))
    assert sum(len(part) for part in found if isinstance(part, list)) == 5


def test_a_database_is_built_of_them_and_proven_equal(backup, tmp_path):
    path = tmp_path / "new.db"
    files.make_empty(path)
    assert rebuild(backup(), path).warnings == ()
    assert rows(path, "SELECT rowid FROM found WHERE found MATCH 'ann'") == [(1,)]


def test_the_process_that_read_it_hashes_what_was_built_of_it(backup, make_database):
    plain = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body, extra);"
    path = make_database(f"{plain} INSERT INTO notes VALUES (1, 'Ann', NULL);", "other.db")
    reader = backup()
    with reading_ahead(reader) as other:
        assert list(other.parts())
        assert other.digests() is None
        other.begin_proof(path)
        digests = other.digests()
    line = b'{"id":1,"body":"Ann","extra":null}\n'
    assert digests == {"notes": hashlib.sha256(line).hexdigest()}
    assert digests != reader.contents().trailer.digests


@pytest.mark.parametrize(
    ("schema", "is_early"),
    [
        ("CREATE TABLE notes (body)", True),
        ("PRAGMA auto_vacuum = 1; CREATE TABLE notes (body)", False),
        ("PRAGMA auto_vacuum = 2; CREATE TABLE notes (body)", False),
        ("CREATE TABLE notes (body); CREATE VIRTUAL TABLE found USING fts5(body)", False),
    ],
)
def test_rows_are_hashed_while_indexes_are_made_only_where_these_move_no_row(
    schema, is_early, context, make_database, tmp_path, monkeypatch
):
    path, new = make_database(f"{schema}; INSERT INTO notes VALUES (1);"), tmp_path / "new.db"
    export_backup(context(), ExportOptions(database=str(path), output=tmp_path / "backup"))
    begun = []
    monkeypatch.setattr(Ahead, "begin_proof", lambda _, path: begun.append(path))
    files.make_empty(new)
    assert rebuild(open_backup(tmp_path / "backup"), new).warnings == ()
    assert begun == ([new] if is_early else [])


def test_rows_are_put_on_the_disk_while_indexes_are_made(backup, tmp_path, monkeypatch):
    reader, path = backup(), tmp_path / "new.db"
    is_on_disk, fsync, finish = threading.Event(), os.fsync, _Loader.finish

    def synced(file):
        fsync(file)
        is_on_disk.set()

    def late(loader):
        assert is_on_disk.wait(10)
        finish(loader)

    monkeypatch.setattr(files, "_SYNC_BYTES", 0)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(_Loader, "finish", late)
    files.make_empty(path)
    assert rebuild(reader, path).warnings == ()


def test_damage_that_shows_only_after_the_last_part_is_told_all_the_same(backup):
    reader = backup()
    reader.path.write_bytes(reader.path.read_bytes().replace(b'"Ann"', b'"Eva"', 1))
    with reading_ahead(reader) as other, pytest.raises(BackupDamaged) as there:
        list(other.parts())
    with pytest.raises(BackupDamaged) as here:
        list(read_rows(reader))
    assert str(there.value) == str(here.value)
    assert str(there.value).endswith("the rows of notes are not those that were written")
    assert there.value.hint == here.value.hint == "Use another backup: see status."


def test_a_process_that_is_killed_is_no_end_of_the_backup(backup):
    with reading_ahead(backup()) as other:
        [process] = multiprocessing.active_children()
        process.kill()
        with pytest.raises(ReadFailed):
            list(other.parts())


def test_a_process_is_ended_with_who_started_it_however_far_it_is(backup):
    with reading_ahead(backup()) as other:
        next(other.parts())
    assert multiprocessing.active_children() == []


def test_what_it_has_decompressed_goes_with_a_process_that_is_ended(
    make_database, tmp_path, monkeypatch
):
    scratch, path = tmp_path / "scratch", tmp_path / "other.db.gz"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))  # of a process that is forked
    monkeypatch.setenv("TMPDIR", str(scratch))
    filled = f"{NOTES} INSERT INTO notes (body) SELECT randomblob(500000) FROM notes;"
    path.write_bytes(gzip.compress(make_database(filled).read_bytes(), 1))
    with reading_ahead(open_backup(path)) as other:
        next(other.parts())
        assert len(list(scratch.iterdir())) == 1  # more waits to be sent than a pipe holds
    assert list(scratch.iterdir()) == []


def test_no_other_process_is_told_how_to_open_what_is_encrypted(backup):
    reader = backup()
    inside = replace(reader.format, read_stream=None)  # as one in an encrypted file
    with reading_ahead(BackupReader(reader.path, inside)) as alone:
        assert multiprocessing.active_children() == []
        assert told_apart(alone.parts()) == told_apart(read_rows(reader))
