"""Slow, obvious twins of the queries that lists, Overblik, details and the match read: rows in, rows out, from the queries' headers.

`Told` is what deliveries say, as lists of rows; the last delivery that speaks of a key has the last word.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """Deliveries, oldest first: the day of each and its rows by extract."""

    days: Sequence[dt.date]
    deliveries: Sequence[Mapping[str, Sequence[Row]]]

    def last(self, extract: str, key: Sequence[str]) -> list[dict[str, Any]]:
        """The rows in force of an extract, by key."""
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for delivery in self.deliveries:
            for row in delivery.get(extract, ()):
                rows[tuple(row[name] for name in key)] = dict(row)
        return [rows[at] for at in sorted(rows)]

    @property
    def units(self) -> list[dict[str, Any]]:
        return self.last("unit", ["unit_id"])

    @property
    def counts(self) -> list[dict[str, Any]]:
        return self.last("capacity", ["unit_id", "as_of"])

    @property
    def approvals(self) -> list[dict[str, Any]]:
        """A unit's approvals are one statement: the last delivery that speaks of the unit replaces them all."""
        said: dict[str, list[dict[str, Any]]] = {}
        for delivery in self.deliveries:
            rows = [dict(row) for row in delivery.get("target_group_approval", ())]
            said |= {unit_id: [row for row in rows if row["unit_id"] == unit_id] for unit_id in {row["unit_id"] for row in rows}}
        return sorted((row for rows in said.values() for row in rows), key=lambda row: (row["unit_id"], row["target_group"]))

    @property
    def needs(self) -> list[dict[str, Any]]:
        return self.last("need", ["need_id"])


@dataclass(frozen=True)
class Facts:
    """The reference as mappings: towns and offer types by code, and each target group with all at or below it."""

    towns: Mapping[str, Row]
    offer_types: Mapping[str, Row]
    groups: Mapping[str, Row]

    def below(self, group: str) -> set[str]:
        """A target group and all below it, by asking every group for its parents."""
        found = set()
        for code in self.groups:
            at: str | None = code
            while at is not None:
                if at == group:
                    found.add(code)
                at = self.groups[at]["parent_code"]
        return found


def units_now(told: Told, facts: Facts) -> dict[str, dict[str, Any]]:
    """Each unit with its last count (None where it has none), its town's name and point, and its groups by rank."""
    found = {}
    for unit in told.units:
        counts = [row for row in told.counts if row["unit_id"] == unit["unit_id"]]
        last = max(counts, key=lambda row: row["as_of"]) if counts else {}
        town = facts.towns[unit["municipality"]]
        row = {
            **unit,
            **{name: last.get(name) for name in ("as_of", "maximum", "occupied", "reserved", "accepting", "accepting_from")},
            **{name: last.get(name) for name in ("status", "confirmed_by", "confirmed_at")},
            "municipality_name": town["name"],
            "lat": town["lat"] if unit["lat"] is None else unit["lat"],
            "lon": town["lon"] if unit["lon"] is None else unit["lon"],
        }
        for rank in ("primary", "secondary", "excluded"):
            own = [one["target_group"] for one in told.approvals if one["unit_id"] == unit["unit_id"] and one["rank"] == rank]
            row[f"{rank}_groups"] = sorted(own)
            row[f"covered_{rank}"] = sorted({below for group in own for below in facts.below(group)})
        found[unit["unit_id"]] = row
    return found


def band(confirmed_at: dt.date | None, day: dt.date, fresh_days: int, ageing_days: int) -> str:
    """Freshness of a confirmation: what nobody has confirmed is stale."""
    if confirmed_at is None:
        return "stale"
    age = (day - confirmed_at).days
    return "fresh" if age <= fresh_days else "ageing" if age <= ageing_days else "stale"


def normal_rate(unit: Row, occupancy_pct: float) -> int | None:
    """The rate at an occupancy that is the same for all: the cost behind it is rate x assumed occupancy."""
    if unit["daily_rate_ore"] is None or unit["assumed_occupancy_pct"] is None:
        return None
    return math.floor(unit["daily_rate_ore"] * unit["assumed_occupancy_pct"] / occupancy_pct + 0.5)


