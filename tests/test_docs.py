"""The docs are true: links lead somewhere, shown output is printed, a format can be read."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holdfast import formats, model
from holdfast.cli.run import VERBS
from tests.independent_reader import (
    TEXT_READERS,
    Found,
    cell,
    complaint,
    files_of_folder,
    line_of,
    lines_of,
    read,
    read_bundle,
    read_copy,
    read_json,
    read_zip,
    sha256,
    stored_rows,
)

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), ROOT / "bench" / "README.md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FORMAT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
SHOWN_CLONE = "/home/you/holdfast"  # where README.md pretends to be run
VARIABLES = ("HOLDFAST_HOME", "CI")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}


def without_code(page: Path) -> str:
    return re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )


# Links


def anchors(page: Path) -> set[str]:
    """What a heading can be linked to by, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    """Where links and images lead to, in each form that Markdown has for them."""
    text = re.sub(r"`[^`\n]+`", "", without_code(page))
    inline = re.findall(r"\]\(<?([^)\s>]+)", text)
    named = re.findall(r"^ *\[[^\]]+\]: *(\S+)", text, re.MULTILINE)
    return inline + named + re.findall(r"<[^>]*\b(?:href|src)=[\"']([^\"']+)", text)


def dead_links(page: Path) -> list[str]:
    found = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        is_here = "://" not in link and not link.startswith("mailto:")
        if is_here and not (target.exists() and (not anchor or anchor in anchors(target))):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_the_pages_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_a_dead_link_is_found_in_each_of_its_forms(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Some heading\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](other.md#some-heading) [b](#here) ![c](other.md) [d](https://e.invalid/f)\n"
        "[1](gone.md) [2](other.md#gone) [3](#gone) ![4](gone.png 'a title') [5][name]\n"
        '<img src="gone.svg"> <a href="other.md#away">6</a>\n'
        "`[7](code.md)`\n```text\n[8](code.md)\n```\n\n[name]: gone.txt\n",
        encoding="utf-8",
    )
    assert dead_links(page) == [
        *("gone.md", "other.md#gone", "#gone", "gone.png"),
        *("gone.txt", "gone.svg", "other.md#away"),
    ]


def test_the_readme_leads_to_every_page_of_the_docs() -> None:
    linked = set(re.findall(r"\]\((docs/[^)#]+)", README))
    assert linked == {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}


# What README.md names, and what it shows


def help_of(verb: str) -> str:
    words = [sys.executable, str(ROOT / "scripts" / f"{verb}.py"), "--help"]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_has_every_verb() -> None:
    headings = re.findall(r"^### (\w+)$", README, re.MULTILINE)
    assert sorted(headings) == sorted(VERBS)
    assert set(re.findall(r"`/backup (\w+)", README)) >= set(VERBS)


def test_the_readme_says_of_every_format_when_to_use_it() -> None:
    assert re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE) == formats.WRITABLE


def test_every_script_that_the_readme_runs_is_a_verb() -> None:
    assert set(re.findall(r"scripts/(\w+)\.py", README)) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_in_the_section_of_a_verb_is_in_its_help(verb: str) -> None:
    section = re.split(r"^##", README.split(f"\n### {verb}\n")[1], flags=re.MULTILINE)[0]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", section))
    assert named - set(re.findall(r"--[a-z][a-z-]*", help_of(verb))) == set()


def test_every_other_option_in_the_readme_is_an_option_of_some_verb() -> None:
    of_others = {"--marketplace"}
    known = set(re.findall(r"--[a-z][a-z-]*", "".join(map(help_of, VERBS))))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) - of_others - known == set()


@dataclass
class Step:
    """Some commands of README.md, and the output that it shows after them."""

    commands: list[str]
    shown: str | None
    settings: str = ""  # what is written into backup.yaml before


