"""The Open Agentic Framework: each bug of its own backups, as what is done here instead."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import BackupDamaged, BackupTooNew, HoldfastError, ImportRefused, NotABackup
from holdfast.formats import open_backup
from holdfast.works import ConflictMode
from tests.conftest import everything, rows, run_sql
from tests.running import files_in, run
from tests.systems import memory_nexus, open_agentic
from tests.systems.conftest import Desk, content

TABLES = (
    *("agents", "tools", "workflows", "memory_entries", "scheduled_tasks"),
    "task_executions",
)
WRITING_MODES = [mode for mode in ConflictMode if mode is not ConflictMode.FAIL]
LAYOUTS = {
    "alone": open_agentic.alone,
    "in a folder": open_agentic.foldered,
    "in a zip": open_agentic.zipped,
    "six files": open_agentic.six_files,
    "six files in a zip": open_agentic.zipped_six_files,
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return open_agentic.make(tmp_path / "agentic_ai.db")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return open_agentic.make(tmp_path / "empty.db", open_agentic.SCHEMA)


def refused(file: Path, database: Path, desk: Desk, error: type[HoldfastError], match: str) -> None:
    before = everything(database)
    with pytest.raises(error, match=match):
        desk.imported(file, database)
    assert everything(database) == before


# Its database


@pytest.mark.parametrize("form", ["json", "zip", "sqlite"])
def test_its_database_comes_back_equal_with_executions_and_the_memory_of_lost_agents(
    database: Path, desk: Desk, form: str
) -> None:
    # The pages of a copy are those of all tables anyway.
    report = desk.exported(database, format=form, groups=() if form == "sqlite" else ("all",))
    assert (report.profile, report.missing_tables) == ("open_agentic", ())
    assert report.path
    desk.restored(report.path, desk.folder / "restored.db")
    assert content(desk.folder / "restored.db") == content(database)


def test_sql_null_and_json_null_stay_apart(database: Path, empty: Path, desk: Desk) -> None:
    backup = desk.exported(database).path
    assert backup
    desk.imported(backup, empty)
    assert rows(empty, "SELECT tools, typeof(tools), typeof(tool_configs) FROM agents") == [
        ('["search", "mail"]', "text", "text"),
        ("null", "text", "null"),
    ]


def test_an_agents_tool_configurations_and_a_tools_own_are_not_lost(
    database: Path, empty: Path, desk: Desk
) -> None:
    backup = desk.exported(database).path
    assert backup
    desk.imported(backup, empty)
    assert rows(empty, "SELECT tool_configs FROM agents WHERE id = 1") == [
        ('{"mail": {"api_key": "sk-1"}}',)
    ]
    assert rows(empty, "SELECT json_extract(configuration, '$.port') FROM tools") == [(25,)]
    assert rows(empty, "SELECT input_schema FROM workflows") == [('{"q": {}}',)]


# Its memory, its secrets, and one agent alone


def written(backup: Path | None) -> dict[str, Any]:
    assert backup
    document: dict[str, Any] = json.loads(backup.read_text(encoding="utf-8"))
    return document


def test_memory_is_left_out_unless_it_is_asked_for_and_the_report_says_so(
    database: Path, desk: Desk
) -> None:
    report = desk.exported(database)
    assert "memory_entries" not in written(report.path)["tables"]
    assert [(each.table, each.reason) for each in report.skipped_tables] == [
        ("memory_entries", "taken only when its group is named: memory")
    ]


@pytest.mark.parametrize(
    ("option", "tables", "kind"),
    [
        (["--include-memory"], 6, "full"),
        (["default", "memory"], 6, "full"),
        (["all"], 6, "full"),
        (["memory"], 1, "partial"),
        (["agents", "--include-memory"], 2, "partial"),
        (["--agent", "writer", "--include-memory"], 4, "partial"),
        (["--agent", "writer"], 3, "partial"),
    ],
)
def test_memory_is_taken_beside_the_rest_with_include_memory(
    database: Path, desk: Desk, option: list[str], tables: int, kind: str
) -> None:
    out = desk.folder / "b.json"
    run(desk.folder / "home", "export", "--db", database, "--output", out, *option)
    document = written(out)
    assert (len(document["tables"]), document["type"]) == (tables, kind)


def test_a_backup_with_memory_stays_comparable_with_its_database(
    database: Path, desk: Desk
) -> None:
    home, out = desk.folder / "home", desk.folder / "b.json"
    run(home, "export", "--db", database, "--output", out, "--include-memory")
    run(home, "diff", out, database, "--exit-code")
    run_sql(database, "DELETE FROM memory_entries WHERE id = 1")
    run(home, "diff", out, database, "--exit-code", exit_code=3)


def test_a_backup_imported_again_does_not_double_the_memory_in_any_mode(
    database: Path, empty: Path, desk: Desk
) -> None:
    backup = desk.exported(database, groups=("all",)).path
    assert backup
    for mode in (ConflictMode.REMAP, ConflictMode.OVERWRITE, ConflictMode.REMAP):
        desk.imported(backup, empty, mode=mode)
        assert rows(empty, "SELECT count(*) FROM memory_entries") == [(4,)]


def test_one_agent_is_exported_with_its_tasks_and_what_became_of_them(
    database: Path, empty: Path, desk: Desk
) -> None:
    backup = desk.exported(database, groups=("all",), scope=("agent=writer",)).path
    assert backup
    desk.imported(backup, empty)
    counts = {name: len(rows(empty, f"SELECT * FROM {name}")) for name in TABLES}
    assert counts == {
        "agents": 1,
        "tools": 0,
        "workflows": 0,
        "memory_entries": 3,
        "scheduled_tasks": 1,
        "task_executions": 1,
    }


def test_rows_of_another_environment_are_told_by_name_and_their_numbers_follow(
    database: Path, empty: Path, desk: Desk
) -> None:
    run_sql(
        empty,
        "INSERT INTO agents (id, name, role, goals, backstory) VALUES (1, 'writer', '', '', '');"
        "INSERT INTO scheduled_tasks (id, task_type, scheduled_time) VALUES (3, 'agent', 'x')",
    )
    backup = desk.exported(database, groups=("all",)).path
    assert backup
    desk.imported(backup, empty, mode=ConflictMode.REMAP)
    assert rows(empty, "SELECT id, name, role FROM agents ORDER BY 1") == [
        (1, "writer", "Writer"),
        (2, 'o\'brien "ops"', "Operator"),
    ]
    assert rows(
        empty,
        "SELECT t.task_description FROM task_executions AS e"
        " JOIN scheduled_tasks AS t ON t.id = e.scheduled_task_id",
    ) == [("write",)]


def test_secrets_are_named_and_the_file_is_for_its_owners_eyes_only(
    database: Path, desk: Desk
) -> None:
    report = desk.exported(database)
    assert report.path
    assert dict(report.secrets) == {
        "agents.tool_configs.*.api_key": 1,
        "tools.configuration.api_key": 1,
    }
    assert report.path.stat().st_mode & 0o777 == 0o600


def test_redacted_secrets_are_in_no_byte_of_the_file_and_leave_living_ones_alone(
    database: Path, empty: Path, desk: Desk
) -> None:
    backup = desk.exported(database, groups=("all",), redact=True).path
    assert backup
    assert b"sk-1" not in backup.read_bytes() and b"sk-2" not in backup.read_bytes()
    run_sql(database, "UPDATE tools SET description = 'x'")
    desk.imported(backup, database)
    assert rows(database, "SELECT description, configuration FROM tools") == [
        ("sends", '{"api_key": "sk-2", "port": 25}')
    ]
    assert rows(database, "SELECT tool_configs FROM agents WHERE id = 1") == [
        ('{"mail": {"api_key": "sk-1"}}',)
    ]


# Its files


@pytest.mark.parametrize("write", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_is_recognised_by_its_content_and_comes_in_whole(
    database: Path, empty: Path, desk: Desk, write: Callable[..., Path]
) -> None:
    file = write(database, desk.folder / "anything")
    report = desk.imported(file, empty)
    assert report.recognised == "a backup of the Open Agentic Framework"
    for table in ("workflows", "tools", "scheduled_tasks"):
        assert content(empty)[table] == content(database)[table], table
    assert len(rows(empty, "SELECT * FROM agents")) == 2


@pytest.mark.parametrize("mode", ConflictMode)
def test_scheduled_tasks_really_come_back_in_the_form_that_the_framework_reads(
    database: Path, empty: Path, desk: Desk, mode: ConflictMode
) -> None:
    desk.imported(open_agentic.zipped(database, desk.folder / "b.zip"), empty, mode=mode)
    assert rows(
        empty, "SELECT id, scheduled_time, next_execution, context FROM scheduled_tasks"
    ) == [
        (3, "2026-04-01 09:30:00.000000", "2026-04-01 09:35:00.250000", '{"a": [1, 2]}'),
        (9, "2026-04-02 00:00:00.000000", None, None),
    ]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2026-04-01T09:30:00", "2026-04-01 09:30:00.000000"),
        ("2026-04-01T09:30:00.5", "2026-04-01 09:30:00.500000"),
        ("2026-04-01 09:30:00.123456", "2026-04-01 09:30:00.123456"),
        ("2026-04-01T09:30:00.123456789Z", "2026-04-01 09:30:00.123456"),
        ("2026-04-01T09:30:00+00:00", "2026-04-01 09:30:00.000000"),
        ("2026-04-01T09:30:00+02:00", "2026-04-01T09:30:00+02:00"),
        ("tomorrow", "tomorrow"),
    ],
)
def test_a_moment_is_stored_as_the_framework_does_and_never_moved(
    database: Path, empty: Path, desk: Desk, written: str, stored: str
) -> None:
    task = {"id": 5, "task_type": "agent", "scheduled_time": written, "task_description": written}
    file = open_agentic.alone(database, desk.folder / "b.json", scheduled_tasks=[task])
    desk.imported(file, empty)
    assert rows(empty, "SELECT scheduled_time, task_description FROM scheduled_tasks") == [
        (stored, written)
    ]


def test_overwriting_changes_agents_workflows_and_tools_by_their_names(
    database: Path, desk: Desk
) -> None:
    file = open_agentic.alone(database, desk.folder / "b.json")
    document = json.loads(file.read_text(encoding="utf-8"))
    for table in open_agentic.LISTS[:3]:
        for row in document[table]:
            del row["id"]
    file.write_text(json.dumps(document), encoding="utf-8")
    run_sql(
        database,
        "UPDATE agents SET role = 'x'; UPDATE workflows SET steps = '[]';"
        "UPDATE tools SET description = 'x'",
    )
    report = desk.imported(file, database)
    assert {t.name: t.overwritten for t in report.plan.tables if t.overwritten} == {
        "agents": 2,
        "workflows": 1,
        "tools": 1,
    }
    assert rows(database, "SELECT id, role FROM agents ORDER BY id") == [
        (1, "Operator"),
        (4, "Writer"),
    ]


def test_importing_again_does_not_double_the_memory(
    database: Path, empty: Path, desk: Desk
) -> None:
    file = open_agentic.zipped(database, desk.folder / "b.zip", memory=open_agentic.MEMORY)
    desk.imported(file, empty)
    assert desk.imported(file, empty).outcome == "nothing to do"
    assert rows(empty, "SELECT agent_name, entry_metadata, timestamp FROM memory_entries") == [
        ("writer", '{"n": 1}', "2026-03-01 10:00:00.000001"),
        ("writer", None, None),
    ]


def test_the_memory_of_an_agent_is_not_cut_at_a_thousand(
    database: Path, empty: Path, desk: Desk
) -> None:
    entries = [{"role": "user", "content": str(number)} for number in range(1500)]
    file = open_agentic.alone(database, desk.folder / "b.json", memory={"gone": entries})
    assert desk.planned(file, empty)["memory_entries"].inserted == 1500


def test_a_dry_run_sees_what_is_there(database: Path, desk: Desk) -> None:
    file = open_agentic.alone(database, desk.folder / "b.json")
    run_sql(database, "DELETE FROM scheduled_tasks WHERE id = 9; UPDATE agents SET role = 'x'")
    before = everything(database)
    plan = desk.planned(file, database)
    assert everything(database) == before
    assert (plan["scheduled_tasks"].inserted, plan["scheduled_tasks"].unchanged) == (1, 1)
    assert (plan["agents"].overwritten, plan["tools"].unchanged) == (2, 1)


def test_configuration_is_named_as_what_no_table_has_a_place_for(
    database: Path, desk: Desk
) -> None:
    file = open_agentic.alone(database, desk.folder / "b.json", moods=[])
    report = desk.imported(file, database)
    assert any(warning.startswith("config, moods: ") for warning in report.warnings)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"metadata": {"version": "99.0"}}, BackupTooNew, "version '99.0'"),
        ({"metadata": []}, NotABackup, "not a whole JSON document"),
        (
            {"metadata": {"version": "1.0", "summary": {"agents": 3}}},
            BackupDamaged,
            "holds 3 agents",
        ),
        ({"tools": {"a": 1}}, NotABackup, "missing or invalid tools array"),
        ({"agents": [1]}, NotABackup, "missing or invalid agents array"),
        ({"memory": {"writer": 1}}, NotABackup, "missing or invalid memory.writer array"),
    ],
)
def test_what_is_no_backup_of_a_known_version_is_refused(
    database: Path, desk: Desk, changes: dict[str, Any], error: type[HoldfastError], match: str
) -> None:
    file = open_agentic.alone(database, desk.folder / "b.json", **changes)
    refused(file, database, desk, error, match)


def test_a_backup_without_workflows_says_what_is_missing(database: Path, desk: Desk) -> None:
    parts = open_agentic.document(database)
    del parts["workflows"]
    file = desk.folder / "b.json"
    file.write_text(json.dumps(parts), encoding="utf-8")
    refused(file, database, desk, NotABackup, "missing keys: workflows")


@pytest.mark.parametrize("member", ["../backup.json", "/backup.json", "a/../../backup.json"])
def test_a_name_that_leads_out_of_a_zip_does_nothing(
    database: Path, desk: Desk, member: str
) -> None:
    (desk.folder / "deep").mkdir()
    file = open_agentic.zipped(database, desk.folder / "deep" / "b.zip", member)
    before = files_in(desk.folder)
    with pytest.raises(BackupDamaged, match="would lie outside of it"):
        desk.imported(file, database)
    after = files_in(desk.folder)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name.endswith("backup.json")]


def test_a_zip_whose_bytes_were_changed_is_refused(database: Path, desk: Desk) -> None:
    file = open_agentic.zipped(database, desk.folder / "b.zip")
    content_of_it = bytearray(file.read_bytes())
    content_of_it[len(content_of_it) // 2] ^= 0xFF
    file.write_bytes(content_of_it)
    with pytest.raises(HoldfastError) as caught:
        desk.imported(file, database)
    assert caught.value.exit_code in (16, 17)


@pytest.mark.parametrize("names", [["backup.json"], ["metadata.json", "agents.json"]])
def test_another_zip_or_folder_with_files_of_such_names_is_not_taken_for_one(
    desk: Desk, names: list[str]
) -> None:
    folder = desk.folder / "other"
    folder.mkdir()
    for name in names:
        (folder / name).write_text('{"title": "x"}', encoding="utf-8")
    with zipfile.ZipFile(desk.folder / "other.zip", "w") as archive:
        for name in names:
            archive.write(folder / name, name)
    for path in (folder, desk.folder / "other.zip"):
        with pytest.raises(NotABackup, match="in none of the formats"):
            open_backup(path)


def test_a_backup_is_not_imported_into_the_database_of_another_tool(
    database: Path, desk: Desk
) -> None:
    file = open_agentic.zipped(database, desk.folder / "b.zip")
    other = memory_nexus.make(desk.folder / "memory.db")
    refused(file, other, desk, ImportRefused, "is of open_agentic, and .* of memory CLI")


def test_two_backups_of_one_second_are_two_files(database: Path, desk: Desk) -> None:
    paths = {desk.exported(database).path for _ in range(3)}
    assert len(paths) == 3
    assert all(path and path.is_file() for path in paths)
