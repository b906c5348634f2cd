"""Puts together what a backup takes, and how it says so."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from holdfast.database import Connection
from holdfast.errors import ProfileError
from holdfast.excerpts.rows import ChosenRows, choose_rows, source
from holdfast.excerpts.tables import NOT_ASKED, ChosenTables, choose_tables
from holdfast.model import Choice, LeftOut, Schema, SkippedTable, Table, folded
from holdfast.profiles import Profile, with_references
from holdfast.selection import Graph

SCRATCH = "scratch"  # what the database is called that picked rows are noted in


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked for of a database."""

    groups: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()  # such as project=Planning
    may_be_gone: bool = False  # what is named and is not there is nothing, and no error

    @property
    def is_all(self) -> bool:
        """Nothing was named."""
        return not (self.groups or self.tables or self.scope)


class Taken(Struct, frozen=True):
    """What a backup takes."""

    schema: Schema  # its tables as they are to be read
    skipped: tuple[SkippedTable, ...] = ()
    is_partial: bool = False
    groups: tuple[str, ...] = ()
    choice: Choice | None = None  # None: everything, whatever the database will hold
    left_out: LeftOut | None = None
    warnings: tuple[str, ...] = ()


def take(connection: Connection, schema: Schema, profile: Profile | None, wanted: Wanted) -> Taken:
    """
    Say what a backup takes of a database.

    Args: connection: has a database called SCRATCH attached.
    Raises: UsageError for what is not there; ProfileError for a rule that cannot be kept.
    """
    referring = with_references(schema, profile)
    there = [name for name in wanted.tables if not wanted.may_be_gone or schema.table(name)]
    tables = choose_tables(schema, profile, wanted.groups, there)
    rows = choose_rows(
        Graph(connection, map(source, referring.tables), SCRATCH),
        profile,
        wanted.scope,
        tables.takes,
        may_be_gone=wanted.may_be_gone,
    )
    columns = dict(_columns_left_out(schema, profile))
    read, skipped = [], []
    for table in schema.tables:
        reason = _reason(table, tables, rows)
        if reason:
            skipped.append(SkippedTable(table.name, reason))
        else:
            read.append(_read(table, rows, columns.get(table.name, ())))
    left_out = replace(
        rows.left_out,
        columns={table.name: columns[table.name] for table in read if table.name in columns},
    )
    ruled = profile is not None and _has_rules(profile)
    choice = Choice(
        profile=profile.name if profile and ruled else "",
        groups=wanted.groups,
        tables=wanted.tables,
        scope=wanted.scope,
    )
    return Taken(
        schema=replace(schema, tables=tuple(read)),
        skipped=tuple(skipped),
        is_partial=rows.is_scoped or NOT_ASKED in tables.on_request.values(),
        groups=tables.groups.names,
        choice=choice if ruled or not wanted.is_all else None,
        left_out=left_out if left_out != LeftOut() else None,
        warnings=tables.groups.warnings,
    )


def _has_rules(profile: Profile) -> bool:
    """Tell whether a profile leaves anything out that was not asked to be."""
    return bool(
        profile.exclude_rows
        or profile.exclude_columns
        or profile.skip_on_export
        or not all(group.default for group in profile.groups.values())
    )


def _reason(table: Table, tables: ChosenTables, rows: ChosenRows) -> str:
    """Say why a table is left out; "" when it is not."""
    if rows.is_scoped:
        # What a scope needs comes along, even of tables that were not asked for.
        reason = tables.on_request.get(table.name, "nothing of it is in the scope")
        in_scope = folded(table.name) in rows.excerpts
        return tables.by_rule.get(table.name, "" if in_scope else reason)
    return tables.by_rule.get(table.name) or tables.on_request.get(table.name, "")


def _read(table: Table, rows: ChosenRows, without: tuple[str, ...]) -> Table:
    return replace(
        table,
        columns=tuple(column for column in table.columns if column.name not in without),
        excerpt=rows.excerpts.get(folded(table.name), table.excerpt),
    )


def _columns_left_out(
    schema: Schema, profile: Profile | None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, excluded in profile.exclude_columns.items() if profile else ():
        table = schema.table(name)
        if table is None or profile is None:
            continue
        wanted = set(map(folded, excluded))
        found = [column for column in table.columns if folded(column.name) in wanted]
        for column in found:
            needed = column.not_null and not column.has_default
            if needed or column.name in table.primary_key:
                raise ProfileError(
                    f"{profile.name}.yaml: exclude_columns.{name}: no row comes back without"
                    f" {column.name}",
                    hint="Leave out columns that may be empty; keep keys.",
                )
        if found:
            yield table.name, tuple(column.name for column in found)
