"""What assistants read of this plugin: the manifests and commands/backup.md."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import holdfast

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "plugin.json"
CLAUDE = ROOT / ".claude-plugin"
COMMAND = ROOT / "commands" / "backup.md"

ROOT_VARIABLE = "${CLAUDE_PLUGIN_ROOT}"
VERBS = [
    "export",
    "import",
    "status",
    "verify",
    "diff",
    "restore",
    "undo",
    "discover",
    "doctor",
    "keys",
    "prune",
    "sync",
    "schedule",
    "serve",
]
LARGEST_COMMAND = 1600  # characters, with the tags, the root and the typed words filled in
LONG_ROOT = "/home/someone with a long name/.claude/plugins/cache/holdfast/backup/10.10.10"
# Claude Code: https://code.claude.com/docs/en/skills, the keys that this command may need.
FRONTMATTER_KEYS = {
    "name",
    "description",
    "argument-hint",
    "disable-model-invocation",
    "allowed-tools",
}


def command() -> tuple[str, str]:
    """The frontmatter and the body of the command."""
    text = COMMAND.read_text(encoding="utf-8")
    opening, frontmatter, body = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
    assert opening == ""
    return frontmatter, body.strip()


def frontmatter() -> dict[str, Any]:
    """The frontmatter as YAML has it; clients read it less strictly."""
    parsed = yaml.safe_load(command()[0])
    assert isinstance(parsed, dict)
    return parsed


def command_line(verb: str, root: str) -> str:
    """The line of the body that is to be run, for this verb and plugin root."""
    lines: list[str] = re.findall(r"^ {4}(\S.*) OPTIONS$", command()[1], re.MULTILINE)
    assert len(lines) == 1
    return lines[0].replace(ROOT_VARIABLE, root).replace("VERB", verb)


def named_verbs() -> dict[str, str]:
    """What the body's line of each verb says of its arguments, by verb."""
    lines = re.findall(r"^- ([a-z]+)( [^:]*)?: ", command()[1], re.MULTILINE)
    return {verb: arguments for verb, arguments in lines if verb != "other"}


def shipped_files() -> list[Path]:
    """What the client reads of the plugin: manifests, commands and scripts."""
    folders = [CLAUDE, COMMAND.parent, ROOT / "scripts"]
    return [MANIFEST, *folders, *(path for folder in folders for path in folder.rglob("*"))]


# Manifests


def test_the_two_manifests_are_the_same_bytes() -> None:
    assert (CLAUDE / "plugin.json").read_bytes() == MANIFEST.read_bytes()


def test_plugin_marketplace_entry_and_command_share_one_name() -> None:
    # A bare /backup exists only while these agree; another name makes it /backup:backup.
    marketplace = json.loads((CLAUDE / "marketplace.json").read_text(encoding="utf-8"))
    [entry] = marketplace["plugins"]
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    names = [entry["name"], manifest["name"], frontmatter()["name"], COMMAND.stem]
    assert names == ["backup"] * 4
    assert (marketplace["name"], entry["source"]) == ("holdfast", "./")


def test_the_manifest_names_no_schema() -> None:
    # With the Agent Plugins schema Copilot offers nothing from commands/.
    assert "$schema" not in json.loads(MANIFEST.read_text(encoding="utf-8"))


def test_manifest_library_and_changelog_agree_on_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert newest is not None
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    assert manifest["version"] == holdfast.__version__ == newest[1]


# Files


def test_the_command_is_the_only_file_among_the_commands() -> None:
    # Every other Markdown file there would become a command too; Gemini reads its own kind alone.
    assert set(COMMAND.parent.rglob("*")) == {COMMAND, COMMAND.with_suffix(".toml")}


def test_nothing_that_assistants_read_is_a_symbolic_link() -> None:
    # Codex ignores a linked manifest, and a checkout on Windows makes a text file of it.
    assert [path for path in shipped_files() if path.is_symlink()] == []


