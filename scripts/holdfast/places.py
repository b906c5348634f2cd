"""Where things are kept: the home with its two folders, `data` and `output`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from holdfast.checkouts import is_checkout
from holdfast.files import user_path

_ROOT = Path(__file__).resolve().parent.parent.parent  # of a checkout or an installed plugin


class Home(Struct, frozen=True):
    """The folder that holds a person's settings, databases and backups."""

    path: Path  # absolute

    @property
    def data(self) -> Path:
        """Databases that have no other home."""
        return self.path / "data"

    @property
    def output(self) -> Path:
        """Backups, unless the settings name another folder."""
        return self.path / "output"

    @property
    def profiles(self) -> Path:
        """The person's own profiles, one YAML file each."""
        return self.path / "profiles"

    @property
    def key(self) -> Path:
        """The key that opens encrypted backups, unless the person keeps it elsewhere."""
        return self.path / "key.txt"

    @property
    def sample(self) -> Path:
        return self.data / "sample.db"


def find_home(environment: Mapping[str, str]) -> Home:
    """
    Find the home: HOLDFAST_HOME, else the checkout this runs from, else the user's data folder.

    An installed plugin's own folder is never it: an update replaces that folder.
    """
    chosen = environment.get("HOLDFAST_HOME")
    if chosen:
        return Home(user_path(chosen).absolute())
    if is_checkout(_ROOT):
        return Home(_ROOT)
    import platformdirs

    return Home(Path(platformdirs.user_data_dir("holdfast", appauthor=False)))
