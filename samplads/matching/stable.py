"""A stable plan: nobody and no unit would both rather have each other than what the plan gives them.

Deferred acceptance (Gale and Shapley 1962) with the needs asking, so that of all stable plans it is the one every need likes best:

1. Every need without a place asks the unit it likes best of those that have not turned it down.
2. Every unit keeps, of those it holds and those who ask, the first so many in its own order as it has places, and turns the rest down.
3. Until nobody asks.

A need likes units by points (more is better, then id). A unit takes needs by tier (lower first), then points, then who has waited longest
(then id); where units have points of their own for the needs (`unit_points`), by these before anything else. The
answer does not depend on the order in which needs ask. A stable plan is fair in that sense but not best in all: it places fewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from samplads.errors import SampladsError
from samplads.matching import market
from samplads.matching.assignment import Ints
from samplads.matching.market import Market


@dataclass(frozen=True, eq=False)
class Plan:
    """Who gets what by a way of sharing out that proves nothing about being best."""

    chosen: pl.DataFrame
    """[need_id, unit_id, points], sorted by need_id."""
    placed_by_tier: tuple[int, ...]
    objective: int

    @property
    def placed(self) -> int:
        """How many needs are placed."""
        return self.placed_by_tier[-1]

    @property
    def value(self) -> tuple[int, ...]:
        """Placed by tier, then points, as in an allocation."""
        return (*self.placed_by_tier, self.objective)


def stable(
    pairs: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    priority: pl.DataFrame | None = None,
    waiting: pl.DataFrame | None = None,
    unit_points: pl.DataFrame | None = None,
) -> Plan:
    """The stable plan that needs like best. Frames as for `samplads.matching.allocation.allocate`, and the same errors.

    `unit_points`: [need_id, unit_id, points] how much each unit wants each need (whole numbers, more is better); pairs without a row come
    after all that have one. None: units take needs by tier, the pair's points and waiting time.
    """
    case = market.read(pairs, capacity, priority=priority, waiting=waiting)
    return plan_of(case, deferred_acceptance(case, unit_points), pairs)


def plan_of(case: Market, edge: Ints, pairs: pl.DataFrame) -> Plan:
    """The plan of an edge by need (-1 for none)."""
    placed = np.flatnonzero(edge >= 0)
    points = case.edge_points[edge[placed]]
    frame = pl.DataFrame(
        {
            "need_id": case.need_ids.gather(placed),
            "unit_id": case.unit_ids.gather(case.lot_unit[case.edge_lot[edge[placed]]]),
            "points": pl.Series(points, dtype=pl.Int64),
        }
    )
    if pairs.height:
        frame = frame.with_columns(pl.col(name).cast(pairs.schema[name]) for name in ("need_id", "unit_id"))
    counts = np.cumsum(np.bincount(case.tier[placed], minlength=len(case.tiers)))
    return Plan(frame, tuple(int(count) for count in counts), sum(points.tolist()))


def liking(case: Market) -> tuple[Ints, Ints]:
    """Edges with a place, each need's best first, and where each need's edges begin in that list (one more at the end)."""
    usable = np.flatnonzero(case.lot_places[case.edge_lot] > 0)
    need = case.edge_need[usable]
    order = usable[np.lexsort((case.edge_lot[usable], -case.edge_points[usable], need))]
    return order, np.searchsorted(case.edge_need[order], np.arange(len(case.tier) + 1)).astype(np.int64)


def rank_of_needs(case: Market, unit_points: pl.DataFrame | None = None) -> Ints:
    """By edge: its place in the order in which units take needs (lower first); no two edges are alike."""
    need = case.edge_need
    rank = np.empty(len(need), dtype=np.int64)
    own = np.zeros(len(need), dtype=np.int64) if unit_points is None else _own_order(case, unit_points)
    rank[np.lexsort((case.edge_lot, case.turn[need], -case.edge_points, case.tier[need], own))] = np.arange(len(need))
    return rank


def _own_order(case: Market, unit_points: pl.DataFrame) -> Ints:
    """By edge: 0 where the unit gives the need most points of all and so on; like points alike, edges without points last."""
    market.columns(unit_points, "unit_points", "need_id", "unit_id", "points")
    need = market.numbers(market.ids(unit_points, "unit_points", "need_id", case.need_ids.dtype), case.need_ids)
    unit = market.numbers(market.ids(unit_points, "unit_points", "unit_id", case.unit_ids.dtype), case.unit_ids)
    points = market.whole(unit_points, "unit_points", "points")
    known = (need >= 0) & (unit >= 0)
    units = max(1, len(case.unit_ids))
    key, points = (need * units + unit)[known], points[known]
    order = np.lexsort((points, key))
    key, points = key[order], points[order]
    clash = np.flatnonzero((key[1:] == key[:-1]) & (points[1:] != points[:-1]))
    if len(clash):
        twice = int(key[clash[0]])
        raise SampladsError("allocation_pair_twice", need=case.need_ids[twice // units], unit=case.unit_ids[twice % units])
    wanted = case.edge_need * units + case.lot_unit[case.edge_lot]
    place = np.minimum(np.searchsorted(key, wanted), max(0, len(key) - 1))
    _, step = np.unique(-points, return_inverse=True)
    found = key[place] == wanted if len(key) else np.zeros(len(wanted), dtype=bool)
    return np.where(found, step[place] if len(key) else 0, len(points) + 1).astype(np.int64)


def deferred_acceptance(case: Market, unit_points: pl.DataFrame | None = None) -> Ints:
    """By need: the edge of the stable plan, -1 for none."""
    order, first = liking(case)
    rank = rank_of_needs(case, unit_points)
    needs = len(case.tier)
    tried = first[:-1].copy()
    edge = np.full(needs, -1, dtype=np.int64)
    asking = np.flatnonzero(tried < first[1:])
    while len(asking):
        edge[asking] = order[tried[asking]]
        tried[asking] += 1
        # Only units that were asked can turn anybody down.
        asked = np.zeros(len(case.lot_places), dtype=bool)
        asked[case.edge_lot[edge[asking]]] = True
        placed = np.flatnonzero(edge >= 0)
        placed = placed[asked[case.edge_lot[edge[placed]]]]
        lot = case.edge_lot[edge[placed]]
        in_order = np.lexsort((rank[edge[placed]], lot))
        placed, lot = placed[in_order], lot[in_order]
        nth = np.arange(len(lot)) - np.searchsorted(lot, lot)
        refused = placed[nth >= case.lot_places[lot]]
        edge[refused] = -1
        asking = refused[tried[refused] < first[refused + 1]]
    return edge


def blocking_pairs(
    chosen: pl.DataFrame,
    pairs: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    priority: pl.DataFrame | None = None,
    waiting: pl.DataFrame | None = None,
    unit_points: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Pairs [need_id, unit_id] that would both rather have each other than what a plan gives them: none where it is stable."""
    case = market.read(pairs, capacity, priority=priority, waiting=waiting)
    units = max(1, len(case.unit_ids))
    need = market.numbers(market.ids(chosen, "chosen", "need_id", case.need_ids.dtype), case.need_ids)
    unit = market.numbers(market.ids(chosen, "chosen", "unit_id", case.unit_ids.dtype), case.unit_ids)
    edge_need, edge_unit = case.edge_need, case.lot_unit[case.edge_lot]
    edge = np.searchsorted(edge_need * units + edge_unit, need * units + unit)
    order, _ = liking(case)
    taste = np.full(len(edge_need), len(order), dtype=np.int64)
    taste[order] = np.arange(len(order))
    rank = rank_of_needs(case, unit_points)
    own = np.full(len(case.tier), np.iinfo(np.int64).max, dtype=np.int64)
    own[need] = taste[edge]
    load = np.bincount(case.edge_lot[edge], minlength=len(case.lot_places))
    last = np.full(len(case.lot_places), -1, dtype=np.int64)
    np.maximum.at(last, case.edge_lot[edge], rank[edge])
    last[load < case.lot_places] = np.iinfo(np.int64).max
    blocking = np.flatnonzero((case.lot_places[case.edge_lot] > 0) & (taste < own[edge_need]) & (rank < last[case.edge_lot]))
    return pl.DataFrame({"need_id": case.need_ids.gather(edge_need[blocking]), "unit_id": case.unit_ids.gather(edge_unit[blocking])})
