"""Options that several verbs share, and how their words are read."""

from __future__ import annotations

import argparse
import re

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


def seconds(text: str) -> float:
    """Read a span of time: 90, 90s, 15m, 48h or 7d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 90, 15m, 48h or 7d")
    return float(match[1]) * _UNITS[match[2] or "s"]


def names(option: str, text: str | None) -> tuple[str, ...]:
    """Read names with commas between; UsageError for an option that is given and names none."""
    found = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not found:
        raise UsageError(
            f"{option} names nothing", hint=f"Give names, such as {option} notes,tags."
        )
    return found
