"""Every hazard comes back equal from every format, by our own eyes and by those of others."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast import database
from holdfast.errors import RestoreFailed
from holdfast.formats import FORMATS, WRITABLE
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.restore_backup import RestoreOptions, restore_backup
from holdfast.outcomes import ExportReport, RestoreReport
from holdfast.places import Home
from tests.conftest import NOW
from tests.fidelity import judges, page
from tests.fidelity.hazard import Hazard, Loss
from tests.fidelity.hazards import HAZARDS
from tests.fidelity.portrait import Portrait, answers, portrait

# Compression knows nothing of what is in a file: these take it through each of them.
COMPRESSED = (
    "text is long, with line ends of every kind",
    "there is no table at all",
    "rows are only in the write-ahead log",
)


@dataclass(frozen=True)
class Way:
    """A way to write a backup."""

    format: str
    compression: str = "none"
    pretty: bool = False

    @property
    def is_of_rows(self) -> bool:
        return FORMATS[self.format].place is None

    def __str__(self) -> str:
        words = [self.format, "pretty" if self.pretty else "", self.compression]
        return " ".join(word for word in words if word not in ("", "none"))


PLAIN = [*(Way(name) for name in WRITABLE), Way("json", pretty=True)]
SQUEEZED = [Way(name, how) for name in WRITABLE if name != "zip" for how in ("zstd", "gzip")]


@dataclass(frozen=True)
class Original:
    """The database of a hazard, and what is to be seen of it."""

    path: Path
    copy: Path  # for programs that may not touch the original
    portrait: Portrait
    answers: list[object]


@dataclass(frozen=True)
class Trip:
    """A database that went into a backup and came out again."""

    hazard: Hazard
    way: Way
    original: Original
    exported: ExportReport
    target: Path
    restored: RestoreReport | None  # None: it was refused

    @property
    def loss(self) -> Loss | None:
        return self.hazard.loss if self.way.is_of_rows else None

    def returned(self, *, judge: str) -> Path:
        """Return the database that came back, for a judge that can look at it."""
        if self.loss:
            pytest.skip(f"not all comes back: {self.loss.warning}")
        if judge in self.hazard.blind:
            pytest.skip(f"{judge}: {self.hazard.blind[judge]}")
        return self.target


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Hazard], Original]:
    """Make the database of a hazard, once for all ways."""
    made: dict[str, Original] = {}

    def make(hazard: Hazard) -> Original:
        if hazard.name not in made:
            folder = tmp_path_factory.mktemp("original")
            path, copy = folder / "tool.db", folder / "copy.db"
            hazard.build(path)
            copy.touch()
            with database.read_only(path) as connection:
                database.copy_pages(connection, copy)
            made[hazard.name] = Original(
                path,
                copy,
                portrait(copy, hazard.prepare),
                answers(copy, hazard.questions, hazard.prepare),
            )
        return made[hazard.name]

    return make


def cases() -> Iterator[object]:
    for hazard in HAZARDS:
        marks = [pytest.mark.slow] if hazard.is_slow else []
        for way in [*PLAIN, *(SQUEEZED if hazard.name in COMPRESSED else ())]:
            yield pytest.param((hazard, way), id=f"{hazard.name} - {way}", marks=marks)


@pytest.fixture(scope="module", params=cases())
def trip(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    original: Callable[[Hazard], Original],
) -> Trip:
    hazard, way = request.param
    source, folder = original(hazard), tmp_path_factory.mktemp("trip")
    context = Context(Home(folder / "home"), {}, folder, "linux", "ann@laptop", NOW)
    exported = export_backup(
        context,
        ExportOptions(
            database=str(source.path),
            format=way.format,
            compression=way.compression,
            pretty=way.pretty,
        ),
    )
    target = folder / "new" / "tool.db"
    restored = None
    with contextlib.suppress(RestoreFailed) if _is_refused(hazard, way) else _nothing():
        restored = restore_backup(context, RestoreOptions(backup=str(exported.path), target=target))
    return Trip(hazard, way, source, exported, target, restored)


_nothing = contextlib.nullcontext


def _is_refused(hazard: Hazard, way: Way) -> bool:
    return way.is_of_rows and hazard.loss is not None and hazard.loss.is_refused


def complain_of_warnings(found: tuple[str, ...], expected: str) -> None:
    """Fail unless there is one warning with these words in it; "": unless there is none."""
    assert [expected in text for text in found] == ([True] if expected else []), found


def test_it_comes_back_equal(trip: Trip) -> None:
    hazard, loss = trip.hazard, trip.loss
    complain_of_warnings(trip.exported.warnings, loss.warning if loss else "")
    if _is_refused(hazard, trip.way):
        assert trip.restored is None
        assert list(trip.target.parent.iterdir()) == []
        return
    assert trip.restored is not None
    complain_of_warnings(trip.restored.warnings, hazard.warning if trip.way.is_of_rows else "")
    assert trip.restored.broken_references == hazard.broken_references
    before, after = dict(trip.original.portrait), portrait(trip.target, hazard.prepare)
    for name in loss.tables if loss else ():
        assert before.pop(f"rows of {name}") != after.pop(f"rows of {name}"), "it is no loss"
    assert after == before
    if loss is None:
        assert answers(trip.target, hazard.questions, hazard.prepare) == trip.original.answers


def test_sqldiff_finds_no_difference(trip: Trip) -> None:
    assert judges.sqldiff(trip.original.copy, trip.returned(judge="sqldiff")) == ""


def test_the_shell_of_sqlite_finds_the_same_hash(trip: Trip) -> None:
    returned = trip.returned(judge="sha3sum")
    assert judges.sha3sum(returned) == judges.sha3sum(trip.original.copy)


def test_the_files_are_whole_to_the_tools_of_their_kind(trip: Trip) -> None:
    assert trip.exported.path
    judges.complain_of_files(trip.exported.path)


def test_each_hazard_has_a_name_of_its_own() -> None:
    assert len({hazard.name for hazard in HAZARDS}) == len(HAZARDS)


def test_the_page_says_what_the_catalogue_says() -> None:
    assert page.PATH.read_text(encoding="utf-8") == page.text(), f"run: {page.COMMAND}"
