"""kata: each bug and each limit of its own backups, as what is done here instead."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from holdfast.errors import (
    BackupDamaged,
    BackupTooNew,
    HoldfastError,
    ImportRefused,
    NotABackup,
    RestoreRefused,
)
from holdfast.formats import open_backup
from holdfast.outcomes import ImportReport
from holdfast.profiles import load_profiles, profile_folder, recognise
from holdfast.works import ConflictMode
from tests.conftest import connected, everything, rows, run_sql
from tests.systems import kata
from tests.systems.conftest import Desk

FOUND = "SELECT rowid FROM issues_fts WHERE issues_fts MATCH '{}' ORDER BY 1"
NOT_IMPORTED = {
    *("meta", "api_tokens", "federation_bindings", "federation_sync_status"),
    *("federation_quarantine", "federation_enrollments"),
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return kata.make(tmp_path / "kata.db")


@pytest.fixture
def file(tmp_path: Path, database: Path) -> Path:
    return kata.export(database, tmp_path / "kata-export-20261120T120000Z.jsonl")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """The database that `kata init` makes."""
    return kata.make(tmp_path / "empty.db", kata.EMPTY)


def rewritten(file: Path, old: str, new: str, *, count: int = -1) -> Path:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, count), encoding="utf-8")
    return file


def without(file: Path, *starts: str) -> Path:
    """Take out the lines that start so."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith(starts)), "utf-8")
    return file


# Its database


def test_its_tables_are_recognised_and_all_of_them_are_known(database: Path, desk: Desk) -> None:
    report = desk.exported(database)
    assert report.profile == "kata"
    assert report.missing_tables == ()
    (profile,) = [each for each in load_profiles(profile_folder()) if each.name == "kata"]
    assert len(profile.tables) == 27
    assert set(report.counts) == set(profile.tables)
    assert recognise([profile], profile.tables) is profile
    grouped = [table for group in profile.groups.values() for table in group.tables]
    assert sorted(grouped) == sorted(profile.tables)


@pytest.mark.parametrize("form", ["json", "jsonl", "folder", "zip", "sqlite"])
def test_a_restored_database_is_searched_as_the_one_that_was_backed_up(
    database: Path, desk: Desk, form: str
) -> None:
    backup = desk.exported(database, format=form).path
    assert backup
    desk.restored(backup, desk.folder / "restored.db")
    for word, numbers in {"roof": [11], "gate": [12], "ladder": [11], "scaffolding": [11]}.items():
        assert rows(desk.folder / "restored.db", FOUND.format(word)) == [(n,) for n in numbers]
    after = everything(desk.folder / "restored.db")
    before = everything(database)
    for name in before:
        if name not in ("schema", "sqlite_sequence") and not name.startswith("issues_fts"):
            assert after[name] == before[name], name
    marks = "SELECT name, seq FROM sqlite_sequence ORDER BY 1"
    assert rows(desk.folder / "restored.db", marks) == rows(database, marks)


def test_the_number_that_a_purge_reserved_is_not_given_again_after_a_restore(
    database: Path, desk: Desk
) -> None:
    backup = desk.exported(database).path
    assert backup
    restored = desk.folder / "restored.db"
    desk.restored(backup, restored)
    run_sql(
        restored,
        "INSERT INTO events (uid, type, actor, content_hash, created_at)"
        " VALUES ('E', 'x', 'ann', 'h', 'now')",
    )
    assert rows(restored, "SELECT max(id) FROM events") == [(106,)]


def test_a_backup_has_every_event_those_of_no_project_and_of_moved_issues_too(
    database: Path, desk: Desk
) -> None:
    assert desk.exported(database).counts["events"] == 4


