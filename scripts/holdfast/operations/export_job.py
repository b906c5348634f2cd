"""What is asked of an export, what it works on, and how its backup is written and proven."""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from holdfast import database, encryption, files
from holdfast.database import DEFAULT_WAIT_SECONDS, Connection
from holdfast.digest import Digest
from holdfast.errors import BackupDamaged
from holdfast.excerpts import Taken
from holdfast.formats import FORMATS, json_document, packing
from holdfast.formats.compression import SUFFIXES, compressing
from holdfast.formats.growing import reading_back
from holdfast.formats.interface import BackupReader, Content, Target
from holdfast.model import Contents, Header, Rung, Schema, Trailer
from holdfast.operations.context import Context, Progress
from holdfast.profiles import Profile
from holdfast.readers import Readers
from holdfast.redaction import Secrets


class ExportOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of an export."""

    database: str | None = None  # a path, or a name from the settings
    sample: bool = False
    words: tuple[str, ...] = ()  # groups, or all; the last may be the name of what one holds
    groups: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()  # such as project=Planning
    redact: bool = False  # put a marker in the place of each secret that the profile names
    stores: tuple[str, ...] = ()  # of backup.yaml, where it goes as well; `all`: to each of them
    output: Path | None = None  # a file to write instead of one in the output folder
    label: str = ""  # what its name there says besides the date; "": that of the database
    stream: BinaryIO | None = None  # write here, and make no file
    format: str = "json"
    compression: str = "none"  # zstd, gzip
    encrypt: bool = False
    recipients: tuple[str, ...] = ()  # public keys; none: those that are set, or the passphrase
    pretty: bool = False  # json alone
    reproducible: bool = False  # say nothing that changes while the database does not
    verify: bool = True  # read back what was written, before it gets its name
    jobs: int | None = None  # processes that read; None: one a core when the database is large
    wait_seconds: float = DEFAULT_WAIT_SECONDS


class Source(Struct, frozen=True):
    """What is exported: one moment of a database."""

    label: str  # of its files in the output folder, besides the date; "" for none
    connection: Connection
    readers: Readers
    schema: Schema  # of the whole database
    taken: Taken
    header: Header
    profile: Profile | None
    secrets: Mapping[str, Secrets]  # by table
    # What a look for damage noted, once all of it was looked at; DatabaseDamaged.
    notes: Callable[[], tuple[str, ...]]
    watch: Callable[[str, int], None]  # is told of each table how many rows are written


class Written(Struct, frozen=True):
    """A backup that has its name."""

    path: Path
    trailer: Trailer
    verified: str  # the highest rung; "" for none
    opens_here: bool = True  # nothing is encrypted, or a key is at hand


def content_of(source: Source) -> Content:
    """Return what is to be written, with digests that are taken as the rows pass."""
    digests = {table.name: Digest() for table in source.taken.schema.tables}

    def tables() -> Iterator[tuple[str, Iterator[bytes]]]:
        for table in source.taken.schema.tables:
            lines = source.readers.lines(table, source.secrets.get(table.name))
            tell = functools.partial(source.watch, table.name)
            yield table.name, digests[table.name].watch(lines, tell)

    def trailer() -> Trailer:
        source.notes()  # of a damaged database there is to be no backup
        return Trailer(
            sequences=source.schema.sequences,
            counts={name: digest.row_count for name, digest in digests.items()},
            digests={name: digest.hex() for name, digest in digests.items()},
        )

    return Content(source.header, tables(), trailer, source.connection)


def write_stream(options: ExportOptions, content: Content, stream: BinaryIO) -> None:
    """Write a backup that is one file, compressed as asked for."""
    with compressing(stream, options.compression) as file:
        _writer(options)(Target(file), content)


def _writer(options: ExportOptions) -> Callable[[Target, Content], None]:
    if options.pretty:
        return json_document.write_pretty
    write = FORMATS[options.format].write
    assert write is not None  # `_complain_of_options` lets no other name in
    return write


def write_file(context: Context, options: ExportOptions, source: Source) -> Written:
    """
    Write a backup, prove it unless that is not wanted, and give it its name; or leave nothing.

    Raises: WriteFailed; BackupDamaged when what was written does not read back as it should.
    """
    form, content = FORMATS[options.format], content_of(source)
    if options.output:
        database.complain_of_name(options.output)
    folder = options.output.parent if options.output else context.output
    names = [options.output] if options.output else free_names(context, options, source.label)
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
                with files.put_on_disk_meanwhile(partial):
                    _write_into(options, content, file, partial)
                files.fsync_file(file)
        if form.manifest:
            with files.create(partial.with_name(partial.name + form.manifest_suffix)) as manifest:
                manifest.write(form.manifest(partial, content))
        if options.verify:
            context.progress(Progress("reading back"))
            prove(found or BackupReader(partial, form).contents, content.trailer())
        path = files.publish(partial, names, manifest_suffix=form.manifest_suffix)
    return Written(path, content.trailer(), Rung.CONTENTS if options.verify else "")


def _write_into(options: ExportOptions, content: Content, file: BinaryIO, partial: Path) -> None:
    if FORMATS[options.format].is_stream:
        write_stream(options, content, file)
    elif options.compression == "none":
        _writer(options)(Target(file, partial), content)
    else:  # pages are written in no order: they are compressed once all are there
        with files.new_file(partial.parent) as (raw, raw_partial):
            _writer(options)(Target(raw, raw_partial), content)
            with compressing(file, options.compression) as compressed:
                shutil.copyfileobj(raw, compressed)


def prove(contents: Callable[[], Contents], trailer: Trailer) -> None:
    """Read the backup back, whole, before it is called one."""
    try:
        found = contents()
    except BackupDamaged as error:
        raise not_what_was_read(str(error)) from error
    if found.trailer != trailer:
        raise not_what_was_read("its counts differ")


def not_what_was_read(what: str) -> BackupDamaged:
    """Make the error for a backup that was thrown away."""
    return BackupDamaged(
        f"what was written does not read back as it should ({what}); it was thrown away",
        hint="The disk may be failing. Try another folder with --output FILE.",
    )


def free_names(context: Context, options: ExportOptions, label: str) -> Iterator[Path]:
    """Yield the day's name, then names with the time, then with a number."""
    form = FORMATS[options.format]
    # In a folder it is the files that are compressed.
    suffix = "" if form.is_folder else form.suffix + SUFFIXES[options.compression]
    if options.encrypt:
        suffix += (packing.SUFFIX if form.is_several else "") + encryption.SUFFIX
    start = f"backup-{label}-" if label else "backup-"
    yield context.output / f"{start}{context.now:%Y-%m-%d}{suffix}"
    yield context.output / f"{start}{context.now:%Y-%m-%dT%H%M%SZ}{suffix}"
    for number in range(2, 1000):
        yield context.output / f"{start}{context.now:%Y-%m-%dT%H%M%SZ}-{number}{suffix}"
