"""Which units share a night guard: the best plan, proved, and the same plan every time.

Two problems, each usable without the rest of the product:

* `pair_up`: couples of two. Maximum-weight matching in a general graph (Edmonds' blossom algorithm; Galil, ACM Computing Surveys 18, 1986).
* `group_up`: couples of up to four (or any size given). Weighted set packing:

      max  sum_g s_g x_g     subject to  sum_{g contains u} x_g <= 1 for every unit u,  x_g in {0, 1}

  1. Split into connected components; each is solved for itself.
  2. A component of at most 12 units: dynamic programming over sets of units, in whole numbers. One of pairs only: `pair_up`.
  3. Otherwise the linear relaxation by column generation: its prices y give the bound UB = sum y + sum max(0, s_g - sum_{u in g} y_u),
     which holds for any y >= 0, whatever the solver's tolerance.
  4. A core of the groups with the smallest reduced cost r_g = sum_{u in g} y_u - s_g is solved as an integer programme: value LB.
  5. No plan that uses a group with r_g > UB - LB can beat LB (reduced-cost fixing: Dantzig, Fulkerson and Johnson 1954). When the core
     holds all others the plan is optimal; otherwise the core grows and the step is repeated, up to a published size.

Only positive savings are chosen (a coupling that a person demands with `together` excepted). Amounts are integer øre. Rows may come in
any order and pairs either way round: everything is sorted by id first, and equal optima of `pair_up` are told apart by a fixed hash of
the pair's ids.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import rustworkx as rx
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from samplads.errors import SampladsError

PAIR_COLUMNS = ("unit_a", "unit_b", "saving_ore")
GROUP_COLUMNS = ("group_id", "unit_id", "saving_ore")

SMALL_COMPONENT = 12
"""Units up to which a component is solved by dynamic programming in whole numbers."""
FIRST_CORE, LARGEST_CORE = 4_000, 16_000
"""Groups in the first and the largest integer programme of a component."""
NODE_LIMIT = 20_000
"""Branch-and-bound nodes of one integer programme: a limit by nodes, not seconds, gives the same plan on every machine."""
_TIE_BITS = 40
_SCALE = 1e4

Id = str | int
Array = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """The outcome of a coupling problem.

    `status`: "optimal" (proved), "feasible" (the gap to the bound is open) or "empty" (nothing saves anything).
    `chosen`: for pairs one row per couple (unit_a, unit_b, saving_ore), for groups one row per group and unit (group_id, unit_id,
    saving_ore). `objective_ore` is the sum over the couples in whole øre, `bound_ore` what no plan can exceed.
    """

    status: str
    objective_ore: int
    bound_ore: int
    chosen: pl.DataFrame
    seconds: float
    method: str = ""
    components: int = 0

    @property
    def gap_pct(self) -> float:
        """How far below the bound the plan may lie, in percent of the bound."""
        return 0.0 if self.bound_ore <= 0 else 100.0 * (self.bound_ore - self.objective_ore) / self.bound_ore


def pair_up(
    edges: pl.DataFrame,
    *,
    together: Iterable[tuple[Id, Id]] = (),
    apart: Iterable[tuple[Id, Id]] = (),
) -> Plan:
    """The couples of two with the largest total saving; a unit is in at most one.

    `edges`: columns unit_a, unit_b (text or whole numbers) and saving_ore (whole øre); of the same pair given twice the larger saving
    counts. `together`: pairs that must be chosen (each needs a row in `edges`, its saving may be negative). `apart`: pairs that must not.
    Raises SampladsError `coupling_columns`, `coupling_not_whole`, `coupling_itself`, `coupling_unit_twice`, `coupling_pair_unknown`.
    """
    started = time.perf_counter()
    pairs = _clean_pairs(edges)
    saving = {(a, b): s for a, b, s in pairs.iter_rows()}
    forced = _ordered_pairs(together)
    _check_demands(forced, _ordered_pairs(apart))
    forbidden = set(_ordered_pairs(apart))
    for pair in forced:
        if pair not in saving:
            raise SampladsError("coupling_pair_unknown", unit_a=pair[0], unit_b=pair[1])
    taken = {unit for pair in forced for unit in pair}
    free = [(a, b, s) for (a, b), s in saving.items() if s > 0 and (a, b) not in forbidden and a not in taken and b not in taken]
    couples = sorted([*forced, *_blossom(free)])
    chosen = pl.DataFrame(
        {
            "unit_a": [a for a, _ in couples],
            "unit_b": [b for _, b in couples],
            "saving_ore": [saving[pair] for pair in couples],
        },
        schema={"unit_a": pairs.schema["unit_a"], "unit_b": pairs.schema["unit_b"], "saving_ore": pl.Int64},
    )
    total = sum(saving[pair] for pair in couples)
    return Plan(
        status="optimal" if couples else "empty",
        objective_ore=total,
        bound_ore=total,
        chosen=chosen,
        seconds=time.perf_counter() - started,
        method="maximum-weight matching",
        components=1 if couples else 0,
    )


def group_up(
    groups: pl.DataFrame,
    *,
    together: Iterable[tuple[Id, Id]] = (),
    apart: Iterable[tuple[Id, Id]] = (),
    largest_core: int = LARGEST_CORE,
    node_limit: int = NODE_LIMIT,
) -> Plan:
    """The groups with the largest total saving; a unit is in at most one.

    `groups`: one row per group and unit: group_id, unit_id, saving_ore (the group's saving, repeated on each of its rows). Of two groups
    with the same units the larger saving counts, at a tie the lower group_id. `together`: pairs that must be in one chosen group;
    `apart`: pairs in none. Raises SampladsError as `pair_up`, `coupling_group_savings` where the rows of a group differ,
    `coupling_demands_clash` where the demands cannot be met together.
    """
    started = time.perf_counter()
    forced, forbidden = _ordered_pairs(together), _ordered_pairs(apart)
    _check_demands(forced, forbidden, groups=True)
    _check_columns(groups, GROUP_COLUMNS)
    groups = _plain_ids(groups, "unit_id")
    problem = _packing(groups, forced, forbidden)
    outcomes = [_solve_component(problem, columns, largest_core=largest_core, node_limit=node_limit) for columns in _components(problem)]
    picked = sorted(column for outcome in outcomes for column in outcome.columns)
    objective = sum(problem.savings[column] for column in picked)
    exact = all(outcome.exact for outcome in outcomes)
    bound = objective if exact else sum(outcome.bound for outcome in outcomes)
    chosen = pl.DataFrame(
        {
            "group_id": [problem.group_ids[column] for column in picked for _ in problem.members[column]],
            "unit_id": [problem.unit_ids[unit] for column in picked for unit in problem.members[column]],
            "saving_ore": [problem.savings[column] for column in picked for _ in problem.members[column]],
        },
        schema={"group_id": groups.schema["group_id"], "unit_id": groups.schema["unit_id"], "saving_ore": pl.Int64},
    )
    return Plan(
        status="empty" if not picked else "optimal" if exact else "feasible",
        objective_ore=objective,
        bound_ore=max(objective, bound),
        chosen=chosen.sort("group_id", "unit_id"),
        seconds=time.perf_counter() - started,
        method="set packing by components",
        components=len(outcomes),
    )


def best_partners(edges: pl.DataFrame, unit: Id, *, apart: Iterable[tuple[Id, Id]] = (), most: int = 5) -> pl.DataFrame:
    """The best partners of one unit: what the couple saves, and what it does to the best plan of all.

    One row per partner, best first: partner, saving_ore, plan_ore (the best plan that holds this couple), cost_to_plan_ore (how much that
    is below the best plan without demands), in_best_plan. At most `most` partners by saving.
    """
    pairs = _clean_pairs(edges)
    forbidden = list(_ordered_pairs(apart))
    best = pair_up(pairs, apart=forbidden)
    inside = {(a, b) for a, b, _ in best.chosen.iter_rows()}
    rows: list[dict[str, Any]] = []
    mine = pairs.filter((pl.col("unit_a") == unit) | (pl.col("unit_b") == unit)).sort(
        ["saving_ore", "unit_a", "unit_b"], descending=[True, False, False]
    )
    for a, b, saving in mine.iter_rows():
        if (a, b) in forbidden or len(rows) == most:
            continue
        with_it = pair_up(pairs, together=[(a, b)], apart=forbidden).objective_ore
        rows.append(
            {
                "partner": b if a == unit else a,
                "saving_ore": saving,
                "plan_ore": with_it,
                "cost_to_plan_ore": best.objective_ore - with_it,
                "in_best_plan": (a, b) in inside,
            }
        )
    schema: dict[str, Any] = {
        "partner": pairs.schema["unit_a"],
        "saving_ore": pl.Int64,
        "plan_ore": pl.Int64,
        "cost_to_plan_ore": pl.Int64,
        "in_best_plan": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema)


def cliques(units: int, pairs: NDArray[np.int64], largest: int) -> dict[int, NDArray[np.int64]]:
    """Every set of 2 to `largest` units of which each two are a pair, by size.

    `pairs` [m, 2] of unit numbers below `units`. Each answer is [count, size] with ascending unit numbers in a row, rows in lexicographic
    order. Where a rule that a pair breaks is broken by every group that holds the pair, only cliques of feasible pairs can be groups.
    """
    found: dict[int, NDArray[np.int64]] = {}
    if len(pairs) == 0:
        return {size: np.empty((0, size), dtype=np.int64) for size in range(2, largest + 1)}
    ordered = np.unique(np.sort(pairs.astype(np.int64), axis=1), axis=0)
    ordered = ordered[ordered[:, 0] != ordered[:, 1]]
    ahead: list[NDArray[np.int64]] = np.split(ordered[:, 1], np.searchsorted(ordered[:, 0], np.arange(1, units)))
    known = ordered[:, 0] * units + ordered[:, 1]
    found[2] = ordered
    for size in range(3, largest + 1):
        before = found[size - 1]
        counts = np.array([len(ahead[last]) for last in before[:, -1]], dtype=np.int64)
        if counts.sum() == 0:
            found[size] = np.empty((0, size), dtype=np.int64)
            continue
        grown = np.repeat(before, counts, axis=0)
        new = np.concatenate([ahead[last] for last in before[:, -1]])
        fits = np.ones(len(new), dtype=bool)
        for position in range(size - 2):
            wanted = grown[:, position] * units + new
            place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            fits &= known[place] == wanted
        found[size] = np.column_stack([grown[fits], new[fits]])
    return found


# --- pairs -------------------------------------------------------------------------------------------------------------------------------


def _clean_pairs(edges: pl.DataFrame) -> pl.DataFrame:
    """One row per pair, the lower id first, rows sorted: unit_a, unit_b, saving_ore."""
    _check_columns(edges, PAIR_COLUMNS)
    edges = _plain_ids(edges, "unit_a", "unit_b")
    if edges.schema["unit_a"] != edges.schema["unit_b"] and not edges.is_empty():
        edges = edges.with_columns(pl.col("unit_a", "unit_b").cast(pl.String))
    if edges.filter(pl.col("unit_a") == pl.col("unit_b")).height:
        raise SampladsError("coupling_itself", unit=edges.filter(pl.col("unit_a") == pl.col("unit_b"))["unit_a"][0])
    lower, upper = pl.min_horizontal("unit_a", "unit_b"), pl.max_horizontal("unit_a", "unit_b")
    return (
        edges.select(lower.alias("unit_a"), upper.alias("unit_b"), pl.col("saving_ore").cast(pl.Int64))
        .group_by("unit_a", "unit_b")
        .agg(pl.col("saving_ore").max())
        .sort("unit_a", "unit_b")
    )


def _plain_ids(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Ids of fixed categories as text: they sort by text, whatever the order of the categories."""
    listed = [column for column in columns if frame.schema[column] in (pl.Categorical, pl.Enum)]
    return frame.with_columns(pl.col(listed).cast(pl.String)) if listed else frame


def _check_columns(frame: pl.DataFrame, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise SampladsError("coupling_columns", missing=", ".join(missing))
    for name in wanted:
        if frame[name].null_count():
            raise SampladsError("coupling_empty_cell", column=name)
    saving = frame["saving_ore"]
    if saving.dtype.is_integer() or frame.is_empty():
        return
    if not saving.dtype.is_numeric() or not (saving.is_finite() & (saving == saving.round())).all():
        raise SampladsError("coupling_not_whole")


def _ordered_pairs(pairs: Iterable[tuple[Id, Id]]) -> list[tuple[Any, Any]]:
    return sorted({(min(a, b), max(a, b)) for a, b in _as_pairs(pairs)})


def _as_pairs(pairs: Iterable[tuple[Id, Id]]) -> Iterable[tuple[Any, Any]]:
    for a, b in pairs:
        if a == b:
            raise SampladsError("coupling_itself", unit=a)
        yield a, b


def _check_demands(forced: Sequence[tuple[Any, Any]], forbidden: Sequence[tuple[Any, Any]], *, groups: bool = False) -> None:
    clash = sorted(set(forced) & set(forbidden))
    if clash:
        raise SampladsError("coupling_demands_clash", unit_a=clash[0][0], unit_b=clash[0][1])
    if groups:
        return
    seen: set[Any] = set()
    for pair in forced:
        for unit in pair:
            if unit in seen:
                raise SampladsError("coupling_unit_twice", unit=unit)
            seen.add(unit)


@lru_cache(maxsize=200_000)
def _tie(key: str) -> int:
    """A fixed number below 2^40 for a pair: it decides between plans of equal saving, and nothing else."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=5).digest(), "big")


def _blossom(edges: Sequence[tuple[Any, Any, int]]) -> list[tuple[Any, Any]]:
    """Maximum-weight matching of edges with positive weights, each (lower id, upper id, saving).

    The weight is saving x 2^(40 + b) + tie, where 2^b exceeds the number of couples: the ties together never reach one øre. With 40
    random-looking bits an edge two matchings of equal saving differ in their ties (isolation lemma: Mulmuley, Vazirani and Vazirani
    1987), so the optimum is one.
    """
    if not edges:
        return []
    ids = sorted({unit for a, b, _ in edges for unit in (a, b)})
    number = {unit: position for position, unit in enumerate(ids)}
    shift = _TIE_BITS + len(ids).bit_length()
    graph = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(len(ids)))
    graph.add_edges_from([(number[a], number[b], (saving << shift) + _tie(f"{a}|{b}")) for a, b, saving in edges])
    matching = rx.max_weight_matching(graph, max_cardinality=False, weight_fn=int, verify_optimum=False)
    return [(ids[min(pair)], ids[max(pair)]) for pair in matching]


# --- groups ------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Packing:
    """Set packing in numbers: column g holds the units members[g] and saves savings[g]; units in `must` have to be covered."""

    group_ids: list[Any]
    unit_ids: list[Any]
    members: list[tuple[int, ...]]
    savings: list[int]
    must: frozenset[int]


@dataclass(frozen=True)
class _Outcome:
    columns: list[int]
    bound: int
    exact: bool
    notes: dict[str, float] = field(default_factory=dict)


def _packing(groups: pl.DataFrame, forced: Sequence[tuple[Any, Any]], forbidden: Sequence[tuple[Any, Any]]) -> _Packing:
    """Groups that can be chosen, in the order of their units; columns that break a demand or save nothing are left out."""
    gathered = (
        groups.select("group_id", "unit_id", pl.col("saving_ore").cast(pl.Int64))
        .unique()
        .group_by("group_id")
        .agg(pl.col("unit_id").unique().sort(), pl.col("saving_ore").min(), pl.col("saving_ore").max().alias("most"))
    )
    uneven = gathered.filter(pl.col("saving_ore") != pl.col("most"))
    if uneven.height:
        raise SampladsError("coupling_group_savings", group=uneven["group_id"].sort()[0])
    best = (
        gathered.sort(["saving_ore", "group_id"], descending=[True, False])
        .unique(subset="unit_id", keep="first", maintain_order=True)
        .sort("unit_id", "group_id")
    )
    unit_ids = groups["unit_id"].unique().sort().to_list()
    number = {unit: position for position, unit in enumerate(unit_ids)}
    for pair in forced:
        for unit in pair:
            if unit not in number:
                raise SampladsError("coupling_pair_unknown", unit_a=pair[0], unit_b=pair[1])
    hold = [(number[a], number[b]) for a, b in forced]
    part = [(number[a], number[b]) for a, b in forbidden if a in number and b in number]
    columns: list[tuple[Any, tuple[int, ...], int]] = []
    for group_id, units, saving in best.select("group_id", "unit_id", "saving_ore").iter_rows():
        inside = tuple(number[unit] for unit in units)
        has = frozenset(inside)
        if any((a in has) != (b in has) for a, b in hold) or any(a in has and b in has for a, b in part):
            continue
        if saving > 0 or any(a in has for a, _ in hold):
            columns.append((group_id, inside, saving))
    must = frozenset(unit for pair in hold for unit in pair)
    reached = {unit for _, inside, _ in columns for unit in inside}
    for a, b in hold:
        if a not in reached:
            raise SampladsError("coupling_pair_unknown", unit_a=unit_ids[a], unit_b=unit_ids[b])
    return _Packing([c[0] for c in columns], unit_ids, [c[1] for c in columns], [c[2] for c in columns], must)


def _incidence(members: Sequence[tuple[int, ...]], units: int) -> csc_matrix[np.float64]:
    rows = np.fromiter((unit for group in members for unit in group), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum([len(group) for group in members])]).astype(np.int64)
    return csc_matrix((np.ones(len(rows)), rows, starts), shape=(units, len(members)))


def _components(problem: _Packing) -> list[list[int]]:
    """Columns by connected component, components in the order of their lowest unit."""
    if not problem.members:
        return []
    tails = [group[0] for group in problem.members for _ in group]
    heads = [unit for group in problem.members for unit in group]
    links = csr_matrix((np.ones(len(tails)), (tails, heads)), shape=(len(problem.unit_ids), len(problem.unit_ids)))
    _, labels = connected_components(links, directed=False)
    by_label: dict[int, list[int]] = {}
    for column, group in enumerate(problem.members):
        by_label.setdefault(int(labels[group[0]]), []).append(column)
    return sorted(by_label.values(), key=lambda columns: problem.members[columns[0]])


def _solve_component(problem: _Packing, columns: list[int], *, largest_core: int, node_limit: int) -> _Outcome:
    units = sorted({unit for column in columns for unit in problem.members[column]})
    local = {unit: position for position, unit in enumerate(units)}
    members = [tuple(local[unit] for unit in problem.members[column]) for column in columns]
    savings = [problem.savings[column] for column in columns]
    must = frozenset(local[unit] for unit in problem.must if unit in local)
    if len(units) <= SMALL_COMPONENT:
        picked = _by_subsets(len(units), members, savings, must)
    elif not must and all(len(group) == 2 for group in members):
        at = {group: position for position, group in enumerate(members)}
        couples = _blossom_by_id(problem, columns, members)
        picked = [at[couple] for couple in couples]
    else:
        outcome = _by_core(len(units), members, savings, must, largest_core=largest_core, node_limit=node_limit)
        return _Outcome([columns[position] for position in outcome.columns], outcome.bound, outcome.exact, outcome.notes)
    if picked is None:
        raise _cannot_meet(problem, columns)
    total = sum(savings[position] for position in picked)
    return _Outcome([columns[position] for position in picked], total, exact=True)


def _cannot_meet(problem: _Packing, columns: Sequence[int]) -> SampladsError:
    inside = sorted({problem.unit_ids[unit] for column in columns for unit in problem.members[column] if unit in problem.must})
    return SampladsError("coupling_demands_clash", unit_a=inside[0], unit_b=inside[-1])


def _blossom_by_id(problem: _Packing, columns: Sequence[int], members: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Pairs of a component, told apart at a tie by the units' own ids, as in `pair_up`."""
    back = {
        (problem.unit_ids[problem.members[column][0]], problem.unit_ids[problem.members[column][1]]): group
        for column, group in zip(columns, members, strict=True)
    }
    edges = [(*pair, problem.savings[column]) for column, pair in zip(columns, back, strict=True)]
    return [back[pair] for pair in _blossom(edges)]


def _by_subsets(units: int, members: Sequence[tuple[int, ...]], savings: Sequence[int], must: frozenset[int]) -> list[int] | None:
    """Best packing by dynamic programming over the set of units still free, lowest unit first; exact in whole numbers.

    Of equal packings the one whose groups come first in the order of `members` is kept. None where the units in `must` cannot all be
    covered.
    """
    masks = [sum(1 << unit for unit in group) for group in members]
    by_lowest: list[list[int]] = [[] for _ in range(units)]
    for column, group in enumerate(members):
        by_lowest[group[0]].append(column)
    memo: dict[int, tuple[int, int] | None] = {0: (0, -1)}

    def best(free: int) -> tuple[int, int] | None:
        """(value, column chosen for the lowest free unit or -1 for none); None if impossible."""
        if free in memo:
            return memo[free]
        lowest = (free & -free).bit_length() - 1
        answer: tuple[int, int] | None = None
        for column in by_lowest[lowest]:
            if masks[column] & ~free:
                continue
            rest = best(free & ~masks[column])
            if rest is not None and (answer is None or savings[column] + rest[0] > answer[0]):
                answer = (savings[column] + rest[0], column)
        if lowest not in must:
            rest = best(free & ~(1 << lowest))
            if rest is not None and (answer is None or rest[0] > answer[0]):
                answer = (rest[0], -1)
        memo[free] = answer
        return answer

    free, picked = (1 << units) - 1, []
    if best(free) is None:
        return None
    while free:
        step = best(free)
        assert step is not None  # noqa: S101  the whole was possible, so every rest on its path is
        column = step[1]
        if column >= 0:
            picked.append(column)
            free &= ~masks[column]
        else:
            free &= free - 1
    return picked


def _by_core(
    units: int,
    members: Sequence[tuple[int, ...]],
    savings: Sequence[int],
    must: frozenset[int],
    *,
    largest_core: int,
    node_limit: int,
) -> _Outcome:
    """Steps 3 to 5 of the module's algorithm for one component."""
    incidence = _incidence(members, units)
    weights = np.array(savings, dtype=np.float64)
    scale = _SCALE / float(np.abs(weights).max())
    scaled = weights * scale
    needed = np.zeros(units, dtype=bool)
    needed[list(must)] = True
    prices = _prices(incidence, scaled, needed)
    reduced = np.asarray(incidence.T @ prices - scaled)
    upper = float(prices.sum() + np.maximum(0.0, -reduced).sum())
    order = np.lexsort((np.arange(len(scaled)), reduced))
    best = _greedy(members, savings, must)
    best_value = sum(savings[column] for column in best) if best is not None else None
    core, bound, exact = min(FIRST_CORE, len(order), largest_core), upper, False
    while True:
        columns = np.sort(order[:core])
        found, core_bound, solved = _integer_programme(incidence, scaled, columns, needed, node_limit)
        if found is not None:
            value = sum(savings[column] for column in found)
            if best_value is None or value > best_value:
                best, best_value = found, value
        # What lies outside the core loses at least its smallest reduced cost against the bound of the relaxation.
        outside = upper - float(reduced[order[core]]) if core < len(order) else -np.inf
        bound = min(upper, max(core_bound, outside))
        if best_value is None and core == len(order) and solved:
            raise SampladsError("coupling_demands_clash", unit_a="", unit_b="")
        lower = -np.inf if best_value is None else best_value * scale
        exact = solved and (core == len(order) or outside <= lower + 1e-9 * max(1.0, abs(lower)))
        if exact or core >= min(len(order), largest_core) or not solved:
            break
        wanted = int(np.searchsorted(reduced[order], upper - lower, side="right"))
        core = min(len(order), largest_core, max(2 * core, min(wanted, 4 * core)))
    if best is None or best_value is None:
        raise SampladsError("coupling_demands_clash", unit_a="", unit_b="")
    bound_ore = best_value if exact else max(best_value, int(np.floor(bound / scale + 1e-3)))
    return _Outcome(best, bound_ore, exact, {"core": float(core), "columns": float(len(members))})


def _prices(incidence: csc_matrix[np.float64], scaled: Array, needed: NDArray[np.bool_]) -> Array:
    """Prices of the units in the linear relaxation, by column generation: start with each unit's best groups, add the most attractive
    left out.
    """
    count, units = len(scaled), incidence.shape[0]
    sizes = np.diff(incidence.indptr)
    per_unit = scaled / sizes
    batch = max(2_000, 4 * units)
    inside = np.zeros(count, dtype=bool)
    inside[np.argsort(-per_unit, kind="stable")[:batch]] = True
    order = np.argsort(-per_unit, kind="stable")
    # Each unit's own best few, so that every unit has a price from the start.
    owner = incidence.indices
    columns_of_entries = np.repeat(np.arange(count), sizes)
    rank_of_column = np.empty(count, dtype=np.int64)
    rank_of_column[order] = np.arange(count)
    entries = np.lexsort((rank_of_column[columns_of_entries], owner))
    first = np.concatenate([[0], np.flatnonzero(np.diff(owner[entries])) + 1])
    place = np.arange(len(entries)) - np.repeat(first, np.diff(np.concatenate([first, [len(entries)]])))
    inside[columns_of_entries[entries[place < 8]]] = True
    while True:
        columns = np.flatnonzero(inside)
        part = incidence[:, columns]
        answer = linprog(
            -scaled[columns],
            A_ub=part[~needed] if not needed.all() else None,
            b_ub=np.ones(int((~needed).sum())) if not needed.all() else None,
            A_eq=part[needed] if needed.any() else None,
            b_eq=np.ones(int(needed.sum())) if needed.any() else None,
            bounds=(0, None),
            method="highs",
        )
        prices = np.zeros(units)
        if answer.status == 2 and not inside.all():  # too few columns to cover what must be covered
            inside[:] = True
            continue
        if answer.status != 0:
            return prices
        if not needed.all():
            prices[~needed] = np.maximum(0.0, -answer.ineqlin.marginals)
        if needed.any():
            prices[needed] = -answer.eqlin.marginals
        attractive = scaled - incidence.T @ prices
        attractive[inside] = 0.0
        better = np.flatnonzero(attractive > 1e-7 * _SCALE)
        if len(better) == 0:
            return prices
        inside[better[np.argsort(-attractive[better], kind="stable")[:batch]]] = True


def _integer_programme(
    incidence: csc_matrix[np.float64], scaled: Array, columns: Whole, needed: NDArray[np.bool_], node_limit: int
) -> tuple[list[int] | None, float, bool]:
    """The best packing among `columns`: (columns chosen or None, bound, solved to the end)."""
    part = incidence[:, columns]
    answer = milp(
        -scaled[columns],
        constraints=LinearConstraint(part, np.where(needed, 1.0, -np.inf), 1.0),
        integrality=np.ones(len(columns)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0, "node_limit": node_limit},
    )
    if answer.status == 2:
        return None, -np.inf, True
    bound = -float(answer.mip_dual_bound) if answer.mip_dual_bound is not None else np.inf
    if answer.x is None:
        return None, bound, False
    return [int(column) for column in columns[answer.x > 0.5]], bound, answer.status == 0


def _greedy(members: Sequence[tuple[int, ...]], savings: Sequence[int], must: frozenset[int]) -> list[int] | None:
    """A packing to start from: demanded units first, then the largest saving per unit."""
    order = sorted(range(len(members)), key=lambda g: (-savings[g] / len(members[g]), g))
    taken: set[int] = set()
    picked: list[int] = []
    for demanded in (True, False) if must else (False,):
        for column in order:
            group = members[column]
            if taken.isdisjoint(group) and (savings[column] > 0 or demanded) and (not demanded or not must.isdisjoint(group)):
                taken.update(group)
                picked.append(column)
    return sorted(picked) if must <= taken else None
