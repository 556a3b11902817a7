"""Shared night cover, driven without a browser: the sentence is the plan's, and every choice moves the sentence, the table and the sums."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from samplads import ledger, loading, queries, settings
from samplads import loading_nightcover as night
from samplads.extracts import personal
from samplads.ledger import audit
from samplads.nightcover import plan
from samplads.nightcover.plan import NightPlan
from samplads.presenting import nightcover
from samplads.ui.nightcover import POINT


@pytest.fixture
def page(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(demo))
    monkeypatch.setenv("SAMPLADS_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    return AppTest.from_file(str(settings.ROOT / "pages" / "nightcover.py"), default_timeout=120)


@pytest.fixture(scope="module")
def expected(demo: Path) -> NightPlan:
    """The plan for the default municipality's region, reckoned outside the page."""
    day = loading.as_of(demo)
    members = queries.run("region_members", demo, day=day)
    region = members.filter(pl.col("municipality") == "259")["region"][0]
    everything = night.inputs(day, warehouse=demo)
    codes = members.filter(pl.col("region") == region)["municipality"].to_list()
    here = everything.only(everything.units.filter(pl.col("municipality").is_in(codes))["unit_id"].to_list())
    return plan.best(plan.candidates(plan.prepare(here, night.assumptions(day))))


def said(page: AppTest) -> str:
    return " ".join(text.value for text in page.markdown)


def frame(page: AppTest, column: str) -> pl.DataFrame:
    """The shown table that has a column."""
    return next(pl.from_pandas(shown.value) for shown in page.dataframe if column in shown.value.columns)


def test_the_page_says_the_plan_and_its_sums_hold(page: AppTest, expected: NightPlan) -> None:
    page.run()
    assert not page.error
    assert expected.couples
    assert nightcover.answer(expected, "da") in said(page)
    couples = frame(page, "verdicts")
    assert couples["saving_ore"].sum() == pytest.approx(expected.saving_ore / 100)
    assert couples["net_ore"].sum() == pytest.approx(expected.net_ore / 100)
    money = frame(page, "refund_lost_ore")
    assert money["net_ore"][-1] == pytest.approx(expected.net_ore / 100)
    shares = frame(page, "shapley_ore")
    for way in ("by_cost_ore", "equal_ore", "shapley_ore"):
        assert shares[way][-1] == pytest.approx(expected.saving_ore / 100)
        assert shares[way][:-1].sum() == pytest.approx(expected.saving_ore / 100)
    reasons = frame(page, "why")
    assert reasons["units"][-1] == reasons["units"][:-1].sum()


def test_pay_moves_the_sentence_the_table_and_the_case(page: AppTest, expected: NightPlan) -> None:
    page.run()
    page.text_input(key="night_pay_municipal_pay_level").input("120").run()
    assert not page.error
    dearer = frame(page, "verdicts")["saving_ore"].sum()
    assert dearer > expected.saving_ore / 100
    assert nightcover.answer(expected, "da") not in said(page)
    listed = frame(page, "standing_value")
    assert listed.filter(pl.col("standing_value") != "").select("value", "standing_value").rows() == [("120", "100")]
    page.button(key="night_pay_municipal_reset").click().run()
    assert nightcover.answer(expected, "da") in said(page)


def test_a_forbidden_coupling_gives_the_second_best_plan(page: AppTest, expected: NightPlan) -> None:
    first = expected.couples[0].unit_ids
    page.run()
    page.multiselect(key="apart").select(f"{first[0]}|{first[1]}").run()
    assert not page.error
    second = plan.best(expected.candidates, apart=[first])
    assert second.saving_ore <= expected.saving_ore
    assert frame(page, "verdicts")["saving_ore"].sum() == pytest.approx(second.saving_ore / 100)
    # Elsewhere the pair is no pair: the wish falls away rather than breaks the page.
    page.selectbox(key="night_region").select("Nordjylland").run()
    assert not page.error
    assert not page.exception


