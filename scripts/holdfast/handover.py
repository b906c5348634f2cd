"""
Blocks of bytes handed from one process to another through memory that both see.

A pipe copies what it carries twice, and in small pieces; here it only carries who may use which
part of the memory, and words that are said in between.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

_SLOT_BYTES = 256 * 1024
# What stands for a slot, with the number of bytes in it; no word may begin so.
_WHOLE = b"#"
_BEGUN = b"+"  # the rest is in the next
_FREE = b""


class Giver:
    """
    The end that is in the process where the bytes are made.

    All methods raise EOFError or OSError when the other end is gone.
    """

    def __init__(self, pipe: Pipe, memory: Any) -> None:
        self._pipe = pipe
        self._memory = memoryview(memory).cast("B")
        self._slots = len(self._memory) // _SLOT_BYTES
        self._number = 0  # of the slot being filled
        self._start = 0
        self._filled = 0
        self._free = self._slots

    def give(self, data: bytes) -> None:
        """Hand over some bytes, now or with what follows; they are taken in one."""
        if self._filled + len(data) > _SLOT_BYTES:
            self._flush()
        rest = memoryview(data)
        while len(rest) > _SLOT_BYTES:
            self._fill(rest[:_SLOT_BYTES])
            self._flush(_BEGUN)
            rest = rest[_SLOT_BYTES:]
        self._fill(rest)

    def say(self, word: bytes) -> None:
        """Send a word, after all that was given before."""
        self._flush()
        self._pipe.send_bytes(word)

    def _fill(self, data: memoryview) -> None:
        if not self._filled:
            self._await_slot()
        start = self._start + self._filled
        self._memory[start : start + len(data)] = data
        self._filled += len(data)

    def _flush(self, kind: bytes = _WHOLE) -> None:
        if self._filled:
            self._pipe.send_bytes(b"%b%d" % (kind, self._filled))
            self._filled = 0

    def _await_slot(self) -> None:
        while not self._free:
            self._pipe.recv_bytes()
            self._free += 1
        self._free -= 1
        self._start = self._number * _SLOT_BYTES
        self._number = (self._number + 1) % self._slots


class Taker:
    """The end that is in the process where the bytes are used."""

    def __init__(self, pipe: Pipe, memory: Any) -> None:
        self._pipe = pipe
        self._memory = memoryview(memory).cast("B")
        self._slots = len(self._memory) // _SLOT_BYTES
        self._number = 0

    def take(self) -> bytes:
        """
        Return some of what was given, or the next word.

        Raises: EOFError, OSError when the other end is gone and has left no more.
        """
        begun = []
        while (message := self._pipe.recv_bytes()).startswith(_BEGUN):
            begun.append(self._slot(message))
        if not message.startswith(_WHOLE):
            return message
        return b"".join((*begun, self._slot(message))) if begun else self._slot(message)

    def _slot(self, message: bytes) -> bytes:
        start = self._number * _SLOT_BYTES
        self._number = (self._number + 1) % self._slots
        data = bytes(self._memory[start : start + int(message[1:])])
        with contextlib.suppress(OSError):  # it has given its last, and is gone
            self._pipe.send_bytes(_FREE)
        return data