def steps() -> list[Step]:
    found: list[Step] = []
    for kind, text in re.findall(r"^```(\w*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE):
        if kind == "sh":
            found.append(Step(text.splitlines(), None))
        elif kind == "yaml":  # what backup.yaml is to say from here on
            found.append(Step([], None, settings=text))
        elif found and not text.startswith("/plugin"):
            assert found[-1].shown is None
            found[-1].shown = text
    return found


def test_the_first_line_of_code_backs_up_the_sample_and_the_second_runs_the_tests() -> None:
    assert steps()[0].commands == ["python3 scripts/export.py --sample", "python3 -m tests"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a fresh clone has of what runs."""
    clone = tmp_path / "holdfast"
    shutil.copytree(
        ROOT / "scripts", clone / "scripts", ignore=shutil.ignore_patterns("__pycache__", ".*")
    )
    for name in ("profiles", "sample"):
        shutil.copytree(ROOT / "data" / name, clone / "data" / name)
    shutil.copy(ROOT / "requirements.lock", clone)
    (clone / ".git").mkdir()
    return clone


def run_line(line: str, clone: Path) -> str:
    assert line.startswith("python3 ")
    if line.startswith("python3 scripts/serve.py"):
        return served_and_ended(line, clone)
    done = subprocess.run(
        f'"{sys.executable}" {line.removeprefix("python3 ")}',
        shell=True,
        cwd=clone,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode in (0, 3, 4), done.stderr
    return done.stdout


def served_and_ended(line: str, clone: Path) -> str:
    """What a server says on both outputs, up to the Ctrl-C that it asks for."""
    server = subprocess.Popen(
        [sys.executable, *line.split()[1:], "--port", "0"],
        cwd=clone,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with server:
        assert server.stderr
        said = ""
        for text in server.stderr:
            said += text
            if "Ctrl-C" in text:
                server.send_signal(signal.SIGINT)
        assert server.stdout
        said += server.stdout.read()
    assert server.returncode == 0, said
    return said


CHANGING = {  # what differs from run to run
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ": "MOMENT",
    r"\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?": "MOMENT",
    r"\d{4}-\d\d-\d\d": "DAY",
    r"[\w-]+-[0-9a-f]{4}(?=/backup-)": "OWNER",
    r"(?<=/backup-sample-)[0-9a-f]{8}": "PATH",
    r"--confirm [0-9a-f]{12}": "--confirm ID",
    r"age1[02-9ac-hj-np-z]{58}": "PUBLIC KEY",
    r"holdfast-backup-[0-9a-f]{8}": "JOB",
    r"\S+/python3?[\d.]* ": "PYTHON ",
    r"(?<=http://127\.0\.0\.1:)\d+": "PORT",
    r"(?<=token=)[\w-]{43}": "TOKEN",
    r"just now|\d+ seconds ago": "NOW",
    r"\nSQLite [\d.]+\.": "\nSQLite.",
    r"\nWarning: SQLite .*": "",  # only an old one is warned of
}


def without_what_changes(text: str, clone: str) -> str:
    text = text.replace(clone, "CLONE")
    for pattern, word in CHANGING.items():
        text = re.sub(pattern, word, text)
    return text


def as_it_is_here(line: str, real: dict[str, str]) -> str:
    for shown, here in real.items():
        line = line.replace(shown, here)
    return line


def facts(text: str, clone: str) -> list[str]:
    """The clone, moments and plans that a text names, in the order in which they are named."""
    return [clone, *re.findall(r"\d{4}-\d\d-\d\dT\d{6}Z|(?<=--confirm )[0-9a-f]{12}", text)]


def test_the_output_that_the_readme_shows_is_what_its_commands_print(clone: Path) -> None:
    real: dict[str, str] = {}  # what README.md names, by what it is called in this run
    shown_outputs = 0
    for step in steps():
        printed = ""
        if step.settings:
            (clone / "backup.yaml").write_text(step.settings)
        for line in step.commands:
            if line != "python3 -m tests":
                printed += run_line(as_it_is_here(line, real), clone)
        if step.shown is not None:
            assert without_what_changes(printed, str(clone)) == without_what_changes(
                step.shown, SHOWN_CLONE
            )
            known = facts(step.shown, SHOWN_CLONE), facts(printed, str(clone))
            real |= dict(zip(*known, strict=True))
            shown_outputs += 1
    assert shown_outputs >= len(VERBS) + 1


# A reader made from docs/format.md alone


ODD = """
CREATE TABLE "a""b\\c" (x, "$rowid");
CREATE TABLE without_rowid (k TEXT, n INTEGER, PRIMARY KEY (k, n)) WITHOUT ROWID;
CREATE TABLE keyed (k TEXT PRIMARY KEY COLLATE NOCASE, generated AS (k || '!'));
CREATE TABLE hidden_rowid (rowid, oid, _rowid_);
CREATE TABLE "empty" (x);
CREATE TABLE searched (id INTEGER PRIMARY KEY, body);
CREATE VIRTUAL TABLE search USING fts5(body, content=searched, content_rowid=id);
CREATE VIRTUAL TABLE pages USING fts5(title, body);
CREATE VIRTUAL TABLE boxes USING rtree(id, low, high);
CREATE VIRTUAL TABLE words USING fts5vocab(pages, row);
CREATE VIRTUAL TABLE bare USING fts5(body, content='');
CREATE TRIGGER fill AFTER INSERT ON searched
    BEGIN INSERT INTO bare (rowid, body) VALUES (new.id, new.body); END;
CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, r);
CREATE VIEW v AS SELECT 1;
CREATE TRIGGER t AFTER INSERT ON numbered BEGIN SELECT 1; END;
INSERT INTO "a""b\\c" VALUES (1, -0.0), (9e999, -9e999), (x'00ff', CAST(x'41ff' AS TEXT)),
    (CAST(x'00d8' AS TEXT), CAST(x'410000dc' AS TEXT)),
    ('', x''), (9223372036854775807, -9223372036854775808), ('{"$real":"inf"}', NULL),
    (char(0, 1, 8, 9, 10, 12, 13, 31, 34, 47, 92, 127, 133, 8232, 128512), 5e-324);
INSERT INTO without_rowid VALUES ('é', 2), ('é', 1), ('z', 0), ('Z', 0);
INSERT INTO keyed VALUES ('b'), ('a'), ('B2'), (NULL), (NULL), (x'00'), (2.5), (10);
INSERT INTO hidden_rowid VALUES (3, 2, 1);
INSERT INTO numbered VALUES (7, 1e15), (3, 1e16), (5, 0.00001), (4, 0.000001), (6, 123456.789);
INSERT INTO searched VALUES (1, 'found'), (2, 'lost');
INSERT INTO search(search) VALUES ('rebuild');
INSERT INTO pages VALUES ('one', 'text of its own'), ('two', NULL);
INSERT INTO boxes VALUES (2, 0.5, 1), (1, -1, 3);
UPDATE sqlite_sequence SET seq = 99;
PRAGMA user_version = 12;
PRAGMA application_id = -34;
"""


def make_odd(path: Path, encoding: str = "UTF-8") -> None:
    """A database with one of everything that the page has a rule for."""
    doubles = random.Random(1)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"PRAGMA encoding = '{encoding}'; {ODD}")
        for _ in range(3000):
            (value,) = struct.unpack("<d", doubles.randbytes(8))
            connection.execute("INSERT INTO numbered (r) VALUES (?)", [value])  # NaN is NULL
        for power in range(-30, 30):
            connection.execute("INSERT INTO numbered (r) VALUES (?)", [1.25 * 10.0**power])
        connection.commit()


def export(tmp_path: Path, *words: str, folder: str = "exported") -> Path:
    """Run an export and return what it wrote."""
    target = tmp_path / folder / "backup"
    command = [sys.executable, str(ROOT / "scripts" / "export.py"), "--output", str(target)]
    home = environment() | {"HOLDFAST_HOME": str(tmp_path / "home")}
    done = subprocess.run([*command, *words], capture_output=True, encoding="utf-8", env=home)
    assert done.returncode == 0, done.stderr
    return target


BACKUPS = [
    *("json", "json --pretty", "json utf-16", "jsonl", "folder", "folder --compress gzip"),
    *("zip", "sqlite", "sqlite utf-16", "sample"),
]


@pytest.fixture(scope="module", params=BACKUPS)
def backup(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Found]:
    """A database, and what the reader made from the page finds in a backup of it."""
    tmp_path = tmp_path_factory.mktemp("backup")
    if request.param == "sample":
        database = tmp_path / "home" / "data" / "sample.db"
        return database, read("json", export(tmp_path, "--sample"))
    path = tmp_path / "odd.db"
    form, *options = request.param.split()
    if "utf-16" in options:
        options.remove("utf-16")
        make_odd(path, "UTF-16le")
    else:
        make_odd(path)
    exported = export(tmp_path, "--db", str(path), "--format", form, *options)
    return path, read(form, exported)


def test_a_reader_made_from_the_page_proves_a_backup(backup: tuple[Path, Found]) -> None:
    _, found = backup
    assert complaint(found) == ""
    assert sum(found.trailer["counts"].values()) > 3000


def test_a_reader_made_from_the_page_finds_the_rows_that_sqlite_has(
    backup: tuple[Path, Found],
) -> None:
    path, found = backup
    stored = dict(stored_rows(path, found.header["layout"]))
    for name, lines in found.tables:
        rows = [{key: cell(value) for key, value in json.loads(line).items()} for line in lines]
        if name != "soy_meta":  # holds the time of this very backup
            # As text: 1 is not 1.0 then, nor 0.0 -0.0.
            assert list(map(repr, rows)) == list(map(repr, stored[name]))


def test_the_rules_of_the_page_give_the_lines_of_the_file(backup: tuple[Path, Found]) -> None:
    path, found = backup
    stored = dict(stored_rows(path, found.header["layout"]))
    for name, lines in found.tables:
        if name != "soy_meta":
            assert list(map(line_of, stored[name])) == lines


def test_the_schema_is_that_of_sqlite(backup: tuple[Path, Found]) -> None:
    path, found = backup
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema"
            " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY rowid"
        ).fetchall()
        listed = connection.execute("PRAGMA table_list").fetchall()
        shadows = {name for _, name, kind, *_ in listed if kind == "shadow"}
        sequences = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    assert [tuple(entry.values()) for entry in found.header["schema"]] == [
        row for row in rows if row[2] not in shadows
    ]
    assert found.trailer["sequences"] == sequences


def test_a_table_is_skipped_or_has_its_rows_written_and_never_both(
    backup: tuple[Path, Found],
) -> None:
    _, found = backup
    skipped = {each["table"] for each in found.header["skipped_tables"]}
    assert skipped & set(found.header["layout"]) == set()
    assert {entry["name"] for entry in found.header["schema"] if entry["type"] == "table"} == (
        skipped | set(found.header["layout"])
    )


def test_virtual_tables_are_written_or_left_out_as_the_page_says(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    make_odd(path)
    header = read_json(export(tmp_path, "--db", str(path)).read_text("utf-8")).header
    assert {each["table"] for each in header["skipped_tables"]} == {"search", "words", "bare"}
    assert header["layout"]["pages"]["columns"] == ["$rowid", "title", "body"]
    assert header["layout"]["boxes"]["key"] == ["id"]


# Does the reader see a change? Else it would prove nothing.


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "odd.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(ODD)
    return path


def is_seen(read_it: Callable[..., Found], *changed: Any) -> bool:
    """Tell whether the reader complains, or cannot read what it is given."""
    try:
        return bool(complaint(read_it(*changed)))
    except (ValueError, LookupError):
        return True


def changed_lines(text: str) -> Iterator[str]:
    """Yield a text again and again, each time with one letter or digit of another line changed."""
    lines = lines_of(text)
    for number, line in enumerate(lines):
        place = next((at for at in reversed(range(len(line))) if line[at].isalnum()), None)
        if place is not None:
            other = "1" if line[place] == "0" else "0"
            changed = [*lines[:number], line[:place] + other + line[place + 1 :]]
            yield "".join([*changed, *lines[number + 1 :]])


@pytest.mark.parametrize("form", TEXT_READERS)
def test_the_reader_sees_a_change_of_any_line(small: Path, tmp_path: Path, form: str) -> None:
    text = export(tmp_path, "--db", str(small), "--format", form).read_text("utf-8")
    unseen = [
        changed for changed in changed_lines(text) if not is_seen(TEXT_READERS[form], changed)
    ]
    assert unseen == []


def test_the_reader_sees_a_change_of_any_file_of_a_folder(small: Path, tmp_path: Path) -> None:
    files = files_of_folder(export(tmp_path, "--db", str(small), "--format", "folder"))
    assert not is_seen(read_bundle, files)
    assert is_seen(read_bundle, files | {"stray": b""})
    for name in files:
        assert is_seen(read_bundle, files | {name: files[name] + b"\n"})
        assert is_seen(read_bundle, {each: files[each] for each in files if each != name})
    for text in changed_lines(files["metadata.json"].decode()):
        assert is_seen(read_bundle, files | {"metadata.json": text.encode()})


def test_the_reader_sees_a_change_of_any_byte_of_a_zip(small: Path, tmp_path: Path) -> None:
    content = export(tmp_path, "--db", str(small), "--format", "zip").read_bytes()
    assert not is_seen(read_zip, content)
    for place in range(0, len(content), 997):
        changed = bytearray(content)
        changed[place] ^= 1
        assert is_seen(read_zip, bytes(changed))
    assert is_seen(read_zip, content[:-1])


def test_the_reader_sees_a_change_of_a_page_copy_and_of_its_manifest(
    small: Path, tmp_path: Path
) -> None:
    copy = export(tmp_path, "--db", str(small), "--format", "sqlite")
    manifest = copy.with_name("backup.manifest.json").read_text("utf-8")
    assert not is_seen(read_copy, copy, manifest)
    for text in changed_lines(manifest):
        assert is_seen(read_copy, copy, text)
    with copy.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    assert is_seen(read_copy, copy, manifest)


# docs/format.md itself


def keys_of_tables(page: str) -> list[list[str]]:
    """The keys in the first column of each table of a page."""
    tables = re.findall(r"^\| Key \|.*\n\|.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) for table in tables]


NEVER_WRITTEN = {"unknown_keys", "notes"}


@pytest.mark.parametrize(
    "record",
    [model.Header, model.DatabaseFacts, model.SchemaEntry, model.Layout, model.Trailer],
    ids=lambda record: record.__name__,
)
def test_the_page_has_a_table_with_every_key_of_a_record(record: Any) -> None:
    names = set(record.__struct_fields__) - NEVER_WRITTEN
    assert names in [set(keys) for keys in keys_of_tables(FORMAT)]


def test_keys_are_written_in_the_order_of_the_page(tmp_path: Path) -> None:
    found = read_json(export(tmp_path, "--sample").read_text("utf-8"))
    part = export(tmp_path, "--sample", "--tables", "tasks", folder="part")
    choice = read_json(part.read_text("utf-8")).header["choice"]
    # The sample has no full-text index, and so none of their settings; and its profile no rules.
    names = list(found.header)
    names.insert(names.index("schema"), "settings")
    place = names.index("database")
    names[place:place] = ["choice", "left_out", "redacted"]
    left_out = ["rows", "links", "references", "columns"]
    header = {name: found.header.get(name) for name in names}
    trailer = found.trailer
    folder = export(tmp_path, "--sample", "--format", "folder", folder="folder")
    metadata = json.loads((folder / "metadata.json").read_bytes())
    own = [key for key in metadata if key not in (*header, *trailer, "seal")]
    copy = export(tmp_path, "--sample", "--format", "sqlite", folder="copy")
    manifest = json.loads(copy.with_name("backup.manifest.json").read_bytes())
    of = found.header
    written = [
        header,
        choice,
        left_out,
        of["database"],
        of["schema"][0],
        of["layout"]["tasks"],
        trailer,
    ]
    assert [list(each) for each in [*written, own, manifest]] == keys_of_tables(FORMAT)
    assert list(metadata) == [
        *(key for key in found.header if key not in ("schema", "layout")),
        *("name", "summary", "includes", "schema", "layout", "files"),
        *(*trailer, "seal"),
    ]


def test_the_page_says_what_is_in_a_skipped_table() -> None:
    names = list(model.SkippedTable.__struct_fields__)
    [row] = re.findall(r"^\| `skipped_tables` \|.*$", FORMAT, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row)[1:] == names


def test_the_version_of_the_page_is_the_one_that_is_written(tmp_path: Path) -> None:
    version = read("json", export(tmp_path, "--sample")).header["version"]
    assert f"This is version {version}" in FORMAT


def examples() -> dict[str, str]:
    """The whole backups that the page shows, by format."""
    shown = re.findall(r'^```text\n(\{"format".*?)^```', FORMAT, re.DOTALL | re.MULTILINE)
    return dict(zip(TEXT_READERS, shown, strict=True))


def test_the_page_has_every_format_that_is_written() -> None:
    # The JSON document is what is written when no format is named.
    named = set(re.findall(r"`--format (\w+)`", FORMAT))
    assert named | {"json"} == set(formats.WRITABLE)


@pytest.mark.parametrize("form", TEXT_READERS)
def test_the_example_of_the_page_is_a_whole_backup(form: str) -> None:
    assert complaint(TEXT_READERS[form](examples()[form])) == ""


def test_the_examples_of_the_page_are_the_same_backup() -> None:
    first, second = (TEXT_READERS[form](text) for form, text in examples().items())
    assert (first.header, first.tables, first.trailer) == (
        second.header,
        second.tables,
        second.trailer,
    )


@pytest.mark.parametrize("form", TEXT_READERS)
def test_the_example_of_the_page_is_read_by_the_program(form: str, tmp_path: Path) -> None:
    path = tmp_path / "example"
    path.write_bytes(examples()[form].encode())
    contents = formats.open_backup(path).contents()
    assert contents.is_proven
    assert contents.trailer.counts == {"notes": 2, "tags": 0}


def test_the_manifest_of_the_page_is_that_of_the_same_backup() -> None:
    [shown] = re.findall(r'^```text\n(\{"header".*?)^```', FORMAT, re.DOTALL | re.MULTILINE)
    *sealed, _ = lines_of(shown)
    manifest, document = json.loads(shown), read_json(examples()["json"])
    assert (manifest["header"], manifest["trailer"]) == (document.header, document.trailer)
    assert manifest["seal"] == sha256("".join(sealed).encode())


def test_a_folder_holds_the_files_that_the_page_names(tmp_path: Path) -> None:
    named = set(re.findall(r"^- `([\w.]+)`:", FORMAT, re.MULTILINE))
    folder = export(tmp_path, "--sample", "--format", "folder")
    assert {path.name for path in folder.iterdir()} == named | {"tables"}


def test_line_by_line_the_rows_of_a_table_are_those_of_the_json_document(tmp_path: Path) -> None:
    # So that other programs can take a file of a folder as it is.
    folder = export(tmp_path, "--sample", "--reproducible", "--format", "folder", folder="folder")
    tables = dict(read("json", export(tmp_path, "--sample", "--reproducible")).tables)
    lines = (folder / "tables" / "tasks.jsonl").read_text("utf-8")
    assert lines == "".join(tables["tasks"])


@pytest.mark.parametrize(("compression", "start"), [("zstd", "28 b5 2f fd"), ("gzip", "1f 8b")])
def test_a_compressed_backup_begins_as_the_page_says(
    compression: str, start: str, tmp_path: Path
) -> None:
    assert f"`{start}`" in FORMAT
    exported = export(tmp_path, "--sample", "--compress", compression).read_bytes()
    assert exported.startswith(bytes.fromhex(start))
    if compression == "gzip":
        assert complaint(read_json(gzip.decompress(exported).decode())) == ""


def test_a_zip_begins_as_the_page_says(tmp_path: Path) -> None:
    assert "`50 4b 03 04`" in FORMAT
    exported = export(tmp_path, "--sample", "--format", "zip").read_bytes()
    assert exported.startswith(bytes.fromhex("50 4b 03 04"))
    assert exported[30:].startswith(b"RESTORE.md")


@pytest.mark.parametrize("form", ["json", "zip"])
def test_an_unchanged_database_gives_the_same_bytes_when_asked_to(
    form: str, tmp_path: Path
) -> None:
    path = tmp_path / "odd.db"
    make_odd(path)
    words = ["--db", str(path), "--reproducible", "--format", form]
    first, second = (export(tmp_path, *words, folder=name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    left_out = ["backup_date", "exported_by", "generator", "settings"]
    left_out += ["choice", "left_out", "redacted"]
    keys = [key for key in keys_of_tables(FORMAT)[0] if key not in left_out]
    assert list(read(form, first).header) == keys
