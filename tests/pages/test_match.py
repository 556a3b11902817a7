"""Find match, driven without a browser: the answer, the points, why not, near misses, and a need that is described."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from samplads import loading, settings, warehouse
from samplads.matching.case import Case
from samplads.matching.ranking import MatchResult, match
from samplads.ui import matching
from tests import small

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


def test_a_publication_while_a_page_runs_changes_nothing_until_the_next_click(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The need is read from one version; the units it is matched with are that version's too."""
    need = {"need_id": "N-1", "municipality": "259", "registered_on": small.DAY, "target_groups": [small.AUTISM]}
    rows = {"unit": small.UNITS, "capacity": small.CAPACITY, "target_group_approval": small.APPROVALS, "need": [need]}
    small.publish(tmp_path, small.archived(rows, synthetic=True))
    full = [row | {"occupied": row["maximum"], "accepting": 0} for row in small.CAPACITY]
    later = small.archived(rows | {"capacity": full}, name="later", synthetic=True)
    really = matching.matched
    ran = []

    def meanwhile(case: Case) -> MatchResult:
        if not ran:
            small.publish(tmp_path, later)
        ran.append(really(case))
        return ran[-1]

    monkeypatch.setattr(matching, "matched", meanwhile)
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(tmp_path))
    page = AppTest.from_file(str(settings.ROOT / "pages" / "match.py"), default_timeout=60)
    page.run()
    assert not page.error
    assert ran[-1].hits["unit_id"].to_list() == ["A-1"]
    page.run()
    assert not page.error
    assert ran[-1].counts["hits"] == 0
    # The first version once more, with nothing remembered: the library itself reads the file it is given.
    first, second = warehouse.history(tmp_path)
    assert loading.places(first.path).frame["accepting"].sum() > loading.places(second.path).frame["accepting"].sum() == 0
