"""
Makes the home of a person who has used the present version, to be gone on with for ever.

    python3 -m tests --run tests.golden.make_home NAME [CHECKOUT]

Each has a folder in `homes`, made once: one that is there is never written to again. With a
checkout of an older state, that one makes it; what it does not know yet is left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from holdfast.database import Connection
from tests.conftest import run_sql

ROOT = Path(__file__).resolve().parents[2]
HOMES = Path(__file__).parent / "homes"

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, weight REAL, file);
INSERT INTO notes VALUES (1, 'first', 0.1, x'00ff'), (2, 'zweite Notiz – größer', 5e-324, NULL),
    (3, '', 9e999, 9223372036854775807);
UPDATE notes SET file = -0.0 WHERE id = 2;
CREATE TABLE tags (note INTEGER NOT NULL REFERENCES notes (id), tag TEXT, UNIQUE (note, tag));
INSERT INTO tags VALUES (1, 'a'), (1, 'b'), (3, 'a');
"""
CHANGE = "DELETE FROM tags WHERE note = 3; UPDATE notes SET body = 'changed' WHERE id = 1;"

SETTINGS = "databases:\n  notes: data/notes.db\noutput: backups\n"
STORES = """stores:
  disk: copies
  pages:
    url: pages
    layout: pages
"""
FIRST_STEPS = [
    *(f"export --format {form}" for form in ("json", "jsonl", "folder", "zip", "sqlite")),
    "export --compress zstd",
]
IMPORT = "import latest --yes"
LATER_STEPS = [
    "keys create",
    "export --encrypt --recipient {key}",
    "export --tables tags",
    "export --format sqlite --to pages",
    "sync disk",
    "verify disk:latest",
]

# No name of the machine at hand goes in.
RUN = (
    "import platform, runpy, sys; platform.node = lambda: 'laptop'; del sys.argv[0];"
    " sys.path.insert(0, sys.argv[0].rpartition('/')[0]);"
    " runpy.run_path(sys.argv[0], run_name='__main__')"
)


def main(name: str, checkout: str = str(ROOT)) -> None:
    folder = HOMES / name
    if folder.exists():
        sys.exit(f"{folder} is there: what was written once is never written again")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        (home / "data").mkdir(parents=True)
        run_sql(home / "data" / "notes.db", NOTES)
        (home / "backup.yaml").write_text(SETTINGS, encoding="utf-8")
        scripts = Path(checkout) / "scripts"
        for step in FIRST_STEPS:
            _run(scripts, home, step)
        run_sql(home / "data" / "notes.db", CHANGE)
        _run(scripts, home, IMPORT)
        if (scripts / "sync.py").exists():
            (home / "backup.yaml").write_text(SETTINGS + STORES, encoding="utf-8")
            for step in LATER_STEPS:
                _run(scripts, home, step)
        _run(scripts, home, "verify all")
        shutil.copytree(home, folder / "home")
    (folder / "made-at").write_text(f"{home}\n", encoding="utf-8")


def _run(scripts: Path, home: Path, step: str) -> None:
    verb, *words = step.format(key=_public_key(home)).split()
    command = [sys.executable, "-c", RUN, str(scripts / f"{verb}.py"), *words]
    own = {"HOLDFAST_HOME": str(home), "HOME": str(home.parent), "LOGNAME": "ann", "USER": "ann"}
    subprocess.run(command, check=True, env=os.environ | own, cwd=home.parent)


def _public_key(home: Path) -> str:
    path = home / "key.txt"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text.partition("public key: ")[2].partition("\n")[0]


def relocated(name: str, target: Path) -> Path:
    """
    Copy a home to where a test may work with it, as if it had always been there.

    Git keeps no times and no permissions of files, and the history names absolute paths.
    """
    shutil.copytree(HOMES / name / "home", target)
    made_at = (HOMES / name / "made-at").read_text(encoding="utf-8").strip()
    for path in (target, *target.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    with closing(Connection(str(target / "backups" / "history.db"))) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM pragma_table_list")]
        for table in {"backups", "copies", "events", "restore_points"}.intersection(tables):
            facts = connection.execute(f"SELECT name FROM pragma_table_info('{table}')")
            for column in {"path", "database", "backup", "details"} & {row[0] for row in facts}:
                connection.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)",
                    [made_at, str(target)],
                )
        connection.commit()
        for backup, written_ns in connection.execute("SELECT path, modified_ns FROM backups"):
            for path in (Path(backup), *Path(backup).rglob("*")):
                os.utime(path, ns=(written_ns, written_ns))
    return target


if __name__ == "__main__":
    main(*sys.argv[1:])
