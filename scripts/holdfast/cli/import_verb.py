"""
Bring the rows of a backup into a database. Rows that were added since the backup stay.

Without --yes or --confirm nothing changes: the plan is shown, and the exit code is 4.
"""

from __future__ import annotations

import argparse

from holdfast.cells import VALUED_ROWS
from holdfast.cli.options import add_agreement, add_database, add_identity, add_wait, names
from holdfast.errors import UsageError
from holdfast.operations.context import Context
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.import_source import BEADS
from holdfast.outcomes import ImportReport
from holdfast.works import ConflictMode

SUMMARY = "bring a backup's rows into a database"
EXAMPLES = """\
  import latest                show what the latest backup would change
  import 2026-11-20            the same for the backup of that day
  import 2026-11-20 --confirm 3f9a1c2b7d04
                               carry out the plan that was shown
  import crm.json --mode merge --yes
                               add what is missing, without asking
  import latest --groups tasks,tags
                               the tables of these groups alone
  import ann.zip --mode remap  bring in rows of another machine, under numbers of their own
  import latest --keys contacts:12,15 --children
                               bring back two contacts, with all that belongs to them
  import --from beads --db ~/.kata/kata.db --project work
                               bring the issues of Beads into a project of kata"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    add_database(parser)
    parser.add_argument(
        "backup",
        metavar="FILE",
        nargs="?",
        default="",
        help="a file, a day such as 2026-11-20, latest, or STORE: and one of these",
    )
    parser.add_argument(
        "--from",
        dest="source",
        choices=[BEADS],
        default="",
        help="bring the issues of Beads into a kata database: those in FILE, or else what the"
        " program bd exports, or .beads/issues.jsonl here",
    )
    parser.add_argument("--project", metavar="NAME", help="with --from: the project they come into")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument(
        "--mode",
        choices=[mode.value for mode in ConflictMode],
        default=ConflictMode.OVERWRITE.value,
        help="rows whose key is taken: overwrite them (default), merge (leave them), newer (the"
        " later one wins), clear (and remove rows that the backup lacks), remap (rows of another"
        " machine: they get new keys, unless a name matches them), or fail",
    )
    for mode in (ConflictMode.FAIL, ConflictMode.MERGE, ConflictMode.OVERWRITE, ConflictMode.CLEAR):
        modes.add_argument(
            f"--{mode}", dest="mode", action="store_const", const=mode.value, help=f"--mode {mode}"
        )
    parser.add_argument("--tables", metavar="T,T", help="these tables alone")
    parser.add_argument("--groups", metavar="G,G", help="the tables of these groups alone")
    parser.add_argument(
        "--keys",
        action="append",
        default=[],
        metavar="T:K,K",
        help="these rows alone, by key, and the rows that they refer to; repeatable",
    )
    parser.add_argument(
        "--children", action="store_true", help="with --keys: and the rows that refer to them"
    )
    parser.add_argument(
        "--create-missing", action="store_true", help="make tables that are missing"
    )
    unknown = parser.add_mutually_exclusive_group()
    unknown.add_argument("--add-columns", action="store_true", help="add columns that are missing")
    unknown.add_argument(
        "--drop-unknown", action="store_true", help="leave out columns that are missing"
    )
    parser.add_argument("--rows", action="store_true", help="name every row in the plan")
    parser.add_argument(
        "--values",
        action="store_true",
        help="with the rows, what those that are written hold now and then, but for secrets; of one"
        f" table the first {VALUED_ROWS}",
    )
    add_agreement(parser)
    parser.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print only the plan's id, or once it is done the path of the copy taken before",
    )
    add_wait(parser)
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> ImportReport:
    """Carry out what the arguments ask for."""
    if not (arguments.backup or arguments.source):
        raise UsageError("name the backup to import", hint="As in: import latest. See --help.")
    options = ImportOptions(
        backup=arguments.backup,
        source=arguments.source,
        project=arguments.project or "",
        database=arguments.db,
        sample=arguments.sample,
        mode=ConflictMode(arguments.mode),
        tables=names("--tables", arguments.tables),
        groups=names("--groups", arguments.groups),
        keys=tuple(arguments.keys),
        children=arguments.children,
        create_missing=arguments.create_missing,
        add_columns=arguments.add_columns,
        drop_unknown=arguments.drop_unknown,
        rows=arguments.rows,
        values=arguments.values,
        dry_run=arguments.dry_run,
        yes=arguments.yes,
        confirm=arguments.confirm,
        wait_seconds=arguments.wait,
    )
    return import_backup(context, options)
