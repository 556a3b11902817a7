"""Ledige pladser in Chromium: filter, open a unit, take all rows along, and find the same view again by its link."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import polars as pl

from tests.browser.runs import asking

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visit

ROW = 35
"""Pixels of a row in a table."""


def answer(page: Page) -> str:
    return page.locator(".st-key-answer").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def says(page: Page, selector: str, words: str) -> None:
    """Wait until a part of the page holds some words."""
    page.wait_for_function("([part, words]) => document.querySelector(part)?.innerText.includes(words)", arg=[selector, words])


def fitting(page: Page) -> tuple[int, int]:
    """Open places and units, as the answer says."""
    found = re.search(r"([\d.]+) åbne pladser på ([\d.]+) afdelinger passer", answer(page))
    assert found, answer(page)
    places, units = (int(number.replace(".", "")) for number in found.groups())
    return places, units


def taken(page: Page, form: str) -> bytes:
    """What the first table's button hands over."""
    with page.expect_download() as download:
        page.locator(".st-key-units_export").get_by_role("button", name=form, exact=True).click()
    return Path(download.value.path()).read_bytes()


def test_a_place_is_found_looked_at_taken_along_and_found_again(visit: Visit) -> None:
    page = visit.open("/vacancies?groups=Autismespektrum")
    places, units = fitting(page)
    assert 0 < units <= places

    limit = page.locator(".st-key-max_km input")
    limit.fill("150,5")
    with asking(page):
        limit.press("Enter")
    says(page, ".st-key-answer", "afstand")
    near_places, near_units = fitting(page)
    assert near_units < units
    assert "max_km=150%2C5" in page.evaluate("location.search")

    book = openpyxl.load_workbook(io.BytesIO(taken(page, "XLSX"))).worksheets[0]
    header, *rows = book.iter_rows(values_only=True)
    open_at, missing_at = header.index("Åbne"), header.index("Mangler oplysning om")
    assert sum(row[open_at] for row in rows if not row[missing_at]) == near_places
    assert max(row[header.index("Afstand (km)")] for row in rows) <= 150.5
    assert pl.read_parquet(io.BytesIO(taken(page, "Parquet"))).height == len(rows)
    lines = taken(page, "CSV").decode("utf-8-sig").splitlines()
    assert len(lines) == len(rows) + 1
    assert lines[0].count(";") == len(header) - 1

    grid = page.locator(".st-key-units canvas").first.bounding_box()
    assert grid is not None
    with asking(page):
        page.mouse.click(grid["x"] + 18, grid["y"] + 1.5 * ROW)
    page.locator(".st-key-unit").wait_for()
    shown = page.locator(".st-key-unit").inner_text()
    assert rows[0][1] in shown
    assert "Primære målgrupper" in shown
    assert "unit_id=" in page.evaluate("location.search")

    again = visit.open(page.evaluate("location.pathname + location.search"))
    again.locator(".st-key-unit").wait_for()
    assert fitting(again) == (near_places, near_units)
    assert rows[0][1] in again.locator(".st-key-unit").inner_text()

    with asking(again):
        again.get_by_text("English", exact=True).click()
    says(again, "h1", "Vacant places")
    assert f"{near_places} open places in {near_units} units fit" in answer(again)
    assert again.locator(".st-key-max_km input").input_value() == "150.5"
    assert visit.complaints == []
    assert visit.foreign() == []


def test_a_link_opens_a_page_with_everything_around_it(visit: Visit) -> None:
    page = visit.open("/vacancies")
    assert page.locator('[data-testid="stSidebarNavLink"]').count() > 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 390, "height": 844})
    visit.settle()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "åbne pladser på" in answer(page)


def test_the_first_door_leads_to_what_it_says(visit: Visit) -> None:
    page = visit.open("/")
    door = page.get_by_text("Udadreagerende adfærd", exact=False).first.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    said = re.search(r"([\d.]+) åbne", door)
    assert said is not None
    with asking(page):
        page.get_by_text("Se ledige pladser", exact=False).first.click()
    says(page, "h1", "Ledige pladser")
    says(page, ".st-key-answer", "målgrupper")
    assert fitting(page)[0] == int(said.group(1).replace(".", ""))
