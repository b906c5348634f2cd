"""The records that the layers hand to each other; all of them frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field


class Column(Struct, frozen=True):
    """A column whose values are stored, so not a generated one."""

    name: str
    declared_type: str  # as written in the schema; "" when none is
    not_null: bool
    has_default: bool
    default: str = ""  # SQL, as a PRAGMA gives it


class ForeignKey(Struct, frozen=True):
    """A reference from columns of one table to columns of another."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]  # empty: the parent's primary key
    is_declared: bool = False  # by a profile: the database does not know of it
    # Columns, each with values: only rows that have one of these there refer to the parent.
    where: tuple[tuple[str, tuple[str | int, ...]], ...] = ()

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The columns that say what a row refers to, and whether it does."""
        return (*self.columns, *(column for column, _ in self.where))


class UniqueIndex(Struct, frozen=True):
    """A UNIQUE constraint or index besides the primary key, on plain columns of every row."""

    name: str
    columns: tuple[str, ...]


class Excerpt(Struct, frozen=True):
    """What is read of a table: all of it, unless this says otherwise."""

    condition: str = ""  # SQL that the rows meet; "": all rows
    values: Mapping[str, str] = field(default_factory=dict)  # SQL in the place of a column


class Table(Struct, frozen=True):
    """A table whose rows are stored in the database under its own name."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]  # empty: rows have no key but their rowid
    rowid_name: str | None  # what SQL calls the rowid, when no column of the key is it
    is_strict: bool = False
    is_virtual: bool = False
    foreign_keys: tuple[ForeignKey, ...] = ()
    unique_indexes: tuple[UniqueIndex, ...] = ()
    # By which the index of the key compares each of its columns; empty: the key is the rowid.
    key_collations: tuple[str, ...] = ()
    excerpt: Excerpt = field(default_factory=Excerpt)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


class ShownCell(Struct, frozen=True):
    """A value as it is shown: of a long text the beginning, of a BLOB how many bytes it has."""

    type: str  # null, integer, real, text, blob
    text: str  # "" for NULL and for a BLOB
    beyond: int = 0  # what is not shown of it: characters of a text, bytes of a BLOB


class ShownValue(Struct, frozen=True):
    """What a column of a row holds before a change and after it; None: there is no such row."""

    column: str
    old: ShownCell | None
    new: ShownCell | None


def folded(name: str) -> str:
    """Return a name as SQLite compares names: without regard to ASCII case, and to that alone."""
    return name.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


class Rows(StrEnum):
    """Where the rows of a virtual table come from, which says how they come back."""

    OWN = "own"  # written like any table's
    REBUILT = "rebuilt"  # a full-text index of another table, which makes it anew from that
    REFILLED = "refilled"  # an index that keeps no text: the triggers of its table fill it
    DERIVED = "derived"  # a view of something else
    UNAVAILABLE = "unavailable"  # the module is not here; tables of its own hold the rows


class VirtualTable(Struct, frozen=True):
    """A table that a module of SQLite makes up."""

    name: str
    module: str  # in lower case: fts5, rtree, ...
    rows: Rows
    content: str = ""  # of REBUILT: the table that is indexed
    # The tables that SQLite makes for it, and keeps for itself.
    shadows: frozenset[str] = frozenset()
    settings: Mapping[str, str | int | float] = field(default_factory=dict)  # of FTS5


class SkippedTable(Struct, frozen=True):
    """A table that a backup or an import leaves out, and why."""

    table: str
    reason: str


class SchemaEntry(Struct, frozen=True):
    """One row of SQLite's own sqlite_schema; `sql` is the text as it was given to SQLite."""

    type: str  # table, index, view, trigger
    name: str
    table: str
    sql: str


class Schema(Struct, frozen=True, dict=True):
    """All that a database's own schema says."""

    tables: tuple[Table, ...]  # by name
    virtual_tables: tuple[VirtualTable, ...]
    entries: tuple[SchemaEntry, ...]  # in the order they were made, but SQLite's own tables
    sequences: Mapping[str, int]
    has_sequences: bool = False  # sqlite_sequence is there
    has_odd_sequences: bool = False  # AUTOINCREMENT marks that mean nothing to SQLite are there

    def table(self, name: str) -> Table | None:
        """Find a table by its name, which SQLite compares without regard to ASCII case."""
        return self._by_name.get(folded(name))

    @cached_property
    def _by_name(self) -> Mapping[str, Table]:
        # Once: to look through all tables for each of them takes minutes where there are many.
        return {folded(table.name): table for table in self.tables}


class Layout(Struct, frozen=True):
    """How the rows of one table are written."""

    columns: tuple[str, ...]  # the keys of each row, in order
    key: tuple[str, ...]  # the keys that put the rows in order; empty: as stored
    rowid: str | None = None  # the key that holds the rowid, when it is no column


class DatabaseFacts(Struct, frozen=True):
    """What a database is besides its tables."""

    name: str  # the file's name, without folders
    user_version: int
    application_id: int
    encoding: str
    page_size: int  # bytes
    auto_vacuum: int
    journal_mode: str


