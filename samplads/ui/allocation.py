"""Samlet fordeling on the screen: which needs, what-if, and a run that tells how far it is and can be stopped."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl
import streamlit as st

from samplads import i18n, loading, loading_allocation
from samplads.ledger import holds as ledger_holds
from samplads.loading_allocation import DROPPABLE, HOLDS_SCHEMA, NewUnit, Round
from samplads.matching import explanation, outcome, scarcity
from samplads.matching.allocation import Allocation, allocate
from samplads.matching.case import Case
from samplads.matching.comparison import Comparison, compare
from samplads.matching.ranking import match
from samplads.presenting import formats, matching
from samplads.ui import data, pick, session, waiting, written
from samplads.ui.session import language, say

MOST_EXPLAINED = 300
"""Needs without a suitable unit that are explained at once; the others when their row is chosen."""

MOST_PLACES = 50
"""Places that a what-if adds to one unit at most."""

MOST_MONTHS = 36
"""Months that a horizon has at most."""

MOST_GROUPS = 5
"""Groups of needs that must not live together, at most."""

REMEMBERED = 3
"""Answers that a visit keeps: a country's weighs some hundred megabytes."""

NEW_PLACES = 4
"""Places of a unit that is thought of, until somebody says another number."""

NEW = "NY-1"
"""The id of a unit that is thought of."""

_ASKED, _STOPPED, _KEPT, _INSISTED = "_allocation_asked", "_allocation_stopped", "_allocations", "_allocation_insisted"

# Where each step of a run begins on the bar, and how much of the bar it takes.
_STEPS = {"read": (0.0, 0.25), "solve": (0.25, 0.35), "compare": (0.6, 0.1), "full": (0.7, 0.15), "explain": (0.85, 0.15)}

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Question:
    """What is asked: whose needs, and what differs from how things are."""

    municipalities: tuple[str, ...] | None
    fairness: float | None = None
    dropped: tuple[str, ...] = ()
    more: tuple[tuple[str, int], ...] = ()
    new: tuple[NewUnit, ...] = ()
    apart: tuple[tuple[str, ...], ...] = ()
    horizon: int | None = None
    """Months ahead in which places to come are counted too."""

    @property
    def what_if(self) -> bool:
        """Whether it is asked about places or rules that are not as they are."""
        return bool(self.dropped or self.more or self.new)

    @property
    def incompatible(self) -> pl.DataFrame | None:
        """[need_a, need_b] who must not live in the same unit."""
        couples = sorted({couple for group in self.apart for couple in combinations(sorted(group), 2)})
        return pl.DataFrame(couples, schema=["need_a", "need_b"], orient="row") if couples else None


@dataclass(frozen=True, eq=False)
class Answer:
    """An allocation with everything that explains it."""

    question: Question
    round: Round
    allocation: Allocation
    comparison: Comparison
    placed: pl.DataFrame
    unplaced: pl.DataFrame
    kinds: pl.DataFrame
    relaxed: dict[str, str]
    """By need without a suitable unit: what stands in its way, and the cheapest single limit to loosen."""
    effect: Mapping[str, int] | None
    """With a what-if: how many more are placed, and how many needs change unit."""


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
    chosen = tuple(sorted(several or region)) or None
    with st.expander(say("allocation_page.pick.what_if"), key="what_if"):
        first, second, third = st.columns(3)
        with first:
            more = _pick_more()
        with second:
            new = _pick_new()
        with third:
            rules = {rule: matching.rule(rule, language()) for rule in DROPPABLE}
            none = say("allocation_page.pick.none")
            dropped = pick.pick_several(say("allocation_page.pick.dropped"), rules, key="dropped", placeholder=none)
            told = data.rules("allocation").values["fairness"]["value"]
            fair = pick.pick_yes(say("allocation_page.pick.fair"), key="fair")
            within = pick.pick_share(say("allocation_page.pick.fairness"), key="fairness", default=float(told)) if fair else None
            apart = _pick_apart(chosen)
            months = pick.pick_number(
                say("allocation_page.pick.horizon"),
                key="horizon",
                least=1,
                most=MOST_MONTHS,
                unit="months",
                whole=True,
                help=say("allocation_page.pick.horizon_help"),
                placeholder=say("allocation_page.pick.only_now"),
            )
    return Question(chosen, within, tuple(dropped), more, new, apart, None if months is None else int(months))


def _names() -> dict[str, str]:
    return {row["unit_id"]: f"{row['name']} · {row['municipality_name']}" for row in _units().iter_rows(named=True)}


