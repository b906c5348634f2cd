"""Prove a backup, rung by rung, and say how far it got."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

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
    StoreFailed,
)
from holdfast.formats import glance, open_backup
from holdfast.formats.interface import BackupReader, Part, TableStart
from holdfast.formats.sqlite_copy import parts_of
from holdfast.known import KnownBackup, KnownCopy
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
from holdfast.operations.shelf import backups_on_file, find_backup, latest_backups
from holdfast.operations.stored import (
    ALL,
    AtHand,
    fetched_from,
    find_stored,
    in_words,
    named_in_store,
)
from holdfast.outcomes import VerifiedBackup, VerifyReport
from holdfast.profiles import Meta
from holdfast.rebuild import rebuild
from holdfast.rows import layout_of
from holdfast.stores import StoredBackup


class VerifyOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a verification."""

    backups: tuple[str, ...]  # paths, days, latest, or all; in a store with STORE: before it
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
    verified: list[VerifiedBackup] = []
    warnings: list[str] = []
    for wanted in options.backups:
        for found in _each_at_hand(context, wanted, against):
            if isinstance(found, VerifiedBackup):  # it could not even be fetched
                verified.append(found)
                continue
            result = _verify(context, found.path, against, quick=options.quick)
            verified.append(
                replace(
                    result,
                    path=found.shown,
                    problem=in_words(result.problem, found.path, found.shown),
                    hint=in_words(result.hint, found.path, found.shown),
                )
            )
            warnings += result.warnings
            warnings += (
                _remember_copy(context, found.stored, result)
                if found.stored
                else _remember(context, result)
            )
    if not verified:
        return VerifyReport((), against, ("there is no backup to verify. Make one with /backup.",))
    return VerifyReport(tuple(verified), against, tuple(warnings))


def _each_at_hand(
    context: Context, wanted: str, against: ChosenDatabase | None
) -> Iterator[AtHand | VerifiedBackup]:
    """
    Yield the backups that a word means, one after the other, or what keeps one from us.

    Args: against: the database whose latest one is meant; None: that of each.
    """
    words = named_in_store(context, wanted)
    if words is None:
        if wanted == ALL:
            paths = [each.path for each in backups_on_file(context)]
        elif wanted == "latest" and against is None:
            paths = latest_backups(context)
        else:
            paths = [find_backup(context, wanted, against)]
        for path in paths:
            yield AtHand(path, path)
        return
    store = context.store(words[0])
    try:
        every = words[1] == ALL
        found = list(store.backups()) if every else [find_stored(context, store, words[1])]
    except StoreFailed as error:
        yield _unreached(Path(wanted), error)
        return
    for stored in found:
        try:
            with fetched_from(store, stored) as at_hand:
                yield at_hand
        except (BackupError, KeyNotAtHand, StoreFailed) as error:
            yield _unreached(Path(f"{store.name}:{stored.name}"), error)


def _unreached(path: Path, error: HoldfastError) -> VerifiedBackup:
    return VerifiedBackup(path, problem=str(error), hint=error.hint, exit_code=error.exit_code)


def _verify(
    context: Context, path: Path, against: ChosenDatabase | None, *, quick: bool
) -> VerifiedBackup:
    found = VerifiedBackup(path)
    try:
        with open_backup(path, context.keys) as reader:
            reader.watch = context.watch("reading", context.rows_of(path))
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
                reader.watch = context.watch("restoring", contents.row_count)
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


def _remember_copy(context: Context, stored: StoredBackup, found: VerifiedBackup) -> Iterator[str]:
    """Record how far a backup in a store got; otherwise as `_remember`."""
    reached = _reached(found)
    if reached is None:
        return
    known = {(each.store, each.name): each for each in context.known_copies()}
    before = known.get(
        (stored.store, stored.name),
        KnownCopy(stored.store, stored.name, "", stored.bytes, stored.created_at, "", ""),
    )
    if reached != DAMAGED and is_above(before.verified, reached):
        return
    try:
        context.history.record_copy(
            replace(before, verified=reached, verified_at=context.timestamp)
        )
    except HoldfastError as error:
        yield f"what was found could not be recorded: {error}"


def _reached(found: VerifiedBackup) -> str | None:
    """Return the highest rung that was reached, or DAMAGED; None when nothing can be said."""
    if found.exit_code in _NOTHING_PROVEN:
        return None
    if found.exit_code == BackupDamaged.exit_code:
        return DAMAGED
    return highest(found.rungs if is_proven(found.rungs) else found.rungs[:1])


def _remember(context: Context, found: VerifiedBackup) -> Iterator[str]:
    """Record how far the backup got; a quick look does not take back what was proven before."""
    reached = _reached(found)
    if reached is None:
        return
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
        is_less = reached != DAMAGED and is_above(known.verified, reached)
        if not (is_less and known.is_still(found.path)):
            known = replace(known, verified=reached, verified_at=context.timestamp)
        context.history.record_backup(known.as_it_is(found.path))
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
