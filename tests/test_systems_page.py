"""docs/systems.md: every command of the page does what it says, on databases of the tools."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.cli.run import VERBS, main
from tests.conftest import run_sql
from tests.systems import genie, kata, memory_nexus, open_agentic, soy
from tests.systems.test_kata_projects import BOBS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
NOT_HERE = "Not here, because "
SERVED = "From the [server](web.md): "  # shown by tests/web


@dataclass(frozen=True, slots=True)
class Row:
    """A feature of a tool, and the command that does it."""

    feature: str
    here: str
    exit_code: str

    @property
    def commands(self) -> list[str]:
        code = re.findall(r"`([^`]+)`", self.here)
        return [each for each in code if each.split()[0] in VERBS]


def sections() -> dict[str, list[Row]]:
    """The rows of the page, by the name of the tool."""
    found = {}
    for section in PAGE.split("\n## ")[1:]:
        lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
        found[section.splitlines()[0]] = [
            Row(*(cell.strip() for cell in line.strip("|").split(" | "))) for line in lines
        ]
    return found


SECTIONS = sections()


def software_of_you(home: Path) -> None:
    (home / ".local" / "share" / "software-of-you").mkdir(parents=True)
    database = soy.make(home / ".local" / "share" / "software-of-you" / "soy.db")
    soy.export(database, home / "backup-2026-02-19.json")
    run_sql(database, "UPDATE contacts SET email = 'new@example.org' WHERE id = 2")


def genies(home: Path) -> None:
    old = genie.make(home / "genie4.db", genie.V4 + genie.V4_ROWS)
    for name in ("new4.db", "other4.db"):
        genie.make(home / name, genie.V4_FRESH)
    genie.export(old, home / "genie-backup-20260328.json")
    new = genie.make(home / "genie5.db", genie.REPOSITORY + genie.REPOSITORY_ROWS)
    genie.make(home / "new5.db", genie.REPOSITORY)
    genie.snapshot(new, home / "roadmap.json")


def memory(home: Path) -> None:
    (home / ".memory-nexus").mkdir()
    database = memory_nexus.make(home / ".memory-nexus" / "memory.db")
    memory_nexus.make(home / "new.db", memory_nexus.SCHEMA)
    memory_nexus.export(database, home / "memory.json")
    memory_nexus.export(database, home / "version99.json", version="99.0")
    (home / "broken.json").write_bytes((home / "memory.json").read_bytes()[:900])


def katas(home: Path) -> None:
    (home / ".kata").mkdir()
    database = kata.make(home / ".kata" / "kata.db")
    kata.make(home / "bobs.db", BOBS)
    kata.export(database, home / "kata-export.jsonl")
    kata.export(database, home / "kata-project.jsonl", project=3)
    issue = {"id": "bd-1", "title": "Sharpen the shears", "status": "open", "priority": 2}
    issue |= {"created_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T12:00:00Z"}
    (home / ".beads").mkdir()
    for file in (home / "issues.jsonl", home / ".beads" / "issues.jsonl"):
        file.write_text(json.dumps(issue) + "\n", encoding="utf-8")


def agents(home: Path) -> None:
    database = open_agentic.make(home / "agentic_ai.db")
    open_agentic.make(home / "new.db", open_agentic.SCHEMA)
    open_agentic.zipped(database, home / "backup.zip")
    open_agentic.six_files(database, home / "six")


BUILDERS: dict[str, Callable[[Path], None]] = {
    "Software of You": software_of_you,
    "Genie": genies,
    "memory CLI": memory,
    "kata": katas,
    "Open Agentic Framework": agents,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home folder that the commands run in, with nothing of this machine in reach."""
    for variable in ("KATA_DB", "KATA_HOME", "XDG_DATA_HOME", "DATABASE_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "holdfast"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holdfast").mkdir()
    (tmp_path / "holdfast" / "backup.yaml").write_text("copied_elsewhere: true\n")
    return tmp_path


def test_every_tool_of_the_page_has_its_databases_and_every_row_its_answer() -> None:
    assert list(SECTIONS) == list(BUILDERS)
    for name, rows in SECTIONS.items():
        for row in rows:
            assert row.commands or row.here.startswith((NOT_HERE, SERVED)), (name, row.feature)
            assert bool(row.exit_code) == bool(row.commands), (name, row.feature)


@pytest.mark.slow
@pytest.mark.parametrize("name", SECTIONS)
def test_every_command_of_the_page_ends_as_the_page_says(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    BUILDERS[name](home)
    failed = []
    for row in SECTIONS[name]:
        for command in row.commands:
            code = main(shlex.split(command))
            out, err = capsys.readouterr()
            if str(code) != row.exit_code:
                failed.append(f"{command}\n  ends with {code}, not {row.exit_code}\n{out}{err}")
    assert not failed, "\n".join(failed)
