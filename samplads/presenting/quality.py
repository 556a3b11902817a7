"""What should be looked at, check by check, and occupancy from stays: tables and sentences of the page Datakvalitet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from samplads import i18n
from samplads.presenting import formats
from samplads.presenting.tables import Column

Kind = Literal["whole", "day", "percent", "text"]


@dataclass(frozen=True)
class Check:
    """One check: its code in `queries/quality_issues.sql` and what its two values are."""

    code: str
    told: Kind
    held_against: Kind | None


CHECKS = (
    Check("over_occupied", "whole", "whole"),
    Check("persons_over_maximum", "whole", "whole"),
    Check("closed_but_accepting", "whole", None),
    Check("occupancy_disagrees", "whole", "whole"),
    Check("duplicate_unit", "text", None),
    Check("approval_expired", "day", None),
    Check("approval_expires", "day", None),
    Check("missing_rate", "text", None),
    Check("stay_ends_before_start", "text", None),
    Check("stale", "day", "day"),
    Check("occupancy_off_budget", "percent", "percent"),
)
"""Every check, those that mislead a placement most first."""

_TYPED: dict[Kind, Callable[[pl.Expr], pl.Expr]] = {
    "whole": lambda text: text.cast(pl.Int64),
    "day": lambda text: text.str.to_date("%Y-%m-%d"),
    "percent": lambda text: text.cast(pl.Float64),
    "text": lambda text: text,
}
"""How the query's text is read as what it is: it writes all checks' values in one column."""

OF_FINDINGS = frozenset({"stay_ends_before_start"})
"""Checks whose rows were set aside before anybody knew their unit: they are told by where they stand in a delivery."""

CHECK_COLUMNS = (
    Column("found", "whole", width=60),
    Column("check", width=265),
    Column("municipalities", "whole", width=90),
    Column("what_to_do", width=560),
)
"""The table of checks: on a narrow screen the count and the check, on a wide one also all of what to do."""

MOST_NAMED = 3
"""Checks that the page's first sentence names; the table has them all."""

MOST_LINES = 6
"""Groups drawn in one chart: more lines cannot be told apart."""


def answer(issues: pl.DataFrame, language: str) -> str:
    """How much there is to look at, and the checks that mislead a placement most. Markdown."""
    if issues.is_empty():
        return i18n.text("quality.answer_none", language)
    first = i18n.text(
        "quality.answer",
        language,
        issues=formats.plural(issues.height, "quality.issues", language),
        units=formats.plural(issues["unit_id"].drop_nulls().n_unique(), "quality.units", language),
    )
    counts = dict(issues.group_by("issue").len().iter_rows())
    found = [check.code for check in CHECKS if counts.get(check.code)]
    parts = [
        i18n.text("quality.first", language, n=formats.number(counts[code], language), what=_said(code, "short", language))
        for code in found[:MOST_NAMED]
    ]
    key = "quality.worst" if len(found) > MOST_NAMED else "quality.all_told"
    return f"{first} {i18n.text(key, language, parts=formats.listing(parts, language))}"


def _said(code: str, what: str, language: str) -> str:
    return i18n.text(f"quality.checks.{code}.{what}", language)


def summary(issues: pl.DataFrame, language: str) -> pl.DataFrame:
    """One row a check: check_code, check, found (how many), municipalities (how many), what_to_do; checks that found nothing too."""
    counts = {
        code: (found, places)
        for code, found, places in issues.group_by("issue").agg(pl.len(), pl.col("municipality").drop_nulls().n_unique()).iter_rows()
    }
    rows = [
        {
            "check_code": check.code,
            "check": _said(check.code, "name", language),
            "found": counts.get(check.code, (0, 0))[0],
            "municipalities": counts.get(check.code, (0, 0))[1],
            "what_to_do": _said(check.code, "do", language),
        }
        for check in CHECKS
    ]
    return pl.DataFrame(rows)


def worst(issues: pl.DataFrame) -> str:
    """The first check that found something; the first of all where none did."""
    found = set(issues["issue"])
    return next((check.code for check in CHECKS if check.code in found), CHECKS[0].code)


