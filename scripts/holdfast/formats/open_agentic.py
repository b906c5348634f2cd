"""
Backups of the Open Agentic Framework: one JSON document, alone, in a folder or in a zip.

    backup.json      {"metadata":{...},"agents":[...],"workflows":[...],"tools":[...],
                      "scheduled_tasks":[...],"config":{...},"memory":{"agent":[...]}}

Its own document shows another layout, a file for each key, which is read too: metadata.json,
agents.json, workflows.json, tools.json, scheduled_tasks.json, configuration.json. Rows name
columns, but for `metadata` of what an agent remembers. Times and JSON are written here as the
framework stores them. Nothing is unpacked: members of a zip are read by their known names.
Source: https://github.com/oscarvalenzuelab/open_agentic_framework, main.py and BACKUP_RESTORE.md
"""

from __future__ import annotations

import contextlib
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from holdfast.errors import BackupDamaged, NotABackup
from holdfast.formats import documents
from holdfast.formats.compression import plain
from holdfast.formats.documents import Document
from holdfast.formats.foreign import header_of, parts_of
from holdfast.formats.interface import BackupFormat, Part
from holdfast.formats.zip_file import members

NAME = "open_agentic"

OpenFile = Callable[[], AbstractContextManager[IO[bytes]]]

_VERSION = "1.0"
_WHOLE = "backup.json"
_PARTS = {
    "metadata.json": "metadata",
    "agents.json": "agents",
    "workflows.json": "workflows",
    "tools.json": "tools",
    "scheduled_tasks.json": "scheduled_tasks",
    "configuration.json": "config",
    "memory.json": "memory",
}
_TABLES = ("agents", "workflows", "tools", "scheduled_tasks")
_MEMORY = "memory_entries"
_JSON_COLUMNS = {
    "agents": ("tools", "tool_configs"),
    "tools": ("parameters_schema", "configuration"),
    "workflows": ("steps", "input_schema", "output_spec"),
    "scheduled_tasks": ("context",),
    _MEMORY: ("entry_metadata",),
}
_START_BYTES = 65536  # of a file in a zip, to tell what it is
_NEEDED = ("metadata", "agents", "workflows")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|\+00:00)?")
_IS_TIME = re.compile(r".*_at|.*_time|.*_execution|timestamp")


def read(path: Path) -> Iterator[Part]:
    """Yield the parts of a backup; see `BackupFormat.read`."""
    document = _document(path)
    missing = [name for name in _NEEDED if name not in document]
    if missing:
        raise NotABackup(f"missing keys: {', '.join(missing)}", hint="Use another file.")
    metadata = documents.parse_document(document["metadata"])
    version = documents.value_of(
        metadata, "version" if "version" in metadata else "export_version", str, _VERSION
    )
    documents.complain_of_version(version, _VERSION, "the Open Agentic Framework")
    tables = {
        name: documents.objects(_list_in(document[name], name), name)
        for name in _TABLES
        if name in document
    }
    stated = documents.value_of(metadata, "summary", dict[str, Any], {})
    documents.complain_of_counts(stated, {name: len(rows) for name, rows in tables.items()})
    if "memory" in document:
        tables[_MEMORY] = list(_memory(document["memory"]))
    header = header_of(
        "Open Agentic Framework",
        documents.columns_of(tables, _row),
        version=version,
        backup_date=documents.value_of(metadata, "timestamp", str, ""),
        notes=documents.unread(document, ("metadata", *_TABLES, "memory")),
    )
    yield from parts_of(header, documents.rows_of(tables, _row))


def _list_in(text: msgspec.Raw, name: str) -> msgspec.Raw | None:
    """Return the list of a file of its own, which may hold it under its name."""
    if documents.starts(text, b"{"):
        return documents.parse_document(text).get(name)
    return text


def _memory(text: msgspec.Raw) -> Iterator[msgspec.Raw]:
    """Yield what all agents remember, each entry with the name of its agent."""
    for agent, entries in documents.parse_document(text).items():
        for entry in documents.objects(entries, f"memory.{agent}"):
            fields = {"agent_name": agent} | dict(documents.parse_document(entry))
            yield msgspec.Raw(msgspec.json.encode(fields))


