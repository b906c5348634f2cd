"""A kata database with awkward rows, and the JSONL that `kata export` writes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import connected, run_sql

EXPORT_VERSION = "33"

KINDS = {
    "project": "projects",
    "project_alias": "project_aliases",
    "issue_sync_binding": "issue_sync_bindings",
    "issue_sync_status": "issue_sync_status",
    "recurrence": "recurrences",
    "issue": "issues",
    "comment": "comments",
    "issue_label": "issue_labels",
    "link": "links",
    "import_mapping": "import_mappings",
    "external_field_mapping": "external_field_mappings",
    "external_root_binding": "external_root_bindings",
    "external_field_state": "external_field_states",
    "federation_binding": "federation_bindings",
    "federation_sync_status": "federation_sync_status",
    "federation_quarantine": "federation_quarantine",
    "federation_enrollment": "federation_enrollments",
    "issue_claim": "issue_claims",
    "pending_claim_request": "pending_claim_requests",
    "cron_job": "cron_jobs",
    "cron_workflow": "cron_workflows",
    "cron_run": "cron_runs",
    "event": "events",
    "purge_log": "purge_log",
    "project_purge_log": "project_purge_log",
}
JSON_COLUMNS = {"metadata", "payload", "template_labels", "config"}
BOOLEANS = {"enabled", "paused"}
ALWAYS_THERE = {"closed_reason", "owner", "closed_at", "deleted_at"}

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE projects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE CHECK (length(uid) = 26 AND uid NOT GLOB '*[^0-9A-HJKMNP-TV-Z]*'),
  name TEXT NOT NULL UNIQUE CHECK (length(trim(name)) > 0),
  metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
  created_at TEXT NOT NULL, deleted_at TEXT);
CREATE TABLE project_aliases (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects (id),
  alias_identity TEXT NOT NULL UNIQUE, root_path TEXT, created_at TEXT NOT NULL);
CREATE TABLE issue_sync_bindings (
  project_id INTEGER PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
  provider TEXT NOT NULL, config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config)),
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)));
CREATE TABLE issue_sync_status (
  project_id INTEGER PRIMARY KEY REFERENCES issue_sync_bindings (project_id) ON DELETE CASCADE,
  last_sync_at TEXT, last_error TEXT);
CREATE TABLE issues (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE CHECK (length(uid) = 26),
  project_id INTEGER NOT NULL REFERENCES projects (id),
  short_id TEXT NOT NULL CHECK (short_id = lower(substr(uid, -length(short_id)))),
  title TEXT NOT NULL CHECK (length(trim(title)) > 0),
  body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
  closed_reason TEXT CHECK (closed_reason IN ('done', 'wontfix', 'duplicate')),
  owner TEXT, author TEXT NOT NULL,
  priority INTEGER CHECK (priority BETWEEN 0 AND 4),
  metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
  revision INTEGER NOT NULL DEFAULT 1,
  recurrence_id INTEGER REFERENCES recurrences (id),
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, closed_at TEXT, deleted_at TEXT,
  UNIQUE (project_id, short_id),
  CHECK ((status = 'closed') = (closed_at IS NOT NULL)));
CREATE INDEX issues_by_area ON issues (json_extract(metadata, '$.area'));
CREATE TABLE recurrences (
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES projects (id), rrule TEXT NOT NULL,
  template_labels TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(template_labels)));
CREATE TABLE comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE CHECK (length(uid) = 26),
  issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
  author TEXT NOT NULL, body TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE issue_labels (
  issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
  label TEXT NOT NULL CHECK (length(label) <= 64 AND label NOT GLOB '*[^a-z0-9._:-]*'),
  author TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (issue_id, label));
CREATE TABLE links (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  from_issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
  to_issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
  from_issue_uid TEXT NOT NULL, to_issue_uid TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('parent', 'blocks', 'related')),
  author TEXT NOT NULL, created_at TEXT NOT NULL,
  UNIQUE (from_issue_id, to_issue_id, type), CHECK (from_issue_id <> to_issue_id));
CREATE UNIQUE INDEX one_parent_of_a_child ON links (from_issue_id) WHERE type = 'parent';
CREATE TABLE import_mappings (
  id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, external_id TEXT NOT NULL,
  object_type TEXT NOT NULL CHECK (object_type IN ('issue', 'comment', 'link', 'label')),
  project_id INTEGER NOT NULL REFERENCES projects (id),
  issue_id INTEGER REFERENCES issues (id) ON DELETE CASCADE,
  comment_id INTEGER REFERENCES comments (id) ON DELETE CASCADE,
  source_updated_at TEXT, imported_at TEXT NOT NULL,
  UNIQUE (source, external_id, object_type, project_id));
CREATE TABLE external_field_mappings (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects (id),
  field TEXT NOT NULL, config TEXT NOT NULL CHECK (json_valid(config)));
CREATE TABLE external_root_bindings (
  project_id INTEGER PRIMARY KEY REFERENCES projects (id), root TEXT NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)));
CREATE TABLE external_field_states (
  issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE, field TEXT NOT NULL,
  value TEXT, PRIMARY KEY (issue_id, field));
CREATE TABLE federation_bindings (
  project_id INTEGER PRIMARY KEY REFERENCES projects (id), hub TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE federation_sync_status (
  project_id INTEGER PRIMARY KEY REFERENCES federation_bindings (project_id), cursor INTEGER);
CREATE TABLE federation_quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT, payload TEXT NOT NULL CHECK (json_valid(payload)));
CREATE TABLE federation_enrollments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects (id),
  token_hash TEXT NOT NULL UNIQUE);
CREATE TABLE issue_claims (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL REFERENCES issues (id),
  holder TEXT NOT NULL, released_at TEXT);
CREATE UNIQUE INDEX one_live_claim ON issue_claims (issue_id) WHERE released_at IS NULL;
CREATE TABLE pending_claim_requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL REFERENCES issues (id),
  holder TEXT NOT NULL);
CREATE TABLE cron_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE cron_workflows (
  id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES cron_jobs (id),
  config TEXT NOT NULL CHECK (json_valid(config)));
CREATE TABLE cron_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES cron_jobs (id),
  started_at TEXT NOT NULL);
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE,
  project_id INTEGER REFERENCES projects (id), issue_id INTEGER REFERENCES issues (id),
  type TEXT NOT NULL, actor TEXT NOT NULL,
  payload TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
  content_hash TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE purge_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT, issue_uid TEXT NOT NULL, reset_after_event_id INTEGER);
CREATE TABLE project_purge_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project_uid TEXT NOT NULL);
CREATE TABLE api_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE);

CREATE VIRTUAL TABLE issues_fts USING fts5 (title, body, comments, content = '');
CREATE TRIGGER issues_fts_insert AFTER INSERT ON issues BEGIN
  INSERT INTO issues_fts (rowid, title, body, comments) VALUES (NEW.id, NEW.title, NEW.body, '');
END;
CREATE TRIGGER issues_fts_update AFTER UPDATE OF title, body ON issues BEGIN
  INSERT INTO issues_fts (issues_fts, rowid, title, body, comments)
    SELECT 'delete', OLD.id, OLD.title, OLD.body,
      coalesce((SELECT group_concat(body, ' ') FROM comments WHERE issue_id = OLD.id), '');
  INSERT INTO issues_fts (rowid, title, body, comments)
    SELECT NEW.id, NEW.title, NEW.body,
      coalesce((SELECT group_concat(body, ' ') FROM comments WHERE issue_id = NEW.id), '');
END;
CREATE TRIGGER issues_fts_delete AFTER DELETE ON issues BEGIN
  INSERT INTO issues_fts (issues_fts, rowid, title, body, comments)
    VALUES ('delete', OLD.id, OLD.title, OLD.body, '');
END;
CREATE TRIGGER comments_fts_insert AFTER INSERT ON comments BEGIN
  INSERT INTO issues_fts (issues_fts, rowid, title, body, comments)
    SELECT 'delete', id, title, body, coalesce((SELECT group_concat(body, ' ')
      FROM comments WHERE issue_id = NEW.issue_id AND id <> NEW.id), '')
    FROM issues WHERE id = NEW.issue_id;
  INSERT INTO issues_fts (rowid, title, body, comments)
    SELECT id, title, body, (SELECT group_concat(body, ' ')
      FROM comments WHERE issue_id = NEW.issue_id) FROM issues WHERE id = NEW.issue_id;
END;
CREATE TRIGGER comments_fts_update AFTER UPDATE OF body ON comments BEGIN
  INSERT INTO issues_fts (issues_fts, rowid, title, body, comments)
    SELECT 'delete', id, title, body, (SELECT group_concat(
      CASE WHEN c.id = OLD.id THEN OLD.body ELSE c.body END, ' ')
      FROM comments AS c WHERE c.issue_id = NEW.issue_id) FROM issues WHERE id = NEW.issue_id;
  INSERT INTO issues_fts (rowid, title, body, comments)
    SELECT id, title, body, (SELECT group_concat(body, ' ')
      FROM comments WHERE issue_id = NEW.issue_id) FROM issues WHERE id = NEW.issue_id;
END;
CREATE TRIGGER comments_fts_delete AFTER DELETE ON comments BEGIN
  INSERT INTO issues_fts (rowid, title, body, comments)
    SELECT id, title, body, '' FROM issues WHERE id = OLD.issue_id AND 0;
END;
CREATE TRIGGER issues_uid_immutable BEFORE UPDATE OF uid ON issues WHEN NEW.uid <> OLD.uid
BEGIN SELECT raise(ABORT, 'issues.uid is immutable'); END;
CREATE TRIGGER projects_uid_immutable BEFORE UPDATE OF uid ON projects WHEN NEW.uid <> OLD.uid
BEGIN SELECT raise(ABORT, 'projects.uid is immutable'); END;
CREATE TRIGGER links_uid_consistent BEFORE INSERT ON links
WHEN NEW.from_issue_uid <> (SELECT uid FROM issues WHERE id = NEW.from_issue_id)
  OR NEW.to_issue_uid <> (SELECT uid FROM issues WHERE id = NEW.to_issue_id)
BEGIN SELECT raise(ABORT, 'link uids are not those of its issues'); END;
CREATE TRIGGER links_uid_consistent_update BEFORE UPDATE ON links
WHEN NEW.from_issue_uid <> (SELECT uid FROM issues WHERE id = NEW.from_issue_id)
  OR NEW.to_issue_uid <> (SELECT uid FROM issues WHERE id = NEW.to_issue_id)
BEGIN SELECT raise(ABORT, 'link uids are not those of its issues'); END;
PRAGMA journal_mode = WAL;
"""


