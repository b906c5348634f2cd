"""Find the databases that assistants and their tools keep on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast import database, files
from holdfast.database import quote_identifier
from holdfast.errors import HoldfastError, SettingsError, UsageError
from holdfast.excerpts import secrets_of
from holdfast.found import DiscoverReport, FoundCompanion, FoundDatabase
from holdfast.operations.context import Context, profile_of
from holdfast.profiles import (
    SETTINGS_FILE,
    Complaint,
    Profile,
    databases_at,
    expand,
    with_databases,
)
from holdfast.redaction import secret_name
from holdfast.schema import read_schema
from holdfast.times import utc_text

_WAIT_SECONDS = 2.0
_COUNTED_BYTES = 512 * 1024 * 1024  # of a larger database the rows are not counted: it takes long


class DiscoverOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a discovery."""

    add: tuple[str, ...] = ()  # names of what is found, or all


def discover(context: Context, options: DiscoverOptions) -> DiscoverReport:
    """
    Find databases where their tools keep them, and put those that are named into backup.yaml.

    The databases are read, never changed. What is no database, or cannot be opened, is in the
    report with what is wrong with it.

    Raises: UsageError for a name that is not found; SettingsError; WriteFailed.
    """
    found = _named(list(_found(context)))
    added = _chosen(found, options.add)
    unknown = tuple(_unknown_backups(context))
    if added:
        _add(context, added)
        found = [replace(each, is_configured=each.is_configured or each in added) for each in found]
    return DiscoverReport(
        databases=tuple(found),
        added=tuple(each.name for each in added),
        settings=context.home.path / SETTINGS_FILE,
        looked_for=len(context.profiles),
        checked_at=context.timestamp,
        knows_backups=not unknown,
        warnings=unknown
        + tuple(
            f"{each.name} was not added: {each.problem}"
            if each.name in options.add
            else f"{each.path}: {each.problem}"
            for each in found
            if each.problem and (not each.profile or each.name in options.add)
        ),
    )


def _unknown_backups(context: Context) -> Iterator[str]:
    try:
        context.history.backups()
    except HoldfastError as error:
        yield f"which of them are backed up is not known: {error}. {error.hint}"


def _found(context: Context) -> Iterator[FoundDatabase]:
    seen: set[Path] = set()
    for name, each in context.settings.databases.items():
        path = files.resolved(each.path)
        seen.add(path)
        yield replace(_look_at(context, path, None), name=name, is_configured=True)
    places = [
        (path, profile)
        for profile in sorted(context.profiles, key=lambda each: bool(each.rebuildable))
        for path in databases_at(profile, context.environment, context.user_home, context.platform)
    ]
    own = [(path, None) for path in sorted(context.home.data.glob("*.db"))]
    for path, profile in [*places, *own]:
        resolved = files.resolved(path)
        if resolved not in seen and resolved != context.home.sample.resolve():
            seen.add(resolved)
            yield _look_at(context, resolved, profile)


def _look_at(context: Context, path: Path, expected: Profile | None) -> FoundDatabase:
    """Read what there is to say of one database; `expected` is whose place it lies at."""
    schema = None
    tables: list[str] = []
    row_count, problem = None, ""
    size = changed = 0
    try:
        with files.reading(path):
            there = [each for each in (path, Path(f"{path}-wal")) if each.exists()]
            size = sum(map(files.size_of, there))
            changed = max(map(files.modified_ns, there), default=0)
        with database.read_only(path, _WAIT_SECONDS) as connection:
            schema = read_schema(connection)
            tables = [table.name for table in schema.tables]
            if size <= _COUNTED_BYTES:
                row_count = sum(
                    connection.execute(f"SELECT count(*) FROM {quote_identifier(name)}").fetchone()[
                        0
                    ]
                    for name in tables
                )
    except HoldfastError as error:
        problem = str(error)
    profile = profile_of(context, path, tables) or expected
    known = [each for each in context.known_backups() if each.database == files.text_of(path)]
    return FoundDatabase(
        name="",
        path=path,
        tool=profile.title if profile else "",
        profile=profile.name if profile else None,
        bytes=size,
        row_count=row_count,
        changed_at=utc_text(datetime.fromtimestamp(changed / 1e9, UTC)) if changed else None,
        last_backup_at=known[0].created_at if known else None,
        rebuildable=(profile.rebuildable or "") if profile else "",
        secrets=tuple(
            dict.fromkeys(
                f"{table}.{secret_name(secret).column}"
                for table, secrets in (secrets_of(schema, profile).items() if schema else ())
                for secret in secrets
            )
        ),
        goes_with=tuple(_companions(context, path, profile)) if profile else (),
        restore_notes=profile.restore_notes if profile else (),
        problem=problem,
    )


def _companions(context: Context, path: Path, profile: Profile) -> Iterator[FoundCompanion]:
    for each in profile.goes_with:
        is_template = each.path.startswith(("~/", "$", "/"))
        beside = path.parent / each.path
        place = expand(each.path, context.environment, context.user_home) if is_template else beside
        if place:
            yield FoundCompanion(place, each.why, is_there=place.exists())


def _named(found: Sequence[FoundDatabase]) -> list[FoundDatabase]:
    """Give each a name of its own, the shortest that tells what it is."""
    taken = {each.name for each in found if each.name}
    named = []
    for each in found:
        name = each.name
        if not name:
            first = each.profile or _short(each.path.stem)
            parents = [_short(parent.name) for parent in each.path.parents if _short(parent.name)]
            longer = [f"{first}-{parent}" for parent in parents]
            numbered = [f"{first}-{number}" for number in range(2, len(found) + 2)]
            name = next(one for one in (first, *longer, *numbered) if one not in taken)
            taken.add(name)
        named.append(replace(each, name=name))
    return named


def _short(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")


def _chosen(found: Sequence[FoundDatabase], wanted: Sequence[str]) -> list[FoundDatabase]:
    by_name = {each.name: each for each in found}
    for name in wanted:
        if name != "all" and name not in by_name:
            raise UsageError(
                f"nothing called {name} was found",
                hint=f"There is {', '.join(by_name) or 'nothing'}; --add all takes all of it.",
            )
    return [
        each
        for each in found
        if not each.is_configured
        and not each.problem
        and (each.name in wanted or ("all" in wanted and not each.rebuildable))
    ]


def _add(context: Context, added: Sequence[FoundDatabase]) -> None:
    path = context.home.path / SETTINGS_FILE
    paths: Mapping[str, str] = {each.name: _written(each.path, context) for each in added}
    try:
        with files.reading(path):
            text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        files.replace_content(path, with_databases(text, paths).encode())
    except Complaint as complaint:
        lines = "; ".join(f"{name}: {place}" for name, place in paths.items())
        raise SettingsError(
            f"{SETTINGS_FILE}: {complaint.key}: {complaint}",
            hint=f"{complaint.hint} Or add by hand, under databases: {lines}".lstrip(),
        ) from complaint


def _written(path: Path, context: Context) -> str:
    if path.is_relative_to(context.user_home):
        return f"~/{path.relative_to(context.user_home).as_posix()}"
    return str(path)
