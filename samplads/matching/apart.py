"""Residents who must not live in the same unit: the smallest loss against the plan that forgets about them.

The plan without the rule bounds every plan with it. Written in its prices, the value that a plan lacks to that bound is

    loss = sum over chosen edges of (u_i + p_j - v_ij) + sum over needs left out of u_i + sum over places left vacant of p_j

where no term is negative. So an edge, need or place whose own term is above t cannot be part of a plan with a loss of t or less, and:

1. Where the plan breaks no rule, it is the answer.
2. Else an integer programme of the terms up to t only, for the part of the graph that hangs together with a broken rule. If its loss is at
   most t it is best of all; if not, t becomes that loss (or grows until there is a plan) and the programme is solved once more. The numbers
   in it are small, so the tolerances of the solver (1e-6) cannot blur a point.
3. Where so small a loss cannot be had (a placement is lost), one programme for each aim, with the aims before it kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from samplads.matching.assignment import Assignment, Bools, Ints, Network, Tick, total


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
    rows = _together(network, units, foes)
    slack = assignment.utility[network.need] + assignment.price[network.lot] - network.value
    usable = network.capacity[network.lot] > 0
    wanted = min(4 * network.needs, int(usable.sum()) - 1)
    limit = max(1, int(np.partition(slack[usable], wanted)[wanted]))
    while limit < base // 2:
        tick()
        answer = _least_loss(network, assignment, rows, wrong, foes, slack, usable & (slack <= limit), limit, node_limit)
        if answer is None:
            limit *= 8
            continue
        edge, loss, floor, finished = answer
        if not finished:
            if loss < base // 2:
                return Kept(edge, _reached(edge, aims), (*loose[:-1], loose[-1] - min(floor, limit)), False, loss)
            break
        if loss <= limit:
            reached = _reached(edge, aims)
            return Kept(edge, reached, reached, True, loss)
        limit = loss
    return _aim_by_aim(network, assignment, rows, wrong, foes, usable, aims, loose, node_limit, tick)


def _reached(edge: Ints, aims: list[Ints]) -> tuple[int, ...]:
    taken = edge[edge >= 0]
    return tuple(total(aim[taken]) for aim in aims)


def _together(network: Network, units: Ints, foes: Ints) -> list[Ints]:
    """Sets of edges of which a plan may have one: for each pair of foes and each unit that both could use."""
    rows = []
    for one, other in foes.tolist():
        mine = np.arange(network.first[one], network.first[one + 1])
        theirs = np.arange(network.first[other], network.first[other + 1])
        my_units, their_units = units[network.lot[mine]], units[network.lot[theirs]]
        for unit in np.intersect1d(my_units, their_units).tolist():
            if unit >= 0:
                rows.append(np.concatenate([mine[my_units == unit], theirs[their_units == unit]]))
    return rows


def _around(network: Network, edges: Bools, foes: Ints, wrong: Ints) -> Bools:
    """By need: whether it hangs together with a broken rule through the edges or through foes."""
    positions = np.flatnonzero(edges)
    size = network.needs + len(network.capacity)
    start = np.concatenate([network.need[positions], foes[:, 0]])
    end = np.concatenate([network.needs + network.lot[positions], foes[:, 1]])
    _, label = connected_components(coo_array((np.ones(len(start)), (start, end)), shape=(size, size)), directed=False)
    return np.asarray(np.isin(label[: network.needs], label[foes[wrong, 0]]))


def _rules(rows: list[Ints], column: Ints, width: int) -> csr_array:
    """One row for each rule, on those edges that have a column."""
    kept = [row[column[row] >= 0] for row in rows]
    kept = [row for row in kept if len(row) > 1]
    if not kept:
        return csr_array((0, width))
    where = np.repeat(np.arange(len(kept)), [len(row) for row in kept])
    flat = np.concatenate(kept)
    return csr_array((np.ones(len(flat)), (where, column[flat])), shape=(len(kept), width))


def _least_loss(
    network: Network,
    assignment: Assignment,
    rows: list[Ints],
    wrong: Ints,
    foes: Ints,
    slack: Ints,
    edges: Bools,
    limit: int,
    node_limit: int,
) -> tuple[Ints, int, int, bool] | None:
    """Step 2: (edge by need, loss, least possible loss within the limit, whether the search was finished), None where there is no plan."""
    inside = _around(network, edges | _mine(network, assignment.edge), foes, wrong)
    positions = np.flatnonzero(edges & inside[network.need])
    who = np.flatnonzero(inside)
    lots = np.unique(np.concatenate([network.lot[positions], network.lot[assignment.edge[who][assignment.edge[who] >= 0]]]))
    # Lots of this part that others also use do not exist: such needs would hang together with it.
    out_of = np.flatnonzero(assignment.utility[who] <= limit)
    vacant = np.flatnonzero(assignment.price[lots] <= limit)
    width = len(positions) + len(out_of) + len(vacant)
    number = np.full(network.needs, -1, dtype=np.int64)
    number[who] = np.arange(len(who))
    place = np.full(len(network.capacity), -1, dtype=np.int64)
    place[lots] = np.arange(len(lots))
    columns = np.arange(len(positions))
    balance = csr_array(
        (
            np.ones(2 * len(positions) + len(out_of) + len(vacant)),
            (
                np.concatenate([number[network.need[positions]], len(who) + place[network.lot[positions]], out_of, len(who) + vacant]),
                np.concatenate([columns, columns, len(positions) + np.arange(len(out_of) + len(vacant))]),
            ),
        ),
        shape=(len(who) + len(lots), width),
    )
    exact = np.concatenate([np.ones(len(who)), network.capacity[lots].astype(np.float64)])
    column = np.full(len(network.need), -1, dtype=np.int64)
    column[positions] = columns
    rules = _rules(rows, column, width)
    cost = np.concatenate([slack[positions], assignment.utility[who][out_of], assignment.price[lots][vacant]]).astype(np.float64)
    most = np.concatenate([np.ones(len(positions) + len(out_of)), network.capacity[lots][vacant].astype(np.float64)])
    constraints = [LinearConstraint(balance, exact, exact)]
    if rules.shape[0]:
        constraints.append(LinearConstraint(rules, -np.inf, 1))
    whole = np.concatenate([np.ones(len(positions)), np.zeros(width - len(positions))])
    answer = milp(
        cost, integrality=whole, bounds=Bounds(0, most), constraints=constraints, options={"node_limit": node_limit, "mip_rel_gap": 0.0}
    )
    if answer.x is None:
        return None
    taken = positions[answer.x[: len(positions)] > 0.5]
    edge = assignment.edge.copy()
    edge[who] = -1
    edge[network.need[taken]] = taken
    loss = assignment.value - total(network.value[edge[edge >= 0]])
    floor = int(np.ceil(float(answer.mip_dual_bound) - 1e-3))
    return edge, loss, max(0, floor), bool(answer.status == 0 and floor >= loss)


def _mine(network: Network, edge: Ints) -> Bools:
    mine = np.zeros(len(network.need), dtype=bool)
    mine[edge[edge >= 0]] = True
    return mine


def _aim_by_aim(
    network: Network,
    assignment: Assignment,
    rows: list[Ints],
    wrong: Ints,
    foes: Ints,
    usable: Bools,
    aims: list[Ints],
    loose: tuple[int, ...],
    node_limit: int,
    tick: Tick,
) -> Kept:
    """Step 3. The plan to fall back on gives up the later-numbered need of each broken rule."""
    inside = _around(network, usable, foes, wrong)
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
    rules = _rules(rows, column, width)
    matrix = vstack([balance, rules]).tocsr()
    limits = np.concatenate([np.ones(network.needs), network.capacity.astype(np.float64), np.ones(rules.shape[0])])
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


def _ceiling(network: Network, positions: Ints, weight: Ints) -> int:
    """What no plan exceeds: each need its best."""
    best = np.zeros(network.needs, dtype=np.int64)
    np.maximum.at(best, network.need[positions], weight)
    return total(best)
