"""Folders and zips: files that any tool reads, under names that never clash, all of them proven."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.errors import BackupDamaged, BackupTooNew, NotABackup, UsageError
from holdfast.formats import bundle, folder, glance, open_backup, zip_file
from holdfast.formats.bundle import file_names
from holdfast.formats.interface import Content, Target
from tests.conftest import rows
from tests.formats.conftest import SMALL, read_back, write_backup
from tests.running import needs

FOLDER = (folder.FORMAT, "none")
ZIP = (zip_file.FORMAT, "none")
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def write(make_database, tmp_path):
    """Write a backup of the database that some SQL makes, and return where it is."""

    def write_it(sql=SMALL, variant=FOLDER, **changes):
        return write_backup(make_database(sql), tmp_path / "backup", variant, **changes).path

    return write_it


def metadata_of(path):
    return json.loads((path / "metadata.json").read_text(encoding="utf-8"))


def sealed_anew(path, change):
    """Change metadata.json and seal it, as one who forges a backup would."""
    items = metadata_of(path)
    change(items)
    items.pop("seal")
    text = json.dumps(items, indent=2).removesuffix("\n}").encode() + b",\n"
    seal = hashlib.sha256(text).hexdigest().encode()
    (path / "metadata.json").write_bytes(text + b'  "seal": "%s"}\n' % seal)


def zipped(source, path, extra=()):
    """Zip a folder by hand, with the comment that it needs; `extra` are further members."""
    names = sorted(each for each in source.rglob("*") if each.is_file())
    names.sort(key=lambda each: each.name != "RESTORE.md")
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"sha256:" + b"0" * 64
        for each in names:
            archive.write(each, each.relative_to(source).as_posix())
        for name, text in extra:
            archive.writestr(name, text)
    return commented(path)


def commented(path):
    text = path.read_bytes()[:-64]
    path.write_bytes(text + hashlib.sha256(text).hexdigest().encode())
    return path


def refusal(path):
    with pytest.raises(BackupDamaged) as caught:
        open_backup(path).contents()
    assert caught.value.hint
    assert str(path) in str(caught.value)
    return str(caught.value)


# What is in it


def test_a_folder_holds_readable_files(write):
    path = write()
    assert sorted(each.relative_to(path).as_posix() for each in path.rglob("*")) == [
        *("RESTORE.md", "metadata.json", "restore.py", "schema.sql", "tables"),
        *("tables/contacts.jsonl", "tables/empty.jsonl", "tables/tags.jsonl"),
    ]
    assert (path / "tables/contacts.jsonl").read_text(encoding="utf-8") == (
        '{"id":1,"name":"Ann","photo":{"$base64":true,"encoded":"AP8="}}\n'
        '{"id":2,"name":"Bøb","photo":null}\n'
    )
    assert (path / "tables/empty.jsonl").read_bytes() == b""


def test_metadata_say_what_the_backup_is_and_name_every_file(write):
    path = write()
    metadata = metadata_of(path)
    assert list(metadata)[:5] == ["format", "version", "backup_date", "exported_by", "generator"]
    assert metadata["name"] == "tool"
    assert metadata["includes"] == ["contacts", "empty", "tags"]
    assert metadata["summary"] == {"tables": 3, "rows": 3}
    assert metadata["counts"] == {"contacts": 2, "empty": 0, "tags": 1}
    assert metadata["sequences"] == {"contacts": 2}
    assert metadata["files"]["tables/empty.jsonl"] == {"table": "empty", "sha256": EMPTY_SHA256}
    others = [each for each in path.rglob("*") if each.is_file() and each.suffix != ".json"]
    assert len(others) == len(metadata["files"])
    for each in others:
        found = metadata["files"][each.relative_to(path).as_posix()]
        assert found["sha256"] == hashlib.sha256(each.read_bytes()).hexdigest()


def test_the_last_line_of_metadata_seals_all_before_it(write):
    lines = (write() / "metadata.json").read_bytes().splitlines(keepends=True)
    seal = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    assert lines[-1] == f'  "seal": "{seal}"}}\n'.encode()


def test_a_zip_holds_the_files_of_the_folder(write, make_database, tmp_path):
    backup, path = write(), tmp_path / "backup.zip"
    write_backup(tmp_path / "tool.db", path, ZIP)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            each.relative_to(backup).as_posix(): each.read_bytes()
            for each in backup.rglob("*")
            if each.is_file()
        }


def test_the_files_are_for_their_owner_alone(write, tmp_path):
    for each in write().rglob("*"):
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600)
    path = tmp_path / "backup.zip"
    write_backup(tmp_path / "tool.db", path, ZIP)
    with zipfile.ZipFile(path) as archive:
        assert {member.external_attr >> 16 for member in archive.infolist()} == {0o100600}


@needs("sqlite3")
def test_the_sqlite3_shell_runs_the_schema(write):
    sql = SMALL + (
        "ANALYZE; CREATE INDEX i ON contacts (name) -- why\n;"
        'CREATE TABLE docs_more (x); CREATE TABLE "a""b" (x -- dash\n);'
        "CREATE VIEW v AS SELECT 1 -- one\n; CREATE VIRTUAL TABLE docs USING fts5(body);"
        "CREATE TRIGGER t AFTER DELETE ON tags BEGIN SELECT 1; END;"
    )
    path = write(sql)
    made = path.with_name("made.db")
    text = (path / "schema.sql").read_text(encoding="utf-8")
    subprocess.run(["sqlite3", "-bail", made], input=text.encode(), check=True)
    query = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
    assert sorted(map(str, rows(made, query))) == sorted(
        map(str, rows(path.with_name("tool.db"), query))
    )


def test_sqlite_utils_loads_the_file_of_a_table_as_it_is(write, tmp_path):
    path = write()
    made = tmp_path / "made.db"
    subprocess.run(
        [
            *(sys.executable, "-m", "sqlite_utils", "insert", made, "contacts"),
            *(path / "tables/contacts.jsonl", "--nl"),
        ],
        check=True,
    )
    assert rows(made, "SELECT id, name, photo FROM contacts") == [
        (1, "Ann", b"\x00\xff"),
        (2, "Bøb", None),
    ]


@needs("unzip")
def test_unzip_finds_the_zip_sound(write):
    done = subprocess.run(["unzip", "-t", write(variant=ZIP)], capture_output=True)
    assert done.returncode == 0, done.stdout
    assert b"No errors detected" in done.stdout


def test_the_same_content_gives_the_same_zip_at_any_time(write, monkeypatch, make_database):
    path = write(variant=ZIP)
    monkeypatch.setattr("time.time", lambda: 2e9)
    again = write_backup(path.with_name("tool.db"), path.with_name("again.zip"), ZIP)
    assert again.path.read_bytes() == path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_zip_to_a_pipe_is_refused(make_database):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    with pytest.raises(UsageError) as caught:
        zip_file.write(Target(Pipe()), cast(Content, None))
    assert "--output" in caught.value.hint


@pytest.mark.parametrize(("compression", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_the_files_of_tables_can_be_compressed(write, compression, suffix):
    path = write(variant=(folder.FORMAT, compression))
    plain = write_backup(path.with_name("tool.db"), path.with_name("plain"), FOLDER)
    assert sorted(each.name for each in (path / "tables").iterdir()) == [
        f"{table}.jsonl{suffix}" for table in ("contacts", "empty", "tags")
    ]
    assert (path / "schema.sql").read_bytes() == (plain.path / "schema.sql").read_bytes()
    assert read_back(path) == plain.parts


@needs("zstd")
@needs("gzip")
@pytest.mark.parametrize(("compression", "tool"), [("gzip", "gzip"), ("zstd", "zstd")])
def test_the_tools_of_the_compressions_unpack_the_files(write, compression, tool):
    path = write(variant=(folder.FORMAT, compression))
    for each in (path / "tables").iterdir():
        done = subprocess.run([tool, "-d", "-c", each], capture_output=True, check=True)
        assert bool(done.stdout) == (not each.name.startswith("empty"))


def test_it_says_at_a_glance_what_it_is_without_its_rows(write):
    path = write()
    shutil.rmtree(path / "tables")
    assert (glance(path).backup_date, glance(path).row_count) == ("2026-11-20T14:22:33Z", 3)


def test_a_reproducible_backup_has_no_date(write):
    path = write(backup_date="", exported_by="", generator="")
    assert "backup_date" not in metadata_of(path)
    assert glance(path).backup_date is None


# Names of files

SOME_NAMES = (
    "a/b",
    "ab",
    "A/B",
    "..",
    "",
    "💥",
    "x" * 300,
    "CON",
    "nul",
    "a b",
    "-rf",
    "é",
    "e\u0301",
)
PORTABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


@given(st.lists(st.text() | st.sampled_from(SOME_NAMES), unique=True))
@example(list(SOME_NAMES))
@example(["contact", "CONTACT", "Contact"])
def test_no_two_tables_ever_share_a_file(tables):
    # Tables may well be called what others were renamed to.
    for _ in range(2):
        names = file_names(tables)
        assert list(names) == tables
        assert len({name.lower() for name in names.values()}) == len(tables)
        for name in names.values():
            assert PORTABLE.fullmatch(name)
            assert name.lower() not in DEVICES
        tables = list(dict.fromkeys([*names.values(), *tables]))


def test_a_plain_name_stays_and_any_other_can_still_be_read():
    names = file_names(["contacts", "follow-ups_2", "a/b", "Nul", "Ünder", "x" * 300])
    assert list(names.values())[:2] == ["contacts", "follow-ups_2"]
    assert re.fullmatch(r"a_b-[0-9a-f]{10}", names["a/b"])
    assert re.fullmatch(r"Nul-[0-9a-f]{10}", names["Nul"])
    assert re.fullmatch(r"_nder-[0-9a-f]{10}", names["Ünder"])
    assert len(names["x" * 300]) == 61


def test_a_name_does_not_depend_on_the_other_tables():
    assert file_names(["a/b", "z"])["a/b"] == file_names(["a", "a/b"])["a/b"]


# Damage


@pytest.fixture
def short_texts(monkeypatch, tmp_path):
    """Put short files in place of the program and its page: each byte of them is flipped."""
    for name in ("RESTORE.md", "restore.py"):
        (tmp_path / name).write_text(f"# {name}\n")
    monkeypatch.setattr(bundle, "_FILES", tmp_path)


def unseen_flips(path, file):
    """Change each byte of a file in turn, and return the positions at which nothing is refused."""
    original, unseen = file.read_bytes(), []
    for position, byte in enumerate(original):
        file.write_bytes(original[:position] + bytes([byte ^ 0x20]) + original[position + 1 :])
        try:
            open_backup(path).contents()
        except (BackupDamaged, BackupTooNew, NotABackup):
            continue
        unseen.append(position)
    file.write_bytes(original)
    return unseen


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_every_changed_byte_of_a_folder_is_found(write, short_texts, compression):
    path = write("CREATE TABLE t (x); INSERT INTO t VALUES ('a');", (folder.FORMAT, compression))
    whole = read_back(path)
    for file in [each for each in path.rglob("*") if each.is_file()]:
        assert unseen_flips(path, file) == [], file
    assert read_back(path) == whole


def test_every_changed_byte_of_a_zip_is_found(write, short_texts):
    path = write("CREATE TABLE t (x); INSERT INTO t VALUES ('a');", ZIP)
    whole = read_back(path)
    assert unseen_flips(path, path) == []
    assert read_back(path) == whole


@pytest.mark.parametrize("name", ["metadata.json", "tables/tags.jsonl", "RESTORE.md"])
def test_a_missing_file_is_named(write, name):
    path = write()
    (path / name).unlink()
    assert f"{name} is missing" in refusal(path)


@pytest.mark.parametrize("name", ["more.txt", "tables/more.jsonl", "restored.db"])
def test_an_additional_file_is_named(write, name):
    path = write()
    (path / name).write_text("{}")
    assert f"{name} is not part of it" in refusal(path)


def test_what_systems_leave_in_folders_does_no_harm(write):
    path = write()
    whole = read_back(path)
    for name in (".DS_Store", "tables/.DS_Store", "Thumbs.db", "desktop.ini", ".git/config"):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).touch()
    (path / "empty folder").mkdir()
    assert read_back(path) == whole
    zipped_by_us = path.with_name("download.zip")
    zipped_by_us.write_bytes(b"".join(zip_file.zip_of(path)))
    assert read_back(zipped_by_us) == whole


def test_a_table_whose_hash_was_made_anew_is_still_found(write):
    path = write()
    text = b'{"$rowid":1,"name":"old"}\n'
    (path / "tables/tags.jsonl").write_bytes(text)

    def rehash(items):
        items["files"]["tables/tags.jsonl"]["sha256"] = hashlib.sha256(text).hexdigest()

    sealed_anew(path, rehash)
    assert "the rows of tags are not those that were written" in refusal(path)


@pytest.mark.parametrize("text", [b"[]\n", b'{"$rowid":1,"name":"new"}', b"\n", b"\xef\xbb\xbf"])
def test_a_line_that_is_no_row_is_refused(write, text):
    path = write()
    (path / "tables/tags.jsonl").write_bytes(text)

    def rehash(items):
        items["files"]["tables/tags.jsonl"]["sha256"] = hashlib.sha256(text).hexdigest()

    sealed_anew(path, rehash)
    assert "tables/tags.jsonl holds a line that is no row" in refusal(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items["files"].pop("tables/tags.jsonl"),
        lambda items: items["files"]["tables/tags.jsonl"].pop("table"),
        lambda items: items.pop("files"),
        lambda items: items.update(files=[]),
        lambda items: items.pop("counts"),
        lambda items: items.update(digests=None),
        lambda items: items["layout"].pop("tags"),
        lambda items: items["files"].update({"../tool.db": {"sha256": EMPTY_SHA256}}),
        lambda items: items["files"].update({"/etc/passwd": {"sha256": EMPTY_SHA256}}),
    ],
)
def test_metadata_that_do_not_fit_the_files_are_refused(write, change):
    path = write()
    sealed_anew(path, change)
    refusal(path)


def test_a_later_minor_version_may_add_keys(write):
    path = write(version="1.7")
    whole = read_back(path)
    sealed_anew(path, lambda items: items.update(mood="good"))
    assert open_backup(path).contents().header.unknown_keys == ("mood",)
    assert read_back(path)[1:] == whole[1:]


# Zips made by another hand


def test_a_zip_made_by_hand_is_read(write, tmp_path):
    path = write()
    assert read_back(zipped(path, tmp_path / "hand.zip")) == read_back(path)


def test_a_zip_that_was_packed_anew_is_refused_for_that(write, tmp_path):
    path = zipped(write(), tmp_path / "hand.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b""
    assert "zipped anew" in refusal(path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "tables/../../up", "C:/x", "..\\up"])
def test_a_zip_that_reaches_out_of_itself_is_refused(write, tmp_path, name):
    path = zipped(write(), tmp_path / "hand.zip", [(name, b"")])
    assert "would lie outside of it" in refusal(path)


def test_a_zip_with_a_file_that_nothing_names_is_refused(write, tmp_path):
    path = zipped(write(), tmp_path / "hand.zip", [("more.txt", b"")])
    assert "more.txt is not part of it" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_that_holds_a_file_twice_is_refused(write, tmp_path):
    path = zipped(write(), tmp_path / "hand.zip", [("schema.sql", b"")])
    assert "it holds schema.sql twice" in refusal(path)


def test_an_encrypted_zip_is_refused(write, tmp_path):
    path = zipped(write(), tmp_path / "hand.zip")
    text = bytearray(path.read_bytes())
    position = text.rindex(b"PK\x01\x02") + 8  # the flags of the last member in the directory
    text[position] |= 0x1
    path.write_bytes(text)
    assert "is encrypted" in refusal(commented(path))


def test_no_change_of_what_frames_a_zip_brings_out_another_error(write, tmp_path):
    path = zipped(write("CREATE TABLE t (x);"), tmp_path / "hand.zip")
    original = path.read_bytes()
    directory = original.index(b"PK\x01\x02")
    for position, bits in itertools.product(range(directory, len(original) - 71), (0x01, 0xFF)):
        text = bytearray(original)
        text[position] ^= bits
        path.write_bytes(text)
        try:
            found = open_backup(commented(path)).contents()
        except (BackupDamaged, NotABackup):
            continue
        assert found.row_count == 0


def test_any_other_zip_is_no_backup(tmp_path):
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(NotABackup):
        open_backup(path)


def test_any_other_folder_is_no_backup(tmp_path):
    (tmp_path / "metadata.json").write_text('{"format": "photos"}')
    (tmp_path / "restore.py").touch()
    with pytest.raises(NotABackup):
        open_backup(tmp_path)
