"""What a place must be able to do for backups to be kept there: objects, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from msgspec import Struct


class ObjectFacts(Struct, frozen=True):
    """What a listing says of one object, without reading it."""

    name: str
    bytes: int
    modified_at: str  # UTC, ISO 8601, as the place's own clock says


class Objects(Protocol):
    """
    Named sequences of bytes in one place, such as a folder or a prefix of a bucket.

    Names are paths below the place, of `/`-separated parts in ASCII letters, digits, `.`, `_`
    and `-`; none of the parts is `.` or `..`. Every method raises StoreFailed, with a hint, when
    the place cannot be reached or refuses, and never names a credential.
    """

    location: str  # for people, such as s3://bucket/backups

    def put(self, name: str, source: BinaryIO) -> bool:
        """
        Keep what is left of an open file under a name that is free: whole, or not at all.

        Returns: False when the name is taken; what is there stays. Two that put at once under
        one name: one of them gets it. Safe to call again after an error.
        """
        ...

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """
        Open an object for reading from its start, in bounded memory.

        Raises: ObjectMissing when there is none of this name.
        """
        ...

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start` on; fewer where the object ends. Raises as `open`."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectFacts]:
        """Yield all objects whose names begin with `prefix`, by name, in bounded memory."""
        ...

    def folders(self) -> Iterator[str]:
        """Yield the first parts of all names that have several, each once, in no order."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is as good as removed."""
        ...