def test_the_whole_country_can_be_chosen_also_by_a_link(page: AppTest, demo: Path, expected: NightPlan) -> None:
    page.query_params["night_region"] = "Hele landet"
    page.run()
    assert not page.error
    assert page.selectbox(key="night_region").options[0] == "Hele landet"
    everything = plan.prepare(night.inputs(loading.as_of(demo), warehouse=demo), night.assumptions(loading.as_of(demo)))
    assert len(page.multiselect(key="without").options) == len(everything.ids) > len(expected.candidates.nights.ids)


def test_units_taken_out_demands_that_clash_and_partners(page: AppTest, expected: NightPlan) -> None:
    first = expected.couples[0].unit_ids
    page.run()
    page.multiselect(key="without").select(first[0]).run()
    assert not page.error
    less = plan.best(expected.candidates.without([first[0]]))
    assert nightcover.answer(less, "da") in said(page)
    assert frame(page, "in_force")["in_force"].to_list().count("Vist på siden") == 1
    page.multiselect(key="without").unselect(first[0]).run()
    assert nightcover.answer(expected, "da") in said(page)

    # Two demands that share a unit: a sentence beside the field, and the earlier plan stays.
    lawful = expected.candidates.pairs.filter(pl.col("status") != "fail")
    sharer = pl.concat([lawful["unit_a"], lawful["unit_b"]]).mode().sort()[0]
    of_one = [(a, b) for a, b in lawful.select("unit_a", "unit_b").iter_rows() if sharer in (a, b)]
    assert len(of_one) > 1
    page.multiselect(key="together").select("|".join(of_one[0])).run()
    standing = plan.best(expected.candidates, together=[of_one[0]])
    assert nightcover.answer(standing, "da") in said(page)
    assert frame(page, "in_force")["in_force"].to_list().count("Vist på siden") == 1
    page.multiselect(key="together").select("|".join(of_one[1])).run()
    assert not page.error
    assert not page.exception
    assert nightcover.answer(standing, "da") in said(page)
    assert any(f"{sharer} er krævet i to par" in text.value for text in page.caption)
    page.multiselect(key="together").set_value([]).run()

    page.selectbox(key="night_partner").select(sharer).run()
    assert not page.error
    told = frame(page, "cost_to_plan_ore")
    wanted = plan.partners(expected.candidates, sharer)
    assert told["saving_ore"].to_list() == [pytest.approx(ore / 100) for ore in wanted["saving_ore"]]
    named = dict(zip(expected.candidates.nights.ids, expected.candidates.nights.names, strict=True))
    best_name = named[wanted["partner"][0]]
    assert told["unit_name"][0] == best_name
    page.multiselect(key="apart").select("|".join(sorted((sharer, wanted["partner"][0])))).run()
    assert frame(page, "cost_to_plan_ore").height <= wanted.height
    again = plan.partners(expected.candidates, sharer, apart=[(sharer, wanted["partner"][0])])
    assert frame(page, "cost_to_plan_ore")["saving_ore"].to_list() == [pytest.approx(ore / 100) for ore in again["saving_ore"]]


def test_a_point_clicked_in_the_chart_becomes_the_plan(page: AppTest, expected: NightPlan) -> None:
    page.run()
    points = frame(page, "in_force")
    assert points.height > 2
    name = points["frontier_plan"][0]
    assert points["in_force"][0] != "Vist på siden"
    page.session_state["frontier"] = {"selection": {POINT: [{"frontier_plan": name}]}}
    page.run()
    assert not page.error
    taken = frame(page, "in_force")
    assert taken["in_force"].to_list().count("Vist på siden") == 1
    assert taken["in_force"][0] == "Vist på siden"
    assert nightcover.answer(expected, "da") not in said(page)


