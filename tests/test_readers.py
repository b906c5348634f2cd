"""Several processes that read: the rows of one moment, all of them, in order, or an error."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from itertools import zip_longest
from pathlib import Path

import pytest

from holdfast import database
from holdfast.database import Connection
from holdfast.digest import read_lines
from holdfast.parts import Share, read_share
from holdfast.readers import helpers_to_read, readers_of
from holdfast.schema import read_schema
from tests.running import (
    SCRIPTS,
    command,
    environment,
    files_in,
    limited_to,
    make_database,
    rows,
    run,
)

NUMBERS = "WITH RECURSIVE n (x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n LIMIT 500)"
CUT = {
    "by the rowid": f"CREATE TABLE t (a); {NUMBERS} INSERT INTO t SELECT x * 3 FROM n;",
    "by sparse numbers": "CREATE TABLE t (id INTEGER PRIMARY KEY, a);"
    f"{NUMBERS} INSERT INTO t SELECT (x - 250) * (x - 250) * (x - 250) * 1000000, x FROM n;",
    "by numbers with a gap": "CREATE TABLE t (id INTEGER PRIMARY KEY, a);"
    f"{NUMBERS} INSERT INTO t SELECT iif(x < 250, -9223372036854775808, 9223372036854775308) + x, x"
    " FROM n; INSERT INTO t VALUES (0, 0);",
    "by text": "CREATE TABLE t (id TEXT PRIMARY KEY, a);"
    f"{NUMBERS} INSERT INTO t SELECT hex(x * 7919 % 500), x FROM n;",
    "by keys of every type": "CREATE TABLE t (id PRIMARY KEY, a);"
    f"{NUMBERS} INSERT INTO t SELECT iif(x % 3, iif(x % 2, x, x || ''), x'00' || x), x FROM n;",
    "by text that is not UTF-8": "CREATE TABLE t (id TEXT PRIMARY KEY);"
    f"{NUMBERS} INSERT INTO t SELECT CAST(x'ff' || x AS TEXT) FROM n;",
    "large rows": f"CREATE TABLE t (a); {NUMBERS} INSERT INTO t SELECT randomblob(5000) FROM n;",
}
WHOLE = {
    "no row": "CREATE TABLE t (a);",
    "a key with NULLs": "CREATE TABLE t (id TEXT PRIMARY KEY);"
    f"{NUMBERS} INSERT INTO t SELECT nullif(x, x / 2 * 2) FROM n;",
    "a key of two columns": "CREATE TABLE t (a TEXT, b REAL, PRIMARY KEY (b, a));"
    f"{NUMBERS} INSERT INTO t SELECT x || '', x % 7 FROM n;",
    "another collation": "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY);"
    f"{NUMBERS} INSERT INTO t SELECT hex(x) FROM n;",
    "no rowid": "CREATE TABLE t (id TEXT PRIMARY KEY) WITHOUT ROWID;"
    f"{NUMBERS} INSERT INTO t SELECT hex(x) FROM n;",
    "no name for the rowid": "CREATE TABLE t (rowid, oid, _rowid_);"
    f"{NUMBERS} INSERT INTO t SELECT x, x, x FROM n;",
    "a virtual table": "CREATE VIRTUAL TABLE t USING fts5(a);"
    f"{NUMBERS} INSERT INTO t SELECT x FROM n;",
}


def shares_of(path, readers):
    """All lines of a table, and the parts that each of some readers takes."""
    with database.read_only(path) as connection:
        (table,) = read_schema(connection).tables
        shares = [Share(number, readers, part_bytes=800) for number in range(readers)]
        parts = [list(map(b"".join, read_share(connection, table, share))) for share in shares]
        return b"".join(read_lines(connection, table)), parts


@pytest.mark.parametrize("readers", [1, 2, 3])
@pytest.mark.parametrize("sql", [*CUT.values(), *WHOLE.values()], ids=[*CUT, *WHOLE])
def test_the_parts_of_all_readers_in_turn_are_the_table(make_database, sql, readers):
    lines, parts = shares_of(make_database(sql), readers)
    in_turn = [part for turn in zip_longest(*parts, fillvalue=b"") for part in turn]
    assert b"".join(in_turn) == lines


@pytest.mark.parametrize("sql", CUT.values(), ids=CUT)
def test_each_of_two_readers_takes_about_half_of_a_table(make_database, sql):
    lines, parts = shares_of(make_database(sql), 2)
    assert 0.4 < len(b"".join(parts[0])) / len(lines) < 0.6


@pytest.mark.parametrize("sql", WHOLE.values(), ids=WHOLE)
def test_what_cannot_be_cut_at_no_cost_falls_to_the_first_reader(make_database, sql):
    lines, parts = shares_of(make_database(sql), 2)
    assert [b"".join(each) for each in parts] == [lines, b""]


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_a_backup_is_the_same_however_many_processes_read(tmp_path, journal_mode):
    tables = (
        sql.replace(" t ", f' "{name}" ')
        for name, sql in (CUT | WHOLE).items()
        if "random" not in sql
    )
    path = make_database(
        tmp_path / "crm.db", f"PRAGMA journal_mode = {journal_mode};" + "".join(tables)
    )
    made = [
        run(tmp_path / "home", "export", "--db", path, "--reproducible", *words).stdout
        for words in (["--jobs", jobs, "--output", "-"] for jobs in "13")
    ]
    assert made[0] == made[1]
    assert made[0].count('"id"') > 3_000


# A writer beside them


def test_one_process_reads_alone_while_a_writer_waits_for_it(make_database):
    """Nobody else may begin to read then; and the writer cannot go on before we have."""
    path = make_database("PRAGMA journal_mode = delete;" + CUT["by the rowid"])
    # Of the same library: locks of another one in this process would not be seen.
    writer = Connection(os.fspath(path), isolation_level=None, timeout=0)
    with (
        contextlib.closing(writer),
        helpers_to_read(path, jobs=2) as helpers,
        database.read_only(path) as connection,
    ):
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE t SET a = 'theirs'")
        with pytest.raises(database.OperationalError, match="locked"):
            writer.execute("COMMIT")
        readers = readers_of(path, connection, 3600, helpers)
        (table,) = read_schema(connection).tables
        readers.start([table])
        lines = b"".join(readers.lines(table))
        with database.looking_for_damage(connection, path, beside=True) as notes:
            assert notes() == ()
    assert notes() == ()  # once it was looked at, nobody has to have it open any more
    assert (readers.jobs, lines.count(b"\n"), lines.count(b"theirs")) == (1, 500, 0)


WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
while True:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE left_hand SET coins = coins - 1 WHERE id % 100 = 0")
    connection.execute("UPDATE right_hand SET coins = coins + 1 WHERE id % 100 = 0")
    connection.execute("COMMIT")
    time.sleep(0.001)
"""


