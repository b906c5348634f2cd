"""A git marketplace on this machine, which a client takes for one on the network."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import release

from .client import ROOT, Client

ADDRESS = "https://holdfast.invalid/holdfast.git"
NEXT = "99.0.0"
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")


def publish(tree: Path, repository: Path) -> Path:
    """Commit a tree to a repository as all that it holds, without what .gitignore names."""
    if not repository.exists():
        subprocess.run(["git", "init", "--quiet", repository], check=True, timeout=60)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=", "-c", "commit.gpgsign=false"]
    for path in repository.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(tree, repository, ignore=NOT_COPIED, symlinks=True, dirs_exist_ok=True)
    for step in (["add", "--all"], ["commit", "--quiet", "-m", "Release"]):
        subprocess.run([*git, *step], cwd=repository, check=True, timeout=60)
    return repository


def settings_for(repository: Path) -> dict[str, str]:
    """Environment variables that make ADDRESS a local repository: clients take no file://."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }


def with_marketplace(client: Client, repository: Path) -> Client:
    """The client to which ADDRESS is a local repository."""
    return dataclasses.replace(client, settings=settings_for(repository))


def next_version(folder: Path) -> Path:
    """A copy of this tree that says it is of a later version."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED, symlinks=True)
    for file, version in release.versions().items():
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(f'"{version}"') == 1
        (folder / file).write_text(text.replace(f'"{version}"', f'"{NEXT}"'), encoding="utf-8")
    return folder
