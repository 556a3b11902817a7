"""The slow, obvious twin of samplads.matching: one unit at a time, one rule at a time, in plain Python on dicts.

Written from the rules as people say them; it shares no code with the product (not even the distance) except the words of a `Case`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

COVERS = ["none", "on_call", "sleeping", "awake"]
LEGAL_OR_FACT = {"target_group", "target_group_excluded", "age", "open_place", "intake", "approval", "current_unit"}
ORDER = [
    "target_group",
    "target_group_excluded",
    "offer_type",
    "age",
    "support_level",
    "night_cover",
    "open_place",
    "intake",
    "open_by",
    "price",
    "distance",
    "approval",
    "current_unit",
    "operator_kind",
    "area",
]


def metres(here: tuple[float, float] | None, lat: float | None, lon: float | None) -> int | None:
    if here is None or lat is None or lon is None:
        return None
    a, b = map(math.radians, here), map(math.radians, (lat, lon))
    (phi1, lambda1), (phi2, lambda2) = tuple(a), tuple(b)
    h = math.sin((phi2 - phi1) / 2) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin((lambda2 - lambda1) / 2) ** 2
    return math.floor(2 * 6371008.8 * math.asin(min(1.0, math.sqrt(h))) + 0.5)


def below(group: str, closure: list[tuple[str, str]]) -> set[str]:
    """The groups strictly below."""
    return {down for up, down in closure if up == group and down != group}


def stands(unit: dict[str, Any], group: str, closure: list[tuple[str, str]]) -> str:
    """How a unit is approved for a group: primary, secondary, part, no or untold."""
    primary, secondary = unit["primary_groups"] or [], unit["secondary_groups"] or []
    if not primary and not secondary:
        return "untold"
    if any(group == told or group in below(told, closure) for told in primary):
        return "primary"
    if any(group == told or group in below(told, closure) for told in secondary):
        return "secondary"
    return "part" if any(told in below(group, closure) for told in primary + secondary) else "no"


def within(value: int, least: int | None, most: int | None) -> str:
    if (least is not None and value < least) or (most is not None and value > most):
        return "fail"
    return "unknown" if least is None or most is None else "pass"


def answer(unit: dict[str, Any], case: Any, closure: list[tuple[str, str]], as_of: dt.date, far: int | None) -> dict[str, str]:
    """What each rule that applies says of a unit: pass, fail or unknown."""
    day = as_of if case.wanted_from is None or case.wanted_from < as_of else case.wanted_from
    said: dict[str, str] = {}
    if case.target_groups:
        standing = [stands(unit, group, closure) for group in case.target_groups]
        said["target_group"] = "fail" if "no" in standing else "unknown" if {"part", "untold"} & set(standing) else "pass"
        refused = unit["excluded_groups"] or []
        if any(group == told or group in below(told, closure) for group in case.target_groups for told in refused):
            said["target_group_excluded"] = "fail"
        elif any(told in below(group, closure) for group in case.target_groups for told in refused):
            said["target_group_excluded"] = "unknown"
        else:
            said["target_group_excluded"] = "pass"
    if case.offer_types:
        kind = unit["offer_type"]
        said["offer_type"] = "unknown" if kind is None else "pass" if kind in case.offer_types else "fail"
    if case.age is not None:
        said["age"] = within(case.age, unit["age_from"], unit["age_to"])
    if case.support_level is not None:
        said["support_level"] = within(case.support_level, unit["support_level_from"], unit["support_level_to"])
    if case.least_night_cover is not None and case.least_night_cover != "none":
        cover = unit["night_cover"]
        enough = cover is not None and COVERS.index(cover) >= COVERS.index(case.least_night_cover)
        said["night_cover"] = "unknown" if cover is None else "pass" if enough else "fail"
    said["open_place"] = "unknown" if unit["accepting"] is None else "pass" if unit["accepting"] >= 1 else "fail"
    said["intake"] = {"closed": "fail", "waiting_list": "unknown", "needs_assessment": "unknown"}.get(unit["status"], "pass")
    if case.wanted_from is not None:
        opens = unit["accepting_from"]
        said["open_by"] = "unknown" if opens is None else "pass" if opens <= day else "fail"
    if case.max_daily_rate_ore is not None:
        rate = unit["daily_rate_ore"]
        said["price"] = "unknown" if rate is None else "pass" if rate <= case.max_daily_rate_ore else "fail"
    if case.max_km is not None:
        said["distance"] = "unknown" if far is None else "pass" if far <= math.floor(case.max_km * 1000 + 0.5) else "fail"
    status, until = unit["approval_status"], unit["approved_until"]
    if status in ("suspended", "withdrawn") or (status != "not_required" and until is not None and until < day):
        said["approval"] = "fail"
    else:
        said["approval"] = "pass" if status in ("approved", "not_required") else "unknown"
    if case.current_unit is not None:
        said["current_unit"] = "fail" if unit["unit_id"] == case.current_unit else "pass"
    if case.operator_kinds:
        kind = unit["operator_kind"]
        said["operator_kind"] = "unknown" if kind is None else "pass" if kind in case.operator_kinds else "fail"
    if case.located_in:
        said["area"] = "pass" if unit["municipality"] in case.located_in else "fail"
    return said


def band(unit: dict[str, Any], as_of: dt.date, fresh: int, ageing: int) -> str:
    if unit["confirmed_at"] is None:
        return "stale"
    age = (as_of - unit["confirmed_at"]).days
    return "fresh" if age <= fresh else "ageing" if age <= ageing else "stale"


def falling(weight: int, amount: int | None, zero_at: int) -> int:
    return 0 if amount is None else weight - min(weight, weight * amount // zero_at)


def points(
    unit: dict[str, Any],
    case: Any,
    weights: Any,
    closure: list[tuple[str, str]],
    as_of: dt.date,
    places: dict[str, tuple[float, float]],
    reference: int | None,
) -> dict[str, int]:
    """Points of one unit by criterion."""
    w = weights.points
    given = dict.fromkeys(w, 0)
    groups = list(dict.fromkeys(case.target_groups))
    if groups:
        worth = {"primary": 2, "secondary": 1}
        given["target_groups"] = (
            w["target_groups"] * sum(worth.get(stands(unit, group, closure), 0) for group in groups) // (2 * len(groups))
        )
    home = places.get(case.municipality)
    given["distance"] = falling(w["distance"], metres(home, unit["lat"], unit["lon"]), 1000 * weights.distance_zero_km)
    rate = unit["daily_rate_ore"]
    if rate is not None and reference is not None:
        if rate <= reference:
            given["price"] = w["price"]
        elif 100 * (rate - reference) <= weights.reference_tolerance_pct * reference:
            given["price"] = w["price"] - w["price"] * 100 * (rate - reference) // (2 * weights.reference_tolerance_pct * reference)
    if unit["operator_kind"] is not None:
        given["operator_kind"] = w["operator_kind"] * weights.operator_share_pct[unit["operator_kind"]] // 100
    if case.least_night_cover is not None and unit["night_cover"] is not None:
        more = COVERS.index(unit["night_cover"]) - COVERS.index(case.least_night_cover)
        if more >= 0:
            given["night_cover"] = w["night_cover"] - w["night_cover"] * more // 3
    if case.wanted_from is not None and unit["accepting_from"] is not None:
        wanted, opens = max(case.wanted_from, as_of), max(unit["accepting_from"], as_of)
        if opens <= wanted:
            given["date"] = falling(w["date"], (wanted - opens).days, weights.date_zero_days)
    if unit["confirmed_at"] is not None:
        given["freshness"] = falling(w["freshness"], max(0, (as_of - unit["confirmed_at"]).days), weights.freshness.ageing_days)
    if case.wish_near:
        if unit["municipality"] in case.wish_near:
            given["wish_near"] = w["wish_near"]
        else:
            far = [metres(places.get(code), unit["lat"], unit["lon"]) for code in case.wish_near]
            nearest = min((distance for distance in far if distance is not None), default=None)
            given["wish_near"] = falling(w["wish_near"], nearest, 1000 * weights.wish_near_zero_km)
    if case.wish_setting is not None and unit["single_person"] is (case.wish_setting == "alone"):
        given["wish_setting"] = w["wish_setting"]
    return given


def lacking(rule: str, unit: dict[str, Any], case: Any, closure: list[tuple[str, str]], as_of: dt.date, far: int | None) -> int | None:
    """By how much a unit fails its one rule, rounded up."""
    day = as_of if case.wanted_from is None or case.wanted_from < as_of else case.wanted_from
    if rule == "target_group":
        return sum(stands(unit, group, closure) == "no" for group in set(case.target_groups))
    if rule == "target_group_excluded":
        refused = unit["excluded_groups"]
        return sum(any(group == told or group in below(told, closure) for told in refused) for group in set(case.target_groups))
    if rule in ("age", "support_level"):
        value, least, most = getattr(case, rule), unit[f"{rule}_from"], unit[f"{rule}_to"]
        return least - value if least is not None and value < least else value - most
    if rule == "night_cover":
        return COVERS.index(case.least_night_cover) - COVERS.index(unit["night_cover"])
    if rule == "open_place":
        return 1 - unit["accepting"]
    if rule == "open_by":
        return (unit["accepting_from"] - day).days
    if rule == "price":
        limit = case.max_daily_rate_ore
        return None if limit == 0 else math.ceil((unit["daily_rate_ore"] - limit) * 100 / limit)
    if rule == "distance":
        assert far is not None
        return math.ceil((far - math.floor(case.max_km * 1000 + 0.5)) / 1000)
    if rule == "approval":
        until = unit["approved_until"]
        return (day - until).days if until is not None and until < day else None
    return None


def match(
    units: list[dict[str, Any]],
    case: Any,
    weights: Any,
    closure: list[tuple[str, str]],
    as_of: dt.date,
    places: dict[str, tuple[float, float]],
) -> dict[str, Any]:
    """The answer in the shape of `MatchResult.to_json`, without questions and without what only repeats the input."""
    home = places.get(case.municipality)
    far = {unit["unit_id"]: metres(home, unit["lat"], unit["lon"]) for unit in units}
    said = {unit["unit_id"]: answer(unit, case, closure, as_of, far[unit["unit_id"]]) for unit in units}
    failed = {unit_id: [rule for rule in ORDER if told.get(rule) == "fail"] for unit_id, told in said.items()}
    unknown = {unit_id: [rule for rule in ORDER if told.get(rule) == "unknown"] for unit_id, told in said.items()}
    hits = [unit for unit in units if not failed[unit["unit_id"]] and not unknown[unit["unit_id"]]]
    assess = [unit for unit in units if not failed[unit["unit_id"]] and unknown[unit["unit_id"]]]

    def reference(kind: str | None) -> int | None:
        if case.reference_rate_ore is not None:
            rate: int = case.reference_rate_ore
            return rate
        for among in (hits, assess):
            rates = [unit["daily_rate_ore"] for unit in among if unit["offer_type"] == kind and unit["daily_rate_ore"] is not None]
            if rates:
                return min(rates)
        return None

    def ranked(some: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, int]]]:
        scored = [(unit, points(unit, case, weights, closure, as_of, places, reference(unit["offer_type"]))) for unit in some]

        def key(pair: tuple[dict[str, Any], dict[str, int]]) -> tuple[int, int, str]:
            unit, given = pair
            fresh = band(unit, as_of, weights.freshness.fresh_days, weights.freshness.ageing_days)
            return weights.tiers[fresh], -sum(given.values()), unit["unit_id"]

        return sorted(scored, key=key)

    applied = [rule for rule in ORDER if case_applies(rule, case)]
    near = [(unit, failed[unit["unit_id"]][0]) for unit in units if len(failed[unit["unit_id"]]) == 1]
    return {
        "units": len(units),
        "hits": [{"unit_id": unit["unit_id"], "points": sum(given.values()), "points_by_rule": given} for unit, given in ranked(hits)],
        "needs_assessment": [
            {"unit_id": unit["unit_id"], "points": sum(given.values()), "unknown": unknown[unit["unit_id"]]}
            for unit, given in ranked(assess)
        ],
        "excluded": {
            rule: {
                "failed": sum(rule in rules for rules in failed.values()),
                "only_this": sum(rules == [rule] for rules in failed.values()),
            }
            for rule in applied
        },
        "near_misses": {
            unit["unit_id"]: (rule, lacking(rule, unit, case, closure, as_of, far[unit["unit_id"]]), rule not in LEGAL_OR_FACT)
            for unit, rule in near
        },
    }


def case_applies(rule: str, case: Any) -> bool:
    """Whether a case leaves a rule open."""
    asks = {
        "target_group": bool(case.target_groups),
        "target_group_excluded": bool(case.target_groups),
        "offer_type": bool(case.offer_types),
        "age": case.age is not None,
        "support_level": case.support_level is not None,
        "night_cover": case.least_night_cover not in (None, "none"),
        "open_by": case.wanted_from is not None,
        "price": case.max_daily_rate_ore is not None,
        "distance": case.max_km is not None,
        "current_unit": case.current_unit is not None,
        "operator_kind": bool(case.operator_kinds),
        "area": bool(case.located_in),
    }
    return asks.get(rule, True)


def as_case(need: Mapping[str, Any]) -> Any:
    """A need as it is asked about: a list that is not told is empty, and nothing that an officer adds."""
    lists = {name: tuple(need[name] or ()) for name in ("offer_types", "target_groups", "wish_near")}
    return SimpleNamespace(**{**need, **lists, "operator_kinds": (), "located_in": (), "reference_rate_ore": None})


def candidates(
    units: Sequence[dict[str, Any]],
    needs: Sequence[Mapping[str, Any]],
    weights: Any,
    closure: list[tuple[str, str]],
    as_of: dt.date,
    places: dict[str, tuple[float, float]],
    municipalities: Collection[str] | None = None,
    more_places: Collection[str] = (),
    dropped: Collection[str] = (),
    *,
    full_units: bool = False,
) -> list[dict[str, Any]]:
    """Every pair of a need that waits and a unit that no rule speaks against, with its points: need by need, unit by unit.

    `more_places` are units open now as if they had a place, from today on where they have none; rules in `dropped` are not asked.
    `full_units`: instead the pairs of full units that are not closed, as if each had a place. The reference rate is the cheapest of the
    need's sure hits of the same offer type that really are open, else the unit's own; a better band of freshness outranks any points.
    """
    pairs = []
    for need in needs:
        if need["status"] not in (None, "open") or (municipalities is not None and need["municipality"] not in municipalities):
            continue
        case = as_case(need)
        home = places.get(case.municipality)
        hits = []
        for unit in units:
            far = metres(home, unit["lat"], unit["lon"])
            said = answer(unit, case, closure, as_of, far)
            really = said["open_place"] == said["intake"] == "pass"
            full = said["open_place"] == "fail" and said["intake"] != "fail" and unit["unit_id"] not in more_places
            let_off = set(dropped)
            if unit["unit_id"] in more_places or (full_units and full):
                let_off |= {"open_place", "intake"} | (set() if really else {"open_by"})
            if all(told == "pass" for rule, told in said.items() if rule not in let_off):
                hits.append((unit, far, really, full))
        for unit, far, _, full in hits:
            if full is not full_units:
                continue
            rates = [other["daily_rate_ore"] for other, _, really, _ in hits if really and other["offer_type"] == unit["offer_type"]]
            reference = min((rate for rate in rates if rate is not None), default=unit["daily_rate_ore"])
            total = sum(points(unit, case, weights, closure, as_of, places, reference).values())
            tier = weights.tiers[band(unit, as_of, weights.freshness.fresh_days, weights.freshness.ageing_days)]
            pairs.append(
                {
                    "need_id": need["need_id"],
                    "unit_id": unit["unit_id"],
                    "points": total + 1000 * (max(weights.tiers.values()) - tier),
                    "match_points": total,
                    "tier": tier,
                    "metres": far,
                    "daily_rate_ore": unit["daily_rate_ore"],
                }
            )
    return sorted(pairs, key=lambda pair: (pair["need_id"], pair["unit_id"]))
