"""What is found on this machine: databases, and what will go wrong with them one day."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class FoundCompanion(Struct, frozen=True):
    """What a database is of no use without, or lacks when it is restored alone."""

    path: Path
    why: str
    is_there: bool


class FoundDatabase(Struct, frozen=True):
    """A database of a tool on this machine."""

    name: str  # the only one of this name; what it is called in backup.yaml, or would be
    path: Path
    tool: str  # for people; "": not recognised
    profile: str | None
    bytes: int  # with what is in its write-ahead log
    row_count: int | None  # None: not counted
    changed_at: str | None  # UTC, ISO 8601
    last_backup_at: str | None  # UTC, ISO 8601
    rebuildable: str  # from what its tool makes it anew; "": it is the only copy
    secrets: tuple[str, ...]  # by table and column with a dot between
    goes_with: tuple[FoundCompanion, ...]
    restore_notes: tuple[str, ...]
    problem: str  # why it cannot be read; "" for nothing
    is_configured: bool = False  # it is in backup.yaml


class DiscoverReport(Struct, frozen=True):
    """The databases of assistants and their tools on this machine."""

    databases: tuple[FoundDatabase, ...]
    added: tuple[str, ...]  # to backup.yaml
    settings: Path  # that file
    looked_for: int  # how many tools' databases
    checked_at: str  # UTC, ISO 8601
    warnings: tuple[str, ...]
    knows_backups: bool = True  # False: the history that tells of them cannot be read


class Finding(Struct, frozen=True):
    """Something that will go wrong one day."""

    about: str  # a database, or the backups
    what: str
    why: str  # it matters
    advice: str


class DoctorReport(Struct, frozen=True):
    """What was found by looking at databases and backups."""

    databases: tuple[Path, ...]  # that were looked at
    folder: Path  # of the backups
    findings: tuple[Finding, ...]
    sqlite_version: str
    warnings: tuple[str, ...] = ()
