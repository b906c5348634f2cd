"""Builds a page copy from a page store: each page proven by its id, the whole by its hash."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from holdfast import files
from holdfast.errors import BackupDamaged, BackupNotFound, ObjectMissing, StoreFailed
from holdfast.formats.sqlite_copy import MANIFEST_SUFFIX
from holdfast.stores.pages.catalog import Catalog, load_catalog, put_mark, read_marks
from holdfast.stores.pages.contents import Pages, open_root, pages_of, touched
from holdfast.stores.pages.items import Losses, read_items
from holdfast.stores.pages.naming import SUFFIX
from holdfast.stores.pages.place import PACKS, Place
from holdfast.stores.pages.roots import Root

_NAMED = 3  # how many backups an error names


def fetch_backup(
    place: Place, name: str, folder: Path, others: Callable[[], Iterable[str]]
) -> Path:
    """
    Put a backup into an empty folder, as a page copy with its manifest.

    What is found damaged is marked in the store: the next backup that needs it writes it anew.

    Args:
        others: names all backups in the store, for an error to say which of them it touches.

    Raises: BackupNotFound; BackupDamaged; BackupTooNew; KeyNotAtHand; StoreFailed; WriteFailed.
    """
    try:
        root = open_root(place, name)
    except ObjectMissing as error:
        raise BackupNotFound(
            f"{name} is no longer in {place.objects.location}",
            hint="See what there is with status.",
        ) from error
    catalog = load_catalog(place)
    pages = pages_of(place, catalog, root)
    target = folder / f"{PurePosixPath(name).name.partition(SUFFIX)[0]}.db"
    with _kept_when_whole(target):
        _write_pages(place, catalog, root, pages, target)
        if pages.losses.items:
            raise _incomplete(place, catalog, name, pages, others)
        if (target.stat().st_size, files.sha256_of(target)) != (root.file_bytes, root.sha256):
            raise BackupDamaged(
                f"{name} in {place.objects.location}: its pages are whole, and together they"
                " are not what was written",
                hint="Use another backup: see status.",
            )
    with files.create(target.with_name(target.name + MANIFEST_SUFFIX)) as file:
        file.write(root.manifest.encode())
    return target


@contextlib.contextmanager
def _kept_when_whole(target: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        files.remove(target)
        raise


def _write_pages(place: Place, catalog: Catalog, root: Root, pages: Pages, target: Path) -> None:
    positions: defaultdict[bytes, list[int]] = defaultdict(list)
    for number, page_id in enumerate(pages.ids):
        if page_id is not None:
            positions[page_id].append(number)
    with files.create(target) as file, files.translated_errors(target):
        for page_id, content in read_items(
            place, catalog, positions, place.key.page_id, pages.losses
        ):
            for number in positions[page_id]:
                file.seek(number * root.page_size)
                file.write(content)


def _incomplete(
    place: Place,
    catalog: Catalog,
    name: str,
    pages: Pages,
    others: Callable[[], Iterable[str]],
) -> BackupDamaged:
    losses = pages.losses
    mark_damage(place, losses)
    numbers = pages.numbers_of(losses.items)
    also = [each for each in touched(place, catalog, others(), losses.items) if each != name]
    named = ", ".join(also[:_NAMED]) + (f" and {len(also) - _NAMED} more" * (len(also) > _NAMED))
    reasons = "; ".join(f"{pack}: {what}" for pack, what in sorted(losses.packs.items()))
    return BackupDamaged(
        f"{name} in {place.objects.location}: {len(numbers):,} of its {len(pages.ids):,} pages"
        f" cannot be read, the first is page {numbers[0]:,}"
        f" ({reasons or 'no pack that is there holds them'})"
        + (f". So it is with {named}" if also else ""),
        hint="Use another backup. Pages that the database still has are written anew by the next"
        " export to this store, which mends the backups that share them.",
    )


def mark_damage(place: Place, losses: Losses) -> None:
    """Let no new backup rely on packs that were found damaged."""
    with contextlib.suppress(StoreFailed):  # what is read-only is still told
        there = {facts.name for facts in place.objects.list(PACKS)}
        damaged = (losses.packs.keys() & there) - read_marks(place).packs
        if damaged:
            put_mark(place, damaged)
