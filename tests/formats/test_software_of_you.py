"""Files that Software of You itself wrote: plain JSON, which nothing can prove."""

from __future__ import annotations

import gzip
import json

import pytest

from holdfast.cells import RowReader
from holdfast.errors import BackupDamaged, HoldfastError, NotABackup
from holdfast.formats import open_backup
from holdfast.formats.interface import TableStart
from holdfast.model import Header, Layout, Trailer
from holdfast.operations.import_backup import import_backup
from holdfast.operations.import_job import ImportOptions
from tests.conftest import stored
from tests.formats.conftest import read_back

DOCUMENT = {
    "backup_date": "2026-11-20",
    "version": 3,
    "tables": {
        "contacts": [
            {"id": 1, "name": "Ann", "company": None},
            {"id": 2, "name": "Bøb", "score": 0.5, "is_active": True},
        ],
        "tags": [],
    },
}


@pytest.fixture
def write(tmp_path):
    """Write a file, and open it as a backup."""

    def open_it(content):
        path = tmp_path / "backup-2026-11-20.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return open_it


def test_its_tables_and_rows_are_read(write):
    header, first, lines, second, trailer = read_back(write(DOCUMENT))
    assert isinstance(header, Header) and isinstance(lines, bytes) and isinstance(trailer, Trailer)
    assert header.backup_date == "2026-11-20"
    assert (first, second) == (TableStart("contacts"), TableStart("tags"))
    assert header.layout["contacts"].columns == ("id", "name", "company", "score", "is_active")
    assert RowReader(header.layout["contacts"].columns).rows(lines) == [
        (1, "Ann", None, None, None),
        (2, "Bøb", None, 0.5, 1),
    ]
    assert trailer.counts == {"contacts": 2, "tags": 0}


def test_nothing_in_it_proves_it(write):
    reader = open_backup(write(DOCUMENT))
    assert reader.format.name == "software_of_you"
    assert not reader.contents().is_proven


@pytest.mark.parametrize("options", [{"indent": 2}, {"separators": (",", ":")}, {"indent": "\t"}])
def test_it_may_be_laid_out_in_any_way(write, options):
    path = write(json.dumps(DOCUMENT, **options).encode())
    assert open_backup(path).contents().row_count == 2


def test_its_keys_may_come_in_any_order(write):
    assert open_backup(write(dict(sorted(DOCUMENT.items())))).contents().row_count == 2


def test_a_byte_order_mark_does_not_matter(write):
    path = write(b"\xef\xbb\xbf" + json.dumps(DOCUMENT).encode())
    assert open_backup(path).contents().row_count == 2


def test_it_may_be_compressed(write):
    path = write(gzip.compress(json.dumps(DOCUMENT).encode()))
    assert open_backup(path).contents().row_count == 2


def test_it_may_mention_holdfast_in_its_rows(write):
    rows = [{"id": 1, "name": "holdfast"}]
    path = write({"backup_date": "2026-11-20", "tables": {"projects": rows}})
    assert open_backup(path).contents().row_count == 1


@pytest.mark.parametrize(
    "tables",
    [
        [],
        "contacts",
        {"contacts": {}},
        {"contacts": [1]},
        {"contacts": [{"id": 1}, None]},
    ],
)
def test_what_has_other_tables_than_lists_of_rows_is_refused(write, tables):
    path = write({"backup_date": "2026-11-20", "tables": tables})
    with pytest.raises(HoldfastError) as caught:
        open_backup(path).contents()
    assert caught.value.exit_code in (16, 17)
    assert caught.value.hint


@pytest.mark.parametrize("value", [[1], {"a": 1}, 2**63])
def test_a_value_that_sqlite_does_not_have_is_refused_before_anything_is_changed(
    write, make_database, context, value
):
    path = write({"backup_date": "x", "tables": {"t": [{"id": 1}, {"id": value}]}})
    target = make_database("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pytest.raises(BackupDamaged, match=path.name):
        import_backup(context(), ImportOptions(backup=str(path), database=str(target), yes=True))
    assert stored(target, "t") == []


@pytest.mark.parametrize("size", [1, 40, 100, 150])
def test_a_file_that_is_cut_short_is_refused(write, size):
    with pytest.raises(NotABackup) as caught:
        open_backup(write(json.dumps(DOCUMENT).encode()[:size])).contents()
    assert "backup-2026-11-20.json" in str(caught.value)


def test_a_column_of_no_values_is_still_a_column(write):
    path = write({"backup_date": "x", "tables": {"t": [{"a": None}, {}]}})
    header = open_backup(path).contents().header
    assert header.layout == {"t": Layout(("a",), ())}
