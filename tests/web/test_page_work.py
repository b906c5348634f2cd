"""Every button of the page in a real browser, on real databases: what it does, and what it says."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import running
from tests.web.browser import NARROW, PATIENCE_MS, Tab, opened
from tests.web.homes import backed_up, damage, new_database, new_home
from tests.web.serving import Served, served

pytestmark = pytest.mark.slow

SETTINGS = """
databases: {{spare: data/spare.db, {name}: data/{name}.db}}
stores: {{disk: copies}}
"""
CHANGE = "UPDATE tasks SET done = 1 WHERE id = 2; DELETE FROM tasks WHERE id = 3;"
UNCHANGED = [(1, "Sow", 1), (2, "Water", 0), (3, "Reap", 0)]
CHANGED = [(1, "Sow", 1), (2, "Water", 1)]
LOCKS = """
CREATE TABLE locks (id INTEGER PRIMARY KEY, code TEXT, note TEXT, key BLOB, mark);
INSERT INTO locks VALUES (1, 'open sesame', '<b>old</b>', x'00ff', 7);
"""
LOCKS_CHANGED = """
UPDATE locks SET code = 'friend', note = printf('%.*c', 300, 'x'), key = NULL, mark = '7';
WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 31)
INSERT INTO locks (id) SELECT n FROM numbers;
"""
LIMIT_MB = 1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that takes files of up to 1 MB; each test has a database of its own there."""
    home = new_home(tmp_path_factory.mktemp("work"))
    (home / "copies").mkdir()
    new_database(home, "spare")
    with served(home, "--upload-limit", str(LIMIT_MB)) as found:
        yield found


def own_database(site: Served, name: str, *, more: str = "") -> Path:
    """Make a database, and let the settings name it and a spare one, but no other test's."""
    (site.home / "backup.yaml").write_text(SETTINGS.format(name=name) + more, encoding="utf-8")
    return new_database(site.home, name)


def tasks(database: Path) -> list[tuple[Any, ...]]:
    return running.rows(database, "SELECT id, title, done FROM tasks ORDER BY id")


def backups_of(site: Served, name: str) -> list[str]:
    return sorted(each.name for each in (site.home / "output").glob(f"*{name}*"))


