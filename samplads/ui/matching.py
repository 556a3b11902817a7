"""Describing a need and matching it: the widgets of Find match, and a match remembered for the warehouse's version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import streamlit as st

from samplads import loading
from samplads.matching.case import Case
from samplads.matching.ranking import MOST_COMPARED, MatchResult, match
from samplads.model import NIGHT_COVERS, SETTINGS, URGENCIES
from samplads.presenting import formats
from samplads.ui import data, pick, session, show, written
from samplads.ui.session import language, say


@dataclass(frozen=True)
class Names:
    """What codes are called in the page's language."""

    target_groups: dict[str, str]
    municipalities: dict[str, str]
    offer_types: dict[str, str]


def names() -> Names:
    """The names of target groups, municipalities and offer types (an offer type by its paragraph, where it has one)."""
    groups = dict(data.query("target_groups").select("code", language()).iter_rows())
    kinds = data.query("offer_types").select("code", pl.coalesce("paragraph", language()))
    return Names(groups, dict(data.query("municipalities").select("code", "name").iter_rows()), dict(kinds.iter_rows()))


def show_points() -> None:
    """The open points that rank hits, with their sources, in a fold-out."""
    rules = data.rules("matching")
    rows = [
        {"criterion": entry[language()], "most_points": entry["value"], "source": entry["source"]}
        for entry in rules.values["points"].values()
    ]
    with st.expander(say("match.points.title")):
        st.caption(say("match.points.about", day=formats.date(rules.valid_from, language())))
        show.table(pl.DataFrame(rows), key="points", name=say("match.points.title"))


DESCRIBED = "described"
"""The choice that means: no need of the list, but one that is described here."""


@dataclass(frozen=True)
class Asked:
    """A need as the page has it: what a match reads, and how urgent it is, which only a joint allocation weighs."""

    case: Case
    urgency: str | None


def pick_need() -> Asked:
    """A need: one that waits, or one described in the sidebar. A waiting one is changed by nobody here; describe it to try other limits.

    Either may be held against the offer that the municipality points to.
    """
    waiting = data.query("open_needs")
    names = {DESCRIBED: say("match.pick.described")} | {row["need_id"]: _label(row) for row in waiting.iter_rows(named=True)}
    _suggest(names)
    choice, reference = st.columns([3, 2], vertical_alignment="bottom")
    with choice:
        chosen = pick.pick_one(say("match.pick.need"), names, key=_NEED, default=DESCRIBED)
    with reference:
        rate = pick.pick_kr(
            say("match.pick.reference"),
            key="reference_rate",
            most=pick.MOST_RATE,
            unit="kr_per_day",
            placeholder=say("match.pick.reference_none"),
            help=say("match.pick.reference_help"),
        )
    if chosen is None or chosen == DESCRIBED:
        asked = _described()
    else:
        row = waiting.filter(pl.col("need_id") == chosen).row(0, named=True)
        asked = Asked(Case.from_row(row), row["urgency"])
    return replace(asked, case=replace(asked.case, reference_rate_ore=rate))


_NEED = "need"
_SUGGESTED = "_suggested_need"
_OF_DESCRIPTION = (
    *("groups", "offer_types", "age", "support_level", "least_night_cover", "wanted_from"),
    *("max_km", "max_rate", "current_unit", "urgency", "wish_near", "wish_setting"),
)
"""The fields of a described need, as a link names them."""


def _suggest(names: Mapping[str, str]) -> None:
    """Choose a need for who has chosen none: written into the link like a choice, so that the link keeps showing it.

    It follows the visitor's municipality until somebody chooses.
    """
    held, town = st.session_state.get(_NEED), pick.municipality()
    home = town["code"] if town else None
    if held is None and st.query_params.get(_NEED) in names.values():
        return
    if held is None and _NEED not in st.query_params and any(name in st.query_params for name in _OF_DESCRIPTION):
        # A link to a described need: that it is described is the default, which an address leaves out.
        return
    if held is not None:
        for_home, suggested = st.session_state.get(_SUGGESTED, (home, None))
        if held != suggested or for_home == home:
            return
    found = _first_with_a_hit(session.warehouse().id, written.stamp(), home, session.day()) or DESCRIBED
    st.session_state[_NEED] = found
    if held is None:
        # What a run chooses before its first drawing does not come into the address by itself; later the address is the widget's own.
        st.query_params[_NEED] = names[found]
    st.session_state[_SUGGESTED] = (home, found)


