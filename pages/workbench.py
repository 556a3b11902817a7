"""Hvad siger data, når du selv spørger?"""

import streamlit as st

from samplads import ui
from samplads.errors import SampladsError
from samplads.ui import workbench

with ui.page("workbench"):
    workbench.begin()
    first = st.container()
    beside, bench = st.columns([1, 2.4], gap="medium")
    with bench:
        wrong, values = None, {}
        try:
            values = workbench.parameters()
        except SampladsError as error:
            wrong = error
        workbench.editor()
        pressed = workbench.buttons()
        if wrong is None:
            workbench.run(values, pressed)
            workbench.link(values)
    with first:
        workbench.say_answer()
    with bench:
        if wrong is None:
            workbench.result()
        else:
            workbench.fault(wrong)
    with beside:
        workbench.browse()
