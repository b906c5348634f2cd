"""Homes with databases and backups in them, made at moments that a test chooses."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.places import Home
from tests import running

TASKS = """
CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT NOT NULL, done INTEGER);
INSERT INTO tasks VALUES (1, 'Sow', 1), (2, 'Water', 0), (3, 'Reap', 0);
CREATE TABLE tags (name TEXT PRIMARY KEY);
INSERT INTO tags VALUES ('garden'), ('kitchen');
"""


def new_home(folder: Path, settings: str = "") -> Path:
    """Make a home with nothing in it but its settings."""
    home = folder / "home"
    (home / "data").mkdir(parents=True)
    (home / "backup.yaml").write_text(settings, encoding="utf-8")
    return home


def new_database(home: Path, name: str, script: str = TASKS) -> Path:
    """Make a database in the data folder of a home."""
    return running.make_database(home / "data" / f"{name}.db", script)


def backed_up(home: Path, name: str, *, ago: timedelta = timedelta(), **wanted: Any) -> Path:
    """Back a database up as if it were some time ago; the path of the backup."""
    context = Context(
        home=Home(home),
        environment={},
        user_home=home.parent,
        platform=sys.platform,
        actor="ann@laptop",
        now=datetime.now(UTC) - ago,
    )
    database = str(home / "data" / f"{name}.db")
    path = export_backup(context, ExportOptions(database=database, **wanted)).path
    assert path
    return path


def damage(backup: Path) -> None:
    """Change one byte in the middle of a backup, and let its time be as it was."""
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    backup.chmod(0o600)
    backup.write_bytes(content)
