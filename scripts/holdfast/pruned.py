"""What a prune keeps and removes, place by place: its report."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class PrunedBackup(Struct, frozen=True):
    """What becomes, or became, of one backup."""

    name: str  # in its place
    database: str  # its path, or in a store its short name; "": not known
    kind: str  # what it holds of the database, such as one part; "": all
    created_at: str | None  # UTC, ISO 8601; None: not known
    bytes: int
    fate: str  # kept, removed, not ours; or failed: it was to go, and could not
    reasons: tuple[str, ...]


class PrunedPlace(Struct, frozen=True):
    """The backups in one place."""

    store: str  # its name in backup.yaml; "": the output folder
    location: str
    backups: tuple[PrunedBackup, ...]  # by database, the newest first


class PruneReport(Struct, frozen=True):
    """Which backups a prune keeps and removes, or kept and removed, and why."""

    places: tuple[PrunedPlace, ...]
    plan_id: str
    outcome: str  # planned, rehearsed, done, nothing to do, no rules
    confirmed_by: tuple[str, ...]  # the arguments that carry out just this plan
    warnings: tuple[str, ...] = ()

    def of(self, fate: str) -> tuple[PrunedBackup, ...]:
        """Return the backups of one fate, in all places."""
        return tuple(each for place in self.places for each in place.backups if each.fate == fate)


class RemainingBackup(Struct, frozen=True):
    """A backup of the same database that stays when one is deleted."""

    place: str  # the store; "": the output folder
    name: str
    created_at: str | None  # UTC, ISO 8601; None: not known
    bytes: int
    verified: str  # the highest rung, or damaged; "" for none
    part: str  # which part of the database it holds; "": all


class DeleteReport(Struct, frozen=True):
    """One backup of the output folder that is deleted, or would be, and what remains."""

    path: Path
    database: str  # the path it was read from; "": not on record here
    bytes: int
    remaining: tuple[RemainingBackup, ...]  # the newest first
    plan_id: str
    outcome: str  # planned, done
    warnings: tuple[str, ...] = ()
