#!/usr/bin/env python3
"""
Rebuild the SQLite database of a backup, with nothing but Python 3.9 or later.

    python3 restore.py NEW.db            of the backup that this file lies in
    python3 restore.py BACKUP NEW.db     of another folder, or of a zip

The backup is proven before anything is built, and the database is read back and compared with
it before it appears. NEW.db must not be there yet, and is whole or not at all.

Exits 0 when the database is there and proven, 1 when it could not be made, 2 on wrong usage.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import operator
import os
import re
import sqlite3
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, BinaryIO, cast

Metadata = dict[str, Any]  # what metadata.json holds
Entry = dict[str, str]  # one statement of the schema


class Refused(Exception):
    """There is no database, for the reason given."""


class Misused(Exception):
    """The command line is wrong."""


class InvalidText(bytes):
    """Text that is not valid UTF-8."""


def main(arguments: list[str]) -> int:
    if arguments in (["-h"], ["--help"]):
        say(__doc__.strip())
        return 0
    os.umask(0o077)  # what was backed up is for its owner's eyes
    try:
        say(restore(*paths_of(arguments)))
        return 0
    except Misused as error:
        return complain(error, 2)
    except zipfile.BadZipFile as error:
        return complain(f"the zip is damaged: {error}", 1)
    except (Refused, OSError, EOFError, RuntimeError, ValueError, zlib.error) as error:
        return complain(error, 1)
    except sqlite3.Error as error:
        return complain(f"SQLite {sqlite3.sqlite_version} cannot make it: {error}", 1)


def paths_of(arguments: list[str]) -> tuple[Path, Path]:
    """Return where the backup is, and where the database goes."""
    if len(arguments) not in (1, 2) or any(word.startswith("-") for word in arguments):
        raise Misused("give the name of the new database: python3 restore.py [BACKUP] NEW.db")
    source = Path(arguments[0]) if len(arguments) == 2 else Path(__file__).parent
    return source, Path(arguments[-1])


def say(text: str) -> None:
    # Whatever a path holds, saying it must not fail.
    sys.stdout.buffer.write(f"{text}\n".encode(errors="backslashreplace"))


def warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


def complain(what: object, exit_code: int) -> int:
    sys.stderr.write(f"error: {what}. No database was made.\n")
    return exit_code


def restore(source: Path, target: Path) -> str:
    """Make the database; return what to say of it."""
    for path in (target, *(Path(f"{target}{end}") for end in ("-wal", "-journal", "-shm"))):
        if os.path.lexists(path):
            raise Misused(f"{path} is already there; name another file")
    if source.is_dir() and source.resolve() in target.resolve().parents:
        raise Misused(f"{target} would lie inside the backup; name a file elsewhere")
    # A path in a zip can do all that is asked of it here.
    root = source if source.is_dir() else cast(Path, zipfile.Path(str(source)))
    metadata = read_metadata(root)
    prove(root, metadata)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=target.parent) as folder:
        built = Path(folder) / "new.db"
        with contextlib.closing(sqlite3.connect(str(built), isolation_level=None)) as connection:
            build(connection, root, metadata)
            compare(connection, metadata)
            finish(connection, metadata)
        publish(built, target)
    counts = metadata["counts"].values()
    moment = f" of {metadata['backup_date']}" if metadata.get("backup_date") else ""
    return (
        f"{target}: {len(counts)} tables, {sum(counts)} rows,"
        f" read back and equal to the backup{moment}"
    )


def publish(built: Path, target: Path) -> None:
    """Give the database its name, once it is on the disk itself."""
    with built.open("rb+") as file:
        os.fsync(file.fileno())
    try:
        os.link(built, target)
    except FileExistsError:
        raise Refused(f"{target} is already there") from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise Refused(f"{target} is already there") from None
        built.rename(target)


# The backup


def read_metadata(root: Path) -> Metadata:
    file = root / "metadata.json"
    if not file.exists():
        raise Refused(f"there is no backup at {root}: metadata.json is missing")
    text = file.read_bytes()
    head = text.rpartition(b'  "seal":')[0]
    if text != head + b'  "seal": "%s"}\n' % hashlib.sha256(head).hexdigest().encode():
        raise Refused("metadata.json is damaged: its last line is not the seal of the others")
    metadata: Metadata = json.loads(text)
    if metadata["format"] != "holdfast" or metadata["version"].partition(".")[0] not in ("1", "2"):
        raise Refused(f"version {metadata['version']} of the backup needs its own restore.py")
    return metadata


def prove(root: Path, metadata: Metadata) -> None:
    """Check every file, and the rows of every table."""
    for name, facts in metadata["files"].items():
        if found_as(root, name) != name:
            continue  # unpacked: its rows are proven below
        with (root / name).open("rb") as file:
            if hash_of(cast(BinaryIO, file)) != facts["sha256"]:
                raise Refused(f"{name} is damaged: it is not as it was written")
    for table in metadata["layout"]:
        digest, count = hashlib.sha256(), 0
        for line in lines_of(root, metadata, table):
            digest.update(line)
            count += 1
        complain_of_rows(metadata, table, count, digest.hexdigest(), "the backup")


def complain_of_rows(metadata: Metadata, table: str, count: int, digest: str, where: str) -> None:
    expected = metadata["counts"][table]
    if count != expected:
        raise Refused(f"{where} has {count} rows of {table} where {expected} were written")
    if digest != metadata["digests"][table]:
        raise Refused(f"the rows of {table} in {where} are not those that were written")


def hash_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    for block in iter(lambda: file.read(65536), b""):
        digest.update(block)
    return digest.hexdigest()


def found_as(root: Path, name: str) -> str:
    """Return the name under which a file is there: zstd's may have been unpacked."""
    if name.endswith(".zst"):
        if (root / name[:-4]).exists():
            return name[:-4]
        raise Refused(f"{name} is compressed; first unpack such files: zstd -d tables/*.zst")
    if not (root / name).exists():
        raise Refused(f"{name} is missing")
    return name


