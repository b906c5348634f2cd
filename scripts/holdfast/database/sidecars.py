"""The files that SQLite keeps beside a database, and their names, which are its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from holdfast import files
from holdfast.errors import WriteFailed


def sidecars(path: Path) -> list[Path]:
    """Name the files that SQLite may keep beside a database, and would read as its own."""
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def move_with_sidecars(source: Path, target: Path) -> None:
    """Move a database file and what lies beside it, as far as they are there, as they are."""
    files.make_folder(target.parent)
    for old, new in zip([*sidecars(source), source], [*sidecars(target), target], strict=True):
        if old.exists():
            with files.translated_errors(new):
                shutil.move(old, new)


def complain_of_name(path: Path) -> None:
    """Refuse a name that SQLite gives to the log of a database, and would delete as such."""
    if path.name.endswith(("-wal", "-shm", "-journal")):
        raise WriteFailed(
            f"{path} is called as SQLite's own logs are, which it deletes",
            hint="Choose a name that does not end in -wal, -shm or -journal.",
        )
