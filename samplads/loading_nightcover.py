"""What night cover works on: terms, rules and assumptions from dated policy, units, rosters, incidents and payers from the warehouse.

The only place that sees both the rule files and the night-cover domain; the domain itself opens no file.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from samplads import extracts, policy, queries
from samplads import warehouse as published
from samplads.errors import SampladsError
from samplads.extracts import personal
from samplads.nightcover import plan, post_cost, rules, savings

ORE = 100


def _minute(clock: str) -> int:
    """Minutes after midnight of "HH:MM"; "24:00" is the day's end."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _figure(tree: Mapping[str, Any], name: str) -> float:
    """A term's value; each carries its source beside it."""
    return float(tree[name]["value"])


def _window(name: str, told: Mapping[str, Any]) -> post_cost.Window:
    start, end = _minute(told["from"]), _minute(told["to"])
    if end <= start:
        end += post_cost.DAY
    return post_cost.Window(name=name, days=told["days"], start=start, end=end, pct=float(told["value"]))


def _calendar(told: Mapping[str, Any], year: int) -> post_cost.StylisedYear | post_cost.RealYear:
    if told["kind"] == "stylised":
        return post_cost.StylisedYear(told["nights"], told["saturdays"], told["sundays"], told["holiday_nights"])
    return post_cost.RealYear(year=told.get("year") or year, country=told["country"])


def term_names(on: dt.date, folder: Path | None = None) -> list[str]:
    """The sets of terms in force on a day (each has a day from which it holds), the default first."""
    values = policy.load("night_terms", on, folder).values
    return sorted(_in_force(values, on), key=lambda name: (name != values["default"], name))


def _in_force(values: Mapping[str, Any], on: dt.date) -> list[str]:
    return [name for name, tree in values["terms"].items() if tree["valid_from"] <= on]


def terms_valid_from(on: dt.date, name: str | None = None, folder: Path | None = None) -> dt.date:
    """The day from which a set of terms holds."""
    day: dt.date = _term_set(on, name, folder)[1]["valid_from"]
    return day


def term_sources(on: dt.date, name: str | None = None, folder: Path | None = None) -> pl.DataFrame:
    """Every term of a set with its source: term, value, unit, source. For the screen's and the report's assumptions."""
    tree = _term_set(on, name, folder)[1]
    rows: list[tuple[str, str, str, str]] = []
    for term, told in tree.items():
        if term in ("title", "valid_from"):
            continue
        for key, leaf in told.items() if "value" not in told else [("", told)]:
            rows.append((f"{term}.{key}" if key else term, str(leaf["value"]), str(leaf.get("unit", "")), str(leaf["source"])))
    return pl.DataFrame(rows, schema=["term", "value", "unit", "source"], orient="row")


def _term_set(on: dt.date, name: str | None, folder: Path | None) -> tuple[str, dict[str, Any]]:
    values = policy.load("night_terms", on, folder).values
    chosen, known = name or values["default"], _in_force(values, on)
    if chosen not in known:
        raise SampladsError("night_terms_unknown", name=chosen, names=", ".join(sorted(known)))
    return chosen, values["terms"][chosen]


def terms(on: dt.date, name: str | None = None, folder: Path | None = None, *, year: int | None = None) -> post_cost.Terms:
    """A set of terms (data/rules/night_terms.yaml; default: the file's). `year`: the calendar year of terms on a real calendar (default:
    the day's).

    Raises SampladsError `night_terms_unknown` for a name that is not in force on the day.
    """
    chosen, tree = _term_set(on, name, folder)
    return post_cost.Terms(
        name=chosen,
        calendar=_calendar(tree["calendar"]["value"], year or on.year),
        windows=tuple(_window(key, told) for key, told in tree["supplements"].items()),
        gross_hours=_figure(tree, "gross_hours"),
        hours_a_day=_figure(tree, "hours_a_day"),
        holiday_days=_figure(tree, "holiday_days"),
        public_holiday_days=_figure(tree, "public_holiday_days"),
        extra_holiday_hours=_figure(tree, "extra_holiday_hours"),
        sick_days=_figure(tree, "sick_days"),
        other_absence_days=_figure(tree, "other_absence_days"),
        pension_pct=_figure(tree, "pension_pct"),
        on_cost_pct=_figure(tree, "on_cost_pct"),
        handover_minutes=int(_figure(tree, "handover_minutes")),
        working_share=tuple((kind, float(told["value"])) for kind, told in tree["working_share"].items()),
    )


def monthly_pay_ore(on: dt.date, name: str | None = None, folder: Path | None = None) -> int:
    """The monthly pay of a set of terms, for posts whose own is not told."""
    return round(_figure(_term_set(on, name, folder)[1], "monthly_pay") * ORE)


def refund(on: dt.date, folder: Path | None = None) -> savings.Refund:
    """The state's refund (data/rules/refund.yaml)."""
    brackets = policy.load("refund", on, folder).values["brackets"]
    return savings.Refund(tuple((round(one["above"] * ORE), float(one["pct"])) for one in brackets))


