"""The page's views in a real browser: what they say, to whom, and on which screens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests import running
from tests.web.browser import NARROW, WIDE, Tab, opened
from tests.web.homes import backed_up, damage, new_database, new_home
from tests.web.serving import Served, served

pytestmark = pytest.mark.slow

SETTINGS = """
databases:
  garden: data/garden.db
  attic: data/attic.db
  cellar: data/cellar.db
  shed: data/shed.db
stores:
  disk: copies
keep: {last: 2}
"""
MARKUP = "<img src=x onerror=alert(1)>"
STRANGE = f"""
CREATE TABLE "{MARKUP}" (id TEXT PRIMARY KEY);
INSERT INTO "{MARKUP}" VALUES ('<b>one</b>'), ('two');
"""
VIEWS = ["", "database/garden", "database/shed", "keeping", "activity"]
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "phone": {"color_scheme": "light", "viewport": NARROW, "has_touch": True},
    "phone in the dark": {"color_scheme": "dark", "viewport": NARROW, "has_touch": True},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of four databases: one safe, one stale, one failing, one never backed up."""
    home = new_home(tmp_path_factory.mktemp("views"), SETTINGS)
    (home / "copies").mkdir()
    garden = new_database(home, "garden")
    for number, days in enumerate((40, 30, 20, 10, 3)):
        running.make_database(garden, f"INSERT INTO tasks VALUES ({100 + number}, 'More', 0)")
        backed_up(home, "garden", ago=timedelta(days=days))
    backed_up(home, "garden", ago=timedelta(hours=5), stores=("disk",))
    new_database(home, "attic")
    backed_up(home, "attic", ago=timedelta(days=9))
    new_database(home, "cellar", STRANGE)
    damaged = backed_up(home, "cellar", ago=timedelta(hours=1))
    damage(damaged)
    running.run(home, "verify", damaged, exit_code=16)
    new_database(home, "shed")
    with served(home) as found:
        yield found


def test_each_database_says_in_words_how_it_is(tab: Tab) -> None:
    tab.sees("3 of 4 databases need attention.")
    cards = {
        card.get_by_role("heading").inner_text(): card.inner_text()
        for card in tab.page.locator("main li.card").all()
    }
    assert set(cards) == {"garden", "attic", "cellar", "shed"}
    assert "Safe" in cards["garden"] and "5 hours ago" in cards["garden"]
    assert "Stale" in cards["attic"] and "9 days ago" in cards["attic"]
    assert "Failing" in cards["cellar"] and "is damaged" in cards["cellar"]
    assert "Never backed up" in cards["shed"] and "none" in cards["shed"]


def test_the_backups_of_a_database_say_date_size_rows_proof_and_where(tab: Tab) -> None:
    tab.visit("database/garden")
    rows = tab.rows("Backups of garden, the newest first")
    assert len(rows) == 5
    newest = rows[0]
    assert re.search(
        r"\d{1,2} \w{3} 20\d\d, \d\d:\d\d backup-garden-.*\.json 5 hours ago", newest[0]
    )
    assert newest[1].endswith("kB")
    assert newest[2] == "10"
    assert newest[3] == "Verified counts and digests hold"
    assert newest[4] == "this computer and disk"
    assert [row[2] for row in rows] == ["10", "10", "9", "8", "7"]
    assert rows[1][4] == "this computer"
    tab.press("Show all 6 backups")
    tab.has_rows("Backups of garden, the newest first", 6)


def test_the_pictures_show_rows_and_sizes_over_time_and_the_same_as_tables(tab: Tab) -> None:
    tab.visit("database/garden")
    pictures = tab.page.locator("figure [role=img]")
    assert pictures.count() == 2
    said = pictures.first.get_attribute("aria-label")
    assert re.fullmatch(
        r"Rows in all tables: from 6 rows on .* to 10 rows on .*, 6 backups\.", said or ""
    )
    assert (pictures.last.get_attribute("aria-label") or "").startswith("Size of backups: from ")
    assert pictures.first.locator("circle").count() == 6
    tab.page.get_by_label("Rows in", exact=True).select_option("tags")
    tab.sees(re.compile(r"Rows in tags: from 2 rows"))
    tab.page.get_by_text("The same as a table").first.click()
    assert [row[1] for row in tab.rows("Rows in tags")] == ["2 rows"] * 6


