"""The object that makes a backup of what lies in packs: which pages, in which order."""

from __future__ import annotations

import base64

from msgspec import Struct

from holdfast.formats.compression import compressed_block, decompressed_block
from holdfast.formats.interface import damaged
from holdfast.stores.pages.documents import read_document, write_document
from holdfast.stores.pages.packs import ID_BYTES

LIST_PAGES = 128  # how many pages one list names; the last may name fewer
_LARGEST = 256 * 1024 * 1024  # decompressed


class Root(Struct, frozen=True):
    """What a backup in a page store says of itself; it names lists, which name pages."""

    database: str
    created_at: str  # UTC, ISO 8601
    page_size: int
    file_bytes: int  # of the whole database file
    sha256: str  # of the same, lower-case hex
    lists: str  # base64 of the ids, one after another
    manifest: str  # of the page copy, as `formats.sqlite_copy` writes it

    @property
    def page_count(self) -> int:
        return -(-self.file_bytes // self.page_size)

    def list_ids(self) -> list[bytes]:
        """Return the ids of the lists, in order."""
        return split_ids(base64.b64decode(self.lists))


def write_root(root: Root) -> bytes:
    """Return a root as it is stored, before any encryption."""
    return compressed_block(write_document(root))


def read_root(stored: bytes) -> Root:
    """
    Read a root.

    Raises: BackupDamaged; BackupTooNew for a later major version.
    """
    root = read_document(decompressed_block(stored, _LARGEST), Root)
    if root.page_size < 1 or len(root.list_ids()) != -(-root.page_count // LIST_PAGES):
        raise damaged("what it says of its pages does not fit together")
    return root


def split_ids(content: bytes) -> list[bytes]:
    """Return the ids that lie one after another; BackupDamaged when the last one is cut."""
    if len(content) % ID_BYTES:
        raise damaged("a list of pages is cut short")
    return [content[at : at + ID_BYTES] for at in range(0, len(content), ID_BYTES)]
