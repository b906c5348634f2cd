"""
Bring stores level: put into each the backups of the output folder that it does not have.

Nothing is deleted. A store that fails is reported, and the others get theirs; the exit code is
then that of the first problem.
"""

from __future__ import annotations

import argparse

from holdfast.copies import SyncReport
from holdfast.operations.context import Context
from holdfast.operations.sync_stores import SyncOptions, sync_stores

SUMMARY = "bring stores level with the output folder"
EXAMPLES = """\
  sync                         every store of backup.yaml
  sync cloud --dry-run         only say what would be put into that one"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "stores", metavar="STORE", nargs="*", help="of backup.yaml; when left out, all of them"
    )
    parser.add_argument("--dry-run", action="store_true", help="put nothing; exit code 0")


def run(context: Context, arguments: argparse.Namespace) -> SyncReport:
    """Carry out what the arguments ask for."""
    options = SyncOptions(stores=tuple(arguments.stores), dry_run=arguments.dry_run)
    return sync_stores(context, options)
