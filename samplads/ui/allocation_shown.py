"""An answer of Samlet fordeling, tab by tab, and the proposal as a file."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from samplads.matching import outcome
from samplads.presenting import allocation as shown
from samplads.presenting import charts, exports, formats, matching
from samplads.ui import allocation as joint
from samplads.ui import data, pick, session, show
from samplads.ui.allocation import Answer
from samplads.ui.page import note
from samplads.ui.session import language, say

TABS = ("placed", "unplaced", "scarcity", "fairness", "comparison", "map")


def sentences(found: Answer) -> tuple[str, str]:
    """What can be placed at once and why the rest cannot; and the kind of place that lacks most."""
    reasons = dict(found.unplaced.group_by("reason").len().iter_rows())
    first_come = int(found.comparison.table.filter(pl.col("method") == "first_come")["placed"].item())
    places = int(found.round.capacity["places"].sum())
    said, rest = shown.answer(found.allocation, first_come, found.round.needs.height, places, reasons, language())
    return f"{said} {rest}", shown.scarcest(_values(found), language())


def notices(found: Answer) -> None:
    """What the what-if does, and which places are held. One place on the page whether there is something to say or not."""
    with st.container():
        if found.effect is not None:
            st.info(say("allocation_page.effect", more=found.effect["more"], moved=found.effect["moved"]))
        for line in _holds(found):
            st.info(line)


def _holds(found: Answer) -> list[str]:
    lines = []
    if found.round.holds.height:
        lines.append(formats.plural(found.round.holds.height, "allocation_page.holds.kept", language()))
    if found.round.settled.height:
        names = dict(joint.units(found).select("unit_id", "name").iter_rows())
        told = [f"{need} ({names.get(unit, unit)})" for need, unit in found.round.settled.iter_rows()]
        lines.append(say("allocation_page.holds.settled", needs=formats.listing(told, language())))
    if found.round.held_elsewhere:
        lines.append(formats.plural(found.round.held_elsewhere, "allocation_page.holds.elsewhere", language()))
    return lines


def _placed(found: Answer) -> pl.DataFrame:
    exact = found.allocation.solved.exact
    plan = shown.placed(found.placed, found.round.needs, found.round.pairs, joint.units(found), exact, language())
    return plan if found.round.wanted is None else shown.with_months(plan, found.allocation.chosen, found.round.wanted, language())


def _missing(found: Answer) -> pl.DataFrame:
    return shown.unplaced(found.unplaced, found.round.needs, joint.units(found), session.day(), found.relaxed, language())


def _values(found: Answer) -> pl.DataFrame:
    return shown.scarcity(found.kinds, pick.target_group_names(), joint.units(found))


def placed(found: Answer) -> None:
    """The plan; a row that is chosen tells what insisting on its second best costs whom."""
    plan = _placed(found)
    name = say("allocation_page.tab.placed")
    one = show.table(plan, columns=shown.placed_columns(plan), key="placed", select="single-row", name=name)
    if one.height and one["second_unit"][0] is not None:
        need, unit = one["need_id"][0], one["second_unit"][0]
        names = dict(joint.units(found).select("unit_id", "name").iter_rows())
        said, lines = shown.insisting(joint.insisted(found, need, unit), need, names.get(unit, unit), names, language())
        st.info("\n".join([said, "", *(f"* {line}" for line in lines)]))
    note(say("allocation_page.proposal"))


def unplaced(found: Answer) -> None:
    """Who gets no place and why; a row that is chosen tells it in full, with the rivals of one that is outbid."""
    one = show.table(
        _missing(found),
        columns=shown.UNPLACED_COLUMNS,
        exported=(*shown.UNPLACED_COLUMNS, "reason_text"),
        key="unplaced",
        select="single-row",
        name=say("allocation_page.tab.unplaced"),
    )
    if one.height == 0:
        return
    need = one["need_id"][0]
    if one["reason"][0] != outcome.OUTBID:
        st.info(f"{need}: {joint.explained(found, need)}")
        return
    st.info(f"{need}: {one['explained'][0]}")
    note(say("allocation_page.rivals", need=need))
    show.table(shown.rivals(outcome.rivals(found.allocation, need), joint.units(found)), columns=shown.RIVAL_COLUMNS, key="rivals")


def scarcity(found: Answer) -> None:
    """What one more place of each kind is worth."""
    note(say("allocation_page.scarcity_note"))
    if found.question.horizon is not None:
        note(say("allocation_page.scarcity_dated"))
    if not found.allocation.solved.exact:
        note(say("allocation_page.scarcity_about"))
    values = _values(found)
    show.table(values, columns=shown.scarcity_columns(values, language()), key="scarcity", name=say("allocation_page.tab.scarcity"))


def fairness(found: Answer) -> None:
    """How the places fall on the municipalities, and where the plan is evened out, the floor of each."""
    lang, plan, needs = language(), found.allocation, found.round.needs
    fair = shown.fairness(needs, plan.chosen, plan.shares)
    show.chart(
        charts.bars(fair, "municipality_name", "share_pct", lang),
        alt=charts.bars_alt(fair, "municipality_name", "share_pct", lang),
        key="fairness_chart",
    )
    floors = ("floor", "lacking") if plan.shares is not None else ()
    name = say("allocation_page.tab.fairness")
    show.table(fair, columns=(*shown.FAIRNESS_COLUMNS, *floors), key="fairness_table", name=name)
    note(say("allocation_page.mean", share=formats.share(plan.placed, needs.height, lang, 1)))
    if found.question.fairness is not None:
        note(say("allocation_page.floors", within=formats.typed(100 * found.question.fairness, lang)))


def comparison(found: Answer) -> None:
    """The four ways of sharing out, and the proof."""
    table = shown.comparison(found.comparison, language())
    columns = ("method", "urgent", "placed", "placed_more", "method_help")
    show.table(table, columns=columns, key="comparison", name=say("allocation_page.tab.comparison"))
    note(_proof(found))


def _proof(found: Answer) -> str:
    plan, lang = found.allocation, language()
    numbers = {"objective": formats.number(plan.objective, lang), "bound": formats.number(plan.bound, lang)}
    return say("allocation_page.proof", status=say(f"allocation.status.{plan.status}"), **numbers)


def moves(found: Answer) -> None:
    """Where those who get a place come from and go to."""
    plan, points = _placed(found), data.query("municipalities").select("code", "lat", "lon")
    show.chart(shown.moves_map(plan, points, data.outline(), language()), alt=shown.moves_alt(plan, language()), key="moves_map")
    if (streams := shown.moves_note(plan, language())) is not None:
        note(streams)
    note(data.map_caption())


def download(found: Answer) -> None:
    """The whole proposal as one file; nothing is made before the button is pressed."""
    st.download_button(
        say("allocation_page.download"),
        data=lambda: shown.proposal(_placed(found), _missing(found), _values(found), premises(found), language()),
        file_name=exports.file_name(say("allocation_page.download_name"), session.day(), "xlsx"),
        mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        key="download_proposal",
        on_click="ignore",
        help=say("allocation_page.download_help"),
    )


def premises(found: Answer) -> dict[str, str]:
    """Everything that a proposal rests on, in words: whose needs, what differs from how things are, which holds, the proof and the data."""
    asked, plan, lang = found.question, found.allocation, language()
    names = dict(joint.units(found).select("unit_id", "name").iter_rows())
    towns = dict(data.query("municipalities").select("code", "name").iter_rows())

    def told(name: str) -> str:
        return say(f"allocation_page.premises.{name}")

    def listed(parts: Sequence[str]) -> str:
        return "; ".join(parts) or told("none")

    within = asked.fairness
    kept = [f"{need}: {names.get(unit, unit)}" for need, unit in found.round.holds.iter_rows()]
    said = sentences(found)
    facts = {
        told("state"): told("undecided"),
        told("counts"): said[0],
        told("day"): formats.date(session.day(), lang),
        told("needs"): told("all") if asked.municipalities is None else ", ".join(towns[code] for code in asked.municipalities),
        told("dropped"): listed([matching.rule(rule, lang) for rule in asked.dropped]),
        told("more"): listed([say("allocation_page.premises.more_one", unit=names.get(unit, unit), n=n) for unit, n in asked.more]),
        told("new"): listed(
            [
                say("allocation_page.premises.new_one", unit=names.get(one.unit_id, one.like), town=towns[one.municipality], n=one.places)
                for one in asked.new
            ]
        ),
        told("fairness"): told("none")
        if within is None
        else say("allocation_page.premises.fairness_on", share=formats.typed(100 * within, lang)),
        told("horizon"): told("only_now")
        if asked.horizon is None
        else formats.plural(asked.horizon, "allocation_page.premises.horizon_on", lang),
        told("apart"): listed([", ".join(group) for group in asked.apart]),
        told("holds"): listed([*kept, *_holds(found)]),
        told("proof"): _proof(found),
        told("digest"): plan.digest,
        told("version"): session.warehouse().id,
    }
    return facts | ({told("data"): say("app.demo_help")} if session.meta()["synthetic"] else {})
