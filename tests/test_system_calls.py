"""Killed, or refused by the disk, at each system call: all is old or new, never in between."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holdfast.history import History
from tests.running import dump, make_database, needs, rows, run
from tests.tracing import CHANGING, Traced, tracing

pytestmark = [pytest.mark.slow, needs("strace")]

TABLES = """
PRAGMA journal_mode = {};
CREATE TABLE contacts (id INTEGER PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE log (what TEXT);
INSERT INTO contacts VALUES (1, '{}'), (2, '{}'), (3, '{}');
"""


@dataclass(frozen=True)
class Change:
    """A verb that changes a database, ready to be run again and again from the same start."""

    folder: Path
    words: tuple[str, ...]
    old: str
    new: str

    @property
    def database(self) -> Path:
        return self.folder / "work" / "data" / "crm.db"

    def again(self) -> None:
        """Put everything back as it was before the change."""
        shutil.rmtree(self.folder / "work")
        shutil.copytree(self.folder / "start", self.folder / "work", copy_function=shutil.copy2)

    def outcome(self) -> str:
        """Open the database as its own program would, and say what it holds."""
        assert rows(self.database, "PRAGMA integrity_check") == [("ok",)]
        content = dump(self.database)
        assert content in (self.old, self.new)
        return "new" if content == self.new else "old"

    def copies(self) -> list[str]:
        """Return the content of each restore point that an undo would find."""
        points = History(self.folder / "work" / "home" / "output").restore_points(self.database)
        return [dump(point.path) for point in points]


def prepared(folder: Path, verb: str, journal_mode: str) -> Change:
    work = folder / "work"
    home, database, backup = work / "home", work / "data" / "crm.db", work / "crm.json"
    make_database(database, TABLES.format(journal_mode, *["new"] * 3))
    run(home, "export", "--db", database, "--output", backup)
    database.unlink()
    make_database(database, TABLES.format(journal_mode, *["old"] * 3))
    before = dump(database)
    words = ("restore", str(backup), "--to", str(database), "--force")
    if verb != "restore":
        words = ("import", str(backup), "--db", str(database), "--yes")
    if verb == "undo":
        run(home, *words)
        before = dump(database)
        [point] = (home / "output" / "restore-points").iterdir()
        words = ("undo", point.stem, "--db", str(database), "--yes")
    shutil.copytree(work, folder / "start")
    run(home, *words)
    after = dump(database)
    assert after != before
    return Change(folder, words, before, after)


CASES = [
    pytest.param((verb, mode), id=f"{verb}-{mode}")
    for verb in ("import", "undo", "restore")
    for mode in ("delete", "wal")
]


@pytest.fixture(params=CASES, scope="module")
def change(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Change:
    return prepared(tmp_path_factory.mktemp("change"), *request.param)


@pytest.fixture(scope="module")
def traced(change: Change) -> Iterator[Traced]:
    with tracing(change.folder / "work" / "home", change.folder) as traced:
        yield traced


def each_call(
    change: Change, traced: Traced, choose: Callable[[list[int]], list[int]]
) -> Iterator[tuple[str, int]]:
    """Yield the system calls of a whole run by name and number; before each, all is as it was."""
    change.again()
    code, said = traced.run(*change.words)
    assert (code, change.outcome()) == (0, "new"), said
    calls = traced.calls()
    assert calls["pwrite64"][-1] > 20 and calls["unlink"]
    assert sum(calls[name][-1] for name in ("fsync", "fdatasync") if name in calls) > 5
    for name, numbers in calls.items():
        for number in choose(numbers):
            change.again()
            yield name, number


def test_killed_at_any_system_call_all_is_old_or_new_and_the_next_run_works(change, traced):
    found: Counter[str] = Counter()
    for turn, (name, number) in enumerate(each_call(change, traced, list)):
        code, said = traced.run(*change.words, fault=f"{name}:signal=KILL:when={number}")
        assert code == -9, (name, number, said)
        outcome = change.outcome()
        found[outcome] += 1
        if outcome == "new":
            assert change.old in change.copies(), (name, number)
        elif turn % 5 == 0:
            code, said = traced.run(*change.words)
            assert (code, change.outcome()) == (0, "new"), (name, number, said)
    assert found["old"] > 20 and found["new"] > 1


# One call that fails, and a disk that stays full.
ERRORS = {"EIO:when={}": CHANGING, "ENOSPC:when={}+": ("pwrite64", "ftruncate", "link", "linkat")}


def some(numbers: list[int]) -> list[int]:
    return numbers[:: len(numbers) // 5 + 1]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_of_the_disk_at_any_system_call_ends_in_old_or_new_and_says_which(
    change, traced, error
):
    for name, number in each_call(change, traced, some):
        if name not in ERRORS[error]:
            continue
        code, said = traced.run(*change.words, fault=f"{name}:error={error.format(number)}")
        outcome = change.outcome()
        where = (name, number, code, outcome, said)
        assert "Traceback" not in said and "unexpectedly" not in said, where
        if "Error: all is done, but the report cannot be written" in said:
            assert (code, outcome) == (24, "new"), where
        else:
            assert code in ((24, 28) if outcome == "old" else (0, 3)), where
