"""What status says of stores, and that it never waits long for one."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.keys import create_key
from holdfast.operations.report_status import StatusOptions, report_status
from holdfast.operations.store_status import look_at_stores
from holdfast.reports import text
from tests.conftest import MakeContext
from tests.running import make_database
from tests.stores.servers import KEY_ID, SECRET, answering


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    make_database(home / "data" / "crm.db", "CREATE TABLE notes (id)")
    return home


def settings(home: Path, stores: str) -> None:
    (home / "backup.yaml").write_text(f"databases: {{crm: data/crm.db}}\nstores: {stores}\n")


def test_a_line_for_each_store_says_how_much_is_there_and_of_when(
    context: MakeContext, home: Path, tmp_path: Path
) -> None:
    settings(home, "{disk: ../disk, share: ../share}")
    export_backup(context(), ExportOptions(stores=("disk",)))
    report = report_status(context(), StatusOptions())
    disk, share = report.stores
    assert (disk.backup_count, disk.newest_at) == (1, "2026-11-20T14:22:33Z")
    assert (share.backup_count, share.newest_at, share.problem) == (0, None, "")
    said = text(report).splitlines()
    assert f"Store disk: 1 backup, the newest just now, {disk.bytes} bytes. {home}/../disk" in said
    assert f"Store share: 0 backups. {home}/../share" in said
    assert [each.kind for each in report.concerns] == ["one_disk"]


def test_a_store_that_is_not_there_is_a_warning_with_what_to_do(
    context: MakeContext, home: Path
) -> None:
    settings(home, "{disk: ../usb/disk}")
    report = report_status(context(), StatusOptions())
    assert report.warnings[-1] == (
        f"the store disk fails: {home}/../usb is not there. Check that its disk is connected; or"
        " make that folder, if it is a new place."
    )
    assert "Store disk: not reached." in text(report)


@pytest.mark.parametrize("layout", ["files", "pages"])
def test_a_store_that_is_to_be_encrypted_is_looked_at_like_any_other(
    context: MakeContext, home: Path, layout: str
) -> None:
    settings(home, f"{{disk: {{url: ../disk, encrypt: true, layout: {layout}}}}}")
    public = create_key(context()).public_key
    with (home / "backup.yaml").open("a") as file:
        file.write(f"encryption: {{recipients: [{public}]}}\n")
    export_backup(context(), ExportOptions(stores=("disk",), format="sqlite"))
    (disk,) = report_status(context(), StatusOptions()).stores
    assert (disk.backup_count, disk.problem) == (1, "")


def test_a_look_makes_no_mark_and_no_folder(context: MakeContext, home: Path) -> None:
    settings(home, "{disk: ../disk}")
    report_status(context(), StatusOptions())
    assert not (home / "owner").exists()
    assert not (home / ".." / "disk").exists()


def test_a_store_that_never_answers_is_not_waited_for(
    context: MakeContext, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    is_over = threading.Event()

    def hang(client: socket.socket) -> None:
        is_over.wait(60)

    with answering(hang) as endpoint:
        settings(home, f"{{cloud: {{url: 's3://b', options: {{endpoint: '{endpoint}'}}}}}}")
        (store,) = look_at_stores(context(), wait_seconds=0.2)
        is_over.set()
    assert "in time" in store.problem or "within 0.2 seconds" in store.problem
    assert store.hint
