"""Fixtures that bring real clients up; HOLDFAST_TEST_CLAUDE and the like say where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .client import ROOT, Client
from .marketplace import publish, settings_for
from .scripted_model import ScriptedModel, serve


def named_executable(variable: str, title: str) -> Path:
    """A client to test with; only where no CI is watching may it be missing."""
    named = os.environ.get(variable)
    if named:
        return Path(named)
    reason = f"{variable} does not name the executable of {title}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def executable() -> Path:
    """Claude Code."""
    return named_executable("HOLDFAST_TEST_CLAUDE", "Claude Code")


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with serve() as model:
        yield model


@pytest.fixture
def newcomer(tmp_path: Path, executable: Path, model: ScriptedModel) -> Client:
    """A client never used before; its home and its project have a space in their names."""
    home, project, scratch = tmp_path / "a home", tmp_path / "my project", tmp_path / "scratch"
    for folder in (home, project, scratch):
        folder.mkdir()
    return Client(executable, home, project, scratch, model)


@pytest.fixture
def marketplace(tmp_path: Path) -> dict[str, str]:
    """Environment variables that make ADDRESS a git repository of this tree."""
    return settings_for(publish(ROOT, tmp_path / "marketplace"))
