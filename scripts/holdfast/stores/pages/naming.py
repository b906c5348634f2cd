"""What tells a backup of a page store from one that is a file."""

from __future__ import annotations

SUFFIX = ".pages"


def is_root(name: str) -> bool:
    """Tell whether an object is a backup whose pages lie in packs."""
    return name.removesuffix(".age").endswith(SUFFIX)
