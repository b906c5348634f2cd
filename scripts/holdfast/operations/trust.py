"""What a status warns of besides the age of a backup: whether it could be trusted when needed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast import disks, files
from holdfast.concerns import Concern, Kind, Trouble
from holdfast.copies import StoreStatus
from holdfast.errors import HoldfastError
from holdfast.model import DAMAGED, ChosenDatabase, Opening, Rung, is_above
from holdfast.operations.context import Context
from holdfast.operations.losses import LOST, Losses
from holdfast.operations.on_record import OnRecord
from holdfast.outcomes import BackupOnFile
from holdfast.profiles import StoreSettings
from holdfast.times import moment, utc_text

_NAMED = 3  # of the backups that have changed


def trust_concerns(
    context: Context, chosen: ChosenDatabase, backups: Sequence[BackupOnFile], record: OnRecord
) -> Iterator[Concern]:
    """
    Yield what may make the backups of a database useless, each with what to do.

    Args:
        backups: the full ones of this database, the newest first.
    """
    if not backups:
        return
    yield from _damaged(backups)
    verified = _no_longer_verified(chosen, backups, record)
    yield from _changed_concerns([each for each in verified if each.is_changed])
    yield from _unsure_concerns([each for each in verified if each.is_unsure])
    if not verified:
        yield from _unverified(backups)
    if not record.problem:
        yield from _shrunk(context, chosen, backups[0])
    if chosen.path != context.home.sample.resolve():
        yield from _on_one_disk(context, chosen, record)


def _damaged(backups: Sequence[BackupOnFile]) -> Iterator[Concern]:
    if backups[0].verified == DAMAGED:
        before = next((each.path.name for each in backups if each.verified != DAMAGED), "")
        rest = f"the newest one besides is {before}" if before else "there is no other"
        yield Concern(
            Kind.DAMAGED, f"{backups[0].path.name}, the newest backup, is damaged; {rest}."
        )


def _no_longer_verified(
    chosen: ChosenDatabase, backups: Sequence[BackupOnFile], record: OnRecord
) -> list[BackupOnFile]:
    """Return those that were verified, may have changed, and are later than all that did not."""
    there = {files.text_of(each.path): each for each in backups}
    found = []
    # In the order of the record: what was written over may no longer tell its date.
    for known in record.backups:
        backup = there.get(known.path)
        if backup is None or known.part or not known.is_verified:
            continue
        if not (backup.is_changed or backup.is_unsure):
            break
        if known.database in ("", files.text_of(chosen.path)):
            found.append(backup)
    return found


def _changed_concerns(changed: Sequence[BackupOnFile]) -> Iterator[Concern]:
    if len(changed) == 1:
        what = f"{changed[0].path.name} has changed since it was verified"
        yield Concern(Kind.CHANGED, f"{what}: run verify {_names(changed)}")
    elif changed:
        yield Concern(
            Kind.CHANGED,
            f"{len(changed)} backups, {changed[0].path.name} the newest of them, have changed"
            f" since they were verified: run verify {_names(changed)}",
        )


def _unsure_concerns(unsure: Sequence[BackupOnFile]) -> Iterator[Concern]:
    if unsure:
        yield Concern(
            Kind.UNVERIFIED,
            f"{unsure[0].path.name} has another time than when it was verified, as after a copy,"
            f" and may have changed: run verify {_names(unsure)}",
        )


def _names(backups: Sequence[BackupOnFile]) -> str:
    return " ".join(each.path.name for each in backups) if len(backups) <= _NAMED else "all"


def _unverified(backups: Sequence[BackupOnFile]) -> Iterator[Concern]:
    sound = [each for each in backups if each.verified != DAMAGED]
    if sound and not any(is_above(each.verified, Rung.HASH) for each in sound):
        yield Concern(
            Kind.UNVERIFIED,
            f"no backup of this database was ever verified here. Prove the last one: verify"
            f" {sound[0].path.name}",
        )


def key_concerns(backups: Sequence[BackupOnFile]) -> Iterator[Concern]:
    """Say that the newest of some backups cannot be opened here."""
    if backups and backups[0].opening is Opening.CLOSED:
        yield Concern(
            Kind.KEY_MISSING,
            f"{backups[0].path.name} is encrypted, and no key at hand opens it. Name the file with"
            " its key with --identity FILE or in backup.yaml; keys check says what there is.",
        )


def _shrunk(context: Context, chosen: ChosenDatabase, backup: BackupOnFile) -> Iterator[Concern]:
    """Say again what the export of the last backup warned of."""
    with contextlib.suppress(HoldfastError, TypeError):  # an unreadable one is said elsewhere
        found = context.history.export_detail(LOST, chosen.path, backup.path)
        if found:
            yield Concern(Kind.SHRUNK, str(Losses(**found)))


def _on_one_disk(context: Context, chosen: ChosenDatabase, record: OnRecord) -> Iterator[Concern]:
    if context.settings.copied_elsewhere or not shares_disk(chosen.path, context.output):
        return
    stores = context.settings.stores
    away = [name for name, each in stores.items() if is_away(context, chosen.path, each)]
    if not record.stores.get(files.text_of(chosen.path), set()).isdisjoint(away):
        return
    here = "the backups are only on the disk of the database: "
    if away:
        yield Concern(
            Kind.ONE_DISK,
            f"{here}none is in {', '.join(away)} yet. Put one there with export --to {away[0]}.",
        )
        return
    what = "every store is on it, too" if stores else "there is no store"
    yield Concern(
        Kind.ONE_DISK,
        f"{here}{what}. Name one elsewhere in backup.yaml, or copied_elsewhere: true if something"
        " else takes them there.",
    )


def is_away(context: Context, path: Path, store: StoreSettings) -> bool:
    """Tell whether a store is on another disk than a database; addresses of services are."""
    folder = folder_of(context, store)
    return folder is None or not shares_disk(path, folder)


def folder_of(context: Context, store: StoreSettings) -> Path | None:
    """Return the folder of this machine that a store lies in; None for one of a service."""
    return None if "://" in store.url else context.home.path / files.user_path(store.place)


def store_concerns(context: Context, stores: Sequence[StoreStatus]) -> Iterator[Concern]:
    """Yield what `store_troubles` yields, in the words of a status."""
    return (each.concern for each in store_troubles(context, stores))


def store_troubles(context: Context, stores: Sequence[StoreStatus]) -> Iterator[Trouble]:
    """
    Say of each store what keeps it from telling what it holds, and since when it has failed.

    Args:
        stores: as they are found now.
    """
    visits = []
    with contextlib.suppress(HoldfastError):  # which is a concern of its own
        visits = context.history.visits() if context.settings.stores else []
    failing = {each.store: each for each in visits if moment(each.failing_since)}
    for store in stores:
        since = moment(failing[store.name].failing_since) if store.name in failing else None
        when = f" since {utc_text(since)}" if since else ""
        if store.problem:
            yield Trouble(
                Kind.STORE_UNREACHABLE,
                f"the store {store.name} fails{when}: {store.problem}",
                store.hint,
            )
        elif since:
            yield Trouble(
                Kind.STORE_UNREACHABLE,
                f"the store {store.name} has failed{when}: {failing[store.name].problem}",
                f"It can be listed now; put the backups there with sync {store.name}.",
            )


def shares_disk(path: Path, folder: Path) -> bool:
    """Tell whether a file and a folder that may be yet to make are on one disk; if in doubt, no."""
    try:
        return disks.is_on_one_disk(
            disks.existing_folder(path.parent), disks.existing_folder(folder)
        )
    except OSError:
        return False
