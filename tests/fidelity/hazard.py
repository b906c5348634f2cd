"""What a hazard is: something that a database may hold, and that a backup may lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.database import Connection
from tests.conftest import connected


@dataclass(frozen=True)
class Loss:
    """What a format of rows cannot carry; the export says so, and a page copy carries it."""

    warning: str  # part of what the export warns of
    tables: tuple[str, ...] = ()  # that come back without their rows
    is_refused: bool = False  # it is not restored at all, rather than otherwise


@dataclass(frozen=True)
class Hazard:
    """A database that is hard to bring back."""

    name: str  # a sentence
    source: str | Callable[[Path], None]  # the SQL that makes it, or a function that does
    questions: tuple[str, ...] = ()  # queries whose answers must come back as well
    loss: Loss | None = None  # None: every format carries all of it
    warning: str = ""  # part of what a restore from rows warns of; "": it warns of nothing
    broken_references: int = 0
    blind: Mapping[str, str] = field(default_factory=dict)  # why a judge cannot look at it
    # Gives a connection what the program that owns the database would give it.
    prepare: Callable[[Connection], None] = lambda _: None
    is_slow: bool = False

    def build(self, path: Path) -> None:
        """Make the database."""
        if callable(self.source):
            self.source(path)
            return
        with connected(path) as connection:
            self.prepare(connection)
            connection.executescript(self.source)
