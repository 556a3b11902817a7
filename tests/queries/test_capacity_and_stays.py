"""Queries over places and stays give what their twins give, on made data."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import queries
from tests import reference, small

FIRST = dt.date(2025, 1, 1)
days = st.integers(0, 120).map(lambda n: FIRST + dt.timedelta(days=n))
unit_ids = st.sampled_from(["A-1", "A-2", "B-1"])


@st.composite
def capacities(draw: st.DrawFn) -> list[dict[str, Any]]:
    keys = draw(st.lists(st.tuples(unit_ids, days), unique=True, max_size=12))
    count = st.integers(0, 9)
    return [
        {
            "unit_id": unit,
            "as_of": day,
            "maximum": draw(count),
            "occupied": draw(count),
            "reserved": draw(st.none() | count),
            "accepting": draw(count),
        }
        for unit, day in keys
    ]


@st.composite
def stays(draw: st.DrawFn) -> list[dict[str, Any]]:
    told = draw(st.lists(st.tuples(unit_ids, days, st.none() | st.integers(0, 90)), max_size=15))
    return [
        {
            "stay_id": f"S-{number}",
            "person_ref": f"p-{number}",
            "unit_id": unit,
            "municipality": "259",
            "starts_on": start,
            "ends_on": None if length is None else start + dt.timedelta(days=length),
        }
        for number, (unit, start, length) in enumerate(told)
    ]


@settings(max_examples=20, deadline=None)
@given(capacity=capacities(), stay=stays(), day=days)
def test_places_and_persons(capacity: list[dict[str, Any]], stay: list[dict[str, Any]], day: dt.date) -> None:
    with tempfile.TemporaryDirectory() as folder:
        last_day = FIRST + dt.timedelta(days=150)
        rows = {"unit": small.UNITS, "capacity": capacity, "stay": stay}
        version = small.publish(Path(folder), small.archived(rows, as_of=last_day))
        assert queries.run("capacity_totals", version.path, as_of=day).row(0, named=True) == reference.capacity_totals(capacity, day)
        assert queries.run("occupancy_by_unit", version.path, day=day).rows() == reference.occupancy_by_unit(stay, capacity, day)
        with duckdb.connect(str(version.path), read_only=True) as connection:
            months = connection.sql("select unit_id, month, person_days from unit_month where person_days > 0").pl()
        assert {(unit, month): count for unit, month, count in months.rows()} == reference.person_days(stay, last_day)
