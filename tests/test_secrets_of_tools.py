"""What the bundled profiles call secret is in no redacted backup, and stays where it lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.profiles import Profile
from holdfast.profiles.folder import read_folder
from holdfast.redaction import MARKER_START, secrets_in
from holdfast.reports import json_text, text
from holdfast.works import ConflictMode
from tests.conftest import ROOT, everything, rows, run_sql
from tests.excerpts.test_redacted import FORMS, bytes_of

# Of each tool: its tables with secrets, of the columns those that matter here, and a secret in
# each place that is one. S3CRET is to be hidden, CLEAR is not.
PLACES = Path(__file__).parent / "secrets"
BUNDLED = {
    name: profile
    for name, profile in read_folder(ROOT / "data" / "profiles").items()
    if profile.secrets
}


def columns_of(database: Path, table: str) -> list[str]:
    return [
        str(name) for (name,) in rows(database, f"SELECT name FROM pragma_table_info('{table}')")
    ]


def places_of(database: Path, profile: Profile) -> set[str]:
    """All that the profile names, of the tables and columns that are there."""
    return {
        f"{table}.{name}"
        for table, secrets in profile.secrets.items()
        for name in secrets_in(columns_of(database, table), secrets)
    }


def redacted(context, database, **options):
    wanted = ExportOptions(database=str(database), redact=True, **options)
    return export_backup(context(), wanted)


@pytest.fixture(params=BUNDLED)
def profile(request):
    return BUNDLED[request.param]


@pytest.fixture
def database(profile, make_database):
    path = make_database((PLACES / f"{profile.name}.sql").read_text(encoding="utf-8"))
    for table in profile.recognise:
        run_sql(path, f'CREATE TABLE IF NOT EXISTS "{table}" (id INTEGER PRIMARY KEY)')
    return path


def test_each_table_and_each_name_has_its_example(profile, database, context):
    named = {name for secrets in profile.secrets.values() for name in secrets}
    found = {place.partition(".")[2] for place in places_of(database, profile)}
    assert found == named
    assert not [table for table in profile.secrets if not columns_of(database, table)]
    assert set(export_backup(context(), ExportOptions(database=str(database))).secrets) == (
        places_of(database, profile)
    )


@pytest.mark.parametrize("form", FORMS)
def test_no_byte_of_a_secret_is_in_a_redacted_backup_or_a_report(profile, database, context, form):
    plain = export_backup(context(), ExportOptions(database=str(database), format=form))
    report = redacted(context, database, format=form)
    assert b"S3CRET" in bytes_of(plain.path)
    hidden = bytes_of(report.path)
    assert b"S3CRET" not in hidden
    assert b"424242" not in hidden
    assert report.profile == profile.name
    assert report.warnings == ()
    assert b"CLEAR" in hidden
    assert MARKER_START.encode() in hidden
    for shown in (plain, report):
        assert "S3CRET" not in text(shown) + json_text(shown)
    target = database.with_name("restored.db")
    restored = restore_backup(context(), RestoreOptions(backup=str(report.path), target=target))
    assert set(restored.redacted) == places_of(database, profile)
    for table in {skipped.table for skipped in report.skipped_tables}:
        assert rows(target, f'SELECT count(*) FROM "{table}"') == [(0,)]


@pytest.mark.parametrize("mode", [each for each in ConflictMode if each is not ConflictMode.FAIL])
def test_an_import_of_a_redacted_backup_leaves_each_secret_as_it_is(
    profile, database, context, mode
):
    report = redacted(context, database)
    before = everything(database)
    options = ImportOptions(backup=str(report.path), database=str(database), yes=True, mode=mode)
    assert import_backup(context(), options).outcome == "nothing to do"
    assert everything(database) == before
