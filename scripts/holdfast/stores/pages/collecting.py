"""
Frees what no backup in a page store uses, while other machines may put theirs.

A pack goes in two steps. First it is marked: no backup that begins later relies on it. When the
mark is GRACE_SECONDS old, by the store's own clock, and a listing made after that shows no
backup that needs the pack, it is deleted. Who puts a backup looks at the marks right before its
last object, and once more after it. So a backup either avoids the pack, or is seen in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from holdfast.errors import BackupError, KeyNotAtHand, ObjectMissing, StoreFailed
from holdfast.stores.objects import ObjectFacts
from holdfast.stores.pages.catalog import (
    Catalog,
    Marks,
    Pack,
    load_catalog,
    put_index,
    put_mark,
    read_marks,
)
from holdfast.stores.pages.contents import open_root
from holdfast.stores.pages.items import Losses, read_items
from holdfast.stores.pages.place import MARKS, PACKS, Place
from holdfast.stores.pages.roots import split_ids
from holdfast.stores.pages.writing import Writer
from holdfast.times import moment

GRACE_SECONDS = 12 * 3600  # between the last look at the marks and the last object of a backup
_MOST_INDEXES = 16
_DEAD_SHARE = 0.5  # of a pack's items: with more it is worth writing the others anew
_MOST_REPACKED_BYTES = 64 * 1024 * 1024  # in one run


class Collected(Struct, frozen=True):
    """What a run has freed."""

    deleted_packs: int = 0
    marked_packs: int = 0
    repacked_packs: int = 0
    kept_because: str = ""  # why nothing could be freed


def collect(
    place: Place, roots: Callable[[], Iterable[str]], *, grace_seconds: float = GRACE_SECONDS
) -> Collected:
    """
    Free what no backup needs; what has to wait for its grace goes in a later run.

    Args:
        roots: lists the backups of all owners, as they are now.

    Raises: StoreFailed.
    """
    now, probe = _now(place)
    try:
        names = list(roots())
        catalog, marks = load_catalog(place), read_marks(place)
        live = _live(place, catalog, names)
        if isinstance(live, str):
            return Collected(kept_because=live)
        facts = {each.name: each for each in place.objects.list(PACKS)}
        limit = now - timedelta(seconds=grace_seconds)
        gone = _delete_due(place, catalog, marks, live, limit)
        old = {name for name, each in facts.items() if _is_before(each, limit)}
        unused, wasteful = _candidates(catalog, live, old)
        repacked = _repack(place, catalog, wasteful, live)
        to_mark = {*unused, *repacked}
        if to_mark:
            put_mark(place, to_mark)
        _tidy(place, catalog, marks, gone)
        return Collected(len(gone), len(to_mark), len(repacked))
    finally:
        place.objects.delete(probe)


def _now(place: Place) -> tuple[datetime, str]:
    """Ask the store's own clock, by putting an object: a mark of nothing."""
    probe = put_mark(place, ())
    for facts in place.objects.list(MARKS):
        now = moment(facts.modified_at)
        if facts.name == probe and now:
            return now, probe
    raise StoreFailed(
        f"{place.objects.location} does not list what was just put there",
        hint="Try again later.",
    )


def _is_before(facts: ObjectFacts, limit: datetime) -> bool:
    modified_at = moment(facts.modified_at)
    return modified_at is not None and modified_at <= limit


class _Live(Struct, frozen=True):
    """What the backups of a store name."""

    lists: frozenset[bytes]
    pages: frozenset[bytes]

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.pages or item_id in self.lists

    def __iter__(self) -> Iterator[bytes]:
        yield from self.lists
        yield from self.pages


def _live(place: Place, catalog: Catalog, roots: Iterable[str]) -> _Live | str:
    """Return what is needed; or why that is not known, and all must stay."""
    lists: set[bytes] = set()
    pages: set[bytes] = set()
    losses = Losses()
    for name in roots:
        try:
            lists.update(open_root(place, name).list_ids())
        except ObjectMissing:  # it was deleted meanwhile
            continue
        except (BackupError, KeyNotAtHand) as error:
            return f"what {name} needs cannot be read: {error}"
    for _, content in read_items(place, catalog, lists, place.key.list_id, losses):
        pages.update(split_ids(content))
    if losses.items:
        return "which pages a backup needs is lost with a pack: see verify"
    return _Live(frozenset(lists), frozenset(pages))


