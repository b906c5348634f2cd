"""A folder as a place for objects: another disk, a mounted share, a synced folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from holdfast import files
from holdfast.errors import HoldfastError, ObjectMissing, StoreFailed, WriteFailed
from holdfast.stores.objects import ObjectFacts
from holdfast.times import utc_text


class FolderObjects:
    """Objects as files below one folder, made with the first of them where its parent is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.location = str(folder)

    def put(self, name: str, source: BinaryIO) -> bool:
        target = self.folder / name
        with self._translated():
            if self._is_there() and target.exists():
                return False
            return self._put(target, source)

    def _put(self, target: Path, source: BinaryIO) -> bool:
        # Unfinished ones lie in the folder itself, where they are found however many objects
        # the folder below has.
        with files.new_file(self.folder) as (file, partial):
            files.remove_leftovers(self.folder, partial.stat().st_mtime)
            files.make_folder(target.parent)
            with files.translated_errors(target):
                shutil.copyfileobj(source, file, files.COPY_BYTES)
                files.fsync_file(file)
            try:
                files.publish(partial, [target])
            except WriteFailed:
                if target.exists():  # another was quicker
                    return False
                raise
        return True

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        try:
            file = (self.folder / name).open("rb")
        except FileNotFoundError as error:
            raise ObjectMissing(
                f"{self.folder / name} is not there", hint="See what there is with status."
            ) from error
        except OSError as error:
            raise self._failed(error) from error
        with file:
            try:
                yield file
            except OSError as error:  # those of what is written meanwhile are no longer such
                raise self._failed(error) from error

    def read_range(self, name: str, start: int, length: int) -> bytes:
        with self.open(name) as file:
            file.seek(start)
            return file.read(length)

    def list(self, prefix: str = "") -> Iterator[ObjectFacts]:
        below = self.folder / prefix.rpartition("/")[0]
        with self._translated():
            is_there = self._is_there() and below.is_dir()
        if is_there:
            yield from self._walk(below, prefix)

    def _walk(self, folder: Path, prefix: str) -> Iterator[ObjectFacts]:
        try:
            # As whole names sort: a folder among its neighbours by its name and the slash.
            entries = sorted(os.scandir(folder), key=lambda each: each.name + "/" * each.is_dir())
            for entry in entries:
                name = Path(entry.path).relative_to(self.folder).as_posix()
                if entry.is_dir():
                    # What has no name of ours may be something that we must not read.
                    if f"{name}/".startswith(prefix):
                        yield from self._walk(Path(entry.path), prefix)
                elif name.startswith(prefix) and not entry.name.startswith(files.PARTIAL_PREFIX):
                    yield from _facts_of(entry, name)
        except OSError as error:
            raise self._failed(error) from error

    def folders(self) -> Iterator[str]:
        with self._translated():
            inside = list(os.scandir(self.folder)) if self._is_there() else []
            found = [each.name for each in inside if each.is_dir()]
        yield from found

    def delete(self, name: str) -> None:
        with self._translated():
            files.remove(self.folder / name)

    def _is_there(self) -> bool:
        """
        Tell whether the folder is there; StoreFailed where it could not even be made.

        Nothing is made where a disk should be: its copies would lie on the disk that is here.
        """
        if self.folder.exists():  # asked first: another machine may make it at this moment
            if self.folder.is_dir():
                return True
            raise StoreFailed(f"{self.folder} is no folder", hint="Name one in backup.yaml.")
        if self.folder.parent.is_dir():
            return False
        raise StoreFailed(
            f"{self.folder.parent} is not there",
            hint="Check that its disk is connected; or make that folder, if it is a new place.",
        )

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except StoreFailed:
            raise
        except HoldfastError as error:
            raise StoreFailed(str(error), hint=error.hint) from error
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> StoreFailed:
        return StoreFailed(
            f"{self.folder}: {error.strerror or error}",
            hint="Check that the disk is there, and that you may read and write the folder.",
        )


def _facts_of(entry: os.DirEntry[str], name: str) -> Iterator[ObjectFacts]:
    """Yield what is known of a file; nothing when it has just been deleted, as by a prune."""
    try:
        facts = entry.stat()
    except FileNotFoundError:
        return
    yield ObjectFacts(name, facts.st_size, utc_text(datetime.fromtimestamp(facts.st_mtime, UTC)))
