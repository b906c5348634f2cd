"""What gets a name is on the disk before, and its name soon after: a power cut finds it whole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.formats import WRITABLE
from tests.running import command, environment, make_database, needs, run

pytestmark = needs("strace")

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body); INSERT INTO notes VALUES (1, '{}');"
WRITING = ("write", "pwrite64", "ftruncate")
SYNCING = ("fsync", "fdatasync")
NAMING = ("link", "linkat", "rename", "renameat", "renameat2")


def system_calls(
    home: Path, folder: Path, verb: str, *words: str | Path
) -> Iterator[tuple[str, list[str]]]:
    """Run a verb to its end, and yield its calls that change a disk, each with its paths."""
    trace = folder / "trace"
    calls = f"trace={','.join((*WRITING, *SYNCING, *NAMING))}"
    options = ["-f", "--seccomp-bpf", "-y", "-qq", "-s", "0", "-o", str(trace), "-e", calls]
    variables = environment(home) | {"PYTHONDONTWRITEBYTECODE": "1"}
    traced = ["strace", *options, *command(verb, *words)]
    subprocess.run(traced, cwd=folder, env=variables, check=True)
    for line in trace.read_text(errors="replace").splitlines():
        found = re.match(r"\d+ +(\w+)\((?:\d+<([^>]*)>)?", line)
        if found:
            yield found[1], [found[2]] if found[2] else re.findall(r'"([^"]*)"', line)


def named(home: Path, folder: Path, verb: str, *words: str | Path) -> set[Path]:
    """
    Run a verb, and return the paths to which a finished file or folder was brought.

    Fails when its content was not on the disk by then, or its name is not by the end.
    """
    unwritten: set[Path] = set()  # files whose content may not be on the disk
    unlisted: set[Path] = set()  # names that may not be in their folder there
    names: set[Path] = set()
    for call, (path, *more) in system_calls(home, folder, verb, *words):
        first = Path(path)
        if call in WRITING:
            unwritten.add(first)
            unlisted |= {first} - names
        elif call in SYNCING:
            unwritten.discard(first)
            unlisted -= {each for each in unlisted if each.parent == first}
        else:
            inside = {each for each in unlisted if first in each.parents}
            late = inside | {each for each in unwritten if each.is_relative_to(first)}
            assert late == set(), f"not on the disk as {first.name} becomes {more[0]}"
            names.add(Path(more[0]))
            unlisted.add(Path(more[0]))
    assert names & unlisted == set()
    return names


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return make_database(tmp_path / "notes.db", NOTES.format("new"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return make_database(tmp_path / "old" / "notes.db", NOTES.format("old"))


@pytest.mark.parametrize("form", WRITABLE)
def test_a_backup_is_on_the_disk_before_it_has_its_name(home, notes, tmp_path, form):
    target = tmp_path / "made" / "backup"
    words = ["--db", notes, "--format", form, "--output", target]
    assert target in named(home, tmp_path, "export", *words)


@pytest.mark.parametrize("form", ["jsonl", "sqlite"])  # of rows, and of pages
@pytest.mark.parametrize("force", [False, True])
def test_a_restored_database_is_on_the_disk_before_it_has_its_name(
    home, notes, old, tmp_path, form, force
):
    backup, target = tmp_path / "backup", old if force else tmp_path / "new" / "notes.db"
    run(home, "export", "--db", notes, "--format", form, "--output", backup)
    found = named(
        home, tmp_path, "restore", backup, "--to", target, *(["--force"] if force else [])
    )
    assert target in found
    assert any(path.parent.name == "restore-points" for path in found) == force


def test_what_an_import_and_its_undo_keep_is_on_the_disk_before_it_has_its_name(
    home, notes, old, tmp_path
):
    backup = tmp_path / "backup.json"
    run(home, "export", "--db", notes, "--output", backup)
    for verb, words in (("import", [backup]), ("undo", [])):
        found = named(home, tmp_path, verb, *words, "--db", old, "--yes")
        assert {path.parent.name for path in found} == {"restore-points"}
