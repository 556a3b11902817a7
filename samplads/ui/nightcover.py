"""Shared night cover on a page: the area, the assumptions, what is demanded by hand, and plans remembered for the warehouse's version.

The domain reckons for seconds, so each of its answers is kept by what it rests on: the warehouse's version, the area and the assumptions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import polars as pl
import streamlit as st

from samplads import i18n
from samplads import loading_nightcover as night
from samplads.errors import SampladsError
from samplads.ledger import audit
from samplads.nightcover import coupling, finder, overlap, plan, savings
from samplads.nightcover.finder import Found
from samplads.nightcover.plan import Assumptions, Candidates, Couple, FrontierPoint, Inputs, NightPlan
from samplads.presenting import business_case, formats, nightcover, tables
from samplads.presenting.business_case import BusinessCase
from samplads.ui import data, pick, session, show, uploads, waiting, written
from samplads.ui.session import language, say

MILLION_ORE = 100_000_000
PRICES_ORE = tuple(kroner * 100 for kroner in (0, 25_000, 50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000, 3_200_000, 30_000_000))
"""What one overlapping incident a year may be made to count for, from nothing to more than any coupling saves."""

POINT = "frontier_point"
_PLAN = "night_plan"
_LAST_DEMANDS = "_night_demands"
"""Pairs demanded together and apart, as they last could be met."""


@dataclass(frozen=True)
class Scenario:
    """Everything a plan rests on, as chosen on the page. `key` tells scenarios apart."""

    version: str
    codes: tuple[str, ...]
    assumptions: Assumptions
    own_pay: bool
    together: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    price_ore: int = 0
    without: tuple[str, ...] = ()
    travel: pl.DataFrame | None = None

    @property
    def basis(self) -> str:
        """What pairs within reach depend on: not what is demanded by hand, nor the price on risk."""
        journeys = () if self.travel is None else tuple(self.travel.iter_rows())
        return f"{self.version} {self.codes} {self.own_pay} {self.assumptions!r} {journeys}"

    @property
    def key(self) -> str:
        """What the plan depends on."""
        return f"{self.demands} {self.price_ore}"

    @property
    def demands(self) -> str:
        """What the plans for every price on risk depend on."""
        return f"{self.basis} {self.without} {self.together} {self.apart}"


# --- what is reckoned, remembered --------------------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False, max_entries=2)
def _everything(version: str) -> Inputs:  # noqa: ARG001 - the version is the key
    return night.inputs(session.day())


def _inputs(scenario: Scenario) -> Inputs:
    told = _everything(scenario.version)
    if scenario.codes:
        told = told.only(told.units.filter(pl.col("municipality").is_in(list(scenario.codes)))["unit_id"].to_list())
    if not scenario.own_pay:
        told = replace(
            told, roster=told.roster.with_columns(pl.lit(None, dtype=told.roster.schema["monthly_pay_ore"]).alias("monthly_pay_ore"))
        )
    return replace(told, travel=scenario.travel)


MOST_PAIRS = 2_000_000
"""Pairs that are remembered in all, some 300 bytes each: a region with all its offers has half a million."""


@waiting.remembered(24, lambda found: found.pairs.height, MOST_PAIRS)
def _candidates(basis: str, scenario: Scenario) -> Candidates:  # noqa: ARG001
    waiting.tell("pairs")
    return plan.candidates(plan.prepare(_inputs(scenario), scenario.assumptions), lambda share: waiting.tell("pairs", share))


def candidates(scenario: Scenario) -> Candidates:
    """Pairs within reach, valued and judged, less those of units taken out of the plan."""
    return _candidates(scenario.basis, scenario).without(scenario.without)


@waiting.remembered(48, lambda found: found.candidates.pairs.height, MOST_PAIRS)
def _best(key: str, scenario: Scenario) -> NightPlan:  # noqa: ARG001
    found, tick = candidates(scenario), lambda share: waiting.tell("best", share)
    return plan.best(found, together=scenario.together, apart=scenario.apart, price_ore=scenario.price_ore, tick=tick)


def best(scenario: Scenario) -> NightPlan:
    """The best plan of a scenario. Raises SampladsError where what is demanded by hand breaks a rule."""
    return _best(scenario.key, scenario)


@waiting.remembered(24)
def _priced(demands: str, scenario: Scenario) -> list[FrontierPoint]:  # noqa: ARG001
    found, tick = candidates(scenario), lambda share: waiting.tell("priced", share)
    return plan.priced(found, PRICES_ORE, together=scenario.together, apart=scenario.apart, tick=tick)


def frontier(scenario: Scenario) -> list[FrontierPoint]:
    """Saving against risk among the plans that meet what is demanded by hand; the plan on the page is always one of them."""
    return plan.efficient(_priced(scenario.demands, scenario), scenario.price_ore)


@st.cache_resource(show_spinner=False, max_entries=48)
def _partners(key: str, unit: str, _scenario: Scenario) -> pl.DataFrame:  # noqa: ARG001
    return plan.partners(candidates(_scenario), unit, together=_scenario.together, apart=_scenario.apart, price_ore=_scenario.price_ore)


@waiting.remembered(48)
def _sensitivity(key: str, scenario: Scenario) -> pl.DataFrame:  # noqa: ARG001
    waiting.tell("sensitivity")
    return plan.sensitivity(best(scenario))


def sensitivity(scenario: Scenario) -> pl.DataFrame:
    """What moves the plan's saving, in words."""
    return nightcover.tornado(_sensitivity(scenario.key, scenario), language())


