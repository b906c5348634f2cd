"""Build a database from a backup, where none is or in the place of one that is set aside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import database, files, programs
from holdfast.database import DEFAULT_WAIT_SECONDS
from holdfast.errors import (
    DatabaseError,
    DatabaseLocked,
    HoldfastError,
    RestoreRefused,
    WriteFailed,
)
from holdfast.formats import open_backup
from holdfast.model import ChosenDatabase, LeftOut, Trailer, part_of, redacted_names
from holdfast.operations.context import Context, choose_database
from holdfast.operations.point_in_time import at_moment
from holdfast.operations.restore_points import (
    free_restore_point,
    record_restore_point,
    remove_outdated,
)
from holdfast.operations.shelf import backups_on_file, database_of
from holdfast.operations.stored import AtHand, at_hand
from holdfast.outcomes import RestoreReport
from holdfast.rebuild import rebuild


class RestoreOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a restore."""

    # A path, a day, latest, or one of these in a store: STORE:WANTED. None: see `at`.
    backup: str | None = None
    target: Path  # absolute
    at: datetime | None = None  # the latest of then or before, of the database
    database: str | None = None  # whose backup it is; None: that of the target, if it has any
    sample: bool = False
    stores: tuple[str, ...] = ()  # look in these alone
    verify: bool = True  # compare what was built with the backup
    force: bool = False  # set aside what is at the target
    wait_seconds: float = DEFAULT_WAIT_SECONDS


def restore_backup(context: Context, options: RestoreOptions) -> RestoreReport:
    """
    Build the database of a backup at a path; it appears proven equal, or not at all.

    Without `verify` only the backup is proven, and what was built of it is taken as it is.

    With `force`, what is there is kept among the restore points, and refused while another
    program has it open; mode and owner of the file stay.

    Raises: BackupError and its kin; RestoreRefused; RestoreFailed; WriteFailed.
    """
    target = files.resolved(options.target)  # through a link, to the database itself
    _complain_of_target(context, target, force=options.force)
    with (
        _wanted(context, options) as (found, warnings),
        files.new_file(target.parent) as (_, partial),
    ):
        with open_backup(found.path, context.keys) as reader:
            reader.watch = context.watch("restoring", context.rows_of(found.path))
            rebuilt = rebuild(reader, partial, verify=options.verify)
        kept = _take_place(context, target, partial, options)
    header, trailer = rebuilt.contents.header, rebuilt.contents.trailer
    report = RestoreReport(
        backup=found.shown,
        # One in git tells no date itself: its commit does.
        backup_date=header.backup_date or (found.stored.created_at if found.stored else ""),
        database=target,
        bytes=target.stat().st_size,
        counts=trailer.counts,
        is_proven=rebuilt.contents.is_proven,
        verified=options.verify,
        broken_references=rebuilt.broken_references,
        set_aside=kept,
        part=part_of(header),
        redacted=redacted_names(header),
        left_out=header.left_out or LeftOut(),
        skipped_tables=header.skipped_tables if header.choice else (),
        warnings=(*warnings, *rebuilt.warnings),
    )
    return replace(report, warnings=(*report.warnings, *_remember(context, report, trailer)))


@contextlib.contextmanager
def _wanted(context: Context, options: RestoreOptions) -> Iterator[tuple[AtHand, tuple[str, ...]]]:
    """Find the backup that is meant, and what is to be said of the search."""
    meant = _meant(context, options)
    if options.at is None:
        assert options.backup is not None  # the one or the other is given
        with at_hand(context, options.backup, meant) as found:
            yield found, tuple(() if meant else _others(context, options.backup, found.path))
        return
    chosen = meant or choose_database(context)
    with at_moment(context, options.at, chosen, options.stores) as latest:
        yield latest.backup, latest.warnings


def _meant(context: Context, options: RestoreOptions) -> ChosenDatabase | None:
    """Return the database whose backup is meant: the one named, or else the one to be made."""
    if options.database is not None or options.sample:
        return choose_database(context, options.database, sample=options.sample)
    target = files.resolved(options.target)
    for name, each in context.settings.databases.items():
        if files.resolved(each.path) == target:
            return ChosenDatabase(target, f"{name} in backup.yaml")
    if any(known.database == files.text_of(target) for known in context.known_backups()):
        return ChosenDatabase(target, "there are backups of it")
    return None


def _others(context: Context, wanted: str, found: Path) -> Iterator[str]:
    """Say of which database the latest backup is, where it might be that of another."""
    names = context.settings.databases
    if wanted == "latest" and len(names) > 1:
        (path,) = (
            database_of(context, each) for each in backups_on_file(context) if each.path == found
        )
        yield (
            f"the latest backup is of {path or 'a database that is not on record'};"
            f" --db NAME takes the latest of another: {', '.join(names)}."
        )


def _complain_of_target(context: Context, target: Path, *, force: bool) -> None:
    database.complain_of_name(target)
    if target.is_relative_to(context.output.resolve()):
        raise RestoreRefused(
            f"{target} lies among the backups", hint="Restore to a path outside that folder."
        )
    if not target.exists():
        return
    if not target.is_file():
        raise RestoreRefused(f"{target} is no file", hint="Restore to another path with --to.")
    if not force:
        raise _already_there(target)
    _complain_of_holders(target)


def _already_there(target: Path) -> RestoreRefused:
    return RestoreRefused(
        f"{target} is already there",
        hint="Restore to another path with --to, or use --force: the old file is then kept.",
    )


def _complain_of_holders(target: Path) -> None:
    holders = programs.holders([target, *database.sidecars(target)])
    if holders:
        raise RestoreRefused(
            f"{target} is open in {', '.join(holders)}",
            hint="Close that program, then restore again: it would go on with the old file.",
        )


def _take_place(
    context: Context, target: Path, partial: Path, options: RestoreOptions
) -> Path | None:
    """
    Give the new database its name, and leave nothing beside it that SQLite would take for its log.

    A sound database is copied and kept from all others until the new one stands in its place;
    what cannot be copied is moved as it is.

    Returns: where what was there is now; None when there was nothing.
    """
    kept = free_restore_point(context, target)
    if target.exists() and options.force:
        try:
            with database.exclusive(target, options.wait_seconds) as live:
                _complain_of_holders(target)
                database.copy_aside(live, target, kept)
                record_restore_point(context, target, kept, "restore")
                files.take_over(partial, target)
            remove_outdated(context, target)
            return kept
        except DatabaseLocked as error:
            raise RestoreRefused(
                f"{target} is in use: {error}", hint="Close the program that has it open."
            ) from error
        except DatabaseError:
            database.move_with_sidecars(target, kept)
    elif any(path.exists() for path in database.sidecars(target)) and not target.exists():
        database.move_with_sidecars(target, kept)
    is_kept = kept.exists() or any(path.exists() for path in database.sidecars(kept))
    try:
        files.publish(partial, [target])
    except WriteFailed as error:
        if target.exists():
            raise _already_there(target) from error
        raise
    return kept if is_kept else None


def _remember(context: Context, report: RestoreReport, trailer: Trailer) -> Iterator[str]:
    try:
        context.history.record_event(
            at=context.timestamp,
            operation="restore",
            outcome="done",
            database_path=report.database,
            backup=report.backup,
            details={
                "by": context.actor,
                "set_aside": files.text_of(report.set_aside),
                "digests": trailer.digests,
            },
        )
    except HoldfastError as error:
        yield f"the database is restored, but that could not be recorded: {error}"