def detail(unit: Row, facts: Facts, language: str, day: dt.date, fresh_days: int, ageing_days: int, occupancy_pct: float) -> dict[str, Any]:
    """What `unit_detail` adds to a unit."""
    offer = facts.offer_types.get(unit["offer_type"] or "")
    named = None if offer is None else (f"{offer['paragraph']} · " if offer["paragraph"] else "") + offer[language]
    names = {rank: sorted(facts.groups[code][language] for code in unit[f"{rank}_groups"]) for rank in ("primary", "secondary", "excluded")}
    return {
        "unit_name": unit["name"],
        "offer_type_name": named,
        **{f"{rank}_names": told for rank, told in names.items()},
        "rate_normal_ore": normal_rate(unit, occupancy_pct),
        "confirmed_days": None if unit["confirmed_at"] is None else (day - unit["confirmed_at"]).days,
        "freshness": band(unit["confirmed_at"], day, fresh_days, ageing_days),
    }


def sources(told: Told, unit_id: str, names: Sequence[str]) -> tuple[str | None, str | None]:
    """The deliveries that had the last word on a unit and on its last count; None where nobody counted it."""
    of_unit, of_count, on = None, None, dt.date.min
    for name, delivery in zip(names, told.deliveries, strict=True):
        if any(row["unit_id"] == unit_id for row in delivery.get("unit", ())):
            of_unit = name
        for row in delivery.get("capacity", ()):
            if row["unit_id"] == unit_id and row["as_of"] >= on:
                of_count, on = name, row["as_of"]
    return of_unit, of_count


def as_text(value: object) -> str | None:
    """A value as a history writes it."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


COUNTED = ("maximum", "occupied", "reserved", "accepting", "funded", "accepting_from", "status")
"""What is followed from one count of a unit's places to the next."""

Change = tuple[dt.date, str, str, str | None, str | None, str, dt.date | None]


def _statement(approvals: Iterable[Row]) -> str:
    """Approvals in one text: rank and group of each, in order."""
    return " ".join(sorted(f"{one['rank']}:{one['target_group']}" for one in approvals))


def history(told: Told, unit_id: str, fields: Iterable[str], of_count: Iterable[str], names: Sequence[str]) -> list[Change]:
    """Day, event, field, before, after, delivery, day counted: everything about a unit that became different.

    From each count to the next; of each count, from the delivery that told it to the next that told the same day; of each field and of the
    approvals, from one delivery that told them to the next. `names` are the deliveries'.
    """
    rows: list[Change] = []
    source = {}
    anew: dict[dt.date, Row] = {}
    last_state: Row | None = None
    last_approvals: str | None = None
    for day, name, delivery in zip(told.days, names, told.deliveries, strict=True):
        for count in (row for row in delivery.get("capacity", ()) if row["unit_id"] == unit_id):
            earlier, on = anew.get(count["as_of"]), count["as_of"]
            if earlier is not None:
                rows += [(day, "restated", *difference, name, on) for difference in _differences(earlier, count, of_count)]
            anew[on], source[on] = count, name
        for state in (row for row in delivery.get("unit", ()) if row["unit_id"] == unit_id):
            if last_state is not None:
                rows += [(day, "told", *difference, name, None) for difference in _differences(last_state, state, fields)]
            last_state = state
        own = [row for row in delivery.get("target_group_approval", ()) if row["unit_id"] == unit_id]
        if own:
            if last_approvals is not None and last_approvals != _statement(own):
                rows.append((day, "told", "approvals", last_approvals, _statement(own), name, None))
            last_approvals = _statement(own)
    counts = [anew[day] for day in sorted(anew)]
    for earlier, later in itertools.pairwise(counts):
        on = later["as_of"]
        rows += [(on, "counted", *difference, source[on], on) for difference in _differences(earlier, later, COUNTED)]
    never = dt.date.min
    return sorted(rows, key=lambda row: (-row[0].toordinal(), row[2], row[1], -(row[6] or never).toordinal(), row[5]))


def _differences(earlier: Row, later: Row, fields: Iterable[str]) -> list[tuple[str, str | None, str | None]]:
    """Field, before and after of what is not the same in two rows."""
    pairs = [(field, as_text(earlier.get(field)), as_text(later.get(field))) for field in fields]
    return [pair for pair in pairs if pair[1] != pair[2]]


