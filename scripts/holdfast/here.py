"""The world as this process finds it: home, person, machine and clock."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from holdfast import bootstrap
from holdfast.errors import EnvironmentNotReady
from holdfast.operations.context import Context, Progress
from holdfast.places import find_home


def context_here(
    identities: Iterable[Path] = (), progress: Callable[[Progress], None] | None = None
) -> Context:
    """Return what an operation that begins now is told about the world."""
    context = Context(
        home=find_home(os.environ),
        environment=os.environ,
        user_home=Path.home(),
        platform=sys.platform,
        actor=f"{_user()}@{platform.node()}",
        now=datetime.now(UTC),
        cache=_cache(),
        identities=tuple(identities),
    )
    return replace(context, progress=progress) if progress else context


def _cache() -> Path | None:
    try:
        return bootstrap.cache_folder()
    except EnvironmentNotReady:
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return "unknown"
