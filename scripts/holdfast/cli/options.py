"""Options that several verbs share, and how their words are read."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime

from holdfast.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which database is meant."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--db", metavar="PATH", help="the database file, or its name in backup.yaml")
    which.add_argument("--sample", action="store_true", help="the sample database")


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how long a lock is waited for."""
    parser.add_argument(
        "--wait",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait while another program locks the database (default 30)",
    )


def add_identity(parser: argparse.ArgumentParser) -> None:
    """Add the option that names keys."""
    parser.add_argument(
        "--identity",
        action="append",
        default=[],
        metavar="FILE",
        help="a file with the key that opens encrypted backups; repeatable",
    )


def add_agreement(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whether a plan is agreed to."""
    agreement = parser.add_mutually_exclusive_group()
    agreement.add_argument("--yes", action="store_true", help="do it without asking")
    agreement.add_argument("--confirm", metavar="ID", help="do it if the plan is still this one")
    agreement.add_argument("--dry-run", action="store_true", help="only show the plan; exit code 0")


_SCOPES = ("project", "board", "agent", "schedule")


def add_scopes(parser: argparse.ArgumentParser) -> None:
    """Add the options that narrow a backup to one thing of a kind that a profile knows."""
    parser.add_argument(
        "--scope",
        type=_scope,
        action="append",
        default=[],
        metavar="KIND=NAME",
        help="only this thing of a kind that the profile names, what belongs to it and what that"
        " needs; KIND-id=ID finds it by its id; repeatable",
    )
    for kind in _SCOPES:
        for option, word in ((kind, "NAME"), (f"{kind}-id", "ID")):
            parser.add_argument(
                f"--{option}",
                dest="scope",
                type=f"{option}={{}}".format,
                action="append",
                metavar=word,
                help=f"--scope {kind}=NAME; or --{kind}-id ID"
                if word == "NAME"
                else argparse.SUPPRESS,
            )


def _scope(text: str) -> str:
    kind, equals, name = text.partition("=")
    if not (kind and equals and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not like project=Planning")
    return text


def seconds(text: str) -> float:
    """Read a span of time: 90, 90s, 15m, 48h or 7d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 90, 15m, 48h or 7d")
    return float(match[1]) * _UNITS[match[2] or "s"]


def moment_of_user(text: str) -> datetime:
    """Read a moment with its time: in the time of this machine, unless it says another."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "T"))
    except ValueError:
        found = None
    if found is None or "T" not in text.replace(" ", "T"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no moment such as 2026-11-18T09:00 or 2026-11-18T09:00:00Z"
        )
    return found.astimezone(UTC)


def names(option: str, text: str | None) -> tuple[str, ...]:
    """Read names with commas between; UsageError for an option that is given and names none."""
    found = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not found:
        raise UsageError(
            f"{option} names nothing", hint=f"Give names, such as {option} notes,tags."
        )
    return found


def positive(text: str) -> int:
    """Read a number of things of which there is at least one."""
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
