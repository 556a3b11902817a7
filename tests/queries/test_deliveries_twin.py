"""Queries over deliveries by municipality, and over planned places, give what their twins give."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import extracts, queries
from samplads.extracts import MUNICIPALITY_COUNTS
from tests import reference_deliveries as twin
from tests import small

TOWNS = st.sampled_from(["370", "259", "101", None])
UNIT_TOWNS = {unit["unit_id"]: unit["municipality"] for unit in small.UNITS}
DAYS = st.integers(0, 60).map(lambda days: small.DAY - dt.timedelta(days=days))


@st.composite
def delivery(draw: st.DrawFn, number: int) -> dict[str, Any]:
    few = st.integers(0, 5)
    counts = [
        {"extract": draw(st.sampled_from(["unit", "capacity"])), "municipality": draw(TOWNS), **{name: draw(few) for name in twin.COUNTED}}
        for _ in range(draw(st.integers(0, 4)))
    ]
    told = draw(st.lists(st.tuples(st.sampled_from(sorted(UNIT_TOWNS)), DAYS), unique=True, max_size=5))
    capacity = [
        {"unit_id": unit, "as_of": day, "maximum": 3, "occupied": 1, "accepting": 1, "confirmed_at": draw(st.none() | DAYS)}
        for unit, day in told
    ]
    return {
        "name": draw(st.sampled_from(["a", "b"])),
        "as_of": small.DAY + dt.timedelta(days=number),
        "counts": counts,
        "findings": [{"municipality": draw(TOWNS)} for _ in range(draw(st.integers(0, 3)))],
        "capacity": capacity,
    }


@settings(max_examples=15, deadline=None)
@given(made=st.tuples(delivery(0), delivery(1)))
def test_what_a_delivery_holds_of_a_municipality(made: tuple[dict[str, Any], ...]) -> None:
    archived = []
    for one in made:
        kept = small.archived({"unit": small.UNITS, "capacity": one["capacity"]}, name=one["name"], as_of=one["as_of"])
        one["digest"] = kept.digest
        counts = pl.DataFrame([{"delivery": one["name"], **row} for row in one["counts"]], schema=MUNICIPALITY_COUNTS)
        found = [
            extracts.Finding(one["name"], "unit.csv", "empty_file", extracts.RULES["empty_file"], municipality=row["municipality"])
            for row in one["findings"]
        ]
        archived.append(dataclasses.replace(kept, counts=counts, findings=extracts.findings_frame(found)))
    names = {row["code"]: row["name"] for row in small.reference().tables()["municipality"].to_dicts()}
    with tempfile.TemporaryDirectory() as folder:
        told = queries.run("deliveries_by_municipality", small.publish(Path(folder), *archived).path)
    expected = twin.deliveries_by_municipality(made, UNIT_TOWNS, names)
    rows = sorted(told.to_dicts(), key=lambda row: (row["municipality"] or "", row["digest"]))
    assert [{name: row[name] for name in expected[0]} for row in rows] == expected if expected else rows == []
    # Whole deliveries first, then by name; of one municipality the newest delivery first.
    assert told["municipality_name"].is_null().to_list() == sorted(told["municipality_name"].is_null(), reverse=True)


@settings(max_examples=15, deadline=None)
@given(
    planned=st.lists(
        st.tuples(st.sampled_from([*UNIT_TOWNS, None]), st.none() | st.integers(-5, 90), st.integers(1, 9)), min_size=1, max_size=12
    ),
    asked=st.tuples(st.integers(-5, 40), st.integers(0, 60)),
)
def test_places_that_are_planned(planned: list[tuple[Any, ...]], asked: tuple[int, int]) -> None:
    rows = [
        {
            "plan_id": f"P-{number}",
            "unit_id": unit,
            "municipality": "370" if unit is None else None,
            "places": places,
            "opens_on": None if after is None else small.DAY + dt.timedelta(days=after),
        }
        for number, (unit, after, places) in enumerate(planned)
    ]
    as_of = small.DAY + dt.timedelta(days=asked[0])
    until = as_of + dt.timedelta(days=asked[1])
    with tempfile.TemporaryDirectory() as folder:
        version = small.publish(Path(folder), small.archived({"unit": small.UNITS, "planned_capacity": rows}))
        told = queries.run("places_to_come", version.path, as_of=as_of, until=until)
    assert told.rows() == twin.places_to_come(rows, as_of, until)
