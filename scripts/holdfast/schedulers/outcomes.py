"""What operations on a schedule return."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from holdfast.concerns import ScheduleState
from holdfast.copies import StoredCopy


class ScheduledBackup(Struct, frozen=True):
    """What a scheduled run did for one database."""

    database: str  # its name in backup.yaml, or its path
    backup: Path | None  # None: there is none
    error: str = ""  # the class of what went wrong; "" for nothing
    problem: str = ""
    hint: str = ""
    exit_code: int = 0  # of the problem
    copies: tuple[StoredCopy, ...] = ()  # one for each store; any may have failed by itself
    removed: int = 0  # backups that no rule keeps any more


class RunReport(Struct, frozen=True):
    """What a scheduled run did."""

    outcome: str  # done, not due, or the name of the first error
    started_at: str  # UTC, ISO 8601
    backups: tuple[ScheduledBackup, ...] = ()
    next_at: str = ""  # of a run that is not due
    problem: str = ""  # the first
    hint: str = ""
    exit_code: int = 0  # of the first error
    warnings: tuple[str, ...] = ()


class ScheduleReport(Struct, frozen=True):
    """What is known of a schedule, or was done to it."""

    action: str  # install, show, remove, status
    outcome: str  # shown, planned, rehearsed, done, nothing to do
    scheduler: str
    title: str  # of the scheduler, for people
    calendar: str
    command: tuple[str, ...]
    texts: Mapping[str, str]  # what is written, by where
    next_at: str  # UTC, ISO 8601
    is_installed: bool
    plan_id: str = ""
    confirmed_by: tuple[str, ...] = ()  # the arguments that carry out just this plan
    advice: tuple[str, ...] = ()
    state: ScheduleState | None = None  # None: the history knows of none
    warnings: tuple[str, ...] = ()
