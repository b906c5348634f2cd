"""
Tables read by several processes at once, all of which see one moment of the database.

Each reader takes every nth part of a table and hands its lines over; whoever asks for the table
gets them in order.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast import database, errors, files
from holdfast.database import Connection
from holdfast.digest import read_lines
from holdfast.errors import DatabaseError, HoldfastError
from holdfast.handover import Giver, Taker
from holdfast.helpers import Helper, core_count
from holdfast.model import Table
from holdfast.parts import Share, read_share
from holdfast.redaction import Secrets

if TYPE_CHECKING:
    from holdfast.helpers import Pipe

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
def helpers_to_read(path: Path, jobs: int | None = None) -> Iterator[Sequence[Helper]]:
    """
    Yield other processes for `readers_of`, before the database at `path` is opened here.

    Args:
        jobs: how many processes read; None: one a core when the database is large.
    """
    with contextlib.ExitStack() as stack:
        yield _helpers(stack, _usual_jobs(path) if jobs is None else jobs)


def _helpers(stack: contextlib.ExitStack, count: int) -> Sequence[Helper]:
    """Start helpers that end with the stack; none where the system refuses to."""
    helpers: list[Helper] = []
    with contextlib.suppress(OSError):
        while 1 < count != len(helpers):
            helpers.append(Helper())
            stack.callback(helpers[-1].end)
        return helpers
    return ()


def _usual_jobs(path: Path) -> int:
    size = 0
    for each in (path, Path(f"{path}-wal")):
        with contextlib.suppress(OSError):  # what is wrong is said when it is opened
            size += files.size_of(each)
    return min(_MOST_READERS, core_count()) if size >= _WORTH_IT_BYTES else 1


def readers_of(
    path: Path, connection: Connection, wait_seconds: float, helpers: Sequence[Helper]
) -> Readers:
    """
    Return readers of what `connection`, of `read_only`, sees from now on.

    That may be a later moment than before.

    Args:
        helpers: of `helpers_to_read`, for nothing else any more.
    """
    if connection.execute("PRAGMA main.encoding").fetchone() != ("UTF-8",):
        helpers = ()
    for number, helper in enumerate(helpers):
        wait = min(wait_seconds, _BEGIN_SECONDS)
        helper.begin(_read, path, wait, Share(number, len(helpers)))
    if not _see_one_moment(connection, helpers):
        for helper in helpers:
            helper.end()
        helpers = ()
    return Readers(connection, list(map(_Reader, helpers)))


def _see_one_moment(connection: Connection, helpers: Sequence[Helper]) -> bool:
    """
    Let all see the same moment; False when there were commits each time it was tried.

    Nobody committed between two looks at the database that found it the same, so a reader that
    began in between sees that too. No lock is taken that might hold up a writer.
    """
    moment = database.moment_of(connection)
    for _ in range(_MOST_TRIES):
        if not all(map(_is_ready, helpers)):
            return False
        if connection.execute("PRAGMA main.journal_mode").fetchone() != ("wal",):
            return True  # without a log, nobody can commit while `connection` reads
        now = database.see_now(connection)
        if now == moment:
            return True
        moment = now
        for helper in helpers:
            helper.pipe.send(_AGAIN)
    return False


def _is_ready(helper: Helper) -> bool:
    """Wait until it sees a moment; False when it cannot."""
    try:
        return bool(helper.pipe.recv_bytes() == _READY)
    except (EOFError, OSError):
        return False


class _Reader:
    """A helper that reads."""

    def __init__(self, helper: Helper) -> None:
        self.pipe = helper.pipe
        self._taker = Taker(helper.pipe, helper.memory)

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


def _read(pipe: Pipe, memory: Any, path: Path, wait_seconds: float, share: Share) -> None:
    """Do what a reader does, in its own process."""
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
