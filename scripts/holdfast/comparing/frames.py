"""What has changed besides rows: whole tables, definitions, and a database's own numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from holdfast.comparing.differences import Change, SchemaDifference
from holdfast.comparing.merging import Comparison
from holdfast.formats.interface import NAME
from holdfast.model import Header, SkippedTable, Trailer, folded

Numbers = tuple[int | None, int | None]


def left_out(found: Comparison, only: Collection[str] = ()) -> Iterator[SkippedTable]:
    """Yield the tables that one side has and the other leaves out, with its reason."""
    for header, other in (found.headers, found.headers[::-1]):
        here, there = set(map(folded, header.layout)), set(map(folded, other.layout))
        for skipped in header.skipped_tables:
            if folded(skipped.table) in there - here and _is_wanted(skipped.table, only):
                yield skipped


def removed_tables(found: Comparison, only: Collection[str] = ()) -> dict[str, int]:
    """Return the tables that only the first side has, with their number of rows."""
    return _tables_beyond(found.headers[0], found.trailers[0], found.headers[1], only)


def added_tables(found: Comparison, only: Collection[str] = ()) -> dict[str, int]:
    """Return the tables that only the second side has, with their number of rows."""
    return _tables_beyond(found.headers[1], found.trailers[1], found.headers[0], only)


def _tables_beyond(
    header: Header, trailer: Trailer, other: Header, only: Collection[str]
) -> dict[str, int]:
    there = {folded(each.table) for each in other.skipped_tables} | set(map(folded, other.layout))
    return {
        name: trailer.counts[name]
        for name in header.layout
        if folded(name) not in there and _is_wanted(name, only)
    }


def schema_differences(found: Comparison, only: Collection[str] = ()) -> Iterator[SchemaDifference]:
    """Yield the definitions that differ, but for tables that only one side has; by type, name."""
    if any(header.format != NAME for header in found.headers):  # files of others hold no schema
        return
    first, second = (
        {(each.type, folded(each.name)): each for each in header.schema} for header in found.headers
    )
    lonely = {folded(name) for name in (*added_tables(found), *removed_tables(found))}
    for key in sorted(first.keys() | second.keys()):
        old, new = first.get(key), second.get(key)
        entry = new or old
        if entry is None or not _is_wanted(entry.table, only):
            continue
        if (old and old.sql) != (new and new.sql) and not (key[0] == "table" and key[1] in lonely):
            change = Change.CHANGED if old and new else Change.ADDED if new else Change.REMOVED
            yield SchemaDifference(change, entry.type, entry.name)


def number_differences(
    found: Comparison, only: Collection[str] = ()
) -> Iterator[tuple[str, Numbers]]:
    """Yield user_version, application_id and marks of AUTOINCREMENT that differ, by name."""
    if any(header.format != NAME for header in found.headers):
        return
    a, b = (header.database for header in found.headers)
    numbers: dict[str, Numbers] = {}
    if not only:
        numbers["user_version"] = (a.user_version, b.user_version)
        numbers["application_id"] = (a.application_id, b.application_id)
    first, second = (_folded_keys(trailer.sequences) for trailer in found.trailers)
    for table in found.tables:
        name = folded(table.name)
        numbers[f"AUTOINCREMENT of {table.name}"] = (first.get(name), second.get(name))
    yield from ((name, pair) for name, pair in numbers.items() if pair[0] != pair[1])


def _folded_keys(sequences: Mapping[str, int]) -> dict[str, int]:
    return {folded(name): number for name, number in sequences.items()}


def _is_wanted(table: str, only: Collection[str]) -> bool:
    return not only or folded(table) in map(folded, only)
