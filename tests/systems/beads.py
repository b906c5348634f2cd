"""A database of Beads' SQLite era with awkward rows, and the JSONL that it exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import connected, run_sql

SCHEMA = """
CREATE TABLE issues (
  id TEXT PRIMARY KEY, content_hash TEXT,
  title TEXT NOT NULL CHECK (length(title) <= 500),
  description TEXT NOT NULL DEFAULT '', design TEXT NOT NULL DEFAULT '',
  acceptance_criteria TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open',
  priority INTEGER NOT NULL DEFAULT 2 CHECK (priority >= 0 AND priority <= 4),
  issue_type TEXT NOT NULL DEFAULT 'task', assignee TEXT, estimated_minutes INTEGER,
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, created_by TEXT DEFAULT '',
  owner TEXT DEFAULT '', updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  closed_at DATETIME, closed_by_session TEXT DEFAULT '', external_ref TEXT,
  compaction_level INTEGER DEFAULT 0, compacted_at DATETIME, compacted_at_commit TEXT,
  original_size INTEGER, deleted_at DATETIME, deleted_by TEXT DEFAULT '',
  delete_reason TEXT DEFAULT '', original_type TEXT DEFAULT '', sender TEXT DEFAULT '',
  ephemeral INTEGER DEFAULT 0, pinned INTEGER DEFAULT 0, is_template INTEGER DEFAULT 0,
  crystallizes INTEGER DEFAULT 0, mol_type TEXT DEFAULT '', quality_score REAL,
  source_system TEXT DEFAULT '', metadata TEXT NOT NULL DEFAULT '{}',
  event_kind TEXT DEFAULT '', actor TEXT DEFAULT '', target TEXT DEFAULT '',
  payload TEXT DEFAULT '', due_at DATETIME, defer_until DATETIME, close_reason TEXT DEFAULT '',
  CHECK ((status = 'closed' AND closed_at IS NOT NULL) OR status = 'tombstone'
    OR (status NOT IN ('closed', 'tombstone') AND closed_at IS NULL)));
