"""
Remove the backups that no rule keeps; the rules are those of backup.yaml, or given here.

Without --yes or --confirm nothing is removed: the plan is shown, with the reason that keeps each
backup, and the exit code is 4. The newest verified backup of a database stays in any case.
"""

from __future__ import annotations

import argparse
import re

from holdfast.cli.options import add_agreement, add_database, positive
from holdfast.operations.context import Context
from holdfast.operations.prune_backups import PruneOptions, prune_backups
from holdfast.profiles import SPAN, KeepRules
from holdfast.pruned import PruneReport

SUMMARY = "remove the backups that no rule keeps"
EXAMPLES = """\
  prune                        show what the rules in backup.yaml keep and remove
  prune --confirm 3f9a1c2b7d04 carry out the plan that was shown
  prune --keep-daily 7 --keep-weekly 4 --here
                               the same by other rules, in the output folder alone
  prune --db crm --store cloud the backups of one database in one store"""
_PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    add_database(parser)
    parser.add_argument(
        "--store",
        action="append",
        default=[],
        metavar="NAME",
        help="backups in this store of backup.yaml; repeatable (default: all, and the folder)",
    )
    parser.add_argument("--here", action="store_true", help="backups in the output folder")
    parser.add_argument(
        "--keep-last", type=positive, metavar="N", help="keep the last N, whatever backup.yaml says"
    )
    for name in _PERIODS:
        parser.add_argument(
            f"--keep-{name}",
            type=positive,
            metavar="N",
            help=f"and the last of each of the last N {_UNITS[name]} that have one",
        )
    parser.add_argument(
        "--keep-within",
        type=_span,
        metavar="SPAN",
        help="and all within a span before the newest, such as 48h, 30d or 1y6m (m: months)",
    )
    add_agreement(parser)


_UNITS = dict(zip(_PERIODS, ("hours", "days", "weeks", "months", "years"), strict=True))


def _span(text: str) -> str:
    if not re.fullmatch(SPAN, text):
        raise argparse.ArgumentTypeError(f"{text!r} is no span such as 48h, 30d or 1y6m")
    return text


def run(context: Context, arguments: argparse.Namespace) -> PruneReport:
    """Carry out what the arguments ask for."""
    given = {
        name: value
        for name in ("last", *_PERIODS, "within")
        if (value := getattr(arguments, f"keep_{name}")) is not None
    }
    options = PruneOptions(
        database=arguments.db,
        sample=arguments.sample,
        here=arguments.here,
        stores=tuple(arguments.store),
        keep=KeepRules(**given) if given else None,
        dry_run=arguments.dry_run,
        yes=arguments.yes,
        confirm=arguments.confirm,
    )
    return prune_backups(context, options)
