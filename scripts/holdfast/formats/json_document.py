"""
The JSON document: one file that any JSON program reads, one row a line.

    {"format":"holdfast","version":"1.0",
    "backup_date":...,
    ...
    "layout":{...},
    "tables":{
    "contacts":[
    {"id":1,"name":"Ann"},
    {"id":2,"name":"Bob"}
    ],
    "projects":[
    ]
    },
    "sequences":{...},
    "counts":{...},
    "digests":{...},
    "seal":"<SHA-256 of all lines above that are no rows>"}

Every byte is proven: rows by the digests of their tables, the other lines by the seal. With
`pretty`, each row is spread over lines, a column a line; its digest is that of the plain row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import msgspec

from holdfast.formats.compression import decompressed, glance_start, tail
from holdfast.formats.interface import (
    BackupFormat,
    Content,
    Glance,
    Part,
    TableStart,
    Target,
    damaged,
    decode,
    decode_header,
    header_items,
)
from holdfast.formats.sealed import SEAL, SealedReader, SealedWriter, shown
from holdfast.model import Trailer

_START = b'{"format":"holdfast",'
_TABLES = b'"tables":{\n'
_TRAILER_BYTES = 1024 * 1024  # what follows the rows is rarely more


def write(target: Target, content: Content) -> None:
    """Write a whole backup."""
    _write(target.stream, content, pretty=False)


def write_pretty(target: Target, content: Content) -> None:
    """Write a whole backup with one column a line."""
    _write(target.stream, content, pretty=True)


def _write(file: BinaryIO, content: Content, *, pretty: bool) -> None:
    out = SealedWriter(file)
    out.write(b"{" + b",\n".join(_header_lines(header_items(content.header))) + b",\n" + _TABLES)
    end = b""
    for name, batches in content.tables:
        out.write(end + msgspec.json.encode(name) + b":[\n")
        _write_rows(file, batches, pretty=pretty)
        end = b"],\n"
    out.write((b"]\n" if end else b"") + b"},\n")
    for name, value in msgspec.to_builtins(content.trailer()).items():
        out.write(_item(name, value) + b",\n")
    file.write(SEAL % out.seal())


def _header_lines(items: dict[str, object]) -> Iterator[bytes]:
    yield _item("format", items.pop("format")) + b"," + _item("version", items.pop("version"))
    for name, value in items.items():
        if isinstance(value, Mapping) and name == "layout":
            yield b'"layout":{' + _one_a_line(_item(*item) for item in value.items()) + b"}"
        elif isinstance(value, Iterable) and name == "schema":
            yield b'"schema":[' + _one_a_line(map(msgspec.json.encode, value)) + b"]"
        else:
            yield _item(name, value)


def _item(name: str, value: object) -> bytes:
    return msgspec.json.encode(name) + b":" + msgspec.json.encode(value)


def _one_a_line(items: Iterable[bytes]) -> bytes:
    return b"\n" + b",\n".join(items) + b"\n"


def _write_rows(file: BinaryIO, batches: Iterable[bytes], *, pretty: bool) -> None:
    # The comma after a row is written with the next one: the last row has none.
    between = b""
    for lines in batches:
        rows = _spread(lines) if pretty else lines
        # A newline inside a value is escaped, so only the ends of rows are replaced.
        file.write(between + (rows[:-1] if pretty else rows[:-1].replace(b"\n", b",\n")))
        between = b",\n"
    if between:
        file.write(b"\n")


def _spread(lines: bytes) -> bytes:
    rows = (msgspec.json.format(line, indent=2) for line in lines.splitlines())
    return b",\n".join(rows) + b"\n"


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a backup; see `BackupFormat.read`."""
    with path.open("rb") as file:
        yield from read_stream(file)


def read_stream(file: BinaryIO) -> Iterator[Part]:
    """Yield the parts of a backup; see `BackupFormat.read_stream`."""
    with decompressed(file) as content:
        source = SealedReader(content)
        yield decode_header(_joined(source.until(_TABLES)))
        line = source.line()
        while line != b"},\n":
            yield TableStart(_table_name(line))
            yield from _read_rows(source)
            line = _line_after_table(source)
        lines = [b"{"]
        while not (line := source.line()).startswith(SEAL[:8]):
            lines.append(line)
        source.complain_of_seal(SEAL, line)
    yield decode(_joined(lines), Trailer)


def _line_after_table(source: SealedReader) -> bytes:
    closing, line = source.line(), source.line()
    if (closing, line == b"},\n") in ((b"]\n", True), (b"],\n", False)):
        return line
    raise damaged(f"there is no row, nor the end of a table, at {shown(closing)}")


def _joined(lines: list[bytes]) -> bytes:
    """Make one JSON object of lines that lack only their closing brace."""
    return b"".join(lines).rstrip(b",\n") + b"}"


def _table_name(line: bytes) -> str:
    try:
        return msgspec.json.decode(line.removesuffix(b":[\n"), type=str)
    except ValueError as error:
        raise damaged(f"there is no table at {shown(line)}") from error


def _read_rows(source: SealedReader) -> Iterator[bytes]:
    """Yield a table's rows as plain lines, without the commas that part them."""
    more_to_come, any_row = True, False
    for lines in source.lines.row_lines():
        if lines == [b"{\n"]:
            yield from _read_spread_rows(source)
            return
        if not more_to_come:
            raise damaged("a comma between two rows is missing")
        any_row, more_to_come = True, lines[-1].endswith(b",\n")
        if not more_to_come:
            lines[-1] = lines[-1][:-1] + b",\n"
        # Byte by byte it would take a fifth of an export to find and to take out the commas.
        if set(map(_BYTE_BEFORE_LAST, lines)) != {ord(",")}:
            raise damaged("a comma between two rows is missing")
        yield b"\n".join([*(line[:-2] for line in lines), b""])
    if more_to_come and any_row and source.lines.is_at_end:
        raise source.lines.ends_early()
    if more_to_come and any_row:
        raise damaged("a comma follows the last row of a table")


_BYTE_BEFORE_LAST = itemgetter(-2)


def _read_spread_rows(source: SealedReader) -> Iterator[bytes]:
    text, line = b"{\n", b""
    while line != b"}\n":
        line = source.lines.line()
        if not line:
            raise source.lines.ends_early()
        text += line
        if line in (b"}\n", b"},\n"):
            row = _gathered(text)
            if _spread(row) not in (text, text.removesuffix(b",\n") + b"\n"):
                raise damaged(f"a row is not as it was written: {shown(row)}")
            yield row
            text = b""


def _gathered(text: bytes) -> bytes:
    try:
        return msgspec.json.format(text.rstrip(b",\n"), indent=-1) + b"\n"
    except ValueError as error:
        raise damaged(f"a row is not JSON: {shown(text)}") from error


def _glance(path: Path) -> Glance:
    counts = re.search(rb'^"counts":(\{.*\}),$', tail(path, _TRAILER_BYTES), re.MULTILINE)
    row_count = sum(decode(counts[1], dict[str, int]).values()) if counts else None
    date, is_partial = glance_start(path)
    return Glance(date, row_count, is_partial)


def _recognise(_: Path, start: bytes) -> bool:
    # JSON Lines begin alike, with the whole header on their first line.
    return start.startswith(_START) and start.partition(b"\n")[0].endswith(b",")


FORMAT = BackupFormat(
    name="json",
    title="Holdfast JSON",
    suffix=".json",
    recognise=_recognise,
    read=read,
    read_stream=read_stream,
    write=write,
    glance=_glance,
)
