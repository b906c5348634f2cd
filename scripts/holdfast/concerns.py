"""What a status warns of, and what it knows of the schedule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a status warns of."""

    DATABASE = "database"  # it is missing, or cannot be read
    STALE = "stale"
    DAMAGED = "damaged"  # the newest backup
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


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that a status warns of."""

    kind: Kind
    text: str  # a line that says what to do


@dataclass(frozen=True, slots=True)
class ScheduleState:
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
