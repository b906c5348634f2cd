"""Databases of Genie with awkward rows: version 5's two, version 4's tables; and their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import connected, run_sql

REPOSITORY = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE boards (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, columns TEXT NOT NULL DEFAULT '[]',
  created_at TEXT NOT NULL);
CREATE TABLE tasks (
  id TEXT PRIMARY KEY, board_id INTEGER REFERENCES boards (id) ON DELETE SET NULL,
  title TEXT NOT NULL, body TEXT,
  status TEXT NOT NULL DEFAULT 'todo' CHECK (status IN ('todo', 'doing', 'done', 'blocked')),
  priority INTEGER NOT NULL DEFAULT 2, position REAL, wish TEXT, group_name TEXT, assignee TEXT,
  claimed_at TEXT, claim_expires INTEGER, branch TEXT, worktree TEXT, result TEXT, labels TEXT,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE task_dependencies (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  depends_on TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  PRIMARY KEY (task_id, depends_on));
CREATE TABLE stage_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  from_status TEXT, to_status TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE task_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  kind TEXT NOT NULL, payload TEXT, at TEXT NOT NULL);
CREATE TABLE wish_groups (
  wish TEXT NOT NULL, name TEXT NOT NULL, state TEXT, PRIMARY KEY (wish, name));
CREATE TABLE hire_roster (
  wish TEXT NOT NULL, name TEXT NOT NULL, worktree TEXT, PRIMARY KEY (wish, name));
CREATE INDEX tasks_by_board ON tasks (board_id, status);
PRAGMA user_version = 1;
"""
REPOSITORY_ROWS = """
INSERT INTO meta VALUES ('repo', 'https://example.com/a''b.git'), ('empty', '');
INSERT INTO boards VALUES (1, 'Sprint "12"', '["todo","done"]', '2026-03-01T00:00:00.000Z'),
  (9007199254740993, 'Beyond 2^53', '[]', '2026-03-01T00:00:00.000Z');
INSERT INTO tasks VALUES
  ('task-1', 1, 'It''s a "quote"', NULL, 'doing', 1, 0.1, NULL, NULL, 'ann',
   '2026-03-02T08:00:00.123456Z', 9223372036854775807, 'wish/a', '/work/a', '', '["x"]',
   '2026-03-01T00:00:00.000Z', '2026-03-02T08:00:00.000Z'),
  ('task-2', 9007199254740993, 'NUL ' || char(0) || ' inside', 'a' || char(10) || 'b', 'todo', 2,
   5e-324, 'w', 'g', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   '2026-03-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'),
  ('task-3', NULL, 'Übergröße 😀', '', 'done', 3, -0.0, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   'ok', NULL, '2026-03-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z');
INSERT INTO task_dependencies VALUES ('task-1', 'task-2'), ('task-2', 'task-3'),
  ('task-3', 'task-1');
INSERT INTO stage_log VALUES (7, 'task-1', 'todo', 'doing', '2026-03-02T08:00:00.000Z'),
  (8, 'task-3', NULL, 'done', '2026-03-02T08:00:00.000Z');
INSERT INTO task_events VALUES (41, 'task-1', 'claim', '{"by":"ann"}', '2026-03-02T08:00:00.000Z'),
  (42, 'task-1', 'note', NULL, '2026-03-02T08:00:01.000Z');
DELETE FROM task_events WHERE id = 42;
INSERT INTO wish_groups VALUES ('w', 'g', 'open');
INSERT INTO hire_roster VALUES ('w', 'ann', '/home/ann/work trees/w');
"""
GLOBAL = """
CREATE TABLE approvals (
  id TEXT PRIMARY KEY, repo TEXT NOT NULL, question TEXT NOT NULL, answer TEXT, at TEXT NOT NULL);
CREATE TABLE inbound_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, body BLOB, at TEXT NOT NULL);
CREATE TABLE agent_sessions (
  id TEXT PRIMARY KEY, repo TEXT NOT NULL, agent TEXT NOT NULL, pane TEXT, at TEXT NOT NULL);
CREATE TABLE service_leases (
  service TEXT PRIMARY KEY, holder TEXT NOT NULL, expires INTEGER NOT NULL);
PRAGMA user_version = 1;
"""
GLOBAL_ROWS = """
INSERT INTO approvals VALUES ('ap-1', '/work/a', 'Push to "main"?', NULL, '2026-03-01');
INSERT INTO inbound_messages VALUES (5, 'telegram', x'00ff10', '2026-03-01');
INSERT INTO agent_sessions VALUES ('s-1', '/work/a', 'ann', '%3', '2026-03-01');
INSERT INTO service_leases VALUES ('omni', 'host:1', 1772323200000);
"""
# What a serial or an identity is in PostgreSQL, an INTEGER key is here; jsonb and arrays are text.
V4 = """
CREATE TABLE projects (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, repo_path TEXT,
  created_at TEXT);
CREATE TABLE schedules (id TEXT PRIMARY KEY, name TEXT NOT NULL, cron TEXT, run_spec TEXT,
  enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE task_types (id TEXT PRIMARY KEY, name TEXT NOT NULL, stages TEXT NOT NULL,
  is_builtin INTEGER NOT NULL DEFAULT 0);
CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT NOT NULL, color TEXT,
  type_id TEXT REFERENCES task_types (id));
CREATE TABLE board_templates (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, columns TEXT,
  is_builtin INTEGER NOT NULL DEFAULT 0);
CREATE TABLE boards (id TEXT PRIMARY KEY, name TEXT NOT NULL,
  project_id TEXT REFERENCES projects (id), columns TEXT, UNIQUE (project_id, name));
CREATE UNIQUE INDEX boards_without_project ON boards (name) WHERE project_id IS NULL;
CREATE TABLE tasks (
  id TEXT PRIMARY KEY, seq INTEGER, parent_id TEXT REFERENCES tasks (id) ON DELETE CASCADE,
  title TEXT NOT NULL, type_id TEXT REFERENCES task_types (id),
  board_id TEXT REFERENCES boards (id), project_id TEXT REFERENCES projects (id), stage TEXT,
  group_name TEXT, metadata TEXT, checkout_run_id TEXT, execution_locked_at TEXT, session_id TEXT,
  pane_id TEXT, created_at TEXT, updated_at TEXT, UNIQUE (parent_id, group_name));
CREATE TABLE task_tags (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  tag_id TEXT NOT NULL REFERENCES tags (id) ON DELETE CASCADE, PRIMARY KEY (task_id, tag_id));
CREATE TABLE task_actors (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE, actor_type TEXT NOT NULL,
  actor_id TEXT NOT NULL, role TEXT NOT NULL, permissions TEXT,
  PRIMARY KEY (task_id, actor_type, actor_id, role));
CREATE TABLE task_dependencies (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  depends_on_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE, dep_type TEXT,
  PRIMARY KEY (task_id, depends_on_id));
CREATE TABLE task_stage_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE, from_stage TEXT,
  to_stage TEXT NOT NULL, gate_type TEXT, created_at TEXT);
CREATE TABLE agent_templates (id TEXT PRIMARY KEY, provider TEXT, team TEXT);
CREATE TABLE agents (id TEXT PRIMARY KEY, role TEXT, pane_id TEXT, state TEXT);
CREATE TABLE agent_checkpoints (worker_id TEXT PRIMARY KEY, task_id TEXT, context TEXT);
CREATE TABLE conversations (
  id TEXT PRIMARY KEY, type TEXT, name TEXT,
  parent_message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE);
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  reply_to_id INTEGER REFERENCES messages (id) ON DELETE SET NULL, body TEXT NOT NULL,
  metadata TEXT, created_at TEXT);
CREATE TABLE conversation_members (
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  actor_type TEXT NOT NULL, actor_id TEXT NOT NULL,
  PRIMARY KEY (conversation_id, actor_type, actor_id));
CREATE TABLE mailbox (id TEXT PRIMARY KEY, from_agent TEXT, to_agent TEXT, body TEXT);
CREATE TABLE team_chat (id TEXT PRIMARY KEY, team TEXT, body TEXT);
CREATE TABLE notification_preferences (
  actor_type TEXT NOT NULL, actor_id TEXT NOT NULL, channel TEXT NOT NULL, priority TEXT,
  PRIMARY KEY (actor_type, actor_id, channel));
CREATE TABLE app_store (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE installed_apps (
  id TEXT PRIMARY KEY, app_store_id TEXT REFERENCES app_store (id) ON DELETE CASCADE);
CREATE TABLE app_versions (
  id TEXT PRIMARY KEY, app_store_id TEXT REFERENCES app_store (id) ON DELETE CASCADE,
  version TEXT, UNIQUE (app_store_id, version));
CREATE TABLE teams (name TEXT PRIMARY KEY, repo TEXT);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, parent_session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL);
CREATE TABLE session_content (
  id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT REFERENCES sessions (id), content TEXT);
CREATE TABLE session_sync (id TEXT PRIMARY KEY, status TEXT);
CREATE TABLE tool_events (id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT);
CREATE TABLE triggers (
  id TEXT PRIMARY KEY, schedule_id TEXT REFERENCES schedules (id) ON DELETE CASCADE);
CREATE TABLE runs (
  id TEXT PRIMARY KEY, trigger_id TEXT REFERENCES triggers (id) ON DELETE CASCADE);
CREATE TABLE heartbeats (id TEXT PRIMARY KEY, worker_id TEXT);
CREATE TABLE machine_snapshots (id TEXT PRIMARY KEY, cpu REAL);
CREATE TABLE audit_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT NOT NULL, entity_id TEXT NOT NULL,
  event_type TEXT NOT NULL, actor TEXT, details TEXT DEFAULT '{}',
  created_at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TRIGGER trg_assign_seq AFTER INSERT ON tasks BEGIN
  UPDATE tasks SET seq = (SELECT coalesce(max(seq), 0) + 1 FROM tasks) WHERE id = new.id; END;
CREATE TRIGGER trg_validate_stage BEFORE INSERT ON tasks
  WHEN new.stage NOT IN ('draft', 'build', 'ship') BEGIN SELECT raise(ABORT, 'stage'); END;
"""
V4_ROWS = """
INSERT INTO projects VALUES ('proj-1', 'my "app"', '/work/app', '2026-03-01T00:00:00.000Z');
INSERT INTO schedules VALUES ('sch-1', 'nightly', '0 3 * * *', '{"cmd":["genie","export"]}', 1);
INSERT INTO task_types VALUES ('software', 'Software', '["draft","build","ship"]', 1),
  ('own', 'Own', '[]', 0);
INSERT INTO tags VALUES ('bug', 'Bug', '#ef4444', NULL), ('t-1', 'test-x', NULL, 'own');
INSERT INTO board_templates VALUES ('tmpl-1', 'Kanban', '[]', 1);
INSERT INTO boards VALUES ('board-1', 'Sprint 12', 'proj-1', '[{"name":"draft"}]'),
  ('board-2', 'Loose', NULL, '[]');
INSERT INTO tasks (id, parent_id, title, type_id, board_id, project_id, stage, metadata, session_id,
  created_at) VALUES
  ('task-a', NULL, 'Parent''s', 'software', 'board-1', 'proj-1', 'build', '{"n":1}', 's-1',
   '2026-03-01T00:00:00.123456Z'),
  ('task-b', 'task-a', 'Child', 'own', 'board-2', NULL, 'draft', NULL, NULL, NULL),
  ('task-0', 'task-b', 'Comes before its parents', NULL, NULL, NULL, NULL, '[]', NULL, NULL);
UPDATE tasks SET seq = 77 WHERE id = 'task-a';
INSERT INTO task_tags VALUES ('task-a', 'bug'), ('task-b', 't-1');
INSERT INTO task_actors VALUES ('task-a', 'local', 'ann', 'assignee', '{}');
INSERT INTO task_dependencies VALUES ('task-a', 'task-b', 'blocks');
INSERT INTO task_stage_log VALUES (12, 'task-a', NULL, 'build', NULL, NULL);
INSERT INTO agents VALUES ('ag-1', 'engineer', '%1', 'idle');
INSERT INTO agent_checkpoints VALUES ('ag-1', 'task-a', '{}');
INSERT INTO conversations VALUES ('conv-1', 'dm', NULL, NULL);
INSERT INTO messages VALUES (3, 'conv-1', NULL, 'hello', NULL, NULL),
  (4, 'conv-1', 3, 'a thread', NULL, NULL);
INSERT INTO conversations VALUES ('conv-2', 'thread', NULL, 4);
INSERT INTO messages VALUES (2, 'conv-2', 4, 'in the thread, NUL ' || char(0), '[1]', NULL);
INSERT INTO conversation_members VALUES ('conv-1', 'local', 'ann');
INSERT INTO notification_preferences VALUES ('local', 'ann', 'inbox', 'high');
INSERT INTO app_store VALUES ('app-1', 'Clock');
INSERT INTO app_versions VALUES ('v-1', 'app-1', '1.0');
INSERT INTO teams VALUES ('core', '/work/app');
INSERT INTO sessions VALUES ('s-1', 's-2'), ('s-2', NULL);
INSERT INTO audit_events VALUES (9, 'task', 'task-a', 'created', 'ann', '{}', '2026-03-01');
"""
# What a fresh installation has: the types and templates that it comes with.
V4_FRESH = (
    V4
    + """
INSERT INTO task_types VALUES ('software', 'Software', '["draft","build","ship"]', 1);
INSERT INTO board_templates VALUES ('tmpl-random', 'Kanban', '[]', 1);
"""
)
# What the profile leaves out of a backup, taken out of the database itself.
V4_LEFT_OUT = """
UPDATE tasks SET checkout_run_id = NULL, execution_locked_at = NULL, session_id = NULL,
  pane_id = NULL;
DELETE FROM task_tags WHERE tag_id = 't-1'; DELETE FROM tags WHERE id = 't-1';
DELETE FROM board_templates WHERE is_builtin;
"""
GROUPED = (
    *("boards", "board_templates", "task_types", "tasks", "task_tags", "task_actors"),
    *("task_dependencies", "task_stage_log", "tags", "projects", "schedules", "agents"),
    *("agent_templates", "agent_checkpoints", "app_store", "installed_apps", "app_versions"),
    *("conversations", "conversation_members", "messages", "mailbox", "team_chat"),
    "notification_preferences",
)
SNAPSHOT_TABLES = (
    *("meta", "boards", "tasks", "task_dependencies"),
    *("stage_log", "task_events", "wish_groups", "hire_roster"),
)
_JSON = ("columns", "stages", "run_spec", "metadata", "permissions", "details", "context")
_BOOLEANS = ("is_builtin", "enabled")


