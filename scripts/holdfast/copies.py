"""What operations return of stores, and of the backups in them; all of it frozen."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class StoredCopy(Struct, frozen=True):
    """What became of one backup that was to be put into a store."""

    store: str
    backup: Path  # the local file
    name: str = ""  # in the store; "": it is not there
    bytes: int = 0  # that it takes there
    problem: str = ""  # why it is not there
    hint: str = ""
    exit_code: int = 0  # of the problem


class SyncedStore(Struct, frozen=True):
    """What became of one store that was to be brought level."""

    name: str
    location: str
    there_count: int = 0  # backups that it had already
    copies: tuple[StoredCopy, ...] = ()  # that it did not have; in a rehearsal, nothing is put
    problem: str = ""  # why it could not even be listed
    hint: str = ""
    exit_code: int = 0


class PassedBackup(Struct, frozen=True):
    """A backup of the output folder that goes into no store, and why."""

    path: Path
    reason: str


class SyncReport(Struct, frozen=True):
    """What became of the stores that were to be brought level."""

    stores: tuple[SyncedStore, ...]
    passed: tuple[PassedBackup, ...]
    is_rehearsal: bool
    warnings: tuple[str, ...] = ()


class StoreStatus(Struct, frozen=True):
    """What a store holds, as far as a short look tells."""

    name: str
    location: str  # "": it was not even found
    backup_count: int  # of all machines
    newest_at: str | None  # UTC, ISO 8601
    bytes: int
    problem: str = ""  # why it could not be looked at, or not to the end
    hint: str = ""
