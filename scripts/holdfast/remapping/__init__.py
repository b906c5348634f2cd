"""
Gives staged rows the keys that they will have in a database that never knew them.

Keys that are mere numbers mean another row on every machine: rows are matched by what names them
everywhere, and those without a match get numbers of their own. References follow.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from holdfast.database import Connection, quote_identifier
from holdfast.model import ForeignKey, Schema, SkippedTable, Table, folded
from holdfast.remapping.copies import Copy, link, make_copy
from holdfast.remapping.lost import leave_out_lost
from holdfast.remapping.names import NEVER, natural_key, own_number, refers_by
from holdfast.remapping.numbers import last_number
from holdfast.remapping.rounds import groups_of, settle
from holdfast.schema import affinity_of, references
from holdfast.staged import StagedTable
from holdfast.staging import Staging


class _Target(Struct, frozen=True):
    """What the rows come into."""

    schema: Schema  # with the tables that are to be made
    natural_keys: Mapping[str, Sequence[str]]
    references: Sequence[tuple[str, ForeignKey]]
    stored: Sequence[tuple[str, ForeignKey]]  # those of tables that are there already

    def references_of(self, table: Table) -> list[ForeignKey]:
        return [key for name, key in self.references if folded(name) == folded(table.name)]

    def keys_of(self, table: StagedTable) -> list[ForeignKey]:
        """List the references of staged rows, but those that nothing tells whether they apply."""
        there = set(map(folded, table.columns))
        return [
            key
            for key in self.references_of(table.target)
            if not key.where or set(map(folded, key.read_columns)) <= there
        ]

    def is_by_number(self, key: ForeignKey) -> bool:
        """Tell whether rows refer by a number that means a row in its own database alone."""
        parent = self.schema.table(key.parent)
        number = self.number_of(parent) if parent else ""
        if parent is None or folded(number) not in map(folded, key.parent_columns):
            return False
        # A text key means the same row everywhere, whether or not it comes along.
        return _affinity(parent, number) != "TEXT"

    def natural_key(self, table: Table) -> tuple[str, ...]:
        return natural_key(table, self.natural_keys)

    def number_of(self, table: Table) -> str:
        return own_number(table, self.references_of(table), self.natural_key(table))


def _affinity(table: Table, name: str) -> str:
    declared = next(each.declared_type for each in table.columns if each.name == name)
    return affinity_of(declared, is_strict=table.is_strict)


def remap(
    connection: Connection,
    staging: Staging,
    schema: Schema,
    natural_keys: Mapping[str, Sequence[str]],
) -> Staging:
    """
    Match the staged rows to those of the database, number the others anew, rewrite references.

    What is staged stays as it is; the result stands for copies of it, in temporary tables.

    Args: natural_keys: the columns that a profile names rows by, by table.
    Raises: ImportConflict for rows that cannot be told; ImportRefused for references to rows that
        the backup does not bring, and when numbers run out.
    """
    made = [table.target for table in staging.tables if table.is_new]
    known = replace(schema, tables=(*schema.tables, *made))
    target = _Target(known, natural_keys, references(known.tables), references(schema.tables))
    wanted = [table for table in staging.tables if not _is_mere_index(table, target)]
    copies = _copy(connection, wanted, target)
    by_number = {
        name: list(filter(target.is_by_number, target.keys_of(copy.table)))
        for name, copy in copies.items()
    }
    left_out = list(leave_out_lost(connection, copies, by_number))
    for group in groups_of(copies):
        settle(connection, copies, group)
    kept = {folded(name) for name, copy in copies.items() if copy.last_number is None}
    trailer = staging.contents.trailer
    marks = {name: mark for name, mark in trailer.sequences.items() if folded(name) in kept}
    contents = replace(staging.contents, trailer=replace(trailer, sequences=marks))
    return replace(
        staging,
        contents=contents,
        tables=[copy.table for copy in copies.values()],
        skipped=[*staging.skipped, *_left_out(staging, wanted)],
        warnings=[*staging.warnings, *left_out, *_undeclared(connection, copies, target)],
        basis={
            "natural_keys": {name: list(columns) for name, columns in natural_keys.items()},
            "last_numbers": {name: copy.last_number for name, copy in copies.items()},
        },
    )


def _is_mere_index(table: StagedTable, target: _Target) -> bool:
    """Tell whether rows are known by the number of a row of another table, which nobody names."""
    covered = {folded(name) for key in target.references_of(table.target) for name in key.columns}
    key = {folded(name) for name in table.target.primary_key}
    return table.target.is_virtual and not (key and key <= covered)


def _left_out(staging: Staging, wanted: Sequence[StagedTable]) -> Iterator[SkippedTable]:
    for table in staging.tables:
        if table not in wanted:
            yield SkippedTable(
                table.target.name,
                "its row numbers stand for rows of another table, which get new ones",
            )


def _copy(
    connection: Connection, wanted: Sequence[StagedTable], target: _Target
) -> dict[str, Copy]:
    copies = {}
    for position, table in enumerate(wanted):
        keys = target.keys_of(table)
        copy = make_copy(connection, table, position, keys, target.natural_key(table.target))
        if copy.number and not table.is_new:
            mark = target.schema.sequences.get(table.target.name)
            copy.last_number = last_number(
                connection, table.target, copy.number, mark, target.stored
            )
        copies[folded(table.target.name)] = copy
    for copy in copies.values():
        link(connection, copies, copy, target.keys_of(copy.table))
    return copies


def _undeclared(
    connection: Connection, copies: Mapping[str, Copy], target: _Target
) -> Iterator[str]:
    """Name columns that seem to hold numbers of rows, which nothing declares, and so stay."""
    if not _note_renumbered(connection, copies):
        return
    found: dict[str, list[str]] = defaultdict(list)
    for copy in copies.values():
        table = copy.table
        for column in filter(_REFERRING.search, table.columns):
            refers = refers_by(column, target.keys_of(table))
            is_key = folded(column) in map(folded, table.target.primary_key)
            if is_key and refers == NEVER:
                continue
            name = f"s.{quote_identifier(column)}"
            # 0 mostly stands for none, and text may be a number of other things: they count when
            # a row had just that one.
            if connection.execute(
                f"SELECT 1 FROM {table.quoted} AS s WHERE NOT {refers}"
                f" AND (typeof({name}) = 'integer' AND {name} <> 0"
                f" OR typeof({name}) IN ('integer', 'text')"
                f" AND CAST({name} AS TEXT) IN {_RENUMBERED}) LIMIT 1"
            ).fetchone():
                found[table.target.name].append(column)
    for name, columns in found.items():
        yield (
            f"{name}.{', '.join(columns)}: numbers that may refer to rows, which nothing declares,"
            " so they stay as they are, and may mean other rows here."
        )


_REFERRING = re.compile(r"(?i:_ids?)$|[a-z]Ids?$")
_RENUMBERED = 'temp."$renumbered"'


def _note_renumbered(connection: Connection, copies: Mapping[str, Copy]) -> bool:
    """Note the numbers, as text, that rows had in the backup and no longer have; tell of any."""
    connection.execute(f"CREATE TABLE {_RENUMBERED} (number TEXT PRIMARY KEY) WITHOUT ROWID")
    for copy in copies.values():
        if copy.number:
            number, row = quote_identifier(copy.number), copy.row
            connection.execute(
                f"INSERT OR IGNORE INTO {_RENUMBERED} SELECT o.{number} FROM {copy.table.quoted}"
                f" AS s JOIN {copy.table.original} AS o ON o.{row} = s.{row}"
                f" WHERE s.{number} IS NOT o.{number} AND o.{number} IS NOT NULL"
            )
    return connection.execute(f"SELECT 1 FROM {_RENUMBERED} LIMIT 1").fetchone() is not None
