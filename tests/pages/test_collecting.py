"""What no backup uses is freed, and never what one uses, whoever is at work at the same time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.errors import StoreFailed, StoreRefused
from holdfast.stores.folder import FolderObjects
from holdfast.stores.pages import collecting
from holdfast.stores.pages.store import PagesStore
from tests.pages.conftest import (
    CREATED_AT,
    NEXT_DAY,
    OTHER,
    OWNER,
    Cut,
    Wrapped,
    age,
    failing_at,
    fetched,
    objects_in,
    page_copy,
    pages_store,
    wrapped_store,
)


@pytest.fixture
def folder(tmp_path: Path, small_packs: None) -> Path:
    return tmp_path / "store"


def packs_in(folder: Path) -> set[str]:
    return {path.name for path in objects_in(folder, "pack")}


def all_whole(folder: Path, copies: dict[str, Path], scratch: Path) -> bool:
    """Tell whether each backup comes back as the copy of its database, by an own reader."""
    store = pages_store(folder)
    scratch.mkdir()
    return all(
        fetched(store, each, scratch / each.name.replace("/", "-"))
        == copies[each.database].read_bytes()
        for each in store.backups()
    )


def test_what_a_deleted_backup_alone_had_goes_after_its_grace(folder, tmp_path):
    store = pages_store(folder)
    kept = store.put(page_copy(tmp_path / "a.db", "abcdefgh"), "a", CREATED_AT)
    before = packs_in(folder)
    gone = store.put(page_copy(tmp_path / "b.db", "abcdefghijklmnop"), "b", CREATED_AT)
    age(folder)
    store.delete([gone])
    assert packs_in(folder) > before  # marked, and still there
    age(folder)
    store.collect()
    assert packs_in(folder) == before
    assert fetched(store, kept, tmp_path / "1") == (tmp_path / "a.db").read_bytes()
    assert objects_in(folder, "mark") == []
    # The index names what is there, so that a new machine need read no pack.
    opened: list[str] = []
    objects = Wrapped(FolderObjects(folder), before=lambda _verb, name: opened.append(name))
    wrapped_store(objects).put(tmp_path / "a.db", "a", NEXT_DAY)
    assert [name for name in opened if name.startswith("pages/pack/") and name[11:]] == []


def test_a_mark_that_is_younger_than_its_grace_deletes_nothing(folder, tmp_path):
    store = pages_store(folder)
    store.put(page_copy(tmp_path / "a.db", "abcd"), "a", CREATED_AT)
    age(folder)
    store.delete(list(store.backups()))
    age(folder, hours=11.9)
    store.collect()
    assert packs_in(folder) != set()
    age(folder, hours=0.2)
    store.collect()
    assert packs_in(folder) == set()


def test_a_backup_is_whole_when_all_others_have_gone(folder, tmp_path):
    store = pages_store(folder)
    copies = [page_copy(tmp_path / f"{n}.db", "abcdefghijklmnop"[n : n + 9]) for n in range(6)]
    stored = [store.put(copy, "crm", f"2026-11-2{n}T03:00:00Z") for n, copy in enumerate(copies)]
    age(folder)
    store.delete([each for n, each in enumerate(stored) if n != 3])
    for _ in range(3):
        age(folder)
        store.collect()
    assert fetched(store, stored[3], tmp_path / "back") == copies[3].read_bytes()


def test_what_a_crash_left_goes_but_not_while_it_may_be_a_put_under_way(folder, tmp_path):
    objects = Wrapped(FolderObjects(folder), before=failing_at(4, Cut(), "put"))
    with pytest.raises(Cut):
        wrapped_store(objects).put(page_copy(tmp_path / "a.db", "abcdefghijkl"), "a", CREATED_AT)
    left = packs_in(folder)
    assert len(left) == 2
    store = pages_store(folder)
    store.collect()
    assert objects_in(folder, "mark") == []
    age(folder)
    store.collect()
    age(folder)
    store.collect()
    assert packs_in(folder) == set()


def test_a_pack_that_is_mostly_dead_is_written_anew_without_what_is(folder, tmp_path):
    store = pages_store(folder)
    big = store.put(page_copy(tmp_path / "big.db", "abcdefghijklmnop"), "big", CREATED_AT)
    small = store.put(page_copy(tmp_path / "small.db", "ae"), "small", CREATED_AT)
    before = sum(path.stat().st_size for path in objects_in(folder, "pack"))
    age(folder)
    store.delete([big])
    age(folder)
    store.collect()
    assert sum(path.stat().st_size for path in objects_in(folder, "pack")) < before / 2
    assert fetched(store, small, tmp_path / "back") == (tmp_path / "small.db").read_bytes()


def test_a_run_writes_no_more_anew_than_its_limit(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "_MOST_REPACKED_BYTES", 3000)
    store = pages_store(folder)
    big = store.put(page_copy(tmp_path / "big.db", "abcdefghijklmnopqrst"), "big", CREATED_AT)
    store.put(page_copy(tmp_path / "small.db", "afkp"), "small", CREATED_AT)
    age(folder)
    objects = FolderObjects(folder)
    objects.delete(big.name)
    assert store.collect().repacked_packs == 1
    age(folder)
    assert store.collect().repacked_packs == 1


def test_the_indexes_of_many_backups_become_one(folder, tmp_path):
    store = pages_store(folder)
    for number in range(18):
        store.put(page_copy(tmp_path / f"{number}.db", f"abc{number}"), f"db{number}", CREATED_AT)
    assert len(objects_in(folder, "index")) == 18
    store.collect()
    assert len(objects_in(folder, "index")) == 1
    copies = {f"db{number}": tmp_path / f"{number}.db" for number in range(18)}
    assert all_whole(folder, copies, tmp_path / "back")


def test_nothing_goes_while_it_is_not_known_what_a_backup_needs(folder, tmp_path):
    store = pages_store(folder)
    store.put(page_copy(tmp_path / "a.db", "abcdefgh"), "a", CREATED_AT)
    gone = store.put(page_copy(tmp_path / "b.db", "ijklmnop"), "b", CREATED_AT)
    root = folder / OWNER / "backup-a-2026-11-20T030000Z.pages"
    root.write_bytes(root.read_bytes()[:-1])
    age(folder)
    before = packs_in(folder)
    store.delete([gone])
    age(folder)
    assert "backup-a-2026-11-20T030000Z.pages needs cannot be read" in store.collect().kept_because
    assert packs_in(folder) == before


def test_another_machines_backup_is_not_deleted_and_its_pages_stay(folder, tmp_path):
    ours, theirs = pages_store(folder), pages_store(folder, OTHER)
    own = ours.put(page_copy(tmp_path / "a.db", "abcdefgh"), "a", CREATED_AT)
    foreign = theirs.put(page_copy(tmp_path / "b.db", "abcdxyz"), "b", CREATED_AT)
    with pytest.raises(StoreRefused, match="was put there by desk-00ff"):
        ours.delete([own, foreign])
    assert len(list(ours.backups())) == 2
    age(folder)
    ours.delete([own])
    for _ in range(2):
        age(folder)
        ours.collect()
    assert all_whole(folder, {"b": tmp_path / "b.db"}, tmp_path / "back")


Act = Callable[[], object]


def interleaved(folder: Path, work: Callable[[PagesStore], object], other: Act, at: int) -> bool:
    """Do a work, and the other before its operation of a number; False when it has not so many."""
    seen, done = iter(range(10_000)), []

    def before(_verb: str, _name: str) -> None:
        if next(seen) == at:
            done.append(other())

    work(wrapped_store(Wrapped(FolderObjects(folder), before=before)))
    return bool(done)


def test_a_put_is_whole_whenever_another_machine_frees_what_it_uses(tmp_path, small_packs):
    copy = page_copy(tmp_path / "a.db", "abcdefgh")
    for at in range(1000):
        folder = tmp_path / f"store-{at}"
        other = pages_store(folder, OTHER)
        other.put(copy, "b", CREATED_AT)
        age(folder)

        def free(folder: Path = folder, other: PagesStore = other) -> None:
            other.delete([each for each in other.backups() if each.owner == OTHER])
            for _ in range(2):  # as if this machine slept for days in mid-put
                age(folder)
                other.collect()

        was_there = interleaved(folder, lambda store: store.put(copy, "a", CREATED_AT), free, at)
        mine = [each for each in pages_store(folder).backups() if each.owner == OWNER]
        assert len(mine) == 1
        back = fetched(pages_store(folder), mine[0], tmp_path / f"back-{at}")
        assert back == copy.read_bytes()
        if not was_there:
            break
    assert at > 10


def test_a_backup_whose_packs_were_marked_does_not_show_before_it_is_whole(folder, tmp_path):
    pages_store(folder, OTHER).put(page_copy(tmp_path / "a.db", "abcdefgh"), "b", CREATED_AT)
    age(folder)
    other, put = pages_store(folder, OTHER), []

    def before(verb: str, name: str) -> None:
        if verb == "put" and name.startswith(f"{OWNER}/"):
            put.append(name)
        elif verb == "put" and "/index/" in name and not objects_in(folder, "mark"):
            other.delete(list(other.backups()))  # which marks all that this put relies on

    objects = Wrapped(FolderObjects(folder), before=before)
    copy = page_copy(tmp_path / "c.db", "abcdefghxyz")
    stored = wrapped_store(objects).put(copy, "a", CREATED_AT)
    assert put == [stored.name]
    assert fetched(pages_store(folder), stored, tmp_path / "1") == copy.read_bytes()


@pytest.mark.parametrize("is_marked", [True, False])
def test_freeing_keeps_whatever_another_machine_puts_meanwhile(tmp_path, small_packs, is_marked):
    copy = page_copy(tmp_path / "a.db", "abcdefgh")
    for at in range(1000):
        folder = tmp_path / f"store-{at}"
        pages_store(folder).put(copy, "a", CREATED_AT)
        age(folder)
        gone = list(pages_store(folder).backups())
        if is_marked:
            pages_store(folder).delete(gone)
            age(folder)
        else:  # what is put before the mark is relied upon, and then marked all the same
            FolderObjects(folder).delete(gone[0].name)

        def put(folder: Path = folder) -> object:
            return pages_store(folder, OTHER).put(copy, "b", CREATED_AT)

        was_there = interleaved(folder, lambda store: store.collect(), put, at)
        if not was_there:
            put()
        for _ in range(2):
            age(folder)
            pages_store(folder).collect()
        assert all_whole(folder, {"b": copy}, tmp_path / f"back-{at}")
        if not was_there:
            break
    assert at > 10


def test_two_machines_that_free_at_once_keep_what_is_needed(tmp_path, small_packs):
    copy = page_copy(tmp_path / "a.db", "abcdefgh")
    for at in range(1000):
        folder = tmp_path / f"store-{at}"
        # The same pages twice: each machine may take the other's packs for the ones that stay.
        pages_store(folder).put(
            page_copy(tmp_path / "first.db", "abcdefgh" + "xy"), "a", CREATED_AT
        )
        age(folder)
        pages_store(folder).delete(list(pages_store(folder).backups()))
        pages_store(folder, OTHER).put(copy, "b", CREATED_AT)
        for path in objects_in(folder, "mark"):
            path.unlink()
        age(folder)

        other = pages_store(folder, OTHER)
        was_there = interleaved(folder, lambda store: store.collect(), other.collect, at)
        for _ in range(2):
            age(folder)
            pages_store(folder).collect()
        assert all_whole(folder, {"b": copy}, tmp_path / f"back-{at}")
        if not was_there:
            break
    assert at > 10


def test_wherever_freeing_is_cut_off_every_backup_is_whole_and_the_next_run_frees(
    tmp_path, small_packs
):
    copies = {
        "a": page_copy(tmp_path / "a.db", "abcdefghijkl"),
        "c": page_copy(tmp_path / "c.db", "aei"),
    }
    for number in range(1000):
        folder = tmp_path / f"store-{number}"
        store = pages_store(folder)
        for name, copy in copies.items():
            store.put(copy, name, CREATED_AT)
        gone = store.put(page_copy(tmp_path / "b.db", "mnopqrst"), "b", CREATED_AT)
        age(folder)
        store.delete([gone])
        age(folder)
        cut = Wrapped(FolderObjects(folder), after=failing_at(number, Cut(), "put", "delete"))
        try:
            wrapped_store(cut).collect()
        except Cut:
            is_over = False
        else:
            is_over = True
        assert all_whole(folder, copies, tmp_path / f"cut-{number}")
        for _ in range(2):
            age(folder)
            store.collect()
        assert all_whole(folder, copies, tmp_path / f"later-{number}")
        if is_over:
            break
    assert number > 5


def test_a_place_that_does_not_list_what_was_put_is_not_trusted_with_freeing(folder, tmp_path):
    class Forgetful(FolderObjects):
        def list(self, prefix: str = ""):
            return (each for each in super().list(prefix) if "/mark/" not in each.name)

    store = pages_store(folder)
    store.put(page_copy(tmp_path / "a.db", "abcd"), "a", CREATED_AT)
    with pytest.raises(StoreFailed, match="does not list what was just put there"):
        PagesStore("disk", Forgetful(folder), OWNER, is_off_site=False).collect()
