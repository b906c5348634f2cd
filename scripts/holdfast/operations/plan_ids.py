"""The id of a plan: who confirms it agrees to just what the plan rests on."""

from __future__ import annotations

import hashlib
import json

_LENGTH = 12  # hexadecimal digits: short enough to type


def plan_id_of(basis: object) -> str:
    """Return the id of the plan that rests on just this, which JSON can hold."""
    text = json.dumps(basis, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:_LENGTH]
