"""What an allocation says about itself is true: values of places, reasons and prices are found again by solving again."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads.errors import SampladsError
from samplads.matching import outcome, scarcity
from samplads.matching.allocation import Allocation, allocate
from samplads.matching.check import check
from tests.strategies_allocation import Made, problems

MODEST = settings(deadline=None, max_examples=35)


def triple(allocation: Allocation) -> tuple[int, int, int]:
    return allocation.urgent, allocation.placed, allocation.objective


def difference(after: Allocation, before: Allocation) -> tuple[int, ...]:
    return tuple(one - other for one, other in zip(triple(after), triple(before), strict=True))


@MODEST
@given(problems())
def test_one_more_place_is_worth_what_solving_again_gains(made: Made) -> None:
    before = allocate(made.pairs, made.capacity, priority=made.priority, holds=made.held)
    values = scarcity.place_values(before)
    assert values["exact"].all()
    assert set(values["unit_id"]) == set(made.places) | {unit for _, unit in made.points}
    for row in values.iter_rows(named=True):
        after = scarcity.with_places(before, pl.DataFrame({"unit_id": [row["unit_id"]], "places": [1]}))
        assert difference(after, before) == (row["urgent"], row["placed"], row["points"])
        if row["tier"] is not None:
            position = before.tiers.index(row["tier"])
            assert after.placed_by_tier[position] == before.placed_by_tier[position] + 1
            assert after.placed_by_tier[:position] == before.placed_by_tier[:position]
        if row["lost_points"] is not None:
            fewer = scarcity.with_places(before, pl.DataFrame({"unit_id": [row["unit_id"]], "places": [-1]}))
            assert difference(before, fewer) == (row["lost_urgent"], row["lost_placed"], row["lost_points"])


@pytest.mark.parametrize("seed", range(3))
def test_values_on_a_larger_case(seed: int) -> None:
    rng = np.random.default_rng(seed)
    needs, units = 150, 40
    pairs = pl.DataFrame(
        {
            "need_id": np.repeat(np.arange(needs), 6),
            "unit_id": rng.integers(0, units, needs * 6),
            "points": rng.integers(0, 60, needs * 6),
        }
    ).unique(["need_id", "unit_id"], keep="first", maintain_order=True)
    capacity = pl.DataFrame({"unit_id": range(units), "places": rng.integers(0, 6, units)})
    priority = pl.DataFrame({"need_id": range(needs), "tier": rng.integers(0, 3, needs)})
    before = allocate(pairs, capacity, priority=priority)
    values = scarcity.place_values(before)
    assert values["placed"].sum() > 0
    for row in values.sample(12, seed=seed).iter_rows(named=True):
        after = scarcity.with_places(before, pl.DataFrame({"unit_id": [row["unit_id"]], "places": [1]}))
        assert difference(after, before) == (row["urgent"], row["placed"], row["points"])
    kinds = pl.DataFrame({"unit_id": range(units), "kind": [f"K{one % 4}" for one in range(units)]})
    by_kind = scarcity.kind_values(before, kinds)
    assert by_kind["units"].sum() == units
    best = by_kind.row(0, named=True)
    after = scarcity.with_places(before, pl.DataFrame({"unit_id": [best["unit_id"]], "places": [1]}))
    assert difference(after, before) == (best["urgent"], best["placed"], best["points"])


@MODEST
@given(problems(), problems())
def test_a_new_unit_is_worth_what_solving_again_gains(made: Made, other: Made) -> None:
    before = allocate(made.pairs, made.capacity, priority=made.priority)
    # The kinds of new unit are the other problem's units; some of its needs may be new to this one.
    candidates = other.pairs.rename({"unit_id": "kind"}).filter(pl.col("need_id").is_in(list(made.tier)))
    values = scarcity.new_unit_values(before, candidates)
    assert set(values["kind"]) == set(candidates["kind"])
    for row in values.iter_rows(named=True):
        new = candidates.filter(pl.col("kind") == row["kind"]).select("need_id", unit_id=pl.lit("new"), points="points")
        after = allocate(
            pl.concat([made.pairs, new]),
            pl.concat([made.capacity, pl.DataFrame({"unit_id": ["new"], "places": [1]})]),
            priority=made.priority,
        )
        assert (after.placed - before.placed, after.objective - before.objective) == (row["placed"], row["points"])


@MODEST
@given(problems())
def test_values_of_full_units_equal_solving_again_with_their_pairs(made: Made) -> None:
    closed = [unit for unit, places in made.places.items() if places <= 0]
    full = made.pairs.filter(pl.col("unit_id").is_in(closed))
    pairs, capacity = made.pairs.filter(~pl.col("unit_id").is_in(closed)), made.capacity.filter(pl.col("places") > 0)
    before = allocate(pairs, capacity, priority=made.priority)
    values = scarcity.place_values(before, full)
    assert set(full["unit_id"]) <= set(values["unit_id"])
    assert values["unit_id"].is_unique().all()
    for row in values.iter_rows(named=True):
        one = row["unit_id"]
        opened = pl.concat([pairs, full.filter(pl.col("unit_id") == one)])
        places = dict(capacity.iter_rows())
        places[one] = places.get(one, 0) + 1
        more = pl.DataFrame({"unit_id": list(places), "places": list(places.values())})
        after = allocate(opened, more, priority=made.priority)
        assert difference(after, before) == (row["urgent"], row["placed"], row["points"])
    # A need that only full units suit is told so, with the one it has most points in.
    everyone = pl.DataFrame({"need_id": list(made.tier)})
    told = {row["need_id"]: row for row in outcome.unplaced(before, everyone, full).iter_rows(named=True)}
    for need in set(made.tier) - set(pairs["need_id"]):
        mine = {unit: points for (who, unit), points in made.points.items() if who == need}
        assert told[need]["reason"] == (outcome.NO_OPEN_PLACE if mine else outcome.NO_ELIGIBLE_UNIT)
        assert told[need]["units"] == len(mine)
        assert told[need]["unit_id"] == (min(mine, key=lambda unit: (-mine[unit], unit)) if mine else None)


@MODEST
@given(problems())
def test_what_outbids_a_need_is_what_placing_it_costs(made: Made) -> None:
    before = allocate(made.pairs, made.capacity, priority=made.priority)
    everyone = pl.DataFrame({"need_id": list(made.tier)})
    table = outcome.unplaced(before, everyone)
    assert set(table["need_id"]) == set(made.tier) - set(before.chosen["need_id"])
    for row in table.iter_rows(named=True):
        mine = {unit: points for (need, unit), points in made.points.items() if need == row["need_id"]}
        usable = {unit for unit in mine if made.places.get(unit, 0) > 0}
        if not mine:
            assert row["reason"] == outcome.NO_ELIGIBLE_UNIT
        elif not usable:
            assert row["reason"] == outcome.NO_OPEN_PLACE
            assert row["units"] == len(mine)
        else:
            assert row["reason"] == outcome.OUTBID
            forced = outcome.insist(before, row["need_id"], row["unit_id"])
            assert forced.allocation.objective == before.objective - row["points_short"]
            assert forced.allocation.placed == before.placed
            assert row["points"] == mine[row["unit_id"]]
            assert made.tier[row["left_out"]] == row["left_out_tier"] <= made.tier[row["need_id"]]
            holders = before.chosen.filter(pl.col("unit_id") == row["unit_id"])["need_id"].to_list()
            assert row["lost_to"] in holders
            for unit in usable:
                other = outcome.insist(before, row["need_id"], unit)
                assert other.allocation.value <= forced.allocation.value
                assert check(other.allocation, made.pairs, made.capacity).right


@MODEST
@given(problems())
def test_what_the_placed_gave_up(made: Made) -> None:
    before = allocate(made.pairs, made.capacity, priority=made.priority)
    table = outcome.placed(before)
    assert table.select("need_id", "unit_id", "points").rows() == before.chosen.rows()
    for row in table.iter_rows(named=True):
        mine = {unit: points for (need, unit), points in made.points.items() if need == row["need_id"] and made.places.get(unit, 0) > 0}
        assert row["best_points"] == max(mine.values()) == mine[row["best_unit"]]
        assert row["points_below_best"] == row["best_points"] - row["points"]
        assert (row["second_unit"] is None) == (len(mine) == 1)
        if row["second_unit"] is not None:
            assert row["second_points"] == mine[row["second_unit"]]
            forced = outcome.insist(before, row["need_id"], row["second_unit"])
            assert forced.allocation.value <= before.value
            if row["second_tiers"] == 0 and forced.allocation.placed_by_tier == before.placed_by_tier:
                assert before.objective - forced.allocation.objective >= row["second_short"] >= 0


@MODEST
@given(problems())
def test_the_tight_set_has_more_needs_than_places(made: Made) -> None:
    before = allocate(made.pairs, made.capacity)
    for need in before.unplaced["need_id"]:
        tight = outcome.tight_set(before, need)
        assert need in tight.needs.to_list()
        assert tight.needs.len() == tight.places + 1
        assert set(tight.units) <= set(made.places)
        rivals = outcome.rivals(before, need)
        assert set(rivals["unit_id"]) == {unit for who, unit in made.points if who == need}
        assert set(rivals["rival"].drop_nulls()) <= set(before.chosen["need_id"])
        assert set(rivals["rival"].drop_nulls()) <= set(tight.needs)


def test_the_story_of_one_place_is_told() -> None:
    pairs = pl.DataFrame(
        {"need_id": ["a", "b", "b", "c", "d"], "unit_id": ["x", "x", "y", "y", "z"], "points": [10, 50, 40, 7, 1]},
    )
    capacity = pl.DataFrame({"unit_id": ["x", "y", "z"], "places": [1, 1, 0]})
    before = allocate(pairs, capacity)
    assert before.chosen.rows() == [("b", "x", 50), ("c", "y", 7)] or before.chosen.rows() == [("a", "x", 10), ("b", "y", 40)]
    assert before.objective == 57
    table = outcome.unplaced(before, pl.DataFrame({"need_id": ["a", "b", "c", "d", "e"]}))
    assert table.select("need_id", "reason", "unit_id", "lost_to", "left_out", "points_short").rows() == [
        ("a", "outbid", "x", "b", "c", 7),
        ("d", "no_open_place", "z", None, None, None),
        ("e", "no_eligible_unit", None, None, None, None),
    ]
    forced = outcome.insist(before, "a", "x")
    assert forced.change == (0, -7)
    assert forced.moves.rows() == [("a", None, "x"), ("b", "x", "y"), ("c", "y", None)]
    assert outcome.rivals(before, "a").rows() == [("x", 10, 1, "b", None, 50)]
    tight = outcome.tight_set(before, "a")
    assert (tight.needs.to_list(), tight.units.to_list(), tight.places) == (["a", "b", "c"], ["x", "y"], 2)
    best = scarcity.place_values(before).row(0, named=True)
    assert (best["unit_id"], best["placed"], best["points"]) == ("x", 1, 10)


def test_values_with_other_rules_say_that_they_are_not_exact() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"], "points": [1, 2]})
    capacity = pl.DataFrame({"unit_id": ["x"], "places": [2]})
    apart = allocate(pairs, capacity, incompatible=pl.DataFrame({"need_a": ["a"], "need_b": ["b"]}))
    assert apart.placed == 1
    assert scarcity.place_values(apart)["exact"].to_list() == [False]
    table = outcome.unplaced(apart)
    # There is room, but only beside someone incompatible: nobody has outbid it.
    assert table.select("need_id", "reason", "unit_id", "lost_to", "exact").rows() == [("a", "no_open_place", "x", None, False)]
    assert outcome.placed(apart)["need_id"].to_list() == ["b"]


def test_with_floors_points_are_points() -> None:
    needs = ["a1", "a2", "b1", "b2"]
    pairs = pl.DataFrame({"need_id": needs, "unit_id": ["x"] * 4, "points": [90, 80, 50, 40]})
    capacity = pl.DataFrame({"unit_id": ["x"], "places": [2]})
    fair = allocate(pairs, capacity, group=pl.DataFrame({"need_id": needs, "municipality": ["A", "A", "B", "B"]}), fairness=0.1)
    assert fair.chosen["need_id"].to_list() == ["a1", "b1"]
    told = outcome.unplaced(fair).select("need_id", "reason", "lost_to", "left_out", "points_short", "exact")
    assert told.rows() == [("a2", "outbid", "a1", "a1", 10, False), ("b2", "outbid", "b1", "b1", 10, False)]
    for need in ("a2", "b2"):
        assert outcome.insist(fair, need, "x").change == (0, -10)
    assert scarcity.place_values(fair).select("placed", "points", "lost_points").rows() == [(1, 80, 80)]


@MODEST
@given(problems(), st.booleans(), st.sampled_from([0.0, 0.2]))
def test_under_other_rules_points_are_points_and_whoever_gives_way_is_there(made: Made, apart: bool, within: float) -> None:
    incompatible = made.incompatible if apart else None
    options = {"priority": made.priority, "incompatible": incompatible, "group": made.group, "fairness": within}
    before = allocate(made.pairs, made.capacity, **options)  # type: ignore[arg-type]
    where = dict(before.chosen.select("need_id", "unit_id").iter_rows())
    most = 2 * sum(abs(points) for points in made.points.values())
    for row in outcome.unplaced(before).iter_rows(named=True):
        if row["reason"] == outcome.OUTBID:
            need, unit, other = row["need_id"], row["unit_id"], row["lost_to"]
            assert where[other] == unit
            assert other == row["left_out"]
            assert not any(frozenset((need, who)) in made.apart for who in where if apart and where[who] == unit)
            fewer = made.points[other, unit] - made.points[need, unit]
            alike = made.tier[other] == made.tier[need]
            assert row["points_short"] == fewer or (alike and fewer < row["points_short"] == 0)
            assert row["points_short"] >= 0 or not alike
        else:
            assert row["reason"] == outcome.NO_OPEN_PLACE
    for frame, names in (
        (outcome.placed(before), ("second_short",)),
        (scarcity.place_values(before), ("points", "lost_points")),
    ):
        for name in names:
            assert all(abs(value) <= most for value in frame[name].drop_nulls())


@pytest.mark.parametrize("off", [0, 1000, -1000])
def test_the_second_best_costs_the_points_of_the_placement_that_is_lost(off: int) -> None:
    pairs = pl.DataFrame(
        {"need_id": ["a", "a", "b", "c"], "unit_id": ["x", "y", "y", "y"], "points": [60 + off, 50 + off, 55 + off, 40 + off]}
    )
    before = allocate(pairs, pl.DataFrame({"unit_id": ["x", "y"], "places": [1, 1]}))
    row = outcome.placed(before).row(0, named=True)
    # y is worth the placement of c, who would come were there one more place.
    assert (row["need_id"], row["second_unit"], row["second_tiers"], row["second_short"]) == ("a", "y", 1, 10 + 40 + off)
    assert outcome.insist(before, "a", "y").change == (-1, -10 - 55 - off)


def test_dated_places_have_values_by_month() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"], "points": [10, 8]})
    capacity = pl.DataFrame({"unit_id": ["x", "x"], "opens": [1, 4], "places": [1, 0]})
    wanted = pl.DataFrame({"need_id": ["a", "b"], "wanted_from": [1, 2]})
    before = allocate(pairs, capacity, wanted=wanted, waiting_points=3)
    values = scarcity.place_values(before)
    assert values.select("unit_id", "opens", "places", "placed", "points").rows() == [("x", 1, 1, 1, 8), ("x", 4, 0, 1, 2)]
    for row in values.iter_rows(named=True):
        after = scarcity.with_places(before, pl.DataFrame({"unit_id": ["x"], "opens": [row["opens"]], "places": [1]}))
        assert difference(after, before)[1:] == (row["placed"], row["points"])


@pytest.mark.parametrize("seed", range(6))
def test_values_over_a_horizon_are_found_by_solving_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    needs, units, months = 40, 9, (0, 2, 5)
    pairs = pl.DataFrame(
        {
            "need_id": np.repeat(np.arange(needs), 4),
            "unit_id": rng.integers(0, units, needs * 4),
            "points": rng.integers(0, 60, needs * 4),
        }
    ).unique(["need_id", "unit_id"], keep="first", maintain_order=True)
    capacity = pl.DataFrame(
        [(unit, month, int(rng.integers(0, 3))) for unit in range(units) for month in months],
        schema=["unit_id", "opens", "places"],
        orient="row",
    )
    wanted = pl.DataFrame({"need_id": range(needs), "wanted_from": rng.integers(0, 6, needs)})
    priority = pl.DataFrame({"need_id": range(needs), "tier": rng.integers(0, 3, needs)})
    before = allocate(pairs, capacity, priority=priority, wanted=wanted, waiting_points=3, longest_wait=4)
    values = scarcity.place_values(before)
    assert values["exact"].all()
    assert values.height == capacity.height
    assert values["placed"].sum() > 0
    for row in values.iter_rows(named=True):
        more = pl.DataFrame({"unit_id": [row["unit_id"]], "opens": [row["opens"]], "places": [1]})
        assert difference(scarcity.with_places(before, more), before) == (row["urgent"], row["placed"], row["points"])
        if row["lost_points"] is not None:
            fewer = scarcity.with_places(before, more.with_columns(places=-pl.col("places")))
            assert difference(before, fewer) == (row["lost_urgent"], row["lost_placed"], row["lost_points"])


def test_a_need_without_a_pair_or_a_tier_comes_after_all_tiers() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "b", "c"], "unit_id": ["x", "x", "x"], "points": [5, 4, 9]})
    capacity = pl.DataFrame({"unit_id": ["x"], "places": [1]})
    kinds = pl.DataFrame({"kind": ["k", "l", "l", "m"], "need_id": ["s", "s", "b", "c"], "points": [3, 30, 2, 1]})
    for tiers in ({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 2}):
        priority = pl.DataFrame({"need_id": list(tiers), "tier": list(tiers.values())})
        before = allocate(pairs, capacity, priority=priority)
        values = {row["kind"]: row for row in scarcity.new_unit_values(before, kinds).iter_rows(named=True)}
        for kind, row in values.items():
            opened = pl.concat([pairs, kinds.filter(pl.col("kind") == kind).select("need_id", pl.lit(kind).alias("unit_id"), "points")])
            after = allocate(opened, pl.concat([capacity, pl.DataFrame({"unit_id": [kind], "places": [1]})]), priority=priority)
            assert (row["placed"], row["points"]) == (after.placed - before.placed, after.objective - before.objective)
        assert (values["k"]["tier"], values["l"]["tier"], values["m"]["tier"]) == (None, 2, tiers.get("c"))
        assert [values[kind]["urgent"] for kind in "kl"] == [0, 1]


def test_numbers_of_any_width_are_the_same_ids() -> None:
    pairs = pl.DataFrame(
        {"need_id": [2, 1], "unit_id": [20, 10], "points": [1, 2]}, schema={"need_id": pl.Int32, "unit_id": pl.UInt16, "points": pl.Int16}
    )
    capacity = pl.DataFrame({"unit_id": [20, 10], "places": [1, 0]})
    before = allocate(
        pairs, capacity, holds=pl.DataFrame({"need_id": [2], "unit_id": [20]}, schema={"need_id": pl.Int16, "unit_id": pl.Int64})
    )
    assert before.chosen.rows() == [(2, 20, 1)]
    one = pl.DataFrame({"unit_id": [10], "places": [1]}, schema={"unit_id": pl.Int8, "places": pl.Int64})
    more = scarcity.with_places(before, one)
    assert more.placed == 2
    assert outcome.insist(more, 1, 10).change == (0, 0)
    forced = allocate(pairs, capacity.with_columns(places=1))
    assert outcome.insist(forced, 2, 20).allocation.placed == 2
    assert outcome.unplaced(before, pl.DataFrame({"need_id": [1, 2, 3]}))["need_id"].to_list() == [1, 3]
    full = pl.DataFrame(
        {"need_id": [1], "unit_id": [99], "points": [4]}, schema={"need_id": pl.Int32, "unit_id": pl.Int16, "points": pl.Int64}
    )
    assert scarcity.place_values(before, full)["unit_id"].sort().to_list() == [10, 20, 99]
    assert scarcity.new_unit_values(before, pl.DataFrame({"kind": ["k"], "need_id": [3], "points": [4]}))["placed"].to_list() == [1]


@pytest.mark.parametrize("kind", [pl.Int64(), pl.Int32(), pl.Null()])
def test_no_pairs_at_all_with_ids_that_are_numbers(kind: pl.DataType) -> None:
    pairs = pl.DataFrame(schema={"need_id": kind, "unit_id": kind, "points": pl.Int64()})
    nothing = allocate(
        pairs,
        pl.DataFrame({"unit_id": [1], "places": [1]}),
        priority=pl.DataFrame({"need_id": [7], "tier": [1]}),
        incompatible=pl.DataFrame({"need_a": [7], "need_b": [8]}),
        group=pl.DataFrame({"need_id": [7], "municipality": ["A"]}),
        fairness=0.1,
    )
    assert nothing.placed == 0
    assert outcome.unplaced(nothing, pl.DataFrame({"need_id": [7]})).select("need_id", "reason").rows() == [(7, "no_eligible_unit")]
    assert scarcity.place_values(nothing).select("unit_id", "placed").rows() == [(1, 0)]
    assert scarcity.with_places(nothing, pl.DataFrame({"unit_id": [1], "places": [1]})).placed == 0
    assert scarcity.new_unit_values(nothing, pl.DataFrame({"kind": ["k"], "need_id": [7], "points": [4]})).select(
        "placed", "points"
    ).rows() == [(1, 4)]


def test_insisting_on_what_the_plan_gives_costs_nothing() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"], "points": [50, 50]})
    capacity = pl.DataFrame({"unit_id": ["x", "x"], "opens": [1, 4], "places": [1, 1]})
    wanted = pl.DataFrame({"need_id": ["a", "b"], "wanted_from": [4, 1]})
    before = allocate(pairs, capacity, wanted=wanted, waiting_points=5, longest_wait=6)
    for need in ("a", "b"):
        same = outcome.insist(before, need, "x")
        assert (same.change, same.moves.height) == ((0, 0), 0)


def test_unknown_ids_are_a_sentence() -> None:
    before = allocate(pl.DataFrame({"need_id": ["a"], "unit_id": ["x"], "points": [1]}), pl.DataFrame({"unit_id": ["x"], "places": [1]}))
    for call in (
        lambda: outcome.rivals(before, "q"),
        lambda: outcome.tight_set(before, 7),
        lambda: outcome.insist(before, "q", "x"),
    ):
        with pytest.raises(SampladsError, match="allocation_need_unknown"):
            call()
    with pytest.raises(SampladsError, match="allocation_hold_without_pair"):
        outcome.insist(before, "a", "q")
    with pytest.raises(SampladsError, match="allocation_unit_unknown"):
        scarcity.with_places(before, pl.DataFrame({"unit_id": ["q"], "places": [1]}))


def test_nothing_at_all_can_be_explained() -> None:
    nothing = allocate(pl.DataFrame({"need_id": [], "unit_id": [], "points": []}), pl.DataFrame({"unit_id": ["x"], "places": [1]}))
    assert outcome.placed(nothing).height == 0
    assert outcome.unplaced(nothing).height == 0
    assert outcome.unplaced(nothing, pl.DataFrame({"need_id": ["a"]}))["reason"].to_list() == [outcome.NO_ELIGIBLE_UNIT]
    assert scarcity.place_values(nothing).select("unit_id", "placed", "points").rows() == [("x", 0, 0)]
