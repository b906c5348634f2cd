"""Values that formats, drivers and copies by SQL change on the way."""

from __future__ import annotations

import math
from pathlib import Path

from tests.conftest import connected
from tests.fidelity.hazard import Hazard, Loss

REALS = (
    *(0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308),
    *(0.1, 0.1 + 0.2, 1 / 3, 1e15, 1e16, 1e17, 1e22, 1e23, 123456789012345.67, 2.0**53, 2.0**63),
    *(9007199254740993.0, -9223372036854775808.0, 1.0000000000000002, 9.999999999999999e22),
)
INTEGERS = (0, -1, 2**31, -(2**31) - 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63))


def _numbers(path: Path, numbers: tuple[object, ...]) -> None:
    with connected(path) as connection:
        connection.execute(
            "CREATE TABLE numbers (id INTEGER PRIMARY KEY, any, whole INTEGER, real REAL,"
            " number NUMERIC, text TEXT, blob BLOB)"
        )
        connection.executemany(
            "INSERT INTO numbers (any, whole, real, number, text, blob) VALUES (?, ?, ?, ?, ?, ?)",
            [[number] * 6 for number in numbers],
        )


def _infinities(path: Path) -> None:
    _numbers(path, (math.inf, -math.inf))


def _reals(path: Path) -> None:
    _numbers(path, REALS)


def _integers(path: Path) -> None:
    _numbers(path, INTEGERS)


def _utf16(encoding: str, sql: str) -> str:
    return f"PRAGMA encoding = '{encoding}'; {sql}"


_LONE = "CREATE TABLE t (x TEXT, y TEXT PRIMARY KEY); INSERT INTO t VALUES "
_PLANES = (
    "('é', 'a'), ('日本', 'b'), ('👩‍👩‍👧', '👩'), ('a' || char(0) || 'b', char(65533)), ('', '')"
)