@st.cache_data(show_spinner=False, max_entries=200)
def _first_with_a_hit(version: str, written_stamp: str, home: str | None, day: dt.date) -> str | None:  # noqa: ARG001
    """The municipality's most urgent need that waits longest and that a unit surely fits; where none has a hit the first of them.

    Where the municipality has none: the first of all.
    """
    tiers = data.rules("matching").values["urgency_tiers"]
    waiting = data.query("open_needs").with_columns(
        tier=pl.col("urgency").fill_null("normal").replace_strict({name: told["value"] for name, told in tiers.items()}, default=None)
    )
    own = waiting.filter(pl.col("municipality") == home).sort("tier", "registered_on", "need_id", nulls_last=True)
    for row in own.iter_rows(named=True):
        if matched(Case.from_row(row)).counts["hits"]:
            return str(row["need_id"])
    return next(iter([*own["need_id"], *waiting["need_id"]]), None)


def _label(row: dict[str, object]) -> str:
    parts = [str(row["need_id"]), str(row["municipality_name"] or row["municipality"])]
    if row["age"] is not None:
        parts.append(say("match.summary.age", age=row["age"]))
    return " · ".join(parts)


def _described() -> Asked:
    home = pick.municipality()
    with st.sidebar:
        groups = pick.pick_target_groups()
        offer_types = pick.pick_offer_types()
        age = pick.pick_number(say("match.pick.age"), key="age", least=0, most=120, unit="years", whole=True)
        support = pick.pick_number(say("match.pick.support"), key="support_level", least=0, most=4, whole=True)
        covers = {cover: formats.choice("night_cover", cover, language()) for cover in NIGHT_COVERS if cover != "none"}
        cover = pick.pick_one(say("match.pick.cover"), covers, key="least_night_cover")
        wanted = pick.pick_day(say("match.pick.wanted"), key="wanted_from")
        most_km = pick.pick_number(say("match.pick.km"), key="max_km", least=0, most=pick.MOST_KM, unit="km")
        most_rate = pick.pick_kr(say("match.pick.rate"), key="max_rate", most=pick.MOST_RATE, unit="kr_per_day")
        current = _pick_unit(say("match.pick.current_unit"), key="current_unit")
        urgencies = {urgency: formats.choice("urgency", urgency, language()) for urgency in URGENCIES}
        urgency = pick.pick_one(
            say("columns.urgency"), urgencies, key="urgency", help=say("match.pick.urgency_help"), placeholder=say("match.pick.not_told")
        )
        near = pick.pick_municipalities(say("match.pick.near"), key="wish_near")
        settings = {setting: formats.choice("wish_setting", setting, language()) for setting in SETTINGS}
        setting = pick.pick_one(say("match.pick.setting"), settings, key="wish_setting")
    case = Case(
        municipality=str(home["code"]) if home else "",
        target_groups=tuple(groups),
        offer_types=tuple(offer_types),
        age=None if age is None else int(age),
        support_level=None if support is None else int(support),
        least_night_cover=cover,
        wanted_from=wanted,
        max_km=most_km,
        max_daily_rate_ore=most_rate,
        current_unit=current,
        wish_near=tuple(near),
        wish_setting=setting,
    )
    return Asked(case, urgency)


def _pick_unit(label: str, *, key: str) -> str | None:
    """A unit by its id or its name, typed; None where none is typed, and where nothing or more than one is called that, which is said."""
    typed = pick.pick_text(label, key=key, placeholder=say("match.pick.unit_form")).strip().casefold()
    if not typed:
        return None
    units = loading.places(session.warehouse().path, written.layer()).frame.select("unit_id", "name", "municipality_name")
    found = units.filter(pl.col("unit_id").str.to_lowercase() == typed)
    found = found if found.height else units.filter(pl.col("name").str.to_lowercase() == typed)
    if found.height == 1:
        st.caption(f"{formats.plain(found['name'][0])}, {found['municipality_name'][0]}")
        return str(found["unit_id"][0])
    ids = formats.listing(found["unit_id"].to_list()[:5], language())
    st.caption(f":red[✗ {say('match.pick.unit_many', ids=ids) if found.height else say('match.pick.unit_none')}]")
    return None


@st.cache_resource(show_spinner=False, max_entries=50)
def _match(version: str, case: Case, day: dt.date, rules: str, _path: Path) -> MatchResult:  # noqa: ARG001
    towns = loading.municipalities(_path)
    return match(case, loading.places(_path, written.layer()), loading.weights(day), as_of=day, municipalities=towns)


def matched(case: Case) -> MatchResult:
    """The match of a case with all units of the version in force, on the warehouse's day."""
    rules = data.rules("matching")
    version = session.warehouse()
    return _match(version.id, case, session.day(), f"{written.stamp()} {rules.valid_from}{rules.values}", version.path)


def pick_compared(*picked: Sequence[str]) -> list[str]:
    """The units ticked in several tables, each once, at most `MOST_COMPARED`; says so where more are ticked."""
    ticked = list(dict.fromkeys(unit for some in picked for unit in some))
    if len(ticked) > MOST_COMPARED:
        st.warning(say("match.compare.most", most=MOST_COMPARED, ticked=len(ticked)))
    return ticked[:MOST_COMPARED]
