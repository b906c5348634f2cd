"""
Blocks of bytes handed from one process to another through memory that both see.

A pipe copies what it carries twice, and in small pieces; here it only carries who may use which
part of the memory. What is too large for a part of it goes through the pipe itself.
"""

from __future__ import annotations

import contextlib
from multiprocessing.connection import Connection as Pipe
from typing import Any

_SLOT_BYTES = 256 * 1024
_SLOTS = 16
_IN_SLOT = b"#"  # and the number of bytes; nothing else that is sent may begin so
_FREE = b""


def shared_memory(context: Any) -> Any:
    """Make what `Giver` and `Taker` share; it is passed on only when a process is started."""
    return context.RawArray("c", _SLOTS * _SLOT_BYTES)


class Giver:
    """The end that is in the process where the bytes are made."""

    def __init__(self, pipe: Pipe, memory: Any) -> None:
        self._pipe = pipe
        self._memory = memoryview(memory).cast("B")
        self._number = 0  # of the slot being filled
        self._start = 0
        self._filled = 0
        self._free = _SLOTS

    def give(self, data: bytes) -> None:
        """
        Hand over some bytes, now or with what follows; they are not parted.

        Raises: EOFError, OSError when the other end is gone.
        """
        size = len(data)
        if self._filled + size > _SLOT_BYTES:
            self.flush()
        if size > _SLOT_BYTES:
            self._pipe.send_bytes(data)
            return
        if not self._filled:
            self._await_slot()
        end = self._start + self._filled + size
        self._memory[end - size : end] = data
        self._filled += size

    def flush(self) -> None:
        """Let the other end have what was given so far."""
        if self._filled:
            self._pipe.send_bytes(b"%b%d" % (_IN_SLOT, self._filled))
            self._filled = 0

    def _await_slot(self) -> None:
        while not self._free:
            self._pipe.recv_bytes()
            self._free += 1
        self._free -= 1
        self._start = self._number * _SLOT_BYTES
        self._number = (self._number + 1) % _SLOTS


class Taker:
    """The end that is in the process where the bytes are used."""

    def __init__(self, pipe: Pipe, memory: Any) -> None:
        self._pipe = pipe
        self._memory = memoryview(memory).cast("B")
        self._number = 0

    def take(self, message: bytes) -> bytes:
        """
        Return the bytes that a message from the other end stands for: mostly itself.

        Messages must be taken in the order in which they came.
        """
        if not message.startswith(_IN_SLOT):
            return message
        start = self._number * _SLOT_BYTES
        self._number = (self._number + 1) % _SLOTS
        data = bytes(self._memory[start : start + int(message[1:])])
        with contextlib.suppress(OSError):  # it has given its last, and is gone
            self._pipe.send_bytes(_FREE)
        return data
