"""Hvilke afdelinger passer til dette behov, hvorfor, og hvorfor ikke de andre?"""

import streamlit as st

from samplads import ui
from samplads.matching.ranking import MOST_COMPARED, compare, failing
from samplads.presenting import charts, formats, match_tables, matching
from samplads.ui import matching as need

with ui.page("match"):
    lang = ui.language()
    asked = need.pick_need()
    names = need.names()
    result = need.matched(asked.case)

    near = ui.say("matching.near", n=formats.number(result.near_misses.height, lang))
    ui.answer(
        f"{matching.answer(result, lang)} {near}",
        match_tables.summary(asked.case, names.target_groups, names.municipalities, names.offer_types, lang, urgency=asked.urgency),
        matching.reference(result, names.offer_types, lang),
    )

    hits = match_tables.hits(result, lang)
    chosen = hits.clear()
    if hits.is_empty():
        ui.empty(ui.say("matching.table.no_hits"))
    else:
        columns = match_tables.hit_columns(result, lang)
        chosen = ui.table(
            hits,
            columns=columns,
            exported=(*columns, *match_tables.MORE_COLUMNS),
            key="hits",
            select="multi-row",
            name=ui.say("match.hits"),
        )
    ui.note(ui.say("match.compare.hint", most=MOST_COMPARED))
    # Drawn last: units to assess and near misses can be ticked too, in the tables below.
    beside = st.container(key="beside")

    why, almost, ask, given = st.tabs([ui.say(f"match.tab.{tab}") for tab in ("why_not", "near", "assessment", "points")])
    with why:
        reasons = match_tables.why_not(result, lang)
        ui.chart(charts.bars(reasons, "rule", "failed", lang), alt=charts.bars_alt(reasons, "rule", "failed", lang), key="why_not_chart")
        one = ui.table(
            reasons, columns=("rule", "failed", "only_this"), key="why_not", select="single-row", name=ui.say("match.tab.why_not")
        )
        if one.height:
            listed = match_tables.failing(result, failing(result, one["rule_code"][0]), lang)
            ui.table(listed, columns=("unit_name", "municipality_name", "failed_rules"), key="failing", name=one["rule"][0])
    with almost:
        nearly = ui.table(
            match_tables.near_misses(result, {**names.offer_types, **names.municipalities}, lang),
            columns=("unit_name", "municipality_name", "rule_name", "miss", "accepting", "daily_rate_ore"),
            key="near_misses",
            select="multi-row",
            name=ui.say("match.tab.near"),
        )
    with ask:
        to_assess = ui.table(
            match_tables.assessments(result, lang),
            columns=match_tables.ASK_COLUMNS,
            key="assessment",
            select="multi-row",
            name=ui.say("match.tab.assessment"),
        )
    with given:
        scored, criteria = match_tables.points(result, lang)
        ui.table(scored, columns=criteria, key="points_given", name=ui.say("match.tab.points"))
        need.show_points()
    with beside:
        picked = need.pick_compared(*(table["unit_id"].to_list() for table in (chosen, nearly, to_assess)))
        if len(picked) > 1:
            st.subheader(ui.say("match.compare.title"))
            ui.table(match_tables.comparison(compare(result, picked), result, lang), key="comparison", name=ui.say("match.compare.title"))
