"""What goes wrong in mid-work: each ends with old or new data, whole, and never with a mixture."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_sql
from tests.running import (
    command,
    environment,
    files_in,
    limited_to,
    make_database,
    needs,
    reported,
    rows,
    run,
    start,
)

# Recognised by the profile of Software of You, so that an import also writes to its log.
TABLES = """
CREATE TABLE contacts (id INTEGER PRIMARY KEY, state TEXT NOT NULL, filler TEXT);
CREATE TABLE activity_log (
    id INTEGER PRIMARY KEY, entity_type TEXT, entity_id INTEGER, action TEXT, details TEXT
);
CREATE TABLE soy_meta (key TEXT PRIMARY KEY, value TEXT);
"""
OLD, NEW = "old", "new"


def filled(row_count, state):
    return f"""
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {row_count})
    INSERT INTO contacts SELECT n, '{state}', hex(zeroblob(50)) || n FROM numbers;
    """


def state_of(database):
    """Open a database as its own program would, and say whether it is all old or all new."""
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    found = rows(database, "SELECT state, count(*) FROM contacts GROUP BY state")
    [(logged,)] = rows(database, "SELECT count(*) FROM activity_log")
    assert len(found) == 1, found
    assert logged == (found[0][0] == NEW)
    return found[0]


@pytest.fixture
def home(tmp_path):
    """A home whose backups something else copies to another disk: nothing to warn of."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "backup.yaml").write_text("copied_elsewhere: true\n")
    return home


def prepared(folder, row_count, journal_mode):
    """A database of old rows, and a backup that makes all of them new."""
    folder.mkdir(exist_ok=True)
    journal = f"PRAGMA journal_mode = {journal_mode};"
    new = make_database(folder / "new.db", journal + TABLES + filled(row_count, NEW))
    run(folder / "home", "export", "--db", new, "--output", folder / "new.json")
    make_database(folder / "old.db", journal + TABLES + filled(row_count, OLD))
    return folder / "old.db", folder / "new.json"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("many"), 20_000, "wal")


@pytest.fixture(params=["delete", "wal"], scope="module")
def few(request, tmp_path_factory):
    return prepared(tmp_path_factory.mktemp(request.param), 300, request.param)


def fresh(template, folder):
    """A copy of a database in a folder of its own, with nothing beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return shutil.copy(template, folder / "crm.db")


def backups_in(home):
    return sorted((home / "output").glob("backup-*"))


# A writer beside us

WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for n in range(10**9):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE left_hand SET coins = coins - 1")
    connection.execute("INSERT INTO transfers DEFAULT VALUES")
    connection.execute("UPDATE right_hand SET coins = coins + 1, transfers = transfers + 1")
    connection.execute("COMMIT")
"""


@pytest.mark.slow
def test_each_export_beside_a_busy_writer_is_of_one_moment(home, tmp_path):
    database = make_database(
        tmp_path / "coins.db",
        "PRAGMA journal_mode = wal;"
        "CREATE TABLE left_hand (coins INTEGER); INSERT INTO left_hand VALUES (1000000);"
        "CREATE TABLE right_hand (coins INTEGER, transfers INTEGER);"
        "INSERT INTO right_hand VALUES (0, 0);"
        "CREATE TABLE transfers (id INTEGER PRIMARY KEY, filler DEFAULT (hex(randomblob(50))))",
    )
    moments = []
    with subprocess.Popen([sys.executable, "-c", WRITER, database]) as writer:
        try:
            for _ in range(10):
                made = run(home, "export", "--db", database, "--output", "-").stdout
                tables = json.loads(made)["tables"]
                [left], [right] = tables["left_hand"], tables["right_hand"]
                assert left["coins"] + right["coins"] == 1_000_000
                assert len(tables["transfers"]) == right["transfers"] == right["coins"]
                moments.append(right["transfers"])
            assert writer.poll() is None
        finally:
            writer.kill()
    assert sorted(set(moments)) == moments  # the writer went on all the while
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.slow
def test_exports_at_once_all_succeed_under_names_of_their_own(home, many):
    running = [start(home, "export", "--db", many[0], "--json") for _ in range(3)]
    reports = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], reports
    paths = {json.loads(out)["path"] for out, _ in reports}
    assert {str(path) for path in backups_in(home)} == paths
    assert len(paths) == 3
    verified = [each["verified"] for each in reported(home, "status")["backups"]]
    assert verified == ["contents", "contents", "contents"]


