"""
Say what has changed from A to B: rows by table, columns, tables, indexes, views, triggers.

A and B are backups or databases: a path, a day such as 2026-11-20, latest for the latest
backup, STORE:latest or STORE:NAME for one in a store, live for the database itself. Both are
only read, and backups are proven on the way. The exit code is 0 whether they differ or not,
unless --exit-code is given.
"""

from __future__ import annotations

import argparse

from holdfast.cells import VALUED_ROWS
from holdfast.cli.options import add_database, add_identity, add_wait
from holdfast.comparing.differences import DiffReport
from holdfast.operations.context import Context
from holdfast.operations.diff_backups import LISTED_ROWS, LIVE, DiffOptions, diff_backups

SUMMARY = "say what has changed between two backups, or since one"
EXAMPLES = """\
  diff latest                  what has changed since the latest backup
  diff 2026-11-19 2026-11-20   between the backups of two days
  diff latest live --rows --table contacts
                               the keys of the contacts that differ
  diff crm.json live --sync    which of the two has moved on, for a backup kept in git
  diff old.db new.db --exit-code
                               exit code 3 when they differ"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "first", metavar="A", help="a backup, STORE:NAME for one in a store, or a database"
    )
    parser.add_argument(
        "second", metavar="B", nargs="?", default=LIVE, help="another one (default live)"
    )
    parser.add_argument(
        "--rows",
        action="store_true",
        help="list the keys of rows that differ, and the columns in which they do;"
        f" of one table at most {LISTED_ROWS:,}",
    )
    parser.add_argument(
        "--values",
        action="store_true",
        help="with the rows, what they hold on either side: of a long text the beginning, of a BLOB"
        f" its size, of a secret nothing; of one table at most {VALUED_ROWS:,} rows",
    )
    parser.add_argument(
        "--table", action="append", default=[], metavar="T", help="only this table; repeatable"
    )
    parser.add_argument(
        "--exit-code", action="store_true", help="exit code 3 when they differ, 0 when not"
    )
    parser.add_argument(
        "--sync",
        action="store_true",
        help="say which of a backup and its database has changed since it was exported or imported:"
        " none, imported (an import is due), exported (an export is due), diverged (exit code 3)",
    )
    add_database(parser)
    add_wait(parser)
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> DiffReport:
    """Carry out what the arguments ask for."""
    options = DiffOptions(
        first=arguments.first,
        second=arguments.second,
        rows=arguments.rows,
        values=arguments.values,
        tables=tuple(arguments.table),
        database=arguments.db,
        sample=arguments.sample,
        exit_code=arguments.exit_code,
        sync=arguments.sync,
        wait_seconds=arguments.wait,
    )
    return diff_backups(context, options)
