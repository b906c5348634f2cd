"""The signals that end a program: what is under way is undone first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, who stops a service, a terminal that closes


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """
    Let each of them raise KeyboardInterrupt while this lasts, as Ctrl-C usually does.

    One that is ignored stays so, as it does for a program that nohup starts.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone hears them
        yield
        return
    before = {}
    for number in (getattr(signal, name) for name in _ENDING if hasattr(signal, name)):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
