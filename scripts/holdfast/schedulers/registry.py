"""The schedulers that there are: one module each, one line here."""

from __future__ import annotations

from holdfast.errors import ScheduleFailed
from holdfast.schedulers.cron import CRON
from holdfast.schedulers.interface import Machine, Scheduler
from holdfast.schedulers.launchd import LAUNCHD
from holdfast.schedulers.systemd import SYSTEMD
from holdfast.schedulers.windows import WINDOWS

# In the order in which they are chosen.
SCHEDULERS = {each.name: each for each in (LAUNCHD, WINDOWS, SYSTEMD, CRON)}


def choose_scheduler(machine: Machine, named: str | None = None) -> Scheduler:
    """
    Return the scheduler that is named, else the first that the system has.

    Raises: ScheduleFailed when it has none.
    """
    if named is not None:
        return SCHEDULERS[named]
    for scheduler in SCHEDULERS.values():
        if scheduler.is_here(machine):
            return scheduler
    raise ScheduleFailed(
        "this system has neither systemd for users, nor cron, launchd or the Windows scheduler",
        hint="Install cron, or have whatever starts programs here run what"
        " `schedule show --with cron` prints.",
    )
