"""Secrets that a profile names: told at an export, replaced when asked, never overwritten."""

from __future__ import annotations

import json

import pytest

from holdfast.errors import UsageError
from holdfast.operations.verify_backup import VerifyOptions, verify_backups
from holdfast.reports import exit_code, json_text, text
from holdfast.works import ConflictMode
from tests.conftest import run_sql
from tests.excerpts.conftest import PROFILE
from tests.excerpts.test_compare import compared, differing
from tests.imports.conftest import written

M0, M1, M2 = "[redacted by holdfast 0]", "[redacted by holdfast 1]", "[redacted by holdfast 2]"
KEYS = """
CREATE TABLE tools (id INTEGER PRIMARY KEY, name TEXT, token TEXT UNIQUE, config TEXT);
CREATE TABLE log (who TEXT, token TEXT);
INSERT INTO tools VALUES
    (1, 'mail', 't1', '{"host": "a", "auth": [{"id": 1, "key": "k1"}]}'), (2, 'web', 't2', NULL),
    (3, 'none', NULL, '{"auth": []}'), (4, 'empty', '', 'no json');
INSERT INTO log VALUES ('ann', 'x'), ('bob', 'y');
"""
SECRETS = "secrets: {Tools: [TOKEN, config.auth.key, absent], log: [token], absent: [x]}\n"
FOUND = {"log.token": 2, "tools.token": 2, "tools.config.auth.key": 2}


@pytest.fixture
def keys(board):
    run_sql(board.path, KEYS)
    board.set_profile(PROFILE + SECRETS)
    return board


def test_an_export_names_the_secrets_it_holds_and_is_no_failure(keys):
    report = keys.exported()
    assert report.secrets == FOUND
    assert exit_code(report) == 0
    assert (
        "Secrets in clear: tools.token (2 rows), tools.config.auth.key (2 rows), log.token (2"
        " rows). Keep the file to yourself, or use --redact."
    ) in text(report)
    assert "redacted" not in keys.document()


def test_an_export_without_secrets_says_nothing_of_them(keys):
    run_sql(keys.path, "DELETE FROM log; UPDATE tools SET token = NULL, config = '{}'")
    assert "ecret" not in text(keys.exported()).replace(str(keys.path.parent), "")


@pytest.mark.parametrize("form", ["json", "jsonl", "folder", "zip"])
def test_with_redact_each_secret_is_a_marker_and_the_backup_restores(keys, form):
    report = keys.exported(redact=True, format=form)
    assert report.secrets == FOUND
    assert "Secrets replaced by a marker: tools.token (2 rows)" in text(report)
    target, restored = keys.restored(report)
    assert keys.rows("SELECT token, config FROM tools ORDER BY id", target) == [
        (M1, f'{{"host": "a", "auth": [{{"id": 1, "key": "{M2}"}}]}}'),
        ("[redacted by holdfast 3]", None),
        (None, '{"auth": []}'),
        ("", "[redacted by holdfast 4]"),  # nothing tells what it holds
    ]
    assert keys.rows("SELECT * FROM log", target) == [("ann", M1), ("bob", M2)]
    assert restored.redacted == ("tools.token", "tools.config.auth.key", "log.token")
    assert "Secrets were replaced when the backup was made" in text(restored)
    [found] = verify_backups(keys.context, VerifyOptions(backups=(str(report.path),))).backups
    assert found.rungs[-1] == "sound"


def test_the_backup_says_what_was_redacted(keys):
    document = keys.document(redact=True)
    assert document["redacted"] == {
        "tools": ["token", "config.auth.key"],
        "log": ["token"],
    }
    assert "t1" not in json.dumps(document["tables"])


@pytest.mark.parametrize("mode", [each for each in ConflictMode if each is not ConflictMode.FAIL])
def test_an_import_into_its_own_database_changes_no_secret(keys, mode):
    report = keys.exported(redact=True)
    found = keys.imported(report, keys.path, mode=mode)
    assert found.outcome == "nothing to do"
    assert "Rows that are there keep theirs; new ones have a marker." in text(found)


def test_living_secrets_stay_and_the_rest_comes_back(keys):
    report = keys.exported(redact=True)
    run_sql(
        keys.path,
        "UPDATE tools SET name = 'X', token = 'new' || id;"
        """UPDATE tools SET config = '{"host": "b", "auth": [{"id": 1, "key": "k9"}]}'
        WHERE id = 1;""",
    )
    assert written(keys.imported(report, keys.path)) == {"tools": (0, 4, 0)}
    assert keys.rows("SELECT name, token, config FROM tools") == [
        ("mail", "new1", '{"host": "a", "auth": [{"id": 1, "key": "k9"}]}'),
        ("web", "new2", None),
        ("none", None, '{"auth": []}'),  # it had none, which is no secret
        ("empty", "", "no json"),
    ]


