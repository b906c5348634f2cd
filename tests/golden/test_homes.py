"""What an earlier version kept goes on: settings, history, backups, copies, keys and stores."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.golden import make_home
from tests.running import files_in, reported, rows, run

NAMES = {
    "first": [
        "backup-2026-11-28",
        "backup-2026-11-28.db",
        "backup-2026-11-28.json",
        "backup-2026-11-28.json.zst",
        "backup-2026-11-28.jsonl",
        "backup-2026-11-28.zip",
    ],
}
NAMES["second"] = [
    *NAMES["first"],
    "backup-2026-11-28.json.age",
    "backup-2026-11-28T191917Z.json",
    "backup-2026-11-28T191919Z.db",
]
PARTS = {"backup-2026-11-28T191917Z.json": "tables tags"}
RUNGS = ["whole", "hash", "contents", "restored", "sound"]
POINTS = {"first": "notes-2026-11-28T191857Z", "second": "notes-2026-11-28T191912Z"}

NOTES = [
    (1, "first", "real", 0.1, b"\x00\xff"),
    (2, "zweite Notiz – größer", "real", 5e-324, -0.0),
    (3, "", "real", math.inf, 2**63 - 1),
]
TAGS = [(1, "a"), (1, "b"), (3, "a")]

pytestmark = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def home(name: str, tmp_path: Path) -> Path:
    return make_home.relocated(name, tmp_path / "home")


def complain_of_rows(path: Path) -> None:
    """Fail unless a database has the rows that the backups were made of."""
    query = "SELECT id, body, typeof(weight), weight, file FROM notes ORDER BY id"
    assert list(map(repr, rows(path, query))) == list(map(repr, NOTES))
    assert rows(path, "SELECT * FROM tags ORDER BY 1, 2") == TAGS


def test_the_homes_are_those_that_were_made(name: str) -> None:
    assert {path.name for path in make_home.HOMES.iterdir()} == {*NAMES, ".gitattributes"}
    with pytest.raises(SystemExit, match="never written again"):
        make_home.main(name)


def test_status_knows_every_backup_and_what_was_proven_of_it(name: str, home: Path) -> None:
    before = files_in(home)
    found = reported(home, "status", "--max-age", "99999d", exit_code=3)
    known = {Path(each["path"]).name: each["verified"] for each in found["backups"]}
    assert known == dict.fromkeys(NAMES[name], "sound")
    assert {Path(each["path"]).name: each["part"] for each in found["backups"] if each["part"]} == (
        PARTS if name == "second" else {}
    )
    assert found["database"]["reason"] == "notes in backup.yaml"
    assert found["folder"] == str(home / "backups")
    assert [each["kind"] for each in found["concerns"]] == ["one_disk"]
    assert files_in(home) == before


def test_every_backup_is_proven_again_and_restored_to_the_last_bit(
    name: str, home: Path, tmp_path: Path
) -> None:
    found = reported(home, "verify", "all")
    rungs = {Path(each["path"]).name: each["rungs"] for each in found["backups"]}
    assert rungs == dict.fromkeys(NAMES[name], RUNGS)
    for each in set(NAMES[name]) - set(PARTS):
        target = tmp_path / f"{each}.restored"
        run(home, "restore", home / "backups" / each, "--to", target)
        complain_of_rows(target)


def test_an_undo_goes_back_to_the_restore_point_and_an_import_forth_again(
    name: str, home: Path
) -> None:
    database = home / "data" / "notes.db"
    (point,) = reported(home, "undo", "--list")["points"]
    assert Path(point["path"]).stem == POINTS[name]
    run(home, "undo", "--yes")
    assert rows(database, "SELECT body FROM notes WHERE id = 1") == [("changed",)]
    assert rows(database, "SELECT * FROM tags ORDER BY 1, 2") == TAGS[:2]
    run(home, "import", "latest", "--yes")
    complain_of_rows(database)


def test_what_is_done_now_is_added_to_what_was_done_before(name: str, home: Path) -> None:
    history = home / "backups" / "history.db"
    facts = "SELECT path, created_at, bytes, counts, verified, verified_at FROM backups"
    known, done = rows(history, facts), rows(history, "SELECT * FROM events")
    before = files_in(home)
    run(home, "export")
    assert len(set(rows(history, facts)) - set(known)) == 1
    assert set(known) < set(rows(history, facts))
    assert set(done) < set(rows(history, "SELECT * FROM events"))
    after = files_in(home)
    assert {each for each in before if after.get(each) != before[each]} == {"backups/history.db"}


def test_stores_are_read_and_go_on(name: str, home: Path, tmp_path: Path) -> None:
    if name == "first":  # it had none: they can be set now
        settings = home / "backup.yaml"
        settings.write_text(settings.read_text("utf-8") + make_home.STORES, encoding="utf-8")
        run(home, "export", "--format", "sqlite", "--to", "pages")
        run(home, "sync", "disk")
    for store in ("disk", "pages"):
        run(home, "restore", f"{store}:latest", "--to", tmp_path / f"{store}.db")
        complain_of_rows(tmp_path / f"{store}.db")
        verified = reported(home, "verify", f"{store}:all")["backups"]
        assert {tuple(each["rungs"]) for each in verified} == {tuple(RUNGS)}
    run(home, "export", "--format", "sqlite", "--to", "all")
    (store,) = reported(home, "sync", "disk")["stores"]
    assert (store["problem"], store["copies"]) == ("", [])


def test_beside_a_history_of_a_later_version_backups_are_made_and_nothing_else_is_touched(
    name: str, home: Path
) -> None:
    rows(home / "backups" / "history.db", "PRAGMA user_version = 1")
    before = files_in(home)
    later = "history.db was written by a later version of Holdfast"
    assert later in run(home, "status", exit_code=3).stdout
    assert later in run(home, "undo", "--yes", exit_code=28).stderr
    # With stores, each place is reported for itself.
    pruned = run(home, "prune", "--keep-last", "1", "--yes", exit_code={"first": 28}.get(name, 3))
    assert later in pruned.stdout + pruned.stderr
    assert f"could not be recorded: {home / 'backups' / later}" in (
        run(home, "export", exit_code=3).stdout
    )
    after = files_in(home)
    assert {each: after[each] for each in before} == before
    assert len(after) == len(before) + 1
