"""What proves that a database is the one that a backup was made of, and sound."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from holdfast import database, files
from holdfast.database import Connection
from holdfast.digest import digest_of_lines
from holdfast.errors import DatabaseDamaged, RestoreFailed
from holdfast.model import Header, Trailer
from holdfast.readers import helpers_to_read, readers_of
from holdfast.rows import as_laid_out
from holdfast.schema import broken_references, read_facts, read_schema


@contextlib.contextmanager
def settled(path: Path, backup: Path, *, verify: bool) -> Iterator[Callable[[], int]]:
    """
    Put a database on the disk, and let SQLite check it, while this thread does something else.

    Args: backup: what it came out of, for errors.

    Yields: what waits for both, and returns the number of broken references, 0 if not `verify`;
        raises as `checked` does.
    """
    with (
        database.finished(path) as connection,
        ThreadPoolExecutor(1) as thread,
        checked(path, backup) if verify else contextlib.nullcontext(int) as sound,
    ):
        on_disk = thread.submit(files.fsync_path, path)
        broken = thread.submit(_count_broken, connection) if verify else thread.submit(int)

        def settle() -> int:
            on_disk.result()
            sound()
            return broken.result()

        try:
            yield settle
        finally:  # for what was not waited for
            connection.interrupt()


@contextlib.contextmanager
def checked(path: Path, backup: Path) -> Iterator[Callable[[], object]]:
    """
    Let SQLite check a database that nobody changes, while this thread does something else.

    Yields: what waits for it; raises RestoreFailed for a database that is not sound.
    """
    with database.finished(path) as connection, ThreadPoolExecutor(1) as thread:
        sound = thread.submit(_complain_of_damage, connection, backup)
        try:
            yield sound.result
        finally:  # for what was not waited for
            connection.interrupt()


def count_broken(path: Path) -> int:
    """Count the references of a database, which nobody changes, to rows that it does not have."""
    with database.finished(path) as connection:
        return _count_broken(connection)


def _count_broken(connection: Connection) -> int:
    return broken_references(connection).total()


def _complain_of_damage(connection: Connection, backup: Path) -> None:
    try:
        database.complain_of_damage(connection, backup, thorough=True)
    except DatabaseDamaged as error:  # as it was when its pages were copied
        raise RestoreFailed(
            f"what came out is not sound: {error}",
            hint="Restore another backup, or import the rows of this one into a sound database.",
        ) from error


@contextlib.contextmanager
def digests_of(
    path: Path, header: Header, trailer: Trailer, jobs: int | None = None
) -> Iterator[Callable[[], dict[str, str]]]:
    """
    Open a database whose rows nobody changes; it is seen as it is now.

    Args: jobs: as in `helpers_to_read`.

    Yields: what returns the digests of those tables of a backup that it has.
    """
    with helpers_to_read(path, jobs) as helpers, database.finished(path) as connection:
        readers = readers_of(path, connection, database.DEFAULT_WAIT_SECONDS, helpers)
        connection.execute("BEGIN")
        schema = read_schema(connection)
        tables = {
            name: as_laid_out(table, header.layout[name])
            for name in trailer.digests
            if (table := schema.table(name))
        }
        readers.start(tables.values())
        yield lambda: {
            name: digest_of_lines(readers.lines(table)).hex() for name, table in tables.items()
        }


def differences(
    path: Path, header: Header, trailer: Trailer, digests: Mapping[str, str] | None
) -> Iterator[str]:
    """
    Compare what was built with what the backup holds.

    Args: digests: of its tables, as `digests_of` gives them; None: they are still to be taken.

    Yields: what could not be made the same and is no loss of data.
    Raises: RestoreFailed for rows, tables or marks that differ.
    """
    if digests is None:
        with digests_of(path, header, trailer) as taken:
            digests = taken()
    for name, digest in trailer.digests.items():
        if name not in digests and name.startswith("sqlite_stat"):
            continue
        if digests.get(name) != digest:
            raise _differs(f"the rows of {name}")
    with database.finished(path) as connection:
        schema = read_schema(connection)
        found = read_facts(connection, header.database.name)
    if schema.sequences != trailer.sequences:
        raise _differs("the AUTOINCREMENT marks")
    if set(schema.entries) != set(header.schema):
        names = {entry.name for entry in set(schema.entries) ^ set(header.schema)}
        raise _differs(f"the schema of {', '.join(sorted(names))}")
    wanted = header.database
    for field in ("user_version", "application_id", "encoding", "page_size", "auto_vacuum"):
        if getattr(wanted, field) != getattr(found, field):
            yield f"{field} is {getattr(found, field)}, and was {getattr(wanted, field)}"


def _differs(what: str) -> RestoreFailed:
    return RestoreFailed(
        f"{what} did not come out as the backup has them",
        hint="Nothing was left behind. The backup is sound: a newer SQLite may restore it.",
    )
