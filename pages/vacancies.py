"""Hvor er der en plads, der passer, hvad koster den, og er den virkelig fri?"""

import streamlit as st

from samplads import ui
from samplads.presenting import vacancies

with ui.page("vacancies"):
    lang, limits, home, occupancy_pct = ui.language(), ui.freshness(), ui.municipality(), ui.normal_occupancy_pct()
    head = st.container()
    filters = ui.vacancy_filters()

    found = ui.query("vacant_units", language=lang, occupancy_pct=occupancy_pct, **filters)
    total, units, towns = vacancies.summary(found), vacancies.shown(found, lang), vacancies.by_municipality(found)
    with head:
        ui.answer(
            vacancies.answer(total, limits.fresh_days, home["name"] if home else None, lang),
            vacancies.counts(total, lang),
            vacancies.funnel_line(ui.query("vacancy_funnel", **filters), lang),
            vacancies.unsure(total, lang),
        )

    if units.is_empty():
        ui.empty(ui.say("vacancies.empty"))
    else:
        left, right = st.columns([3, 2] if ui.selected("units", "unit_id") else [3, 1])
        with left:
            chosen = ui.table(
                units,
                columns=vacancies.columns(ui.day(), limits.fresh_days, limits.ageing_days, occupancy_pct, lang),
                exported=vacancies.EXPORTED,
                key="units",
                select="single-row",
                link="unit_id",
                height=520,
                name=ui.say("vacancies.title"),
                about=vacancies.about(filters, lang, ui.filter_names()),
            )
            ui.note(ui.say("vacancies.how_ranked"))
        with right:
            if chosen.height:
                ui.unit(chosen["unit_id"][0])
            else:
                by_map, by_bars = st.tabs([ui.say("vacancies.tab_map"), ui.say("vacancies.tab_municipalities")])
                with by_map:
                    ui.place_map(towns)
                with by_bars:
                    ui.table(towns, columns=vacancies.TOWN_COLUMNS, key="towns", name=ui.say("vacancies.tab_municipalities"), height=430)
