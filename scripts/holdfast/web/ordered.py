"""Paths that begin jobs, and tell of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import Response, StreamingResponse

from holdfast.reports import plain_json
from holdfast.web.documents import answer, other_answer, problems
from holdfast.web.forms import IMPORT_FORM, import_order
from holdfast.web.jobs import Job, JobList, Jobs
from holdfast.web.orders import (
    DiffOrder,
    ExportOrder,
    ImportOrder,
    Order,
    PruneOrder,
    RestoreOrder,
    SyncOrder,
    UndoOrder,
    VerifyOrder,
)
from holdfast.web.problems import HttpProblem
from holdfast.web.state import State, state_of

router = APIRouter(prefix="/backup")

JobId = Annotated[str, InPath(description="of a job")]
_BEGUN = answer(Job, 202, "The job, which has begun or waits for its turn") | problems(
    400, 413, 422, 429, 503
)


_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["progress", "end"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}


def _begun(job: Job) -> Response:
    return Response(
        plain_json(job),
        HTTPStatus.ACCEPTED,
        headers={"Location": f"/backup/jobs/{job.id}"},
        media_type="application/json",
    )


def _begin(request: Request, order: Order) -> Response:
    return _begun(state_of(request).jobs.begin(order))


@router.post("/export", status_code=202, responses=_BEGUN)
def export(request: Request, order: ExportOrder) -> Response:
    """Make a verified backup."""
    return _begin(request, order)


@router.post("/plan", status_code=202, responses=_BEGUN)
def plan(request: Request, order: ImportOrder) -> Response:
    """Show what an import of a backup that is here would do; with `confirm`, do it."""
    return _begin(request, order)


@router.post("/verify", status_code=202, responses=_BEGUN)
def verify(request: Request, order: VerifyOrder) -> Response:
    """Prove that a backup can be restored."""
    return _begin(request, order)


@router.post("/diff", status_code=202, responses=_BEGUN)
def diff(request: Request, order: DiffOrder) -> Response:
    """Say what has changed between two backups, or since one."""
    return _begin(request, order)


@router.post("/undo", status_code=202, responses=_BEGUN)
def undo(request: Request, order: UndoOrder) -> Response:
    """Go back to before an import; without `confirm`, show what that would change."""
    return _begin(request, order)


@router.post("/prune", status_code=202, responses=_BEGUN)
def prune(request: Request, order: PruneOrder) -> Response:
    """Remove the backups that no rule keeps; without `confirm`, show them."""
    return _begin(request, order)


@router.post("/restore", status_code=202, responses=_BEGUN)
def restore(request: Request, order: RestoreOrder) -> Response:
    """Build a database from a backup, in the data folder."""
    return _begin(request, order)


@router.post("/sync", status_code=202, responses=_BEGUN)
def sync(request: Request, order: SyncOrder) -> Response:
    """Put into each store the backups that it does not have."""
    return _begin(request, order)


@router.post(
    "/import",
    status_code=202,
    responses=_BEGUN | problems(404, 409, 415),
    openapi_extra={"requestBody": IMPORT_FORM},
)
async def import_(request: Request) -> Response:
    """
    Bring the rows of a file that is sent, or of a backup that is here, into a database.

    Without `confirm` nothing changes: the report has the plan, and its `plan_id`. A file is kept
    for the confirmation: the job's `upload` stands for it.
    """
    state = state_of(request)
    form = await state.uploads.receive(
        request.headers.get("content-type", ""), request.stream(), state.upload_bytes
    )
    upload: str | None = None
    try:
        sent = [each for each in form.fields.pop("upload", []) if each]
        order = import_order(form.fields)
        _complain_of_sources(form.file, *sent, *form.fields.get("backup", []))
        if form.file:
            upload = state.uploads.keep(form.file)
        elif sent:
            upload = sent[-1]
        file = state.uploads.get(upload) if upload else None
        job = state.jobs.begin(
            order, file=file, upload=upload, when_over=lambda job: _let_go(state, job)
        )
    except BaseException:
        if form.file and upload:  # who sent it was not told its name
            state.uploads.forget(upload)
        form.discard()
        raise
    return _begun(job)


def _complain_of_sources(*sources: object) -> None:
    if sum(map(bool, sources)) > 1:
        raise HttpProblem(
            HTTPStatus.CONFLICT,
            "There are several sources.",
            "Send one of file, upload and backup.",
        )


def _let_go(state: State, job: Job) -> None:
    """Delete a file whose rows have come in, or are not wanted; others may be asked for again."""
    if not job.upload:
        return
    is_done = job.exit_code in (0, 3) and job.report
    if job.state == "cancelled" or (
        is_done and msgspec.json.decode(is_done).get("outcome") == "done"
    ):
        state.uploads.forget(job.upload)
        job.upload = None


@router.get("/jobs", responses=answer(JobList))
def jobs(request: Request) -> Response:
    """List the jobs of this server, the latest first, without their reports."""
    return Response(plain_json(state_of(request).jobs.listed()), media_type="application/json")


@router.get("/jobs/{id}", responses=answer(Job) | problems(404))
def job(request: Request, id: JobId) -> Response:  # noqa: A002 - as the path has it
    """Say what has become of a job."""
    return Response(plain_json(state_of(request).jobs.get(id)), media_type="application/json")


@router.delete("/jobs/{id}", responses=answer(Job) | problems(404))
def cancel(request: Request, id: JobId) -> Response:  # noqa: A002
    """Interrupt a job: it leaves nothing half done. One that is over stays as it is."""
    return Response(plain_json(state_of(request).jobs.cancel(id)), media_type="application/json")


@router.get(
    "/jobs/{id}/events",
    responses=other_answer(
        "text/event-stream", _EVENT, "Events `progress`, and one `end`; the data of each is the job"
    )
    | problems(404),
)
async def events(request: Request, id: JobId) -> Response:  # noqa: A002
    """Tell of a job as it goes on, as server-sent events."""
    found = state_of(request).jobs
    found.get(id)
    return StreamingResponse(_events(found, id), media_type="text/event-stream")


async def _events(jobs: Jobs, name: str) -> AsyncIterator[bytes]:
    async for job in jobs.watch(name):
        if job is None:
            yield b": nothing new\n\n"
        else:
            event = "end" if job.is_over else "progress"
            yield f"event: {event}\ndata: {plain_json(job)}\n\n".encode()
