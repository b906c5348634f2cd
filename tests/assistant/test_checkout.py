"""The plugin read in place from this checkout, as its developers use it."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .client import ROOT, Client
from .fingerprints import fingerprints
from .scripted_model import RunCommand, newest_text, quoted, tool_result

pytestmark = pytest.mark.assistant

PLUGIN = ("--plugin-dir", str(ROOT))
STATUS = f'python3 "{ROOT}/scripts/status.py"'
IMPORT = f'python3 "{ROOT}/scripts/import.py"'
IMPORT_ALLOWED = ("--allowedTools", f"Bash({IMPORT}:*)")
LARGEST_COMMAND = 1600  # characters


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A Holdfast home with one database of one note in it."""
    home = tmp_path / "state"
    (home / "data").mkdir(parents=True)
    with closing(sqlite3.connect(home / "data" / "notes.db")) as database, database:
        database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
        database.execute("INSERT INTO notes VALUES (1, 'first')")
    return home


@pytest.fixture
def client(newcomer: Client, state: Path) -> Client:
    return dataclasses.replace(newcomer, settings={"HOLDFAST_HOME": str(state)})


def bodies(state: Path) -> list[str]:
    with closing(sqlite3.connect(state / "data" / "notes.db")) as database:
        return [body for (body,) in database.execute("SELECT body FROM notes ORDER BY id")]


def forget_the_notes(state: Path) -> None:
    with closing(sqlite3.connect(state / "data" / "notes.db")) as database, database:
        database.execute("DELETE FROM notes")


def test_the_client_finds_nothing_wrong_with_the_plugin_and_one_command_in_it(
    newcomer: Client,
) -> None:
    found = json.loads(newcomer.run("plugin", "validate", ".", "--strict", "--json", cwd=ROOT))
    assert found["success"]
    contributed = {kind: names for kind, names in found["provides"].items() if names}
    assert contributed == {"commands": ["backup:backup"]}


def test_the_model_reads_our_text_with_the_root_filled_in_and_the_typed_words_last(
    client: Client,
) -> None:
    client.say("/backup status", *PLUGIN)
    sent = newest_text(client.model.requests[0]["messages"])
    expanded = sent[sent.index("<command-message>") :]
    source = (ROOT / "commands" / "backup.md").read_text(encoding="utf-8")
    body = source.split("\n---\n", 1)[1].replace("${CLAUDE_PLUGIN_ROOT}", str(ROOT)).strip()
    assert body in expanded
    assert expanded.rstrip().endswith("ARGUMENTS: status")
    assert len(expanded) <= LARGEST_COMMAND


def test_a_session_without_the_command_sends_the_same_as_one_without_the_plugin(
    client: Client,
) -> None:
    assert client.say("Good morning.").plugins == []
    assert client.say("Good morning.", *PLUGIN).plugins == ["backup"]
    without, with_plugin = client.model.requests
    for part in ("system", "tools", "messages"):
        assert with_plugin[part] == without[part]


@pytest.mark.parametrize("message", ["/backup", "/backup export", "/backup:backup export"])
def test_an_export_runs_without_a_question_and_its_report_arrives(
    client: Client, state: Path, message: str
) -> None:
    turn = client.say(message, *PLUGIN)
    assert turn.refused == []
    assert "Backup saved: " in turn.answer
    assert str(state / "output" / "backup-") in turn.answer


@pytest.mark.parametrize("message", ["/backup export --sample", "/backup --sample"])
def test_options_reach_the_script_with_the_verb_and_without_it(
    client: Client, message: str
) -> None:
    turn = client.say(message, *PLUGIN)
    assert turn.refused == []
    assert "Backup saved: " in turn.answer


def test_status_runs_without_a_question_and_counts_what_export_made(
    client: Client,
) -> None:
    client.say("/backup", *PLUGIN)
    turn = client.say("/backup status", *PLUGIN)
    assert turn.refused == []
    assert "Last backup: " in turn.answer
    assert "1 backup file found." in turn.answer


@pytest.mark.parametrize(
    ("message", "answer"),
    [("verify latest", ": verified ("), ("diff latest live", "No differences: ")],
)
def test_what_only_reads_runs_without_a_question(client: Client, message: str, answer: str) -> None:
    client.say("/backup", *PLUGIN)
    turn = client.say(f"/backup {message}", *PLUGIN)
    assert turn.refused == []
    assert answer in turn.answer


@pytest.mark.parametrize("words", ["import latest", "undo", "restore latest --to new.db"])
def test_what_changes_a_database_is_refused_without_a_yes_and_nothing_changes(
    client: Client, state: Path, words: str
) -> None:
    client.say("/backup", *PLUGIN)
    forget_the_notes(state)
    before = fingerprints(state)
    turn = client.say(f"/backup {words}", *PLUGIN)
    verb, *others = words.split()
    script = f'python3 "{ROOT}/scripts/{verb}.py"'
    assert turn.refused == [" ".join([script, *map(quoted, others)])]
    assert fingerprints(state) == before
    assert list(client.project.iterdir()) == []


def test_an_import_shows_its_plan_first_and_brings_the_rows_back_after_the_yes(
    client: Client, state: Path
) -> None:
    client.say("/backup", *PLUGIN)
    forget_the_notes(state)

    planned = client.say("/backup import latest", *PLUGIN, *IMPORT_ALLOWED)
    assert "Exit code 4" in planned.answer
    assert bodies(state) == []

    named = re.search(r"\bimport (.+ --confirm \w+)", planned.answer)
    assert named is not None
    command = " ".join([IMPORT, *map(quoted, shlex.split(named[1]))])
    client.model.script = lambda messages: tool_result(messages) or RunCommand(command)
    done = client.say("yes", *PLUGIN, *IMPORT_ALLOWED, "--resume", planned.session)
    assert done.refused == []
    assert bodies(state) == ["first"]


def test_what_the_person_types_is_passed_on_and_never_run(client: Client) -> None:
    turn = client.say("/backup export --db 'no$(touch ran).db'", *PLUGIN)
    assert turn.refused == []
    assert "no$(touch ran).db" in turn.answer
    assert not (client.project / "ran").exists()


@pytest.mark.parametrize(
    "command",
    [
        f"{STATUS}; touch ran",
        f'{STATUS} "$(touch ran)"',
        "python3 -c \"open('ran', 'w')\"",
    ],
)
def test_the_permission_covers_nothing_but_the_scripts(client: Client, command: str) -> None:
    client.model.script = lambda messages: tool_result(messages) or RunCommand(command)
    turn = client.say("/backup status", *PLUGIN)
    assert turn.refused == [command]
    assert not (client.project / "ran").exists()
