"""Where the rows of an import come from: a backup, or the issues of Beads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from holdfast import database, files
from holdfast.beads_to_kata import map_issues, read_project
from holdfast.errors import BackupDamaged, BackupNotFound, ImportRefused, NotABackup, ProgramFailed
from holdfast.formats.beads import kind_of, records
from holdfast.formats.compression import plain
from holdfast.formats.foreign import header_of, parts_of
from holdfast.formats.interface import BackupFormat, BackupReader
from holdfast.model import ChosenDatabase, Schema
from holdfast.operations.context import Context
from holdfast.profiles import Profile
from holdfast.programs import find_program, output_of

BEADS = "beads"
_PROGRAM = "bd"
_FILE = Path(".beads") / "issues.jsonl"  # of the current folder, where no bd is there to ask


def complain_of_tool(reader: BackupReader, chosen: ChosenDatabase, profile: Profile | None) -> None:
    """Refuse a file of one tool for the database of another."""
    tool = reader.format.tool
    if tool and not (profile and profile.name == tool):
        of = profile.title if profile else "no tool that is known"
        hint = f"Name a database of {tool} with --db PATH, or the tables you mean with --tables."
        if tool == BEADS and profile and profile.name == "kata":
            hint += " With --from beads its issues come into a project of kata."
        raise ImportRefused(f"{reader.path} is of {tool}, and {chosen.path} of {of}", hint=hint)


def beads_path(context: Context, named: str) -> Path:
    """
    Say where the issues of Beads are: in the file that is named, or in the current folder.

    Raises: BackupNotFound when there is no such file, and no `bd` to ask.
    """
    path = (files.user_path(named) if named else _FILE).absolute()
    if named or not find_program(_PROGRAM, context.environment):
        if not path.is_file():
            raise BackupNotFound(
                f"no issues of Beads at {path}"
                + ("" if named else f", and no program {_PROGRAM} on the PATH to ask"),
                hint="Go to the folder that has .beads, or give the file: import --from beads FILE",
            )
        return path
    return path.parent


def read_beads(
    context: Context,
    path: Path,
    chosen: ChosenDatabase,
    schema: Schema,
    project: str,
    wait_seconds: float,
) -> BackupReader:
    """
    Return a reader of the issues at a path as rows of the kata database that they come into.

    Args: path: a file, or a folder that `bd` is asked for.
    """
    found = list(_from_file(path) if path.is_file() else _asked(context))
    with database.read_only(chosen.path, wait_seconds) as connection:
        mapped = map_issues(found, read_project(connection, schema, project), context.actor)
    tables = {name: rows for name, rows in mapped.tables.items() if rows}
    columns = {
        name: dict.fromkeys(key for row in rows for key in row) for name, rows in tables.items()
    }
    header = header_of(BEADS, columns, notes=mapped.notes)
    form = BackupFormat(
        name=BEADS,
        title="issues of Beads",
        suffix="",
        recognise=lambda _path, _start: False,
        read=lambda _path: parts_of(header, tables.items()),
        proves=False,
        tool="kata",
    )
    return BackupReader(path, form)


def _from_file(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with plain(path) as file:
            yield from records(file)
    except BackupDamaged as error:
        raise BackupDamaged(f"{path}: {error}", hint=error.hint) from error


def _asked(context: Context) -> Iterator[dict[str, Any]]:
    """Ask bd for its issues, and for the comments of each."""
    for issue in _exported(context.environment):
        if kind_of(issue) == "issue":
            yield issue | {"comments": _comments(context.environment, issue)}
        else:
            yield issue


def _exported(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    words = [find_program(_PROGRAM, environment) or _PROGRAM, "export"]
    try:
        printed = output_of([*words, "--no-memories"], environment)
    except ProgramFailed as error:
        if "unknown flag" not in str(error):
            raise
        printed = output_of(words, environment)  # of a bd that has no memories yet
    try:
        return list(records(printed.splitlines()))
    except BackupDamaged as error:
        raise _garbage("bd export", error) from error


def _comments(environment: Mapping[str, str], issue: dict[str, Any]) -> list[dict[str, Any]]:
    name = issue["id"]
    if not re.fullmatch(r"\w[\w.:-]*", name):  # nothing that bd could take for an option
        raise _garbage("bd export", ValueError(f"{name!r} is no id of an issue"))
    words = [find_program(_PROGRAM, environment) or _PROGRAM, "comments", name, "--json"]
    printed = output_of(words, environment)
    try:
        found = msgspec.json.decode(printed or b"null", type=list[dict[str, Any]] | None)
    except ValueError as error:
        raise _garbage(f"bd comments {name}", error) from error
    return found or []


def _garbage(command: str, error: Exception) -> NotABackup:
    return NotABackup(
        f"what {command} prints cannot be read: {error}",
        hint=f"Run {command} yourself to see it; this program knows Beads up to 0.50.",
    )
