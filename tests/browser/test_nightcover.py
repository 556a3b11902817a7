"""Shared night cover in Chromium: forbid a coupling, change the pay step, click a plan in the chart, and send the link on.

What the page should say is reckoned outside it, from the same warehouse: every assertion compares with the plan that ought to stand there.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import polars as pl
import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from samplads import i18n, loading, queries
from samplads import loading_nightcover as night
from samplads.nightcover import plan
from samplads.presenting import formats, nightcover, tables
from tests.browser import axe, grid
from tests.browser.conftest import Served, serving, visiting
from tests.browser.runs import asking, settled

UNITS = i18n.text("columns.units_named", "da")
SAVING = f"{i18n.text('columns.saving_ore', 'da')} ({i18n.text('units.kr_per_year', 'da')})"


def plain(text: str) -> str:
    """A text with plain spaces, as a comparison wants it."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def candidates(served: Served, *, own_pay: bool = True, **changes: Any) -> plan.Candidates:
    """What the page should reckon with for the default municipality's region."""
    day = loading.as_of(served.warehouse)
    members = queries.run("region_members", served.warehouse, day=day)
    region = members.filter(pl.col("municipality") == "259")["region"][0]
    codes = members.filter(pl.col("region") == region)["municipality"].to_list()
    told = night.inputs(day, warehouse=served.warehouse)
    told = told.only(told.units.filter(pl.col("municipality").is_in(codes))["unit_id"].to_list())
    if not own_pay:
        told = replace(told, roster=told.roster.with_columns(pl.lit(None, dtype=pl.Int64).alias("monthly_pay_ore")))
    return plan.candidates(plan.prepare(told, night.assumptions(day).changed(**changes)))


def answered(page: Page, best: plan.NightPlan) -> None:
    """Wait for the sentence of a plan, and hold table and map against the same plan."""
    expect(page.locator(".st-key-answer p").first).to_have_text(plain(nightcover.answer(best, "da")), timeout=30_000)
    settled(page)
    grid.shows(page, "couples", UNITS, [formats.listing(couple.names, "da") for couple in best.couples])
    # The cells say the data, to the last binary digit.
    frame = pl.DataFrame({"saving_ore": [couple.saving_ore for couple in best.couples]})
    kroner = tables.plain(frame, [tables.column("saving_ore")], "da")["saving_ore"]
    grid.shows(page, "couples", SAVING, [repr(amount).removesuffix(".0") for amount in kroner])
    for couple in best.couples:
        amount = formats.number(round(couple.saving_ore / 100), "da")
        line = page.locator(f'.st-key-couples_map [aria-label*="{amount}"][aria-label*="{couple.names[0]}"]')
        expect(line.first).to_be_attached()


def _saved(page: Page, key: str) -> bytes:
    with page.expect_download(timeout=60_000) as waiting:
        page.locator(f".st-key-{key} button").first.click()
    return Path(waiting.value.path()).read_bytes()


def _click_until_taken(page: Page, mark: Locator) -> None:
    """Click a point of the chart until the plan is in the link: a chart is drawn a moment before it listens."""
    for _ in range(6):
        mark.click()
        with contextlib.suppress(TimeoutError):
            page.wait_for_url("**night_plan=*", timeout=5_000)
            return
    pytest.fail("a click on a point of the chart is not taken")


def printed(page: Page) -> str:
    """The text of the business case's PDF, cell by cell."""
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext")
    done = subprocess.run(["pdftotext", "-raw", "-", "-"], input=_saved(page, "case_pdf"), capture_output=True, check=True)
    return plain(done.stdout.decode())


def test_a_forbidden_coupling_is_gone_and_the_second_best_plan_is_shown(browser: Browser, served: Served) -> None:
    found = candidates(served)
    best = plan.best(found)
    first = best.couples[0].unit_ids
    second = plan.best(found, apart=[(first[0], first[1])])
    assert {couple.unit_ids for couple in second.couples} != {couple.unit_ids for couple in best.couples}
    with visiting(browser, served.address) as one:
        page = one.open("/nightcover")
        page.locator('.st-key-couples_map [data-testid="stVegaLiteChart"]').first.wait_for()
        answered(page, best)
        assert axe.violations(page) == []

        grid.select(page, "couples", 0)
        with asking(page):
            page.locator(".st-key-forbid button").click()
        answered(page, second)
        gone = formats.listing(best.couples[0].names, "da")
        assert gone not in grid.column(page, "couples", UNITS)
        assert len(parse_qs(urlsplit(page.url).query)["apart"]) == 1

        # The paper says the same: the wish, and the plan that meets it; the workbook too.
        text = printed(page)
        assert plain(nightcover.answer(second, "da")) in text
        assert plain(i18n.text("nightcover_page.case.apart", "da", pairs=gone)) in text
        book = openpyxl.load_workbook(io.BytesIO(_saved(page, "case_xlsx")), read_only=True)
        cells = {plain(str(value)) for row in book.worksheets[0].iter_rows(values_only=True) for value in row if value}
        assert plain(nightcover.answer(second, "da")) in cells

        with visiting(browser, served.address) as colleague:
            colleague.page.goto(page.url)
            answered(colleague.settle(), second)
        assert one.foreign() == []


