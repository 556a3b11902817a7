"""The whole: from frames to a plan, and what must be true of every plan."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from samplads.errors import SampladsError
from samplads.nightcover import coupling, finder, plan, rules
from tests.strategies_nightcover import assumptions, inputs, town

FREE = {"equipment_ore": 0, "running_ore": 0, "call_out_ore": 0, "km_ore": 0}


def candidates(units: list[dict], travel: pl.DataFrame | None = None, **changes: object) -> plan.Candidates:  # type: ignore[type-arg]
    return plan.candidates(plan.prepare(inputs(units, travel), assumptions(**changes)))


def saving_of(found: plan.Candidates, units: tuple[str, ...]) -> int:
    group = np.array([[found.nights.ids.index(unit) for unit in units]])
    return int(plan.value(found.nights, group, *found.travel_of(group)).saving_ore[0])


def test_two_alike_save_one_post_less_what_sharing_costs() -> None:
    found = candidates([{}, {}])
    row = found.pairs.row(0, named=True)
    assert row["posts_ore"] == found.nights.alone_ore[0] == found.nights.alone_ore[1]
    assert row["saving_ore"] == row["posts_ore"] - row["call_out_ore"] - row["driving_ore"] - row["gear_ore"]
    assert row["gear_ore"] == 2 * (6_000_000 // 5 + 1_200_000)
    assert row["status"] == "pass"
    best = plan.best(found)
    assert best.saving_ore == row["saving_ore"]
    couple = best.couples[0]
    assert couple.risk.overlaps_per_year == pytest.approx(row["overlaps_per_year"])
    for way in plan.SHARING:
        assert couple.shares[f"{way}_ore"].sum() == couple.saving_ore
    assert best.by_municipality["gross_ore"].sum() == best.saving_ore
    assert best.by_municipality["net_ore"].sum() == best.net_ore < best.saving_ore


def test_no_shared_hours_no_saving() -> None:
    early = {"shift_start": dt.time(18), "shift_end": dt.time(23), "monthly_pay_ore": 3_600_000}
    found = candidates([early, {}])
    row = found.pairs.row(0, named=True)
    assert row["saving_ore"] == row["posts_ore"] == row["call_out_ore"] == row["gear_ore"] == 0
    assert row["overlaps_per_year"] == 0
    assert plan.best(found).proof.status == "empty"


@pytest.mark.parametrize("seed", range(3))
def test_with_free_gear_sharing_never_costs_and_the_order_is_without_importance(seed: int) -> None:
    told = [unit | {"unit_id": f"U{number}"} for number, unit in enumerate(town(12, seed))]
    found = candidates(told, **FREE)
    assert (found.pairs["saving_ore"] >= 0).all()
    assert (found.pairs["posts_ore"] <= found.nights.alone_ore.max()).all()
    turned = candidates(told[::-1], **FREE)
    assert turned.pairs.equals(found.pairs)
    swapped = candidates([told[1] | {"unit_id": "U0"}, told[0] | {"unit_id": "U1"}], **FREE, max_minutes=1e3)
    straight = candidates([told[0] | {"unit_id": "U0"}, told[1] | {"unit_id": "U1"}], **FREE, max_minutes=1e3)
    for column in ("saving_ore", "overlaps_per_year", "minutes", "status"):
        assert swapped.pairs[column][0] == pytest.approx(straight.pairs[column][0]) or column == "status"


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_plan_is_the_best_of_all_plans(size: int) -> None:
    found = candidates(town(8, 4), group_size=size, max_minutes=25)
    best = plan.best(found)
    ids = found.nights.ids
    usable = {
        frozenset((a, b)) for a, b, status in found.pairs.select("unit_a", "unit_b", "status").iter_rows() if status in {"pass", "warn"}
    }
    groups = [
        (frozenset(units), saving_of(found, units))
        for count in range(2, size + 1)
        for units in itertools.combinations(ids, count)
        if all(frozenset(pair) in usable for pair in itertools.combinations(units, 2))
    ]
    from tests import reference_nightcover as reference

    assert len(groups) > 3
    assert best.saving_ore == best.proof.objective_ore == reference.best_packing(groups)
    assert best.proof.status == "optimal"
    units = [unit for couple in best.couples for unit in couple.unit_ids]
    assert len(units) == len(set(units))
    assert best.by_municipality["gross_ore"].sum() == best.saving_ore


def test_unknown_answers_stay_out_until_they_are_let_in() -> None:
    units = [{}, {"response_minutes_limit": None}]
    found = candidates(units)
    assert found.pairs["status"].to_list() == ["unknown"]
    assert found.pairs["unknown"][0].to_list() == ["S1"]
    assert plan.best(found).couples == ()
    assert plan.potential(found).objective_ore > 0
    assert len(plan.best(candidates(units, allow_unknown=True)).couples) == 1
    assert plan.best(found, together=[("A-001", "A-000")]).couples[0].status == "unknown"


def test_incidents_not_delivered_are_assumed_and_to_be_assessed() -> None:
    found = candidates([{}, {"incidents": None}])
    assert found.pairs["unknown"][0].to_list() == ["S7"]
    assert found.nights.per_night[1] == assumptions().incidents_per_night


def test_a_quiet_unit_is_known_and_gets_the_upper_end_of_its_interval() -> None:
    found = candidates([{}, {"incidents": 0}])
    assert found.pairs["status"].to_list() == ["pass"]
    assert found.nights.per_night[1] == pytest.approx(3.689 / 365, rel=1e-3)
    assert found.nights.minutes[1] == assumptions().minutes_per_incident
    quieter = candidates([{}, {"incidents": 0, "nights": 60}])
    assert quieter.nights.per_night[1] == pytest.approx(3.689 / 60, rel=1e-3)
    # So few nights tell nothing: the assumption holds, and the coupling is to be assessed.
    new = candidates([{}, {"incidents": 0, "nights": 29}])
    assert new.pairs["unknown"][0].to_list() == ["S7"]
    assert new.nights.per_night[1] == assumptions().incidents_per_night
    # Half a year's nights make the same count twice the rate.
    half, whole = candidates([{}, {"incidents": 40, "nights": 180}]), candidates([{}, {"incidents": 40, "nights": 360}])
    assert half.nights.per_night[1] == pytest.approx(2 * whole.nights.per_night[1])
    assert half.pairs["overlaps_per_year"][0] > whole.pairs["overlaps_per_year"][0]


def test_no_exclusion_told_is_an_answer_only_beside_other_answers() -> None:
    assert candidates([{}, {"danger_met_by": None, "lone_work_danger": None}]).pairs["unknown"][0].to_list() == ["S2", "W10"]
    assert candidates([{}, {"excludes_groups": ["g"], "excludes_covered": ["g-1", "g-2"]}]).pairs["failed"][0].to_list() == ["S2"]


def test_a_saving_never_overrides_a_hard_rule() -> None:
    found = candidates([{}, {"one_to_one": True}])
    assert plan.best(found).couples == ()
    with pytest.raises(SampladsError, match="night_rule_broken"):
        plan.best(found, together=[("A-000", "A-001")])
    with pytest.raises(SampladsError, match="coupling_pair_unknown"):
        plan.best(found, together=[("A-000", "A-009")])


def test_forbid_a_couple_and_see_the_second_best() -> None:
    found = candidates(town(10, 2))
    first = plan.best(found)
    a, b = first.couples[0].unit_ids
    second = plan.best(found, apart=[(a, b)])
    assert second.saving_ore < first.saving_ore
    assert (a, b) not in [couple.unit_ids for couple in second.couples]


def test_the_ceiling_on_risk_holds_and_a_price_on_risk_gives_the_frontier() -> None:
    units = town(11, 5)
    for size in (2, 3):
        free = plan.best(candidates(units, group_size=size))
        bounded = plan.best(candidates(units, group_size=size, max_overlaps=4.0))
        assert all(couple.risk.overlaps_per_year <= 4.0 for couple in bounded.couples)
        assert bounded.saving_ore <= free.saving_ore
    points = plan.frontier(candidates(units), [0, 10**6, 10**7, 10**8, 10**9])
    assert points[-1].saving_ore == plan.best(candidates(units)).saving_ore
    for low, high in itertools.pairwise(points):
        assert low.overlaps_per_year < high.overlaps_per_year
        assert low.saving_ore < high.saving_ore


@pytest.mark.parametrize("size", [2, 3])
def test_the_frontier_meets_what_is_demanded_and_holds_the_plan_in_force(size: int) -> None:
    found = candidates(town(11, 5), group_size=size, max_minutes=20)
    free = plan.best(found)
    demands = {"apart": [free.couples[0].unit_ids[:2]]}
    spare = next(
        (a, b)
        for a, b, status in found.pairs.select("unit_a", "unit_b", "status").iter_rows()
        if status != "fail" and all(not {a, b} <= set(couple.unit_ids) for couple in free.couples)
    )
    prices = [0, 10**6, 10**7, 10**8]
    for demanded in (demands, {"together": [spare]}):
        for price in prices:
            best = plan.best(found, **demanded, price_ore=price)
            points = plan.frontier(found, prices, **demanded, chosen_ore=price)
            here = [point for point in points if set(point.units) == {couple.unit_ids for couple in best.couples}]
            assert len(here) == 1
            assert here[0].saving_ore == best.saving_ore
            assert here[0].overlaps_per_year == pytest.approx(best.overlaps_per_year)
    assert plan.frontier(found, prices, **demands)[-1].saving_ore < plan.frontier(found, prices)[-1].saving_ore


def test_a_plan_in_force_stays_on_the_frontier_though_another_beats_it() -> None:
    ahead, behind = plan.FrontierPoint(0, 1, 200, 1.0), plan.FrontierPoint(5, 1, 100, 2.0)
    assert plan.efficient([ahead, behind]) == [ahead]
    assert plan.efficient([ahead, behind], chosen_ore=5) == [ahead, behind]


def test_a_unit_out_of_the_plan_is_in_no_pair() -> None:
    found = candidates(town(10, 2))
    first = plan.best(found)
    out = first.couples[0].unit_ids[0]
    less = found.without([out])
    second = plan.best(less)
    assert out not in {unit for couple in second.couples for unit in couple.unit_ids}
    assert second.saving_ore < first.saving_ore
    # The same plan as if the unit did not exist.
    gone = plan.candidates(plan.prepare(found.nights.inputs.only(set(found.nights.ids) - {out}), found.nights.assumptions))
    assert second.saving_ore == plan.best(gone).saving_ore
    assert found.without([]) is found
    with pytest.raises(SampladsError, match="night_unit_unknown"):
        found.without(["A-999"])
    with pytest.raises(SampladsError, match="night_unit_left_out"):
        plan.best(less, together=[first.couples[0].unit_ids])


@pytest.mark.parametrize("size", [2, 3])
def test_partners_best_first_and_what_insisting_costs(size: int) -> None:
    units = [*town(8, 3), {"lat": 55.3, "lon": 11.95, "one_to_one": True}]
    found = candidates(units, group_size=size)
    best = plan.best(found)
    unit = "A-002"
    told = plan.partners(found, unit, most=20)
    mine = found.pairs.filter((pl.col("unit_a") == unit) | (pl.col("unit_b") == unit))
    assert told.height == mine.height > 3
    lawful = told.filter(pl.col("status") != "fail")
    assert lawful["saving_ore"].to_list() == sorted(lawful["saving_ore"].to_list(), reverse=True)
    assert told["status"].to_list()[-1] == "fail"
    assert told["cost_to_plan_ore"].to_list()[-1] is None
    for row in lawful.iter_rows(named=True):
        insisted = plan.best(found, together=[(unit, row["partner"])])
        assert row["cost_to_plan_ore"] == best.saving_ore - insisted.saving_ore >= 0
        assert row["in_best_plan"] == any({unit, row["partner"]} <= set(couple.unit_ids) for couple in best.couples)
    if size == 2:
        usable = found.pairs.filter(pl.col("status").is_in(["pass", "warn"])).select("unit_a", "unit_b", "saving_ore")
        twin = coupling.best_partners(usable, unit, most=20)
        assert lawful.select("partner", "cost_to_plan_ore", "in_best_plan").equals(
            twin.select("partner", "cost_to_plan_ore", "in_best_plan")
        )
    first = lawful["partner"][0]
    assert first not in plan.partners(found, unit, apart=[(unit, first)])["partner"].to_list()
    elsewhere = lawful["partner"][1]
    spoken_for = plan.partners(found, unit, together=[(unit, elsewhere)])
    if size == 2:
        assert spoken_for.filter(pl.col("partner") == first)["cost_to_plan_ore"].to_list() == [None]
    assert plan.partners(found, unit, most=2).height == 2
    with pytest.raises(SampladsError, match="night_unit_unknown"):
        plan.partners(found, "A-999")


def test_a_travel_table_replaces_what_is_reckoned() -> None:
    travel = pl.DataFrame({"unit_a": ["A-001"], "unit_b": ["A-000"], "minutes": [29.0]})
    near, told = candidates([{}, {}]), candidates([{}, {}], travel)
    assert told.pairs["minutes"][0] == 29.0
    assert told.pairs["overlaps_per_year"][0] > near.pairs["overlaps_per_year"][0]
    assert candidates([{}, {}], travel, max_minutes=28.0).pairs.is_empty()
    far = [{}, {"lat": 57.0}]
    assert candidates(far).pairs.is_empty()
    assert candidates(far, travel).pairs.height == 1
    with pytest.raises(SampladsError, match="night_travel_columns"):
        candidates([{}, {}], travel.drop("minutes"))


def test_who_is_left_out_and_why() -> None:
    units = [
        {},
        {"single_person": False},
        {"roster": False},
        {"posts": 0},
        {"night_cover": "none"},
        {"shift_start": dt.time(8), "shift_end": dt.time(16)},
        {"shift_start": dt.time(8), "shift_end": dt.time(8)},
        {"lat": None},
    ]
    nights = plan.prepare(inputs(units), assumptions())
    assert nights.left_out["reason"].to_list() == [
        "not_single_person",
        "no_roster",
        "no_post",
        "no_post",
        "shift_unusable",
        "shift_unusable",
        "no_position",
    ]
    assert nights.ids == ["A-000"]
    assert len(plan.prepare(inputs(units), assumptions(single_person_only=False)).ids) == 2


def test_pay_that_is_not_told_is_that_of_the_terms() -> None:
    nights = plan.prepare(inputs([{}, {"monthly_pay_ore": None}]), assumptions())
    assert nights.pay_known == (True, False)
    assert nights.alone_ore[0] == nights.alone_ore[1]


def test_a_sleeping_post_shared_with_an_awake_one_saves_the_sleeping_one() -> None:
    found = candidates([{}, {"night_cover": "sleeping"}], **FREE)
    assert found.pairs["posts_ore"][0] == found.nights.alone_ore[1] < found.nights.alone_ore[0]


def test_on_call_with_a_short_response_is_costed_as_working_time() -> None:
    nights = plan.prepare(
        inputs([{"night_cover": "on_call", "response_minutes_limit": 10}, {"night_cover": "on_call", "response_minutes_limit": 60}, {}]),
        assumptions(),
    )
    assert nights.alone_ore[0] == nights.alone_ore[2] > nights.alone_ore[1]


def test_what_if() -> None:
    found = candidates(town(10, 7))
    best = plan.best(found)
    assert plan.revalue(best) == best.saving_ore
    assert plan.revalue(best, pay_factor=1.1) > best.saving_ore
    assert plan.revalue(best, incident_factor=3.0) < best.saving_ore
    assert plan.revalue(best, speed_kmh=30.0) <= best.saving_ore
    assert plan.revalue(best, equipment_ore=0) > best.saving_ore
    swings = plan.sensitivity(best)
    assert swings.height == 10
    assert (swings["at_base_ore"] == best.saving_ore).all()
    couple = best.couples[0]
    calls = plan.break_even(found, couple)
    assert calls is not None
    assert calls * 365 > couple.risk.incidents_per_year
    assert plan.revalue(plan.best(candidates([{}]))) == 0


def test_the_tornado_turns_every_assumption_that_touches_the_saving_and_keeps_the_ten_largest() -> None:
    town_of_all = [
        *town(8, 7),
        {"night_cover": "sleeping", "monthly_pay_ore": None},
        {"night_cover": "on_call", "response_minutes_limit": 60},
    ]
    best = plan.best(candidates(town_of_all, clustering=0.5, max_minutes=45))
    given = best.candidates.nights.assumptions
    every = plan.spans(given)
    assert {"on_cost_pct", "handover_minutes", "detour", "equipment_years", "gross_hours", "share_sleeping"} <= {
        span.name for span in every
    }
    moved = {
        span.name: max(abs(plan.revalue(best, **{span.name: end}) - best.saving_ore) for end in (span.low, span.high)) for span in every
    }
    for name in (
        "on_cost_pct",
        "handover_minutes",
        "detour",
        "equipment_years",
        "gross_hours",
        "hours_a_day",
        "holiday_days",
        "clustering",
    ):
        assert moved[name] > 0, name
    swings = {
        span.name: max(ends) - min(ends)
        for span in every
        for ends in [[plan.revalue(best, **{span.name: value}) for value in (span.low, span.base, span.high)]]
    }
    told = plan.sensitivity(best)
    largest = sorted(swings.values(), reverse=True)[:10]
    assert told["swing_ore"].to_list() == largest
    assert largest[-1] >= max(value for name, value in swings.items() if name not in told["assumption"].to_list())
    from samplads import i18n

    assert all(i18n.has(f"nightcover.assumptions.{span.name}", language) for span in every for language in i18n.LANGUAGES)


def test_a_told_journey_is_not_driven_at_another_speed() -> None:
    travel = pl.DataFrame({"unit_a": ["A-000"], "unit_b": ["A-001"], "minutes": [25.0]})
    told, reckoned = plan.best(candidates([{}, {}], travel)), plan.best(candidates([{}, {}]))
    assert plan.revalue(told, speed_kmh=20.0) == told.saving_ore
    assert plan.revalue(reckoned, speed_kmh=20.0) < reckoned.saving_ore
    assert plan.revalue(told, detour=2.0) < told.saving_ore  # the kilometres are still reckoned


def test_a_told_journey_counts_as_located() -> None:
    units = [{}, {"has_own_point": False}, {}]
    assert candidates(units).pairs.filter(pl.col("unit_a") == "A-000")["unknown"].to_list() == [["S1"], []]
    travel = pl.DataFrame({"unit_a": ["A-001"], "unit_b": ["A-000"], "minutes": [9.0]})
    told = candidates(units, travel, group_size=3)
    assert told.pairs["status"].to_list() == ["pass", "pass", "unknown"]
    # In a group of three only where the journeys to both others are told.
    assert plan.describe(told, ("A-000", "A-001", "A-002")).status == "unknown"
    both = pl.concat([travel, pl.DataFrame({"unit_a": ["A-002"], "unit_b": ["A-001"], "minutes": [9.0]})])
    assert plan.describe(candidates(units, both, group_size=3), ("A-000", "A-001", "A-002")).status == "pass"
    limited = [{}, {"has_own_point": False, "response_minutes_limit": 8}]
    assert candidates(limited, travel).pairs["failed"][0].to_list() == ["S1"]


@pytest.mark.parametrize(
    ("minutes", "key"), [(["twelve"], "night_travel_minutes"), ([-1.0], "night_travel_negative"), ([float("nan")], "night_travel_minutes")]
)
def test_a_travel_table_that_cannot_be_is_refused(minutes: list[object], key: str) -> None:
    with pytest.raises(SampladsError, match=key):
        candidates([{}, {}], pl.DataFrame({"unit_a": ["A-000"], "unit_b": ["A-001"], "minutes": minutes}))


def test_ids_that_are_numbers_are_read_as_text() -> None:
    travel = pl.DataFrame({"unit_a": [7], "unit_b": [8], "minutes": [3.0]})
    assert candidates([{"unit_id": "7"}, {"unit_id": "8"}], travel).pairs["minutes"].to_list() == [3.0]


def test_moving_together_where_it_beats_sharing_or_sharing_cannot_be() -> None:
    near, far, tight = {"lat": 55.2}, {"lat": 55.6}, {"lat": 55.25, "response_minutes_limit": 1}
    dear = {"colocation_ore": 10_000_000_000_000}
    # Near each other with few incidents: sharing is better than a move.
    assert plan.co_locations(candidates([near, near | {"lat": 55.201}])).is_empty()
    # Too far to share, within the reach of a move; not beyond it.
    found = candidates([near, far])
    assert found.pairs.is_empty()
    moved = plan.co_locations(found)
    row = moved.row(0, named=True)
    assert moved.height == 1
    assert row["sharing_ore"] is None
    assert row["more_ore"] == row["saving_ore"]
    beside = candidates([near, near])
    assert row["saving_ore"] == beside.pairs["saving_ore"][0] - assumptions().colocation_ore // 10
    yearly = row["saving_ore"] + assumptions().colocation_ore // 10 + 2 * assumptions().equipment_ore // 5
    # The gear is worn out after five years and bought anew.
    gear, month = 2 * assumptions().equipment_ore, 1
    while yearly * month / 12 < assumptions().colocation_ore + gear * -(-month // 60):
        month += 1
    assert row["payback_months"] == month
    slow = {"equipment_ore": 12_000_000, "equipment_years": 3.0, "running_ore": 0, "colocation_ore": 100_000_000}
    late = plan.co_locations(candidates([near | {"monthly_pay_ore": 1_000_000}, far | {"monthly_pay_ore": 1_000_000}], **slow)).row(
        0, named=True
    )
    assert late["payback_months"] > 36
    assert late["payback_months"] > -(-late["one_off_ore"] * 12 // (late["saving_ore"] + 10_000_000 + 8_000_000))
    assert plan.co_locations(candidates([near, far], colocation_minutes=40.0)).is_empty()
    assert plan.co_locations(candidates([near, far], **dear)).is_empty()
    # A response limit that the drive breaks is kept at no distance.
    late = candidates([near, tight])
    assert late.pairs["status"].to_list() == ["fail"]
    assert plan.co_locations(late).height == 1
    assert plan.co_locations(late, apart=[("A-001", "A-000")]).is_empty()
    assert plan.co_locations(late.without(["A-001"])).is_empty()
    # The risk is judged anew: a ceiling that the drive breaks may hold without it, and one that nothing keeps lists nothing.
    over = candidates([near | {"incidents": 150}, {"lat": 55.35, "incidents": 150}], max_overlaps=8.0)
    assert over.pairs["failed"][0].to_list() == ["S7"]
    held = plan.co_locations(over)
    assert held["overlaps_per_year"][0] < 8.0 < over.pairs["overlaps_per_year"][0]
    assert plan.co_locations(candidates([near | {"incidents": 150}, {"lat": 55.35, "incidents": 150}], max_overlaps=0.5)).is_empty()
    # What a move does not mend keeps it off the list; where incidents are many, driving to them costs more than a move.
    assert plan.co_locations(candidates([near, far | {"one_to_one": True}])).is_empty()
    busy = [{"lat": 55.2, "incidents": 1500}, {"lat": 55.35, "incidents": 1500}]
    beaten = plan.co_locations(candidates(busy, colocation_ore=100)).row(0, named=True)
    assert beaten["more_ore"] == beaten["saving_ore"] - beaten["sharing_ore"] > 0


def test_cash_is_without_the_write_off() -> None:
    couple = plan.best(candidates([{}, {}])).couples[0]
    for saving, month, present in (
        (couple.saving_ore, couple.payback_month, couple.present_value_ore),
        (couple.net_ore, couple.net_payback_month, couple.net_present_value_ore),
    ):
        yearly = saving + couple.one_off_ore // 5
        assert month == -(-couple.one_off_ore * 12 // yearly)
        assert present == pytest.approx(sum(yearly / 1.035**year for year in range(1, 6)) - couple.one_off_ore, abs=1)
    assert couple.net_present_value_ore < couple.present_value_ore


def test_equipment_that_wears_out_is_bought_anew_and_a_loss_never_pays_back() -> None:
    couple = plan.best(candidates([{}, {}], equipment_years=2.0)).couples[0]
    yearly = couple.saving_ore + couple.one_off_ore // 2
    bought = couple.one_off_ore * (1 + 1.035**-2 + 1.035**-4)
    assert couple.present_value_ore == pytest.approx(sum(yearly / 1.035**year for year in range(1, 6)) - bought, abs=1)
    dear = candidates([{}, {}], equipment_ore=500_000_000)
    assert dear.pairs["saving_ore"][0] < 0
    lost = plan.best(dear, together=[("A-000", "A-001")]).couples[0]
    assert lost.payback_month is lost.net_payback_month is None


def test_a_simulation_of_the_plan_agrees_with_its_closed_forms() -> None:
    best = plan.best(candidates(town(8, 7), group_size=3))
    assert len(best.couples) >= 2
    played = plan.simulate(best, seed=3, nights=20_000)
    assert played == plan.simulate(best, seed=3, nights=20_000)
    assert played != plan.simulate(best, seed=4, nights=20_000)
    for couple, found in zip(best.couples, played, strict=True):
        spread = (found.overlaps_per_year.high - found.overlaps_per_year.low) / 2 / 1.96
        assert abs(found.overlaps_per_year.value - couple.risk.overlaps_per_year) < 4 * spread
        spread = (found.uncovered_minutes.high - found.uncovered_minutes.low) / 2 / 1.96
        assert abs(found.uncovered_minutes.value - couple.risk.uncovered_minutes) < 4 * spread + 0.005 * couple.risk.uncovered_minutes


def test_what_the_candidates_tell_of_a_pair_is_what_judging_it_alone_tells() -> None:
    shares: list[float] = []
    answers = itertools.cycle(
        [{}, {"one_to_one": True}, {"one_to_one": None}, {"approval_status": "conditional"}, {"response_minutes_limit": 5}]
    )
    nights = plan.prepare(inputs([unit | answer for unit, answer in zip(town(12, 5), answers, strict=False)]), assumptions())
    found = plan.candidates(nights, shares.append)
    assert shares == [0.0]
    assert set(found.pairs["status"]) == {"fail", "unknown", "warn", "pass"}
    for row, (at, pair) in enumerate(zip(found.at.tolist(), found.pairs.iter_rows(named=True), strict=True)):
        travel, _ = found.travel_of(found.at[row : row + 1])
        verdicts = plan.judge(replace(nights, members=list(nights.members)), at, travel[0], pair["overlaps_per_year"] / plan.NIGHTS)
        assert pair["status"] == rules.status(verdicts)
        for column, outcome in (("failed", "fail"), ("unknown", "unknown"), ("warned", "warn")):
            assert pair[column] == sorted({verdict.rule for verdict in verdicts if verdict.outcome == outcome})


def test_assumptions_out_of_bounds_are_refused() -> None:
    for key, changes in (
        ("night_group_size", {"group_size": 5}),
        ("night_sharing_unknown", {"sharing": "by_lot"}),
        ("night_assumption_not_positive", {"speed_kmh": 0}),
    ):
        with pytest.raises(SampladsError, match=key):
            assumptions(**changes)


def test_the_finder_ranks_and_its_counts_sum() -> None:
    units = [
        {},
        {},
        {"groups": ["g-2"], "lat": 55.21},
        {"single_person": False},
        {"daily_rate_ore": None},
        {"daily_rate_ore": 100_000},
        {"lat": 57.0},
        {"one_to_one": True},
        {"response_minutes_limit": None},
        {"roster": False},
        {"shift_start": dt.time(18), "shift_end": dt.time(22), "lat": 56.0},
        {"lat": 56.0},
    ]
    found = finder.find(inputs(units), assumptions(), least_yearly_ore=200_000_000)
    reasons = dict(found.reasons.iter_rows())
    assert [reasons[f"A-{number:03}"] for number in range(len(units))] == [
        "can",
        "can",
        "no_common_group",
        "not_single_person",
        "cost_unknown",
        "below_limit",
        "no_neighbour",
        "rule:S3",
        "to_be_assessed",
        "no_roster",
        "no_saving",
        "no_saving",
    ]
    assert found.counts["units"].sum() == len(units)
    assert found.pairs["status"].to_list() == sorted(found.pairs["status"].to_list(), key=lambda status: status == "unknown")
    assert (found.pairs["saving_ore"] > 0).all()
    from samplads import i18n

    for reason in found.counts["reason"]:
        kind, _, rule = reason.partition(":")
        key = f"nightcover.rules.{rule}" if kind == "rule" else f"nightcover.reasons.{reason}"
        assert all(i18n.has(key, language) for language in i18n.LANGUAGES)


def test_reach_is_that_of_every_pair_looked_at() -> None:
    units = town(40, 8)
    found = candidates(units, max_minutes=12.0)
    nights = found.nights
    from samplads.model import haversine_km

    km = haversine_km(nights.lat[:, None], nights.lon[:, None], nights.lat[None], nights.lon[None]) * 1.3
    near = np.argwhere(np.triu(km / 60 * 60 <= 12.0, 1))
    assert near.tolist() == found.at.tolist()


LONG_HOURS = [
    {"shift_start": dt.time(22), "shift_end": dt.time(6), "lat": 55.0},
    {"shift_start": dt.time(23), "shift_end": dt.time(7), "lat": 55.0001},
]
"""Nine hours together."""


@pytest.mark.parametrize("risky", [True, None])
def test_long_hours_of_two_and_risky_work_of_a_third_are_no_group(risky: bool | None) -> None:
    third = {"shift_start": dt.time(23), "shift_end": dt.time(6), "risky_work": risky, "lat": 55.0002}
    found = candidates([*LONG_HOURS, third], group_size=3)
    assert set(found.pairs["status"]) <= {"pass", "warn"} or risky is None
    for size in (3, 4):
        best = plan.best(candidates([*LONG_HOURS, third], group_size=size))
        assert [len(couple.unit_ids) for couple in best.couples] == [2]
        assert best.couples[0].status in {"pass", "warn"}
    let_in = plan.best(candidates([*LONG_HOURS, third], group_size=3, allow_unknown=True))
    assert [(len(couple.unit_ids), couple.status) for couple in let_in.couples] == ([(2, "warn")] if risky else [(3, "unknown")])
    # Who demands all three demands the question too, never the broken rule.
    demands = [("A-000", "A-002"), ("A-001", "A-002")]
    if risky:
        with pytest.raises(SampladsError, match="coupling_"):
            plan.best(found, together=demands)
    else:
        assert plan.best(found, together=demands).couples[0].status == "unknown"


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("allow", [False, True])
def test_no_coupling_of_a_plan_breaks_a_rule(size: int, allow: bool) -> None:
    rng = np.random.default_rng(size)
    seen = 0
    for seed in range(12):
        told = [
            unit | {"risky_work": [False, True, None][int(rng.integers(0, 3))], "lat": 55 + 1e-4 * number, "lon": 11.8}
            for number, unit in enumerate(town(9, seed))
        ]
        ceiling = None if seed % 2 else float(rng.uniform(2, 40))
        best = plan.best(candidates(told, group_size=size, allow_unknown=allow, max_overlaps=ceiling))
        for couple in best.couples:
            seen += 1
            assert couple.status in ({"pass", "warn", "unknown"} if allow else {"pass", "warn"})
    assert seen > 5


def test_a_group_under_the_ceiling_may_hold_a_pair_over_it() -> None:
    # Two meet in one crowded hour; the third shares long hours with both.
    busy = {"incidents": 200, "minutes": 20.0, "lat": 55.0}
    told = [
        busy | {"shift_start": dt.time(22), "shift_end": dt.time(2)},
        busy | {"shift_start": dt.time(1), "shift_end": dt.time(6)},
        busy | {"shift_start": dt.time(22), "shift_end": dt.time(6), "incidents": 1},
    ]
    free = candidates(told, group_size=3)
    over = dict(zip(free.pairs.select("unit_a", "unit_b").iter_rows(), free.pairs["overlaps_per_year"], strict=True))
    group = plan.describe(free, ["A-000", "A-001", "A-002"])
    ceiling = (group.risk.overlaps_per_year + over["A-000", "A-001"]) / 2
    assert group.risk.overlaps_per_year < ceiling < over["A-000", "A-001"]
    found = candidates(told, group_size=3, max_overlaps=ceiling)
    assert found.pairs.filter(pl.col("failed").list.contains("S7")).height == 1
    for demands in ([], [("A-000", "A-001")]):
        best = plan.best(found, together=demands)
        assert [(couple.unit_ids, couple.status) for couple in best.couples] == [(("A-000", "A-001", "A-002"), group.status)]
    assert best.saving_ore == group.saving_ore
    # As a pair it breaks the rule still, and so does a demand that no group can meet.
    for alone in (candidates(told, max_overlaps=ceiling), candidates(told, group_size=3, max_overlaps=ceiling).without(["A-002"])):
        with pytest.raises(SampladsError, match="night_rule_broken"):
            plan.best(alone, together=[("A-000", "A-001")])
