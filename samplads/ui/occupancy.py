"""Occupancy from stays on a page: grouping and months chosen, a line for a few groups, a table of all, every month for export."""

from __future__ import annotations

import datetime as dt

import polars as pl
import streamlit as st

from samplads.presenting import charts, formats, quality
from samplads.ui import data, pick, session, show
from samplads.ui.page import empty, note
from samplads.ui.session import language, say

GROUPINGS = ("all", "municipality", "offer_type", "target_group", "unit")
MONTHS_BACK = 36
"""How far back a period may begin."""


def show_occupancy() -> None:
    """The part of a page that tells persons per day over average daily capacity, month by month."""
    lang, day = language(), session.day()
    grouped_at, from_at, to_at = st.columns([2, 1, 1])
    months = [quality.month_before(day, back) for back in range(MONTHS_BACK, -1, -1)]
    texts = {month.isoformat()[:7]: f"{formats.months(lang)[month.month - 1]} {month.year}" for month in months}
    groupings = {name: say(f"quality.occupancy.groupings.{name}") for name in GROUPINGS}
    with grouped_at:
        grouping = pick.pick_one(say("quality.occupancy.grouping"), groupings, key="grouping", default="all") or "all"
    with from_at:
        first = _month(say("quality.occupancy.from"), texts, "first_month", quality.month_before(day, 12))
    with to_at:
        last = _month(say("quality.occupancy.to"), texts, "last_month", quality.month_before(day, 1))
    if last < first:
        empty(say("quality.occupancy.wrong_order"))
        return
    whole = quality.named(data.query("occupancy_by_month", grouping="all", first_month=first, last_month=last), {}, lang)
    st.markdown(quality.occupancy_answer(whole, lang))
    told = whole
    if grouping != "all":
        rows = data.query("occupancy_by_month", grouping=grouping, first_month=first, last_month=last)
        told = quality.named(rows, _names(grouping), lang)
    groups = quality.by_group(told)
    drawn = told
    if grouping != "all":
        choices = dict(groups.select("group_key", "group_name").iter_rows())
        label = say("quality.occupancy.groups")
        chosen = pick.pick_several(label, choices, key=f"drawn_{grouping}", default=list(choices)[:3], most=quality.MOST_LINES)
        drawn = told.filter(pl.col("group_key").is_in(chosen))
    drawn = drawn.drop_nulls("occupancy_pct")
    if not drawn.is_empty():
        series = None if grouping == "all" else "group_name"
        show.chart(
            charts.line(drawn, "month", "occupancy_pct", lang, series=series),
            alt=charts.line_alt(drawn, "month", "occupancy_pct", lang, series=series),
            key="occupancy_chart",
        )
    note(say("quality.occupancy.about"))
    columns = ["group_name", "occupancy_pct", "person_days", "capacity_days"]
    if grouping != "all":
        name = say("quality.occupancy.by_group", grouping=groupings[grouping].lower())
        show.table(groups, columns=columns, key=f"occupancy_{grouping}", name=name)
    st.markdown(f"**{say('quality.occupancy.months')}**")
    monthly = told.sort("group_name", "month")
    if grouping == "all":
        show.table(
            monthly, columns=[quality.month_column(lang), *columns[1:]], key="occupancy_months", name=say("quality.occupancy.months")
        )
    else:
        show.export(
            monthly, say("quality.occupancy.months"), columns=["group_key", "group_name", "month", *columns[1:]], key="months_export"
        )


def _month(label: str, texts: dict[str, str], key: str, default: dt.date) -> dt.date:
    code = pick.pick_one(label, texts, key=key, default=default.isoformat()[:7]) or default.isoformat()[:7]
    return dt.date(int(code[:4]), int(code[5:]), 1)


def _names(grouping: str) -> dict[str, str]:
    """What the groups of a grouping are called."""
    if grouping == "municipality":
        return dict(data.query("municipalities").select("code", "name").iter_rows())
    if grouping == "offer_type":
        return dict(data.query("offer_types").select("code", pl.coalesce("paragraph", language())).iter_rows())
    if grouping == "target_group":
        return dict(data.query("target_groups").select("code", language()).iter_rows())
    return dict(data.query("match_units").select("unit_id", "name").iter_rows())
