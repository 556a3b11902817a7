"""Hvor mange pladser er åbne, hvor friske er tallene, og hvor begynder jeg?"""

import streamlit as st

from samplads import ui
from samplads.presenting import charts, overview, vacancies

with ui.page("overview"):
    lang, day, limits = ui.language(), ui.day(), ui.freshness()
    places = ui.query("overview_places", day=day, fresh_days=limits.fresh_days).to_dicts()[0]
    needs = ui.query("overview_needs", day=day).to_dicts()[0]
    deliveries = ui.query("overview_deliveries", day=day, fresh_days=limits.fresh_days).to_dicts()[0]
    towns = ui.query("vacancies_by_municipality", day=day, fresh_days=limits.fresh_days, ageing_days=limits.ageing_days)

    ui.answer(
        overview.answer(places, limits.fresh_days, lang),
        overview.confirmed(places, lang),
        overview.basis(deliveries, ui.meta()["synthetic"], day, lang),
    )

    find, share, ask = st.columns(3)
    with find, st.container(border=True, height="stretch"):
        st.subheader(ui.say("overview.find"), anchor=False)
        wanted = overview.asked_for(
            ui.query("overview_demand", day=day)["target_groups"].to_list(),
            lambda groups: vacancies.summary(ui.query("vacant_units", language=lang, occupancy_pct=100.0, **ui.parameters(groups=groups))),
        )
        names = [ui.target_group_names().get(code, code) for code in wanted.groups] if wanted else []
        st.markdown(overview.find_sentence(wanted, names, lang))
        ui.link("vacancies", ui.say("overview.find_link"), groups=names)
        ui.link("match", ui.say("overview.match_link"))
    with share, st.container(border=True, height="stretch"):
        st.subheader(ui.say("overview.share"), anchor=False)
        st.markdown(overview.share_sentence(places, lang))
        ui.link("nightcover", ui.say("overview.share_link"))
        ui.link("standby", ui.say("overview.standby_link"))
    with ask, st.container(border=True, height="stretch"):
        st.subheader(ui.say("overview.ask"), anchor=False)
        st.markdown(ui.say("overview.ask_sentence"))
        ui.link("workbench", ui.say("overview.ask_link"))
        ui.link("deliveries", ui.say("overview.deliveries_link"))

    ui.metrics(*(ui.Metric(label, value, help) for label, value, help in overview.state(needs, deliveries, limits.fresh_days, lang)))

    left, right = st.columns([1, 1])
    with left:
        ui.place_map(towns)
    with right:
        counts = (places["occupied"], places["reserved"], places["accepting"], places["maximum"], lang)
        ui.chart(charts.states(*counts), alt=charts.states_alt(*counts), key="states")
        ui.note(charts.states_alt(*counts))
        ui.table(towns, columns=vacancies.TOWN_COLUMNS, key="towns", name=ui.say("overview.towns"), height=300)
