"""What stands in the way of markers: it goes in no backup in clear, or is refused."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from pathlib import Path

import pytest

from holdfast.errors import ProfileError
from holdfast.reports import text
from holdfast.works import ConflictMode
from tests.conftest import everything, rows, run_sql
from tests.excerpts.conftest import PROFILE, Board
from tests.excerpts.test_compare import compared, differing

FORMS = ["json", "jsonl", "folder", "zip"]
MODES = [each for each in ConflictMode if each is not ConflictMode.FAIL]


def bytes_of(backup: Path | None) -> bytes:
    """All that is in a backup, and what is in its base64."""
    assert backup
    if backup.is_dir():
        found = b"".join(path.read_bytes() for path in backup.rglob("*") if path.is_file())
    elif backup.suffix == ".zip":
        with zipfile.ZipFile(backup) as archive:
            found = b"".join(map(archive.read, archive.namelist()))
    else:
        found = backup.read_bytes()
    return found + b"".join(map(base64.b64decode, re.findall(rb'"encoded":"([\w+/=]*)"', found)))


def with_secrets(board: Board, sql: str, secrets: str, more: str = "") -> Board:
    run_sql(board.path, sql)
    board.set_profile(PROFILE.replace("references:", f"references:{more}") + f"secrets: {secrets}")
    return board


def proves_safe(board: Board, form: str) -> None:
    """Show that a redacted backup holds no secret, and that an import of it changes nothing."""
    before = everything(board.path)
    report = board.exported(redact=True, format=form)
    assert b"S3CRET" not in bytes_of(report.path)
    assert report.warnings == ()
    assert compared(board, report).same
    assert differing(board, report) == ()
    for mode in MODES:
        assert board.imported(report, board.path, mode=mode).outcome == "nothing to do"
        assert everything(board.path) == before
    target, _ = board.restored(report)
    target.unlink()


UNREADABLE = """
CREATE TABLE docs (id INTEGER PRIMARY KEY, doc BLOB);
INSERT INTO docs VALUES
    (1, '{"a":{"key":"S3CRET"},"a":{"key":"S3CRET"},"k\\u0065y":"S3CRET"}'),
    (2, CAST('{"a":{"key":"S3CRET"}}' AS BLOB)), (3, jsonb('{"a":{"key":"S3CRET"}}')),
    (4, '{a:{key:"S3CRET"}}'), (5, '{"a":{"key":"S3CRET"}'), (6, char(65279) || '{"key":"S3CRET"}'),
    (7, CAST(CAST('{"key":"S3CRET' AS BLOB) || x'ff' || CAST('"}' AS BLOB) AS TEXT)),
    (8, '{"key":"S3CRET","x":"' || char(10) || '"}'), (9, '{"key":"S3CRET"}' || char(0) || 'x'),
    (10, '{"key":' || replace(hex(zeroblob(9999)), '00', '[') || '"S3CRET"'
        || replace(hex(zeroblob(9999)), '00', ']') || '}'),
    (11, '{"key":"S3CRET","n":' || replace(hex(zeroblob(9999)), '00', '1') || '}'),
    (12, '[[{"a":[{"key":["S3CRET"]}]}]]');
"""


@pytest.mark.parametrize("form", FORMS)
def test_json_of_any_kind_and_what_is_none_gives_no_secret_away(board, form):
    proves_safe(with_secrets(board, UNREADABLE, "{docs: [doc.key, doc.a.key]}"), form)


PLACES = """
CREATE TABLE "Odd Keys" (id INTEGER PRIMARY KEY, "To ken" TEXT UNIQUE COLLATE NOCASE,
    doc TEXT CHECK (json_valid(doc)), key AS (doc ->> 'key') STORED, up AS (upper("To ken")));
CREATE INDEX by_key ON "Odd Keys" (key);
CREATE INDEX by_token ON "Odd Keys" (lower("To ken")) WHERE "To ken" IS NOT NULL;
CREATE VIRTUAL TABLE found USING fts5 ("To ken", doc, content='Odd Keys', content_rowid='id');
CREATE VIRTUAL TABLE own USING fts5 (token);
CREATE VIRTUAL TABLE bare USING fts5 (token, content='');
CREATE TRIGGER fill AFTER INSERT ON "Odd Keys" BEGIN
    INSERT INTO own (rowid, token) VALUES (new.id, new."To ken");
    INSERT INTO bare (rowid, token) VALUES (new.id, new."To ken");
