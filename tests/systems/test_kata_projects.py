"""What kata's own document says does not work: projects that come into a database with others."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.errors import ImportConflict
from holdfast.outcomes import ImportReport
from holdfast.works import ConflictMode
from tests.conftest import everything, rows, run_sql
from tests.systems import kata
from tests.systems.conftest import Desk

# Bob's database: its numbers are those of Ann's, and mean other rows.
BOBS = (
    kata.EMPTY.replace(kata.uid("ANNS"), kata.uid("B0BS"))
    + f"""
INSERT INTO projects VALUES (3, '{kata.uid("GARDEN")}', 'garden', '{{}}', '{kata.NOON}', NULL);
INSERT INTO issues VALUES (11, '{kata.uid("R0SE")}', 3, 'r0se', 'Prune the roses', '', 'open', NULL,
  NULL, 'bob', 1, '{{}}', 1, NULL, '{kata.NOON}', '{kata.NOON}', NULL, NULL);
INSERT INTO comments VALUES (1, '{kata.uid("C1B0B")}', 11, 'bob', 'in March', '{kata.NOON}');
INSERT INTO issue_labels VALUES (11, 'garden', 'bob', '{kata.NOON}');
INSERT INTO events VALUES (101, '{kata.uid("EB1")}', 3, 11, 'issue.created', 'bob', '{{}}', 'h9',
  '{kata.NOON}');
UPDATE sqlite_sequence SET seq = 200 WHERE name = 'events';
"""
)
BLOCKS = (
    "SELECT a.short_id, type, b.short_id FROM links JOIN issues AS a ON a.id = from_issue_id"
    " JOIN issues AS b ON b.id = to_issue_id WHERE a.uid = from_issue_uid AND b.uid = to_issue_uid"
    " ORDER BY 1"
)
TEXTS = (
    "SELECT p.name, i.short_id, i.title, c.body FROM issues AS i JOIN projects AS p"
    " ON p.id = project_id LEFT JOIN comments AS c ON c.issue_id = i.id ORDER BY 1, 2, 4"
)
HOME = [
    ("home", "gate", "Paint the gate ☂", None),
    ("home", "r00f", "Fix the roof", "ladder needed"),
    ("home", "r00f", "Fix the roof", "scaffolding ordered"),
]
GARDEN = [("garden", "r0se", "Prune the roses", "in March")]
WORK = [("work", "p0t", "Clear the depot", None)]


@pytest.fixture
def anns(tmp_path: Path) -> Path:
    return kata.make(tmp_path / "anns.db")


@pytest.fixture
def bobs(tmp_path: Path) -> Path:
    return kata.make(tmp_path / "bobs.db", BOBS)


@pytest.fixture
def home(anns: Path, tmp_path: Path) -> Path:
    """The file of one project of Ann's."""
    return kata.export(anns, tmp_path / "home.jsonl", project=3)


def taken_in(desk: Desk, file: Path, database: Path) -> ImportReport:
    return desk.imported(file, database, mode=ConflictMode.REMAP)


def test_the_file_of_one_project_comes_into_a_database_that_has_others(
    home: Path, bobs: Path, desk: Desk
) -> None:
    others = rows(bobs, "SELECT * FROM issues") + rows(bobs, "SELECT * FROM comments")
    taken_in(desk, home, bobs)
    assert rows(bobs, TEXTS) == GARDEN + HOME
    mine = rows(bobs, "SELECT * FROM issues WHERE id = 11")
    assert mine + rows(bobs, "SELECT * FROM comments WHERE id = 1") == others
    assert rows(bobs, BLOCKS) == [("gate", "parent", "r00f"), ("r00f", "blocks", "gate")]
    assert rows(bobs, "SELECT label FROM issue_labels ORDER BY 1") == [
        ("garden",),
        ("house",),
        ("urgent",),
    ]
    assert rows(bobs, "PRAGMA foreign_key_check") == []


def test_its_issues_are_found_by_the_search_under_their_new_numbers(
    home: Path, bobs: Path, desk: Desk
) -> None:
    taken_in(desk, home, bobs)
    for word, short_id in {"ladder": "r00f", "gate": "gate", "roses": "r0se"}.items():
        found = f"SELECT rowid FROM issues_fts WHERE issues_fts MATCH '{word}'"
        assert rows(bobs, f"SELECT short_id FROM issues WHERE id IN ({found})") == [(short_id,)]


def test_its_events_come_after_all_numbers_that_were_ever_given(
    home: Path, bobs: Path, desk: Desk
) -> None:
    taken_in(desk, home, bobs)
    assert rows(bobs, "SELECT id, uid FROM events ORDER BY id") == [
        (101, kata.uid("EB1")),
        (201, kata.uid("E101")),
        (202, kata.uid("E102")),
    ]


