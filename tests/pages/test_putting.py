"""A page copy goes into the store page by page, each once, and comes out as it was."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.databases import NEWEST, RECIPES, SPREAD
from holdfast.errors import BackupDamaged, BackupNotFound, StoreFailed, StoreRefused, WriteFailed
from holdfast.formats import open_backup
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.stores.folder import FolderObjects
from tests.conftest import MakeContext, MakeDatabase, run_sql
from tests.pages.conftest import (
    CREATED_AT,
    LOST,
    NEXT_DAY,
    OTHER,
    OWNER,
    Cut,
    Wrapped,
    bytes_in,
    failing_at,
    fetched,
    manifest_of,
    objects_in,
    page_copy,
    pages_store,
    real_copy,
    wrapped_store,
)

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 2000)
INSERT INTO notes SELECT n, hex(n * n) || ' note ' || n FROM numbers;
"""


@pytest.mark.parametrize("page_size", [512, 1024, 4096, 32768, 65536])
def test_what_is_fetched_is_the_page_copy_byte_for_byte_with_its_manifest(
    page_size, tmp_path, context: MakeContext, make_database: MakeDatabase
):
    database = make_database(f"PRAGMA page_size = {page_size};{NOTES}")
    copy = real_copy(context(), database, tmp_path / "copy.db")
    store = pages_store(tmp_path / "store")
    stored = store.put(copy, "crm", CREATED_AT)
    (tmp_path / "back").mkdir()
    back = store.fetch(stored, tmp_path / "back")
    assert back.name == "backup-crm-2026-11-20T030000Z.db"
    assert back.read_bytes() == copy.read_bytes()
    assert manifest_of(back).read_bytes() == manifest_of(copy).read_bytes()
    assert open_backup(back).contents() == open_backup(copy).contents()


def test_a_compressed_page_copy_comes_back_plain_and_proven(
    tmp_path, context: MakeContext, make_database: MakeDatabase
):
    database = make_database(NOTES)
    copy = real_copy(context(), database, tmp_path / "copy.db.zst", compression="zstd")
    store = pages_store(tmp_path / "store")
    (tmp_path / "back").mkdir()
    back = store.fetch(store.put(copy, "crm", CREATED_AT), tmp_path / "back")
    assert back.read_bytes().startswith(b"SQLite format 3\x00")
    assert open_backup(back).contents() == open_backup(copy).contents()


def test_a_backup_in_the_store_is_known_by_its_name_alone(tmp_path):
    store = pages_store(tmp_path / "store")
    stored = store.put(page_copy(tmp_path / "a.db", "abc"), "crm", CREATED_AT)
    assert (stored.name, stored.owner, stored.database, stored.created_at) == (
        "laptop-1f3a/backup-crm-2026-11-20T030000Z.pages",
        "laptop-1f3a",
        "crm",
        "2026-11-20T03:00:00Z",
    )
    (tmp_path / "store" / OWNER / "backup-crm-2026-11-20T030000Z.jsonl").write_text("another")
    (tmp_path / "store" / "readme.txt").write_text("not ours")
    assert list(store.backups()) == [stored]


def test_two_backups_of_one_second_get_two_names(tmp_path):
    store = pages_store(tmp_path / "store")
    first = store.put(page_copy(tmp_path / "a.db", "abc"), "crm", CREATED_AT)
    second = store.put(page_copy(tmp_path / "b.db", "abd"), "crm", CREATED_AT)
    assert second.name == "laptop-1f3a/backup-crm-2026-11-20T030000Z-2.pages"
    assert fetched(store, first, tmp_path / "1") == (tmp_path / "a.db").read_bytes()
    assert fetched(store, second, tmp_path / "2") == (tmp_path / "b.db").read_bytes()


def test_a_page_that_occurs_often_is_kept_once(tmp_path, small_packs):
    store = pages_store(tmp_path / "store")
    stored = store.put(page_copy(tmp_path / "a.db", "aaaabbbbaaaa" * 20), "crm", CREATED_AT)
    assert sum(path.stat().st_size for path in objects_in(tmp_path / "store", "pack")) < 5000
    assert fetched(store, stored, tmp_path / "1") == (tmp_path / "a.db").read_bytes()


