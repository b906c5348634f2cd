"""
Look for what will go wrong one day. Nothing is changed.

Every database that discover finds is checked, and so are the places where they and the backups
lie. Each finding says what it is, why it matters, and what to do.
"""

from __future__ import annotations

import argparse

from holdfast.cli.options import seconds
from holdfast.found import DoctorReport
from holdfast.operations.context import Context
from holdfast.operations.doctor import CHECK_SECONDS, DoctorOptions, examine

SUMMARY = "look for what will go wrong one day"
EXAMPLES = """\
  doctor                       look at every database that is found
  doctor --check 5m            check each for up to five minutes"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "--check",
        type=seconds,
        default=CHECK_SECONDS,
        metavar="TIME",
        help="how long the check of one database may take (default 10s)",
    )


def run(context: Context, arguments: argparse.Namespace) -> DoctorReport:
    """Carry out what the arguments ask for."""
    return examine(context, DoctorOptions(check_seconds=arguments.check))
