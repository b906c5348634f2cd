"""A reader of backups made from docs/format.md alone: the standard library, nothing of ours."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NotWhole(ValueError):
    """What is there is not what was written."""


@dataclass
class Found:
    """A backup as it lies in its files, what frames the rows told apart from them."""

    header: dict[str, Any]
    tables: list[tuple[str, list[str]]]  # the canonical lines of each table's rows
    trailer: dict[str, Any]
    sealed: str  # all that the seal is taken over
    seal: str


def read(form: str, path: Path) -> Found:
    """Read a backup of a format."""
    match form:
        case "folder":
            return read_bundle(files_of_folder(path))
        case "zip":
            return read_zip(path.read_bytes())
        case "sqlite":
            manifest = path.with_name(f"{path.name}.manifest.json")
            return read_copy(path, manifest.read_bytes().decode())
    return TEXT_READERS[form](path.read_bytes().decode())


def complaint(found: Found) -> str:
    """What is wrong with a backup, or nothing."""
    if sha256(found.sealed.encode()) != found.seal:
        return "seal"
    if [name for name, _ in found.tables] != list(found.header["layout"]):
        return "tables"
    for name, lines in found.tables:
        if found.trailer["counts"][name] != len(lines):
            return f"count of {name}"
        if found.trailer["digests"][name] != sha256("".join(lines).encode()):
            return f"digest of {name}"
    return ""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def lines_of(text: str) -> list[str]:
    """The lines of a text, each with its newline; what follows the last newline is lost."""
    return re.findall(r"[^\n]*\n", text)


# The JSON document and JSON Lines


def read_json(text: str) -> Found:
    """Read a JSON document, pretty or not."""
    document = json.loads(text)
    lines = lines_of(text)
    tables: list[tuple[str, list[str]]] = []
    sealed, inside, row = "", False, ""
    for line in lines[:-1]:
        if inside and line[0] != "]":
            row += canonical(line)
            if line.startswith("}") or (line.startswith("{") and line != "{\n"):
                tables[-1][1].append(row.removesuffix(",") + "\n")
                row = ""
            continue
        sealed += line
        if inside:
            inside = False
        elif sealed.count('"tables":{\n') and line.endswith(":[\n"):
            tables.append((json.loads(line.removesuffix(":[\n")), []))
            inside = True
    keys = list(document)
    split = keys.index("tables")
    if lines[-1] != f'"seal":"{document["seal"]}"}}\n':
        raise NotWhole("the last line is no seal")
    return Found(
        header={key: document[key] for key in keys[:split]},
        tables=tables,
        trailer={key: document[key] for key in keys[split + 1 : -1]},
        sealed=sealed,
        seal=document["seal"],
    )


def canonical(line: str) -> str:
    """A line of a pretty row as it stands in the canonical one."""
    if line.startswith("{") and line != "{\n":
        return line.removesuffix("\n")
    return re.sub(r'^("(?:[^"\\]|\\.)*"): ', r"\1:", line.strip(" \n"))


def read_jsonl(text: str) -> Found:
    """Read JSON Lines."""
    lines = lines_of(text)
    header = json.loads(lines[0]) | {"schema": [], "layout": {}}
    tables: list[tuple[str, list[str]]] = []
    trailer: dict[str, Any] = {}
    sealed = lines[0]
    for line in lines[1:-1]:
        if line.startswith("{"):
            tables[-1][1].append(line)
            continue
        sealed += line
        match json.loads(line):
            case ["schema", entry]:
                header["schema"].append(entry)
            case ["layout", name, layout]:
                header["layout"][name] = layout
            case ["table", name]:
                tables.append((name, []))
            case ["end", trailer]:
                pass
    [word, seal] = json.loads(lines[-1])
    if word != "seal":
        raise NotWhole("the last line is no seal")
    return Found(header, tables, trailer, sealed, seal)


TEXT_READERS: dict[str, Callable[[str], Found]] = {"json": read_json, "jsonl": read_jsonl}


# Folders and zips


def files_of_folder(root: Path) -> dict[str, bytes]:
    """Every file of a folder, by its name from there; hidden ones are no part of a backup."""
    named = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(".")}


def read_zip(content: bytes) -> Found:
    """Read a zip, which ends with its own hash."""
    if content[-64:] != sha256(content[:-64]).encode():
        raise NotWhole("the zip does not end with its hash")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if archive.comment != b"sha256:" + content[-64:]:
            raise NotWhole("the hash is not the comment")
        return read_bundle({name: archive.read(name) for name in archive.namelist()})


METADATA = "metadata.json"


def read_bundle(files: Mapping[str, bytes]) -> Found:
    """Read the files that a folder and a zip hold alike."""
    sealed, _, last = files[METADATA].decode().rpartition('  "seal":')
    document = json.loads(files[METADATA])
    if last != f' "{document["seal"]}"}}\n':
        raise NotWhole("the last line is no seal")
    if set(files) != {METADATA, *document["files"]}:
        raise NotWhole("files are missing, or are no part of it")
    for name, facts in document["files"].items():
        if sha256(files[name]) != facts["sha256"]:
            raise NotWhole(name)
    named = {facts["table"]: name for name, facts in document["files"].items() if "table" in facts}
    own = ("name", "summary", "includes", "files", "seal")
    frame = {key: value for key, value in document.items() if key not in own}
    trailer = {key: frame.pop(key) for key in ("sequences", "counts", "digests")}
    tables = [(table, lines_of(unpacked(files[named[table]]))) for table in frame["layout"]]
    return Found(frame, tables, trailer, sealed, document["seal"])


def unpacked(content: bytes) -> str:
    return (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode()


# Page copies


def read_copy(copy: Path, manifest: str) -> Found:
    """Read a page copy with its manifest, and write its rows by the rules of the page."""
    *sealed, last = lines_of(manifest)
    document = json.loads(manifest)
    if last != f'"seal":"{document["seal"]}"}}\n':
        raise NotWhole("the last line is no seal")
    content = copy.read_bytes()
    if document["file"] != {"sha256": sha256(content), "bytes": len(content)}:
        raise NotWhole("the copy is another one")
    rows = stored_rows(copy, document["header"]["layout"])
    tables = [(name, list(map(line_of, found))) for name, found in rows]
    return Found(document["header"], tables, document["trailer"], "".join(sealed), document["seal"])


def stored_rows(
    path: Path, layouts: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What SQLite itself has in the tables of a backup, in the order that the page gives."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = text_or_bytes
        for name, layout in layouts.items():
            names = [
                "rowid" if key == layout["rowid"] else quoted(key) for key in layout["columns"]
            ]
            order = [
                "rowid" if key == layout["rowid"] else f"{quoted(key)} COLLATE BINARY"
                for key in layout["key"]
            ]
            query = f"SELECT {', '.join(names)} FROM {quoted(name)}"
            rows = connection.execute(f"{query} ORDER BY {', '.join(order)}" if order else query)
            yield name, [dict(zip(layout["columns"], row, strict=True)) for row in rows]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text_or_bytes(value: bytes) -> str | tuple[str, bytes]:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return ("invalid text", value)


# Cells, and the line of a row


def cell(value: Any) -> Any:
    """What SQLite has for a cell of a row; invalid text as the bytes after their name."""
    match value:
        case {"$base64": True, "encoded": encoded}:
            return base64.b64decode(encoded)
        case {"$real": sign}:
            return float(sign)
        case {"$text": encoded}:
            return ("invalid text", base64.b64decode(encoded))
    return value


def line_of(row: dict[str, Any]) -> str:
    """The canonical line of a row of cells, written by the rules of the page."""
    items = (f"{json.dumps(key, ensure_ascii=False)}:{json_cell(row[key])}" for key in row)
    return f"{{{','.join(items)}}}\n"


def json_cell(value: Any) -> str:
    match value:
        case float() if value in (float("inf"), float("-inf")):
            value = {"$real": str(value)}
        case float():
            return real_text(value)
        case bytes():
            value = {"$base64": True, "encoded": base64.b64encode(value).decode()}
        case ("invalid text", bytes(invalid)):
            value = {"$text": base64.b64encode(invalid).decode()}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def real_text(value: float) -> str:
    """The fewest digits that read back, laid out as the page says."""
    sign = "-" if str(value).startswith("-") else ""
    digits, _, exponent = repr(abs(value)).partition("e")
    whole, _, rest = digits.partition(".")
    significant = (whole + rest).lstrip("0")
    leading = len(whole + rest) - len(significant)
    power = int(exponent or 0) + len(whole) - 1 - leading if significant else 0
    significant = significant.rstrip("0") or "0"
    if -5 <= power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{significant}"
    if 0 <= power <= 15:
        significant = significant.ljust(power + 1, "0")
        return f"{sign}{significant[: power + 1]}.{significant[power + 1 :] or '0'}"
    point = f".{significant[1:]}" if len(significant) > 1 else ""
    return f"{sign}{significant[0]}{point}e{power}"
