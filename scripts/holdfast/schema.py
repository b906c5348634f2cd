"""What a database's own schema says: tables, keys, references, and the order they ask for."""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from holdfast.database import (
    Connection,
    OperationalError,
    is_invalid_text,
    quote_identifier,
    quote_text,
)
from holdfast.errors import DatabaseError
from holdfast.model import (
    Column,
    DatabaseFacts,
    ForeignKey,
    Rows,
    Schema,
    SchemaEntry,
    Table,
    UniqueIndex,
    folded,
)
from holdfast.virtual import as_virtual, language_column, read_virtual, virtual_tables

ROWID_NAMES = ("rowid", "_rowid_", "oid")
# SQLite's own tables: sqlite_sequence is exported apart; the statistics are rows like any other.
_INTERNAL = ("sqlite_schema", "sqlite_sequence")


def read_schema(connection: Connection) -> Schema:
    """
    Read the whole schema; tables come from the database itself, never from a list.

    What a virtual table keeps in shadow tables is left out: the table itself stands for it.

    Source: https://www.sqlite.org/pragma.html#pragma_table_list
    """
    entries = _read_entries(connection)
    found = list(virtual_tables(entries))
    definitions = {entry.name: entry.sql for entry in entries if entry.type == "table"}
    virtual = [read_virtual(connection, definitions[each[0]], *each) for each in found]
    own = {table.name for table in virtual if table.rows is Rows.OWN}
    known_shadows = {folded(shadow) for table in virtual for shadow in table.shadows}
    languages = {name: language_column(arguments) for name, _, arguments in found}
    sequences, odd = _read_sequences(connection, entries)
    tables, shadows = [], set()
    for schema, name, kind, _, without_rowid, strict in connection.execute("PRAGMA table_list"):
        if schema != "main" or name in _INTERNAL:
            continue
        # A table of the user's own may be called as a shadow table would be.
        if kind == "shadow" and folded(name) in known_shadows:
            shadows.add(name)
        elif kind in ("table", "shadow") or name in own:
            table = _read_table(
                connection, name, without_rowid=bool(without_rowid), is_strict=bool(strict)
            )
            language = languages.get(name)
            tables.append(as_virtual(table, language) if name in own else table)
    return Schema(
        tables=tuple(sorted(tables, key=lambda table: table.name)),
        virtual_tables=tuple(virtual),
        entries=tuple(
            entry
            for entry in entries
            if entry.table not in shadows and not entry.name.startswith("sqlite_")
        ),
        sequences=sequences,
        has_sequences=any(entry.name == "sqlite_sequence" for entry in entries),
        has_odd_sequences=odd,
    )


def _read_entries(connection: Connection) -> list[SchemaEntry]:
    try:
        return [
            SchemaEntry(*row)
            for row in connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema"
                " WHERE sql IS NOT NULL ORDER BY rowid"
            )
        ]
    except OperationalError as error:
        if not is_invalid_text(error):
            raise
        raise DatabaseError(
            "the schema holds text that is not UTF-8, which no backup can carry",
            hint="Mend the definition first, with the program that owns the database.",
        ) from error


def _read_table(
    connection: Connection, name: str, *, without_rowid: bool, is_strict: bool
) -> Table:
    columns, key = [], {}
    all_names = set()
    for _, column, declared, not_null, default, key_position, hidden in connection.execute(
        f"PRAGMA main.table_xinfo({quote_identifier(name)})"
    ):
        all_names.add(folded(column))
        if hidden == 0:  # 2 and 3 are generated: recomputed, never written
            columns.append(
                Column(column, declared, bool(not_null), default is not None, default or "")
            )
        if key_position:
            key[key_position] = column
    indexes = connection.execute(
        f"PRAGMA main.index_list({quote_identifier(name)})"
    ).fetchall()  # sequence, name, is unique, origin, is partial
    # A key of one INTEGER column is the rowid itself, and then has no index of its own.
    key_is_rowid = bool(key) and all(origin != "pk" for *_, origin, _ in indexes)
    rowid_name = next((word for word in ROWID_NAMES if word not in all_names), None)
    return Table(
        name=name,
        columns=tuple(columns),
        primary_key=tuple(key[position] for position in sorted(key)),
        rowid_name=None if without_rowid or key_is_rowid else rowid_name,
        is_strict=is_strict,
        foreign_keys=_read_foreign_keys(connection, name),
        unique_indexes=_read_unique_indexes(connection, indexes),
        key_collations=tuple(
            collation
            for _, index, _, origin, _ in indexes
            if origin == "pk"
            for collation in collations_of(connection, index)
        ),
    )


