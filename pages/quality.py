"""Hvad er der at rette i data, og hvor belagte er pladserne efter ophold?"""

import streamlit as st

from samplads import ui
from samplads.presenting import formats, quality
from samplads.ui import occupancy

with ui.page("quality"):
    lang, limits, rules = ui.language(), ui.freshness(), ui.rules("data_quality").values
    expiry, points = rules["expiry_days"]["value"], rules["deviation_points"]["value"]
    issues = ui.query("quality_issues", day=ui.day(), ageing_days=limits.ageing_days, expiry_days=expiry, deviation_points=points)
    noted = {"ageing": limits.ageing_days, "expiry": expiry, "points": formats.number(points, lang)}
    ui.answer(quality.answer(issues, lang), ui.say("quality.day", day=formats.date(ui.day(), lang), **noted))

    by_check, by_stays = st.tabs([ui.say("quality.tab.checks"), ui.say("quality.tab.occupancy")])
    with by_check:
        checks = quality.summary(issues, lang)
        picked = ui.table(
            checks,
            columns=quality.CHECK_COLUMNS,
            key="checks",
            height="content",
            select="single-row",
            link="check_code",
            name=ui.say("quality.tab.checks"),
        )
        code = picked["check_code"][0] if picked.height else quality.worst(issues)
        name = ui.say(f"quality.checks.{code}.name")
        st.subheader(name, anchor=False)
        rows = quality.of_check(issues, code)
        if rows.is_empty():
            ui.empty(ui.say("quality.none_of_check"))
        else:
            left, right = st.columns([3, 2] if ui.selected(f"issues_{code}", "unit_id") else [3, 1])
            with left:
                chosen = ui.table(
                    rows, columns=quality.columns(code, lang), key=f"issues_{code}", select="single-row", link="unit_id", name=name
                )
            with right:
                if chosen.height and chosen["unit_id"][0] is not None:
                    ui.unit(chosen["unit_id"][0])
                else:
                    ui.note(ui.say(f"quality.checks.{code}.do"))
        st.markdown(f"**{ui.say('quality.all_issues')}**")
        ui.export(quality.all_rows(issues, lang), ui.say("quality.all_issues"), key="all_issues")
    with by_stays:
        occupancy.show_occupancy()
