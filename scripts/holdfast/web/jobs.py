"""Work that takes long: queued, carried out by a process each, watched and cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import msgspec

from holdfast.errors import HoldfastError
from holdfast.programs import Worker
from holdfast.times import utc_text
from holdfast.web.orders import Order
from holdfast.web.problems import HttpProblem, problem_of, unexpected

AT_ONCE = 2  # the others wait
KEPT = 200  # jobs that have ended, for who asks later
WAITING = 100  # more are refused
_KILL_SECONDS = 20.0  # after which one that was interrupted is not waited for any longer
_AGAIN_SECONDS = (5.0, 10.0)  # and after which it is interrupted once more
_HEARTBEAT_SECONDS = 15.0

State = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(slots=True)
class Job:
    """One order, and what has become of it so far."""

    id: str
    verb: str
    created_at: str
    database: str | None = None  # that was named
    backup: str | None = None
    state: State = "queued"
    progress: msgspec.Raw | None = None
    report: msgspec.Raw | None = None
    problem: dict[str, Any] | None = None
    exit_code: int | None = None
    upload: str | None = None  # the file that was sent for it, to be named when it is confirmed

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class JobList:
    """The jobs that are remembered, the latest first, without their reports."""

    jobs: list[Job]


@dataclass(slots=True)
class _Work:
    """A job with what is needed to carry it out, and who watches it."""

    job: Job
    order: Order
    file: Path | None
    when_over: Callable[[Job], None] | None
    worker: Worker | None = None
    is_cancelled: bool = False
    watchers: set[Callable[[], None]] = field(default_factory=set)


class _Line(msgspec.Struct, frozen=True):
    """What a worker says."""

    progress: msgspec.Raw = msgspec.Raw()
    report: msgspec.Raw = msgspec.Raw()
    problem: dict[str, Any] | None = None
    exit_code: int | None = None


class Jobs:
    """All jobs of one server."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: an empty one, in which the processes are started.
        """
        self._folder = folder
        self._threads = ThreadPoolExecutor(AT_ONCE, "job")
        self._works: dict[str, _Work] = {}
        self._lock = threading.RLock()  # a signal that ends the server may come while it is held
        self._is_closed = False

    def begin(
        self,
        order: Order,
        *,
        file: Path | None = None,
        upload: str | None = None,
        when_over: Callable[[Job], None] | None = None,
    ) -> Job:
        """
        Queue an order.

        Args:
            file: that was sent with it, and is read instead of a backup that is here.
            upload: what that file is called to who sent it.

        Raises: HttpProblem when too many wait already, or the server ends.
        """
        now = utc_text(datetime.now(UTC))
        job = Job(
            secrets.token_hex(8),
            order.verb,
            now,
            database=getattr(order, "database", None),
            backup=file.name if file else getattr(order, "backup", None),
            upload=upload,
        )
        with self._lock:
            waiting = sum(each.job.state == "queued" for each in self._works.values())
            if self._is_closed:
                raise HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, "The server ends.", "Start it.")
            if waiting >= WAITING:
                raise HttpProblem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    f"{waiting} jobs wait already.",
                    "Try again in a while, or cancel some.",
                    {"Retry-After": "10"},
                )
            work = self._works[job.id] = _Work(job, order, file, when_over)
            over = [name for name, each in self._works.items() if each.job.is_over]
            for name in over[: max(0, len(over) - KEPT)]:
                del self._works[name]
        self._threads.submit(self._carry_out, work)
        return job

    def listed(self) -> JobList:
        """Return the jobs that are remembered, the latest first, without their reports."""
        with self._lock:
            return JobList(
                [replace(each.job, report=None) for each in reversed(self._works.values())]
            )

    def get(self, name: str) -> Job:
        """Return a job by its id; HttpProblem when there is none."""
        return self._work(name).job

    def cancel(self, name: str) -> Job:
        """Interrupt a job, or take it out of the queue; one that is over stays as it is."""
        work = self._work(name)
        self._cancel(work)
        return work.job

    def close(self) -> None:
        """Interrupt all jobs, and wait for their end."""
        self.interrupt_all()
        self._threads.shutdown(wait=True)

    def interrupt_all(self) -> None:
        """Interrupt all jobs, and take no more."""
        with self._lock:
            self._is_closed = True
            works = list(self._works.values())
        for work in works:
            self._cancel(work)

    async def watch(self, name: str) -> AsyncIterator[Job | None]:
        """Yield a job each time that it has changed, up to its end; None after a silence."""
        work = self._work(name)
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(changed.set)

        with self._lock:
            work.watchers.add(wake)
        try:
            while not work.job.is_over:
                yield work.job
                try:
                    await asyncio.wait_for(changed.wait(), _HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield None
                changed.clear()
            yield work.job
        finally:
            with self._lock:
                work.watchers.discard(wake)

    def _work(self, name: str) -> _Work:
        with self._lock:
            work = self._works.get(name)
        if work is None:
            raise HttpProblem(
                HTTPStatus.NOT_FOUND,
                "There is no such job.",
                f"The last {KEPT} are in /backup/jobs, until the server ends.",
            )
        return work

    def _cancel(self, work: _Work) -> None:
        with self._lock:
            if work.job.is_over:
                return
            work.is_cancelled = True
            if work.job.state == "queued":
                work.job.state = "cancelled"
            worker = work.worker
        if worker:
            worker.interrupt()
            # One that comes while it still starts may go unheard.
            again = [(seconds, worker.interrupt) for seconds in _AGAIN_SECONDS]
            for seconds, act in (*again, (_KILL_SECONDS, worker.kill)):
                timer = threading.Timer(seconds, act)
                timer.daemon = True
                timer.start()
        self._tell(work)

    def _carry_out(self, work: _Work) -> None:
        try:
            self._run(work)
        except HoldfastError as error:
            work.job.problem = problem_of(error)
        except Exception as error:  # noqa: BLE001 - nothing may leave a job without an end
            work.job.problem = unexpected(error)
        with self._lock:
            work.worker = None
            work.job.state = self._end_of(work)
            if work.job.problem:
                work.job.exit_code = work.job.problem["exit_code"]
        if work.when_over:
            work.when_over(work.job)
        self._tell(work)

    def _run(self, work: _Work) -> None:
        with self._lock:
            if work.is_cancelled:
                return
            work.job.state = "running"
            work.worker = Worker(_WORDS, _environment(), self._folder)
        self._tell(work)
        commission = {
            "verb": work.order.verb,
            "order": work.order,
            "upload": work.file and str(work.file),
        }
        for text in work.worker.lines(msgspec.json.encode(commission)):
            line = msgspec.json.decode(text, type=_Line)
            job = work.job
            job.progress = line.progress or job.progress
            job.report = line.report or job.report
            job.problem = line.problem or job.problem
            job.exit_code = line.exit_code if line.exit_code is not None else job.exit_code
            self._tell(work)

    def _end_of(self, work: _Work) -> State:
        job = work.job
        if job.problem:
            return "failed"
        if job.report:  # it was quicker than who cancelled it
            return "done"
        if work.is_cancelled:
            return "cancelled"
        job.problem = unexpected(ChildProcessError())
        return "failed"

    def _tell(self, work: _Work) -> None:
        with self._lock:
            watchers = list(work.watchers)
        for wake in watchers:
            wake()


_WORDS = (sys.executable, "-m", "holdfast.web.worker")


def _environment() -> dict[str, str]:
    """Return what lets a process find the same packages, and keep compiled code where we do."""
    more = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if sys.pycache_prefix:
        more["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    return {**os.environ, **more}
