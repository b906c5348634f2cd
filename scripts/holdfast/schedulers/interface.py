"""What every scheduler of a system is: it keeps one job of ours, and starts it when it is time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from holdfast.errors import ProgramFailed, ScheduleFailed
from holdfast.programs import output_of
from holdfast.schedulers.calendar import Calendar

_WAIT_SECONDS = 30.0


class Machine(Struct, frozen=True):
    """Whose scheduler it is."""

    environment: Mapping[str, str]
    user_home: Path
    platform: str  # as sys.platform


class Job(Struct, frozen=True):
    """What a scheduler is to start, and when."""

    name: str  # of this home alone, such as holdfast-backup-3f9a1c2b
    calendar: Calendar
    command: tuple[str, ...]  # of absolute paths and options
    first_at: datetime  # in local time

    @property
    def checking_command(self) -> tuple[str, ...]:
        """The command for a system that starts it more often than it is due: it looks itself."""
        return (*self.command, "--if-due", *self.calendar.options, "--quiet")


class Scheduler(Struct, frozen=True):
    """
    One system's way to start a program at a time.

    All but `is_here` raise ScheduleFailed, with a hint, when the system refuses.
    """

    name: str
    title: str  # for people
    # Tells whether the system has it, and it runs.
    is_here: Callable[[Machine], bool]
    # What is written for a job, by where; touches nothing.
    texts: Callable[[Job, Machine], Mapping[str, str]]
    # Puts a job in the place of an older one of its name, whole or not at all.
    install: Callable[[Job, Machine], None]
    # Tells whether a job of this name is there.
    is_installed: Callable[[str, Machine], bool]
    # Takes the job of this name away, with all that was written for it.
    remove: Callable[[str, Machine], None]
    # What a person should know, in sentences.
    advice: Callable[[Machine], tuple[str, ...]] = lambda _: ()


def tell(words: Sequence[str], environment: Mapping[str, str], system: str, hint: str) -> bytes:
    """
    Run the program that sets a system's schedules, and return what it printed.

    Raises: ScheduleFailed, naming the system, when it refuses.
    """
    try:
        return output_of(words, environment, _WAIT_SECONDS)
    except ProgramFailed as error:
        raise ScheduleFailed(f"{system} does not take the schedule: {error}", hint=hint) from error


def complain_of_words(words: tuple[str, ...]) -> None:
    """Refuse what no scheduler can be told: control characters, and bytes that are no text."""
    for word in words:
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in word) or not _is_text(word):
            raise ScheduleFailed(
                f"{word!r} cannot be written into a schedule",
                hint="Move Holdfast or its home to a folder with a plain name.",
            )


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
