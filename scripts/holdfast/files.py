"""Files that appear whole or not at all, and are never overwritten."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import ReadFailed, WriteFailed

PARTIAL_PREFIX = ".partial-"
_SCRATCH_PREFIX = "holdfast-"
COPY_BYTES = 1024 * 1024
_SYNC_BYTES = 32 * 1024 * 1024
_SYNC_SECONDS = 0.1
_LEFTOVER_SECONDS = 24 * 3600  # a partial file this old belongs to no running program


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors on writing `path` into WriteFailed."""
    try:
        yield
    except BrokenPipeError:  # who reads our output has had enough: the command line deals with it
        raise
    except OSError as error:
        raise WriteFailed(
            f"cannot write {path}: {error.strerror or error}",
            hint="Free some space, or choose a folder that you may write to.",
        ) from error


@contextlib.contextmanager
def reading(path: Path | None = None) -> Iterator[None]:
    """Turn the system's errors on reading `path`, or what they name, into ReadFailed."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ReadFailed(
            f"cannot read {error.filename or path or 'a file'}: {error.strerror or error}",
            hint="Check that you may read it and the folders above it; if so, see to the disk.",
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder and its parents, for the owner's eyes alone; one that is there stays."""
    with translated_errors(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def new_file(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """
    Yield an open file of a hidden name in `folder`, for reading and writing, mode 0600.

    `publish` gives it its name; what is not published by the end of the block is deleted.
    """
    make_folder(folder)
    # The name is known before the file is there: a signal at any moment leaves nothing.
    partial = folder / f"{PARTIAL_PREFIX}{os.urandom(8).hex()}"
    try:
        with translated_errors(folder):
            handle = os.open(partial, _CREATE, 0o600)
        # Closing writes what is left in the buffer, and can fail like any writing.
        with translated_errors(folder), os.fdopen(handle, "w+b") as file:
            yield file, partial
    finally:
        for path in folder.glob(f"{partial.name}*"):  # with what SQLite puts beside it
            with contextlib.suppress(OSError):  # what stays is hidden, and goes after a day
                path.unlink()


@contextlib.contextmanager
def new_folder(parent: Path) -> Iterator[Path]:
    """Yield an empty folder of a hidden name in `parent`; otherwise as `new_file`."""
    make_folder(parent)
    partial = parent / f"{PARTIAL_PREFIX}{os.urandom(8).hex()}"
    try:
        with translated_errors(parent):
            partial.mkdir(mode=0o700)
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def create(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file for writing, mode 0600, in a folder that is not yet published."""
    make_folder(path.parent)
    with translated_errors(path), os.fdopen(os.open(path, _CREATE, 0o600), "wb") as file:
        yield file
        fsync_file(file)


_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def publish(partial: Path, candidates: Iterable[Path], *, manifest_suffix: str = "") -> Path:
    """
    Give a finished file or folder the first of the names that is free, on disk for good.

    Args:
        manifest_suffix: of a file that lies beside the finished one and goes with it; it gets
            its name first, so that no file ever stands there without it.

    Returns: the name taken. Raises: WriteFailed when none is free.
    """
    taken: Path | None = None
    hidden = partial.with_name(partial.name + manifest_suffix)
    for taken in candidates:
        beside = Path(f"{taken}{manifest_suffix}")
        with translated_errors(taken):
            if manifest_suffix and (taken.exists() or not _link(hidden, beside)):
                continue
            if _link(partial, taken):
                try:
                    fsync_folder(taken.parent)
                except OSError:
                    for path in (taken, beside):  # what was not put on disk is not there
                        with contextlib.suppress(OSError):
                            path.unlink()
                    raise
                return taken
            if manifest_suffix:  # another has taken the name since: it goes on to the next
                beside.rename(hidden)
    raise WriteFailed(
        f"{taken} is already there", hint="Nothing is ever overwritten: name another."
    )


def _link(partial: Path, target: Path) -> bool:
    """Rename without overwriting; False when the name is taken."""
    try:
        os.link(partial, target)
    except FileExistsError:
        return False
    except OSError:  # a folder, or a file system without hard links
        if os.path.lexists(target):
            return False
        os.rename(partial, target)
        return True
    with contextlib.suppress(OSError):  # it has its name; the hidden one goes later
        os.unlink(partial)
    return True


def fsync_file(file: BinaryIO) -> None:
    """Put what was written on the disk itself."""
    file.flush()
    os.fsync(file.fileno())


@contextlib.contextmanager
def put_on_disk_meanwhile(path: Path) -> Iterator[None]:
    """Put what is written to a large file on the disk bit by bit: less is left at its end."""
    is_over = threading.Event()

    def work(file: BinaryIO) -> None:
        done = 0
        while not is_over.wait(_SYNC_SECONDS):
            size = os.fstat(file.fileno()).st_size
            if size - done >= _SYNC_BYTES:
                os.fsync(file.fileno())
                done = size

    with path.open("r+b") as file, ThreadPoolExecutor(1) as thread:
        working = thread.submit(work, file)
        try:
            yield
        finally:
            is_over.set()
        working.result()  # the system tells of an error once, and no later fsync hears of it


def fsync_path(path: Path) -> None:
    """Put what others wrote to a file on the disk itself."""
    with translated_errors(path), path.open("r+b") as file:  # as Windows wants it
        os.fsync(file.fileno())


def fsync_folder(folder: Path) -> None:
    """Put a folder's names on the disk: without it a power cut can undo a rename."""
    if os.name == "nt":  # Windows cannot open folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def text_of(path: Path | None) -> str:
    """Write a path as text that any program takes; bytes that are not UTF-8 show as \\xff."""
    if path is None:
        return ""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def files_in(folder: Path) -> list[Path]:
    """List the files of a backup that is a folder, without what systems and git leave there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return [path for path in found if not any(map(_LITTER.fullmatch, path.parts))]


_LITTER = re.compile(r"\..*|Thumbs\.db|desktop\.ini", re.DOTALL)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a backup that is a folder."""
    if path.is_dir():
        return sum((path / each).stat().st_size for each in files_in(path))
    return path.stat().st_size


def modified_ns(path: Path) -> int:
    """Return when a file, or any file in a folder, was last written, in nanoseconds."""
    inside = path.rglob("*") if path.is_dir() else ()
    return max(int(each.stat().st_mtime_ns) for each in (path, *inside))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_open_to_others(path: Path) -> bool:
    """Tell whether others than its owner may read a file; False where the system does not say."""
    with contextlib.suppress(OSError):
        return os.name != "nt" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    return False


def remove(path: Path) -> None:
    """Delete a file, if it is there."""
    with translated_errors(path):
        path.unlink(missing_ok=True)


def remove_whole(path: Path) -> None:
    """Delete a file, or a folder and all in it, if it is there; no part stands for the whole."""
    try:
        if path.is_dir() and not path.is_symlink():
            with new_folder(path.parent) as hidden:  # which goes with what is in it
                path.rename(hidden / path.name)
        else:
            path.unlink(missing_ok=True)
    except FileNotFoundError:  # another was quicker
        return
    except OSError as error:
        raise WriteFailed(
            f"cannot delete {path}: {error.strerror or error}",
            hint="Check that you may write to its folder, and that no program has it open.",
        ) from error


def make_empty(path: Path) -> None:
    """Make an empty file that only its owner can read."""
    with translated_errors(path):
        os.close(os.open(path, _CREATE, 0o600))


def fill(target: Path, source: BinaryIO, digest: hashlib._Hash | None = None) -> None:
    """Copy what is left of an open file into an empty one, on disk for good; `digest` sees it."""
    with translated_errors(target), target.open("wb") as file:
        with put_on_disk_meanwhile(target):
            while block := source.read(COPY_BYTES):
                file.write(block)
                if digest:
                    digest.update(block)
        fsync_file(file)


def replace_content(path: Path, content: bytes) -> None:
    """Write a small file at once, in the place of one of its name, whose mode it takes."""
    target = resolved(path)
    with new_file(target.parent) as (file, partial):
        with translated_errors(path):
            file.write(content)
            fsync_file(file)
            file.close()  # Windows puts no file that is open in the place of another
        if target.exists():
            take_over(partial, target)
        else:
            publish(partial, [target])


def user_path(text: str) -> Path:
    """Make a path of what a person typed; ~ stands for a home, where there is such a one."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no home is known for it: then it is a name like any other
        return Path(text)


def resolved(path: Path) -> Path:
    """Follow the links to where a path leads; one that leads in a circle ends in it."""
    return Path(os.path.realpath(path))  # Path.resolve() raises RuntimeError for a circle


def take_over(partial: Path, target: Path) -> None:
    """Put a finished file in the place of another, whose mode and owner it takes; at once."""
    with translated_errors(target):
        old = target.stat()
        partial.chmod(stat.S_IMODE(old.st_mode))
        if hasattr(os, "chown") and (old.st_uid, old.st_gid) != (os.getuid(), os.getgid()):
            os.chown(partial, old.st_uid, old.st_gid)
        partial.replace(target)
    # It has happened, whatever this says; and after a power cut the old one would be whole, too.
    with contextlib.suppress(OSError):
        fsync_folder(target.parent)


def remove_leftovers(folder: Path, now: float, *, prefix: str = PARTIAL_PREFIX) -> None:
    """Delete the unfinished files of programs that were killed, once they are a day old."""
    for path in folder.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime <= _LEFTOVER_SECONDS:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a private folder that is gone afterwards; those of killed programs go too."""
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError as error:
        raise WriteFailed(
            f"no folder for temporary files can be written: {error.strerror or error}",
            hint="Free some space, or name a folder that you may write to in TMPDIR.",
        ) from error
    with translated_errors(temporary):
        folder = tempfile.TemporaryDirectory(prefix=_SCRATCH_PREFIX, ignore_cleanup_errors=True)
    with folder as name:
        remove_leftovers(temporary, Path(name).stat().st_mtime, prefix=_SCRATCH_PREFIX)
        yield Path(name)
