"""A restore brings back what the backup holds, and never costs what is there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast import reports, schema
from holdfast.errors import (
    BackupDamaged,
    BackupError,
    HoldfastError,
    RestoreFailed,
    RestoreRefused,
    WriteFailed,
)
from holdfast.formats import WRITABLE
from holdfast.formats.compression import compressing
from holdfast.model import SchemaEntry
from holdfast.operations import export_backup as exporting
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.outcomes import RestoreReport
from holdfast.rebuild import rebuild
from tests.conftest import MakeContext, MakeDatabase, everything, rows, run_sql
from tests.running import files_in, run, start

BACKED_UP = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body);"
    "INSERT INTO notes VALUES (1, 'from the backup'), (2, 'this too');"
)
OLD = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body); INSERT INTO notes VALUES (9, 'old');"
    "CREATE TABLE only_old (x); INSERT INTO only_old VALUES ('kept');"
)
RESTORED = [(1, "from the backup"), (2, "this too")]
NOTES = "SELECT id, body FROM notes"

# Ends at once, as if it were killed: what it has begun stays beside the database.
CRASHES = {
    "-wal": """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = wal")
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("INSERT INTO notes VALUES (10, 'in the log')")
os._exit(0)
""",
    "-journal": """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN")
connection.execute("UPDATE notes SET body = 'half done'")
for _ in range(50):
    connection.execute("INSERT INTO notes (body) VALUES (zeroblob(9000))")
