"""A page copy in a zip with its manifest: read as the copy, and proven as it is."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from holdfast.errors import BackupDamaged
from holdfast.formats import FORMATS, glance, open_backup
from holdfast.formats.sqlite_copy import MANIFEST_SUFFIX
from holdfast.formats.zipped_copy import zip_of_copy
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from tests.conftest import rows

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body); INSERT INTO notes VALUES (1, 'milk')"


@pytest.fixture
def copy(make_database, context, tmp_path):
    """A page copy, with its manifest beside it."""

    def make(compression="none"):
        path = tmp_path / "copy.db"
        source = str(make_database(NOTES))
        options = ExportOptions(
            database=source, output=path, format="sqlite", compression=compression
        )
        export_backup(context(), options)
        return path

    return make


def zipped(tmp_path, content):
    path = tmp_path / "copy.db.zip"
    path.write_bytes(content)
    return path


def of_files(tmp_path, **contents):
    """Make a zip as other programs do, of files by name."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return zipped(tmp_path, held.getvalue())


def contents_of(copy):
    manifest = copy.with_name(copy.name + MANIFEST_SUFFIX)
    return {copy.name: copy.read_bytes(), manifest.name: manifest.read_bytes()}


@pytest.mark.parametrize("compression", ["none", "zstd", "gzip"])
def test_it_is_verified_to_the_last_rung_and_restored_byte_for_byte(
    copy, context, tmp_path, compression
):
    made = copy(compression)
    path = zipped(tmp_path, b"".join(zip_of_copy(made)))
    assert zipfile.ZipFile(path).testzip() is None
    assert glance(path) == glance(made)
    [found] = verify_backups(context(), VerifyOptions(backups=(str(path),))).backups
    assert (found.problem, found.rungs[-1], found.row_count) == ("", "sound", 1)
    for backup in (path, made):
        target = backup.with_name(f"{backup.name}-restored.db")
        restore_backup(context(), RestoreOptions(backup=str(backup), target=target))
        assert rows(target, "SELECT * FROM notes") == [(1, "milk")]
    restored, of_copy = sorted(tmp_path.glob("*-restored.db"))
    assert restored.read_bytes() == of_copy.read_bytes()


def test_one_that_another_program_made_of_the_two_files_is_the_same(copy, tmp_path):
    path = of_files(tmp_path, **contents_of(copy()))
    with open_backup(path) as reader:
        assert reader.format is FORMATS["zipped_copy"]
        assert len(list(reader.parts())) == 4  # header, table, its row, trailer


def test_a_changed_byte_of_the_copy_or_the_manifest_is_damage(copy, tmp_path):
    made = contents_of(copy())
    for name, content in made.items():
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        with pytest.raises(BackupDamaged):
            list(open_backup(of_files(tmp_path, **made | {name: bytes(changed)})).parts())


def test_no_more_is_unpacked_than_the_manifest_says(copy, tmp_path):
    made = contents_of(copy())
    name = min(made, key=len)
    path = of_files(tmp_path, **made | {name: made[name] + bytes(50_000_000)})
    words = re.escape(f"{name} in it is larger than it should be")
    with pytest.raises(BackupDamaged, match=words):
        list(open_backup(path).parts())


@pytest.mark.parametrize("other", ["second.db", "copy.db.manifest", "in/copy.db.manifest.json"])
def test_a_zip_of_other_files_is_none(copy, tmp_path, other):
    path = of_files(tmp_path, **{"copy.db": copy().read_bytes(), other: b"{}"})
    assert FORMATS["zipped_copy"].recognise(path, path.read_bytes()[:4096]) is False
