"""How each database stands: whether it would come back if it were lost now."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field

from holdfast import database, files
from holdfast.concerns import Concern, DatabaseState, Kind, Safety, ScheduleState
from holdfast.errors import (
    DatabaseLocked,
    DatabaseNotFound,
    HoldfastError,
    ProfileError,
    ReadFailed,
    SettingsError,
)
from holdfast.model import DAMAGED, ChosenDatabase
from holdfast.operations.context import Context, choose_database, configured_name, profile_of
from holdfast.operations.on_record import OnRecord, read_record
from holdfast.operations.schedule_record import failures_of_last_run, schedule_state
from holdfast.operations.shelf import backups_on_file, label_of, restore_command
from holdfast.operations.trust import key_concerns, trust_concerns
from holdfast.outcomes import BackupOnFile
from holdfast.profiles import Profile
from holdfast.times import ago, duration, moment, utc_text

MAX_AGE_SECONDS = 48 * 3600
_WAIT_SECONDS = 2.0  # for a lock: a status that says less is better than one that hangs
_WAIT_SECONDS_EACH = 0.1  # where there are several databases


class Shelf(Struct, frozen=True, dict=True):
    """All that is known of backups when it is asked, read once."""

    backups: tuple[BackupOnFile, ...]  # the newest first
    record: OnRecord
    schedule: ScheduleState | None = None
    # What the last scheduled run said of the databases that it could not back up.
    failures: Mapping[str, str] = field(default_factory=dict)

    def of_database(self, path: Path, name: str, *, takes_unknown: bool) -> list[BackupOnFile]:
        """
        Return the backups of a database, the newest first.

        Args:
            name: of the database, in those of its files that are not on record.
            takes_unknown: also all that are of nobody knows which database.
        """
        if takes_unknown:
            return [each for each in self.backups if each.database in ("", files.text_of(path))]
        found = self._by_database.get(files.text_of(path), [])
        labelled = self._by_database.get(name, []) if name else []
        return sorted([*found, *labelled], key=_made, reverse=True) if labelled else found

    @cached_property
    def _by_database(self) -> Mapping[str, list[BackupOnFile]]:
        found: dict[str, list[BackupOnFile]] = {}
        for each in self.backups:
            found.setdefault(each.database or label_of(each.path), []).append(each)
        return found


def _made(backup: BackupOnFile) -> str:
    return backup.created_at or ""


def look_at_shelf(context: Context) -> Shelf:
    """Look at the output folder and into the history."""
    record = read_record(context)
    schedule, failures = None, {}
    with contextlib.suppress(HoldfastError):  # a history that cannot be read is in the record
        schedule = schedule_state(context) if not record.problem else None
        if schedule:
            failures = failures_of_last_run(context.history)
    return Shelf(tuple(backups_on_file(context, record.backups)), record, schedule, failures)


def states_of_all(
    context: Context, shelf: Shelf, max_age_seconds: float
) -> tuple[DatabaseState, ...]:
    """
    Say how each database of backup.yaml stands, in its order.

    Reads only, and no backup as a whole, but for some whose time alone is another.

    Raises: SettingsError; ProfileError.
    """
    return tuple(
        state_of(
            context,
            shelf,
            ChosenDatabase(files.resolved(each.path), f"{name} in backup.yaml"),
            max_age_seconds,
            name=name,
        )
        for name, each in context.settings.databases.items()
    )


def of_no_database(
    context: Context, shelf: Shelf, max_age_seconds: float
) -> tuple[str | None, tuple[Concern, ...]]:
    """Say when the last backup was where no database is known, and what to warn of."""
    sound = [each for each in shelf.backups if not each.part and each.verified != DAMAGED]
    last = _last(context, [moment(each.created_at) for each in sound])
    if not sound:
        nothing = Concern(
            Kind.STALE,
            "there is no backup, and no database was found to make one of."
            " Name one with --db PATH, or see with discover what there is.",
        )
        return None, (nothing,)
    advice = " Make one with export --db PATH."
    concerns = _age_concerns(context, sound, _age(context, last), max_age_seconds, advice)
    return utc_text(last) if last else None, tuple(concerns)


def state_of(
    context: Context,
    shelf: Shelf,
    chosen: ChosenDatabase,
    max_age_seconds: float,
    *,
    name: str | None = None,
) -> DatabaseState:
    """
    Say how a database stands.

    Args:
        name: in backup.yaml; None: it is looked for there.
    """
    if name is None:
        name = configured_name(context, chosen.path)
    is_one_of_many = name != "" and len(context.settings.databases) > 1
    of_it = shelf.of_database(chosen.path, name, takes_unknown=not is_one_of_many)
    seen = _look_at(context, chosen.path, _WAIT_SECONDS_EACH if is_one_of_many else _WAIT_SECONDS)
    full = [each for each in of_it if not each.part]
    sound = [each for each in full if each.verified != DAMAGED]
    last = _last(context, [*(moment(each.created_at) for each in sound), seen.stamp])
    age = _age(context, last)
    advice = f" Make one with {_backup_command(context, chosen, name)}."
    concerns = (
        *_database_concerns(chosen, seen.trouble, full, name),
        *trust_concerns(context, chosen, full, shelf.record),
        *_age_concerns(context, sound, age, max_age_seconds, "" if seen.trouble else advice),
        *key_concerns(of_it),
    )
    kinds = {each.kind: each for each in concerns}
    failure = "" if _is_since_run(shelf, sound) else shelf.failures.get(name or str(chosen.path))
    if Kind.DATABASE in kinds:
        state, text = Safety.FAILING, str(seen.trouble)
    elif full and not sound:
        state, text = Safety.FAILING, "its backups are damaged"
    elif Kind.DAMAGED in kinds:
        state, text = Safety.FAILING, "its newest backup is damaged"
    elif Kind.CHANGED in kinds:
        state, text = Safety.FAILING, "its newest backup has changed since it was verified"
    elif failure:
        state, text = Safety.FAILING, f"the last scheduled backup failed: {failure}"
    elif not sound:
        state, text = Safety.NEVER, "never backed up" if age is None else "no backup of it is here"
    elif Kind.STALE in kinds:
        state, text = Safety.STALE, f"last backup {_old(age)}"
    else:
        state, text = Safety.SAFE, f"backed up {ago(age or 0.0)}"
    return DatabaseState(
        name=name,
        path=chosen.path,
        tool=seen.profile.title if seen.profile else "",
        profile=seen.profile.name if seen.profile else None,
        bytes=seen.bytes,
        state=state,
        text=text,
        last_backup_at=utc_text(last) if last else None,
        newest_backup=of_it[0].path.name if of_it else "",
        backup_count=len(of_it),
        warnings=tuple(each.text for each in concerns),
        concerns=concerns,
    )


def _old(age: float | None) -> str:
    return f"{duration(age)} old" if age is not None else "of an unknown date"


def _is_since_run(shelf: Shelf, sound: Sequence[BackupOnFile]) -> bool:
    """Tell whether a database was backed up after the last scheduled run began."""
    began = moment(shelf.schedule.last_run_at) if shelf.schedule else None
    made = moment(sound[0].created_at) if sound else None
    return began is None or (made is not None and made >= began)


def _last(context: Context, times: Sequence[datetime | None]) -> datetime | None:
    """Return the latest; what a clock that was wrong made would be the last one for years."""
    return max((time for time in times if time and not context.is_ahead(time)), default=None)


def _age(context: Context, last: datetime | None) -> float | None:
    return None if last is None else max(0.0, (context.now - last).total_seconds())


class _Seen(Struct, frozen=True):
    """What a short look at a database finds."""

    bytes: int = 0
    profile: Profile | None = None
    stamp: datetime | None = None  # when the tool itself says it was backed up
    trouble: HoldfastError | None = None


def _look_at(context: Context, path: Path, wait_seconds: float) -> _Seen:
    size = 0
    try:
        with files.reading(path):
            there = (path, Path(f"{path}-wal"))
            size = sum(files.size_of(each) for each in there if each.is_file())
        with database.read_only(path, wait_seconds) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
            profile = profile_of(context, path, names)
            return _Seen(size, profile, _stamp(connection, profile))
    except DatabaseLocked:  # which is a sign that it is in use, and none that it is broken
        return _Seen(size)
    except (ProfileError, SettingsError):
        raise
    except HoldfastError as error:  # a status needs no database
        return _Seen(size, trouble=error)


def _stamp(connection: database.Connection, profile: Profile | None) -> datetime | None:
    """Read the time of the last backup where the tool's own meta table keeps it."""
    if profile is None or profile.meta is None:
        return None
    quoted = database.quote_identifier
    found = connection.execute(
        f"SELECT {quoted(profile.meta.value_column)} FROM {quoted(profile.meta.table)}"
        f" WHERE {quoted(profile.meta.key_column)} = ?",
        [profile.meta.key],
    ).fetchone()
    return moment(str(found[0])) if found else None


