"""The objects of a page store: named by their own hash, encrypted where the store is."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from holdfast.errors import BackupDamaged
from holdfast.formats.interface import damaged
from holdfast.stores.objects import Objects
from holdfast.stores.pages.keys import StoreKey
from holdfast.stores.pages.transfer import put_and_read_back, read_whole

PACKS = "pages/pack/"
INDEXES = "pages/index/"
MARKS = "pages/mark/"
NAME_BYTES = 16  # of the SHA-256 of an object as it is stored, in lower-case hex in its name


class Place(Struct, frozen=True):
    """Where the objects of one page store are, with the key that they share."""

    objects: Objects
    key: StoreKey

    def keep(self, kind: str, content: bytes) -> tuple[str, int]:
        """
        Put content under the name that its hash gives it, and read it back.

        Returns: its whole name, and its bytes as they are stored.
        Raises: StoreFailed when it does not come back as it went.
        """
        sealed = self.key.sealed(content)
        name = f"{kind}{hashlib.sha256(sealed).hexdigest()[: 2 * NAME_BYTES]}{self.key.suffix}"
        put_and_read_back(self.objects, name, sealed)
        return name, len(sealed)

    def read(self, name: str) -> bytes:
        """
        Return what `keep` was given.

        Raises: ObjectMissing; BackupDamaged when it is not what was written; StoreFailed.
        """
        sealed = read_whole(self.objects, name)
        if hashlib.sha256(sealed).hexdigest()[: 2 * NAME_BYTES] != id_in(name):
            raise damaged(f"{name} is not what was written")
        try:
            return self.key.opened(sealed)
        except BackupDamaged as error:
            raise damaged(f"{name}: {error}") from error

    @property
    def has_ranges(self) -> bool:
        """Whether parts of an object can be read; what is encrypted is opened whole."""
        return not self.key.is_encrypted


def id_in(name: str) -> str:
    """Return the hash that an object's name holds."""
    return name.rpartition("/")[2].partition(".")[0]
