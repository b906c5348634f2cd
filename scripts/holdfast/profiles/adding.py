"""Databases added to the text of backup.yaml, which keeps all that a person wrote in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from holdfast.profiles.reading import parse
from holdfast.profiles.shape import Complaint

if TYPE_CHECKING:
    import yaml

_KEY = "databases"


def with_databases(text: str, paths: Mapping[str, str]) -> str:
    """
    Add databases, each a name and a path, behind those that are there; comments stay.

    Raises: Complaint when the text is no YAML, or is written so that nothing can be added.
    """
    values = parse(text)
    if not isinstance(values, dict | None):
        raise Complaint("", "give keys with their values")
    before = dict((values or {}).get(_KEY) or {})
    lines = text.splitlines()
    at, indent = _place(text, is_there=_KEY in (values or {}))
    new = [
        f"{' ' * indent}{name}: {json.dumps(path, ensure_ascii=False)}"
        for name, path in paths.items()
    ]
    if at is None:
        new, at = [f"{_KEY}:", *new], len(lines)
    added = "\n".join([*lines[:at], *new, *lines[at:], ""])
    if not _says(added, {**(values or {}), _KEY: {**before, **paths}}):
        raise Complaint(
            _KEY, "nothing can be added", hint="Write each database on a line of its own."
        )
    return added


def _says(text: str, wanted: dict[Any, Any]) -> bool:
    try:
        return bool(parse(text) == wanted)
    except Complaint:
        return False


def _place(text: str, *, is_there: bool) -> tuple[int | None, int]:
    """Find the line to add before, and how far to indent; no line where the key is not there."""
    import yaml

    root = yaml.compose(text, yaml.SafeLoader) if is_there else None
    for key, value in getattr(root, "value", ()):
        if key.value == _KEY:
            entries: list[tuple[Any, Any]] = value.value if isinstance(value.value, list) else []
            if not entries:  # the key stands alone
                return key.start_mark.line + 1, key.start_mark.column + 2
            return _last_line(entries[-1][1]) + 1, entries[0][0].start_mark.column
    return None, 2


def _last_line(node: yaml.Node) -> int:
    """The last line of a value: a block ends, to YAML, only where the next one begins."""
    if isinstance(node.value, list) and node.value and not getattr(node, "flow_style", False):
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line)
