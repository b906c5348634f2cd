"""A real Azurite on loopback, which is Microsoft's own stand-in for Azure's object storage."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import pytest

CONTAINER = "backups"
ACCOUNT, SECRET = "holdfasttest", base64.b64encode(b"a key that nobody may print").decode()


@dataclass(frozen=True, slots=True)
class AzureServer:
    """An Azurite with one container, and an account that may use it."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"


@contextlib.contextmanager
def azure_server(folder: Path) -> Iterator[AzureServer]:
    """Run an object store that keeps everything in memory, until the block ends."""
    program = os.environ.get("HOLDFAST_TEST_AZURITE")
    if not program:
        assert not os.environ.get("CI"), "HOLDFAST_TEST_AZURITE names no file"
        pytest.skip("needs Azurite: python3 -m tests --tools")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = AzureServer(listener.getsockname()[1])
    command = ["node", program, "--blobPort", str(server.port), "--inMemoryPersistence"]
    # The library asks in the words of a later version of the service.
    command += ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    log = folder / "log"
    with log.open("wb") as said:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{SECRET}"},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(600):
            assert running.poll() is None, log.read_text(errors="replace")[-3000:]
            with contextlib.suppress(ConnectionError):
                _make_container(server.port)
                break
            time.sleep(0.1)
        else:
            raise AssertionError("Azurite does not come up")
        yield server
    finally:
        running.kill()
        running.wait()


def _make_container(port: int) -> None:
    """Ask for it by hand: the library makes none. What is signed is in Azure's Shared Key form."""
    facts = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    place = f"/{ACCOUNT}/{CONTAINER}"
    lines = ["PUT", *[""] * 11, *(f"{name}:{value}" for name, value in facts.items())]
    text = "\n".join([*lines, f"/{ACCOUNT}{place}", "restype:container"])
    signed = hmac.digest(base64.b64decode(SECRET), text.encode(), hashlib.sha256)
    facts["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("PUT", f"{place}?restype=container", headers=facts)
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()
