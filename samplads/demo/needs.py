"""Open needs, and the one need that the manual speaks of together with the units that fit it or miss it by one rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from samplads.demo.draws import Ints, day_number, months_back, pick, pick_rows, words
from samplads.demo.estate import Estate, distances, populations
from samplads.demo.occupancy import Stays
from samplads.demo.profile import Profile, Showcase
from samplads.model import haversine_km
from samplads.reference import Reference

LONGEST_WAIT_DAYS = 214
NIGHT_ORDER = ("none", "on_call", "sleeping", "awake")

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "need_id": pl.String,
    "municipality": pl.String,
    "registered_on": pl.Date,
    "wanted_from": pl.Date,
    "status": pl.String,
    "offer_types": pl.List(pl.String),
    "target_groups": pl.List(pl.String),
    "age": pl.Int64,
    "support_level": pl.Int64,
    "least_night_cover": pl.String,
    "max_daily_rate_ore": pl.Int64,
    "max_km": pl.Float64,
    "urgency": pl.String,
    "current_unit": pl.String,
    "wish_near": pl.List(pl.String),
    "wish_setting": pl.String,
}


def wanted_from(as_of: dt.date) -> dt.date:
    """The day the showcase need asks for: the first of the month after next."""
    return months_back(as_of.replace(day=1), -2)


def need_frame(
    profile: Profile, reference: Reference, estate: Estate, stays: Stays, count: int, as_of: dt.date, rng: np.random.Generator
) -> pl.DataFrame:
    """`count` open needs, and a third as many that are placed or withdrawn, in the contract's columns, numbered as they were registered."""
    total = count + count // 3
    specialities = profile.specialities
    weights = np.array([s.need for s in specialities])
    speciality = pick(rng, weights if weights.sum() > 0 else np.ones(len(specialities)), total)
    chosen = [specialities[position] for position in speciality.tolist()]
    codes = reference.municipality["code"].to_list()
    payer = pick(rng, populations(reference), total)
    near = np.exp(-distances(reference) / 20.0)

    waited = np.minimum(np.floor(rng.exponential(55.0, size=total)).astype(np.int64), LONGEST_WAIT_DAYS - 1)
    waited[int(np.argmax(waited))] = LONGEST_WAIT_DAYS
    order = np.argsort(-waited, kind="stable")
    waited = waited[order]
    # The longest wait is an open one: closed needs are drawn from the rest.
    closed = np.zeros(total, dtype=np.bool_)
    closed[1 + rng.choice(total - 1, size=total - count, replace=False)] = True
    status = np.where(closed, np.where(rng.random(total) < 0.8, "placed", "withdrawn"), "open")

    there = stays.present(day_number(as_of))
    by_payer = {code: np.flatnonzero(there & (stays.municipality == position)) for position, code in enumerate(codes)}
    unit_ids = estate.units["unit_id"].to_list()
    child = {t.code for t in profile.offer_types if t.child}
    rates = {t.code: t.rate for t in profile.offer_types}
    share_of_type = {t.code: t.persons_a_year for t in profile.offer_types}

    rows: list[dict[str, Any]] = []
    offset = max(118 - total // 2, 1) if total < 118 else 1
    for position, (one, home, days) in enumerate(zip(chosen, payer.tolist(), waited.tolist(), strict=True)):
        registered = as_of - dt.timedelta(days=days)
        # In a fixed order first: a set's own order differs from process to process.
        types = sorted(sorted(one.offer_types, key=str), key=lambda code: -share_of_type[code] * rng.random())
        types = types[: 1 + int(rng.random() < 0.35)]
        groups = [*one.primary, *(code for code in one.secondary if rng.random() < 0.25)][:3]
        support = int(rng.integers(one.support[0], one.support[1] + 1))
        candidates = by_payer[codes[home]]
        current = unit_ids[stays.unit[int(rng.choice(candidates))]] if len(candidates) and rng.random() < 0.35 else None
        rate = max(rates[code] for code in types) * one.rate * rng.uniform(1.0, 1.5)
        wished = [int(pick(rng, near[home], 1)[0])] if rng.random() < 0.45 else []
        rows.append(
            {
                "need_id": f"{as_of.year}-{offset + position}",
                "municipality": codes[home],
                "registered_on": registered,
                "wanted_from": registered + dt.timedelta(days=int(rng.integers(20, 200))) if rng.random() < 0.92 else None,
                "status": str(status[position]),
                "offer_types": [code for code in types if code is not None] or None,
                "target_groups": groups or None,
                "age": int(rng.integers(one.ages[0], one.ages[1] + 1)),
                "support_level": support if rng.random() < 0.9 else None,
                "least_night_cover": _cover(one.awake, support, bool(child & set(types)), rng),
                "max_daily_rate_ore": round(rate / 50) * 5000 if rng.random() < 0.45 else None,
                "max_km": float(rng.choice([30, 40, 60, 80, 100, 150])) if rng.random() < 0.55 else None,
                "urgency": str(rng.choice(["normal", "urgent", "acute"], p=[0.74, 0.19, 0.07])),
                "current_unit": current,
                "wish_near": [codes[place] for place in wished] or None,
                "wish_setting": str(rng.choice(["alone", "with_others"], p=[0.3, 0.7])) if rng.random() < 0.4 else None,
            }
        )
    needs = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return needs if profile.showcase is None else _with_showcase(needs, profile.showcase, as_of)


def _cover(awake: bool, support: int, child: bool, rng: np.random.Generator) -> str | None:
    draw = rng.random()
    if awake:
        return "awake" if draw < 0.7 else "sleeping"
    if child or support >= 3:
        return "awake" if draw < 0.2 else "sleeping" if draw < 0.6 else None
    return "sleeping" if draw < 0.15 else "on_call" if draw < 0.4 else None


def _with_showcase(needs: pl.DataFrame, showcase: Showcase, as_of: dt.date) -> pl.DataFrame:
    """The need of that number becomes the one that is told of; it keeps its place in line."""
    told = {
        "municipality": showcase.municipality,
        "wanted_from": wanted_from(as_of),
        "status": "open",
        "offer_types": [showcase.offer_type],
        "target_groups": list(showcase.target_groups),
        "age": showcase.age,
        "support_level": showcase.support_level,
        "least_night_cover": showcase.least_night_cover,
        "max_daily_rate_ore": showcase.max_daily_rate * 100,
        "max_km": showcase.max_km,
        "urgency": "urgent",
        "current_unit": None,
        "wish_near": list(showcase.wish_near),
        "wish_setting": "with_others",
    }
    need_id = f"{as_of.year}-{showcase.need}"
    return pl.DataFrame([row | told if row["need_id"] == need_id else row for row in needs.to_dicts()], schema=COLUMNS, orient="row")


@dataclass(frozen=True)
class Stage:
    """Units that are made to fit the showcase need, or to miss it by exactly one rule.

    units      positions, hits first
    unit       what each unit says instead, by position
    capacity   what its newest count says instead, by position
    approvals  its approvals (group, rank), by position
    """

    units: Ints
    unit: Mapping[int, Mapping[str, Any]]
    capacity: Mapping[int, Mapping[str, Any]]
    approvals: Mapping[int, list[tuple[str, str]]]


HITS = (3, 6, 12, 45, 150, 20)
"""Days since the confirmation of each hit: four fresh, one ageing, one stale."""


def set_stage(profile: Profile, reference: Reference, estate: Estate, as_of: dt.date, rng: np.random.Generator) -> Stage | None:
    """Choose and change units near the showcase's municipality: hits, three with an unknown value, and near misses of every kind.

    Returns None where the profile tells no showcase or too few units lie within its distance.
    """
    showcase = profile.showcase
    if showcase is None:
        return None
    codes = reference.municipality["code"]
    home = int((codes == showcase.municipality).arg_true()[0])
    point = reference.municipality.row(home, named=True)
    if point["lat"] is None or point["lon"] is None:
        return None
    km = haversine_km(
        estate.units["lat"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        estate.units["lon"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        point["lat"],
        point["lon"],
    )
    child = np.array([t.child for t in profile.offer_types])[estate.type]
    fitting = (estate.units["offer_type"] == showcase.offer_type).fill_null(False).to_numpy()
    usable = ~estate.single & ~child & (estate.maximum >= 3)
    near = np.flatnonzero(usable & fitting & (km <= showcase.max_km * 0.9))
    beyond = np.flatnonzero(usable & fitting & (km > showcase.max_km * 1.03) & (km <= showcase.max_km * 1.4))
    start = wanted_from(as_of)
    less_cover = NIGHT_ORDER[max(NIGHT_ORDER.index(showcase.least_night_cover) - 1, 0)]
    other = [(showcase.target_groups[0], "primary")]
    misses: list[tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, str]] | None]] = [
        *[("opens_late", {}, {"accepting_from": start + dt.timedelta(days=days)}, None) for days in (21, 21, 14, 30, 21)],
        *[("too_dear", {"daily_rate_ore": round(showcase.max_daily_rate * factor) * 100}, {}, None) for factor in (1.08, 1.12)],
        *[("night_cover", {"night_cover": less_cover}, {}, None)] * 4,
        ("age", {"age_from": showcase.age + 1, "age_to": 65}, {}, None),
        ("support", {"support_level_from": 0, "support_level_to": max(showcase.support_level - 1, 0)}, {}, None),
        *[("group", {}, {}, other)] * 2,
        ("excluded", {}, {}, [*other, *((code, "excluded") for code in showcase.target_groups[1:])]),
    ]
    unknown: list[dict[str, Any]] = [
        {"night_cover": None},
        {"age_from": None, "age_to": None},
        {"support_level_from": None, "support_level_to": None},
    ]
    wanted = len(HITS) + len(unknown) + len(misses)
    if len(near) < wanted:
        return None
    chosen = rng.permutation(near)[:wanted]
    first = showcase.first_hit.get("municipality")
    preferred = near[(estate.units["municipality"].gather(near) == first).to_numpy()] if first else near[:0]
    municipal = (estate.units["operator_kind"].gather(preferred) == "municipal").to_numpy()
    preferred = preferred[np.argsort(~municipal, kind="stable")]
    if len(preferred):
        chosen = np.r_[preferred[0], chosen[chosen != preferred[0]]][:wanted]

    fits = {
        "age_from": 18,
        "age_to": 65,
        "support_level_from": 2,
        "support_level_to": 4,
        "approval_status": "approved",
        "approved_until": months_back(as_of, -30) - dt.timedelta(days=1),
        "night_cover": showcase.least_night_cover,
        "price_year": as_of.year,
        "assumed_occupancy_pct": 98.0,
    }
    both = [(code, "primary") for code in showcase.target_groups]
    unit: dict[int, dict[str, Any]] = {}
    capacity: dict[int, dict[str, Any]] = {}
    approvals: dict[int, list[tuple[str, str]]] = {}
    roles = words(profile.words.confirmed_by, pick_rows(rng, np.ones((wanted, len(profile.words.confirmed_by)))))
    for place, position in enumerate(chosen.tolist()):
        # Close together, so that most are within a tenth of the cheapest.
        rate = round(showcase.max_daily_rate * float(rng.uniform(0.86, 0.96))) * 100
        days = HITS[place] if place < len(HITS) else int(rng.integers(1, 60))
        unit[position] = fits | {"daily_rate_ore": rate}
        capacity[position] = {
            "accepting_from": as_of - dt.timedelta(days=int(rng.integers(1, 20))),
            "status": "open",
            "reserved": 0,
            "confirmed_by": roles[place],
            "confirmed_at": as_of - dt.timedelta(days=days),
        }
        # A leaf of two is told as primary and secondary in part of the units: both count as approved.
        approvals[position] = both if place % 3 != 2 else [both[0], *((code, "secondary") for code, _ in both[1:])]
        if len(HITS) <= place < len(HITS) + len(unknown):
            unit[position] |= unknown[place - len(HITS)]
        elif place >= len(HITS) + len(unknown):
            _, of_unit, of_capacity, groups = misses[place - len(HITS) - len(unknown)]
            unit[position] |= of_unit
            capacity[position] |= of_capacity
            approvals[position] = groups or approvals[position]
    for position in rng.permutation(beyond)[:2].tolist():
        # These fit in everything but distance.
        unit[position] = fits | {"daily_rate_ore": round(showcase.max_daily_rate * 0.9) * 100}
        capacity[position] = {
            "accepting_from": as_of - dt.timedelta(days=5),
            "status": "open",
            "reserved": 0,
            "confirmed_by": profile.words.confirmed_by[0],
            "confirmed_at": as_of - dt.timedelta(days=9),
        }
        approvals[position] = both
    if len(preferred) and (told_rate := showcase.first_hit.get("daily_rate")):
        unit[int(chosen[0])]["daily_rate_ore"] = int(told_rate) * 100
    if len(preferred) and (name := showcase.first_hit.get("offer_name")):
        offer = int(estate.offer[int(chosen[0])])
        of_offer = np.flatnonzero(estate.offer == offer)
        shared = of_offer[~estate.single[of_offer]]
        for number, position in enumerate([int(chosen[0]), *(int(p) for p in shared if p != chosen[0])]):
            # The first hit is number 2 of its house, as on the drawing of the screens; the others are 1, 3, 4 ...
            label = 2 if number == 0 else 1 if number == 1 else number + 1
            unit[position] = {**unit.get(position, {}), "offer_name": name, "name": f"{name} {label}"}
        for position in of_offer[estate.single[of_offer]].tolist():
            told = estate.units["name"][position]
            unit[position] = {**unit.get(position, {}), "offer_name": name, "name": f"{name}{told[told.index(',') :]}"}
    return Stage(units=np.array(sorted(capacity), dtype=np.int64), unit=unit, capacity=capacity, approvals=approvals)


def staged(stage: Stage | None, estate: Estate) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Units and approvals as the stage has them."""
    if stage is None:
        return estate.units, estate.approvals
    units = estate.units.to_dicts()
    for position, told in stage.unit.items():
        units[position] |= told
    ids = estate.units["unit_id"].to_list()
    changed = {ids[position]: rows for position, rows in stage.approvals.items()}
    kept = estate.approvals.filter(~pl.col("unit_id").is_in(list(changed)))
    new = pl.DataFrame(
        [(unit_id, code, rank) for unit_id, rows in changed.items() for code, rank in rows], schema=kept.schema, orient="row"
    )
    ordered = {unit_id: position for position, unit_id in enumerate(ids)}
    approvals = pl.concat([kept, new]).sort(pl.col("unit_id").replace_strict(ordered, return_dtype=pl.Int64), maintain_order=True)
    return pl.DataFrame(units, schema=estate.units.schema, orient="row"), approvals
