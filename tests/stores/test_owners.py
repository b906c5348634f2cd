"""Machines that share a store: each sees all backups, and deletes its own alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdfast.encryption import Keys
from holdfast.errors import SettingsError, StoreRefused
from holdfast.stores.owner import owner_mark
from tests.stores.places import (
    AT,
    NEXT_DAY,
    OTHER,
    OWNER,
    STORES,
    MakeBackup,
    OpenStore,
    digests,
    fetched,
    names,
)


@pytest.fixture(params=[name for name in STORES if name != "git"])
def opened(request: pytest.FixtureRequest) -> OpenStore:
    return STORES[request.param](request)


def test_own_backups_are_deleted_and_those_that_have_gone_already_are_passed_by(
    opened: OpenStore, make_backup: MakeBackup
) -> None:
    store = opened()
    first, second = (store.put(make_backup(f"{at}.json"), "crm", at) for at in (AT, NEXT_DAY))
    store.delete([first])
    store.delete([first])
    assert names(store) == [second.name]


def test_two_machines_with_one_store_never_delete_each_others(
    opened: OpenStore, make_backup: MakeBackup, keys: Keys, tmp_path: Path
) -> None:
    ours, theirs = opened(OWNER), opened(OTHER)
    backup = make_backup()
    own, foreign = ours.put(backup, "crm", AT), theirs.put(backup, "crm", AT)
    assert own.name != foreign.name
    assert names(ours) == names(theirs) == sorted([own.name, foreign.name])
    with pytest.raises(StoreRefused, match=rf"put there by {OTHER}, and this is {OWNER}"):
        ours.delete([own, foreign])
    assert len(names(ours)) == 2  # nor its own: what is refused changes nothing
    assert digests(fetched(ours, foreign, tmp_path / "fetched"), keys) == digests(backup)


def test_a_mark_is_made_once_and_names_the_machine(tmp_path: Path) -> None:
    mark = owner_mark(tmp_path / "home", "ann's laptop.local")
    assert re.fullmatch(r"ann-s-laptop-[0-9a-f]{4}", mark)
    assert owner_mark(tmp_path / "home", "renamed") == mark
    assert (tmp_path / "home" / "owner").read_text() == f"{mark}\n"
    assert re.fullmatch(r"machine-[0-9a-f]{4}", owner_mark(tmp_path / "other", "机"))


def test_a_mark_that_is_none_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "owner").write_text("../other")
    with pytest.raises(SettingsError, match="holds no mark such as laptop-1f3a"):
        owner_mark(tmp_path, "laptop")
    assert (tmp_path / "owner").read_text() == "../other"
