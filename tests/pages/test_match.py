"""Find match, driven without a browser: the answer, the points, why not, near misses, and a need that is described."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from samplads import loading, settings, warehouse
from samplads.matching.case import Case
from samplads.matching.ranking import MatchResult, match
from samplads.presenting import formats, match_tables
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
    assert f"Nærmest ved at passe: {result.near_misses.height:,}".replace(",", ".") in said
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


def published_needs(folder: Path, *needs: dict[str, Any]) -> None:
    rated = [unit | {"daily_rate_ore": rate} for unit, rate in zip(small.UNITS, (250_000, 240_000, None), strict=True)]
    waiting = [{"municipality": "259", "registered_on": small.DAY} | need for need in needs]
    rows = {"unit": rated, "capacity": small.CAPACITY, "target_group_approval": small.APPROVALS, "need": waiting}
    small.publish(folder, small.archived(rows, synthetic=True))


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(folder))
    page = AppTest.from_file(str(settings.ROOT / "pages" / "match.py"), default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.error
    return page


def captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption).replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_opens_on_a_need_that_a_unit_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The most urgent of one's own municipality with a hit, the longest waiting among equals; never an empty answer in vain."""
    earlier = small.DAY - dt.timedelta(days=9)
    nowhere = {"target_groups": [small.EXTERNALISING], "support_level": 2, "offer_types": ["A107"], "urgency": "acute"}
    published_needs(
        tmp_path,
        {"need_id": "N-1", "registered_on": earlier - dt.timedelta(days=90)} | nowhere,
        {"need_id": "N-2", "registered_on": earlier, "municipality": "370", "urgency": "acute", "target_groups": [small.AUTISM]},
        {"need_id": "N-3", "registered_on": earlier, "target_groups": [small.AUTISM]},
        {"need_id": "N-4", "urgency": "urgent", "target_groups": [small.AUTISM]},
        {"need_id": "N-5", "urgency": "acute", "target_groups": [small.AUTISM], "registered_on": small.DAY - dt.timedelta(days=1)},
    )
    page = opened(tmp_path, monkeypatch)
    assert page.selectbox(key="need").value == "N-5"
    assert any("1 afdeling passer" in text.value for text in page.markdown)
    # The address holds it, so that it is the same tomorrow; somebody else's link is followed as it is.
    assert page.query_params["need"] == "N-5 · Køge"
    assert opened(tmp_path, monkeypatch, need="N-3 · Køge").selectbox(key="need").value == "N-3"
    assert opened(tmp_path, monkeypatch, need="N-9 · Køge").selectbox(key="need").value == "N-5"


def test_without_a_hit_the_most_urgent_need_stands_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = {"target_groups": [small.DEVELOPMENTAL]}
    published_needs(tmp_path, {"need_id": "N-1", "urgency": "normal"} | full, {"need_id": "N-2", "urgency": "acute"} | full)
    assert opened(tmp_path, monkeypatch).selectbox(key="need").value == "N-2"


def test_the_reference_rate_is_said_and_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published_needs(tmp_path, {"need_id": "N-1", "target_groups": [small.AUTISM], "offer_types": ["A108"]})
    page = opened(tmp_path, monkeypatch)
    assert "Priser holdes mod den laveste takst, der passer (§ 108, stk. 1: 2.500 kr. pr. døgn)." in captions(page)
    most = frames(page)[0]["points"][0]
    page.text_input(key="reference_rate").input("2.000").run()
    assert not page.error
    assert "Priser holdes mod referencetilbuddet: 2.000 kr. pr. døgn." in captions(page)
    assert frames(page)[0]["points"][0] < most, "25 % dearer than the reference offer has no points for its price"
    page.text_input(key="reference_rate").input("2.300").run()
    assert frames(page)[0]["points"][0] < most
    page.selectbox(key="need").select("described").run()
    assert "Priser holdes mod referencetilbuddet: 2.300 kr. pr. døgn." in captions(page)


def test_where_the_citizen_lives_now_is_never_a_hit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published_needs(tmp_path, {"need_id": "N-1"})
    page = opened(tmp_path, monkeypatch)
    page.selectbox(key="need").select("described").run()
    assert "Birkehuset 1" in frames(page)[0]["unit_name"].to_list()
    for typed in ("a-1", " Birkehuset 1 "):
        page.text_input(key="current_unit").input(typed).run()
        assert not page.error
        assert "bor nu på A-1" in captions(page)
        assert "Birkehuset 1" not in frames(page)[0]["unit_name"].to_list()
    page.text_input(key="current_unit").input("Birkehuset").run()
    assert "Ingen afdeling har det id eller navn" in captions(page)
    page.selectbox(key="urgency").select("acute").run()
    assert " · akut" in captions(page)


def test_a_link_to_a_described_need_is_followed(page: AppTest) -> None:
    """That the need is described is the field's default, which an address leaves out."""
    page.query_params["age"] = "24"
    page.query_params["groups"] = "Autismespektrum"
    page.run()
    assert not page.error
    assert page.selectbox(key="need").value == "described"
    assert "24 år · Autismespektrum" in captions(page)


def test_an_age_with_decimals_and_a_rate_beyond_all_reason_are_refused(page: AppTest) -> None:
    for name, typed in {
        "age": "24,7",
        "support_level": "2,5",
        "reference_rate": "9" * 18,
        "max_rate": "9" * 31,
        "max_km": "9" * 31,
    }.items():
        page.query_params[name] = typed
    page.run()
    assert not page.error
    said = captions(page)
    for typed in ("24,7", "2,5"):
        assert f"“{typed}” er ikke et helt tal." in said
    assert said.count("er for meget. Skriv højst 1.000.000.") == 2
    assert "er for meget. Skriv højst 20.000." in said


def test_a_place_whose_day_has_come_is_open_now(demo: Path) -> None:
    """As the page of vacant places says it."""
    day = loading.as_of(demo)
    towns = loading.municipalities(demo)
    result = match(loading.need("2026-118", demo), loading.places(demo), loading.weights(day), as_of=day, municipalities=towns)
    (column,) = [one for one in match_tables.hit_columns(result, "da") if not isinstance(one, str) and one.key == "accepting_from"]
    assert column.write is not None
    told = [day - dt.timedelta(days=69), day, day + dt.timedelta(days=30), None]
    assert [column.write(one) for one in told] == ["nu", "nu", formats.date(told[2], "da"), "ukendt"]
