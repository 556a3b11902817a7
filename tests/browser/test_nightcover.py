"""Shared night cover in Chromium: forbid a coupling, raise the pay, take the business case along, and send the link on."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import openpyxl
from playwright.sync_api import Browser, Page, expect

from samplads import i18n
from tests.browser import axe
from tests.browser.conftest import Served, settled, visiting


def answer(page: Page) -> str:
    """The page's first sentence."""
    return page.locator(".st-key-answer p").first.inner_text()


def _changed(page: Page, before: str) -> str:
    """The sentence once it is another."""
    expect(page.locator(".st-key-answer p").first).not_to_have_text(before)
    settled(page)
    return answer(page)


def _saved(page: Page, key: str) -> bytes:
    with page.expect_download(timeout=60_000) as waiting:
        page.locator(f".st-key-{key} button").first.click()
    return Path(waiting.value.path()).read_bytes()


def test_forbid_a_coupling_raise_the_pay_take_the_case_along(browser: Browser, served: Served) -> None:
    with visiting(browser, served.address) as one:
        page = one.open("/nightcover")
        page.locator('.st-key-couples_map [data-testid="stVegaLiteChart"]').first.wait_for()
        best = answer(page)
        assert re.search(r"\d+ koblinge?r? sparer [\d,]+.mio", best)
        assert axe.violations(page) == []

        # The first coupling is held apart: the second best plan, with the wish in the link.
        table = page.locator(".st-key-couples .dvn-scroller").first
        table.scroll_into_view_if_needed()
        table.click(position={"x": 16, "y": 52})
        page.locator(".st-key-forbid button").click()
        second = _changed(page, best)
        assert "apart" in parse_qs(urlsplit(page.url).query)

        page.get_by_role("tab", name=i18n.text("nightcover_page.tab.assumptions", "da")).click()
        page.locator(".st-key-night_pay_municipal_all summary").click()
        field = page.locator(".st-key-night_pay_municipal_pay_level input")
        field.fill("120")
        field.press("Enter")
        dearer = _changed(page, second)

        if shutil.which("pdftotext"):
            told = subprocess.run(["pdftotext", "-", "-"], input=_saved(page, "case_pdf"), capture_output=True, check=True).stdout.decode()
            flat = " ".join(told.split())
            assert " ".join(dearer.split()) in flat
            listed = [text for key, text in i18n.catalogue("da").items() if key.startswith("nightcover_page.assumptions.")]
            assert [text for text in listed if "".join(text.split()) not in "".join(told.split())] == []
        book = openpyxl.load_workbook(io.BytesIO(_saved(page, "case_xlsx")), read_only=True)
        cells = {str(value) for row in book.worksheets[0].iter_rows(values_only=True) for value in row if value}
        assert dearer in {cell.replace("\N{NO-BREAK SPACE}", " ") for cell in cells} | cells

        with visiting(browser, served.address) as colleague:
            colleague.page.goto(page.url)
            other = colleague.settle()
            expect(other.locator(".st-key-answer p").first).to_have_text(dearer)
        assert one.foreign() == []
