"""What an import works on: the backup staged, the database open, the rows that differ found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import database
from holdfast.database import DEFAULT_WAIT_SECONDS, Connection
from holdfast.errors import ImportRefused, UsageError
from holdfast.excerpts import excluded_rows, source
from holdfast.formats import open_backup
from holdfast.formats.interface import BackupReader
from holdfast.model import ChosenDatabase, Rows, Schema, folded
from holdfast.operations.context import Context, profile_of
from holdfast.operations.import_keys import select_keys
from holdfast.operations.import_source import complain_of_tool, read_beads
from holdfast.profiles import Profile, choose_groups, with_references
from holdfast.rebuild import describe
from holdfast.remapping import remap
from holdfast.schema import dependency_order, has_feeding_trigger, read_facts, read_schema
from holdfast.selection import Graph
from holdfast.sifting import Sifter
from holdfast.staged import SCHEMA_NAME, StagedTable
from holdfast.staging import Staging, StagingTarget, stage_backup
from holdfast.works import ConflictMode, Work, find_work


class ImportOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of an import."""

    backup: str  # a path, a day, or latest; of Beads a file, or "" to ask bd or look for one
    source: str = ""  # beads: its issues come into a project of kata; "": a backup
    project: str = ""  # that they come into; "": the only one
    database: str | None = None
    sample: bool = False
    mode: ConflictMode = ConflictMode.OVERWRITE
    tables: tuple[str, ...] = ()  # these and those of `groups` alone; both empty: all
    groups: tuple[str, ...] = ()  # of the profile
    keys: tuple[str, ...] = ()  # these rows alone, such as contacts:12,15, and what they need
    children: bool = False  # and what depends on them
    create_missing: bool = False
    add_columns: bool = False
    drop_unknown: bool = False
    rows: bool = False  # the plan names every row
    values: bool = False  # and what the first of each table hold and would hold
    dry_run: bool = False
    yes: bool = False
    confirm: str | None = None  # the id of the plan that the person has agreed to
    wait_seconds: float = DEFAULT_WAIT_SECONDS

    @property
    def names_some(self) -> bool:
        """Tell whether something of the backup is not asked for."""
        return bool(self.tables or self.groups or self.keys)

    @property
    def is_agreed(self) -> bool:
        return not self.dry_run and (self.yes or self.confirm is not None)


class ImportTarget(Struct, frozen=True):
    """The database that rows come into."""

    chosen: ChosenDatabase
    schema: Schema
    profile: Profile | None
    encoding: str
    wanted: frozenset[str]  # the tables that were asked for, folded; empty: all
    warnings: tuple[str, ...] = ()


class ImportJob(Struct, frozen=True):
    """One import under way: the database is open, and sees one moment."""

    context: Context
    options: ImportOptions
    backup: Path
    target: ImportTarget
    staging: Staging
    connection: Connection
    works: tuple[Work, ...]


def describe_target(
    context: Context, options: ImportOptions, chosen: ChosenDatabase
) -> ImportTarget:
    """Read what an import needs to know of the database that rows come into."""
    with database.read_only(chosen.path, options.wait_seconds) as connection:
        database.complain_of_damage(connection, chosen.path)
        schema = read_schema(connection)
        encoding = read_facts(connection, chosen.path.name).encoding
    profile = profile_of(context, chosen.path, [table.name for table in schema.tables])
    schema = with_references(schema, profile)
    groups = choose_groups(profile, options.groups)
    wanted = frozenset(map(folded, (*options.tables, *groups.tables)))
    return ImportTarget(chosen, schema, profile, encoding, wanted, groups.warnings)


def open_source(
    context: Context, options: ImportOptions, path: Path, target: ImportTarget
) -> BackupReader:
    """Open what rows are to come from; ImportRefused when the database is of another tool."""
    if options.source:
        reader = read_beads(
            context, path, target.chosen, target.schema, options.project, options.wait_seconds
        )
    else:
        reader = open_backup(path, context.keys)
    reader.watch = context.watch("reading", context.rows_of(path))
    if not options.tables:  # who names a table means it
        complain_of_tool(reader, target.chosen, target.profile)
    return reader


