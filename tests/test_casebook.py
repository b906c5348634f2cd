"""What has gone wrong in the field does not here; docs/casebook.md names a test for each case."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError, RestoreRefused
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from tests.conftest import everything, rows, run_sql
from tests.running import files_in, make_database, run, start

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "casebook.md").read_text(encoding="utf-8")


def test_every_case_of_the_page_names_tests_that_are_there():
    cases = re.findall(r"^\| .* \| .* \| (.*) \|$", PAGE, re.MULTILINE)[2:]
    assert len(cases) == 18
    for case in cases:
        named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", case)
        assert named and len(named) == case.count("`") // 2
        for file, name in named:
            assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8"), name


def test_every_test_of_this_file_is_a_case_of_the_page():
    names = re.findall(r"^def (test_\w+)", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(names[2:]) == set(re.findall(r"test_casebook\.py::(\w+)", PAGE))


NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body); INSERT INTO notes VALUES (1, 'old');"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_a_restore_is_refused_while_the_file_is_open_by_another_of_its_names(
    context, make_database, tmp_path
):
    path, link = make_database(NOTES), tmp_path / "link.sqlite"
    backup = export_backup(context(), ExportOptions(database=str(path))).path
    os.link(path, link)
    holder = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version');"
    )
    holder += "print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder, link], stdin=-1, stdout=-1) as other:
        assert other.stdout and other.stdout.readline() == b"open\n"
        with pytest.raises(RestoreRefused, match=f"process {other.pid}"):
            restore_backup(context(), RestoreOptions(backup=str(backup), target=path, force=True))
        other.communicate()
    assert path.samefile(link)


def test_a_damaged_database_pushes_no_good_copy_out(context, make_database):
    path = make_database(NOTES + "CREATE INDEX i ON notes (body);")
    backup = export_backup(context(), ExportOptions(database=str(path))).path
    run_sql(path, "UPDATE notes SET body = 'new'")
    options = ImportOptions(backup=str(backup), database=str(path), yes=True)
    point = import_backup(context(), options).restore_point
    assert point and everything(point) != everything(path)
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 3] = b"\xff" * 4096  # the index
    path.write_bytes(content)
    kept = files_in(context().output)
    for _ in range(12):
        with pytest.raises(HoldfastError) as refused:
            import_backup(context(), options)
        assert refused.value.exit_code == 12
        with pytest.raises(HoldfastError) as refused:
            export_backup(context(), ExportOptions(database=str(path)))
        assert refused.value.exit_code == 12
    assert files_in(context().output).keys() == kept.keys()
    assert bytes(content) == path.read_bytes()


HOLLOW = {
    "no bytes": b"",
    "zeroes": b"\0" * 8192,
    "a header and no more": b"SQLite format 3\0",
    "a header and zeroes": b"SQLite format 3\0" + b"\0" * 8176,
}


@pytest.mark.parametrize("content", HOLLOW.values(), ids=HOLLOW)
def test_a_hollow_file_is_neither_a_database_nor_a_backup(
    context, make_database, tmp_path, content
):
    sound, hollow = make_database(NOTES), tmp_path / "hollow.db"
    hollow.write_bytes(content)
    before = everything(sound)
    for change in (
        lambda: export_backup(context(), ExportOptions(database=str(hollow))),
        lambda: import_backup(
            context(), ImportOptions(backup=str(hollow), database=str(sound), yes=True)
        ),
        lambda: restore_backup(
            context(), RestoreOptions(backup=str(hollow), target=sound, force=True)
        ),
    ):
        with pytest.raises(HoldfastError) as refused:
            change()
        assert refused.value.exit_code in (11, 12, 16, 17), refused.value
    assert everything(sound) == before
    assert hollow.read_bytes() == content


# At any moment

MANY = """
PRAGMA journal_mode = {};
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
INSERT INTO notes SELECT i, '{} ' || hex(zeroblob(80)) FROM n;
"""
STATES = "SELECT substr(body, 1, 3), count(*) FROM notes WHERE id <= 8000 GROUP BY 1"


def backed_up(folder: Path, journal_mode: str) -> tuple[Path, Path, Path]:
    """A home, a database of old rows, and a backup that makes all of them new."""
    home, backup = folder / "home", folder / "notes.json"
    new = make_database(folder / "new.db", MANY.format(journal_mode, "new"))
    run(home, "export", "--db", new, "--output", backup)
    return home, make_database(folder / "data" / "a.db", MANY.format(journal_mode, "old")), backup


@pytest.mark.slow
@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_a_power_cut_at_any_moment_of_an_import_leaves_old_or_new_rows(tmp_path, journal_mode):
    home, database, backup = backed_up(tmp_path, journal_mode)
    process = start(home, "import", backup, "--db", database, "--yes")
    moments: list[Path] = []
    while process.poll() is None:
        moment = tmp_path / f"moment-{len(moments)}"
        moment.mkdir()
        with stopped(process):
            for suffix in ("", "-wal", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(f"{database}{suffix}", moment)
        moments.append(moment)
        time.sleep(0.01)
    process.communicate()
    assert process.returncode == 0
    found = []
    for moment in moments:
        found += rows(moment / "a.db", STATES)
        assert rows(moment / "a.db", "PRAGMA integrity_check") == [("ok",)]
    assert found == sorted(found, reverse=True)  # old ones, then perhaps new ones
    assert set(found) <= {("old", 8000), ("new", 8000)} and len(found) == len(moments) > 5
    assert rows(database, STATES) == [("new", 8000)]


@contextlib.contextmanager
def stopped(process):
    """Let a process stand still, so that what it has written is of one moment."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
number = 0
while not sys.stdin.closed:
    number += 1
    connection.execute("INSERT INTO notes VALUES (?, 'mine')", [8000 + number])
    print(number, flush=True)
    time.sleep(0.005)
"""


@pytest.mark.slow
@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_a_writer_and_a_reader_go_on_beside_imports(tmp_path, journal_mode):
    home, database, backup = backed_up(tmp_path, journal_mode)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, database], stdin=-1, stdout=-1, text=True
    ) as writer:
        assert writer.stdout and writer.stdout.readline() == "1\n"
        imports = [start(home, "import", backup, "--db", database, "--yes") for _ in range(2)]
        seen = set()
        while any(process.poll() is None for process in imports):
            with contextlib.suppress(sqlite3.OperationalError):  # locked, without a log
                seen.update(rows(database, STATES))
            time.sleep(0.01)
        said = [process.communicate() for process in imports]
        writer.kill()
        written = int(["1", *writer.stdout.read().split()][-1])
    codes = [process.returncode for process in imports]
    assert 0 in codes and set(codes) <= {0, 13, 23}, said
    assert seen <= {("old", 8000), ("new", 8000)}
    assert rows(database, STATES) == [("new", 8000)]
    [(kept,)] = rows(database, "SELECT count(*) FROM notes WHERE body = 'mine'")
    assert (
        kept in (written, written + 1) and written > 5
    )  # it may have been killed before it said so
