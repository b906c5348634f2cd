"""What backups take in a store that keeps each page once; bytes do not depend on the machine."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from bench.databases import NEWEST, RECIPES, SPREAD
from bench.measure import place, prepare

_PUT = (
    "printf 'databases: {live: %s}\\nstores: {pages: {url: %s, layout: pages}}\\n'"
    " {out}/live.db {made}/store > {home}/backup.yaml;"
    " rm -f {home}/output/*; {ours}/export.py --db live --format sqlite --to pages > /dev/null"
)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a database before its second backup, and what that may cost."""

    name: str
    sql: str
    bar: float  # the share of the first backup that must not be exceeded


CHANGES = (
    Change("nothing changed", "", 0.001),
    Change("the newest 1 % of the rows changed, 1 % added", NEWEST, 0.03),
    Change("1 % of the rows changed all over", SPREAD, 0.08),
)


@dataclass(frozen=True, slots=True)
class Space:
    """What two backups took."""

    change: Change
    database_bytes: int
    first_bytes: int
    second_bytes: int

    @property
    def share(self) -> float:
        return self.second_bytes / self.first_bytes

    @property
    def holds(self) -> bool:
        return self.share <= self.change.bar

    def line(self) -> str:
        """Say it in one line, for people."""
        sizes = (self.database_bytes, self.first_bytes, self.second_bytes)
        database, first, second = (f"{size / 1e6:,.2f} MB" for size in sizes)
        return (
            f"{self.change.name}: {database}; first backup {first}, second {second},"
            f" {self.share:.2%} (at most {self.change.bar:.1%})"
        )


def measure_space(change: Change, folder: Path) -> Space:
    """Put a database into an empty store, change it, and put it there again."""
    with place("messages-200", folder) as words:
        live, store = Path(words["out"]) / "live.db", Path(words["made"]) / "store"
        shutil.copy(RECIPES["messages-200"].make(folder), live)
        prepare(_PUT, words)
        first = _bytes(store)
        with contextlib.closing(sqlite3.connect(live)) as connection:
            connection.executescript(change.sql)
        prepare(_PUT, words)
        return Space(change, live.stat().st_size, first, _bytes(store) - first)


def _bytes(store: Path) -> int:
    return sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
