"""Puts a page copy into a page store: what is not there yet, then the object that names it all."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from holdfast import files
from holdfast.encryption import Keys
from holdfast.errors import BackupDamaged, StoreFailed, StoreRefused
from holdfast.formats import open_backup, sqlite_copy
from holdfast.formats.compression import is_compressed, plain
from holdfast.formats.encrypted import EncryptedFile, is_closed
from holdfast.stores.interface import object_name
from holdfast.stores.pages.catalog import load_catalog, read_marks
from holdfast.stores.pages.naming import SUFFIX
from holdfast.stores.pages.place import PACKS, Place
from holdfast.stores.pages.roots import LIST_PAGES, Root, write_root
from holdfast.stores.pages.transfer import put_and_read_back, read_whole
from holdfast.stores.pages.writing import Writer

_ATTEMPTS = 5
_HEADER_BYTES = 100  # of a SQLite file


@contextlib.contextmanager
def page_copy(backup: Path, keys: Keys, location: str) -> Iterator[Path]:
    """
    Yield a backup that is in pages, decrypted in a private folder where it is encrypted.

    Raises: StoreRefused for another format; NotABackup and its kin; KeyNotAtHand.
    """
    if open_backup(backup, keys).format.name != sqlite_copy.FORMAT.name:
        raise StoreRefused(
            f"{location} keeps pages of databases, and {backup} is no page copy",
            hint="Make one with export --format sqlite, or use a store with layout: files.",
        )
    if is_closed(backup):
        with EncryptedFile(backup, keys).copy() as copy:
            yield copy
    else:
        yield backup


def put_backup(
    place: Place, backup: Path, database: str, created_at: str, owner: str
) -> tuple[str, int]:
    """
    Keep a page copy; until its last object is there, nothing is but what a later one can use.

    Packs that were marked or went meanwhile, by the hand of another machine, are not relied
    upon: what they held is written once more.

    Returns: the name of that object, and its bytes. Raises: StoreFailed; BackupDamaged; ReadFailed.
    """
    with files.reading(backup):
        proof = sqlite_copy.read_proof(backup)
        if is_compressed(backup):
            sqlite_copy.complain_unless(proof, backup.stat().st_size, files.sha256_of(backup))
    for _ in range(_ATTEMPTS):
        writer = Writer(place, load_catalog(place))
        root = _put_pages(writer, backup, proof, database, created_at)
        if not _all_reliable(place, writer.used):
            continue
        name, size = _put_root(place, root, owner)
        # Once it is there, no other machine deletes what it names; before, one might have.
        if _all_reliable(place, writer.used):
            return name, size
        place.objects.delete(name)
    raise StoreFailed(
        f"{place.objects.location}: other machines delete there all the time",
        hint="Try again when they have done.",
    )


def _put_pages(
    writer: Writer, backup: Path, proof: sqlite_copy.Proof, database: str, created_at: str
) -> Root:
    with files.reading(backup), plain(backup) as source:
        header = source.read(_HEADER_BYTES)
        page_size = int.from_bytes(header[16:18], "big")
        page_size = 65536 if page_size == 1 else page_size  # as SQLite writes it
        source.seek(0)
        whole, size, lists = _ensure_pages(writer, source, page_size)
    stored = sqlite_copy.StoredFile(whole, size)
    if not is_compressed(backup):
        sqlite_copy.complain_unless(proof, size, whole)
    key = writer.place.key
    ids = [key.list_id(each) for each in lists]
    writer.end_kind()
    for list_id, each in zip(ids, lists, strict=True):
        writer.ensure(list_id, each)
    writer.finish()
    return Root(
        database=database,
        created_at=created_at,
        page_size=page_size,
        file_bytes=size,
        sha256=whole,
        lists=base64.b64encode(b"".join(ids)).decode(),
        manifest=replace(proof, file=stored).text().decode(),
    )


def _ensure_pages(writer: Writer, source: BinaryIO, page_size: int) -> tuple[str, int, list[bytes]]:
    """Return the hash and the size of all that was read, and the lists of its pages."""
    digest, size, lists = hashlib.sha256(), 0, []
    while block := source.read(page_size * LIST_PAGES):
        digest.update(block)
        size += len(block)
        ids = []
        for at in range(0, len(block), page_size):
            page = block[at : at + page_size]
            ids.append(writer.place.key.page_id(page))
            writer.ensure(ids[-1], page)
        lists.append(b"".join(ids))
    return digest.hexdigest(), size, lists


def _all_reliable(place: Place, used: Collection[str]) -> bool:
    """Tell whether packs are all there, and none is marked."""
    there = {facts.name for facts in place.objects.list(PACKS)}
    return there.issuperset(used) and read_marks(place).packs.isdisjoint(used)


def _put_root(place: Place, root: Root, owner: str) -> tuple[str, int]:
    content = write_root(root)
    for number in count(1):
        suffix = SUFFIX + place.key.suffix
        name = object_name(owner, root.database, root.created_at, suffix, number)
        sealed = place.key.sealed(content)
        if put_and_read_back(place.objects, name, sealed):
            return name, len(sealed)
        with contextlib.suppress(BackupDamaged):
            there = read_whole(place.objects, name)
            if place.key.opened(there) == content:
                return name, len(there)  # of a put whose answer was lost
    raise AssertionError("there is always a free number")
