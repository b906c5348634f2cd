"""
Build a database from a backup: proven equal before it gets its name.

A file that is already there is refused; with --force it is kept among the restore points.
Where there are backups of several databases, latest is of the one that --db names, or else of
the one that is made anew at --to.
"""

from __future__ import annotations

import argparse
import shlex

from holdfast.cli.options import add_database, add_identity, add_wait, moment_of_user
from holdfast.errors import UsageError
from holdfast.files import user_path
from holdfast.operations.context import Context
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.outcomes import RestoreReport

SUMMARY = "build a database from a backup"
EXAMPLES = """\
  restore latest --to ~/new.db           a database where none is
  restore latest --db crm --to ~/crm.db  the latest backup of one of several
  restore 2026-11-20 --to soy.db --force in the place of one that is set aside
  restore cloud:latest --to ~/new.db     out of a store of backup.yaml
  restore --at 2026-11-18T09:00 --to ~/then.db
                                         as the database was at that time"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "backup",
        metavar="FILE",
        nargs="?",
        help="a file, a day such as 2026-11-20, latest, or STORE: and one of these",
    )
    parser.add_argument(
        "--at",
        metavar="MOMENT",
        type=moment_of_user,
        help="the latest backup of that moment or before, such as 2026-11-18T09:00 (local time)"
        " or 2026-11-18T09:00Z, in the output folder and all stores",
    )
    add_database(parser)
    parser.add_argument(
        "--from",
        metavar="STORE",
        dest="stores",
        action="append",
        default=[],
        help="with --at: look in this store alone; repeatable",
    )
    parser.add_argument("--to", metavar="NEW.db", help="the database to make (needed)")
    parser.add_argument("--force", action="store_true", help="replace a database that is there")
    parser.add_argument(
        "--no-verify", action="store_true", help="do not compare the database with the backup"
    )
    add_wait(parser)
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> RestoreReport:
    """Carry out what the arguments ask for."""
    if (arguments.backup is None) == (arguments.at is None):
        raise UsageError(
            "name a backup, or a moment with --at, and not both",
            hint="As in: restore latest --to new.db, or restore --at 2026-11-18T09:00 --to new.db.",
        )
    if arguments.to is None:
        named = shlex.quote(arguments.backup) if arguments.backup else "--at 2026-11-18T09:00"
        raise UsageError(
            "name the database to make, with --to", hint=f"As in: restore {named} --to new.db."
        )
    if arguments.at is None and arguments.stores:
        raise UsageError(
            "--from goes with --at",
            hint="A backup in a store is named as STORE:latest or STORE:2026-11-18.",
        )
    options = RestoreOptions(
        backup=arguments.backup,
        at=arguments.at,
        database=arguments.db,
        sample=arguments.sample,
        stores=tuple(arguments.stores),
        target=user_path(arguments.to).absolute(),
        verify=not arguments.no_verify,
        force=arguments.force,
        wait_seconds=arguments.wait,
    )
    return restore_backup(context, options)