def may_move_in(unit: Row, day: dt.date) -> str:
    """Whether somebody may move in on a day, as Find match judges it: "yes", "no", or "perhaps" where the unit has to say more."""
    ended = unit["approved_until"] is not None and unit["approved_until"] < day and unit["approval_status"] != "not_required"
    if unit["status"] == "closed" or unit["approval_status"] in ("suspended", "withdrawn") or ended:
        return "no"
    told = unit["status"] in (None, "open") and unit["approval_status"] in ("approved", "not_required")
    return "yes" if told else "perhaps"


def open_places(unit: Row, day: dt.date) -> int:
    """Open places of a unit that surely can be had."""
    return (unit["accepting"] or 0) if may_move_in(unit, day) == "yes" else 0


def overview_places(units: Sequence[Row], day: dt.date, fresh_days: int) -> dict[str, int]:
    """Places in four states, and what of the open ones is fresh."""
    opened = [unit for unit in units if open_places(unit, day) > 0]
    night = [unit for unit in units if unit["single_person"] and unit["night_cover"] in ("awake", "sleeping")]
    month = [unit for unit in opened if unit["confirmed_at"] and day.replace(day=1) <= unit["confirmed_at"] <= day]
    fresh = [unit for unit in opened if band(unit["confirmed_at"], day, fresh_days, fresh_days) == "fresh"]
    return {
        "units": len(units),
        "municipalities": len({unit["municipality"] for unit in units}),
        "accepting": sum(unit["accepting"] for unit in opened),
        "accepting_unsure": sum(unit["accepting"] or 0 for unit in units if may_move_in(unit, day) == "perhaps"),
        **{state: sum(unit[state] or 0 for unit in units) for state in ("reserved", "occupied", "maximum")},
        "accepting_fresh": sum(unit["accepting"] for unit in fresh),
        "accepting_month": sum(unit["accepting"] for unit in month),
        "open_units": len(opened),
        "open_municipalities": len({unit["municipality"] for unit in opened}),
        "night_units": len(night),
        "night_municipalities": len({unit["municipality"] for unit in night}),
    }


def by_municipality(units: Sequence[Row], day: dt.date, fresh_days: int, ageing_days: int) -> dict[str, dict[str, Any]]:
    """The same for each municipality that has units, with the band that more than half of its open places are at least as good as."""
    found = {}
    for code in {unit["municipality"] for unit in units}:
        here = [unit for unit in units if unit["municipality"] == code]
        total = overview_places(here, day, fresh_days)
        bands = [band(unit["confirmed_at"], day, fresh_days, ageing_days) for unit in here for _ in range(open_places(unit, day))]
        fresh, kept = bands.count("fresh"), len(bands) - bands.count("stale")
        found[code] = {
            **{name: total[name] for name in ("units", "open_units", "accepting", "accepting_unsure", "reserved", "occupied", "maximum")},
            "accepting_fresh": total["accepting_fresh"],
            "freshness": "fresh" if 2 * fresh > len(bands) else "ageing" if 2 * kept > len(bands) else "stale",
        }
    return found


def waiting(needs: Sequence[Row]) -> list[Row]:
    """Needs that wait for a place, oldest first; one without a status waits."""
    return sorted((need for need in needs if need["status"] in (None, "open")), key=lambda need: (need["registered_on"], need["need_id"]))


def overview_needs(needs: Sequence[Row], day: dt.date) -> dict[str, Any]:
    """How many wait, from how many municipalities, the longest and the median wait."""
    open_now = [need for need in waiting(needs) if need["registered_on"] <= day]
    ages = [(day - need["registered_on"]).days for need in open_now]
    return {
        "needs": len(open_now),
        "municipalities": len({need["municipality"] for need in open_now}),
        "longest_days": max(ages, default=None),
        "median_days": float(statistics.median(ages)) if ages else None,
    }


def overview_demand(needs: Sequence[Row], day: dt.date) -> list[tuple[list[str], int]]:
    """The five sets of two target groups or more that most of them ask for."""
    asked: dict[tuple[str, ...], int] = {}
    for need in waiting(needs):
        if need["registered_on"] <= day and len(need["target_groups"] or ()) > 1:
            key = tuple(sorted(need["target_groups"]))
            asked[key] = asked.get(key, 0) + 1
    ranked = sorted(asked.items(), key=lambda item: (-item[1], item[0]))
    return [(list(groups), count) for groups, count in ranked[:5]]