def uid(word: str) -> str:
    """Make a ULID of a word, the same each time."""
    return "01" + word.upper().replace("I", "1").replace("L", "1").replace("O", "0").rjust(24, "0")


EMPTY = (
    SCHEMA
    + f"""
INSERT INTO meta VALUES ('created_by_version', '0.17.0'), ('instance_uid', '{uid("ANNS")}'),
  ('schema_version', '33');
"""
)
NOON = "2026-11-20T12:00:00.000Z"
ROWS = f"""
INSERT INTO projects VALUES
  (3, '{uid("HOME")}', 'home', '{{"b":1,"a":[1.50, "é"]}}', '{NOON}', NULL),
  (7, '{uid("WORK")}', 'work', '{{}}', '{NOON}', NULL);
INSERT INTO project_aliases VALUES (1, 3, 'github.com/ann/home', '/home/ann/home', '{NOON}');
INSERT INTO issue_sync_bindings VALUES (7, 'github', '{{"repo":"ann/work"}}', 1);
INSERT INTO issue_sync_status VALUES (7, '{NOON}', NULL);
INSERT INTO recurrences VALUES (1, '{uid("WEEK1Y")}', 3, 'FREQ=WEEKLY', '["chore"]');
INSERT INTO issues VALUES
  (11, '{uid("R00F")}', 3, 'r00f', 'Fix the roof', 'before the' || char(10) || 'rain', 'open', NULL,
   'ann', 'ann', 0, '{{"area":"house"}}', 3, NULL, '{NOON}', '{NOON}', NULL, NULL),
  (12, '{uid("GATE")}', 3, 'gate', 'Paint the gate ☂', '', 'closed', 'wontfix',
   NULL, 'bøb', NULL, '{{"area": 9007199254740993}}', 1, 1, '{NOON}', '{NOON}', '{NOON}', NULL),
  (15, '{uid("DEP0T")}', 7, 'p0t', 'Clear the depot', 'NUL: <&> " \\', 'open', NULL,
   NULL, 'ann', 4, '{{}}', 1, NULL, '{NOON}', '{NOON}', NULL, '{NOON}');
INSERT INTO comments VALUES (1, '{uid("C0MMENT1")}', 11, 'bøb', 'ladder needed', '{NOON}'),
  (4, '{uid("C0MMENT4")}', 11, 'ann', 'scaffolding ordered', '{NOON}');
INSERT INTO issue_labels VALUES (11, 'house', 'ann', '{NOON}'), (11, 'urgent', 'ann', '{NOON}');
INSERT INTO links VALUES
  (2, 12, 11, '{uid("GATE")}', '{uid("R00F")}', 'parent', 'ann', '{NOON}'),
  (5, 11, 12, '{uid("R00F")}', '{uid("GATE")}', 'blocks', 'ann', '{NOON}');
INSERT INTO import_mappings VALUES (1, 'github', '42', 'issue', 7, 15, NULL, '{NOON}', '{NOON}');
INSERT INTO external_field_mappings VALUES (1, 7, 'state', '{{"to":"status"}}');
INSERT INTO external_root_bindings VALUES (7, 'https://example.org/root', 0);
INSERT INTO external_field_states VALUES (15, 'state', 'open');
INSERT INTO federation_bindings VALUES (7, 'hub.example.org', 1);
INSERT INTO federation_sync_status VALUES (7, 12);
INSERT INTO federation_quarantine VALUES (1, '{{"why":"unknown type"}}');
INSERT INTO federation_enrollments VALUES (1, 7, 'sha256:0f0f');
INSERT INTO issue_claims VALUES (1, 11, 'agent-1', '{NOON}'), (2, 11, 'agent-2', NULL);
INSERT INTO pending_claim_requests VALUES (1, 11, 'agent-3');
INSERT INTO cron_jobs VALUES (1, 'weekly', 1);
INSERT INTO cron_workflows VALUES (1, 1, '{{"steps":[]}}');
INSERT INTO cron_runs VALUES (1, 1, '{NOON}');
INSERT INTO events VALUES
  (101, '{uid("E101")}', 3, 11, 'issue.created', 'ann', '{{"title":"Roof"}}', 'h1', '{NOON}'),
  (102, '{uid("E102")}', 3, 12, 'issue.created', 'bøb', '{{"n":null,"s":"\\u2602"}}', 'h2',
   '{NOON}'),
  (103, '{uid("E103")}', 7, 15, 'issue.moved', 'ann', '{{}}', 'h3', '{NOON}'),
  (104, '{uid("E104")}', NULL, NULL, 'token.created', 'ann', '[]', 'h4', '{NOON}');
INSERT INTO purge_log VALUES (1, '{uid("G0NE")}', 105);
INSERT INTO project_purge_log VALUES (1, '{uid("0LDPR0J")}');
INSERT INTO api_tokens VALUES (1, 'laptop', 'sha256:abcd');
-- A purge reserves the number of an event that has no row.
UPDATE sqlite_sequence SET seq = 105 WHERE name = 'events';
UPDATE sqlite_sequence SET seq = 40 WHERE name = 'issues';
"""
FULL = EMPTY + ROWS


