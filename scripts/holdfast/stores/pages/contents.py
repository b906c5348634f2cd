"""What the backups in a page store name: which lists, and through them which pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from holdfast.errors import BackupDamaged
from holdfast.formats.interface import damaged
from holdfast.stores.pages.catalog import Catalog
from holdfast.stores.pages.items import Losses, read_items
from holdfast.stores.pages.place import Place
from holdfast.stores.pages.roots import LIST_PAGES, Root, read_root, split_ids
from holdfast.stores.pages.transfer import read_whole


class Pages(Struct, frozen=True):
    """The pages of one backup, as far as its lists can be read."""

    ids: list[bytes | None]  # in the order of the database; None: its list is lost
    losses: Losses

    def numbers_of(self, lost: set[bytes]) -> list[int]:
        """Return the numbers of pages that are among these, or are not known; from 1 on."""
        return [
            number
            for number, page_id in enumerate(self.ids, start=1)
            if page_id is None or page_id in lost
        ]


def open_root(place: Place, name: str) -> Root:
    """
    Read the object that is a backup.

    Raises: ObjectMissing; BackupDamaged; BackupTooNew; KeyNotAtHand; StoreFailed.
    """
    stored = read_whole(place.objects, name)
    try:
        return read_root(place.key.opened(stored))
    except BackupDamaged as error:
        raise BackupDamaged(
            f"{name} in {place.objects.location}: {error}", hint=error.hint
        ) from error


def pages_of(place: Place, catalog: Catalog, root: Root) -> Pages:
    """Read the lists of a backup; what is lost of them is in the result."""
    losses = Losses()
    list_ids = root.list_ids()
    lists = dict(read_items(place, catalog, list_ids, place.key.list_id, losses))
    ids: list[bytes | None] = []
    for number, list_id in enumerate(list_ids):
        size = min(LIST_PAGES, root.page_count - number * LIST_PAGES)
        if list_id not in lists:
            ids += [None] * size
            continue
        found = split_ids(lists[list_id])
        if len(found) != size:
            raise damaged("a list names more or fewer pages than there are")
        ids += found
    return Pages(ids, losses)


def touched(
    place: Place, catalog: Catalog, roots: Iterable[str], lost: set[bytes]
) -> Iterator[str]:
    """Yield the names of the backups, of those named, that something lost belongs to."""
    for name in roots:
        try:
            root = open_root(place, name)
            pages = pages_of(place, catalog, root)
        except BackupDamaged:
            yield name
            continue
        if not lost.isdisjoint(root.list_ids()) or pages.numbers_of(lost):
            yield name
