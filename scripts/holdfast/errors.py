"""
The error tree: each class carries its exit code, each error what to do next.

    HoldfastError (1)
    ├── UsageError (2)
    ├── DatabaseError (28)
    │   ├── DatabaseNotFound (10)
    │   ├── NotADatabase (11)
    │   ├── DatabaseDamaged (12)
    │   └── DatabaseLocked (13)
    ├── BackupError
    │   ├── BackupNotFound (14)
    │   ├── BackupAmbiguous (15)
    │   ├── BackupDamaged (16)
    │   ├── NotABackup (17)
    │   └── BackupTooNew (18)
    ├── ProfileError (19)
    ├── SettingsError (20)
    ├── ImportConflict (21)
    ├── ImportRefused (22)
    ├── PlanChanged (23)
    ├── WriteFailed (24)
    ├── EnvironmentNotReady (25)
    ├── RestoreRefused (26)
    ├── RestoreFailed (27)
    ├── ProgramFailed (29)
    ├── ReadFailed (30)
    ├── StoreFailed (31)
    │   └── ObjectMissing (32)
    ├── StoreRefused (33)
    ├── KeyNotAtHand (34)
    ├── AlreadyRunning (35)
    ├── ScheduleFailed (36)
    └── ServerNotStarted (37)

Codes from 10 on belong to one class for ever: a class that goes takes its code along.
"""

from __future__ import annotations

from typing import ClassVar

DONE = 0
DONE_WITH_WARNINGS = 3
CONFIRMATION_NEEDED = 4
CANCELLED = 130
_FIRST_CODE = 10  # of those that belong to one class


class HoldfastError(Exception):
    """The operation failed and changed nothing."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(HoldfastError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class DatabaseError(HoldfastError):
    """SQLite cannot use the database, for a reason that has no class of its own."""

    exit_code = 28


class DatabaseNotFound(DatabaseError):
    """There is no database where one was expected."""

    exit_code = 10


class NotADatabase(DatabaseError):
    """The file exists and is not a SQLite database, or is empty."""

    exit_code = 11


class DatabaseDamaged(DatabaseError):
    """SQLite finds the database corrupt, or cannot read it."""

    exit_code = 12


class DatabaseLocked(DatabaseError):
    """Another program held its lock on the database longer than we were told to wait."""

    exit_code = 13


class BackupError(HoldfastError):
    """The backup cannot be used."""


class BackupNotFound(BackupError):
    """No backup has the name, or the date, that was asked for."""

    exit_code = 14


class BackupAmbiguous(BackupError):
    """Several backups fit what was asked for."""

    exit_code = 15


class BackupDamaged(BackupError):
    """The backup is cut short, or is not what was written."""

    exit_code = 16


class NotABackup(BackupError):
    """The file is in none of the formats that can be read."""

    exit_code = 17


class BackupTooNew(BackupError):
    """A later major version of the format wrote the backup."""

    exit_code = 18


class ProfileError(HoldfastError):
    """A profile is not valid."""

    exit_code = 19


class SettingsError(HoldfastError):
    """The settings in backup.yaml are not valid."""

    exit_code = 20


class ImportConflict(HoldfastError):
    """Rows of the backup collide with rows of the database, and the mode forbids it."""

    exit_code = 21


class ImportRefused(HoldfastError):
    """The import would lose data or break the database."""

    exit_code = 22


class PlanChanged(HoldfastError):
    """What would happen is no longer what was confirmed."""

    exit_code = 23

    def __init__(self, message: str, *, hint: str = "", report: object = None) -> None:
        super().__init__(message, hint=hint)
        self.report = report  # the plan as it is by now; None: it is not known


class WriteFailed(HoldfastError):
    """A file could not be written: no space, no permission, or a failing disk."""

    exit_code = 24


class EnvironmentNotReady(HoldfastError):
    """Python is too old, or the packages Holdfast needs could not be installed."""

    exit_code = 25


class RestoreRefused(HoldfastError):
    """The restore would put a database in the place of one that is there, or is in use."""

    exit_code = 26


class RestoreFailed(HoldfastError):
    """What was built is not what the backup holds, or SQLite here cannot build it."""

    exit_code = 27


class ProgramFailed(HoldfastError):
    """Another program that was asked for its data could not be run, or failed."""

    exit_code = 29


class ReadFailed(HoldfastError):
    """A file could not be read: no permission, or a failing disk."""

    exit_code = 30


class StoreFailed(HoldfastError):
    """A store cannot be reached, refuses, or answers with what makes no sense."""

    exit_code = 31


class ObjectMissing(StoreFailed):
    """A store no longer has what it should have."""

    exit_code = 32


class StoreRefused(HoldfastError):
    """The rules of a store forbid it: plain secrets, or a backup of another machine."""

    exit_code = 33


class KeyNotAtHand(HoldfastError):
    """What is encrypted cannot be opened with any key that is at hand."""

    exit_code = 34


class AlreadyRunning(HoldfastError):
    """Another run of the same work is under way."""

    exit_code = 35


class ScheduleFailed(HoldfastError):
    """The system's own scheduler cannot be set, or is not there."""

    exit_code = 36


class ServerNotStarted(HoldfastError):
    """The web server cannot listen where it is told to."""

    exit_code = 37


def error_class(exit_code: int) -> type[HoldfastError]:
    """Return the class that an exit code from 10 on belongs to; HoldfastError for any other."""
    waiting: list[type[HoldfastError]] = [HoldfastError]
    while waiting:
        each = waiting.pop()
        if each.exit_code == exit_code >= _FIRST_CODE:
            return each
        waiting += each.__subclasses__()
    return HoldfastError
