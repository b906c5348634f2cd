"""Moments and spans of time, for files and for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from holdfast.times import ago, duration, moment, utc_text


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=9, minutes=30))]
)
def test_a_time_is_written_as_utc_to_the_second(zone):
    at = datetime(2026, 11, 20, 14, 22, 33, 999_999, tzinfo=UTC).astimezone(zone)
    assert utc_text(at) == "2026-11-20T14:22:33Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T14:22:33Z",
        "2026-11-20T14:22:33",
        "2026-11-20 14:22:33",
        "2026-11-20T16:22:33+02:00",
        "20261120T142233Z",
    ],
)
def test_a_time_is_read_as_utc_unless_it_says_otherwise(text):
    found = moment(text)
    assert found == datetime(2026, 11, 20, 14, 22, 33, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "never", "2026-13-01", "1763648553", "2026-11-20T"])
def test_what_is_no_time_is_none(text):
    assert moment(text) is None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (5400, "90 minutes"),
        (7200, "2 hours"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (3 * 86_400 + 5, "3 days"),
        (1000 * 86_400, "1,000 days"),
    ],
)
def test_a_span_is_said_in_its_largest_fitting_unit(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *((-60, "in the future"), (-59, "just now"), (0, "just now"), (1.9, "just now")),
        *((2, "2 seconds ago"), (172_800, "2 days ago")),
    ],
)
def test_how_long_ago_is_said_for_people(seconds, expected):
    assert ago(seconds) == expected
