"""
Encrypted backups: each is a backup of another format, in one file that its keys open.

What is read from its start to its end is decrypted as it is read. What must be gone back and
forth in is decrypted into a private folder, which is removed once it was read. A folder, and a
page copy with its manifest, are packed in the file.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

from msgspec.structs import replace

from holdfast import files
from holdfast.encryption import SUFFIX, Keys, decrypting, is_encrypted
from holdfast.formats import packing
from holdfast.formats.compression import decompressed, plain
from holdfast.formats.interface import BackupFormat, Glance, Part
from holdfast.model import Header, Trailer

_START_BYTES = 4096  # that a format is recognised by


def is_closed(path: Path) -> bool:
    """Tell whether a file is encrypted: by its first line, or by its name if that is damaged."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        return is_encrypted(file.read(64)) or path.suffix == SUFFIX


class EncryptedFile:
    """
    The content of an encrypted file.

    While it is entered, what needs a folder of its own is decrypted there but once.
    """

    def __init__(self, path: Path, keys: Keys) -> None:
        self.path = path
        self._keys = keys
        self._kept: contextlib.ExitStack | None = None
        self._copy: Path | None = None

    def __enter__(self) -> Self:
        self._kept = contextlib.ExitStack()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._kept is not None  # it was entered
        kept, self._kept, self._copy = self._kept, None, None
        kept.close()

    @contextlib.contextmanager
    def content(self) -> Iterator[BinaryIO]:
        """Yield what is in it, for reading from start to end; raises as `decrypting`."""
        with self.path.open("rb") as file, decrypting(file, self._keys) as content:
            yield content

    def start(self) -> tuple[bytes, bytes]:
        """Return the first bytes of what is in it, as they are and decompressed."""
        with self.content() as content:
            stored = content.read(_START_BYTES)
        with self.content() as content, decompressed(content) as inside:
            return stored, inside.read(_START_BYTES)

    @contextlib.contextmanager
    def copy(self) -> Iterator[Path]:
        """Yield what is in it as a file or a folder of its own, which must not be changed."""
        if self._copy is not None:
            yield self._copy
            return
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(files.scratch_folder())
            copy = self._unpacked(folder) if self._is_packed() else self._decrypted(folder)
            if self._kept is not None:
                self._kept.push(stack.pop_all())
                self._copy = copy
            yield copy

    def _is_packed(self) -> bool:
        with self.content() as content:
            return packing.is_packed(content.read(_START_BYTES))

    def _decrypted(self, folder: Path) -> Path:
        copy = folder / "content"
        with self.content() as content, files.create(copy) as file:
            shutil.copyfileobj(content, file, files.COPY_BYTES)
        return copy

    def _unpacked(self, folder: Path) -> Path:
        with self.content() as content:
            return packing.unpack(content, folder)


def format_inside(file: EncryptedFile, formats: Iterable[BackupFormat]) -> BackupFormat | None:
    """
    Recognise the backup in an encrypted file, and make a format of it that reads it there.

    Returns: None when none of the formats fits. Raises: KeyNotAtHand; BackupDamaged.
    """
    stored, start = file.start()
    if not packing.is_packed(stored):
        # These tell by the first bytes alone, and need no file of their own.
        streamed = (each for each in formats if each.read_stream)
        for each in streamed:
            if each.recognise(file.path, start):
                return _in_file(file, each, start)
    with file.copy() as copy:
        first = b"" if copy.is_dir() else _start_of(copy)
        for each in formats:
            if each.recognise(copy, first):
                return _in_file(file, each, start)
    return None


def _start_of(copy: Path) -> bytes:
    with plain(copy) as content:
        return content.read(_START_BYTES)


def _in_file(file: EncryptedFile, inside: BackupFormat, start: bytes) -> BackupFormat:
    def read(_: Path) -> Iterator[Part]:
        if inside.read_stream:
            with file.content() as content:
                yield from inside.read_stream(content)
        else:
            with file.copy() as copy:
                yield from inside.read(copy)

    def place(_: Path, target: Path) -> tuple[Header, Trailer]:
        assert inside.place is not None
        with file.copy() as copy:
            return inside.place(copy, target)

    return replace(
        inside,
        read=read,
        read_stream=None,
        glance=lambda _: _glance(start),
        place=place if inside.place else None,
    )


def _glance(start: bytes) -> Glance:
    date = re.search(rb'"backup_date": ?"([^"]*)"', start)
    is_partial = re.search(rb'"type": ?"partial"', start) is not None
    return Glance(date[1].decode("utf-8", "replace") if date else None, None, is_partial)