@waiting.remembered(48)
def _calls(key: str, scenario: Scenario) -> list[float | None]:  # noqa: ARG001
    found, even = best(scenario), []
    for done, couple in enumerate(found.couples):
        waiting.tell("calls", done / len(found.couples))
        even.append(plan.break_even(found.candidates, couple))
    return even


def calls(scenario: Scenario) -> list[float | None]:
    """Calls a night up to which each coupling pays."""
    return _calls(scenario.key, scenario)


@waiting.remembered(24)
def _more(key: str, scenario: Scenario) -> int:  # noqa: ARG001
    waiting.tell("more")
    found = candidates(scenario)
    lawful = found.pairs.filter(pl.col("status").is_in(["pass", "warn"])).select("unit_a", "unit_b", "saving_ore")
    return plan.potential(found).objective_ore - coupling.pair_up(lawful).objective_ore


def worth_asking(scenario: Scenario) -> str | None:
    """How many units have questions open, and what the answers are worth at best."""
    if scenario.assumptions.allow_unknown:
        return None
    return nightcover.worth_asking(candidates(scenario), _more(scenario.key, scenario), language())


SEED, PLAYED_NIGHTS = 1, 20_000
"""The simulation beside the closed forms: as many nights are played in each coupling, from this seed."""


@waiting.remembered(24)
def _played(key: str, scenario: Scenario) -> list[overlap.Simulated]:  # noqa: ARG001
    return plan.simulate(best(scenario), seed=SEED, nights=PLAYED_NIGHTS, tick=lambda share: waiting.tell("played", share))


def risks(scenario: Scenario) -> pl.DataFrame:
    """The risk of each coupling, reckoned and simulated."""
    return nightcover.risks(best(scenario), _played(scenario.key, scenario), language())


def risk_notes(scenario: Scenario) -> str:
    """How the simulation was made, and what it or the reckoning cannot tell."""
    nights = formats.number(PLAYED_NIGHTS, language())
    beyond = nightcover.beyond(best(scenario), language())
    return " ".join(filter(None, [say("nightcover_page.risk.played", nights=nights, seed=SEED), beyond]))


@waiting.remembered(12)
def _moved(demands: str, scenario: Scenario) -> pl.DataFrame:  # noqa: ARG001
    waiting.tell("moved")
    return plan.co_locations(candidates(scenario), apart=scenario.apart)


def moved(scenario: Scenario) -> pl.DataFrame:
    """Pairs for which moving one resident beside the other is better than driving, or the only way."""
    return nightcover.co_locations(_moved(scenario.demands, scenario), unit_names(scenario), language())


@st.cache_resource(show_spinner=False, max_entries=12)
def _found(basis: str, least_ore: int, _scenario: Scenario) -> Found:  # noqa: ARG001
    return finder.find(_inputs(_scenario), _scenario.assumptions, least_yearly_ore=least_ore)


def found(scenario: Scenario, least_ore: int) -> Found:
    """Single-person offers that could share, ranked, and why the others cannot."""
    return _found(scenario.basis, least_ore, scenario)


