"""Databases of the systems, backed up and brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.outcomes import ExportReport, ImportReport, RestoreReport, TablePlan
from tests.conftest import MakeContext, everything, rows


class Desk:
    """Runs operations on the databases of one test, in a home of its own."""

    def __init__(self, make_context: MakeContext, folder: Path) -> None:
        self._context = make_context
        self.folder = folder

    def exported(self, database: Path, **options: Any) -> ExportReport:
        return export_backup(self._context(), ExportOptions(database=str(database), **options))

    def imported(
        self, backup: Path, database: Path, *, yes: bool = True, **options: Any
    ) -> ImportReport:
        wanted = ImportOptions(backup=str(backup), database=str(database), yes=yes, **options)
        return import_backup(self._context(), wanted)

    def planned(self, backup: Path, database: Path, **options: Any) -> dict[str, TablePlan]:
        report = self.imported(backup, database, yes=False, dry_run=True, **options)
        return {table.name: table for table in report.plan.tables}

    def restored(self, backup: Path, database: Path, **options: Any) -> RestoreReport:
        wanted = RestoreOptions(backup=str(backup), target=database, **options)
        return restore_backup(self._context(), wanted)


def content(path: Path) -> dict[str, object]:
    """Return the rows of all tables with their rowids, and the AUTOINCREMENT marks by table."""
    found = everything(path)
    del found["schema"]
    if "sqlite_sequence" in found:
        found["sqlite_sequence"] = rows(path, "SELECT name, seq FROM sqlite_sequence ORDER BY 1")
    return found


@pytest.fixture
def desk(context: MakeContext, tmp_path: Path) -> Desk:
    return Desk(context, tmp_path)