def _delete_due(
    place: Place, catalog: Catalog, marks: Marks, live: _Live, limit: datetime
) -> set[str]:
    """Delete the packs whose mark is old enough, and that nothing needs."""
    due: set[str] = set()
    for mark, packs in marks.packs_by_mark.items():
        if _is_before(marks.listed[mark], limit):
            due |= packs
    needed = {pack.name for pack in catalog.packs if any(_stranded(catalog, pack, live))}
    unreadable = catalog.unreadable_packs if _lacks_nothing(catalog, live) else set()
    gone = (due & ({pack.name for pack in catalog.packs} | unreadable)) - needed
    for name in sorted(gone):
        place.objects.delete(name)
    return gone


def _stranded(catalog: Catalog, pack: Pack, live: _Live) -> Iterator[int]:
    """Yield the items of a pack that are needed, and are in no pack that is not marked."""
    for number in range(pack.directory.item_count):
        item_id = pack.directory.item_id(number)
        if item_id in live and catalog.reliable(item_id) is None:
            yield number


def _lacks_nothing(catalog: Catalog, live: _Live) -> bool:
    return all(catalog.find(item_id) for item_id in live)


def _candidates(
    catalog: Catalog, live: _Live, old: Collection[str]
) -> tuple[list[str], list[Pack]]:
    """Name the packs that nothing needs, and those worth writing anew; younger ones stay."""
    needed = Counter(pack.name for pack in map(catalog.reliable, live) if pack)
    unused, wasteful = [], []
    for pack in catalog.packs:
        if pack.is_marked:
            if any(_stranded(catalog, pack, live)):
                wasteful.append(pack)
        elif pack.name in old:
            if not needed[pack.name]:
                unused.append(pack.name)
            elif needed[pack.name] < pack.directory.item_count * (1 - _DEAD_SHARE):
                wasteful.append(pack)
    if _lacks_nothing(catalog, live):
        unused += [name for name in catalog.unreadable_packs if name in old]
    return unused, wasteful


def _repack(place: Place, catalog: Catalog, packs: Iterable[Pack], live: _Live) -> set[str]:
    """Write what is needed of packs into new ones; returns the names of those that may go."""
    writer, freed, read_bytes = Writer(place, Catalog((), (), {})), set(), 0
    for pack in packs:
        read_bytes += pack.stored_bytes
        if read_bytes > _MOST_REPACKED_BYTES:
            break
        losses = Losses()
        only = Catalog([pack], (), {})
        wanted = [
            item_id
            for item_id in map(pack.directory.item_id, range(pack.directory.item_count))
            if item_id in live and catalog.reliable(item_id) in (pack, None)
        ]
        for item_id, content in read_items(place, only, wanted, _either_id(place, live), losses):
            writer.ensure(item_id, content)
        if not losses.items and not pack.is_marked:
            freed.add(pack.name)
    writer.finish()
    return freed


def _either_id(place: Place, live: _Live) -> Callable[[bytes], bytes]:
    def make_id(content: bytes) -> bytes:
        page_id = place.key.page_id(content)
        return page_id if page_id in live.pages else place.key.list_id(content)

    return make_id


def _tidy(place: Place, catalog: Catalog, marks: Marks, gone: Collection[str]) -> None:
    """Keep the indexes few, and the marks no longer than what they mark."""
    if gone or len(catalog.indexes) > _MOST_INDEXES:
        kept = [pack for pack in catalog.packs if pack.name not in gone]
        merged = put_index(place, kept)
        for name in catalog.indexes:
            if name != merged:
                place.objects.delete(name)
    there = {facts.name for facts in place.objects.list(PACKS)}
    for mark, packs in marks.packs_by_mark.items():
        if packs and packs.isdisjoint(there):
            place.objects.delete(mark)
