"""Say what is in a folder, so that two moments can be compared."""

from __future__ import annotations

import hashlib
from pathlib import Path


def fingerprints(folder: Path) -> dict[str, str]:
    """Each path below the folder with the hash of its content; a folder has the hash of nothing."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes() if path.is_file() else b""
        ).hexdigest()
        for path in folder.rglob("*")
    }