def make(path: Path, sql: str = FULL) -> Path:
    """Make a kata database."""
    run_sql(path, sql)
    return path


def export(database: Path, file: Path, *, project: int | None = None) -> Path:
    """Write what `kata export` writes: all, or what belongs to one project."""
    file.write_text("".join(f"{line}\n" for line in lines(database, project)), encoding="utf-8")
    return file


def lines(database: Path, project: int | None = None) -> list[str]:
    found = [record("meta", {"key": "export_version", "value": EXPORT_VERSION})]
    with connected(database) as connection:
        for key, value in connection.execute("SELECT key, value FROM meta ORDER BY key"):
            found.append(record("meta", {"key": key, "value": value}))
        for kind, table in KINDS.items():
            cursor = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                data = dict(zip(names, row, strict=True))
                if project is None or _is_of(connection, table, data, project):
                    found.append(record(kind, data))
        for name, seq in connection.execute("SELECT * FROM sqlite_sequence ORDER BY name"):
            if name != "api_tokens":
                found.append(record("sqlite_sequence", {"name": name, "seq": seq}))
    return found


def _is_of(connection: Any, table: str, data: dict[str, Any], project: int) -> bool:
    if table == "projects":
        return bool(data["id"] == project)
    if "project_id" in data:
        return bool(data["project_id"] == project)
    issue = data.get("issue_id", data.get("from_issue_id"))
    query = "SELECT project_id FROM issues WHERE id = ?"
    return issue is not None and connection.execute(query, [issue]).fetchone() == (project,)


def record(kind: str, data: dict[str, Any]) -> str:
    """Write one line as Go writes it: JSON columns embedded, booleans, most NULLs left out."""
    fields = []
    for name, value in data.items():
        if value is None and name not in ALWAYS_THERE:
            continue
        text = json.dumps(value, ensure_ascii=False)
        if name in JSON_COLUMNS:
            text = value
        elif name in BOOLEANS:
            text = "true" if value else "false"
        fields.append(f'"{name}":{text}')
    return f'{{"kind":"{kind}","data":{{{",".join(fields)}}}}}'