def _pick_more() -> tuple[tuple[str, int], ...]:
    """More places, so many for each unit."""
    names, none = _names(), say("allocation_page.pick.none")
    units = pick.pick_several(say("allocation_page.pick.more_units"), names, key="more_units", placeholder=none)
    added = []
    for unit in units:
        label = say("allocation_page.pick.more_places", unit=names[unit])
        count = pick.pick_number(label, key=f"more_{unit}", default=1, least=1, most=MOST_PLACES, unit="places", whole=True)
        added.append((unit, int(count or 1)))
    return tuple(added)


def _pick_new() -> tuple[NewUnit, ...]:
    """A unit that is thought of: like one that exists, somewhere, with so many places."""
    none = say("allocation_page.pick.none")
    like = pick.pick_one(say("allocation_page.pick.new_like"), _names(), key="new_like", placeholder=none)
    if like is None:
        return ()
    towns = dict(data.query("municipalities").select("code", "name").iter_rows())
    home = _units().filter(pl.col("unit_id") == like)["municipality"][0]
    town = pick.pick_one(say("allocation_page.pick.new_where"), towns, key="new_where", default=home)
    label = say("allocation_page.pick.new_places")
    places = pick.pick_number(label, key="new_places", default=NEW_PLACES, least=1, most=MOST_PLACES, unit="places", whole=True)
    return (NewUnit(NEW, like, town or home, NEW_PLACES if places is None else int(places)),)


def _pick_apart(municipalities: tuple[str, ...] | None) -> tuple[tuple[str, ...], ...]:
    """Groups of needs of which no two may live in the same unit; the next group is offered when one is filled in."""
    needs = data.query("open_needs")
    if municipalities is not None:
        needs = needs.filter(pl.col("municipality").is_in(list(municipalities)))
    names = {row["need_id"]: f"{row['need_id']} · {row['municipality_name']}" for row in needs.iter_rows(named=True)}
    groups: list[tuple[str, ...]] = []
    for number in range(1, MOST_GROUPS + 1):
        label = say("allocation_page.pick.apart" if number == 1 else "allocation_page.pick.apart_more")
        help_text = say("allocation_page.pick.apart_help") if number == 1 else None
        none = say("allocation_page.pick.none")
        group = pick.pick_several(label, names, key=f"apart_{number}", placeholder=none, help=help_text)
        if len(group) < 2:
            break
        groups.append(tuple(sorted(group)))
    return tuple(groups)


def _units() -> pl.DataFrame:
    return data.query("match_units").select(
        "unit_id", "name", "municipality", "municipality_name", "offer_type", "night_cover", "lat", "lon", "primary_groups"
    )


def units(found: Answer) -> pl.DataFrame:
    """Every unit with its name and point, also those that are thought of."""
    known = _units()
    if found.round.units.is_empty():
        return known
    name = pl.format(say("allocation_page.new_unit").replace("{unit}", "{}"), "name").alias("name")
    return pl.concat([known, found.round.units.with_columns(name).select(known.columns)], how="vertical_relaxed")


def answered(question: Question) -> Answer:
    """The answer: of the first question at once, of another when the button is pressed. Stops the page where the run was cancelled."""
    if st.button(say("allocation_page.run"), key="run_allocation") or _ASKED not in st.session_state:
        st.session_state[_ASKED] = question
        st.session_state.pop(_STOPPED, None)
    asked: Question = st.session_state[_ASKED]
    # One place on the page whether there is something to say or not: a chosen tab stays chosen.
    with st.container():
        if question != asked:
            st.warning(say("allocation_page.changed"))
    if st.session_state.get(_STOPPED) == asked:
        st.info(say("allocation_page.cancelled"))
        st.stop()
    return _solved(asked)


def _word(word: str) -> str:
    return say(f"allocation.{word}" if word.startswith("step.") else f"allocation_page.{word}")


def _cancel(question: Question) -> None:
    st.session_state[_STOPPED] = question


def _holds() -> tuple[tuple[str, str, int], ...]:
    """[need, unit, places] of the holds that stand today, in the order in which they were made."""
    if written.stamp() == written.NOTHING:
        return ()
    standing = ledger_holds.standing(written.book(), session.day())
    return tuple((one.need_id, one.unit_id, one.places) for one in sorted(standing, key=lambda one: one.id))


