"""
Tables read by several processes at once, all of which see one moment of the database.

Each reader takes every nth part of a table and hands its lines over by a pipe; whoever asks for
the table gets them in order. A reader opens the database only once it runs: a connection must
not be taken along into another process (sqlite.org/howtocorrupt.html, 2.7).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import msgspec

from holdfast import database, errors
from holdfast.database import Connection
from holdfast.digest import read_lines
from holdfast.errors import DatabaseError, HoldfastError
from holdfast.handover import Giver, Taker, shared_memory
from holdfast.model import Table
from holdfast.parts import Share, read_share
from holdfast.redaction import Secrets

_WORTH_IT_BYTES = 64 * 1024 * 1024  # what is read while a process starts
_MOST_READERS = 8
_MOST_TRIES = 50
# A writer that waits for `connection` to have read lets nobody begin: then that reads alone.
_BEGIN_SECONDS = 1.0
_AGAIN = "again"
# What a reader sends besides rows, which begin with a brace, and an error, a list of JSON.
_READY = b"ready"
_END_OF_PART = b""
_END_OF_TABLE = b"end of "


class Readers:
    """Reads the tables of one moment: several processes, or none but this one."""

    def __init__(self, connection: Connection, readers: Sequence[_Reader]) -> None:
        self._connection = connection
        self._readers = readers
        self._shared: list[Table] = []

    @property
    def jobs(self) -> int:
        """How many processes read."""
        return max(1, len(self._readers))

    def start(self, tables: Iterable[Table]) -> None:
        """Let the others begin with tables that `lines` will be asked for, in this order."""
        self._shared = list(tables) if self._readers else []
        for reader in self._readers:
            reader.pipe.send(self._shared)

    def lines(self, table: Table, secrets: Secrets | None = None) -> Iterator[bytes]:
        """Do as `read_lines`, with the help of others for the tables that they have begun with."""
        if table not in self._shared:
            yield from read_lines(self._connection, table, secrets)
            return
        left, end_of_table = deque(self._readers), _END_OF_TABLE + table.name.encode()
        while left:
            reader = left.popleft()
            while (block := reader.take()).startswith(b"{"):
                yield block
            if block == _END_OF_PART:
                left.append(reader)
            elif block != end_of_table:
                raise AssertionError(f"{block!r} where rows of {table.name} were asked for")


@contextlib.contextmanager
def readers_of(
    path: Path, connection: Connection, wait_seconds: float, jobs: int | None = None
) -> Iterator[Readers]:
    """
    Yield readers of what `connection`, of `read_only`, sees from now on.

    That may be a later moment than before.

    Args:
        jobs: how many processes read; None: one a core when the database is large.
    """
    with contextlib.ExitStack() as stack:
        count = _usual_jobs(connection) if jobs is None else jobs
        wait_seconds = min(wait_seconds, _BEGIN_SECONDS)
        readers = _started(stack, path, wait_seconds, count) if count > 1 else []
        if not _see_one_moment(connection, readers):
            stack.close()
            readers = []
        yield Readers(connection, readers)


def _usual_jobs(connection: Connection) -> int:
    size, pages, encoding = (
        connection.execute(f"PRAGMA main.{name}").fetchone()[0]
        for name in ("page_size", "page_count", "encoding")
    )
    if size * pages < _WORTH_IT_BYTES or encoding != "UTF-8":
        return 1
    return min(_MOST_READERS, core_count())


def core_count() -> int:
    """Return how many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _started(
    stack: contextlib.ExitStack, path: Path, wait_seconds: float, count: int
) -> list[_Reader]:
    """Start readers that end with the stack; none where the system refuses to."""
    readers = []
    try:
        for number in range(count):
            reader = _Reader(path, wait_seconds, Share(number, count))
            stack.callback(reader.end)
            readers.append(reader)
    except OSError:
        return []
    return readers


def _see_one_moment(connection: Connection, readers: Sequence[_Reader]) -> bool:
    """
    Let all see the same moment; False when there were commits each time it was tried.

    Nobody committed between two looks at the database that found it the same, so a reader that
    began in between sees that too. No lock is taken that might hold up a writer.
    """
    moment = database.moment_of(connection)
    for _ in range(_MOST_TRIES):
        if not all(reader.is_ready() for reader in readers):
            return False
        if connection.execute("PRAGMA main.journal_mode").fetchone() != ("wal",):
            return True  # without a log, nobody can commit while `connection` reads
        now = database.see_now(connection)
        if now == moment:
            return True
        moment = now
        for reader in readers:
            reader.pipe.send(_AGAIN)
    return False


class _Reader:
    """Another process that reads, as it looks from here."""

    def __init__(self, path: Path, wait_seconds: float, share: Share) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, its_pipe = context.Pipe()
        memory = shared_memory(context)
        self._taker = Taker(self.pipe, memory)
        self._process = context.Process(
            target=_read, args=(its_pipe, memory, path, wait_seconds, share), daemon=True
        )
        with its_pipe, no_interrupts():
            self._process.start()

    def is_ready(self) -> bool:
        """Wait until it sees a moment; False when it cannot."""
        try:
            return self.pipe.recv_bytes() == _READY
        except (EOFError, OSError):
            return False

    def take(self) -> bytes:
        """Return some lines, or the word that tells what they were the last of."""
        try:
            block = self._taker.take()
        except (EOFError, OSError) as error:
            raise DatabaseError(
                "one of the processes that read the database was ended",
                hint="Nothing was left behind. Try again; --jobs 1 needs no other process.",
            ) from error
        if block.startswith(b"["):
            kind, message, hint = msgspec.json.decode(block)
            raise getattr(errors, kind)(message, hint=hint)
        return block

    def end(self) -> None:
        self.pipe.close()
        self._process.terminate()  # it only reads
        self._process.join()


@contextlib.contextmanager
def no_interrupts() -> Iterator[None]:
    """
    Start processes that Ctrl-C does not reach: whoever started them ends them.

    It is only held up here, not lost.
    """
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read(pipe: Pipe, memory: Any, path: Path, wait_seconds: float, share: Share) -> None:
    """Do what a reader does, in its own process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # nobody listens
        try:
            with database.read_only(path, wait_seconds) as connection:
                pipe.send_bytes(_READY)
                while (tables := pipe.recv()) == _AGAIN:
                    database.see_now(connection)
                    pipe.send_bytes(_READY)
                giver = Giver(pipe, memory)
                for table in tables:
                    for part in read_share(connection, table, share):
                        for lines in part:
                            giver.give(lines)
                        giver.say(_END_OF_PART)
                    giver.say(_END_OF_TABLE + table.name.encode())
        except HoldfastError as error:
            facts = (type(error).__name__, str(error), error.hint)
            pipe.send_bytes(msgspec.json.encode(facts))
