"""A stable plan has no blocking pair, and the comparison tells the four ways apart."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads.errors import SampladsError
from samplads.matching.allocation import allocate
from samplads.matching.comparison import METHODS, compare
from samplads.matching.stable import blocking_pairs, stable
from tests import reference_allocation as reference
from tests.strategies_allocation import Made, problems

MODEST = settings(deadline=None, max_examples=50)


def blocks(made: Made, plan: dict[str, str]) -> set[tuple[str, str]]:
    """Blocking pairs by the definition: both would rather have each other."""

    def unit_order(need: str, unit: str) -> tuple[int, int, str]:
        return made.tier[need], -made.points[need, unit], need

    found = set()
    for (need, unit), points in made.points.items():
        places = made.places.get(unit, 0)
        if places <= 0 or plan.get(need) == unit:
            continue
        own = plan.get(need)
        wants = own is None or (-points, unit) < (-made.points[need, own], own)
        inside = [one for one, where in plan.items() if where == unit]
        has_room = len(inside) < places or any(unit_order(need, unit) < unit_order(one, unit) for one in inside)
        if wants and has_room:
            found.add((need, unit))
    return found


@MODEST
@given(problems())
def test_nobody_would_rather_have_each_other(made: Made) -> None:
    got = stable(made.pairs, made.capacity, priority=made.priority)
    plan = dict(got.chosen.select("need_id", "unit_id").iter_rows())
    assert blocks(made, plan) == set()
    assert blocking_pairs(got.chosen, made.pairs, made.capacity, priority=made.priority).height == 0
    assert got.placed == len(plan)
    assert all(list(plan.values()).count(unit) <= max(0, made.places[unit]) for unit in made.places)
    # Of all stable plans every need likes this one best.
    for other in reference.plans(made.points, made.places, {}, set()):
        if not blocks(made, other):
            for need, unit in other.items():
                mine = plan[need]
                assert (-made.points[need, mine], mine) <= (-made.points[need, unit], unit)


@MODEST
@given(problems(), st.data())
def test_units_may_have_an_order_of_their_own(made: Made, data: st.DataObject) -> None:
    own = {pair: data.draw(st.integers(0, 2)) for pair in made.points if data.draw(st.booleans())}
    frame = pl.DataFrame(
        [(need, unit, points) for (need, unit), points in own.items()],
        schema={"need_id": pl.String, "unit_id": pl.String, "points": pl.Int64},
        orient="row",
    )
    got = stable(made.pairs, made.capacity, priority=made.priority, unit_points=frame.sample(fraction=1, shuffle=True, seed=1))
    plan = dict(got.chosen.select("need_id", "unit_id").iter_rows())

    def unit_order(need: str, unit: str) -> tuple[int, int, int, str]:
        return -own.get((need, unit), -1), made.tier[need], -made.points[need, unit], need

    for (need, unit), points in made.points.items():
        if made.places[unit] <= 0 or plan.get(need) == unit:
            continue
        inside = [one for one, where in plan.items() if where == unit]
        wants = need not in plan or (-points, unit) < (-made.points[need, plan[need]], plan[need])
        wanted = len(inside) < made.places[unit] or any(unit_order(need, unit) < unit_order(one, unit) for one in inside)
        assert not (wants and wanted)
    none = blocking_pairs(got.chosen, made.pairs, made.capacity, priority=made.priority, unit_points=frame)
    assert none.height == 0


def test_an_order_of_their_own_goes_before_tiers_and_must_be_one() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"], "points": [1, 9]})
    capacity = pl.DataFrame({"unit_id": ["x"], "places": [1]})
    assert stable(pairs, capacity).chosen["need_id"].to_list() == ["b"]
    own = pl.DataFrame({"need_id": ["a", "b", "q"], "unit_id": ["x", "x", "x"], "points": [5, 4, 9]})
    assert stable(pairs, capacity, unit_points=own).chosen["need_id"].to_list() == ["a"]
    assert stable(pairs, capacity, unit_points=own.clear()).chosen["need_id"].to_list() == ["b"]
    with pytest.raises(SampladsError, match="allocation_pair_twice"):
        stable(pairs, capacity, unit_points=pl.concat([own, own.with_columns(pl.col("points") + 1)]))


@MODEST
@given(problems())
def test_holds_stand_in_every_way(made: Made) -> None:
    got = compare(made.pairs, made.capacity, priority=made.priority, holds=made.held)
    for plan in (got.first_come, got.best_pair_first, got.stable, got.optimum):
        where = dict(plan.chosen.select("need_id", "unit_id").iter_rows())
        assert {need: where.get(need) for need in made.holds} == made.holds
        assert all(list(where.values()).count(unit) <= max(0, made.places[unit]) for unit in made.places)
        assert plan.value <= got.optimum.value
    # Who is held is not asked, the others are served as if the place were not there.
    rest = made.pairs.filter(~pl.col("need_id").is_in(list(made.holds)))
    fewer = made.capacity.with_columns(pl.col("places") - pl.col("unit_id").is_in(list(made.holds.values())).cast(pl.Int64))
    alone = compare(rest, fewer, priority=made.priority)
    for mine, theirs in ((got.first_come, alone.first_come), (got.stable, alone.stable)):
        assert mine.chosen.filter(~pl.col("need_id").is_in(list(made.holds))).rows() == theirs.chosen.rows()


@MODEST
@given(problems())
def test_blocking_pairs_of_any_plan_are_those_of_the_definition(made: Made) -> None:
    best = allocate(made.pairs, made.capacity, priority=made.priority)
    found = blocking_pairs(best.chosen, made.pairs, made.capacity, priority=made.priority)
    assert set(found.iter_rows()) == blocks(made, dict(best.chosen.select("need_id", "unit_id").iter_rows()))


@MODEST
@given(problems())
def test_no_way_beats_the_optimum(made: Made) -> None:
    got = compare(made.pairs, made.capacity, priority=made.priority)
    assert got.table["method"].to_list() == list(METHODS)
    for plan in (got.first_come, got.best_pair_first, got.stable):
        assert plan.value <= got.optimum.value
        assert plan.objective == plan.chosen["points"].sum()
    shuffled = compare(made.pairs[::-1], made.capacity[::-1], priority=made.priority[::-1])
    assert shuffled.table.equals(got.table)


def test_first_come_takes_the_only_place_that_suited_another() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "a", "b"], "unit_id": ["x", "y", "x"], "points": [9, 8, 5]})
    capacity = pl.DataFrame({"unit_id": ["x", "y"], "places": [1, 1]})
    got = compare(pairs, capacity)
    assert got.table.rows() == [
        ("first_come", 0, 1, 9, 0, 0.0),
        ("best_pair_first", 0, 1, 9, 0, 0.0),
        ("stable", 0, 1, 9, 0, 0.0),
        ("optimum", 0, 2, 13, 1, 100.0),
    ]
    waiting = pl.DataFrame({"need_id": ["a", "b"], "since": [2, 1]})
    assert compare(pairs, capacity, waiting=waiting).first_come.placed == 2
    nothing = compare(pairs.clear(), capacity)
    assert nothing.table["placed_more_pct"].null_count() == 4
