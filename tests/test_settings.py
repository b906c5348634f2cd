"""Settings: what backup.yaml may say, and where its paths start."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from msgspec import Struct

from holdfast.errors import SettingsError
from holdfast.profiles import SETTINGS_FILE, DatabaseSettings, Settings, load_settings
from holdfast.profiles.settings import (
    EncryptionSettings,
    KeepRules,
    ScheduleSettings,
    StoreSettings,
)

DOCS = Path(__file__).parents[1] / "docs" / "settings.md"


def load(home: Path, text: str) -> Settings:
    (home / SETTINGS_FILE).write_text(text, encoding="utf-8")
    return load_settings(home)


@pytest.mark.parametrize("text", ["", "# later", "databases:\n  # none yet\noutput:\n"])
def test_a_file_that_sets_nothing_is_like_no_file(tmp_path: Path, text: str) -> None:
    assert load_settings(tmp_path / "missing") == Settings(databases={}, output=None)
    assert load(tmp_path, text) == Settings(databases={}, output=None)


@pytest.mark.skipif(os.name == "nt", reason="links and devices of POSIX")
@pytest.mark.parametrize(
    ("leads_to", "says"), [("gone.yaml", "that is gone"), ("/dev/zero", "no file")]
)
def test_a_link_to_no_file_is_not_like_no_file(tmp_path: Path, leads_to: str, says: str) -> None:
    (tmp_path / SETTINGS_FILE).symlink_to(leads_to)
    with pytest.raises(SettingsError, match=says):
        load_settings(tmp_path)


def test_paths_start_at_the_home_and_a_tilde_is_the_persons_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = tmp_path / "person"
    monkeypatch.setenv("HOME", str(person))
    monkeypatch.setenv("USERPROFILE", str(person))
    text = f"""
        databases:
          near: data/near.db
          tilde: ~/.tool/tool.db
          far: {tmp_path / "far.db"}
          chosen: {{path: data/chosen.db, profile: soy}}
        output: ../backups
    """
    home = tmp_path / "home"
    home.mkdir()
    assert load(home, text) == Settings(
        databases={
            "near": DatabaseSettings(home / "data" / "near.db"),
            "tilde": DatabaseSettings(person / ".tool" / "tool.db"),
            "far": DatabaseSettings(tmp_path / "far.db"),
            "chosen": DatabaseSettings(home / "data" / "chosen.db", profile="soy"),
        },
        output=home / ".." / "backups",
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("database: {a: b.db}", "database: there is no such key"),
        ("databases: [a.db]", "databases: give names with their values, not a list"),
        ("databases: a.db", 'databases: give names with their values, not "a.db"'),
        ("databases: {a: 7}", "databases.a: give the path or the keys path, profile, keep, not 7"),
        (
            "databases: {a: [b.db]}",
            "databases.a: give the path or the keys path, profile, keep, not a",
        ),
        (
            "databases: {a: }",
            "databases.a: give the path or the keys path, profile, keep, not nothing",
        ),
        ("databases: {a: ''}", 'databases.a.path: give a path, not ""'),
        ("databases: {a: {profile: soy}}", "databases.a.path: missing: give a path"),
        ("databases: {a: {path: [x]}}", "databases.a.path: give a path, not a list"),
        ("databases: {a: {path: x, profil: soy}}", "databases.a.profil: there is no such key"),
        (
            "databases: {a: {path: x, profile: 7}}",
            "databases.a.profile: give a short name of letters, digits, - and _, not 7",
        ),
        (
            "databases: {a/b: x.db}",
            'databases.a/b: give a short name of letters, digits, - and _, not "a/b"',
        ),
        ("databases: {a: x.db, a: y.db}", "line 1: a: already given in line 1"),
        ("databases: {a: ~nobody-has-this-name/x.db}", "databases.a.path: there is no home folder"),
        ('output: "a\\0b"', "output: give a path, not "),
        ("output: true", "output: give a path, not true"),
        ("output: {path: x}", "output: give a path, not keys and values"),
        ("databases: a: b", "line 1: not valid YAML: "),
        ("stores: {all: disk}", "stores.all: all means every store"),
        (
            "- a",
            "give the keys databases, output, copied_elsewhere, stores, keep, encryption, schedule,"
            " not a list",
        ),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_file_and_key(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"backup.yaml: {complaint}")
    assert str(tmp_path / "backup.yaml") in caught.value.hint


@pytest.mark.parametrize(
    ("store", "complaint"),
    [
        ("S3://bucket/x", "url: give an address such as s3://bucket/backups, in small"),
        ("s3:bucket/x", "url: give an address such as s3://bucket/backups, in small"),
        ("'Git:repository'", "url: give an address such as s3://bucket/backups, in small"),
        ("'git:'", "url: give a folder of this machine after git:"),
        ("git:https://ann:word@host/x.git", "url: give a folder of this machine after git:"),
        ("git:git@host:x.git", "url: give a folder of this machine after git:"),
        ("{url: disk, push: true}", "push: there is nothing to push but a git repository"),
        ("{url: git:repository, layout: pages}", "layout: a git repository has one of its own"),
        ("{url: disk, options: {region: here}}", "options: a folder has none"),
        ("{url: git:repository, options: {region: here}}", "options: a folder has none"),
    ],
)
def test_a_setting_of_a_store_that_would_go_unheard_is_refused(
    tmp_path: Path, store: str, complaint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f"stores: {{disk: {store}}}")
    assert str(caught.value).startswith(f"backup.yaml: stores.disk.{complaint}")
    assert "word" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    "url", ["C:\\backups", "./s3:name", "git:C:/backups", "/Volumes/S3", "~/Git", "s3/git:x"]
)
def test_the_path_of_a_folder_is_not_taken_for_an_address(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, f"stores: {{disk: '{url}'}}").stores["disk"].url == url


SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (f"{{recipients: [{SECRET}]}}", "recipients[0]: a secret key stands where a public key"),
        (f"{{recipients: [age1x, {SECRET.lower()}]}}", "recipients[1]: a secret key stands"),
        (f"{{recipients: {SECRET}}}", "recipients: give a list, not a secret key"),
        (f"{{identities: {SECRET}}}", "identities: give a list, not a secret key"),
    ],
)
def test_a_secret_key_in_the_settings_is_refused_and_not_repeated(
    tmp_path: Path, value: str, complaint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f"encryption: {value}")
    assert str(caught.value).startswith(f"backup.yaml: encryption.{complaint}")
    assert "GFPYYSJZ" not in (str(caught.value) + caught.value.hint).upper()


def test_settings_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).mkdir()
    with pytest.raises(SettingsError, match=r"^backup\.yaml: cannot read it: "):
        load_settings(tmp_path)


def test_settings_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(b"output: caf\xe9")
    with pytest.raises(SettingsError, match=r"^backup\.yaml: not UTF-8 at byte 11$"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ("{last: -1}", "keep.last: give a number from 0 on, not -1"),
        ("{daily: 7.5}", "keep.daily: give a whole number, not 7.5"),
        ("{daily: true}", "keep.daily: give a whole number, not true"),
        ("{weekly: many}", 'keep.weekly: give a whole number, not "many"'),
        ("{within: 30}", "keep.within: give a span such as 48h, 30d or 1y6m, not 30"),
        ("{within: 3 weeks}", 'keep.within: give a span such as 48h, 30d or 1y6m, not "3 weeks"'),
        ("{within: -3d}", 'keep.within: give a span such as 48h, 30d or 1y6m, not "-3d"'),
        ("{within: 2h1d}", 'keep.within: give a span such as 48h, 30d or 1y6m, not "2h1d"'),
        ("{within: 9999999d}", "keep.within: give a span such as 48h, 30d or 1y6m, not "),
        ("{within: ''}", 'keep.within: give a span such as 48h, 30d or 1y6m, not ""'),
        ("{tags: [a]}", "keep.tags: there is no such key"),
        ("7", "keep: give the keys last, hourly, daily, weekly, monthly, yearly, within, not 7"),
    ],
)
@pytest.mark.parametrize(
    "place", ["", "databases: {crm: {path: crm.db, ", "stores: {disk: {url: d, "]
)
def test_a_rule_for_what_is_kept_that_makes_no_sense_is_named(
    tmp_path: Path, place: str, rules: str, complaint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f"{place}keep: {rules}{'}}' if place else ''}")
    key = {"": "", "d": "databases.crm.", "s": "stores.disk."}[place[:1]]
    assert str(caught.value).startswith(f"backup.yaml: {key}{complaint}")


def test_rules_that_keep_everything_are_not_the_same_as_none(tmp_path: Path) -> None:
    settings = load(tmp_path, "databases: {a: {path: a.db, keep: {}}, b: b.db}\nkeep: {last: 1}")
    assert [each.keep for each in settings.databases.values()] == [KeepRules(), None]
    assert settings.keep == KeepRules(last=1)


RECORDS = [
    Settings,
    DatabaseSettings,
    KeepRules,
    StoreSettings,
    EncryptionSettings,
    ScheduleSettings,
]


@pytest.mark.parametrize("record", RECORDS)
def test_every_setting_is_in_the_docs(record: type[Struct]) -> None:
    text = DOCS.read_text(encoding="utf-8").partition("# Settings")[2]
    names = list(record.__struct_fields__)
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_settings_in_the_docs_are_valid(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(# backup.yaml\n.*?)```", text, re.DOTALL)
    settings = load(tmp_path, example)
    assert settings.databases["work"] == DatabaseSettings(tmp_path / "data" / "work.db")


@pytest.mark.parametrize(
    "line",
    [
        "ping_success: ftp://ann:hunter2@host/x",
        "on_failure: notify --token hunter2",
        "stores: https://hunter2@host",
    ],
)
def test_an_address_or_a_command_that_may_hold_a_token_is_not_repeated(tmp_path, line):
    (tmp_path / "backup.yaml").write_text(f"schedule:\n  {line}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert "not what is there" in str(caught.value)
