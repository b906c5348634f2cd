"""A backup that is written encrypted, and proven although not all machines can open it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from msgspec.structs import replace

from holdfast import database, files
from holdfast.encryption import Keys, NotAKey, encrypting, opens_own, read_recipient
from holdfast.errors import KeyNotAtHand, NotABackup, UsageError
from holdfast.formats import FORMATS, open_backup, packing
from holdfast.formats.interface import BackupReader
from holdfast.model import Contents, Rung, Trailer
from holdfast.operations.context import Context
from holdfast.operations.export_job import (
    ExportOptions,
    Source,
    Written,
    content_of,
    free_names,
    not_what_was_read,
    prove,
    write_file,
    write_stream,
)
from holdfast.streams import Hashed, read_by


def keys_to_close(context: Context, options: ExportOptions) -> Keys:
    """Return the keys at hand, with the recipients that were named in place of those set."""
    return replace(context.keys, recipients=options.recipients or context.keys.recipients)


def complain_of_recipients(options: ExportOptions) -> None:
    """Raise UsageError for a recipient that is no public key."""
    try:
        for recipient in options.recipients:
            read_recipient(recipient)
    except NotAKey as error:
        raise UsageError(
            f"--recipient: {error}", hint="Make a key with the verb keys, or with age-keygen."
        ) from error


def closed_for(context: Context, options: ExportOptions) -> str:
    """Say who can open the backup; "" for everyone."""
    if not options.encrypt:
        return ""
    count = len(keys_to_close(context, options).recipients)
    return f"for {count} public key{'s' if count > 1 else ''}" if count else "with a passphrase"


@contextlib.contextmanager
def closed(context: Context, options: ExportOptions, stream: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a file that puts what it is given into another one, encrypted if that is asked for."""
    if options.encrypt:
        with encrypting(stream, keys_to_close(context, options)) as file:
            yield file
    else:
        yield stream


def write_encrypted(context: Context, options: ExportOptions, source: Source) -> Written:
    """
    Write an encrypted backup, prove it unless that is not wanted, and give it its name; or leave
    nothing.

    Where a key is at hand that opens it, it is read back as any backup is. Elsewhere its content
    is proven on the way in, and that the file holds what came out of the encryption.

    Raises: as `write_file`; SettingsError when nobody is named who could open it.
    """
    keys = keys_to_close(context, options)
    opens_here = opens_own(keys)
    if options.output:
        database.complain_of_name(options.output)
    folder = options.output.parent if options.output else context.output
    names = [options.output] if options.output else free_names(context, options, source.label)
    files.remove_leftovers(folder, context.now.timestamp())
    with files.new_file(folder) as (file, partial):
        target = Hashed(file)
        with files.translated_errors(folder):
            with encrypting(cast(BinaryIO, target), keys) as closed:
                on_the_way = options.verify and not opens_here
                trailer = _write(context, options, source, closed, is_proven=on_the_way)
            files.fsync_file(file)
        if options.verify and opens_here:
            prove(lambda: _read_back(partial, keys), trailer)
        elif options.verify and files.sha256_of(partial) != target.sha256.hexdigest():
            raise not_what_was_read("its bytes are others")
        path = files.publish(partial, names)
    return Written(path, trailer, _rung(options, opens_here=opens_here), opens_here=opens_here)


def _rung(options: ExportOptions, *, opens_here: bool) -> str:
    if not options.verify:
        return ""
    return Rung.CONTENTS if opens_here else Rung.HASH


def _read_back(partial: Path, keys: Keys) -> Contents:
    try:
        with open_backup(partial, keys) as reader:
            return reader.contents()
    except (KeyNotAtHand, NotABackup) as error:  # that a key opens it was just tried
        raise not_what_was_read(str(error)) from error


def _write(
    context: Context, options: ExportOptions, source: Source, closed: BinaryIO, *, is_proven: bool
) -> Trailer:
    """Write what is to be encrypted; prove it on the way, if that is wanted."""
    form = FORMATS[options.format]
    if form.read_stream is None:
        return _write_copy(context, options, source, closed, is_proven=is_proven)
    content = content_of(source)
    if not is_proven:
        write_stream(options, content, closed)
        return content.trailer()

    def contents(plain: BinaryIO) -> Contents:
        return BackupReader(Path("the backup"), form, plain).contents()

    with read_by(contents) as (copy, found):
        write_stream(options, content, cast(BinaryIO, _Both(closed, copy)))
    prove(found.result, content.trailer())
    return content.trailer()


def _write_copy(
    context: Context, options: ExportOptions, source: Source, closed: BinaryIO, *, is_proven: bool
) -> Trailer:
    """Write what is not written from its start to its end into a private folder first."""
    form = FORMATS[options.format]
    with files.scratch_folder() as folder:
        copy = folder / f"backup{form.suffix}"
        to_copy = replace(options, encrypt=False, output=copy, verify=is_proven)
        written = write_file(context, to_copy, source)
        packing.write_as_one(copy, form, closed)
    return written.trailer


class _Both:
    """Two files that are written the same."""

    def __init__(self, one: BinaryIO, other: BinaryIO) -> None:
        self._files = (one, other)

    def write(self, data: bytes) -> int:
        for file in self._files:
            file.write(data)
        return len(data)
