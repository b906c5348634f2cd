"""The stores that the shared tests run over, by name: a new one is a line in STORES."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from holdfast.formats import open_backup
from holdfast.profiles import StoreSettings
from holdfast.stores import Store, StoredBackup, open_store

OWNER, OTHER = "laptop-1f3a", "desk-77b0"
AT = "2026-11-20T03:00:00Z"
NEXT_DAY = "2026-11-21T03:00:00Z"

# Makes the store of one place anew, as another run or another machine has it.
OpenStore = Callable[..., Store]
# Makes a backup file by name, format and compression.
MakeBackup = Callable[..., Path]


def in_folder(tmp_path: Path) -> OpenStore:
    settings = StoreSettings(url="disk/backups")
    (tmp_path / "disk").mkdir()

    def open_as(owner: str = OWNER) -> Store:
        return open_store("disk", settings, owner, tmp_path, {})

    return open_as


STORES: dict[str, Callable[[Path], OpenStore]] = {
    "folder": in_folder,
}


def names(store: Store) -> list[str]:
    return sorted(each.name for each in store.backups())


def digests(path: Path) -> dict[str, str]:
    return dict(open_backup(path).contents().trailer.digests)


def fetched(store: Store, backup: StoredBackup, folder: Path) -> Path:
    folder.mkdir()
    return store.fetch(backup, folder)
