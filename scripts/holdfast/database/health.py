"""Facts of a database that tell whether it is well, read without changing it."""

from __future__ import annotations

import threading
from pathlib import Path

from msgspec import Struct

from holdfast.database.connections import read_only
from holdfast.database.library import OperationalError, is_interrupted, translated_errors


class Health(Struct, frozen=True):
    """What SQLite says of a database."""

    journal_mode: str  # wal, delete, ...
    page_bytes: int
    page_count: int
    free_page_count: int
    problem: str  # the first thing that the quick check finds; "" for nothing
    was_checked: bool  # False: the quick check took longer than it may


def health_of(path: Path, wait_seconds: float, check_seconds: float) -> Health:
    """
    Look at a database, and check it for so long at most.

    Raises: as `read_only`.
    """
    with read_only(path, wait_seconds) as connection:
        mode, page_bytes, page_count, free_count = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "page_size", "page_count", "freelist_count")
        )
        timer = threading.Timer(check_seconds, connection.interrupt)
        timer.start()
        found, was_checked = "ok", True
        try:
            with translated_errors(path):
                try:
                    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                except OperationalError as error:
                    if not is_interrupted(error):
                        raise
                    was_checked = False
        finally:
            timer.cancel()
            timer.join()
    problem = "" if found == "ok" else str(found)
    return Health(mode, page_bytes, page_count, free_count, problem, was_checked)
