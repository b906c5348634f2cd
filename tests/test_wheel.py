"""The wheel as people install it: with nothing else there, over an older one, and taken away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import uv
from filelock import FileLock

import holdfast
from tests.assistant.marketplace import NEXT, next_version, publish
from tests.conftest import rows, run_sql
from tests.older import ROOT, lines_of_readme, write_first_state

pytestmark = pytest.mark.slow

PIPX = "pipx==1.18.4"
# Of the person who runs the tests, and of the tests themselves.
NOT_KEPT = ("CI", "HOLDFAST_", "PIPX_", "PYTEST", "PYTHON", "VIRTUAL_ENV", "XDG_")
UV_CACHE = subprocess.run([uv.find_uv_bin(), "cache", "dir"], capture_output=True, text=True)


def build_wheel(tree: Path, folder: Path) -> Path:
    words = ["build", "--quiet", "--wheel", "--out-dir", str(folder), str(tree)]
    subprocess.run([uv.find_uv_bin(), *words], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built once for all processes that run tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "wheel"
    with FileLock(f"{folder}.lock"):
        return next(folder.glob("*.whl"), None) or build_wheel(ROOT, folder)


class Newcomer:
    """A person with an empty home, in a folder of their own, far from any checkout."""

    def __init__(self, folder: Path) -> None:
        self.user_home, self.cwd = folder / "user", folder / "project"
        for each in (self.user_home, self.cwd):
            each.mkdir()
        self.home = self.user_home / ".local" / "share" / "holdfast"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_KEPT)}
        self.environment = kept | {
            "HOME": str(self.user_home),
            # What was downloaded already is not fetched again.
            "UV_CACHE_DIR": UV_CACHE.stdout.strip(),
            "UV_LINK_MODE": "copy",
        }

    def run(self, *words: str | Path, ends_with: tuple[int, ...] = (0,)) -> str:
        """Run a program to its end, which must be one of these exit codes; what it printed."""
        done = subprocess.run(
            list(map(str, words)),
            cwd=self.cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode in ends_with, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def uv(self, *words: str | Path) -> str:
        return self.run(uv.find_uv_bin(), *words)

    def run_line(self, line: str, repository: Path) -> str:
        """Run a line of README, with this repository in the place of the one on the network."""
        tool, *words = line.replace("https://github.com/OWNER/REPO", repository.as_uri()).split()
        programs = {
            "uv": (uv.find_uv_bin(),),
            "uvx": (uv.find_uv_bin(), "tool", "run"),
            "pipx": (uv.find_uv_bin(), "tool", "run", "--quiet", PIPX),
        }
        return self.run(*programs[tool], *words)

    def environment_with(self, wheel: Path) -> Callable[..., str]:
        """Install a wheel into a new environment; what runs its program."""
        place = self.user_home / "environment"
        self.uv("venv", "--quiet", "--python", sys.executable, place)
        python = place / "bin" / "python"
        self.uv("pip", "install", "--quiet", "--python", python, wheel)
        where = self.run(python, "-c", "import holdfast; print(holdfast.__file__)")
        assert Path(where.strip()).is_relative_to(place)
        return lambda *words, **options: self.run(place / "bin" / "holdfast", *words, **options)

    def files(self) -> dict[str, bytes]:
        """All files of the home."""
        found = (path for path in self.home.rglob("*") if path.is_file())
        return {str(path.relative_to(self.home)): path.read_bytes() for path in found}


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path)


def test_every_verb_of_the_wheel_works_in_an_environment_with_nothing_else(
    wheel: Path, newcomer: Newcomer
) -> None:
    run = newcomer.environment_with(wheel)
    sample = newcomer.home / "data" / "sample.db"
    assert run("--version") == f"holdfast {holdfast.__version__}\n"
    saved = run("export", "--sample")
    assert "(22 tables, 5,000 rows, 1.6 MB, verified)" in saved and str(newcomer.home) in saved
    assert "verified (counts and digests)" in run("status", "--sample")
    run_sql(sample, "DELETE FROM tasks WHERE id > 330")
    assert "tasks: 10 removed" in run("diff", "latest", "live", "--sample")
    plan = run("import", "latest", "--sample", ends_with=(4,))
    confirmed = re.search(r"--confirm \w+", plan)
    assert confirmed is not None
    assert "10 inserted" in run("import", "latest", "--sample", *confirmed[0].split())
    assert "tasks: 10 rows taken out" in run("undo", "--sample", "--yes")
    assert "restored and equal; integrity and references" in run("verify", "all")
    run("export", "--sample", "--format", "zip")
    assert "proven equal" in run("restore", "latest", "--to", "again.db")
    assert rows(newcomer.cwd / "again.db", "SELECT count(*) FROM tasks") == [(330,)]
    assert "databases found" in run("discover")
    assert run("doctor", ends_with=(0, 3)).startswith("Looked at 0 databases and ")
    made = re.search(r"recipients: \[(age1\w+)\]", run("keys", "create"))
    assert made is not None
    run("export", "--sample", "--encrypt", "--recipient", made[1])
    assert "1 backup encrypted, 2 backups not." in run("keys", "check")
    assert "Plan: remove" in run("prune", "--keep-last", "1", ends_with=(4,))
    (newcomer.home / "backup.yaml").write_text("stores: {disk: copies}\n", encoding="utf-8")
    assert "got 3 of 3" in run("sync")
    assert "No schedule is installed." in run("schedule", "status")


def test_what_a_schedule_of_the_wheel_runs_makes_backups(wheel: Path, newcomer: Newcomer) -> None:
    run = newcomer.environment_with(wheel)
    run("export", "--sample")
    (newcomer.home / "backup.yaml").write_text("databases: {s: data/sample.db}\n", encoding="utf-8")
    shown = run("schedule", "show", "--with", "cron")
    line = re.search(
        r"^ *0 \* \* \* \* (.+ -m holdfast\.cli schedule run .+)$", shown, re.MULTILINE
    )
    assert line is not None
    newcomer.run("/bin/sh", "-c", line[1].replace("--if-due --every day --at 03:00", ""))
    assert len(list((newcomer.home / "output").glob("backup-*.json"))) == 2


def test_a_store_that_needs_the_extra_says_how_to_install_it(
    wheel: Path, newcomer: Newcomer
) -> None:
    run = newcomer.environment_with(wheel)
    run("export", "--sample")
    (newcomer.home / "backup.yaml").write_text("stores: {far: s3://a/b}\n", encoding="utf-8")
    said = run("sync", ends_with=(25,))
    assert "Install it with: pip install 'holdfast[cloud]'" in said


def test_uvx_runs_the_wheel(wheel: Path, newcomer: Newcomer) -> None:
    said = newcomer.uv("tool", "run", "--from", wheel, "holdfast", "export", "--sample")
    assert "5,000 rows, 1.6 MB, verified)" in said


def test_uvx_runs_what_is_in_the_repository_as_the_readme_says(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    repository = publish(ROOT, tmp_path / "repository")
    ((line,), _, _) = lines_of_readme("uvx")
    assert "5,000 rows, 1.6 MB, verified)" in newcomer.run_line(line, repository)


@pytest.mark.parametrize("tool", ["uv", "pipx"])
def test_the_lines_of_the_readme_install_update_and_uninstall_and_the_home_stays(
    tool: str, newcomer: Newcomer, tmp_path: Path
) -> None:
    (install,), (update,), (uninstall,) = lines_of_readme(tool)
    repository = publish(ROOT, tmp_path / "repository")
    newcomer.run_line(install, repository)
    program = newcomer.user_home / ".local" / "bin" / "holdfast"
    newcomer.run(program, "export", "--sample")
    before = newcomer.files()
    assert {"data/sample.db", "output/history.db"} < set(before)

    publish(next_version(tmp_path / "next"), repository)
    newcomer.run_line(update, repository)
    assert newcomer.run(program, "--version") == f"holdfast {NEXT}\n"
    status = newcomer.run(program, "status", "--sample")
    assert "1 backup file found." in status and "verified (counts and digests)" in status
    newcomer.run_line(uninstall, repository)
    assert not program.exists()
    assert newcomer.files() == before


def test_an_update_from_the_first_state_keeps_settings_history_and_backups(
    wheel: Path, newcomer: Newcomer, tmp_path: Path
) -> None:
    first = build_wheel(write_first_state(tmp_path / "first"), tmp_path / "first-wheel")
    run = newcomer.environment_with(first)
    newcomer.home.mkdir(parents=True)
    settings = newcomer.home / "backup.yaml"
    settings.write_text("output: backups\n", encoding="utf-8")
    history, sample = newcomer.home / "backups" / "history.db", newcomer.home / "data" / "sample.db"
    for form in ("json", "jsonl", "folder", "zip", "sqlite"):
        run("export", "--sample", "--format", form)
    run_sql(sample, "DELETE FROM tasks WHERE id > 330")
    run("import", "latest", "--sample", "--yes")
    known, done = (rows(history, f"SELECT * FROM {table}") for table in ("backups", "events"))
    before = newcomer.files()
    assert len(known) == 5 and len(done) == 6

    python = newcomer.user_home / "environment" / "bin" / "python"
    again = ("--quiet", "--reinstall-package", "holdfast", "--python", python)
    newcomer.uv("pip", "install", *again, wheel)
    status = run("status", "--sample")
    assert "5 backup files found." in status and "Warning" not in status
    assert status.count("verified (counts and digests)") == 5
    assert newcomer.files() == before
    assert run("verify", "all").count("integrity and references") == 5
    assert "1 restore point of" in run("undo", "--list", "--sample")
    assert "tasks: 10 rows taken out" in run("undo", "--sample", "--yes")
    assert rows(sample, "SELECT count(*) FROM tasks") == [(330,)]
    run("export", "--sample")
    later = [row[:-1] for row in rows(history, "SELECT * FROM backups")]
    columns = len(known[0])
    unproven = slice(0, columns - 2)  # the last two say what was proven, and when
    assert {row[unproven] for row in known} < {row[unproven] for row in later}
    assert set(done) < set(rows(history, "SELECT * FROM events"))

    after = newcomer.files()
    assert {name for name in before if after.get(name) != before[name]} == {
        "backups/history.db",
        "data/sample.db",
    }
    newcomer.uv("pip", "uninstall", "--quiet", "--python", python, "holdfast")
    assert newcomer.files() == after