def lines_of(root: Path, metadata: Metadata, table: str) -> Iterator[bytes]:
    """Yield the rows of a table as they are written, one line each."""
    named = (name for name, facts in metadata["files"].items() if facts.get("table") == table)
    name = found_as(root, next(named))
    with (root / name).open("rb") as file:
        yield from gzip.GzipFile(fileobj=file) if name.endswith(".gz") else cast(BinaryIO, file)


# The database


def build(connection: sqlite3.Connection, root: Path, metadata: Metadata) -> None:
    facts = metadata["database"]
    for pragma in ("page_size", "encoding", "auto_vacuum", "user_version", "application_id"):
        connection.execute(f"PRAGMA {pragma} = {quoted(str(facts[pragma]))}")
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    # Rows are put back as they were, even those that break a rule made after them.
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("BEGIN")
    schema: list[Entry] = metadata["schema"]
    tables = [entry for entry in schema if entry["type"] == "table"]
    virtual = [entry for entry in tables if entry["sql"][:14].upper() == "CREATE VIRTUAL"]
    for entry in tables:
        if entry not in virtual:
            connection.execute(entry["sql"])
    make(connection, [entry for entry in schema if entry["type"] == "view"])
    for entry in virtual:
        make_virtual_table(connection, entry)
    for skipped in metadata["skipped_tables"]:
        if skipped["table"] not in [entry["name"] for entry in virtual]:
            warn(f"the backup has no rows of {skipped['table']}: {skipped['reason']}")
    filling = filling_triggers(schema, virtual)
    make(connection, filling)
    statistics = [name for name in metadata["layout"] if name.startswith("sqlite_")]
    for name in metadata["layout"]:
        if name not in statistics:
            insert_rows(connection, root, metadata, name)
    restore_sequences(connection, metadata)
    make(connection, [entry for entry in schema if entry["type"] == "index"])
    restore_statistics(connection, root, metadata, statistics)
    for entry in virtual:
        rebuild_index(connection, entry, is_filled=bool(filling_triggers(schema, [entry])))
    triggers = [entry for entry in schema if entry["type"] == "trigger"]
    make(connection, [entry for entry in triggers if entry not in filling])
    check_integrity(connection)
    connection.execute("COMMIT")


