"""Databases: read without being touched, copied exactly, changed whole or not at all."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from holdfast import database
from holdfast.cells import Cell, InvalidText
from holdfast.errors import (
    DatabaseDamaged,
    DatabaseError,
    DatabaseLocked,
    DatabaseNotFound,
    HoldfastError,
    NotADatabase,
    WriteFailed,
)
from tests.conftest import connected, everything, rows, run_sql, stored

# Programs of another process, which a test steers; `path` is the database.
LOCK = """
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("INSERT INTO t VALUES (99, 'locked')")
print("ready", flush=True)
sys.stdin.read()
"""
CRASH = """
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("INSERT INTO t VALUES (2, 'only in the log')")
os._exit(0)
"""
CRASH_HALF_WAY = """
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN")
connection.execute("UPDATE t SET text = 'half done'")
for _ in range(50):
    connection.execute("INSERT INTO t (text) VALUES (hex(zeroblob(9000)))")
os._exit(0)
"""
PROGRAM = """
import os, sys
try:
    import pysqlite3 as sqlite3
except ImportError:
    import sqlite3
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
"""


@pytest.fixture
def path(make_database):
    """A database in WAL mode of one table with one row."""
    return make_database(
        "PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT);"
        "INSERT INTO t VALUES (1, 'one');"
    )


def run_program(text: str, path: Path) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM + text, path], check=True, timeout=20)


@contextlib.contextmanager
def running(text: str, path: Path):
    """Run a program until it is ready, and end it afterwards."""
    command = [sys.executable, "-c", PROGRAM + text, os.fspath(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(timeout=20)


def file_bytes(path: Path) -> dict[str, bytes]:
    """The database and its log; `-shm` is shared memory that every reader notes itself in."""
    return {
        name: Path(f"{path}{name}").read_bytes()
        for name in ("", "-wal", "-journal")
        if Path(f"{path}{name}").exists()
    }


def texts(connection):
    return [text for (text,) in connection.execute("SELECT text FROM t ORDER BY id")]


# Reading


def test_rows_that_are_only_in_the_log_of_a_live_writer_are_read(path):
    with connected(path) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO t VALUES (2, 'two')")
        with database.read_only(path) as connection:
            assert texts(connection) == ["one", "two"]


def test_what_a_crashed_writer_left_in_the_log_is_read_and_no_byte_changed(path):
    run_program(CRASH, path)
    before = file_bytes(path)
    assert before["-wal"]
    assert b"only in the log" not in before[""]
    with database.read_only(path) as connection:
        assert texts(connection) == ["one", "only in the log"]
    assert file_bytes(path) == before


def test_what_a_crashed_writer_left_half_done_is_undone_for_a_reader(path):
    run_sql(path, "PRAGMA journal_mode = delete")
    run_program(CRASH_HALF_WAY, path)
    assert b"half done" in path.read_bytes()
    with database.read_only(path) as connection:
        assert texts(connection) == ["one"]


def test_nothing_appears_beside_a_finished_database(path):
    before = list(path.parent.iterdir())
    with database.finished(path) as connection:
        assert texts(connection) == ["one"]
        assert list(path.parent.iterdir()) == before


def test_a_copy_has_what_a_crashed_writer_left_in_the_log_and_changed_no_byte(path, tmp_path):
    run_program(CRASH, path)
    before = file_bytes(path)
    database.copy_database(path, tmp_path / "copy.db")
    assert file_bytes(path) == before
    assert rows(tmp_path / "copy.db", "SELECT text FROM t") == [("one",), ("only in the log",)]


def test_a_reader_sees_one_moment_while_a_writer_goes_on(path):
    with database.read_only(path) as connection, connected(path) as writer:
        writer.execute("INSERT INTO t VALUES (2, 'two')")
        writer.execute("UPDATE t SET text = 'changed' WHERE id = 1")
        assert texts(connection) == ["one"]
        writer.execute("DROP TABLE t")
        assert texts(connection) == ["one"]


def test_a_reader_cannot_change_the_database(path):
    with pytest.raises(DatabaseError), database.read_only(path) as connection:
        connection.execute("DELETE FROM t")
    assert rows(path, "SELECT * FROM t") == [(1, "one")]


def test_reading_makes_no_file_beside_a_database_without_a_log(make_database):
    path = make_database("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT);")
    before = path.read_bytes()
    with database.read_only(path) as connection:
        assert texts(connection) == []
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["a b.db", "a?mode=rwc.db", "a#b.db", "100%41.db", "ö.db", "a;b"])
def test_a_path_may_hold_any_character(make_database, name):
    path = make_database("CREATE TABLE t (id, text); INSERT INTO t VALUES (1, 'one')", name)
    with database.read_only(path) as connection:
        assert texts(connection) == ["one"]
    assert [each.name for each in path.parent.iterdir()] == [name]


def test_an_attached_scratch_database_can_be_written_to(path, tmp_path):
    with database.scratch(tmp_path / "scratch.db") as connection:
        connection.execute("CREATE TABLE s (x)")
    with database.read_only(path, attach={"extra": tmp_path / "scratch.db"}) as connection:
        connection.execute("INSERT INTO extra.s SELECT text FROM main.t")
        assert connection.execute("SELECT x FROM extra.s").fetchall() == [("one",)]


def test_an_attached_name_goes_through_quoting(path, tmp_path):
    with database.scratch(tmp_path / "scratch.db") as connection:
        connection.execute("CREATE TABLE s (x)")
    with database.read_only(path, attach={'odd "name"': tmp_path / "scratch.db"}) as connection:
        assert connection.execute('SELECT count(*) FROM "odd ""name""".s').fetchone() == (0,)


