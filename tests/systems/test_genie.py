"""Genie: each bug of its own exports and imports, as what is done here instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast import reports
from holdfast.errors import BackupTooNew, ImportConflict, ImportRefused, NotABackup
from holdfast.formats import open_backup
from holdfast.profiles import load_profiles, profile_folder, recognise
from holdfast.works import ConflictMode
from tests.conftest import connected, everything, rows, run_sql
from tests.systems import genie, memory_nexus
from tests.systems.conftest import Desk, content

WRITING_MODES = [mode for mode in ConflictMode if mode is not ConflictMode.FAIL]


@pytest.fixture
def v4(tmp_path: Path) -> Path:
    return genie.make(tmp_path / "v4.db", genie.V4 + genie.V4_ROWS)


@pytest.fixture
def empty_v4(tmp_path: Path) -> Path:
    return genie.make(tmp_path / "empty-v4.db", genie.V4)


@pytest.fixture
def fresh_v4(tmp_path: Path) -> Path:
    return genie.make(tmp_path / "fresh-v4.db", genie.V4_FRESH)


@pytest.fixture
def export(tmp_path: Path, v4: Path) -> Path:
    return genie.export(v4, tmp_path / "genie-backup-20260328.json")


@pytest.fixture
def v5(tmp_path: Path) -> Path:
    return genie.make(tmp_path / "genie.db", genie.REPOSITORY + genie.REPOSITORY_ROWS)


@pytest.fixture
def empty_v5(tmp_path: Path) -> Path:
    return genie.make(tmp_path / "empty-v5.db", genie.REPOSITORY)


@pytest.fixture
def snapshot(tmp_path: Path, v5: Path) -> Path:
    return genie.snapshot(v5, tmp_path / "roadmap.json")


def changed(file: Path, **changes: Any) -> Path:
    document = json.loads(file.read_text(encoding="utf-8")) | changes
    kept = {name: value for name, value in document.items() if value is not None}
    file.write_text(json.dumps(kept), encoding="utf-8")
    return file


def with_row(file: Path, table: str, **row: Any) -> Path:
    data = json.loads(file.read_text(encoding="utf-8"))["data"]
    data.setdefault(table, []).append(row)
    return changed(file, data=data)


def refused(file: Path, database: Path, desk: Desk, error: type[Exception], match: str) -> None:
    before = everything(database)
    with pytest.raises(error, match=match):
        desk.imported(file, database)
    assert everything(database) == before


# Its databases


@pytest.mark.parametrize(
    ("sql", "name"),
    [(genie.REPOSITORY, "genie"), (genie.GLOBAL, "genie_global"), (genie.V4, "genie_v4")],
)
def test_each_of_its_databases_is_recognised_and_its_tables_are_known(
    tmp_path: Path, desk: Desk, sql: str, name: str
) -> None:
    database = genie.make(tmp_path / "x.db", sql)
    report = desk.exported(database)
    assert (report.profile, report.missing_tables) == (name, ())
    (profile,) = [each for each in load_profiles(profile_folder()) if each.name == name]
    grouped = [table for group in profile.groups.values() for table in group.tables]
    assert len(grouped) == len(set(grouped))
    assert content(database).keys() - {"sqlite_sequence"} <= set(grouped)


def test_the_nine_groups_of_its_commands_are_those_of_the_profile() -> None:
    (profile,) = [each for each in load_profiles(profile_folder()) if each.name == "genie_v4"]
    assert list(profile.groups)[:9] == [
        *("boards", "tasks", "tags", "projects", "schedules", "agents", "apps", "comms", "config")
    ]


@pytest.mark.parametrize("form", ["json", "zip", "sqlite"])
@pytest.mark.parametrize(
    ("sql", "left_out"),
    [
        (genie.REPOSITORY + genie.REPOSITORY_ROWS, "DELETE FROM hire_roster"),
        (genie.GLOBAL + genie.GLOBAL_ROWS, ""),
        (genie.V4 + genie.V4_ROWS, genie.V4_LEFT_OUT),
    ],
    ids=["repository", "global", "v4"],
)
def test_a_database_comes_back_equal_but_for_what_its_profile_leaves_out(
    tmp_path: Path, desk: Desk, sql: str, left_out: str, form: str
) -> None:
    database = genie.make(tmp_path / "x.db", sql)
    backup = desk.exported(database, format=form).path
    assert backup
    desk.restored(backup, tmp_path / "restored.db")
    if form != "sqlite":  # whose pages are copied as they are
        run_sql(database, left_out)
    assert content(tmp_path / "restored.db") == content(database)
    assert rows(tmp_path / "restored.db", "PRAGMA user_version") == rows(
        database, "PRAGMA user_version"
    )


# Version 4's exports


def test_an_export_of_version_4_is_recognised_by_its_content_and_named(
    export: Path, v4: Path, desk: Desk
) -> None:
    moved = export.rename(export.with_name("notes.txt"))
    report = desk.imported(moved, v4, yes=False)
    assert report.recognised == "an export of Genie 4"
    assert "The file is an export of Genie 4." in reports.text(report)
    contents = open_backup(moved).contents()
    assert contents.header.generator == "Genie 4.260328.2"
    assert contents.header.backup_date == "2026-03-28T07:56:27.030Z"
    assert next(each.table for each in contents.header.skipped_tables) == "os_config"


def test_its_keys_may_come_in_any_order(export: Path, v4: Path, desk: Desk) -> None:
    document = json.loads(export.read_text(encoding="utf-8"))
    document["data"]["mailbox"] = [{"id": "m", "body": "x" * 10000}]
    export.write_text(json.dumps(document, sort_keys=True), encoding="utf-8")
    assert desk.planned(export, v4)["mailbox"].inserted == 1


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_full_export_imports_into_the_database_it_came_from(
    export: Path, v4: Path, desk: Desk, mode: ConflictMode
) -> None:
    before = everything(v4)
    assert desk.imported(export, v4, mode=mode).outcome == "nothing to do"
    assert everything(v4) == before


@pytest.mark.parametrize("mode", ConflictMode)
def test_a_full_export_imports_into_an_empty_database_in_every_mode(
    export: Path, v4: Path, empty_v4: Path, desk: Desk, mode: ConflictMode
) -> None:
    report = desk.imported(export, empty_v4, mode=mode)
    assert report.outcome == "done"
    after = everything(empty_v4)
    before = everything(v4)
    assert {table: after[table] for table in genie.GROUPED} == {
        table: before[table] for table in genie.GROUPED
    }
    assert rows(empty_v4, "PRAGMA foreign_key_check") == []


def test_messages_and_stage_log_keep_the_numbers_that_the_database_gives(
    export: Path, empty_v4: Path, desk: Desk
) -> None:
    desk.imported(export, empty_v4)
    assert rows(empty_v4, "SELECT id FROM messages ORDER BY id") == [(2,), (3,), (4,)]
    assert rows(empty_v4, "SELECT id FROM task_stage_log") == [(12,)]
    run_sql(empty_v4, "INSERT INTO messages (conversation_id, body) VALUES ('conv-1', 'next')")
    assert rows(empty_v4, "SELECT max(id) FROM messages") == [(5,)]


def test_a_table_whose_key_is_not_called_id_comes_in(
    export: Path, empty_v4: Path, desk: Desk
) -> None:
    desk.imported(export, empty_v4)
    assert rows(empty_v4, "SELECT * FROM agent_checkpoints") == [("ag-1", "task-a", "{}")]


def test_a_conversation_and_the_message_it_branches_from_come_in_together(
    export: Path, empty_v4: Path, desk: Desk
) -> None:
    desk.imported(export, empty_v4)
    assert rows(empty_v4, "SELECT parent_message_id FROM conversations WHERE id = 'conv-2'") == [
        (4,)
    ]


def test_overwrite_takes_the_rows_of_the_file_and_deletes_no_children(
    export: Path, v4: Path, desk: Desk
) -> None:
    before = everything(v4)
    run_sql(
        v4,
        "UPDATE tasks SET title = 'x', parent_id = NULL WHERE id = 'task-b';"
        "INSERT INTO task_actors VALUES ('task-b', 'local', 'later', 'watcher', NULL)",
    )
    report = desk.imported(export, v4, mode=ConflictMode.OVERWRITE)
    assert {t.name: t.overwritten for t in report.plan.tables if t.overwritten} == {"tasks": 1}
    assert rows(v4, "SELECT actor_id FROM task_actors WHERE task_id = 'task-b'") == [("later",)]
    assert everything(v4)["tasks"] == before["tasks"]


def test_merge_changes_no_row_that_is_there(export: Path, v4: Path, desk: Desk) -> None:
    run_sql(
        v4,
        "UPDATE tasks SET parent_id = NULL WHERE id = 'task-b';"
        "UPDATE messages SET reply_to_id = NULL; DELETE FROM mailbox;"
        "DELETE FROM task_dependencies",
    )
    before = everything(v4)
    report = desk.imported(export, v4, mode=ConflictMode.MERGE)
    after = everything(v4)
    differing = {name for name in before if after[name] != before[name]}
    assert differing == {"task_dependencies", "audit_events", "sqlite_sequence"}
    assert {t.name: t.inserted for t in report.plan.tables if t.inserted} == {
        "task_dependencies": 1
    }


def test_fail_names_the_rows_that_are_there_and_how_to_go_on(
    export: Path, v4: Path, desk: Desk
) -> None:
    with pytest.raises(ImportConflict, match=r"boards: 2 \(board-1, board-2\)") as caught:
        desk.imported(export, v4, mode=ConflictMode.FAIL)
    assert "merge" in caught.value.hint and "overwrite" in caught.value.hint


def test_a_builtin_template_with_another_id_is_a_conflict_that_is_named(
    export: Path, empty_v4: Path, desk: Desk
) -> None:
    run_sql(empty_v4, "INSERT INTO board_templates VALUES ('tmpl-random', 'Kanban', '[]', 1)")
    refused(export, empty_v4, desk, ImportConflict, "board_templates.name.*Kanban")


def test_counts_are_rows_written_not_rows_in_the_file(export: Path, v4: Path, desk: Desk) -> None:
    run_sql(v4, "DELETE FROM task_tags WHERE tag_id = 'bug'")
    report = desk.imported(export, v4, mode=ConflictMode.MERGE)
    plan = {t.name: (t.inserted, t.unchanged) for t in report.plan.tables}
    assert plan["task_tags"] == (1, 1)
    assert plan["tasks"] == (0, 3)


def test_triggers_neither_renumber_tasks_nor_hold_them_back(
    export: Path, empty_v4: Path, desk: Desk
) -> None:
    with_row(export, "tasks", id="task-z", title="z", stage="of a later version", seq=5)
    report = desk.imported(export, empty_v4)
    assert report.plan.triggers == ("trg_assign_seq", "trg_validate_stage")
    assert rows(empty_v4, "SELECT seq FROM tasks WHERE id IN ('task-a', 'task-z') ORDER BY id") == [
        (77,),
        (5,),
    ]
    assert len(rows(empty_v4, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger'")) == 2


def test_microseconds_of_a_database_are_kept(v4: Path, fresh_v4: Path, desk: Desk) -> None:
    backup = desk.exported(v4).path
    assert backup
    desk.imported(backup, fresh_v4)
    assert rows(fresh_v4, "SELECT created_at FROM tasks WHERE id = 'task-a'") == [
        ("2026-03-01T00:00:00.123456Z",)
    ]


def test_json_is_stored_as_json_text_once_and_booleans_as_numbers(
    export: Path, empty_v4: Path, desk: Desk
) -> None:
    with_row(export, "schedules", id="sch-2", name="n", run_spec='{"a": 1}', enabled=False)
    desk.imported(export, empty_v4)
    assert rows(empty_v4, "SELECT run_spec, enabled, json_valid(run_spec) FROM schedules") == [
        ('{"cmd":["genie","export"]}', 1, 1),
        ('{"a": 1}', 0, 1),
    ]


def test_a_table_that_the_database_lacks_is_reported_not_passed_over(
    export: Path, v4: Path, desk: Desk
) -> None:
    report = desk.imported(with_row(export, "warm_pool", id="w-1"), v4)
    assert any("1 rows of warm_pool" in warning for warning in report.warnings)


def test_a_column_or_key_that_is_unknown_is_named_never_dropped(
    export: Path, v4: Path, desk: Desk
) -> None:
    report = desk.imported(changed(export, later={"a": 1}), v4)
    assert any(warning.startswith("later: ") for warning in report.warnings)
    refused(with_row(export, "tags", id="t-9", name="n", shade=1), v4, desk, ImportRefused, "shade")


def test_names_in_a_file_are_never_run_as_sql(export: Path, v4: Path, desk: Desk) -> None:
    with_row(export, 'tags"; DROP TABLE tasks; --', id="x")
    report = desk.imported(export, v4)
    assert any("DROP TABLE" in warning for warning in report.warnings)
    refused(
        with_row(export, "tags", **{"id": "t-9", "name') --": 1}), v4, desk, ImportRefused, "no col"
    )
    assert rows(v4, "SELECT count(*) FROM tasks") == [(3,)]


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"version": "99.0"}, BackupTooNew, "version '99.0'"),
        ({"version": "x"}, NotABackup, "invalid version field: 'x'"),
        ({"version": 1}, NotABackup, "version field"),
        ({"exportedAt": 5}, NotABackup, "missing or invalid exportedAt"),
        ({"data": []}, NotABackup, "missing or invalid data"),
        ({"data": {"tasks": {}}}, NotABackup, "missing or invalid data.tasks array"),
        ({"data": {"tasks": [1]}}, NotABackup, "missing or invalid data.tasks array"),
    ],
)
def test_what_is_no_export_of_a_known_version_is_refused(
    export: Path, v4: Path, desk: Desk, changes: dict[str, Any], error: type[Exception], match: str
) -> None:
    refused(changed(export, **changes), v4, desk, error, match)


def test_an_export_that_is_cut_short_is_refused(export: Path, v4: Path, desk: Desk) -> None:
    export.write_bytes(export.read_bytes()[:-20])
    refused(export, v4, desk, NotABackup, "not a whole JSON document")


@pytest.mark.parametrize(
    "sql", [genie.REPOSITORY, memory_nexus.SCHEMA], ids=["version 5", "the memory CLI"]
)
def test_an_export_is_not_imported_into_a_database_of_another_kind(
    export: Path, tmp_path: Path, desk: Desk, sql: str
) -> None:
    refused(export, genie.make(tmp_path / "x.db", sql), desk, ImportRefused, "is of genie_v4")


def test_an_import_is_told_to_its_log_with_mode_counts_skips_version_and_date(
    export: Path, empty_v4: Path, desk: Desk
) -> None:
    desk.imported(export, empty_v4, mode=ConflictMode.MERGE, tables=("task_types", "tags"))
    [(kind, entity, event, actor, text)] = rows(
        empty_v4, "SELECT entity_type, entity_id, event_type, actor, details FROM audit_events"
    )
    assert (kind, entity, event) == ("import", str(export), "import_complete")
    assert actor == "ann@laptop"
    details = json.loads(str(text))
    assert (details.pop("mode"), details.pop("tables")) == ("merge", {"task_types": 2, "tags": 2})
    assert "tasks" in details.pop("skippedTables")
    assert details == {
        "totalRows": 4,
        "sourceVersion": "1.0",
        "sourceDate": "2026-03-28T07:56:27.030Z",
    }


# Backups of version 4's tables


@pytest.mark.parametrize("mode", ConflictMode)
def test_a_backup_imports_into_an_empty_database_in_every_mode(
    v4: Path, empty_v4: Path, desk: Desk, mode: ConflictMode
) -> None:
    backup = desk.exported(v4).path
    assert backup
    desk.imported(backup, empty_v4, mode=mode)
    run_sql(v4, genie.V4_LEFT_OUT)
    assert everything(empty_v4)["tasks"] == everything(v4)["tasks"]
    assert rows(empty_v4, "PRAGMA foreign_key_check") == []


def test_a_builtin_type_that_nothing_has_is_left_out(v4: Path, fresh_v4: Path, desk: Desk) -> None:
    run_sql(v4, "INSERT INTO task_types VALUES ('docs', 'Docs', '[]', 1)")
    report = desk.exported(v4, words=("boards",))
    assert report.left_out.rows == {"task_types": 1, "board_templates": 1}
    assert report.path
    # One that is there stays, even where all that the backup lacks is removed.
    run_sql(fresh_v4, "INSERT INTO tasks (id, title, type_id) VALUES ('t', 't', 'software')")
    run_sql(v4, "DELETE FROM task_types WHERE id = 'docs'; UPDATE tasks SET type_id = NULL")
    backup = desk.exported(v4).path
    assert backup
    desk.imported(backup, fresh_v4, mode=ConflictMode.CLEAR)
    assert rows(fresh_v4, "SELECT id FROM task_types ORDER BY 1") == [("own",), ("software",)]


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_backup_imports_into_a_fresh_installation(
    v4: Path, fresh_v4: Path, desk: Desk, mode: ConflictMode
) -> None:
    backup = desk.exported(v4).path
    assert backup
    desk.imported(backup, fresh_v4, mode=mode)
    # Its own types and templates are there as before, and no row refers to one that is not.
    assert rows(fresh_v4, "SELECT id FROM board_templates") == [("tmpl-random",)]
    assert rows(fresh_v4, "SELECT id FROM task_types ORDER BY 1") == [("own",), ("software",)]
    assert rows(fresh_v4, "SELECT id, type_id FROM tasks ORDER BY 1") == [
        ("task-0", None),
        ("task-a", "software"),
        ("task-b", "own"),
    ]
    assert rows(fresh_v4, "PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_backup_imports_into_the_database_it_came_from_and_changes_nothing(
    v4: Path, desk: Desk, mode: ConflictMode
) -> None:
    backup = desk.exported(v4, groups=("all",)).path
    assert backup
    before = everything(v4)
    assert desk.imported(backup, v4, mode=mode).outcome == "nothing to do"
    assert everything(v4) == before


def test_test_tags_are_left_out_with_what_they_were_put_on_and_leave_nothing_dangling(
    v4: Path, fresh_v4: Path, desk: Desk
) -> None:
    report = desk.exported(v4)
    assert report.path
    assert report.left_out and report.left_out.rows["tags"] == 1
    assert report.left_out.rows["task_tags"] == 1
    desk.imported(report.path, fresh_v4)
    assert rows(fresh_v4, "SELECT id FROM tags") == [("bug",)]
    assert rows(fresh_v4, "SELECT * FROM task_tags") == [("task-a", "bug")]


def test_locks_sessions_and_panes_of_tasks_are_stripped_and_stay_where_they_are(
    v4: Path, fresh_v4: Path, desk: Desk
) -> None:
    ephemeral = "SELECT checkout_run_id, execution_locked_at, session_id, pane_id FROM tasks"
    run_sql(
        v4,
        "UPDATE tasks SET checkout_run_id = 'run-9', execution_locked_at = 'now', pane_id = '%9',"
        " session_id = 's-1' WHERE id = 'task-a'",
    )
    backup = desk.exported(v4).path
    assert backup
    assert b"run-9" not in backup.read_bytes()
    desk.imported(backup, fresh_v4)
    assert set(rows(fresh_v4, ephemeral)) == {(None, None, None, None)}
    run_sql(v4, "UPDATE tasks SET title = 'changed since', pane_id = '%10' WHERE id = 'task-a'")
    desk.imported(backup, v4, mode=ConflictMode.OVERWRITE)
    assert rows(v4, f"{ephemeral} WHERE id = 'task-a'") == [("run-9", "now", "s-1", "%10")]


def test_a_projects_export_is_whole_in_itself_and_links_to_other_projects_are_counted(
    v4: Path, empty_v4: Path, desk: Desk
) -> None:
    run_sql(
        v4,
        "INSERT INTO projects VALUES ('proj-2', 'other', NULL, NULL);"
        "INSERT INTO tasks (id, title, project_id) VALUES ('task-x', 'x', 'proj-2');"
        "INSERT INTO task_dependencies VALUES ('task-a', 'task-x', 'blocks');"
        "INSERT INTO task_tags VALUES ('task-x', 'bug')",
    )
    report = desk.exported(v4, scope=('project=my "app"',))
    assert report.path
    assert report.left_out and report.left_out.links == {"task_dependencies": 1}
    desk.imported(report.path, empty_v4)
    assert rows(empty_v4, "SELECT id FROM projects") == [("proj-1",)]
    assert rows(empty_v4, "SELECT id FROM task_types ORDER BY 1") == [("own",), ("software",)]
    assert rows(empty_v4, "SELECT id FROM boards ORDER BY 1") == [("board-1",), ("board-2",)]
    assert rows(empty_v4, "SELECT id FROM tasks ORDER BY 1") == [
        ("task-0",),
        ("task-a",),
        ("task-b",),
    ]
    assert rows(empty_v4, "SELECT * FROM task_dependencies") == [("task-a", "task-b", "blocks")]
    assert rows(empty_v4, "SELECT * FROM task_tags") == [("task-a", "bug")]
    assert rows(empty_v4, "PRAGMA foreign_key_check") == []


def test_a_projects_export_comes_into_a_populated_database_and_leaves_all_else_as_it_was(
    v4: Path, tmp_path: Path, desk: Desk
) -> None:
    backup = desk.exported(v4, scope=('project=my "app"',)).path
    assert backup
    other = genie.make(
        tmp_path / "other.db",
        genie.V4_FRESH + "INSERT INTO projects VALUES ('proj-7', 'mine', NULL, NULL);"
        "INSERT INTO tasks (id, title, project_id, type_id) VALUES"
        " ('task-mine', 'm', 'proj-7', 'software');"
        "INSERT INTO task_stage_log VALUES (12, 'task-mine', NULL, 'ship', NULL, NULL)",
    )
    mine = rows(other, "SELECT * FROM tasks")
    desk.imported(backup, other, mode=ConflictMode.REMAP)
    assert set(mine) < set(rows(other, "SELECT * FROM tasks"))
    assert rows(other, "SELECT id, task_id FROM task_stage_log ORDER BY 1") == [
        (12, "task-mine"),
        (13, "task-a"),
    ]
    before = everything(other)
    assert desk.imported(backup, other, mode=ConflictMode.REMAP).outcome == "nothing to do"
    assert everything(other) == before


def test_a_project_that_is_there_under_another_id_is_told_by_its_name(
    v4: Path, fresh_v4: Path, desk: Desk
) -> None:
    run_sql(fresh_v4, "INSERT INTO projects VALUES ('proj-9', 'my \"app\"', NULL, NULL)")
    backup = desk.exported(v4).path
    assert backup
    desk.imported(backup, fresh_v4, mode=ConflictMode.REMAP)
    assert rows(fresh_v4, "SELECT id, repo_path FROM projects") == [("proj-9", "/work/app")]
    assert rows(fresh_v4, "SELECT project_id FROM tasks WHERE id = 'task-a'") == [("proj-9",)]


@pytest.mark.parametrize(
    ("words", "table", "ids"),
    [
        (("boards", "Sprint 12"), "boards", ["board-1"]),
        (("schedules", "nightly"), "schedules", ["sch-1"]),
    ],
)
def test_one_board_or_schedule_is_exported_by_its_name(
    v4: Path, desk: Desk, words: tuple[str, ...], table: str, ids: list[str]
) -> None:
    backup = desk.exported(v4, words=words).path
    assert backup
    document = json.loads(backup.read_text(encoding="utf-8"))
    assert [row["id"] for row in document["tables"][table]] == ids
    assert "tasks" not in document["tables"]


@pytest.mark.parametrize("word", ["config", "all"])
def test_tables_of_a_group_that_are_not_there_are_skipped_and_named(
    v4: Path, desk: Desk, word: str
) -> None:
    report = desk.exported(v4, words=(word,))
    assert report.missing_tables == ("os_config", "instances", "warm_pool", "golden_images")


# Version 5's snapshots


def test_a_snapshot_comes_back_with_the_same_numbers_and_all_its_tables(
    snapshot: Path, v5: Path, empty_v5: Path, desk: Desk
) -> None:
    report = desk.imported(snapshot, empty_v5)
    assert report.recognised == "a snapshot of Genie 5"
    before, after = everything(v5), everything(empty_v5)
    assert {t: after[t] for t in genie.SNAPSHOT_TABLES} == {
        t: before[t] for t in genie.SNAPSHOT_TABLES
    }


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_snapshot_imports_into_the_database_it_came_from(
    snapshot: Path, v5: Path, desk: Desk, mode: ConflictMode
) -> None:
    assert desk.imported(snapshot, v5, mode=mode).outcome == "nothing to do"


def test_replacing_all_takes_a_copy_before(snapshot: Path, v5: Path, desk: Desk) -> None:
    run_sql(v5, "INSERT INTO wish_groups VALUES ('later', 'g', NULL)")
    report = desk.imported(snapshot, v5, mode=ConflictMode.CLEAR)
    assert rows(v5, "SELECT wish FROM wish_groups") == [("w",)]
    assert report.restore_point
    assert len(rows(report.restore_point, "SELECT * FROM wish_groups")) == 2


def test_a_roadmap_without_its_machines_worktrees_leaves_those_that_are_there(
    snapshot: Path, v5: Path, desk: Desk
) -> None:
    before = everything(v5)
    assert desk.imported(changed(snapshot, hire_roster=[]), v5).outcome == "nothing to do"
    assert everything(v5) == before


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"schemaVersion": 2}, BackupTooNew, "version '2'"),
        ({"schemaVersion": 0}, NotABackup, "expected 1"),
        ({"schemaVersion": "1"}, NotABackup, "schemaVersion"),
        ({"stage_log": None}, NotABackup, "missing or invalid stage_log table"),
        ({"stage_log": {}}, NotABackup, "missing or invalid stage_log table"),
    ],
)
def test_what_is_no_snapshot_of_a_known_version_is_refused(
    snapshot: Path,
    v5: Path,
    desk: Desk,
    changes: dict[str, Any],
    error: type[Exception],
    match: str,
) -> None:
    refused(changed(snapshot, **changes), v5, desk, error, match)


def test_what_a_snapshot_has_beyond_the_database_is_reported_never_dropped(
    snapshot: Path, v5: Path, desk: Desk
) -> None:
    report = desk.imported(changed(snapshot, lanes=[{"id": 1}], theme="dark"), v5)
    assert any("1 rows of lanes" in warning for warning in report.warnings)
    assert any(warning.startswith("theme: ") for warning in report.warnings)
    refused(
        changed(snapshot, wish_groups=[{"wish": "a", "name": "b", "colour": 1}]),
        v5,
        desk,
        ImportRefused,
        "wish_groups has no column colour",
    )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"task_dependencies": [{"task_id": "task-1", "depends_on": "task-9"}]}, "not there"),
        ({"boards": [{"id": "one", "name": "x", "created_at": "x"}]}, "mismatch"),
        (
            {
                "tasks": [
                    {"id": "t", "title": "t", "status": "?", "created_at": "", "updated_at": ""}
                ]
            },
            "does not fit into tasks: CHECK",
        ),
    ],
)
def test_rows_that_break_a_rule_leave_the_database_as_it_was(
    snapshot: Path, v5: Path, desk: Desk, changes: dict[str, Any], match: str
) -> None:
    refused(changed(snapshot, **changes), v5, desk, ImportRefused, match)


def test_a_writer_that_holds_the_database_is_named_as_such(
    snapshot: Path, v5: Path, desk: Desk
) -> None:
    run_sql(v5, "DELETE FROM wish_groups")
    with connected(v5) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="locked"):
            desk.imported(snapshot, v5, wait_seconds=0.1)
        other.execute("ROLLBACK")


def test_a_database_of_both_kinds_of_tables_is_taken_for_the_one_that_names_more() -> None:
    profiles = load_profiles(profile_folder())
    found = recognise(profiles, [*genie.SNAPSHOT_TABLES, "projects"])
    assert found and found.name == "genie"
