"""restore.py: with Python alone, a bundle becomes the database that it was made of."""

from __future__ import annotations

import hashlib
import json
import os
import runpy
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.cells import InvalidText, RowWriter
from holdfast.formats import folder, zip_file
from holdfast.model import SkippedTable
from tests.conftest import everything, rows
from tests.formats.conftest import SMALL, write_backup
from tests.running import needs
from tests.strategies import VALUES

PROGRAM = Path(folder.__file__).parent / "bundle_files" / "restore.py"
MODULE = runpy.run_path(str(PROGRAM))
PRAGMAS = ("page_size", "encoding", "auto_vacuum", "user_version", "application_id", "journal_mode")

AWKWARD = """
PRAGMA page_size = 8192; PRAGMA auto_vacuum = 2; PRAGMA user_version = -7;
PRAGMA application_id = 1179603529;
CREATE TABLE cells (id INTEGER PRIMARY KEY, x);
INSERT INTO cells (x) VALUES (NULL), (0), (-9223372036854775808), (9223372036854775807),
    (9007199254740993), (1.0), (-0.0), (5e-324), (1.7976931348623157e308), (0.1), (1e15), (1e16),
    (1e17), (123456789012345678.0), (1e-4), (1e-5), (-1.25e-5), (1.5e-6), (1e22), (-1e300),
    (9e999), (-9e999), (''), (x''), (x'00'), ('a' || char(0) || 'b'), (char(0)),
    (char(9) || char(10) || char(13) || char(8) || char(12) || char(31) || char(127)),
    ('"\\/'), ('{"$base64":true}'), (char(8232)), (char(65279)), ('e' || char(769)), ('👩‍👩‍👧'),
    (CAST(x'ff00fe' AS TEXT)), (CAST(x'61eda080' AS TEXT)), (zeroblob(70000));
CREATE TABLE typed (i INTEGER, r REAL, t TEXT, b BLOB, n NUMERIC);
INSERT INTO typed VALUES ('word', 'word', x'00', 'text', 'word'), (1.5, 2, 3, 4, 5.0),
    (1, -0.0, '', x'', 9e999), (NULL, NULL, NULL, NULL, NULL);
CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, x);
INSERT INTO numbered VALUES (5, 'a'), (9, 'b'); DELETE FROM numbered WHERE id = 9;
CREATE TABLE never_numbered (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE unkeyed (x, y);
INSERT INTO unkeyed (rowid, x, y) VALUES (7, 1, 2), (-3, 1, 2), (8, 1, 2);
CREATE TABLE hides ("rowid" TEXT, "$rowid" TEXT); INSERT INTO hides VALUES ('mine', 'too');
UPDATE hides SET _rowid_ = 44;
CREATE TABLE text_key (k TEXT COLLATE NOCASE PRIMARY KEY, v);
INSERT INTO text_key VALUES ('b', 1), ('A', 2);
CREATE TABLE pairs (a, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
INSERT INTO pairs VALUES (1, 'x'), (2, 'X'), (x'00', 'x');
CREATE TABLE strict_ones (i INT, a ANY, r REAL) STRICT;
INSERT INTO strict_ones VALUES (1, '1', 2), (2, 1.0, 3);
CREATE TABLE made (a INT, v AS (a * 2), s TEXT AS ('n' || a) STORED, z);
INSERT INTO made VALUES (1, 2), (3, 4);
CREATE TABLE "select" ("from" TEXT, "a.b" TEXT, "é""q" TEXT, "new
line" TEXT, "" TEXT);
INSERT INTO "select" VALUES (1, 2, 3, 4, 5);
CREATE TABLE "a/b" (x); INSERT INTO "a/b" VALUES ('slash');
CREATE TABLE "a_b" (x); INSERT INTO a_b VALUES ('line');
CREATE TABLE "" (x); INSERT INTO "" VALUES ('nameless');
CREATE TABLE parents (id INTEGER PRIMARY KEY, code TEXT UNIQUE,
    best REFERENCES children DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE children (id INTEGER PRIMARY KEY, code REFERENCES parents (code),
    up REFERENCES children ON DELETE CASCADE);
INSERT INTO parents VALUES (1, 'p', 2); INSERT INTO children VALUES (1, 'p', 2), (2, 'lost', 1);
CREATE TABLE checked (x CHECK (x > 0)); PRAGMA ignore_check_constraints = ON;
INSERT INTO checked VALUES (-1); PRAGMA ignore_check_constraints = OFF;
CREATE TABLE log (what);
CREATE INDEX by_x ON cells (x) WHERE x IS NOT NULL;
CREATE UNIQUE INDEX by_lower ON text_key (lower(k) COLLATE NOCASE, v DESC);
CREATE VIEW names AS SELECT k FROM text_key -- of keys
;
CREATE TRIGGER writes_elsewhere AFTER INSERT ON numbered
BEGIN INSERT INTO log VALUES (new.id); END;
CREATE TRIGGER instead INSTEAD OF INSERT ON names BEGIN INSERT INTO log VALUES ('no'); END;
INSERT INTO numbered VALUES (7, 'logged');
ANALYZE; DROP TABLE IF EXISTS sqlite_stat4;
PRAGMA journal_mode = WAL;
"""
# sqldiff calls a table that hides its rowid a different one, and may lack full-text search.
MORE_AWKWARD = f"""
{AWKWARD}
CREATE TABLE hides_all (rowid, oid, _rowid_);
INSERT INTO hides_all VALUES (3, 2, 1), (1, 2, 3);
CREATE TABLE docs (id INTEGER PRIMARY KEY, body);
CREATE VIRTUAL TABLE search USING fts5(body, content='docs', content_rowid=id);
CREATE VIRTUAL TABLE words USING fts5vocab(search, row);
CREATE VIRTUAL TABLE lean USING fts5(body, content='');
CREATE TRIGGER fill AFTER INSERT ON docs
BEGIN INSERT INTO search (rowid, body) VALUES (new.id, new.body); END;
CREATE TRIGGER fill_lean AFTER INSERT ON docs
BEGIN INSERT INTO lean (rowid, body) VALUES (new.id, new.body); END;
INSERT INTO docs VALUES (4, 'kept in its table'), (6, 'found by its words');
CREATE TABLE search_log (x); INSERT INTO search_log VALUES ('a plain table');
CREATE VIRTUAL TABLE own USING fts5(title, text);
INSERT INTO own (rowid, title, text) VALUES (9, 'a', 'nine words'), (3, 'b', 'three');
CREATE VIRTUAL TABLE boxes USING rtree(id, x1, x2, +label);
INSERT INTO boxes VALUES (1, 0.1, 5.5, 'first'), (2, -3, 4, NULL);
"""


