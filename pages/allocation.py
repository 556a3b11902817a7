"""Hvem kan få plads på samme tid, hvem kan ikke, og hvilken plads mangler mest?"""

import streamlit as st

from samplads import ui
from samplads.ui import allocation as joint
from samplads.ui import allocation_shown as shown

with ui.page("allocation"):
    question = joint.pick_question()
    found = joint.answered(question)
    said, scarcest = shown.sentences(found)
    ui.answer(said, scarcest)
    shown.notices(found)
    shown.download(found)

    tabs = st.tabs([ui.say(f"allocation_page.tab.{tab}") for tab in shown.TABS])
    with tabs[0]:
        shown.placed(found)
    with tabs[1]:
        shown.unplaced(found)
    with tabs[2]:
        shown.scarcity(found)
    with tabs[3]:
        shown.fairness(found)
    with tabs[4]:
        shown.comparison(found)
    with tabs[5]:
        shown.moves(found)
