"""What the doctor finds with the keys that encrypted backups need."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from holdfast import files
from holdfast.encryption import Keys, NotAKey, opens_own
from holdfast.errors import EnvironmentNotReady, HoldfastError, SettingsError
from holdfast.found import Finding
from holdfast.model import Opening
from holdfast.operations.context import Context
from holdfast.operations.shelf import backups_on_file, opening_of
from holdfast.operations.trust import folder_of
from holdfast.outcomes import BackupOnFile

_ABOUT = "the keys"
_LOST = "what is encrypted is lost with the last copy of its key"


def key_findings(context: Context) -> Iterator[Finding]:
    """Yield what keeps encrypted backups from being opened here, or lets others open them."""
    keys = context.keys
    try:
        yield from _of_key_files(context, keys)
        yield from _of_recipients(keys)
    except EnvironmentNotReady as error:
        yield Finding(_ABOUT, str(error), "nothing can be encrypted or opened", error.hint)
        return
    yield from _of_backups(context, keys)


def _of_key_files(context: Context, keys: Keys) -> Iterator[Finding]:
    for problem in keys.problems:
        yield Finding(
            _ABOUT,
            problem,
            _LOST,
            "bring the file back from where its copy is, or correct encryption.identities",
        )
    try:
        _ = keys.secret
    except NotAKey as error:
        yield Finding(
            _ABOUT,
            f"there is no passphrase: {error}",
            "nothing can be encrypted with it, and nothing opened",
            "write it into the first line of that file, or correct encryption.passphrase_file",
        )
    for path in filter(None, (*keys.identity_files, keys.passphrase_file)):
        if files.is_open_to_others(path):
            yield Finding(
                _ABOUT,
                f"others may read {path}",
                "whoever may log in here can open the backups",
                f"chmod 600 {shlex.quote(str(path))}",
            )
        if place := _backups_around(context, path):
            yield Finding(
                _ABOUT,
                f"{path} lies among the backups that it opens, in {place}",
                "who gets these gets it too, and what destroys them destroys it",
                "move it to a place of its own, and keep a copy of it elsewhere",
            )


def _backups_around(context: Context, path: Path) -> Path | None:
    """Return the folder of backups that a file lies in."""
    folders = [folder_of(context, each) for each in context.settings.stores.values()]
    for folder in filter(None, (context.output, *folders)):
        if files.resolved(path).is_relative_to(files.resolved(folder)):
            return folder
    return None


def _of_recipients(keys: Keys) -> Iterator[Finding]:
    try:
        is_ours = not keys.recipients or opens_own(keys)
    except SettingsError as error:
        yield Finding(_ABOUT, str(error), "nothing can be encrypted", error.hint)
        return
    if not is_ours:
        yield Finding(
            _ABOUT,
            "no key at hand belongs to any of encryption.recipients in backup.yaml",
            "no encrypted backup can be brought back on this machine, or proven here",
            "name the file with the key in encryption.identities; if it is kept elsewhere by"
            " intent, verify a backup there now and then",
        )


def _of_backups(context: Context, keys: Keys) -> Iterator[Finding]:
    try:
        backups = backups_on_file(context)
    except (OSError, HoldfastError):  # of which the folder's own finding tells
        return
    encrypted = [each for each in backups if each.opening is not Opening.PLAIN]
    closed = [each for each in encrypted if each.opening is Opening.CLOSED]
    if not closed:
        closed = list(_closed_to_passphrase(encrypted, keys))
    if closed:
        yield Finding(
            _ABOUT,
            f"no key at hand opens {len(closed)} of {len(encrypted)} encrypted backups, such as"
            f" {closed[0].path.name}",
            "they cannot be brought back here",
            "find the key: encryption.identities in backup.yaml names files, and keys check says"
            " what each opens",
        )


def _closed_to_passphrase(backups: list[BackupOnFile], keys: Keys) -> Iterator[BackupOnFile]:
    """Yield the newest of those with a passphrase if ours does not open it; that takes a second."""
    for each in backups:
        if each.opening is Opening.UNTRIED:
            if opening_of(each.path, keys, tries_passphrase=True) is Opening.CLOSED:
                yield each
            return
