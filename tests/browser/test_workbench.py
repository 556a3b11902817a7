"""SQL-værksted in Chromium: an answer at once, an own query by Ctrl+Enter, its whole export, a fault under its line, a cancelled run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import polars as pl
from playwright.sync_api import expect

from samplads import i18n
from samplads.ui.workbench import _BROWSER_COOKIES
from samplads.workbench import analyst_copy, library, worker
from tests.browser import words
from tests.browser.conftest import Served, Visit
from tests.browser.runs import settled

if TYPE_CHECKING:
    from playwright.sync_api import Page


def say(key: str, language: str = "da", **values: object) -> str:
    return i18n.text(key, language, **values)


def run(page: Page, sql: str) -> None:
    editor = page.locator(".st-key-sql textarea")
    editor.fill(sql)
    editor.press("Control+Enter")


def test_an_analyst_asks_and_takes_everything_home(visit: Visit, served: Served) -> None:
    query = library.get("open_places_for_group")
    try:
        expected = worker.run(query.sql, analyst_copy.current(served.warehouse), parameters=query.example())
    finally:
        worker.stop()
    page = visit.open("/workbench")
    answer = page.locator(".st-key-answer")
    expect(answer).to_contain_text(query.title["da"])
    expect(answer).to_contain_text(f"{expected.rows_shown} rækker")
    for one in library.all_queries():
        expect(page.locator(f".st-key-open_{one.name}")).to_be_attached()
    settled(page)
    assert words.strangers(page, "da") == []

    # A pasted query has its numbers at once, and no English word on how to apply it.
    editor = page.locator(".st-key-sql textarea")
    editor.fill("")
    page.keyboard.insert_text("\n".join(f"-- {line}" for line in range(1, 121)))
    settled(page)
    numbers = unquote(editor.evaluate("field => getComputedStyle(field).backgroundImage"))
    assert all(f">{line}</text>" in numbers for line in (1, 90, 120, 1000))
    assert editor.evaluate("field => field.scrollHeight") >= 120 * 20
    instructions = page.locator(".st-key-sql [data-testid=InputInstructions]")
    expect(instructions).to_be_attached()
    expect(instructions).not_to_be_visible()
    # An analyst's tabs are one analyst's: the browser says which it is.
    assert {cookie["name"] for cookie in page.context.cookies()} & set(_BROWSER_COOKIES)

    run(page, "from range(2500)\nselect range as n, 'æ' || range as t")
    expect(answer).to_contain_text("Viser 1.000 af flere rækker")
    settled(page)
    # Streamlit draws a button with a tooltip twice, the second hidden.
    page.locator(".st-key-export_csv button").first.click()
    fetch = page.locator(".st-key-fetch a")
    expect(fetch).to_contain_text("Hent fil (2.500 rækker")
    settled(page)
    with page.expect_download() as handed:
        fetch.click()
    assert handed.value.suggested_filename.endswith(".csv")
    frame = pl.read_csv(io.BytesIO(Path(handed.value.path()).read_bytes()), separator=";")
    assert frame["n"].to_list() == list(range(2500))
    assert frame["t"][-1] == "æ2499"

    run(page, "select\n  nam\nfrom unit_now")
    expect(page.locator("[data-testid=stAlert]").first).to_contain_text("linje 2")
    expect(page.locator("[data-testid=stCode]").first).to_contain_text("^^^")

    run(page, "select count(*) from range(100000000000) as a, range(1000) as b")
    page.locator(".st-key-cancel button").first.click()
    expect(page.locator("[data-testid=stAlert]").first).to_contain_text(say("errors.sql_cancelled"))
    expect(answer).to_contain_text(say("workbench_page.no_answer"))

    page.locator(".st-key-open_approvals_running_out button").first.click()
    expect(answer).to_contain_text(library.get("approvals_running_out").title["da"])
    settled(page)
    assert "q=approvals_running_out" in page.url
    page.reload()
    expect(answer).to_contain_text(library.get("approvals_running_out").title["da"])

    assert visit.foreign() == []
    assert visit.complaints == []
