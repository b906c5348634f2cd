"""An older state of this program, from its history; and how README.md says to come from there."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIRST = "c6907a6c64b882eb1dffe87289aa55d330548b30"  # the first state there was, of version 0.1.0


def git(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in this repository, whoever owns it."""
    command = ["git", "-c", f"safe.directory={ROOT}", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120)


def write_first_state(folder: Path) -> Path:
    """
    Write all files of the first state into a new folder, and return it.

    A clone without its history, which CI asks its origin for, skips the test: the homes in
    tests/golden are read in any case.
    """
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone: there is no older state")
    archive = git("archive", FIRST)
    if archive.returncode and os.environ.get("CI"):
        git("fetch", "--quiet", "--depth=1", "origin", FIRST)
        archive = git("archive", FIRST)
    if archive.returncode:
        pytest.skip(f"this clone lacks the older state {FIRST}: get it with git fetch --unshallow")
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def lines_of_readme(tool: str) -> list[list[str]]:
    """Return the commands in README's row of a tool: those to install, to update, to uninstall."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {tool} \| ([^|]*)\|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)
    return [re.findall(r"`([^`]+)`", cell) for cell in row]
