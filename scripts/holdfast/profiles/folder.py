"""The profiles that there are, and which of them fits a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from holdfast.errors import ProfileError
from holdfast.profiles.profile import Profile
from holdfast.profiles.reading import read_record

PACKAGE = Path(__file__).resolve().parents[1]


def profile_folder(package: Path = PACKAGE) -> Path:
    """The folder of the bundled profiles: inside the package in a wheel, else beside scripts/."""
    inside = package / "data" / "profiles"
    return inside if inside.is_dir() else package.parents[1] / "data" / "profiles"


def load_profiles(folder: Path, extra: Path | None = None) -> tuple[Profile, ...]:
    """
    Read the bundled profiles and the person's own, which win over bundled ones of their name.

    Args:
        folder: of the bundled profiles, each a file NAME.yaml.
        extra: of the person's own; it need not exist.

    Returns: sorted by name.
    Raises: ProfileError, naming file and key, when any of them is not valid.
    """
    own = read_folder(extra) if extra else {}
    profiles = read_folder(folder) | own
    return tuple(profiles[name] for name in sorted(profiles))


def recognise(profiles: Sequence[Profile], table_names: Iterable[str]) -> Profile | None:
    """The profile whose tables are all there; of several the one that names most, then the first.

    Upper and lower case are the same, as they are to SQLite.
    """
    present = {name.lower() for name in table_names}
    fitting = [
        profile
        for profile in profiles
        if profile.recognise and all(table.lower() in present for table in profile.recognise)
    ]
    return max(fitting, key=lambda profile: len(profile.recognise), default=None)


def read_folder(folder: Path) -> dict[str, Profile]:
    """The profiles of a folder by name; none when there is no folder."""
    try:
        # A dot file is never a profile: macOS leaves ._soy.yaml beside soy.yaml on some disks.
        paths = [path for path in sorted(folder.iterdir()) if path.match("[!.]*.yaml")]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProfileError(
            f"{folder}: cannot read the folder of profiles: {error.strerror}",
            hint="Make it a folder that you may read.",
        ) from error
    return {path.stem: read_profile(path) for path in paths}


def read_profile(path: Path) -> Profile:
    profile = read_record(path, Profile, ProfileError, path.parent)
    if profile.name != path.stem:
        raise ProfileError(
            f"{path.name}: name: give {path.stem}, as the file is called, not {profile.name}",
            hint=f"Or rename {path} to {profile.name}.yaml.",
        )
    return profile
