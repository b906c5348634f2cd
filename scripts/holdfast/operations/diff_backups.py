"""Say what has changed from one backup or database to another; reads only."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import database, files
from holdfast.cells import VALUED_COLUMNS, VALUED_ROWS, RowReader, RowWriter
from holdfast.comparing.differences import ComparedSide, DiffReport
from holdfast.comparing.frames import (
    added_tables,
    left_out,
    number_differences,
    removed_tables,
    schema_differences,
)
from holdfast.comparing.merging import NOTHING_LISTED, Comparison, Listing, Side, compare
from holdfast.comparing.syncing import Sync, sync_verdict
from holdfast.database import DEFAULT_WAIT_SECONDS
from holdfast.errors import DatabaseError, UsageError
from holdfast.formats import open_backup
from holdfast.formats.compression import is_compressed
from holdfast.formats.interface import BackupReader, Part, TableStart
from holdfast.formats.sqlite_copy import ANY_SQLITE, parts_of
from holdfast.model import ChosenDatabase, Header, Layout, part_of
from holdfast.operations.context import Context, choose_database, profile_of
from holdfast.operations.like_with_like import hide_secrets, opened_to_take, taken_like
from holdfast.operations.shelf import find_backup
from holdfast.operations.stored import fetched
from holdfast.profiles import Meta, recognise

LIVE = "live"  # the word for the database that other verbs would work on
LISTED_ROWS = 1000  # of one table


class DiffOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a comparison."""

    first: str  # a backup: a path, a day, latest; or a database: a path, live
    second: str = LIVE
    rows: bool = False  # list the keys of rows that differ
    values: bool = False  # and what they hold on either side
    tables: tuple[str, ...] = ()  # only these; none: all
    database: str | None = None
    sample: bool = False
    exit_code: bool = False  # tell by the exit code whether the two differ
    sync: bool = False  # tell which of a backup and its database has moved on
    wait_seconds: float = DEFAULT_WAIT_SECONDS


class _Found(Struct, frozen=True):
    """One of the two, found and not yet read."""

    side: Side
    kind: str
    is_proven: bool


def diff_backups(context: Context, options: DiffOptions) -> DiffReport:
    """
    Compare two sides, each read once and to its end, so that both are proven.

    A database is read in one transaction.

    Raises: BackupError and its kin; DatabaseError and its kin; UsageError for a table that
        neither side has.
    """
    chosen = _choose(context, options)
    words: list[str] = []
    shown: dict[Path, Path] = {}
    with contextlib.ExitStack() as stack:
        for word in (options.first, options.second):
            found = stack.enter_context(fetched(context, word, chosen))
            words.append(str(found.path) if found else word)
            shown |= {found.path: found.shown} if found else {}
        report = _diff(context, options, words, chosen)
    first, second = (
        replace(side, path=shown.get(side.path, side.path))
        for side in (report.first, report.second)
    )
    return replace(report, first=first, second=second)


def _diff(
    context: Context, options: DiffOptions, words: Sequence[str], chosen: ChosenDatabase | None
) -> DiffReport:
    headers = [_header_of(context, word, chosen) for word in words]
    first, second = (
        _find(context, word, chosen, options, like)
        for word, like in zip(words, headers[::-1], strict=True)
    )
    redacted: dict[str, Sequence[str]] = {}
    for header in headers:
        redacted |= header.redacted if header else {}
    if redacted:
        first, second = (_hiding(each, redacted) for each in (first, second))
    listing = _listing(context, options, chosen)
    found = compare(first.side, second.side, only=options.tables, listing=listing)
    report = _report(found, (first, second), options)
    if options.sync:
        report = replace(report, sync=_sync(context, found, (first, second)))
    return report


def _listing(context: Context, options: DiffOptions, chosen: ChosenDatabase | None) -> Listing:
    if not (options.rows or options.values):
        return NOTHING_LISTED

    def secrets(path: Path, header: Header) -> Iterator[tuple[str, Sequence[str]]]:
        names = (*header.layout, *(entry.name for entry in header.schema))  # of those left out, too
        for each in {files.resolved(path), chosen.path if chosen else path}:
            profile = profile_of(context, each, names)
            yield from profile.secrets.items() if profile else ()

    if options.values:
        return Listing(VALUED_ROWS, VALUED_COLUMNS, secrets)
    return Listing(LISTED_ROWS, 0, secrets)


def _sync(context: Context, found: Comparison, sides: tuple[_Found, _Found]) -> Sync:
    """Tell which of a backup and a database has changed since the one was made of the other."""
    kinds = [each.kind for each in sides]
    if sorted(kinds) != ["backup", "database"]:
        raise UsageError(
            "--sync compares a backup and a database", hint="As in: diff crm.json live --sync."
        )
    of_backup, of_database = kinds.index("backup"), kinds.index("database")
    header = found.headers[of_backup]
    profile = recognise(context.profiles, header.layout)
    # Every backup moves on the time of the last one: that is no change.
    passed = {profile.meta.table} if profile and profile.meta else set()

    def digests(of: Mapping[str, str]) -> dict[str, str]:
        known = header.layout if header.type == "partial" else of
        return {name: digest for name, digest in of.items() if name in known.keys() - passed}

    with contextlib.suppress(DatabaseError):  # a history that cannot be read says nothing
        before = context.history.last_digests(
            sides[of_database].side.path, sides[of_backup].side.path
        )
        return sync_verdict(
            before and digests(before),
            digests(found.trailers[of_backup].digests),
            digests(found.trailers[of_database].digests),
        )
    return Sync.DIVERGED


