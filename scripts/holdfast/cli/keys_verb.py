"""
Make the key that opens encrypted backups, or say which keys are at hand and what they open.

A key is made in a new file that its owner alone can read; backup.yaml is left as it is.
"""

from __future__ import annotations

import argparse

from holdfast.cli.options import add_identity
from holdfast.errors import UsageError
from holdfast.files import user_path
from holdfast.operations.context import Context
from holdfast.operations.keys import check_keys, create_key
from holdfast.outcomes import KeyReport, KeysReport

SUMMARY = "make a key for encrypted backups, or see which keys open which"
EXAMPLES = """\
  keys create                  make a key, and say what backup.yaml needs to use it
  keys create --to ~/usb/key.txt
                               make it in that file, which must not be there yet
  keys check                   the keys at hand, and which backups each opens"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "action", metavar="{create,check}", choices=["create", "check"], help="what to do"
    )
    parser.add_argument("--to", metavar="FILE", help="with create: the file to make")
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> KeyReport | KeysReport:
    """Carry out what the arguments ask for."""
    if arguments.action == "create":
        return create_key(context, user_path(arguments.to).absolute() if arguments.to else None)
    if arguments.to:
        raise UsageError("--to goes with keys create", hint="Leave it out.")
    return check_keys(context)
