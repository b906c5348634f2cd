"""Bytes handed from one process to another: all of them, in order, however large."""

from __future__ import annotations

from itertools import accumulate

import pytest

from holdfast import helpers
from holdfast.handover import Giver, Taker
from holdfast.helpers import SHARED_BYTES, Helper

SLOT = 256 * 1024


@pytest.fixture(params=["forked", "anew"])
def helper(request, monkeypatch):
    monkeypatch.setattr(helpers, "_may_fork", lambda: request.param == "forked")
    helper = Helper()
    yield helper
    helper.end()


def give(pipe, memory, sizes):
    giver = Giver(pipe, memory)
    for number, size in enumerate(sizes):
        giver.give(bytes([number % 256]) * size)
    giver.say(b"last")


@pytest.mark.parametrize(
    "sizes",
    [
        *([1], [SLOT], [SLOT - 1, 1], [SLOT, 1], [1, SLOT], [SLOT + 1], [5, SLOT + 1, 7]),
        [40_000] * (SHARED_BYTES * 3 // 40_000),
        [SHARED_BYTES + 1, 3],
        [SLOT] * 50,
    ],
    ids=lambda sizes: f"{len(sizes)} up to {max(sizes)}",
)
def test_what_is_given_is_taken_whole_and_in_order(helper, sizes):
    helper.begin(give, sizes)
    taken = list(iter(Taker(helper.pipe, helper.memory).take, b"last"))
    given = (bytes([number % 256]) * size for number, size in enumerate(sizes))
    assert b"".join(taken) == b"".join(given)
    assert set(accumulate(map(len, taken))) <= set(accumulate(sizes))  # none is parted


def give_until_nobody_takes(pipe, memory, ended):
    giver = Giver(pipe, memory)
    try:
        while True:
            giver.give(b"x" * SLOT)
    finally:
        ended.touch()


def test_a_giver_does_not_wait_for_a_taker_that_is_gone(helper, tmp_path):
    helper.begin(give_until_nobody_takes, tmp_path / "ended")
    Taker(helper.pipe, helper.memory).take()
    helper.end(patience=30)
    assert (tmp_path / "ended").exists()