def assumptions(on: dt.date, terms_name: str | None = None, folder: Path | None = None, *, year: int | None = None) -> plan.Assumptions:
    """Every assumption of a plan as the rule files have it on a day. `year`: as in `terms`."""
    values = policy.load("night_rules", on, folder).values
    practice = {name: told["value"] for name, told in values["practice"].items()}
    figures = values["coupling"]
    return plan.Assumptions(
        terms=terms(on, terms_name, folder, year=year),
        default_pay_ore=monthly_pay_ore(on, terms_name, folder),
        limits={name: rules.Limit(told["value"], told["unit"], told["source"]) for name, told in values["limits"].items()},
        practice=rules.Practice(**practice),
        refund=refund(on, folder),
        max_minutes=_figure(figures, "max_minutes"),
        speed_kmh=_figure(figures, "speed_kmh"),
        detour=_figure(figures, "detour"),
        call_out_ore=round(_figure(figures, "call_out") * ORE),
        km_ore=round(_figure(figures, "km_rate") * ORE),
        equipment_ore=round(_figure(figures, "equipment") * ORE),
        equipment_years=_figure(figures, "equipment_years"),
        running_ore=round(_figure(figures, "running") * ORE),
        incidents_per_night=_figure(figures, "incidents_per_night"),
        minutes_per_incident=_figure(figures, "minutes_per_incident"),
        clustering=_figure(figures, "clustering"),
        discount_pct=_figure(figures, "discount_pct"),
        colocation_ore=round(_figure(figures, "colocation_cost") * ORE),
        colocation_minutes=_figure(figures, "colocation_minutes"),
        colocation_years=_figure(figures, "colocation_years"),
    )


def assumption_sources(on: dt.date, folder: Path | None = None) -> pl.DataFrame:
    """Every limit, practice and coupling figure with its source: part, name, value, unit, source."""
    values = policy.load("night_rules", on, folder).values
    rows = [
        (part, name, "" if told["value"] is None else str(told["value"]), str(told["unit"]), str(told["source"]))
        for part in ("limits", "practice", "coupling")
        for name, told in values[part].items()
    ]
    return pl.DataFrame(rows, schema=["part", "name", "value", "unit", "source"], orient="row")


def least_yearly_ore(on: dt.date, folder: Path | None = None) -> int:
    """The yearly cost from which the finder looks at a single-person offer."""
    return round(_figure(policy.load("night_rules", on, folder).values["coupling"], "least_yearly_cost") * ORE)


TRAVEL_COLUMNS = ("unit_a", "unit_b", "minutes")


def travel_table(path: Path, known: Collection[str]) -> pl.DataFrame:
    """A user's table of travel times (CSV or workbook): unit_a, unit_b (text), minutes. `known`: ids of units that exist.

    Minutes may have a decimal comma. Raises SampladsError `night_travel_missing`, `night_travel_unreadable`, `night_travel_columns`,
    `night_travel_minutes`, `night_travel_negative`, `night_travel_unit`, `upload_personal` where the file holds personal data.
    """
    name = personal.redacted(path.name)
    if not path.is_file():
        raise SampladsError("night_travel_missing", file=name)
    try:
        delivery = extracts.read_delivery(path)
        tables = [table.frame() for table in delivery.tables]
    except (OSError, SampladsError) as error:
        raise SampladsError("night_travel_unreadable", file=name) from error
    refused = extracts.screen(delivery)["rule"]
    if refused.is_in(list(extracts.PERSONAL)).any():
        raise SampladsError("upload_personal")
    if refused.len() or not tables:
        raise SampladsError("night_travel_unreadable", file=name)
    # A workbook may hold other sheets: the one with most of the columns is meant.
    named = [table.rename({column: column.strip().casefold() for column in table.columns}, strict=False) for table in tables]
    frame = max(named, key=lambda table: sum(column in table.columns for column in TRAVEL_COLUMNS))
    missing = [column for column in TRAVEL_COLUMNS if column not in frame.columns]
    if missing:
        raise SampladsError("night_travel_columns", missing=", ".join(missing))
    texts = frame.select(pl.col(TRAVEL_COLUMNS).cast(pl.String).str.strip_chars().fill_null("")).filter(
        pl.any_horizontal(pl.all() != "")  # a line left empty says nothing
    )
    rows = [(a, b, _minutes(text, number)) for number, (a, b, text) in enumerate(texts.iter_rows(), 2)]
    told = pl.DataFrame(rows, schema={"unit_a": pl.String, "unit_b": pl.String, "minutes": pl.Float64}, orient="row")
    unknown = sorted({*told["unit_a"], *told["unit_b"]} - set(known))
    if unknown:
        listed = ", ".join(personal.redacted(unit) or "–" for unit in unknown[:5])
        raise SampladsError("night_travel_unit", units=listed + (" ..." if len(unknown) > 5 else ""))
    return told


def _minutes(text: str, row: int) -> float:
    """Minutes as typed; `row` is the table's row as a person counts it, its header included."""
    try:
        minutes = float(text.replace(",", "."))
    except ValueError:
        minutes = float("nan")
    if not math.isfinite(minutes):
        raise SampladsError("night_travel_minutes", row=row, text=personal.redacted(text))
    if minutes < 0:
        raise SampladsError("night_travel_negative", row=row, text=text)
    return minutes


def inputs(
    as_of: dt.date,
    *,
    municipalities: Sequence[str] = (),
    travel: pl.DataFrame | None = None,
    warehouse: Path | None = None,
) -> plan.Inputs:
    """Units (all, or those in some municipalities), their rosters, incidents and payers on a day, from the version in force.

    Raises SampladsError `night_municipality_unknown` for a code that no unit lies in.
    """
    file = published.current(warehouse).path
    units = queries.run("night_units", file)
    unknown = sorted(set(municipalities) - set(units["municipality"].to_list()))
    if unknown:
        raise SampladsError("night_municipality_unknown", codes=", ".join(unknown))
    everything = plan.Inputs(
        units=units,
        roster=queries.run("night_rosters", file, as_of=as_of),
        incidents=queries.run("night_incident_rates", file, as_of=as_of),
        residents=queries.run("night_residents", file, as_of=as_of),
        as_of=as_of,
        travel=travel,
    )
    if not municipalities:
        return everything
    here = units.filter(pl.col("municipality").is_in(list(municipalities)))["unit_id"].to_list()
    return everything.only(here)
