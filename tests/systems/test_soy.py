"""Software of You: each bug of its own backup command, as what is done here instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.errors import ImportConflict, ImportRefused
from holdfast.works import ConflictMode
from tests.conftest import everything, rows, run_sql
from tests.systems import soy
from tests.systems.conftest import Desk, content

FORGOTTEN = (
    *("decisions", "journal_entries", "standalone_notes", "transcript_sources", "user_profile"),
    *("google_accounts", "pipeline_runs", "pipeline_phases", "health_checks", "slack_channels"),
    *("slack_messages", "signals", "entity_narratives", "schema_migrations"),
)
LATER = (
    "INSERT INTO contact_interactions VALUES (2, 'later', 1);"
    "UPDATE contacts SET name = 'Ann' WHERE id = 1; UPDATE transcripts SET title = 'x'"
)
CHILDREN = {
    "contact_interactions": 2,
    "entity_narratives": 2,
    "transcript_sources": 2,
    "contact_relationships": 1,
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return soy.make(tmp_path / "soy.db")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return soy.make(tmp_path / "empty.db", soy.SCHEMA)


def counts(database: Path) -> dict[str, int]:
    return {name: len(rows(database, f"SELECT * FROM {name}")) for name in CHILDREN}


@pytest.mark.parametrize("form", ["json", "zip", "sqlite"])
def test_its_database_comes_back_equal_with_every_table_that_its_own_list_forgets(
    database: Path, desk: Desk, form: str
) -> None:
    report = desk.exported(database, format=form)
    assert (report.profile, report.missing_tables) == ("soy", ())
    assert len(report.counts) == 36
    assert all(report.counts[table] for table in (*FORGOTTEN, *soy.LISTED))
    assert report.path
    # The time of the backup is written after it: what comes back has the one before.
    run_sql(database, "DELETE FROM soy_meta WHERE key = 'last_backup_at'")
    desk.restored(report.path, desk.folder / "restored.db")
    assert content(desk.folder / "restored.db") == content(database)
    assert rows(desk.folder / "restored.db", "SELECT count(*) FROM open_work") == [(2,)]


def test_a_backup_brought_back_deletes_no_row_that_refers_to_one_of_it(
    database: Path, desk: Desk
) -> None:
    backup = desk.exported(database).path
    assert backup
    run_sql(database, LATER)
    report = desk.imported(backup, database)
    assert counts(database) == CHILDREN
    assert rows(database, "SELECT name FROM contacts WHERE id = 1") == [('Ann "O\'Hara"',)]
    assert {t.name: t.overwritten for t in report.plan.tables if t.overwritten} == {
        "contacts": 1,
        "transcripts": 1,
    }


def test_its_own_file_brought_back_deletes_no_row_that_the_file_lacks(
    database: Path, desk: Desk
) -> None:
    file = soy.export(database, desk.folder / "backup-2026-02-19.json")
    run_sql(database, LATER)
    desk.imported(file, database)
    assert counts(database) == CHILDREN
    assert rows(database, "SELECT score FROM contacts WHERE id < 3") == [(0.1,), (float("inf"),)]


def test_its_own_file_in_an_empty_database_says_what_it_forgot_instead_of_dangling(
    database: Path, empty: Path, desk: Desk
) -> None:
    file = soy.export(database, desk.folder / "backup-2026-02-19.json")
    before = everything(empty)
    with pytest.raises(ImportRefused, match="1 of emails to google_accounts"):
        desk.imported(file, empty)
    assert everything(empty) == before


@pytest.mark.parametrize("mode", ConflictMode)
def test_a_backup_comes_whole_into_an_empty_database_in_every_mode(
    database: Path, empty: Path, desk: Desk, mode: ConflictMode
) -> None:
    backup = desk.exported(database).path
    assert backup
    desk.imported(backup, empty, mode=mode)
    left_alone = {"generated_views", "schema_migrations"}
    for table in {*soy.LISTED, *FORGOTTEN} - left_alone - {"activity_log", "soy_meta"}:
        assert content(empty)[table] == content(database)[table], table
    assert [rows(empty, f"SELECT * FROM {table}") for table in sorted(left_alone)] == [[], []]
    assert rows(empty, "PRAGMA foreign_key_check") == []


def test_a_tag_of_the_same_name_with_another_id_is_a_conflict_not_a_loss_of_its_uses(
    database: Path, empty: Path, desk: Desk
) -> None:
    run_sql(empty, "INSERT INTO tags VALUES (7, 'vip'); INSERT INTO entity_tags VALUES ('x', 8, 7)")
    backup = desk.exported(database).path
    assert backup
    with pytest.raises(ImportConflict, match=r"tags\.name = vip"):
        desk.imported(backup, empty)
    assert rows(empty, "SELECT * FROM entity_tags") == [("x", 8, 7)]
    desk.imported(backup, empty, mode=ConflictMode.REMAP)
    uses = "SELECT entity_type, name FROM entity_tags JOIN tags ON id = tag_id ORDER BY 1"
    assert rows(empty, uses) == [
        ("contact", "vip"),
        ("project", "press"),
        ("x", "vip"),
    ]


def test_the_log_tells_of_an_import_and_the_time_of_the_last_backup_does_not_go_back(
    database: Path, desk: Desk
) -> None:
    first = desk.exported(database).path
    assert first
    run_sql(
        database, "UPDATE soy_meta SET value = '2099-01-01 00:00:00' WHERE key = 'last_backup_at'"
    )
    run_sql(database, "DELETE FROM tasks WHERE id = 5")
    desk.imported(first, database)
    assert rows(database, "SELECT value FROM soy_meta WHERE key = 'last_backup_at'") == [
        ("2099-01-01 00:00:00",)
    ]
    [(kind, number, text)] = rows(
        database,
        "SELECT entity_type, entity_id, details FROM activity_log WHERE action = 'backup_imported'",
    )
    assert (kind, number) == ("system", 0)
    details = json.loads(str(text))
    assert (details["source"], details["tables_imported"]) == (first.name, 1)


def test_deleting_the_last_contact_on_purpose_brings_nothing_back_and_is_said(
    database: Path, desk: Desk
) -> None:
    first = desk.exported(database).path
    run_sql(database, "PRAGMA foreign_keys = ON; DELETE FROM slack_messages; DELETE FROM contacts")
    report = desk.exported(database)
    assert rows(database, "SELECT count(*) FROM contacts") == [(0,)]
    assert first and first.is_file() and first != report.path
    assert any("contacts" in warning and "lost all rows" in warning for warning in report.warnings)