def test_pages_are_shared_by_all_databases_and_machines(tmp_path):
    folder = tmp_path / "store"
    copy = page_copy(tmp_path / "a.db", "".join(map(chr, range(500, 900))))
    pages_store(folder).put(copy, "crm", CREATED_AT)
    before = objects_in(folder, "pack")
    pages_store(folder, OTHER).put(copy, "notes", CREATED_AT)
    assert objects_in(folder, "pack") == before
    assert {each.owner for each in pages_store(folder).backups()} == {OWNER, OTHER}


def test_an_unchanged_database_adds_no_page(tmp_path):
    folder = tmp_path / "store"
    copy = page_copy(tmp_path / "a.db", "".join(map(chr, range(500, 2500))))
    store = pages_store(folder)
    store.put(copy, "crm", CREATED_AT)
    before = bytes_in(folder)
    store.put(copy, "crm", NEXT_DAY)
    assert before > 1_000_000
    assert bytes_in(folder) - before < 2000


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of 5 MB: the one that is measured with, made smaller."""
    folder = tmp_path_factory.mktemp("messages")
    recipe = dataclasses.replace(RECIPES["messages-200"], rows=3000)
    return recipe.make(folder)


def share_of_second(messages: Path, folder: Path, context: MakeContext, sql: str) -> float:
    """What a second backup adds, as a share of what the first took."""
    store = pages_store(folder / "store")
    database = folder / "live.db"
    database.write_bytes(messages.read_bytes())
    store.put(real_copy(context(), database, folder / "1.db"), "crm", CREATED_AT)
    first = bytes_in(folder / "store")
    run_sql(database, sql)
    second = store.put(real_copy(context(), database, folder / "2.db"), "crm", CREATED_AT)
    assert fetched(store, second, folder / "back") == (folder / "2.db").read_bytes()
    return (bytes_in(folder / "store") - first) / first


def test_newest_rows_that_changed_cost_what_they_are(messages, tmp_path, context: MakeContext):
    assert share_of_second(messages, tmp_path, context, NEWEST) < 0.05


def test_rows_that_changed_all_over_cost_their_pages(messages, tmp_path, context: MakeContext):
    assert share_of_second(messages, tmp_path, context, SPREAD) < 0.08


def test_other_formats_are_refused(tmp_path, context: MakeContext, make_database: MakeDatabase):
    database, path = make_database(NOTES), tmp_path / "copy.json"
    export_backup(context(), ExportOptions(database=str(database), output=path))
    with pytest.raises(StoreRefused) as refused:
        pages_store(tmp_path / "store").put(path, "crm", CREATED_AT)
    assert "is no page copy" in str(refused.value)
    assert "--format sqlite" in refused.value.hint
    assert objects_in(tmp_path / "store") == []


@pytest.mark.parametrize("suffix", ["db", "db.manifest.json"])
def test_a_page_copy_that_is_not_what_was_written_is_not_put(suffix, tmp_path):
    copy = page_copy(tmp_path / "a.db", "abc")
    broken = tmp_path / f"a.{suffix}"
    content = bytearray(broken.read_bytes())
    content[-100] ^= 1
    broken.write_bytes(content)
    with pytest.raises(BackupDamaged):
        pages_store(tmp_path / "store").put(copy, "crm", CREATED_AT)
    assert list(pages_store(tmp_path / "store").backups()) == []


def test_a_backup_that_has_gone_is_said_to_be_gone(tmp_path):
    store = pages_store(tmp_path / "store")
    stored = store.put(page_copy(tmp_path / "a.db", "abc"), "crm", CREATED_AT)
    objects_in(tmp_path / "store", "backup")[0].unlink()
    with pytest.raises(BackupNotFound, match="is no longer in"):
        fetched(store, stored, tmp_path / "1")


def test_wherever_a_put_is_cut_off_there_is_no_backup_and_the_next_put_is_whole(
    tmp_path, small_packs
):
    first = page_copy(tmp_path / "first.db", "abcdefgh")
    second = page_copy(tmp_path / "second.db", "abcdxyzuvwrst")
    for number in range(100):
        folder = tmp_path / f"store-{number}"
        whole = pages_store(folder).put(first, "crm", CREATED_AT)
        objects = Wrapped(FolderObjects(folder), after=failing_at(number, Cut(), "put"))
        try:
            wrapped_store(objects).put(second, "crm", NEXT_DAY)
        except Cut:
            backups = list(pages_store(folder).backups())
        else:
            break
        # The last object is the backup: it is there before anybody hears of it.
        assert len(backups) == (2 if number == 4 else 1)
        again = pages_store(folder).put(second, "crm", NEXT_DAY)
        for each, copy in [(whole, first), (again, second)]:
            back = fetched(pages_store(folder), each, tmp_path / f"{number}-{each.created_at}")
            assert back == copy.read_bytes()
        # What was put before the cut was used, and not put again.
        assert len(objects_in(folder, "pack")) == 5
    assert number == 5


def test_a_store_that_fails_leaves_no_backup_whichever_operation_it_is(tmp_path, small_packs):
    copy = page_copy(tmp_path / "a.db", "abcdefgh")
    for number in range(1000):
        folder = tmp_path / f"store-{number}"
        objects = Wrapped(FolderObjects(folder), before=failing_at(number, LOST))
        try:
            wrapped_store(objects).put(copy, "crm", CREATED_AT)
        except StoreFailed:
            backups = list(pages_store(folder).backups())
        else:
            break
        for stored in backups:  # its last object was put, and reading it back failed
            assert fetched(pages_store(folder), stored, tmp_path / f"{number}") == copy.read_bytes()
    assert number > 20


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let the system refuse to write more than so many bytes into a file, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [50, 500, 2000])
def test_a_full_disk_leaves_no_backup_and_no_half_of_an_object(tmp_path, small_packs, size):
    copy, folder = page_copy(tmp_path / "a.db", "abcdefgh"), tmp_path / "store"
    with no_file_beyond(size), pytest.raises(StoreFailed, match="cannot write"):
        pages_store(folder).put(copy, "crm", CREATED_AT)
    assert list(pages_store(folder).backups()) == []
    assert [path for path in objects_in(folder) if path.name.startswith(".")] == []
    stored = pages_store(folder).put(copy, "crm", CREATED_AT)
    with no_file_beyond(size), pytest.raises(WriteFailed, match="cannot write"):
        fetched(pages_store(folder), stored, tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/1").exists(), reason="needs a folder that nobody may write to")
def test_a_store_that_may_not_be_written_says_so(tmp_path):
    (tmp_path / "store").symlink_to("/proc/1")
    with pytest.raises(StoreFailed, match="cannot write"):
        pages_store(tmp_path / "store").put(page_copy(tmp_path / "a.db", "abc"), "crm", CREATED_AT)


def test_what_the_place_changed_is_not_called_kept(tmp_path):
    def spoil(verb: str, name: str) -> None:
        if verb == "put" and "/pack/" in name:
            path = tmp_path / "store" / name
            path.write_bytes(path.read_bytes()[:-1] + b"x")

    objects = Wrapped(FolderObjects(tmp_path / "store"), after=spoil)
    with pytest.raises(StoreFailed, match="gives back other bytes"):
        wrapped_store(objects).put(page_copy(tmp_path / "a.db", "abc"), "crm", CREATED_AT)
    assert list(pages_store(tmp_path / "store").backups()) == []
    assert objects_in(tmp_path / "store", "pack") == []


def test_two_machines_that_begin_a_store_at_once_share_it(tmp_path, small_packs):
    folder = tmp_path / "store"
    together = threading.Barrier(2, timeout=10)

    def meet(verb: str, name: str) -> None:
        if verb == "put" and name == "pages/key/1":
            together.wait()

    def work(owner: str, copy: Path) -> None:
        objects = Wrapped(FolderObjects(folder), before=meet)
        wrapped_store(objects, owner).put(copy, "crm", CREATED_AT)

    copies = {
        OWNER: page_copy(tmp_path / "a.db", "abcdefgh"),
        OTHER: page_copy(tmp_path / "b.db", "abcdefxyz"),
    }
    threads = [threading.Thread(target=work, args=each) for each in copies.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = {each.owner: each for each in pages_store(folder).backups()}
    for owner, copy in copies.items():
        assert fetched(pages_store(folder), stored[owner], tmp_path / owner) == copy.read_bytes()
    # One key: what one of them has put serves the other.
    before = objects_in(folder, "pack")
    pages_store(folder).put(copies[OTHER], "crm", NEXT_DAY)
    assert objects_in(folder, "pack") == before
