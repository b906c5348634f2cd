"""Which of a backup and its database has moved on, for backups that are kept in git."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast import reports
from holdfast.errors import UsageError
from holdfast.operations.diff_backups import DiffOptions, diff_backups
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from tests.conftest import MakeContext, run_sql
from tests.running import files_in, run

SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a');"
MORE = "INSERT INTO t VALUES (2, 'b')"


class Machine:
    """A home, a database, and the backup of it that git has."""

    def __init__(self, make_context: MakeContext, folder: Path) -> None:
        self.make_context = make_context
        self.context = make_context()
        self.folder = folder
        self.database = folder / "tool.db"
        self.backup = folder / "tool.json"
        run_sql(self.database, SCHEMA)
        self.export()

    def export(self) -> None:
        self.backup.unlink(missing_ok=True)
        options = ExportOptions(database=str(self.database), output=self.backup)
        export_backup(self.context, options)

    def pulled(self, sql: str) -> None:
        """Put a backup from another machine in the place of the one that is there."""
        (self.folder / "other").mkdir()
        self.backup.unlink()
        elsewhere = self.make_context(home=self.folder / "other" / "home")
        run_sql(self.folder / "other" / "tool.db", SCHEMA + sql)
        source = str(self.folder / "other" / "tool.db")
        export_backup(elsewhere, ExportOptions(database=source, output=self.backup))

    def imported(self, **options: Any) -> None:
        import_backup(
            self.context,
            ImportOptions(
                backup=str(self.backup), database=str(self.database), yes=True, **options
            ),
        )

    def verdict(self, exit_code: int = 0, database: Path | None = None) -> str:
        before = files_in(self.folder / "home")
        options = DiffOptions(
            first=str(self.backup), second=str(database or self.database), sync=True
        )
        report = diff_backups(self.context, options)
        assert reports.exit_code(report) == exit_code
        assert f"Sync: {report.sync}, " in reports.text(report)
        assert files_in(self.folder / "home") == before
        return str(report.sync)


@pytest.fixture
def machine(context: MakeContext, tmp_path: Path) -> Machine:
    return Machine(context, tmp_path)


def test_a_backup_that_was_just_made_calls_for_nothing(machine: Machine) -> None:
    assert machine.verdict() == "none"


def test_a_change_of_the_database_alone_calls_for_an_export(machine: Machine) -> None:
    run_sql(machine.database, MORE)
    assert machine.verdict() == "exported"
    machine.export()
    assert machine.verdict() == "none"


def test_a_change_of_the_backup_alone_calls_for_an_import(machine: Machine) -> None:
    machine.pulled(MORE)
    assert machine.verdict() == "imported"
    machine.imported()
    assert machine.verdict() == "none"
    run_sql(machine.database, "INSERT INTO t VALUES (3, 'c')")
    assert machine.verdict() == "exported"


def test_a_change_of_both_is_for_a_person_to_decide(machine: Machine) -> None:
    machine.pulled(MORE)
    run_sql(machine.database, "INSERT INTO t VALUES (3, 'c')")
    assert machine.verdict(exit_code=3) == "diverged"


def test_the_same_change_of_both_calls_for_nothing(machine: Machine) -> None:
    machine.pulled(MORE)
    run_sql(machine.database, MORE)
    assert machine.verdict() == "none"


def test_rows_that_an_import_left_in_the_database_call_for_an_export(machine: Machine) -> None:
    run_sql(machine.database, "INSERT INTO t VALUES (3, 'c')")
    machine.pulled(MORE)
    machine.imported()
    assert machine.verdict() == "exported"


def test_an_import_of_one_table_does_not_make_the_rest_known(machine: Machine) -> None:
    machine.pulled(f"{MORE}; CREATE TABLE u (x); INSERT INTO u VALUES (1)")
    run_sql(machine.database, "CREATE TABLE u (x)")
    machine.imported(tables=("t",))
    assert machine.verdict(exit_code=3) == "diverged"


def test_what_is_not_known_to_have_been_the_same_has_diverged(machine: Machine) -> None:
    run_sql(machine.database, MORE)
    machine.context = machine.make_context(home=machine.folder / "new-home")
    assert machine.verdict(exit_code=3) == "diverged"


def test_a_restored_database_is_the_same_as_its_backup(machine: Machine) -> None:
    restored = machine.folder / "restored.db"
    restore_backup(machine.context, RestoreOptions(backup=str(machine.backup), target=restored))
    assert machine.verdict(database=restored) == "none"
    run_sql(restored, MORE)
    assert machine.verdict(database=restored) == "exported"


def test_two_backups_have_no_such_verdict(machine: Machine) -> None:
    run(machine.folder / "home", "diff", machine.backup, machine.backup, "--sync", exit_code=2)
    with pytest.raises(UsageError, match="a backup and a database"):
        machine.verdict(database=machine.backup)