def test_a_secret_that_was_emptied_since_stays_empty(keys):
    report = keys.exported(redact=True)
    run_sql(keys.path, "UPDATE tools SET token = NULL, config = NULL WHERE id = 1")
    keys.imported(report, keys.path)
    assert keys.rows("SELECT token, config FROM tools WHERE id = 1") == [(None, None)]


def test_a_new_row_has_the_marker(keys):
    report = keys.exported(redact=True)
    run_sql(keys.path, "DELETE FROM tools WHERE id < 3")
    assert written(keys.imported(report, keys.path)) == {"tools": (2, 0, 0)}
    assert keys.rows("SELECT token FROM tools WHERE id < 3") == [
        (M1,),
        ("[redacted by holdfast 3]",),
    ]


def test_a_redacted_backup_is_compared_but_for_its_secrets(keys):
    report = keys.exported(redact=True)
    assert compared(keys, report).same
    assert differing(keys, report) == ()
    run_sql(keys.path, "UPDATE tools SET token = 'other' WHERE id = 1")
    assert compared(keys, report).same
    assert differing(keys, report) == ()
    run_sql(keys.path, "UPDATE tools SET token = NULL WHERE id = 2")
    assert [each.name for each in compared(keys, report).tables if not each.is_same] == ["tools"]
    assert differing(keys, report) == ("tools",)


def test_a_diff_shows_that_a_secret_has_changed_and_neither_of_the_two(keys):
    run_sql(keys.path, "CREATE TABLE sessions (token TEXT PRIMARY KEY, who TEXT)")
    run_sql(keys.path, "INSERT INTO sessions VALUES ('s1', 'ann')")
    keys.set_profile(PROFILE + "secrets: {tools: [token, config.**], Sessions: ['Token[who=a*]']}")
    report = keys.exported()
    run_sql(
        keys.path,
        """UPDATE tools SET token = 'new1', config = '{"host": "a", "n": 2}' WHERE id = 1;"""
        "DELETE FROM sessions; INSERT INTO sessions VALUES ('s2', 'ann'), ('s3', 'bob')",
    )
    found = compared(keys, report, values=True)
    assert text(found).splitlines()[1:] == [
        "  sessions: 2 added, 1 removed",
        f'    - token="{M0}"',
        '        who: "ann"',
        f'    + token="{M0}"',
        '        who: "ann"',
        '    + token="s3"',
        '        who: "bob"',
        "  tools: 1 changed",
        "    ~ id=1: token, config",
        f'        token: "{M0}" -> "{M0}"',
        '        config: "{\\"host\\": '
        f'\\"{M0}\\", \\"auth\\": [{{\\"id\\": \\"{M0}\\", \\"key\\": \\"{M0}\\"}}]}}"'
        f' -> "{{\\"host\\": \\"{M0}\\", \\"n\\": \\"{M0}\\"}}"',
        f"  {len(found.tables) - 2} tables: the same",
    ]
    assert "s2" not in json_text(compared(keys, report, rows=True))


@pytest.mark.parametrize("redact", [False, True])
def test_a_plan_shows_no_secret_of_either_side(keys, redact):
    report = keys.exported(redact=redact)
    run_sql(
        keys.path,
        "UPDATE tools SET name = 'X', token = 'live' WHERE id = 1; DELETE FROM tools WHERE id = 2;"
        """UPDATE tools SET config = '{"host": "b", "auth": [{"id": 1, "key": "k9"}]}'
        WHERE id = 1""",
    )
    found = keys.imported(report, keys.path, yes=False, values=True)
    host = '{{"host": "{}", "auth": [{{"id": 1, "key": "{}"}}]}}'
    [changed, added] = [row for row in found.plan.rows if row.table == "tools"]
    shown = [(value.column, value.old.text, value.new.text) for value in changed.values]
    assert shown == [
        ("name", "X", "mail"),
        *([] if redact else [("token", M0, M0)]),  # the living one stays
        ("config", host.format("b", M0), host.format("a", M0)),
    ]
    assert [value.new.text for value in added.values] == ["web", M0, ""]
    whole = json_text(found)
    assert not [secret for secret in ("live", "k9", "k1", '"t1', '"t2') if secret in whole]


def test_a_plan_names_no_row_by_its_secret(keys):
    run_sql(keys.path, "CREATE TABLE sessions (token TEXT PRIMARY KEY, who TEXT)")
    run_sql(keys.path, "INSERT INTO sessions VALUES ('s1', 'ann')")
    keys.set_profile(PROFILE + "secrets: {sessions: [token], Log: ['Token[who=a*]']}")
    report = keys.exported()
    run_sql(keys.path, "DELETE FROM log; DELETE FROM sessions")
    run_sql(keys.path, "INSERT INTO sessions VALUES ('s2', 'bob')")
    mode = ConflictMode.CLEAR
    found = keys.imported(report, keys.path, yes=False, rows=True, mode=mode)
    named = [(row.table, row.action, row.key) for row in found.plan.rows]
    assert named == [
        ("log", "insert", f"ann,{M0}"),
        ("log", "insert", f"bob,{M0}"),
        ("sessions", "insert", M0),
        ("sessions", "remove", M0),
    ]


