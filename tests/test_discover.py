"""Discovery: which databases of tools are found, and how they get into the settings."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.errors import SettingsError, UsageError
from holdfast.operations.context import choose_database
from holdfast.operations.discover import DiscoverOptions, discover
from holdfast.profiles import Complaint, Location, Profile, databases_at, load_settings
from holdfast.profiles.adding import with_databases
from holdfast.profiles.profile import Registry
from holdfast.reports import text
from tests.conftest import run_sql
from tests.running import run

LLM = """
CREATE TABLE _llm_migrations (name TEXT PRIMARY KEY, applied_at TEXT);
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (id TEXT PRIMARY KEY, prompt TEXT, conversation_id TEXT);
INSERT INTO conversations VALUES ('a', 'First', 'small'), ('b', 'Second', 'small');
"""
KEPT = """# mine
databases:
  work: data/work.db   # the old one

  deep:
    path: ~/deep.db
    profile: soy

output: ~/backups # at home
"""


@pytest.fixture
def machine(context, tmp_path, monkeypatch):
    """A context in whose person's home llm keeps a database."""
    user = tmp_path / "user"
    monkeypatch.setenv("HOME", str(user))
    logs = user / ".config" / "io.datasette.llm" / "logs.db"
    logs.parent.mkdir(parents=True)
    run_sql(logs, LLM)
    return replace(context(), platform="linux", user_home=user)


def test_a_database_is_found_where_its_tool_keeps_it_and_said_to_be_unsafe(machine, tmp_path):
    report = discover(machine, DiscoverOptions())
    (found,) = report.databases
    assert (found.name, found.tool, found.row_count) == ("llm", "llm", 2)
    assert found.path == tmp_path / "user/.config/io.datasette.llm/logs.db"
    assert found.last_backup_at is None and not found.is_configured and not found.problem
    assert "1 database found, 0 of them backed up" in text(report)
    assert "never backed up" in text(report)
    assert "discover --add NAME" in text(report)


def test_where_nothing_is_found_it_is_said_how_any_database_is_backed_up(machine, tmp_path):
    report = discover(replace(machine, user_home=tmp_path / "nobody"), DiscoverOptions())
    assert report.databases == ()
    assert text(report).endswith("\nTo back up any SQLite database: export --db PATH")


def test_links_in_a_circle_and_into_nothing_are_said_to_be_none(machine):
    data = machine.home.data
    data.mkdir(parents=True)
    (data / "circle.db").symlink_to("circle.db")
    (data / "nowhere.db").symlink_to("gone.db")
    run_sql(data / "own.db", LLM)
    found = {each.name: each.problem for each in discover(machine, DiscoverOptions()).databases}
    assert found.pop("circle") == f"no database at {data}/circle.db"
    assert found.pop("gone") == f"no database at {data}/gone.db"
    assert list(found.values()) == ["", ""]


