"""Databases that real tools made: exported, restored, and read by the tool itself."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest

from holdfast.operations.context import profile_of
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.redaction import secret_name
from tests.conftest import connected, rows, run_sql
from tests.real.tool_databases import TOOLS, OpenWebUI

PYTHON = os.environ.get("HOLDFAST_TEST_REAL_TOOLS", "")
PYTHON_OF_OPEN_WEBUI = os.environ.get("HOLDFAST_TEST_OPEN_WEBUI", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (PYTHON and PYTHON_OF_OPEN_WEBUI),
        reason="the tools are installed by --tools, and in CI",
    ),
]
MAKER = Path(__file__).with_name("tool_databases.py")

READ = {
    "llm": [
        [
            ["user", "first"],
            ["assistant", "You said: first \N{PARROT}"],
            ["user", "second\0 with a NUL"],
            ["assistant", "You said: second\0 with a NUL \N{PARROT}"],
        ],
        1,
    ],
    "langgraph": {
        "steps": [2, 1, 0],
        "values": "{'messages': ['a', {'b': 2}], 'raw': b'\\x00\\xff'}",
        "writes": "[('task-1', 'messages', {'pending': True})]",
    },
    "openai_agents": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "héllo"},
    ],
    "google_adk": {"state": {"app:a": 1, "c": 3, "user:b": [2]}, "texts": ["hello"]},
    "mem0": [["", "likes tea"], ["likes tea", "likes coffee"]],
    "chroma": [["a", "b"], ["green tea", "black coffee"], [{"n": 1}, {"n": 2.5}], ["b"], [["a"]]],
    "datasette": [["plants"], {"title": "Plants"}],
    "open_webui": {
        "folders": ["Drinks"],
        "found": [["Tea", {"tags": ["hot_drinks"]}]],
        "messages": [["user", "green tea?"], ["assistant", "always \N{TEACUP WITHOUT HANDLE}"]],
        "files": [{"content": "leaves"}],
        "memories": ["likes tea"],
        "settings": OpenWebUI.settings,
    },
}


def ask(verb: str, folder: Path, *only: str) -> dict[str, object]:
    """Make the databases in a folder, or read them, with the tools' own code."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "ANONYMIZED_TELEMETRY": "0"}
    found: dict[str, object] = {}
    for python, apart in ((PYTHON, False), (PYTHON_OF_OPEN_WEBUI, True)):
        names = [name for name in only or TOOLS if TOOLS[name].apart is apart]
        if not names:
            continue
        done = subprocess.run(
            [python, MAKER, verb, folder, *names],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with one database of each tool."""
    folder = tmp_path_factory.mktemp("made")
    ask("make", folder)
    return folder


@pytest.fixture(params=["json", "sqlite"], scope="module")
def reread(request, made, tmp_path_factory):
    """What each tool reads from its database after an export and a restore."""
    context = request.getfixturevalue("module_context")
    folder = tmp_path_factory.mktemp(request.param)
    for name, tool in TOOLS.items():
        restored = folder / name / tool.file
        if tool.beside:
            shutil.copytree(made / name, folder / name)
            for path in (folder / name).glob(f"{tool.file}*"):
                path.unlink()
        restored.parent.mkdir(exist_ok=True)
        report = export_backup(
            context, ExportOptions(database=str(made / name / tool.file), format=request.param)
        )
        assert report.path is not None
        restore_backup(context, RestoreOptions(backup=str(report.path), target=restored))
    return ask("read", folder)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_reads_from_a_restored_database_what_it_wrote(reread, tool):
    assert reread[tool] == READ[tool]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_database_that_a_tool_makes_is_recognised_as_its_own(module_context, made, tool):
    import sqlite3

    path = made / tool / TOOLS[tool].file
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    profile = profile_of(module_context, path, names)
    assert profile and profile.name == tool
    here = {name.lower() for name in names}
    grouped = {table for group in profile.groups.values() for table in group.tables}
    unknown = {name for name in grouped if name.lower() not in here}
    # What other versions have may be named; what this one has, should be.
    assert unknown <= OF_OTHERS.get(tool, set())


def test_no_table_that_open_webui_uses_is_outside_of_its_groups(module_context, made):
    path = made / "open_webui" / "webui.db"
    names = {name for (name,) in rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")}
    profile = profile_of(module_context, path, list(map(str, names)))
    assert profile
    grouped = {table for group in profile.groups.values() for table in group.tables}
    # Alembic's own, and what its migrations left behind of older versions.
    assert names - grouped == {"alembic_version", "chatidtag", "config_old", "document"}
    assert profile.secrets["config"] == profile.secrets["config_old"]  # its two shapes
    query = "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
    there = {(str(table).removesuffix("_old"), column) for table, column in rows(path, query)}
    named = {
        (table.removesuffix("_old"), column)
        for table, secrets in profile.secrets.items()
        for column in itertools.chain(*(secret_name(secret).columns for secret in secrets))
    }
    assert named <= there


SOUNDS_SECRET = re.compile(r"(_key|_keys|_sk|secret|password|token|_auth|webhook_url)$")
# The settings of Open WebUI that sound like secrets and are none.
NO_SECRETS = {"auth.enable_api_keys"}


@pytest.fixture
def webui(made, tmp_path):
    """A database of Open WebUI, in which each setting that is a text holds a secret."""
    path = tmp_path / "open_webui" / "webui.db"
    shutil.copytree(made / "open_webui", path.parent)  # what is in the write-ahead log, too
    run_sql(path, "UPDATE config SET value = '\"sk-' || key || '\"' WHERE value LIKE '\"%'")
    # As a version before rows had it, and the newer ones leave it behind.
    document: dict[str, object] = {}
    for key, value in settings_of(path).items():
        *folders, name = re.sub(r"^web\.", "rag.web.", key).split(".")
        folder = document
        for each in folders:
            folder = cast("dict[str, object]", folder.setdefault(each, {}))
        folder[name] = value
    with connected(path) as connection:
        connection.execute(
            "INSERT INTO config_old (id, data, version) VALUES (1, ?, 0)", [json.dumps(document)]
        )
    return path


def settings_of(path):
    return {
        str(key): json.loads(str(value))
        for key, value in rows(path, "SELECT key, value FROM config")
    }


def test_all_settings_of_open_webui_that_are_secret_are_named_and_no_others(
    module_context, webui, tmp_path
):
    options = ExportOptions(database=str(webui), redact=True, format="json")
    report = export_backup(module_context, options)
    target = tmp_path / "restored.db"
    restore_backup(module_context, RestoreOptions(backup=str(report.path), target=target))
    before, after = settings_of(webui), settings_of(target)
    changed = {key for key, value in before.items() if after[key] != value}
    sounding = {key for key in before if SOUNDS_SECRET.search(key)} - NO_SECRETS
    assert changed == sounding | OpenWebUI.settings.keys() - {"ui.default_models"}
    assert len(sounding) == 67
    [(document,)] = rows(target, "SELECT data FROM config_old")
    clear = {text for text in re.findall(r"sk-[^\"]+", str(document)) if SOUNDS_SECRET.search(text)}
    assert clear == set()
    assert not re.findall(r"sk-\d+", str(document) + json.dumps(after))
    assert json.loads(str(document))["ui"]["default_models"] == "sk-ui.default_models"


def test_the_keys_of_open_webui_come_back_on_import(module_context, webui):
    options = ExportOptions(database=str(webui), redact=True)
    report = export_backup(module_context, options)
    run_sql(webui, "UPDATE config SET value = '\"other\"' WHERE key = 'ui.default_models'")
    plan = import_backup(
        module_context, ImportOptions(backup=str(report.path), database=str(webui), yes=True)
    )
    assert plan.outcome == "done"
    read = cast("dict[str, dict[str, object]]", ask("read", webui.parent.parent, "open_webui"))
    expected = {**OpenWebUI.settings, "ui.default_models": "sk-ui.default_models"}
    assert read["open_webui"]["settings"] == expected


OF_OTHERS = {
    "langgraph": {"store", "store_vectors", "store_migrations", "vector_migrations"},
    "openai_agents": {"message_structure", "branch_reservations", "turn_usage"},
    "google_adk": {"adk_internal_metadata"},
}
