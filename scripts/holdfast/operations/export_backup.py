"""Make a backup: read one moment of a database, write it beside, prove it, give it its name."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from holdfast import __version__, database, files
from holdfast.database import DEFAULT_WAIT_SECONDS, Connection
from holdfast.digest import Digest
from holdfast.errors import BackupDamaged, UsageError, WriteFailed
from holdfast.excerpts import Taken, secrets_of, take, wanted_of
from holdfast.formats import FORMATS, json_document
from holdfast.formats.compression import SUFFIXES, compressing
from holdfast.formats.growing import reading_back
from holdfast.formats.interface import (
    NAME,
    VERSION,
    BackupReader,
    Content,
    Target,
)
from holdfast.model import (
    ChosenDatabase,
    Contents,
    Excerpt,
    Header,
    LeftOut,
    Rows,
    Rung,
    Schema,
    SkippedTable,
    Trailer,
    part_of,
)
from holdfast.operations.context import Context, choose_database
from holdfast.operations.export_notes import remember, shrinkage, stamp
from holdfast.operations.like_with_like import opened_to_take
from holdfast.outcomes import ExportReport
from holdfast.profiles import Profile, recognise
from holdfast.readers import Readers, readers_of
from holdfast.redaction import Secrets
from holdfast.rows import layout_of
from holdfast.sample import build_sample
from holdfast.schema import fills, read_facts, read_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What may be asked of an export."""

    database: str | None = None  # a path, or a name from the settings
    sample: bool = False
    words: tuple[str, ...] = ()  # groups, or all; the last may be the name of what one holds
    groups: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()  # such as project=Planning
    redact: bool = False  # put a marker in the place of each secret that the profile names
    output: Path | None = None  # a file to write instead of one in the output folder
    stream: BinaryIO | None = None  # write here, and make no file
    format: str = "json"
    compression: str = "none"  # zstd, gzip
    pretty: bool = False  # json alone
    reproducible: bool = False  # say nothing that changes while the database does not
    verify: bool = True  # read back what was written, before it gets its name
    jobs: int | None = None  # processes that read; None: one a core when the database is large
    wait_seconds: float = DEFAULT_WAIT_SECONDS


@dataclass(frozen=True, slots=True)
class _Source:
    """What is exported: one moment of a database."""

    connection: Connection
    readers: Readers
    schema: Schema  # of the whole database
    taken: Taken
    header: Header
    profile: Profile | None
    secrets: Mapping[str, Secrets]  # by table


def export_backup(context: Context, options: ExportOptions) -> ExportReport:
    """
    Make a verified backup of a database; it appears whole or not at all.

    The database is read in one transaction and not changed, but for the time of the backup in
    the meta table of a tool whose profile names one. Earlier backups stay as they are.

    Raises: DatabaseError and its kin; WriteFailed; BackupDamaged when what was written does not
        read back as it should.
    """
    _complain_of_options(options)
    chosen = choose_database(context, options.database, sample=options.sample)
    if options.sample and not chosen.path.exists():
        with contextlib.suppress(WriteFailed):  # another export was quicker to make it
            build_sample(chosen.path)
    with (
        opened_to_take(chosen.path, options.wait_seconds) as connection,
        readers_of(chosen.path, connection, options.wait_seconds, options.jobs) as readers,
    ):
        source = _describe(context, options, connection, readers, chosen)
        # Others read whole tables alone, and see no secrets.
        readers.start(
            table
            for table in source.taken.schema.tables
            if table.excerpt == Excerpt() and table.name not in source.secrets
        )
        notes = database.complain_of_damage(connection, chosen.path)
        if options.stream is not None:
            content = _content(source)
            with files.translated_errors(Path("standard output")):
                _write_stream(options, content, options.stream)
                options.stream.flush()
            return _report(source, chosen, content.trailer(), path=None)
        path, trailer = _write_file(context, options, source)
    warnings = [
        *_unrestorable(notes, source.schema, options),
        *_unfilled(source.schema, options),
        *source.taken.warnings,
        *shrinkage(context, chosen, source.header, trailer),
        *remember(context, chosen, path, source.header, trailer, verified=_proof(options)),
        # The stamp would make the next backup differ; and it means a backup of everything.
        *(
            ()
            if options.reproducible or source.taken.is_partial
            else stamp(context, chosen, source.profile, source.schema, options.wait_seconds)
        ),
    ]
    return _report(
        source, chosen, trailer, path=path, verified=_proof(options), warnings=tuple(warnings)
    )


