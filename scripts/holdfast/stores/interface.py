"""What every store of backups is: they come in whole, are listed, fetched and deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from holdfast.stores.objects import Objects
from holdfast.times import moment


class StoredBackup(Struct, frozen=True):
    """One backup in a store, as far as its name and a listing say."""

    store: str  # the store's name in backup.yaml
    name: str  # the only one of this name in the store, such as laptop-1f3a/backup-crm-...
    owner: str  # the machine that put it there, and alone may delete it
    database: str  # the short name of its database
    created_at: str  # UTC, ISO 8601, to the second
    bytes: int  # that it alone takes in the store, as far as a listing tells
    is_encrypted: bool = False


class Store(Protocol):
    """
    A place where backups are kept, away from the databases they were made of.

    Every method raises StoreFailed, with a hint, when the place cannot be reached or refuses.
    A listing reads no backup.
    """

    name: str  # in backup.yaml
    location: str  # for people, never with credentials
    is_off_site: bool  # outside the walls this machine stands in
    encrypts: bool  # what comes in plain is encrypted on its way in

    def backups(self) -> Iterator[StoredBackup]:
        """Yield the backups of all owners, in no order; what is no backup of ours is passed by."""
        ...

    def put(self, backup: Path, database: str, created_at: str) -> StoredBackup:
        """
        Keep a finished backup; it is there whole, and read back, or not there at all.

        Args:
            backup: the file, in a format that this store takes.
            database: the short name of its database.
            created_at: when it was made, UTC, ISO 8601.

        Raises: StoreRefused for a backup that this store must not or cannot keep.
        """
        ...

    def fetch(self, backup: StoredBackup, folder: Path) -> Path:
        """
        Put a backup into an empty folder of this machine, as a file that every reader takes.

        Raises: BackupNotFound when it has gone; BackupDamaged; KeyNotAtHand.
        """
        ...

    def delete(self, backups: Sequence[StoredBackup]) -> None:
        """
        Delete backups, and what nothing else in the store needs then.

        Raises: StoreRefused for one that another machine put there.
        """
        ...


_OWNER = r"[A-Za-z0-9][\w.-]*"
_NAME = re.compile(
    rf"(?P<owner>{_OWNER})/backup-(?P<database>[A-Za-z0-9][\w-]*)"
    r"-(?P<day>\d{4}-\d{2}-\d{2})T(?P<time>\d{6})Z(-\d+)?(?P<suffix>(\.[a-z0-9]+)*)",
    re.ASCII,
)


def may_be_owner(folder: str) -> bool:
    """Tell whether a folder can hold a machine's backups; lost+found, as disks have it, cannot."""
    return re.fullmatch(_OWNER, folder, re.ASCII) is not None


def object_name(owner: str, database: str, created_at: str, suffix: str, number: int = 1) -> str:
    """
    Name a backup so that a listing says whose it is, of what, and of when.

    Args:
        created_at: UTC, ISO 8601.
        number: from 2 on, where a backup of the same second is there.
    """
    digits = re.sub(r":|\.\d+|\+00:00|Z", "", created_at)
    again = f"-{number}" if number > 1 else ""
    return f"{owner}/backup-{database}-{digits}Z{again}{suffix}"


def stored_backup(store: str, name: str, size: int) -> StoredBackup | None:
    """Read what a name says; None for a name that `object_name` did not make, or of no time."""
    match = _NAME.fullmatch(name)
    if not match:
        return None
    hours, minutes, seconds = (match["time"][at : at + 2] for at in (0, 2, 4))
    created_at = f"{match['day']}T{hours}:{minutes}:{seconds}Z"
    if moment(created_at) is None:  # it would count as newer than all others
        return None
    return StoredBackup(
        store=store,
        name=name,
        owner=match["owner"],
        database=match["database"],
        created_at=created_at,
        bytes=size,
        is_encrypted=match["suffix"].endswith(".age"),
    )


def listed_backups(store: str, objects: Objects) -> Iterator[StoredBackup]:
    """Yield what the names of all owners' objects say is a backup, of any layout, in no order."""
    for owner in filter(may_be_owner, objects.folders()):
        for facts in objects.list(f"{owner}/backup-"):
            found = stored_backup(store, facts.name, facts.bytes)
            if found:
                yield found
