"""
Makes the files with markers for secrets that are to be read for ever, of the version they have.

    python3 -m tests --run tests.golden.make_redacted

The folder is made once: one that is there is never written to again.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from holdfast.formats import FORMATS
from holdfast.formats.interface import VERSION_OF_NEW_NAMES
from holdfast.operations.context import Context
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.places import Home
from tests.conftest import run_sql

FOLDER = Path(__file__).parent / VERSION_OF_NEW_NAMES
FORMS = ("folder", "json", "jsonl", "zip")

PROFILE = """
name: keys
title: Keys
recognise: [settings, tools, tokens]
secrets:
  settings:
    - value[key=*_key].**
    - value[key=providers].*.key
  tools: [token, config.auth.key]
  tokens: [token]
"""
# The third tool's config is no JSON: the marker stands for all of it. No token is in the files.
SECRETS = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value JSON NOT NULL);
INSERT INTO settings VALUES ('mail_key', '"s1"'), ('search_key', '["s2", "s3", true]'),
    ('pin_key', 12), ('providers', '{"a": {"url": "u", "key": "s4"}}'), ('theme', '"dark"');
CREATE TABLE tools (id INTEGER PRIMARY KEY, name TEXT, token TEXT UNIQUE, config BLOB);
INSERT INTO tools VALUES (1, 'mail', 's5', '{"auth": [{"id": 1, "key": "s6"}], "host": "h"}'),
    (2, 'web', NULL, NULL), (3, 'none', '', x'7337');
CREATE TABLE tokens (token TEXT PRIMARY KEY, tool INTEGER REFERENCES tools (id));
INSERT INTO tokens VALUES ('s8', 1);
"""


def main() -> None:
    if FOLDER.exists():
        sys.exit(f"{FOLDER} is there: what was written once is never written again")
    with tempfile.TemporaryDirectory() as name:
        source, home = Path(name) / "keys.db", Home(Path(name) / "home")
        run_sql(source, SECRETS)
        (home.path / "profiles").mkdir(parents=True)
        (home.path / "profiles" / "keys.yaml").write_text(PROFILE, encoding="utf-8")
        now = datetime(2026, 11, 29, 14, 22, 33, tzinfo=UTC)
        context = Context(home, {}, Path(name), "linux", "ann@laptop", now)
        for form in FORMS:
            output = FOLDER / (form + FORMATS[form].suffix)
            options = ExportOptions(database=str(source), output=output, format=form, redact=True)
            export_backup(context, options)


if __name__ == "__main__":
    main()
