"""What we know of one tool's databases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from string import Formatter, Template
from typing import Annotated, ClassVar

from msgspec import Struct, field
from msgspec.structs import asdict

from holdfast.profiles.shape import Complaint, ShortName, Text

TableName = Annotated[str, Text("the name of a table")]
ColumnName = Annotated[str, Text("the name of a column")]
Words = Annotated[str, Text("text")]
Kind = Annotated[str, Text("text", r"(?s)[^\0]*")] | int
KindOrKinds = Kind | tuple[Kind, ...]
SecretName = Annotated[
    str,
    Text(
        "a column such as token, config.key or value[name=*_key], with ** at the end alone",
        r"(?s)(?=.*\S)(?!.*\*\*.)[^\[\]]+(\[[^\[\]=]+=[^\[\]]+\](\..+)?)?",
    ),
]
System = Annotated[str, Text("linux, macos or windows", "linux|macos|windows")]
Referring = Annotated[str, Text("exclude, null, keep or include", "exclude|null|keep|include")]
PathTemplate = Annotated[
    str, Text("a path that starts with ~/, $VARIABLE or /", r"(~/|\$|/|[A-Za-z]:/).*")
]


class Group(Struct, frozen=True):
    """Tables that are exported or left out together."""

    tables: tuple[TableName, ...]
    default: bool = True  # False: only in an export that names the group
    title: Words | None = None
    description: Words | None = None


class Reference(Struct, frozen=True):
    """A reference that the schema does not declare."""

    table: TableName | tuple[TableName, ...]  # the one that has it, or several
    columns: tuple[ColumnName, ...]
    parent: TableName
    parent_columns: tuple[ColumnName, ...]
    # Only rows that have this value, or one of these, in another column have the reference.
    where: Mapping[ColumnName, KindOrKinds] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.table,) if isinstance(self.table, str) else self.table

    def __post_init__(self) -> None:
        if len(self.columns) != len(self.parent_columns):
            raise Complaint(
                "parent_columns",
                f"give as many columns as in columns, {len(self.columns)}",
                hint="Each column refers to the one of its place.",
            )


class ExcludedRows(Struct, frozen=True):
    """Rows of a table that an export leaves out, and what becomes of rows that refer to them."""

    shorthand: ClassVar[str] = "where"

    where: Words  # SQL on the table's own columns
    referring: Referring | None = "exclude"  # null: the reference becomes NULL

    @property
    def rule(self) -> str:
        return self.referring or "null"


class Scope(Struct, frozen=True):
    """Where the thing is found that an export can be narrowed to, such as one project."""

    table: TableName
    name: ColumnName
    id: ColumnName | None = None


class Meta(Struct, frozen=True):
    """The row that holds the time of the last backup: `key` in a table of keys and values."""

    table: TableName
    key_column: ColumnName
    value_column: ColumnName
    key: Words


class ImportFacts(Struct, frozen=True):
    """What a row about an import can say: the placeholders of `Activity.values`."""

    source: str  # the path of the backup, as it was given
    details: str  # a JSON document
    actor: str
    mode: str
    time: str  # UTC, ISO 8601
    tables: Mapping[str, int] = field(default_factory=dict)  # rows inserted or overwritten
    total_rows: int = 0  # the sum of these
    skipped_tables: tuple[str, ...] = ()
    source_version: str = ""  # of the backup's format
    source_date: str = ""  # of the backup: UTC, ISO 8601


Value = str | int | float | None
PLACEHOLDERS = ImportFacts.__struct_fields__


class Activity(Struct, frozen=True):
    """The row that an import adds to the tool's own log."""

    table: TableName
    values: Mapping[ColumnName, Value | Mapping[Words, Value]]  # a mapping becomes JSON

    def __post_init__(self) -> None:
        for column, value in self.values.items():
            for key, text in value.items() if isinstance(value, Mapping) else [("", value)]:
                if isinstance(text, str):
                    check_placeholders(".".join(filter(None, ("values", column, key))), text)


