"""A git repository as a store: commits when rows changed, beside whoever works in it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from holdfast.errors import SettingsError, StoreFailed, StoreRefused
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.profiles import StoreSettings
from holdfast.stores import Store, open_store
from tests.conftest import MakeContext, run_sql
from tests.running import needs
from tests.stores.places import AT, NEXT_DAY, OTHER, OWNER, MakeBackup, digests, fetched, names

pytestmark = needs("git")
BRANCH = f"holdfast/{OWNER}"


def git(folder: Path, *words: str) -> str:
    ours = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    command = ["git", "-C", str(folder), *ours, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def store_in(folder: Path, owner: str = OWNER, *, push: bool = False) -> Store:
    settings = StoreSettings(url=f"git:{folder}", push=push)
    return open_store("git", settings, owner, folder.parent, os.environ)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository that somebody works in: one file is staged, one is changed."""
    work = tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(work))
    for name in ("staged", "changed"):
        (work / name).write_text("old\n")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "first")
    for name in ("staged", "changed"):
        (work / name).write_text("new\n")
    git(work, "add", "staged")
    return work


def test_a_commit_shows_the_rows_that_changed_and_nothing_else(
    tmp_path: Path, make_backup: MakeBackup
) -> None:
    folder = tmp_path / "backups"
    store = store_in(folder)
    store.put(make_backup("one", "sqlite"), "crm", AT)
    store.put(make_backup("two", "json"), "crm", NEXT_DAY)
    shown = git(folder, "show", "--format=%s|%an|%at", "--unified=0", BRANCH).splitlines()
    assert shown[0] == f"crm: backup of {NEXT_DAY}|Holdfast|1795230000"
    changed = [line for line in shown if re.match(r"[+-](?![+-])", line)]
    assert [line for line in changed if not re.match(r'.\["(end|seal)"', line)] == [
        '+{"id":3,"text":"more","raw":null}'
    ]
    assert len(changed) == 5  # with the counts and the seal, as they were and are


def test_what_has_not_changed_is_not_committed(
    context: MakeContext, tmp_path: Path, make_database
) -> None:
    database, folder = make_database("CREATE TABLE notes (id); INSERT INTO notes VALUES (1)"), None
    folder = tmp_path / "backups"
    for number, at in enumerate((AT, NEXT_DAY)):
        options = ExportOptions(database=str(database), output=tmp_path / f"{number}.json")
        path = export_backup(context(), options).path
        assert path
        stored = store_in(folder).put(path, "crm", at)
        assert stored.created_at == AT
    assert git(folder, "rev-list", "--count", BRANCH) == "1\n"
    run_sql(database, "UPDATE notes SET id = 2")
    path = export_backup(
        context(), ExportOptions(database=str(database), output=tmp_path / "changed.json")
    ).path
    assert path
    assert store_in(folder).put(path, "crm", NEXT_DAY).created_at == NEXT_DAY
    assert git(folder, "rev-list", "--count", BRANCH) == "2\n"


def test_an_earlier_commit_gives_back_the_rows_of_its_time(
    tmp_path: Path, make_backup: MakeBackup
) -> None:
    store = store_in(tmp_path / "backups")
    old, new = make_backup("one"), make_backup("two")
    stored = [store.put(each, "crm", at) for each, at in ((old, AT), (new, NEXT_DAY))]
    assert digests(fetched(store, stored[0], tmp_path / "first")) == digests(old)
    assert digests(fetched(store, stored[1], tmp_path / "second")) == digests(new)
    assert git(tmp_path / "backups", "fsck", "--strict") == ""


def test_work_tree_index_and_branch_of_whoever_works_there_stay_as_they_are(
    work: Path, make_backup: MakeBackup
) -> None:
    before = [git(work, *words) for words in (["status", "--porcelain"], ["rev-parse", "HEAD"])]
    store_in(work).put(make_backup(), "crm", AT)
    after = [git(work, *words) for words in (["status", "--porcelain"], ["rev-parse", "HEAD"])]
    assert before == after and "M  staged" in after[0]
    assert sorted(path.name for path in work.iterdir()) == [".git", "changed", "staged"]
    assert git(work, "ls-tree", "--name-only", BRANCH) == "crm.jsonl\n"


