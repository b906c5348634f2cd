"""Writes what no pack has yet into new ones."""

from __future__ import annotations

from holdfast.stores.pages.catalog import Catalog, Pack, put_index
from holdfast.stores.pages.packs import Packer, read_directory
from holdfast.stores.pages.place import PACKS, Place

_FIRST_LEVEL = 9  # takes a third of a second for a pack, and most backups need no other
_NEXT_LEVEL = 3


class Writer:
    """Writes the items that no pack has, and notes which packs are used."""

    def __init__(self, place: Place, catalog: Catalog) -> None:
        self.place = place
        self.used: set[str] = set()
        self._catalog = catalog
        self._packer = Packer(_FIRST_LEVEL)
        self._waiting: set[bytes] = set()
        self._written: list[Pack] = []

    def ensure(self, item_id: bytes, content: bytes) -> None:
        """See to it that an item is in a pack."""
        pack = self._catalog.reliable(item_id)
        if pack:
            self.used.add(pack.name)
        elif item_id not in self._waiting:
            self._waiting.add(item_id)
            self._packer.add(item_id, content)
            if self._packer.is_full:
                self._put_pack()

    def end_kind(self) -> None:
        """Keep what comes next out of the frame of what came before: it compresses otherwise."""
        self._packer.end_frame()

    def finish(self) -> None:
        """Put what is left, and an index of all that was put."""
        if self._packer.item_count:
            self._put_pack()
        if self._written:
            put_index(self.place, self._written)

    def _put_pack(self) -> None:
        content, directory = self._packer.finished()
        name, stored_bytes = self.place.keep(PACKS, content)
        pack = Pack(name, stored_bytes, read_directory(directory), directory, is_marked=False)
        self._catalog.add(pack)
        self._written.append(pack)
        self.used.add(name)
        self._packer, self._waiting = Packer(_NEXT_LEVEL), set()
