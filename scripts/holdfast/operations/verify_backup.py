"""Prove a backup, rung by rung, and say how far it got."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from holdfast import files
from holdfast.cells import Cell, RowReader
from holdfast.digest import Digest, digest_of, read_lines
from holdfast.errors import (
    BackupDamaged,
    BackupError,
    BackupNotFound,
    HoldfastError,
    KeyNotAtHand,
    NotABackup,
    ReadFailed,
    RestoreFailed,
)
from holdfast.formats import glance, open_backup
from holdfast.formats.interface import BackupReader, Part, TableStart
from holdfast.formats.sqlite_copy import parts_of
from holdfast.history import KnownBackup
from holdfast.model import (
    DAMAGED,
    ChosenDatabase,
    Contents,
    Layout,
    Rung,
    highest,
    is_above,
    is_proven,
)
from holdfast.operations.context import Context, choose_database, profile_of
from holdfast.operations.like_with_like import hide_secrets, opened_to_take, taken_like
from holdfast.operations.shelf import backups_on_file, find_backup
from holdfast.outcomes import VerifiedBackup, VerifyReport
from holdfast.profiles import Meta
from holdfast.rebuild import rebuild
from holdfast.rows import layout_of


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What may be asked of a verification."""

    backups: tuple[str, ...]  # paths, days, latest, or all
    database: str | None = None
    sample: bool = False
    quick: bool = False  # stop before the scratch restore
    against: bool = False  # compare with the database as it is now


def verify_backups(context: Context, options: VerifyOptions) -> VerifyReport:
    """
    Prove backups as far as can be; what is wrong with one is in its record, not raised.

    Raises: BackupNotFound, BackupAmbiguous; DatabaseError for a database to compare with.
    """
    against = None
    if options.against:
        against = choose_database(context, options.database, sample=options.sample)
    paths = [
        path
        for wanted in options.backups
        for path in (
            [each.path for each in backups_on_file(context)]
            if wanted == "all"
            else [find_backup(context, wanted)]
        )
    ]
    verified = tuple(_verify(context, path, against, quick=options.quick) for path in paths)
    if not paths:
        return VerifyReport((), against, ("there is no backup to verify. Make one with /backup.",))
    warnings = [text for each in verified for text in (*each.warnings, *_remember(context, each))]
    return VerifyReport(verified, against, tuple(warnings))


def _verify(
    context: Context, path: Path, against: ChosenDatabase | None, *, quick: bool
) -> VerifiedBackup:
    found = VerifiedBackup(path)
    try:
        with open_backup(path, context.keys) as reader:
            contents = reader.contents()
            proven = (Rung.WHOLE, Rung.HASH, Rung.CONTENTS)
            found = replace(
                found,
                rungs=proven if contents.is_proven else (Rung.WHOLE,),
                row_count=contents.row_count,
                warnings=contents.warnings,
            )
            if against:
                differing = tuple(_differing(context, reader, contents, against))
                found = replace(found, differing=differing)
            if quick or not contents.header.schema:  # without one no database can be built
                return found
            with files.scratch_folder() as folder:
                scratch = folder / "restored.db"
                files.make_empty(scratch)
                broken = rebuild(reader, scratch).broken_references
        return replace(
            found, rungs=(*found.rungs, Rung.RESTORED, Rung.SOUND), broken_references=broken
        )
    except (BackupError, KeyNotAtHand, ReadFailed, RestoreFailed) as error:
        return replace(found, problem=str(error), hint=error.hint, exit_code=error.exit_code)


def _differing(
    context: Context, reader: BackupReader, contents: Contents, against: ChosenDatabase
) -> Iterator[str]:
    """Yield the tables whose rows in the database are not those of the backup."""
    with opened_to_take(against.path) as connection:
        schema = taken_like(context, connection, contents.header).schema
        profile = profile_of(context, against.path, [entry.name for entry in schema.entries])
        meta = profile.meta if profile else None
        for name, digest in contents.trailer.digests.items():
            table = schema.table(name)
            if table is not None and digest_of(connection, table).hex() == digest:
                continue
            if table is not None and name in contents.header.redacted:
                now = parts_of(connection, "", replace(schema, tables=(table,)))
                if _hidden(now, name, contents) == _hidden(reader.parts(), name, contents):
                    continue
            # Every backup moves the time of the last one on, which is no change.
            if table is not None and meta is not None and name == meta.table:
                kept = _unstamped(read_lines(connection, table), layout_of(table), meta)
                if kept == _unstamped(
                    _lines_of(reader.parts(), name), contents.header.layout[name], meta
                ):
                    continue
            yield name
        yield from (
            table.name for table in schema.tables if table.name not in contents.trailer.digests
        )


def _hidden(parts: Iterator[Part], table: str, contents: Contents) -> str:
    """Hash a table's rows with all secrets alike."""
    digest = Digest()
    for lines in _lines_of(hide_secrets(parts, contents.header.redacted), table):
        digest.update(lines)
    return digest.hex()


def _unstamped(lines: Iterable[bytes], layout: Layout, meta: Meta) -> list[tuple[Cell, ...]]:
    position, reader = layout.columns.index(meta.key_column), RowReader(layout.columns)
    rows = chain.from_iterable(map(reader.rows, lines))
    return [row for row in rows if row[position] != meta.key]


def _lines_of(parts: Iterator[Part], table: str) -> Iterator[bytes]:
    name = ""
    for part in parts:
        if isinstance(part, TableStart):
            name = part.name
        elif isinstance(part, bytes) and name == table:
            yield part


def _remember(context: Context, found: VerifiedBackup) -> Iterator[str]:
    """Record how far the backup got; a quick look does not take back what was proven before."""
    if found.exit_code in _NOTHING_PROVEN:
        return
    is_damaged = found.exit_code == BackupDamaged.exit_code
    reached = (
        DAMAGED
        if is_damaged
        else highest(found.rungs if is_proven(found.rungs) else found.rungs[:1])
    )
    known = {each.path: each for each in context.known_backups()}.get(files.text_of(found.path))
    try:
        if known is None:
            known = KnownBackup(
                path=files.text_of(found.path),
                database="",
                created_at=_date_of(context, found.path),
                bytes=0,
                modified_ns=0,
                row_count=found.row_count,
                counts={},
                verified="",
                verified_at="",
            )
        elif not is_damaged and known.is_still(found.path) and is_above(known.verified, reached):
            return
        context.history.record_backup(
            replace(
                known,
                bytes=files.size_of(found.path),
                modified_ns=files.modified_ns(found.path),
                verified=reached,
                verified_at=context.timestamp,
            )
        )
    except (HoldfastError, OSError) as error:
        yield f"what was found could not be recorded: {error}"


_NOTHING_PROVEN = [
    each.exit_code for each in (NotABackup, BackupNotFound, KeyNotAtHand, ReadFailed)
]


def _date_of(context: Context, path: Path) -> str:
    """Say when a backup was made, as far as it can be read."""
    with contextlib.suppress(BackupError):
        return glance(path, context.keys).backup_date or ""
    return ""
