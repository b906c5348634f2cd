"""The secret that the machines of one page store share: it makes the ids of pages."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from dataclasses import dataclass
from itertools import count

from holdfast.errors import BackupDamaged, ObjectMissing
from holdfast.stores.objects import Objects
from holdfast.stores.pages.documents import read_document, write_document
from holdfast.stores.pages.transfer import put_and_read_back, read_whole

KEYS = "pages/key/"
ALL = "pages/"
_ID_BYTES = 16
_KEY_BYTES = 32
_COPIES = 2  # without the key, what is in the store is worth nothing


@dataclass(frozen=True, slots=True)
class StoreKey:
    """What makes ids, and opens what is encrypted."""

    id_key: bytes
    is_encrypted: bool = False

    @property
    def suffix(self) -> str:
        """What the names of objects end in."""
        return ".age" if self.is_encrypted else ""

    def page_id(self, content: bytes) -> bytes:
        """Name a page by its content; without the key the id says nothing of it."""
        return self._id(content, b"page")

    def list_id(self, content: bytes) -> bytes:
        """Name a list of the ids of pages."""
        return self._id(content, b"list")

    def _id(self, content: bytes, kind: bytes) -> bytes:
        return hashlib.blake2b(
            content, digest_size=_ID_BYTES, key=self.id_key, person=kind
        ).digest()

    def sealed(self, content: bytes) -> bytes:
        """Return content as it is stored."""
        return content

    def opened(self, stored: bytes) -> bytes:
        """Return what was sealed; BackupDamaged when it is not that."""
        return stored


@dataclass(frozen=True, slots=True)
class _Document:
    """What lies in the store of its key."""

    id_key: str  # lower-case hex


def store_key(objects: Objects) -> StoreKey:
    """
    Return the key of a store, which gets one when nothing is in it.

    Raises: StoreFailed; BackupDamaged when the key is lost; BackupTooNew.
    """
    whole = _whole_copies(objects)
    if not whole and any(objects.list(ALL)):
        raise BackupDamaged(
            f"{objects.location} has lost its key: no object {KEYS}... is whole",
            hint="Bring one of them back, or begin a store in another folder or prefix.",
        )
    if not whole:
        _put_copy(objects, _Document(secrets.token_hex(_KEY_BYTES)))
        whole = _whole_copies(objects)  # another machine's, if that was quicker
    for _ in range(len(whole), _COPIES):
        _put_copy(objects, whole[0])
    return StoreKey(bytes.fromhex(whole[0].id_key))


def _whole_copies(objects: Objects) -> list[_Document]:
    found = []
    for facts in objects.list(KEYS):
        with contextlib.suppress(BackupDamaged, ObjectMissing):
            found.append(read_document(read_whole(objects, facts.name), _Document))
    return found


def _put_copy(objects: Objects, document: _Document) -> None:
    """Put one more copy of the key; of two machines that put the first, one is heard."""
    taken = {facts.name for facts in objects.list(KEYS)}
    name = next(each for n in count(1) if (each := f"{KEYS}{n}") not in taken)
    put_and_read_back(objects, name, write_document(document))
