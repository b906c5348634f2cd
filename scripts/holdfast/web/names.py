"""Names that come over HTTP: each is looked up among what is there, and none is made a path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from holdfast import database, files
from holdfast.errors import BackupNotFound, DatabaseNotFound, HoldfastError, UsageError
from holdfast.operations.context import Context, choose_database, name_of_database, profile_of
from holdfast.operations.shelf import backups_on_file
from holdfast.outcomes import BackupOnFile
from holdfast.profiles import Profile, databases_at

SAMPLE = "sample"
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}(\.[A-Za-z0-9]{1,10}){0,2}")
# A day or a moment, perhaps after the name of a database; never a path.
_MOMENT = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]*-)?\d{4}-\d\d-\d\d(?:T\d{6}Z(?:-\d+)?)?")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)([.-].*)?")  # devices, to Windows
_WAIT_SECONDS = 2.0


def backup_named(context: Context, name: str) -> BackupOnFile:
    """
    Find a backup of the output folder by the whole name of its file.

    Raises: BackupNotFound for anything that is not the name of a backup in the list.
    """
    for each in backups_on_file(context):
        if each.path.name == name:
            return each
    raise BackupNotFound(
        f"no backup {_shown(name)} in {context.output}", hint="The names are in /backup/list."
    )


def backup_meant(context: Context, name: str) -> str:
    """
    Say in the words of the verbs which backup is meant: a name, a day, latest, or STORE:NAME.

    Raises: BackupNotFound for what can be none of these, such as a path.
    """
    store, colon, rest = name.partition(":")
    is_plain = not {"..", ""} & set(rest.split("/")) and "\\" not in rest and "\0" not in rest
    if colon and store in context.settings.stores and (is_plain or not rest):
        return name
    if name == "latest":
        return name
    if _MOMENT.fullmatch(name) and not Path(name).exists():
        return name
    return str(backup_named(context, name).path)


def databases_there(context: Context) -> dict[str, Path]:
    """Return the databases that can be worked on, by name: those of backup.yaml come first."""
    found: dict[str, Path] = {}
    for path in _places(context):
        resolved = files.resolved(path)
        if resolved not in found.values():
            found[name_of_database(context, resolved)] = resolved
    sample = context.home.sample.resolve()
    if sample.is_file():
        found[SAMPLE] = sample
    return found


def _places(context: Context) -> Iterator[Path]:
    sample = context.home.sample.resolve()
    for each in context.settings.databases.values():
        yield each.path
    own = sorted(context.home.data.glob("*.db"))
    for profile in sorted(context.profiles, key=lambda each: bool(each.rebuildable)):
        own += databases_at(profile, context.environment, context.user_home, context.platform)
    backed_up = sorted({Path(each.database) for each in context.known_backups()})
    for path in (*own, *backed_up):
        if files.resolved(path) != sample and path.is_file():
            yield path


def database_meant(context: Context, name: str | None) -> tuple[str | None, bool]:
    """
    Say in the words of the verbs which database is meant: its path, and whether it is the sample.

    Raises: DatabaseNotFound for anything that is not the name of a database in the list.
    """
    if name is None or name == SAMPLE:
        return None, name == SAMPLE
    found = databases_there(context).get(name)
    if found is None:
        raise DatabaseNotFound(
            f"there is no database {_shown(name)}", hint="The names are in /backup/databases."
        )
    return (name if name in context.settings.databases else str(found)), False


def profile_at(context: Context, name: str | None) -> tuple[Path, tuple[str, ...], Profile | None]:
    """Return a database's path, the names of its tables, and what is known of its tool."""
    named, sample = database_meant(context, name)
    path = choose_database(context, named, sample=sample).path
    with database.read_only(path, _WAIT_SECONDS) as connection:
        tables = tuple(
            row[0]
            for row in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'"
                " ESCAPE '\\' ORDER BY name"
            )
        )
    return path, tables, profile_of(context, path, tables)


def label_of(name: str | None) -> str:
    """Return what a backup's file is called besides its date; UsageError for what is no name."""
    if not name:
        return ""
    if not _LABEL.fullmatch(name) or _RESERVED.fullmatch(name):
        raise UsageError(
            f"{_shown(name)} is no name for a backup",
            hint="Give at most 60 letters, digits, - and _, such as before-the-move.",
        )
    return name


def file_in_data(context: Context, name: str) -> Path:
    """Return the file of a plain name in the data folder; UsageError for any other name."""
    if not _FILE.fullmatch(name) or _RESERVED.fullmatch(name):
        raise UsageError(
            f"{_shown(name)} is no name for a database",
            hint=f"Give a plain name, such as restored.db: it comes into {context.home.data}.",
        )
    return context.home.data / name


def safe_file_name(name: str | None) -> str:
    """Make of the name that a sent file has one that is safe here, with the same endings."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", re.split(r"[/\\]", name or "")[-1]).strip(".-")
    return plain[-100:].lstrip(".-") if plain and not _RESERVED.fullmatch(plain) else "upload"


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:80]}...")


def is_usable(context: Context, name: str | None) -> bool:
    """Tell whether a database is there and can be named."""
    try:
        database_meant(context, name)
    except HoldfastError:
        return False
    return True
