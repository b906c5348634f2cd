"""Profiles: what a YAML file may say, which profile fits, where a tool keeps its databases."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from msgspec import Struct

from holdfast.errors import ProfileError, SettingsError
from holdfast.operations.context import profile_of
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.profiles import (
    Activity,
    Group,
    ImportFacts,
    Location,
    Meta,
    Profile,
    Reference,
    activity_row,
    load_profiles,
    load_profiles_quickly,
    location_paths,
    profile_folder,
    recognise,
)
from tests.conftest import run_sql

ROOT = Path(__file__).parents[1]
MINIMAL = "name: tool\ntitle: Tool\nrecognise: [items]\n"
FACTS = ImportFacts(
    source="backup-2026-11-20.json",
    details='{"tables": {"a": 1}}',
    actor="cli",
    mode="update",
    time="2026-11-20T14:22:33Z",
)

SOY_EXPECTED_TABLES = {
    *("contacts", "tags", "entity_tags", "notes", "activity_log", "modules"),
    *("contact_interactions", "contact_relationships", "follow_ups", "projects", "tasks"),
    *("milestones", "emails", "calendar_events", "transcripts", "transcript_participants"),
    *("commitments", "conversation_metrics", "communication_insights", "relationship_scores"),
    *("generated_views", "soy_meta"),
}
SOY_OTHER_TABLES = {
    *("decisions", "journal_entries", "standalone_notes", "transcript_sources", "user_profile"),
    *("google_accounts", "pipeline_runs", "pipeline_phases", "health_checks", "slack_channels"),
    *("slack_messages", "signals", "entity_narratives", "schema_migrations"),
}


def load(folder: Path, text: str | bytes, name: str = "tool.yaml") -> Profile:
    """The one profile of a folder that holds it alone."""
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    (profile,) = load_profiles(folder)
    return profile


def profile(name: str, *tables: str, locations: tuple[Location, ...] = ()) -> Profile:
    return Profile(name=name, title=name, recognise=tables, locations=locations)


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML with its C parser and without, as some systems build it."""
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML has no C parser")


@pytest.fixture
def soy() -> Profile:
    return next(each for each in load_profiles(profile_folder()) if each.name == "soy")


# What a file may say


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    text = """
        name: tool
        title: The tool
        source: its migrations
        checked: 2026-11-20
        recognise: [items, meta]
        tables: [items, meta, "on"]
        groups:
          work: {tables: [items], default: false, title: Work, description: All of it}
        order: [meta]
        skip_on_import: {cache: made again}
        headline: [items]
        meta: {table: meta, key_column: k, value_column: v, key: backup}
        activity: {table: log, values: {what: "{mode} {source}", weight: 1.5, n: 0, none: null}}
        locations:
          - {paths: [$TOOL_DB, ~/.tool/tool.db], systems: [linux, macos]}
    """
    assert load(tmp_path, text) == Profile(
        name="tool",
        title="The tool",
        recognise=("items", "meta"),
        tables=("items", "meta", "on"),
        groups={"work": Group(("items",), default=False, title="Work", description="All of it")},
        order=("meta",),
        skip_on_import={"cache": "made again"},
        headline=("items",),
        meta=Meta("meta", "k", "v", "backup"),
        activity=Activity("log", {"what": "{mode} {source}", "weight": 1.5, "n": 0, "none": None}),
        locations=(Location(("$TOOL_DB", "~/.tool/tool.db"), ("linux", "macos")),),
        source="its migrations",
        checked=datetime.date(2026, 11, 20),
    )


def test_three_keys_are_enough(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL) == Profile(name="tool", title="Tool", recognise=("items",))


def test_a_key_without_a_value_counts_as_left_out(tmp_path: Path) -> None:
    loaded = load(tmp_path, MINIMAL + "groups:\norder:\nmeta:\n")
    assert (loaded.groups, loaded.order, loaded.meta) == ({}, (), None)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + MINIMAL.encode()).name == "tool"


REFERENCE = "{{table: {}, columns: [of], parent: b, parent_columns: [id], where: {}}}"


