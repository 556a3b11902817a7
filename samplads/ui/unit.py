"""One unit, all that is known of it and all that is not: the same panel on every page that has units."""

from __future__ import annotations

from typing import Any

import streamlit as st

from samplads.errors import SampladsError
from samplads.presenting import charts, formats, history, tables, vacancies
from samplads.ui import correct, data, session, show, written
from samplads.ui.session import language, say


def normal_occupancy_pct() -> float:
    """The occupancy at which rates are compared (data/rules/rate_comparison.yaml)."""
    return float(data.rules("rate_comparison").values["normal_occupancy_pct"]["value"])


def unit(unit_id: str) -> None:
    """A unit's places as a bar, its approvals, its rate raw and normalised, its history, what nobody has told; and a way to correct it.

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
        # One place whether there is something to say or not: a chosen tab stays chosen.
        with st.container(gap="xsmall"):
            if uneven := history.too_many(told, lang):
                st.warning(uneven)
            written.mark(unit_id)
        facts, changes, correction = st.tabs([say("vacancies.tab_facts"), say("vacancies.tab_history"), say("written.correct.tab")])
        with facts:
            _facts(told, occupancy_pct)
        with changes:
            rows = history.changes(data.query("unit_history", unit_id=unit_id), lang, written.names())
            if rows.is_empty():
                st.caption(say("vacancies.no_history"))
            else:
                name = say("vacancies.history_of", unit=told["unit_name"])
                columns: list[str | tables.Column] = [
                    tables.Column("changed_on", "day", width=95),
                    "field",
                    "before",
                    "after",
                    "event",
                    "delivery",
                ]
                show.table(rows, columns=columns, key="unit_history", name=name)
            written.told_here(unit_id)
        with correction:
            correct.correct(told)


def _facts(told: dict[str, Any], occupancy_pct: float) -> None:
    """What is known, what a person has corrected in it, what nobody has told, and where it comes from."""
    lang = language()
    by_person = written.corrections(told["unit_id"])
    behind = history.facts_of(occupancy_pct, lang)
    lines = []
    for label, value in vacancies.facts(told, occupancy_pct, lang, session.day()):
        marks = [one for field in behind.get(label, ()) if (one := by_person.get(field))]
        words = "".join(f" {formats.plain(history.correction(one.who, one.at, one.why, lang))}" for one in marks)
        lines.append(f"**{label}:** {formats.plain(value)}{words}")
    st.markdown("  \n".join(lines))
    untold = vacancies.untold(told, lang)
    if untold:
        st.caption(say("vacancies.untold", what=formats.listing(untold, lang)))
    st.caption(formats.plain(history.source(told, lang)))
