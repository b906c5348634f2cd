"""Calendars: words to moments, on a clock that jumps, is set back, and has summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import UsageError
from holdfast.schedulers.calendar import Calendar, coming, is_due, latest, read_calendar

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")  # UTC+5:45


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "calendar", "said"),
    [
        ((), Calendar("day", 3, 0), "every day at 03:00"),
        (("day", "9:05"), Calendar("day", 9, 5), "every day at 09:05"),
        (("hour",), Calendar("hour", 0, 0), "every hour at :00"),
        (("hour", ":15"), Calendar("hour", 0, 15), "every hour at :15"),
        (("hour", "03:15"), Calendar("hour", 0, 15), "every hour at :15"),
        (("week",), Calendar("week", 3, 0, weekday=0), "every Monday at 03:00"),
        (("week", "", "sun"), Calendar("week", 3, 0, weekday=6), "every Sunday at 03:00"),
        (("week", "", "Wednes"), Calendar("week", 3, 0, weekday=2), "every Wednesday at 03:00"),
        (("month",), Calendar("month", 3, 0, day=1), "on day 1 of every month at 03:00"),
        (("month", "00:00", "1"), Calendar("month", 0, 0, day=1), "on day 1 of every month at 00"),
        (("month", "23:59", "28"), Calendar("month", 23, 59, day=28), "on day 28 of every month"),
    ],
)
def test_words_make_a_calendar_that_says_the_same(words, calendar, said):
    read = read_calendar(*words)
    assert read == calendar
    assert str(read).startswith(said)
    options = dict(zip(read.options[::2], read.options[1::2], strict=True))
    assert read_calendar(options["--every"], options["--at"], options.get("--on", "")) == read


@pytest.mark.parametrize(
    "words",
    [
        ("year",),
        ("day", "24:00"),
        ("day", "3"),
        ("day", ":15"),
        ("day", "03:60"),
        ("day", "03:00", "mon"),
        ("week", "03:00", "mo"),
        ("week", "03:00", "8"),
        ("month", "03:00", "29"),
        ("month", "03:00", "0"),
        ("month", "03:00", "²"),
    ],
)
def test_words_that_mean_nothing_are_refused(words):
    with pytest.raises(UsageError):
        read_calendar(*words)


@pytest.mark.parametrize(
    ("calendar", "now", "last", "following"),
    [
        # 2026-11-20 is a Friday, and Berlin is an hour ahead of UTC.
        (Calendar("day", 3, 0), "2026-11-20T14:22:33", "2026-11-20T02:00", "2026-11-21T02:00"),
        (Calendar("day", 3, 0), "2026-11-20T01:59:59", "2026-11-19T02:00", "2026-11-20T02:00"),
        (Calendar("day", 3, 0), "2026-11-20T02:00:00", "2026-11-20T02:00", "2026-11-21T02:00"),
        (Calendar("day", 0, 30), "2026-11-20T23:45:00", "2026-11-20T23:30", "2026-11-21T23:30"),
        (Calendar("hour", 0, 15), "2026-11-20T14:14:00", "2026-11-20T13:15", "2026-11-20T14:15"),
        (
            Calendar("week", 3, 0, weekday=0),
            "2026-11-20T14:00:00",
            "2026-11-16T02:00",
            "2026-11-23T02:00",
        ),
        (
            Calendar("month", 3, 0, day=28),
            "2026-03-01T00:00:00",
            "2026-02-28T02:00",
            "2026-03-28T02:00",
        ),
        # 02:30 is skipped on 2026-03-29, and comes twice on 2026-10-25: the first counts.
        (Calendar("day", 2, 30), "2026-03-29T12:00:00", "2026-03-29T01:30", "2026-03-30T00:30"),
        (Calendar("day", 2, 30), "2026-10-25T12:00:00", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_the_last_moment_and_the_next_are_those_of_a_clock_on_the_wall(
    calendar, now, last, following
):
    assert latest(calendar, utc(now), BERLIN) == utc(last)
    assert coming(calendar, utc(now), BERLIN) == utc(following)


def test_an_hour_has_its_minute_where_clocks_differ_by_three_quarters():
    now = utc("2026-11-20T14:22:33")  # 20:07:33 there
    assert latest(Calendar("hour", 0, 15), now, KATHMANDU) == utc("2026-11-20T13:30")


calendars = st.builds(
    Calendar,
    st.sampled_from(["hour", "day", "week", "month"]),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 6),
    st.integers(1, 28),
)
moments = st.integers(946_800_000, 2_840_000_000).map(  # from 2000 to 2059
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


# The longest time between two moments.
PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calendar=calendars, now=moments)
def test_no_more_than_a_period_and_a_jump_of_the_clock_lies_between_two_moments(calendar, now):
    last, following = latest(calendar, now, BERLIN), coming(calendar, now, BERLIN)
    assert last <= now < following
    assert following - last <= PERIODS[calendar.every] + timedelta(hours=1)


def test_a_run_is_due_once_its_moment_has_passed_and_only_once():
    nightly = Calendar("day", 3, 0)
    now = utc("2026-11-20T14:00:00")
    slot = latest(nightly, now)
    assert is_due(nightly, None, now)
    assert is_due(nightly, slot - timedelta(seconds=1), now)
    assert not is_due(nightly, slot, now)
    assert not is_due(nightly, now, now)


def test_a_run_that_lies_ahead_keeps_none_from_running_when_the_clock_was_set_back():
    now = utc("2026-11-20T14:00:00")
    assert is_due(Calendar("day", 3, 0), now + timedelta(days=3000), now)


@pytest.mark.parametrize(
    ("calendar", "word"),
    [
        (Calendar("day", 3, 0), "nightly"),
        (Calendar("day", 22, 0), "nightly"),
        (Calendar("day", 12, 0), "daily"),
        (Calendar("hour"), "hourly"),
        (Calendar("week"), "weekly"),
        (Calendar("month"), "monthly"),
    ],
)
def test_people_call_a_backup_by_when_it_comes(calendar, word):
    assert calendar.adjective == word
