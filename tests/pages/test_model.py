"""Whatever is put, deleted and freed, in whatever order: the store does what a dict does."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import BackupNotFound
from holdfast.stores.interface import StoredBackup
from tests.pages.conftest import OTHER, OWNER, age, fetched, page_copy, pages_store

PAGES = st.text(alphabet="abcdefghijkl", max_size=14)
OWNERS = st.sampled_from([OWNER, OTHER])
STEPS = st.one_of(
    st.tuples(st.just("put"), OWNERS, PAGES),
    st.tuples(st.just("delete"), OWNERS, st.integers(0, 9)),
    st.tuples(st.just("collect"), OWNERS, st.just(0)),
    st.tuples(st.just("age"), OWNERS, st.sampled_from([1, 7, 13])),
)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, max_size=14))
def test_the_store_holds_what_was_put_and_not_deleted(small_packs: None, steps) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        held: dict[StoredBackup, bytes] = {}
        gone: list[StoredBackup] = []
        for number, (verb, owner, value) in enumerate(steps):
            store = pages_store(scratch / "store", owner)
            if verb == "put":
                copy = page_copy(scratch / f"{number}.db", value)
                stored = store.put(copy, "crm", f"2026-11-20T03:00:{number:02}Z")
                held[stored] = copy.read_bytes()
            elif verb == "delete":
                own = [each for each in held if each.owner == owner][value : value + 1]
                store.delete(own)
                gone += own
                for each in own:
                    del held[each]
            elif verb == "collect":
                store.collect()
            elif (scratch / "store").is_dir():
                age(scratch / "store", hours=value)
            assert set(store.backups()) == held.keys()
        for number, (each, content) in enumerate(held.items()):
            back = fetched(pages_store(scratch / "store"), each, scratch / f"back-{number}")
            assert back == content
        for number, each in enumerate(gone):
            with pytest.raises(BackupNotFound):
                fetched(pages_store(scratch / "store"), each, scratch / f"gone-{number}")
