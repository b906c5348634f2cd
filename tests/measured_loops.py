"""
Runs the hot loops once each, every one inside a call that callgrind knows by its name.

    python3 -m tests.measured_loops FOLDER

`exec` of a text is the only thing that calls PyRun_StringFlags, so callgrind, told to dump after
that function, gives the instructions of each loop by themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from holdfast import database, files
from holdfast.digest import Digest, read_lines
from holdfast.formats import json_lines, open_backup
from holdfast.formats.interface import NAME, VERSION, Content, Target
from holdfast.model import Header, Schema, Trailer
from holdfast.rebuild import rebuild
from holdfast.rows import layout_of
from holdfast.schema import read_facts, read_schema

FUNCTION = "PyRun_StringFlags"
LOOPS = ("reference", "export", "verify", "restore")


def main(folder: Path) -> None:
    """Run all loops on the database that lies in a folder, in the order of LOOPS."""
    sample, backup, restored = folder / "sample.db", folder / "backup", folder / "restored.db"
    files.make_empty(restored)
    with database.read_only(sample) as connection:
        schema = read_schema(connection)
        _measure(lambda: None)  # what comes before is counted until here
        _measure(lambda: _read(connection, schema))
        with backup.open("xb") as file:
            _measure(lambda: json_lines.write(Target(file), _content(connection, schema)))
    _measure(lambda: open_backup(backup).contents())
    _measure(lambda: rebuild(open_backup(backup), restored))


def _measure(loop: Callable[[], object]) -> None:
    exec("loop()", {"loop": loop})


def _read(connection: database.Connection, schema: Schema) -> None:
    """Take each row as Python's own module gives it: what nobody can be quicker than."""
    for table in schema.tables:
        for _ in connection.execute(f"SELECT * FROM {database.quote_identifier(table.name)}"):
            pass


def _content(connection: database.Connection, schema: Schema) -> Content:
    digests = {table.name: Digest() for table in schema.tables}
    header = Header(
        format=NAME,
        version=VERSION,
        type="full",
        groups=(),
        skipped_tables=(),
        database=read_facts(connection, "sample.db"),
        schema=schema.entries,
        layout={table.name: layout_of(table) for table in schema.tables},
    )
    return Content(
        header,
        (
            (table.name, digests[table.name].watch(read_lines(connection, table)))
            for table in schema.tables
        ),
        lambda: Trailer(
            sequences=schema.sequences,
            counts={name: digest.row_count for name, digest in digests.items()},
            digests={name: digest.hex() for name, digest in digests.items()},
        ),
        connection,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