os._exit(0)
""",
}
OF_THE_OLD_ONE = {"-wal": [(9, "old"), (10, "in the log")], "-journal": [(9, "old")]}

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("SELECT count(*) FROM notes").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


HOLDER_OF_A_FILE = """
import sys
file = open(sys.argv[1], "ab")
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the restored database is to be; there is no folder yet."""
    return tmp_path / "restored" / "notes.db"


@pytest.fixture
def backup(context: MakeContext, make_database: MakeDatabase) -> Path:
    return export(context, make_database(BACKED_UP, "source.db"))


@pytest.fixture
def old(target: Path) -> Path:
    """A database that is there already."""
    target.parent.mkdir()
    run_sql(target, OLD)
    return target


def export(context: MakeContext, source: Path, form: str = "json") -> Path:
    path = export_backup(context(), ExportOptions(database=str(source), format=form)).path
    assert path
    return path


def restore(
    context: MakeContext, backup: Path, target: Path, *, force: bool = False
) -> RestoreReport:
    options = RestoreOptions(backup=str(backup), target=target, force=force)
    return restore_backup(context(), options)


def crash(path: Path, suffix: str) -> Path:
    """Have a writer of the database end in the middle, and return what it left beside it."""
    subprocess.run([sys.executable, "-c", CRASHES[suffix], path], check=True)
    left = path.with_name(path.name + suffix)
    assert left.stat().st_size > 0
    return left


# Where nothing is


def test_a_new_database_appears_alone_and_for_its_owner_only(context, backup, target):
    report = restore(context, backup, target)
    assert rows(target, NOTES) == RESTORED
    assert list(target.parent.iterdir()) == [target]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (report.database, report.counts, report.is_proven) == (target, {"notes": 2}, True)
    assert (report.set_aside, report.warnings) == (None, ())
    assert report.bytes == target.stat().st_size


@pytest.mark.parametrize("form", WRITABLE)
def test_a_database_in_wal_mode_is_in_wal_mode_again(context, make_database, target, form):
    source = make_database("PRAGMA journal_mode = wal;" + BACKED_UP)
    restore(context, export(context, source, form), target)
    assert list(target.parent.iterdir()) == [target]
    assert rows(target, "PRAGMA journal_mode") == [("wal",)]
    assert rows(target, NOTES) == RESTORED


def test_rows_that_refer_to_nothing_come_back_and_are_counted(context, make_database, target):
    source = make_database(
        "CREATE TABLE parents (id INTEGER PRIMARY KEY); INSERT INTO parents VALUES (1);"
        "CREATE TABLE children (parent REFERENCES parents);"
        "INSERT INTO children VALUES (1), (7), (8);"
    )
    report = restore(context, export(context, source), target)
    assert report.broken_references == 2
    assert "2 rows refer to rows that are not there, as in the backup." in reports.text(report)
    assert rows(target, "SELECT parent FROM children") == [(1,), (7,), (8,)]


def test_a_plain_sqlite_file_is_restored_and_said_to_be_unproven(context, make_database, target):
    report = restore(context, make_database(BACKED_UP), target)
    assert rows(target, NOTES) == RESTORED
    assert not report.is_proven
    assert "from a backup that nothing proves" in reports.text(report)


def test_a_backup_without_a_schema_is_refused_for_that_reason(context, tmp_path, target):
    document = tmp_path / "backup-2026-03-01.json"
    document.write_text('{"backup_date": "2026-03-01", "tables": {"contacts": [{"id": 1}]}}')
    with pytest.raises(RestoreFailed, match="schema"):
        restore(context, document, target)
    assert not target.exists()


def test_what_was_restored_is_recorded(context, backup, target):
    restore(context, backup, target)
    history = context().output / "history.db"
    assert rows(history, "SELECT operation, outcome, database, backup FROM events")[-1] == (
        "restore",
        "done",
        str(target),
        str(backup),
    )


def test_the_script_restores_the_latest_and_says_what_it_did(tmp_path, make_database, target):
    home, source = tmp_path / "home", make_database(BACKED_UP)
    run(home, "export", "--db", source)
    done = run(home, "restore", "latest", "--to", target)
    assert done.stdout.startswith("Restored: 1 table, 2 rows, ")
    assert f"proven equal. {target}\n" in done.stdout
    assert rows(target, NOTES) == RESTORED


@pytest.mark.parametrize("suffix", CRASHES)
def test_nothing_is_called_as_the_logs_of_a_database(context, make_database, target, suffix):
    source, log = make_database(BACKED_UP), target.with_name(target.name + suffix)
    with pytest.raises(WriteFailed, match="as SQLite's own logs are"):
        restore(context, export(context, source), log)
    with pytest.raises(WriteFailed, match="as SQLite's own logs are"):
        export_backup(context(), ExportOptions(database=str(source), output=log))
    assert not target.parent.exists()


def test_no_database_is_put_among_the_backups(context, backup):
    before = files_in(backup.parent)
    with pytest.raises(RestoreRefused, match="among the backups"):
        restore(context, backup, backup.parent / "notes.db")
    assert files_in(backup.parent) == before


# Where something is


def test_a_database_that_is_there_is_refused_and_not_touched(context, backup, old):
    before = files_in(old.parent)
    with pytest.raises(RestoreRefused) as refused:
        restore(context, backup, old)
    assert refused.value.exit_code == 26
    assert "--force" in refused.value.hint
    assert files_in(old.parent) == before
    assert not (context().output / "restore-points").exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_there_is_never_replaced(context, backup, old, force):
    with pytest.raises(RestoreRefused):
        restore(context, backup, old.parent, force=force)
    assert list(old.parent.iterdir()) == [old]


def test_with_force_the_old_one_is_kept_as_a_restore_point(context, backup, old):
    before = everything(old)
    report = restore(context, backup, old, force=True)
    assert rows(old, NOTES) == RESTORED
    assert list(old.parent.iterdir()) == [old]
    assert report.set_aside
    assert everything(report.set_aside) == before
    assert f"What was there is kept at {report.set_aside}" in reports.text(report)


@pytest.mark.parametrize("form", WRITABLE)
def test_with_force_mode_and_owner_stay(context, make_database, old, form):
    backup = export(context, make_database(BACKED_UP), form)
    old.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(old, 1234, 2345)
    before = old.stat()
    restore(context, backup, old, force=True)
    after = old.stat()
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert rows(old, NOTES) == RESTORED


def test_with_force_through_a_link_the_linked_database_is_replaced(context, backup, old, tmp_path):
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(old)
    restore(context, backup, link, force=True)
    assert link.is_symlink()
    assert rows(old, NOTES) == RESTORED


def test_with_force_twice_in_a_second_both_old_ones_are_kept(context, backup, old):
    first = restore(context, backup, old, force=True).set_aside
    second = restore(context, backup, old, force=True).set_aside
    assert first != second
    assert first and rows(first, NOTES) == [(9, "old")]
    assert second and rows(second, NOTES) == RESTORED


@pytest.mark.parametrize("damage", ["pages", "text", "empty"])
def test_with_force_what_is_damaged_is_set_aside_as_it_is(context, backup, old, damage):
    pages = old.read_bytes()
    content = {
        "pages": pages[:4096] + b"\xa5" * len(pages[4096:]),
        "text": b"no database at all",
        "empty": b"",
    }[damage]
    old.write_bytes(content)
    report = restore(context, backup, old, force=True)
    assert rows(old, NOTES) == RESTORED
    assert report.set_aside
    assert report.set_aside.read_bytes() == content


# What a crashed program left beside it


@pytest.mark.parametrize("form", WRITABLE)
@pytest.mark.parametrize("suffix", CRASHES)
def test_what_an_old_log_holds_is_not_taken_for_the_new_one(
    context, make_database, old, suffix, form
):
    backup = export(context, make_database(BACKED_UP), form)
    crash(old, suffix)
    report = restore(context, backup, old, force=True)
    assert rows(old, NOTES) == RESTORED
    assert rows(old, "PRAGMA integrity_check") == [("ok",)]
    assert report.set_aside
    assert rows(report.set_aside, NOTES) == OF_THE_OLD_ONE[suffix]


@pytest.mark.parametrize("form", WRITABLE)
@pytest.mark.parametrize("suffix", CRASHES)
def test_a_log_without_its_database_is_set_aside(context, make_database, old, suffix, form):
    backup = export(context, make_database(BACKED_UP), form)
    left = crash(old, suffix).read_bytes()
    old.unlink()
    report = restore(context, backup, old)
    assert rows(old, NOTES) == RESTORED
    assert list(old.parent.glob(f"*{suffix}")) == []
    assert report.set_aside
    assert report.set_aside.with_name(report.set_aside.name + suffix).read_bytes() == left


# While it is in use


@contextlib.contextmanager
def held(path: Path, program: str = HOLDER) -> Iterator[subprocess.Popen[str]]:
    """Have another program hold a database open, for as long as this lasts."""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "open\n"
        try:
            yield holder
        finally:
            holder.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_it_is_refused_while_another_program_has_it_open(context, backup, old, mode):
    run_sql(old, f"PRAGMA journal_mode = {mode}")
    with held(old) as holder:
        with pytest.raises(RestoreRefused, match=rf"python.*\(process {holder.pid}\)"):
            restore(context, backup, old, force=True)
        assert rows(old, NOTES) == [(9, "old")]
    restore(context, backup, old, force=True)
    assert rows(old, NOTES) == RESTORED


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_it_is_refused_while_it_is_open_under_another_name(context, backup, old, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(old)
    with held(old), pytest.raises(RestoreRefused):
        restore(context, backup, link, force=True)
    assert link.is_symlink()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_it_is_refused_while_the_log_beside_it_is_open_in_a_program_with_an_older_file(
    context, backup, old
):
    log = old.with_name(f"{old.name}-wal")
    with held(log, HOLDER_OF_A_FILE), pytest.raises(RestoreRefused, match="is open in python"):
        restore(context, backup, old, force=True)
    assert rows(old, NOTES) == [(9, "old")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_it_is_refused_when_another_program_opens_it_while_the_new_one_is_made(
    context, backup, old, monkeypatch
):
    with contextlib.ExitStack() as stack:

        def slow_rebuild(reader, path, **options):
            rebuilt = rebuild(reader, path, **options)
            stack.enter_context(held(old))
            return rebuilt

        monkeypatch.setattr("holdfast.operations.restore_backup.rebuild", slow_rebuild)
        with pytest.raises(RestoreRefused, match="is open in python"):
            restore(context, backup, old, force=True)
    assert rows(old, NOTES) == [(9, "old")]
    assert not (context().output / "restore-points").exists()


# What is no good


def spoilt(path: Path, how: str) -> Path:
    """Damage a backup in its middle; of a folder, its largest file."""
    file = path
    if path.is_dir():
        file = max(path.rglob("*.jsonl"), key=lambda each: each.stat().st_size)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    if how == "cut":
        del content[middle:]
    else:
        content[middle] ^= 0x01
    file.write_bytes(content)
    return path


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("how", ["cut", "changed"])
@pytest.mark.parametrize("form", WRITABLE)
def test_a_damaged_backup_leaves_everything_as_it_was(
    context, make_database, old, form, how, force
):
    backup = spoilt(export(context, make_database(BACKED_UP), form), how)
    target = old if force else old.with_name("new.db")
    before = files_in(old.parent)
    with pytest.raises(BackupError) as refused:
        restore(context, backup, target, force=force)
    assert refused.value.exit_code == 16
    assert files_in(old.parent) == before
    assert not (context().output / "restore-points").exists()


@pytest.mark.parametrize("form", ["jsonl", "folder"])
def test_a_backup_runs_no_statement_but_those_that_make_a_schema(
    context, make_database, target, tmp_path, monkeypatch, form
):
    """A backup comes from anywhere: to look at one must not write to other files."""
    elsewhere = tmp_path / "elsewhere.db"
    present = schema.read_schema

    def read_schema(connection):
        real = present(connection)
        attach = SchemaEntry("table", "e", "e", f"ATTACH DATABASE '{elsewhere}' AS e")
        write = SchemaEntry("table", "f", "f", "CREATE TABLE e.f (x)")
        return replace(real, entries=(*real.entries, attach, write))

    with monkeypatch.context() as made_up:
        made_up.setattr(exporting, "read_schema", read_schema)
        backup = export(context, make_database(BACKED_UP), form)
    with pytest.raises(HoldfastError):
        restore(context, backup, target)
    (found,) = verify_backups(context(), VerifyOptions(backups=(str(backup),))).backups
    assert found.exit_code
    assert not elsewhere.exists()
    assert not target.exists()


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("CREATE TABLE notes (id INTEGER PRIMARY KEY, body INTEGER)", "the rows of notes"),
        ("CREATE TABLE others (id INTEGER PRIMARY KEY, body)", "the rows of notes"),
        ("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body)", "the schema of notes"),
    ],
)
def test_a_database_that_is_not_what_the_backup_holds_gets_no_name(
    context, make_database, target, monkeypatch, sql, complaint
):
    """A forged schema stands for an SQLite that makes something else of a backup than it was."""
    present = schema.read_schema

    def read_schema(connection):
        forged = SchemaEntry("table", "notes", "notes", sql)
        return replace(present(connection), entries=(forged,))

    source = make_database("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);")
    run_sql(source, "INSERT INTO notes VALUES (1, '7')")
    with monkeypatch.context() as made_up:
        made_up.setattr(exporting, "read_schema", read_schema)
        backup = export(context, source)
    with pytest.raises(RestoreFailed, match=complaint):
        restore(context, backup, target)
    assert list(target.parent.iterdir()) == []


def test_a_database_that_counts_on_from_another_number_gets_no_name(
    context, make_database, target, monkeypatch
):
    source = make_database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (1), (9);"
        "DELETE FROM t WHERE id = 9"
    )
    backup = export(context, source)
    monkeypatch.setattr("holdfast.rebuild._Loader._set_sequences", lambda *_: None)
    with pytest.raises(RestoreFailed, match="the AUTOINCREMENT marks"):
        restore(context, backup, target)
    assert list(target.parent.iterdir()) == []


def test_what_sqlite_here_could_not_set_as_it_was_is_told(
    context, make_database, target, monkeypatch
):
    present = schema.read_facts

    def read_facts(connection, name):
        return replace(present(connection, name), page_size=1000)

    with monkeypatch.context() as made_up:
        made_up.setattr(f"{exporting.__name__}.read_facts", read_facts)
        backup = export(context, make_database(BACKED_UP))
    assert restore(context, backup, target).warnings == ("page_size is 4096, and was 1000",)
    assert rows(target, NOTES) == RESTORED


def test_a_damaged_backup_leaves_the_log_of_a_crashed_program_as_it_was(context, backup, old):
    crash(old, "-wal")
    before = files_in(old.parent)
    with pytest.raises(BackupError):
        restore(context, spoilt(backup, "changed"), old, force=True)
    assert files_in(old.parent) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_exit_code_24(context, backup, target):
    target.parent.mkdir(mode=0o500)
    with pytest.raises(WriteFailed):
        restore(context, backup, target)


# Killed

MANY = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body); CREATE INDEX i ON notes (body);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
    " INSERT INTO notes SELECT i, 'note ' || i FROM n;"
)
STATE = "SELECT count(*), sum(id), max(body) FROM notes"


@pytest.mark.slow
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("form", ["jsonl", "sqlite"])
def test_a_restore_that_is_killed_leaves_the_old_one_or_the_new_one_whole(
    tmp_path, make_database, target, form, force
):
    home, source = tmp_path / "home", make_database(MANY)
    old, path = make_database(MANY + "DELETE FROM notes WHERE id > 9", "old.db"), tmp_path / "b"
    run(home, "export", "--db", source, "--output", path, "--format", form)
    words = ["restore", str(path), "--to", str(target), *(["--force"] if force else [])]
    allowed = {rows(source, STATE)[0]} | ({rows(old, STATE)[0]} if force else set())
    longest = _seconds_of(home, words, old if force else None, target)
    seen, killed = set(), 0
    for number in range(16):
        _put(old if force else None, target)
        process = start(home, *words)
        time.sleep(longest * (0.2 + 0.055 * number))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert force is False or target.exists()
        if target.exists():
            seen.add(rows(target, STATE)[0])
            assert rows(target, "PRAGMA integrity_check") == [("ok",)]
    assert seen <= allowed
    assert killed
    _put(old if force else None, target)
    run(home, *words)
    assert rows(target, STATE) == rows(source, STATE)


def _put(old: Path | None, target: Path) -> None:
    """Leave nothing at the target, or the old database alone."""
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir()
    if old:
        shutil.copy(old, target)


def _seconds_of(home: Path, words: list[str], old: Path | None, target: Path) -> float:
    _put(old, target)
    begun = time.monotonic()
    run(home, *words)
    return time.monotonic() - begun


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_damaged_sqlite_file_is_named_once(context, make_database, target, tmp_path, compression):
    source = make_database("CREATE TABLE t AS SELECT randomblob(9000) AS x")
    cut = tmp_path / "cut.db"
    with cut.open("wb") as file, compressing(file, compression) as stream:
        stream.write(source.read_bytes()[:5000])
    with pytest.raises(BackupDamaged) as refused:
        restore(context, cut, target)
    assert str(refused.value) == f"{cut}: it is damaged: database disk image is malformed"


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_is_not_said_to_give_way_with_force(context, backup, target, force):
    target.mkdir(parents=True)
    with pytest.raises(RestoreRefused, match="is no file") as refused:
        restore(context, backup, target, force=force)
    assert refused.value.hint == "Restore to another path with --to."


@pytest.fixture
def two_databases(tmp_path: Path) -> Path:
    """A home with two databases, notes and crm, of which crm was backed up last."""
    home = tmp_path / "home"
    home.mkdir()
    lines = ["databases:"]
    for name in ("notes", "crm"):
        run_sql(tmp_path / f"{name}.db", f"CREATE TABLE t (x); INSERT INTO t VALUES ('{name}')")
        lines.append(f"  {name}: {tmp_path / name}.db")
    (home / "backup.yaml").write_text("\n".join(lines), encoding="utf-8")
    for name in ("notes", "crm"):
        run(home, "export", "--db", name)
    return home


def test_the_latest_backup_is_that_of_the_database_that_was_lost(
    two_databases: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.db").unlink()
    run(two_databases, "restore", "latest", "--to", tmp_path / "notes.db")
    assert rows(tmp_path / "notes.db", "SELECT x FROM t") == [("notes",)]


def test_a_moment_is_one_of_the_database_that_was_lost(two_databases: Path, tmp_path: Path) -> None:
    (tmp_path / "crm.db").unlink()
    run(two_databases, "restore", "--at", "2999-01-01T00:00Z", "--to", tmp_path / "crm.db")
    assert rows(tmp_path / "crm.db", "SELECT x FROM t") == [("crm",)]


def test_a_database_is_named_whose_latest_backup_is_restored(
    two_databases: Path, tmp_path: Path
) -> None:
    run(two_databases, "restore", "latest", "--db", "notes", "--to", tmp_path / "new.db")
    assert rows(tmp_path / "new.db", "SELECT x FROM t") == [("notes",)]


def test_a_new_file_of_the_latest_backup_of_any_is_said_to_be_of_which(
    two_databases: Path, tmp_path: Path
) -> None:
    done = run(two_databases, "restore", "latest", "--to", tmp_path / "new.db", exit_code=3)
    assert rows(tmp_path / "new.db", "SELECT x FROM t") == [("crm",)]
    assert (
        f"Warning: the latest backup is of {tmp_path / 'crm.db'};"
        " --db NAME takes the latest of another: notes, crm."
    ) in done.stdout


@pytest.fixture(params=["the history is lost", "a file was touched"])
def forgotten(request: pytest.FixtureRequest, two_databases: Path) -> Path:
    """The same home, where nothing but its name tells of which database a backup is."""
    if request.param == "a file was touched":
        os.utime(next((two_databases / "output").glob("backup-crm-*")))
        return two_databases
    for path in (two_databases / "output").glob("history.db*"):
        path.unlink()
    return two_databases


@pytest.mark.parametrize("lost", [["latest"], ["--at", "2999-01-01T00:00Z"]], ids=" ".join)
def test_a_backup_that_is_not_on_record_is_of_the_database_in_its_name(
    forgotten: Path, tmp_path: Path, lost: list[str]
) -> None:
    run(forgotten, "restore", *lost, "--to", tmp_path / "notes.db", "--force")
    assert rows(tmp_path / "notes.db", "SELECT x FROM t") == [("notes",)]
    run(forgotten, "restore", *lost, "--db", "notes", "--to", tmp_path / "new.db")
    assert rows(tmp_path / "new.db", "SELECT x FROM t") == [("notes",)]


def test_the_latest_backups_of_all_are_verified_and_imported_that_are_not_on_record(
    forgotten: Path, tmp_path: Path
) -> None:
    done = run(forgotten, "verify", "latest", "--json")
    verified = [Path(each["path"]).name for each in json.loads(done.stdout)["backups"]]
    assert [name.split("-")[1] for name in verified] == ["notes", "crm"]
    (of_crm,) = (forgotten / "output").glob("backup-crm-*")
    for words in (["latest", "--db", "crm"], [of_crm]):  # which is on record now, by verify
        plan = json.loads(run(forgotten, "import", *words, "--json").stdout)
        assert Path(plan["backup"]).name == of_crm.name
        assert plan["database"]["path"] == str(tmp_path / "crm.db")


def test_the_latest_backups_of_all_databases_are_verified(two_databases: Path) -> None:
    run(two_databases, "export", "--db", "notes")
    done = run(two_databases, "verify", "latest", "--json")
    verified = [Path(each["path"]).name for each in json.loads(done.stdout)["backups"]]
    assert [name.split("-")[1] for name in verified] == ["notes", "crm"]
    assert len(list((two_databases / "output").glob("backup-notes-*"))) == 2
    done = run(two_databases, "verify", "latest", "--against", "crm", "--json")
    (one,) = json.loads(done.stdout)["backups"]
    assert "-crm-" in one["path"]