def test_a_reference_may_be_of_several_tables_and_of_some_rows(tmp_path: Path) -> None:
    text = f"references: [{REFERENCE.format('[a, c]', '{kind: [b, 2], level: 1}')}]"
    [reference] = load(tmp_path, MINIMAL + text).references
    assert reference.tables == ("a", "c")
    assert reference.where == {"kind": ("b", 2), "level": 1}
    [plain] = load(tmp_path, MINIMAL + text.replace("[a, c]", "a")).references
    assert plain.tables == ("a",)
    cached = tmp_path / "cache"
    for _ in range(2):
        [tool] = load_profiles_quickly(tmp_path, tmp_path / "none", cached)
        assert tool.references == (plain,)


def test_a_group_may_name_tables_that_are_not_expected(tmp_path: Path) -> None:
    loaded = load(tmp_path, MINIMAL + "tables: [items]\ngroups: {more: {tables: [extras]}}\n")
    assert loaded.groups["more"].tables == ("extras",)


# (what is added to MINIMAL, the complaint without the file's name)
WRONG_VALUES = [
    ("tabels: [a]", "tabels: there is no such key"),
    ("7: a", "7: there is no such key"),
    ("tables: a", 'tables: give a list, not "a"'),
    ("tables: {a: b}", "tables: give a list, not keys and values"),
    ("tables: []", "tables: an empty list"),
    ("tables: [a, b, a]", 'tables[2]: "a" is in the list twice'),
    ("tables: [a, 7]", "tables[1]: give the name of a table, not 7"),
    ("tables: [a, on]", "tables[1]: give the name of a table, not true"),
    ("tables: [a, null]", "tables[1]: give the name of a table, not nothing"),
    ("tables: [a, '']", 'tables[1]: give the name of a table, not ""'),
    ("tables: [a, [b]]", "tables[1]: give the name of a table, not a list"),
    ("tables: [2026-11-20]", "tables[0]: give the name of a table, not 2026-11-20"),
    ("groups: {crm: {tables: [a, b, 7]}}", "groups.crm.tables[2]: give the name of a table, not 7"),
    ("groups: {crm: {}}", "groups.crm.tables: missing: give a list"),
    ("groups: {crm: {table: [a]}}", "groups.crm.table: there is no such key"),
    (
        "groups: {crm: [a]}",
        "groups.crm: give the keys tables, default, title, description, not a list",
    ),
    (
        "groups: {crm: }",
        "groups.crm: give the keys tables, default, title, description, not nothing",
    ),
    ("groups: [crm]", "groups: give names with their values, not a list"),
    (
        "groups: {../crm: {tables: [a]}}",
        'groups.../crm: give a short name of letters, digits, - and _, not "../crm"',
    ),
    (
        "groups: {7: {tables: [a]}}",
        "groups.7: give a short name of letters, digits, - and _, not 7",
    ),
    ("groups: {crm: {tables: [a], default: 1}}", "groups.crm.default: give true or false, not 1"),
    ("skip_on_import: {a: }", "skip_on_import.a: give text, not nothing"),
    ("skip_on_import: {1: why}", "skip_on_import.1: give the name of a table, not 1"),
    ("meta: soy_meta", 'meta: give the keys table, key_column, value_column, key, not "soy_meta"'),
    ("meta: {table: a}", "meta.key_column: missing: give the name of a column"),
    ("changed_at: updated_at", 'changed_at: give a list, not "updated_at"'),
    ("changed_at: []", "changed_at: an empty list"),
    ("changed_at: [5]", "changed_at[0]: give the name of a column, not 5"),
    ("changed_at: [a, a]", 'changed_at[1]: "a" is in the list twice'),
    (
        "activity: {table: a, values: {b: [1]}}",
        "activity.values.b: give text or a whole number or a number or names with their values,"
        " not a list",
    ),
    (
        "activity: {table: a, values: {b: true}}",
        "activity.values.b: give text or a whole number or a number or names with their values,"
        " not true",
    ),
    (
        "activity: {table: a, values: {b: 'by {who}'}}",
        "activity.values.b: unknown placeholder in by {who}",
    ),
    (
        "activity: {table: a, values: {b: '{source.__class__}'}}",
        "activity.values.b: unknown placeholder in {source.__class__}",
    ),
    (
        "activity: {table: a, values: {b: '{source!r}'}}",
        "activity.values.b: unknown placeholder in {source!r}",
    ),
    ("activity: {table: a, values: {b: '{}'}}", "activity.values.b: unknown placeholder in {}"),
    (
        "activity: {table: a, values: {b: '{source'}}",
        "activity.values.b: a brace without its other half in {source",
    ),
    (
        "locations: [{paths: [data/a.db]}]",
        'locations[0].paths[0]: give a path that starts with ~/, $VARIABLE or /, not "data/a.db"',
    ),
    (
        "locations: [{paths: [~/a.db, $/a.db]}]",
        "locations[0].paths[1]: $/a.db has a $ that starts no variable",
    ),
    (
        "locations: [{paths: [~/a.db], systems: [beos]}]",
        'locations[0].systems[0]: give linux, macos or windows, not "beos"',
    ),
    *(
        (f"references: [{REFERENCE.format('a', where)}]", f"references[0].where{complaint}")
        for where, complaint in (
            ("{k: true}", ".k: give text or a whole number or a list, not true"),
            ("{k: 1.5}", ".k: give text or a whole number or a list, not 1.5"),
            ("{k: }", ".k: give text or a whole number or a list, not nothing"),
            ("{k: {a: b}}", ".k: give text or a whole number or a list, not keys and values"),
            ("{k: []}", ".k: an empty list"),
            ("{k: [a, false]}", ".k[1]: give text or a whole number, not false"),
            ("{k: [a, a]}", '.k[1]: "a" is in the list twice'),
            ('{k: "a\\0"}', '.k: give text, not "a\\u0000"'),
            ("k = 1", ': give names with their values, not "k = 1"'),
            ("{7: a}", ".7: give the name of a column, not 7"),
        )
    ),
    (
        f"references: [{REFERENCE.format('[a, 7]', '{k: a}')}]",
        "references[0].table[1]: give the name of a table, not 7",
    ),
    ("checked: soon", 'checked: give a date such as 2026-11-20, not "soon"'),
    (
        "checked: 2026-11-20 10:00:00",
        "checked: give a date such as 2026-11-20, not 2026-11-20 10:00:00",
    ),
    ("source: 12", "source: give text, not 12"),
    *(
        (
            f"secrets: {{a: ['{name}']}}",
            "secrets.a[0]: give a column such as token, config.key or value[name=*_key], with ** at"
            f' the end alone, not "{name}"',
        )
        for name in ("v[k=x", "v[k]", "v[=x]", "v[k=]", "[k=x]", "v[k=x]y", "v.**.x", " ")
    ),
    (f"checked: {'a' * 99}", f'checked: give a date such as 2026-11-20, not "{"a" * 56}...'),
]


