"""Puts backups into the stores of backup.yaml, and says what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from holdfast.errors import HoldfastError, UsageError
from holdfast.operations.context import Context
from holdfast.outcomes import StoredCopy
from holdfast.stores import Store

ALL = "all"


def choose_stores(context: Context, names: Sequence[str]) -> tuple[Store, ...]:
    """
    Return the stores that are named, each once; `all` are those of backup.yaml.

    Raises: UsageError for one that is not there, or none at all; SettingsError.
    """
    configured = tuple(context.settings.stores)
    if ALL in names and not configured:
        raise UsageError("there is no store in backup.yaml", hint="See docs/settings.md.")
    wanted = [each for name in names for each in (configured if name == ALL else (name,))]
    return tuple(context.store(name) for name in dict.fromkeys(wanted))


def keep(
    backup: Path, database: str, created_at: str, stores: Iterable[Store]
) -> tuple[StoredCopy, ...]:
    """
    Put one backup into stores; what fails with one is in its record, and the others get theirs.

    Args:
        database: its short name.
        created_at: when the backup was made, UTC, ISO 8601.
    """
    return tuple(_keep(backup, database, created_at, store) for store in stores)


def _keep(backup: Path, database: str, created_at: str, store: Store) -> StoredCopy:
    try:
        stored = store.put(backup, database, created_at)
    except HoldfastError as error:
        return StoredCopy(
            store.name, backup, problem=str(error), hint=error.hint, exit_code=error.exit_code
        )
    return StoredCopy(store.name, backup, stored.name, stored.bytes)
