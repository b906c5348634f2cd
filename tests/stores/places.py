"""The stores that the shared tests run over, by name: a new one is a line in STORES."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.encryption import NO_KEYS, Keys
from holdfast.formats import open_backup
from holdfast.profiles import StoreSettings
from holdfast.stores import Store, StoredBackup, open_store
from holdfast.stores.cloud import CloudObjects
from holdfast.stores.files_layout import FilesStore

OWNER, OTHER = "laptop-1f3a", "desk-77b0"
AT = "2026-11-20T03:00:00Z"
NEXT_DAY = "2026-11-21T03:00:00Z"

# Makes the store of one place anew, as another run or another machine has it.
OpenStore = Callable[..., Store]
# Makes a backup file by name, format and compression.
MakeBackup = Callable[..., Path]


def in_folder(request: pytest.FixtureRequest) -> OpenStore:
    tmp_path = request.getfixturevalue("tmp_path")
    (tmp_path / "disk").mkdir()

    def open_as(owner: str = OWNER) -> Store:
        return open_store("disk", StoreSettings(url="disk/backups"), owner, tmp_path, {})

    return open_as


def encrypted_in_folder(request: pytest.FixtureRequest) -> OpenStore:
    tmp_path, keys = request.getfixturevalue("tmp_path"), request.getfixturevalue("keys")
    (tmp_path / "disk").mkdir()

    def open_as(owner: str = OWNER) -> Store:
        settings = StoreSettings(url="disk/backups", encrypt=True)
        return open_store("disk", settings, owner, tmp_path, {}, keys=keys)

    return open_as


def pages_in_folder(request: pytest.FixtureRequest) -> OpenStore:
    tmp_path = request.getfixturevalue("tmp_path")
    (tmp_path / "disk").mkdir()
    settings = StoreSettings(url="disk/backups", layout="pages")

    def open_as(owner: str = OWNER) -> Store:
        return open_store("disk", settings, owner, tmp_path, {})

    return open_as


def in_memory(request: pytest.FixtureRequest) -> OpenStore:
    from obstore.store import MemoryStore

    objects = CloudObjects(MemoryStore(), "memory://")

    def open_as(owner: str = OWNER) -> Store:
        return FilesStore("memory", objects, owner, is_off_site=True)

    return open_as


def in_cloud(settings_fixture: str, layout: str) -> Callable[[pytest.FixtureRequest], OpenStore]:
    def make(request: pytest.FixtureRequest) -> OpenStore:
        settings = replace(request.getfixturevalue(settings_fixture), layout=layout)

        def open_as(owner: str = OWNER) -> Store:
            return open_store("cloud", settings, owner, Path(), os.environ)

        return open_as

    return make


def in_git(request: pytest.FixtureRequest) -> OpenStore:
    tmp_path = request.getfixturevalue("tmp_path")
    (tmp_path / "repositories").mkdir()

    def open_as(owner: str = OWNER) -> Store:
        settings = StoreSettings(url="git:repositories/backups")
        return open_store("git", settings, owner, tmp_path, os.environ)

    return open_as


# By name; each makes an empty place, and what opens a store in it.
STORES: dict[str, Callable[[pytest.FixtureRequest], OpenStore]] = {
    "folder": in_folder,
    "encrypted folder": encrypted_in_folder,
    "git": in_git,
    "memory": in_memory,
    "s3": in_cloud("s3_settings", "files"),
    "azure": in_cloud("azure_settings", "files"),
    "pages": pages_in_folder,
    "pages in s3": in_cloud("s3_settings", "pages"),
    "pages in azure": in_cloud("azure_settings", "pages"),
}


def names(store: Store) -> list[str]:
    return sorted(each.name for each in store.backups())


def digests(path: Path, keys: Keys = NO_KEYS) -> dict[str, str]:
    return dict(open_backup(path, keys).contents().trailer.digests)


def fetched(store: Store, backup: StoredBackup, folder: Path) -> Path:
    folder.mkdir()
    return store.fetch(backup, folder)
