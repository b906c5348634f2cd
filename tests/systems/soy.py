"""A database of Software of You with awkward rows, and the JSON that its own command writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import connected, run_sql

SCHEMA = """
CREATE TABLE modules (name TEXT PRIMARY KEY, version TEXT, enabled INTEGER DEFAULT 1);
CREATE TABLE soy_meta (key TEXT PRIMARY KEY, value TEXT, updated_at TEXT);
CREATE TABLE schema_migrations (filename TEXT PRIMARY KEY, sha256 TEXT);
CREATE TABLE user_profile (
  id INTEGER PRIMARY KEY AUTOINCREMENT, category TEXT, key TEXT, value TEXT,
  UNIQUE (category, key));
CREATE TABLE contacts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT, score REAL,
  created_at TEXT, updated_at TEXT);
CREATE TABLE contact_interactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT,
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE);
CREATE TABLE contact_relationships (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT,
  contact_a INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  contact_b INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE);
CREATE TABLE follow_ups (
  id INTEGER PRIMARY KEY AUTOINCREMENT, due TEXT,
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE);
CREATE TABLE relationship_scores (
  id INTEGER PRIMARY KEY AUTOINCREMENT, score REAL,
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE);
CREATE TABLE entity_narratives (
  contact_id INTEGER PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE, narrative TEXT);
CREATE TABLE projects (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, updated_at TEXT,
  client_id INTEGER REFERENCES contacts (id) ON DELETE SET NULL);
CREATE TABLE tasks (
  id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT,
  project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE);
CREATE TABLE milestones (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT,
  project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE);
CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE entity_tags (
  entity_type TEXT NOT NULL, entity_id INTEGER NOT NULL,
  tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  PRIMARY KEY (entity_type, entity_id, tag_id));
CREATE TABLE notes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, entity_id INTEGER, content TEXT);
CREATE TABLE standalone_notes (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT);
CREATE TABLE journal_entries (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT);
CREATE TABLE decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT,
  project_id INTEGER REFERENCES projects (id) ON DELETE SET NULL);
CREATE TABLE google_accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE);
CREATE TABLE emails (
  id INTEGER PRIMARY KEY AUTOINCREMENT, gmail_id TEXT UNIQUE, subject TEXT,
  contact_id INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
  account_id INTEGER REFERENCES google_accounts (id));
CREATE TABLE calendar_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, google_event_id TEXT UNIQUE, title TEXT,
  account_id INTEGER REFERENCES google_accounts (id));
CREATE TABLE slack_channels (id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT UNIQUE);
CREATE TABLE slack_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, ts TEXT UNIQUE, text TEXT,
  contact_id INTEGER REFERENCES contacts (id));
CREATE TABLE transcripts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT,
  source_email_id INTEGER REFERENCES emails (id),
  source_calendar_event_id INTEGER REFERENCES calendar_events (id));
CREATE TABLE transcript_participants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  transcript_id INTEGER NOT NULL REFERENCES transcripts (id) ON DELETE CASCADE,
  contact_id INTEGER REFERENCES contacts (id) ON DELETE SET NULL);
CREATE TABLE transcript_sources (
  id INTEGER PRIMARY KEY AUTOINCREMENT, email_id INTEGER,
  transcript_id INTEGER NOT NULL REFERENCES transcripts (id) ON DELETE CASCADE);
CREATE UNIQUE INDEX one_source_of_an_email ON transcript_sources (email_id)
  WHERE email_id IS NOT NULL;
CREATE TABLE commitments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT,
  transcript_id INTEGER NOT NULL REFERENCES transcripts (id) ON DELETE CASCADE);
CREATE TABLE conversation_metrics (
  id INTEGER PRIMARY KEY AUTOINCREMENT, talk_ratio REAL,
  transcript_id INTEGER NOT NULL REFERENCES transcripts (id) ON DELETE CASCADE);
CREATE TABLE communication_insights (
  id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT,
  transcript_id INTEGER REFERENCES transcripts (id) ON DELETE CASCADE);
CREATE TABLE activity_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, entity_id INTEGER, action TEXT,
  details TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE generated_views (
  id INTEGER PRIMARY KEY AUTOINCREMENT, filename TEXT UNIQUE, entity_type TEXT, entity_id INTEGER);
CREATE TABLE signals (id INTEGER PRIMARY KEY AUTOINCREMENT, signal_key TEXT UNIQUE);
CREATE TABLE pipeline_runs (id INTEGER PRIMARY KEY AUTOINCREMENT, status TEXT);
CREATE TABLE pipeline_phases (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER REFERENCES pipeline_runs (id), name TEXT);
CREATE TABLE health_checks (id INTEGER PRIMARY KEY AUTOINCREMENT, result TEXT);
CREATE VIEW open_work AS SELECT t.title, p.name FROM tasks AS t JOIN projects AS p
  ON p.id = t.project_id;
