from __future__ import annotations

import datetime as dt

import polars as pl

from samplads.presenting import overview, tables, vacancies
from samplads.presenting.vacancies import Summary

UNITS = pl.DataFrame(
    {
        "unit_id": ["A", "B", "C", "D"],
        "municipality": ["259", "259", "370", "370"],
        "municipality_name": ["Køge", "Køge", "Næstved", "Næstved"],
        "lat": [55.4, 55.6, None, 55.2],
        "lon": [12.0, 12.2, None, 11.7],
        "km": [18.2, 41.0, None, 12.0],
        "accepting": [2, 1, 1, 5],
        "accepting_sure": [2, 1, 1, 0],
        "approval_status": ["approved", "not_required", "approved", "conditional"],
        "reserved": [0, None, 1, 0],
        "occupied": [6, 7, 8, 9],
        "maximum": [8, 8, 10, 14],
        "freshness": ["fresh", "stale", "ageing", "fresh"],
        "confirmed_days": [3, None, 40, 0],
        "unknowns": [[], [], [], ["age", "max_rate"]],
    },
    schema_overrides={"unknowns": pl.List(pl.String)},
)


def said(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_only_what_surely_fits_is_counted() -> None:
    assert vacancies.summary(UNITS) == Summary(
        units=3, listed=3, accepting=4, reserved=1, occupied=21, maximum=26, fresh=2, nearest_km=18.2, unsure=1, without_groups=0
    )
    assert vacancies.summary(UNITS.clear()) == Summary(0, 0, 0, 0, 0, 0, 0, None, 0, 0)


def test_a_unit_that_is_listed_without_an_open_place_is_not_counted_as_one_that_fits() -> None:
    """As where all units are shown: a closed unit's places are delivered as accepting, but none can be had."""
    closed = UNITS.with_columns(accepting_sure=pl.Series([0, 1, 1, 0]))
    total = vacancies.summary(closed)
    assert (total.units, total.listed, total.accepting, total.occupied, total.fresh) == (2, 3, 2, 21, 0)
    assert total.nearest_km == 41.0
    assert vacancies.by_municipality(closed).filter(pl.col("municipality") == "259")["accepting"].item() == 1
    assert vacancies.shown(closed, "da")["fits"].to_list() == ["no_place", "fits", "fits", "untold"]


def test_the_answer_is_a_sentence() -> None:
    total = vacancies.summary(UNITS)
    assert said(vacancies.answer(total, 30, "Køge", "da")) == (
        "**4 åbne pladser på 3 afdelinger passer.** 2 er bekræftet inden for 30 dage; nærmeste 18 km fra Køge."
    )
    assert vacancies.answer(total, 30, None, "da").endswith("30 dage.")
    assert vacancies.answer(vacancies.summary(UNITS.clear()), 30, "Køge", "da") == "**Ingen åbne pladser passer.**"
    one = vacancies.summary(UNITS.filter(pl.col("unit_id") == "B"))
    assert vacancies.answer(one, 30, None, "da").startswith("**1 åben plads på 1 afdeling passer.**")
    assert vacancies.counts(total, "da") == "På disse 3 afdelinger: 4 åbne · 1 reserverede · 21 belagte · 26 pladser i alt"
    assert (
        vacancies.unsure(total, "da")
        == "1 afdeling mere kan passe, men mangler oplysninger eller kræver vurdering: den står sidst og tælles ikke med."
    )
    assert vacancies.unsure(one, "da") is None


def test_a_unit_without_told_groups_is_said_never_counted() -> None:
    asked = UNITS.with_columns(unknowns=pl.Series([[], ["groups"], ["groups", "age"], ["intake"]], dtype=pl.List(pl.String)))
    total = vacancies.summary(asked)
    assert (total.units, total.unsure, total.without_groups) == (1, 3, 2)
    assert str(vacancies.unsure(total, "da")).endswith("2 af dem har ikke oplyst, hvilke målgrupper de er godkendt til.")
    assert vacancies.shown(asked, "da")["fits"].to_list() == ["fits", "untold", "untold", "asks_first"]


def test_the_funnel_names_the_filters_in_use() -> None:
    funnel = pl.DataFrame(
        {"filter": ["all_units", "places", "groups", "age"], "active": [True, True, True, False], "remaining": [12031, 214, 9, 9]}
    )
    assert vacancies.funnel_line(funnel, "da") == "alle afdelinger **12.031** → med sikker åben plads **214** → målgrupper **9**"


def test_a_confirmation_has_a_sign_and_words() -> None:
    assert vacancies.freshness(3, "fresh", "leder", "da") == "● 3 dage, leder"
    assert vacancies.freshness(0, "fresh", None, "da") == "● i dag"
    assert vacancies.freshness(-2, "fresh", None, "da") == "● i dag"
    assert vacancies.freshness(45, "ageing", None, "en") == "◆ 45 days"
    assert vacancies.freshness(None, "stale", "leder", "da") == "▲ ubekræftet"


def test_columns_write_what_sorts_as_a_value() -> None:
    day = dt.date(2026, 11, 1)
    shown = {column.key: column for column in vacancies.columns(day, 30, 90, 98, "da")}
    opens = tables.display(shown["accepting_from"], "da")
    assert [opens(day), opens(dt.date(2026, 12, 1)), opens(None)] == ["nu", "01.12.2026", "ukendt"]
    confirmed = tables.display(shown["confirmed_days"], "da")
    assert [confirmed(30), confirmed(31), confirmed(91), confirmed(vacancies.NEVER)] == [
        "● 30 dage",
        "◆ 31 dage",
        "▲ 91 dage",
        "▲ ubekræftet",
    ]
    assert said(tables.header(shown["rate_normal_ore"], "da")) == "Kr./døgn (98 %)"


def test_untold_things_are_named_and_nothing_is_without_an_age() -> None:
    shown = vacancies.shown(UNITS, "da")
    assert shown["unknowns"].to_list()[3] == ["alder", "takst"]
    assert shown["confirmed_days"].to_list() == [3, vacancies.NEVER, 40, 0]


def test_towns_sum_what_surely_fits() -> None:
    towns = vacancies.by_municipality(UNITS)
    assert towns.select("municipality_name", "units", "accepting", "freshness").rows() == [
        ("Køge", 2, 3, "fresh"),
        ("Næstved", 1, 1, "ageing"),
    ]
    assert abs(towns["lat"][0] - 55.5) < 1e-9


def test_an_export_says_which_filters_were_used() -> None:
    told = vacancies.about(
        {
            "groups": ["a", "b"],
            "age": 24,
            "max_rate_ore": 320000,
            "open_by": dt.date(2027, 1, 1),
            "max_km": None,
            "offer_types": ["A107"],
            "municipalities": ["259"],
            "operator_kinds": ["municipal"],
            "night_covers": ["awake", "sleeping"],
            "freshness": ["fresh"],
        },
        "da",
        {"groups": {"a": "Autismespektrum"}, "offer_types": {"A107": "§ 107 · Midlertidigt"}, "municipalities": {"259": "Køge"}},
    )
    assert {key: said(value) for key, value in told.items()} == {
        "Målgrupper": "Autismespektrum og b",
        "Tilbudstype": "§ 107 · Midlertidigt",
        "Alder": "24",
        "Åben senest": "01.01.2027",
        "Kommuner": "Køge",
        "Takst": "3.200 kr.",
        "Driftsherre": "kommunal",
        "Natdækning": "vågen og sovende",
        "Friskhed": "frisk",
    }


UNIT = {
    "primary_names": ["Autismespektrum"],
    "secondary_names": [],
    "excluded_names": ["Demens", "Angst"],
    "approval_status": "conditional",
    "approved_until": dt.date(2028, 12, 31),
    "offer_type_name": None,
    "offer_type": None,
    "age_from": 18,
    "age_to": None,
    "support_level_from": None,
    "support_level_to": None,
    "daily_rate_ore": 284500,
    "rate_normal_ore": None,
    "price_year": 2026,
    "assumed_occupancy_pct": None,
    "night_cover": "awake",
    "accepting_from": None,
    "status": None,
    "notice_days": 30,
    "operator": "Næstved Kommune",
    "operator_kind": "municipal",
    "address": None,
    "note": None,
    "confirmed_at": None,
}


def test_the_details_say_what_is_known_and_what_is_not() -> None:
    facts = {said(label): said(value) for label, value in vacancies.facts(UNIT, 98, "da", dt.date(2026, 11, 1))}
    assert facts["Primære målgrupper"] == "Autismespektrum"
    assert facts["Sekundære målgrupper"] == "ingen opgivet"
    assert facts["Modtages ikke"] == "Demens og Angst"
    assert facts["Godkendelse"] == "godkendt med vilkår, til 31.12.2028"
    assert facts["Alder"] == "18–ukendt år"
    nobody_told = dict(vacancies.facts(UNIT | {"age_from": None}, 98, "da", dt.date(2026, 11, 1)))
    assert nobody_told["Alder"] == "ukendt"
    assert facts["Støttebehov (0-4)"] == "ukendt"
    assert facts["Takst"] == "2.845 kr. pr. døgn (prisår 2026, forudsat belægning ukendt)"
    assert facts["Takst ved 98 %"] == "ukendt"
    assert facts["Driftsherre"] == "Næstved Kommune (kommunal)"
    assert "Forudsat belægning" in vacancies.untold(UNIT, "da")
    assert "Takst" not in vacancies.untold(UNIT, "da")


def test_the_overview_says_how_things_stand() -> None:
    places = {"accepting": 412, "accepting_fresh": 194, "open_municipalities": 98, "night_units": 31, "night_municipalities": 1}
    assert said(overview.answer(places, 30, "da")) == "**412 pladser er åbne i 98 kommuner.** 47 % er bekræftet inden for 30 dage."
    assert overview.share_sentence(places, "da").startswith("**31 enkeltmandstilbud** i 1 kommune")
    none = {"accepting": 0, "accepting_fresh": 0, "open_municipalities": 0}
    assert "ukendt er bekræftet" in overview.answer(none, 30, "da")
    places |= {"accepting_month": 201, "accepting_unsure": 68}
    assert said(overview.confirmed(places, "da")) == (
        "201 af 412 åbne pladser er bekræftet i denne måned. "
        "68 pladser mere kan være åbne, men afdelingen mangler oplysninger eller vil vurdere først."
    )
    assert overview.confirmed(none | {"accepting_unsure": 0}, "da") == ""
    told, today = {"deliveries": 3, "last_delivery": dt.date(2026, 11, 14)}, dt.date(2026, 11, 22)
    assert overview.basis(told, False, today, "da") == "Rigtige data, pr. 22.11.2026. 3 leverancer, den seneste opgjort 14.11.2026."
    assert overview.basis(told | {"deliveries": 1}, True, today, "en") == "1 delivery, the last as of 14 Nov 2026."
    state = overview.state(
        {"needs": 138, "longest_days": None}, {"delivered": 81, "municipalities": 98, "set_aside": 1, "flagged": 2}, 30, "da"
    )
    assert [value for _, value, _ in state] == ["138 behov", "–", "81 af 98", "1 fund"]


def test_the_first_door_leads_to_what_is_asked_for_and_open() -> None:
    def look(groups: list[str]) -> Summary:
        return Summary(
            1, 1, 9 if "b" in groups else 0, reserved=0, occupied=0, maximum=9, fresh=4, nearest_km=None, unsure=0, without_groups=0
        )

    wanted = overview.asked_for([["a"], ["b", "c"]], look)
    assert wanted is not None
    assert wanted.groups == ("b", "c")
    assert overview.find_sentence(wanted, ["Autisme", "Adfærd"], "da") == "Autisme + Adfærd: **9 åbne**, 4 friske."
    empty = overview.asked_for([["a"]], look)
    assert empty is not None
    assert empty.found.accepting == 0
    assert overview.asked_for([], look) is None
    assert overview.find_sentence(None, [], "en").startswith("Search")