def _read_foreign_keys(connection: Connection, table: str) -> tuple[ForeignKey, ...]:
    pairs: dict[int, list[tuple[int, str, str | None]]] = defaultdict(list)
    parents: dict[int, str] = {}
    for number, sequence, parent, column, parent_column, *_ in connection.execute(
        f"PRAGMA main.foreign_key_list({quote_identifier(table)})"
    ):
        pairs[number].append((sequence, column, parent_column))
        parents[number] = parent
    return tuple(
        ForeignKey(
            columns=tuple(column for _, column, _ in sorted(pairs[number])),
            parent=parents[number],
            parent_columns=tuple(name for *_, name in sorted(pairs[number]) if name is not None),
        )
        for number in sorted(pairs)
    )


def _read_unique_indexes(
    connection: Connection, indexes: Iterable[tuple[int, str, int, str, int]]
) -> tuple[UniqueIndex, ...]:
    found = []
    for _, name, is_unique, origin, is_partial in indexes:
        if not is_unique or origin == "pk" or is_partial:
            continue
        columns = [
            column
            for _, _, column in connection.execute(
                f"PRAGMA main.index_info({quote_identifier(name)})"
            )
        ]
        if None not in columns:  # None stands for an expression
            found.append(UniqueIndex(name, tuple(columns)))
    return tuple(found)


def collations_of(connection: Connection, index: str) -> list[str]:
    """Name the collation by which an index compares each of its terms."""
    rows = connection.execute(f"PRAGMA main.index_xinfo({quote_identifier(index)})")
    return [collation for *_, collation, is_term in rows if is_term]


def fills(sql: str, index: str) -> bool:
    """Tell whether a trigger puts text into a full-text index, rather than only taking it out."""
    # INSERT INTO notes(notes, ...) VALUES('delete', ...) is how FTS5 takes text out.
    name = _named(index)
    return re.search(rf"(?is)\binto\s+{name}(?!\s*\(\s*{name}\s*,)", sql) is not None


def writes_to(sql: str, table: str) -> bool:
    """Tell whether a trigger adds, changes or removes rows of a table."""
    verbs = r"(insert\s+(or\s+\w+\s+)?into|replace\s+into|delete\s+from|update(\s+or\s+\w+)?)"
    return re.search(rf"(?is)\b{verbs}\s+{_named(table)}", sql) is not None


def _named(name: str) -> str:
    return rf"(?:\w+\s*\.\s*)?(?:[\"'`\[]{re.escape(name)}[\"'`\]]|{re.escape(name)}(?!\w))"


def has_feeding_trigger(schema: Schema, index: str) -> bool:
    """Tell whether a row that is added to some table puts its text into a full-text index."""
    return any(
        entry.type == "trigger"
        and fills(entry.sql, index)
        and re.search(r"(?is)\b(after|before)?\s*insert\s+on\b", entry.sql)
        for entry in schema.entries
    )


def _read_sequences(
    connection: Connection, entries: Iterable[SchemaEntry]
) -> tuple[dict[str, int], bool]:
    """Read the AUTOINCREMENT marks, and whether there are others that SQLite did not write."""
    if not any(entry.name == "sqlite_sequence" for entry in entries):
        return {}, False
    rows = connection.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name").fetchall()
    marks = {name: seq for name, seq in rows if isinstance(name, str) and isinstance(seq, int)}
    return marks, len(marks) < len(rows)


