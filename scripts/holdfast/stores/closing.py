"""Backups that are encrypted on their way into a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from holdfast import files
from holdfast.encryption import Keys, decrypting, encrypting, opens_own
from holdfast.errors import BackupDamaged, KeyNotAtHand, ObjectMissing
from holdfast.stores.objects import Objects
from holdfast.streams import Hashed


def write_encrypted(target: Path, pour: Callable[[BinaryIO], None], keys: Keys) -> str:
    """
    Make a new file of what `pour` writes, encrypted; where a key is at hand, it was opened once.

    Returns: the SHA-256 of what was encrypted.
    Raises: SettingsError when nobody is named who could open it; BackupDamaged; WriteFailed.
    """
    with files.create(target) as file, files.translated_errors(target):
        with encrypting(file, keys) as closed:
            content = Hashed(closed)
            pour(cast(BinaryIO, content))
    sha256 = content.sha256.hexdigest()
    if opens_own(keys):
        with target.open("rb") as file:
            if _content_sha256(file, keys) != sha256:
                raise BackupDamaged(
                    "the backup does not come out of its encryption as it went in",
                    hint="Try again; if it stays so, the disk or the memory may be failing.",
                )
    return sha256


def holds(objects: Objects, name: str, content_sha256: str, keys: Keys) -> bool:
    """Tell whether an object is there, and a key at hand shows that it holds some content."""
    try:
        with objects.open(name) as stored:
            return _content_sha256(stored, keys) == content_sha256
    except (ObjectMissing, KeyNotAtHand, BackupDamaged):
        return False


def _content_sha256(source: BinaryIO, keys: Keys) -> str:
    digest = hashlib.sha256()
    with decrypting(source, keys) as content:
        while block := content.read(files.COPY_BYTES):
            digest.update(block)
    return digest.hexdigest()
