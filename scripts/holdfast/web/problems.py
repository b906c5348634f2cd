"""Errors as problem details (RFC 9457): with the codes and hints that the scripts give."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from holdfast import errors
from holdfast.errors import HoldfastError

MEDIA_TYPE = "application/problem+json"

# What a class, or else the nearest above it, is in HTTP.
_STATUS: Mapping[type[HoldfastError], HTTPStatus] = {
    errors.HoldfastError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UsageError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DatabaseError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DatabaseNotFound: HTTPStatus.NOT_FOUND,
    errors.DatabaseLocked: HTTPStatus.CONFLICT,
    errors.BackupError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.BackupNotFound: HTTPStatus.NOT_FOUND,
    errors.BackupAmbiguous: HTTPStatus.CONFLICT,
    errors.ImportConflict: HTTPStatus.CONFLICT,
    errors.ImportRefused: HTTPStatus.CONFLICT,
    errors.PlanChanged: HTTPStatus.CONFLICT,
    errors.WriteFailed: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.EnvironmentNotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RestoreRefused: HTTPStatus.CONFLICT,
    errors.StoreFailed: HTTPStatus.BAD_GATEWAY,
    errors.StoreRefused: HTTPStatus.CONFLICT,
    errors.KeyNotAtHand: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AlreadyRunning: HTTPStatus.CONFLICT,
    errors.SettingsError: HTTPStatus.CONFLICT,
    errors.ProfileError: HTTPStatus.CONFLICT,
}


class HttpProblem(Exception):
    """A request is refused for what it is in HTTP; no script has such an error."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = http_problem(status, detail, hint) | dict(more or {})
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, error: HoldfastError, **more: Any) -> HttpProblem:
        """Make the problem of an operation's error, with more than that in it."""
        made = cls(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        made.problem = problem_of(error) | more
        return made


def http_problem(status: HTTPStatus, detail: str, hint: str = "") -> dict[str, Any]:
    """Describe what is wrong with a request."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "hint": hint,
        "exit_code": None,
    }


def problem_of(error: HoldfastError) -> dict[str, Any]:
    """Describe an error of an operation."""
    name = type(error).__name__
    status = next(_STATUS[each] for each in type(error).__mro__ if each in _STATUS)
    return {
        "type": f"urn:holdfast:error:{name}",
        "title": (type(error).__doc__ or name).splitlines()[0].rstrip("."),
        "status": int(status),
        "detail": f"{error}.",
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def unexpected(error: BaseException) -> dict[str, Any]:
    """Describe an error that nobody thought of: by its kind, as its text may hold anyone's data."""
    found = http_problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"Holdfast failed unexpectedly: {type(error).__name__}.",
        "Look with status what is there, and please report this.",
    )
    return found | {"exit_code": HoldfastError.exit_code}


def encoded(problem: Mapping[str, Any]) -> bytes:
    """Write a problem as JSON."""
    return msgspec.json.encode(problem)
