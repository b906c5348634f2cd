"""What the history holds of backups, of their copies in stores, and of what was done."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from holdfast import files
from holdfast.model import Rung, is_above

HASHED_BYTES = 64 * 1024**2  # a tenth of a second: what is larger is told by its time alone


class KnownBackup(Struct, frozen=True):
    """What the history holds of one backup."""

    path: str
    database: str
    created_at: str
    bytes: int
    modified_ns: int
    row_count: int
    counts: Mapping[str, int]
    verified: str
    verified_at: str
    part: str = ""
    sha256: str = ""  # of the file; "": it was too large, or is not known

    @property
    def is_verified(self) -> bool:
        """Tell whether the file, as it was when it was recorded, was proven."""
        return is_above(self.verified, Rung.HASH)

    def as_it_is(self, path: Path) -> KnownBackup:
        """Return the record of a backup with what tells whether the file is still the same."""
        size = files.size_of(path)
        return replace(
            self,
            bytes=size,
            modified_ns=files.modified_ns(path),
            sha256=_hash_of(path) if size <= HASHED_BYTES else "",
        )

    def is_still(self, path: Path) -> bool:
        """Tell whether the file is as it was when it was recorded, whatever its time is."""
        with contextlib.suppress(OSError):
            return self.sameness(path, files.size_of(path), files.modified_ns(path)) is True
        return False

    def sameness(
        self, path: Path, size: int, modified_ns: int, limit: int = HASHED_BYTES
    ) -> bool | None:
        """
        Tell whether a file of this size and time is the one that was recorded.

        Args:
            limit: the most bytes that may be read to tell.

        Returns: None when the file may be the same, as its time alone differs.
        """
        if size != self.bytes:
            return False
        if modified_ns == self.modified_ns:
            return True
        # A copy, a sync or a checkout sets the time anew.
        if self.sha256 and size <= limit:
            with contextlib.suppress(PermissionError):
                return _hash_while(path, size, modified_ns) == self.sha256
        return None


@functools.lru_cache(1024)  # a page that stays open asks again and again
def _hash_while(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001 - they tell calls apart
    return _hash_of(path)


def _hash_of(path: Path) -> str:
    """Hash the bytes of a file, or the names and the bytes of all files in a folder."""
    if not path.is_dir():
        return files.sha256_of(path)
    names = {files.text_of(each).replace(os.sep, "/"): path / each for each in files.files_in(path)}
    lines = [f"{files.sha256_of(names[name])} {name}\n" for name in sorted(names)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class KnownCopy(Struct, frozen=True):
    """What the history holds of one backup in a store."""

    store: str
    name: str
    backup: str
    bytes: int
    stored_at: str
    verified: str
    verified_at: str
    part: str = ""


class KnownStore(Struct, frozen=True):
    """When a store last did what it was asked, and since when it does not."""

    store: str
    reached_at: str = ""
    failing_since: str = ""
    problem: str = ""


class Made(Struct, frozen=True):
    """What the history holds of one export, whatever became of its file."""

    database: str  # the path it was read from, absolute
    path: str  # of the file that was made
    at: str  # UTC, ISO 8601
    part: str
    is_redacted: bool
    verified: str
    row_count: int


class Event(Struct, frozen=True):
    """What an operation did, as the history remembers it."""

    at: str  # UTC, ISO 8601
    outcome: str  # done, or the name of the error; of a schedule also what became of it
    details: Mapping[str, Any]


class Entry(Struct, frozen=True):
    """One line of the history: what was done to which database, with which backup."""

    id: int
    at: str  # UTC, ISO 8601
    operation: str
    outcome: str
    database: str  # its path, or ""
    backup: str
    details: Mapping[str, Any]
