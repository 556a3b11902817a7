"""A value corrected in the unit's panel: laid over the delivery, seen by every page and in the history, taken back again."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from samplads import ledger, queries, settings, warehouse
from samplads.extracts import personal
from samplads.ledger import overlays
from samplads.ui import correct as tab
from tests import small

PAGE = str(settings.ROOT / "pages" / "vacancies.py")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small warehouse, with room in its units, and a ledger that nobody has written in. Gives the folder of both."""
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setenv("SAMPLADS_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    monkeypatch.setattr(sys.modules[tab.__name__.replace("correct", "page")], "_begin_with_app", lambda: None)
    capacity = [{**row, "maximum": 20} for row in small.CAPACITY]
    rows = {"unit": small.UNITS, "capacity": capacity, "target_group_approval": small.APPROVALS}
    small.publish(tmp_path / "warehouse", small.archived(rows, synthetic=True))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def opened(unit_id: str = "A-1") -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=60)
    page.query_params["unit_id"] = unit_id
    page.run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    texts = [text.value for text in (*page.markdown, *page.caption, *page.error, *page.warning, *page.info)]
    return " ".join(texts).replace("\N{NO-BREAK SPACE}", " ")


def pick(page: AppTest, field: str) -> AppTest:
    page.selectbox(key="correct_field").set_value(field).run()
    assert not page.exception
    return page


def correct(page: AppTest, value: object, why: str = "ringet op", *, unit_id: str = "A-1", turn: int = 0) -> AppTest:
    field = page.selectbox(key="correct_field").value
    end = f"{turn}_{field}_{unit_id}"
    kind = next(
        kind for kind in ("text_input", "selectbox", "date_input") if any(one.key == f"correct_value_{end}" for one in page.get(kind))
    )
    getattr(page, kind)(key=f"correct_value_{end}").set_value(value)
    page.text_input(key=f"correct_why_{end}").set_value(why)
    next(button for button in page.button if button.label == "Ret").click().run()
    assert not page.exception
    return page


def test_a_value_is_corrected_seen_everywhere_and_taken_back(installed: Path) -> None:
    page = opened()
    assert "**3 åbne pladser på 2 afdelinger passer.**" in said(page)
    assert not (installed / "ledger.sqlite").exists()
    pick(page, "accepting")
    assert "Leveret: 1. Kilde: leverance small, 01.11.2026." in said(page).replace("\\", "")

    correct(page, "3")
    assert [message.value for message in page.error] == ["Skriv dit navn, før du retter noget."]
    page.text_input(key="who").set_value("Ida Prøve").run()
    correct(page, "3", why=" ")
    assert [message.value for message in page.error] == ["Feltet »Hvorfor« skal udfyldes."]
    correct(page, "3")
    assert [message.value for message in page.toast] == ["Åbne er rettet."]
    # The answer counts it, and the panel marks it.
    assert "**5 åbne pladser på 2 afdelinger passer.**" in said(page)
    assert "**Åbne:** 3 (leveret: 1) ✎ rettet af Ida Prøve" in said(page)
    written = next(frame.value for frame in page.dataframe if "why" in frame.value.columns)
    assert written[["event", "field", "before", "after", "who", "why"]].values.tolist() == [
        ["Rettet", "Åbne", "1", "3", "Ida Prøve", "ringet op"]
    ]
    # The delivery is as it was.
    raw = queries.run("units_by_id", warehouse.current(installed / "warehouse").path, unit_ids=["A-1"])
    assert raw["accepting"].to_list() == [1]

    number = _in_force(installed)[0].id
    page.text_input(key=f"withdraw_why_{number}").set_value("alligevel ikke")
    page.button(key=f"withdraw_{number}").click().run()
    assert [message.value for message in page.toast] == ["Rettelsen af Åbne er taget tilbage."]
    assert "**3 åbne pladser på 2 afdelinger passer.**" in said(page)
    assert "✎" not in said(page)
    written = next(frame.value for frame in page.dataframe if "why" in frame.value.columns)
    assert written["event"].tolist() == ["Rettelse trukket tilbage", "Rettet"]


