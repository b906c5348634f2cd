"""What may leave the house in clear: no secrets, unless the person says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from holdfast.errors import StoreRefused
from holdfast.formats import open_backup
from holdfast.formats.encrypted import is_closed
from holdfast.model import Header, folded
from holdfast.operations.context import Context
from holdfast.profiles import recognise
from holdfast.redaction import secrets_in
from holdfast.stores import Store


def complain_of_plain_secrets(context: Context, store: Store, backup: Path) -> None:
    """
    Raise StoreRefused for a backup with secrets that a store away from here would get in clear.

    Raises: as `open_backup`.
    """
    settings = context.settings.stores.get(store.name)
    takes_them = settings is not None and settings.plain_secrets
    if not store.is_off_site or store.encrypts or takes_them or is_closed(backup):
        return
    with open_backup(backup) as reader:
        header = next(iter(reader.parts()))
    assert isinstance(header, Header)  # it is the first part
    profile = recognise(context.profiles, [*header.layout, *(each.name for each in header.schema)])
    found = plain_secrets(header, profile.secrets if profile else {})
    if found:
        raise StoreRefused(
            f"{store.name} is away from here, and the backup holds {', '.join(found)} in clear",
            hint="Set encryption.recipients (a key is made with the verb keys), export with"
            f" --redact, or set plain_secrets: true for stores.{store.name}.",
        )


def plain_secrets(header: Header, secrets: Mapping[str, Iterable[str]]) -> list[str]:
    """
    Name the secrets that a backup holds in clear, by table and column.

    Args:
        secrets: their names, by table, as a profile has them.
    """
    named = {folded(table): columns for table, columns in secrets.items()}
    return [
        f"{table}.{secret}"
        for table, layout in header.layout.items()
        for secret in named.get(folded(table), ())
        if secrets_in(layout.columns, [secret])
        and folded(secret) not in map(folded, header.redacted.get(table, ()))
    ]
