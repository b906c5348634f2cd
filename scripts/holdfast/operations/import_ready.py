"""
An import made ready to be planned: the backup proven and staged, the database open.

Where the database has most rows of the backup just so, only the others are staged. That the
database has them was seen at one moment, and the plan is made at that same moment: nobody has
committed in between. In all other cases every row is staged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from holdfast import database, files
from holdfast.database import Connection
from holdfast.errors import PlanChanged
from holdfast.formats.interface import BackupReader
from holdfast.model import Schema
from holdfast.operations.context import Context
from holdfast.operations.import_job import (
    ImportJob,
    ImportOptions,
    ImportTarget,
    find_works,
    opened,
    remapped,
    stage,
)
from holdfast.profiles import with_references
from holdfast.readers import helpers_to_read, readers_of
from holdfast.schema import read_schema
from holdfast.sifting import Sifter
from holdfast.staging import Staging
from holdfast.works import Action, ConflictMode, Work
from holdfast.writing import keeps_triggers

# That ask only for rows that differ.
_SIFTING = (ConflictMode.OVERWRITE, ConflictMode.MERGE, ConflictMode.NEWER)


class Import(Struct, frozen=True):
    """What is to be imported, and where to; nothing of the rows has been read."""

    context: Context
    options: ImportOptions
    backup: Path
    target: ImportTarget
    reader: BackupReader

    @contextlib.contextmanager
    def ready(self) -> Iterator[ImportJob]:
        """
        Yield the import with the database open: to be changed, once that is agreed to.

        Raises: as `stage_backup` and `database.for_change`; PlanChanged.
        """
        with ExitStack() as stack:
            job = self._sifted(stack) if self._can_be_sifted() else None
            yield job or self._whole(stack)

    def _whole(self, stack: ExitStack) -> ImportJob:
        folder = stack.enter_context(files.scratch_folder())
        staging = stage(self.options, self.reader, self.target, folder)
        return self._opened(stack, staging)

    def _can_be_sifted(self) -> bool:
        options, target = self.options, self.target
        return (
            options.mode in _SIFTING
            and not (options.source or options.keys)
            # Text of UTF-16 has another order.
            and target.encoding == "UTF-8"
            # What a trigger does to rows that the plan does not name has to be looked for.
            and not keeps_triggers(target.schema)
        )

    def _sifted(self, outer: ExitStack) -> ImportJob | None:
        """Stage the rows that differ; None when it turns out that this cannot be."""
        path, wait = self.target.chosen.path, self.options.wait_seconds
        with ExitStack() as stack:
            folder = stack.enter_context(files.scratch_folder())
            with helpers_to_read(path) as helpers, database.read_only(path, wait) as connection:
                if self._has_moved(connection):
                    return None
                readers = readers_of(path, connection, wait, helpers)
                moment = database.moment_of(connection)
                sifter = Sifter(connection, readers, hashing=not self.options.yes)
                staging = stage(self.options, self.reader, self.target, folder, sifter)
                # Who waits for us to have read cannot let us write.
                database.let_go(connection)
                job = self._opened(stack, staging)
                if database.see_now(connection) != moment:
                    return None
            if not all(_is_as_sifted(job.connection, work) for work in job.works):
                return None
            outer.push(stack.pop_all())
        return job

    def _opened(self, stack: ExitStack, staging: Staging) -> ImportJob:
        options, target = self.options, self.target
        connection = stack.enter_context(opened(target, staging, options))
        if self._has_moved(connection):
            raise PlanChanged("the database's tables changed meanwhile", hint="Try again.")
        staging = remapped(connection, options, target, staging)
        works = find_works(connection, options, target, staging)
        return ImportJob(self.context, options, self.backup, target, staging, connection, works)

    def _has_moved(self, connection: Connection) -> bool:
        """Tell whether the tables are no longer those that were described."""
        return self._schema(connection) != self.target.schema

    def _schema(self, connection: Connection) -> Schema:
        return with_references(read_schema(connection), self.target.profile)


def _is_as_sifted(connection: Connection, work: Work) -> bool:
    """
    Tell whether no staged row has the key of a row that was passed over.

    In a backup whose rows are out of order, or in which a key comes twice, one could.
    """
    if work.table.sifted is None:
        return True
    (new,) = connection.execute(
        f"SELECT count(*) FROM {work.name} WHERE action = {Action.INSERT:d}"
    ).fetchone()
    return bool(new == work.table.sifted.new)
