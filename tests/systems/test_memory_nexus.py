"""The memory CLI: each bug of its own exports and imports, as what is done here instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import (
    BackupDamaged,
    BackupTooNew,
    HoldfastError,
    ImportConflict,
    ImportRefused,
    NotABackup,
)
from holdfast.formats import open_backup
from holdfast.works import ConflictMode
from tests.conftest import everything, rows, run_sql
from tests.systems import memory_nexus
from tests.systems.conftest import Desk, content

WRITING_MODES = [mode for mode in ConflictMode if mode is not ConflictMode.FAIL]
MESSAGES = "SELECT rowid FROM messages_fts WHERE messages_fts MATCH '{}'"
SESSIONS = "SELECT session_id FROM sessions_fts WHERE sessions_fts MATCH '{}'"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return memory_nexus.make(tmp_path / "memory.db")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return memory_nexus.make(tmp_path / "empty.db", memory_nexus.SCHEMA)


@pytest.fixture
def file(tmp_path: Path, database: Path) -> Path:
    return memory_nexus.export(database, tmp_path / "memory.json")


def refused(
    file: Path, database: Path, desk: Desk, error: type[HoldfastError], match: str, **options: Any
) -> None:
    before = everything(database)
    with pytest.raises(error, match=match):
        desk.imported(file, database, **options)
    assert everything(database) == before


# Its database


@pytest.mark.parametrize("form", ["json", "folder", "sqlite"])
def test_its_database_comes_back_equal_and_both_of_its_indexes_find_what_they_found(
    database: Path, desk: Desk, form: str
) -> None:
    report = desk.exported(database, format=form)
    assert (report.profile, report.missing_tables) == ("memory_nexus", ())
    assert report.path
    restored = desk.folder / "restored.db"
    desk.restored(report.path, restored)
    before, after = content(database), content(restored)
    plain = [name for name in before if not name.startswith(("messages_fts", "sessions_fts"))]
    assert {name: after[name] for name in plain} == {name: before[name] for name in plain}
    assert rows(restored, MESSAGES.format("gutter")) == [(5,)]
    assert rows(restored, SESSIONS.format("roof")) == [("s-1",)]


@pytest.mark.parametrize("mode", ConflictMode)
def test_a_backup_brings_summaries_and_topics_into_an_empty_database(
    database: Path, empty: Path, desk: Desk, mode: ConflictMode
) -> None:
    backup = desk.exported(database).path
    assert backup
    desk.imported(backup, empty, mode=mode)
    assert rows(empty, SESSIONS.format("roof")) == [("s-1",)]
    assert rows(empty, MESSAGES.format("gutter")) == [(5,)]
    assert rows(empty, "SELECT name FROM topics ORDER BY 1") == [("houses",), ("tools",)]
    assert rows(empty, "SELECT created_at, updated_at FROM sessions WHERE id = 's-1'") == [
        ("2026-03-01", "2026-03-02")
    ]
    assert rows(empty, "SELECT seq FROM sqlite_sequence WHERE name = 'messages_meta'") == [(90,)]


def test_a_column_named_rowid_keeps_its_numbers(database: Path, empty: Path, desk: Desk) -> None:
    backup = desk.exported(database).path
    assert backup
    desk.imported(backup, empty)
    assert rows(empty, "SELECT rowid, id FROM messages_meta ORDER BY 1") == [
        (5, "m-1"),
        (7, "m-2"),
        (8, "m-3"),
    ]


# Its files


def test_its_names_become_those_of_tables_and_columns(file: Path) -> None:
    header = open_backup(file).contents().header
    assert {name: len(layout.columns) for name, layout in header.layout.items()} == {
        "sessions": 8,
        "messages_meta": 6,
        "tool_uses": 7,
        "entities": 6,
        "links": 7,
        "session_entities": 3,
        "entity_links": 4,
        "extraction_state": 6,
    }
    assert header.layout["sessions"].columns[1] == "project_path_encoded"


@pytest.mark.parametrize("mode", WRITING_MODES)
def test_a_full_export_imports_into_the_database_it_came_from(
    file: Path, database: Path, desk: Desk, mode: ConflictMode
) -> None:
    before = everything(database)
    report = desk.imported(file, database, mode=mode)
    assert report.recognised == "an export of the memory CLI"
    assert report.outcome == "nothing to do"
    assert everything(database) == before


@pytest.mark.parametrize("mode", ConflictMode)
def test_a_full_export_imports_into_an_empty_database_in_every_mode(
    file: Path, database: Path, empty: Path, desk: Desk, mode: ConflictMode
) -> None:
    desk.imported(file, empty, mode=mode)
    for table in ("tool_uses", "entities", "session_entities", "entity_links", "extraction_state"):
        assert content(empty)[table] == content(database)[table], table
    texts = "SELECT id, content, tool_use_ids FROM messages_meta ORDER BY 1"
    assert rows(empty, texts) == rows(database, texts)


def test_summaries_can_be_searched_after_an_import(file: Path, empty: Path, desk: Desk) -> None:
    desk.imported(file, empty)
    assert rows(empty, SESSIONS.format("roof")) == [("s-1",)]
    assert rows(empty, MESSAGES.format("gutter")) == [(1,)]


def test_what_the_file_does_not_hold_stays_as_it_is(file: Path, database: Path, desk: Desk) -> None:
    run_sql(database, "UPDATE sessions SET project_name = 'changed'")
    report = desk.imported(file, database, mode=ConflictMode.CLEAR)
    assert {t.name: t.overwritten for t in report.plan.tables if t.overwritten} == {"sessions": 2}
    assert rows(database, "SELECT name FROM topics ORDER BY 1") == [("houses",), ("tools",)]
    assert rows(database, "SELECT updated_at FROM sessions ORDER BY id") == [
        ("2026-03-02",),
        ("2026-03-04",),
    ]


def test_a_message_that_was_changed_is_overwritten_and_keeps_its_number(
    file: Path, database: Path, desk: Desk
) -> None:
    before = everything(database)
    run_sql(
        database,
        "UPDATE messages_meta SET content = 'other words' WHERE id = 'm-1';"
        "UPDATE links SET weight = 0.9",
    )
    report = desk.imported(file, database)
    written = {t.name: t.overwritten for t in report.plan.tables if t.overwritten}
    assert written == {"messages_meta": 1, "links": 1}
    for table in ("messages_meta", "links"):
        assert everything(database)[table] == before[table]
    assert rows(database, MESSAGES.format("gutter")) == [(5,)]
    assert rows(database, MESSAGES.format("words")) == []


def test_numbers_do_not_run_on_with_every_import(file: Path, empty: Path, desk: Desk) -> None:
    desk.imported(file, empty)
    marks = rows(empty, "SELECT name, seq FROM sqlite_sequence ORDER BY 1")
    for _ in range(2):
        assert desk.imported(file, empty).outcome == "nothing to do"
    assert rows(empty, "SELECT name, seq FROM sqlite_sequence ORDER BY 1") == marks


def test_clear_with_a_file_that_fails_leaves_everything(
    file: Path, database: Path, desk: Desk
) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    document["messages"][0]["sessionId"] = "s-9"
    file.write_text(json.dumps(document), encoding="utf-8")
    refused(
        *(file, database, desk, ImportRefused, "1 of messages_meta to sessions"),
        mode=ConflictMode.CLEAR,
    )


def test_a_row_that_breaks_a_check_is_reported_not_dropped(
    file: Path, empty: Path, desk: Desk
) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    document["messages"][0]["role"] = "system"
    file.write_text(json.dumps(document), encoding="utf-8")
    refused(file, empty, desk, ImportRefused, "does not fit into messages_meta: CHECK")


@pytest.mark.parametrize(
    ("number", "mode"), [(9, ConflictMode.OVERWRITE), (9, ConflictMode.MERGE), (4, "merge")]
)
def test_an_entity_that_has_another_number_here_is_a_conflict_not_a_wrong_link(
    file: Path, empty: Path, desk: Desk, number: int, mode: str
) -> None:
    run_sql(empty, f"INSERT INTO entities (id, type, name) VALUES ({number}, 'person', 'O''Hara')")
    match = "entities.type, name.*person"
    refused(file, empty, desk, ImportConflict, match, mode=ConflictMode(mode))


def test_counts_are_rows_written(file: Path, database: Path, desk: Desk) -> None:
    run_sql(database, "DELETE FROM messages_meta WHERE id = 'm-2'")
    report = desk.imported(file, database, mode=ConflictMode.MERGE)
    plan = {t.name: (t.inserted, t.unchanged) for t in report.plan.tables}
    assert plan["messages_meta"] == (1, 2)
    assert plan["sessions"] == (0, 2)


def test_what_is_there_counts_even_where_there_are_no_sessions(
    file: Path, empty: Path, desk: Desk
) -> None:
    run_sql(empty, "INSERT INTO entities VALUES (9, 'tool', 'saw', NULL, 1.0, 'x')")
    report = desk.imported(file, empty, yes=False, mode=ConflictMode.CLEAR)
    assert report.outcome == "planned"
    assert {t.name: t.removed for t in report.plan.tables if t.removed} == {"entities": 1}
    assert rows(empty, "SELECT name FROM entities") == [("saw",)]


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"version": "99.0"}, BackupTooNew, "version '99.0'.*memory CLI up to 1.0"),
        ({"version": 1}, NotABackup, "missing or invalid version field"),
        ({"version": "0.9"}, NotABackup, "missing or invalid version field"),
        ({"sessions": {}}, NotABackup, "missing or invalid sessions array"),
        ({"toolUses": None}, NotABackup, "missing or invalid toolUses array"),
        ({"links": [[]]}, NotABackup, "missing or invalid links array"),
        ({"stats": []}, NotABackup, "missing or invalid stats"),
        ({"stats": {"messages": 4}}, BackupDamaged, "holds 4 messages, and holds 3"),
    ],
)
def test_what_is_no_whole_export_of_a_known_version_is_refused(
    tmp_path: Path,
    database: Path,
    desk: Desk,
    changes: dict[str, Any],
    error: type[HoldfastError],
    match: str,
) -> None:
    file = memory_nexus.export(database, tmp_path / "bad.json", **changes)
    refused(file, database, desk, error, match)


@pytest.mark.parametrize("size", [1500, 3000])
def test_an_export_that_is_cut_short_is_refused(
    file: Path, database: Path, desk: Desk, size: int
) -> None:
    file.write_bytes(file.read_bytes()[:size])
    refused(file, database, desk, NotABackup, "not a whole JSON document")


def test_lists_that_an_older_version_did_not_write_may_be_missing(
    tmp_path: Path, database: Path, desk: Desk
) -> None:
    left_out = dict.fromkeys(("sessionEntities", "entityLinks", "extractionStates"))
    file = memory_nexus.export(database, tmp_path / "old.json", **left_out)
    assert len(desk.planned(file, database)) == 5


def test_what_has_no_place_is_named_never_dropped(
    tmp_path: Path, database: Path, desk: Desk
) -> None:
    file = memory_nexus.export(database, tmp_path / "new.json", moods=[{"id": 1}])
    report = desk.imported(file, database)
    assert any(warning.startswith("moods: ") for warning in report.warnings)
    topics = [{"id": "x-2", "sessionPath": "p", "heartRate": 1}]
    file = memory_nexus.export(database, tmp_path / "newer.json", extractionStates=topics, stats={})
    refused(file, database, desk, ImportRefused, "extraction_state has no column heart_rate")


# Another machine's database


def test_numbers_that_have_drifted_apart_are_matched_by_name_and_references_follow(
    database: Path, empty: Path, desk: Desk
) -> None:
    run_sql(
        empty,
        "INSERT INTO entities VALUES (3, 'tool', 'saw', NULL, 1.0, 'x'),"
        " (9, 'person', 'O''Hara', NULL, 1.0, 'x');"
        "INSERT INTO topics VALUES (1, 'tools', 'mine')",
    )
    backup = desk.exported(database).path
    assert backup
    desk.imported(backup, empty, mode=ConflictMode.REMAP)
    assert rows(empty, "SELECT id, name FROM entities ORDER BY 1") == [
        (3, "saw"),
        (9, "O'Hara"),
        (10, "hammer"),
    ]
    assert rows(empty, "SELECT source_id, target_id FROM entity_links ORDER BY 1, 2") == [
        (9, 9),
        (9, 10),
        (10, 9),
    ]
    assert rows(empty, "SELECT session_id, entity_id FROM session_entities ORDER BY 1") == [
        ("s-1", 9),
        ("s-2", 10),
    ]
    assert rows(empty, "SELECT name FROM topics ORDER BY id") == [("tools",), ("houses",)]
    before = everything(empty)
    assert desk.imported(backup, empty, mode=ConflictMode.REMAP).outcome == "nothing to do"
    assert everything(empty) == before


def test_numbers_in_links_that_nothing_declares_are_named_in_a_warning(
    database: Path, empty: Path, desk: Desk
) -> None:
    run_sql(empty, "INSERT INTO entities VALUES (3, 'tool', 'saw', NULL, 1.0, 'x')")
    backup = desk.exported(database).path
    assert backup
    report = desk.imported(backup, empty, mode=ConflictMode.REMAP)
    assert any("links" in warning and "target_id" in warning for warning in report.warnings)


def test_a_smaller_export_is_a_warning_and_never_takes_the_place_of_a_fuller_one(
    database: Path, desk: Desk
) -> None:
    first = desk.exported(database).path
    run_sql(database, "DELETE FROM messages_meta")
    report = desk.exported(database)
    assert first and report.path and first != report.path
    assert len(open_backup(first).contents().trailer.counts) == 10
    assert any("messages_meta" in warning for warning in report.warnings)
