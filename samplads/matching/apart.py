"""Residents who must not live in the same unit: the smallest loss against the plan that forgets about them.

The plan without the rule bounds every plan with it. The bound gets near once every rule r ("of these edges at most one") has a price
l_r >= 0 that each of its edges pays: the problem is then the plain one again, solved exactly in integers, and its value plus the sum of
all l_r bounds every plan that keeps the rules (Lagrange; any prices will do, good ones come from a linear programme and are rounded).
Written in the prices of that bound, what a plan lacks to it is

    loss = sum over chosen edges of (u_i + p_j + prices of its rules - v_ij) + u_i of needs left out + p_j of places left vacant
           + l_r of rules of which no edge is used

where no term is negative. So an edge, need, place or rule whose own term is above t cannot count in a plan with a loss of t or less, and:

1. Where the plan without the rule breaks none, it is the answer.
2. Else an integer programme of the terms up to t only, for the part of the graph that hangs together with a rule that matters. If its loss
   is at most t it is best of all; if not, t becomes that loss (or grows until there is a plan) and the programme is solved once more. The
   numbers in it are small, so the tolerances of the solver (1e-6) cannot blur a point.
3. Where so small a loss cannot be had (a placement is lost), one programme for each aim, with the aims before it kept.

Ties between plans that all keep the rules are settled by the solver, on rows sorted by id.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from samplads.matching.assignment import Assignment, Bools, Ints, Network, Tick, optimum, total


@dataclass(frozen=True, eq=False)
class Kept:
    """A plan that keeps them apart."""

    edge: Ints
    """By need: its edge, -1 for none."""
    reached: tuple[int, ...]
    """By aim: what the plan has."""
    bounds: tuple[int, ...]
    """By aim: the most that any plan has which is as good in the aims before."""
    proven: bool
    loss: int
    """Value lacking to the plan without the rule: 0 where the rule costs nothing."""


def broken(network: Network, edge: Ints, units: Ints, foes: Ints) -> Ints:
    """Rows of `foes` whose two needs are placed in the same unit."""
    unit = np.full(network.needs, -1, dtype=np.int64)
    placed = edge >= 0
    unit[placed] = units[network.lot[edge[placed]]]
    return np.flatnonzero((unit[foes[:, 0]] >= 0) & (unit[foes[:, 0]] == unit[foes[:, 1]]))


def keep(
    network: Network, assignment: Assignment, units: Ints, foes: Ints, aims: list[Ints], base: int, node_limit: int, tick: Tick
) -> Kept:
    """The best plan that keeps `foes` (pairs of needs, two columns) out of each other's unit. `units` is the unit by lot, -1 for none."""
    loose = _reached(assignment.edge, aims)
    wrong = broken(network, assignment.edge, units, foes)
    if len(wrong) == 0:
        return Kept(assignment.edge, loose, loose, True, 0)
    rules = _rules(network, units, foes)
    usable = network.capacity[network.lot] > 0
    plain = _Bound(network, assignment, np.zeros(len(rules), dtype=np.int64))
    slack = plain.slack(network)
    wanted = min(2 * network.needs, int(usable.sum()) - 1)
    limit = max(1, int(np.partition(slack[usable], wanted)[wanted]))
    bound: _Bound | None = None
    while bound is None and limit < base // 2:
        tick()
        part = _Part(network, plain, rules, usable & (slack <= limit), limit)
        prices = part.rule_prices()
        if prices is None:
            limit *= 4
        else:
            bound = _priced(network, rules, prices, plain)
    limit = 4
    while bound is not None and limit < base // 2:
        tick()
        part = _Part(network, bound, rules, usable & (bound.slack(network) <= limit), limit)
        answer = part.least_loss(node_limit)
        if answer is None:
            limit *= 4
            continue
        edge, floor, finished = answer
        lacking = assignment.value - bound.value
        loss = bound.value - total(network.value[edge[edge >= 0]])
        if lacking + loss >= base // 2:
            break
        if not finished:
            most = (*loose[:-1], loose[-1] - lacking - min(floor, limit))
            return Kept(edge, _reached(edge, aims), most, False, lacking + loss)
        if loss <= limit:
            reached = _reached(edge, aims)
            return Kept(edge, reached, reached, True, lacking + loss)
        limit = loss
    return _aim_by_aim(network, assignment, rules, wrong, foes, usable, aims, loose, node_limit, tick)


@dataclass(frozen=True, eq=False)
class _Bound:
    """The plain problem in which edges pay for their rules."""

    network: Network
    assignment: Assignment
    prices: Ints
    """By rule."""

    @property
    def value(self) -> int:
        return self.assignment.value + total(self.prices)

    def slack(self, network: Network) -> Ints:
        return self.assignment.utility[network.need] + self.assignment.price[network.lot] - self.network.value


def _priced(network: Network, rules: list[Ints], prices: Ints, plain: _Bound) -> _Bound:
    """The bound with these prices, or the one without where that is nearer."""
    value = network.value.copy()
    for rule, price in zip(rules, prices.tolist(), strict=True):
        value[rule] -= price
    paying = Network(network.needs, network.capacity, network.need, network.lot, value, network.first)
    bound = _Bound(paying, optimum(paying), prices)
    return bound if bound.value < plain.value else plain