def make(connection: sqlite3.Connection, entries: list[Entry]) -> None:
    for entry in entries:
        try:
            connection.execute(entry["sql"])
        except sqlite3.Error as error:
            warn(f"the {entry['type']} {entry['name']} could not be made: {error}")


def make_virtual_table(connection: sqlite3.Connection, entry: Entry) -> None:
    name = entry["name"]
    try:
        connection.execute(entry["sql"])
    except sqlite3.Error as error:
        # Its entry in the schema is all there is of it: as it was, it waits for its module.
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "INSERT INTO sqlite_master VALUES ('table', ?, ?, 0, ?)", [name, name, entry["sql"]]
        )
        connection.execute("PRAGMA writable_schema = OFF")
        warn(f"the virtual table {name} is there by name only: {error}")


# The option of a full-text index that says whose text it indexes; with "" it keeps no text.
CONTENT = re.compile(
    r"""(?is)\busing\s+["'`\[]?fts[345]\b.*?\bcontent\s*=\s*"""
    r"""('[^']*'|"[^"]*"|`[^`]*`|\[[^]]*\]|[^,)\s]*)"""
)


def content_of(entry: Entry) -> str | None:
    found = CONTENT.search(entry["sql"])
    return found[1].strip("'\"`[]") if found else None


def filling_triggers(schema: list[Entry], virtual: list[Entry]) -> list[Entry]:
    """Return the triggers that fill full-text indexes which keep no text to rebuild them of."""
    names = [re.escape(entry["name"]) for entry in virtual if content_of(entry) == ""]
    named = re.compile(rf"(?i)(?<!\w)({'|'.join(names)})(?!\w)")
    triggers = [entry for entry in schema if entry["type"] == "trigger"]
    return [entry for entry in triggers if names and named.search(entry["sql"])]


def rebuild_index(connection: sqlite3.Connection, entry: Entry, *, is_filled: bool) -> None:
    """Fill a full-text index with what it indexes."""
    name, content = quoted(entry["name"]), content_of(entry)
    if content == "" and not is_filled:
        warn(f"the full-text index {entry['name']} is empty: it keeps no text to make it of")
    if content:
        try:
            connection.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
        except sqlite3.Error as error:
            warn(f"the full-text index {entry['name']} could not be filled: {error}")


def restore_sequences(connection: sqlite3.Connection, metadata: Metadata) -> None:
    """Put back what AUTOINCREMENT has given."""
    found = "SELECT name FROM sqlite_master WHERE name = 'sqlite_sequence'"
    if metadata["sequences"] or connection.execute(found).fetchone():
        connection.execute("DELETE FROM sqlite_sequence")
        for mark in metadata["sequences"].items():
            connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", mark)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def columns_of(connection: sqlite3.Connection, metadata: Metadata, table: str) -> dict[str, str]:
    """Return what SQL calls each key of a table's rows."""
    layout = metadata["layout"][table]
    own = {row[1].lower() for row in connection.execute(f"PRAGMA table_xinfo({quoted(table)})")}
    rowid = next((name for name in ("rowid", "_rowid_", "oid") if name not in own), "rowid")
    return {key: rowid if key == layout["rowid"] else quoted(key) for key in layout["columns"]}


def insert_rows(connection: sqlite3.Connection, root: Path, metadata: Metadata, table: str) -> None:
    columns = columns_of(connection, metadata, table)
    insert = f"INSERT INTO {quoted(table)} ({', '.join(columns.values())}) VALUES "
    encoding = metadata["database"]["encoding"]
    for line in lines_of(root, metadata, table):
        row = json.loads(line)
        cells = [value_of(row[key]) for key in columns]
        # Text that is not valid cannot be bound as text.
        marks = [
            f"CAST(x'{stored_bytes(cell, encoding).hex()}' AS TEXT)"
            if isinstance(cell, InvalidText)
            else "?"
            for cell in cells
        ]
        cells = [cell for cell in cells if not isinstance(cell, InvalidText)]
        connection.execute(f"{insert}({', '.join(marks)})", cells)


