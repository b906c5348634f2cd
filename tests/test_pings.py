"""Pings: an address is fetched, whatever waits there; nothing of it that may be secret is said."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from holdfast.errors import ProgramFailed
from holdfast.pings import ping

SEEN: list[tuple[str, str]] = []


class Server(http.server.ThreadingHTTPServer):
    is_over = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that has gone is what is tested."""


class Watchman(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        SEEN.append((self.path, self.headers["User-Agent"]))
        kind, _, rest = self.path.strip("/").partition("/")
        if kind == "slow":  # a byte now and then, for ever
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not Server.is_over.wait(0.05):
                self.wfile.write(b"X: y\r\n")
        elif kind == "garbage":
            self.wfile.write(b"\xff\xfe\x00\r\n\r\n")
        elif kind in ("redirect", "circle"):
            self.send_response(302)
            self.send_header("Location", rest or self.path)
            self.end_headers()
        else:
            self.send_response(int(kind))
            self.end_headers()
            self.wfile.write(b"thanks")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    SEEN.clear()
    Server.is_over.clear()
    with Server(("127.0.0.1", 0), Watchman) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.is_over.set()
        server.shutdown()
        thread.join()


def test_an_address_is_fetched_once(server):
    ping(f"{server}/200/a-secret?x=1")
    assert SEEN == [("/200/a-secret?x=1", "holdfast")]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/404/secret", "it answered 404"),
        ("/500/secret", "it answered 500"),
        ("/garbage/secret", "BadStatusLine"),
        ("/redirect/ftp://127.0.0.1/secret", "unknown url type: ftp"),
        ("/redirect/file:///etc/secret", "it answered 302"),
    ],
)
def test_what_answers_otherwise_is_named_by_its_host_alone(server, path, said):
    with pytest.raises(ProgramFailed) as caught:
        ping(server + path)
    assert str(caught.value) == f"127.0.0.1 could not be pinged: {said}"
    assert "secret" not in str(caught.value) + caught.value.hint


def test_a_redirection_is_followed_to_an_address_of_the_same_kind(server):
    ping(f"{server}/redirect/{server}/200")
    assert [path for path, _ in SEEN] == [f"/redirect/{server}/200", "/200"]


def test_redirections_in_a_circle_have_an_end(server):
    with pytest.raises(ProgramFailed, match="it answered 302"):
        ping(f"{server}/circle")


def test_one_that_answers_slowly_is_waited_for_no_longer_than_it_may(server):
    with pytest.raises(ProgramFailed, match=r"it did not answer within 0\.3 seconds"):
        ping(f"{server}/slow", wait_seconds=0.3)


def test_one_that_refuses_is_an_error_of_ours():
    with pytest.raises(ProgramFailed, match="could not be pinged: Connection refused"):
        ping("http://127.0.0.1:1/secret")
