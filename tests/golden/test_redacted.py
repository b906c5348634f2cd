"""What was written once with markers for secrets is read for ever, and takes no secret away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.model import Rung
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.works import ConflictMode
from tests.conftest import MakeContext, MakeDatabase, everything, rows, run_sql
from tests.golden import make_redacted

FILES = [
    make_redacted.FOLDER.with_name("2.0") / name
    for name in ("folder", "json.json", "jsonl.jsonl", "zip.zip")
]
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
MODES = [each for each in ConflictMode if each is not ConflictMode.FAIL]

M = [f"[redacted by holdfast {number}]" for number in range(6)]
SETTINGS = [
    ("mail_key", f'"{M[1]}"'),
    ("pin_key", f'"{M[2]}"'),
    ("providers", f'{{"a": {{"url": "u", "key": "{M[3]}"}}}}'),
    ("search_key", f'["{M[4]}", "{M[5]}", true]'),
    ("theme", '"dark"'),
]
TOOLS = [
    (1, "mail", M[1], f'{{"auth": [{{"id": 1, "key": "{M[2]}"}}], "host": "h"}}'),
    (2, "web", None, None),
    (3, "none", "", M[3]),
]


def complain_of_markers(path: Path) -> None:
    """Fail unless a database has what is in the files."""
    assert rows(path, "SELECT * FROM settings ORDER BY key") == SETTINGS
    assert rows(path, "SELECT * FROM tools ORDER BY id") == TOOLS
    assert rows(path, "SELECT * FROM tokens") == []


def test_the_files_are_those_that_were_made() -> None:
    assert sorted(make_redacted.FOLDER.iterdir()) == FILES
    with pytest.raises(SystemExit, match="never written again"):
        make_redacted.main()


@EVERY_FILE
def test_it_is_proven_up_to_the_last_rung(path: Path, context: MakeContext) -> None:
    (found,) = verify_backups(context(), VerifyOptions(backups=(str(path),))).backups
    assert (found.problem, found.rungs, found.row_count) == ("", tuple(Rung), 8)


@EVERY_FILE
def test_it_is_restored(path: Path, context: MakeContext, tmp_path: Path) -> None:
    target = tmp_path / "new.db"
    report = restore_backup(context(), RestoreOptions(backup=str(path), target=target))
    assert report.counts == {"settings": 5, "tools": 3}
    assert report.redacted == (
        "settings.value[key=*_key].**",
        "settings.value[key=providers].*.key",
        "tools.token",
        "tools.config.auth.key",
        "tokens.token",
    )
    complain_of_markers(target)


def test_its_own_program_restores_it(tmp_path: Path) -> None:
    program, target = FILES[0] / "restore.py", tmp_path / "new.db"
    subprocess.run([sys.executable, program, target], check=True, capture_output=True)
    complain_of_markers(target)


@EVERY_FILE
@pytest.mark.parametrize("mode", MODES)
def test_an_import_leaves_what_it_was_made_of_as_it_is(
    path: Path, mode: ConflictMode, context: MakeContext, make_database: MakeDatabase
) -> None:
    target = make_database(make_redacted.SECRETS)
    before = everything(target)
    options = ImportOptions(backup=str(path), database=str(target), yes=True, mode=mode)
    assert import_backup(context(), options).outcome == "nothing to do"
    assert everything(target) == before


@EVERY_FILE
def test_it_is_imported_and_living_secrets_stay(
    path: Path, context: MakeContext, make_database: MakeDatabase
) -> None:
    target = make_database(make_redacted.SECRETS)
    run_sql(
        target,
        """DELETE FROM settings WHERE key = 'pin_key';
        UPDATE settings SET value = '["new", "newer", false]' WHERE key = 'search_key';
        UPDATE settings SET value = '{"a": {"url": "v", "key": "new"}}' WHERE key = 'providers';
        UPDATE tools SET name = 'x', token = 'new' || id, config = '{"auth": []}';
        UPDATE tokens SET token = 'new';""",
    )
    options = ImportOptions(backup=str(path), database=str(target), yes=True)
    assert import_backup(context(), options).outcome == "done"
    assert rows(target, "SELECT * FROM settings ORDER BY key") == [
        ("mail_key", '"s1"'),
        ("pin_key", f'"{M[2]}"'),
        ("providers", '{"a": {"url": "u", "key": "new"}}'),
        ("search_key", '["new", "newer", true]'),
        ("theme", '"dark"'),
    ]
    assert rows(target, "SELECT * FROM tools ORDER BY id") == [
        (1, "mail", "new1", '{"auth": []}'),
        (2, "web", None, None),
        (3, "none", "", '{"auth": []}'),
    ]
    assert rows(target, "SELECT * FROM tokens") == [("new", 1)]
