"""Beads: each bug of its own exports and imports, as what is done here instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.errors import BackupDamaged, ImportRefused
from holdfast.formats import open_backup
from holdfast.profiles import load_profiles, profile_folder
from holdfast.works import ConflictMode
from tests.conftest import connected, everything, rows, run_sql
from tests.systems import beads, kata
from tests.systems.conftest import Desk


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return beads.make(tmp_path / "beads.db")


@pytest.fixture
def file(tmp_path: Path, database: Path) -> Path:
    return beads.export(database, tmp_path / ".beads" / "issues.jsonl")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return beads.make(tmp_path / "empty.db", beads.SCHEMA)


def added(file: Path, record: object) -> Path:
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}{json.dumps(record)}\n", encoding="utf-8")
    return file


# Its database


def test_its_tables_are_recognised_and_all_of_them_are_known(database: Path, desk: Desk) -> None:
    report = desk.exported(database)
    assert (report.profile, report.missing_tables) == ("beads", ())
    (profile,) = [each for each in load_profiles(profile_folder()) if each.name == "beads"]
    assert len(profile.tables) == 13
    assert set(report.counts) == set(profile.tables)
    grouped = [table for group in profile.groups.values() for table in group.tables]
    assert sorted(grouped) == sorted(profile.tables)


def test_events_snapshots_and_large_numbers_come_back_as_they_were(
    database: Path, desk: Desk
) -> None:
    backup = desk.exported(database).path
    assert backup
    restored = desk.folder / "restored.db"
    desk.restored(backup, restored)
    assert rows(restored, "SELECT mtime_ns FROM repo_mtimes") == [(1763640000123456789,)]
    assert rows(restored, "SELECT snapshot_json FROM compaction_snapshots") == [(b"{}\x00\xff",)]
    assert rows(restored, "SELECT id FROM ready_issues") == [("bd-1.1",)]
    assert rows(restored, "SELECT count(*) FROM events") == [(2,)]


def test_an_overwritten_issue_keeps_its_labels_dependencies_and_comments(
    database: Path, desk: Desk
) -> None:
    backup = desk.exported(database).path
    assert backup
    before = everything(database)
    run_sql(database, "UPDATE issues SET title = 'x' WHERE id = 'bd-1'")
    desk.imported(backup, database)
    assert everything(database) == before


def test_an_emptied_database_never_takes_the_place_of_a_full_backup(
    database: Path, desk: Desk
) -> None:
    full = desk.exported(database).path
    assert full
    before = full.read_bytes()
    run_sql(database, "PRAGMA foreign_keys = ON; DELETE FROM issues")
    report = desk.exported(database)
    assert report.path != full
    assert full.read_bytes() == before
    assert any("issues, labels lost all rows" in each for each in report.warnings)


# Its files


@pytest.mark.parametrize("typed", [False, True])
def test_its_file_comes_back_with_all_that_it_has(
    database: Path, empty: Path, desk: Desk, typed: bool
) -> None:
    file = beads.export(database, desk.folder / "export.jsonl", typed=typed)
    desk.imported(file, empty)
    for table in ("issues", "labels", "dependencies"):
        assert rows(empty, f"SELECT * FROM {table} ORDER BY 1, 2") == rows(
            database, f"SELECT * FROM {table} ORDER BY 1, 2"
        )
    said = "SELECT issue_id, author, text, created_at FROM comments ORDER BY text"
    assert rows(empty, said) == rows(database, said)


def test_the_same_file_again_changes_nothing(file: Path, empty: Path, desk: Desk) -> None:
    desk.imported(file, empty)
    before = everything(empty)
    assert desk.imported(file, empty).outcome == "nothing to do"
    assert everything(empty) == before


def test_an_import_updates_issues_by_their_id_and_leaves_others(
    file: Path, empty: Path, desk: Desk
) -> None:
    run_sql(empty, "INSERT INTO issues (id, title) VALUES ('bd-1', 'old'), ('bd-77', 'mine')")
    plan = desk.planned(file, empty)
    assert (plan["issues"].inserted, plan["issues"].overwritten) == (3, 1)
    desk.imported(file, empty)
    assert rows(empty, "SELECT title FROM issues WHERE id IN ('bd-1', 'bd-77') ORDER BY 1") == [
        ("Fix the roof",),
        ("mine",),
    ]


def test_a_comment_does_not_take_the_place_of_another_that_has_its_number(
    file: Path, empty: Path, desk: Desk
) -> None:
    run_sql(
        empty,
        "INSERT INTO issues (id, title) VALUES ('bd-77', 'mine');"
        "INSERT INTO comments VALUES (3, 'bd-77', 'eve', 'only here', 'now')",
    )
    desk.imported(file, empty)
    assert rows(empty, "SELECT text FROM comments ORDER BY 1") == [
        ("ladder needed",),
        ("only here",),
        ("ordered",),
    ]


def test_an_older_issue_does_not_take_the_place_of_a_newer_one(
    file: Path, empty: Path, desk: Desk
) -> None:
    desk.imported(file, empty)
    run_sql(
        empty,
        "UPDATE issues SET title = 'Mended', updated_at = '2026-11-21T12:00:00Z' WHERE id = 'bd-1'",
    )
    before = everything(empty)
    plan = desk.planned(file, empty, mode=ConflictMode.NEWER)
    assert (plan["issues"].stale, plan["issues"].overwritten) == (1, 0)
    desk.imported(file, empty, mode=ConflictMode.NEWER)
    assert everything(empty) == before


def test_issues_that_were_deleted_are_named_and_none_is_deleted(
    file: Path, empty: Path, desk: Desk
) -> None:
    run_sql(empty, "INSERT INTO issues (id, title) VALUES ('bd-77', 'mine')")
    added(file, {"id": "bd-77", "_deleted": True, "_deleted_at": beads.NOON})
    report = desk.imported(file, empty)
    assert any("issue was deleted (bd-77)" in each for each in report.warnings)
    assert rows(empty, "SELECT title FROM issues WHERE id = 'bd-77'") == [("mine",)]


def test_tombstones_stay_tombstones(file: Path, empty: Path, desk: Desk) -> None:
    desk.imported(file, empty)
    assert rows(empty, "SELECT status, deleted_by FROM issues WHERE id = 'bd-3'") == [
        ("tombstone", "ann")
    ]


def test_memories_are_named_with_their_number_where_there_is_no_table_for_them(
    file: Path, empty: Path, desk: Desk
) -> None:
    added(file, {"_type": "memory", "key": "k", "value": "v"})
    report = desk.imported(file, empty)
    assert any(each.startswith("1 rows of memories are in the backup") for each in report.warnings)


def test_a_field_without_a_column_is_refused_until_it_is_to_be_left_out(
    file: Path, empty: Path, desk: Desk
) -> None:
    times = {"created_at": beads.NOON, "updated_at": beads.NOON}
    added(file, {"id": "bd-5", "title": "new", "wisp": {"a": 1}} | times)
    with pytest.raises(ImportRefused, match="issues has no column wisp"):
        desk.imported(file, empty)
    run_sql(empty, "ALTER TABLE issues ADD COLUMN wisp TEXT")
    desk.imported(file, empty)
    assert rows(empty, "SELECT wisp FROM issues WHERE id = 'bd-5'") == [('{"a": 1}',)]


def test_a_file_that_is_cut_inside_a_line_never_imports(
    file: Path, empty: Path, desk: Desk
) -> None:
    whole = file.read_bytes()
    before = everything(empty)
    for size in (len(whole) - 2, len(whole) // 2):
        file.write_bytes(whole[:size])
        with pytest.raises(BackupDamaged, match="is cut short"):
            desk.imported(file, empty)
    assert everything(empty) == before


@pytest.mark.parametrize(
    "record",
    [
        {"title": "no id"},
        {"id": 7, "title": "x"},
        {"id": "bd-9", "title": "x", "labels": "a"},
        {"id": "bd-9", "title": "x", "comments": [7]},
    ],
)
def test_a_record_that_beads_did_not_write_is_refused(
    file: Path, empty: Path, desk: Desk, record: object
) -> None:
    before = everything(empty)
    with pytest.raises(BackupDamaged, match=r"issues\.jsonl"):
        desk.imported(added(file, record), empty)
    assert everything(empty) == before


def test_a_closed_issue_without_a_time_breaks_a_rule_and_is_reported(
    file: Path, empty: Path, desk: Desk
) -> None:
    record = {"id": "bd-9", "title": "x", "status": "closed", "updated_at": "u", "created_at": "c"}
    with pytest.raises(ImportRefused, match="does not fit into issues: CHECK"):
        desk.imported(added(file, record), empty)


def test_a_file_of_beads_is_not_imported_into_a_database_of_kata(file: Path, desk: Desk) -> None:
    other = kata.make(desk.folder / "kata.db")
    with pytest.raises(ImportRefused, match=r"is of beads, and .* of kata"):
        desk.imported(file, other)


@pytest.mark.parametrize(
    "text", ['{"id": "a", "name": "x"}\n', '{"id": 1, "title": "x"}\n', '[{"id": "bd-1"}]\n']
)
def test_what_is_no_file_of_beads_is_not_taken_for_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match="none of the formats"):
        open_backup(path)


def test_the_helper_has_thirteen_tables_and_two_views(database: Path) -> None:
    with connected(database) as connection:
        kinds = [
            kind
            for (kind,) in connection.execute(
                "SELECT type FROM sqlite_schema WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'sqlite%'"
            )
        ]
    assert (kinds.count("table"), kinds.count("view")) == (13, 2)
