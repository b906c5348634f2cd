"""
Places where backups are kept, besides the output folder: each found by its address.

What lies behind a store is loaded when one is opened: most commands open none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from holdfast import files
from holdfast.encryption import NO_KEYS, Keys
from holdfast.errors import SettingsError
from holdfast.profiles import StoreSettings
from holdfast.stores.interface import Store, StoredBackup
from holdfast.stores.objects import Objects

__all__ = ["Objects", "Store", "StoredBackup", "credential_files", "open_objects", "open_store"]


def open_store(
    name: str,
    settings: StoreSettings,
    owner: str,
    base: Path,
    environment: Mapping[str, str],
    keys: Keys = NO_KEYS,
    wait_seconds: float | None = None,
) -> Store:
    """
    Return a store that backup.yaml names; nothing is asked of the place yet.

    Args:
        owner: the mark of this machine.
        base: where the path of a folder starts.
        keys: for whom backups are encrypted on their way in, and what opens them.
        wait_seconds: how long each answer of a service may take; None: as a slow line needs.

    Raises: SettingsError for an address, an option or a layout that is not known.
    """
    if settings.is_git:
        from holdfast.stores.git import GitStore

        if settings.encrypt:
            raise SettingsError(
                f"backup.yaml: stores.{name}.encrypt: a git repository keeps rows that can be"
                " compared",
                hint="Leave it out, or choose another kind of store.",
            )
        folder = base / files.user_path(settings.place)
        return GitStore(name, folder, owner, environment, settings)
    if settings.encrypt and not keys.can_encrypt:
        raise SettingsError(
            f"backup.yaml: stores.{name}.encrypt: nobody is named who could open what is encrypted",
            hint="Name public keys in encryption.recipients, or set HOLDFAST_PASSPHRASE.",
        )
    objects = open_objects(name, settings, base, environment, wait_seconds)
    is_off_site = settings.off_site
    if is_off_site is None:
        is_off_site = _scheme(settings.url) != ""
    layout: Callable[..., Store]
    if settings.layout == "pages":
        from holdfast.stores.pages.store import PagesStore

        layout = PagesStore
    else:
        from holdfast.stores.files_layout import FilesStore

        layout = FilesStore
    return layout(
        name,
        objects,
        owner,
        is_off_site=is_off_site,
        keys=keys,
        encrypts=keys.can_encrypt if settings.encrypt is None else settings.encrypt,
    )


def open_objects(
    name: str,
    settings: StoreSettings,
    base: Path,
    environment: Mapping[str, str],
    wait_seconds: float | None = None,
) -> Objects:
    """Return the place for objects that a store lies in; raises as `open_store`."""
    scheme = _scheme(settings.url)
    if not scheme:
        from holdfast.stores.folder import FolderObjects

        return FolderObjects(base / files.user_path(settings.url))
    if scheme not in _CLOUDS:
        raise SettingsError(
            f"backup.yaml: stores.{name}.url: {scheme}:// is not known",
            hint="Give a folder, or an address that begins with git:, s3://, gs:// or az://.",
        )
    from holdfast.stores.cloud_access import open_cloud

    return open_cloud(name, settings, environment, wait_seconds)


def _scheme(url: str) -> str:
    """What an address begins with, such as s3; "" for a folder."""
    found = re.match(r"([a-z][a-z0-9+.-]*)://", url)
    return found[1] if found else ""


def credential_files(address: str, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Name the files of this machine that log in to where an address leads, there or not."""
    if "://" not in address:
        return ()
    from holdfast.stores import cloud_access

    return cloud_access.credential_files(address, environment)


_CLOUDS = ("s3", "gs", "az")
