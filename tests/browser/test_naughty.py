"""What units are called is text to the browser: on Ledige pladser no script runs and no element is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import naughty
from tests.browser import runs
from tests.browser.conftest import WIDE, Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MADE = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  const made = 'script, iframe, object, embed, [onerror], [onload], [onclick], a[href^="javascript:"], .st-key-unit img, .st-key-unit b';
  // Markdown makes a link of an address that stands in a text; one that says something else than where it leads is none of its.
  const disguised = [...main.querySelectorAll('.st-key-unit a[href]')].filter((link) => !link.href.startsWith(link.innerText));
  return [...main.querySelectorAll(made), ...disguised].map((element) => element.outerHTML.slice(0, 200));
}"""
"""What a browser would have made of the strings, if it took them for more than text."""


@pytest.fixture(scope="module")
def naughty_served(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("naughty")
    naughty.publish(folder / "warehouse")
    with serving(folder) as running:
        yield running


def test_no_script_runs_and_no_element_is_made(naughty_served: Served, browser: Browser) -> None:
    context = browser.new_context(locale="da-DK", viewport=WIDE)
    page = context.new_page()
    page.set_default_timeout(60_000)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.add_init_script(runs.WATCH)
    page.add_init_script("window.naughty = 0")
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url))
    # The units whose details hold a script, an image that fails, a bold word, a link and an image of Markdown.
    for path in ("/vacancies", *(f"/vacancies?unit_id=U-{number}" for number in (0, 1, 3, 4, 5))):
        page.goto(f"{naughty_served.address}{path}")
        runs.settled(page)
        if "unit_id" in path:
            page.wait_for_selector(".st-key-unit, [class*='st-key-unit']", state="attached")
        assert page.evaluate("window.naughty") == 0, path
        assert page.evaluate(MADE) == [], path
    assert asked == []
    assert [
        url
        for url in outside
        if not url.startswith((naughty_served.address, naughty_served.address.replace("http", "ws"), "data:", "blob:"))
    ] == []
    context.close()
