"""The allocation equals brute force and independent solvers, keeps every rule, and does not care in which order the rows come."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.graph.python import min_cost_flow
from polars.testing import assert_frame_equal
from scipy.optimize import linear_sum_assignment

from samplads.errors import SampladsError
from samplads.matching import assignment
from samplads.matching.allocation import Allocation, allocate
from samplads.matching.assignment import Network
from samplads.matching.check import check
from samplads.matching.comparison import compare
from tests import reference_allocation as reference
from tests.strategies_allocation import Made, problems

MODEST = settings(deadline=None, max_examples=60)


def proven(allocation: Allocation) -> bool:
    return (
        allocation.status == "optimal"
        and allocation.gap == 0
        and allocation.bound == allocation.objective
        and allocation.placed_bound == allocation.placed_by_tier
    )


def sparse(seed: int, needs: int, units: int, degree: int, places: int, top: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """A random sparse problem: pairs, capacity, priority of two tiers."""
    rng = np.random.default_rng(seed)
    key = np.unique(np.repeat(np.arange(needs), degree) * units + rng.integers(0, units, needs * degree))
    pairs = pl.DataFrame(
        {
            "need_id": [f"N{one:04}" for one in key // units],
            "unit_id": [f"U{one:04}" for one in key % units],
            "points": rng.integers(0, top, len(key)),
        }
    )
    capacity = pl.DataFrame({"unit_id": [f"U{one:04}" for one in range(units)], "places": rng.multinomial(places, np.ones(units) / units)})
    priority = pl.DataFrame({"need_id": [f"N{one:04}" for one in range(needs)], "tier": (rng.random(needs) > 0.2).astype(int)})
    return pairs, capacity, priority


def by_flow(pairs: pl.DataFrame, capacity: pl.DataFrame, priority: pl.DataFrame) -> tuple[int, int, int]:
    """(urgent placed, placed, points) by OR-tools' network simplex-free cost scaling: independent of everything here."""
    table = pairs.join(capacity, on="unit_id").join(priority, on="need_id").filter(pl.col("places") > 0)
    needs, units = sorted(table["need_id"].unique()), sorted(table["unit_id"].unique())
    place = {name: number for number, name in enumerate([*needs, *units])}
    source, sink = len(place), len(place) + 1
    base = 4 * (len(needs) + 2) * (int(table["points"].max() or 0) + 1)  # type: ignore[call-overload]
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = [flow.add_arc_with_capacity_and_unit_cost(place[need], place[unit], 1, -points) for need, unit, points, *_ in table.iter_rows()]
    urgent = dict(table.select("need_id", "tier").iter_rows())
    entries = {need: flow.add_arc_with_capacity_and_unit_cost(source, place[need], 1, -base * (2 - urgent[need])) for need in needs}
    for unit, places in table.select("unit_id", "places").unique().iter_rows():
        flow.add_arc_with_capacity_and_unit_cost(place[unit], sink, places, 0)
    flow.add_arc_with_capacity_and_unit_cost(source, sink, len(needs), 0)
    flow.set_node_supply(source, len(needs))
    flow.set_node_supply(sink, -len(needs))
    assert flow.solve() == flow.OPTIMAL
    points = sum(value for arc, value in zip(arcs, table["points"].to_list(), strict=True) if flow.flow(arc))
    placed = [need for need, arc in entries.items() if flow.flow(arc)]
    return sum(urgent[need] == 0 for need in placed), len(placed), points


@MODEST
@given(problems())
def test_equals_brute_force(made: Made) -> None:
    plain = allocate(made.pairs, made.capacity)
    assert plain.value == reference.best(made.points, made.places)
    tiered = allocate(made.pairs, made.capacity, priority=made.priority)
    assert tiered.value == reference.best(made.points, made.places, made.tier)
    for allocation in (plain, tiered):
        assert proven(allocation)
        assert check(allocation, made.pairs, made.capacity).right


