"""Ctrl-C and SIGTERM: whatever a program is at, it ends quietly and leaves nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import database
from holdfast.cli.run import VERBS
from holdfast.cli.signals import heard
from tests.running import command, environment, files_in, make_database, run, start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
FILLED = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);
WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
INSERT INTO notes SELECT i, hex(randomblob(20)) FROM n;
"""
# What is imported while a script starts, and takes its time.
SLOW = """
import pathlib, time
pathlib.Path({begun!r}).touch()
time.sleep(60)
"""
SIGNALS = ["SIGTERM", "SIGHUP"]


def wait_for(process: subprocess.Popen[bytes], is_there: Callable[[], bool]) -> None:
    """Wait until something is there, which must be before the process ends."""
    while not is_there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)


def ended(process: subprocess.Popen[bytes], name: str) -> tuple[int, str]:
    """Send a signal; return the exit code, and what was said on standard error."""
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors.decode()


def send_to_oneself(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)  # which it ends


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "backup.yaml").write_text("copied_elsewhere: true\n")
    return home


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_database(tmp_path_factory.mktemp("large") / "notes.db", FILLED)


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_while_a_script_starts_ends_it_without_a_word(
    home: Path, tmp_path: Path, verb: str
) -> None:
    begun = tmp_path / "begun"
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "argparse.py").write_text(SLOW.format(begun=str(begun)))
    variables = environment(home)
    variables["PYTHONPATH"] = os.pathsep.join(
        [str(tmp_path / "slow"), variables.get("PYTHONPATH", "")]
    )
    process = subprocess.Popen(
        command(verb, "--help"),
        env=variables,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(process, begun.exists)
    assert ended(process, "SIGINT") == (-signal.SIGINT, "")  # which a shell calls 130


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_that_ends_an_export_leaves_nothing(home: Path, large: Path, name: str) -> None:
    process = start(home, "export", "--db", large)
    partial = (home / "output").glob
    wait_for(process, lambda: any(path.stat().st_size for path in partial(".partial-*")))
    assert ended(process, name) == (130, "Cancelled.\n")
    assert set(files_in(home)) == {"backup.yaml"}
    assert files_in(home.parent / "scratch") == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_that_ends_an_import_changes_nothing(
    home: Path, large: Path, tmp_path: Path, name: str
) -> None:
    database_path = make_database(tmp_path / "mine.db", FILLED)
    backup = run(home, "export", "--db", large, "--quiet").stdout.strip()
    before = database_path.read_bytes()
    process = start(home, "import", backup, "--db", database_path, "--yes")
    wait_for(process, lambda: any((home / "output").rglob(".partial-*")))
    assert ended(process, name) == (130, "Cancelled.\n")
    assert database_path.read_bytes() == before
    assert not list((home / "output").rglob(".partial-*"))


@pytest.mark.parametrize("name", ["SIGINT", *SIGNALS])
def test_a_signal_is_raised_as_ctrl_c_is_while_it_is_heard_and_then_as_before(name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), heard():
        send_to_oneself(number)
    assert signal.getsignal(number) is before


def test_a_signal_that_whoever_started_it_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with heard():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_changed() -> None:
    seen: list[object] = []

    def work() -> None:
        with heard():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.parametrize("name", ["SIGINT", *SIGNALS])
def test_a_change_that_is_put_on_disk_is_not_called_cancelled(tmp_path: Path, name: str) -> None:
    path = make_database(tmp_path / "a.db", "CREATE TABLE t (x)")
    with heard(), database.for_change(path) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        connection.set_trace_callback(lambda _: os.kill(os.getpid(), getattr(signal, name)))
        database.commit(connection)
        connection.set_trace_callback(None)
    with database.read_only(path) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