def _proof(options: ExportOptions) -> str:
    return Rung.CONTENTS if options.verify else ""


def _describe(
    context: Context,
    options: ExportOptions,
    connection: Connection,
    readers: Readers,
    chosen: ChosenDatabase,
) -> _Source:
    schema = read_schema(connection)
    profile = recognise(context.profiles, [table.name for table in schema.tables])
    taken = Taken(schema)
    wanted = wanted_of(profile, options.words, options.groups, options.tables, options.scope)
    if options.format != "sqlite":
        taken = take(connection, schema, profile, wanted)
    elif not wanted.is_all or options.redact:
        raise UsageError(
            "--format sqlite copies the pages of all tables", hint="Choose another format."
        )
    secrets = secrets_of(taken.schema, profile)
    connection.execute("PRAGMA query_only = ON")  # all that is noted beside it is noted
    header = Header(
        format=NAME,
        version=VERSION,
        backup_date="" if options.reproducible else context.timestamp,
        exported_by="" if options.reproducible else context.actor,
        generator="" if options.reproducible else f"holdfast {__version__}",
        type="partial" if taken.is_partial else "full",
        groups=taken.groups,
        skipped_tables=(
            *(
                SkippedTable(table.name, _REASONS[table.rows].format(table.module))
                for table in schema.virtual_tables
                if table.rows is not Rows.OWN
            ),
            *taken.skipped,
        ),
        choice=taken.choice,
        left_out=taken.left_out,
        redacted=secrets if options.redact else {},
        database=read_facts(connection, files.text_of(Path(chosen.path.name))),
        schema=schema.entries,
        layout={table.name: layout_of(table) for table in taken.schema.tables},
        settings={table.name: table.settings for table in schema.virtual_tables if table.settings},
    )
    watched = {
        name: Secrets(header.layout[name].columns, named, redact=options.redact)
        for name, named in secrets.items()
    }
    return _Source(connection, readers, schema, taken, header, profile, watched)


_REASONS = {
    Rows.REBUILT: "a full-text index ({}), which is made anew from its table",
    Rows.REFILLED: "a full-text index ({}) without text of its own, which triggers fill",
    Rows.DERIVED: "a virtual table ({}) without rows of its own",
    Rows.UNAVAILABLE: "its module {} is not here; the tables that hold its rows are kept",
}


def _unrestorable(notes: tuple[str, ...], schema: Schema, options: ExportOptions) -> Iterator[str]:
    """Name what SQLite here could not make again from rows."""
    # Broken rules for whole rows do not hinder a restore; those for single values do.
    found = [note for note in notes if " value in " in note]
    found += database.unmakeable([entry.sql for entry in schema.entries])
    if schema.has_odd_sequences:
        found.append("sqlite_sequence holds what SQLite did not write")
    if found and options.format != "sqlite":
        what = "; ".join(dict.fromkeys(found))
        yield f"{what}: this may not restore from rows; --format sqlite keeps it as it is."


def _unfilled(schema: Schema, options: ExportOptions) -> Iterator[str]:
    """Name the indexes that no restore of rows can fill."""
    triggers = [entry for entry in schema.entries if entry.type == "trigger"]
    for table in schema.virtual_tables:
        filled = any(fills(entry.sql, table.name) for entry in triggers)
        if table.rows is Rows.REFILLED and not filled and options.format != "sqlite":
            yield (
                f"{table.name} keeps no text and no trigger fills it: only --format sqlite"
                " keeps what it finds."
            )


def _complain_of_options(options: ExportOptions) -> None:
    form = FORMATS[options.format]
    if options.pretty and options.format != "json":
        raise UsageError("--pretty is for --format json", hint="Leave it out.")
    if options.compression != "none" and options.format == "zip":
        raise UsageError("a zip is compressed in itself", hint="Leave --compress out.")
    if options.stream is not None and not form.is_stream:
        raise UsageError(
            f"--format {options.format} cannot go to standard output",
            hint="Name a file with --output FILE, or use json or jsonl.",
        )


def _content(source: _Source) -> Content:
    digests = {table.name: Digest() for table in source.taken.schema.tables}

    def tables() -> Iterator[tuple[str, Iterator[bytes]]]:
        for table in source.taken.schema.tables:
            lines = source.readers.lines(table, source.secrets.get(table.name))
            yield table.name, digests[table.name].watch(lines)

    def trailer() -> Trailer:
        return Trailer(
            sequences=source.schema.sequences,
            counts={name: digest.row_count for name, digest in digests.items()},
            digests={name: digest.hex() for name, digest in digests.items()},
        )

    return Content(source.header, tables(), trailer, source.connection)


