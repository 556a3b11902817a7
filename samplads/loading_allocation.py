"""What a joint allocation works on: every need that waits, every unit that suits it surely, and the places that are open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from samplads import loading, policy, queries
from samplads.matching.eligibility import RULES, RuleKind

if TYPE_CHECKING:
    # With it comes the ledger's database library (samplads/loading.py).
    from samplads.overlay import Layer

DROPPABLE = tuple(
    rule for rule in ("offer_type", "support_level", "night_cover", "open_by", "price", "distance") if RULES[rule] is RuleKind.LIMIT
)
"""Rules that a what-if may leave out: limits that needs set themselves, never the law."""

NEEDS_AT_ONCE = 2_500
"""Needs whose pairs with full units are fetched at once: there are more full units than open ones, and memory is bounded."""

HOLDS_SCHEMA = {"need_id": pl.String(), "unit_id": pl.String(), "places": pl.Int64()}
KEPT_SCHEMA = {"need_id": pl.String(), "unit_id": pl.String()}

OnStart = Callable[[duckdb.DuckDBPyConnection], None]
Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class NewUnit:
    """A unit that is thought of: like one that exists (type, groups, ages, night cover, rate), in a municipality, with so many places."""

    unit_id: str
    like: str
    municipality: str
    places: int


@dataclass(frozen=True, eq=False)
class Round:
    """Needs, pairs and places of one allocation.

    needs: the columns of the contract with municipality_name; pairs: [need_id, unit_id, points, match_points, tier, metres,
    daily_rate_ore], where points rank (a stale place after every fresh one); capacity: [unit_id, places], over a horizon with [opens] and a
    row for each month; priority: [need_id, tier]; waiting: [need_id, since]; group: [need_id, municipality].

    holds: [need_id, unit_id] that the plan keeps; settled: [need_id, unit_id] needs that hold a place which is no sure match or no longer
    open: left out of the round, the place too; held_elsewhere: how many places are held for needs outside the round.

    units: rows of `unit_now` of the new units that are thought of; opened: units with added places or places to come; wanted: over a
    horizon [need_id, wanted_from], a day.
    """

    needs: pl.DataFrame
    pairs: pl.DataFrame
    capacity: pl.DataFrame
    priority: pl.DataFrame
    waiting: pl.DataFrame
    group: pl.DataFrame
    holds: pl.DataFrame
    settled: pl.DataFrame
    held_elsewhere: int
    units: pl.DataFrame
    opened: tuple[str, ...]
    wanted: pl.DataFrame | None = None

    @property
    def scored(self) -> pl.DataFrame:
        """The pairs as `allocate` takes them."""
        return self.pairs.select("need_id", "unit_id", "points")


def candidates(
    day: dt.date,
    municipalities: Sequence[str] | None = None,
    more_places: Sequence[str] = (),
    dropped: Sequence[str] = (),
    warehouse: Path | None = None,
    *,
    full: bool = False,
    on_start: OnStart | None = None,
) -> pl.DataFrame:
    """All sure pairs in one query (see queries/candidates.sql).

    `full`: instead those of full units, as if each had a place. `on_start` is handed the cursor before it runs (`queries.run`): to lay
    what people have written over the warehouse, and to be able to interrupt.
    """
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
        on_start=on_start,
        as_of=day,
        municipalities=None if municipalities is None else list(municipalities),
        more_places=list(more_places),
        dropped=list(dropped),
        full_units=full,
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
    new: Sequence[NewUnit] = (),
    holds: pl.DataFrame | None = None,
    horizon: int | None = None,
    warehouse: Path | None = None,
    layer: Layer | None = None,
    on_start: OnStart | None = None,
) -> Round:
    """Everything one allocation needs.

    `more` adds places to units, `new` adds units; `dropped` leaves rules of `DROPPABLE` out. `holds`: [need_id, unit_id, places] that
    stand, in the order in which they were made. `horizon`: so many months ahead places that are planned count too, and a place that opens
    after the day wanted may be waited for, by months. `layer` is what people have written (None: nothing); `on_start` is handed every
    cursor.
    """
    file = loading.version_in_force(warehouse)
    extra = {**dict(more or {}), **{unit.unit_id: unit.places for unit in new}}
    units = _new_rows(day, new, file, layer)
    start = _start(layer, units, on_start)
    everyone = queries.run("open_needs", file, on_start=on_start)
    needs = everyone if municipalities is None else everyone.filter(pl.col("municipality").is_in(list(municipalities)))
    added = pl.DataFrame({"unit_id": list(extra), "more": list(extra.values())}, schema={"unit_id": pl.String, "more": pl.Int64})
    opening = queries.run("open_places", file, on_start=start, as_of=day)
    capacity = (
        opening.select("unit_id", "places")
        .join(added, on="unit_id", how="full", coalesce=True)
        .select("unit_id", (pl.col("places").fill_null(0) + pl.col("more").fill_null(0)).alias("places"))
        .sort("unit_id")
    )
    to_come = _to_come(day, horizon, file)
    opened = (*extra, *sorted(set(to_come["unit_id"].to_list()) - set(extra)))
    judged = judged_by(dropped, by_month=horizon is not None)
    pairs = candidates(day, municipalities, opened, judged, file, on_start=start)
    if judged != tuple(dropped):
        pairs = _told_when(pairs, needs, opening)
    kept, settled, capacity, elsewhere = _stand(holds, needs, pairs, capacity)
    if settled.height:
        needs, pairs = (frame.join(settled, on="need_id", how="anti") for frame in (needs, pairs))
    if horizon is not None:
        capacity = _by_month(day, capacity, opening, to_come)
    tiers = policy.load("matching", day).values["urgency_tiers"]
    tier = (
        pl.col("urgency").fill_null("normal").replace_strict({name: told["value"] for name, told in tiers.items()}, return_dtype=pl.Int64)
    )
    return Round(
        needs=needs,
        pairs=pairs,
        capacity=capacity,
        priority=needs.select("need_id", tier.alias("tier")),
        waiting=needs.select("need_id", pl.col("registered_on").alias("since")),
        group=needs.select("need_id", "municipality"),
        holds=kept,
        settled=settled,
        held_elsewhere=elsewhere,
        units=units,
        opened=opened,
        wanted=None if horizon is None else needs.select("need_id", pl.max_horizontal("wanted_from", pl.lit(day)).alias("wanted_from")),
    )


def judged_by(dropped: Sequence[str], *, by_month: bool) -> tuple[str, ...]:
    """The rules left out of the pairs: where places are shared out by month, the month judges when a place opens, and no rule or points."""
    return (*dropped, "open_by") if by_month and "open_by" not in dropped else tuple(dropped)


def _to_come(day: dt.date, horizon: int | None, file: Path) -> pl.DataFrame:
    """[unit_id, opens, places] that are planned within so many months."""
    if horizon is None:
        return pl.DataFrame(schema={"unit_id": pl.String, "opens": pl.Date, "places": pl.Int64})
    until = pl.select(pl.lit(day).dt.offset_by(f"{horizon}mo")).item()
    return queries.run("places_to_come", file, as_of=day, until=until)


def _told_when(pairs: pl.DataFrame, needs: pl.DataFrame, opening: pl.DataFrame) -> pl.DataFrame:
    """Pairs without those where nobody has told when the unit's places open, and the need wants a day: that cannot be waited for."""
    untold = opening.filter(pl.col("accepting_from").is_null())
    eager = needs.filter(pl.col("wanted_from").is_not_null())
    unsure = pairs.join(untold, on="unit_id", how="semi").join(eager, on="need_id", how="semi")
    return pairs.join(unsure, on=["need_id", "unit_id"], how="anti")