def unit_names(scenario: Scenario) -> dict[str, str]:
    """Unit id -> name, of every unit in the area."""
    return dict(_inputs(scenario).units.select("unit_id", "name").iter_rows())


def group_names() -> dict[str, str]:
    """Target group code -> name."""
    return dict(data.query("target_groups").select("code", language()).iter_rows())


def own_municipality() -> str | None:
    """The code of the visitor's own municipality: only its small counts of persons are shown."""
    home = pick.municipality()
    return None if home is None else str(home["code"])


def municipality_names() -> dict[str, str]:
    """Municipality code -> name."""
    return dict(data.query("municipalities").select("code", "name").iter_rows())


# --- what is chosen ----------------------------------------------------------------------------------------------------------------------


def pick_area() -> tuple[tuple[str, ...], str]:
    """The municipalities looked at (none: all) and what the area is called: a region, narrowed to some of its municipalities."""
    home = pick.municipality()
    members = data.query("region_members", day=session.day())
    own = members.filter(pl.col("municipality") == (home["code"] if home else None))["region"].to_list()
    with st.container(horizontal=True):
        codes = pick.pick_region(key="night_region", default=own[0] if own else None)
        some = pick.pick_municipalities(say("nightcover_page.pick.municipalities"), key="night_municipalities")
    names = municipality_names()
    if some:
        return tuple(some), formats.listing([names[code] for code in some], language())
    if codes:
        return tuple(codes), str(members.filter(pl.col("municipality") == codes[0])["region_name"][0])
    return (), say("nightcover_page.everywhere")


def pick_shape() -> dict[str, Any]:
    """How many may share, the ceiling on risk, and which units count."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sizes = {str(size): say("nightcover_page.pick.size_text", n=size) for size in range(2, plan.LARGEST_GROUP + 1)}
        size = pick.pick_one(say("nightcover_page.pick.size"), sizes, key="night_size", default="2")
        ceiling = pick.pick_number(say("nightcover_page.pick.ceiling"), key="night_ceiling", least=0, most=100_000)
        ways = {way: formats.capital(say(f"nightcover.sharing.{way}")) for way in plan.SHARING}
        sharing = pick.pick_one(say("nightcover_page.pick.sharing"), ways, key="night_sharing", default="by_cost")
    with st.container(horizontal=True):
        every = pick.pick_yes(say("nightcover_page.pick.every_unit"), key="night_every_unit")
        unknown = pick.pick_yes(say("nightcover_page.pick.unknown"), key="night_unknown", help=say("nightcover_page.pick.unknown_help"))
        laws = {law: formats.capital(say(f"nightcover_page.law.{law}")) for law in get_args(overlap.Law)}
        law = pick.pick_one(say("nightcover_page.pick.law"), laws, key="night_law", default="fixed")
    return {
        "law": law or "fixed",
        "group_size": int(size or 2),
        "max_overlaps": ceiling,
        "sharing": sharing or "by_cost",
        "single_person_only": not every,
        "allow_unknown": unknown,
    }


# Fields of the terms, of the coupling (name in the rule file -> field, whether an amount in kroner) and of the operator's practice.
TERMS = ("sick_days", "holiday_days", "public_holiday_days", "extra_holiday_hours", "other_absence_days", "gross_hours", "hours_a_day")
TERMS_PCT = ("pension_pct", "on_cost_pct", "handover_minutes")
COUPLING = {
    "max_minutes": ("max_minutes", False),
    "speed_kmh": ("speed_kmh", False),
    "detour": ("detour", False),
    "call_out": ("call_out_ore", True),
    "km_rate": ("km_ore", True),
    "equipment": ("equipment_ore", True),
    "equipment_years": ("equipment_years", False),
    "running": ("running_ore", True),
    "incidents_per_night": ("incidents_per_night", False),
    "minutes_per_incident": ("minutes_per_incident", False),
    "clustering": ("clustering", False),
    "discount_pct": ("discount_pct", False),
    "colocation_cost": ("colocation_ore", True),
    "colocation_minutes": ("colocation_minutes", False),
    "colocation_years": ("colocation_years", False),
    "least_yearly_cost": ("least_yearly_ore", True),
}
ANSWERS = ("health_check_before", "rest_agreement")
"""Recorded answers of the operator's practice: yes, no or not answered."""
PRACTICE = ("nights_in_a_row", "nights_off", "weekly_hours", "health_check_years", "pregnant_nights")
PARTS = ("pay", "sharing", "risk", "law")
_RISK = ("incidents_per_night", "minutes_per_incident", "clustering")
WHOLE = ("handover_minutes", "nights_in_a_row", "nights_off")
"""Fields that the reckoning counts in whole numbers."""
BOUNDS: dict[str, tuple[float, float]] = {
    "monthly_pay": (0, 1_000_000),
    **dict.fromkeys(("sick_days", "holiday_days", "public_holiday_days", "other_absence_days"), (0, 60)),
    "extra_holiday_hours": (0, 200),
    "gross_hours": (500, 3000),
    "hours_a_day": (1, 24),
    "pension_pct": (0, 100),
    "on_cost_pct": (0, 200),
    "handover_minutes": (0, 240),
    "max_minutes": (0, 240),
    "speed_kmh": (1, 300),
    "detour": (0.01, 10),
    "call_out": (0, 100_000),
    "km_rate": (0, 1_000),
    "equipment": (0, 10_000_000),
    "equipment_years": (0.01, 100),
    "running": (0, 10_000_000),
    "incidents_per_night": (0, 100),
    "minutes_per_incident": (0, 1440),
    "clustering": (0, 100),
    "discount_pct": (0, 100),
    "colocation_cost": (0, 100_000_000),
    "colocation_minutes": (0, 240),
    "colocation_years": (0.01, 100),
    "least_yearly_cost": (0, 1_000_000_000),
    "nights_in_a_row": (0, 31),
    "nights_off": (0, 31),
    "weekly_hours": (0, 168),
    "health_check_years": (0, 100),
    "pregnant_nights": (0, 7),
    "response_working_time": (0, 1440),
    **{f"refund_above_{nr}": (0, 1_000_000_000) for nr in range(1, 10)},
}
"""The least and the most that a field takes, amounts in kroner: what lies outside is a slip, and would break the reckoning."""


