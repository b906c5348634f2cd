"""Exports of every configured database, whatever becomes of the others."""

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
    assert said.startswith("2 of 3 databases backed up.\n")
    assert (
        f"\n  gone: NO backup: no database at {gone}.\n    Correct its path in backup.yaml" in said
    )


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
    assert said.startswith("2 of 3 databases backed up.\n")
    assert "\n  gone: NO backup: " in said


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
    assert {each["path"] for each in status["backups"]} == {str(work)}


def test_a_name_of_one_database_stays_out_of_the_names_of_its_files(home: Path) -> None:
    (home / "backup.yaml").write_text("databases: {crm: data/crm.db}\n")
    path = Path(run(home, "export", "--all", "--quiet").stdout.strip())
    assert path.name.startswith("backup-20")


def test_all_and_one_database_do_not_go_together(home: Path) -> None:
    done = run(home, "export", "--all", "--db", "crm", exit_code=2)
    assert done.stderr.startswith("Error: --all takes no --db, --sample or --output.")


@pytest.fixture
def both(home: Path) -> Path:
    """A home of two databases that are there."""
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db, work: data/work.db}\nstores: {disk: ../disk}\n"
    )
    return home


def test_a_plain_export_takes_every_database_with_a_line_for_each(both: Path) -> None:
    lines = run(both, "export").stdout.splitlines()
    day = max((both / "output").glob("backup-crm-*")).stem.removeprefix("backup-crm-")
    assert lines == [
        "2 databases backed up.",
        *(
            f"  {name}: 1 table, 1 row,"
            f" {(both / 'output' / f'backup-{name}-{day}.json').stat().st_size} bytes, verified."
            f" {both}/output/backup-{name}-{day}.json"
            for name in ("crm", "work")
        ),
    ]


def test_a_plain_export_with_other_options_takes_every_database_too(both: Path) -> None:
    said = run(both, "export", "--to", "all", "--format", "jsonl").stdout
    assert [line.partition(":")[0] for line in said.splitlines()[1:]] == ["  crm", "  work"]
    assert said.count(", verified, also in disk. ") == 2
    assert len(list((both / "output").glob("*.jsonl"))) == 2
    made = run(both, "export", "--quiet").stdout.split()
    assert [Path(each).name.split("-")[1] for each in made] == ["crm", "work"]


@pytest.mark.parametrize(
    "words", [["--db", "work"], ["--tables", "notes"], ["--output", "x.json"], ["--output", "-"]]
)
def test_what_is_said_of_one_database_is_done_with_one(both: Path, words: list[str]) -> None:
    done = run(both, "export", *words)
    made = [*(both / "output").glob("backup-*"), *both.parent.glob("x.json")]
    assert len(made) == (0 if "-" in words else 1)
    if words[0] == "--tables":
        assert "\nNot backed up: work. A plain export takes every database.\n" in done.stdout


def test_what_went_wrong_with_a_copy_is_under_the_line_of_its_database(both: Path) -> None:
    (both.parent / "disk").write_text("no folder")
    said = run(both, "export", "--to", "disk", exit_code=31).stdout
    assert said.startswith("2 databases backed up.\n")
    assert said.count("\n    NOT in disk: ") == 2


def test_secrets_in_clear_are_named_in_the_short_report_too(both: Path) -> None:
    (both / "profiles").mkdir()
    (both / "profiles" / "n.yaml").write_text(
        "name: n\ntitle: N\nrecognise: [notes]\nsecrets: {notes: [id]}\n"
    )
    assert run(both, "export").stdout.count("\n    Secrets in clear: notes.id.") == 2


def test_who_adds_all_that_is_found_has_all_of_it_backed_up_by_a_plain_export(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    for name in ("crm", "work", "chat"):
        make_database(home / "data" / f"{name}.db", NOTES)
    said = run(home, "discover", "--add", "all").stdout
    assert said.endswith(
        "Added to {}: chat, crm, work. Back them up with /backup.\n".format(home / "backup.yaml")
    )
    assert run(home, "export").stdout.startswith("3 databases backed up.\n")
    report = reported(home, "discover")
    assert all(each["last_backup_at"] for each in report["databases"])
    assert {each["state"] for each in reported(home, "status", exit_code=3)["databases"]} == {
        "safe"
    }


def test_a_backup_goes_back_into_the_database_it_was_made_of(both: Path) -> None:
    run(both, "export")
    crm, work = (next((both / "output").glob(f"backup-{name}-*")) for name in ("crm", "work"))
    for name in ("crm", "work"):
        make_database(both / "data" / f"{name}.db", "DELETE FROM notes")
    said = run(both, "import", work, exit_code=4).stdout
    assert f" into {both}/data/work.db, mode overwrite.\n" in said
    assert "--db NAME" not in said
    (both / "output" / "history.db").unlink()  # then its name tells
    assert f" into {both}/data/work.db, " in run(both, "import", work, exit_code=4).stdout
    assert f" into {both}/data/crm.db, " in run(both, "import", crm, exit_code=4).stdout


def test_the_latest_of_several_is_that_of_the_first_and_the_plan_says_so(both: Path) -> None:
    run(both, "export")
    for name in ("crm", "work"):
        make_database(both / "data" / f"{name}.db", "DELETE FROM notes")
    run(both, "export", "--db", "work", "--quiet", exit_code=3)
    said = run(both, "import", "latest", exit_code=4).stdout
    assert f" into {both}/data/crm.db, mode overwrite.\n" in said
    assert "\nIt is the first database of backup.yaml; --db NAME takes another: work.\n" in said
    assert "takes another" not in run(both, "import", "latest", "--db", "crm", exit_code=4).stdout
    (both / "data" / "crm.db").unlink()  # another one is no answer then
    run(both, "import", "latest", exit_code=10)


def test_a_backup_of_nobody_knows_what_goes_into_none_of_several_by_itself(both: Path) -> None:
    other = make_database(both / "other.db", NOTES)
    made = Path(run(both, "export", "--db", other, "--quiet").stdout.strip())
    (both / "output" / "history.db").unlink()
    done = run(both, "import", made, exit_code=2)
    assert done.stderr == (
        f"Error: {made.name} could go into any of crm, work.\n"
        "Name the database that is meant: --db NAME.\n"
    )
    run(both, "import", made, "--db", "work")
    done = run(both, "import", "--from", "beads", exit_code=2)
    assert done.stderr.startswith("Error: issues of beads could go into any of crm, work.\n")
