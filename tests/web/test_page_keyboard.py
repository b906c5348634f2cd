"""The page with the keyboard alone, and when the server is gone or another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import running
from tests.web.browser import Tab, opened
from tests.web.homes import backed_up, new_database, new_home
from tests.web.serving import Served, served

pytestmark = pytest.mark.slow

SETTINGS = "databases: {garden: data/garden.db}\n"
CLOCK_MS = 11_000  # longer than the page waits before it asks again


def garden(folder: Path) -> Path:
    """Make a home with one database that has a backup."""
    home = new_home(folder, SETTINGS)
    new_database(home, "garden")
    backed_up(home, "garden", ago=timedelta(hours=1))
    return home


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(garden(tmp_path_factory.mktemp("keyboard"))) as found:
        yield found


def test_the_first_key_skips_to_the_content(tab: Tab) -> None:
    tab.page.keyboard.press("Tab")
    assert tab.focused() == "Skip to the content"
    assert tab.page.get_by_role("link", name="Skip to the content").is_visible()


def test_a_backup_is_made_with_the_keyboard_alone(tab: Tab, site: Served) -> None:
    key = tab.page.keyboard.press
    tab.tab_to("garden")
    key("Enter")
    tab.page.get_by_role("heading", name="garden", level=1).wait_for()
    assert tab.focused() == "garden"  # the reading goes on at the new title
    tab.tab_to("Back up")
    key("Enter")
    tab.sees("Format", within=tab.dialog)
    assert tab.focused() == "Back up garden"
    tab.tab_to("Name")
    tab.page.keyboard.type("by-hand")
    tab.tab_to("Back up")
    key("Enter")
    tab.sees("Backed up, and read back", within=tab.dialog)
    tab.tab_to("Done")
    key("Enter")
    tab.dialog.wait_for(state="hidden")
    assert tab.focused() == "Back up"  # where it was
    assert list((site.home / "output").glob("*by-hand*"))


def test_an_import_is_planned_and_done_with_the_keyboard_alone(tab: Tab, site: Served) -> None:
    key = tab.page.keyboard.press
    database = site.home / "data" / "garden.db"
    running.make_database(database, "DELETE FROM tasks WHERE id = 3")
    tab.visit("database/garden")
    tab.tab_to("Import …")
    key("Enter")
    tab.sees("Where a row is in both", within=tab.dialog)
    tab.tab_to("Show the plan")
    key("Enter")
    tab.sees("1 row added", within=tab.dialog)
    tab.tab_to("1 row of tasks")
    key("Enter")
    assert tab.rows("Rows of tasks") == [["3", "added title after: Reap done after: 0"]]
    tab.tab_to("Import as planned")
    key("Enter")
    tab.sees("Imported", within=tab.dialog)
    assert running.rows(database, "SELECT count(*) FROM tasks") == [(3,)]


def test_escape_leaves_a_dialog_and_gives_the_keyboard_back(tab: Tab) -> None:
    tab.visit("database/garden")
    tab.tab_to("Compare …")
    tab.page.keyboard.press("Enter")
    tab.sees("Show the rows that differ", within=tab.dialog)
    tab.page.keyboard.press("Escape")
    tab.dialog.wait_for(state="hidden")
    assert tab.focused() == "Compare …"


def test_a_view_that_is_drawn_anew_leaves_the_keyboard_where_it_is(
    browser: Any, site: Served
) -> None:
    with opened(browser, site.page, has_clock=True) as tab:
        tab.visit("database/garden")
        (row,) = [row for row in tab.rows("Backups of garden, the newest first") if row][-1:]
        name = row[0].split()[-4]
        tab.tab_to(f"Verify {name}")
        backed_up(site.home, "garden", ago=timedelta(minutes=1), label="meanwhile")
        tab.page.clock.run_for(CLOCK_MS)
        tab.sees("meanwhile")
        assert tab.focused() == f"Verify {name}"


def test_a_server_that_is_gone_is_told_of_and_so_is_another_in_its_place(
    browser: Any, tmp_path: Path
) -> None:
    home = garden(tmp_path)
    with served(home) as first:
        with opened(browser, first.page, has_clock=True) as tab:
            tab.may_be_refused = True
            tab.visit("database/garden")
            first.stop()
            tab.page.clock.run_for(CLOCK_MS)
            trouble = tab.page.get_by_role("alert")
            trouble.get_by_text("Holdfast does not answer").wait_for()
            # What was shown can still be read.
            assert len(tab.rows("Backups of garden, the newest first")) == 1
            with served(home, "--port", str(first.port)):
                tab.page.clock.run_for(CLOCK_MS)
                trouble.get_by_text("This session is over").wait_for()


def test_a_page_that_is_not_let_in_says_so(browser: Any, site: Served) -> None:
    with opened(browser, site.page) as tab:
        tab.may_be_refused = True
        tab.page.context.clear_cookies()
        tab.page.evaluate("() => { location.hash = '#/activity'; }")
        tab.page.get_by_role("alert").get_by_text("This session is over").first.wait_for()
