"""Slow, obvious twins of the reviewed queries of the workbench, each under its query's name: lists of rows in, rows out, in any order.

Written from what each query's header says that it tells. Where nothing is hidden, counts of persons are counts of the delivered rows.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests import reference_queries

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]


class Near:
    """Equal to any number that is this one rounded to so many decimals; where two are as near, to both."""

    def __init__(self, exact: float | Fraction, decimals: int) -> None:
        self.exact, self.decimals = float(exact), decimals

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int | float) and abs(float(other) - self.exact) <= 0.5 * 10**-self.decimals + 1e-6

    __hash__ = None  # type: ignore[assignment] - what is near two numbers has no hash of its own

    def __repr__(self) -> str:
        return f"about {self.exact:.6f}"


@dataclass(frozen=True)
class World:
    """One delivery, the country it is of, and its units with their last counts and groups (`reference_queries.units_now`)."""

    told: Mapping[str, Sequence[Row]]
    country: reference_queries.Country
    units: Sequence[Row]
    day: dt.date

    @property
    def towns(self) -> dict[str, Row]:
        return {row["code"]: row for row in self.country.rows("municipalities")}

    def region(self, municipality: str) -> str:
        """A municipality's region; what is in none is of the region "unknown"."""
        return self.towns[municipality]["region"] or "unknown"


def picked(unit: Row, *names: str) -> dict[str, Any]:
    return {name: unit[name] for name in ("unit_id", "name", "municipality_name", *names)}


def kroner(ore: int | None) -> Near | None:
    return None if ore is None else Near(Fraction(ore, 100), 4)