def test_a_database_without_a_backup_says_how_its_parts_begin(tab: Tab) -> None:
    tab.visit("database/shed")
    tab.sees("No backup yet")
    tab.sees("Nothing to draw yet")
    tab.sees("Nothing was done yet")


def test_a_database_that_there_is_not_is_said_to_be_none(tab: Tab) -> None:
    tab.may_be_refused = True
    tab.visit("database/nowhere")
    tab.sees("There is no such database")


def test_schedule_stores_rules_and_the_next_prune_are_shown_as_they_stand(tab: Tab) -> None:
    tab.visit("keeping")
    tab.sees("No schedule is installed")
    assert [row[:2] for row in tab.rows("Stores and what they hold")] == [
        [f"disk {tab.page.locator('.path').first.inner_text()}", "1"]
    ]
    assert tab.rows("Rules of what is kept") == [["All databases", "last 2"]]
    gone = tab.rows(re.compile("^On this computer"))
    assert len(gone) == 4 and all(row[-1].startswith("goes") for row in gone)


def test_text_of_a_database_is_shown_and_never_read_as_markup(tab: Tab) -> None:
    tab.visit("database/cellar")
    assert MARKUP in tab.page.get_by_label("Rows in", exact=True).inner_text()
    tab.page.get_by_label("Rows in", exact=True).select_option(MARKUP)
    tab.sees(re.compile(re.escape(f"Rows in {MARKUP}: 2 rows on")))
    assert tab.page.locator("main img").count() == 0


@pytest.mark.parametrize("screen", SCREENS)
def test_no_view_keeps_anybody_out(browser: Any, site: Served, screen: str) -> None:
    with opened(browser, site.page, **SCREENS[screen]) as tab:
        for view in VIEWS:
            tab.visit(view)
            tab.open_all()
            assert tab.barriers() == [], view


@pytest.mark.parametrize("screen", SCREENS)
def test_no_dialog_keeps_anybody_out(browser: Any, site: Served, screen: str) -> None:
    with opened(browser, site.page, **SCREENS[screen]) as tab:
        tab.may_be_refused = True  # a deletion that is not confirmed yet
        tab.visit("database/garden")
        for opener, ready in (
            ("Back up", "Format"),
            ("Import …", "Show the plan"),
            ("Compare …", "Show the rows that differ"),
            (re.compile("Delete backup-garden-"), "Keep it"),
        ):
            tab.press(opener)
            tab.sees(ready, within=tab.dialog)
            tab.open_all()
            assert tab.barriers() == [], opener
            tab.page.keyboard.press("Escape")


def test_nothing_is_wider_than_a_phone(browser: Any, site: Served) -> None:
    with opened(browser, site.page, **SCREENS["phone"]) as tab:
        for view in VIEWS:
            tab.visit(view)
            assert tab.page.evaluate("() => document.documentElement.scrollWidth") == 360, view


def test_who_wants_no_motion_gets_none(browser: Any, site: Served) -> None:
    with opened(browser, site.page, reduced_motion="reduce") as tab:
        tab.visit("database/garden")
        tab.press("Back up")
        tab.sees("Format", within=tab.dialog)
        moving = tab.page.evaluate(
            "() => [...document.querySelectorAll('*')].map((each) => getComputedStyle(each))"
            ".filter((style) => style.animationName !== 'none'"
            " || style.transitionDuration.split(', ').some((each) => each !== '0s')).length"
        )
        assert moving == 0


def test_where_nothing_is_configured_the_page_says_what_to_do(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with served(new_home(tmp_path_factory.mktemp("empty"))) as server:
        with opened(browser, server.page) as tab:
            tab.sees("No database yet")
            tab.sees("python3 scripts/discover.py --add all")
            tab.visit("keeping")
            tab.sees("No schedule is installed")
            tab.sees("No store is set")
            tab.sees("No rule is set")
            tab.visit("activity")
            tab.sees("No work yet")
            tab.sees("Nothing was done yet")