def make(path: Path, sql: str) -> Path:
    run_sql(path, sql)
    return path


def export(database: Path, path: Path, **changes: Any) -> Path:
    """Write what `genie export all` of version 4 does: JSON columns as values, booleans as such."""
    document = {
        "version": "1.0",
        "exportedAt": "2026-03-28T07:56:27.030Z",
        "exportedBy": "cli",
        "genieVersion": "4.260328.2",
        "type": "full",
        "groups": ["boards", "tasks", "tags", "projects", "schedules", "agents", "apps", "comms"],
        "skippedTables": ["os_config", "instances", "warm_pool", "golden_images"],
        "data": {table: [_v4_row(row) for row in _rows(database, table)] for table in GROUPED},
    }
    path.write_text(json.dumps(document | changes, indent=2) + "\n", encoding="utf-8")
    return path


def snapshot(database: Path, path: Path, **changes: Any) -> Path:
    """Write what `genie task export --write` of version 5 does: rows as they are."""
    document: dict[str, Any] = {"schemaVersion": 1}
    document |= {table: _rows(database, table) for table in SNAPSHOT_TABLES}
    path.write_text(json.dumps(document | changes, indent=2) + "\n", encoding="utf-8")
    return path


def _rows(database: Path, table: str) -> list[dict[str, Any]]:
    with connected(database) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [each[0] for each in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _v4_row(row: dict[str, Any]) -> dict[str, Any]:
    for name in _JSON:
        if row.get(name) is not None:
            row[name] = json.loads(row[name])
    return {name: bool(value) if name in _BOOLEANS else value for name, value in row.items()}
