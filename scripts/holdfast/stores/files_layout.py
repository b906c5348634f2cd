"""The store that keeps each backup as one object, a file that can be used as it is."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path, PurePosixPath

from holdfast import files
from holdfast.errors import BackupNotFound, ObjectMissing, StoreFailed, StoreRefused
from holdfast.stores.bundling import TAR_SUFFIX, bundle, suffix_of, unbundle
from holdfast.stores.interface import StoredBackup, object_name, stored_backup
from holdfast.stores.objects import Objects

_KIND = "backup-"  # what all names of backups begin with, after their owner's


class FilesStore:
    """Backups as objects `OWNER/backup-DATABASE-TIME.SUFFIX` in any place for objects."""

    def __init__(self, name: str, objects: Objects, owner: str, *, is_off_site: bool) -> None:
        """
        Args:
            owner: the mark of this machine, under which it puts and deletes.
        """
        self.name = name
        self.location = objects.location
        self.is_off_site = is_off_site
        self._objects = objects
        self._owner = owner

    def backups(self) -> Iterator[StoredBackup]:
        """Yield the backups of all owners, in no order; what is no backup of ours is passed by."""
        for owner in self._objects.folders():
            for facts in self._objects.list(f"{owner}/{_KIND}"):
                found = stored_backup(self.name, facts.name, facts.bytes)
                if found:
                    yield found

    def put(self, backup: Path, database: str, created_at: str) -> StoredBackup:
        """
        Keep a finished backup; it is there whole, and read back, or not there at all.

        Raises: StoreFailed; NotABackup and its kin for a file that is none.
        """
        suffix = suffix_of(backup)
        with self._one_file(backup, object_name("", database, created_at, suffix)) as whole:
            sha256 = files.sha256_of(whole)
            for number in count(1):
                name = object_name(self._owner, database, created_at, suffix, number)
                if self._put(name, whole, sha256):
                    break
            found = stored_backup(self.name, name, whole.stat().st_size)
        assert found  # `object_name` made it
        return found

    @contextlib.contextmanager
    def _one_file(self, backup: Path, name: str) -> Iterator[Path]:
        inside = PurePosixPath(name).name
        if not inside.endswith(TAR_SUFFIX):
            yield backup
            return
        with files.scratch_folder() as folder:
            bundle(backup, folder / inside, inside.removesuffix(TAR_SUFFIX))
            yield folder / inside

    def _put(self, name: str, whole: Path, sha256: str) -> bool:
        """Put one object and read it back; False when another has the name."""
        with files.reading(whole), whole.open("rb") as source:
            is_new = self._objects.put(name, source)
        if self._sha256_of(name) == sha256:
            return True  # if it was there before: from a try whose answer was lost on the way
        if not is_new:
            return False
        self._objects.delete(name)
        raise StoreFailed(
            f"{self.location} gives back other bytes than were put there; they were removed",
            hint="Try again; if it stays so, do not trust this place with backups.",
        )

    def _sha256_of(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._objects.open(name) as stored:
            while block := stored.read(files.COPY_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def fetch(self, backup: StoredBackup, folder: Path) -> Path:
        """
        Put a backup into an empty folder of this machine, as a file that every reader takes.

        Raises: BackupNotFound when it has gone; BackupDamaged; StoreFailed; WriteFailed.
        """
        target = folder / PurePosixPath(backup.name).name
        try:
            with self._objects.open(backup.name) as stored, files.create(target) as file:
                shutil.copyfileobj(stored, file, files.COPY_BYTES)
        except ObjectMissing as error:
            raise BackupNotFound(
                f"{backup.name} is no longer in {self.location}",
                hint="See what there is with status.",
            ) from error
        return unbundle(target, folder) if target.name.endswith(TAR_SUFFIX) else target

    def delete(self, backups: Sequence[StoredBackup]) -> None:
        """
        Delete backups, and what nothing else in the store needs then.

        Raises: StoreRefused for one that another machine put there; then none is deleted.
        """
        for backup in backups:
            if backup.owner != self._owner:
                raise StoreRefused(
                    f"{backup.name} in {self.location} was put there by {backup.owner},"
                    f" and this is {self._owner}",
                    hint="Delete it from that machine, or by hand.",
                )
        for backup in backups:
            self._objects.delete(backup.name)
