"""A placement officer's first five minutes, in Chromium: filter, open a unit, take the table along, match, ask why not, send the link on.

Pictures of each step go to tests/browser/output/, and with SAMPLADS_SCREENSHOTS=1 to docs/screenshots/, where the README shows them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from samplads import i18n, settings
from tests.browser import axe
from tests.browser.conftest import Served, Visit, visiting
from tests.browser.runs import asking, settled

GROUP = "Autismespektrum"
OUTPUT = Path(__file__).parent / "output"


def say(key: str, language: str = "da", **values: object) -> str:
    return i18n.text(key, language, **values)


def picture(page: Page, name: str, *, top: bool = True) -> None:
    """The window as it stands, 1440 by 900, with charts drawn and no pointer over anything."""
    folder = settings.ROOT / "docs" / "screenshots" if os.environ.get("SAMPLADS_SCREENSHOTS") == "1" else OUTPUT
    folder.mkdir(parents=True, exist_ok=True)
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready")
    if top:
        page.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollTo(0, 0)")
    page.screenshot(path=folder / f"{name}.png", animations="disabled")


def answer(page: Page) -> str:
    """The page's first sentence."""
    return page.locator(".st-key-answer p").first.inner_text()


NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{3})+|\d+")


def whole(text: str) -> int:
    """A whole number as Danish or English writes it: 1.438 or 1,438."""
    return int(re.sub(r"[.,]", "", text))


def number(text: str) -> int:
    """The first number in a sentence."""
    return whole(NUMBER.findall(text)[0])


def select_first_row(page: Page, key: str) -> None:
    """Tick the first row of a table: the box lies left of it, under the header."""
    table = page.locator(f".st-key-{key} .dvn-scroller").first
    table.scroll_into_view_if_needed()
    with asking(page):
        table.click(position={"x": 16, "y": 52})


def pick(page: Page, key: str, text: str) -> None:
    """Choose in a list by typing the beginning of what it says."""
    box = page.locator(f".st-key-{key} input").first
    box.click()
    box.fill(text)
    with asking(page):
        page.locator('[role="option"]').filter(has_text=text).first.click()
    page.keyboard.press("Escape")


@pytest.fixture
def vacancies(visit: Visit) -> Page:
    return visit.open("/vacancies")


def test_the_start_page_opens_with_the_answer(visit: Visit) -> None:
    page = visit.open("/")
    assert number(answer(page)) > 0
    expect(page.get_by_text(say("app.demo")).first).to_be_visible()
    picture(page, "overview")


def test_filter_open_a_unit_take_the_table_along_and_send_the_link_on(
    browser: Browser, served: Served, vacancies: Page, tmp_path: Path
) -> None:
    page = vacancies
    every = number(answer(page))
    pick(page, "groups", GROUP)
    fewer = number(answer(page))
    assert 0 < fewer < every
    assert "groups" in parse_qs(urlsplit(page.url).query)
    picture(page, "vacancies")

    select_first_row(page, "units")
    unit = page.locator(".st-key-unit")
    expect(unit).to_be_visible()
    name = unit.locator("h3").inner_text()
    unit_id = parse_qs(urlsplit(page.url).query)["unit_id"][0]
    assert unit_id in unit.inner_text()
    picture(page, "unit")
    assert axe.violations(page) == []

    # All rows, not the visible ones; read back by another library than the one that wrote them.
    told = page.locator(".st-key-units_export p").first.inner_text()
    with page.expect_download() as waiting:
        page.locator(".st-key-units_export_xlsx button").first.click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.suffix == ".xlsx"
    rows = list(openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True))
    assert len(rows) - 1 == number(told)
    header = [str(text) for text in rows[0]]
    assert say("columns.unit_name") in header
    assert name in {row[header.index(say("columns.unit_name"))] for row in rows[1:]}

    # Somebody else, with nothing but the address.
    with visiting(browser, served.address) as colleague:
        colleague.page.goto(page.url)
        other = colleague.settle()
        expect(other.locator(".st-key-unit h3")).to_have_text(name)
        assert answer(other) == answer(page)
        assert other.url == page.url


def test_match_says_who_fits_and_why_the_others_do_not(visit: Visit) -> None:
    page = visit.open("/match")
    pick(page, "need", say("match.pick.described"))
    pick(page, "groups", GROUP)
    fit, ask, out = (whole(text) for text in NUMBER.findall(answer(page))[:3])
    assert fit > 0
    assert fit == number(page.locator(".st-key-hits_export p").first.inner_text())
    # Who fits, whom to ask and who falls out are all units that there are.
    every = number(visit.open("/vacancies").locator(".st-key-answer p").nth(2).inner_text())
    assert fit + ask + out == every
    page.go_back()
    settled(page)
    page.locator(".st-key-hits").wait_for()
    picture(page, "match")
    assert axe.violations(page) == []

    page.get_by_role("tab", name=say("match.tab.why_not")).click()
    expect(page.locator(".st-key-why_not canvas").first).to_be_visible()
    page.locator(".st-key-why_not").evaluate("table => table.scrollIntoView({block: 'end'})")
    picture(page, "why-not", top=False)
    select_first_row(page, "why_not")
    page.locator(".st-key-failing_export").wait_for()
    assert axe.violations(page) == []


def test_the_language_is_switched_on_the_page_and_stays_with_the_link(browser: Browser, served: Served, vacancies: Page) -> None:
    page = vacancies
    pick(page, "groups", GROUP)
    danish = number(answer(page))
    with asking(page):
        page.locator(".st-key-lang").get_by_text(say("serving.language", "en")).click()
    page.get_by_role("heading", name=say("vacancies.title", "en"), exact=True).first.wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
    assert number(answer(page)) == danish
    picture(page, "vacancies-en")
    with visiting(browser, served.address) as colleague:
        colleague.page.goto(page.url)
        other = colleague.settle()
        assert other.evaluate("document.documentElement.lang") == "en"
        assert answer(other) == answer(page)
        expect(other.get_by_role("heading", name=say("vacancies.title", "en"), exact=True).first).to_be_visible()


def test_a_new_page_needs_no_horizontal_scrolling(browser: Browser, served: Served, pages: list[str]) -> None:
    with visiting(browser, served.address) as one:
        for width, height in ((1440, 900), (390, 844)):
            one.page.set_viewport_size({"width": width, "height": height})
            for path in pages:
                page = one.open(path)
                main = page.evaluate("[document.querySelector('[data-testid=\"stMain\"]')].map(e => [e.scrollWidth, e.clientWidth])[0]")
                assert main[0] <= main[1], f"{path} at {width}: {main[0]} px in {main[1]}"
