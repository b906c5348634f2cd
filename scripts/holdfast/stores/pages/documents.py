"""Small documents of a page store: one JSON object, sealed, of a version."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from holdfast.errors import BackupTooNew
from holdfast.formats.interface import damaged, decode

NAME = "holdfast-pages"
VERSION = "1.0"
_SEAL = b'"seal":"%s"}\n'

T = TypeVar("T")


def write_document(record: object) -> bytes:
    """Return a record as a document: each of its fields on a line, and a seal over all of them."""
    items = {"format": NAME, "version": VERSION} | msgspec.to_builtins(record)
    lines = (msgspec.json.encode(name) + b":" + msgspec.json.encode(items[name]) for name in items)
    text = b"{" + b",\n".join(lines) + b",\n"
    return text + _SEAL % hashlib.sha256(text).hexdigest().encode()


def read_document(text: bytes, shape: type[T]) -> T:
    """
    Read a document.

    Raises: BackupDamaged when it is not what was written; BackupTooNew for a later major version.
    """
    body, _, seal = text.rpartition(b'"seal":')
    if b'"seal":' + seal != _SEAL % hashlib.sha256(body).hexdigest().encode():
        raise damaged("it is not what was written")
    facts = decode(text, dict[str, object])
    if facts.get("format") != NAME:
        raise damaged(f"it is no part of a page store, but {facts.get('format')!r}")
    version = str(facts.get("version"))
    if version.partition(".")[0] != VERSION.partition(".")[0]:
        raise BackupTooNew(
            f"version {version} of the page store wrote it; this program reads {VERSION}",
            hint="Update Holdfast, then try again.",
        )
    return decode(text, shape)
