"""Slow, obvious twins of `quality_issues` and `occupancy_by_month`: plain Python over rows, from what their headers promise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from tests.reference import last_count

Row = Mapping[str, Any]
Issue = tuple[str, str | None]


def first_of(day: dt.date) -> dt.date:
    return day.replace(day=1)


def months_after(day: dt.date, count: int) -> dt.date:
    index = day.year * 12 + day.month - 1 + count
    return dt.date(index // 12, index % 12 + 1, 1)


def person_days(stays: Iterable[Row], unit_id: str, month: dt.date) -> int:
    """Days of a month with a person in the unit, a stay and a day at a time."""
    days = [month + dt.timedelta(days=n) for n in range((months_after(month, 1) - month).days)]
    return sum(
        1
        for stay in stays
        for day in days
        if stay["unit_id"] == unit_id and stay["starts_on"] <= day and (stay["ends_on"] is None or day < stay["ends_on"])
    )


def capacity_days(capacity: Iterable[Row], unit_id: str, month: dt.date) -> int:
    """The places in force on each day of a month, added up."""
    rows = [row for row in capacity if row["unit_id"] == unit_id]
    total = 0
    for n in range((months_after(month, 1) - month).days):
        row = last_count(rows, month + dt.timedelta(days=n)).get(unit_id)
        total += row["maximum"] if row else 0
    return total


def months_told(stays: list[Row], capacity: list[Row], unit_id: str, last_day: dt.date) -> set[dt.date]:
    """Months of which something is known of a unit, through the month of the warehouse's last day."""
    told: set[dt.date] = set()
    end = months_after(last_day, 1)
    for stay in stays:
        if stay["unit_id"] == unit_id:
            day = stay["starts_on"]
            while day < end and (stay["ends_on"] is None or day < stay["ends_on"]):
                told.add(first_of(day))
                day += dt.timedelta(days=1)
    firsts = [row["as_of"] for row in capacity if row["unit_id"] == unit_id]
    if firsts:
        month = first_of(min(firsts))
        while month < end:
            told.add(month)
            month = months_after(month, 1)
    return told


def occupancy_by_month(
    units: list[Row],
    stays: list[Row],
    capacity: list[Row],
    groups_of: Mapping[str, list[str]],
    first: dt.date,
    last: dt.date,
    last_day: dt.date,
) -> list[tuple[str, dt.date, int, int, float | None]]:
    """Group, month, person days, capacity days, percent; `groups_of` tells the groups that each unit counts in.

    The percent counts the persons of units that have places in the month.
    """
    sums: dict[tuple[str, dt.date], tuple[int, int, int]] = {}
    for unit in units:
        for month in months_told(stays, capacity, unit["unit_id"], last_day):
            if first <= month <= last:
                persons, places = person_days(stays, unit["unit_id"], month), capacity_days(capacity, unit["unit_id"], month)
                for group in groups_of[unit["unit_id"]]:
                    before = sums.get((group, month), (0, 0, 0))
                    sums[group, month] = (before[0] + persons, before[1] + places, before[2] + (persons if places else 0))
    return [
        (group, month, persons, places, 100 * covered / places if places else None)
        for (group, month), (persons, places, covered) in sorted(sums.items())
    ]


def here_on(stays: Iterable[Row], unit_id: str, day: dt.date) -> int:
    """Persons in a unit on a day: those who have come and not yet left; the day of leaving is not a day there."""
    return sum(
        1
        for stay in stays
        if stay["unit_id"] == unit_id and stay["starts_on"] <= day and (stay["ends_on"] is None or stay["ends_on"] > day)
    )


def vouched_for(count: Row, day: dt.date) -> dt.date:
    """The last day, not after `day`, that somebody said a count was right: when it was made, or when it was confirmed later."""
    confirmed = count.get("confirmed_at")
    return max([count["as_of"], *([confirmed] if confirmed is not None and confirmed <= day else [])])


def quality_issues(
    units: list[Row], stays: list[Row], capacity: list[Row], day: dt.date, ageing_days: int, expiry_days: int, deviation_points: float
) -> list[Issue]:
    """Check and unit of everything to look at, sorted."""
    found: list[Issue] = []
    latest, then = last_count(capacity, dt.date.max), last_count(capacity, day)
    for unit in units:
        name = unit["unit_id"]
        count, in_force = latest.get(name), then.get(name)
        told_of = any(stay["unit_id"] == name for stay in stays)
        # A unit that nobody has ever reported places of is the stalest of all; one that said it has none has nothing to confirm.
        confirmed = None if count is None else count.get("confirmed_at")
        old = confirmed is None or confirmed + dt.timedelta(days=ageing_days) < day
        if old and (count is None or count["maximum"] > 0):
            found.append(("stale", name))
        if count is not None:
            if count["occupied"] + (count["reserved"] or 0) + count["accepting"] > count["maximum"]:
                found.append(("over_occupied", name))
            if count.get("status") == "closed" and count["accepting"] > 0:
                found.append(("closed_but_accepting", name))
            if told_of and here_on(stays, name, vouched_for(count, day)) != count["occupied"]:
                found.append(("occupancy_disagrees", name))
        if in_force is not None and 0 < in_force["maximum"] < here_on(stays, name, day):
            found.append(("persons_over_maximum", name))
        if unit.get("daily_rate_ore") is None:
            found.append(("missing_rate", name))
        if any(_same_place(unit, other) for other in units):
            found.append(("duplicate_unit", name))
        until = unit.get("approved_until")
        if until is not None and until < day:
            found.append(("approval_expired", name))
        elif until is not None and until <= day + dt.timedelta(days=expiry_days):
            found.append(("approval_expires", name))
        budget = unit.get("budgeted_occupancy_pct")
        year = [months_after(day, -back) for back in range(1, 13)]
        places = sum(capacity_days(capacity, name, month) for month in year)
        # A unit of which no stays are sent is not empty: nothing is known of its occupancy.
        if budget is not None and places and told_of:
            persons = sum(person_days(stays, name, month) for month in year if capacity_days(capacity, name, month))
            if abs(100 * persons / places - budget) >= deviation_points:
                found.append(("occupancy_off_budget", name))
    return sorted(found)


def _same_place(unit: Row, other: Row) -> bool:
    """Two units of one name and address in one municipality; an address that nobody told is nobody's."""
    if unit["unit_id"] == other["unit_id"] or unit.get("address") is None or other.get("address") is None:
        return False
    return all(unit[key].strip().lower() == other[key].strip().lower() for key in ("municipality", "name", "address"))
