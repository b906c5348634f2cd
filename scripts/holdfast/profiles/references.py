"""The references that a profile declares, beside those of the schema."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from holdfast.model import ForeignKey, Schema, Table, folded
from holdfast.profiles.profile import Profile, Reference


def with_references(schema: Schema, profile: Profile | None) -> Schema:
    """Add what a profile declares, where the schema has its tables and columns."""
    tables = {folded(table.name): table for table in schema.tables}
    for reference in profile.references if profile else ():
        for name in reference.tables:
            child, parent = tables.get(folded(name)), tables.get(folded(reference.parent))
            key = _key(reference, child, parent) if child and parent else None
            if child and key:
                tables[folded(name)] = replace(child, foreign_keys=(*child.foreign_keys, key))
    return replace(schema, tables=tuple(tables.values()))


def _key(reference: Reference, child: Table, parent: Table) -> ForeignKey | None:
    columns = _known(child, reference.columns)
    parent_columns = _known(parent, reference.parent_columns)
    telling = _known(child, reference.where)
    wanted = reference.columns, reference.parent_columns, reference.where
    if [*map(len, (columns, parent_columns, telling))] != [*map(len, wanted)]:
        return None
    values = (each if isinstance(each, tuple) else (each,) for each in reference.where.values())
    return ForeignKey(
        columns=columns,
        parent=parent.name,
        parent_columns=parent_columns,
        is_declared=True,
        where=tuple(zip(telling, values, strict=True)),
    )


def _known(table: Table, columns: Iterable[str]) -> tuple[str, ...]:
    """Return columns by the names that a table has for them, without those that it lacks."""
    there = {folded(column): column for column in table.column_names}
    return tuple(there[folded(column)] for column in columns if folded(column) in there)
