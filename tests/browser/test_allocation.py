"""Samlet fordeling in Chromium: run for Sjælland, read why one need is not placed, add one place, run again and see it placed; cancel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from playwright.sync_api import expect

from samplads import loading, loading_allocation, queries
from samplads.matching import outcome
from samplads.matching.allocation import allocate
from tests.browser import grid
from tests.browser.conftest import serving, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.conftest import Served, Visit


SLOW = """
import time

from samplads.matching import allocation

best = allocation.optimum


def slow(network, tick):
    for _ in range(600):
        tick()
        time.sleep(0.1)
    return best(network, tick)


allocation.optimum = slow
"""
"""A solver that takes a minute before it begins, and tells between its steps, as a real one does."""


def test_a_cancelled_run_is_over(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, first=SLOW) as slow, visiting(browser, slow.address) as visit:
        visit.page.goto(f"{slow.address}/allocation")
        visit.page.get_by_text("Finder den bedste fordeling").wait_for()
        visit.page.get_by_role("button", name="Annullér").click()
        visit.page.get_by_text("Beregningen er afbrudt").wait_for()
        # Long before the minute is over the script stands still, and it stays so when the page is touched.
        page = visit.settle()
        assert page.get_by_role("button", name="Annullér").count() == 0
        page.locator(".st-key-what_if summary").click()
        page.get_by_text("Jævn fordelingen mellem kommuner").click()
        page.get_by_text("Valgene er ændret").wait_for()
        visit.settle()
        expect(page.get_by_text("Beregningen er afbrudt")).to_be_visible()
        page.get_by_role("button", name="Beregn").click()
        page.get_by_text("Finder den bedste fordeling").wait_for()
        assert page.get_by_text("Beregningen er afbrudt").count() == 0
        assert visit.complaints == []


def choose_tab(visit: Visit, name: str) -> None:
    page = visit.page
    page.get_by_role("tab", name=name).click()
    page.wait_for_function("name => document.querySelector('[role=tab][aria-selected=true]').innerText === name", arg=name)


def test_read_why_add_a_place_and_see_it_placed(visit: Visit, served: Served) -> None:
    folder = served.warehouse
    day = loading.as_of(folder)
    members = queries.run("region_members", folder, day=day).filter(pl.col("region_name") == "Sjælland")["municipality"].to_list()
    assert len(members) == 17
    asked = loading_allocation.load(day, members, warehouse=folder)
    plan = allocate(asked.scored, asked.capacity, priority=asked.priority, waiting=asked.waiting)
    full = loading_allocation.full_pairs(day, asked, warehouse=folder)
    told = outcome.unplaced(plan, asked.needs.select("need_id"), full)
    lost = told.filter(pl.col("reason") == outcome.OUTBID).row(0, named=True)
    closed = told.filter(pl.col("reason") == outcome.NO_OPEN_PLACE).row(0, named=True)
    units = {row["unit_id"]: row for row in queries.run("match_units", folder).iter_rows(named=True)}
    full_unit = units[closed["unit_id"]]

    page = visit.open("/allocation")
    answer = page.locator(".st-key-answer")
    answer.get_by_text(f"{asked.needs.height} behov").wait_for()
    assert f"{plan.placed} kan få plads samtidig" in answer.inner_text()
    assert re.search(r"\b0 ", answer.inner_text()) is None
    visit.settle()
    placed = page.locator(".st-key-placed [role=gridcell]")
    expect(placed.first).to_be_attached()
    expect(placed.get_by_text(closed["need_id"], exact=True)).to_have_count(0)

    # A row that is chosen tells the exact price of its second best, by solving again.
    row, one = next((row, one) for row, one in enumerate(outcome.placed(plan).iter_rows(named=True)) if one["second_unit"] is not None)
    exact = outcome.insist(plan, one["need_id"], one["second_unit"])
    assert exact.change[:-1] == (0,) * (len(exact.change) - 1)
    grid.select(page, "placed", row)
    told = page.get_by_text("Insister på næstbedste:")
    expect(told).to_be_visible()
    second = units[one["second_unit"]]["name"]
    expect(page.get_by_text(f"skal {one['need_id']} have {second}")).to_contain_text(f"{-exact.change[-1]} rangpoint")
    expect(page.get_by_text(f"{one['need_id']} fra {units[one['unit_id']]['name']} til {second}")).to_be_visible()

    choose_tab(visit, "Uden plads")
    # A table's copy for screen readers follows its canvas by a moment.
    said = page.locator(".st-key-unplaced [role=gridcell]")
    outbid = f"har pladsen i {units[lost['unit_id']]['name']}. Skulle {lost['need_id']} have den"
    expect(said.filter(has_text=outbid).first).to_be_attached()
    expect(said.get_by_text(closed["need_id"], exact=True)).to_have_count(1)
    expect(said.filter(has_text="åben plads").filter(has_text=full_unit["name"]).first).to_be_attached()
    waits = page.locator(".st-key-unplaced [role=row]").filter(has_text=lost["need_id"]).first.get_attribute("aria-rowindex")
    grid.select(page, "unplaced", int(str(waits)) - 2)
    expect(page.get_by_text(f"Hvem der har de pladser, som {lost['need_id']} kunne bruge")).to_be_visible()
    expect(page.get_by_text(f"{lost['need_id']}: {lost['lost_to']} har pladsen")).to_be_visible()

    # One place more at the unit that the explanation names.
    page.locator(".st-key-what_if summary").click()
    field = page.locator(".st-key-more_units input")
    field.click()
    field.fill(full_unit["name"])
    shown = f"{full_unit['name']} · {full_unit['municipality_name']}"
    page.get_by_role("option", name=re.compile(f"^{re.escape(shown)}")).first.click()
    page.locator(f".st-key-more_{closed['unit_id']} input").wait_for()
    page.get_by_text("Valgene er ændret").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Beregn").click()
    page.get_by_text("Med ændringen får 1 flere en plads").wait_for()
    visit.settle()
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Uden plads"
    expect(said.get_by_text(closed["need_id"], exact=True)).to_have_count(0)
    choose_tab(visit, "Får plads")
    expect(placed.get_by_text(closed["need_id"], exact=True)).to_have_count(1)
    assert f"{plan.placed + 1} kan få plads samtidig" in answer.inner_text()

    assert visit.foreign() == []
    assert visit.complaints == []
