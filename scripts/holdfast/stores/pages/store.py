"""The store that keeps each page of a database once: what its package does, as a Store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.encryption import NO_KEYS, Keys
from holdfast.errors import BackupDamaged, KeyNotAtHand, StoreRefused
from holdfast.stores.interface import StoredBackup, listed_backups, stored_backup
from holdfast.stores.objects import Objects
from holdfast.stores.pages.collecting import Collected, collect
from holdfast.stores.pages.fetching import fetch_backup
from holdfast.stores.pages.keys import ALL, key_to_put, store_key
from holdfast.stores.pages.naming import is_root
from holdfast.stores.pages.place import Place
from holdfast.stores.pages.putting import page_copy, put_backup


class PagesStore:
    """Backups in the format sqlite, page by page in any place for objects."""

    def __init__(
        self,
        name: str,
        objects: Objects,
        owner: str,
        *,
        is_off_site: bool,
        keys: Keys = NO_KEYS,
        encrypts: bool = False,
    ) -> None:
        """
        Args:
            owner: the mark of this machine, under which it puts and deletes.
            keys: those at hand, and whom the store is encrypted for.
            encrypts: refuse to keep anything that is not encrypted.
        """
        self.name = name
        self.location = objects.location
        self.is_off_site = is_off_site
        self.encrypts = encrypts
        self._keys = keys
        self._objects = objects
        self._owner = owner
        self._known_place: Place | None = None  # found when it is first needed

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
            name, size = put_backup(place, copy, database, created_at, self._owner)
        found = stored_backup(self.name, name, size)
        assert found  # `object_name` made it
        return found

    def fetch(self, backup: StoredBackup, folder: Path) -> Path:
        """
        Put a backup into an empty folder of this machine, as a page copy with its manifest.

        Raises: BackupNotFound when it has gone; BackupDamaged; KeyNotAtHand; StoreFailed.
        """
        return fetch_backup(self._place(), backup.name, folder, self._names)

    def delete(self, backups: Sequence[StoredBackup]) -> None:
        """
        Delete backups, and what nothing else in the store needs then: that takes a second run.

        Raises: StoreRefused for one that another machine put there; then none is deleted.
        """
        for backup in backups:
            if backup.owner != self._owner:
                raise StoreRefused(
                    f"{backup.name} in {self.location} was put there by {backup.owner},"
                    f" and this is {self._owner}",
                    hint="Delete it from that machine, or by hand.",
                )
        for backup in backups:
            self._objects.delete(backup.name)
        with contextlib.suppress(KeyNotAtHand, BackupDamaged):  # the next run that can frees it
            self.collect()

    def collect(self) -> Collected:
        """Free what no backup needs, as far as its time has come; see `collecting`."""
        if not any(self._objects.list(ALL)):
            return Collected()
        return collect(self._place(), self._names)

    def _names(self) -> Iterator[str]:
        return (each.name for each in self.backups())
