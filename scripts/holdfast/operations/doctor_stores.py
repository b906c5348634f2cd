"""What the doctor finds with stores: whether they answer, where they lie, who can log in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast import files
from holdfast.found import Finding, FoundDatabase
from holdfast.operations.context import Context
from holdfast.operations.doctor_places import on_one_disk
from holdfast.operations.store_status import look_at_stores
from holdfast.operations.trust import folder_of, store_troubles
from holdfast.profiles import SETTINGS_FILE
from holdfast.stores import credential_files


def store_findings(context: Context, databases: Sequence[FoundDatabase]) -> Iterator[Finding]:
    """Yield what keeps the stores from holding what they should, and only for who should see it."""
    stores = look_at_stores(context)
    for each in store_troubles(context, stores):
        yield Finding(
            "the stores", each.what, "what should be kept there is only here", each.advice
        )
    at_risk = on_one_disk(context, databases)
    # Where the folder of one is not there, nobody knows which disk belongs there.
    if at_risk and not any(each.problem for each in stores):
        for name, store in context.settings.stores.items():
            yield Finding(
                f"the store {name} ({folder_of(context, store)})",
                f"it lies on the disk of {', '.join(at_risk)}, and no store lies elsewhere",
                "what breaks that disk takes the databases and their backups at once",
                "name a folder on another disk, or an address such as s3://bucket/backups; or"
                " copied_elsewhere: true if something else takes them there",
            )
    yield from _of_credentials(context)


def _of_credentials(context: Context) -> Iterator[Finding]:
    settings = context.home.path / SETTINGS_FILE
    keys = list(_credentials_in_settings(context))
    if keys and files.is_open_to_others(settings):
        yield _readable(settings, f"holds {', '.join(keys)}")
    paths: dict[Path, list[str]] = {}
    for name, store in context.settings.stores.items():
        for path in credential_files(store.url, context.environment):
            paths.setdefault(path, []).append(name)
    for path, names in paths.items():
        if files.is_open_to_others(path):
            yield _readable(path, f"logs in to {', '.join(names)}")


def _readable(path: Path, what: str) -> Finding:
    return Finding(
        f"the credentials ({path})",
        f"others may read the file, and it {what}",
        "whoever may log in here can act there in your name",
        f"chmod 600 {shlex.quote(str(path))}",
    )


def _credentials_in_settings(context: Context) -> Iterator[str]:
    """Name the settings that let in whoever reads them."""
    for name, store in context.settings.stores.items():
        yield from (f"stores.{name}.options.{key}" for key in store.credentials)
        if "@" in store.url.partition("://")[2].partition("/")[0]:
            yield f"stores.{name}.url"
    for key in ("ping_success", "ping_failure"):  # who knows the address can say that all is well
        if getattr(context.settings.schedule, key):
            yield f"schedule.{key}"