@MODEST
@given(problems(), st.sampled_from([0.0, 0.1, 0.25, 1.0]))
def test_options_equal_brute_force(made: Made, within: float) -> None:
    held = allocate(made.pairs, made.capacity, priority=made.priority, holds=made.held)
    assert held.value == reference.best(made.points, made.places, made.tier, holds=made.holds)
    assert check(held, made.pairs, made.capacity, holds=made.held).right

    fair = allocate(made.pairs, made.capacity, priority=made.priority, group=made.group, fairness=within)
    expected = reference.best(made.points, made.places, made.tier, side=made.side, within=Fraction(str(within)))
    assert fair.shares is not None
    assert (*fair.placed_by_tier, -fair.shares["lacking"].sum(), fair.objective) == expected
    assert check(fair, made.pairs, made.capacity).right

    apart = allocate(made.pairs, made.capacity, priority=made.priority, incompatible=made.incompatible)
    assert apart.value == reference.best(made.points, made.places, made.tier, apart=made.apart)
    assert check(apart, made.pairs, made.capacity, incompatible=made.incompatible).right

    both = allocate(made.pairs, made.capacity, priority=made.priority, incompatible=made.incompatible, group=made.group, fairness=within)
    expected = reference.best(made.points, made.places, made.tier, apart=made.apart, side=made.side, within=Fraction(str(within)))
    assert both.shares is not None
    assert (*both.placed_by_tier, -both.shares["lacking"].sum(), both.objective) == expected
    assert all(proven(one) for one in (held, fair, apart, both))


@settings(deadline=None, max_examples=25)
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(made: Made, random: object) -> None:
    seed = random.randrange(10**6)  # type: ignore[attr-defined]
    since = pl.DataFrame({"need_id": list(made.tier), "since": [len(need) * seed % 3 for need in made.tier]})
    dated = pl.DataFrame(
        [(unit, month, max(0, places)) for unit, places in made.places.items() for month in (0, 2)],
        schema={"unit_id": pl.String, "opens": pl.Int64, "places": pl.Int64},
        orient="row",
    )
    wanted = pl.DataFrame({"need_id": list(made.tier), "wanted_from": list(made.tier.values())})

    def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.sample(fraction=1, shuffle=True, seed=seed) if frame.height else frame

    for options in (
        {},
        {"incompatible": made.incompatible},
        {"group": made.group, "fairness": 0.1},
        {"holds": made.held},
        {"waiting": since},
        {"capacity": dated, "wanted": wanted, "waiting_points": 2, "longest_wait": 2, "waiting": since},
    ):
        capacity = options.pop("capacity", made.capacity)
        one = allocate(made.pairs, capacity, priority=made.priority, **options)
        other = allocate(
            shuffled(made.pairs),
            shuffled(capacity),
            priority=shuffled(made.priority),
            **{name: shuffled(value) if isinstance(value, pl.DataFrame) else value for name, value in options.items()},
        )
        assert_frame_equal(one.chosen, other.chosen)
        assert one.digest == other.digest


@pytest.mark.parametrize(("places", "top"), [(700, 1000), (700, 3), (250, 1000), (250, 2), (4000, 50), (300, 1)])
def test_equals_an_independent_solver_on_sparse_cases(places: int, top: int) -> None:
    for seed in range(3):
        pairs, capacity, priority = sparse(seed, 400, 90, 7, places, top)
        allocation = allocate(pairs, capacity, priority=priority)
        assert allocation.value == by_flow(pairs, capacity, priority)
        assert proven(allocation)
        assert check(allocation, pairs, capacity).right
        again = allocate(pairs.sample(fraction=1, shuffle=True, seed=seed), capacity[::-1], priority=priority[::-1])
        assert_frame_equal(allocation.chosen, again.chosen)


