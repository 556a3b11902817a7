"""The best couplings: against all possibilities, against an independent library, and the same answer for the same question in any order."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from samplads.errors import SampladsError
from samplads.nightcover import coupling
from samplads.nightcover.coupling import best_partners, cliques, group_up, pair_up
from tests import reference_nightcover as reference

PAIRS = list(itertools.combinations("abcdefghi", 2))
edge_sets = st.dictionaries(st.sampled_from(PAIRS), st.integers(-5, 40), max_size=20)
GROUPS = [frozenset(units) for size in (1, 2, 3, 4) for units in itertools.combinations("abcdefghi", size)]
group_sets = st.dictionaries(st.sampled_from(GROUPS), st.integers(-5, 40), max_size=14)


def edge_frame(edges: dict[tuple[str, str], int]) -> pl.DataFrame:
    rows = [(a, b, saving) for (a, b), saving in edges.items()]
    return pl.DataFrame(rows, schema={"unit_a": pl.String, "unit_b": pl.String, "saving_ore": pl.Int64}, orient="row")


def group_frame(groups: dict[frozenset[str], int]) -> pl.DataFrame:
    rows = [(number, unit, saving) for number, (units, saving) in enumerate(groups.items()) for unit in sorted(units)]
    return pl.DataFrame(rows, schema={"group_id": pl.Int64, "unit_id": pl.String, "saving_ore": pl.Int64}, orient="row")


@settings(deadline=None, max_examples=80)
@given(edge_sets)
def test_pairs_equal_all_possibilities(edges: dict[tuple[str, str], int]) -> None:
    plan = pair_up(edge_frame(edges))
    assert plan.objective_ore == plan.bound_ore == reference.best_packing([(frozenset(pair), s) for pair, s in edges.items()])
    assert plan.chosen["saving_ore"].sum() == plan.objective_ore
    assert (plan.chosen["saving_ore"] > 0).all()
    units = plan.chosen["unit_a"].to_list() + plan.chosen["unit_b"].to_list()
    assert len(units) == len(set(units))
    assert plan.status == ("optimal" if units else "empty")


@settings(deadline=None, max_examples=80)
@given(group_sets)
def test_groups_equal_all_possibilities(groups: dict[frozenset[str], int]) -> None:
    plan = group_up(group_frame(groups))
    assert plan.objective_ore == plan.bound_ore == reference.best_packing(list(groups.items()))
    assert plan.chosen["unit_id"].is_unique().all()
    assert plan.chosen.unique("group_id")["saving_ore"].sum() == plan.objective_ore


@pytest.mark.parametrize("seed", range(4))
def test_pairs_equal_another_library_on_two_hundred_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = nx.gnm_random_graph(200, 900, seed=seed)
    edges = {(f"u{a:03}", f"u{b:03}"): int(rng.integers(1, 10**9)) for a, b in graph.edges}
    for (a, b), saving in edges.items():
        graph.add_edge(a, b, weight=saving)
    named = nx.Graph()
    named.add_weighted_edges_from((a, b, saving) for (a, b), saving in edges.items())
    best = sum(edges[(min(a, b), max(a, b))] for a, b in nx.max_weight_matching(named))
    assert pair_up(edge_frame(edges)).objective_ore == best


def random_groups(units: int, count: int, seed: int, spread: int = 10**7) -> dict[frozenset[str], int]:
    rng = np.random.default_rng(seed)
    groups: dict[frozenset[str], int] = {}
    for _ in range(count):
        size = int(rng.integers(2, 5))
        first = int(rng.integers(units))
        members = {f"u{(first + int(step)) % units:03}" for step in rng.integers(0, 9, size)}
        if len(members) > 1:
            groups[frozenset(members)] = int(rng.integers(1, spread)) * len(members)
    return groups


def by_cp_sat(groups: dict[frozenset[str], int]) -> int:
    model = cp_model.CpModel()
    chosen = {units: model.new_bool_var("") for units in groups}
    for unit in sorted(set().union(*groups)):
        model.add_at_most_one(chosen[units] for units in groups if unit in units)
    model.maximize(sum(groups[units] * chosen[units] for units in groups))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


@pytest.mark.parametrize("seed", range(2))
def test_groups_equal_another_solver(seed: int) -> None:
    groups = random_groups(60, 500, seed)
    plan = group_up(group_frame(groups))
    assert plan.status == "optimal"
    assert plan.objective_ore == plan.bound_ore == by_cp_sat(groups)


def test_a_core_too_small_gives_a_bound_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupling, "FIRST_CORE", 20)
    groups = random_groups(60, 500, 9)
    small = group_up(group_frame(groups), largest_core=20)
    best = by_cp_sat(groups)
    assert small.objective_ore <= best <= small.bound_ore
    assert small.status in {"feasible", "optimal"}
    assert small.gap_pct >= 0
    grown = group_up(group_frame(groups))
    assert grown.objective_ore == best
    assert grown.status == "optimal"


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from(PAIRS), st.integers(1, 2), min_size=3, max_size=20), st.randoms(use_true_random=False))
def test_equal_optima_and_row_order_do_not_matter(edges: dict[tuple[str, str], int], random: object) -> None:
    rows = list(edge_frame(edges).iter_rows())
    first = pair_up(edge_frame(edges)).chosen
    random.shuffle(rows)  # type: ignore[attr-defined]
    turned = [(b, a, s) if random.random() < 0.5 else (a, b, s) for a, b, s in rows]  # type: ignore[attr-defined]
    again = pair_up(pl.DataFrame(turned, schema=["unit_a", "unit_b", "saving_ore"], orient="row")).chosen
    assert first.equals(again)
    grouped = {frozenset(pair): s for pair, s in edges.items()} | {frozenset("abc"): 2, frozenset("def"): 3}
    frame = group_frame(grouped)
    assert group_up(frame).chosen.equals(group_up(frame.sample(fraction=1.0, shuffle=True, seed=5)).chosen)


def test_equal_optima_of_a_large_component_do_not_depend_on_row_order() -> None:
    frame = group_frame(dict.fromkeys(random_groups(40, 300, 3), 7))
    first = group_up(frame)
    for seed in range(3):
        assert group_up(frame.sample(fraction=1.0, shuffle=True, seed=seed)).chosen.equals(first.chosen)


def test_pairs_alone_are_grouped_as_they_are_paired() -> None:
    rng = np.random.default_rng(1)
    edges = {(f"u{a:02}", f"u{b:02}"): int(rng.integers(1, 4)) for a, b in nx.gnm_random_graph(30, 90, seed=1).edges}
    paired, grouped = pair_up(edge_frame(edges)), group_up(group_frame({frozenset(pair): s for pair, s in edges.items()}))
    as_groups = grouped.chosen.group_by("group_id").agg(pl.col("unit_id").sort())["unit_id"].to_list()
    assert sorted(map(tuple, as_groups)) == [(a, b) for a, b, _ in paired.chosen.iter_rows()]


def test_demands_hold_and_cost_what_they_cost() -> None:
    edges = {("a", "b"): 10, ("b", "c"): 12, ("c", "d"): 10, ("a", "d"): 1, ("a", "c"): -3}
    frame = edge_frame(edges)
    assert pair_up(frame).objective_ore == 20
    assert pair_up(frame, together=[("c", "b")]).objective_ore == 13
    assert pair_up(frame, apart=[("a", "b")]).objective_ore == 13
    assert pair_up(frame, apart=[("b", "a"), ("a", "d")]).objective_ore == 12
    assert pair_up(frame, together=[("a", "c")]).objective_ore == -3
    groups = group_frame({frozenset(pair): saving for pair, saving in edges.items()} | {frozenset("abcd"): 19})
    assert group_up(groups).objective_ore == 20
    assert group_up(groups, together=[("b", "c")]).objective_ore == 19
    assert group_up(groups, together=[("b", "c"), ("a", "d")]).objective_ore == 19
    assert group_up(groups, apart=[("a", "b")]).objective_ore == 13
    partners = best_partners(frame, "a")
    assert partners["partner"].to_list() == ["b", "d", "c"]
    assert partners["cost_to_plan_ore"].to_list() == [0, 7, 23]
    assert partners["in_best_plan"].to_list() == [True, False, False]


@settings(deadline=None, max_examples=60)
@given(edge_sets, st.sampled_from(PAIRS))
def test_demands_equal_all_possibilities(edges: dict[tuple[str, str], int], pair: tuple[str, str]) -> None:
    edges = edges | {pair: 3}
    rest = [(frozenset(other), s) for other, s in edges.items() if not set(other) & set(pair)]
    assert pair_up(edge_frame(edges), together=[pair]).objective_ore == 3 + reference.best_packing(rest)
    assert group_up(group_frame({frozenset(p): s for p, s in edges.items()}), together=[pair]).objective_ore == 3 + reference.best_packing(
        rest
    )
    without = [(frozenset(other), s) for other, s in edges.items() if other != pair]
    assert pair_up(edge_frame(edges), apart=[pair]).objective_ore == reference.best_packing(without)


@pytest.mark.parametrize("seed", range(2))
def test_a_demand_in_a_large_component_is_met_at_the_least_cost(seed: int) -> None:
    groups = random_groups(50, 400, seed)
    pair = tuple(sorted(min(groups, key=sorted)))[:2]
    allowed = {units: s for units, s in groups.items() if (pair[0] in units) == (pair[1] in units)}
    best = max(s + reference_rest(allowed, units) for units, s in allowed.items() if pair[0] in units)
    assert group_up(group_frame(groups), together=[pair]).objective_ore == best


def reference_rest(groups: dict[frozenset[str], int], taken: frozenset[str]) -> int:
    rest = {units: s for units, s in groups.items() if not units & taken}
    return by_cp_sat(rest) if rest else 0


def test_what_cannot_be_is_said() -> None:
    frame = edge_frame({("a", "b"): 5, ("b", "c"): 5})
    cases = [
        ("coupling_columns", lambda: pair_up(frame.drop("saving_ore"))),
        ("coupling_not_whole", lambda: pair_up(frame.with_columns(pl.lit(0.5).alias("saving_ore")))),
        ("coupling_not_whole", lambda: pair_up(frame.with_columns(pl.lit(float("nan")).alias("saving_ore")))),
        ("coupling_empty_cell", lambda: pair_up(frame.with_columns(pl.lit(None, dtype=pl.Int64).alias("saving_ore")))),
        ("coupling_itself", lambda: pair_up(edge_frame({("a", "a"): 5}))),
        ("coupling_itself", lambda: pair_up(frame, apart=[("a", "a")])),
        ("coupling_unit_twice", lambda: pair_up(frame, together=[("a", "b"), ("b", "c")])),
        ("coupling_pair_unknown", lambda: pair_up(frame, together=[("a", "c")])),
        ("coupling_demands_clash", lambda: pair_up(frame, together=[("a", "b")], apart=[("b", "a")])),
        ("coupling_pair_unknown", lambda: group_up(group_frame({frozenset("ab"): 5}), together=[("a", "z")])),
        ("coupling_pair_unknown", lambda: group_up(group_frame({frozenset("ab"): 5, frozenset("bc"): 5}), together=[("a", "c")])),
        (
            "coupling_pair_unknown",
            lambda: group_up(group_frame({frozenset("ab"): 5, frozenset("bc"): 5}), together=[("a", "b"), ("b", "c")]),
        ),
        (
            "coupling_demands_clash",
            lambda: group_up(group_frame({frozenset("abc"): 5, frozenset("cde"): 5}), together=[("a", "b"), ("d", "e")]),
        ),
        (
            "coupling_group_savings",
            lambda: group_up(pl.DataFrame({"group_id": [1, 1], "unit_id": ["a", "b"], "saving_ore": [5, 6]})),
        ),
    ]
    for key, call in cases:
        with pytest.raises(SampladsError, match=key):
            call()


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["z", "m", "a"])])
def test_ids_of_fixed_categories_are_text(kind: pl.DataType) -> None:
    edges = pl.DataFrame({"unit_a": ["z", "a"], "unit_b": ["a", "m"], "saving_ore": [5, 4]})
    listed = edges.with_columns(pl.col("unit_a", "unit_b").cast(kind))
    for demands in ([], [("a", "z")], [("m", "a")]):
        assert pair_up(listed, together=demands).chosen.equals(pair_up(edges, together=demands).chosen)
    groups = group_frame({frozenset({"z", "a"}): 5, frozenset({"a", "m"}): 4})
    same = group_up(groups.with_columns(pl.col("unit_id").cast(kind)), together=[("a", "z")])
    assert same.chosen.equals(group_up(groups, together=[("a", "z")]).chosen)


def test_ids_may_be_numbers_and_whole_amounts_may_be_floats() -> None:
    frame = pl.DataFrame({"unit_a": [3, 2], "unit_b": [1, 3], "saving_ore": [5.0, 4.0]})
    assert pair_up(frame).chosen.rows() == [(1, 3, 5)]
    mixed = pl.DataFrame({"unit_a": [3, 2], "unit_b": ["1", "3"], "saving_ore": [5, 4]})
    assert pair_up(mixed).chosen.rows() == [("1", "3", 5)]
    assert pair_up(frame.clear()).status == "empty"
    assert group_up(group_frame({})).status == "empty"


def test_large_amounts_stay_exact() -> None:
    edges = {("a", "b"): 2**60 + 1, ("c", "d"): 2**60, ("b", "c"): 2**61}
    assert pair_up(edge_frame(edges)).objective_ore == 2**61 + 1


@settings(deadline=None, max_examples=60)
@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] != pair[1]), max_size=20))
def test_cliques_are_all_sets_of_mutual_pairs(pairs: set[tuple[int, int]]) -> None:
    known = {frozenset(pair) for pair in pairs}
    found = cliques(8, np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2), 4)
    for size in (2, 3, 4):
        wanted = [
            units
            for units in itertools.combinations(range(8), size)
            if all(frozenset(pair) in known for pair in itertools.combinations(units, 2))
        ]
        assert [tuple(row) for row in found[size].tolist()] == wanted
