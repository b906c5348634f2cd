"""What the doctor finds with the schedule, and with the history that tells of it."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.concerns import Kind
from holdfast.errors import HoldfastError, ReadFailed
from holdfast.found import Finding
from holdfast.operations.context import Context
from holdfast.operations.schedule_concerns import places, schedule_troubles
from holdfast.operations.schedule_record import schedule_state
from holdfast.profiles import ScheduleSettings

_ABOUT = "the schedule"
_WHY = {
    Kind.SCHEDULE_FAILED: "what was to be backed up then is not, or not everywhere",
    Kind.SCHEDULE_MISSED: "nothing has been backed up by itself since",
    Kind.SCHEDULE_GONE: "nothing is backed up by itself any more",
}


def history_findings(context: Context) -> Iterator[Finding]:
    """Yield what keeps the history from being read; of a folder, its own finding says it."""
    try:
        context.history.backups()
    except ReadFailed:
        return
    except HoldfastError as error:
        yield Finding(
            f"the history ({context.history.path})",
            f"it cannot be read: {error}",
            "no backup is known to be verified, nor of which database it is",
            error.hint,
        )


def schedule_findings(context: Context) -> Iterator[Finding]:
    """Yield what keeps backups from being made by themselves, where they are meant to be."""
    try:
        state = schedule_state(context)
    except HoldfastError:
        return
    for each in schedule_troubles(context, state):
        yield Finding(_ABOUT, each.what, _WHY[each.kind], each.advice)
    if state:
        return
    if held := places(context):
        yield Finding(
            _ABOUT,
            f"{' and '.join(each.title for each in held)} starts backups, which the history does"
            " not know of",
            "a run that fails or does not come is told by nobody",
            "schedule install writes it anew, in both; schedule remove takes it away",
        )
    elif context.settings.schedule != ScheduleSettings():
        yield Finding(
            _ABOUT,
            "backup.yaml says what a scheduled run is to do, and no scheduler starts one",
            "nothing is backed up by itself",
            "schedule install",
        )
