"""Hypothesis strategies for matching: few distinct values, so that every rule meets pass, fail and unknown often."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from samplads.matching.case import Case
from samplads.model import APPROVAL_STATUSES, INTAKE_STATUSES, NIGHT_COVERS, OPERATOR_KINDS, SETTINGS

AS_OF = dt.date(2026, 11, 22)
GROUPS = ("root", "branch", "leaf_a", "leaf_b", "other", "loose")
CLOSURE = [
    ("root", "root"),
    ("root", "branch"),
    ("root", "leaf_a"),
    ("root", "leaf_b"),
    ("branch", "branch"),
    ("branch", "leaf_a"),
    ("branch", "leaf_b"),
    ("leaf_a", "leaf_a"),
    ("leaf_b", "leaf_b"),
    ("other", "other"),
]
"""root > branch > leaf_a, leaf_b; other stands beside; "loose" is in no tree at all."""
MUNICIPALITIES = {"101": (55.68, 12.57), "259": (55.46, 12.18), "370": (55.23, 11.76), "400": (55.10, 14.70)}
NOWHERE = "999"
"""A municipality without a point."""
TYPES = ("A107", "A108", "A85B")


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def near_days(back: int, ahead: int) -> st.SearchStrategy[dt.date]:
    """Days around `AS_OF`, the borders of the bands among them."""
    corner = st.sampled_from([day for day in (-91, -90, -31, -30, -1, 0, 1, 21, 90) if -back <= day <= ahead])
    return (corner | st.integers(-back, ahead)).map(lambda days: AS_OF + dt.timedelta(days=days))


rates = st.sampled_from([0, 1, 100_000, 109_999, 110_000, 110_001, 250_000]) | st.integers(0, 400_000)


@st.composite
def unit(draw: st.DrawFn) -> dict[str, Any]:
    """One row of `unit_now` without its id."""
    ranks = draw(st.dictionaries(st.sampled_from(GROUPS), st.sampled_from(["primary", "primary", "secondary", "excluded"]), max_size=4))
    point = draw(maybe(st.tuples(st.floats(54.5, 57.8), st.floats(8.0, 15.2))))
    ages = sorted(draw(st.tuples(st.integers(0, 90), st.integers(0, 90))))
    levels = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
    counted = draw(st.integers(0, 9)) > 0
    return {
        "name": "Afdeling",
        "offer_name": None,
        "operator": None,
        "operator_kind": draw(maybe(st.sampled_from(OPERATOR_KINDS))),
        "municipality": draw(st.sampled_from([*MUNICIPALITIES, NOWHERE])),
        "municipality_name": None,
        "lat": point[0] if point else None,
        "lon": point[1] if point else None,
        "offer_type": draw(maybe(st.sampled_from(TYPES))),
        "age_from": draw(maybe(st.just(ages[0]))),
        "age_to": draw(maybe(st.just(ages[1]))),
        "support_level_from": draw(maybe(st.just(levels[0]))),
        "support_level_to": draw(maybe(st.just(levels[1]))),
        "approval_status": draw(st.sampled_from(["approved", "approved", "approved", None, *APPROVAL_STATUSES])),
        "approved_until": draw(maybe(near_days(40, 200))),
        "night_cover": draw(maybe(st.sampled_from(NIGHT_COVERS))),
        "single_person": draw(maybe(st.booleans())),
        "daily_rate_ore": draw(maybe(rates)),
        "price_year": None,
        "assumed_occupancy_pct": None,
        "maximum": 8 if counted else None,
        "occupied": 4 if counted else None,
        "reserved": None,
        "accepting": draw(st.sampled_from([1, 1, 2, 0])) if counted else None,
        "accepting_from": draw(maybe(near_days(40, 120))) if counted else None,
        "status": draw(st.sampled_from(["open", "open", None, *INTAKE_STATUSES])) if counted else None,
        "confirmed_by": None,
        "confirmed_at": draw(maybe(near_days(120, 2))) if counted else None,
        "primary_groups": [code for code, rank in ranks.items() if rank == "primary"],
        "secondary_groups": [code for code, rank in ranks.items() if rank == "secondary"],
        "excluded_groups": [code for code, rank in ranks.items() if rank == "excluded"],
    }


@st.composite
def units(draw: st.DrawFn, most: int = 7) -> list[dict[str, Any]]:
    """Rows of `unit_now` in any order, ids that sort otherwise as text than as numbers."""
    rows = draw(st.lists(unit(), max_size=most))
    ids = draw(st.permutations([f"A-{number}" for number in range(1, len(rows) + 1)]))
    return [{"unit_id": unit_id, **row} for unit_id, row in zip(ids, rows, strict=True)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A need that leaves about half of its fields open."""
    return Case(
        need_id="2026-118",
        municipality=draw(st.sampled_from([*MUNICIPALITIES, NOWHERE])),
        wanted_from=draw(maybe(near_days(60, 100))),
        offer_types=tuple(draw(st.lists(st.sampled_from([*TYPES, "A110"]), max_size=2))),
        target_groups=tuple(draw(st.lists(st.sampled_from([*GROUPS, "unheard_of"]), max_size=3))),
        age=draw(maybe(st.integers(0, 90))),
        support_level=draw(maybe(st.integers(0, 4))),
        least_night_cover=draw(maybe(st.sampled_from(NIGHT_COVERS))),
        max_daily_rate_ore=draw(maybe(rates)),
        max_km=draw(maybe(st.sampled_from([0.0, 60.0]) | st.floats(0, 500))),
        current_unit=draw(maybe(st.sampled_from(["A-1", "A-2", "X-9"]))),
        wish_near=tuple(draw(st.lists(st.sampled_from([*MUNICIPALITIES, NOWHERE]), max_size=2))),
        wish_setting=draw(maybe(st.sampled_from(SETTINGS))),
        operator_kinds=tuple(draw(st.lists(st.sampled_from(OPERATOR_KINDS), max_size=2))),
        located_in=tuple(draw(st.lists(st.sampled_from([*MUNICIPALITIES, NOWHERE]), max_size=3))),
        reference_rate_ore=draw(maybe(rates)),
    )


