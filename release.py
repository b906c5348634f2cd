"""
Makes a release of what is committed, or says all that stands against it.

    python3 release.py      as `make release` does

It runs the checks, builds the wheel and the sdist into dist/, tries the wheel where nothing else
is, and tags the commit. Nothing leaves this machine: it prints the two lines that publish.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BRANCH = "main"
LIBRARY = "scripts/holdfast/__init__.py"
MANIFESTS = ("plugin.json", ".claude-plugin/plugin.json", "gemini-extension.json")
MARKETPLACE = ".claude-plugin/marketplace.json"
CHANGELOG = "CHANGELOG.md"
TESTS = (sys.executable, "-m", "tests")
CHECKS: tuple[list[str], ...] = (["--lint"], [])  # what it is told, in turn
UV = (*TESTS, "--run", "uv")


def main() -> int:
    version = versions()[LIBRARY]
    against = list(refusals(version))
    if against:
        print(f"No release of {version}:", *against, sep="\n- ", file=sys.stderr)
        return 1
    commit = git("rev-parse", "HEAD")
    for words in CHECKS:
        run(*TESTS, *words)
    wheel = build(version)
    try_wheel(wheel, version)
    if git("rev-parse", "HEAD") != commit or git("status", "--porcelain"):
        sys.exit("The tree has changed meanwhile: no tag. See git status, then start again.")
    message = f"Holdfast {version}\n\n{section(version)}"
    git("tag", "--annotate", "--cleanup=whitespace", "--message", message, f"v{version}", commit)
    print(
        f"Holdfast {version} is built, tried and tagged; nothing has left this machine. To publish:"
        f"\n  git push origin {BRANCH} v{version}"
        f"\n  python3 -m tests --run uv publish dist/holdfast-{version}*"
    )
    return 0


def refusals(version: str) -> Iterator[str]:
    """Yield all that stands against a release, each with what to do."""
    if changed := git("status", "--porcelain"):
        yield f"The tree is dirty. Commit these, or take them away:\n{changed}"
    branch = git("branch", "--show-current")
    if branch != BRANCH:
        yield f"This is not {BRANCH} but {branch or 'no branch'}. Check out {BRANCH}."
    if "origin" in git("remote").split():
        yield from _refusals_of_origin(version)
    if git("tag", "--list", f"v{version}"):
        yield f"The tag v{version} is there already. Choose the next version."
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        yield f"{LIBRARY}: {version} is no version to release, such as 1.2.3."
    others = {file: each for file, each in versions().items() if each != version}
    if others:
        named = ", ".join(f"{file} says {each}" for file, each in others.items())
        yield f"The versions differ: {LIBRARY} says {version}, {named}. Make them equal."
    if not _entries(section(version)):
        yield f"{CHANGELOG}: there is nothing under [{version}]. Say what a user notices."
    if _entries(section("Unreleased")):
        yield f"{CHANGELOG}: there is still something Unreleased. Move it under [{version}]."


def _refusals_of_origin(version: str) -> Iterator[str]:
    try:
        git("fetch", "--quiet", "origin", BRANCH)
        tags = git("ls-remote", "--tags", "origin", f"v{version}")
    except subprocess.CalledProcessError as error:
        yield f"origin cannot be asked whether {BRANCH} is behind: {error.stderr.strip()}"
        return
    if count := int(git("rev-list", "--count", "HEAD..FETCH_HEAD")):
        yield f"{BRANCH} is behind origin by {count}. Pull first."
    if tags:
        yield f"The tag v{version} is at origin already. Choose the next version."


def versions() -> dict[str, str]:
    """Return the version that each file says, by the file."""
    [own] = re.findall(r'^__version__ = "(.+)"$', text_of(LIBRARY), re.MULTILINE)
    found = {LIBRARY: own} | {file: json.loads(text_of(file))["version"] for file in MANIFESTS}
    for plugin in json.loads(text_of(MARKETPLACE))["plugins"]:
        if "version" in plugin:
            found[MARKETPLACE] = plugin["version"]
    return found


def section(title: str) -> str:
    """Return what the changelog says under a heading; nothing when there is none."""
    _, *found = re.split(r"^## \[?([\w.]+)\]?.*$", text_of(CHANGELOG), flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True)).get(title, "").strip()


def _entries(text: str) -> list[str]:
    return re.findall(r"^[-*] +\S.*", text, re.MULTILINE)


def build(version: str) -> Path:
    """Build wheel and sdist into dist/, the same bytes from the same commit; return the wheel."""
    made_at = git("log", "-1", "--format=%ct")
    run(*UV, "build", "--quiet", "--out-dir", "dist", SOURCE_DATE_EPOCH=made_at)
    return ROOT / "dist" / f"holdfast-{version}-py3-none-any.whl"


def try_wheel(wheel: Path, version: str) -> None:
    """Make, prove and restore a backup with the wheel, in an environment with nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(*UV, "venv", "--quiet", "--python", sys.executable, folder / "environment")
        python = folder / "environment" / ("Scripts" if os.name == "nt" else "bin") / "python"
        run(*UV, "pip", "install", "--quiet", "--python", python, wheel)
        empty = {"HOME": name, "HOLDFAST_HOME": str(folder / "home"), "PYTHONPATH": ""}
        program = python.with_name("holdfast")
        asked = subprocess.run([program, "--version"], env=os.environ | empty, capture_output=True)
        if asked.stdout.decode().strip() != f"holdfast {version}":
            sys.exit(
                f"No release: the wheel says {asked.stdout.decode().strip()!r}, not {version}."
            )
        for words in (["export", "--sample"], ["verify", "latest"], ["status", "--sample"]):
            run(program, *words, **empty)
        run(program, "restore", "latest", "--to", folder / "again.db", **empty)


def run(*command: str | Path, **variables: str) -> None:
    """Run a command in the checkout, before everyone's eyes; end when it fails."""
    words = [str(word) for word in command]
    print("$", *words, flush=True)
    exit_code = subprocess.run(words, cwd=ROOT, env=os.environ | variables).returncode
    if exit_code:
        sys.exit(f"No release: that failed with exit code {exit_code}.")


def git(*words: str) -> str:
    """Return what git prints."""
    done = subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout.strip()


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
