"""Reading and selecting in Streamlit's tables, which draw on a canvas and keep a hidden copy of the rows in view for a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError, expect

from tests.browser.runs import asking

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Locator, Page

ROW_REM = 2.1875
"""Height of a row, and of the header, in the page's root font size."""


def row_height(page: Page) -> float:
    """Pixels of a row, and of the header."""
    return ROW_REM * float(page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)"))


def _frame(page: Page, key: str) -> Locator:
    """The table of a key. Only a table with selection carries its key: others are known by their buttons to export, which stand below."""
    below = f"//*[contains(concat(' ', @class, ' '), ' st-key-{key}_export ')]"
    return page.locator(f"xpath={below}/preceding::*[@data-testid='stDataFrame'][1]")


def _table(page: Page, key: str) -> Locator:
    """The copy of a table, scrolled into view: one out of view draws nothing."""
    frame = _frame(page, key)
    frame.wait_for()
    frame.scroll_into_view_if_needed()
    table = frame.locator("table[role=grid]")
    table.locator("[role=columnheader]").first.wait_for(state="attached")
    return table


def headers(page: Page, key: str) -> list[str]:
    """The headers of the columns in view."""
    return [text.strip() for text in _table(page, key).locator("[role=columnheader]").all_text_contents() if text.strip()]


def heads(page: Page, key: str, expected: list[str]) -> None:
    """Wait until the columns in view have these headers."""
    _table(page, key)
    read = "([frame, expected]) => JSON.stringify([...frame.querySelectorAll('[role=columnheader]')]"
    read += ".map((one) => one.textContent.trim()).filter(Boolean)) === JSON.stringify(expected)"
    try:
        page.wait_for_function(read, arg=[_frame(page, key).element_handle(), expected], timeout=10_000)
    except TimeoutError:
        assert headers(page, key) == expected


def column(page: Page, key: str, header: str) -> list[str]:
    """The cells in view of the column under a header, as the table's data say them (not as they are written)."""
    table = _table(page, key)
    place = table.get_by_role("columnheader", name=header, exact=True, include_hidden=True).get_attribute("aria-colindex")
    cells = table.locator(f'[role=gridcell][aria-colindex="{place}"]')
    cells.first.wait_for(state="attached")
    return [text.strip() for text in cells.all_text_contents()]


_SHOWS = """([frame, header, expected, least]) => {
    const head = [...frame.querySelectorAll("[role=columnheader]")].find((one) => one.textContent.trim() === header);
    if (!head) return false;
    const cells = [...frame.querySelectorAll(`[role=gridcell][aria-colindex="${head.getAttribute("aria-colindex")}"]`)];
    return cells.length >= least && cells.every((cell, row) => cell.textContent.trim() === expected[row]);
}"""


def shows(page: Page, key: str, header: str, expected: list[str]) -> None:
    """Wait until the column under a header reads as expected from the first row on, as far as it is in view.

    The copy of a table follows what is drawn a moment later.
    """
    _table(page, key)
    frame = _frame(page, key).element_handle()
    try:
        page.wait_for_function(_SHOWS, arg=[frame, header, expected, min(4, len(expected))], timeout=10_000)
    except TimeoutError:
        assert column(page, key, header) == expected


def select(page: Page, key: str, row: int) -> None:
    """Tick the box of a row in view (0 is the first), and wait until the page has answered and the table says that it is selected."""
    table = _table(page, key)
    table.locator("[role=gridcell]").first.wait_for(state="attached")
    tick(page, _frame(page, key), row)
    # The header is row 1 of the copy.
    expect(table.locator(f'[role=row][aria-rowindex="{row + 2}"]')).to_have_attribute("aria-selected", "true")


def tick(page: Page, frame: Locator, row: int) -> None:
    """Click the box of a row in view, once the table stands still, and wait until the page has answered."""
    canvas = frame.locator("canvas").first
    canvas.evaluate("one => one.scrollIntoView({block: 'center'})")
    box = stands(page, canvas)
    high = row_height(page)
    with asking(page):
        page.mouse.click(box["x"] + high / 2, box["y"] + high * (row + 1.5))


def stands(page: Page, part: Locator) -> FloatRect:
    """Wait until a part of the page moves no longer; where it lies."""
    box, before = part.bounding_box(), None
    while box is None or box != before:
        page.wait_for_timeout(100)
        box, before = part.bounding_box(), box
    return box
