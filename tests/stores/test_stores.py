"""What every store keeps: backups whole, with their owner's mark, and never another machine's."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.encryption import Keys
from holdfast.errors import BackupNotFound, NotABackup
from holdfast.formats import open_backup
from holdfast.profiles import StoreSettings
from holdfast.stores import open_store
from tests.stores.places import AT, OWNER, STORES, MakeBackup, OpenStore, digests, fetched, names


@pytest.fixture(params=STORES)
def opened(request: pytest.FixtureRequest) -> OpenStore:
    return STORES[request.param](request)


def test_a_store_in_which_nothing_lies_lists_nothing(opened: OpenStore) -> None:
    assert names(opened()) == []


def test_a_backup_that_was_put_is_listed_with_its_owner_database_and_time(
    opened: OpenStore, make_backup: MakeBackup
) -> None:
    store = opened()
    put = store.put(make_backup(), "crm", AT)
    (found,) = opened().backups()
    assert found == put
    assert (found.store, found.owner, found.database) == (store.name, OWNER, "crm")
    assert found.created_at == AT
    assert found.is_encrypted == store.encrypts


@pytest.mark.parametrize(
    ("form", "compression"),
    [("json", "none"), ("jsonl", "zstd"), ("folder", "none"), ("zip", "none"), ("sqlite", "gzip")],
)
def test_what_is_fetched_is_a_backup_of_the_same_rows_and_proves_itself(
    opened: OpenStore,
    make_backup: MakeBackup,
    keys: Keys,
    tmp_path: Path,
    form: str,
    compression: str,
) -> None:
    backup = make_backup("one", form, compression)
    stored = opened().put(backup, "crm", AT)
    reader = open_backup(fetched(opened(), stored, tmp_path / "fetched"), keys)
    assert reader.format.proves
    assert reader.contents().trailer == open_backup(backup).contents().trailer


def test_two_backups_of_one_second_stand_side_by_side(
    opened: OpenStore, make_backup: MakeBackup, keys: Keys, tmp_path: Path
) -> None:
    store = opened()
    first, second = make_backup("one"), make_backup("two")
    stored = [store.put(each, "crm", AT) for each in (first, second)]
    assert len(names(store)) == 2
    for number, backup in enumerate((first, second)):
        found = fetched(store, stored[number], tmp_path / f"fetched-{number}")
        assert digests(found, keys) == digests(backup)


def test_a_backup_that_is_put_again_is_kept_once(
    opened: OpenStore, make_backup: MakeBackup
) -> None:
    # As after an upload that came through, and whose answer did not.
    store, backup = opened(), make_backup()
    assert store.put(backup, "crm", AT) == store.put(backup, "crm", AT)
    assert len(names(store)) == 1


def test_what_is_no_backup_is_not_put(opened: OpenStore, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ann,")
    with pytest.raises(NotABackup):
        opened().put(tmp_path / "letter.txt", "crm", AT)
    assert names(opened()) == []


def test_a_backup_that_has_gone_is_said_to_be_gone_and_leaves_no_file(
    opened: OpenStore, make_backup: MakeBackup, tmp_path: Path
) -> None:
    store = opened()
    stored = store.put(make_backup(), "crm", AT)
    gone = replace(stored, name=stored.name.replace("11-20", "11-19"), created_at=AT)
    (tmp_path / "fetched").mkdir()
    with pytest.raises(BackupNotFound):
        store.fetch(gone, tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_what_systems_and_git_leave_in_a_folder_goes_into_no_store(
    make_backup: MakeBackup, tmp_path: Path
) -> None:
    backup = make_backup(form="folder")
    (backup / ".git").mkdir()
    for name in (".git/config", "Thumbs.db"):
        (backup / name).touch()
    (tmp_path / "disk").mkdir()
    store = open_store("disk", StoreSettings(url="disk/backups"), OWNER, tmp_path, {})
    found = fetched(store, store.put(backup, "crm", AT), tmp_path / "back")
    assert {each.name for each in found.iterdir()} == {
        *("RESTORE.md", "restore.py", "schema.sql", "metadata.json", "tables")
    }
    assert digests(found) == digests(backup)
