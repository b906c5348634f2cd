"""Software of You: tags, notes and log entries of two machines stay with what they are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast import sample
from holdfast.operations.undo_change import UndoOptions, undo_change
from holdfast.profiles import profile_folder
from holdfast.works import ConflictMode
from tests.conftest import MakeContext, connected, everything, rows, run_sql
from tests.systems import soy
from tests.systems.conftest import Desk

# What each kind of entity is a row of, and a column to know it by.
KINDS = {
    "contact": ("contacts", "name"),
    "project": ("projects", "name"),
    "task": ("tasks", "title"),
    "milestone": ("milestones", "name"),
    "follow_up": ("follow_ups", "due"),
    "email": ("emails", "subject"),
    "calendar_event": ("calendar_events", "title"),
    "transcript": ("transcripts", "title"),
    "commitment": ("commitments", "text"),
    "decision": ("decisions", "title"),
    "journal_entry": ("journal_entries", "content"),
}
OF_ENTITIES = {"notes": "content", "activity_log": "action", "entity_tags": "tag_id"}


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return of_everything(tmp_path / "there.db", "there")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The same numbers, all for other rows."""
    path = of_everything(tmp_path / "here.db", "here")
    for table, column in KINDS.values():
        run_sql(path, f"UPDATE {table} SET {column} = 'my ' || {column}")
    run_sql(
        path,
        "UPDATE emails SET gmail_id = 'h'; UPDATE calendar_events SET google_event_id = 1;"
        "DELETE FROM transcript_sources",
    )
    return path


def of_everything(path: Path, side: str) -> Path:
    """Make a database with a note, a log entry and a tag of row 1 of every kind."""
    soy.make(path)
    run_sql(path, "UPDATE journal_entries SET content = 'dear diary'")
    run_sql(path, "".join(f"DELETE FROM {table};" for table in OF_ENTITIES))
    for kind in KINDS:
        run_sql(
            path,
            f"INSERT INTO notes (entity_type, entity_id, content) VALUES ('{kind}', 1, '{side}');"
            "INSERT INTO activity_log (entity_type, entity_id, action)"
            f" VALUES ('{kind}', 1, '{side}'); INSERT INTO entity_tags VALUES ('{kind}', 1, 1);",
        )
    return path


def entities(path: Path, table: str, column: str) -> Counter[object]:
    """Count what the rows of a table are of, by kind, by name, and by what they say of it."""
    found: Counter[object] = Counter()
    for kind, (parent, name) in KINDS.items():
        query = f"SELECT entity_type, p.{name}, e.{column} FROM {table} AS e JOIN {parent} AS p"
        found.update(rows(path, f"{query} ON p.id = e.entity_id WHERE entity_type = '{kind}'"))
    return found


@pytest.mark.parametrize("table", OF_ENTITIES)
def test_each_is_still_of_the_row_that_it_was_of(
    there: Path, here: Path, desk: Desk, table: str
) -> None:
    column = OF_ENTITIES[table]
    wanted = entities(there, table, column) + entities(here, table, column)
    assert len(wanted) == 2 * len(KINDS)
    backup = desk.exported(there).path
    assert backup
    report = desk.imported(backup, here, mode=ConflictMode.REMAP)
    assert not any("entity_id" in warning for warning in report.warnings)
    assert entities(here, table, column) == wanted
    before = everything(here)
    assert desk.imported(backup, here, mode=ConflictMode.REMAP).outcome == "nothing to do"
    assert everything(here) == before


def test_an_undo_takes_them_out_again(
    there: Path, here: Path, desk: Desk, context: MakeContext
) -> None:
    backup, before = desk.exported(there).path, everything(here)
    assert backup
    desk.imported(backup, here, mode=ConflictMode.REMAP)
    assert everything(here) != before
    undo_change(context(), UndoOptions(database=str(here), yes=True))
    assert everything(here) == before


