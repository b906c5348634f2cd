"""A store in pages of backup.yaml takes what export makes, and gives it to every verb."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import rows
from tests.pages.conftest import objects_in
from tests.running import make_database, reported, run

NOTES = "CREATE TABLE notes (text); INSERT INTO notes VALUES ('a')"
SETTINGS = """
databases: {crm: data/crm.db, work: data/work.db}
stores: {pages: {url: store, layout: pages}}
"""


def test_export_all_is_made_of_pages_and_serves_verify_diff_and_restore(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("crm", "work"):
        make_database(home / "data" / f"{name}.db", NOTES)
    (home / "backup.yaml").write_text(SETTINGS)
    run(home, "export", "--all", "--to", "all")
    names = [path.name for path in objects_in(home / "store", "backup")]
    assert [name.partition("-20")[0] for name in names] == ["backup-crm", "backup-work"]
    found = reported(home, "verify", "pages:crm")
    assert found["backups"][0]["rungs"][-1] == "sound"
    run(home, "diff", "pages:crm", home / "data" / "crm.db", "--exit-code")
    run(home, "restore", "pages:work", "--to", tmp_path / "back.db")
    assert rows(tmp_path / "back.db", "SELECT text FROM notes") == [("a",)]
