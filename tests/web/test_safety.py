"""Nobody gets in who is not meant to, and no name leads out of where it belongs."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import sqlite3
import struct
import time
import zipfile
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests import running
from tests.web.serving import Served, begun, carried_out, children, ended, sent, served

ONE_MEGABYTE = 1024 * 1024


def raw(
    server: Served, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Ask for a path just as it is written: a client would tidy it up."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host="Host" in (headers or {}))
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def let_in(server: Served, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}"} | more


# Who gets in.


@pytest.mark.parametrize(
    "path", ["/ui", "/ui/index.html", "/docs", "/openapi.json", "/backup/list", "/backup/jobs"]
)
@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_nothing_is_shown_without_the_token(shared: Served, path: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()} if token else {}
    with shared.client(headers=headers) as client:
        for address in (path, f"{path}?token={quote(token)}"):
            answer = client.get(address)
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"


def test_the_address_that_is_printed_lets_a_browser_in_by_a_strict_cookie(shared: Served) -> None:
    with shared.client(headers={}) as browser:
        opened = browser.get("/ui", params={"token": shared.token})
        assert (opened.status_code, opened.headers["location"]) == (303, "/ui")
        cookie = opened.headers["set-cookie"]
        assert cookie.startswith(f"holdfast-{shared.port}=")
        assert "; HttpOnly" in cookie and "; SameSite=Strict" in cookie
        assert shared.token not in cookie
        assert browser.get("/ui").status_code == 200
        assert browser.get("/backup/list").status_code == 200


def test_the_token_in_an_address_lets_nobody_ask_for_anything_else(shared: Served) -> None:
    with shared.client(headers={}) as client:
        assert client.get("/backup/list", params={"token": shared.token}).status_code == 401
        assert client.post("/backup/export", params={"token": shared.token}).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("[::1]:{port}", 200),
        ("evil.example", 421),
        ("evil.example:{port}", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("user@localhost", 421),
        ("", 421),
    ],
)
def test_a_name_that_was_turned_to_this_machine_is_not_served(
    shared: Served, host: str, status: int
) -> None:
    headers = let_in(shared, Host=host.format(port=shared.port))
    assert raw(shared, "GET", "/backup/jobs", headers)[0] == status


def test_two_names_at_once_are_refused(shared: Served) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as sock:
        sock.sendall(
            b"GET /backup/jobs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n"
            + f"Authorization: Bearer {shared.token}\r\nConnection: close\r\n\r\n".encode()
        )
        assert sock.recv(4096).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:{port}"}, 202),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_another_site_cannot_have_a_browser_ask(
    shared: Served, headers: dict[str, str], status: int
) -> None:
    given = {name: value.format(port=shared.port) for name, value in headers.items()}
    more = let_in(shared, **{"Content-Type": "application/json"}, **given)
    found = raw(shared, "POST", "/backup/verify", more, b'{"backup": "latest"}')
    assert found[0] == status


def test_a_form_of_another_site_cannot_pose_as_json(guest: httpx.Client) -> None:
    answer = guest.post(
        "/backup/export", content=b'{"database": "notes"}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 422


def test_every_answer_makes_browsers_careful(shared: Served) -> None:
    for path, headers in (
        ("/ui", let_in(shared)),
        ("/docs", let_in(shared)),
        ("/backup/list", let_in(shared)),
        ("/backup/nothing", let_in(shared)),
        ("/backup/list", {}),
        ("/backup/list", {"Host": "evil.example"}),
    ):
        found = raw(shared, "GET", path, headers)[1]
        policy = found["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "'unsafe-eval'" not in policy
        assert ("'unsafe-inline'" in policy) == (path == "/docs")
        assert found["x-content-type-options"] == "nosniff"
        assert found["x-frame-options"] == "DENY"
        assert found["referrer-policy"] == "no-referrer"
        assert found["cache-control"] == "no-store"
        assert found["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in found
        assert "server" not in found


# Names.

NAMES = [
    "..",
    ".",
    "%2e%2e",
    "%2E%2e",
    "%252e%252e",
    "..%2f..%2fhistory.db",
    "..%5c..%5chistory.db",
    "%2e%2e%2fbackup.yaml",
    "%2fetc%2fpasswd",
    "C:%5cWindows%5cwin.ini",
    "history.db",
    "restore-points",
    ".partial-x",
    "backup.yaml%00.json",
    "%00",
    "CON",
    "nul.json",
    "COM1",
    "backup-2026-11-28.json%00",
    "%c0%ae%c0%ae",
    "%ff%fe",
    "~",
    "*",
    "a" * 5000,
]


def tree(folder: Path) -> dict[str, bytes]:
    found = running.files_in(folder)
    return {name: content for name, content in found.items() if "scratch" not in name}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:30])
def test_no_name_leads_out_of_the_output_folder(shared: Served, name: str) -> None:
    folder = shared.home.parent
    (folder / "home" / "output" / "restore-points").mkdir(parents=True, exist_ok=True)
    (folder / "home" / "output" / "restore-points" / "kept").write_text("kept")
    before = tree(folder)
    for method, path in (
        ("DELETE", f"/backup/delete/{name}"),
        ("DELETE", f"/backup/delete/{name}?confirm=000000000000"),
        ("GET", f"/backup/download/{name}"),
        ("GET", f"/ui/{name}"),
        ("GET", f"/docs/{name}"),
    ):
        status, _, body = raw(shared, method, path, let_in(shared))
        assert status in (400, 404, 405), (method, path, status, body[:200])
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/backup/plan", {"backup": "{name}"}),
        ("/backup/verify", {"backup": "{name}"}),
        ("/backup/diff", {"left": "{name}"}),
        ("/backup/restore", {"backup": "{name}"}),
        ("/backup/undo", {"database": "notes", "point": "{name}"}),
        ("/backup/restore", {"backup": "latest", "output": "{name}"}),
        ("/backup/export", {"database": "{name}"}),
        ("/backup/export", {"database": "notes", "name": "{name}"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_no_field_takes_a_path(shared: Served, path: str, order: dict[str, str]) -> None:
    folder = shared.home.parent
    with shared.client() as guest:
        carried_out(guest, "/backup/export", {"database": "notes"})
        before = tree(folder)
        for name in (
            str(folder / "notes.db"),
            "../../notes.db",
            "attic:../../notes.db",
            "attic:/" + str(folder / "notes.db"),
            "/etc/passwd",
            "..",
            "nul",
            "a\0b",
            "~/notes.db",
        ):
            given = {key: value.format(name=name) for key, value in order.items()}
            job = carried_out(guest, path, given)
            assert job["state"] == "failed", (name, job)
            assert job["exit_code"] in (2, 10, 14), (name, job)
        after = tree(folder)
    # Only what failed may have been noted.
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed <= {"home/output/history.db"}


@pytest.mark.parametrize(
    "name",
    ["../../escape.json", "/tmp/escape.json", "..\\..\\escape.json", "..", "nul", "", "a\r\nb: c"],
)
def test_the_name_of_a_sent_file_leads_nowhere(
    guest: httpx.Client, shared: Served, tmp_path: Path, name: str
) -> None:
    folder = shared.home.parent
    carried_out(guest, "/backup/export", {"database": "notes"})
    content = guest.get("/backup/download/" + next(iter(names(guest)))).content
    answer = guest.post("/backup/import", files={"file": (name, content)})
    if answer.status_code == 202:
        job = answer.json()
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", job["backup"])
        assert job["backup"] != "nul"
    else:  # what is no file name at all
        assert answer.status_code in (400, 422)
    escaped = [path for path in folder.rglob("escape*") if "uploads" not in path.parts]
    assert escaped == [] and not Path("/tmp/escape.json").exists()


def names(client: httpx.Client) -> list[str]:
    return [each["name"] for each in client.get("/backup/list").json()["backups"]]


# What is sent.


def scratch_of(server: Served) -> list[Path]:
    """Return the files that were sent, as far as they are kept."""
    folder = server.home.parent / "scratch"
    return [path for path in folder.rglob("*") if path.is_file() and "uploads" in path.parts]


def test_a_file_over_the_limit_is_refused_and_not_kept(home: Path) -> None:
    with served(home, "--upload-limit", "1") as server, server.client() as client:
        content = os.urandom(ONE_MEGABYTE + 1)
        answer = client.post("/backup/import", files={"file": ("large.json", content)})
        assert answer.status_code == 413
        assert answer.json()["limit_bytes"] == ONE_MEGABYTE
        assert "--upload-limit" in answer.json()["hint"]
        assert scratch_of(server) == []
        fitting = client.post("/backup/import", files={"file": ("fits.json", content[:-1])})
        assert fitting.status_code == 202


def test_a_file_whose_job_is_refused_is_not_kept(home: Path) -> None:
    notes = home.parent / "notes.db"
    with served(home) as server, server.client() as client:
        with contextlib.closing(sqlite3.connect(notes)) as other:
            other.execute("BEGIN EXCLUSIVE")  # those that are at work wait for it
            order = {"database": "notes"}
            while client.post("/backup/export", json=order).status_code == 202:
                pass
            answer = client.post("/backup/import", files={"file": ("sent.json", b"{}")})
        assert answer.status_code == 429
        assert scratch_of(server) == []


def test_a_length_that_is_a_lie_does_not_lift_the_limit(home: Path) -> None:
    with served(home, "--upload-limit", "1") as server:
        boundary = b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
            sock.sendall(
                b"POST /backup/import HTTP/1.1\r\nHost: localhost\r\n"
                + f"Authorization: Bearer {server.token}\r\n".encode()
                + b"Content-Type: multipart/form-data; boundary=x\r\n"
                + b"Transfer-Encoding: chunked\r\n\r\n"
            )
            block = b"%x\r\n%s\r\n" % (len(boundary), boundary)
            answer = b""
            try:
                sock.sendall(block)
                for _ in range(64):
                    sock.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
            except OSError:  # it has hung up, which is as good
                pass
            try:
                answer = sock.recv(4096)
            except OSError:
                answer = b"HTTP/1.1 413 "
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert scratch_of(server) == []


def test_a_request_that_sends_no_file_is_short(guest: httpx.Client) -> None:
    answer = guest.post("/backup/export", json={"tables": ["a" * (2 * ONE_MEGABYTE)]})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
        b"no form at all",
        b"--x\r\nbroken header\r\n\r\n\r\n--x--\r\n",
    ],
)
def test_a_form_that_is_none_is_refused_and_nothing_of_it_is_kept(
    shared: Served, content: bytes
) -> None:
    headers = let_in(shared, **{"Content-Type": "multipart/form-data; boundary=x"})
    before = scratch_of(shared)
    assert raw(shared, "POST", "/backup/import", headers, content)[0] == 400
    assert scratch_of(shared) == before


def test_an_upload_that_breaks_off_is_not_kept(home: Path) -> None:
    with served(home) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
            sock.sendall(
                b"POST /backup/import HTTP/1.1\r\nHost: localhost\r\n"
                + f"Authorization: Bearer {server.token}\r\n".encode()
                + b"Content-Type: multipart/form-data; boundary=x\r\n"
                + b"Content-Length: 5000000\r\n\r\n"
                + b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
                + b"a" * 100_000
            )
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with server.client() as client:
            end = time.monotonic() + 30
            while client.get("/backup/jobs").status_code == 200 and scratch_of(server):
                assert time.monotonic() < end
        assert [line for line in server.said if "rror" in line or "Traceback" in line] == []


def test_a_file_whose_job_is_cancelled_is_not_kept(home: Path) -> None:
    with served(home) as server, server.client() as client:
        exported = carried_out(client, "/backup/export", {"database": "notes"})["report"]["path"]
        with contextlib.closing(sqlite3.connect(home.parent / "notes.db")) as other:
            other.execute("BEGIN EXCLUSIVE")  # which the job waits for
            content = Path(exported).read_bytes()
            answer = client.post("/backup/import", files={"file": ("sent.json", content)})
            assert len(scratch_of(server)) == 1
            client.delete(f"/backup/jobs/{answer.json()['id']}")
            assert ended(client, answer.json())["state"] == "cancelled"
        deadline = time.monotonic() + 20
        while scratch_of(server) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert scratch_of(server) == []


def test_a_zip_that_leads_out_of_itself_is_damaged(guest: httpx.Client, tmp_path: Path) -> None:
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("RESTORE.md", "x")
        archive.writestr("../../escape", "x")
    job = sent(guest, evil, database="notes")
    assert (job["state"], job["exit_code"]) == ("failed", 16)
    assert not list(tmp_path.rglob("escape"))


def test_a_zip_that_grows_without_measure_is_refused_before_it_is_unpacked(
    guest: httpx.Client, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("RESTORE.md", "x")
        with archive.open("tables/notes.jsonl", "w") as member:
            for _ in range(256):
                member.write(bytes(ONE_MEGABYTE))
    job = sent(guest, bomb, database="notes")
    assert (job["state"], job["exit_code"]) == ("failed", 16)


# What is said, and to whom.


def test_nothing_of_a_database_or_a_request_comes_into_a_log(home: Path) -> None:
    running.make_database(
        home.parent / "notes.db", "INSERT INTO notes VALUES (4, 'SECRETTITLE', 'SECRETBODY')"
    )
    with served(home) as server:
        with server.client() as client:
            job = carried_out(client, "/backup/export", {"database": "notes"})
            backup = Path(job["report"]["path"])
            running.make_database(home.parent / "notes.db", "DELETE FROM notes")
            carried_out(client, "/backup/plan", {"backup": backup.name, "rows": True})
            backup.write_bytes(backup.read_bytes()[:-40])
            carried_out(client, "/backup/verify", {"backup": backup.name})
            client.get("/backup/list?SECRETQUERY")
            client.get("/backup/download/SECRETNAME")
            client.post("/backup/export", json={"SECRETFIELD": 1})
            client.post("/backup/import", files={"file": ("SECRETFILE", b"SECRETCONTENT")})
        assert server.stop() == 0
        assert server.process.stdout
        said = "".join(server.said) + server.process.stdout.read().decode()
    assert "SECRET" not in said
    assert said.splitlines()[-1].startswith("Ended: ")
    assert len(said.splitlines()) == 3  # where it is, how it ends, that it has


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "TERM", "HUP"]
)
def test_what_was_sent_and_the_work_under_way_go_with_the_server(
    home: Path, number: signal.Signals
) -> None:
    with served(home) as server, server.client() as client:
        job = carried_out(client, "/backup/export", {"database": "notes"})
        sent(client, Path(job["report"]["path"]), database="notes")
        assert len(scratch_of(server)) == 1
        for _ in range(4):
            begun(client, "/backup/verify", {"backup": "all"})
        at_work = children(server.process.pid)
        server.process.send_signal(number)
        assert server.process.wait(30) == 0
        assert at_work and not any(Path(f"/proc/{each}").exists() for each in at_work)
        assert [path.name for path in (home.parent / "scratch").glob("holdfast-*")] == []


# Other machines.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_let_in_only_when_something_keeps_strangers_out(
    home: Path, host: str
) -> None:
    done = running.run(home, "serve", "--port", "0", "--host", host, exit_code=2)
    assert "lets other machines in, and nothing would keep them out" in done.stderr
    assert "--password-file" in done.stderr and "--trusted-proxy" in done.stderr
    assert "can read, change and delete" in done.stderr


PASSWORD = "a long enough password"


def test_a_password_lets_in_and_is_tried_slowly(home: Path) -> None:
    with served(home, "--host", "0.0.0.0", environment={"HOLDFAST_PASSWORD": PASSWORD}) as server:
        address = f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=address, trust_env=False) as browser:
            asked = browser.get("/ui")
            assert (asked.status_code, asked.headers["location"]) == (303, "/login")
            assert "<form" in browser.get("/login").text
            assert browser.get("/backup/list").status_code == 401
            let = browser.post("/login", data={"password": PASSWORD})
            assert (let.status_code, let.headers["location"]) == (303, "/ui")
            assert browser.get("/ui").status_code == 200
            # A right one clears the count; then five wrong ones are all there are.
            tries = [browser.post("/login", data={"password": "wrong"}) for _ in range(6)]
            assert [each.status_code for each in tries] == [401] * 5 + [429]
            assert int(tries[-1].headers["retry-after"]) in range(1, 62)
            late = browser.post("/login", data={"password": PASSWORD})
            assert late.status_code == 429
            assert browser.get("/backup/list").status_code == 200  # who is in stays in


def test_a_password_comes_from_a_file_and_must_be_long(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("short\n")
    done = running.run(home, "serve", "--port", "0", "--password-file", str(file), exit_code=2)
    assert "shorter than 12 characters" in done.stderr
    file.write_text("\n")
    running.run(home, "serve", "--port", "0", "--password-file", str(file), exit_code=2)
    running.run(
        home, "serve", "--port", "0", "--password-file", str(tmp_path / "none"), exit_code=30
    )


def test_behind_a_trusted_proxy_only_the_proxy_is_heard(home: Path) -> None:
    with served(home, "--trusted-proxy", "127.0.0.1", "--name", "backups.example") as server:
        headers = {"Host": "backups.example", "X-Forwarded-Proto": "https"}
        assert raw(server, "GET", "/backup/jobs", headers)[0] == 200
        origin = headers | {"Origin": "https://backups.example"}
        order = {**origin, "Content-Type": "application/json"}
        assert raw(server, "POST", "/backup/verify", order, b"{}")[0] == 202
        assert raw(server, "GET", "/backup/jobs", {"Host": "other.example"})[0] == 421
    with served(home, "--trusted-proxy", "192.0.2.7") as server:
        assert raw(server, "GET", "/backup/jobs")[0] == 403


def test_a_trusted_proxy_is_an_address(home: Path) -> None:
    done = running.run(home, "serve", "--port", "0", "--trusted-proxy", "proxy", exit_code=2)
    assert "is no address" in done.stderr


def test_a_port_that_is_taken_is_told(home: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = running.run(home, "serve", "--port", port, exit_code=37)
    assert f"port {port}" in done.stderr and "--port" in done.stderr