def _in_force(folder: Path) -> list[overlays.Overlay]:
    book = ledger.open_(f"sqlite:///{folder / 'ledger.sqlite'}", personal.holds_number)
    try:
        return overlays.in_force(book)
    finally:
        book.close()


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("daily_rate_ore", "2.845,50", 284550),
        ("approved_until", dt.date(2028, 12, 31), "2028-12-31"),
        ("night_cover", "sleeping", "sleeping"),
        ("single_person", "True", True),
        ("municipality", "259", "259"),
        ("assumed_occupancy_pct", "97,5", 97.5),
        ("note", "Egen *have*", "Egen *have*"),
        ("lat", "55,5", 55.5),
    ],
)
def test_every_kind_of_field_has_its_own_way_to_write(installed: Path, field: str, given: object, kept: object) -> None:
    page = pick(opened(), field)
    page.text_input(key="who").set_value("Ida Prøve").run()
    correct(page, given)
    assert [message.value for message in page.error] == []
    assert [(one.field, one.value) for one in _in_force(installed)] == [(field, kept)]
    assert "✎ rettet af Ida Prøve" in said(page)


@pytest.mark.parametrize(
    ("field", "given", "sentence"),
    [
        ("accepting", "2.5", "“2.5” kan ikke læses som et tal"),
        ("accepting", "2,5", "“2,5” er ikke et helt tal"),
        ("accepting", "", "Skriv eller vælg den rigtige værdi af »Åbne«"),
        ("accepting", "1", "er den samme som leveret"),
        ("note", "ring 010190-1234", "ligner et CPR-nummer"),
        ("accepting", "14", "Belagt, reserveret og åben ville tilsammen være 21, men der er kun 20 pladser."),
        ("accepting", "999999999", "“999999999” ligger uden for det, »Åbne« kan være. Skriv et tal fra 0 til 1.000."),
        ("maximum", "7", "ville tilsammen være 8, men der er kun 7 pladser"),
        ("maximum", "9" * 31, "Skriv et tal fra 0 til 1.000."),
        ("reserved", "-1", "Skriv et tal fra 0 til 1.000."),
        ("daily_rate_ore", "9999999", "Skriv et tal fra 0,00 til 1.000.000,00."),
        ("price_year", "26", "Skriv et tal fra 1990 til 2100."),
        ("age_to", "121", "Skriv et tal fra 0 til 120."),
        ("assumed_occupancy_pct", "0,5", "Skriv et tal fra 1 til 120."),
    ],
)
def test_what_cannot_be_a_value_is_said_in_a_sentence(installed: Path, field: str, given: str, sentence: str) -> None:
    page = pick(opened(), field)
    page.text_input(key="who").set_value("Ida Prøve").run()
    correct(page, given)
    assert len(page.error) == 1
    assert sentence in page.error[0].value
    assert _in_force(installed) == []


def test_unknown_is_a_value_where_the_field_may_be_unknown(installed: Path) -> None:
    page = pick(opened(), "accepting")
    assert [box.key for box in page.checkbox if "unknown" in str(box.key)] == []
    page.text_input(key="who").set_value("Ida Prøve").run()
    pick(page, "night_cover")
    page.checkbox(key="correct_unknown_0_night_cover_A-1").check()
    page.text_input(key="correct_why_0_night_cover_A-1").set_value("ingen ved det")
    next(button for button in page.button if button.label == "Ret").click().run()
    assert [(one.field, one.value, one.delivered) for one in _in_force(installed)] == [("night_cover", None, "awake")]
    assert "**Natdækning:** ukendt ✎ rettet af Ida Prøve" in said(page)


def test_the_second_of_two_who_correct_the_same_field_is_told(installed: Path) -> None:
    one, other = pick(opened(), "accepting"), pick(opened(), "accepting")
    one.text_input(key="who").set_value("Ida Prøve").run()
    other.text_input(key="who").set_value("Bo Prøve").run()
    correct(one, "3")
    correct(other, "2")
    assert [message.value for message in other.error] == [
        "»Åbne« er rettet af Ida Prøve, siden du åbnede siden. Se den nye værdi, og ret igen, hvis den er forkert."
    ]
    assert [overlay.value for overlay in _in_force(installed)] == [3]
    assert "✎ rettet af Ida Prøve" in said(other)
    correct(other, "2")
    assert [(overlay.value, overlay.who) for overlay in _in_force(installed)] == [(2, "Bo Prøve")]


