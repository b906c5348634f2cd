"""
Prove backups: whole, every byte as written, counts and digests, restored in scratch and equal.

Exits 0 when all that was looked at is good, otherwise with the code of the first problem.
"""

from __future__ import annotations

import argparse

from holdfast.cli.options import add_identity
from holdfast.operations.context import Context
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.outcomes import VerifyReport

SUMMARY = "prove that backups can be restored"
EXAMPLES = """\
  verify latest                restore it in scratch, and compare
  verify all --quick           read all backups, and compare counts and digests
  verify cloud:latest          the latest one in a store of backup.yaml
  verify latest --against live also say which tables have changed since"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "backups",
        metavar="FILE",
        nargs="+",
        help="a file, a day, latest (of each database of backup.yaml), or all of them: all;"
        " STORE: and one of these in a store",
    )
    parser.add_argument("--quick", action="store_true", help="stop before the scratch restore")
    parser.add_argument(
        "--against",
        metavar="DB",
        help="compare with this database as it is now; live stands for the usual one",
    )
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> VerifyReport:
    """Carry out what the arguments ask for."""
    options = VerifyOptions(
        backups=tuple(arguments.backups),
        quick=arguments.quick,
        against=arguments.against is not None,
        database=None if arguments.against == "live" else arguments.against,
    )
    return verify_backups(context, options)
