"""Slow, obvious twins of the queries that the vacancies page asks, one unit and one filter at a time."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

STEPS = (
    *("places", "intake", "approval", "groups", "offer_types", "age", "support_level", "open_by"),
    *("municipalities", "max_km", "max_rate", "operator_kinds", "night_covers", "freshness"),
)
FUNNEL = [("places", "intake", "approval"), *((step,) for step in STEPS[3:])]
"""What each step of the funnel asks."""


def km(unit: dict[str, Any], lat: float | None, lon: float | None) -> float | None:
    if None in (lat, lon, unit["lat"], unit["lon"]):
        return None
    one, other = math.radians(lat), math.radians(unit["lat"])
    half_lat, half_lon = (other - one) / 2, math.radians(unit["lon"] - lon) / 2
    a = math.sin(half_lat) ** 2 + math.cos(one) * math.cos(other) * math.sin(half_lon) ** 2
    return 2 * 6371.0088 * math.asin(min(1, math.sqrt(a)))


def band(confirmed_at: dt.date | None, asked: dict[str, Any]) -> str:
    if confirmed_at is None:
        return "stale"
    days = (asked["day"] - confirmed_at).days
    return "fresh" if days <= asked["fresh_days"] else "ageing" if days <= asked["ageing_days"] else "stale"


def both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def at_most(low: Any, high: Any) -> bool | None:
    return None if low is None or high is None else low <= high


def among(value: Any, chosen: list[Any]) -> bool | None:
    return True if not chosen else None if value is None else value in chosen


def intake(unit: dict[str, Any]) -> bool | None:
    """Whether a unit takes anybody in: what nobody told holds nobody out."""
    return {"closed": False, "waiting_list": None, "needs_assessment": None}.get(unit["status"], True)


def approval(unit: dict[str, Any], move: dt.date) -> bool | None:
    """Whether a unit is approved on the day of a move."""
    status, until = unit["approval_status"], unit["approved_until"]
    if status in ("suspended", "withdrawn") or (until is not None and until < move and status != "not_required"):
        return False
    return None if status in (None, "conditional") else True


def surely_open(unit: dict[str, Any], move: dt.date) -> int:
    """The open places of a unit that surely can be had."""
    return (unit["accepting"] or 0) if intake(unit) and approval(unit, move) else 0


def move_day(asked: dict[str, Any]) -> dt.date:
    return max(asked["day"], asked["open_by"] or asked["day"])


def verdicts(unit: dict[str, Any], asked: dict[str, Any], below: dict[str, set[str]]) -> dict[str, bool | None]:
    """True, False or None (unknown) for every filter. `below` gives a group and all groups below it."""
    listed_anyhow = asked["places"] == "all"
    some_open = at_most(1, unit["accepting"])
    if asked["places"] == "reserved":
        some_open = None if unit["accepting"] is None else unit["accepting"] + (unit["reserved"] or 0) > 0
    covered = {leaf for group in unit["primary"] + unit["secondary"] for leaf in below[group]}
    closed = {leaf for group in unit["excluded"] for leaf in below[group]}
    groups: bool | None = True
    if asked["groups"]:
        shut = [group in closed for group in asked["groups"]]
        met = [bool(below[group] & covered) and group not in closed for group in asked["groups"]]
        if all(shut) or (asked["all_groups"] and any(shut)):
            groups = False
        elif not unit["primary"] + unit["secondary"]:
            groups = None
        else:
            groups = all(met) if asked["all_groups"] else any(met)

    def within(value: Any, low: str, high: str) -> bool | None:
        return True if value is None else both(at_most(unit[low], value), at_most(value, unit[high]))

    def limit(value: Any, most: Any) -> bool | None:
        return True if most is None else at_most(value, most)

    return {
        "places": True if listed_anyhow else some_open,
        "intake": True if listed_anyhow else intake(unit),
        "approval": True if listed_anyhow else approval(unit, move_day(asked)),
        "groups": groups,
        "offer_types": among(unit["offer_type"], asked["offer_types"]),
        "age": within(asked["age"], "age_from", "age_to"),
        "support_level": within(asked["support_level"], "support_level_from", "support_level_to"),
        "open_by": limit(unit["accepting_from"], asked["open_by"]),
        "municipalities": among(unit["municipality"], asked["municipalities"]),
        "max_km": limit(km(unit, asked["lat"], asked["lon"]), asked["max_km"]),
        "max_rate": limit(unit["daily_rate_ore"], asked["max_rate_ore"]),
        "operator_kinds": among(unit["operator_kind"], asked["operator_kinds"]),
        "night_covers": among(unit["night_cover"], asked["night_covers"]),
        "freshness": among(band(unit["confirmed_at"], asked), asked["freshness"]),
    }


def vacant(units: list[dict[str, Any]], asked: dict[str, Any], below: dict[str, set[str]]) -> list[tuple[str, list[str]]]:
    """Units that nothing rules out, in their order, each with what it leaves untold."""
    found = []
    for unit in units:
        judged = verdicts(unit, asked, below)
        if False not in judged.values():
            unknowns = [step for step in STEPS if judged[step] is None]
            away = km(unit, asked["lat"], asked["lon"])
            rank = ("fresh", "ageing", "stale").index(band(unit["confirmed_at"], asked))
            rate = normal_rate(unit, asked["occupancy_pct"])
            order = (bool(unknowns), rank, math.inf if away is None else away, math.inf if rate is None else rate, unit["unit_id"])
            found.append((order, unit["unit_id"], unknowns))
    return [(unit_id, unknowns) for _, unit_id, unknowns in sorted(found)]


def normal_rate(unit: dict[str, Any], occupancy_pct: float) -> int | None:
    if unit["daily_rate_ore"] is None or unit["assumed_occupancy_pct"] is None:
        return None
    exact = unit["daily_rate_ore"] * unit["assumed_occupancy_pct"] / occupancy_pct
    return math.floor(exact + 0.5)


def funnel(units: list[dict[str, Any]], asked: dict[str, Any], below: dict[str, set[str]]) -> list[tuple[int, int]]:
    """How many units surely pass the first 0, 1, 2, ... filters, and how many places in them are surely open."""
    left = units
    counts = [left]
    for steps in FUNNEL:
        left = [unit for unit in left if all(verdicts(unit, asked, below)[step] is True for step in steps)]
        counts.append(left)
    return [(len(kept), sum(surely_open(unit, move_day(asked)) for unit in kept)) for kept in counts]