# Errors


def broken(path: Path, kind: str) -> Path:
    """Make of a sound database what is none, or none any more."""
    run_sql(
        path,
        "PRAGMA journal_mode = delete;"
        "WITH RECURSIVE n(x) AS (SELECT 2 UNION ALL SELECT x + 1 FROM n WHERE x < 200)"
        " INSERT INTO t SELECT x, printf('%0500d', x) FROM n;",
    )
    size = path.stat().st_size
    with path.open("r+b") as file:
        if kind == "cut short":
            file.truncate(size // 2)
        elif kind == "a page overwritten":
            file.seek(3 * 4096)
            file.write(b"\xa5" * 4096)
        elif kind == "text":
            file.truncate(0)
            file.write(b"id,text\n1,one\n" * 100)
        elif kind == "encrypted":
            file.write(bytes(range(255, -1, -1)) * (size // 256))
        elif kind == "empty":
            file.truncate(0)
    return path


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("empty", NotADatabase),
        ("text", NotADatabase),
        ("encrypted", NotADatabase),
        ("cut short", DatabaseDamaged),
        ("a page overwritten", DatabaseDamaged),
    ],
)
@pytest.mark.parametrize("open_it", [database.read_only, database.for_change])
def test_a_file_that_is_no_sound_database_is_called_what_it_is(path, open_it, kind, error):
    broken(path, kind)
    before = path.read_bytes()
    with pytest.raises(HoldfastError) as caught, open_it(path) as connection:
        database.complain_of_damage(connection, path)
    assert type(caught.value) is error
    assert str(path) in str(caught.value)
    assert caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("open_it", [database.read_only, database.for_change])
def test_a_database_that_is_not_there_is_not_made(tmp_path, open_it):
    with pytest.raises(DatabaseNotFound), open_it(tmp_path / "none.db"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("open_it", [database.read_only, database.for_change])
def test_a_folder_is_no_database(tmp_path, open_it):
    with pytest.raises(NotADatabase), open_it(tmp_path):
        pass


def test_a_damaged_database_is_not_copied(path, tmp_path):
    broken(path, "a page overwritten")
    with pytest.raises(DatabaseDamaged):
        database.copy_database(path, tmp_path / "copies" / "copy.db")
    assert list((tmp_path / "copies").iterdir()) == []


@pytest.mark.parametrize("wait_seconds", [0.0, 0.4])
@pytest.mark.parametrize("way", ["read_only", "for_change", "copy_database"])
def test_a_locked_database_is_waited_for_as_long_as_was_said(make_database, way, wait_seconds):
    path = make_database("CREATE TABLE t (id, text)")

    def use() -> None:
        if way == "copy_database":
            database.copy_database(path, path.with_name("copy.db"), wait_seconds)
        else:
            with getattr(database, way)(path, wait_seconds):
                pass

    with running(LOCK, path):
        start = time.monotonic()
        with pytest.raises(DatabaseLocked, match=f"locked for {wait_seconds:g} seconds"):
            use()
        assert wait_seconds * 0.5 <= time.monotonic() - start < wait_seconds + 20
    assert not path.with_name("copy.db").exists()


def test_a_lock_that_ends_in_time_is_no_error(path):
    holder = threading.Event()

    def hold() -> None:
        with connected(path) as writer:
            writer.execute("BEGIN IMMEDIATE")
            holder.set()
            time.sleep(0.2)
            writer.execute("ROLLBACK")

    thread = threading.Thread(target=hold)
    thread.start()
    holder.wait(timeout=10)
    with database.for_change(path, 10) as connection:
        connection.execute("INSERT INTO t VALUES (2, 'two')")
        database.commit(connection)
    thread.join()
    assert rows(path, "SELECT id FROM t") == [(1,), (2,)]


# Changing


def test_a_change_that_is_not_committed_is_rolled_back(path):
    with database.for_change(path) as connection:
        connection.execute("DELETE FROM t")
    assert rows(path, "SELECT * FROM t") == [(1, "one")]


def test_a_change_that_fails_is_rolled_back(path):
    with pytest.raises(ZeroDivisionError), database.for_change(path) as connection:  # noqa: PT012
        connection.execute("DELETE FROM t")
        raise ZeroDivisionError
    assert rows(path, "SELECT * FROM t") == [(1, "one")]


def test_a_committed_change_stays(path):
    with database.for_change(path) as connection:
        connection.execute("UPDATE t SET text = 'new'")
        database.commit(connection)
    assert rows(path, "SELECT * FROM t") == [(1, "new")]


def test_a_change_reaches_only_the_rows_that_it_names(make_database):
    path = make_database(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE);"
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1);"
    )
    with database.for_change(path) as connection:
        connection.execute("INSERT INTO c VALUES (2, 2)")
        connection.execute("DELETE FROM p WHERE id = 1")
        connection.execute("INSERT INTO p VALUES (2)")
        database.commit(connection)
    assert rows(path, "SELECT * FROM c") == [(1, 1), (2, 2)]


