"""Tables that a module of SQLite makes up."""

from __future__ import annotations

from tests.fidelity.hazard import Hazard, Loss

_BLIND = {"sha3sum": "it reads the pages of an index too, which is made anew"}
_NOTES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, title, body);"
    "INSERT INTO notes VALUES (1, 'One', 'the quick fox'), (7, 'Seven', 'the lazy dog');"
)
_FILL = (
    "CREATE TRIGGER fill AFTER INSERT ON notes BEGIN"
    " INSERT INTO search (rowid, title, body) VALUES (new.id, new.title, new.body); END;"
    "CREATE TRIGGER clear AFTER DELETE ON notes BEGIN INSERT INTO search (search, rowid, title,"
    " body)"
    " VALUES ('delete', old.id, old.title, old.body); END;"
)
_SEARCHES = (
    "SELECT rowid FROM search WHERE search MATCH 'fox' ORDER BY rowid",
    "SELECT rowid FROM search WHERE search MATCH 'the' ORDER BY rank, rowid",
    "SELECT rowid FROM search WHERE search MATCH 'title:seven' ORDER BY rowid",
)
_MISSING = (
    "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)"
    " VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING {}');"
    "PRAGMA writable_schema = OFF;"
)
_NO_TOKENIZER = {"sqldiff": "it does not know the way either"}


def _renamed_tokenizer(module: str, sql: str, made: str, stored: str) -> str:
    """Give a full-text table a tokenizer that is not here, as one made by another program has."""
    return (
        f"CREATE VIRTUAL TABLE docs USING {module}(body, {made}); {sql}"
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET"
        f" sql = 'CREATE VIRTUAL TABLE docs USING {module}(body, {stored})' WHERE name = 'docs';"
    )


_DOCS = "INSERT INTO docs (rowid, body) VALUES (3, 'the only copy of this text');"