def of_check(issues: pl.DataFrame, code: str) -> pl.DataFrame:
    """The rows of one check with their values typed, so that they sort and export as what they are."""
    check = next(one for one in CHECKS if one.code == code)
    rows = issues.filter(pl.col("issue") == code).rename({"name": "unit_name"})
    return rows.with_columns(
        _TYPED[check.told](pl.col("told")),
        _TYPED[check.held_against or "text"](pl.col("held_against")),
    )


def columns(code: str, language: str) -> list[str | Column]:
    """The columns of one check's table, its two values under what they are."""
    check = next(one for one in CHECKS if one.code == code)
    if code in OF_FINDINGS:
        return ["municipality_name", "delivery", "file", Column("row", "whole")]
    values = [
        Column(key, kind, text=_said(code, key, language), unit="percent" if kind == "percent" else None, decimals=int(kind == "percent"))
        for key, kind in (("told", check.told), ("held_against", check.held_against))
        if kind is not None and code != "missing_rate"
    ]
    return ["unit_name", "municipality_name", "operator", *values, "unit_id"]


def all_rows(issues: pl.DataFrame, language: str) -> pl.DataFrame:
    """Every row of every check with the check in words, for one export of all."""
    names = {check.code: _said(check.code, "name", language) for check in CHECKS}
    todo = {check.code: _said(check.code, "do", language) for check in CHECKS}
    return issues.select(
        pl.col("issue").replace(names).alias("check"),
        pl.col("name").alias("unit_name"),
        "unit_id",
        "municipality_name",
        "operator",
        "told",
        "held_against",
        "delivery",
        "file",
        "row",
        pl.col("issue").replace(todo).alias("what_to_do"),
    )


def named(months: pl.DataFrame, names: Mapping[str, str], language: str) -> pl.DataFrame:
    """The rows of `occupancy_by_month` with the group's name; names that several groups share carry their code."""
    fixed = {"unknown": i18n.text("quality.occupancy.unknown", language), "all": i18n.text("quality.occupancy.all", language)}
    texts = {**{code: str(name) for code, name in names.items()}, **fixed}
    count: dict[str, int] = {}
    for text in texts.values():
        count[text] = count.get(text, 0) + 1
    told = {code: text if count[text] == 1 else f"{text} ({code})" for code, text in texts.items()}
    return months.with_columns(pl.col("group_key").replace(told).alias("group_name"), pl.col("month").cast(pl.Date))


def by_group(months: pl.DataFrame) -> pl.DataFrame:
    """One row a group over all months: group_key, group_name, occupancy_pct, person_days, capacity_days; the largest first."""
    return (
        months.group_by("group_key", "group_name")
        .agg(pl.col("person_days", "capacity_days", "covered_days").sum())
        .with_columns(
            pl.when(pl.col("capacity_days") > 0)
            .then((100 * pl.col("covered_days") / pl.col("capacity_days")).round(1))
            .alias("occupancy_pct")
        )
        .sort("capacity_days", "group_name", descending=[True, False])
        .select("group_key", "group_name", "occupancy_pct", "person_days", "capacity_days")
    )


def occupancy_answer(total: pl.DataFrame, language: str) -> str:
    """The occupancy of the whole period, from the rows of `occupancy_by_month` of one group. Markdown."""
    persons, places, everyone = (int(total[name].sum()) for name in ("covered_days", "capacity_days", "person_days"))
    if not places:
        return i18n.text("quality.occupancy.answer_none", language)
    first = i18n.text(
        "quality.occupancy.answer",
        language,
        pct=formats.percent(100 * persons / places, language, 1),
        months=formats.plural(total.height, "quality.occupancy.months_n", language),
        persons=formats.number(persons, language),
        places=formats.number(places, language),
    )
    if everyone == persons:
        return first
    return f"{first} {i18n.text('quality.occupancy.uncovered', language, n=formats.number(everyone - persons, language))}"


def month_column(language: str) -> Column:
    """The month by its name, in the order of time."""

    def named(day: Any) -> str:
        return f"{formats.months(language)[day.month - 1]} {day.year}"

    return Column("month", "day", write=named)


def month_before(day: dt.date, months: int) -> dt.date:
    """The first day of the month that lies some months before a day's."""
    index = day.year * 12 + day.month - 1 - months
    return dt.date(index // 12, index % 12 + 1, 1)
