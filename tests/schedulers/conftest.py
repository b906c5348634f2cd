"""A machine of its own for each test: its folders, and schedulers that keep what they are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast.schedulers.interface import Machine

# A crontab whose spool is a file; it speaks as Debian's does.
CRONTAB = """#!/bin/sh
tab="{spool}/tab"
case "$1" in
-l) if [ -f "$tab" ]; then cat "$tab"; else echo "no crontab for ann" >&2; exit 1; fi ;;
-r) rm "$tab" ;;
*) cp "$1" "$tab" ;;
esac
"""
# A systemctl that notes what it is told, and links as the real one does.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> "{spool}/systemctl.log"
wants="{units}/timers.target.wants"
case "$2" in
enable) mkdir -p "$wants"; ln -sf "{units}/$3" "$wants/$3" ;;
disable) rm -f "$wants/$4" ;;
esac
"""


def put_program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Where the programs of the machine keep what they are told."""
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(tmp_path: Path, spool: Path) -> Machine:
    """A Linux with systemd and cron."""
    user_home = tmp_path / "user"
    units = user_home / ".config" / "systemd" / "user"
    put_program(tmp_path / "bin", "crontab", CRONTAB.format(spool=spool))
    put_program(tmp_path / "bin", "systemctl", SYSTEMCTL.format(spool=spool, units=units))
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    return Machine({"PATH": path, "USER": "ann"}, user_home, "linux")
