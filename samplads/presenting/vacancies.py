"""Vacant places in words, tables and charts: what the pages Overblik and Ledige pladser show of the units that fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from samplads import i18n
from samplads.presenting import formats, tables, theme
from samplads.presenting.tables import Column

NEVER = 99_999
"""Days since the confirmation of what nobody has confirmed: older than everything."""

FILTERS = (
    *("groups", "offer_types", "age", "support_level", "open_by", "municipalities", "max_km"),
    *("max_rate", "operator_kinds", "night_covers", "freshness"),
)
"""Filters of the page in the order of the funnel, after `places`."""


@dataclass(frozen=True)
class Summary:
    """What fits: units with places that surely do, how many of the places are freshly confirmed, how near the nearest is.

    `listed` are the units that every filter surely passes, `units` those of them with a place that surely is open: fewer where the page
    lists reserved places or all units too. `unsure` counts units that leave something untold which a filter asks about, `without_groups`
    those of them that never told which target groups they are approved for. Distances are in km.
    """

    units: int
    listed: int
    accepting: int
    reserved: int
    occupied: int
    maximum: int
    fresh: int
    nearest_km: float | None
    unsure: int
    without_groups: int


def summary(units: pl.DataFrame) -> Summary:
    """Sums over the rows of `vacant_units`."""
    sure = units.filter(pl.col("unknowns").list.len() == 0)
    opened = sure.filter(pl.col("accepting_sure") > 0)
    nearest = opened["km"].min()
    return Summary(
        units=opened.height,
        listed=sure.height,
        accepting=int(opened["accepting_sure"].sum() or 0),
        reserved=int(sure["reserved"].sum() or 0),
        occupied=int(sure["occupied"].sum() or 0),
        maximum=int(sure["maximum"].sum() or 0),
        fresh=int(opened.filter(pl.col("freshness") == "fresh")["accepting_sure"].sum() or 0),
        nearest_km=float(nearest) if isinstance(nearest, int | float) else None,
        unsure=units.height - sure.height,
        without_groups=units.filter(pl.col("unknowns").list.contains("groups")).height,
    )


def answer(total: Summary, fresh_days: int, near: str | None, language: str) -> str:
    """The page's first sentence, in Markdown."""
    if total.accepting == 0:
        return i18n.text("vacancies.answer_none", language)
    places = formats.plural(total.accepting, "vacancies.places", language)
    units = formats.plural(total.units, "vacancies.units", language)
    fresh = i18n.text("vacancies.answer_fresh", language, n=formats.number(total.fresh, language), days=fresh_days)
    first = i18n.text("vacancies.answer", language, places=places, units=units)
    if total.nearest_km is None or near is None:
        return f"{first} {fresh}."
    nearest = i18n.text("vacancies.answer_nearest", language, km=formats.km(total.nearest_km, language), near=near)
    return f"{first} {fresh}; {nearest}."


def counts(total: Summary, language: str) -> str:
    """The places of the listed units that surely fit, state by state: "På disse 298 afdelinger: 361 åbne · 29 reserverede · ..."."""
    parts = [
        i18n.text(f"vacancies.counts.{name}", language, n=formats.number(value, language))
        for name, value in (
            ("accepting", total.accepting),
            ("reserved", total.reserved),
            ("occupied", total.occupied),
            ("maximum", total.maximum),
        )
    ]
    return f"{formats.plural(total.listed, 'vacancies.counts.listed', language)} {' · '.join(parts)}"


def unsure(total: Summary, language: str) -> str | None:
    """How many more units may fit, which nothing above counts, and how many of them never told their target groups. None where none may."""
    if not total.unsure:
        return None
    first = formats.plural(total.unsure, "vacancies.unsure", language)
    if not total.without_groups:
        return first
    return f"{first} {formats.plural(total.without_groups, 'vacancies.without_groups', language)}"


FAMILIES = {"operator_kinds": "operator_kind", "night_covers": "night_cover", "freshness": "freshness"}
"""Filters that are chosen among a contract's choices, with the choices' family."""


