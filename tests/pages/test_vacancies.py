"""Ledige pladser and Overblik, driven without a browser."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from samplads import queries, settings, warehouse
from tests import reference_vacancies as twin
from tests import small

PAGE = str(settings.ROOT / "pages" / "vacancies.py")
APP = str(settings.ROOT / "app.py")


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str = PAGE, **query: str | list[str]) -> AppTest:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(folder))
    page = AppTest.from_file(script, default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    texts = [text.value for text in (*page.markdown, *page.caption, *page.title, *page.error, *page.info)]
    return " ".join(texts).replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_opens_with_the_answer(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(demo, monkeypatch)
    version = warehouse.current(demo)
    whole = queries.run("overview_places", version.path, day=dt.date(2026, 11, 1), fresh_days=30).to_dicts()[0]
    assert page.title[0].value == "Ledige pladser"
    assert f"**{whole['accepting']} åbne pladser på {whole['open_units']} afdelinger passer.**" in said(page)
    assert f"alle afdelinger **{whole['units']:,}**".replace(",", ".") in said(page)
    assert not page.error


def test_filters_narrow_the_answer_and_the_link_holds_them(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(demo, monkeypatch, groups=["Autismespektrum", "Udadreagerende adfærd"], max_km="150", night_covers="vågen")
    assert page.multiselect(key="groups").value == [small.AUTISM, small.EXTERNALISING]
    assert page.text_input(key="max_km").value == "150"
    line = said(page)
    for step in ("målgrupper **", "afstand **", "natdækning **"):
        assert step in line
    table = pl.from_pandas(page.dataframe[0].value)
    assert table["km"].max() <= 150
    assert set(table["night_cover"].drop_nulls()) == {"vågen"}
    # Under each filter in use stands what the line of the answer says of it; under the others nothing.
    left = [caption.value for caption in page.caption if "tilbage" in caption.value]
    counts = re.findall(r"(?:med sikker åben plads|målgrupper|afstand|natdækning) \*\*([\d.]+)\*\*", line)
    assert len(counts) == 4
    assert sorted(left) == sorted(f"→ {count} afdeling{'' if count == '1' else 'er'} tilbage" for count in counts)
    wide = table.height
    page.text_input(key="max_km").set_value("45").run()
    assert pl.from_pandas(page.dataframe[0].value).height < wide


def test_a_number_that_cannot_be_read_says_how_to_write_it(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(demo, monkeypatch)
    page.text_input(key="max_rate").set_value("2.5").run()
    assert "“2.5” kan ikke læses som et tal. Skriv det som 1.234,5." in said(page)
    page.text_input(key="max_rate").set_value("2.500,50").run()
    assert "kan ikke læses" not in said(page)
    assert pl.from_pandas(page.dataframe[0].value)["daily_rate_ore"].drop_nulls().max() <= 2500.5


def test_nothing_that_fits_says_what_to_do(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(demo, monkeypatch, max_km="0", age="119", municipalities="Bornholm")
    assert "Ingen åbne pladser passer" in said(page)
    assert "Fjern et filter" in said(page)


def test_the_choices_stay_when_the_language_changes(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(demo, monkeypatch, APP)
    page.switch_page("pages/vacancies.py").run()
    page.multiselect(key="groups").set_value([small.AUTISM]).run()
    page.text_input(key="max_km").set_value("1.234,5").run()
    page.segmented_control(key="lang").set_value("en").run()
    assert page.title[0].value == "Vacant places"
    assert page.multiselect(key="groups").value == [small.AUTISM]
    assert page.text_input(key="max_km").value == "1,234.5"
    assert "open places in" in said(page)
    assert not page.error


def test_the_overview_leads_to_the_first_questions(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(demo, monkeypatch, APP)
    assert page.title[0].value == "Overblik"
    line = said(page)
    assert "pladser er åbne i" in line
    assert "enkeltmandstilbud" in line
    version = warehouse.current(demo)
    whole = queries.run("overview_places", version.path, day=dt.date(2026, 11, 1), fresh_days=30).to_dicts()[0]
    assert f"{whole['accepting_month']} af {whole['accepting']} åbne pladser er bekræftet i denne måned" in line
    assert "1 leverance, den seneste opgjort 01.11.2026." in line
    assert "Demo-data" in line
    assert "behov" in " ".join(metric.value for metric in page.metric)


def test_a_newer_warehouse_is_there_at_the_next_interaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small.publish(tmp_path)
    page = opened(tmp_path, monkeypatch)
    assert "**3 åbne pladser på 2 afdelinger passer.**" in said(page)
    more = [{"unit_id": "A-2", "as_of": small.DAY + dt.timedelta(days=1), "maximum": 6, "occupied": 5, "accepting": 1}]
    small.publish(tmp_path, small.archived({"unit": small.UNITS, "capacity": more}, name="next", as_of=small.DAY + dt.timedelta(days=1)))
    page.run()
    assert "**4 åbne pladser på 3 afdelinger passer.**" in said(page)


def test_real_data_grow_old_and_demonstration_data_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = dt.date(2026, 1, 15)
    counted = [row | {"as_of": old, "confirmed_at": old} for row in small.CAPACITY]
    for synthetic, fresh in ((False, 0), (True, 3)):
        folder = tmp_path / str(synthetic)
        small.publish(folder, small.archived({"unit": small.UNITS, "capacity": counted}, as_of=old, synthetic=synthetic))
        assert f"{fresh} er bekræftet inden for 30 dage" in said(opened(folder, monkeypatch))
        assert ("Rigtige data, pr. " in said(opened(folder, monkeypatch, APP))) is not synthetic


def test_without_a_warehouse_the_page_says_so_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(tmp_path / "nothing", monkeypatch)
    assert len(page.error) == 1
    assert "Traceback" not in said(page)


@pytest.mark.parametrize("kind", [ZeroDivisionError, pl.exceptions.PanicException], ids=["exception", "panic"])
def test_a_bug_is_logged_and_shown_by_its_number(
    demo: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    def broken(*_: object) -> None:
        raise kind("secret")

    monkeypatch.setattr("samplads.presenting.vacancies.summary", broken)
    page = opened(demo, monkeypatch)
    assert len(page.error) == 1
    assert "Noget gik galt hos os" in page.error[0].value
    assert "secret" not in said(page)
    assert kind.__name__ in caplog.text


def test_unknown_names_in_a_link_are_left_out(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(demo, monkeypatch, groups=["Findes ikke"], region="Nowhere", age="gammel")
    assert not page.error
    assert "åbne pladser på" in said(page)


def test_names_from_deliveries_are_shown_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = "<script>alert(1)</script> [link](https://example.org) **fed** $x$ :red[x] # h"
    rows = {"unit": [small.UNITS[0] | {"name": nasty, "note": nasty}], "capacity": [small.CAPACITY[0]]}
    small.publish(tmp_path, small.archived(rows))
    page = opened(tmp_path, monkeypatch, unit_id="A-1")
    assert pl.from_pandas(page.dataframe[0].value)["unit_name"].to_list() == [nasty]
    assert not page.error


def test_twins_agree_on_the_demonstration_data(demo: Path) -> None:
    """The whole demonstration warehouse, one unit at a time."""
    path = warehouse.current(demo).path
    asked = {
        **{"day": dt.date(2026, 11, 1), "lat": 55.4565, "lon": 12.1819, "fresh_days": 30, "ageing_days": 90, "places": "open"},
        **{"groups": [small.AUTISM], "all_groups": True, "offer_types": ["A108"], "age": 24, "support_level": 3, "open_by": None},
        **{"municipalities": [], "max_km": 100.0, "max_rate_ore": None, "operator_kinds": [], "night_covers": ["awake"], "freshness": []},
    }
    units = queries.run("match_units", path).rename(
        {"primary_groups": "primary", "secondary_groups": "secondary", "excluded_groups": "excluded"}
    )
    below: dict[str, set[str]] = {}
    for ancestor, descendant in small.reference().target_group_closure.iter_rows():
        below.setdefault(ancestor, set()).add(descendant)
    expected = twin.vacant(units.to_dicts(), asked | {"occupancy_pct": 98.0}, below)
    assert queries.run("vacant_units", path, language="da", occupancy_pct=98.0, **asked).select("unit_id", "unknowns").rows() == expected
