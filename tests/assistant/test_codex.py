"""The plugin in Codex CLI: the real client installs it, and asks before it leaves its sandbox."""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .client import ROOT, TIME_LIMIT_SECONDS, printed_by, same_python
from .conftest import named_executable
from .fingerprints import fingerprints
from .json_rpc import Message, Peer, started
from .marketplace import ADDRESS
from .responses_api import messages, speak_openai
from .scripted_model import (
    Answer,
    RunCommand,
    ScriptedModel,
    follow_literally,
    newest_text,
    serve,
    tool_result,
)

pytestmark = [pytest.mark.assistant, pytest.mark.slow]

COMMAND = (ROOT / "commands" / "backup.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
(README_SETTINGS,) = re.findall(r"`(writable_roots = [^`]+)`", README)
SKILL = "backup:source-command-backup"
SETTINGS = """
model = "scripted"
model_provider = "scripted"
check_for_update_on_startup = false

[model_providers.scripted]
name = "Scripted"
base_url = "{url}/v1"
wire_api = "responses"

[analytics]
enabled = false

[sandbox_workspace_write]
exclude_slash_tmp = true  # the home of a test may lie there
"""


@dataclass(frozen=True, slots=True)
class Codex:
    """One person's client, with the plugin from the marketplace."""

    executable: Path
    home: Path
    project: Path
    environment: dict[str, str]
    model: ScriptedModel

    @property
    def plugin(self) -> Path:
        """Where it was installed."""
        (version,) = (self.home / ".codex/plugins/cache/holdfast/backup").iterdir()
        return version

    def run(self, *words: str) -> str:
        """Run `codex WORDS` to its end and give back what it printed; it must succeed."""
        limit = 4 * TIME_LIMIT_SECONDS
        return printed_by([self.executable, *words], self.project, self.environment, limit)

    @contextmanager
    def editor(self) -> Iterator[Peer]:
        """The client as an editor starts it."""
        with started(
            [self.executable, "app-server"],
            cwd=self.project,
            environment=self.environment,
            time_limit_seconds=4 * TIME_LIMIT_SECONDS,
        ) as peer:
            peer.call("initialize", clientInfo={"name": "tests", "title": "Tests", "version": "1"})
            peer.send({"method": "initialized"})
            yield peer

    @contextmanager
    def chat(self) -> Iterator[Callable[[str, str], tuple[str, list[Message]]]]:
        """
        A chat in an editor, where a person types a message and answers all questions the same.

        What is yielded takes both, and gives back what the person reads and was asked.
        """
        with self.editor() as peer:
            place = {"cwd": str(self.project), "sandbox": "workspace-write"}
            thread = peer.call("thread/start", **place)["thread"]["id"]

            def say(text: str, decision: str) -> tuple[str, list[Message]]:
                def turn() -> None:
                    peer.call("turn/start", threadId=thread, input=[{"type": "text", "text": text}])
                    peer.wait_for("turn/completed")

                peer.answer = {"decision": decision}
                asked, told = peer.meanwhile(turn)
                done = [
                    each["params"]["item"] for each in told if each["method"] == "item/completed"
                ]
                return [item["text"] for item in done if item["type"] == "agentMessage"][-1], asked

            yield say


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder that is there in Codex's sandbox, which has a /dev of its own."""
    place = "/tmp" if tmp_path.is_relative_to("/dev") else tmp_path
    with tempfile.TemporaryDirectory(prefix="codex-", dir=place) as folder:
        yield Path(folder)


@pytest.fixture
def codex(tmp_path: Path, marketplace: dict[str, str]) -> Iterator[Codex]:
    home, project, scratch = tmp_path / "a home", tmp_path / "my project", tmp_path / "scratch"
    for folder in (home / ".codex", project, scratch):
        folder.mkdir(parents=True)
    python = same_python()
    # Codex runs commands in a login shell, which sets the search path anew.
    (home / ".bash_profile").write_text(f"export PATH='{python['PATH']}'\n")
    with serve(speak_openai) as model:
        (home / ".codex" / "config.toml").write_text(SETTINGS.format(url=model.url))
        codex = Codex(
            named_executable("HOLDFAST_TEST_CODEX", "Codex CLI"),
            home,
            project,
            {
                **python,
                **marketplace,
                "HOME": str(home),
                "SHELL": "/bin/bash",
                "TERM": "dumb",
                "TMPDIR": str(scratch),
            },
            model,
        )
        codex.run("plugin", "marketplace", "add", ADDRESS)
        codex.run("plugin", "add", "backup@holdfast")
        yield codex


def outside_the_sandbox(said: list[Message]) -> Answer:
    """As follow_literally; but what writes to the home has to leave the sandbox first."""
    answer = follow_literally(said)
    if isinstance(answer, RunCommand):
        return dataclasses.replace(answer, leave_sandbox=True)
    return answer


def saved(codex: Codex) -> list[Path]:
    return list((codex.home / ".local" / "share" / "holdfast" / "output").glob("backup-*"))


def test_the_marketplace_offers_the_plugin_and_the_client_makes_a_skill_of_the_command(
    codex: Codex,
) -> None:
    manifest = json.loads((ROOT / "plugin.json").read_text(encoding="utf-8"))
    (installed,) = json.loads(codex.run("plugin", "list", "--json"))["installed"]
    assert installed["pluginId"] == "backup@holdfast"
    assert installed["version"] == manifest["version"] == codex.plugin.name
    with codex.editor() as editor:
        (entry,) = editor.call("skills/list", cwds=[str(codex.project)])["data"]
    assert entry["errors"] == []
    (skill,) = [each for each in entry["skills"] if each["pluginId"] == "backup@holdfast"]
    described = re.search("^description: (.*)$", COMMAND, re.MULTILINE)
    assert described is not None
    assert (skill["name"], skill["description"]) == (SKILL, described[1])


def test_an_export_leaves_the_sandbox_only_with_a_yes_and_what_reads_stays_in_it(
    codex: Codex,
) -> None:
    before = fingerprints(codex.plugin)
    with codex.chat() as say:
        answer, asked = say(f"${SKILL} export", "accept")
        assert asked == []
        assert "Process exited with code 24" in answer
        assert f"Error: cannot write {codex.home}/.local/share/holdfast/output: " in answer

        codex.model.script = outside_the_sandbox
        answer, asked = say(f"${SKILL} export", "decline")
        assert "rejected by user" in answer
        (question,) = asked
        line = f'python3 "{codex.plugin}/scripts/export.py"'
        assert [each["command"] for each in question["commandActions"]] == [line]
        assert not (codex.home / ".local").exists()

        answer, asked = say(f"${SKILL} export", "accept")
        assert len(asked) == 1
        (backup,) = saved(codex)
        assert "Backup saved: " in answer
        assert f", verified). {backup}" in answer
        # It is Codex's own database, which Codex has open.
        assert f"Database: {codex.home}/.codex/state_5.sqlite (Codex keeps it there)." in answer

        codex.model.script = follow_literally
        answer, asked = say(f"${SKILL} diff latest live", "decline")
        assert asked == []
        assert "/state_5.sqlite:\n" in answer  # which has changed, as more has been said since
        answer, asked = say(f"${SKILL} status", "decline")
        assert asked == []
        assert "1 backup file found." in answer

    # What the model read: what was typed, where our text comes from, and the text; the report.
    *_, first, last = (messages(request["input"]) for request in codex.model.requests)
    sent = newest_text(first)
    assert f"${SKILL} status\n" in sent
    assert f"<path>{codex.plugin}/" in sent
    assert COMMAND.split("\n---\n", 1)[1].strip() in sent
    assert "1 backup file found." in (tool_result(last) or "")

    assert fingerprints(codex.plugin) == before
    assert list(codex.project.iterdir()) == []


def test_with_the_folders_of_the_settings_in_readme_nothing_is_asked(codex: Codex) -> None:
    folders = README_SETTINGS.replace("/home/you", str(codex.home))
    settings = codex.home / ".codex" / "config.toml"
    table = "[sandbox_workspace_write]\n"
    settings.write_text(settings.read_text().replace(table, f"{table}{folders}\n"))
    for folder in tomllib.loads(folders)["writable_roots"]:
        Path(folder).mkdir(parents=True)
    with codex.chat() as say:
        answer, asked = say(f"${SKILL} export", "decline")
    assert asked == []
    assert "Backup saved: " in answer
    assert saved(codex) != []
