"""
Several files in one, where a backup of several is to be one file: a plain tar.

It goes into an encrypted file, which proves each byte of it.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from holdfast import files
from holdfast.formats.folder import names_in
from holdfast.formats.interface import BackupFormat, damaged

SUFFIX = ".tar"
_MAGIC_AT = 257
_MAGIC = b"ustar"


def is_packed(start: bytes) -> bool:
    """Tell by its first 262 bytes, or more, whether a file is a tar."""
    return start[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC


def _pack(root: Path, paths: Iterable[Path], target: BinaryIO) -> None:
    """Write files below a folder into an open file, in this order; not when and whose they are."""
    import tarfile

    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in paths:
            with path.open("rb") as file:
                member = tarfile.TarInfo(path.relative_to(root).as_posix())
                member.size = path.stat().st_size
                member.mode = stat.S_IRUSR | stat.S_IWUSR
                archive.addfile(member, file)


def write_as_one(backup: Path, form: BackupFormat, target: BinaryIO) -> None:
    """Write a backup of a format into an open file: packed, where it is several files."""
    if form.is_several:
        if form.is_folder:
            found = [backup / name for name in names_in(backup)]
        else:
            found = [backup, backup.with_name(backup.name + form.manifest_suffix)]
        # First those that say what the others are.
        found.sort(key=lambda path: (path.suffix != ".json", path))
        _pack(backup.parent, found, target)
    else:
        with backup.open("rb") as source:
            shutil.copyfileobj(source, target, files.COPY_BYTES)


def unpack(source: BinaryIO, folder: Path) -> Path:
    """
    Write what a tar holds into an empty folder.

    Returns: the file or the folder that was packed, of those at the top the shortest name.
    Raises: BackupDamaged when it is not as `write_as_one` writes it.
    """
    import tarfile

    names: list[str] = []
    with _translated(), tarfile.open(fileobj=source, mode="r|") as archive:
        for member in archive:
            if member.isdir():  # those that hold files come with these
                continue
            content = archive.extractfile(member) if member.isfile() else None
            if content is None or not _is_sound(member.name) or member.name in names:
                raise damaged(f"it packs what is no part of a backup: {member.name!a}")
            names.append(member.name)
            with files.create(folder / member.name) as file:
                shutil.copyfileobj(content, file, files.COPY_BYTES)
    while source.read(files.COPY_BYTES):  # what follows proves that it is whole
        pass
    if not names:
        raise damaged("nothing is packed in it")
    # Beside a file may lie others, whose names are longer by what they are.
    return folder / min({name.partition("/")[0] for name in names}, key=len)


def _is_sound(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and not {"..", "\\", ":"} & {*parts, *name}


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    import tarfile

    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise damaged(f"what it packs cannot be read: {error}") from error
