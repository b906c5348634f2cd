"""A real object store on loopback, wires to it that can be cut, and servers that misbehave."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast import bootstrap

LOCK = Path(__file__).with_name("requirements-s3.lock")
BUCKET = "backups"
KEY_ID, SECRET = "HOLDFASTTESTKEYID", "a-secret-that-nobody-may-print"
_SERVICES = ("master", "volume", "filer", "s3", "admin")


@dataclass(frozen=True, slots=True)
class S3Server:
    """A SeaweedFS with one bucket, and keys that open it."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run an object store that keeps everything in a folder, until the block ends."""
    packages = bootstrap.packages_of(LOCK, "setting up an object store for its tests ...")
    ports = _free_ports(2 * len(_SERVICES))
    options = [f"-{name}.port{kind}={ports.pop()}" for name in _SERVICES for kind in ("", ".grpc")]
    (port,) = (int(each.partition("=")[2]) for each in options if each.startswith("-s3.port="))
    command = [str(packages / "bin" / "weed"), "mini", f"-dir={folder}", f"-bucket={BUCKET}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-admin.ui=false", "-webdav=false"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", *options]
    command += [f"-filer.localSocket={folder / 'filer.sock'}"]
    keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    log = folder / "log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, env=os.environ | keys, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        _wait_for_bucket(port, server, log)
        yield S3Server(port)
    finally:
        server.kill()
        server.wait()
        for each in options:  # it leaves its own sockets where it was killed
            for path in Path("/tmp").glob(f"seaweedfs-*-{each.partition('=')[2]}.sock"):
                path.unlink()


def _free_ports(count: int) -> list[int]:
    """Find ports below those that systems give to whoever asks for any: none is taken meanwhile."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            taken = stack.enter_context(socket.socket())
            port = random.randrange(10_000, 32_000)
            with contextlib.suppress(OSError):
                taken.bind(("127.0.0.1", port))
                found.append(port)
    return found


def _wait_for_bucket(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    store = S3Store(
        BUCKET,
        config={
            "endpoint": f"http://127.0.0.1:{port}",
            "access_key_id": KEY_ID,
            "secret_access_key": SECRET,
            "region": "us-east-1",
        },
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    last: Exception | None = None
    for _ in range(600):
        assert server.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            obstore.put(store, "ready", b"yes")
        except (BaseError, OSError) as error:
            last = error
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the object store does not come up: {last}")


class Wire:
    """A way to a server that is cut, for good or for one time, after so many bytes went up it."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.bytes_left: int | None = None  # None: it is not cut
        self.cut_count = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # a close alone does not end an accept
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    raise
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                if is_up and self._is_cut(len(block)):
                    break
                target.sendall(block)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _is_cut(self, size: int) -> bool:
        with self._lock:
            if self.bytes_left is None:
                return False
            self.bytes_left = max(0, self.bytes_left - size)
            if self.bytes_left == 0:
                self.cut_count += 1
            return self.bytes_left == 0


@contextlib.contextmanager
def wire_to(server: S3Server) -> Iterator[Wire]:
    """Yield a way to a server that can be cut."""
    wire = Wire(server.port)
    try:
        yield wire
    finally:
        wire.close()


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yield the address of a server that does with each connection what it is told to.

    A connection is closed once its answer has ended, however it ended.
    """

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):  # whoever asked may have gone
                answer(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
