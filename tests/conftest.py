"""What many tests need: real databases, a home of their own, and a clock that stands still."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.database import Connection, quote_identifier
from holdfast.operations.context import Context
from holdfast.places import Home

NOW = datetime(2026, 11, 20, 14, 22, 33, tzinfo=UTC)

ROOT = Path(__file__).resolve().parents[1]
CACHES = {"__pycache__", ".hypothesis", ".pytest_cache"}

MakeContext = Callable[..., Context]
MakeDatabase = Callable[..., Path]


def strangers() -> set[str]:
    """Name the files of this checkout that git does not keep, but for those of caches."""
    if not os.environ.get("CI") or not shutil.which("git"):
        return set()
    others = ["git", "ls-files", "--others", "-z"]
    done = subprocess.run(others, cwd=ROOT, capture_output=True, text=True)
    return {name for name in done.stdout.split("\0") if not CACHES & set(Path(name).parts)}


STRANGERS = strangers()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail, where CI is watching, when the tests have left a file in the checkout."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and (left := sorted(strangers() - STRANGERS)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        said = f"The tests left files in the checkout: {', '.join(left)}"
        session.config.get_terminal_writer().line(f"\n{said}")


@pytest.fixture
def context(tmp_path: Path) -> MakeContext:
    """Make a Context of an own home in which nothing lies; `now` is NOW unless it is given."""

    def make(*, now: datetime = NOW, home: Path | None = None) -> Context:
        return Context(
            home=Home(home or tmp_path / "home"),
            environment={},
            user_home=tmp_path / "user",
            platform=sys.platform,
            actor="ann@laptop",
            now=now,
        )

    return make


@pytest.fixture(scope="module")
def module_context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """A Context of an own home in which nothing lies, for all tests of a module."""
    folder = tmp_path_factory.mktemp("home")
    return Context(
        home=Home(folder / "home"),
        environment={},
        user_home=folder / "user",
        platform=sys.platform,
        actor="ann@laptop",
        now=NOW,
    )


@pytest.fixture
def make_database(tmp_path: Path) -> MakeDatabase:
    """Make a database in `tmp_path` of some SQL."""

    def make(sql: str, name: str = "tool.db") -> Path:
        path = tmp_path / name
        run_sql(path, sql)
        return path

    return make


@contextlib.contextmanager
def connected(path: Path) -> Iterator[Connection]:
    """Yield a plain connection in autocommit mode, of the SQLite that Holdfast runs on."""
    with contextlib.closing(Connection(os.fspath(path), isolation_level=None)) as connection:
        yield connection


def run_sql(path: Path, sql: str) -> None:
    with connected(path) as connection:
        connection.executescript(sql)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with connected(path) as connection:
        return connection.execute(query).fetchall()


def stored(path: Path, table: str, *, rowids: bool = False) -> list[tuple[str, ...]]:
    """
    Return a table's rows, each value as its type and its exact form, sorted.

    Text comes as its bytes, whatever they are; generated columns are there too.
    """
    with connected(path) as connection:
        connection.text_factory = bytes
        names = [
            quote_identifier(row[1].decode())
            for row in connection.execute(f"PRAGMA table_xinfo({quote_identifier(table)})")
        ]
        names += ["_rowid_"] if rowids else []
        values = ", ".join(f"typeof({name}), {name}" for name in names)
        query = f"SELECT {values} FROM {quote_identifier(table)}"
        return sorted(tuple(map(repr, row)) for row in connection.execute(query))


def everything(path: Path) -> dict[str, object]:
    """Return all that a database holds: its schema, and the rows of each table with its rowids."""
    found: dict[str, object] = {
        "schema": rows(path, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid")
    }
    for _, name, kind, _, without_rowid, _ in rows(path, "PRAGMA table_list"):
        if kind in ("table", "shadow") and name not in ("sqlite_schema", "sqlite_temp_schema"):
            found[str(name)] = stored(path, str(name), rowids=not without_rowid)
    return found
