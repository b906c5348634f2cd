"""Paths that answer at once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import Response

from holdfast import files
from holdfast.errors import PlanChanged
from holdfast.here import context_here
from holdfast.operations.delete_backup import DeleteOptions, delete_backup
from holdfast.outcomes import StatusReport
from holdfast.pruned import DeleteReport
from holdfast.reports import plain_json
from holdfast.web import questions
from holdfast.web.answers import Backups, Choices, Databases, Entries, Schedule, Sizes
from holdfast.web.documents import answer, problems
from holdfast.web.names import backup_named
from holdfast.web.problems import HttpProblem
from holdfast.web.state import state_of

router = APIRouter(prefix="/backup")

Database = Annotated[
    str | None, Query(description="its name in /backup/databases; left out: the usual one")
]
AnyDatabase = Annotated[
    str | None, Query(description="its name in /backup/databases; left out: all of them")
]
Name = Annotated[str, InPath(description="its name in /backup/list")]


def json_response(value: object, status: int = 200) -> Response:
    """Answer with a record, encoded as the scripts encode their reports."""
    return Response(plain_json(value), status, media_type="application/json")


@router.get("/databases", responses=answer(Databases) | problems(409))
def databases() -> Response:
    """Say of each database whether it is safe."""
    with files.reading():
        return json_response(questions.databases())


@router.get("/status", responses=answer(StatusReport) | problems(404, 409, 422))
def status(database: Database = None) -> Response:
    """Say whether a database is safe: the report of status."""
    with files.reading():
        return json_response(questions.status(database))


@router.get("/list", responses=answer(Backups) | problems(404, 409, 422))
def backups(database: AnyDatabase = None) -> Response:
    """List the backups in the output folder, the newest first."""
    with files.reading():
        return json_response(questions.backups(database))


@router.get("/history", responses=answer(Entries) | problems(404, 409, 422))
def history(
    database: AnyDatabase = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="how many at most")] = 100,
) -> Response:
    """Say what was done, the latest first."""
    with files.reading():
        return json_response(questions.history(database, limit))


@router.get("/sizes", responses=answer(Sizes) | problems(404, 409, 422))
def sizes(database: Database = None) -> Response:
    """Say how a database has grown, backup by backup."""
    with files.reading():
        return json_response(questions.sizes(database))


@router.get("/schedule", responses=answer(Schedule) | problems(409))
def schedule() -> Response:
    """Say what is scheduled and kept, and what the next prune would delete."""
    with files.reading():
        return json_response(questions.schedule())


@router.get("/options", responses=answer(Choices) | problems(404, 409, 422))
def options(request: Request, database: Database = None) -> Response:
    """Say what may be asked of an export and an import."""
    with files.reading():
        return json_response(questions.choices(database, state_of(request).upload_bytes))


@router.delete(
    "/delete/{name}",
    responses=answer(DeleteReport) | problems(404, 409, 422),
)
def delete(
    name: Name,
    confirm: Annotated[
        str | None, Query(description="the plan_id that was answered with 409")
    ] = None,
) -> Response:
    """
    Delete a backup of the output folder.

    Without `confirm` nothing goes: the answer is 409, and its `report` says what would remain.
    """
    context = context_here()
    try:
        with files.reading():
            backup = backup_named(context, name)
            report = delete_backup(context, DeleteOptions(backup=backup, confirm=confirm))
    except PlanChanged as error:
        raise HttpProblem.of(error, report=_plain(error.report)) from error
    if report.outcome == "done":
        return json_response(report)
    raise HttpProblem(
        HTTPStatus.CONFLICT,
        f"{name} is not deleted yet.",
        f"To delete it, ask again with confirm={report.plan_id}.",
        more={"report": _plain(report), "exit_code": 4},
    )


def _plain(report: object) -> msgspec.Raw:
    return msgspec.Raw(plain_json(report).encode())
