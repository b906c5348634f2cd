"""Say whether a database is safe: when it was last backed up, and what there is of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from holdfast import database, files
from holdfast.concerns import Concern, Kind, ScheduleState
from holdfast.database import Connection, quote_identifier
from holdfast.errors import (
    DatabaseLocked,
    DatabaseNotFound,
    HoldfastError,
    ProfileError,
    SettingsError,
)
from holdfast.model import DAMAGED, ChosenDatabase
from holdfast.operations.context import Context, choose_database, profile_of
from holdfast.operations.schedule_record import schedule_state
from holdfast.operations.shelf import backups_on_file, restore_command
from holdfast.operations.store_status import look_at_stores
from holdfast.operations.trust import key_concerns, store_concerns, trust_concerns
from holdfast.outcomes import BackupOnFile, StatusReport
from holdfast.times import duration, moment, utc_text

MAX_AGE_SECONDS = 48 * 3600
_AHEAD = timedelta(days=1)  # a tool may write its own time in that of its place
_HISTORY_WAIT_SECONDS = 0.2  # it is asked several times
_WAIT_SECONDS = 2.0  # for a lock: a status that says less is better than one that hangs


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions:
    """What may be asked of a status."""

    database: str | None = None
    sample: bool = False
    max_age_seconds: float = MAX_AGE_SECONDS


def report_status(context: Context, options: StatusOptions) -> StatusReport:
    """Say when the last backup was, and which there are; reads only."""
    context = replace(context, history_wait_seconds=_HISTORY_WAIT_SECONDS)
    backups = tuple(backups_on_file(context))
    chosen = _database(context, options, backups)
    of_it = [
        each for each in backups if not chosen or each.database in ("", files.text_of(chosen.path))
    ]
    full = [each for each in of_it if not each.part]
    sound = [each for each in full if each.verified != DAMAGED]
    stamp, trouble = _look_at(context, chosen) if chosen else (None, None)
    last = _last(context, [*(moment(each.created_at) for each in sound), stamp])
    stores = look_at_stores(context)
    age = None if last is None else max(0.0, (context.now - last).total_seconds())
    schedule = _schedule(context)
    concerns = (
        *_database_concerns(chosen, trouble, full),
        *(trust_concerns(context, chosen, full) if chosen else ()),
        *_schedule_concerns(context, schedule),
        *_age_concerns(context, options, chosen, sound, age, is_usable=trouble is None),
        *_concerns_of_others(context, options, chosen, backups),
        *key_concerns(of_it),
        *store_concerns(context, stores),
        *_library_concerns(),
        *_history_concerns(context),
    )
    return StatusReport(
        database=chosen,
        last_backup_at=utc_text(last) if last else None,
        age_seconds=None if age is None else int(age),
        checked_at=context.timestamp,
        backups=backups,
        folder=context.output,
        sqlite_version=database.sqlite_version(),
        warnings=tuple(each.text for each in concerns),
        concerns=concerns,
        schedule=schedule,
        stores=stores,
    )


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


def _last(context: Context, times: Sequence[datetime | None]) -> datetime | None:
    """Return the latest; what a clock that was wrong made would be the last one for years."""
    latest = context.now + _AHEAD
    return max((time for time in times if time and time <= latest), default=None)


def _look_at(
    context: Context, chosen: ChosenDatabase
) -> tuple[datetime | None, HoldfastError | None]:
    """Read when the tool itself says it was backed up, and what is wrong with the database."""
    try:
        with database.read_only(chosen.path, _WAIT_SECONDS) as connection:
            return _stamp(context, connection, chosen.path), None
    except DatabaseLocked:  # which is a sign that it is in use, and none that it is broken
        return None, None
    except (ProfileError, SettingsError):
        raise
    except HoldfastError as error:  # a status needs no database
        return None, error


def _stamp(context: Context, connection: Connection, path: Path) -> datetime | None:
    """Read the time of the last backup where the tool's own meta table keeps it."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    profile = profile_of(context, path, names)
    if profile is None or profile.meta is None:
        return None
    found = connection.execute(
        f"SELECT {quote_identifier(profile.meta.value_column)}"
        f" FROM {quote_identifier(profile.meta.table)}"
        f" WHERE {quote_identifier(profile.meta.key_column)} = ?",
        [profile.meta.key],
    ).fetchone()
    return moment(str(found[0])) if found else None


