"""Backups as one file each: what is more than one, a folder or a page copy, becomes a tar."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from holdfast import files
from holdfast.errors import BackupDamaged
from holdfast.formats import open_backup
from holdfast.formats.compression import compression_suffix

TAR_SUFFIX = ".tar"


def suffix_of(backup: Path) -> str:
    """
    Return what the name of a backup in a store ends in, by its content: .jsonl.zst, .db.tar.

    Raises: as `open_backup`.
    """
    form = open_backup(backup).format
    compressed = "" if form.is_folder else compression_suffix(backup)
    tar = TAR_SUFFIX if form.is_folder or form.manifest_suffix else ""
    return form.suffix + compressed + tar


def bundle(backup: Path, target: Path, name: str) -> None:
    """
    Write a backup of several files into a new file, as a tar; equal backups give equal bytes.

    Args:
        name: what the backup is called in it; what lies beside it keeps its ending.
    """
    form = open_backup(backup).format
    members = {name: backup}
    if form.manifest_suffix:
        beside = backup.with_name(backup.name + form.manifest_suffix)
        members = {name + form.manifest_suffix: beside, name: backup}
    for path in sorted(backup.rglob("*")) if form.is_folder else ():
        members[f"{name}/{path.relative_to(backup).as_posix()}"] = path
    with (
        files.create(target) as file,
        files.translated_errors(target),
        tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for inside, path in members.items():
            tar.add(path, inside, recursive=False, filter=_without_origin)


def _without_origin(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o700 if member.isdir() else 0o600
    return member


def unbundle(path: Path, folder: Path) -> Path:
    """
    Unpack a backup from its tar into a folder; nothing in it can lead outside.

    Returns: the path of the backup. Raises: BackupDamaged.
    """
    name = path.name.removesuffix(TAR_SUFFIX)
    try:
        with tarfile.TarFile(path) as tar, files.translated_errors(folder):
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise BackupDamaged(f"{path}: {error}", hint="Use another backup: see status.") from error
    if not os.path.lexists(folder / name):
        raise BackupDamaged(f"{path} does not hold {name}", hint="Use another backup: see status.")
    return folder / name
