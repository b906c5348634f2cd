"""restore --at: the database as it was at a moment, from wherever its latest backup of then is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.cli.options import moment_of_user
from holdfast.errors import BackupAmbiguous, BackupNotFound, StoreFailed
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.outcomes import RestoreReport
from tests.conftest import MakeContext, rows, run_sql
from tests.running import make_database, run

NOTES = "CREATE TABLE tags (x); CREATE TABLE notes (text); INSERT INTO notes VALUES ('day 0')"
SETTINGS = """
databases: {crm: data/crm.db}
stores:
  pages: {url: pages, layout: pages}
  files: files
"""
DAY_ONE = datetime(2026, 11, 20, 9, tzinfo=UTC)

Restore = Callable[..., RestoreReport]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    make_database(home / "data" / "crm.db", NOTES)
    (home / "backup.yaml").write_text(SETTINGS)
    (home / "owner").write_text("laptop-1f3a\n")
    return home


@pytest.fixture
def restore(context: MakeContext, home: Path, tmp_path: Path) -> Restore:
    """Restore the database as it was at a moment."""

    def work(at: datetime, **options: object) -> RestoreReport:
        target = tmp_path / f"{at:%d-%H%M%S}.db"
        return restore_backup(
            context(home=home),
            RestoreOptions(target=target, at=at, **options),  # type: ignore[arg-type]
        )

    return work


def export_on(context: Context, day: int, *stores: str, **options: object) -> Path:
    """Write the day into the database, and make a backup of it at nine o'clock."""
    run_sql(context.home.data / "crm.db", f"UPDATE notes SET text = 'day {day}'")
    words = {"database": "crm", "format": "sqlite", "stores": stores, **options}
    report = export_backup(context, ExportOptions(**words))  # type: ignore[arg-type]
    assert report.path and not [each for each in report.copies if each.problem]
    return report.path


def day_in(report: RestoreReport) -> object:
    return rows(report.database, "SELECT text FROM notes")[0][0]


@pytest.fixture
def three_days(context: MakeContext, home: Path) -> list[Path]:
    """Three backups, a day apart: the first in both stores, the second and third in one each."""
    stores = (("pages", "files"), ("pages",), ("files",))
    return [
        export_on(context(home=home, now=DAY_ONE + timedelta(days=day)), day, *names)
        for day, names in enumerate(stores)
    ]


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (DAY_ONE, "day 0"),
        (DAY_ONE + timedelta(hours=23, minutes=59, seconds=59), "day 0"),
        (DAY_ONE + timedelta(days=1), "day 1"),
        (DAY_ONE + timedelta(days=365), "day 2"),
    ],
)
@pytest.mark.parametrize("is_local", [True, False])
def test_the_latest_backup_of_then_or_before_is_taken(
    three_days, restore: Restore, at: datetime, day: str, is_local: bool
):
    if not is_local:  # as when the disk broke: the stores have them all
        for path in three_days:
            path.unlink()
    assert day_in(restore(at)) == day


def test_a_moment_before_the_first_backup_names_the_earliest(three_days, restore: Restore):
    with pytest.raises(BackupNotFound) as found:
        restore(DAY_ONE - timedelta(seconds=1))
    assert "was made at 2026-11-20T08:59:59Z or before; the earliest is of" in str(found.value)
    assert "2026-11-20T09:00:00Z: backup-2026-11-20.db" in str(found.value)


def test_where_nothing_was_backed_up_that_is_said(home, restore: Restore):
    with pytest.raises(BackupNotFound, match="nor any later"):
        restore(DAY_ONE)


def test_a_store_that_is_named_is_the_only_place_that_is_looked_at(three_days, restore: Restore):
    report = restore(DAY_ONE + timedelta(days=2), stores=("pages",))
    assert day_in(report) == "day 1"
    assert str(report.backup) == "pages:laptop-1f3a/backup-crm-2026-11-21T090000Z.pages"


def test_a_store_that_cannot_be_asked_is_named_and_the_others_are(
    three_days, restore: Restore, home: Path
):
    shutil.rmtree(home / "files")
    (home / "backup.yaml").write_text(SETTINGS.replace("files: files", "files: gone/files/x"))
    (home / "gone").write_text("no folder")
    report = restore(DAY_ONE + timedelta(days=1))
    assert day_in(report) == "day 1"
    assert ["files could not be asked" in each for each in report.warnings] == [True]
    with pytest.raises(StoreFailed):
        restore(DAY_ONE + timedelta(days=2), stores=("files",))
    # One whose settings are wrong must not stand between a person and the backup, either.
    (home / "backup.yaml").write_text(SETTINGS.replace("files: files", "files: 'ftp://x'"))
    assert day_in(restore(DAY_ONE + timedelta(days=1, seconds=1))) == "day 1"


def test_a_backup_of_a_part_is_taken_only_where_none_is_whole(
    context: MakeContext, home: Path, restore: Restore
):
    export_on(context(home=home, now=DAY_ONE), 0)
    part = context(home=home, now=DAY_ONE + timedelta(days=1))
    export_on(part, 1, format="json", tables=("notes",))
    assert day_in(restore(DAY_ONE + timedelta(days=2))) == "day 0"


def test_another_database_is_not_taken_for_this_one(
    context: MakeContext, home: Path, restore: Restore
):
    export_on(context(home=home, now=DAY_ONE), 0)
    later = context(home=home, now=DAY_ONE + timedelta(days=1))
    other = make_database(home / "data" / "other.db", NOTES)
    export_backup(later, ExportOptions(database=str(other), stores=("files",)))
    assert day_in(restore(DAY_ONE + timedelta(days=2))) == "day 0"


def test_backups_of_other_machines_serve_where_this_one_has_none(
    three_days, restore: Restore, home: Path
):
    for path in three_days:
        path.unlink()
    (home / "owner").write_text("new-0001\n")
    assert day_in(restore(DAY_ONE + timedelta(days=1, seconds=1))) == "day 1"
    theirs = home / "files" / "laptop-1f3a" / "backup-crm-2026-11-20T090000Z.db.tar"
    assert theirs.is_file()
    (home / "files" / "desk-77b0").mkdir()
    shutil.copy(theirs, home / "files" / "desk-77b0")
    with pytest.raises(
        BackupAmbiguous, match="by desk-77b0, laptop-1f3a, and none by this machine"
    ):
        restore(DAY_ONE, stores=("files",))


def test_a_moment_without_a_zone_is_of_this_machine(monkeypatch: pytest.MonkeyPatch):
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert moment_of_user("2026-11-18T09:00") == datetime(2026, 11, 18, 14, tzinfo=UTC)
        assert moment_of_user("2026-11-18T09:00Z") == datetime(2026, 11, 18, 9, tzinfo=UTC)
        assert moment_of_user("2026-11-18 09:00+02:00") == datetime(2026, 11, 18, 7, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_script_takes_a_moment_or_a_backup_and_not_both(three_days, home: Path, tmp_path: Path):
    target = tmp_path / "then.db"
    run(home, "restore", "--at", "2026-11-21T09:00Z", "--db", "crm", "--to", target)
    assert rows(target, "SELECT text FROM notes") == [("day 1",)]
    for words in (
        [],
        ["latest", "--at", "2026-11-21T09:00Z"],
        ["latest", "--from", "files"],
        ["--at", "2026-11-21"],
        ["--at", "yesterday"],
    ):
        run(home, "restore", *words, "--to", tmp_path / "x.db", exit_code=2)
    assert not (tmp_path / "x.db").exists()