@st.composite
def open_cases(draw: st.DrawFn) -> Case:
    """A need that asks little, so that there are hits to rank."""
    return Case(
        municipality=draw(st.sampled_from(list(MUNICIPALITIES))),
        target_groups=tuple(draw(st.lists(st.sampled_from(["leaf_a", "other"]), max_size=1))),
        least_night_cover=draw(maybe(st.sampled_from(["none", "on_call"]))),
        wish_near=tuple(draw(st.lists(st.sampled_from(list(MUNICIPALITIES)), max_size=2))),
        wish_setting=draw(maybe(st.sampled_from(SETTINGS))),
    )


COUNTED = ("maximum", "occupied", "reserved", "accepting", "accepting_from", "status", "confirmed_by", "confirmed_at")
"""Columns of `unit_now` that a count of places brings."""
JOINED = ("municipality_name", "primary_groups", "secondary_groups", "excluded_groups")
OF_OFFICERS = ("operator_kinds", "located_in", "reference_rate_ore")
"""What an officer adds to a search; a need does not tell it."""


@st.composite
def open_units(draw: st.DrawFn, least: int = 3, most: int = 9) -> list[dict[str, Any]]:
    """Rows of `unit_now`, most of them with all told that a rule may ask of and a place open, so that needs meet units that suit them."""
    rows = draw(st.lists(unit(), min_size=least, max_size=most))
    for row in rows:
        if draw(st.integers(0, 3)):
            row |= {
                "maximum": 8,
                "occupied": 4,
                "accepting": draw(st.sampled_from([0, 1, 1, 2])),
                "status": draw(st.sampled_from([None, "open"])),
            }
            row |= {"approval_status": draw(st.sampled_from(["approved", "not_required"]))}
            row |= {"age_from": draw(st.sampled_from([0, 18])), "age_to": draw(st.sampled_from([64, 90]))}
            row |= {"support_level_from": 0, "support_level_to": draw(st.sampled_from([3, 4]))}
            row["accepting_from"] = draw(near_days(40, 120))
            row["confirmed_at"] = draw(maybe(near_days(120, 2)))
            row["primary_groups"] = draw(st.sampled_from([["root"], ["branch", "other"], ["leaf_a"], row["primary_groups"]]))
            told = set(row["primary_groups"])
            row |= {f"{rank}_groups": [code for code in row[f"{rank}_groups"] if code not in told] for rank in ("secondary", "excluded")}
    return [{"unit_id": f"A-{number}", **row} for number, row in enumerate(rows, start=1)]


