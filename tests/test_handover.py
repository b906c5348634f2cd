"""Bytes handed from one process to another: all of them, in order, however large."""

from __future__ import annotations

import multiprocessing
import os
import signal
from itertools import accumulate

import pytest

from holdfast.handover import Giver, Taker, shared_memory

SLOT = 256 * 1024


def give(pipe, memory, sizes):
    with pipe:
        giver = Giver(pipe, memory)
        for number, size in enumerate(sizes):
            giver.give(bytes([number % 256]) * size)
        giver.say(b"last")


def started(function, *arguments):
    """A process that gives, our end of its pipe, and a taker."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    memory = shared_memory(context)
    process = context.Process(target=function, args=(theirs, memory, *arguments), daemon=True)
    with theirs:
        process.start()
    return process, ours, Taker(ours, memory)


def all_of(ours, taker):
    with ours:
        yield from iter(taker.take, b"last")


@pytest.mark.parametrize(
    "sizes",
    [
        *([1], [SLOT], [SLOT - 1, 1], [SLOT, 1], [1, SLOT], [SLOT + 1], [5, SLOT + 1, 7], [SLOT * 20, 3]),
        [40_000] * (16 * SLOT * 3 // 40_000),  # more than the memory holds
        [SLOT] * 50,
    ],
    ids=lambda sizes: f"{len(sizes)} up to {max(sizes)}",
)
def test_what_is_given_is_taken_whole_and_in_order(sizes):
    process, ours, taker = started(give, sizes)
    taken = list(all_of(ours, taker))
    process.join(30)
    given = (bytes([number % 256]) * size for number, size in enumerate(sizes))
    assert b"".join(taken) == b"".join(given)
    assert set(accumulate(map(len, taken))) <= set(accumulate(sizes))  # none is parted
    assert process.exitcode == 0


def give_until_nobody_takes(pipe, memory):
    giver = Giver(pipe, memory)
    try:
        while True:
            giver.give(b"x" * SLOT)
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_giver_does_not_wait_for_a_taker_that_is_gone():
    process, ours, taker = started(give_until_nobody_takes)
    taker.take()
    ours.close()
    process.join(30)
    assert process.exitcode == -signal.SIGTERM
