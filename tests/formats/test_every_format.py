"""What every format that is written must hold: all comes back, and no damage goes unseen."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.errors import BackupDamaged, BackupNotFound, BackupTooNew, NotABackup
from holdfast.formats import FORMATS, WRITABLE, glance, open_backup
from holdfast.formats.bundle import FIRST_FILE, PROGRAM
from holdfast.formats.interface import BackupFormat
from tests.formats.conftest import SMALL, Backup, read_back, write_backup

REFUSALS = (BackupDamaged, NotABackup, BackupTooNew)
BITS = (0x01, 0x20, 0x80)  # of a byte: the lowest, that of a letter's case, the highest

EVERY_VALUE = """
CREATE TABLE t (id INTEGER PRIMARY KEY, x);
INSERT INTO t (x) VALUES (NULL), (0), (-9223372036854775808), (9223372036854775807),
    (1.0), (-0.0), (5e-324), (1.7976931348623157e308), (9e999), (-9e999), (0.1),
    (''), (x''), (x'00'), ('a' || char(0) || 'b'), (char(10)), (char(13)), ('"\\'), ('{"a":1},'),
    (']'), ('},'), (char(8232)), (char(127)), ('👩‍👩‍👧'), (CAST(x'ff' AS TEXT)), ('$rowid');
