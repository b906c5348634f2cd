"""
Object storage as a place for objects: S3 and what speaks like it, Google Cloud, Azure.

`obstore` does the work, over the network and with each cloud's own ways to log in. What it says
of an error may hold an address with a signature in it, so no word of it reaches a person: what is
understood is said anew.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from holdfast import files
from holdfast.errors import ObjectMissing, StoreFailed
from holdfast.stores.objects import ObjectFacts
from holdfast.times import utc_text

if TYPE_CHECKING:
    from obstore import BytesStream
    from obstore.store import ObjectStore, RetryConfig

# What a request may carry. Two at once have to come through within _ANSWER_SECONDS, which takes
# a line of 0.75 Mbit/s; and 10,000 of them, which is all that S3 takes, are 80 GB.
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_ANSWER_SECONDS = 180.0
_TRIES = 4
_LIST_CHUNK = 1000


def client_options(wait_seconds: float | None, *, is_http: bool) -> dict[str, Any]:
    """
    Say how long obstore waits for an answer.

    Args:
        wait_seconds: for each request as a whole; None: as long as bytes come.
    """
    options: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=min(wait_seconds or 10.0, 10.0)),
        "read_timeout": timedelta(seconds=wait_seconds or _ANSWER_SECONDS),
        # The whole of a download falls under this one.
        "timeout": timedelta(seconds=wait_seconds or 24 * 3600),
    }
    return options | ({"allow_http": True} if is_http else {})


def retry_config(wait_seconds: float | None) -> RetryConfig:
    """Say how often obstore tries again, as far as that is safe; who waits briefly, never."""
    if wait_seconds:
        return {"max_retries": 0, "retry_timeout": timedelta(seconds=wait_seconds)}
    return {"max_retries": _TRIES, "retry_timeout": timedelta(seconds=_ANSWER_SECONDS)}


class CloudObjects:
    """Objects below one prefix of a bucket."""

    def __init__(self, store: ObjectStore, location: str) -> None:
        self.location = location
        self._store = store

    def put(self, name: str, source: BinaryIO) -> bool:
        """
        Keep what is left of an open file under a name that is free: whole, or not at all.

        A small one is put on condition that its name is free, and the service sees to that. A
        large one goes in parts, for which there is no such condition, and some services do not
        know it at all: there, the name was free just before.
        """
        import obstore

        with self._translated(name):
            if self._is_there(name):
                return False
            first = source.read(_PART_BYTES)
            rest = source.read(_PART_BYTES)
            if not rest:
                return self._create(name, first)
            blocks = chain((first, rest), iter(lambda: source.read(_PART_BYTES), b""))
            obstore.put(
                self._store,
                name,
                blocks,
                use_multipart=True,
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
            return True

    def _create(self, name: str, content: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError

        try:
            obstore.put(self._store, name, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        except (NotSupportedError, BaseError) as error:
            if isinstance(error, NotSupportedError) or "501 Not Implemented" in str(error):
                obstore.put(self._store, name, content, use_multipart=False)
                return True
            raise
        return True

    def _is_there(self, name: str) -> bool:
        import obstore

        try:
            obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        return True

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        import obstore

        with self._translated(name):
            stream = obstore.get(self._store, name).stream(min_chunk_size=files.COPY_BYTES)
        reader = io.BufferedReader(_Body(self, name, stream), files.COPY_BYTES)
        yield cast(BinaryIO, reader)

    def read_range(self, name: str, start: int, length: int) -> bytes:
        import obstore
        from obstore.exceptions import BaseError

        with self._translated(name):
            try:
                return bytes(obstore.get_range(self._store, name, start=start, length=length))
            except BaseError:
                # Some complain of what lies beyond the end, where the contract gives less.
                size = obstore.head(self._store, name)["size"]
                if start + length <= size:
                    raise
                left = size - start
                if left <= 0:
                    return b""
                return bytes(obstore.get_range(self._store, name, start=start, length=left))

    def list(self, prefix: str = "") -> Iterator[ObjectFacts]:
        import obstore

        # The library lists whole parts of names alone, and clouds list by name: what lies before
        # the prefix is left to them, and what lies behind it is not asked for.
        folder = prefix.rpartition("/")[0]
        with self._translated(prefix):
            chunks = obstore.list(
                self._store, folder or None, offset=prefix or None, chunk_size=_LIST_CHUNK
            )
            for chunk in chunks:
                for found in chunk:
                    name = found["path"]
                    if name.startswith(prefix):
                        modified = utc_text(found["last_modified"].astimezone(UTC))
                        yield ObjectFacts(name, found["size"], modified)
                    elif name > prefix:
                        return

    def folders(self) -> Iterator[str]:
        import obstore

        with self._translated(""):
            yield from obstore.list_with_delimiter(self._store)["common_prefixes"]

    def delete(self, name: str) -> None:
        import obstore

        with self._translated(name), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    @contextlib.contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            if re.search(_NO_BUCKET, str(error)) or not name:
                raise StoreFailed(
                    f"{self.location} is not there", hint="Check its name, or make the bucket."
                ) from None
            raise ObjectMissing(
                f"{name} is not in {self.location}", hint="See what there is with status."
            ) from None
        # It raises ValueError for answers that it cannot read.
        except (BaseError, ValueError, OSError) as error:
            what, hint = _understood(str(error))
            # Without the cause: its text may hold a signature.
            raise StoreFailed(f"{self.location}: {what}", hint=hint) from None
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # which is no Exception
                raise
            raise StoreFailed(
                f"{self.location}: the library for object storage broke down",
                hint="Check the address and the options in backup.yaml, and what the environment"
                " sets for this service, such as AWS_ENDPOINT_URL.",
            ) from None


class _Body(io.RawIOBase):
    """The content of an object as it comes in."""

    def __init__(self, objects: CloudObjects, name: str, stream: BytesStream) -> None:
        self._objects, self._name, self._stream = objects, name, iter(stream)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._left:
            with self._objects._translated(self._name):  # noqa: SLF001 - of this module
                block = next(self._stream, None)
            if block is None:
                return 0
            self._left = memoryview(block)
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


_CREDENTIALS_HINT = (
    "Give this environment what the service's own tools take, such as AWS_ACCESS_KEY_ID and"
    " AWS_SECRET_ACCESS_KEY; see docs/off-site.md."
)
_NO_BUCKET = r"NoSuchBucket|ContainerNotFound"  # as S3 and Google say, and as Azure does
# What the library's words mean, and what to do. The first that fits is said.
_MEANINGS = (
    (
        _NO_BUCKET,
        ("there is no such bucket", "Check its name, or make the bucket."),
    ),
    (
        r"169\.254\.169\.254|metadata\.google|InvalidCredentials|MissingCredentials|no credentials"
        r"|az account get-access-token",
        ("no credentials were found", _CREDENTIALS_HINT),
    ),
    (
        r"SignatureDoesNotMatch|InvalidAccessKeyId|InvalidSecurity|401 Unauthorized"
        r"|AuthenticationFailed",
        ("it does not accept the credentials of this environment", _CREDENTIALS_HINT),
    ),
    (
        r"ExpiredToken|TokenExpired",
        ("the credentials of this environment have expired", "Log in again as usual."),
    ),
    (
        r"RequestTimeTooSkewed",
        ("the clock of this machine is wrong", "Set it, and try again."),
    ),
    (
        r"403 Forbidden|PermissionDenied",
        (
            "it does not permit this with the credentials of this environment",
            "They need to read, list, write and delete what lies below this address."
            f" {_CREDENTIALS_HINT}",
        ),
    ),
    (
        r"redirect",
        (
            "it sends us elsewhere, as it does when the region is not that of the bucket",
            "Set options.region of the store in backup.yaml.",
        ),
    ),
    (
        r"dns error|failed to lookup",
        ("its name cannot be found", "Check the network, and options.endpoint in backup.yaml."),
    ),
    (
        r"certificate|UnknownIssuer|InvalidContentType",
        ("no safe connection can be made to it", "Check options.endpoint in backup.yaml."),
    ),
    (
        r"Connection refused|ConnectionRefused|tcp connect error",
        ("it cannot be reached", "Check the network, and options.endpoint in backup.yaml."),
    ),
    (
        r"timed out|TimedOut|timeout",
        ("it does not answer in time", "Try again later; see to the network if it stays so."),
    ),
    (
        r"connection (closed|reset)|ConnectionReset|IncompleteMessage|broken pipe|BrokenPipe"
        r"|error sending request|error reading a body|unexpected EOF|body from connection",
        ("the connection was cut", "Try again: nothing that is there came to harm."),
    ),
    (
        r"507 Insufficient|InsufficientStorage|QuotaExceeded",
        ("it has no space left", "Free some there, or choose another place."),
    ),
)


def _understood(said: str) -> tuple[str, str]:
    said = said.replace("retry_timeout", "")  # which it names in every error
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, said):
            return meaning
    status = re.search(r"status code: (\d{3})", said)
    code = re.search(r"<Code>(\w{1,60})</Code>", said)
    facts = [f"HTTP status {status[1]}"] if status else []
    facts += [code[1]] if code else []
    told = f" ({', '.join(facts)})" if facts else ""
    return (
        f"its answer makes no sense here{told}",
        "Check the address of the store and options.endpoint in backup.yaml.",
    )
