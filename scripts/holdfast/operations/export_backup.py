"""Make a backup: read one moment of a database, write it beside, prove it, give it its name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from holdfast import __version__, database, files
from holdfast.database import Connection
from holdfast.errors import UsageError, WriteFailed
from holdfast.excerpts import Taken, redacted, secrets_of, take, wanted_of
from holdfast.formats import FORMATS
from holdfast.formats.interface import (
    NAME,
    VERSION,
    VERSION_OF_NEW_NAMES,
)
from holdfast.model import (
    ChosenDatabase,
    Excerpt,
    Header,
    LeftOut,
    Rows,
    Schema,
    SkippedTable,
    Trailer,
    part_of,
)
from holdfast.operations.context import (
    Context,
    choose_database,
    label_of_database,
    name_of_database,
    profile_of,
)
from holdfast.operations.export_encrypted import (
    closed,
    closed_for,
    complain_of_recipients,
    write_encrypted,
)
from holdfast.operations.export_job import (
    ExportOptions,
    Source,
    content_of,
    write_file,
    write_stream,
)
from holdfast.operations.export_notes import expected_tables, losses, remember, stamp
from holdfast.operations.keeping import choose_stores, keep
from holdfast.operations.like_with_like import opened_to_take
from holdfast.outcomes import ExportReport
from holdfast.readers import Readers, helpers_to_read, readers_of
from holdfast.redaction import Secrets, is_known_to_version_1
from holdfast.rows import layout_of
from holdfast.sample import build_sample
from holdfast.schema import fills, read_facts, read_schema

__all__ = ["ExportOptions", "export_backup"]


def export_backup(context: Context, options: ExportOptions) -> ExportReport:
    """
    Make a verified backup of a database; it appears whole or not at all.

    The database is read in one transaction and not changed, but for the time of the backup in
    the meta table of a tool whose profile names one. Earlier backups stay as they are.

    Raises: DatabaseError and its kin; WriteFailed; BackupDamaged when what was written does not
        read back as it should.
    """
    _complain_of_options(options)
    stores = choose_stores(context, options.stores)
    chosen = choose_database(context, options.database, sample=options.sample)
    if options.sample and not chosen.path.exists():
        try:
            build_sample(chosen.path)
        except WriteFailed:
            if not chosen.path.exists():  # another export was not quicker to make it
                raise
    with _opened(context, options, chosen) as source:
        if options.stream is not None:
            content = content_of(source)
            with files.translated_errors(Path("standard output")):
                with closed(context, options, options.stream) as stream:
                    write_stream(options, content, stream)
                options.stream.flush()
            return _report(context, source, chosen, content.trailer(), options)
        write = write_encrypted if options.encrypt else write_file
        written = write(context, options, source)
    lost = losses(context, chosen, source.header, written.trailer)
    warnings = [
        *_unrestorable(source.notes(), source.schema, options),
        *_unfilled(source.schema, options),
        *source.taken.warnings,
        *([str(lost)] if lost else []),
        *remember(
            context,
            chosen,
            written.path,
            source.header,
            written.trailer,
            verified=written.verified,
            lost=lost,
        ),
        # The stamp would make the next backup differ; and it means a backup of everything.
        *(
            ()
            if options.reproducible or source.taken.is_partial
            else stamp(context, chosen, source.profile, source.schema, options.wait_seconds)
        ),
    ]
    report = _report(context, source, chosen, written.trailer, options)
    name = name_of_database(context, chosen.path)
    return replace(
        report,
        path=written.path,
        bytes=files.size_of(written.path),
        verified=written.verified,
        opens_here=written.opens_here,
        copies=keep(context, written.path, name, context.timestamp, stores),
        others=_others(context, options),
        warnings=tuple(warnings),
    )


@contextlib.contextmanager
def _opened(context: Context, options: ExportOptions, chosen: ChosenDatabase) -> Iterator[Source]:
    """Yield what is to be exported, while others read its rows and look for damage."""
    with (
        helpers_to_read(chosen.path, options.jobs) as helpers,
        opened_to_take(chosen.path, options.wait_seconds) as connection,
    ):
        readers = readers_of(chosen.path, connection, options.wait_seconds, helpers)
        # What goes to standard output cannot be taken back.
        beside = readers.jobs > 1 and options.stream is None
        with database.looking_for_damage(connection, chosen.path, beside=beside) as notes:
            source = _describe(context, options, connection, readers, chosen, notes)
            # Others read whole tables alone, and see no secrets.
            readers.start(
                table
                for table in source.taken.schema.tables
                if table.excerpt == Excerpt() and table.name not in source.secrets
            )
            yield source


def _others(context: Context, options: ExportOptions) -> tuple[str, ...]:
    """Name the databases of backup.yaml that a person may take for backed up, too."""
    is_named = options.database is not None or options.sample
    return () if is_named else tuple(context.settings.databases)[1:]


def _describe(
    context: Context,
    options: ExportOptions,
    connection: Connection,
    readers: Readers,
    chosen: ChosenDatabase,
    notes: Callable[[], tuple[str, ...]],
) -> Source:
    schema = read_schema(connection)
    profile = profile_of(context, chosen.path, [table.name for table in schema.tables])
    taken = Taken(schema)
    wanted = wanted_of(profile, options.words, options.groups, options.tables, options.scope)
    if options.format != "sqlite":
        taken = take(connection, schema, profile, wanted)
    elif not wanted.is_all or options.redact:
        raise UsageError(
            "--format sqlite copies the pages of all tables", hint="Choose another format."
        )
    secrets = secrets_of(taken.schema, profile)
    if options.redact:
        taken = redacted(taken, secrets, profile)
    named = secrets if options.redact else {}
    connection.execute("PRAGMA query_only = ON")  # all that is noted beside it is noted
    header = Header(
        format=NAME,
        version=VERSION if is_known_to_version_1(named) else VERSION_OF_NEW_NAMES,
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
        redacted=named,
        database=read_facts(connection, files.text_of(Path(chosen.path.name))),
        schema=schema.entries,
        layout={table.name: layout_of(table) for table in taken.schema.tables},
        settings={table.name: table.settings for table in schema.virtual_tables if table.settings},
    )
    watched = {
        name: Secrets(header.layout[name].columns, of_table, redact=options.redact)
        for name, of_table in secrets.items()
        if name in header.layout
    }
    label = options.label or label_of_database(context, chosen.path)
    watch = context.watch("writing", _rows_last_time(context, chosen.path, header))
    return Source(label, connection, readers, schema, taken, header, profile, watched, notes, watch)


def _rows_last_time(context: Context, path: Path, header: Header) -> int | None:
    """Return how many rows the last backup of the same part had: about what this one will have."""
    of_it = (
        each.row_count
        for each in context.known_backups()
        if each.database == files.text_of(path) and each.part == part_of(header)
    )
    return next(of_it, None)


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
    complain_of_recipients(options)
    if options.pretty and options.format != "json":
        raise UsageError("--pretty is for --format json", hint="Leave it out.")
    if options.compression != "none" and options.format == "zip":
        raise UsageError("a zip is compressed in itself", hint="Leave --compress out.")
    if options.stream is not None and options.stores:
        raise UsageError(
            "what goes to standard output goes into no store", hint="Leave --output - out."
        )
    if options.stream is not None and not form.is_stream:
        raise UsageError(
            f"--format {options.format} cannot go to standard output",
            hint="Name a file with --output FILE, or use json or jsonl.",
        )


def _report(
    context: Context,
    source: Source,
    chosen: ChosenDatabase,
    trailer: Trailer,
    options: ExportOptions,
) -> ExportReport:
    """Say what went to standard output."""
    profile = source.profile
    here = {table.name for table in source.schema.tables}
    return ExportReport(
        path=None,
        bytes=None,
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
            name for name in expected_tables(profile, source.header) if name not in here
        ),
        profile=profile.name if profile else None,
        verified="",
        encrypted=closed_for(context, options),
        warnings=source.taken.warnings,
    )
