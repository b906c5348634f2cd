"""The export script as a person meets it, and what all three scripts have in common."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.running import environment, files_in, make_database, needs, reported, rows, run

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, content TEXT);
INSERT INTO notes VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cai'), (4, 'Dee');
"""
DAY_NAME = r"backup-\d{4}-\d\d-\d\d\.json"
TIME_NAME = r"backup-\d{4}-\d\d-\d\dT\d{6}Z\.json"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def notes(tmp_path):
    return make_database(tmp_path / "notes.db", NOTES)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """A home in which the sample was backed up once, and what that printed; only to be read."""
    home = tmp_path_factory.mktemp("sampled") / "home"
    return home, run(home, "export", "--sample")


@pytest.fixture
def sample_database(sampled, tmp_path):
    return shutil.copy(sampled[0] / "data" / "sample.db", tmp_path / "soy.sqlite3")


def backups_in(home):
    return sorted((home / "output").glob("backup-*"))


def document_of(path):
    return json.loads(path.read_text(encoding="utf-8"))


def mode_of(path):
    return oct(path.stat().st_mode & 0o777)


# What is made


def test_a_sample_that_cannot_be_made_is_said_to_be_that(home):
    home.mkdir()
    (home / "data").touch()
    done = run(home, "export", "--sample", exit_code=24)
    assert done.stderr.startswith(f"Error: cannot write {home}/data")


def test_the_sample_is_made_backed_up_verified_and_named(sampled):
    home, done = sampled
    [backup] = backups_in(home)
    assert re.fullmatch(DAY_NAME, backup.name)
    assert done.stdout == (
        "Backup saved: 210 contacts, 24 projects, 1,480 emails, 340 tasks, 330 calendar events,"
        " 456 contact interactions, 40 transcripts, 230 notes, and 14 more tables"
        f" (22 tables, 5,000 rows, 1.6 MB, verified). {backup}\n"
        f"Database: {home}/data/sample.db (the sample database, for trying things out).\n"
    )
    assert done.stderr == ""


def test_only_the_owner_may_read_a_backup_and_its_folder(sampled):
    home, _ = sampled
    [backup] = backups_in(home)
    assert mode_of(backup) == "0o600"
    assert mode_of(home / "output") == "0o700"
    assert mode_of(home / "output" / "history.db") == "0o600"
    assert sorted(files_in(home / "output")) == [backup.name, "history.db"]


@needs("jq")
def test_jq_counts_the_rows_that_the_report_names(sampled):
    [backup] = backups_in(sampled[0])
    counted = subprocess.run(
        [
            "jq",
            "-c",
            "[(.tables | length), ([.tables[] | length] | add), (.tables.emails | length)]",
        ],
        input=backup.read_bytes(),
        capture_output=True,
    )
    assert json.loads(counted.stdout) == [22, 5000, 1480]


def test_a_backup_loads_nothing_that_takes_long_and_that_it_does_without(home, notes):
    run(home, "export", "--db", notes)  # which reads the profiles, and keeps them
    told = environment(home) | {"PYTHONPROFILEIMPORTTIME": "1"}
    lines = run(home, "export", "--db", notes, env=told).stderr.splitlines()
    loaded = [line.rpartition("|")[2].strip() for line in lines]
    of_ours = loaded[loaded.index("site") :]  # a Python may load anything by itself before
    assert "holdfast.operations.export_backup" in of_ours
    long = {"dataclasses", "difflib", "sqlite_utils", "yaml", "pyrage"}
    of_others = {"holdfast.operations.prune_backups", "holdfast.stores.files_layout"}
    assert (long | of_others) & set(of_ours) == set()


def test_a_name_that_is_taken_gets_the_time_and_nothing_is_overwritten(home, notes):
    now = datetime.now(UTC)
    (home / "output").mkdir(parents=True)
    for day in (now, now + timedelta(days=1)):  # whichever it is when the script starts
        (home / "output" / f"backup-{day:%Y-%m-%d}.json").write_text("mine")
    made = reported(home, "export", "--db", notes)["path"]
    assert re.fullmatch(TIME_NAME, Path(made).name)
    contents = [path.read_text() for path in backups_in(home) if str(path) != made]
    assert contents == ["mine", "mine"]


