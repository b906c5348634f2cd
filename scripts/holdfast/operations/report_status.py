"""Say whether databases are safe: when each was last backed up, and what there is of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import database
from holdfast.concerns import Concern, DatabaseState, Kind, ScheduleState
from holdfast.errors import DatabaseNotFound, HoldfastError
from holdfast.model import ChosenDatabase
from holdfast.operations.context import Context, choose_database
from holdfast.operations.safety import (
    MAX_AGE_SECONDS,
    look_at_shelf,
    of_no_database,
    state_of,
    states_of_all,
)
from holdfast.operations.store_status import look_at_stores
from holdfast.operations.trust import store_concerns
from holdfast.outcomes import BackupOnFile, StatusReport
from holdfast.times import moment

__all__ = ["MAX_AGE_SECONDS", "StatusOptions", "report_status"]

_HISTORY_WAIT_SECONDS = 0.2  # it is asked several times
_NAMED = 5  # of the databases that are warned of in the same words


class StatusOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a status."""

    database: str | None = None
    sample: bool = False
    max_age_seconds: float = MAX_AGE_SECONDS


def report_status(context: Context, options: StatusOptions) -> StatusReport:
    """
    Say when the last backup was, and which there are; reads only.

    It is about all databases of backup.yaml where these are several and none is named.
    """
    context = replace(context, history_wait_seconds=_HISTORY_WAIT_SECONDS)
    shelf = look_at_shelf(context)
    is_of_all = (
        options.database is None and not options.sample and len(context.settings.databases) > 1
    )
    chosen = None if is_of_all else _database(context, options, shelf.backups)
    states: tuple[DatabaseState, ...] = ()
    backups: Sequence[BackupOnFile] = shelf.backups
    if is_of_all:
        states = states_of_all(context, shelf, options.max_age_seconds)
        last = max(filter(None, (each.last_backup_at for each in states)), default=None)
        found = tuple(_joined(states))
    elif chosen:
        states = (state_of(context, shelf, chosen, options.max_age_seconds),)
        last, found = states[0].last_backup_at, states[0].concerns
        if states[0].name and len(context.settings.databases) > 1:
            backups = shelf.of_database(chosen.path, states[0].name, takes_unknown=False)
    else:
        last, found = of_no_database(context, shelf, options.max_age_seconds)
    stores = look_at_stores(context)
    concerns = (
        *found,
        *_schedule_concerns(context, shelf.schedule),
        *store_concerns(context, stores),
        *_library_concerns(),
        *_history_concerns(shelf.record.problem),
    )
    then = moment(last)
    return StatusReport(
        database=chosen,
        last_backup_at=last,
        age_seconds=int(max(0.0, (context.now - then).total_seconds())) if then else None,
        checked_at=context.timestamp,
        backups=tuple(backups),
        folder=context.output,
        sqlite_version=database.sqlite_version(),
        warnings=tuple(each.text for each in concerns),
        concerns=concerns,
        schedule=shelf.schedule,
        stores=stores,
        databases=states,
    )


def _joined(states: Iterable[DatabaseState]) -> Iterator[Concern]:
    """Yield what is warned of, each with the names of all databases that it is said of."""
    names: dict[Concern, list[str]] = {}
    for state in states:
        for each in state.concerns:
            names.setdefault(each, []).append(state.name)
    for concern, of in names.items():
        more = f" and {len(of) - _NAMED} more" if len(of) > _NAMED else ""
        yield replace(concern, text=f"{', '.join(of[:_NAMED])}{more}: {concern.text}")


def _database(
    context: Context, options: StatusOptions, backups: Sequence[BackupOnFile]
) -> ChosenDatabase | None:
    """Choose as other verbs do; where these find none, the one that is missed most likely."""
    try:
        return choose_database(context, options.database, sample=options.sample)
    except DatabaseNotFound:
        for name in context.settings.databases:
            return choose_database(context, name)
        known = [each.database for each in backups if each.database]
        return ChosenDatabase(Path(known[0]), "of the last backup") if known else None


def _schedule_concerns(context: Context, schedule: ScheduleState | None) -> Iterator[Concern]:
    if schedule:  # only then: it brings in the systems' schedulers
        from holdfast.operations.schedule_concerns import schedule_concerns

        yield from schedule_concerns(context, schedule)


def _library_concerns() -> Iterator[Concern]:
    if database.SQLITE_VERSION < database.FIRST_SOUND_SQLITE:
        sound = ".".join(map(str, database.FIRST_SOUND_SQLITE))
        yield Concern(
            Kind.LIBRARY,
            f"SQLite {database.sqlite_version()} can corrupt a database in WAL"
            f" mode; {sound} cannot. Update it, or install pysqlite3.",
        )


def _history_concerns(problem: HoldfastError | None) -> Iterator[Concern]:
    if problem:
        yield Concern(
            Kind.HISTORY,
            f"the history cannot be read, so no backup is known to be verified: {problem}."
            f" {problem.hint}",
        )
