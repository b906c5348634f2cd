"""Profiles as they were read last time: YAML takes longer to read than all else at a start."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from holdfast import __version__, files
from holdfast.errors import HoldfastError
from holdfast.profiles.folder import load_profiles
from holdfast.profiles.profile import Profile


def load_profiles_quickly(folder: Path, extra: Path, cache: Path | None) -> tuple[Profile, ...]:
    """
    Do what `load_profiles` does, from a file in `cache` while none of the profiles has changed.

    A cache that cannot be read or written is done without.
    """
    if cache is None:
        return load_profiles(folder, extra)
    with contextlib.suppress(OSError, HoldfastError):  # a folder that cannot be read
        kept = cache / f"profiles-{_key(folder, extra)}.json"
        try:
            return msgspec.json.decode(kept.read_bytes(), type=tuple[Profile, ...])
        except (OSError, ValueError):
            profiles = load_profiles(folder, extra)
            with contextlib.suppress(HoldfastError):
                files.replace_content(kept, msgspec.json.encode(profiles))
            return profiles
    return load_profiles(folder, extra)


def _key(folder: Path, extra: Path) -> str:
    facts = "\n".join([__version__, *_facts(folder), *_facts(extra)])
    return hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _facts(folder: Path) -> Iterator[str]:
    """What tells whether any file of a folder is another than it was."""
    yield str(folder)
    for entry in sorted(os.scandir(folder), key=lambda each: each.name) if folder.is_dir() else ():
        if entry.name.endswith(".yaml"):
            facts = entry.stat()
            yield f"{entry.name} {facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
