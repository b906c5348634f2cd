"""The application: its parts put together, and how it ends."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from holdfast import __version__, files
from holdfast.errors import HoldfastError
from holdfast.web import asked, files_served, ordered
from holdfast.web.documents import with_reports
from holdfast.web.guard import Access, Guard
from holdfast.web.jobs import Jobs
from holdfast.web.log_in import Doorkeeper
from holdfast.web.problems import (
    MEDIA_TYPE,
    HttpProblem,
    encoded,
    http_problem,
    problem_of,
    unexpected,
)
from holdfast.web.state import State
from holdfast.web.uploads import Uploads

_DESCRIPTION = """\
What the scripts do, over HTTP. What takes long is a *job*: the answer is 202 with its id, and
`/backup/jobs/{id}/events` tells how far it is. Errors are problem details (RFC 9457), with the
exit codes and hints of the scripts."""


def make_app(access: Access, password: str, upload_bytes: int, scratch: Path) -> tuple[Guard, Jobs]:
    """
    Make the application of one server, and its jobs.

    Args:
        password: that people log in with; "": they open an address with a token in it.
        scratch: a private folder that goes when the server ends.
    """
    state = State(
        access,
        Doorkeeper(password),
        Jobs(_inside(scratch, "work")),
        Uploads(_inside(scratch, "uploads")),
        upload_bytes,
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        yield
        state.jobs.close()

    app = FastAPI(
        title="Holdfast",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.holdfast = state
    app.include_router(asked.router)
    app.include_router(ordered.router)
    app.include_router(files_served.router)
    app.add_exception_handler(HoldfastError, _of_operation)
    app.add_exception_handler(HttpProblem, _of_request)
    app.add_exception_handler(RequestValidationError, _of_fields)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(Exception, _of_nobody)
    app.openapi = with_reports(app)  # type: ignore[method-assign]
    return Guard(app, access, upload_bytes), state.jobs


def _inside(folder: Path, name: str) -> Path:
    files.make_folder(folder / name)
    return folder / name


def _answer(problem: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    status = int(str(problem["status"]))
    return Response(encoded(problem), status, headers=headers, media_type=MEDIA_TYPE)


def _of_operation(_: Request, error: Exception) -> Response:
    assert isinstance(error, HoldfastError)
    return _answer(problem_of(error))


def _of_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return _answer(error.problem, error.headers)


def _of_fields(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = "; ".join(
        f"{'.'.join(str(part) for part in each['loc'][1:]) or 'the body'}: {each['msg']}"
        for each in error.errors()[:5]
    )
    return _answer(
        http_problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{found}.", "The fields are described at /docs."
        )
    )


def _of_nobody(_: Request, error: Exception) -> Response:
    return _answer(unexpected(error))


def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, HttpProblem):  # that came up while the body was read
        return _of_request(request, error.__cause__)
    hints = {404: "The paths are described at /docs.", 405: "The methods are described at /docs."}
    status = HTTPStatus(error.status_code)
    problem = http_problem(status, f"{error.detail}.", hints.get(error.status_code, ""))
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:  # each route names its own methods alone
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return _answer(problem, headers)


def _methods(request: Request) -> set[str]:
    """Return the methods that there are for a path."""
    return {
        method
        for route in request.app.router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
