"""What the doctor finds where the backups lie."""

from __future__ import annotations

import os
import shlex
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast import files
from holdfast.checkouts import is_installed
from holdfast.found import Finding, FoundDatabase
from holdfast.operations.context import Context
from holdfast.operations.trust import folder_of, is_away, shares_disk

_MOVE = "name another folder with output: in backup.yaml, and move them there"


def folder_findings(context: Context, databases: Sequence[FoundDatabase]) -> Iterator[Finding]:
    """Yield what is wrong with the output folder, and with the folders that are stores."""
    folder = files.resolved(context.output)
    about = f"the backups ({folder})"
    for swept, why in _sweeping(context, folder):
        yield Finding(about, f"they lie in {swept}", why, _MOVE)
    for name, store in context.settings.stores.items():
        if place := folder_of(context, store):
            for swept, why in _sweeping(context, files.resolved(place)):
                yield Finding(
                    f"the store {name} ({place})",
                    f"it lies in {swept}",
                    why,
                    f"name another folder for stores.{name} in backup.yaml, and sync {name}",
                )
    try:
        yield from _of_folder(folder, about)
    except OSError as error:
        yield Finding(
            about,
            f"the folder cannot be looked into: {error.strerror or error}",
            "no backup is found there, and none can be made",
            "see to whom it and the folders above it belong, or to its disk",
        )
    at_risk = on_one_disk(context, databases)
    if at_risk and not context.settings.stores:
        yield Finding(
            about,
            f"they are only on the disk of {', '.join(at_risk)}",
            "what breaks that disk takes the databases and their backups at once",
            "name a store elsewhere in backup.yaml, or copied_elsewhere: true if something"
            " else takes them there",
        )


def on_one_disk(context: Context, databases: Sequence[FoundDatabase]) -> list[str]:
    """Name the databases of which no backup can be on another disk, as far as the settings say."""
    if context.settings.copied_elsewhere:
        return []
    stores = context.settings.stores.values()
    return [
        each.name
        for each in databases
        if (each.is_configured or each.last_backup_at)
        and shares_disk(each.path, context.output)
        and not any(is_away(context, each.path, store) for store in stores)
    ]


def _of_folder(folder: Path, about: str) -> Iterator[Finding]:
    """Raises: OSError when the folder cannot be looked into."""
    if not folder.is_dir():
        if folder.exists():
            yield Finding(about, "it is not a folder", "no backup can be made", _MOVE)
        return
    next(folder.iterdir(), None)
    if not os.access(folder, os.W_OK):
        yield Finding(about, "you may not write there", "no backup can be made", "see its owner")
    if os.name != "nt" and (mode := stat.S_IMODE(folder.stat().st_mode)) & 0o077:
        yield Finding(
            about,
            f"others may look into the folder (mode {mode:04o})",
            "backups hold all that the databases do",
            f"chmod 700 {shlex.quote(str(folder))}",
        )


def _sweeping(context: Context, folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the folders around one whose content others delete, and who."""
    found = False
    for swept, why in _swept(context):
        if folder.is_relative_to(swept):
            found = True
            yield swept, why
    if not found and is_installed(folder):
        yield folder, "it is where an assistant installs: an update or an uninstall deletes it"


def _swept(context: Context) -> Iterator[tuple[Path, str]]:
    plugin = "an update or an uninstall of the plugin deletes it"
    for name in ("CLAUDE_PLUGIN_ROOT", "CLAUDE_PLUGIN_DATA", "PLUGIN_ROOT"):
        if context.environment.get(name):
            yield Path(context.environment[name]).resolve(), plugin
    yield (context.user_home / ".claude" / "plugins").resolve(), plugin
    yield (
        (context.user_home / ".claude" / "projects").resolve(),
        "Claude Code deletes what is older than 30 days there",
    )
    yield Path(tempfile.gettempdir()).resolve(), "the system empties it"
    for cache in (".cache", "Library/Caches"):
        yield (
            (context.user_home / cache).resolve(),
            "caches are deleted by whoever needs space",
        )