def test_a_third_one_in_the_same_second_gets_a_number(home, notes):
    now = datetime.now(UTC)
    (home / "output").mkdir(parents=True)
    for second in range(30):  # one of them is when the script starts
        moment = now + timedelta(seconds=second)
        (home / "output" / f"backup-{moment:%Y-%m-%d}.json").write_text("mine")
        (home / "output" / f"backup-{moment:%Y-%m-%dT%H%M%SZ}.json").write_text("mine")
    made = reported(home, "export", "--db", notes)["path"]
    assert re.fullmatch(TIME_NAME.replace("Z", "Z-2"), Path(made).name)
    assert {path.read_text() for path in backups_in(home) if str(path) != made} == {"mine"}


def test_an_output_file_is_made_with_the_folders_above_it(home, notes, tmp_path):
    wanted = tmp_path / "far" / "off" / "notes.json"
    done = run(home, "export", "--db", notes, "--output", wanted)
    size = wanted.stat().st_size
    assert done.stdout == (
        f"Backup saved: 4 notes (1 table, 4 rows, {size} bytes, verified). {wanted}\n"
        f"Database: {notes} (named with --db).\n"
    )
    assert mode_of(wanted) == "0o600"
    assert mode_of(wanted.parent.parent) == "0o700"
    assert list(wanted.parent.iterdir()) == [wanted]
    assert "nothing to change" in run(home, "import", wanted, "--db", notes).stdout


def test_an_output_file_that_is_there_is_refused_and_left_alone(home, notes, tmp_path):
    wanted = tmp_path / "kept" / "notes.json"
    wanted.parent.mkdir()
    wanted.write_text("mine")
    done = run(home, "export", "--db", notes, "--output", wanted, exit_code=24)
    assert f"{wanted} is already there" in done.stderr
    assert files_in(wanted.parent) == {"notes.json": b"mine"}


def test_a_link_that_leads_nowhere_is_not_written_through(home, notes, tmp_path):
    link = tmp_path / "notes.json"
    link.symlink_to(tmp_path / "elsewhere")
    run(home, "export", "--db", notes, "--output", link, exit_code=24)
    assert not (tmp_path / "elsewhere").exists()


@needs("jq")
def test_standard_output_gets_the_document_and_nothing_else(home, notes):
    done = run(home, "export", "--db", notes, "--output", "-")
    names = subprocess.run(
        ["jq", "-r", ".tables.notes[].content"], input=done.stdout, capture_output=True, text=True
    )
    assert names.stdout == "Ann\nBob\nCai\nDee\n"
    assert done.stderr == (
        f"Backup saved: 4 notes (1 table, 4 rows).\nDatabase: {notes} (named with --db).\n"
    )
    assert not (home / "output").exists()


