"""The plugin in Copilot CLI: the real client installs it, and asks before each run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .client import ROOT, TIME_LIMIT_SECONDS, printed_by, same_python
from .conftest import named_executable
from .fingerprints import fingerprints
from .json_rpc import Message, started
from .marketplace import ADDRESS
from .scripted_model import ScriptedModel, newest_text, tool_result

pytestmark = [pytest.mark.assistant, pytest.mark.slow]


COMMAND = (ROOT / "commands" / "backup.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Copilot:
    """One person's client, with the plugin from the marketplace."""

    executable: Path
    home: Path
    project: Path
    environment: dict[str, str]
    model: ScriptedModel

    @property
    def plugin(self) -> Path:
        """Where it was installed."""
        return self.home / ".copilot" / "installed-plugins" / "holdfast" / "backup"

    def run(self, *words: str) -> str:
        """Run `copilot WORDS` to its end and give back what it printed; it must succeed."""
        limit = 4 * TIME_LIMIT_SECONDS
        return printed_by([self.executable, *words], self.project, self.environment, limit)

    @contextmanager
    def chat(self) -> Iterator[Callable[[str, str], tuple[str, list[Message]]]]:
        """
        A chat in an editor, where a person types a message and answers all questions the same.

        What is yielded takes both, and gives back what the person reads and was asked.
        """
        with started(
            [self.executable, "--acp", "--disallow-temp-dir"],  # the home of a test lies there
            cwd=self.project,
            environment=self.environment,
            time_limit_seconds=4 * TIME_LIMIT_SECONDS,
        ) as peer:
            peer.call("initialize", protocolVersion=1, clientCapabilities={})
            session = peer.call("session/new", cwd=str(self.project), mcpServers=[])["sessionId"]

            def say(text: str, choice: str) -> tuple[str, list[Message]]:
                peer.answer = {"outcome": {"outcome": "selected", "optionId": choice}}
                prompt = [{"type": "text", "text": text}]
                asked, told = peer.meanwhile(
                    lambda: peer.call("session/prompt", sessionId=session, prompt=prompt)
                )
                updates = [each["params"]["update"] for each in told]
                said = [
                    each["content"]["text"]
                    for each in updates
                    if each["sessionUpdate"] == "agent_message_chunk"
                ]
                return "".join(said), asked

            yield say


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client puts the files that it holds, 235 MB, at its first start."""
    return tmp_path_factory.mktemp("copilot")


@pytest.fixture
def copilot(
    tmp_path: Path, marketplace: dict[str, str], model: ScriptedModel, unpacked: Path
) -> Copilot:
    home, project, scratch = tmp_path / "a home", tmp_path / "my project", tmp_path / "scratch"
    for folder in (home, project, scratch):
        folder.mkdir()
    environment = {
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_CACHE_HOME": str(unpacked),
        "COPILOT_MODEL": "claude-sonnet-4.5",
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_API_KEY": "unused",
        "COPILOT_PROVIDER_BASE_URL": model.url,
        "COPILOT_PROVIDER_TYPE": "anthropic",
        "HOME": str(home),
        "TERM": "dumb",
        "TMPDIR": str(scratch),
    }
    executable = named_executable("HOLDFAST_TEST_COPILOT", "Copilot CLI")
    copilot = Copilot(executable, home, project, same_python() | marketplace | environment, model)
    copilot.run("plugin", "marketplace", "add", ADDRESS)
    copilot.run("plugin", "install", "backup@holdfast")
    return copilot


def test_the_marketplace_offers_the_plugin_and_the_client_the_command(copilot: Copilot) -> None:
    catalog = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text(encoding="utf-8"))
    (entry,) = catalog["plugins"]
    offered = copilot.run("plugin", "marketplace", "browse", "holdfast")
    assert f"{entry['name']} - {entry['description']}\n" in offered
    manifest = json.loads((ROOT / "plugin.json").read_text(encoding="utf-8"))
    assert f"backup@holdfast (v{manifest['version']})" in copilot.run("plugin", "list")
    skills = json.loads(copilot.run("skill", "list", "--json"))
    (skill,) = [each for each in skills if each["source"] == "plugin"]
    assert (skill["name"], skill["enabled"]) == ("backup", True)
    assert Path(skill["path"]) == copilot.plugin / "commands"


def test_each_run_is_asked_about_and_an_export_lands_in_the_home(copilot: Copilot) -> None:
    before = fingerprints(copilot.plugin)
    with copilot.chat() as say:
        answer, asked = say("/backup export --sample", "reject_once")
        (question,) = asked
        line = f"""python3 "{copilot.plugin}/scripts/export.py" '--sample'"""
        assert question["toolCall"]["rawInput"]["commands"] == [line]
        assert "Backup saved: " not in answer
        assert not (copilot.home / ".local").exists()

        answer, asked = say("/backup export --sample", "allow_once")
        assert len(asked) == 1
        (backup,) = (copilot.home / ".local" / "share" / "holdfast" / "output").glob("backup-*")
        assert f", verified). {backup}" in answer

        answer, asked = say("/backup status --sample", "allow_once")
        assert len(asked) == 1
        assert "1 backup file found." in answer

    # What the model read: our text, where it comes from, what was typed; then the report.
    *_, first, last = copilot.model.requests
    sent = newest_text(first["messages"])
    assert f"Base directory for this skill: {copilot.plugin}/commands\n" in sent
    assert COMMAND.split("\n---\n", 1)[1].strip() in sent
    assert "\nARGUMENTS: status --sample\n" in sent
    assert "1 backup file found." in (tool_result(last["messages"]) or "")

    assert fingerprints(copilot.plugin) == before
    assert list(copilot.project.iterdir()) == []
