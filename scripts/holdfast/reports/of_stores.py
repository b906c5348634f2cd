"""Stores, and what went into them, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from holdfast.copies import StoredCopy, StoreStatus, SyncReport
from holdfast.reports.words import counted, size_text
from holdfast.times import ago, moment


def copy_lines(copies: Iterable[StoredCopy]) -> Iterator[str]:
    """Yield what became of backups that were to be put into stores."""
    for copy in copies:
        if copy.problem:
            yield f"NOT in {copy.store}: {copy.problem}."
            yield f"  {copy.hint}"
        else:
            yield f"In {copy.store}: {copy.name} ({size_text(copy.bytes)}, read back)."


def store_line(store: StoreStatus, now: datetime | None) -> str:
    """Say what a store holds."""
    facts = [counted(store.backup_count, "backup")]
    newest = moment(store.newest_at)
    if newest and now:
        facts.append(f"the newest {ago((now - newest).total_seconds())}")
    if store.backup_count:
        facts.append(size_text(store.bytes))
    if store.problem:
        facts = [*facts, "and perhaps more"] if store.backup_count else ["not reached"]
    return f"Store {store.name}: {', '.join(facts)}. {store.location}".rstrip()


def sync_lines(report: SyncReport) -> Iterator[str]:
    """Yield the lines of a report."""
    for store in report.stores:
        if store.problem:
            yield f"{store.name} was not reached: {store.problem}."
            yield f"  {store.hint}"
            continue
        there, missing = counted(store.there_count, "backup"), len(store.copies)
        if report.is_rehearsal and missing:
            good = [each for each in store.copies if not each.problem]
            size = size_text(sum(each.bytes for each in good))
            got = f"{len(good):,} more ({size})" if good else "none of those that it lacks"
            yield f"{store.name} has {there}, and would get {got}."
            yield from (f"  {copy.backup.name}" for copy in good)
            for copy in store.copies:
                if copy.problem:
                    yield f"  NOT {copy.backup.name}: {copy.problem}."
                    yield f"    {copy.hint}"
        elif missing:
            done = sum(1 for copy in store.copies if not copy.problem)
            yield f"{store.name} had {there}, and got {done:,} of {missing:,} that it lacked."
            yield from (f"  {line}" for line in copy_lines(store.copies))
        else:
            yield f"{store.name} is level: {there}."
    for passed in report.passed:
        yield f"Passed by: {passed.path.name}, {passed.reason}."
