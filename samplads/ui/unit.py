"""One unit, all that is known of it and all that is not: the same panel on every page that has units."""

from __future__ import annotations

import streamlit as st

from samplads.errors import SampladsError
from samplads.presenting import charts, formats, tables, vacancies
from samplads.ui import data, session, show, written
from samplads.ui.session import language, say


def normal_occupancy_pct() -> float:
    """The occupancy at which rates are compared (data/rules/rate_comparison.yaml)."""
    return float(data.rules("rate_comparison").values["normal_occupancy_pct"]["value"])


def unit(unit_id: str) -> None:
    """A unit's places as a bar, its approvals, its rate raw and normalised, its history, and what nobody has told.

    Raises SampladsError `unit_unknown`.
    """
    lang, day, limits, occupancy_pct = language(), session.day(), data.freshness(), normal_occupancy_pct()
    found = data.query(
        "unit_detail",
        unit_id=unit_id,
        language=lang,
        day=day,
        fresh_days=limits.fresh_days,
        ageing_days=limits.ageing_days,
        occupancy_pct=occupancy_pct,
    ).to_dicts()
    if not found:
        raise SampladsError("unit_unknown", unit=unit_id)
    told = found[0]
    with st.container(border=True, key="unit"):
        name, belongs, confirmed = vacancies.head(told, lang)
        st.subheader(name, anchor=False)
        st.caption(belongs)
        st.markdown(f"**{say('columns.freshness_text')}:** {confirmed}")
        counts = (told["occupied"], told["reserved"], told["accepting"], told["maximum"], lang)
        show.chart(charts.states(*counts), alt=charts.states_alt(*counts), key="unit_states")
        st.caption(f"{charts.states_alt(*counts)} {say('vacancies.counted', day=formats.date(told['as_of'], lang))}")
        written.mark(unit_id)
        facts, changes = st.tabs([say("vacancies.tab_facts"), say("vacancies.tab_history")])
        with facts:
            lines = [f"**{label}:** {_plain(value)}" for label, value in vacancies.facts(told, occupancy_pct, lang)]
            st.markdown("  \n".join(lines))
            untold = vacancies.untold(told, lang)
            if untold:
                st.caption(say("vacancies.untold", what=formats.listing(untold, lang)))
        with changes:
            rows = vacancies.history(data.query("unit_history", unit_id=unit_id), lang)
            if rows.is_empty():
                st.caption(say("vacancies.no_history"))
            else:
                name = say("vacancies.history_of", unit=told["unit_name"])
                columns: list[str | tables.Column] = [tables.Column("changed_on", "day", width=95), "field", "before", "after"]
                show.table(rows, columns=columns, key="unit_history", name=name)
            written.history(unit_id)


def _plain(text: str) -> str:
    """Delivered text inside Markdown, so that a name is never a link, a heading or a formula."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>()#+-!|$~:" else sign for sign in text)
