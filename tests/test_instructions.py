"""
The hot loops take no more instructions than they did: a guard that no busy machine upsets.

Counted by valgrind's callgrind, as ratios to a loop that only reads the same rows, so that they
hold on other machines too. What is recorded is in instruction_counts.json.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.sample import build_sample
from tests.measured_loops import FUNCTION, LOOPS
from tests.running import needs

ROOT = Path(__file__).resolve().parents[1]
RECORDED = json.loads((ROOT / "tests" / "instruction_counts.json").read_text(encoding="utf-8"))
MARGIN = 1.15  # processors differ in how OpenSSL hashes
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def ratios(tmp_path_factory):
    """The instructions of each loop, over those of the reference."""
    folder = tmp_path_factory.mktemp("loops")
    build_sample(folder / "sample.db")
    subprocess.run(
        [
            *("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'counts'}"),
            *(f"--dump-after={FUNCTION}", os.path.realpath(sys.executable)),
            *("-m", "tests.measured_loops", folder),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "0"},
        check=True,
        capture_output=True,
        timeout=600,
    )
    dumps = sorted(folder.glob("counts.*"), key=lambda path: int(path.suffix[1:]))
    counts = [
        int(found[1])
        for path in dumps[-len(LOOPS) :]
        if (found := re.search(r"^totals: (\d+)$", path.read_text(), re.MULTILINE))
    ]
    return {loop: count / counts[0] for loop, count in zip(LOOPS, counts, strict=True)}


@pytest.mark.slow
@needs("valgrind")
@pytest.mark.skipif(RECORDED["python"] != PYTHON, reason="recorded for another Python")
@pytest.mark.parametrize("loop", LOOPS[1:])
def test_a_loop_takes_as_many_instructions_as_recorded(ratios, loop):
    assert RECORDED[loop] / MARGIN < ratios[loop] < RECORDED[loop] * MARGIN