@pytest.mark.slow
def test_imports_at_once_leave_what_one_would(home, many, tmp_path):
    database = fresh(many[0], tmp_path / "data")
    words = [many[1], "--db", database, "--yes"]
    running = [start(home, "import", *words) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in running]
    codes = [process.returncode for process in running]
    assert 0 in codes and set(codes) <= {0, 13, 23}, said
    assert not any(b"Traceback" in errors for _, errors in said)
    assert state_of(database) == (NEW, 20_000)


# Killed


def kill_after(home, seconds, verb, *words):
    """Start a verb and kill it in its midst."""
    process = start(home, verb, *words)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    process.kill()
    process.communicate()
    return process.returncode


def duration_of(home, verb, *words):
    began = time.monotonic()
    run(home, verb, *words)
    return time.monotonic() - began


def moments_of(seconds):
    """Moments all over a run that usually takes so long, but before it has begun to work."""
    return [seconds * (0.2 + 0.05 * number) for number in range(16)]


@pytest.mark.slow
def test_a_killed_export_leaves_no_backup_that_is_not_whole(home, many, tmp_path):
    database = fresh(many[0], tmp_path / "data")
    seconds = duration_of(home, "export", "--db", database)
    codes = Counter(
        kill_after(home, moment, "export", "--db", database) for moment in moments_of(seconds)
    )
    assert codes[-signal.SIGKILL] > 5
    shown = {each["path"] for each in reported(home, "status", "--db", database)["backups"]}
    assert shown == {str(path) for path in backups_in(home)}
    for path in backups_in(home):
        report = reported(home, "import", path, "--db", database, "--dry-run")
        assert (report["is_proven"], report["plan"]["tables"][0]["unchanged"]) == (True, 20_000)
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    run(home, "export", "--db", database)
    assert reported(home, "status", "--db", database)["warnings"] == []


@pytest.mark.slow
def test_a_killed_import_leaves_all_old_or_all_new_rows(home, many, tmp_path):
    template, backup = many
    words = [backup, "--db", tmp_path / "data" / "crm.db", "--yes"]
    fresh(template, tmp_path / "data")
    seconds = duration_of(home, "import", *words)
    codes: Counter[Any] = Counter()
    for moment in moments_of(seconds):
        database = fresh(template, tmp_path / "data")
        codes[kill_after(home, moment, "import", *words)] += 1
        assert state_of(database) in ((OLD, 20_000), (NEW, 20_000))
    assert codes[-signal.SIGKILL] > 5
    for copy in (home / "output" / "restore-points").glob("*.db"):
        assert state_of(copy) == (OLD, 20_000)


WRITING = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")


def traced(home, tmp_path, database, options, *words):
    """Run a verb under strace, which sees only what is done to the database and its logs."""
    paths = [word for end in ("", "-wal", "-journal") for word in ("-P", f"{database}{end}")]
    return subprocess.run(
        ["strace", "-f", "-qq", "-o", tmp_path / "trace", *paths, *options, *command(*words)],
        env=environment(home),
        cwd=home.parent,
        capture_output=True,
        timeout=60,
    )


def calls_of(home, tmp_path, database, *words):
    """How often each writing system call is made in an undisturbed run."""
    traced(home, tmp_path, database, ["-e", f"trace={','.join(WRITING)}"], *words)
    trace = (tmp_path / "trace").read_text(errors="replace")
    return Counter(re.findall(rf"(?m)^\d+ +({'|'.join(WRITING)})\(", trace))


