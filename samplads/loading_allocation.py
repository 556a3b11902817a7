"""What a joint allocation works on: every need that waits, every unit that suits it surely, and the places that are open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from samplads import loading, policy, queries
from samplads import warehouse as published
from samplads.matching.eligibility import RULES, RuleKind

DROPPABLE = tuple(
    rule for rule in ("offer_type", "support_level", "night_cover", "open_by", "price", "distance") if RULES[rule] is RuleKind.LIMIT
)
"""Rules that a what-if may leave out: limits that needs set themselves, never the law."""


@dataclass(frozen=True, eq=False)
class Round:
    """Needs, pairs and places of one allocation.

    needs: the columns of the contract with municipality_name; pairs: [need_id, unit_id, points, match_points, tier, metres,
    daily_rate_ore], where points rank (a stale place after every fresh one); capacity: [unit_id, places]; priority: [need_id, tier];
    waiting: [need_id, since]; group: [need_id, municipality].
    """

    needs: pl.DataFrame
    pairs: pl.DataFrame
    capacity: pl.DataFrame
    priority: pl.DataFrame
    waiting: pl.DataFrame
    group: pl.DataFrame


def candidates(
    day: dt.date,
    municipalities: Sequence[str] | None = None,
    more_places: Sequence[str] = (),
    dropped: Sequence[str] = (),
    warehouse: Path | None = None,
) -> pl.DataFrame:
    """All sure pairs in one query (see queries/candidates.sql)."""
    weights = loading.weights(day)
    scales = {
        "distance_zero_km": weights.distance_zero_km,
        "wish_near_zero_km": weights.wish_near_zero_km,
        "date_zero_days": weights.date_zero_days,
        "reference_tolerance_pct": weights.reference_tolerance_pct,
    }
    return queries.run(
        "candidates",
        warehouse,
        as_of=day,
        municipalities=None if municipalities is None else list(municipalities),
        more_places=list(more_places),
        dropped=list(dropped),
        weights=dict(weights.points),
        scales=scales,
        operator_share_pct=dict(weights.operator_share_pct),
        tiers=dict(weights.tiers),
        fresh_days=weights.freshness.fresh_days,
        ageing_days=weights.freshness.ageing_days,
    )


def load(
    day: dt.date,
    municipalities: Sequence[str] | None = None,
    *,
    more: Mapping[str, int] | None = None,
    dropped: Sequence[str] = (),
    warehouse: Path | None = None,
) -> Round:
    """Everything one allocation needs. `more` adds places to units; `dropped` leaves rules of `DROPPABLE` out."""
    extra = dict(more or {})
    file = published.current(warehouse).path
    needs = queries.run("open_needs", file)
    if municipalities is not None:
        needs = needs.filter(pl.col("municipality").is_in(list(municipalities)))
    capacity = queries.run("open_places", file)
    added = pl.DataFrame({"unit_id": list(extra), "more": list(extra.values())}, schema={"unit_id": pl.String, "more": pl.Int64})
    capacity = (
        capacity.join(added, on="unit_id", how="full", coalesce=True)
        .select("unit_id", (pl.col("places").fill_null(0) + pl.col("more").fill_null(0)).alias("places"))
        .sort("unit_id")
    )
    tiers = policy.load("matching", day).values["urgency_tiers"]
    tier = (
        pl.col("urgency").fill_null("normal").replace_strict({name: told["value"] for name, told in tiers.items()}, return_dtype=pl.Int64)
    )
    return Round(
        needs=needs,
        pairs=candidates(day, municipalities, list(extra), dropped, file),
        capacity=capacity,
        priority=needs.select("need_id", tier.alias("tier")),
        waiting=needs.select("need_id", pl.col("registered_on").alias("since")),
        group=needs.select("need_id", "municipality"),
    )
