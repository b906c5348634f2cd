"""Where a tool keeps its databases on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from holdfast.profiles.profile import Profile

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
    The absolute paths where a tool keeps its databases; looks at no file.

    Args:
        environment: an empty variable counts as one that is not set.
        home: the person's home folder.
        platform: as sys.platform says it.

    Returns: one path for each location of this system that can be expanded, in their order.
    """
    system = SYSTEM_NAMES.get(platform, platform)
    paths: dict[Path, None] = {}
    for location in profile.locations:
        if not location.systems or system in location.systems:
            expanded = (expand(template, environment, home) for template in location.paths)
            first = next((path for path in expanded if path), None)
            if first:
                paths[first] = None
    return tuple(paths)


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
