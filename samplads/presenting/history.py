"""What became of a unit's values, in words: one value of any field, the changes that deliveries told, what people corrected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from samplads import i18n
from samplads.presenting import formats, tables
from samplads.presenting.tables import Column

Names = Mapping[str, Mapping[str, str]]
"""What codes are called in the page's language: field -> code -> name. `approvals` names target groups."""

APPROVALS = "approvals"
"""The field of `unit_change` that holds a unit's approvals: rank:group, in order, with blanks between."""

CHANGED = {"changed_on": pl.Date(), "event": pl.String(), "field": pl.String(), "before": pl.String(), "after": pl.String()}


def field(key: str, language: str) -> str:
    """What a field is called."""
    return tables.header(tables.column(key), language)


def worded(key: str, value: Any, language: str, names: Names | None = None) -> str:
    """A value of a field as a person reads it; it comes as the frame's value, as JSON keeps it, or as a history's text."""
    if value is None:
        return formats.unknown(language)
    if key == APPROVALS:
        return formats.listing([_approval(part, language, (names or {}).get(key, {})) for part in str(value).split()], language)
    spec = tables.column(key)
    if spec.kind == "choice":
        return formats.choice(key, str(value), language)
    if spec.kind == "money":
        return formats.number(int(value) / 100, language, 2)
    if spec.kind == "flag":
        return formats.yes_no(str(value).lower() == "true", language)
    if spec.kind == "day":
        return formats.date(value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)[:10]), language)
    if spec.kind == "whole":
        return tables.display(spec, language)(int(value))
    if spec.kind in {"number", "percent", "km"}:
        return formats.typed(float(value), language)
    return (names or {}).get(key, {}).get(str(value), str(value))


def _approval(told: str, language: str, groups: Mapping[str, str]) -> str:
    rank, _, group = told.partition(":")
    return f"{groups.get(group, group)} ({formats.choice('rank', rank, language)})"


def changes(rows: pl.DataFrame, language: str, names: Names | None = None) -> pl.DataFrame:
    """The rows of `unit_history` in words: changed_on, event, field, before, after, delivery."""
    texts = [
        {
            "changed_on": row["changed_on"],
            "event": i18n.text(f"written.history.{row['event']}", language, day=formats.date(row["as_of"], language)),
            "field": field(row["field"], language),
            "before": worded(row["field"], row["before"], language, names),
            "after": worded(row["field"], row["after"], language, names),
            "delivery": row["delivery"],
        }
        for row in rows.iter_rows(named=True)
    ]
    return pl.DataFrame(texts, schema={**CHANGED, "delivery": pl.String()})


def written(rows: pl.DataFrame, language: str, names: Names | None = None) -> pl.DataFrame:
    """The rows of `overlay.written_about` in words: changed_on, event, field, before, after, who, why."""
    texts = [
        {
            "changed_on": row["at"].date(),
            "event": i18n.text(f"written.history.{row['kind']}", language),
            "field": field(row["field"], language),
            "before": None if row["kind"] == "confirmed" else worded(row["field"], row["before"], language, names),
            "after": worded(row["field"], row["after"], language, names),
            "who": row["who"],
            "why": row["why"],
        }
        for row in rows.iter_rows(named=True)
    ]
    return pl.DataFrame(texts, schema={**CHANGED, "who": pl.String(), "why": pl.String()})


def correction(who: str, at: dt.datetime, why: str, language: str) -> str:
    """That a value is a person's, with its sign: "✎ rettet af Ida Prøve 22.11.2026: ringet op"."""
    return i18n.text("written.corrected_by", language, who=who, day=formats.date(at.date(), language), why=why.rstrip("."))


def source(unit: Mapping[str, Any], language: str) -> str:
    """Which delivery told a unit and which its last count, from a row of `unit_detail`."""
    of_unit = (unit["unit_delivery"], unit["unit_delivered_on"])
    of_count = (unit["count_delivery"], unit["count_delivered_on"])
    told = {"delivery": of_unit[0], "day": formats.date(of_unit[1], language)}
    if of_count[0] is None:
        return i18n.text("written.source_uncounted", language, **told)
    if of_count == of_unit:
        return i18n.text("written.source", language, **told)
    return i18n.text("written.source_both", language, **told, counted=of_count[0], counted_on=formats.date(of_count[1], language))


def facts_of(occupancy_pct: float, language: str) -> dict[str, tuple[str, ...]]:
    """The fields behind each line of `vacancies.facts`, by its label, where it is not one field under its own name."""
    word = {key: i18n.text(f"vacancies.{key}", language) for key in ("age", "support", "night", "address", "note")}
    rate = ("daily_rate_ore", "price_year", "assumed_occupancy_pct")
    return {
        field("approval_status", language): ("approval_status", "approved_until"),
        tables.header(Column("offer_type_name"), language): ("offer_type",),
        word["age"]: ("age_from", "age_to"),
        word["support"]: ("support_level_from", "support_level_to"),
        i18n.text("columns.daily_rate_ore", language): rate,
        i18n.text("vacancies.rate_at", language, pct=formats.percent(occupancy_pct, language)): rate,
        word["night"]: ("night_cover",),
        i18n.text("columns.accepting_from", language): ("accepting_from",),
        i18n.text("columns.status", language): ("status",),
        i18n.text("columns.notice_days", language): ("notice_days",),
        tables.header(Column("operator"), language): ("operator", "operator_kind"),
        word["address"]: ("address",),
        word["note"]: ("note",),
    }


def too_many(unit: Mapping[str, Any], language: str) -> str | None:
    """That the places of a unit do not add up: more in use and open than there are; None where they do or nobody has told."""
    if unit["maximum"] is None or unit["occupied"] is None or unit["accepting"] is None:
        return None
    used = unit["occupied"] + (unit["reserved"] or 0) + unit["accepting"]
    if used <= unit["maximum"]:
        return None
    return i18n.text("written.too_many", language, used=formats.number(used, language), maximum=formats.number(unit["maximum"], language))
