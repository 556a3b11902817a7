"""Samlet fordeling on the screen: which needs, what-if, and a run that tells how far it is and can be stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st

from samplads import i18n, loading, loading_allocation, policy
from samplads.loading_allocation import DROPPABLE, Round
from samplads.matching import outcome, scarcity
from samplads.matching.allocation import Allocation, allocate
from samplads.matching.case import Case
from samplads.matching.comparison import Comparison, compare
from samplads.matching.ranking import match
from samplads.presenting import formats, matching
from samplads.ui import data, pick, session
from samplads.ui.session import language, say

MOST_EXPLAINED = 300
"""Needs without a suitable unit that are explained at once; further ones have their rule on Find match."""


@dataclass(frozen=True)
class Question:
    """What is asked: whose needs, and what differs from how things are."""

    municipalities: tuple[str, ...] | None
    fairness: float | None
    dropped: tuple[str, ...] = ()
    more: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """An allocation with everything that explains it."""

    round: Round
    allocation: Allocation
    comparison: Comparison
    placed: pl.DataFrame
    unplaced: pl.DataFrame
    kinds: pl.DataFrame
    relaxed: dict[str, str]


def pick_question() -> Question:
    """Whose needs (a region, some municipalities, or all), fairness, and the what-if."""
    left, right = st.columns(2)
    with left:
        home = pick.municipality()
        members = data.query("region_members", day=session.day())
        own = members.filter(pl.col("municipality") == (home["code"] if home else None))["region"].to_list()
        region = pick.pick_region(say("allocation_page.pick.region"), key="allocation_region", default=own[0] if own else None)
    with right:
        several = pick.pick_municipalities(say("allocation_page.pick.municipalities"), key="allocation_municipalities")
    with st.expander(say("allocation_page.pick.what_if"), key="what_if"):
        first, second, third = st.columns(3)
        with first:
            options = {row["unit_id"]: f"{row['name']} · {row['municipality_name']}" for row in _units().iter_rows(named=True)}
            units = pick.pick_several(
                say("allocation_page.pick.more_units"), options, key="more_units", placeholder=say("allocation_page.pick.none")
            )
            added = pick.pick_number(say("allocation_page.pick.more_places"), key="more_places", default=1, least=1, most=50, unit="places")
        with second:
            rules = {rule: matching.rule(rule, language()) for rule in DROPPABLE}
            dropped = pick.pick_several(
                say("allocation_page.pick.dropped"), rules, key="dropped", placeholder=say("allocation_page.pick.none")
            )
        with third:
            told = policy.load("allocation", session.day()).values["fairness"]["value"]
            fair = pick.pick_yes(say("allocation_page.pick.fair"), key="fair")
            within = pick.pick_share(say("allocation_page.pick.fairness"), key="fairness", default=float(told)) if fair else None
    chosen = tuple(sorted(several or region)) or None
    return Question(chosen, within, tuple(dropped), tuple((unit, int(added or 1)) for unit in units))


def _units() -> pl.DataFrame:
    return data.query("match_units").select(
        "unit_id", "name", "municipality_name", "offer_type", "night_cover", "lat", "lon", "primary_groups"
    )


def units() -> pl.DataFrame:
    """Every unit with its name and point."""
    return _units()


def solve(question: Question) -> Answer:
    """The answer, remembered; a first run shows how far it is, and any choice on the page stops it."""
    key = (session.warehouse().id, question, session.day(), language(), str(data.rules("matching").values))
    kept = st.session_state.setdefault("_allocations", {})
    # Drawn also when there is nothing to wait for: what follows keeps its place on the page, and a chosen tab stays chosen.
    place = st.empty()
    if key in kept:
        return kept[key]  # type: ignore[no-any-return]
    with place.container():
        bar = st.progress(0.0, text=say("allocation.step.read"))
        st.button(say("allocation_page.cancel"), key="cancel_allocation", help=say("allocation_page.cancel_help"))

        def tell(step: str, share: float) -> None:
            # Streamlit stops the script here when the visitor has asked for something else.
            bar.progress(min(1.0, max(0.0, 0.1 + 0.7 * share)), text=say(f"allocation.step.{step}"))

        answer = _answer(question, session.day(), tell, language())
    place.empty()
    while len(kept) >= 6:
        kept.pop(next(iter(kept)))
    kept[key] = answer
    return answer


def _answer(question: Question, day: dt.date, tell: object, lang: str) -> Answer:
    asked = loading_allocation.load(day, question.municipalities, more=dict(question.more), dropped=question.dropped)
    group = asked.group if question.fairness is not None else None
    plan = allocate(
        asked.pairs.select("need_id", "unit_id", "points"),
        asked.capacity,
        priority=asked.priority,
        waiting=asked.waiting,
        group=group,
        fairness=question.fairness,
        progress=tell,  # type: ignore[arg-type]
    )
    pairs = asked.pairs.select("need_id", "unit_id", "points")
    both = compare(pairs, asked.capacity, priority=asked.priority, waiting=asked.waiting, optimum=plan)
    missing = outcome.unplaced(plan, asked.needs.select("need_id"))
    without = missing.filter(pl.col("reason") != outcome.OUTBID)["need_id"].to_list()
    relaxed = _relaxed(asked.needs, without[:MOST_EXPLAINED], day, lang)
    kinds = scarcity.kind_values(plan, _kinds())
    return Answer(asked, plan, both, outcome.placed(plan), missing, kinds, relaxed)


def _kinds() -> pl.DataFrame:
    """[unit_id, kind]: target groups by their code."""
    told = _units().select("unit_id", pl.col("primary_groups").alias("kind")).explode("kind").drop_nulls()
    return told.unique().sort("unit_id", "kind")


def _relaxed(needs: pl.DataFrame, wanted: Sequence[str], day: dt.date, lang: str) -> dict[str, str]:
    """For each need without a place: the rule that holds most units out, and the cheapest single limit to loosen."""
    file = session.warehouse().path
    places, weights, points = loading.places(file), loading.weights(day), loading.municipalities(file)
    said: dict[str, str] = {}
    for row in needs.filter(pl.col("need_id").is_in(list(wanted))).iter_rows(named=True):
        result = match(Case.from_row(row), places, weights, as_of=day, municipalities=points)
        worst = max(result.excluded.items(), key=lambda told: (told[1].failed, told[0]), default=None)
        near = result.near_misses.filter(pl.col("relaxable"))
        parts = []
        if worst is not None:
            rule, failed = matching.rule(worst[0], lang), formats.number(worst[1].failed, lang)
            parts.append(i18n.text("allocation_page.held_out", lang, rule=rule, failed=failed))
        if near.height:
            first = near.row(0, named=True)
            names = dict(places.frame.select("unit_id", "name").iter_rows())
            miss = matching.near_miss(first, result, lang)
            parts.append(i18n.text("allocation_page.nearest", lang, unit=names[first["unit_id"]], miss=miss))
        elif result.counts["needs_assessment"]:
            count = formats.number(result.counts["needs_assessment"], lang)
            parts.append(i18n.text("allocation_page.ask", lang, count=count))
        else:
            parts.append(i18n.text("allocation_page.nothing_near", lang))
        said[str(row["need_id"])] = " ".join(parts)
    return said


def changed(before: Answer, after: Answer) -> Mapping[str, int]:
    """What a what-if does: how many more are placed, and how many change unit."""
    moved = outcome.moves(before.allocation, after.allocation)
    return {"more": after.allocation.placed - before.allocation.placed, "moved": moved.height}
