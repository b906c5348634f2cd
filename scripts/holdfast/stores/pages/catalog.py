"""What lies in a page store: which packs, and in which of them each page is."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Collection, Iterable, Iterator

import msgspec
from msgspec import Struct

from holdfast.errors import BackupDamaged, ObjectMissing
from holdfast.formats.interface import damaged, decode
from holdfast.stores.objects import ObjectFacts
from holdfast.stores.pages.packs import (
    TAIL_BYTES,
    Directory,
    directory_bytes,
    read_directory,
)
from holdfast.stores.pages.place import INDEXES, MARKS, NAME_BYTES, PACKS, Place, id_in

_INDEX_MAGIC = b"hfindex1"
_ENTRY = struct.Struct(f"<{NAME_BYTES}sQI")  # a pack's name, its bytes, those of its directory


class Pack(Struct, frozen=True):
    """A pack that is there, by the listing and by its directory."""

    name: str
    stored_bytes: int
    directory: Directory
    packed_directory: bytes
    is_marked: bool  # it is to go, or not to be relied upon


class Marks(Struct, frozen=True):
    """What the marks in a store say, each a list of packs that no new backup may rely on."""

    packs_by_mark: dict[str, frozenset[str]]
    listed: dict[str, ObjectFacts]

    @property
    def packs(self) -> frozenset[str]:
        return frozenset().union(*self.packs_by_mark.values())


class Catalog:
    """All packs of a store, and the place of each item in them."""

    def __init__(
        self, packs: Iterable[Pack], indexes: Iterable[str], unreadable: dict[str, str]
    ) -> None:
        self.packs: list[Pack] = []
        self.indexes = list(indexes)
        self.unreadable = unreadable  # packs and indexes, and what is wrong with them
        self._places: dict[bytes, int] = {}
        self._doubtful: dict[bytes, int] = {}  # in packs that are marked
        for pack in packs:
            self.add(pack)

    @property
    def unreadable_packs(self) -> set[str]:
        return {name for name in self.unreadable if name.startswith(PACKS)}

    def add(self, pack: Pack) -> None:
        """Take in one more pack."""
        places = self._doubtful if pack.is_marked else self._places
        directory, base = pack.directory, len(self.packs) << 32
        for number in range(directory.item_count):
            places.setdefault(directory.item_id(number), base | number)
        self.packs.append(pack)

    def reliable(self, item_id: bytes) -> Pack | None:
        """Return the pack that new backups find an item in; None when they must write it."""
        place = self._places.get(item_id)
        return None if place is None else self.packs[place >> 32]

    def find(self, item_id: bytes) -> tuple[Pack, int] | None:
        """Find an item: its pack and its number in there; None when no pack has it."""
        place = self._places.get(item_id, self._doubtful.get(item_id))
        if place is None:
            return None
        return self.packs[place >> 32], place & 0xFFFFFFFF


def read_marks(place: Place) -> Marks:
    """Read what is marked; a mark that cannot be read marks nothing."""
    listed = {facts.name: facts for facts in place.objects.list(MARKS)}
    packs: dict[str, frozenset[str]] = {}
    for name in listed:
        packs[name] = frozenset()
        try:
            packs[name] = frozenset(decode(place.read(name), _Mark).packs)
        except (BackupDamaged, ObjectMissing):
            continue
    return Marks(packs, listed)


def put_mark(place: Place, packs: Collection[str]) -> str:
    """Mark packs: no new backup relies on them from now on. Returns: the name of the mark."""
    mark = _Mark(sorted(packs), secrets.token_hex(8))
    return place.keep(MARKS, msgspec.json.encode(mark))[0]


class _Mark(Struct, frozen=True):
    packs: list[str]
    salt: str  # the name of a mark is a hash of it, and each is one of its own


def load_catalog(place: Place) -> Catalog:
    """
    Read what is in a store: the indexes, and of packs that are in none their own directories.

    What is damaged is named in the catalog, and what is in it not relied upon.
    """
    marked = read_marks(place).packs
    listed = {facts.name: facts.bytes for facts in place.objects.list(PACKS)}
    indexes = [facts.name for facts in place.objects.list(INDEXES)]
    known: dict[str, tuple[int, bytes]] = {}
    unreadable = {}
    for name in indexes:
        try:
            known |= dict(read_index(place, name))
        except (BackupDamaged, ObjectMissing) as error:
            unreadable[name] = str(error)
    packs = []
    for name, stored_bytes in listed.items():
        try:
            packs.append(_pack(place, name, stored_bytes, known, is_marked=name in marked))
        except ObjectMissing:
            continue  # it went between the listing and now
        except BackupDamaged as error:
            unreadable[name] = str(error)
    return Catalog(packs, indexes, unreadable)


def _pack(
    place: Place,
    name: str,
    stored_bytes: int,
    known: dict[str, tuple[int, bytes]],
    *,
    is_marked: bool,
) -> Pack:
    if name not in known:
        known[name] = _own_directory(place, name, stored_bytes)
    size, packed = known[name]
    if size != stored_bytes:
        raise damaged(f"it has {stored_bytes:,} bytes where {size:,} were written")
    return Pack(name, size, read_directory(packed), packed, is_marked)


def _own_directory(place: Place, name: str, stored_bytes: int) -> tuple[int, bytes]:
    if not place.has_ranges:
        content = place.read(name)
        length = directory_bytes(content[-TAIL_BYTES:], len(content))
        return stored_bytes, content[-TAIL_BYTES - length : -TAIL_BYTES]
    tail = place.objects.read_range(name, max(0, stored_bytes - TAIL_BYTES), TAIL_BYTES)
    length = directory_bytes(tail, stored_bytes)
    start = stored_bytes - TAIL_BYTES - length
    return stored_bytes, place.objects.read_range(name, start, length)


def put_index(place: Place, packs: Iterable[Pack]) -> str:
    """Put an index of packs; returns its name."""
    content = b"".join(
        _ENTRY.pack(bytes.fromhex(id_in(pack.name)), pack.stored_bytes, len(pack.packed_directory))
        + pack.packed_directory
        for pack in packs
    )
    return place.keep(INDEXES, _INDEX_MAGIC + content)[0]


def read_index(place: Place, name: str) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """Yield of each pack that an index names its name, its bytes and its directory."""
    content = place.read(name)
    at = len(_INDEX_MAGIC)
    if content[:at] != _INDEX_MAGIC:
        raise damaged("it is no index")
    while at < len(content):
        try:
            pack, size, length = _ENTRY.unpack_from(content, at)
        except struct.error as error:
            raise damaged("it is cut short") from error
        at += _ENTRY.size
        yield f"{PACKS}{pack.hex()}{place.key.suffix}", (size, content[at : at + length])
        at += length