VIRTUAL_TABLES = (
    Hazard(
        "a full-text table (FTS5) keeps text of its own",
        "CREATE VIRTUAL TABLE search USING fts5(title, body UNINDEXED, tokenize = 'porter ascii');"
        "INSERT INTO search (rowid, title, body) VALUES (5, 'foxes', 'a'), (-2, 'the fox', NULL),"
        " (9, CAST(x'ff' AS TEXT), x'00'); DELETE FROM search WHERE rowid = 5;"
        "INSERT INTO search (rowid, title) VALUES (6, 'seven fox');",
        questions=_SEARCHES,
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) indexes another one",
        f"{_NOTES} CREATE VIRTUAL TABLE search USING fts5(title, body, content = 'notes',"
        f" content_rowid = 'id'); {_FILL} INSERT INTO search (search) VALUES ('rebuild');"
        "INSERT INTO notes VALUES (9, 'Nine', 'a fox'); DELETE FROM notes WHERE id = 1;",
        questions=_SEARCHES,
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) indexes a view",
        f"{_NOTES} CREATE VIEW shown AS SELECT id AS rowid, title, body FROM notes;"
        "CREATE VIRTUAL TABLE search USING fts5(title, body, content = shown);"
        "INSERT INTO search (search) VALUES ('rebuild');",
        questions=_SEARCHES,
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) indexes a table that is gone",
        f"{_NOTES} CREATE VIRTUAL TABLE search USING fts5(title, body, content = notes,"
        " content_rowid = id);"
        "INSERT INTO search (search) VALUES ('rebuild'); DROP TABLE notes; CREATE TABLE other (x);"
        "INSERT INTO other VALUES ('kept');",
        warning="search",
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) keeps no text, and triggers fill it",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title, body);"
        f"CREATE VIRTUAL TABLE search USING fts5(title, body, content=''); {_FILL}"
        "INSERT INTO notes VALUES (1, 'One', 'the quick fox'), (7, 'Seven', 'the lazy dog');",
        questions=_SEARCHES,
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) keeps no text, and the trigger that fills it writes a log too",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title, body); CREATE TABLE a_log (what);"
        "CREATE TABLE z_log (what); CREATE VIRTUAL TABLE search USING fts5(title, body,"
        " content='');"
        "CREATE TRIGGER fill AFTER INSERT ON notes BEGIN INSERT INTO a_log VALUES (new.title);"
        " INSERT INTO search (rowid, title, body) VALUES (new.id, new.title, new.body);"
        " INSERT INTO z_log VALUES (new.title); END;"
        "INSERT INTO notes VALUES (1, 'One', 'the quick fox'), (7, 'Seven', 'the lazy dog');",
        questions=_SEARCHES,
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) keeps no text, and nothing here fills it",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (1);"
        "CREATE VIRTUAL TABLE search USING fts5(title, body, content='');"
        "INSERT INTO search (rowid, title, body) VALUES (1, 'One', 'the quick fox');",
        questions=_SEARCHES,
        loss=Loss("search keeps no text and no trigger fills it", tables=("search",)),
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) keeps no text, and triggers only clear it",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title, body);"
        "CREATE VIRTUAL TABLE search USING fts5(title, body, content='', contentless_delete=1);"
        "CREATE TRIGGER clear AFTER DELETE ON notes BEGIN"
        " DELETE FROM search WHERE rowid = old.id; END; INSERT INTO notes VALUES (1, 'One', 'fox');"
        "INSERT INTO search (rowid, title, body) SELECT id, title, body FROM notes;",
        questions=_SEARCHES,
        loss=Loss("search keeps no text and no trigger fills it", tables=("search",)),
        blind={**_BLIND, "sqldiff": "it may be too old for contentless_delete"},
    ),
    Hazard(
        "a full-text table (FTS5) has settings of its own",
        "CREATE VIRTUAL TABLE search USING fts5(title, body, prefix='2 3', detail=column);"
        "INSERT INTO search VALUES ('the fox', 'x'), ('fox', 'the the the'), ('seven', 'the fox');"
        "INSERT INTO search (search, rank) VALUES ('rank', 'bm25(1.0, 100.0)');"
        "INSERT INTO search (search, rank) VALUES ('automerge', 2);",
        questions=(*_SEARCHES, "SELECT k, v FROM search_config ORDER BY k"),
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS5) that indexes another one has settings of its own",
        f"{_NOTES} CREATE VIRTUAL TABLE search USING fts5(title, body, content=notes,"
        " content_rowid=id);"
        "INSERT INTO search (search) VALUES ('rebuild');"
        "INSERT INTO search (search, rank) VALUES ('rank', 'bm25(1.0, 100.0)');",
        questions=(*_SEARCHES, "SELECT k, v FROM search_config ORDER BY k"),
        blind=_BLIND,
    ),
    Hazard(
        "full-text tables (FTS5) split words in other ways, and one is a list of the words",
        "CREATE VIRTUAL TABLE search USING fts5(title, body, tokenize='trigram', columnsize=0);"
        "INSERT INTO search VALUES ('the fox', 'x'), ('seven', 'the');"
        "CREATE VIRTUAL TABLE words USING fts5vocab('search', 'row');"
        "CREATE VIRTUAL TABLE places USING fts5vocab(search, instance);",
        questions=("SELECT * FROM words", "SELECT rowid FROM search WHERE search MATCH 'fox'"),
        blind=_BLIND,
    ),
    Hazard(
        "a table of one's own has a name that a full-text table could use",
        "CREATE TABLE docs_content (id INTEGER PRIMARY KEY, body);"
        "INSERT INTO docs_content VALUES (1, 'the only copy of this text');"
        "CREATE VIRTUAL TABLE docs USING fts5(body, content='docs_content', content_rowid='id');"
        "INSERT INTO docs (docs) VALUES ('rebuild');",
        questions=(
            "SELECT body FROM docs_content",
            "SELECT rowid FROM docs WHERE docs MATCH 'copy'",
        ),
        blind=_BLIND,
    ),
    Hazard(
        "a table of one's own beside a full-text table is called like a part of it",
        'CREATE VIRTUAL TABLE docs USING fts4(body, content="pages"); CREATE TABLE pages (body);'
        "INSERT INTO pages VALUES ('a page'); INSERT INTO docs (docs) VALUES ('rebuild');"
        "CREATE TABLE docs_content (x); INSERT INTO docs_content VALUES ('the only copy');"
        "CREATE TABLE docs_other (x); INSERT INTO docs_other VALUES ('another');",
        questions=("SELECT x FROM docs_content",),
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS4) keeps text of its own",
        "CREATE VIRTUAL TABLE search USING fts4(title, body, prefix='2', tokenize=porter);"
        "INSERT INTO search (docid, title, body) VALUES (5, 'the foxes', 'a'), (9, 'seven', NULL);",
        questions=_SEARCHES[:1],
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS4) keeps the language of each row",
        "CREATE VIRTUAL TABLE search USING fts4(body, languageid='lid');"
        "INSERT INTO search (docid, body, lid) VALUES (5, 'the fox', 2), (9, 'fox', 0);",
        questions=(
            "SELECT docid, lid FROM search ORDER BY docid",
            "SELECT docid FROM search WHERE search MATCH 'fox' AND lid = 2",
        ),
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS4) indexes another one",
        f"{_NOTES} CREATE VIRTUAL TABLE search USING fts4(title, body, content='notes');"
        "INSERT INTO search (search) VALUES ('rebuild');",
        questions=_SEARCHES[:1],
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table (FTS4) keeps no text, and a trigger fills it",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body);"
        "CREATE VIRTUAL TABLE search USING fts4(body, content='');"
        "CREATE TRIGGER fill AFTER INSERT ON notes BEGIN"
        " INSERT INTO search (docid, body) VALUES (new.id, new.body); END;"
        "INSERT INTO notes VALUES (1, 'the quick fox');",
        questions=("SELECT docid FROM search WHERE search MATCH 'fox'",),
        blind=_BLIND,
    ),
    Hazard(
        "a full-text table is of the first kind (FTS3)",
        "CREATE VIRTUAL TABLE search USING fts3(title, body);"
        "INSERT INTO search (docid, title, body) VALUES (5, 'the fox', 'a'), (9, 'seven', NULL);",
        questions=_SEARCHES[:1],
        blind=_BLIND,
    ),
    Hazard(
        "an R*Tree has columns beside its coordinates",
        "CREATE VIRTUAL TABLE places USING rtree(id, x0, x1, y0, y1, +name TEXT, +data BLOB);"
        "INSERT INTO places VALUES (1, 1.1, 2.2, -3.3, 4.4, 'a', x'00'), (7, 0, 0, 0, 0, NULL,"
        " NULL);"
        "CREATE VIRTUAL TABLE cells USING rtree_i32(id, x0, x1);"
        "INSERT INTO cells VALUES (3, -2147483648, 2147483647);",
        questions=("SELECT id FROM places WHERE x0 <= 1.5 AND x1 >= 1.5",),
        blind=_BLIND,
    ),
    Hazard(
        "a virtual table's module is not here",
        "CREATE TABLE t (x); INSERT INTO t VALUES ('kept');" + _MISSING.format("vec0(x float[3])"),
        warning="no such module: vec0",
    ),
    Hazard(
        "a virtual table's module is not here, but the tables that it keeps its rows in are",
        "CREATE TABLE v_chunks (id INTEGER PRIMARY KEY, data BLOB); CREATE TABLE v_rowids (x);"
        "INSERT INTO v_chunks VALUES (1, zeroblob(12)); INSERT INTO v_rowids VALUES (7);"
        + _MISSING.format("vec0(x float[3])"),
        warning="no such module: vec0",
    ),
    Hazard(
        "a full-text table (FTS5) splits words in a way that is not known here",
        _renamed_tokenizer("fts5", _DOCS, "tokenize = 'ascii'", "tokenize = ''jieba''"),
        questions=("SELECT c0 FROM docs_content",),
        warning="no such tokenizer: jieba",
        blind=_NO_TOKENIZER,
    ),
    Hazard(
        "a full-text table (FTS4) splits words in a way that is not known here",
        _renamed_tokenizer("fts4", _DOCS, "tokenize=simple", "tokenize=icu"),
        questions=("SELECT c0body FROM docs_content",),
        warning="unknown tokenizer: icu",
        blind=_NO_TOKENIZER,
    ),
)
