"""The verb keys: a key is made once, and which key opens what is said without opening it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast import encryption
from holdfast.cli import main
from holdfast.encryption import passphrases
from holdfast.errors import UsageError, WriteFailed
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.keys import check_keys, create_key
from holdfast.reports import text
from tests.conftest import MakeContext, MakeDatabase
from tests.running import run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrases, "WORK_FACTOR", 8)


def test_a_key_is_for_its_owner_alone_and_its_public_half_is_said(context: MakeContext) -> None:
    report = create_key(context())
    assert report.path == context().home.path / "key.txt"
    if os.name != "nt":
        assert stat.S_IMODE(report.path.stat().st_mode) == 0o600
    assert encryption.public_keys(report.path) == [report.public_key]
    said = text(report)
    assert report.public_key in said
    assert "without it nobody can open the backups" in said
    assert "AGE-SECRET-KEY" not in said
    assert f"recipients: [{report.public_key}]" in said


def test_a_key_is_never_written_over_another(context: MakeContext) -> None:
    report = create_key(context())
    before = report.path.read_bytes()
    with pytest.raises(WriteFailed, match="already there"):
        create_key(context())
    assert report.path.read_bytes() == before
    assert [path.name for path in report.path.parent.iterdir()] == ["key.txt"]


def test_a_key_does_not_go_where_the_backups_go(context: MakeContext) -> None:
    with pytest.raises(UsageError, match="among the backups that it opens"):
        create_key(context(), context().output / "key.txt")
    assert not context().output.exists()


def test_the_lines_for_the_settings_are_those_that_make_it_work(
    context: MakeContext, tmp_path: Path, make_database: MakeDatabase
) -> None:
    report = create_key(context(), tmp_path / "elsewhere" / "mine")
    assert not (context().home.path / "backup.yaml").exists()
    context().home.path.mkdir()
    (context().home.path / "backup.yaml").write_text("\n".join(report.settings))
    second = create_key(context(), tmp_path / "elsewhere" / "second")
    (context().home.path / "backup.yaml").write_text("\n".join(second.settings))
    settings = context().settings.encryption
    assert settings.recipients == (report.public_key, second.public_key)
    assert settings.identities == (report.path, second.path)
    made = export(context(), make_database("CREATE TABLE t (x)"), encrypt=True)
    assert made.opens_here


def export(context: Context, source: Path, **options: object):
    return export_backup(context, ExportOptions(database=str(source), **options))  # type: ignore[arg-type]


def test_each_backup_is_named_with_the_keys_that_open_it(
    context: MakeContext, tmp_path: Path, make_database: MakeDatabase
) -> None:
    source = make_database("CREATE TABLE t (x)")
    one, two = (create_key(context(), tmp_path / name) for name in ("one", "two"))
    words = {"HOLDFAST_PASSPHRASE": "correct horse"}
    both = (one.public_key, two.public_key)
    plain = export(context(), source).path
    paths = [
        export(context(), source, encrypt=True, recipients=recipients).path
        for recipients in (both, (two.public_key,))
    ]
    paths.append(export(replace(context(), environment=words), source, encrypt=True).path)

    everything = replace(context(), environment=words, identities=(one.path, two.path))
    report = check_keys(everything)
    assert {each.path: each.opened_by for each in report.backups} == {
        paths[0]: (str(one.path), str(two.path)),
        paths[1]: (str(two.path),),
        paths[2]: ("the passphrase",),
    }
    assert plain and report.plain_count == 1
    assert report.passphrase == "HOLDFAST_PASSPHRASE" and "horse" not in text(report)
    assert [each.public_keys for each in report.files] == [(one.public_key,), (two.public_key,)]

    wrong = replace(context(), environment={"HOLDFAST_PASSPHRASE": "wrong"})
    assert all(each.opened_by == () for each in check_keys(wrong).backups)
    none = check_keys(context())
    assert "Keys at hand: none." in text(none)
    assert any("the newest backup" in warning for warning in none.warnings)


def test_what_keeps_a_key_from_working_is_said(context: MakeContext, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_text("hunter2\n")
    garbage.chmod(0o600)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "empty").chmod(0o600)
    context().home.path.mkdir()
    (context().home.path / "backup.yaml").write_text(
        f"encryption: {{passphrase_file: {tmp_path / 'empty'}}}"
    )
    report = check_keys(replace(context(), identities=(garbage, tmp_path / "missing")))
    assert report.warnings == (
        f"{garbage}: line 1 is not a secret key of age",
        f"{tmp_path / 'missing'}: No such file or directory",
        f"{tmp_path / 'empty'}: its first line is empty",
    )
    assert "hunter2" not in text(report)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps permissions otherwise")
def test_a_key_that_others_may_read_is_said(context: MakeContext) -> None:
    key = create_key(context()).path
    assert check_keys(context()).warnings == ()
    key.chmod(0o640)
    (warning,) = check_keys(context()).warnings
    assert f"chmod 600 {key}" in warning


def test_recipients_whose_key_is_not_here_are_said(context: MakeContext) -> None:
    _, public = encryption.new_identity()
    context().home.path.mkdir()
    (context().home.path / "backup.yaml").write_text(f"encryption: {{recipients: [{public}]}}")
    (warning,) = check_keys(context()).warnings
    assert "cannot be opened with the keys at hand" in warning


def test_it_is_said_that_stores_are_not_looked_at(context: MakeContext) -> None:
    create_key(context())
    assert "looked at" not in text(check_keys(context()))
    (context().home.path / "backup.yaml").write_text("stores: {disk: ../disk, usb: ../usb}")
    assert text(check_keys(context())).endswith(
        f"\nOnly {context().output} was looked at. Whether a backup in disk, usb can be opened,"
        " verify tells: verify disk:latest."
    )


def test_the_script_makes_and_finds_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert f"Key made: {home / 'key.txt'}" in run(home, "keys", "create").stdout
    monkeypatch.setenv("HOLDFAST_HOME", str(home))
    assert main(["keys", "check"]) == 0
    assert f"Key at hand: {home / 'key.txt'}" in capsys.readouterr().out
    assert main(["keys", "create"]) == 24
    assert main(["keys", "check", "--to", "x"]) == 2
