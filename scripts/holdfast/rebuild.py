"""
Builds a database from the parts of a backup, and proves that it is the same.

Tables come first, then their rows, with no secondary index to slow them and no trigger to
change them; then indexes, views, triggers, and the full-text indexes that are made of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from msgspec import Struct

from holdfast import database, files
from holdfast.ahead import Ahead, Part, read_rows, reading_ahead
from holdfast.database import Connection, quote_identifier
from holdfast.errors import DatabaseError, RestoreFailed
from holdfast.formats.compression import is_compressed
from holdfast.formats.interface import BackupReader, TableStart, warnings_of
from holdfast.formats.sqlite_copy import FORMAT as PAGE_COPY
from holdfast.model import Contents, Header, Rows, Schema, SchemaEntry, Trailer
from holdfast.proof import checked, count_broken, differences, settled
from holdfast.schema import dependency_order, fills, read_schema


class Rebuilt(Struct, frozen=True):
    """A database that was built, and what was found in it."""

    contents: Contents  # of the backup
    broken_references: int  # rows that refer to nothing, as they did when they were backed up
    warnings: tuple[str, ...]


def rebuild(reader: BackupReader, path: Path, *, verify: bool = True) -> Rebuilt:
    """
    Build the database of a backup at `path`, an empty file, and prove it equal.

    Args:
        verify: False: take the database as it came out; only the backup is proven.

    Raises: BackupDamaged and its kin; RestoreFailed when SQLite here cannot make what the
        backup describes, or what came out is not what the backup holds.
    """
    if reader.format.place:
        return _placed(reader, path, verify=verify)
    _complain_of_no_schema(reader)
    with reading_ahead(reader) as ahead:
        loader = _filled(reader, ahead, path, verify=verify)
        header, trailer = loader.frame()
        warnings = [*warnings_of(header), *loader.warnings]
        with settled(path, reader.path, verify=verify) as check:
            if verify:
                warnings += differences(path, header, trailer, ahead.digests())
            broken = check()
    if header.database.journal_mode == "wal":
        database.set_journal_mode(path, "wal")
    contents = Contents(header, trailer, is_proven=reader.format.proves)
    return Rebuilt(contents, broken, tuple(warnings))


def _filled(reader: BackupReader, ahead: Ahead, path: Path, *, verify: bool) -> _Loader:
    """Make all that a backup holds; the proof of the rows may have begun meanwhile."""
    try:
        with database.building(path) as connection:
            loader = _Loader(reader, connection)
            for part in ahead.parts():
                loader.take(part)
            while loader.begins_anew():
                for part in read_rows(reader):
                    loader.take(part)
            loader.keep_rows()
            if verify and loader.rows_stay_in_place():
                ahead.begin_proof(path)
            with files.translated_errors(path), files.put_on_disk_meanwhile(path):
                loader.finish()
            return loader
    except DatabaseError as error:
        reader.contents()  # a damaged backup is the better reason, and raises
        raise RestoreFailed(
            f"SQLite {database.sqlite_version()} cannot build the database: {error}",
            hint="Nothing was left behind. A newer SQLite, or a module that is missing, may do.",
        ) from error


def _complain_of_no_schema(reader: BackupReader) -> None:
    header = next(iter(reader.parts()))
    if isinstance(header, Header) and header.layout and not header.schema:
        raise RestoreFailed(
            f"{reader.path} holds rows, but no schema to build a database from",
            hint="Bring its rows into a database that has its tables, with import.",
        )


def _placed(reader: BackupReader, path: Path, *, verify: bool) -> Rebuilt:
    """Put a copy of the database itself there; its hash proves it."""
    assert reader.format.place is not None
    place, broken = partial(reader.format.place, reader.path, path), 0
    if not verify:
        header, trailer = place()
    elif reader.format is PAGE_COPY and not is_compressed(reader.path):
        # It is checked where it lies, while its bytes are hashed and copied.
        with checked(reader.path, reader.path) as complain:
            header, trailer = place()
            broken = count_broken(path)
            complain()
    else:
        header, trailer = place()
        with checked(path, reader.path) as complain:
            broken = count_broken(path)
            complain()
    return Rebuilt(Contents(header, trailer, is_proven=True), broken, warnings_of(header))


def describe(reader: BackupReader, path: Path) -> Schema | None:
    """
    Read the schema of a backup by making its tables at `path`, which nothing must be at.

    Returns: None for a backup that holds no schema, or one that SQLite here cannot make.
    """
    header = next(iter(reader.parts()))
    assert isinstance(header, Header)  # it is the first part
    if not header.schema:
        return None
    try:
        with database.scratch(path) as connection:
            return _Loader(reader, connection).make_tables(header)
    except DatabaseError:
        return None


class _Loader:
    """Takes the parts of a backup, and makes a database of them in an empty one."""

    def __init__(self, source: BackupReader, connection: Connection) -> None:
        self._source = source
        self._connection = connection
        self._header: Header | None = None
        self._trailer: Trailer | None = None
        self._schema: Schema | None = None  # as it was made, before any row
        self._insert = ""  # how the rows that come are put in; "": not at all
        self._later: list[SchemaEntry] = []
        self._filling: list[SchemaEntry] = []  # triggers that fire while rows are put in
        self._turns: list[set[str]] = []  # the tables that are still to be put in so
        self._is_last_time = False
        self._unavailable: list[SchemaEntry] = []
        self.warnings: list[str] = []

    def take(self, part: Part) -> None:
        """Take the next part, in the order in which `read_rows` yields them."""
        if isinstance(part, Header):
            if self._header is None:
                self._header = part
                self.make_tables(part)
        elif isinstance(part, TableStart):
            self._start_table(part.name)
        elif isinstance(part, Trailer):
            self._trailer = part
        elif self._insert:
            database.insert_rows(self._connection, self._insert, part)

    def begins_anew(self) -> bool:
        """
        Tell whether the parts are to be taken once more.

        Triggers that fill a full-text index may write elsewhere, too, and look at the rows that
        their own refer to. So the tables they belong to come first, alone, parents before their
        children; then the triggers go, and what they wrote elsewhere with them.
        """
        if self._is_last_time or not self._filling:
            return False
        self._turns.pop(0)
        if self._turns:
            return True
        for entry in self._filling:
            self._connection.execute(f"DROP TRIGGER {quote_identifier(entry.name)}")
        self._later = sorted([*self._later, *self._filling], key=_position)
        self._is_last_time = True
        return True

    def frame(self) -> tuple[Header, Trailer]:
        """Return what frames the rows, once all parts are taken."""
        assert self._header and self._trailer  # or the reader had complained
        return self._header, self._trailer

    def rows_stay_in_place(self) -> bool:
        """
        Tell whether what follows the rows leaves the pages as they are in which these lie.

        A virtual table may change the tables that it keeps its own rows in; with auto_vacuum, an
        index begins on a page that is cleared for it.
        """
        assert self._header and self._schema
        return not self._header.database.auto_vacuum and not self._schema.virtual_tables

    def keep_rows(self) -> None:
        """Commit the rows, so that others see them."""
        database.commit(self._connection)
        self._connection.execute("BEGIN")

    def finish(self) -> None:
        """Make all that follows the rows."""
        assert self._header and self._trailer  # or the reader had complained
        connection, facts = self._connection, self._header.database
        self._set_sequences(self._trailer.sequences)
        for entry in self._later:
            database.run_definition(connection, entry.sql)
        for table in self._schema.virtual_tables if self._schema else ():
            if table.rows is Rows.REBUILT:
                self._rebuild_index(table.name)
            self._set_index(table.name, self._header.settings.get(table.name, {}))
        self._add_unavailable()
        connection.execute(f"PRAGMA user_version = {facts.user_version}")
        connection.execute(f"PRAGMA application_id = {facts.application_id}")
        database.commit(connection)

    def _set_index(self, index: str, settings: Mapping[str, str | int | float]) -> None:
        name = quote_identifier(index)
        for setting, value in settings.items():
            self._connection.execute(
                f"INSERT INTO {name} ({name}, rank) VALUES (?, ?)", [setting, value]
            )

    def _rebuild_index(self, index: str) -> None:
        name = quote_identifier(index)
        try:
            self._connection.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
        except database.OperationalError as error:
            self.warnings.append(f"the full-text index {index} is empty: {error}")

    def make_tables(self, header: Header) -> Schema:
        """Make the tables of a backup, and return the schema that SQLite sees in them."""
        connection, facts = self._connection, header.database
        if facts.encoding not in ("UTF-8", "UTF-16le", "UTF-16be"):
            raise self._source.damaged(f"{facts.encoding!r} is no encoding")
        connection.execute(f"PRAGMA page_size = {facts.page_size}")
        connection.execute(f"PRAGMA encoding = '{facts.encoding}'")
        connection.execute(f"PRAGMA auto_vacuum = {facts.auto_vacuum}")
        connection.execute("PRAGMA ignore_check_constraints = ON")  # some rows may break them
        connection.execute("BEGIN")
        tables = [entry for entry in header.schema if entry.type == "table"]
        plain = {entry.name for entry in tables if not _is_virtual(entry)}
        # A virtual table may look at the table that it indexes.
        for entry in sorted(tables, key=_is_virtual):
            if _is_virtual(entry) and plain & set(database.shadow_tables(entry.sql) or ()):
                # Where the backup was made its module was missing: its parts came as tables.
                self._unavailable.append(entry)
            else:
                self._make_table(entry)
        if any(name.startswith("sqlite_stat") for name in header.layout):
            connection.execute("ANALYZE sqlite_schema")  # makes the tables of statistics
        self._schema = read_schema(connection)
        self._later = sorted(
            (entry for entry in header.schema if entry.type != "table"), key=_position
        )
        refilled = [each.name for each in self._schema.virtual_tables if each.rows is Rows.REFILLED]
        # Where the backup has no rows to put in, there is nothing to fill an index from.
        self._filling = [
            entry
            for entry in self._later
            if entry.table in header.layout and _fills(entry, refilled)
        ]
        for entry in self._filling:
            database.run_definition(connection, entry.sql)
            self._later.remove(entry)
        self._turns = _turns(header, self._schema, {entry.table for entry in self._filling})
        return self._schema

    def _make_table(self, entry: SchemaEntry) -> None:
        try:
            database.run_definition(self._connection, entry.sql)
        except database.OperationalError as error:
            if not _is_virtual(entry):
                raise
            self._unavailable.append(entry)
            self.warnings.append(f"{entry.name} needs a module that is not here: {error}")

    def _start_table(self, name: str) -> None:
        assert self._header and self._schema  # a reader's first part is the header
        layout, table = self._header.layout[name], self._schema.table(name)
        self._insert = ""
        if self._is_last_time:
            if name in {entry.table for entry in self._filling}:
                return
            self._connection.execute(f"DELETE FROM {quote_identifier(name)}")
        elif self._turns and name not in self._turns[0]:
            return
        if table is None:
            self.warnings.append(f"{name} cannot be made by SQLite {database.sqlite_version()}")
            return
        columns = [column for column in layout.columns if column != layout.rowid]
        names = list(map(quote_identifier, columns))
        if layout.rowid:
            names.insert(0, table.rowid_name or "rowid")
        self._insert = f"INSERT INTO {quote_identifier(name)} ({', '.join(names)}) VALUES "

    def _set_sequences(self, sequences: Mapping[str, int]) -> None:
        if any(not -(2**63) <= mark < 2**63 for mark in sequences.values()):
            raise self._source.damaged("an AUTOINCREMENT mark is out of range")
        found = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'"
        if sequences and not self._connection.execute(found).fetchone():
            # Makes SQLite's own table, where no table of the backup has AUTOINCREMENT any more.
            name = quote_identifier("holdfast sequence")
            self._connection.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY AUTOINCREMENT)")
            self._connection.execute(f"DROP TABLE {name}")
        if self._connection.execute(found).fetchone():
            # The rows have left marks of their own, even where the backup has none.
            self._connection.execute("DELETE FROM sqlite_sequence")
            self._connection.executemany(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", list(sequences.items())
            )

    def _add_unavailable(self) -> None:
        """Name the tables whose module is not here in the schema, as sqlite3's .dump does."""
        if not self._unavailable:
            return
        self._connection.execute("PRAGMA writable_schema = ON")
        for entry in self._unavailable:
            self._connection.execute(
                "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)"
                " VALUES ('table', ?, ?, 0, ?)",
                [entry.name, entry.name, entry.sql],
            )
        self._connection.execute("PRAGMA writable_schema = OFF")


def _is_virtual(entry: SchemaEntry) -> bool:
    return re.match(r"(?i)create\s+virtual\b", entry.sql) is not None


def _turns(header: Header, schema: Schema, names: set[str]) -> list[set[str]]:
    """Put tables in as few turns, each in the order of the backup, as let parents be first."""
    ordered = dependency_order([table for table in schema.tables if table.name in names], ())
    turns: list[set[str]] = []
    last = len(header.layout)
    for table in ordered:
        position = list(header.layout).index(table.name)
        if position < last:
            turns.append(set())
        turns[-1].add(table.name)
        last = position
    return turns


def _position(entry: SchemaEntry) -> int:
    return _KINDS.index(entry.type) if entry.type in _KINDS else len(_KINDS)


_KINDS = ("index", "view", "trigger")


def _fills(entry: SchemaEntry, indexes: list[str]) -> bool:
    """Tell whether a trigger writes to one of these full-text indexes."""
    return entry.type == "trigger" and any(fills(entry.sql, index) for index in indexes)
