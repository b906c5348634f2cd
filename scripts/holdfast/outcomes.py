"""What operations return: plans, and reports of what was done; all of them frozen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from holdfast.concerns import Concern, DatabaseState, ScheduleState
from holdfast.copies import StoredCopy, StoreStatus
from holdfast.model import (
    ChosenDatabase,
    LeftOut,
    Opening,
    RestorePoint,
    Rung,
    ShownValue,
    SkippedTable,
)
from holdfast.pruned import PruneReport


class TablePlan(Struct, frozen=True):
    """What an import would do to one table, in rows."""

    name: str
    inserted: int = 0
    overwritten: int = 0
    unchanged: int = 0
    kept: int = 0  # their key is taken, and the mode leaves what is there
    stale: int = 0  # the same, because what is there was changed later
    removed: int = 0  # rows that the backup does not have
    conflicts: int = 0  # rows that cannot be decided on, or have the UNIQUE values of others
    examples: tuple[str, ...] = ()  # the first keys that are taken, or cannot be decided on
    collisions: int = 0  # of the conflicts: those over UNIQUE values
    collided: tuple[str, ...] = ()  # the first of these: constraint, values, rows on both sides
    columns: Mapping[str, int] = field(default_factory=dict)  # rows overwritten, by column
    is_new: bool = False  # the table is to be made


class PlannedRow(Struct, frozen=True):
    """What an import would do to one row."""

    table: str
    action: str  # insert, change, keep, stale, undecided, remove
    key: str
    # Of one that is written: what it holds and would hold; the first, and if asked for.
    values: tuple[ShownValue, ...] = ()
    more_values: int = 0  # how many others there are


class Plan(Struct, frozen=True):
    """What an import would do, or did."""

    tables: tuple[TablePlan, ...]
    skipped: tuple[SkippedTable, ...]
    plan_id: str
    rows: tuple[PlannedRow, ...] | None = None  # None: not asked for
    broken: tuple[str, ...] = ()  # references that would break
    triggers: tuple[str, ...] = ()  # that exist, and do not fire
    holders: tuple[str, ...] = ()  # other programs that have the database open
    free_bytes: int = 0  # on the database's disk
    short_of_space: str = ""  # on which disk there is too little room; "" for none
    # What the id covers: the backup, digests of the tables as they are, and the options.
    rests_on: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def conflict_count(self) -> int:
        return sum(table.conflicts for table in self.tables)

    @property
    def changes_nothing(self) -> bool:
        return not any(
            table.inserted or table.overwritten or table.removed or table.is_new
            for table in self.tables
        )


class ExportReport(Struct, frozen=True):
    """The backup that an export made."""

    path: Path | None  # None: it went to standard output
    bytes: int | None
    database: ChosenDatabase
    counts: Mapping[str, int]  # rows by table
    headline: tuple[str, ...]  # the tables to name first
    skipped_tables: tuple[SkippedTable, ...]
    missing_tables: tuple[str, ...]  # that the profile expects, or a group that was asked for
    profile: str | None
    verified: str  # the highest rung; "" for none
    warnings: tuple[str, ...]
    part: str = ""  # which part of the database it holds; "": all
    left_out: LeftOut = field(default_factory=LeftOut)
    # Rows that hold a secret, by table and column with a dot between.
    secrets: Mapping[str, int] = field(default_factory=dict)
    is_redacted: bool = False  # the backup has markers in their place
    copies: tuple[StoredCopy, ...] = ()  # one for each store that it was to go to
    encrypted: str = ""  # who can open it, such as "for 2 public keys"; "": everyone
    opens_here: bool = True  # nothing is encrypted, or a key is at hand
    pruned: PruneReport | None = None  # what went afterwards; None: that was not asked for
    others: tuple[str, ...] = ()  # in backup.yaml and not backed up, where none was named


class ExportedDatabase(Struct, frozen=True):
    """What became of one database that was to be backed up."""

    name: str  # in backup.yaml; "": the usual one, as none is named there
    report: ExportReport | None = None  # None: there is no backup of it
    problem: str = ""  # why not
    hint: str = ""
    exit_code: int = 0  # of the problem


class ExportAllReport(Struct, frozen=True):
    """The backups that were made of all databases."""

    databases: tuple[ExportedDatabase, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(
            f"{each.name}: {text}" if each.name else text
            for each in self.databases
            if each.report
            for text in each.report.warnings
        )


class ImportReport(Struct, frozen=True):
    """What an import did, or would do."""

    backup: Path
    backup_date: str
    row_count: int  # in the backup
    is_proven: bool
    database: ChosenDatabase
    mode: str
    plan: Plan
    outcome: str  # planned, rehearsed, done, nothing to do
    restore_point: Path | None
    confirmed_by: tuple[str, ...]  # the arguments that carry out just this plan
    warnings: tuple[str, ...]
    issues: Mapping[str, int] = field(default_factory=dict)  # of another tracker: what they become
    recognised: str = ""  # what the file was taken for, when another program wrote it
    part: str = ""  # which part of its database the backup holds; "": all
    redacted: tuple[str, ...] = ()  # by table and column, what has markers in the backup
    others: tuple[str, ...] = ()  # in backup.yaml, where this is the first and none was named


class BackupOnFile(Struct, frozen=True):
    """A backup file, as far as it is known without reading it all."""

    path: Path
    bytes: int
    created_at: str | None  # UTC, ISO 8601; None: not to be told
    row_count: int | None
    verified: str  # the highest rung the file reached as it stands, or DAMAGED; "" for none
    verified_at: str  # UTC, ISO 8601
    database: str  # the path it was read from; "": not on record here
    part: str = ""  # which part of the database it holds; "": all
    opening: Opening = Opening.PLAIN
    is_changed: bool = False  # since it was verified here
    is_unsure: bool = False  # it may have changed: only its time is known to differ


class StatusReport(Struct, frozen=True):
    """Whether a database is safe, or each of several."""

    database: ChosenDatabase | None  # None: there is none, or it is about several
    last_backup_at: str | None  # UTC, ISO 8601; of several, the last one of any
    age_seconds: int | None
    checked_at: str  # UTC, ISO 8601
    backups: tuple[BackupOnFile, ...]  # the newest first
    folder: Path
    sqlite_version: str
    warnings: tuple[str, ...]
    stores: tuple[StoreStatus, ...] = ()  # of backup.yaml
    concerns: tuple[Concern, ...] = ()  # the warnings again, by kind
    schedule: ScheduleState | None = None  # None: the history knows of none
    databases: tuple[DatabaseState, ...] = ()  # those that it is about


class UndoneTable(Struct, frozen=True):
    """What going back does to one table, in rows."""

    name: str
    brought_back: int
    taken_out: int
    changed: int


class UndoReport(Struct, frozen=True):
    """What going back to a restore point did, or would do."""

    database: ChosenDatabase
    points: tuple[RestorePoint, ...]  # of the database, the newest first
    point: RestorePoint | None  # the one that is meant; None: they were only listed
    tables: tuple[UndoneTable, ...]  # that differ
    other_changes: tuple[str, ...]  # tables and definitions that differ
    plan_id: str
    outcome: str  # listed, planned, rehearsed, done, nothing to do
    restore_point: Path | None  # taken before going back
    confirmed_by: tuple[str, ...] = ()  # the arguments that carry out just this plan
    warnings: tuple[str, ...] = ()


class RestoreReport(Struct, frozen=True):
    """The database that a restore made."""

    backup: Path
    backup_date: str
    database: Path
    bytes: int
    counts: Mapping[str, int]
    is_proven: bool  # the backup could be proven
    verified: bool  # the database was compared with it, and checked
    broken_references: int  # as the backup has them
    set_aside: Path | None  # where what was there is now
    warnings: tuple[str, ...]
    part: str = ""  # which part of its database the backup held; "": all
    redacted: tuple[str, ...] = ()  # by table and column, what has markers
    left_out: LeftOut = field(default_factory=LeftOut)
    skipped_tables: tuple[SkippedTable, ...] = ()  # whose rows the backup left out


class VerifiedBackup(Struct, frozen=True):
    """How far one backup could be proven."""

    path: Path
    rungs: tuple[Rung, ...] = ()  # those it reached, lowest first
    row_count: int = 0
    broken_references: int = 0  # as the database had them
    problem: str = ""  # why it got no further; "" when nothing is wrong
    hint: str = ""  # what to do about the problem
    exit_code: int = 0  # of the problem; 0 for none
    differing: tuple[str, ...] | None = None  # tables the database has otherwise; None: not asked
    warnings: tuple[str, ...] = ()


class VerifyReport(Struct, frozen=True):
    """What could be proven of some backups."""

    backups: tuple[VerifiedBackup, ...]
    against: ChosenDatabase | None
    warnings: tuple[str, ...]


class KeyReport(Struct, frozen=True):
    """The key that was made."""

    path: Path  # of the secret key
    public_key: str  # what is encrypted for it, it opens
    settings_path: Path
    settings: tuple[str, ...]  # lines for backup.yaml, by which exports use it
    warnings: tuple[str, ...] = ()


class KeyFile(Struct, frozen=True):
    """A file with keys."""

    path: Path
    public_keys: tuple[str, ...] = ()
    problem: str = ""  # why it cannot be used; "" when nothing is wrong


class OpenedBackup(Struct, frozen=True):
    """What opens one encrypted backup."""

    path: Path
    opened_by: tuple[str, ...]  # files with keys, and the passphrase; none: nothing at hand


class KeysReport(Struct, frozen=True):
    """The keys at hand, and what they open."""

    files: tuple[KeyFile, ...]
    passphrase: str  # where it comes from; "": there is none
    recipients: tuple[str, ...]  # whom backups are encrypted for
    backups: tuple[OpenedBackup, ...]  # the encrypted ones, the newest first
    plain_count: int  # of backups that are not encrypted
    warnings: tuple[str, ...]
    folder: Path | None = None  # where these backups lie
    stores: tuple[str, ...] = ()  # of backup.yaml, whose backups are not looked at


class ServeReport(Struct, frozen=True):
    """A server that has come to its end."""

    address: str
    warnings: tuple[str, ...] = ()
