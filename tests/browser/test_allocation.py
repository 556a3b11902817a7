"""Samlet fordeling in Chromium: run for Sjælland, read why one need is not placed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from samplads import loading, loading_allocation, queries
from samplads.matching import outcome
from samplads.matching.allocation import allocate

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Served, Visit


def unplaced(page: Page) -> list[str]:
    """The table of needs without a place, as a screen reader has it."""
    cells = page.locator(".st-key-unplaced [role=gridcell]")
    cells.first.wait_for(state="attached")
    return cells.all_text_contents()


def test_the_plan_and_why_one_need_is_not_placed(visit: Visit, served: Served) -> None:
    folder = served.warehouse
    day = loading.as_of(folder)
    members = queries.run("region_members", folder, day=day).filter(pl.col("region_name") == "Sjælland")["municipality"].to_list()
    assert len(members) == 17
    asked = loading_allocation.load(day, members, warehouse=folder)
    pairs = asked.pairs.select("need_id", "unit_id", "points")
    plan = allocate(pairs, asked.capacity, priority=asked.priority, waiting=asked.waiting)
    lost = outcome.unplaced(plan, asked.needs.select("need_id")).filter(pl.col("reason") == outcome.OUTBID).row(0, named=True)
    unit = queries.run("match_units", folder).filter(pl.col("unit_id") == lost["unit_id"]).row(0, named=True)

    page = visit.open("/allocation")
    answer = page.locator(".st-key-answer")
    answer.get_by_text(f"{asked.needs.height} behov").wait_for()
    assert f"{plan.placed} kan få plads samtidig" in answer.inner_text()
    # The map is drawn last: a tab that is chosen while the first answer is still being drawn is put back.
    page.locator(".st-key-moves_map").wait_for(state="attached")
    visit.settle()
    tab = page.get_by_role("tab", name="Uden plads")
    tab.click()
    page.wait_for_function("() => document.querySelector('[role=tab][aria-selected=true]').innerText === 'Uden plads'")
    assert any(f"har pladsen i {unit['name']}. Skulle {lost['need_id']} have den" in cell for cell in unplaced(page))

    assert visit.foreign() == []
    assert visit.complaints == []
