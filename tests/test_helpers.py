"""Other processes of ours: forked or anew, they do what they are told, and end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from holdfast import helpers
from holdfast.helpers import Helper
from tests.running import SCRIPTS, environment, make_database

linux_alone = pytest.mark.skipif(sys.platform != "linux", reason="helpers are forked on Linux")


@pytest.fixture(params=["forked", "anew"], autouse=True)
def way(request, monkeypatch):
    monkeypatch.setattr(helpers, "_may_fork", lambda: request.param == "forked")
    return request.param


def tell(pipe, memory, word):
    memory[0:2] = b"ab"
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.getsignal(each) for each in signals]
    pipe.send((word, os.getpid(), handlers, signal.pthread_sigmask(signal.SIG_BLOCK, [])))


def test_a_helper_does_what_it_is_told_and_hears_no_ctrl_c():
    helper = Helper()
    helper.begin(tell, "word")
    word, pid, handlers, held_up = helper.pipe.recv()
    assert word == "word"
    assert pid != os.getpid()
    assert handlers == [signal.SIG_IGN, signal.SIG_DFL, signal.SIG_DFL]
    assert held_up == set()
    assert bytes(helper.memory[0:2]) == b"ab"
    helper.end()


def test_a_helper_that_is_told_nothing_ends_of_itself_though_others_go_on():
    first, second = Helper(), Helper()
    processes = multiprocessing.active_children()
    first.end(patience=30)
    second.end(patience=30)
    assert [process.exitcode for process in processes] == [0, 0]


def tell_mask(pipe, *_):
    pipe.send(signal.pthread_sigmask(signal.SIG_BLOCK, []))


@linux_alone
def test_no_signal_finds_a_helper_that_would_do_what_its_parent_does_at_one(way, monkeypatch):
    if way == "anew":
        pytest.skip("one that is started anew does what Python does")
    monkeypatch.setattr(helpers, "_serve", tell_mask)
    helper = Helper()
    assert helper.pipe.recv() == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    helper.end()


# What the database module knows of a file must not be taken along: it would not lock it anew.
WATCHED = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
from holdfast import ahead, cli, helpers, readers
ahead._WORTH_IT_BYTES = readers._WORTH_IT_BYTES = 0
readers.core_count = ahead.core_count = lambda: 2
start = helpers._may_fork
def watched():
    held = (f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd"))
    names = [os.path.basename(os.readlink(each)) for each in held if os.path.exists(each)]
    print("forked" if start() else "anew", [name for name in names if ".db" in name])
    return start()
helpers._may_fork = watched
sys.exit(cli.main(sys.argv[1:]))
"""


@linux_alone
def test_no_database_is_open_when_a_helper_is_forked(tmp_path):
    home = tmp_path / "home"
    path = make_database(tmp_path / "crm.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a);")
    backup, copy = tmp_path / "b.jsonl", tmp_path / "copy.db"

    def helpers_of(*words):
        said = subprocess.run(
            [sys.executable, "-c", WATCHED, SCRIPTS, *words],
            env=environment(home),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return [line for line in said.splitlines() if line.endswith("]")]

    assert helpers_of("export", "--db", path, "--format", "jsonl", "--output", backup) == (
        ["forked []"] * 2
    )
    assert helpers_of("restore", backup, "--to", copy) == ["forked []"]
    assert helpers_of("import", backup, "--db", path, "--mode", "overwrite", "--yes") == (
        ["forked []"] * 2
    )
