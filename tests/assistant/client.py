"""The real Claude Code client, run offline in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .scripted_model import ScriptedModel

ROOT = Path(__file__).resolve().parents[2]
TIME_LIMIT_SECONDS = 60
QUIET = {
    "ANTHROPIC_API_KEY": "unused",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}


def same_python() -> dict[str, str]:
    """
    Environment variables that make `python3` this interpreter, with the packages it has now.

    In a home as good as new the scripts would otherwise have to download them.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


def printed_by(
    words: Sequence[Path | str],
    cwd: Path,
    environment: dict[str, str],
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> str:
    """Run a program to its end and give back what it printed; it must succeed."""
    done = subprocess.run(
        words,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=time_limit_seconds,
    )
    assert done.returncode == 0, f"{words[1:]}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one message: every event the client printed, in order."""

    events: list[dict[str, Any]]

    @property
    def answer(self) -> str:
        """The text that the person reads at the end."""
        return str(self.events[-1]["result"])

    @property
    def refused(self) -> list[str]:
        """The commands that the client did not run for want of a permission."""
        return [denial["tool_input"]["command"] for denial in self.events[-1]["permission_denials"]]

    @property
    def plugins(self) -> list[str]:
        """The names of the plugins that were loaded, without those the client brings along."""
        loaded = self.events[0]["plugins"]
        return [plugin["name"] for plugin in loaded if plugin["path"] != "builtin"]

    @property
    def session(self) -> str:
        """What `--resume` takes to go on from here."""
        return str(self.events[-1]["session_id"])


@dataclass(frozen=True, slots=True)
class Client:
    """One person's client: a home, a project to work in, and the model that answers."""

    executable: Path
    home: Path
    project: Path
    scratch: Path
    model: ScriptedModel
    settings: dict[str, str] = field(default_factory=dict)  # environment variables of this person

    def run(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run `claude ARGUMENTS` to its end and give back what it printed; it must succeed."""
        place = {
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "ANTHROPIC_BASE_URL": self.model.url,
        }
        environment = same_python() | place | QUIET | self.settings
        return printed_by([self.executable, *arguments], cwd or self.project, environment)

    def say(self, message: str, *options: str) -> Turn:
        """Send one message as a person types it and wait for the answer."""
        output = self.run("-p", message, "--output-format", "stream-json", "--verbose", *options)
        return Turn([json.loads(line) for line in output.splitlines()])
