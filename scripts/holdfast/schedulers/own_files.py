"""Small files that are Holdfast's alone, in the folders of a scheduler."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast import files
from holdfast.errors import ScheduleFailed

_SIGN = "holdfast"  # in every file that we write, whatever its form


def current(path: Path) -> bytes | None:
    """
    Return what a file of ours holds; None when there is none.

    Raises: ScheduleFailed when somebody else's file has its name.
    """
    with files.reading(path):
        content = path.read_bytes() if path.exists() else None
    if content is not None and _SIGN.encode() not in content.lower():
        raise ScheduleFailed(
            f"{path} is there, and not Holdfast's", hint="Move it away, then try again."
        )
    return content


@contextlib.contextmanager
def put(contents: Mapping[Path, str]) -> Iterator[None]:
    """Write files of ours, in the place of older ones; what was there comes back on an error."""
    before = {path: current(path) for path in contents}
    try:
        for path, text in contents.items():
            files.replace_content(path, text.encode())
        yield
    except BaseException:
        for path, content in before.items():
            if content is None:
                files.remove(path)
            else:
                files.replace_content(path, content)
        raise


def drop(*paths: Path) -> None:
    """Delete files of ours, as far as they are there."""
    for path in paths:
        if current(path) is not None:
            files.remove(path)
