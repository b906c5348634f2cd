"""A short look at each store: how many backups it has, and of when, without waiting long."""

from __future__ import annotations

import threading
import time

from msgspec import Struct

from holdfast.copies import StoreStatus
from holdfast.errors import HoldfastError
from holdfast.operations.context import Context
from holdfast.stores import open_store

WAIT_SECONDS = 5.0  # for all stores together: they are asked at the same time


def look_at_stores(context: Context, wait_seconds: float = WAIT_SECONDS) -> tuple[StoreStatus, ...]:
    """Say what each store of backup.yaml holds, or what keeps it from telling; changes nothing."""
    looks = [_Look(context, name, wait_seconds) for name in context.settings.stores]
    # A disk that hangs cannot be interrupted, and must not keep the program from ending.
    threads = [threading.Thread(target=look.take, daemon=True) for look in looks]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + wait_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return tuple(
        look.found(is_over=not thread.is_alive())
        for look, thread in zip(looks, threads, strict=True)
    )


class _Look(Struct):
    """What is found in one store while it is listed."""

    context: Context
    name: str
    wait_seconds: float
    location: str = ""
    count: int = 0
    bytes: int = 0
    newest_at: str = ""
    error: HoldfastError | OSError | None = None

    def take(self) -> None:
        settings, context = self.context.settings.stores[self.name], self.context
        try:
            # Without a mark, as nothing is put or deleted: a look makes none.
            store = open_store(
                self.name,
                settings,
                "",
                context.home.path,
                context.environment,
                context.keys,
                wait_seconds=self.wait_seconds,
            )
            self.location = store.location
            for backup in store.backups():
                self.count += 1
                self.bytes += backup.bytes
                self.newest_at = max(self.newest_at, backup.created_at)
        except (HoldfastError, OSError) as error:
            self.error = error

    def found(self, *, is_over: bool) -> StoreStatus:
        problem, hint = "", ""
        if not is_over:
            problem = f"it did not tell all within {self.wait_seconds:g} seconds"
            hint = "See to the disk or the network if it stays so."
        elif self.error:
            problem, hint = str(self.error), getattr(self.error, "hint", "")
        return StoreStatus(
            self.name,
            self.location,
            self.count,
            self.newest_at or None,
            self.bytes,
            problem,
            hint,
        )