def _choose(context: Context, options: DiffOptions) -> ChosenDatabase | None:
    """Find the database that `live` means, and that `latest` is the latest backup of."""
    if LIVE in (options.first, options.second) or options.database or options.sample:
        return choose_database(context, options.database, sample=options.sample)
    with contextlib.suppress(DatabaseError):
        return choose_database(context)
    return None


def _backup(context: Context, word: str, chosen: ChosenDatabase | None) -> BackupReader | Path:
    """Find a backup, or the database that is meant: one that its own program may write to."""
    if word == LIVE and chosen:
        return chosen.path
    path = find_backup(context, word, chosen)
    reader = open_backup(path, context.keys)
    reader.watch = context.watch(f"reading {path.name}", context.rows_of(path))
    return path if reader.format is ANY_SQLITE and not is_compressed(path) else reader


def _header_of(context: Context, word: str, chosen: ChosenDatabase | None) -> Header | None:
    found = _backup(context, word, chosen)
    header = None if isinstance(found, Path) else next(iter(found.parts()))
    return header if isinstance(header, Header) else None


def _find(
    context: Context,
    word: str,
    chosen: ChosenDatabase | None,
    options: DiffOptions,
    like: Header | None,
) -> _Found:
    """Find one side; of a database, the part that the backup on the other side holds."""
    reader = _backup(context, word, chosen)
    if isinstance(reader, Path):
        return _database(context, reader, options, like)
    path = reader.path
    parts = partial(_proven_parts, context, reader)
    return _Found(Side(path, parts), "backup", reader.format.proves)


def _proven_parts(context: Context, reader: BackupReader) -> Generator[Part]:
    return _unstamped(context, reader.parts())


def _database(context: Context, path: Path, options: DiffOptions, like: Header | None) -> _Found:
    def parts() -> Generator[Part]:
        return _unstamped(context, _database_parts(context, path, options.wait_seconds, like))

    return _Found(Side(path, parts), "database", is_proven=True)


def _hiding(found: _Found, redacted: Mapping[str, Sequence[str]]) -> _Found:
    """Make secrets and their markers equal, on a side that has either."""
    side = found.side
    return replace(found, side=replace(side, parts=lambda: hide_secrets(side.parts(), redacted)))


def _unstamped(context: Context, parts: Iterator[Part]) -> Generator[Part]:
    """
    Leave out the time of the last backup where a tool keeps it in a table of its own.

    Every backup moves it on, after the rows were read: that is no change.
    """
    rows: RowReader | None = None
    writer, key, position = RowWriter(()), "", 0
    layout: Mapping[str, Layout] = {}
    meta: Meta | None = None
    for part in parts:
        if isinstance(part, Header):
            layout = part.layout
            names = (*layout, *(entry.name for entry in part.schema))  # of tables left out, too
            profile = recognise(context.profiles, names)
            meta = profile.meta if profile else None
        elif isinstance(part, TableStart):
            rows = None
            if meta and part.name == meta.table and meta.key_column in layout[part.name].columns:
                columns = layout[part.name].columns
                rows, writer = RowReader(columns), RowWriter(columns)
                key, position = meta.key, columns.index(meta.key_column)
        if isinstance(part, bytes) and rows:
            yield writer.lines([row for row in rows.rows(part) if row[position] != key])
        else:
            yield part


def _database_parts(
    context: Context, path: Path, wait_seconds: float, like: Header | None
) -> Generator[Part]:
    """Yield what a backup of one moment of a database would hold, chosen like another one."""
    with opened_to_take(path, wait_seconds) as connection:
        database.complain_of_damage(connection, path)
        yield from parts_of(connection, path.name, taken_like(context, connection, like).schema)


def _report(found: Comparison, sides: tuple[_Found, _Found], options: DiffOptions) -> DiffReport:
    first, second = (
        ComparedSide(each.side.path, each.kind, header.backup_date, each.is_proven)
        for each, header in zip(sides, found.headers, strict=True)
    )
    added, removed = added_tables(found, options.tables), removed_tables(found, options.tables)
    schema = tuple(schema_differences(found, options.tables))
    numbers = dict(number_differences(found, options.tables))
    return DiffReport(
        first=first,
        second=second,
        same=all(table.is_same for table in found.tables)
        and not (added or removed or schema or numbers),
        tables=found.tables,
        added_tables=added,
        removed_tables=removed,
        schema=schema,
        numbers=numbers,
        not_compared=tuple(left_out(found, options.tables)),
        parts=tuple(dict.fromkeys(part_of(header) for header in found.headers if part_of(header))),
        tells_by_exit_code=options.exit_code,
    )
