"""Options that several verbs share, and how their words are read."""

from __future__ import annotations

import argparse
import re

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
