"""
Writes the tables of docs/fidelity.md from the catalogue of hazards; each line of them is a test.

    python3 -m tests --run tests.fidelity.page
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from holdfast.formats import FORMATS, WRITABLE
from tests.fidelity.hazard import Hazard
from tests.fidelity.hazards import GROUPS, HAZARDS

PATH = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
COMMAND = "python3 -m tests --run tests.fidelity.page"
# All from here on is made; what stands before is written by hand.
START = f"<!-- The rest is made by: {COMMAND} -->\n"


def text() -> str:
    """Return the page as it should be."""
    written, _, _ = PATH.read_text(encoding="utf-8").partition(START)
    return written + START + "\n".join(_tables())


def _tables() -> Iterator[str]:
    rows = [f"`{name}`" for name in WRITABLE if FORMATS[name].place is None]
    pages = [f"`{name}`" for name in WRITABLE if FORMATS[name].place is not None]
    yield f"\nRows: {', '.join(rows)}. Pages: {', '.join(pages)}. Databases: {len(HAZARDS)}."
    for title, hazards in GROUPS.items():
        yield f"\n## {title}\n\n| When | Rows | Pages | Not looked at by |"
        yield "| --- | --- | --- | --- |"
        yield from map(_line, hazards)
    yield ""


def _line(hazard: Hazard) -> str:
    blind = "; ".join(f"{judge}: {why}" for judge, why in hazard.blind.items())
    return f"| {hazard.name} | {_from_rows(hazard)} | equal | {blind} |"


def _from_rows(hazard: Hazard) -> str:
    if hazard.loss is None:
        return "equal, with a warning" if hazard.warning else "equal"
    if hazard.loss.is_refused:
        return "refused; the export warns"
    return f"without the rows of {', '.join(hazard.loss.tables)}; the export warns"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
