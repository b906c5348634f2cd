"""
The key of a page store, which its machines share: it makes ids, and opens what is encrypted.

It lies in the store itself. In an encrypted store it is encrypted for the recipients, or with the
passphrase, that are set; all else is encrypted for a recipient of the store's own, whose identity
is part of the key. So a passphrase is stretched once a run, and a recipient that is named later
can open what was there before.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Sequence
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from holdfast.encryption import (
    NO_KEYS,
    Keys,
    decrypting,
    encrypting,
    is_encrypted,
    new_identity,
    opens_own,
)
from holdfast.encryption import SUFFIX as ENCRYPTED_SUFFIX
from holdfast.errors import BackupDamaged, KeyNotAtHand, ObjectMissing, StoreRefused
from holdfast.formats.interface import damaged
from holdfast.stores.objects import Objects
from holdfast.stores.pages.documents import read_document, write_document
from holdfast.stores.pages.transfer import put_and_read_back, read_whole

KEYS = "pages/key/"
ALL = "pages/"
_ID_BYTES = 16
_KEY_BYTES = 32
_COPIES = 2  # without the key, what is in the store is worth nothing
_BY_WORDS = "a passphrase"  # in the place of a recipient


class StoreKey(Struct, frozen=True):
    """What makes ids, and opens what is encrypted."""

    id_key: bytes
    own: Keys = NO_KEYS  # the store's own; NO_KEYS: it is not encrypted

    def __repr__(self) -> str:  # without what is secret
        return f"StoreKey({self.own})"

    @property
    def is_encrypted(self) -> bool:
        """Whether what is stored is encrypted."""
        return self.own != NO_KEYS

    @property
    def suffix(self) -> str:
        """What the names of objects end in."""
        return ENCRYPTED_SUFFIX if self.is_encrypted else ""

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
        return _encrypted(content, self.own) if self.is_encrypted else content

    def opened(self, stored: bytes) -> bytes:
        """Return what was sealed; BackupDamaged when it is not that."""
        if not self.is_encrypted:
            return stored
        try:
            return _decrypted(stored, self.own)
        except KeyNotAtHand as error:
            raise damaged("the start of it is not what was written") from error


class _Document(Struct, frozen=True):
    """What a copy of the key holds."""

    id_key: str  # lower-case hex
    identity: str = ""  # of age, which opens all else in the store; "": it is not encrypted
    recipient: str = ""  # the same, its public half
    opened_by: tuple[str, ...] = ()  # the recipients that this copy is encrypted for

    def key(self) -> StoreKey:
        own = Keys(recipients=(self.recipient,), identity=self.identity)
        return StoreKey(bytes.fromhex(self.id_key), own if self.identity else NO_KEYS)


def store_key(objects: Objects, keys: Keys = NO_KEYS) -> StoreKey:
    """
    Return the key of a store that is there.

    Args: keys: those at hand.

    Raises: StoreFailed; KeyNotAtHand; BackupDamaged when the key is lost; BackupTooNew.
    """
    copies, _ = _whole_copies(objects, keys)
    if not copies:
        raise _lost(objects)
    return copies[0].key()


def key_to_put(objects: Objects, keys: Keys, *, encrypts: bool) -> StoreKey:
    """
    Return the key of a store to put backups into, which gets one when nothing is in it.

    Its copies become as many as they should be, and one for the recipients that are set.

    Raises: as `store_key`; StoreRefused for a store that does not encrypt, and should.
    """
    copies, stored = _whole_copies(objects, keys)
    if not copies:
        if any(objects.list(ALL)):
            raise _lost(objects)
        if encrypts and not opens_own(keys):
            raise KeyNotAtHand(
                f"no key is at hand that opens what {objects.location} would hold",
                hint="Only who can see which pages are there adds to them: put the key where"
                " encryption.identities of backup.yaml or HOLDFAST_IDENTITY says, or use a store"
                " with layout: files.",
            )
        identity, recipient = new_identity() if encrypts else ("", "")
        _put_copy(objects, _Document(secrets.token_hex(_KEY_BYTES), identity, recipient), keys)
        copies, stored = _whole_copies(objects, keys)  # another machine's, if that was quicker
    if encrypts and not copies[0].identity:
        raise StoreRefused(
            f"what is in {objects.location} is not encrypted, so nothing that is to be goes there",
            hint="Name another folder or prefix for it, or set encrypt: false for this store.",
        )
    wanted = set(_opened_by(keys))
    if encrypts and not any(wanted <= set(each.opened_by) for each in copies):
        _put_copy(objects, copies[0], keys)
    elif len(stored) < _COPIES:
        _put(objects, stored[0], copies[0].key().suffix)
    return copies[0].key()


def _lost(objects: Objects) -> BackupDamaged:
    return BackupDamaged(
        f"{objects.location} has lost its key: no object {KEYS}... is whole",
        hint="Bring one of them back, or begin a store in another folder or prefix.",
    )


def _whole_copies(objects: Objects, keys: Keys) -> tuple[list[_Document], list[bytes]]:
    """Return the copies that can be read, as they are and as they are stored."""
    found: list[_Document] = []
    stored: list[bytes] = []
    closed: KeyNotAtHand | None = None
    for facts in objects.list(KEYS):
        try:
            content = read_whole(objects, facts.name)
            if content in stored:  # which a passphrase need not be stretched for again
                document = found[stored.index(content)]
            else:
                document = read_document(_opened(content, keys), _Document)
        except KeyNotAtHand as error:
            closed = error
        except (BackupDamaged, ObjectMissing):
            continue
        else:
            found.append(document)
            stored.append(content)
    if closed and not found:
        raise KeyNotAtHand(
            f"{objects.location}: the key of the store cannot be opened: {closed}",
            hint=closed.hint,
        ) from closed
    return found, stored


def _opened(content: bytes, keys: Keys) -> bytes:
    return _decrypted(content, keys) if is_encrypted(content) else content


def _opened_by(keys: Keys) -> Sequence[str]:
    return keys.recipients or (_BY_WORDS,)


def _put_copy(objects: Objects, document: _Document, keys: Keys) -> None:
    """Put a copy of the key for who is to open it; of two that are the first, one stays."""
    if not document.identity:
        _put(objects, write_document(document), "")
        return
    content = write_document(replace(document, opened_by=tuple(_opened_by(keys))))
    _put(objects, _encrypted(content, keys), ENCRYPTED_SUFFIX)


def _put(objects: Objects, content: bytes, suffix: str) -> None:
    taken = {facts.name.removesuffix(ENCRYPTED_SUFFIX) for facts in objects.list(KEYS)}
    name = next(each for n in count(1) if (each := f"{KEYS}{n}") not in taken)
    put_and_read_back(objects, name + suffix, content)


def _encrypted(content: bytes, keys: Keys) -> bytes:
    target = io.BytesIO()
    with encrypting(target, keys) as file:
        file.write(content)
    return target.getvalue()


def _decrypted(stored: bytes, keys: Keys) -> bytes:
    with decrypting(io.BytesIO(stored), keys) as content:
        return content.read()