@dataclass(frozen=True)
class Assumed:
    """The assumptions as chosen: those of the plan, the finder's limit, whether units' own pay counts, and each with value and source.

    `listed`: assumption_part, assumption, value, standing_value (where changed), source.
    """

    assumptions: Assumptions
    least_yearly_ore: int
    own_pay: bool
    listed: pl.DataFrame
    terms_title: str
    valid_from: dt.date
    travel: pl.DataFrame | None = None


def _items(terms_name: str, base: Assumptions) -> dict[str, list[pick.Assumption]]:
    """Every changeable number by part, with its source. Levels are ours: they turn what is delivered up or down."""
    lang, day = language(), session.day()
    of_terms = dict(night.term_sources(day, terms_name).select("term", "source").iter_rows())
    told = night.assumption_sources(day)
    of_rules = dict(told.select("name", "source").iter_rows())
    numbers = {name: float(value) for name, value in told.select("name", "value").iter_rows() if value and name not in ANSWERS}

    def item(name: str, value: float, where: str, ore: bool = False, most: float | None = None) -> pick.Assumption:
        least, most = BOUNDS.get(name, (0, most))
        known = i18n.has(f"nightcover_page.assumptions.{name}", lang)
        label = say(f"nightcover_page.assumptions.{name}") if known else name
        return pick.Assumption(
            name, label, value, nightcover.source(where, name, lang), least=least, most=most, ore=ore, whole=name in WHOLE
        )

    def level(name: str, most: float) -> pick.Assumption:
        return item(name, 100.0, "assumption: " + i18n.text(f"nightcover_page.why.{name}", "en"), most=most)

    terms = base.terms
    pay = [
        item("monthly_pay", base.default_pay_ore, of_terms["monthly_pay"], ore=True),
        level("pay_level", 500),
        *(item(name, float(getattr(terms, name)), of_terms[name]) for name in (*TERMS, *TERMS_PCT)),
        *(item(f"supplement_{window.name}", window.pct, of_terms[f"supplements.{window.name}"], most=500) for window in terms.windows),
        *(
            item(f"share_{kind}", round(100 * share, 4), of_terms[f"working_share.{kind}"], most=100)
            for kind, share in terms.working_share
            if kind != "awake"
        ),
    ]
    shared = [
        item(
            name,
            numbers[name] * (100 if ore else 1),
            of_rules[name],
            ore=ore,
        )
        for name, (_, ore) in COUPLING.items()
    ]
    law = [item(name, numbers[name], of_rules[name]) for name in PRACTICE]
    law.append(item("response_working_time", float(base.limits["W12"].value or 0), of_rules["W12"]))
    refund = str(data.rules("refund").source)
    for nr, (above, pct) in enumerate(base.refund.brackets, 1):
        law += [item(f"refund_above_{nr}", above, refund, ore=True), item(f"refund_pct_{nr}", pct, refund, most=100)]
    return {
        "pay": pay,
        "sharing": [one for one in shared if one.key not in _RISK],
        "risk": [
            *(one for one in shared if one.key in _RISK),
            level("incident_level", 1000),
            level("length_level", 1000),
        ],
        "law": law,
    }