END;
INSERT INTO "Odd Keys" (id, "To ken", doc) VALUES
    (1, 'S3CRET', '{"a.b":"S3CRET","":{"key":"S3CRET"},"key":"S3CRET"}'), (2, 's3cret2', NULL);
INSERT INTO found (found) VALUES ('rebuild');
ANALYZE;
"""
NAMES = "{odd keys: [TO KEN, doc.a*b, doc.*.key, doc.key], own: [token]}"


@pytest.mark.parametrize("form", FORMS)
def test_no_index_no_generated_column_and_no_search_gives_a_secret_away(board, form):
    proves_safe(with_secrets(board, PLACES, NAMES), form)


def test_samples_that_sqlite_keeps_of_an_index_are_left_out(board):
    run_sql(
        board.path,
        "CREATE TABLE tools (name, token TEXT UNIQUE); INSERT INTO tools VALUES ('a', 'S3CRET');"
        "ANALYZE;"
        "PRAGMA writable_schema = ON;"
        "CREATE TABLE IF NOT EXISTS sqlite_stat4 (tbl, idx, neq, nlt, ndlt, sample);"
        "INSERT INTO sqlite_stat4 VALUES ('tools', 'i', '1', '0', '0', x'0219533343524554');",
    )
    proves_safe(with_secrets(board, "SELECT 1", "{tools: [token]}"), "json")
    assert "sqlite_stat1" in board.document(redact=True)["tables"]
    assert "sqlite_stat4" in board.document()["tables"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "columns",
    [
        *("token TEXT PRIMARY KEY, x", "x, token INTEGER PRIMARY KEY"),
        *("x, TOKEN TEXT, y, PRIMARY KEY (token, x)", "token PRIMARY KEY, x) WITHOUT ROWID; --"),
    ],
)
def test_a_table_whose_key_is_a_secret_is_left_out_and_left_alone(board, form, columns):
    sql = f"CREATE TABLE tokens ({columns});\nINSERT INTO tokens (token, x) VALUES (424242, 2);"
    proves_safe(with_secrets(board, sql, "{tokens: [token]}"), form)
    report = board.exported(redact=True, format=form)
    assert b"424242" not in bytes_of(report.path)
    assert "a secret tells its rows apart" in text(report)
    target, restored = board.restored(report)
    assert rows(target, "SELECT * FROM tokens") == []
    assert [name.lower() for name in restored.redacted] == ["tokens.token"]
    assert compared(board, report).same
    run_sql(board.path, "UPDATE tokens SET x = 3")
    board.imported(report, board.path, mode=ConflictMode.CLEAR)
    assert rows(board.path, "SELECT x FROM tokens") == [(3,)]


@pytest.mark.parametrize(
    ("table", "value", "secret"),
    [
        ("TABLE t (id INTEGER PRIMARY KEY, x INTEGER, y ANY) STRICT", "424242", "x"),
        ("TABLE t (id INTEGER PRIMARY KEY, X BLOB, y ANY) STRICT", "x'533343524554'", "x.key"),
        ("VIRTUAL TABLE t USING rtree (id, x, y)", "424242", "x"),
    ],
)
def test_a_table_with_a_secret_in_a_column_that_takes_no_text_is_left_out(
    board, table, value, secret
):
    sql = f"CREATE {table}; INSERT INTO t VALUES (1, {value}, {value});"
    proves_safe(with_secrets(board, sql, f"{{t: [{secret}]}}"), "json")
    report = board.exported(redact=True)
    assert b"424242" not in bytes_of(report.path)
    assert "takes no text" in text(report)


@pytest.mark.parametrize(
    ("sql", "secrets", "reason"),
    [
        (
            "CREATE TABLE t (x UNIQUE); CREATE TABLE u (y REFERENCES t (X))",
            "{t: [x]}",
            "secrets.t: u refers to X",
        ),
        (
            "CREATE TABLE t (x PRIMARY KEY); CREATE TABLE u (Y REFERENCES T)",
            "{u: [y]}",
            "secrets.u: Y refers to T",
        ),
        ("CREATE TABLE t (x); CREATE TABLE u (y)", "{t: [x]}", "secrets.t: u refers to x"),
    ],
)
def test_a_secret_in_whose_place_no_marker_can_stand_is_refused(board, sql, secrets, reason):
    declared = "\n  - {table: u, columns: [y], parent: t, parent_columns: [x]}"
    with_secrets(board, sql, secrets, declared if "REFERENCES" not in sql else "")
    with pytest.raises(ProfileError, match=reason):
        board.exported(redact=True)
    board.exported()


def test_a_name_that_fits_no_column_and_an_index_with_a_copy_are_told(board):
    sql = """CREATE TABLE t (x, "a.b" TEXT, c AS (x)); CREATE TABLE u (x);
    CREATE VIRTUAL TABLE copy USING fts5 (x);
    CREATE TRIGGER fill AFTER INSERT ON u BEGIN INSERT INTO copy (x) VALUES (new.x); END;"""
    with_secrets(board, sql, "{t: [a.b, c], u: [x, gone], none: [x]}")
    assert board.exported(redact=True).warnings == (
        "t has no column a.b, c: nothing of it was replaced.",
        "copy may have a copy of what is secret in u, in clear.",
    )
    assert board.exported().warnings == ()


@pytest.mark.parametrize("form", FORMS)
def test_a_table_of_nothing_but_secrets_is_left_out_too(board, form):
    sql = "CREATE TABLE t (a, b TEXT UNIQUE); INSERT INTO t VALUES ('S3CRET', 'S3CRET');"
    proves_safe(with_secrets(board, sql, "{t: [A, b]}"), form)


def test_redact_without_a_profile_that_names_secrets_says_that_it_did_nothing(board):
    board.set_profile(PROFILE)
    report = board.exported(redact=True)
    warning = "No profile says what is secret in it: --redact replaced nothing."
    assert report.warnings == (warning,)
    stream = io.BytesIO()
    assert board.exported(redact=True, stream=stream).warnings == (warning,)
    assert board.exported().warnings == ()


@pytest.mark.parametrize("term", ["substr(X, 1, 20)", "lower(x)"])
def test_a_unique_index_of_an_expression_is_told(board, term):
    sql = f"CREATE TABLE t (id INTEGER PRIMARY KEY, x, y); CREATE unique INDEX i ON t (y, {term});"
    more = "CREATE UNIQUE INDEX j ON t (x, lower(y)); CREATE INDEX k ON t (lower(x));"
    [warning] = with_secrets(board, sql + more, "{t: [x]}").exported(redact=True).warnings
    assert warning == (
        "i wants what it computes of secrets to differ, which it may not of markers: this may not"
        " restore."
    )


def test_markers_of_an_earlier_restore_and_new_secrets_go_into_one_unique_column(board):
    with_secrets(board, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT UNIQUE)", "{t: [x]}")
    run_sql(
        board.path, "INSERT INTO t (x) VALUES ('[redacted by holdfast 2]'), ('S3CRET'), ('other')"
    )
    proves_safe(board, "json")


def test_a_living_secret_that_is_no_valid_text_stays_as_it_is(board):
    sql = """CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, doc TEXT);
    INSERT INTO t VALUES (1, CAST(x'53ff' AS TEXT), '{"key":"S3CRET"}');"""
    report = with_secrets(board, sql, "{t: [x, doc.key]}").exported(redact=True)
    run_sql(board.path, "UPDATE t SET doc = CAST(x'7bff' AS TEXT)")
    before = everything(board.path)
    for mode in MODES:
        board.imported(report, board.path, mode=mode)
        assert everything(board.path) == before


def test_a_row_is_known_by_its_text_however_that_is_kept(board):
    sql = """CREATE TABLE t (id INTEGER PRIMARY KEY, name, x);
    INSERT INTO t VALUES (1, CAST('key' AS BLOB), 'S3CRET'), (2, NULL, 'clear'), (3, 7, 'S3CRET');
    """
    secrets = "{t: ['x[name=key]', 'x[name=7]', 'x[name=None]']}"
    report = with_secrets(board, sql, secrets).exported(redact=True)
    assert b"S3CRET" not in bytes_of(report.path)
    assert b"clear" in bytes_of(report.path)
