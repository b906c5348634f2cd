"""What is noted of an export: in the history, in the tool's own table, and as a warning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import asdict

from holdfast import database, files
from holdfast.errors import HoldfastError
from holdfast.excerpts import ALL
from holdfast.known import KnownBackup
from holdfast.model import ChosenDatabase, Header, Schema, Trailer, part_of
from holdfast.operations.context import Context
from holdfast.operations.losses import LOST, Losses
from holdfast.profiles import Profile


def losses(
    context: Context, chosen: ChosenDatabase, header: Header, trailer: Trailer
) -> Losses | None:
    """Compare with the last backup of the same part of the same database: what is gone?"""
    same = (files.text_of(chosen.path), part_of(header))
    of_it = (each for each in context.known_backups() if (each.database, each.part) == same)
    last = next(of_it, None)
    if last is None:
        return None
    # A table that is left out has lost nothing.
    left_out = {skipped.table for skipped in header.skipped_tables}
    before = {name: count for name, count in last.counts.items() if name not in left_out}
    emptied = [name for name, count in before.items() if count and not trailer.counts.get(name)]
    has, had = sum(trailer.counts.values()), sum(before.values())
    if emptied or has * 2 < had:
        return Losses(last.created_at, last.path, tuple(emptied), had, has)
    return None


def remember(
    context: Context,
    chosen: ChosenDatabase,
    path: Path,
    header: Header,
    trailer: Trailer,
    *,
    verified: str,
    lost: Losses | None,
) -> Iterator[str]:
    """
    Put the backup on record; yield a warning when that fails.

    Args:
        verified: the highest rung that was proven; "" for none.
        lost: what it lacks that the last one had.
    """
    known = KnownBackup(
        path=files.text_of(path),
        database=files.text_of(chosen.path),
        created_at=context.timestamp,
        bytes=0,
        modified_ns=0,
        row_count=sum(trailer.counts.values()),
        counts=trailer.counts,
        verified=verified,
        verified_at=context.timestamp if verified else "",
        part=part_of(header),
    ).as_it_is(path)
    try:
        context.history.record_backup(known)
        context.history.record_event(
            at=context.timestamp,
            operation="export",
            outcome="done",
            database_path=chosen.path,
            backup=path,
            details={
                "counts": trailer.counts,
                "digests": trailer.digests,
                "by": context.actor,
                "rows": known.row_count,
                "part": known.part,
                "redacted": bool(header.redacted),
                "verified": verified,
                **({LOST: asdict(lost)} if lost else {}),
            },
        )
    except HoldfastError as error:
        yield f"the backup was made, but could not be recorded: {error}"


def stamp(
    context: Context,
    chosen: ChosenDatabase,
    profile: Profile | None,
    schema: Schema,
    wait_seconds: float,
) -> Iterator[str]:
    """Write the time of the backup where the tool itself looks for it."""
    if profile is None or profile.meta is None:
        return
    meta = profile.meta
    table = schema.table(meta.table)
    columns = table.column_names if table else ()
    fires = any(each.type == "trigger" and each.table == meta.table for each in schema.entries)
    if fires or not {meta.key_column, meta.value_column} <= set(columns):
        yield f"the time of the backup was not noted in {meta.table}, which is not as expected."
        return
    row = {meta.key_column: meta.key, meta.value_column: f"{context.now:%Y-%m-%d %H:%M:%S}"}
    try:
        with database.for_change(chosen.path, wait_seconds) as connection:
            database.upsert_row(connection, meta.table, row, key=meta.key_column)
            database.commit(connection)
    except HoldfastError as error:
        yield f"the backup was made, but its time could not be noted in {meta.table}: {error}"


def expected_tables(profile: Profile | None, header: Header) -> tuple[str, ...]:
    """Name the tables that a profile expects, and those of the groups that were asked for."""
    if profile is None:
        return ()
    is_all = header.choice is not None and ALL in header.choice.groups
    asked = [profile.groups[name] for name in (profile.groups if is_all else header.groups)]
    grouped = (table for group in asked for table in group.tables)
    return tuple(dict.fromkeys((*profile.tables, *grouped)))
