"""A joint allocation as its page's sentence, tables, map and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from samplads import i18n
from samplads.matching import outcome
from samplads.matching.allocation import Allocation
from samplads.matching.comparison import Comparison
from samplads.presenting import charts, exports, formats, tables

REASONS = ("no_eligible_unit", "no_open_place", "outbid")
PLACED_COLUMNS: tuple[str | tables.Column, ...] = (
    "need_id",
    "acting_name",
    "unit_name",
    tables.Column("municipality_name", width=100),
    tables.Column("km", "km", width=60, text="km"),
    "match_points",
    "daily_rate_ore",
    "urgency",
    "second_name",
    tables.Column("second_price", width=150),
)
_HELD_COLUMN = tables.Column("held", "flag", width=90)
_MONTH_COLUMNS = (tables.Column("moves_in", width=110), tables.Column("months_waited", "whole", width=110))
UNPLACED_COLUMNS: tuple[str | tables.Column, ...] = (
    "need_id",
    "acting_name",
    "urgency",
    tables.Column("waiting_days", "whole", "days"),
    "explained",
)


RIVAL_COLUMNS: tuple[str | tables.Column, ...] = (
    "unit_name",
    "match_points",
    tables.Column("places_here", "whole", width=80),
    "rival",
    "rival_points",
)
FAIRNESS_COLUMNS = ("municipality_name", "needs", "placed", "share_pct")


def answer(allocation: Allocation, first_come: int, needs: int, places: int, reasons: Mapping[str, int], language: str) -> tuple[str, str]:
    """What can be placed at once, and why the rest cannot."""
    numbers = {
        name: formats.number(value, language) for name, value in {"needs": needs, "places": places, "placed": allocation.placed}.items()
    }
    said = i18n.text("allocation.answer.placed", language, first_come=formats.number(first_come, language), **numbers)
    parts = [formats.plural(reasons[reason], f"allocation.answer.{reason}", language) for reason in REASONS if reasons.get(reason)]
    if not parts:
        return said, i18n.text("allocation.answer.all_placed", language)
    without = formats.number(needs - allocation.placed, language)
    return said, i18n.text("allocation.answer.unplaced", language, unplaced=without, reasons=formats.listing(parts, language))


def placed_columns(plan: pl.DataFrame) -> tuple[str | tables.Column, ...]:
    """The columns of a plan: whether a place is held where some are, and over a horizon the month of the move."""
    held = (_HELD_COLUMN,) if plan["held"].any() else ()
    return (*PLACED_COLUMNS, *held, *(_MONTH_COLUMNS if "moves_in" in plan.columns else ()))


def with_months(plan: pl.DataFrame, chosen: pl.DataFrame, wanted: pl.DataFrame, language: str) -> pl.DataFrame:
    """A plan over a horizon with the month in which each moves in: when the place opens, or later where it is wanted later."""
    told = plan.join(chosen.select("need_id", "opens", "months_waited"), on="need_id", how="left", maintain_order="left")
    told = told.join(wanted, on="need_id", how="left", maintain_order="left")
    names = formats.months(language)
    days = told.select(pl.max_horizontal("opens", "wanted_from"))["opens"].to_list()
    return told.with_columns(pl.Series("moves_in", [f"{names[day.month - 1]} {day.year}" for day in days], pl.String))


def second_price(row: Mapping[str, Any], exact: bool, language: str) -> str:
    """What the second best would cost the others: a placement, or at least so many points; nothing where there is no other unit."""
    if row["second_unit"] is None:
        return ""
    if row["second_tiers"] > 0:
        return i18n.text("allocation_page.second.place", language)
    return formats.plural(row["second_short"], f"allocation_page.second.{'least' if exact else 'about'}", language)


def placed(told: pl.DataFrame, needs: pl.DataFrame, pairs: pl.DataFrame, units: pl.DataFrame, exact: bool, language: str) -> pl.DataFrame:
    """The plan: `outcome.placed` with names, distance, rate and points as a single match gives them."""
    prices = [second_price(row, exact, language) for row in told.iter_rows(named=True)]
    told = told.with_columns(pl.Series("second_price", prices, pl.String))
    no_other = i18n.text("allocation_page.no_second", language)
    names = units.select("unit_id", pl.col("name").alias("unit_name"), "municipality", "municipality_name", "lat", "lon")
    seconds = names.select(pl.col("unit_id").alias("second_unit"), pl.col("unit_name").alias("second_name"))
    about = needs.select(
        "need_id", "urgency", "registered_on", pl.col("municipality").alias("acting"), pl.col("municipality_name").alias("acting_name")
    )
    facts = pairs.select("need_id", "unit_id", "match_points", (pl.col("metres") / 1000).alias("km"), "daily_rate_ore")
    return (
        told.join(about, on="need_id", how="left")
        .join(names, on="unit_id", how="left")
        .join(facts, on=["need_id", "unit_id"], how="left")
        .join(seconds, on="second_unit", how="left")
        .with_columns(pl.col("second_name").fill_null(no_other))
        .sort("need_id")
    )


def unplaced(
    told: pl.DataFrame, needs: pl.DataFrame, units: pl.DataFrame, day: Any, relaxed: Mapping[str, str], language: str
) -> pl.DataFrame:
    """Needs without a place, longest waiting first: the reason, and in a sentence what it would take.

    `relaxed` says for a need without a suitable unit which rule holds it out and what the cheapest loosening would give.
    """
    names = dict(units.select("unit_id", "name").iter_rows())
    about = needs.select(
        "need_id",
        "urgency",
        pl.col("municipality_name").alias("acting_name"),
        (pl.lit(day) - pl.col("registered_on")).dt.total_days().alias("waiting_days"),
    )
    rows = told.join(about, on="need_id", how="left").sort("waiting_days", "need_id", descending=[True, False], nulls_last=True)
    explained = []
    for row in rows.iter_rows(named=True):
        if row["reason"] == "outbid":
            explained.append(
                i18n.text(
                    "allocation.answer.lost_to",
                    language,
                    lost_to=row["lost_to"],
                    unit=names.get(row["unit_id"], row["unit_id"]),
                    need=row["need_id"],
                    left_out=row["left_out"],
                    points=formats.number(row["points_short"], language),
                )
            )
        else:
            explained.append(relaxed.get(row["need_id"]) or i18n.text("allocation_page.not_explained", language))
    reasons = [i18n.text(f"allocation.reason.{reason}", language) for reason in rows["reason"].to_list()]
    return rows.with_columns(pl.Series("reason_text", reasons, pl.String), pl.Series("explained", explained, pl.String))


def insisting(told: outcome.Insisting, need_id: str, unit: str, names: Mapping[str, str], language: str) -> tuple[str, list[str]]:
    """What it costs that a need gets a unit: in a sentence, and each need whose place changes in a line."""
    change = told.change
    placed, points = -change[-2], -change[-1]
    urgent = -change[-3] if len(change) > 2 else 0
    if urgent > 0:
        price = formats.plural(urgent, "allocation_page.insist.urgent", language)
    elif placed > 0:
        price = formats.plural(placed, "allocation_page.insist.placed", language)
    elif points > 0:
        price = formats.plural(points, "allocation_page.insist.points", language)
    else:
        price = i18n.text("allocation_page.insist.nothing", language)
    lines = []
    for need, before, after in told.moves.iter_rows():
        where = {"need": need, "before": names.get(before, before), "after": names.get(after, after)}
        kind = "gets" if before is None else "loses" if after is None else "moves"
        lines.append(i18n.text(f"allocation_page.insist.{kind}", language, **where))
    return i18n.text("allocation_page.insist.said", language, need=need_id, unit=unit, price=price), lines


def rivals(told: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """Who has the places that a need could use (`outcome.rivals`), by the points of a single match: 1000 a step of freshness taken off."""
    names = units.select("unit_id", pl.col("name").alias("unit_name"))
    return told.join(names, on="unit_id", how="left", maintain_order="left").with_columns(
        (pl.col("points") % 1000).alias("match_points"),
        (pl.col("rival_points") % 1000).alias("rival_points"),
        pl.col("places").alias("places_here"),
    )


def fairness(needs: pl.DataFrame, chosen: pl.DataFrame, shares: pl.DataFrame | None = None) -> pl.DataFrame:
    """By acting municipality: needs, placed and the share placed; with `Allocation.shares` also the floor and what lacks to it."""
    about = needs.join(chosen.select("need_id", pl.lit(1).alias("placed")), on="need_id", how="left")
    if shares is not None:
        about = about.join(shares.select("municipality", "floor", "lacking"), on="municipality", how="left")
    extra = [pl.col("floor", "lacking").first()] if shares is not None else []
    return (
        about.group_by("municipality_name")
        .agg(pl.len().alias("needs"), pl.col("placed").sum().fill_null(0), *extra)
        .with_columns((100 * pl.col("placed") / pl.col("needs")).alias("share_pct"))
        .sort("share_pct", "municipality_name")
    )


def comparison(compared: Comparison, language: str) -> pl.DataFrame:
    """The four ways of sharing places out, in words."""
    table = compared.table
    names = [i18n.text(f"allocation.method.{method}", language) for method in table["method"].to_list()]
    about = [i18n.text(f"allocation.method_help.{method}", language) for method in table["method"].to_list()]
    return table.with_columns(pl.Series("method", names, pl.String), pl.Series("method_help", about, pl.String))


def scarcity(values: pl.DataFrame, names: Mapping[str, str], units: pl.DataFrame) -> pl.DataFrame:
    """What one more place of each kind is worth, kinds by name, the most valuable first; only those worth anything."""
    kinds = [names.get(kind, kind) for kind in values["kind"].to_list()]
    told = values.with_columns(pl.Series("kind_name", kinds, pl.String)).filter((pl.col("placed") > 0) | (pl.col("points") > 0))
    told = told.with_columns(value_urgent="urgent", value_placed="placed", value_points="points")
    names_of = units.select("unit_id", (pl.col("name") + " · " + pl.col("municipality_name").fill_null("")).alias("unit_name"))
    return told.join(names_of, on="unit_id", how="left", maintain_order="left")


def scarcity_columns(values: pl.DataFrame, language: str) -> tuple[str | tables.Column, ...]:
    """The columns of `scarcity`; points that prices only tell about say so."""
    exact = bool(values["exact"].all())

    def about(points: float | None) -> str:
        return i18n.text("allocation_page.about", language, points=formats.number(points, language))

    points = tables.Column("value_points", "whole", write=None if exact else about)
    return ("kind_name", tables.Column("unit_name", width=260), "value_urgent", "value_placed", points, "units")


def scarcest(values: pl.DataFrame, language: str) -> str:
    """The kind that one more place helps most, in a sentence."""
    if values.is_empty() or values["placed"][0] == 0:
        return i18n.text("allocation.answer.no_scarcity", language)
    return i18n.text("allocation.answer.scarcest", language, kind=values["kind_name"][0], unit=values["unit_name"][0])


def proposal(plan: pl.DataFrame, missing: pl.DataFrame, values: pl.DataFrame, premises: Mapping[str, str], language: str) -> bytes:
    """The proposal as one workbook: what it rests on, who gets a place, who does not and why, and what one more place is worth.

    The first sheet begins by saying that nobody has decided anything.
    """
    sheets: list[exports.Sheet] = [
        (i18n.text("allocation_page.tab.placed", language), plan, placed_columns(plan)),
        (i18n.text("allocation_page.tab.unplaced", language), missing, (*UNPLACED_COLUMNS, "reason_text")),
        (i18n.text("allocation_page.tab.scarcity", language), values, scarcity_columns(values, language)),
    ]
    facts = (i18n.text("allocation_page.premises.sheet", language), premises)
    return exports.workbook(sheets, language, facts=facts, facts_first=True)


MOST_LINES = 150
"""Lines of a map that the eye still tells apart: from there on the map shows streams between municipalities, and the largest of them."""


def moves_map(plan: pl.DataFrame, points: pl.DataFrame, outline: Mapping[str, Any] | None, language: str) -> charts.Picture:
    """Each placed need as a line from its acting municipality to the unit. `points`: [code, lat, lon] of municipalities.

    More than `MOST_LINES` of them are streams from municipality to municipality, as broad as they are many.
    """
    start = points.select(pl.col("code").alias("acting"), pl.col("lat").alias("from_lat"), pl.col("lon").alias("from_lon"))
    if plan.height <= MOST_LINES:
        lines = plan.join(start, on="acting", how="inner")
        return charts.line_map(lines, outline, language, labels=("need_id", "acting_name", "unit_name", "municipality_name"))
    end = points.select(pl.col("code").alias("municipality"), "lat", "lon")
    streams = _streams(plan)
    for place, key in ((start, "acting"), (end, "municipality")):
        streams = streams.join(place, on=key, how="inner", maintain_order="left")
    return charts.line_map(streams, outline, language, labels=("acting_name", "municipality_name", "placed"), breadth="placed")


def _streams(plan: pl.DataFrame) -> pl.DataFrame:
    """The largest streams between municipalities: [acting, acting_name, municipality, municipality_name, placed]."""
    keys = ["acting", "acting_name", "municipality", "municipality_name"]
    counted = plan.group_by(keys).agg(pl.len().cast(pl.Int64).alias("placed"))
    return counted.sort("placed", *keys, descending=[True, *([False] * len(keys))]).head(MOST_LINES)


def moves_note(plan: pl.DataFrame, language: str) -> str | None:
    """What a map of streams leaves out; nothing where each need has its own line."""
    if plan.height <= MOST_LINES:
        return None
    drawn = _streams(plan)
    counts = {"drawn": formats.number(int(drawn["placed"].sum()), language), "placed": formats.number(plan.height, language)}
    return formats.plural(drawn.height, "allocation_page.streams", language, **counts)


def moves_alt(plan: pl.DataFrame, language: str) -> str:
    """The map in words: how many move, how far, and how many stay in their municipality."""
    at_home = plan.filter(pl.col("acting_name") == pl.col("municipality_name")).height
    median = plan["km"].median()
    return i18n.text(
        "allocation_page.map_alt",
        language,
        placed=formats.number(plan.height, language),
        home=formats.number(at_home, language),
        km=formats.km(float(median) if isinstance(median, int | float) else None, language),
    )
