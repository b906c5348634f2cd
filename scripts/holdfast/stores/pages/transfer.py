"""Whole objects in and out of a store, in memory."""

from __future__ import annotations

import io

from holdfast.errors import StoreFailed
from holdfast.stores.objects import Objects


def read_whole(objects: Objects, name: str) -> bytes:
    """Return all bytes of an object; raises as `Objects.open`."""
    with objects.open(name) as file:
        return file.read()


def put_and_read_back(objects: Objects, name: str, content: bytes) -> bool:
    """
    Keep bytes under a name, and make sure that they come back.

    Returns: False when the name is taken by something else, which stays.
    Raises: StoreFailed when what was put comes back as something else; it is then removed.
    """
    is_new = objects.put(name, io.BytesIO(content))
    if read_whole(objects, name) == content:
        return True  # even if it was there before: from a try whose answer was lost
    if not is_new:
        return False
    objects.delete(name)
    raise StoreFailed(
        f"{objects.location} gives back other bytes than were put there; they were removed",
        hint="Try again; if it stays so, do not trust this place with backups.",
    )
