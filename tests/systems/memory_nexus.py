"""A database of the memory CLI with awkward rows, and the JSON that it exports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.conftest import connected, run_sql

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, project_path_encoded TEXT NOT NULL, project_path_decoded TEXT NOT NULL,
  project_name TEXT NOT NULL, start_time TEXT NOT NULL, end_time TEXT,
  message_count INTEGER NOT NULL DEFAULT 0, summary TEXT,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')));
CREATE TABLE messages_meta (
  rowid INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant')), content TEXT NOT NULL,
  timestamp TEXT NOT NULL, tool_use_ids TEXT);
CREATE VIRTUAL TABLE messages_fts USING fts5(
  content, content=messages_meta, content_rowid=rowid, tokenize='porter unicode61');
CREATE TRIGGER messages_ai AFTER INSERT ON messages_meta BEGIN
  INSERT INTO messages_fts (rowid, content) VALUES (new.rowid, new.content); END;
CREATE TRIGGER messages_ad AFTER DELETE ON messages_meta BEGIN
  INSERT INTO messages_fts (messages_fts, rowid, content)
  VALUES ('delete', old.rowid, old.content); END;
CREATE TRIGGER messages_au AFTER UPDATE ON messages_meta BEGIN
  INSERT INTO messages_fts (messages_fts, rowid, content)
  VALUES ('delete', old.rowid, old.content);
  INSERT INTO messages_fts (rowid, content) VALUES (new.rowid, new.content); END;
CREATE VIRTUAL TABLE sessions_fts USING fts5(session_id UNINDEXED, summary);
CREATE TRIGGER sessions_summary AFTER UPDATE OF summary ON sessions
  WHEN new.summary IS NOT NULL BEGIN
  DELETE FROM sessions_fts WHERE session_id = new.id;
  INSERT INTO sessions_fts (session_id, summary) VALUES (new.id, new.summary); END;
CREATE TABLE tool_uses (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  name TEXT NOT NULL, input TEXT NOT NULL, timestamp TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'success', 'error')), result TEXT);
CREATE TABLE links (
  id INTEGER PRIMARY KEY AUTOINCREMENT, source_type TEXT NOT NULL, source_id TEXT NOT NULL,
  target_type TEXT NOT NULL, target_id TEXT NOT NULL, relationship TEXT NOT NULL,
  weight REAL NOT NULL DEFAULT 1.0 CHECK (weight BETWEEN 0 AND 1),
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  UNIQUE (source_type, source_id, target_type, target_id, relationship));
CREATE TABLE entities (
  id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, name TEXT NOT NULL, metadata TEXT,
  confidence REAL NOT NULL DEFAULT 1.0, created_at TEXT NOT NULL DEFAULT (datetime('now')),
  UNIQUE (type, name));
CREATE TABLE session_entities (
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  entity_id INTEGER NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
  frequency INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (session_id, entity_id));
CREATE TABLE entity_links (
  source_id INTEGER NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
  target_id INTEGER NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
  relationship TEXT NOT NULL, weight REAL NOT NULL DEFAULT 1.0,
  PRIMARY KEY (source_id, target_id, relationship));
CREATE TABLE extraction_state (
  id TEXT PRIMARY KEY, session_path TEXT NOT NULL UNIQUE, started_at TEXT, status TEXT,
  messages_extracted INTEGER, error_message TEXT);
CREATE TABLE topics (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, description TEXT);
"""
ROWS = """
INSERT INTO sessions (id, project_path_encoded, project_path_decoded, project_name, start_time,
  message_count, created_at, updated_at) VALUES
  ('s-1', '-work-a', '/work/a', 'it''s "a"', '2026-03-01T00:00:00.000Z', 3,
   '2026-03-01', '2026-03-02'),
  ('s-2', '-work-b', '/work/b', 'b', '2026-03-02T00:00:00.000Z', 9007199254740993, '2026-03-03',
   '2026-03-04');
UPDATE sessions SET summary = 'Repairing the roof' WHERE id = 's-1';
INSERT INTO messages_meta (rowid, id, session_id, role, content, timestamp, tool_use_ids) VALUES
  (5, 'm-1', 's-1', 'user', 'please mend the gutter', '2026-03-01T00:00:01.000Z', NULL),
  (7, 'm-2', 's-1', 'assistant', 'done: 😀 ' || char(10) || 'NUL ' || char(0) || ' end',
   '2026-03-01T00:00:02.000Z', '["t-1"]'),
  (8, 'm-3', 's-2', 'user', '', '2026-03-02T00:00:01.000Z', NULL),
  (90, 'm-gone', 's-2', 'user', 'taken back', '2026-03-02T00:00:02.000Z', NULL);
DELETE FROM messages_meta WHERE id = 'm-gone';
INSERT INTO tool_uses VALUES ('t-1', 's-1', 'Bash', '{"command":"ls","n":12345678901234567}',
  '2026-03-01T00:00:02.000Z', 'success', NULL);
INSERT INTO entities (id, type, name, metadata, confidence, created_at) VALUES
  (3, 'person', 'O''Hara', '{"a":[1,2]}', 0.1, '2026-03-01'),
  (4, 'tool', 'hammer', NULL, 1.0, '2026-03-01');
INSERT INTO links (id, source_type, source_id, target_type, target_id, relationship, weight,
  created_at) VALUES (6, 'message', 'm-1', 'entity', '3', 'mentions', 0.30000000000000004,
  '2026-03-01');
INSERT INTO session_entities VALUES ('s-1', 3, 2), ('s-2', 4, 1);
INSERT INTO entity_links VALUES (3, 4, 'uses', 0.5), (4, 3, 'used by', 1.0), (3, 3, 'is', 1.0);
INSERT INTO extraction_state VALUES ('x-1', '/work/a/s-1.jsonl', '2026-03-01', 'complete', 2, NULL);
INSERT INTO topics (name, description) VALUES ('houses', NULL), ('tools', 'what "one" needs');
"""
# What the file calls each table, and the columns that it leaves out.
LISTS = {
    "sessions": ("sessions", ("created_at", "updated_at")),
    "messages": ("messages_meta", ("rowid",)),
    "toolUses": ("tool_uses", ()),
    "entities": ("entities", ()),
    "links": ("links", ("id",)),
    "sessionEntities": ("session_entities", ()),
    "entityLinks": ("entity_links", ()),
    "extractionStates": ("extraction_state", ()),
}
_JSON = ("input", "metadata", "tool_use_ids")


def make(path: Path, sql: str = SCHEMA + ROWS) -> Path:
    run_sql(path, sql)
    return path


def export(database: Path, path: Path, **changes: Any) -> Path:
    """Write what `memory export` does; `changes` replace keys, or take one out with None."""
    document: dict[str, Any] = {"version": "1.0", "exportedAt": "2026-03-05T10:00:00.000Z"}
    lists = {name: _rows(database, *of) for name, of in LISTS.items()}
    document["stats"] = {name: len(rows) for name, rows in lists.items()}
    document |= lists | changes
    kept = {name: value for name, value in document.items() if value is not None}
    path.write_text(json.dumps(kept, indent=2), encoding="utf-8")
    return path


def _rows(database: Path, table: str, left_out: tuple[str, ...]) -> list[dict[str, Any]]:
    with connected(database) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [each[0] for each in cursor.description]
        return [_fields(dict(zip(names, row, strict=True)), left_out) for row in cursor]


def _fields(row: dict[str, Any], left_out: tuple[str, ...]) -> dict[str, Any]:
    for name in _JSON:
        if row.get(name) is not None:
            row[name] = json.loads(row[name])
    return {_camel_case(name): value for name, value in row.items() if name not in left_out}


def _camel_case(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
