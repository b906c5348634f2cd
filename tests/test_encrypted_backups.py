"""Encrypted backups: written in every format, proven, opened by every verb, and by nobody else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from msgspec.structs import replace

from holdfast import encryption, files
from holdfast.cli import main
from holdfast.encryption import passphrases
from holdfast.errors import (
    BackupDamaged,
    HoldfastError,
    KeyNotAtHand,
    SettingsError,
    UsageError,
    WriteFailed,
)
from holdfast.formats import WRITABLE, open_backup, packing
from holdfast.model import Opening, Rung
from holdfast.operations.context import Context
from holdfast.operations.diff_backups import DiffOptions, diff_backups
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.outcomes import ExportReport
from holdfast.reports import text
from tests.conftest import MakeContext, MakeDatabase, rows, run_sql
from tests.running import needs

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, raw BLOB);
INSERT INTO notes VALUES (1, 'the hidden word', x'00ff'), (2, 'another', NULL);
"""
HIDDEN = b"the hidden word"
SUFFIXES = {
    "json": ".json.age",
    "jsonl": ".jsonl.age",
    "folder": ".tar.age",
    "zip": ".zip.age",
    "sqlite": ".db.tar.age",
}
OPENED = (Rung.WHOLE, Rung.HASH, Rung.CONTENTS, Rung.RESTORED, Rung.SOUND)


