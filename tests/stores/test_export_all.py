"""`export --all`: every configured database, whatever becomes of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import make_database, reported, run

NOTES = "CREATE TABLE notes (id); INSERT INTO notes VALUES (1)"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in ("crm", "work"):
        make_database(home / "data" / f"{name}.db", NOTES)
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db, gone: data/gone.db, work: data/work.db}\n"
        "stores: {disk: ../disk}\n"
    )
    return home


def test_a_link_in_a_circle_stops_no_other(home: Path) -> None:
    gone = home / "data" / "gone.db"
    gone.symlink_to("gone.db")
    said = run(home, "export", "--all", exit_code=10).stdout
    assert f"gone:\nNO backup: no database at {gone}.\n  Correct its path in backup.yaml" in said
    assert "2 of 3 databases backed up.\n" in said


def test_each_database_is_backed_up_under_its_name_and_one_that_fails_stops_no_other(
    home: Path,
) -> None:
    report = json.loads(run(home, "export", "--all", "--to", "all", "--json", exit_code=10).stdout)
    crm, gone, work = report["databases"]
    assert [crm["name"], gone["name"], work["name"]] == ["crm", "gone", "work"]
    assert gone["report"] is None and gone["exit_code"] == 10
    assert "gone.db" in gone["problem"] and gone["hint"]
    for each in (crm, work):
        path = Path(each["report"]["path"])
        assert path.is_file() and path.name.startswith(f"backup-{each['name']}-20")
        assert f"/backup-{each['name']}-20" in each["report"]["copies"][0]["name"]
    said = run(home, "export", "--all", exit_code=10).stdout
    assert said.endswith("\n2 of 3 databases backed up.\n")
    assert "\ngone:\nNO backup: " in said


def test_backups_of_two_databases_are_told_apart_wherever_one_is_named(home: Path) -> None:
    made = run(home, "export", "--all", "--quiet", exit_code=10).stdout.split()
    crm, work = (Path(each) for each in made)
    day = crm.stem.removeprefix("backup-crm-")
    done = run(home, "restore", day, "--to", home / "back.db", exit_code=15)
    assert crm.name in done.stderr and work.name in done.stderr
    report = reported(home, "restore", f"work-{day}", "--to", home / "back.db")
    assert report["backup"] == str(work)
    assert reported(home, "diff", day, "--db", "crm")["first"]["path"] == str(crm)
    status = reported(home, "status", "--db", "work", exit_code=3)
    assert {each["path"] for each in status["backups"]} == {str(crm), str(work)}


def test_a_name_of_one_database_stays_out_of_the_names_of_its_files(home: Path) -> None:
    (home / "backup.yaml").write_text("databases: {crm: data/crm.db}\n")
    path = Path(run(home, "export", "--all", "--quiet").stdout.strip())
    assert path.name.startswith("backup-20")


def test_all_and_one_database_do_not_go_together(home: Path) -> None:
    done = run(home, "export", "--all", "--db", "crm", exit_code=2)
    assert done.stderr.startswith("Error: --all takes no --db, --sample or --output.")