def _applied(base: Assumptions, values: Mapping[str, float], answers: Mapping[str, bool | None], shape: Mapping[str, Any]) -> Assumptions:
    """The rule files' assumptions with what was typed in their place."""
    terms = base.terms
    terms = terms.changed(
        **{name: values[name] for name in (*TERMS, "pension_pct", "on_cost_pct")},
        handover_minutes=round(values["handover_minutes"]),
        windows=tuple(replace(window, pct=values[f"supplement_{window.name}"]) for window in terms.windows),
        working_share=tuple(
            # A share is typed in percent: what was not touched stays what the rule file says, to the last decimal.
            (kind, share if kind == "awake" or values[f"share_{kind}"] == round(100 * share, 4) else values[f"share_{kind}"] / 100)
            for kind, share in terms.working_share
        ),
    )
    brackets = tuple((round(values[f"refund_above_{nr}"]), values[f"refund_pct_{nr}"]) for nr in range(1, len(base.refund.brackets) + 1))
    practice: dict[str, Any] = {name: values[name] for name in PRACTICE} | dict(answers)
    practice |= {name: round(values[name]) for name in ("nights_in_a_row", "nights_off")}
    fields: dict[str, Any] = {
        field: round(values[name]) if ore else values[name] for name, (field, ore) in COUPLING.items() if name != "least_yearly_cost"
    }
    return base.changed(
        terms=terms,
        default_pay_ore=round(values["monthly_pay"]),
        pay_factor=values["pay_level"] / 100,
        incident_factor=values["incident_level"] / 100,
        minutes_factor=values["length_level"] / 100,
        refund=savings.Refund(brackets),
        practice=replace(base.practice, **practice),
        limits={**base.limits, "W12": replace(base.limits["W12"], value=values["response_working_time"])},
        **fields,
        **shape,
    )


