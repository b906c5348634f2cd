"""Bytes on their way: hashed, or handed from one thread to another, a few at a time."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK_BYTES = 256 * 1024

T = TypeVar("T")


class Cut(Exception):
    """What was to be read will not be written to its end."""


class Hashed:
    """A file whose bytes are hashed as they are written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write, and hash what was written."""
        self.sha256.update(data)
        return self._file.write(data)


@contextlib.contextmanager
def read_by(work: Callable[[BinaryIO], T]) -> Iterator[tuple[BinaryIO, Future[T]]]:
    """
    Yield a file to write to, and what `work` will return, which reads it in a thread.

    When the block ends, the file does, and `work` is waited for; what it raises is raised here.
    When the block fails, reading fails with Cut: a beginning never passes for the whole.
    """
    reading, writing = os.pipe()
    source = _Source(reading)

    def run() -> T:
        with io.BufferedReader(source, _BLOCK_BYTES) as file:  # closed, it lets nobody write on
            result = work(cast(BinaryIO, file))
            while file.read(_BLOCK_BYTES):
                pass
            return result

    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(run)
        file = io.BufferedWriter(io.FileIO(writing, "w"), _BLOCK_BYTES)
        try:
            yield cast(BinaryIO, file), found
            file.close()
        except BaseException as error:
            source.is_cut = True
            with contextlib.suppress(OSError):
                file.close()
            reason = found.exception()
            if isinstance(error, BrokenPipeError) and not isinstance(reason, Cut | None):
                raise reason from None
            raise
        found.result()


class _End(io.RawIOBase):
    """The end of a pipe that is read."""

    def __init__(self, handle: int) -> None:
        self._file = io.FileIO(handle)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


class _Source(_End):
    """One that tells a writer that ended from one that failed."""

    is_cut = False

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        count = self._file.readinto(buffer)
        if self.is_cut:
            raise Cut("it is written no further")
        return count


@contextlib.contextmanager
def written_by(work: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """
    Yield a file to read what `work` writes in a thread.

    What `work` raises comes up where its writing is read to the end, in place of that end; at
    once, when it has written nothing. The block may end earlier: then `work` can write no further,
    and what it raises is not asked for.
    """
    reading, writing = os.pipe()

    def run() -> None:
        with io.BufferedWriter(io.FileIO(writing, "w"), _BLOCK_BYTES) as file:
            work(cast(BinaryIO, file))

    with ThreadPoolExecutor(1) as thread:
        result = _Result(reading, thread.submit(run))
        with io.BufferedReader(result, _BLOCK_BYTES) as file:
            file.peek(1)
            yield cast(BinaryIO, file)


class _Result(_End):
    """One that ends well only when the writer has."""

    def __init__(self, handle: int, written: Future[None]) -> None:
        super().__init__(handle)
        self._written = written

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        count = self._file.readinto(buffer)
        if not count:
            self._written.result()
        return count
