"""A git marketplace on this machine, which a client takes for one on the network."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

from .client import Client

ADDRESS = "https://holdfast.invalid/holdfast.git"
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


def with_marketplace(client: Client, repository: Path) -> Client:
    """The client to which ADDRESS is a local repository, since it takes no file:// address."""
    redirection = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }
    return dataclasses.replace(client, settings=redirection)
