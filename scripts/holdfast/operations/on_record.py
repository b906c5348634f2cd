"""What the history says of backups and of their copies, read once for all that is asked of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from holdfast.errors import HoldfastError
from holdfast.known import KnownBackup
from holdfast.operations.context import Context


class OnRecord(Struct, frozen=True):
    """What is on record."""

    backups: tuple[KnownBackup, ...] = ()  # the newest first
    # The stores that were given a backup of a database, by its path.
    stores: Mapping[str, set[str]] = field(default_factory=dict)
    problem: HoldfastError | None = None  # why nothing of it can be read


def read_record(context: Context) -> OnRecord:
    """Read the history; what keeps it from being read is in the record."""
    try:
        backups = tuple(context.history.backups())
        copies = context.history.copies()
    except HoldfastError as error:
        return OnRecord(problem=error)
    databases = {each.path: each.database for each in backups}
    stores: dict[str, set[str]] = {}
    for copy in copies:
        if copy.backup in databases:
            stores.setdefault(databases[copy.backup], set()).add(copy.store)
    return OnRecord(backups, stores)
