"""Compressed files: read as what they hold, recognised by their content."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from holdfast.formats.interface import damaged

SUFFIXES = {"none": "", "zstd": ".zst", "gzip": ".gz"}
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_LEVEL = 6
_ZSTD_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
    zstd.CompressionParameter.nb_workers: 1,  # a thread beside the one that reads
}


@contextlib.contextmanager
def compressing(file: BinaryIO, compression: str) -> Iterator[BinaryIO]:
    """Yield a file that puts what it is given into `file`, compressed; whole once this ends."""
    if compression == "none":
        yield file
    elif compression == "zstd":
        with zstd.ZstdFile(file, "wb", options=_ZSTD_OPTIONS) as stream:
            yield cast(BinaryIO, stream)
    else:
        # No name and no time: the same content gives the same bytes.
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as stream:
            yield cast(BinaryIO, stream)


@contextlib.contextmanager
def plain(path: Path) -> Iterator[BinaryIO]:
    """
    Yield a file's content, decompressed when it is compressed.

    Raises: BackupDamaged, while it is read, when the compressed content is damaged.
    """
    with path.open("rb") as file, decompressed(file) as content:
        yield content


@contextlib.contextmanager
def decompressed(file: BinaryIO) -> Iterator[BinaryIO]:
    """Yield the content of an open file that was not read yet; otherwise as `plain`."""
    start = _first_bytes(file)
    try:
        if start.startswith(_ZSTD_MAGIC):
            with zstd.ZstdFile(file, "rb") as stream:
                yield cast(BinaryIO, stream)
        elif start.startswith(_GZIP_MAGIC):
            with gzip.GzipFile(fileobj=file, mode="rb") as stream:
                yield cast(BinaryIO, stream)
        else:
            yield file
    except EOFError as error:
        at = f", at byte {file.tell():,}" if file.seekable() else ""
        raise damaged(f"it ends early{at}") from error
    except (zstd.ZstdError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(f"its compressed content is damaged: {error}") from error


def _first_bytes(file: BinaryIO) -> bytes:
    if isinstance(file, io.BufferedReader) and not file.seekable():
        return file.peek(4)
    start = file.read(4)
    file.seek(0)
    return start


def compressed_block(content: bytes, level: int = 3) -> bytes:
    """Compress what is in memory with zstd, as one frame that has a checksum."""
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: level,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    return zstd.compress(content, options=options)


def decompressed_block(packed: bytes, most_bytes: int) -> bytes:
    """
    Return what `compressed_block` was given.

    Raises: BackupDamaged when it is damaged, or holds more than `most_bytes`.
    """
    decompressor = zstd.ZstdDecompressor()
    try:
        content = decompressor.decompress(packed, max_length=most_bytes + 1)
    except zstd.ZstdError as error:
        raise damaged(f"its compressed content is damaged: {error}") from error
    if len(content) > most_bytes:
        raise damaged(f"its compressed content is more than {most_bytes:,} bytes")
    if not decompressor.eof or decompressor.unused_data:
        raise damaged("its compressed content ends early, or too late")
    return content


def is_compressed(path: Path) -> bool:
    """Tell whether a file's content begins as one of the compressions that are read."""
    return compression_suffix(path) != ""


def compression_suffix(path: Path) -> str:
    """Return what the name of a file should end in, by how its content is compressed."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_ZSTD_MAGIC):
        return SUFFIXES["zstd"]
    return SUFFIXES["gzip"] if start.startswith(_GZIP_MAGIC) else ""


def tail(path: Path, size: int) -> bytes:
    """Return the last bytes of a file; none of a compressed one, which would be read whole."""
    if is_compressed(path):
        return b""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - size))
        return file.read()


def glance_start(path: Path) -> tuple[str | None, bool]:
    """Find the date that a backup in JSON names near its start, and whether it is partial."""
    with plain(path) as file:
        start = file.read(4096)
    date = re.search(rb'"backup_date":"([^"]*)"', start)
    return date[1].decode("utf-8", "replace") if date else None, b'"type":"partial"' in start
