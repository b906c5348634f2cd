"""The scripts run from a folder as an assistant installs it; no client is needed for this."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.errors import DONE, DONE_WITH_WARNINGS

from .client import ROOT, same_python
from .fingerprints import fingerprints

SHIPPED = ("commands", "data", "scripts", ".claude-plugin", "plugin.json", "requirements.lock")
WRITABLE = 0o222


@pytest.fixture(params=["an installed plugin", "of CODEX_HOME/plugins/cache/backup/0.1.0"])
def plugin(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy in a path with spaces, in which nothing may be written; Codex copies .git, too."""
    folder = tmp_path / str(request.param)
    folder.mkdir(parents=True)
    if "CODEX" in str(request.param):
        (folder / ".git").mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.db*")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~WRITABLE)
    return folder


def test_the_scripts_work_from_any_folder_and_write_nothing_beside_themselves(
    plugin: Path, tmp_path: Path
) -> None:
    home, project = tmp_path / "a home", tmp_path / "my project"
    home.mkdir()
    project.mkdir()
    before = fingerprints(plugin)

    for words in (["export", "--sample"], ["status"]):
        done = subprocess.run(
            [sys.executable, plugin / "scripts" / f"{words[0]}.py", *words[1:]],
            cwd=project,
            env=same_python() | {"HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (DONE, DONE_WITH_WARNINGS), done.stderr

    assert "1 backup file found." in done.stdout
    assert fingerprints(plugin) == before
    assert list(project.iterdir()) == []
