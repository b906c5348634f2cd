"""The store that keeps each page of a database once: what its package does, as a Store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.errors import BackupDamaged, KeyNotAtHand
from holdfast.stores.interface import StoredBackup, listed_backups
from holdfast.stores.layout import Layout
from holdfast.stores.pages.collecting import Collected, collect
from holdfast.stores.pages.fetching import fetch_backup
from holdfast.stores.pages.keys import ALL, key_to_put, store_key
from holdfast.stores.pages.naming import is_root
from holdfast.stores.pages.place import Place
from holdfast.stores.pages.putting import page_copy, put_backup


class PagesStore(Layout):
    """Backups in the format sqlite, page by page."""

    _known_place: Place | None = None  # found when it is first needed

    def _place(self) -> Place:
        if self._known_place is None:
            self._known_place = Place(self._objects, store_key(self._objects, self._keys))
        return self._known_place

    def backups(self) -> Iterator[StoredBackup]:
        """Yield the backups of all owners, in no order; what is no backup of ours is passed by."""
        return (each for each in listed_backups(self.name, self._objects) if is_root(each.name))

    def put(self, backup: Path, database: str, created_at: str) -> StoredBackup:
        """
        Keep a page copy; it is there whole, and read back, or not there at all.

        Raises: StoreRefused for another format; StoreFailed; BackupDamaged; KeyNotAtHand.
        """
        with page_copy(backup, self._keys, self.location) as copy:
            key = key_to_put(self._objects, self._keys, encrypts=self.encrypts)
            place = Place(self._objects, key)
            return self._stored(*put_backup(place, copy, database, created_at, self._owner))

    def fetch(self, backup: StoredBackup, folder: Path) -> Path:
        """
        Put a backup into an empty folder of this machine, as a page copy with its manifest.

        Raises: BackupNotFound when it has gone; BackupDamaged; KeyNotAtHand; StoreFailed.
        """
        return fetch_backup(self._place(), backup.name, folder, self._names)

    def delete(self, backups: Sequence[StoredBackup]) -> None:
        """Do as any layout; what nothing else in the store needs then takes a second run."""
        super().delete(backups)
        with contextlib.suppress(KeyNotAtHand, BackupDamaged):  # the next run that can frees it
            self.collect()

    def collect(self) -> Collected:
        """Free what no backup needs, as far as its time has come; see `collecting`."""
        if not any(self._objects.list(ALL)):
            return Collected()
        return collect(self._place(), self._names)

    def _names(self) -> Iterator[str]:
        return (each.name for each in self.backups())