def pick_assumptions(shape: Mapping[str, Any]) -> Assumed:
    """Every assumption in four fold-outs, each with its source and changeable; what was changed is marked, a button puts it back."""
    lang, day = language(), session.day()
    sets = data.rules("night_terms").values["terms"]
    names = night.term_names(day)
    years = {str(year): str(year) for year in range(day.year - 2, day.year + 6)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {name: str(sets[name]["title"][lang]) for name in names}
        terms_name = pick.pick_one(say("nightcover_page.pick.terms"), titles, key="night_terms", default=names[0]) or names[0]
        year = pick.pick_one(say("nightcover_page.pick.year"), years, key="night_year", default=str(day.year)) or str(day.year)
        own_pay = pick.pick_yes(
            say("nightcover_page.pick.own_pay"), key="night_own_pay", default=True, help=say("nightcover_page.pick.own_pay_help")
        )
    base = night.assumptions(day, terms_name, year=int(year))
    answers = _pick_answers(base)
    travel = _pick_travel()
    values: dict[str, float] = {}
    rows = []
    fields = {**USUAL, "night_terms": names[0], "night_year": str(day.year)}
    fields |= {f"night_{name}": _answer(getattr(base.practice, name)) for name in ANSWERS}
    for part, items in _items(terms_name, base).items():
        st.markdown(f"**{say(f'nightcover_page.part.{part}')}**")
        # Another set of terms has other values to begin with: its fields are its own.
        key = f"night_{part}_{terms_name}" if part == "pay" else f"night_{part}"
        typed = pick.assumptions(items, key=key)
        values |= typed
        fields |= {f"{key}_{item.key}": formats.typed(item.value / 100 if item.ore else item.value, lang) for item in items}
        for item in items:
            now, standing = (formats.typed(value / 100 if item.ore else value, lang) for value in (typed[item.key], item.value))
            rows.append((say(f"nightcover_page.part.{part}"), item.label, now, standing if now != standing else "", item.source))
    st.button(say("nightcover_page.reset_all"), key="night_reset_all", on_click=st.session_state.update, args=(fields,))
    return Assumed(
        assumptions=_applied(base, values, answers, shape),
        least_yearly_ore=round(values["least_yearly_cost"]),
        own_pay=own_pay,
        listed=pl.DataFrame(rows, schema=dict.fromkeys(nightcover.ASSUMPTION_KEYS, pl.String), orient="row"),
        terms_title=titles[terms_name],
        valid_from=night.terms_valid_from(day, terms_name),
        travel=travel,
    )


USUAL: dict[str, Any] = {
    "night_size": "2",
    "night_ceiling": "",
    "night_sharing": "by_cost",
    "night_every_unit": False,
    "night_unknown": False,
    "night_law": "fixed",
    "night_own_pay": True,
    _PLAN: "0",
}
"""The choices that are no figures, as they are before anybody chose."""


def _answer(answer: bool | None) -> str:
    return "unknown" if answer is None else "yes" if answer else "no"


def _pick_answers(base: Assumptions) -> dict[str, bool | None]:
    """The operator's recorded answers, each changeable."""
    options = {code: formats.capital(say(f"nightcover_page.answers.{code}")) for code in ("yes", "no", "unknown")}
    answers: dict[str, bool | None] = {}
    with st.container(horizontal=True):
        for name in ANSWERS:
            standing = _answer(getattr(base.practice, name))
            chosen = pick.pick_one(say(f"nightcover_page.pick.{name}"), options, key=f"night_{name}", default=standing) or standing
            answers[name] = None if chosen == "unknown" else chosen == "yes"
    return answers


def _pick_travel() -> pl.DataFrame | None:
    """The visitor's own table of travel times; what cannot be used is said beside the field, and then none counts."""
    with st.expander(say("nightcover_page.pick.travel")):
        st.caption(say("nightcover_page.travel.about"))
        given = uploads.pick_file(say("nightcover_page.pick.travel"), key="night_travel")
        if given is None:
            return None
        try:
            with uploads.aside(*given) as path:
                told = night.travel_table(path, _everything(session.warehouse().id).units["unit_id"].to_list())
        except SampladsError as error:
            st.caption(f":red[✗ {i18n.sentence(error, language())}]")
            return None
        st.caption(f"✓ {say('nightcover_page.travel.pairs', n=formats.number(told.height, language()))}")
        return told


def list_assumptions(scenario: Scenario, assumed: Assumed) -> None:
    """Everything that the plan rests on, choices and figures, as it stands in the business case."""
    show.table(
        business_case.assumed(case_of(scenario, assumed, ""), language()),
        columns=[tables.column(key) if key != "value" else tables.Column("value") for key in nightcover.ASSUMPTION_KEYS],
        key="night_assumptions",
        name=say("nightcover_page.tab.assumptions"),
    )


def take_point() -> None:
    """Before any widget: a point that was clicked in the frontier becomes the chosen plan."""
    event = st.session_state.get("frontier")
    clicked = event["selection"].get(POINT) if event else None
    name = clicked[0].get("frontier_plan") if clicked else None
    if name != st.session_state.get("_frontier_taken"):
        st.session_state["_frontier_taken"] = name
        prices = {nightcover.price_name(price, language()): str(price) for price in PRICES_ORE}
        if name in prices:
            st.session_state[_PLAN] = prices[name]


_STEPS = {
    "pairs": (0.0, 0.2),
    "best": (0.2, 0.2),
    "calls": (0.4, 0.1),
    "more": (0.5, 0.05),
    "priced": (0.55, 0.2),
    "played": (0.75, 0.15),
    "sensitivity": (0.9, 0.05),
    "moved": (0.95, 0.05),
}
"""Where on the bar each step begins, and its share of it."""
_STOPPED = "_night_stopped"
_HELD = "_night_held"
_BY_HAND = ("without", "together", "apart", "night_partner")
"""Fields that are drawn only when pairs are known."""


def begin(scenario: Scenario) -> None:
    """Show how far the reckoning is, with a button to cancel it. Stops the page where it was cancelled, until something else is chosen."""

    def cancel() -> None:
        st.session_state[_STOPPED] = scenario.basis
        st.session_state[_HELD] = {key: st.session_state[key] for key in _BY_HAND if key in st.session_state}

    def resume() -> None:
        st.session_state.pop(_STOPPED, None)

    # One place on the page whether there is something to say or not: a chosen tab stays chosen.
    place = st.empty()
    if st.session_state.get(_STOPPED) == scenario.basis:
        with place.container():
            st.info(say("nightcover_page.cancelled"))
            st.button(say("nightcover_page.resume"), key="resume_night", on_click=resume)
        st.stop()
    st.session_state.pop(_STOPPED, None)
    # What had been demanded by hand was not drawn while the page stood still.
    for key, value in st.session_state.pop(_HELD, {}).items():
        st.session_state[key] = value
    waiting.begin(waiting.Steps(place, _STEPS, lambda word: say(f"nightcover_page.{word}"), cancel))


def scenario(codes: tuple[str, ...], assumed: Assumed, price_ore: int) -> Scenario:
    """What was chosen on the page, before anything is demanded by hand."""
    return Scenario(session.warehouse().id, codes, assumed.assumptions, assumed.own_pay, price_ore=price_ore, travel=assumed.travel)


def pick_price() -> int:
    """What one overlapping incident is made to count for, in øre."""
    prices = {str(price): nightcover.price_name(price, language()) for price in PRICES_ORE}
    chosen = pick.pick_one(say("nightcover_page.pick.price"), prices, key=_PLAN, default="0", help=say("nightcover_page.pick.price_help"))
    return int(chosen or 0)


def _pairs(codes: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((code.partition("|")[0], code.partition("|")[2]) for code in codes)


def _only_known(key: str, options: Mapping[str, str]) -> None:
    """Before a field is drawn: what was demanded elsewhere or under other assumptions may not be there to be chosen here."""
    if key in st.session_state:
        st.session_state[key] = [code for code in st.session_state[key] if code in options]


def pick_by_hand(scenario: Scenario) -> Scenario:
    """The scenario with units taken out, pairs demanded together and pairs forbidden, all kept in the link.

    Demands that cannot be met together are said beside the fields, and the last ones that could stay in force.
    """
    nobody = say("nightcover_page.pick.nobody")
    units = nightcover.unit_options(candidates(scenario))
    _only_known("without", units)
    without = pick.pick_several(say("nightcover_page.pick.without"), units, key="without", placeholder=nobody)
    scenario = replace(scenario, without=tuple(without))
    options = nightcover.pair_options(candidates(scenario))
    for key in ("together", "apart"):
        _only_known(key, options)
    with st.container(horizontal=True):
        together = pick.pick_several(say("nightcover_page.pick.together"), options, key="together", placeholder=nobody)
        apart = pick.pick_several(say("nightcover_page.pick.apart"), options, key="apart", placeholder=nobody)
    return _standing(replace(scenario, together=_pairs(together), apart=_pairs(apart)), options)


def _standing(scenario: Scenario, options: Mapping[str, str]) -> Scenario:
    """The scenario as demanded; where its demands clash, as it was last demanded without a clash, and the clash is said."""
    try:
        best(scenario)
    except SampladsError as error:
        st.caption(f":red[✗ {i18n.sentence(error, language())} {say('nightcover_page.hand.stands')}]")
        earlier = tuple(
            tuple(pair for pair in pairs if "|".join(pair) in options) for pairs in st.session_state.get(_LAST_DEMANDS, ((), ()))
        )
        for together, apart in (earlier, ((), ())):
            kept = replace(scenario, together=together, apart=apart)
            try:
                best(kept)
            except SampladsError:
                continue
            return kept
        raise
    st.session_state[_LAST_DEMANDS] = (scenario.together, scenario.apart)
    return scenario


def show_partners(scenario: Scenario) -> None:
    """A unit's partners, best first, and what the whole plan loses if the two are insisted on."""
    found = candidates(scenario)
    units = {unit: name for unit, name in nightcover.unit_options(found).items() if unit not in found.excluded}
    st.subheader(say("nightcover_page.partners.title"), anchor=False)
    unit = pick.pick_one(
        say("nightcover_page.partners.unit"), units, key="night_partner", placeholder=say("nightcover_page.partners.choose")
    )
    if unit is None:
        st.caption(say("nightcover_page.partners.about"))
        return
    rows = nightcover.partners(_partners(scenario.key, unit, scenario), unit_names(scenario), language())
    if rows.is_empty():
        st.caption(say("nightcover_page.partners.nobody"))
        return
    show.table(rows, columns=nightcover.PARTNER_COLUMNS, key="partners", name=say("nightcover_page.partners.title"))
    st.caption(say("nightcover_page.partners.cost"))


def forbid(couple: Couple) -> None:
    """A button that holds a coupling apart: the plan is then the best one without it."""

    def hold_apart() -> None:
        ids = couple.unit_ids
        codes = [f"{a}|{b}" for place, a in enumerate(ids) for b in ids[place + 1 :]]
        st.session_state["apart"] = [*st.session_state.get("apart", []), *codes]
        st.session_state["together"] = [code for code in st.session_state.get("together", []) if code not in codes]

    st.button(say("nightcover_page.forbid"), key="forbid", on_click=hold_apart, icon=":material/link_off:")


# --- what is handed over -----------------------------------------------------------------------------------------------------------------


def downloads(case: BusinessCase) -> None:
    """The business case as PDF and as workbook; nothing is made before a button is pressed."""
    from samplads.presenting import exports

    lang, name = language(), say("nightcover_page.case.file")
    files = {
        "pdf": ("PDF", lambda: business_case.pdf(case, lang), "application/pdf"),
        "xlsx": (
            "XLSX",
            lambda: business_case.xlsx(case, lang),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    }
    with st.container(horizontal=True, vertical_alignment="center", key="business_case"):
        st.caption(say("nightcover_page.case.label"), width="content")
        for ending, (text, make, mime) in files.items():
            st.download_button(
                text,
                data=make,
                file_name=exports.file_name(name, case.day, ending),
                mime=mime,
                key=f"case_{ending}",
                on_click="ignore",
                icon=":material/download:",
            )


def case_of(scenario: Scenario, assumed: Assumed, area: str) -> BusinessCase:
    """What the business case says: the plan on the page with everything it rests on."""
    return BusinessCase(
        area=area,
        day=session.day(),
        version=scenario.version,
        synthetic=bool(session.meta()["synthetic"]),
        best=best(scenario),
        calls=tuple(calls(scenario)),
        tornado=sensitivity(scenario),
        frontier=tuple(frontier(scenario)),
        more_ore=_more(scenario.key, scenario),
        assumptions=assumed.listed,
        names=municipality_names(),
        outline=data.outline(),
        map_caption=data.coast_caption(),
        together=scenario.together,
        apart=scenario.apart,
        without=scenario.without,
        own_pay=scenario.own_pay,
        price_ore=scenario.price_ore,
        terms_title=assumed.terms_title,
        valid_from=assumed.valid_from,
        own=own_municipality(),
        played=tuple(_played(scenario.key, scenario)),
        moved=_moved(scenario.demands, scenario),
    )


def show_cases(scenario: Scenario) -> None:
    """The stays behind the net saving, rows about persons: shown to who says their name, and the look-up is written down first."""
    told = best(scenario)
    st.caption(say("nightcover_page.cases.about"))
    name, _ = written.who()
    key = "night_cases_for"
    if st.button(say("nightcover_page.cases.show"), key="show_cases", disabled=not name):
        subjects = sorted({gain.unit_id for couple in told.couples for gain in couple.gains})
        audit.log(
            written.book(),
            who=name,
            what="stay.nightcover",
            subjects=subjects,
            purpose=say("nightcover_page.cases.purpose"),
            version=scenario.version,
        )
        st.session_state[key] = (name, scenario.key)
    if name and st.session_state.get(key) == (name, scenario.key):
        rows = nightcover.cases(told, municipality_names())
        show.table(rows, columns=nightcover.CASE_COLUMNS, key="night_cases", name=say("nightcover_page.cases.title"))
