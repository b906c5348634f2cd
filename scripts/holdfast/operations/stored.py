"""Backups in stores, named as STORE:WANTED: found, and fetched for as long as they are read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from holdfast import files
from holdfast.errors import BackupAmbiguous, BackupNotFound, HoldfastError
from holdfast.model import ChosenDatabase
from holdfast.operations.context import Context, name_of_database
from holdfast.operations.shelf import find_backup
from holdfast.stores import Store, StoredBackup
from holdfast.times import moment

LATEST = "latest"
ALL = "all"


class AtHand(Struct, frozen=True):
    """A backup that can be read, and what it is called to people."""

    path: Path
    shown: Path  # the same, or STORE:NAME of one that was fetched
    stored: StoredBackup | None = None  # None: it lies on this machine anyway


@contextlib.contextmanager
def at_hand(
    context: Context, wanted: str, database: ChosenDatabase | None = None
) -> Iterator[AtHand]:
    """
    Find the backup that is meant, as `find_backup` does, or in a store where one is named.

    What is fetched from a store is gone after the block.

    Raises: BackupNotFound; BackupAmbiguous; StoreFailed; as `Store.fetch`.
    """
    with fetched(context, wanted, database) as found:
        if found:
            yield found
        else:
            path = find_backup(context, wanted, database)
            yield AtHand(path, path)


@contextlib.contextmanager
def fetched(
    context: Context, wanted: str, database: ChosenDatabase | None = None
) -> Iterator[AtHand | None]:
    """Fetch what STORE:WANTED names, as `at_hand`; yield None for words that name no store."""
    words = named_in_store(context, wanted)
    if words is None:
        yield None
        return
    store = context.store(words[0])
    stored = find_stored(context, store, words[1], database)
    with fetched_from(store, stored) as found:
        yield found


@contextlib.contextmanager
def fetched_from(store: Store, stored: StoredBackup) -> Iterator[AtHand]:
    """Fetch one backup of a store for as long as the block lasts; raises as `Store.fetch`."""
    shown = Path(f"{store.name}:{stored.name}")
    with files.scratch_folder() as folder:
        path = folder / _file_name(stored)
        try:
            path = store.fetch(stored, folder)
            yield AtHand(path, shown, stored)
        except HoldfastError as error:
            # Where it lay for a moment tells nobody anything.
            error.args = (in_words(str(error), path, shown), *error.args[1:])
            error.hint = in_words(error.hint, path, shown)
            raise


def in_words(text: str, path: Path, shown: Path) -> str:
    """Put what a backup is called to people in the place of the path that it was fetched to."""
    return text.replace(str(path), shown.as_posix())


def named_in_store(context: Context, wanted: str) -> tuple[str, str] | None:
    """Split STORE:WANTED; None for words that name no store, or a file that is there."""
    name, colon, rest = wanted.partition(":")
    if not colon or name not in context.settings.stores or files.user_path(wanted).exists():
        return None
    return name, rest


def find_stored(
    context: Context, store: Store, wanted: str, database: ChosenDatabase | None = None
) -> StoredBackup:
    """
    Find the backup in a store that is meant by its name, a day, a moment or `latest`.

    The name of a database may stand before the day, or alone for the latest of it. What this
    machine put there comes before what others did.

    Args:
        database: whose backup is meant, where the store has any of it.

    Raises: BackupNotFound; BackupAmbiguous, naming those that fit; StoreFailed.
    """
    found = list(store.backups())
    fitting = [each for each in found if each.name == wanted or _file_name(each) == wanted]
    if not fitting:
        name = name_of_database(context, database.path) if database else ""
        of_it = [each for each in found if each.database == name] or found
        fitting = [each for each in of_it if _fits(each, wanted)]
        own = [each for each in fitting if each.owner == context.owner]
        fitting = own or fitting
    parts = {each.name: each.part for each in context.known_copies() if each.store == store.name}
    fitting = (
        list(_newest_of_each(context, fitting, parts))
        if _names_no_time(wanted, fitting)
        else fitting
    )
    if not fitting:
        raise BackupNotFound(
            f"no backup {wanted!r} in {store.name} ({store.location})",
            hint=_newest_named(store, found),
        )
    if len(fitting) > 1:
        names = ", ".join(sorted(f"{store.name}:{each.name}" for each in fitting))
        raise BackupAmbiguous(
            f"{store.name}:{wanted} could be any of {names}",
            hint="Give the whole name of the one you mean.",
        )
    return fitting[0]


def _newest_named(store: Store, found: Iterable[StoredBackup]) -> str:
    newest = sorted(found, key=lambda each: each.created_at, reverse=True)[:3]
    names = ", ".join(f"{store.name}:{each.name}" for each in newest)
    return f"The newest there: {names}." if names else "It holds none: put one there with sync."


def _file_name(backup: StoredBackup) -> str:
    return PurePosixPath(backup.name).name


def _fits(backup: StoredBackup, wanted: str) -> bool:
    day = backup.created_at[:10]
    moment = re.sub(":", "", backup.created_at)
    return wanted in {
        *("", LATEST, backup.database, f"{backup.database}-{LATEST}"),
        *(day, moment, backup.created_at),
        *(f"{backup.database}-{day}", f"{backup.database}-{moment}"),
    }


def _names_no_time(wanted: str, fitting: Iterable[StoredBackup]) -> bool:
    databases = {each.database for each in fitting}
    return wanted in {"", LATEST, *databases, *(f"{each}-{LATEST}" for each in databases)}


def _newest_of_each(
    context: Context, backups: Iterable[StoredBackup], parts: Mapping[str, str]
) -> Iterator[StoredBackup]:
    """Yield the newest of each machine and database; a part, or one dated ahead, if need be."""

    def worth(each: StoredBackup) -> tuple[bool, bool, str, str]:
        is_whole, made = not parts.get(each.name), moment(each.created_at)
        return is_whole, not context.is_ahead(made), each.created_at, each.name

    newest: dict[tuple[str, str], StoredBackup] = {}
    for each in sorted(backups, key=worth):
        newest[each.owner, each.database] = each
    yield from newest.values()
