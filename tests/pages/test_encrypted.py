"""A page store whose every object is encrypted: opened by its recipients, and by nobody else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from holdfast.encryption import Keys, new_identity, passphrases
from holdfast.errors import KeyNotAtHand, StoreRefused
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.stores.folder import FolderObjects
from holdfast.stores.pages.store import PagesStore
from tests.conftest import MakeContext, MakeDatabase
from tests.pages.conftest import (
    CREATED_AT,
    NEXT_DAY,
    OTHER,
    OWNER,
    age,
    fetched,
    manifest_of,
    objects_in,
    page_copy,
    pages_store,
)
from tests.running import needs

PAGES = "abcdefghijklmnop"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a passphrase be tried at once: what it costs is a number in the file."""
    monkeypatch.setattr(passphrases, "WORK_FACTOR", 8)


def new_keys() -> Keys:
    secret, public = new_identity()
    return Keys(recipients=(public,), identity=secret)


def encrypted_store(folder: Path, keys: Keys, owner: str = OWNER) -> PagesStore:
    return PagesStore(
        "cloud", FolderObjects(folder), owner, is_off_site=True, keys=keys, encrypts=True
    )


@pytest.mark.parametrize("keys", [new_keys(), Keys(passphrase="blåbär")], ids=["key", "words"])
def test_who_has_the_key_gets_the_copy_back_and_nothing_but_names_is_in_clear(
    keys, tmp_path, small_packs
):
    folder = tmp_path / "store"
    copy = page_copy(tmp_path / "a.db", PAGES)
    stored = encrypted_store(folder, keys).put(copy, "crm", CREATED_AT)
    assert stored.is_encrypted
    assert stored.name == "laptop-1f3a/backup-crm-2026-11-20T030000Z.pages.age"
    assert fetched(encrypted_store(folder, keys), stored, tmp_path / "back") == copy.read_bytes()
    for path in objects_in(folder):
        assert path.suffix == ".age"
        assert path.read_bytes().startswith(b"age-encryption.org/v1\n")


def test_without_the_key_nothing_is_fetched_or_put(tmp_path):
    folder = tmp_path / "store"
    copy = page_copy(tmp_path / "a.db", PAGES)
    stored = encrypted_store(folder, new_keys()).put(copy, "crm", CREATED_AT)
    before = objects_in(folder)
    stranger = encrypted_store(folder, new_keys())
    for work in (
        lambda: fetched(stranger, stored, tmp_path / "back"),
        lambda: stranger.put(copy, "crm", NEXT_DAY),
        lambda: fetched(pages_store(folder), stored, tmp_path / "again"),
    ):
        with pytest.raises(KeyNotAtHand, match="the key of the store cannot be opened"):
            work()
    assert objects_in(folder) == before
    assert list(stranger.backups()) == [stored]


def test_a_store_is_not_begun_by_who_could_not_open_it(tmp_path):
    _, public = new_identity()
    store = encrypted_store(tmp_path / "store", Keys(recipients=(public,)))
    with pytest.raises(KeyNotAtHand, match="no key is at hand that opens") as found:
        store.put(page_copy(tmp_path / "a.db", PAGES), "crm", CREATED_AT)
    assert "encryption.identities" in found.value.hint
    assert objects_in(tmp_path / "store") == []


def test_a_recipient_that_is_named_later_opens_what_was_there_before(tmp_path):
    folder, one, two = tmp_path / "store", new_keys(), new_keys()
    copy = page_copy(tmp_path / "a.db", PAGES)
    stored = encrypted_store(folder, one).put(copy, "crm", CREATED_AT)
    both = Keys(recipients=(*one.recipients, *two.recipients), identity=one.identity)
    encrypted_store(folder, both).put(copy, "crm", NEXT_DAY)
    assert len(objects_in(folder, "key")) == 3
    reader = encrypted_store(folder, Keys(identity=two.identity), OTHER)
    assert fetched(reader, stored, tmp_path / "back") == copy.read_bytes()
    encrypted_store(folder, both).put(copy, "crm", "2026-11-22T03:00:00Z")
    assert len(objects_in(folder, "key")) == 3


