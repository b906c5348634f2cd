"""What is flipped, cut or gone in a page store is said, with all that it touches, and mended."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from holdfast.encryption import Keys, new_identity
from holdfast.errors import BackupDamaged, BackupNotFound
from holdfast.stores.folder import FolderObjects
from holdfast.stores.pages.packs import TAIL_BYTES, Packer, directory_bytes, read_directory
from holdfast.stores.pages.store import PagesStore
from tests.pages.conftest import (
    CREATED_AT,
    NEXT_DAY,
    OWNER,
    fetched,
    objects_in,
    page_copy,
    pages_store,
)

PAGES = "abcdefghijklmnop"


@pytest.fixture
def folder(tmp_path: Path, small_packs: None) -> Path:
    """A store with two backups that share pages: b and c are in the first alone."""
    store = pages_store(tmp_path / "store")
    store.put(page_copy(tmp_path / "first.db", PAGES), "crm", CREATED_AT)
    store.put(page_copy(tmp_path / "second.db", "a" + PAGES[3:] + "z"), "crm", NEXT_DAY)
    return tmp_path / "store"


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def pack_with(folder: Path, page: str, copy: Path) -> Path:
    """The pack in which a page lies, which no other kind of compression would hide here."""
    content = copy.read_bytes()
    at = (PAGES.index(page) + 1) * 512
    (found,) = (
        path for path in objects_in(folder, "pack") if content[at : at + 64] in path.read_bytes()
    )
    return found


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_a_flipped_bit_is_damage_or_does_no_harm_wherever_it_is(folder, tmp_path, place):
    first, second = sorted(pages_store(folder).backups(), key=lambda each: each.created_at)
    touched = 0
    for number, path in enumerate(objects_in(folder)):
        whole = path.read_bytes()
        flip(path, {"start": 0, "middle": len(whole) // 2, "end": -1}[place])
        for stored, name in [(first, "first.db"), (second, "second.db")]:
            try:
                back = fetched(pages_store(folder), stored, tmp_path / f"{number}-{name}")
            except BackupDamaged:
                touched += 1
            else:
                assert back == (tmp_path / name).read_bytes()
        path.write_bytes(whole)
        shutil.rmtree(folder / "pages" / "mark", ignore_errors=True)
    # Neither index nor one copy of the key is needed; each root and each pack is.
    assert touched >= 2


def test_an_object_that_is_gone_is_damage_or_does_no_harm_whichever_it_is(folder, tmp_path):
    first, second = sorted(pages_store(folder).backups(), key=lambda each: each.created_at)
    outcomes: dict[str, set[str]] = {}
    for number, path in enumerate(objects_in(folder)):
        whole = path.read_bytes()
        path.unlink()
        for stored, name in [(first, "first.db"), (second, "second.db")]:
            try:
                back = fetched(pages_store(folder), stored, tmp_path / f"{number}-{name}")
                outcome = "whole" if back == (tmp_path / name).read_bytes() else "WRONG"
            except (BackupDamaged, BackupNotFound) as error:
                outcome = type(error).__name__
            outcomes.setdefault(path.parent.name, set()).add(outcome)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(whole)
        shutil.rmtree(folder / "pages" / "mark", ignore_errors=True)
    assert outcomes == {
        "key": {"whole"},
        "index": {"whole"},
        "pack": {"whole", "BackupDamaged"},
        OWNER: {"whole", "BackupNotFound"},
    }


def test_a_pack_that_is_gone_is_named_with_the_pages_and_the_backups_that_it_touches(
    folder, tmp_path
):
    pack_with(folder, "g", tmp_path / "first.db").unlink()
    first, second = sorted(pages_store(folder).backups(), key=lambda each: each.created_at)
    with pytest.raises(BackupDamaged) as found:
        fetched(pages_store(folder), first, tmp_path / "back")
    text = str(found.value)
    assert f"{first.name} in {folder}: " in text
    assert "4 of its 17 pages cannot be read, the first is page 7" in text
    assert "(no pack that is there holds them). So it is with " + second.name in text
    assert "written anew by the next export to this store" in found.value.hint
    assert list((tmp_path / "back").iterdir()) == []


def test_a_pack_that_only_one_backup_needs_leaves_the_others_whole(folder, tmp_path):
    first, second = sorted(pages_store(folder).backups(), key=lambda each: each.created_at)
    flip(pack_with(folder, "b", tmp_path / "first.db"), 900)
    with pytest.raises(BackupDamaged) as found:
        fetched(pages_store(folder), first, tmp_path / "first")
    assert "2 of its 17 pages cannot be read, the first is page 3 (pages/pack/" in str(found.value)
    assert "So it is with" not in str(found.value)
    back = fetched(pages_store(folder), second, tmp_path / "second")
    assert back == (tmp_path / "second.db").read_bytes()


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_later_backup_writes_anew_what_was_found_damaged_and_mends_the_others(
    folder, tmp_path, is_gone
):
    pack = pack_with(folder, "g", tmp_path / "first.db")
    if is_gone:
        pack.unlink()
    else:
        flip(pack, 300)
    store = pages_store(folder)
    first = next(each for each in store.backups() if each.created_at == CREATED_AT)
    with pytest.raises(BackupDamaged):
        fetched(store, first, tmp_path / "1")
    store.put(tmp_path / "first.db", "crm", "2026-11-22T03:00:00Z")
    assert fetched(store, first, tmp_path / "2") == (tmp_path / "first.db").read_bytes()


def test_a_page_that_is_not_what_its_id_says_is_damage_though_its_pack_is_sound(folder, tmp_path):
    pack = pack_with(folder, "b", tmp_path / "first.db")
    content = pack.read_bytes()
    size = directory_bytes(content[-TAIL_BYTES:], len(content))
    directory = read_directory(content[-TAIL_BYTES - size : -TAIL_BYTES])
    forged = Packer(3)
    for number in range(directory.item_count):
        forged.add(directory.item_id(number), b"x" * directory.item_bytes[number])
    pack.write_bytes(forged.finished()[0])
    for path in objects_in(folder, "index"):
        path.unlink()
    for stored in pages_store(folder).backups():
        with pytest.raises(BackupDamaged, match="it holds what was not written"):
            fetched(pages_store(folder), stored, tmp_path / stored.created_at)


def test_without_an_index_the_packs_themselves_say_what_is_in_them(folder, tmp_path):
    for path in objects_in(folder, "index"):
        path.unlink()
    before = objects_in(folder, "pack")
    pages_store(folder).put(tmp_path / "first.db", "crm", "2026-11-22T03:00:00Z")
    assert objects_in(folder, "pack") == before


def test_a_store_that_lost_its_key_says_so_and_makes_no_other(folder, tmp_path):
    for path in objects_in(folder, "key"):
        path.unlink()
    with pytest.raises(BackupDamaged, match="has lost its key"):
        pages_store(folder).put(tmp_path / "first.db", "crm", CREATED_AT)
    with pytest.raises(BackupDamaged, match="has lost its key"):
        fetched(pages_store(folder), next(pages_store(folder).backups()), tmp_path / "1")
    assert objects_in(folder, "key") == []


def test_a_copy_of_the_key_that_is_gone_is_made_again(folder, tmp_path):
    objects_in(folder, "key")[0].unlink()
    pages_store(folder).put(tmp_path / "first.db", "crm", "2026-11-22T03:00:00Z")
    assert [path.name for path in objects_in(folder, "key")] == ["1", "2"]


def test_garbage_in_the_place_of_any_object_never_ends_in_a_traceback(folder, tmp_path):
    for number, path in enumerate(objects_in(folder)):
        for kind, garbage in enumerate([b"", b"\x28\xb5\x2f\xfd\x00", b"hfpages1" * 3]):
            whole = path.read_bytes()
            path.write_bytes(garbage)
            for stored in list(pages_store(folder).backups()):
                try:
                    fetched(
                        pages_store(folder),
                        stored,
                        tmp_path / f"{number}-{kind}-{stored.created_at}",
                    )
                except (BackupDamaged, BackupNotFound):
                    continue
            path.write_bytes(whole)
            shutil.rmtree(folder / "pages" / "mark", ignore_errors=True)


def test_in_an_encrypted_store_a_flipped_bit_is_damage_or_does_no_harm(tmp_path, small_packs):
    secret, public = new_identity()
    keys = Keys(recipients=(public,), identity=secret)
    store = PagesStore(
        "disk",
        FolderObjects(tmp_path / "store"),
        OWNER,
        is_off_site=True,
        keys=keys,
        encrypts=True,
    )
    stored = store.put(page_copy(tmp_path / "a.db", PAGES), "crm", CREATED_AT)
    touched = 0
    for number, path in enumerate(objects_in(tmp_path / "store")):
        for at in (0, 60, len(path.read_bytes()) // 2, -1):
            whole = path.read_bytes()
            flip(path, at)
            try:
                back = fetched(store, stored, tmp_path / f"{number}-{at}")
            except BackupDamaged:
                touched += 1
            else:
                assert back == (tmp_path / "a.db").read_bytes()
            path.write_bytes(whole)
            shutil.rmtree(tmp_path / "store" / "pages" / "mark", ignore_errors=True)
    assert touched >= 12
