"""Starts the real server in a process and a home of its own, and speaks HTTP with it."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests import running

START_SECONDS = 60.0
JOB_SECONDS = 120.0


@dataclass
class Served:
    """A server that runs."""

    process: subprocess.Popen[bytes]
    home: Path
    address: str  # such as http://127.0.0.1:40123
    token: str
    said: list[str] = field(default_factory=list)  # its lines on standard error

    @property
    def page(self) -> str:
        """The address that lets a browser in."""
        return f"{self.address}/ui?token={self.token}"

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def client(self, **options: Any) -> httpx.Client:
        """A client that is let in, unless other headers are given."""
        usual: dict[str, Any] = {
            "headers": {"Authorization": f"Bearer {self.token}"},
            "timeout": 60.0,
        }
        return httpx.Client(base_url=self.address, trust_env=False, **(usual | options))

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@contextlib.contextmanager
def served(
    home: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[Served]:
    """Start a server on a free port, unless another is given, and end it afterwards."""
    words = [] if "--port" in arguments else ["--port", "0"]
    process = subprocess.Popen(
        running.command("serve", *words, *arguments),
        env=running.environment(home) | (environment or {}),
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said: list[str] = []
    assert process.stderr

    def listen() -> None:
        assert process.stderr
        for line in process.stderr:
            said.append(line.decode())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        end = time.monotonic() + START_SECONDS
        while not (found := re.search(r"(http://\S+)/ui(?:\?token=(\S+))?", "".join(said))):
            assert process.poll() is None and time.monotonic() < end, said
            time.sleep(0.02)
        yield Served(process, home, found[1], found[2] or "", said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        listener.join(10)
        for stream in (process.stdout, process.stderr):
            assert stream
            stream.close()


def begun(client: httpx.Client, path: str, order: dict[str, Any] | None = None) -> dict[str, Any]:
    """Begin a job that is asked for as JSON."""
    answer = client.post(path, json=order or {})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/backup/jobs/{job['id']}"
    return job


def ended(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a job, by its events."""
    url = f"/backup/jobs/{job['id']}/events"
    with client.stream("GET", url, timeout=JOB_SECONDS) as answer:
        event = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event == "end":
                last: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return last
    raise AssertionError("the events had no end")


def carried_out(
    client: httpx.Client, path: str, order: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Begin a job, wait for its end, and return it."""
    return ended(client, begun(client, path, order))


def sent(client: httpx.Client, file: Path, **fields: str) -> dict[str, Any]:
    """Send a file to be imported, and wait for the end of the job."""
    with file.open("rb") as stream:
        answer = client.post("/backup/import", files={"file": (file.name, stream)}, data=fields)
    assert answer.status_code == 202, answer.text
    return ended(client, answer.json())


def children(process: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process:
            found += [int(stat.parent.name), *children(int(stat.parent.name))]
    return found
