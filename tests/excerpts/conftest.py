"""A board of tasks whose profile has groups, scopes and rules for what an export leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.outcomes import ExportReport, ImportReport, RestoreReport
from tests.conftest import MakeContext, MakeDatabase, rows

PROFILE = """
name: board
title: Board
recognise: [projects, tasks, tags]
groups:
  boards: {tables: [boards, types]}
  tasks: {tables: [tasks, deps, task_tags, absent]}
  tags: {tables: [tags]}
  projects: {tables: [projects]}
  memory: {tables: [memory], default: false}
exclude_rows:
  tags: {where: "name LIKE 'test-%'"}
  types: {where: builtin, referring: keep}
exclude_columns: {tasks: [session, gone]}
skip_on_export: {roster: paths of this machine}
references:
  - {table: memory, columns: [project], parent: projects, parent_columns: [NAME]}
scopes:
  project: {table: projects, name: name, id: id}
  board: {table: boards, name: name, id: id}
"""
SCHEMA = """
CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE types (id TEXT PRIMARY KEY, builtin INTEGER);
CREATE TABLE boards (id INTEGER PRIMARY KEY, name TEXT, project INTEGER REFERENCES projects);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects,
    board INTEGER REFERENCES boards, type TEXT REFERENCES types, up INTEGER REFERENCES tasks,
    session TEXT
);
CREATE TABLE deps (
    task INTEGER NOT NULL REFERENCES tasks, needs INTEGER NOT NULL REFERENCES tasks,
    PRIMARY KEY (task, needs)
) WITHOUT ROWID;
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE task_tags (
    task INTEGER REFERENCES tasks, tag INTEGER REFERENCES tags, PRIMARY KEY (task, tag)
);
CREATE TABLE roster (path TEXT);
CREATE TABLE memory (id INTEGER PRIMARY KEY, project TEXT, text TEXT);
"""
# Tasks 1, 2 and 4 are of Planning. Task 2 lies on a board of Garden, task 4 is part of Garden's
# task 3, and the two projects depend on each other. Tag 2 is one that the profile excludes.
ROWS = """
INSERT INTO projects VALUES (1, 'Planning'), (2, 'Garden');
INSERT INTO types VALUES ('bug', 1), ('own', 0), ('other', 0);
INSERT INTO boards VALUES (1, 'P board', 1), (2, 'G board', 2), (3, 'shared', NULL);
INSERT INTO tasks VALUES
    (1, 1, 1, 'own', NULL, 's'), (2, 1, 2, 'bug', 1, 's'), (3, 2, 2, 'other', NULL, NULL),
    (4, 1, 3, NULL, 3, NULL);
INSERT INTO deps VALUES (1, 2), (2, 3), (3, 1), (4, 1);
INSERT INTO tags VALUES (1, 'red'), (2, 'test-x'), (3, 'blue');
INSERT INTO task_tags VALUES (1, 1), (2, 2), (3, 3), (3, 1);
INSERT INTO roster VALUES ('/home/ann');
INSERT INTO memory VALUES (1, 'Planning', 'a'), (2, 'Garden', 'b'), (3, 'Gone', 'c');
"""


class Board:
    """The board's database, and what is made of it."""

    def __init__(self, make_database: MakeDatabase, context: Context, profiles: Path) -> None:
        self._make_database = make_database
        self.context = context
        self._profiles = profiles
        self.path = make_database(SCHEMA + ROWS, "board.db")
        self.set_profile(PROFILE)

    def set_profile(self, text: str) -> None:
        self._profiles.mkdir(parents=True, exist_ok=True)
        (self._profiles / "board.yaml").write_text(text, encoding="utf-8")
        self.context = Context(
            **{name: getattr(self.context, name) for name in Context.__struct_fields__}
        )

    def exported(self, *words: str, **options: Any) -> ExportReport:
        wanted = ExportOptions(database=str(self.path), words=words, **options)
        return export_backup(self.context, wanted)

    def document(self, *words: str, **options: Any) -> dict[str, Any]:
        """Export, and return the document."""
        report = self.exported(*words, **options)
        assert report.path is not None
        found: dict[str, Any] = json.loads(report.path.read_bytes())
        return found

    def keys(self, *words: str, **options: Any) -> dict[str, list[Any]]:
        """Export, and return the first column of each row by table, but for the rowid."""
        tables = self.document(*words, **options)["tables"]
        return {
            name: [next(v for k, v in row.items() if k != "$rowid") for row in found]
            for name, found in tables.items()
        }

    def empty(self, extra: str = "") -> Path:
        """Make another database of the same schema."""
        return self._make_database(SCHEMA + extra, "other.db")

    def imported(self, backup: ExportReport, path: Path, **options: Any) -> ImportReport:
        wanted = {"yes": True} | options
        return import_backup(
            self.context, ImportOptions(backup=str(backup.path), database=str(path), **wanted)
        )

    def restored(self, backup: ExportReport) -> tuple[Path, RestoreReport]:
        target = self.path.with_name("restored.db")
        options = RestoreOptions(backup=str(backup.path), target=target)
        return target, restore_backup(self.context, options)

    def rows(self, query: str, path: Path | None = None) -> list[tuple[object, ...]]:
        return rows(path or self.path, query)


@pytest.fixture
def board(make_database: MakeDatabase, context: MakeContext, tmp_path: Path) -> Board:
    return Board(make_database, context(), tmp_path / "home" / "profiles")
