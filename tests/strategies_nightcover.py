"""Made units, rosters, incidents and residents for night cover, and assumptions in force."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from samplads import loading_nightcover, settings
from samplads.nightcover import plan

DAY = dt.date(2026, 11, 1)
RULES = settings.ROOT / "data" / "rules"

UNIT = {
    "operator_kind": "municipal",
    "approval_status": "approved",
    "approved_until": dt.date(2028, 12, 31),
    "single_person": True,
    "daily_rate_ore": 700_000,
    "municipality": "370",
    "has_own_point": True,
    "groups": ["g-1"],
}
ROSTER = {
    "night_cover": "awake",
    "posts": 1,
    "shift_start": dt.time(23),
    "shift_end": dt.time(7),
    "monthly_pay_ore": 3_450_000,
    "one_to_one": False,
    "risky_work": False,
    "lone_work_danger": False,
    "danger_met_by": "no_special_danger",
    "response_minutes_limit": 30,
    "excludes_groups": None,
    "excludes_covered": None,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "units": {
        "unit_id": pl.String,
        "name": pl.String,
        "municipality": pl.String,
        "lat": pl.Float64,
        "lon": pl.Float64,
        "has_own_point": pl.Boolean,
        "operator_kind": pl.String,
        "approval_status": pl.String,
        "approved_until": pl.Date,
        "single_person": pl.Boolean,
        "daily_rate_ore": pl.Int64,
        "groups": pl.List(pl.String),
    },
    "roster": {
        "unit_id": pl.String,
        "night_cover": pl.String,
        "posts": pl.Int64,
        "shift_start": pl.Time,
        "shift_end": pl.Time,
        "monthly_pay_ore": pl.Int64,
        "one_to_one": pl.Boolean,
        "risky_work": pl.Boolean,
        "lone_work_danger": pl.Boolean,
        "danger_met_by": pl.String,
        "response_minutes_limit": pl.Int64,
        "excludes_groups": pl.List(pl.String),
        "excludes_covered": pl.List(pl.String),
    },
    "incidents": {
        "unit_id": pl.String,
        "incidents": pl.Int64,
        "minutes_mean": pl.Float64,
        "staff_most": pl.Int64,
        "nights": pl.Int64,
    },
    "residents": {"unit_id": pl.String, "municipality": pl.String, "daily_rate_ore": pl.Int64},
}


def inputs(units: list[dict[str, Any]], travel: pl.DataFrame | None = None) -> plan.Inputs:
    """Inputs of units told by what differs from the usual: keys of UNIT and ROSTER, `lat`, `lon`, `incidents` (None: not
    delivered), `minutes`, `nights`, `payers`."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for number, told in enumerate(units):
        unit_id = told.get("unit_id", f"A-{number:03}")
        unit = {"unit_id": unit_id, "name": f"Hus {number}", "lat": 55.2 + 0.01 * number, "lon": 11.8, **UNIT}
        unit |= {key: value for key, value in told.items() if key in SCHEMAS["units"]}
        rows["units"].append(unit)
        if told.get("roster", True):
            rows["roster"].append({"unit_id": unit_id, **ROSTER} | {key: value for key, value in told.items() if key in ROSTER})
        incidents = told.get("incidents", 60)
        if incidents is not None:
            rows["incidents"].append(
                {
                    "unit_id": unit_id,
                    "incidents": incidents,
                    "minutes_mean": told.get("minutes", 25.0) if incidents else None,
                    "staff_most": 1 if incidents else None,
                    "nights": told.get("nights", 365),
                }
            )
        for payer in told.get("payers", ["370"]):
            rows["residents"].append({"unit_id": unit_id, "municipality": payer, "daily_rate_ore": unit["daily_rate_ore"]})
    frames = {name: pl.DataFrame(rows[name], schema=SCHEMAS[name]) for name in SCHEMAS}
    return plan.Inputs(**frames, as_of=DAY, travel=travel)


def assumptions(**changes: Any) -> plan.Assumptions:
    """The assumptions in force, with changes."""
    return loading_nightcover.assumptions(DAY, folder=RULES).changed(**changes)


def town(count: int, seed: int, **common: Any) -> list[dict[str, Any]]:
    """Units strewn over some kilometres, with different pay, shifts and incidents."""
    rng = np.random.default_rng(seed)
    shifts = [(dt.time(23), dt.time(7)), (dt.time(22, 30), dt.time(6, 30)), (dt.time(22), dt.time(6))]
    told = []
    for _ in range(count):
        start, end = shifts[int(rng.integers(3))]
        told.append(
            {
                "lat": 55.2 + float(rng.random()) * 0.3,
                "lon": 11.8 + float(rng.random()) * 0.4,
                "shift_start": start,
                "shift_end": end,
                "monthly_pay_ore": int(rng.integers(3_000_000, 3_600_000)),
                "incidents": int(rng.integers(5, 150)),
                "minutes": float(rng.integers(10, 60)),
                "daily_rate_ore": int(rng.integers(300_000, 900_000)),
                "payers": [["370"], ["306"], ["259"]][int(rng.integers(3))],
                **common,
            }
        )
    return told
