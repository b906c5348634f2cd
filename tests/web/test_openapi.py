"""The API's own document is true: schemathesis asks for all that it allows, and more."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import bootstrap
from tests import running
from tests.web.serving import served

LOCK = Path(__file__).with_name("requirements-schemathesis.lock")
EXAMPLES = 4  # of each path and method, beside those of the coverage phase
PROGRAM = "from schemathesis.cli import schemathesis; schemathesis()"


@pytest.mark.slow
def test_schemathesis_finds_no_fault_in_the_api(home: Path, tmp_path: Path) -> None:
    packages = bootstrap.packages_of(LOCK, "setting up schemathesis for the tests ...")
    running.run(home, "export", "--db", "notes")
    with served(home) as server:
        words = [
            *("run", f"{server.address}/openapi.json", "--no-color"),
            *("--header", f"Authorization: Bearer {server.token}"),
            *("--phases", "coverage,fuzzing", "--generation-deterministic"),
            *("--max-examples", str(EXAMPLES), "--request-timeout", "60"),
        ]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            env=running.environment(home) | {"PYTHONPATH": str(packages)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=570,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        # Every path and method was asked for, and often.
        selected = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
        assert selected and len(set(selected.groups())) == 1 and int(selected[1]) >= 20
        generated = re.search(r"(\d+) generated", done.stdout)
        assert generated and int(generated[1]) > 400
        assert [line for line in server.said if line.startswith("Error")] == []
    # Whatever was asked, what was there before is there still.
    assert running.rows(home.parent / "notes.db", "SELECT count(*) FROM notes") == [(3,)]
    assert list((home / "output").glob("backup-*.json"))
