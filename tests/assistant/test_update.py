"""The plugin at an older version, updated and taken away: what people keep stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import release
from tests.conftest import rows, run_sql
from tests.older import write_first_state

from .client import ROOT, Client
from .fingerprints import fingerprints
from .marketplace import ADDRESS, NOT_COPIED, publish, with_marketplace

pytestmark = pytest.mark.assistant

NEXT = "99.0.0"


def installed(client: Client) -> tuple[str, Path]:
    """The version of the plugin that is installed, and its folder."""
    [plugin] = json.loads(client.run("plugin", "list", "--json"))
    return plugin["version"], Path(plugin["installPath"])


def next_version(folder: Path) -> Path:
    """A copy of this tree that says it is of a later version."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED, symlinks=True)
    for file, version in release.versions().items():
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(f'"{version}"') == 1
        (folder / file).write_text(text.replace(f'"{version}"', f'"{NEXT}"'), encoding="utf-8")
    return folder


def allowing(verb: str, plugin: Path) -> tuple[str, str]:
    """What lets the assistant run a script that it has to ask for."""
    return "--allowedTools", f'Bash(python3 "{plugin}/scripts/{verb}.py":*)'


def test_an_update_and_an_uninstall_keep_settings_history_and_backups(
    newcomer: Client, tmp_path: Path
) -> None:
    repository = publish(write_first_state(tmp_path / "first"), tmp_path / "marketplace")
    client = with_marketplace(newcomer, repository)
    client.run("plugin", "marketplace", "add", ADDRESS)
    client.run("plugin", "install", "backup@holdfast")
    version, older = installed(client)
    assert version == "0.1.0"
    home = client.home / ".local" / "share" / "holdfast"
    history, sample = home / "backups" / "history.db", home / "data" / "sample.db"
    home.mkdir(parents=True)
    (home / "backup.yaml").write_text("output: backups\n", encoding="utf-8")
    assert "verified)" in client.say("/backup export --sample").answer
    run_sql(sample, "DELETE FROM tasks WHERE id > 330")
    imported = client.say("/backup import latest --sample --yes", *allowing("import", older))
    assert "tasks: 10 inserted" in imported.answer
    before, done = fingerprints(home), rows(history, "SELECT * FROM events")
    assert [row[2] for row in done] == ["export", "import"]

    publish(next_version(tmp_path / "next"), repository)
    client.run("plugin", "marketplace", "update", "holdfast")
    client.run("plugin", "update", "backup@holdfast")
    version, newer = installed(client)
    assert (version, newer != older) == (NEXT, True)
    assert fingerprints(home) == before
    status = client.say("/backup status --sample").answer
    assert "1 backup file found." in status and "verified (counts and digests)" in status
    assert str(home / "backups") in status and "Warning" not in status
    again = client.say("/backup import latest --sample --yes", *allowing("import", newer))
    assert "was not changed" in again.answer
    undone = client.say("/backup undo --sample --yes", *allowing("undo", newer))
    assert "tasks: 10 rows taken out" in undone.answer
    assert "verified)" in client.say("/backup export --sample").answer
    assert set(done) < set(rows(history, "SELECT * FROM events"))
    after = fingerprints(home)
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {"backups/history.db", "data/sample.db"}

    client.run("plugin", "uninstall", "backup@holdfast")
    client.run("plugin", "marketplace", "remove", "holdfast")
    assert json.loads(client.run("plugin", "list", "--json")) == []
    assert fingerprints(home) == after
