"""Puts backups into the stores of backup.yaml, and says what became of each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from holdfast import files
from holdfast.copies import StoredCopy
from holdfast.errors import EnvironmentNotReady, HoldfastError, StoreFailed, UsageError
from holdfast.known import KnownCopy
from holdfast.operations.context import Context
from holdfast.operations.secrecy import complain_of_plain_secrets
from holdfast.stores import Store, StoredBackup

ALL = "all"


def choose_stores(context: Context, names: Sequence[str]) -> tuple[Store, ...]:
    """
    Return the stores that are named, each once; `all` are those of backup.yaml.

    One that cannot be opened here and now fails when it is asked, and hinders nothing before.

    Raises: UsageError for one that is not there, or none at all; SettingsError.
    """
    configured = tuple(context.settings.stores)
    if ALL in names and not configured:
        raise UsageError("there is no store in backup.yaml", hint=context.store_hint)
    wanted = [each for name in names for each in (configured if name == ALL else (name,))]
    return tuple(_opened(context, name) for name in dict.fromkeys(wanted))


def _opened(context: Context, name: str) -> Store:
    try:
        return context.store(name)
    except (StoreFailed, EnvironmentNotReady) as error:
        return _Unopened(name, error)


class _Unopened:
    """A store that cannot be opened, as when a log-in has expired: it fails when it is asked."""

    is_off_site = False  # nothing gets there
    encrypts = False

    def __init__(self, name: str, error: HoldfastError) -> None:
        self.name = self.location = name
        self._error = error

    def backups(self) -> Iterator[StoredBackup]:
        raise self._error

    def put(self, backup: Path, database: str, created_at: str) -> StoredBackup:  # noqa: ARG002
        raise self._error

    def fetch(self, backup: StoredBackup, folder: Path) -> Path:  # noqa: ARG002
        raise self._error

    def delete(self, backups: Sequence[StoredBackup]) -> None:  # noqa: ARG002
        raise self._error


def usual_format(context: Context, names: Sequence[str]) -> str:
    """Return how a backup is written when nobody says: in pages where one of the stores is."""
    settings = context.settings.stores
    wanted = settings if ALL in names else names
    in_pages = any(settings[name].layout == "pages" for name in wanted if name in settings)
    return "sqlite" if in_pages else "json"


def keep(
    context: Context, backup: Path, database: str, created_at: str, stores: Iterable[Store]
) -> tuple[StoredCopy, ...]:
    """
    Put one backup into stores; what fails with one is in its record, and the others get theirs.

    Args:
        database: its short name.
        created_at: when the backup was made, UTC, ISO 8601.
    """
    return tuple(_keep(context, backup, database, created_at, store) for store in stores)


def _keep(
    context: Context, backup: Path, database: str, created_at: str, store: Store
) -> StoredCopy:
    try:
        complain_of_plain_secrets(context, store, backup)
        stored = store.put(backup, database, created_at)
    except HoldfastError as error:
        note_visit(context, store, error)
        return StoredCopy(
            store.name, backup, problem=str(error), hint=error.hint, exit_code=error.exit_code
        )
    _note_copy(context, store, stored, backup)
    return StoredCopy(store.name, backup, stored.name, stored.bytes)


def note_visit(context: Context, store: Store, error: HoldfastError | None = None) -> None:
    """Remember that a store did what it was asked; or that it failed, if that is its fault."""
    if error is None or isinstance(error, StoreFailed):
        # The copy is what counts; a history that cannot be written is complained of elsewhere.
        with contextlib.suppress(HoldfastError):
            context.history.record_visit(store.name, context.timestamp, str(error or ""))


def _note_copy(context: Context, store: Store, stored: StoredBackup, backup: Path) -> None:
    path = files.text_of(backup)
    known = {each.path: each for each in context.known_backups()}.get(path)
    is_still = known is not None and known.is_still(backup)
    note_visit(context, store)
    with contextlib.suppress(HoldfastError):
        context.history.record_copy(
            KnownCopy(
                store=store.name,
                name=stored.name,
                backup=path,
                bytes=stored.bytes,
                stored_at=context.timestamp,
                # What was read back is the file that this was proven of.
                verified=known.verified if known and is_still else "",
                verified_at=known.verified_at if known and is_still else "",
                part=known.part if known else "",
            )
        )
