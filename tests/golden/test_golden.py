"""What was written once is read for ever: whole, proven, restored and imported, to the last bit."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.errors import BackupTooNew
from holdfast.formats import WRITABLE, interface
from holdfast.model import Rung
from holdfast.operations import export_backup as exporting
from holdfast.operations import export_job
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from tests.conftest import MakeContext, MakeDatabase, connected, rows, run_sql
from tests.golden import make

FOLDER = Path(__file__).parent
NAMES = {
    "1.0": [
        "folder",
        "folder-gzip",
        "folder-zstd",
        "json-gzip.json.gz",
        "json-pretty.json",
        "json-zstd.json.zst",
        "json.json",
        "jsonl-gzip.jsonl.gz",
        "jsonl-zstd.jsonl.zst",
        "jsonl.jsonl",
        "sqlite-gzip.db.gz",
        "sqlite-zstd.db.zst",
        "sqlite.db",
        "zip.zip",
    ]
}
FILES = [FOLDER / version / name for version, names in NAMES.items() for name in names]
EVERY_FILE = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: f"{path.parent.name} {path.name}"
)

ALL_VALUES = [
    *((-5, "null", None), (2, "integer", 2**63 - 1), (3, "real", -0.0), (4, "real", 5e-324)),
    *((5, "real", math.inf), (6, "real", -math.inf), (7, "real", 0.1), (8, "text", b"")),
    *((9, "blob", b""), (10, "blob", b"\x00\xff"), (11, "text", b"a\x00b")),
    *(
        (12, "text", b"a\xff"),
        (13, "text", b'\n\xe2\x80\xa8"\\'),
        (14, "text", b'{"$base64":true}'),
    ),
    *((15, "real", 1.0), (16, "integer", 1)),
]


def complain_of_rows(path: Path) -> None:
    """Fail unless a database has the rows that the files were made of."""
    with connected(path) as connection:
        connection.text_factory = bytes
        query = """SELECT rowid, typeof(x), x FROM "all values" ORDER BY rowid"""
        found = [(row, kind.decode(), x) for row, kind, x in connection.execute(query)]
    assert list(map(repr, found)) == list(map(repr, ALL_VALUES))
    assert rows(path, "SELECT * FROM contacts") == [(1, "Ann", 3, "A"), (3, "Bøb", 1, "B")]
    assert rows(path, "SELECT typeof(b), a FROM pairs ORDER BY a") == [
        ("integer", "x"),
        ("text", "Y"),
        ("blob", "z"),
    ]
    assert rows(path, "SELECT contact FROM orphans") == [(1,), (77,)]
    assert rows(path, "SELECT * FROM sqlite_sequence") == [("contacts", 99)]


def test_the_files_are_those_that_were_made() -> None:
    manifest = ".manifest.json"
    for version, names in NAMES.items():
        found = [path.name for path in (FOLDER / version).iterdir()]
        assert sorted(name for name in found if not name.endswith(manifest)) == names


def test_what_was_made_is_not_made_again() -> None:
    assert make.FOLDER == FOLDER / interface.VERSION
    with pytest.raises(SystemExit, match="never written again"):
        make.main()


def test_the_command_that_made_it_finds_the_library() -> None:
    words = make.__doc__.strip().splitlines()[2].split() if make.__doc__ else []
    command = [sys.executable, *words[1:]]
    done = subprocess.run(command, cwd=FOLDER.parents[1], capture_output=True, text=True)
    assert "never written again" in done.stderr


@EVERY_FILE
def test_it_is_proven_up_to_the_last_rung(path: Path, context: MakeContext) -> None:
    (found,) = verify_backups(context(), VerifyOptions(backups=(str(path),))).backups
    assert (found.problem, found.rungs) == ("", tuple(Rung))
    assert (found.row_count, found.broken_references) == (23, 1)


@EVERY_FILE
def test_it_is_restored(path: Path, context: MakeContext, tmp_path: Path) -> None:
    target = tmp_path / "new.db"
    report = restore_backup(context(), RestoreOptions(backup=str(path), target=target))
    assert (report.backup_date, report.broken_references) == ("2026-11-20T14:22:33Z", 1)
    assert report.counts == {"all values": 16, "contacts": 2, "orphans": 2, "pairs": 3}
    assert report.warnings == ()
    complain_of_rows(target)
    assert rows(target, "SELECT rowid FROM search WHERE search MATCH 'bøb'") == [(3,)]
    assert rows(target, "SELECT * FROM friends ORDER BY 1") == [("Ann", "Bøb"), ("Bøb", "Ann")]
    assert rows(
        target, "SELECT type, name FROM sqlite_schema WHERE type IN ('index', 'trigger')"
    ) == [
        ("index", "by_name"),
        ("trigger", "found"),
        ("trigger", "orphaned"),
    ]
    pragmas = ("user_version", "application_id", "auto_vacuum")
    assert [rows(target, f"PRAGMA {word}") for word in pragmas] == [[(7,)], [(-252006674,)], [(2,)]]


@EVERY_FILE
def test_it_is_imported(path: Path, context: MakeContext, make_database: MakeDatabase) -> None:
    target = make_database(make.AWKWARD)
    run_sql(
        target,
        'DELETE FROM pairs; DELETE FROM "all values"; DELETE FROM orphans WHERE contact = 1;'
        "UPDATE contacts SET name = 'someone' WHERE id = 3; UPDATE sqlite_sequence SET seq = 3;",
    )
    options = ImportOptions(backup=str(path), database=str(target), yes=True)
    report = import_backup(context(), options)
    assert report.outcome == "done"
    complain_of_rows(target)


# Versions to come


@pytest.fixture
def from_the_future(
    monkeypatch: pytest.MonkeyPatch, context: MakeContext, make_database: MakeDatabase
):
    """Write a backup of a later version, with a key in its header that is not known yet."""
    present = interface.header_items

    def header_items(header):
        return present(header) | {"colour": "blue"}

    def write(form: str, version: str) -> Path:
        with monkeypatch.context() as later:
            for module in list(sys.modules.values()):
                if getattr(module, "header_items", None) is present:
                    later.setattr(module, "header_items", header_items)
            later.setattr(exporting, "VERSION", version)
            later.setattr(export_job, "prove", lambda *_: None)  # the present one cannot read it
            options = ExportOptions(
                database=str(make_database("CREATE TABLE t (x); INSERT INTO t VALUES (1);")),
                format=form,
            )
            path = export_backup(context(), options).path
        assert path
        return path

    return write


@pytest.mark.parametrize("form", WRITABLE)
def test_a_later_major_version_is_refused(form, from_the_future, context, tmp_path) -> None:
    path, target = from_the_future(form, "3.0"), tmp_path / "new.db"
    with pytest.raises(BackupTooNew, match=r"it has version 3\.0 of the format") as refused:
        restore_backup(context(), RestoreOptions(backup=str(path), target=target))
    assert refused.value.exit_code == 18
    assert not target.exists()
    with pytest.raises(BackupTooNew):
        import_backup(
            context(), ImportOptions(backup=str(path), database=str(tmp_path / "tool.db"))
        )
    (found,) = verify_backups(context(), VerifyOptions(backups=(str(path),))).backups
    assert (found.exit_code, found.rungs) == (18, ())


@pytest.mark.parametrize("form", WRITABLE)
def test_a_later_minor_version_is_read_and_what_is_not_known_is_named(
    form, from_the_future, context, tmp_path
) -> None:
    path, target = from_the_future(form, "1.7"), tmp_path / "new.db"
    report = restore_backup(context(), RestoreOptions(backup=str(path), target=target))
    assert rows(target, "SELECT x FROM t") == [(1,)]
    verified = verify_backups(context(), VerifyOptions(backups=(str(path),)))
    assert verified.backups[0].rungs == tuple(Rung)
    options = ImportOptions(backup=str(path), database=str(target))
    for warnings in (
        report.warnings,
        verified.warnings,
        import_backup(context(), options).warnings,
    ):
        assert len(warnings) == 1
        assert "1.7" in warnings[0] and "colour" in warnings[0]
