"""Who may ask what: every request is looked at here before anything else sees it."""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect

from holdfast.web.problems import MEDIA_TYPE, HttpProblem, encoded, unexpected

_LOG = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_USUAL_BYTES = 1024 * 1024  # of a request that sends no file
# What is said beside the page, so that one can log in.
_OPEN = {"/login", "/login.css"}
_CHANGES_NOTHING = {"GET", "HEAD", "OPTIONS"}

_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
# Swagger UI brings styles and pictures inside its own files.
_DOCS_POLICY = f"{_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


@dataclass(frozen=True, slots=True)
class Access:
    """Who is let in."""

    port: int
    hosts: frozenset[str]  # names under which the server may be called, in lower case
    trusted_proxy: str | None = None  # the address whose requests need nothing more
    has_password: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        # Cookies are the same for all ports of a host.
        return f"holdfast-{self.port}"

    def set_cookie(self, *, is_secure: bool) -> str:
        """Return the header that lets a browser in from now on."""
        secure = "; Secure" if is_secure else ""
        return f"{self.cookie}={self.session}; Path=/; HttpOnly; SameSite=Strict{secure}"


class Guard:
    """Lets through what may ask, and puts on every answer what makes browsers careful."""

    def __init__(self, app: App, access: Access, upload_bytes: int) -> None:
        self._app = app
        self._access = access
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:  # a web socket: there is none
            await receive()
            await send({"type": "websocket.close"})

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        has_begun = False

        async def careful_send(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = _with_care(scope["path"], message.get("headers", ()))
            await send(message)

        try:
            headers = _headers(scope)
            self._complain(scope, headers)
            if _is_opening(scope) and self._has_token(scope):
                await _redirect(careful_send, self._access.set_cookie(is_secure=_is_secure(scope)))
                return
            self._complain_of_stranger(scope, headers)
            limit = self._upload_bytes if scope["path"] == "/backup/import" else 0
            await self._app(
                scope, _counted(receive, limit + _USUAL_BYTES, self._upload_bytes), careful_send
            )
        except HttpProblem as problem:
            if has_begun:
                raise
            await _say(careful_send, problem.problem, problem.headers)
        except ClientDisconnect:  # nobody is left to be told
            return
        except Exception as error:  # noqa: BLE001 - nobody above would know what not to log
            # Its text may hold what is in a database, and so may the path.
            _LOG.error("Error: a request failed: %s.", _place_of(error))
            if not has_begun:
                await _say(careful_send, unexpected(error), {})

    def _complain(self, scope: Message, headers: dict[str, str]) -> None:
        """Refuse what does not come from who we are meant for, whoever it says it is."""
        access = self._access
        if access.trusted_proxy and (scope.get("client") or ("",))[0] != access.trusted_proxy:
            raise _forbidden("Only the trusted proxy may ask.", "Go through its address.")
        host = headers.get("host", "")
        if not _is_known(access, host):
            raise HttpProblem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "This server does not go by that name.",
                "Use the address that serve printed, or name this one with --name.",
            )
        origin = headers.get("origin")
        if origin is not None and not _is_same(origin, host):
            raise _forbidden("Another site sent this.", "Do it on the page itself.")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not _is_opening(scope):
            raise _forbidden("Another site sent this.", "Do it on the page itself.")

    def _complain_of_stranger(self, scope: Message, headers: dict[str, str]) -> None:
        if self._access.trusted_proxy or scope["path"] in _OPEN or self._is_let_in(headers):
            return
        if _is_opening(scope) and self._access.has_password:
            raise HttpProblem(HTTPStatus.SEE_OTHER, "Log in first.", headers={"Location": "/login"})
        hint = "Open the address that serve printed; programs send its token as a Bearer token."
        if self._access.has_password:
            hint = "Log in at /login."
        raise HttpProblem(
            HTTPStatus.UNAUTHORIZED,
            "You are not let in.",
            hint,
            {"WWW-Authenticate": 'Bearer realm="holdfast"'},
        )

    def _is_let_in(self, headers: dict[str, str]) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _equal(given.strip(), self._access.token):
            return True
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(self._access.cookie)
        return found is not None and _equal(found.value, self._access.session)

    def _has_token(self, scope: Message) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return any(_equal(each, self._access.token) for each in given)


def _headers(scope: Message) -> dict[str, str]:
    """Return a request's headers by name, in lower case; of Host there may be but one."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in ("host", "origin") and name in found:
            raise HttpProblem(HTTPStatus.BAD_REQUEST, f"There are two headers {name}.")
        found[name] = f"{found[name]}; {value}" if name == "cookie" and name in found else value
    return found


def _is_known(access: Access, host: str) -> bool:
    """
    Tell whether a Host header names this server.

    A site that turns its own name into our address is told by that name. One that is an address
    was looked up nowhere.
    """
    name = _host_name(host)
    if name in access.hosts:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port and the brackets of an IPv6 address."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/@\s]+))(?::\d{1,5})?", host)
    return (found[1] or found[2]).lower().rstrip(".") if found else ""


def _is_same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _is_opening(scope: Message) -> bool:
    return scope["method"] in ("GET", "HEAD") and scope["path"] in ("/", "/ui", "/ui/", "/docs")


def _is_secure(scope: Message) -> bool:
    return bool(scope["scheme"] == "https")


def _equal(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode(), wanted.encode())


def _forbidden(detail: str, hint: str) -> HttpProblem:
    return HttpProblem(HTTPStatus.FORBIDDEN, detail, hint)


def _counted(receive: Receive, limit: int, upload_bytes: int) -> Receive:
    """Pass on what is sent up to a limit, whatever its length is said to be."""
    count = 0

    async def counting() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > limit:
            raise too_large(upload_bytes if limit > _USUAL_BYTES else _USUAL_BYTES)
        return message

    return counting


def too_large(limit: int) -> HttpProblem:
    """Make the problem for a request that is larger than it may be."""
    return HttpProblem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"What was sent is larger than {limit // (1024 * 1024)} MB, which is the limit.",
        "Start serve with a larger --upload-limit, or put the file into the output folder.",
        {"Connection": "close"},
        {"limit_bytes": limit},
    )


def _with_care(path: str, headers: Any) -> list[tuple[bytes, bytes]]:
    is_docs = path == "/docs" or path.startswith("/docs/")
    ours = _HEADERS | {"content-security-policy": _DOCS_POLICY if is_docs else _POLICY}
    kept = [(name, value) for name, value in headers if name.lower().decode("latin-1") not in ours]
    return kept + [(name.encode(), value.encode()) for name, value in ours.items()]


async def _say(send: Send, problem: dict[str, Any], headers: dict[str, str]) -> None:
    body = encoded(problem)
    fields = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **headers}
    await send(
        {
            "type": "http.response.start",
            "status": problem["status"],
            "headers": [(name.lower().encode(), text.encode()) for name, text in fields.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _redirect(send: Send, cookie: str) -> None:
    fields = {"location": "/ui", "set-cookie": cookie, "content-length": "0"}
    await send(
        {
            "type": "http.response.start",
            "status": int(HTTPStatus.SEE_OTHER),
            "headers": [(name.encode(), text.encode()) for name, text in fields.items()],
        }
    )
    await send({"type": "http.response.body", "body": b""})


def _place_of(error: BaseException) -> str:
    """Say what kind of error it was and where it came up, and nothing of its text."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_name}, line {trace.tb_lineno}"