def some_of(count, most):
    """Up to `most` of the numbers from 1 to `count`, the first and the last among them."""
    step = max(1, (count - 1) / (most - 1))
    return sorted({round(1 + step * n) for n in range(min(count, most))})


@pytest.mark.slow
@needs("strace")
def test_after_a_killed_import_everything_works_again(home, few, tmp_path):
    template, backup = few
    database = fresh(template, tmp_path / "data")
    words = ["import", backup, "--db", database, "--yes"]
    count = calls_of(home, tmp_path, database, *words)["pwrite64"]
    # The last of these calls writes a page of the database itself, with its log beside it.
    kill = ["-e", "trace=pwrite64", "-e", f"inject=pwrite64:signal=KILL:when={count}"]
    for again in (["export", "--db", database], ["status", "--db", database], words):
        fresh(template, tmp_path / "data")
        done = traced(home, tmp_path, database, kill, *words)
        assert done.returncode == -signal.SIGKILL
        run(home, *again)
    assert state_of(database) == (NEW, 300)


# The same time as before would be noted without a write.
AN_OLD_TIME = "UPDATE soy_meta SET value = '2026-01-01T00:00:00Z'"


@pytest.mark.slow
@needs("strace")
def test_after_a_killed_export_everything_works_again(home, few, tmp_path):
    database = fresh(few[0], tmp_path / "data")
    run(home, "export", "--db", database)
    codes: Counter[Any] = Counter()
    # The time is noted in one, the backup in the other.
    for path in (database, home / "output" / "history.db"):
        run_sql(database, AN_OLD_TIME)
        count = calls_of(home, tmp_path, path, "export", "--db", database)["pwrite64"]
        for number in some_of(count, 3):
            run_sql(database, AN_OLD_TIME)
            kill = ["-e", "trace=pwrite64", "-e", f"inject=pwrite64:signal=KILL:when={number}"]
            done = traced(home, tmp_path, path, kill, "export", "--db", database)
            codes[path, done.returncode] += 1
            assert reported(home, "status", "--db", database)["warnings"] == []
            run(home, "export", "--db", database)
            assert state_of(database) == (OLD, 300)
        assert codes[path, -signal.SIGKILL] > 1


def test_what_a_killed_export_left_is_removed_once_it_is_a_day_old(home, few):
    output = home / "output"
    output.mkdir(parents=True)
    for name, hours in ((".partial-old", 25), (".partial-young", 23)):
        (output / name).write_text("half a backup")
        then = time.time() - hours * 3600
        os.utime(output / name, (then, then))
    run(home, "export", "--db", few[0])
    assert [path.name for path in output.glob(".*")] == [".partial-young"]


# No space


@pytest.mark.slow
@pytest.mark.parametrize("size", [100, 5_000, 1_000_000])
def test_a_full_disk_ends_an_export_and_nothing_is_left(home, tmp_path, size):
    make_database(tmp_path / "data" / "crm.db", TABLES + filled(20_000, OLD))
    database = tmp_path / "data" / "crm.db"
    before = files_in(database.parent)
    done = run(home, "export", "--db", database, exit_code=24, preexec_fn=limited_to(size))
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: cannot write {home}/output: File too large.\n")
    assert set(files_in(home)) == {"backup.yaml"}
    assert files_in(database.parent) == before


@pytest.mark.parametrize("row_count", [1, 20_000])
def test_a_full_disk_behind_standard_output_is_an_error(home, tmp_path, row_count):
    database = make_database(tmp_path / "crm.db", TABLES + filled(row_count, OLD))
    with Path("/dev/full").open("wb") as full:
        done = run(home, "export", "--db", database, "--output", "-", exit_code=24, stdout=full)
    assert "Backup saved" not in done.stderr