def grouped(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def total(rows: Iterable[Row], name: str) -> int | None:
    """The sum of what is told; None where nothing is."""
    values = [row[name] for row in rows if row[name] is not None]
    return sum(values) if values else None


def percent(part: int | None, whole: int | None) -> Near | None:
    return None if part is None or not whole else Near(Fraction(100 * part, whole), 1)


def approved(unit: Row, group: str) -> bool:
    return group in unit["covered_primary"] or group in unit["covered_secondary"]


def accepting(world: World) -> list[Row]:
    """Units with a place accepting: a closed one has none, whatever it counts."""
    return [unit for unit in world.units if (unit["accepting"] or 0) > 0 and unit["status"] != "closed"]


def actual_against_budgeted(world: World) -> Rows:
    """Units 5 percentage points or more off."""
    found = []
    for unit in world.units:
        if unit["maximum"] and unit["budgeted_occupancy_pct"] is not None:
            actual = Fraction(100 * unit["occupied"], unit["maximum"])
            off = actual - Fraction(unit["budgeted_occupancy_pct"])
            if abs(off) >= 5:
                found.append(picked(unit, "budgeted_occupancy_pct") | {"occupancy_pct": Near(actual, 1), "difference": Near(off, 1)})
    return found


def approvals_running_out(world: World, days: int) -> Rows:
    """Approvals that end today or within so many days."""
    found = []
    for unit in world.units:
        left = None if unit["approved_until"] is None else (unit["approved_until"] - world.day).days
        if left is not None and 0 <= left <= days:
            found.append(picked(unit, "approval_status", "approved_until", "maximum", "occupied") | {"days_left": left})
    return found


def both_groups_at_once(world: World, first: str, second: str) -> Rows:
    """Units approved for both groups that turn away neither."""
    return [
        picked(unit, "operator", "maximum", "occupied", "accepting") | {"daily_rate": kroner(unit["daily_rate_ore"])}
        for unit in world.units
        if approved(unit, first) and approved(unit, second) and not {first, second} & set(unit["covered_excluded"])
    ]


def coming_adults(world: World) -> Rows:
    """Youths by region and the years until they are 18."""
    found = []
    for (area, age), rows in grouped(world.told["youth"], lambda row: (world.region(row["municipality"]), row["age"])).items():
        persons = sum(row["persons"] for row in rows)
        if persons:
            found.append({"area": area, "turns_18_within_years": max(0, 18 - age), "persons": persons, "suppressed": False})
    return found


def nearest_open_units(world: World, municipality: str) -> Rows:
    """Units with a place accepting and a known point, and how far they are by the great circle (spherical law of cosines)."""
    here = world.towns[municipality]
    found = []
    for unit in accepting(world):
        if unit["lat"] is None:
            continue
        km = None
        if here["lat"] is not None:
            a, b = math.radians(here["lat"]), math.radians(unit["lat"])
            turn = math.cos(math.radians(unit["lon"] - here["lon"]))
            km = Near(6371 * math.acos(min(1.0, math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * turn)), 1)
        found.append(picked(unit, "offer_type", "accepting") | {"km": km, "daily_rate": kroner(unit["daily_rate_ore"])})
    return found


def waiting(world: World) -> list[Row]:
    return [need for need in world.told["need"] if need["status"] in (None, "open")]


def needs_against_places(world: World) -> Rows:
    """Needs by their first target group against places accepting of units whose primary approval covers it."""
    found = []
    for row in world.country.groups():
        asking = [need for need in waiting(world) if (need["target_groups"] or [None])[0] == row["code"]]
        if asking:
            open_units = [unit for unit in world.units if unit["status"] != "closed"]
            places = sum(unit["accepting"] or 0 for unit in open_units if row["code"] in unit["covered_primary"])
            counted = {"waiting": len(asking), "hidden": False, "accepting": places}
            found.append({"target_group": row["code"], "da": row["da"], **counted})
    return found


def night_cover_by_municipality(world: World) -> Rows:
    """Units by night cover; the share with an awake guard is of those that tell their cover."""
    found = []
    for name, units in grouped(world.units, lambda unit: unit["municipality_name"]).items():
        covers = [unit["night_cover"] for unit in units]
        told = [cover for cover in covers if cover is not None]
        counts = {cover: covers.count(cover) for cover in ("awake", "sleeping", "on_call", "none")}
        found.append({"municipality_name": name, "units": len(units), **counts, "awake_pct": percent(counts["awake"], len(told))})
    return found


def occupancy_by_region(world: World) -> Rows:
    """The four states by region and offer type."""
    found = []
    for (region, kind), units in grouped(
        world.units, lambda unit: (world.towns[unit["municipality"]]["region"], unit["offer_type"])
    ).items():
        states = {name: total(units, name) for name in ("maximum", "occupied", "reserved", "accepting")}
        rate = percent(states["occupied"], states["maximum"])
        found.append({"region": region, "offer_type": kind, "units": len(units), **states, "occupancy_pct": rate})
    return found


def occupancy_history(world: World, region: str) -> Rows:
    """Every count of a month summed, and the mean of this month's rate and those of the two months with counts before it."""
    homes = {unit["unit_id"]: unit["municipality"] for unit in world.units}
    counts = [row for row in world.told["capacity"] if world.towns[homes[row["unit_id"]]]["region"] == region]
    found: Rows = []
    rates: list[Fraction | None] = []
    for month, rows in sorted(grouped(counts, lambda row: row["as_of"].replace(day=1)).items()):
        maximum, occupied = sum(row["maximum"] for row in rows), sum(row["occupied"] for row in rows)
        rates.append(Fraction(100 * occupied, maximum) if maximum else None)
        last = [rate for rate in rates[-3:] if rate is not None]
        found.append(
            {
                "month": month,
                "units": len({row["unit_id"] for row in rows}),
                "maximum": maximum,
                "occupied": occupied,
                "occupancy_pct": percent(occupied, maximum),
                "average_of_three": Near(sum(last) / len(last), 1) if last else None,
            }
        )
    return found


def open_places_for_group(world: World, target_group: str) -> Rows:
    """Units approved for a group, or for one above it, with a place accepting."""
    return [
        picked(unit, "accepting", "accepting_from", "confirmed_at", "price_year") | {"daily_rate": kroner(unit["daily_rate_ore"])}
        for unit in accepting(world)
        if approved(unit, target_group)
    ]


def places_on_their_way(world: World) -> Rows:
    """Plans by year, type and certainty, with all of the years before; a plan without a day comes after all that have one."""

    def opens(row: Row) -> int | None:
        return None if row["opens_on"] is None else row["opens_on"].year

    plans = world.told["planned_capacity"]
    found = []
    for (year, kind, certainty), rows in grouped(plans, lambda row: (opens(row), row["offer_type"], row["certainty"])).items():
        so_far = [
            row
            for row in plans
            if (row["offer_type"], row["certainty"]) == (kind, certainty) and (year is None or (opens(row) or 9999) <= year)
        ]
        told = {"opens_in": year, "offer_type": kind, "certainty": certainty}
        found.append(told | {"places": sum(row["places"] for row in rows), "places_so_far": sum(row["places"] for row in so_far)})
    return found


def places_that_do_not_add_up(world: World) -> Rows:
    """Counts that exceed the maximum, and closed units with places accepting."""
    return [
        picked(unit, "maximum", "occupied", "reserved", "accepting", "status", "confirmed_by")
        for unit in world.units
        if unit["maximum"] is not None
        and (
            unit["occupied"] + (unit["reserved"] or 0) + unit["accepting"] > unit["maximum"]
            or (unit["status"] == "closed" and unit["accepting"] > 0)
        )
    ]


def rate_against_others(world: World, offer_type: str) -> Rows:
    """Rates of a type against the median of the same price year, and the quarter of them each stands in: the first quarters the larger."""
    found = []
    alike = [unit for unit in world.units if unit["offer_type"] == offer_type and unit["daily_rate_ore"] is not None]
    for units in grouped(alike, lambda unit: unit["price_year"]).values():
        ranked = sorted(units, key=lambda unit: unit["daily_rate_ore"])
        rates = [unit["daily_rate_ore"] for unit in ranked]
        middle = Fraction(rates[(len(rates) - 1) // 2] + rates[len(rates) // 2], 2)
        sizes = [len(rates) // 4 + (quarter < len(rates) % 4) for quarter in range(4)]
        quarters = [quarter for quarter, size in enumerate(sizes, start=1) for _ in range(size)]
        for unit, quarter in zip(ranked, quarters, strict=True):
            deviation = 100 * (unit["daily_rate_ore"] / middle - 1)
            shown = picked(unit, "price_year", "assumed_occupancy_pct") | {"daily_rate": kroner(unit["daily_rate_ore"])}
            found.append(shown | {"deviation_pct": Near(deviation, 1), "quartile": quarter})
    return found


def single_person_offers(world: World) -> Rows:
    """Single-person offers with the posts of the roster in force and the rate of a year."""
    found = []
    for unit in world.units:
        if not unit["single_person"]:
            continue
        rosters = [row for row in world.told["night_roster"] if row["unit_id"] == unit["unit_id"] and row["valid_from"] <= world.day]
        posts = max(rosters, key=lambda row: row["valid_from"])["posts"] if rosters else None
        year = None if unit["daily_rate_ore"] is None else kroner(365 * unit["daily_rate_ore"])
        found.append(picked(unit, "operator_kind", "night_cover") | {"posts": posts, "rate_a_year": year})
    return found


def spend_per_inhabitant(world: World, year: int) -> Rows:
    """Spend per inhabitant, its two factors, and what of its distance from the mean each explains: the two parts are the distance."""
    told = []
    lines = [row for row in world.told["spend"] if row["year"] == year]
    for code, rows in grouped(lines, lambda row: row["municipality"]).items():
        recipients = sum(row["recipients"] for row in rows)
        if recipients:
            told.append((world.towns[code], Fraction(sum(row["amount_ore"] for row in rows), 100), recipients))
    if not told:
        return []
    everyone = sum(recipients for _, _, recipients in told)
    volume = Fraction(everyone, sum(town["population"] for town, _, _ in told))
    price = sum(amount for _, amount, _ in told) / everyone
    found = []
    for town, amount, recipients in told:
        users = Fraction(recipients, town["population"])
        from_volume = (users - volume) * price
        distance = amount / town["population"] - volume * price
        found.append(
            {
                "municipality": town["code"],
                "name": town["name"],
                "spend_per_inhabitant": Near(amount / town["population"], 0),
                "recipients_per_1000": Near(1000 * users, 2),
                "spend_per_recipient": Near(amount / recipients, 0),
                "from_volume": Near(from_volume, 0),
                "from_price": Near(distance - from_volume, 0),
            }
        )
    return found


def stale_vacancies(world: World, days: int) -> Rows:
    """Places accepting that nobody has confirmed, or not for more than so many days."""
    found = []
    for unit in accepting(world):
        since = None if unit["confirmed_at"] is None else (world.day - unit["confirmed_at"]).days
        if since is None or since > days:
            found.append(picked(unit, "accepting", "confirmed_by", "confirmed_at") | {"days_since": since})
    return found


def thin_supply_by_group(world: World) -> Rows:
    """Of every leaf: the units whose primary approval covers it, where they are and their places."""
    found = []
    for row in world.country.groups():
        if world.country.kind(row["code"]) == "leaf":
            units = [unit for unit in world.units if row["code"] in unit["covered_primary"]]
            sums = {name: sum(unit[name] or 0 for unit in units) for name in ("maximum", "accepting")}
            counts = {"units": len(units), "municipalities": len({unit["municipality"] for unit in units})}
            found.append({"target_group": row["code"], "da": row["da"], **counts, **sums})
    return found


def waiting_time(world: World) -> Rows:
    """Open needs by region and how long they have waited."""

    def band(need: Row) -> str:
        days = (world.day - need["registered_on"]).days
        return next((name for least, name in ((365, "12+"), (180, "6-11"), (90, "3-5")) if days >= least), "0-2") + " months"

    counted = grouped(waiting(world), lambda need: (world.region(need["municipality"]), band(need)))
    return [{"area": area, "value": value, "persons": len(needs), "suppressed": False} for (area, value), needs in counted.items()]


def where_citizens_live(world: World) -> Rows:
    """Persons under way on the day, by the region that pays and the region in which the unit lies."""
    homes = {unit["unit_id"]: unit["municipality"] for unit in world.units}
    here = [row for row in world.told["stay"] if row["starts_on"] <= world.day and (row["ends_on"] is None or world.day < row["ends_on"])]
    found = []
    for area, mine in grouped(here, lambda row: world.region(row["municipality"])).items():
        for located, stays in grouped(mine, lambda row: world.region(homes[row["unit_id"]])).items():
            share = percent(len(stays), len(mine))
            found.append({"area": area, "located": located, "persons": len(stays), "share_pct": share, "elsewhere": area != located})
    return found


def what_is_hidden(tables: Mapping[str, Sequence[Row]]) -> Rows:
    """Rows of each table about persons, and how many are hidden; a table without levels is of municipalities."""
    found = []
    for table, rows in tables.items():
        for level, cells in grouped(rows, lambda row: row.get("area_level", "municipality")).items():
            hidden = sum(row["suppressed"] for row in cells)
            counts = {"rows": len(cells), "hidden": hidden, "hidden_pct": percent(hidden, len(cells))}
            found.append({"table_name": table, "area_level": level, **counts})
    return found