CREATE TABLE "no key" (x);
INSERT INTO "no key" (rowid, x) VALUES (9, 'a'), (-3, 'a'), (4, 'a');
CREATE TABLE pairs (a, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
INSERT INTO pairs VALUES (1, 'x'), (2, 'X');
CREATE TABLE made (a INT, b INT AS (a + 1) STORED) STRICT;
INSERT INTO made VALUES (1);
CREATE INDEX i ON t (x); CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 1; END;
"""

ODD_NAMES = (
    *("tables", "seal", "end", "table", "schema", "layout", "format", "counts", "metadata"),
    *("]", "],", "{", "}", "},", '"', '":[', "\n", "\\", "\t", "'", "$rowid", "", " ", "."),
    *("..", "../up", "/", "a/b", "a\\b", "ab", "CON", "nul.txt", "dot.", "space ", "%2f", "*?"),
    *("é", "e\u0301", "É", "日本", "👩‍👩‍👧", "x" * 300, "a.jsonl", "-rf", "~", "select", "\u202e"),
)


def test_all_that_was_written_comes_back(write):
    backup = write(EVERY_VALUE)
    assert read_back(backup.path) == backup.parts


def test_a_small_backup_comes_back(write):
    backup = write(SMALL)
    assert read_back(backup.path) == backup.parts


def test_it_is_proven(write):
    contents = open_backup(write(SMALL).path).contents()
    assert contents.is_proven
    assert contents.row_count == 3
    assert contents.trailer.sequences == {"contacts": 2}


def test_an_empty_database_comes_back(write):
    backup = write("CREATE TABLE t (x); DROP TABLE t;")
    assert read_back(backup.path) == backup.parts
    assert len(backup.parts) == 2


@pytest.mark.parametrize("tables", ["a", "a b", "a b c"])
def test_empty_tables_come_back(write, tables):
    backup = write("".join(f"CREATE TABLE {name} (x);" for name in tables.split()))
    assert read_back(backup.path) == backup.parts


def test_tables_and_columns_of_any_name_come_back(write):
    quoted = ['"' + name.replace('"', '""') + '"' for name in ODD_NAMES]
    backup = write(
        "".join(
            f"CREATE TABLE {name} ({name} TEXT, other); INSERT INTO {name} VALUES ({number}, NULL);"
            for number, name in enumerate(quoted)
        )
    )
    assert read_back(backup.path) == backup.parts


def test_rows_of_any_size_come_back(write):
    backup = write(
        "CREATE TABLE long (id INTEGER PRIMARY KEY, x);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        " INSERT INTO long SELECT i, 'row ' || i FROM n;"
        "INSERT INTO long VALUES (5000, printf('%.*c', 300000, 'x')), (5001, zeroblob(100000)),"
        " (5002, printf('%.*c', 65530, 'y')), (5003, 'last');"
        "CREATE TABLE wide (x); INSERT INTO wide VALUES (printf('%.*c', 65536, char(10)));"
    )
    assert read_back(backup.path) == backup.parts


def test_what_virtual_tables_there_are_comes_back(write):
    backup = write(
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, body); INSERT INTO docs VALUES (1, 'text');"
        "CREATE VIRTUAL TABLE search USING fts5(body, content=docs, content_rowid=id);"
        "CREATE TRIGGER fill AFTER INSERT ON docs BEGIN"
        " INSERT INTO search (rowid, body) VALUES (new.id, new.body); END;"
    )
    assert read_back(backup.path) == backup.parts


def test_a_database_in_utf16_comes_back(write):
    backup = write(
        "PRAGMA encoding = 'UTF-16le'; PRAGMA user_version = 5; CREATE TABLE t (x);"
        "INSERT INTO t VALUES ('é👩'), (x'00ff');"
    )
    assert read_back(backup.path) == backup.parts


def test_it_is_recognised_by_its_content_whatever_it_is_called(write, variant, tmp_path):
    backup = write(SMALL).moved(tmp_path / "holiday.jpg")
    assert open_backup(backup.path).format.name == variant[0].name
    assert read_back(backup.path) == backup.parts


def test_the_same_content_gives_the_same_bytes(variant, make_database, tmp_path):
    source = make_database(SMALL)
    first = write_backup(source, tmp_path / "first", variant)
    second = write_backup(source, tmp_path / "second", variant)
    assert [path.read_bytes() for path in first.files()] == [
        path.read_bytes() for path in second.files()
    ]


def test_it_says_at_a_glance_when_it_was_made(write):
    backup = write(SMALL)
    assert glance(backup.path).backup_date == "2026-11-20T14:22:33Z"
    assert glance(backup.path).row_count in (3, None)


@pytest.mark.parametrize("version", ["3.0", "10.0", "0.9"])
def test_another_major_version_is_refused_as_such(write, version):
    backup = write(SMALL, version=version)
    with pytest.raises(BackupTooNew, match=version) as caught:
        open_backup(backup.path).contents()
    assert caught.value.hint


@pytest.mark.parametrize("version", ["1.9", "2.0", "2.9"])
def test_version_2_and_later_minor_versions_are_read(write, version):
    backup = write(SMALL, version=version)
    assert read_back(backup.path) == backup.parts


# Damage


def is_refused(backup: Backup) -> bool:
    """Read a damaged backup: refused, or else the very same as it was written."""
    try:
        found = read_back(backup.path)
    except REFUSALS as error:
        return bool(error.hint)
    assert found == backup.parts, "damage went unseen"
    return False


def changed(path: Path, contents: Iterator[bytes]) -> Iterator[bytes]:
    """Put each of the contents in place of the file's own for a moment."""
    original = path.read_bytes()
    for content in contents:
        path.write_bytes(content)
        yield content
    path.write_bytes(original)


@dataclass(frozen=True)
class Harm:
    """Where a file is damaged: at how many bytes of its two ends, and how often between them."""

    ends: int
    step: int
    every_kind: bool  # at each place; else one kind after the other

    def places(self, size: int) -> Iterator[int]:
        for place in range(size):
            if min(place, size - 1 - place) < self.ends or place % self.step == 0:
                yield place

    def kinds(self, number: int, kinds: Sequence[Kind]) -> Sequence[Kind]:
        """Choose those for the place that is the `number`th."""
        return kinds if self.every_kind else kinds[number % len(kinds) :][:1]


def harm_of(path: Path, variant: tuple[BackupFormat, str]) -> Harm:
    """Harm every byte of a stream, as each has a meaning; of what one hash proves, some."""
    form, compression = variant
    if path.name in (FIRST_FILE, PROGRAM):  # the same in every backup, and proven as one
        return Harm(ends=20, step=211, every_kind=False)
    if form.is_stream:
        return Harm(ends=path.stat().st_size, step=1, every_kind=compression == "none")
    return Harm(ends=500 if compression == "none" else 100, step=7, every_kind=False)


# The bytes before a place and from there on, joined in another way.
Kind = Callable[[bytes, bytes], bytes]


def _flipping(bits: int) -> Kind:
    return lambda before, after: before + bytes([after[0] ^ bits]) + after[1:]


def _putting_in(byte: bytes) -> Kind:
    return lambda before, after: before + byte + after


FLIPPED = [_flipping(bits) for bits in BITS]
EDITED = [lambda before, after: before + after[1:], *map(_putting_in, (b",", b" ", b"\n"))]


def harmed(original: bytes, harm: Harm, kinds: Sequence[Kind]) -> Iterator[bytes]:
    for number, place in enumerate(harm.places(len(original))):
        for kind in harm.kinds(number, kinds):
            yield kind(original[:place], original[place:])


def flipped(original: bytes, harm: Harm) -> Iterator[bytes]:
    """Change one bit of a byte."""
    return harmed(original, harm, FLIPPED)


def edited(original: bytes, harm: Harm) -> Iterator[bytes]:
    """Leave out one byte, or put one before it."""
    return harmed(original, harm, EDITED)


def cut(original: bytes, harm: Harm) -> Iterator[bytes]:
    """Cut at the end of each line, just before and just after it, and anywhere else."""
    ends = [position for position, byte in enumerate(original) if byte == 10]
    ends = random.Random(1).sample(ends, min(100, len(ends)))
    cuts = {position + step for position in ends for step in (0, 1, 2)}
    cuts |= set(itertools.islice(harm.places(len(original)), 0, None, 1 if harm.every_kind else 5))
    for size in sorted({0, 1, len(original) - 1} | cuts):
        if 0 <= size < len(original):
            yield original[:size]


def does_every_byte_count(variant: tuple[BackupFormat, str]) -> bool:
    """Tell whether all bytes are proven: gzip and zstd have some that say nothing of a stream."""
    form, compression = variant
    return not form.is_stream or compression == "none"


@pytest.mark.slow
@pytest.mark.parametrize("damage", [flipped, edited, cut])
def test_no_damage_goes_unseen(write, variant, damage):
    backup = write(f"PRAGMA page_size = 512; {SMALL}")
    every_byte_counts = does_every_byte_count(variant)
    for path in backup.files():
        for content in changed(path, damage(path.read_bytes(), harm_of(path, variant))):
            assert is_refused(backup) or not every_byte_counts, content


def test_a_file_that_was_cut_is_said_to_end_early_and_where(write):
    backup = write(SMALL)
    path = backup.path / "metadata.json" if backup.path.is_dir() else backup.path
    original = path.read_bytes()
    for size in range(60, len(original), max(1, len(original) // 300)):
        path.write_bytes(original[:size])
        with pytest.raises(BackupDamaged, match=f"ends early, at byte {size:,}|it was cut"):
            open_backup(backup.path).contents()


def test_a_version_that_cannot_be_read_is_damage_and_none_that_is_too_new(write):
    with pytest.raises(BackupDamaged, match="version of its format cannot be read: 'new'"):
        open_backup(write(SMALL, version="new").path).contents()


@pytest.mark.parametrize("more", [b"\n", b" ", b"\0", b"{}", b"}\n", b"[]\n"])
def test_nothing_may_follow_the_end(write, variant, more):
    backup = write(SMALL)
    every_byte_counts = does_every_byte_count(variant)
    for path in backup.files():
        for content in changed(path, iter([path.read_bytes() + more])):
            assert is_refused(backup) or not every_byte_counts, content


def test_no_line_can_be_lost_doubled_or_moved_unseen(write):
    backup = write(SMALL)
    for path in backup.files():
        lines = path.read_bytes().splitlines(keepends=True)
        others = []
        for number, line in enumerate(lines[:200]):
            before, after = lines[:number], lines[number + 1 :]
            others += [[*before, *after], [*before, line, line, *after]]
            if after and after[0] != line:
                others.append([*before, after[0], line, *after[1:]])
        for _ in changed(path, (b"".join(each) for each in others[:: len(others) // 150 + 1])):
            is_refused(backup)


def test_no_file_of_it_can_be_missing_unseen(write, tmp_path):
    backup = write(SMALL)
    for path in backup.files() if len(backup.files()) > 1 else ():
        aside = path.rename(tmp_path / "aside")
        if path.name.endswith(".manifest.json"):  # what is left is a database like any other
            assert not open_backup(backup.path).contents().is_proven
        else:
            with pytest.raises((BackupNotFound, *REFUSALS)):
                open_backup(backup.path).contents()
        aside.rename(path)


def test_no_file_of_another_can_take_the_place_of_one_unseen(variant, make_database, tmp_path):
    backups = []
    for name, sql in {"first": SMALL, "other": SMALL.replace("Ann", "Eve")}.items():
        (tmp_path / name).mkdir()
        source = make_database(sql, f"{name}.db")
        backups.append(write_backup(source, tmp_path / name / "backup", variant))
    first, other = backups
    for mine, theirs in zip(first.files(), other.files(), strict=True):
        if len(first.files()) > 1 and mine.read_bytes() != theirs.read_bytes():
            for _ in changed(mine, iter([theirs.read_bytes()])):
                assert is_refused(first)


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b"null",
        b"\n",
        b"PK\x03\x04",
        b"SQLite format 3\0",
        b"\x1f\x8b",
        b"\x28\xb5\x2f\xfd",
        b'{"format":"holdfast",',
        b'{"format":"holdfast","version":"1.0"}\n',
        b'{"format":"holdfast","version":"1.0",\n',
        b'{"backup_date":"2026-11-20"}',
        b"\xff\xfe{\0",
        b"id,name\n1,Ann\n",
        bytes(range(256)) * 20,
    ],
)
def test_what_is_no_backup_is_called_none(tmp_path, content):
    path = tmp_path / "backup.json"
    path.write_bytes(content)
    with pytest.raises((NotABackup, BackupDamaged)) as caught:
        open_backup(path).contents()
    assert caught.value.hint
    assert str(path) in str(caught.value)


def test_an_empty_file_and_an_empty_folder_are_no_backups(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder"):
        with pytest.raises(NotABackup):
            open_backup(tmp_path / name)


def test_a_backup_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(BackupNotFound, match=r"none\.json"):
        open_backup(tmp_path / "none.json")


def test_the_formats_that_are_written_are_known_by_name():
    assert "json" in WRITABLE
    assert "software_of_you" not in WRITABLE


GUESSES = {
    "a folder": (None, "That of a backup holds metadata.json."),
    "an image": (b"\x89PNG\r\n", ""),
    "text": ("Dear diary, \N{SNOWMAN}".encode() * 500, ""),
    "SQL": (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "Load it with: sqlite3 NEW.db"),
    "a log of SQLite": (b"\x37\x7f\x06\x82" + bytes(28), "Give the database beside it"),
    "nothing but zeros": (bytes(5000), "The disk, or whoever copied it, lost what it held."),
    "JSON of another program": (b' {"a": 1}', ""),
    "binary data of another program": (b"\x01\x02\0\xff" * 100, ""),
}


@pytest.mark.parametrize(("what", "case"), GUESSES.items(), ids=GUESSES)
def test_what_is_no_backup_is_called_what_it_seems_to_be(tmp_path, what, case):
    content, advice = case
    path = tmp_path / "thing"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(NotABackup, match=f"it seems to be {what}$") as caught:
        open_backup(path)
    assert caught.value.hint.startswith(advice)


def test_a_part_of_a_backup_points_to_the_whole(make_database, tmp_path):
    source = make_database(SMALL)
    copy = write_backup(source, tmp_path / "a.db", (FORMATS["sqlite"], "none")).path
    folder = write_backup(source, tmp_path / "folder", (FORMATS["folder"], "none")).path
    for part, advice in (
        (copy.with_name("a.db.manifest.json"), "Give the .db beside it."),
        (folder / "metadata.json", "Give the folder."),
        (tmp_path, "That of a backup"),
    ):
        with pytest.raises(NotABackup) as caught:
            open_backup(part)
        assert caught.value.hint.startswith(advice)