@pytest.mark.slow
def test_all_readers_see_one_moment_beside_a_busy_writer(tmp_path):
    tables = "".join(
        f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, coins INTEGER, filler);"
        f"{NUMBERS} INSERT INTO {name} SELECT x, 1000000, zeroblob(5000) FROM n;"
        for name in ("left_hand", "right_hand")
    )
    path = make_database(tmp_path / "coins.db", "PRAGMA journal_mode = wal;" + tables)
    jobs, moments = [], []
    with subprocess.Popen([sys.executable, "-c", WRITER, path]) as writer:
        try:
            while rows(path, "SELECT coins FROM left_hand WHERE id = 0") == [(1_000_000,)]:
                assert writer.poll() is None
            for _ in range(8):
                with (
                    helpers_to_read(path, jobs=3) as helpers,
                    database.read_only(path) as connection,
                ):
                    readers = readers_of(path, connection, 30, helpers)
                    schema = read_schema(connection)
                    readers.start(schema.tables)
                    left, right = (b"".join(readers.lines(table)) for table in schema.tables)
                    (seen,) = connection.execute(
                        "SELECT coins FROM left_hand WHERE id = 0"
                    ).fetchone()
                given = 1_000_000 - seen
                assert left.count(b'"coins":%d' % (1_000_000 - given)) == 5
                assert right.count(b'"coins":%d' % (1_000_000 + given)) == 5
                jobs.append(readers.jobs)
                moments.append(given)
            assert writer.poll() is None
        finally:
            writer.kill()
    assert 3 in jobs
    assert sorted(set(moments)) == moments  # the writer went on all the while


# Ended


@pytest.fixture
def large(tmp_path):
    """A database with more rows than fit in what is on its way between processes."""
    return make_database(
        tmp_path / "data" / "large.db",
        "PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER PRIMARY KEY, a);"
        f"{NUMBERS} INSERT INTO t SELECT x, zeroblob(40000) FROM n;",
    )


@contextlib.contextmanager
def exporting(home, large):
    """Start an export that waits for somebody to read its output; yields it and its readers."""
    with subprocess.Popen(
        command("export", "--db", large, "--output", "-", "--jobs", "2"),
        env=environment(home),
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout
        process.stdout.read(300_000)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        readers = [
            int(child)
            for child in children
            if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        assert len(readers) == 2
        try:
            yield process, readers
        finally:
            process.kill()


def wait_until_gone(processes):
    end = time.monotonic() + 60
    for process in processes:
        while Path(f"/proc/{process}").exists() and not is_dead(process):
            assert time.monotonic() < end, "it goes on"
            time.sleep(0.01)


def is_dead(process):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


linux_alone = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@linux_alone
@pytest.mark.slow
def test_a_reader_that_is_killed_ends_the_export_with_an_error(tmp_path, large):
    with exporting(tmp_path / "home", large) as (process, readers):
        os.kill(readers[1], signal.SIGKILL)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 28
    assert said.decode().startswith("Error: one of the processes that read the database was ended.")
    wait_until_gone(readers)


@linux_alone
@pytest.mark.slow
def test_ctrl_c_ends_an_export_and_its_readers(tmp_path, large):
    with exporting(tmp_path / "home", large) as (process, readers):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, b"Cancelled.\n")
    wait_until_gone(readers)


@linux_alone
@pytest.mark.slow
def test_readers_end_when_the_export_is_killed(tmp_path, large):
    with exporting(tmp_path / "home", large) as (process, readers):
        process.kill()
    wait_until_gone(readers)


@pytest.mark.slow
def test_a_full_disk_ends_an_export_of_several_readers_and_nothing_is_left(tmp_path, large):
    home = tmp_path / "home"
    words = ["--db", large, "--jobs", "2"]
    run(home, "export", *words, exit_code=24, preexec_fn=limited_to(1_000_000))
    assert files_in(home) == {}


def test_a_small_database_does_not_pay_for_what_starts_processes():
    imported = "import holdfast.operations.export_backup, holdfast.operations.restore_backup, sys"
    code = f"{imported}; sys.exit('multiprocessing' in sys.modules)"
    paths = os.pathsep.join([str(SCRIPTS), *sys.path])
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": paths})
    assert done.returncode == 0
