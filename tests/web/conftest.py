"""What tests of the server need: one that runs, and a client that is let in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import running
from tests.web.browser import Tab, chromium, opened
from tests.web.serving import Served, served

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT);
INSERT INTO notes VALUES (1, 'Groceries', 'milk'), (2, 'Ideas', 'a boat'), (3, 'Later', NULL);
"""
AGENTS = (
    "".join(
        f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT, agent_name TEXT,"
        f" workflow_name TEXT, scheduled_task_id INTEGER);"
        f"INSERT INTO {name} (name) VALUES ('one');"
        for name in ("agents", "tools", "workflows", "memory_entries", "scheduled_tasks")
    )
    + "CREATE TABLE task_executions (id INTEGER PRIMARY KEY, scheduled_task_id INTEGER);"
)
SETTINGS = """
databases:
  notes: {folder}/notes.db
  agents: {folder}/agents.db
stores:
  attic: {folder}/attic
keep:
  last: 1
"""


def make_home(folder: Path) -> Path:
    """Make a home with two databases and a store in its settings."""
    home = folder / "home"
    home.mkdir()
    (folder / "attic").mkdir()
    (home / "backup.yaml").write_text(SETTINGS.format(folder=folder))
    running.make_database(folder / "notes.db", NOTES)
    running.make_database(folder / "agents.db", AGENTS)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two databases and a store in its settings."""
    return make_home(tmp_path)


@pytest.fixture
def server(home: Path) -> Iterator[Served]:
    """A server of that home."""
    with served(home) as found:
        yield found


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    """A client of that server that is let in."""
    with server.client() as found:
        yield found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for all tests of a module, which leave alone what others count on."""
    with served(make_home(tmp_path_factory.mktemp("shared"))) as found:
        yield found


@pytest.fixture
def guest(shared: Served) -> Iterator[httpx.Client]:
    """A client of the shared server that is let in."""
    with shared.client() as found:
        yield found


# No longer than a module: what drives it keeps a loop of asyncio running in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser, for all tests of a module."""
    with chromium() as found:
        yield found


@pytest.fixture
def tab(browser: Any, site: Served) -> Iterator[Tab]:
    """The page of the server that a module has as its `site`, in a tab of its own."""
    with opened(browser, site.page) as found:
        yield found
