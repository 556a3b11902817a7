"""A match as the tables and pictures of its page: hits with their points, why not, near misses, what to ask, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from samplads import i18n
from samplads.matching.case import Case
from samplads.matching.ranking import Comparison, MatchResult
from samplads.presenting import formats, matching, tables


def hit_columns(result: MatchResult, language: str) -> tuple[str | tables.Column, ...]:
    """Columns of `hits` as the page shows them."""
    return (
        *("nr", "unit_name", "points", "municipality_name"),
        tables.Column("km", "km", width=60, text="km"),
        "accepting",
        replace(tables.column("accepting_from"), write=lambda day: formats.opening(day, result.as_of, language)),
        *("daily_rate_ore", "night_cover", "freshness_text"),
    )


MORE_COLUMNS = ("unit_id", "operator_kind", "offer_type", "price_year", "points_by_criterion")
"""What an export of hits tells beyond the screen."""

KM = tables.Column("km", "km", width=60, text="km")
ASK_COLUMNS: tuple[str | tables.Column, ...] = ("unit_name", "points", "municipality_name", KM, "ask", "freshness_text")


def summary(
    case: Case,
    groups: Mapping[str, str],
    municipalities: Mapping[str, str],
    offer_types: Mapping[str, str],
    language: str,
    *,
    urgency: str | None = None,
) -> str:
    """The need in a line: "Behov 2026-118 · 24 år · Autismespektrum (primær), Udadreagerende adfærd · § 108 · ..."."""
    parts = [] if case.need_id is None else [i18n.text("match.summary.need", language, need=case.need_id)]
    if case.age is not None:
        parts.append(i18n.text("match.summary.age", language, age=case.age))
    if case.groups:
        names = [groups.get(code, code) for code in case.groups]
        names[0] = i18n.text("match.summary.primary", language, group=names[0]) if len(names) > 1 else names[0]
        parts.append(", ".join(names))
    if case.offer_types:
        parts.append(" / ".join(offer_types.get(code, code) for code in case.offer_types))
    if case.support_level is not None:
        parts.append(i18n.text("match.summary.support", language, level=case.support_level))
    if case.least_night_cover not in (None, "none"):
        parts.append(i18n.text(f"matching.cover.{case.least_night_cover}", language))
    if case.wanted_from is not None:
        parts.append(i18n.text("match.summary.wanted", language, day=formats.date(case.wanted_from, language)))
    if case.max_daily_rate_ore is not None:
        parts.append(i18n.text("match.summary.rate", language, rate=formats.kr_per_day(case.max_daily_rate_ore, language)))
    if case.max_km is not None:
        parts.append(i18n.text("match.summary.km", language, km=formats.km(case.max_km, language)))
    if case.current_unit is not None:
        parts.append(i18n.text("match.summary.current_unit", language, unit=case.current_unit))
    parts.append(municipalities.get(case.municipality, case.municipality))
    if urgency is not None:
        parts.append(formats.choice("urgency", urgency, language))
    return " · ".join(parts)


def _units(result: MatchResult, listed: pl.DataFrame, language: str) -> pl.DataFrame:
    """Listed units (with unit_id) with what the places say of them."""
    known = result.places.frame.select(
        "unit_id",
        pl.col("name").alias("unit_name"),
        *(name for name in ("municipality_name", "accepting", "accepting_from", "daily_rate_ore", "price_year", "night_cover")),
        *(name for name in ("operator_kind", "offer_type", "confirmed_at")),
    )
    found = listed.join(known, on="unit_id", how="left", maintain_order="left")
    if "freshness" not in found.columns:
        return found
    confirmed = [
        f"{formats.choice('freshness', band, language)}, {formats.age(day, result.as_of, language)}"
        for band, day in found.select("freshness", "confirmed_at").iter_rows()
    ]
    return found.with_columns(pl.Series("freshness_text", confirmed, pl.String))


def hits(result: MatchResult, language: str) -> pl.DataFrame:
    """The sure hits, best first: `hit_columns`, unit_id, and points_<criterion>."""
    listed = result.hits
    told = [matching.points_by_criterion(row, result, language) for row in listed.iter_rows(named=True)]
    return _units(result, listed, language).with_columns(
        pl.int_range(1, pl.len() + 1).alias("nr"), pl.Series("points_by_criterion", told, pl.String)
    )


def points(result: MatchResult, language: str) -> tuple[pl.DataFrame, list[str | tables.Column]]:
    """The hits' points, one column a criterion that applies, and how to show them: the header tells the most that there is."""
    names = {name: f"{formats.capital(matching.criterion(name, language))} /{result.weights.points[name]}" for name in result.score.applied}
    shown: list[str | tables.Column] = ["nr", "unit_name", "points"]
    shown += [tables.Column(f"points_{name}", "whole", text=text) for name, text in names.items()]
    return hits(result, language), shown


