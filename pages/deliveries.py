"""Hvem har leveret, hvad er der at rette, og er pladserne bekræftet?"""

import streamlit as st

from samplads import rounds, ui
from samplads.presenting import deliveries
from samplads.ui import deliveries as parts

with ui.page("deliveries"):
    lang, this = ui.language(), parts.this_round()
    standings = rounds.standing(ui.query("reporting_units"), this)
    found = ui.query("findings")
    towns = rounds.compliance(standings, ["municipality_name"])
    ui.answer(deliveries.answer(towns, found, this, ui.day(), lang), deliveries.confirmed(standings, this, lang))

    standing, findings, confirm, upload, remind = parts.tabs()
    with standing:
        st.subheader(ui.say("deliveries.page.deliveries"), anchor=False)
        rows = deliveries.delivered(ui.query("deliveries"), lang)
        ui.table(rows, columns=deliveries.DELIVERY_COLUMNS, key="deliveries", name=ui.say("deliveries.page.deliveries"))
        st.subheader(ui.say("deliveries.page.by_municipality"), anchor=False)
        parts.by_municipality(found)
        st.subheader(ui.say("deliveries.page.compliance"), anchor=False)
        by = parts.pick_group("standing_by")
        behind = towns if by == "municipality_name" else rounds.compliance(standings, ["operator"])
        ui.table(behind, columns=deliveries.standing_columns(by), key=f"standing_{by}", name=ui.say("deliveries.page.compliance"))
    with findings:
        if found.is_empty():
            ui.empty(ui.say("deliveries.page.clean"))
        else:
            parts.findings_table(parts.pick_findings(), "findings", ui.say("deliveries.page.tab.findings"))
    with confirm:
        parts.confirm(standings)
    with upload:
        parts.check_file()
    with remind:
        parts.reminders(standings, this)
