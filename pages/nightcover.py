"""Hvilke afdelinger skal dele nattevagt, hvad sparer det, hvem får pengene, og hvad er risikoen?"""

import streamlit as st

from samplads import ui
from samplads.presenting import charts, nightcover
from samplads.ui import nightcover as planning

TABS = ("couplings", "money", "risk", "hand", "ask", "assumptions", "finder", "variant")

with ui.page("nightcover"):
    lang = ui.language()
    planning.take_point()
    codes, area = planning.pick_area()
    progress = st.container()
    top = st.container()
    where, against = st.columns(2)
    shown = dict(zip(TABS, st.tabs([ui.say(f"nightcover_page.tab.{tab}") for tab in TABS], key="night_tabs"), strict=True))

    with shown["assumptions"]:
        assumed = planning.pick_assumptions(planning.pick_shape())
    with against:
        price_ore = planning.pick_price()
    scenario = planning.scenario(codes, assumed, price_ore)
    with progress:
        planning.begin(scenario)
    with shown["hand"]:
        scenario = planning.pick_by_hand(scenario)
        ui.note(ui.say("nightcover_page.hand.about"))
        planning.show_partners(scenario)

    best, names, calls = planning.best(scenario), planning.municipality_names(), planning.calls(scenario)
    couples = nightcover.couples(best, calls, names, lang)
    with top:
        ui.answer(
            nightcover.answer(best, lang), nightcover.proof(best, lang), nightcover.considered(best, lang), planning.worth_asking(scenario)
        )
        planning.downloads(planning.case_of(scenario, assumed, area))
    with where:
        picture = nightcover.couples_map(best, ui.outline(), names, lang)
        ui.chart(picture, alt=nightcover.couples_map_alt(best, names, lang), key="couples_map")
        ui.note(ui.coast_caption())
    points = nightcover.frontier(planning.frontier(scenario), best, lang)
    with against:
        x, y, name = "overlaps_per_year", "saving_ore", "frontier_plan"
        ui.chart(
            charts.scatter(points, x, y, lang, name=name, kind="in_force", select=planning.POINT, height=240),
            alt=charts.scatter_alt(points, x, y, lang, name=name),
            key="frontier",
            select=planning.POINT,
        )
        ui.note(ui.say("nightcover_page.frontier.about"))

    with shown["couplings"]:
        if couples.is_empty():
            ui.empty(ui.say("nightcover_page.empty"))
        picked = ui.table(
            couples,
            columns=nightcover.COUPLE_COLUMNS,
            exported=(*nightcover.COUPLE_COLUMNS, *nightcover.COUPLE_MORE),
            key="couples",
            select="single-row",
            name=ui.say("nightcover_page.tab.couplings"),
        )
        ui.note(nightcover.break_even(best, calls, lang) or ui.say("nightcover_page.reservation.published"))
        if picked.height:
            couple = best.couples[picked["nr"][0] - 1]
            st.subheader(picked["units_named"][0], anchor=False)
            planning.forbid(couple)
            ui.table(
                nightcover.verdicts(couple, lang, planning.group_names()),
                columns=nightcover.VERDICT_COLUMNS,
                key="verdicts",
                name=ui.say("nightcover_page.case.rules"),
            )
        else:
            ui.note(ui.say("nightcover_page.select_hint"))
    with shown["money"]:
        told = nightcover.by_municipality(best, names, lang, planning.own_municipality())
        ui.table(told, columns=nightcover.MONEY_COLUMNS, key="money", name=ui.say("nightcover_page.case.money"))
        st.subheader(ui.say("nightcover_page.case.shares"), anchor=False)
        ui.note(ui.say("nightcover_page.shares.about"))
        shares = nightcover.shares(best, names, lang)
        ui.table(shares, columns=nightcover.SHARE_COLUMNS, key="shares", name=ui.say("nightcover_page.case.shares"))
        with st.expander(ui.say("nightcover_page.cases.title")):
            planning.show_cases(scenario)
    with shown["risk"]:
        st.subheader(ui.say("nightcover_page.risk.title"), anchor=False)
        ui.table(planning.risks(scenario), columns=nightcover.RISK_COLUMNS, key="risks", name=ui.say("nightcover_page.risk.title"))
        ui.note(planning.risk_notes(scenario))
        st.subheader(ui.say("nightcover_page.case.frontier"), anchor=False)
        ui.table(points, columns=nightcover.FRONTIER_COLUMNS, key="frontier_table", name=ui.say("nightcover_page.case.frontier"))
        moved = planning.sensitivity(scenario)
        st.subheader(ui.say("nightcover_page.case.sensitivity"), anchor=False)
        ui.chart(nightcover.tornado_chart(moved, lang), alt=nightcover.tornado_alt(moved, lang), key="tornado")
        ui.table(moved, columns=nightcover.TORNADO_COLUMNS, key="tornado_table", name=ui.say("nightcover_page.case.sensitivity"))
    with shown["ask"]:
        asked = nightcover.to_ask(best.candidates, lang)
        ui.note(planning.worth_asking(scenario) or ui.say("nightcover_page.nothing_open"))
        ui.table(asked, columns=nightcover.ASK_COLUMNS, key="to_ask", name=ui.say("nightcover_page.tab.ask"))
    with shown["finder"]:
        found = planning.found(scenario, assumed.least_yearly_ore)
        ui.note(ui.say("nightcover_page.finder.about"))
        ranked = nightcover.finder_pairs(found, planning.unit_names(scenario), lang)
        ui.table(ranked, columns=nightcover.FINDER_COLUMNS, key="finder", name=ui.say("nightcover_page.tab.finder"))
        reasons = nightcover.finder_reasons(found, lang)
        ui.table(reasons, columns=("why", "units"), key="finder_reasons", name=ui.say("nightcover_page.finder.reasons"))
    with shown["variant"]:
        ui.note(ui.say("nightcover_page.variant.about"))
        ui.table(planning.moved(scenario), columns=nightcover.COLOCATION_COLUMNS, key="variant", name=ui.say("nightcover_page.tab.variant"))
    with shown["assumptions"]:
        planning.list_assumptions(scenario, assumed)
    ui.note(ui.say("nightcover_page.reservation.published"))
