"""
Go back to the copy of a database that was taken before it was changed.

Without --yes or --confirm nothing changes: the plan is shown, and the exit code is 4. Rows that
were added since go, too; the undo can itself be undone.
"""

from __future__ import annotations

import argparse

from holdfast.cli.options import add_agreement, add_database, add_wait
from holdfast.operations.context import Context
from holdfast.operations.undo_change import UndoOptions, undo_change
from holdfast.outcomes import UndoReport

SUMMARY = "go back to before an import"
EXAMPLES = """\
  undo --list                  the restore points there are
  undo                         show what going back to the latest would change
  undo latest --confirm 3f9a1c2b7d04
                               carry out the plan that was shown"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    add_database(parser)
    parser.add_argument(
        "point", metavar="ID", nargs="?", default="latest", help="a restore point, or latest"
    )
    parser.add_argument("--list", action="store_true", help="only list the restore points")
    add_agreement(parser)
    add_wait(parser)


def run(context: Context, arguments: argparse.Namespace) -> UndoReport:
    """Carry out what the arguments ask for."""
    options = UndoOptions(
        point=arguments.point,
        list_only=arguments.list,
        database=arguments.db,
        sample=arguments.sample,
        dry_run=arguments.dry_run,
        yes=arguments.yes,
        confirm=arguments.confirm,
        wait_seconds=arguments.wait,
    )
    return undo_change(context, options)