def stored_bytes(text: InvalidText, encoding: str) -> bytes:
    """Return the bytes of a text in the encoding of the database."""
    if encoding == "UTF-8":
        return text
    return text.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass")


def value_of(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    if "$real" in cell:
        return float(cell["$real"])
    if "$text" in cell:
        return InvalidText(base64.b64decode(cell["$text"]))
    return base64.b64decode(cell["encoded"])


def restore_statistics(
    connection: sqlite3.Connection, root: Path, metadata: Metadata, tables: list[str]
) -> None:
    """Put back what ANALYZE had found."""
    if not tables:
        return
    connection.execute("ANALYZE sqlite_master")  # makes the tables, which nothing else may
    found = "SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat_'"
    for (name,) in connection.execute(found).fetchall():
        connection.execute(f"DELETE FROM {name}" if name in tables else f"DROP TABLE {name}")
    for name in tables:
        try:
            insert_rows(connection, root, metadata, name)
        except sqlite3.Error as error:
            warn(f"{name} is left out, this SQLite does not have it: {error}")
            metadata["counts"].pop(name)


# The proof


def check_integrity(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA ignore_check_constraints = OFF")
    for (finding,) in connection.execute("PRAGMA integrity_check").fetchall():
        # Of a full-text index: its rows are proven, and it can be rebuilt.
        if finding.startswith(("CHECK constraint failed", "unable to validate", "malformed inv")):
            warn(f"SQLite says of the new database: {finding}")
        elif finding != "ok":
            raise Refused(f"SQLite's integrity check fails: {finding}")


def compare(connection: sqlite3.Connection, metadata: Metadata) -> None:
    """Read every table back, and compare its digest with that of the backup."""
    connection.text_factory = text_or_bytes
    for table in metadata["counts"]:
        columns = columns_of(connection, metadata, table)
        key = metadata["layout"][table]["key"]
        order = ", ".join(f"{columns[name]} COLLATE BINARY" for name in key)
        starts = [encode_basestring(name) + ":" for name in columns]
        digest, count = hashlib.sha256(), 0
        for row in connection.execute(
            f"SELECT {', '.join(columns.values())} FROM {quoted(table)}"
            + (f" ORDER BY {order}" if order else "")
        ):
            cells = ",".join(map(operator.add, starts, map(cell_text, row)))
            digest.update(f"{{{cells}}}\n".encode())
            count += 1
        complain_of_rows(metadata, table, count, digest.hexdigest(), "the new database")
    connection.text_factory = str


def text_or_bytes(text: bytes) -> str | InvalidText:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return InvalidText(text)


def cell_text(cell: Any) -> str:
    """Write a value as backups do."""
    if isinstance(cell, str):
        return encode_basestring(cell)
    if isinstance(cell, float):
        return real_text(cell)
    if isinstance(cell, InvalidText):
        return f'{{"$text":"{base64.b64encode(cell).decode()}"}}'
    if isinstance(cell, bytes):
        return f'{{"$base64":true,"encoded":"{base64.b64encode(cell).decode()}"}}'
    return "null" if cell is None else str(cell)


def real_text(real: float) -> str:
    text = repr(real)
    if text in ("inf", "-inf"):
        return f'{{"$real":"{text}"}}'
    digits, exponent, power = text.partition("e")
    if not exponent:
        return text
    if power == "-05":  # Python begins to write exponents one power earlier
        sign = "-" if real < 0 else ""
        return f"{sign}0.0000" + digits.replace(".", "").replace("-", "")
    return f"{digits}e{int(power)}"


def finish(connection: sqlite3.Connection, metadata: Metadata) -> None:
    """Tell of broken references; leave the database in its own journal mode."""
    try:
        broken = [(row[0], row[2]) for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.Error as error:
        warn(f"foreign keys could not be checked: {error}")
        broken = []
    for table, parent in sorted(set(broken)):
        count = broken.count((table, parent))
        warn(f"{count} rows of {table} refer to no row of {parent}, as in the backup")
    mode = metadata["database"]["journal_mode"]
    connection.execute(f"PRAGMA journal_mode = {'WAL' if mode == 'wal' else 'DELETE'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
