"""Other programs: found on the PATH, run to their end, and never waited for without one."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from holdfast.errors import ProgramFailed
from holdfast.programs import find_program, holders, output_of


def test_what_a_program_prints_comes_back_as_it_is():
    words = [sys.executable, "-c", "import os; os.write(1, b'a\\xff\\n')"]
    assert output_of(words, {}) == b"a\xff\n"


def test_a_program_gets_the_environment_that_is_given_and_no_other():
    words = [sys.executable, "-c", "import os; print(os.environ.get('HOME'), os.environ['X'])"]
    assert output_of(words, {"X": "1"}) == b"None 1\n"


def test_a_program_that_fails_is_quoted_by_its_first_line():
    words = [sys.executable, "-c", "import sys; sys.exit('no database\\nusage: ...')"]
    with pytest.raises(ProgramFailed, match=r"ended with exit code 1: no database$") as caught:
        output_of(words, {})
    assert caught.value.hint


def test_a_program_that_does_not_end_is_stopped():
    start = time.monotonic()
    with pytest.raises(ProgramFailed, match=r"did not end within 0\.2 seconds"):
        output_of([sys.executable, "-c", "import time; time.sleep(60)"], {}, wait_seconds=0.2)
    assert time.monotonic() - start < 20


def test_a_program_that_cannot_be_started_is_an_error_of_ours(tmp_path):
    program = tmp_path / "bd"
    program.write_bytes(b"\x00\x01")
    program.chmod(0o755)
    with pytest.raises(ProgramFailed, match="cannot be started"):
        output_of([str(program)], {})


def test_only_the_path_that_is_given_is_searched(tmp_path):
    program = tmp_path / "bd"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_program("bd", {"PATH": str(tmp_path)}) == str(program)
    assert find_program("sh", {"PATH": str(tmp_path)}) is None
    assert find_program("sh", {}) is None


CALLED_ODDLY = """
import sys
open("/proc/self/comm", "wb").write(b"a\\xffb")
file = open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_who_holds_a_file_is_named_whatever_bytes_its_name_has(tmp_path):
    held = tmp_path / "held"
    held.touch()
    with subprocess.Popen([sys.executable, "-c", CALLED_ODDLY, held], stdin=-1, stdout=-1) as other:
        assert other.stdout and other.stdout.readline() == b"open\n"
        assert holders([held]) == [f"a\ufffdb (process {other.pid})"]
        other.communicate()