@pytest.mark.parametrize(("added", "complaint"), WRONG_VALUES)
def test_a_wrong_value_is_an_error_that_names_file_and_key(
    tmp_path: Path, added: str, complaint: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        load(tmp_path, MINIMAL + added)
    assert str(caught.value) == f"tool.yaml: {complaint}"
    assert str(tmp_path / "tool.yaml") in caught.value.hint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "name: missing: give a short name of letters, digits, - and _"),
        ("# nothing yet", "name: missing: give a short name of letters, digits, - and _"),
        ("name: tool\nrecognise: [a]", "title: missing: give text"),
        ("name: tool\ntitle:\nrecognise: [a]", "title: missing: give text"),
        ("name: tool\ntitle: Tool\nrecognise: []", "recognise: an empty list"),
        (MINIMAL + "order: [a]\norder: [b]", "line 5: order: already given in line 4"),
        (MINIMAL + "groups: {a: {tables: [x], tables: [y]}}", "line 4: tables: already given"),
        (MINIMAL + "order: [a\ntables: [b]\n", "line 5: not valid YAML: "),
        (MINIMAL + "order: a: b\n", "line 4: not valid YAML: "),
        (MINIMAL + "\torder: [a]\n", "line 4: not valid YAML: "),
        (MINIMAL + "---\nname: other\n", "line 4: not valid YAML: "),
        (MINIMAL + "? [a]\n: b\n", "line 4: not valid YAML: "),
        (MINIMAL + "order: !!python/name:os.system\n", "line 4: not valid YAML: "),
        (MINIMAL + "order: *nowhere\n", "line 4: not valid YAML: "),
        (MINIMAL + "order: \x01\n", "not valid YAML: it has a control character"),
        (MINIMAL + "checked: 2026-13-45\n", "not valid YAML: a value cannot be read: month must"),
        (MINIMAL + "order: &a [*a]\n", "order[0]: give the name of a table, not a list"),
        ("- name: tool", "give the keys name, title, recognise, "),
        (b"name: caf\xe9", "not UTF-8 at byte 9"),
        ("name: other\ntitle: Tool\nrecognise: [a]", "name: give tool, as the file is called,"),
    ],
)
@pytest.mark.usefixtures("parser")
def test_a_file_that_is_no_profile_is_an_error_that_says_where(
    tmp_path: Path, text: str | bytes, complaint: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"tool.yaml: {complaint}")
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "tool.yaml") in caught.value.hint