def test_what_went_to_standard_output_imports_again(home, notes, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(run(home, "export", "--db", notes, "--output", "-").stdout, encoding="utf-8")
    done = run(home, "import", kept, "--db", notes)
    assert "4 rows, proven whole) already" in done.stdout


def test_quiet_prints_the_path_alone(home, notes):
    done = run(home, "export", "--db", notes, "--quiet")
    assert done.stdout == f"{backups_in(home)[0]}\n"
    assert done.stderr == ""


def test_quiet_prints_nothing_where_an_import_has_nothing_to_do(home, notes):
    run(home, "export", "--db", notes)
    done = run(home, "import", "latest", "--db", notes, "--quiet")
    assert done.stdout == ""


def test_json_prints_one_object_that_says_it_all(home, notes):
    done = run(home, "export", "--db", notes, "--json")
    [backup] = backups_in(home)
    assert json.loads(done.stdout) == {
        "path": str(backup),
        "bytes": backup.stat().st_size,
        "database": {"path": str(notes), "reason": "named with --db"},
        "counts": {"notes": 4},
        "headline": [],
        "part": "",
        "left_out": {"columns": {}, "links": {}, "references": {}, "rows": {}},
        "secrets": {},
        "is_redacted": False,
        "encrypted": "",
        "opens_here": True,
        "copies": [],
        "pruned": None,
        "others": [],
        "skipped_tables": [],
        "missing_tables": [],
        "profile": None,
        "verified": "contents",
        "warnings": [],
    }
    assert done.stdout.count("\n") == 1


def test_the_pretty_form_says_the_same_and_imports_again(sampled, sample_database, home, tmp_path):
    pretty = tmp_path / "pretty.json"
    run(home, "export", "--db", sample_database, "--pretty", "--output", pretty)
    assert '\n  "name": "' in pretty.read_text(encoding="utf-8")
    plain = document_of(backups_in(sampled[0])[0])["tables"]
    # The first export noted its time in soy_meta, after it had read that.
    assert {**document_of(pretty)["tables"], "soy_meta": []} == {**plain, "soy_meta": []}
    assert "already" in run(home, "import", pretty, "--db", sample_database).stdout


# What is read, and what is written to


@pytest.mark.parametrize("name", ["crm.sqlite3", "memory"])
def test_a_database_may_have_any_suffix(home, notes, name):
    path = notes.rename(notes.with_name(name))
    assert reported(home, "export", "--db", path)["counts"] == {"notes": 4}


def test_the_database_is_looked_for_in_this_order_and_the_report_says_why(home, tmp_path):
    places = [
        (home / "data" / "aaa.db", "it lies in the data folder"),
        (tmp_path / ".local/share/software-of-you/soy.db", "Software of You keeps it there"),
        (home / "data" / "soy.db", "it lies in the data folder"),
        (tmp_path / "elsewhere.db", "crm in backup.yaml"),
    ]
    for path, reason in places:
        make_database(path, NOTES)
        if "backup.yaml" in reason:
            (home / "backup.yaml").write_text(f"databases:\n  crm: {path}\n")
        found = reported(home, "export")["database"]
        assert found == {"path": str(path), "reason": reason}
    found = reported(home, "export", "--db", "crm")["database"]
    assert found == {"path": str(tmp_path / "elsewhere.db"), "reason": "crm in backup.yaml"}
    found = reported(home, "export", "--db", places[0][0])["database"]
    assert found == {"path": str(places[0][0]), "reason": "named with --db"}


def test_the_folder_of_a_tool_follows_its_environment_variable(home, tmp_path):
    path = make_database(tmp_path / "xdg" / "software-of-you" / "soy.db", NOTES)
    variables = environment(home) | {"XDG_DATA_HOME": str(tmp_path / "xdg")}
    done = run(home, "export", env=variables)
    assert f"Database: {path} (Software of You keeps it there)." in done.stdout


def test_without_any_database_it_says_where_it_looked_and_makes_nothing(home):
    done = run(home, "export", exit_code=10)
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: no database found; looked at {home}/data/soy.db, the usual places of 48 tools.\n"
        "Name one with --db PATH, or try everything on invented data with --sample.\n"
    )
    assert not home.exists()


def cut_in_half(path):
    make_database(path, NOTES + "CREATE TABLE pages AS SELECT randomblob(3000) FROM notes, notes b")
    os.truncate(path, path.stat().st_size // 2)


def with_a_broken_page(path):
    make_database(path, NOTES + "CREATE TABLE pages AS SELECT randomblob(900) FROM notes, notes b")
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 4096)


def with_damage_that_no_reading_meets(path):
    make_database(path, NOTES)
    with path.open("r+b") as file:
        file.seek(36)  # the number of free pages
        file.write(bytes([0, 0, 0, 5]))
    assert rows(path, "SELECT count(*) FROM notes") == [(4,)]


UNUSABLE = {
    "nothing": (lambda _: None, 10, "DatabaseNotFound", "no database at"),
    "a folder": (lambda path: path.mkdir(), 11, "NotADatabase", "is not a file"),
    "no bytes": (lambda path: path.touch(), 11, "NotADatabase", "is empty (0 bytes)"),
    "a text": (
        lambda path: path.write_text("Dear diary,\n" * 500),
        11,
        "NotADatabase",
        "is not a SQLite database, or is encrypted",
    ),
    "half a database": (cut_in_half, 12, "DatabaseDamaged", "is damaged"),
    "a broken page": (with_a_broken_page, 12, "DatabaseDamaged", "is damaged"),
    "a wrong count of pages": (
        with_damage_that_no_reading_meets,
        12,
        "DatabaseDamaged",
        "is damaged",
    ),
}


