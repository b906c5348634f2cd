"""Look for what will go wrong one day: with databases, with backups, and with what makes these."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from holdfast import database, disks, files, programs
from holdfast.database import Health, health_of
from holdfast.errors import HoldfastError
from holdfast.found import DoctorReport, Finding, FoundDatabase
from holdfast.operations.context import Context
from holdfast.operations.discover import DiscoverOptions, discover
from holdfast.operations.doctor_keys import key_findings
from holdfast.operations.doctor_places import folder_findings
from holdfast.operations.doctor_schedule import history_findings, schedule_findings
from holdfast.operations.doctor_stores import store_findings

CHECK_SECONDS = 10.0
_WAIT_SECONDS = 2.0
_LARGE_LOG_BYTES = 64 * 1024 * 1024
_FREE_SHARE, _FREE_BYTES = 0.25, 16 * 1024 * 1024  # less is not worth the time of a VACUUM


class DoctorOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a doctor."""

    check_seconds: float = CHECK_SECONDS  # for the quick check of one database


def examine(context: Context, options: DoctorOptions) -> DoctorReport:
    """
    Look at every database that is found, and at all that its backups rest on; change nothing.

    What cannot be looked at is a finding itself.

    Raises: SettingsError; ProfileError.
    """
    found = discover(context, DiscoverOptions()).databases
    findings = [*_of_sqlite()]
    for each in found:
        findings += _of_database(each, options)
    findings += [
        *folder_findings(context, found),
        *history_findings(context),
        *schedule_findings(context),
        *store_findings(context, found),
        *key_findings(context),
    ]
    return DoctorReport(
        databases=tuple(each.path for each in found),
        folder=context.output,
        findings=tuple(findings),
        sqlite_version=database.sqlite_version(),
    )


def _of_sqlite() -> Iterator[Finding]:
    if database.SQLITE_VERSION < database.FIRST_SOUND_SQLITE:
        sound = ".".join(map(str, database.FIRST_SOUND_SQLITE))
        yield Finding(
            about=f"SQLite {database.sqlite_version()}",
            what=f"it is older than {sound}",
            why="it can corrupt a database in WAL mode when the log is reset while others write",
            advice="update SQLite, or install pysqlite3; so should the programs that write",
        )


def _of_database(found: FoundDatabase, options: DoctorOptions) -> Iterator[Finding]:
    about = f"{found.name} ({found.path})"
    try:
        health = health_of(found.path, _WAIT_SECONDS, options.check_seconds)
    except HoldfastError as error:
        yield Finding(
            about, f"it cannot be read: {error}", "no backup of it can be made", error.hint
        )
        return
    if health.problem:
        yield Finding(
            about,
            f"SQLite finds it damaged: {health.problem}",
            "what is damaged is lost with the next backup that counts",
            "keep the file and all backups; verify the last backup, and restore it",
        )
    if not health.was_checked:
        yield Finding(
            about,
            f"the check was not over after {options.check_seconds:g} seconds",
            "whether it is sound is not known",
            "give it more time with --check SECONDS, or verify a backup of it",
        )
    yield from _of_place(found.path, about, health)
    yield from _of_log(found.path, about, health)
    yield from _of_free_pages(found.path, about, health)
    yield from _of_permissions(found, about)


def _of_place(path: Path, about: str, health: Health) -> Iterator[Finding]:
    network = disks.network_of(path)
    if network:
        wal = (
            "; in WAL mode, two machines see different content"
            if health.journal_mode == "wal"
            else ""
        )
        yield Finding(
            about,
            f"it lies on a network disk ({network})",
            f"SQLite relies on locks that such disks do not always keep{wal}",
            "keep it on a disk of this machine, and put backups on the network",
        )
    service = disks.synced_by(path)
    if service:
        in_log = " (it is in WAL mode: what is new is in the log)" * (health.journal_mode == "wal")
        yield Finding(
            about,
            f"it lies in a folder that {service} copies",
            f"the file and its log are copied at different moments, which breaks the copy{in_log}",
            "move it out of that folder, and let a backup go there instead",
        )


def _of_log(path: Path, about: str, health: Health) -> Iterator[Finding]:
    log = path.with_name(path.name + "-wal")
    size = files.size_of(log) if log.exists() else 0
    if size > max(_LARGE_LOG_BYTES, health.page_bytes * health.page_count):
        holders = ", ".join(programs.holders([path, *database.sidecars(path)]))
        yield Finding(
            about,
            f"its write-ahead log has {size:,} bytes",
            "a program keeps it from being folded into the database; who copies the file alone"
            " loses what is in the log",
            f"close {holders or 'the program that uses it'}, or let it end a reading that hangs",
        )


def _of_free_pages(path: Path, about: str, health: Health) -> Iterator[Finding]:
    free = health.free_page_count * health.page_bytes
    if free >= _FREE_BYTES and health.free_page_count >= _FREE_SHARE * health.page_count:
        yield Finding(
            about,
            f"{free:,} of its {health.page_count * health.page_bytes:,} bytes are unused",
            "page copies and reads of it take longer than they need to",
            f"with its program closed: sqlite3 {shlex.quote(str(path))} VACUUM",
        )


def _of_permissions(found: FoundDatabase, about: str) -> Iterator[Finding]:
    if os.name == "nt":
        return
    with files.reading(found.path):
        mode = stat.S_IMODE(found.path.stat().st_mode)
    if found.secrets and mode & 0o077:
        yield Finding(
            about,
            f"others may read it (mode {mode:04o}), and it holds {', '.join(found.secrets)}",
            "whoever may log in here can take these",
            f"chmod 600 {shlex.quote(str(found.path))}",
        )
    if not os.access(found.path, os.W_OK) or not os.access(found.path.parent, os.W_OK):
        yield Finding(
            about,
            "you may not write to it, or to its folder",
            "no backup can be brought back there",
            "act as the user that it belongs to",
        )