class Registry(Struct, frozen=True):
    """Where a path stands in a JSON file in which a tool lists its own folders."""

    items: Words  # the keys that lead to a list, with dots between, such as projects
    folder: Words  # the key of an item that holds a folder
    database: Words  # the path from there to the database


class Location(Struct, frozen=True):
    """
    A place of databases: the first of `paths` whose variables are all set.

    * and ? in it stand for any characters of one name. With a registry, it is that of the JSON
    file which names the folders.
    """

    paths: tuple[PathTemplate, ...]
    systems: tuple[System, ...] = ()  # none: every system
    registry: Registry | None = None

    def __post_init__(self) -> None:
        for index, path in enumerate(self.paths):
            if not Template(path).is_valid():
                raise Complaint(
                    f"paths[{index}]",
                    f"{path} has a $ that starts no variable",
                    hint="Write $NAME or ${NAME}; $$ stands for the character itself.",
                )


class Companion(Struct, frozen=True):
    """What a database is of no use without, or lacks when it is restored alone."""

    path: Words  # from the database's folder, or as a location's
    why: Words


class Profile(Struct, frozen=True):
    """One tool: how to recognise and find its databases, and how to treat their tables."""

    name: ShortName
    title: Words
    recognise: tuple[TableName, ...] = ()  # none: known by its location alone
    tables: tuple[TableName, ...] = ()
    groups: Mapping[ShortName, Group] = field(default_factory=dict)
    order: tuple[TableName, ...] = ()
    references: tuple[Reference, ...] = ()
    exclude_rows: Mapping[TableName, ExcludedRows] = field(default_factory=dict)
    exclude_columns: Mapping[TableName, tuple[ColumnName, ...]] = field(default_factory=dict)
    skip_on_export: Mapping[TableName, Words] = field(default_factory=dict)  # table to reason
    scopes: Mapping[ShortName, Scope] = field(default_factory=dict)
    # Columns, of some rows alone or of all, and keys in columns of JSON with dots between.
    secrets: Mapping[TableName, tuple[SecretName, ...]] = field(default_factory=dict)
    skip_on_import: Mapping[TableName, Words] = field(default_factory=dict)  # table to reason
    changed_at: tuple[ColumnName, ...] = ()  # hold the time of a row's last change
    natural_keys: Mapping[TableName, tuple[ColumnName, ...]] = field(default_factory=dict)
    headline: tuple[TableName, ...] = ()
    meta: Meta | None = None
    activity: Activity | None = None
    locations: tuple[Location, ...] = ()
    rebuildable: Words | None = None  # from what the tool makes it anew; None: it is the only copy
    goes_with: tuple[Companion, ...] = ()
    restore_notes: tuple[Words, ...] = ()  # what to know before it is brought back
    source: Words | None = None
    checked: date | None = None


def activity_row(activity: Activity, facts: ImportFacts) -> dict[str, Value]:
    """The row to add to the activity table, by column, with the placeholders filled."""
    known = asdict(facts)
    texts = {name: each if isinstance(each, str) else _json(each) for name, each in known.items()}

    def filled(value: Value) -> Value:
        return value.format_map(texts) if isinstance(value, str) else value

    def filled_in_json(value: Value) -> object:
        # What is a placeholder alone keeps its own kind: a number, a list, an object.
        name = value[1:-1] if isinstance(value, str) and value[:1] == "{" else ""
        return known[name] if name in known else filled(value)

    return {
        column: _json({key: filled_in_json(each) for key, each in value.items()})
        if isinstance(value, Mapping)
        else filled(value)
        for column, value in activity.values.items()
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def check_placeholders(key: str, value: str) -> None:
    """Refuse what `activity_row` could not fill; Complaint names `key`."""
    hint = f"The placeholders are {', '.join(PLACEHOLDERS)}; {{{{ and }}}} stand for braces."
    try:
        parts = list(Formatter().parse(value))
    except ValueError as error:
        raise Complaint(key, f"a brace without its other half in {value}", hint=hint) from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            raise Complaint(key, f"unknown placeholder in {value}", hint=hint)