def test_what_an_override_names_is_taken_instead_of_the_default(machine, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run_sql(elsewhere / "logs.db", LLM)
    moved = replace(machine, environment={"LLM_USER_PATH": str(elsewhere)})
    assert [each.path for each in discover(moved, DiscoverOptions()).databases] == [
        elsewhere / "logs.db"
    ]


def test_add_all_puts_what_is_found_into_the_settings_once(machine):
    report = discover(machine, DiscoverOptions(add=("all",)))
    assert report.added == ("llm",)
    settings = machine.home.path / "backup.yaml"
    assert settings.read_text() == 'databases:\n  llm: "~/.config/io.datasette.llm/logs.db"\n'
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    again = discover(replace(machine), DiscoverOptions(add=("all",)))
    assert again.added == ()
    assert [(each.name, each.is_configured) for each in again.databases] == [("llm", True)]
    assert "--add" not in text(again)


def test_a_name_that_was_not_found_is_refused_and_adds_nothing(machine):
    with pytest.raises(UsageError, match="nothing called crush was found"):
        discover(machine, DiscoverOptions(add=("llm", "crush")))
    assert not (machine.home.path / "backup.yaml").exists()


def test_a_file_that_is_no_database_is_named_with_what_is_wrong_and_not_added(machine, tmp_path):
    (tmp_path / "user/.config/io.datasette.llm/logs.db").write_bytes(b"no database at all" * 99)
    report = discover(machine, DiscoverOptions(add=("all",)))
    assert report.added == ()
    assert "cannot be read" in text(report)


def test_a_database_that_is_not_recognised_is_named_by_its_file(machine):
    machine.home.data.mkdir(parents=True)
    run_sql(machine.home.data / "my notes.db", "CREATE TABLE n (a); INSERT INTO n VALUES (1);")
    found = {each.name: each.tool for each in discover(machine, DiscoverOptions()).databases}
    assert found == {"llm": "llm", "my-notes": ""}


def test_two_of_one_tool_get_names_that_tell_them_apart(machine, tmp_path):
    for project in ("blue", "red"):
        folder = tmp_path / project
        folder.mkdir()
        run_sql(folder / "logs.db", LLM)
    machine.home.path.mkdir(parents=True)
    machine.home.profiles.mkdir()
    (machine.home.profiles / "llm.yaml").write_text(
        "name: llm\ntitle: llm\nrecognise: [responses]\n"
        f"locations:\n  - paths: ['{tmp_path}/*/logs.db']\n"
    )
    names = [each.name for each in discover(machine, DiscoverOptions()).databases]
    assert names == ["llm", "llm-red"]


def test_discovery_leaves_the_databases_as_they_are(machine, tmp_path):
    before = {path: path.read_bytes() for path in (tmp_path / "user").rglob("*") if path.is_file()}
    discover(machine, DiscoverOptions(add=("all",)))
    after = {path: path.read_bytes() for path in (tmp_path / "user").rglob("*") if path.is_file()}
    assert after == before


def test_what_is_asked_for_by_name_and_cannot_be_read_is_said_not_to_be_added(machine, tmp_path):
    logs = tmp_path / "user/.config/io.datasette.llm/logs.db"
    logs.write_bytes(b"Dear diary\n" * 1000)
    report = discover(machine, DiscoverOptions(add=("llm",)))
    assert report.added == ()
    assert report.warnings == (
        f"llm was not added: {logs} is not a SQLite database, or is encrypted",
    )


def test_what_a_tool_can_make_anew_is_added_only_by_its_name(machine):
    machine.home.profiles.mkdir(parents=True)
    (machine.home.profiles / "llm.yaml").write_text(
        "name: llm\ntitle: llm\nrecognise: [responses]\nrebuildable: files beside it\n"
        "locations:\n  - paths: [~/.config/io.datasette.llm/logs.db]\n"
    )
    assert discover(machine, DiscoverOptions(add=("all",))).added == ()
    report = discover(machine, DiscoverOptions(add=("llm",)))
    assert report.added == ("llm",)
    assert "can be made anew from files beside it" in text(report)


def test_an_export_that_names_no_database_takes_the_one_that_is_no_copy(machine, tmp_path):
    machine.home.profiles.mkdir(parents=True)
    (machine.home.profiles / "a.yaml").write_text(
        "name: a\ntitle: A\nrebuildable: its files\n"
        f"locations:\n  - paths: ['{tmp_path}/cache.db']\n"
    )
    run_sql(tmp_path / "cache.db", "CREATE TABLE t (a);")
    assert choose_database(machine).path.name == "logs.db"


def tool(*locations: Location) -> Profile:
    return Profile("tool", "Tool", locations=locations)


@pytest.mark.skipif(sys.platform == "win32", reason="the expected paths are POSIX paths")
def test_patterns_match_the_names_of_files_and_nothing_in_what_a_variable_holds(tmp_path):
    home = tmp_path / "a[b]*"
    (home / "x").mkdir(parents=True)
    for name in ("state_5.sqlite", "state_10.sqlite", "state.sqlite-wal", "other.sqlite"):
        (home / name).touch()
    (home / "state_folder.sqlite").mkdir()
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "state_1.sqlite").touch()
    found = databases_at(
        tool(Location(("$TOOL_HOME/state_*.sqlite",))), {"TOOL_HOME": str(home)}, home, "linux"
    )
    assert [path.name for path in found] == ["state_10.sqlite", "state_5.sqlite"]


