"""The plugin at an older version, updated and taken away: what people keep stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import rows, run_sql
from tests.older import lines_of_readme, write_first_state

from .client import Client
from .fingerprints import fingerprints
from .marketplace import ADDRESS, NEXT, next_version, publish, with_marketplace

pytestmark = pytest.mark.assistant


def installed(client: Client) -> tuple[str, Path]:
    """The version of the plugin that is installed, and its folder."""
    [plugin] = json.loads(client.run("plugin", "list", "--json"))
    return plugin["version"], Path(plugin["installPath"])


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
    for line in lines_of_readme("Claude Code")[1]:
        client.run(*line.removeprefix("claude ").split())
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

    (uninstall,) = lines_of_readme("Claude Code")[2]
    client.run(*uninstall.removeprefix("claude ").split())
    client.run("plugin", "marketplace", "remove", "holdfast")
    assert json.loads(client.run("plugin", "list", "--json")) == []
    assert fingerprints(home) == after
