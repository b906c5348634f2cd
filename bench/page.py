"""What was measured, as a page and as JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from bench.databases import RECIPES
from bench.measure import Measured, Run
from bench.space import Space
from bench.works import GROWING_DATA, GROWTH_BAR, MEMORY_BAR_MB

_INTRODUCTION = """\
# Performance

Written by `make bench`, which makes invented databases, and runs Holdfast's commands and those \
of the tools one would use instead in turn (ours, theirs, ours, ...). Whole commands are measured \
from outside, start-up included, with a warm page cache. A ratio is our time over theirs: the \
median of the pairs, with the lowest and the highest. Where there is a bar, the ratio must not be \
higher. Holdfast does more in each: it takes digests, puts files on the disk and, unless \
`--no-verify` is named, reads back what it wrote. No peak is below the 30 to 60 MB \
that the bench itself holds.
"""


def page(
    measured: Iterable[Measured],
    growth: Mapping[str, Mapping[str, Run]],
    spaces: Sequence[Space],
    rounds: int,
) -> str:
    """Write all results as Markdown."""
    lines = [
        _INTRODUCTION,
        f"Measured on {machine()}, {rounds} pairs each after one to warm up.",
        "",
        "## Time",
        "",
        "| Work | Data | Against | Ratio | Bar | Ours, s | Theirs, s | Peak MB | Output MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(each) for each in measured),
    ]
    if growth:
        lines += ["", "## Growth", "", *_growth(growth)]
    if spaces:
        lines += ["", "## Space", "", *_space(spaces)]
    return "\n".join(lines) + "\n"


def _row(each: Measured) -> str:
    work, ratios = each.work, each.ratios
    cells = (
        work.name,
        work.data,
        work.against,
        f"**{each.ratio:.2f}** ({min(ratios):.2f}-{max(ratios):.2f})",
        "" if work.bar is None else f"{work.bar:g}{'' if each.holds else ', missed'}",
        f"{median(run.seconds for run in each.ours):.2f}",
        f"{median(run.seconds for run in each.peer):.2f}",
        f"{max(run.peak_mb for run in each.ours):.0f}",
        f"{each.ours[-1].output_mb:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _growth(growth: Mapping[str, Mapping[str, Run]]) -> Iterator[str]:
    small, large = GROWING_DATA
    factor = RECIPES[large].rows / RECIPES[small].rows
    yield (
        f"Peak of the largest process; the bar is {MEMORY_BAR_MB} MB. Time as a multiple of what"
        f" {factor:g} times the data of {small} would take in proportion; the bar is {GROWTH_BAR}."
    )
    yield ""
    yield f"| Work | {small}, MB | {large}, MB | {small}, s | {large}, s | Growth |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, runs in growth.items():
        of_small, of_large = runs.get(small), runs.get(large)
        if of_small is None or of_large is None:  # not measured yet
            continue
        peaks = f"{of_small.peak_mb:.0f} | {of_large.peak_mb:.0f}"
        times = f"{of_small.seconds:.2f} | {of_large.seconds:.2f}"
        ratio = of_large.seconds / of_small.seconds / factor
        missed = ratio > GROWTH_BAR or of_large.peak_mb > MEMORY_BAR_MB
        yield f"| {name} | {peaks} | {times} | **{ratio:.2f}**{', missed' if missed else ''} |"


def _space(spaces: Sequence[Space]) -> Iterator[str]:
    yield (
        "What the second of two backups adds to a store with `layout: pages`, of a database of"
        f" {spaces[0].database_bytes / 1e6:,.0f} MB."
    )
    yield ""
    yield "| Changed in between | First, MB | Second, MB | Share | At most |"
    yield "| --- | --- | --- | --- | --- |"
    for each in spaces:
        sizes = f"{each.first_bytes / 1e6:,.2f} | {each.second_bytes / 1e6:,.2f}"
        missed = "" if each.holds else ", missed"
        shares = f"**{each.share:.2%}** | {each.change.bar:.1%}{missed}"
        yield f"| {each.change.name} | {sizes} | {shares} |"


def as_json(measured: Iterable[Measured], growth: Mapping[str, Mapping[str, Run]]) -> str:
    """Write all results as JSON."""
    works = [
        {
            "name": each.work.name,
            "data": each.work.data,
            "against": each.work.against,
            "bar": each.work.bar,
            "ratio": each.ratio,
            "ratios": each.ratios,
            "ours": [(run.seconds, run.peak_mb, run.output_mb) for run in each.ours],
            "peer": [(run.seconds, run.peak_mb, run.output_mb) for run in each.peer],
        }
        for each in measured
    ]
    grown = {
        name: {data: (run.seconds, run.peak_mb) for data, run in runs.items()}
        for name, runs in growth.items()
    }
    return json.dumps({"machine": machine(), "works": works, "growth": grown}, indent=1)


def machine() -> str:
    """Name the machine and the versions that were measured with."""
    shell = subprocess.run(["sqlite3", "--version"], capture_output=True, text=True).stdout.split()
    from holdfast import __version__, database

    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python"
        f" {platform.python_version()}, Holdfast {__version__} with SQLite"
        f" {database.sqlite_version()}, sqlite3 shell {shell[0]}"
    )
