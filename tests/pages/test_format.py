"""docs/store-format.md is enough: a reader made from it alone restores what was put."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bench.databases import RECIPES
from tests.conftest import MakeContext, run_sql
from tests.independent_reader import complaint, read
from tests.pages.conftest import (
    CREATED_AT,
    NEXT_DAY,
    manifest_of,
    objects_in,
    pages_store,
    real_copy,
)
from tests.pages.independent_reader import NotWhole, indexed, restored
from tests.running import needs


@pytest.fixture
def stored(tmp_path: Path, context: MakeContext) -> tuple[Path, list[str], Path]:
    """A store with two backups of a database that changed in between, and the database."""
    database = tmp_path / "small.db"
    RECIPES["small"].make(tmp_path)
    store = pages_store(tmp_path / "store")
    first = store.put(real_copy(context(), database, tmp_path / "1.db"), "crm", CREATED_AT)
    run_sql(database, "UPDATE contacts SET name = name || '!' WHERE id % 7 = 0")
    second = store.put(real_copy(context(), database, tmp_path / "2.db"), "crm", NEXT_DAY)
    return tmp_path / "store", [first.name, second.name], database


@needs("sqldiff")
def test_a_reader_made_from_the_page_restores_each_backup(stored, tmp_path):
    folder, names, database = stored
    back = tmp_path / "back.db"
    for name, copy in zip(names, ["1.db", "2.db"], strict=True):
        content, manifest = restored(folder, name)
        assert content == (tmp_path / copy).read_bytes()
        back.write_bytes(content)
        manifest_of(back).write_text(manifest)
        assert complaint(read("sqlite", back)) == ""
    found = subprocess.run(["sqldiff", back, database], capture_output=True, text=True)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_reader_finds_damage_in_every_pack(stored):
    folder, names, _ = stored
    for path in objects_in(folder, "pack"):
        whole = path.read_bytes()
        path.write_bytes(whole[:-20] + b"x" + whole[-19:])
        with pytest.raises(NotWhole):
            restored(folder, names[0])
        path.write_bytes(whole)


def test_the_indexes_name_every_pack_with_its_bytes(stored):
    folder, _, _ = stored
    found = [each for path in objects_in(folder, "index") for each in indexed(path.read_bytes())]
    packs = [(path.name, path.stat().st_size) for path in objects_in(folder, "pack")]
    assert sorted(found) == packs


@needs("zstd")
def test_the_object_that_is_a_backup_says_in_clear_what_it_is(stored):
    folder, names, _ = stored
    text = subprocess.run(["zstd", "-dc", folder / names[0]], capture_output=True).stdout
    document = json.loads(text)
    assert list(document) == [
        *("format", "version", "database", "created_at", "page_size", "file_bytes", "sha256"),
        *("lists", "manifest", "seal"),
    ]
    assert (document["format"], document["version"]) == ("holdfast-pages", "1.0")
    assert (document["database"], document["created_at"]) == ("crm", CREATED_AT)
    assert json.loads(document["manifest"])["trailer"]["counts"]["contacts"] > 0