def test_while_a_change_is_open_nobody_else_can_write(path):
    with database.for_change(path):
        with pytest.raises(DatabaseLocked), database.for_change(path, 0):
            pass


def test_rows_go_in_as_they_are(path):
    values: list[tuple[Cell, ...]] = [
        (2, "text"),
        (3, InvalidText(b"\xff\xfe")),
        (4, b"\xff"),
        (5, None),
        (6, "a\0b"),
    ]
    with database.for_change(path) as connection:
        database.insert_rows(connection, "INSERT INTO t VALUES ", values)
        database.insert_rows(connection, "INSERT INTO t VALUES ", [])
        database.commit(connection)
    assert [row[2:] for row in stored(path, "t")] == [
        ("b'text'", "b'one'"),
        ("b'text'", "b'text'"),
        ("b'text'", r"b'\xff\xfe'"),
        ("b'blob'", r"b'\xff'"),
        ("b'null'", "None"),
        ("b'text'", r"b'a\x00b'"),
    ]


def test_a_row_is_added_or_the_row_of_its_key_changed(path):
    with database.for_change(path) as connection:
        database.upsert_row(connection, "t", {"id": 1, "text": "changed"}, key="id")
        database.upsert_row(connection, "t", {"id": 2, "text": "added"}, key="id")
        database.insert_row(connection, "t", {"id": 3, "text": "third"})
        assert connection.in_transaction
        database.commit(connection)
    assert rows(path, "SELECT * FROM t") == [(1, "changed"), (2, "added"), (3, "third")]


