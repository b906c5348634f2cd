"""Verify says how far a backup was proven, and never more than that."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast import reports
from holdfast.formats import WRITABLE
from holdfast.model import DAMAGED, Rung
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.outcomes import BackupOnFile, VerifiedBackup, VerifyReport
from tests.conftest import NOW, MakeContext, MakeDatabase, everything, rows, run_sql
from tests.running import files_in, reported, run

NOTES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body);"
    "INSERT INTO notes VALUES (1, 'a'), (2, 'b');"
    "CREATE TABLE tags (name); INSERT INTO tags VALUES ('new');"
)
SOFTWARE_OF_YOU = (
    "CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE activity_log (id INTEGER PRIMARY KEY);"
    "CREATE TABLE soy_meta (key TEXT PRIMARY KEY, value TEXT);"
    "INSERT INTO contacts VALUES (1, 'Ann'); INSERT INTO soy_meta VALUES ('schema_version', '23');"
)
FOREIGN = '{"backup_date": "2026-03-01", "tables": {"contacts": [{"id": 1, "name": "Ann"}]}}'
PROVEN = (Rung.WHOLE, Rung.HASH, Rung.CONTENTS)


@pytest.fixture
def notes(make_database: MakeDatabase) -> Path:
    return make_database(NOTES, "notes.db")


def export(context: MakeContext, source: Path, form: str = "json", *, days_ago: int = 0) -> Path:
    then = context(now=NOW - timedelta(days=days_ago))
    path = export_backup(then, ExportOptions(database=str(source), format=form)).path
    assert path
    return path


def verify(context: MakeContext, *backups: Path | str, **options: object) -> VerifyReport:
    chosen = VerifyOptions(backups=tuple(map(str, backups)), **options)  # type: ignore[arg-type]
    return verify_backups(context(), chosen)


def verify_one(context: MakeContext, backup: Path, **options: object) -> VerifiedBackup:
    (found,) = verify(context, backup, **options).backups
    return found


def on_file(context: MakeContext, backup: Path) -> BackupOnFile:
    """Return what status knows of a backup."""
    found = report_status(context(), StatusOptions()).backups
    return next(each for each in found if each.path == backup)


def status_text(context: MakeContext) -> str:
    return reports.text(report_status(context(), StatusOptions()))


def spoil(backup: Path) -> None:
    """Change one bit of a backup, as a failing disk does: neither its size nor its time tells."""
    file = backup / "metadata.json" if backup.is_dir() else backup
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x01
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


# How far


@pytest.mark.parametrize("form", WRITABLE)
def test_a_good_backup_reaches_every_rung_and_each_is_named(context, notes, form):
    found = verify_one(context, export(context, notes, form))
    assert found.rungs == (Rung.WHOLE, Rung.HASH, Rung.CONTENTS, Rung.RESTORED, Rung.SOUND)
    assert (found.row_count, found.problem, found.exit_code) == (3, "", 0)
    text = reports.text(VerifyReport((found,), None, ()))
    assert "3 rows" in text
    for words in ("whole", "every byte", "counts and digests", "restored", "integrity"):
        assert words in text


@pytest.mark.parametrize("form", WRITABLE)
def test_quick_stops_before_the_scratch_restore_and_says_no_more(context, notes, form):
    found = verify_one(context, export(context, notes, form), quick=True)
    assert found.rungs == PROVEN
    text = reports.text(VerifyReport((found,), None, ()))
    assert "counts and digests" in text
    assert "restored" not in text and "integrity" not in text


@pytest.mark.parametrize("form", WRITABLE)
def test_the_backup_is_not_touched_and_nothing_is_left_behind(context, notes, form, tmp_path):
    backup = export(context, notes, form)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before, modified = files_in(backup.parent), backup.stat().st_mtime_ns
    before.pop("history.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(scratch))
        verify(context, backup)
    after = files_in(backup.parent)
    after.pop("history.db")
    assert (after, backup.stat().st_mtime_ns) == (before, modified)
    assert list(scratch.iterdir()) == []


def test_rows_that_refer_to_nothing_are_counted_and_are_no_failure(context, make_database):
    source = make_database(
        "CREATE TABLE parents (id INTEGER PRIMARY KEY);"
        "CREATE TABLE children (parent REFERENCES parents); INSERT INTO children VALUES (7);"
    )
    found = verify_one(context, export(context, source))
    assert (found.broken_references, found.exit_code) == (1, 0)
    assert "1 row refers to rows that are not there" in reports.text(
        VerifyReport((found,), None, ())
    )


def test_a_foreign_document_is_whole_and_nothing_more(context, tmp_path):
    document = tmp_path / "backup-2026-03-01.json"
    document.write_text(FOREIGN)
    found = verify_one(context, document)
    assert (found.rungs, found.problem, found.exit_code) == ((Rung.WHOLE,), "", 0)
    text = reports.text(VerifyReport((found,), None, ()))
    assert "nothing proves it" in text
    assert "verified" not in text


def test_a_plain_sqlite_file_is_never_said_to_be_proven(context, make_database):
    plain = make_database(NOTES, "plain.db")
    found = verify_one(context, plain)
    assert found.exit_code == 0
    assert Rung.HASH not in found.rungs and Rung.CONTENTS not in found.rungs
    text = reports.text(VerifyReport((found,), None, ()))
    assert "nothing proves it" in text
    assert "verified" not in text
    history = context().output / "history.db"
    assert rows(history, "SELECT verified FROM backups") == [("whole",)]


def test_a_page_copy_of_a_database_with_a_wrong_index_reaches_the_rungs_before_the_restore(
    context, make_database
):
    source = make_database(
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2); CREATE INDEX i ON t (a);"
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t (b)' WHERE name = 'i';"
    )
    assert rows(source, "PRAGMA quick_check") == [("ok",)]
    backup = export(context, source, "sqlite")
    found = verify_one(context, backup)
    assert (found.rungs, found.exit_code) == (PROVEN, 27)
    assert f"{backup} is damaged: row 1 missing from index i" in found.problem
    assert verify_one(context, export(context, source, "jsonl")).rungs == tuple(Rung)


def test_what_is_no_backup_fails_with_its_own_code(context, tmp_path):
    wrong = tmp_path / "holiday.jpg"
    wrong.write_bytes(b"\xff\xd8\xff\xe0")
    found = verify_one(context, wrong)
    assert (found.rungs, found.exit_code) == ((), 17)


# Damage


@pytest.mark.parametrize("form", WRITABLE)
def test_a_bit_that_fell_over_is_found_shown_and_remembered(context, notes, form):
    backup = export(context, notes, form)
    verify(context, backup)
    spoil(backup)
    found = verify_one(context, backup)
    assert found.exit_code == 16
    assert set(found.rungs) < set(PROVEN)
    assert str(backup) in found.problem
    assert on_file(context, backup).verified == DAMAGED
    assert f"{backup.name}: " in status_text(context)
    assert "DAMAGED" in status_text(context)


def test_a_damaged_one_among_good_ones_fails_alone(context, notes, tmp_path):
    first = export(context, notes, days_ago=2)
    second = export(context, notes, "jsonl", days_ago=1)
    third = export(context, notes, "zip")
    spoil(second)
    report = verify(context, "all")
    found = {each.path: each for each in report.backups}
    assert list(found) == [third, second, first]
    assert found[first].rungs == found[third].rungs == tuple(Rung)
    assert found[second].exit_code == 16
    assert reports.exit_code(report) == 16
    lines = reports.text(report).splitlines()
    assert lines[0].startswith(f"{third.name}: verified (")
    assert lines[1].startswith(f"{second.name}: FAILED")
    assert lines[4].startswith(f"{first.name}: verified (")


def test_all_is_nothing_where_there_is_no_backup(context):
    report = verify(context, "all")
    assert report.backups == ()
    assert "no backup to verify" in reports.text(report)


def test_a_damaged_backup_is_good_again_once_it_is_put_back(context, notes, tmp_path):
    backup = export(context, notes)
    shutil.copy(backup, tmp_path / "copy")
    spoil(backup)
    verify(context, backup)
    assert on_file(context, backup).verified == DAMAGED
    shutil.copy(tmp_path / "copy", backup)
    verify(context, backup)
    assert on_file(context, backup).verified == Rung.SOUND


def test_the_script_fails_with_the_code_of_the_damage_and_reports_the_rest(tmp_path, notes):
    home = tmp_path / "home"
    run(home, "export", "--db", notes)
    run(home, "export", "--db", notes, "--format", "jsonl")
    spoil(next((home / "output").glob("*.jsonl")))
    document = reported(home, "verify", "all", exit_code=16)
    codes = {Path(each["path"]).suffix: each["exit_code"] for each in document["backups"]}
    assert codes == {".json": 0, ".jsonl": 16}
    rungs = {Path(each["path"]).suffix: each["rungs"] for each in document["backups"]}
    assert rungs[".json"] == ["whole", "hash", "contents", "restored", "sound"]


# What is remembered


def test_what_was_proven_is_remembered_and_status_says_so(context, notes):
    backup = export(context, notes)
    assert on_file(context, backup).verified == Rung.CONTENTS
    verify(context, backup)
    found = on_file(context, backup)
    assert (found.verified, found.verified_at) == (Rung.SOUND, "2026-11-20T14:22:33Z")
    assert "verified (integrity and references" in status_text(context)


def test_a_quick_look_takes_back_nothing_and_adds_nothing(context, notes):
    backup = export(context, notes)
    verify(context, backup, quick=True)
    assert on_file(context, backup).verified == Rung.CONTENTS
    verify(context, backup)
    verify(context, backup, quick=True)
    assert on_file(context, backup).verified == Rung.SOUND


def test_a_quick_look_at_another_backup_of_the_same_name_says_what_it_has_seen(context, notes):
    backup = export(context, notes)
    verify(context, backup)
    shutil.copy(export(context, notes, "jsonl"), backup)
    verify(context, backup, quick=True)
    assert on_file(context, backup).verified == Rung.CONTENTS


def test_a_backup_that_changed_since_is_not_said_to_be_verified(context, notes):
    backup = export(context, notes)
    verify(context, backup)
    with backup.open("a") as file:
        file.write(" ")
    assert on_file(context, backup).verified == ""
    assert "changed since it was verified" in status_text(context)


def test_a_backup_from_elsewhere_is_remembered_too(context, notes, tmp_path):
    moved = export(context, notes).rename(context().output / "backup-2020-01-01.json")
    verify(context, moved)
    assert on_file(context, moved).verified == Rung.SOUND


def test_a_history_that_cannot_be_written_is_a_warning(context, notes):
    backup = export(context, notes)
    (context().output / "history.db").write_bytes(b"no database")
    report = verify(context, backup)
    assert report.backups[0].rungs == tuple(Rung)
    assert len(report.warnings) == 1
    assert "could not be recorded" in report.warnings[0]
    assert reports.exit_code(report) == 3


# Against the database


@pytest.mark.parametrize("form", WRITABLE)
def test_an_unchanged_database_is_said_to_be_unchanged(context, notes, form):
    backup, before = export(context, notes, form), everything(notes)
    found = verify_one(context, backup, against=True, database=str(notes))
    assert found.differing == ()
    assert "the database is unchanged since" in reports.text(VerifyReport((found,), None, ()))
    assert everything(notes) == before


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ("UPDATE notes SET body = 'c' WHERE id = 2", ("notes",)),
        ("UPDATE notes SET body = 2 WHERE id = 2", ("notes",)),
        ("DELETE FROM tags", ("tags",)),
        ("INSERT INTO notes VALUES (3, 'c'); INSERT INTO tags VALUES (NULL)", ("notes", "tags")),
        ("CREATE TABLE more (x)", ("more",)),
        ("DROP TABLE tags", ("tags",)),
        ("ALTER TABLE tags RENAME TO labels", ("labels", "tags")),
        ("ALTER TABLE notes ADD COLUMN c", ("notes",)),
    ],
)
def test_tables_that_changed_since_are_named(context, notes, change, differing):
    backup = export(context, notes)
    run_sql(notes, change)
    found = verify_one(context, backup, against=True, database=str(notes))
    assert found.differing is not None
    assert tuple(sorted(found.differing)) == differing
    assert (found.exit_code, found.rungs) == (0, tuple(Rung))
    text = reports.text(VerifyReport((found,), None, ()))
    assert "the database has changed since in" in text


@pytest.mark.parametrize("form", WRITABLE)
def test_the_stamp_that_a_backup_leaves_is_no_change(context, make_database, form):
    source = make_database(SOFTWARE_OF_YOU)
    backup = export(context, source, form)
    stamp = "SELECT value FROM soy_meta WHERE key = 'last_backup_at'"
    assert rows(source, stamp) == [("2026-11-20 14:22:33",)]
    found = verify_one(context, backup, against=True, database=str(source))
    assert found.differing == ()


def test_another_change_beside_the_stamp_is_one(context, make_database):
    source = make_database(SOFTWARE_OF_YOU)
    backup = export(context, source)
    run_sql(source, "UPDATE soy_meta SET value = '24' WHERE key = 'schema_version'")
    found = verify_one(context, backup, against=True, database=str(source))
    assert found.differing == ("soy_meta",)


def test_without_against_nothing_is_said_of_the_database(context, notes):
    found = verify_one(context, export(context, notes))
    assert found.differing is None
    assert "database" not in reports.text(VerifyReport((found,), None, ()))


def test_live_stands_for_the_usual_database(tmp_path, notes):
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    live = shutil.copy(notes, home / "data" / "notes.db")
    run(home, "export")
    run_sql(live, "DELETE FROM tags")
    document = json.loads(run(home, "verify", "latest", "--against", "live", "--json").stdout)
    assert document["backups"][0]["differing"] == ["tags"]
    assert document["against"]["path"] == str(live)


# What to do


def test_what_failed_says_what_to_do_and_no_more_than_once(context, notes, tmp_path):
    backup = export(context, notes)
    spoil(backup)
    wrong = tmp_path / "holiday.png"
    wrong.write_bytes(b"\x89PNG\r\n")
    report = verify(context, backup, wrong)
    assert [each.hint for each in report.backups] == [
        "Use another backup: see status.",
        "status lists the backups, docs/format.md what else can be read.",
    ]
    lines = reports.text(report).splitlines()
    assert len(lines) == 6
    assert lines[2] == "  Use another backup: see status."
    assert lines[4] == (
        f"  {wrong} is in none of the formats that can be read: it seems to be an image."
    )


def test_damage_to_its_very_description_is_remembered_without_a_warning(context, notes):
    backup = export(context, notes, "folder")
    (backup / "metadata.json").write_text("{")
    report = verify(context, backup)
    assert report.warnings == ()
    assert on_file(context, backup).verified == DAMAGED


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may read all")
def test_what_may_not_be_read_fails_alone_and_is_not_called_damaged(context, notes):
    first, second = export(context, notes), export(context, notes, "jsonl")
    second.chmod(0)
    found = {each.path: each for each in verify(context, first, second).backups}
    assert found[first].exit_code == 0
    assert (found[second].exit_code, found[second].problem) == (
        30,
        f"cannot read {second}: Permission denied",
    )
    assert on_file(context, second).verified == Rung.CONTENTS
