"""
The store that keeps each backup as one object, a file that can be used as it is.

What is several files, a folder or a page copy with its manifest, is packed in a tar. What goes in
encrypted is the same file, closed to all but its recipients.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from holdfast import encryption, files
from holdfast.errors import BackupNotFound, ObjectMissing, StoreFailed
from holdfast.formats import open_backup, packing
from holdfast.formats.compression import compression_suffix
from holdfast.formats.encrypted import is_closed
from holdfast.stores.closing import holds, write_encrypted
from holdfast.stores.interface import StoredBackup, listed_backups, object_name
from holdfast.stores.layout import Layout
from holdfast.stores.pages.naming import is_root

_NAMES_OF_A_SECOND = 20


class FilesStore(Layout):
    """Backups as objects `OWNER/backup-DATABASE-TIME.SUFFIX`."""

    def backups(self) -> Iterator[StoredBackup]:
        """Yield the backups of all owners, in no order; what is no backup of ours is passed by."""
        return (each for each in listed_backups(self.name, self._objects) if not is_root(each.name))

    def put(self, backup: Path, database: str, created_at: str) -> StoredBackup:
        """
        Keep a finished backup; it is there whole, and read back, or not there at all.

        One that is there already, under its own name, is not put once more.

        Raises: StoreFailed; NotABackup and its kin for a file that is none; SettingsError when
            it is to be encrypted, and nobody is named who could open it.
        """
        with self._as_it_goes_in(backup) as (whole, suffix, content_sha256):
            sha256 = files.sha256_of(whole)
            for number in range(1, _NAMES_OF_A_SECOND + 1):
                name = object_name(self._owner, database, created_at, suffix, number)
                # Encrypted twice, the same content makes two files.
                if content_sha256 and holds(self._objects, name, content_sha256, self._keys):
                    there = next(iter(self._objects.list(name)))
                    return self._stored(name, there.bytes)
                if self._put(name, whole, sha256):
                    return self._stored(name, whole.stat().st_size)
        raise StoreFailed(
            f"{self.location} says that every name is taken, up to {name}",
            hint="Check its address: this may be something else than a store.",
        )

    @contextlib.contextmanager
    def _as_it_goes_in(self, backup: Path) -> Iterator[tuple[Path, str, str]]:
        """
        Yield one file that holds the backup, packed and encrypted as need be, and its suffix.

        The third is the SHA-256 of what was encrypted here; "" when nothing was.
        """
        if not backup.is_dir() and is_closed(backup):  # it stays as its recipients have it
            yield backup, _closed_suffix(backup), ""
            return
        form = open_backup(backup).format
        suffix = form.suffix + ("" if form.is_folder else compression_suffix(backup))
        suffix += packing.SUFFIX if form.is_several else ""
        if not (form.is_several or self.encrypts):
            yield backup, suffix, ""
            return
        with files.scratch_folder() as folder:
            whole = folder / "whole"
            pour = functools.partial(packing.write_as_one, backup, form)
            if self.encrypts:
                content_sha256 = write_encrypted(whole, pour, self._keys)
                yield whole, suffix + encryption.SUFFIX, content_sha256
                return
            with files.create(whole) as file, files.translated_errors(whole):
                pour(file)
            yield whole, suffix, ""

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
        if target.suffix != packing.SUFFIX:
            return target
        with target.open("rb") as packed:
            found = packing.unpack(packed, folder)
        files.remove(target)
        return found


def _closed_suffix(backup: Path) -> str:
    """Return the suffix of an encrypted backup, as far as its name tells what is in it."""
    found = re.search(r"((\.(json|jsonl|zip|db|zst|gz|tar))*)\.age$", backup.name)
    return (found[1] if found else "") + encryption.SUFFIX