def test_an_unchanged_database_adds_no_page_though_all_is_encrypted(tmp_path):
    folder, keys = tmp_path / "store", new_keys()
    copy = page_copy(tmp_path / "a.db", PAGES)
    encrypted_store(folder, keys).put(copy, "crm", CREATED_AT)
    before = len(objects_in(folder))
    encrypted_store(folder, keys).put(copy, "crm", NEXT_DAY)
    assert len(objects_in(folder)) == before + 1


def test_a_backup_that_is_put_again_is_kept_once_though_it_is_encrypted_anew(tmp_path):
    store = encrypted_store(tmp_path / "store", new_keys())
    copy = page_copy(tmp_path / "a.db", PAGES)
    assert store.put(copy, "crm", CREATED_AT) == store.put(copy, "crm", CREATED_AT)


def test_a_store_in_clear_takes_nothing_that_is_to_be_encrypted(tmp_path):
    folder = tmp_path / "store"
    copy = page_copy(tmp_path / "a.db", PAGES)
    pages_store(folder).put(copy, "crm", CREATED_AT)
    with pytest.raises(StoreRefused, match="is not encrypted") as refused:
        encrypted_store(folder, new_keys()).put(copy, "crm", NEXT_DAY)
    assert "encrypt: false" in refused.value.hint
    assert len(list(pages_store(folder).backups())) == 1


def test_a_page_copy_that_is_encrypted_on_this_machine_goes_in_by_its_pages(
    tmp_path, context: MakeContext, make_database: MakeDatabase
):
    database = make_database("CREATE TABLE notes (text); INSERT INTO notes VALUES ('a')")
    here: Context = context()
    secret, public = new_identity()
    here.home.path.mkdir()
    here.home.key.write_text(secret)
    paths = [
        export_backup(
            here,
            ExportOptions(
                database=str(database),
                format="sqlite",
                output=tmp_path / name,
                encrypt=name.endswith(".age"),
                recipients=(public,),
            ),
        ).path
        for name in ("a.db", "b.db.age")
    ]
    copies = [path for path in paths if path]
    store = PagesStore(
        "disk", FolderObjects(tmp_path / "store"), OWNER, is_off_site=False, keys=here.keys
    )
    stored = store.put(copies[1], "crm", CREATED_AT)
    (tmp_path / "back").mkdir()
    back = store.fetch(stored, tmp_path / "back")
    assert back.read_bytes() == (tmp_path / "a.db").read_bytes()
    assert manifest_of(back).is_file()
    with pytest.raises(KeyNotAtHand):
        pages_store(tmp_path / "other").put(copies[1], "crm", CREATED_AT)


def test_what_nothing_uses_is_freed_in_an_encrypted_store_too(tmp_path, small_packs):
    store = encrypted_store(tmp_path / "store", new_keys())
    gone = store.put(page_copy(tmp_path / "a.db", PAGES), "crm", CREATED_AT)
    kept = store.put(page_copy(tmp_path / "b.db", "ae"), "crm", NEXT_DAY)
    age(tmp_path / "store")
    store.delete([gone])
    for _ in range(2):
        age(tmp_path / "store")
        store.collect()
    assert len(objects_in(tmp_path / "store", "pack")) == 2
    assert fetched(store, kept, tmp_path / "back") == (tmp_path / "b.db").read_bytes()


@needs("age")
def test_the_program_age_opens_every_object_by_way_of_the_key(tmp_path, small_packs):
    keys = new_keys()
    encrypted_store(tmp_path / "store", keys).put(
        page_copy(tmp_path / "a.db", PAGES), "crm", CREATED_AT
    )
    (tmp_path / "own.txt").write_text(keys.identity)

    def opened(path: Path, identity: Path) -> bytes:
        command = ["age", "--decrypt", "-i", str(identity), str(path)]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout

    document = json.loads(opened(objects_in(tmp_path / "store", "key")[0], tmp_path / "own.txt"))
    (tmp_path / "store.txt").write_text(document["identity"])
    starts = {
        path.parent.name: opened(path, tmp_path / "store.txt")[:8]
        for path in objects_in(tmp_path / "store")
        if path.parent.name != "key"
    }
    assert starts["pack"] == b"hfpages1"
    assert starts["index"] == b"hfindex1"
    assert starts[OWNER].startswith(b"\x28\xb5\x2f\xfd")
