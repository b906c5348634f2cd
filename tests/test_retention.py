"""What a prune keeps: as restic would decide, and never to a loss."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from holdfast.profiles import KeepRules, load_settings
from holdfast.retention import Candidate, Decision, Fate, earlier, has_rules, plan_retention
from tests.running import needs

NOW = datetime(2026, 11, 20, 14, 22, 33, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def backup(moment: str | datetime | None, **facts: object) -> Candidate:
    made_at = at(moment) if isinstance(moment, str) else moment
    known: dict[str, object] = {"database": "crm", "is_verified": True} | facts
    return Candidate(name=str(known.pop("name", moment)), made_at=made_at, **known)  # type: ignore[arg-type]


def decide(
    backups: Iterable[Candidate], rules: KeepRules, now: datetime = NOW, owner: str = ""
) -> list[Decision]:
    everything = list(backups)
    return plan_retention(
        everything, {each.database: rules for each in everything}, now=now, owner=owner
    )


def kept(decisions: Iterable[Decision]) -> dict[str, str]:
    return {
        each.backup.name: ", ".join(each.reasons)
        for each in decisions
        if each.fate is not Fate.REMOVED
    }


def removed(decisions: Iterable[Decision]) -> set[str]:
    return {each.backup.name for each in decisions if each.fate is Fate.REMOVED}


# Each rule


SHELF = [
    "2026-11-20T14:05",
    "2026-11-20T14:00",
    "2026-11-20T09:30",
    "2026-11-19T23:59",
    "2026-11-16T00:00",  # a Monday
    "2026-11-15T23:59",  # the Sunday before, of another week
    "2026-10-31T12:00",
    "2026-01-01T12:00",
    "2025-12-31T12:00",  # in the ISO week of 2026-01-01
    "2024-02-29T12:00",
]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (KeepRules(last=2), {"2026-11-20T14:05": "last", "2026-11-20T14:00": "last"}),
        (
            KeepRules(hourly=3),
            {
                "2026-11-20T14:05": "hourly",
                "2026-11-20T09:30": "hourly",
                "2026-11-19T23:59": "hourly",
            },
        ),
        (
            KeepRules(daily=3),
            {
                "2026-11-20T14:05": "daily",
                "2026-11-19T23:59": "daily",
                "2026-11-16T00:00": "daily",
            },
        ),
        (
            KeepRules(weekly=4),
            {
                "2026-11-20T14:05": "weekly",
                "2026-11-15T23:59": "weekly",
                "2026-10-31T12:00": "weekly",
                "2026-01-01T12:00": "weekly",
            },
        ),
        (
            KeepRules(monthly=4),
            {
                "2026-11-20T14:05": "monthly",
                "2026-10-31T12:00": "monthly",
                "2026-01-01T12:00": "monthly",
                "2025-12-31T12:00": "monthly",
            },
        ),
        (
            KeepRules(yearly=9),
            {
                "2026-11-20T14:05": "yearly",
                "2025-12-31T12:00": "yearly",
                "2024-02-29T12:00": "yearly",
            },
        ),
        (
            KeepRules(within="1d"),
            {
                "2026-11-20T14:05": "within 1d",
                "2026-11-20T14:00": "within 1d",
                "2026-11-20T09:30": "within 1d",
                "2026-11-19T23:59": "within 1d",
            },
        ),
        (
            KeepRules(last=1, daily=2, yearly=1, within="5h"),
            {
                "2026-11-20T14:05": "within 5h, last, daily, yearly",
                "2026-11-20T14:00": "within 5h",
                "2026-11-20T09:30": "within 5h",
                "2026-11-19T23:59": "daily",
            },
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
def test_a_rule_keeps_the_newest_of_each_of_the_last_periods_that_have_one(rules, wanted):
    found = kept(decide([backup(moment, is_verified=False) for moment in SHELF], rules))
    assert found == wanted


def test_a_span_ends_before_the_moment_that_is_just_that_long_ago():
    shelf = [backup(moment) for moment in ("2026-11-20T14:00", "2026-11-19T14:00:01")]
    assert len(kept(decide([*shelf, backup("2026-11-19T14:00")], KeepRules(within="24h")))) == 2


@pytest.mark.parametrize(
    ("moment", "span", "wanted"),
    [
        ("2026-11-20T14:00", "48h", "2026-11-18T14:00"),
        ("2026-11-20T14:00", "1y6m", "2025-05-20T14:00"),
        ("2026-12-31T00:00", "1m", "2026-12-01T00:00"),  # for 31 November
        ("2024-02-29T00:00", "1y", "2023-03-01T00:00"),
        ("2026-01-01T01:00", "1m1d2h", "2025-11-29T23:00"),
        ("2026-01-01T01:00", "999999y", "0001-01-01T00:00"),
        ("2026-01-01T01:00", "999999d", "0001-01-01T00:00"),
    ],
)
def test_a_span_goes_back_by_the_calendar(moment, span, wanted):
    assert earlier(at(moment), span) == at(wanted)


def test_periods_are_those_of_utc_whatever_zone_a_moment_is_written_in():
    east = timezone(timedelta(hours=9))
    same_day = [  # in UTC; over there, the first is of the day after
        backup(datetime(2026, 11, 20, 1, tzinfo=east), name="late"),  # 19th, 16:00
        backup(datetime(2026, 11, 19, 23, tzinfo=east), name="early"),  # 19th, 14:00
    ]
    assert removed(decide(same_day, KeepRules(daily=2))) == {"early"}


def test_of_one_moment_the_first_given_is_the_newer():
    twins = [backup("2026-11-20T14:00", name=name) for name in ("second", "first")]
    assert removed(decide(twins, KeepRules(last=1))) == {"first"}


@pytest.mark.parametrize(
    "rules",
    [KeepRules(), KeepRules(last=0, daily=0), KeepRules(within="0d"), KeepRules(within="0y00h")],
)
def test_without_a_rule_that_keeps_anything_nothing_goes(rules):
    assert not has_rules(rules)
    found = decide([backup(moment) for moment in SHELF], rules)
    assert kept(found) == dict.fromkeys(SHELF, "no rule")


def test_rules_of_one_database_are_no_rules_of_another():
    shelf = [backup(moment, database="crm") for moment in SHELF[:3]]
    shelf += [backup(moment, database="kata", name=f"kata {moment}") for moment in SHELF[:3]]
    found = plan_retention(shelf, {"crm": KeepRules(last=1)}, now=NOW)
    assert removed(found) == set(SHELF[1:3])


# What stays whatever the rules say


def test_the_last_verified_stays_where_newer_ones_are_not_verified():
    shelf = [backup(moment, is_verified=index == 3) for index, moment in enumerate(SHELF)]
    found = decide(shelf, KeepRules(last=2))
    assert kept(found) == {SHELF[0]: "last", SHELF[1]: "last", SHELF[3]: "last verified"}
    assert {each.stays for each in found if each.fate is Fate.REMOVED} == {SHELF[3]}


def test_two_sets_of_rules_at_once_leave_a_verified_backup_between_them():
    # One alone would keep another that is verified, and so let go of the last.
    shelf = [backup(moment, is_verified=index > 0) for index, moment in enumerate(SHELF)]
    gone = removed(decide(shelf, KeepRules(last=1))) | removed(decide(shelf, KeepRules(monthly=9)))
    assert [each.name for each in shelf if each.is_verified and each.name not in gone] == [SHELF[1]]


def test_what_was_made_before_half_of_the_rows_went_stays():
    counts = [40, 45, 90, 91, 500]
    shelf = [
        backup(moment, row_count=count) for moment, count in zip(SHELF[:5], counts, strict=True)
    ]
    found = kept(decide(shelf, KeepRules(last=1)))
    assert found == {
        SHELF[0]: "last, last verified",
        SHELF[2]: "over twice the rows of the newest",
    }
    # Twice is not more than twice, and what is not known says nothing.
    assert len(kept(decide([replace(shelf[0], row_count=250), *shelf[1:]], KeepRules(last=1)))) == 1
    unknown = [replace(shelf[0], row_count=None), *shelf[1:]]
    assert len(kept(decide(unknown, KeepRules(last=1)))) == 1


def test_a_damaged_backup_is_not_counted_and_goes_once_a_newer_one_is_verified():
    facts = [
        {"is_damaged": True, "is_verified": False},
        {"is_verified": False},
        {},
        {"is_damaged": True, "is_verified": False},
        {},
    ]
    shelf = [backup(moment, **fact) for moment, fact in zip(SHELF[:5], facts, strict=True)]
    found = decide(shelf, KeepRules(last=3))
    assert kept(found) == {
        SHELF[0]: "damaged, but none that is verified is newer",
        SHELF[1]: "last",
        SHELF[2]: "last, last verified",
        SHELF[4]: "last",
    }
    [gone] = [each for each in found if each.fate is Fate.REMOVED]
    assert gone.reasons == ("damaged, and a newer one is verified",)


def test_a_damaged_backup_stays_beside_a_verified_one_of_the_same_moment():
    twins = [
        backup(SHELF[0]),
        backup(SHELF[0], name="damaged", is_damaged=True, is_verified=False),
    ]
    assert removed(decide(twins, KeepRules(last=1))) == set()


def test_where_all_is_damaged_all_stays():
    shelf = [backup(moment, is_damaged=True, is_verified=False) for moment in SHELF]
    assert len(kept(decide(shelf, KeepRules(last=1)))) == len(SHELF)


def test_parts_are_counted_each_by_itself():
    shelf = [backup(moment) for moment in SHELF[:2]]
    shelf += [backup(moment, kind="tables tasks", name=f"tasks {moment}") for moment in SHELF[2:4]]
    shelf += [backup(moment, kind="tables notes", name=f"notes {moment}") for moment in SHELF[4:5]]
    found = decide(shelf, KeepRules(last=1))
    assert removed(found) == {SHELF[1], f"tasks {SHELF[3]}"}


def test_what_is_dated_in_the_future_stays_and_pushes_nothing_out():
    shelf = [backup("2031-01-01T00:00"), *(backup(moment) for moment in SHELF[:4])]
    found = kept(decide(shelf, KeepRules(last=1, within="5h")))
    assert found == {
        "2031-01-01T00:00": "dated in the future",
        SHELF[0]: "within 5h, last, last verified",
        SHELF[1]: "within 5h",
        SHELF[2]: "within 5h",
    }


def test_a_clock_that_was_set_back_removes_nothing():
    found = decide([backup(moment) for moment in SHELF], KeepRules(last=1), now=at("2020-01-01"))
    assert set(kept(found).values()) == {"dated in the future"}


def test_what_has_no_date_stays_and_is_not_counted():
    shelf = [backup(None, name="undated"), backup(SHELF[0]), backup(SHELF[1])]
    found = decide(shelf, KeepRules(last=1))
    assert kept(found)["undated"] == "its date is not known"
    assert removed(found) == {SHELF[1]}


def test_what_another_machine_put_there_or_nothing_is_known_of_is_not_ours():
    shelf = [
        backup(SHELF[0], owner="laptop-1f3a"),
        backup(SHELF[1], owner="desk-2b4c"),
        backup(SHELF[2], owner="laptop-1f3a", database=""),
        backup(SHELF[3], owner="laptop-1f3a"),
    ]
    found = decide(shelf, KeepRules(last=1), owner="laptop-1f3a")
    assert [(each.fate.value, each.reasons) for each in found] == [
        ("kept", ("last", "last verified")),
        ("not ours", ("of desk-2b4c",)),
        ("not ours", ("not on record here as it is",)),
        ("removed", ()),
    ]


# docs/settings.md

PAGE = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_what_is_decided(tmp_path):
    section = PAGE.partition("\n## What is kept\n")[2].partition("\n## ")[0]
    [rules] = re.findall(r"^```yaml\n(keep: .*)\n```$", section, re.MULTILINE)
    (tmp_path / "backup.yaml").write_text(rules, encoding="utf-8")
    table = re.findall(r"^\| (\d{4}-\d\d-\d\d \d\d:\d\d)[^|]* \| (.*) \|$", section, re.MULTILINE)
    keep = load_settings(tmp_path).keep
    assert keep and len(table) == 8
    found = decide([backup(moment) for moment, _ in table], keep)
    assert [", ".join(each.reasons) or "(goes)" for each in found] == [says for _, says in table]
    names = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)))
    )
    assert names == {field.name for field in fields(KeepRules)}


# Whatever there is


counts = st.none() | st.integers(0, 4)
rule_sets = st.builds(
    KeepRules,
    last=counts,
    hourly=counts,
    daily=counts,
    weekly=counts,
    monthly=counts,
    yearly=counts,
    within=st.none() | st.sampled_from(["0d", "5h", "3d", "1m", "1y2d"]),
)
moments = st.none() | st.datetimes(
    datetime(2023, 12, 20),  # noqa: DTZ001 - hypothesis wants it so
    datetime(2027, 2, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@st.composite
def shelves(draw: Callable[..., Any]) -> list[Candidate]:
    """Backups near each other and far apart, sound or not, of two databases and two owners."""
    shelf: list[Candidate] = []
    for number in range(draw(st.integers(0, 14))):
        moment = draw(moments)
        if shelf and draw(st.booleans()):
            near = shelf[-1].made_at
            moment = near and near - timedelta(minutes=draw(st.sampled_from([0, 30, 1440])))
        is_damaged = draw(st.booleans()) and draw(st.booleans())
        shelf.append(
            Candidate(
                name=str(number),
                made_at=moment,
                database=draw(st.sampled_from(["crm", "crm", "crm", "kata", ""])),
                kind=draw(st.sampled_from(["", "", "tables tasks"])),
                owner=draw(st.sampled_from(["", "", "", "desk"])),
                is_verified=not is_damaged and draw(st.booleans()),
                is_damaged=is_damaged,
                row_count=draw(st.none() | st.integers(0, 9)),
            )
        )
    return shelf


def groups(shelf: Iterable[Candidate]) -> dict[tuple[str, str], list[Candidate]]:
    found: dict[tuple[str, str], list[Candidate]] = {}
    for each in shelf:
        if each.owner == "" and each.database:
            found.setdefault((each.database, each.kind), []).append(each)
    return found


@settings(deadline=None)
@given(shelves(), rule_sets)
def test_the_newest_verified_backup_of_each_kind_always_stays(shelf, rules):
    gone = removed(decide(shelf, rules))
    for group in groups(shelf).values():
        dated = [(each.made_at, each) for each in group if each.made_at and each.made_at <= NOW]
        verified = [item for item in dated if item[1].is_verified]
        good = [item for item in dated if not item[1].is_damaged]
        for some in filter(None, (verified, good)):
            assert max(some, key=lambda item: item[0])[1].name not in gone
        assert {each.name for each in group} - gone
        if not verified:
            assert gone.isdisjoint(each.name for each in group if each.is_damaged)
    for each in shelf:
        if each.owner or not each.database or not each.made_at or each.made_at > NOW:
            assert each.name not in gone


@settings(deadline=None)
@given(shelves(), rule_sets, rule_sets)
def test_more_rules_never_remove_more(shelf, rules, others):
    both = KeepRules(
        **{
            name: max(getattr(rules, name) or 0, getattr(others, name) or 0)
            for name in ("last", "hourly", "daily", "weekly", "monthly", "yearly")
        },
        within=rules.within,
    )
    if has_rules(rules):
        assert removed(decide(shelf, both)) <= removed(decide(shelf, rules))


@settings(deadline=None)
@given(shelves(), rule_sets, st.randoms(use_true_random=False))
def test_pruning_again_or_in_the_middle_of_a_prune_decides_the_same(shelf, rules, chance):
    first = decide(shelf, rules)
    gone = removed(first)
    half = {name for name in sorted(gone) if chance.random() < 0.5}
    for left in (gone, half):
        again = decide([each for each in shelf if each.name not in left], rules)
        assert removed(again) == gone - left
        assert kept(again) == kept(first)


@settings(deadline=None)
@given(shelves(), rule_sets)
def test_the_order_in_which_backups_are_given_decides_only_between_those_of_one_moment(
    shelf, rules
):
    named = [replace(each, made_at=each.made_at) for each in shelf]
    by_moment = {(each.made_at, each.database, each.kind, each.owner): each for each in named}
    alone = list(by_moment.values())
    assert removed(decide(reversed(alone), rules)) == removed(decide(alone, rules))


@settings(deadline=None)
@given(shelves(), rule_sets)
def test_every_backup_is_decided_on_and_every_one_that_stays_has_a_reason(shelf, rules):
    found = decide(shelf, rules)
    assert [each.backup for each in found] == shelf
    assert all(each.reasons for each in found if each.fate is not Fate.REMOVED)


# Beside restic itself


RULE_SETS = {
    KeepRules(last=3): ["--keep-last=3"],
    KeepRules(hourly=5, within="2d"): ["--keep-hourly=5", "--keep-within=2d"],
    KeepRules(daily=4, weekly=7): ["--keep-daily=4", "--keep-weekly=7"],
    KeepRules(monthly=5, yearly=9): ["--keep-monthly=5", "--keep-yearly=9"],
    KeepRules(last=1, daily=2, yearly=2, within="1y1m1d1h"): [
        *("--keep-last=1", "--keep-daily=2", "--keep-yearly=2", "--keep-within=1y1m1d1h"),
    ],
}


def moments_for_restic() -> list[datetime]:
    """The ends of hours, days, ISO weeks, months and years, and some moments between."""
    edges = [
        *("2026-05-31T12:00:00", "2026-05-01T12:00:00", "2026-04-30T12:00:01"),
        *("2026-05-31T11:59:59", "2026-05-31T11:30:00", "2026-05-30T00:00:00"),
        *("2026-05-25T00:00:00", "2026-05-24T23:59:59", "2026-01-01T00:00:00"),
        *("2025-12-31T23:59:59", "2025-12-29T00:00:00", "2025-12-28T23:59:59"),
        *("2025-04-30T11:00:00", "2025-04-30T10:59:59", "2024-12-31T01:00:00"),
    ]
    chance = random.Random(7)
    between = [
        at("2026-05-31T00:00") - timedelta(seconds=chance.randrange(60 * 86400)) for _ in range(3)
    ]
    return [*map(at, edges), *between]


@needs("restic")
@pytest.mark.slow
def test_restic_decides_the_same_of_the_same_moments_for_the_same_reasons(tmp_path: Path) -> None:
    usual = {"TZ": "UTC", "RESTIC_REPOSITORY": str(tmp_path / "store"), "RESTIC_PASSWORD": "x"}
    (tmp_path / "file").write_text("content")

    def restic(*words: str) -> str:
        return subprocess.run(
            ["restic", "--no-cache", *words],
            env=os.environ | usual,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout

    restic("init")
    times = moments_for_restic()
    with ThreadPoolExecutor(4) as threads:
        dates = [f"--time={time:%Y-%m-%d %H:%M:%S}" for time in times]
        list(threads.map(lambda date: restic("backup", "--quiet", date, "file"), dates))
    shelf = [backup(time, name=f"{time:%Y-%m-%dT%H:%M:%SZ}", is_verified=False) for time in times]
    for rules, words in RULE_SETS.items():
        [found] = json.loads(restic("forget", "--dry-run", "--json", *words))
        decided = decide(shelf, rules)
        assert removed(decided) == {each["time"] for each in found["remove"] or ()}, rules
        assert {name: reasons.split(", ") for name, reasons in kept(decided).items()} == {
            each["snapshot"]["time"]: [re.sub(" snapshot$", "", why) for why in each["matches"]]
            for each in found["reasons"]
        }, rules