@pytest.fixture
def bundle(make_database, tmp_path):
    """Write a bundle of the database that some SQL makes, in a folder of its own."""

    def write_it(sql=SMALL, form=folder.FORMAT, compression="none", **changes):
        path = tmp_path / "backup"
        return write_backup(make_database(sql), path, (form, compression), **changes).path

    return write_it


def run(*arguments, program=PROGRAM, exit_code=0, **options):
    """Run restore.py by the Python at hand, without site-packages; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", program, *arguments], capture_output=True, text=True, **options
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == exit_code, (done.stdout, done.stderr)
    assert bool(done.stdout) == (exit_code == 0)
    return done.stdout + done.stderr


def content(path):
    """All that a database holds, in no order of its schema, but what full-text indexes know."""
    found = everything(path)
    found["schema"] = sorted(map(str, rows(path, "SELECT type, name, sql FROM sqlite_schema")))
    found["pragmas"] = [rows(path, f"PRAGMA {name}") for name in PRAGMAS]
    for index in ("search", "lean", "own"):
        for name in ("data", "idx", "docsize", "config", "content"):
            found.pop(f"{index}_{name}", None)
    return found


@pytest.fixture
def in_process(monkeypatch, capsys):
    """Call restore.py's own main function: many times quicker than a process."""
    before = os.umask(0o077)

    def call(*arguments):
        exit_code = MODULE["main"](list(map(str, arguments)))
        return exit_code, capsys.readouterr().err

    yield call
    os.umask(before)


