"""What may be asked for over HTTP that takes long: each a record, and what carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from msgspec.structs import replace

from holdfast.cells import VALUED_ROWS
from holdfast.errors import UsageError
from holdfast.operations.context import Context
from holdfast.operations.diff_backups import LISTED_ROWS as LISTED_KEYS
from holdfast.operations.diff_backups import LIVE, DiffOptions, diff_backups
from holdfast.operations.export_all import export_all
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.keeping import usual_format
from holdfast.operations.prune_backups import PruneOptions, prune_backups
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.sync_stores import SyncOptions, sync_stores
from holdfast.operations.undo_change import UndoOptions, undo_change
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.outcomes import ImportReport
from holdfast.reports import Report
from holdfast.web.fields import about, flag, names, wish
from holdfast.web.groups import groups_to_export, groups_to_import
from holdfast.web.names import (
    backup_meant,
    database_meant,
    file_in_data,
    label_of,
)
from holdfast.works import ConflictMode

Format = Literal["json", "jsonl", "zip", "folder", "sqlite"]
Compression = Literal["none", "zstd", "gzip"]
Mode = Literal["overwrite", "merge", "newer", "clear", "remap", "fail"]
LISTED_ROWS = 500  # of one table, and of what becomes of them
_STRICT = {"extra": "forbid"}  # for pydantic: a field that nothing reads is a mistake


_DATABASE = "its name in /backup/databases; left out: the usual one"
_BACKUP = "its name in /backup/list, STORE:NAME for one in a store, a day, or latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """A backup to be made."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "export"

    database: str | None = about(
        "its name in /backup/databases; left out: all of backup.yaml, where nothing else is of one"
    )
    name: str | None = about("stands before the date in the file's name; letters, digits, - and _")
    groups: list[str] = names("the tables of these groups alone; default: what is usual")
    tables: list[str] = names("these tables alone")
    scope: list[str] = names("such as project=Planning: that thing and what belongs to it")
    include_memory: bool | None = wish("the group memory as well, or without it")
    include_config: bool | None = wish("the group config as well, or without it")
    include_tools: bool | None = wish("the group tools as well, or without it")
    include_scheduled_tasks: bool | None = wish("the group schedules as well, or without it")
    zip: bool = flag("the same as the format zip")
    format: Format | None = about("how it is written; left out: as for export")
    compression: Compression = about("not for zip", "none")
    encrypt: bool = flag("for the recipients in backup.yaml, or with the passphrase")
    redact: bool = flag("a marker in the place of each secret that the profile names")
    reproducible: bool = flag("an unchanged database gives the same bytes")
    to: list[str] = names("stores of backup.yaml that get it as well; all: each of them")

    def carry_out(self, context: Context) -> Report:
        """Make the backup; as `export_backup`."""
        if self.zip and self.format not in (None, "zip"):
            raise UsageError(f"zip does not go with the format {self.format}", hint="Leave one out")
        named, sample = database_meant(context, self.database)
        form = self.format or ("zip" if self.zip else usual_format(context, self.to))
        options = ExportOptions(
            database=named,
            sample=sample,
            label=label_of(self.name),
            groups=groups_to_export(
                context,
                self.database,
                self.groups,
                {
                    "memory": self.include_memory,
                    "config": self.include_config,
                    "tools": self.include_tools,
                    "scheduled_tasks": self.include_scheduled_tasks,
                },
            ),
            tables=tuple(self.tables),
            scope=tuple(self.scope),
            redact=self.redact,
            stores=tuple(self.to),
            format=form,
            compression=self.compression,
            encrypt=self.encrypt,
            reproducible=self.reproducible,
        )
        if self._means_all(context):
            return export_all(context, options)
        return export_backup(context, options)

    def _means_all(self, context: Context) -> bool:
        """Tell whether nothing that was said is of one database alone, where there are several."""
        is_of_one = self.database or self.name or self.groups or self.tables or self.scope
        return len(context.settings.databases) > 1 and not is_of_one


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """Rows of a backup to be brought into a database; without a confirmation, a plan."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "import"

    backup: str = about(_BACKUP, "latest")
    database: str | None = about(
        "its name in /backup/databases; left out: the one that the backup was made of"
    )
    mode: Mode = about("what becomes of rows whose key is taken", "overwrite")
    tables: list[str] = names("these tables alone")
    groups: list[str] = names("the tables of these groups alone")
    without: list[str] = names("not the tables of these groups")
    keys: list[str] = names("these rows alone, such as contacts:12,15, and what they need")
    children: bool = flag("with keys: and what refers to these rows")
    create_missing: bool = flag("make tables that are missing")
    add_columns: bool = flag("add columns that are missing")
    drop_unknown: bool = flag("leave out columns that are missing")
    rows: bool = flag(f"the plan names rows: of each table {LISTED_ROWS} of a kind at most")
    values: bool = flag(f"and what they hold now and then, but for secrets; {VALUED_ROWS} a table")
    dry_run: bool = flag("only show the plan")
    confirm: str | None = about("the plan_id of the plan that may be carried out")

    def carry_out(self, context: Context) -> Report:
        """Plan the import, and carry it out where it is confirmed; as `import_backup`."""
        return self.carry_out_from(context, backup_meant(context, self.backup))

    def carry_out_from(self, context: Context, backup: str) -> Report:
        """Do the same with a file, such as one that was sent."""
        named, sample = database_meant(context, self.database)
        options = ImportOptions(
            backup=backup,
            database=named,
            sample=sample,
            mode=ConflictMode(self.mode),
            tables=tuple(self.tables),
            groups=groups_to_import(context, self.database, self.groups, self.without),
            keys=tuple(self.keys),
            children=self.children,
            create_missing=self.create_missing,
            add_columns=self.add_columns,
            drop_unknown=self.drop_unknown,
            rows=self.rows,
            values=self.values,
            dry_run=self.dry_run,
            confirm=self.confirm,
        )
        report = import_backup(context, options)
        return _with_fewer_rows(report)


def _with_fewer_rows(report: ImportReport) -> ImportReport:
    """Name no more rows than a page can show; the counts of the tables are those of all."""
    rows = report.plan.rows or ()
    named: dict[tuple[str, str], int] = {}
    kept = []
    for row in rows:
        key = (row.table, row.action)
        named[key] = named.get(key, 0) + 1
        if named[key] <= LISTED_ROWS:
            kept.append(row)
    if len(kept) == len(rows):
        return report
    warning = f"of each table, only the first {LISTED_ROWS} rows of a kind are named."
    return replace(
        report,
        plan=replace(report.plan, rows=tuple(kept)),
        warnings=(*report.warnings, warning),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOrder:
    """A backup to be proven."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "verify"

    backup: str = about(f"{_BACKUP}; all: all of them", "latest")
    quick: bool = flag("stop before the restore in a scratch folder")
    against: str | None = about("say which tables this database has otherwise by now")

    def carry_out(self, context: Context) -> Report:
        """Prove it; as `verify_backups`."""
        named, sample = database_meant(context, self.against)
        options = VerifyOptions(
            backups=("all" if self.backup == "all" else backup_meant(context, self.backup),),
            quick=self.quick,
            against=self.against is not None,
            database=str(context.home.sample) if sample else named,
        )
        return verify_backups(context, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOrder:
    """Two sides to be compared."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "diff"

    left: str = about(f"a backup, {_BACKUP}; or live: the database", "latest")
    right: str = about("the same", LIVE)
    database: str | None = about(_DATABASE)
    tables: list[str] = names("these tables alone")
    rows: bool = flag(f"the keys of rows that differ, and the columns; {LISTED_KEYS} a table")
    values: bool = flag(f"with the values of either side, but for secrets; {VALUED_ROWS} a table")

    def carry_out(self, context: Context) -> Report:
        """Compare them; as `diff_backups`."""
        named, sample = database_meant(context, self.database)
        first, second = (
            side if side == LIVE else backup_meant(context, side)
            for side in (self.left, self.right)
        )
        options = DiffOptions(
            first=first,
            second=second,
            rows=self.rows,
            values=self.values,
            tables=tuple(self.tables),
            database=named,
            sample=sample,
        )
        return diff_backups(context, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOrder:
    """A change to be undone; without a confirmation, a plan."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "undo"

    point: str = about("the id of a restore point, or latest", "latest")
    database: str | None = about(_DATABASE)
    list_only: bool = flag("only list the restore points")
    dry_run: bool = flag("only show the plan")
    confirm: str | None = about("the plan_id of the plan that may be carried out")

    def carry_out(self, context: Context) -> Report:
        """Plan it, and carry it out where it is confirmed; as `undo_change`."""
        named, sample = database_meant(context, self.database)
        options = UndoOptions(
            point=self.point,
            list_only=self.list_only,
            database=named,
            sample=sample,
            dry_run=self.dry_run,
            confirm=self.confirm,
        )
        return undo_change(context, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneOrder:
    """Backups that no rule keeps, to be removed; without a confirmation, a plan."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "prune"

    database: str | None = about("backups of this one alone")
    here: bool = flag("in the output folder")
    stores: list[str] = names("and in these stores; neither: everywhere")
    dry_run: bool = flag("only show the plan")
    confirm: str | None = about("the plan_id of the plan that may be carried out")

    def carry_out(self, context: Context) -> Report:
        """Plan it, and carry it out where it is confirmed; as `prune_backups`."""
        named, sample = database_meant(context, self.database)
        options = PruneOptions(
            database=named,
            sample=sample,
            here=self.here,
            stores=tuple(self.stores),
            dry_run=self.dry_run,
            confirm=self.confirm,
        )
        return prune_backups(context, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """A database to be built from a backup, in the data folder."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "restore"

    backup: str = about(_BACKUP, "latest")
    output: str = about("the file's name in the data folder, where none is yet", "restored.db")

    def carry_out(self, context: Context) -> Report:
        """Build it; as `restore_backup`."""
        options = RestoreOptions(
            backup=backup_meant(context, self.backup),
            target=file_in_data(context, self.output),
        )
        return restore_backup(context, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """Stores that are to get the backups which they do not have."""

    __pydantic_config__: ClassVar = _STRICT
    verb: ClassVar[str] = "sync"

    stores: list[str] = names("of backup.yaml; none: all")

    def carry_out(self, context: Context) -> Report:
        """Put them there; as `sync_stores`."""
        return sync_stores(context, SyncOptions(stores=tuple(self.stores)))


Order = (
    ExportOrder
    | ImportOrder
    | VerifyOrder
    | DiffOrder
    | UndoOrder
    | PruneOrder
    | RestoreOrder
    | SyncOrder
)
ORDERS: dict[str, type[Order]] = {
    each.verb: each
    for each in (
        *(ExportOrder, ImportOrder, VerifyOrder, DiffOrder),
        *(UndoOrder, PruneOrder, RestoreOrder, SyncOrder),
    )
}
