"""Brings stores level: each gets the backups of the output folder that it does not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from holdfast import files
from holdfast.copies import PassedBackup, StoredCopy, SyncedStore, SyncReport
from holdfast.encryption import complain_of_keys
from holdfast.errors import HoldfastError
from holdfast.formats.encrypted import is_closed
from holdfast.model import DAMAGED, Rung, is_above
from holdfast.operations.context import Context, name_of_database
from holdfast.operations.keeping import ALL, choose_stores, keep, note_visit
from holdfast.operations.prune_places import StorePlace, kind_of
from holdfast.operations.secrecy import complain_of_plain_secrets
from holdfast.operations.shelf import backups_on_file
from holdfast.outcomes import BackupOnFile
from holdfast.retention import Candidate, Fate, plan_retention
from holdfast.stores import Store, StoredBackup
from holdfast.times import moment


class SyncOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a sync."""

    stores: tuple[str, ...] = ()  # of backup.yaml; none: all of them
    dry_run: bool = False  # only say what would be put


class _Local(Struct, frozen=True):
    """A backup of the output folder that stores should have."""

    path: Path
    database: str  # its short name
    created_at: str
    bytes: int
    candidate: Candidate  # for the rules of what is kept


def sync_stores(context: Context, options: SyncOptions) -> SyncReport:
    """
    Put every backup of the output folder into the stores that do not have it, the oldest first.

    Nothing is deleted anywhere, and what is there is not read again. What fails with one store is
    in its record, and the others get theirs; a store that cannot be listed is not tried further.

    Raises: UsageError when there is no such store, or none; SettingsError.
    """
    stores = choose_stores(context, options.stores or (ALL,))
    wanted: list[_Local] = []
    passed: list[PassedBackup] = []
    for each in reversed(backups_on_file(context)):
        found = _local(context, each)
        if isinstance(found, _Local):
            wanted.append(found)
        else:
            passed.append(PassedBackup(each.path, found))
    synced = tuple(_sync(context, store, wanted, options) for store in stores)
    return SyncReport(synced, tuple(passed), options.dry_run)


def _local(context: Context, backup: BackupOnFile) -> _Local | str:
    """Say what a backup is called in stores, or why it goes into none."""
    if backup.verified == DAMAGED:
        return "it is damaged"
    if not backup.created_at:
        return "it does not say when it was made"
    if not backup.database:
        return "it is not on record here of which database it is"
    name = name_of_database(context, Path(backup.database))
    candidate = Candidate(
        name=str(backup.path),
        made_at=moment(backup.created_at),
        database=name,
        kind=kind_of(backup.part, is_redacted=False),
        owner=context.owner,
        is_verified=is_above(backup.verified, Rung.HASH),
        row_count=backup.row_count,
    )
    return _Local(backup.path, name, backup.created_at, backup.bytes, candidate)


def _sync(
    context: Context, store: Store, wanted: Sequence[_Local], options: SyncOptions
) -> SyncedStore:
    try:
        there = [each for each in store.backups() if each.owner == context.owner]
    except HoldfastError as error:
        note_visit(context, store, error)
        return SyncedStore(
            store.name,
            store.location,
            problem=str(error),
            hint=error.hint,
            exit_code=error.exit_code,
        )
    is_git = context.settings.stores[store.name].is_git
    if is_git:  # it only goes forward in time
        newest: dict[str, str] = {}
        for commit in there:
            newest[commit.database] = max(commit.created_at, newest.get(commit.database, ""))
        wanted = [each for each in wanted if each.created_at > newest.get(each.database, "")]
    lacking = list(_missing(context, store, wanted, there))
    missing = lacking if is_git else _that_would_stay(context, store, lacking)
    copies: list[StoredCopy] = []
    for each in missing:
        if options.dry_run:
            copies.append(_rehearsed(context, store, each))
        else:
            copies += keep(context, each.path, each.database, each.created_at, [store])
    count = len(there) if is_git else len(wanted) - len(lacking)
    return SyncedStore(store.name, store.location, count, tuple(copies))


def _rehearsed(context: Context, store: Store, backup: _Local) -> StoredCopy:
    """Say of a backup that it would be put, or what can be told beforehand to keep it out."""
    try:
        complain_of_plain_secrets(context, store, backup.path)
        if store.encrypts and not is_closed(backup.path):
            complain_of_keys(context.keys)
    except HoldfastError as error:
        return StoredCopy(
            store.name, backup.path, problem=str(error), hint=error.hint, exit_code=error.exit_code
        )
    return StoredCopy(store.name, backup.path, bytes=backup.bytes)


def _that_would_stay(context: Context, store: Store, missing: list[_Local]) -> list[_Local]:
    """Leave out what the next prune of a store would remove again."""
    place = StorePlace(context, store)
    candidates = [each.candidate for each in place.backups()]
    candidates += [each.candidate for each in missing]
    rules = {each.database: place.rules(each.database) for each in candidates}
    decisions = plan_retention(candidates, rules, now=context.now, owner=context.owner)
    goes = {each.backup.name for each in decisions if each.fate is Fate.REMOVED}
    return [each for each in missing if each.candidate.name not in goes]


def _missing(
    context: Context, store: Store, wanted: Sequence[_Local], there: Iterable[StoredBackup]
) -> Iterator[_Local]:
    """Yield the backups that a store lacks: those that no name in it stands for."""
    names = {each.name: each for each in there}
    known = {
        each.backup: each.name
        for each in context.known_copies()
        if each.store == store.name and each.name in names
    }
    # What was put while the history was another, or could not be written, is told by its name.
    claimed = {known[path] for each in wanted if (path := files.text_of(each.path)) in known}
    unclaimed = Counter(
        (each.database, each.created_at) for name, each in names.items() if name not in claimed
    )
    for each in wanted:
        if files.text_of(each.path) in known:
            continue
        key = (each.database, each.created_at)
        if unclaimed[key]:
            unclaimed[key] -= 1
        else:
            yield each
