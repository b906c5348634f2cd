"""Keys, and what they open, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.outcomes import KeyReport, KeysReport
from holdfast.reports.words import counted


def key_lines(report: KeyReport) -> Iterator[str]:
    """Yield the lines of a report."""
    yield f"Key made: {report.path}"
    yield f"Public key: {report.public_key}"
    yield (
        "Keep a copy of that file in another place, such as a password manager: without it nobody"
        " can open the backups."
    )
    yield f"To encrypt backups for it, {report.settings_path} needs:"
    for line in report.settings:
        yield f"  {line}"


def keys_lines(report: KeysReport) -> Iterator[str]:
    """Yield the lines of a report."""
    usable = [each for each in report.files if not each.problem]
    if not (usable or report.passphrase):
        yield "Keys at hand: none."
    for file in usable:
        yield f"Key at hand: {file.path} ({', '.join(file.public_keys) or 'of ssh'})."
    if report.passphrase:
        yield f"Passphrase at hand: from {report.passphrase}."
    if report.recipients:
        yield f"Backups are encrypted for: {', '.join(report.recipients)}."
    yield (
        f"{counted(len(report.backups), 'backup')} encrypted,"
        f" {counted(report.plain_count, 'backup')} not."
    )
    for backup in report.backups:
        openers = " and ".join(backup.opened_by)
        yield f"  {backup.path.name}: {f'opened by {openers}' if openers else 'not opened by any'}"
    if report.stores:
        yield (
            f"Only {report.folder} was looked at. Whether a backup in {', '.join(report.stores)}"
            f" can be opened, verify tells: verify {report.stores[0]}:latest."
        )
