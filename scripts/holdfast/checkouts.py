"""Tell a checkout, which stays where it is, from what an assistant put on the disk."""

import itertools
from pathlib import Path

# Where assistants put what they install, in their folder in the user's home or in the one that
# CODEX_HOME and its like name; Codex and Gemini bring the .git along.
_INSTALLS = {
    (".claude", "plugins"),
    (".codex", "plugins"),
    (".copilot", "plugins"),
    (".gemini", "extensions"),
    ("plugins", "cache"),
    ("plugins", "marketplaces"),
}
_INSTALLED = "installed-plugins"  # of Copilot


def is_installed(folder: Path) -> bool:
    """Tell whether a folder lies where an assistant puts what it installs."""
    names = folder.parts
    return _INSTALLED in names or not _INSTALLS.isdisjoint(itertools.pairwise(names))


def is_checkout(folder: Path) -> bool:
    """
    Tell whether a folder is a clone that a person works with.

    An installed plugin's folder is none, whatever came along: an update replaces it, and nothing
    may be written there.
    """
    return (folder / ".git").exists() and not is_installed(folder)