@pytest.mark.parametrize(
    ("added", "hint"),
    [
        ("groups: {crm: {tabels: [a]}}", "Did you mean tables?"),
        ("meta: {xyz: a}", "The keys here are table, key_column, value_column, key."),
        ("tables: contacts", "Write it as a list: [contacts]."),
        ("tables: [on]", "Put it in quotes if it is meant as text."),
        ("tables: []", "Name at least one, or leave the key out."),
        ("activity: {table: a, values: {b: '{who}'}}", "source, details, actor, mode, time"),
        ("order: a: b", "Indent with spaces, never tabs"),
    ],
)
def test_the_hint_says_how_to_put_it_right(tmp_path: Path, added: str, hint: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load(tmp_path, MINIMAL + added)
    assert hint in caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "tool.yaml").mkdir()
    with pytest.raises(ProfileError, match=r"^tool\.yaml: cannot read it: "):
        load_profiles(tmp_path)


def test_a_link_to_a_profile_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "tool.yaml").symlink_to(tmp_path / "gone")
    with pytest.raises(ProfileError, match=r"^tool\.yaml: a link to a file that is gone$"):
        load_profiles(tmp_path)


# Which profiles there are


def test_the_persons_own_profile_wins_over_the_bundled_one(tmp_path: Path) -> None:
    bundled, own = tmp_path / "bundled", tmp_path / "own"
    for folder, names in ((bundled, ["b", "c"]), (own, ["a", "b"])):
        folder.mkdir()
        for name in names:
            text = f"name: {name}\ntitle: {folder.name}\nrecognise: [x]"
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    loaded = [(each.name, each.title) for each in load_profiles(bundled, own)]
    assert loaded == [("a", "own"), ("b", "own"), ("c", "bundled")]


def test_folders_that_are_not_there_hold_no_profiles(tmp_path: Path) -> None:
    assert load_profiles(tmp_path / "none", tmp_path / "neither") == ()


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("", encoding="utf-8")
    with pytest.raises(ProfileError, match="cannot read the folder of profiles"):
        load_profiles(tmp_path / "profiles")


