"""Runs commands in turn, and takes their time and their memory from outside."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.databases import RECIPES
from bench.works import Work

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    """One command that was run to its end."""

    seconds: float
    peak_mb: float  # of its largest process
    output_mb: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One work, after all rounds."""

    work: Work
    ours: tuple[Run, ...]
    peer: tuple[Run, ...]

    @property
    def ratios(self) -> list[float]:
        return [a.seconds / b.seconds for a, b in zip(self.ours, self.peer, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios of the pairs."""
        return statistics.median(self.ratios)

    @property
    def holds(self) -> bool:
        return self.work.bar is None or self.ratio <= self.work.bar


def measure(work: Work, folder: Path, rounds: int) -> Measured:
    """Run both commands of a work in turn, once to warm up and then `rounds` times."""
    with place(work.data, folder, once=work.once) as words:
        pairs = [
            (
                run(work.ours, words, work.before_ours),
                run(work.peer, words, work.before_peer),
            )
            for _ in range(rounds + 1)
        ][1:]
    ours, peer = zip(*pairs, strict=True)
    return Measured(work, ours, peer)


@contextlib.contextmanager
def place(data: str, folder: Path, *, once: str = "") -> Iterator[dict[str, str]]:
    """Yield what the placeholders of commands stand for, in a folder that is emptied afterwards."""
    database = RECIPES[data].make(folder)
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    for name in ("out", "made", "home"):
        (scratch / name).mkdir(parents=True)
    words = {
        "ours": f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'scripts'))}",
        "python": shlex.quote(sys.executable),
        "utils": f"{shlex.quote(sys.executable)} -m sqlite_utils",
        "db": shlex.quote(str(database)),
        "other": shlex.quote(str(changed(database))),
        "tables": " ".join(tables(database)),
        "scan": shlex.quote(scan(database)),
        "out": str(scratch / "out"),
        "made": str(scratch / "made"),
        "home": str(scratch / "home"),
    }
    if once:
        prepare(once, words)
    yield words
    shutil.rmtree(scratch)


def run(command: str, words: dict[str, str], before: str = "") -> Run:
    """Run one command in an empty folder; it must end well."""
    out = Path(words["out"])
    shutil.rmtree(out)
    out.mkdir()
    if before:
        prepare(before, words)
    os.sync()  # what others wrote is not to be paid for by this one
    start = time.perf_counter()
    process = _bash(command, words)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    _complain_of_failure(process.returncode, command)
    made = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Run(seconds, usage.ru_maxrss / 1024, made / 1e6)


def prepare(command: str, words: dict[str, str]) -> None:
    """Run a command that is not measured; it must end well."""
    _complain_of_failure(_bash(command, words).wait(), command)


def _complain_of_failure(exit_code: int, command: str) -> None:
    if exit_code not in (0, 3):
        sys.exit(f"bench: this failed with exit code {exit_code}: {command}")


def _bash(command: str, words: dict[str, str]) -> subprocess.Popen[bytes]:
    for name, value in words.items():
        command = command.replace(f"{{{name}}}", value)
    environment = os.environ | {"HOLDFAST_HOME": words["home"]}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # no user starts Python so
    return subprocess.Popen(
        ["bash", "-ec", command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )


def tables(database: Path) -> list[str]:
    """Name the tables of a database."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return [name for (name,) in rows if not name.startswith("sqlite_")]


def scan(database: Path) -> str:
    """Write SQL that touches every value of a database."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        statements = []
        for table in tables(database):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            touched = "+".join(f"coalesce(length({column}), 0)" for column in columns)
            statements.append(f"SELECT sum({touched}) FROM {table};")
    return " ".join(statements)


def changed(database: Path) -> Path:
    """Return a copy of a database in which one row of a hundred has changed, evenly spread."""
    path = database.with_name(f"{database.stem}-changed.db")
    if not path.exists():
        partial = path.with_suffix(".partial")
        shutil.copy(database, partial)
        with contextlib.closing(sqlite3.connect(partial)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            for table in tables(database):
                facts = connection.execute(f"PRAGMA table_info({table})").fetchall()
                text = next((row[1] for row in facts if row[2] == "TEXT" and not row[5]), None)
                if text is None:
                    continue
                # Where a rule allows only some values, a row stays as it is.
                connection.execute(
                    f"UPDATE OR IGNORE {table} SET {text} = {text} || '.' WHERE rowid % 100 = 0"
                )
            connection.commit()
        partial.rename(path)
    return path
