"""Hypothesis strategies for what deliveries say of nights: units, their rosters over time, their stays and whom they are approved for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from tests.strategies_matching import AS_OF, GROUPS, MUNICIPALITIES, NOWHERE, unit

UNITS = [f"N-{number}" for number in range(5)]
DAYS = st.sampled_from([-400, -31, -1, 0, 1, 31]).map(lambda days: AS_OF + dt.timedelta(days=days))
RATES = st.none() | st.integers(1, 9).map(lambda rate: rate * 100_000)
ANSWERS = st.none() | st.booleans()


@st.composite
def rosters(draw: st.DrawFn, unit_id: str) -> list[dict[str, Any]]:
    """A unit's rosters, one a day at most."""
    return [
        {
            "unit_id": unit_id,
            "valid_from": day,
            "night_cover": draw(st.sampled_from(["awake", "sleeping", "on_call", "none"])),
            "posts": draw(st.integers(0, 3)),
            "shift_start": draw(st.sampled_from([dt.time(22, 30), dt.time(23)])),
            "shift_end": dt.time(7),
            "monthly_pay_ore": draw(st.none() | st.just(3_450_000)),
            **{name: draw(ANSWERS) for name in ("one_to_one", "risky_work", "lone_work_danger")},
            "danger_met_by": draw(st.sampled_from([None, "alarm_response", "unmet"])),
            "response_minutes_limit": draw(st.sampled_from([None, 0, 30])),
            "excludes_groups": draw(st.none() | st.lists(st.sampled_from(GROUPS), unique=True, max_size=3)),
        }
        for day in draw(st.lists(DAYS, unique=True, max_size=3))
    ]


@st.composite
def stays(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Stays that begin and end around the day, some in units that nobody has delivered."""
    rows = []
    for number in range(draw(st.integers(0, 8))):
        starts, ends = sorted([draw(DAYS), draw(DAYS)])
        rows.append(
            {
                "stay_id": f"S-{number}",
                "person_ref": f"p-{draw(st.integers(0, 2))}",
                "unit_id": draw(st.sampled_from([*UNITS, "N-gone"])),
                "municipality": draw(st.sampled_from([*MUNICIPALITIES, NOWHERE])),
                "starts_on": starts,
                "ends_on": draw(st.none() | st.just(ends)),
                "daily_rate_ore": draw(RATES),
            }
        )
    return rows


@st.composite
def deliveries(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """One delivery's units, approvals, rosters and stays."""
    found: dict[str, list[dict[str, Any]]] = {"unit": [], "target_group_approval": [], "night_roster": [], "stay": draw(stays())}
    for unit_id in draw(st.lists(st.sampled_from(UNITS), unique=True, min_size=1)):
        row = {"unit_id": unit_id, "offer_id": "T-1", **draw(unit())}
        point = draw(st.sampled_from([(None, None), (55.5, None), (55.5, 11.5)]))
        found["unit"].append(row | {"lat": point[0], "lon": point[1]})
        for rank in ("primary", "secondary", "excluded"):
            found["target_group_approval"] += [{"unit_id": unit_id, "target_group": group, "rank": rank} for group in row[f"{rank}_groups"]]
        found["night_roster"] += draw(rosters(unit_id))
    found["night_roster"] += draw(rosters("N-gone"))
    return found
