"""A match in words: its answer, why a unit is out, what to ask. Texts in samplads/locale/<language>/matching.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from samplads import i18n
from samplads.matching.ranking import MatchResult
from samplads.presenting import formats


def answer(result: MatchResult, language: str) -> str:
    """The result in one sentence: "6 afdelinger passer, 3 kræver vurdering, 12.022 falder fra."."""
    counts = result.counts
    return i18n.text(
        "matching.answer",
        language,
        hits=formats.plural(counts["hits"], "matching.hits", language),
        assessment=formats.number(counts["needs_assessment"], language),
        excluded=formats.number(counts["excluded"], language),
    )


def reference(result: MatchResult, offer_types: Mapping[str, str], language: str) -> str | None:
    """The rate that prices are held against (docs/decisions/0028): the one told, else each offer type's lowest among the units that fit.

    None where there is neither.
    """
    told = result.case.reference_rate_ore
    if told is not None:
        return i18n.text("matching.reference.told", language, rate=formats.kr_per_day(told, language))
    for basis, listed in (("hits", result.hits), ("assessment", result.needs_assessment)):
        known = listed.join(result.places.frame.select("unit_id", "offer_type"), on="unit_id").drop_nulls(["offer_type", "reference_ore"])
        rates = known.group_by("offer_type").agg(pl.col("reference_ore").first(), pl.len().alias("units"))
        rates = rates.sort("units", "offer_type", descending=[True, False])
        if rates.height:
            parts = [
                f"{offer_types.get(code, code)}: {formats.kr_per_day(ore, language)}"
                for code, ore in rates.head(REFERENCES_SAID).select("offer_type", "reference_ore").iter_rows()
            ]
            return i18n.text(f"matching.reference.{basis}", language, rates=" · ".join(parts))
    return None


REFERENCES_SAID = 3
"""How many offer types' reference rates are said, those of most units first."""


def rule(name: str, language: str) -> str:
    """A rule's name for a reader."""
    return i18n.text(f"matching.rule.{name}", language)


def criterion(name: str, language: str) -> str:
    """A criterion's name for a reader."""
    return i18n.text(f"matching.criterion.{name}", language)


def question(name: str, language: str) -> str:
    """What to ask the unit (a name of `explanation.QUESTIONS`)."""
    return i18n.text(f"matching.question.{name}", language)


def points_by_criterion(row: Mapping[str, Any], result: MatchResult, language: str) -> str:
    """A hit's points: "målgruppe 30/30 · afstand 12/15 · ..."; criteria that do not apply are left out."""
    return " · ".join(f"{criterion(name, language)} {row[f'points_{name}']}/{result.weights.points[name]}" for name in result.score.applied)


def near_miss(row: Mapping[str, Any], result: MatchResult, language: str, names: Mapping[str, str] | None = None) -> str:
    """By how much a unit misses its one rule: "åbner om 21 dage", "8 % for dyr", "sovende nattevagt, vågen kræves".

    `row` is one of `MatchResult.near_misses`; `names` turns codes of offer types and municipalities into their names.
    """
    missed, by, has = str(row["rule"]), row["by"], row["has"]
    key = f"matching.near_miss.{missed}"
    if missed == "night_cover":
        cover = i18n.text(f"matching.cover.{has}", language)
        return i18n.text(key, language, has=cover, needed=i18n.text(f"matching.cover_needed.{result.case.least_night_cover}", language))
    if missed == "open_by" and result.case.day(result.as_of) != result.as_of:
        return formats.plural(by, f"{key}_wanted", language)
    if missed == "price" and by is None:
        return i18n.text(f"{key}_zero", language)
    if missed == "approval":
        # Withdrawn or suspended says more than that it would also have ended.
        if by is not None and has not in ("suspended", "withdrawn"):
            return formats.plural(by, f"{key}_expired", language)
        return i18n.text(key, language, has=formats.choice("approval_status", has, language))
    if missed in ("open_place", "intake", "current_unit"):
        return i18n.text(key, language)
    if missed == "operator_kind":
        return i18n.text(key, language, has=formats.choice("operator_kind", has, language))
    if missed in ("offer_type", "area"):
        return i18n.text(key, language, has=(names or {}).get(has, has))
    return formats.plural(by, key, language)