def delivered(units: Sequence[Row], day: dt.date, fresh_days: int) -> int:
    """Municipalities in which somebody has counted places so recently."""
    return len({unit["municipality"] for unit in units if unit["as_of"] is not None and (day - unit["as_of"]).days <= fresh_days})


def members(membership: Sequence[Row], day: dt.date) -> set[tuple[str, str]]:
    """Region and municipality of every membership that holds on a day; an end that is not told is open."""
    return {
        (row["region"], row["municipality"])
        for row in membership
        if (not row["valid_from"] or dt.date.fromisoformat(row["valid_from"]) <= day)
        and (not row["valid_to"] or day <= dt.date.fromisoformat(row["valid_to"]))
    }


def alphabetical(name: str) -> str:
    """A key of the Danish alphabet: æ, ø, å last, aa as å, capitals as small ones."""
    return name.lower().replace("aa", "å").replace("æ", "{").replace("ø", "|").replace("å", "}")


@dataclass(frozen=True)
class Country:
    """A reference folder as rows of text by file: what a folder says, before anybody has read it."""

    files: Mapping[str, Sequence[Row]]

    def rows(self, name: str) -> Sequence[Row]:
        return self.files.get(name, ())

    @property
    def parents(self) -> dict[str, str | None]:
        """Each target group's parent; one that is not in the file is none."""
        codes = {row["code"] for row in self.rows("target_groups")}
        return {row["code"]: row["parent_code"] if row["parent_code"] in codes else None for row in self.rows("target_groups")}

    def line(self, code: str) -> list[str]:
        """A target group and all above it, itself first."""
        above = self.parents[code]
        return [code] if above is None else [code, *self.line(above)]

    def closure(self) -> list[tuple[str, str]]:
        """Every target group with itself and each one above it, the one above first."""
        return sorted((above, code) for code in self.parents for above in self.line(code))

    def kind(self, code: str) -> str:
        """What the file says a group is; else a leaf is what nothing is below."""
        (row,) = (row for row in self.rows("target_groups") if row["code"] == code)
        return row["kind"] or ("group" if code in self.parents.values() else "leaf")

    def groups(self) -> list[dict[str, Any]]:
        """The tree read aloud: each group before those below it, siblings by the alphabet; with the leaves strictly below."""
        rows = {row["code"]: row for row in self.rows("target_groups")}
        danish = {code: row["da"] or row["en"] or code for code, row in rows.items()}

        def aloud(parent: str | None) -> list[str]:
            siblings = [code for code in rows if self.parents[code] == parent]
            ordered = sorted(siblings, key=lambda code: (alphabetical(danish[code]), code))
            return [code for sibling in ordered for code in (sibling, *aloud(sibling))]

        return [
            {
                "code": code,
                "parent_code": self.parents[code],
                "da": danish[code],
                "en": rows[code]["en"] or danish[code],
                "level": len(self.line(code)),
                "leaves": sum(self.kind(below) == "leaf" for below in rows if below != code and code in self.line(below)),
            }
            for code in aloud(None)
        ]

    def offer_types(self, units: Sequence[Row]) -> list[dict[str, Any]]:
        """Offer types with their units: those in use first, then those that one lives in, those that do not say last; by code."""
        says = {None: None, "ja": True, "1": True, "0": False}
        listed = [
            {
                "code": row["code"],
                "da": row["da"],
                "en": row["da"],
                "paragraph": row["paragraph"],
                "residential": says[row["residential"]],
                "units": sum(unit["offer_type"] == row["code"] for unit in units),
            }
            for row in self.rows("offer_types")
        ]
        place = {True: 0, False: 1, None: 2}
        return sorted(listed, key=lambda row: (row["units"] == 0, place[row["residential"]], row["code"]))

    def municipalities(self) -> list[dict[str, Any]]:
        """The towns by the alphabet, equals by code."""
        names = ("code", "name", "region", "population", "lat", "lon")
        rows = [{name: row[name] for name in names} for row in self.rows("municipalities")]
        return sorted(rows, key=lambda row: (alphabetical(row["name"]), row["code"]))

    def members(self, day: dt.date) -> set[tuple[str, str, str, str]]:
        """Region, its name, municipality, its name, of every membership that holds on a day, both days included.

        A town that the file of memberships never names belongs for good where the file of towns says. A region without a name is called
        by its code.
        """
        towns = {row["code"]: row for row in self.rows("municipalities")}
        named = {row["code"]: row["name"] or row["code"] for row in self.rows("regions")}
        told = [row for row in self.rows("region_membership") if row["municipality"] in towns]
        held = [
            (row["region"], row["municipality"])
            for row in told
            if (row["valid_from"] is None or row["valid_from"] <= day) and (row["valid_to"] is None or day <= row["valid_to"])
        ]
        moved = {row["municipality"] for row in told}
        held += [(row["region"], code) for code, row in towns.items() if code not in moved and row["region"] is not None]
        return {(region, named.get(region, region), code, towns[code]["name"]) for region, code in held}


