"""A release is refused for each thing that is not as it should be; none leaves this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import holdfast
import release

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("scripts", "data/profiles", "data/sample", ".claude-plugin")
FILES = ("pyproject.toml", "README.md", "LICENSE", "plugin.json", "gemini-extension.json")
VERSION = "0.1.0"
CHANGELOG = """# Changelog

## [Unreleased]

## [0.1.0] - 2026-11-20

### Added

- `/backup export` makes a backup.

## [0.0.9]

- Nothing of this.
"""
# In the place of the tests: notes how it was called, and fails or litters when it is told to.
TESTS = """
import pathlib, subprocess, sys
if sys.argv[1:2] == ["--run"]:
    sys.exit(subprocess.run([sys.executable, "-m", *sys.argv[2:]]).returncode)
with open(".git/checked", "a") as file:
    print(*sys.argv[1:], file=file)
if pathlib.Path(".git/litters").exists():
    pathlib.Path("litter").touch()
sys.exit(pathlib.Path(".git/fails").exists())
"""


class Repository:
    """A clone of a small repository with all that a release looks at."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.origin = folder / "clone", folder / "origin.git"

    def git(self, *words: str, cwd: Path | None = None) -> str:
        command = ["git", "-c", "user.name=Test", "-c", "user.email=", *words]
        done = subprocess.run(
            command, cwd=cwd or self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        named = {"GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@test.invalid"}
        return kept | named | {"GIT_CONFIG_GLOBAL": os.devnull}

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-gpg-sign", "--message", "Change")

    def release(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "release.py"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def complaint(self) -> str:
        """Ask for a release, which must be refused before anything is done."""
        tags = self.git("tag", "--list")
        done = self.release()
        assert (done.returncode, done.stdout) == (1, "")
        assert self.git("tag", "--list") == tags
        assert not (self.folder / "dist").exists()
        assert not (self.folder / ".git" / "checked").exists()
        return done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    for name in SHIPPED:
        no_caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, made.folder / name, ignore=no_caches)
    for name in (*FILES, "release.py", ".gitignore"):
        shutil.copy(ROOT / name, made.folder / name)
    own = made.folder / "scripts" / "holdfast" / "__init__.py"
    own.write_text(f'"""Holdfast."""\n\n__version__ = "{VERSION}"\n', encoding="utf-8")
    (made.folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    (made.folder / "tests").mkdir()
    (made.folder / "tests" / "__main__.py").write_text(TESTS, encoding="utf-8")
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit()
    made.git("clone", "--quiet", "--bare", str(made.folder), str(made.origin))
    made.git("remote", "add", "origin", str(made.origin))
    return made


def edit(repository: Repository) -> None:
    repository.replace("README.md", "Holdfast", "Slowfast")


def add_a_file(repository: Repository) -> None:
    (repository.folder / "new.py").touch()


def leave_the_branch(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "topic")


def leave_all_branches(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--detach")


def fall_behind(repository: Repository) -> None:
    edit(repository)
    repository.commit()
    repository.git("push", "--quiet", "origin", "main")
    repository.git("reset", "--quiet", "--hard", "HEAD~1")


def lose_origin(repository: Repository) -> None:
    repository.origin.rename(repository.origin.with_name("elsewhere.git"))


def tag(repository: Repository) -> None:
    repository.git("tag", "v0.1.0")


def tag_at_origin_alone(repository: Repository) -> None:
    repository.git("tag", "v0.1.0", cwd=repository.origin)


def raise_the_library_alone(repository: Repository) -> None:
    repository.replace("scripts/holdfast/__init__.py", "0.1.0", "0.2.0")
    repository.replace("CHANGELOG.md", "[0.1.0]", "[0.2.0]")
    repository.commit()


def raise_one(file: str) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        repository.replace(file, '"version": "0.1.0"', '"version": "0.1.1"')
        repository.commit()

    return change


def say_another_in_the_marketplace(repository: Repository) -> None:
    old = '"source": "./",'
    repository.replace(".claude-plugin/marketplace.json", old, f'{old} "version": "0.1.1",')
    repository.commit()


def begin_the_next(repository: Repository) -> None:
    for file in ("scripts/holdfast/__init__.py", *FILES[3:], ".claude-plugin/plugin.json"):
        repository.replace(file, '"0.1.0"', '"0.2.0.dev0"')
    repository.replace("CHANGELOG.md", "[0.1.0]", "[0.2.0.dev0]")
    repository.commit()


def say_nothing(repository: Repository) -> None:
    repository.replace("CHANGELOG.md", "- `/backup export` makes a backup.\n", "")
    repository.commit()


def have_no_section(repository: Repository) -> None:
    repository.replace("CHANGELOG.md", "[0.1.0]", "[0.0.10]")
    repository.commit()


def leave_it_unreleased(repository: Repository) -> None:
    repository.replace("CHANGELOG.md", "[Unreleased]\n", "[Unreleased]\n\n- Something.\n")
    repository.commit()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (edit, "The tree is dirty. Commit these, or take them away:\nM README.md"),
        (add_a_file, "The tree is dirty. Commit these, or take them away:\n?? new.py"),
        (leave_the_branch, "This is not main but topic. Check out main."),
        (leave_all_branches, "This is not main but no branch. Check out main."),
        (fall_behind, "main is behind origin by 1. Pull first."),
        (lose_origin, "origin cannot be asked whether main is behind: fatal: "),
        (tag, "The tag v0.1.0 is there already. Choose the next version."),
        (tag_at_origin_alone, "The tag v0.1.0 is at origin already. Choose the next version."),
        (
            raise_the_library_alone,
            "The versions differ: scripts/holdfast/__init__.py says 0.2.0, plugin.json says 0.1.0,"
            " .claude-plugin/plugin.json says 0.1.0, gemini-extension.json says 0.1.0. Make",
        ),
        (raise_one("plugin.json"), "says 0.1.0, plugin.json says 0.1.1. Make them equal."),
        (raise_one(".claude-plugin/plugin.json"), "0.1.0, .claude-plugin/plugin.json says 0.1.1."),
        (raise_one("gemini-extension.json"), "says 0.1.0, gemini-extension.json says 0.1.1. Make"),
        (say_another_in_the_marketplace, "says 0.1.0, .claude-plugin/marketplace.json says 0.1.1."),
        (begin_the_next, "0.2.0.dev0 is no version to release, such as 1.2.3."),
        (say_nothing, "CHANGELOG.md: there is nothing under [0.1.0]. Say what a user notices."),
        (have_no_section, "CHANGELOG.md: there is nothing under [0.1.0]. Say what a user notices."),
        (leave_it_unreleased, "CHANGELOG.md: there is still something Unreleased. Move it under"),
    ],
)
def test_a_release_is_refused_with_the_one_thing_that_stands_against_it(
    change: Callable[[Repository], None], complaint: str, repository: Repository
) -> None:
    change(repository)
    said = repository.complaint()
    assert complaint in said
    assert said.count("\n- ") == 1


def test_every_file_of_this_tree_says_one_version_and_the_changelog_has_it() -> None:
    assert set(release.versions().values()) == {holdfast.__version__}
    assert "\n- " in release.section(holdfast.__version__)


def test_all_that_stands_against_a_release_is_said_at_once(repository: Repository) -> None:
    for change in (fall_behind, tag, say_nothing, leave_the_branch, add_a_file):
        change(repository)
    assert repository.complaint().count("\n- ") == 5


def test_no_release_without_a_check_that_passes(repository: Repository) -> None:
    (repository.folder / ".git" / "fails").touch()
    done = repository.release()
    assert done.returncode == 1
    assert "No release: that failed with exit code 1." in done.stderr
    assert (repository.folder / ".git" / "checked").read_text() == "--lint\n"
    assert repository.git("tag", "--list") == ""
    assert not (repository.folder / "dist").exists()


@pytest.mark.slow
def test_a_tree_that_changed_during_the_checks_gets_no_tag(repository: Repository) -> None:
    (repository.folder / ".git" / "litters").touch()
    done = repository.release()
    assert done.returncode == 1
    assert "The tree has changed meanwhile: no tag." in done.stderr
    assert repository.git("tag", "--list") == ""


@pytest.mark.slow
def test_a_release_is_checked_built_tried_and_tagged_and_nothing_is_published(
    repository: Repository,
) -> None:
    before = repository.git("ls-remote", "origin")
    done = repository.release()
    assert done.returncode == 0, done.stderr
    assert (repository.folder / ".git" / "checked").read_text() == "--lint\n\n"
    assert "integrity and references), 5,000 rows." in done.stdout
    assert "Restored: 22 tables, 5,000 rows, 1.4 MB, proven equal." in done.stdout
    wheel, archive = sorted((repository.folder / "dist").glob("holdfast*"))
    assert [wheel.name, archive.name] == [
        "holdfast-0.1.0-py3-none-any.whl",
        "holdfast-0.1.0.tar.gz",
    ]
    with tarfile.open(archive) as packed:
        assert "holdfast-0.1.0/scripts/holdfast/places.py" in packed.getnames()
    assert repository.git("cat-file", "-t", "v0.1.0") == "tag\n"
    assert repository.git("rev-parse", "v0.1.0^{commit}") == repository.git("rev-parse", "HEAD")
    shown = repository.git("tag", "--list", "--format=%(contents)", "v0.1.0")
    assert shown.strip() == ("Holdfast 0.1.0\n\n### Added\n\n- `/backup export` makes a backup.")
    assert repository.git("ls-remote", "origin") == before
    assert done.stdout.endswith(
        "  git push origin main v0.1.0\n  python3 -m tests --run uv publish dist/holdfast-0.1.0*\n"
    )
    assert repository.git("status", "--porcelain") == ""

    again = repository.release()
    assert again.returncode == 1
    assert "The tag v0.1.0 is there already." in again.stderr
