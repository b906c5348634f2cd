"""What tests of stores need besides: backups to put into them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from holdfast.encryption import Keys, new_identity
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.profiles import StoreSettings
from tests.conftest import MakeContext, MakeDatabase, run_sql
from tests.stores import azure
from tests.stores.places import MakeBackup
from tests.stores.servers import BUCKET, KEY_ID, SECRET, S3Server, s3_server

_ROWS = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, raw BLOB);
INSERT INTO notes VALUES (1, 'a', x'00ff'), (2, 'b', NULL);
"""


@pytest.fixture
def make_backup(
    context: MakeContext,
    make_database: MakeDatabase,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> MakeBackup:
    """
    Make a backup of two notes, and of one more at each further call.

    Where the test runs over a store that takes page copies alone, it is one of these.
    """
    database = make_database(_ROWS)
    kind = request.node.callspec.params["opened"] if "opened" in request.fixturenames else ""

    def make(name: str = "one", form: str = "jsonl", compression: str = "none") -> Path:
        form = "sqlite" if "pages" in kind else form
        options = ExportOptions(
            database=str(database), format=form, compression=compression, output=tmp_path / name
        )
        path = export_backup(context(), options).path
        run_sql(database, "INSERT INTO notes (text) VALUES ('more')")
        assert path
        return path

    return make


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Make a key, at hand in a file, that stores which encrypt do so for."""
    secret, public = new_identity()
    (tmp_path / "key.txt").write_text(f"{secret}\n")
    return Keys(recipients=(public,), identity_files=(tmp_path / "key.txt",))


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Run an object store, for all tests of this process that need one."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3_settings(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> StoreSettings:
    """Settings for an empty prefix of the bucket, with its keys in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return StoreSettings(
        url=f"s3://{BUCKET}/{uuid4().hex}",
        options={"endpoint": s3.endpoint, "region": "us-east-1"},
    )


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azure.AzureServer]:
    """Run an Azurite, for all tests of this process that need one."""
    with azure.azure_server(tmp_path_factory.mktemp("azure")) as server:
        yield server


@pytest.fixture
def azure_settings(azurite: azure.AzureServer, monkeypatch: pytest.MonkeyPatch) -> StoreSettings:
    """Settings for an empty prefix of the container, with its keys in the environment."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", azure.ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", azure.SECRET)
    return StoreSettings(
        url=f"az://{azure.CONTAINER}/{uuid4().hex}", options={"endpoint": azurite.endpoint}
    )
