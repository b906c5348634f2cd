"""Reads items from packs, each proven by its id, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field

from holdfast.errors import BackupDamaged, ObjectMissing
from holdfast.stores.pages.catalog import Catalog, Pack
from holdfast.stores.pages.place import Place

MakeId = Callable[[bytes], bytes]


class Losses(Struct):
    """What could not be read."""

    items: set[bytes] = field(default_factory=set)  # their ids
    packs: dict[str, str] = field(default_factory=dict)  # what is wrong with each, for people


def read_items(
    place: Place, catalog: Catalog, wanted: Iterable[bytes], make_id: MakeId, losses: Losses
) -> Iterator[tuple[bytes, bytes]]:
    """
    Yield items with their ids, pack by pack; what cannot be read is noted, and passed over.

    Args:
        make_id: of the kind of item that is read; what has another id is lost.
    """
    by_pack: dict[str, tuple[Pack, set[int]]] = {}
    for item_id in wanted:
        found = catalog.find(item_id)
        if found is None:
            losses.items.add(item_id)
        else:
            by_pack.setdefault(found[0].name, (found[0], set()))[1].add(found[1])
    for pack, numbers in by_pack.values():
        lost = {pack.directory.item_id(number) for number in numbers}
        for item_id, content in _of_pack(place, pack, numbers, losses):
            if make_id(content) == item_id:
                lost.discard(item_id)
                yield item_id, content
            else:
                losses.packs[pack.name] = "it holds what was not written"
        losses.items |= lost


def _of_pack(
    place: Place, pack: Pack, numbers: set[int], losses: Losses
) -> Iterator[tuple[bytes, bytes]]:
    directory = pack.directory
    frames = [
        frame
        for frame in range(directory.frame_count)
        if not numbers.isdisjoint(directory.numbers(frame))
    ]
    try:
        for frame, packed in _frames(place, pack, frames):
            try:
                for number, content in directory.items(frame, packed):
                    if number in numbers:
                        yield directory.item_id(number), content
            except BackupDamaged as error:  # of this frame: the others may be whole
                losses.packs[pack.name] = str(error)
    except ObjectMissing:
        losses.packs[pack.name] = "it is not there"
    except BackupDamaged as error:
        losses.packs[pack.name] = str(error)


def _frames(place: Place, pack: Pack, frames: list[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the compressed frames of a pack that are wanted."""
    starts = pack.directory.frame_starts
    if not place.has_ranges:
        content = place.read(pack.name)
        for frame in frames:
            yield frame, content[starts[frame] : starts[frame + 1]]
        return
    for first, last in _runs(frames):
        start = starts[first]
        content = place.objects.read_range(pack.name, start, starts[last + 1] - start)
        for frame in range(first, last + 1):
            yield frame, content[starts[frame] - start : starts[frame + 1] - start]


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of numbers that follow each other."""
    first = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            yield numbers[first], numbers[at - 1]
            first = at