def test_the_root_of_all_folders_is_no_file(home, notes):
    root = Path(notes.anchor)
    assert " is not a file" in run(home, "export", "--db", root, exit_code=11).stderr
    assert " is not a file" in run(home, "status", "--db", root, exit_code=3).stdout
    done = run(home, "export", "--db", notes, "--output", root, exit_code=24)
    assert done.stderr.startswith(f"Error: {root} is already there.")


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("make", "code", "error", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_read_has_its_own_exit_code_and_leaves_no_file(
    home, tmp_path, make, code, error, words, jobs
):
    path = tmp_path / "broken.db"
    make(path)
    before = files_in(tmp_path)
    done = run(home, "export", "--db", path, "--json", "--jobs", jobs, exit_code=code)
    assert done.stdout == ""
    shown = json.loads(done.stderr)
    assert sorted(shown) == ["error", "exit_code", "hint", "message"]
    assert (shown["error"], shown["exit_code"]) == (error, code)
    assert str(path) in shown["message"] and words in shown["message"] and shown["hint"]
    assert files_in(tmp_path) == before


def test_a_locked_database_is_waited_for_and_then_given_up(home, notes):
    with contextlib.closing(sqlite3.connect(notes, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = run(home, "export", "--db", notes, "--wait", "0.3", exit_code=13)
        other.execute("ROLLBACK")
    assert f"{notes} stayed locked for 0.3 seconds" in done.stderr
    assert not backups_in(home)


def test_tables_that_the_profile_expects_are_listed_when_they_are_missing(home, notes):
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "diary.yaml").write_text(
        "name: diary\ntitle: Diary\nrecognise: [notes]\ntables: [letters, notes, photos]\n"
    )
    done = run(home, "export", "--db", notes)
    assert done.stdout.endswith("\nNot there: letters, photos.\n")
    report = reported(home, "export", "--db", notes)
    assert (report["profile"], report["missing_tables"]) == ("diary", ["letters", "photos"])


def test_the_time_of_the_backup_is_noted_where_the_tool_looks_for_it(sampled):
    home, _ = sampled
    [backup] = backups_in(home)
    moment = document_of(backup)["backup_date"]
    assert rows(
        home / "data" / "sample.db", "SELECT value FROM soy_meta WHERE key = 'last_backup_at'"
    ) == [(moment.replace("T", " ").removesuffix("Z"),)]


def test_a_time_that_cannot_be_noted_is_a_warning(home, sample_database):
    with contextlib.closing(sqlite3.connect(sample_database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = run(home, "export", "--db", sample_database, "--wait", "0.3", exit_code=3)
        other.execute("ROLLBACK")
    assert "Backup saved:" in done.stdout
    assert (
        "Warning: the backup was made, but its time could not be noted in soy_meta" in done.stdout
    )


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER noted AFTER UPDATE ON soy_meta BEGIN DELETE FROM contacts; END",
        "ALTER TABLE soy_meta RENAME COLUMN value TO text",
    ],
)
def test_a_meta_table_that_is_not_as_expected_is_left_alone_with_a_warning(
    home, sample_database, change
):
    make_database(sample_database, f"{change}; DELETE FROM soy_meta WHERE key = 'last_backup_at'")
    before = rows(sample_database, "SELECT * FROM soy_meta")
    done = run(home, "export", "--db", sample_database, exit_code=3)
    assert "was not noted in soy_meta, which is not as expected" in done.stdout
    assert rows(sample_database, "SELECT * FROM soy_meta") == before


def test_a_database_without_a_profile_is_not_written_to_at_all(home, tmp_path):
    path = make_database(tmp_path / "kept" / "notes.db", NOTES)
    before, stat = files_in(path.parent), path.stat()
    run(home, "export", "--db", path)
    assert files_in(path.parent) == before
    assert path.stat().st_mtime_ns == stat.st_mtime_ns


def test_rows_that_are_only_in_the_write_ahead_log_are_in_the_backup(home, notes):
    with contextlib.closing(sqlite3.connect(notes, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = wal")
        other.execute("PRAGMA wal_autocheckpoint = 0")
        other.execute("INSERT INTO notes VALUES (5, 'only in the log')")
        # Not by opening the file here: closing it would drop the lock of `other`.
        assert subprocess.run(["grep", "-q", "only in the log", notes]).returncode == 1
        made = run(home, "export", "--db", notes, "--output", "-").stdout
        assert subprocess.run(["grep", "-q", "only in the log", notes]).returncode == 1
        assert other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0] == 0
    assert json.loads(made)["tables"]["notes"][4] == {"id": 5, "content": "only in the log"}


@pytest.mark.parametrize(
    "name",
    [
        "two words.db",
        'it\'s "quoted".db',
        "-dash.db",
        "naïve-名前.db",
        "a%20b?mode=rwc#c.db",
        "new\nline.db",
    ],
)
def test_a_database_may_have_any_name(home, notes, name):
    path = notes.rename(notes.with_name(name))
    report = reported(home, "export", f"--db={name}", f"--output=of {name}", cwd=path.parent)
    assert report["path"] == str(path.with_name(f"of {name}"))
    assert report["database"]["path"] == str(path)
    assert document_of(path.with_name(f"of {name}"))["database"]["name"] == name


def test_a_name_that_is_not_utf_8_is_no_obstacle(home, notes):
    path = os.fsencode(notes.parent) + b"/\xff.db"
    notes.rename(os.fsdecode(path))
    run(home, "export", "--db", path)
    assert list(document_of(backups_in(home)[0])["tables"]) == ["notes"]


# Alarms


LETTERS = "CREATE TABLE letters (id INTEGER PRIMARY KEY); INSERT INTO letters VALUES (1), (2);"


@pytest.mark.parametrize("loss", ["DELETE FROM notes", "DROP TABLE notes"])
def test_a_table_that_lost_all_rows_raises_the_alarm(home, notes, loss):
    make_database(notes, LETTERS)
    first = reported(home, "export", "--db", notes)["path"]
    make_database(notes, f"{loss}; INSERT INTO letters VALUES (3), (4), (5), (6), (7)")
    done = run(home, "export", "--db", notes, exit_code=3)
    assert done.stdout.startswith("Backup saved: 7 letters (")
    moment = document_of(backups_in(home)[0])["backup_date"]
    assert done.stdout.endswith(
        f"\nWarning: since the backup of {moment}, notes lost all rows."
        f" Keep {first} until you know why.\n"
    )
    assert len(backups_in(home)) == 2


def test_fewer_than_half_the_rows_raise_the_alarm_and_half_of_them_do_not(home, notes):
    first = reported(home, "export", "--db", notes)["path"]
    make_database(notes, "DELETE FROM notes WHERE id > 2")
    run(home, "export", "--db", notes)
    make_database(notes, "INSERT INTO notes VALUES (5, 'Eve')")
    second = reported(home, "export", "--db", notes)["path"]
    make_database(notes, "DELETE FROM notes WHERE id > 1")
    done = run(home, "export", "--db", notes, exit_code=3)
    assert "had 3 rows, this one 1." in done.stdout
    assert f"Keep {second} until you know why." in done.stdout
    assert first not in done.stdout


@pytest.mark.parametrize("damage", [lambda path: path.mkdir(), lambda path: path.write_text("no")])
def test_a_history_that_cannot_be_written_is_a_warning(home, notes, damage):
    (home / "output").mkdir(parents=True)
    damage(home / "output" / "history.db")
    done = run(home, "export", "--db", notes, exit_code=3)
    assert "Warning: the backup was made, but could not be recorded: " in done.stdout
    assert len(backups_in(home)) == 1


# Complaints


def test_a_bad_profile_is_named_with_its_key(home, notes):
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "mine.yaml").write_text(
        "name: mine\ntitle: Mine\nrecognise: [notes]\ncolour: red\n"
    )
    for verb in ("export", "status"):
        done = run(home, verb, "--db", notes, exit_code=19)
        assert done.stderr.startswith("Error: mine.yaml: colour: ")


def test_bad_settings_are_named_with_their_key(home, notes):
    home.mkdir()
    (home / "backup.yaml").write_text("databases:\n  crm: [1]\n")
    for verb, extra in (("export", []), ("import", ["latest"]), ("status", [])):
        done = run(home, verb, *extra, "--db", notes, exit_code=20)
        assert done.stderr.startswith("Error: backup.yaml: databases.crm: ")


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("export", ["--colour"]),
        ("export", ["--jobs", "0"]),
        ("export", ["--db", "a.db", "--sample"]),
        ("export", ["--wait", "soon"]),
        ("import", []),
        ("import", ["latest", "--mode", "replace"]),
        ("import", ["latest", "--yes", "--dry-run"]),
        ("status", ["--max-age", "-1"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_wrong_usage_is_exit_code_2_and_points_to_the_help(home, verb, words):
    done = run(home, verb, *words, "--json", exit_code=2)
    assert done.stdout == ""
    shown = json.loads(done.stderr)
    assert (shown["error"], shown["exit_code"]) == ("UsageError", 2)
    assert shown["hint"].casefold().endswith("see --help.")


@pytest.mark.parametrize(
    ("words", "missing", "example"),
    [
        (["keys"], "{create,check}", "keys create"),
        (["schedule"], "{install,show,status,remove,run}", "schedule install"),
        (["verify"], "FILE", "verify latest"),
        (["diff"], "A", "diff latest"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_word_that_is_missing_is_named_with_a_command_that_can_be_typed(
    home, words, missing, example
):
    done = run(home, *words, exit_code=2)
    assert done.stderr == (
        f"Error: the following arguments are required: {missing}.\nAs in: {example}. See --help.\n"
    )


def test_a_restore_asks_for_the_backup_and_then_for_the_database_to_make(home):
    done = run(home, "restore", exit_code=2)
    assert done.stderr.startswith("Error: name a backup, or a moment with --at, and not both.\n")
    done = run(home, "restore", "crm 1.json", exit_code=2)
    assert done.stderr == (
        "Error: name the database to make, with --to.\nAs in: restore 'crm 1.json' --to new.db.\n"
    )


@pytest.mark.parametrize("verb", ["verify", "diff", "restore"])
def test_the_help_says_that_a_backup_may_be_in_a_store(home, verb):
    assert "STORE:" in run(home, verb, "--help").stdout


def test_an_error_says_what_is_wrong_and_then_what_to_do(home, tmp_path):
    done = run(home, "export", "--db", tmp_path / "none.db", exit_code=10)
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: no database at {tmp_path}/none.db.\nGive its path with --db PATH.\n"
    )


@pytest.mark.parametrize(
    ("verb", "example"),
    [
        ("export", "export --db ~/notes.db "),
        ("import", "import latest "),
        ("status", "status --max-age 7d "),
    ],
)
def test_the_help_of_a_verb_shows_examples(home, verb, example):
    done = run(home, verb, "--help")
    assert done.stdout.startswith(f"usage: holdfast {verb} ")
    assert f"  {example}" in done.stdout.partition("\nexamples:\n")[2]
    assert not home.exists()


def test_a_place_that_cannot_be_written_is_exit_code_24(home, notes, tmp_path):
    (tmp_path / "file").write_text("mine")
    done = run(home, "export", "--db", notes, "--output", tmp_path / "file/x.json", exit_code=24)
    assert done.stderr.startswith(f"Error: cannot write {tmp_path}/file")
    assert (tmp_path / "file").read_text() == "mine"


LONG = "x" * 300  # which no file system takes as a name


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("verify", [LONG]),
        ("import", [LONG]),
        ("diff", [LONG, LONG]),
        ("restore", [LONG, "--to", "new.db"]),
        ("export", ["--db", LONG]),
        ("undo", ["--db", LONG]),
    ],
)
def test_what_the_system_cannot_read_is_no_fault_of_the_program(home, notes, verb, words):
    done = run(home, verb, *words, exit_code=30)
    assert re.match(rf"Error: cannot read (/.*/)?{LONG}: File name too long\.\nCheck ", done.stderr)