def about(filters: Mapping[str, Any], language: str, names: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The filters in use, for the second sheet of an export. `names`: what a filter's codes are called, filter -> code -> name."""
    used = {}

    def called(name: str, code: str) -> str:
        return formats.choice(FAMILIES[name], code, language) if name in FAMILIES else names.get(name, {}).get(code, code)

    for name in FILTERS:
        value = filters.get("max_rate_ore" if name == "max_rate" else name)
        if value is None or value == []:
            continue
        if isinstance(value, list):
            text = formats.listing([called(name, str(part)) for part in value], language)
        elif isinstance(value, dt.date):
            text = formats.date(value, language)
        else:
            text = formats.kr(value, language) if name == "max_rate" else formats.number(value, language)
        used[formats.capital(i18n.text(f"vacancies.steps.{name}", language))] = text
    return used


def funnel_line(funnel: pl.DataFrame, language: str) -> str:
    """How many units remain after each filter in use: "1.372 afdelinger → åbne 298 → målgrupper 31"."""
    parts = []
    for step, count in funnel.filter("active").select("filter", "remaining").iter_rows():
        parts.append(f"{i18n.text(f'vacancies.steps.{step}', language)} **{formats.number(count, language)}**")
    return " → ".join(parts)


def freshness(days: int | None, band: str | None, by: str | None, language: str) -> str:
    """A confirmation in words with its sign: "● 3 dage, afdelingsleder"."""
    sign = theme.FRESHNESS_SIGNS.get(band or "stale", theme.FRESHNESS_SIGNS["stale"])
    if days is None or days >= NEVER:
        return f"{sign} {formats.choice('freshness', 'unconfirmed', language)}"
    when = i18n.text("formats.today", language) if days <= 0 else formats.plural(days, "formats.days", language)
    return f"{sign} {when}{f', {by}' if by else ''}"


def _band(days: float | None, fresh_days: int, ageing_days: int) -> str:
    return "stale" if days is None or days > ageing_days else "fresh" if days <= fresh_days else "ageing"


def columns(day: dt.date, fresh_days: int, ageing_days: int, occupancy_pct: float, language: str) -> list[Column]:
    """The columns of the table of units, the ones that decide first."""

    def confirmed(days: Any) -> str:
        count = NEVER if days is None or days != days else int(days)
        return freshness(count, _band(count, fresh_days, ageing_days), None, language)

    at = formats.percent(occupancy_pct, language)
    return [
        replace(tables.column("unit_name"), width=155),
        replace(tables.column("municipality_name"), width=108),
        replace(tables.column("km"), text=i18n.text("units.km", language), unit=None, width=52),
        replace(tables.column("accepting"), width=62),
        Column("accepting_from", "day", width=88, write=lambda opens: formats.opening(opens, day, language)),
        Column("rate_normal_ore", "money", text=i18n.text("vacancies.rate_header", language, pct=at), width=118),
        replace(tables.column("night_cover"), width=76),
        Column("confirmed_days", "whole", width=108, write=confirmed, left=True, text=i18n.text("columns.freshness_text", language)),
        *(tables.column(key) for key in ("confirmed_by", "reserved", "occupied", "maximum", "daily_rate_ore", "price_year")),
        *(tables.column(key) for key in ("assumed_occupancy_pct", "primary_names", "secondary_names", "offer_type_name")),
        *(tables.column(key) for key in ("operator_kind", "status", "approval_status", "fits", "unknowns")),
    ]


EXPORTED = (
    *(
        "unit_id",
        "unit_name",
        "fits",
        "unknowns",
        "offer_name",
        "operator",
        "operator_kind",
        "municipality",
        "municipality_name",
        "km",
        "accepting",
        "reserved",
    ),
    *("occupied", "maximum", "accepting_from", "status", "rate_normal_ore", "daily_rate_ore", "price_year", "assumed_occupancy_pct"),
    *("night_cover", "freshness", "confirmed_by", "confirmed_at", "as_of", "offer_type", "offer_type_name", "primary_names"),
    *("secondary_names", "excluded_names", "age_from", "age_to", "support_level_from", "support_level_to", "approval_status"),
    *("approved_until", "single_person", "notice_days"),
)
"""The columns of an export of units: everything that the table or the details show."""


TOWN_COLUMNS = ("municipality_name", "accepting", "reserved", "occupied", "maximum", "units")
"""The columns of the table of places by municipality."""


def shown(units: pl.DataFrame, language: str) -> pl.DataFrame:
    """The rows of `vacant_units` with what is untold in words, and with an age for what nobody has confirmed.

    `fits` tells the rows apart (choices of that name): a unit that surely fits, one without a place that surely is open, one that wants to
    be asked first, one that leaves something untold.
    """
    words = {name: i18n.text(f"vacancies.unknowns.{name}", language) for name in ("places", "intake", "approval", *FILTERS)}
    told = pl.col("unknowns").list
    asks_first = pl.when(pl.col("approval_status") == "conditional").then(told.set_difference(["intake", "approval"]))
    return units.with_columns(
        pl.when(told.len() == 0)
        .then(pl.when(pl.col("accepting_sure") > 0).then(pl.lit("fits")).otherwise(pl.lit("no_place")))
        .when(asks_first.otherwise(told.set_difference(["intake"])).list.len() == 0)
        .then(pl.lit("asks_first"))
        .otherwise(pl.lit("untold"))
        .alias("fits"),
        pl.col("confirmed_days").fill_null(NEVER),
        pl.col("unknowns").list.eval(pl.element().replace(words)),
    )


def by_municipality(units: pl.DataFrame) -> pl.DataFrame:
    """Units that surely fit, summed by municipality, with the freshness band that most of the open places have.

    Columns: municipality, municipality_name, lat, lon (a municipality's units' mean point), units, the four counts, freshness.
    """
    sure = units.filter(pl.col("unknowns").list.len() == 0)
    sure = sure.with_columns(accepting="accepting_sure")
    fresh = pl.col("accepting").filter(pl.col("freshness") == "fresh").sum()
    kept = pl.col("accepting").filter(pl.col("freshness") != "stale").sum()
    return (
        sure.group_by("municipality", "municipality_name")
        .agg(
            pl.col("lat", "lon").mean(),
            pl.len().alias("units"),
            pl.col("accepting", "reserved", "occupied", "maximum").sum(),
            pl.when(2 * fresh > pl.col("accepting").sum())
            .then(pl.lit("fresh"))
            .when(2 * kept > pl.col("accepting").sum())
            .then(pl.lit("ageing"))
            .otherwise(pl.lit("stale"))
            .alias("freshness"),
        )
        .sort("accepting", "municipality_name", descending=[True, False])
    )


def head(unit: Mapping[str, Any], language: str) -> tuple[str, str, str]:
    """A unit's name, whom it belongs to, and who confirmed its places when: Markdown in which delivered text stays plain text."""
    belongs = " · ".join(part for part in (unit["offer_name"], unit["municipality_name"], unit["unit_id"]) if part)
    confirmed = freshness(unit["confirmed_days"], unit["freshness"], unit["confirmed_by"], language)
    on = f" ({formats.date(unit['confirmed_at'], language)})" if unit["confirmed_at"] else ""
    return formats.plain(unit["unit_name"]), formats.plain(belongs), formats.plain(confirmed + on)


def facts(unit: Mapping[str, Any], occupancy_pct: float, language: str, day: dt.date) -> list[tuple[str, str]]:
    """The details of a unit as label and value on a day, unknown where nobody has told: what is not known is part of the answer."""

    def span(low: object, high: object) -> str:
        unknown = formats.unknown(language)
        if low is None and high is None:
            return unknown
        return f"{unknown if low is None else low}–{unknown if high is None else high}"

    def names(key: str) -> str:
        return formats.listing(unit[key], language) if unit[key] else i18n.text("vacancies.none_told", language)

    age = span(unit["age_from"], unit["age_to"])
    age = age if age == formats.unknown(language) else f"{age} {i18n.text('units.years', language)}"
    rate = formats.kr_per_day(unit["daily_rate_ore"], language)
    if unit["daily_rate_ore"] is not None:
        terms = i18n.text(
            "vacancies.rate_terms",
            language,
            year=unit["price_year"] or formats.unknown(language),
            pct=formats.percent(unit["assumed_occupancy_pct"], language),
        )
        rate = f"{rate} ({terms})"
    normal = formats.kr_per_day(unit["rate_normal_ore"], language)
    until = unit["approved_until"]
    approval = formats.choice("approval_status", unit["approval_status"], language)
    if until is not None:
        approval = f"{approval}, {i18n.text('vacancies.until', language, day=formats.date(until, language))}"
    label = {key: tables.header(Column(key), language) for key in ("operator", "offer_type_name", "primary_names", "secondary_names")}
    return [
        (label["primary_names"], names("primary_names")),
        (label["secondary_names"], names("secondary_names")),
        (i18n.text("columns.excluded_names", language), names("excluded_names")),
        (i18n.text("columns.approval_status", language), approval),
        (label["offer_type_name"], unit["offer_type_name"] or formats.unknown(language)),
        (i18n.text("vacancies.age", language), age),
        (i18n.text("vacancies.support", language), span(unit["support_level_from"], unit["support_level_to"])),
        (i18n.text("columns.daily_rate_ore", language), rate),
        (i18n.text("vacancies.rate_at", language, pct=formats.percent(occupancy_pct, language)), normal),
        (i18n.text("vacancies.night", language), formats.choice("night_cover", unit["night_cover"], language)),
        (i18n.text("columns.accepting_from", language), formats.opening(unit["accepting_from"], day, language)),
        (i18n.text("columns.status", language), formats.choice("status", unit["status"], language)),
        (i18n.text("columns.notice_days", language), _days(unit["notice_days"], language)),
        (
            label["operator"],
            f"{unit['operator'] or formats.unknown(language)} ({formats.choice('operator_kind', unit['operator_kind'], language)})",
        ),
        (i18n.text("vacancies.address", language), unit["address"] or formats.unknown(language)),
        (i18n.text("vacancies.note", language), unit["note"] or i18n.text("vacancies.none_told", language)),
    ]


def _days(count: int | None, language: str) -> str:
    return formats.unknown(language) if count is None else formats.plural(count, "formats.days", language)


def untold(unit: Mapping[str, Any], language: str) -> Sequence[str]:
    """Which of the facts that decide a placement nobody has told about a unit."""
    asked = ("daily_rate_ore", "assumed_occupancy_pct", "night_cover", "accepting_from", "approval_status", "age_from", "age_to")
    more = ("support_level_from", "support_level_to", "operator_kind", "offer_type", "confirmed_at")
    return [tables.header(Column(key), language) for key in (*asked, *more) if unit[key] is None]
