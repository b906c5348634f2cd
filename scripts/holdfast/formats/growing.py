"""A backup that is read back while it is still being written."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from holdfast.formats.interface import BackupFormat, BackupReader
from holdfast.model import Contents

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_POLL_SECONDS = 0.005


@contextlib.contextmanager
def reading_back(path: Path, form: BackupFormat) -> Iterator[Callable[[], Contents]]:
    """
    Read a backup in a thread, from the file at `path` that this thread begins to write.

    Yields: what is to be called once all is written; it returns what was found, or raises as
        `BackupReader.contents` does.
    """
    growing = GrowingFile(path)
    with ThreadPoolExecutor(1) as thread, growing:
        reader = BackupReader(path, form, cast(BinaryIO, growing))
        found = thread.submit(reader.contents)

        def contents() -> Contents:
            growing.is_whole.set()
            try:
                return found.result()
            finally:
                growing.close()  # Windows gives no name to a file that is open

        try:
            yield contents
        finally:
            growing.give_up()
            found.exception()


class GrowingFile(io.RawIOBase):
    """
    A file for reading that another thread writes: what is not there yet is waited for.

    `is_whole` is to be set once all is there.
    """

    def __init__(self, path: Path) -> None:
        self.is_whole = threading.Event()
        self._file = path.open("rb", buffering=0)
        self._is_given_up = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        wanted = self._file.tell() + memoryview(buffer).nbytes
        while not self.is_whole.is_set() and os.fstat(self._file.fileno()).st_size < wanted:
            self.is_whole.wait(_POLL_SECONDS)
        return 0 if self._is_given_up else self._file.readinto(buffer)

    def give_up(self) -> None:
        """End the file where it is read."""
        self._is_given_up = True
        self.is_whole.set()

    def close(self) -> None:
        self._file.close()
        super().close()
