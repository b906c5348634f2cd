"""What a status warns of, and what it knows of each database and of the schedule."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct


class Kind(StrEnum):
    """What a status warns of."""

    DATABASE = "database"  # it is missing, or cannot be read
    STALE = "stale"
    DAMAGED = "damaged"  # the newest backup
    CHANGED = "changed"  # the newest backups, since they were verified
    UNVERIFIED = "unverified"
    SHRUNK = "shrunk"
    ONE_DISK = "one_disk"
    KEY_MISSING = "key_missing"
    SCHEDULE_FAILED = "schedule_failed"
    SCHEDULE_MISSED = "schedule_missed"
    SCHEDULE_GONE = "schedule_gone"
    STORE_UNREACHABLE = "store_unreachable"
    LIBRARY = "library"
    HISTORY = "history"


class Concern(Struct, frozen=True):
    """One thing that a status warns of."""

    kind: Kind
    text: str  # a line that says what to do


class Trouble(Struct, frozen=True):
    """One thing that is wrong, apart from what to do about it."""

    kind: Kind
    what: str
    advice: str  # sentences; "": nothing helps but what the text says

    @property
    def concern(self) -> Concern:
        """The same in the line of a status."""
        return Concern(self.kind, f"{self.what}. {self.advice}".rstrip())


class Safety(StrEnum):
    """Whether a database would come back if it were lost now."""

    SAFE = "safe"  # there is a sound backup of late
    STALE = "stale"
    NEVER = "never"  # there is no backup of it
    FAILING = "failing"  # it or its newest backup is not as it should be, or the last run failed


class DatabaseState(Struct, frozen=True):
    """How one database stands."""

    name: str  # in backup.yaml; "": none is named there
    path: Path
    tool: str  # for people; "": not recognised, or it cannot be read
    profile: str | None
    bytes: int  # with what is in its write-ahead log
    state: Safety
    text: str  # the state in a few words
    last_backup_at: str | None  # UTC, ISO 8601
    newest_backup: str  # the name of its file; "": there is none
    backup_count: int
    warnings: tuple[str, ...]
    concerns: tuple[Concern, ...]  # the warnings again, by kind


class ScheduleState(Struct, frozen=True):
    """The schedule that was installed here, and what became of its last run."""

    scheduler: str  # systemd, cron, launchd, windows
    every: str
    calendar: str  # for people: every day at 03:00
    adjective: str  # nightly, daily, weekly, ...
    installed_at: str  # UTC, ISO 8601, as the next two
    next_at: str
    last_run_at: str = ""  # when it began; "": it has never run
    last_outcome: str = ""  # done, the name of an error, or started: it has not come to an end
    last_message: str = ""  # of an error
    last_hint: str = ""
