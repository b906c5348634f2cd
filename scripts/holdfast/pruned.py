"""What a prune keeps and removes, place by place: its report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PrunedBackup:
    """What becomes, or became, of one backup."""

    name: str  # in its place
    database: str  # its path, or in a store its short name; "": not known
    kind: str  # what it holds of the database, such as one part; "": all
    created_at: str | None  # UTC, ISO 8601; None: not known
    bytes: int
    fate: str  # kept, removed, not ours; or failed: it was to go, and could not
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrunedPlace:
    """The backups in one place."""

    store: str  # its name in backup.yaml; "": the output folder
    location: str
    backups: tuple[PrunedBackup, ...]  # by database, the newest first


@dataclass(frozen=True, slots=True)
class PruneReport:
    """Which backups a prune keeps and removes, or kept and removed, and why."""

    places: tuple[PrunedPlace, ...]
    plan_id: str
    outcome: str  # planned, rehearsed, done, nothing to do, no rules
    confirmed_by: tuple[str, ...]  # the arguments that carry out just this plan
    warnings: tuple[str, ...] = ()

    def of(self, fate: str) -> tuple[PrunedBackup, ...]:
        """Return the backups of one fate, in all places."""
        return tuple(each for place in self.places for each in place.backups if each.fate == fate)