CREATE INDEX issues_by_status ON issues (status);
CREATE UNIQUE INDEX issues_by_external_ref ON issues (external_ref) WHERE external_ref IS NOT NULL;
CREATE TABLE dependencies (
  issue_id TEXT NOT NULL, depends_on_id TEXT NOT NULL, type TEXT NOT NULL DEFAULT 'blocks',
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, created_by TEXT NOT NULL,
  metadata TEXT DEFAULT '{}', thread_id TEXT DEFAULT '',
  PRIMARY KEY (issue_id, depends_on_id),
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE labels (
  issue_id TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (issue_id, label),
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT NOT NULL, author TEXT NOT NULL,
  text TEXT NOT NULL, created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT NOT NULL, event_type TEXT NOT NULL,
  actor TEXT NOT NULL, old_value TEXT, new_value TEXT, comment TEXT,
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE config (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE dirty_issues (
  issue_id TEXT PRIMARY KEY, marked_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE export_hashes (
  issue_id TEXT PRIMARY KEY, content_hash TEXT NOT NULL,
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE child_counters (
  parent_id TEXT PRIMARY KEY, last_child INTEGER NOT NULL DEFAULT 0,
  FOREIGN KEY (parent_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE issue_snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT NOT NULL, snapshot_time DATETIME NOT NULL,
  original_size INTEGER NOT NULL, original_content TEXT NOT NULL,
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE compaction_snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT NOT NULL,
  compaction_level INTEGER NOT NULL, snapshot_json BLOB NOT NULL, created_at DATETIME NOT NULL,
  FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE);
CREATE TABLE repo_mtimes (
  repo_path TEXT PRIMARY KEY, jsonl_path TEXT NOT NULL, mtime_ns INTEGER NOT NULL);
CREATE VIEW ready_issues AS
  WITH RECURSIVE blocked_directly AS (
    SELECT DISTINCT d.issue_id FROM dependencies d JOIN issues b ON d.depends_on_id = b.id
    WHERE d.type = 'blocks' AND b.status NOT IN ('closed', 'tombstone')),
  blocked_transitively (issue_id, depth) AS (
    SELECT issue_id, 0 FROM blocked_directly UNION
    SELECT d.issue_id, bt.depth + 1 FROM blocked_transitively bt
    JOIN dependencies d ON d.depends_on_id = bt.issue_id
    WHERE d.type = 'parent-child' AND bt.depth < 50)
  SELECT i.* FROM issues i WHERE i.status = 'open'
    AND i.id NOT IN (SELECT issue_id FROM blocked_transitively);
CREATE VIEW blocked_issues AS
  SELECT i.*, count(d.depends_on_id) AS blocked_by_count FROM issues i
  JOIN dependencies d ON i.id = d.issue_id JOIN issues b ON d.depends_on_id = b.id
  WHERE d.type = 'blocks' AND b.status <> 'closed' GROUP BY i.id;
PRAGMA journal_mode = WAL;
"""
NOON = "2026-11-20T12:00:00.123456789+01:00"
ROWS = f"""
INSERT INTO issues (id, title, description, design, notes, status, priority, issue_type, assignee,
  estimated_minutes, created_at, created_by, updated_at, closed_at, close_reason, external_ref,
  metadata, due_at, deleted_at, deleted_by, original_type) VALUES
  ('bd-1', 'Fix the roof', 'before the' || char(10) || 'rain ☂', 'tiles', '', 'in_progress', 0,
   'bug', 'ann', 90, '{NOON}', 'bøb', '{NOON}', NULL, '', 'gh-9', '{{"a": [1.5, "é"]}}', '{NOON}',
   NULL, '', ''),
  ('bd-2', 'Order tiles', '', '', 'by post', 'closed', 4, 'task', NULL, NULL, '{NOON}', 'ann',
   '{NOON}', '{NOON}', 'wontfix', NULL, '{{}}', NULL, NULL, '', ''),
  ('bd-1.1', 'Measure', '', '', '', 'open', 2, 'task', NULL, 0, '{NOON}', '', '{NOON}', NULL, '',
   NULL, '{{}}', NULL, NULL, '', ''),
  ('bd-3', '(deleted)', '', '', '', 'tombstone', 0, 'task', NULL, NULL, '{NOON}', '', '{NOON}',
   NULL, '', NULL, '{{}}', NULL, '{NOON}', 'ann', 'bug');
INSERT INTO dependencies (issue_id, depends_on_id, type, created_at, created_by) VALUES
  ('bd-1', 'bd-2', 'blocks', '{NOON}', 'ann'), ('bd-1.1', 'bd-1', 'parent-child', '{NOON}', 'ann');
INSERT INTO labels VALUES ('bd-1', 'House'), ('bd-1', 'urgent'), ('bd-2', 'Ærø/mail');
INSERT INTO comments VALUES (3, 'bd-1', 'ann', 'ladder needed', '{NOON}'),
  (9, 'bd-1', 'bøb', 'ordered', '{NOON}');
INSERT INTO events (issue_id, event_type, actor, created_at) VALUES
  ('bd-1', 'created', 'ann', '{NOON}'), ('bd-1', 'status_changed', 'ann', '{NOON}');
INSERT INTO config VALUES ('issue_prefix', 'bd');
INSERT INTO metadata VALUES ('last_import_hash', '0f');
INSERT INTO dirty_issues VALUES ('bd-1', '{NOON}');
INSERT INTO export_hashes VALUES ('bd-1', 'ab');
INSERT INTO child_counters VALUES ('bd-1', 1);
INSERT INTO issue_snapshots VALUES (1, 'bd-2', '{NOON}', 10, 'long');
INSERT INTO compaction_snapshots VALUES (1, 'bd-2', 1, x'7b7d00ff', '{NOON}');
INSERT INTO repo_mtimes VALUES ('/home/ann/repo', '.beads/issues.jsonl', 1763640000123456789);
"""
FULL = SCHEMA + ROWS
_NUMBERS = ("priority", "estimated_minutes")  # that may be 0 and say something


def make(path: Path, sql: str = FULL) -> Path:
    """Make a database of Beads."""
    run_sql(path, sql)
    return path


def export(database: Path, file: Path, *, typed: bool = False) -> Path:
    """Write what `bd export` writes; later versions say of what type each record is."""
    text = "".join(
        json.dumps(({"_type": "issue"} if typed else {}) | issue, ensure_ascii=False) + "\n"
        for issue in issues(database)
    )
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def issues(database: Path) -> list[dict[str, Any]]:
    """Return the issues as records, what is empty left out."""
    with connected(database) as connection:

        def objects(query: str, *values: str) -> list[dict[str, Any]]:
            cursor = connection.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        found = []
        for row in objects("SELECT * FROM issues ORDER BY id"):
            del row["content_hash"]
            if row["metadata"] == "{}":
                del row["metadata"]
            else:
                row["metadata"] = json.loads(row["metadata"])
            issue = {
                name: value
                for name, value in row.items()
                if value not in ("", None, 0) or (value == 0 and name in _NUMBERS)
            }
            for table in ("dependencies", "comments"):
                nested = objects(f"SELECT * FROM {table} WHERE issue_id = ?", row["id"])
                if nested:
                    issue[table] = nested
            labels = objects("SELECT label FROM labels WHERE issue_id = ? ORDER BY 1", row["id"])
            if labels:
                issue["labels"] = [each["label"] for each in labels]
            found.append(issue)
        return found
