"""
A backup as a zip: the files of a bundle in one file that any unzip opens.

The zip's comment is `sha256:` and the SHA-256, in lower-case hex, of all bytes of the file
before these digits, which are its last: so each byte is proven, those too that frame the files.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

from holdfast.errors import UsageError
from holdfast.formats.bundle import FIRST_FILE, Members, glance_at, read_bundle, write_bundle
from holdfast.formats.folder import names_in
from holdfast.formats.interface import BackupFormat, Content, Glance, Part, Target, damaged
from holdfast.formats.lines import BLOCK_BYTES

_COMMENT = b"sha256:"
_HASH_BYTES = 64
START = b"PK\x03\x04"
_NAME_POSITION = 30  # of the first file's name in the zip
_ENCRYPTED = 0x1
# What a zip made by another hand may bring out of the module, besides its own error.
ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(RuntimeError, ValueError, OverflowError, OSError),
)


def write(target: Target, content: Content) -> None:
    """Write a whole backup; UsageError when the file cannot be gone back in."""
    file = target.stream
    if not (file.seekable() and file.readable()):
        raise UsageError(
            "a zip cannot be written to standard output",
            hint="Name a file with --output FILE, or choose --format jsonl.",
        )
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = _COMMENT + b"0" * _HASH_BYTES
        create = functools.partial(archive.open, mode="w", force_zip64=True)
        write_bundle(content, lambda name: create(_member(name)))
    digest, _ = _hash_and_end(file)
    file.seek(-_HASH_BYTES, os.SEEK_END)
    file.write(digest)


def _member(name: str) -> zipfile.ZipInfo:
    """Describe a file with nothing in it that depends on when and where it is made."""
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3  # Unix: only there do permissions have a meaning
    member.external_attr = (stat.S_IFREG | 0o600) << 16
    return member


def zip_of(folder: Path) -> Iterator[bytes]:
    """Yield a zip of a backup that is a folder, block by block, as `write` would make it."""
    yield from zipped(folder, sorted(names_in(folder), key=lambda name: (name != FIRST_FILE, name)))


def zipped(folder: Path, names: Iterable[str]) -> Iterator[bytes]:
    """Yield a zip of some files of a folder, block by block, that ends with its own hash."""
    sink = _Sink()
    digest = hashlib.sha256()
    with zipfile.ZipFile(cast(IO[bytes], sink), "w") as archive:
        archive.comment = _COMMENT + b"0" * _HASH_BYTES
        create = functools.partial(archive.open, mode="w", force_zip64=True)
        for name in names:
            with create(_member(name)) as member, (folder / name).open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    member.write(block)
                    digest.update(made := sink.taken())
                    yield made
    last = sink.taken()[:-_HASH_BYTES]
    digest.update(last)
    yield last + digest.hexdigest().encode()


class _Sink:
    """Takes what a zip writes, for as long as nobody has fetched it."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        made = b"".join(self._blocks)
        self._blocks.clear()
        return made


def _hash_and_end(file: BinaryIO) -> tuple[bytes, bytes]:
    """Return the hash that the file should end with, and what it does end with."""
    left = file.seek(0, os.SEEK_END) - _HASH_BYTES
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (block := file.read(min(left, BLOCK_BYTES))):
        digest.update(block)
        left -= len(block)
    return digest.hexdigest().encode(), file.read()


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a backup; see `BackupFormat.read`."""
    with path.open("rb") as file:
        expected, found = _hash_and_end(file)
        if found != expected:
            raise damaged(
                "it does not end with its own SHA-256: it was cut, changed or zipped anew"
            )
        with members(file) as of_bundle:
            yield from read_bundle(of_bundle)


@contextlib.contextmanager
def members(file: BinaryIO) -> Iterator[Members]:
    """Yield the files of a zip; BackupDamaged for one whose name would lead out of it."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [_sound_name(member) for member in archive.infolist()]
            doubled = [name for name, count in Counter(names).items() if count > 1]
            if doubled:
                raise damaged(f"it holds {doubled[0]} twice")

            def opened(name: str) -> IO[bytes]:
                return archive.open(name)

            yield Members(names, stored=opened, plain=opened)
    except ERRORS as error:
        raise damaged(f"what it holds cannot be unpacked: {error}") from error


def _sound_name(member: zipfile.ZipInfo) -> str:
    name = member.filename
    if member.flag_bits & _ENCRYPTED:
        raise damaged(f"{name} is encrypted")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise damaged(f"{name} would lie outside of it")
    return name


def _glance(path: Path) -> Glance:
    with path.open("rb") as file, members(file) as found:
        return glance_at(found)


def _recognise(_: Path, start: bytes) -> bool:
    return start.startswith(START) and start[_NAME_POSITION:].startswith(FIRST_FILE.encode())


FORMAT = BackupFormat(
    name="zip",
    title="Holdfast zip",
    suffix=".zip",
    recognise=_recognise,
    read=read,
    write=write,
    glance=_glance,
    is_stream=False,
)
