"""
JSON Lines: one record a line, made for `git diff` and `jq`.

    {"format":"holdfast","version":"1.0",...}       what a header says, but schema and layout
    ["schema",{"type":"table","name":"contacts",...}]
    ["layout","contacts",{"columns":["id","name"],"key":["id"],"rowid":null}]
    ["table","contacts"]
    {"id":1,"name":"Ann"}
    ["end",{"sequences":{...},"counts":{...},"digests":{...}}]
    ["seal","<SHA-256 of all lines above that are no rows>"]

Rows are objects and all lines after the first that are no rows are arrays, so that nothing in
a database can be taken for what frames it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

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
from holdfast.formats.sealed import SealedReader, SealedWriter, shown
from holdfast.model import Trailer

_START = b'{"format":"holdfast",'
_SEAL = b'["seal","%s"]\n'
_TRAILER_BYTES = 1024 * 1024  # what follows the rows is rarely more


def write(target: Target, content: Content) -> None:
    """Write a whole backup."""
    out = SealedWriter(target.stream)
    items: dict[str, Any] = header_items(content.header)
    schema, layout = items.pop("schema"), items.pop("layout")
    out.write(msgspec.json.encode(items) + b"\n")
    for entry in schema:
        out.write(_line("schema", entry))
    for name, facts in layout.items():
        out.write(_line("layout", name, facts))
    for name, batches in content.tables:
        out.write(_line("table", name))
        for lines in batches:
            target.stream.write(lines)
    out.write(_line("end", content.trailer()))
    target.stream.write(_SEAL % out.seal())


def _line(*values: object) -> bytes:
    return msgspec.json.encode(values) + b"\n"


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a backup; see `BackupFormat.read`."""
    with path.open("rb") as file:
        yield from read_stream(file)


def read_stream(file: BinaryIO) -> Iterator[Part]:
    """Yield the parts of a backup; see `BackupFormat.read_stream`."""
    with decompressed(file) as content:
        source = SealedReader(content)
        header = decode(source.line(), dict[str, Any]) | {"schema": [], "layout": {}}
        record = _record(source)
        while record[0] in ("schema", "layout"):
            if record[0] == "schema":
                header["schema"].append(record[1])
            else:
                header["layout"][record[1]] = record[2]
            record = _record(source)
        yield decode_header(msgspec.json.encode(header))
        while record[0] == "table":
            yield TableStart(str(record[1]))
            yield from source.lines.rows()
            record = _record(source)
        if record[0] != "end":
            raise damaged(f"a line of kind {record[0]!r} is in the wrong place")
        trailer = record[1]
        source.complain_of_seal(_SEAL, source.line())
    yield decode(msgspec.json.encode(trailer), Trailer)


def _record(source: SealedReader) -> list[Any]:
    line = source.line()
    record = decode(line, list[Any])
    known = record and _LENGTHS.get(str(record[0])) == len(record)
    if not known or (record[0] in _NAMED and not isinstance(record[1], str)):
        raise damaged(f"there is no record that can be read at {shown(line)}")
    return record


_NAMED = ("layout", "table")
_LENGTHS = {"schema": 2, "layout": 3, "table": 2, "end": 2}


def _glance(path: Path) -> Glance:
    lines = tail(path, _TRAILER_BYTES).splitlines()[-2:-1]
    date, is_partial = glance_start(path)
    if not lines or not lines[0].startswith(b'["end"'):
        return Glance(date, None, is_partial)
    _, trailer = decode(lines[0], tuple[str, Trailer])
    return Glance(date, sum(trailer.counts.values()), is_partial)


def _recognise(_: Path, start: bytes) -> bool:
    first, newline, _rest = start.partition(b"\n")
    return first.startswith(_START) and (first.endswith(b"}") or not newline)


FORMAT = BackupFormat(
    name="jsonl",
    title="Holdfast JSON Lines",
    suffix=".jsonl",
    recognise=_recognise,
    read=read,
    read_stream=read_stream,
    write=write,
    glance=_glance,
)
