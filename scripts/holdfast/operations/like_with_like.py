"""Opens a database so that the same part of it is seen as a backup holds."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path

from holdfast import database, files
from holdfast.cells import RowReader, RowWriter
from holdfast.database import DEFAULT_WAIT_SECONDS, Connection
from holdfast.excerpts import SCRATCH, Taken, Wanted, markable, take
from holdfast.formats.interface import Part, TableStart
from holdfast.model import Header, Layout, folded
from holdfast.operations.context import Context
from holdfast.redaction import Secrets, secrets_in
from holdfast.schema import read_schema


@contextlib.contextmanager
def opened_to_take(path: Path, wait_seconds: float = DEFAULT_WAIT_SECONDS) -> Iterator[Connection]:
    """Open a database to be read, with one beside it in which picked rows can be noted."""
    with files.scratch_folder() as folder:
        attach = {SCRATCH: folder / "scratch.db"}
        with database.read_only(path, wait_seconds, attach=attach) as connection:
            yield connection


def taken_like(context: Context, connection: Connection, header: Header | None) -> Taken:
    """
    Say what a backup of a database would take now, chosen as another one was.

    Args: header: of that one; None: all of the database.
    """
    schema = read_schema(connection)
    taken = Taken(schema)
    if header and (choice := header.choice):
        # A profile that is gone leaves its rules with it: then more is seen than the backup holds.
        profile = next((each for each in context.profiles if each.name == choice.profile), None)
        wanted = Wanted(
            groups=choice.groups, tables=choice.tables, scope=choice.scope, may_be_gone=True
        )
        taken = take(connection, schema, profile, wanted)
    return markable(taken, header.redacted) if header else taken


def hide_secrets(parts: Iterator[Part], redacted: Mapping[str, Sequence[str]]) -> Generator[Part]:
    """Pass parts on with one marker in the place of every secret, and of every other marker."""
    named = {folded(name): secrets for name, secrets in redacted.items()}
    layout: Mapping[str, Layout] = {}
    hiding: tuple[RowReader, Secrets, RowWriter] | None = None
    for part in parts:
        if isinstance(part, Header):
            layout = part.layout
        elif isinstance(part, TableStart):
            columns = layout[part.name].columns
            secrets = secrets_in(columns, named.get(folded(part.name), ()))
            watch = Secrets(columns, secrets, redact=True, numbered=False)
            hiding = (RowReader(columns), watch, RowWriter(columns)) if secrets else None
        elif isinstance(part, bytes) and hiding:
            reader, watch, writer = hiding
            part = writer.lines(watch.rows(reader.rows(part)))  # noqa: PLW2901 - it takes its place
        yield part
