"""
A page copy and its manifest in one zip: what the server gives to be downloaded.

The copy is read from a private folder, which is removed afterwards. No more is unpacked than the
manifest says that there is.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from holdfast import files
from holdfast.formats import sqlite_copy
from holdfast.formats.interface import BackupFormat, Glance, Part, damaged
from holdfast.formats.sqlite_copy import MANIFEST_SUFFIX
from holdfast.formats.zip_file import ERRORS, START, members, zipped
from holdfast.model import Header, Trailer

_MANIFEST_BYTES = 64 * 1024 * 1024  # it has the schema and the names of tables


def zip_of_copy(copy: Path) -> Iterator[bytes]:
    """Yield a zip of a page copy and its manifest, block by block."""
    yield from zipped(copy.parent, [copy.name + MANIFEST_SUFFIX, copy.name])


def _copy_name(names: list[str]) -> str | None:
    """Return which of two files is the copy that the other one proves; None for any others."""
    copy, manifest = sorted(names, key=len) if len(names) == 2 else ("", "")
    is_copy = copy and manifest == copy + MANIFEST_SUFFIX and Path(copy).name == copy
    return copy if is_copy else None


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Yield the copy in a private folder, with its manifest beside it."""
    with files.scratch_folder() as folder:
        with path.open("rb") as file, members(file) as found:
            copy = folder / (_copy_name(list(found.names)) or "")
            manifest = copy.with_name(copy.name + MANIFEST_SUFFIX)
            with found.stored(manifest.name) as packed:
                _fill(manifest, packed, _MANIFEST_BYTES)
            with found.stored(copy.name) as packed:
                _fill(copy, packed, sqlite_copy.read_proof(copy).file.bytes)
        yield copy


def _fill(target: Path, packed: IO[bytes], limit: int) -> None:
    with files.create(target) as file:
        while block := packed.read(files.COPY_BYTES):
            limit -= len(block)
            if limit < 0:
                raise damaged(f"{target.name} in it is larger than it should be")
            with files.translated_errors(target):
                file.write(block)


def _read(path: Path) -> Iterator[Part]:
    with _unpacked(path) as copy:
        yield from sqlite_copy.FORMAT.read(copy)


def _place(path: Path, target: Path) -> tuple[Header, Trailer]:
    with _unpacked(path) as copy:
        return sqlite_copy.place(copy, target)


def _glance(path: Path) -> Glance:
    with path.open("rb") as file, members(file) as found:
        name = _copy_name(list(found.names))
        with found.stored(f"{name}{MANIFEST_SUFFIX}") as packed:
            return sqlite_copy.glance_at(packed.read(_MANIFEST_BYTES))


def _recognise(path: Path, start: bytes) -> bool:
    if not start.startswith(START):
        return False
    with contextlib.suppress(*ERRORS), zipfile.ZipFile(path) as archive:
        return _copy_name(archive.namelist()) is not None
    return False


FORMAT = BackupFormat(
    name="zipped_copy",
    title="a page copy by Holdfast, in a zip with its manifest",
    suffix=".db.zip",
    recognise=_recognise,
    read=_read,
    glance=_glance,
    is_stream=False,
    place=_place,
)