def test_a_writer_goes_on_while_an_export_sees_one_moment(database: Path, desk: Desk) -> None:
    stop = threading.Event()

    def write() -> None:
        with connected(database) as connection:
            connection.execute("PRAGMA busy_timeout = 10000")
            number = 0
            while not stop.is_set():
                number += 1
                connection.executescript(
                    "BEGIN IMMEDIATE;"
                    f"INSERT INTO comments VALUES (NULL, '{kata.uid(f'W{number}')}', 11, 'a',"
                    f" 'w{number}', 'now');"
                    "INSERT INTO events (uid, type, actor, content_hash, created_at)"
                    f" VALUES ('w{number}', 'issue.commented', 'a', 'h', 'now'); COMMIT;"
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for name in ("one", "two", "three"):
            counts = desk.exported(database, output=desk.folder / f"{name}.json").counts
            # Comments and events are written together: a moment has as many of both.
            assert counts["comments"] - 2 == counts["events"] - 4
    finally:
        stop.set()
        writer.join()


def test_a_restore_takes_only_a_name_that_is_free_unless_it_is_forced(
    database: Path, desk: Desk
) -> None:
    backup = desk.exported(database).path
    assert backup
    with pytest.raises(RestoreRefused):
        desk.restored(backup, database)
    report = desk.restored(backup, database, force=True)
    assert report.set_aside
    assert rows(report.set_aside, "SELECT count(*) FROM issues") == [(3,)]


def test_json_lines_change_by_the_rows_that_changed_alone(database: Path, desk: Desk) -> None:
    options = {"format": "jsonl", "reproducible": True}
    first = desk.exported(database, output=desk.folder / "1.jsonl", **options).path
    again = desk.exported(database, output=desk.folder / "2.jsonl", **options).path
    run_sql(database, "UPDATE issues SET title = 'Mend the roof' WHERE id = 11")
    changed = desk.exported(database, output=desk.folder / "3.jsonl", **options).path
    assert first and again and changed
    assert first.read_bytes() == again.read_bytes()
    before, after = first.read_bytes().splitlines(), changed.read_bytes().splitlines()
    differing = [one for one, other in zip(before, after, strict=True) if one != other]
    assert [line[:7] for line in differing] == [b'{"id":1', b'["end",', b'["seal"']


def test_a_backup_of_a_database_that_lost_its_rows_says_so(database: Path, desk: Desk) -> None:
    desk.exported(database, output=desk.folder / "full.json")
    run_sql(database, "DELETE FROM comments; DELETE FROM events")
    report = desk.exported(database, output=desk.folder / "later.json")
    (warning,) = report.warnings
    assert "comments, events lost all rows" in warning
    assert "full.json" in warning


# Its files


def test_its_file_has_every_row_and_mark(file: Path, database: Path) -> None:
    contents = open_backup(file).contents()
    with connected(database) as connection:
        for table, count in contents.trailer.counts.items():
            (wanted,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert (table, count) == (table, wanted)
        marks = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    assert len(contents.trailer.counts) == 26
    assert contents.trailer.sequences == {k: v for k, v in marks.items() if k != "api_tokens"}
    assert contents.trailer.sequences["events"] == 105
    assert not contents.is_proven


def test_its_file_imports_into_an_empty_database_as_it_was(
    file: Path, database: Path, empty: Path, desk: Desk
) -> None:
    desk.imported(file, empty)
    before, after = everything(database), everything(empty)
    at_rest = {"issue_sync_bindings", "external_root_bindings", "sqlite_sequence"}
    same = set(before) - NOT_IMPORTED - at_rest
    assert [name for name in same if before[name] != after[name] and "fts" not in name] == []
    assert rows(empty, FOUND.format("scaffolding")) == [(11,)]
    assert rows(empty, FOUND.format("depot")) == [(15,)]
    marks = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('events', 'issues') ORDER BY 1"
    assert rows(empty, marks) == [("events", 105), ("issues", 40)]


def test_its_own_name_and_schema_version_stay_in_the_database(
    file: Path, empty: Path, desk: Desk
) -> None:
    rewritten(file, kata.uid("ANNS"), kata.uid("B0BS"))
    report = desk.imported(file, empty)
    assert (kata.uid("ANNS"),) in rows(empty, "SELECT value FROM meta")
    assert {each.table for each in report.plan.skipped} == NOT_IMPORTED - {"api_tokens"}


def test_the_same_file_again_changes_nothing(file: Path, empty: Path, desk: Desk) -> None:
    desk.imported(file, empty)
    before = everything(empty)
    assert desk.imported(file, empty).outcome == "nothing to do"
    assert everything(empty) == before


def test_bindings_to_other_services_come_in_at_rest(file: Path, empty: Path, desk: Desk) -> None:
    report = desk.imported(file, empty)
    assert rows(empty, "SELECT provider, enabled FROM issue_sync_bindings") == [("github", 0)]
    assert rows(empty, "SELECT paused FROM external_root_bindings") == [(1,)]
    said = [line for line in report.warnings if "at rest" in line]
    assert said == [
        "1 of issue_sync_bindings come in at rest, until you turn them on again in kata.",
        "1 of external_root_bindings come in at rest, until you turn them on again in kata.",
    ]


def test_json_columns_are_stored_as_the_text_that_stands_in_the_file(
    file: Path, empty: Path, desk: Desk
) -> None:
    desk.imported(file, empty)
    assert rows(empty, "SELECT metadata FROM projects WHERE id = 3") == [
        ('{"b":1,"a":[1.50, "é"]}',)
    ]
    assert rows(empty, "SELECT metadata FROM issues WHERE id = 12") == [
        ('{"area": 9007199254740993}',)
    ]


@pytest.mark.parametrize("payload", ["null", '"text"', "7", "[]", "false"])
def test_a_json_column_may_hold_any_json(file: Path, empty: Path, desk: Desk, payload: str) -> None:
    rewritten(file, '"payload":[]', f'"payload":{payload}')
    desk.imported(file, empty)
    assert rows(empty, "SELECT payload FROM events WHERE id = 104") == [(payload,)]


def test_what_the_database_has_no_table_for_is_named_with_its_rows(
    file: Path, empty: Path, desk: Desk
) -> None:
    new = '{"kind":"milestone","data":{"id":1,"name":"May"}}\n' * 2
    rewritten(file, '{"kind":"purge_log"', f'{new}{{"kind":"purge_log"', count=1)
    report = desk.imported(file, empty)
    assert any(line.startswith("2 rows of milestone are in the backup") for line in report.warnings)


def test_what_the_database_has_no_column_for_is_refused_until_it_is_to_be_left_out(
    file: Path, empty: Path, desk: Desk
) -> None:
    rewritten(file, '"title":"Fix the roof"', '"weight":3,"title":"Fix the roof"', count=1)
    before = everything(empty)
    with pytest.raises(ImportRefused, match="issues has no column weight"):
        desk.imported(file, empty)
    assert everything(empty) == before
    report = desk.imported(file, empty, drop_unknown=True)
    assert "issues: weight left out; the database lacks it." in report.warnings


def test_a_later_field_whose_column_is_there_is_used(file: Path, empty: Path, desk: Desk) -> None:
    run_sql(empty, "ALTER TABLE issues ADD COLUMN weight INTEGER")
    rewritten(file, '"title":"Fix the roof"', '"weight":3,"title":"Fix the roof"', count=1)
    desk.imported(file, empty)
    assert rows(empty, "SELECT id, weight FROM issues ORDER BY 1") == [
        (11, 3),
        (12, None),
        (15, None),
    ]


def refused(file: Path, empty: Path, desk: Desk, error: type[HoldfastError], match: str) -> None:
    before = everything(empty)
    with pytest.raises(error, match=match) as caught:
        desk.imported(file, empty)
    assert caught.value.hint
    assert everything(empty) == before


def test_a_file_of_a_later_version_is_refused(file: Path, empty: Path, desk: Desk) -> None:
    rewritten(file, '"export_version","value":"33"', '"export_version","value":"34"')
    refused(file, empty, desk, BackupTooNew, "export_version 34")


@pytest.mark.parametrize(
    ("old", "new", "error", "match"),
    [
        ('"value":"33"', '"value":"x"', NotABackup, "'x', no number"),
        ("export_version", "instance_uid", NotABackup, "does not begin with"),
        ('"kind":"comment"', '"kind":"purge_log"', BackupDamaged, "comes after a kind"),
        ('"kind":"issue",', '"kind":"issue","more":1,', BackupDamaged, "is no record of kata"),
        ('"id":11,', '"id":"11",', BackupDamaged, "'11' stands where a number belongs"),
        ('"id":101,', '"id":106,', BackupDamaged, "mark of events"),
    ],
)
def test_a_file_that_kata_did_not_write_so_is_refused(
    file: Path,
    empty: Path,
    desk: Desk,
    old: str,
    new: str,
    error: type[HoldfastError],
    match: str,
) -> None:
    refused(rewritten(file, old, new, count=1), empty, desk, error, match)


def test_a_file_that_is_cut_inside_a_line_never_imports(
    file: Path, empty: Path, desk: Desk
) -> None:
    whole = file.read_bytes()
    ends = [at for at in range(len(whole)) if whole[at : at + 1] == b"\n"]
    for end in ends:
        file.write_bytes(whole[: end - 1])
        with pytest.raises((BackupDamaged, NotABackup)):
            open_backup(file).contents()
    file.write_bytes(whole[: ends[20] - 9])
    refused(file, empty, desk, BackupDamaged, "line 21 is cut short")


def test_a_file_that_is_cut_among_its_marks_never_imports(
    file: Path, empty: Path, desk: Desk
) -> None:
    without(file, '{"kind":"sqlite_sequence","data":{"name":"projects"')
    refused(file, empty, desk, BackupDamaged, "mark of projects")


def test_a_file_that_is_cut_at_a_line_before_its_marks_is_said_to_be_doubtful(
    file: Path, empty: Path, desk: Desk
) -> None:
    without(file, '{"kind":"sqlite_sequence"', '{"kind":"event"')
    report = desk.imported(file, empty, yes=False)
    assert report.outcome == "planned"
    assert any("it may be cut" in line for line in report.warnings)
    assert any("nothing can prove that it is whole" in line for line in report.warnings)


def test_blank_lines_and_a_missing_last_newline_do_not_matter(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").strip().split("\n")
    file.write_text("\n" + "\n\n".join(lines), encoding="utf-8")
    assert open_backup(file).contents().row_count == 38


def test_a_file_of_kata_is_not_imported_into_the_database_of_another_tool(
    file: Path, desk: Desk
) -> None:
    other = kata.make(
        desk.folder / "other.db",
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name);"
        "CREATE TABLE issues (id INTEGER PRIMARY KEY, title)",
    )
    refused(file, other, desk, ImportRefused, "is of kata, and .* of no tool that is known")


def test_a_file_of_one_project_leaves_out_links_to_issues_of_others_and_keeps_every_event(
    database: Path, empty: Path, desk: Desk
) -> None:
    run_sql(
        database,
        f"INSERT INTO links VALUES (9, 11, 15, '{kata.uid('R00F')}', '{kata.uid('DEP0T')}',"
        f" 'related', 'ann', '{kata.NOON}');"
        # Its issue was moved to the other project since.
        f"INSERT INTO events VALUES (100, '{kata.uid('E100')}', 3, 15, 'issue.created', 'ann',"
        f" '{{}}', 'h', '{kata.NOON}')",
    )
    report = desk.imported(kata.export(database, desk.folder / "home.jsonl", project=3), empty)
    assert rows(empty, "SELECT id FROM links ORDER BY 1") == [(2,), (5,)]
    assert rows(empty, "SELECT id, issue_id FROM events ORDER BY 1") == [
        (100, None),
        (101, 11),
        (102, 12),
    ]
    assert [line for line in report.warnings if "does not have" in line] == [
        "1 of links refer to issues that the file does not have, and are left out.",
        "1 of events refer to issues that the file does not have, and come in without them.",
    ]


def test_a_row_that_breaks_a_rule_of_kata_is_reported_and_nothing_is_changed(
    file: Path, empty: Path, desk: Desk
) -> None:
    rewritten(file, '"short_id":"gate"', '"short_id":"door"')
    refused(file, empty, desk, ImportRefused, "does not fit into issues: CHECK")


def test_a_link_whose_uids_are_not_those_of_its_issues_is_found(
    file: Path, empty: Path, desk: Desk
) -> None:
    report: ImportReport = desk.imported(file, empty)
    assert report.outcome == "done"
    with connected(empty) as connection, pytest.raises(Exception, match="not those of its issues"):
        connection.execute("UPDATE links SET from_issue_uid = 'x'")  # its trigger is there again


def test_old_rows_do_not_take_the_place_of_newer_ones(file: Path, empty: Path, desk: Desk) -> None:
    desk.imported(file, empty)
    run_sql(
        empty,
        "UPDATE issues SET title = 'Mended', updated_at = '2026-11-21T12:00:00.000Z' WHERE id = 11",
    )
    plan = desk.planned(file, empty, mode=ConflictMode.NEWER)
    assert (plan["issues"].stale, plan["issues"].overwritten) == (1, 0)


def test_the_helper_writes_what_kata_documents(file: Path) -> None:
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert records[0] == {"kind": "meta", "data": {"key": "export_version", "value": "33"}}
    assert records[-1]["kind"] == "sqlite_sequence"
