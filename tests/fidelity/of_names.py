"""Names that break files, SQL or formats."""

from __future__ import annotations

from holdfast.database import quote_identifier
from tests.fidelity.hazard import Hazard

KEYWORDS = ("select", "table", "order", "group", "index", "values", "null", "default", "without")
OF_FORMATS = (
    *("tables", "seal", "schema", "layout", "counts", "digests", "end", "header", "metadata"),
    *("format", "$row", "$base64", "name", "main", "temp", "staged", "true", "__proto__"),
)
OF_FILES = (
    "a/b",
    "ab",
    "a\\b",
    "..",
    ".",
    "../up",
    "CON",
    "nul.txt",
    "dot.",
    "%2f",
    "~",
    "*?",
    "-rf",
)
PUNCTUATION = (
    *("it's", 'say "x"', "[x]", "`x`", "a b", " ", "", "a.b", "a;b", "--x", "/*x*/", "{", "],"),
    *("new\nline", "tab\t", "\x01", "\x7f", "\\", ":x", "?1", "@x", "1st", "x" * 400),
)
OTHER_SCRIPTS = ("é", "e\u0301", "É", "日本", "👩‍👩‍👧", "\u202e", "\u2028", "\ufeff", "ß", "İ")


def _tables(names: tuple[str, ...]) -> str:
    """Make a table of each name, with a column, an index, a view and a trigger of that name."""
    sql = ""
    for number, name in enumerate(names):
        table = quote_identifier(name)
        index, view = quote_identifier(f"i {name}"), quote_identifier(f"v {name}")
        sql += (
            f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {table} TEXT);"
            f"INSERT INTO {table} VALUES ({number + 1}, 'of {number}'), (1000, NULL);"
            f"CREATE INDEX {index} ON {table} ({table});"
            f"CREATE VIEW {view} AS SELECT * FROM {table};"
            f"CREATE TRIGGER {table} AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END;"
        )
    return sql


NAMES = (
    Hazard("names are keywords of SQL", _tables(KEYWORDS)),
    Hazard("names are words of the formats", _tables(OF_FORMATS)),
    Hazard("names are bad names of files", _tables(OF_FILES)),
    Hazard("names hold quotes, brackets, blanks and line ends, or are empty", _tables(PUNCTUATION)),
    Hazard("names are of other scripts, or differ in accents alone", _tables(OTHER_SCRIPTS)),
    Hazard(
        "names of a table, a trigger and columns differ in case alone, and only outside ASCII",
        "CREATE TABLE a (é, É, A); INSERT INTO a VALUES (1, 2, 3); CREATE TABLE Ä (x);"
        "CREATE TABLE ä (x); INSERT INTO ä VALUES ('low'); INSERT INTO Ä VALUES ('high');"
        "CREATE TRIGGER A BEFORE DELETE ON a BEGIN SELECT 1; END;",
    ),
    Hazard(
        "tables of any name count by AUTOINCREMENT",
        "".join(
            f"CREATE TABLE {quote_identifier(name)} (id INTEGER PRIMARY KEY AUTOINCREMENT);"
            f"INSERT INTO {quote_identifier(name)} VALUES ({number}), (1000); "
            f"DELETE FROM {quote_identifier(name)} WHERE id = 1000;"
            for number, name in enumerate((*KEYWORDS, *PUNCTUATION, *OTHER_SCRIPTS))
        ),
        blind={"sqldiff": "it takes the order of rows in sqlite_sequence for content"},
    ),
    Hazard(
        "a column has no name, or that of the key for rowids",
        'CREATE TABLE t ("" TEXT, "$rowid", "$$ROWID");'
        "INSERT INTO t (rowid, \"\") VALUES (5, 'x');"
        'CREATE TABLE u ("a""b" PRIMARY KEY, "\\", "c\nd"); INSERT INTO u VALUES (1, 2, 3);',
    ),
    Hazard(
        "virtual tables have names that need quotes, or say how another is made",
        'CREATE VIRTUAL TABLE "my ""search""" USING fts5(body);'
        'INSERT INTO "my ""search""" VALUES (\'find me\');'
        "CREATE VIRTUAL TABLE \"kept using fts5vocab (content='')\" USING fts5(body);"
        "INSERT INTO \"kept using fts5vocab (content='')\" VALUES ('find me too');",
    ),
)