@pytest.mark.parametrize("form", [folder.FORMAT, zip_file.FORMAT], ids=["folder", "zip"])
def test_an_awkward_database_comes_back(bundle, tmp_path, form):
    path, made = bundle(MORE_AWKWARD, form), tmp_path / "made.db"
    said = run(path, made)
    assert f"{made}: 24 tables, " in said
    assert "rows, read back and equal to the backup of 2026-11-20" in said
    assert "warning: 1 rows of children refer to no row of parents, as in the backup" in said
    assert "warning: SQLite says of the new database: CHECK constraint failed in checked" in said
    assert said.count("warning: ") == 2
    assert content(made) == content(tmp_path / "tool.db")
    for query, expected in (
        ("SELECT rowid FROM search WHERE search MATCH 'words'", [(6,)]),
        ("SELECT rowid FROM lean WHERE lean MATCH 'words'", [(6,)]),
        ("SELECT rowid, * FROM own WHERE own MATCH 'words'", [(9, "a", "nine words")]),
        ("SELECT id, label FROM boxes WHERE x1 > 0 AND x2 < 6", [(1, "first")]),
        ("SELECT term FROM words WHERE term = 'words'", [("words",)]),
        ("SELECT * FROM log", [(7,)]),
    ):
        assert rows(made, query) == rows(tmp_path / "tool.db", query) == expected
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("made.db-*")) and not list(tmp_path.glob(".restore-*"))


