"""Work that only one process may do at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from holdfast import files
from holdfast.errors import AlreadyRunning


@contextlib.contextmanager
def alone(path: Path, work: str) -> Iterator[None]:
    """
    Hold a lock for the block; the system itself frees that of a process that was killed.

    Args:
        path: the lock file, which may be there already, and stays.
        work: what is done meanwhile, for the message.

    Raises: AlreadyRunning when another process holds it.
    """
    from filelock import FileLock, Timeout

    files.make_folder(path.parent)
    lock = FileLock(path, timeout=0, mode=0o600)
    with files.translated_errors(path):
        try:
            lock.acquire()
        except Timeout as error:  # which is an OSError, too
            raise AlreadyRunning(
                f"another process is at it: {work}", hint="Wait until it has ended."
            ) from error
    try:
        yield
    finally:
        lock.release()