def _write_stream(options: ExportOptions, content: Content, stream: BinaryIO) -> None:
    with compressing(stream, options.compression) as file:
        _writer(options)(Target(file), content)


def _writer(options: ExportOptions) -> Callable[[Target, Content], None]:
    if options.pretty:
        return json_document.write_pretty
    write = FORMATS[options.format].write
    assert write is not None  # `_complain_of_options` lets no other name in
    return write


def _write_file(context: Context, options: ExportOptions, source: _Source) -> tuple[Path, Trailer]:
    form, content = FORMATS[options.format], _content(source)
    if options.output:
        files.complain_of_name(options.output)
    folder = options.output.parent if options.output else context.output
    names = [options.output] if options.output else _free_names(context, options)
    found: Callable[[], Contents] | None = None
    files.remove_leftovers(folder, context.now.timestamp())
    with contextlib.ExitStack() as stack:
        if form.is_folder:
            partial = stack.enter_context(files.new_folder(folder))
            _writer(options)(Target(path=partial, compression=options.compression), content)
        else:
            file, partial = stack.enter_context(files.new_file(folder))
            if form.read_stream and options.verify:
                found = stack.enter_context(reading_back(partial, form))
            with files.translated_errors(folder):
                _write_into(options, content, file, partial)
                files.fsync_file(file)
        if form.manifest:
            with files.create(partial.with_name(partial.name + form.manifest_suffix)) as manifest:
                manifest.write(form.manifest(partial, content))
        if options.verify:
            _prove(found or BackupReader(partial, form).contents, content.trailer())
        path = files.publish(partial, names, manifest_suffix=form.manifest_suffix)
    return path, content.trailer()


def _write_into(options: ExportOptions, content: Content, file: BinaryIO, partial: Path) -> None:
    if FORMATS[options.format].is_stream:
        _write_stream(options, content, file)
    elif options.compression == "none":
        _writer(options)(Target(file, partial), content)
    else:  # pages are written in no order: they are compressed once all are there
        with files.new_file(partial.parent) as (raw, raw_partial):
            _writer(options)(Target(raw, raw_partial), content)
            with compressing(file, options.compression) as compressed:
                shutil.copyfileobj(raw, compressed)


def _prove(contents: Callable[[], Contents], trailer: Trailer) -> None:
    """Read the backup back, whole, before it is called one."""
    try:
        found = contents()
    except BackupDamaged as error:
        raise _not_what_was_read(str(error)) from error
    if found.trailer != trailer:
        raise _not_what_was_read("its counts differ")


def _not_what_was_read(what: str) -> BackupDamaged:
    return BackupDamaged(
        f"what was written does not read back as it should ({what}); it was thrown away",
        hint="The disk may be failing. Try another folder with --output FILE.",
    )


def _free_names(context: Context, options: ExportOptions) -> Iterator[Path]:
    """Yield the day's name, then names with the time, then with a number."""
    form = FORMATS[options.format]
    # In a folder it is the files that are compressed.
    suffix = "" if form.is_folder else form.suffix + SUFFIXES[options.compression]
    yield context.output / f"backup-{context.now:%Y-%m-%d}{suffix}"
    yield context.output / f"backup-{context.now:%Y-%m-%dT%H%M%SZ}{suffix}"
    for number in range(2, 1000):
        yield context.output / f"backup-{context.now:%Y-%m-%dT%H%M%SZ}-{number}{suffix}"


def _report(
    source: _Source,
    chosen: ChosenDatabase,
    trailer: Trailer,
    *,
    path: Path | None,
    verified: str = "",
    warnings: tuple[str, ...] = (),
) -> ExportReport:
    profile = source.profile
    here = {table.name for table in source.schema.tables}
    return ExportReport(
        path=path,
        bytes=files.size_of(path) if path else None,
        database=chosen,
        counts=trailer.counts,
        headline=profile.headline if profile else (),
        part=part_of(source.header),
        left_out=source.header.left_out or LeftOut(),
        secrets={
            f"{name}.{secret}": count
            for name, secrets in source.secrets.items()
            for secret, count in secrets.counts.items()
            if count
        },
        is_redacted=bool(source.header.redacted),
        skipped_tables=source.header.skipped_tables,
        missing_tables=tuple(
            name for name in (profile.tables if profile else ()) if name not in here
        ),
        profile=profile.name if profile else None,
        verified=verified,
        warnings=warnings,
    )
