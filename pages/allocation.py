"""Hvem kan få plads på samme tid, hvem kan ikke, og hvilken plads mangler mest?"""

import dataclasses

import polars as pl
import streamlit as st

from samplads import ui
from samplads.presenting import allocation as shown
from samplads.presenting import charts
from samplads.ui import allocation as joint

with ui.page("allocation"):
    lang = ui.language()
    question = joint.pick_question()
    found = joint.solve(question)
    plan, needs, units = found.allocation, found.round.needs, joint.units()
    reasons = dict(found.unplaced.group_by("reason").len().iter_rows())
    first_come = int(found.comparison.table.filter(pl.col("method") == "first_come")["placed"].item())
    places = int(found.round.capacity["places"].sum())
    said, rest = shown.answer(plan, first_come, needs.height, places, reasons, lang)
    values = shown.scarcity(found.kinds, ui.target_group_names())
    ui.answer(f"{said} {rest}", shown.scarcest(values, lang))

    # One place on the page whether there is an effect to tell or not: a chosen tab stays chosen.
    with st.container():
        if question.dropped or question.more:
            usual = joint.solve(dataclasses.replace(question, dropped=(), more=()))
            effect = joint.changed(usual, found)
            st.info(ui.say("allocation_page.effect", more=effect["more"], moved=effect["moved"]))

    tabs = st.tabs([ui.say(f"allocation_page.tab.{tab}") for tab in ("placed", "unplaced", "scarcity", "fairness", "comparison", "map")])
    placed = shown.placed(found.placed, needs, found.round.pairs, units, lang)
    with tabs[0]:
        ui.table(placed, columns=shown.PLACED_COLUMNS, key="placed", name=ui.say("allocation_page.tab.placed"))
        ui.note(ui.say("allocation_page.proposal"))
    with tabs[1]:
        missing = shown.unplaced(found.unplaced, needs, units, ui.day(), found.relaxed, lang)
        one = ui.table(
            missing,
            columns=shown.UNPLACED_COLUMNS,
            exported=(*shown.UNPLACED_COLUMNS, "reason_text"),
            key="unplaced",
            select="single-row",
            name=ui.say("allocation_page.tab.unplaced"),
        )
        if one.height:
            st.info(f"{one['need_id'][0]}: {one['explained'][0]}")
    with tabs[2]:
        ui.note(ui.say("allocation_page.scarcity_note"))
        ui.table(values, columns=("kind_name", "urgent", "placed", "units"), key="scarcity", name=ui.say("allocation_page.tab.scarcity"))
    with tabs[3]:
        fair = shown.fairness(needs, plan.chosen)
        ui.chart(
            charts.bars(fair, "municipality_name", "share_pct", lang),
            alt=charts.bars_alt(fair, "municipality_name", "share_pct", lang),
            key="fairness_chart",
        )
        ui.table(
            fair,
            columns=("municipality_name", "needs", "placed", "share_pct"),
            key="fairness_table",
            name=ui.say("allocation_page.tab.fairness"),
        )
    with tabs[4]:
        table = shown.comparison(found.comparison, lang)
        ui.table(
            table,
            columns=("method", "urgent", "placed", "placed_more", "method_help"),
            key="comparison",
            name=ui.say("allocation_page.tab.comparison"),
        )
        ui.note(
            ui.say("allocation_page.proof", status=ui.say(f"allocation.status.{plan.status}"), objective=plan.objective, bound=plan.bound)
        )
    with tabs[5]:
        points = ui.query("municipalities").select("code", "lat", "lon")
        ui.chart(shown.moves_map(placed, points, ui.outline(), lang), alt=shown.moves_alt(placed, lang), key="moves_map")
        ui.note(ui.map_caption())
