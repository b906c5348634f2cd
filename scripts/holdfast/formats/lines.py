"""Reading a file line by line, and rows many lines at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from holdfast.errors import BackupDamaged
from holdfast.formats.interface import damaged

BLOCK_BYTES = 65536
_START_OF_NO_ROW = re.compile(rb"\n[^{]")


class LineFile:
    """A binary file of lines; each keeps its newline."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting = b""
        self._read_bytes = 0
        self._is_read = False

    @property
    def is_at_end(self) -> bool:
        """Whether no whole line is left."""
        return self._is_read and b"\n" not in self._waiting

    def ends_early(self) -> BackupDamaged:
        """Make the error for a file that is over too soon."""
        return damaged(f"it ends early, at byte {self._read_bytes:,}")

    def line(self) -> bytes:
        """Return the next line; only the last of the file lacks a newline, or is empty."""
        while (end := self._waiting.find(b"\n") + 1) == 0:
            if not self._fill():
                end = len(self._waiting)
                break
        line, self._waiting = self._waiting[:end], self._waiting[end:]
        return line

    def rows(self) -> Iterator[bytes]:
        """Yield the lines up to one that begins with no brace, many whole lines at a time."""
        while True:
            end, stop = self._whole_rows()
            text, self._waiting = self._waiting[:end], self._waiting[end:]
            if text:
                yield text
            if stop or not self._fill():
                return

    def row_lines(self) -> Iterator[list[bytes]]:
        """Do as `rows`, with each line by itself."""
        for text in self.rows():
            yield BytesIO(text).readlines()  # to split it looks at each byte in turn

    def _whole_rows(self) -> tuple[int, bool]:
        """Find where the whole rows waiting end, and whether a line of another kind follows."""
        if self._waiting[:1] not in (b"", b"{"):
            return 0, True
        if stop := _START_OF_NO_ROW.search(self._waiting):
            return stop.start() + 1, True
        return self._waiting.rfind(b"\n") + 1, False

    def _fill(self) -> bool:
        # As much again as is waiting: a line of any length is put together in linear time.
        more = self._file.read(max(BLOCK_BYTES, len(self._waiting)))
        self._waiting += more
        self._read_bytes += len(more)
        self._is_read = not more
        return bool(more)
