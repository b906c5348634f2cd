"""The command that a scheduler starts: one that an update of the plugin does not break."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import re
from pathlib import Path

from msgspec import Struct

from holdfast.checkouts import is_checkout

_SCRIPT = Path(__file__).resolve().parents[2] / "schedule.py"
LAUNCHER = "scheduled-backup.py"  # in the home

_LATER_SCRIPTS = "*/scripts/schedule.py"  # beside the folder of the one that is gone

# An update puts the plugin into a folder beside the old one, which goes some day.
_LAUNCHER_TEXT = '''\
"""Start the scheduled backup, wherever an update put Holdfast; from `schedule install`."""

import runpy
import sys
from pathlib import Path

SCRIPT = Path({script})

if not SCRIPT.is_file():
    found = list(SCRIPT.parents[2].glob("*/scripts/schedule.py"))
    if not found:
        sys.exit(f"Holdfast is no longer at {{SCRIPT.parents[1]}}; run schedule install again.")
    SCRIPT = max(found, key=lambda path: path.stat().st_mtime)
sys.argv[0] = str(SCRIPT)
sys.path[0] = str(SCRIPT.parent)
runpy.run_path(str(SCRIPT), run_name="__main__")
'''


def job_name(home: Path) -> str:
    """Return what the job of a home is called: two homes on one machine have one each."""
    text = str(home).encode("utf-8", "surrogateescape")
    return f"holdfast-backup-{hashlib.sha256(text).hexdigest()[:8]}"


class Launch(Struct, frozen=True):
    """The command of a scheduled run, and the launcher that it needs in the home."""

    command: tuple[str, ...]
    launcher: Path | None = None
    launcher_text: str = ""


def launch(home: Path, python: str, script: Path = _SCRIPT) -> Launch:
    """
    Return the command that starts a scheduled run for a home.

    Args:
        python: the interpreter, an absolute path.
        script: schedule.py; where there is none, the library is installed for this Python.
    """
    run = ("run", "--home", str(home))
    if not script.is_file():
        return Launch((python, "-m", "holdfast.cli", "schedule", *run))
    if is_checkout(script.parents[1]):
        return Launch((python, str(script), *run))
    launcher = home / LAUNCHER
    text = _LAUNCHER_TEXT.format(script=ascii(str(script)))
    return Launch((python, str(launcher), *run), launcher, text)


def lost_script(launcher: Path) -> Path | None:
    """Return the script that a launcher starts if that is gone, and no update put another there."""
    with contextlib.suppress(OSError, ValueError, SyntaxError, IndexError):
        found = re.search(r"^SCRIPT = Path\((.*)\)$", launcher.read_text("utf-8"), re.MULTILINE)
        script = Path(str(ast.literal_eval(found[1]))) if found else None
        if script and not (script.is_file() or any(script.parents[2].glob(_LATER_SCRIPTS))):
            return script
    return None
