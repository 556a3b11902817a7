"""The slow, obvious twin of checking: units and capacities row by row, cell by cell, in plain Python.

It knows the rules from their description, not from the code: what a cell means, what is required, what refers to what, which of two rows
with the same key counts. It reads numbers with a comma as the decimal sign, as its deliveries do.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

UNKNOWN = {"", "?", "-", "ukendt"}
AWAKE = {"awake": "awake", "vågen": "awake", "sleeping": "sleeping", "sovende": "sleeping", "none": "none", "ingen": "none"}

Finding = tuple[str, int, str | None, str]


def whole(text: str) -> tuple[Any, str | None]:
    """A whole number: its value, or the rule it breaks."""
    number, rule = decimal(text)
    if rule or number is None:
        return None, rule
    return (int(number), None) if number == int(number) else (None, "not_whole")


def decimal(text: str) -> tuple[Any, str | None]:
    """A number with a decimal comma and points between thousands."""
    if not re.fullmatch(r"-?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", text):
        return None, "not_a_number"
    return float(text.replace(".", "").replace(",", ".")), None


def money(text: str) -> tuple[Any, str | None]:
    """Kroner to øre."""
    number, rule = decimal(text)
    return (None, rule) if rule else (round(number * 100), None)


def day(text: str) -> tuple[Any, str | None]:
    """A day in ISO form or as dd.mm.yyyy."""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return dt.datetime.strptime(text, form).date(), None
        except ValueError:
            continue
    return None, "not_a_date"


def choice(text: str) -> tuple[Any, str | None]:
    """A night cover in Danish or as its code."""
    return (AWAKE[text.lower()], None) if text.lower() in AWAKE else (None, "unknown_choice")


def words(text: str) -> tuple[Any, str | None]:
    """Text as it is."""
    return text, None


UNIT = {"unit_id": words, "offer_id": words, "name": words, "municipality": words, "night_cover": choice}
UNIT |= {"age_from": whole, "age_to": whole, "daily_rate": money, "price_year": whole, "approved_until": day}
CAPACITY = {"unit_id": words, "as_of": day, "maximum": whole, "occupied": whole, "reserved": whole, "accepting": whole}
REQUIRED = {"unit": {"unit_id", "offer_id", "name", "municipality"}, "capacity": {"unit_id", "as_of", "maximum", "occupied", "accepting"}}
KEYS = {"unit": ("unit_id",), "capacity": ("unit_id", "as_of")}
LEAST = dict.fromkeys(("age_from", "age_to", "daily_rate", "maximum", "occupied", "reserved", "accepting"), 0) | {"price_year": 1990}
MOST = {"age_from": 120, "age_to": 120, "price_year": 2100}


def check(
    units: Sequence[Mapping[str, str]], capacities: Sequence[Mapping[str, str]], municipalities: set[str], as_of: dt.date
) -> tuple[set[Finding], list[dict[str, Any]], list[dict[str, Any]]]:
    """Findings (extract, row, column, rule), accepted units, accepted capacities. Row 1 is the header."""
    found: set[Finding] = set()
    aside: dict[str, None] = {}
    accepted: dict[str, list[dict[str, Any]]] = {"unit": [], "capacity": []}
    for extract, rows, columns in (("unit", units, UNIT), ("capacity", capacities, CAPACITY)):
        seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        if all(not cell.strip() for row in rows for cell in row.values()):
            found.add((extract, None, None, "empty_file"))
        for number, row in enumerate(rows, start=2):
            if all(not cell.strip() for cell in row.values()):
                continue
            faults: set[Finding] = set()
            values: dict[str, Any] = {}
            for column, read in columns.items():
                text = row[column].strip()
                if text.lower() in UNKNOWN:
                    values[column] = None
                    if column in REQUIRED[extract]:
                        faults.add((extract, number, column, "missing_key" if column in KEYS[extract] else "missing_value"))
                    continue
                values[column], rule = read(text)
                if rule:
                    faults.add((extract, number, column, rule))
                    continue
                if column in LEAST and values[column] < LEAST[column]:
                    faults.add((extract, number, column, "too_small"))
                if column in MOST and values[column] > MOST[column]:
                    faults.add((extract, number, column, "too_large"))
            if extract == "unit":
                if values["municipality"] is not None and values["municipality"] not in municipalities:
                    faults.add((extract, number, "municipality", "unknown_code"))
                if None not in (values["age_from"], values["age_to"]) and values["age_from"] > values["age_to"]:
                    faults.add((extract, number, None, "age_range_ordered"))
            elif values["unit_id"] is not None and values["unit_id"] not in {unit["unit_id"] for unit in accepted["unit"]}:
                faults.add((extract, number, "unit_id", "refers_to_set_aside" if values["unit_id"] in aside else "unknown_reference"))
            key = tuple(values[column] for column in KEYS[extract])
            if not faults and key in seen:
                faults.add((extract, number, "unit_id", "duplicate_row" if seen[key] == values else "duplicate_key"))
            elif not faults:
                seen[key] = values
                accepted[extract].append(values)
                found |= _flags(extract, number, values, as_of)
            if faults and extract == "unit" and values["unit_id"] is not None:
                aside[values["unit_id"]] = None
            found |= faults
    return found, accepted["unit"], accepted["capacity"]


def _flags(extract: str, number: int, values: Mapping[str, Any], as_of: dt.date) -> set[Finding]:
    found: set[Finding] = set()
    if extract == "unit":
        if values["daily_rate"] is not None and values["price_year"] is None:
            found.add((extract, number, "price_year", "rate_without_price_year"))
        if values["approved_until"] is not None and values["approved_until"] < as_of:
            found.add((extract, number, "approved_until", "approval_expired"))
        return found
    if values["occupied"] + (values["reserved"] or 0) + values["accepting"] > values["maximum"]:
        found.add((extract, number, "accepting", "states_within_maximum"))
    if values["maximum"] == 0:
        found.add((extract, number, "maximum", "no_places"))
    return found