def _reached(edge: Ints, aims: list[Ints]) -> tuple[int, ...]:
    taken = edge[edge >= 0]
    return tuple(total(aim[taken]) for aim in aims)


def _rules(network: Network, units: Ints, foes: Ints) -> list[Ints]:
    """Sets of edges of which a plan may have one: for each pair of foes and each unit that both could use."""
    rules = []
    for one, other in foes.tolist():
        mine = np.arange(network.first[one], network.first[one + 1])
        theirs = np.arange(network.first[other], network.first[other + 1])
        my_units, their_units = units[network.lot[mine]], units[network.lot[theirs]]
        for unit in np.intersect1d(my_units, their_units).tolist():
            if unit >= 0:
                rules.append(np.concatenate([mine[my_units == unit], theirs[their_units == unit]]))
    return rules


def _around(network: Network, edges: Bools, start: Ints, end: Ints, seeds: Ints) -> Bools:
    """By need: whether it hangs together with one of `seeds` through the edges or through pairs of needs (start, end)."""
    positions = np.flatnonzero(edges)
    size = network.needs + len(network.capacity)
    start = np.concatenate([network.need[positions], start])
    end = np.concatenate([network.needs + network.lot[positions], end])
    _, label = connected_components(coo_array((np.ones(len(start)), (start, end)), shape=(size, size)), directed=False)
    return np.asarray(np.isin(label[: network.needs], label[seeds]))


class _Part:
    """The terms up to a limit, for the needs that hang together with a rule that is broken or has a price."""

    def __init__(self, network: Network, bound: _Bound, rules: list[Ints], edges: Bools, limit: int) -> None:
        self.bound = bound
        assignment = bound.assignment
        own = np.zeros(len(network.need), dtype=bool)
        own[assignment.edge[assignment.edge >= 0]] = True
        seeds = [network.need[rule] for rule, price in zip(rules, bound.prices.tolist(), strict=True) if price or own[rule].sum() > 1]
        start = np.array([network.need[rule[0]] for rule in rules], dtype=np.int64)
        end = np.array([network.need[rule[-1]] for rule in rules], dtype=np.int64)
        inside = _around(network, edges | own, start, end, np.concatenate(seeds) if seeds else start[:0])
        self.who = np.flatnonzero(inside)
        self.positions = np.flatnonzero(edges & inside[network.need])
        mine = assignment.edge[self.who]
        self.lots = np.unique(np.concatenate([network.lot[self.positions], network.lot[mine[mine >= 0]]]))
        self.network = network
        number = np.full(network.needs, -1, dtype=np.int64)
        number[self.who] = np.arange(len(self.who))
        place = np.full(len(network.capacity), -1, dtype=np.int64)
        place[self.lots] = np.arange(len(self.lots))
        column = np.full(len(network.need), -1, dtype=np.int64)
        column[self.positions] = np.arange(len(self.positions))
        self.rules = [rule for rule in range(len(rules)) if inside[start[rule]]]
        kept = [column[rules[rule]] for rule in self.rules]
        kept = [one[one >= 0] for one in kept]
        prices = bound.prices[self.rules]
        needs, lots = len(self.who), len(self.lots)
        out_of = np.flatnonzero(assignment.utility[self.who] <= limit)
        vacant = np.flatnonzero(assignment.price[self.lots] <= limit)
        unused = np.flatnonzero(prices <= limit)
        sizes = np.array([len(one) for one in kept], dtype=np.int64)
        edge_rows = np.concatenate([number[network.need[self.positions]], needs + place[network.lot[self.positions]]])
        rule_rows = needs + lots + np.repeat(np.arange(len(kept)), sizes)
        slack_rows = np.concatenate([out_of, needs + vacant, needs + lots + unused])
        count = len(self.positions)
        self.width = count + len(slack_rows)
        rows = np.concatenate([edge_rows, rule_rows, slack_rows])
        columns = np.concatenate(
            [np.tile(np.arange(count), 2), np.concatenate(kept) if kept else sizes, count + np.arange(len(slack_rows))]
        )
        self.matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(needs + lots + len(kept), self.width))
        self.exact = np.concatenate([np.ones(needs), network.capacity[self.lots].astype(np.float64), np.ones(len(kept))])
        self.first_rule = needs + lots
        self.cost = np.concatenate(
            [
                bound.slack(network)[self.positions],
                assignment.utility[self.who][out_of],
                assignment.price[self.lots][vacant],
                prices[unused],
            ]
        ).astype(np.float64)
        self.most = np.concatenate(
            [np.ones(count + len(out_of)), network.capacity[self.lots][vacant].astype(np.float64), np.ones(len(unused))]
        )
        self.all_rules = len(rules)

    def rule_prices(self) -> Ints | None:
        """Prices of all rules by the linear programme of this part, in whole numbers; None where there is no plan in it."""
        answer = linprog(
            self.cost, A_eq=self.matrix, b_eq=self.exact, bounds=np.column_stack([np.zeros(self.width), self.most]), method="highs-ds"
        )
        if answer.status != 0:
            return None
        prices = np.zeros(self.all_rules, dtype=np.int64)
        prices[self.rules] = np.maximum(0, np.rint(-answer.eqlin.marginals[self.first_rule :])).astype(np.int64)
        return prices

    def least_loss(self, node_limit: int) -> tuple[Ints, int, bool] | None:
        """Step 2: (edge by need, the least loss that any plan with terms up to the limit has, finished), None where there is no plan."""
        count = len(self.positions)
        answer = milp(
            self.cost,
            integrality=np.concatenate([np.ones(count), np.zeros(self.width - count)]),
            bounds=Bounds(0, self.most),
            constraints=[LinearConstraint(self.matrix, self.exact, self.exact)],
            options={"node_limit": node_limit, "mip_rel_gap": 0.0},
        )
        if answer.x is None:
            return None
        taken = self.positions[answer.x[:count] > 0.5]
        edge = self.bound.assignment.edge.copy()
        edge[self.who] = -1
        edge[self.network.need[taken]] = taken
        loss = self.bound.value - total(self.network.value[edge[edge >= 0]])
        floor = max(0, int(np.ceil(float(answer.mip_dual_bound) - 1e-3)))
        return edge, floor, bool(answer.status == 0 and floor >= loss)