def read_facts(connection: Connection, name: str) -> DatabaseFacts:
    """Read what a database is besides its tables; `name` is what reports call it."""

    def pragma(word: str) -> int | str:
        value: int | str = connection.execute(f"PRAGMA main.{word}").fetchone()[0]
        return value

    return DatabaseFacts(
        name=name,
        user_version=int(pragma("user_version")),
        application_id=int(pragma("application_id")),
        encoding=str(pragma("encoding")),
        page_size=int(pragma("page_size")),
        auto_vacuum=int(pragma("auto_vacuum")),
        journal_mode=str(pragma("journal_mode")),
    )


def broken_references(
    connection: Connection, tables: Iterable[str] | None = None
) -> Counter[tuple[str, str]]:
    """
    Count the rows that refer to nothing, by table and the table they refer to.

    A reference that SQLite itself cannot follow, as to a column that is not UNIQUE, counts for
    nothing.

    Args: tables: of which to count them; None: of all.
    """
    found: Counter[tuple[str, str]] = Counter()
    if tables is None:
        names = connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
        tables = [name for (name,) in names]
    for name in tables:
        with contextlib.suppress(OperationalError):
            rows = connection.execute(f"PRAGMA main.foreign_key_check({quote_identifier(name)})")
            found.update((table, parent) for table, _, parent, _ in rows)
    return found


def affinity_of(declared_type: str, *, is_strict: bool) -> str:
    """
    Name the affinity that SQLite gives to a column of a declared type.

    Source: https://www.sqlite.org/datatype3.html#determination_of_column_affinity
    """
    name = declared_type.upper()
    if is_strict and name == "ANY":
        return "BLOB"
    for affinity, words in _AFFINITIES.items():
        if any(word in name for word in words):
            return affinity
    return "NUMERIC" if name else "BLOB"


_AFFINITIES = {
    "INTEGER": ("INT",),
    "TEXT": ("CHAR", "CLOB", "TEXT"),
    "BLOB": ("BLOB",),
    "REAL": ("REAL", "FLOA", "DOUB"),
}


def references(tables: Sequence[Table]) -> list[tuple[str, ForeignKey]]:
    """List the references among tables by the one that has it, with the parent's columns named."""
    found = []
    known = {folded(table.name): table for table in tables}
    for table in tables:
        for key in table.foreign_keys:
            parent = known.get(folded(key.parent))
            columns = key.parent_columns or (parent.primary_key if parent else ())
            if parent and len(columns) == len(key.columns):
                found.append((table.name, replace(key, parent_columns=columns)))
    return found


def applies(key: ForeignKey, row: str) -> str:
    """
    Write the condition that a row has a reference, whatever it refers to: TRUE for most.

    Args: row: what the row is called in SQL.
    """
    # Staged rows have no collations: only without them both sides say the same.
    found = [
        f"{row}.{quote_identifier(column)} COLLATE BINARY IN ({', '.join(map(_literal, values))})"
        for column, values in key.where
    ]
    return " AND ".join(found) or "TRUE"


def _literal(value: str | int) -> str:
    return quote_text(value) if isinstance(value, str) else str(value)


def references_to_nothing(schema: Schema, tables: Sequence[Table]) -> list[tuple[str, ForeignKey]]:
    """List the references to what is no table at all, by the table that has them."""
    there = {folded(table.name) for table in tables}
    there |= {folded(entry.name) for entry in schema.entries}  # views, and virtual tables
    return [
        (table.name, replace(key, parent_columns=()))
        for table in tables
        for key in table.foreign_keys
        if folded(key.parent) not in there
    ]


def dependency_order(tables: Iterable[Table], first: Iterable[str] = ()) -> list[Table]:
    """
    Put parents before the tables that refer to them; `first` names tables that lead anyway.

    Tables that refer to each other in a circle follow in the order of their names: they need
    foreign keys that are checked at the end.
    """
    waiting: Mapping[str, Table] = {folded(table.name): table for table in tables}
    parents = {
        name: {folded(key.parent) for key in table.foreign_keys} & waiting.keys() - {name}
        for name, table in waiting.items()
    }
    ordered = list(dict.fromkeys(folded(name) for name in first if folded(name) in waiting))
    while len(ordered) < len(waiting):
        left = sorted(waiting.keys() - set(ordered))
        ready = [name for name in left if parents[name] <= set(ordered)]
        ordered.extend(ready or left[:1])
    return [waiting[name] for name in ordered]
