"""Which of a backup and its database has moved on since the two were last the same."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Sync(StrEnum):
    """What would bring the two together."""

    NONE = "none"  # they are the same
    IMPORTED = "imported"  # the backup alone has changed: an import is due
    EXPORTED = "exported"  # the database alone has changed: an export is due
    DIVERGED = "diverged"  # both have, or nobody knows of when they were the same


def sync_verdict(
    before: Mapping[str, str] | None, backup: Mapping[str, str], database: Mapping[str, str]
) -> Sync:
    """
    Tell by the digests of tables what has changed.

    Args: before: of the backup when an export made it, or an import or a restore last read it;
        None: not known.
    """
    if backup == database:
        return Sync.NONE
    if backup == before:
        return Sync.EXPORTED
    if database == before:
        return Sync.IMPORTED
    return Sync.DIVERGED
