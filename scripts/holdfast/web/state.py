"""What the requests to one server share."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from holdfast.web.guard import Access
from holdfast.web.jobs import Jobs
from holdfast.web.log_in import Doorkeeper
from holdfast.web.uploads import Uploads


@dataclass(frozen=True, slots=True)
class State:
    """Who is let in, what is under way, and what was sent."""

    access: Access
    doorkeeper: Doorkeeper
    jobs: Jobs
    uploads: Uploads
    upload_bytes: int


def state_of(request: Request) -> State:
    """Return what the server of a request shares."""
    state = request.app.state.holdfast
    assert isinstance(state, State)
    return state
