"""Judges that nobody here wrote: programs that find differences and damage by themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running import KEPT_VARIABLES


def ask(*command: str | Path) -> str:
    """Run a judge and return what it printed; what it complains of fails the test."""
    program = str(command[0])
    if not shutil.which(program) and not os.environ.get("CI"):
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        errors="backslashreplace",
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
    )
    said = done.stderr.strip()
    assert (done.returncode, said) == (0, ""), f"{program}: {said} {done.stdout[-500:]}"
    return done.stdout


def sqldiff(old: Path, new: Path) -> str:
    """Return the SQL that would make one database of another, by SQLite's authors."""
    return ask("sqldiff", "--vtab", old, new)


def sha3sum(path: Path) -> str:
    """Hash a database's content and schema, as SQLite's own shell does."""
    return ask("sqlite3", path, ".sha3sum --schema")


# By the end of a file's name: the command that reads such files, some at a time.
_READERS = {
    ".zip": ["unzip", "-tqq"],
    ".zst": ["zstd", "-tq"],
    ".gz": ["gzip", "-t"],
    ".json": ["jq", "-e", "type"],
    ".jsonl": ["jq", "-e", "type"],
}
_AT_ONCE = 500


def complain_of_files(backup: Path) -> None:
    """Have every file of a backup read by the usual program for its kind."""
    files = backup.rglob("*") if backup.is_dir() else backup.parent.glob(f"{backup.name}*")
    found = sorted(path for path in files if path.is_file() and path.stat().st_size)
    for suffix, command in _READERS.items():
        of_kind = [path for path in found if path.suffix == suffix]
        for start in range(0, len(of_kind), _AT_ONCE):
            ask(*command, *of_kind[start : start + _AT_ONCE])
