"""Faults that are planted on purpose, a few of every kind, each noted with the rule that must find it.

A fault that would drag good rows along (a unit that is set aside takes its places and stays with it) is planted on a row of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "extract": pl.String,
    "key": pl.String,
    "column": pl.String,
    "rule": pl.String,
    "outcome": pl.String,
}
"""Columns of the list of faults. `key` is the row's key, its parts joined by |; `outcome` what becomes of the row: set_aside, flagged, or
quality where it is a matter of the data quality page and not of one row."""

UNKNOWN = "00000000-unknown"
"""A code that no reference folder has."""


@dataclass
class _Notes:
    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def add(self, extract: str, key: tuple[Any, ...], column: str, rule: str, outcome: str) -> None:
        self.rows.append((extract, "|".join(str(part) for part in key), column, rule, outcome))

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.rows, schema=SCHEMA, orient="row").sort("extract", "rule", "key")


def _change(frame: pl.DataFrame, row: pl.Expr, **values: Any) -> pl.DataFrame:
    return frame.with_columns(
        pl.when(row).then(pl.lit(value, dtype=frame.schema[column])).otherwise(pl.col(column)).alias(column)
        for column, value in values.items()
    )


def _more(frame: pl.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.concat([frame, pl.DataFrame([dict(row) for row in rows], schema=frame.schema, orient="row")]) if rows else frame


def plant(
    tables: Mapping[str, pl.DataFrame], untouched: frozenset[str], as_of: dt.date, few: int, rng: np.random.Generator
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The tables with about `few` faults of every kind, and the list of faults. Units in `untouched` are left alone."""
    notes = _Notes()
    found = dict(tables)
    units = found["unit"]
    newest = found["capacity"].filter(pl.col("as_of") == as_of)
    ordinary = units.join(newest, on="unit_id").filter(
        ~pl.col("unit_id").is_in(list(untouched)),
        ~pl.col("single_person").fill_null(False),
        pl.col("maximum") >= 3,
        pl.col("approval_status") == "approved",
        pl.col("status").fill_null("") != "closed",
    )
    shuffled = ordinary.select(pl.all().gather(rng.permutation(ordinary.height))).to_dicts()

    def some(count: int = few) -> list[dict[str, Any]]:
        """The next units of a shuffled pile: no unit carries two faults."""
        taken = shuffled[:count]
        del shuffled[:count]
        return taken

    # Units.
    for unit in some():
        day = as_of + dt.timedelta(days=int(rng.integers(5, 85)))
        found["unit"] = _change(found["unit"], pl.col("unit_id") == unit["unit_id"], approved_until=day)
        notes.add("unit", (unit["unit_id"],), "approved_until", "approval_expires_soon", "quality")
    for unit in some():
        day = as_of - dt.timedelta(days=int(rng.integers(10, 200)))
        found["unit"] = _change(found["unit"], pl.col("unit_id") == unit["unit_id"], approved_until=day)
        notes.add("unit", (unit["unit_id"],), "approved_until", "approval_expired", "flagged")
    for unit in some():
        found["unit"] = _change(found["unit"], pl.col("unit_id") == unit["unit_id"], daily_rate_ore=None)
        notes.add("unit", (unit["unit_id"],), "daily_rate", "missing_rate", "quality")
    for unit in some():
        found["unit"] = _change(found["unit"], pl.col("unit_id") == unit["unit_id"], price_year=None)
        notes.add("unit", (unit["unit_id"],), "price_year", "rate_without_price_year", "flagged")
    strays = [dict(row) for row in units.select(pl.all().gather(rng.permutation(units.height)[: 6 * few])).to_dicts()]
    twins = some()
    extra = []
    for unit in twins:
        extra.append({column: unit[column] for column in units.columns} | {"unit_id": f"{unit['unit_id']}-B"})
        notes.add("unit", (f"{unit['unit_id']}-B",), "name", "duplicate_unit", "quality")
        notes.add("unit", (unit["unit_id"],), "name", "duplicate_unit", "quality")
    spoiled: list[tuple[str, str, dict[str, Any]]] = [
        ("municipality", "unknown_code", {"municipality": UNKNOWN}),
        ("offer_type", "unknown_code", {"offer_type": UNKNOWN}),
        ("name", "missing_value", {"name": None}),
        ("age_to", "age_range_ordered", {"age_from": 40, "age_to": 18}),
        ("support_level_to", "support_range_ordered", {"support_level_from": 4, "support_level_to": 1}),
    ]
    for kind, (column, rule, values) in enumerate(spoiled):
        for number in range(max(few // 2, 1)):
            row = strays[(kind * few + number) % len(strays)]
            unit_id = f"X-{kind + 1}{number + 1:02d}"
            extra.append(row | {"unit_id": unit_id, "address": None, "name": f"{row['name']} X{kind + 1}{number + 1}"} | values)
            notes.add("unit", (unit_id,), column, rule, "set_aside")
    found["unit"] = _more(found["unit"], extra)

    # Approvals.
    approvals = found["target_group_approval"]
    codes = approvals["target_group"].unique().sort().to_list()
    rows = []
    for number, unit in enumerate(some()):
        if codes:
            rows.append({"unit_id": f"Z-{number + 1}", "target_group": codes[number % len(codes)], "rank": "primary"})
            notes.add("target_group_approval", (f"Z-{number + 1}", codes[number % len(codes)]), "unit_id", "unknown_reference", "set_aside")
        rows.append({"unit_id": unit["unit_id"], "target_group": UNKNOWN, "rank": "secondary"})
        notes.add("target_group_approval", (unit["unit_id"], UNKNOWN), "target_group", "unknown_code", "set_aside")
    found["target_group_approval"] = _more(approvals, rows)

    # Places.
    def newest_of(unit: Mapping[str, Any]) -> pl.Expr:
        return pl.col("unit_id").eq(unit["unit_id"]) & pl.col("as_of").eq(as_of)

    for unit in some():
        # Promised more than there is: the persons are right, the open places are not.
        found["capacity"] = _change(found["capacity"], newest_of(unit), accepting=unit["maximum"] - unit["occupied"] + 2, status="open")
        notes.add("capacity", (unit["unit_id"], as_of), "accepting", "states_within_maximum", "flagged")
    for unit in some():
        found["capacity"] = _change(
            found["capacity"], newest_of(unit), status="closed", accepting=1, occupied=max(unit["maximum"] - 1, 0), reserved=0
        )
        notes.add("capacity", (unit["unit_id"], as_of), "status", "closed_but_accepting", "flagged")
        if unit["occupied"] != unit["maximum"] - 1:
            notes.add("capacity", (unit["unit_id"], as_of), "occupied", "stays_disagree", "quality")
    for unit in some():
        there = unit["occupied"]
        told = there - 2 if there >= 2 else there + 1
        found["capacity"] = _change(
            found["capacity"], newest_of(unit), occupied=told, reserved=0, accepting=max(unit["maximum"] - max(told, there), 0)
        )
        notes.add("capacity", (unit["unit_id"], as_of), "occupied", "stays_disagree", "quality")
    for unit in some():
        found["capacity"] = _change(found["capacity"], pl.col("unit_id") == unit["unit_id"], confirmed_at=None, confirmed_by=None)
        notes.add("capacity", (unit["unit_id"], as_of), "confirmed_at", "never_confirmed", "quality")
    for unit in some():
        found["capacity"] = _change(found["capacity"], newest_of(unit), confirmed_at=as_of - dt.timedelta(days=500))
        notes.add("capacity", (unit["unit_id"], as_of), "confirmed_at", "stale", "quality")
    before: dt.date = min(found["capacity"]["as_of"].to_list()) - dt.timedelta(days=31)
    rows = []
    for number, unit in enumerate(some()):
        told_row = {column: unit[column] for column in found["capacity"].columns} | {"as_of": before, "confirmed_at": None}
        if number % 2:
            rows.append(told_row | {"occupied": -1})
            notes.add("capacity", (unit["unit_id"], before), "occupied", "too_small", "set_aside")
        else:
            # The same count told twice with different numbers: neither can be believed.
            rows += [told_row, told_row | {"occupied": max(unit["occupied"] - 1, 0)}]
            notes.add("capacity", (unit["unit_id"], before), "as_of", "duplicate_key", "set_aside")
    for number in range(max(few // 2, 1)):
        rows.append(
            {
                **dict.fromkeys(found["capacity"].columns),
                "unit_id": f"Z-{number + 50}",
                "as_of": as_of,
                "maximum": 4,
                "occupied": 3,
                "accepting": 1,
            }
        )
        notes.add("capacity", (f"Z-{number + 50}", as_of), "unit_id", "unknown_reference", "set_aside")
    for unit in some(max(few // 2, 1)):
        rows.append(
            {
                **dict.fromkeys(found["capacity"].columns),
                "unit_id": unit["unit_id"],
                "as_of": before,
                "maximum": 0,
                "occupied": 0,
                "accepting": 0,
            }
        )
        notes.add("capacity", (unit["unit_id"], before), "maximum", "no_places", "flagged")
    found["capacity"] = _more(found["capacity"], rows)

    # Stays.
    rows = []
    for number, unit in enumerate(some()):
        stay = {
            "stay_id": f"S-X{number + 1}",
            "person_ref": f"p-0000{number:04x}",
            "unit_id": unit["unit_id"],
            "municipality": unit["municipality"],
            "starts_on": as_of - dt.timedelta(days=100),
            "ends_on": as_of - dt.timedelta(days=130),
            "planned_end": None,
            "daily_rate_ore": unit["daily_rate_ore"],
        }
        rows.append(stay)
        notes.add("stay", (stay["stay_id"],), "ends_on", "ends_after_it_starts", "set_aside")
        rows.append(
            stay | {"stay_id": f"S-Y{number + 1}", "unit_id": f"Z-{number + 70}", "ends_on": None, "person_ref": f"p-0001{number:04x}"}
        )
        notes.add("stay", (f"S-Y{number + 1}",), "unit_id", "unknown_reference", "set_aside")
    found["stay"] = _more(found["stay"], rows)

    # Needs, nights and the rest: one kind each.
    need = found["need"].row(0, named=True)
    bad_need = need | {"need_id": f"{as_of.year}-X1", "target_groups": [UNKNOWN], "current_unit": None}
    found["need"] = _more(found["need"], [bad_need, need | {"need_id": f"{as_of.year}-X2", "municipality": UNKNOWN, "current_unit": None}])
    notes.add("need", (f"{as_of.year}-X1",), "target_groups", "unknown_code", "set_aside")
    notes.add("need", (f"{as_of.year}-X2",), "municipality", "unknown_code", "set_aside")
    if found["night_incident"].height:
        incident = found["night_incident"].row(0, named=True)
        found["night_incident"] = _more(
            found["night_incident"],
            [incident | {"incident_id": "H-X1", "minutes": 780.0}, incident | {"incident_id": "H-X2", "unit_id": "Z-90"}],
        )
        notes.add("night_incident", ("H-X1",), "minutes", "incident_shorter_than_a_shift", "flagged")
        notes.add("night_incident", ("H-X2",), "unit_id", "unknown_reference", "set_aside")
    if found["planned_capacity"].height:
        plan = found["planned_capacity"].row(0, named=True)
        found["planned_capacity"] = _more(found["planned_capacity"], [plan | {"plan_id": "P-X1", "unit_id": None, "municipality": None}])
        notes.add("planned_capacity", ("P-X1",), "municipality", "unit_or_municipality", "set_aside")
    return found, notes.frame()
