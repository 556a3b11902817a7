"""Slow, obvious twins of queries: plain Python over lists of rows, written from what the query's header says, never from its SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


def last_count(capacity: Iterable[Row], day: dt.date) -> dict[str, Row]:
    """Each unit's last capacity row on or before a day."""
    last: dict[str, Row] = {}
    for row in capacity:
        if row["as_of"] <= day and (row["unit_id"] not in last or row["as_of"] > last[row["unit_id"]]["as_of"]):
            last[row["unit_id"]] = row
    return last


def capacity_totals(capacity: Iterable[Row], as_of: dt.date) -> dict[str, int]:
    """Sums of the four states over each unit's last count."""
    rows = list(last_count(capacity, as_of).values())
    totals = {state: sum(row[state] or 0 for row in rows) for state in ("maximum", "occupied", "reserved", "accepting")}
    return {"units": len(rows), **totals}


def occupancy_by_unit(stays: Iterable[Row], capacity: Iterable[Row], day: dt.date) -> list[tuple[str, int, int]]:
    """Persons present and places in force, of every unit that has either and was ever told to have a place."""
    capacity = list(capacity)
    persons: dict[str, int] = {}
    for stay in stays:
        here = stay["starts_on"] <= day and (stay["ends_on"] is None or day < stay["ends_on"])
        persons[stay["unit_id"]] = persons.get(stay["unit_id"], 0) + int(here)
    places = {unit: row["maximum"] for unit, row in last_count(capacity, day).items()}
    rows = [(unit, persons.get(unit, 0), places.get(unit, 0)) for unit in sorted({*persons, *places})]
    ever = {row["unit_id"] for row in capacity if row["maximum"]}
    return [row for row in rows if row[0] in ever and (row[1] or row[2])]


def person_days(stays: Iterable[Row], last_day: dt.date) -> dict[tuple[str, dt.date], int]:
    """Days with a person in a place by unit and month, a day at a time, through the end of the month of the last day."""
    end = (last_day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    days: dict[tuple[str, dt.date], int] = {}
    for stay in stays:
        day = stay["starts_on"]
        while day < end and (stay["ends_on"] is None or day < stay["ends_on"]):
            key = (stay["unit_id"], day.replace(day=1))
            days[key] = days.get(key, 0) + 1
            day += dt.timedelta(days=1)
    return days
