"""
Makes the files of the format's present version that are to be read for ever.

    python3 -m tests --run tests.golden.make

Each version has a folder, made once: one that is there is never written to again.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from holdfast.formats import FORMATS, WRITABLE
from holdfast.formats.compression import SUFFIXES
from holdfast.formats.interface import VERSION
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.places import Home
from tests.conftest import run_sql

FOLDER = Path(__file__).parent / VERSION

AWKWARD = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA user_version = 7;
PRAGMA application_id = -252006674;
CREATE TABLE contacts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
    friend INTEGER REFERENCES contacts (id), initial AS (substr(name, 1, 1)));
INSERT INTO contacts (id, name, friend) VALUES (1, 'Ann', 3), (3, 'Bøb', 1), (99, 'gone', NULL);
DELETE FROM contacts WHERE id = 99;
CREATE TABLE "all values" (x);
INSERT INTO "all values" (rowid, x) VALUES (-5, NULL), (2, 9223372036854775807), (3, -0.0),
    (4, 5e-324), (5, 9e999), (6, -9e999), (7, 0.1), (8, ''), (9, x''), (10, x'00ff'),
    (11, 'a' || char(0) || 'b'), (12, CAST(x'61ff' AS TEXT)), (13, char(10, 8232) || '"\\'),
    (14, '{"$base64":true}'), (15, 1.0), (16, 1);
UPDATE "all values" SET x = -0.0 WHERE rowid = 3;
CREATE TABLE pairs (a TEXT COLLATE NOCASE, b ANY, PRIMARY KEY (b DESC, a)) STRICT, WITHOUT ROWID;
INSERT INTO pairs VALUES ('x', 1), ('Y', '1'), ('z', x'31');
CREATE TABLE orphans (contact INTEGER REFERENCES contacts (id));
INSERT INTO orphans VALUES (1), (77);
CREATE INDEX by_name ON contacts (name COLLATE NOCASE DESC) WHERE friend IS NOT NULL;
CREATE VIEW friends AS SELECT a.name, b.name AS friend FROM contacts AS a JOIN contacts AS b
    ON b.id = a.friend;
CREATE VIRTUAL TABLE search USING fts5(name, content='contacts', content_rowid='id');
INSERT INTO search (search) VALUES ('rebuild');
CREATE TRIGGER found AFTER INSERT ON contacts BEGIN
    INSERT INTO search (rowid, name) VALUES (new.id, new.name); END;
CREATE TRIGGER orphaned AFTER INSERT ON contacts BEGIN INSERT INTO orphans VALUES (new.id); END;
"""


def main() -> None:
    if FOLDER.exists():
        sys.exit(f"{FOLDER} is there: what was written once is never written again")
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "awkward.db"
        run_sql(source, AWKWARD)
        now = datetime(2026, 11, 20, 14, 22, 33, tzinfo=UTC)
        context = Context(Home(Path(name) / "home"), {}, Path(name), "linux", "ann@laptop", now)
        for options in _all_options(source):
            export_backup(context, options)


def _all_options(source: Path) -> list[ExportOptions]:
    """Return what asks for each format, with each compression that it can have."""
    found = [(name, "none", False) for name in WRITABLE] + [("json", "none", True)]
    found += [(name, how, False) for name in WRITABLE for how in SUFFIXES if name != "zip"]
    return [
        ExportOptions(
            database=str(source),
            output=FOLDER / _file_name(name, how, pretty=pretty),
            format=name,
            compression=how,
            pretty=pretty,
        )
        for name, how, pretty in dict.fromkeys(found)
    ]


def _file_name(name: str, how: str, *, pretty: bool) -> str:
    """Name a file by what is in it, with the ending that it would have."""
    words = [name, "pretty" if pretty else "", "" if how == "none" else how]
    suffix = FORMATS[name].suffix + ("" if FORMATS[name].is_folder else SUFFIXES[how])
    return "-".join(filter(None, words)) + suffix


if __name__ == "__main__":
    main()
