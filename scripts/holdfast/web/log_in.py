"""Logging in with a password: compared in constant time, and tried slowly."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from holdfast.web.problems import HttpProblem

TRIES = 5  # that fail, in
WITHIN_SECONDS = 60.0


class Doorkeeper:
    """Knows the password, and counts who does not."""

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._password = password
        self._clock = clock
        self._failures: list[float] = []
        self._lock = threading.Lock()

    @property
    def has_password(self) -> bool:
        return bool(self._password)

    def complain_of_password(self, given: str) -> None:
        """
        Return when a password is right.

        All who try are counted together: an address is easily changed.

        Raises: HttpProblem when it is wrong, or was wrong too often just now.
        """
        with self._lock:
            now = self._clock()
            self._failures = [at for at in self._failures if now - at < WITHIN_SECONDS]
            if len(self._failures) >= TRIES:
                wait = int(WITHIN_SECONDS - (now - self._failures[0])) + 1
                raise HttpProblem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "The password was wrong too often.",
                    f"Try again in {wait} seconds.",
                    {"Retry-After": str(wait)},
                )
            if not secrets.compare_digest(given.encode(), self._password.encode()):
                self._failures.append(now)
                raise HttpProblem(HTTPStatus.UNAUTHORIZED, "The password is wrong.", "Try again.")
            self._failures.clear()
