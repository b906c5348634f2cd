"""Reading a file line by line, and rows many lines at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from holdfast.errors import BackupDamaged
from holdfast.formats.interface import damaged

BLOCK_BYTES = 65536
_START_OF_NO_ROW = re.compile(rb"^[^{]", re.MULTILINE)


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
        for text, _ in self._blocks():
            yield text

    def row_lines(self) -> Iterator[list[bytes]]:
        """Do as `rows`, with each line by itself and without its newline."""
        for _, lines in self._blocks():
            yield lines

    def _blocks(self) -> Iterator[tuple[bytes, list[bytes]]]:
        while True:
            lines, taken, stop = self._whole_rows()
            text, self._waiting = self._waiting[:taken], self._waiting[taken:]
            if text:
                yield text, lines
            if stop or not self._fill():
                return

    def _whole_rows(self) -> tuple[list[bytes], int, bool]:
        """Find the whole rows waiting, their bytes, and whether a line of another kind follows."""
        lines = self._waiting.split(b"\n")
        end = len(self._waiting) - len(lines.pop())
        # Comparing finds in no time that all are rows, as mostly they are.
        if not lines or (min(lines) >= b"{" and max(lines) < b"|"):
            return lines, end, self._waiting[end : end + 1] not in (b"", b"{")
        stop = _START_OF_NO_ROW.search(self._waiting)
        if stop and stop.start() < end:
            end = stop.start()
            lines = self._waiting[:end].split(b"\n")[:-1]
        return lines, end, stop is not None

    def _fill(self) -> bool:
        # As much again as is waiting: a line of any length is put together in linear time.
        more = self._file.read(max(BLOCK_BYTES, len(self._waiting)))
        self._waiting += more
        self._read_bytes += len(more)
        self._is_read = not more
        return bool(more)