def test_without_standard_error_nothing_but_the_backup_is_on_standard_output(home, few):
    done = run(home, "export", "--db", few[0], "--output", "-", preexec_fn=lambda: os.close(2))
    kept = home.parent / "kept.json"
    kept.write_text(done.stdout, encoding="utf-8")
    run(home, "verify", kept)


@pytest.mark.parametrize("others", [(), (1,)], ids=["open", "closed"])
def test_an_error_that_nobody_can_be_told_has_its_exit_code(home, tmp_path, others):
    def close() -> None:
        for number in (2, *others):
            os.close(number)

    missing = tmp_path / "missing.db"
    run(home, "export", "--db", missing, exit_code=10, preexec_fn=close)

    def fill() -> None:
        os.dup2(os.open("/dev/full", os.O_WRONLY), 2)

    run(home, "export", "--db", missing, exit_code=10, preexec_fn=fill)


def test_a_backup_for_standard_output_that_is_closed_is_an_error(home, few):
    closed = {"preexec_fn": lambda: os.close(1)}
    done = run(home, "export", "--db", few[0], "--output", "-", exit_code=24, **closed)
    assert done.stderr.startswith("Error: standard output is closed.\n")


@pytest.mark.parametrize("row_count", [1, 20_000])
def test_a_reader_of_standard_output_that_goes_away_is_no_bug(home, tmp_path, row_count):
    database = make_database(tmp_path / "crm.db", TABLES + filled(row_count, OLD))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        run(home, "export", "--db", database, "--output", "-", exit_code=24, stdout=writing)
    finally:
        os.close(writing)


@pytest.mark.slow
def test_a_file_that_cannot_grow_ends_an_import_and_nothing_changes(home, many, tmp_path):
    database = fresh(many[0], tmp_path / "data")
    words = [many[1], "--db", database, "--yes"]
    run(home, "import", *words, exit_code=24, preexec_fn=limited_to(1_000_000))
    assert state_of(database) == (OLD, 20_000)
    # The history alone was written to: it holds the failure.
    left = {name for name in files_in(home) if not name.startswith("output/history.db")}
    assert left == {"backup.yaml"}
    assert files_in(tmp_path / "scratch") == {}


@pytest.mark.slow
@needs("strace")
def test_a_disk_that_fills_up_during_an_import_changes_nothing(home, few, tmp_path):
    template, backup = few
    database = fresh(template, tmp_path / "data")
    words = ["import", backup, "--db", database, "--yes"]
    trace = tmp_path / "trace"
    start_of_line = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=pwrite64"]
    options: dict[str, Any] = {"env": environment(home), "cwd": tmp_path, "capture_output": True}
    subprocess.run([*start_of_line, *command(*words)], **options)
    count = trace.read_text(errors="replace").count("pwrite64(")
    ends: Counter[Any] = Counter()
    for number in some_of(count, 8):
        fresh(template, tmp_path / "data")
        shutil.rmtree(home / "output", ignore_errors=True)
        full = ["-e", f"inject=pwrite64:error=ENOSPC:when={number}+"]
        done = subprocess.run([*start_of_line, *full, *command(*words)], **options)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        assert not list((home / "output").rglob(".partial-*"))
        ends[done.returncode, state_of(database)] += 1
    # 3: all that found no room was the history.
    assert set(ends) == {(24, (OLD, 300)), (3, (NEW, 300))}


# Cancelled