def test_a_page_copy_cannot_be_redacted_but_tells_of_secrets(keys):
    with pytest.raises(UsageError, match="copies the pages"):
        keys.exported(redact=True, format="sqlite")
    assert keys.exported(format="sqlite").secrets == FOUND


# In some rows alone

SETTINGS = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value JSON NOT NULL);
INSERT INTO settings VALUES
    ('api.keys', '["k1", "k2"]'), ('mail.password', '"pw"'), ('mail.host', '"a"'),
    ('servers', '[{"url": "u", "key": "k3", "on": true}]'), ('empty.password', '""');
"""
OF_ROWS = """secrets:
  settings:
    - value[KEY=*.password].**
    - value[key=api.keys].**
    - value[key=servers].key
"""
NAMES = ["value[key=*.password].**", "value[key=api.keys].**", "value[key=servers].key"]
SECRET_ROWS = "SELECT key, value FROM settings ORDER BY rowid"


@pytest.fixture
def settings(board):
    run_sql(board.path, SETTINGS)
    board.set_profile(PROFILE + OF_ROWS)
    return board


@pytest.mark.parametrize("form", ["json", "jsonl", "folder", "zip"])
def test_secrets_of_some_rows_become_markers_and_json_stays_json(settings, form):
    report = settings.exported(redact=True, format=form)
    assert report.secrets == {f"settings.{name}": 1 for name in NAMES}
    target, restored = settings.restored(report)
    assert settings.rows(SECRET_ROWS, target) == [
        ("api.keys", f'["{M1}", "{M2}"]'),
        ("mail.password", '"[redacted by holdfast 3]"'),
        ("mail.host", '"a"'),
        ("servers", '[{"url": "u", "key": "[redacted by holdfast 4]", "on": true}]'),
        ("empty.password", '""'),
    ]
    assert restored.redacted == tuple(f"settings.{name}" for name in NAMES)
    [found] = verify_backups(settings.context, VerifyOptions(backups=(str(report.path),))).backups
    assert found.rungs[-1] == "sound"


def test_a_backup_that_an_older_program_would_import_wrongly_has_a_version_it_refuses(settings):
    document = settings.document(redact=True)
    assert document["redacted"] == {"settings": NAMES}
    assert document["version"] == "2.0"
    assert settings.document()["version"] == "1.0"
    settings.set_profile(PROFILE + "secrets: {settings: [value]}\n")
    assert settings.document(redact=True)["version"] == "1.0"


@pytest.mark.parametrize("mode", [each for each in ConflictMode if each is not ConflictMode.FAIL])
def test_an_import_into_its_own_database_changes_no_secret_of_a_row(settings, mode):
    before = settings.rows(SECRET_ROWS)
    found = settings.imported(settings.exported(redact=True), settings.path, mode=mode)
    assert found.outcome == "nothing to do"
    assert settings.rows(SECRET_ROWS) == before


def test_living_secrets_of_rows_stay_and_new_rows_have_markers(settings):
    report = settings.exported(redact=True)
    run_sql(
        settings.path,
        """UPDATE settings SET value = '["k8", "k9"]' WHERE key = 'api.keys';
        UPDATE settings SET value = '"b"' WHERE key = 'mail.host';
        UPDATE settings SET value = '[{"url": "u", "key": "k7", "on": false}]'
        WHERE key = 'servers';
        DELETE FROM settings WHERE key = 'mail.password';""",
    )
    assert written(settings.imported(report, settings.path)) == {"settings": (1, 2, 0)}
    assert dict(settings.rows(SECRET_ROWS)) == {
        "api.keys": '["k8", "k9"]',
        "mail.password": '"[redacted by holdfast 3]"',
        "mail.host": '"a"',
        "servers": '[{"url": "u", "key": "k7", "on": true}]',
        "empty.password": '""',
    }


def test_rows_are_compared_but_for_their_secrets(settings):
    report = settings.exported(redact=True)
    run_sql(settings.path, """UPDATE settings SET value = '"new"' WHERE key = 'mail.password'""")
    assert compared(settings, report).same
    assert differing(settings, report) == ()
    run_sql(settings.path, """UPDATE settings SET value = '"b"' WHERE key = 'mail.host'""")
    [changed] = [each for each in compared(settings, report).tables if not each.is_same]
    assert (changed.name, changed.changed) == ("settings", 1)
    assert differing(settings, report) == ("settings",)
