"""
Find the databases that assistants and their tools keep on this machine.

They are looked for where each tool keeps them, by the profiles in data/profiles and your own.
Nothing is changed but backup.yaml, and that with --add alone.
"""

from __future__ import annotations

import argparse

from holdfast.cli.options import names
from holdfast.found import DiscoverReport
from holdfast.operations.context import Context
from holdfast.operations.discover import DiscoverOptions, discover

SUMMARY = "find the databases of your assistants"
EXAMPLES = """\
  discover                     what there is, and what of it is backed up
  discover --add all           back all of it up from now on
  discover --add llm,opencode  back these up from now on"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "--add",
        metavar="NAMES",
        help="put these into backup.yaml, with commas between; all: all that no tool makes anew",
    )


def run(context: Context, arguments: argparse.Namespace) -> DiscoverReport:
    """Carry out what the arguments ask for."""
    return discover(context, DiscoverOptions(add=names("--add", arguments.add)))