def _solved(question: Question) -> Answer:
    """The answer, remembered; a first run shows how far it is and can be cancelled."""
    holds = _holds()
    rules = tuple(str(data.rules(name).values) for name in ("matching", "allocation", "freshness"))
    key = (session.warehouse().id, written.stamp(), holds, question, session.day(), language(), rules)
    kept: dict[object, Answer] = st.session_state.setdefault(_KEPT, {})
    # Drawn also when there is nothing to wait for: what follows keeps its place on the page, and a chosen tab stays chosen.
    place = st.empty()
    if key in kept:
        return kept[key]
    waiting.begin(waiting.Steps(place, _STEPS, _word, lambda: _cancel(question)))
    usual = dataclasses.replace(question, dropped=(), more=(), new=())
    before = kept.get((*key[:3], usual, *key[4:])) if question.what_if else None
    found = _answer(question, holds, before.allocation if before else None, waiting.tell)
    waiting.end()
    while len(kept) >= REMEMBERED:
        kept.pop(next(iter(kept)))
    kept[key] = found
    return found


def _answer(question: Question, holds: Sequence[tuple[str, str, int]], before: Allocation | None, tell: Tell) -> Answer:
    day, lang, layer = session.day(), language(), written.layer()
    held = pl.DataFrame(list(holds), schema=HOLDS_SCHEMA, orient="row")
    if question.what_if and before is None:
        before = _plan(question, _load(dataclasses.replace(question, dropped=(), more=(), new=()), day, held, tell), tell)
    asked = _load(question, day, held, tell)
    plan = _plan(question, asked, tell)
    compared = compare(
        asked.scored,
        asked.capacity,
        priority=asked.priority,
        waiting=asked.waiting,
        holds=asked.holds,
        optimum=plan,
        **_dated(asked),
        progress=lambda _, share: tell("compare", share),
    )
    full = loading_allocation.full_pairs(
        day,
        asked,
        dropped=question.dropped,
        warehouse=session.warehouse().path,
        layer=layer,
        on_start=data._remember_cursor,
        tell=lambda _, share: tell("full", share),
    )
    tell("explain", 0.0)
    kinds = scarcity.kind_values(plan, _kinds(asked), full)
    missing = outcome.unplaced(plan, asked.needs.select("need_id"), full)
    without = missing.filter(pl.col("reason") != outcome.OUTBID).select("need_id", "reason", "units", "unit_id")
    relaxed = _relaxed(question, asked, plan, without.head(MOST_EXPLAINED), day, lang, tell)
    effect = None
    if before is not None:
        effect = {"more": plan.placed - before.placed, "moved": outcome.moves(before, plan).height}
    return Answer(question, asked, plan, compared, outcome.placed(plan), missing, kinds, relaxed, effect)


def _load(question: Question, day: dt.date, holds: pl.DataFrame, tell: Tell) -> Round:
    tell("read", 0.0)
    found = loading_allocation.load(
        day,
        question.municipalities,
        more=dict(question.more),
        dropped=question.dropped,
        new=question.new,
        holds=holds,
        horizon=question.horizon,
        warehouse=session.warehouse().path,
        layer=written.layer(),
        on_start=data._remember_cursor,
    )
    tell("read", 1.0)
    return found


def _plan(question: Question, asked: Round, tell: Tell) -> Allocation:
    return allocate(
        asked.scored,
        asked.capacity,
        priority=asked.priority,
        waiting=asked.waiting,
        holds=asked.holds,
        group=asked.group if question.fairness is not None else None,
        fairness=question.fairness,
        incompatible=question.incompatible,
        node_limit=int(data.rules("allocation").values["node_limit"]["value"]),
        progress=lambda _, share: tell("solve", share),
        **_dated(asked),
    )


def _dated(asked: Round) -> dict[str, Any]:
    """What waiting costs, over a horizon."""
    rules = data.rules("allocation").values
    points, months = int(rules["waiting_points"]["value"]), int(rules["longest_wait_months"]["value"])
    return {} if asked.wanted is None else {"wanted": asked.wanted, "waiting_points": points, "longest_wait": months}


def _kinds(asked: Round) -> pl.DataFrame:
    """[unit_id, kind]: target groups by their code."""
    columns = ("unit_id", "primary_groups")
    known = [_units().select(columns), *([asked.units.select(columns)] if asked.units.height else [])]
    told = pl.concat(known, how="vertical_relaxed").select("unit_id", pl.col("primary_groups").alias("kind")).explode("kind").drop_nulls()
    return told.unique().sort("unit_id", "kind")


def places_left(asked: Round, plan: Allocation) -> list[str]:
    """Units with a place that nobody gets."""
    used = plan.chosen.group_by("unit_id").len()
    room = asked.capacity.group_by("unit_id").agg(pl.col("places").sum())
    left = room.join(used, on="unit_id", how="left").filter(pl.col("places") > pl.col("len").fill_null(0)).sort("unit_id")
    return left["unit_id"].to_list()


