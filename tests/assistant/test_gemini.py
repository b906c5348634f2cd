"""The extension for Gemini CLI: the real client takes and installs it, and it says the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from .client import ROOT, TIME_LIMIT_SECONDS, same_python
from .conftest import named_executable

MARKDOWN = (ROOT / "commands" / "backup.md").read_text(encoding="utf-8")
TOML = tomllib.loads((ROOT / "commands" / "backup.toml").read_text(encoding="utf-8"))
INSTALLED = "$HOME/.gemini/extensions/backup"  # Gemini fills no variable into a command's text


def test_the_command_says_what_it_says_elsewhere() -> None:
    body = MARKDOWN.split("---\n", 2)[2].strip()
    assert TOML["prompt"].strip() == body.replace("${CLAUDE_PLUGIN_ROOT}", INSTALLED)
    assert TOML.keys() == {"description", "prompt"}
    (described,) = re.findall(r"^description: (.*)$", MARKDOWN, re.MULTILINE)
    assert TOML["description"] == described


def test_the_extension_has_the_name_the_version_and_the_words_of_the_plugin() -> None:
    extension = json.loads((ROOT / "gemini-extension.json").read_text(encoding="utf-8"))
    plugin = json.loads((ROOT / "plugin.json").read_text(encoding="utf-8"))
    assert extension == {key: plugin[key] for key in ("name", "version", "description")}


@pytest.mark.assistant
@pytest.mark.slow
def test_the_real_client_installs_it_where_the_command_looks_for_it(tmp_path: Path) -> None:
    gemini = named_executable("HOLDFAST_TEST_GEMINI", "Gemini CLI")
    home, clone = tmp_path / "a home", tmp_path / "clone"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", clone], check=True)
    environment = same_python() | {"HOME": str(home), "TERM": os.environ.get("TERM", "dumb")}

    def ask(*words: str | Path, answer: str = "") -> str:
        done = subprocess.run(
            [gemini, "extensions", *words],
            cwd=tmp_path,
            env=environment,
            input=answer,
            capture_output=True,
            encoding="utf-8",
            timeout=4 * TIME_LIMIT_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "successfully validated" in ask("validate", clone)
    ask("install", clone, "--consent", answer="y\n")
    # The words of the command, as a shell reads them.
    (line,) = re.findall(r"^ {4}(python3 .*) OPTIONS$", TOML["prompt"], re.MULTILINE)
    done = subprocess.run(
        ["sh", "-c", f"{line.replace('VERB', 'export')} --sample"],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=4 * TIME_LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert "Backup saved: 210 contacts" in done.stdout
    # What is saved is not in the extension's folder, which an update replaces.
    assert f"{home}/.local/share/holdfast/output/backup-" in done.stdout
