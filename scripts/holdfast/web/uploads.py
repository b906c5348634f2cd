"""Files that are sent: written to disk as they come, kept for a while, and never opened by name."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from holdfast import files
from holdfast.web.guard import too_large
from holdfast.web.names import safe_file_name
from holdfast.web.problems import HttpProblem

KEPT = 8  # files; the oldest go
_FIELD_BYTES = 64 * 1024
_FIELDS = 200
_HINT = "Send multipart/form-data with a file, or with the name of a backup."


@dataclass(slots=True)
class Form:
    """What came in a form: fields, and at most one file."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    file: Path | None = None

    def discard(self) -> None:
        """Delete what came."""
        if self.file:
            _discard(self.file)


class Uploads:
    """The files that were sent to one server, in a folder that goes with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._lock = threading.Lock()

    def keep(self, file: Path) -> str:
        """Keep a file that was sent; returns what it is called from now on."""
        with self._lock:
            name = secrets.token_hex(8)
            self._files[name] = file
            for old in list(self._files)[:-KEPT]:
                _discard(self._files.pop(old))
        return name

    def get(self, name: str) -> Path:
        """Return a file that is still kept; HttpProblem when it is not."""
        with self._lock:
            found = self._files.get(name)
        if found is None:
            raise HttpProblem(
                HTTPStatus.NOT_FOUND, "That file is no longer here.", "Send it once more."
            )
        return found

    def forget(self, name: str) -> None:
        """Delete a file that is no longer needed."""
        with self._lock:
            found = self._files.pop(name, None)
        if found:
            _discard(found)

    async def receive(self, content_type: str, body: AsyncIterable[bytes], limit: int) -> Form:
        """
        Take a form apart as it comes in; its file goes to disk block by block.

        Raises: HttpProblem when it is no such form, or the file is larger than the limit.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This is no such form.", _HINT)
        taker = _Taker(self._folder / secrets.token_hex(8), limit)
        try:
            parser = MultipartParser(boundary, taker.callbacks())  # type: ignore[arg-type]
            async for block in body:
                await asyncio.to_thread(parser.write, block)
            parser.finalize()
            taker.complain_of_end()
        except FormParserError as error:
            taker.give_up()
            raise HttpProblem(HTTPStatus.BAD_REQUEST, "This is no such form.", _HINT) from error
        except BaseException:
            taker.give_up()
            raise
        return taker.form


class _Taker:
    """Takes the parts of a form as the parser finds them."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.form = Form()
        self._is_finished = False
        self._folder = folder
        self._limit = limit
        self._header = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._value = bytearray()
        self._file: BinaryIO | None = None
        self._open = contextlib.ExitStack()
        self._bytes = 0

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def complain_of_end(self) -> None:
        """Raise HttpProblem when the form is not whole."""
        if not self._is_finished:
            raise HttpProblem(HTTPStatus.BAD_REQUEST, "What was sent ends early.", _HINT)

    def give_up(self) -> None:
        """Delete what has come so far."""
        self._open.close()
        files.remove_whole(self._folder)

    def _begin(self) -> None:
        self._headers, self._value = {}, bytearray()

    def _header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            return
        if self._name != "file" or self.form.file is not None:
            raise HttpProblem(HTTPStatus.BAD_REQUEST, "One file goes in the field file.", _HINT)
        name = safe_file_name(options[b"filename"].decode("utf-8", "replace"))
        self.form.file = self._folder / name
        self._file = self._open.enter_context(files.create(self.form.file))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file:
            self._bytes += end - start
            if self._bytes > self._limit:
                raise too_large(self._limit)
            with files.translated_errors(self._folder):
                self._file.write(data[start:end])
        else:
            self._value.extend(data[start:end])
            if len(self._value) > _FIELD_BYTES:
                raise HttpProblem(HTTPStatus.BAD_REQUEST, "A field is too long.", _HINT)

    def _end(self) -> None:
        if self._file:
            self._file = None
            self._open.close()
            return
        values = self.form.fields.setdefault(self._name, [])
        values.append(self._value.decode("utf-8", "replace"))
        if sum(map(len, self.form.fields.values())) > _FIELDS:
            raise HttpProblem(HTTPStatus.BAD_REQUEST, "There are too many fields.", _HINT)

    def _finish(self) -> None:
        self._is_finished = True


def _discard(file: Path) -> None:
    files.remove_whole(file.parent)
