"""
Packs: objects of some megabytes that hold pages of databases, many compressed together.

    pack       magic (8 bytes), salt (8 bytes), frames, directory, tail
    frame      items one after another, as one zstd frame
    directory  one zstd frame, of little-endian numbers: how many frames (u32), how many items
               (u32); of each frame its bytes in the pack (u32); of each frame its items (u32);
               of each item its bytes (u32); of each item its id (16 bytes)
    tail       the bytes of the directory in the pack (u32), magic (8 bytes)

An item is a page, or a list of ids. docs/store-format.md describes the same for other readers.
"""

from __future__ import annotations

import secrets
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate

from msgspec import Struct

from holdfast.formats.compression import compressed_block, decompressed_block
from holdfast.formats.interface import damaged

MAGIC = b"hfpages1"
ID_BYTES = 16
TAIL_BYTES = 12
_SALT_BYTES = 8  # two packs of the same pages have different names
_HEAD_BYTES = len(MAGIC) + _SALT_BYTES
_FRAME_BYTES = 256 * 1024  # before compression: a page costs no more than that to read
_PACK_BYTES = 4 * 1024 * 1024
_LARGEST_DIRECTORY = 64 * 1024 * 1024  # decompressed


class Directory(Struct, frozen=True):
    """Where each item lies in a pack."""

    frame_starts: tuple[int, ...]  # in the pack; one more than there are frames: where they end
    first_items: tuple[int, ...]  # of each frame; one more: how many items there are
    item_bytes: array[int]
    ids: bytes  # of all items, in order

    @property
    def item_count(self) -> int:
        return len(self.item_bytes)

    def item_id(self, number: int) -> bytes:
        """Return the id of the item of a number, from 0 on."""
        return self.ids[number * ID_BYTES : (number + 1) * ID_BYTES]

    @property
    def frame_count(self) -> int:
        return len(self.first_items) - 1

    def numbers(self, frame: int) -> range:
        """Return the numbers of the items in a frame."""
        return range(self.first_items[frame], self.first_items[frame + 1])

    def items(self, frame: int, packed: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the items of a frame with their numbers; BackupDamaged when it is another."""
        numbers = self.numbers(frame)
        size = sum(self.item_bytes[number] for number in numbers)
        content = decompressed_block(packed, size)
        if len(content) != size:
            raise damaged("a frame of a pack has another length than its directory says")
        start = 0
        for number in numbers:
            end = start + self.item_bytes[number]
            yield number, content[start:end]
            start = end


class Packer:
    """Gathers items until they make a pack."""

    def __init__(self, level: int) -> None:
        """
        Args:
            level: of compression, from 1 on; the higher, the smaller and the slower.
        """
        self._level = level
        self._frames: list[bytes] = []
        self._counts: list[int] = []
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._packed_bytes = 0
        self._lengths: list[int] = []
        self._ids = bytearray()

    @property
    def item_count(self) -> int:
        return len(self._lengths)

    @property
    def is_full(self) -> bool:
        return self._packed_bytes >= _PACK_BYTES

    def add(self, item_id: bytes, content: bytes) -> None:
        """Take an item in, as the one of the next number."""
        self._waiting.append(content)
        self._lengths.append(len(content))
        self._ids += item_id
        self._waiting_bytes += len(content)
        if self._waiting_bytes >= _FRAME_BYTES:
            self.end_frame()

    def end_frame(self) -> None:
        """Compress what is waiting; what comes next is of another kind."""
        if self._waiting:
            self._frames.append(compressed_block(b"".join(self._waiting), self._level))
            self._packed_bytes += len(self._frames[-1])
            self._counts.append(len(self._waiting))
            self._waiting, self._waiting_bytes = [], 0

    def finished(self) -> tuple[bytes, bytes]:
        """Return the pack, and its directory as it lies in it."""
        self.end_frame()
        directory = compressed_block(
            b"".join(
                (
                    struct.pack("<II", len(self._frames), len(self._lengths)),
                    _numbers(map(len, self._frames)),
                    _numbers(self._counts),
                    _numbers(self._lengths),
                    self._ids,
                )
            )
        )
        head = MAGIC + secrets.token_bytes(_SALT_BYTES)
        tail = struct.pack("<I", len(directory)) + MAGIC
        return b"".join((head, *self._frames, directory, tail)), directory


def directory_bytes(tail: bytes, pack_bytes: int) -> int:
    """Read how long a pack's directory is; BackupDamaged when this is no end of a pack."""
    if len(tail) != TAIL_BYTES or tail[4:] != MAGIC:
        raise damaged("a pack does not end as one")
    (length,) = struct.unpack("<I", tail[:4])
    if length > pack_bytes - TAIL_BYTES - _HEAD_BYTES:
        raise damaged("a pack's directory is longer than the pack")
    return int(length)


def read_directory(packed: bytes) -> Directory:
    """Read the directory of a pack; BackupDamaged when it is none."""
    content = decompressed_block(packed, _LARGEST_DIRECTORY)
    try:
        frame_count, item_count = struct.unpack_from("<II", content)
    except struct.error as error:
        raise damaged("a pack's directory is cut short") from error
    ids_at = 8 + 8 * frame_count + 4 * item_count
    if len(content) != ids_at + ID_BYTES * item_count:
        raise damaged("a pack's directory is not as long as it says")
    lengths = _array(content[8 : 8 + 4 * frame_count])
    counts = _array(content[8 + 4 * frame_count : 8 + 8 * frame_count])
    if sum(counts) != item_count:
        raise damaged("a pack's directory counts its items in two ways")
    return Directory(
        frame_starts=tuple(accumulate(lengths, initial=_HEAD_BYTES)),
        first_items=tuple(accumulate(counts, initial=0)),
        item_bytes=_array(content[8 + 8 * frame_count : ids_at]),
        ids=content[ids_at:],
    )


def _numbers(values: Iterable[int]) -> bytes:
    found = array("I", values)
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def _array(content: bytes) -> array[int]:
    found = array("I", content)
    if sys.byteorder == "big":
        found.byteswap()
    return found
