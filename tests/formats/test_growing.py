"""A backup that is read back while it is still being written."""

from __future__ import annotations

import threading
import time

import pytest

from holdfast.errors import BackupDamaged
from holdfast.formats import json_lines
from holdfast.formats.growing import GrowingFile, reading_back
from tests.running import run


@pytest.fixture
def backup(tmp_path):
    run(tmp_path / "home", "export", "--sample", "--output", tmp_path / "b", "--format", "jsonl")
    return (tmp_path / "b").read_bytes()


def write_slowly(path, content):
    with path.open("ab", buffering=0) as file:
        for start in range(0, len(content), 100_000):
            file.write(content[start : start + 100_000])
            time.sleep(0.002)


def test_what_is_written_meanwhile_is_read_to_its_end(tmp_path, backup):
    path = tmp_path / "growing"
    path.touch()
    with reading_back(path, json_lines.FORMAT) as contents:
        write_slowly(path, backup)
        found = contents()
    assert found.is_proven
    assert found.row_count == 5_000


def test_what_never_gets_there_is_missed(tmp_path, backup):
    path = tmp_path / "growing"
    path.touch()
    with reading_back(path, json_lines.FORMAT) as contents:
        write_slowly(path, backup[:-300_000])
        with pytest.raises(BackupDamaged, match="it ends early, at byte"):
            contents()


def test_a_writer_that_fails_is_not_waited_for(tmp_path):
    path = tmp_path / "growing"
    path.touch()
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="no space"), reading_back(path, json_lines.FORMAT):
        raise OSError("no space")
    assert set(threading.enumerate()) <= before


def test_a_read_waits_for_all_it_asks_for(tmp_path):
    path = tmp_path / "growing"
    path.write_bytes(b"ab")
    with GrowingFile(path) as growing:
        threading.Timer(0.05, path.write_bytes, [b"abcd"]).start()
        assert growing.read(4) == b"abcd"
        growing.is_whole.set()
        assert growing.read(4) == b""
