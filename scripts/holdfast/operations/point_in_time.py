"""The backup that shows a database as it was at a moment: the latest of then or before."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from holdfast.errors import (
    BackupAmbiguous,
    BackupNotFound,
    EnvironmentNotReady,
    SettingsError,
    StoreFailed,
)
from holdfast.model import ChosenDatabase
from holdfast.operations.context import Context, name_of_database
from holdfast.operations.shelf import backups_on_file, is_of
from holdfast.operations.stored import AtHand, fetched_from
from holdfast.stores import Store, StoredBackup
from holdfast.times import moment, utc_text


class _Candidate(Struct, frozen=True):
    """One backup of the database, wherever it is."""

    created_at: datetime
    shown: str
    part: str  # which part of the database it holds; "": all
    path: Path | None  # None: it is in a store
    stored: tuple[Store, StoredBackup] | None


class Found(Struct, frozen=True):
    """The backup that was meant, and the stores that could not be asked for a later one."""

    backup: AtHand
    warnings: tuple[str, ...]


@contextlib.contextmanager
def at_moment(
    context: Context, at: datetime, database: ChosenDatabase, stores: Sequence[str] = ()
) -> Iterator[Found]:
    """
    Find the latest backup of a database that was made at a moment or before it.

    One of the whole database comes before one of a part. What is fetched from a store is gone
    after the block.

    Args:
        stores: look in these alone; none: in the output folder and all stores that can be reached.

    Raises: BackupNotFound, naming the earliest there is; BackupAmbiguous; StoreFailed for a
        store that was named; UsageError for one that is not set.
    """
    warnings: list[str] = []
    candidates = [] if stores else list(_on_file(context, database))
    for name in stores or context.settings.stores:
        try:
            candidates += _in_store(context, context.store(name), database)
        except (StoreFailed, SettingsError, EnvironmentNotReady) as error:
            if stores:
                raise
            warnings.append(f"{name} could not be asked, which may have a later backup: {error}")
    chosen = _latest(candidates, at, database)
    if chosen.path:
        yield Found(AtHand(chosen.path, chosen.path), tuple(warnings))
        return
    assert chosen.stored  # it is in the one or in the other
    with fetched_from(*chosen.stored) as backup:
        yield Found(backup, tuple(warnings))


def _on_file(context: Context, database: ChosenDatabase) -> Iterator[_Candidate]:
    for each in backups_on_file(context):
        created_at = moment(each.created_at)
        if created_at and is_of(context, each, database):
            yield _Candidate(created_at, each.path.name, each.part, each.path, None)


def _in_store(context: Context, store: Store, database: ChosenDatabase) -> Iterator[_Candidate]:
    name = name_of_database(context, database.path)
    found = [each for each in store.backups() if each.database == name]
    # Another machine may call another database by the same name.
    own = [each for each in found if each.owner == context.owner]
    owners = sorted({each.owner for each in found})
    if not own and len(owners) > 1:
        raise BackupAmbiguous(
            f"{store.name} has backups of {name} by {', '.join(owners)}, and none by this machine",
            hint=f"Name one of them: {store.name}:{found[0].name}",
        )
    parts = {each.name: each.part for each in context.known_copies() if each.store == store.name}
    for each in own or found:
        created_at = moment(each.created_at)
        if created_at:
            shown = f"{store.name}:{each.name}"
            yield _Candidate(created_at, shown, parts.get(each.name, ""), None, (store, each))


def _latest(candidates: Iterable[_Candidate], at: datetime, database: ChosenDatabase) -> _Candidate:
    # Of those made in one second, the one on this machine is quicker to read.
    in_order = sorted(candidates, key=lambda each: (each.created_at, each.path is not None))
    fitting = [each for each in in_order if each.created_at <= at]
    if fitting:
        return next((each for each in reversed(fitting) if not each.part), fitting[-1])
    what = f"no backup of {database.path} was made at {utc_text(at)} or before"
    if in_order:
        first = min(in_order, key=lambda each: (each.created_at, each.path is None))
        raise BackupNotFound(
            f"{what}; the earliest is of {utc_text(first.created_at)}: {first.shown}",
            hint="Name a later moment with --at, or that backup.",
        )
    raise BackupNotFound(
        f"{what}, nor any later", hint="Name its database with --db, or see status."
    )