@needs("sqldiff")
def test_sqldiff_finds_no_difference(bundle, tmp_path):
    made = tmp_path / "made.db"
    run(bundle(AWKWARD), made)
    done = subprocess.run(["sqldiff", tmp_path / "tool.db", made], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_program_in_the_folder_knows_its_backup(bundle, tmp_path):
    path = bundle()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run("made.db", program=path / "restore.py", cwd=elsewhere)
    assert content(elsewhere / "made.db") == content(tmp_path / "tool.db")
    assert (path / "restore.py").read_bytes() == PROGRAM.read_bytes()


def test_the_commands_of_the_page_work_as_they_stand(bundle, tmp_path):
    path = bundle()
    page = (path / "RESTORE.md").read_text(encoding="utf-8")
    assert "\npython3 restore.py ../restored.db\n" in page
    run("../restored.db", program="restore.py", cwd=path)
    assert content(tmp_path / "restored.db") == content(tmp_path / "tool.db")


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_database_in_utf16_comes_back(bundle, tmp_path, encoding):
    lone = "\ud800".encode(encoding, "surrogatepass")
    path = bundle(
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE t (x);"
        f"INSERT INTO t VALUES ('é👩'), (x'00ff'), (CAST(x'{lone.hex()}' AS TEXT));"
    )
    run(path, tmp_path / "made.db")
    assert content(tmp_path / "made.db") == content(tmp_path / "tool.db")
    assert rows(tmp_path / "made.db", "SELECT hex(CAST(x AS BLOB)) FROM t")[2] == (
        lone.hex().upper(),
    )


def test_an_empty_database_and_a_reproducible_backup_come_back(bundle, tmp_path):
    path = bundle("CREATE TABLE t (x); DROP TABLE t;", backup_date="")
    assert run(path, tmp_path / "made.db").endswith(
        "made.db: 0 tables, 0 rows, read back and equal to the backup\n"
    )
    assert content(tmp_path / "made.db") == content(tmp_path / "tool.db")


def test_files_of_gzip_are_read_as_they_are(bundle, tmp_path):
    run(bundle(compression="gzip"), tmp_path / "made.db")
    assert content(tmp_path / "made.db") == content(tmp_path / "tool.db")


@needs("zstd")
def test_files_of_zstd_are_read_once_its_own_tool_has_unpacked_them(bundle, tmp_path):
    path = bundle(compression="zstd")
    assert "zstd -d tables/*.zst" in run(path, tmp_path / "made.db", exit_code=1)
    subprocess.run(["zstd", "-d", "-q", *(path / "tables").iterdir()], check=True)
    run(path, tmp_path / "made.db")
    assert content(tmp_path / "made.db") == content(tmp_path / "tool.db")
    tags = path / "tables" / "tags.jsonl"
    tags.write_bytes(tags.read_bytes().replace(b"new", b"old"))
    assert "the rows of tags in the backup" in run(path, tmp_path / "other.db", exit_code=1)


def test_an_index_that_nothing_can_fill_is_told_of(bundle, tmp_path):
    path = bundle(
        "CREATE VIRTUAL TABLE lean USING fts5(body, content='');"
        "INSERT INTO lean (rowid, body) VALUES (1, 'lost');"
        "CREATE VIRTUAL TABLE stray USING fts5(body, content=gone);"
    )
    said = run(path, tmp_path / "made.db")
    assert "the full-text index lean is empty: it keeps no text to make it of" in said
    assert "the full-text index stray could not be filled" in said


def test_a_virtual_table_without_its_module_keeps_its_place_in_the_schema(bundle, tmp_path):
    statement = "CREATE VIRTUAL TABLE vectors USING vec0(embedding float[4])"
    made = tmp_path / "made.db"
    said = run(
        bundle(
            "CREATE TABLE t (x); INSERT INTO t VALUES (1); CREATE TABLE vectors_chunks (y);"
            "INSERT INTO vectors_chunks VALUES (2); PRAGMA writable_schema = ON;"
            "INSERT INTO sqlite_schema"
            f" VALUES ('table', 'vectors', 'vectors', 0, '{statement}');"
        ),
        made,
    )
    assert "the virtual table vectors is there by name only: no such module: vec0" in said
    assert rows(made, "SELECT sql FROM sqlite_schema WHERE name = 'vectors'") == [(statement,)]
    assert rows(made, "SELECT x, y FROM t, vectors_chunks") == [(1, 2)]


def test_rows_that_were_left_out_are_told_of(bundle, tmp_path):
    skipped = (SkippedTable("chats", "not asked for"),)
    said = run(bundle(skipped_tables=skipped, type="partial"), tmp_path / "made.db")
    assert "the backup has no rows of chats: not asked for" in said


@given(st.lists(VALUES))
@example([1e-5, -1.25e-5, 9.99999999999999e-6, 1e-4, 1e15, 1e16, -1e16, 123456789012345680.0])
def test_it_writes_every_value_as_backups_do(values):
    """Or what is whole would look damaged once it is read back."""
    odd, write = MODULE["InvalidText"], MODULE["cell_text"]
    cells = (write(odd(value) if isinstance(value, InvalidText) else value) for value in values)
    line = "{" + ",".join(f'"c{number}":{cell}' for number, cell in enumerate(cells)) + "}\n"
    assert line.encode() == RowWriter([f"c{i}" for i in range(len(values))]).lines([values])


# Refusals


def test_wrong_usage_is_exit_code_2(bundle, tmp_path):
    path = bundle()
    for arguments in ([], ["a", "b", "c"], ["--force", "x"]):
        assert "python3 restore.py [BACKUP] NEW.db" in run(*arguments, exit_code=2)
    assert "python3 restore.py BACKUP NEW.db" in run("--help")
    said = run(path, path / "made.db", exit_code=2)
    assert "would lie inside the backup" in said
    assert not (path / "made.db").exists()


@pytest.mark.parametrize("ending", ["", "-wal", "-journal", "-shm"])
def test_what_is_there_is_never_overwritten(bundle, tmp_path, ending):
    there = tmp_path / f"made.db{ending}"
    there.write_text("mine")
    assert f"{there} is already there" in run(bundle(), tmp_path / "made.db", exit_code=2)
    assert there.read_text() == "mine"
    assert len(list(tmp_path.glob("made.db*"))) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("metadata.json", "metadata.json is missing"),
        ("tables/tags.jsonl", "tables/tags.jsonl is missing"),
        ("schema.sql", "schema.sql is missing"),
    ],
)
def test_a_missing_file_is_named(bundle, tmp_path, name, said):
    path = bundle()
    (path / name).unlink()
    assert said in run(path, tmp_path / "made.db", exit_code=1)
    assert not (tmp_path / "made.db").exists()