def _row(table: str, text: msgspec.Raw) -> dict[str, Any]:
    if table == _MEMORY:
        fields = documents.parse_document(text)
        named = {"entry_metadata" if name == "metadata" else name: fields[name] for name in fields}
        text = msgspec.Raw(msgspec.json.encode(named))
    row = documents.row_of(text, _JSON_COLUMNS[table], as_text=_as_python_writes)
    return {name: _stored(name, value) for name, value in row.items()}


def _as_python_writes(value: bytes) -> str:
    return json.dumps(json.loads(value))


def _stored(name: str, value: Any) -> Any:
    """Write a moment as SQLAlchemy does: the framework reads no other form."""
    if not isinstance(value, str) or not _IS_TIME.fullmatch(name):
        return value
    found = _TIME.fullmatch(value)
    if found is None:
        return value
    day, time, fraction, _ = found.groups()
    return f"{day} {time}.{(fraction or '.')[1:]:0<6}"


def _document(path: Path) -> Document:
    """Find the one document, or make it of the files that hold its parts."""
    if not _is_several(path):
        return documents.read_document(path)
    with _files(path) as found:
        if _WHOLE in found:
            return documents.parse_document(_content(found[_WHOLE]))
        return {key: _part(name, found[name]) for name, key in _PARTS.items() if name in found}


def _part(name: str, open_it: OpenFile) -> msgspec.Raw:
    try:
        return msgspec.json.decode(_content(open_it), type=msgspec.Raw)
    except ValueError as error:
        raise NotABackup(f"{name} is not whole JSON: {error}", hint="Use another file.") from error


def _content(open_it: OpenFile, size: int = -1) -> bytes:
    with open_it() as file:
        return file.read(size)


def _is_several(path: Path) -> bool:
    return path.is_dir() or zipfile.is_zipfile(path)


@contextlib.contextmanager
def _files(path: Path) -> Iterator[Mapping[str, OpenFile]]:
    """Yield the files of a folder or a zip that are known, by their names."""
    if path.is_dir():
        names = _chosen(each.name for each in path.iterdir())
        yield {name: partial(plain, path / name) for name in names}
    else:
        with path.open("rb") as file, members(file) as found:
            names = _chosen(found.names)
            yield {PurePosixPath(name).name: partial(found.plain, name) for name in names}


def _chosen(names: Iterable[str]) -> list[str]:
    """Choose the files of a backup: all at the top, or all in one folder there."""
    wanted = [name for name in names if PurePosixPath(name).name in (_WHOLE, *_PARTS)]
    folders = {PurePosixPath(name).parent for name in wanted}
    is_one = len(folders) == 1 and len(PurePosixPath(wanted[0]).parts) <= 2
    return wanted if is_one else []


_of_one_file = documents.recogniser(
    tuple(_PARTS.values()), ("metadata", "agents"), ("metadata", "workflows")
)


def _recognise(path: Path, start: bytes) -> bool:
    if not _is_several(path):
        return _of_one_file(path, start)
    try:
        with _files(path) as found:
            if _WHOLE in found:
                return {"metadata", "agents"} <= _keys(found[_WHOLE])
            return "agents.json" in found and _keys(found["metadata.json"]) >= _STATED
    except (BackupDamaged, KeyError, OSError):
        return _would_lead_out(path)


_STATED = {"backup_name", "timestamp"}


def _keys(open_it: OpenFile) -> set[str]:
    return set(documents.first_keys(_content(open_it, _START_BYTES)))


def _would_lead_out(path: Path) -> bool:
    """Tell whether this is such a backup but for a name that leads out: its reader says so."""
    with contextlib.suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
        return any(PurePosixPath(name).name == _WHOLE for name in archive.namelist())
    return False


FORMAT = BackupFormat(
    name=NAME,
    title="a backup of the Open Agentic Framework",
    suffix=".zip",
    recognise=_recognise,
    read=read,
    proves=False,
    tool=NAME,
)
