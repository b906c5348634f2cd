"""The references that a profile declares, beside those of the schema."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.model import ForeignKey, Schema, Table, folded
from holdfast.profiles.profile import Profile, Reference


def with_references(schema: Schema, profile: Profile | None) -> Schema:
    """Add what a profile declares, where the schema has its tables and columns."""
    tables = {folded(table.name): table for table in schema.tables}
    for reference in profile.references if profile else ():
        child, parent = tables.get(folded(reference.table)), tables.get(folded(reference.parent))
        key = _key(reference, child, parent) if child and parent else None
        if child and key:
            tables[folded(child.name)] = replace(child, foreign_keys=(*child.foreign_keys, key))
    return replace(schema, tables=tuple(tables.values()))


def _key(reference: Reference, child: Table, parent: Table) -> ForeignKey | None:
    here = {folded(column): column for column in child.column_names}
    there = {folded(column): column for column in parent.column_names}
    columns = [here.get(folded(column)) for column in reference.columns]
    parent_columns = [there.get(folded(column)) for column in reference.parent_columns]
    if None in columns or None in parent_columns:
        return None
    return ForeignKey(
        columns=tuple(filter(None, columns)),
        parent=parent.name,
        parent_columns=tuple(filter(None, parent_columns)),
        is_declared=True,
    )
