"""What we know of one tool's databases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from string import Formatter, Template
from typing import Annotated

from holdfast.profiles.shape import Complaint, ShortName, Text

TableName = Annotated[str, Text("the name of a table")]
ColumnName = Annotated[str, Text("the name of a column")]
Words = Annotated[str, Text("text")]
System = Annotated[str, Text("linux, macos or windows", "linux|macos|windows")]
PathTemplate = Annotated[
    str, Text("a path that starts with ~/, $VARIABLE or /", r"(~/|\$|/|[A-Za-z]:/).*")
]


@dataclass(frozen=True, slots=True)
class Group:
    """Tables that are exported or left out together."""

    tables: tuple[TableName, ...]
    default: bool = True  # False: only in an export that names the group
    title: Words | None = None
    description: Words | None = None


@dataclass(frozen=True, slots=True)
class Meta:
    """The row that holds the time of the last backup: `key` in a table of keys and values."""

    table: TableName
    key_column: ColumnName
    value_column: ColumnName
    key: Words


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """What a row about an import can say: the placeholders of `Activity.values`."""

    source: str  # the path of the backup, as it was given
    details: str  # a JSON document
    actor: str
    mode: str
    time: str  # UTC, ISO 8601


PLACEHOLDERS = tuple(fact.name for fact in fields(ImportFacts))


@dataclass(frozen=True, slots=True)
class Activity:
    """The row that an import adds to the tool's own log."""

    table: TableName
    values: Mapping[ColumnName, str | int | float | None]

    def __post_init__(self) -> None:
        for column, value in self.values.items():
            if isinstance(value, str):
                check_placeholders(f"values.{column}", value)


@dataclass(frozen=True, slots=True)
class Location:
    """A place of a database: the first of `paths` whose variables are all set."""

    paths: tuple[PathTemplate, ...]
    systems: tuple[System, ...] = ()  # none: every system

    def __post_init__(self) -> None:
        for index, path in enumerate(self.paths):
            if not Template(path).is_valid():
                raise Complaint(
                    f"paths[{index}]",
                    f"{path} has a $ that starts no variable",
                    hint="Write $NAME or ${NAME}; $$ stands for the character itself.",
                )


@dataclass(frozen=True, slots=True)
class Profile:
    """One tool: how to recognise and find its databases, and how to treat their tables."""

    name: ShortName
    title: Words
    recognise: tuple[TableName, ...]
    tables: tuple[TableName, ...] = ()
    groups: Mapping[ShortName, Group] = field(default_factory=dict)
    order: tuple[TableName, ...] = ()
    skip_on_import: Mapping[TableName, Words] = field(default_factory=dict)  # table to reason
    changed_at: tuple[ColumnName, ...] = ()  # hold the time of a row's last change
    natural_keys: Mapping[TableName, tuple[ColumnName, ...]] = field(default_factory=dict)
    headline: tuple[TableName, ...] = ()
    meta: Meta | None = None
    activity: Activity | None = None
    locations: tuple[Location, ...] = ()
    source: Words | None = None
    checked: date | None = None


def activity_row(activity: Activity, facts: ImportFacts) -> dict[str, str | int | float | None]:
    """The row to add to the activity table, by column, with the placeholders filled."""
    known = asdict(facts)
    return {
        column: value.format_map(known) if isinstance(value, str) else value
        for column, value in activity.values.items()
    }


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
