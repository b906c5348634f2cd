"""What the history holds of backups, of their copies in stores, and of what was done."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from holdfast import files
from holdfast.model import Rung, is_above


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

    @property
    def is_verified(self) -> bool:
        """Tell whether the file, as it was when it was recorded, was proven."""
        return is_above(self.verified, Rung.HASH)

    def is_still(self, path: Path) -> bool:
        """Tell whether the file is as it was when it was recorded."""
        with contextlib.suppress(OSError):
            return self.is_of(files.size_of(path), files.modified_ns(path))
        return False

    def is_of(self, size: int, modified_ns: int) -> bool:
        """Tell whether a file of this size and time is the one that was recorded."""
        return (size, modified_ns) == (self.bytes, self.modified_ns)


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
