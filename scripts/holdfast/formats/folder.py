"""A backup as a folder: the files of a bundle as they are, for git, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from holdfast import files
from holdfast.formats.bundle import (
    METADATA,
    METADATA_START,
    PROGRAM,
    SCHEMA,
    Members,
    glance_at,
    read_bundle,
    write_bundle,
)
from holdfast.formats.compression import plain
from holdfast.formats.interface import BackupFormat, Content, Glance, Part, Target


def write(target: Target, content: Content) -> None:
    """Write a whole backup into the empty folder `target.path`."""
    root = target.path
    assert root is not None  # a folder always has a path
    write_bundle(content, lambda name: files.create(root / name), target.compression)
    for folder in (root / "tables", root):
        if folder.is_dir():
            files.fsync_folder(folder)


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a backup; see `BackupFormat.read`."""
    return read_bundle(_members(path))


def names_in(root: Path) -> list[str]:
    """Name the files of a backup."""
    return [path.as_posix() for path in files.files_in(root)]


def _members(root: Path) -> Members:
    return Members(
        names=names_in(root),
        stored=lambda name: (root / name).open("rb"),
        plain=lambda name: plain(root / name),
    )


def _glance(path: Path) -> Glance:
    return glance_at(_members(path))


def _recognise(path: Path, _: bytes) -> bool:
    if all((path / name).is_file() for name in (PROGRAM, SCHEMA)):
        return True  # what else is missing or damaged, the reader says
    if not (path / METADATA).is_file():
        return False
    with (path / METADATA).open("rb") as file:
        return file.read(len(METADATA_START)) == METADATA_START


FORMAT = BackupFormat(
    name="folder",
    title="Holdfast folder",
    suffix="",
    recognise=_recognise,
    read=read,
    write=write,
    glance=_glance,
    is_stream=False,
    is_folder=True,
)
