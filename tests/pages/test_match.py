"""Find match, driven without a browser: the answer, the points, why not, near misses, and a need that is described."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from samplads import loading, settings
from samplads.matching.ranking import match

SHOWN = "2026-118 · Køge · 24 år"


@pytest.fixture
def page(demo: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(demo))
    return AppTest.from_file(str(settings.ROOT / "pages" / "match.py"), default_timeout=60)


def frames(page: AppTest) -> list[pl.DataFrame]:
    return [pl.from_pandas(shown.value) for shown in page.dataframe]


def test_the_page_says_what_the_match_says(page: AppTest, demo: Path) -> None:
    page.query_params["need"] = SHOWN
    page.run()
    assert not page.error
    day = loading.as_of(demo)
    result = match(
        loading.need("2026-118", demo),
        loading.places(demo),
        loading.weights(day),
        as_of=day,
        municipalities=loading.municipalities(demo),
    )
    counts = result.counts
    said = " ".join(text.value for text in page.markdown)
    assert f"{counts['hits']} afdelinger passer, {counts['needs_assessment']} kræver vurdering" in said
    hits, why, near, asked, points, _ = frames(page)
    assert hits["points"].to_list() == result.hits["points"].to_list()
    assert why["failed"].sum() == sum(told.failed for told in result.excluded.values())
    assert near.height == result.near_misses.height
    assert asked.height == counts["needs_assessment"]
    by_criterion = [name for name in points.columns if name.startswith("points_")]
    assert points.select(pl.sum_horizontal(by_criterion)).to_series().to_list() == points["points"].to_list()


def test_a_need_can_be_described(page: AppTest) -> None:
    page.run()
    page.selectbox(key="need").select("described").run()
    assert not page.error
    page.text_input(key="age").input("24").run()
    page.multiselect(key="groups").select("9b3fd322-a75a-4ed8-9b74-425fa1e01c95").run()
    assert not page.error
    assert any("24 år · Autismespektrum" in caption.value for caption in page.caption)


def test_the_page_speaks_english(page: AppTest) -> None:
    page.query_params["lang"] = "English"
    page.session_state["lang"] = "en"
    page.run()
    assert not page.error
    assert any("units fit" in text.value or "unit fits" in text.value for text in page.markdown)