def test_a_table_of_travel_times_counts_and_a_wrong_one_is_said(page: AppTest, expected: NightPlan) -> None:
    first = expected.couples[0].unit_ids
    page.run()
    wrong = f"unit_a;unit_b;minutes\n{first[1]};{first[0]};tolv\n".encode()
    page.file_uploader(key="night_travel").set_value(("tider.csv", wrong, "text/csv")).run()
    assert not page.error
    assert any("Række 2 i rejsetidstabellen har »tolv«" in text.value for text in page.caption)
    assert nightcover.answer(expected, "da") in said(page)
    page.file_uploader(key="night_travel").set_value(
        ("tider.csv", f"unit_a;unit_b;minutes\n{first[1]};{first[0]};29,5\n".encode(), "text/csv")
    )
    page.run()
    day = expected.candidates.nights.inputs.as_of
    travel = pl.DataFrame({"unit_a": [first[1]], "unit_b": [first[0]], "minutes": [29.5]})
    told = plan.best(plan.candidates(plan.prepare(replace(expected.candidates.nights.inputs, travel=travel), night.assumptions(day))))
    assert told.saving_ore != expected.saving_ore or told.overlaps_per_year != expected.overlaps_per_year
    assert frame(page, "verdicts")["saving_ore"].sum() == pytest.approx(told.saving_ore / 100)
    page.file_uploader(key="night_travel").set_value(("tider.csv", b"unit_a,unit_b,minutes\nA-0000,A-0001,3\n", "text/csv")).run()
    assert any("A-0000" in text.value for text in page.caption)
    assert nightcover.answer(expected, "da") in said(page)


def test_choices_are_listed_and_one_button_puts_everything_back(page: AppTest, expected: NightPlan) -> None:
    page.run()
    page.selectbox(key="night_size").select("3").run()
    page.selectbox(key="night_law").select("exponential").run()
    page.selectbox(key="night_year").select("2028").run()
    page.selectbox(key="night_rest_agreement").select("yes").run()
    page.toggle(key="night_own_pay").set_value(False).run()
    page.text_input(key="night_ceiling").input("40").run()
    page.text_input(key="night_pay_municipal_sick_days").input("20").run()
    page.text_input(key="night_sharing_colocation_years").input("8").run()
    assert not page.error
    told = dict(frame(page, "standing_value").select("assumption", "value").iter_rows())
    assert told["Hvor mange må dele"] == "op til 3 afdelinger"
    assert told["Hændelsers varighed"] == "eksponentielt fordelt varighed"
    assert told["Kalenderår"] == "2028, helligdage i DK"
    assert told["Aftale om kortere døgnhvile med kompenserende hvile (W1)"] == "ja"
    assert told["Brug afdelingernes egen månedsløn"] == "nej"
    assert told["Samtidige hændelser pr. kobling om året, højst"] == "40"
    assert told["Sygedage pr. årsværk"] == "20"
    assert told["Flytning afskrives over (år)"] == "8"
    page.button(key="night_reset_all").click().run()
    assert not page.error
    assert nightcover.answer(expected, "da") in said(page)
    again = frame(page, "standing_value")
    assert again.filter(pl.col("standing_value") != "").is_empty()
    assert dict(again.select("assumption", "value").iter_rows())["Kalenderår"].startswith(str(expected.candidates.nights.inputs.as_of.year))


def test_the_risk_of_each_coupling_is_reckoned_and_simulated(page: AppTest, expected: NightPlan) -> None:
    page.run()
    told = frame(page, "played_overlaps")
    assert told["overlaps_per_year"].to_list() == [pytest.approx(couple.risk.overlaps_per_year) for couple in expected.couples]
    assert told["uncovered_minutes"].to_list() == [pytest.approx(couple.risk.uncovered_minutes) for couple in expected.couples]
    played = plan.simulate(expected, seed=1, nights=20_000)
    assert told["played_overlaps"].to_list() == [nightcover._interval(one.overlaps_per_year, "da", 1) for one in played]
    assert any("20.000 nætter" in text.value and "frø 1" in text.value for text in page.caption)
    # Small counts of stays are hidden outside the visitor's own municipality, and then the sum too.
    stays = frame(page, "unknown_stays")
    assert "under 5" in stays["stays"].to_list()
    assert stays["stays"][-1] == "skjult"


def test_a_careful_plan_risks_less(page: AppTest, expected: NightPlan) -> None:
    page.run()
    page.selectbox(key="night_plan").select("3000000000").run()
    assert not page.error
    careful = plan.best(expected.candidates, price_ore=3_000_000_000)
    assert nightcover.answer(careful, "da") in said(page)
    assert frame(page, "in_force")["in_force"].to_list().count("Vist på siden") == 1


