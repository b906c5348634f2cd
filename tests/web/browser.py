"""A real browser on the page of a real server, and what it may not do there."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from holdfast import bootstrap

LOCK = Path(__file__).with_name("requirements-browser.lock")
PATIENCE_MS = 60_000
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1100, "height": 800}
BLOCKING = {"serious", "critical"}
# What Chromium writes to its console for any answer that is no success.
_REFUSED = re.compile(r"Failed to load resource: .*(status of [45]\d\d|ERR_)")


def needs_browser() -> None:
    """Skip where there is no browser, but never where all tools are promised to be there."""
    if not shutil.which("chromium") and not os.environ.get("CI"):
        pytest.skip("chromium is not installed")


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Run a browser until the block ends."""
    needs_browser()
    sys.path.append(str(bootstrap.packages_of(LOCK, "setting up what drives a browser ...")))
    driver = importlib.import_module("playwright.sync_api")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            # As root, which CI is, Chromium has no sandbox; /dev/shm may be small.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@dataclass
class Tab:
    """A tab of the browser, and what happened in it that should not."""

    page: Any
    origin: str
    complaints: list[str] = field(default_factory=list)
    # An answer that is no success is nothing to complain of where a test asks for one.
    may_be_refused: bool = False

    def watch(self) -> None:
        """Note whatever the page complains of, and each request that leaves its origin."""
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(f"thrown: {error}"))
        self.page.on("request", self._note_request)

    def _note(self, message: Any) -> None:
        is_expected = self.may_be_refused and _REFUSED.search(message.text)
        if message.type in ("error", "warning") and not is_expected:
            self.complaints.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Any) -> None:
        where = urlsplit(request.url)
        if f"{where.scheme}://{where.netloc}" != self.origin:
            self.complaints.append(f"a request to {request.url}")

    def visit(self, view: str = "") -> None:
        """Go to a view of the page, and wait until nothing of it loads any more."""
        self.page.goto(f"{self.origin}/ui#/{view}")
        self.settled()

    def settled(self) -> None:
        """Wait until no part of the view is still loading."""
        self.page.wait_for_function(
            "() => document.querySelector('main h1') &&"
            " ![...document.querySelectorAll('main .quiet, dialog .quiet')]"
            ".some((each) => each.textContent.startsWith('Loading'))"
        )

    def open_all(self) -> None:
        """Open whatever there is to open in the view or the dialog."""
        self.page.evaluate(
            "() => document.querySelectorAll('details').forEach((each) => { each.open = true; })"
        )

    def sees(self, text: str | re.Pattern[str], *, within: Any = None) -> Any:
        """Wait until a text can be seen, and return where."""
        found = (within or self.page).get_by_text(text).first
        found.wait_for()
        return found

    def press(self, name: str | re.Pattern[str], *, within: Any = None) -> None:
        """Press a button by its whole name."""
        (within or self.page).get_by_role("button", name=name, exact=True).first.click()

    @property
    def dialog(self) -> Any:
        return self.page.get_by_role("dialog")

    def has_rows(self, caption: str | re.Pattern[str], count: int) -> None:
        """Wait until a table has so many rows."""
        rows = self.page.get_by_role("table", name=caption).first.locator("> tbody > tr")
        importlib.import_module("playwright.sync_api").expect(rows).to_have_count(
            count, timeout=PATIENCE_MS
        )

    def rows(self, caption: str | re.Pattern[str]) -> list[list[str]]:
        """Return the texts of a table's cells, row by row, by the name of the table."""
        table = self.page.get_by_role("table", name=caption).first
        table.wait_for()
        return [
            [_plain(cell) for cell in row.locator("> *").all_inner_texts()]
            for row in table.locator("> tbody > tr").all()
        ]

    def tab_to(self, name: str | re.Pattern[str], *, limit: int = 80) -> None:
        """Go to a control with the Tab key alone."""
        wanted = name if isinstance(name, re.Pattern) else re.compile(re.escape(name))
        for _ in range(limit):
            self.page.keyboard.press("Tab")
            if wanted.fullmatch(self.focused()):
                return
        raise AssertionError(f"{limit} times Tab, and never at {name}; now at {self.focused()!r}")

    def focused(self) -> str:
        """Return the name of what has the keyboard."""
        name: str = self.page.evaluate(
            "() => { const held = document.activeElement;"
            " return (held.getAttribute('aria-label') || held.labels?.[0]?.textContent"
            " || held.textContent || '').trim().replace(/\\s+/g, ' '); }"
        )
        return name

    def barriers(self) -> list[str]:
        """Name what axe finds that keeps people out, each with where it is."""
        # What still fades in has other colours for a moment.
        settled = "Promise.allSettled(document.getAnimations().map((each) => each.finished))"
        self.page.evaluate(settled)
        self.page.evaluate(_axe())
        found = self.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{each['id']}: {each['help']} ({node['target']}) {node['failureSummary']}"
            for each in found["violations"]
            if each["impact"] in BLOCKING
            for node in each["nodes"]
        ]


def _plain(text: str) -> str:
    return " ".join(text.split())


@cache
def _axe() -> str:
    path = os.environ.get("HOLDFAST_TEST_AXE")
    if not path or not Path(path).is_file():
        assert not os.environ.get("CI"), "HOLDFAST_TEST_AXE names no file"
        pytest.skip("axe-core is not installed: python3 -m tests --tools")
    return Path(path).read_text(encoding="utf-8")


@contextlib.contextmanager
def opened(browser: Any, address: str, *, has_clock: bool = False, **options: Any) -> Iterator[Tab]:
    """
    Open the address that a server printed, in a browser that knows nothing yet.

    When the block ends, the page must have had nothing to complain of.

    Args:
        has_clock: the page's clock can be moved on: page.clock.run_for.
    """
    where = urlsplit(address)
    context = browser.new_context(**({"viewport": WIDE, "accept_downloads": True} | options))
    context.set_default_timeout(PATIENCE_MS)
    if has_clock:  # before the page sets its first timer
        context.clock.install()
    tab = Tab(context.new_page(), f"{where.scheme}://{where.netloc}")
    tab.watch()
    try:
        tab.page.goto(address)
        tab.settled()
        yield tab
    finally:
        context.close()
    if tab.complaints:
        raise AssertionError("\n".join(tab.complaints))
