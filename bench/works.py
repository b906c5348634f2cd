"""
What is measured: for each work, Holdfast's command and that of a tool somebody would use instead.

Commands are lines of bash. Their placeholders:

    {ours}     python3 SCRIPTS, in an environment where Holdfast's packages are importable
    {db}       the database; {other}: the same with 1 % of its rows changed
    {tables}   the names of its tables
    {made}     what `once` made; it stays for all rounds
    {out}      an empty folder, new in each round
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """One comparison; its ratio is our time over that of the other tool."""

    name: str
    data: str  # of RECIPES
    ours: str
    peer: str
    against: str  # the peer, for people
    bar: float | None = None  # the ratio that must not be exceeded; None: only shown
    once: str = ""  # before all rounds, not measured
    before_ours: str = ""  # before each round, not measured
    before_peer: str = ""


_DUMP = "sqlite3 {db} .dump > {out}/dump.sql"
_ROWS = 'for table in {tables}; do {utils} rows {db} "$table" --nl > {out}/"$table".jsonl; done'
_SCAN = "sqlite3 {db} {scan}"
_EXPORT = "{ours}/export.py --db {db} --output {out}/backup --format"
_FROM_DUMP = "sqlite3 {out}/new.db < {made}/dump.sql"
_MAKE_DUMP = "sqlite3 {db} .dump > {made}/dump.sql"
_MAKE_JSONL = "{ours}/export.py --db {db} --format jsonl --output {made}/backup.jsonl"
_MAKE_SQLITE = "{ours}/export.py --db {db} --format sqlite --output {made}/backup.db"
_MAKE_ROWS = (
    'for table in {tables}; do {utils} rows {db} "$table" --nl > {made}/"$table".jsonl; done'
)
_INSERT = (
    "for table in {tables}; do"
    ' {utils} insert {out}/new.db "$table" {made}/"$table".jsonl --nl --pk id; done'
)
_UPSERT = (
    "for table in {tables}; do"
    ' {utils} upsert {out}/live.db "$table" {made}/"$table".jsonl --nl --pk id; done'
)
_RESTORE = "{ours}/restore.py {made}/backup.jsonl --to {out}/new.db"

WORKS = (
    Work(
        "export jsonl, verified",
        "messages-1200",
        f"{_EXPORT} jsonl",
        _DUMP,
        "`sqlite3 .dump`",
        bar=0.9,
    ),
    Work(
        "export jsonl, zstd, verified",
        "messages-1200",
        f"{_EXPORT} jsonl --compress zstd",
        _DUMP,
        "`sqlite3 .dump`, not compressed",
        bar=1.0,
    ),
    Work(
        "export jsonl, `--no-verify`",
        "messages-1200",
        f"{_EXPORT} jsonl --no-verify",
        _DUMP,
        "`sqlite3 .dump`",
        bar=0.45,
    ),
    Work(
        "export jsonl, `--no-verify`",
        "narrow",
        f"{_EXPORT} jsonl --no-verify",
        _DUMP,
        "`sqlite3 .dump`",
        bar=0.4,
    ),
    Work(
        "export json, verified",
        "messages-200",
        f"{_EXPORT} json",
        _ROWS,
        "`sqlite-utils rows --nl`",
        bar=0.25,
    ),
    Work(
        "export json, verified",
        "messages-200",
        f"{_EXPORT} json",
        "for table in {tables}; do sqlite3 -json {db} 'SELECT * FROM '\"$table\""
        ' > {out}/"$table".json; done',
        "`sqlite3 -json`",
    ),
    Work("export jsonl, verified", "blobs", f"{_EXPORT} jsonl", _DUMP, "`sqlite3 .dump`"),
    Work(
        "export sqlite, verified",
        "messages-200",
        f"{_EXPORT} sqlite",
        'sqlite3 {db} ".backup {out}/copy.db"',
        "`sqlite3 .backup`, the limit",
    ),
    Work(
        "into a store in pages, nothing changed",
        "messages-200",
        "{ours}/export.py --db {db} --output {out}/backup --format sqlite --to pages",
        f"{_EXPORT} sqlite",
        "the same without the store",
        once="printf 'stores: {pages: {url: %s, layout: pages}}\\n' {made}/store"
        " > {home}/backup.yaml; {ours}/export.py --db {db} --output {made}/first"
        " --format sqlite --to pages > /dev/null",
    ),
    Work(
        "export jsonl, `--no-verify`",
        "messages-200",
        f"{_EXPORT} jsonl --no-verify",
        _SCAN,
        "every value touched in C, the limit",
    ),
    Work(
        "export of a small database",
        "small",
        f"{_EXPORT} json",
        _DUMP,
        "`sqlite3 .dump`",
    ),
    Work(
        "restore from jsonl, proven equal",
        "messages-200",
        _RESTORE,
        _FROM_DUMP,
        "`sqlite3 < dump.sql`",
        bar=1.0,
        once=f"{_MAKE_JSONL}; {_MAKE_DUMP}",
    ),
    Work(
        "restore from jsonl, `--no-verify`",
        "messages-200",
        f"{_RESTORE} --no-verify",
        _FROM_DUMP,
        "`sqlite3 < dump.sql`",
        bar=0.65,
        once=f"{_MAKE_JSONL}; {_MAKE_DUMP}",
    ),
    Work(
        "restore from jsonl, proven equal",
        "messages-200",
        _RESTORE,
        _INSERT,
        "`sqlite-utils insert --nl`",
        once=f"{_MAKE_JSONL}; {_MAKE_ROWS}",
    ),
    Work(
        "restore from a page copy",
        "messages-200",
        "{ours}/restore.py {made}/backup.db --to {out}/new.db",
        'sqlite3 {out}/new.db ".restore {made}/backup.db"',
        "`sqlite3 .restore`",
        bar=1.2,
        once=_MAKE_SQLITE,
    ),
    Work(
        "import overwrite, 1 % of the rows differ",
        "messages-200",
        "{ours}/import.py {made}/backup.jsonl --db {out}/live.db --yes",
        _UPSERT,
        "`sqlite-utils upsert --nl`",
        bar=0.25,
        once=f"{_MAKE_JSONL}; {_MAKE_ROWS}",
        before_ours="cp {other} {out}/live.db",
        before_peer="cp {other} {out}/live.db",
    ),
    Work(
        "verify --quick",
        "messages-200",
        "{ours}/verify.py {made}/backup.jsonl --quick",
        f"{_EXPORT} jsonl",
        "the export of it",
        bar=0.8,
        once=_MAKE_JSONL,
    ),
    Work(
        "verify --quick",
        "messages-200",
        "{ours}/verify.py {made}/backup.jsonl --quick",
        "sqlite3 {db} .sha3sum",
        "`sqlite3 .sha3sum`",
        once=_MAKE_JSONL,
    ),
    Work(
        "export again, nothing changed",
        "messages-200",
        f"{_EXPORT} jsonl",
        f"HOLDFAST_HOME={{out}}/home {_EXPORT} jsonl",
        "the first export",
        once=_MAKE_JSONL,
    ),
    Work(
        "export again, 1 % of the rows changed",
        "messages-200",
        "{ours}/export.py --db {other} --output {out}/backup --format jsonl",
        "{ours}/export.py --db {db} --output {out}/backup --format jsonl",
        "the first export",
    ),
    Work(
        "diff, 1 % of the rows changed",
        "messages-200",
        "{ours}/diff.py {made}/backup.jsonl {other}",
        "sqldiff --summary {db} {other}",
        "`sqldiff --summary`",
        once=_MAKE_JSONL,
    ),
    Work(
        "status, 100 backups",
        "small",
        "{ours}/status.py --db {db}",
        '{python} -c "import sqlite_utils"',
        '`python3 -c "import sqlite_utils"`',
        bar=2.0,
        once="for n in {1..100}; do {ours}/export.py --db {db} --quiet > /dev/null; done",
    ),
)

# How memory and time grow from 200 MB to 1.2 GB.
MEMORY_BAR_MB = 120
GROWTH_BAR = 1.1
GROWING_WORKS = {
    "export jsonl": "{ours}/export.py --db {db} --format jsonl --output {out}/backup.jsonl",
    "export json": "{ours}/export.py --db {db} --format json --output {out}/backup.json",
    "restore": "{ours}/restore.py {made}/backup.jsonl --to {out}/new.db",
    "import": "{ours}/import.py {made}/backup.jsonl --db {out}/live.db --yes",
    "verify": "{ours}/verify.py {made}/backup.jsonl",
    "diff": "{ours}/diff.py {made}/backup.jsonl {other}",
}
GROWING_DATA = ("messages-200", "messages-1200")
