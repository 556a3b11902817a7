"""Why the plan is as it is: for each need without a place what stands in its way, for each placed one what it gave up.

A need that is not placed had no unit that suits it, or suits units without a place, or was outbid: to place it in unit j, one place of j
must be freed. The cheapest way to do so is a chain: somebody in j moves to another unit, somebody there moves on, and the last one is left
without a place (or the need left out is of a more urgent tier, which is never done). Its cost is h_j - v_ij, where h_j is what one place
fewer in j would take from the plan (`samplads.matching.assignment.greatest_prices`): exact for each such need and unit.
With fairness or incompatible residents prices do not tell: there somebody goes so that the need may come, which is the cheapest exchange of
two and not always the cheapest chain; the column `exact` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from samplads.errors import SampladsError
from samplads.matching import market
from samplads.matching.allocation import Allocation, Progress, Solved, allocate
from samplads.matching.assignment import Ints, greatest_prices, spans

NO_ELIGIBLE_UNIT = "no_eligible_unit"
NO_OPEN_PLACE = "no_open_place"
OUTBID = "outbid"


def unplaced(allocation: Allocation, needs: pl.DataFrame | None = None, full: pl.DataFrame | None = None) -> pl.DataFrame:
    """By need without a place: why. `needs`: [need_id] all needs, also those without any pair; sorted by need_id.

    `full`: [need_id, unit_id, points] of units without a place that the plan was not given: a need that has only such pairs has the reason
    `no_open_place`, with how many they are, and the one where it has most points (then the lowest id).

    [need_id, tier, reason, units, unit_id, points, lost_to, left_out, left_out_tier, points_short, exact]: reason is `no_eligible_unit`
    (no pair), `no_open_place` (no unit that suits it has a place, or only beside someone incompatible) or `outbid`; `units` counts
    those that suit it. For `no_open_place`: the unit where the need has most points, and these. For `outbid`: the unit where placing it
    would cost least and the need's points there; `lost_to` must give way there, `left_out` loses its place at the end of the chain (the
    same one where nobody else moves), `left_out_tier` is its tier, and `points_short` how many points fewer the plan would have (0 or more
    where the tiers are alike; 0 where only a municipality's floor stands in the way).
    """
    solved = allocation.solved
    case = solved.market
    ways = _by_chains(solved) if solved.exact else _by_exchange(solved)
    missing = np.flatnonzero(solved.lot < 0)
    units = np.bincount(case.pair_need, minlength=len(case.tier))
    rows: list[tuple[Any, ...]] = []
    for need in missing.tolist():
        name, tier, edge = case.need_ids[need], case.tiers[int(case.tier[need])], int(ways.edge[need])
        if edge < 0:
            mine = np.flatnonzero(case.pair_need == need)
            liked = int(mine[np.lexsort((case.pair_unit[mine], -case.pair_points[mine]))[0]])
            unit, points = case.unit_ids[int(case.pair_unit[liked])], int(case.pair_points[liked])
            rows.append((name, tier, NO_OPEN_PLACE, int(units[need]), unit, points, None, None, None, None, solved.exact))
            continue
        lot = int(solved.network.lot[edge])
        first, last = int(ways.gives_way[need]), int(ways.left_out[need])
        rows.append(
            (
                name,
                tier,
                OUTBID,
                int(units[need]),
                case.unit_ids[int(case.lot_unit[lot])],
                int(case.edge_points[solved.network_edge[edge]]),
                case.need_ids[first] if first >= 0 else None,
                case.need_ids[last] if last >= 0 else None,
                case.tiers[int(case.tier[last])] if last >= 0 else None,
                int(ways.points_short[need]),
                solved.exact,
            )
        )
    id_kinds = (case.need_ids.dtype, case.unit_ids.dtype)
    frame = pl.DataFrame(
        rows,
        schema={
            "need_id": id_kinds[0],
            "tier": pl.Int64(),
            "reason": pl.String(),
            "units": pl.Int64(),
            "unit_id": id_kinds[1],
            "points": pl.Int64(),
            "lost_to": id_kinds[0],
            "left_out": id_kinds[0],
            "left_out_tier": pl.Int64(),
            "points_short": pl.Int64(),
            "exact": pl.Boolean(),
        },
        orient="row",
    )
    if needs is not None:
        strangers = _strangers(needs, solved)
        if frame.is_empty():
            # No pairs at all say nothing of how ids look.
            frame = frame.with_columns(pl.col("need_id", "lost_to", "left_out").cast(strangers.schema["need_id"]))
        frame = pl.concat([frame, strangers], how="diagonal")
    if full is not None and full.height:
        frame = _with_full(frame, full)
    return frame.sort("need_id")


def _with_full(frame: pl.DataFrame, full: pl.DataFrame) -> pl.DataFrame:
    """Needs that no open unit suits, but full ones do: their reason is that there is no open place."""
    market.columns(full, "full", "need_id", "unit_id", "points")
    full = market.plain(full, "need_id", "unit_id")
    best = (
        full.join(frame.filter(pl.col("reason") == NO_ELIGIBLE_UNIT), on="need_id", how="semi")
        .sort(["points", "unit_id"], descending=[True, False])
        .group_by("need_id")
        .agg(pl.col("unit_id").first().alias("full_unit"), pl.col("points").first().alias("full_points"), pl.len().alias("full_units"))
        .with_columns(pl.col("full_unit").cast(frame.schema["unit_id"]))
    )
    known = pl.col("full_unit").is_not_null()
    return (
        frame.join(best, on="need_id", how="left")
        .with_columns(
            pl.when(known).then(pl.lit(NO_OPEN_PLACE)).otherwise("reason").alias("reason"),
            pl.when(known).then(pl.col("full_units").cast(pl.Int64)).otherwise("units").alias("units"),
            pl.coalesce("unit_id", "full_unit").alias("unit_id"),
            pl.coalesce("points", "full_points").alias("points"),
        )
        .select(frame.columns)
    )


def placed(allocation: Allocation) -> pl.DataFrame:
    """By placed need: what it gave up. Sorted by need_id.

    [need_id, unit_id, points, held, best_unit, best_points, points_below_best, second_unit, second_points, second_tiers, second_short]:
    the unit with its most points among those with places, and the second best for the plan: the unit that is nearest to the plan's prices.
    Placing it there would cost the plan `second_short` points or more, and a placement, or a more urgent one, where `second_tiers` is above
    0: a bound that the prices give for all needs at once; `insist` has the exact cost of any one.
    """
    solved = allocation.solved
    case, network = solved.market, solved.network
    units = max(1, len(case.unit_ids))
    here = np.flatnonzero(solved.lot >= 0)
    unit = case.lot_unit[solved.lot[here]]
    lots = max(1, len(case.lot_places))
    edge = np.searchsorted(case.edge_need * lots + case.edge_lot, here * lots + solved.lot[here])
    usable = np.flatnonzero(case.lot_places[case.edge_lot] > 0)
    by_points = usable[np.lexsort((case.edge_lot[usable], -case.edge_points[usable], case.edge_need[usable]))]
    top = by_points[np.searchsorted(case.edge_need[by_points], here)]
    slack = solved.assignment.utility[network.need] + solved.assignment.price[network.lot] - network.value
    own = np.full(len(case.tier), -1, dtype=np.int64)
    own[here] = unit
    other = np.flatnonzero((solved.network_edge >= 0) & (network.capacity[network.lot] > 0))
    other = other[case.lot_unit[network.lot[other]] != own[network.need[other]]]
    other = other[np.lexsort((network.lot[other], slack[other], network.need[other]))]
    first = np.searchsorted(network.need[other], np.arange(len(case.tier) + 1))
    has_other = first[here + 1] > first[here]
    second = np.where(has_other, other[np.minimum(first[here], max(0, len(other) - 1))] if len(other) else -1, -1)
    safe = np.maximum(second, 0)
    weight, short = _second_cost(solved, slack[safe], here, safe) if len(slack) else (np.zeros(len(here), dtype=np.int64),) * 2
    known = pl.Series(has_other)
    second_unit = (
        case.lot_unit[np.minimum(network.lot[safe], len(case.lot_unit) - 1)] if len(slack) else np.zeros(len(here), dtype=np.int64)
    )
    second_points = case.edge_points[np.maximum(solved.network_edge[safe], 0)] if len(slack) else np.zeros(len(here), dtype=np.int64)
    frame = pl.DataFrame(
        {
            "need_id": case.need_ids.gather(here),
            "unit_id": case.unit_ids.gather(unit),
            "points": case.edge_points[edge],
            "held": solved.held[here] >= 0,
            "best_unit": case.unit_ids.gather(case.lot_unit[case.edge_lot[top]]),
            "best_points": case.edge_points[top],
            "points_below_best": case.edge_points[top] - case.edge_points[edge],
            "second_unit": case.unit_ids.gather(np.minimum(second_unit, units - 1)),
            "second_points": second_points,
            "second_tiers": weight,
            "second_short": short,
        }
    )
    seconds = ("second_unit", "second_points", "second_tiers", "second_short")
    return frame.with_columns(pl.when(known).then(pl.col(name)).otherwise(None).alias(name) for name in seconds)


def rivals(allocation: Allocation, need_id: object) -> pl.DataFrame:
    """Who has the places that one need could use: [unit_id, points, places, rival, rival_tier, rival_points], the need's best units first.

    One row for each unit and each need placed there (null where a place is vacant or the unit has none).
    Raises `allocation_need_unknown` for a need without a pair.
    """
    solved = allocation.solved
    case = solved.market
    need = _number(solved, need_id)
    placed_at = np.where(solved.lot >= 0, case.lot_unit[np.maximum(solved.lot, 0)] if len(case.lot_unit) else -1, -1)
    room = np.bincount(case.lot_unit, weights=case.lot_places, minlength=len(case.unit_ids)).astype(np.int64)
    mine = np.flatnonzero(case.pair_need == need)
    units = max(1, len(case.unit_ids))
    key = case.pair_need * units + case.pair_unit
    rows: list[tuple[Any, ...]] = []
    for pair in mine[np.lexsort((case.pair_unit[mine], -case.pair_points[mine]))].tolist():
        unit = int(case.pair_unit[pair])
        others = [one for one in np.flatnonzero(placed_at == unit).tolist() if one != need]
        base = (case.unit_ids[unit], int(case.pair_points[pair]), int(room[unit]))
        for one in others:
            points = int(case.pair_points[np.searchsorted(key, one * units + unit)])
            rows.append((*base, case.need_ids[one], case.tiers[int(case.tier[one])], points))
        if not others:
            rows.append((*base, None, None, None))
    return pl.DataFrame(
        rows,
        schema={
            "unit_id": case.unit_ids.dtype,
            "points": pl.Int64(),
            "places": pl.Int64(),
            "rival": case.need_ids.dtype,
            "rival_tier": pl.Int64(),
            "rival_points": pl.Int64(),
        },
        orient="row",
    )


@dataclass(frozen=True, eq=False)
class TightSet:
    """Everyone who competes for the same places, directly or in turn: more needs than there are places."""

    needs: pl.Series
    units: pl.Series
    places: int


def tight_set(allocation: Allocation, need_id: object) -> TightSet:
    """The units that one unplaced need could use, the needs placed there, the units these could use, and so on until nothing is added.

    Where no tier and no option is in the way, all these places are taken and the needs are more than the places (Hall's condition).
    Raises `allocation_need_unknown` for a need without a pair.
    """
    solved = allocation.solved
    network = solved.network
    need = _number(solved, need_id)
    real = len(solved.market.lot_unit)
    edge = solved.assignment.edge
    at = np.where(edge >= 0, network.lot[np.maximum(edge, 0)] if len(network.lot) else -1, -1)
    seen_needs, seen_lots = np.zeros(network.needs, dtype=bool), np.zeros(len(network.capacity), dtype=bool)
    seen_needs[need] = True
    front = np.array([need], dtype=np.int64)
    while len(front):
        edges = spans(network.first[front], network.first[front + 1] - network.first[front])
        fresh = np.zeros(len(network.capacity), dtype=bool)
        fresh[network.lot[edges]] = True
        fresh &= ~seen_lots
        fresh[real:] = False
        seen_lots |= fresh
        front = np.flatnonzero((at >= 0) & fresh[np.maximum(at, 0)] & ~seen_needs) if len(fresh) else front[:0]
        seen_needs[front] = True
    case = solved.market
    lots = np.flatnonzero(seen_lots[:real])
    return TightSet(
        case.need_ids.gather(np.flatnonzero(seen_needs)),
        case.unit_ids.gather(np.unique(case.lot_unit[lots])),
        sum(network.capacity[lots].tolist()),
    )


@dataclass(frozen=True, eq=False)
class Insisting:
    """What it costs all the others that one need is placed in one unit."""

    allocation: Allocation
    """The best plan in which it is."""
    change: tuple[int, ...]
    """Aim by aim (placed by tier, then points) what that plan has more than the plan; never lexicographically above 0."""
    moves: pl.DataFrame
    """[need_id, from_unit, to_unit] of everyone whose place changes, null for no place."""


def insist(allocation: Allocation, need_id: object, unit_id: object, *, progress: Progress | None = None) -> Insisting:
    """The price of insisting, by solving again with the place held for the need.

    Raises `allocation_need_unknown` for a need without a pair, `allocation_hold_without_pair` and `allocation_hold_over_places` where the
    unit does not suit it or has no place that is not held for another.
    """
    solved = allocation.solved
    _number(solved, need_id)
    if allocation.chosen.filter(pl.col("need_id") == need_id)["unit_id"].to_list() == [unit_id]:
        # The best plan of all has it so already.
        return Insisting(allocation, (0,) * len(allocation.value), moves(allocation, allocation))
    kinds = solved.pairs.schema
    hold = pl.DataFrame({"need_id": [need_id], "unit_id": [unit_id]}, schema={name: kinds[name] for name in ("need_id", "unit_id")})
    before = solved.options["holds"]
    holds = hold if before is None else pl.concat([before.select("need_id", "unit_id").filter(pl.col("need_id") != need_id), hold])
    again = allocate(solved.pairs, solved.capacity, **{**solved.options, "holds": holds}, progress=progress)
    change = tuple(after - earlier for after, earlier in zip(again.value, allocation.value, strict=True))
    return Insisting(again, change, moves(allocation, again))


def moves(before: Allocation, after: Allocation) -> pl.DataFrame:
    """Whose place differs between two plans: [need_id, from_unit, to_unit], null for no place, sorted by need_id."""
    one = before.chosen.select("need_id", from_unit="unit_id")
    other = after.chosen.select("need_id", to_unit="unit_id")
    both = one.join(other, on="need_id", how="full", coalesce=True)
    return both.filter(~pl.col("from_unit").eq_missing(pl.col("to_unit"))).sort("need_id")


@dataclass(frozen=True, eq=False)
class _Ways:
    """By need without a place: the cheapest way to place it."""

    edge: Ints
    """Its edge of the network, -1 where no unit can take it."""
    gives_way: Ints
    """The need that must move or go there, -1 where a place is vacant."""
    left_out: Ints
    """The need that loses its place in the end, -1 where none does."""
    points_short: Ints
    """The points that it costs."""


def _by_chains(solved: Solved) -> _Ways:
    """The cheapest chain out of each lot, found from its ends (a need that goes, a vacant place) backwards: so none runs in a circle."""
    network, edge = solved.network, solved.assignment.edge
    price = greatest_prices(network, edge)
    lots = len(network.capacity)
    placed_needs = np.flatnonzero(edge >= 0)
    at = np.full(network.needs, -1, dtype=np.int64)
    has = np.zeros(network.needs, dtype=np.int64)
    at[placed_needs], has[placed_needs] = network.lot[edge[placed_needs]], network.value[edge[placed_needs]]
    load = np.bincount(at[placed_needs], minlength=lots)
    gives_way, left_out = np.full(lots, -1, dtype=np.int64), np.full(lots, -1, dtype=np.int64)
    done = load < network.capacity
    goes = placed_needs[has[placed_needs] == price[at[placed_needs]]]
    goes = goes[~done[at[goes]]][::-1]
    gives_way[at[goes]] = goes
    left_out[at[goes]] = goes
    done[at[goes]] = True
    steps = np.flatnonzero((at[network.need] >= 0) & (at[network.need] != network.lot) & (network.capacity[network.lot] > 0))
    origin = at[network.need[steps]]
    exact = has[network.need[steps]] - network.value[steps] + price[network.lot[steps]] == price[origin]
    steps, origin = steps[exact], origin[exact]
    while True:
        ready = np.flatnonzero(~done[origin] & done[network.lot[steps]])[::-1]
        if len(ready) == 0:
            break
        gives_way[origin[ready]] = network.need[steps[ready]]
        left_out[origin[ready]] = left_out[network.lot[steps[ready]]]
        done[origin[ready]] = True
    real = np.flatnonzero((solved.network_edge >= 0) & (network.capacity[network.lot] > 0))
    cost = price[network.lot[real]] - network.value[real]
    best = _least(network.needs, network.need[real], network.lot[real], cost)
    position = np.where(best >= 0, real[np.maximum(best, 0)] if len(real) else -1, -1)
    lot = network.lot[np.maximum(position, 0)] if len(network.lot) else position
    short = solved.parts(cost)[2][np.maximum(best, 0)] if len(real) else position
    told = position >= 0
    first, last = (np.where(told, one[lot] if len(one) else -1, -1) for one in (gives_way, left_out))
    return _Ways(position, first, last, np.where(told, short, 0))


def _by_exchange(solved: Solved) -> _Ways:
    """The cheapest need that could go so that another may come, where the plan is bound by rules that prices do not know.

    Nobody comes to a unit where someone incompatible lives; who holds a place does not go. With fairness a municipality at its floor lacks
    one more by losing a place, one below it one fewer by winning one, and an exchange within a municipality changes neither.
    """
    case, network = solved.market, solved.network
    needs, units = network.needs, max(1, len(case.unit_ids))
    nothing = np.full(needs, -1, dtype=np.int64)
    real = np.flatnonzero((solved.network_edge >= 0) & (network.capacity[network.lot] > 0) & (solved.lot[network.need] < 0))
    if len(solved.foes) and len(real):
        both = np.concatenate([solved.foes, solved.foes[:, ::-1]])
        both = both[solved.lot[both[:, 0]] >= 0]
        beside = both[:, 1] * units + case.lot_unit[solved.lot[both[:, 0]]]
        real = real[~np.isin(network.need[real] * units + case.lot_unit[network.lot[real]], beside)]
    if len(real) == 0:
        return _Ways(nothing, nothing, nothing, np.zeros(needs, dtype=np.int64))
    members = np.flatnonzero((solved.assignment.edge >= 0) & (solved.lot >= 0))
    at = network.lot[solved.assignment.edge[members]]
    room = np.bincount(at, minlength=len(network.capacity)) < network.capacity
    plain = network.value - solved.spared * solved.lifted[network.need]
    has = plain[solved.assignment.edge[members]]
    side = np.zeros(needs, dtype=np.int64)
    lacks_one_more, lacks = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    if solved.side is not None and solved.floors is not None:
        side = solved.side
        placed = np.bincount(side[solved.lot >= 0], minlength=len(solved.floors))
        lacks_one_more, lacks = (placed <= solved.floors).astype(np.int64), (placed < solved.floors).astype(np.int64)
    sides = len(lacks)
    lots = len(network.capacity)
    who, lot = network.need[real], network.lot[real]
    anybody = _least(lots, at, members, has + solved.spared * lacks_one_more[side[members]])
    own = _least(lots * sides, at * sides + side[members], members, has)[lot * sides + side[who]]
    alien = anybody[lot]
    far = np.full(len(real), np.iinfo(np.int64).max // 4, dtype=np.int64)
    outer, inner = far, far
    if len(members):
        outer_value = has[alien] + solved.spared * lacks_one_more[side[members[alien]]]
        outer = np.where(alien >= 0, outer_value - plain[real] - solved.spared * lacks[side[who]], far)
        inner = np.where(own >= 0, has[own] - plain[real], far)
    cost = np.where(room[lot], -plain[real] - solved.spared * lacks[side[who]], np.minimum(outer, inner))
    best = _least(needs, who, lot, cost)
    told = (best >= 0) & (cost[best] < far[best])
    goes = np.where(inner <= outer, own, alien)
    goes = np.where(room[lot] | (goes < 0), -1, members[np.maximum(goes, 0)] if len(members) else -1)
    weight, fair, short = solved.parts(cost)
    # The one who comes to a vacant place adds a placement; and what a floor costs is told by the shares, not in points.
    short = np.where(goes < 0, short - solved.least, np.where((weight == 0) & (fair > 0), np.maximum(0, short), short))
    position, gone, points = real[best], goes[best], short[best]
    return _Ways(np.where(told, position, -1), np.where(told, gone, -1), np.where(told, gone, -1), np.where(told, points, 0))


def _least(groups: int, group: Ints, then: Ints, cost: Ints) -> Ints:
    """By group: the row of the least cost (at a tie the one that comes first in `then`), -1 where it has none."""
    order = np.lexsort((then, cost, group))
    first = np.searchsorted(group[order], np.arange(groups + 1))
    has = first[1:] > first[:-1]
    best = np.full(groups, -1, dtype=np.int64)
    best[has] = order[first[:-1][has]]
    return best


def _second_cost(solved: Solved, slack: Ints, here: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Tiers and points of the slack of each placed need's edge `second`: it is a difference of two prices, and a price that is a placement
    has its points less `least` in it.
    """
    weight, fair, short = solved.parts(slack)
    places = (solved.parts(solved.assignment.price)[0] > 0).astype(np.int64)
    short = short + solved.least * (places[solved.network.lot[second]] - places[solved.lot[here]])
    return weight, np.where((weight == 0) & (fair > 0), np.maximum(0, short), short)


def _number(solved: Solved, need_id: object) -> int:
    known = solved.market.need_ids
    if known.len() == 0 or isinstance(need_id, str) != (known.dtype == pl.String):
        raise SampladsError("allocation_need_unknown", need=need_id)
    number = int(market.numbers(pl.Series([need_id], dtype=known.dtype), known)[0])
    if number < 0:
        raise SampladsError("allocation_need_unknown", need=need_id)
    return number


def _strangers(needs: pl.DataFrame, solved: Solved) -> pl.DataFrame:
    """Needs without any pair, with the tier they were given."""
    market.columns(needs, "needs", "need_id")
    case = solved.market
    kind = case.need_ids.dtype if case.need_ids.len() else None
    series = market.ids(needs, "needs", "need_id", kind).unique()
    alone = pl.DataFrame({"need_id": series.filter(pl.Series(market.numbers(series, case.need_ids.cast(series.dtype)) < 0))})
    priority = solved.options["priority"]
    if priority is None:
        alone = alone.with_columns(tier=pl.lit(None, dtype=pl.Int64))
    else:
        given = pl.DataFrame(
            {"need_id": market.ids(priority, "priority", "need_id", series.dtype), "tier": priority["tier"].cast(pl.Int64)}
        )
        alone = alone.join(given, on="need_id", how="left")
    return alone.with_columns(reason=pl.lit(NO_ELIGIBLE_UNIT), units=pl.lit(0, dtype=pl.Int64), exact=pl.lit(solved.exact))
