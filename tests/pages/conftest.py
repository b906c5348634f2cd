"""Page copies of made-up and of real databases, and stores in folders that can be broken."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from holdfast import files
from holdfast.errors import StoreFailed
from holdfast.formats.sqlite_copy import MANIFEST_SUFFIX, Proof, StoredFile
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.stores.folder import FolderObjects
from holdfast.stores.interface import StoredBackup
from holdfast.stores.objects import ObjectFacts
from holdfast.stores.pages import collecting, packs
from holdfast.stores.pages.store import PagesStore

OWNER = "laptop-1f3a"
OTHER = "desk-00ff"
CREATED_AT = "2026-11-20T03:00:00Z"
NEXT_DAY = "2026-11-21T03:00:00Z"


def page_copy(path: Path, pages: str, page_size: int = 512) -> Path:
    """
    Write what the store takes for a page copy: a header, and one page for each letter.

    Two pages are equal when their letters are.
    """
    head = b"SQLite format 3\x00" + (page_size % 65535).to_bytes(2, "big")
    content = [head.ljust(page_size, b"\x00")]
    content += [hashlib.shake_128(letter.encode()).digest(page_size) for letter in pages]
    path.write_bytes(b"".join(content))
    proof = Proof(
        header=msgspec.Raw(b"{}"),
        trailer=msgspec.Raw(b"{}"),
        file=StoredFile(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size),
    )
    manifest_of(path).write_bytes(proof.text())
    return path


def manifest_of(path: Path) -> Path:
    return path.with_name(path.name + MANIFEST_SUFFIX)


def real_copy(context: Context, database: Path, path: Path, **options: object) -> Path:
    """Make a page copy of a real database, by an export."""
    export_backup(
        context,
        ExportOptions(database=str(database), format="sqlite", output=path, jobs=1, **options),  # type: ignore[arg-type]
    )
    return path


def pages_store(folder: Path, owner: str = OWNER) -> PagesStore:
    return PagesStore("disk", FolderObjects(folder), owner, is_off_site=False)


def fetched(store: PagesStore, backup: StoredBackup, folder: Path) -> bytes:
    """Fetch a backup into a folder that is made for it, and return the database's bytes."""
    folder.mkdir()
    return store.fetch(backup, folder).read_bytes()


def objects_in(folder: Path, kind: str = "") -> list[Path]:
    """All objects of a store, or those of one kind: key, pack, index, mark, backup."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    if kind == "backup":
        return [path for path in found if path.name.startswith("backup-")]
    return [path for path in found if kind in ("", path.parent.name)]


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in objects_in(folder))


def age(folder: Path, hours: float = 13) -> None:
    """Make all objects older by the store's clock: as if so long had passed."""
    for path in objects_in(folder):
        then = path.stat().st_mtime - hours * 3600
        os.utime(path, (then, then))


@pytest.fixture
def small_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few pages be many packs: four of 512 bytes to a pack, two to a frame."""
    monkeypatch.setattr(packs, "_FRAME_BYTES", 1024)
    monkeypatch.setattr(packs, "_PACK_BYTES", 2048)


@pytest.fixture(autouse=True)
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about a power cut, and thousands of small objects are put."""
    monkeypatch.setattr(files, "fsync_file", lambda file: file.flush())
    monkeypatch.setattr(files, "fsync_folder", lambda _folder: None)


class Cut(Exception):
    """The machine went off here."""


@dataclass
class Wrapped:
    """A store's objects, with something done before or after each operation."""

    inner: FolderObjects
    before: Callable[[str, str], None] = lambda _verb, _name: None
    after: Callable[[str, str], None] = lambda _verb, _name: None
    location: str = field(init=False)

    def __post_init__(self) -> None:
        self.location = self.inner.location

    def put(self, name: str, source: BinaryIO) -> bool:
        with self._around("put", name):
            return self.inner.put(name, source)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with self._around("open", name), self.inner.open(name) as file:
            yield file

    def read_range(self, name: str, start: int, length: int) -> bytes:
        with self._around("read", name):
            return self.inner.read_range(name, start, length)

    def list(self, prefix: str = "") -> Iterator[ObjectFacts]:
        with self._around("list", prefix):
            found = list(self.inner.list(prefix))
        yield from found

    def folders(self) -> Iterator[str]:
        with self._around("list", ""):
            found = list(self.inner.folders())
        yield from found

    def delete(self, name: str) -> None:
        with self._around("delete", name):
            self.inner.delete(name)

    @contextlib.contextmanager
    def _around(self, verb: str, name: str) -> Iterator[None]:
        self.before(verb, name)
        yield
        self.after(verb, name)


def failing_at(number: int, error: Exception, *verbs: str) -> Callable[[str, str], None]:
    """Raise at the operation of a number, from 0 on; with verbs, count those alone."""
    seen = iter(range(10_000))

    def fail(verb: str, _name: str) -> None:
        if (not verbs or verb in verbs) and next(seen) == number:
            raise error

    return fail


def wrapped_store(wrapped: Wrapped, owner: str = OWNER) -> PagesStore:
    return PagesStore("disk", wrapped, owner, is_off_site=False)


LOST = StoreFailed("the connection was lost", hint="Try again.")
GRACE_HOURS = collecting.GRACE_SECONDS / 3600
