"""What Holdfast remembers of its backups and of what it did."""

from __future__ import annotations

import json
import os
import threading

import pytest
from msgspec.structs import replace

from holdfast.errors import DatabaseError, HoldfastError, NotADatabase
from holdfast.history import History
from holdfast.known import KnownBackup
from tests.conftest import rows

BACKUP = KnownBackup(
    path="/home/ann/output/backup-2026-11-20.json",
    database="/home/ann/data/soy.db",
    created_at="2026-11-20T14:22:33Z",
    bytes=2411,
    modified_ns=1_763_648_553_123_456_789,
    row_count=3,
    counts={"contacts": 2, "naïve": 1},
    verified="counts and digests",
    verified_at="2026-11-20T14:22:33Z",
)


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "output")


@pytest.mark.parametrize("content", [b"", b"Dear diary\n" * 1000])
def test_what_to_do_with_a_history_that_is_none_is_not_to_name_a_database(history, content):
    history.path.parent.mkdir()
    history.path.write_bytes(content)
    for use in (history.backups, history.made, lambda: history.record_backup(BACKUP)):
        with pytest.raises(NotADatabase) as caught:
            use()
        assert caught.value.hint.startswith("Move it away: a new history begins")


def record_event(history, **changes):
    facts = {
        "at": "2026-11-20T14:22:33Z",
        "operation": "export",
        "outcome": "done",
        "database_path": history.path.with_name("soy.db"),
        "backup": history.path.with_name("backup.json"),
        "details": {"by": "ann@naïve"},
    }
    history.record_event(**(facts | changes))


def test_without_a_history_there_are_no_backups_and_none_is_made(history):
    assert history.backups() == []
    assert not history.path.parent.exists()


def test_a_backup_is_remembered_as_it_was_recorded(history):
    history.record_backup(BACKUP)
    assert history.backups() == [BACKUP]


def test_the_newest_backup_comes_first(history):
    for day in ("19", "21", "20"):
        history.record_backup(
            replace(
                BACKUP,
                path=f"/home/ann/output/backup-2026-11-{day}.json",
                created_at=f"2026-11-{day}T08:00:00Z",
            )
        )
    assert [each.created_at[8:10] for each in history.backups()] == ["21", "20", "19"]


def test_a_backup_of_the_same_path_takes_the_place_of_the_former(history):
    other = replace(BACKUP, path="/home/ann/output/other.json")
    renewed = replace(BACKUP, bytes=9, counts={}, verified="", row_count=0)
    for backup in (other, BACKUP, renewed):
        history.record_backup(backup)
    assert sorted(history.backups(), key=lambda each: each.path) == [renewed, other]


def test_every_event_is_kept_in_order(history):
    for operation in ("export", "import", "export"):
        record_event(history, operation=operation)
    assert rows(history.path, "SELECT operation FROM events ORDER BY id") == [
        ("export",),
        ("import",),
        ("export",),
    ]


def test_an_event_is_kept_whole(history):
    record_event(history)
    (event,) = rows(
        history.path, "SELECT at, operation, outcome, database, backup, details FROM events"
    )
    assert event[:5] == (
        "2026-11-20T14:22:33Z",
        "export",
        "done",
        str(history.path.with_name("soy.db")),
        str(history.path.with_name("backup.json")),
    )
    assert json.loads(str(event[5])) == {"by": "ann@naïve"}


def test_a_file_is_still_the_same_until_its_size_or_time_changes(tmp_path):
    path = tmp_path / "backup.json"
    path.write_bytes(b"12345")
    stat = path.stat()
    known = replace(BACKUP, bytes=stat.st_size, modified_ns=stat.st_mtime_ns)
    assert known.is_still(path)
    path.write_bytes(b"123456")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not known.is_still(path)
    path.write_bytes(b"54321")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert not known.is_still(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert known.is_still(path)
    path.unlink()
    assert not known.is_still(path)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 99])
def test_an_unreadable_history_is_said_to_be_one_and_left_as_it_is(history, content):
    history.path.parent.mkdir()
    history.path.write_bytes(content)
    with pytest.raises(NotADatabase) as read:
        history.backups()
    with pytest.raises(NotADatabase) as written:
        history.record_backup(BACKUP)
    for caught in (read, written):  # it is not for the person to name another database
        assert caught.value.hint.startswith("Move it away: a new history begins with the next")
    assert history.path.read_bytes() == content


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE backups",
        "UPDATE backups SET counts = 'not JSON'",
        "UPDATE backups SET counts = '[1]'",
    ],
)
def test_a_history_that_someone_changed_is_an_error_that_can_be_shown(history, damage):
    history.record_backup(BACKUP)
    rows(history.path, damage)
    with pytest.raises(HoldfastError, match=r"history\.db"):
        history.backups()


def test_a_history_of_the_first_files_is_read_and_goes_on(history):
    history.record_backup(BACKUP)
    rows(history.path, "ALTER TABLE backups DROP COLUMN part")
    for table in ("copies", "visits"):
        rows(history.path, f"DROP TABLE {table}")
    before = history.path.read_bytes()
    assert (history.backups(), history.copies(), history.visits()) == ([BACKUP], [], [])
    assert history.path.read_bytes() == before
    partial = replace(BACKUP, path="/home/ann/output/other.json", part="tables: a")
    history.record_backup(partial)
    assert sorted(history.backups(), key=lambda each: each.path) == [BACKUP, partial]


def test_a_history_of_a_later_version_is_neither_read_nor_changed(history):
    history.record_backup(BACKUP)
    rows(history.path, "PRAGMA user_version = 1")
    before = history.path.read_bytes()
    for use in (
        history.backups,
        history.copies,
        lambda: history.record_backup(BACKUP),
        lambda: record_event(history),
    ):
        with pytest.raises(DatabaseError, match="was written by a later version of") as caught:
            use()
        assert caught.value.hint.startswith("Update Holdfast.")
    assert history.path.read_bytes() == before


def test_a_table_and_a_column_that_a_later_version_added_are_left_as_they_are(history):
    history.record_backup(BACKUP)
    rows(history.path, "ALTER TABLE backups ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'")
    rows(history.path, "CREATE TABLE colours (name TEXT)")
    rows(history.path, "INSERT INTO colours VALUES ('blue')")
    renewed = replace(BACKUP, bytes=9)
    for backup in (replace(BACKUP, path="/home/ann/output/other.json"), renewed):
        history.record_backup(backup)
    assert renewed in history.backups()
    assert rows(history.path, "SELECT colour FROM backups") == [("blue",), ("blue",)]
    assert rows(history.path, "SELECT name FROM colours") == [("blue",)]


def test_a_context_with_an_unreadable_history_knows_no_backups(context):
    made = context()
    made.history.path.parent.mkdir(parents=True)
    made.history.path.write_bytes(b"not a database at all" * 99)
    assert made.known_backups() == []


def test_two_that_start_a_history_at_once_are_both_remembered(history):
    writers = 4
    start = threading.Barrier(writers)
    failures = []

    def record(number):
        start.wait(timeout=10)
        try:
            history.record_backup(replace(BACKUP, path=f"/output/{number}.json"))
        except HoldfastError as error:
            failures.append(error)

    threads = [threading.Thread(target=record, args=[number]) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(history.backups()) == writers
