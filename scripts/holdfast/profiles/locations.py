"""Where a tool keeps its databases on this machine."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from msgspec import Struct

from holdfast.profiles.profile import Location, Profile, Registry

SYSTEM_NAMES = {"darwin": "macos", "win32": "windows"}  # sys.platform to the word in profiles

# Source: https://specifications.freedesktop.org/basedir-spec/latest/
XDG_DEFAULTS = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}


def location_paths(
    profile: Profile, environment: Mapping[str, str], home: Path, platform: str
) -> tuple[Path, ...]:
    """
    The absolute paths where a tool keeps its databases, or may: patterns stand as they are.

    Args:
        environment: an empty variable counts as one that is not set.
        home: the person's home folder.
        platform: as sys.platform says it.

    Returns: one path for each location of this system that can be expanded, in their order; what
        a registry names is not among them. Looks at no file.
    """
    found = _expanded(profile, environment, home, platform)
    return tuple(dict.fromkeys(place.path for place in found if not place.location.registry))


def databases_at(
    profile: Profile, environment: Mapping[str, str], home: Path, platform: str
) -> tuple[Path, ...]:
    """
    The files that are at a tool's locations, whatever is in them; patterns are followed.

    Args: as of `location_paths`.
    Returns: in the order of the locations, and by name within one. What cannot be looked at is
        not there.
    """
    paths: dict[Path, None] = {}
    for place in _expanded(profile, environment, home, platform):
        found = (
            _registered(place.path, place.location.registry)
            if place.location.registry
            else sorted(Path(place.path.anchor).glob(place.pattern))
        )
        paths.update(dict.fromkeys(path for path in found if _is_file(path)))
    return tuple(paths)


class _Place(Struct, frozen=True):
    location: Location
    path: Path
    pattern: str  # the same below its root, where only the template's own * and ? are patterns


def _expanded(
    profile: Profile, environment: Mapping[str, str], home: Path, platform: str
) -> Iterator[_Place]:
    system = SYSTEM_NAMES.get(platform, platform)
    for location in profile.locations:
        if location.systems and system not in location.systems:
            continue
        for template in location.paths:
            path = expand(template, environment, home)
            if path:
                plain = {name: glob.escape(value) for name, value in environment.items()}
                escaped = expand(template, plain, Path(glob.escape(str(home)))) or path
                yield _Place(location, path, str(escaped.relative_to(path.anchor)))
                break


def _registered(path: Path, registry: Registry) -> list[Path]:
    """The databases in the folders that a tool's own list names; none when it is not as told."""
    try:
        items = json.loads(path.read_bytes())
        for key in registry.items.split("."):
            items = items[key]
        folders = [Path(item[registry.folder]) for item in items]
        return [folder / registry.database for folder in folders if folder.is_absolute()]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def expand(template: str, environment: Mapping[str, str], home: Path) -> Path | None:
    """The path, or None when a variable is not set or the path would not be absolute."""
    values = {name: str(home / folder) for name, folder in XDG_DEFAULTS.items()}
    for name, value in environment.items():
        if value and (name not in XDG_DEFAULTS or Path(value).is_absolute()):
            values[name] = value
    try:
        text = Template(template).substitute(values)
    except KeyError:
        return None
    path = home / text[2:] if text.startswith("~/") else Path(text)
    return path if path.is_absolute() else None