def _by_month(day: dt.date, capacity: pl.DataFrame, opening: pl.DataFrame, to_come: pl.DataFrame) -> pl.DataFrame:
    """[unit_id, opens, places] with the first day of the month: open places when they open, planned ones when they are planned to."""
    now = capacity.join(opening.select("unit_id", "accepting_from"), on="unit_id", how="left").select(
        "unit_id", pl.max_horizontal("accepting_from", pl.lit(day)).dt.truncate("1mo").alias("opens"), "places"
    )
    # A unit that only has planned places has none now: one more would open now, and what it is worth is asked.
    planned = to_come.join(now, on="unit_id", how="anti").select("unit_id", pl.lit(day).dt.truncate("1mo").alias("opens"), places=0)
    both = pl.concat([now, to_come.select(now.columns), planned.unique()], how="vertical_relaxed")
    return both.group_by("unit_id", "opens").agg(pl.col("places").sum()).sort("unit_id", "opens")


def full_pairs(
    day: dt.date,
    asked: Round,
    *,
    dropped: Sequence[str] = (),
    warehouse: Path | None = None,
    layer: Layer | None = None,
    on_start: OnStart | None = None,
    tell: Tell | None = None,
) -> pl.DataFrame:
    """[need_id, unit_id, points] of a round's needs and the full units that would suit them: a query of its own: a plan has no use for it.

    Some municipalities at a time, so that memory stays bounded; `tell` hears how far it is.
    """
    file = loading.version_in_force(warehouse)
    start = _start(layer, asked.units, on_start)
    counts = asked.needs.group_by("municipality").len().sort("municipality").with_columns(pl.col("len").cum_sum().alias("before"))
    batch = (pl.col("before") - 1) // NEEDS_AT_ONCE
    parts = [part["municipality"].to_list() for part in counts.with_columns(batch=batch).partition_by("batch", maintain_order=True)]
    found = []
    for number, municipalities in enumerate(parts):
        if tell is not None:
            tell("full", number / len(parts))
        judged = judged_by(dropped, by_month=asked.wanted is not None)
        one = candidates(day, municipalities, asked.opened, judged, file, full=True, on_start=start)
        found.append(one.select("need_id", "unit_id", "points"))
    schema = {"need_id": pl.String, "unit_id": pl.String, "points": pl.Int64}
    return pl.concat(found).join(asked.needs, on="need_id", how="semi") if found else pl.DataFrame(schema=schema)