@st.composite
def needs(draw: st.DrawFn, least: int = 2, most: int = 6) -> list[dict[str, Any]]:
    """Rows of the contract `need`, each with a few of its limits; some no longer wait."""
    rows = []
    limits = ("wanted_from", "offer_types", "target_groups", "age", "support_level", "least_night_cover", "max_daily_rate_ore", "max_km")
    for number, case in enumerate(draw(st.lists(cases(), min_size=least, max_size=most))):
        row = {name: value for name, value in dataclasses.asdict(case).items() if name not in OF_OFFICERS}
        kept = draw(st.sets(st.sampled_from(limits), max_size=4))
        row |= {name: None for name in limits if name not in kept}
        if "target_groups" in kept and draw(st.integers(0, 3)):
            row["target_groups"] = draw(st.lists(st.sampled_from(["leaf_a", "branch", "leaf_b", "other"]), min_size=1, max_size=2))
        told = {name: (list(value) or None) if isinstance(value, tuple) else value for name, value in row.items()}
        status = draw(st.sampled_from([None, "open", "open", "open", "placed"]))
        rows.append(told | {"need_id": f"N-{number}", "registered_on": AS_OF, "status": status})
    return rows


def delivered(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of `unit_now` as the delivery they come of: units, counts and approvals."""
    return {
        "unit": [{"offer_id": "T-1"} | {key: value for key, value in row.items() if key not in (*COUNTED, *JOINED)} for row in rows],
        "capacity": [
            {"unit_id": row["unit_id"], "as_of": AS_OF} | {key: row[key] for key in COUNTED} for row in rows if row["maximum"] is not None
        ],
        "target_group_approval": [
            {"unit_id": row["unit_id"], "target_group": code, "rank": rank}
            for row in rows
            for rank in ("primary", "secondary", "excluded")
            for code in row[f"{rank}_groups"]
        ],
    }


def country() -> dict[str, list[dict[str, Any]]]:
    """A reference folder of the groups and municipalities above; "loose" and "unheard_of" are not in it."""
    above = {"branch": "root", "leaf_a": "branch", "leaf_b": "branch"}
    towns = [{"code": code, "name": code, "lat": lat, "lon": lon} for code, (lat, lon) in MUNICIPALITIES.items()]
    return {
        "municipalities": [*towns, {"code": NOWHERE, "name": "Nowhere"}],
        "target_groups": [{"code": code, "parent_code": above.get(code)} for code in GROUPS if code != "loose"],
        "offer_types": [{"code": code} for code in (*TYPES, "A110")],
    }


@st.composite
def weights(draw: st.DrawFn) -> SimpleNamespace:
    """Open points, scales, shares and tiers of any size, with the fields of the product's `Weights`."""
    criteria = ("target_groups", "distance", "price", "operator_kind", "night_cover", "date", "freshness", "wish_near", "wish_setting")
    fresh = draw(st.sampled_from([0, 30, 31]))
    return SimpleNamespace(
        points={name: draw(st.sampled_from([0, 1, 5, 7, 15, 30])) for name in criteria},
        distance_zero_km=draw(st.sampled_from([1, 100, 130])),
        wish_near_zero_km=draw(st.sampled_from([1, 30, 90])),
        date_zero_days=draw(st.sampled_from([1, 21, 90])),
        reference_tolerance_pct=draw(st.sampled_from([1, 10, 60])),
        operator_share_pct={kind: draw(st.sampled_from([0, 33, 50, 100])) for kind in OPERATOR_KINDS},
        tiers=draw(st.sampled_from([{"fresh": 0, "ageing": 0, "stale": 1}, {"fresh": 0, "ageing": 1, "stale": 2}])),
        freshness=SimpleNamespace(fresh_days=fresh, ageing_days=fresh + draw(st.sampled_from([1, 60]))),
    )