def test_only_yaml_files_that_are_not_hidden_are_profiles(tmp_path: Path) -> None:
    for name in ("._tool.yaml", "notes.txt", "tool.yaml.bak"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    assert load(tmp_path, MINIMAL).name == "tool"


def test_bundled_profiles_are_beside_the_scripts_in_a_checkout(tmp_path: Path) -> None:
    assert profile_folder() == ROOT / "data" / "profiles"
    assert profile_folder(tmp_path / "scripts" / "holdfast") == tmp_path / "data" / "profiles"


def test_bundled_profiles_are_inside_the_package_in_a_wheel(tmp_path: Path) -> None:
    (tmp_path / "holdfast" / "data" / "profiles").mkdir(parents=True)
    assert profile_folder(tmp_path / "holdfast") == tmp_path / "holdfast" / "data" / "profiles"


# Which profile fits


@pytest.mark.parametrize(
    ("tables", "name"),
    [
        ([], None),
        (["users"], None),
        (["users", "items"], "small"),
        (["items", "users", "tags"], "large"),
        (["ITEMS", "Users"], "small"),
    ],
)
def test_the_profile_that_recognises_most_tables_fits(tables: list[str], name: str | None) -> None:
    profiles = [profile("small", "users", "items"), profile("large", "users", "items", "Tags")]
    found = recognise(profiles, tables)
    assert (found.name if found else None) == name


def test_of_two_profiles_that_fit_equally_the_first_is_taken() -> None:
    profiles = [profile("a", "users"), profile("b", "users")]
    assert recognise(profiles, iter(["users"])) is profiles[0]


# What an import logs


def test_an_activity_row_has_its_placeholders_filled_and_its_constants_kept() -> None:
    values = {"file": "{source}", "by": "{actor}: {mode} {{{time}}}", "details": "{details}"}
    row = activity_row(Activity("log", {"type": "import", "id": 0, "x": None, **values}), FACTS)
    assert row == {
        "type": "import",
        "id": 0,
        "file": "backup-2026-11-20.json",
        "by": "cli: update {2026-11-20T14:22:33Z}",
        "details": '{"tables": {"a": 1}}',
        "x": None,
    }


# Where a tool keeps its databases

XDG = Location(("$XDG_DATA_HOME/tool/tool.db",))
FIRST_SET = Location(("$TOOL_DB", "${TOOL_HOME}/tool.db", "~/.tool/tool.db"))


@pytest.mark.parametrize(
    ("locations", "environment", "platform", "paths"),
    [
        ([], {}, "linux", []),
        ([XDG], {}, "linux", ["/home/me/.local/share/tool/tool.db"]),
        ([XDG], {}, "darwin", ["/home/me/.local/share/tool/tool.db"]),
        ([XDG], {"XDG_DATA_HOME": "/x"}, "linux", ["/x/tool/tool.db"]),
        ([XDG], {"XDG_DATA_HOME": ""}, "linux", ["/home/me/.local/share/tool/tool.db"]),
        ([XDG], {"XDG_DATA_HOME": "x"}, "linux", ["/home/me/.local/share/tool/tool.db"]),
        ([FIRST_SET], {}, "linux", ["/home/me/.tool/tool.db"]),
        ([FIRST_SET], {"TOOL_HOME": "/t"}, "linux", ["/t/tool.db"]),
        ([FIRST_SET], {"TOOL_HOME": ""}, "linux", ["/home/me/.tool/tool.db"]),
        ([FIRST_SET], {"TOOL_HOME": "~/t"}, "linux", ["/home/me/t/tool.db"]),
        ([FIRST_SET], {"TOOL_HOME": "/t", "TOOL_DB": "/d.db"}, "linux", ["/d.db"]),
        ([FIRST_SET], {"TOOL_HOME": "/t", "TOOL_DB": ""}, "linux", ["/t/tool.db"]),
        ([FIRST_SET], {"TOOL_DB": "data/relative.db"}, "linux", ["/home/me/.tool/tool.db"]),
        ([Location(("$TOOL_DB",))], {}, "linux", []),
        ([Location(("/a$$b.db",))], {}, "linux", ["/a$b.db"]),
        ([XDG, XDG, FIRST_SET], {"TOOL_DB": "/home/me/.local/share/tool/tool.db"}, "linux", [
            "/home/me/.local/share/tool/tool.db",
        ]),
        ([Location(("~/m.db",), ("macos",)), Location(("~/l.db",), ("linux",))], {}, "darwin", [
            "/home/me/m.db",
        ]),
        ([Location(("~/m.db",), ("macos", "windows"))], {}, "linux", []),
        ([Location(("$LOCALAPPDATA/w.db",), ("windows",))], {"LOCALAPPDATA": "/la"}, "win32", [
            "/la/w.db",
        ]),
    ],
)  # fmt: skip
@pytest.mark.skipif(sys.platform == "win32", reason="the expected paths are POSIX paths")
def test_a_location_is_its_first_path_whose_variables_are_set(
    locations: list[Location], environment: dict[str, str], platform: str, paths: list[str]
) -> None:
    tool = profile("tool", "items", locations=tuple(locations))
    found = location_paths(tool, environment, Path("/home/me"), platform)
    assert found == tuple(Path(path) for path in paths)


# Software of You


def test_every_bundled_profile_says_where_its_facts_are_from() -> None:
    loaded = load_profiles(profile_folder())
    assert "soy" in [each.name for each in loaded]
    assert [each.name for each in loaded if not (each.source and each.checked)] == []


def test_software_of_you_expects_the_tables_of_its_own_backup(soy: Profile) -> None:
    assert len(soy.tables) == 22
    assert set(soy.tables) == SOY_EXPECTED_TABLES


def test_every_table_of_software_of_you_is_in_one_group(soy: Profile) -> None:
    grouped = [table for group in soy.groups.values() for table in group.tables]
    assert len(grouped) == 36
    assert set(grouped) == SOY_EXPECTED_TABLES | SOY_OTHER_TABLES


def test_software_of_you_names_only_tables_that_it_has(soy: Profile) -> None:
    assert soy.meta
    assert soy.activity
    named = {*soy.recognise, *soy.order, *soy.headline, *soy.skip_on_import}
    named |= {soy.meta.table, soy.activity.table}
    assert named <= SOY_EXPECTED_TABLES | SOY_OTHER_TABLES


def test_software_of_you_is_recognised_by_its_tables(soy: Profile) -> None:
    assert recognise([soy], SOY_EXPECTED_TABLES) is soy
    assert recognise([soy], SOY_EXPECTED_TABLES - {"soy_meta"}) is None


def test_software_of_you_imports_modules_and_contacts_first_and_no_views(soy: Profile) -> None:
    assert soy.order == ("modules", "contacts")
    assert soy.skip_on_import["generated_views"] == "regenerated by the tool"


def test_software_of_you_has_its_stamp_and_its_log_row(soy: Profile) -> None:
    assert soy.meta == Meta("soy_meta", "key", "value", "last_backup_at")
    assert soy.activity
    assert soy.activity.table == "activity_log"
    row = activity_row(soy.activity, FACTS)
    assert json.loads(str(row.pop("details"))) == {"tables": {"a": 1}}
    assert row == {"entity_type": "system", "entity_id": 0, "action": "backup_imported"}


# Start and docs


def test_yaml_is_not_imported_before_a_file_is_read() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import holdfast.profiles"
    code += "; sys.exit('yaml' in sys.modules)"
    scripts = str(ROOT / "scripts")
    assert subprocess.run([sys.executable, "-c", code, scripts], check=False).returncode == 0


DOCS = ROOT / "docs" / "profiles.md"


@pytest.mark.parametrize(
    "record", [Profile, Group, Reference, Meta, Activity, Location, ImportFacts]
)
def test_every_key_and_placeholder_is_in_the_docs(record: type[Struct]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    names = list(record.__struct_fields__)
    ticked = "`{{{}}}`" if record is ImportFacts else "`{}`"
    assert [name for name in names if ticked.format(name) not in text] == []


def test_the_example_in_the_docs_is_what_the_bundled_profile_says() -> None:
    blocks = re.findall(
        r"```yaml\n# soy.yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL
    )
    bundled = yaml.safe_load((profile_folder() / "soy.yaml").read_text(encoding="utf-8"))
    shown = {key: value for block in blocks for key, value in yaml.safe_load(block).items()}
    assert shown == {key: bundled[key] for key in shown}
    assert shown.keys() == bundled.keys() - {"tables", "groups"}


def test_the_profile_to_start_from_in_the_docs_is_valid(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    (start,) = re.findall(r"```yaml\n(# reading-list.yaml\n.*?)```", text, re.DOTALL)
    assert load(tmp_path, start, "reading-list.yaml").title == "Reading list"


# The cache


def test_profiles_come_out_of_the_cache_as_they_went_in(tmp_path, monkeypatch):
    folder = profile_folder()
    first = load_profiles_quickly(folder, tmp_path, tmp_path / "cache")
    monkeypatch.setattr("holdfast.profiles.cached.load_profiles", None)
    assert load_profiles_quickly(folder, tmp_path, tmp_path / "cache") == first
    monkeypatch.undo()
    assert load_profiles(folder) == first


def test_a_profile_that_was_changed_added_or_taken_away_is_read_anew(tmp_path):
    own, cache = tmp_path / "own", tmp_path / "cache"
    own.mkdir()

    def titles() -> list[str]:
        return [each.title for each in load_profiles_quickly(own, own, cache)]

    (own / "a.yaml").write_text("name: a\ntitle: First\n")
    assert titles() == titles() == ["First"]
    (own / "a.yaml").write_text("name: a\ntitle: Second\n")
    assert titles() == ["Second"]
    (own / "b.yaml").write_text("name: b\ntitle: Third\n")
    assert titles() == titles() == ["Second", "Third"]
    (own / "a.yaml").unlink()
    assert titles() == ["Third"]
    (own / "b.yaml").write_text("name: b\n")
    for _ in range(2):
        with pytest.raises(ProfileError, match="title: missing"):
            titles()


def test_a_cache_that_is_damaged_or_cannot_be_written_is_done_without(tmp_path):
    folder, cache = profile_folder(), tmp_path / "cache"
    wanted = load_profiles_quickly(folder, tmp_path / "none", cache)
    (kept,) = cache.iterdir()
    for content in (b"", b"[{}]", b"\xff", b"null"):
        kept.write_bytes(content)
        assert load_profiles_quickly(folder, tmp_path / "none", cache) == wanted
        assert kept.stat().st_size > 10000
    (tmp_path / "file").touch()
    assert load_profiles_quickly(folder, tmp_path / "none", tmp_path / "file" / "c") == wanted


# Which profile a database has


def at_its_place(context, tmp_path: Path, text: str) -> Path:
    path = tmp_path / "user" / "threads.db"
    path.parent.mkdir()
    run_sql(path, "CREATE TABLE threads (id TEXT PRIMARY KEY, token TEXT);")
    context.home.profiles.mkdir(parents=True)
    (context.home.profiles / "mine.yaml").write_text(text)
    return path


def test_a_profile_that_names_no_tables_is_that_of_the_database_at_its_place(context, tmp_path):
    here = context()
    path = at_its_place(
        here, tmp_path, "name: mine\ntitle: Mine\nlocations: [{paths: [~/threads.db]}]\n"
    )
    found = profile_of(here, path, ["threads"])
    assert found and found.name == "mine"
    assert profile_of(here, tmp_path / "other.db", ["threads"]) is None


def test_the_profile_that_the_settings_name_is_taken_whatever_the_tables_say(context, tmp_path):
    here = context()
    path = at_its_place(here, tmp_path, "name: mine\ntitle: Mine\nsecrets: {threads: [token]}\n")
    run_sql(path, "INSERT INTO threads VALUES ('a', 's3cret');")
    settings = here.home.path / "backup.yaml"
    settings.write_text(f"databases:\n  t: {{path: '{path}', profile: mine}}\n")
    assert export_backup(here, ExportOptions(database="t")).secrets == {"threads.token": 1}
    settings.write_text(f"databases:\n  t: {{path: '{path}', profile: yours}}\n")
    with pytest.raises(SettingsError, match=r"databases\.t\.profile: there is no profile yours"):
        export_backup(context(), ExportOptions(database="t"))
