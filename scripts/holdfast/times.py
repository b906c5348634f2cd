"""Moments and spans of time, as files hold them and as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

_SPANS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def utc_text(moment: datetime) -> str:
    """Write a time as UTC in ISO 8601, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(text: str | None) -> datetime | None:
    """Read a time in ISO 8601, UTC where it says nothing else; None for what is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration(seconds: float) -> str:
    """Say how long, in the largest unit that fits twice: 90 minutes, 3 days, 1 second."""
    for unit, length in _SPANS:
        count = int(seconds // length)
        if count >= 2 or (count and unit == "day") or unit == "second":
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("a second always fits")


def ago(seconds: float) -> str:
    """Say how long ago: 3 days ago, just now; less than nothing is in the future."""
    if seconds <= -60:
        return "in the future"
    return f"{duration(seconds)} ago" if seconds >= 2 else "just now"


def local_text(text: str) -> str:
    """Write a time in ISO 8601 as this machine's clock shows it; what is none stays as it is."""
    then = moment(text)
    return f"{then.astimezone():%Y-%m-%d %H:%M}" if then else text