class Choice(Struct, frozen=True):
    """What was chosen of a database that a backup does not hold whole."""

    profile: str = ""  # whose rules say what is left out; "": none
    groups: tuple[str, ...] = ()  # that were named; all: also those that must be named
    tables: tuple[str, ...] = ()  # that were named
    scope: tuple[str, ...] = ()  # such as project=Planning

    @property
    def words(self) -> tuple[str, ...]:
        """What was named, for people; nothing where only the profile's rules leave things out."""
        named = {"groups": self.groups, "tables": self.tables}
        words = [f"{kind} {', '.join(names)}" for kind, names in named.items() if names]
        return (*words, *self.scope)


class LeftOut(Struct, frozen=True):
    """How much a backup leaves out of the tables that it holds."""

    rows: Mapping[str, int] = field(default_factory=dict)  # by table: as the profile wants it
    links: Mapping[str, int] = field(default_factory=dict)  # by table: to rows outside the scope
    # By table and column, with a dot between: references to rows that are left out, now NULL.
    references: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by table


class Header(Struct, frozen=True):
    """What a backup says before its rows."""

    format: str
    version: str
    type: str  # full, partial
    groups: tuple[str, ...]
    skipped_tables: tuple[SkippedTable, ...]
    database: DatabaseFacts
    schema: tuple[SchemaEntry, ...]
    layout: Mapping[str, Layout]
    choice: Choice | None = None  # None: all that the database holds
    left_out: LeftOut | None = None
    redacted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # secrets, by table
    # How full-text indexes rank and merge, by index, where that was set.
    settings: Mapping[str, Mapping[str, str | int | float]] = field(default_factory=dict)
    backup_date: str = ""  # UTC, ISO 8601; "" in a reproducible backup, as the next two
    exported_by: str = ""
    generator: str = ""
    unknown_keys: tuple[str, ...] = ()  # that a later minor version wrote; never written
    notes: tuple[str, ...] = ()  # what its reader has to say of it; never written


def redacted_names(header: Header) -> tuple[str, ...]:
    """Name what a backup has markers for, by table and column with a dot between."""
    return tuple(f"{table}.{name}" for table, names in header.redacted.items() for name in names)


def part_of(header: Header) -> str:
    """Say which part of its database a backup holds; "" for one that is full."""
    if header.type != "partial":
        return ""
    return "; ".join(header.choice.words if header.choice else ()) or "a part"


class Trailer(Struct, frozen=True):
    """What a backup says after its rows, and what proves that it is whole."""

    sequences: Mapping[str, int]  # AUTOINCREMENT high-water marks by table
    counts: Mapping[str, int]  # rows by table
    digests: Mapping[str, str]  # lower-case hex of SHA-256 by table


class Contents(Struct, frozen=True):
    """What was found in a backup that was read to its end."""

    header: Header
    trailer: Trailer
    is_proven: bool  # counts, digests and seal are there and hold
    warnings: tuple[str, ...] = ()
    recognised: str = ""  # what the file was taken for, when another program wrote it

    @property
    def row_count(self) -> int:
        return sum(self.trailer.counts.values())


class ChosenDatabase(Struct, frozen=True):
    """The database that a command works on."""

    path: Path  # absolute
    reason: str  # completes "chosen because ..."


class RestorePoint(Struct, frozen=True):
    """A page copy of a database, taken before it was changed."""

    path: Path
    database: Path
    taken_at: str  # UTC, ISO 8601
    reason: str  # the operation that it was taken before: import, restore, undo


class Opening(StrEnum):
    """Whether a backup can be opened with the keys at hand."""

    PLAIN = ""  # it is not encrypted
    OPENS = "opens"
    UNTRIED = "untried"  # a passphrase is at hand; to try it takes a second
    CLOSED = "closed"  # no key at hand opens it


class Rung(StrEnum):
    """What can be proven of a backup, the lowest first; each takes those below it for granted."""

    WHOLE = "whole"  # all of it can be read
    HASH = "hash"  # every byte is the one that was written
    CONTENTS = "contents"  # counts and digests of all tables are those of the database
    RESTORED = "restored"  # a database was built from it, and is equal
    SOUND = "sound"  # SQLite finds that database whole, and references were checked


DAMAGED = "damaged"  # stands in the place of a rung


def highest(rungs: Sequence[Rung]) -> str:
    """Name the highest of the rungs that were reached; "" for none."""
    return rungs[-1] if rungs else ""


def is_proven(rungs: Sequence[Rung]) -> bool:
    """Tell whether the contents were proven; what only came out of a file proves nothing."""
    return Rung.CONTENTS in rungs


def is_above(one: str, other: str) -> bool:
    """Tell whether a rung that was reached is above another."""
    order = ["", DAMAGED, *Rung]
    # What a later version calls a rung says nothing here.
    return one in order and (other not in order or order.index(one) > order.index(other))
