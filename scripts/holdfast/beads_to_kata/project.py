"""What a kata database holds of the project that issues come into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from holdfast.beads_to_kata.words import Row
from holdfast.database import Connection, quote_identifier
from holdfast.errors import ImportRefused, UsageError
from holdfast.model import Schema

TABLES = ("projects", "issues", "comments", "issue_labels", "links", "import_mappings")


class KataProject(Struct, frozen=True):
    """What a kata database holds of the project that issues come into."""

    row: Row
    issues: Mapping[int, Row]  # by id
    mappings: Mapping[tuple[str, str], Row]  # by object_type and external_id
    comments: frozenset[tuple[Any, ...]]  # issue_id, author, body
    labels: frozenset[tuple[Any, ...]]  # issue_id, label
    links: frozenset[tuple[Any, ...]]  # from_issue_id, to_issue_id
    next_ids: Mapping[str, int]  # by table
    columns: Mapping[str, tuple[str, ...]]  # by table


def read_project(connection: Connection, schema: Schema, name: str) -> KataProject:
    """
    Read the project of a name; "" is the only one that there is.

    Raises: ImportRefused when there is none, or it is not as expected; UsageError when a name
        is needed, or nothing has it.
    """
    tables = {each: schema.table(each) for each in TABLES}
    columns = {name: table.column_names for name, table in tables.items() if table}
    if len(columns) < len(TABLES):
        missing = ", ".join(sorted(set(TABLES) - columns.keys()))
        raise ImportRefused(
            f"the database has no table {missing}", hint="Name a database of kata with --db PATH."
        )
    project = _choose(_select(connection, "projects", "deleted_at IS NULL"), name)
    mine = [project["id"]]
    issues = {row["id"]: row for row in _select(connection, "issues", "project_id = ?", mine)}
    of_mine = "issue_id IN (SELECT id FROM issues WHERE project_id = ?)"
    comments = _select(connection, "comments", of_mine, mine)
    labels = _select(connection, "issue_labels", of_mine, mine)
    links = _select(connection, "links", f"from_{of_mine} AND type = 'blocks'", mine)
    mappings = _select(connection, "import_mappings", "project_id = ? AND source = 'beads'", mine)
    return KataProject(
        row=project,
        issues=issues,
        mappings={(row["object_type"], row["external_id"]): row for row in mappings},
        comments=frozenset((row["issue_id"], row["author"], row["body"]) for row in comments),
        labels=frozenset((row["issue_id"], row["label"]) for row in labels),
        links=frozenset((row["from_issue_id"], row["to_issue_id"]) for row in links),
        next_ids={
            each: _next_id(connection, schema, each)
            for each in ("issues", "comments", "links", "import_mappings")
        },
        columns=columns,
    )


def _choose(projects: Sequence[Row], name: str) -> Row:
    if not projects:
        raise ImportRefused("the database has no project", hint="Run kata init in it first.")
    fitting = [row for row in projects if name in ("", row["name"])]
    if len(fitting) != 1:
        names = ", ".join(sorted(str(row["name"]) for row in projects))
        raise UsageError(
            f"there is no project {name!r}" if name else "there are several projects",
            hint=f"Name one with --project NAME: {names}.",
        )
    return fitting[0]


def _select(
    connection: Connection, table: str, where: str, values: Sequence[object] = ()
) -> list[Row]:
    cursor = connection.execute(
        f"SELECT * FROM {quote_identifier(table)} WHERE {where} ORDER BY 1", values
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _next_id(connection: Connection, schema: Schema, table: str) -> int:
    query = f"SELECT coalesce(max(id), 0) FROM {quote_identifier(table)}"
    (highest,) = connection.execute(query).fetchone()
    return max(int(highest), schema.sequences.get(table, 0)) + 1
