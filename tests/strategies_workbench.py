"""Hypothesis strategies for the analyst's questions: small deliveries in which no count of persons is small enough to be hidden."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from tests.strategies_matching import AS_OF, COUNTED, GROUPS, MUNICIPALITIES, NIGHT_COVERS, NOWHERE, TYPES, open_units

Rows = list[dict[str, Any]]

MANY = 2
"""Persons come in numbers of this size, and the threshold below which counts are hidden is the same: nothing is hidden."""
TOWNS = [*MUNICIPALITIES, NOWHERE]
KNOWN_GROUPS = [group for group in GROUPS if group != "loose"]
REGIONS = {"101": "East", "259": "East", "370": "West", "400": "West", NOWHERE: None}


def country() -> dict[str, Rows]:
    """A reference folder: five towns, one of them in no region and without a point."""
    above = {"branch": "root", "leaf_a": "branch", "leaf_b": "branch"}
    towns = [
        {"code": code, "name": f"Town {code}", "region": REGIONS[code], "population": 1_000 * int(code)}
        | dict(zip(("lat", "lon"), MUNICIPALITIES.get(code, (None, None)), strict=True))
        for code in TOWNS
    ]
    return {
        "municipalities": towns,
        "target_groups": [
            {"code": code, "parent_code": above.get(code), "da": f"Gruppe {code}", "en": None, "kind": None} for code in KNOWN_GROUPS
        ],
        "offer_types": [{"code": code} for code in TYPES],
    }


def ago(*days: int) -> st.SearchStrategy[dt.date]:
    """A day of these before the warehouse's day."""
    return st.sampled_from(days).map(lambda days: AS_OF - dt.timedelta(days=days))


@st.composite
def supply(draw: st.DrawFn) -> dict[str, Rows]:
    """Units with their approvals, counts over some months and rosters. Rates are all different, so that their order is one."""
    found: dict[str, Rows] = {"unit": [], "target_group_approval": [], "capacity": [], "night_roster": []}
    rates = iter(draw(st.lists(st.integers(1, 400).map(lambda rate: rate * 1_000), min_size=9, max_size=9, unique=True)))
    for row in draw(open_units(least=4)):
        for rank in ("primary", "secondary", "excluded"):
            told = [code for code in row.pop(f"{rank}_groups") if code != "loose"]
            found["target_group_approval"] += [{"unit_id": row["unit_id"], "target_group": code, "rank": rank} for code in told]
        own = {"offer_id": "T-1", "operator": "Kommunen", "daily_rate_ore": next(rates) if row["daily_rate_ore"] is not None else None}
        own |= {"price_year": draw(st.sampled_from([None, 2025, 2026])), "single_person": draw(st.sampled_from([None, False, True, True]))}
        own |= {"budgeted_occupancy_pct": draw(st.sampled_from([None, 55.0, 80.0])), "approved_until": draw(ago(1, 0, -180, -181))}
        found["unit"].append({name: value for name, value in row.items() if name not in COUNTED and name != "municipality_name"} | own)
        for day in draw(st.lists(ago(0, 1, 35, 70, 100), max_size=3, unique=True)):
            maximum = draw(st.sampled_from([0, 3, 8]))
            states = {name: draw(st.integers(0, 4)) for name in ("occupied", "accepting")}
            states |= {"reserved": draw(st.sampled_from([None, 0, 2])), "status": draw(st.sampled_from([None, "open", "closed"]))}
            states |= {"confirmed_at": draw(st.none() | ago(0, 90, 91)), "accepting_from": draw(st.none() | ago(0, -30))}
            found["capacity"].append({"unit_id": row["unit_id"], "as_of": day, "maximum": maximum, **states})
        for day in draw(st.lists(ago(1, 30, 300), max_size=2, unique=True)):
            roster = {"unit_id": row["unit_id"], "valid_from": day, "night_cover": draw(st.sampled_from(NIGHT_COVERS))}
            found["night_roster"].append(roster | {"posts": draw(st.integers(0, 3)), "shift_start": dt.time(23), "shift_end": dt.time(7)})
    return found


@st.composite
def demand(draw: st.DrawFn, units: Rows) -> dict[str, Rows]:
    """Needs, stays, youths, spend and plans: everything that there is of a person, there is `MANY` times."""
    found: dict[str, Rows] = {"need": [], "stay": [], "youth": [], "spend": [], "planned_capacity": []}
    for number in range(draw(st.integers(0, 6))):
        groups = draw(st.sampled_from([None, ["leaf_a"], ["leaf_a", "other"], ["other", "leaf_a"], ["branch"]]))
        need = {"municipality": draw(st.sampled_from(TOWNS)), "registered_on": draw(ago(0, 89, 90, 179, 180, 364, 365))}
        need |= {"status": draw(st.sampled_from([None, "open", "placed"])), "target_groups": groups}
        found["need"] += [{"need_id": f"N-{number}-{copy}", **need} for copy in range(MANY)]
    for number in range(draw(st.integers(0, 5))):
        stay = {"unit_id": draw(st.sampled_from(units))["unit_id"], "municipality": draw(st.sampled_from(TOWNS))}
        stay |= {"starts_on": draw(ago(0, 1, 400)), "ends_on": draw(st.none() | ago(0, -1))}
        found["stay"] += [{"stay_id": f"S-{number}-{copy}", "person_ref": f"p-{number}-{copy}", **stay} for copy in range(MANY)]
    of_youth = st.tuples(st.sampled_from(TOWNS), st.integers(14, 18))
    for town, age in draw(st.lists(of_youth, max_size=5, unique=True)):
        youth = {"municipality": town, "age": age, "target_group": "leaf_a", "function_level": 3, "expected_offer_type": "A107"}
        found["youth"].append(youth | {"persons": draw(st.sampled_from([0, MANY, 9]))})
    of_spend = st.tuples(st.sampled_from(TOWNS), st.sampled_from([2024, 2025]), st.sampled_from(TYPES))
    for town, year, kind in draw(st.lists(of_spend, max_size=7, unique=True)):
        line = {"municipality": town, "year": year, "offer_type": kind, "target_group": "leaf_a"}
        line |= {"amount_ore": draw(st.integers(0, 90)) * 10_000_000, "recipients": draw(st.sampled_from([0, MANY, 7, 12]))}
        found["spend"].append(line)
    for number in range(draw(st.integers(0, 5))):
        plan = {"municipality": "101", "offer_type": draw(st.none() | st.sampled_from(TYPES)), "places": draw(st.integers(1, 9))}
        plan |= {"certainty": draw(st.sampled_from([None, "decided", "idea"])), "opens_on": draw(st.none() | ago(-100, -101, -500))}
        found["planned_capacity"].append({"plan_id": f"P-{number}", **plan})
    return found


@st.composite
def deliveries(draw: st.DrawFn) -> dict[str, Rows]:
    """One delivery."""
    units = draw(supply())
    return units | draw(demand(units["unit"]))
