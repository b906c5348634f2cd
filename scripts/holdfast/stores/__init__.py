"""Places where backups are kept, besides the output folder: one line each in the registries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from holdfast import files
from holdfast.errors import SettingsError
from holdfast.profiles import StoreSettings
from holdfast.stores.files_layout import FilesStore
from holdfast.stores.folder import FolderObjects
from holdfast.stores.interface import Store, StoredBackup
from holdfast.stores.objects import Objects

__all__ = ["Objects", "Store", "StoredBackup", "open_objects", "open_store"]


def open_store(
    name: str, settings: StoreSettings, owner: str, base: Path, environment: Mapping[str, str]
) -> Store:
    """
    Return a store that backup.yaml names; nothing is asked of the place yet.

    Args:
        owner: the mark of this machine.
        base: where the path of a folder starts.

    Raises: SettingsError for an address or a layout that is not known.
    """
    objects = open_objects(name, settings, base, environment)
    is_off_site = settings.off_site
    if is_off_site is None:
        is_off_site = not isinstance(objects, FolderObjects)
    if settings.layout not in _LAYOUTS:
        raise SettingsError(f"stores.{name}.layout: {settings.layout} is not known")
    return _LAYOUTS[settings.layout](name, objects, owner, is_off_site=is_off_site)


def open_objects(
    name: str, settings: StoreSettings, base: Path, environment: Mapping[str, str]
) -> Objects:
    """Return the place for objects that a store lies in; raises as `open_store`."""
    scheme = re.match(r"([a-z][a-z0-9+.-]*)://", settings.url)
    kind = scheme[1] if scheme else ""
    if kind not in _PLACES:
        known = ", ".join(f"{each}://" for each in _PLACES if each)
        raise SettingsError(
            f"stores.{name}.url: {kind}:// is not known",
            hint=f"Give a folder, or an address that begins with {known}."
            if known
            else "Give a folder.",
        )
    return _PLACES[kind](settings, base, environment)


def _folder(settings: StoreSettings, base: Path, _environment: Mapping[str, str]) -> Objects:
    return FolderObjects(base / files.user_path(settings.url))


# By what an address begins with.
_PLACES: dict[str, Callable[[StoreSettings, Path, Mapping[str, str]], Objects]] = {"": _folder}
_LAYOUTS: dict[str, Callable[..., Store]] = {"files": FilesStore}