def _schedule(context: Context) -> ScheduleState | None:
    try:
        return schedule_state(context)
    except HoldfastError:  # a history that cannot be read is a concern of its own
        return None


def _schedule_concerns(context: Context, schedule: ScheduleState | None) -> Iterator[Concern]:
    if schedule:  # only then: it brings in the systems' schedulers
        from holdfast.operations.schedule_concerns import schedule_concerns

        yield from schedule_concerns(context, schedule)


def _age_concerns(
    context: Context,
    options: StatusOptions,
    chosen: ChosenDatabase | None,
    backups: list[BackupOnFile],
    age: float | None,
    *,
    is_usable: bool,
) -> Iterator[Concern]:
    advice = " Make one with /backup." if is_usable else ""
    if chosen is None and not backups:
        yield Concern(
            Kind.STALE,
            "there is no backup, and no database was found to make one of."
            " Name one with --db PATH, or see with discover what there is.",
        )
    elif age is None and not backups:
        yield Concern(Kind.STALE, f"there is no backup of this database.{advice}")
    elif not backups:
        yield Concern(
            Kind.STALE,
            f"only the database itself says that it was backed up: {context.output} holds no"
            f" whole backup of it.{advice}",
        )
    elif age is None or age > options.max_age_seconds:
        late = f"no backup in the last {duration(options.max_age_seconds)}.{advice}"
        yield Concern(Kind.STALE, late)


def _concerns_of_others(
    context: Context,
    options: StatusOptions,
    chosen: ChosenDatabase | None,
    backups: Sequence[BackupOnFile],
) -> Iterator[Concern]:
    """Name the other databases of backup.yaml that are gone, or have no recent backup."""
    if options.database is not None or options.sample:
        return
    for name, each in context.settings.databases.items():
        path = files.resolved(each.path)
        if chosen and path == chosen.path:
            continue
        full = [of for of in backups if of.database == files.text_of(path) and not of.part]
        last = _last(context, [moment(of.created_at) for of in full if of.verified != DAMAGED])
        try:
            database.require_database(path)
        except HoldfastError as error:
            yield Concern(Kind.DATABASE, f"{name}: {_trouble(error, path, full)}")
            continue
        if last is None:
            late = f"there is no backup of {path}"
        elif (context.now - last).total_seconds() > options.max_age_seconds:
            late = f"no backup in the last {duration(options.max_age_seconds)}"
        else:
            continue
        yield Concern(Kind.STALE, f"{name}: {late}. Make one with /backup export --all.")


def _library_concerns() -> Iterator[Concern]:
    if database.SQLITE_VERSION < database.FIRST_SOUND_SQLITE:
        sound = ".".join(map(str, database.FIRST_SOUND_SQLITE))
        yield Concern(
            Kind.LIBRARY,
            f"SQLite {database.sqlite_version()} can corrupt a database in WAL"
            f" mode; {sound} cannot. Update it, or install pysqlite3.",
        )


def _history_concerns(context: Context) -> Iterator[Concern]:
    try:
        context.history.backups()
    except HoldfastError as error:
        yield Concern(
            Kind.HISTORY,
            f"the history cannot be read, so no backup is known to be verified: {error}."
            f" {error.hint}",
        )


def _database_concerns(
    chosen: ChosenDatabase | None, trouble: HoldfastError | None, backups: list[BackupOnFile]
) -> Iterator[Concern]:
    if chosen is None or trouble is None:
        return
    yield Concern(Kind.DATABASE, _trouble(trouble, chosen.path, backups))


def _trouble(error: HoldfastError, path: Path, backups: Sequence[BackupOnFile]) -> str:
    """Say what is wrong with a database, and how it comes back."""
    what = f"there is {error}" if isinstance(error, DatabaseNotFound) else str(error)
    # One that is not on record here may be of another database.
    sound = [each.path for each in backups if each.database and each.verified != DAMAGED]
    again = f"To bring it back: {restore_command(sound[0], path)}" if sound else ""
    return f"{what}. {again or error.hint}"