def test_a_unit_that_a_correction_takes_off_the_list_leaves_no_other_in_its_place(installed: Path) -> None:
    page = pick(opened(), "accepting")
    page.text_input(key="who").set_value("Ida Prøve").run()
    correct(page, "0")
    assert [message.value for message in page.toast] == ["Åbne er rettet."]
    assert "**2 åbne pladser på 1 afdeling passer.**" in said(page)
    assert "unit_id" not in page.query_params
    assert [tab.label for tab in page.tabs] == ["Kort", "Pladser pr. kommune"]
    # One that only moves in the list stays in view.
    page = pick(opened("B-1"), "accepting")
    page.text_input(key="who").set_value("Ida Prøve").run()
    correct(page, "9", unit_id="B-1", turn=0)
    assert "Køge · B-1" in said(page).replace("\\", "")


def test_a_new_delivery_overtakes_a_correction_and_the_panel_says_so(installed: Path) -> None:
    page = pick(opened(), "accepting")
    page.text_input(key="who").set_value("Ida Prøve").run()
    correct(page, "2")
    later = small.DAY + dt.timedelta(days=7)
    newer = {"capacity": [{**small.CAPACITY[0], "as_of": later, "occupied": 5, "accepting": 1}, {**small.CAPACITY[1], "accepting": 1}]}
    small.publish(installed / "warehouse", small.archived({"unit": small.UNITS, **newer}, name="ny", as_of=later, synthetic=True))
    page.run()
    assert "✎" in said(page)  # It holds on: the delivery says what it said.
    newest = {"capacity": [{**small.CAPACITY[0], "as_of": later, "occupied": 5, "reserved": 0, "accepting": 3}]}
    small.publish(installed / "warehouse", small.archived({"unit": small.UNITS, **newest}, name="nyest", as_of=later, synthetic=True))
    page.run()
    assert "Gælder ikke længere: en leverance har sagt noget nyt." in said(page)
    assert "Kilde: leverance nyest, 08.11.2026." in said(page).replace("\\", "")


def test_the_history_names_the_delivery_of_every_change(installed: Path) -> None:
    later = small.DAY + dt.timedelta(days=7)
    folder = installed / "real"
    first = small.archived(name="første")
    approvals = [{"unit_id": "A-1", "target_group": small.AUTISM, "rank": "secondary"}]
    again = {"unit": [small.UNITS[0]], "capacity": [{**small.CAPACITY[0], "occupied": 4}], "target_group_approval": approvals}
    path = small.publish(folder, first, small.archived(again, name="anden", as_of=later)).path
    rows = queries.run("unit_history", path, unit_id="A-1")
    told = rows.select("changed_on", "event", "field", "before", "after", "delivery", "as_of").rows()
    before = " ".join(sorted([f"primary:{small.AUTISM}", f"secondary:{small.EXTERNALISING}"]))
    assert told == [
        (later, "told", "approvals", before, f"secondary:{small.AUTISM}", "anden", None),
        (later, "restated", "occupied", "6", "4", "anden", small.DAY),
    ]
    assert isinstance(rows, pl.DataFrame)


def test_counts_that_do_not_add_up_are_said_and_mended_one_at_a_time(installed: Path) -> None:
    uneven = [{**small.CAPACITY[0], "maximum": 8, "occupied": 9, "reserved": 1, "accepting": 3}]
    small.publish(installed / "warehouse", small.archived({"unit": small.UNITS, "capacity": uneven}, name="skæv", synthetic=True))
    page = pick(opened(), "accepting")
    assert "Belagt, reserveret og åben er tilsammen 13, men der er kun 8 pladser." in said(page)
    page.text_input(key="who").set_value("Ida Prøve").run()
    correct(page, "4")
    assert "ville tilsammen være 14, men der er kun 8 pladser" in page.error[0].value
    correct(page, "1")
    assert not page.error
    assert [(one.field, one.value) for one in _in_force(installed)] == [("accepting", 1)]
