"""Fetches an address, to tell a watchman that something is done."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

from holdfast.errors import ProgramFailed

WAIT_SECONDS = 10.0
_AGENT = "holdfast"


def ping(address: str, wait_seconds: float = WAIT_SECONDS) -> None:
    """
    Fetch an address; what it answers is not read.

    Args:
        address: http:// or https://; redirections lead to such ones alone.
        wait_seconds: for all of it, however slowly it answers.

    Raises: ProgramFailed, which names the host alone: the rest of an address may be a secret.
    """
    host = urlsplit(address).hostname or "it"
    said: list[str] = [f"it did not answer within {wait_seconds:g} seconds"]

    def work() -> None:
        said[0] = _complaint(address, wait_seconds)

    # A limit on each single wait would let one that sends a byte now and then go on for ever.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(wait_seconds)
    if said[0]:
        raise ProgramFailed(f"{host} could not be pinged: {said[0]}", hint="Check its address.")


def _complaint(address: str, wait_seconds: float) -> str:
    """Fetch an address; return what went wrong, "" for nothing."""
    from http.client import HTTPException
    from urllib import request
    from urllib.error import HTTPError, URLError

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
        request.UnknownHandler,  # ftp: and file: among them
    ):
        opener.add_handler(handler())
    opener.addheaders = [("User-Agent", _AGENT)]
    try:
        with opener.open(address, timeout=wait_seconds):
            return ""
    except HTTPError as error:
        error.close()
        return f"it answered {error.code}"
    except URLError as error:
        return str(getattr(error.reason, "strerror", None) or error.reason)
    except (OSError, HTTPException, ValueError) as error:
        return getattr(error, "strerror", None) or type(error).__name__
