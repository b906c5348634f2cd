"""When a scheduled backup is due: every hour, day, week or month, in local time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct

from holdfast.errors import UsageError

PERIODS = ("hour", "day", "week", "month")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS = tuple(name[:3] for name in DAY_NAMES)
_ADJECTIVES = {"hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}
_LAST_DAY = 28  # every month has it
_MOST_DAYS = 32  # between two days of a calendar


class Calendar(Struct, frozen=True):
    """Moments that come again and again; of an hour, only the minute counts."""

    every: str = "day"  # one of PERIODS
    hour: int = 3
    minute: int = 0
    weekday: int = 0  # of a week: as in WEEKDAYS
    day: int = 1  # of a month: 1 to 28

    @property
    def options(self) -> tuple[str, ...]:
        """The words that `read_calendar` makes the same calendar of."""
        words = ["--every", self.every, "--at", f"{self.hour:02}:{self.minute:02}"]
        if self.every == "hour":
            words[-1] = f":{self.minute:02}"
        elif self.every == "week":
            words += ["--on", WEEKDAYS[self.weekday].lower()]
        elif self.every == "month":
            words += ["--on", str(self.day)]
        return tuple(words)

    def __str__(self) -> str:
        """Say it for people: every day at 03:00."""
        at = f"{self.hour:02}:{self.minute:02}"
        return {
            "hour": f"every hour at :{self.minute:02}",
            "day": f"every day at {at}",
            "week": f"every {DAY_NAMES[self.weekday]} at {at}",
            "month": f"on day {self.day} of every month at {at}",
        }[self.every]

    @property
    def adjective(self) -> str:
        """What people call a backup at these moments: nightly, weekly."""
        is_night = self.every == "day" and (self.hour >= 22 or self.hour < 6)
        return "nightly" if is_night else _ADJECTIVES[self.every]


def read_calendar(every: str = "day", at: str = "", on: str = "") -> Calendar:
    """
    Read the words of a person.

    Args:
        at: 03:00, or :15 of every hour; "": 03:00, or the full hour.
        on: of a week mon to sun, of a month 1 to 28; "": Monday, the first.

    Raises: UsageError for words that mean nothing.
    """
    if every not in PERIODS:
        raise UsageError(f"--every {every!r} is none of {', '.join(PERIODS)}")
    match = re.fullmatch(r"(\d{1,2})?:(\d{2})", at or ("03:00" if every != "hour" else ":00"))
    hour, minute = (int(match[1] or 0), int(match[2])) if match else (24, 60)
    if hour > 23 or minute > 59 or (every != "hour" and match and match[1] is None):
        hint = "--at 03:00, or of every hour --at :15."
        raise UsageError(f"--at {at!r} is no time of day", hint=hint)
    calendar = Calendar(every, 0 if every == "hour" else hour, minute)
    if on and every == "week":
        return Calendar(every, hour, minute, weekday=_weekday(on))
    if on and every == "month":
        return Calendar(every, hour, minute, day=_day(on))
    if on:
        raise UsageError("--on is for --every week or month", hint="Leave it out.")
    return calendar


def _weekday(on: str) -> int:
    for number, name in enumerate(DAY_NAMES):
        if len(on) >= 3 and name.lower().startswith(on.lower()):
            return number
    raise UsageError(f"--on {on!r} is no day of the week", hint="Such as --on mon.")


def _day(on: str) -> int:
    if on.isascii() and on.isdecimal() and 1 <= int(on) <= _LAST_DAY:
        return int(on)
    raise UsageError(
        f"--on {on!r} is no day of every month", hint="Give one from 1 to 28: every month has it."
    )


def latest(calendar: Calendar, now: datetime, zone: tzinfo | None = None) -> datetime:
    """
    Return the last of a calendar's moments that is not after now, in UTC.

    Args:
        zone: whose clock counts; None: this machine's.
    """
    if calendar.every == "hour":
        local = now.astimezone(zone)
        past = timedelta(minutes=(local.minute - calendar.minute) % 60, seconds=local.second)
        return (now - past).astimezone(UTC).replace(microsecond=0)
    return next(each for each in _moments(calendar, now, zone, -1) if each <= now)


def coming(calendar: Calendar, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the first of a calendar's moments after now, in UTC; the zone is as of `latest`."""
    if calendar.every == "hour":
        return latest(calendar, now, zone) + timedelta(hours=1)
    return next(each for each in _moments(calendar, now, zone, 1) if each > now)


def _moments(
    calendar: Calendar, now: datetime, zone: tzinfo | None, step: int
) -> Iterator[datetime]:
    """Yield the moments of days from one before or after today on, backwards or forwards."""
    today = now.astimezone(zone).date()
    for days in range(-1, 2 * _MOST_DAYS):
        day = today + timedelta(days=days * step)
        if _is_on(calendar, day):
            local = datetime.combine(day, time(calendar.hour, calendar.minute), zone)
            yield local.astimezone(UTC)


def _is_on(calendar: Calendar, day: date) -> bool:
    if calendar.every == "week":
        return day.weekday() == calendar.weekday
    return calendar.every == "day" or day.day == calendar.day


def is_due(calendar: Calendar, last: datetime | None, now: datetime) -> bool:
    """
    Tell whether a moment of the calendar has passed since the last run.

    Args:
        last: None when there was none. One that lies ahead of now says that the clock was set
            back since, and counts as none: it may lie years ahead.
    """
    return last is None or last > now or last < latest(calendar, now)