@pytest.fixture(autouse=True)
def own_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep what is decrypted on the way in a folder that can be looked at, empty afterwards."""
    monkeypatch.setattr(passphrases, "WORK_FACTOR", 8)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield scratch
    assert list(scratch.iterdir()) == []


@pytest.fixture
def source(make_database: MakeDatabase) -> Path:
    return make_database(NOTES)


@pytest.fixture
def owner(context: MakeContext, tmp_path: Path) -> Context:
    """A person who encrypts for a key of their own, and has it at hand."""
    secret, public = encryption.new_identity()
    key = tmp_path / "key.txt"
    key.write_text(f"{secret}\n")
    write_settings(context().home.path, f"encryption: {{recipients: [{public}]}}")
    return replace(context(), identities=(key,))


@pytest.fixture
def other(owner: Context) -> Context:
    """The same, on a machine where the key is not."""
    return replace(owner, identities=())


def write_settings(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "backup.yaml").write_text(f"copied_elsewhere: true\n{text}")


def export(context: Context, source: Path, **options: object) -> ExportReport:
    chosen = {"database": str(source), "encrypt": True, **options}
    return export_backup(context, ExportOptions(**chosen))  # type: ignore[arg-type]


def made(report: ExportReport) -> Path:
    assert report.path
    return report.path


@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("form", WRITABLE)
def test_a_backup_of_any_format_comes_back_from_its_encryption(
    owner: Context, source: Path, tmp_path: Path, form: str, compression: str
) -> None:
    if (form, compression) == ("zip", "zstd"):
        pytest.skip("a zip is compressed in itself")
    report = export(owner, source, format=form, compression=compression)
    path = made(report)
    assert report.verified == Rung.CONTENTS and report.opens_here
    assert path.name.endswith(".age") and "Encrypted for 1 public key." in text(report)
    assert encryption.is_encrypted(path.read_bytes()) and HIDDEN not in path.read_bytes()
    assert [each.name for each in owner.output.glob("backup-*")] == [path.name]

    (found,) = verify_backups(owner, VerifyOptions(backups=(str(path),))).backups
    assert found.rungs == OPENED and not found.problem
    restored = restore_backup(owner, RestoreOptions(backup="latest", target=tmp_path / "new.db"))
    assert restored.is_proven
    assert rows(tmp_path / "new.db", "SELECT text FROM notes") == [
        ("the hidden word",),
        ("another",),
    ]


@pytest.mark.parametrize(("form", "suffix"), SUFFIXES.items())
def test_its_name_says_what_is_in_it_and_status_lists_it(
    owner: Context, source: Path, form: str, suffix: str
) -> None:
    assert made(export(owner, source, format=form)).name == f"backup-2026-11-20{suffix}"
    (found,) = report_status(owner, StatusOptions(database=str(source))).backups
    assert found.opening is Opening.OPENS


@pytest.mark.parametrize("form", WRITABLE)
def test_what_is_encrypted_elsewhere_is_proven_on_its_way_in(
    owner: Context, other: Context, source: Path, form: str
) -> None:
    report = export(other, source, format=form)
    assert report.verified == Rung.HASH and not report.opens_here
    assert "No key at hand opens it" in text(report)
    (found,) = verify_backups(owner, VerifyOptions(backups=("latest",))).backups
    assert found.rungs == OPENED


def test_nothing_of_it_can_be_read_without_the_key(
    owner: Context, other: Context, source: Path, tmp_path: Path
) -> None:
    path = made(export(owner, source))
    target = tmp_path / "new.db"
    with pytest.raises(KeyNotAtHand, match=f"{path}: it is encrypted"):
        restore_backup(other, RestoreOptions(backup=str(path), target=target))
    with pytest.raises(KeyNotAtHand):
        import_backup(other, ImportOptions(backup=str(path), database=str(source), yes=True))
    with pytest.raises(KeyNotAtHand):
        diff_backups(other, DiffOptions(first=str(path), database=str(source)))
    assert not target.exists()


def test_a_verification_of_all_goes_on_after_one_that_no_key_opens(
    owner: Context, other: Context, source: Path
) -> None:
    closed, plain = export(owner, source), export(owner, source, encrypt=False)
    for known in ([Rung.CONTENTS], []):  # what was proven before still holds, and no more
        report = verify_backups(other, VerifyOptions(backups=("all",)))
        assert report.warnings == ()
        found = {each.path: each for each in report.backups}
        assert found[made(closed)].exit_code == KeyNotAtHand.exit_code
        assert found[made(plain)].rungs == OPENED
        records = other.history.backups()
        assert [each.verified for each in records if each.path.endswith(".age")] == known
        other.history.path.unlink()


def test_what_needs_a_folder_of_its_own_is_decrypted_there_but_once(
    owner: Context, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(export(owner, source, format="sqlite"))
    unpack, folders = packing.unpack, []

    def unpack_and_note(content: BinaryIO, folder: Path) -> Path:
        folders.append(folder)
        return unpack(content, folder)

    monkeypatch.setattr(packing, "unpack", unpack_and_note)
    verify_backups(owner, VerifyOptions(backups=(str(path),)))
    assert len(folders) == 2  # to see what it is, and to read it


@pytest.mark.parametrize("form", ["jsonl", "sqlite"])
def test_an_import_and_a_comparison_open_it(owner: Context, source: Path, form: str) -> None:
    path = made(export(owner, source, format=form))
    run_sql(source, "DELETE FROM notes WHERE id = 1")
    assert not diff_backups(owner, DiffOptions(first=str(path), database=str(source))).same
    report = import_backup(owner, ImportOptions(backup=str(path), database=str(source), yes=True))
    assert report.outcome == "done"
    assert rows(source, "SELECT count(*) FROM notes") == [(2,)]


def test_a_passphrase_closes_and_opens_it(
    context: MakeContext, source: Path, tmp_path: Path
) -> None:
    with_it = replace(context(), environment={"HOLDFAST_PASSPHRASE": "correct horse"})
    report = export(with_it, source)
    assert report.verified == Rung.CONTENTS
    assert "Encrypted with a passphrase." in text(report)
    for words in ({}, {"HOLDFAST_PASSPHRASE": "wrong horse"}):
        with pytest.raises(KeyNotAtHand) as caught:
            open_backup(made(report), replace(context(), environment=words).keys)
        assert "horse" not in f"{caught.value} {caught.value.hint}"
    kept = tmp_path / "passphrase"
    kept.write_text("correct horse\n")
    write_settings(context().home.path, f"encryption: {{passphrase_file: {kept}}}")
    assert open_backup(made(report), context().keys).contents().row_count == 2


def test_keys_are_found_where_the_environment_the_settings_and_the_home_have_them(
    owner: Context, other: Context, source: Path, tmp_path: Path
) -> None:
    path = made(export(owner, source))
    (key,) = owner.identities
    unknown = tmp_path / "unknown"
    named = {"HOLDFAST_IDENTITY": f"{unknown}{os.pathsep}{key}"}
    in_environment = replace(other, environment=named)
    assert open_backup(path, in_environment.keys).contents().row_count == 2

    write_settings(other.home.path, f"encryption: {{identities: [{key}]}}")
    assert open_backup(path, replace(other).keys).contents().row_count == 2

    write_settings(other.home.path, "")
    (other.home.path / "key.txt").write_bytes(key.read_bytes())
    assert open_backup(path, replace(other).keys).contents().row_count == 2


@pytest.mark.parametrize("form", WRITABLE)
@pytest.mark.parametrize("at", [0.3, 0.6, 0.999])
def test_damage_is_found_before_a_row_is_believed(
    owner: Context, source: Path, tmp_path: Path, form: str, at: float
) -> None:
    path = made(export(owner, source, format=form))
    content = bytearray(path.read_bytes())
    head = content.index(b"\n--- ") + 60
    content[head + int((len(content) - head) * at)] ^= 1
    path.write_bytes(content)
    (found,) = verify_backups(owner, VerifyOptions(backups=(str(path),))).backups
    assert found.exit_code == BackupDamaged.exit_code
    with pytest.raises(BackupDamaged, match=path.name):
        restore_backup(owner, RestoreOptions(backup=str(path), target=tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()


def test_a_name_that_ends_in_age_promises_an_encrypted_file(owner: Context, tmp_path: Path) -> None:
    path = tmp_path / "backup.json.age"
    path.write_bytes(b"nothing of the sort")
    with pytest.raises(BackupDamaged, match="the head of the encrypted file"):
        open_backup(path, owner.keys)


def test_what_is_encrypted_and_no_backup_is_said_to_be_none(owner: Context, tmp_path: Path) -> None:
    target = io.BytesIO()
    with encryption.encrypting(target, owner.keys) as file:
        file.write(b"Dear Ann,")
    (tmp_path / "letter.age").write_bytes(target.getvalue())
    with pytest.raises(HoldfastError, match="none of the formats"):
        open_backup(tmp_path / "letter.age", owner.keys)


def test_an_export_that_fails_leaves_nothing(owner: Context, source: Path) -> None:
    (owner.output).mkdir(parents=True)
    owner.output.chmod(0o500)
    if os.access(owner.output, os.W_OK):  # as root
        owner.output.rmdir()
        owner.output.write_bytes(b"")
    with pytest.raises(WriteFailed):
        export(owner, source)
    assert owner.output.is_file() or list(owner.output.iterdir()) == []


def test_what_was_written_and_is_not_what_was_encrypted_is_thrown_away(
    owner: Context, other: Context, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = files.fsync_file

    def lose_a_byte(file: io.BufferedRandom) -> None:
        file.seek(-1, os.SEEK_END)
        file.truncate()
        fsync(file)

    monkeypatch.setattr(files, "fsync_file", lose_a_byte)
    for context in (owner, other):
        with pytest.raises(BackupDamaged, match="it was thrown away"):
            export(context, source)
    assert list(owner.output.glob("*")) == []


def test_nobody_to_encrypt_for_is_said_and_nothing_written(
    context: MakeContext, source: Path
) -> None:
    with pytest.raises(SettingsError, match="nobody is named"):
        export(context(), source)
    assert not list(context().output.glob("backup*"))


def test_recipients_that_are_named_stand_in_for_those_that_are_set(
    owner: Context, source: Path
) -> None:
    _, public = encryption.new_identity()
    report = export(owner, source, recipients=(public,))
    assert not report.opens_here
    with pytest.raises(UsageError, match="--recipient: age1nobody is not a public key"):
        export(owner, source, recipients=("age1nobody",))


def test_recipients_and_a_passphrase_file_do_not_go_together(context: MakeContext) -> None:
    text = "encryption: {recipients: [age1x], passphrase_file: secret.txt}"
    write_settings(context().home.path, text)
    with pytest.raises(SettingsError, match=r"encryption\.passphrase_file"):
        context().keys  # noqa: B018 - read for what it raises


def test_status_names_what_cannot_be_opened_and_warns_when_it_is_the_newest(
    owner: Context, other: Context, source: Path
) -> None:
    path = made(export(owner, source))
    options = StatusOptions(database=str(source))
    assert report_status(owner, options).warnings == ()
    report = report_status(other, options)
    assert "encrypted, and no key at hand opens it" in text(report)
    assert [path.name in each for each in report.warnings] == [True]
    export(owner, source, encrypt=False)
    assert report_status(other, options).warnings == ()


@pytest.mark.parametrize("form", ["json", "folder", "sqlite"])
def test_its_date_is_read_from_its_name_where_nothing_else_can_be_read(
    owner: Context, other: Context, source: Path, form: str
) -> None:
    paths = [made(export(owner, source, format=form)) for _ in range(2)]
    (owner.output / "history.db").unlink()
    found = {each.path: each for each in report_status(other, StatusOptions()).backups}
    assert [found[path].created_at for path in paths] == [
        "2026-11-20T00:00:00Z",
        "2026-11-20T14:22:33Z",
    ]
    read = {each.path: each for each in report_status(owner, StatusOptions()).backups}
    assert [read[path].created_at for path in paths] == ["2026-11-20T14:22:33Z"] * 2


def test_standard_output_gets_it_encrypted(owner: Context, source: Path, tmp_path: Path) -> None:
    out = io.BytesIO()
    report = export(owner, source, stream=out, format="jsonl", compression="zstd")
    (tmp_path / "piped").write_bytes(out.getvalue())
    assert report.encrypted == "for 1 public key"
    assert open_backup(tmp_path / "piped", owner.keys).contents().row_count == 2


@needs("age")
@pytest.mark.parametrize("form", ["jsonl", "folder", "sqlite"])
def test_age_and_tar_open_it_without_holdfast(
    owner: Context, source: Path, tmp_path: Path, form: str
) -> None:
    path = made(export(owner, source, format=form))
    opened = tmp_path / "opened"
    subprocess.run(["age", "--decrypt", "-i", owner.identities[0], "-o", opened, path], check=True)
    if form != "jsonl":
        subprocess.run(["tar", "--extract", "--file", opened, "-C", tmp_path], check=True)
        opened = tmp_path / ("backup.db" if form == "sqlite" else "backup")
    assert open_backup(opened).contents().is_proven


def test_no_report_record_or_file_beside_holds_the_key_or_the_passphrase(
    tmp_path: Path,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOLDFAST_HOME", str(home))
    monkeypatch.setenv("HOLDFAST_PASSPHRASE", "correct horse")
    assert main(["keys", "create"]) == 0
    key = (home / "key.txt").read_text().splitlines()[-1]
    public = (home / "key.txt").read_text().split("public key: ")[1].splitlines()[0]
    write_settings(home, f"encryption: {{recipients: [{public}]}}")
    printed = capsys.readouterr().out
    for words in (
        ("export", "--db", source, "--encrypt"),
        ("status", "--db", source),
        ("keys", "check"),
        ("verify", "all"),
    ):
        assert main([*map(str, words), "--json"]) == 0
        printed += (said := capsys.readouterr().out)
    assert json.loads(said)["backups"][0]["problem"] == ""
    assert key not in printed and "horse" not in printed
    written = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert [path.name for path, each in written.items() if key.encode() in each] == ["key.txt"]
    assert not any(b"horse" in each for each in written.values())
