"""
A backup's rows, laid out in a scratch database beside the one they are meant for.

Each table is staged under its own name, with its columns in the target's affinities, so that a
value is compared as it would be stored.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from holdfast import database
from holdfast.cells import RowReader
from holdfast.database import Connection, quote_identifier
from holdfast.definitions import is_constant
from holdfast.errors import ImportRefused
from holdfast.formats.interface import BackupReader, TableStart, warnings_of
from holdfast.model import Column, Contents, Header, Layout, SkippedTable, Table, Trailer, folded
from holdfast.redaction import secret_name
from holdfast.schema import ROWID_NAMES, affinity_of
from holdfast.sifting import Sieve, Sifter
from holdfast.staged import StagedTable, definition_of, free_name, keep_defaults


class Staging(Struct):
    """A staged backup."""

    path: Path
    contents: Contents
    tables: list[StagedTable] = field(default_factory=list)
    skipped: list[SkippedTable] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    basis: dict[str, object] = field(default_factory=dict)  # of new keys, besides the rows


class StagingTarget(Struct, frozen=True):
    """What rows are staged for."""

    tables: Mapping[str, Table]  # by lower-case name; what is not among them is skipped
    skip: Mapping[str, str]  # reasons by name of the tables that are to be left out
    encoding: str  # of text, which an attached database must share
    # A row that stays out: its table, and its key there.
    left_out: tuple[str, str, str] | None = None
    # Tables of the backup by lower-case name, as its own schema makes them.
    described: Mapping[str, Table] = field(default_factory=dict)
    create_missing: bool = False  # tables that the target lacks
    add_columns: bool = False  # columns that the target lacks are added
    drop_unknown: bool = False  # columns that the target lacks are left out


def stage_backup(
    reader: BackupReader, path: Path, target: StagingTarget, sifter: Sifter | None = None
) -> Staging:
    """
    Read a backup whole, prove it, and stage the rows of its tables at `path`.

    Args: sifter: knows rows that need not be staged, as the target has them just so.
    Raises: BackupDamaged and its kin; ImportRefused for columns that the target lacks.
    """
    with _scratch(path, target.encoding) as connection:
        header: Header | None = None
        trailer: Trailer | None = None
        chooser = _Chooser(target)
        feed: _Feed | None = None
        for part in reader.parts():
            if isinstance(part, Header):
                header = part
                chooser.choose(part)
                for table in chooser.staged.values():
                    name = quote_identifier(table.target.name)
                    connection.execute(f"CREATE TABLE {name} {definition_of(table)}")
                    keep_defaults(connection, table)
                if sifter:
                    sifter.begin(_kept_whole(chooser.staged, target), part.layout)
            elif isinstance(part, TableStart) and header:
                table_or_none = chooser.staged.get(part.name)
                layout = header.layout[part.name]
                sieve = sifter.sieve(part.name) if sifter else None
                feed = _Feed(reader, table_or_none, layout, sieve) if table_or_none else None
            elif isinstance(part, bytes) and feed:
                feed.add(connection, part)
            elif isinstance(part, Trailer):
                trailer = part
        assert header and trailer  # or the reader had complained
        _leave_out(connection, chooser.staged.values(), target)
        connection.execute("COMMIT")
    tables = sifter.finish(chooser.staged) if sifter else list(chooser.staged.values())
    recognised = "" if reader.format.proves else reader.format.title
    contents = Contents(header, trailer, reader.format.proves, warnings_of(header), recognised)
    return Staging(path, contents, tables, chooser.skipped, chooser.warnings)


def _kept_whole(staged: Mapping[str, StagedTable], target: StagingTarget) -> dict[str, StagedTable]:
    """Return the tables of which no row stays out."""
    apart = target.left_out[0] if target.left_out else None
    return {name: table for name, table in staged.items() if table.target.name != apart}


def _leave_out(
    connection: Connection, staged: Iterable[StagedTable], target: StagingTarget
) -> None:
    for table in staged:
        if target.left_out and table.target.name == target.left_out[0]:
            _, column, key = target.left_out
            connection.execute(
                f"DELETE FROM {quote_identifier(table.target.name)}"
                f" WHERE {quote_identifier(column)} = ?",
                [key],
            )


@contextlib.contextmanager
def _scratch(path: Path, encoding: str) -> Iterator[Connection]:
    with database.scratch(path) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("BEGIN")
        yield connection


class _Feed:
    """Puts the lines of one table into the staged one."""

    def __init__(
        self, source: BackupReader, table: StagedTable, layout: Layout, sieve: Sieve | None
    ) -> None:
        self._source = source
        self._table = table
        self._sieve = sieve
        self._rows_of = RowReader(layout.columns)
        wanted = {folded(name) for name in table.columns}
        # In the order of the layout, where the rowid comes first.
        self._positions = [
            position
            for position, name in enumerate(layout.columns)
            if folded(name) in wanted or (name == layout.rowid and table.has_rowid)
        ]
        self._all = len(self._positions) == len(layout.columns)
        names = [*([table.numbered] if table.has_rowid else []), *table.columns]
        self._insert = (
            f"INSERT INTO {quote_identifier(table.target.name)}"
            f" ({', '.join(map(quote_identifier, names))}) VALUES "
        )

    def add(self, connection: Connection, lines: bytes) -> None:
        try:
            if self._sieve:
                lines = self._sieve.differing(lines)
            rows = self._rows_of.rows(lines)
            if not self._all:
                rows = [tuple(row[position] for position in self._positions) for row in rows]
            database.insert_rows(connection, self._insert, rows)
        except ValueError as error:
            name = self._table.target.name
            raise self._source.damaged(f"a row of {name} cannot be read: {error}") from error


class _Chooser:
    """Decides where each table of a backup goes, and what of it."""

    def __init__(self, target: StagingTarget) -> None:
        self._target = target
        self.staged: dict[str, StagedTable] = {}
        self.skipped: list[SkippedTable] = []
        self.warnings: list[str] = []
        self._redacted: dict[str, tuple[str, ...]] = {}  # by lower-case name
        self._cut: frozenset[str] = frozenset()  # each a table and a column, with a dot between

    def choose(self, header: Header) -> None:
        """Choose for every table of a backup."""
        self._redacted = {folded(name): names for name, names in header.redacted.items()}
        self._cut = frozenset(header.left_out.references if header.left_out else ())
        for name, layout in header.layout.items():
            table = self._target.tables.get(folded(name))
            described = self._target.described.get(folded(name))
            if name in self._target.skip:
                self.skipped.append(SkippedTable(name, self._target.skip[name]))
            elif table is not None:
                self.staged[name] = self._staged(table, layout, described)
            elif described is None or not self._target.create_missing:
                reason = "the database has no such table"
                if described is not None:
                    reason += "; --create-missing makes it"
                self.skipped.append(SkippedTable(name, reason))
            else:
                self.staged[name] = self._staged(described, layout, None, is_new=True)

    def _staged(
        self, table: Table, layout: Layout, described: Table | None, *, is_new: bool = False
    ) -> StagedTable:
        known = {folded(column): column for column in table.column_names}
        names = [name for name in layout.columns if name != layout.rowid]
        if not layout.columns:  # an empty list of rows, in a file that names columns in rows alone
            names = list(table.column_names)
        unknown = [name for name in names if folded(name) not in known]
        added = self._unknown(table, unknown, described) if unknown else ()
        known |= {folded(column.name): column.name for column in added}
        columns = tuple(known[folded(name)] for name in names if folded(name) in known)
        _complain_of_missing(table, columns)
        self._compare_types(table, described, columns)
        taken = {folded(name) for name in columns}
        numbered = next((name for name in ROWID_NAMES if name not in taken), "")
        return StagedTable(
            target=_told_apart(table, columns),
            columns=columns,
            has_rowid=layout.rowid is not None and bool(numbered),
            numbered=numbered or free_name("$row", taken),
            added=added,
            is_new=is_new,
            redacted=_redacted(self._redacted.get(folded(table.name), ()), columns),
            cut=frozenset(name for name in columns if f"{table.name}.{name}" in self._cut),
        )

    def _unknown(
        self, table: Table, unknown: list[str], described: Table | None
    ) -> tuple[Column, ...]:
        """Decide what becomes of columns that the target lacks."""
        names = ", ".join(unknown)
        if self._target.add_columns and described:
            return tuple(
                self._addable(table, each) for each in described.columns if each.name in unknown
            )
        if self._target.drop_unknown:
            self.warnings.append(f"{table.name}: {names} left out; the database lacks it.")
            return ()
        raise ImportRefused(
            f"{table.name} has no column {names} in the database",
            hint="Update the program that owns the database; or use --add-columns to add it, or"
            " --drop-unknown to leave it out.",
        )

    def _addable(self, table: Table, column: Column) -> Column:
        """Make a column such that it can be added to a table that has rows."""
        if is_constant(column.default):
            return column
        if column.has_default and folded(column.default) != "null":
            self.warnings.append(
                f"{table.name}.{column.name} is added without its default, {column.default}:"
                " SQLite adds no column whose default has to be computed."
            )
        return replace(column, not_null=False, has_default=False, default="")

    def _compare_types(
        self, table: Table, described: Table | None, columns: tuple[str, ...]
    ) -> None:
        if described is None:
            return
        there = {folded(column.name): column for column in described.columns}
        for column in table.columns:
            was = there.get(folded(column.name))
            if was is None or column.name not in columns:
                continue
            then = affinity_of(was.declared_type, is_strict=described.is_strict)
            now = affinity_of(column.declared_type, is_strict=table.is_strict)
            if then != now:
                self.warnings.append(
                    f"{table.name}.{column.name} was {then} in the backup and is {now} here:"
                    " values may take another form."
                )


def _told_apart(table: Table, columns: tuple[str, ...]) -> Table:
    """Take other columns that are UNIQUE for the key, where a backup lacks the key itself."""
    key = table.primary_key
    if not key or set(key) <= set(columns) or not (table.rowid_name or len(key) == 1):
        return table
    for index in table.unique_indexes:
        if set(index.columns) <= set(columns):
            rowid_name = table.rowid_name or quote_identifier(key[0])
            return replace(
                table, primary_key=index.columns, rowid_name=rowid_name, key_collations=()
            )
    return table


def _redacted(secrets: Iterable[str], columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    known = {folded(name): name for name in columns}
    found: dict[str, tuple[str, ...]] = {}
    for secret in map(secret_name, secrets):
        name = known.get(folded(secret.column))
        if name and secret.path not in found.get(name, ()):
            found[name] = (*found.get(name, ()), secret.path)
    return found


def _complain_of_missing(target: Table, columns: tuple[str, ...]) -> None:
    for column in target.columns:
        needed = column.not_null and not column.has_default
        if needed and column.name not in columns and (column.name,) != target.primary_key:
            raise ImportRefused(
                f"{target.name}.{column.name} must not be empty, and the backup lacks it",
                hint="This backup is of an older form of the database.",
            )
