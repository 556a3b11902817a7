"""Samlet fordeling, driven without a browser: the answer equals the plan, and one more place helps the one who lost."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from samplads import loading, loading_allocation, settings
from samplads.matching.allocation import allocate


@pytest.fixture
def page(demo: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(demo))
    return AppTest.from_file(str(settings.ROOT / "pages" / "allocation.py"), default_timeout=90)


def frames(page: AppTest) -> list[pl.DataFrame]:
    return [pl.from_pandas(shown.value) for shown in page.dataframe]


def test_the_page_says_what_the_plan_says_and_a_place_more_helps(page: AppTest, demo: Path) -> None:
    page.run()
    assert not page.error
    placed, unplaced, scarcity, fairness, comparison = frames(page)
    outbid = unplaced.filter(pl.col("explained").str.contains("har pladsen i"))
    assert outbid.height
    assert placed.height + unplaced.height == fairness["needs"].sum()
    assert comparison["placed"].max() == placed.height
    assert scarcity.height

    need = outbid["need_id"][0]
    round_ = loading_allocation.load(loading.as_of(demo), warehouse=demo)
    mine = round_.pairs.filter(pl.col("need_id") == need).sort("points", descending=True)
    page.multiselect(key="more_units").select(mine["unit_id"][0]).run()
    assert not page.error
    after = frames(page)[0]
    assert need in after["need_id"].to_list()
    assert after.height == placed.height + 1
    assert any("får 1 flere en plads" in note.value for note in page.info)


def test_all_municipalities_at_once(page: AppTest, demo: Path) -> None:
    page.session_state["allocation_region"] = None
    page.run()
    assert not page.error
    round_ = loading_allocation.load(loading.as_of(demo), warehouse=demo)
    plan = allocate(round_.pairs.select("need_id", "unit_id", "points"), round_.capacity, priority=round_.priority, waiting=round_.waiting)
    assert frames(page)[0].height == plan.placed
    assert any(f"{round_.needs.height} behov" in text.value for text in page.markdown)