CREATE INDEX emails_by_contact ON emails (contact_id);
"""
ROWS = """
INSERT INTO modules VALUES ('crm', '1.0', 1);
INSERT INTO soy_meta VALUES ('schema_version', '23', NULL), ('gmail_cursor', '99', NULL);
INSERT INTO schema_migrations VALUES ('001.sql', 'ab');
INSERT INTO user_profile VALUES (1, 'work', 'role', 'founder');
INSERT INTO contacts VALUES
  (1, 'Ann "O''Hara"', 'ann@example.org', 0.1, '2026-01-01', '2026-02-01'),
  (2, 'Bøb', NULL, 9e999, '2026-01-01', NULL),
  (9007199254740993, 'NUL ' || char(0) || ' in it', '', -0.0, NULL, NULL);
INSERT INTO contact_interactions VALUES (1, 'call', 1);
INSERT INTO contact_relationships VALUES (1, 'knows', 1, 2);
INSERT INTO follow_ups VALUES (1, '2026-03-01', 2);
INSERT INTO relationship_scores VALUES (1, 1e-300, 1);
INSERT INTO entity_narratives VALUES (1, 'met in Lisbon'), (2, 'met "online"');
INSERT INTO projects VALUES (1, 'Website', '2026-02-01', 1);
INSERT INTO tasks VALUES (1, 'Draft', 1), (5, 'Ship', 1);
INSERT INTO milestones VALUES (1, 'Launch', 1);
INSERT INTO tags VALUES (1, 'vip'), (4, 'press');
INSERT INTO entity_tags VALUES ('contact', 1, 1), ('project', 1, 4);
INSERT INTO notes VALUES (1, 'contact', 1, 'likes tea');
INSERT INTO standalone_notes VALUES (1, 'buy stamps');
INSERT INTO journal_entries VALUES (1, CAST(x'c328' AS TEXT));
INSERT INTO decisions VALUES (1, 'Use SQLite', 1);
INSERT INTO google_accounts VALUES (3, 'me@example.org');
INSERT INTO emails VALUES (1, 'g-1', 'Hello', 1, 3);
INSERT INTO calendar_events VALUES (1, 'e-1', 'Lunch', 3);
INSERT INTO slack_channels VALUES (1, 'C1');
INSERT INTO slack_messages VALUES (1, '171.2', 'hi', 2);
INSERT INTO transcripts VALUES (1, 'Kick-off', 1, 1);
INSERT INTO transcript_participants VALUES (1, 1, 2);
INSERT INTO transcript_sources VALUES (1, 1, 1), (2, NULL, 1);
INSERT INTO commitments VALUES (1, 'send the plan', 1);
INSERT INTO conversation_metrics VALUES (1, 0.3, 1);
INSERT INTO communication_insights VALUES (1, 'listens', NULL);
INSERT INTO activity_log VALUES (1, 'contact', 1, 'created', '{}', '2026-01-01');
INSERT INTO generated_views VALUES (1, 'ann.html', 'contact', 1);
INSERT INTO signals VALUES (1, 's-1');
INSERT INTO pipeline_runs VALUES (1, 'done');
INSERT INTO pipeline_phases VALUES (1, 1, 'fetch');
INSERT INTO health_checks VALUES (1, 'ok');
"""
# What its own command knows of; the other tables of a database it forgets.
LISTED = (
    *("contacts", "tags", "entity_tags", "notes", "activity_log", "modules"),
    *("contact_interactions", "contact_relationships", "follow_ups", "projects", "tasks"),
    *("milestones", "emails", "calendar_events", "transcripts", "transcript_participants"),
    *("commitments", "conversation_metrics", "communication_insights", "relationship_scores"),
    *("generated_views", "soy_meta"),
)


def make(path: Path, sql: str = SCHEMA + ROWS) -> Path:
    run_sql(path, sql)
    return path


def export(database: Path, path: Path) -> Path:
    """Write what its own command does."""
    tables = {table: _rows(database, table) for table in LISTED}
    document = {"backup_date": "2026-02-19T10:00:00", "tables": tables}
    text = json.dumps(document).replace("Infinity", "1e999")  # as sqlite3 -json writes it
    path.write_text(text, encoding="utf-8")
    return path


def _rows(database: Path, table: str) -> list[dict[str, Any]]:
    with connected(database) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [each[0] for each in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]
