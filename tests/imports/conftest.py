"""A database that is backed up, changed, and imported into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import HoldfastError
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.outcomes import ImportReport, TablePlan
from holdfast.works import ConflictMode
from tests.conftest import MakeContext, MakeDatabase, everything, rows, run_sql

# Those that tell rows by their keys; remap, which does not, has tests of its own.
MODES = [mode for mode in ConflictMode if mode is not ConflictMode.REMAP]
REMAP = ConflictMode.REMAP
WRITING_MODES = [mode for mode in MODES if mode is not ConflictMode.FAIL]


class Tool:
    """A tool's database, and the backup of it."""

    def __init__(self, make_database: MakeDatabase, context: Context) -> None:
        self._make_database = make_database
        self._context = context
        self.path = Path()
        self.backup = Path()

    def backed_up(self, sql: str, change: str = "") -> Tool:
        """Make the database, back it up, and change it."""
        self.path = self._make_database(sql)
        report = export_backup(self._context, ExportOptions(database=str(self.path)))
        assert report.path is not None
        self.backup = report.path
        run_sql(self.path, change)
        return self

    def imported(
        self, mode: ConflictMode = ConflictMode.OVERWRITE, *, yes: bool = True, **options: Any
    ) -> ImportReport:
        """Import the backup, without asking unless `yes` is False."""
        wanted = ImportOptions(
            backup=str(self.backup), database=str(self.path), mode=mode, yes=yes, **options
        )
        return import_backup(self._context, wanted)

    def planned(
        self, mode: ConflictMode = ConflictMode.OVERWRITE, **options: Any
    ) -> dict[str, TablePlan]:
        """Rehearse an import, and return what it would do by table."""
        report = self.imported(mode, yes=False, dry_run=True, **options)
        return {table.name: table for table in report.plan.tables}

    def refused(
        self,
        error: type[HoldfastError],
        match: str,
        mode: ConflictMode = ConflictMode.OVERWRITE,
        **options: Any,
    ) -> HoldfastError:
        """Import, which must end in just this error, and must leave all as it is."""
        before = everything(self.path)
        with pytest.raises(error, match=match) as caught:
            self.imported(mode, **options)
        assert type(caught.value) is error
        assert everything(self.path) == before
        return caught.value

    def rows(self, query: str = "SELECT * FROM t ORDER BY 1, 2") -> list[tuple[object, ...]]:
        return rows(self.path, query)

    def everything(self) -> dict[str, object]:
        return everything(self.path)


@pytest.fixture
def tool(make_database: MakeDatabase, context: MakeContext) -> Tool:
    return Tool(make_database, context())


class Machines:
    """A tool's database here, and a backup of the same tool's database on another machine."""

    def __init__(self, make_database: MakeDatabase, context: MakeContext, tmp_path: Path) -> None:
        self._make_database = make_database
        self._context = context
        self._home = tmp_path / "home"

    def meet(self, schema: str, there: str, here: str, profile: str = "") -> Tool:
        """Make both, and back up the one that is `there`."""
        if profile:
            folder = self._home / "profiles"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "tool.yaml").write_text(profile, encoding="utf-8")
        context = self._context(home=self._home)
        other = self._make_database(schema + there, "there.db")
        tool = Tool(self._make_database, context)
        tool.path = self._make_database(schema + here, "here.db")
        report = export_backup(context, ExportOptions(database=str(other)))
        assert report.path is not None
        tool.backup = report.path
        self.context = context
        return tool


@pytest.fixture
def machines(make_database: MakeDatabase, context: MakeContext, tmp_path: Path) -> Machines:
    return Machines(make_database, context, tmp_path)


def again(tool: Tool) -> None:
    """The same backup once more: it must change nothing."""
    before = tool.everything()
    assert tool.rows("PRAGMA foreign_key_check") == []
    assert tool.imported(REMAP).outcome == "nothing to do"
    assert tool.everything() == before


def written(report: ImportReport) -> dict[str, tuple[int, int, int]]:
    """Count the rows that were inserted, overwritten and removed, by table."""
    return {
        table.name: (table.inserted, table.overwritten, table.removed)
        for table in report.plan.tables
        if table.inserted or table.overwritten or table.removed
    }