def test_adding_a_row_does_not_end_the_transaction(path):
    with database.for_change(path) as connection:
        database.upsert_row(connection, "t", {"id": 1, "text": "changed"}, key="id")
        database.insert_row(connection, "t", {"id": 3, "text": "third"})
    assert rows(path, "SELECT * FROM t") == [(1, "one")]


def test_a_row_is_changed_without_making_a_table_on_the_way(path):
    before = rows(path, "PRAGMA schema_version")
    with database.for_change(path) as connection:
        database.upsert_row(connection, "t", {"id": 1, "text": "changed"}, key="id")
        database.commit(connection)
    assert rows(path, "PRAGMA schema_version") == before


# Copying and making


def test_a_copy_holds_exactly_what_the_database_holds(make_database, tmp_path):
    path = make_database(
        "PRAGMA page_size = 1024; PRAGMA auto_vacuum = 2; PRAGMA encoding = 'UTF-16le';"
        "PRAGMA journal_mode = wal; PRAGMA user_version = 7; PRAGMA application_id = 12;"
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE b (x, y);"
        "CREATE INDEX i ON b (y); CREATE VIEW v AS SELECT * FROM a;"
        "INSERT INTO a VALUES (5, -0.0), (9, x'00'), (10, 1), (11, 1.0), (12, 'é');"
        "INSERT INTO b VALUES (1, 1), (1, 1), (NULL, 9e999); DELETE FROM a WHERE id = 12;"
    )
    copy = tmp_path / "new folder" / "copy.db"
    database.copy_database(path, copy)
    assert everything(copy) == everything(path)
    for pragma in ("page_size", "auto_vacuum", "encoding", "user_version", "application_id"):
        assert rows(copy, f"PRAGMA {pragma}") == rows(path, f"PRAGMA {pragma}")
    assert [each.name for each in copy.parent.iterdir()] == ["copy.db"]
    if os.name == "posix":
        assert copy.stat().st_mode & 0o777 == 0o600


def test_a_copy_never_overwrites(path, tmp_path):
    (tmp_path / "copy.db").write_bytes(b"precious")
    with pytest.raises(WriteFailed):
        database.copy_database(path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"precious"


def test_a_new_database_has_its_schema_and_rows(tmp_path):
    path = tmp_path / "folder" / "new.db"
    database.create_database(
        path,
        schema_sql="CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT);",
        tables=[("t", [{"id": 2, "text": "two"}, {"id": 1, "text": None}])],
    )
    assert rows(path, "SELECT * FROM t") == [(1, None), (2, "two")]
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize(
    ("schema_sql", "row"), [("CREATE NONSENSE;", {}), ("CREATE TABLE t (id);", {"id": 1, "x": 1})]
)
def test_a_new_database_that_cannot_be_finished_leaves_nothing(tmp_path, schema_sql, row):
    with pytest.raises(HoldfastError):
        database.create_database(
            tmp_path / "new.db", schema_sql=schema_sql, tables=[("t", [{"id": 0}, row])]
        )
    assert list(tmp_path.iterdir()) == []


def test_a_new_database_never_takes_the_place_of_another(path):
    before = file_bytes(path)
    with pytest.raises(WriteFailed):
        database.create_database(path, schema_sql="CREATE TABLE x (y);", tables=[])
    assert file_bytes(path) == before


def test_a_name_is_quoted_whatever_it_holds():
    assert database.quote_identifier('a"b') == '"a""b"'
    with contextlib.closing(database.Connection(":memory:")) as connection:
        for name in ('a"b', "select", "a.b", "'", "[x]", "`", "ö", " ", ";--"):
            connection.execute(f"CREATE TABLE {database.quote_identifier(name)} (x)")
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert names == {'a"b', "select", "a.b", "'", "[x]", "`", "ö", " ", ";--"}
