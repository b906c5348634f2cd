"""What the person has set in backup.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from holdfast.errors import SettingsError
from holdfast.profiles.reading import read_record
from holdfast.profiles.shape import ShortName

SETTINGS_FILE = "backup.yaml"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """One database to back up."""

    shorthand: ClassVar[str] = "path"

    path: Path
    profile: ShortName | None = None  # None: the one that recognises its tables


@dataclass(frozen=True, slots=True)
class Settings:
    """What backup.yaml says; a new key is a new field, a path in it starts at the home."""

    databases: Mapping[ShortName, DatabaseSettings] = field(default_factory=dict)
    output: Path | None = None  # None: the home's own output folder


def load_settings(home: Path) -> Settings:
    """
    Read backup.yaml of the home; all paths in it come out absolute when `home` is.

    Returns: empty Settings when there is no such file.
    Raises: SettingsError, naming the key, when it is not valid.
    """
    try:
        return read_record(home / SETTINGS_FILE, Settings, SettingsError, home)
    except FileNotFoundError:
        return Settings()
