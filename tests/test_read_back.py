"""An export reads back what it wrote: what is not what was read is never called a backup."""

from __future__ import annotations

import os
import subprocess

import pytest
from msgspec.structs import replace

from holdfast.errors import BackupDamaged
from holdfast.formats import FORMATS, WRITABLE
from holdfast.formats.interface import Content, Target
from holdfast.operations.export_backup import ExportOptions, export_backup
from tests.running import command, environment, files_in, make_database, needs, run

NOTES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body);"
    "INSERT INTO notes VALUES (1, 'first'), (2, 'second');"
    "CREATE TABLE tags (name); INSERT INTO tags VALUES ('new');"
)


@needs("strace")
@pytest.mark.parametrize("form", WRITABLE)
def test_a_disk_that_loses_what_was_written_is_found_out_and_nothing_stays(tmp_path, form):
    database = make_database(tmp_path / "notes.db", NOTES)
    home, made = tmp_path / "home", tmp_path / "made"
    # A call that is said to have written so many bytes, and has not; of pages, the second one.
    # Python itself writes first, to see whether the folder for temporary files is of use.
    loses = "pwrite64:retval=4096:when=4" if form == "sqlite" else "write:retval=20:when=2"
    strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"inject={loses}"]
    words = ["--db", database, "--format", form, "--output", made / "backup"]
    run(home, "export", "--db", database, "--output", "-")  # writes what is kept in the cache
    done = subprocess.run(
        [*strace, *command("export", *words)],
        env=environment(home) | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 16, done.stderr
    assert "what was written does not read back as it should" in done.stderr
    assert (files_in(made), done.stdout) == ({}, "")


def without_the_last_table(target: Target, content: Content) -> None:
    """Write a backup that is whole and proves itself, but is not of all that was read."""
    tables = [(name, list(lines)) for name, lines in content.tables]
    header, trailer = content.header, content.trailer()
    last = tables.pop()[0]
    fewer = replace(
        trailer,
        counts={name: count for name, count in trailer.counts.items() if name != last},
        digests={name: digest for name, digest in trailer.digests.items() if name != last},
    )
    layout = {name: facts for name, facts in header.layout.items() if name != last}
    header = replace(header, layout=layout)
    write = FORMATS["jsonl"].write
    assert write
    write(target, Content(header, tables, lambda: fewer, content.connection))


def test_a_backup_of_less_than_was_read_is_thrown_away(
    context, make_database, tmp_path, monkeypatch
):
    forgetful = replace(FORMATS["jsonl"], write=without_the_last_table)
    monkeypatch.setitem(FORMATS, "json", forgetful)
    options = ExportOptions(database=str(make_database(NOTES)), output=tmp_path / "made" / "b")
    with pytest.raises(BackupDamaged, match="its counts differ"):
        export_backup(context(), options)
    assert list((tmp_path / "made").iterdir()) == []