def test_stays_are_shown_to_somebody_with_a_name_and_the_look_up_is_written_down(page: AppTest, expected: NightPlan) -> None:
    page.run()
    assert page.button(key="show_cases").disabled
    page.text_input(key="who").input("Ane Holm").run()
    page.button(key="show_cases").click().run()
    assert not page.error
    stays = frame(page, "payer_known")
    assert stays["net_ore"].sum() == pytest.approx(expected.net_ore / 100)
    book = ledger.open_(settings.read().ledger_url, personal.holds_number)
    looked = audit.entries(book)
    assert looked.select("who", "what").rows() == [("Ane Holm", "stay.nightcover")]
    assert set(looked["subjects"][0]) == {unit for couple in expected.couples for unit in couple.unit_ids}


def test_groups_of_three_in_english(page: AppTest, expected: NightPlan) -> None:
    page.session_state["lang"] = "en"
    page.run()
    page.selectbox(key="night_size").select("3").run()
    assert not page.error
    assert any("net of state refund" in text.value for text in page.markdown)
    assert frame(page, "verdicts")["saving_ore"].sum() >= expected.saving_ore / 100 - 0.01


def captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption)


def test_no_figure_is_too_large_to_be_refused_in_a_sentence(page: AppTest, expected: NightPlan) -> None:
    for field, typed in {
        "night_pay_municipal_monthly_pay": "9" * 16,
        "night_pay_municipal_gross_hours": "0",
        "night_sharing_equipment": "9" * 18,
        "night_risk_minutes_per_incident": "9" * 31,
        "night_law_nights_in_a_row": "2,5",
        "night_ceiling": "9" * 31,
    }.items():
        page.query_params[field] = typed
    page.run()
    assert not page.error
    assert nightcover.answer(expected, "da") in said(page)
    told = captions(page)
    for bound in ("højst 1.000.000.", "mindst 500.", "højst 10.000.000.", "højst 1.440.", "højst 100.000."):
        assert f"Skriv {bound}" in told
    assert "“2,5” er ikke et helt tal." in told


def test_an_assumption_shows_its_unit_once_its_default_when_empty_and_its_source_in_danish(page: AppTest) -> None:
    page.run()
    fields = [field for field in page.text_input if str(field.key).startswith("night_")]
    assert [field.label for field in fields if field.label.count("(") > 1] == []
    assert page.text_input(key="night_pay_municipal_pay_level").placeholder == "100"
    assert page.text_input(key="night_pay_municipal_monthly_pay").placeholder == "34.500"
    assert page.text_input(key="night_ceiling").placeholder == "Ingen grænse"
    sources = frame(page, "standing_value")["source"].to_list()
    assert [told for told in sources if any(word in told for word in (".csv", ".md", "norm)", "identical", "level"))] == []
    assert any("privateskoler.dk, årsnorm" in told for told in sources)
    # Units are drawn, not the municipalities' main towns.
    assert "Kystlinje: Natural Earth 1:10m, public domain." in captions(page)
    assert "hovedby" not in captions(page)


def test_where_nothing_saves_the_answer_says_that_it_is_the_cost(page: AppTest, expected: NightPlan) -> None:
    page.query_params["night_pay_municipal_pay_level"] = "0"
    page.run()
    assert not page.error
    lawful = expected.candidates.pairs.filter(pl.col("status").is_in(["pass", "warn"])).height
    assert f"Par, der overholder reglerne: {lawful}, men de koster mere, end de sparer." in said(page)
    assert "Ingen afdelinger kan dele" not in said(page)


def test_the_tornado_says_what_its_figures_are_counted_in(expected: NightPlan) -> None:
    for name, value, words in (
        ("discount_pct", 3.5, "3,5 %"),
        ("max_minutes", 30, "30,0 min."),
        ("speed_kmh", 60, "60,0 km/t"),
        ("sick_days", 14.4, "14,4 dage"),
        ("clustering", 1, "1,0"),
    ):
        assert nightcover.assumed_value(name, value, "da").replace("\N{NO-BREAK SPACE}", " ") == words
