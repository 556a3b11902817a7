"""All open needs against all open places at once: the best plan there is, proven.

Aims, in this order, none of which is ever traded for a later one:

1. as many as possible of the most urgent tier placed, then of the next tier, and so on to all needs;
2. (option) as few placements as possible lacking below the fairness floor of a municipality;
3. the greatest total of points.

How it is kept exact. The sets of needs that can be placed together are the independent sets of a transversal matroid, so the greatest
numbers of every tier can be had at the same time (the greedy theorem). Hence the value of a pair

    v = base x (number of tiers from this one to the last) + points - least points

with a base above anything that points can add up to puts the aims in order without blur: the numbers stay far below 2^53, where float64 is
exact, and the answer is proven again in integers (`samplads.matching.assignment`).

Ties, published: among plans that are equal in all aims, the needs that have waited longest are placed (`waiting`, then id); then each need
gets the unit with the lowest id (the plan with the least sum of positions in the lists of units that suit the need equally well in it).
What may still tie is settled by the solver, which is given the rows sorted by id: the order in which rows are handed over changes nothing.

Nothing here carries a plan out: it proposes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import scipy

from samplads.errors import SampladsError
from samplads.matching import apart, market
from samplads.matching.assignment import LARGEST, Assignment, Bools, Ints, Network, optimum, total
from samplads.matching.market import Market

Progress = Callable[[str, float], None]

OPTIMAL = "optimal"
LIMIT = "limit"


@dataclass(frozen=True, eq=False)
class Solved:
    """The solved problem behind an allocation: what explanations and prices are read from."""

    market: Market
    network: Network
    """Needs that are not held against lots less the held places; lots beyond the market's stand for waiting (fairness)."""
    network_edge: Ints
    """By edge of the network: the edge of the market, -1 for waiting."""
    assignment: Assignment
    base: int
    least: int
    """The points that were taken from all points before they were weighed."""
    held: Ints
    """By need: the lot it holds, -1 for none."""
    lot: Ints
    """By need: the lot it gets or holds, -1 for none."""
    exact: bool
    """Whether prices are the exact values of places: so without fairness and without incompatible residents."""
    spared: int
    """What sparing a municipality a lacking placement weighs; 0 where no floor is in the problem."""
    lifted: Bools
    """By need: whether a floor of its municipality is in the problem."""
    side: Ints | None
    """With fairness, by need: its municipality's number."""
    floors: Ints | None
    """With fairness, by municipality: its floor."""
    foes: Ints
    """Pairs of needs that must not live in the same unit."""
    pairs: pl.DataFrame
    capacity: pl.DataFrame
    options: dict[str, Any]
    """The other arguments, to solve again with."""

    def parts(self, value: Ints) -> tuple[Ints, Ints, Ints]:
        """Values as what they are in tiers, in lacking placements spared and in points: each within half a step of the one before."""
        weight = (value + self.base // 2) // self.base
        rest = value - weight * self.base
        fair = (rest + self.spared // 2) // self.spared if self.spared else np.zeros_like(rest)
        return weight, fair, rest - fair * self.spared


@dataclass(frozen=True, eq=False)
class Allocation:
    """A plan, and the proof of how good it is."""

    chosen: pl.DataFrame
    """[need_id, unit_id, points], sorted by need_id; with dated places also opens (month of the place) and months_waited."""
    objective: int
    """Total points of the plan: the last aim."""
    bound: int
    """No plan that places as many of every tier (and lacks no more in fairness) has more points than this."""
    gap: float
    """0.0 where every aim is proven; else the relative distance to the bound of the first aim that is not."""
    status: str
    """"optimal", or "limit" where the node limit ended the search before the proof."""
    seconds: float
    placed_by_tier: tuple[int, ...]
    """How many are placed of the most urgent tier, of the two most urgent, ..., of all."""
    placed_bound: tuple[int, ...]
    """The most that any plan places, in the same form."""
    tiers: tuple[int | None, ...]
    unplaced: pl.DataFrame
    """[need_id, tier]: needs with at least one pair that get no place."""
    shares: pl.DataFrame | None
    """With fairness: [municipality, needs, placed, share, floor, lacking], share and floor as a share and a number of needs."""
    solver: str
    digest: str
    """Of the input in its own order and the options: equal digests give equal plans."""
    solved: Solved

    @property
    def placed(self) -> int:
        """How many needs are placed."""
        return self.placed_by_tier[-1]

    @property
    def urgent(self) -> int:
        """How many are placed of all tiers but the last; 0 where there is one tier."""
        return self.placed_by_tier[-2] if len(self.placed_by_tier) > 1 else 0

    @property
    def value(self) -> tuple[int, ...]:
        """The aims in order, to compare plans by: placed by tier, then points."""
        return (*self.placed_by_tier, self.objective)


def allocate(
    pairs: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    priority: pl.DataFrame | None = None,
    waiting: pl.DataFrame | None = None,
    group: pl.DataFrame | None = None,
    fairness: float | None = None,
    incompatible: pl.DataFrame | None = None,
    holds: pl.DataFrame | None = None,
    wanted: pl.DataFrame | None = None,
    waiting_points: int = 0,
    longest_wait: int | None = None,
    node_limit: int = 10_000,
    progress: Progress | None = None,
) -> Allocation:
    """The best plan: each need at most one place, each unit at most its places, aims as the module says.

    pairs: [need_id, unit_id, points], one row for each need and unit that suit each other. Ids are text or whole numbers (of any width; the
        answers have them in 64 bits); points are whole
    numbers and may be negative (being placed counts before points). The same row twice counts once; two rows for one pair with different
    points are refused.
    capacity: [unit_id, places], one row a unit. Negative places (an over-occupied unit) count as 0, a unit without a row has none.
    priority: [need_id, tier], a lower number is more urgent. Needs without a row come after all tiers.
    waiting: [need_id, since], any kind that sorts; settles ties. Needs without a row come last, like ones by id.
    group, fairness: [need_id, municipality] for every need (also those without any pair) and how far below the overall share placed
        a municipality's share may lie (0.1 = 10 percentage points). Never costs a placement; floors that cannot be reached are missed by as
        few placements as possible in all, and shown.
    incompatible: [need_a, need_b] who must not live in the same unit. An integer programme where the plan without it breaks a rule.
    holds: [need_id, unit_id] places promised by people: kept as they are, within `places`, however long they are waited for. With dated
        places the unit is promised, and not the month.
    wanted, waiting_points, longest_wait: with a column `opens` in capacity (a date, meant as its month, or a number of a month; then a row
        for each unit and month) the places open over a horizon. [need_id, wanted_from] is the same for needs: a place that opens later
        is waited for, at so many points a month and so many months at most. A place that opens earlier is kept until the need wants it.
    node_limit: of each integer programme: a count, not a time, so that the answer is the same on any machine.
    progress: called between steps with the name of the step and the share done; what it raises ends the work (to cancel).

    Raises SampladsError (keys `allocation_*`) for frames that cannot be read, holds that cannot be kept and points too large to be exact.
    """
    began = time.perf_counter()
    tell = _telling(progress)
    tell("read", 0.0)
    if fairness is not None and not 0 <= fairness <= 1:
        raise SampladsError("allocation_fairness_out_of_range", fairness=fairness)
    if fairness is not None and group is None:
        raise SampladsError("allocation_group_missing_for_fairness")
    pairs, capacity = market.plain(pairs, "need_id", "unit_id"), market.plain(capacity, "unit_id")
    holds = None if holds is None else market.plain(holds, "need_id", "unit_id")
    case = market.read(
        pairs,
        capacity,
        priority=priority,
        waiting=waiting,
        wanted=wanted,
        waiting_points=waiting_points,
        longest_wait=longest_wait,
        holds=holds,
    )
    foes = _foes(incompatible, case)
    sides = None if fairness is None or group is None else _municipalities(group, case)
    rules = _Rules(foes, sides, Fraction(str(fairness or 0)), node_limit)
    held = held_lots(holds, case, longest_wait, rules)
    tell("solve", 0.15)
    problem, assignment, floors = _planned(case, held, rules, tell)
    tell("apart", 0.85)
    outcome = apart.keep(
        problem.network, assignment, problem.units, foes, problem.aims(), problem.base, node_limit, lambda: tell("apart", 0.9)
    )
    lot = _lots_of(problem, outcome.edge, held)
    tell("done", 1.0)
    solved = Solved(
        market=case,
        network=problem.network,
        network_edge=problem.source,
        assignment=Assignment(outcome.edge, assignment.price, assignment.utility, assignment.value, assignment.bound),
        base=problem.base,
        least=problem.least,
        held=held,
        lot=lot,
        exact=fairness is None and len(foes) == 0,
        spared=problem.spared,
        lifted=problem.lifted(),
        side=None if sides is None else sides[0],
        floors=floors,
        foes=foes,
        pairs=pairs,
        capacity=capacity,
        options={
            "priority": priority,
            "waiting": waiting,
            "group": group,
            "fairness": fairness,
            "incompatible": incompatible,
            "holds": holds,
            "wanted": wanted,
            "waiting_points": waiting_points,
            "longest_wait": longest_wait,
            "node_limit": node_limit,
        },
    )
    return _result(solved, outcome, sides, floors, _digest(case, held, rules), began)


@dataclass(frozen=True, eq=False)
class _Rules:
    """What binds a plan beside places and pairs."""

    foes: Ints
    sides: tuple[Ints, pl.Series, Ints] | None
    """With fairness: as `_municipalities` tells."""
    within: Fraction
    node_limit: int


def _planned(
    case: Market, held: Ints, rules: _Rules, tell: Progress, wished: Bools | None = None
) -> tuple[_Problem, Assignment, Ints | None]:
    """The best plan but for keeping residents apart, with its ties settled, and the floors it was held against."""
    tick = _ticking(tell, "solve", 0.15, 0.6)
    problem = _problem(case, held, rules.foes, {}, (), wished)
    assignment = optimum(problem.network, tick)
    floors: Ints | None = None
    if rules.sides is not None:
        floors = _floors(rules.within, rules.sides, _most_placed(problem, assignment, held, rules.foes, rules.node_limit, tick))
        problem, assignment = _fair(case, held, rules.foes, rules.sides[0], floors, problem, assignment, wished, tick)
    tell("ties", 0.6)
    tick = _ticking(tell, "ties", 0.6, 0.85)
    while True:
        edge = _settle(problem, assignment, case.turn, tick)
        assignment = Assignment(edge, assignment.price, assignment.utility, assignment.value, assignment.bound)
        if rules.sides is None or floors is None or not _below(problem, edge, held, rules.sides[0], floors):
            return problem, assignment, floors
        # Settling may have taken from a municipality what it had by chance: then its floor counts from here on.
        problem, assignment = _fair(case, held, rules.foes, rules.sides[0], floors, problem, assignment, wished, tick)


WAITS, WISHED = -1, -2


@dataclass(frozen=True, eq=False)
class _Problem:
    network: Network
    source: Ints
    units: Ints
    """By lot of the network: the unit, -1 for waiting."""
    base: int
    least: int
    level: Ints
    """By edge: tier of the need for a place, WAITS for waiting, WISHED for a place of a unit that is held for the need."""
    fair: Ints
    """By edge: 1 where it spares its municipality a lacking placement."""
    points: Ints
    tiers: int
    spared: int
    """What an edge of `fair` weighs; 0 without floors."""
    waits: dict[int, int]
    """By municipality whose floor is in the problem: how many of its needs may wait without lacking."""

    def lifted(self) -> Bools:
        """By need: whether it may wait."""
        lifted = np.zeros(self.network.needs, dtype=bool)
        lifted[self.network.need[self.source < 0]] = True
        return lifted

    def aims(self) -> list[Ints]:
        """The aims in order, each as a whole number by edge to be added up and made greatest."""
        counts = [((self.level != WAITS) & (self.level <= tier)).astype(np.int64) for tier in range(self.tiers)]
        return [*counts, self.fair, self.points]


def _problem(
    case: Market, held: Ints, foes: Ints, floors: dict[int, int], short: tuple[Ints, ...], wished: Bools | None = None
) -> _Problem:
    """The network of values. `floors`: by municipality the number of its needs that may wait without lacking; `short`: its needs.

    `wished`: by edge of the market, what may be held for a need that is to be placed before all others, and nowhere else.
    """
    need = case.edge_need
    free = held < 0
    places = case.lot_places - np.bincount(held[~free], minlength=len(case.lot_places))
    open_edge = free[need] & (places[case.edge_lot] > 0)
    at = np.full(len(held), -1, dtype=np.int64)
    at[~free] = case.lot_unit[held[~free]]
    asked = np.zeros(len(held), dtype=bool)
    if wished is not None:
        asked[need[wished]] = True
        at[need[wished]] = case.lot_unit[case.edge_lot[wished]]
        open_edge &= wished | ~asked[need]
    if len(foes) and (at >= 0).any():
        open_edge &= ~_beside_foe(case, at, foes)
    source = np.flatnonzero(open_edge)
    points = case.edge_points[source]
    least, most = (int(points.min()), int(points.max())) if len(points) else (0, 0)
    needs = len(case.tier)
    seats = min(total(places), len(np.unique(need[source])))
    reach = (seats + 2) * (most - least + 1)
    spared = 4 * reach
    base = 4 * (needs + 2) * spared if floors else 4 * reach
    tiers = len(case.tiers)
    if (tiers + 2 + int(asked.any())) * base * 4 >= LARGEST:
        raise SampladsError("allocation_points_too_large", frame="pairs", column="points")
    level = np.where(asked[need[source]], WISHED, case.tier[need[source]])
    # A unit that is held stands above all tiers.
    lot, value = case.edge_lot[source], base * (tiers - np.maximum(level, -1)) + points - least
    who, fair, units = need[source], np.zeros(len(source), dtype=np.int64), case.lot_unit
    points = points - least
    for extra, (municipality, may_wait) in enumerate(sorted(floors.items())):
        members = short[municipality]
        inside = np.zeros(needs, dtype=bool)
        inside[members] = True
        fair = np.where(inside[who] & (lot < len(case.lot_places)), 1, fair)
        lots = len(case.lot_places) + extra
        who, lot = np.append(who, members), np.append(lot, np.full(len(members), lots))
        value = np.append(value, np.full(len(members), spared))
        level, fair = np.append(level, np.full(len(members), WAITS)), np.append(fair, np.ones(len(members), dtype=np.int64))
        points, source = np.append(points, np.zeros(len(members), dtype=np.int64)), np.append(source, np.full(len(members), -1))
        places, units = np.append(places, may_wait), np.append(units, -1)
    if floors:
        order = np.lexsort((lot, who))
        who, lot, value, level, fair, points, source = (a[order] for a in (who, lot, value, level, fair, points, source))
        value = value + np.where((level != WAITS) & (fair == 1), spared, 0)
    network = Network.of(needs, places, who, lot, value)
    return _Problem(network, source, units, base, least, level, fair, points, tiers, spared if floors else 0, floors)


def held_lots(holds: pl.DataFrame | None, case: Market, longest_wait: int | None = None, rules: _Rules | None = None) -> Ints:
    """By need: the lot that is held for it. A hold names the unit: of its lots, with dated places, it is the one of the best plan.

    A lot that opens later than the longest wait is held only where the others of the unit have no room for all that is held in it.
    """
    held = np.full(len(case.tier), -1, dtype=np.int64)
    if holds is None or holds.height == 0:
        return held
    number, frame = market.by_need(holds, "holds", case.need_ids, "unit_id")
    unit = market.numbers(market.ids(frame, "holds", "unit_id", market.kind(case.unit_ids)), case.unit_ids)
    at = np.full(len(case.tier), -2, dtype=np.int64)
    at[number[number >= 0]] = unit[number >= 0]
    mine = at[case.edge_need] == case.lot_unit[case.edge_lot]
    edges = np.bincount(case.edge_need[mine], minlength=len(at))
    for row in np.argsort(number, kind="stable").tolist():
        if number[row] < 0 or edges[number[row]] == 0:
            raise SampladsError("allocation_hold_without_pair", need=frame["need_id"][row], unit=frame["unit_id"][row])
    foes = np.zeros((0, 2), dtype=np.int64) if rules is None else rules.foes
    for one, other in foes[(at[foes[:, 0]] >= 0) & (at[foes[:, 0]] == at[foes[:, 1]])].tolist()[:1]:
        named = {"need_a": case.need_ids[one], "need_b": case.need_ids[other], "unit": case.unit_ids[int(at[one])]}
        raise SampladsError("allocation_holds_incompatible", **named)
    usable = mine & (case.lot_places[case.edge_lot] > 0)
    if longest_wait is not None:
        soon = usable & (case.edge_waits <= longest_wait)
        crowded = np.unique(at[(at >= 0) & ~_fits(case, soon)])
        usable &= soon | np.isin(case.lot_unit[case.edge_lot], crowded)
    outside = np.flatnonzero((at >= 0) & ~_fits(case, usable))
    if len(outside):
        raise SampladsError("allocation_hold_over_places", unit=case.unit_ids[int(at[outside[0]])])
    if np.bincount(case.edge_need[usable], minlength=len(at)).max(initial=0) > 1:
        rules = rules or _Rules(foes, None, Fraction(0), 0)
        problem, assignment, _ = _planned(case, held, rules, _telling(None), usable)
        return np.where(at >= 0, _lots_of(problem, assignment.edge, held), -1)
    held[case.edge_need[usable]] = case.edge_lot[usable]
    return held


def _fits(case: Market, usable: Bools) -> Bools:
    """By need: whether there is room for it where as many as possible are given one of these edges."""
    edges = np.flatnonzero(usable)
    network = Network.of(len(case.tier), case.lot_places, case.edge_need[edges], case.edge_lot[edges], np.ones(len(edges), dtype=np.int64))
    return optimum(network).edge >= 0


def _foes(incompatible: pl.DataFrame | None, case: Market) -> Ints:
    """Pairs of needs (two columns, the lower first, sorted, without repeats) that must not live in the same unit."""
    if incompatible is None or incompatible.height == 0:
        return np.zeros((0, 2), dtype=np.int64)
    market.columns(incompatible, "incompatible", "need_a", "need_b")
    like = market.kind(case.need_ids)
    one = market.ids(incompatible, "incompatible", "need_a", like)
    other = market.ids(incompatible, "incompatible", "need_b", like)
    same = one.filter(one == other)
    if same.len():
        raise SampladsError("allocation_incompatible_with_itself", need=same[0])
    couple = np.column_stack([market.numbers(one, case.need_ids), market.numbers(other, case.need_ids)])
    couple = couple[(couple >= 0).all(axis=1)]
    return np.unique(np.sort(couple, axis=1), axis=0).astype(np.int64)


def _beside_foe(case: Market, at: Ints, foes: Ints) -> Bools:
    """By edge: whether a foe of the need already holds a place in the unit. `at`: by need the unit that is held for it, -1 for none."""
    units = len(case.unit_ids)
    both = np.concatenate([foes, foes[:, ::-1]])
    both = both[at[both[:, 0]] >= 0]
    barred = both[:, 1] * units + at[both[:, 0]]
    return np.isin(case.edge_need * units + case.lot_unit[case.edge_lot], barred)


def _lots_of(problem: _Problem, edge: Ints, held: Ints) -> Ints:
    """By need: the lot of the market it gets or holds, -1 for none."""
    lot = held.copy()
    placed = np.flatnonzero(edge >= 0)
    real = placed[problem.source[edge[placed]] >= 0]
    lot[real] = problem.network.lot[edge[real]]
    return lot


def _municipalities(group: pl.DataFrame, case: Market) -> tuple[Ints, pl.Series, Ints]:
    """By need its municipality's number; the names; and by municipality how many needs the group frame gives it."""
    number, frame = market.by_need(group, "group", case.need_ids, "municipality")
    names = frame["municipality"].unique().sort()
    side = frame.select(pl.col("municipality").rank("dense") - 1)["municipality"].to_numpy().astype(np.int64)
    by_need = np.full(len(case.tier), -1, dtype=np.int64)
    known = number >= 0
    by_need[number[known]] = side[known]
    if (by_need < 0).any():
        raise SampladsError("allocation_group_missing", need=case.need_ids[int(np.flatnonzero(by_need < 0)[0])])
    return by_need, names, np.bincount(side, minlength=names.len()).astype(np.int64)


def _most_placed(problem: _Problem, assignment: Assignment, held: Ints, foes: Ints, node_limit: int, tick: Callable[[], None]) -> int:
    """How many needs a plan can place that keeps residents apart (no plan places more, where the node limit ends the search)."""
    kept = apart.keep(problem.network, assignment, problem.units, foes, problem.aims(), problem.base, node_limit, tick)
    return kept.bounds[problem.tiers - 1] + int((held >= 0).sum())


def _floors(within: Fraction, sides: tuple[Ints, pl.Series, Ints], placed: int) -> Ints:
    """By municipality: the least number placed with a share of at least the overall share less `within`, in exact fractions."""
    sizes = sides[2].tolist()
    share = Fraction(placed, max(1, sum(sizes))) - within
    return np.array([max(0, -((-share.numerator * size) // share.denominator)) for size in sizes], dtype=np.int64)


def _below(problem: _Problem, edge: Ints, held: Ints, side: Ints, floors: Ints) -> list[int]:
    """Municipalities that a plan leaves below a floor which is not in its problem."""
    placed = np.bincount(side[_lots_of(problem, edge, held) >= 0], minlength=len(floors))
    return [one for one in np.flatnonzero(placed < floors).tolist() if one not in problem.waits]


def _fair(
    case: Market,
    held: Ints,
    foes: Ints,
    side: Ints,
    floors: Ints,
    problem: _Problem,
    assignment: Assignment,
    wished: Bools | None,
    tick: Callable[[], None],
) -> tuple[_Problem, Assignment]:
    """Aim 2: floors are added for the municipalities that the plan leaves below theirs, until no other one falls below.

    A municipality with floor l gets one lot "may wait" of (its needs - l) places; who neither is placed nor fits in there is lacking.
    Leaving out floors that are met anyway only widens the choice, so the plan that ends the loop is best with all floors.
    """
    movable = held < 0
    members = tuple(np.flatnonzero((side == one) & movable) for one in range(len(floors)))
    while True:
        below = _below(problem, assignment.edge, held, side, floors)
        if len(foes):
            # Keeping foes apart moves needs later on: then every floor has to stand from the start.
            below = [one for one in np.flatnonzero(floors > 0).tolist() if one not in problem.waits]
        if not below:
            return problem, assignment
        bound = dict(problem.waits)
        for one in below:
            firm = int((held[side == one] >= 0).sum())
            bound[one] = len(members[one]) - min(len(members[one]), max(0, int(floors[one]) - firm))
        problem = _problem(case, held, foes, bound, members, wished)
        assignment = optimum(problem.network, tick)


def _settle(problem: _Problem, assignment: Assignment, turn: Ints, tick: Callable[[], None]) -> Ints:
    """Ties by the published rule: the optimum of the tight edges for waiting time first and low unit ids second.

    Every plan on tight edges that places each need of utility > 0 and fills each lot of price > 0 is optimal, and no other is
    (complementary slackness). Which needs it places is again a matroid, so the least sum of turns is the set that comes first in turn.
    """
    network = problem.network
    slack = assignment.utility[network.need] + assignment.price[network.lot] - network.value
    tight = np.flatnonzero((slack == 0) & (network.capacity[network.lot] > 0))
    need, lot = network.need[tight], network.lot[tight]
    first = np.searchsorted(need, np.arange(network.needs + 1))
    position = np.arange(len(tight)) - first[need]
    last = np.maximum(first[1:] - first[:-1] - 1, 0)
    waits = problem.source[tight] < 0
    open_needs = (assignment.utility == 0) & (first[1:] > first[:-1])
    open_needs[need[waits]] = True
    if not open_needs.any() and not last.any():
        return assignment.edge
    queue = np.zeros(network.needs, dtype=np.int64)
    waiting = np.flatnonzero(open_needs)
    waiting = waiting[np.argsort(turn[waiting])]
    queue[waiting] = np.arange(len(waiting), 0, -1)
    must_place, must_fill = assignment.utility > 0, assignment.price > 0
    for weight, by_position in ((total(last) + 1, True), (1, False)):
        tie = np.where(waits, 0, queue[need]) * weight + ((last[need] - position) if by_position else 0)
        reach = np.zeros(network.needs, dtype=np.int64)
        np.maximum.at(reach, need, tie)
        force = total(reach) + 1
        if 16 * force < LARGEST:
            value = tie + force * must_place[need] + force * must_fill[lot]
            settled = optimum(Network.of(network.needs, network.capacity, need, lot, value), tick).edge
            edge = np.where(settled >= 0, tight[np.maximum(settled, 0)], -1)
            if total(network.value[edge[edge >= 0]]) != assignment.value:
                raise ArithmeticError("settling ties changed the value of the plan")
            return edge
    return assignment.edge


def _result(
    solved: Solved, outcome: apart.Kept, sides: tuple[Ints, pl.Series, Ints] | None, floors: Ints | None, digest: str, began: float
) -> Allocation:
    case, lot = solved.market, solved.lot
    placed = np.flatnonzero(lot >= 0)
    lots = max(1, len(case.lot_places))
    edge = np.searchsorted(case.edge_need * lots + case.edge_lot, placed * lots + lot[placed])
    points = case.edge_points[edge]
    frame = pl.DataFrame(
        {
            "need_id": case.need_ids.gather(placed),
            "unit_id": case.unit_ids.gather(case.lot_unit[lot[placed]]),
            "points": pl.Series(points, dtype=pl.Int64),
        }
    )
    frame = _as_given(frame, solved.pairs)
    if case.lot_month is not None:
        dates = solved.capacity["opens"].dtype in (pl.Date, pl.Datetime)
        opens = [market.month_value(int(month), dates) for month in case.lot_month[lot[placed]]]
        frame = frame.with_columns(
            pl.Series("opens", opens, dtype=pl.Date if dates else pl.Int64),
            pl.Series("months_waited", case.edge_waits[edge], dtype=pl.Int64),
        )
    tiers = len(case.tiers)
    held_tiers, held_edges = case.tier[solved.held >= 0], np.flatnonzero(solved.held[placed] >= 0)
    firm = np.cumsum(np.bincount(held_tiers, minlength=tiers))
    counts = np.cumsum(np.bincount(case.tier[placed], minlength=tiers))
    counts_bound = tuple(int(own + given) for own, given in zip(firm, outcome.bounds[:tiers], strict=True))
    objective = total(points)
    bound = outcome.bounds[-1] + solved.least * int(counts[-1] - len(held_edges)) + total(points[held_edges])
    by_tier = tuple(int(count) for count in counts)
    missing = np.flatnonzero(lot < 0)
    tier_names = pl.Series("tier", [case.tiers[tier] for tier in case.tier[missing].tolist()], dtype=pl.Int64)
    return Allocation(
        chosen=frame,
        objective=objective,
        bound=max(objective, bound),
        gap=_gap((*by_tier, outcome.reached[tiers], objective), (*counts_bound, outcome.bounds[tiers], max(objective, bound))),
        status=OPTIMAL if outcome.proven else LIMIT,
        seconds=time.perf_counter() - began,
        placed_by_tier=by_tier,
        placed_bound=counts_bound,
        tiers=case.tiers,
        unplaced=_as_given(pl.DataFrame({"need_id": case.need_ids.gather(missing), "tier": tier_names}), solved.pairs),
        shares=None if sides is None or floors is None else _shares(sides, floors, lot),
        solver=f"scipy {scipy.__version__}",
        digest=digest,
        solved=solved,
    )


def _as_given(frame: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Ids in the kind the caller uses."""
    if pairs.height == 0:
        return frame
    return frame.with_columns(pl.col(name).cast(pairs.schema[name]) for name in ("need_id", "unit_id") if name in frame.columns)


def _gap(reached: tuple[int, ...], bounds: tuple[int, ...]) -> float:
    for own, bound in zip(reached, bounds, strict=True):
        if own != bound:
            return abs(bound - own) / max(1, abs(bound))
    return 0.0


def _shares(sides: tuple[Ints, pl.Series, Ints], floors: Ints, lot: Ints) -> pl.DataFrame:
    side, names, sizes = sides
    placed = np.bincount(side[lot >= 0], minlength=len(sizes))
    return pl.DataFrame(
        {
            "municipality": names,
            "needs": sizes,
            "placed": placed,
            "share": placed / np.maximum(1, sizes),
            "floor": floors,
            "lacking": np.maximum(0, floors - placed),
        }
    )


def _digest(case: Market, held: Ints, rules: _Rules) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for series in (case.need_ids, case.unit_ids):
        digest.update("\x1f".join(str(one) for one in series.to_list()).encode())
    arrays = (case.edge_need, case.edge_lot, case.edge_points, case.lot_unit, case.lot_places, case.tier, case.turn, held, rules.foes)
    dated = () if case.lot_month is None else (case.lot_month, case.edge_waits)
    for array in (*arrays, *dated):
        digest.update(np.ascontiguousarray(array).tobytes() + b"|")
    digest.update(f"{case.tiers}{rules.node_limit}".encode())
    if rules.sides is not None:
        digest.update(rules.sides[0].tobytes() + rules.sides[2].tobytes() + str(rules.within).encode())
    return digest.hexdigest()


def _telling(progress: Progress | None) -> Progress:
    return progress if progress is not None else (lambda _step, _share: None)


def _ticking(tell: Progress, step: str, start: float, end: float) -> Callable[[], None]:
    """A tick that comes nearer to `end` each time: how many rounds there will be is not known beforehand."""
    done = [start]

    def tick() -> None:
        tell(step, done[0])
        done[0] += (end - done[0]) / 3

    return tick