def _start(layer: Layer | None, units: pl.DataFrame, on_start: OnStart | None) -> OnStart:
    """Lay what people have written, and the units that are thought of, over the warehouse; then hand the cursor on."""
    laid = layer
    if units.height:
        if laid is None:
            from samplads import overlay

            laid = overlay.EMPTY
        laid = replace(laid, units=pl.concat([laid.units, units], how="diagonal_relaxed") if laid.units.height else units)

    def start(cursor: duckdb.DuckDBPyConnection) -> None:
        if laid is not None:
            laid.lay(cursor)
        if on_start is not None:
            on_start(cursor)

    return start


def _new_rows(day: dt.date, new: Sequence[NewUnit], file: Path, layer: Layer | None) -> pl.DataFrame:
    """Rows of `unit_now` for units that are thought of: approved without end, told today, without a place until some are added."""
    if not new:
        return pl.DataFrame()
    lay = None if layer is None else layer.lay
    like = queries.run("units_by_id", file, on_start=lay, unit_ids=sorted({unit.like for unit in new}))
    towns = {row["code"]: row for row in queries.run("municipalities", file).iter_rows(named=True)}
    rows = []
    for unit in new:
        town = towns[unit.municipality]
        own = {
            "unit_id": unit.unit_id,
            "municipality": unit.municipality,
            "municipality_name": town["name"],
            "lat": town["lat"],
            "lon": town["lon"],
            "has_own_point": False,
            "approval_status": "approved",
            "approved_until": None,
            "maximum": unit.places,
            "occupied": 0,
            "reserved": 0,
            "accepting": 0,
            "accepting_from": day,
            "status": "open",
            "confirmed_at": day,
        }
        row = like.filter(pl.col("unit_id") == unit.like)
        rows.append(row.with_columns(pl.lit(value, dtype=like.schema[name]).alias(name) for name, value in own.items()))
    return pl.concat(rows)


def _stand(
    holds: pl.DataFrame | None, needs: pl.DataFrame, pairs: pl.DataFrame, capacity: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, int]:
    """Holds that the plan keeps, those that settle a need outside it, the capacity that is left, and places held for others.

    1. A hold of a need outside the round takes its places from the unit.
    2. The first hold of a need in the round is kept by the plan where it is a sure pair and the unit has a place left for it; the further
       places of that hold are taken from the unit.
    3. Otherwise somebody has promised what the rules cannot vouch for: the need is settled, outside the plan, and its places are taken.
    4. Further holds of the same need take their places from the unit too, as long as they stand.
    """
    nothing = pl.DataFrame(schema=KEPT_SCHEMA)
    if holds is None or holds.height == 0:
        return nothing, nothing, capacity, 0
    inside = set(needs["need_id"].to_list())
    sure = set(pairs.join(holds, on=["need_id", "unit_id"], how="semi").select("need_id", "unit_id").iter_rows())
    room: dict[str, int] = dict(capacity.select("unit_id", "places").iter_rows())
    taken: dict[str, int] = {}
    kept: dict[str, str] = {}
    settled: dict[str, str] = {}
    elsewhere = 0
    for need, unit, places in holds.select("need_id", "unit_id", "places").iter_rows():
        left = room.get(unit, 0) - taken.get(unit, 0) - sum(where == unit for where in kept.values())
        if need in inside and need not in kept and need not in settled:
            if (need, unit) in sure and left > 0:
                kept[need] = unit
                places, left = places - 1, left - 1
            else:
                settled[need] = unit
        elif need not in inside:
            elsewhere += places
        taken[unit] = taken.get(unit, 0) + min(places, max(0, left))
    fewer = pl.DataFrame({"unit_id": list(taken), "fewer": list(taken.values())}, schema={"unit_id": pl.String, "fewer": pl.Int64})
    capacity = capacity.join(fewer, on="unit_id", how="left").select(
        "unit_id", (pl.col("places") - pl.col("fewer").fill_null(0)).clip(lower_bound=0).alias("places")
    )
    frames = [
        pl.DataFrame({"need_id": list(found), "unit_id": list(found.values())}, schema=KEPT_SCHEMA).sort("need_id")
        for found in (kept, settled)
    ]
    return frames[0], frames[1], capacity.sort("unit_id"), elsewhere
