"""Make the key that opens encrypted backups, and say which backups the keys at hand open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from holdfast import files
from holdfast.encryption import Keys, NotAKey, new_identity, opens_own, public_keys
from holdfast.errors import SettingsError, UsageError
from holdfast.model import Opening
from holdfast.operations.context import PASSPHRASE_VARIABLE, Context
from holdfast.operations.shelf import backups_on_file, opening_of
from holdfast.outcomes import KeyFile, KeyReport, KeysReport, OpenedBackup
from holdfast.profiles import SETTINGS_FILE

PASSPHRASE = "the passphrase"  # noqa: S105 - what a report calls it


def create_key(context: Context, to: Path | None = None) -> KeyReport:
    """
    Make a key in a new file that its owner alone can read; nothing else is changed.

    Args: to: the file, absolute; None: the one in the home, which is looked for by itself.

    Raises: WriteFailed when there is such a file; UsageError for one among the backups.
    """
    path = to or context.home.key
    if path.resolve().is_relative_to(context.output.resolve()):
        raise UsageError(
            f"{path} would lie among the backups that it opens",
            hint="Name a place that does not go where they go, with --to FILE.",
        )
    secret, public = new_identity()
    text = f"# created: {context.timestamp}\n# public key: {public}\n{secret}\n"
    with files.new_file(path.parent) as (file, partial):
        with files.translated_errors(path):
            file.write(text.encode())
            files.fsync_file(file)
        files.publish(partial, [path])
    return KeyReport(
        path=path,
        public_key=public,
        settings_path=context.home.path / SETTINGS_FILE,
        settings=_lines_to_add(context, path, public),
    )


def _lines_to_add(context: Context, path: Path, public: str) -> tuple[str, ...]:
    """Write what backup.yaml needs for a key to be used; its own layout is the person's."""
    chosen = context.settings.encryption
    recipients = ", ".join((*chosen.recipients, public))
    identities = ", ".join(map(str, dict.fromkeys((*chosen.identities, path))))
    is_found = path == context.home.key and not chosen.identities
    return (
        "encryption:",
        f"  recipients: [{recipients}]",
        *(() if is_found else (f"  identities: [{identities}]",)),
    )


def check_keys(context: Context) -> KeysReport:
    """
    Say which keys are at hand, and which of the backups on file each of them opens.

    Stores are not asked: to see who can open what lies there, each backup would be fetched.
    """
    keys = context.keys
    backups = backups_on_file(context)
    encrypted = [each for each in backups if each.opening is not Opening.PLAIN]
    tried = tuple(OpenedBackup(each.path, tuple(_openers(each.path, keys))) for each in encrypted)
    closed = {each.path for each in tried if not each.opened_by}
    return KeysReport(
        files=tuple(map(_key_file, keys.identity_files)),
        passphrase=_passphrase_source(context),
        recipients=keys.recipients,
        backups=tried,
        plain_count=len(backups) - len(encrypted),
        folder=context.output,
        stores=tuple(context.settings.stores),
        warnings=(
            *keys.problems,
            *_passphrase_problem(keys),
            *_readable_by_others(keys),
            *_recipient_warnings(keys),
            *(
                f"{each.path.name}, the newest backup, cannot be opened with the keys at hand."
                for each in backups[:1]
                if each.path in closed
            ),
        ),
    )


def _openers(path: Path, keys: Keys) -> Iterator[str]:
    """Name the key files that open a backup, and the passphrase if it does."""
    for file in keys.identity_files:
        if opening_of(path, Keys(identity_files=(file,))) is Opening.OPENS:
            yield str(file)
    alone = replace(keys, identity_files=())
    if opening_of(path, alone, tries_passphrase=True) is Opening.OPENS:
        yield PASSPHRASE


def _key_file(path: Path) -> KeyFile:
    try:
        return KeyFile(path, tuple(public_keys(path)))
    except NotAKey as error:
        return KeyFile(path, problem=str(error))


def _passphrase_source(context: Context) -> str:
    if context.keys.passphrase:
        return PASSPHRASE_VARIABLE
    return str(context.keys.passphrase_file or "")


def _passphrase_problem(keys: Keys) -> Iterator[str]:
    try:
        _ = keys.secret
    except NotAKey as error:
        yield str(error)


def _readable_by_others(keys: Keys) -> Iterator[str]:
    for path in (*keys.identity_files, *filter(None, [keys.passphrase_file])):
        if files.is_open_to_others(path):
            yield f"{path} can be read by others on this machine: chmod 600 {path}"


def _recipient_warnings(keys: Keys) -> Iterator[str]:
    try:
        if keys.recipients and not opens_own(keys):
            yield (
                "what is encrypted for the recipients in backup.yaml cannot be opened with the"
                " keys at hand."
            )
    except SettingsError as error:
        yield str(error)