def test_entries_of_a_contact_that_is_gone_are_not_given_to_another(
    there: Path, here: Path, desk: Desk
) -> None:
    run_sql(there, "INSERT INTO activity_log (entity_type, entity_id, action) VALUES"
            " ('contact', 7, 'deleted'), ('system', 0, 'checked')")  # fmt: skip
    run_sql(here, "INSERT INTO contacts (id, name) VALUES (7, 'another')")
    backup = desk.exported(there).path
    assert backup
    report = desk.imported(backup, here, mode=ConflictMode.REMAP)
    assert [warning for warning in report.warnings if "activity_log" in warning] == [
        "1 rows of activity_log are left out: they refer by number, or through others, to rows that"
        " the backup lacks, and that are other rows here."
    ]
    actions = rows(here, "SELECT entity_id, action FROM activity_log WHERE action LIKE '%ed'")
    assert (0, "checked") in actions
    assert (7, "deleted") not in actions


def test_an_export_of_one_project_has_what_is_of_it_alone(
    there: Path, desk: Desk, tmp_path: Path
) -> None:
    profile = (profile_folder() / "soy.yaml").read_text(encoding="utf-8")
    (tmp_path / "home" / "profiles").mkdir(parents=True)
    (tmp_path / "home" / "profiles" / "soy.yaml").write_text(
        profile + "scopes:\n  project: {table: projects, name: name, id: id}\n", encoding="utf-8"
    )
    run_sql(
        there,
        "INSERT INTO projects (id, name) VALUES (2, 'Garden');"
        "INSERT INTO tasks VALUES (9, 'Dig', 2);"
        "INSERT INTO notes (entity_type, entity_id, content) VALUES ('project', 2, 'theirs'),"
        " ('task', 9, 'theirs'), ('contact', 2, 'of one who has no project');",
    )
    backup = desk.exported(there, scope=("project=Website",)).path
    assert backup
    desk.restored(backup, tmp_path / "one.db")
    query = "SELECT entity_type, entity_id FROM notes ORDER BY id"
    assert rows(tmp_path / "one.db", query) == [
        ("project", 1),
        ("task", 1),
        ("milestone", 1),
        ("decision", 1),
    ]
    assert rows(tmp_path / "one.db", "SELECT entity_type FROM entity_tags ORDER BY 1") == [
        ("decision",),
        ("milestone",),
        ("project",),
        ("task",),
    ]


# The sample, into one that has other rows under its numbers


NAMES = {
    "contact": "SELECT id, name FROM contacts",
    "project": "SELECT id, name FROM projects",
    "task": "SELECT t.id, p.name || t.title || t.created_at FROM tasks AS t JOIN projects AS p"
    " ON p.id = project_id",
    "email": "SELECT id, gmail_id FROM emails",
}


KEPT = ("contacts", "projects", "tasks", "emails")


def of_sample(path: Path) -> Iterator[tuple[object, ...]]:
    with connected(path) as connection:
        names = {kind: dict(connection.execute(query)) for kind, query in NAMES.items()}
        for table, column in (("notes", "content"), ("activity_log", "created_at")):
            query = f"SELECT entity_type, entity_id, {column} FROM {table}"
            for kind, number, what in connection.execute(query):
                if kind in names:
                    yield table, kind, names[kind][number], what
        tags = dict(connection.execute("SELECT id, name FROM tags"))
        for kind, number, tag in connection.execute(
            "SELECT entity_type, entity_id, tag_id FROM entity_tags"
        ):
            yield "entity_tags", kind, names[kind][number], tags[tag]


def test_the_sample_stays_together_among_other_rows(tmp_path: Path, desk: Desk) -> None:
    there, here = tmp_path / "there.db", tmp_path / "here.db"
    sample.build_sample(there)
    sample.build_sample(here)
    wanted = Counter(of_sample(there))
    # Here, the same numbers are other contacts, projects and tasks, and other ones of the mails.
    run_sql(
        here,
        "".join(f"DELETE FROM {table};" for table in sample.TABLES if table not in KEPT)
        + "UPDATE contacts SET name = 'my ' || name, email = NULL, company_id = NULL;"
        "UPDATE projects SET name = 'my ' || name, client_id = NULL;"
        "UPDATE tasks SET title = 'my ' || title, assigned_to = NULL;"
        "UPDATE emails SET id = 9000 - id; UPDATE emails SET id = id - 7519;",
    )
    backup = desk.exported(there).path
    assert backup
    desk.imported(backup, here, mode=ConflictMode.REMAP)
    assert Counter(of_sample(here)) == wanted
    assert desk.imported(backup, here, mode=ConflictMode.REMAP).outcome == "nothing to do"