@pytest.mark.skipif(sys.platform == "win32", reason="the expected paths are POSIX paths")
@pytest.mark.parametrize(
    ("content", "names"),
    [
        (json.dumps({"projects": [{"path": "{}/one"}, {"path": "{}/two"}]}), ["one"]),
        (json.dumps({"projects": [{"path": "relative"}]}), []),
        (json.dumps({"projects": [{"other": 1}]}), []),
        (json.dumps({"projects": {"path": 3}}), []),
        (json.dumps([]), []),
        ("no json", []),
    ],
)
def test_a_registry_leads_to_the_databases_of_the_folders_it_lists(tmp_path, content, names):
    for project in ("one", "three"):
        (tmp_path / project).mkdir()
        (tmp_path / project / "tool.db").touch()
    listing = tmp_path / "projects.json"
    listing.write_text(content.replace("{}", str(tmp_path)))
    place = Location((str(listing),), registry=Registry("projects", "path", "tool.db"))
    found = databases_at(tool(place), {}, tmp_path, "linux")
    assert [path.parent.name for path in found] == names
    assert databases_at(tool(place), {}, tmp_path, "linux") == found
    listing.unlink()
    assert databases_at(tool(place), {}, tmp_path, "linux") == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'databases:\n  new: "~/n.db"\n'),
        ("# only words\n", '# only words\ndatabases:\n  new: "~/n.db"\n'),
        ("output: ~/b", 'output: ~/b\ndatabases:\n  new: "~/n.db"\n'),
        ("databases:\noutput: ~/b\n", 'databases:\n  new: "~/n.db"\noutput: ~/b\n'),
        (
            KEPT,
            KEPT.replace("    profile: soy\n", '    profile: soy\n  new: "~/n.db"\n'),
        ),
        (
            "databases:\n    a: {path: a.db}\n",
            'databases:\n    a: {path: a.db}\n    new: "~/n.db"\n',
        ),
    ],
)
def test_a_database_is_added_behind_the_others_and_all_else_stays(before, after):
    assert with_databases(before, {"new": "~/n.db"}) == after


@pytest.mark.parametrize("text", ["databases: {a: a.db}", "- a\n- b\n", "databases: ["])
def test_settings_that_nothing_can_be_added_to_are_left_alone(text):
    with pytest.raises(Complaint):
        with_databases(text, {"new": "n.db"})


def test_settings_in_one_line_are_left_alone_and_the_lines_to_add_are_named(machine):
    settings = machine.home.path / "backup.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("databases: {a: a.db}\n")
    with pytest.raises(SettingsError, match="nothing can be added") as caught:
        discover(machine, DiscoverOptions(add=("llm",)))
    assert "llm: ~/.config/io.datasette.llm/logs.db" in caught.value.hint
    assert settings.read_text() == "databases: {a: a.db}\n"


def test_paths_of_any_characters_come_back_from_the_settings(tmp_path):
    odd = '/a "b": #c\\d/é\u2028.db'
    (tmp_path / "backup.yaml").write_text(with_databases(KEPT, {"odd": odd}), encoding="utf-8")
    assert load_settings(tmp_path).databases["odd"].path == Path(odd)


def test_the_script_finds_adds_and_says_so_in_json(tmp_path):
    home = tmp_path / "home"
    logs = tmp_path / ".config" / "io.datasette.llm" / "logs.db"
    logs.parent.mkdir(parents=True)
    run_sql(logs, LLM)
    found = json.loads(run(home, "discover", "--add", "all", "--json").stdout)
    assert found["added"] == ["llm"]
    assert found["databases"][0]["path"] == str(logs)
    shown = run(home, "export", exit_code=0).stdout
    assert "llm in backup.yaml" in shown
    assert "backed up" in run(home, "discover").stdout
    assert "1 of them backed up" in run(home, "discover").stdout


def test_secrets_are_told_by_column_and_only_where_it_is_there(machine):
    machine.home.profiles.mkdir(parents=True)
    (machine.home.profiles / "llm.yaml").write_text(
        "name: llm\ntitle: llm\nrecognise: [responses]\nsecrets:\n  responses:\n"
        "    - prompt[ID=a].key\n    - prompt[id=b]\n    - prompt[absent=b]\n    - absent\n"
        "locations: [{paths: [~/.config/io.datasette.llm/logs.db]}]\n"
    )
    (found,) = discover(replace(machine), DiscoverOptions()).databases
    assert found.secrets == ("responses.prompt",)
