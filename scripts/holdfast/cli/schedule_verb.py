"""
Have the system itself make backups: every hour, day, week or month.

install shows what would be written, and writes it with --yes or --confirm; else the exit code
is 4. show prints it for you to set by hand. status says when it last ran and runs next. remove
takes it away. run is what the scheduler starts: it backs up every database of backup.yaml.
"""

from __future__ import annotations

import argparse
import sys

from msgspec.structs import replace

from holdfast.cli.options import add_agreement
from holdfast.errors import UsageError
from holdfast.files import user_path
from holdfast.operations.context import Context
from holdfast.places import Home
from holdfast.schedulers.calendar import PERIODS, Calendar, read_calendar
from holdfast.schedulers.outcomes import RunReport, ScheduleReport

SUMMARY = "make backups by themselves, at a time"
EXAMPLES = """\
  schedule install             show what would run every night at 03:00
  schedule install --every week --on sun --at 18:30 --yes
                               install it without asking
  schedule show --with cron    the line for a crontab, to set by hand
  schedule run                 make the backups of a scheduled run now
  schedule status              when it last ran, and runs next"""
_ACTIONS = ("install", "show", "status", "remove", "run")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "action", metavar=f"{{{','.join(_ACTIONS)}}}", choices=_ACTIONS, help="what to do"
    )
    parser.add_argument("--every", choices=PERIODS, help="how often (default day)")
    parser.add_argument(
        "--at", metavar="TIME", default="", help="03:00 (default), or :15 of every hour; local time"
    )
    parser.add_argument(
        "--on", metavar="DAY", default="", help="of a week mon to sun, of a month 1 to 28"
    )
    parser.add_argument(
        "--with",
        dest="scheduler",
        choices=("systemd", "launchd", "cron", "windows"),
        help="the scheduler to use; when left out, the one that the system has",
    )
    add_agreement(parser)
    parser.add_argument(
        "--if-due",
        action="store_true",
        help="of run: do nothing when no time of the schedule has passed since the last run",
    )
    parser.add_argument(
        "--home", metavar="FOLDER", help="of run: Holdfast's home; else as for every verb"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="of run: print nothing when all went well"
    )


def run(context: Context, arguments: argparse.Namespace) -> RunReport | ScheduleReport:
    """Carry out what the arguments ask for."""
    calendar = _calendar(arguments)
    if arguments.action == "run":
        from holdfast.operations.run_schedule import RunOptions, run_schedule

        options = RunOptions(if_due=arguments.if_due, calendar=calendar)
        return run_schedule(_at_home(context, arguments.home), options)
    if arguments.if_due or arguments.home:
        raise UsageError("--if-due and --home are for run", hint="Leave them out.")
    from holdfast.operations.set_schedule import ScheduleOptions, set_schedule

    return set_schedule(
        context,
        ScheduleOptions(
            action=arguments.action,
            python=sys.executable,
            calendar=calendar,
            scheduler=arguments.scheduler,
            yes=arguments.yes,
            confirm=arguments.confirm,
            dry_run=arguments.dry_run,
        ),
    )


def _calendar(arguments: argparse.Namespace) -> Calendar | None:
    if arguments.every or arguments.at or arguments.on:
        return read_calendar(arguments.every or "day", arguments.at, arguments.on)
    return None


def _at_home(context: Context, home: str | None) -> Context:
    """A scheduler sets no variables, so it names the home in its command."""
    if home is None:
        return context
    return replace(context, home=Home(user_path(home).absolute()))
