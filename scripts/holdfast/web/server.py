"""Starts the server, and ends it in order."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

import uvicorn

from holdfast import files
from holdfast.errors import ServerNotStarted, UsageError
from holdfast.web.app import make_app
from holdfast.web.guard import Access

LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 3
_PASSWORD_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What may be asked of a server."""

    host: str = LOOPBACK
    port: int = 8000  # 0: any that is free
    names: tuple[str, ...] = ()  # under which it may be called besides
    password: str = ""
    trusted_proxy: str | None = None
    upload_bytes: int = 100 * 1024 * 1024
    open_browser: bool = False


def serve(options: ServeOptions, tell: Callable[[str], None]) -> str:
    """
    Serve until the process is interrupted.

    Args:
        tell: is called once, with the address that lets a browser in.

    Returns: the address.
    Raises: UsageError when the host is open to others and nothing keeps them out;
        ServerNotStarted when it cannot listen there.
    """
    complain_of_host(options)
    with _listening(options) as sock, files.scratch_folder() as scratch:
        port = sock.getsockname()[1]
        access = Access(
            port=port,
            hosts=_names(options),
            trusted_proxy=options.trusted_proxy,
            has_password=bool(options.password),
        )
        shown = f"[{options.host}]" if ":" in options.host else options.host
        address = f"http://{shown}:{port}/ui"
        lets_in = address if options.trusted_proxy else f"{address}?token={access.token}"
        app, jobs = make_app(access, options.password, options.upload_bytes, scratch)
        config = uvicorn.Config(
            app,
            log_config=None,  # a log would name what is asked for
            access_log=False,
            lifespan="on",
            proxy_headers=options.trusted_proxy is not None,
            forwarded_allow_ips=options.trusted_proxy or "",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=5,
        )
        server = _Server(config, jobs.interrupt_all)
        with _ended_by_signals(server):
            tell(lets_in)
            if options.open_browser:
                webbrowser.open(lets_in)
            server.run(sockets=[sock])
    return address


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Have a server end in order, whenever the signal comes: it knows them only once it runs."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # of which Windows lacks the last
    ours = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    before = [signal.signal(each, server.handle_exit) for each in ours]
    try:
        yield
    finally:
        for each, handler in zip(ours, before, strict=True):
            signal.signal(each, handler)


def complain_of_host(options: ServeOptions) -> None:
    """Raise UsageError for an address that others reach, when nothing keeps them out."""
    if options.trusted_proxy is not None and not _is_address(options.trusted_proxy):
        raise UsageError(
            f"--trusted-proxy {options.trusted_proxy} is no address",
            hint="Give the address that the proxy's requests come from, such as 127.0.0.1.",
        )
    if options.password and len(options.password) < _PASSWORD_LENGTH:
        raise UsageError(
            f"the password is shorter than {_PASSWORD_LENGTH} characters",
            hint="Choose a longer one: who knows it can read, change and delete everything here.",
        )
    if is_loopback(options.host) or options.password or options.trusted_proxy:
        return
    raise UsageError(
        f"--host {options.host} lets other machines in, and nothing would keep them out",
        hint="Who gets in can read, change and delete all databases and backups. Add"
        " --password-file FILE or set HOLDFAST_PASSWORD, and use it on a network you trust, as"
        " nothing is encrypted on its way; or put a proxy that logs people in before it, and name"
        " its address with --trusted-proxy.",
    )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine itself reaches an address."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _names(options: ServeOptions) -> frozenset[str]:
    names = {"localhost", options.host, *options.names}
    if not is_loopback(options.host):
        names |= {socket.gethostname(), socket.getfqdn()}
    return frozenset(name.lower() for name in names)


def _listening(options: ServeOptions) -> socket.socket:
    try:
        family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":  # where it would let two listen on one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((options.host, options.port))
            sock.listen(128)
        except OSError:
            sock.close()
            raise
        return sock
    except OSError as error:
        raise ServerNotStarted(
            f"cannot listen on {options.host} port {options.port}: {error.strerror or error}",
            hint="Another program may listen there: choose another with --port.",
        ) from error


class _Server(uvicorn.Server):
    """Stops all jobs as soon as it is to end, so that nobody waits for their events."""

    def __init__(self, config: uvicorn.Config, at_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._at_end = at_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._at_end()
