"""Tells those whom the settings name how a scheduled run ended: addresses and commands."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from holdfast import files
from holdfast.errors import HoldfastError
from holdfast.operations.context import Context
from holdfast.programs import output_of
from holdfast.schedulers.outcomes import RunReport

_COMMAND_SECONDS = 120.0


def tell(context: Context, report: RunReport) -> Iterator[str]:
    """Fetch the address and run the command for how a run ended; yield what went wrong there."""
    from holdfast.pings import ping

    settings = context.settings.schedule
    is_done = report.outcome == "done"
    address = settings.ping_success if is_done else settings.ping_failure
    command = settings.on_success if is_done else settings.on_failure
    try:
        if address:
            ping(address)
    except HoldfastError as error:
        yield f"{error}. {error.hint}"
    try:
        if command:
            output_of(command, _facts(context, report), _COMMAND_SECONDS)
    except HoldfastError as error:
        yield f"{error}. {error.hint}"


def _facts(context: Context, report: RunReport) -> dict[str, str]:
    """Return the environment of a command: ours, and what it may want to know of the run."""
    plain = {
        "outcome": report.outcome,
        "started_at": report.started_at,
        "backups": [
            {
                "database": each.database,
                "backup": files.text_of(each.backup),
                "error": each.error,
                "problem": each.problem,
                "stores": {copy.store: copy.problem for copy in each.copies},
            }
            for each in report.backups
        ],
    }
    return {
        **context.environment,
        "HOLDFAST_HOME": str(context.home.path),
        "HOLDFAST_OUTCOME": report.outcome,
        "HOLDFAST_MESSAGE": report.problem.replace("\0", ""),
        "HOLDFAST_REPORT": msgspec.json.encode(plain).decode(),
    }
