"""The places that a prune looks into: the output folder and stores, each with what is ours."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from holdfast import files
from holdfast.errors import BackupNotFound, HoldfastError, WriteFailed
from holdfast.known import KnownBackup, KnownCopy, Made
from holdfast.model import DAMAGED, Rung, is_above
from holdfast.operations.context import Context, name_of_database
from holdfast.operations.shelf import backups_on_file, remove_backup
from holdfast.profiles import KeepRules
from holdfast.retention import Candidate
from holdfast.stores import Store, StoredBackup
from holdfast.times import moment


class Listed(Struct, frozen=True):
    """A backup in a place, and what it takes there."""

    candidate: Candidate
    bytes: int
    created_at: str | None


class Place(Protocol):
    """Where backups lie that a prune may remove."""

    store: str  # its name in backup.yaml; "": the output folder
    location: str
    owner: str  # whose backups may go

    def backups(self) -> list[Listed]:
        """List the backups, the newest first."""
        ...

    def database_key(self, path: Path) -> str:
        """Say what Candidate.database is for a database."""
        ...

    def rules(self, database: str) -> KeepRules:
        """Return the rules of backup.yaml for a database, given as Candidate.database."""
        ...

    def remove(self, names: Sequence[str], stays: str) -> dict[str, HoldfastError]:
        """
        Remove backups of one kind.

        Args:
            stays: the verified one that is kept instead of them; "" for none.

        Returns: those that could not be removed, with the error.
        """
        ...

    def free(self) -> list[str]:
        """Give back the space of what was removed, here or elsewhere; return what went wrong."""
        ...


def kind_of(part: str, *, is_redacted: bool) -> str:
    """Say what a backup holds of its database, where that is not all: those are counted apart."""
    return "; ".join(filter(None, (part, "redacted" if is_redacted else "")))


def _has_gone(location: str, stays: str) -> BackupNotFound:
    return BackupNotFound(
        f"nothing more was deleted in {location}: {stays}, which was to stay, has gone meanwhile",
        hint="Look with status what there is.",
    )


class OutputFolder:
    """The output folder: of what lies there, only what is on record, and as it was recorded."""

    store = ""
    owner = ""

    def __init__(self, context: Context) -> None:
        self.location = str(context.output)
        self._context = context
        self._known: Mapping[str, KnownBackup] = {}

    def backups(self) -> list[Listed]:
        history = self._context.history
        self._known = {each.path: each for each in history.backups()}
        redacted = {(each.path, each.at) for each in history.made() if each.is_redacted}
        return [
            Listed(
                Candidate(
                    name=each.path.name,
                    made_at=moment(each.created_at),
                    database=each.database,
                    kind=kind_of(
                        each.part,
                        is_redacted=(files.text_of(each.path), each.created_at) in redacted,
                    ),
                    is_verified=is_above(each.verified, Rung.HASH),
                    is_damaged=each.verified == DAMAGED,
                    row_count=each.row_count,
                ),
                each.bytes,
                each.created_at,
            )
            for each in backups_on_file(self._context)
        ]

    def database_key(self, path: Path) -> str:
        return files.text_of(path)

    def rules(self, database: str) -> KeepRules:
        settings = self._context.settings
        of_it = (
            each.keep
            for each in settings.databases.values()
            if files.text_of(files.resolved(each.path)) == database
        )
        return next(of_it, None) or settings.keep or KeepRules()

    def remove(self, names: Sequence[str], stays: str) -> dict[str, HoldfastError]:
        failed: dict[str, HoldfastError] = {}
        for name in names:
            try:
                self._remove(self._context.output / name, stays)
            except HoldfastError as error:
                failed[name] = error
        return failed

    def free(self) -> list[str]:
        return []

    def _remove(self, path: Path, stays: str) -> None:
        if stays and not (path.parent / stays).exists():
            raise _has_gone(self.location, stays)
        if not path.exists():
            return
        if not self._known[files.text_of(path)].is_still(path):
            raise WriteFailed(
                f"{path} was not deleted, as it was changed meanwhile", hint="Look with verify."
            )
        remove_backup(path)


class StorePlace:
    """A store: of what lies there, only what this machine put there and has on record."""

    def __init__(self, context: Context, store: Store) -> None:
        self.store = store.name
        self.location = store.location
        self.owner = context.owner
        self._context = context
        self._store = store
        self._found: dict[str, StoredBackup] = {}

    def backups(self) -> list[Listed]:
        history = self._context.history
        copies = {each.name: each for each in history.copies() if each.store == self.store}
        everything = history.made()
        names = {path: self.database_key(Path(path)) for path in {of.database for of in everything}}
        made: dict[tuple[str, str], list[Made]] = {}
        for record in everything:
            made.setdefault((names[record.database], record.at), []).append(record)
        found = sorted(self._store.backups(), key=lambda each: each.name, reverse=True)
        found.sort(key=lambda each: each.created_at, reverse=True)
        self._found = {each.name: each for each in found}
        return [
            Listed(
                self._candidate(
                    each,
                    copies.get(each.name),
                    made.get((each.database, each.created_at), []),
                ),
                each.bytes,
                each.created_at,
            )
            for each in found
        ]

    def _candidate(
        self, backup: StoredBackup, copy: KnownCopy | None, made: Sequence[Made]
    ) -> Candidate:
        if copy:
            made = [each for each in made if each.part == copy.part]
        kinds = {kind_of(each.part, is_redacted=each.is_redacted) for each in made}
        # Two of one second that hold different parts: nobody can tell which is which.
        is_known = len(kinds) == 1
        # What a store took was read back, and is what was proven here.
        proven = [copy.verified] if copy else [each.verified for each in made]
        return Candidate(
            name=backup.name,
            made_at=moment(backup.created_at),
            database=backup.database if is_known or backup.owner != self.owner else "",
            kind=kinds.pop() if is_known else "",
            owner=backup.owner,
            is_verified=is_known and all(is_above(each, Rung.HASH) for each in proven),
            is_damaged=copy is not None and copy.verified == DAMAGED,
            row_count=made[0].row_count if is_known else None,
        )

    def database_key(self, path: Path) -> str:
        return name_of_database(self._context, path)

    def rules(self, database: str) -> KeepRules:
        settings = self._context.settings
        if (here := settings.stores[self.store].keep) is not None:
            return here
        of_it = settings.databases.get(database)
        return (of_it.keep if of_it else None) or settings.keep or KeepRules()

    def remove(self, names: Sequence[str], stays: str) -> dict[str, HoldfastError]:
        failed = self._remove(names, stays)
        with contextlib.suppress(HoldfastError):  # they have gone, which is what counts
            self._context.history.forget_copies(
                self.store, [name for name in names if name not in failed]
            )
        return failed

    def free(self) -> list[str]:
        try:
            self._store.delete(())
        except HoldfastError as error:
            return [f"{error}. {error.hint}"]
        return []

    def _remove(self, names: Sequence[str], stays: str) -> dict[str, HoldfastError]:
        try:
            if stays and all(each.name != stays for each in self._store.backups()):
                return dict.fromkeys(names, _has_gone(self.location, stays))
        except HoldfastError as error:
            return dict.fromkeys(names, error)
        try:
            self._store.delete([self._found[name] for name in names])
        except HoldfastError:
            return self._remove_one_by_one(names)
        return {}

    def _remove_one_by_one(self, names: Sequence[str]) -> dict[str, HoldfastError]:
        failed: dict[str, HoldfastError] = {}
        for position, name in enumerate(names):
            try:
                self._store.delete([self._found[name]])
            except HoldfastError as error:
                failed[name] = error
                if len(failed) == 2 == position + 1:  # it is the store, not the backup
                    return dict.fromkeys(names, error)
        return failed
