"""The slow, obvious twin of checking: every extract row by row, cell by cell, in plain Python.

It knows the rules from the data dictionary, not from the code: what a cell means, what is required, what refers to what, which of two rows
with the same key counts. It reads numbers with a comma as the decimal sign, as its deliveries do.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = {"", "?", "-", "ukendt"}
DANISH = {"vågen": "awake", "sovende": "sleeping", "ingen": "none"}

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
    """A day in ISO form or as dd.mm.yyyy, in a year that anybody living or planned for can be of."""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            found = dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
        return (found, None) if 1900 <= found.year < 2200 else (None, "not_a_date")
    return None, "not_a_date"


def clock(text: str) -> tuple[Any, str | None]:
    """A time of day, with a colon or a point."""
    found = re.fullmatch(r"(\d{1,2})[:.](\d\d)", text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None, "not_a_time"
    return dt.time(int(found[1]), int(found[2])), None


def flag(text: str) -> tuple[Any, str | None]:
    """Yes or no, in either language."""
    answers = {"ja": True, "nej": False, "yes": True, "no": False}
    return (answers[text.lower()], None) if text.lower() in answers else (None, "not_yes_or_no")


def words(text: str) -> tuple[Any, str | None]:
    """Text as it is."""
    return text, None


def codes(text: str) -> tuple[Any, str | None]:
    """Codes with | between them, each once, in the order told; nothing between two bars is nothing."""
    told = [code.strip() for code in text.split("|")]
    return list(dict.fromkeys(code for code in told if code.lower() not in UNKNOWN)) or None, None


def one_of(*choices: str) -> Callable[[str], tuple[Any, str | None]]:
    """A choice: its code, however it is capitalised, or its Danish word."""

    def read(text: str) -> tuple[Any, str | None]:
        word = DANISH.get(text.lower(), text.lower())
        return (word, None) if word in choices else (None, "unknown_choice")

    return read


@dataclass(frozen=True)
class Field:
    """How one column is read, and what is demanded of it. Bounds are of the value as it is kept: an amount in øre."""

    read: Callable[[str], tuple[Any, str | None]] = words
    key: bool = False
    required: bool = False
    least: float | None = None
    most: float | None = None
    longest: int | None = None
    of: str | None = None
    """The reference or extract that knows its codes."""


CODE = {"longest": 500}
TOWN: dict[str, Any] = {"of": "municipality", **CODE}
GROUP: dict[str, Any] = {"of": "target_group", **CODE}
OFFER: dict[str, Any] = {"of": "offer_type", **CODE}
IN_UNIT: dict[str, Any] = {"of": "unit", **CODE}
COVER = one_of("awake", "sleeping", "on_call", "none")
TEXT = Field(longest=500)
LEVEL = Field(whole, least=0, most=4)
AMOUNT = Field(money, least=0)

FIELDS: dict[str, dict[str, Field]] = {
    "unit": {
        "unit_id": Field(key=True, longest=80),
        "offer_id": Field(required=True, longest=80),
        "name": Field(required=True, longest=500),
        "offer_name": TEXT,
        "operator": TEXT,
        "operator_kind": Field(one_of("municipal", "regional", "self_owning", "private")),
        "cvr": Field(longest=20),
        "p_number": Field(longest=20),
        "address": TEXT,
        "municipality": Field(required=True, **TOWN),
        "lat": Field(decimal, least=-90, most=90),
        "lon": Field(decimal, least=-180, most=180),
        "offer_type": Field(**OFFER),
        "age_from": Field(whole, least=0, most=120),
        "age_to": Field(whole, least=0, most=120),
        "support_level_from": LEVEL,
        "support_level_to": LEVEL,
        "approval_status": Field(one_of("approved", "conditional", "suspended", "withdrawn", "not_required")),
        "approved_until": Field(day),
        "night_cover": Field(COVER),
        "single_person": Field(flag),
        "daily_rate": AMOUNT,
        "price_year": Field(whole, least=1990, most=2100),
        "assumed_occupancy_pct": Field(decimal, least=1, most=120),
        "budgeted_occupancy_pct": Field(decimal, least=0, most=150),
        "notice_days": Field(whole, least=0, most=730),
        "note": Field(longest=2000),
    },
    "target_group_approval": {
        "unit_id": Field(key=True, **IN_UNIT),
        "target_group": Field(key=True, **GROUP),
        "rank": Field(one_of("primary", "secondary", "excluded"), required=True),
    },
    "capacity": {
        "unit_id": Field(key=True, **IN_UNIT),
        "as_of": Field(day, key=True),
        "maximum": Field(whole, required=True, least=0),
        "occupied": Field(whole, required=True, least=0),
        "reserved": Field(whole, least=0),
        "accepting": Field(whole, required=True, least=0),
        "funded": Field(whole, least=0),
        "accepting_from": Field(day),
        "status": Field(one_of("open", "closed", "waiting_list", "needs_assessment")),
        "confirmed_by": Field(longest=120),
        "confirmed_at": Field(day),
    },
    "need": {
        "need_id": Field(key=True, longest=80),
        "municipality": Field(required=True, **TOWN),
        "registered_on": Field(day, required=True),
        "wanted_from": Field(day),
        "status": Field(one_of("open", "placed", "withdrawn")),
        "offer_types": Field(codes, of="offer_type"),
        "target_groups": Field(codes, of="target_group"),
        "age": Field(whole, least=0, most=120),
        "support_level": LEVEL,
        "least_night_cover": Field(COVER),
        "max_daily_rate": AMOUNT,
        "max_km": Field(decimal, least=0),
        "urgency": Field(one_of("normal", "urgent", "acute")),
        "current_unit": Field(**IN_UNIT),
        "wish_near": Field(codes, of="municipality"),
        "wish_setting": Field(one_of("alone", "with_others")),
    },
    "stay": {
        "stay_id": Field(key=True, longest=80),
        "person_ref": Field(required=True, longest=500),
        "unit_id": Field(required=True, **IN_UNIT),
        "municipality": Field(required=True, **TOWN),
        "starts_on": Field(day, required=True),
        "ends_on": Field(day),
        "planned_end": Field(day),
        "daily_rate": AMOUNT,
    },
    "night_roster": {
        "unit_id": Field(key=True, **IN_UNIT),
        "valid_from": Field(day, key=True),
        "night_cover": Field(COVER, required=True),
        "posts": Field(whole, required=True, least=0, most=20),
        "shift_start": Field(clock, required=True),
        "shift_end": Field(clock, required=True),
        "monthly_pay": AMOUNT,
        "one_to_one": Field(flag),
        "risky_work": Field(flag),
        "lone_work_danger": Field(flag),
        "danger_met_by": Field(one_of("two_on_duty", "alarm_response", "no_special_danger", "unmet")),
        "response_minutes_limit": Field(whole, least=0, most=240),
        "excludes_groups": Field(codes, of="target_group"),
    },
    "night_incident": {
        "incident_id": Field(key=True, longest=80),
        "unit_id": Field(required=True, **IN_UNIT),
        "night_of": Field(day, required=True),
        "started_at": Field(clock),
        "minutes": Field(decimal, required=True, least=0, most=1440),
        "staff_needed": Field(whole, least=1, most=10),
    },
    "spend": {
        "municipality": Field(key=True, **TOWN),
        "year": Field(whole, key=True, least=1990, most=2100),
        "offer_type": Field(key=True, **OFFER),
        "target_group": Field(key=True, **GROUP),
        "amount": Field(money, required=True, least=0),
        "recipients": Field(whole, least=0),
    },
    "indicator": {
        "municipality": Field(key=True, **TOWN),
        "year": Field(whole, key=True, least=1990, most=2100),
        "code": Field(key=True, longest=80),
        "group_key": Field(key=True, longest=200),
        "value": Field(decimal, required=True),
    },
    "youth": {
        "municipality": Field(key=True, **TOWN),
        "age": Field(whole, key=True, least=14, most=18),
        "target_group": Field(key=True, **GROUP),
        "function_level": Field(whole, key=True, least=0, most=4),
        "expected_offer_type": Field(**OFFER),
        "persons": Field(whole, required=True, least=0),
    },
    "planned_capacity": {
        "plan_id": Field(key=True, longest=80),
        "unit_id": Field(**IN_UNIT),
        "municipality": Field(**TOWN),
        "target_groups": Field(codes, of="target_group"),
        "offer_type": Field(**OFFER),
        "places": Field(whole, required=True, least=1),
        "opens_on": Field(day),
        "financing": Field(one_of("own_budget", "state_loan_pool", "objective_financing", "deficit_guarantee", "private")),
        "certainty": Field(one_of("decided", "planned", "idea")),
    },
}
"""Every column of every extract, under the header it is delivered with, in the order in which the extracts refer to each other."""

DELIVERED = {
    "daily_rate": "daily_rate_ore",
    "max_daily_rate": "max_daily_rate_ore",
    "monthly_pay": "monthly_pay_ore",
    "amount": "amount_ore",
}
"""Amounts are delivered in kroner and kept in øre, under another name."""


def row_rules(extract: str, row: Mapping[str, Any]) -> set[str]:
    """Rules of the row as a whole that set it aside; what is not told breaks none but that something must be told."""

    def reversed_(lower: str, upper: str) -> bool:
        return row[lower] is not None and row[upper] is not None and bool(row[lower] > row[upper])

    broken = set()
    if extract == "unit":
        broken |= {"age_range_ordered"} if reversed_("age_from", "age_to") else set()
        broken |= {"support_range_ordered"} if reversed_("support_level_from", "support_level_to") else set()
    if extract == "stay" and reversed_("starts_on", "ends_on"):
        broken.add("ends_after_it_starts")
    if extract == "planned_capacity" and row["unit_id"] is None and row["municipality"] is None:
        broken.add("unit_or_municipality")
    return broken


def remarks(extract: str, row: Mapping[str, Any], as_of: dt.date) -> set[tuple[str, str]]:
    """(column, rule) of what is told of a row that is kept all the same."""
    found = set()
    if extract == "unit":
        if row["daily_rate"] is not None and row["price_year"] is None:
            found.add(("price_year", "rate_without_price_year"))
        if row["approved_until"] is not None and row["approved_until"] < as_of:
            found.add(("approved_until", "approval_expired"))
    if extract == "capacity":
        if row["occupied"] + (row["reserved"] or 0) + row["accepting"] > row["maximum"]:
            found.add(("accepting", "states_within_maximum"))
        if row["maximum"] == 0:
            found.add(("maximum", "no_places"))
        if row["status"] == "closed" and row["accepting"] > 0:
            found.add(("status", "closed_but_accepting"))
    if extract == "night_incident" and row["minutes"] > 12 * 60:
        found.add(("minutes", "incident_shorter_than_a_shift"))
    return found


def check(
    delivery: Mapping[str, Sequence[Mapping[str, str]]], known: Mapping[str, set[str]], as_of: dt.date
) -> tuple[set[Finding], dict[str, list[dict[str, Any]]]]:
    """Findings (extract, row, column, rule) and accepted rows by extract. Row 1 is the header."""
    found: set[Finding] = set()
    aside: set[str] = set()
    accepted: dict[str, list[dict[str, Any]]] = {}
    for extract, fields in FIELDS.items():
        if extract not in delivery:
            continue
        accepted[extract] = []
        seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        keys = [column for column, field in fields.items() if field.key]
        units = {unit["unit_id"] for unit in accepted.get("unit", ())}
        for number, row in enumerate(delivery[extract], start=2):
            if all(not cell.strip() for cell in row.values()):
                continue
            values: dict[str, Any] = dict.fromkeys(fields)
            faults: set[Finding] = set()
            for column, field in fields.items():
                values[column], rules = _cell(field, row.get(column, "").strip(), known, units, aside)
                faults |= {(extract, number, column, rule) for rule in rules}
            faults |= {(extract, number, None, rule) for rule in row_rules(extract, values)}
            if faults:
                if extract == "unit" and values["unit_id"] is not None:
                    aside.add(values["unit_id"])
                found |= faults
                continue
            key = tuple(values[column] for column in keys)
            if key in seen:
                found.add((extract, number, keys[0], "duplicate_row" if seen[key] == values else "duplicate_key"))
                continue
            seen[key] = values
            accepted[extract].append(values)
            found |= {(extract, number, column, rule) for column, rule in remarks(extract, values, as_of)}
    return found, accepted


def _cell(field: Field, text: str, known: Mapping[str, set[str]], units: set[Any], aside: set[str]) -> tuple[Any, set[str]]:
    """A cell's value, and the rules it breaks."""
    if text.lower() in UNKNOWN:
        return None, {"missing_key"} if field.key else {"missing_value"} if field.required else set()
    value, rule = field.read(text)
    if rule:
        return None, {rule}
    if value is None:
        return None, set()
    broken = set()
    if field.least is not None and value < field.least:
        broken.add("too_small")
    if field.most is not None and value > field.most:
        broken.add("too_large")
    if field.longest is not None and len(value) > field.longest:
        broken.add("too_long")
    if field.of == "unit" and value not in units:
        broken.add("refers_to_set_aside" if value in aside else "unknown_reference")
    elif field.of not in (None, "unit"):
        told = value if isinstance(value, list) else [value]
        if not set(told) <= known[field.of]:
            broken.add("unknown_code")
    return value, broken
