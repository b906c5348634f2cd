"""
The ways to write a backup and the files that can be read: one module each, one line here.

Every format has the same parts in the same order, given by `interface`; what differs is only
how they lie in the file.
"""

from __future__ import annotations

from pathlib import Path

from holdfast import files
from holdfast.encryption import NO_KEYS, Keys
from holdfast.errors import BackupDamaged, BackupNotFound, KeyNotAtHand, NotABackup
from holdfast.formats import (
    beads,
    folder,
    genie,
    json_document,
    json_lines,
    kata,
    memory_nexus,
    open_agentic,
    software_of_you,
    sqlite_copy,
    zip_file,
    zipped_copy,
)
from holdfast.formats.compression import plain
from holdfast.formats.encrypted import EncryptedFile, format_inside, is_closed
from holdfast.formats.guess import guess
from holdfast.formats.interface import BackupFormat, BackupReader, Glance

FORMATS: dict[str, BackupFormat] = {
    each.name: each
    for each in (
        json_document.FORMAT,
        json_lines.FORMAT,
        folder.FORMAT,
        zip_file.FORMAT,
        sqlite_copy.FORMAT,
        zipped_copy.FORMAT,
        sqlite_copy.ANY_SQLITE,
        software_of_you.FORMAT,
        kata.FORMAT,
        beads.FORMAT,
        genie.EXPORT,
        genie.SNAPSHOT,
        memory_nexus.FORMAT,
        open_agentic.FORMAT,
    )
}
WRITABLE = [name for name, each in FORMATS.items() if each.write]


def open_backup(path: Path, keys: Keys = NO_KEYS) -> BackupReader:
    """
    Recognise a backup by its content and start reading it.

    Args: keys: those at hand, for one that is encrypted.

    Raises: BackupNotFound when there is no such file; ReadFailed; NotABackup when no format fits;
        KeyNotAtHand.
    """
    with files.reading(path):
        _complain_of_nothing(path)
        if is_closed(path):
            return _open_encrypted(path, keys)
        start = _start(path)
        for each in FORMATS.values():
            if each.recognise(path, start):
                return BackupReader(path, each)
        what, advice = guess(path, start)
    raise NotABackup(
        f"{path} is in none of the formats that can be read: it seems to be {what}",
        hint=f"{advice} status lists the backups, docs/format.md what else can be read.".lstrip(),
    )


def _complain_of_nothing(path: Path) -> None:
    if path.is_dir():
        return
    if not path.is_file():
        raise BackupNotFound(f"no backup at {path}", hint="See what there is with status.")
    if path.stat().st_size == 0:
        raise NotABackup(f"{path} is empty (0 bytes)", hint="Choose another backup: see status.")


def _open_encrypted(path: Path, keys: Keys) -> BackupReader:
    file = EncryptedFile(path, keys)
    try:
        form = format_inside(file, FORMATS.values())
    except (BackupDamaged, KeyNotAtHand) as error:
        raise type(error)(f"{path}: {error}", hint=error.hint) from error
    if form is None:
        raise NotABackup(
            f"what is encrypted in {path} is in none of the formats that can be read",
            hint="status lists the backups, docs/format.md what else can be read.",
        )
    return BackupReader(path, form, needs=file)


def _start(path: Path) -> bytes:
    if path.is_dir():
        return b""
    try:
        with plain(path) as file:
            return file.read(4096)
    except BackupDamaged as error:
        raise BackupDamaged(f"{path}: {error}", hint=error.hint) from error


def glance(path: Path, keys: Keys = NO_KEYS) -> Glance:
    """Say what a backup claims of itself, without reading it whole; raises as `open_backup`."""
    form = open_backup(path, keys).format
    with files.reading(path):
        return form.glance(path) if form.glance else Glance(None, None)
