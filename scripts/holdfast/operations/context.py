"""What every operation is told about the world, and how it finds the database it works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from holdfast.errors import DatabaseNotFound, HoldfastError
from holdfast.files import user_path
from holdfast.history import History, KnownBackup
from holdfast.model import ChosenDatabase
from holdfast.places import Home
from holdfast.profiles import (
    Profile,
    Settings,
    load_profiles,
    load_settings,
    location_paths,
    profile_folder,
)
from holdfast.times import utc_text


@dataclass(frozen=True)
class Context:
    """Where, when and for whom an operation runs."""

    home: Home
    environment: Mapping[str, str]
    user_home: Path
    platform: str  # as sys.platform
    actor: str  # who asked, such as ann@laptop
    now: datetime  # UTC

    @cached_property
    def settings(self) -> Settings:
        return load_settings(self.home.path)

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        return load_profiles(profile_folder(), self.home.profiles)

    @cached_property
    def output(self) -> Path:
        """The folder that backups go to."""
        return self.settings.output or self.home.output

    @cached_property
    def history(self) -> History:
        return History(self.output)

    def known_backups(self) -> list[KnownBackup]:
        """Return the backups on record; none when the history cannot be read."""
        try:
            return self.history.backups()
        except HoldfastError:
            return []

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
                context.settings.databases[named].path.resolve(), f"{named} in backup.yaml"
            )
        return ChosenDatabase(user_path(named).resolve(), "named with --db")
    looked_at = []
    for chosen in _usual_places(context):
        if chosen.path.is_file():  # through a link, to the file itself: it has one name
            return replace(chosen, path=chosen.path.resolve())
        looked_at.append(str(chosen.path))
    raise DatabaseNotFound(
        f"no database found; looked at {', '.join(looked_at)}",
        hint="Name one with --db PATH, or try everything on invented data with --sample.",
    )


def _usual_places(context: Context) -> Iterator[ChosenDatabase]:
    for name, each in context.settings.databases.items():
        yield ChosenDatabase(each.path, f"{name} in backup.yaml")
        return  # what the person has named is meant, and said when it is not there
    yield ChosenDatabase(context.home.data / "soy.db", "it lies in the data folder")
    for profile in context.profiles:
        for path in location_paths(
            profile, context.environment, context.user_home, context.platform
        ):
            yield ChosenDatabase(path, f"{profile.title} keeps it there")
    for path in sorted(context.home.data.glob("*.db")):
        if path != context.home.sample:
            yield ChosenDatabase(path, "it lies in the data folder")
