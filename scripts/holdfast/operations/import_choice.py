"""Which backup an import takes, and which database its rows go into."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from holdfast import files
from holdfast.errors import DatabaseError, DatabaseNotFound, UsageError
from holdfast.model import ChosenDatabase
from holdfast.operations.context import Context, choose_database
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.import_source import beads_path
from holdfast.operations.shelf import label_of
from holdfast.operations.stored import LATEST, AtHand, at_hand


@contextlib.contextmanager
def chosen_for(context: Context, options: ImportOptions) -> Iterator[tuple[AtHand, ChosenDatabase]]:
    """
    Find the backup, and the database: the one that is named, or that the backup was made of.

    The latest is the latest of the first database. Where nothing tells, it is the usual one, but
    never one of several in backup.yaml. What comes out of a store is gone after the block.

    Raises: UsageError when rows could go into any of several databases; as `at_hand`.
    """
    named = options.database is not None or options.sample
    is_of_several = not named and len(context.settings.databases) > 1
    if options.source:
        if is_of_several:
            raise _could_be_any(context, f"issues of {options.source}")
        chosen = choose_database(context, options.database, sample=options.sample)
        path = beads_path(context, options.backup)
        yield AtHand(path, path), chosen
        return
    usual = choose_database(context, options.database, sample=options.sample) if named else None
    if is_of_several and is_latest(options):
        usual = choose_database(context)
    elif not named and options.backup == LATEST:
        with contextlib.suppress(DatabaseError):
            usual = choose_database(context)
    with at_hand(context, options.backup, usual) as found:
        if named and usual:
            yield found, usual
        elif origin := _origin(context, found, must_be_there=not is_of_several):
            yield found, origin
        elif is_of_several:
            raise _could_be_any(context, found.shown.name)
        else:
            yield found, usual or _usual_or_lost(context, found)


def is_latest(options: ImportOptions) -> bool:
    """Tell whether it is left open which backup is meant: the latest, perhaps of a store."""
    return options.backup.rpartition(":")[2] == LATEST


def _origin(context: Context, found: AtHand, *, must_be_there: bool) -> ChosenDatabase | None:
    """Return the database that a backup was made of, as far as it is known."""
    if found.stored:
        named = context.settings.databases.get(found.stored.database)
        return choose_database(context, found.stored.database) if named else None
    for known in context.known_backups():
        if known.path == files.text_of(found.path) and known.database:
            if must_be_there and not Path(known.database).is_file():
                return None
            return ChosenDatabase(Path(known.database), "the backup was made of it")
    name = label_of(found.path)
    return choose_database(context, name) if name in context.settings.databases else None


def _usual_or_lost(context: Context, found: AtHand) -> ChosenDatabase:
    """Return the usual database; where there is none, that of the backup, which is gone."""
    try:
        return choose_database(context)
    except DatabaseNotFound:
        if lost := _origin(context, found, must_be_there=False):
            return lost
        raise


def _could_be_any(context: Context, what: str) -> UsageError:
    names = ", ".join(context.settings.databases)
    return UsageError(
        f"{what} could go into any of {names}", hint="Name the database that is meant: --db NAME."
    )