def _backup_command(context: Context, chosen: ChosenDatabase, name: str) -> str:
    """Name the command that backs a database up: a plain export may be of another."""
    with contextlib.suppress(DatabaseNotFound):
        if name or choose_database(context).path == chosen.path:
            return "/backup"
    return shlex.join(["export", "--db", str(chosen.path)])


def _age_concerns(
    context: Context,
    backups: Sequence[BackupOnFile],
    age: float | None,
    max_age_seconds: float,
    advice: str,
) -> Iterator[Concern]:
    if age is None and not backups:
        yield Concern(Kind.STALE, f"there is no backup of this database.{advice}")
    elif not backups:
        yield Concern(
            Kind.STALE,
            f"only the database itself says that it was backed up: {context.output} holds no"
            f" whole backup of it.{advice}",
        )
    elif age is None or age > max_age_seconds:
        yield Concern(Kind.STALE, f"no backup in the last {duration(max_age_seconds)}.{advice}")


def _database_concerns(
    chosen: ChosenDatabase,
    trouble: HoldfastError | None,
    backups: Sequence[BackupOnFile],
    name: str,
) -> Iterator[Concern]:
    """Say what is wrong with a database, and how it comes back."""
    if trouble is None:
        return
    is_gone = isinstance(trouble, DatabaseNotFound)
    # One that is not on record here may be of another database.
    sound = [each.path for each in backups if each.database and each.verified != DAMAGED]
    # What cannot be looked at may well be sound.
    is_lost = bool(sound) and not isinstance(trouble, ReadFailed)
    again = f"To bring it back: {restore_command(sound[0], chosen.path)}" if is_lost else ""
    hint = "Correct its path in backup.yaml." if is_gone and name else trouble.hint
    what = f"there is {trouble}" if is_gone else str(trouble)
    yield Concern(Kind.DATABASE, f"{what}. {again or hint}")
