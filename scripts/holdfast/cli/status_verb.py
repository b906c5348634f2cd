"""Say when the last backup was, and which there are. Nothing is changed."""

from __future__ import annotations

import argparse

from holdfast.cli.options import add_database, add_identity, seconds
from holdfast.operations.context import Context
from holdfast.operations.report_status import MAX_AGE_SECONDS, StatusOptions, report_status
from holdfast.outcomes import StatusReport

SUMMARY = "say whether you are safe"
EXAMPLES = """\
  status                       the last backup, and all files
  status --max-age 7d          exit code 3 only after a week without a backup"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    add_database(parser)
    parser.add_argument(
        "--max-age",
        type=seconds,
        default=float(MAX_AGE_SECONDS),
        metavar="TIME",
        help="an older backup is a warning, with exit code 3 (default 48h)",
    )
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> StatusReport:
    """Carry out what the arguments ask for."""
    options = StatusOptions(
        database=arguments.db, sample=arguments.sample, max_age_seconds=arguments.max_age
    )
    return report_status(context, options)
