"""Which backups a prune keeps, each with the reason: decided from what is known of them alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from holdfast.profiles import KeepRules

NO_RULE = "no rule"
LAST_VERIFIED = "last verified"
HAD_MORE_ROWS = "over twice the rows of the newest"
IN_THE_FUTURE = "dated in the future"
WITHOUT_A_DATE = "its date is not known"
NOTHING_BETTER = "damaged, but none that is verified is newer"
REPLACED = "damaged, and a newer one is verified"
NOT_ON_RECORD = "not on record here as it is"


class Fate(StrEnum):
    """What becomes of a backup."""

    KEPT = "kept"
    REMOVED = "removed"
    NOT_OURS = "not ours"  # it stays, too


class Candidate(Struct, frozen=True):
    """What is known of a backup."""

    name: str  # the only one of this name in its place
    made_at: datetime | None  # None: not known
    database: str  # what tells it from other databases; "": not known
    kind: str = ""  # what it holds of the database, such as one part; "": all
    owner: str = ""  # the machine that put it there
    is_verified: bool = False  # its contents were proven
    is_damaged: bool = False
    row_count: int | None = None  # None: not known


class Decision(Struct, frozen=True):
    """What becomes of a backup, and why."""

    backup: Candidate
    fate: Fate
    reasons: tuple[str, ...] = ()  # of one that goes because no rule keeps it: none
    stays: str = ""  # of one that goes: the verified one of its kind that stays; "": none


# Restic's buckets: backups of which this gives the same share one.
_BUCKETS: dict[str, Callable[[datetime], object]] = {
    "hourly": lambda moment: (moment.date(), moment.hour),
    "daily": datetime.date,
    "weekly": lambda moment: moment.isocalendar()[:2],
    "monthly": lambda moment: (moment.year, moment.month),
    "yearly": lambda moment: moment.year,
}


def plan_retention(
    backups: Iterable[Candidate], rules: Mapping[str, KeepRules], *, now: datetime, owner: str = ""
) -> list[Decision]:
    """
    Decide on every backup in one place, as `restic forget` would, and never to a loss.

    Backups are counted by database and kind. Whatever the rules say, these stay: the newest
    verified one; the newest that has more than twice the rows of the newest; what is damaged,
    until a newer one is verified; what has no date, or one that is yet to come. None of the last
    two is counted. Once what was to go has gone, even in part, the decisions are the same.

    Args:
        backups: in any order; of those of one moment, the later made first.
        rules: by database; of one that has none, all stay.
        owner: whose backups may go.

    Returns: a decision on each backup, in the order given.
    """
    everything = list(backups)
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for each in everything:
        if each.owner == owner and each.database:
            groups.setdefault((each.database, each.kind), []).append(each)
    decided = {
        decision.backup.name: decision
        for (database, _), group in groups.items()
        for decision in _decide(group, rules.get(database, KeepRules()), now)
    }
    return [decided.get(each.name) or _not_ours(each, owner) for each in everything]


def has_rules(rules: KeepRules) -> bool:
    """Tell whether any rule keeps anything: without one, nothing goes."""
    counts = (rules.last, *(getattr(rules, name) for name in _BUCKETS))
    return any(counts) or bool(re.search("[1-9]", rules.within or ""))


def _not_ours(backup: Candidate, owner: str) -> Decision:
    reason = f"of {backup.owner}" if backup.owner != owner else NOT_ON_RECORD
    return Decision(backup, Fate.NOT_OURS, (reason,))


def _decide(group: Sequence[Candidate], rules: KeepRules, now: datetime) -> Iterator[Decision]:
    """Yield a decision on each of the backups that are counted together."""
    if not has_rules(rules):
        yield from (Decision(each, Fate.KEPT, (NO_RULE,)) for each in group)
        return
    for each in group:
        if each.made_at is None:
            yield Decision(each, Fate.KEPT, (WITHOUT_A_DATE,))
        elif each.made_at > now:
            # Counted, it would push out all that is made until then.
            yield Decision(each, Fate.KEPT, (IN_THE_FUTURE,))
    dated = [
        (each.made_at.astimezone(UTC), each)
        for each in group
        if each.made_at is not None and each.made_at <= now
    ]
    dated.sort(key=lambda item: item[0], reverse=True)  # stable, as restic's is
    counted = [(moment, each) for moment, each in dated if not each.is_damaged]
    verified = next(((at, each) for at, each in counted if each.is_verified), None)
    stays = verified[1].name if verified else ""
    largest = _larger_than_newest([each for _, each in counted])
    for (_, each), ruled in zip(counted, _reasons(counted, rules), strict=True):
        reasons = (
            *ruled,
            *((LAST_VERIFIED,) if each.name == stays else ()),
            *((HAD_MORE_ROWS,) if each is largest else ()),
        )
        yield (
            Decision(each, Fate.KEPT, reasons)
            if reasons
            else Decision(each, Fate.REMOVED, stays=stays)
        )
    for moment, each in dated:
        if each.is_damaged and verified and verified[0] > moment:
            yield Decision(each, Fate.REMOVED, (REPLACED,), stays)
        elif each.is_damaged:
            yield Decision(each, Fate.KEPT, (NOTHING_BETTER,))


def _larger_than_newest(counted: Sequence[Candidate]) -> Candidate | None:
    """Find what was backed up before a database lost half of its rows: no later one has them."""
    newest = counted[0].row_count if counted else None
    if newest is None:
        return None
    return next((each for each in counted if (each.row_count or 0) > newest * 2), None)


def _reasons(
    counted: Sequence[tuple[datetime, Candidate]], rules: KeepRules
) -> Iterator[tuple[str, ...]]:
    """Yield the rules that keep each backup. Source: ApplyPolicy of restic 0.14."""
    left = {name: getattr(rules, name) or 0 for name in _BUCKETS}
    last_bucket: dict[str, object] = {}
    since = earlier(counted[0][0], rules.within) if counted and rules.within else None
    for number, (moment, _) in enumerate(counted):
        reasons = [f"within {rules.within}"] if since and moment > since else []
        if number < (rules.last or 0):
            reasons.append("last")
        for name, bucket_of in _BUCKETS.items():
            bucket = bucket_of(moment)
            if left[name] and last_bucket.get(name) != bucket:
                last_bucket[name] = bucket
                left[name] -= 1
                reasons.append(name)
        yield tuple(reasons)


def earlier(moment: datetime, span: str) -> datetime:
    """
    Go back by calendar years, months (m) and days, then by hours.

    A day that a month lacks runs over into the next: a month before 31 December is 1 December.

    Args: span: as KeepRules.within has it, such as 1y6m.
    """
    counts = {unit: int(number) for number, unit in re.findall(r"(\d+)([ymdh])", span)}
    years, months, days, hours = (counts.get(unit, 0) for unit in "ymdh")
    year, month = divmod(moment.year * 12 + moment.month - 1 - years * 12 - months, 12)
    try:
        first = moment.replace(year=year, month=month + 1, day=1)
        return first + timedelta(days=moment.day - 1 - days, hours=-hours)
    except (ValueError, OverflowError):  # before the year 1
        return datetime.min.replace(tzinfo=moment.tzinfo)