def _aim_by_aim(
    network: Network,
    assignment: Assignment,
    rules: list[Ints],
    wrong: Ints,
    foes: Ints,
    usable: Bools,
    aims: list[Ints],
    loose: tuple[int, ...],
    node_limit: int,
    tick: Tick,
) -> Kept:
    """Step 3. The plan to fall back on gives up the later-numbered need of each broken rule."""
    inside = _around(network, usable, foes[:, 0], foes[:, 1], foes[wrong, 0])
    positions = np.flatnonzero(usable & inside[network.need])
    edge = assignment.edge.copy()
    edge[foes[wrong, 1]] = -1
    outside = np.where(inside, -1, assignment.edge)
    fixed = _reached(outside, aims)
    column = np.full(len(network.need), -1, dtype=np.int64)
    column[positions] = np.arange(len(positions))
    width = len(positions)
    columns = np.arange(width)
    balance = csr_array(
        (np.ones(2 * width), (np.concatenate([network.need[positions], network.needs + network.lot[positions]]), np.tile(columns, 2))),
        shape=(network.needs + len(network.capacity), width),
    )
    together = _rule_rows(rules, column, width)
    matrix = vstack([balance, together]).tocsr()
    limits = np.concatenate([np.ones(network.needs), network.capacity.astype(np.float64), np.ones(together.shape[0])])
    bounds: list[int] = []
    proven = True
    goals: list[csr_array] = []
    goal_limits: list[float] = []
    for aim, free in zip(aims, loose, strict=True):
        tick()
        weight = aim[positions]
        inner = np.where(inside, edge, -1)
        have = total(aim[inner[inner >= 0]])
        constraints = [LinearConstraint(matrix, -np.inf, limits)]
        if goals:
            constraints.append(LinearConstraint(vstack(goals).tocsr(), np.array(goal_limits) - 0.5, np.inf))
        answer = milp(
            -weight.astype(np.float64),
            integrality=np.ones(width),
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"node_limit": node_limit, "mip_rel_gap": 0.0},
        )
        top = _ceiling(network, positions, weight)
        if answer.x is not None:
            taken = positions[answer.x > 0.5]
            reached = total(aim[taken])
            if reached >= have:
                edge = outside.copy()
                edge[network.need[taken]] = taken
                have = reached
        if proven and answer.mip_dual_bound is not None:
            top = min(top, int(np.floor(-float(answer.mip_dual_bound) + 1e-3)))
        # Counts never exceed the plan without the rule; points may, where fewer are placed.
        if aim is not aims[-1] and proven:
            top = min(top, free - fixed[len(bounds)])
        proven = proven and have >= top
        bounds.append(max(have, top) + fixed[len(bounds)])
        goals.append(csr_array(weight.astype(np.float64)[None, :]))
        goal_limits.append(float(have))
    return Kept(edge, _reached(edge, aims), tuple(bounds), proven, assignment.value - total(network.value[edge[edge >= 0]]))


def _rule_rows(rules: list[Ints], column: Ints, width: int) -> csr_array:
    """One row for each rule, on those edges that have a column."""
    kept = [column[rule][column[rule] >= 0] for rule in rules]
    kept = [one for one in kept if len(one) > 1]
    if not kept:
        return csr_array((0, width))
    where = np.repeat(np.arange(len(kept)), [len(one) for one in kept])
    flat = np.concatenate(kept)
    return csr_array((np.ones(len(flat)), (where, flat)), shape=(len(kept), width))


def _ceiling(network: Network, positions: Ints, weight: Ints) -> int:
    """What no plan exceeds: each need its best."""
    best = np.zeros(network.needs, dtype=np.int64)
    np.maximum.at(best, network.need[positions], weight)
    return total(best)