def assessments(result: MatchResult, language: str) -> pl.DataFrame:
    """Units that need assessment, best first, with the questions to ask in one text."""
    listed = result.needs_assessment
    asked = [" ".join(matching.question(name, language) for name in names) for names in listed["questions"].to_list()]
    return _units(result, listed, language).with_columns(pl.Series("ask", asked, pl.String))


def why_not(result: MatchResult, language: str) -> pl.DataFrame:
    """One row a rule that applies: its code, its name, how many fail it, for how many it is the only one; most first."""
    rows = [
        {"rule_code": rule, "rule": matching.rule(rule, language), "failed": told.failed, "only_this": told.only_this}
        for rule, told in result.excluded.items()
        if told.failed
    ]
    schema = {"rule_code": pl.String, "rule": pl.String, "failed": pl.Int64, "only_this": pl.Int64}
    return pl.DataFrame(rows, schema=schema).sort("failed", "rule", descending=[True, False])


def failing(result: MatchResult, unit_ids: Sequence[str], language: str) -> pl.DataFrame:
    """The units of a rule, with every rule that each fails."""
    rows = result.places.rows(unit_ids)
    from samplads.matching.explanation import names_of

    failed = [", ".join(matching.rule(name, language) for name in names_of(int(result.violations[row]))) for row in rows]
    listed = pl.DataFrame({"unit_id": list(unit_ids), "failed_rules": failed}, schema={"unit_id": pl.String, "failed_rules": pl.String})
    return _units(result, listed, language)


def near_misses(result: MatchResult, names: Mapping[str, str], language: str) -> pl.DataFrame:
    """Units that fail one rule only, those that could be loosened first: miss says by how much."""
    listed = result.near_misses
    told = [matching.near_miss(row, result, language, names) for row in listed.iter_rows(named=True)]
    rules = [matching.rule(str(rule), language) for rule in listed["rule"].to_list()]
    found = listed.with_columns(
        pl.Series("miss", told, pl.String), pl.Series("rule_name", rules, pl.String), pl.Series("order", range(listed.height), pl.Int64)
    )
    return _units(result, found, language).sort(pl.col("relaxable").not_(), "order")


def comparison(compared: Comparison, result: MatchResult, language: str) -> pl.DataFrame:
    """Up to four units side by side: one row a fact, rule or criterion, one column a unit."""
    names = compared.units["name"].to_list()
    columns = [name if names.count(name) == 1 else f"{name} ({unit})" for name, unit in zip(names, compared.units["unit_id"], strict=True)]

    def written(key: str, value: object) -> str:
        if key == "daily_rate_ore":
            return formats.kr_per_day(value if isinstance(value, int) else None, language)
        if key == "km":
            return formats.km(value if isinstance(value, float) else None, language)
        if key in {"operator_kind", "night_cover", "freshness"}:
            return formats.choice(key, None if value is None else str(value), language)
        if key == "accepting_from":
            return formats.opening(value, result.as_of, language)  # type: ignore[arg-type]
        return formats.unknown(language) if value is None else str(value)

    rows: list[list[str]] = []
    for key in (
        "points",
        "municipality_name",
        "km",
        "operator_kind",
        "accepting",
        "accepting_from",
        "daily_rate_ore",
        "night_cover",
        "freshness",
    ):
        rows.append([i18n.text(f"columns.{key}", language), *(written(key, value) for value in compared.units[key].to_list())])
    for rule in compared.verdicts.columns[1:]:
        signs = [f"{SIGNS[verdict]} {i18n.text(f'matching.verdict.{verdict}', language)}" for verdict in compared.verdicts[rule].to_list()]
        rows.append([i18n.text("match.compare.rule", language, rule=matching.rule(rule, language)), *signs])
    for criterion in compared.points.columns[1:]:
        most = result.weights.points[criterion]
        points = [f"{value} / {most}" for value in compared.points[criterion].to_list()]
        rows.append([i18n.text("match.compare.points", language, criterion=matching.criterion(criterion, language)), *points])
    return pl.DataFrame(rows, schema=["fact", *columns], orient="row")


SIGNS = {"pass": "✓", "fail": "✗", "unknown": "?"}
"""A verdict's sign, beside its word."""
