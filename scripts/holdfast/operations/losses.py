"""What a backup lacks that the one before it had."""

from __future__ import annotations

from msgspec import Struct

LOST = "lost"  # of the details of an export in the history


class Losses(Struct, frozen=True):
    """What a backup lacks that the last one of the same part of the same database had."""

    since: str  # when that was made, UTC, ISO 8601
    keep: str  # its path
    emptied: tuple[str, ...]  # tables that lost all their rows
    had: int  # rows
    has: int

    def __str__(self) -> str:
        """Say it as a warning."""
        if self.emptied:
            lost = f"since the backup of {self.since}, {', '.join(self.emptied)} lost all rows."
        else:
            lost = f"the backup of {self.since} had {self.had:,} rows, this one {self.has:,}."
        return f"{lost} Keep {self.keep} until you know why."