def test_a_run_that_is_killed_before_its_commit_leaves_none(
    work: Path, make_backup: MakeBackup, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_in(work)
    first = store.put(make_backup("one"), "crm", AT)
    git(work, "config", "user.useConfigOnly", "true")
    hook = work / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\nexit 1\n")  # the last thing before the branch moves
    hook.chmod(0o755)
    with pytest.raises(StoreFailed):
        store.put(make_backup("two"), "crm", NEXT_DAY)
    hook.unlink()
    assert names(store) == [first.name]
    assert store.put(make_backup("three"), "crm", NEXT_DAY).created_at == NEXT_DAY


def test_each_machine_has_a_branch_of_its_own_and_sees_all(
    tmp_path: Path, make_backup: MakeBackup
) -> None:
    ours, theirs = (store_in(tmp_path / "backups", owner) for owner in (OWNER, OTHER))
    backup = make_backup()
    own, foreign = ours.put(backup, "crm", AT), theirs.put(backup, "crm", AT)
    assert names(ours) == names(theirs) == sorted([own.name, foreign.name])
    assert (own.owner, foreign.owner) == (OWNER, OTHER)


def test_a_repository_takes_nothing_that_is_encrypted(
    tmp_path: Path, make_backup: MakeBackup
) -> None:
    closed = make_backup().rename(tmp_path / "one.jsonl.age")
    closed.write_bytes(b"age-encryption.org/v1\n" + closed.read_bytes())
    with pytest.raises(StoreRefused, match="is encrypted"):
        store_in(tmp_path / "backups").put(closed, "crm", AT)
    settings = StoreSettings(url="git:backups", encrypt=True)
    with pytest.raises(SettingsError, match=r"stores\.git\.encrypt: "):
        open_store("git", settings, OWNER, tmp_path, os.environ)


def test_history_is_not_rewritten(tmp_path: Path, make_backup: MakeBackup) -> None:
    store = store_in(tmp_path / "backups")
    stored = store.put(make_backup(), "crm", AT)
    with pytest.raises(StoreRefused, match="keeps what was committed"):
        store.delete([stored])
    assert names(store) == [stored.name]


def test_a_part_of_a_database_is_refused_as_the_rest_would_look_deleted(
    context: MakeContext, tmp_path: Path, make_database
) -> None:
    database = make_database("CREATE TABLE notes (id); CREATE TABLE tags (id)")
    options = ExportOptions(database=str(database), tables=("tags",), output=tmp_path / "p.json")
    path = export_backup(context(), options).path
    assert path
    with pytest.raises(StoreRefused, match="is a part of its database"):
        store_in(tmp_path / "backups").put(path, "crm", AT)


def test_commits_are_pushed_and_what_was_not_is_pushed_with_the_next(
    tmp_path: Path, make_backup: MakeBackup
) -> None:
    folder, remote = tmp_path / "backups", tmp_path / "remote"
    git(tmp_path, "init", "--quiet", "--bare", str(folder))
    git(folder, "remote", "add", "origin", f"https://ann:pass-word@127.0.0.1:9/{remote}")
    store, backup = store_in(folder, push=True), make_backup()
    with pytest.raises(StoreFailed) as caught:
        store.put(backup, "crm", AT)
    said = f"{caught.value} {caught.value.hint}"
    assert "could not be pushed to origin" in said and "pass-word" not in said
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(folder, "remote", "set-url", "origin", str(remote))
    store.put(backup, "crm", NEXT_DAY)
    assert git(remote, "rev-list", "--count", BRANCH) == "1\n"
    assert store.is_off_site


def test_a_folder_with_other_things_in_it_is_not_made_a_repository(
    tmp_path: Path, work: Path, make_backup: MakeBackup
) -> None:
    inside = work / "docs"  # which lies in a repository, and is none
    inside.mkdir()
    (inside / "letter").write_text("Dear Ann,")
    with pytest.raises(StoreFailed, match="is no git repository"):
        store_in(inside).put(make_backup(), "crm", AT)
    assert names(store_in(inside)) == []
