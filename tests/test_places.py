"""Where things are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast import places
from holdfast.places import Home, find_home


def test_the_home_can_be_chosen(tmp_path):
    assert find_home({"HOLDFAST_HOME": str(tmp_path)}).path == tmp_path


def test_a_chosen_home_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_home({"HOLDFAST_HOME": "here"}).path == tmp_path / "here"
    assert find_home({"HOLDFAST_HOME": "~/there"}).path == tmp_path / "there"


@pytest.mark.parametrize("environment", [{}, {"HOLDFAST_HOME": ""}])
def test_in_a_checkout_it_is_the_checkout(tmp_path, monkeypatch, environment):
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(places, "_ROOT", tmp_path)
    assert find_home(environment).path == tmp_path


def test_in_a_work_tree_whose_git_is_a_file_it_is_the_work_tree(tmp_path, monkeypatch):
    (tmp_path / ".git").write_text("gitdir: /elsewhere\n", "utf-8")
    monkeypatch.setattr(places, "_ROOT", tmp_path)
    assert find_home({}).path == tmp_path


def test_an_installed_plugin_keeps_nothing_in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_ROOT", tmp_path / "plugin")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    home = find_home({})
    assert home.path.is_absolute()
    assert home.path.name == "holdfast"
    assert tmp_path / "plugin" not in (home.path, *home.path.parents)


def test_the_folders_of_a_home():
    home = Home(Path("/home/ann/holdfast"))
    assert home.data == Path("/home/ann/holdfast/data")
    assert home.output == Path("/home/ann/holdfast/output")
    assert home.profiles == Path("/home/ann/holdfast/profiles")
    assert home.sample == Path("/home/ann/holdfast/data/sample.db")


@pytest.mark.parametrize(
    "folder",
    [
        ".gemini/extensions/backup",
        ".claude/plugins/marketplaces/holdfast",
        ".codex/plugins/cache/x",
        "of CODEX_HOME/plugins/cache/holdfast/backup/0.1.0",
        "of CLAUDE_CONFIG_DIR/plugins/marketplaces/holdfast",
        "of COPILOT_HOME/installed-plugins/holdfast/backup",
    ],
)
def test_what_an_assistant_installed_is_no_checkout_though_its_git_came_along(
    tmp_path, monkeypatch, folder
):
    (tmp_path / folder / ".git").mkdir(parents=True)
    monkeypatch.setattr(places, "_ROOT", tmp_path / folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not find_home({}).path.is_relative_to(tmp_path / folder)
