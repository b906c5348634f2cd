"""Counts, sizes and proofs in words, as every report says them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from holdfast.model import Rung, ShownCell, ShownValue, SkippedTable

RUNGS = {
    Rung.WHOLE: "whole",
    Rung.HASH: "every byte as written",
    Rung.CONTENTS: "counts and digests",
    Rung.RESTORED: "restored and equal",
    Rung.SOUND: "integrity and references",
}


def broken_text(count: int) -> str:
    """Say how many rows refer to nothing."""
    return f"{counted(count, 'row')} refer{'s' if count == 1 else ''} to rows that are not there"


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: 1 table, 5,012 rows."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def value_lines(values: Iterable[ShownValue], more: int) -> Iterator[str]:
    """Yield a line for each value of a row, before and after."""
    for value in values:
        cells = [_cell_text(cell) for cell in (value.old, value.new) if cell]
        yield f"{value.column}: {' -> '.join(cells)}"
    if more:
        yield f"and {counted(more, 'column')} more"


def _cell_text(cell: ShownCell) -> str:
    if cell.type == "blob":
        return counted(cell.beyond, "byte")
    if cell.type != "text":
        return cell.text or "null"
    more = f"... and {counted(cell.beyond, 'character')} more" if cell.beyond else ""
    # As JSON a value has one line, whatever is in it.
    return msgspec.json.encode(cell.text).decode() + more


def tables_by_reason(skipped: Iterable[SkippedTable]) -> dict[str, list[str]]:
    """Gather tables that are left out for the same reason, in the order in which they come."""
    reasons: dict[str, list[str]] = {}
    for each in skipped:
        reasons.setdefault(each.reason, []).append(each.table)
    return reasons


def size_text(size: int) -> str:
    """Write a number of bytes for people: 812 bytes, 1.9 MB."""
    if size < 1000:
        return counted(size, "byte")
    # 999,950 bytes are 1.0 MB, as they would round to 1000.0 kB.
    power = min(int(math.log10(size * 1.00005) // 3), len(_UNITS) - 1)
    return f"{size / 1000**power:.1f} {_UNITS[power]}"


_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def name_of(backup: Path) -> str:
    """Return what a backup is called: the name of its file, or STORE:NAME of one in a store."""
    return backup.name if backup.is_absolute() else backup.as_posix()
