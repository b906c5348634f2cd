"""What tests of stores need besides: backups to put into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.operations.export_backup import ExportOptions, export_backup
from tests.conftest import MakeContext, MakeDatabase, run_sql
from tests.stores.places import MakeBackup

_ROWS = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, raw BLOB);
INSERT INTO notes VALUES (1, 'a', x'00ff'), (2, 'b', NULL);
"""


@pytest.fixture
def make_backup(context: MakeContext, make_database: MakeDatabase, tmp_path: Path) -> MakeBackup:
    """Make a backup of two notes, and of one more at each further call."""
    database = make_database(_ROWS)

    def make(name: str = "one", form: str = "jsonl", compression: str = "none") -> Path:
        options = ExportOptions(
            database=str(database), format=form, compression=compression, output=tmp_path / name
        )
        path = export_backup(context(), options).path
        run_sql(database, "INSERT INTO notes (text) VALUES ('more')")
        assert path
        return path

    return make
