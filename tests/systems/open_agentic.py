"""A database of the Open Agentic Framework with awkward rows, and the backups that it makes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from tests.conftest import connected, run_sql

SCHEMA = """
CREATE TABLE agents (
  id INTEGER NOT NULL, name VARCHAR(255) NOT NULL, role VARCHAR(255) NOT NULL,
  goals TEXT NOT NULL, backstory TEXT NOT NULL, tools JSON, ollama_model VARCHAR(255),
  enabled BOOLEAN, tool_configs JSON, created_at DATETIME, updated_at DATETIME, PRIMARY KEY (id));
CREATE UNIQUE INDEX ix_agents_name ON agents (name);
CREATE TABLE tools (
  id INTEGER NOT NULL, name VARCHAR(255) NOT NULL, description TEXT, parameters_schema JSON,
  configuration JSON, enabled BOOLEAN, class_name VARCHAR(255), created_at DATETIME,
  updated_at DATETIME, PRIMARY KEY (id));
CREATE UNIQUE INDEX ix_tools_name ON tools (name);
CREATE TABLE workflows (
  id INTEGER NOT NULL, name VARCHAR(255) NOT NULL, description TEXT, steps JSON NOT NULL,
  enabled BOOLEAN, input_schema JSON, output_spec JSON, created_at DATETIME, updated_at DATETIME,
  PRIMARY KEY (id));
CREATE UNIQUE INDEX ix_workflows_name ON workflows (name);
CREATE TABLE memory_entries (
  id INTEGER NOT NULL, agent_name VARCHAR(255), role VARCHAR(50), content TEXT,
  entry_metadata JSON, timestamp DATETIME, PRIMARY KEY (id));
CREATE INDEX ix_memory_entries_agent_name ON memory_entries (agent_name);
CREATE TABLE scheduled_tasks (
  id INTEGER NOT NULL, task_type VARCHAR(50) NOT NULL, agent_name VARCHAR(255),
  workflow_name VARCHAR(255), task_description TEXT, scheduled_time DATETIME NOT NULL,
  context JSON, status VARCHAR(50), is_recurring BOOLEAN, recurrence_pattern VARCHAR(255),
  next_execution DATETIME, last_execution DATETIME, execution_count INTEGER,
  created_at DATETIME, updated_at DATETIME, PRIMARY KEY (id));
CREATE TABLE task_executions (
  id INTEGER NOT NULL, scheduled_task_id INTEGER NOT NULL, status VARCHAR(50), result TEXT,
  start_time DATETIME, end_time DATETIME, PRIMARY KEY (id));
"""
ROWS = """
INSERT INTO agents VALUES
  (1, 'o''brien "ops"', 'Operator', 'keep it up', 'NUL ' || char(0) || ' in it',
   '["search", "mail"]', 'llama3', 1, '{"mail": {"api_key": "sk-1"}}', '2026-03-01 10:00:00.123456',
   '2026-03-01 10:00:00.000000'),
  (4, 'writer', 'Writer', '', 'ünïcode 😀', 'null', NULL, 0, NULL, NULL, NULL);
INSERT INTO tools VALUES
  (1, 'mail', 'sends', '{"type": "object"}', '{"api_key": "sk-2", "port": 25}', 1, 'MailTool',
   '2026-03-01 10:00:00.000000', NULL);
INSERT INTO workflows VALUES (2, 'daily', NULL, '[{"agent": "writer"}]', 1, '{"q": {}}', NULL,
  '2026-03-01 10:00:00.000000', NULL);
INSERT INTO memory_entries VALUES
  (1, 'writer', 'user', 'first', '{"n": 9007199254740993}', '2026-03-01 10:00:00.000001'),
  (2, 'writer', 'user', 'first', '{"n": 9007199254740993}', '2026-03-01 10:00:00.000001'),
  (3, 'nobody', 'assistant', 'of an agent that is gone', 'null', '2026-03-01 10:00:00.000002'),
  (4, 'writer', 'tool', x'00ff', NULL, NULL);
INSERT INTO scheduled_tasks VALUES
  (3, 'agent', 'writer', NULL, 'write', '2026-04-01 09:30:00.000000', '{"a": [1, 2]}', 'pending', 1,
   '5m', '2026-04-01 09:35:00.250000', NULL, 0, '2026-03-01 10:00:00.000000', NULL),
  (9, 'workflow', NULL, 'daily', 'daily', '2026-04-02 00:00:00.000000', NULL, 'pending', 0, NULL,
   NULL, NULL, 0, NULL, NULL);
INSERT INTO task_executions VALUES (1, 3, 'done', 'ok', '2026-03-01 10:00:00.000000', NULL);
"""
MEMORY = {
    "writer": [
        {
            "role": "user",
            "content": "first",
            "metadata": {"n": 1},
            "timestamp": "2026-03-01T10:00:00.000001",
        },
        {"role": "assistant", "content": "second", "metadata": None, "timestamp": None},
    ]
}
LISTS = ("agents", "workflows", "tools", "scheduled_tasks")
_JSON = (
    *("tools", "tool_configs", "parameters_schema", "configuration", "steps"),
    *("input_schema", "output_spec", "context"),
)
_BOOLEANS = ("enabled", "is_recurring")


def make(path: Path, sql: str = SCHEMA + ROWS) -> Path:
    run_sql(path, sql)
    return path


def document(database: Path, **changes: Any) -> dict[str, Any]:
    """What its own export holds; `changes` replace keys."""
    return {
        "metadata": {
            "timestamp": "2026-03-05T10:00:00.123456",
            "version": "1.0",
            "backup_name": "backup_20260305_100000",
            "options": {"include_memory": "memory" in changes},
        },
        **{table: _rows(database, table) for table in LISTS},
        "config": {"openai_api_key": "sk-3", "port": 8000},
        **changes,
    }


def alone(database: Path, path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(document(database, **changes), indent=2), encoding="utf-8")
    return path


def zipped(database: Path, path: Path, member: str = "backup.json", **changes: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, json.dumps(document(database, **changes), indent=2))
    return path


def foldered(database: Path, path: Path, **changes: Any) -> Path:
    path.mkdir()
    alone(database, path / "backup.json", **changes)
    return path


def six_files(database: Path, path: Path, **changes: Any) -> Path:
    """Write the layout that its document shows."""
    path.mkdir()
    parts = document(database, **changes)
    parts["metadata"] = {
        "backup_name": "backup_20260305_100000",
        "timestamp": "2026-03-05T10:00:00",
        "export_version": "1.0",
        "framework_version": "agentic_ai_framework",
        "includes": {"agents": True, "memory": False},
        "summary": {table: len(parts[table]) for table in LISTS},
    }
    for name, part in parts.items():
        file = path / f"{'configuration' if name == 'config' else name}.json"
        file.write_text(json.dumps(part, indent=2), encoding="utf-8")
    return path


def zipped_six_files(database: Path, path: Path, **changes: Any) -> Path:
    folder = six_files(database, path.with_name("six"), **changes)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"backup_20260305_100000/{file.name}")
    return path


def _rows(database: Path, table: str) -> list[dict[str, Any]]:
    with connected(database) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [each[0] for each in cursor.description]
        return [_fields(dict(zip(names, row, strict=True))) for row in cursor]


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    for name, value in row.items():
        if name in _JSON and value is not None:
            row[name] = json.loads(value)
        elif name in _BOOLEANS:
            row[name] = bool(value)
        elif isinstance(value, str) and (name.endswith(("_at", "_time", "_execution"))):
            row[name] = value.replace(" ", "T").removesuffix(".000000")
    return row
