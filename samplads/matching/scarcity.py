"""What one more place is worth: the number that says where to build, and which place to hold.

The value of one more place of a unit is what the best plan gains by it, aim by aim: one more urgent need placed or not, one more need
placed or not, and points (which may be negative: somebody moves to a less good place to make room for one more). It is read from the
prices of the plan: a new place that need i can use with value v_ij gains v_ij - u_i, where u_i is what i is worth to the plan as it is;
so the best of these, or nothing. That is exact for one place, of a unit that exists or of a new one, and `with_places` shows it by
solving again. With fairness or incompatible residents the prices know nothing of those rules; the column `exact` says so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from samplads.errors import SampladsError
from samplads.matching import market
from samplads.matching.allocation import Allocation, Progress, Solved, allocate
from samplads.matching.assignment import Ints, greatest_prices


def place_values(allocation: Allocation, full: pl.DataFrame | None = None) -> pl.DataFrame:
    """By unit (and month): [unit_id, (opens,) places, urgent, placed, points, tier, lost_urgent, lost_placed, lost_points, exact].

    urgent, placed, points: what one more place adds to those placed in all tiers but the last, to all placed and to the points; `tier` is
    that of the need newly placed. lost_*: what one place fewer would take, null where there is none to take. Sorted by the most valuable,
    then id.

    `full`: [need_id, unit_id, points] of units without a place that the plan was not given, since they would only slow it down: what the
    first place of each is worth (for those it was not given: a unit that has rows in `full` and in the plan is read from the plan).
    """
    solved = allocation.solved
    case = solved.market
    dated = case.lot_month is not None
    need, points = (case.edge_need, case.edge_points) if dated else (case.pair_need, case.pair_points)
    place = case.edge_lot if dated else case.pair_unit
    count = len(case.lot_unit) if dated else len(case.unit_ids)
    weight, gain, _ = _entering(solved, need, place, points, count)
    unit = case.lot_unit if dated else np.arange(count)
    lot_of = np.arange(count) if dated else np.full(count, -1, dtype=np.int64)
    if not dated:
        lot_of[case.lot_unit] = np.arange(len(case.lot_unit))
    lost_weight, lost_points = _leaving(solved)
    known = lot_of >= 0
    room = np.where(known, case.lot_places[np.maximum(lot_of, 0)] if len(case.lot_places) else 0, 0)
    firm = (
        np.bincount(solved.held[solved.held >= 0], minlength=len(case.lot_places)) if len(case.lot_places) else np.zeros(1, dtype=np.int64)
    )
    losable = known & (room - np.where(known, firm[np.maximum(lot_of, 0)], 0) > 0)
    lost_w = np.where(losable, lost_weight[np.maximum(lot_of, 0)] if len(lost_weight) else 0, 0)
    lost_p = np.where(losable, lost_points[np.maximum(lot_of, 0)] if len(lost_points) else 0, 0)
    frame = pl.DataFrame({"unit_id": case.unit_ids.gather(unit), "places": room})
    if solved.pairs.height:
        frame = frame.with_columns(pl.col("unit_id").cast(solved.pairs.schema["unit_id"]))
    if case.lot_month is not None:
        dates = solved.capacity["opens"].dtype in (pl.Date, pl.Datetime)
        opens = [market.month_value(int(month), dates) for month in case.lot_month]
        frame = frame.with_columns(pl.Series("opens", opens, dtype=pl.Date if dates else pl.Int64))
    lost = _aims(solved, lost_w, lost_p, "lost_").with_columns(pl.when(pl.Series(losable)).then(pl.all()).otherwise(None))
    frame = pl.concat([frame, _aims(solved, weight, gain, ""), lost.drop("lost_tier")], how="horizontal")
    frame = frame.with_columns(exact=pl.lit(solved.exact))
    if full is not None and full.height:
        market.columns(full, "full", "need_id", "unit_id", "points")
        full = market.plain(full, "need_id", "unit_id")
        others = full.select("need_id", pl.col("unit_id").alias("kind"), "points").filter(~pl.col("kind").is_in(frame["unit_id"].implode()))
        if others.height:
            first = new_unit_values(allocation, others).rename({"kind": "unit_id"}).with_columns(places=pl.lit(0, dtype=pl.Int64))
            frame = pl.concat([frame, first.with_columns(pl.col("unit_id").cast(frame.schema["unit_id"]))], how="diagonal")
    return frame.sort(
        ["urgent", "placed", "tier", "points", "unit_id"], descending=[True, True, False, True, False], nulls_last=True, maintain_order=True
    )


def kind_values(allocation: Allocation, kinds: pl.DataFrame, full: pl.DataFrame | None = None) -> pl.DataFrame:
    """By kind: what one more place adds in the unit of that kind where it adds most.

    [kind, unit_id, urgent, placed, points, tier, units, exact].

    `kinds`: [unit_id, kind] with as many kinds a unit as it has; `full` as for `place_values`. Sorted by the most valuable.
    """
    market.columns(kinds, "kinds", "unit_id", "kind")
    kinds = market.plain(kinds, "unit_id")
    values = place_values(allocation, full).with_row_index("rank")
    both = kinds.select("kind", "unit_id").unique().join(values, on="unit_id", how="inner").sort("rank")
    return (
        both.group_by("kind", maintain_order=True)
        .agg(
            pl.col("unit_id", "urgent", "placed", "points", "tier").first(),
            units=pl.col("unit_id").n_unique(),
            exact=pl.col("exact").first(),
        )
        .sort(["urgent", "placed", "tier", "points", "kind"], descending=[True, True, False, True, False], nulls_last=True)
    )


def new_unit_values(allocation: Allocation, candidates: pl.DataFrame) -> pl.DataFrame:
    """By kind: what the first place of a new unit of that kind adds. [kind, urgent, placed, points, tier, exact], the most valuable first.

    `candidates`: [kind, need_id, points], who could use such a unit; needs that had no pair so far may be among them (where there are
    priorities and they have none, they come after all tiers). Raises `allocation_pair_twice` where a need stands twice for a kind with
    different points.
    """
    market.columns(candidates, "candidates", "kind", "need_id", "points")
    candidates = market.plain(candidates, "need_id")
    solved = allocation.solved
    strangers = candidates.select("need_id").unique()
    if solved.pairs.height:
        known = solved.pairs.select(pl.col("need_id").cast(strangers.schema["need_id"], strict=False)).unique()
        strangers = strangers.join(known, on="need_id", how="anti")
    if strangers.height:
        allocation = _joined_by(allocation, strangers)
        solved = allocation.solved
    case = solved.market
    kinds = candidates["kind"].unique().sort()
    number = candidates.select(pl.col("kind").rank("dense") - 1)["kind"].to_numpy().astype(np.int64)
    need = market.numbers(market.ids(candidates, "candidates", "need_id", case.need_ids.dtype), case.need_ids)
    weight, gain, _ = _entering(solved, need, number, market.whole(candidates, "candidates", "points"), kinds.len())
    frame = pl.concat([pl.DataFrame({"kind": kinds}), _aims(solved, weight, gain, "")], how="horizontal")
    return frame.with_columns(exact=pl.lit(solved.exact)).sort(
        ["urgent", "placed", "tier", "points", "kind"], descending=[True, True, False, True, False], nulls_last=True
    )


def with_places(allocation: Allocation, more: pl.DataFrame, *, progress: Progress | None = None) -> Allocation:
    """The plan solved again with more (or fewer) places. `more`: [unit_id, places], with dated places also [opens].

    Raises `allocation_unit_unknown` for a unit that neither the pairs nor the capacity know.
    """
    solved = allocation.solved
    keys = ["unit_id", "opens"] if "opens" in solved.capacity.columns else ["unit_id"]
    market.columns(more, "more", *keys, "places")
    more = market.plain(more, "unit_id")
    known = pl.concat(
        [market.ids(frame, "more", "unit_id", market.kind(solved.market.unit_ids)) for frame in (solved.pairs, solved.capacity)]
    )
    strange = more.filter(~market.ids(more, "more", "unit_id", market.kind(known)).is_in(known.implode()))
    if strange.height:
        raise SampladsError("allocation_unit_unknown", unit=strange["unit_id"][0])
    both = pl.concat(
        [
            solved.capacity.select(*keys, pl.col("places").cast(pl.Int64).clip(lower_bound=0)),
            more.select(*(pl.col(key).cast(solved.capacity.schema[key]) for key in keys), pl.col("places").cast(pl.Int64)),
        ]
    )
    capacity = both.group_by(keys, maintain_order=True).agg(pl.col("places").sum())
    return allocate(solved.pairs, capacity, **solved.options, progress=progress)


def _joined_by(allocation: Allocation, strangers: pl.DataFrame) -> Allocation:
    """The same plan with needs that have no pair: they are as if they had one that is closed."""
    solved = allocation.solved
    case = solved.market
    count = strangers.height
    utility = solved.assignment.utility
    added = market.ids(strangers, "candidates", "need_id", case.need_ids.dtype if case.need_ids.len() else None)
    names = case.tiers
    given = {} if solved.options["priority"] is None else dict(solved.options["priority"].select("need_id", "tier").iter_rows())
    wanted = [given.get(need) for need in strangers["need_id"].to_list()]
    if None in wanted and None not in names:
        # A tier after all others: every placement weighs one more, but for what a need's place is worth where one more place adds one.
        names = (*names, None)
        whole = (solved.assignment.edge >= 0) & (solved.parts(utility)[0] == len(case.tiers) - case.tier)
        utility = utility + solved.base * whole
    tiers = [names.index(tier) for tier in wanted]
    merged = pl.concat([case.need_ids if case.need_ids.len() else case.need_ids.cast(added.dtype), added])
    order = merged.arg_sort().to_numpy()
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))

    def spread(values: Ints, fill: Ints) -> Ints:
        both: Ints = np.concatenate([values, fill])[order]
        return both

    nothing, none = np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    assignment = replace(solved.assignment, edge=spread(solved.assignment.edge, none), utility=spread(utility, nothing))
    widened = replace(
        case,
        need_ids=merged.gather(order),
        pair_need=back[case.pair_need],
        tier=spread(case.tier, np.array(tiers, dtype=np.int64)),
        tiers=names,
        turn=spread(case.turn, len(case.turn) + np.arange(count)),
        wanted_month=None,
    )
    lifted = np.concatenate([solved.lifted, np.zeros(count, dtype=bool)])[order]
    return replace(allocation, solved=replace(solved, market=widened, assignment=assignment, held=spread(solved.held, none), lifted=lifted))


def _entering(solved: Solved, need: Ints, place: Ints, points: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """By place: the best gain over the needs that can enter it as (weight of the tier newly placed, points); and the pair that gains it."""
    case = solved.market
    free = solved.held[need] < 0
    rows = np.flatnonzero(free)
    own_weight, own_fair, own_points = solved.parts(solved.assignment.utility)
    weight = len(case.tiers) - case.tier[need[rows]] - own_weight[need[rows]]
    fair = solved.lifted[need[rows]] - own_fair[need[rows]]
    gain = points[rows] - solved.least - own_points[need[rows]]
    order = np.lexsort((-gain, -fair, -weight, place[rows]))
    first = np.searchsorted(place[rows][order], np.arange(count))
    best_weight, best_gain, best_row = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    has = np.flatnonzero(np.bincount(place[rows], minlength=count) > 0)
    top = order[first[has]]
    worth = (weight[top] > 0) | ((weight[top] == 0) & ((fair[top] > 0) | ((fair[top] == 0) & (gain[top] > 0))))
    best_weight[has], best_gain[has] = np.where(worth, weight[top], 0), np.where(worth, gain[top], 0)
    best_row[has] = np.where(worth, rows[top], -1)
    return best_weight, best_gain, best_row


def _leaving(solved: Solved) -> tuple[Ints, Ints]:
    """By lot of the market: what one place fewer costs, as weight and points."""
    price = greatest_prices(solved.network, solved.assignment.edge) if solved.exact else solved.assignment.price
    weight, _, points = solved.parts(price[: len(solved.market.lot_unit)])
    return weight, points


def _aims(solved: Solved, weight: Ints, points: Ints, prefix: str) -> pl.DataFrame:
    """Weight and points as aims: urgent, placed, points and the tier concerned."""
    case = solved.market
    tiers = len(case.tiers)
    names = [case.tiers[tiers - one] if one > 0 else None for one in weight.tolist()]
    placed = (weight > 0).astype(np.int64)
    return pl.DataFrame(
        {
            f"{prefix}urgent": (weight > 1).astype(np.int64),
            f"{prefix}placed": placed,
            f"{prefix}points": points + solved.least * placed,
            f"{prefix}tier": pl.Series(names, dtype=pl.Int64),
        }
    )
