"""Small documents of a page store: one JSON object, sealed, of a version."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from holdfast.errors import BackupTooNew
from holdfast.formats.interface import damaged, decode
from holdfast.formats.sealed import is_sealed, sealed

NAME = "holdfast-pages"
VERSION = "1.0"

T = TypeVar("T")


def write_document(record: object) -> bytes:
    """Return a record as a document: each of its fields on a line, and a seal over all of them."""
    items = {"format": NAME, "version": VERSION} | msgspec.to_builtins(record)
    lines = (msgspec.json.encode(name) + b":" + msgspec.json.encode(items[name]) for name in items)
    return sealed(b"{" + b",\n".join(lines) + b",\n")


def read_document(text: bytes, shape: type[T]) -> T:
    """
    Read a document.

    Raises: BackupDamaged when it is not what was written; BackupTooNew for a later major version.
    """
    if not is_sealed(text):
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