def interrupted(process):
    """Press Ctrl-C; returns the exit code and what was said on standard error."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=40)
    return process.returncode, errors.decode()


def wait_for(process, is_there):
    """Wait until something is there, which must be before the process ends."""
    while not is_there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)


@pytest.fixture(scope="module")
def very_many(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("very") / "crm.db", TABLES + filled(300_000, OLD))


@pytest.mark.slow
def test_ctrl_c_ends_an_export_and_leaves_nothing(home, very_many):
    process = start(home, "export", "--db", very_many)
    partial = (home / "output").glob
    wait_for(process, lambda: any(path.stat().st_size for path in partial(".partial-*")))
    assert interrupted(process) == (130, "Cancelled.\n")
    assert set(files_in(home)) == {"backup.yaml"}


@pytest.mark.slow
def test_ctrl_c_ends_an_export_to_standard_output(home, very_many):
    process = start(home, "export", "--db", very_many, "--output", "-")
    assert process.stdout and process.stdout.read(10) == b'{"format":'
    assert interrupted(process) == (130, "Cancelled.\n")


@pytest.mark.slow
def test_ctrl_c_ends_an_import_and_nothing_is_changed(home, many, tmp_path):
    database = fresh(many[0], tmp_path / "data")
    process = start(home, "import", many[1], "--db", database, "--yes")
    wait_for(process, lambda: any((home / "output").rglob(".partial-*")))
    assert interrupted(process) == (130, "Cancelled.\n")
    assert state_of(database) == (OLD, 20_000)
    assert not list((home / "output").rglob(".partial-*"))


@pytest.mark.slow
def test_ctrl_c_at_any_moment_of_an_import_leaves_all_old_or_all_new_rows(home, few, tmp_path):
    database = fresh(few[0], tmp_path / "data")
    words = [few[1], "--db", database, "--yes"]
    seconds = duration_of(home, "import", *words)
    for number in range(8):
        fresh(few[0], tmp_path / "data")
        process = start(home, "import", *words)
        time.sleep(seconds * (0.4 + 0.09 * number))
        exit_code, errors = interrupted(process)
        outcome = state_of(database)
        assert outcome in ((OLD, 300), (NEW, 300))
        assert "unexpectedly" not in errors, errors
        if exit_code == 0:
            assert outcome == (NEW, 300)


@pytest.mark.slow
def test_a_writer_between_plan_and_confirmation_is_waited_for_and_seen(home, few, tmp_path):
    database = fresh(few[0], tmp_path / "data")
    words = [few[1], "--db", database]
    plan = reported(home, "import", *words, exit_code=4)["plan"]["plan_id"]
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE contacts SET filler = 'mine' WHERE id = 7")
        run(home, "import", *words, "--confirm", plan, "--wait", "0.2", exit_code=13)
        other.execute("COMMIT")
    run(home, "import", *words, "--confirm", plan, exit_code=23)
    assert rows(database, "SELECT state, filler FROM contacts WHERE id = 7") == [(OLD, "mine")]


@pytest.mark.slow
def test_ctrl_c_ends_the_wait_for_a_lock(home, tmp_path):
    database = make_database(tmp_path / "crm.db", TABLES)
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        process = start(home, "export", "--db", database, "--wait", "50")
        # The last thing that it makes before it waits.
        wait_for(process, lambda: any(tmp_path.glob("scratch/holdfast-*")))
        time.sleep(0.5)
        assert interrupted(process) == (130, "Cancelled.\n")
        other.execute("ROLLBACK")


@pytest.mark.slow
def test_ctrl_c_while_rows_are_compared_is_no_error(home, tmp_path):
    rows_without_types = """
    CREATE TABLE loose (a, b, c);
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 100000)
    INSERT INTO loose SELECT n, n / 7.0, 'x' || n FROM numbers;
    """
    database = make_database(tmp_path / "loose.db", rows_without_types)
    run(home, "export", "--db", database)
    words = ["latest", "--db", str(database), "--dry-run"]
    seconds = duration_of(home, "import", *words)
    ends = set()
    for share in (0.5, 0.6, 0.7, 0.8):
        process = start(home, "import", *words)
        time.sleep(seconds * share)
        ends.add(interrupted(process))
    # It may still have been starting, or be done.
    assert ends - {(-signal.SIGINT, ""), (0, "")} == {(130, "Cancelled.\n")}
