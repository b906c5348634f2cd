"""Which of two rows was changed later, in SQL."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.model import folded

# Columns that tools keep the time of a row's last change in.
_CHANGED_AT = (
    "updated_at",
    "modified_at",
    "last_modified",
    "last_updated",
    "changed_at",
    "updated",
    "modified",
    "updatedat",
    "modifiedat",
    "mtime",
)


def time_column(columns: Iterable[str], named: Iterable[str] = ()) -> str | None:
    """Choose the column that holds the time of a row's last change: named, or usually so called."""
    known = {folded(column): column for column in columns}
    wanted = (*map(folded, named), *_CHANGED_AT)
    return next((known[name] for name in wanted if name in known), None)


def is_later(one: str, other: str) -> str:
    """Compare two times: numbers as they are, text by the moment it names."""
    numbers = f"(typeof({one}) IN ('integer', 'real') AND typeof({other}) IN ('integer', 'real'))"
    texts = f"(typeof({one}) = 'text' AND typeof({other}) = 'text')"
    # julianday() tells moments apart to the millisecond; text of one form and one zone goes on.
    later = (
        f"(julianday({one}) > julianday({other}) OR (julianday({one}) = julianday({other})"
        f" AND length({one}) = length({other})"
        f" AND ltrim(substr({one}, 20), '.0123456789') = ltrim(substr({other}, 20), '.0123456789')"
        f" AND substr({one}, 20) > substr({other}, 20)))"
    )
    return f"CASE WHEN {numbers} THEN {one} > {other} WHEN {texts} THEN {later} END"
