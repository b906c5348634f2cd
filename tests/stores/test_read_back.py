"""What was put is read back: a place that gives other bytes keeps nothing of ours."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from holdfast.errors import StoreFailed
from holdfast.history import History
from holdfast.known import KnownCopy, KnownStore
from holdfast.stores.files_layout import FilesStore
from holdfast.stores.folder import FolderObjects
from tests.conftest import run_sql
from tests.running import files_in
from tests.stores.places import AT, OWNER, MakeBackup


class FailingDisk(FolderObjects):
    """A folder on a disk that gives back one bit otherwise."""

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with super().open(name) as file:
            content = file.read()
        yield io.BytesIO(content[:-1] + bytes([content[-1] ^ 1]))


def test_a_copy_that_reads_back_otherwise_is_removed_and_said(
    tmp_path: Path, make_backup: MakeBackup
) -> None:
    store = FilesStore("disk", FailingDisk(tmp_path / "disk"), OWNER, is_off_site=False)
    with pytest.raises(StoreFailed, match="gives back other bytes than were put there"):
        store.put(make_backup(), "crm", AT)
    assert files_in(tmp_path / "disk") == {}


def test_a_history_of_before_there_were_stores_gets_its_tables_when_it_is_written(
    tmp_path: Path,
) -> None:
    history = History(tmp_path)
    history.record_visit("disk", AT)
    run_sql(history.path, "DROP TABLE copies; DROP TABLE visits")
    assert (history.copies(), history.visits()) == ([], [])
    copy = KnownCopy("disk", "laptop-1f3a/x", "/x.json", 7, AT, "contents", AT)
    history.record_copy(copy)
    history.record_visit("disk", "2026-11-21T03:00:00Z", "gone")
    history.record_visit("disk", "2026-11-22T03:00:00Z", "still gone")
    assert history.copies() == [copy]
    assert history.visits() == [KnownStore("disk", "", "2026-11-21T03:00:00Z", "still gone")]
    history.record_visit("disk", "2026-11-23T03:00:00Z")
    assert history.visits() == [KnownStore("disk", "2026-11-23T03:00:00Z", "", "")]
    history.forget_copies("disk", [copy.name])
    assert history.copies() == []
