"""The backups in the output folder: which there are, and which one a person means."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from holdfast import encryption, files
from holdfast.encryption import Keys
from holdfast.errors import BackupAmbiguous, BackupNotFound, HoldfastError
from holdfast.formats import FORMATS, glance, packing
from holdfast.formats.compression import SUFFIXES
from holdfast.known import HASHED_BYTES, KnownBackup
from holdfast.model import ChosenDatabase, Opening
from holdfast.operations.context import Context
from holdfast.outcomes import BackupOnFile
from holdfast.times import moment

_SUFFIXES = {
    each.suffix + compressed + closed
    for each in FORMATS.values()
    if each.write
    for compressed in SUFFIXES.values()
    for closed in ("", (packing.SUFFIX if each.is_several else "") + encryption.SUFFIX)
}
_ENDING = "|".join(map(re.escape, _SUFFIXES))
_NAME = re.compile(
    rf"backup-((?P<label>[A-Za-z0-9][A-Za-z0-9_-]*)-)?(?P<day>\d{{4}}-\d{{2}}-\d{{2}})"
    rf"(?P<moment>T(?P<time>\d{{6}})Z(-\d+)?)?({_ENDING})"
)


def backups_on_file(
    context: Context, on_record: Iterable[KnownBackup] | None = None
) -> list[BackupOnFile]:
    """
    Return the backups in the output folder, the newest first, without reading them whole.

    Those whose time alone is not the one on record are hashed, up to HASHED_BYTES of them.

    Args:
        on_record: what the history has of backups; None: it is read.
    """
    known_backups = context.known_backups() if on_record is None else on_record
    known = {each.path: each for each in known_backups}
    # A glob would take a folder that may not be read for an empty one.
    inside = context.output.iterdir() if context.output.is_dir() else ()
    found = []
    unread = HASHED_BYTES  # of all together, the newest ones first
    for path, record in _newest_first(inside, known):
        # What was there a moment ago may be gone: a prune is no error of who looks.
        with contextlib.suppress(FileNotFoundError):
            size, modified_ns = files.size_of(path), files.modified_ns(path)
            is_same = record is None or record.sameness(path, size, modified_ns, unread)
            is_retimed = record and size == record.bytes and modified_ns != record.modified_ns
            if is_retimed and is_same is not None:
                unread -= size
            each = _describe(context, path, size, record if is_same else None)
            if record and not is_same and record.is_verified:
                each = replace(each, is_changed=is_same is False, is_unsure=is_same is None)
            # Those of one second are told apart by when their files were written.
            found.append((modified_ns, each))
    found.sort(key=lambda item: (item[1].created_at or "", item[0]), reverse=True)
    return [each for _, each in found]


def _newest_first(
    paths: Iterable[Path], known: Mapping[str, KnownBackup]
) -> list[tuple[Path, KnownBackup | None]]:
    """Return those that are backups by their names, each with what is on record of it."""
    found = [(each, known.get(files.text_of(each))) for each in paths if _NAME.fullmatch(each.name)]
    found.sort(key=lambda item: item[1].created_at if item[1] else "", reverse=True)
    return found


def _describe(context: Context, path: Path, size: int, record: KnownBackup | None) -> BackupOnFile:
    opening = opening_of(path, context.keys)
    if record:
        return BackupOnFile(
            path,
            size,
            record.created_at,
            record.row_count,
            record.verified,
            record.verified_at,
            record.database,
            record.part,
            opening,
        )
    try:
        seen = glance(path, context.keys)
    except HoldfastError:
        return BackupOnFile(path, size, _named_date(path), None, "", "", "", opening=opening)
    part = "a part" if seen.is_partial else ""
    date = seen.backup_date or _named_date(path)
    return BackupOnFile(path, size, date, seen.row_count, "", "", "", part, opening)


def opening_of(path: Path, keys: Keys, *, tries_passphrase: bool = False) -> Opening:
    """Tell whether a backup can be opened with some keys; by its name, it is one of ours."""
    if path.suffix != encryption.SUFFIX or not path.is_file():
        return Opening.PLAIN
    try:
        with path.open("rb") as file:
            return encryption.opening(file, keys, tries_passphrase=tries_passphrase)
    except (HoldfastError, OSError):  # what is wrong with it, its reader says
        return Opening.CLOSED


def _named_date(path: Path) -> str | None:
    """Read from the name of an encrypted backup, which is all that all can read, its date."""
    found = _NAME.fullmatch(path.name)
    if found is None or path.suffix != encryption.SUFFIX:
        return None
    time = found["time"] or "000000"
    return f"{found['day']}T{time[:2]}:{time[2:4]}:{time[4:]}Z"


def label_of(path: Path) -> str:
    """Return the name of a database that is in the name of its backup; "" where there is none."""
    found = _NAME.fullmatch(path.name)
    return (found["label"] or "") if found else ""


def database_of(context: Context, backup: BackupOnFile) -> str:
    """Return the database that a backup is of, on record or by its name; "" where neither tells."""
    named = context.settings.databases.get(label_of(backup.path))
    return backup.database or (files.text_of(files.resolved(named.path)) if named else "")


def is_of(context: Context, backup: BackupOnFile, database: ChosenDatabase) -> bool:
    """Tell whether a backup is of a database, for all that is known of it."""
    return database_of(context, backup) in ("", files.text_of(database.path))


def find_backup(context: Context, wanted: str, database: ChosenDatabase | None = None) -> Path:
    """
    Find the backup meant by a path, a file's name, a day (2026-11-20), a moment or `latest`.

    The name of a database may stand before the day, as it does in the file's: crm-2026-11-20.

    Args:
        database: `latest` is the latest of this one; None: of any.

    Raises: BackupNotFound; BackupAmbiguous, naming those that fit.
    """
    path = files.user_path(wanted)
    if wanted not in ("", "latest") and path.exists():
        return path.absolute()
    if os.path.basename(wanted) != wanted:  # noqa: PTH119 - Path drops a separator at the end
        raise BackupNotFound(
            f"no file at {path.absolute()}",
            hint=f"Check the path. The backups in {context.output} are found by name: see status.",
        )
    found = backups_on_file(context)
    if wanted == "latest":
        fitting = [each for each in found if not database or is_of(context, each, database)]
        # Who says latest means the whole database, where there is a backup of that; and one that
        # a wrong clock has dated ahead would be the latest for years.
        fitting.sort(key=lambda each: (each.part != "", context.is_ahead(moment(each.created_at))))
        fitting = fitting[:1]
    else:
        fitting = [each for each in found if each.path.name == wanted]
        fitting = fitting or [each for each in found if _fits(each.path.name, wanted)]
        of_it = [each for each in fitting if database and is_of(context, each, database)]
        fitting = of_it or fitting
    if not fitting:
        store, colon, _ = wanted.partition(":")
        hint = "See what there is with status, or give the path of a file."
        if colon:
            hint += f" If {store} is a store, name it in backup.yaml first."
        of = f" of {database.path}" if database and wanted == "latest" else ""
        raise BackupNotFound(f"no backup {wanted!r}{of} in {context.output}", hint=hint)
    if len(fitting) > 1:
        names = ", ".join(sorted(each.path.name for each in fitting))
        raise BackupAmbiguous(
            f"{wanted} could be any of {names}", hint="Give the whole name of the one you mean."
        )
    return fitting[0].path


def latest_backups(context: Context) -> list[Path]:
    """
    Find the latest backup of each database of backup.yaml, or of any where it names but one.

    Raises: BackupNotFound when there is none at all.
    """
    several = context.settings.databases if len(context.settings.databases) > 1 else {}
    found = []
    for name, each in several.items():
        database = ChosenDatabase(files.resolved(each.path), f"{name} in backup.yaml")
        with contextlib.suppress(BackupNotFound):
            found.append(find_backup(context, "latest", database))
    return list(dict.fromkeys(found)) or [find_backup(context, "latest")]


def remove_backup(path: Path) -> None:
    """Delete a backup of the output folder, with what lies beside it; WriteFailed."""
    files.remove_whole(path)
    # The copy first: none ever stands without its manifest.
    for suffix in {each.manifest_suffix for each in FORMATS.values()} - {""}:
        files.remove_whole(path.with_name(path.name + suffix))


def restore_command(backup: Path, target: Path) -> str:
    """Name the command that puts a database back from a backup; what is there is set aside."""
    words = ["restore", str(backup), "--to", str(target)]
    return shlex.join([*words, "--force"] if target.is_file() else words)


def _fits(name: str, wanted: str) -> bool:
    match = _NAME.fullmatch(name)
    if not match:
        return False
    moments = {match["day"], match["day"] + (match["moment"] or "")}
    with_label = {f"{match['label']}-{each}" for each in moments if match["label"]}
    return wanted in moments | with_label | {name, name.partition(".")[0]}
