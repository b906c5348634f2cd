"""What is answered at once: small records, as the scripts have reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.concerns import Safety, ScheduleState
from holdfast.copies import StoreStatus
from holdfast.known import Entry
from holdfast.model import Opening
from holdfast.pruned import PruneReport


@dataclass(frozen=True, slots=True)
class ListedDatabase:
    """A database, and whether it is safe."""

    name: str
    path: Path
    tool: str  # "": not known
    bytes: int  # with what is in its write-ahead log
    state: Safety
    state_text: str
    last_backup_at: str | None  # UTC, ISO 8601
    warnings: Sequence[str]
    is_configured: bool  # it is in backup.yaml


@dataclass(frozen=True, slots=True)
class Databases:
    """All databases that can be worked on."""

    databases: Sequence[ListedDatabase]
    usual: str  # the name of the one that is meant when none is named; "": there is none
    checked_at: str


@dataclass(frozen=True, slots=True)
class ListedBackup:
    """A backup in the output folder, and where else it is."""

    name: str
    path: Path
    bytes: int
    created_at: str | None
    row_count: int | None
    verified: str  # the highest rung, or damaged; "" for none
    verified_at: str
    database: str  # its name; "": not on record here, or it is gone
    database_path: str
    part: str
    opening: Opening
    format: str  # by its name
    copies: Sequence[str]  # the stores that have it


@dataclass(frozen=True, slots=True)
class Backups:
    """The backups in the output folder, the newest first."""

    backups: Sequence[ListedBackup]
    folder: Path
    bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Entries:
    """What was done, the latest first."""

    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Point:
    """How large a database was at one time."""

    at: str
    backup: str
    bytes: int  # of the backup
    rows: int
    tables: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How a database has grown, backup by backup, the oldest first."""

    database: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """A group of tables that an export can take."""

    name: str
    title: str
    description: str
    is_default: bool
    tables: Sequence[str]


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be asked for."""

    database: str
    profile: str | None
    groups: Sequence[GroupChoice]
    tables: Sequence[str]
    scopes: Sequence[str]
    formats: Mapping[str, str]  # with what they are for people
    compressions: Sequence[str]
    modes: Sequence[str]
    stores: Sequence[str]
    can_encrypt: bool
    can_redact: bool
    upload_bytes: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule, the rules of what is kept, and the stores; and what the rules would remove."""

    schedule: ScheduleState | None
    keep: Mapping[str, Any] | None  # the rules for all; None: there are none
    keep_of: Mapping[str, Mapping[str, Any]]  # by database, or store with a colon behind
    stores: Sequence[StoreStatus]
    prune: PruneReport | None  # what would be removed now
    prune_problem: str
