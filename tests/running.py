"""Runs the real scripts, each in a process and a home of its own, and looks at what they left."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
# Of what can be made anew; one for all tests, as a person has one for all runs.
CACHE = tempfile.TemporaryDirectory(prefix="cache-of-tests-")
# What a process needs to start at all; nothing else of the person who runs the tests gets in.
KEPT_VARIABLES = ("PATH", "PYTHONPATH", "SYSTEMROOT")


def environment(home: Path) -> dict[str, str]:
    """The environment of a person who keeps Holdfast's home in `home`, their own beside it."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    scratch = home.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return kept | {
        "HOLDFAST_HOME": str(home),
        "HOME": str(home.parent),
        "LANG": "C.UTF-8",
        "TMPDIR": str(scratch),
        "XDG_CACHE_HOME": CACHE.name,
    }


def command(verb: str, *arguments: str | Path | bytes) -> list[str | bytes]:
    """The command line of a verb's script."""
    words = (word if isinstance(word, bytes) else str(word) for word in arguments)
    return [sys.executable, str(SCRIPTS / f"{verb}.py"), *words]


def run(
    home: Path, verb: str, *arguments: str | Path | bytes, exit_code: int = 0, **options: Any
) -> subprocess.CompletedProcess[str]:
    """
    Run a verb's script to its end, which must be `exit_code` and no traceback.

    Args:
        options: for subprocess.run, such as cwd.
    """
    usual: dict[str, Any] = {
        "env": environment(home),
        # Where nothing of the checkout is: what is cut short may leave something where it is.
        "cwd": home.parent,
        "stdout": subprocess.PIPE,
        "timeout": 180,
    }
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command(verb, *arguments),
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
        **(usual | options),
    )
    printed = done.stdout or ""
    said = f"exit code {done.returncode}\n{printed[-2000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr, said
    assert done.returncode == exit_code, said
    return done


def start(home: Path, verb: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """Start a verb's script, and leave it running."""
    return subprocess.Popen(
        command(verb, *arguments),
        env=environment(home),
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def reported(
    home: Path, verb: str, *arguments: str | Path, exit_code: int = 0, **options: Any
) -> dict[str, Any]:
    """Run a verb with --json and return its report."""
    done = run(home, verb, *arguments, "--json", exit_code=exit_code, **options)
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def make_database(path: Path, script: str) -> Path:
    """Make a database, or change the one that is there, with SQL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(script)
    return path


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in a database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def dump(path: Path) -> str:
    """The whole content of a database as SQL, as the standard library writes it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file of a folder and those below it, by its path from there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def limited_to(size: int) -> Callable[[], None]:
    """Let no file that a process writes grow beyond so many bytes, as on a disk that is full."""
    import resource  # which Windows lacks

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where an outside program is missing, but never where all are promised to be there."""
    missing = not shutil.which(program) and not os.environ.get("CI")
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")
