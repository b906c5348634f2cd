"""The room that an import needs on disk, and whether there is that much."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from holdfast import disks
from holdfast.database import Connection, quote_identifier
from holdfast.operations.import_job import ImportJob
from holdfast.operations.restore_points import restore_point_folder
from holdfast.staged import SCHEMA_NAME
from holdfast.works import WRITTEN


def space_shortage(job: ImportJob) -> str:
    """Say which disk has less room than the copy and the change need; "" for none."""
    for folder, needed in _needed_bytes(job).items():
        free = disks.free_bytes(folder)
        if free < needed:
            return (
                f"the disk of {folder} has {free:,} bytes free, and the import needs up to"
                f" {needed:,} for the copy of the database and the change"
            )
    return ""


def _needed_bytes(job: ImportJob) -> dict[Path, int]:
    """
    Estimate what an import takes: a copy of the database, and twice the rows that it writes.

    Returns: the bytes by folder; two folders on one disk are one.
    """
    kept = disks.existing_folder(restore_point_folder(job.context))
    changed = job.target.chosen.path.parent
    if disks.is_on_one_disk(kept, changed):
        kept = changed
    needed = Counter({changed: 2 * _written_bytes(job)})
    needed[kept] += _size(job.connection, "main") if has_rows(job) else 0
    return dict(needed)


def has_rows(job: ImportJob) -> bool:
    """Tell whether the database holds anything that an import could do harm to."""
    return any(
        job.connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM main.{quote_identifier(table.name)})"
        ).fetchone()[0]
        for table in job.target.schema.tables
    )


def _size(connection: Connection, schema: str) -> int:
    (pages,) = connection.execute(f"PRAGMA {schema}.page_count").fetchone()
    (page_size,) = connection.execute(f"PRAGMA {schema}.page_size").fetchone()
    return int(pages * page_size)


def _written_bytes(job: ImportJob) -> int:
    """Take the part of the staged rows that are to be written for that part of their bytes."""
    written = staged = 0
    for work in job.works:
        (count,) = job.connection.execute(
            f"SELECT count(*) FROM {work.name} WHERE {WRITTEN}"
        ).fetchone()
        written += count
        (count,) = job.connection.execute(f"SELECT count(*) FROM {work.table.quoted}").fetchone()
        staged += count
    return _size(job.connection, SCHEMA_NAME) * written // max(1, staged)
