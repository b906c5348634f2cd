"""Object storage when something is wrong: said in words of ours, and never with a secret."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast import bootstrap, packages
from holdfast.errors import EnvironmentNotReady, SettingsError, StoreFailed
from holdfast.profiles import StoreSettings
from holdfast.stores import Objects, open_objects, open_store
from holdfast.stores.cloud_access import aws_config
from tests.running import environment, make_database, run
from tests.stores.places import AT, OWNER, MakeBackup
from tests.stores.servers import KEY_ID, SECRET, S3Server, answering

ROOT = Path(__file__).parents[2]


def opened(settings: StoreSettings, wait_seconds: float | None = None) -> Objects:
    return open_objects("cloud", settings, Path(), os.environ, wait_seconds)


def put(objects: Objects, name: str = "a/b") -> bool:
    return objects.put(name, io.BytesIO(b"content"))


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def at(endpoint: str) -> StoreSettings:
    return StoreSettings(url="s3://backups/x", options={"endpoint": endpoint, "region": "here"})


def test_a_wrong_secret_is_said_with_where_credentials_come_from(
    s3_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-wrong-secret")
    with pytest.raises(StoreFailed, match="with the credentials of this environment") as caught:
        put(opened(s3_settings))
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_wrong_key_of_azure_is_said_and_never_repeated(
    azure_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")
    uses = (put, lambda objects: list(objects.list()), lambda objects: objects.delete("a/b"))
    for use in uses:
        with pytest.raises(StoreFailed, match="with the credentials of this environment") as caught:
            use(opened(azure_settings))
        assert "d3Jvbmc" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("service", ["s3", "az"])
def test_a_bucket_that_is_not_there_is_said(service: str, request: pytest.FixtureRequest) -> None:
    settings = request.getfixturevalue({"s3": "s3_settings", "az": "azure_settings"}[service])
    objects = opened(replace(settings, url=f"{service}://no-such-bucket/x"))
    uses: list[Callable[[Objects], object]] = [
        lambda objects: list(objects.list()),
        lambda objects: list(objects.folders()),
    ]
    if service == "az":  # the S3 here makes a bucket for what is put
        uses.append(put)
    for use in uses:
        with pytest.raises(StoreFailed, match=f"{service}://no-such-bucket/x") as caught:
            use(objects)
        assert caught.value.hint == "Check its name, or make the bucket."


def test_a_service_that_cannot_be_reached_is_said(keys: None) -> None:
    with pytest.raises(StoreFailed, match="cannot be reached"):
        list(opened(at("http://127.0.0.1:1"), 30.0).list())


def test_a_bucket_that_is_not_there_is_no_full_one_whatever_numbers_the_answer_has(
    keys: None,
) -> None:
    body = b"<Error><Code>NoSuchBucket</Code><RequestId>9507A</RequestId></Error>"

    def say(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with answering(say) as endpoint, pytest.raises(StoreFailed) as caught:
        list(opened(at(endpoint), 30.0).list())
    assert str(caught.value) == "s3://backups/x: there is no such bucket"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 3\r\n\r\nno!",
        b"220 mail.example.org ESMTP\r\n",
        b"",
    ],
    ids=["a status", "mail", "nothing"],
)
def test_a_server_that_answers_garbage_has_failed(keys: None, answer: bytes) -> None:
    def say(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(answer)

    with answering(say) as endpoint:
        objects = opened(at(endpoint), 30.0)
        for use in (lambda: list(objects.list()), lambda: list(objects.folders())):
            with pytest.raises(StoreFailed, match=r"^s3://backups/x: ") as caught:
                use()
            assert caught.value.hint
        with pytest.raises(StoreFailed), objects.open("a") as file:
            file.read()


def test_a_page_that_asks_to_sign_in_is_never_taken_for_a_store(
    keys: None, make_backup: MakeBackup
) -> None:
    page = b"<html>Sign in!</html>"
    facts = b'ETag: "1"\r\nLast-Modified: Fri, 20 Nov 2026 14:22:33 GMT\r\n'

    def say(client: socket.socket) -> None:
        is_head = client.recv(65536).startswith(b"HEAD")
        client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + facts)
        client.sendall(b"Content-Length: %d\r\n\r\n" % len(page) + (b"" if is_head else page))

    with answering(say) as endpoint:
        store = open_store("cloud", at(endpoint), OWNER, Path(), os.environ, wait_seconds=30.0)
        with pytest.raises(StoreFailed, match="every name is taken"):
            store.put(make_backup(), "crm", AT)


def test_an_answer_that_asks_to_come_again_is_followed_when_reading(keys: None) -> None:
    asked = []

    def busy_at_first(client: socket.socket) -> None:
        asked.append(client.recv(10_000).split(b" ")[0])
        status, body = (b"503 Slow Down", b"later") if len(asked) < 3 else (b"200 OK", b"content")
        client.sendall(
            b'HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\nETag: "a"\r\n'
            b"Last-Modified: Fri, 20 Nov 2026 14:22:33 GMT\r\n\r\n%b" % (status, len(body), body)
        )

    with answering(busy_at_first) as endpoint, opened(at(endpoint)).open("a/b") as file:
        assert file.read() == b"content"
    assert len(asked) >= 3 and asked[0] in (b"GET", b"HEAD")


def test_a_server_that_answers_slowly_is_waited_for_no_longer_than_told(keys: None) -> None:
    def hang(client: socket.socket) -> None:
        while client.recv(65536):
            pass

    with answering(hang) as endpoint:
        with pytest.raises(StoreFailed, match="does not answer in time"):
            put(opened(at(endpoint), 0.3))


def answers_like_an_old_service(kept: dict[str, bytes]) -> Callable[[socket.socket], None]:
    """Make what answers like a service that does not know how to put on a condition."""

    def answer(client: socket.socket) -> None:
        with client.makefile("rb") as request:
            while line := request.readline():
                method, path, _ = line.decode().split()
                headers = {}
                while (header := request.readline().strip()) != b"":
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = request.read(int(headers.get("content-length", "0")))
                status = "200 OK" if path in kept else "404 Not Found"
                if method == "PUT" and "if-none-match" in headers:
                    status = "501 Not Implemented"
                elif method == "PUT":
                    kept[path], status = body, "200 OK"
                facts = 'ETag: "1"\r\nLast-Modified: Fri, 20 Nov 2026 14:22:33 GMT\r\n'
                length = len(kept.get(path, b"")) if method == "HEAD" else 0
                client.sendall(
                    f"HTTP/1.1 {status}\r\n{facts}Content-Length: {length}\r\n\r\n".encode()
                )

    return answer


def test_a_service_without_conditions_gets_what_it_does_not_have(keys: None) -> None:
    kept: dict[str, bytes] = {}
    with answering(answers_like_an_old_service(kept)) as endpoint:
        objects = opened(at(endpoint), 30.0)
        assert put(objects) is True
        assert put(objects) is False
    assert list(kept.values()) == [b"content"]


@pytest.mark.parametrize(
    ("url", "options", "complaint"),
    [
        ("s3://AKIA:word@bucket/x", {}, "stores.cloud.url: give a bucket and perhaps a prefix"),
        ("az://box/x?sig=word", {}, "stores.cloud.url: give a bucket and perhaps a prefix"),
        ("s3://b", {"secret_access_key": "word"}, "options.secret_access_key: credentials do not"),
        ("s3://b", {"aws_session_token": "word"}, "options.aws_session_token: credentials do not"),
        ("az://b", {"account_key": "word"}, "options.account_key: credentials do not"),
        ("s3://b", {"endpoint": "https://me:word@host"}, "options.endpoint: credentials do not"),
        ("s3://b", {"endpoint": "host:9000"}, "options.endpoint: give an address that begins with"),
        ("s3://b", {"endpoint_url": "host"}, "options.endpoint_url: give an address that begins"),
        ("s3://b", {"endpoint": "https://"}, "options.endpoint: give an address that begins with"),
        ("s3://b", {"regoin": "word"}, "stores.cloud.options: "),
        ("s3://b--x-s3", {}, "a directory bucket does not list by name"),
    ],
)
def test_settings_with_credentials_or_unknown_options_are_refused_without_repeating_them(
    keys: None, url: str, options: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        opened(StoreSettings(url=url, options=options))
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("backup.yaml: stores.cloud.")
    assert "word" not in str(caught.value) + caught.value.hint


def test_where_the_library_panics_the_store_has_failed(
    keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", "not an address")
    objects = opened(StoreSettings(url="s3://backups/x", options={"region": "here"}), 5.0)
    with pytest.raises(StoreFailed, match=r"^s3://backups/x: ") as caught:
        next(objects.list())
    assert "what the environment sets" in caught.value.hint


def test_a_google_and_an_azure_address_open_without_asking_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "ann")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
    assert opened(StoreSettings(url="az://box/holdfast/")).location == "az://box/holdfast"
    assert opened(StoreSettings(url="gs://bucket")).location == "gs://bucket"


def test_where_azure_s_own_program_is_to_log_in_and_does_not_no_credentials_were_found(
    azure_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    monkeypatch.setenv("AZURE_USE_AZURE_CLI", "true")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StoreFailed, match="no credentials were found"):
        list(opened(azure_settings, 2.0).list())


def test_no_secret_is_in_output_errors_or_history(
    s3: S3Server, s3_settings: StoreSettings, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    make_database(home / "data" / "crm.db", "CREATE TABLE notes (id)")
    said = []
    (home / "backup.yaml").write_text(
        f"databases: {{crm: data/crm.db}}\nstores: {{cloud: {{url: '{s3_settings.url}',"
        f" options: {{region: us-east-1, endpoint: '{s3.endpoint}'}}}}}}\n"
    )
    for secret, code in ((SECRET, 0), (f"not-{SECRET}", 31)):
        secrets = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": secret}
        variables = {"env": environment(home) | secrets}
        for words in (["--to", "cloud"], ["--to", "cloud", "--json"]):
            done = run(home, "export", *words, exit_code=code, **variables)
            said.append(done.stdout + done.stderr)
    assert "In cloud: " in said[0] and "NOT in cloud: " in said[2]
    written = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    for text in (*map(str.encode, said), *written):
        assert SECRET.encode() not in text and KEY_ID.encode() not in text


def files_of_aws(folder: Path, credentials: str, config: str = "") -> Mapping[str, str]:
    (folder / ".aws").mkdir()
    (folder / ".aws" / "credentials").write_text(credentials)
    (folder / ".aws" / "config").write_text(config)
    return {"HOME": str(folder), "PATH": os.environ["PATH"]}


def test_keys_and_region_are_found_where_the_tools_of_aws_keep_them(tmp_path: Path) -> None:
    variables = files_of_aws(
        tmp_path,
        "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
        "[work]\naws_access_key_id = C\naws_secret_access_key = D%x\naws_session_token = E\n",
        "[default]\nregion = eu-west-1\n[profile work]\nregion = eu-north-1\n",
    )
    default = {"access_key_id": "A", "secret_access_key": "B", "region": "eu-west-1"}
    work = {"access_key_id": "C", "secret_access_key": "D%x", "token": "E", "region": "eu-north-1"}
    assert aws_config(None, variables) == default
    assert aws_config("work", variables) == work
    assert aws_config(None, {**variables, "AWS_PROFILE": "work"}) == work
    assert aws_config(None, {**variables, "AWS_ACCESS_KEY_ID": "X"}) == {}
    assert aws_config("none", variables) == {}


def test_a_single_sign_on_is_left_to_the_program_aws(tmp_path: Path) -> None:
    variables = dict(files_of_aws(tmp_path, "", "[default]\nsso_session = company\n"))
    program = tmp_path / "bin" / "aws"
    program.parent.mkdir()
    variables["PATH"] = f"{program.parent}"
    with pytest.raises(StoreFailed, match="needs the program aws"):
        aws_config(None, variables)
    program.write_text(
        '#!/bin/sh\necho \'{"AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "C"}\'\n'
    )
    program.chmod(0o755)
    found = {"access_key_id": "A", "secret_access_key": "B", "token": "C"}
    assert aws_config(None, variables) == found
    program.write_text("#!/bin/sh\necho 'The token A-B-C has expired' >&2\nexit 255\n")
    with pytest.raises(
        StoreFailed, match="aws has no credentials of the profile default"
    ) as caught:
        aws_config(None, variables)
    assert "aws sso login" in caught.value.hint and "A-B-C" not in str(caught.value)


def test_a_file_of_aws_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path) -> None:
    variables = files_of_aws(tmp_path, "aws_secret_access_key = B\n")
    with pytest.raises(StoreFailed) as caught:
        aws_config(None, variables)
    assert re.search(r"\.aws/credentials cannot be read", str(caught.value))
    assert "= B" not in str(caught.value)


def test_where_obstore_is_missing_and_cannot_be_fetched_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "installed_release", lambda *_: ())
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)  # as in a wheel, which has no lock files
    with pytest.raises(EnvironmentNotReady, match="obstore is not installed") as caught:
        bootstrap.add_packages(packages.CLOUD)
    assert caught.value.hint == "Install it with: pip install 'holdfast[cloud]'"


@pytest.mark.slow
def test_obstore_is_installed_once_where_it_is_missing(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        " from holdfast import bootstrap; bootstrap.add_packages('cloud');"
        " import obstore; print(obstore.__file__)"
    )
    command = [sys.executable, "-S", "-c", code, str(ROOT / "scripts")]
    variables = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for notice in ("holdfast: setting up obstore (once, a few seconds) ...\n", ""):
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, notice)
        assert done.stdout.startswith(str(tmp_path))