def case_without(row: Mapping[str, object], dropped: Sequence[str]) -> Case:
    """A need as a case, without the limits that a what-if leaves out (the day stays: an approval must last until then)."""
    own: dict[str, dict[str, object]] = {
        "offer_type": {"offer_types": ()},
        "support_level": {"support_level": None},
        "night_cover": {"least_night_cover": None},
        "price": {"max_daily_rate_ore": None},
        "distance": {"max_km": None},
    }
    changes: dict[str, object] = {}
    for rule in dropped:
        changes |= own.get(rule, {})
    return dataclasses.replace(Case.from_row(row), **changes)  # type: ignore[arg-type]  # by field, each of its own type


def _relaxed(
    question: Question, asked: Round, plan: Allocation, without: pl.DataFrame, day: dt.date, lang: str, tell: Tell
) -> dict[str, str]:
    """For needs without a place and without a rival: what stands in their way, and the cheapest single limit to loosen."""
    file = session.warehouse().path
    places, weights, points = loading.places(file, written.layer()), loading.weights(day), loading.municipalities(file)
    steps = {rule: told["value"] for rule, told in data.rules("allocation").values["relaxation_step"].items()}
    left = places_left(asked, plan)
    names = dict(places.frame.select("unit_id", "name").iter_rows())
    types = {code: paragraph or name for code, paragraph, name in data.query("offer_types").select("code", "paragraph", lang).iter_rows()}
    dropped = loading_allocation.judged_by(question.dropped, by_month=asked.wanted is not None)
    needs = {row["need_id"]: row for row in asked.needs.join(without, on="need_id", how="semi").iter_rows(named=True)}
    said: dict[str, str] = {}
    for number, row in enumerate(without.iter_rows(named=True)):
        if number % 10 == 0:
            tell("explain", number / max(1, without.height))
        result = match(case_without(needs[row["need_id"]], dropped), places, weights, as_of=day, municipalities=points)
        near = result.near_misses.filter(~pl.col("rule").is_in(list(dropped)))
        parts = []
        blocked = explanation.blocking(near)
        if row["reason"] == outcome.NO_OPEN_PLACE:
            unit = names.get(row["unit_id"], row["unit_id"])
            parts.append(formats.plural(row["units"], "allocation_page.full", lang, unit=unit))
        elif blocked is not None:
            parts.append(formats.plural(blocked[1], "allocation_page.held_out", lang, rule=matching.rule(blocked[0], lang)))
        else:
            parts.append(i18n.text("allocation_page.nothing_near", lang))
        cheapest = explanation.cheapest(near, steps, left)
        if cheapest is not None:
            rule, miss = matching.rule(cheapest.rule, lang), matching.near_miss(cheapest.row, result, lang, types)
            place = i18n.text("allocation_page.has_place" if cheapest.has_place else "allocation_page.has_no_place", lang)
            told = {"rule": rule, "unit": names[cheapest.unit_id], "miss": miss, "place": place}
            parts.append(i18n.text("allocation_page.nearest", lang, **told))
        elif row["reason"] != outcome.NO_OPEN_PLACE:
            parts.append(i18n.text("allocation_page.no_single", lang))
        if result.counts["needs_assessment"]:
            parts.append(formats.plural(result.counts["needs_assessment"], "allocation_page.ask", lang))
        said[str(row["need_id"])] = " ".join(parts)
    return said


def explained(found: Answer, need_id: str) -> str:
    """What stands in the way of one need without a rival, worked out where it was not among the first."""
    if need_id not in found.relaxed:
        one = found.unplaced.filter(pl.col("need_id") == need_id).select("need_id", "reason", "units", "unit_id")
        silent: Tell = lambda _step, _share: None  # noqa: E731
        found.relaxed.update(_relaxed(found.question, found.round, found.allocation, one, session.day(), language(), silent))
    return found.relaxed[need_id]


def insisted(found: Answer, need_id: str, unit_id: str) -> outcome.Insisting:
    """What it costs the others that a need gets a unit, by solving again; the last one asked is remembered."""
    key = (found.allocation.digest, need_id, unit_id)
    held = st.session_state.get(_INSISTED)
    if held is None or held[0] != key:
        with st.spinner(say("allocation.step.solve")):
            held = (key, outcome.insist(found.allocation, need_id, unit_id))
        st.session_state[_INSISTED] = held
    result: outcome.Insisting = held[1]
    return result
