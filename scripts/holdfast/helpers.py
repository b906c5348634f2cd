"""
Other processes of ours, which do something for this one and end with it.

They are started before it is known what they are to do. Where it is safe that is a fork, which
takes a hundredth of the time that another Python takes to start. So it has to be before a file
that they will read is opened as a database here: they would take along what SQLite knows of it,
and take this process's locks for their own (sqlite.org/howtocorrupt.html, 2.7).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

__all__ = ["SHARED_BYTES", "Helper", "Pipe", "core_count"]

SHARED_BYTES = 4 * 1024 * 1024

# Windows can hold up none.
_ENDING = (
    {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} if hasattr(signal, "pthread_sigmask") else set()
)
_our_ends: set[Pipe] = set()


class Helper:
    """Another process, as it looks from here; OSError where the system refuses to start one."""

    def __init__(self) -> None:
        import multiprocessing  # a tenth of a start, and most have no need of it

        context: Any = multiprocessing.get_context("fork" if _may_fork() else "spawn")
        is_fork = context.get_start_method() == "fork"
        self.pipe, its_pipe = context.Pipe()
        self.memory = (
            mmap.mmap(-1, SHARED_BYTES) if is_fork else context.RawArray("c", SHARED_BYTES)
        )
        _our_ends.add(self.pipe)
        self._process = context.Process(
            target=_serve,
            args=(its_pipe, self.memory, list(_our_ends) if is_fork else []),
            daemon=True,
        )
        try:
            with its_pipe, _signals_held_up():
                self._process.start()
        except OSError:
            self._close()
            raise

    def begin(self, work: Callable[..., None], *arguments: object) -> None:
        """
        Let it call `work` with its end of the pipe, the memory that is shared, and `arguments`.

        Ctrl-C does not reach it: whoever started it ends it, by SIGTERM.
        """
        with contextlib.suppress(OSError):  # it is gone, as whoever listens to it will hear
            self.pipe.send((work, arguments))

    def end(self, patience: float = 0) -> None:
        """End it; it has so many seconds to end of itself, now that nobody listens any more."""
        self._close()
        if patience:
            self._process.join(patience)
        self._process.terminate()
        self._process.join()

    def _close(self) -> None:
        _our_ends.discard(self.pipe)
        self.pipe.close()


def core_count() -> int:
    """Return how many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _may_fork() -> bool:
    # What the system's libraries on macOS hold does not stand a fork; nor do other threads.
    return sys.platform == "linux" and threading.active_count() == 1


@contextlib.contextmanager
def _signals_held_up() -> Iterator[None]:
    """Hold up what ends a program, which is not lost; a process that is started goes on so."""
    if not _ENDING:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Pipe, memory: Any, taken_along: list[Pipe]) -> None:
    """Do what a helper does, in its own process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _ENDING:  # what this process's parent does at them is not for this one
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    for each in taken_along:  # or it would not be heard that the other end is gone
        each.close()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # nobody listens
        work, arguments = pipe.recv()
        work(pipe, memory, *arguments)
