"""What can be told at once: databases, backups, history, schedule."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from holdfast import disks, files
from holdfast.errors import DatabaseNotFound, HoldfastError
from holdfast.formats import FORMATS, WRITABLE
from holdfast.formats.compression import SUFFIXES
from holdfast.here import context_here
from holdfast.model import ChosenDatabase, Opening
from holdfast.operations.context import Context, choose_database
from holdfast.operations.prune_backups import PruneOptions, prune_backups
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.safety import MAX_AGE_SECONDS, Shelf, look_at_shelf, state_of
from holdfast.operations.shelf import backups_on_file
from holdfast.outcomes import BackupOnFile, StatusReport
from holdfast.profiles import KeepRules
from holdfast.web.answers import (
    Backups,
    Choices,
    Databases,
    Entries,
    GroupChoice,
    ListedBackup,
    ListedDatabase,
    Point,
    Schedule,
    Sizes,
)
from holdfast.web.names import database_meant, databases_there, profile_at
from holdfast.works import ConflictMode

# Of these no line tells a person anything, and each may be long.
_LONG_DETAILS = {"rests_on", "digests", "left_out"}


def databases() -> Databases:
    """Say of each database whether it is safe."""
    context = context_here()
    there = databases_there(context)
    usual = ""
    with contextlib.suppress(DatabaseNotFound):
        path = choose_database(context).path
        usual = next((name for name, each in there.items() if each == path), "")
    shelf = look_at_shelf(context)
    return Databases(
        [_state(context, shelf, name, path) for name, path in there.items()],
        usual,
        context.timestamp,
    )


def _state(context: Context, shelf: Shelf, name: str, path: Path) -> ListedDatabase:
    is_configured = name in context.settings.databases
    chosen = ChosenDatabase(path, "")
    found = state_of(context, shelf, chosen, MAX_AGE_SECONDS, name=name if is_configured else "")
    return ListedDatabase(
        name=name,
        path=path,
        tool=found.tool,
        bytes=found.bytes,
        state=found.state,
        state_text=found.text,
        last_backup_at=found.last_backup_at,
        warnings=found.warnings,
        is_configured=is_configured,
    )


def status(database: str | None) -> StatusReport:
    """Say whether a database is safe; as `report_status`."""
    context = context_here()
    named, sample = database_meant(context, database)
    return report_status(context, StatusOptions(database=named, sample=sample))


def backups(database: str | None) -> Backups:
    """List the backups, of one database or of all."""
    context = context_here()
    listed = list(listed_backups(context))
    if database is not None:
        database_meant(context, database)  # a name that there is not is told
        listed = [each for each in listed if each.database == database]
    folder = disks.existing_folder(context.output)
    return Backups(
        listed,
        context.output,
        sum(each.bytes for each in listed),
        shutil.disk_usage(folder).free,
    )


def listed_backups(context: Context) -> Iterator[ListedBackup]:
    """Yield what there is to say of each backup of the output folder, the newest first."""
    names = {files.text_of(path): name for name, path in databases_there(context).items()}
    copies: dict[str, list[str]] = {}
    for copy in context.known_copies():
        copies.setdefault(copy.backup, []).append(copy.store)
    made = {each.path: each.database for each in context.known_backups()}
    for each in backups_on_file(context):
        path = files.text_of(each.path)
        # One that has been changed since says itself of which database it is no more.
        database = each.database or made.get(path, "")
        yield _listed(each, names.get(database, ""), copies.get(path, []))


def _listed(backup: BackupOnFile, database: str, copies: list[str]) -> ListedBackup:
    return ListedBackup(
        name=backup.path.name,
        path=backup.path,
        bytes=backup.bytes,
        created_at=backup.created_at,
        row_count=backup.row_count,
        verified=backup.verified,
        verified_at=backup.verified_at,
        database=database,
        database_path=backup.database,
        part=backup.part,
        opening=backup.opening,
        format=_format_of(backup),
        copies=sorted(set(copies)),
    )


def _format_of(backup: BackupOnFile) -> str:
    if backup.path.is_dir():
        return "folder"
    by_length = sorted(WRITABLE, key=lambda name: -len(FORMATS[name].suffix))
    return next(
        (
            name
            for name in by_length
            if FORMATS[name].suffix
            and re.search(re.escape(FORMATS[name].suffix) + r"(\.|$)", backup.path.name)
        ),
        "folder" if backup.opening is not Opening.PLAIN else "",
    )


def history(database: str | None, limit: int) -> Entries:
    """Say what was done lately, to one database or to all."""
    context = context_here()
    path = None
    if database is not None:
        named, sample = database_meant(context, database)
        path = choose_database(context, named, sample=sample).path
    return Entries([_without(each, _LONG_DETAILS) for each in context.history.entries(limit, path)])


def _without(entry: Any, names: set[str]) -> Any:
    kept = {name: value for name, value in entry.details.items() if name not in names}
    return replace(entry, details=kept)


def sizes(database: str | None) -> Sizes:
    """Say how large a database was at each of its backups, as far as that is on record."""
    context = context_here()
    named, sample = database_meant(context, database)
    path = files.text_of(choose_database(context, named, sample=sample).path)
    known = [each for each in context.known_backups() if each.database == path and not each.part]
    return Sizes(
        path,
        [
            Point(each.created_at, Path(each.path).name, each.bytes, each.row_count, each.counts)
            for each in reversed(known)
        ],
    )


def choices(database: str | None, upload_bytes: int) -> Choices:
    """Say what may be asked of an export and an import."""
    context = context_here()
    path, tables, profile = profile_at(context, database)
    groups = profile.groups if profile else {}
    return Choices(
        database=files.text_of(path),
        profile=profile.name if profile else None,
        groups=[
            GroupChoice(
                name, group.title or name, group.description or "", group.default, group.tables
            )
            for name, group in groups.items()
        ],
        tables=tables,
        scopes=list(profile.scopes) if profile else [],
        formats={name: FORMATS[name].title for name in WRITABLE},
        compressions=list(SUFFIXES),
        modes=[mode.value for mode in ConflictMode],
        stores=list(context.settings.stores),
        can_encrypt=bool(
            context.keys.recipients or context.keys.passphrase or context.keys.passphrase_file
        ),
        can_redact=bool(profile and profile.secrets),
        upload_bytes=upload_bytes,
    )


def schedule() -> Schedule:
    """Say what is scheduled and kept, and what a prune would remove now."""
    context = context_here()
    report = report_status(context, StatusOptions())
    settings = context.settings
    keep_of = {name: each.keep for name, each in settings.databases.items() if each.keep}
    keep_of |= {f"{name}:": each.keep for name, each in settings.stores.items() if each.keep}
    prune, problem = None, ""
    if settings.has_keep_rules:
        try:
            prune = prune_backups(context, PruneOptions())
        except HoldfastError as error:
            problem = f"{error}. {error.hint}"
    return Schedule(
        schedule=report.schedule,
        keep=_rules(settings.keep),
        keep_of={name: _rules(keep) or {} for name, keep in keep_of.items()},
        stores=report.stores,
        prune=prune,
        prune_problem=problem,
    )


def _rules(keep: KeepRules | None) -> Mapping[str, Any] | None:
    if keep is None:
        return None
    return {name: value for name, value in asdict(keep).items() if value is not None}
