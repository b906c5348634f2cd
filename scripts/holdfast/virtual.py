"""Virtual tables: the module that makes up each, and where its rows come from."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from holdfast.database import Connection, is_readable, quote_identifier, shadow_tables
from holdfast.model import Column, Rows, SchemaEntry, Table, VirtualTable

_NAME = r"""("(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^]]*\]|[^\s."'`\[]+)"""
_VIRTUAL = re.compile(
    rf"(?is)create\s+virtual\s+table\s+(?:if\s+not\s+exists\s+)?(?:{_NAME}\s*\.\s*)?{_NAME}\s*"
    rf"\busing\s+[\"'`\[]?(?P<module>\w+)[^(]*(?P<arguments>.*)"
)


def virtual_tables(entries: Iterable[SchemaEntry]) -> Iterable[tuple[str, str, str]]:
    """Yield the name, the module and the arguments of each virtual table."""
    for entry in entries:
        match = _VIRTUAL.match(entry.sql) if entry.type == "table" else None
        if match:
            yield entry.name, match["module"].lower(), match["arguments"]


def read_virtual(
    connection: Connection, sql: str, name: str, module: str, arguments: str
) -> VirtualTable:
    """Say where the rows of a virtual table come from."""
    shadows = shadow_tables(sql)
    if shadows is None or not is_readable(connection, name):
        return VirtualTable(name, module, Rows.UNAVAILABLE)
    made = VirtualTable(name, module, Rows.DERIVED, shadows=frozenset(shadows))
    if module.startswith("rtree"):
        return replace(made, rows=Rows.OWN)
    if module not in ("fts3", "fts4", "fts5"):
        return made
    made = replace(made, settings=_settings(connection, name) if module == "fts5" else {})
    content = re.search(r"""(?i)\bcontent\s*=\s*('[^']*'|"[^"]*"|\[[^]]*\]|[^,)\s]*)""", arguments)
    if content is None:
        return replace(made, rows=Rows.OWN)
    indexed = content[1].strip("'\"[]")
    return replace(made, rows=Rows.REBUILT if indexed else Rows.REFILLED, content=indexed)


def _settings(connection: Connection, index: str) -> dict[str, str | int | float]:
    """Read how a full-text index of FTS5 ranks and merges, where that was set."""
    config = quote_identifier(f"{index}_config")
    rows = connection.execute(f"SELECT k, v FROM main.{config} WHERE k <> 'version' ORDER BY k")
    return {str(key): value for key, value in rows if isinstance(value, str | int | float)}


def language_column(arguments: str) -> str:
    """Name the hidden column of a full-text table of FTS4 that holds each row's language."""
    found = re.search(r"""(?i)\blanguageid\s*=\s*["'`\[]?(\w+)""", arguments)
    return found[1] if found else ""


def as_virtual(table: Table, language: str | None) -> Table:
    """Make a virtual table's record: an R*Tree's first column is its key, others have a rowid."""
    has_key = any(column.declared_type for column in table.columns)
    if language:
        hidden = Column(language, "", not_null=False, has_default=False)
        table = replace(table, columns=(*table.columns, hidden))
    return replace(
        table,
        is_virtual=True,
        primary_key=table.column_names[:1] if has_key else (),
        rowid_name=None if has_key else "rowid",
    )