VALUES = (
    Hazard(
        "text has a NUL inside",
        "CREATE TABLE t (x TEXT, n INTEGER);"
        "INSERT INTO t VALUES ('a' || char(0) || 'b', 1), (char(0), 2), ('end' || char(0), 3),"
        " (char(0, 0), 4), ('12' || char(0), '12' || char(0));",
    ),
    Hazard(
        "text is not valid UTF-8",
        "CREATE TABLE t (x TEXT, y); INSERT INTO t VALUES (CAST(x'ff' AS TEXT), x'ff'),"
        " (CAST(x'c080' AS TEXT), 1), (CAST(x'e282' AS TEXT), ''), (CAST(x'61eda08062' AS TEXT),"
        " 2),"
        " (CAST(x'f8888080' AS TEXT), NULL), (CAST(x'00ff00' AS TEXT), 'plain'), ('�', '�');",
    ),
    Hazard(
        "text that is not valid UTF-8 is a key",
        "CREATE TABLE t (k TEXT PRIMARY KEY, x) WITHOUT ROWID; CREATE INDEX i ON t (x);"
        "INSERT INTO t VALUES (CAST(x'ff' AS TEXT), CAST(x'fe' AS TEXT)), (x'ff', 1),"
        " (CAST(x'ff00' AS TEXT), 2), ('�', 3);",
    ),
    Hazard(
        "text in UTF-16, low byte first, ends with half a surrogate pair",
        _utf16("UTF-16le", _LONE)
        + "(CAST(x'00d8' AS TEXT), 'a'), ('b', CAST(x'610000d8' AS TEXT));",
    ),
    Hazard(
        "text in UTF-16, high byte first, ends with half a surrogate pair",
        _utf16("UTF-16be", _LONE)
        + "(CAST(x'd800' AS TEXT), 'a'), ('b', CAST(x'0061d800' AS TEXT));",
    ),
    Hazard(
        "text in UTF-16 has half a surrogate pair in its middle",
        _utf16("UTF-16le", _LONE)
        + "(CAST(x'00d86200' AS TEXT), 'a'), ('b', CAST(x'00dc6200' AS TEXT)),"
        " (CAST(x'00d800d8' AS TEXT), 'c'), ('d', CAST(x'00dc00d8' AS TEXT));",
    ),
    Hazard(
        "text in UTF-16 ends with half a character",
        _utf16("UTF-16le", _LONE) + "(CAST(x'610062' AS TEXT), CAST(x'61' AS TEXT));",
    ),
    Hazard("text is in UTF-16, low byte first", _utf16("UTF-16le", _LONE + _PLANES)),
    Hazard("text is in UTF-16, high byte first", _utf16("UTF-16be", _LONE + _PLANES)),
    Hazard(
        "text begins with a byte order mark",
        "CREATE TABLE t (x); INSERT INTO t VALUES (char(65279)), (char(65279) || 'a'),"
        " (char(65534) || 'b'), (char(65535)), (char(1114111));",
    ),
    Hazard(
        "text in UTF-16 begins with a byte order mark",
        _utf16("UTF-16le", "CREATE TABLE t (x);")
        + "INSERT INTO t VALUES (char(65279)), (char(65279) || 'a'), (char(65534) || 'b');",
    ),
    Hazard(
        "text is long, with line ends of every kind",
        "CREATE TABLE t (x); INSERT INTO t VALUES (replace(printf('%.200000c', 'x'), 'xxxx',"
        " char(10) || 'é' || char(13, 10) || char(8232) || char(8233) || char(133) || char(12))),"
        " (char(10)), (char(13)), (char(28, 29, 30, 31, 127)), ('\\n'), ('\\u2028');",
    ),
    Hazard(
        "text looks like what a format writes for something else",
        'CREATE TABLE t (x TEXT); INSERT INTO t VALUES (\'{"$base64":true,"encoded":"AA=="}\'),'
        " ('{\"$real\":\"inf\"}'), ('null'), ('true'), ('NaN'), (']'), ('},'), ('\"seal\":\"'),"
        " ('X''00'''), ('1e999'), ('$rowid'), ('-- x'), ('/*'), (''''), ('\"'), ('\\');",
    ),
    Hazard("a number is infinite", _infinities),
    Hazard("a REAL is -0.0, 5e-324, or has 17 digits", _reals),
    Hazard("an integer is beyond 2^53, up to both ends of 64 bits", _integers),
    Hazard(
        "a BLOB, an empty BLOB, an empty text and NULL stand beside each other",
        "CREATE TABLE t (x, b BLOB, s TEXT, n INTEGER);"
        "INSERT INTO t VALUES (x'00ff', x'00ff', x'00ff', x'00ff'), (x'', x'', x'', x''),"
        " ('', '', '', ''), (NULL, NULL, NULL, NULL), (zeroblob(9), x'61', x'61', x'31');",
    ),
    Hazard(
        "a column holds values of another type than it declares",
        "CREATE TABLE t (n INTEGER, r REAL, s TEXT, u NUMERIC, d DATETIME, v VARCHAR(2));"
        "INSERT INTO t VALUES ('many', 'x', x'00', 'abc', 'soon', 'longer than two'),"
        " (1.5, 'y', x'', x'31', 1.5, x'ff'), ('1x', x'01', 'z', ' 1 2', x'', 7);",
    ),
    Hazard(
        "a column's type was changed by hand, and its old values were not",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x, y);"
        "INSERT INTO t VALUES (1, 5, '5'), (2, 1.0, '1e3');"
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET"
        " sql = 'CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, y INTEGER)';",
        loss=Loss("t", is_refused=True),
    ),
    Hazard(
        "a column became NOT NULL by hand, and there are NULLs in it",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, NULL), (2, 'a');"
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET"
        " sql = 'CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT NOT NULL)';",
        loss=Loss("t", is_refused=True),
    ),
)