@pytest.mark.parametrize(("needs", "units"), [(60, 60), (40, 70), (80, 30)])
def test_equals_linear_sum_assignment_on_dense_cases(needs: int, units: int) -> None:
    points = np.random.default_rng(needs).integers(-500, 500, (needs, units))
    number = np.arange(needs * units)
    pairs = pl.DataFrame({"need_id": number // units, "unit_id": number % units, "points": points.ravel()})
    allocation = allocate(pairs, pl.DataFrame({"unit_id": range(units), "places": [1] * units}))
    rows, columns = linear_sum_assignment(points, maximize=True)
    assert allocation.objective == points[rows, columns].sum()
    assert allocation.placed == min(needs, units)
    assert allocation.chosen.schema == {"need_id": pl.Int64, "unit_id": pl.Int64, "points": pl.Int64}


def test_large_units_grow_the_choice_of_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, capacity, priority = sparse(5, 300, 12, 8, 280, 400)
    whole = allocate(pairs, capacity, priority=priority)
    monkeypatch.setattr(assignment, "_SEAT_EDGES", 50)
    grown = allocate(pairs, capacity, priority=priority)
    monkeypatch.setattr(assignment, "_SEAT_EDGES_LP", 50)
    programme = allocate(pairs, capacity, priority=priority)
    assert whole.value == grown.value == programme.value == by_flow(pairs, capacity, priority)
    assert proven(grown)
    assert proven(programme)


@MODEST
@given(problems(), st.permutations(range(6)))
def test_ties_go_to_those_who_have_waited_longest(made: Made, order: list[int]) -> None:
    since = {need: order[int(need[1:])] for need in made.needs}
    waiting = pl.DataFrame({"need_id": list(since), "since": list(since.values())})
    tiers = sorted(set(made.tier.values()))
    got = allocate(made.pairs, made.capacity, priority=made.priority, waiting=waiting)
    everything = [
        plan
        for plan in reference.plans(made.points, made.places, {}, set())
        if (*reference.counts(plan, made.tier, tiers), sum(made.points[pair] for pair in plan.items())) == got.value
    ]
    first = min(sorted(since[need] for need in plan) for plan in everything)
    assert sorted(since[need] for need in got.chosen["need_id"]) == first


def test_like_units_go_by_id() -> None:
    pairs = pl.DataFrame([(need, unit, 5) for need in "ab" for unit in "xyz"], schema=["need_id", "unit_id", "points"], orient="row")
    got = allocate(pairs, pl.DataFrame({"unit_id": ["z", "y", "x"], "places": [1, 1, 1]}))
    assert got.chosen["unit_id"].sort().to_list() == ["x", "y"]


def test_urgent_comes_before_number_of_points_and_a_placement_before_any_points() -> None:
    pairs = pl.DataFrame(
        {"need_id": ["acute", "normal", "other"], "unit_id": ["u", "u", "v"], "points": [-1_000_000_000, 1_000_000_000, -1_000_000_000]}
    )
    got = allocate(
        pairs, pl.DataFrame({"unit_id": ["u", "v"], "places": [1, 1]}), priority=pl.DataFrame({"need_id": ["acute"], "tier": [0]})
    )
    assert got.chosen["need_id"].to_list() == ["acute", "other"]
    assert (got.placed_by_tier, got.urgent, got.placed, got.objective) == ((1, 2), 1, 2, -2_000_000_000)
    assert got.tiers == (0, None)
    assert got.unplaced.rows() == [("normal", None)]


def test_points_near_the_limit_of_float_are_exact_and_beyond_it_refused() -> None:
    def points(scale: int) -> pl.DataFrame:
        return pl.DataFrame({"need_id": ["a", "a", "b", "b"], "unit_id": ["x", "y", "x", "y"], "points": [scale, 1, scale - 1, 0]})

    capacity = pl.DataFrame({"unit_id": ["x", "y"], "places": [1, 1]})
    assert allocate(points(2**44), capacity).objective == 2**44
    with pytest.raises(SampladsError, match="allocation_points_too_large"):
        allocate(points(2**60), capacity)
    with pytest.raises(SampladsError, match="allocation_points_too_large"):
        allocate(pl.DataFrame({"need_id": ["a"], "unit_id": ["x"], "points": [2**63]}), capacity)
    # Far from 0 is no harm, as long as the points lie near each other.
    near = points(3).with_columns(pl.col("points") + 2**58)
    assert allocate(near, capacity).objective == 2**59 + 3


def test_odd_frames_have_a_meaning() -> None:
    nothing = pl.DataFrame({"need_id": [], "unit_id": [], "points": []})
    capacity = pl.DataFrame({"unit_id": ["x"], "places": [2]})
    empty = allocate(nothing, capacity)
    assert (empty.placed, empty.objective, empty.gap, empty.chosen.height) == (0, 0, 0.0, 0)
    assert empty.chosen.columns == ["need_id", "unit_id", "points"]
    assert allocate(nothing, pl.DataFrame({"unit_id": [], "places": []})).status == "optimal"
    pairs = pl.DataFrame({"need_id": ["a", "a", "b", "c"], "unit_id": ["x", "x", "y", "z"], "points": [1, 1, 2, 3]})
    got = allocate(pairs, pl.DataFrame({"unit_id": ["x", "y", "q"], "places": [1, -4, 3]}))
    assert got.chosen.rows() == [("a", "x", 1)]
    assert got.unplaced["need_id"].to_list() == ["b", "c"]
    assert allocate(pairs, pl.DataFrame({"unit_id": [], "places": []})).placed == 0
    kinds = pairs.with_columns(pl.col("need_id").cast(pl.Categorical), pl.col("points").cast(pl.Float64))
    same = allocate(kinds, pl.DataFrame({"unit_id": ["x"], "places": [1]}))
    assert same.chosen["need_id"].dtype == pl.Categorical
    assert same.chosen["points"].to_list() == [1]


CAPACITY = pl.DataFrame({"unit_id": ["x"], "places": [1]})
PAIRS = pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"], "points": [1, 2]})
WANTED = pl.DataFrame({"need_id": ["a"], "wanted_from": [0]})


@pytest.mark.parametrize(
    ("key", "arguments"),
    [
        ("columns_missing", {"pairs": PAIRS.drop("points")}),
        ("value_missing", {"pairs": PAIRS.with_columns(points=pl.lit(None, dtype=pl.Int64))}),
        ("not_whole", {"pairs": PAIRS.with_columns(points=pl.lit(0.5))}),
        ("not_whole", {"pairs": PAIRS.with_columns(points=pl.lit(float("nan")))}),
        ("not_whole", {"pairs": PAIRS.with_columns(points=pl.lit("1"))}),
        ("ids_differ", {"capacity": pl.DataFrame({"unit_id": [1], "places": [1]})}),
        ("ids_differ", {"pairs": PAIRS.with_columns(need_id=pl.lit(1.5))}),
        ("pair_twice", {"pairs": pl.concat([PAIRS, PAIRS.with_columns(pl.col("points") + 1)])}),
        ("unit_twice", {"capacity": pl.concat([CAPACITY, CAPACITY])}),
        ("need_twice", {"priority": pl.DataFrame({"need_id": ["a", "a"], "tier": [0, 1]})}),
        ("fairness_out_of_range", {"fairness": 1.5}),
        ("group_missing_for_fairness", {"fairness": 0.1}),
        ("group_missing", {"fairness": 0.1, "group": pl.DataFrame({"need_id": ["a"], "municipality": ["M"]})}),
        ("hold_without_pair", {"holds": pl.DataFrame({"need_id": ["a"], "unit_id": ["y"]})}),
        ("hold_without_pair", {"holds": pl.DataFrame({"need_id": ["q"], "unit_id": ["x"]})}),
        ("hold_over_places", {"holds": pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"]})}),
        ("incompatible_with_itself", {"incompatible": pl.DataFrame({"need_a": ["a"], "need_b": ["a"]})}),
        ("wanted_missing", {"capacity": CAPACITY.with_columns(opens=pl.lit(1))}),
        ("opens_missing", {"wanted": WANTED}),
    ],
)
def test_what_cannot_be_read_is_a_sentence(key: str, arguments: dict[str, object]) -> None:
    with pytest.raises(SampladsError) as caught:
        allocate(**{"pairs": PAIRS, "capacity": CAPACITY, **arguments})  # type: ignore[arg-type]
    assert caught.value.key == f"allocation_{key}"


def test_places_that_open_later_are_waited_for_at_a_price() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "b", "c"], "unit_id": ["x"] * 3, "points": [100, 90, 80]})
    day = dt.date
    capacity = pl.DataFrame({"unit_id": ["x"] * 3, "opens": [day(2026, 11, 22), day(2027, 1, 9), day(2027, 9, 1)], "places": [1, 1, 1]})
    wanted = pl.DataFrame({"need_id": ["a", "b", "c"], "wanted_from": [day(2027, 1, 31), day(2026, 11, 1), day(2026, 12, 1)]})
    got = allocate(pairs, capacity, wanted=wanted, waiting_points=10, longest_wait=6)
    # c cannot wait from December to September; a wants January only and leaves November to who waits already.
    assert got.chosen.rows() == [("a", "x", 100, day(2027, 1, 1), 0), ("b", "x", 90, day(2026, 11, 1), 0)]
    patient = allocate(pairs, capacity, wanted=wanted, waiting_points=10)
    # Somebody takes September: c, who waits nine months, or a, who waits eight while c waits one for January.
    assert patient.placed == 3
    assert patient.objective == 270 - 80 - 10
    assert check(patient, pairs, capacity, waiting_points=10).right
    months = capacity.with_columns(opens=pl.Series([0, 2, 10]))
    numbered = allocate(pairs, months, wanted=wanted.with_columns(wanted_from=pl.Series([2, 0, 1])), waiting_points=10)
    assert numbered.chosen["months_waited"].sum() == patient.chosen["months_waited"].sum() == 9
    assert sorted(numbered.chosen["opens"]) == [0, 2, 10]


LATER: dict[str, Any] = {
    "pairs": pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"], "points": [50, 50]}),
    "capacity": pl.DataFrame({"unit_id": ["x", "x"], "opens": [1, 4], "places": [1, 1]}),
    "wanted": pl.DataFrame({"need_id": ["a", "b"], "wanted_from": [4, 1]}),
    "waiting_points": 5,
}
BOTH = pl.DataFrame({"need_id": ["a", "b"], "unit_id": ["x", "x"]})


def test_a_hold_names_the_unit_and_the_plan_finds_the_month() -> None:
    free = allocate(**LATER, longest_wait=2)
    assert free.chosen.select("need_id", "opens", "months_waited").rows() == [("a", 4, 0), ("b", 1, 0)]
    for holds in (BOTH, BOTH[:1], BOTH[1:]):
        assert allocate(**LATER, longest_wait=2, holds=holds).chosen.equals(free.chosen)


def test_what_is_promised_is_waited_for_however_long() -> None:
    late = LATER | {"wanted": pl.DataFrame({"need_id": ["a", "b"], "wanted_from": [1, 1]}), "longest_wait": 2}
    assert allocate(**late).placed == 1
    both = allocate(**late, holds=BOTH)
    assert both.chosen["months_waited"].sum() == 3
    assert check(both, late["pairs"], late["capacity"], holds=BOTH, waiting_points=5).right
    # One alone takes the place that it need not wait too long for.
    assert allocate(**late, holds=BOTH[1:]).chosen.rows() == [("b", "x", 50, 1, 0)]
    # Every place of the unit is too late: the promise stands all the same.
    only = late | {"capacity": pl.DataFrame({"unit_id": ["x"], "opens": [9], "places": [1]})}
    assert allocate(**only, holds=BOTH[:1]).chosen.rows() == [("a", "x", 10, 9, 8)]
    assert compare(**only, holds=BOTH[:1]).table["placed"].to_list() == [1] * 4


@pytest.mark.parametrize("seed", range(12))
def test_dated_holds_are_those_of_the_best_plan_that_keeps_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs, _, priority = sparse(seed, 14, 4, 3, 5, 20)
    units = pairs["unit_id"].unique().sort()
    rows = [(unit, month, int(rng.integers(0, 3))) for unit in units for month in (0, 3, 5)]
    capacity = pl.DataFrame(rows, schema=["unit_id", "opens", "places"], orient="row")
    needs = pairs["need_id"].unique().sort()
    wanted = pl.DataFrame({"need_id": needs, "wanted_from": rng.integers(0, 6, needs.len())})
    group = pl.DataFrame({"need_id": needs, "municipality": rng.choice(["A", "B"], needs.len())})
    dated = {"wanted": wanted, "waiting_points": 4}
    room = capacity.group_by("unit_id").agg(pl.col("places").sum()).filter(pl.col("places") > 1)
    holds = pairs.join(room, on="unit_id", how="semi").unique("need_id", keep="first", maintain_order=True)
    holds = holds.unique("unit_id", keep="first", maintain_order=True).select("need_id", "unit_id")
    fair = {"group": group, "fairness": 0.1} if seed % 2 else {}
    got = allocate(pairs, capacity, priority=priority, holds=holds, **dated, **fair)  # type: ignore[arg-type]
    # The same asked in other words: who holds a unit has that one only, and comes before everybody.
    elsewhere = pairs.join(holds, on="need_id", how="semi").join(holds, on=["need_id", "unit_id"], how="anti")
    first = pl.concat([holds.select("need_id", tier=pl.lit(-1, dtype=pl.Int64)), priority.join(holds, on="need_id", how="anti")])
    same = allocate(pairs.join(elsewhere, on=["need_id", "unit_id"], how="anti"), capacity, priority=first, **dated, **fair)  # type: ignore[arg-type]
    assert holds.height > 1
    assert (got.placed, got.objective) == (same.placed, same.objective)
    assert check(got, pairs, capacity, holds=holds, waiting_points=4).right


def test_two_who_must_not_live_together_cannot_both_be_promised_a_place() -> None:
    foes = pl.DataFrame({"need_a": ["a"], "need_b": ["b"]})
    for told in (LATER, {"pairs": LATER["pairs"], "capacity": pl.DataFrame({"unit_id": ["x"], "places": [2]})}):
        with pytest.raises(SampladsError, match="allocation_holds_incompatible"):
            allocate(**told, holds=BOTH, incompatible=foes)  # type: ignore[arg-type]


def test_the_digest_knows_months_and_the_node_limit() -> None:
    one = allocate(**LATER)
    year = {"capacity": pl.col("opens") + 12, "wanted": pl.col("wanted_from") + 12}
    moved = {name: LATER[name].with_columns(shift) for name, shift in year.items()}
    later = allocate(**(LATER | moved))
    assert not one.chosen.equals(later.chosen)
    assert len({one.digest, later.digest, allocate(**LATER, node_limit=7).digest}) == 3
    assert one.digest == allocate(**LATER).digest


def test_months_equal_one_unit_for_each_month() -> None:
    rng = np.random.default_rng(3)
    pairs, _, _ = sparse(3, 60, 12, 4, 30, 50)
    units = [f"U{one:04}" for one in range(12)]
    capacity = pl.DataFrame(
        [(unit, month, int(rng.integers(0, 3))) for unit in units for month in (0, 3, 5)],
        schema=["unit_id", "opens", "places"],
        orient="row",
    )
    names = pairs["need_id"].unique().sort()
    wanted = pl.DataFrame({"need_id": names, "wanted_from": rng.integers(0, 6, names.len())})
    got = allocate(pairs, capacity, wanted=wanted, waiting_points=4, longest_wait=4)
    apart = (
        pairs.join(capacity, on="unit_id").join(wanted, on="need_id").with_columns(wait=(pl.col("opens") - pl.col("wanted_from")).clip(0))
    )
    apart = apart.filter(pl.col("wait") <= 4).select(
        "need_id", unit_id=pl.col("unit_id") + "/" + pl.col("opens").cast(pl.String), points=pl.col("points") - 4 * pl.col("wait")
    )
    same = allocate(apart, capacity.select(unit_id=pl.col("unit_id") + "/" + pl.col("opens").cast(pl.String), places="places"))
    assert got.value == same.value
    assert check(got, pairs, capacity, waiting_points=4).right


def test_incompatible_residents_on_a_larger_case_equal_an_integer_programme() -> None:
    from scipy.optimize import Bounds, LinearConstraint, milp

    pairs, capacity, _ = sparse(11, 60, 14, 5, 48, 20)
    rng = np.random.default_rng(11)
    names = pairs["need_id"].unique().sort().to_list()
    foes = [couple for couple in combinations(names, 2) if rng.random() < 0.15]
    frame = pl.DataFrame(foes, schema=["need_a", "need_b"], orient="row")
    got = allocate(pairs, capacity, incompatible=frame)
    rows, limits = [], []
    need, unit = pairs["need_id"].to_numpy(), pairs["unit_id"].to_numpy()
    for name in names:
        rows.append(need == name)
        limits.append(1)
    for name, places in capacity.iter_rows():
        rows.append(unit == name)
        limits.append(places)
    for one, other in foes:
        for name in set(unit[need == one]) & set(unit[need == other]):
            rows.append(np.isin(need, [one, other]) & (unit == name))
            limits.append(1)
    points = pairs["points"].to_numpy()
    answer = milp(
        -(points + 100_000.0),
        integrality=np.ones(len(points)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(np.array(rows, dtype=float), -np.inf, np.array(limits, dtype=float))],
        options={"mip_rel_gap": 0.0},
    )
    placed = round(answer.x.sum())
    assert got.value == (placed, round(-answer.fun) - 100_000 * placed)
    assert proven(got)
    assert check(got, pairs, capacity, incompatible=frame).right


def test_a_search_that_is_cut_short_says_so() -> None:
    pairs, capacity, priority = sparse(2, 40, 7, 4, 30, 3)
    names = pairs["need_id"].unique().sort().to_list()
    rng = np.random.default_rng(2)
    foes = pl.DataFrame([couple for couple in combinations(names, 2) if rng.random() < 0.5], schema=["need_a", "need_b"], orient="row")
    got = allocate(pairs, capacity, priority=priority, incompatible=foes, node_limit=1)
    assert check(got, pairs, capacity, incompatible=foes).right
    assert (*got.placed_bound, got.bound) >= got.value
    assert (got.status == "limit") == (got.gap > 0)
    assert got.status == "limit"


def test_holds_stand_beside_those_they_do_not_get_along_with() -> None:
    pairs = pl.DataFrame({"need_id": ["a", "b", "b"], "unit_id": ["x", "x", "y"], "points": [1, 9, 2]})
    capacity = pl.DataFrame({"unit_id": ["x", "y"], "places": [2, 1]})
    got = allocate(
        pairs,
        capacity,
        holds=pl.DataFrame({"need_id": ["a"], "unit_id": ["x"]}),
        incompatible=pl.DataFrame({"need_a": ["b"], "need_b": ["a"]}),
    )
    assert got.chosen.rows() == [("a", "x", 1), ("b", "y", 2)]


def test_fairness_lifts_the_municipality_that_lies_below() -> None:
    # One place for each of four needs in all; B's needs have fewer points and would get none.
    needs = ["a1", "a2", "b1", "b2"]
    pairs = pl.DataFrame({"need_id": needs, "unit_id": ["x"] * 4, "points": [9, 9, 1, 2]})
    group = pl.DataFrame({"need_id": needs, "municipality": ["A", "A", "B", "B"]})
    capacity = pl.DataFrame({"unit_id": ["x"], "places": [2]})
    assert allocate(pairs, capacity).chosen["need_id"].to_list() == ["a1", "a2"]
    fair = allocate(pairs, capacity, group=group, fairness=0.2)
    assert fair.chosen["need_id"].to_list() == ["a1", "b2"]
    assert fair.shares is not None
    assert fair.shares.rows() == [("A", 2, 1, 0.5, 1, 0), ("B", 2, 1, 0.5, 1, 0)]
    assert fair.placed == 2


def test_who_has_waited_longest_never_costs_a_municipality_its_floor() -> None:
    needs = ["n0", "n1", "n2"]
    pairs = pl.DataFrame({"need_id": needs, "unit_id": ["x"] * 3, "points": [0] * 3})
    got = allocate(
        pairs,
        pl.DataFrame({"unit_id": ["x"], "places": [2]}),
        group=pl.DataFrame({"need_id": needs, "municipality": ["A", "B", "A"]}),
        fairness=0.3,
        waiting=pl.DataFrame({"need_id": needs, "since": [2, 2, 0]}),
    )
    assert got.shares is not None
    assert got.shares["lacking"].sum() == 0
    # Within the floors it still decides: n2 has waited longer than n0.
    assert got.chosen["need_id"].to_list() == ["n1", "n2"]


@MODEST
@given(problems(), st.permutations(range(6)), st.sampled_from([0.0, 0.2]))
def test_waiting_changes_no_aim_of_a_fair_plan(made: Made, order: list[int], within: float) -> None:
    waiting = pl.DataFrame({"need_id": [f"N{number}" for number in range(6)], "since": order})
    for incompatible in (None, made.incompatible):
        options = {"priority": made.priority, "group": made.group, "fairness": within, "incompatible": incompatible}
        one = allocate(made.pairs, made.capacity, **options)  # type: ignore[arg-type]
        other = allocate(made.pairs, made.capacity, waiting=waiting, **options)  # type: ignore[arg-type]
        assert one.value == other.value
        assert one.shares is not None
        assert other.shares is not None
        assert one.shares["lacking"].sum() == other.shares["lacking"].sum()


def test_floors_are_measured_against_what_can_be_had() -> None:
    # Three of A who must not live together and fit one unit only: nobody can place more than three of the five.
    needs = ["a1", "a2", "a3", "b1", "b2"]
    got = allocate(
        pl.DataFrame({"need_id": needs, "unit_id": ["x", "x", "x", "y", "y"], "points": [5] * 5}),
        pl.DataFrame({"unit_id": ["x", "y"], "places": [3, 2]}),
        group=pl.DataFrame({"need_id": needs, "municipality": ["A", "A", "A", "B", "B"]}),
        fairness=0.3,
        incompatible=pl.DataFrame({"need_a": ["a1", "a1", "a2"], "need_b": ["a2", "a3", "a3"]}),
    )
    assert got.shares is not None
    assert got.shares.select("municipality", "placed", "floor", "lacking").rows() == [("A", 1, 1, 0), ("B", 2, 1, 0)]


def test_progress_is_told_and_can_cancel() -> None:
    told: list[tuple[str, float]] = []
    allocate(PAIRS, CAPACITY, progress=lambda step, share: told.append((step, share)))
    assert told[0] == ("read", 0.0)
    assert told[-1] == ("done", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)

    class StoppedError(Exception):
        pass

    def stop(step: str, share: float) -> None:
        if step == "solve":
            raise StoppedError

    with pytest.raises(StoppedError):
        allocate(PAIRS, CAPACITY, progress=stop)


def test_an_unproven_assignment_is_not_handed_out() -> None:
    network = Network.of(
        2, np.array([1]), np.array([0, 1], dtype=np.int64), np.array([0, 0], dtype=np.int64), np.array([5, 9], dtype=np.int64)
    )
    with pytest.raises(ArithmeticError):
        assignment.prove(network, np.array([0, -1]), np.array([5]))
    with pytest.raises(ArithmeticError):
        assignment.least_prices(
            Network.of(2, np.array([1, 1]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([1, 5, 5, 1])), np.array([0, 3])
        )


def test_the_check_finds_what_is_wrong() -> None:
    from dataclasses import replace

    good = allocate(PAIRS, CAPACITY)
    assert check(good, PAIRS, CAPACITY).right
    row = good.chosen

    def found(chosen: pl.DataFrame, **options: object) -> set[str]:
        return set(check(replace(good, chosen=chosen), PAIRS, CAPACITY, **options).faults)  # type: ignore[arg-type]

    assert "not_eligible" in found(row.with_columns(unit_id=pl.lit("y")))
    assert found(row.with_columns(points=pl.lit(3))) == {"points_differ", "objective_differs"}
    both = PAIRS.with_columns(pl.col("points").cast(pl.Int64))
    assert found(both) == {"over_places", "objective_differs", "counts_differ"}
    assert "placed_twice" in found(pl.concat([row, row]))
    assert "together" in found(both, incompatible=pl.DataFrame({"need_a": ["a"], "need_b": ["b"]}))
    assert "hold_broken" in found(row, holds=pl.DataFrame({"need_id": ["a"], "unit_id": ["x"]}))
    assert check(replace(good, bound=1), PAIRS, CAPACITY).faults == ("above_bound",)
