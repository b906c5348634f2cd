"""The report of a server, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.outcomes import ServeReport


def serve_lines(report: ServeReport) -> Iterator[str]:
    """Yield what is said when a server has ended."""
    yield f"Ended: {report.address} is no longer there."
