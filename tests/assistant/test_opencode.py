"""The command in opencode: the real client runs it, and its own database is what is backed up."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from .client import ROOT, TIME_LIMIT_SECONDS, printed_by, same_python
from .conftest import named_executable
from .scripted_model import ScriptedModel

pytestmark = [pytest.mark.assistant, pytest.mark.slow]


@pytest.fixture(scope="session")
def opencode() -> Path:
    return named_executable("HOLDFAST_TEST_OPENCODE", "opencode")


@pytest.fixture
def home(tmp_path: Path, model: ScriptedModel) -> Path:
    """A home with the command where README.md says, and a model that needs no network."""
    home = tmp_path / "a home"
    settings = home / ".config" / "opencode"
    (settings / "commands").mkdir(parents=True)
    shutil.copy(ROOT / "commands" / "backup.md", settings / "commands")
    anthropic = {"options": {"baseURL": f"{model.url}/v1", "apiKey": "unused"}}
    chosen = "anthropic/claude-sonnet-4-5"
    (settings / "opencode.json").write_text(
        json.dumps(
            {
                "model": chosen,
                "small_model": chosen,
                "provider": {"anthropic": anthropic},
                "autoupdate": False,
                "share": "disabled",
            }
        )
    )
    (tmp_path / "project").mkdir()
    return home


def say(opencode: Path, home: Path, *words: str) -> str:
    """Type `/backup WORDS`; what the person reads."""
    return printed_by(
        [opencode, "run", "--command", "backup", "--", *words],
        home.parent / "project",
        {
            **same_python(),
            "HOME": str(home),
            "CLAUDE_PLUGIN_ROOT": str(ROOT),
            "HOLDFAST_HOME": str(home / "holdfast"),
            "TERM": os.environ.get("TERM", "dumb"),
        },
        4 * TIME_LIMIT_SECONDS,
    )


def test_backup_in_opencode_backs_up_what_was_said_in_opencode(
    opencode: Path, home: Path, model: ScriptedModel
) -> None:
    said = say(opencode, home, "export")
    database = home / ".local" / "share" / "opencode" / "opencode.db"
    assert "Backup saved: " in said
    assert f"Database: {database} (opencode keeps it there)." in said
    (backup,) = (home / "holdfast" / "output").glob("backup-*.json")
    assert f", verified). {backup}" in said
    tables = json.loads(backup.read_text(encoding="utf-8"))["tables"]
    asked = [json.loads(part["data"]) for part in tables["part"]]
    # What was typed stands in the backup: it is in the database's write-ahead log by then.
    assert any("Run exactly one command" in each.get("text", "") for each in asked)
    assert model.requests[-1]["messages"][-1]["content"][0]["type"] == "tool_result"


def test_what_is_typed_after_the_command_reaches_the_script(opencode: Path, home: Path) -> None:
    said = say(opencode, home, "status", "--sample")
    assert "Last backup: never. 0 backup files found." in said
    assert f"there is no database at {home}/holdfast/data/sample.db" in said
