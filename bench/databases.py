"""Databases to measure with: invented, the same in every run, and made on this machine."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.sample import build_sample

_POOL_WORDS = 200_000
_WORDS = """
    the backup of a project that nobody has looked at since spring is still there and can be read
    meeting follow-up status budget review deadline agent session memory token prompt answer
""".split()  # noqa: SIM905 - a list of words would be as long as this file
_OTHER_WORDS = ["über", "straße", "naïve", "café", "東京", "データ", "проект", "письмо", "🙂"]
_SHARE_OF_OTHER_TEXT = 0.15  # pieces that are not all ASCII, as in chats that are mostly English


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one database is made."""

    name: str
    about: str
    build: str  # the name of the function below that fills it
    rows: int  # of its largest table

    def make(self, folder: Path) -> Path:
        """Make the database in `folder`, unless it is there from an earlier run."""
        path = folder / f"{self.name}.db"
        if not path.exists():
            partial = path.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            globals()[self.build](partial, self.rows)
            partial.rename(path)
        return path


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("small", "a personal CRM of 22 tables, 5,000 rows", "_small", 0),
        Recipe("messages-200", "messages: text, JSON, BLOBs, 8 indexes, WAL", "_messages", 130_000),
        Recipe("messages-1200", "the same, six times as much", "_messages", 780_000),
        Recipe("narrow", "10 million rows of four small columns", "_narrow", 10_000_000),
        Recipe("blobs", "4,000 BLOBs of 4 KB to 1 MB", "_blobs", 4_000),
    )
}


def _small(path: Path, _rows: int) -> None:
    build_sample(path)


