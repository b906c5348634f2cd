"""What the layouts of a store share, in any place for objects."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.encryption import NO_KEYS, Keys
from holdfast.errors import StoreRefused
from holdfast.stores.interface import StoredBackup, stored_backup
from holdfast.stores.objects import Objects


class Layout:
    """Backups in a place for objects, of which each machine deletes its own alone."""

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
            keys: those at hand, and whom backups are encrypted for.
            encrypts: keep nothing that is not encrypted.
        """
        self.name = name
        self.location = objects.location
        self.is_off_site = is_off_site
        self.encrypts = encrypts
        self._objects = objects
        self._owner = owner
        self._keys = keys

    def delete(self, backups: Sequence[StoredBackup]) -> None:
        """
        Delete backups, and what nothing else in the store needs then.

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

    def _stored(self, name: str, size: int) -> StoredBackup:
        found = stored_backup(self.name, name, size)
        assert found  # `object_name` made it
        return found
