"""Reports for people and for programs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from holdfast import reports
from holdfast.errors import BackupDamaged, HoldfastError
from holdfast.model import ChosenDatabase, SkippedTable
from holdfast.outcomes import (
    BackupOnFile,
    ExportReport,
    ImportReport,
    Plan,
    StatusReport,
    TablePlan,
)
from holdfast.reports import words

DATABASE = ChosenDatabase(Path("/home/ann/data/soy.db"), "it lies in the data folder")
EXPORT = ExportReport(
    path=Path("/home/ann/output/backup-2026-11-20.json"),
    bytes=1_912_345,
    database=DATABASE,
    counts={"contacts": 210, "activity_log": 1640, "tags": 1, "notes": 0},
    headline=("contacts", "projects"),
    skipped_tables=(SkippedTable("search", "a virtual table (fts5)"),),
    missing_tables=("projects",),
    profile="soy",
    verified="counts and digests",
    warnings=(),
)
IMPORT = ImportReport(
    backup=Path("/home/ann/output/backup-2026-11-20.json"),
    backup_date="2026-11-20T14:22:33Z",
    row_count=1851,
    is_proven=True,
    database=DATABASE,
    mode="overwrite",
    plan=Plan(
        tables=(
            TablePlan("contacts", inserted=2, overwritten=1000, unchanged=208),
            TablePlan("tags", unchanged=1),
        ),
        skipped=(SkippedTable("soy_meta", "the tool keeps it"),),
        plan_id="0123456789ab",
    ),
    outcome="planned",
    restore_point=None,
    confirmed_by=("/home/ann/my backups/b.json", "--confirm", "0123456789ab"),
    warnings=(),
)
STATUS = StatusReport(
    database=DATABASE,
    last_backup_at="2026-11-19T14:22:33Z",
    age_seconds=86_400,
    checked_at="2026-11-20T14:22:33Z",
    backups=(
        BackupOnFile(
            Path("/home/ann/output/backup-2026-11-19.json"),
            812,
            "2026-11-19T14:22:33Z",
            1851,
            "contents",
            "2026-11-19T14:22:33Z",
            "/home/ann/data/soy.db",
        ),
        BackupOnFile(Path("/home/ann/output/backup-2026-01-01.json"), 7, None, None, "", "", ""),
    ),
    folder=Path("/home/ann/output"),
    sqlite_version="3.53.4",
    warnings=(),
)


def test_an_export_says_what_it_saved_where_and_that_it_is_proven():
    assert reports.text(EXPORT).splitlines() == [
        "Backup saved: 210 contacts, 1,640 activity log, 1 tags (4 tables, 1,851 rows, 1.9 MB,"
        " verified). /home/ann/output/backup-2026-11-20.json",
        "Database: /home/ann/data/soy.db (it lies in the data folder).",
        "Not there: projects.",
        "Left out: search, a virtual table (fts5).",
    ]


def test_an_export_of_many_tables_names_the_headline_then_the_fullest():
    report = dataclasses.replace(
        EXPORT, counts={f"t{n}": n for n in range(12)}, headline=("t1", "t0")
    )
    assert reports.text(report).startswith(
        "Backup saved: 1 t1, 11 t11, 10 t10, 9 t9, 8 t8, 7 t7, 6 t6, 5 t5, and 3 more tables ("
    )


def test_an_export_of_nothing_says_so():
    assert reports.text(dataclasses.replace(EXPORT, counts={"contacts": 0})).startswith(
        "Backup saved: no rows (1 table, 0 rows, "
    )


def test_an_export_to_standard_output_claims_no_file_and_no_proof():
    report = dataclasses.replace(EXPORT, path=None, bytes=None, verified="")
    first = reports.text(report).splitlines()[0]
    assert first.endswith("(4 tables, 1,851 rows).")


def test_an_export_that_was_not_proven_says_so():
    assert "not verified" in reports.text(dataclasses.replace(EXPORT, verified=""))


def test_a_script_gets_only_the_path_of_the_backup():
    assert reports.quiet_text(EXPORT) == "/home/ann/output/backup-2026-11-20.json"
    assert reports.quiet_text(dataclasses.replace(EXPORT, path=None)) == ""


def test_a_script_gets_only_the_id_of_a_plan_and_then_the_copy_to_go_back_to():
    assert reports.quiet_text(IMPORT) == IMPORT.plan.plan_id != ""
    done = dataclasses.replace(IMPORT, outcome="done", restore_point=Path("/points/a.db"))
    assert reports.quiet_text(done) == "/points/a.db"
    assert reports.quiet_text(dataclasses.replace(IMPORT, outcome="nothing to do")) == ""


def test_a_plan_says_what_would_happen_and_how_to_agree():
    assert reports.text(IMPORT).splitlines() == [
        "Plan: import backup-2026-11-20.json (2026-11-20T14:22:33Z, 1,851 rows, proven whole)"
        " into /home/ann/data/soy.db, mode overwrite.",
        "  contacts: 2 inserted, 1,000 overwritten, 208 unchanged",
        "  1 table: nothing to change",
        "Skipped: soy_meta (the tool keeps it).",
        "Nothing has been changed. If this is what you want:",
        "  import '/home/ann/my backups/b.json' --confirm 0123456789ab",
    ]


def test_an_import_that_is_done_names_its_restore_point():
    done = dataclasses.replace(
        IMPORT, outcome="done", restore_point=Path("/home/ann/output/restore-points/soy.db")
    )
    lines = reports.text(done).splitlines()
    assert lines[0].startswith("Imported backup-2026-11-20.json")
    assert lines[-1] == (
        "Before the change, the database was copied to /home/ann/output/restore-points/soy.db"
    )


def test_a_rehearsal_says_that_nothing_is_changed():
    text = reports.text(dataclasses.replace(IMPORT, outcome="rehearsed", is_proven=False))
    assert text.startswith("Rehearsal, nothing is changed: import backup-2026-11-20.json")
    assert "not proven" in text
    assert "--confirm" not in text


def test_an_import_with_nothing_to_do_says_that_all_is_there():
    assert reports.text(dataclasses.replace(IMPORT, outcome="nothing to do")).startswith(
        "The database has all of backup-2026-11-20.json (2026-11-20T14:22:33Z, 1,851 rows,"
        " proven whole) already: /home/ann/data/soy.db was not changed."
    )


def test_kept_rows_and_conflicts_are_named():
    table = TablePlan("tags", inserted=1, kept=3, conflicts=7, examples=("1", "a,b"))
    text = reports.text(
        dataclasses.replace(IMPORT, plan=dataclasses.replace(IMPORT.plan, tables=(table,)))
    )
    assert "  tags: 1 inserted, 3 kept as they are, 7 in conflict (1; a,b)\n" in text


def test_a_status_says_in_its_first_line_whether_there_is_a_backup():
    assert reports.text(STATUS).splitlines() == [
        "Last backup: 1 day ago. 2 backup files found.",
        "  backup-2026-11-19.json: 812 bytes, 1 day ago, 1,851 rows, verified (counts and digests)",
        "  backup-2026-01-01.json: 7 bytes, not verified here",
        "Folder: /home/ann/output",
        "Database: /home/ann/data/soy.db (it lies in the data folder).",
        "SQLite 3.53.4.",
    ]


def test_a_status_without_a_backup_says_never():
    report = dataclasses.replace(STATUS, last_backup_at=None, age_seconds=None, backups=())
    assert reports.text(report).startswith("Last backup: never. 0 backup files found.\n")


@pytest.mark.parametrize("report", [EXPORT, IMPORT, STATUS])
def test_warnings_come_last_and_change_the_exit_code(report):
    warned = dataclasses.replace(report, warnings=("it is late.", "it is dark."))
    assert reports.text(warned).endswith("\nWarning: it is late.\nWarning: it is dark.")
    assert json.loads(reports.json_text(warned))["warnings"] == ["it is late.", "it is dark."]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (EXPORT, 0),
        (STATUS, 0),
        (dataclasses.replace(EXPORT, warnings=("w.",)), 3),
        (dataclasses.replace(STATUS, warnings=("w.",)), 3),
        (IMPORT, 4),
        (dataclasses.replace(IMPORT, warnings=("w.",)), 4),
        (dataclasses.replace(IMPORT, outcome="rehearsed"), 0),
        (dataclasses.replace(IMPORT, outcome="done"), 0),
        (dataclasses.replace(IMPORT, outcome="done", warnings=("w.",)), 3),
        (dataclasses.replace(IMPORT, outcome="nothing to do"), 0),
    ],
)
def test_each_report_has_its_exit_code(report, expected):
    assert reports.exit_code(report) == expected


def test_a_report_is_one_json_object():
    found = json.loads(reports.json_text(EXPORT))
    assert found["path"] == "/home/ann/output/backup-2026-11-20.json"
    assert found["database"] == {
        "path": "/home/ann/data/soy.db",
        "reason": "it lies in the data folder",
    }
    assert found["counts"] == {"contacts": 210, "activity_log": 1640, "tags": 1, "notes": 0}
    assert json.loads(reports.json_text(IMPORT))["plan"]["plan_id"] == "0123456789ab"
    assert json.loads(reports.json_text(STATUS))["age_seconds"] == 86_400


def test_an_error_says_what_is_wrong_and_what_to_do():
    error = BackupDamaged("b.json: it ends in the middle", hint="Use another backup.")
    assert reports.error_text(error) == (
        "Error: b.json: it ends in the middle.\nUse another backup."
    )
    assert reports.error_text(HoldfastError("it broke")) == "Error: it broke."
    assert json.loads(reports.error_json(error)) == {
        "error": "BackupDamaged",
        "message": "b.json: it ends in the middle",
        "hint": "Use another backup.",
        "exit_code": 16,
    }


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (1_000_000, "1.0 MB"),
        (1_912_345, "1.9 MB"),
        (5 * 10**9, "5.0 GB"),
        (5 * 10**16, "50000.0 TB"),
    ],
)
def test_a_size_is_written_for_people(size, expected):
    assert words.size_text(size) == expected


def test_a_size_is_never_written_as_a_thousand_of_its_unit():
    assert words.size_text(999_999) == "1.0 MB"


def test_a_count_is_written_with_its_noun():
    assert [words.counted(n, "table") for n in (0, 1, 2, 5012)] == [
        "0 tables",
        "1 table",
        "2 tables",
        "5,012 tables",
    ]


def test_a_name_in_an_error_cannot_pose_as_a_line_of_ours():
    error = BackupDamaged("a\nBackup saved.json: it ends early", hint="Use\r another.")
    assert reports.error_text(error) == (
        "Error: a\\x0aBackup saved.json: it ends early.\nUse\\x0d another."
    )
