"""The plugin installed from a git marketplace, as everyone else uses it."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from .client import Client
from .fingerprints import fingerprints
from .marketplace import ADDRESS

pytestmark = pytest.mark.assistant

WRITABLE = 0o222


@pytest.fixture
def client(newcomer: Client, marketplace: dict[str, str]) -> Client:
    """A client that finds this tree in a git marketplace."""
    return dataclasses.replace(newcomer, settings=marketplace)


@pytest.fixture
def plugin(client: Client) -> Path:
    """The folder of the installed plugin, in which nothing may be written."""
    client.run("plugin", "marketplace", "add", ADDRESS)
    client.run("plugin", "install", "backup@holdfast")
    [installed] = json.loads(client.run("plugin", "list", "--json"))
    folder = Path(installed["installPath"])
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~WRITABLE)
    return folder


def contents(plugin: Path) -> dict[str, str]:
    """The plugin's files; in `.in_use` the client itself notes which sessions run it."""
    found = fingerprints(plugin)
    return {name: value for name, value in found.items() if not name.startswith(".in_use")}


def test_an_installed_plugin_works_and_its_folder_stays_as_it_was(
    client: Client, plugin: Path
) -> None:
    before = contents(plugin)
    assert "commands/backup.md" in before

    exported = client.say("/backup export --sample")
    status = client.say("/backup status")
    asked = client.say("/backup import latest --db sample.db")

    assert exported.refused == status.refused == []
    assert [command.partition(".py")[0].rpartition("/")[2] for command in asked.refused] == [
        "import"
    ]
    saved = re.search(r"verified\)\. (.+)", exported.answer)
    assert saved is not None
    assert Path(saved[1]).is_file()
    assert Path(saved[1]).is_relative_to(client.home)
    assert not Path(saved[1]).is_relative_to(client.home / ".claude")
    assert "1 backup file found." in status.answer
    assert contents(plugin) == before
    assert list(client.project.iterdir()) == []