@contextlib.contextmanager
def _filling(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.executescript(schema)
        yield connection
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")


def _insert(
    connection: sqlite3.Connection, table: str, width: int, rows: Iterator[Sequence[object]]
) -> None:
    marks = ", ".join("?" * width)
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


class _Text:
    """Pieces of invented prose, cut from two long texts."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._plain = " ".join(chance.choices(_WORDS, k=_POOL_WORDS))
        self._other = " ".join(chance.choices([*_WORDS, *_OTHER_WORDS], k=_POOL_WORDS))

    def piece(self, shortest: int, longest: int) -> str:
        pool = self._other if self._chance.random() < _SHARE_OF_OTHER_TEXT else self._plain
        length = self._chance.randint(shortest, longest)
        start = self._chance.randrange(len(pool) - length)
        return pool[start : start + length]


_MESSAGES = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, model TEXT, settings TEXT, created_at TEXT NOT NULL
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id),
    parent_id INTEGER REFERENCES messages (id), role TEXT NOT NULL, content TEXT,
    metadata TEXT, tokens INTEGER, cost REAL, created_at TEXT NOT NULL
);
CREATE TABLE attachments (
    id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL REFERENCES messages (id),
    name TEXT NOT NULL, content BLOB
);
CREATE TABLE tool_calls (
    id TEXT PRIMARY KEY, message_id INTEGER NOT NULL REFERENCES messages (id),
    tool TEXT NOT NULL, arguments TEXT, seconds REAL, ok INTEGER
);
CREATE INDEX sessions_created ON sessions (created_at);
CREATE INDEX messages_session ON messages (session_id, created_at);
CREATE INDEX messages_parent ON messages (parent_id);
CREATE INDEX messages_role ON messages (role);
CREATE INDEX messages_created ON messages (created_at);
CREATE INDEX attachments_message ON attachments (message_id);
CREATE INDEX tool_calls_message ON tool_calls (message_id);
CREATE INDEX tool_calls_tool ON tool_calls (tool, ok);
"""


# What becomes of it until a second backup: the newest 1 % of its rows changed and 1 % were added,
NEWEST = """
UPDATE messages SET content = content || ' (edited)', tokens = tokens + 1
WHERE id > (SELECT max(id) * 99 / 100 FROM messages);
UPDATE attachments SET name = name || '.2' WHERE id > (SELECT max(id) * 99 / 100 FROM attachments);
UPDATE tool_calls SET seconds = seconds + 1
WHERE rowid > (SELECT max(rowid) * 99 / 100 FROM tool_calls);
INSERT INTO messages
SELECT id + (SELECT max(id) / 100 FROM messages), session_id, parent_id, role,
    substr(content, 9) || substr(content, 1, 8), metadata, tokens + 1, cost * 2,
    replace(created_at, '2026', '2027')
FROM messages WHERE id > (SELECT max(id) * 99 / 100 FROM messages);
INSERT INTO attachments
SELECT id + (SELECT max(id) / 100 FROM attachments), message_id, name || '.3',
    substr(content, 9) || substr(content, 1, 8)
FROM attachments WHERE id > (SELECT max(id) * 99 / 100 FROM attachments);
INSERT INTO tool_calls
SELECT 'call_' || substr(id, 15) || substr(id, 6, 9), message_id, tool, arguments, seconds, ok
FROM tool_calls WHERE rowid > (SELECT max(rowid) * 99 / 100 FROM tool_calls);
"""
# or 1 % changed all over.
SPREAD = """
UPDATE messages SET content = content || '.' WHERE id % 100 = 0;
UPDATE attachments SET name = name || '.' WHERE id % 100 = 0;
UPDATE tool_calls SET seconds = seconds + 1 WHERE rowid % 100 = 0;
UPDATE sessions SET title = title || '.' WHERE rowid % 100 = 0;
"""


def _messages(path: Path, rows: int) -> None:
    chance = random.Random(20261120)
    text = _Text(chance)
    noise = chance.randbytes(1 << 22)

    def moment(number: int) -> str:
        day, second = divmod(number * 17, 86_400)
        month, day = divmod(day, 28)
        return f"2026-{1 + month % 12:02}-{1 + day:02}T{second // 3600:02}:00:{second % 60:02}Z"

    def session(number: int) -> str:
        return f"ses_{number:026x}"

    with _filling(path, _MESSAGES) as connection:
        _insert(
            connection,
            "sessions",
            5,
            (
                (session(n), text.piece(20, 60), "large-2", '{"temperature":0.7}', moment(n * 50))
                for n in range(rows // 50 + 1)
            ),
        )
        _insert(
            connection,
            "messages",
            9,
            (
                (
                    n,
                    session(n // 50),
                    n - 1 if n % 50 else None,
                    ("user", "assistant", "tool")[n % 3],
                    text.piece(50, 900),
                    json.dumps({"finish": "stop", "n": n, "tags": ["a", "b"]}) if n % 2 else None,
                    chance.randrange(4000),
                    chance.random() / 100,
                    moment(n),
                )
                for n in range(1, rows + 1)
            ),
        )
        _insert(
            connection,
            "attachments",
            4,
            (
                (n, n * 7 % rows + 1, f"file-{n}.bin", _cut(chance, noise, 1500, 6000))
                for n in range(1, rows // 700 * 100 + 1)
            ),
        )
        _insert(
            connection,
            "tool_calls",
            6,
            (
                (
                    f"call_{chance.getrandbits(96):024x}",
                    chance.randrange(1, rows + 1),
                    chance.choice(("search", "read", "write", "run")),
                    json.dumps({"path": f"/src/{n}.py", "query": text.piece(10, 60)}),
                    chance.random() * 10,
                    n % 9 != 0,
                )
                for n in range(rows // 3)
            ),
        )


def _cut(chance: random.Random, noise: bytes, shortest: int, longest: int) -> bytes:
    length = chance.randint(shortest, longest)
    start = chance.randrange(len(noise) - length)
    return noise[start : start + length]


def _narrow(path: Path, rows: int) -> None:
    chance = random.Random(20261121)
    with _filling(
        path, "CREATE TABLE points (id INTEGER PRIMARY KEY, a INT, b REAL, c TEXT)"
    ) as to:
        _insert(
            to,
            "points",
            4,
            ((n, chance.randrange(10_000), chance.random(), f"p{n % 997}") for n in range(rows)),
        )


def _blobs(path: Path, rows: int) -> None:
    chance = random.Random(20261122)
    noise = chance.randbytes(1 << 23)
    with _filling(path, "CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT, body BLOB)") as to:
        _insert(
            to,
            "files",
            3,
            (
                (n, f"file-{n}", _cut(chance, noise, 4096, 4096 * 4 ** chance.randint(0, 4)))
                for n in range(rows)
            ),
        )
