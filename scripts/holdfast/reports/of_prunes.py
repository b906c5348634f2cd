"""Prunes, planned or done, in lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import groupby

from holdfast.pruned import PrunedBackup, PrunedPlace, PruneReport
from holdfast.reports.words import counted, size_text

_WORDS = {"kept": "keep", "removed": "remove", "not ours": "leave", "failed": "FAILED"}


def prune_lines(report: PruneReport) -> Iterator[str]:
    """Yield the lines of a report."""
    everything = [each for place in report.places for each in place.backups]
    gone = report.of("removed")
    of_all = f"{len(gone):,} of {counted(len(everything), 'backup')}"
    size = size_text(sum(each.bytes for each in gone))
    if report.outcome == "no rules":
        yield (
            f"No rule says what is kept, so all stay: {counted(len(everything), 'backup')}. Set"
            " keep in backup.yaml, or give rules such as --keep-daily 7 --keep-weekly 4."
        )
        return
    if report.outcome == "nothing to do":
        stay = "stays" if len(everything) == 1 else "stay"
        yield f"Nothing to remove, {counted(len(everything), 'backup')} {stay}."
    elif report.outcome == "done":
        yield f"Removed {of_all}, {size}."
    else:
        rehearsal = "Rehearsal, nothing is removed" if report.outcome == "rehearsed" else "Plan"
        yield f"{rehearsal}: remove {of_all}, {size}."
    for place in report.places:
        yield from _place_lines(place)
    if report.outcome == "planned":
        yield "Nothing has been removed. If this is what you want:"
        yield f"  prune {shlex.join(report.confirmed_by)}"


def _place_lines(place: PrunedPlace) -> Iterator[str]:
    for database, backups in groupby(place.backups, key=lambda each: each.database):
        where = f"{place.store} ({place.location})" if place.store else place.location
        yield f"{where}, {f'of {database}' if database else 'of no known database'}:"
        yield from (f"  {_WORDS[each.fate]} {_facts(each)}" for each in backups)


def _facts(backup: PrunedBackup) -> str:
    facts = ", ".join(
        (
            *((f"({backup.kind})",) if backup.kind else ()),
            *backup.reasons,
            *((size_text(backup.bytes),) if backup.fate == "removed" else ()),
        )
    )
    return f"{backup.name}: {facts}"
