"""Four ways of sharing out the same places, side by side: what is gained by looking at all needs at once.

* first come, first served: in the order of waiting each need takes the best unit that still has a place. Tiers are not looked at: this is
  the queue as it is.
* best pair first: the pair with the most points of all is taken, then the next, as long as there is a place (greedy).
* stable: deferred acceptance (`samplads.matching.stable`).
* optimum: `samplads.matching.allocation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from samplads.matching import market
from samplads.matching.allocation import Allocation, Progress, allocate, held_lots
from samplads.matching.assignment import Ints
from samplads.matching.market import Market
from samplads.matching.stable import Plan, deferred_acceptance, liking, plan_of

METHODS = ("first_come", "best_pair_first", "stable", "optimum")


@dataclass(frozen=True, eq=False)
class Comparison:
    """The four plans and what they reach."""

    table: pl.DataFrame
    """[method, urgent, placed, points, placed_more, placed_more_pct]: by method in the order of METHODS; "more" is against first come."""
    first_come: Plan
    best_pair_first: Plan
    stable: Plan
    optimum: Allocation


def compare(
    pairs: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    priority: pl.DataFrame | None = None,
    waiting: pl.DataFrame | None = None,
    holds: pl.DataFrame | None = None,
    wanted: pl.DataFrame | None = None,
    waiting_points: int = 0,
    longest_wait: int | None = None,
    optimum: Allocation | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """All four on the same frames (as for `allocate`). An optimum that is already at hand is used as it is.

    `holds` stand in all four: the places are gone before anybody is served.
    """
    dated: dict[str, Any] = {"wanted": wanted, "waiting_points": waiting_points, "longest_wait": longest_wait}
    case = market.read(pairs, capacity, priority=priority, waiting=waiting, holds=holds, **dated)
    tell = progress or (lambda _step, _share: None)
    free, number, kept = _beside_holds(case, holds, longest_wait)

    def shared(way: Callable[[Market], Ints], share: float) -> Plan:
        tell("compare", share)
        found = way(free)
        return plan_of(case, np.where(found >= 0, number[np.maximum(found, 0)] if len(number) else -1, kept), pairs)

    queue, greedy, settled = shared(first_come, 0.2), shared(best_pair_first, 0.4), shared(deferred_acceptance, 0.6)
    best = optimum or allocate(pairs, capacity, priority=priority, waiting=waiting, holds=holds, **dated, progress=progress)
    rows = []
    plans: tuple[Plan | Allocation, ...] = (queue, greedy, settled, best)
    for method, plan in zip(METHODS, plans, strict=True):
        urgent = plan.placed_by_tier[-2] if len(plan.placed_by_tier) > 1 else 0
        more = plan.placed - queue.placed
        rows.append((method, urgent, plan.placed, plan.objective, more, 100 * more / queue.placed if queue.placed else None))
    names = {"method": pl.String, "urgent": pl.Int64, "placed": pl.Int64, "points": pl.Int64, "placed_more": pl.Int64}
    table = pl.DataFrame(rows, schema={**names, "placed_more_pct": pl.Float64}, orient="row")
    return Comparison(table, queue, greedy, settled, best)


def _beside_holds(case: Market, holds: pl.DataFrame | None, longest_wait: int | None) -> tuple[Market, Ints, Ints]:
    """The market without the needs and places that are held; the number of each of its edges in the whole one; by need its held edge."""
    held = held_lots(holds, case, longest_wait)
    number = np.flatnonzero(held[case.edge_need] < 0)
    kept = np.full(len(held), -1, dtype=np.int64)
    mine = np.flatnonzero(held[case.edge_need] == case.edge_lot)
    kept[case.edge_need[mine]] = mine
    places = case.lot_places - np.bincount(held[held >= 0], minlength=len(case.lot_places))
    free = replace(
        case,
        lot_places=places,
        edge_pair=case.edge_pair[number],
        edge_lot=case.edge_lot[number],
        edge_points=case.edge_points[number],
        edge_waits=case.edge_waits[number],
    )
    return free, number, kept


def first_come(case: Market) -> Ints:
    """By need: the edge it gets in the queue, -1 for none."""
    order, first = liking(case)
    room, lots, starts = case.lot_places.tolist(), case.edge_lot[order].tolist(), first.tolist()
    edge = np.full(len(case.tier), -1, dtype=np.int64)
    for need in np.argsort(case.turn).tolist():
        for position in range(starts[need], starts[need + 1]):
            if room[lots[position]] > 0:
                room[lots[position]] -= 1
                edge[need] = order[position]
                break
    return edge


def best_pair_first(case: Market) -> Ints:
    """By need: the edge it gets where the best pair goes first (like points: who waited longest, then the lowest unit id)."""
    need = case.edge_need
    order = np.lexsort((case.edge_lot, case.turn[need], -case.edge_points))
    room = case.lot_places.tolist()
    edge = np.full(len(case.tier), -1, dtype=np.int64)
    free = [True] * len(case.tier)
    for position, who, lot in zip(order.tolist(), need[order].tolist(), case.edge_lot[order].tolist(), strict=True):
        if free[who] and room[lot] > 0:
            free[who] = False
            room[lot] -= 1
            edge[who] = position
    return edge
