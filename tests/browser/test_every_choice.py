"""Every page stands whatever is chosen on it: each tab, the first row of each table that can be ticked, each list, another municipality.

A test that follows a person's way knows what should come; this one only knows that no page may say that something went wrong. When it was
first walked one did: Find match, when another municipality was chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samplads import i18n
from tests.browser import grid
from tests.browser.conftest import visiting
from tests.browser.runs import settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Served

BROKEN = i18n.text("app.bug", "da", reference="\0").split("\0")[0]
TABLES = "[data-testid=stElementContainer][class*=st-key-] [data-testid=stDataFrame]:visible"
"""Tables whose rows can be ticked: only those carry their key."""
LISTS = "[data-testid=stSelectbox]:visible, [data-testid=stMultiSelect]:visible"
PAGES = ("", "vacancies", "match", "allocation", "nightcover", "deliveries", "quality", "workbench", "dictionary")


def whole(page: Page, after: str) -> None:
    """Nothing on the page says that it failed."""
    settled(page)
    said = page.locator("[data-testid=stAlert]").all_inner_texts()
    assert [text for text in said if text.startswith(BROKEN)] == [], after
    assert page.locator("[data-testid=stException]").count() == 0, after


def tick_first_rows(page: Page, where: str) -> None:
    for number in range(page.locator(TABLES).count()):
        table = page.locator(TABLES).nth(number)
        if not table.is_visible():
            continue
        table.locator("[role=gridcell]").first.wait_for(state="attached")
        # A table without rows is drawn with one that holds nothing.
        if not any(table.locator("[role=gridcell]").all_text_contents()):
            continue
        # The header is row 1 of the copy. A row that stands ticked is left so: after a click elsewhere it takes two to untick it.
        if table.locator('[role=row][aria-rowindex="2"]').first.get_attribute("aria-selected") == "true":
            continue
        grid.tick(page, table, 0)
        whole(page, f"{where}: table {number}, first row")


def choose_in_lists(page: Page, where: str) -> None:
    """The second choice of each list, or the only one: the first is often what stands there already."""
    for number in range(page.locator(LISTS).count()):
        field = page.locator(LISTS).nth(number).locator("input").first
        if not field.is_visible():
            continue
        name = field.get_attribute("aria-label")
        # A list that opens while the page still scrolls to it closes again.
        field.evaluate("one => one.scrollIntoView({block: 'center'})")
        grid.stands(page, field)
        field.click()
        options = page.locator("[role=option]")
        options.first.wait_for()
        chosen = options.nth(min(1, options.count() - 1))
        text = chosen.inner_text()
        chosen.click()
        page.keyboard.press("Escape")
        whole(page, f"{where}: {name} = {text}")


def test_the_pages_are_all_there(pages: list[str]) -> None:
    assert {path.strip("/") for path in pages} == set(PAGES)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "overview")
def test_a_page_stands_whatever_is_chosen(browser: Browser, served: Served, path: str) -> None:
    with visiting(browser, served.address) as one:
        page = one.open(f"/{path}")
        whole(page, path)
        tabs = [tab.inner_text() for tab in page.get_by_role("tab").all()]
        for name in tabs or [""]:
            tab = page.get_by_role("tab", name=name, exact=True).first
            if name and not tab.is_visible():
                continue
            if name:
                tab.click()
            where = f"{path} {name}"
            whole(page, where)
            tick_first_rows(page, where)
        # A table under the pointer shows its tools over what stands above it.
        page.mouse.move(0, 0)
        for more in page.locator("summary:visible").all():
            more.click()
        choose_in_lists(page, path)
        assert one.complaints == []
