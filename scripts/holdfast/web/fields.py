"""Fields of what may be asked for over HTTP, each with the words that describe it."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def about(text: str, default: Any = None) -> Any:
    """Describe a field to the API's document; it may be of any type, so Any."""
    return field(default=default, metadata={"description": text})


def names(text: str) -> Any:
    """Describe a field that takes several words."""
    return field(default_factory=list, metadata={"description": text})


def wish(text: str) -> Any:
    """Describe a field that is true, false or left open."""
    return field(default=None, metadata={"description": text, "strict": True})


def flag(text: str) -> Any:
    """Describe a field that is true or false."""
    return field(default=False, metadata={"description": text, "strict": True})
