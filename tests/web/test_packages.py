"""What the server runs on is installed when it is first used, and loaded by nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import running

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("status", "export", "verify", "undo", "schedule")


@pytest.mark.parametrize("verb", OTHERS)
def test_no_other_verb_loads_it(tmp_path: Path, verb: str) -> None:
    home = tmp_path / "home"
    words = {"export": ["--sample"], "verify": ["all"], "schedule": ["status"], "undo": ["--list"]}
    code = (
        "import sys; from holdfast.cli.run import main; main(sys.argv[1:]);"
        " print([name for name in sys.modules if name.startswith(('fastapi', 'starlette',"
        " 'uvicorn', 'pydantic', 'holdfast.web'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, verb, *words.get(verb, [])],
        env=running.environment(home)
        | {"PYTHONPATH": os.pathsep.join([str(ROOT / "scripts"), os.environ["PYTHONPATH"]])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.slow
def test_it_is_installed_once_and_comes_before_what_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    # As in many a Python: a version that lacks what newer packages need, loaded before.
    (old / "typing_extensions.py").write_text("__version__ = '4.0'")
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; from holdfast import bootstrap;"
        " bootstrap.prepare(); import typing_extensions; bootstrap.add_packages('web');"
        " import fastapi, uvicorn, holdfast.web.server; print(fastapi.__file__)"
    )
    command = [sys.executable, "-S", "-c", code, str(ROOT / "scripts"), str(old)]
    variables = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    notice = "holdfast: setting up fastapi (once, a few seconds) ..."
    for is_first in (True, False):
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert (notice in done.stderr.splitlines()) is is_first
        assert done.stdout.startswith(str(tmp_path))