def at_or_below(group: str, closure: Sequence[tuple[str, str]]) -> set[str]:
    """A group and all below it in the tree."""
    return {group, *(down for up, down in closure if up == group)}


def night_rosters(rosters: Sequence[Row], closure: Sequence[tuple[str, str]], day: dt.date) -> list[dict[str, Any]]:
    """Of each unit the roster that has held longest into the day: the last to begin on or before it; with all at or below what it excludes.

    A group that the tree does not know stands for itself alone; a roster that excludes nothing has none (None).
    """
    found = []
    for unit_id in sorted({row["unit_id"] for row in rosters}):
        begun = [row for row in rosters if row["unit_id"] == unit_id and row["valid_from"] <= day]
        if begun:
            row = max(begun, key=lambda row: row["valid_from"])
            below = {down for group in row["excludes_groups"] or () for down in at_or_below(group, closure)}
            found.append({**row, "excludes_covered": sorted(below) or None})
    return found


def night_residents(stays: Sequence[Row], units: Mapping[str, Row], rosters: Sequence[Row], day: dt.date) -> list[dict[str, Any]]:
    """Stays under way in units that have a roster, whenever it holds: the day of moving in counts, the day of moving out does not.

    A stay that tells no rate costs what its unit costs.
    """
    rostered = {row["unit_id"] for row in rosters}
    found = []
    for stay in stays:
        here = stay["starts_on"] <= day and (stay["ends_on"] is None or day < stay["ends_on"])
        if here and stay["unit_id"] in rostered and stay["unit_id"] in units:
            rate = units[stay["unit_id"]]["daily_rate_ore"] if stay["daily_rate_ore"] is None else stay["daily_rate_ore"]
            found.append({"unit_id": stay["unit_id"], "municipality": stay["municipality"], "daily_rate_ore": rate})
    unknown = float("inf")
    return sorted(
        found, key=lambda row: (row["unit_id"], row["municipality"], unknown if row["daily_rate_ore"] is None else row["daily_rate_ore"])
    )


def night_unit(unit: Row, town: Row, approvals: Sequence[Row], closure: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A unit as night cover sees it: its own point or its town's, and every group at or below one that it is approved for."""
    own = unit["lat"] is not None and unit["lon"] is not None
    told = {row["target_group"] for row in approvals if row["unit_id"] == unit["unit_id"] and row["rank"] != "excluded"}
    kept = ("unit_id", "name", "offer_name", "operator", "operator_kind", "municipality", "approval_status", "approved_until")
    return {
        **{name: unit[name] for name in (*kept, "single_person", "daily_rate_ore", "price_year")},
        "municipality_name": town["name"],
        "lat": town.get("lat") if unit["lat"] is None else unit["lat"],
        "lon": town.get("lon") if unit["lon"] is None else unit["lon"],
        "has_own_point": own,
        "unit_night_cover": unit["night_cover"],
        "groups": sorted({down for group in told for down in at_or_below(group, closure)}),
    }


def findings(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What was found, what refused a file first, then what set a row aside, what was remarked, what was mended; then by where it stands.

    What has no sheet or no row comes after what has one.
    """
    worst = ("refused_file", "set_aside", "flagged", "corrected")

    def place(row: Row) -> tuple[Any, ...]:
        where = ((row[name] is None, row[name] or 0 if name == "row" else row[name] or "") for name in ("delivery", "file", "sheet", "row"))
        return (worst.index(row["severity"]), *where)

    return sorted((dict(row) for row in rows), key=place)
