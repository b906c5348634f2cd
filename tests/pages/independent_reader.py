"""A reader of stores in pages made from docs/store-format.md alone; nothing of ours."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class NotWhole(ValueError):
    """What is there is not what was written."""


def document(text: bytes) -> dict[str, Any]:
    """Read a document, and prove it by its seal."""
    found: dict[str, Any] = json.loads(text)
    sealed = text[: text.rindex(b'"seal":')]
    if hashlib.sha256(sealed).hexdigest() != found["seal"]:
        raise NotWhole("seal")
    if found["format"] != "holdfast-pages" or not found["version"].startswith("1."):
        raise NotWhole("version")
    return found


def items_of(pack: bytes) -> dict[bytes, bytes]:
    """All items of a pack, by their ids."""
    if pack[:8] != b"hfpages1" or pack[-8:] != b"hfpages1":
        raise NotWhole("pack")
    (size,) = struct.unpack("<I", pack[-12:-8])
    directory = zstd.decompress(pack[-12 - size : -12])
    frames, items = struct.unpack_from("<II", directory)
    numbers = struct.unpack_from(f"<{2 * frames + items}I", directory, 8)
    ids = directory[8 + 4 * len(numbers) :]
    found: dict[bytes, bytes] = {}
    at, number = 16, 0
    for frame in range(frames):
        content = zstd.decompress(pack[at : at + numbers[frame]])
        at += numbers[frame]
        start = 0
        for _ in range(numbers[frames + frame]):
            end = start + numbers[2 * frames + number]
            found[ids[16 * number : 16 * number + 16]] = content[start:end]
            start, number = end, number + 1
    return found


def indexed(index: bytes) -> list[tuple[str, int]]:
    """What an index says of packs: the hash of each, and its bytes."""
    if index[:8] != b"hfindex1":
        raise NotWhole("index")
    found, at = [], 8
    while at < len(index):
        name, size, length = struct.unpack_from("<16sQI", index, at)
        found.append((name.hex(), size))
        at += 28 + length
    return found


def restored(store: Path, name: str) -> tuple[bytes, str]:
    """The database file of a backup and its manifest, of a store that is not encrypted."""
    key = bytes.fromhex(document(next((store / "pages/key").iterdir()).read_bytes())["id_key"])
    items: dict[bytes, bytes] = {}
    for path in (store / "pages/pack").iterdir():
        if hashlib.sha256(path.read_bytes()).hexdigest()[:32] != path.name:
            raise NotWhole(path.name)
        items |= items_of(path.read_bytes())

    def item(kind: bytes, item_id: bytes) -> bytes:
        content = items[item_id]
        if hashlib.blake2b(content, digest_size=16, key=key, person=kind).digest() != item_id:
            raise NotWhole(item_id.hex())
        return content

    root = document(zstd.decompress((store / name).read_bytes()))
    lists = [item(b"list", each) for each in split(base64.b64decode(root["lists"]))]
    whole = b"".join(item(b"page", each) for ids in lists for each in split(ids))
    if len(whole) != root["file_bytes"] or hashlib.sha256(whole).hexdigest() != root["sha256"]:
        raise NotWhole("file")
    if any(len(ids) != 128 * 16 for ids in lists[:-1]):
        raise NotWhole("lists")
    return whole, root["manifest"]


def split(ids: bytes) -> list[bytes]:
    return [ids[at : at + 16] for at in range(0, len(ids), 16)]
