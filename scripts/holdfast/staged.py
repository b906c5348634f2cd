"""One table of a backup in the scratch database: how it lies there, and where its rows go."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from holdfast.database import Connection, quote_identifier, quote_text
from holdfast.model import Column, Table, folded
from holdfast.redaction import MARKER_START
from holdfast.schema import ROWID_NAMES, affinity_of

SCHEMA_NAME = "staged"  # what the scratch database is called where it is attached


class Sifted(Struct, frozen=True):
    """What was found of a table of which only the rows that differ are staged."""

    stored: int  # rows of the target
    same: int  # rows of the backup that the target has just so, which are not staged
    new: int  # staged rows of whose key the target has none
    digest: str = ""  # of the target's rows; "": nobody asked for it


class StagedTable(Struct, frozen=True):
    """One table of the backup, and where its rows go."""

    target: Table
    columns: tuple[str, ...]  # of the backup's rows that are wanted, by the target's names
    has_rowid: bool  # the staged rows' numbers are the rowids that the backup gives
    numbered: str  # what SQL calls the number of a staged row
    added: tuple[Column, ...] = ()  # columns among `columns` that the target is to get
    is_new: bool = False  # the target is to be made
    copy: str = ""  # qualified and quoted, where a copy of the rows stands for those of the backup
    # Columns of references that the backup had to cut: NULL says nothing of the database's value.
    cut: frozenset[str] = frozenset()
    # Columns with secrets that the backup has markers for, with the paths of keys in JSON.
    redacted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spared: str = ""  # SQL: rows of the target that no backup holds, and that clear leaves
    sifted: Sifted | None = None  # None: all rows of the backup are staged

    @property
    def quoted(self) -> str:
        return self.copy or self.original

    @property
    def original(self) -> str:
        """The rows as the backup has them."""
        return f"{SCHEMA_NAME}.{quote_identifier(self.target.name)}"

    @property
    def target_quoted(self) -> str:
        return f"main.{quote_identifier(self.target.name)}"

    @property
    def defaults_quoted(self) -> str:
        """Name the table whose one row is what columns hold once they are added."""
        return f"{SCHEMA_NAME}.{quote_identifier(_defaults_name(self))}"

    @property
    def vague(self) -> frozenset[str]:
        """The columns that the backup may not have as they were."""
        return self.cut | self.redacted.keys()

    def value(self, column: str, staged: str, stored: str) -> str:
        """Return SQL for what a row that is there is to hold, of its SQL values on both sides."""
        if column in self.cut:
            return f"coalesce({staged}, {stored})"
        if column not in self.redacted:
            return staged
        paths = "".join(f", {quote_text(path)}" for path in self.redacted[column])
        return (
            f"iif(instr({staged}, '{MARKER_START}'),"
            f" coalesce(unredacted({staged}, {stored}{paths}), {stored}), {staged})"
        )

    def affinity(self, column: str) -> str:
        """Name the affinity that a column has, or will have, in the target."""
        known = (*self.target.columns, *self.added)
        declared = next(each for each in known if each.name == column).declared_type
        return affinity_of(declared, is_strict=self.target.is_strict)

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """
        The columns that tell rows apart, each by its SQL name here and in the target.

        Empty when there is no primary key, or the backup's rows lack a part of it.
        """
        if self.target.is_virtual and self.target.rowid_name:
            pair = (quote_identifier(self.numbered), self.target.rowid_name)
            return (pair,) if self.has_rowid else ()
        key = self.target.primary_key
        if not set(key) <= set(self.columns):
            return ()
        return tuple((quote_identifier(name), quote_identifier(name)) for name in key)

    @property
    def key_collations(self) -> tuple[str, ...]:
        """Of each pair of `key`: the SQL by which the target's index compares it."""
        collations = self.target.key_collations if not self.target.is_virtual else ()
        if len(collations) != len(self.key):
            return ("",) * len(self.key)
        return tuple(f" COLLATE {quote_identifier(name)}" for name in collations)

    @property
    def key_may_be_null(self) -> bool:
        """A rowid table's key may hold NULL, unless it is the rowid."""
        return self.target.rowid_name is not None and not self.target.is_virtual


def free_name(name: str, taken: set[str]) -> str:
    """Return `name` with as many dollar signs before it as it takes to be free."""
    while folded(name) in taken:
        name = f"${name}"
    return name


def _defaults_name(table: StagedTable) -> str:
    return f"$defaults of {table.target.name}"


def keep_defaults(connection: Connection, table: StagedTable) -> None:
    """Have SQLite say what the rows that are there will hold in columns that are added."""
    if table.added:
        name = quote_identifier(_defaults_name(table))
        columns = (
            f"{quote_identifier(column.name)} {table.affinity(column.name)}"
            + (f" DEFAULT {column.default}" if column.has_default else "")
            for column in table.added
        )
        connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        connection.execute(f"INSERT INTO {name} DEFAULT VALUES")


def definition_of(table: StagedTable) -> str:
    """Return what follows the name in the statement that makes a staged table."""
    columns = [f"{quote_identifier(name)} {table.affinity(name)}" for name in table.columns]
    if table.numbered not in ROWID_NAMES:
        columns.insert(0, f"{quote_identifier(table.numbered)} INTEGER PRIMARY KEY")
    return f"({', '.join(columns)})"
