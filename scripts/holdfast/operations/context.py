"""What every operation is told about the world, and how it finds the database it works on."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import files
from holdfast.database import DEFAULT_WAIT_SECONDS
from holdfast.encryption import Keys
from holdfast.errors import DatabaseNotFound, HoldfastError, SettingsError, UsageError
from holdfast.files import user_path
from holdfast.history import History
from holdfast.known import KnownBackup, KnownCopy
from holdfast.model import ChosenDatabase
from holdfast.places import Home
from holdfast.profiles import (
    Profile,
    Settings,
    databases_at,
    load_profiles_quickly,
    load_settings,
    profile_folder,
    recognise,
)
from holdfast.stores import Store, open_store
from holdfast.stores.owner import owner_mark
from holdfast.times import utc_text

IDENTITY_VARIABLE = "HOLDFAST_IDENTITY"  # files with keys, parted as in PATH
PASSPHRASE_VARIABLE = "HOLDFAST_PASSPHRASE"  # noqa: S105 - the name of one is none


class Progress(Struct, frozen=True):
    """How far an operation has come."""

    phase: str  # such as writing
    table: str = ""  # "": of no one table
    done: int = 0  # rows, so far
    total: int | None = None  # as far as it can be told; None: not at all


def _tell_nobody(progress: Progress) -> None:
    """Be what an operation tells of its progress where nobody asks."""


class Context(Struct, frozen=True, dict=True):
    """Where, when and for whom an operation runs."""

    home: Home
    environment: Mapping[str, str]
    user_home: Path
    platform: str  # as sys.platform
    actor: str  # who asked, such as ann@laptop
    now: datetime  # UTC
    cache: Path | None = None  # for what can be made anew; None: nothing is kept
    history_wait_seconds: float = DEFAULT_WAIT_SECONDS  # while another program locks it
    identities: tuple[Path, ...] = ()  # files with keys that were named for this run
    # Told at most once for each table, and for each block of rows.
    progress: Callable[[Progress], None] = _tell_nobody

    @cached_property
    def settings(self) -> Settings:
        return load_settings(self.home.path)

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        return load_profiles_quickly(profile_folder(), self.home.profiles, self.cache)

    @cached_property
    def known_by_place(self) -> Mapping[Path, Profile]:
        """What is known of databases that only the place they lie at tells, by their paths."""
        found: dict[Path, Profile] = {}
        for profile in self.profiles:
            for path in () if profile.recognise else places_of(self, profile):
                found.setdefault(path, profile)
        return found

    @cached_property
    def keys(self) -> Keys:
        """Whom backups are encrypted for, as far as is set, and what opens them here."""
        named = self.environment.get(IDENTITY_VARIABLE, "").split(os.pathsep)
        usual = [self.home.key] if self.home.key.is_file() else []
        found = (*self.identities, *map(user_path, filter(None, named)))
        chosen = self.settings.encryption
        return Keys(
            recipients=chosen.recipients,
            passphrase=self.environment.get(PASSPHRASE_VARIABLE, ""),
            passphrase_file=chosen.passphrase_file,
            identity_files=tuple(dict.fromkeys((*found, *chosen.identities, *usual))),
        )

    @cached_property
    def output(self) -> Path:
        """The folder that backups go to."""
        return self.settings.output or self.home.output

    @cached_property
    def history(self) -> History:
        around = {"home": self.home.path, "user_home": self.user_home}
        return History(self.output, self.history_wait_seconds, around)

    @cached_property
    def owner(self) -> str:
        """The mark under which this machine keeps its backups in stores."""
        return owner_mark(self.home.path, self.actor.rpartition("@")[2])

    @property
    def store_hint(self) -> str:
        """Say how the first store is named."""
        place = self.home.path / "backup.yaml"
        return f"Name one in {place}, with a line such as stores: {{disk: /media/usb/backups}}"

    def store(self, name: str, wait_seconds: float | None = None) -> Store:
        """
        Return a store of backup.yaml, without asking anything of it yet.

        Args:
            wait_seconds: how long each answer may take; None: as long as a slow line needs.

        Raises: UsageError when no such store is set; SettingsError.
        """
        settings = self.settings.stores
        if name not in settings:
            raise UsageError(
                f"there is no store {name} in backup.yaml",
                hint=f"There is {', '.join(settings)}." if settings else self.store_hint,
            )
        return open_store(
            name,
            settings[name],
            self.owner,
            self.home.path,
            self.environment,
            self.keys,
            wait_seconds,
        )

    def known_backups(self) -> list[KnownBackup]:
        """Return the backups on record; none when the history cannot be read."""
        try:
            return self.history.backups()
        except HoldfastError:
            return []

    def known_copies(self) -> list[KnownCopy]:
        """Return the backups in stores that are on record; none when that cannot be read."""
        try:
            return self.history.copies()
        except HoldfastError:
            return []

    def watch(self, phase: str, total: int | None = None) -> Callable[[str, int], None]:
        """
        Return what tells of one phase of the work, called with a table and its rows so far.

        Args:
            total: the rows of all tables; None: not known.
        """
        table, before, rows = "", 0, 0

        def tell(name: str, count: int) -> None:
            nonlocal table, before, rows
            if name != table:
                table, before, rows = name, before + rows, 0
            rows = count
            self.progress(Progress(phase, table, before + rows, total))

        self.progress(Progress(phase, total=total))
        return tell

    def rows_of(self, backup: Path) -> int | None:
        """Return how many rows a backup has, where that is on record."""
        path = files.text_of(backup)
        return next((each.row_count for each in self.known_backups() if each.path == path), None)

    def is_ahead(self, made: datetime | None) -> bool:
        """Tell whether a clock that was wrong has dated something: more than a day ahead."""
        # Less may be a tool's own time, in that of its place.
        return made is not None and made - self.now > timedelta(days=1)

    @property
    def timestamp(self) -> str:
        """Now, as files and the history have it."""
        return utc_text(self.now)


def choose_database(
    context: Context, named: str | None = None, *, sample: bool = False
) -> ChosenDatabase:
    """
    Find the database that is meant: named, the sample, or the first that is there.

    Raises: DatabaseNotFound, with all the places that were looked at.
    """
    if sample:
        return ChosenDatabase(
            context.home.sample.resolve(), "the sample database, for trying things out"
        )
    if named is not None:
        if named in context.settings.databases:
            return ChosenDatabase(
                files.resolved(context.settings.databases[named].path), f"{named} in backup.yaml"
            )
        return ChosenDatabase(files.resolved(user_path(named)), "named with --db")
    looked_at = []
    for chosen in _usual_places(context):
        if chosen.path.is_file():  # through a link, to the file itself: it has one name
            return replace(chosen, path=files.resolved(chosen.path))
        looked_at.append(str(chosen.path))
    hint = "Name one with --db PATH, or try everything on invented data with --sample."
    if context.settings.databases:
        hint = (
            "If it is lost, status says how it comes back; else correct backup.yaml, or use --db."
        )
    else:
        looked_at.append(f"the usual places of {len(context.profiles)} tools")
    raise DatabaseNotFound(f"no database found; looked at {', '.join(looked_at)}", hint=hint)


def profile_of(context: Context, path: Path, names: Iterable[str]) -> Profile | None:
    """
    Find what is known of a database: as backup.yaml says, or by its tables, or by its place.

    Args:
        path: of the database, resolved.
        names: of its tables.

    Raises: SettingsError when backup.yaml names a profile that there is not.
    """
    for name, each in context.settings.databases.items():
        if each.profile and files.resolved(each.path) == path:
            found = [profile for profile in context.profiles if profile.name == each.profile]
            if not found:
                known = ", ".join(profile.name for profile in context.profiles)
                raise SettingsError(
                    f"backup.yaml: databases.{name}.profile: there is no profile {each.profile}",
                    hint=f"There are {known}.",
                )
            return found[0]
    return recognise(context.profiles, names) or context.known_by_place.get(path)


def places_of(context: Context, profile: Profile) -> tuple[Path, ...]:
    """Return the files that are where a tool keeps its databases, resolved."""
    found = databases_at(profile, context.environment, context.user_home, context.platform)
    return tuple(map(files.resolved, found))


def name_of_database(context: Context, path: Path) -> str:
    """
    Return the short name of a database: that of backup.yaml, or one made of its path.

    What is made of a path is the same on each call, and for no two paths.
    """
    configured = configured_name(context, path)
    if configured:
        return configured
    stem = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-")
    return f"{stem or 'database'}-{hashlib.sha256(files.text_of(path).encode()).hexdigest()[:8]}"


def label_of_database(context: Context, path: Path) -> str:
    """Return what tells a database's files in the output folder from others; "" for nothing."""
    return configured_name(context, path) if len(context.settings.databases) > 1 else ""


def configured_name(context: Context, path: Path) -> str:
    """Return what backup.yaml calls a database; "" for one that it does not name."""
    for name, each in context.settings.databases.items():
        if files.resolved(each.path) == path:
            return name
    return ""


def _usual_places(context: Context) -> Iterator[ChosenDatabase]:
    for name, each in context.settings.databases.items():
        yield ChosenDatabase(each.path, f"{name} in backup.yaml")
        return  # what the person has named is meant, and said when it is not there
    yield ChosenDatabase(context.home.data / "soy.db", "it lies in the data folder")
    # What a tool can make anew is meant last.
    for profile in sorted(context.profiles, key=lambda each: bool(each.rebuildable)):
        for path in databases_at(profile, context.environment, context.user_home, context.platform):
            yield ChosenDatabase(path, f"{profile.title} keeps it there")
    for path in sorted(context.home.data.glob("*.db")):
        if path != context.home.sample:
            yield ChosenDatabase(path, "it lies in the data folder")
