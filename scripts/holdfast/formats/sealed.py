"""What stands around rows: hashed as it is written and as it is read, for the seal at its end."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from holdfast.formats.interface import damaged
from holdfast.formats.lines import LineFile

SEAL = b'"seal":"%s"}\n'  # the last line of a document


def sealed(text: bytes, form: bytes = SEAL) -> bytes:
    """Add its last line to a document: the seal of all that it holds before."""
    return text + form % hashlib.sha256(text).hexdigest().encode()


def is_sealed(text: bytes, form: bytes = SEAL) -> bool:
    """Tell whether the last line of a document is the seal of all before it."""
    return text == sealed(text.rpartition(form.partition(b"%s")[0])[0], form)


class SealedWriter:
    """Writes lines that are no rows, and hashes them for the seal."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._hash = hashlib.sha256()

    def write(self, text: bytes) -> None:
        self._hash.update(text)
        self.file.write(text)

    def seal(self) -> bytes:
        """Return the SHA-256 of all that was written so, in lower-case hex."""
        return self._hash.hexdigest().encode()


class SealedReader:
    """Reads lines, and hashes those that are no rows."""

    def __init__(self, file: BinaryIO) -> None:
        self.lines = LineFile(file)
        self._hash = hashlib.sha256()
        self._before = self._hash

    def line(self) -> bytes:
        """Return the next line; BackupDamaged when the file ends before it does."""
        line = self.lines.line()
        if not line.endswith(b"\n"):
            raise self.lines.ends_early()
        self._before = self._hash.copy()
        self._hash.update(line)
        return line

    def until(self, last: bytes) -> list[bytes]:
        """Return the lines before one that is `last`."""
        return list(iter(self.line, last))

    def complain_of_seal(self, form: bytes, line: bytes) -> None:
        """
        Raise BackupDamaged unless `line`, just read, is the seal of all before it, and the last.

        Args: form: the line with `%s` in place of the hash.
        """
        if line != form % self._before.hexdigest().encode() or self.lines.line():
            raise damaged("its last line is not the seal of the lines before it")


def shown(line: bytes) -> str:
    """Write the start of a line for an error message."""
    return ascii(line[:40].decode("utf-8", "replace"))
