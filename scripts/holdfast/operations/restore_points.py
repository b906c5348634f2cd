"""Restore points: page copies of a database, taken before it is changed, and how long they stay."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from holdfast import database, files
from holdfast.errors import HoldfastError
from holdfast.model import RestorePoint
from holdfast.operations.context import Context
from holdfast.times import moment

KEPT_COUNT = 10
KEPT_FOR = timedelta(days=7)


def take_restore_point(context: Context, source: Path, reason: str, wait_seconds: float) -> Path:
    """
    Copy a database page by page beside the backups, and check the copy.

    Older restore points of the database go, once they are neither among the last ten nor of the
    last seven days.
    """
    path = free_restore_point(context, source)
    database.copy_database(source, path, wait_seconds)
    record_restore_point(context, source, path, reason)
    remove_outdated(context, source)
    return path


def record_restore_point(context: Context, source: Path, path: Path, reason: str) -> None:
    """Record a restore point; before the change, so that it is found whatever ends that."""
    # The copy is there, which is what counts; that the history fails is said by others.
    with contextlib.suppress(HoldfastError):
        context.history.record_restore_point(RestorePoint(path, source, context.timestamp, reason))


def remove_outdated(context: Context, source: Path) -> None:
    """Let go of the restore points of a database whose time is over."""
    with contextlib.suppress(HoldfastError):
        for point in outdated(context.history.restore_points(source), context.now):
            files.remove(point.path)


def outdated(points: Sequence[RestorePoint], now: datetime) -> list[RestorePoint]:
    """
    Choose the restore points that need not be kept.

    Args: points: of one database, the newest first.
    """
    return [
        point
        for point in points[KEPT_COUNT:]
        if (taken := moment(point.taken_at)) is not None and now - taken > KEPT_FOR
    ]


def restore_point_folder(context: Context) -> Path:
    """Return the folder of all restore points; it need not be there."""
    return context.output / "restore-points"


def free_restore_point(context: Context, source: Path) -> Path:
    """Name a restore point of a database that does not exist yet: with the time, or a number."""
    folder = restore_point_folder(context)
    name = f"{source.stem}-{context.now:%Y-%m-%dT%H%M%SZ}"
    taken = {path.name for path in folder.glob("*")}
    numbered = (f"{name}-{number}.db" for number in range(2, len(taken) + 3))
    return folder / next(each for each in (f"{name}.db", *numbered) if each not in taken)