SLOW = """
import time

from samplads.nightcover import plan

judged = plan.candidates
calls = []


def slow(nights, tick=None):
    if not nights.assumptions.single_person_only and not calls:
        calls.append(nights)
        for step in range(600):
            tick(step / 600)
            time.sleep(0.1)
    return judged(nights, tick)


plan.candidates = slow
"""
"""Judging the pairs of all offers takes a minute, the first time."""


def test_a_long_reckoning_says_how_far_it_is_and_can_be_cancelled(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, first=SLOW) as slow, visiting(browser, slow.address) as one:
        page = one.open("/nightcover")
        grid.select(page, "couples", 0)
        first = grid.column(page, "couples", UNITS)[0]
        with asking(page):
            page.locator(".st-key-forbid button").click()
        apart = parse_qs(urlsplit(page.url).query)["apart"]
        bar = page.locator("[data-testid=stProgress]")
        assert bar.count() == 0

        page.get_by_role("tab", name=i18n.text("nightcover_page.tab.assumptions", "da")).click()
        page.locator(".st-key-night_every_unit label").first.click()
        expect(bar).to_contain_text(i18n.text("nightcover_page.step.pairs", "da"))
        page.get_by_role("button", name=i18n.text("nightcover_page.cancel", "da")).click()
        expect(page.get_by_text(i18n.text("nightcover_page.cancelled", "da"))).to_be_visible()
        settled(page)
        assert bar.count() == 0
        assert page.locator(".st-key-answer").count() == 0

        # What was chosen stands: the plan that comes keeps the pair apart, and the link says so.
        with asking(page):
            page.get_by_role("button", name=i18n.text("nightcover_page.resume", "da")).click()
        expect(page.locator(".st-key-answer p").first).to_be_visible()
        assert bar.count() == 0
        page.get_by_role("tab", name=i18n.text("nightcover_page.tab.hand", "da")).click()
        expect(page.locator(".st-key-apart")).to_contain_text(first.split(" og ")[0].split(",")[0])
        assert parse_qs(urlsplit(page.url).query)["apart"] == apart
        assert one.complaints == []


def test_a_changed_pay_step_changes_sentence_table_map_and_paper(browser: Browser, served: Served) -> None:
    usual = plan.best(candidates(served, own_pay=False))
    dearer = plan.best(candidates(served, own_pay=False, default_pay_ore=4_000_000))
    assert dearer.saving_ore > usual.saving_ore
    with visiting(browser, served.address) as one:
        page = one.open("/nightcover")
        page.locator('.st-key-couples_map [data-testid="stVegaLiteChart"]').first.wait_for()
        couplings, assumptions = (
            page.get_by_role("tab", name=i18n.text(f"nightcover_page.tab.{tab}", "da")) for tab in ("couplings", "assumptions")
        )
        assumptions.click()
        with asking(page):
            page.locator(".st-key-night_own_pay label").first.click()
        couplings.click()
        answered(page, usual)
        before = printed(page)

        assumptions.click()
        page.locator(".st-key-night_pay_municipal_all summary").click()
        field = page.locator(".st-key-night_pay_municipal_monthly_pay input")
        field.fill("40.000")
        with asking(page):
            field.press("Enter")
        couplings.click()
        answered(page, dearer)
        after = printed(page)

        for text, best, pay in ((before, usual, "34.500"), (after, dearer, "40.000")):
            assert plain(nightcover.answer(best, "da")) in text
            for row in best.by_municipality.iter_rows(named=True):
                assert formats.number(round(row["net_ore"] / 100), "da") in text
            assert re.search(rf"kr\.\) {re.escape(pay)} ", text), pay
        assert plain(nightcover.answer(usual, "da")) not in after
        listed = [text for key, text in i18n.catalogue("da").items() if key.startswith("nightcover_page.assumptions.")]
        assert [name for name in listed if "".join(name.split()) not in "".join(after.split())] == []
        assert one.foreign() == []


def test_a_click_on_a_point_of_the_chart_uses_its_plan(browser: Browser, served: Served) -> None:
    from samplads.ui.nightcover import PRICES_ORE

    found = candidates(served)
    points = plan.frontier(found, PRICES_ORE, chosen_ore=0)
    assert len(points) > 2
    other = points[-2]
    with visiting(browser, served.address) as one:
        page = one.open("/nightcover")
        name = plain(nightcover.price_name(other.price_ore, "da"))
        marks = page.locator('.st-key-frontier path[aria-roledescription="point"]')
        marks.first.wait_for()
        labels = [plain(label or "") for label in marks.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")]
        assert len(labels) == len(points)
        assert sum("Vist på siden" in label for label in labels) == 1
        _click_until_taken(page, marks.nth(next(at for at, label in enumerate(labels) if label.endswith(f"Plan: {name}"))))
        answered(page, plan.best(found, price_ore=other.price_ore))
        labels = [plain(label or "") for label in marks.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")]
        assert [label for label in labels if "Vist på siden" in label] == [label for label in labels if label.endswith(f"Plan: {name}")]
        assert len([label for label in labels if "Vist på siden" in label]) == 1
