"""
Build a database from a backup: proven equal before it gets its name.

A file that is already there is refused; with --force it is kept among the restore points.
"""

from __future__ import annotations

import argparse

from holdfast.cli.options import add_identity, add_wait
from holdfast.files import user_path
from holdfast.operations.context import Context
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.outcomes import RestoreReport

SUMMARY = "build a database from a backup"
EXAMPLES = """\
  restore latest --to ~/new.db           a database where none is
  restore 2026-11-20 --to soy.db --force in the place of one that is set aside"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "backup", metavar="FILE", help="a file, a day such as 2026-11-20, or latest"
    )
    parser.add_argument("--to", metavar="NEW.db", required=True, help="the database to make")
    parser.add_argument("--force", action="store_true", help="replace a database that is there")
    parser.add_argument(
        "--no-verify", action="store_true", help="do not compare the database with the backup"
    )
    add_wait(parser)
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> RestoreReport:
    """Carry out what the arguments ask for."""
    options = RestoreOptions(
        backup=arguments.backup,
        target=user_path(arguments.to).absolute(),
        verify=not arguments.no_verify,
        force=arguments.force,
        wait_seconds=arguments.wait,
    )
    return restore_backup(context, options)