def test_no_hooks_are_shipped() -> None:
    assert not (ROOT / "hooks").exists()


# Frontmatter


def test_the_frontmatter_has_each_key_once_and_no_key_it_does_not_need() -> None:
    written = re.findall(r"^([\w-]+):", command()[0], re.MULTILINE)
    assert written == list(frontmatter())
    assert set(written) <= FRONTMATTER_KEYS


def test_the_description_is_one_short_sentence() -> None:
    description = frontmatter()["description"]
    assert 0 < len(description) <= 100
    assert "\n" not in description


def test_the_command_costs_nothing_until_the_person_types_it() -> None:
    assert frontmatter()["disable-model-invocation"] is True


def test_only_what_reads_or_adds_a_backup_may_run_without_a_question() -> None:
    assert frontmatter()["allowed-tools"] == [
        f'Bash(python3 "${{CLAUDE_PLUGIN_ROOT}}/scripts/{verb}.py":*)'
        for verb in ("export", "status", "verify", "diff")
    ]


@pytest.mark.parametrize("root", ["/plugins/backup", "/my plugins/backup"])
def test_the_command_line_is_what_the_permission_covers_character_by_character(root: str) -> None:
    rules = [rule.replace(ROOT_VARIABLE, root) for rule in frontmatter()["allowed-tools"]]
    covered = [rule.removeprefix("Bash(").removesuffix(":*)") for rule in rules]
    free = [verb for verb in VERBS if command_line(verb, root) in covered]
    assert free == ["export", "status", "verify", "diff"]


# Body


def test_every_verb_has_its_line_its_script_and_its_place_in_the_hint() -> None:
    hint = frontmatter()["argument-hint"].strip("[]")
    assert list(named_verbs()) == VERBS
    assert [part.split()[0] for part in hint.split(" | ")] == VERBS
    assert [verb for verb in VERBS if not (ROOT / "scripts" / f"{verb}.py").is_file()] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_that_the_body_names_is_one_of_the_script(verb: str) -> None:
    options = set(re.findall(r"--[a-z-]+", named_verbs()[verb]))
    if verb in ("import", "schedule"):
        options.add("--confirm")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / f"{verb}.py", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert options <= set(re.findall(r"--[a-z-]+", done.stdout))


@pytest.mark.parametrize(
    "placeholder",
    [
        pytest.param(r"\$ARGUMENTS", id="arguments"),
        pytest.param(r"\$\d", id="positional"),
        pytest.param(r"\{\{", id="template"),
        pytest.param(r"!`", id="shell"),
        pytest.param(r"(^|\s)@\w", id="file"),
        pytest.param(r"""(^|[\s"'(`])(/|~|[A-Za-z]:\\)\w""", id="absolute path"),
    ],
)
def test_the_body_holds_nothing_that_only_some_assistants_understand(placeholder: str) -> None:
    assert re.findall(placeholder, command()[1]) == []


def test_the_root_is_the_only_variable_and_is_explained_to_who_does_not_fill_it_in() -> None:
    body = command()[1]
    assert body.count("$") == body.count(ROOT_VARIABLE) == 1
    assert "starts with a dollar sign" in body


def test_the_body_says_what_to_do_with_every_kind_of_exit_code() -> None:
    assert re.findall(r"^- (\d+|other): ", command()[1], re.MULTILINE) == ["0", "3", "4", "other"]


def test_the_whole_command_stays_small_where_the_root_is_long() -> None:
    tags = "<command-message>backup:backup</command-message>\n<command-name>/backup:backup"
    tags += "</command-name>\n<command-args></command-args>\n\n\nARGUMENTS: "
    typed = "import backup-2026-11-20.json"
    body = command()[1].replace(ROOT_VARIABLE, LONG_ROOT)
    assert len(tags) + len(body) + 2 * len(typed) <= LARGEST_COMMAND
