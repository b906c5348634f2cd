"""How far an operation has come is told while it goes on, and in what words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.operations.context import Context, Progress
from holdfast.operations.diff_backups import DiffOptions, diff_backups
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from tests.conftest import MakeContext, MakeDatabase, run_sql

TWO_TABLES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE tags (name TEXT PRIMARY KEY);
WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO notes SELECT i, 'note ' || i FROM n;
INSERT INTO tags VALUES ('a'), ('b');
"""


def told(context: Context, work: Callable[[Context], object]) -> list[Progress]:
    """What is told while some work is done."""
    found: list[Progress] = []
    work(replace(context, progress=found.append))
    return found


def last_of(found: list[Progress], phase: str) -> Progress:
    return [each for each in found if each.phase == phase][-1]


@pytest.mark.parametrize("form", ["json", "zip", "sqlite"])
def test_an_export_tells_the_rows_that_it_has_written_of_all_there_were_last_time(
    context: MakeContext, make_database: MakeDatabase, form: str
) -> None:
    database, world = make_database(TWO_TABLES), context()
    options = ExportOptions(database=str(database), format=form)
    first = told(world, lambda here: export_backup(here, options))
    assert last_of(first, "writing") == Progress("writing", "tags", 5002, None)
    counts = [each.done for each in first if each.phase == "writing"]
    assert counts == sorted(counts) and len(counts) > 2
    assert first[-1].phase == "reading back"
    second = told(world, lambda here: export_backup(here, options))
    assert last_of(second, "writing") == Progress("writing", "tags", 5002, 5002)


def test_what_is_read_is_told_table_by_table(
    context: MakeContext, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database, world = make_database(TWO_TABLES), context()
    export_backup(world, ExportOptions(database=str(database)))
    verify = told(world, lambda here: verify_backups(here, VerifyOptions(backups=("latest",))))
    assert last_of(verify, "reading") == Progress("reading", "tags", 5002, 5002)
    assert last_of(verify, "restoring") == Progress("restoring", "tags", 5002, 5002)
    options = RestoreOptions(backup="latest", target=tmp_path / "new.db")
    restore = told(world, lambda here: restore_backup(here, options))
    assert last_of(restore, "restoring") == Progress("restoring", "tags", 5002, 5002)
    sides = DiffOptions(first="latest", second="live", database=str(database))
    diff = told(world, lambda here: diff_backups(here, sides))
    assert diff[-1].phase.startswith("reading backup-") and diff[-1].done == 5002


def test_an_import_tells_what_it_does_after_it_has_read(
    context: MakeContext, make_database: MakeDatabase
) -> None:
    database, world = make_database(TWO_TABLES), context()
    export_backup(world, ExportOptions(database=str(database)))
    run_sql(database, "UPDATE notes SET title = 'changed' WHERE id = 7")
    options = ImportOptions(backup="latest", database=str(database), yes=True)
    found = told(world, lambda here: import_backup(here, options))
    phases = list(dict.fromkeys(each.phase for each in found))
    assert phases == ["reading", "planning", "changing", "checking"]
    assert last_of(found, "reading").done == 5002
    assert {each.table for each in found if each.phase == "changing"} == {"notes", "tags"}


def test_who_stops_the_work_where_it_tells_leaves_no_backup(
    context: MakeContext, make_database: MakeDatabase
) -> None:
    def stop(progress: Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    world = replace(context(), progress=stop)
    with pytest.raises(KeyboardInterrupt):
        export_backup(world, ExportOptions(database=str(make_database(TWO_TABLES))))
    assert list(world.output.glob("*")) == []
