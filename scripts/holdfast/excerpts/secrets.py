"""What of a backup is secret, and what must stay out of one in which secrets become markers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from holdfast.definitions import index_parts, names_in
from holdfast.errors import ProfileError
from holdfast.excerpts.taking import Taken
from holdfast.model import Rows, Schema, SchemaEntry, SkippedTable, Table, folded
from holdfast.profiles import Profile, with_references
from holdfast.redaction import secret_name, secrets_in
from holdfast.schema import fills, references

_SAMPLES = ("sqlite_stat3", "sqlite_stat4")  # hold values of indexed columns
_TELLS_ROWS_APART = "a secret tells its rows apart, and a marker would be another row"
_TAKES_NO_TEXT = "a secret is in a column that takes no text, so no marker"
_HAS_SAMPLES = "samples of what is indexed, secrets among it"


def secrets_of(schema: Schema, profile: Profile | None) -> dict[str, tuple[str, ...]]:
    """Name the secrets that are in the columns that are there, by table."""
    found = {}
    for name, secrets in profile.secrets.items() if profile else ():
        table = schema.table(name)
        there = secrets_in(table.column_names, secrets) if table else ()
        if table and there:
            found[table.name] = there
    return found


def markable(taken: Taken, secrets: Mapping[str, tuple[str, ...]]) -> Taken:
    """
    Leave out the tables that no marker can make safe.

    Args: secrets: their names, by table.
    """
    if not secrets:
        return taken
    reasons = {
        table.name: _unmarkable(table, _columns(secrets.get(table.name, ())))
        for table in taken.schema.tables
    }
    return replace(
        taken,
        schema=replace(
            taken.schema,
            tables=tuple(table for table in taken.schema.tables if not reasons[table.name]),
        ),
        skipped=(
            *taken.skipped,
            *(SkippedTable(name, reason) for name, reason in reasons.items() if reason),
        ),
    )


def _unmarkable(table: Table, secrets: set[str]) -> str:
    """Say why a table cannot be in a backup with markers; "" when it can."""
    if table.name in _SAMPLES:
        return _HAS_SAMPLES
    if not secrets:
        return ""
    # In a table without a key, a row is known by what it holds.
    told_apart = _meet(secrets, table.primary_key)
    if told_apart or not (table.primary_key or table.is_virtual or secrets < _all(table)):
        return _TELLS_ROWS_APART
    for column in table.columns:
        is_number = table.is_virtual and bool(table.primary_key)  # all that an R*Tree takes
        is_strict = table.is_strict and column.declared_type.upper() not in ("ANY", "TEXT")
        if column.name in secrets and (is_number or is_strict):
            return _TAKES_NO_TEXT
    return ""


def _all(table: Table) -> set[str]:
    return set(table.column_names)


def redacted(
    taken: Taken, secrets: Mapping[str, tuple[str, ...]], profile: Profile | None
) -> Taken:
    """
    Say what a backup takes when secrets become markers, and warn of what may stay in clear.

    Args: secrets: their names, by table.
    Raises: ProfileError for a secret that is a reference, or is referred to.
    """
    if profile is None or not profile.secrets:
        nothing = "No profile says what is secret in it: --redact replaced nothing."
        return replace(taken, warnings=(*taken.warnings, nothing))
    for name, columns in secrets.items():
        for reason in _hindrances(with_references(taken.schema, profile), name, columns):
            raise ProfileError(
                f"{profile.name}.yaml: secrets.{name}: {reason}",
                hint="Leave the table out with skip_on_export, or name another column.",
            )
    kept = markable(taken, secrets)
    return replace(kept, warnings=(*kept.warnings, *_warnings(taken.schema, secrets, profile)))


def _columns(secrets: Iterable[str]) -> set[str]:
    return {secret_name(secret).column for secret in secrets}


def _hindrances(schema: Schema, name: str, named: Iterable[str]) -> Iterator[str]:
    table, secrets = schema.table(name), _columns(named)
    assert table  # secrets are named of tables that are there
    for child, reference in references(schema.tables):
        if child == name and _meet(secrets, reference.columns):
            yield f"{', '.join(reference.columns)} refers to {reference.parent}"
        if folded(reference.parent) == folded(name) and _meet(secrets, reference.parent_columns):
            yield f"{child} refers to {', '.join(reference.parent_columns)}"


def _meet(some: Iterable[str], others: Iterable[str]) -> bool:
    return not set(map(folded, some)).isdisjoint(map(folded, others))


def _computes(index: SchemaEntry, secrets: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether an index is UNIQUE by an expression of what becomes a marker."""
    if index.sql.split()[1].upper() != "UNIQUE":
        return False
    named = _columns(secrets[index.table])
    terms, _ = index_parts(index.sql)
    return any("(" in term and _meet(named, names_in(term)) for term in terms)


def _warnings(
    schema: Schema, secrets: Mapping[str, tuple[str, ...]], profile: Profile
) -> Iterator[str]:
    for name, named in profile.secrets.items():
        table = schema.table(name)
        if table and table.name not in secrets:
            yield f"{table.name} has no column {', '.join(named)}: nothing of it was replaced."
    for entry in schema.entries:
        if entry.type == "index" and entry.table in secrets and _computes(entry, secrets):
            yield (
                f"{entry.name} wants what it computes of secrets to differ, which it may not of"
                " markers: this may not restore."
            )
    for index in schema.virtual_tables:
        if index.rows is not Rows.OWN or index.name in secrets:
            continue
        for entry in schema.entries:
            if entry.type == "trigger" and entry.table in secrets and fills(entry.sql, index.name):
                yield f"{index.name} may have a copy of what is secret in {entry.table}, in clear."
                break