def test_what_is_no_backup_at_all_is_refused(bundle, tmp_path):
    text = tmp_path / "text"
    text.write_text("hello")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("hello", "")
    folder = tmp_path / "folder"
    folder.mkdir()
    for source in (tmp_path / "none", text, other, folder):
        assert "No database was made." in run(source, tmp_path / "made.db", exit_code=1)
    assert "No database was made." in run(bundle(), tmp_path / "none" / "made.db", exit_code=1)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_every_changed_byte_of_the_data_is_found(bundle, tmp_path, in_process, compression):
    path = bundle(compression=compression)
    made = tmp_path / "made.db"
    for file in (path / "metadata.json", path / "schema.sql", *(path / "tables").iterdir()):
        original = file.read_bytes()
        for position, byte in enumerate(original):
            other = bytes([byte ^ 0x20])
            file.write_bytes(original[:position] + other + original[position + 1 :])
            exit_code, said = in_process(path, made)
            assert exit_code == 1, (file, position)
            assert said.startswith("error: ") and "No database was made." in said
        file.write_bytes(original)
    assert list(tmp_path.glob("*made*")) == []
    assert in_process(path, made) == (0, "")


def test_a_damaged_zip_gives_the_same_database_or_none(bundle, tmp_path, in_process):
    path = bundle(form=zip_file.FORMAT)
    original, made = path.read_bytes(), tmp_path / "made.db"
    whole = content(tmp_path / "tool.db")
    refused = 0
    for position in range(0, len(original), 19):
        other = bytes([original[position] ^ 0x41])
        path.write_bytes(original[:position] + other + original[position + 1 :])
        exit_code, _ = in_process(path, made)
        assert exit_code in (0, 1)
        refused += exit_code
        if exit_code == 0:
            assert content(made) == whole
            made.unlink()
    assert refused > len(range(0, len(original), 19)) // 2
    for size in range(0, len(original), 199):
        path.write_bytes(original[:size])
        assert in_process(path, made)[0] == 1


def sealed_anew(path, change):
    items = json.loads((path / "metadata.json").read_text(encoding="utf-8"))
    change(items)
    items.pop("seal")
    text = json.dumps(items, indent=2).removesuffix("\n}").encode() + b",\n"
    seal = hashlib.sha256(text).hexdigest().encode()
    (path / "metadata.json").write_bytes(text + b'  "seal": "%s"}\n' % seal)


def test_a_later_major_version_is_refused(bundle, tmp_path):
    said = run(bundle(version="3.0"), tmp_path / "made.db", exit_code=1)
    assert "version 3.0" in said


def test_version_2_comes_back(bundle, tmp_path):
    assert "equal to the backup" in run(bundle(version="2.0"), tmp_path / "made.db")


def test_rows_that_do_not_come_back_as_they_were_leave_no_database(bundle, tmp_path):
    # The column's type, changed by a forger, turns the text into a number on its way in.
    path = bundle("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('007');")

    def retype(items):
        items["schema"][0]["sql"] = "CREATE TABLE t (x INTEGER)"

    sealed_anew(path, retype)
    said = run(path, tmp_path / "made.db", exit_code=1)
    assert "the rows of t in the new database are not those that were written" in said
    assert list(tmp_path.glob("*made*")) == [] and not list(tmp_path.glob(".restore-*"))


def test_a_schema_that_this_sqlite_does_not_know_is_told_of(bundle, tmp_path):
    path = bundle("CREATE TABLE t (x); CREATE TABLE u (x); CREATE INDEX i ON t (x);")

    def break_index(items):
        items["schema"][2]["sql"] = "CREATE INDEX i ON t (unknown_function(x))"

    sealed_anew(path, break_index)
    assert "warning: the index i could not be made: " in run(path, tmp_path / "made.db")
    assert rows(tmp_path / "made.db", "SELECT name FROM sqlite_schema") == [("t",), ("u",)]

    def break_table(items):
        items["schema"][0]["sql"] = "CREATE TABLE t (x) FUTURE"

    sealed_anew(path, break_table)
    said = run(path, tmp_path / "other.db", exit_code=1)
    assert "error: SQLite " in said and "FUTURE" in said
    assert not (tmp_path / "other.db").exists()