class Held:
    """A lock on a database, which keeps everybody from reading it until it is let go."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("BEGIN EXCLUSIVE")

    def let_go(self) -> None:
        self._connection.close()


# Backing up


def test_a_backup_is_made_with_the_options_that_were_chosen(tab: Tab, site: Served) -> None:
    own_database(site, "beech")
    tab.visit("database/beech")
    tab.press("Back up")
    dialog = tab.dialog
    dialog.get_by_text("Only some tables").click()
    dialog.get_by_label("tasks").check()
    dialog.get_by_label("Format").select_option("zip")
    assert dialog.get_by_label("Compression").is_disabled()
    dialog.get_by_label("disk").check()
    dialog.get_by_label("Name").fill("before-the-move")
    tab.press("Back up", within=dialog)
    tab.sees("Backed up, and read back", within=dialog)
    tab.sees("This is a part of the database: tables tasks.", within=dialog)
    tab.sees(re.compile("Also in disk: .*, read back"), within=dialog)
    tab.press("Done", within=dialog)
    (name,) = backups_of(site, "before-the-move")
    assert name.endswith(".zip")
    (row,) = tab.rows("Backups of beech, the newest first")
    assert name in row[0] and "partial: tables tasks" in row[0]
    assert row[2:5] == ["3", "Verified counts and digests hold", "this computer and disk"]
    assert list((site.home / "copies").rglob("*beech*.zip"))


def test_where_there_is_no_key_the_page_says_how_to_get_one(tab: Tab, site: Served) -> None:
    own_database(site, "cedar")
    tab.visit("database/cedar")
    tab.press("Back up")
    assert tab.dialog.get_by_label("Encrypt").is_disabled()
    tab.sees("There is no key yet: keys.py create makes one.", within=tab.dialog)


def test_a_backup_is_encrypted_where_there_is_a_key(tab: Tab, site: Served) -> None:
    key = running.reported(site.home, "keys", "create")["public_key"]
    own_database(site, "chestnut", more=f"encryption: {{recipients: [{key}]}}")
    tab.visit("database/chestnut")
    tab.press("Back up")
    tab.dialog.get_by_label("Encrypt").check()
    tab.press("Back up", within=tab.dialog)
    tab.sees(re.compile("Encrypted for 1 public key"), within=tab.dialog)
    tab.press("Done", within=tab.dialog)
    tab.has_rows("Backups of chestnut, the newest first", 1)
    (row,) = tab.rows("Backups of chestnut, the newest first")
    assert ".age" in row[0] and row[3].endswith("Encrypted")


def test_a_backup_that_fails_says_why_and_what_to_do(tab: Tab, site: Served) -> None:
    database = own_database(site, "elder")
    tab.visit("database/elder")
    tab.press("Back up")
    tab.sees("Format", within=tab.dialog)
    database.write_bytes(b"no database any more " * 100)
    tab.may_be_refused = True  # the page asks how the database is, too
    tab.press("Back up", within=tab.dialog)
    alert = tab.dialog.get_by_role("alert")
    alert.wait_for()
    assert "is not a SQLite database" in alert.inner_text()
    tab.press("Back", within=tab.dialog)
    tab.sees("Format", within=tab.dialog)
    assert backups_of(site, "elder") == []
    database.unlink()


def test_a_backup_can_be_cancelled_and_leaves_nothing(tab: Tab, site: Served) -> None:
    database = own_database(site, "fir")
    tab.visit("database/fir")
    tab.press("Back up")
    tab.sees("Format", within=tab.dialog)
    held = Held(database)
    tab.press("Back up", within=tab.dialog)
    tab.press("Cancel", within=tab.dialog)
    tab.sees("Nothing has been changed.", within=tab.dialog)
    held.let_go()
    assert backups_of(site, "fir") == []


def test_work_goes_on_with_the_page_when_its_dialog_is_closed(tab: Tab, site: Served) -> None:
    database = own_database(site, "hazel")
    tab.visit("database/hazel")
    tab.press("Back up")
    tab.sees("Format", within=tab.dialog)
    held = Held(database)
    tab.press("Back up", within=tab.dialog)
    tab.dialog.get_by_role("button", name="Cancel").wait_for()
    tab.page.keyboard.press("Escape")
    work = tab.page.get_by_role("region", name="At work")
    work.get_by_role("progressbar", name="Back up hazel").wait_for()
    held.let_go()
    tab.sees(re.compile(r"backup-hazel-.*\.json, verified\."), within=work)
    tab.has_rows("Backups of hazel, the newest first", 1)
    tab.press("Put away: Back up hazel", within=work)
    work.wait_for(state="hidden")


# Importing


def test_an_import_shows_its_plan_and_its_rows_before_it_changes_anything(
    tab: Tab, site: Served
) -> None:
    database = own_database(site, "juniper")
    backup = backed_up(site.home, "juniper", ago=timedelta(hours=1))
    running.make_database(database, CHANGE)
    tab.visit("database/juniper")
    tab.press(f"Import {backup.name}")
    assert tab.dialog.get_by_label("Backup", exact=True).input_value() == backup.name
    tab.press("Show the plan", within=tab.dialog)
    tab.sees("Nothing has been changed yet: 1 row added, 1 overwritten if you go on.")
    (tasks_row, _) = tab.rows("The plan, table by table")
    assert tasks_row == ["tasks", "1", "1", "1"]
    tab.dialog.get_by_text("2 rows of tasks").click()
    tab.sees("Columns that are overwritten: done.", within=tab.dialog)
    assert tab.rows("Rows of tasks") == [
        ["2", "overwritten done before: 1 after: 0"],
        ["3", "added title after: Reap done after: 0"],
    ]
    assert tasks(database) == CHANGED
    tab.press("Import as planned", within=tab.dialog)
    tab.sees(re.compile("the database was copied to juniper-"), within=tab.dialog)
    assert tasks(database) == UNCHANGED

    # And back again.
    tab.press("Done", within=tab.dialog)
    tab.press("Undo …")
    tab.sees(re.compile("before an import"), within=tab.dialog)
    tab.press("Show the plan", within=tab.dialog)
    assert tab.rows("What going back does, table by table") == [["tasks", "0", "1", "1"]]
    assert tasks(database) == UNCHANGED
    tab.press("Go back", within=tab.dialog)
    tab.sees("Gone back", within=tab.dialog)
    assert tasks(database) == CHANGED


def drop(tab: Tab, name: str, content: str, target: str) -> None:
    """Drop a file on what a selector finds, as a person drags one there."""
    transfer = tab.page.evaluate_handle(
        "([name, content]) => { const held = new DataTransfer();"
        " held.items.add(new File([content], name)); return held; }",
        [name, content],
    )
    for event in ("dragenter", "dragover", "drop"):
        tab.page.dispatch_event(target, event, {"dataTransfer": transfer})


def test_a_file_that_is_dropped_is_sent_planned_and_imported(
    tab: Tab, site: Served, tmp_path: Path
) -> None:
    database = own_database(site, "larch")
    backup = backed_up(site.home, "larch", ago=timedelta(hours=1))
    content = backup.read_text(encoding="utf-8")
    backup.unlink()
    running.make_database(database, CHANGE)
    tab.visit("database/larch")
    drop(tab, "from-elsewhere.json", content, ".drop-view")
    tab.sees(re.compile("from-elsewhere.json, "), within=tab.dialog)
    tab.press("Show the plan", within=tab.dialog)
    tab.sees("Nothing has been changed yet: 1 row added, 1 overwritten if you go on.")
    assert tasks(database) == CHANGED
    tab.press("Import as planned", within=tab.dialog)
    tab.sees(re.compile("the database was copied to larch-"), within=tab.dialog)
    assert tasks(database) == UNCHANGED


def slow(tab: Tab, bytes_a_second: int) -> None:
    """Let the browser send no more than that."""
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1}
    tab.page.context.new_cdp_session(tab.page).send(
        "Network.emulateNetworkConditions", limits | {"uploadThroughput": bytes_a_second}
    )


@pytest.mark.parametrize("way", ["Cancel", "Escape"])
def test_a_file_says_how_much_of_it_has_been_sent_and_can_be_stopped(
    tab: Tab, site: Served, way: str
) -> None:
    name = f"poplar-{way.lower()}"
    own_database(site, name)
    tab.visit(f"database/{name}")
    slow(tab, 150_000)
    jobs = len(tab.page.evaluate("() => fetch('/backup/jobs').then((a) => a.json())")["jobs"])
    drop(tab, "slow.json", "x" * 900_000, ".drop-view")
    tab.press("Show the plan", within=tab.dialog)
    tab.sees(re.compile(r"Sending the file, [1-9]\d? % …"), within=tab.dialog)
    tab.sees(re.compile(r"\d kB of 900\.\d kB"), within=tab.dialog)
    bar = tab.dialog.get_by_role("progressbar", name="Plan of importing slow.json")
    assert 0 < bar.evaluate("(held) => held.value") < 1
    scratch = site.home.parent / "scratch"
    until(lambda: list(scratch.rglob("slow.json")))
    if way == "Cancel":
        tab.press("Cancel", within=tab.dialog)
        tab.sees("Nothing has been changed.", within=tab.dialog)
        tab.press("Back", within=tab.dialog)
        tab.sees(re.compile("slow.json, 900.0 kB"), within=tab.dialog)
    else:
        tab.page.keyboard.press("Escape")
        tab.dialog.wait_for(state="hidden")
    until(lambda: not list(scratch.rglob("slow.json")))
    found = tab.page.evaluate("() => fetch('/backup/jobs').then((answer) => answer.json())")
    assert len(found["jobs"]) == jobs


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_refused_import_says_why_and_changes_nothing(tab: Tab, site: Served) -> None:
    database = own_database(site, "maple")
    backup = backed_up(site.home, "maple", ago=timedelta(hours=1))
    running.make_database(database, CHANGE)
    tab.visit("database/maple")
    tab.press(f"Import {backup.name}")
    tab.dialog.get_by_label("Import nothing if any row is in both").check()
    tab.press("Show the plan", within=tab.dialog)
    alert = tab.dialog.get_by_role("alert")
    alert.wait_for()
    assert "tasks" in alert.inner_text()
    assert tasks(database) == CHANGED
    tab.press("Back", within=tab.dialog)
    assert tab.dialog.get_by_label("Import nothing if any row is in both").is_checked()


def test_a_plan_that_no_longer_holds_is_refused_and_shown_anew(tab: Tab, site: Served) -> None:
    database = own_database(site, "oak")
    backup = backed_up(site.home, "oak", ago=timedelta(hours=1))
    running.make_database(database, CHANGE)
    tab.visit("database/oak")
    tab.press(f"Import {backup.name}")
    tab.press("Show the plan", within=tab.dialog)
    tab.sees("1 row added, 1 overwritten", within=tab.dialog)
    running.make_database(database, "UPDATE tasks SET title = 'Sow again' WHERE id = 1")
    tab.press("Import as planned", within=tab.dialog)
    tab.dialog.get_by_role("alert").wait_for()
    assert tasks(database) == [(1, "Sow again", 1), (2, "Water", 1)]
    tab.press("Back", within=tab.dialog)
    tab.sees("1 row added, 2 overwritten", within=tab.dialog)


def test_a_file_over_the_limit_is_not_sent_and_the_limit_is_named(tab: Tab, site: Served) -> None:
    own_database(site, "pine")
    tab.visit("database/pine")
    drop(tab, "large.json", "x" * (LIMIT_MB * 1024 * 1024 + 1), ".drop-view")
    tab.press("Show the plan", within=tab.dialog)
    tab.sees(re.compile("no more than 1.0 MB may be sent"), within=tab.dialog)
    assert tab.focused() == "File"


def test_a_file_that_the_server_finds_too_large_is_refused_in_words(tab: Tab, site: Served) -> None:
    own_database(site, "plane")

    def unlimited(route: Any) -> None:
        options = route.fetch().json()
        route.fulfill(json=options | {"upload_bytes": 1024**3})

    tab.page.route("**/backup/options*", unlimited)
    tab.may_be_refused = True
    tab.visit("database/plane")
    drop(tab, "large.json", "x" * (3 * LIMIT_MB * 1024 * 1024), ".drop-view")
    tab.press("Show the plan", within=tab.dialog)
    alert = tab.dialog.get_by_role("alert").last
    alert.wait_for()
    assert "1.0 MB" in alert.inner_text() or "--upload-limit" in alert.inner_text()


def test_a_file_that_is_no_backup_is_refused_in_words(tab: Tab, site: Served) -> None:
    own_database(site, "rowan")
    tab.visit("database/rowan")
    drop(tab, "letter.json", "Dear Ann", ".drop-view")
    tab.press("Show the plan", within=tab.dialog)
    alert = tab.dialog.get_by_role("alert").last
    alert.wait_for()
    assert "none of the formats" in alert.inner_text()


# What there is


def test_verify_shows_every_rung_that_was_reached(tab: Tab, site: Served) -> None:
    own_database(site, "spruce")
    backup = backed_up(site.home, "spruce", ago=timedelta(hours=1))
    tab.visit("database/spruce")
    tab.press(f"Verify {backup.name}")
    tab.sees("5 rows, all of them as they were in the database.", within=tab.dialog)
    assert tab.dialog.locator(".rungs .is-safe").count() == 5
    tab.press("Done", within=tab.dialog)
    tab.sees(re.compile("restored, equal and sound"))


def test_verify_says_what_is_wrong_with_a_damaged_backup(tab: Tab, site: Served) -> None:
    own_database(site, "sumac")
    backup = backed_up(site.home, "sumac", ago=timedelta(hours=1))
    damage(backup)
    tab.visit("database/sumac")
    tab.press(f"Verify {backup.name}")
    tab.sees("This backup is not sound", within=tab.dialog)
    assert tab.dialog.locator(".rungs .is-safe").count() < 5
    tab.press("Done", within=tab.dialog)
    tab.sees("Damaged")


def test_any_two_can_be_compared_down_to_their_rows(tab: Tab, site: Served) -> None:
    database = own_database(site, "walnut")
    first = backed_up(site.home, "walnut", ago=timedelta(hours=2))
    running.make_database(database, CHANGE)
    second = backed_up(site.home, "walnut", ago=timedelta(hours=1))
    tab.visit("database/walnut")
    tab.press(f"Compare {first.name}")
    tab.press("Compare", within=tab.dialog)
    tab.sees("to the database as it is now:", within=tab.dialog)
    (row, _) = tab.rows("What differs, table by table")
    assert row == ["tasks", "0", "1", "1", "1"]
    tab.dialog.get_by_text("2 rows of tasks").click()
    assert tab.rows("Rows of tasks") == [
        ["id = 2", "changed in done done before: 0 after: 1"],
        ["id = 3", "removed title before: Reap done before: 0"],
    ]
    tab.press("Compare others", within=tab.dialog)
    tab.dialog.get_by_label("From").select_option(second.name)
    tab.press("Compare", within=tab.dialog)
    tab.sees("No difference", within=tab.dialog)


def test_values_are_shown_as_what_they_are_and_secrets_are_not(tab: Tab, site: Served) -> None:
    profiles = site.home / "profiles"
    profiles.mkdir(exist_ok=True)
    (profiles / "vault.yaml").write_text(
        "{name: vault, title: Vault, recognise: [locks], secrets: {locks: [code]}}"
    )
    own_database(site, "aspen")
    database = running.make_database(site.home / "data" / "aspen.db", LOCKS)
    first = backed_up(site.home, "aspen", ago=timedelta(hours=2))
    running.make_database(database, LOCKS_CHANGED)
    tab.visit("database/aspen")
    tab.press(f"Compare {first.name}")
    tab.press("Compare", within=tab.dialog)
    tab.dialog.get_by_text("31 rows of locks", exact=True).click()
    (changed, *added) = tab.rows("Rows of locks")
    assert changed == [
        "id = 1",
        "changed in code, note, key and mark"
        " code before: [redacted by holdfast 0] after: [redacted by holdfast 0]"
        " note before: <b>old</b> after: x" + "x" * 199 + " … and 100 characters more"
        " key before: BLOB of 2 bytes after: no value"
        " mark before: 7 (integer) after: 7 (text)",
    ]
    assert len(added) == 19
    tab.press("Show all 31 rows of locks", within=tab.dialog)
    tab.has_rows("Rows of locks", 31)


def test_a_download_is_the_backup_byte_for_byte(tab: Tab, site: Served, tmp_path: Path) -> None:
    own_database(site, "willow")
    backup = backed_up(site.home, "willow", ago=timedelta(hours=1))
    tab.visit("database/willow")
    with tab.page.expect_download() as waiting:
        tab.page.get_by_role("link", name=f"Download {backup.name}").click()
    waiting.value.save_as(tmp_path / "downloaded")
    assert waiting.value.suggested_filename == backup.name
    assert (tmp_path / "downloaded").read_bytes() == backup.read_bytes()


def test_a_deletion_asks_and_says_what_remains(tab: Tab, site: Served) -> None:
    own_database(site, "yew")
    older = backed_up(site.home, "yew", ago=timedelta(days=1))
    newer = backed_up(site.home, "yew", ago=timedelta(hours=1))
    tab.may_be_refused = True  # the first answer asks for the yes
    tab.visit("database/yew")
    tab.press(f"Delete {newer.name}")
    tab.sees("1 backup of this database: 1 on this computer", within=tab.dialog)
    tab.press("Keep it", within=tab.dialog)
    assert newer.exists()
    assert tab.focused() == f"Delete {newer.name}"
    tab.press(f"Delete {newer.name}")
    tab.press("Delete it", within=tab.dialog)
    tab.sees("Deleted", within=tab.dialog)
    tab.press("Done", within=tab.dialog)
    assert not newer.exists() and older.exists()
    tab.has_rows("Backups of yew, the newest first", 1)
    tab.press(f"Delete {older.name}")
    tab.sees("It is the last backup of this database", within=tab.dialog)


def test_a_prune_shows_what_goes_and_removes_it_on_a_yes(tab: Tab, site: Served) -> None:
    own_database(site, "hawthorn", more="keep: {last: 1}")
    older = backed_up(site.home, "hawthorn", ago=timedelta(days=1))
    newer = backed_up(site.home, "hawthorn", ago=timedelta(hours=1))
    tab.visit("keeping")
    tab.press("Prune now …")
    tab.sees("This is a plan.", within=tab.dialog)
    going = [row for row in tab.rows(re.compile("^On this computer")) if "hawthorn" in row[0]]
    assert [row[0] for row in going] == [older.name]
    assert older.exists()
    tab.press(re.compile(r"Remove \d+ backups?"), within=tab.dialog)
    tab.sees("Removed", within=tab.dialog)
    assert not older.exists() and newer.exists()
    tab.press("Done", within=tab.dialog)
    tab.sees("Nothing: every backup is kept by a rule.")


def test_plans_and_results_keep_nobody_out(browser: Any, site: Served) -> None:
    database = own_database(site, "linden")
    backup = backed_up(site.home, "linden", ago=timedelta(hours=1))
    running.make_database(database, CHANGE)
    with opened(browser, site.page, viewport=NARROW, color_scheme="dark") as tab:
        tab.visit("database/linden")
        for opener, go, ready in (
            ("Import", "Show the plan", "This is a plan."),
            ("Compare", "Compare", "to the database as it is now:"),
            ("Verify", "", "all of them as they were in the database"),
        ):
            tab.press(f"{opener} {backup.name}")
            if go:
                tab.press(go, within=tab.dialog)
            tab.sees(re.compile(re.escape(ready)), within=tab.dialog)
            tab.open_all()
            assert tab.barriers() == [], opener
            assert tab.page.evaluate("() => document.querySelector('dialog').scrollWidth") <= 360
            tab.page.keyboard.press("Escape")


def test_what_another_program_does_appears_by_itself(browser: Any, site: Served) -> None:
    own_database(site, "alder")
    with opened(browser, site.page, has_clock=True) as tab:
        tab.visit("database/alder")
        tab.sees("No backup yet")
        backed_up(site.home, "alder")
        tab.page.clock.run_for(11_000)
        tab.has_rows("Backups of alder, the newest first", 1)


def test_the_activity_names_the_jobs_and_how_they_ended(tab: Tab, site: Served) -> None:
    own_database(site, "birch")
    backup = backed_up(site.home, "birch", ago=timedelta(hours=1))
    tab.visit("database/birch")
    tab.press(f"Verify {backup.name}")
    tab.sees("5 rows, all of them", within=tab.dialog)
    tab.press("Done", within=tab.dialog)
    tab.visit("activity")
    newest = tab.rows("Jobs, the latest first")[0]
    assert newest[0] == f"Verify {backup.name}" and newest[2:] == ["done", "verified"]
    history = tab.rows("What was done, the latest first")
    assert history[0][0] == "Backup" and history[0][2].endswith(backup.name)