def stage(
    options: ImportOptions,
    reader: BackupReader,
    target: ImportTarget,
    folder: Path,
    sifter: Sifter | None = None,
) -> Staging:
    """Prove the backup, and lay its rows out in a scratch folder: all, or those that differ."""
    described = describe(reader, folder / "described.db")
    described = with_references(described, target.profile) if described else None
    meta = target.profile.meta if target.profile else None
    wanted = StagingTarget(
        tables={folded(table.name): table for table in target.schema.tables},
        skip=_skipped(options, target, described),
        encoding=target.encoding,
        # The database's own time of the last backup stays: the one in the backup is older.
        left_out=(meta.table, meta.key_column, meta.key) if meta else None,
        described={folded(table.name): table for table in described.tables} if described else {},
        create_missing=options.create_missing,
        add_columns=options.add_columns,
        drop_unknown=options.drop_unknown,
    )
    staging = stage_backup(reader, folder / "staged.db", wanted, sifter)
    choice = staging.contents.header.choice
    if options.mode is ConflictMode.CLEAR and choice and choice.scope:
        raise ImportRefused(
            f"{reader.path.name} holds only {', '.join(choice.scope)}: to clear would remove all"
            " others",
            hint="Use --mode overwrite, which leaves them as they are.",
        )
    if options.keys:
        select_keys(staging, options.keys, with_children=options.children)
    if not staging.tables:
        raise ImportRefused(
            f"{target.chosen.path} has none of the tables of {reader.path.name} that were asked"
            " for",
            hint="Name the database that the backup belongs to with --db PATH.",
        )
    _complain_of_taken_names(target, staging)
    return staging


def _complain_of_taken_names(target: ImportTarget, staging: Staging) -> None:
    """Refuse to make a table whose name, or that of an index of it, means something else here."""
    taken = {folded(entry.name): entry for entry in target.schema.entries}
    made = {folded(table.target.name) for table in staging.tables if table.is_new}
    for entry in staging.contents.header.schema:
        other = taken.get(folded(entry.name)) if folded(entry.table) in made else None
        if other and entry.type in ("table", "index"):
            raise ImportRefused(
                f"the {entry.type} {entry.name} of {entry.table} cannot be made: the database has"
                f" {other.type} {other.name}" + (f" of {other.table}" * (other.type == "index")),
                hint="Leave the table out, or give the other one another name first.",
            )


def _skipped(
    options: ImportOptions, target: ImportTarget, described: Schema | None
) -> dict[str, str]:
    """Say why tables are left out, by name."""
    skip = dict(target.profile.skip_on_import) if target.profile else {}
    tables = (*target.schema.tables, *(described.tables if described else ()))
    for table in target.schema.virtual_tables:
        if table.rows is Rows.OWN and has_feeding_trigger(target.schema, table.name):
            skip[table.name] = "triggers fill it from the rows that are imported"
    named = {folded(name) for name in options.tables}
    unknown = named - {folded(table.name) for table in tables}
    if unknown:
        raise UsageError(
            f"neither side has a table {', '.join(sorted(unknown))}", hint="See diff for the names."
        )
    for name in (table.name for table in tables):
        if name.startswith("sqlite_"):
            skip[name] = "SQLite's own statistics, which ANALYZE makes anew"
        elif target.wanted and folded(name) not in target.wanted:
            skip[name] = "not asked for"
        elif folded(name) in named:
            skip.pop(name, None)  # who names a table means it
    return skip


def opened(
    target: ImportTarget, staging: Staging, options: ImportOptions
) -> AbstractContextManager[Connection]:
    """Open the database with the staged rows beside it: to be changed, once that is agreed to."""
    open_it = database.for_change if options.is_agreed else database.read_only
    return open_it(target.chosen.path, options.wait_seconds, attach={SCHEMA_NAME: staging.path})


def remapped(
    connection: Connection, options: ImportOptions, target: ImportTarget, staging: Staging
) -> Staging:
    """Give the staged rows new keys, where the mode asks for that."""
    if options.mode is not ConflictMode.REMAP:
        return staging
    natural_keys = target.profile.natural_keys if target.profile else {}
    return remap(connection, staging, target.schema, natural_keys)


def find_works(
    connection: Connection, options: ImportOptions, target: ImportTarget, staging: Staging
) -> tuple[Work, ...]:
    """Find the rows that differ, table by table, parents first."""
    staged = {table.target.name: table for table in staging.tables}
    if options.mode is ConflictMode.CLEAR and target.profile:
        staged = dict(_sparing(connection, target.schema, target.profile, staged))
    order = dependency_order(
        [table.target for table in staging.tables], target.profile.order if target.profile else ()
    )
    changed_at = target.profile.changed_at if target.profile else ()
    return tuple(
        find_work(connection, staged[table.name], number, options.mode, changed_at)
        for number, table in enumerate(order)
    )


def _sparing(
    connection: Connection, schema: Schema, profile: Profile, staged: Mapping[str, StagedTable]
) -> Iterator[tuple[str, StagedTable]]:
    """Keep what the profile excludes from every backup: that a backup lacks it says nothing."""
    excluded = excluded_rows(Graph(connection, map(source, schema.tables)), profile)
    for name, table in staged.items():
        spares = excluded.count(name) if not table.is_new else 0
        yield name, replace(table, spared=excluded.holds(name, "m.") if spares else "")