def test_files_of_several_projects_are_stitched_into_one_database(
    anns: Path, home: Path, bobs: Path, tmp_path: Path, desk: Desk
) -> None:
    work = kata.export(anns, tmp_path / "work.jsonl", project=7)
    taken_in(desk, home, bobs)
    taken_in(desk, work, bobs)
    assert rows(bobs, TEXTS) == GARDEN + HOME + WORK
    assert rows(bobs, "PRAGMA foreign_key_check") == []


def test_the_same_file_again_changes_nothing(home: Path, bobs: Path, desk: Desk) -> None:
    taken_in(desk, home, bobs)
    before = everything(bobs)
    assert taken_in(desk, home, bobs).outcome == "nothing to do"
    assert everything(bobs) == before


def test_a_later_file_brings_what_changed_since_and_leaves_all_else(
    anns: Path, home: Path, bobs: Path, desk: Desk
) -> None:
    taken_in(desk, home, bobs)
    numbers = rows(bobs, "SELECT uid, id, short_id FROM issues ORDER BY 1")
    run_sql(
        anns,
        "UPDATE issues SET title = 'Mend the roof' WHERE id = 11;"
        f"INSERT INTO comments VALUES (NULL, '{kata.uid('C0MMENT9')}', 12, 'ann', 'white', 'now');"
        f"INSERT INTO events VALUES (NULL, '{kata.uid('E106')}', 3, 12, 'issue.commented', 'ann',"
        " '{}', 'h', 'now')",
    )
    later = kata.export(anns, desk.folder / "later.jsonl", project=3)
    report = taken_in(desk, later, bobs)
    written = {
        each.name: (each.inserted, each.overwritten)
        for each in report.plan.tables
        if each.inserted or each.overwritten
    }
    assert written == {"issues": (0, 1), "comments": (1, 0), "events": (1, 0)}
    assert rows(bobs, "SELECT uid, id, short_id FROM issues ORDER BY 1") == numbers
    assert ("home", "r00f", "Mend the roof", "ladder needed") in rows(bobs, TEXTS)
    assert ("home", "gate", "Paint the gate ☂", "white") in rows(bobs, TEXTS)


def test_bindings_of_a_project_come_in_at_rest_and_federation_stays_behind(
    anns: Path, bobs: Path, tmp_path: Path, desk: Desk
) -> None:
    taken_in(desk, kata.export(anns, tmp_path / "work.jsonl", project=7), bobs)
    assert rows(bobs, "SELECT enabled FROM issue_sync_bindings") == [(0,)]
    assert rows(bobs, "SELECT paused FROM external_root_bindings") == [(1,)]
    assert rows(bobs, "SELECT count(*) FROM federation_bindings") == [(0,)]
    assert (kata.uid("B0BS"),) in rows(bobs, "SELECT value FROM meta")


def test_a_backup_of_ours_comes_into_a_database_with_other_projects_as_well(
    anns: Path, bobs: Path, desk: Desk
) -> None:
    backup = desk.exported(anns).path
    assert backup
    taken_in(desk, backup, bobs)
    assert rows(bobs, TEXTS) == GARDEN + HOME + WORK
    before = everything(bobs)
    assert taken_in(desk, backup, bobs).outcome == "nothing to do"
    assert everything(bobs) == before


def test_another_project_of_the_same_name_is_a_conflict_and_changes_nothing(
    home: Path, bobs: Path, desk: Desk
) -> None:
    run_sql(bobs, "UPDATE projects SET name = 'home'")
    before = everything(bobs)
    with pytest.raises(ImportConflict, match=r"projects: 1 .*home"):
        taken_in(desk, home, bobs)
    assert everything(bobs) == before


def test_a_backup_of_one_project_is_whole_in_itself_and_comes_into_a_database_with_others(
    anns: Path, bobs: Path, desk: Desk
) -> None:
    backup = desk.exported(anns, scope=("project=home",)).path
    assert backup
    taken_in(desk, backup, bobs)
    assert rows(bobs, TEXTS) == GARDEN + HOME
    assert rows(bobs, "PRAGMA foreign_key_check") == []


def test_a_backup_of_a_project_without_comments_is_read_though_their_triggers_fill_the_search(
    anns: Path, bobs: Path, desk: Desk
) -> None:
    backup = desk.exported(anns, scope=("project=work",)).path
    assert backup
    taken_in(desk, backup, bobs)
    assert rows(bobs, TEXTS) == GARDEN + WORK
    found = "SELECT rowid FROM issues_fts WHERE issues_fts MATCH 'depot'"
    assert rows(bobs, f"SELECT short_id FROM issues WHERE id IN ({found})") == [("p0t",)]


@pytest.mark.parametrize("tables", [("comments",), ("projects",)])
def test_a_backup_of_one_table_is_restored_though_triggers_of_another_fill_the_search(
    anns: Path, tmp_path: Path, desk: Desk, tables: tuple[str, ...]
) -> None:
    backup = desk.exported(anns, tables=tables).path
    assert backup
    desk.restored(backup, tmp_path / "restored.db")
    query = f"SELECT * FROM {tables[0]}"
    assert rows(tmp_path / "restored.db", query) == rows(anns, query)
