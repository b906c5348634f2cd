"""Stores that encrypt, and what may go to a store in clear."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from msgspec.structs import replace

from holdfast import files
from holdfast.copies import StoredCopy
from holdfast.encryption import NO_KEYS, Keys, is_encrypted
from holdfast.errors import BackupDamaged, KeyNotAtHand, SettingsError
from holdfast.formats import open_backup
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.secrecy import plain_secrets
from holdfast.profiles import StoreSettings
from holdfast.stores import Store, open_store
from tests.conftest import MakeContext, MakeDatabase
from tests.stores.places import AT, OWNER, MakeBackup, fetched


def store_in(tmp_path: Path, keys: Keys = NO_KEYS, encrypt: bool | None = None) -> Store:
    (tmp_path / "disk").mkdir(exist_ok=True)
    return open_store(
        "disk", StoreSettings(url="disk/backups", encrypt=encrypt), OWNER, tmp_path, {}, keys=keys
    )


def stored_bytes(tmp_path: Path) -> list[bytes]:
    return [path.read_bytes() for path in (tmp_path / "disk").rglob("*") if path.is_file()]


def test_what_lies_in_the_store_shows_nothing_but_its_name(
    make_backup: MakeBackup, keys: Keys, tmp_path: Path
) -> None:
    store = store_in(tmp_path, keys)
    stored = store.put(make_backup("one", "folder"), "crm", AT)
    assert stored.name == f"{OWNER}/backup-crm-2026-11-20T030000Z.tar.age"
    (content,) = stored_bytes(tmp_path)
    assert is_encrypted(content)
    assert b"notes" not in content and b"metadata" not in content


def test_what_is_fetched_stays_closed_until_it_is_read(
    make_backup: MakeBackup, keys: Keys, tmp_path: Path
) -> None:
    store = store_in(tmp_path, keys)
    path = fetched(store, store.put(make_backup(), "crm", AT), tmp_path / "fetched")
    assert is_encrypted(path.read_bytes())
    with pytest.raises(KeyNotAtHand):
        open_backup(path)
    assert open_backup(path, keys).contents().row_count == 2


def test_a_machine_without_the_key_puts_backups_that_another_opens(
    make_backup: MakeBackup, keys: Keys, tmp_path: Path
) -> None:
    store = store_in(tmp_path, Keys(recipients=keys.recipients))
    path = fetched(store, store.put(make_backup(), "crm", AT), tmp_path / "fetched")
    assert open_backup(path, keys).contents().row_count == 2


def test_what_is_encrypted_already_is_not_encrypted_again(
    context: MakeContext, make_database: MakeDatabase, keys: Keys, tmp_path: Path
) -> None:
    with_keys = replace(context(), identities=keys.identity_files)
    options = ExportOptions(
        database=str(make_database("CREATE TABLE t (x)")),
        format="sqlite",
        recipients=keys.recipients,
        encrypt=True,
    )
    path = export_backup(with_keys, options).path
    assert path
    for store in (store_in(tmp_path, keys), store_in(tmp_path)):
        stored = store.put(path, "crm", AT)
        assert stored.name.endswith("Z.db.tar.age") and stored.is_encrypted
    assert stored_bytes(tmp_path) == [path.read_bytes()]


def test_keys_that_are_set_are_used_unless_a_store_is_to_keep_backups_plain(
    make_backup: MakeBackup, keys: Keys, tmp_path: Path
) -> None:
    store_in(tmp_path, keys, encrypt=False).put(make_backup(), "crm", AT)
    (content,) = stored_bytes(tmp_path)
    assert not is_encrypted(content)
    with pytest.raises(SettingsError, match=r"stores\.disk\.encrypt: nobody is named"):
        store_in(tmp_path, encrypt=True)


def test_what_does_not_come_out_of_its_encryption_is_not_put(
    make_backup: MakeBackup, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = make_backup()
    fsync = files.fsync_file

    def lose_a_byte(file: BinaryIO) -> None:
        file.truncate(file.seek(-1, os.SEEK_END))
        fsync(file)

    monkeypatch.setattr(files, "fsync_file", lose_a_byte)
    with pytest.raises(BackupDamaged):
        store_in(tmp_path, keys).put(backup, "crm", AT)
    assert stored_bytes(tmp_path) == []


# What may go in clear


SECRETS = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, token TEXT);
INSERT INTO accounts VALUES (1, 'mail', 'hunter2');
"""
PROFILE = """
name: mail
title: Mail
recognise: [accounts]
secrets: {accounts: [token]}
"""


def export_to_store(
    context: Context, database: Path, settings: str, more: str = "", **options: Any
) -> StoredCopy:
    home = context.home.path
    (home / "profiles").mkdir(parents=True, exist_ok=True)
    (home / "profiles" / "mail.yaml").write_text(PROFILE)
    (home / "backup.yaml").write_text(f"{more}stores: {{away: {{url: away, {settings}}}}}\n")
    chosen = {"database": str(database), "stores": ("away",)} | options
    (copy,) = export_backup(context, ExportOptions(**chosen)).copies
    return copy


@pytest.mark.parametrize(
    ("settings", "options", "exit_code"),
    [
        ("off_site: true", {}, 33),
        ("off_site: false", {}, 0),
        ("off_site: true, plain_secrets: true", {}, 0),
        ("off_site: true", {"redact": True}, 0),
        ("off_site: true", {"format": "sqlite"}, 33),
    ],
)
def test_secrets_leave_the_house_in_clear_only_when_that_is_wanted(
    context: MakeContext,
    make_database: MakeDatabase,
    settings: str,
    options: dict[str, Any],
    exit_code: int,
) -> None:
    copy = export_to_store(context(), make_database(SECRETS), settings, **options)
    assert copy.exit_code == exit_code, copy.problem
    if exit_code:
        assert "accounts.token in clear" in copy.problem
        assert not (context().home.path / "away").exists()


def test_encrypted_they_may_go(
    context: MakeContext, make_database: MakeDatabase, keys: Keys
) -> None:
    database = make_database(SECRETS)
    (recipient,) = keys.recipients
    copy = export_to_store(
        context(), database, "off_site: true", encrypt=True, recipients=(recipient,)
    )
    assert (copy.exit_code, copy.problem) == (0, "")
    more = f"encryption: {{recipients: [{recipient}]}}\n"
    copy = export_to_store(context(), database, "off_site: true", more)
    assert copy.exit_code == 0 and copy.name.endswith(".json.age")


def test_only_what_the_backup_holds_and_shows_counts(
    context: MakeContext, make_database: MakeDatabase
) -> None:
    options = ExportOptions(database=str(make_database(SECRETS)))
    path = export_backup(context(), options).path
    assert path
    header = open_backup(path).contents().header
    assert plain_secrets(header, {"ACCOUNTS": ["Token"]}) == ["accounts.Token"]
    assert plain_secrets(header, {"accounts": ["name.first", "token"]}) == [
        "accounts.name.first",
        "accounts.token",
    ]
    assert plain_secrets(header, {"accounts": ["password"], "users": ["token"]}) == []
    in_rows = {"accounts": ["token[Name=ann]", "token[absent=ann]"]}
    assert plain_secrets(header, in_rows) == ["accounts.token[Name=ann]"]
    hidden = replace(header, redacted={"accounts": ("token[name=ann]",)})
    assert plain_secrets(hidden, in_rows) == []
    hidden = replace(header, redacted={"accounts": ("token",)})
    assert plain_secrets(hidden, {"accounts": ["token"]}) == []
