"""
Carries out one order in a process of its own, which is started for it and ends with it.

It reads what to do from standard input, and writes lines of JSON: how far it has come, and at the
end a report or a problem. Interrupted, it leaves nothing half done.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from holdfast import files, reports
from holdfast.errors import CANCELLED, HoldfastError, PlanChanged
from holdfast.here import context_here
from holdfast.operations.context import Progress
from holdfast.web.orders import ORDERS, ImportOrder
from holdfast.web.problems import problem_of, unexpected

_PACE_SECONDS = 0.2  # between two lines that say how far it is


class Commission(msgspec.Struct, frozen=True):
    """What a worker reads: an order, and the file that was sent with it."""

    verb: str
    order: msgspec.Raw
    upload: str | None = None


def main() -> int:
    """Carry out the order on standard input; the exit code is that of its report or problem."""
    # Ctrl-Break, which is all that one can send there, would end it where it stands. Ctrl-C finds
    # its handler in place, however the server was started: it has one of its own while it runs.
    if os.name == "nt":
        signal.signal(signal.Signals["SIGBREAK"], signal.default_int_handler)
    return _carry_out(sys.stdout.buffer)


def _carry_out(out: BinaryIO) -> int:
    try:
        commission = msgspec.json.decode(sys.stdin.buffer.read(), type=Commission)
        order = msgspec.json.decode(commission.order, type=ORDERS[commission.verb])
        context = context_here(progress=_Progress(out).tell)
        with files.reading():
            if commission.upload is not None and isinstance(order, ImportOrder):
                report = order.carry_out_from(context, str(Path(commission.upload)))
            else:
                report = order.carry_out(context)
        exit_code = reports.exit_code(report)
        _say(out, {"report": _raw(report), "exit_code": exit_code})
        return exit_code
    except HoldfastError as error:
        said: dict[str, Any] = {"problem": problem_of(error)}
        if isinstance(error, PlanChanged) and error.report is not None:
            said["report"] = _raw(error.report)
        _say(out, said)
        return error.exit_code
    except KeyboardInterrupt:
        return CANCELLED
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, whatever happens
        _say(out, {"problem": unexpected(error)})
        return HoldfastError.exit_code


def _raw(report: Any) -> msgspec.Raw:
    return msgspec.Raw(reports.json_text(report).encode())


def _say(out: BinaryIO, what: object) -> None:
    out.write(msgspec.json.encode(what) + b"\n")
    out.flush()


class _Progress:
    """Writes how far the work has come, some times a second at most."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._phase = ""
        self._next = 0.0

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next and progress.phase == self._phase:
            return
        self._next, self._phase = now + _PACE_SECONDS, progress.phase
        _say(self._out, {"progress": progress})


if __name__ == "__main__":
    sys.exit(main())
