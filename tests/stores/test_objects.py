"""What every place for objects does: whole or not at all, never over what is there, listed."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.errors import ObjectMissing, StoreFailed
from holdfast.stores import Objects, open_objects
from holdfast.stores.cloud import CloudObjects
from holdfast.stores.files_layout import FilesStore
from holdfast.stores.folder import FolderObjects
from holdfast.stores.pages.store import PagesStore

LARGE = bytes(range(256)) * 4096 * 18  # 18 MiB: three parts, the last one short


def _in_memory(request: pytest.FixtureRequest) -> Objects:
    from obstore.store import MemoryStore

    return CloudObjects(MemoryStore(), "memory://")


def _in_cloud(request: pytest.FixtureRequest, settings: str) -> Objects:
    return open_objects("cloud", request.getfixturevalue(settings), Path(), os.environ)


PLACES: dict[str, Callable[[pytest.FixtureRequest], Objects]] = {
    "folder": lambda request: FolderObjects(request.getfixturevalue("tmp_path") / "disk"),
    "memory": _in_memory,
    "s3": lambda request: _in_cloud(request, "s3_settings"),
    "azure": lambda request: _in_cloud(request, "azure_settings"),
}


@pytest.fixture(params=PLACES)
def objects(request: pytest.FixtureRequest) -> Objects:
    return PLACES[request.param](request)


def put(objects: Objects, name: str, content: bytes = b"x") -> bool:
    return objects.put(name, io.BytesIO(content))


def content(objects: Objects, name: str) -> bytes:
    with objects.open(name) as file:
        return file.read()


def listed(objects: Objects, prefix: str = "") -> list[str]:
    return [each.name for each in objects.list(prefix)]


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_what_is_put_comes_back_as_it_was(objects: Objects, size: int) -> None:
    assert put(objects, "a/b.json", LARGE[:size]) is True
    assert content(objects, "a/b.json") == LARGE[:size]
    (facts,) = objects.list()
    assert (facts.name, facts.bytes) == ("a/b.json", size)
    assert facts.modified_at.startswith("20") and facts.modified_at.endswith("Z")


def test_what_is_left_of_a_large_file_goes_in_parts_and_comes_back_whole(objects: Objects) -> None:
    source = io.BytesIO(b"head" + LARGE)
    source.seek(4)
    assert objects.put("a/large", source) is True
    assert content(objects, "a/large") == LARGE


@pytest.mark.parametrize("size", [3, len(LARGE)])
def test_a_name_that_is_taken_keeps_what_it_has(objects: Objects, size: int) -> None:
    put(objects, "a/b", b"first")
    assert put(objects, "a/b", LARGE[:size]) is False
    assert content(objects, "a/b") == b"first"


def test_names_are_listed_in_order_and_by_how_they_begin(objects: Objects) -> None:
    names = ["a/x", "b/backup-1", "b/backup-2", "b/backuq", "b/c/backup-3", "b/back", "top"]
    for name in names:
        put(objects, name)
    assert listed(objects) == sorted(names)
    assert listed(objects, "b/backup-") == ["b/backup-1", "b/backup-2"]
    assert listed(objects, "b/") == sorted(name for name in names if name.startswith("b/"))
    assert listed(objects, "c/") == []
    assert sorted(objects.folders()) == ["a", "b"]


def test_a_place_where_nothing_is_lists_nothing(objects: Objects) -> None:
    assert (listed(objects), list(objects.folders())) == ([], [])


def test_a_part_of_an_object_is_read_and_less_where_it_ends(objects: Objects) -> None:
    put(objects, "a/b", b"0123456789")
    ranges = [(0, 3), (4, 6), (8, 5), (10, 2), (20, 2)]
    found = [objects.read_range("a/b", start, length) for start, length in ranges]
    assert found == [b"012", b"456789", b"89", b"", b""]


def test_what_is_not_there_is_missing_and_as_good_as_deleted(objects: Objects) -> None:
    put(objects, "a/b")
    objects.delete("a/c")
    objects.delete("a/b")
    objects.delete("a/b")
    assert listed(objects) == []
    with pytest.raises(ObjectMissing, match="a/b is not "):
        objects.read_range("a/b", 0, 1)
    with pytest.raises(ObjectMissing, match="a/b is not "), objects.open("a/b") as file:
        file.read()


def test_a_listing_goes_on_page_after_page(request: pytest.FixtureRequest) -> None:
    # A service answers with at most 1,000 names at a time.
    objects = PLACES["s3"](request)
    names = [f"a/{number:04}" for number in range(1010)]
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda name: put(objects, name), names))
    assert listed(objects) == names
    assert listed(objects, "a/1") == names[1000:]


def test_what_a_killed_program_left_in_a_folder_is_not_listed_and_goes_after_a_day(
    tmp_path: Path,
) -> None:
    objects = FolderObjects(tmp_path)
    old, fresh = tmp_path / ".partial-old", tmp_path / ".partial-fresh"
    for each in (old, fresh):
        each.write_bytes(b"half")
    os.utime(old, (0, 0))
    put(objects, "a/b")
    assert listed(objects) == ["a/b"]
    assert (old.exists(), fresh.exists()) == (False, True)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_what_else_lies_in_a_folder_is_not_read(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    put(objects, "laptop-1f3a/backup-one")
    (tmp_path / "laptop-1f3a" / "own").mkdir()
    # Whoever looks at one of these, or into them, gets an error.
    (tmp_path / "laptop-1f3a" / "own" / "loop").symlink_to("loop")
    (tmp_path / "laptop-1f3a" / "backup-two").symlink_to("gone")  # as if just deleted
    assert listed(objects, "laptop-1f3a/backup-") == ["laptop-1f3a/backup-one"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize("layout", [FilesStore, PagesStore])
def test_a_folder_that_the_system_keeps_on_a_disk_does_not_stand_in_the_way(
    tmp_path: Path, layout: type[FilesStore | PagesStore]
) -> None:
    for name in ("lost+found", ".Trashes", "$RECYCLE.BIN", "System Volume Information"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "loop").symlink_to("loop")
    store = layout("disk", FolderObjects(tmp_path), "laptop-1f3a", is_off_site=False)
    assert list(store.backups()) == []


@pytest.mark.parametrize("layout", [FilesStore, PagesStore])
def test_a_name_of_a_day_that_there_is_not_is_no_backup(
    tmp_path: Path, layout: type[FilesStore | PagesStore]
) -> None:
    objects = FolderObjects(tmp_path)
    for suffix in ("json", "pages"):
        put(objects, f"laptop-1f3a/backup-crm-2026-13-45T999999Z.{suffix}")
    assert list(layout("disk", objects, "laptop-1f3a", is_off_site=False).backups()) == []


def test_a_folder_that_another_machine_makes_at_this_moment_is_one(tmp_path, monkeypatch):
    store, is_dir = tmp_path / "store", Path.is_dir

    def made_as_one_looks(path):
        found = is_dir(path)
        if path == store and not found:
            store.mkdir()
        return found

    monkeypatch.setattr(Path, "is_dir", made_as_one_looks)
    assert put(FolderObjects(store), "a")
    assert [each.name for each in FolderObjects(store).list("")] == ["a"]


def test_a_file_in_the_place_of_the_folder_is_refused_and_stays(tmp_path):
    store = tmp_path / "store"
    store.write_bytes(b"theirs")
    with pytest.raises(StoreFailed, match="store is no folder"):
        put(FolderObjects(store), "a")
    assert store.read_bytes() == b"theirs"
